"""Sequences of unequal lengths: packed one after another, or in pages; and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from kvfloor.conformance.case import Case
from kvfloor.numbers import Array

__all__ = ["SLACK", "Pages", "filled", "offsets", "owned_arrays", "pack", "to_pages", "unpack"]

SLACK = 5  # tokens of a buffer after the last sequence, where there are any
SPARE = 2  # pages that no sequence owns


class Pages(NamedTuple):
    """One slot in pages.

    Attributes
    ----------
    keys, values : ndarray, shape (pages, h_kv, tokens of a page, columns)
    table : ndarray of int32, shape (b, most pages of a sequence)
        Which page has which tokens; what a sequence does not need is a page of no sequence.
    lengths : ndarray of int32, shape (b,)
        Tokens of each sequence.
    """

    keys: Array
    values: Array
    table: Array
    lengths: Array


def owned_arrays(case: Case, *, packed: bool, page: int | None) -> Iterator[tuple[str, Array, str]]:
    """What a function is given of the query, keys and values, by name, and what its axes are.

    Parameters
    ----------
    case : Case
    packed : bool
        Whether sequences lie one after another.
    page : int or None
        Tokens of a page, if keys and values are in pages.

    Yields
    ------
    name : str
    array : ndarray
    kind : "rows", "pool" or "counts"
        With the axes (1, h, tokens, columns); with pages in place of the batch; with none of those.
    """
    query, keys, values = case.given
    counts = case.owned
    slack = SLACK if case.slack else 0
    if packed:
        queries = [n_q for n_q, *_ in counts]
        yield "query", pack(query, queries, slack, case.unowned), "rows"
        yield "query_offsets", offsets(queries), "counts"
    else:
        yield "query", query, "rows"
    for r, (K, V) in enumerate(zip(keys, values, strict=True)):
        tokens = [owned[1 + r] for owned in counts]
        if page is not None:
            pages = to_pages(K, V, tokens, page, case.unowned)
            yield f"keys[{r}]", pages.keys, "pool"
            yield f"values[{r}]", pages.values, "pool"
            yield f"block_tables[{r}]", pages.table, "counts"
            yield f"lengths[{r}]", pages.lengths, "counts"
        elif packed:
            yield f"keys[{r}]", pack(K, tokens, slack, case.unowned), "rows"
            yield f"values[{r}]", pack(V, tokens, slack, case.unowned), "rows"
            yield f"key_offsets[{r}]", offsets(tokens), "counts"
        else:
            yield f"keys[{r}]", K, "rows"
            yield f"values[{r}]", V, "rows"


def offsets(counts: Sequence[int]) -> Array:
    """Where each sequence begins, and where the last ends."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)


def pack(array: Array, counts: Sequence[int], slack: int, unowned: float) -> Array:
    """The first tokens of each row of a batch, one after another, shape (1, h, total, columns)."""
    rows = [row[:, :n] for row, n in zip(array, counts, strict=True)]
    rest = filled(array, (array.shape[1], slack, array.shape[3]), unowned)
    return np.concatenate([*rows, rest], axis=1)[None]


def unpack(array: Array, counts: Sequence[int]) -> Array:
    """The reverse: each sequence a row, shape (b, h, most, ...), zeros after its end."""
    most = max(counts, default=0)
    found = np.zeros((len(counts), array.shape[1], most, *array.shape[3:]), array.dtype)
    for i, (first, n) in enumerate(zip(offsets(counts), counts, strict=False)):
        found[i, :, :n] = array[0, :, first : first + n]
    return found


def to_pages(keys: Array, values: Array, counts: Sequence[int], page: int, unowned: float) -> Pages:
    """One slot in shuffled pages, the last of each sequence filled in part."""
    needed = [-(-n // page) for n in counts]
    most, total = max(1, *needed), sum(needed) + SPARE
    order = np.random.default_rng((len(counts), total, page)).permutation(total)
    heads = keys.shape[1]
    pools = tuple(filled(A, (total, heads, page, A.shape[3]), unowned) for A in (keys, values))
    table = np.full((len(counts), most), order[-1])
    used = iter(order)
    for i, (n, count) in enumerate(zip(counts, needed, strict=True)):
        for k in range(count):
            table[i, k] = next(used)
            part = slice(k * page, min(n, (k + 1) * page))
            for pool, A in zip(pools, (keys, values), strict=True):
                pool[table[i, k], :, : part.stop - part.start] = A[i, :, part]
    return Pages(pools[0], pools[1], table.astype(np.int32), np.array(counts, dtype=np.int32))


def filled(like: Array, shape: tuple[int, ...], x: float) -> Array:
    """What no sequence owns: a number, or the largest where there is no such number."""
    dtype: np.dtype[Any] = like.dtype
    if dtype.kind in "iu":
        return np.full(shape, np.iinfo(dtype).max, dtype)
    return np.full(shape, x).astype(dtype)
