"""L4 `index-randomized`: the floor with error, the least error, the best protocols."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations
from typing import Any

import sympy as sp
from flint import arb
from hypothesis import strategies as st

from kvfloor.floors import (
    as_confidence,
    binary_entropy,
    clopper_pearson,
    entropy_at_most,
    index_randomized,
    least_error,
    one_bit_success,
    randomised_bits,
    side_of,
)
from kvfloor.index import CODES, CyclicCode, best_success
from kvfloor.numbers import arb_precision, ball_ends, to_fmpq
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.index_randomized import (
    N,
    delta,
    entropy_bits,
    floor,
    without_errors,
)
from kvfloor_proofs.foundations.constants import Constant, both_sides, concluded
from kvfloor_proofs.foundations.properties import Tally, refuses, require

__all__ = ["constants", "require_least"]

HALF = Fraction(1, 2)


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    return (
        Constant(
            index_randomized,
            tuple(concluded(chain, Relation.GE, _floor) for chain in (floor(), without_errors())),
            slack="best protocols of N <= 4 bits succeed at least 0.84 times as often as the bound "
            "allows",
        ),
        Constant(
            binary_entropy,
            (both_sides("H₂ of the derivation, to 2^-100; exact where it is whole", property_H),),
        ),
        Constant(entropy_at_most, (both_sides("yes just above H₂(e), no just below", property_H),)),
        Constant(
            randomised_bits,
            (both_sides("enough for (1 - H₂(δ))·N, one bit less is not", property_bits),),
        ),
        Constant(
            least_error,
            (both_sides("H₂(e) <= 1 - rate, not so one grid step further", property_error),),
        ),
        Constant(
            one_bit_success,
            (both_sides("attained by two words, exceeded by no two", property_one_bit),),
        ),
        Constant(
            best_success,
            (both_sides("attained by 2^b words, exceeded by no others", property_best),),
        ),
        Constant(
            CyclicCode, (both_sides("the mean success over all inputs, decoded", property_code),)
        ),
        Constant(
            clopper_pearson,
            (both_sides("the tail at an end is (1-c)/2, a 2^-20 further more", property_interval),),
        ),
        Constant(
            side_of, (both_sides("one side if the tail there is below (1-c)/2", property_side),)
        ),
        Constant(as_confidence, (both_sides("what is between 0 and 1, no end", property_ends),)),
    )


def _floor() -> Any:
    return index_randomized(N, entropy_bits(delta))


# The derivation's own formula, evaluated in balls.
_formula: Callable[[arb], arb] = sp.lambdify(
    delta, entropy_bits(delta), [{"log": lambda x: arb(x).log()}]
)


def _entropy(error: Fraction) -> arb:
    """H₂ as the derivation has it; at the ends, where it has 0·ln 0, the 0 that is assumed."""
    return _formula(arb(to_fmpq(error))) if 0 < error < 1 else arb(0)


def property_H(data: st.DataObject, tally: Tally) -> None:
    """The ball overlaps that of the formula and is narrow; a number is at most H₂ or it is not."""
    del tally
    small, fine = (st.fractions(0, 1, max_denominator=most) for most in (6, 200))
    error = data.draw(small | fine, label="e")
    ball = binary_entropy(error)
    step = Fraction(1, 2**100)
    with arb_precision(256):
        low, high = ball_ends(_entropy(error))
    ends = ball_ends(ball)
    require(low - step < ends[0] <= high and low <= ends[1] < high + step, "another entropy")
    if error in (0, HALF, 1):
        require(ends[0] == ends[1] == (error == HALF), "not exact where it is whole")
        require(entropy_at_most(error, ends[0]), "it is not at most itself")
    require(entropy_at_most(error, high + step), "not at most a number above it")
    require(not entropy_at_most(error, low - step), "at most a number below it")
    for bad in (-step, 1 + step):
        require(refuses(binary_entropy, bad), "a number that is no probability is taken")


def property_bits(data: st.DataObject, tally: Tally) -> None:
    """The bits are at least the floor, in balls, and one bit less is below it."""
    del tally
    size = data.draw(st.integers(1, 2000), label="N")
    error = data.draw(st.fractions(0, HALF, max_denominator=400) | st.just(HALF), label="δ")
    b = randomised_bits(size, error)
    with arb_precision(256):
        least = _floor_of(size, error)
        require(not b < least, "fewer bits than the floor")
        require(bool(b - 1 < least), "one bit less is enough")
    require(randomised_bits(size, 0) == size, "without errors all bits are needed")
    require(randomised_bits(size, HALF) == 0, "for guessing a bit is needed")
    for bad in ((size, HALF + Fraction(1, 2**40)), (size, -Fraction(1, 2**40)), (0, error)):
        require(refuses(randomised_bits, *bad), f"{bad} is taken")


def _floor_of(size: int, error: Fraction) -> arb:
    """(1 - H₂(δ))·N in a ball, exact where H₂ is whole."""
    if error in (0, HALF):
        return arb(size * (error == 0))
    return arb(size) * (1 - _entropy(error))


def property_error(data: st.DataObject, tally: Tally) -> None:
    """H₂ at the least error is small enough; at the next number of the grid it is not."""
    del tally
    rate = data.draw(st.fractions(0, 1, max_denominator=60), label="rate")
    grid = data.draw(st.integers(2, 60), label="bits of the grid")
    step = Fraction(1, 2**grid)
    require_least(least_error(rate, grid), rate, step)
    require_least(least_error(rate), rate, Fraction(1, 2**40))
    require(least_error(Fraction(0), grid) == HALF, "no bits are better than guessing")
    for bad in (-step, 1 + step):
        require(refuses(least_error, bad), "a rate out of range is taken")


def require_least(error: Fraction, rate: Fraction, step: Fraction) -> None:
    """Require H₂(error) <= 1 - rate, and not so for the next step, if that is at most 1/2."""
    require(error % step == 0 and 0 <= error <= HALF, "not on the grid up to 1/2")
    require(error != HALF or rate == 0, "for guessing a bit is needed")
    with arb_precision(256):
        most = 1 - arb(to_fmpq(rate))
        require(error in (0, HALF) or bool(_entropy(error) < most), "the error is too large")
        beyond = error + step > HALF
        require(beyond or bool(_entropy(error + step) > most), "a larger error is allowed")


def _mean_success(size: int, words: tuple[int, ...]) -> Fraction:
    """Success over all inputs and places of the protocol that names the nearest word."""
    total = sum(min((x ^ word).bit_count() for word in words) for x in range(2**size))
    return 1 - Fraction(total, size * 2**size)


def property_one_bit(data: st.DataObject, tally: Tally) -> None:
    """Of all pairs of words, the first one 0 without loss, none is better, and one is as good."""
    del tally
    size = data.draw(st.integers(1, 7), label="N")
    found = max(_mean_success(size, (0, word)) for word in range(2**size))
    require(found == one_bit_success(size), "not what the best pair of words has")


EXHAUSTED = tuple((size, b) for size in (1, 2, 3, 4) for b in range(size + 1) if 2**b <= 4)


def property_best(data: st.DataObject, tally: Tally) -> None:
    """Of all sets of words none is better, and one is as good; near to what the floor allows."""
    del tally
    size, b = data.draw(st.sampled_from(EXHAUSTED), label="N, b")
    sets = combinations(range(1, 2**size), min(2**b, 2**size) - 1)  # with 0, without loss
    found = max(_mean_success(size, (0, *words)) for words in sets)
    require(found == best_success(size, b), "not what the best words have")
    require(best_success(size, size) == 1, "N bits are not enough")
    bound = 1 - least_error(Fraction(b, size))
    require(Fraction(84, 100) * bound <= found <= bound, "not within the slack")


def property_code(data: st.DataObject, tally: Tally) -> None:
    """The success of a code is the mean over all inputs of what is decoded; none does better."""
    del tally
    code = data.draw(st.sampled_from([code for code in CODES if code.size <= 7]), label="code")
    inputs = range(2**code.size)
    wrong = sum((x ^ code.decode(code.encode(x))).bit_count() for x in inputs)
    require(code.success == 1 - Fraction(wrong, code.size * 2**code.size), "another success")
    messages = range(2**code.bits)
    require({code.encode(x) for x in inputs} == set(messages), "not b bits, or not all of them")
    words = {code.decode(message) for message in messages}
    require(len(words) == len(messages), "words come twice")
    require(code.success == _mean_success(code.size, tuple(words)), "not the nearest word")


def property_interval(data: st.DataObject, tally: Tally) -> None:
    """At each end the tail has at most half of what is left; one grid step inside it has more."""
    del tally
    trials = data.draw(st.integers(1, 60), label="trials")
    successes = data.draw(st.integers(0, trials), label="successes")
    confidence = data.draw(st.fractions(Fraction(1, 2), Fraction(999, 1000)), label="confidence")
    low, high = clopper_pearson(successes, trials, confidence)
    failures = clopper_pearson(trials - successes, trials, confidence)
    require(failures == (1 - high, 1 - low), "failures have another interval")
    step, most = Fraction(1, 2**20), (1 - confidence) / 2
    require(low % step == 0 and 0 <= low < high <= 1, "not an interval on the grid")
    if successes == 0:
        require(low == 0, "an end above 0 without any success")
        return
    with arb_precision(256):
        require(not _at_least(successes, trials, low) > to_fmpq(most), "the end is too high")
        inside = _at_least(successes, trials, low + step)
        require(bool(inside > to_fmpq(most)), "a higher end would do")


def property_side(data: st.DataObject, tally: Tally) -> None:
    """The interval lies above p exactly if so many successes are too rare at p; below likewise."""
    del tally
    trials = data.draw(st.integers(1, 60), label="trials")
    successes = data.draw(st.integers(0, trials), label="successes")
    confidence = data.draw(st.fractions(Fraction(1, 2), Fraction(999, 1000)), label="confidence")
    p = data.draw(st.fractions(Fraction(1, 100), Fraction(99, 100)), label="p")
    most = to_fmpq((1 - confidence) / 2)
    with arb_precision(256):
        above = successes > 0 and bool(_at_least(successes, trials, p) <= most)
        failures = trials - successes
        below = failures > 0 and bool(_at_least(failures, trials, 1 - p) <= most)
    require(side_of(successes, trials, p, confidence) == above - below, "another side")


def _at_least(successes: int, trials: int, p: Fraction) -> arb:
    """The probability of so many successes or more, by the incomplete beta function."""
    a, b = arb(successes), arb(trials - successes + 1)
    return arb(to_fmpq(p)).beta_lower(a, b, regularized=True) if p > 0 else arb(0)


def property_ends(data: st.DataObject, tally: Tally) -> None:
    """A confidence is what lies between 0 and 1; the ends are none."""
    del tally
    tiny = Fraction(1, 2 ** data.draw(st.integers(1, 60), label="-log₂ of the distance"))
    require(as_confidence(tiny) == tiny and as_confidence(1 - tiny) == 1 - tiny, "it is changed")
    for bad in (Fraction(0), Fraction(1), -tiny, 1 + tiny):
        require(refuses(as_confidence, bad), f"{bad} is taken")
