"""A drawing of dots, stored as the values of a hard instance and read back through a cache."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, NamedTuple

from kvfloor.audit.auditor import DEFAULT_ALPHA, as_seconds
from kvfloor.audit.reading_back import Reader
from kvfloor.audit.symbol_families import HardShape, offered
from kvfloor.floors import Guarantee
from kvfloor.isolation import SECONDS, Factory, Shape
from kvfloor.numbers import as_count

__all__ = ["Dots", "Drawing", "dots", "read_drawing", "stored_drawing"]

Dots = tuple[tuple[int, ...], ...]


class Drawing(NamedTuple):
    """What a cache gave back of the drawing.

    Attributes
    ----------
    dots : tuple of tuples of 0 and 1
        Those that answers reveal, a column for a token.
    bits : int
        Of the state that they came from.
    """

    dots: Dots
    bits: int

    @property
    def wrong(self) -> int:
        """Dots that are not as they were stored."""
        stored = dots(len(self.dots), len(self.dots[0]))
        pairs = zip(self.dots, stored, strict=True)
        return sum(x != y for told, column in pairs for x, y in zip(told, column, strict=True))


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


def stored_drawing(
    factory: Factory,
    *,
    n: int,
    d: int,
    order: int = 2,
    eta: Any = 0,
    alpha: Any = DEFAULT_ALPHA,
    seconds: float = SECONDS,
    seed: int = 0,
) -> Drawing:
    """Store a drawing of n × d dots in a cache, as the values of its tokens, and read it back.

    The cache runs in processes of its own. It is asked for each token, from its state alone.

    Parameters
    ----------
    factory, n, d, order, eta, alpha, seconds, seed
        As for `audit`; η and α say how sharply queries ask.

    Raises
    ------
    InputError
        For a number out of range, or a factory that other processes cannot find.
    Misbehaviour
        Of `kvfloor.isolation`: if the cache does what no cache may do, or refuses the tokens.
    """
    shape = HardShape(
        as_count(order, "order", 1),
        as_count(n, "n", 1),
        as_count(d, "d", 1),
        d,
        Guarantee(eta, alpha),
    )
    return read_drawing(factory, shape, seconds=as_seconds(seconds), coins=as_count(seed, "seed"))


def read_drawing(factory: Factory, shape: HardShape, *, seconds: float, coins: int) -> Drawing:
    """Store the drawing in a cache, and return what answers reveal.

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
    columns = (family.revealed(a, answer) for a, answer in found.answers.items())
    return Drawing(tuple(columns), found.bits)
