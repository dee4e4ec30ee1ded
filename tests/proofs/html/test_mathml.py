"""Expressions as MathML: what is printed says what the expression says."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest
import sympy as sp

from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Cite,
    Derivation,
    Monotone,
    Positivity,
    Relation,
    Rule,
    Statement,
    Step,
    Termwise,
    Variable,
)
from kvfloor_proofs.html.chains import chain
from kvfloor_proofs.html.mathml import mathml

k, n = sp.symbols("k n", integer=True)
x, y = sp.symbols("x y", real=True)
s = sp.IndexedBase("s", real=True)


def plain(element: ET.Element) -> str:
    """MathML as text, with brackets where the eye would see a group."""
    parts = [plain(child) for child in element]
    match element.tag:
        case "mfrac":
            return f"[{parts[0]}]/[{parts[1]}]"
        case "msup":
            return f"{parts[0]}^[{parts[1]}]"
        case "msub":
            return f"{parts[0]}_[{parts[1]}]"
        case "munderover":
            return f"{parts[0]}[{parts[1]}..{parts[2]}]"
        case "msqrt":
            return f"√[{''.join(parts)}]"
    return (element.text or "") + "".join(parts)


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        (2 * 2**k, "2·2^[k]"),
        (x * sp.exp(-k), "x*e^[−k]"),
        (sp.exp(-k) / (1 + sp.exp(-k)), "[e^[−k]]/[1+e^[−k]]"),
        (1 - x - 2 * y, "1−x−2*y"),
        (-x * (n - 1), "−x*(n−1)"),
        (-3 * x / 4, "−[3*x]/[4]"),
        (sp.Rational(-1, 2), "−[1]/[2]"),
        (n - k, "n−k"),
        (x * sp.log(y), "x*ln!(y)"),
        (sp.log(x) ** 2, "ln!(x)^[2]"),
        ((x + 1) ** -2, "[1]/[(x+1)^[2]]"),
        (sp.sqrt(x), "√[x]"),
        (sp.Symbol("k'"), "k^[′]"),
        (sp.Symbol("lambda_max"), "λ_[max]"),
        (sp.Symbol("d_v") ** 2, "d_[v]^[2]"),
        (sp.Sum(sp.exp(s[k]), (k, 1, n)), "∑[k=1..n]e^[s_[k]]"),
        (n * sp.Sum(s[k] - 1, (k, 1, n)), "n*(∑[k=1..n](s_[k]−1))"),
        (sp.Sum(k * n, (k, 1, n), (n, 0, 3)), "∑[n=0..3]∑[k=1..n]k*n"),
    ],
)
def test_what_is_printed(expression: Any, shown: str) -> None:
    printed = ET.fromstring(f"<math>{mathml(expression)}</math>")
    assert plain(printed).replace("\u2062", "*").replace("\u2061", "!") == shown


def test_a_chain_shows_ranges_names_relations_and_rules() -> None:
    fact = Statement(Assumptions((Variable(x, 0, low_open=True),)), sp.log(x), Relation.LE, x - 1)
    known = Derivation(
        "1 < 2^n", Assumptions(()), sp.Integer(1),
        (Step(Relation.LT, sp.Integer(2), Positivity(), "Count."),),
    )  # fmt: skip
    nested = Termwise(Monotone(Variable(y), y, x, x, Cite(known)))
    rules: tuple[Rule, ...] = (Algebra(), Cite(fact), Cite(known), nested)
    relations = (Relation.EQ, Relation.LE, Relation.LT, Relation.LE)
    steps = tuple(Step(r, x, rule, "Why.") for r, rule in zip(relations, rules, strict=True))
    ranges = (Variable(x, 0, 1, low_open=True), Variable(n))
    shown = chain(Derivation("A chain", Assumptions(ranges, ((y, x + 1),)), x, steps))
    assert [plain(ET.fromstring(r)) for r in shown.ranges] == ["0<x≤1", "n∈ℤ"]
    assert [plain(ET.fromstring(r)) for r in shown.names] == ["y≔x+1"]
    rows = ET.fromstring(shown.table).findall(".//mtr")
    assert [plain(row) for row in rows] == ["x", "=x(1)", "≤x(2)", "<x(3)", "≤x(4)"]
    algebra, elementary, cited, deep = (reason.rule for reason in shown.reasons)
    assert algebra == "Algebra"
    assert elementary.startswith("Cite of the elementary fact <math>")
    assert cited == "Cite of “1 &lt; 2<sup>n</sup>”"
    assert deep == "Termwise › Monotone › Cite of “1 &lt; 2<sup>n</sup>”"
