"""Candidates for `separation`, found by a search: nothing rests on how (S5)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from fractions import Fraction
from importlib.resources import files

from kvfloor.families.separated_sets import Candidate

__all__ = ["candidates"]

_DATA = files("kvfloor.families") / "candidate_sets.json"


def candidates() -> tuple[Candidate, ...]:
    """Return one candidate for each shape of which the dimensions are certified (S5)."""
    return tuple(_candidate(**entry) for entry in json.loads(_DATA.read_text(encoding="utf-8")))


def _candidate(
    shape: list[int],
    centre: list[int],
    queries: list[list[int]],
    radii: list[int],
    weights: list[int],
) -> Candidate:
    """Units: 1/32 for the centre, 1/8 for queries, 2^-24 for radii; weights are ratios."""
    order, n, d, d_v = shape
    return Candidate(
        (order, n, d, d_v),
        _scaled(centre, 32),
        tuple(_scaled(query, 8) for query in queries),
        _scaled(radii, 2**24),
        _scaled(weights, 1),
    )


def _scaled(numbers: Iterable[int], unit: int) -> tuple[Fraction, ...]:
    return tuple(Fraction(x, unit) for x in numbers)
