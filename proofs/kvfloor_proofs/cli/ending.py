"""How the command ends when it is told to: soon, through every finally, and without a word."""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from threading import Timer
from typing import TYPE_CHECKING, NoReturn

from kvfloor.errors import Terminated

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

__all__ = ["end_when_told"]

LONGEST_END = 5.0  # seconds from SIGTERM until a process is ended that somebody keeps from ending
AGAIN = 0.05  # seconds: by then whatever swallowed an exception has returned


def end_when_told() -> None:
    """Have SIGTERM raise `Terminated` in this process, and end at once those forked from it.

    Where Python runs code that may not raise (a destructor, the hooks around a fork), it drops the
    exception; then the signal is sent once more, as it is for Ctrl-C.
    """
    signal.signal(signal.SIGTERM, partial(_terminated, os.getpid()))
    sys.unraisablehook = _dropped


def _terminated(told: int, number: int, _frame: object) -> NoReturn:
    code = 128 + number
    if os.getpid() != told:  # a worker that has not yet come to its own handlers
        os._exit(code)
    last = Timer(LONGEST_END, os._exit, [code])
    last.daemon = True
    last.start()
    raise Terminated(code)


def _dropped(unraisable: UnraisableHookArgs) -> None:
    for kind, number in ((Terminated, signal.SIGTERM), (KeyboardInterrupt, signal.SIGINT)):
        if issubclass(unraisable.exc_type, kind):
            again = Timer(AGAIN, os.kill, [os.getpid(), number])
            again.daemon = True
            again.start()
            return
    sys.__unraisablehook__(unraisable)
