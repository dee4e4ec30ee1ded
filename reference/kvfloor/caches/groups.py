"""Entries rounded in groups that share a low and a step, as in KIVI; blocks of them packed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kvfloor.caches.packing import StateReader
from kvfloor.errors import InputError
from kvfloor.numbers import Array, BinaryFormat, as_count

__all__ = ["Block", "Grouping", "as_bits", "channel_groups", "pack_codes", "unpack_codes"]

Whole = npt.NDArray[np.int64]
MOST_BITS = 16


class Block(NamedTuple):
    """A rounded block: the entries of group g are ``low[g] + code·step[g]``.

    Attributes
    ----------
    lows, steps : ndarray, shape (groups,)
    codes : ndarray of int, shape (entries,)
        Group by group.
    """

    lows: Array
    steps: Array
    codes: Whole


class Grouping:
    """How the entries of a block, given as one row, are rounded.

    An entry goes to the nearest of 2^b levels from the least of its group to the largest, so it is
    off by at most half a step, up to float64's rounding.

    Parameters
    ----------
    groups : sequence of ndarray of int
        Places in the row, each in one group.
    bits : int
        b.
    target : BinaryFormat
        Of lows and steps.
    """

    def __init__(self, groups: Sequence[Whole], bits: int, target: BinaryFormat) -> None:
        self.groups, self._bits, self._format = list(groups), bits, target
        self.size = sum(map(len, self.groups))

    def rounded(self, entries: Array) -> Block:
        """Round a block; `InputError` if a step is beyond the format."""
        groups = [entries[group] for group in self.groups]
        lows = np.array([group.min() for group in groups])
        spans = np.array([group.max() for group in groups]) - lows
        steps = self._format.round_array(spans / (2**self._bits - 1), "up")
        if not np.isfinite(steps).all():
            expected = f"entries less far apart for {self._format.name}"
            raise InputError("token", expected, "larger ones")
        codes = [
            np.rint((group - low) / step) if step else np.zeros(len(group))
            for group, low, step in zip(groups, lows, steps, strict=True)
        ]
        return Block(lows, steps, np.concatenate(codes).astype(np.int64))

    def numbers(self, block: Block) -> Array:
        """Return the entries that a block stands for, as one row."""
        sizes = [len(group) for group in self.groups]
        numbers = np.empty(self.size)
        numbers[np.concatenate(self.groups)] = (
            np.repeat(block.lows, sizes) + np.repeat(block.steps, sizes) * block.codes
        )
        return numbers

    def read_scales(self, reader: StateReader, count: int) -> Array:
        """Read the lows and steps of so many blocks, shape (count, 2, groups)."""
        return reader.numbers((count, 2, len(self.groups)), self._format)

    def blocks(self, scales: Array, codes: Whole) -> list[Block]:
        """Return blocks from lows and steps, and the codes of all of them in one row."""
        rows = codes.reshape(len(scales), self.size)
        return [Block(low, step, row) for (low, step), row in zip(scales, rows, strict=True)]


def as_bits(bits: Any) -> int:
    """Return the bits of an entry, from 1 to 16; `InputError` for others."""
    count = as_count(bits, "bits", 1)
    if count > MOST_BITS:
        raise InputError("bits", f"at most {MOST_BITS}", str(bits))
    return count


def channel_groups(places: Whole, widths: Sequence[int], group: int) -> list[Whole]:
    """Return groups of up to ``group`` channels of each token and slot.

    Parameters
    ----------
    places : ndarray of int, shape (tokens, sum of widths)
        Of the entries in a block.
    widths : sequence of int
        Channels of each slot.
    group : int
    """
    ends = np.cumsum(widths)[:-1]
    return [
        slot[part : part + group]
        for row in places
        for slot in np.split(row, ends)
        for part in range(0, len(slot), group)
    ]


def pack_codes(codes: Any, bits: int) -> bytes:
    """Return codes one after the other, each in ``bits`` bits, the lowest first."""
    digits = np.asarray(codes, dtype=np.int64).reshape(-1, 1) >> np.arange(bits) & 1
    return np.packbits(digits.astype(np.uint8), bitorder="little").tobytes()


def unpack_codes(reader: StateReader, count: int, bits: int) -> Whole:
    """Read back so many codes."""
    packed = np.frombuffer(reader.take(-(-count * bits // 8)), np.uint8)
    digits = np.unpackbits(packed, count=count * bits, bitorder="little")
    codes: Whole = digits.reshape(count, bits) @ (1 << np.arange(bits))
    return codes
