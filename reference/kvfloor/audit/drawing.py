"""A drawing of dots, stored as the values of a hard instance and read back through a cache."""

from __future__ import annotations

from contextlib import ExitStack

from kvfloor.audit.reading_back import Reader
from kvfloor.audit.symbol_families import HardShape, offered
from kvfloor.isolation import Factory, Shape

__all__ = ["dots", "read_drawing"]

Dots = tuple[tuple[int, ...], ...]


def dots(n: int, d_v: int) -> Dots:
    """Return a key: n columns of d_v dots, each 0 or 1, a column for a token."""
    return tuple(
        tuple(int(_in_key((4 * x + 2) / n, (y + 0.5) / d_v)) for y in range(d_v)) for x in range(n)
    )


def _in_key(x: float, y: float) -> bool:
    """Whether a point of [0, 4] × [0, 1] is in a ring, a shaft or one of two teeth."""
    far = (x - 0.7) ** 2 + (y - 0.5) ** 2
    ring = 0.05 <= far <= 0.2
    shaft = 1.1 <= x <= 3.7 and 0.4 <= y <= 0.6
    teeth = (2.8 <= x <= 3.05 or 3.4 <= x <= 3.7) and 0.6 <= y <= 0.9
    return ring or shaft or teeth


def read_drawing(factory: Factory, shape: HardShape, *, seconds: float, coins: int) -> Dots:
    """Return the dots that answers reveal, a column for a token.

    Raises
    ------
    Misbehaviour
        If the cache does what no cache may do, or refuses the instance.
    """
    (family,) = offered(shape, "binary-values", 2)
    symbols = [dot for column in dots(shape.n, shape.d_v) for dot in column]
    with ExitStack() as processes:
        told = Shape(shape.order, shape.d, shape.d_v)
        reader = Reader(factory, told, seconds=seconds, processes=processes)
        found = reader.read(family, symbols, coins)
    return tuple(family.revealed(a, answer) for a, answer in found.answers.items())
