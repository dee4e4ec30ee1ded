"""The derivation checker: each part accepts what is right and refuses what is not, saying why."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import pytest
import sympy as sp
from flint import arb, ctx, fmpq
from hypothesis import given
from hypothesis import strategies as st

from kvfloor.numbers import arb_precision
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Cite,
    Derivation,
    DerivationError,
    Family,
    Induction,
    Monotone,
    Positivity,
    Relation,
    Rule,
    RuleError,
    Statement,
    Step,
    Termwise,
    Variable,
    refute,
)
from kvfloor_proofs.calculus.definedness import is_integer, require_defined
from kvfloor_proofs.calculus.evaluation import evaluate, is_exact
from kvfloor_proofs.calculus.normal import normal_difference
from kvfloor_proofs.calculus.positivity import is_proved
from kvfloor_proofs.calculus.rules import establish
from kvfloor_proofs.calculus.sampling import sample_points

EQ, LE, LT, GE, GT = Relation.EQ, Relation.LE, Relation.LT, Relation.GE, Relation.GT

x, y, z, u, w = sp.symbols("x y z u w", real=True)
i, j, k, m, n = sp.symbols("i j k m n", integer=True)
a = sp.IndexedBase("a", real=True)
exp, log, Sum = sp.exp, sp.log, sp.Sum

FREE = Variable(x)
NONNEGATIVE = Variable(x, 0)
POSITIVE = Variable(x, 0, low_open=True)
UNIT = Variable(x, 0, 1)
COUNT = Variable(n, 1)


def given_that(*variables: Variable) -> Assumptions:
    return Assumptions(variables)


# --- assumptions -----------------------------------------------------------------------------


def test_assumptions_are_declared_once_and_in_order() -> None:
    with pytest.raises(RuleError, match="x is declared twice"):
        given_that(FREE, NONNEGATIVE)
    with pytest.raises(RuleError, match=r"x depends on {y}, not declared before it"):
        given_that(Variable(x, low=y), Variable(y))
    with pytest.raises(RuleError, match=r"u depends on {z}"):
        Assumptions((FREE,), ((u, x + z),))
    with pytest.raises(RuleError, match=r"a depends on {n}"):
        given_that(Family(a[j], index=(j, 1, n)), COUNT)
    with pytest.raises(RuleError, match="y is not declared"):
        given_that(FREE).variable(y)


def test_no_two_names_print_alike() -> None:
    """A whole b and a real one would be one letter to a reader."""
    with pytest.raises(RuleError, match="two names print as n"):
        given_that(COUNT, Variable(sp.Symbol("n", real=True)))
    one, other = (sp.IndexedBase(sp.Symbol("a", integer=whole)) for whole in (True, False))
    with pytest.raises(RuleError, match=r"two names print as a\[\]"):
        given_that(COUNT, *(Family(base[i], index=(i, 1, n)) for base in (one, other)))
    with pytest.raises(RuleError, match="two names print as n"):
        Assumptions((COUNT,), ((sp.Symbol("n", real=True), sp.Integer(1)),))
    given_that(COUNT, Family(sp.IndexedBase("n")[i], index=(i, 1, n)))


def test_definitions_unfold_through_each_other() -> None:
    assumptions = Assumptions((FREE,), ((y, x + 1), (z, y**2)))
    assert assumptions.unfold(z - y) == (x + 1) ** 2 - (x + 1)


def test_index_is_declared_before_families_that_use_it() -> None:
    members = Family(a[j], low=j, index=(j, 1, n))
    inside = given_that(COUNT, members).within((j, sp.Integer(1), n))
    assert [variable.name for variable in inside.variables] == [n, j, a.label]
    assert is_proved(a[j] - j, GE, inside)


# --- evaluation and sampling -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("expr", "value"),
    [
        (sp.Rational(-3, 7), fmpq(-3, 7)),
        (x**2 - x / 3, fmpq(1, 4) - fmpq(1, 6)),
        (1 / x, fmpq(2)),
        (exp(2 * x - 1), fmpq(1)),
        (log(x + x), fmpq(0)),
        (sp.Integer(2) ** n, fmpq(8)),
        (sp.Integer(2) ** (-n), fmpq(1, 8)),
        (Sum(j**2, (j, 1, n)), fmpq(14)),
        (Sum(j, (j, 4, n)), fmpq(0)),
        (Sum(i * j, (i, 1, j), (j, 1, n)), fmpq(1 + 6 + 18)),
        (Sum(a[j] + a[4 - j], (j, 1, n)), fmpq(2 * (10 + 20 + 30))),
    ],
)
def test_rational_values_are_exact(expr: Any, value: fmpq) -> None:
    point = {x: fmpq(1, 2), n: fmpq(3), **{a[r]: fmpq(10 * r) for r in (1, 2, 3)}}
    assert is_exact(evaluate(expr, point))
    assert evaluate(expr, point) == value


@pytest.mark.parametrize(
    ("expr", "value"),
    [
        (exp(x), arb(fmpq(1, 2)).exp()),
        (sp.E, arb(1).exp()),
        (log(x), -arb(2).log()),
        (sp.sqrt(x), arb(fmpq(1, 2)).sqrt()),
        (sp.Integer(2) ** x, arb(2).sqrt()),
    ],
)
def test_other_values_are_balls(expr: Any, value: arb) -> None:
    ball = evaluate(expr, {x: fmpq(1, 2)})
    assert ball.overlaps(value)
    assert ball.rad() < 1e-12


def test_what_has_no_value_is_refused() -> None:
    with pytest.raises(RuleError, match="y has no value"):
        evaluate(x + y, {x: fmpq(1)})
    with pytest.raises(RuleError, match=r"sin\(x\) has no value"):
        evaluate(sp.sin(x), {x: fmpq(1)})
    with pytest.raises(RuleError, match=r"a\[2\] has no value"):
        evaluate(a[2], {})
    with pytest.raises(RuleError, match="x is not an integer at some point"):
        evaluate(Sum(j, (j, 1, x)), {x: fmpq(1, 2)})
    with pytest.raises(ZeroDivisionError):
        evaluate(1 / x, {x: fmpq(0)})


RANGES = given_that(
    Variable(n, 0, 5, high_open=True),
    Variable(m, high=n, high_open=True),
    Variable(x, 0, 1, high_open=True),
    Variable(y, x, low_open=True),
    Variable(z, high=x),
    Variable(w, high=x, high_open=True),
    Variable(u, log(2), exp(x)),
    Family(a[j], -j, j + x, low_open=True, index=(j, 1, n)),
)


def test_points_lie_inside_and_find_the_ends() -> None:
    points = sample_points(RANGES, 200, seed=1)
    for point in points:
        assert 0 <= point[n] < 5
        assert point[m] < point[n]
        assert point[n].q == point[m].q == 1
        assert 0 <= point[x] < 1
        assert point[y] > point[x] >= point[z]
        assert point[x] > point[w]
        assert point[u] >= arb(2).log() - fmpq(1, 10**9)
        members = [point[a[r]] for r in range(1, int(point[n].p) + 1)]
        assert all(-r < value <= r + point[x] for r, value in enumerate(members, start=1))
    assert {int(point[n].p) for point in points} == {0, 1, 2, 3, 4}
    assert any(point[x] == 0 for point in points)
    assert any(point[x] == point[z] for point in points)
    assert any(point[m] == point[n] - 1 for point in points)


def test_points_depend_on_the_seed_alone() -> None:
    def shown(seed: int) -> list[str]:
        return [str(point) for point in sample_points(RANGES, 5, seed)]

    assert shown(3) == shown(3)
    assert shown(3) != shown(4)


@pytest.mark.parametrize(
    "variables",
    [
        (Variable(x, 1, 0),),
        (Variable(x, 1, 1, high_open=True),),
        (Variable(n, sp.Rational(1, 3), sp.Rational(2, 3)),),
        (Variable(x, 2), Variable(y, x, 1)),
    ],
)
def test_contradictory_assumptions_are_refused(variables: tuple[Variable, ...]) -> None:
    with pytest.raises(RuleError, match="only 0 of 3 points found"):
        sample_points(given_that(*variables), 3, seed=0)


# --- normal form -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((x + y) ** 2, x**2 + 2 * x * y + y**2),
        (1 / (1 + 1 / x), x / (x + 1)),
        (exp(x + y) * exp(-y), exp(x)),
        (exp(2 * x), exp(x) ** 2),
        (exp(x / 2 + y / 3) ** 6, exp(x) ** 3 * exp(y) ** 2),
        (exp(x - log(y)), exp(x) / y),
        (exp(-log(x / y)), y / x),
        (exp(log(x) / 2) ** 2, exp(log(x) / 2) * sp.sqrt(x)),
        (4 ** ((1 + x) / (2 * x + 2)), sp.Integer(2)),
        (sp.sqrt((2 + 6 * x) / (3 * x + 1)), sp.sqrt(2)),
        (log((1 + x) / (2 * x + 2)), -log(2)),
        (exp(1 + x), sp.E * exp(x)),
        (exp((x**2 - 1) / (x + 1)), exp(x) / sp.E),
        (log(x / (x * y)), log(1 / y)),
        (n ** (m + 1), n * n**m),
        (2 ** (n - 1), 2**n / 2),
        ((n + 1) ** (2 * m - 1), ((n + 1) ** m) ** 2 / (1 + n)),
        (Sum(x, (j, 1, n)), n * x),
        (Sum(x * a[j] - j, (j, 1, n)), x * Sum(a[j], (j, 1, n)) - Sum(j, (j, 1, n))),
        (Sum(exp(a[j] - x) / y, (j, 1, n)), Sum(exp(a[j]), (j, 1, n)) * exp(-x) / y),
        (Sum(x / (y * j + y), (j, 1, n)), x / y * Sum(1 / (1 + j), (j, 1, n))),
        (Sum(j**2, (j, 1, 3)), sp.Integer(14)),
        (Sum(j, (j, n, n + 1)), 2 * n + 1),
        (Sum(j, (j, n, n - 1)), sp.Integer(0)),
        (Sum(a[i] * a[j], (i, 1, n), (j, 1, m)), Sum(a[j] * Sum(a[i], (i, 1, n)), (j, 1, m))),
        (Sum(x, (i, 1, j), (j, 1, n)), x * Sum(j, (j, 1, n))),
        (a[n + 1 - 1], a[n]),
    ],
)
def test_equal_expressions_have_one_normal_form(left: Any, right: Any) -> None:
    assert normal_difference(left, right) == 0
    assert normal_difference(left + 1, right) == 1


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (exp(x + y), exp(x) + exp(y)),
        (exp(x * y), exp(x) * exp(y)),
        (log(x + y), log(x) + log(y)),
        (log(2 * x), log(x)),
        ((n + 1) ** m, n**m + 1),
        (2 ** (n + 1), 2**n + 2),
        (Sum(a[j] ** 2, (j, 1, n)), Sum(a[j], (j, 1, n)) ** 2),
        (Sum(a[j] * x, (j, 1, n)), Sum(a[j], (j, 1, n))),
        (Sum(a[j], (j, 1, n)), Sum(a[j], (j, 0, n))),
        (Sum(1 / j, (j, 1, n)), 1 / Sum(j, (j, 1, n))),
        (Sum(x, (j, 1, n)), Sum(x, (j, 0, n))),
        (a[n], a[n + 1]),
        (a[n], sp.IndexedBase("b")[n]),
    ],
)
def test_unequal_expressions_differ(left: Any, right: Any) -> None:
    assert normal_difference(left, right) != 0


def test_normal_form_refuses_what_it_does_not_know() -> None:
    with pytest.raises(RuleError, match=r"does not know sin\(x\)"):
        normal_difference(sp.sin(x), x)
    with pytest.raises(RuleError, match="division by zero"):
        normal_difference(1 / ((x + 1) ** 2 - x**2 - 2 * x - 1), x)


# --- signs -----------------------------------------------------------------------------------


def signs(expr: Any, assumptions: Assumptions) -> set[Relation]:
    return {relation for relation in (LT, LE, GE, GT) if is_proved(expr, relation, assumptions)}


UP, DOWN, STRICTLY_UP, STRICTLY_DOWN = {GE}, {LE}, {GE, GT}, {LE, LT}


@pytest.mark.parametrize(
    ("variables", "expr", "proved"),
    [
        ((FREE,), x**2, UP),
        ((FREE,), x**2 + 1, STRICTLY_UP),
        ((FREE,), x, set()),
        ((FREE,), x - x, {GE, LE}),
        ((FREE,), -exp(x), STRICTLY_DOWN),
        ((NONNEGATIVE,), x, UP),
        ((NONNEGATIVE,), x - 1, set()),
        ((NONNEGATIVE,), 1 / x, set()),
        ((COUNT,), 1 / (2 * n - 3), set()),
        ((Variable(x, high=-2),), x / (x + 1) / (x - 1), STRICTLY_DOWN),
        ((POSITIVE,), x, STRICTLY_UP),
        ((POSITIVE,), x**3 / (1 + x), STRICTLY_UP),
        ((Variable(x, high=-2),), x + 1, STRICTLY_DOWN),
        ((Variable(x, high=0),), x, DOWN),
        ((Variable(x, high=0, high_open=True),), x, STRICTLY_DOWN),
        ((UNIT,), x * (1 - x), UP),
        ((UNIT,), 1 - x, UP),
        ((UNIT,), 2 - x, STRICTLY_UP),
        ((UNIT,), x - 2, STRICTLY_DOWN),
        ((replace(UNIT, high_open=True),), 1 - x, STRICTLY_UP),
        ((replace(UNIT, low_open=True, high_open=True),), x - x**2, STRICTLY_UP),
        ((replace(UNIT, low_open=True),), x - x**2, UP),
        ((UNIT, Variable(y, x)), y - x, UP),
        ((UNIT, Variable(y, x, low_open=True)), y, STRICTLY_UP),
        ((UNIT, Variable(y, 0, 1 - x, high_open=True)), 1 - x - y, STRICTLY_UP),
        ((UNIT, Variable(y, 0, 1 - x)), 1 - x - y, UP),
        ((Variable(x, 1),), log(x), UP),
        ((Variable(x, 1, low_open=True),), log(x), STRICTLY_UP),
        ((Variable(x, 0, 1, low_open=True, high_open=True),), log(x), STRICTLY_DOWN),
        ((POSITIVE,), log(x), set()),
        ((Variable(x, 0, 1, low_open=True),), log(x), DOWN),
        ((NONNEGATIVE,), log((x + 1) / (2 * x + 2)), STRICTLY_DOWN),
        ((FREE,), log(exp(x + 1) / sp.E), set()),
        ((FREE,), -sp.sqrt(exp(x - 1) * sp.E), STRICTLY_DOWN),
        ((COUNT,), a[n], set()),
        ((POSITIVE, Variable(y, log(x), low_open=True)), y - log(x), STRICTLY_UP),
        ((COUNT, Variable(m, 0)), n**m * 2, STRICTLY_UP),
        ((COUNT,), Sum(exp(j), (j, 1, n)), STRICTLY_UP),
        ((Variable(n, 0),), Sum(exp(j), (j, 1, n)), UP),
        ((COUNT,), Sum(j * (1 - j), (j, 1, n)), set()),  # taken apart, the sign is lost
        ((COUNT,), Sum(1 / (1 - j - n), (j, 1, n)), STRICTLY_DOWN),
        ((COUNT, Family(a[j], 1, index=(j, 1, n))), Sum(a[j], (j, 1, n)), STRICTLY_UP),
        ((COUNT, Family(a[j], 1, index=(j, 1, n))), a[1] - 1, UP),
        ((COUNT, Family(a[j], -1, index=(j, 1, n))), Sum(a[j], (j, 1, n)), set()),
        ((COUNT, Family(a[j], j, index=(j, 1, n))), Sum(exp(x) * a[j], (j, 1, n)), STRICTLY_UP),
    ],
)
def test_sign(variables: tuple[Variable, ...], expr: Any, proved: set[Relation]) -> None:
    assert signs(expr, given_that(*variables)) == proved


def ranges(symbol: Any, low: Any, high: Any) -> st.SearchStrategy[Variable]:
    ends = {"low_open": st.booleans(), "high_open": st.booleans()}
    return st.sampled_from([(None, None), (low, None), (None, high), (low, high)]).flatmap(
        lambda end: st.builds(Variable, st.just(symbol), st.just(end[0]), st.just(end[1]), **ends)
    )


SMALL = st.integers(-3, 3)
FACTORS = [1, 1, exp(x - y), log(2 + x**2), log((1 + x**2) / (2 + 2 * x**2)), (1 + x**2) ** y]
TERMS = st.tuples(SMALL, st.integers(0, 2), st.integers(0, 2), st.sampled_from(FACTORS))


@given(
    first=ranges(x, sp.Integer(-1), sp.Integer(2)),
    second=ranges(y, sp.Integer(1), 3 + x**2),
    numerator=st.lists(TERMS, min_size=1, max_size=4),
    denominator=st.lists(TERMS, min_size=1, max_size=2),
    shift=SMALL,
    seed=st.integers(0, 9),
)
def test_proved_signs_agree_with_values(
    first: Variable,
    second: Variable,
    numerator: list[tuple[int, int, int, Any]],
    denominator: list[tuple[int, int, int, Any]],
    shift: int,
    seed: int,
) -> None:
    def polynomial(terms: list[tuple[int, int, int, Any]]) -> Any:
        return sum((c * (x - shift) ** p * y**q * e for c, p, q, e in terms), sp.Integer(0))

    assumptions = given_that(first, second)
    expr = polynomial(numerator)
    divisor = polynomial(denominator)
    if signs(divisor, assumptions) & {GT, LT}:
        expr /= divisor
    points = sample_points(assumptions, 40, seed)
    for relation in signs(expr, assumptions):
        assert refute(Statement(assumptions, expr, relation, sp.Integer(0)), points) is None


# --- definedness -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "expr"),
    [
        ((POSITIVE,), 1 / x + log(x) + x**x),
        ((Variable(x, high=0, high_open=True),), 1 / x),
        ((UNIT,), 1 / (1 + x)),
        ((COUNT, Variable(m, 1)), Sum(n ** (j - 1), (j, 1, n ** (m - 1)))),
        ((COUNT, Family(a[j], index=(j, 1, n))), Sum(a[j] + a[n + 1 - j], (j, 1, n)) + a[1]),
        ((Variable(n, 0),), Sum(1 / j, (j, 1, n))),
    ],
)
def test_defined(variables: tuple[Variable, ...], expr: Any) -> None:
    require_defined(expr, given_that(*variables))


@pytest.mark.parametrize(
    ("variables", "expr", "reason"),
    [
        ((FREE,), x + y, "y is not declared"),
        ((NONNEGATIVE,), 1 / x, "x is not proved non-zero in 1/x"),
        ((UNIT,), 1 / (1 - x), "1 - x is not proved non-zero"),
        ((UNIT,), exp(1 / (x - 1) ** 2), "x - 1 is not proved non-zero"),
        ((NONNEGATIVE,), log(x), r"x is not proved positive in log\(x\)"),
        ((NONNEGATIVE,), x ** sp.Rational(1, 2), "x is not proved positive"),
        ((COUNT,), (-1) ** n, "-1 is not proved positive"),
        ((Variable(n, 0),), n**n, "n is not proved positive"),
        ((COUNT,), Sum(1 / (j - 1), (j, 1, n)), "j - 1 is not proved non-zero"),
        ((COUNT,), Sum(x, (j, 1, n)), "x is not declared"),
        ((FREE,), Sum(j, (j, 1, x)), "not proved to consist of integers"),
        ((COUNT,), Sum(x, (x, 1, n)), "not proved to consist of integers"),
        ((COUNT,), Sum(j, (j, 1, n / 2)), "not proved to consist of integers"),
        ((Variable(n),), Sum(j, (j, 1, 2**n)), "not proved positive|consist of integers"),
        ((COUNT,), Sum(j, (j, 1, n - 2)), "0 <= n - 2 is not proved"),
        ((COUNT,), Sum(n, (n, 1, 3)), "n is declared twice"),
        ((COUNT,), Sum(Sum(j, (j, 1, j)), (j, 1, n)), "j is declared twice"),
        ((COUNT,), a[n], "a is not declared"),
        ((FREE,), sp.IndexedBase(x)[1], r"x\[1\] is no member of a family"),
        ((COUNT, Family(a[j], index=(j, 1, n))), a[n + 1], "n \\+ 1 <= n is not proved"),
        ((COUNT, Family(a[j], index=(j, 1, n))), a[0], "1 <= 0 is not proved"),
        ((COUNT, Family(a[j], index=(j, 1, n))), a[n / 2 + sp.Rational(1, 2)], "be an integer"),
    ],
)
def test_undefined(variables: tuple[Variable, ...], expr: Any, reason: str) -> None:
    with pytest.raises(RuleError, match=reason):
        require_defined(expr, given_that(*variables))


def test_integers_are_recognised() -> None:
    assumptions = given_that(COUNT, Variable(m), FREE)
    for expr in (n * m - 3, n**n, Sum(j * m, (j, 1, n)), 2 ** (n - 1)):
        assert is_integer(expr, assumptions)
    for expr in (x, n / 2, 2**m, Sum(j / 2, (j, 1, n)), exp(n)):
        assert not is_integer(expr, assumptions)


# --- rules -----------------------------------------------------------------------------------


def statement(left: Any, relation: Relation, right: Any, *variables: Variable) -> Statement:
    return Statement(given_that(*variables), sp.sympify(left), relation, sp.sympify(right))


MEMBERS = Family(a[j], 0, 1, index=(j, 1, n))
TOTAL, AT_MOST = Sum(a[j], (j, 1, n)), Sum(sp.Integer(1), (j, 1, n))
GAUSS = Sum(k, (k, 1, n)), n * (n + 1) / 2
TANGENT = statement(1 + u, LE, exp(u), Variable(u))
LOG_TANGENT = statement(log(u), LE, u - 1, Variable(u, 0, low_open=True))
SQUARE = Monotone(Variable(u, 0), u**2, x, y, Positivity())
BETWEEN = NONNEGATIVE, Variable(y, x)


@pytest.mark.parametrize(
    ("rule", "true"),
    [
        (Algebra(), statement((x + 1) ** 2, EQ, x**2 + 2 * x + 1, FREE)),
        (Positivity(), statement(x, LE, y, *BETWEEN)),
        (Positivity(), statement(y + 1, GT, x, *BETWEEN)),
        (SQUARE, statement(x**2, LE, y**2, *BETWEEN)),
        (replace(SQUARE, function=-(u**2)), statement(-(x**2), GE, -(y**2), *BETWEEN)),
        (
            Monotone(Variable(u), exp(u), x, y, Positivity()),
            statement(exp(x), LT, exp(y), FREE, Variable(y, x, low_open=True)),
        ),
        (
            Monotone(Variable(u), u**3 - u, *GAUSS, Induction(n, Algebra())),
            statement(GAUSS[0] ** 3 - GAUSS[0], EQ, GAUSS[1] ** 3 - GAUSS[1], COUNT),
        ),
        (Termwise(Positivity()), statement(TOTAL, LE, AT_MOST, COUNT, MEMBERS)),
        (Induction(n, Algebra()), statement(GAUSS[0], EQ, GAUSS[1], Variable(n, 0))),
        (Induction(n, Positivity()), statement(n, LE, Sum(k, (k, 1, n)), COUNT)),
        (Induction(n, Algebra()), statement(Sum(2 * k - 1, (k, 1, n)), EQ, n**2, COUNT)),
        (Cite(TANGENT, ((u, x**2 - 1),)), statement(x**2, LE, exp(x**2 - 1), FREE)),
        (Cite(LOG_TANGENT, ((u, x + 1),)), statement(log(1 + x), LE, x, NONNEGATIVE)),
    ],
)
def test_rule_accepts(rule: Rule, true: Statement) -> None:
    establish(true, rule)


@pytest.mark.parametrize(
    ("rule", "false", "reason"),
    [
        (Algebra(), statement(x * (x + 1), EQ, x**2 + 1, FREE), r"differ by x - 1"),
        (Algebra(), statement(x, LE, x, FREE), "Algebra proves equalities"),
        (Algebra(), statement(x / y, EQ, x / y, FREE, Variable(y)), "y is not proved non-zero"),
        (Positivity(), statement(x, EQ, x, FREE), "Positivity proves inequalities"),
        (Positivity(), statement(x, LT, y, *BETWEEN), r"x - y < 0 is not proved"),
        (Positivity(), statement(y, LE, x, *BETWEEN), r"-x \+ y <= 0 is not proved"),
        (Positivity(), statement(x, GE, 1, NONNEGATIVE), r"x - 1 >= 0 is not proved"),
        (SQUARE, statement(x**2, LT, y**2, *BETWEEN), "slope 2\\*u is not proved"),
        (SQUARE, statement(x**2, GE, y**2, *BETWEEN), r"x - y >= 0 is not proved"),
        (SQUARE, statement(x**2, LE, y**3, *BETWEEN), "y\\*\\*3 and y\\*\\*2 differ"),
        (SQUARE, statement(x, LE, y**2, *BETWEEN), r"x and x\*\*2 differ"),
        (
            replace(SQUARE, hole=Variable(u)),
            statement(x**2, LE, y**2, *BETWEEN),
            "slope 2\\*u is not proved to have one sign",
        ),
        (SQUARE, statement(x**2, LE, y**2, FREE, Variable(y, x)), "0 <= x is not proved"),
        (
            replace(SQUARE, hole=Variable(u, 0, 1)),
            statement(x**2, LE, y**2, *BETWEEN),
            "x <= 1 is not proved",
        ),
        (
            Monotone(Variable(u, 0), 1 / u, x, y, Positivity()),
            statement(1 / x, GE, 1 / y, POSITIVE, Variable(y, x)),
            "u is not proved non-zero",
        ),
        (
            Monotone(Variable(u), u**2, x, -x, Algebra()),
            statement(x**2, EQ, x**2, FREE),
            "x and -x differ",
        ),
        (
            Monotone(Variable(x), x**2, x, y, Positivity()),
            statement(x**2, LE, y**2, *BETWEEN),
            "x is declared twice",
        ),
        (
            Monotone(Variable(m, 1), Sum(k, (k, 1, m)), n, n + 1, Positivity()),
            statement(Sum(k, (k, 1, n)), LE, Sum(k, (k, 1, n + 1)), COUNT),
            "m may not be in the limits",
        ),
        (
            Monotone(Variable(m, 1), 2**m, n / 2, n, Positivity()),
            statement(2 ** (n / 2), LE, 2**n, Variable(n, 2)),
            "n/2 is not proved to be an integer",
        ),
        (Termwise(Positivity()), statement(TOTAL, LT, AT_MOST, COUNT, MEMBERS), "a.j. - 1 < 0"),
        (Termwise(Positivity()), statement(AT_MOST, LE, TOTAL, COUNT, MEMBERS), "1 - a.j. <= 0"),
        (
            Termwise(Positivity()),
            statement(TOTAL, LT, TOTAL + 1, COUNT, MEMBERS),
            "does not compare two sums",
        ),
        (
            Termwise(Positivity()),
            statement(TOTAL, LE, Sum(sp.Integer(1), (j, 0, n)), COUNT, MEMBERS),
            "one and the same index and range",
        ),
        (
            Termwise(Positivity()),
            statement(TOTAL, LT, Sum(sp.Integer(2), (j, 1, n)), Variable(n, 0), MEMBERS),
            "not proved to have a term",
        ),
        (
            Induction(n, Algebra()),
            statement(GAUSS[0], EQ, GAUSS[1] + 1, COUNT),
            "and 2 differ by -1",
        ),
        (
            Induction(n, Algebra()),
            statement(GAUSS[0], EQ, n**2, COUNT),
            r"n \+ 1 and .* differ by -n",
        ),
        (
            Induction(n, Algebra()),
            statement(Sum(n, (k, 1, n)), EQ, n * (n - 1) / 2 + 1, COUNT),
            "differ by",
        ),
        (Induction(x, Algebra()), statement(x, EQ, x, POSITIVE), "not an integer with a least"),
        (Induction(n, Algebra()), statement(n, EQ, n, Variable(n)), "not an integer with a least"),
        (
            Induction(n, Algebra()),
            statement(n, EQ, n, Variable(n, sp.Rational(1, 2))),
            "1/2 is not proved to be an integer",
        ),
        (
            Induction(n, Algebra()),
            statement(GAUSS[0], EQ, GAUSS[1], COUNT, Variable(y, n)),
            "the range of another variable depends on n",
        ),
        (Cite(TANGENT, ((u, x),)), statement(1 + x, LT, exp(x), FREE), "what is cited says <="),
        (Cite(TANGENT, ((u, x),)), statement(2 + x, LE, exp(x), FREE), "differ by 1"),
        (Cite(TANGENT, ((u, x),)), statement(1 + x, LE, exp(2 * x), FREE), "differ by exp"),
        (Cite(LOG_TANGENT, ((u, x),)), statement(log(x), LE, x - 1, FREE), "x is not proved posi"),
        (
            Cite(LOG_TANGENT, ((u, x + y),)),
            statement(log(1 + y) - y, LE, log(1 + y) - y, *BETWEEN),
            r"0 < x \+ y is not proved",
        ),
        (
            Cite(statement(y**2, GE, 0, FREE, Variable(y)), ((x, 1 / y),)),
            statement(y**2, GE, 0, Variable(y)),
            "y is not proved non-zero",
        ),
        (Cite(TANGENT), statement(1 + x, LE, exp(x), FREE), "u is not declared"),
        (
            Cite(TANGENT, ((u, x), (y, x))),
            statement(1 + x, LE, exp(x), FREE),
            "what is cited has no variables {y}",
        ),
        (
            Cite(statement(TOTAL, LE, n, COUNT, MEMBERS)),
            statement(TOTAL, LE, n, COUNT, replace(MEMBERS, high=2)),
            "family a.j. is not assumed as in what is cited",
        ),
        (
            Cite(statement(2**m, GE, 2, Variable(m, 1)), ((m, n / 2),)),
            statement(2 ** (n / 2), GE, 2, Variable(n, 2)),
            "n/2 is not proved to be an integer",
        ),
    ],
)
def test_rule_refuses(rule: Rule, false: Statement, reason: str) -> None:
    with pytest.raises(RuleError, match=reason):
        establish(false, rule)


def test_cited_derivation_is_checked() -> None:
    step = Step(LE, exp(x), Cite(TANGENT, ((u, x),)), "tangent")
    true = Derivation("tangent", given_that(FREE), 1 + x, (step,))
    used = statement(1 + y, LE, exp(y), Variable(y))
    establish(used, Cite(true, ((x, y),)))
    false = replace(true, start=2 + x)
    with pytest.raises(DerivationError, match=r"tangent, step 1 by Cite: .* differ by 1"):
        establish(replace(used, left=2 + y), Cite(false, ((x, y),)))


# --- refutation ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "false",
    [
        statement(x, LT, x + y, FREE, Variable(y, 0)),
        statement(x**2, LE, x, Variable(x, 0, sp.Rational(1001, 1000))),
        statement(x, LT, 1, UNIT),
        statement(exp(x) * exp(y), EQ, exp(x * y), FREE, Variable(y)),
        statement(1 + x, LT, exp(x), FREE),
        statement(log(x), GE, x - 1, POSITIVE),
        statement(Sum(2**k, (k, 0, n)), EQ, 2**n - 1, COUNT),
        statement(2**n, GE, n**2, COUNT),
        statement(TOTAL, LT, n, COUNT, MEMBERS),
        statement(1 / x, GE, 0, NONNEGATIVE),
    ],
)
def test_refuter_finds_false_statements(false: Statement) -> None:
    point = refute(false, sample_points(false.assumptions, 60, seed=0))
    assert point is not None


@pytest.mark.parametrize(
    "true",
    [
        statement(exp(x) * exp(-x), EQ, 1, FREE),
        statement(1 + x, LE, exp(x), FREE),
        statement(exp(x), EQ, exp(x / 2) ** 2, FREE),
        statement(TOTAL, LE, n, COUNT, MEMBERS),
    ],
)
def test_refuter_spares_true_statements(true: Statement) -> None:
    assert refute(true, sample_points(true.assumptions, 60, seed=0)) is None


def test_refuter_unfolds_definitions_and_keeps_its_precision_to_itself() -> None:
    nearly = Assumptions((FREE,), ((y, exp(x) * (1 + sp.Rational(1, 2**100))),))
    too_near = Assumptions((FREE,), ((y, exp(x) * (1 + sp.Rational(1, 2**200))),))
    point = {x: fmpq(1, 3)}
    with arb_precision(77):
        assert refute(Statement(nearly, y, EQ, exp(x)), [point]) == point
        assert refute(Statement(too_near, y, EQ, exp(x)), [point]) is None
        assert ctx.prec == 77


# --- derivations -----------------------------------------------------------------------------

SLOPE = Derivation(
    "a chain",
    Assumptions((Variable(x, 1),), ((y, x + 1),)),
    y**2,
    (
        Step(EQ, x**2 + 2 * x + 1, Algebra(), "multiply out"),
        Step(GE, 2 * x + 2, Positivity(), "x**2 >= 1"),
        Step(GT, x, Positivity(), "x > 0"),
    ),
)


def test_derivation_counts_its_steps_and_concludes() -> None:
    assert SLOPE.check() == SLOPE.check(points=0) == SLOPE.check(points=3, seed=9) == 3
    assert SLOPE.conclusion == Statement(SLOPE.assumptions, (x + 1) ** 2, GT, x)
    assert replace(SLOPE, steps=SLOPE.steps[:2]).conclusion.relation is GE
    assert replace(SLOPE, steps=SLOPE.steps[:1]).conclusion.relation is EQ


def test_error_names_derivation_step_rule_reason_and_point() -> None:
    first, second, third = SLOPE.steps
    altered = replace(SLOPE, steps=(first, replace(second, expression=2 * x + 3), third))
    with pytest.raises(DerivationError) as caught:
        altered.check()
    error = caught.value
    assert (error.title, error.step, error.rule) == ("a chain", 2, "Positivity")
    assert error.reason == "x**2 - 2 >= 0 is not proved"
    assert error.point in ("x = 1", "x = 1001/1000", "x = 4/3")
    assert str(error) == (
        f"a chain, step 2 by Positivity: {error.reason}; it is false at {error.point}"
    )
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_what_is_not_proved_is_refused_even_if_true() -> None:
    step = Step(GE, sp.Integer(0), Positivity(), "a square")
    true = Derivation("square", given_that(FREE, Variable(y)), (x - y) ** 2, (step,))
    with pytest.raises(DerivationError, match=r"is not proved$"):
        true.check()


def test_undefined_link_is_refused() -> None:
    step = Step(EQ, (x**2 - 1) / (x + 1), Algebra(), "cancel")
    undefined = Derivation("cancelled", given_that(FREE), x - 1, (step,))
    with pytest.raises(DerivationError, match=r"x \+ 1 is not proved non-zero in 1/\(x \+ 1\)$"):
        undefined.check(points=0)


class Credulous:
    """A rule that accepts everything."""

    def prove(self, statement: Statement) -> None:
        pass


def test_refutation_is_a_second_line_of_defence() -> None:
    step = Step(LE, x - 1, Credulous(), "trust me")
    wrong = Derivation("wrong", given_that(FREE), x, (step,))
    assert wrong.check(points=0) == 1
    with pytest.raises(DerivationError, match="Credulous: the rule accepts a false step; it is"):
        wrong.check(points=1)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"steps": ()}, "the chain has no steps"),
        ({"steps": (*SLOPE.steps, Step(LE, x, Positivity(), ""))}, "both up and down"),
        ({"start": 1 / (x - 1)}, "x - 1 is not proved non-zero"),
        ({"start": z}, "z is not declared"),
        ({"assumptions": given_that(FREE, Variable(y, 1 / x))}, "x is not proved non-zero"),
        ({"assumptions": given_that(FREE, Variable(y, 1, 0))}, "only 0 of 40 points"),
        (
            {"assumptions": given_that(FREE, Variable(y), Family(a[j], index=(j, 1, x)))},
            "not proved to consist of integers",
        ),
    ],
)
def test_bad_start_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(DerivationError, match=f"a chain, step 0 by start: .*{reason}"):
        replace(SLOPE, **changes).check()
