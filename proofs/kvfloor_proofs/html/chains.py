"""Derivations as they are shown: aligned chains of MathML, each step with its reason and rule."""

from __future__ import annotations

from typing import Any, NamedTuple

from markupsafe import Markup

from kvfloor_proofs.calculus import (
    Cite,
    Derivation,
    Induction,
    Monotone,
    Rule,
    Statement,
    Termwise,
    Variable,
)
from kvfloor_proofs.html.mathml import RELATIONS, mathml
from kvfloor_proofs.html.prose import line

__all__ = ["Chain", "Reason", "chain", "formula"]

_ROW = Markup("<mtr>{}{}{}</mtr>")
_LEFT = Markup('<mtd class="left"><mrow>{}</mrow></mtd>')
_NUMBER = Markup('<mtd class="number"><mtext>({})</mtext></mtd>')
_EMPTY = Markup("<mtd></mtd>")


class Reason(NamedTuple):
    """Why a step holds: in words, and by which rule it was checked."""

    words: str
    rule: Markup


class Chain(NamedTuple):
    """A derivation, ready for the page."""

    title: str
    ranges: tuple[Markup, ...]
    names: tuple[Markup, ...]
    table: Markup
    reasons: tuple[Reason, ...]


def chain(derivation: Derivation) -> Chain:
    """Return what the page shows of a derivation."""
    rows = [_ROW.format(_EMPTY, _LEFT.format(mathml(derivation.start)), _EMPTY)]
    for number, step in enumerate(derivation.steps, start=1):
        relation = Markup("<mtd><mo>{}</mo></mtd>").format(RELATIONS[step.relation])
        rows.append(
            _ROW.format(relation, _LEFT.format(mathml(step.expression)), _NUMBER.format(number))
        )
    assumptions = derivation.assumptions
    return Chain(
        derivation.title,
        tuple(_range(variable) for variable in assumptions.variables),
        tuple(
            _inline(mathml(name) + Markup("<mo>≔</mo>") + mathml(meaning))
            for name, meaning in assumptions.definitions
        ),
        Markup('<math display="block"><mtable displaystyle="true">{}</mtable></math>').format(
            Markup().join(rows)
        ),
        tuple(Reason(step.reason, _shown(step.rule)) for step in derivation.steps),
    )


def formula(expression: Any) -> Markup:
    """Return an expression as a formula within a line."""
    return _inline(mathml(expression))


def _inline(elements: Markup) -> Markup:
    return Markup("<math><mrow>{}</mrow></math>").format(elements)


def _range(variable: Variable) -> Markup:
    text = mathml(variable.symbol)
    if variable.low is None and variable.high is None:
        kind = "ℤ" if variable.symbol.is_integer else "ℝ"
        return _inline(text + Markup("<mo>∈</mo><mi>{}</mi>").format(kind))
    if variable.low is not None:
        text = mathml(variable.low) + _less(variable.low_open) + text
    if variable.high is not None:
        text = text + _less(variable.high_open) + mathml(variable.high)
    return _inline(text)


def _less(strictly: bool) -> Markup:
    return Markup("<mo>{}</mo>").format("<" if strictly else "≤")


def _shown(rule: Rule) -> Markup:
    """The rule by its name, with what it rests on."""
    name = Markup("{}").format(type(rule).__name__)
    match rule:
        case Cite(source=Statement() as fact):
            sides = mathml(fact.left), RELATIONS[fact.relation], mathml(fact.right)
            return name + Markup(" of the elementary fact {}").format(
                _inline(Markup("{}<mo>{}</mo>{}").format(*sides))
            )
        case Cite(source=Derivation() as known):
            return name + Markup(" of “{}”").format(line(known.title))
        case Monotone() | Termwise() | Induction():
            return name + Markup(" › {}").format(_shown(rule.inner))
    return name
