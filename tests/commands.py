"""The `kvfloor` command in a process of its own, forked from an interpreter that has imported it.

To start an interpreter and import the package takes half a second, and there are hundreds of
commands. What is forked has imported nothing else, and reads its surroundings anew.
"""

from __future__ import annotations

import atexit
import multiprocessing.process
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess

from kvfloor_proofs.cli import main
from limits import HANG

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["kvfloor_proofs.cli"])


def ran(
    *arguments: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> CompletedProcess[str]:
    """Return the status of ``kvfloor ARGUMENTS``, and what it wrote to its outputs, no terminals.

    As with `subprocess.run`, ``env`` is all that it sees of the environment.
    """
    with tempfile.TemporaryDirectory() as folder:
        outputs = [str(Path(folder) / name) for name in ("output", "error")]
        surroundings = os.path.abspath(cwd or "."), dict(os.environ if env is None else env)
        process = CONTEXT.Process(target=_command, args=(arguments, outputs, *surroundings))
        process.start()
        process.join(HANG)
        assert process.exitcode is not None, f"it hangs: kvfloor {' '.join(arguments)}"
        output, error = (Path(file).read_text() for file in outputs)
    return CompletedProcess(["kvfloor", *arguments], process.exitcode, output, error)


def _command(
    arguments: tuple[str, ...], outputs: list[str], folder: str, environment: dict[str, str]
) -> None:
    os.chdir(folder)
    multiprocessing.process.ORIGINAL_DIR = folder  # type: ignore[attr-defined]
    multiprocessing.set_start_method(None, force=True)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    sys.argv = ["kvfloor", *arguments]
    for number, file in enumerate(outputs, start=1):
        end = os.open(file, os.O_WRONLY | os.O_CREAT)
        os.dup2(end, number)
        os.close(end)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
    try:
        main()
    finally:
        sys.stdout.flush()
        atexit._run_exitfuncs()  # which multiprocessing leaves out
