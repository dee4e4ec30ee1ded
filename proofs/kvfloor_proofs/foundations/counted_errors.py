"""Derivations of what errors that were counted say of the bits of a state (H5).

Weights, one for each tuple of states that k instances may lead to, add up to at most 1. Instances
are missed if those with so few errors are at most ε·weight of all for the states that they lead
to: with probability at most ε. Whatever was seen is not among them, or that improbable.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Derivation,
    Family,
    Induction,
    Monotone,
    Positivity,
    Relation,
    Step,
    Termwise,
    Variable,
)

__all__ = ["N", "b", "derivations", "k", "lengths", "lengths_alike", "symbol", "u", "v"]

EQ, LE, LT = Relation.EQ, Relation.LE, Relation.LT

N, k, j, i, J, B, b = sp.symbols("N k j i J B b", integer=True)
eps, Q, W, z = sp.symbols("epsilon Q W z", real=True)
symbol, u, v, r, s = sp.symbols("ell u v r s", real=True)
V, w = (sp.IndexedBase(name, real=True) for name in ("V", "w"))
S, T = (sp.IndexedBase(name, integer=True) for name in ("S", "T"))

_STATES = (j, 1, J)
_LENGTHS = (i, 0, B)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations, in order."""
    return (_weights(), lengths(), _missed(), _improbable(), lengths_alike(), _lengths_up_to())


def _share(length: Any) -> Any:
    return 1 / (2 * (length + 1) * (length + 2))


def _weights() -> Derivation:
    one, other = (sp.Sum(_share(i) / count[i], (j, 1, count[i])) for count in (S, T))
    families = (
        Family(base[i], 1, index=_LENGTHS) for base in (S, T)
    )  # counts: 2^(ki) and (2^(i+1)-1)^k
    return Derivation(
        "Weights of k states, S that all have i bits, T of up to i bits each, by the longest",
        Assumptions((Variable(B, 0), *families)),
        sp.Sum(one + other, _LENGTHS),
        (
            Step(
                EQ,
                sp.Sum(2 * _share(i), _LENGTHS),
                Termwise(Algebra()),
                "So many states of equal weight, twice.",
            ),
        ),
    )


def lengths() -> Derivation:
    """Add up the weights of all lengths."""
    return Derivation(
        "The weights of all lengths add up to less than 1",
        Assumptions((Variable(B, 0),)),
        sp.Sum(2 * _share(i), _LENGTHS),
        (
            Step(EQ, 1 - 1 / (B + 2), Induction(B, Algebra()), "1/((i+1)(i+2)) telescopes."),
            Step(LT, sp.Integer(1), Positivity(), "For every longest state."),
        ),
    )


def _missed() -> Derivation:
    weights = Family(w[j], 0, low_open=True, index=_STATES)
    words = Family(V[j], 0, eps * Q * w[j], index=_STATES)
    ranges = (
        Variable(J, 1),
        Variable(eps, 0, 1, low_open=True),
        Variable(Q, 1),
        weights,
        words,
    )
    return Derivation(
        "Each state leads to one word, and V of the Q words have so few errors from it",
        Assumptions(ranges),
        sp.Sum(V[j] / Q, _STATES),
        (
            Step(
                LE,
                sp.Sum(eps * w[j], _STATES),
                Termwise(Positivity()),
                "Only errors are counted for which V <= ε·Q·w.",
            ),
            Step(EQ, eps * sp.Sum(w[j], _STATES), Algebra(), "Take ε out of the sum."),
        ),
    )


def _improbable() -> Derivation:
    return Derivation(
        "So instances are missed with probability at most ε; W is all weights together",
        Assumptions((Variable(eps, 0, 1, low_open=True), Variable(W, 0, 1))),
        eps * W,
        (
            Step(
                LE,
                eps,
                Monotone(Variable(z, 0, 1), eps * z, W, sp.Integer(1), Positivity()),
                "W <= 1.",
            ),
        ),
    )


def _certified(cost: Any) -> Any:
    return (k * N * symbol - v - cost) / k


_SEEN = (Variable(N, 0), Variable(k, 1), Variable(symbol, 1), Variable(u))


def lengths_alike() -> Derivation:
    """Bound what is certified by the bits of states that all have as many."""
    ranges = (*_SEEN, Variable(b, 0), Variable(v, k * N * symbol - k * b - u, low_open=True))
    return Derivation(
        "If they are not missed, V > ε·Q·w: v = log₂ V, ℓ = log₂ L, u = log₂ of 1/(ε·share)",
        Assumptions(ranges),
        _certified(u),
        (Step(LT, b, Positivity(), "Q = L^(kN), and w = share/2^(kb)."),),
    )


def _lengths_up_to() -> Derivation:
    ranges = (
        *_SEEN,
        Variable(b, 0),
        Variable(r, high=b + 1, high_open=True),
        Variable(v, k * N * symbol - k * r - u, low_open=True),
    )
    return Derivation(
        "States of up to b bits are 2^r < 2^(b+1) (L3): that costs a bit",
        Assumptions(ranges),
        _certified(u) - 1,
        (
            Step(LT, r - 1, Positivity(), "As before, with w = share/2^(kr)."),
            Step(LT, b, Positivity(), "r < b + 1."),
        ),
    )
