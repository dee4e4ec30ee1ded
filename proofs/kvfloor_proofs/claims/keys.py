"""L5 `keys`: address books, and the margins of their queries."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations, count
from math import prod
from operator import mul

import sympy as sp
from flint import arb, fmpq
from hypothesis import strategies as st

from kvfloor.errors import InputError
from kvfloor.families import (
    AddressBook,
    TupleBook,
    axes,
    binary_keys,
    greedy_code,
    polygon,
    roots_d,
    sign_tuples,
    tuple_keys,
)
from kvfloor.floors import greedy_size
from kvfloor.numbers import arb_precision
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Derivation,
    Family,
    Positivity,
    Relation,
    Step,
    Termwise,
    Variable,
)
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.draws import BOOKS
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["CLAIM", "C", "derivations"]

EQ, GE = Relation.EQ, Relation.GE

d, h, i, j, k, n, r, D = sp.symbols("d h i j k n r D", integer=True)
C, g, p, x, mu, rho, R, cosine = sp.symbols("C g p x mu rho R c", real=True)
w = sp.IndexedBase("w", real=True)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (
        _binary_keys(),
        _binary_keys_over_zero(),
        _orthonormal(),
        _parabola("i = j + D", 1),
        _parabola("i = j - D", -1),
        _sign_keys(),
        _blocks(),
        _spherical(),
        _polygon(),
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


def _blocks() -> Derivation:
    # The h >= 1 slots in which two tuples differ are taken to be the first; slot r loses w_r there.
    losses = Family(w[r], low=g, index=(r, 1, h))
    return Derivation(
        "Tuples of keys in blocks: the margin is that of one slot",
        Assumptions((Variable(h, 1), Variable(g, 0), losses)),
        sp.Sum(w[r], (r, 1, h)),
        (
            Step(GE, sp.Sum(g, (r, 1, h)), Termwise(Positivity()), "Each loses g or more."),
            Step(EQ, h * g, Algebra(), "h equal terms."),
            Step(GE, g, Positivity(), "Different tuples differ in some slot: h >= 1."),
        ),
    )


def _spherical() -> Derivation:
    return Derivation(
        "spherical: the margin is at least ρ(1 - cos θ)",
        Assumptions((Variable(cosine, -1, 1), Variable(p, high=cosine), Variable(rho, 0))),
        rho - rho * p,
        (Step(GE, rho * (1 - cosine), Positivity(), "No cosine p is larger than that of θ."),),
    )


def _polygon() -> Derivation:
    # x = 1 - cos(2π/n) >= 8/n² by Jordan's inequality sin t >= 2t/π. A corner moves by at most
    # 1/√2 (and a hair), so its inner products with differences by at most 2√2·R + 1 <= 3R.
    return Derivation(
        "polygon: rounding costs at most the part 3n²/(8R) of the margin R²(1 - cos(2π/n))",
        Assumptions((Variable(n, 2), Variable(R, 8), Variable(x, 8 / n**2))),
        R**2 * x - 3 * R,
        (
            Step(EQ, R**2 * x * (1 - 3 / (R * x)), Algebra(), "Take R²x out."),
            Step(
                GE,
                R**2 * x * (1 - 3 * n**2 / (8 * R)),
                Positivity(),
                "1 - cos(2π/n) = 2 sin²(π/n) >= 8/n².",
            ),
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
    promised = {"binary-keys": 2, "sign-keys": book.d - largest, "roots-e8": 4}
    require(book.margin >= promised.get(name, 1), "the margin is less than the family's")
    least = {
        "binary-keys": (book.n - 1).bit_length(),
        "orthonormal": book.n,
        "parabola": 2,
        "polygon": 2,
        "roots-d": next(a for a in range(2, 17) if 2 * a * (a - 1) >= book.n),
        "roots-e8": 8,
        "sign-keys": book.d,
        "signed-axes": (book.n + 1) // 2,
    }
    require(book.d == least[name], "the dimension is not the family's")


def property_least_dimension(data: st.DataObject, tally: Tally) -> None:
    """The least dimension, found by trying, is the one that the inequality gives."""
    del tally
    size = data.draw(st.integers(1, 40), label="n")
    least: list[tuple[Callable[[int, int], AddressBook], int]] = [
        (binary_keys, max(1, (size - 1).bit_length())),  # 2^d >= n
        (axes, (size + 1) // 2),  # 2d >= n
        (roots_d, next(a for a in range(2, 9) if 2 * a * (a - 1) >= size)),
    ]
    make, promised = data.draw(st.sampled_from(least), label="family")
    found = next(a for a in count(1) if _has_keys(make, size, a))
    require(found == promised, "another dimension is the least")


def _has_keys(make: Callable[[int, int], AddressBook], size: int, dimension: int) -> bool:
    try:
        return make(size, dimension).n == size
    except InputError:
        return False


@st.composite
def tuple_books(draw: st.DrawFn) -> TupleBook:
    """Draw an address book for tuples, of order 1 to 3."""
    order = draw(st.integers(1, 3))
    size = draw(st.integers(1, {1: 12, 2: 5, 3: 3}[order]))
    name = draw(st.sampled_from((*sorted(BOOKS), "sign-pairs")))
    if name == "sign-pairs":
        return sign_tuples(size, 32, order=order, seed=draw(st.integers(0, 99)))
    return tuple_keys(BOOKS[name](size), order)


def property_tuples(data: st.DataObject, tally: Tally) -> None:
    """Every tuple is singled out by the margin: counted in blocks, and d - μ for random signs."""
    del tally
    book = data.draw(tuple_books(), label="book")
    rows = {
        address: tuple(
            prod(K[a][c] for K, a in zip(book.keys, address, strict=True)) for c in range(book.d)
        )
        for address in book.addresses()
    }
    logits = {
        (a, b): sum(map(mul, book.direction(a), row)) for a in rows for b, row in rows.items()
    }
    gaps = [logits[a, a] - logits[a, b] for a in rows for b in rows if a != b]
    own = [logits[a, a] for a in rows]
    require(min(own) == book.zero_margin > 0, "the margin over the self token's tuples")
    require(min(gaps, default=book.zero_margin) == book.margin > 0, "the certified margin")
    if book.name != "sign-pairs" and gaps:
        slot = BOOKS[book.name.partition(" ")[0]](book.lengths[0])
        require(book.margin == slot.margin, "the margin in blocks is not that of one slot")
        require(book.zero_margin == book.order * slot.zero_margin, "nor m times that over zero")
        require(book.d == book.order * slot.d, "the dimension is not m times that of one slot")


def property_polygon(data: st.DataObject, tally: Tally) -> None:
    """The rounded polygon keeps all but 3n²/(8R) of the margin R²(1 - cos(2π/n))."""
    del tally
    size = data.draw(st.integers(2, 60), label="n")
    book, radius = polygon(size), 8 * size**2
    with arb_precision(128):
        ideal = radius**2 * (1 - arb.cos_pi_fmpq(fmpq(2, size)))
        require(bool(book.margin >= ideal * fmpq(61, 64)), "rounding costs more than 3/64")
        require(bool(book.margin <= ideal + 3 * radius), "rounding moves it by more than 3R")


def property_greedy(data: st.DataObject, tally: Tally) -> None:
    """A greedy code reaches ⌈1/I⌉ words, no two of them closer than the angle."""
    del tally
    dimension = data.draw(st.integers(2, 8), label="d")
    cos = data.draw(st.fractions(0, Fraction(2, 3), max_denominator=12), label="cos θ")
    book = greedy_code(dimension, cos, seed=data.draw(st.integers(0, 99), label="seed"))
    require(book.n == greedy_size(dimension, cos), "the code has not the guaranteed size")
    for key, other in combinations(book.keys, 2):
        inner = sum(map(mul, key, other))
        norms = sum(map(mul, key, key)) * sum(map(mul, other, other))
        require(inner <= 0 or inner**2 <= cos**2 * norms, "two words are too close")


CLAIM = Claim(
    slug="keys",
    title="keys and queries with a margin, for n tokens and for all n^m tuples of them",
    statement="""\
An address book is a set of n keys with a query for each whose logit exceeds all others by the
margin g. With queries of strength C:

* `orthonormal`: unit vectors; d = n, g = C.
* `binary-keys`: different rows of {-1,+1}^d, q = C·k; d = ⌈log₂ n⌉, g >= 2C.
* `sign-keys`: rows of {-1,+1}^d with inner products of at most μ, q = C·k; g >= C(d - μ). In
  which dimensions there are such rows is the claim [`sign-keys`](sign-keys.md).
* `parabola`: k_j = (j, -j²), q_i = C(2i, 1) for j = 1 … n; d = 2, g = C.
* `spherical`: unit vectors at angles of θ or more, ‖q‖ = ρ; g = ρ(1 - cos θ). `polygon` has
  θ = 2π/n in d = 2, and rounding its corners at radius R = 8n² costs at most 3/64 of g;
  `signed-axes` has 2d vectors at 90°, `roots-d` 2d(d-1) at 60°, `roots-e8` 240 at 60° in d = 8.
  A `greedy` code has at least 1/I words, where `I = I_{sin²θ}((d-1)/2, 1/2)/2` is the part of the
  sphere within θ <= 90° of a point.

The margin over a key of zeros, which the self token has, is C·d for signs, ρ for `spherical`, C at
least for the others.

Address books for all n^m tuples, one key matrix a slot: any of these in blocks, slot r with its
keys in columns of its own and ones elsewhere, has the same margin in m·d dimensions, so
`d = m⌈log₂ n⌉` with `binary-keys` and 2m with `parabola`. `sign-pairs` has independent random
signs in every slot.""",
    source="TMT; L5",
    assumptions=(
        "C > 0, n >= 2",
        "sin t >= 2t/π on [0, π/2] (Jordan)",
        "caps around the words of a code to which nothing can be added cover the sphere",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(
        property_margins,
        property_least_dimension,
        property_tuples,
        property_polygon,
        property_greedy,
    ),
)
