"""Protocols for INDEX that may err: the best there are for few bits, and codes (L4).

Alice's message names one of 2^b words of N bits; Bob answers with its bit. So the best message
names the word nearest to Alice's x, and with x and i uniform the success is 1 minus the mean
distance to the nearest word over N. An input and a word are whole numbers here, bit k being x_k.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations

import numpy as np

from kvfloor.errors import InputError
from kvfloor.numbers import as_count, shown

__all__ = ["CODES", "CyclicCode", "best_success"]


def best_success(size: int, bits: int) -> Fraction:
    """Return the best success of a deterministic protocol, averaged over x and i.

    By exhaustion over sets of words, up to symmetry: flipping bits makes the first word 0, and
    permuting them makes the second one 1^w 0^(N-w). Meant for small N and b.

    Parameters
    ----------
    size : int
        N >= 1.
    bits : int
        b, the bits of the message.

    Raises
    ------
    InputError
        If a number is out of range.
    """
    N, b = as_count(size, "size", 1), as_count(bits, "bits")
    if b >= N:
        return Fraction(1)
    inputs = range(2**N)
    distance = np.array([[(x ^ y).bit_count() for x in inputs] for y in inputs])
    if b == 0:
        return _success(N, int(distance[0].sum()))
    least = N * 2**N
    for w in range(1, N + 1):
        second = 2**w - 1
        pair = np.minimum(distance[0], distance[second])
        rest = [y for y in inputs if y not in (0, second)]
        for others in combinations(rest, 2**b - 2):
            nearest = np.minimum(pair, distance[list(others)].min(axis=0, initial=N))
            least = min(least, int(nearest.sum()))
    return _success(N, least)


def _success(size: int, total_distance: int) -> Fraction:
    return 1 - Fraction(total_distance, size * 2**size)


def _as_bits(value: int, argument: str, bits: int) -> int:
    if as_count(value, argument) >= 2**bits:
        raise InputError(argument, f"a whole number below 2**{bits}", shown(value))
    return value


@dataclass(frozen=True)
class CyclicCode:
    """A protocol that names the nearest word of a cyclic code.

    Parameters
    ----------
    name : str
    size : int
        N, the length of the code.
    generator : int
        Its polynomial over the field of two elements, bit k being the coefficient of x^k. It has
        degree r and divides x^N - 1.

    Attributes
    ----------
    bits : int
        b = N - r.

    Raises
    ------
    InputError
        If the polynomial does not divide x^N - 1.
    """

    name: str
    size: int
    generator: int

    def __post_init__(self) -> None:
        as_count(self.size, "size", 1)
        as_count(self.generator, "generator", 1)
        if self._syndrome(1 << self.size | 1):
            expected = f"a polynomial that divides x^{self.size} - 1"
            raise InputError("generator", expected, bin(self.generator))

    @property
    def bits(self) -> int:
        """b, the bits of a message."""
        return self.size - self._degree

    @property
    def success(self) -> Fraction:
        """Success averaged over x and i: 1 minus the mean weight of the coset leaders over N."""
        weight = sum(leader.bit_count() for leader in self._leaders.values())
        return 1 - Fraction(weight, len(self._leaders) * self.size)

    def encode(self, x: int) -> int:
        """Alice: return the message, the upper b bits of the word nearest to x.

        Raises
        ------
        InputError
            If x is not a whole number of N bits.
        """
        x = _as_bits(x, "x", self.size)
        return (x ^ self._leaders[self._syndrome(x)]) >> self._degree

    def decode(self, message: int) -> int:
        """Bob: return the word that the message names; his answer is its bit i.

        Raises
        ------
        InputError
            If the message is not a whole number of b bits.
        """
        message = _as_bits(message, "message", self.bits)
        upper = message << self._degree
        return upper ^ self._syndrome(upper)

    @property
    def _degree(self) -> int:
        return self.generator.bit_length() - 1

    def _syndrome(self, x: int) -> int:
        """The remainder of x modulo the generator: 0 just for words of the code."""
        while x.bit_length() > self._degree:
            x ^= self.generator << (x.bit_length() - 1 - self._degree)
        return x

    @cached_property
    def _leaders(self) -> dict[int, int]:
        """For each syndrome an x of least weight that has it."""
        leaders, weight = {0: 0}, 0
        units = {1 << k: self._syndrome(1 << k) for k in range(self.size)}
        while len(leaders) < 2**self._degree:
            for syndrome, x in list(leaders.items()):
                if x.bit_count() == weight:
                    for unit, change in units.items():
                        leaders.setdefault(syndrome ^ change, x ^ unit)
            weight += 1
        return leaders


CODES = (
    CyclicCode("repetition", 3, 0b111),
    CyclicCode("repetition", 5, 0b11111),
    CyclicCode("repetition", 7, 0b1111111),
    CyclicCode("Hamming", 7, 0b1011),
    CyclicCode("Hamming", 15, 0b10011),
    CyclicCode("BCH", 15, 0b111010001),
    CyclicCode("BCH", 15, 0b10100110111),
    CyclicCode("Golay", 23, 0b101011100011),
)
