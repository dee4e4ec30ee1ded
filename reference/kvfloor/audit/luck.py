"""Random instances that all come back from few bits: how likely that is (T6), and what is said."""

from __future__ import annotations

from fractions import Fraction

from kvfloor.floors import states_up_to
from kvfloor.isolation import Misbehaviour

__all__ = ["AS_LIKELY_AS_NOT", "at_most", "states_of", "too_good"]

AS_LIKELY_AS_NOT = Fraction(1, 2)  # what has no smaller probability says nothing


def states_of(sizes: set[int]) -> int:
    """How many states there can be, by the bits of some.

    Those that all had the same bits are taken to have them always.
    """
    most = max(sizes)
    return 1 << most if len(sizes) == 1 else states_up_to(most)


def too_good(symbols: str, instances: int, bits: int | None, luck: Fraction) -> Misbehaviour:
    """What to raise where more came back than states hold."""
    reason = (
        f"all {symbols} of {instances} random instances are right from {bits} bits, which has "
        f"probability at most {at_most(luck)} unless something is kept outside the state"
    )
    return Misbehaviour("outside-state", reason)


def at_most(chance: Fraction) -> str:
    """A power of two that is at least a chance, which is at most 1/2."""
    return f"2^-{(chance.denominator // chance.numerator).bit_length() - 1}"
