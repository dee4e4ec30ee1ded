"""No hypothesis of a main theorem can go, and no constant be moved: Coq proves none of the mutants.

And no mutant of the checker of certificates. ``pytest -m mutation``; needs Coq.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from kvfloor_proofs.kernel import Audit, Theorem
from kvfloor_proofs.kernel import coq as kernel
from mutation.checker_mutants import CHECKER
from mutation.kernel_mutants import PREAMBLE, UNCHANGED, mutants, session
from mutation.mutants import CHANGE


@pytest.mark.parametrize(
    ("statement", "changes"),
    [
        ("0 < 1 -> 1 <= 2", ["without 0 < 1", "<= less (2)"]),
        (
            "forall (n : nat) (f : nat -> R), (1 <= n)%nat -> exists x, P n -> x > f n /\\ x = 1",
            ["without (1 <= n)%nat", "without P n", "> more (f n)", "= more (1)"],
        ),
        ("let m := 1 in (forall j, A j -> B) -> m <= 2 -> C", ["without (forall j, A j -> B)",
                                                               "without m <= 2"]),
        ("forall f : A -> B, f = match k with | a => 1 | b => 2 end",
         ["= more (match k with | a => 1 | b => 2 end)"]),
    ],
)  # fmt: skip
def test_mutants_of_a_statement(statement: str, changes: list[str]) -> None:
    made = [mutant.change for mutant in mutants(Theorem("theorem", statement, ()))]
    assert [change for change in made if change != UNCHANGED] == changes
    assert made.count(UNCHANGED) == 1


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory, audited: Audit) -> Path:
    assert audited.theorems
    folder = tmp_path_factory.mktemp("kernel") / "coq"
    kernel.copy_theories(kernel.sources(), folder)
    subprocess.run(("make", "-s"), cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.mutation
def test_mutants_are_caught(compiled: Path, audited: Audit) -> None:
    made = [mutant for theorem in audited.theorems.values() for mutant in mutants(theorem)]
    text = PREAMBLE + "".join(session(mutant, k) for k, mutant in enumerate(made))
    done = subprocess.run(
        ("coqtop", "-quiet", "-R", str(compiled), "KVFloor"),
        input=text, capture_output=True, text=True, check=True,
    )  # fmt: skip
    typed, proved = (
        {int(k) for k in re.findall(rf"{word} (\d+)", done.stdout)}
        for word in ("typed", "survived")
    )
    controls = {k for k, mutant in enumerate(made) if mutant.change == UNCHANGED}
    assert controls <= proved  # what is not changed is proved
    assert [made[k] for k in sorted(proved - controls)] == []

    # What is no statement at all, such as a list plus one, is no mutant; no theorem is without any.
    tried = typed - controls
    assert {made[k].theorem for k in tried} == set(audited.theorems)
    deleted = {k for k, mutant in enumerate(made) if mutant.change.startswith("without")}
    assert len(deleted - typed) == 0


def changed(theory: str, change: str) -> tuple[str, str]:
    """A theory of the checker, and that with a change."""
    text = (kernel.sources() / "checker" / f"{theory}.v").read_text()
    old, new = CHANGE.sub(r"\1", change), CHANGE.sub(r"\2", change)
    assert text.count(old) == 1
    return text, text.replace(old, new)


@pytest.mark.parametrize(("theory", "name", "change"), CHECKER, ids=lambda part: str(part)[:30])
def test_checker_mutants_apply(theory: str, name: str, change: str) -> None:
    assert name
    text, mutant = changed(theory, change)
    assert text != mutant


@pytest.mark.mutation
def test_no_mutant_of_the_checker_is_proved(compiled: Path) -> None:
    make = ("make", "-s", "checker")
    assert not subprocess.run(make, cwd=compiled, capture_output=True, check=False).returncode
    survivors = []
    for theory, name, change in CHECKER:
        file = compiled / "checker" / f"{theory}.v"
        text, mutant = changed(theory, change)
        file.write_text(mutant)
        done = subprocess.run(make, cwd=compiled, capture_output=True, text=True, check=False)
        survivors += [] if "Error" in done.stderr else [name]
        file.write_text(text)
    assert survivors == []
