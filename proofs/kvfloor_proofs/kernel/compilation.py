"""The compilation, in a process that cleans up however the one that wants it ends.

``python -m kvfloor_proofs.kernel.compilation FOLDER PARENT`` prints what ``make audit`` writes, or
with exit status 1 what it complains about.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from kvfloor.workers import end_with
from kvfloor_proofs.kernel.coq import copy_theories

__all__ = ["compiled", "end_when_left", "ran"]

PAUSE, LOOKS = 0.05, 100  # seconds, and how often; what is dead may stay in the table for a while


def compiled(folder: Path) -> tuple[int, str]:
    """Return the exit status of ``make audit`` in a clean copy, and what it wrote or said."""
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary, "coq")
        copy_theories(folder, copy)
        code, said = ran(("make", "audit", f"PYTHON={sys.executable}"), copy)
        return (1, said) if code else (0, (copy / "audit.out").read_text(encoding="utf-8"))


def ran(command: tuple[str, ...], folder: Path) -> tuple[int, str]:
    """Run a command in a folder; return its exit status, and what it said.

    However this ends, nothing that the command started goes on.
    """
    process = subprocess.Popen(  # noqa: S603 (fixed commands)
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate()
    finally:
        if process.poll() is None:
            _end(process)
    return process.returncode, said


def _end(process: subprocess.Popen[str]) -> None:
    """End it and all that it started, and wait until none of them can write any more."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    with suppress(ProcessLookupError):
        for _ in range(LOOKS):
            os.killpg(process.pid, 0)
            time.sleep(PAUSE)


def _stopped(number: int, _frame: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # cleaning up is not to be interrupted
    sys.exit(128 + number)  # through every finally


def end_when_left(parent: int) -> None:
    """End early, through every finally, if the parent does or sends SIGTERM."""
    signal.signal(signal.SIGTERM, _stopped)
    end_with(parent, lambda: os.kill(os.getpid(), signal.SIGTERM))


def main(folder: str, parent: str) -> NoReturn:
    """Compile and print; end early, and leave nothing, if the parent does or sends SIGTERM."""
    end_when_left(int(parent))
    code, text = compiled(Path(folder))
    sys.stdout.write(text)
    sys.exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
