"""The kernel theorems: registry, Coq sources and audit agree, and the audit refuses gaps."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kvfloor_proofs.claims import SLUGS, load
from kvfloor_proofs.foundations import claim
from kvfloor_proofs.kernel import (
    FAST_PATH,
    NO_THEOREM,
    NOT_IN_KERNEL,
    THEOREMS,
    Audit,
    Theorem,
    audit,
    sources,
    statements,
)
from kvfloor_proofs.kernel import coq as kernel
from kvfloor_proofs.kernel.coq import KernelError, claimed, copy_theories, read_audit
from kvfloor_proofs.pages.claims import page
from kvfloor_proofs.report import to_json
from kvfloor_proofs.verify import NOT_ESTABLISHED, with_theorems
from kvfloor_proofs.verify.results import verify_claim

SHARED = [f"statements/{name}.v" for name in ("Definitions", "Families", "Probability", "Backward")]
STATED = {**THEOREMS, "fast-path": FAST_PATH}
REGISTERED = [name for names in STATED.values() for name in names]
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
definition Programs.kind
Inductive kind : Set :=
    one : kind
  | other : kind.

Arguments one
definition Programs.vector
Programs.vector = fun n : nat => n
     : nat -> nat
theorem four_cache
four_cache
     : forall n : nat,
       exists K : matrix, 0 <= K n
axioms FourCache
{AXIOMS}theorem index
@index
     : (0 < 1)%nat
theorem index_too
@index_too
     : True
axioms Index
Closed under the global context
"""


def introduced(path: Path, *words: str) -> list[str]:
    """What a file of statements or definitions states or defines, in its order."""
    return re.findall(rf"^(?:{'|'.join(words)}) (\w+)", path.read_text(), re.MULTILINE)


@pytest.mark.parametrize("slug", STATED)
def test_a_claims_file_states_its_theorems(slug: str) -> None:
    """The one that is named like the claim may come later there; the registry has it first."""
    stated = introduced(sources() / statements(slug), "Theorem")
    assert sorted(stated, key=slug.replace("-", "_").__ne__) == [*STATED[slug]]


def test_the_files_of_statements_are_those_of_the_claims() -> None:
    files = [*SHARED, *map(statements, STATED)]
    project = (sources() / "_CoqProject").read_text().splitlines()
    assert [line for line in project if line.startswith("statements/")] == files
    assert sorted(f"statements/{path.name}" for path in (sources() / "statements").glob("*.v")) == (
        sorted(files)
    )
    assert all(len((sources() / file).read_text().splitlines()) < 400 for file in files)


def test_registry_sources_and_audit_agree(audited: Audit) -> None:
    assert sorted(audited.theorems) == sorted(REGISTERED)
    read = [sources() / "foundations" / f"{name}.v" for name in ("Programs", "Binary64")]
    files = [*read, *(sources() / "statements").glob("*.v")]
    words = ("Definition", "Fixpoint", "Inductive")
    defined = [name for file in files for name in introduced(file, *words)]
    assert sorted(name.split(".")[-1] for name in audited.definitions) == sorted(defined)


def test_no_theorem_rests_on_more_than_the_standard_reals(audited: Audit) -> None:
    theorems = audited.theorems
    assert {name: theorem.axioms for name, theorem in theorems.items() if theorem.axioms} == {}
    assert all(theorem.statement for theorem in theorems.values())


@pytest.mark.parametrize("slug", SLUGS)
def test_a_claim_has_theorems_or_a_reason(slug: str) -> None:
    assert bool(THEOREMS.get(slug)) != bool(NO_THEOREM.get(slug))
    prefix = slug.replace("-", "_")
    assert all(f"{name}_".startswith(f"{prefix}_") for name in THEOREMS.get(slug, ()))


def test_a_page_says_what_its_theorems_leave_out() -> None:
    assert {"subgen", "subgen-four-cache", "forward-error", "identifiability"} < {*NOT_IN_KERNEL}
    assert {*NOT_IN_KERNEL} < {*THEOREMS}
    for slug in THEOREMS:
        left_out = NOT_IN_KERNEL.get(slug, "")
        printed = page(load(slug))
        assert ("Proved in part" in printed) == bool(left_out)
        assert f"Not in the kernel: {left_out}" in printed or not left_out


def test_a_page_says_why_there_is_no_theorem(monkeypatch: pytest.MonkeyPatch) -> None:
    """All claims have some: the next one may not."""
    monkeypatch.setattr(claim, "THEOREMS", {})
    monkeypatch.setattr(claim, "NO_THEOREM", {"keys": "not stated yet"})
    assert "No theorem: not stated yet." in page(load("keys"))


def test_a_theorem_of_no_claim_is_told() -> None:
    found = Audit({name: Theorem(name, "stated", ()) for name in REGISTERED}, {})
    assert claimed(found) == found
    found.theorems["more"] = Theorem("more", "0 = 1", ())
    with pytest.raises(KernelError, match="the statements hold more, which no claim names"):
        claimed(found)


def test_the_fast_path_has_all_its_theorems_and_no_axiom_of_its_own() -> None:
    found = Audit({name: Theorem(name, "stated", ()) for name in REGISTERED}, {})
    assert [theorem.name for theorem in found.fast_path] == [*FAST_PATH]
    found.theorems["fast_path"] = Theorem("fast_path", "0 = 1", ("free",))
    with pytest.raises(KernelError, match="fast_path rests on free"):
        claimed(found)
    del found.theorems["fast_path"]
    with pytest.raises(KernelError, match="no theorem fast_path of the fast path"):
        claimed(found)


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
            "index_too": Theorem("index_too", "True", ()),
        },
        {
            "one_more": "fun n : nat =>\n  n + 1",
            "kind": "Inductive kind : Set :=\n    one : kind\n  | other : kind.",
            "Programs.vector": "fun n : nat => n",
        },
    )


def test_an_axiom_beyond_the_reals_is_read() -> None:
    more = PRINTED.replace(
        "Axioms:\n", "Axioms:\nKVFloor.Keys.free : forall P, P\nhidden : False\n"
    )
    theorems = read_audit(more).theorems
    assert theorems["four_cache"].axioms == ("KVFloor.Keys.free", "hidden")
    assert theorems["index"].axioms == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Closed under the global context\n", ""),
        ("Axioms:\n", ""),
        ("axioms Index\n", ""),
        ("axioms Index\nClosed under the global context\n", ""),
        ("theorem index\n@index", "theorem index\n@other"),
        ("theorem index\n@index", "theorem four_cache\nfour_cache"),
        ("theorem index\n@index", "theorem index_too\nindex_too"),
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
    copy_theories(sources(), copied)
    return copied


def add(folder: Path, theory: str) -> None:
    """A theory more, and its line in the project."""
    (folder / theory).write_text("")
    with (folder / "_CoqProject").open("a") as project:
        project.write(f"{theory}\n")


def refusal(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done
    return done.stdout


CHECK = (sys.executable, "audit/sources.py")


def test_the_sources_are_accepted(copy: Path) -> None:
    done = subprocess.run(CHECK, cwd=copy, capture_output=True, text=True, check=True)
    assert done.stdout == ""


OUTSIDE = "an assumption outside of a section"


@pytest.mark.parametrize(
    ("gap", "reason"),
    [
        ("Lemma gap : False. Admitted.", "Admitted, which"),
        ("Lemma gap : False. Proof. admit. Qed.", "a gap"),
        ("Lemma gap : False. Proof. 1: { + give_up. } Qed.", "a gap"),
        ("Axiom gap : False.", "Axiom, which"),
        ("Parameter gap : False.", "Parameter, which"),
        ("Conjecture gap : False.", "Conjecture, which"),
        ("Lemma gap : True. Proof. exact I. (* done *)Axiom gap2 : False. Qed.", "Axiom, which"),
        ("Unset Guard Checking.", "Unset, which"),
        ("Global Set Universe Checking.", "Global, which"),
        ("#[bypass_check(guard)] Fixpoint gap (n : nat) : False := gap n.", "#"),
        ("Module gap.", "Module, which"),
        ('Load "gap".', "Load, which"),
        ("Primitive gap := #int63_add.", "Primitive, which"),
        ("Register gap as core.False.type.", "Register, which"),
        ('Redirect "gap" Check 1.', "Redirect, which"),
        ('Cd "/".', "Cd, which"),
        ("Extraction gap.", "Extraction, which"),
        ("Coercion INR : nat >-> R.", "Coercion, which"),
        ("Record gap := { field :> nat }.", "Record, in another form"),
        ('Infix "<=" := Rge.', "Infix, which"),
        ('Notation "x <= y" := (x >= y).', "a notation"),
        ("Require Import Gap.", "Require, which"),
        ("From Gap Require Import Reals.", "From, in another form"),
        ("Hypothesis gap : False.", OUTSIDE),
        ("Variable gap : False.", OUTSIDE),
        ("Context (gap : False).", OUTSIDE),
        ("Definition x := 1. Variable gap : False.", OUTSIDE),
        ("\tVariable gap : False.", OUTSIDE),
        ("(*\nSection fake.\n*)\nHypothesis gap : False.", OUTSIDE),
        ("(* (* *)\nSection fake.\n*)\nHypothesis gap : False.", OUTSIDE),
        ('(* "(*" *) Hypothesis gap : False.', OUTSIDE),
        ("#[local] Variable gap : False.", "#"),
        ("Local Variable gap : False.", "Local, which"),
    ],
)
def test_gaps_are_refused(copy: Path, gap: str, reason: str) -> None:
    theory = copy / "Keys.v"
    lines = theory.read_text().count("\n")
    with theory.open("a") as file:
        file.write(f"{gap}\n")
    first, *_ = refusal(copy, *CHECK).splitlines()
    number = lines + 1 + gap.strip().count("\n")
    assert first.startswith(f"refused: Keys.v:{number}: {reason}")


TRUE = ": True. Proof. exact I. Qed."
KEYS, SIGN_KEYS = map(statements, ("keys", "sign-keys"))


@pytest.mark.parametrize(
    ("theory", "added", "reason"),
    [
        ("Keys.v", f"Theorem keys_gap {TRUE}", "keys_gap, which no file of statements states"),
        (KEYS, f"Theorem keys_gap {TRUE}", "keys_gap, which no theory proves"),
        (KEYS, f"Lemma gap {TRUE}", "Lemma, which"),
        (KEYS, "Lemma gap : False. Admitted.", "Admitted, which"),
        (KEYS, "Axiom gap : False.", "Axiom, which"),
        (KEYS, f"  Theorem gap {TRUE}", "Theorem, which does not"),
        (KEYS, "Open Scope R_scope. Definition gap := 1.", "Definition, which does not"),
        (KEYS, "Definition weight := 1.", f"weight, which {SHARED[0]}:"),
        (KEYS, "Definition coin := 1.", f"coin, which {SHARED[2]}:"),
        (KEYS, "Definition bits := Bits.bitstrings.", "Bits.bitstrings, which no file"),
        (KEYS, "Import Bits.", "Import, in another form"),
        (KEYS, "From KVFloor Require Import Bits.", "From, which imports a theory"),
        (SIGN_KEYS, f"Theorem keys_gap {TRUE}", f"keys_gap, which belongs in {KEYS}"),
        (SIGN_KEYS, f"Theorem gap {TRUE}", "gap, which belongs in the file of its claim"),
        (SIGN_KEYS, f"Theorem keys_e8 {TRUE}", f"keys_e8, which {KEYS}:"),
        ("SignKeys.v", f"Theorem sign_keys {TRUE}", "sign_keys, which SignKeys.v:"),
        *((shared, f"Theorem gap {TRUE}", "Theorem, which no") for shared in SHARED),
        ("foundations/Sums.v", f"Theorem gap {TRUE}", "Theorem, which no"),
    ],
)
def test_each_kind_of_theory_has_its_commands(
    copy: Path, theory: str, added: str, reason: str
) -> None:
    with (copy / theory).open("a") as file:
        file.write(f"{added}\n")
    assert reason in refusal(copy, *CHECK)


def test_a_file_of_statements_that_is_not_in_the_project_is_refused(copy: Path) -> None:
    project = copy / "_CoqProject"
    project.write_text(project.read_text().replace(f"{KEYS}\n", ""))
    printed = refusal(copy, *CHECK)
    assert f"refused: {KEYS}, which is not in _CoqProject" in printed
    assert "keys_parabola, which no file of statements states" in printed


def test_a_theorem_moved_to_another_claims_file_is_refused(copy: Path) -> None:
    from_, to = (copy / statements(slug) for slug in ("subgen-four-cache", "subgen"))
    begin, moved = from_.read_text().split("(** The normaliser is unbiased. *)\n")
    from_.write_text(begin)
    with to.open("a") as file:
        file.write(moved)
    printed = refusal(copy, *CHECK)
    assert f"{statements('subgen')}:50: subgen_four_cache_unbiased, which belongs in " in printed


@pytest.mark.parametrize("option", ["-arg -type-in-type", "-arg -impredicative-set", "-Q /x X"])
def test_options_are_refused(copy: Path, option: str) -> None:
    with (copy / "_CoqProject").open("a") as project:
        project.write(f"{option}\n")
    assert f"refused: a line of _CoqProject: {option}" in refusal(copy, *CHECK)


@pytest.mark.parametrize("stray", ["Stray.v", "foundations/Stray.v", "statements/Stray.v"])
def test_a_stray_theory_is_refused(copy: Path, stray: str) -> None:
    (copy / stray).write_text("")
    assert f"refused: {stray}, which is not in _CoqProject" in refusal(copy, *CHECK)


@pytest.mark.parametrize("module", ["ClassicalDedekindReals", "Reals"])
def test_a_theory_named_like_a_standard_module_is_refused(copy: Path, module: str) -> None:
    """Coq prints an axiom by the shortest name: one of ours could pass for one of theirs."""
    add(copy, f"foundations/{module}.v")
    assert f"{module}.v, named like a module of Coq's library" in refusal(copy, *CHECK)


@pytest.mark.parametrize(
    ("theory", "reason"),
    [
        ("foundations/Keys.v", "named like another theory"),
        ("Definitions.v", "named like another theory"),
        ("statements/Programs.v", "named like no claim's theory"),
    ],
)
def test_a_theory_that_could_be_taken_for_another_is_refused(
    copy: Path, theory: str, reason: str
) -> None:
    add(copy, theory)
    assert f"refused: {theory}, {reason}" in refusal(copy, *CHECK)


def test_settings_are_refused(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (copy / "Makefile.coq.local").write_text("COQEXTRAFLAGS = -type-in-type\n")
    assert "refused: Makefile.coq.local" in refusal(copy, *CHECK)
    (copy / "Makefile.coq.local").unlink()
    monkeypatch.setenv("COQEXTRAFLAGS", "-type-in-type")
    assert "refused: COQEXTRAFLAGS" in refusal(copy, *CHECK)


@pytest.mark.skipif(bool(kernel.missing()), reason="needs Coq")
def test_what_is_refused_is_told_before_anything_is_compiled(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the settings of whoever runs it do not matter."""
    monkeypatch.setenv("COQEXTRAFLAGS", "-type-in-type")
    line = (copy / "Keys.v").read_text().count("\n") + 1
    with (copy / "Keys.v").open("a") as theory:
        theory.write("Lemma gap : 0 = 1. Admitted.\n")
    with pytest.raises(KernelError) as raised:
        audit(copy)
    assert str(raised.value) == f"refused: Keys.v:{line}: Admitted, which no theory here needs"


def test_a_read_only_installation_is_copied_to_be_used(copy: Path, tmp_path: Path) -> None:
    folders = (copy, *filter(Path.is_dir, copy.iterdir()))
    for path in (*copy.rglob("*"), copy):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        copy_theories(copy, tmp_path / "again")
    finally:
        for folder in folders:
            folder.chmod(0o755)
    copied = (tmp_path / "again", *(tmp_path / "again").rglob("*"))
    assert len(copied) > len(folders)
    assert [path for path in copied if not path.stat().st_mode & stat.S_IWUSR] == []


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("Axioms:\n", "Axioms:\nfree : False\n", "FourCache rests on free : False"),
        ("Closed under the global context\n", "", "the audit of Index is incomplete"),
        (AXIOMS, "", "the audit of FourCache is incomplete"),
        ("theorem ", "definition ", "the audit has no theorem"),
        (
            "axioms Index\nClosed under the global context\n",
            "",
            "the audit has theorems without their axioms",
        ),
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
    with pytest.raises(KernelError, match="install make coq libcoq-coquelicot libcoq-flocq"):
        audit(sources())


def test_without_flocq_it_says_how_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "LIBRARIES", ("Coquelicot", "NotThere"))
    assert kernel.missing().endswith("coq libcoq-coquelicot libcoq-flocq (Debian, Ubuntu)")


def test_results_get_their_theorems() -> None:
    result = verify_claim(load("index-deterministic"), examples=1)
    theorems = {name: Theorem(name, "stated", ()) for name in REGISTERED}
    found = with_theorems(result, theorems)
    assert found.ok
    assert [theorem.name for theorem in found.theorems] == [*THEOREMS[result.slug]]
    document = json.loads(
        to_json([load("index-deterministic")], [found], Audit(theorems, {"one": "1"}))
    )
    assert document["claims"][0]["kernel"]["theorems"][0]["statement"] == "stated"
    assert document["definitions"] == {"one": "1"}
    assert [theorem["name"] for theorem in document["fast_path"]["theorems"]] == [*FAST_PATH]
    first, *_ = found.theorems

    fewer = {name: theorem for name, theorem in theorems.items() if name != first.name}
    missing = with_theorems(result, fewer)
    assert (missing.ok, missing.verdict) == (False, NOT_ESTABLISHED)
    assert missing.kernel_error == f"no theorem {first.name}"

    more = with_theorems(result, theorems | {first.name: Theorem(first.name, "s", ("free",))})
    assert more.kernel_error == f"{first.name} rests on free"
