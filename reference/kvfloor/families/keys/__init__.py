"""Address books: n keys, or a tuple of keys for each slot, told apart by certified margins (L5)."""

from kvfloor.families.keys.book import AddressBook
from kvfloor.families.keys.pairs import PairBook, binary_pairs, sign_pairs
from kvfloor.families.keys.signs import sign_keys, sign_rows, sign_tuples
from kvfloor.families.keys.single import binary_keys, orthonormal, parabola
from kvfloor.families.keys.spherical import axes, greedy_code, polygon, roots_d, roots_e8
from kvfloor.families.keys.ties import TieBook, tied_keys
from kvfloor.families.keys.tuples import TupleBook, tuple_keys

__all__ = [
    "AddressBook",
    "PairBook",
    "TieBook",
    "TupleBook",
    "axes",
    "binary_keys",
    "binary_pairs",
    "greedy_code",
    "orthonormal",
    "parabola",
    "polygon",
    "roots_d",
    "roots_e8",
    "sign_keys",
    "sign_pairs",
    "sign_rows",
    "sign_tuples",
    "tied_keys",
    "tuple_keys",
]
