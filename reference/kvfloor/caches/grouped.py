"""Keys rounded a channel at a time, values a token at a time, as in KIVI; scales are counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kvfloor.caches.packing import StateReader, count_bytes, number_bytes
from kvfloor.caches.tokens import KeptTokens, Shape, as_token, attend, rounded
from kvfloor.errors import InputError
from kvfloor.numbers import Array, as_count

__all__ = ["GroupedCache"]

Whole = npt.NDArray[np.int64]
MOST_BITS = 16


class Block(NamedTuple):
    """A rounded block: the entries of group g are ``low[g] + code·step[g]``.

    Attributes
    ----------
    lows, steps : ndarray, shape (groups,)
    codes : ndarray of int, shape (G·m·(d + d_v),)
        Group by group.
    """

    lows: Array
    steps: Array
    codes: Whole


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
        self._bits, self._group = as_count(bits, "bits", 1), as_count(group, "group", 1)
        if self._bits > MOST_BITS:
            raise InputError("bits", f"at most {MOST_BITS}", str(bits))
        self._shape = Shape(order, d, d_v)
        self._groups = entry_groups(self._shape, self._group)
        self._waiting = KeptTokens(self._shape, dtype)
        self._blocks: list[Block] = []

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> GroupedCache:
        """Return the cache that had this state; `InputError` if none had."""
        cache = cls(**arguments)
        reader, source = StateReader(state), cache._waiting.format
        blocks, waiting = divmod(reader.count(), cache._group)
        cache._waiting.read(reader, waiting)
        scales = reader.numbers((blocks, 2, len(cache._groups)), source)
        size = cache._group * cache._shape.width
        packed = np.frombuffer(reader.take(-(-blocks * size * cache._bits // 8)), np.uint8)
        reader.end()
        digits = np.unpackbits(packed, count=blocks * size * cache._bits, bitorder="little")
        codes = digits.reshape(blocks, size, cache._bits) @ (1 << np.arange(cache._bits))
        cache._blocks = [Block(low, step, c) for (low, step), c in zip(scales, codes, strict=True)]
        return cache

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        """Take one token, and round the tokens that wait if that makes a block.

        Raises
        ------
        InputError
            For another shape, or a number beyond the format.
        """
        waiting = self._waiting
        waiting.append(rounded(as_token(keys, values, self._shape), waiting.format))
        if len(waiting) == self._group:
            self._blocks.append(self._rounded(waiting.rows.ravel()))
            self._waiting = KeptTokens(self._shape, waiting.format.name)

    def state(self) -> bytes:
        """Return the number of tokens, the waiting ones, and lows, steps and codes."""
        tokens = len(self._waiting) + self._group * len(self._blocks)
        scales = [part for block in self._blocks for part in (block.lows, block.steps)]
        codes = np.array([block.codes for block in self._blocks], dtype=np.int64)
        digits = codes.reshape(-1, 1) >> np.arange(self._bits) & 1
        return (
            count_bytes(tokens)
            + self._waiting.data()
            + number_bytes(scales, self._waiting.format)
            + np.packbits(digits.astype(np.uint8), bitorder="little").tobytes()
        )

    def state_bits(self) -> int:
        """Return the bits of the state without the padding of its last byte."""
        digits = len(self._blocks) * self._group * self._shape.width * self._bits
        return 8 * len(self.state()) - -digits % 8

    def answer(self, query: Sequence[Any]) -> list[float]:
        """Return the output for a query of shape (d,), shape (d_v,)."""
        blocks = [self._numbers(block) for block in self._blocks]
        rows = np.vstack([*blocks, self._waiting.rows])
        return attend(*self._shape.split(rows), query, self._shape.d)

    def _rounded(self, entries: Array) -> Block:
        """Round a block, given as one row."""
        target, most = self._waiting.format, 2**self._bits - 1
        groups = [entries[group] for group in self._groups]
        lows = np.array([group.min() for group in groups])
        spans = np.array([group.max() for group in groups]) - lows
        steps = target.round_array(spans / most, "up")
        if not np.isfinite(steps).all():
            raise InputError("token", f"entries less far apart for {target.name}", "larger ones")
        codes = [
            np.rint((group - low) / step) if step else np.zeros(len(group))
            for group, low, step in zip(groups, lows, steps, strict=True)
        ]
        return Block(lows, steps, np.concatenate(codes).astype(np.int64))

    def _numbers(self, block: Block) -> Array:
        """Return the entries that a block stands for, shape (G, m·(d + d_v))."""
        sizes = [len(group) for group in self._groups]
        numbers = np.empty(len(block.codes))
        numbers[np.concatenate(self._groups)] = (
            np.repeat(block.lows, sizes) + np.repeat(block.steps, sizes) * block.codes
        )
        return numbers.reshape(self._group, self._shape.width)


def entry_groups(shape: Shape, group: int) -> list[Whole]:
    """Return the entries of each group, as places in a block of ``group`` tokens in one row.

    First the channels of the keys, slot by slot; then the values, token by token and slot by slot,
    ``group`` channels at a time.
    """
    places = np.arange(group * shape.width).reshape(group, shape.width)
    first_value = shape.order * shape.d
    channels = [places[:, c] for c in range(first_value)]
    parts = [
        row[start : start + shape.d_v][part : part + group]
        for row in places
        for start in range(first_value, shape.width, shape.d_v)
        for part in range(0, shape.d_v, group)
    ]
    return channels + parts
