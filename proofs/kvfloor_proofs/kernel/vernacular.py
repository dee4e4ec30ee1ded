"""Certificates in Coq's language: a boolean that its checker computes, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from kvfloor.certificates import Document, InNumbers, in_numbers
from kvfloor_proofs.kernel.coq import KernelError

__all__ = ["Exported", "batch", "exported", "theory"]

HEAD = """\
From Coq Require Import QArith List.
From KVFloor Require Import Certificates {checker}.
Import ListNotations.
Open Scope Q_scope.
"""
THEORY = """
{definitions}
Theorem accepted : {accepts} = true.
Proof. vm_compute. reflexivity. Qed.

Theorem certified : {holds}.
Proof. exact ({proof} accepted). Qed.

Print Assumptions certified.
"""


@dataclass(frozen=True)
class Exported:
    """A certificate in Coq's language.

    Attributes
    ----------
    checker : str
        The theory of the checker.
    numbers : dict
        Terms by the names that the others use for them.
    accepts, holds, proof : str
        What the checker computes; what is so if that is ``true``, and the theorem that says so.
    meaning : str
        The same for a reader.
    """

    checker: str
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
        If it says what can be refuted without looking at outputs.
    """
    if document["kind"] == "floor":
        raise KernelError("Coq's checker knows no floors yet")
    return _violation(in_numbers(document))


def theory(certificate: Exported) -> str:
    """Return a theory that Coq accepts only if its checker accepts the certificate."""
    return HEAD.format(checker=certificate.checker) + THEORY.format(
        definitions="\n".join(f"Definition {k} := {v}." for k, v in certificate.numbers.items()),
        accepts=certificate.accepts,
        holds=certificate.holds,
        proof=certificate.proof,
    )


def batch(certificates: Sequence[Exported]) -> str:
    """Return a theory that prints for each certificate whether Coq's checker accepts it."""
    checkers = sorted({certificate.checker for certificate in certificates})
    lines = [HEAD.format(checker=" ".join(checkers))]
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
            "Checker", numbers, f"accepts_collision {terms}", f"collides {terms}",
            "accepts_collision_holds _ _ _ _ _ _ _ _",
            f"no number is {pair}-accurate for both outputs",
        )  # fmt: skip
    answer = f"{_rational(said.answer)} {ends}"
    meaning = f"{said.answer} is not {pair}-accurate"
    if said.bound is None:
        terms = f"certificate {guarantee} {answer}"
        return Exported(
            "Checker", numbers, f"accepts_violation {terms}", f"violates {terms}",
            "accepts_violation_holds _ _ _ _ _ _", meaning,
        )  # fmt: skip
    terms = f"certificate {guarantee} {_rational(said.bound)} {answer}"
    return Exported(
        "Checker", numbers, f"accepts_bounded_violation {terms}",
        f"violates_bounded {terms}", "accepts_bounded_violation_holds _ _ _ _ _ _ _",
        f"{meaning}, with B = {said.bound}",
    )  # fmt: skip


def _rational(x: Fraction) -> str:
    sign = x.numerator if x.denominator == 1 else f"{x.numerator}#{x.denominator}"
    return str(sign) if x >= 0 and x.denominator == 1 else f"({sign})"


def _term(node: Any) -> str:
    """Nested sequences of rationals as nested lists."""
    if isinstance(node, Fraction):
        return _rational(node)
    return "[" + "; ".join(map(_term, node)) + "]"
