"""Every floor that applies, and the largest of them (H6)."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import pytest

import kvfloor
from kvfloor import Guarantee, InputError, Part, best_floor, every_floor, model_floors
from kvfloor.floors import (
    best,
    key_symbols,
    latent_part,
    most_levels,
    stored_bits,
    symbol_bits,
    total_bits,
)

SHAPE: dict[str, Any] = {"n": 131072, "d": 128}


def test_the_floors_of_one_head() -> None:
    found = every_floor(**SHAPE, alpha="1/256")
    assert [(floor.claim, floor.levels) for floor in found] == [
        ("key-levels", 128),
        ("value-levels", 128),
        ("four-cache", 2),
    ]
    assert found[0].symbols == 131072 * 127 + 131071 * 125
    assert [floor.bits for floor in found] == [7 * found[0].symbols, 7 * 2**24, 2**24]
    assert best_floor(**SHAPE, alpha="1/256") == found[0]


@pytest.mark.parametrize(
    ("terms", "claims"),
    [
        ({"n": 4, "d": 1}, ["value-levels", "low-dimension"]),
        ({"n": 100, "d": 2}, ["value-levels", "norm-dimension"]),
        ({"n": 100, "d": 3}, ["value-levels", "norm-dimension"]),  # no entry left for payloads
        ({"n": 100, "d": 4}, ["value-levels", "key-levels", "norm-dimension"]),
        ({"n": 100, "d": 5}, ["key-levels", "value-levels", "norm-dimension"]),
        ({"n": 4, "d": 8, "d_v": 1}, ["key-levels", "value-levels", "four-cache"]),
        ({"n": 1, "d": 8}, ["value-levels", "four-cache"]),
        ({"n": 9, "d": 8, "rho": 30}, ["value-levels", "four-cache"]),
        ({"n": 9, "d": 8, "rho": 0}, ["value-levels", "low-dimension"]),
        ({"n": 9, "d": 3, "order": 2}, ["value-levels", "norm-dimension"]),
        ({"n": 9, "d": 4, "order": 2}, ["value-levels", "value-floor", "key-levels", "four-cache"]),
        ({"n": 9, "d": 9, "d_v": 2, "order": 3}, None),
    ],
)
def test_which_floors_apply(terms: dict[str, Any], claims: list[str] | None) -> None:
    found = every_floor(**terms, eta="1/50", alpha="1/20")
    if claims is not None:
        assert [floor.claim for floor in found] == claims
    assert [floor.bits for floor in found] == sorted((f.bits for f in found), reverse=True)


def test_ones_in_a_slot_where_entries_are_few() -> None:
    """At order 2 with d = 5 payloads are left with ones in the other slot only."""
    (keys,) = (f for f in every_floor(9, 5, order=2, alpha="1/9") if f.claim == "key-levels")
    assert keys.symbols == key_symbols(1, 9, 2, 5)
    (values,) = (f for f in every_floor(9, 3, order=2, alpha="1/9") if f.claim == "value-levels")
    assert values.symbols == 27


@pytest.mark.parametrize("rho", [4, 11, 12, 14, 20])
def test_with_norms_bounded_no_number_of_levels_is_better(rho: int) -> None:
    guarantee = Guarantee(Fraction(1, 40), Fraction(1, 60))
    terms: dict[str, Any] = {"eta": guarantee.eta, "alpha": guarantee.alpha, "rho": rho, "d_v": 3}
    (found,) = (f for f in every_floor(500, 12, **terms) if f.claim == "value-levels")
    levels = range(2, most_levels(guarantee) + 1)
    tried = {L: best(500, 12, levels=L, **terms).addresses for L in levels}
    assert found.bits == max(symbol_bits(3 * tokens, L) for L, tokens in tried.items())
    assert found.symbols == 3 * tried[found.levels]
    counts = list(tried.values())
    assert all(more <= fewer for fewer, more in itertools.pairwise(counts))


def test_errors_and_levels() -> None:
    exact = best_floor(**SHAPE)
    assert (exact.levels, exact.bits) == (2**16, 16 * exact.symbols)
    assert best_floor(**SHAPE, levels=2).bits == exact.symbols
    one = best_floor(1000, 1, d_v=1, levels=2, delta="1/10")
    assert (one.symbols, one.bits) == (2, 2)
    assert every_floor(1000, 10, d_v=1, delta="1/10", levels=2)[-1].bits == 532
    assert best_floor(**SHAPE, delta="1/2", levels=2).bits == 0


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"n": 0, "d": 1}, "n: expected a whole number >= 1, got 0"),
        ({"n": 1, "d": 1, "order": 0}, "order: expected a whole number >= 1, got 0"),
        ({"n": 1, "d": 1, "d_v": 0}, "d_v: expected a whole number >= 1, got 0"),
        ({"n": 1, "d": 1, "levels": 1}, "levels: expected a whole number >= 2, got 1"),
        ({"n": 1, "d": 1, "alpha": "1/2"}, r"guarantee: expected eta \+ 2\*alpha < 1"),
        ({"n": 1, "d": 1, "delta": "3/5"}, "delta: expected a number with 0 <= delta <= 1/2"),
        ({"n": 1, "d": 1, "rho": -1}, "rho: expected a number >= 0, or None, got -1"),
    ],
)
def test_bad_input(terms: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        kvfloor.every_floor(**terms)


def test_levels_beyond_what_answers_tell_apart_are_refused() -> None:
    message = "levels: expected at most the 8 that answers tell apart, got 9"
    with pytest.raises(InputError, match=message):
        best(3, 3, rho=None, alpha="1/16", levels=9)


def test_models_add_up() -> None:
    parts = (Part(3, 2, 4, 4), Part(1, 2, 4, 4, 5))
    full, windowed = model_floors(parts, 20, alpha="1/10")
    one = every_floor(20, 4, alpha="1/10")
    assert [floor.claim for floor in full.floors] == [floor.claim for floor in one]
    assert [floor.symbols for floor in full.floors] == [6 * floor.symbols for floor in one]
    assert full.floors[0].bits == symbol_bits(6 * 80, 5) == 1115
    assert (windowed.tokens, windowed.floors[0].symbols) == (5, 40)
    assert total_bits([full.floors[0].bits, windowed.floors[0].bits]) == 1115 + 93 - 1
    assert total_bits([]) == 0
    assert stored_bits(parts, 20) == 16 * (6 * 20 * 8 + 2 * 5 * 8)


def test_what_is_no_part_or_no_term_is_named() -> None:
    with pytest.raises(InputError, match="parts: expected a sequence of Part"):
        model_floors("config.json", 20)  # type: ignore[arg-type]
    functions: tuple[tuple[Any, Any], ...] = (
        (best_floor, 4),
        (every_floor, 4),
        (model_floors, ()),
    )
    for function, given in functions:
        with pytest.raises(TypeError, match=rf"{function.__name__}\(\) got .* argument 'alfa'"):
            function(given, 20, alfa="1/8")


def test_latents_as_parts() -> None:
    assert latent_part(2, 8, 4, 8) == Part(2, 1, 4, 8)
    assert latent_part(2, 8, 1, 7, 3) == Part(2, 1, 2, 7, 3)
    with pytest.raises(InputError, match="rank: expected at least 3, as two entries name it"):
        latent_part(1, 2, 0, 9)
    with pytest.raises(InputError, match="columns: expected at least 8, to read the latent"):
        latent_part(1, 8, 2, 7)
