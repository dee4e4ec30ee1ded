"""Wrong versions of the kernel theorems: a hypothesis gone, or a constant of the conclusion moved.

They are made from the statements as Coq prints them, so every main theorem is covered. A mutant is
caught if Coq cannot prove it from the theorem itself, with the hypotheses that are left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kvfloor_proofs.kernel import THEOREMS, Theorem, statements

__all__ = ["PREAMBLE", "UNCHANGED", "Mutant", "mutants", "session"]

BINDER = re.compile(r"(?:forall|exists|let)\b")
CONNECTIVES = (" -> ", " <-> ", " /\\ ", " \\/ ")
RELATIONS = {" <= ": "less", " < ": "less", " >= ": "more", " > ": "more", " = ": "more"}

UNCHANGED = "unchanged"  # not a mutant: the control, which must be proved

FILES = map(statements, (*THEOREMS, "fast-path"))
STATEMENTS = (file.removesuffix(".v").replace("/", ".") for file in FILES)
IMPORTS = f"""\
From Coq Require Import Reals ZArith List Arith Bool Lra Lia.
From KVFloor Require Import Programs Binary64 Definitions Families Probability Backward.
From KVFloor Require Import {" ".join(STATEMENTS)}.
"""
TACTICS = """\
Import ListNotations.
Open Scope R_scope.
Class Moved (A : Type) := { more : A -> A; less : A -> A }.
#[export] Instance Moved_nat : Moved nat := { more := S; less := pred }.
#[export] Instance Moved_R : Moved R := { more := fun x => x + 1; less := fun x => x - 1 }.
Ltac close := eauto; first [lra | lia].
Ltac inside H := first
  [ exact H | solve [intros; eapply H; close]
  | let x := fresh in let H' := fresh in destruct H as [x H']; exists x; inside H'
  | let H1 := fresh in let H2 := fresh in destruct H as [H1 H2]; split; [inside H1|inside H2] ].
Ltac proves theorem := first
  [ solve [exact theorem] | solve [intros; eapply theorem; close]
  | solve [intros; let H := fresh in edestruct theorem as [? H]; try eassumption; try lra; try lia;
           eexists; inside H] ].
"""
PREAMBLE = IMPORTS + TACTICS


@dataclass(frozen=True)
class Mutant:
    """A statement that must not follow from a theorem."""

    theorem: str
    change: str
    statement: str


def mutants(theorem: Theorem) -> Iterator[Mutant]:
    """Delete each hypothesis; move each number that a relation of the conclusion bounds."""
    text = " ".join(theorem.statement.split())
    arrows = [at for at, word in _connectives(text) if word == " -> "]
    starts = [0, *(at + 4 for at in arrows)]
    for start, arrow in zip(starts, arrows, strict=False):
        hypothesis = _after_binders(text, start)
        without = text[:hypothesis] + text[arrow + 4 :]
        yield Mutant(theorem.name, f"without {text[hypothesis:arrow]}", without)
    yield Mutant(theorem.name, UNCHANGED, text)
    conclusion = _after_binders(text, starts[-1])
    for relation in re.finditer("|".join(RELATIONS), text[conclusion:]):
        begin = conclusion + relation.end()
        end = _operand_end(text, begin)
        moved = f"{RELATIONS[relation.group()]} ({text[begin:end]})"
        changed = text[:begin] + moved + text[end:]
        yield Mutant(theorem.name, f"{relation.group().strip()} {moved}", changed)


def session(mutant: Mutant, number: int) -> str:
    """Coq commands that print ``typed`` and ``survived`` with the number, where that is so."""
    return (
        f"Goal {mutant.statement}.\n"
        f'idtac "typed {number}".\n'
        f'Timeout 20 tryif solve [proves (@{mutant.theorem})] then idtac "survived {number}" '
        f'else idtac "caught {number}".\n'
        "Abort.\n"
    )


def _connectives(text: str) -> Iterator[tuple[int, str]]:
    """Connectives outside of parentheses and binders, with their places."""
    depth, at = 0, 0
    while at < len(text):
        if not depth and BINDER.match(text, at) and not text[at - 1 : at].isalnum():
            at = _binder_end(text, at)
            continue
        depth += (text[at] in "([{") - (text[at] in ")]}")
        found = next((c for c in CONNECTIVES if not depth and text.startswith(c, at)), None)
        if found:
            yield at, found
        at += 1


def _binder_end(text: str, at: int) -> int:
    """Where what a forall, an exists or a let binds begins."""
    depth, ending = 0, " in " if text.startswith("let", at) else ", "
    while depth or not text.startswith(ending, at):
        depth += (text[at] in "([{") - (text[at] in ")]}")
        at += 1
    return at + len(ending)


def _after_binders(text: str, at: int) -> int:
    while BINDER.match(text, at):
        at = _binder_end(text, at)
    return at


def _operand_end(text: str, begin: int) -> int:
    """Where the right side of a relation ends."""
    depth = 0
    for at in range(begin, len(text)):
        depth += (text[at] in "([{") - (text[at] in ")]}")
        depth += text.startswith("match ", at) - text.startswith(" end", at)
        stops = (*CONNECTIVES, *RELATIONS, ", ", " | ", " then ", " else ")
        if depth < 0 or (not depth and any(text.startswith(stop, at) for stop in stops)):
            return at
    return len(text)
