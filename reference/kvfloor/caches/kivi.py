"""KIVI as its authors describe it: groups along tokens for keys, a window of the last tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kvfloor.caches.groups import (
    Block,
    Grouping,
    as_bits,
    channel_groups,
    pack_codes,
    unpack_codes,
)
from kvfloor.caches.packing import StateReader, count_bytes, number_bytes
from kvfloor.caches.tokens import Shape, attend, rounded_token
from kvfloor.errors import InputError
from kvfloor.numbers import Array, as_count, as_format

__all__ = ["KiviCache"]


class KiviCache:
    """Keeps b bits of old entries, two numbers of every group of them, and R tokens whole.

    This is Algorithm 1 of KIVI (arXiv:2402.02750). Keys wait until there are R; then each channel
    of every G of them is a group, and none waits. Of values the last R stay whole; one that is
    older is rounded by itself, up to G channels a group. Groups are rounded as `Grouping` says, so
    an entry is off by half a step at most. Its authors state no other guarantee.

    The state is the number of tokens in 64 bits, the keys and the values that are whole, lows and
    steps of keys and of values block by block, and the codes.

    Parameters
    ----------
    order, d, d_v, seed : int
        As for every cache; there are no coins.
    bits : int
        b, from 1 to 16.
    group : int
        G, at least 1.
    residual : int
        R, a multiple of G.
    dtype : dtype or str
        The format of lows, steps and whole numbers: one of `FORMATS`.

    Raises
    ------
    InputError
        If a number is out of range, or the format unknown.
    """

    def __init__(
        self,
        *,
        order: int,
        d: int,
        d_v: int,
        seed: int,
        bits: int = 2,
        group: int = 32,
        residual: int = 128,
        dtype: Any = "float16",
    ) -> None:
        del seed
        self._shape, self._format = Shape(order, d, d_v), as_format(dtype)
        self._bits, self._group = as_bits(bits), as_count(group, "group", 1)
        self._residual = as_count(residual, "residual", 1)
        if self._residual % self._group:
            raise InputError("residual", f"a multiple of the group of {group}", str(residual))
        key_places = np.arange(self._group * order * d).reshape(self._group, order * d)
        value_places = np.arange(order * d_v).reshape(1, order * d_v)
        value_groups = channel_groups(value_places, [d_v] * order, self._group)
        self._groupings = (
            Grouping(list(key_places.T), self._bits, self._format),
            Grouping(value_groups, self._bits, self._format),
        )
        self._whole: list[Array] = [np.empty((0, order * d)), np.empty((0, order * d_v))]
        self._blocks: tuple[list[Block], list[Block]] = ([], [])

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> KiviCache:
        """Return the cache that had this state; `InputError` if none had."""
        cache = cls(**arguments)
        reader = StateReader(state)
        tokens = reader.count()
        whole = tokens % cache._residual, min(tokens, cache._residual)
        cache._whole = [
            reader.numbers((count, rows.shape[1]), cache._format)
            for count, rows in zip(whole, cache._whole, strict=True)
        ]
        counts = (tokens - whole[0]) // cache._group, tokens - whole[1]
        pairs = list(zip(cache._groupings, counts, strict=True))
        scales = [grouping.read_scales(reader, count) for grouping, count in pairs]
        sizes = [grouping.size * count for grouping, count in pairs]
        codes = np.split(unpack_codes(reader, sum(sizes), cache._bits), sizes[:1])
        reader.end()
        keys, values = (
            grouping.blocks(scale, code)
            for grouping, scale, code in zip(cache._groupings, scales, codes, strict=True)
        )
        cache._blocks = keys, values
        return cache

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        """Take one token; round keys if as many wait as may, and the value that is too old.

        Raises
        ------
        InputError
            For another shape, or a number beyond the format.
        """
        token = rounded_token(keys, values, self._shape, self._format)
        parts = np.split(token, [self._shape.order * self._shape.d])
        self._whole = [np.vstack(pair) for pair in zip(self._whole, parts, strict=True)]
        self._age()

    def _age(self) -> None:
        """Round what is no longer to be whole."""
        waiting, recent = self._whole
        if len(waiting) == self._residual:
            for rows in np.split(waiting, self._residual // self._group):
                self._blocks[0].append(self._groupings[0].rounded(rows.ravel()))
            self._whole[0] = waiting[:0]
        if len(recent) > self._residual:
            self._blocks[1].append(self._groupings[1].rounded(recent[0]))
            self._whole[1] = recent[1:]

    @property
    def _tokens(self) -> int:
        return len(self._blocks[1]) + len(self._whole[1])

    def state(self) -> bytes:
        """Return the number of tokens, those that are whole, and lows, steps and codes."""
        blocks = [block for part in self._blocks for block in part]
        return (
            count_bytes(self._tokens)
            + b"".join(number_bytes(rows, self._format) for rows in self._whole)
            + b"".join(number_bytes(block[:2], self._format) for block in blocks)
            + pack_codes(np.concatenate([np.empty(0), *(b.codes for b in blocks)]), self._bits)
        )

    def state_bits(self) -> int:
        """Return the bits of the state without the padding of its last byte."""
        pairs = zip(self._groupings, self._blocks, strict=True)
        digits = self._bits * sum(grouping.size * len(blocks) for grouping, blocks in pairs)
        return 8 * len(self.state()) - -digits % 8

    def answer(self, query: Sequence[Any]) -> list[float]:
        """Return the output for a query of shape (d,), shape (d_v,)."""
        keys, values = (
            np.vstack(
                [
                    *(grouping.numbers(block).reshape(-1, whole.shape[1]) for block in blocks),
                    whole,
                ]
            )
            for grouping, blocks, whole in zip(
                self._groupings, self._blocks, self._whole, strict=True
            )
        )
        return attend(*self._shape.split(np.hstack([keys, values])), query, self._shape.d)
