"""Gradients by differentiating the definition of attention (D1) in power series of balls.

No formula of a gradient is written here: an input is x + h, and the coefficient of h is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

import numpy as np
from flint import arb, arb_series, fmpq

from kvfloor.numbers import arb_precision

__all__ = ["BackwardCase", "draw_case", "entries", "true_gradients"]

Array = Any
BITS = 400


@dataclass
class BackwardCase:
    """What is differentiated: ``given`` holds query, keys, values, and bias and sink if any."""

    given: dict[str, Array]
    cotangent: Array
    order: int
    logsumexp_cotangent: Array | None = None
    scale: Any = 1
    mask: Any = None
    softcap: Any = None
    seen: Array | None = None  # the mask, for all queries

    @property
    def keys(self) -> list[Array]:
        return [self.given[f"keys {r}"] for r in range(self.order)]

    @property
    def values(self) -> list[Array]:
        return [self.given[f"values {r}"] for r in range(self.order)]

    @property
    def arguments(self) -> tuple[Any, ...]:
        return self.given["query"], self.keys, self.values, self.cotangent

    @property
    def options(self) -> dict[str, Any]:
        return {
            "logsumexp_cotangent": self.logsumexp_cotangent,
            "scale": self.scale,
            "mask": self.mask,
            "bias": self.given.get("bias"),
            "sink": self.given.get("sink"),
            "softcap": self.softcap,
        }


def entries(gradients: Any) -> dict[str, Array]:
    """The gradients by the names of `BackwardCase.given`."""
    found = {"query": gradients.query}
    for name, slots in (("keys", gradients.keys), ("values", gradients.values)):
        found |= {f"{name} {r}": part for r, part in enumerate(slots)}
    for name in ("bias", "sink"):
        if getattr(gradients, name) is not None:
            found[name] = getattr(gradients, name)
    return found


def true_gradients(case: BackwardCase, bits: int = BITS) -> dict[str, Array]:
    """A ball around each gradient, one input after the other."""
    found = {}
    with arb_precision(bits):
        for name, array in case.given.items():
            found[name] = np.empty(np.shape(array), dtype=object)
            for place in np.ndindex(*np.shape(array)):
                found[name][place] = _Objective(case, name, place).derivative()
    return found


@dataclass
class _Objective:
    """Σ (Σ_c G_c·out_c + g·lse) over the queries, where one input moves."""

    case: BackwardCase
    name: str
    place: tuple[int, ...]
    series: dict[str, Array] = field(default_factory=dict)

    def derivative(self) -> arb:
        if self.name == "bias" and self.case.given["bias"][self.place] == -np.inf:
            return arb(0)
        self.series = {name: self._moved(name) for name in self.case.given}
        total = arb_series([0], 2)
        for leading in np.ndindex(*self.case.cotangent.shape[:-1]):
            total += self._of_query(leading)
        return total[1]

    def _moved(self, name: str) -> Array:
        array = np.asarray(self.case.given[name])
        found = np.empty(array.shape, dtype=object)
        for place in np.ndindex(*array.shape):
            x = array[place]
            moves = name == self.name and place == self.place
            found[place] = None if x == -np.inf else arb_series([_exact(x), arb(int(moves))], 2)
        return found

    def _of_query(self, leading: tuple[int, ...]) -> arb_series:
        case, zero = self.case, arb_series([0], 2)
        K, V = (
            [self._head(self.series[f"{name} {r}"], leading) for r in range(case.order)]
            for name in ("keys", "values")
        )
        q, lengths = self.series["query"][leading], tuple(map(len, K))
        weights, outputs = zero, [zero] * case.cotangent.shape[-1]
        for t in product(*map(range, lengths)):
            z = self._logit(leading, q, [K_r[j] for K_r, j in zip(K, t, strict=True)], t)
            if z is None:
                continue
            e, weights = z.exp(), weights + z.exp()
            for c, out in enumerate(outputs):
                outputs[c] = out + prod((V_r[j][c] for V_r, j in zip(V, t, strict=True)), start=e)
        if "sink" in self.series:
            sinks = leading if case.keys[0].ndim == 2 else leading[:-1]
            shape = case.cotangent.shape[: len(sinks)]
            weights = weights + np.broadcast_to(self.series["sink"], shape)[sinks].exp()
        if weights[0] == 0:
            return zero  # an empty row
        total = zero
        for G, out in zip(case.cotangent[leading], outputs, strict=True):
            total = total + out / weights * _exact(G)
        if case.logsumexp_cotangent is not None:
            total = total + weights.log() * _exact(case.logsumexp_cotangent[leading])
        return total

    def _head(self, array: Array, leading: tuple[int, ...]) -> Array:
        """The keys or values that a query uses."""
        if array.ndim == 2:
            return array
        group = self.case.cotangent.shape[-3] // array.shape[-3]
        return array[(*leading[:-2], leading[-2] // group)]

    def _logit(
        self, leading: tuple[int, ...], q: Array, rows: list[Array], t: tuple[int, ...]
    ) -> arb_series | None:
        case, s = self.case, arb_series([0], 2)
        if case.seen is not None and not case.seen[leading + t]:
            return None
        for c in range(len(q)):
            s = s + prod((row[c] for row in rows), start=q[c])
        s = s * (1 / arb(len(q)).sqrt() if case.scale == "1/sqrt(d)" else _exact(case.scale))
        if case.softcap is not None:
            cap = _exact(case.softcap)
            e = (s * (2 / cap)).exp()
            s = (e - 1) / (e + 1) * cap
        if "bias" in self.series:
            lengths = tuple(map(len, (self._head(K, leading) for K in case.keys)))
            full = (*case.cotangent.shape[:-1], *lengths)
            bias = np.broadcast_to(self.series["bias"], full)[leading + t]
            return None if bias is None else s + bias
        return s


def _exact(x: Any) -> arb:
    return arb(fmpq(*Fraction(x).as_integer_ratio()))


def _drawn(rng: np.random.Generator, kind: str, shape: tuple[int, ...]) -> Array:
    """Numbers that round (normal), that meet (small whole ones), that dominate (large ones)."""
    if kind == "normal":
        return rng.normal(size=shape)
    if kind == "whole":
        return rng.integers(-1, 3, size=shape).astype(float)
    return rng.normal(size=shape).astype(np.float32).astype(float) * rng.choice([1, 1, 3])


def draw_case(seed: int, order: int, *, heads: bool = False, size: int = 1) -> BackwardCase:
    """A small case with whatever may join it; with more tuples for a larger size."""
    rng = np.random.default_rng((seed, order, heads))
    d, d_v = int(rng.integers(1, 3 * size + 1)), int(rng.integers(1, 2 * size + 1))
    b = int(rng.integers(1, 3 * size + 1))
    top = {1: 6 * size, 2: 3 + size, 3: 2 + size}[order]
    lengths = tuple(int(n) for n in rng.integers(1, top + 1, size=order))
    h, h_kv = [(2, 1), (2, 2), (4, 2)][rng.integers(3)] if heads else (1, 1)
    leading, shared = ((h, b), (h_kv,)) if heads else ((b,), ())
    kind = str(rng.choice(["normal", "whole", "large"]))
    given = {"query": _drawn(rng, kind, (*leading, d))}
    for r, n in enumerate(lengths):
        given[f"keys {r}"] = _drawn(rng, kind, (*shared, n, d))
        given[f"values {r}"] = _drawn(rng, kind, (*shared, n, d_v))
    full = (*leading, *lengths)
    if rng.random() < 0.4:
        wide = [n if rng.random() < 0.5 else 1 for n in full]
        bias = _drawn(rng, kind, tuple(wide if rng.random() < 0.7 else wide[len(leading) :]))
        given["bias"] = np.where(rng.random(bias.shape) < 0.1, -np.inf, bias)
    if rng.random() < 0.4:
        each = leading[:-1] if heads else leading
        given["sink"] = _drawn(rng, kind, each if rng.random() < 0.5 else ())
    cotangent = _drawn(rng, kind, (*leading, d_v))
    if rng.random() < 0.3:
        cotangent = cotangent * (rng.random(cotangent.shape) < 0.5)
    mask, seen = _draw_mask(rng, leading, lengths)
    return BackwardCase(
        given,
        cotangent,
        order,
        _drawn(rng, kind, leading) if rng.random() < 0.5 else None,
        [1, Fraction(1, 3), 0.5, "1/sqrt(d)"][rng.integers(4)],
        mask,
        float(rng.choice([0.5, 3, 30])) if rng.random() < 0.25 else None,
        seen,
    )


def _draw_mask(
    rng: np.random.Generator, leading: tuple[int, ...], lengths: tuple[int, ...]
) -> tuple[Any, Array | None]:
    full = (*leading, *lengths)
    kind = rng.integers(4)
    if kind < 2:
        seen = rng.random(full) < 0.7  # with rows that are empty
        return (seen, seen) if kind else (None, None)
    name = "causal" if kind == 2 else "causal-top-left"
    seen = np.ones(full, dtype=np.bool_)
    for place in np.ndindex(full):
        i, t = place[len(leading) - 1], place[len(leading) :]
        ends = [i + (n - leading[-1] if kind == 2 else 0) for n in lengths]
        seen[place] = all(j <= end for j, end in zip(t, ends, strict=True))
    return name, seen
