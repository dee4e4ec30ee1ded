"""What both kinds of certificate say of family, guarantee and query, rebuilt and compared."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from kvfloor.certificates.text import Document, InvalidError, MalformedError, compare
from kvfloor.errors import InputError
from kvfloor.families import (
    AddressBook,
    BinaryValues,
    Bits,
    Token,
    attend_to,
    axes,
    binary_keys,
    orthonormal,
    parabola,
    polygon,
    roots_d,
    roots_e8,
    sign_rows,
)
from kvfloor.floors import Guarantee, threshold

__all__ = [
    "MOST_WORK",
    "checked_bits",
    "checked_family",
    "checked_query",
    "most_work",
    "output",
    "public_part",
    "query_part",
    "rebuild_family",
]

GRID_BITS = 64  # outputs are given as neighbouring multiples of 2**-64: a format constant
MOST_WORK = 2_500_000  # about as many microseconds
BY_SIZE = {
    "orthonormal": orthonormal,
    "parabola": parabola,
    "polygon": polygon,
    "roots-e8": roots_e8,
}
BY_SHAPE = {"binary-keys": binary_keys, "signed-axes": axes, "roots-d": roots_d}


def public_part(family: BinaryValues) -> Document:
    """Return what a certificate says of its family and guarantee, all of it recomputable.

    Raises
    ------
    InputError
        If the checker could not build the family's book from its name.
    """
    if family.book.name not in (*BY_SIZE, *BY_SHAPE, "sign-keys"):
        raise InputError("family", "a book that certificates can name", family.book.name)
    book: Document = {"name": family.book.name, "n": family.n, "d": family.book.d}
    if family.book.name == "sign-keys":
        book["rows"] = ["".join("-+"[x > 0] for x in row) for row in family.book.keys]
    return {
        "family": {
            "name": "binary-values",
            "order": family.order,
            "d_v": family.d_v,
            "self_token": family.self_token,
            "book": book,
            "multiplier": family.multiplier,
            "competitors": str(family.competitors),
            "margin": str(family.margin),
            "size": family.size,
        },
        "guarantee": {
            "eta": str(family.guarantee.eta),
            "alpha": str(family.guarantee.alpha),
            "threshold": str(threshold(family.guarantee)),
        },
    }


def query_part(family: BinaryValues, address: int, column: int) -> Document:
    """Return what a certificate says of the query for one symbol."""
    return {
        "address": address,
        "column": column,
        "vector": [str(c) for c in family.query(address)],
    }


def output(family: BinaryValues, bits: Sequence[int], address: int, column: int) -> Document:
    """Return the true output as a certificate gives it.

    It lies between ``lower`` and ``upper``, neighbouring multiples of 2**-GRID_BITS, or is one.
    """
    tokens = [
        Token(keys, tuple(value[column : column + 1] for value in values))
        for keys, values in family.encode(bits)
    ]
    lower, upper = attend_to(tokens)(family.query(address)).bounds(0, GRID_BITS)
    return {"lower": str(lower), "upper": str(upper)}


def checked_family(document: Document) -> BinaryValues:
    """Return the family a certificate speaks of, if all that it says of it is true.

    Raises
    ------
    InvalidError, MalformedError
        If it is not, or the family is too large to check.
    """
    family = rebuild_family(document)
    for part, truth in public_part(family).items():
        compare(part, document[part], truth)
    return family


def checked_bits(family: BinaryValues, text: str, part: str) -> Bits:
    """Return an instance as bits; `InvalidError` if there are not N of them."""
    if len(text) != family.size:
        raise InvalidError(f"{part}: {len(text)} bits, N is {family.size}")
    return tuple(map(int, text))


def checked_query(family: BinaryValues, document: Document) -> tuple[int, int]:
    """Return address and column of the query; `InvalidError` if there are none or it lies."""
    query = document["query"]
    if query["address"] >= family.n or query["column"] >= family.d_v:
        raise InvalidError("query: no such address and column")
    truth = query_part(family, query["address"], query["column"])
    compare("query.vector", query["vector"], truth["vector"])
    return query["address"], query["column"]


def most_work(*, order: int, d_v: int, self_token: bool, rows: int, d: int) -> int:
    """Return about how many microseconds it takes to check a certificate of a family.

    Weights are rounded up from measurements: tuples of two instances, their logits, the book's
    margins, and the symbols.
    """
    tuples = (rows + self_token) ** order
    return int(max(15 * tuples, tuples * (d + 1) // 5, rows**2 * (d + 16) // 1000, rows * d_v))


def rebuild_family(document: Document) -> BinaryValues:
    """Return the family that a certificate names, whatever else it says of it.

    Raises
    ------
    InvalidError, MalformedError
        If there is none, or it is too large to check.
    """
    family, guarantee = document["family"], document["guarantee"]
    book, order, d_v = family["book"], family["order"], family["d_v"]
    rows = max(book["n"], len(book.get("rows", ())))
    d = max(book["d"], rows if book["name"] == "orthonormal" else 1)
    self_token = family["self_token"]
    needed = most_work(order=order, d_v=d_v, self_token=self_token, rows=rows, d=d)
    if needed > MOST_WORK:
        raise MalformedError("family: too large to be checked in seconds")
    try:
        return BinaryValues(
            _rebuild_book(book),
            d_v=d_v,
            order=order,
            self_token=self_token,
            guarantee=Guarantee(Fraction(guarantee["eta"]), Fraction(guarantee["alpha"])),
        )
    except InputError as error:
        raise InvalidError(f"family: {error}") from None


def _rebuild_book(book: Document) -> AddressBook:
    name, n, d = book["name"], book["n"], book["d"]
    if name in BY_SIZE:
        return BY_SIZE[name](n)
    if name in BY_SHAPE:
        return BY_SHAPE[name](n, d)
    if [len(row) for row in book["rows"]] != [d] * n:
        raise InputError("rows", f"n = {n} rows of d = {d} signs", "others")
    rows = sign_rows([[int(sign == "+") for sign in row] for row in book["rows"]])
    return AddressBook.certified(name, rows, rows)
