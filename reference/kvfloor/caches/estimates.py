"""What SubGen answers: an estimated numerator over an estimated normaliser (U2-U4)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import prod
from sys import float_info
from typing import Any, NamedTuple

import numpy as np

from kvfloor.caches.clusters import Clusters
from kvfloor.caches.reservoir import Reservoir, squared_norm
from kvfloor.errors import InputError
from kvfloor.numbers import Array, as_vector

__all__ = ["Estimates", "estimates"]


class Estimates(NamedTuple):
    """Weighted keys for τ = Σ exp(s_t) and weighted keys and values for Σ exp(s_t)·v_t.

    Attributes
    ----------
    counts : ndarray, shape (k,)
        τ is estimated by the mean over i of ``Σ_c counts[c]·exp⟨q, samples[c, i]⟩``.
    samples : ndarray, shape (k, t, d)
    weights : tuple of s Fractions
        The numerator is estimated by ``Σ_i weights[i]·exp⟨q, keys[i]⟩·values[i]``.
    keys, values : ndarray, shapes (s, d) and (s, d_v)
    """

    counts: Array
    samples: Array
    weights: tuple[Fraction, ...]
    keys: Array
    values: Array

    def answer(self, query: Sequence[Any]) -> list[float]:
        """Return the quotient for a query of shape (d,), in float64 arithmetic.

        What is beyond float64 becomes its largest number, with the sign.

        Raises
        ------
        InputError
            If there is no token, or the query has another shape.
        """
        if not len(self.counts):
            raise InputError("query", "a token before the first query", "none")
        q = np.array([_double(x) for x in as_vector(query, "query", self.samples.shape[2])])
        with np.errstate(all="ignore"):
            logits, others = self.samples @ q, self.keys @ q
            top = max(logits.max(), others.max(initial=-np.inf))
            normaliser = self.counts @ np.exp(logits - top).mean(axis=1)
            masses = np.array([_double(w) for w in self.weights]) * np.exp(others - top)
            answer: list[float] = np.nan_to_num(masses @ self.values / normaliser).tolist()
        return answer


def estimates(clusters: Sequence[Clusters], reservoirs: Sequence[Reservoir]) -> Estimates:
    """Combine the samples of m slots: clusters in all tuples, the i-th samples with each other.

    The estimators are those of U2 for m = 1 and of U4 for more.
    """
    counts, samples = np.ones(1), np.ones((1, *clusters[0].samples.shape[1:]))
    for slot in clusters:
        counts = np.outer(counts, slot.counts).ravel()
        pairs = samples[:, np.newaxis] * slot.samples
        samples = pairs.reshape(-1, *samples.shape[1:])
    size = min(len(slot.keys) for slot in reservoirs)
    return Estimates(
        counts,
        samples,
        _weights(reservoirs, size),
        _products([slot.keys[:size] for slot in reservoirs]),
        _products([slot.values[:size] for slot in reservoirs]),
    )


def _weights(reservoirs: Sequence[Reservoir], size: int) -> tuple[Fraction, ...]:
    """Π_r μ_r/‖v_r‖² over s, for each value of the i-th draws; equal ones once."""
    held = np.stack([slot.values[:size] for slot in reservoirs], axis=1)
    different, places = np.unique(held, axis=0, return_inverse=True)
    mass = prod((slot.mass for slot in reservoirs), start=Fraction(1))
    weights = [mass / (size * prod(map(squared_norm, values))) for values in different]
    return tuple(weights[place] for place in places.flat)  # NumPy 2.0 gives a column


def _double(x: Fraction) -> float:
    """Return x as float64, its largest number for what is beyond."""
    try:
        return float(x)
    except OverflowError:
        return -float_info.max if x < 0 else float_info.max


def _products(matrices: list[Array]) -> Array:
    product: Array = np.prod(matrices, axis=0)
    return product
