"""Proofs that an expression has a value wherever the assumptions hold.

Normal forms cancel factors and the prover of signs multiplies denominators out; both are right
only where nothing is divided by zero and no logarithm or power is taken outside its domain.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from kvfloor_proofs.calculus.assumptions import Assumptions, Family, Variable, outer_limit
from kvfloor_proofs.calculus.errors import RuleError
from kvfloor_proofs.calculus.positivity import is_proved
from kvfloor_proofs.calculus.relation import Relation

__all__ = ["is_integer", "require_defined", "require_inside", "require_ranges_defined"]

Expr = Any


def require_defined(expr: Expr, assumptions: Assumptions) -> None:
    """Prove that ``expr`` has a value at every point of the assumptions.

    Raises
    ------
    RuleError
        If that is not proved: an undeclared variable, a denominator that is not proved to be
        non-zero, a logarithm or power of something not proved positive, a sum whose limits are
        not integers or more than one apart in the wrong order, a member outside its family.
    """
    if isinstance(expr, sp.Sum):
        _require_sum(expr, assumptions)
        return
    for argument in expr.indices if isinstance(expr, sp.Indexed) else expr.args:
        require_defined(argument, assumptions)
    if expr.is_Symbol:
        assumptions.variable(expr)
    elif isinstance(expr, sp.Indexed):
        _require_member(expr, assumptions)
    elif isinstance(expr, sp.log):
        _require_positive(expr.args[0], expr, assumptions)
    elif expr.is_Pow:
        _require_power(expr, assumptions)


def require_ranges_defined(assumptions: Assumptions) -> None:
    """Prove that the ends of every range have values.

    Raises
    ------
    RuleError
        If that is not proved.
    """
    for position, variable in enumerate(assumptions.variables):
        before = Assumptions(assumptions.variables[:position])
        if isinstance(variable, Family):
            _require_limit(variable.index, before)
            before = before.within(variable.index)
        for end in (variable.low, variable.high):
            if end is not None:
                require_defined(end, before)


def require_inside(value: Expr, place: Variable, assumptions: Assumptions) -> None:
    """Prove that ``value`` lies in the range of a variable (itself an integer if that is one).

    Raises
    ------
    RuleError
        If that is not proved.
    """
    low, high = place.low, place.high
    if low is not None:
        _require_order(low, value, assumptions, strict=place.low_open)
    if high is not None:
        _require_order(value, high, assumptions, strict=place.high_open)
    if place.symbol.is_integer and not is_integer(value, assumptions):
        raise RuleError(f"{value} is not proved to be an integer")


def is_integer(expr: Expr, assumptions: Assumptions) -> bool:
    """Whether ``expr`` is built from integers in such a way that it is one."""
    if expr.is_Add or expr.is_Mul:
        return all(is_integer(argument, assumptions) for argument in expr.args)
    if expr.is_Pow:
        whole = all(is_integer(argument, assumptions) for argument in expr.args)
        return whole and is_proved(expr.exp, Relation.GE, assumptions)
    if isinstance(expr, sp.Sum):
        summand, limit = outer_limit(expr)
        return is_integer(summand, assumptions.within(limit))
    return bool(expr.is_integer)


def _require_order(low: Expr, high: Expr, assumptions: Assumptions, *, strict: bool) -> None:
    wanted = Relation.GT if strict else Relation.GE
    if not is_proved(high - low, wanted, assumptions):
        raise RuleError(f"{low} {'<' if strict else '<='} {high} is not proved")


def _require_positive(part: Expr, whole: Expr, assumptions: Assumptions) -> None:
    if not is_proved(part, Relation.GT, assumptions):
        raise RuleError(f"{part} is not proved positive in {whole}")


def _require_power(power: Expr, assumptions: Assumptions) -> None:
    base, exponent = power.args
    if not exponent.is_Integer:
        _require_positive(base, power, assumptions)
    elif exponent < 0 and not any(
        is_proved(base, strictly, assumptions) for strictly in (Relation.GT, Relation.LT)
    ):
        raise RuleError(f"{base} is not proved non-zero in {power}")


def _require_sum(total: Expr, assumptions: Assumptions) -> None:
    summand, limit = outer_limit(total)
    _require_limit(limit, assumptions)
    require_defined(summand, assumptions.within(limit))


def _require_limit(limit: tuple[Expr, Expr, Expr], assumptions: Assumptions) -> None:
    _, first, last = limit
    for part in (first, last):
        require_defined(part, assumptions)
    if not all(is_integer(part, assumptions) for part in limit):
        raise RuleError(f"{limit} is not proved to consist of integers")
    _require_order(first - 1, last, assumptions, strict=False)


def _require_member(element: Expr, assumptions: Assumptions) -> None:
    family = assumptions.variable(element)
    if not isinstance(family, Family) or len(element.indices) != 1:
        raise RuleError(f"{element} is no member of a family")
    (place,) = element.indices
    _, first, last = family.index
    if not is_integer(place, assumptions):
        raise RuleError(f"{place} is not proved to be an integer in {element}")
    _require_order(first, place, assumptions, strict=False)
    _require_order(place, last, assumptions, strict=False)
