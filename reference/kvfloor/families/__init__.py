"""Hard instances: address books, and families of values and keys that answers tell apart."""

from kvfloor.families.binary_values import BinaryValues, Bits, Token, attend_to, stack
from kvfloor.families.candidate_sets import candidates
from kvfloor.families.dense import Dense
from kvfloor.families.given_values import GivenValues, told_levels
from kvfloor.families.keys.book import AddressBook
from kvfloor.families.keys.pairs import PairBook, binary_pairs, sign_pairs
from kvfloor.families.keys.signs import sign_keys, sign_rows, sign_tuples
from kvfloor.families.keys.single import binary_keys, orthonormal, parabola
from kvfloor.families.keys.spherical import axes, greedy_code, polygon, roots_d, roots_e8
from kvfloor.families.keys.ties import TieBook, tied_keys
from kvfloor.families.keys.tuples import TupleBook, tuple_keys
from kvfloor.families.paired import PairedValues
from kvfloor.families.quantised_gap import ratio_at_most, tightness
from kvfloor.families.separated_sets import Separation, separation
from kvfloor.families.sharp import Sharp

__all__ = [
    "AddressBook",
    "BinaryValues",
    "Bits",
    "Dense",
    "GivenValues",
    "PairBook",
    "PairedValues",
    "Separation",
    "Sharp",
    "TieBook",
    "Token",
    "TupleBook",
    "attend_to",
    "axes",
    "binary_keys",
    "binary_pairs",
    "candidates",
    "greedy_code",
    "orthonormal",
    "parabola",
    "polygon",
    "ratio_at_most",
    "roots_d",
    "roots_e8",
    "separation",
    "sign_keys",
    "sign_pairs",
    "sign_rows",
    "sign_tuples",
    "stack",
    "tied_keys",
    "tightness",
    "told_levels",
    "tuple_keys",
]
