"""The parts of an answer, each read back by itself: the weights of tokens, and their values.

Weights come back where every token has a column of values of its own, values where keys are as far
apart as can be. What these explain together says which of them is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from kvfloor.audit.accuracy.draft import codes, mean
from kvfloor.audit.accuracy.instance import Instance, Row, tokens_of
from kvfloor.audit.accuracy.views import View, mean_of
from kvfloor.numbers import Array

__all__ = ["Parts", "read_parts"]

MOST_READ = 64  # tokens
Answers = Sequence[Sequence[Fraction]]
Run = Callable[[Instance, Sequence[Row]], Answers | None]


class Parts(NamedTuple):
    """What a cache makes of an instance at order 1.

    Attributes
    ----------
    view : View
    weights : array, shape (queries, n)
        As they came back for keys and queries of the view, their sums brought to 1.
    values : array, shape (n, d_v)
        As they came back of single tokens.
    """

    view: View
    weights: Array
    values: Array

    @property
    def right(self) -> Array:
        """The weights as they should be."""
        return np.asarray(self.view.weights / self.view.weights.sum(axis=1, keepdims=True))

    @property
    def weights_off(self) -> Array:
        """How far weights are off."""
        return self.weights - self.right

    @property
    def values_off(self) -> Array:
        """How far values are off."""
        return self.values - self.view.values[0]

    @property
    def by_values(self) -> float:
        """What is left if values alone were lost."""
        return self.view.left(mean_of(self.view.weights, self.values))

    @property
    def by_weights(self) -> float:
        """What is left if weights alone were."""
        return self.view.left(self.weights @ self.view.values[0])

    @property
    def by_both(self) -> float:
        """What is left if both were."""
        return self.view.left(self.weights @ self.values)


def read_parts(instance: Instance, view: View, run: Run) -> Parts | None:
    """Return the parts; None for large instances, other orders, or a cache that refuses them.

    Parameters
    ----------
    instance : Instance
    view : View
        Of its answers.
    run : callable
        The cache's answers to the queries of an instance, None if it refuses it.
    """
    if instance.order > 1 or view.count > MOST_READ:
        return None
    queries = [tuple(row) for row in view.queries.tolist()]
    found, width = list[Array](), view.came.shape[1]
    for first in range(0, view.count, width):
        own = [[float(c + first == j) for c in range(width)] for j in range(view.count)]
        tokens = tokens_of(instance.slots[0], [own])
        answers = run(Instance(tokens, instance.queries, instance.course), queries)
        if answers is None:
            return None
        found.append(_floats(answers))
    apart = codes(view.count, view.queries.shape[1])
    asked = tuple(mean([key]) for key in apart)
    tokens = tokens_of([apart], instance.slots[1])
    values = run(Instance(tokens, asked, instance.course), asked)
    if values is None:
        return None
    weights = np.hstack(found)[:, : view.count]
    sums = weights.sum(axis=1, keepdims=True)
    return Parts(view, weights / np.where(sums, sums, 1), _floats(values))


def _floats(answers: Answers) -> Array:
    return np.array([[float(x) for x in row] for row in answers])
