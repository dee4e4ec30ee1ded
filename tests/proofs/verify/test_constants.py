"""Every public bound is held by a claim, and a function that is something else fails its claim."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import sympy as sp
from hypothesis import strategies as st

from kvfloor import cost, floors
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims import SLUGS, load
from kvfloor_proofs.claims import softmax_concentration as claim
from kvfloor_proofs.constants import held_by
from kvfloor_proofs.foundations.constants import Constant, assumed, both_sides, concluded
from kvfloor_proofs.foundations.properties import Falsified, Tally, require
from kvfloor_proofs.verify import ERROR, NOT_ESTABLISHED
from kvfloor_proofs.verify.results import verify_claim

HELD = {constant.function for slug in SLUGS for constant in held_by(slug)}
SLUG = "softmax-concentration"
EXCESS = claim.M * sp.exp(-claim.g) / claim.tau


def public(room: Any) -> dict[str, Any]:
    """The functions of a room, and the classes whose numbers a claim states."""
    named = {name: getattr(room, name) for name in room.__all__}
    return {name: value for name, value in named.items() if inspect.isfunction(value)}


def test_no_bound_stands_alone() -> None:
    closed = {n: f for n, f in public(cost).items() if f.__module__.endswith(".closed_forms")}
    assert len(closed) >= 7
    bounds = public(floors) | closed
    assert [name for name, function in bounds.items() if function not in HELD] == []


def test_a_function_that_raises_is_an_error_and_no_counterexample(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tie = concluded(claim.derivations()[0], Relation.LE, leak_of(lambda _: 1 / 0))
    constant = Constant(floors.leak, (tie,))
    monkeypatch.setattr("kvfloor_proofs.verify.results.held_by", lambda _slug: (constant,))
    result = verify_claim(load(SLUG), examples=5)
    assert (result.verdict, result.constant_error, result.constants) == (ERROR, "", ())
    (error,) = result.errors
    assert error.part == "constant"
    assert error.reason.startswith("kvfloor.floors.leak: ZeroDivisionError: ")


@pytest.mark.parametrize("slug", SLUGS)
def test_every_constant_is_public_and_tied(slug: str) -> None:
    for constant in held_by(slug):
        assert constant.ties
        room = inspect.getmodule(constant.function)
        assert room is not None
        door = __import__(constant.name.rpartition(".")[0], fromlist=["_"])
        assert getattr(door, constant.function.__name__) is constant.function


def held(monkeypatch: pytest.MonkeyPatch, constant: Constant) -> str:
    monkeypatch.setattr("kvfloor_proofs.verify.results.held_by", lambda _slug: (constant,))
    result = verify_claim(load(SLUG), examples=5)
    assert (result.verdict == NOT_ESTABLISHED) == bool(result.constant_error) == (not result.ok)
    assert bool(result.constants) != bool(result.constant_error)
    return result.constant_error


def leak_of(formula: Callable[[Any], Any]) -> Callable[[], Any]:
    return lambda: formula(EXCESS)


@pytest.mark.parametrize(
    ("formula", "relation", "reason"),
    [
        (lambda E: E / (1 + E), Relation.LE, ""),
        (lambda E: E / (2 + E), Relation.LE, "it gives"),
        (lambda E: sp.Rational(101, 100) * E / (1 + E), Relation.LE, "it gives"),
        (lambda E: E / (1 + E), Relation.LT, "the derivation ends in <=, not <"),
    ],
)
def test_another_expression_fails_the_claim(
    formula: Any, relation: Relation, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tie = concluded(claim.derivations()[0], relation, leak_of(formula))
    error = held(monkeypatch, Constant(floors.leak, (tie,)))
    assert (reason in error) if reason else error == ""
    assert not error or error.startswith("kvfloor.floors.leak: ")


@pytest.mark.parametrize(
    ("least", "strict", "reason"),
    [(0, True, ""), (1, True, "it gives 1"), (0, False, "excluded")],
)
def test_another_range_fails_the_claim(
    least: int, strict: bool, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tie = assumed(claim.derivations()[0], claim.tau, "low", lambda: least, strict=strict)
    error = held(monkeypatch, Constant(floors.leak, (tie,)))
    assert (reason in error) if reason else error == ""


@pytest.mark.parametrize("most", [100, 7])
def test_another_value_on_an_instance_fails_the_claim(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(data: st.DataObject, tally: Tally) -> None:
        del tally
        require(data.draw(st.integers(0, 40), label="n") <= most, "too large")

    error = held(monkeypatch, Constant(floors.leak, (both_sides("n <= most", run),)))
    assert ("too large; Draw 1 (n): 8" in error) if most == 7 else error == ""


def test_a_tie_says_what_it_holds() -> None:
    (constant,) = held_by(SLUG)
    assert constant.name == "kvfloor.floors.leak"
    kinds = {tie.kind for tie in constant.ties}
    assert kinds == {"same expression"}
    shown = assumed(claim.derivations()[0], claim.tau, "low", lambda: 0, strict=True)
    assert shown.text == "tau > 0"
    other = assumed(claim.derivations()[0], claim.tau, "low", lambda: 0, strict=False)
    assert other.check is not None
    with pytest.raises(Falsified, match="the derivation has tau up to 0, excluded"):
        other.check()
