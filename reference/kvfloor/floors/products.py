"""The two-cache: its floor if it may hold any matrices, its size if it holds products (T2)."""

from __future__ import annotations

from typing import Any

__all__ = ["packed_bits", "packed_numbers", "two_cache"]


def two_cache(n: Any, d_v: Any) -> Any:
    """Bits that a two-cache of order 2 needs if its n² rows may be anything: n²·d_v (T2).

    That is T1 `four-cache` at order 1 with n² rows.
    """
    return n**2 * d_v


def packed_numbers(n: Any, d: Any, d_v: Any) -> Any:
    """Numbers that the pair (K_1 ⊘ K_2, V_1 ⊘ V_2) packs into: (2n - 1)(d + d_v) (T2).

    (4n - 2)·d for d_v = d.
    """
    return (2 * n - 1) * (d + d_v)


def packed_bits(n: Any, d: Any, d_v: Any, width: Any, flag: Any) -> Any:
    """Bits of that pair: numbers of ``width`` bits, and ``flag`` bits a column for its pivot (T2).

    ⌈log₂(n² + 1)⌉ bits are enough for a flag, and 2n are too.
    """
    return packed_numbers(n, d, d_v) * width + flag * (d + d_v)
