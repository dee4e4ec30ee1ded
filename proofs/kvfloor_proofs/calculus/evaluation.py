"""Exact or rigorous values: a rational where there is one, otherwise a ball (Arb)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, reduce
from operator import add, mul
from typing import Any

import sympy as sp
from flint import arb, fmpq

from kvfloor_proofs.calculus.errors import RuleError

__all__ = ["PRECISION", "Number", "Point", "evaluate", "is_exact", "member"]

PRECISION = 128
"""Bits of every ball: differences of the order of 1 that agree to 30 digits are not refuted."""

Number = Any  # fmpq or arb
Point = Mapping[Any, Number]
"""Values of the variables; a member of a family under its key ``s[3]``."""


def evaluate(expr: Any, point: Point) -> Number:
    """Return the value of an expression at a point.

    Raises
    ------
    ZeroDivisionError
        If the expression divides by an exact zero.
    RuleError
        If it has a variable or a function that has no value here.
    """
    if expr.is_Rational:
        return fmpq(int(expr.p), int(expr.q))
    if expr in point:
        return point[expr]
    if expr.func not in _OPERATIONS:
        raise RuleError(f"{expr} has no value")
    return _OPERATIONS[expr.func](expr, point)


def is_exact(value: Number) -> bool:
    """Whether a value is a rational and not a ball."""
    return isinstance(value, fmpq)


@lru_cache(maxsize=2**12)
def member(base: sp.IndexedBase, *places: int) -> sp.Indexed:
    """Return a member of a family; SymPy derives all that it assumes of each anew."""
    return base[tuple(map(sp.Integer, places))]


def _arguments(expr: Any, point: Point) -> list[Number]:
    return [evaluate(argument, point) for argument in expr.args]


def _power(base: Number, exponent: Number) -> Number:
    if is_exact(exponent) and exponent.q == 1:
        return base ** int(exponent.p)
    return arb(base) ** arb(exponent)


def _exp(argument: Number) -> Number:
    return fmpq(1) if is_exact(argument) and argument == 0 else arb(argument).exp()


def _log(argument: Number) -> Number:
    return fmpq(0) if is_exact(argument) and argument == 1 else arb(argument).log()


def _integer(expr: Any, point: Point) -> int:
    value = evaluate(expr, point)
    if not is_exact(value) or value.q != 1:
        raise RuleError(f"{expr} is not an integer at some point")
    return int(value.p)


def _member(expr: Any, point: Point) -> Number:
    found = member(expr.base, *(_integer(place, point) for place in expr.indices))
    if found not in point:
        raise RuleError(f"{found} has no value")
    return point[found]


def _sum(expr: Any, point: Point) -> Number:
    return _nested_sum(expr.function, list(expr.limits), point)


def _nested_sum(summand: Any, limits: list[Any], point: Point) -> Number:
    if not limits:
        return evaluate(summand, point)
    *inner, (index, first, last) = limits
    steps = range(_integer(first, point), _integer(last, point) + 1)
    terms = (_nested_sum(summand, inner, {**point, index: fmpq(step)}) for step in steps)
    return sum(terms, fmpq(0))


_OPERATIONS: Mapping[Any, Callable[[Any, Point], Number]] = {
    sp.Add: lambda expr, point: reduce(add, _arguments(expr, point)),
    sp.Mul: lambda expr, point: reduce(mul, _arguments(expr, point)),
    sp.Pow: lambda expr, point: _power(*_arguments(expr, point)),
    sp.exp: lambda expr, point: _exp(*_arguments(expr, point)),
    sp.log: lambda expr, point: _log(*_arguments(expr, point)),
    type(sp.E): lambda _expr, _point: arb(1).exp(),
    sp.Indexed: _member,
    sp.Sum: _sum,
}
