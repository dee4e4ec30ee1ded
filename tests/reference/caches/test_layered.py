"""A cache of all layers and key-value heads: bits end to end, heads shared, windows (H1)."""

from __future__ import annotations

import random
from typing import Any

import pytest

from kvfloor import BinaryValues, InputError, binary_keys, parabola
from kvfloor.caches import LayeredCache
from kvfloor.families import attend_to

FAMILIES = [
    [BinaryValues(parabola(4), 3, order=1), BinaryValues(binary_keys(4), 1, order=1)],
    [BinaryValues(binary_keys(4), 3, order=1)],
]
OPTIONS: dict[str, Any] = {"query_heads": 4, "windows": [2, None]}


def filled(x: Any) -> LayeredCache:
    cache = LayeredCache(FAMILIES, **OPTIONS)
    tokens = [
        [family.encode(own) for family, own in zip(layer, row, strict=True)]
        for layer, row in zip(FAMILIES, x, strict=True)
    ]
    for place in range(4):
        cache.append(
            [[own[place].keys for own in layer] for layer in tokens],
            [[own[place].values for own in layer] for layer in tokens],
        )
    return cache


def drawn(seed: int) -> Any:
    rng = random.Random(seed)
    return [[tuple(rng.choices((0, 1), k=f.size)) for f in layer] for layer in FAMILIES]


def test_bits_are_those_of_the_parts_end_to_end() -> None:
    x = drawn(0)
    cache = filled(x)
    assert cache.state_bits() == 2 * 3 + 2 + 12
    kept = (*x[0][0][6:], *x[0][1][2:], *x[1][0])
    assert cache.state() == sum(bit << k for k, bit in enumerate(kept)).to_bytes(3, "little")


def test_a_restored_cache_answers_every_query_head() -> None:
    x = drawn(1)
    state = filled(x).state()
    cache = LayeredCache.from_state(state, families=FAMILIES, **OPTIONS)
    assert cache.state() == state
    for head, part in ((0, 0), (1, 0), (2, 1), (3, 1)):
        family = FAMILIES[0][part]
        query = family.query(2)
        true = attend_to(family.encode(x[0][part])[2:])(query).floats()
        assert cache.answer(0, head, query) == true
    family = FAMILIES[1][0]
    query = family.query(3)
    true = attend_to(family.encode(x[1][0]))(query).floats()
    assert [cache.answer(1, head, query) for head in range(4)] == [true] * 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"query_heads": 3}, "query_heads: expected a multiple of the 2 key-value heads"),
        ({"windows": [None]}, "windows: expected one for each of 2 layers"),
        ({"windows": [5, None]}, "window: expected at most n = 4, got 5"),
        ({"families": []}, "windows: expected one for each of 0 layers"),
    ],
)
def test_bad_models(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        LayeredCache(**({"families": FAMILIES} | OPTIONS | changes))


def test_what_is_not_there_is_not_answered() -> None:
    cache = filled(drawn(2))
    with pytest.raises(InputError, match="layer: expected a whole number below 2, got 2"):
        cache.answer(2, 0, (1, 1))
    with pytest.raises(InputError, match="head: expected a whole number below 4, got 4"):
        cache.answer(0, 4, (1, 1))
