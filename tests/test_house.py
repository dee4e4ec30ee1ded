"""Lint, format, types and the direction of imports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import kvfloor

ROOT = Path(__file__).parents[1]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PATH": path},
    )


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check", "--no-cache"),
        ("ruff", "format", "--check", "--no-cache"),
        pytest.param(("mypy",), marks=pytest.mark.long, id="mypy"),
        ("lint-imports", "--no-cache"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_house_rules(command: tuple[str, ...]) -> None:
    done = run(*command)
    assert done.returncode == 0, done.stdout + done.stderr


def test_import_is_light() -> None:
    code = "import sys, kvfloor; print(sorted({'sympy', 'hypothesis'} & set(sys.modules)))"
    done = run(sys.executable, "-c", code)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_no_file_is_long() -> None:
    sources = [*ROOT.glob("reference/**/*.py"), *ROOT.glob("proofs/**/*.py")]
    assert sources
    long = {p.name: n for p in sources if (n := len(p.read_text().splitlines())) > 400}
    assert long == {}


def test_no_merge_is_half_done() -> None:
    """A marker of a conflict in prose breaks nothing else."""
    files = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("proofs/**/*.v")]
    assert [p.name for p in files if b"\n<<<<<<< " in p.read_bytes()] == []


def test_one_version_is_told_everywhere() -> None:
    """By the package, the citation, and the newest section of the changelog."""
    cited = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changes = (ROOT / "docs" / "changelog.md").read_text(encoding="utf-8")
    assert f"\nversion: {kvfloor.__version__}\n" in cited
    assert changes.startswith(f"# Changelog\n\n## {kvfloor.__version__} ")
