"""Nothing outlives its run: workers, isolated interpreters and what they start end with it."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kills import COMMANDS, SEARCH, Run, rows_of, wait_for, whole
from kvfloor.workers import processes

CHILDREN = """\
import os, subprocess, sys
from kvfloor.caches import ExactCache

class Parent(ExactCache):
    def answer(self, query):
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        open("started", "w").close()
        while True:
            pass
"""
CANCELLED = """\
import time
from kvfloor.workers import processes

for _ in range(20):
    with processes(2) as pool:
        pool.submit(time.sleep, 0).result()
        pool.submit(time.sleep, 0).cancel()
"""
NESTED = """\
import multiprocessing, sys, time
from kvfloor.workers import processes

def wait(_):
    time.sleep(600)

if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    with processes(2) as pool:
        list(pool.map(wait, range(2)))
"""

if not Path("/proc/self/environ").exists():
    pytest.skip("needs /proc to find what is left", allow_module_level=True)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("work", "temporary"):
        (tmp_path / name).mkdir()
    (tmp_path / "work" / "mine.py").write_text(CHILDREN)
    (tmp_path / "work" / "nested.py").write_text(NESTED)
    return tmp_path / "work", tmp_path / "temporary"


@pytest.fixture
def started(folders: tuple[Path, Path]) -> Iterator[list[Run]]:
    runs: list[Run] = []
    yield runs
    for run in runs:
        run.clear()


@pytest.mark.parametrize(
    ("command", "workers"),
    [
        ("verify --examples 100000 --jobs 2", 2),
        ("audit mine:Parent -n 8 -d 3 --seconds 500", 4),
        (COMMANDS["sweep"], 4),
        (SEARCH, 2),
        *((f"\nimport runpy, sys; sys.argv[1:] = ['{how}']\nrunpy.run_path('nested.py', "
           "run_name='__main__')", 2) for how in ("spawn", "forkserver")),
    ],
    ids=["verify", "audit", "sweep", "search", "spawn", "forkserver"],
)  # fmt: skip
def test_nothing_lives_on_after_a_kill(
    folders: tuple[Path, Path], started: list[Run], command: str, workers: int
) -> None:
    run = Run(command, *folders)
    started.append(run)
    assert wait_for(lambda: len(run.others()) >= workers) is not None
    if "mine" in command:  # what the cache starts goes too
        assert wait_for((folders[0] / "started").exists) is not None
    assert run.kill()
    assert wait_for(lambda: not run.others()) is not None
    assert list(folders[1].iterdir()) == []


def test_a_killed_sweep_has_whole_rows_and_goes_on_to_all_of_them(
    folders: tuple[Path, Path], started: list[Run]
) -> None:
    work, _ = folders
    run = Run(COMMANDS["sweep"], *folders)
    started.append(run)
    assert wait_for(lambda: rows_of(work / "rows.jsonl")) is not None
    run.kill()
    assert wait_for(lambda: not run.others()) is not None
    known = rows_of(work / "rows.jsonl")
    assert whole(work / "rows.jsonl")
    assert 1 <= len(known) < 6
    again = Run(COMMANDS["sweep"], *folders)
    started.append(again)
    assert again.process.wait() == 1
    rows = rows_of(work / "rows.jsonl")
    assert (len(rows), set(known) <= set(rows)) == (6, True)
    other = work / "other"
    other.mkdir()
    uninterrupted = Run(COMMANDS["sweep"], other, folders[1])
    started.append(uninterrupted)
    assert uninterrupted.process.wait() == 1
    assert rows_of(other / "rows.jsonl") == rows


def test_a_pool_that_fails_ends_its_own_workers_and_no_others() -> None:
    stranger = multiprocessing.get_context("spawn").Process(target=_sleep)
    stranger.start()
    try:
        with pytest.raises(ZeroDivisionError):
            _fail_beside(stranger)
        assert wait_for(lambda: multiprocessing.active_children() == [stranger]) is not None
    finally:
        stranger.kill()
        stranger.join()


def _sleep() -> None:
    time.sleep(600)


def _fail_beside(stranger: multiprocessing.process.BaseProcess) -> None:
    with processes(1) as pool:
        pool.submit(_sleep)
        assert wait_for(lambda: len(multiprocessing.active_children()) == 2) is not None
        assert stranger.is_alive()
        raise ZeroDivisionError


def test_a_pool_ends_though_a_task_is_cancelled_as_it_is_submitted() -> None:
    """Where Python has gh-94440, as Debian's 3.11.2 has, it would wait for ever."""
    done = subprocess.run([sys.executable, "-c", CANCELLED], timeout=100, check=False)
    assert done.returncode == 0
