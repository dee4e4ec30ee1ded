"""Derivations: chains of expressions, every step justified by a rule and put to the test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kvfloor_proofs.calculus.assumptions import Assumptions
from kvfloor_proofs.calculus.definedness import require_defined, require_ranges_defined
from kvfloor_proofs.calculus.errors import DerivationError, RuleError
from kvfloor_proofs.calculus.evaluation import Point
from kvfloor_proofs.calculus.relation import Relation
from kvfloor_proofs.calculus.rules import Rule
from kvfloor_proofs.calculus.sampling import sample_points
from kvfloor_proofs.calculus.statement import Statement, refute

__all__ = ["Derivation", "Step"]

Expr = Any


@dataclass(frozen=True)
class Step:
    """One link: how the next expression compares with the one before, and why.

    Parameters
    ----------
    relation : Relation
    expression : expression
        The next expression of the chain.
    rule : Rule
        Proves it.
    reason : str
        The reason in words.
    """

    relation: Relation
    expression: Expr
    rule: Rule
    reason: str


@dataclass(frozen=True)
class Derivation:
    """A chain ``start = ... <= ... < end``.

    Parameters
    ----------
    title : str
        What it proves.
    assumptions : Assumptions
    start : expression
        The first expression.
    steps : tuple of Step
        At least one, never both upwards and downwards.
    """

    title: str
    assumptions: Assumptions
    start: Expr
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        """Return the chain to be read: ranges, names, and each step with its rule and reason."""
        given = ", ".join(map(str, self.assumptions.variables))
        named = [f"  {name} := {meaning}" for name, meaning in self.assumptions.definitions]
        lines = [f"{self.title}. For {given}", *named, f"     {self.start}"]
        for step in self.steps:
            lines.append(f"  {step.relation.value:2} {step.expression}")
            lines.append(f"       {type(step.rule).__name__}: {step.reason}")
        return "\n".join(lines)

    @property
    def conclusion(self) -> Statement:
        """Start against end, with defined names unfolded."""
        end = self.steps[-1].expression
        return Statement(self.assumptions, self.start, self._relation, end).unfolded()

    @property
    def statements(self) -> tuple[Statement, ...]:
        """What each step states."""
        lefts = (self.start, *(step.expression for step in self.steps))
        return tuple(
            Statement(self.assumptions, left, step.relation, step.expression)
            for left, step in zip(lefts, self.steps, strict=False)
        )

    def check(self, points: int = 40, seed: int = 0) -> int:
        """Check every step twice: by its rule, and by an attempt to refute it.

        Parameters
        ----------
        points : int
            How many points inside the assumptions to try; 0 to rely on the rules alone.
        seed : int
            Of the choice of points.

        Returns
        -------
        int
            The number of steps, all of them established.

        Raises
        ------
        DerivationError
            At the first step that is not.
        """
        tests = self._begin(points, seed)
        for number, (step, statement) in enumerate(
            zip(self.steps, self.statements, strict=True), start=1
        ):
            refusal = _refusal(statement, step.rule)
            point = _counterexample(statement, tests)
            if refusal is not None or point is not None:
                reason = refusal or "the rule accepts a false step"
                raise DerivationError(
                    self.title, number, type(step.rule).__name__, reason, _shown(point)
                )
        return len(self.steps)

    def _begin(self, points: int, seed: int) -> tuple[Point, ...]:
        """Check what comes before the first step, and find points inside the assumptions."""
        try:
            self._require_chain()
            require_ranges_defined(self.assumptions)
            require_defined(self.assumptions.unfold(self.start), self.assumptions)
            return sample_points(self.assumptions, points, seed)
        except RuleError as error:
            raise DerivationError(self.title, 0, "start", str(error)) from error

    def _require_chain(self) -> None:
        if not self.steps:
            raise RuleError("the chain has no steps")
        if len({relation.is_upward for relation in self._inequalities}) > 1:
            raise RuleError("the chain goes both up and down")

    @property
    def _inequalities(self) -> set[Relation]:
        return {step.relation for step in self.steps} - {Relation.EQ}

    @property
    def _relation(self) -> Relation:
        """What the whole chain gives: strict as soon as one link is."""
        strongest = sorted(self._inequalities, key=lambda relation: relation.is_strict)
        return strongest[-1] if strongest else Relation.EQ


def _refusal(statement: Statement, rule: Rule) -> str | None:
    """Why the step is not established, its left side being defined by the step before."""
    plain = statement.unfolded()
    try:
        require_defined(plain.right, plain.assumptions)
        rule.prove(plain)
    except RuleError as error:
        return str(error)
    return None


def _counterexample(statement: Statement, points: tuple[Point, ...]) -> Point | None:
    try:
        return refute(statement, points)
    except RuleError:  # not even defined: the rules say so too
        return None


def _shown(point: Point | None) -> str | None:
    if point is None:
        return None
    return ", ".join(f"{symbol} = {value}" for symbol, value in point.items())
