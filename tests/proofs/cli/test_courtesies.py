"""The command line is kind: what was meant, one line for what fails, nothing left lying about."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from commands import ran
from kills import COMMANDS
from kvfloor import Row
from kvfloor_proofs import cli
from kvfloor_proofs.report import show_rows

TESTS = Path(__file__).parents[2]
KVFLOOR = (sys.executable, "-m", "kvfloor")
OURS = """\
import kvfloor.isolation.worker
from kvfloor.caches import ExactCache

class Mine(ExactCache):
    pass

kvfloor.isolation.worker.as_vector = None  # from here on this program is broken
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(TESTS / "kernels" / "correct.py", tmp_path / "mine.py")
    shutil.copy(TESTS / "certificates" / "ok" / "binary-b12.json", tmp_path / "ok.json")
    (tmp_path / "ours.py").write_text(OURS)
    return tmp_path


def run(folder: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    if not options:
        return ran(*arguments, cwd=folder)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.run(
        [*KVFLOOR, *arguments], cwd=folder, text=True, check=False, timeout=600, **streams
    )


CONFORM = "conform kernels.correct:factored --dtype float16 --accumulate float32"
Complaint = Callable[[str], str]


@pytest.fixture
def complaint(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Complaint:
    """What bad usage is answered by, in this process."""
    monkeypatch.setattr("kvfloor_proofs.cli.end_when_told", lambda: None)

    def complaint(command: str) -> str:
        monkeypatch.setattr(sys, "argv", ["kvfloor", *command.split()])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        assert (ended.value.code, said.out) == (2, "")
        return said.err

    return complaint


@pytest.mark.parametrize(
    ("command", "meant"),
    [
        ("verify four-cach", "four-cache"),
        ("verfy", "verify"),
        ("verify --exampels 3", "--examples"),
        ("conform kernels.correct:factored --dtype bfloat61 --accumulate float32", "bfloat16"),
        ("conform kernels.correct:factored --dtype float16 --accumulate flaot32", "float32"),
        (f"{CONFORM} --empty zeros", "zero"),
        (f"{CONFORM} --mask casual", "causal"),
        (f"{CONFORM} --mask windows,1,1", "window"),
        (f"{CONFORM} --returns outptu", "output"),
        (f"{CONFORM} --arrays touch", "torch"),
        ("audit kvfloor.caches:ExactCache -n 2 -d 2 --family binary-value", "binary-values"),
    ],
)
def test_what_was_meant_is_asked(complaint: Complaint, command: str, meant: str) -> None:
    said = complaint(command)
    assert said.count("\n") == 1
    assert re.search(rf"[Dd]id you mean '?{meant}'?\?", said), said


@pytest.mark.parametrize(
    "command", ["verify qqqq", "qqqq", "audit kvfloor.caches:ExactCache -n 2 -d 2 --family qqqq"]
)
def test_nothing_is_suggested_for_what_is_like_nothing(complaint: Complaint, command: str) -> None:
    assert "did you mean" not in complaint(command).lower()


@pytest.mark.parametrize(
    ("command", "files"),
    [
        ("verify index-deterministic --examples 3", set()),
        ("verify index-deterministic --examples 3 --jobs 1 --html r.html", {"r.html"}),
        ("audit kvfloor.caches:ExactCache -n 2 -d 2 --order 1 --json r.json", {"r.json"}),
        ("sweep kvfloor.caches:ExactCache -n 2 -d 2 --order 1 --output r.jsonl", {"r.jsonl"}),
        (
            "conform mine:factored --dtype float32 --accumulate float32 --tokens most=9"
            " --order 1 --examples 2",
            set(),
        ),
        ("check ok.json --cache kvfloor.caches:HashedCache", set()),
        ("vectors --out v", {"v"}),
    ],
)
def test_nothing_is_written_but_what_was_asked_for(
    folder: Path, command: str, files: set[str]
) -> None:
    before = {path.name for path in folder.iterdir()}
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("HYPOTHESIS_STORAGE_DIRECTORY", None)
    done = run(folder, *command.split(), env=environment)
    assert done.returncode in (0, 1), done
    assert {path.name for path in folder.iterdir()} - before == files


def test_the_script_kills_every_command() -> None:
    """See docs/what-it-is.md; it takes minutes, and test_lifeline.py is its small version."""
    assert {name.split()[0] for name in COMMANDS} == {*cli.cli.commands, "distinguished_points"}


# --- errors --------------------------------------------------------------------------------


def test_an_audit_that_fails_says_error_and_on_demand_where(folder: Path) -> None:
    command = ("audit", "ours:Mine", "-n", "2", "-d", "2", "--order", "1", "--json", "r.json")
    for verbose in ((), ("-v",)):
        done = run(folder, *command, *verbose)
        assert (done.returncode, done.stderr) == (2, "")
        assert "│ error " in done.stdout
        assert "misbehaves" not in done.stdout
        assert "ours:Mine, n=2, d=2: error: IsolationError: TypeError" in done.stdout
        assert ("Traceback" in done.stdout) is bool(verbose)
        document = json.loads((folder / "r.json").read_text())
        assert document["verdict"] == "error"
        assert "isolation/worker.py" in document["traceback"]


@pytest.mark.parametrize("verbose", [False, True])
def test_an_error_anywhere_is_one_line_and_status_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, complaint: Complaint, verbose: bool
) -> None:
    def broken(_: Path) -> None:
        raise ValueError("it is\nnot so")

    monkeypatch.setattr("kvfloor.conformance.write", broken)
    said = complaint(f"vectors --out {tmp_path}{' -v' if verbose else ''}")
    assert said.startswith("Traceback") is verbose
    assert ("ValueError: it is" in said, "in broken" in said) == (True, verbose)
    if not verbose:
        assert said == (
            "kvfloor: error: ValueError: it is not so (a fault of this program; -v shows where)\n"
        )


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_letters_that_an_output_cannot_hold_end_no_run(folder: Path, encoding: str) -> None:
    environment = {"env": os.environ | {"PYTHONIOENCODING": encoding}, "encoding": encoding}
    done = run(folder, "verify", "--help", **environment)
    assert (done.returncode, done.stderr) == (0, "")
    done = run(folder, "floor", "-n", "64", "-d", "16", "--alpha", "1/x", **environment)
    assert (done.returncode, done.stdout) == (2, "")
    done = run(folder, "verify", "softmax-concentration", "--examples", "1", **environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "at most \\u03bb = " in done.stdout


# --- full disks and closed pipes -----------------------------------------------------------

FULL = Path("/dev/full")
QUICK = ("verify", "index-deterministic", "--examples", "1", "--jobs", "1")


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full")
@pytest.mark.parametrize("option", ["--json", "--html"])
def test_a_file_on_a_full_disk_is_one_line(folder: Path, option: str) -> None:
    done = run(folder, *QUICK, "-q", option, str(FULL))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "kvfloor: [Errno 28] No space left on device: '/dev/full'\n"


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full")
@pytest.mark.parametrize("arguments", [QUICK, (*QUICK, "--json", "-"), ("--help",)])
def test_standard_output_on_a_full_disk_is_one_line(
    folder: Path, arguments: tuple[str, ...]
) -> None:
    with FULL.open("w") as full:
        done = run(folder, *arguments, stdout=full)
        assert done.returncode == 2
        lines = [line for line in done.stderr.splitlines() if line.startswith("kvfloor: ")]
        assert lines == ["kvfloor: [Errno 28] No space left on device"]
        assert "Exception" not in done.stderr
        assert run(folder, *arguments, stdout=full, stderr=full).returncode == 2


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_closed_pipe_is_no_complaint(folder: Path, stream: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = run(folder, *QUICK, "--json", "-", **{stream: writer})
    finally:
        os.close(writer)
    assert done.returncode == 141
    assert not done.stderr or "Error" not in done.stderr


def test_rows_into_a_closed_pipe_are_no_verdict(folder: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = run(folder, *QUICK, stdout=writer)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


# --- 80 columns ----------------------------------------------------------------------------


def row(cache: str, verdict: str) -> Row:
    """As large as a row of an audit comes."""
    content = {
        "cache": cache, "order": 2, "n": 256, "d": 64, "bits": 131072,
        "floor": "four-cache", "floor_bits": 262144, "under_floor": True, "verdict": verdict,
        "findings": [], "seconds": 1234.56,
    }  # fmt: skip
    return Row({}, content, Fraction(1), Fraction(1, 3))


def test_the_largest_table_of_audits_is_whole_at_80_columns() -> None:
    console = Console(force_terminal=True, width=80, color_system=None)
    name = "kvfloor.caches:KIVICache(bits=2, group=32, recent=16)"
    with console.capture() as shown:
        show_rows([row(name, "within-guarantee"), row("a:B", "misbehaves")], console)
    lines = shown.get().splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in shown.get()
    numbers = ("2", "256", "64", "131072", "<", "262144", "100.0", "%", "3.3e-01")
    assert [line for line in lines if line.split() == [*numbers, "within-guarantee", "1234.6"]]
    assert [line for line in lines if line.split() == [*numbers, "misbehaves", "1234.6"]]
    assert {name, "a:B"} <= set(lines)


@pytest.mark.parametrize(("columns", "most"), [("80", 80), (None, 160)])
def test_without_a_terminal_columns_says_how_wide_a_table_is(
    columns: str | None, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    console = Console(file=io.StringIO(), color_system=None)
    with console.capture() as shown:
        show_rows([row("kvfloor.caches:KIVICache(bits=2, group=32)", "misbehaves")], console)
    assert most - 60 < max(map(len, shown.get().splitlines())) <= most


@pytest.mark.parametrize(
    "command",
    [
        "audit kvfloor.caches:HashedCache --set bits=2 -n 2 -d 2 --order 1",
        "sweep kvfloor.caches:HashedCache --set bits=2 -n 2 -d 2 --order 1 --jobs 1",
        "verify index-deterministic --examples 2 --jobs 1",
    ],
)
def test_tables_and_rows_are_whole_on_a_terminal_of_80_columns(folder: Path, command: str) -> None:
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", on_terminal(folder, command))
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()]
    assert lines
    assert "…" not in text
    assert max(map(len, lines)) <= 80, lines


def on_terminal(folder: Path, command: str) -> str:
    """What a command shows on a terminal of 80 columns."""
    primary, secondary = pty.openpty()
    fcntl.ioctl(secondary, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = os.environ | {"TERM": "xterm"}
    environment.pop("COLUMNS", None)
    with subprocess.Popen(
        [*KVFLOOR, *command.split()],
        cwd=folder, env=environment, stdin=secondary, stdout=secondary, stderr=secondary,
    ) as process:  # fmt: skip
        os.close(secondary)
        shown = b""
        try:
            while part := os.read(primary, 2**16):
                shown += part
        except OSError:  # the terminal is gone with its last process
            pass
        assert process.wait() in (0, 1)
    os.close(primary)
    return shown.decode()
