"""docs/caches.md: its formulas give the bits of its second table, which are those measured."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest

from cache_table import FAMILIES, ROWS, Budget, D, N, padded, shown
from kvfloor import caches
from kvfloor.caches.packing import dyadic_bytes
from kvfloor.numbers import as_format

PAGE = (Path(__file__).parents[1] / "docs" / "caches.md").read_text()
FORMULAS = dict(re.findall(r"^\| `(\w+)` \| .* \| `(.*)` \|$", PAGE, re.MULTILINE))


def test_every_cache_has_a_row() -> None:
    """But two that the page speaks of: one for tokens in the gauge, one for whole models."""
    assert set(FORMULAS) == {
        name for name in caches.__all__ if hasattr(getattr(caches, name), "append")
    } - {"Cache", "GaugedCache", "LayeredCache"}
    assert "`GaugedCache` is a `QuantisedCache`" in PAGE
    assert "`LayeredCache` keeps a `FloorCache`" in PAGE


def test_the_table_is_that_of_the_tests() -> None:
    """If this fails: print `shown(row)` for all rows."""
    listed = [line for line in PAGE.splitlines() if re.match(r"\| `\w+\(", line)]
    assert listed == [shown(row) for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_formulas_give_the_bits(row: Budget) -> None:
    half = (
        caches.GroupedCache,
        caches.KiviCache,
        caches.PolarCache,
        caches.RotatedCache,
        caches.BalancedCache,
    )
    dtype = row.options.get("dtype", "float16" if row.cache in half else "float32")
    names: dict[str, Any] = {
        "m": int(row.family[-1]),
        "n": N,
        "d": D,
        "d_v": D,
        "w": 8 * as_format(dtype).dtype.itemsize,
        "length": int.bit_length,
        "levels": 4,
    }
    if "SubGen" in row.cache.__name__:
        names |= sizes_of_samples(row)
    assert eval(FORMULAS[row.cache.__name__], {}, names | row.options) == row.bits


def sizes_of_samples(row: Budget) -> dict[str, int]:
    """k and the bits of all μ, of the instance of the table."""
    family = FAMILIES[row.family]()
    rng = random.Random(0)
    symbols = [rng.randrange(getattr(family, "L", 2)) for _ in range(family.size)]
    cache = row.factory(order=int(row.family[-1]), d=D, d_v=D, seed=0)
    for token in map(padded, family.encode(symbols)):
        cache.append(token.keys, token.values)
    sampler = getattr(cache, "rows", cache)
    mass = sum(8 * len(dyadic_bytes(reservoir.mass)) for reservoir in sampler.reservoirs)
    return {"k": sum(len(c.centres) for c in sampler.clusters), "mass": mass}


def test_floors_in_prose() -> None:
    floors = [family.size for family in (FAMILIES["binary-1"](), FAMILIES["binary-2"]())]
    assert floors == [1024, 1024]
    assert FAMILIES["paired-2"]().bits == 32257
    assert "1024 bits for the family" in PAGE
    assert "32257 for `paired-values`" in PAGE
