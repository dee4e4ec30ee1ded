"""A case: what a function under test is called with, in one canonical layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np

from kvfloor.attention import WINDOWS, Intervals, Mask, Scale, Window, as_scale
from kvfloor.conformance.quantised import Stored
from kvfloor.conformance.terms import NO_TERMS, Joined, alibi
from kvfloor.numbers import Array

__all__ = ["Case", "MaskSpec", "Relation"]

MaskSpec: TypeAlias = "Literal['causal', 'causal-top-left'] | Window | Mask | None"
Relation = Literal["none", "inputs", "repeat", "row-alone", "row-moved", "splits", "stages"]


UNOWNED = 8.0  # neither near to what is owned nor out of any format's range


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
    mask : None, "causal", "causal-top-left", `Window`, or booleans
        Of shape (n_q, n_1, ..., n_m), or (b, h, n_q, n_1, ..., n_m).
    relation : "none", "inputs", "stages", or one of `kvfloor.conformance.repeating.BITWISE`
        What is compared besides the numbers: the inputs after the call; what other calls return.
    rows : tuple of int, optional
        The queries whose results are compared; all by default.
    terms : Joined
        Soft cap, bias and sinks.
    splits : int, optional
        Parts that the function is told to split the tokens into.
    stored : Stored, optional
        The codes that the numbers above are, where they are given as such.
    sequences : tuple of tuples (n_q, n_1, ..., n_m), optional
        What each row of the batch has of queries and of tokens; all by default.
    unowned : number
        What a function finds where no sequence is, in a page or in slack.
    slack : bool
        Whether packed buffers go on after the last sequence.
    key_masks : tuple of m arrays of bool, shape (b, n_r), optional
        The tokens that are no padding, for each row of the batch.
    view : str, optional
        How arrays lie in memory, as `kvfloor.conformance.views.lay_out` has it.
    """

    query: Array
    keys: tuple[Array, ...]
    values: tuple[Array, ...]
    scale: Any
    mask: MaskSpec
    relation: Relation = "none"
    rows: tuple[int, ...] | None = None
    terms: Joined = NO_TERMS
    splits: int | None = None
    stored: Stored | None = None
    sequences: tuple[tuple[int, ...], ...] | None = None
    unowned: float = UNOWNED
    slack: bool = False
    key_masks: tuple[Mask, ...] | None = None
    view: str | None = None

    @property
    def lengths(self) -> tuple[int, ...]:
        """Tokens in each slot."""
        return tuple(K.shape[2] for K in self.keys)

    @property
    def given(self) -> tuple[Array, tuple[Array, ...], tuple[Array, ...]]:
        """The query, keys and values as they are given: numbers, or codes."""
        if self.stored is None:
            return self.query, self.keys, self.values
        query, keys, values = self.stored
        return (
            self.query if query is None else query.codes,
            tuple(K.codes for K in keys),
            tuple(V.codes for V in values),
        )

    def with_codes(self, stored: Stored) -> Case:
        """Return the case of some codes, and of the numbers that they are."""
        query, keys, values = stored
        return replace(
            self,
            query=self.query if query is None else query.numbers(),
            keys=tuple(K.numbers() for K in keys),
            values=tuple(V.numbers() for V in values),
            stored=stored,
        )

    @property
    def sigma(self) -> Scale:
        """The scale, exactly."""
        return as_scale(self.scale, self.query.shape[3])

    @property
    def visible(self) -> MaskSpec:
        """The mask and key masks as one, as the oracle takes it."""
        if self.key_masks is None or all(some.all() for some in self.key_masks):
            return self.mask
        n_q, lengths = self.query.shape[2], self.lengths
        kept = kept_tuples(self.mask, n_q, lengths)
        whole = np.ones((n_q, *lengths), dtype=np.bool_) if kept is None else kept
        for r, some in enumerate(self.key_masks):
            axes = (n if s == r else 1 for s, n in enumerate(lengths))
            whole = whole & some.reshape(len(some), 1, 1, *axes)
        return whole

    @property
    def kept(self) -> Mask | None:
        """The tuples that count, shape (b or 1, h or 1, n_q, n_1, ..., n_m); None for all."""
        kept, bias = kept_tuples(self.visible, self.query.shape[2], self.lengths), self.terms.bias
        if kept is not None:
            kept = kept.reshape((1,) * (len(self.keys) + 3 - kept.ndim) + kept.shape)
        if bias is None or not (lowest := np.isneginf(bias)).any():
            return kept
        return ~lowest[None] if kept is None else kept & ~lowest

    def of_batch(self, places: list[int]) -> Case:
        """Return the case with some elements of the batch, in that order."""
        mask, full = self.mask, len(self.keys) + 3
        if isinstance(mask, np.ndarray) and mask.ndim == full and len(mask) > 1:
            mask = mask[places]
        keys, values = (tuple(A[places] for A in slots) for slots in (self.keys, self.values))
        stored = None if self.stored is None else self.stored.of(places)
        sequences = None if self.sequences is None else tuple(self.owned[i] for i in places)
        shown = None if self.key_masks is None else tuple(M[places] for M in self.key_masks)
        return replace(
            self, query=self.query[places], keys=keys, values=values, mask=mask, stored=stored,
            sequences=sequences, key_masks=shown,
        )  # fmt: skip

    @property
    def owned(self) -> tuple[tuple[int, ...], ...]:
        """Queries and tokens of each row of the batch."""
        whole = (self.query.shape[2], *self.lengths)
        return self.sequences or (whole,) * len(self.query)

    def sequence(self, i: int) -> Case:
        """Return the case of one sequence, which has a query; without tokens it sees nothing."""
        n_q, *lengths = self.owned[i]
        row, kept = self.of_batch([i]), tuple(max(1, n) for n in lengths)
        terms, mask = row.terms, row.mask
        if terms.slopes is not None:
            bias = alibi(terms.slopes, n_q, kept[0], top_left=self._top_left)
            terms = terms._replace(bias=bias)
        if 0 in lengths:
            mask = np.zeros((n_q, *kept), dtype=np.bool_)
        return replace(
            row,
            query=row.query[:, :, :n_q],
            keys=tuple(K[:, :, :n] for K, n in zip(row.keys, kept, strict=True)),
            values=tuple(V[:, :, :n] for V, n in zip(row.values, kept, strict=True)),
            mask=mask,
            terms=terms,
            rows=None if row.rows is None else tuple(i for i in row.rows if i < n_q),
            stored=None if row.stored is None else row.stored.cut(n_q, kept),
            sequences=None,
        )

    @property
    def _top_left(self) -> bool:
        window = WINDOWS.get(self.mask) if isinstance(self.mask, str) else self.mask
        return isinstance(window, Window) and window.top_left

    def compared(self) -> Case:
        """The same with the queries alone that are compared, and zeros for what is not finite.

        That is where no query sees it.
        """
        case = self
        given, m = (*self.keys, *self.values), len(self.keys)
        arrays = tuple(map(_finite, given))
        if any(A is not B for A, B in zip(arrays, given, strict=True)):
            case = replace(case, keys=arrays[:m], values=arrays[m:])
        if self.rows is None:
            return case
        rows = list(self.rows)
        mask = kept_tuples(self.mask, self.query.shape[2], self.lengths, rows)
        terms = self.terms.of(rows)
        return replace(case, query=self.query[:, :, rows], mask=mask, rows=None, terms=terms)


def _finite(array: Array) -> Array:
    """The array, with zeros for what is not finite."""
    finite = np.isfinite(array.astype(np.float64))
    return array if finite.all() else np.where(finite, array, np.zeros((), array.dtype))


def kept_tuples(
    mask: MaskSpec, n_q: int, lengths: tuple[int, ...], rows: Sequence[int] | None = None
) -> Mask | None:
    """Return which tuples a mask keeps for n_q queries, or for some of them by their indices."""
    if mask is None:
        return None
    chosen = range(n_q) if rows is None else rows
    if isinstance(mask, np.ndarray):
        kept: Mask = mask.take(list(chosen), axis=mask.ndim - len(lengths) - 1)
        return kept
    window = WINDOWS[mask] if isinstance(mask, str) else Window(*mask)
    seen = Intervals.of(window, n_q, n_q, lengths)
    return np.stack([seen.mask(i) for i in chosen])
