"""Refuses what could make Coq accept a theorem that is not proved: ``make audit`` runs it.

A sentence of a theory begins with a command named here, or with a tactic, which begins with a
small letter. A dot inside of an expression may split a sentence, too, which hides no command.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

STATEMENTS = Path("statements")
SHARED = ("Definitions", "Families", "Probability", "Backward")  # other files are of one claim
GENERATED = Path(".audit")  # no name in Coq, so no theory can require what lies there

ASSUMPTIONS = {"Variable", "Variables", "Hypothesis", "Hypotheses", "Context"}
COMMANDS = ASSUMPTIONS | {
    *("From", "Import", "Open", "Section", "End"),
    *("Definition", "Fixpoint", "Proof", "Qed"),
}
STATING = COMMANDS | {"Theorem"}
FOUNDING = COMMANDS | {"Lemma", "Corollary", "Let", "Inductive", "Record", "Arguments"}
PROVING = FOUNDING | {"Theorem"}
NOTATIONS = {  # others could change what a statement says
    "Notation Root a b s t := ((a%nat, b%nat), (s, t))",
    'Notation "x <- p ; q" := (bind p (fun x => q)) '
    "(at level 60, p at level 59, right associativity)",
}
AXIOMS_OF = {"ClassicalDedekindReals", "FunctionalExtensionality", "Classical_Prop"}
OPTION = re.compile(r"-R \. KVFloor|-arg -w -arg -ambiguous-paths")

PART = re.compile(r'\(\*|\*\)|"[^"]*"|[^(*"]+|.')
LIBRARIES = re.compile(r"From (Coq|Coquelicot|Flocq|KVFloor) Require( Import)?((?: [\w.]+)+)")
FORMS = {
    "From": LIBRARIES,
    "Import": re.compile("Import ListNotations"),
    "Section": re.compile(r"Section \w+"),  # else what is no command could seem to open a section
    "End": re.compile(r"End \w+"),
    "Record": re.compile(r"Record [^>]*"),  # no field that is applied unseen
}
AUDITED = {"Theorem", "Definition", "Fixpoint"}
AUDITED_FORM = re.compile(r"\s*\n[A-Z][a-z]+ \w")  # theorems.awk reads line by line
NAME = re.compile(r"\s*[A-Z]\w+\s+([\w']+)")
READ = {*SHARED, "Programs", "Binary64"}  # what is read with a file of statements
QUALIFIED = re.compile(r"(?<![\w.])(?!Nat\.|Bool\.)[A-Za-z_][\w.]*\.\w+")
FIRST = re.compile(r"[-+*{}\s]*((?:\d+|all)\s*:)?[-+*{}\s]*(?P<word>\S?\w*)")


def uncommented(text: str) -> str:
    """Return the text with blanks for the comments, which nest and may hold strings."""
    depth, plain = 0, ""
    for part in PART.findall(text):
        depth += part == "(*"
        plain += re.sub(r"\S", " ", part) if depth else part
        depth -= part == "*)" and depth > 0
    return plain


@cache
def sentences(path: Path) -> list[tuple[str, str, str]]:
    """Return where each sentence begins, its first word, and the sentence."""
    found, line = [], 1
    for sentence in re.split(r"\.(?![\w.])", uncommented(path.read_text(encoding="utf-8"))):
        begins = len(sentence) - len(sentence.lstrip())
        where = f"{path.as_posix()}:{line + sentence.count(chr(10), 0, begins)}"
        match = FIRST.match(sentence)
        found.append((where, match["word"] if match else "", sentence))
        line += sentence.count("\n")
    return found


def allowed(path: Path) -> set[str]:
    """Return the commands of a theory."""
    if path.parent == STATEMENTS:
        return COMMANDS if path.stem in SHARED else STATING
    return PROVING if path.parent == Path() else FOUNDING


def wrong_sentences(path: Path) -> Iterator[str]:
    """Yield what a theory must not hold."""
    depth = 0
    for where, word, sentence in sentences(path):
        depth += {"Section": 1, "End": -1}.get(word, 0)
        if word in ASSUMPTIONS and not depth:
            yield f"{where}: an assumption outside of a section"
        elif reason := wrong_sentence(word, sentence, path):
            yield f"{where}: {reason}"


def wrong_sentence(word: str, sentence: str, path: Path) -> str:
    """Return what is wrong with a sentence, wherever it stands in the theory."""
    said = " ".join(sentence.split())
    if word == "Notation":
        return "" if said in NOTATIONS else "a notation"
    if re.match("[A-Z#]", word) and word not in allowed(path):
        return f"{word}, which no theory here needs"
    if word in FORMS and not FORMS[word].fullmatch(said):
        return f"{word}, in another form than here"
    if path.parent == STATEMENTS and (reason := unread(word, sentence)):
        return reason
    return "a gap" if re.search(r"\b(admit|give_up)\b", sentence) else ""


def unread(word: str, sentence: str) -> str:
    """Return what in a sentence of statements the audit or a reader of them would not see."""
    if word in AUDITED and not AUDITED_FORM.match(sentence):
        return f"{word}, which does not begin its line"
    if word == "From":
        library, imported, modules = LIBRARIES.findall(" ".join(sentence.split()))[0]
        if library == "KVFloor" and imported and not READ.issuperset(modules.split()):
            return "From, which imports a theory"
    elif word[:1].isupper() and (match := QUALIFIED.search(sentence)):
        return f"{match[0]}, which no file of statements defines"
    return ""


def introduced(paths: list[Path], words: set[str]) -> list[tuple[Path, str, str]]:
    """Return in which theory, where, and under which name something is stated or defined."""
    return [
        (path, where, match[1])
        for path in paths
        for where, word, said in sentences(path)
        if word in words and (match := NAME.match(said))
    ]


def twice(found: list[tuple[Path, str, str]]) -> Iterator[str]:
    """Yield what has a name that something before it has."""
    before: dict[str, str] = {}
    for _, where, name in found:
        if name in before:
            yield f"{where}: {name}, which {before[name]} has already"
        before.setdefault(name, where)


def home(theorem: str, files: list[Path]) -> Path | None:
    """Return the file of statements of the claim with whose name the theorem's begins."""
    begins = {path: re.sub(r"\B(?=[A-Z])", "_", path.stem).lower() for path in files}
    homes = [path for path in files if f"{theorem}_".startswith(f"{begins[path]}_")]
    return max(homes, key=lambda path: len(path.stem), default=None)


def wrong_statements(paths: list[Path]) -> Iterator[str]:
    """Yield where the statements are not those of the claims' theorems, each at its place."""
    files = [path for path in paths if path.parent == STATEMENTS]
    proved = introduced([path for path in paths if allowed(path) is PROVING], {"Theorem"})
    stated = introduced(files, {"Theorem"})
    yield from twice(proved)
    yield from twice(introduced(files, AUDITED))
    for found, others, reason in (
        (proved, stated, "which no file of statements states"),
        (stated, proved, "which no theory proves"),
    ):
        names = {name for *_, name in others}
        yield from (f"{w}: {name}, {reason}" for _, w, name in found if name not in names)
    for path, where, name in stated:
        if (right := home(name, files)) != path:
            yield f"{where}: {name}, which belongs in {right or 'the file of its claim'}"


def standard(paths: list[Path]) -> set[str]:
    """Return modules of Coq's library: those with the axioms, and all that the theories name."""
    named = [
        LIBRARIES.fullmatch(" ".join(said.split())) for p in paths for *_, said in sentences(p)
    ]
    theirs = [match[3].split() for match in named if match and match[1] != "KVFloor"]
    return AXIOMS_OF.union(*theirs)


def project() -> Iterator[str]:
    """Yield what is wrong with the project of this folder and its theories."""
    lines = Path("_CoqProject").read_text(encoding="utf-8").splitlines()
    theories = [line for line in lines if re.fullmatch(r"[A-Za-z0-9/]+\.v", line)]
    options = [line for line in lines if line not in theories]
    yield from (f"a line of _CoqProject: {o}" for o in options if not OPTION.fullmatch(o))
    for stray in sorted(path for path in Path().rglob("*.v") if path.parent != GENERATED):
        if stray.as_posix() not in theories:
            yield f"{stray.as_posix()}, which is not in _CoqProject"
    paths = [Path(line) for line in theories]
    theirs = standard(paths)
    claims = {path.stem for path in paths if allowed(path) is PROVING}
    required = [path.stem for path in paths if allowed(path) is not STATING]
    for path in paths:
        yield from wrong_sentences(path)
        if path.stem in theirs:
            yield f"{path.as_posix()}, named like a module of Coq's library"
        if required.count(path.stem) > 1:
            yield f"{path.as_posix()}, named like another theory"
        if allowed(path) is STATING and path.stem not in claims:
            yield f"{path.as_posix()}, named like no claim's theory"
    yield from wrong_statements(paths)


def settings() -> Iterator[str]:
    """Yield what would change how Coq is called."""
    if Path("Makefile.coq.local").exists():
        yield "Makefile.coq.local"
    for name in sorted(os.environ):
        if name.startswith(("COQ", "OTHERFLAGS")):
            yield f"{name} in the environment"


if __name__ == "__main__":
    reasons = [*settings(), *project()]
    sys.stdout.writelines(f"refused: {reason}\n" for reason in reasons)
    sys.exit(bool(reasons))
