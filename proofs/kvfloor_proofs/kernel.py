"""Coq's kernel: compile the theories of ``proofs/coq``, and read what their audit prints."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Audit", "KernelError", "Theorem", "audit", "missing", "read_audit", "sources"]

INSTALL = "apt-get install make coq libcoq-coquelicot"
STANDARD_REALS = frozenset(
    (
        "ClassicalDedekindReals.sig_forall_dec",
        "ClassicalDedekindReals.sig_not_dec",
        "FunctionalExtensionality.functional_extensionality_dep",
        "Classical_Prop.classic",
    )
)
BUILT = ("*.vo*", "*.glob", ".*", "Makefile.coq*", "Audit.v", "audit.out")
THEOREM = re.compile(
    r"@?(?P<name>\w+)\s+: (?P<statement>.*)\n"
    r"(?:Closed under the global context|Axioms:\n(?P<axioms>.*))",
    re.DOTALL,
)
DEFINITION = re.compile(r"(?P<name>\w+) = *\n?(?P<meaning>.*?)\n +: .*", re.DOTALL)


class KernelError(ValueError):
    """Coq is not there, or it did not accept everything."""


@dataclass(frozen=True)
class Theorem:
    """What Coq's kernel accepted.

    Attributes
    ----------
    name : str
        In `Statements.v`.
    statement : str
        As Coq prints it, in the definitions of `Statements.v`.
    axioms : tuple of str
        What it rests on beyond the axioms of the standard library's reals.
    """

    name: str
    statement: str
    axioms: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    """What ``make audit`` prints: every main theorem and every definition, by name."""

    theorems: dict[str, Theorem]
    definitions: dict[str, str]


def missing() -> str:
    """Return in one line what there is to install; nothing if Coq and Coquelicot are there."""
    if all(map(shutil.which, ("make", "coqc", "coq_makefile"))):
        library = _run(("coqc", "-where")).stdout.strip()
        if Path(library, "user-contrib", "Coquelicot").is_dir():
            return ""
    return f"Coq and Coquelicot are needed: {INSTALL} (Debian, Ubuntu)"


def sources() -> Path:
    """Return the folder of the theories: inside the installed package, or beside it."""
    package = Path(__file__).parent
    inside = package / "coq"
    return inside if inside.is_dir() else package.parent / "coq"


def audit(folder: Path) -> Audit:
    """Compile a clean copy of the theories and return what Coq's kernel accepted.

    Raises
    ------
    KernelError
        If Coq is missing, rejects a proof, or a source holds what could hide a gap.
    """
    if needed := missing():
        raise KernelError(needed)
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary, "coq")
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(*BUILT))
        done = _run(("make", "audit"), copy)
        if done.returncode:
            lines = (done.stdout + done.stderr).splitlines()
            wrong = [line for line in lines if line.startswith(("refused", "File", "Error"))]
            raise KernelError("; ".join(wrong or lines[-1:]))
        return read_audit((copy / "audit.out").read_text(encoding="utf-8"))


def read_audit(text: str) -> Audit:
    """Read what ``make audit`` prints.

    Raises
    ------
    KernelError
        If it is anything else.
    """
    before, *blocks = re.split(r"^(theorem|definition) (\w+)\n", text, flags=re.MULTILINE)
    found = Audit({}, {})
    for kind, name, printed in zip(blocks[::3], blocks[1::3], blocks[2::3], strict=True):
        match = (THEOREM if kind == "theorem" else DEFINITION).fullmatch(printed.rstrip())
        if match is None or match["name"] != name:
            raise KernelError(f"the audit printed what is no {kind} {name}: {printed[:100]!r}")
        if kind == "definition":
            found.definitions[name] = match["meaning"]
            continue
        # An axiom's name begins its line; its type may go on, indented.
        axioms = re.findall(r"^[^\s:]+", match["axioms"] or "", re.MULTILINE)
        beyond = tuple(axiom for axiom in axioms if axiom not in STANDARD_REALS)
        statement = re.sub(r"\n {7}", "\n", match["statement"])
        found.theorems[name] = Theorem(name, statement, beyond)
    if before.strip() or 3 * (len(found.theorems) + len(found.definitions)) != len(blocks):
        raise KernelError("the audit printed something before its theorems, or one of them twice")
    return found


def _run(command: tuple[str, ...], folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 (fixed commands)
        command, cwd=folder, capture_output=True, text=True, check=False
    )
