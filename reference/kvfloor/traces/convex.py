"""Queries that read tokens best, where only their norm is bounded: found by a convex solver.

The logarithm of a weight is concave in the query, so its maximum in a ball is a convex problem.
Nothing here is proved; what the queries read is certified in balls afterwards (`floor_of`).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from kvfloor.attention import INVERSE_SQRT_D, as_scale
from kvfloor.errors import InputError
from kvfloor.numbers import as_count, as_fraction, floats, read, shown

__all__ = ["free_queries"]

Array = npt.NDArray[np.float64]
Objective = Callable[[Array], tuple[float, Array]]
ROWS = 256  # starts that are tried at a time
STEPS = 60  # of the solver at most
WITHIN = 1 - 2.0**-40  # of the norm, so that roundings do not pass it


def free_queries(keys: Any, *, norm: Any, scale: Any = INVERSE_SQRT_D, most: int = 512) -> Array:
    """Return queries that each give one token the largest weight that a norm allows.

    Parameters
    ----------
    keys : array, shape (n, d)
        Of one slot.
    norm : positive number
        What no query's Euclidean norm exceeds.
    scale : positive rational or "1/sqrt(d)"
        By default the latter, as for `floor_of`.
    most : int
        How many tokens queries are found for: those that start best.

    Returns
    -------
    ndarray of float64, shape (min(n, most), d)

    Raises
    ------
    InputError
        If a number is out of range, or SciPy is not installed (the extra ``queries``).

    Notes
    -----
    H4 `given-keys`: what `floor_of` certifies for these queries holds for every cache that serves
    all queries of that norm. Order 1 alone: at higher orders weights of tokens are sums.
    """
    try:
        minimize = import_module("scipy.optimize").minimize
    except ImportError:
        expected = "SciPy to be installed: pip install 'kvfloor[queries]'"
        raise InputError("norm", expected, "none") from None
    K = np.asarray(floats(read(keys, "keys", 2)), dtype=np.float64)
    sigma, radius = as_scale(scale, K.shape[1]), as_fraction(norm, "norm")
    if radius <= 0:
        raise InputError("norm", "a positive number", shown(radius))
    count = min(len(K), as_count(most, "most", 1))
    reach = float(sigma.factor) * sigma.root**0.5 * float(radius)
    starts = _unit(K - K.mean(axis=0))
    tokens = np.argsort(-_log_weights(K, starts, reach), kind="stable")[:count]
    found = np.empty((count, K.shape[1]))
    for row, token in enumerate(tokens):
        objective = _objective(K, int(token), reach)
        found[row] = _best(minimize, objective, starts[token])
    return found * (float(radius) * WITHIN)


def _unit(rows: Array) -> Array:
    """Rows over their norms; zero stays."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(norms > 0, norms, 1))


def _log_weights(K: Array, starts: Array, reach: float) -> Array:
    """The logarithm of the weight that each token has for its own start."""
    found = np.empty(len(K))
    for first in range(0, len(K), ROWS):
        logits = reach * (starts[first : first + ROWS] @ K.T)
        top = logits.max(axis=1)
        total = np.log(np.exp(logits - top[:, None]).sum(axis=1))
        rows = np.arange(len(logits))
        found[first : first + ROWS] = logits[rows, first + rows] - top - total
    return found


def _objective(K: Array, token: int, reach: float) -> Objective:
    """Minus the logarithm of a token's weight, and its gradient, for queries in the unit ball."""

    def value(u: Array) -> tuple[float, Array]:
        logits = reach * (K @ u)
        top = logits.max()
        weights = np.exp(logits - top)
        total = weights.sum()
        mean = (weights @ K) / total
        return float(top + np.log(total) - logits[token]), reach * (mean - K[token])

    return value


def _best(minimize: Any, objective: Objective, start: Array) -> Array:
    """The best query found in the unit ball: never worse than the start."""
    ball = {"type": "ineq", "fun": lambda u: 1 - u @ u, "jac": lambda u: -2 * u}
    options = {"maxiter": STEPS, "ftol": 2.0**-30}
    result = minimize(objective, start, jac=True, method="SLSQP", constraints=ball, options=options)
    u: Array = np.asarray(result.x, dtype=np.float64)
    if not np.isfinite(u).all():
        return start
    u = u / max(1.0, float(np.linalg.norm(u)))
    return u if objective(u)[0] <= objective(start)[0] else start
