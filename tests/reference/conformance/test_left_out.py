"""What is left out is named if that explains it, by runs and slots."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from kvfloor.conformance import Target, run
from kvfloor.conformance.left_out import told_left_out


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        ([3], "tokens, as if token 3 of 6 were left out"),
        ([0, 2, 3, 4], "tokens, as if token 0, 2 to 4 of 6 were left out"),
        ([], None),
        (range(6), None),
    ],
)
def test_runs_are_named_by_their_ends(missing: list[int], told: str | None) -> None:
    present = np.ones((2, 3, 6), dtype=np.bool_)
    gone = np.isin(np.arange(6), missing) & present
    assert told_left_out([(present, gone)]) == told
    whole = (present[..., :4], np.zeros((2, 3, 4), dtype=np.bool_))
    said = told_left_out([whole, (present, gone)])
    assert said == (told and told.replace("of 6", "of 6 in slot 2"))


def test_what_counts_for_some_is_not_left_out() -> None:
    present = np.ones((2, 6), dtype=np.bool_)
    missing = np.zeros_like(present)
    missing[:, 5] = True
    missing[0, 2] = True
    assert told_left_out([(present, missing)]) is None
    present[1, 2] = False  # which nothing hides from the only one that sees it
    said = told_left_out([(present, missing)], "query")
    assert said == "queries, as if query 2, 5 of 6 were left out"


def shifted(query: Any, keys: Any, values: Any, *, scale: float, more: int = 1, **_: Any) -> Any:
    """Attention of order 1 whose causal mask shows a token more; exponentials may vanish."""
    (K,), (V,) = keys, values
    logits = query @ K.swapaxes(-1, -2) * np.float32(scale)
    rows, columns = logits.shape[-2:]
    kept = np.arange(columns) <= np.arange(rows)[:, np.newaxis] + columns - rows + more
    weights = np.exp(logits - np.where(kept, logits, -np.inf).max(axis=-1, keepdims=True)) * kept
    return weights @ V / weights.sum(axis=-1, keepdims=True)


def test_a_mask_that_lets_in_too_much_leaves_no_token_out() -> None:
    """Of low logits the token more has all weight, and the others none."""
    told: dict[str, Any] = {"dtype": "float32", "accumulate": "float32", "order": 1}
    target = Target(shifted, mask="causal", returns=("output",), **told)
    said = str(run(target, flags=["low-logits"], examples=1))
    assert "it comes from the mask" in said
    assert "left out" not in said.partition("target =")[0]


def test_a_mask_that_leaves_nothing_is_no_overflow() -> None:
    """Where it should leave one token the quotient is NaN, with logits of zero as well."""
    told: dict[str, Any] = {"dtype": "float32", "accumulate": "float32", "order": 1}
    target = Target(partial(shifted, more=0), mask="causal", returns=("output",), **told)
    assert run(target, flags=["causal"], examples=1).ok
    narrow = replace(target, function=partial(shifted, more=-1))
    (failure,) = run(narrow, flags=["single-token"], examples=1).failures
    assert "is nan" in failure.message
    assert failure.message.endswith("; it comes from the mask")
