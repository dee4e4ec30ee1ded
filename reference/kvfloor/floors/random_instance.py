"""What a cache under the floor does to one random instance (T6 `random-instance-fails`)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from kvfloor.errors import InputError
from kvfloor.floors.messages import least_error
from kvfloor.numbers import as_count

__all__ = ["all_correct_probability", "expected_wrong", "states_up_to"]


def states_up_to(bits: Any) -> Any:
    """States of at most b bits, the empty one included: 2^(b+1) - 1; of exactly b, 2^b (L3, T6)."""
    return 2 ** (bits + 1) - 1


def all_correct_probability(size: int, states: int) -> Fraction:
    """Return the most probable that all N bits of a uniform instance are answered right (T6).

    Parameters
    ----------
    size : int
        N, the bits of an instance.
    states : int
        How many states can occur: each lets at most one instance be answered without error.

    Raises
    ------
    InputError
        If a number is out of range.
    """
    N, count = as_count(size, "size", 1), as_count(states, "states", 1)
    return Fraction(1) if count >> N else Fraction(count, 2**N)


def expected_wrong(size: int, bits: int) -> Fraction:
    """Return N·H₂⁻¹(1 - b/N), rounded down: wrong bits to be expected in a random instance (T6).

    Parameters
    ----------
    size, bits : int
        N, and b with 2^b at least the number of states: for states of up to b bits, b + 1.

    Raises
    ------
    InputError
        If a number is out of range.
    """
    N, b = as_count(size, "size", 1), as_count(bits, "bits")
    if b > N:
        raise InputError("bits", f"at most N = {N}", str(b))
    return N * least_error(Fraction(b, N))
