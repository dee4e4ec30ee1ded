"""Caches and budgets at (n, d) = (64, 16): bits against the floor, and what comes of it."""

from __future__ import annotations

import random
from typing import Any

import pytest

from cache_table import FAMILIES, ROWS, Budget, D, padded
from kvfloor import InputError, caches
from kvfloor.caches import State, record, restore


def instance(family: Any, seed: int = 0) -> tuple[int, ...]:
    rng = random.Random(seed)
    levels = getattr(family, "L", 2)
    return tuple(rng.randrange(levels) for _ in range(family.size))


def floor(family: Any) -> int:
    return int(getattr(family, "bits", family.size))


def state_of(row: Budget, family: Any, symbols: tuple[int, ...]) -> State:
    tokens = [padded(token) for token in family.encode(symbols)]
    return record(row.factory, tokens, d=D, d_v=D)


def first_wrong(row: Budget, family: Any, symbols: tuple[int, ...], step: int) -> int | None:
    """The first address that a cache restored from its bytes answers wrongly, if one is."""
    cache = restore(
        row.factory, state_of(row, family, symbols), order=int(row.family[-1]), d=D, d_v=D
    )
    for address in range(0, getattr(family, "addresses", getattr(family, "n", 0)), step):
        query = family.query(address)
        answer = cache.answer((*query, *[0] * (D - len(query))))
        try:
            if family.decode(answer) != family.row(symbols, address):
                return address
        except InputError:  # no symbol at all
            return address
    return None


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_bits_are_on_the_side_of_the_floor_that_is_expected(row: Budget) -> None:
    family = FAMILIES[row.family]()
    bits = state_of(row, family, instance(family)).bits
    assert bits == row.bits
    assert (bits < floor(family)) == row.under


@pytest.mark.parametrize("row", [row for row in ROWS if row.under], ids=lambda row: row.id)
def test_under_the_floor_a_random_instance_is_answered_wrongly(row: Budget) -> None:
    """T6: with these bits, all queries come out right with a chance of 2^(bits - floor)."""
    family = FAMILIES[row.family]()
    assert first_wrong(row, family, instance(family), 1) is not None


@pytest.mark.parametrize("row", [row for row in ROWS if row.exact], ids=lambda row: row.id)
def test_what_is_exact_answers_rightly(row: Budget) -> None:
    family = FAMILIES[row.family]()
    assert not row.under
    assert first_wrong(row, family, instance(family), 7) is None


def test_floors_of_the_table() -> None:
    assert [floor(family()) for family in FAMILIES.values()] == [1024, 1024, 32257]


def test_every_cache_is_in_the_table_on_both_sides_if_it_can_be() -> None:
    sides = {name: {r.under for r in ROWS if r.cache.__name__ == name} for name in names()}
    never_under = {"ExactCache", "TwoCache", "PackedCache", "FloorCache", "SubGen2Cache"}
    never_over = {"WindowCache", "HashedCache"}
    for name, found in sides.items():
        assert found == (
            {False} if name in never_under else {True} if name in never_over else {True, False}
        )


def names() -> set[str]:
    """All caches of tokens, but the one that takes only those in the gauge, where no family is."""
    found = {name for name in caches.__all__ if hasattr(getattr(caches, name), "append")}
    return found - {"Cache", "GaugedCache", "LayeredCache"}
