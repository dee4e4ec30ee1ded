"""What a claim is: a statement, and everything that is run to establish its verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from kvfloor_proofs.calculus import Derivation
from kvfloor_proofs.foundations.properties import Property
from kvfloor_proofs.kernel import NO_THEOREM, NOT_IN_KERNEL, THEOREMS

__all__ = ["Claim", "Verdict"]

Verdict = Literal["holds", "holds in model M", "refuted as read"]


@dataclass(frozen=True)
class Claim:
    """A claim of theory with its verdict.

    Attributes
    ----------
    slug : str
        Names the claim everywhere.
    title : str
        The statement in one line.
    statement : str
        The statement in full, with explicit constants (Markdown).
    source : str
        Citation keys, as in the docs.
    assumptions : tuple of str
        What it takes for granted.
    verdict : str
        "holds", "holds in model M" or "refuted as read".
    derivations : callable
        Returns the derivations; each is checked step by step.
    properties : tuple of callables
        Each draws an instance from Hypothesis and raises `Falsified` if the claim fails there.
    counterexample : callable or None
        For "refuted as read": computes one, and returns it as Markdown.
    """

    slug: str
    title: str
    statement: str
    source: str
    assumptions: tuple[str, ...]
    verdict: Verdict
    derivations: Callable[[], tuple[Derivation, ...]]
    properties: tuple[Property, ...]
    counterexample: Callable[[], str] | None = None

    @property
    def theorems(self) -> tuple[str, ...]:
        """Its main theorems in ``proofs/coq/statements``, which Coq's kernel checks."""
        return THEOREMS.get(self.slug, ())

    @property
    def no_theorem(self) -> str:
        """Why there is none; empty if there is one."""
        return NO_THEOREM.get(self.slug, "")

    @property
    def not_in_kernel(self) -> str:
        """What of the claim its theorems leave out; empty if that is nothing."""
        return NOT_IN_KERNEL.get(self.slug, "")
