"""Which part of a token is lost, from the answers of a head to queries for it; without PyTorch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from kvfloor import Guarantee, InputError
from kvfloor.adapters import ModelInstance, Sizes
from kvfloor.adapters.model_losses import Asked, looks_like
from kvfloor.audit import LOSSES, UNTOLD

GUARANTEE = Guarantee(alpha=Fraction(1, 8))
INSTANCE = ModelInstance(Sizes(32, 16, 1, 1, 1), GUARANTEE, seed=3)
KEYS, VALUES = INSTANCE.keys[:, 0, 0], INSTANCE.rows(0, 0)
EVERY_SECOND = np.arange(0, 32, 2)


def attention(query: Any, keys: Any, values: Any) -> Any:
    weights = np.exp(keys @ query - (keys @ query).max())
    return weights @ values / weights.sum()


def pairs(values: Any) -> Any:
    return np.repeat((values[::2] + values[1::2]) / 2, 2, axis=0)


Change = Callable[[Any], tuple[Any, Any, Any]]  # of query, keys and values
CHANGES: list[tuple[str, str, Change]] = [
    ("evicted", "missing token", lambda q: (q, KEYS[EVERY_SECOND], VALUES[EVERY_SECOND])),
    ("paired", "merged tokens", lambda q: (q, KEYS, pairs(VALUES))),
    ("whole", "precision of values", lambda q: (q, KEYS, np.rint(VALUES))),
    ("signs", "precision of values", lambda q: (q, KEYS, np.sign(VALUES))),
    ("unsigned", "wrong signs", lambda q: (q, KEYS, np.abs(VALUES))),
    ("negated", "wrong signs", lambda q: (q, KEYS, -VALUES)),
    ("doubled", "scale of values", lambda q: (q, KEYS, 2 * VALUES)),
    ("cut", "clipping", lambda q: (q, KEYS, VALUES.clip(-0.625, 0.625))),
    ("cut at 0", "clipping", lambda q: (q, KEYS, VALUES.clip(0, 2))),
    ("hot", "temperature", lambda q: (q / 8, KEYS, VALUES)),
    ("one key", "precision of keys", lambda q: (q, 0 * KEYS, VALUES)),
    ("others added", UNTOLD, lambda q: (q, KEYS, VALUES + VALUES[::-1] / 4 + VALUES[::2].mean(0))),
    ("noise", UNTOLD, lambda q: (q, KEYS, 2 * VALUES[::-1] - VALUES)),
]  # fmt: skip


def test_a_window_that_shows_too_much_is_no_missing_token() -> None:
    """Tokens beyond the window have keys of tokens in it, so they have half of an answer."""
    instance = ModelInstance(Sizes(40, 16, 1, 1, 1, window=17), GUARANTEE, seed=3)
    keys, rows = instance.keys[:, 0, 0], instance.values[:, 0, 0]
    found = Counter[str]()
    for address in range(16):
        query = instance.queries(np.array(address))
        logits, first = keys @ query, 24 - 8  # eight tokens more than it should
        came = attention(query, keys[first:], rows[first:])
        hidden = rows[:24][::-1], logits[:24][::-1]
        if np.abs(came - rows[24 + address]).max() > 1 / 8:
            asked = Asked(rows[24:], logits[24:], address, came, 1 / 32, hidden)
            found[looks_like(asked)] += 1
    assert found.keys() == {"token too many"}
    assert found.total() >= 8


@pytest.mark.parametrize(
    ("loss", "change"), [row[1:] for row in CHANGES], ids=[r[0] for r in CHANGES]
)
def test_what_is_lost_has_a_word(loss: str, change: Change) -> None:
    found = Counter[str]()
    for address in range(32):
        query = INSTANCE.queries(np.array(address))
        true, came = attention(query, KEYS, VALUES), attention(*change(query))
        if np.abs(came - true).max() > 1 / 8:
            asked = Asked(VALUES, KEYS @ query, address, came, 1 / 32)
            found[looks_like(asked)] += 1
    assert found.most_common(1)[0][0] == loss
    assert found[loss] > 3 / 4 * found.total() >= 12
    assert loss in {*LOSSES, UNTOLD}


def test_sizes_are_plain_numbers() -> None:
    """Those of NumPy, too: a certificate holds them as JSON."""
    n, d = np.array([8, 4])
    sizes = Sizes(n, d, 1, 1, 1)
    assert (type(sizes.n), type(sizes.d), sizes.n, sizes.d) == (int, int, 8, 4)
    with pytest.raises(InputError, match=r"^n: expected a whole number >= 1, got 0$"):
        Sizes(0, 4, 1, 1, 1)
