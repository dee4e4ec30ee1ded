"""What a claim hands to users: public functions, each tied to what the claim says of it.

A tie is one of three, the strongest first. *Same expression*: called with the derivation's own
symbols the function returns what the derivation ends in. *Same inputs*: it is the end of the range
that the derivation assumes, open or closed. *Both sides*: on instances its value is what the claim
says, and the next one (one bit, one symbol, one unit in the last place that counts) is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import sympy as sp

from kvfloor_proofs.calculus import Derivation, Relation, normal_difference
from kvfloor_proofs.foundations.properties import Property, require

__all__ = ["Constant", "Tie", "assumed", "both_sides", "concluded", "name_of"]

Kind = Literal["same expression", "same inputs", "both sides"]
End: TypeAlias = Literal["low", "high"]


@dataclass(frozen=True)
class Tie:
    """What holds a public function to its claim.

    Attributes
    ----------
    kind : "same expression", "same inputs" or "both sides"
    said : expression or str
        What the function is held to: a formula, or a sentence.
    variable, sign : expression and str
        What stands before the formula: which variable, and how it compares; None if nothing does.
    check : callable or None
        Raises `Falsified` if the function is not that; None if ``run`` does so on instances.
    run : Property or None
    """

    kind: Kind
    said: Any
    check: Callable[[], None] | None = None
    run: Property | None = None
    variable: Any = None
    sign: str = ""

    @property
    def text(self) -> str:
        """What is said, on one line."""
        before = "" if self.variable is None else f"{self.variable} {self.sign} "
        return f"{before}{self.said}"


@dataclass(frozen=True)
class Constant:
    """A public function that a claim hands to users.

    Attributes
    ----------
    function : callable
        By whatever users call it.
    ties : tuple of Tie
        At least one.
    slack : str
        Where the constant is a bound that could be improved: by how much instances stay under it.
    """

    function: Callable[..., Any]
    ties: tuple[Tie, ...]
    slack: str = ""

    @property
    def name(self) -> str:
        """What users call it by, such as ``kvfloor.floors.four_cache``."""
        return name_of(self.function)


def name_of(function: Callable[..., Any]) -> str:
    """Return the name of a function by the door of its room."""
    return ".".join((*function.__module__.split(".")[:2], function.__qualname__))


def concluded(
    derivation: Derivation,
    relation: Relation,
    formula: Callable[[], Any],
    *,
    start: bool = False,
    names: dict[Any, Any] | None = None,
) -> Tie:
    """Tie a function to what a derivation ends in, or to what it starts from.

    Parameters
    ----------
    derivation : Derivation
    relation : Relation
        How the whole chain compares its start with its end.
    formula : callable
        Calls the function with the derivation's symbols.
    start : bool
        Whether the formula is the start of the chain.
    names : dict, optional
        Expressions that the derivation leaves folded, and what they stand for.
    """
    conclusion = derivation.conclusion
    derived = conclusion.left if start else conclusion.right

    def check() -> None:
        found = conclusion.relation
        require(found is relation, f"the derivation ends in {found.value}, not {relation.value}")
        _require_same(formula(), derived.xreplace(names or {}))

    return Tie("same expression", derived, check)


def assumed(
    derivation: Derivation,
    symbol: Any,
    end: End,
    formula: Callable[[], Any],
    *,
    strict: bool,
    through: Callable[[Any], Any] = lambda end: end,
    names: dict[Any, Any] | None = None,
) -> Tie:
    """Tie a function to an end of the range that a derivation assumes of a variable.

    Parameters
    ----------
    derivation : Derivation
    symbol : sympy.Symbol
        The variable.
    end : "low" or "high"
    formula : callable
        Calls the function with the derivation's symbols.
    strict : bool
        Whether the end itself is excluded.
    through : callable
        What makes the formula of the end: ``exp`` where a margin is to exceed ``ln r``.
    names : dict, optional
        As for `concluded`.
    """
    (variable,) = (v for v in derivation.assumptions.variables if v.symbol == symbol)
    bound = getattr(variable, end)
    excluded = variable.low_open if end == "low" else variable.high_open

    def check() -> None:
        state = "excluded" if excluded else "included"
        require(excluded == strict, f"the derivation has {symbol} up to {bound}, {state}")
        _require_same(formula(), through(bound).xreplace(names or {}))

    return Tie("same inputs", bound, check, variable=symbol, sign=_SIGNS[end, strict])


_SIGNS = {("low", True): ">", ("low", False): ">=", ("high", True): "<", ("high", False): "<="}


def both_sides(said: str, run: Property) -> Tie:
    """Tie a function to what is said of it, on instances, from both sides."""
    return Tie("both sides", said, run=run)


def _require_same(called: Any, derived: Any) -> None:
    """Compare two expressions by the calculus: their difference has the normal form 0."""
    rest = normal_difference(sp.sympify(called), sp.sympify(derived))
    require(rest == 0, f"it gives {called}, and the derivation {derived}")
