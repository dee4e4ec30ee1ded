"""Certificates in Coq's language: a boolean that its checker computes, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from kvfloor.certificates import (
    Document,
    InNumbers,
    TraceInNumbers,
    in_numbers,
    trace_in_numbers,
)

__all__ = ["Exported", "UnspeakableError", "batch", "exported", "theory"]

HEAD = """\
From Coq Require Import QArith List.
From KVFloor Require Import {theories}.
Import ListNotations.
Open Scope Q_scope.
"""
OUTPUTS = ("Certificates", "Checker")
FLOORS = ("Certificates", "Floors", "FloorChecker")
THEORY = """
{definitions}
Theorem accepted : {accepts} = true.
Proof. vm_cast_no_check (eq_refl true). Qed.

Theorem certified : {holds}.
Proof. exact ({proof} accepted). Qed.

Print Assumptions certified.
"""


FINEST = 2**16  # a denominator of δ; Coq writes out numbers of so many digits


class UnspeakableError(ValueError):
    """A certificate that may hold, but of what Coq's theorems do not speak."""


@dataclass(frozen=True)
class Exported:
    """A certificate in Coq's language.

    Attributes
    ----------
    theories : tuple of str
        Those with the statement and with the checker.
    numbers : dict
        Terms by the names that the others use for them.
    accepts, holds, proof : str
        What the checker computes; what is so if that is ``true``, and the theorem that says so.
    meaning : str
        The same for a reader.
    """

    theories: tuple[str, ...]
    numbers: dict[str, str]
    accepts: str
    holds: str
    proof: str
    meaning: str


def exported(document: Document) -> Exported:
    """Return a certificate in Coq's language.

    Parameters
    ----------
    document : Document
        As its schema wants it.

    Raises
    ------
    InvalidError, MalformedError
        If it says what can be refuted without looking at outputs or weights.
    UnspeakableError
        If Coq has no theorem for it.
    """
    if document["kind"] == "floor":
        return _floor(trace_in_numbers(document))
    return _violation(in_numbers(document))


def theory(certificate: Exported) -> str:
    """Return a theory that Coq accepts only if its checker accepts the certificate."""
    return HEAD.format(theories=" ".join(certificate.theories)) + THEORY.format(
        definitions="\n".join(f"Definition {k} := {v}." for k, v in certificate.numbers.items()),
        accepts=certificate.accepts,
        holds=certificate.holds,
        proof=certificate.proof,
    )


def batch(certificates: Sequence[Exported]) -> str:
    """Return a theory that prints for each certificate whether Coq's checker accepts it."""
    theories = sorted({name for certificate in certificates for name in certificate.theories})
    lines = [HEAD.format(theories=" ".join(theories))]
    for certificate in certificates:
        bound = "".join(f"let {name} := {term} in " for name, term in certificate.numbers.items())
        lines.append(f"Eval vm_compute in ({bound}{certificate.accepts}).\n")
    return "".join(lines)


def _violation(said: InNumbers) -> Exported:
    guarantee = f"{_rational(said.eta)} {_rational(said.alpha)}"
    numbers = {
        "certificate": f"Instance\n  {_term(said.keys)}\n  {_term(said.values[0])}\n"
        f"  {_term(said.query)} {said.column}"
    }
    ends = " ".join(_rational(x) for pair in said.outputs for x in pair)
    pair = f"({said.eta}, {said.alpha})"
    if said.answer is None:
        numbers["others"] = _term(said.values[1])
        terms = f"certificate others {guarantee} {ends}"
        return Exported(
            OUTPUTS, numbers, f"accepts_collision {terms}", f"collides {terms}",
            "accepts_collision_holds _ _ _ _ _ _ _ _",
            f"no number is {pair}-accurate for both outputs",
        )  # fmt: skip
    answer = f"{_rational(said.answer)} {ends}"
    meaning = f"{said.answer} is not {pair}-accurate"
    if said.bound is None:
        terms = f"certificate {guarantee} {answer}"
        return Exported(
            OUTPUTS, numbers, f"accepts_violation {terms}", f"violates {terms}",
            "accepts_violation_holds _ _ _ _ _ _", meaning,
        )  # fmt: skip
    terms = f"certificate {guarantee} {_rational(said.bound)} {answer}"
    return Exported(
        OUTPUTS, numbers, f"accepts_bounded_violation {terms}",
        f"violates_bounded {terms}", "accepts_bounded_violation_holds _ _ _ _ _ _ _",
        f"{meaning}, with B = {said.bound}",
    )  # fmt: skip


def _floor(said: TraceInNumbers) -> Exported:
    if None in said.seen:
        raise UnspeakableError("a query sees other tuples than all of some tokens of each slot")
    if said.delta > Fraction(1, 2):
        raise UnspeakableError(f"δ = {said.delta} is over 1/2")
    if said.delta.denominator > FINEST:
        raise UnspeakableError(f"δ = {said.delta} has a denominator over {FINEST}")
    numbers = {
        "certificate": f"Trace\n  {_term(said.keys)} {said.slot}\n  {_term(said.queries)}\n"
        f"  {_naturals(said.seen)}\n  {_rational(said.factor)} {said.root}\n"
        f"  {_naturals(said.tokens)} {_naturals(said.reads)} {_term(said.levels)}%Z"
    }
    guarantee = f"certificate {_rational(said.eta)} {_rational(said.alpha)}"
    in_turn, needs = str(said.successive).lower(), f"{said.d_v} {said.bits}"
    meaning = (
        f"caches with states of one length, ({said.eta}, {said.alpha})-accurate for values on "
        f"some levels in [0, 1], have at least {said.bits} bits"
    )
    if said.delta:
        terms = f"{guarantee} {_rational(said.delta)}"
        return Exported(
            FLOORS, numbers, f"accepts_randomized_floor {terms} {in_turn} {needs}",
            f"forces_randomized {terms} {needs}", "accepts_randomized_floor_holds _ _ _ _ _ _ _",
            f"{meaning}, if answers are off with probability {said.delta} at most",
        )  # fmt: skip
    return Exported(
        FLOORS, numbers, f"accepts_floor {guarantee} {in_turn} {needs}",
        f"forces {guarantee} {needs}", "accepts_floor_holds _ _ _ _ _ _",
        f"{meaning}, which are enough",
    )  # fmt: skip


def _rational(x: Fraction) -> str:
    sign = x.numerator if x.denominator == 1 else f"{x.numerator}#{x.denominator}"
    return str(sign) if x >= 0 and x.denominator == 1 else f"({sign})"


def _term(node: Any) -> str:
    """Nested sequences of numbers as nested lists."""
    if isinstance(node, Fraction):
        return _rational(node)
    return str(node) if isinstance(node, int) else "[" + "; ".join(map(_term, node)) + "]"


def _naturals(node: Any) -> str:
    return f"{_term(node)}%nat"
