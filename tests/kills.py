"""Kill every command at random moments and see what is left: ``python tests/kills.py``.

A line for each command: how many kills, of these while it still ran; how long the last of its
processes lived on; processes, temporary files and torn files left; and for a sweep, which is taken
up again after each kill, whether its rows are those of an uninterrupted one. Needs /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["COMMANDS", "Run", "rows_of", "wait_for", "whole"]

MARK = "KVFLOOR_KILLED_RUN"  # in the environment of a run and of all that it starts
PATIENCE = 120.0  # seconds, which only end a hang
SWEEP = (
    "sweep kvfloor.caches:HashedCache --set bits=2,4,6 -n 2 -n 4 -d 2 --order 1 --jobs 2 "
    "--output rows.jsonl"
)
SEARCH = """\
import kvfloor
from kvfloor.caches import HashedCache, configure
family = kvfloor.BinaryValues(kvfloor.binary_keys(8), d_v=8, order=1)
kvfloor.distinguished_points(configure(HashedCache, bits=24), family, limit=2**17, workers=2)
"""
HERE = Path(__file__).parent
TARGET = "mine:factored --dtype float32 --accumulate float32 --examples 5 --json report.json"
COMMANDS = {
    "verify": "verify keys index-deterministic collision --jobs 2 --json result.json",
    "verify --kernel": "verify keys --examples 1 --kernel --json result.json",
    "audit": "audit kvfloor.caches:HashedCache --set bits=26 -n 8 -d 8 --jobs 2 --json result.json "
    "--certificates .",
    "efficiency": "efficiency kvfloor.caches:ExactCache -n 16 -d 8 --alpha 1/8 --json result.json",
    "league": "league . -n 4 -d 4 --jobs 2",
    "sweep": SWEEP,
    "conform": f"conform {TARGET}",
    "vectors": "vectors --out .",
    "floor": "floor -n 4096 -d 128 --alpha 1/256 --json -",
    "check --cache": "check ok.json --cache kvfloor.caches:HashedCache",
    "distinguished_points": SEARCH,
}


@dataclass
class Run:
    """A command that runs in a folder, with a folder for what is temporary beside it."""

    command: str
    folder: Path
    temporary: Path
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        python = [sys.executable, "-c", self.command]
        kvfloor = [sys.executable, "-m", "kvfloor", *self.command.split()]
        self.process = subprocess.Popen(
            python if "\n" in self.command else kvfloor,
            cwd=self.folder,
            env=os.environ | {MARK: self.mark, "TMPDIR": str(self.temporary)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def others(self) -> list[int]:
        """The processes that it has started, and those have, that have not ended."""
        return [pid for pid in _marked(self.mark) if pid != self.process.pid]

    def kill(self) -> bool:
        """Kill it, as the system does; return whether it was still running."""
        running = self.process.poll() is None
        self.process.kill()
        self.process.wait()
        return running

    def clear(self) -> None:
        """End all that is left of it."""
        self.kill()
        for pid in self.others():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _marked(mark: str) -> Iterator[int]:
    wanted = f"{MARK}={mark}".encode()
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state = (path / "stat").read_text().rpartition(")")[2].split()[0]
            if state != "Z" and wanted in (path / "environ").read_bytes().split(b"\0"):
                yield int(path.name)


def wait_for(happened: Callable[[], Any], patience: float = PATIENCE) -> float | None:
    """Return how many seconds it took until something happened; None if it did not."""
    start = time.monotonic()
    while not happened():
        if time.monotonic() - start > patience:
            return None
        time.sleep(0.05)
    return time.monotonic() - start


def whole(path: Path) -> bool:
    """Whether a file is JSON, or lines of JSON, to its end."""
    text = path.read_text()
    try:
        for part in text.splitlines() if path.suffix == ".jsonl" else [text]:
            json.loads(part)
    except ValueError:
        return False
    return text.endswith("\n") or not text


def rows_of(path: Path) -> list[str]:
    """The rows of a sweep, without the time they took."""
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    for row in rows:
        row["audit"].pop("seconds")
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


@contextmanager
def _folders() -> Iterator[tuple[Path, Path]]:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        folder = Path(one)
        shutil.copy(HERE / "kernels" / "correct.py", folder / "mine.py")
        shutil.copy(HERE / "certificates" / "ok" / "binary-b12.json", folder / "ok.json")
        yield folder, Path(other)


@dataclass
class Tally:
    """What came of the kills of one command."""

    kills: int = 0
    running: int = 0
    longest: float = 0.0
    processes: int = 0
    temporary: int = 0
    torn: int = 0
    lost: int = 0

    def note(self, run: Run) -> None:
        """Kill a run and look at what is left."""
        self.kills += 1
        self.running += run.kill()
        lived_on = wait_for(lambda: not run.others(), 30)
        self.longest = max(self.longest, 30 if lived_on is None else lived_on)
        self.processes += len(run.others())
        self.temporary += len(list(run.temporary.iterdir()))
        files = [path for path in run.folder.iterdir() if path.suffix in (".json", ".jsonl")]
        self.torn += sum(not whole(path) for path in files)
        run.clear()


def killed(command: str, tries: int, rng: random.Random, most: float) -> Tally:
    """Kill a command so many times, each time at a moment of its own, within ``most`` seconds."""
    tally = Tally()
    with _folders() as (folder, temporary):
        start = time.monotonic()
        run = Run(command, folder, temporary)
        with suppress(subprocess.TimeoutExpired):
            run.process.wait(PATIENCE if command == SWEEP else most)
        takes = min(most, time.monotonic() - start)
        expected = rows_of(folder / "rows.jsonl")
        run.clear()
    while tally.kills < tries:
        with _folders() as (folder, temporary):
            if command != SWEEP:
                run = Run(command, folder, temporary)
                time.sleep(rng.uniform(0, takes))
                tally.note(run)
                continue
            _kill_and_take_up(tally, tries, folder, temporary, rng.uniform, takes)
            tally.lost += sum(row not in rows_of(folder / "rows.jsonl") for row in expected)
            tally.lost += len(rows_of(folder / "rows.jsonl")) != len(expected)
    return tally


def _kill_and_take_up(
    tally: Tally,
    tries: int,
    folder: Path,
    temporary: Path,
    uniform: Callable[[float, float], float],
    takes: float,
) -> None:
    """Kill a sweep until it is done, or was killed often enough; then let it end."""
    ended = False
    while not ended and tally.kills < tries:
        before = rows_of(folder / "rows.jsonl")
        run = Run(SWEEP, folder, temporary)
        time.sleep(uniform(0, takes))
        ended = run.process.poll() is not None
        tally.note(run)
        after = rows_of(folder / "rows.jsonl")
        tally.lost += sum(row not in after for row in before)
    Run(SWEEP, folder, temporary).process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commands", nargs="*", default=list(COMMANDS), metavar="COMMAND")
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--most", type=float, default=30, help="latest moment of a kill, in s")
    told = parser.parse_args()
    _write(
        "command", "kills", "while it ran", "lived on, s", "processes", "temporary", "torn", "lost"
    )
    _write(*["---"] * 8)
    bad = 0
    for name in told.commands:
        tally = killed(COMMANDS[name], told.tries, random.Random(told.seed), told.most)
        left = (tally.processes, tally.temporary, tally.torn, tally.lost)
        _write(name, tally.kills, tally.running, f"{tally.longest:.1f}", *left)
        bad += sum(left)
    sys.exit(1 if bad else 0)


def _write(*cells: object) -> None:
    sys.stdout.write(f"| {' | '.join(map(str, cells))} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
