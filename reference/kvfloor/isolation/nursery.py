"""Where processes for caches come from: an interpreter that has imported this package, and forks.

To start an interpreter and import the package takes half a second, to fork one that has done so
some milliseconds. A nursery runs no cache itself, so what it forks is as fresh as a new process:
nothing but this package is imported, and random numbers are drawn from new seeds.
"""

from __future__ import annotations

import array
import atexit
import json
import os
import pickle
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from threading import Lock
from typing import Any

import numpy as np

__all__ = ["Child", "child_of", "nurse", "warm"]

COMMAND = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from kvfloor.isolation.worker import serve; from kvfloor.isolation.nursery import nurse; "
    "nurse(int(sys.argv[2]), serve)"
)
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
NUMBER = struct.Struct("<q")
PAUSE = 0.005  # seconds between two looks whether a child has ended


class Child:
    """A forked process, and the ends of two pipes to it.

    Attributes
    ----------
    pid : int
        0 if there was nobody to fork it: then its pipes are at their end.
    requests, replies : int
        File descriptors, to write to and to read from.
    """

    def __init__(self, nursery: _Nursery) -> None:
        theirs, self.requests = os.pipe()
        self.replies, replies = os.pipe()
        try:
            self.pid = nursery.ask("fork", _surroundings(), pipes=(theirs, replies)) or 0
        finally:
            os.close(theirs)
            os.close(replies)
        self._nursery, self._status = nursery, None if self.pid else nursery.status

    def status(self, seconds: float) -> int | None:
        """Return how it ended: a status, minus a signal, or None if it does not end so soon."""
        deadline = time.monotonic() + seconds
        while self._status is None:
            found = self._nursery.ask("wait", self.pid)
            if found is None:  # nobody is left who could know
                self._status = self._nursery.status
            elif found:
                self._status = os.waitstatus_to_exitcode(found - 1)
            elif time.monotonic() > deadline:
                return None
            else:
                time.sleep(PAUSE)
        return self._status

    def close(self) -> None:
        """Close the pipes."""
        for end in (self.requests, self.replies):
            with suppress(OSError):
                os.close(end)


class _Nursery:
    """The interpreter that forks, started when it is needed and again if somebody ended it."""

    def __init__(self, hash_seed: int) -> None:
        self._hash_seed, self._lock = hash_seed, Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def ask(self, name: str, argument: Any, *, pipes: tuple[int, ...] = ()) -> int | None:
        """Return the number that it replies, None if it has ended."""
        with self._lock:
            try:
                control = self._running(start=name == "fork")
                _send(control, pickle.dumps((name, argument)), pipes)
                return NUMBER.unpack(_received(control, NUMBER.size))[0] if control else None
            except (OSError, EOFError, struct.error):
                return None

    def start(self) -> None:
        """Start it, and do not wait for it."""
        with self._lock, suppress(OSError):  # whoever asks it will be told
            self._running(start=True)

    def close(self) -> None:
        """End the interpreter, and with it what it has forked."""
        if self._control:
            with suppress(OSError):
                self._control.shutdown(socket.SHUT_RDWR)  # whoever else holds it open
            self._control.close()
        if self._process:
            self._process.wait()

    @property
    def status(self) -> int:
        """How the interpreter itself ended."""
        return self._process.wait() if self._process else 0

    def _running(self, *, start: bool) -> socket.socket | None:
        if start and (self._process is None or self._process.poll() is not None):
            self.close()
            self._control, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 (this interpreter, our own code)
                    [sys.executable, "-c", COMMAND, json.dumps(sys.path), str(theirs.fileno())],
                    env=os.environ | ONE_THREAD | {"PYTHONHASHSEED": str(self._hash_seed)},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
        return self._control


def warm(*hash_seeds: int) -> None:
    """Start the interpreters for these seeds at the same time."""
    for seed in hash_seeds:
        _nursery(os.getpid(), seed).start()


def child_of(hash_seed: int) -> Child:
    """Return a new process whose PYTHONHASHSEED is that; it ends when this process does."""
    return Child(_nursery(os.getpid(), hash_seed))


@cache
def _nursery(pid: int, hash_seed: int) -> _Nursery:
    """One for each seed. A forked process has nurseries of its own."""
    del pid
    nursery = _Nursery(hash_seed)
    atexit.register(nursery.close)
    return nursery


def _surroundings() -> tuple[list[str], str, dict[str, str]]:
    """What a process inherits."""
    return sys.path, os.getcwd(), dict(os.environ)


def _send(control: socket.socket | None, data: bytes, pipes: tuple[int, ...]) -> None:
    if control is None:
        raise EOFError
    message = NUMBER.pack(len(data)) + data
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", pipes))] if pipes else []
    sent = control.sendmsg([message], rights)
    control.sendall(message[sent:])


def _received(control: socket.socket | None, size: int) -> bytes:
    if control is None:
        raise EOFError
    data = b""
    while len(data) < size:
        part = control.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


# --- in the nursery ------------------------------------------------------------------------------


def nurse(control_end: int, serve: Callable[[int], None]) -> None:
    """Fork processes that serve, and tell how they ended, until nobody asks any more."""
    control = socket.socket(fileno=control_end)
    while True:
        head, pipes, _, _ = socket.recv_fds(control, NUMBER.size, 2)
        if not head:
            return
        size = NUMBER.unpack(head + _received(control, NUMBER.size - len(head)))[0]
        name, argument = pickle.loads(_received(control, size))  # noqa: S301 (of our parent)
        number = _forked(control, pipes, argument, serve) if name == "fork" else _ended(argument)
        control.sendall(NUMBER.pack(number))


def _forked(
    control: socket.socket,
    pipes: list[int],
    surroundings: tuple[list[str], str, dict[str, str]],
    serve: Callable[[int], None],
) -> int:
    parent = os.getpid()
    pid = os.fork()
    if not pid:
        status = 1
        try:
            control.close()
            _settle(pipes, *surroundings)
            serve(parent)
            status = 0
        finally:  # not the nursery's loop again, whatever happens
            os._exit(status)
    with suppress(OSError):  # the child does it too: whoever is first
        os.setpgid(pid, pid)
    for end in pipes:
        os.close(end)
    return pid


def _settle(pipes: list[int], path: list[str], folder: str, environment: dict[str, str]) -> None:
    """Make the forked process what a new one would be."""
    os.setpgid(0, 0)
    for end, place in zip(pipes, (0, 1), strict=True):
        os.dup2(end, place)
        os.close(end)
    sys.path[:] = path
    own = {name: os.environ[name] for name in (*ONE_THREAD, "PYTHONHASHSEED")}
    os.environ.clear()
    os.environ.update(environment | own)
    with suppress(OSError):  # a folder that is gone
        os.chdir(folder)
    if "numpy.random" in sys.modules:  # some versions import it; Python seeds `random` anew
        np.random.seed()


def _ended(pid: int) -> int:
    """A wait status and 1, or 0 for a process that runs."""
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 1
    return status + 1 if found else 0
