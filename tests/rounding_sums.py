"""Outputs and log-sum-exps by the sums of their definition (D1), tuple by tuple in Arb.

Nothing of the library's enclosures is used. ``python tests/rounding_sums.py 1000000`` compares as
many numbers of `kvfloor.tensor_attention_rounded` with them (a quarter of an hour).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fractions import Fraction
from functools import reduce
from itertools import count
from typing import Any, NamedTuple

import numpy as np
from flint import arb, arb_mat

from gradient_sums import exact_ball, expected, of_boundary
from kvfloor import InputError, Layers, tensor_attention_rounded
from kvfloor.numbers import FORMATS, Rounding, arb_precision, as_format

__all__ = ["Drawn", "compare", "compared", "draw", "summed"]

Array = Any
ROUNDINGS: tuple[Rounding, ...] = ("nearest", "nearest", "up", "down", "zero")
SCALES = None, 1, Fraction(1, 4)  # None is 1/√d
BITS, FINER = 300, 40_000  # the latter tells weights of e**-20000 from none
MOST = {1: 40, 2: 7, 3: 4}  # tokens of a slot


class Drawn(NamedTuple):
    """A call: heads, queries and tokens, what joins the logits, and what is asked for."""

    query: Array
    keys: list[Array]
    values: list[Array]
    scale: Any
    terms: dict[str, Any]

    @property
    def heads(self) -> range:
        return range(len(self.query))

    def shared(self, h: int) -> int:
        """The head of keys and values that a head of queries reads."""
        return h // (len(self.query) // len(self.keys[0]))


def draw(seed: int) -> Drawn:
    """Small problems of all kinds that the fast levels, the balls and E1 tell apart."""
    rng = np.random.default_rng(seed)
    order = int(rng.choice([1, 1, 1, 2, 3]))
    heads, group, n_q, d = (int(rng.integers(1, most)) for most in (3, 3, 7, 9))
    tokens = [int(rng.integers(1, MOST[order])) for _ in range(order)]
    kind = rng.choice(["normal", "short", "wide"])

    def entries(*shape: int, most: int = 2) -> Array:
        x = rng.standard_normal(shape)
        if kind == "short":
            return np.round(4 * x) / 4
        return x * 2.0 ** rng.integers(-most, most, shape) if kind == "wide" else x

    d_v, every = int(rng.integers(4, 33)), (heads * group, n_q, *tokens)
    query = entries(heads * group, n_q, d)
    keys = [entries(heads, n, d) for n in tokens]
    values = [entries(heads, n, d_v, most=12) for n in tokens]
    terms: dict[str, Any] = {}
    if rng.random() < 0.4:
        terms["mask"] = rng.random(every) < 0.7
    if rng.random() < 0.4:
        terms["bias"] = np.round(8 * rng.standard_normal(every[int(rng.integers(0, 2)) :])) / 4
    if rng.random() < 0.4:
        terms["sink"] = rng.standard_normal(heads * group)
    if rng.random() < 0.25:
        terms["softcap"] = float(rng.choice([2.0, 5.0, 30.0]))
    return Drawn(query, keys, values, SCALES[rng.integers(0, 3)], terms)


def summed(case: Drawn, h: int, bits: int) -> list[list[arb]]:
    """Balls around the outputs and the log-sum-exp of each query of a head; none without tuples."""
    with arb_precision(bits):
        keys, values = ([A[case.shared(h)] for A in slots] for slots in (case.keys, case.values))
        logits = (arb_mat(case.query[h].tolist()) * _products(keys).transpose()).tolist()
        moments = _products(values)
        return [_numbers(case, h, b, row, moments) for b, row in enumerate(logits)]


def _numbers(case: Drawn, h: int, b: int, row: list[arb], moments: arb_mat) -> list[arb]:
    weights, some = _weights(case, h, b, row)
    if not some:
        return []
    total = sum(weights, arb(0))
    if "sink" in case.terms:
        total += exact_ball(case.terms["sink"][h]).exp()
    return [*(x / total for x in (arb_mat([weights]) * moments).entries()), total.log()]


def _weights(case: Drawn, h: int, b: int, row: list[arb]) -> tuple[list[arb], bool]:
    """e to each logit, 0 for what is hidden; and whether anything is seen, a sink too."""
    d, terms, weights = case.query.shape[-1], case.terms, []
    sigma = 1 / arb(d).sqrt() if case.scale is None else exact_ball(case.scale)
    seen = terms["mask"][h, b].ravel() if "mask" in terms else np.ones(len(row), dtype=np.bool_)
    bias = np.zeros(len(row))
    if "bias" in terms:
        whole = terms["bias"]
        bias = (whole[h, b] if whole.ndim == 2 + len(case.keys) else whole[b]).ravel()
    for product, kept, beta in zip(row, seen, bias.tolist(), strict=True):
        s = product * sigma
        if "softcap" in terms:
            s = (s / exact_ball(terms["softcap"])).tanh() * exact_ball(terms["softcap"])
        weights.append((s + exact_ball(beta)).exp() if kept else arb(0))
    return weights, bool(seen.any()) or "sink" in terms


def _products(slots: list[Array]) -> arb_mat:
    """Entrywise products of the rows of all slots, a row for each tuple, as balls."""
    rows = [[[exact_ball(x) for x in row] for row in slot.tolist()] for slot in slots]
    return arb_mat(
        reduce(
            lambda left, right: [
                [x * y for x, y in zip(a, b, strict=True)] for a in left for b in right
            ],
            rows,
        )
    )


def compare(seeds: Iterator[int], layers: Layers) -> Iterator[tuple[int, int, int]]:
    """Yield numbers, wrong ones, and those on or too near a boundary to tell, case by case."""
    names = sorted(FORMATS)
    for seed in seeds:
        case, dtype = draw(seed), names[seed % len(names)]
        rounding = ROUNDINGS[seed // 2 % len(ROUNDINGS)]
        scale = "1/sqrt(d)" if case.scale is None else case.scale
        told: dict[str, Any] = {"scale": scale, "rounding": rounding, "layers": layers}
        try:
            found = tensor_attention_rounded(
                case.query,
                case.keys,
                case.values,
                dtype=dtype,
                return_logsumexp=True,
                empty="zero",
                **told,
                **case.terms,
            )
        except InputError:  # a cap that no precision within reach tells from a boundary
            continue
        output, logsumexp = (part.astype(np.float64) for part in found)
        every = np.concatenate([output, logsumexp[..., None]], axis=2)
        yield compared(case, every, dtype, rounding)


def compared(case: Drawn, found: Array, dtype: str, rounding: Rounding) -> tuple[int, int, int]:
    """Count numbers, wrong ones, and those on or too near a boundary to tell."""
    target, counted = as_format(dtype), np.zeros(3, dtype=int)
    for h in case.heads:
        finer: list[list[arb]] = []
        for b, truth in enumerate(summed(case, h, BITS)):
            for c, ball in enumerate(truth):
                right, one = expected(ball, target, rounding), float(found[h, b, c])
                near = right is None
                if right is None:
                    finer = finer or summed(case, h, FINER)
                    right = of_boundary(finer[b][c], target, rounding)
                same = one == right and np.signbit(one) == np.signbit(right)
                counted += 1, not (same or (np.isnan(one) and np.isnan(right))), near
    numbers, wrong, boundaries = counted.tolist()
    return numbers, wrong, boundaries


if __name__ == "__main__":
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    counted, layers = np.zeros(3, dtype=int), Layers()
    for part in compare(count(first), layers):
        counted += part
        if counted[0] >= int(sys.argv[1]):
            break
    sys.stdout.write(f"numbers, wrong, on boundaries: {counted.tolist()} {layers}\n")
