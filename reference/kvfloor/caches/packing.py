"""States as bytes: numbers in a binary format, counts, dyadic rationals; read back or refused."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from kvfloor.errors import InputError
from kvfloor.numbers import Array, BinaryFormat

__all__ = ["COUNT_BYTES", "StateReader", "count_bytes", "dyadic_bytes", "number_bytes"]

COUNT_BYTES = 8


def count_bytes(count: int) -> bytes:
    """Return a whole number from 0 to 2**64 - 1 in 8 bytes, little-endian."""
    return count.to_bytes(COUNT_BYTES, "little")


def number_bytes(numbers: Any, target: BinaryFormat) -> bytes:
    """Return an array of numbers of a format in C order, little-endian."""
    packed = np.asarray(numbers, dtype=np.float64).astype(target.dtype)
    size = packed.dtype.itemsize
    return packed.view(f"u{size}").astype(f"<u{size}").tobytes()


def dyadic_bytes(x: Fraction) -> bytes:
    """Return a dyadic rational x >= 0 whole: exponent and size in 8 bytes each, odd part."""
    twos = (x.numerator & -x.numerator).bit_length() - 1 if x else 0
    exponent = twos - (x.denominator.bit_length() - 1)
    odd = x.numerator >> twos
    size = -(-odd.bit_length() // 8)
    return (
        exponent.to_bytes(COUNT_BYTES, "little", signed=True)
        + count_bytes(size)
        + odd.to_bytes(size, "little")
    )


class StateReader:
    """Reads a state from its first byte to its last.

    Parameters
    ----------
    state : bytes
    """

    def __init__(self, state: bytes) -> None:
        self._rest = memoryview(state)

    @property
    def left(self) -> int:
        """Bytes not yet read."""
        return len(self._rest)

    def take(self, size: int) -> bytes:
        """Return the next ``size`` bytes; `InputError` if there are not as many."""
        if size > self.left:
            raise InputError("state", f"{size} more bytes", f"{self.left}")
        taken, self._rest = bytes(self._rest[:size]), self._rest[size:]
        return taken

    def count(self) -> int:
        """Return what `count_bytes` wrote."""
        return int.from_bytes(self.take(COUNT_BYTES), "little")

    def numbers(self, shape: tuple[int, ...], source: BinaryFormat) -> Array:
        """Return what `number_bytes` wrote, as float64."""
        size = source.dtype.itemsize
        words = np.frombuffer(self.take(prod(shape) * size), dtype=f"<u{size}")
        numbers: Array = words.astype(f"u{size}").view(source.dtype).astype(np.float64)
        return numbers.reshape(shape)

    def dyadic(self) -> Fraction:
        """Return what `dyadic_bytes` wrote."""
        exponent = int.from_bytes(self.take(COUNT_BYTES), "little", signed=True)
        odd = int.from_bytes(self.take(self.count()), "little")
        return odd * Fraction(2) ** exponent

    def end(self) -> None:
        """Refuse a state that goes on; `InputError`."""
        if self.left:
            raise InputError("state", "no more bytes", f"{self.left}")
