"""Floors of a whole model: of each layer and each head with keys of its own, added up (H1, H2).

A token brings keys and values for every layer and every key-value head, and a query names one of
them. Then the instances of all parts together are those of each part, multiplied, and bits add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kvfloor.errors import InputError
from kvfloor.floors.largest import MOST_LEVELS, Floor, every_floor
from kvfloor.floors.levels import address_entries
from kvfloor.floors.retrieval import symbol_bits
from kvfloor.numbers import as_count, shown

__all__ = [
    "Part",
    "PartFloors",
    "heads_and_layers",
    "latent_part",
    "model_floors",
    "stored_bits",
    "total_bits",
]


@dataclass(frozen=True)
class Part:
    """Layers that are alike.

    Query heads that share keys and values count once. A latent is a key-value head of its own: its
    keys are the entries that queries meet directly, its values the latent (`latent-heads`).

    Parameters
    ----------
    layers, heads : int
        How many layers, and key-value heads in each.
    d, d_v : int
        Entries of a key, and of a value.
    window : int, optional
        Tokens that a query sees; by default all.

    Raises
    ------
    InputError
        If a number is below 1.
    """

    layers: int
    heads: int
    d: int
    d_v: int
    window: int | None = None

    def __post_init__(self) -> None:
        for name in ("layers", "heads", "d", "d_v"):
            as_count(getattr(self, name), name, 1)
        if self.window is not None:
            as_count(self.window, "window", 1)

    def tokens(self, n: int) -> int:
        """Return how many of n tokens a query sees."""
        return n if self.window is None else min(n, self.window)


def heads_and_layers(layers: Any, heads: Any, bits: Any) -> Any:
    """Bits, or symbols, of all layers and key-value heads, where each has as many (H1)."""
    return layers * heads * bits


def stored_bits(parts: Sequence[Part], n: int, bits: int = 16, *, order: int = 1) -> int:
    """Return the bits of a cache that keeps every key and value, each entry in so many bits."""
    entries = (
        heads_and_layers(part.layers, part.heads, part.tokens(n) * (part.d + part.d_v) * bits)
        for part in parts
    )
    return order * int(sum(entries))


def latent_part(
    layers: int, rank: int, rotary: int, columns: int, window: int | None = None
) -> Part:
    """Return layers whose heads all read one latent a token, as a part (H2 `latent-heads`).

    With public weights that let queries meet the rotary entries alone, they name the token, and
    the latent is its value, read a few columns a head. Where there are fewer than two of them the
    latent gives up entries for that.

    Parameters
    ----------
    layers : int
    rank, rotary : int
        Entries of the latent, and of the key beside it that all heads share.
    columns : int
        Entries of the values of all heads together.
    window : int, optional

    Raises
    ------
    InputError
        If a number is too small, or heads cannot read the whole latent.
    """
    rank, rotary = as_count(rank, "rank", 1), as_count(rotary, "rotary")
    d = max(rotary, address_entries(1, 3, tied=False))
    free = rank - (d - rotary)
    if free < 1:
        raise InputError("rank", f"at least {d - rotary + 1}, as two entries name it", str(rank))
    if as_count(columns, "columns", 1) < free:
        raise InputError("columns", f"at least {free}, to read the latent", str(columns))
    return Part(layers, 1, d, free, window)


@dataclass(frozen=True)
class PartFloors:
    """What a part needs, and what it is stored in.

    Attributes
    ----------
    part : Part
    tokens : int
        That a query sees.
    floors : tuple of Floor
        Of all its layers and heads together, the largest first.
    """

    part: Part
    tokens: int
    floors: tuple[Floor, ...]


def model_floors(
    parts: Sequence[Part],
    n: int,
    *,
    order: int = 1,
    eta: Any = 0,
    alpha: Any = 0,
    delta: Any = 0,
    rho: Any = None,
    levels: int = MOST_LEVELS,
) -> tuple[PartFloors, ...]:
    """Return every floor that applies, part by part.

    Parameters
    ----------
    parts : sequence of Part
        Of a configuration of Transformers, what `kvfloor.adapters.read_configuration` returns.
    n : int
        Tokens, at least 1.
    order, eta, alpha, delta, rho, levels
        As for `every_floor`.

    Raises
    ------
    InputError
        As `every_floor`, and if one of the parts is no `Part`.

    Notes
    -----
    H1 `heads-and-layers`; the order of the terms is that of the parts.
    """
    n = as_count(n, "n", 1)
    if not all(isinstance(part, Part) for part in parts):
        raise InputError("parts", "a sequence of Part, as read_configuration makes", shown(parts))
    terms: dict[str, Any] = {"order": order, "eta": eta, "alpha": alpha, "delta": delta, "rho": rho}
    terms |= {"levels": levels}
    return tuple(_floors_of(part, part.tokens(n), terms) for part in parts)


def _floors_of(part: Part, tokens: int, terms: dict[str, Any]) -> PartFloors:
    of_one = every_floor(tokens, part.d, d_v=part.d_v, **terms)
    floors = []
    for floor in of_one:
        symbols = heads_and_layers(part.layers, part.heads, floor.symbols)
        bits = symbol_bits(symbols, floor.levels, terms["delta"])
        floors.append(Floor(floor.claim, bits, symbols, floor.levels))
    return PartFloors(part, tokens, tuple(floors))


def total_bits(bits: Sequence[int]) -> int:
    """Return the bits of parts together, each rounded up: less one for all but one of them.

    What parts need adds up before it is rounded, so the sum of rounded floors is too large by less
    than one bit for each, and is a whole number.
    """
    return max(sum(bits) - max(len(bits) - 1, 0), 0)
