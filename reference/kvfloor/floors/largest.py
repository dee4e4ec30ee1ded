"""Every floor that applies at a shape, a guarantee and norms, and the largest of them (H6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from kvfloor.errors import InputError
from kvfloor.floors.bisection import last
from kvfloor.floors.decoding import Guarantee
from kvfloor.floors.dimension import BestFloor, best
from kvfloor.floors.levels import address_entries, key_symbols, most_levels, value_symbols
from kvfloor.floors.retrieval import symbol_bits
from kvfloor.floors.symbols import grid_room, paired_symbols
from kvfloor.numbers import as_count, as_fraction, shown

__all__ = ["MOST_LEVELS", "Floor", "best_floor", "every_floor"]

MOST_LEVELS = 2**16  # an entry of 16 bits has no more
CLAIMS = {
    "all tokens": "four-cache",
    "large norms": "norm-dimension",
    "low dimension": "low-dimension",
}


@dataclass(frozen=True)
class Floor:
    """Bits that no (η, α)-accurate cache goes below, and where that comes from.

    Attributes
    ----------
    claim : str
        The slug of the claim.
    bits : int
        What every such cache needs, if all its states have as many.
    symbols, levels : int
        What its hard instances hold: so many symbols of so many levels each.
    """

    claim: str
    bits: int
    symbols: int
    levels: int


def best_floor(
    n: int,
    d: int,
    *,
    d_v: int | None = None,
    order: int = 1,
    eta: Any = 0,
    alpha: Any = 0,
    delta: Any = 0,
    rho: Any = None,
    levels: int = MOST_LEVELS,
) -> Floor:
    """Return the largest of the floors that `every_floor` finds, with the claim it comes from.

    Takes what `every_floor` takes, and raises what it raises.

    Notes
    -----
    H6 `best-floor`.
    """
    found = every_floor(
        n, d, d_v=d_v, order=order, eta=eta, alpha=alpha, delta=delta, rho=rho, levels=levels
    )
    return found[0]


def every_floor(
    n: int,
    d: int,
    *,
    d_v: int | None = None,
    order: int = 1,
    eta: Any = 0,
    alpha: Any = 0,
    delta: Any = 0,
    rho: Any = None,
    levels: int = MOST_LEVELS,
) -> tuple[Floor, ...]:
    """Return every floor that applies, the largest first.

    Parameters
    ----------
    n, d : int
        Tokens, and entries of a key; at least 1.
    d_v : int, optional
        Entries of a value; by default d.
    order : int
        m >= 1.
    eta, alpha : number
        The guarantee, η + 2α < 1.
    delta : number
        How often a query may fail it, ``0 <= δ <= 1/2``.
    rho : number or None
        Bound on σ·‖q‖·‖k‖, in nats, at least 0; None if norms are not bounded. With norms
        bounded only values hold symbols.
    levels : int
        The most levels of an entry, at least 2. For α = 0 nothing else puts an end to them.

    Raises
    ------
    InputError
        If a number is out of range.

    Notes
    -----
    H6 `best-floor`.
    """
    n, d, m = as_count(n, "n", 1), as_count(d, "d", 1), as_count(order, "order", 1)
    d_v = d if d_v is None else as_count(d_v, "d_v", 1)
    guarantee, error = Guarantee(eta, alpha).separates_bits(), as_fraction(delta, "delta")
    if not 0 <= 2 * error <= 1:
        raise InputError("delta", "a number with 0 <= delta <= 1/2", shown(error))
    most = most_levels(guarantee, as_count(levels, "levels", 2))

    @cache
    def codes(L: int) -> BestFloor:
        terms = {"eta": guarantee.eta, "alpha": guarantee.alpha}
        return best(n, d, rho=rho, d_v=d_v, levels=L, **terms)

    plain = codes(2)
    L = _best_levels(
        most,
        lambda tokens, levels: symbol_bits(tokens * d_v, levels, error),
        lambda levels: codes(levels).addresses,
    )
    found = [
        (CLAIMS[plain.regime], plain.addresses * d_v, 2),
        ("value-levels", codes(L).addresses * d_v, L),
    ]
    if rho is None:
        for slots in range(1, m + 1):  # in the other slots keys and values are ones
            found += _with_free_norms(slots, n, d, d_v, most)
        if m > 1 and address_entries(2, n, tied=False) <= d:
            grid = last(most, lambda L: L == 1 or grid_room(guarantee, L) > 0)
            found.append(("value-floor", paired_symbols(n, d_v), grid))
    largest: dict[str, Floor] = {}
    for claim, symbols, L in found:
        floor = Floor(claim, symbol_bits(symbols, L, error), symbols, L)
        if symbols > 0 and floor.bits >= largest.get(claim, floor).bits:
            largest[claim] = floor
    return tuple(sorted(largest.values(), key=lambda floor: -floor.bits))


def _with_free_norms(m: int, n: int, d: int, d_v: int, L: int) -> Iterator[tuple[str, int, int]]:
    if address_entries(m, n, tied=False) <= d:
        yield "value-levels", value_symbols(m, n, d_v), L
    payload = d - address_entries(m, n, tied=True)
    if n > 1 and payload >= 1 and d_v >= m:
        yield "key-levels", key_symbols(m, n, payload, d_v), L


def _best_levels(most: int, bits: Callable[[int, int], int], tokens: Callable[[int], int]) -> int:
    """Return the L <= most with the most bits; more levels never serve more tokens."""
    best = max((2, most), key=lambda L: bits(tokens(L), L))
    ranges = [(2, most)]
    while ranges:
        low, high = ranges.pop()
        middle = (low + high) // 2
        if tokens(low) == tokens(high) or bits(tokens(low), high) <= bits(tokens(best), best):
            continue  # nothing inside has more
        if low < middle < high:
            best = max(best, middle, key=lambda L: bits(tokens(L), L))
            ranges += [(low, middle), (middle, high)]
    return best
