"""`kvfloor efficiency`: one row, JSON, and one line for what misbehaves."""

from __future__ import annotations

import json
import os
import re
from fractions import Fraction
from pathlib import Path
from subprocess import CompletedProcess

from commands import ran

TESTS = Path(__file__).parents[2]


def run(command: str) -> CompletedProcess[str]:
    path = os.pathsep.join((str(TESTS), os.environ.get("PYTHONPATH", "")))
    return ran("efficiency", *command.split(), env=os.environ | {"PYTHONPATH": path})


def test_a_row_and_json(tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    cache = "kvfloor.caches:GroupedCache --set bits=1 --set group=8"
    done = run(f"{cache} -n 8 -d 8 --alpha 1/8 --family dense --levels 2 --json {file}")
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80
    told = dict(re.split(r"  +", line.strip(), maxsplit=1) for line in done.stdout.splitlines())
    result = json.loads(file.read_text())
    retrieved = Fraction(result["retrieved"])
    assert (told["accuracy"], told["instances"]) == ("α = 1/8, η = 0", "4 of dense, L = 2")
    assert told["wrong"].startswith("0 of 256 ")
    assert (told["bits kept"], told["bits back"]) == (str(result["bits"]), str(int(retrieved)))
    assert told["efficiency"] == f"{int(1000 * retrieved / result['bits']) / 1000:.3f}"
    assert (result["bits"], result["wrong"], result["instances"]) == (704, 0, 4)


def test_misbehaviour_is_one_line_and_no_row() -> None:
    done = run("cheats:Understated -n 4 -d 4 --alpha 1/8")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("kvfloor: cheats:Understated: state: append() or state() cache: ")
    assert done.stderr.count("\n") == 1


def test_bad_terms_are_one_line() -> None:
    done = run("cheats:Base -n 4 -d 4 --alpha 1/8 --levels 1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "kvfloor: levels: expected a whole number >= 2, got 1\n"
