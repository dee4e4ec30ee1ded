"""Derivatives of attention along a direction, by power series of balls, and cases to take them of.

No formula of a gradient is written here: inputs are x + t·y, and the coefficient of t is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

import numpy as np
from flint import arb, arb_series
from hypothesis import strategies as st

from kvfloor.attention import Gradients
from kvfloor.numbers import to_fmpq

__all__ = ["LARGEST_SUM", "PullbackCase", "along", "directions", "draw_case", "parts"]

Array = Any

LARGEST_SUM = 10**4
"""No sum that defines a gradient of a drawn case is larger, with absolute values for its terms.

Numbers are at most 2 in size, and there are two columns, nine tuples and two queries at most: with
order m a gradient of a logit is at most 2·(2·2·2^m) + 2, and is multiplied by 2^m or less in each
of at most 18 places.
"""


@dataclass(frozen=True)
class PullbackCase:
    """What is differentiated, by the names of inputs: query, keys 0, …, values 0, …, bias, sink."""

    given: dict[str, Array]
    order: int
    cotangent: Array
    logsumexp_cotangent: Array
    options: dict[str, Any]

    def slots(self, name: str, source: dict[str, Array] | None = None) -> list[Array]:
        """Return keys or values, of the case or of what has its names."""
        return [(source or self.given)[f"{name} {r}"] for r in range(self.order)]

    def arguments(self, cotangent: Array, logsumexp_cotangent: Array) -> dict[str, Any]:
        """Return what functions for gradients take, with these cotangents."""
        return self.options | {
            "query": self.given["query"],
            "keys": self.slots("keys"),
            "values": self.slots("values"),
            "cotangent": cotangent,
            "logsumexp_cotangent": logsumexp_cotangent,
            "bias": self.given["bias"],
            "sink": self.given.get("sink"),
        }


def draw_case(data: st.DataObject) -> PullbackCase:
    """Draw a small case with a bias for each logit, and maybe a sink, a mask and a soft cap."""
    order = data.draw(st.integers(1, 3), label="m")
    d, d_v, b = (data.draw(st.integers(1, 2), label=name) for name in ("d", "d_v", "queries"))
    lengths = tuple(data.draw(st.integers(1, 2 if order == 3 else 3)) for _ in range(order))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32), label="seed"))
    shapes = {"query": (b, d), "bias": (b, *lengths)}
    if data.draw(st.booleans(), label="sink"):
        shapes["sink"] = (b,)
    for r, n in enumerate(lengths):
        shapes |= {f"keys {r}": (n, d), f"values {r}": (n, d_v)}
    seen = rng.random((b, *lengths)) < 0.7  # with rows that are empty
    options = {
        "scale": data.draw(st.sampled_from([1, Fraction(1, 3), "1/sqrt(d)"]), label="scale"),
        "mask": data.draw(st.sampled_from([None, seen]), label="mask"),
        "softcap": data.draw(st.sampled_from([None, 1, 3]), label="softcap"),
    }
    given = {name: _drawn(rng, shape) for name, shape in shapes.items()}
    return PullbackCase(given, order, _drawn(rng, (b, d_v)), _drawn(rng, (b,)), options)


def directions(data: st.DataObject, case: PullbackCase) -> dict[str, Array]:
    """Draw a direction for each input."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32), label="seed of directions"))
    return {name: _drawn(rng, array.shape) for name, array in case.given.items()}


def parts(gradients: Gradients) -> dict[str, Array]:
    """Return gradients by the names of inputs."""
    found = {"query": gradients.query, "bias": gradients.bias}
    if gradients.sink is not None:
        found["sink"] = gradients.sink
    for name, slots in (("keys", gradients.keys), ("values", gradients.values)):
        found |= {f"{name} {r}": part for r, part in enumerate(slots)}
    return found


def along(case: PullbackCase, direction: dict[str, Array]) -> arb:
    """Enclose the derivative of Σ_b (Σ_c G_bc·out_bc + g_b·lse_b) along a direction."""
    moving = {
        name: np.vectorize(_series, otypes=[object])(array, direction[name])
        for name, array in case.given.items()
    }
    rows = (_of_query(case, moving, b) for b in range(len(case.cotangent)))
    return sum(rows, _constant(0))[1]


def _of_query(case: PullbackCase, moving: dict[str, Array], b: int) -> arb_series:
    keys, values = case.slots("keys", moving), case.slots("values", moving)
    q, mask, zero = moving["query"][b], case.options["mask"], _constant(0)
    weights = moving["sink"][b].exp() if "sink" in moving else zero
    outputs = [zero] * case.cotangent.shape[1]
    for t in product(*(range(len(K_r)) for K_r in keys)):
        if mask is None or mask[b][t]:
            e = (_capped(case, _inner(case, q, keys, t)) + moving["bias"][b][t]).exp()
            weights = weights + e
            for c, out in enumerate(outputs):
                rows = zip(values, t, strict=True)
                outputs[c] = out + prod((V_r[j, c] for V_r, j in rows), start=e)
    if weights[0] == 0:
        return zero  # an empty row
    total = weights.log() * _ball(case.logsumexp_cotangent[b])
    for G, out in zip(case.cotangent[b], outputs, strict=True):
        total = total + out / weights * _ball(G)
    return total


def _inner(case: PullbackCase, q: Array, keys: list[Array], t: tuple[int, ...]) -> arb_series:
    terms = (
        prod((K_r[j, c] for K_r, j in zip(keys, t, strict=True)), start=x) for c, x in enumerate(q)
    )
    scale = case.options["scale"]
    sigma = 1 / arb(len(q)).sqrt() if scale == "1/sqrt(d)" else _ball(scale)
    s: arb_series = sum(terms, _constant(0)) * sigma
    return s


def _capped(case: PullbackCase, s: arb_series) -> arb_series:
    c = case.options["softcap"]
    if c is None:
        return s
    e = (s * (2 / _ball(c))).exp()
    capped: arb_series = (e - 1) / (e + 1) * c
    return capped


def _series(x: float, y: float) -> arb_series:
    return arb_series([_ball(x), _ball(y)], 2)


def _constant(x: float) -> arb_series:
    return arb_series([_ball(x)], 2)


def _ball(x: Any) -> arb:
    return arb(to_fmpq(Fraction(x)))


def _drawn(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Multiples of 1/4 up to 2 in size, so that zeros and ties come up."""
    return rng.integers(-8, 9, size=shape) / 4
