"""The table in docs/claims/quantised-upper-bound.md, recomputed (S2)."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest

from kvfloor import Guarantee, InputError
from kvfloor.families import Sharp, binary_pairs, sign_pairs, tightness
from kvfloor.floors import least_multiplier, symbol_ratio

PAGE = Path(__file__).parents[3] / "docs" / "claims" / "quantised-upper-bound.md"
ROW = re.compile(
    r"^\| (\d+) \| (\d+) \| (\d+) \| (\d+) \| 2\^(\d+) \| ([\d.]+) \| ([\d.]+) \|$", re.MULTILINE
)
TABLE = ROW.findall(PAGE.read_text())


def test_there_is_a_table_and_it_falls_toward_1() -> None:
    ratios = [Fraction(row[-2]) for row in TABLE]
    assert len(ratios) == 5
    assert ratios == sorted(ratios, reverse=True)
    assert 1 < ratios[-1] < Fraction("1.05")
    assert all(Fraction(row[-2]) <= Fraction(row[-1]) for row in TABLE)
    assert Fraction(TABLE[-1][-1]) < Fraction("1.06")


@pytest.mark.parametrize("row", TABLE)
def test_row_of_the_table(row: tuple[str, ...]) -> None:
    n, a, b, d_v, exponent = map(int, row[:-2])
    found = tightness(sign_pairs(n, a), b, d_v, 2**exponent)
    for ball, shown in zip((found.ratio, found.most), row[-2:], strict=True):
        assert round(float(ball.mid()), 3) == float(shown)
        assert ball.rad() < 1e-6


@pytest.mark.parametrize("L", [2, 5, 16])
def test_agrees_with_the_family_itself(L: int) -> None:
    book = sign_pairs(3, 16)
    found = tightness(book, 2, 4, L)
    family = Sharp(book, 2, 4, L, Guarantee(alpha=found.alpha), Fraction(3, 2))
    assert family.multiplier == found.multiplier
    low, high = family.payload_levels.lower[:2]
    assert abs(found.alpha - (high - low) / 4) < Fraction(1, 2**100)


def test_refused_by_name() -> None:
    with pytest.raises(InputError, match="book: expected keys with a positive margin of ties"):
        tightness(binary_pairs(4), 2, 4, 4)
    with pytest.raises(InputError, match="L: expected a whole number >= 2"):
        tightness(sign_pairs(2, 8), 2, 4, 1)
    for gamma in (0, -1, float("nan")):
        with pytest.raises(InputError, match="gamma: expected a"):
            tightness(sign_pairs(2, 8), 2, 4, 4, gamma=gamma)


def test_a_strength_may_be_any_number() -> None:
    given, default = (tightness(sign_pairs(2, 8), 2, 4, 4, **k) for k in ({"gamma": 1.5}, {}))
    assert given[:3] == default[:3]


def test_only_pairs_that_are_not_tied_compete() -> None:
    """n² - 2 of them: for n = 2 and L = 4 a third would take twice the multiplier."""
    book = sign_pairs(2, 8)
    found = tightness(book, 1, 2, 4)
    assert found.multiplier == 1
    three = symbol_ratio(Guarantee(alpha=found.alpha), 3, 2 * found.alpha)
    assert least_multiplier(Fraction(book.tie_margin), three) == 2
