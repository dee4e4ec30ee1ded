"""The three ways to answer a query, on arrays of floats or of anything that can be counted.

The scale is 1, as a query can be scaled beforehand, and logits are not shifted by the largest one:
either would add the same to all three. The sum of weights divides each of the d_v outputs, not the
weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import TypeAlias

import numpy as np

from kvfloor.cost.counting import Array, Memory
from kvfloor.errors import InputError

__all__ = ["FourCache", "TwoCache", "attend_factored", "attend_formed", "attend_products"]

Evaluation: TypeAlias = Callable[[Array, Sequence[Array], Sequence[Array]], Array]


def attend_products(query: Array, key_rows: Array, value_rows: Array) -> Array:
    """Answer from the two-cache, the products K_1 ⊘ … ⊘ K_m and V_1 ⊘ … ⊘ V_m.

    Parameters
    ----------
    query : ndarray, shape (d,)
    key_rows, value_rows : ndarray, shapes (N, d) and (N, d_v)

    Returns
    -------
    ndarray, shape (d_v,)

    Raises
    ------
    InputError
        If a shape does not fit.
    """
    _require_shapes(query, [key_rows], [value_rows])
    weights = np.exp(key_rows @ query)
    output: Array = (weights @ value_rows) / weights.sum()
    return output


def attend_formed(query: Array, keys: Sequence[Array], values: Sequence[Array]) -> Array:
    """Answer from the 2m-cache by forming the products first.

    Parameters
    ----------
    query : ndarray, shape (d,)
    keys, values : sequence of m ndarrays, shapes (n_r, d) and (n_r, d_v)

    Returns
    -------
    ndarray, shape (d_v,)

    Raises
    ------
    InputError
        If a shape does not fit.
    """
    _require_shapes(query, keys, values)
    return attend_products(query, reduce(_product, keys), reduce(_product, values))


def attend_factored(query: Array, keys: Sequence[Array], values: Sequence[Array]) -> Array:
    """Answer from the 2m-cache without products of the last slot: (… (q∘K_1) ⊘ …)·K_mᵀ.

    Parameters, result and errors are those of `attend_formed`; m >= 2.
    """
    _require_shapes(query, keys, values, least=2)
    left = reduce(_product, [keys[0] * query, *keys[1:-1]])
    weights = np.exp(left @ keys[-1].T)
    partial: Array = weights @ values[-1]
    for V in reversed(values[:-1]):  # (n_1···n_r, d_v) to (n_1···n_{r-1}, d_v)
        partial = (partial.reshape(-1, *V.shape) * V).sum(axis=1)
    output: Array = partial[0] / weights.sum()
    return output


def _product(A: Array, B: Array) -> Array:
    """A ⊘ B, the second index fastest."""
    rows: Array = (A[:, None, :] * B[None, :, :]).reshape(-1, A.shape[1])
    return rows


def _require_shapes(
    query: Array, keys: Sequence[Array], values: Sequence[Array], least: int = 1
) -> None:
    if query.ndim != 1:
        raise InputError("query", "shape (d,)", f"shape {query.shape}")
    if len(keys) < least:
        raise InputError("keys", f"at least {least} arrays", str(len(keys)))
    if len(values) != len(keys):
        raise InputError("values", f"{len(keys)} arrays, one for each in keys", str(len(values)))
    for r, (K, V) in enumerate(zip(keys, values, strict=True)):
        if K.ndim != 2 or K.shape[1] != len(query):
            raise InputError(f"keys[{r}]", f"shape (n, {len(query)})", f"shape {K.shape}")
        if V.ndim != 2 or len(V) != len(K) or V.shape[1] != values[0].shape[1]:
            expected = f"shape ({len(K)}, d_v) with d_v as in values[0]"
            raise InputError(f"values[{r}]", expected, f"shape {V.shape}")


class FourCache:
    """Decoding of order 2 from K_1, K_2, V_1 and V_2.

    Parameters
    ----------
    memory : Memory
    evaluate : callable
        `attend_factored` or `attend_formed`.
    """

    def __init__(self, memory: Memory, evaluate: Evaluation = attend_factored) -> None:
        self.memory = memory
        self._evaluate = evaluate

    def append(self, keys: Sequence[Array], values: Sequence[Array]) -> None:
        """Take a token: two keys of shape (d,), two values of shape (d_v,)."""
        for name, vectors in (("K", keys), ("V", values)):
            for slot, vector in enumerate(vectors, start=1):
                self.memory.write(f"{name}_{slot}", vector[None])

    def query(self, query: Array) -> Array:
        """Answer a query of shape (d,), shape (d_v,)."""
        keys, values = ([self.memory.read(f"{name}_{slot}") for slot in (1, 2)] for name in "KV")
        return self._evaluate(query, keys, values)


class TwoCache:
    """Decoding of order 2 from K_1 ⊘ K_2 and V_1 ⊘ V_2, in the order in which rows arise.

    The factors are kept too: the products alone do not tell how a new token multiplies the old
    ones (T3 `time-memory`).

    Parameters
    ----------
    memory : Memory
    """

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self._empty = True

    def append(self, keys: Sequence[Array], values: Sequence[Array]) -> None:
        """Take a token: two keys of shape (d,), two values of shape (d_v,)."""
        for name, (first, second) in (("K", keys), ("V", values)):
            if not self._empty:
                self.memory.write(name, _product(self.memory.read(f"{name}_1"), second[None]))
            self.memory.write(f"{name}_2", second[None])
            self.memory.write(name, _product(first[None], self.memory.read(f"{name}_2")))
            self.memory.write(f"{name}_1", first[None])
        self._empty = False

    def query(self, query: Array) -> Array:
        """Answer a query of shape (d,), shape (d_v,)."""
        return attend_products(query, self.memory.read("K"), self.memory.read("V"))
