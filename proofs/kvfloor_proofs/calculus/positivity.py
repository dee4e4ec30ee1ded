"""Proofs that an expression is positive, negative, or not, wherever the assumptions hold.

Every variable is written as an end of its range plus or minus a slack ``t >= 0``, or as
``(low + high·t)/(1 + t)`` between two ends; the end that this leaves out is a case of its own.
Atoms of known sign (``exp``, ``log``, powers, sums of terms of one sign) become slacks too. The
sign is proved if then numerator and denominator have coefficients of one sign each. "Not proved"
means nothing. Expressions are taken to be defined (see `definedness`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

import sympy as sp

from kvfloor_proofs.calculus.assumptions import Assumptions, Family, Variable, outer_limit
from kvfloor_proofs.calculus.normal import Atoms
from kvfloor_proofs.calculus.quotients import Polynomial, lowest_terms, reduced
from kvfloor_proofs.calculus.relation import Relation

__all__ = ["is_proved"]

Expr = Any


def is_proved(expr: Expr, relation: Relation, assumptions: Assumptions) -> bool:
    """Whether ``expr < 0``, ``<= 0``, ``>= 0`` or ``> 0`` is proved under the assumptions.

    First with only one end of every range that has two. Such proofs are shorter, and may even
    prove more: where a variable has a value the ends of its range are in order, which
    parametrising it by both of them does not show.
    """
    return any(
        relation in _relations_to_zero(expr, weaker)
        for weaker in (_without_high(assumptions), _without_low(assumptions), assumptions)
    )


def _without_high(assumptions: Assumptions) -> Assumptions:
    return _with_ranges(
        assumptions, lambda x: x if x.low is None else replace(x, high=None, high_open=False)
    )


def _without_low(assumptions: Assumptions) -> Assumptions:
    return _with_ranges(
        assumptions, lambda x: x if x.high is None else replace(x, low=None, low_open=False)
    )


def _with_ranges(assumptions: Assumptions, weaken: Callable[[Variable], Variable]) -> Assumptions:
    return replace(assumptions, variables=tuple(map(weaken, assumptions.variables)))


# A memo of a pure function, since the same signs are needed again and again.
@lru_cache(maxsize=4096)
def _relations_to_zero(expr: Expr, assumptions: Assumptions) -> frozenset[Relation]:
    """Return the inequalities (<, <=, >=, >) between ``expr`` and 0 that are proved."""
    atoms = Atoms()
    cells = [reduced(atoms.rational(assumptions.unfold(expr)))]
    for variable in reversed(assumptions.variables):
        for symbol, here in _occurrences(variable, atoms):
            cells = [part for cell in cells for part in _slacken(cell, symbol, here, atoms)]
    # What is left of the atoms, in the expression or in a range, is a slack by its own sign.
    free = set().union(*(cell.free_symbols for cell in cells))
    slacks = {s: _slack_for(atom, assumptions) for atom, s in atoms.items() if s in free}
    return frozenset.intersection(*(_relations_of(cell.xreplace(slacks)) for cell in cells))


def _occurrences(variable: Variable, atoms: Atoms) -> list[tuple[Expr, Variable]]:
    """List what of this variable occurs: itself, or the members of the family."""
    if not isinstance(variable, Family):
        return [(variable.symbol, variable)]
    return [
        (symbol, variable.member(atom))
        for atom, symbol in atoms.items()
        if isinstance(atom, sp.Indexed) and atom.base == variable.symbol.base
    ]


def _slacken(cell: Expr, symbol: Expr, variable: Variable, atoms: Atoms) -> Iterator[Expr]:
    if symbol not in cell.free_symbols:
        yield cell
        return
    for value in _charts(variable):
        yield reduced(cell.xreplace({symbol: atoms.rational(value)}))


def _charts(variable: Variable) -> Iterator[Expr]:
    """Parametrise a range by slacks; the charts together cover it."""
    low, high = variable.low, variable.high
    if low is None and high is None:
        yield sp.Dummy()
    elif high is None:
        yield low + _slack(strict=variable.low_open)
    elif low is None:
        yield high - _slack(strict=variable.high_open)
    else:
        slack = _slack(strict=variable.low_open)
        yield (low + high * slack) / (1 + slack)
        if not variable.high_open:
            yield high


def _slack(*, strict: bool) -> Expr:
    return sp.Dummy(positive=True) if strict else sp.Dummy(nonnegative=True)


def _slack_for(atom: Expr, assumptions: Assumptions) -> Expr:
    if isinstance(atom, sp.log):
        return _slack_like(atom.args[0] - 1, assumptions)
    if isinstance(atom, sp.Sum):
        summand, limit = outer_limit(atom)
        _, first, last = limit
        empty = not is_proved(last - first, Relation.GE, assumptions)
        return _slack_like(summand, assumptions.within(limit), may_vanish=empty)
    if isinstance(atom, sp.Indexed):  # of no declared family
        return sp.Dummy()
    # exp, E and powers are positive: the base of a power is, or it would not be defined.
    return _slack(strict=True)


def _slack_like(expr: Expr, assumptions: Assumptions, *, may_vanish: bool = False) -> Expr:
    """Return a slack with the sign of ``expr``, but for 0 if it may vanish."""
    for sign, strictly, weakly in ((1, Relation.GT, Relation.GE), (-1, Relation.LT, Relation.LE)):
        if not may_vanish and is_proved(expr, strictly, assumptions):
            return sign * _slack(strict=True)
        if is_proved(expr, weakly, assumptions):
            return sign * _slack(strict=False)
    return sp.Dummy()


def _relations_of(cell: Expr) -> frozenset[Relation]:
    """Compare a rational function of slacks with 0."""
    symbols, quotient = lowest_terms(cell)
    numerator, denominator = (_relations_of_polynomial(part, symbols) for part in quotient)
    # a denominator's first coefficient is positive, so no term of one sign is negative
    return numerator if Relation.GT in denominator else frozenset()


def _relations_of_polynomial(polynomial: Polynomial, symbols: list[Expr]) -> frozenset[Relation]:
    """Compare by the signs of the terms; strictly if one term cannot vanish."""
    coefficients = [int(coefficient) for coefficient in polynomial.coeffs()] or [0]
    used = [
        [(x, power) for x, power in zip(symbols, powers, strict=True) if power]
        for powers in polynomial.monoms()
    ]
    if any(power % 2 and not x.is_nonnegative for monomial in used for x, power in monomial):
        return frozenset()
    strict = any(all(x.is_positive for x, _ in monomial) for monomial in used)
    relations: set[Relation] = set()
    if min(coefficients) >= 0:
        relations |= {Relation.GE, Relation.GT} if strict else {Relation.GE}
    if max(coefficients) <= 0:
        relations |= {Relation.LE, Relation.LT} if strict else {Relation.LE}
    return frozenset(relations)
