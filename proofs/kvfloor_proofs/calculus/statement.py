"""Statements ``left <= right`` under assumptions, and the attempt to refute one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kvfloor.numbers import arb_precision
from kvfloor_proofs.calculus.assumptions import Assumptions
from kvfloor_proofs.calculus.evaluation import PRECISION, Point, evaluate, is_exact
from kvfloor_proofs.calculus.relation import Relation

__all__ = ["Statement", "refute"]

Expr = Any


@dataclass(frozen=True)
class Statement:
    """Two expressions compared, wherever the assumptions hold.

    Parameters
    ----------
    assumptions : Assumptions
    left : expression
    relation : Relation
    right : expression
    """

    assumptions: Assumptions
    left: Expr
    relation: Relation
    right: Expr

    def __str__(self) -> str:
        return f"{self.left} {self.relation.value} {self.right}"

    def unfolded(self) -> Statement:
        """Return it with every defined name replaced by its meaning."""
        unfold = self.assumptions.unfold
        return Statement(self.assumptions, unfold(self.left), self.relation, unfold(self.right))


def refute(statement: Statement, points: Iterable[Point]) -> Point | None:
    """Return a point at which the statement is false (or undefined) beyond doubt, or None.

    Rationals are compared exactly, balls only where they do not overlap.
    """
    plain = statement.unfolded()
    with arb_precision(PRECISION):
        return next((point for point in points if _is_false(plain, point)), None)


def _is_false(statement: Statement, point: Point) -> bool:
    try:
        gap = evaluate(statement.right, point) - evaluate(statement.left, point)
    except ZeroDivisionError:
        return True
    relation = statement.relation
    if relation is Relation.EQ:
        return bool(gap != 0) if is_exact(gap) else not gap.contains(0)
    rise = gap if relation.is_upward else -gap
    return bool(rise <= 0 if relation.is_strict else rise < 0)
