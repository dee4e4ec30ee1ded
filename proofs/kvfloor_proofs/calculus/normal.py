"""Normal form: a rational function of symbols and of atoms.

An atom is a subexpression that algebra does not look into: ``exp(x)``, ``log(x)``, ``n**m``,
``s[j]``, a sum. Exponentials and powers of sums become products of atoms, sums are split by
linearity, and sums of constants are done. Everything rewritten is an equality wherever the
expression is defined (`definedness`), so equal normal forms prove equality; the converse is not
claimed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy as sp

from kvfloor_proofs.calculus.errors import RuleError
from kvfloor_proofs.calculus.quotients import reduced

__all__ = ["Atoms", "normal_difference"]

Expr = Any


def normal_difference(left: Expr, right: Expr) -> Expr:
    """Return ``left - right`` in normal form: 0 only if they are equal wherever defined."""
    if left == right:
        return sp.Integer(0)
    atoms = Atoms()
    return atoms.restore(reduced(atoms.rational(left) - atoms.rational(right)))


class Atoms:
    """The atoms met so far, each with the symbol that stands for it."""

    def __init__(self) -> None:
        self._symbols: dict[Expr, Expr] = {}
        self._rationals: dict[Expr, Expr] = {}

    def rational(self, expr: Expr) -> Expr:
        """Return an expression as a rational function of symbols.

        Raises
        ------
        RuleError
            If it contains a function that the calculus does not know.
        """
        if expr not in self._rationals:
            self._rationals[expr] = self._rational(expr)
        return self._rationals[expr]

    def restore(self, expr: Expr) -> Expr:
        """Put the atoms back in place of their symbols."""
        return expr.xreplace({symbol: atom for atom, symbol in self._symbols.items()})

    def canonical(self, expr: Expr) -> Expr:
        """Return the normal form as an expression of the same kind as ``expr``."""
        return self.restore(reduced(self.rational(expr)))

    def items(self) -> list[tuple[Expr, Expr]]:
        """Return the pairs (atom, symbol)."""
        return list(self._symbols.items())

    def _rational(self, expr: Expr) -> Expr:
        if expr.is_Rational or expr.is_Symbol:
            return expr
        if expr.is_Add or expr.is_Mul:
            return expr.func(*map(self.rational, expr.args))
        if isinstance(expr, sp.Pow | sp.exp):
            return self._power(*expr.as_base_exp())
        if isinstance(expr, sp.Sum):
            return self._sum(expr)
        return self._function(expr)

    def _function(self, expr: Expr) -> Expr:
        if isinstance(expr, sp.Indexed):
            return self._symbol(expr.base[tuple(map(self.canonical, expr.indices))])
        if expr is sp.E:
            return self._symbol(expr)
        if isinstance(expr, sp.log):
            value = sp.log(self.canonical(expr.args[0]))
            # SymPy does some logarithms: log(1) is 0, log(1/2) is -log(2), log(exp(x)) is x.
            return self._symbol(value) if isinstance(value, sp.log) else self.rational(value)
        raise RuleError(f"the calculus does not know {expr}")

    def _symbol(self, atom: Expr) -> Expr:
        return self._symbols.setdefault(atom, sp.Dummy())

    def _power(self, base: Expr, exponent: Expr) -> Expr:
        """b**(c + u/q) = b**c · (b**(u/q)) for whole c, the last factor an atom."""
        if exponent.is_Integer:
            return self.rational(base) ** exponent
        product = sp.Integer(1)
        for coefficient, rest in self._terms(exponent):
            if rest == 1 and coefficient.is_Integer:
                product *= self.rational(base) ** coefficient
            else:
                root = sp.Pow(self.canonical(base), rest / coefficient.q)
                # SymPy does some powers: 4**(1/2) is 2, exp(log(x)) is x.
                done = not isinstance(root, sp.Pow | sp.exp)
                product *= (self.rational(root) if done else self._symbol(root)) ** coefficient.p
        return product

    def _terms(self, expr: Expr) -> Iterator[tuple[Expr, Expr]]:
        """Split into terms, each a rational coefficient and the rest."""
        numerator, denominator = sp.fraction(reduced(self.rational(expr)))
        for term in sp.Add.make_args(sp.expand(numerator)):
            yield self.restore(term / denominator).as_coeff_Mul()

    def _sum(self, total: Expr) -> Expr:
        """Σ (a·f(k) + b·g(k)) = a·Σ f(k) + b·Σ g(k), one summation after the other."""
        summed = self.rational(total.function)
        for limit in total.limits:
            numerator, denominator = sp.fraction(reduced(summed))
            inside, outside = self._split(denominator, limit[0])
            summed = sum(
                (
                    coefficient / outside * self._atomic_sum(self.restore(term / inside), limit)
                    for coefficient, term in self._collect(numerator, limit[0])
                ),
                sp.Integer(0),
            )
        return summed

    def _atomic_sum(self, summand: Expr, limit: Expr) -> Expr:
        index, first, last = limit
        if summand == 1:
            return self.rational(last - first + 1)
        length = self.canonical(last - first)
        if length.is_Integer:
            terms = (summand.subs(index, first + step) for step in range(length + 1))
            return sum(map(self.rational, terms), sp.Integer(0))
        return self._symbol(sp.Sum(summand, (index, self.canonical(first), self.canonical(last))))

    def _split(self, product: Expr, index: Expr) -> tuple[Expr, Expr]:
        """Split a product into the factors with and those without the index."""
        inside = outside = sp.Integer(1)
        for factor in sp.Mul.make_args(sp.factor(product)):
            if self._local(factor, index):
                inside *= factor
            else:
                outside *= factor
        return inside, outside

    def _collect(self, polynomial: Expr, index: Expr) -> Iterator[tuple[Expr, Expr]]:
        """Write a polynomial as terms (coefficient without the index, monomial with it)."""
        local = self._local(polynomial, index)
        if not local:
            yield polynomial, sp.Integer(1)
            return
        for powers, coefficient in sp.Poly(polynomial, *local).terms():
            yield coefficient, sp.Mul(*(x**power for x, power in zip(local, powers, strict=True)))

    def _local(self, expr: Expr, index: Expr) -> list[Expr]:
        """List the symbols in ``expr`` that depend on the index."""
        free = expr.free_symbols
        dependent = [s for atom, s in self._symbols.items() if index in atom.free_symbols]
        return [symbol for symbol in (index, *dependent) if symbol in free]
