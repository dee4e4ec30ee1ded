"""Keys rounded a channel at a time, values a token at a time, as in KIVI; scales are counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from kvfloor.caches.groups import (
    Block,
    Grouping,
    as_bits,
    channel_groups,
    pack_codes,
    unpack_codes,
)
from kvfloor.caches.packing import StateReader, count_bytes, number_bytes
from kvfloor.caches.tokens import KeptTokens, Shape, attend, rounded_token
from kvfloor.numbers import as_count

__all__ = ["GroupedCache"]

Whole = npt.NDArray[np.int64]


class GroupedCache:
    """Keeps b bits of every entry, and two numbers of every group of entries.

    Tokens wait in the format until there are G of them; such a block is then rounded. The G
    entries of one channel of a key form a group, and so do up to G channels of one token's value.
    An entry goes to the nearest of 2^b levels from the least of its group to the largest, so it is
    off by at most half a step, up to float64's rounding. A block of G tokens takes
    ``m·G·(d + d_v)·b`` bits and ``2m·(d + G·⌈d_v/G⌉)`` numbers.

    The state is the number of tokens in 64 bits, the tokens that wait, lows and steps block by
    block, and the codes. Groups come in the order of `entry_groups`. Answers are attention over
    what is kept, correctly rounded to float64.

    Parameters
    ----------
    order, d, d_v, seed : int
        As for every cache; there are no coins.
    bits : int
        b, from 1 to 16.
    group : int
        G, at least 1.
    dtype : dtype or str
        The format of lows, steps and waiting tokens: one of `FORMATS`.

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
        bits: int,
        group: int = 32,
        dtype: Any = "float16",
    ) -> None:
        del seed
        self._bits, self._group = as_bits(bits), as_count(group, "group", 1)
        self._shape = Shape(order, d, d_v)
        self._waiting = KeptTokens(self._shape, dtype)
        groups = entry_groups(self._shape, self._group)
        self._grouping = Grouping(groups, self._bits, self._waiting.format)
        self._blocks: list[Block] = []

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> GroupedCache:
        """Return the cache that had this state; `InputError` if none had."""
        cache = cls(**arguments)
        reader, grouping = StateReader(state), cache._grouping
        blocks, waiting = divmod(reader.count(), cache._group)
        cache._waiting.read(reader, waiting)
        scales = grouping.read_scales(reader, blocks)
        codes = unpack_codes(reader, blocks * grouping.size, cache._bits)
        reader.end()
        cache._blocks = grouping.blocks(scales, codes)
        return cache

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        """Take one token, and round the tokens that wait if that makes a block.

        Raises
        ------
        InputError
            For another shape, or a number beyond the format.
        """
        waiting = self._waiting
        waiting.append(rounded_token(keys, values, self._shape, waiting.format))
        if len(waiting) == self._group:
            self._blocks.append(self._grouping.rounded(waiting.rows.ravel()))
            self._waiting = KeptTokens(self._shape, waiting.format.name)

    def state(self) -> bytes:
        """Return the number of tokens, the waiting ones, and lows, steps and codes."""
        tokens = len(self._waiting) + self._group * len(self._blocks)
        scales = [part for block in self._blocks for part in (block.lows, block.steps)]
        return (
            count_bytes(tokens)
            + self._waiting.data()
            + number_bytes(scales, self._waiting.format)
            + pack_codes([block.codes for block in self._blocks], self._bits)
        )

    def state_bits(self) -> int:
        """Return the bits of the state without the padding of its last byte."""
        digits = len(self._blocks) * self._group * self._shape.width * self._bits
        return 8 * len(self.state()) - -digits % 8

    def answer(self, query: Sequence[Any]) -> list[float]:
        """Return the output for a query of shape (d,), shape (d_v,)."""
        shape = self._group, self._shape.width
        blocks = [self._grouping.numbers(block).reshape(shape) for block in self._blocks]
        rows = np.vstack([*blocks, self._waiting.rows])
        return attend(*self._shape.split(rows), query, self._shape.d)


def entry_groups(shape: Shape, group: int) -> list[Whole]:
    """Return the entries of each group, as places in a block of ``group`` tokens in one row.

    First the channels of the keys, slot by slot; then the values, token by token and slot by slot,
    ``group`` channels at a time.
    """
    places = np.arange(group * shape.width).reshape(group, shape.width)
    keys, values = np.split(places, [shape.order * shape.d], axis=1)
    return [*keys.T, *channel_groups(values, [shape.d_v] * shape.order, group)]
