"""The example scripts run, and say what they should."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "docs" / "examples"


def run(name: str, *arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_audit_and_its_certificate(tmp_path: Path) -> None:
    said = run("audit_your_own.py", cwd=tmp_path)
    assert said.startswith("violates with 17408 bits, where 758 are the floor\nit answers ")
    ends = "ok; unchecked: that the cache gives this answer (replay it on the cache to check)\n"
    for name, second in (
        ("violation-0.json", "order 1, 256 bits in n = 32 tokens"),
        ("violation-1.json", "order 1, 2 tokens in numbers"),
    ):
        said = run("read_certificate.py", name, cwd=tmp_path)
        assert said.startswith(f"violation of audit_your_own:Every\n{second}\nasked ")
        assert said.endswith(ends)


def test_vectors(tmp_path: Path) -> None:
    said = run("use_vectors.py", str(ROOT / "tests" / "vectors"), cwd=tmp_path)
    ulps = [float(x) for x in re.findall(r": ([0-9.]+) ulps of float32", said)]
    assert len(ulps) == 3
    assert max(ulps) <= 0.5
    assert "import kvfloor" not in (EXAMPLES / "use_vectors.py").read_text()


def test_wrong_vectors_are_noticed(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "tests" / "vectors", tmp_path / "vectors")
    file = tmp_path / "vectors" / "float32.json"
    start = '"scale":"1/sqrt(d)","values":[[["0x'
    file.write_text(file.read_text().replace(start + "1.", start + "3."))
    said = run("use_vectors.py", str(tmp_path / "vectors"), cwd=tmp_path)
    assert max(float(x) for x in re.findall(r": ([0-9.]+) ulps", said)) > 10


def test_torch_kernel(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    said = run("check_torch_kernel.py", cwd=tmp_path)
    assert said == "weights in float32: fails\nweights in bfloat16: passes\n"


def test_page_lists_every_example() -> None:
    page = (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")
    listed = re.findall(r"literalinclude\} examples/(\S+)", page)
    assert sorted(listed) == sorted(path.name for path in EXAMPLES.glob("*.py"))
