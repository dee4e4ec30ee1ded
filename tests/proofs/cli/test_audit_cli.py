"""`kvfloor audit` and `kvfloor sweep`: tables, JSON, certificates that check, exit statuses."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from commands import ran
from kvfloor import Row
from kvfloor_proofs.report import followed, following
from limits import HANG

CLI = (sys.executable, "-m", "kvfloor_proofs.cli")
MINE = """\
from kvfloor.caches import ExactCache, HashedCache

class Mine(HashedCache):
    pass

class Broken(ExactCache):
    def answer(self, query):
        raise RuntimeError("[bold]no[/bold] :x:\\x1b[2J")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(MINE)
    return tmp_path


def run(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    return ran(*command.split(), cwd=folder)


def complaint(folder: Path, command: str) -> str:
    done = run(folder, command)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done
    return done.stderr


def test_refuted_with_certificates_that_check(folder: Path) -> None:
    done = run(
        folder,
        "audit mine:Mine --set bits=6 -n 8 -d 3 --json r.json --plot p.png --certificates made "
        "--picture p.svg",
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert "mine:Mine(bits=6), n=8, d=3: violation: it answers 0 where" in done.stdout
    document = json.loads((folder / "r.json").read_text())
    assert (document["cache"], document["verdict"]) == ("mine:Mine(bits=6)", "refuted")
    assert (folder / "p.png").stat().st_size > 1000
    assert "back from mine:Mine(bits=6)" in (folder / "p.svg").read_text()
    for finding in document["findings"]:
        file = folder / "made" / f"{finding['kind']}.json"
        assert json.loads(file.read_text()) == finding["certificate"]
    done = run(
        folder, "check made/violation.json made/collision.json --cache mine:Mine --set bits=6"
    )
    assert (done.returncode, done.stdout.count(": ok: ")) == (0, 2), done
    done = run(folder, "check made/violation.json --cache mine:Mine --set bits=7")
    assert (done.returncode, "cache.options.bits: 6 is claimed, 7" in done.stdout) == (1, True)


def test_json_to_standard_output_is_json_alone(folder: Path) -> None:
    done = run(folder, "audit kvfloor.caches:ExactCache -n 4 -d 2 --order 1 --json -")
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert (document["verdict"], document["order"], document["findings"]) == (
        "within-guarantee", 1, [],
    )  # fmt: skip
    assert "within-guarantee" in done.stderr


def test_a_cache_that_misbehaves_is_status_2_and_steers_no_terminal(folder: Path) -> None:
    done = run(folder, "audit mine:Broken -n 4 -d 2")
    assert done.returncode == 2
    assert "RuntimeError: [bold]no[/bold] :x:" in done.stdout
    assert "\x1b" not in done.stdout


def test_the_interval_of_a_cache_that_may_fail_is_shown_though_it_is_right(folder: Path) -> None:
    command = "audit kvfloor.caches:ExactCache -n 4 -d 2 --order 1 --delta 1/8"
    done = run(folder, command)
    line = "kvfloor.caches:ExactCache: over its coins an answer is accurate with probability 0.8"
    assert (done.returncode, line in done.stdout) == (0, True), done
    assert "over its coins" not in run(folder, f"{command} -q").stdout


@pytest.mark.parametrize(
    ("command", "part"),
    [
        ("audit mine:Mine -n 8", "Missing option '-d'"),
        ("audit mine -n 8 -d 3", "factory: expected MODULE:FACTORY, got 'mine'"),
        ("audit mine:Mine -n 8 -d 2", "d: expected at least 3 for 8"),
        ("audit mine:Mine -n 8 -d 3 --alpha much", "alpha: expected"),
        ("audit mine:Mien -n 8 -d 3", "factory: expected MODULE:FACTORY, but importing it raised"),
        ("audit nine:Mine -n 8 -d 3", "No module named 'nine'"),
        (
            "audit mine:Mine -n 8 -d 3 --set bts=2",
            "--set: bts is no option of Mine, which has bits, family; did you mean bits?",
        ),
        ("sweep mine:Mine -n 8 -d 3 --set what=2", "--set: what is no option of Mine, which has"),
        ("sweep mine:Mien -n 8 -d 3", "has no attribute 'Mien'"),
        ("audit mine:Mine -n 8 -d 3 --set bits", "--set: expected NAME=VALUE, got 'bits'"),
        ("audit mine:Mine -n 8 -d 3 --set bits=1,2", "--set: expected one value for each name"),
        ("audit mine:Mine -n 8 -d 3 --json no/r.json", "--json: expected a file in a folder that"),
        ("audit mine:Mine -n 8 -d 3 --plot no/r.png", "--plot: expected a file in a folder that"),
        (
            "audit mine:Mine -n 8 -d 3 --certificates no/where",
            "--certificates: expected a folder, or a new one in a folder that exists, got",
        ),
        ("sweep mine:Mine -n 8 -d 3 --jobs 0", "jobs: expected a whole number >= 1, got 0"),
        ("sweep mine:Mine -n 9 -d 3 --jobs 1", "d: expected at least 4 for 9"),
        ("sweep mine:Mine -n 8 -d 3 --output mine.py", "output: expected a new file, or one that"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(folder: Path, command: str, part: str) -> None:
    assert part in complaint(folder, command)


def test_a_sweep_is_resumed(folder: Path) -> None:
    command = "sweep mine:Mine kvfloor.caches:HashedCache --set bits=2,6 -n 4 -n 8 -d 3 --order 1"
    done = run(folder, f"{command} --output rows.jsonl --jobs 2")
    assert (done.returncode, done.stderr) == (1, ""), done.stdout
    assert done.stdout.count(" refuted ") == 8
    lines = (folder / "rows.jsonl").read_text().splitlines()
    assert len(lines) == 8
    (folder / "rows.jsonl").write_text("\n".join(lines[:7]) + '\n{"task"')
    again = run(folder, f"{command} --output rows.jsonl --jobs 1 --plot rows.svg")
    assert (again.returncode, again.stderr) == (1, "rows.jsonl: cut off 7 bytes of a torn line\n")
    rows = [Row.of(line) for line in (folder / "rows.jsonl").read_bytes().splitlines()]
    assert (len(rows), None in rows) == (8, False)
    assert (folder / "rows.svg").exists()


def test_a_sweep_that_is_told_to_end_says_nothing_more(folder: Path) -> None:
    command = "sweep mine:Mine -n 64 -d 16 --order 1 --set bits=2,3,4,5,6,7,8 --jobs 2"
    process = subprocess.Popen(
        [*CLI, *command.split()], cwd=folder, stderr=subprocess.PIPE, text=True
    )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while len(children.read_text().split()) < 3:  # the process that looked at the cache is one
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=HANG)
    assert (process.returncode, said) == (143, "")


@pytest.mark.long  # it is waited for
def test_a_cluster_that_is_not_there_is_one_line(folder: Path) -> None:
    pytest.importorskip("distributed")
    assert "127.0.0.1:9" in complaint(folder, "sweep mine:Mine -n 4 -d 2 --dask tcp://127.0.0.1:9")


def test_progress_is_for_terminals_only() -> None:
    rows = [Row({}, {}, None, None)] * 3
    terminal = Console(force_terminal=True, width=80, record=True)
    with terminal.capture() as shown:
        assert followed(iter(rows), 3, terminal) == rows
    assert "3/3" in shown.get()
    plain = Console(force_terminal=False)
    with plain.capture() as shown:
        assert followed(iter(rows), 3, plain) == rows
    assert shown.get() == ""
    with terminal.capture() as shown, following("entries", terminal) as progress:
        assert progress is not None
        progress(2, 7)
    assert "entries" in shown.get()
    assert "2/7" in shown.get()
    with following("entries", plain) as progress:
        assert progress is None


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("--in-model a:B --order 1", "--in-model: expected no --order with it"),
        ("mine:Mine --in-model a:B", "--in-model: expected no FACTORY with it"),
        ("--in-model a:B --picture x.txt", "--picture: expected a name that ends in .svg"),
        ("mine:Mine --largest 2", "--largest: expected --in-model with it"),
        ("mine:Mine --heads 2", "--heads: expected --in-model with it"),
        ("", "FACTORY: expected MODULE:FACTORY or --in-model, got neither"),
    ],
)
def test_audits_of_caches_and_in_models_are_told_apart(
    folder: Path, options: str, expected: str
) -> None:
    assert expected in complaint(folder, f"audit {options} -n 8 -d 4")


def test_an_audit_in_a_model_of_what_there_is_not(folder: Path) -> None:
    done = run(folder, "audit --in-model no_such_module:Press -n 8 -d 4 --json r.json")
    assert done.returncode == 2
    told = "no_such_module:Press: raised: InputError: "  # no Transformers, or no such module
    assert told in done.stdout
    assert "not-served: it could not be run in this model" in done.stdout
    document = json.loads((folder / "r.json").read_text())
    assert (document["verdict"], document["floor_bits"]) == ("not-served", 2 * 2 * 8 * 4)
