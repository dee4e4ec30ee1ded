"""Derivations that are checked: chains of expressions, each step justified by a rule.

A step is established by its rule, symbolically, and then put to the test at many points inside
the assumptions in exact or ball arithmetic. A step that is not established is an error.
"""

from __future__ import annotations

from kvfloor_proofs.calculus.assumptions import Assumptions, Family, Variable
from kvfloor_proofs.calculus.derivation import Derivation, Step
from kvfloor_proofs.calculus.errors import DerivationError, RuleError
from kvfloor_proofs.calculus.evaluation import evaluate
from kvfloor_proofs.calculus.normal import normal_difference
from kvfloor_proofs.calculus.relation import Relation
from kvfloor_proofs.calculus.rules import (
    Algebra,
    Cite,
    Induction,
    Monotone,
    Positivity,
    Rule,
    Termwise,
)
from kvfloor_proofs.calculus.statement import Statement, refute

__all__ = [
    "Algebra",
    "Assumptions",
    "Cite",
    "Derivation",
    "DerivationError",
    "Family",
    "Induction",
    "Monotone",
    "Positivity",
    "Relation",
    "Rule",
    "RuleError",
    "Statement",
    "Step",
    "Termwise",
    "Variable",
    "evaluate",
    "normal_difference",
    "refute",
]
