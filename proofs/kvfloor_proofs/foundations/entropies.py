"""Derivations of the binary entropy: concavity, cells, the floor of INDEX with errors (L4).

Everything is stated in masses, so that no distribution has to be normalised: u_j > 0 is how much
of cell j holds a one in some place, v_j > 0 how much holds a zero. With x = u/(u+v),
``u·ln x + v·ln(1-x)`` is minus the mass times the entropy, in nats. Where a mass is 0 its term is
0, and the inequalities, none of them strict, hold by continuity.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Cite,
    Derivation,
    Family,
    Monotone,
    Positivity,
    Relation,
    Rule,
    Statement,
    Step,
    Termwise,
    Variable,
)

__all__ = [
    "JOINED",
    "LOGARITHM",
    "PRODUCT",
    "entropy",
    "entropy_bits",
    "lemmas",
    "messages",
    "two_terms",
    "x",
    "y",
]

EQ, LE, GE = Relation.EQ, Relation.LE, Relation.GE

j, i, D, k = sp.symbols("j i D k", integer=True)
u, v, x, y, z, t, r, q, c = sp.symbols("u v x y z t r q c", real=True)
L0, L1 = sp.symbols("L_0 L_1", real=True)
a, U, V = (sp.IndexedBase(name, real=True) for name in ("a", "u", "v"))
P, Q, R = (sp.IndexedBase(name, real=True) for name in ("p", "q", "r"))


def _above_zero(*symbols: Any) -> tuple[Variable, ...]:
    return tuple(Variable(symbol, 0, low_open=True) for symbol in symbols)


def _masses(limit: tuple[Any, Any, Any], *bases: Any) -> tuple[Family, ...]:
    index = limit[0]
    return tuple(Family(base[index], 0, low_open=True, index=limit) for base in bases)


# Elementary facts about the logarithm.
PRODUCT = Statement(Assumptions(_above_zero(x, y)), sp.log(x * y), EQ, sp.log(x) + sp.log(y))
JOINED = Statement(PRODUCT.assumptions, PRODUCT.right, EQ, PRODUCT.left)
LOGARITHM = Statement(Assumptions(_above_zero(x)), sp.log(x), GE, 1 - 1 / x)


def _negative(one: Any, zero: Any) -> Any:
    """Minus the entropy of one and zero, in nats, times their mass."""
    mass = one + zero
    return one * sp.log(one / mass) + zero * sp.log(zero / mass)


def entropy(error: Any) -> Any:
    """H in nats, as an expression."""
    return -_negative(error, 1 - error)


def entropy_bits(error: Any) -> Any:
    """H₂ as an expression."""
    return entropy(error) / sp.log(2)


def lemmas() -> tuple[Derivation, ...]:
    """Return the derivations up to the chain of L4."""
    return (
        _term(),
        two_terms(),
        _two_cells(),
        _cells_free(),
        _cells(),
        _messages_free(),
        messages(),
        _split(),
        _one_bit_more(),
    )


def _term() -> Derivation:
    ratio = u / (t * r)
    return Derivation(
        "A term of the log-sum inequality, against any ratio r",
        Assumptions(_above_zero(u, t, r)),
        u * sp.log(u / t),
        (
            Step(
                EQ,
                u * (sp.log(r) + sp.log(ratio)),
                Monotone(
                    Variable(z),
                    u * z,
                    sp.log(u / t),
                    sp.log(r) + sp.log(ratio),
                    Cite(PRODUCT, ((x, r), (y, ratio))),
                ),
                "The logarithm of a product.",
            ),
            Step(
                GE,
                u * (sp.log(r) + 1 - 1 / ratio),
                Monotone(
                    Variable(z),
                    u * (sp.log(r) + z),
                    sp.log(ratio),
                    1 - 1 / ratio,
                    Cite(LOGARITHM, ((x, ratio),)),
                ),
                "ln x >= 1 - 1/x.",
            ),
            Step(EQ, u * sp.log(r) + u - t * r, Algebra(), "Multiply out."),
        ),
    )


def _linear(one: Any, zero: Any) -> Any:
    """The bound of `two_terms`."""
    return one * sp.log(r) + zero * sp.log(q) + (one + zero) * (1 - r - q)


def two_terms() -> Derivation:
    """Bound the entropy of one cell by a tangent."""
    mass = u + v
    return Derivation(
        "The entropy lies below each of its tangents (those with r + q = 1)",
        Assumptions(_above_zero(u, v, r, q)),
        _negative(u, v),
        (
            Step(
                GE,
                u * sp.log(r) + u - mass * r + v * sp.log(v / mass),
                Monotone(
                    Variable(z),
                    z + v * sp.log(v / mass),
                    u * sp.log(u / mass),
                    u * sp.log(r) + u - mass * r,
                    Cite(_term(), ((t, mass),)),
                ),
                "The term of the ones, against r.",
            ),
            Step(
                GE,
                u * sp.log(r) + u - mass * r + v * sp.log(q) + v - mass * q,
                Monotone(
                    Variable(z),
                    u * sp.log(r) + u - mass * r + z,
                    v * sp.log(v / mass),
                    v * sp.log(q) + v - mass * q,
                    Cite(_term(), ((u, v), (t, mass), (r, q))),
                ),
                "The term of the zeros, against q.",
            ),
            Step(EQ, _linear(u, v), Algebra(), "Collect."),
        ),
    )


def _two_cells() -> Derivation:
    mass = u + x + v + y
    tangent = {r: (u + x) / mass, q: (v + y) / mass}
    at = tuple(tangent.items())
    first, second = (
        one * sp.log(tangent[r]) + zero * sp.log(tangent[q]) for one, zero in ((u, v), (x, y))
    )
    return Derivation(
        "Concavity: merging two cells does not lower the entropy",
        Assumptions(_above_zero(u, v, x, y)),
        _negative(u, v) + _negative(x, y),
        (
            Step(
                GE,
                first + _negative(x, y),
                Monotone(
                    Variable(z),
                    z + _negative(x, y),
                    _negative(u, v),
                    first,
                    Cite(two_terms(), at),
                ),
                "The tangent at the merged cell, for the first.",
            ),
            Step(
                GE,
                first + second,
                Monotone(
                    Variable(z),
                    first + z,
                    _negative(x, y),
                    second,
                    Cite(two_terms(), ((u, x), (v, y), *at)),
                ),
                "The same tangent, for the second.",
            ),
            Step(EQ, _negative(u + x, v + y), Algebra(), "It touches the entropy there."),
        ),
    )


_CELLS = (j, 1, D)
_ONES, _ZEROS = sp.Sum(U[j], _CELLS), sp.Sum(V[j], _CELLS)
_LOSSES = sp.Sum(_negative(U[j], V[j]), _CELLS)


def _cells_free() -> Derivation:
    return Derivation(
        "Any number of cells, against any tangent",
        Assumptions((Variable(D, 1), *_masses(_CELLS, U, V), *_above_zero(r, q))),
        _LOSSES,
        (
            Step(
                GE,
                sp.Sum(_linear(U[j], V[j]), _CELLS),
                Termwise(Cite(two_terms(), ((u, U[j]), (v, V[j])))),
                "Cell by cell.",
            ),
            Step(EQ, _linear(_ONES, _ZEROS), Algebra(), "Take r and q out of the sum."),
        ),
    )


def _cells() -> Derivation:
    mass = _ONES + _ZEROS
    tangent = {r: _ONES / mass, q: _ZEROS / mass}
    return Derivation(
        "Concavity (Jensen): cells have no more entropy than their union, "
        "whether they are messages, places or coins",
        Assumptions((Variable(D, 1), *_masses(_CELLS, U, V))),
        _LOSSES,
        (
            Step(
                GE,
                _negative(_ONES, _ZEROS),
                Cite(_cells_free(), tuple(tangent.items())),
                "The tangent at the union touches the entropy there.",
            ),
        ),
    )


_SIZES = sp.Sum(a[j], _CELLS)
_WITHIN = sp.Sum(a[j] * sp.log(a[j]), _CELLS)


def _messages_free() -> Derivation:
    bound = a[j] * sp.log(r) + a[j] - r
    return Derivation(
        "What D messages leave unknown of the inputs, against any size r",
        Assumptions((Variable(D, 1), *_masses(_CELLS, a), *_above_zero(r))),
        _WITHIN,
        (
            Step(
                GE,
                sp.Sum(bound, _CELLS),
                Termwise(Cite(_term(), ((u, a[j]), (t, sp.Integer(1))))),
                "Message by message.",
            ),
            Step(EQ, _SIZES * sp.log(r) + _SIZES - D * r, Algebra(), "Take r out of the sum."),
        ),
    )


def messages() -> Derivation:
    """Bound what messages leave unknown from below."""
    even = _SIZES / D
    return Derivation(
        "D messages leave at least the logarithm of their mean number of inputs unknown",
        Assumptions((Variable(D, 1), *_masses(_CELLS, a))),
        _WITHIN,
        (
            Step(
                GE,
                _SIZES * sp.log(even),
                Cite(_messages_free(), ((r, even),)),
                "With r the mean; 2^N inputs and 2^b messages leave N - b bits.",
            ),
        ),
    )


def _split() -> Derivation:
    mass = u + v

    def replaced(one: Any, other: Any) -> Rule:
        """The logarithm of one part, by its share and the whole."""
        share = one / mass
        return Monotone(
            Variable(z),
            one * z + other,
            sp.log(one),
            sp.log(share) + sp.log(mass),
            Cite(PRODUCT, ((x, share), (y, mass))),
        )

    halfway = u * (sp.log(u / mass) + sp.log(mass))
    return Derivation(
        "Chain rule: u and v inputs behind one message are u + v, less the entropy of the split",
        Assumptions(_above_zero(u, v)),
        u * sp.log(u) + v * sp.log(v),
        (
            Step(EQ, halfway + v * sp.log(v), replaced(u, v * sp.log(v)), "u is a share of all."),
            Step(
                EQ,
                halfway + v * (sp.log(v / mass) + sp.log(mass)),
                replaced(v, halfway),
                "So is v.",
            ),
            Step(EQ, mass * sp.log(mass) + _negative(u, v), Algebra(), "Collect."),
        ),
    )


def _one_bit_more() -> Derivation:
    places = (i, 1, k)
    first, second, merged = (sp.Sum(base[i], places) for base in (P, Q, R))
    entropies = (
        Family(P[i], index=places),
        Family(Q[i], index=places),
        Family(R[i], P[i] + Q[i], index=places),
    )
    hypotheses = (Variable(L0, high=first), Variable(L1, high=second))
    return Derivation(
        "Independence, by induction: if the entropies p, q of k places bound the logarithms L of "
        "the sizes of both parts, then the entropies r of the whole, with that of the place that "
        "splits it (c), bound its own",
        Assumptions((Variable(k, 1), *entropies, *hypotheses, Variable(c))),
        L0 + L1 + c,
        (
            Step(LE, first + second + c, Positivity(), "The hypotheses."),
            Step(EQ, sp.Sum(P[i] + Q[i], places) + c, Algebra(), "Place by place."),
            Step(
                LE,
                merged + c,
                Monotone(
                    Variable(z),
                    z + c,
                    sp.Sum(P[i] + Q[i], places),
                    merged,
                    Termwise(Positivity()),
                ),
                "Merging the parts does not lower the entropy of any place (concavity).",
            ),
        ),
    )
