"""What a derivation assumes: variables with their ranges, and names for expressions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Self

import sympy as sp

from kvfloor_proofs.calculus.errors import RuleError

__all__ = ["Assumptions", "Family", "Variable", "outer_limit"]

Expr = Any  # SymPy is untyped


@dataclass(frozen=True)
class Variable:
    """A real variable with its range.

    Whether it is an integer is read off the SymPy symbol (``Symbol("n", integer=True)``).

    Parameters
    ----------
    symbol : sympy.Symbol
    low, high : expression, optional
        Ends of the range, in variables declared earlier.
    low_open, high_open : bool
        Whether that end is excluded.
    """

    symbol: Expr
    low: Expr | None = None
    high: Expr | None = None
    low_open: bool = False
    high_open: bool = False

    def __post_init__(self) -> None:
        for end in ("low", "high"):
            if getattr(self, end) is not None:
                object.__setattr__(self, end, sp.sympify(getattr(self, end)))

    def __str__(self) -> str:
        low = "" if self.low is None else f"{self.low} {'<' if self.low_open else '<='} "
        high = "" if self.high is None else f" {'<' if self.high_open else '<='} {self.high}"
        kind = "" if low or high else " integer" if self.symbol.is_integer else " real"
        return f"{low}{self.symbol}{high}{kind}"

    @property
    def name(self) -> Expr:
        """The symbol that stands for it in ``free_symbols``."""
        return self.symbol

    @property
    def printed(self) -> str:
        """What a reader knows it by."""
        return str(self.name)

    @property
    def mentions(self) -> set[Expr]:
        """The names in its range."""
        return _names(end for end in (self.low, self.high) if end is not None)

    def subs(self, values: dict[Expr, Expr]) -> Self:
        """Return it with its range rewritten."""
        return replace(
            self,
            low=None if self.low is None else self.low.xreplace(values),
            high=None if self.high is None else self.high.xreplace(values),
        )


@dataclass(frozen=True)
class Family(Variable):
    """A family ``s[j]`` of real variables; their range may depend on ``j``.

    Parameters
    ----------
    symbol : sympy.Indexed
        ``s[j]``.
    low, high, low_open, high_open
        As for `Variable`.
    index : (symbol, expression, expression)
        ``(j, first, last)``.
    """

    index: tuple[Expr, Expr, Expr] = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "index", tuple(map(sp.sympify, self.index)))

    @property
    def name(self) -> Expr:
        """The symbol ``s``."""
        return self.symbol.base.label

    @property
    def printed(self) -> str:
        """What a reader knows it by: with an index, so a variable may be called the same."""
        return f"{self.name}[]"

    @property
    def mentions(self) -> set[Expr]:
        """The names in its range, other than its own index, and in the range of that."""
        index, first, last = self.index
        return (super().mentions - {index}) | _names([first, last])

    def subs(self, values: dict[Expr, Expr]) -> Self:
        """Return it with its range, and that of its index, rewritten."""
        index, first, last = self.index
        limits = (index, first.xreplace(values), last.xreplace(values))
        return replace(super().subs(values), index=limits)

    def member(self, element: Expr) -> Variable:
        """Return the member ``s[e]``, as a variable."""
        at = {self.index[0]: element.indices[0]}
        return Variable(element, self.low, self.high, self.low_open, self.high_open).subs(at)


@dataclass(frozen=True)
class Assumptions:
    """The variables of a derivation, in order of dependence, and its definitions.

    Parameters
    ----------
    variables : tuple of Variable
        Each range mentions only variables that come before.
    definitions : tuple of (symbol, expression)
        Names for expressions in the variables and in names defined before.

    Raises
    ------
    RuleError
        If a name is declared twice, or depends on one that is not declared before it, or if two
        names print alike: a reader could not tell them apart.
    """

    variables: tuple[Variable, ...]
    definitions: tuple[tuple[Expr, Expr], ...] = ()

    def __post_init__(self) -> None:
        known: set[Expr] = set()
        printed: set[str] = set()
        for name, shown, mentions in [
            *((variable.name, variable.printed, variable.mentions) for variable in self.variables),
            *((name, str(name), _names([meaning])) for name, meaning in self.definitions),
        ]:
            if name in known:
                raise RuleError(f"{name} is declared twice")
            if shown in printed:
                raise RuleError(f"two names print as {shown}")
            if not mentions <= known:
                raise RuleError(f"{name} depends on {mentions - known}, not declared before it")
            known.add(name)
            printed.add(shown)

    def unfold(self, expr: Expr) -> Expr:
        """Replace every defined name by its meaning."""
        for name, meaning in reversed(self.definitions):
            expr = expr.xreplace({name: meaning})
        return expr

    def extend(self, variable: Variable) -> Assumptions:
        """Declare one more variable, as early as its range allows.

        Early, because families declared later may have ranges that depend on their index.
        """
        place = 0
        for position, earlier in enumerate(self.variables, start=1):
            if earlier.name in variable.mentions:
                place = position
        variables = (*self.variables[:place], variable, *self.variables[place:])
        return replace(self, variables=variables)

    def within(self, limit: tuple[Expr, Expr, Expr]) -> Assumptions:
        """Declare the index of a sum."""
        index, first, last = limit
        return self.extend(Variable(index, first, last))

    def variable(self, symbol: Expr) -> Variable:
        """Return the declaration of ``x`` or of the family that ``s[e]`` belongs to."""
        name = symbol.base.label if isinstance(symbol, sp.Indexed) else symbol
        for variable in self.variables:
            if variable.name == name:
                return variable
        raise RuleError(f"{name} is not declared")


def outer_limit(total: Expr) -> tuple[Expr, tuple[Expr, Expr, Expr]]:
    """Split a (possibly multiple) sum into the summand and the limit of its outermost sum."""
    *inner, outer = total.limits
    summand = sp.Sum(total.function, *inner) if inner else total.function
    return summand, tuple(outer)


def _names(expressions: Iterable[Expr]) -> set[Expr]:
    return {
        symbol
        for expression in expressions
        for symbol in sp.sympify(expression).free_symbols
        if symbol.is_Symbol
    }
