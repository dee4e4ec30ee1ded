"""The best floor for n, d and norms: a table, corners, and search without shortcuts (T4, S4)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from flint import arb, fmpq
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import Guarantee, InputError
from kvfloor.floors import best, crossover, exceeds_log, greedy_size, margin_ratio
from kvfloor.numbers import arb_precision, to_fmpq
from strategies import guarantees


@pytest.mark.parametrize(
    ("n", "d", "rho", "addresses", "code", "angle", "regime"),
    [
        (100, 2, 10, 9, "polygon", "2π/9", "low dimension"),
        (100, 2, 2000, 93, "polygon", "2π/93", "low dimension"),
        (100, 2, 20000, 100, "polygon", "2π/100", "large norms"),
        (1000, 8, 8, 55, "roots-d", "arccos(1/2)", "low dimension"),
        (1000, 8, 12, 240, "roots-e8", "arccos(1/2)", "low dimension"),
        (1000, 8, 40, 481, "greedy", "arccos(865/1024)", "low dimension"),
        (1000, 8, 3, 16, "signed-axes", "arccos(0)", "low dimension"),
        (8, 3, 4, 8, "binary-keys", "arccos(1/3)", "all tokens"),
        (10**6, 64, 256, 10**6, "binary-keys", "arccos(9/10)", "all tokens"),
        (10**9, 1024, 1024, 10**9, "binary-keys", "arccos(14/15)", "all tokens"),
        (3, 1, 5, 2, "binary-keys", "arccos(-1)", "low dimension"),
        (1000, 131072, 100, 1000, "binary-keys", "arccos(4/5)", "all tokens"),
        (10**6, 28, 59, 10**6, "greedy", "arccos(49/64)", "all tokens"),
        (10**6, 20, 40, 22027, "greedy", "arccos(3/4)", "low dimension"),
        (12, 3, 5, 12, "roots-d", "arccos(1/2)", "large norms"),
        (10, 4, None, 10, "parabola", "", "all tokens"),
        (17, 4, None, 17, "parabola", "", "large norms"),
        (10, 1, None, 2, "binary-keys", "arccos(-1)", "low dimension"),
        (2, 1, None, 2, "binary-keys", "arccos(-1)", "all tokens"),
        (1, 1, 0, 1, "signed-axes", "arccos(0)", "all tokens"),
        (5, 3, 0, 1, "binary-keys", "arccos(-1)", "low dimension"),
    ],
)
def test_table(
    n: int, d: int, rho: int | None, addresses: int, code: str, angle: str, regime: str
) -> None:
    found = best(n, d, rho=rho, d_v=3)
    assert (found.addresses, found.code, found.angle, found.regime) == (
        addresses,
        code,
        angle,
        regime,
    )
    assert found.bits == 3 * addresses
    assert best(n, d, rho=rho).bits == d * addresses


def separates(rho: Fraction, cosine: Any, ratio: Fraction) -> bool:
    with arb_precision(300):
        gap = arb(to_fmpq(rho)) * (1 - cosine) - arb(to_fmpq(ratio)).log()
        assert gap > 0 or gap < 0
        return bool(gap > 0)


@given(
    st.integers(2, 150),
    st.integers(2, 12),
    st.fractions(Fraction(1, 7), 50, max_denominator=7),
    guarantees(),
)
def test_polygons_and_greedy_codes_without_shortcuts(
    n: int, d: int, rho: Fraction, guarantee: Guarantee
) -> None:
    """No polygon gives more, and no greedy code on the grid (every 64th is looked at)."""
    found = best(n, d, rho=rho, eta=guarantee.eta, alpha=guarantee.alpha)
    one = margin_ratio(guarantee, Fraction(1))
    polygons = [
        k for k in range(3, n + 1) if separates(rho, arb.cos_pi_fmpq(fmpq(2, k)), (k - 1) * one)
    ]
    greedy = [
        k
        for j in range(0, 1024, 64)
        for k in [min(n, greedy_size(d, Fraction(j, 1024)))]
        if exceeds_log(rho * (1 - Fraction(j, 1024)), (k - 1) * one)
    ]
    assert found.addresses >= max([*polygons, *greedy], default=1)
    if found.code == "polygon":
        assert found.addresses == max(polygons)


def test_more_norm_is_worth_more_in_low_dimension() -> None:
    counts = [best(10**6, 16, rho=rho, d_v=1).addresses for rho in range(0, 200, 5)]
    assert counts == sorted(counts)
    assert len(set(counts)) > 20


def test_a_weaker_guarantee_proves_less() -> None:
    exact, weak = (best(100, 2, rho=50, eta=eta).addresses for eta in (0, Fraction(1, 2)))
    assert weak < exact
    assert best(100, 2, rho=50, alpha=Fraction(1, 4)).addresses == weak  # the same η + 2α


def test_crossover() -> None:
    """ρ = κd: the least d for 10, 100, 1000 and 10⁶ tokens at κ = 1 and at κ = 4."""
    sizes = (10, 100, 1000, 10**6)
    assert [crossover(n, rho_per_dimension=1) for n in sizes] == [5, 10, 20, 41]
    assert [crossover(n, rho_per_dimension=4) for n in sizes] == [3, 7, 10, 21]
    assert crossover(1, rho_per_dimension=1) == 1
    assert crossover(1000, rho_per_dimension=Fraction(1, 10000)) == 69068


@pytest.mark.parametrize("n", [2, 3, 17, 400])
def test_crossover_is_where_the_floor_stops_growing(n: int) -> None:
    counts = [best(n, d, rho=2 * d, eta=Fraction(1, 5), d_v=1).bits for d in range(1, 40)]
    assert crossover(n, rho_per_dimension=2, eta=Fraction(1, 5)) == counts.index(n) + 1


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: best(0, 1, rho=1), "n"),
        (lambda: best(1, 0, rho=1), "d"),
        (lambda: best(1, 1, rho=-1), "rho"),
        (lambda: best(1, 1, rho=float("nan")), "rho"),
        (lambda: best(1, 1, rho=1, d_v=0), "d_v"),
        (lambda: best(1, 1, rho=1, eta=1), "eta"),
        (lambda: best(1, 1, rho=1, alpha=Fraction(1, 2)), "guarantee"),
        (lambda: crossover(4, rho_per_dimension=0), "rho_per_dimension"),
        (lambda: crossover(0, rho_per_dimension=1), "n"),
    ],
)
def test_refused_by_name(call: Any, argument: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.argument == argument
