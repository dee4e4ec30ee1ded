"""Attention of sequences that are packed or in pages, in NumPy: what wrong ones are edits of."""

import numpy as np

from kernels import repeated

ACCUMULATE = np.float32


def one(q, K, V, scale, mask):
    """One sequence: arrays (h, n, columns); keys and values for every head of the query."""
    repeated.ACCUMULATE = ACCUMULATE
    K, V = ([np.repeat(A, len(q) // len(A), axis=0)[None] for A in slots] for slots in (K, V))
    output, logsumexp = repeated.at_once(q[None], K, V, scale=scale, mask=mask)
    return output[0], logsumexp[0]


def rows(A, offsets, i):
    """Sequence i of what is packed as (tokens, h, columns), as (h, n, columns)."""
    return A[offsets[i] : offsets[i + 1]].swapaxes(0, 1)


def gathered(pool, table, length):
    """The tokens of one sequence from its pages (pages, h, tokens, columns)."""
    page = pool.shape[2]
    used = pool[table[: -(-length // page)]]
    whole = used.swapaxes(0, 1).reshape(pool.shape[1], -1, pool.shape[3])
    return whole[:, :length]


def gathered_pages(pool, table, length):
    """The same of pools (pages, tokens, h, columns)."""
    return gathered(pool.swapaxes(1, 2), table, length)


def packed(q, K, V, *, scale, mask, query_offsets, key_offsets):
    """Arrays (tokens, h, columns)."""
    output = np.zeros((len(q), q.shape[1], V[0].shape[2]), q.dtype)
    logsumexp = np.zeros(q.shape[:2], ACCUMULATE)
    for i in range(len(query_offsets) - 1):
        keys = [rows(A, offsets, i) for A, offsets in zip(K, key_offsets, strict=True)]
        values = [rows(A, offsets, i) for A, offsets in zip(V, key_offsets, strict=True)]
        found, lse = one(rows(q, query_offsets, i), keys, values, scale, mask)
        place = slice(query_offsets[i], query_offsets[i + 1])
        output[place], logsumexp[place] = found.swapaxes(0, 1), lse.T
    return output, logsumexp


def in_pages(q, K, V, *, scale, mask, block_tables, lengths):
    """Queries (b, h, n_q, d); pools (pages, h, tokens of a page, columns)."""
    found = []
    for i in range(len(q)):
        each = list(zip(block_tables, lengths, strict=True))
        keys = [gathered(A, table[i], n[i]) for A, (table, n) in zip(K, each, strict=True)]
        values = [gathered(A, table[i], n[i]) for A, (table, n) in zip(V, each, strict=True)]
        found.append(one(q[i], keys, values, scale, mask))
    output, logsumexp = (np.stack(part) for part in zip(*found, strict=True))
    return output, logsumexp


def packed_in_pages(q, K, V, *, scale, mask, query_offsets, block_tables, lengths):
    """Queries (tokens, h, d); pools (pages, tokens of a page, h, columns)."""
    output = np.zeros((len(q), q.shape[1], V[0].shape[3]), q.dtype)
    logsumexp = np.zeros(q.shape[:2], ACCUMULATE)
    for i in range(len(query_offsets) - 1):
        each = list(zip(block_tables, lengths, strict=True))
        keys = [gathered_pages(A, t[i], n[i]) for A, (t, n) in zip(K, each, strict=True)]
        values = [gathered_pages(A, t[i], n[i]) for A, (t, n) in zip(V, each, strict=True)]
        found, lse = one(rows(q, query_offsets, i), keys, values, scale, mask)
        place = slice(query_offsets[i], query_offsets[i + 1])
        output[place], logsumexp[place] = found.swapaxes(0, 1), lse.T
    return output, logsumexp
