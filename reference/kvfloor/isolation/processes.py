"""Caches in processes of their own: nothing but the bytes of a state goes from one to another.

A cache is code that may hang, end its process, or remember what is not in its state. So it runs in
a process as fresh as a new interpreter, under limits of time and memory, and answers in another
than the one that saw the tokens. Replies are JSON, which carries no code. `worker` is the other
end.
"""

from __future__ import annotations

import json
import os
import pickle
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from fractions import Fraction
from functools import cached_property
from math import ceil
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

from kvfloor.caches import CacheFactory, State
from kvfloor.errors import InputError
from kvfloor.families import Token
from kvfloor.isolation.nursery import child_of
from kvfloor.isolation.replies import RATIONAL, as_state, printable
from kvfloor.numbers import shown

__all__ = [
    "READING", "WRITING", "Factory", "Isolated", "IsolationError", "Misbehaviour", "Shape",
    "writer_and_reader",
]  # fmt: skip

T = TypeVar("T")
Factory = CacheFactory | str  # text: MODULE:FACTORY
SECONDS = 10.0  # for each answer, and for taking in an instance
START_SECONDS = 60.0  # importing a module may load much
DYING_SECONDS = 5.0  # a process that has ended is soon gone
MOST_REPLY = 2**28  # bytes of a reply: twice the hexadecimal text of the longest state
WRITING, READING = 1, 2  # PYTHONHASHSEED where tokens are taken in, and where a state is read
PIPE_BUF = select.PIPE_BUF  # what a pipe that is ready surely takes


class Misbehaviour(Exception):  # noqa: N818 (not an error of the program, a finding)
    """A cache did what no cache may do.

    Attributes
    ----------
    kind : str
        "raised", "died", "time-limit", "state", "answer", "option", or what an audit adds to
        these.
    reason : str
    """

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind, self.reason = kind, reason


class IsolationError(RuntimeError):
    """What runs a cache failed by itself, which is no fault of the cache; the text says where."""


NUMBERS = 2**18  # of an instance, for which a cache may take as long again as for an answer


class Shape(NamedTuple):
    """What a cache is told beside the tokens."""

    order: int
    d: int
    d_v: int

    def patience(self, tokens: int) -> int:
        """How often the time limit of an answer it may take to read so many tokens."""
        return 1 + tokens * self.order * (self.d + self.d_v) // NUMBERS


class Isolated:
    """A process that runs one factory's caches; a context manager.

    Parameters
    ----------
    factory : CacheFactory or "MODULE:FACTORY"
        As text, by itself or configured, it is imported in the other process alone.
    hash_seed : int
        PYTHONHASHSEED of the process.
    seconds : float
        Time limit for each answer, and for each instance that is taken in.

    Raises
    ------
    InputError
        If the factory cannot be found by its name in another process.
    """

    def __init__(
        self, factory: Factory, *, hash_seed: int = WRITING, seconds: float = SECONDS
    ) -> None:
        self._seconds, self._seen = seconds, bytearray()
        self._late: Misbehaviour | None = None
        start = _pickled(factory)
        self._process = child_of(hash_seed)
        with suppress(Misbehaviour):  # the first reply says so
            self._send("start", START_SECONDS, start)

    @cached_property
    def cache(self) -> dict[str, Any]:
        """Name and options of the factory, as `describe` gives them.

        Raises
        ------
        Misbehaviour
            If importing it raises, hangs or ends the process.
        IsolationError
            If the process does not even come to that. Whatever is asked of a process later may
            raise it too.
        """
        _ = self._started
        described: dict[str, Any] = self._reply(dict, START_SECONDS, "importing it")
        return described

    @cached_property
    def _started(self) -> bool:
        """Whether the process came so far as to run anything: read once, as it says so once."""
        try:
            self._reply(_anything, START_SECONDS, "starting")
        except Misbehaviour as fault:
            raise IsolationError(f"no interpreter to run a cache in: {fault}") from None
        return True

    def __enter__(self) -> Isolated:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process and all that it started, but what has left its session (setsid)."""
        if self._process.pid:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.status(DYING_SECONDS)
        self._process.close()

    def state(self, tokens: Sequence[Token], shape: Shape, seed: int) -> State:
        """Return the state of a new cache after the tokens.

        Raises
        ------
        Misbehaviour
            If the cache raises, hangs, ends its process, or has no state of the bits it declares.
        """
        seconds = self._seconds * shape.patience(len(tokens))
        self._send("state", seconds, tokens, shape, seed)
        return self._reply(_state, seconds, "append() or state()")

    def answers(
        self, state: State, queries: Sequence[Any], shape: Shape, seed: int
    ) -> Iterator[tuple[Fraction, ...]]:
        """Iterate over what one cache restored from the bytes of a state answers to queries.

        It works from now on. All answers have to be taken.

        Raises
        ------
        Misbehaviour
            If the cache raises, hangs, ends its process, or answers with anything but d_v numbers.
        """
        self._send("answers", self._seconds, state.data, queries, shape, seed)
        return self._answers(len(queries), shape)

    def _answers(self, count: int, shape: Shape) -> Iterator[tuple[Fraction, ...]]:
        for k in range(count):
            answer = self._reply(_numbers, self._seconds, f"answer() to query {k}")
            if len(answer) != shape.d_v:
                raise _out_of_turn(f"answer() to query {k}")
            yield answer

    def call(
        self,
        function: Any,
        *arguments: Any,
        seconds: float,
        what: str = "",
        meanwhile: Callable[[], object] | None = None,
    ) -> Any:
        """Return ``function(factory, *arguments)``, called in the process, as JSON carries it.

        While the process works ``meanwhile()`` is called here. A fault is told as one of
        ``what``, of the call if nothing is given.

        Raises
        ------
        Misbehaviour
            If it raises, or takes more than ``seconds``.
        """
        self._send("call", seconds, function, arguments, what)
        if meanwhile is not None:
            meanwhile()
        return self._reply(_anything, seconds, what or "the call")

    def _send(self, name: str, seconds: float, *arguments: Any) -> None:
        if name != "start":
            _ = self.cache  # its first reply
        if self._late is not None:  # what it says now would be the reply to something else
            raise self._late
        data = pickle.dumps((name, ceil(seconds), arguments))
        pipe, rest = self._process.requests, memoryview(len(data).to_bytes(8, "little") + data)
        while rest:
            if not select.select([], [pipe], [], START_SECONDS)[1]:
                raise Misbehaviour("time-limit", "its process does not take what it is sent")
            try:
                rest = rest[os.write(pipe, rest[:PIPE_BUF]) :]
            except BrokenPipeError:
                raise self._death("between two calls") from None

    def _reply(self, read: Callable[[Any], T], seconds: float, what: str) -> T:
        line = self._line(seconds, what)
        try:
            reply = json.loads(line)
            fault, error = reply.get("misbehaviour"), reply.get("error")
            if fault is None and error is None:
                return read(reply["value"])
            kind, reason = fault or error
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise _out_of_turn(what) from None
        if fault is None:
            failure = IsolationError(printable(kind))
            failure.add_note(str(reason))  # the traceback of the other process
            raise failure
        raise Misbehaviour(printable(kind), printable(reason))

    def _line(self, seconds: float, what: str) -> bytes:
        pipe, deadline, searched = self._process.replies, time.monotonic() + seconds, 0
        while (end := self._seen.find(b"\n", searched)) < 0:
            searched = len(self._seen)
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                self._late = Misbehaviour("time-limit", f"{what} took more than {seconds:g} s")
                raise self._late
            chunk = os.read(pipe, 2**20)
            if not chunk:
                raise self._death(what)
            self._seen += chunk
            if len(self._seen) > MOST_REPLY:
                raise _out_of_turn(what)
        line = bytes(self._seen[:end])
        del self._seen[: end + 1]
        return line

    def _death(self, what: str) -> Misbehaviour:
        status = self._process.status(DYING_SECONDS)
        if status is None:
            return Misbehaviour("died", f"its process closed its channel in {what}")
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        return Misbehaviour("died", f"its process ended in {what}, with {how}")


def writer_and_reader(
    factory: Factory, *, seconds: float, processes: ExitStack
) -> tuple[Isolated, Isolated]:
    """Start a process where tokens are taken in, and one where a state is read."""
    writer, reader = (
        processes.enter_context(Isolated(factory, hash_seed=seed, seconds=seconds))
        for seed in (WRITING, READING)
    )
    return writer, reader


def _out_of_turn(what: str) -> Misbehaviour:
    """A cache that writes into the channel itself has to look for it."""
    return Misbehaviour("died", f"{what}: its process spoke out of turn")


def _anything(value: Any) -> Any:
    return value


def _state(value: Any) -> State:
    data, bits = value
    return as_state(data, bits)


def _numbers(value: Any) -> tuple[Fraction, ...]:
    if not all(RATIONAL.fullmatch(text) for text in value):
        raise ValueError
    return tuple(Fraction(text) for text in value)


def _pickled(factory: Factory) -> bytes:
    """A factory as bytes that another process can read, if it finds its module."""
    expected = "a class or function of a module, or MODULE:FACTORY: other processes import it"
    made = getattr(factory, "cache_class", factory)
    if not isinstance(factory, str) and getattr(made, "__module__", "") == "__main__":
        raise InputError("factory", expected, "one of __main__")
    try:
        return pickle.dumps(factory)
    except Exception as error:
        raise InputError("factory", expected, shown(str(error))) from None
