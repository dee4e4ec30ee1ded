"""L5 `keys`: address books, and the margins of their queries."""

from __future__ import annotations

from operator import mul

import sympy as sp
from hypothesis import strategies as st

from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Derivation,
    Positivity,
    Relation,
    Step,
    Variable,
)
from kvfloor_proofs.claim import Claim, Tally, require
from kvfloor_proofs.draws import BOOKS

__all__ = ["CLAIM", "derivations"]

EQ, GE = Relation.EQ, Relation.GE

d, h, i, j, k, D = sp.symbols("d h i j k D", integer=True)
C, p, mu = sp.symbols("C p mu", real=True)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (
        _binary_keys(),
        _binary_keys_over_zero(),
        _orthonormal(),
        _parabola("i = j + D", 1),
        _parabola("i = j - D", -1),
        _sign_keys(),
    )


_STRENGTH = Variable(C, 0)
_SIGNS = sp.Sum(sp.Integer(1), (k, 1, d))  # a sign times itself, in each of d places


def _binary_keys() -> Derivation:
    # The h >= 1 places in which the two keys differ are taken to be the first.
    product = sp.Sum(sp.Integer(-1), (k, 1, h)) + sp.Sum(sp.Integer(1), (k, h + 1, d))
    return Derivation(
        "binary-keys: the margin is at least 2C",
        Assumptions((Variable(d, 1), Variable(h, 1, d), _STRENGTH)),
        C * (_SIGNS - product),
        (
            Step(EQ, 2 * C * h, Algebra(), "Each of the h places that differ counts twice."),
            Step(GE, 2 * C, Positivity(), "Different keys differ somewhere: h >= 1."),
        ),
    )


def _binary_keys_over_zero() -> Derivation:
    return Derivation(
        "binary-keys: over a key of zeros it is C·d, which is 2C or more from d = 2 on",
        Assumptions((Variable(d, 2), _STRENGTH)),
        C * _SIGNS,
        (
            Step(EQ, C * d, Algebra(), "A sign times itself is 1."),
            Step(GE, 2 * C, Positivity(), "d >= 2."),
        ),
    )


def _orthonormal() -> Derivation:
    norm, product = sp.symbols("a b", real=True)
    return Derivation(
        "orthonormal: the margin is C, over a key of zeros too",
        Assumptions((_STRENGTH,), ((norm, sp.Integer(1)), (product, sp.Integer(0)))),
        C * norm - C * product,
        (Step(EQ, C, Algebra(), "A key has norm 1, and inner product 0 with any other."),),
    )


def _parabola(case: str, sign: int) -> Derivation:
    # k_j = (j, -j²) and q_i = C(2i, 1); j = 0 is a key of zeros.
    return Derivation(
        f"parabola: the margin is at least C, where {case} with D >= 1",
        Assumptions((Variable(j), Variable(D, 1), _STRENGTH), ((i, j + sign * D),)),
        C * (2 * i * i - i**2) - C * (2 * i * j - j**2),
        (
            Step(EQ, C * (i - j) ** 2, Algebra(), "Complete the square."),
            Step(GE, C, Positivity(), "Different integers are at least 1 apart."),
        ),
    )


def _sign_keys() -> Derivation:
    return Derivation(
        "sign-keys: the margin is at least C(d-μ), over a key of zeros too if μ >= 0",
        Assumptions((Variable(d, 1), Variable(mu), Variable(p, high=mu), _STRENGTH)),
        C * _SIGNS - C * p,
        (
            Step(EQ, C * (d - p), Algebra(), "A sign times itself is 1."),
            Step(GE, C * (d - mu), Positivity(), "No inner product p is larger than μ."),
        ),
    )


def property_margins(data: st.DataObject, tally: Tally) -> None:
    """Every query singles out its key by the margin, and by the margin that the family promises."""
    del tally
    name = data.draw(st.sampled_from(sorted(BOOKS)), label="family")
    book = BOOKS[name](data.draw(st.integers(2, 16), label="n"))
    logits = [[sum(map(mul, u, key)) for key in book.keys] for u in book.directions]
    margins = [
        row[i] - max(logit for j, logit in enumerate(row) if j != i) for i, row in enumerate(logits)
    ]
    own = [row[i] for i, row in enumerate(logits)]
    require(min(margins) == book.margin > 0, "the certified margin is not the least one")
    require(min(own) == book.zero_margin, "nor is the one over a key of zeros")
    largest = max(row[j] for i, row in enumerate(logits) for j in range(book.n) if i != j)
    promised = {"binary-keys": 2, "orthonormal": 1, "parabola": 1, "sign-keys": book.d - largest}
    require(book.margin >= promised[name], "the margin is less than the family's")
    least = {"binary-keys": (book.n - 1).bit_length(), "orthonormal": book.n, "parabola": 2}
    require(book.d == least.get(name, book.d), "the dimension is not the family's")


CLAIM = Claim(
    slug="keys",
    title="n keys and queries with a margin: d = n, d = ⌈log₂ n⌉, random signs, or d = 2",
    statement="""\
An address book is a set of n keys with a query for each whose logit exceeds all others by the
margin g. With queries of strength C:

* `orthonormal`: unit vectors; d = n, g = C.
* `binary-keys`: different rows of {-1,+1}^d, q = C·k; d = ⌈log₂ n⌉, g = 2C.
* `sign-keys`: rows of {-1,+1}^d with inner products of at most μ, q = C·k; g = C(d - μ).
* `parabola`: k_j = (j, -j²), q_i = C(2i, 1) for j = 1 … n; d = 2, g = C.

The margin over a key of zeros, which the self token has, is C, C·d, C·d and C at least.""",
    source="TMT; L5",
    assumptions=("C > 0", "d >= 1"),
    verdict="holds",
    derivations=derivations,
    properties=(property_margins,),
)
