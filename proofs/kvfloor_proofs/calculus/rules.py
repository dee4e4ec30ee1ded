"""The rules by which one step of a derivation may be justified.

`Algebra`     two sides are the same in normal form
`Positivity`  the difference has a sign, by the ranges of the variables
`Monotone`    F(a) against F(b) from a against b, for a monotone F
`Termwise`    two sums over the same range, compared term by term
`Induction`   base case, and growth from n to n + 1
`Cite`        an instance of another derivation, or of an elementary statement

A rule establishes a statement or raises `RuleError`; it never guesses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import sympy as sp

from kvfloor_proofs.calculus.assumptions import Assumptions, Family, Variable
from kvfloor_proofs.calculus.definedness import require_defined, require_inside
from kvfloor_proofs.calculus.errors import RuleError
from kvfloor_proofs.calculus.normal import normal_difference
from kvfloor_proofs.calculus.positivity import is_proved
from kvfloor_proofs.calculus.relation import Relation
from kvfloor_proofs.calculus.statement import Statement

__all__ = [
    "Algebra",
    "Cite",
    "Induction",
    "Monotone",
    "Positivity",
    "Rule",
    "Termwise",
    "establish",
]

Expr = Any


class Rule(Protocol):
    """A way to establish a statement."""

    def prove(self, statement: Statement) -> None:
        """Prove a statement whose sides are unfolded and defined.

        Raises
        ------
        RuleError
            If this rule does not prove it.
        """


class Theorem(Protocol):
    """What `Cite` can check before it relies on it: a derivation."""

    @property
    def conclusion(self) -> Statement:
        """What it proves."""

    def check(self, points: int) -> int:
        """Check every step."""


def establish(statement: Statement, rule: Rule) -> None:
    """Prove that both sides are defined, and then the statement by the rule.

    Raises
    ------
    RuleError
        If either fails.
    """
    plain = statement.unfolded()
    require_defined(plain.left, plain.assumptions)
    require_defined(plain.right, plain.assumptions)
    rule.prove(plain)


@dataclass(frozen=True)
class Algebra:
    """``left = right``: the two sides have the same normal form."""

    def prove(self, statement: Statement) -> None:
        """See `Rule`."""
        if statement.relation is not Relation.EQ:
            raise RuleError(f"Algebra proves equalities, not {statement}")
        _require_same(statement.left, statement.right)


@dataclass(frozen=True)
class Positivity:
    """``left <= right`` or ``left < right``: the difference is not negative, or is positive."""

    def prove(self, statement: Statement) -> None:
        """See `Rule`."""
        if statement.relation is Relation.EQ:
            raise RuleError(f"Positivity proves inequalities, not {statement}")
        difference = statement.left - statement.right
        if not is_proved(difference, statement.relation, statement.assumptions):
            raise RuleError(f"{difference} {statement.relation.value} 0 is not proved")


@dataclass(frozen=True)
class Monotone:
    """``F(a)`` against ``F(b)``, from ``a`` against ``b``, for a monotone ``F``.

    The derivative of ``F`` is proved to have one sign on the whole range of its argument, in
    which ``a`` and ``b`` are proved to lie. An equality passes through any ``F``.

    Parameters
    ----------
    hole : Variable
        The argument of ``F`` and its range, which must be an interval.
    function : expression
        ``F``, in the hole and anything else.
    left, right : expression
        What is in the hole on the left side and on the right side.
    inner : Rule
        Compares ``left`` with ``right``.
    """

    hole: Variable
    function: Expr
    left: Expr
    right: Expr
    inner: Rule

    def prove(self, statement: Statement) -> None:
        """See `Rule`."""
        assumptions = statement.assumptions
        unfold = assumptions.unfold
        function, left, right = map(unfold, (self.function, self.left, self.right))
        argument = self.hole.symbol
        _require_same(statement.left, function.xreplace({argument: left}))
        _require_same(statement.right, function.xreplace({argument: right}))
        inside = assumptions.extend(self.hole)
        require_defined(function, inside)
        inner = statement.relation
        if inner is not Relation.EQ and not self._grows(function, inside, inner.is_strict):
            inner = inner.reversed
        establish(Statement(assumptions, left, inner, right), self.inner)
        for value in (left, right):
            require_inside(value, self.hole, assumptions)

    def _grows(self, function: Expr, inside: Assumptions, strict: bool) -> bool:
        """Whether the function grows (else it is proved to fall)."""
        argument = self.hole.symbol
        if any(
            argument in sp.Tuple(*total.limits).free_symbols for total in function.atoms(sp.Sum)
        ):
            raise RuleError(f"{argument} may not be in the limits of a sum")
        slope = function.diff(argument)
        if is_proved(slope, Relation.GT if strict else Relation.GE, inside):
            return True
        if is_proved(slope, Relation.LT if strict else Relation.LE, inside):
            return False
        raise RuleError(f"the slope {slope} is not proved to have one sign")


@dataclass(frozen=True)
class Termwise:
    """A sum against a sum over the same range, from term against term.

    Parameters
    ----------
    inner : Rule
        Compares the terms, for an arbitrary index in the range.
    """

    inner: Rule

    def prove(self, statement: Statement) -> None:
        """See `Rule`."""
        left, right = statement.left, statement.right
        if not (isinstance(left, sp.Sum) and isinstance(right, sp.Sum)):
            raise RuleError(f"{statement} does not compare two sums")
        if left.limits != right.limits or len(left.limits) != 1:
            raise RuleError(f"{left} and {right} do not have one and the same index and range")
        index, first, last = left.limits[0]
        if statement.relation.is_strict and not is_proved(
            last - first, Relation.GE, statement.assumptions
        ):
            raise RuleError(f"{left} is not proved to have a term")
        inside = statement.assumptions.within((index, first, last))
        establish(Statement(inside, left.function, statement.relation, right.function), self.inner)


@dataclass(frozen=True)
class Induction:
    """For every integer ``n`` from its least value on: the base case, then the growth.

    Growth: ``left(n+1) - left(n)`` against ``right(n+1) - right(n)``, where a sum up to ``n`` is
    split into the sum before and its last term.

    Parameters
    ----------
    symbol : sympy.Symbol
        The variable ``n``.
    inner : Rule
        Proves the base case and the growth.
    """

    symbol: Expr
    inner: Rule

    def prove(self, statement: Statement) -> None:
        """See `Rule`."""
        n = self.symbol
        variable = statement.assumptions.variable(n)
        if not n.is_integer or variable.low is None or variable.low_open:
            raise RuleError(f"{n} is not an integer with a least value")
        if any(n in other.mentions for other in statement.assumptions.variables):
            raise RuleError(f"the range of another variable depends on {n}")
        require_inside(variable.low, replace(variable, high=None), statement.assumptions)
        base = {n: variable.low}
        left, right = statement.left, statement.right
        establish(
            replace(statement, left=left.xreplace(base), right=right.xreplace(base)), self.inner
        )
        establish(replace(statement, left=_growth(left, n), right=_growth(right, n)), self.inner)


@dataclass(frozen=True)
class Cite:
    """An instance of what is known already.

    Parameters
    ----------
    source : Derivation or Statement
        A derivation is checked; a bare statement is an axiom, for elementary inequalities.
    at : tuple of (symbol, expression)
        What to put for variables of the source; the rest keep their names. Each is proved to lie
        in the range of its variable.
    """

    source: Theorem | Statement
    at: tuple[tuple[Expr, Expr], ...] = ()

    def prove(self, statement: Statement) -> None:
        """See `Rule`."""
        known = self._known()
        assumptions = statement.assumptions
        unknown = {symbol for symbol, _ in self.at} - {v.name for v in known.assumptions.variables}
        if unknown:
            raise RuleError(f"what is cited has no variables {unknown}")
        values = {symbol: assumptions.unfold(sp.sympify(value)) for symbol, value in self.at}
        for variable in known.assumptions.variables:
            self._require(variable.subs(values), values, assumptions)
        if statement.relation is not known.relation:
            raise RuleError(f"what is cited says {known.relation.value}, not {statement}")
        for side, instance in (
            (statement.left, known.left.xreplace(values)),
            (statement.right, known.right.xreplace(values)),
        ):
            require_defined(instance, assumptions)  # also keeps values out of the scope of sums
            _require_same(side, instance)

    def _known(self) -> Statement:
        if not isinstance(self.source, Statement):
            self.source.check(points=0)
            return self.source.conclusion
        return self.source.unfolded()

    @staticmethod
    def _require(variable: Variable, values: dict[Expr, Expr], assumptions: Assumptions) -> None:
        if isinstance(variable, Family):
            if variable not in assumptions.variables:
                raise RuleError(f"the family {variable.symbol} is not assumed as in what is cited")
            return
        value = values.get(variable.symbol, variable.symbol)
        require_defined(value, assumptions)
        require_inside(value, variable, assumptions)


def _require_same(left: Expr, right: Expr) -> None:
    difference = normal_difference(left, right)
    if difference != 0:
        raise RuleError(f"{left} and {right} differ by {difference}")


def _growth(expr: Expr, n: Expr) -> Expr:
    """``expr`` at n + 1 minus at n, with the last term of each sum split off."""
    step = {n: n + 1}
    split = {}
    for total in expr.atoms(sp.Sum):
        (index, first, last), *others = total.limits
        grown = last.xreplace(step)
        fixed = {n} & (total.function.free_symbols | first.free_symbols)
        if not others and not fixed and sp.expand(grown - last) == 1:
            split[total.xreplace(step)] = total + total.function.subs(index, grown)
    return expr.xreplace(step).xreplace(split) - expr
