"""Expressions as presentation MathML: SymPy's printer, made to read as the docs do."""

from __future__ import annotations

from typing import Any

import sympy as sp
from markupsafe import Markup
from sympy.printing.mathml import MathMLPresentationPrinter
from sympy.printing.precedence import PRECEDENCE

from kvfloor_proofs.calculus import Relation

__all__ = ["RELATIONS", "mathml"]

Expr = Any  # SymPy is untyped, and so is the document that its printer builds
Node = Any

RELATIONS = {
    Relation.EQ: "=",
    Relation.LE: "≤",
    Relation.LT: "<",
    Relation.GE: "≥",
    Relation.GT: ">",
}


def mathml(expression: Expr) -> Markup:
    """Return an expression as MathML elements, to be put into a ``<math>``."""
    printed = _Printer().doprint(expression).replace("<mo>-</mo>", "<mo>−</mo>")
    return Markup(printed)  # noqa: S704 (SymPy's elements, and names without < or &)


class _Printer(MathMLPresentationPrinter):  # type: ignore[misc]
    """SymPy's printer but for what reads badly, or wrongly, in a derivation.

    e^-x stays above the line, numbers are kept apart by a dot, a sum of several indices shows
    all of them, and what is added comes before what is taken away.
    """

    def _node(self, tag: str, *children: Node) -> Node:
        node = self.dom.createElement(tag)
        for child in children:
            node.appendChild(self.dom.createTextNode(child) if isinstance(child, str) else child)
        return node

    def _print_Symbol(self, symbol: Expr, style: str = "plain") -> Node:
        letter, prime, _ = symbol.name.partition("'")
        if not prime:
            return super()._print_Symbol(symbol, style)
        return self._node("msup", self._node("mi", letter), self._node("mo", "′"))

    def _print_Exp1(self, _expr: Expr) -> Node:
        return self._node("mi", "e")

    def _print_Mul(self, expr: Expr) -> Node:
        if expr.could_extract_minus_sign():
            positive = self.parenthesize(-expr, _PRODUCT, strict=True)
            return self._node("mrow", self._node("mo", "−"), positive)
        above, below = sp.fraction(expr, exact=True)
        if below != 1:
            return self._node("mfrac", self._print(above), self._print(below))
        row = self._node("mrow")
        for position, factor in enumerate(expr.as_ordered_factors()):
            if position:
                row.appendChild(self._times(factor))
            row.appendChild(self.parenthesize(factor, _PRODUCT))
        return row

    def _times(self, factor: Expr) -> Node:
        """A dot before a digit, a thin space before a function, nothing else to be seen."""
        if _starts_with_digit(factor):
            return self._node("mo", "·")
        sign = self._node("mo", "\u2062")
        if factor.is_Function:
            sign.setAttribute("rspace", "0.17em")
        return sign

    def _print_Add(self, expr: Expr, order: Any = None) -> Node:
        terms = self._as_ordered_terms(expr, order=order)
        first = next((term for term in terms if not term.could_extract_minus_sign()), terms[0])
        terms.remove(first)
        row = self._node("mrow", self._print(first))
        for term in terms:
            taken = term.could_extract_minus_sign()
            row.appendChild(self._node("mo", "−" if taken else "+"))
            row.appendChild(self._print(-term if taken else term))
        return row

    def _print_Function(self, expr: Expr) -> Node:
        name = self._node("mi", "ln" if isinstance(expr, sp.log) else self.mathml_tag(expr))
        arguments = self._paren_comma_separated(*expr.args)
        return self._node("mrow", name, self._node("mo", "\u2061"), arguments)

    def _print_Sum(self, expr: Expr) -> Node:
        summand = self.parenthesize(expr.function, _PRODUCT, strict=True)
        for index, first, last in expr.limits:
            start = self._node(
                "mrow", self._print(index), self._node("mo", "="), self._print(first)
            )
            sign = self._node("munderover", self._node("mo", "∑"), start, self._print(last))
            summand = self._node("mrow", sign, summand)
        return summand


_PRODUCT = PRECEDENCE["Mul"]


def _starts_with_digit(factor: Expr) -> bool:
    base = factor.base if factor.is_Pow else factor
    return bool(base.is_Number)
