"""The kernel theorems: registry, Coq sources and audit agree, and the audit refuses gaps."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from kvfloor_proofs import kernel
from kvfloor_proofs.claims import SLUGS, load
from kvfloor_proofs.kernel import Audit, KernelError, Theorem, audit, read_audit, sources
from kvfloor_proofs.report import to_json
from kvfloor_proofs.theorems import NO_THEOREM, THEOREMS
from kvfloor_proofs.verify import NOT_ESTABLISHED, verify_claim, with_theorems

REGISTERED = [name for names in THEOREMS.values() for name in names]
AXIOMS = """\
Axioms:
ClassicalDedekindReals.sig_forall_dec
  : forall P : nat -> Prop,
    (forall n : nat, {P n} + {~ P n}) -> {n : nat | ~ P n} + {forall n : nat, P n}
"""
PRINTED = f"""\
definition one_more
one_more = fun n : nat =>
  n + 1
     : nat -> nat

Arguments one_more n%nat_scope
theorem four_cache
four_cache
     : forall n : nat,
       exists K : matrix, 0 <= K n
{AXIOMS}theorem index
@index
     : (0 < 1)%nat
Closed under the global context
"""


def test_registry_sources_and_audit_agree(audited: Audit) -> None:
    source = (sources() / "Statements.v").read_text()
    assert sorted(REGISTERED) == sorted(audited.theorems)
    assert sorted(REGISTERED) == sorted(re.findall(r"^Theorem (\w+)", source, re.MULTILINE))
    defined = re.findall(r"^(?:Definition|Fixpoint) (\w+)", source, re.MULTILINE)
    assert sorted(audited.definitions) == sorted(defined)


def test_no_theorem_rests_on_more_than_the_standard_reals(audited: Audit) -> None:
    theorems = audited.theorems
    assert {name: theorem.axioms for name, theorem in theorems.items() if theorem.axioms} == {}
    assert all(theorem.statement for theorem in theorems.values())


@pytest.mark.parametrize("slug", SLUGS)
def test_a_claim_has_theorems_or_a_reason(slug: str) -> None:
    assert bool(THEOREMS.get(slug)) != bool(NO_THEOREM.get(slug))
    prefix = slug.replace("-", "_")
    assert all(f"{name}_".startswith(f"{prefix}_") for name in THEOREMS.get(slug, ()))


def test_no_other_claim_has_theorems() -> None:
    assert {*THEOREMS, *NO_THEOREM} == {*SLUGS}
    assert len(THEOREMS) >= 16


# --- reading the audit -----------------------------------------------------------------------


def test_what_is_read() -> None:
    stated = "forall n : nat,\nexists K : matrix, 0 <= K n"
    assert read_audit(PRINTED) == Audit(
        {
            "four_cache": Theorem("four_cache", stated, ()),
            "index": Theorem("index", "(0 < 1)%nat", ()),
        },
        {"one_more": "fun n : nat =>\n  n + 1"},
    )


def test_an_axiom_beyond_the_reals_is_read() -> None:
    more = PRINTED.replace(
        "Axioms:\n", "Axioms:\nKVFloor.Keys.free : forall P, P\nhidden : False\n"
    )
    assert read_audit(more).theorems["four_cache"].axioms == ("KVFloor.Keys.free", "hidden")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Closed under the global context\n", ""),
        ("Axioms:\n", ""),
        ("theorem index\n@index", "theorem index\n@other"),
        ("theorem index\n@index", "theorem four_cache\nfour_cache"),
        ("definition one_more\n", "something\ndefinition one_more\n"),
        ("     : nat -> nat\n", ""),
    ],
)
def test_what_cannot_be_read_is_refused(old: str, new: str) -> None:
    with pytest.raises(KernelError):
        read_audit(PRINTED.replace(old, new))


# --- refusals --------------------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the theories as they are in the repository: nothing built."""
    copied = tmp_path / "coq"
    shutil.copytree(sources(), copied, ignore=shutil.ignore_patterns(*kernel.BUILT))
    return copied


def refusal(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done
    return done.stdout


def check_sources(folder: Path) -> tuple[str, ...]:
    lines = (folder / "_CoqProject").read_text().splitlines()
    return ("sh", "audit/sources.sh", *(line for line in lines if line.endswith(".v")))


def test_the_sources_are_accepted(copy: Path) -> None:
    done = subprocess.run(check_sources(copy), cwd=copy, capture_output=True, text=True, check=True)
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("gap", "reason"),
    [
        ("Lemma gap : False. Admitted.", "a word"),
        ("Lemma gap : False. Proof. admit. Admitted.", "a word"),
        ("Axiom gap : False.", "a word"),
        ("Parameter gap : False.", "a word"),
        ("Conjecture gap : False.", "a word"),
        ("Unset Guard Checking.", "a word"),
        ("Unset Universe Checking.", "a word"),
        ("Unset Positivity Checking.", "a word"),
        ("#[bypass_check(guard)] Fixpoint gap (n : nat) : False := gap n.", "a word"),
        ("Hypothesis gap : False.", "an assumption outside of a section"),
        ("Variable gap : False.", "an assumption outside of a section"),
        ("Context (gap : False).", "an assumption outside of a section"),
        ("Theorem keys_gap : True. Proof. exact I. Qed.", "Statements.v"),
    ],
)
def test_gaps_are_refused(copy: Path, gap: str, reason: str) -> None:
    with (copy / "Keys.v").open("a") as theory:
        theory.write(f"\n{gap}\n")
    assert f"refused: {reason}" in refusal(copy, *check_sources(copy))


@pytest.mark.parametrize("option", ["-arg -type-in-type", "-arg -impredicative-set", "-Q /x X"])
def test_options_are_refused(copy: Path, option: str) -> None:
    with (copy / "_CoqProject").open("a") as project:
        project.write(f"{option}\n")
    assert "refused: a line of _CoqProject" in refusal(copy, *check_sources(copy))


def test_a_stray_theory_is_refused(copy: Path) -> None:
    (copy / "Stray.v").write_text("")
    assert "refused: Stray.v" in refusal(copy, *check_sources(copy))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("Axioms:\n", "Axioms:\nfree : False\n", "four_cache rests on free : False"),
        ("Closed under the global context\n", "", "the audit is incomplete"),
    ],
)
def test_axioms_are_refused(copy: Path, old: str, new: str, reason: str) -> None:
    (copy / "audit.out").write_text(PRINTED.replace(old, new))
    printed = refusal(copy, "awk", "-f", "audit/axioms.awk", "audit.out")
    assert f"refused: {reason}" in printed


@pytest.mark.usefixtures("audited")
def test_a_false_lemma_is_refused(copy: Path) -> None:
    with (copy / "foundations" / "Sums.v").open("a") as theory:
        theory.write("Lemma gap : 0 = 1. Proof. lra. Qed.\n")
    with pytest.raises(KernelError, match=r"foundations/Sums\.v"):
        audit(copy)


# --- in `kvfloor verify` ---------------------------------------------------------------------


def test_without_coq_it_says_how_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(KernelError, match="apt-get install make coq libcoq-coquelicot"):
        audit(sources())


def test_results_get_their_theorems() -> None:
    result = verify_claim(load("index-deterministic"), examples=1)
    theorems = {name: Theorem(name, "stated", ()) for name in REGISTERED}
    found = with_theorems(result, theorems)
    assert found.ok
    assert [theorem.name for theorem in found.theorems] == [*THEOREMS[result.slug]]
    document = json.loads(to_json([found], Audit(theorems, {"one": "1"})))
    assert document["claims"][0]["kernel"]["theorems"][0]["statement"] == "stated"
    assert document["definitions"] == {"one": "1"}
    first, *_ = found.theorems

    fewer = {name: theorem for name, theorem in theorems.items() if name != first.name}
    missing = with_theorems(result, fewer)
    assert (missing.ok, missing.verdict) == (False, NOT_ESTABLISHED)
    assert missing.kernel_error == f"no theorem {first.name}"

    more = with_theorems(result, theorems | {first.name: Theorem(first.name, "s", ("free",))})
    assert more.kernel_error == f"{first.name} rests on free"
