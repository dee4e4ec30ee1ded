"""The pytest plugin, in a pytest of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from kernels.wrong import SOURCE
from kvfloor import InputError
from kvfloor.conformance.plugin import read_expected
from limits import HANG

TARGETS = """
from kvfloor.conformance import Domain, Target
small = Target(factored, dtype="float32", accumulate="float32", domain=Domain(d=4, d_v="same"))
one = Target(factored, dtype="float32", accumulate="float32", domain=Domain(tokens=1))
right = Target(factored, dtype="bfloat16", accumulate="float32", mask="causal")
wrong = Target(
    lambda q, K, V, *, scale, mask: factored(q, K, V, scale=scale * 1.01, mask=mask),
    dtype="bfloat16", accumulate="float32",
)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(SOURCE + TARGETS)
    (tmp_path / "test_mine.py").write_text("def test_other():\n    pass\n")
    return tmp_path


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "kvfloor_pytest", "-W", "error", *arguments],
        cwd=project, capture_output=True, text=True, check=False, timeout=HANG,
    )  # fmt: skip


def test_a_target_named_by_option(project: Path) -> None:
    done = run(project, "--kvfloor", "mine:right", "--junitxml", "r.xml", "-k", "causal or other")
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
    done = run(project, "--kvfloor", "mine:right", "--junitxml", "r2.xml", "-k", "row-alone")
    (told,) = ET.parse(project / "r2.xml").iter("property")
    assert (told.get("name"), told.get("value")) == ("row-alone", "bitwise"), done.stdout
    names = {case.get("name") for case in ET.parse(project / "r.xml").iter("testcase")}
    assert names == {"right[causal]", "test_other"}


def test_a_failure_shows_the_message_and_the_test_to_paste(project: Path) -> None:
    done = run(project, "--kvfloor", "mine:wrong", "--junitxml", "r.xml", "-k", "scale")
    assert done.returncode == 1
    assert "times the bound" in done.stdout
    assert "def test_scale():" in done.stdout
    (failure,) = ET.parse(project / "r.xml").iter("failure")
    assert "times the bound" in (failure.text or "")


def test_a_target_that_has_a_name(project: Path) -> None:
    pytest.importorskip("onnx")
    done = run(project, "--kvfloor", "onnx:reference", "-k", "single-token")
    assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_a_family_is_chosen_by_its_marker(project: Path) -> None:
    done = run(project, "--kvfloor", "mine:right", "-m", "kvfloor_masks", "--strict-markers", "-rs")
    assert done.returncode == 0, done.stdout
    assert "4 passed, 14 skipped" in done.stdout
    assert "the mask is causal" in done.stdout


def test_what_a_domain_excludes_is_skipped_with_its_reason(project: Path) -> None:
    done = run(project, "--kvfloor", "mine:small", "-k", "wide-values or single-token", "-rs")
    assert (done.returncode, "1 passed, 1 skipped" in done.stdout) == (0, True), done.stdout
    assert "values are as wide as keys" in done.stdout


def test_a_domain_that_leaves_too_little_fails(project: Path) -> None:
    done = run(project, "--kvfloor", "mine:one", "-k", "drawn")
    assert (done.returncode, "1 failed" in done.stdout) == (1, True), done.stdout
    assert "no case has more than one tuple" in done.stdout


def test_expected_failures_are_those_of_the_file(project: Path) -> None:
    (project / "expected.txt").write_text("# known\nscale  is one percent off\n")
    options = ("--kvfloor-expected", "expected.txt")
    done = run(project, "--kvfloor", "mine:wrong", *options, "-k", "scale")
    assert (done.returncode, "1 xfailed" in done.stdout) == (0, True), done.stdout
    done = run(project, "--kvfloor", "mine:right", *options, "-k", "scale")
    assert (done.returncode, "XPASS(strict)" in done.stdout) == (1, True), done.stdout


def test_one_line_of_configuration(project: Path) -> None:
    (project / "pytest.ini").write_text("[pytest]\nkvfloor_target = mine:right\n")
    done = run(project, "-k", "single-token or other")
    assert "2 passed" in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--kvfloor", "mine"), "--kvfloor: expected MODULE:NAME, got 'mine'"),
        (("--kvfloor", "mine:nothing"), "--kvfloor: expected MODULE:NAME"),
        (("--kvfloor", "mine:factored"), "expected a kvfloor.conformance.Target, got a function"),
        (("--kvfloor", "mine:right", "--kvfloor-expected", "none.txt"), "none.txt"),
        (("--kvfloor", "mine:right", "--kvfloor-expected", "window.txt"), "flags that apply"),
    ],
)
def test_bad_usage(project: Path, arguments: tuple[str, ...], part: str) -> None:
    (project / "window.txt").write_text("window\tno windows here\n")
    done = run(project, *arguments)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert part in done.stderr


def test_without_a_target_nothing_is_loaded(project: Path) -> None:
    (project / "test_mine.py").write_text(
        "import sys\ndef test_other():\n"
        "    assert 'kvfloor_pytest' in sys.modules\n"
        "    assert not {'kvfloor', 'numpy', 'flint'} & set(sys.modules)\n"
    )
    done = run(project)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no-such-flag why\n", "flag: expected one of"),
        ("scale\n", "x.txt:1: expected a flag and"),
        ("scale \xe9\n", "x.txt: expected text in UTF-8"),
    ],
)
def test_files_of_expected_failures_are_checked(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError) as raised:
        read_expected(path)
    assert message in str(raised.value)


def test_a_tab_ends_a_flag(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("scale\tis one percent off # so far\n\n")
    assert read_expected(path) == {"scale": "is one percent off"}
