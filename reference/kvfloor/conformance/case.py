"""A case: what a function under test is called with, in one canonical layout."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np

from kvfloor.attention import Mask, Scale, as_scale, window_mask
from kvfloor.numbers import Array

__all__ = ["Case", "MaskSpec", "Relation"]

MaskSpec: TypeAlias = "Literal['causal'] | tuple[Any, ...] | Mask | None"
Relation = Literal["none", "repeat", "inputs"]


@dataclass(frozen=True, eq=False)
class Case:
    """Arguments of one call.

    Attributes
    ----------
    query : ndarray, shape (b, h, n_q, d)
    keys : tuple of m arrays, ``keys[r]`` of shape (b, h_kv, n_r, d)
        Head i of the query reads head ``i // (h // h_kv)`` of keys and values.
    values : tuple of m arrays, ``values[r]`` of shape (b, h_kv, n_r, d_v)
    scale : positive rational or "1/sqrt(d)"
    mask : None, "causal", ("window", w_1, ..., w_m), or booleans of shape (n_q, n_1, ..., n_m)
    relation : "none", "repeat" or "inputs"
        What is compared besides the numbers: a second call, bit by bit; the inputs after the call.
    rows : tuple of int, optional
        The queries whose results are compared; all by default.
    """

    query: Array
    keys: tuple[Array, ...]
    values: tuple[Array, ...]
    scale: Any
    mask: MaskSpec
    relation: Relation = "none"
    rows: tuple[int, ...] | None = None

    @property
    def lengths(self) -> tuple[int, ...]:
        """Tokens in each slot."""
        return tuple(K.shape[2] for K in self.keys)

    @property
    def sigma(self) -> Scale:
        """The scale, exactly."""
        return as_scale(self.scale, self.query.shape[3])

    @property
    def kept(self) -> Mask | None:
        """The tuples that count, shape (n_q, n_1, ..., n_m); None for all."""
        return kept_tuples(self.mask, range(self.query.shape[2]), self.lengths)

    def compared(self) -> Case:
        """The same with the queries alone that are compared."""
        if self.rows is None:
            return self
        mask = kept_tuples(self.mask, self.rows, self.lengths)
        return replace(self, query=self.query[:, :, self.rows], mask=mask, rows=None)


def kept_tuples(mask: MaskSpec, queries: Iterable[int], lengths: tuple[int, ...]) -> Mask | None:
    """Return which tuples a mask keeps for the queries named by their indices, their positions."""
    if mask is None:
        return None
    if isinstance(mask, np.ndarray):
        kept: Mask = mask[list(queries)]
        return kept
    rows = [
        window_mask(i, [i + 1] * len(lengths) if mask == "causal" else mask[1:], lengths)
        for i in queries
    ]
    return np.stack(rows)
