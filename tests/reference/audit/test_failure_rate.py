"""Coins are tossed until the failure rate is told from δ; too few say that they do not tell."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

import cheats
from benchmarks.bench_coins import DELTAS, FACTORS, verdicts
from kvfloor import audit, check
from kvfloor.audit import DEFAULT_CONFIDENCE
from kvfloor.audit.coins import LOOKS, MOST_TOSSES, looks, tossed_until_told
from kvfloor.certificates import canonical
from kvfloor.floors import clopper_pearson, side_of

EXPECTED = {
    Fraction(1, 2): "within-guarantee",
    Fraction(1): "undecided",
    Fraction(3, 2): "violates",
    Fraction(2): "violates",
}


@pytest.mark.parametrize("delta", DELTAS[1:])
@pytest.mark.parametrize("factor", FACTORS)
def test_no_wrong_word(delta: Fraction, factor: Fraction) -> None:
    """The benchmark has 50 seeds, and 1/100 too."""
    found, most = verdicts(delta, factor * delta, range(8))
    assert found == {EXPECTED[factor]: 8}
    assert most <= looks(delta)[-1]


@pytest.mark.parametrize("delta", [Fraction(1, 4), Fraction(1, 100), Fraction(3, 10**6)])
def test_looks_double_and_end_with_the_budget(delta: Fraction) -> None:
    counts = looks(delta)
    assert counts[0] >= min(Fraction(1) / delta, Fraction(MOST_TOSSES))
    assert len(counts) <= LOOKS
    assert counts[-1] <= MOST_TOSSES
    assert all(b == 2 * a or b == MOST_TOSSES for a, b in pairwise(counts))
    assert looks(delta, 7)[-1] <= 7


def test_every_look_has_its_part_of_the_error() -> None:
    """The interval that is given is that of one look at a tenth of 1 - confidence."""
    rate, side = tossed_until_told(lambda n: [True] * n, Fraction(1, 4), DEFAULT_CONFIDENCE)
    part = 1 - (1 - DEFAULT_CONFIDENCE) / LOOKS
    assert side == -1
    assert (rate.low, rate.high) == clopper_pearson(0, rate.tosses, part)
    assert rate.tosses in looks(Fraction(1, 4))
    earlier = [n for n in looks(Fraction(1, 4)) if n < rate.tosses]
    assert all(side_of(0, n, Fraction(1, 4), part) == 0 for n in earlier)


def test_a_budget_that_is_too_small_does_not_tell() -> None:
    rate, side = tossed_until_told(lambda n: [True] * n, Fraction(1, 4), DEFAULT_CONFIDENCE, 8)
    assert (side, rate.tosses) == (0, 8)


@pytest.mark.parametrize(("k", "n"), [(0, 50), (3, 50), (25, 50), (47, 50), (50, 50), (9, 1000)])
def test_sides_are_those_of_the_interval(k: int, n: int) -> None:
    low, high = clopper_pearson(k, n, Fraction(99, 100))
    for probability in (Fraction(i, 40) for i in range(1, 40)):
        expected = (low > probability) - (high < probability)
        assert side_of(k, n, probability, Fraction(99, 100)) == expected


# --- caches -------------------------------------------------------------------------------------


def test_one_in_five_is_told_from_one_in_ten() -> None:
    """Which the audit could not, with a hundred coins."""
    found = audit(cheats.FifthSeeds, n=4, d=2, order=1, delta=Fraction(1, 10))
    assert (found.verdict, found.rate is not None) == ("violates", True)
    assert found.rate is not None
    assert found.rate.low > Fraction(1, 10)
    assert found.success == (1 - found.rate.high, 1 - found.rate.low)
    finding = found.findings[0]
    assert finding.certificate is not None
    assert check(canonical(finding.certificate), cache=cheats.FifthSeeds).status == "ok"


@pytest.mark.parametrize(("tosses", "verdict"), [(20, "undecided"), (2**16, "within-guarantee")])
def test_too_few_coins_are_undecided(tosses: int, verdict: str) -> None:
    terms: dict[str, Any] = {"n": 4, "d": 2, "order": 1, "delta": Fraction(2, 5)}
    found = audit(cheats.FifthSeeds, tosses=tosses, **terms)
    assert (found.verdict, found.findings) == (verdict, ())
    assert found.rate is not None
    assert found.rate.tosses <= tosses
