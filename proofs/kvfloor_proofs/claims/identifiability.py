"""S3 `identifiability`: the symmetries of D1 are all that answers do not tell."""

from __future__ import annotations

from itertools import product
from math import prod
from random import Random
from typing import Any

import sympy as sp
from flint import arb, fmpq, fmpq_mat
from hypothesis import strategies as st

from kvfloor.floors import Parameter, free_parameters, identifiable, minor, parameters
from kvfloor.numbers import arb_precision
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Derivation,
    Family,
    Relation,
    Step,
    Variable,
)
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.properties import Falsified, Tally, require

__all__ = [
    "CLAIM",
    "certified_rank",
    "d",
    "d_v",
    "derivations",
    "m",
    "n",
    "property_lower_side",
    "property_upper_side",
    "shape_of",
    "symbol",
    "symmetry_directions",
]

EQ = Relation.EQ

m, n, M, j, d, d_v = sp.symbols("m n M j d d_v", integer=True)
q, key, other, tau, shift = sp.symbols("q k l tau delta", real=True)
s, w = (sp.IndexedBase(name, real=True)[j] for name in ("s", "w"))

_DRAWS = 20
_PRECISION = 300

Direction = dict[Parameter, Any]


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (_scaled(), _shifted(), _count_of_one_slot(), _count())


def _scaled() -> Derivation:
    nonzero = Variable(tau, 0, low_open=True)
    scaled, unscaled = sp.symbols("k' l'", real=True)
    named = ((scaled, tau * key), (unscaled, other / tau))
    return Derivation(
        "Scaling a column in one slot by τ and in another by 1/τ leaves every product as it was",
        Assumptions((Variable(q), Variable(key), Variable(other), nonzero), named),
        q * scaled * unscaled,
        (Step(EQ, q * key * other, Algebra(), "τ cancels."),),
    )


def _shifted() -> Derivation:
    def mean(logit: sp.Expr) -> sp.Expr:
        limits = (j, 1, M)
        return sp.Sum(sp.exp(logit) * w, limits) / sp.Sum(sp.exp(logit), limits)

    families = (Family(s, index=(j, 1, M)), Family(w, index=(j, 1, M)))
    return Derivation(
        "For order 1, one vector added to all keys moves all logits alike, and no output",
        Assumptions((Variable(M, 1), Variable(shift), *families)),
        mean(s + shift),
        (Step(EQ, mean(s), Algebra(), "exp(δ) cancels."),),
    )


_SHAPE = (Variable(n, 2), Variable(d, 1), Variable(d_v, 1))


def _count_of_one_slot() -> Derivation:
    return Derivation(
        "Order 1: with row 0 of the keys fixed, this many entries are left",
        Assumptions(_SHAPE),
        (n - 1) * d + n * d_v,
        (Step(EQ, n * (d + d_v) - d, Algebra(), "Multiply out."),),
    )


def _count() -> Derivation:
    return Derivation(
        "Order m >= 2: with row 0 of all slots but the first fixed, this many are left",
        Assumptions((Variable(m, 2), *_SHAPE)),
        n * (d + d_v) + (m - 1) * (n - 1) * (d + d_v),
        (Step(EQ, m * n * (d + d_v) - (m - 1) * (d + d_v), Algebra(), "Multiply out."),),
    )


def symmetry_directions(order: int, n: int, d: int, d_v: int) -> list[Direction]:
    """Return the directions in which outputs do not move, entries as SymPy expressions.

    With a single token: every entry of a key, and scalings of the values. For order 1, shifts of
    all keys. For order >= 2, scalings of a column in slot 1 against another slot.
    """
    entries = parameters(order, n, d, d_v)
    if n == 1:
        single = [{p: sp.Integer(1)} for p in entries if p.part == "key"]
        return single + [x for x in _scalings(order, n, d, d_v) if next(iter(x)).part == "value"]
    if order == 1:
        return [
            {p: sp.Integer(1) for p in entries if p.part == "key" and p.column == c}
            for c in range(d)
        ]
    return _scalings(order, n, d, d_v)


def _scalings(order: int, n: int, d: int, d_v: int) -> list[Direction]:
    return [
        {
            p: symbol(p) if p.slot == 0 else -symbol(p)
            for p in parameters(order, n, d, d_v)
            if (p.part, p.column) == (part, column) and p.slot in (0, slot)
        }
        for part, width in (("key", d), ("value", d_v))
        for column in range(width)
        for slot in range(1, order)
    ]


def symbol(p: Parameter) -> Any:
    """Return the SymPy symbol for a parameter."""
    return sp.Symbol(f"{p.part[0]}_{p.slot}_{p.row}_{p.column}", real=True)


def certified_rank(order: int, n: int, d: int, d_v: int, seed: int) -> int:
    """Return a lower bound on the generic rank: the size of a minor that is certified non-zero.

    Draws keys, values and queries; a minor that its ball does not part from 0 is drawn again.

    Raises
    ------
    Falsified
        If no draw gives one.
    """
    random = Random(seed)  # noqa: S311 - no secret

    def matrix(rows: int, columns: int) -> list[list[arb]]:
        drawn = [[random.randint(-500, 500) for _ in range(columns)] for _ in range(rows)]
        return [[arb(fmpq(x, 250)) for x in row] for row in drawn]

    free = free_parameters(order, n, d, d_v)
    with arb_precision(_PRECISION):
        for _ in range(_DRAWS):
            keys, values = ([matrix(n, width) for _ in range(order)] for width in (d, d_v))
            if minor(matrix(len(free), d), keys, values, free).det() != 0:
                return len(free)
    raise Falsified(f"no non-zero minor of size {len(free)} in {_DRAWS} draws")


def shape_of(data: st.DataObject) -> tuple[int, int, int, int]:
    """Draw order, n, d and d_v, small."""
    order = data.draw(st.integers(1, 3), label="m")
    n_ = data.draw(st.integers(1, 4 - order // 2), label="n")
    return (
        order,
        n_,
        data.draw(st.integers(1, 2), label="d"),
        data.draw(st.integers(1, 3), label="d_v"),
    )


def property_lower_side(data: st.DataObject, tally: Tally) -> None:
    """A minor of the size of the rank is not zero, by balls: the rank is at least this."""
    del tally
    shape = shape_of(data)
    rank = certified_rank(*shape, data.draw(st.integers(0, 99), label="seed"))
    require(rank == identifiable(*shape), "the minor has another size")


def property_upper_side(data: st.DataObject, tally: Tally) -> None:
    """The derivative along every symmetry direction is zero, symbolically; they are independent."""
    del tally
    order, n_, d_, d_v_ = shape = shape_of(data)
    directions = symmetry_directions(*shape)
    for direction in directions:
        tuples = list(product(range(n_), repeat=order))
        logits = [_moved(direction, t, d_, "key") for t in tuples]
        values = [x for t in tuples for x in _moved(direction, t, d_v_, "value")]
        alike = (sp.expand(x - y) for row in logits for x, y in zip(row, logits[0], strict=True))
        require(all(x == 0 for x in alike), "one logit moves, another does not")
        require(all(sp.expand(x) == 0 for x in values), "a value moves")
    entries = parameters(*shape)
    point = Random(data.draw(st.integers(0, 99), label="seed"))  # noqa: S311 - no secret
    at = {symbol(p): sp.Integer(point.randint(1, 99)) for p in entries}
    rows = [[fmpq(int(sp.sympify(x.get(p, 0)).xreplace(at))) for p in entries] for x in directions]
    independent = fmpq_mat(rows).rank() if rows else 0
    require(independent == len(directions), "the directions are not independent")
    require(len(entries) - independent == identifiable(*shape), "their number is another")


def _moved(direction: Direction, t: tuple[int, ...], width: int, part: str) -> list[Any]:
    """Derivatives along a direction of the products Π K[j_r, c], or Π V, in every column."""
    moves = []
    for c in range(width):
        entries = [Parameter(part, r, row, c) for r, row in enumerate(t)]
        whole = prod((symbol(p) for p in entries), start=sp.Integer(1))
        moves.append(sum((whole.diff(symbol(p)) * direction.get(p, 0) for p in entries), sp.S.Zero))
    return moves


CLAIM = Claim(
    slug="identifiability",
    title="answers tell n(d+d_v)-d numbers for order 1, mn(d+d_v)-(m-1)(d+d_v) for m >= 2",
    statement="""\
The map from keys and values of n >= 2 tokens to the attention function has generic rank
`n(d + d_v) - d` for order 1 and `mn(d + d_v) - (m-1)(d + d_v)` for order m >= 2: what is lost are
exactly the symmetries of D1, one vector added to all keys for m = 1, a column scaled in one slot
and scaled back in another for m >= 2. For the paper's case, d_v = d and m = 2, it is (4n-2)d.

A single token is an exception for every order: then only the products of its values are told,
and the rank is d_v. (For m = 1 that is what the formula says.)""",
    source="S3",
    assumptions=(
        "generic: off the zeros of an analytic function that is not zero everywhere",
        "the lower side is certified for m <= 3 and small n, d, d_v; the upper side is general",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(property_lower_side, property_upper_side),
)
