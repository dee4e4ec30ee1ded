"""A test that cannot fail is a defect: every mutant of the reference makes its tests fail.

Slow, so only on demand: ``pytest -m mutation``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from limits import HANG
from mutation.mutants import MUTANTS, Mutant

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
PACKAGE = ROOT / "reference" / "kvfloor"


def mutated(mutant: Mutant) -> str:
    return (PACKAGE / mutant.file).read_text().replace(mutant.old, mutant.new)


@cache
def found(name: str) -> Path:
    """The file of a test, ``judge`` for ``test_judge.py``, in whichever room it is."""
    (path,) = TESTS.glob(f"**/test_{name}.py")
    return path


def run(names: tuple[str, ...], package: Path) -> subprocess.CompletedProcess[str]:
    """Run test files against a copy of the package, in a process of its own."""
    paths = [str(found(name)) for name in names]
    quick = ("-x", "-q", "-p", "no:cacheprovider", "-m", "not mutation")
    path = os.pathsep.join((str(package.parent), str(ROOT / "proofs")))
    return subprocess.run(
        [sys.executable, "-B", "-m", "pytest", *quick, *paths],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": path, "HYPOTHESIS_PROFILE": "quick"},
        capture_output=True,
        text=True,
        check=False,
        timeout=HANG,
    )


@pytest.fixture
def package(tmp_path: Path) -> Path:
    copy = tmp_path / "kvfloor"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def test_table_is_well_formed() -> None:
    assert len(MUTANTS) >= 35
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_mutant_applies(mutant: Mutant) -> None:
    assert (PACKAGE / mutant.file).read_text().count(mutant.old) == 1
    assert mutant.old != mutant.new
    compile(mutated(mutant), mutant.file, "exec")
    assert mutant.tests
    assert all(map(found, mutant.tests))


@pytest.mark.mutation
def test_unchanged_copy_passes(package: Path) -> None:
    names = tuple(sorted({name for mutant in MUTANTS for name in mutant.tests}))
    done = run(names, package)
    assert done.returncode == pytest.ExitCode.OK, done.stdout + done.stderr


@pytest.mark.mutation
@pytest.mark.parametrize(
    ("mutant", "name"),
    [(mutant, name) for mutant in MUTANTS for name in mutant.tests],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_mutant_is_caught(mutant: Mutant, name: str, package: Path) -> None:
    (package / mutant.file).write_text(mutated(mutant))
    done = run((name,), package)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    assert "\nFAILED " in done.stdout
