"""What the kit holds results to is the oracle's answer, though it is computed only once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvfloor.attention import tensor_attention_rounded
from kvfloor.conformance import Case
from kvfloor.conformance.truth import find_truth
from kvfloor.numbers import FORMATS, as_format


def case(rng: np.random.Generator, *, masked: bool, halves: bool) -> Case:
    """Order 2; with ``halves`` equal weights, so that outputs are halfway between numbers."""
    form = as_format("float32").dtype
    lengths = (4, 2)
    q = rng.integers(-2, 3, (2, 2, 3, 2)) * (0 if halves else 1)
    K, V = (
        tuple(rng.integers(-9, 10, (2, 1, n, 2)).astype(form) for n in lengths) for _ in range(2)
    )
    mask = rng.random((3, *lengths)) < 0.4 if masked else None
    return Case(q.astype(form), K, V, 0.5, mask)


@given(
    st.integers(0, 2**32), st.booleans(), st.booleans(), st.sampled_from(sorted(FORMATS)),
    st.sampled_from(sorted(FORMATS)), st.sampled_from(["zero", "nan"]),
)  # fmt: skip
def test_it_is_the_oracles(
    seed: int, masked: bool, halves: bool, output: str, logsumexp: str, empty: str
) -> None:
    one = case(np.random.default_rng(seed), masked=masked, halves=halves)
    found = find_truth(one, output=as_format(output), logsumexp=as_format(logsumexp), empty=empty)
    options: dict[str, Any] = {"scale": one.sigma, "mask": one.kept, "empty": empty}
    for form, part, k in ((output, found.output, 0), (logsumexp, found.logsumexp, 1)):
        both = tensor_attention_rounded(
            one.query, one.keys, one.values, dtype=form, return_logsumexp=True, **options
        )
        np.testing.assert_array_equal(part, np.asarray(both[k]).astype(np.float64))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("off", [2.0**-60, 0.0, -(2.0**-60)])
def test_what_lies_beside_the_middle_is_not_rounded_twice(sign: int, off: float) -> None:
    """Two values of equal weight whose mean is that far from the middle of two of bfloat16."""
    form = as_format("bfloat16")
    V = np.array([sign * (2 + 2.0**-7), off])[None, None, :, None]
    zeros = np.zeros((1, 1, 2, 1))
    one = Case(zeros[:, :, :1], (zeros,), (V,), 1.0, None)
    found = find_truth(one, output=form, logsumexp=form)
    toward = sign * (1 + 2.0**-7) if sign * off > 0 else sign
    assert found.fine_output.item() == sign * (1 + 2.0**-8)
    assert found.output.item() == toward
