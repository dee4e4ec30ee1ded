"""Public coins: right probabilities, decided exactly, the same for the same seed and place."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest

from kvfloor.caches.coins import PublicCoins, as_coins, signs


def test_the_same_place_gives_the_same_flips() -> None:
    flips = [PublicCoins(7).flips(Fraction(1, 3), 50, (2, 0)).tolist() for _ in range(2)]
    assert flips[0] == flips[1]
    assert flips[0] != PublicCoins(8).flips(Fraction(1, 3), 50, (2, 0)).tolist()
    for place in ((3, 0), (2, 1)):
        assert flips[0] != PublicCoins(7).flips(Fraction(1, 3), 50, place).tolist()


def test_certain_flips() -> None:
    coins = PublicCoins(0)
    assert coins.flips(Fraction(1), 9, (0,)).all()
    assert not coins.flips(Fraction(0), 9, (0,)).any()


def tail(count: int, heads: int, p: Fraction) -> Fraction:
    """P[at least that many heads], exactly."""
    terms = (comb(count, k) * p**k * (1 - p) ** (count - k) for k in range(heads, count + 1))
    return sum(terms, Fraction(0))


@pytest.mark.parametrize("p", [Fraction(1, 2), Fraction(1, 3), Fraction(9, 10)])
def test_heads_come_with_their_probability(p: Fraction) -> None:
    """Both tails of the binomial are above 10^-6: a fixed seed, so it passes or fails for good."""
    heads = int(PublicCoins(1).flips(p, 400, (5,)).sum())
    assert min(tail(400, heads, p), tail(400, 400 - heads, 1 - p)) > Fraction(1, 10**6)


def test_a_word_equal_to_the_threshold_is_decided_by_the_next() -> None:
    """With a probability whose first word is the word drawn, the flip depends on the rest of it."""
    word = first_word()
    further = [
        bool(PublicCoins(3).flips((word + Fraction(k, 8)) / 2**64, 1, (4,))[0]) for k in range(9)
    ]
    assert further == sorted(further)
    assert (further[0], further[8]) == (False, True)
    rest = [bool(PublicCoins(3).flips(Fraction(k, 8), 1, (4, -1))[0]) for k in range(9)]
    assert further == rest


def first_word() -> int:
    """Found by bisection, from the flips alone."""
    low, high = 0, 2**64
    while high - low > 1:
        middle = (low + high) // 2
        if PublicCoins(3).flips(Fraction(middle, 2**64), 1, (4,))[0]:
            high = middle
        else:
            low = middle
    return low


def test_signs_are_fair() -> None:
    matrix = signs(0, (40, 50), (1,))
    assert set(matrix.ravel()) == {-1.0, 1.0}
    assert abs(matrix.sum()) < 200  # 4.5 standard deviations
    assert matrix.tobytes() == signs(0, (40, 50), (1,)).tobytes()


def test_coins_stay_coins() -> None:
    coins = PublicCoins(0)
    assert as_coins(coins) is coins
    assert (
        as_coins(0).flips(Fraction(1, 2), 64, (0,)).tolist()
        == np.array(coins.flips(Fraction(1, 2), 64, (0,))).tolist()
    )
