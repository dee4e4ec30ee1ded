"""The counts of `evaluations` as functions of n, d, d_v and the order m (T3 `time-memory`).

The arithmetic is generic: with SymPy symbols for n, d and d_v the functions return expressions,
which a test compares with the derivations.
"""

from __future__ import annotations

from typing import Any

from kvfloor.cost.counting import Counts

__all__ = [
    "append_four",
    "append_two",
    "four_cache_words",
    "query_factored",
    "query_formed",
    "query_two",
    "two_cache_words",
]


def query_two(n: Any, d: Any, d_v: Any, m: int = 2) -> Counts:
    """One query to the two-cache of n tokens: n^m·(d + d_v) multiplications."""
    rows = n**m
    return Counts(
        multiplications=rows * (d + d_v),
        additions=_additions(rows, d, d_v),
        divisions=d_v,
        exponentials=rows,
        read=rows * (d + d_v),
    )


def query_formed(n: Any, d: Any, d_v: Any, m: int = 2) -> Counts:
    """One query to the 2m-cache, products formed first: (n² + … + n^m + n^m)(d + d_v)."""
    rows = n**m
    return Counts(
        multiplications=(rows + sum(n**r for r in range(2, m + 1))) * (d + d_v),
        additions=_additions(rows, d, d_v),
        divisions=d_v,
        exponentials=rows,
        read=four_cache_words(n, d, d_v, m),
    )


def query_factored(n: Any, d: Any, d_v: Any, m: int = 2) -> Counts:
    """One query to the 2m-cache, factored: (n + n² + … + n^m)(d + d_v) multiplications."""
    rows = n**m
    return Counts(
        multiplications=sum(n**r for r in range(1, m + 1)) * (d + d_v),
        additions=_additions(rows, d, d_v),
        divisions=d_v,
        exponentials=rows,
        read=four_cache_words(n, d, d_v, m),
    )


def _additions(rows: Any, d: Any, d_v: Any) -> Any:
    """D - 1 for each logit, one less than there are tuples for their sum and for each output."""
    return rows * (d - 1) + (rows - 1) * (1 + d_v)


def append_four(n: Any, d: Any, d_v: Any) -> Counts:
    """Append to the four-cache, whatever the number n of tokens is."""
    del n
    return Counts(written=2 * (d + d_v))


def append_two(n: Any, d: Any, d_v: Any) -> Counts:
    """Append token n to the two-cache: 2n - 1 new rows, and the factors of the token."""
    new = (2 * n - 1) * (d + d_v)
    return Counts(multiplications=new, written=new + 2 * (d + d_v), read=new)


def four_cache_words(n: Any, d: Any, d_v: Any, m: int = 2) -> Any:
    """Numbers in the 2m-cache: m·n·(d + d_v)."""
    return m * n * (d + d_v)


def two_cache_words(n: Any, d: Any, d_v: Any) -> Any:
    """Numbers in the two-cache of order 2 with its factors: (n² + 2n)(d + d_v)."""
    return (n**2 + 2 * n) * (d + d_v)
