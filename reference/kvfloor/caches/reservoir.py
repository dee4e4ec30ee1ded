"""Tokens drawn with probabilities as the squares of their values: the M of SubGen (U2)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from kvfloor.caches.coins import Coins
from kvfloor.caches.packing import StateReader, dyadic_bytes, number_bytes
from kvfloor.numbers import Array, BinaryFormat

__all__ = ["Reservoir", "squared_norm"]


class Reservoir:
    """``s`` draws, each of them token j with probability ‖v_j‖²/μ, where μ = Σ‖v_j‖².

    A token replaces a draw, independently of the others, with probability ‖v‖² over the sum up to
    itself. The sum is exact, as probabilities depend on it. While it is zero there is nothing in
    the draws. The state is the sum, then the keys and then the values of the draws.

    Parameters
    ----------
    d, d_v, s : int
    target : BinaryFormat
        Of the numbers kept.

    Attributes
    ----------
    mass : Fraction
        μ.
    keys, values : ndarray, shapes (s, d) and (s, d_v); (0, d) and (0, d_v) while μ is zero
    """

    def __init__(self, d: int, d_v: int, s: int, target: BinaryFormat) -> None:
        self._s, self._format = s, target
        self.mass = Fraction(0)
        self.keys: Array = np.empty((0, d))
        self.values: Array = np.empty((0, d_v))

    def append(self, key: Array, value: Array, coins: Coins, place: tuple[int, ...]) -> None:
        """Take one token, numbers of the format, with the coins at a place."""
        square = squared_norm(value)
        if not square:
            return
        if not self.mass:
            self.keys, self.values = np.tile(key, (self._s, 1)), np.tile(value, (self._s, 1))
        self.mass += square
        replaced = coins.flips(square / self.mass, self._s, place)[:, np.newaxis]
        self.keys = np.where(replaced, key, self.keys)
        self.values = np.where(replaced, value, self.values)

    def data(self) -> bytes:
        """Return sum and draws as bytes."""
        draws = number_bytes(self.keys, self._format) + number_bytes(self.values, self._format)
        return dyadic_bytes(self.mass) + draws

    def read(self, reader: StateReader) -> None:
        """Read back what `data` returned."""
        self.mass = reader.dyadic()
        draws = self._s if self.mass else 0
        self.keys = reader.numbers((draws, self.keys.shape[1]), self._format)
        self.values = reader.numbers((draws, self.values.shape[1]), self._format)


def squared_norm(vector: Array) -> Fraction:
    """Return ‖v‖₂², exactly."""
    ratios = [x.as_integer_ratio() for x in vector.tolist()]
    common = max(below for _, below in ratios)  # all are powers of two
    return Fraction(sum((above * (common // below)) ** 2 for above, below in ratios), common**2)
