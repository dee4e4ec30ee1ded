"""Rational functions in lowest terms: the same function, one expression for each."""

from __future__ import annotations

from typing import Any

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from kvfloor_proofs.calculus.errors import RuleError
from kvfloor_proofs.calculus.quotients import lowest_terms, reduced

X = sp.symbols("x y z", positive=True)
LEAVES = st.sampled_from(X) | st.fractions(-3, 3, max_denominator=4).map(sp.Rational)


def larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    pairs = st.tuples(inner, inner)
    powers = st.tuples(inner, st.integers(-2, 2))
    return (
        pairs.map(lambda p: p[0] + p[1])
        | pairs.map(lambda p: p[0] * p[1])
        | powers.map(lambda p: p[0] ** p[1])
    )


EXPRESSIONS = st.recursive(LEAVES, larger, max_leaves=8).filter(lambda e: not e.has(sp.zoo, sp.nan))


def denominators(expr: Any) -> list[Any]:
    return [power.base for power in expr.atoms(sp.Pow) if power.exp.is_negative]


@given(EXPRESSIONS)
def test_the_same_function_in_lowest_terms(expr: Any) -> None:
    try:
        found = reduced(expr)
    except RuleError:
        assert any(sp.expand(sp.numer(sp.together(base))) == 0 for base in denominators(expr))
        return
    numerator, denominator = sp.fraction(sp.together(found))
    assert sp.expand(sp.numer(sp.together(found - expr))) == 0
    assert sp.gcd(numerator, denominator) in {1, -1} or denominator.is_Rational
    assert reduced(found) == found
    _, quotient = lowest_terms(expr)
    assert quotient.denominator.leading_coefficient() > 0


@given(EXPRESSIONS, EXPRESSIONS)
def test_equal_functions_have_one_expression(one: Any, other: Any) -> None:
    ways = (one * (one + other), one**2 + other * one, (one**2 - other**2 + other * (one + other)))
    try:
        first, *others = map(reduced, ways)
    except RuleError:
        return
    assert all(found == first for found in others)


@pytest.mark.parametrize("expr", [sp.zoo, sp.nan, X[0] + sp.zoo])
def test_what_divides_by_zero_is_refused(expr: Any) -> None:
    with pytest.raises(RuleError, match="division by zero"):
        reduced(expr)


def test_a_denominator_that_vanishes_identically_is_refused() -> None:
    x, y, _ = X
    with pytest.raises(RuleError, match="division by zero"):
        reduced(1 / (x * (x + y) - x**2 - x * y))


def test_what_is_no_rational_function_is_refused() -> None:
    with pytest.raises(RuleError, match="exp\\(x\\) is no rational function"):
        reduced(sp.exp(X[0]) + 1)
