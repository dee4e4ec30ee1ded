"""The floor that a cache is held to, and a random instance of the family that it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from random import Random
from typing import NamedTuple

from kvfloor.audit.accuracy import Instance, token_of
from kvfloor.audit.symbol_families import HardShape, SymbolFamily, offered
from kvfloor.errors import InputError
from kvfloor.floors import Floor, best_floor, randomised_four_cache

__all__ = ["BINARY", "Drawn", "drawn_hardest", "floor_of_bits", "hardest_floor"]

BINARY = "binary-values"  # what a cache that is made for zeros and ones says
FAMILIES = {"value-levels": "dense", "key-levels": "dense-keys", "value-floor": "paired-values"}
MOST_ASKED = 128  # addresses of an instance
MOST_LEVELS = 257  # of its symbols: more take long to be laid out


def floor_of_bits(shape: HardShape, delta: Fraction) -> Floor:
    """Return the floor of zeros and ones: all that is asked of a cache that is made for them."""
    bits = randomised_four_cache(shape.n, shape.d_v, delta)
    return Floor("four-cache", bits, shape.n * shape.d_v, 2)


def hardest_floor(shape: HardShape, delta: Fraction) -> Floor:
    """Return the largest floor of caches that serve all inputs at the shape and guarantee."""
    eta, alpha = shape.guarantee.eta, shape.guarantee.alpha
    n, d, d_v, order = shape.n, shape.d, shape.d_v, shape.order
    return best_floor(n, d, d_v=d_v, order=order, eta=eta, alpha=alpha, delta=delta)


class Drawn(NamedTuple):
    """A random instance of a floor's family: its symbols, and the addresses that are asked."""

    family: SymbolFamily
    symbols: Sequence[int]
    addresses: Sequence[int]

    @property
    def instance(self) -> Instance:
        """What a cache is given: the nearest floats to the family's numbers. So is its truth."""
        queries = tuple(tuple(map(float, self.family.query(a))) for a in self.addresses)
        tokens = self.family.encode(self.symbols)
        return Instance(tuple(token_of(t.keys, t.values) for t in tokens), queries)

    @property
    def whole(self) -> bool:
        """Whether all symbols are asked for."""
        return len(self.addresses) == self.family.addresses

    def given_back(self, answers: Sequence[Sequence[Fraction]]) -> bool:
        """Whether answers to the queries reveal every symbol that is asked for."""
        return not self.family.wrong(self.symbols, dict(zip(self.addresses, answers, strict=True)))


def drawn_hardest(shape: HardShape, floor: Floor, rng: Random) -> Drawn | None:
    """Return a random instance of a floor's family, None if there is no such family to build."""
    family = _family(shape, floor)
    if family is None or not family.size:
        return None
    symbols = [rng.randrange(family.L) for _ in range(family.size)]
    addresses = rng.sample(range(family.addresses), min(family.addresses, MOST_ASKED))
    return Drawn(family, symbols, addresses)


def _family(shape: HardShape, floor: Floor) -> SymbolFamily | None:
    """The family with as many levels as the floor counts, or as are laid out soon."""
    name = FAMILIES.get(floor.claim)
    if name is None:
        return None
    try:
        return offered(shape, name, min(floor.levels, MOST_LEVELS))[0]
    except InputError:  # too many tuples, or too few entries of a key for its book
        return None
