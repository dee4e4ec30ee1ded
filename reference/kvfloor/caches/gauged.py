"""The 2m-cache with rounded entries, less those that the symmetries of attention fix (S5)."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar

from kvfloor.caches.quantised import KEY, QuantisedCache
from kvfloor.floors import gauged_bits

__all__ = ["GaugedCache"]


class GaugedCache(QuantisedCache):
    """Keeps the cells of as many entries as answers can tell apart, the rank of S3.

    Tokens come in the gauge: the first one has ones in all slots but the first, as keys and as
    values; for order 1 its key is zero. It is not for the cache to bring them there. Dividing by
    the entries of the first token is exact over the rationals, but moves the others out of every
    box as an entry comes near zero, and an entry that is zero has no gauge.

    Parameters and errors are those of `QuantisedCache`; a token that is not in the gauge is an
    `InputError` too.
    """

    serves: ClassVar[str] = "gauge"

    def _fixed(self, part: int, slot: int, *, first: bool) -> Fraction | None:
        if self._shape.order == 1:
            return Fraction(0) if first and part == KEY else None
        return Fraction(1) if first and slot else None

    def state_bits(self) -> int:
        """Return the bits of the largest state of as many tokens."""
        shape = self._shape
        return gauged_bits(self._tokens, shape.d, shape.d_v, self._cells, order=shape.order)
