"""Problems for the fast levels of gradients, and how much of each radius is used."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from flint import arb

from kvfloor.attention.fast import (
    Accuracy,
    Balls,
    Operands,
    Places,
    evaluate_gradients_at,
    evaluate_gradients_double,
    evaluate_gradients_single,
    operands_of,
    prepare_problem,
)
from kvfloor.attention.fast.arithmetic import Float, gamma
from kvfloor.attention.gradients.cotangents import Pullback, as_pullbacks
from kvfloor.attention.gradients.enclosure import enclose_pullback
from kvfloor.attention.terms import Terms
from kvfloor.numbers import arb_precision

__all__ = [
    "ACCURACIES",
    "BITS",
    "LEVELS",
    "Adversary",
    "alternating",
    "balanced",
    "enclosed",
    "levelled",
    "most",
    "normal",
    "pullback",
    "shares",
    "spread",
]

BITS = 400


def at_all_places(given: Operands, accuracy: Accuracy) -> list[Balls]:
    """All gradients by `evaluate_gradients_at`."""
    slots = *given.prepared.key_slots, *given.prepared.value_slots
    shapes = [given.given.shape, *(slot.entries.shape for slot in slots)]
    places = [Places(*(part.ravel() for part in np.indices(shape))) for shape in shapes]
    every = zip(evaluate_gradients_at(given, places, accuracy), shapes, strict=True)
    return [Balls(*(part.reshape(shape) for part in (b.hi, b.lo, b.radius))) for b, shape in every]


ACCURACIES: tuple[Accuracy, ...] = ("coarse", "plain", "fine")
LEVELS: dict[str, Callable[[Operands], list[Balls]]] = {
    "single": evaluate_gradients_single,
    "double": evaluate_gradients_double,
    **{accuracy: partial(at_all_places, accuracy=accuracy) for accuracy in ACCURACIES},
}


def pullback(
    query: Any, keys: Any, values: Any, cotangent: Any, g: Any = None, **options: Any
) -> Pullback:
    terms = Terms(options.get("bias"), options.get("sink"), options.get("softcap"))
    (one,), _ = as_pullbacks(
        query, keys, values, cotangent, g, options.get("scale", 1), options.get("mask"), terms
    )
    return one


def levelled(one: Pullback) -> Operands:
    """The pullback as the levels take it."""
    problem, cotangents = one.problem, (one.output, one.logsumexp)
    prepared = prepare_problem(problem)
    assert prepared is not None
    rest = problem.scale, problem.mask, problem.terms
    given = operands_of(prepared, problem.queries, cotangents, *rest)
    assert given is not None
    return given


def enclosed(one: Pullback, level: str) -> list[Balls]:
    return LEVELS[level](levelled(one))


def shares(one: Pullback, level: str) -> list[Float]:
    """How much of each radius is used, table by table: query, keys, values; fails above 1."""
    parts = enclose_pullback(one, BITS)
    found = []
    for balls, truth in zip(
        enclosed(one, level), (parts.query, *parts.keys, *parts.values), strict=True
    ):
        used = np.zeros(truth.shape)
        for place in np.ndindex(*truth.shape):
            hi, lo, radius = (float(part[place]) for part in (balls.hi, balls.lo, balls.radius))
            with arb_precision(BITS):
                error = abs(truth[place] - arb(hi) - arb(lo))
                assert error <= arb(radius), (place, truth[place], balls.hi[place], radius)
                used[place] = 0 if radius in (0, np.inf) else float((error / arb(radius)).upper())
        found.append(used)
    return found


def most(one: Pullback, level: str) -> list[float]:
    return [float(part.max()) for part in shares(one, level)]


def balanced(n: int) -> Float:
    return np.where(np.arange(n) % 2, 1.0, -1.0)


class Adversary:
    """NumPy, but for products of matrices: those named by call err by all of γ_k."""

    def __init__(self, *directions: Any) -> None:
        self.directions = directions
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def matmul(self, a: Float, b: Float, out: Float | None = None) -> Float:
        result: Float = np.matmul(a, b, out=out)
        direction = self.directions[self.calls % len(self.directions)]
        self.calls += 1
        if direction is not None:
            result += gamma(b.shape[-2]) * (np.abs(a) @ np.abs(b)) * direction
        return result


def normal(seed: int, *shapes: tuple[int, ...]) -> list[Float]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape) for shape in shapes]


def spread(n: int, d: int) -> tuple[Float, list[Float], list[Float], Float]:
    """A query whose logits are all 0, by terms that cancel, and values ±1."""
    keys = np.random.default_rng(0).choice([-1.0, 1.0], (n, d))
    return np.full((1, d), 2.0**-6), [keys], [balanced(n)[:, None]], np.ones((1, 1))


def alternating(n: int, *, first: float = 1.0) -> Float:
    """The first up and all others down."""
    signs = np.full(n, -first)
    signs[0] = first
    return signs
