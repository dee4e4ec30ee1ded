"""What comes in and goes out: rationals, arrays of any framework, binary formats, precision."""

from kvfloor.numbers.arrays import (
    Matrix,
    Vector,
    as_booleans,
    as_matrix,
    as_vector,
    floats,
    rationals,
    read,
    read_extended,
    read_rows,
)
from kvfloor.numbers.formats import FORMATS, BinaryFormat, Rounding, as_format, as_rounding
from kvfloor.numbers.frameworks import Array, is_array, to_framework, to_framework_of, to_numpy
from kvfloor.numbers.precision import arb_precision, mpmath_precision
from kvfloor.numbers.scalars import (
    as_count,
    as_fraction,
    as_positive,
    ball_ends,
    shown,
    to_fmpq,
    to_fraction,
)

__all__ = [
    "FORMATS",
    "Array",
    "BinaryFormat",
    "Matrix",
    "Rounding",
    "Vector",
    "arb_precision",
    "as_booleans",
    "as_count",
    "as_format",
    "as_fraction",
    "as_matrix",
    "as_positive",
    "as_rounding",
    "as_vector",
    "ball_ends",
    "floats",
    "is_array",
    "mpmath_precision",
    "rationals",
    "read",
    "read_extended",
    "read_rows",
    "shown",
    "to_fmpq",
    "to_fraction",
    "to_framework",
    "to_framework_of",
    "to_numpy",
]
