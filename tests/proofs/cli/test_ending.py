"""SIGTERM and Ctrl-C end the command wherever they come, silently, and workers with it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from limits import HANG

BEGIN = """
import os, signal, sys, time
from kvfloor.errors import Terminated
from kvfloor_proofs.cli.ending import end_when_told
end_when_told()
class Dropping:
    def __del__(self):
        signal.raise_signal(NUMBER)
        [None for _ in range(3)]
try:
    BODY
    time.sleep(30)  # longer than any end takes
except KeyboardInterrupt:
    sys.exit(130)
finally:
    print("cleaned", flush=True)
"""


def ran(body: str, number: str = "signal.SIGTERM") -> tuple[int, str, str]:
    """The status, what it printed, what it complained of."""
    script = BEGIN.replace("BODY", body).replace("NUMBER", number)
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=HANG
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(("number", "status"), [("signal.SIGTERM", 143), ("signal.SIGINT", 130)])
@pytest.mark.parametrize("where", ["signal.raise_signal(NUMBER)", "Dropping()"])
def test_it_ends_also_where_python_drops_the_exception(
    where: str, number: str, status: int
) -> None:
    assert ran(where, number) == (status, "cleaned\n", "")


def test_a_forked_process_ends_without_a_word() -> None:
    body = """
    pid = os.fork()
    if not pid:
        signal.raise_signal(signal.SIGTERM)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"""
    assert ran(body.strip()) == (143, "cleaned\n", "")


def test_other_exceptions_that_are_dropped_are_told() -> None:
    body = """
    class Raising:
        def __del__(self):
            raise ValueError("so it is")
    Raising()
    sys.exit(0)"""
    status, _, said = ran(body.strip())
    assert status == 0
    assert "ValueError: so it is" in said
