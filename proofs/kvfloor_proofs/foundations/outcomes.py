"""All outcomes of the coins of a randomised cache, with their probabilities, exactly (U2-U4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from math import comb
from typing import Any, TypeVar

import numpy as np
from flint import arb

from kvfloor.attention import ExactAttention
from kvfloor.caches import Coins, Estimates, Flips
from kvfloor.families import Token
from kvfloor.numbers import arb_precision, to_fmpq
from kvfloor_proofs.foundations.properties import require

__all__ = [
    "Rows",
    "implausible",
    "norm",
    "outcomes",
    "outside",
    "require_moments",
    "square",
    "states_after",
]

Result = TypeVar("Result")
Sum = dict[Fraction, Fraction]
Terms = list[tuple[Fraction, Fraction]]
Rows = Sequence[tuple[Sequence[int | Fraction], Sequence[int | Fraction]]]


class _Script:
    """Coins that fall as told, and heads from there on; it remembers what happened."""

    def __init__(self, told: tuple[bool, ...]) -> None:
        self._told = told
        self.fallen: list[bool] = []
        self.probability = Fraction(1)

    def flips(self, probability: Fraction, count: int, place: tuple[int, ...]) -> Flips:
        """Return what is told, flip by flip; see `Coins`."""
        del place
        return np.array([self._flip(probability) for _ in range(count)], dtype=np.bool_)

    def _flip(self, probability: Fraction) -> bool:
        if not 0 < probability < 1:
            return probability == 1
        place = len(self.fallen)
        heads = self._told[place] if place < len(self._told) else True
        self.fallen.append(heads)
        self.probability *= probability if heads else 1 - probability
        return heads


def outcomes(run: Callable[[Coins], Result]) -> Iterator[tuple[Fraction, Result]]:
    """Yield every way that a program with coins can end, with its probability."""
    told: list[tuple[bool, ...]] = [()]
    while told:
        prefix = told.pop()
        script = _Script(prefix)
        result = run(script)
        yield script.probability, result
        fallen = tuple(script.fallen)
        told += [(*fallen[:k], False) for k in range(len(prefix), len(fallen))]


def states_after(
    restored: Callable[[bytes, Coins], Any], empty: bytes, tokens: Sequence[Token]
) -> dict[bytes, Fraction]:
    """Return the probability of every state after the tokens, each step from the bytes alone.

    Parameters
    ----------
    restored : callable
        Returns the cache that has a state and these coins.
    empty : bytes
        The first state.
    tokens : sequence of Token
    """
    states = {empty: Fraction(1)}
    for token in tokens:
        reached: defaultdict[bytes, Fraction] = defaultdict(Fraction)
        for state, chance in states.items():

            def append(coins: Coins, state: bytes = state, token: Token = token) -> bytes:
                cache = restored(state, coins)
                cache.append(token.keys, token.values)
                after: bytes = cache.state()
                return after

            for probability, after in outcomes(append):
                reached[after] += chance * probability
        states = dict(reached)
    return states


def require_moments(
    estimates: Sequence[tuple[Fraction, Estimates]],
    rows: Rows,
    query: Sequence[int | Fraction],
    *,
    log_ratio: arb,
    mass: Fraction,
) -> None:
    """Require that estimates are right in the mean, and their variances within their bounds.

    Means are compared as sums of exponentials, coefficient by coefficient; variances in balls.

    Parameters
    ----------
    estimates : sequence of (probability, Estimates)
        All that can come.
    rows : sequence of (key, value)
        What they are estimates for.
    query : sequence of numbers
    log_ratio : arb
        What logits in one cluster differ by at most.
    mass : Fraction
        μ, or μ_1···μ_m: what the mean square error of the numerator is proportional to.

    Raises
    ------
    Falsified
        If one does not hold.
    """
    logits = [_dot(query, key) for key, _ in rows]
    normaliser = _collected((logit, Fraction(1)) for logit in logits)
    found = [(p, _normaliser_terms(e, query)) for p, e in estimates]
    require(_mean(found) == normaliser, "the normaliser is biased")
    t = len(estimates[0][1].samples[0])
    with arb_precision(192):
        ratio, tau = log_ratio.exp(), _value(normaliser)
        bound = tau**2 * (ratio - 1) ** 2 / (4 * ratio * t)
        require(not _mean_square(found) - tau**2 > bound, "the normaliser varies too much")
        total, draws = arb(0), max(len(e.weights) for _, e in estimates)
        for c in range(len(rows[0][1])):
            true = _collected((s, Fraction(row[1][c])) for s, row in zip(logits, rows, strict=True))
            terms = [(p, _numerator_terms(e, query, c)) for p, e in estimates]
            require(_mean(terms) == true, "the numerator is biased")
            total += _mean_square(terms) - _value(true) ** 2
        if draws:
            squares = _value(_collected((2 * s, Fraction(1)) for s in logits))
            require(not total > to_fmpq(mass) * squares / draws, "the numerator varies too much")


def implausible(heads: int, flips: int, most: Fraction) -> bool:
    """Whether so many heads have a probability below 10^-9 if none is above ``most`` each."""
    p, q, d = most.numerator, most.denominator - most.numerator, most.denominator
    tail = sum(comb(flips, k) * p**k * q ** (flips - k) for k in range(heads, flips + 1))
    return bool(tail * 10**9 < d**flips)


def outside(rows: Rows, query: Sequence[Any], squared: Fraction) -> Callable[[Sequence[Any]], bool]:
    """Tell for an answer: is ‖answer - out‖₂² > squared·Σp² for sure? out, p are of the rows."""
    attention = ExactAttention([[key for key, _ in rows]], [[value for _, value in rows]])
    with arb_precision(128):
        out = attention(query).enclose(128)
        powers = [arb(to_fmpq(_dot(query, key))).exp() for key, _ in rows]
        squares = sum((x**2 for x in powers), arb(0)) / sum(powers, arb(0)) ** 2
        most = to_fmpq(squared) * squares

    def is_outside(answer: Sequence[Any]) -> bool:
        with arb_precision(128):
            pairs = zip(answer, out, strict=True)
            return bool(sum((to_fmpq(Fraction(o)) - ball) ** 2 for o, ball in pairs) > most)

    return is_outside


def square(vector: Iterable[Any]) -> Fraction:
    """Return ‖x‖₂², exactly."""
    return sum((Fraction(x) ** 2 for x in vector), Fraction(0))


def norm(vector: Iterable[Any]) -> arb:
    """Return a ball around ‖x‖₂."""
    return arb(to_fmpq(square(vector))).sqrt()


def _dot(x: Iterable[Any], y: Iterable[Any]) -> Fraction:
    return sum((Fraction(a) * Fraction(b) for a, b in zip(x, y, strict=True)), Fraction(0))


def _collected(terms: Iterable[tuple[Fraction, Fraction]]) -> Sum:
    """Σ coefficient·exp(logit), by logit; logits are rational, so equal sums look equal (E1)."""
    collected: defaultdict[Fraction, Fraction] = defaultdict(Fraction)
    for logit, coefficient in terms:
        collected[logit] += coefficient
    return {logit: x for logit, x in collected.items() if x}


def _value(total: Sum) -> arb:
    return sum((to_fmpq(x) * arb(to_fmpq(s)).exp() for s, x in total.items()), arb(0))


def _mean(found: Iterable[tuple[Fraction, Terms]]) -> Sum:
    return _collected((s, p * x) for p, terms in found for s, x in terms)


def _mean_square(found: Iterable[tuple[Fraction, Terms]]) -> arb:
    squares = ((r + s, p * x * y) for p, terms in found for r, x in terms for s, y in terms)
    return _value(_collected(squares))


def _normaliser_terms(estimates: Estimates, query: Sequence[Any]) -> Terms:
    return [
        (_dot(query, sample), Fraction(count) / len(samples))
        for count, samples in zip(estimates.counts, estimates.samples, strict=True)
        for sample in samples
    ]


def _numerator_terms(estimates: Estimates, query: Sequence[Any], column: int) -> Terms:
    draws = zip(estimates.weights, estimates.keys, estimates.values, strict=True)
    return [(_dot(query, key), weight * Fraction(v[column])) for weight, key, v in draws]
