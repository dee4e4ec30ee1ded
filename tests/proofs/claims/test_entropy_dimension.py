"""The table of constants, recomputed; and what the properties of S5 refuse."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from kvfloor import floors
from kvfloor.caches import GaugedCache, QuantisedCache, configure
from kvfloor.families import Separation
from kvfloor_proofs.claims import entropy_dimension
from kvfloor_proofs.claims.entropy_dimension import CLAIM, certified
from kvfloor_proofs.foundations import accuracy
from kvfloor_proofs.foundations.properties import Falsified, Tally
from kvfloor_proofs.verify.results import run_property, verify_claim

PAGE = Path(__file__).parents[3] / "docs" / "claims" / "entropy-dimension.md"
ROW = re.compile(r"^\| (\d+ \| .*) \|$", re.MULTILINE)
TABLE = [row.split(" | ") for row in ROW.findall(PAGE.read_text())]


def test_table_has_a_row_for_each_certified_shape() -> None:
    shapes = [tuple(map(int, row[:4])) for row in TABLE]
    assert shapes == [s.candidate.shape for s in certified()]
    assert (2, 2, 2, 2) in shapes


@pytest.mark.parametrize(("row", "s"), list(zip(TABLE, certified(), strict=True)))
def test_row_of_the_table(row: list[str], s: Separation) -> None:
    order, n, d, d_v = shape = s.candidate.shape
    key_bound, value_bound, norm = s.bounds
    bounds = {"key_bound": key_bound, "value_bound": value_bound}
    assert int(row[4]) == floors.identifiable(*shape)
    constants = (
        floors.separated_constant(s.reach),
        floors.gauged_constant(shape, query_norm=norm, **bounds),
    )
    for shown, constant in zip(row[5:7], constants, strict=True):
        assert shown == f"{float(constant.mid()):.1f}"
        assert constant.rad() < 1e-9
    for shown, exponent in zip(row[7:], (8, 16, 64), strict=True):
        alpha = Fraction(1, 2**exponent)
        floor = (floors.separated_states(s.reach, alpha) - 1).bit_length()
        cells = floors.cells_for(alpha, norm, order=order, **bounds)
        assert shown == f"{floor} … {floors.gauged_bits(n, d, d_v, cells, order=order)}"


def test_slopes_are_the_rank_on_both_sides() -> None:
    """From α = 2^-200 to 2^-300, r bits a halving: floor and cache."""
    for s in certified():
        order, n, d, d_v = s.candidate.shape
        key_bound, value_bound, norm = s.bounds
        bits = []
        for exponent in (200, 300):
            alpha = Fraction(1, 2**exponent)
            cells = floors.cells_for(
                alpha, norm, order=order, key_bound=key_bound, value_bound=value_bound
            )
            states = floors.separated_states(s.reach, alpha)
            cache = floors.gauged_bits(n, d, d_v, cells, order=order)
            bits.append((states.bit_length(), cache))
        rank = floors.identifiable(*s.candidate.shape)
        assert [b - a for a, b in zip(*bits, strict=True)] == [100 * rank] * 2


def why() -> str:
    result = verify_claim(CLAIM, examples=30)
    assert not result.ok
    return result.property_error


def test_an_uncertified_candidate_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entropy_dimension, "certified", lambda: certified()[1:])
    assert "a candidate is not certified" in why()


def test_a_grid_too_fine_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def finer(reach: Any, alpha: Fraction) -> tuple[int, ...]:
        return tuple(int(2 * x / alpha) for x in reach)

    monkeypatch.setattr("kvfloor.families.separated_sets.grid_sizes", finer)
    assert "the grid is too fine" in why()


def test_a_contraction_too_small_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claimed with c = -1 the outputs would be twice as far apart as they are."""
    lies = tuple(Separation(s.candidate, s.directions, Fraction(-1)) for s in certified())
    monkeypatch.setattr(entropy_dimension, "certified", lambda: lies)
    assert "outputs are too near" in why()


@pytest.mark.parametrize("name", ["fewer_states_fail", "fewer_cells_fail"])
def test_states_that_one_answer_serves_are_noticed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claimed with c = -1 the grid is twice as fine as it may be."""
    lies = tuple(Separation(s.candidate, s.directions, Fraction(-1)) for s in certified())
    monkeypatch.setattr(entropy_dimension, "certified", lambda: lies)
    with pytest.raises(Falsified, match="one answer serves both"):
        run_property(getattr(entropy_dimension, f"property_{name}"), Tally(), examples=30, seed=0)


def test_a_cache_that_tells_all_points_apart_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def enough(cache: Any, *, bits: int) -> Any:
        return configure(cache, bits=bits + 64)

    monkeypatch.setattr(entropy_dimension, "configure", enough)
    with pytest.raises(Falsified, match="no two points share a state"):
        run_property(entropy_dimension.property_fewer_states_fail, Tally(), examples=30, seed=0)


@pytest.mark.parametrize(
    ("name", "states", "message"),
    [
        ("fewer_cells_fail", 1, "not under the floor"),
        ("cache_between_the_bounds", 2**4000, "fewer bits than the floor"),
    ],
)
def test_another_floor_is_noticed(
    name: str, states: int, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floors, "separated_states", lambda *_: states)
    with pytest.raises(Falsified, match=message):
        run_property(getattr(entropy_dimension, f"property_{name}"), Tally(), examples=30, seed=0)


@pytest.mark.parametrize("name", ["cache_between_the_bounds", "upper_side"])
def test_too_few_cells_are_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = floors.cells_for

    def coarse(*arguments: Any, **bounds: Any) -> tuple[int, int]:
        by_key, by_value = exact(*arguments, **bounds)
        return by_key // 2**9 + 2, by_value // 2**9 + 2

    monkeypatch.setattr(floors, "cells_for", coarse)
    monkeypatch.setattr(floors, "separated_states", lambda *_: 1)
    monkeypatch.setattr(floors, "separated_constant", lambda *_: 10**6)
    with pytest.raises(Falsified, match="an error above α"):
        run_property(getattr(entropy_dimension, f"property_{name}"), Tally(), examples=60, seed=0)


def test_bits_beyond_the_line_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache that keeps the gauge too is above the bound for as many numbers as answers tell."""
    monkeypatch.setattr(entropy_dimension, "GaugedCache", QuantisedCache)
    with pytest.raises(Falsified, match="more bits than the bound"):
        run_property(entropy_dimension.property_upper_side, Tally(), examples=60, seed=0)


def test_a_cache_that_keeps_more_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wasteful(GaugedCache):
        def state_bits(self) -> int:
            return 3 * super().state_bits()

    def wasteful(s: Separation, cells: tuple[int, int]) -> Any:
        key_bound, value_bound, _ = s.bounds
        bounds = {"key_bound": key_bound, "value_bound": value_bound}
        return configure(Wasteful, key_cells=cells[0], value_cells=cells[1], **bounds)

    monkeypatch.setattr(entropy_dimension, "_cache", wasteful)
    assert "more bits than the bound" in why()


def test_derivations_are_those_of_accuracy() -> None:
    assert CLAIM.derivations is accuracy.derivations
