"""Inputs for rounding: random ones of every shape, and those that lie on or near a boundary."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
SCALES = (1, "1/sqrt(d)", 0.125, 3)


class Case(NamedTuple):
    """Arguments of `tensor_attention_rounded`; some queries, keys, values, scale and mask."""

    queries: Array
    keys: list[Array]
    values: list[Array]
    scale: Any
    mask: Array | None


def shape(rng: np.random.Generator) -> tuple[list[int], int, int, int]:
    order = int(rng.integers(1, 4))
    lengths = [int(n) for n in rng.integers(1, {1: 9, 2: 6, 3: 4}[order], size=order)]
    return lengths, int(rng.integers(1, 5)), int(rng.integers(1, 9)), int(rng.integers(1, 5))


def random_case(rng: np.random.Generator, draw: Callable[[tuple[int, ...]], Array]) -> Case:
    lengths, d, d_v, b = shape(rng)
    mask = None
    if rng.random() < 0.3:
        mask = rng.random((b, *lengths)) < 0.6
        mask.reshape(b, -1)[:, 0] = True
    return Case(
        draw((b, d)),
        [draw((n, d)) for n in lengths],
        [draw((n, d_v)) for n in lengths],
        SCALES[rng.integers(len(SCALES))],
        mask,
    )


def normal(rng: np.random.Generator) -> Case:
    return random_case(rng, lambda size: rng.normal(size=size))


def short_floats(rng: np.random.Generator) -> Case:
    """Entries of few bits: many logits coincide, and averages fall on boundaries."""
    return random_case(rng, lambda size: rng.integers(-4, 5, size=size) / 4)


def wide(rng: np.random.Generator) -> Case:
    """Entries of all magnitudes; products overflow and underflow."""
    case = normal(rng)
    exponents = rng.integers(-320, 300, size=len(case.values))
    values = [np.ldexp(V, int(e)) for V, e in zip(case.values, exponents, strict=True)]
    return case._replace(values=values, keys=[K * 2.0 ** rng.integers(-8, 4) for K in case.keys])


def equal_logits_on_a_midpoint(rng: np.random.Generator) -> Case:
    """Pairs of equal weights, each pair with one average, halfway between two numbers."""
    bits = int(rng.choice([2, 3, 7, 10, 23, 52]))
    step = 2.0**-bits
    below = 1 + step * rng.integers(0, 2**bits, size=8)
    values = np.stack([below, below + step] * 3)
    keys = np.repeat(rng.normal(size=(3, 2)), 2, axis=0)
    return Case(rng.normal(size=(1, 2)), [keys], [values], 1, None)


def single_tuple(rng: np.random.Generator) -> Case:
    """The output is a product of values, the log-sum-exp a logit: both rational."""
    case = short_floats(rng)
    mask = np.zeros((len(case.queries), *map(len, case.keys)), dtype=np.bool_)
    flat = mask.reshape(len(mask), -1)
    flat[np.arange(len(flat)), rng.integers(0, flat.shape[1], size=len(flat))] = True
    return case._replace(mask=mask)


def cancelling_values(rng: np.random.Generator) -> Case:
    """Values that cancel to nothing, or to very little."""
    case = normal(rng)
    values = [np.concatenate([V, -V]) for V in case.values[:1]] + case.values[1:]
    keys = [np.concatenate([K, K + rng.choice([0, 2.0**-40, 2.0**-52])]) for K in case.keys[:1]]
    return case._replace(keys=keys + case.keys[1:], values=values, mask=None)


def beside_a_midpoint(rng: np.random.Generator) -> Case:
    """A midpoint, moved by a weight of e^-150 to e^-700: nearer than any float64 can tell."""
    gap = float(rng.integers(150, 700))
    bits = int(rng.choice([3, 8, 11, 24, 53]))
    odd = 2 * rng.integers(0, 2 ** min(bits - 1, 20), size=8) + 1
    middle = 1 + odd * 2.0**-bits if bits < 53 else np.ones(8)
    pushed = middle + rng.choice([-1.0, 1.0], size=8)
    return Case(np.ones((1, 1)), [np.array([[gap], [0.0]])], [np.stack([middle, pushed])], 1, None)


def subnormal(rng: np.random.Generator) -> Case:
    """Outputs in and below the subnormal range of some format."""
    case = normal(rng)
    least = float(rng.choice([2.0**-9, 2.0**-16, 2.0**-24, 2.0**-133, 2.0**-149, 2.0**-1074]))
    return case._replace(values=[case.values[0] * least * 4, *case.values[1:]])


def large_logits(rng: np.random.Generator) -> Case:
    """Logits of about ±10^6, some hundreds apart."""
    case = random_case(rng, lambda size: np.rint(rng.normal(size=size) * 8) / 8)
    sign = rng.choice([-1.0, 1.0])
    keys = [1 + K * 2.0**-14 for K in case.keys]
    return case._replace(queries=(4e5 + case.queries) * sign, keys=keys, scale=1)


FAMILIES = (
    normal,
    short_floats,
    wide,
    equal_logits_on_a_midpoint,
    single_tuple,
    cancelling_values,
    beside_a_midpoint,
    subnormal,
    large_logits,
)


def cases(seed: int) -> Iterator[Case]:
    """Yield cases of every family in turn, without end."""
    rng = np.random.default_rng(seed)
    while True:
        for family in FAMILIES:
            yield family(rng)
