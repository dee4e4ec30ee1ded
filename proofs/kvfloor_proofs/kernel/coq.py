"""Coq's kernel: compile the theories of ``proofs/coq``, and read what their audit prints."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kvfloor_proofs.kernel.theorems import FAST_PATH, THEOREMS

__all__ = [
    "Audit",
    "KernelError",
    "Theorem",
    "audit",
    "axioms_beyond",
    "claimed",
    "copy_theories",
    "missing",
    "read_audit",
    "said_by",
    "sources",
]

COMPILATION = "kvfloor_proofs.kernel.compilation"
INSTALL = "apt-get install make coq libcoq-coquelicot libcoq-flocq"
LIBRARIES = ("Coquelicot", "Flocq")
STANDARD_REALS = frozenset(
    (
        "ClassicalDedekindReals.sig_forall_dec",
        "ClassicalDedekindReals.sig_not_dec",
        "FunctionalExtensionality.functional_extensionality_dep",
        "Classical_Prop.classic",
    )
)
BUILT = ("*.vo*", "*.glob", ".*", "Makefile.coq*", "audit.out")
THEOREM = re.compile(r"@?(?P<name>\w+)\s+: (?P<statement>.*)", re.DOTALL)
AXIOMS = re.compile(r"Closed under the global context|Axioms:\n(?P<axioms>.*)", re.DOTALL)
DEFINITION = re.compile(r"(?P<name>[\w.]+) = *\n?(?P<meaning>.*?)\n +: .*", re.DOTALL)
INDUCTIVE = re.compile(r"(?P<meaning>Inductive (?P<name>\w+) .*?)(\n\n.*)?", re.DOTALL)


class KernelError(ValueError):
    """Coq is not there, or it did not accept everything."""


@dataclass(frozen=True)
class Theorem:
    """What Coq's kernel accepted.

    Attributes
    ----------
    name : str
        In the claim's file of statements.
    statement : str
        As Coq prints it, in the definitions of the statements.
    axioms : tuple of str
        What the theorems of its file rest on beyond the axioms of the standard library's reals.
    """

    name: str
    statement: str
    axioms: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    """What ``make audit`` prints: every main theorem and every definition, by Coq's name."""

    theorems: dict[str, Theorem]
    definitions: dict[str, str]

    @property
    def fast_path(self) -> tuple[Theorem, ...]:
        """The theorems about the arithmetic of `kvfloor.attention.fast`, which are no claim's."""
        return tuple(self.theorems[name] for name in FAST_PATH)


def missing() -> str:
    """Return in one line what there is to install; nothing if Coq and its libraries are there."""
    if all(map(shutil.which, ("make", "coqc", "coq_makefile"))):
        contributed = Path(_run(("coqc", "-where")).stdout.strip(), "user-contrib")
        if all((contributed / library).is_dir() for library in LIBRARIES):
            return ""
    return f"Coq, Coquelicot and Flocq are needed: {INSTALL} (Debian, Ubuntu)"


def sources() -> Path:
    """Return the folder of the theories: inside the installed package, or beside it."""
    package = Path(__file__).parents[1]
    inside = package / "coq"
    return inside if inside.is_dir() else package.parent / "coq"


def copy_theories(folder: Path, to: Path) -> None:
    """Copy theories, nothing built, to a new folder; whatever their modes, the copy can be used."""
    ignore = shutil.ignore_patterns(*BUILT)
    shutil.copytree(folder, to, ignore=ignore, copy_function=shutil.copyfile)
    for copied in (to, *filter(Path.is_dir, to.rglob("*"))):
        copied.chmod(0o755)


def audit(folder: Path) -> Audit:
    """Compile a clean copy of the theories and return what Coq's kernel accepted.

    Raises
    ------
    KernelError
        If Coq is missing, rejects a proof, a source holds what could hide a gap, or a theorem
        belongs to no claim.
    """
    return claimed(read_audit(said_by(COMPILATION, folder)))


def said_by(module: str, *folders: Path) -> str:
    """Return what a module of this room prints that compiles theories in a process of its own.

    Raises
    ------
    KernelError
        If Coq is missing, or rejects a theory.
    """
    if needed := missing():
        raise KernelError(needed)
    done = _run((sys.executable, "-m", module, *map(str, folders), str(os.getpid())))
    if done.returncode:
        lines = (done.stdout + done.stderr).splitlines()
        wrong = [line for line in lines if line.startswith(("refused", "File", "Error"))]
        raise KernelError("; ".join(wrong or lines[-1:]))
    return done.stdout


def claimed(found: Audit) -> Audit:
    """Return what the audit found, if each of its theorems is that of a claim or the fast path's.

    Raises
    ------
    KernelError
        If not: `kvfloor verify` would pass over a theorem. Or if one of the fast path is missing,
        or rests on more than the standard reals.
    """
    names = {name for theorems in THEOREMS.values() for name in theorems}
    if strays := sorted(found.theorems.keys() - names - {*FAST_PATH}):
        raise KernelError(f"the statements hold {', '.join(strays)}, which no claim names")
    if lacking := [name for name in FAST_PATH if name not in found.theorems]:
        raise KernelError(f"no theorem {', '.join(lacking)} of the fast path")
    for theorem in found.fast_path:
        if theorem.axioms:
            raise KernelError(f"{theorem.name} rests on {', '.join(theorem.axioms)}")
    return found


def read_audit(text: str) -> Audit:
    """Read what ``make audit`` prints.

    Raises
    ------
    KernelError
        If it is anything else.
    """
    before, *blocks = re.split(r"^(theorem|definition|axioms) ([\w.]+)\n", text, flags=re.MULTILINE)
    if before.strip():
        raise KernelError(f"the audit printed something at first: {before[:100]!r}")
    found, stated = Audit({}, {}), dict[str, str]()
    for kind, name, printed in zip(blocks[::3], blocks[1::3], blocks[2::3], strict=True):
        read = READERS[kind](name, printed.rstrip())
        if read is None or read[0] in (found.definitions | found.theorems | stated):
            raise KernelError(f"the audit printed what is no {kind} {name}: {printed[:100]!r}")
        if kind == "definition":
            found.definitions[read[0]] = read[1]
        elif kind == "theorem":
            stated[name] = read[1]
        else:  # those of all the theorems before it
            axioms = tuple(read[1].split())
            found.theorems.update({n: Theorem(n, stated[n], axioms) for n in stated})
            stated = {}
    if stated:
        raise KernelError(f"the audit printed no axioms of {', '.join(stated)}")
    return found


def _meaning(name: str, printed: str) -> tuple[str, str] | None:
    for form in (DEFINITION, INDUCTIVE):
        match = form.fullmatch(printed)
        if match and match["name"] in (name, name.rpartition(".")[2]):
            return match["name"], match["meaning"]
    return None


def _statement(name: str, printed: str) -> tuple[str, str] | None:
    match = THEOREM.fullmatch(printed)
    if not match or match["name"] != name:
        return None
    return name, re.sub(r"\n {7}", "\n", match["statement"])


def _beyond(file: str, printed: str) -> tuple[str, str] | None:
    """The axioms beyond the standard reals', with blanks between."""
    axioms = axioms_beyond(printed)
    return None if axioms is None else (f"axioms of {file}", " ".join(axioms))


def axioms_beyond(printed: str) -> tuple[str, ...] | None:
    """Return the axioms beyond the standard reals' that Coq printed; None if it printed others."""
    match = AXIOMS.fullmatch(printed)
    if not match:
        return None
    # An axiom's name begins its line; its type may go on, indented.
    axioms = re.findall(r"^[^\s:]+", match["axioms"] or "", re.MULTILINE)
    return tuple(axiom for axiom in axioms if axiom not in STANDARD_REALS)


READERS: dict[str, Callable[[str, str], tuple[str, str] | None]] = {
    "definition": _meaning,
    "theorem": _statement,
    "axioms": _beyond,
}


def _run(command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """Run a command without the settings that Coq takes from the environment.

    If this process is interrupted, the command is asked to end, and has time to clean up.
    """
    settings = ("COQ", "OTHERFLAGS", "MAKE", "GNUMAKE")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(settings)}
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603 (fixed commands)
        command, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as process:
        try:
            output, complaints = process.communicate()
        except BaseException:
            process.terminate()
            raise
    return subprocess.CompletedProcess(command, process.returncode, output, complaints)
