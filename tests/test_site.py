"""The documentation site builds without a warning, and its picture is that of the code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONWARNINGS": "default"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.long
def test_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("sphinx")
    done = run("-m", "sphinx", "-q", "-W", "--keep-going", str(DOCS), str(tmp_path))
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "api.html").read_text(encoding="utf-8")
    assert "kvfloor.tensor_attention_rounded" in page
    assert (tmp_path / "claims" / "four-cache.html").exists()


def test_every_page_is_in_the_contents() -> None:
    listed = (DOCS / "index.md").read_text(encoding="utf-8").split()
    pages = {page.stem for page in DOCS.glob("*.md")} - {"index"} | {"claims/index"}
    assert pages == {name for name in listed if (DOCS / f"{name}.md").exists()}


def test_picture_of_imports_is_current(tmp_path: Path) -> None:
    """If this fails: python docs/draw_imports.py docs/imports.svg."""
    drawn = tmp_path / "imports.svg"
    done = run(str(DOCS / "draw_imports.py"), str(drawn))
    assert done.returncode == 0, done.stderr
    assert drawn.read_text(encoding="utf-8") == (DOCS / "imports.svg").read_text(encoding="utf-8")


def test_a_picture_with_a_loop_is_refused(tmp_path: Path) -> None:
    package = tmp_path / "looped"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "a.py").write_text("from looped import b\n")
    (package / "b.py").write_text("from looped import a\n")
    code = f"import sys; sys.path[:0] = [{str(DOCS)!r}, {str(tmp_path)!r}]\n"
    code += "import draw_imports as d; d.rows(d.parts('looped'))"
    done = run("-c", code)
    assert done.returncode != 0
    assert "graphlib.CycleError" in done.stderr
