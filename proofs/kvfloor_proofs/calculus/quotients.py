"""Quotients of polynomials in lowest terms, by FLINT."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import add, mul
from typing import Any, NamedTuple

import sympy as sp
from flint import fmpz_mpoly_ctx

from kvfloor_proofs.calculus.errors import RuleError

__all__ = ["Polynomial", "lowest_terms", "reduced"]

Expr = Any
Polynomial = Any  # fmpz_mpoly


class Quotient(NamedTuple):
    """Two polynomials with whole coefficients; the second is not zero."""

    numerator: Polynomial
    denominator: Polynomial

    def __add__(self, other: Quotient) -> Quotient:  # type: ignore[override]
        (a, b), (c, d) = self, other
        if b == d:
            return Quotient(a + c, b)
        common = b.gcd(d)
        return Quotient(a * (d / common) + c * (b / common), b / common * d)

    def __mul__(self, other: Quotient) -> Quotient:  # type: ignore[override]
        return Quotient(self.numerator * other.numerator, self.denominator * other.denominator)

    def __pow__(self, exponent: int) -> Quotient:
        if exponent >= 0:
            return Quotient(self.numerator**exponent, self.denominator**exponent)
        if not self.numerator:
            raise RuleError("division by zero")
        return Quotient(self.denominator**-exponent, self.numerator**-exponent)

    def in_lowest_terms(self) -> Quotient:
        """Divide by what both have in common, so that the denominator leads with a sign of +."""
        common = self.numerator.gcd(self.denominator)
        if self.denominator.leading_coefficient() < 0:
            common = -common
        return Quotient(self.numerator / common, self.denominator / common)


def reduced(expr: Expr) -> Expr:
    """Return a rational function of symbols as a quotient of polynomials in lowest terms.

    Equal functions give the same expression.

    Raises
    ------
    RuleError
        If it divides by zero.
    """
    if expr.is_Symbol or expr.is_Rational:
        return expr
    symbols, (numerator, denominator) = lowest_terms(expr)
    return _expression(numerator, symbols) / _expression(denominator, symbols)


def lowest_terms(expr: Expr) -> tuple[list[Expr], Quotient]:
    """Return the symbols of a rational function, and its quotient in lowest terms.

    The denominator's first coefficient is positive. Raises `RuleError` if it divides by zero.
    """
    symbols = sorted(expr.free_symbols, key=sp.default_sort_key)
    context = fmpz_mpoly_ctx.get([f"x{k}" for k in range(len(symbols))], "lex")
    one = context.constant(1)
    known = {x: Quotient(g, one) for x, g in zip(symbols, context.gens(), strict=True)}
    return symbols, _quotient(expr, known, one).in_lowest_terms()


def _quotient(expr: Expr, known: Mapping[Expr, Quotient], one: Polynomial) -> Quotient:
    if expr in known:
        return known[expr]
    if expr.is_Rational:
        return Quotient(one * int(expr.p), one * int(expr.q))
    if expr.is_Add or expr.is_Mul:
        parts = [_quotient(part, known, one) for part in expr.args]
        return reduce(add if expr.is_Add else mul, parts)
    if expr.is_Pow and expr.exp.is_Integer:
        return _quotient(expr.base, known, one) ** int(expr.exp)
    if expr in {sp.zoo, sp.nan}:
        raise RuleError("division by zero")
    raise RuleError(f"{expr} is no rational function")


def _expression(polynomial: Polynomial, symbols: list[Expr]) -> Expr:
    return sp.Add(
        *(
            sp.Mul(int(coefficient), *(x**k for x, k in zip(symbols, powers, strict=True) if k))
            for powers, coefficient in polynomial.terms()
        )
    )
