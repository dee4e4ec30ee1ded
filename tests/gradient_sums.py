"""Gradients by the sums of their definition (D6), tuple by tuple in Arb, and what they round to.

Nothing of the library's enclosures is used. ``python tests/gradient_sums.py 100000`` compares as
many numbers of `kvfloor.tensor_attention_gradients_rounded` with them (minutes).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

import numpy as np
from flint import arb, fmpq

import kvfloor
from gradient_truth import BackwardCase, draw_case, entries
from kvfloor import GradientLayers
from kvfloor.numbers import FORMATS, BinaryFormat, Rounding, arb_precision, as_format, ball_ends

__all__ = ["compare", "exact_ball", "expected", "of_boundary", "summed_gradients"]

Array = Any
ROUNDINGS: tuple[Rounding, ...] = ("nearest", "nearest", "up", "down", "zero")
BITS = 300


def summed_gradients(case: BackwardCase, bits: int = BITS) -> dict[str, Array]:
    """A ball around each gradient, by the names of ``case.given``."""
    with arb_precision(bits):
        sums = _Sums(case)
        for leading in np.ndindex(*case.cotangent.shape[:-1]):
            sums.add(leading)
    return sums.found


class _Sums:
    """Running sums over queries."""

    def __init__(self, case: BackwardCase) -> None:
        self.case = case
        self.exact = {name: _balls(array) for name, array in case.given.items()}
        self.found = {name: np.full(np.shape(a), arb(0)) for name, a in case.given.items()}
        lengths = tuple(K.shape[-2] for K in case.keys)
        self.lead = case.cotangent.shape[:-1]
        self.tuples = list(product(*map(range, lengths)))
        self.bias = self.sink = None
        if "bias" in case.given:
            self.bias = _places(case.given["bias"], (*self.lead, *lengths))
        if "sink" in case.given:
            own = self.lead if case.keys[0].ndim == 2 else self.lead[:-1]
            self.sink = _places(case.given["sink"], own)

    def add(self, leading: tuple[int, ...]) -> None:
        """Add what one query gives."""
        case, exact = self.case, self.exact
        q, G = exact["query"][leading], _balls(case.cotangent[leading])
        shared = case.keys[0].ndim > 2
        at: tuple[int, ...] = ()
        if shared:
            at = (*leading[:-2], leading[-2] // (self.lead[-2] // case.keys[0].shape[-3]))
        K, V = (
            [exact[f"{name} {r}"][at] for r in range(case.order)] for name in ("keys", "values")
        )
        logits, slopes, seen = {}, {}, []
        for t in self.tuples:
            s = sum((prod((A[j][c] for A, j in zip(K, t, strict=True)), start=x) for c, x in
                     enumerate(q)), arb(0)) * _scale(case)  # fmt: skip
            bias = self._bias(leading + t)
            hidden = case.seen is not None and not case.seen[leading + t]
            if hidden or bias is None:
                continue
            seen.append(t)
            slopes[t], logits[t] = arb(1), s + bias
            if case.softcap is not None:
                cap = exact_ball(case.softcap)
                slopes[t], logits[t] = 1 - (s / cap).tanh() ** 2, (s / cap).tanh() * cap + bias
        own = leading if not shared else leading[:-1]
        sink = None if self.sink is None else exact["sink"].ravel()[self.sink[own]]
        if not seen and sink is None:
            return
        top = max(
            [float(z.mid()) for z in logits.values()] + ([] if sink is None else [float(sink)])
        )
        e = {t: (z - top).exp() for t, z in logits.items()}
        e_sink = arb(0) if sink is None else (sink - top).exp()
        total = sum(e.values(), e_sink)
        v = {t: [prod((A[j][c] for A, j in zip(V, t, strict=True)), start=arb(1)) for c in
                 range(len(G))] for t in seen}  # fmt: skip
        scores = {t: sum((x * y for x, y in zip(G, v[t], strict=True)), arb(0)) for t in seen}
        # differences to the heaviest tuple: a weight of nearly 1 costs no accuracy
        heavy = max(seen, key=lambda t: float(e[t].mid())) if seen else None
        centre = arb(0) if heavy is None else scores[heavy]
        D = sum((e[t] * (scores[t] - centre) for t in seen), -centre * e_sink) / total
        g = (
            arb(0)
            if case.logsumexp_cotangent is None
            else exact_ball(case.logsumexp_cotangent[leading])
        )
        for t in seen:
            p = e[t] / total
            self._add_tuple(
                leading, at, t, (q, G, K, V), (p, p * (scores[t] - centre - D + g), slopes[t])
            )
        if sink is not None and self.sink is not None:
            self.found["sink"].ravel()[self.sink[own]] += e_sink / total * (g - D - centre)

    def _add_tuple(
        self,
        leading: tuple[int, ...],
        at: tuple[int, ...],
        t: tuple[int, ...],
        given: Any,
        own: Any,
    ) -> None:
        (q, G, K, V), (p, dz, slope) = given, own
        if self.bias is not None:
            self.found["bias"].ravel()[self.bias[leading + t]] += dz
        ds = dz * slope * _scale(self.case)
        for c in range(len(q)):
            self.found["query"][leading][c] += ds * prod(
                (A[j][c] for A, j in zip(K, t, strict=True)), start=arb(1)
            )
        for name, left, w, tables in (("keys", q, ds, K), ("values", G, p, V)):
            for r, j in enumerate(t):
                for c in range(len(left)):
                    others = (
                        A[i][c] for s, (A, i) in enumerate(zip(tables, t, strict=True)) if s != r
                    )
                    self.found[f"{name} {r}"][at][j][c] += w * prod(others, start=left[c])

    def _bias(self, place: tuple[int, ...]) -> arb | None:
        if self.bias is None:
            return arb(0)
        found: arb | None = self.exact["bias"].ravel()[self.bias[place]]
        return found


def _places(array: Array, shape: tuple[int, ...]) -> Array:
    """Of the entries of an array, which one each place is broadcast from."""
    places = np.arange(np.size(array)).reshape(np.shape(array))
    return np.broadcast_to(places, shape)


def exact_ball(x: Any) -> arb:
    return arb(fmpq(*Fraction(x).as_integer_ratio()))


def _balls(array: Array) -> Array:
    found = np.empty(np.shape(array), dtype=object)
    for place in np.ndindex(*found.shape):
        x = np.asarray(array)[place]
        found[place] = None if x == -np.inf else exact_ball(x)
    return found


def _scale(case: BackwardCase) -> arb:
    d = case.given["query"].shape[-1]
    return 1 / arb(d).sqrt() if case.scale == "1/sqrt(d)" else exact_ball(case.scale)


def expected(ball: arb, target: BinaryFormat, rounding: Rounding) -> float | None:
    """What all of a ball rounds to, None if it is not one number; a zero is +0."""
    if ball == 0:
        return 0.0
    low, high = (target.round(end, rounding) for end in ball_ends(ball))
    return low if low == high and np.signbit(low) == np.signbit(high) else None


def compare(seeds: range, size: int, layers: GradientLayers) -> Iterator[tuple[int, int, int]]:
    """Yield numbers, wrong ones, and those on or too near a boundary to tell, case by case."""
    names = sorted(FORMATS)
    for seed in seeds:
        case = draw_case(seed, 1 + seed % 3, heads=bool(seed // 3 % 2), size=size)
        target, rounding = (
            as_format(names[seed % len(names)]),
            ROUNDINGS[seed // 2 % len(ROUNDINGS)],
        )
        found = entries(
            kvfloor.tensor_attention_gradients_rounded(
                *case.arguments, **case.options, dtype=target.name, rounding=rounding, layers=layers
            )
        )
        truth, finer = summed_gradients(case), None
        count = wrong = near = 0
        for name, numbers in found.items():
            for place in np.ndindex(*numbers.shape):
                right, one = expected(truth[name][place], target, rounding), float(numbers[place])
                if right is None:  # a boundary r lies in the ball: is it r?
                    finer = finer if finer is not None else summed_gradients(case, 4000)
                    near, right = near + 1, of_boundary(finer[name][place], target, rounding)
                count += 1
                same = one == right and np.signbit(one) == np.signbit(right)
                wrong += not (same or (np.isnan(one) and np.isnan(right)))
        yield count, wrong, near


def of_boundary(ball: arb, target: BinaryFormat, rounding: Rounding) -> float:
    """What a ball rounds to, taking what is within 2**-3000 of a rational of few bits for it."""
    right = expected(ball, target, rounding)
    if right is not None:
        return right
    low, high = ball_ends(ball)
    middle = (low + high) / 2
    r = middle.limit_denominator(2**400)
    if low <= r <= high:
        return 0.0 if r == 0 else target.round(r, rounding)
    return float("nan")


if __name__ == "__main__":
    wanted, counted, layers = int(sys.argv[1]), np.zeros(3, dtype=int), GradientLayers()
    for found in compare(range(10**6), 4, layers):
        counted += found
        if counted[0] >= wanted:
            break
    sys.stdout.write(f"numbers, wrong, on boundaries: {counted.tolist()} {layers}\n")
