"""Changes of every public function that a claim holds, made from its source.

``python tests/mutation/constant_mutants.py [SLUG ...]`` copies the packages, makes one change at a
time, and runs ``kvfloor verify`` on each claim that names the function, without Coq and without
the tests. It prints a row for each change; a survivor is one that every claim still establishes.
"""

from __future__ import annotations

import ast
import copy
import inspect
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from kvfloor_proofs.claims import SLUGS
from kvfloor_proofs.constants import held_by

__all__ = ["Change", "changes"]

ROOT = Path(__file__).parents[2]
EDGES = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}


class Change(NamedTuple):
    """A function changed in one place, and the source of its module with it."""

    what: str
    source: str


def changes(function: Callable[..., Any]) -> Iterator[Change]:
    """Yield the module of a function with one change: what it returns, a literal, an edge."""
    text = Path(inspect.getfile(function)).read_text(encoding="utf-8")
    tree = ast.parse(text)
    name = function.__qualname__
    # the last is the function itself, those before it are its overloads
    *_, place = (k for k, node in enumerate(tree.body) if getattr(node, "name", "") == name)
    within = list(ast.walk(tree.body[place]))
    aside = [
        n for part in within if isinstance(part, ast.Raise | ast.arguments) for n in ast.walk(part)
    ]
    for number, node in enumerate(within):
        if node in aside or not isinstance(node, ast.stmt | ast.expr):
            continue
        for what, edit in _edits(node):
            altered = copy.deepcopy(tree)
            edit(list(ast.walk(altered.body[place]))[number])
            yield Change(
                f"{what} (line {node.lineno})", ast.unparse(ast.fix_missing_locations(altered))
            )


def _edits(node: ast.AST) -> Iterator[tuple[str, Callable[[Any], None]]]:
    if isinstance(node, ast.Return) and node.value is not None:
        for what, altered in _results(node.value):
            yield f"returns {what}", partial(_set_value, value=altered)
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield f"{node.value} -> {node.value + 1}", partial(_set_value, value=node.value + 1)
    if isinstance(node, ast.Compare) and type(node.ops[0]) in EDGES:
        other = EDGES[type(node.ops[0])]
        yield f"edge of {ast.unparse(node)}", lambda n: n.ops.__setitem__(0, other())


def _set_value(node: Any, value: Any) -> None:
    node.value = value


def _results(value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """A result one more and one per cent more; in a tuple, each part; the other truth."""
    if isinstance(value, ast.Tuple):
        for k, part in enumerate(value.elts):
            for what, altered in _results(part):
                parts = [*value.elts[:k], altered, *value.elts[k + 1 :]]
                yield f"part {k} {what}", ast.Tuple(parts, ast.Load())
    elif isinstance(value, ast.Compare | ast.BoolOp) or ast.unparse(value) in ("True", "False"):
        yield "the opposite", _expression(f"not ({ast.unparse(value)})")
    elif not (isinstance(value, ast.Call) and ast.unparse(value.func)[0].isupper()):
        for what, formula in (("+ 1", "({}) + 1"), ("+ 1 %", "({0}) + ({0}) / 100")):
            yield what, _expression(formula.format(ast.unparse(value)))


def _expression(code: str) -> ast.expr:
    return ast.parse(code, mode="eval").body


def main(slugs: list[str]) -> int:
    """Try all changes of the functions that these claims hold; return how many survive."""
    named: dict[Callable[..., Any], list[str]] = {}
    for slug in slugs:
        for constant in held_by(slug):
            named.setdefault(constant.function, []).append(slug)
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        for package in ("reference", "proofs"):
            ignored = shutil.ignore_patterns("__pycache__", "coq")
            shutil.copytree(ROOT / package, Path(folder, package), ignore=ignored)
        for function, claims in named.items():
            file = Path(folder, Path(inspect.getfile(function)).relative_to(ROOT))
            kept = file.read_text(encoding="utf-8")
            for change in changes(function):
                file.write_text(change.source, encoding="utf-8")
                caught = next((slug for slug in claims if not _established(slug, folder)), None)
                survivors += caught is None
                row = (function.__qualname__, change.what, caught or "SURVIVES")
                sys.stdout.write(" | ".join(row) + "\n")
                sys.stdout.flush()
            file.write_text(kept, encoding="utf-8")
    sys.stdout.write(f"{survivors} survivors\n")
    return survivors


def _established(slug: str, folder: str) -> bool:
    path = os.pathsep.join((f"{folder}/reference", f"{folder}/proofs"))
    command = [sys.executable, "-B", "-m", "kvfloor", "verify", slug, "--quiet", "--jobs", "1"]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, check=False
    )
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:] or list(SLUGS))))
