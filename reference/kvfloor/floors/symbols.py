"""When symbols of more than one bit can be decoded, and the floors that follow (S1, S2).

A symbol k stands for the level y_k: what the output would be without leak. Generic arithmetic as
in `decoding`; with two levels, 0 and 1, all of it is L2.
"""

from __future__ import annotations

from typing import Any

from kvfloor.floors.decoding import EtaAlpha
from kvfloor.numbers import as_count

__all__ = [
    "greatest_leak",
    "grid_room",
    "least_answer",
    "paired_symbols",
    "room",
    "sharp_symbols",
    "strength_ratio",
    "symbol_ratio",
    "whole_bits",
]


def room(guarantee: EtaAlpha, below: Any, above: Any) -> Any:
    """What lies between accurate answers to two levels when nothing leaks (S1 `value-floor`).

    ``((1-η)·above - α) - ((1+η)·below + α)``: the symbols can be told apart, given margin enough,
    exactly if it is positive.
    """
    return (1 - guarantee.eta) * above - (1 + guarantee.eta) * below - 2 * guarantee.alpha


def grid_room(guarantee: EtaAlpha, L: Any) -> Any:
    """The least room between neighbours in the grid {0, 1/(L-1), …, 1} (S1 `value-floor`).

    ``(1 - η(2L-3))/(L-1) - 2α``, which is the room below the level 1.
    """
    return (1 - guarantee.eta * (2 * L - 3)) / (L - 1) - 2 * guarantee.alpha


def symbol_ratio(guarantee: EtaAlpha, competitors: Any, least_room: Any) -> Any:
    """The r in the condition ``margin > ln r`` for symbols (S1 `value-floor`): M(1+η+2α)/room.

    Parameters
    ----------
    guarantee : Guarantee
    competitors : number
        M, or M/ties where tuples tie at the top.
    least_room : number > 0
        The least `room` between neighbouring levels.
    """
    return competitors * (1 + guarantee.eta + 2 * guarantee.alpha) / least_room


def greatest_leak(guarantee: EtaAlpha, least_room: Any) -> Any:
    """The leak from which on neighbouring symbols may have one accurate answer (S1)."""
    return least_room / (1 + guarantee.eta + 2 * guarantee.alpha + least_room)


def least_answer(guarantee: EtaAlpha, level: Any, leak: Any) -> Any:
    """The least accurate answer to a level when λ leaks to values >= 0 (S1 `value-floor`).

    At the greatest leak it is a threshold: below every answer to the level, and above every
    answer to the next lower one.
    """
    return (1 - guarantee.eta) * (1 - leak) * level - guarantee.alpha


def strength_ratio(guarantee: EtaAlpha) -> Any:
    """The r in the condition ``γ > (L-1)·ln r`` on payload queries (S2): (1+3η+4α)/(1-η-4α).

    Without it no margin tells the two highest payloads apart, and so for η + 4α >= 1; where α = 0
    or L = 2 it is also enough to tell all neighbours apart.
    """
    return (1 + 3 * guarantee.eta + 4 * guarantee.alpha) / (1 - guarantee.eta - 4 * guarantee.alpha)


def paired_symbols(n: Any, d_v: Any) -> Any:
    """Symbols that the family `paired-values` holds (S1 `value-floor`): 2(n-1)·d_v."""
    return 2 * (n - 1) * d_v


def sharp_symbols(n: Any, b: Any, d_v: Any) -> Any:
    """Symbols that the family `sharp` holds (S2 `sharp-floor`): 2(n-1)(b + d_v - 2)."""
    return 2 * (n - 1) * (b + d_v - 2)


def whole_bits(symbols: int, L: int) -> int:
    """The least b with ``2**b >= L**symbols``: bits that tell all instances apart (S1, S2).

    For states that all have exactly this many bits; if lengths vary up to b, there are
    2^(b+1) - 1 states, which costs at most one bit.

    Raises
    ------
    InputError
        If ``symbols < 0`` or ``L < 2``.
    """
    return int(as_count(L, "L", 2) ** as_count(symbols, "symbols") - 1).bit_length()
