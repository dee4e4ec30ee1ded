"""The other end of `processes`: a process that runs caches and replies in JSON."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import pickle
import resource
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from typing import IO, Any

from kvfloor.caches import CacheFactory, Configured, State, describe, record, restore
from kvfloor.errors import InputError, described, meant, slots_told
from kvfloor.families import Token
from kvfloor.isolation.processes import Shape
from kvfloor.isolation.replies import text_of
from kvfloor.numbers import as_vector
from kvfloor.workers import end_with

__all__ = ["MOST_DIGITS", "MOST_STATE", "serve"]

PROTOCOL = ("order", "d", "d_v", "seed")  # what every cache is made with
PACKAGE = Path(__file__).parents[1]
MOST_MEMORY = 2**32  # bytes of data of the process
MOST_STATE = 2**26  # bytes of a state
MOST_DIGITS = 1000  # characters of a number of an answer, as certificates have them
GRACE = 30  # seconds beyond its time limit until a process ends itself, if nobody else ends it


class _FaultError(Exception):
    """A misbehaviour: its kind and its reason."""


def serve(parent: int) -> None:
    """Read requests from standard input, reply on standard output, until no more come.

    Once the nursery that forked it has ended, which does not outlive whoever wants the replies,
    this process ends with all that it started.
    """
    end_with(parent, lambda: os.killpg(0, signal.SIGKILL))
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "w", encoding="ascii")
    nothing = os.open(os.devnull, os.O_RDWR)  # what the cache reads and prints
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    _reply(replies, {"value": "ready"})
    try:
        for value in _values(requests):
            _reply(replies, {"value": value})
    except _FaultError as fault:
        _reply(replies, {"misbehaviour": fault.args})
    except Exception as error:  # of this program: whatever the cache raises is a fault
        _reply(replies, {"error": (described(error), traceback.format_exc())})


def _reply(replies: IO[str], reply: dict[str, Any]) -> None:
    replies.write(json.dumps(reply) + "\n")
    replies.flush()


def _values(requests: IO[bytes]) -> Iterator[Any]:
    factory = None
    while head := requests.read(8):
        body = requests.read(int.from_bytes(head, "little"))
        name, seconds, arguments = pickle.loads(body)  # noqa: S301 (of whoever runs the audit)
        signal.alarm(seconds + GRACE)
        if name == "start":
            factory, described = _loaded(*arguments)
            yield described
        else:
            for value in HANDLERS[name](factory, *arguments):
                yield value
                signal.alarm(seconds + GRACE)
        signal.alarm(0)


@contextmanager
def _blamed(what: str, order: int = 0) -> Iterator[None]:
    """Turn whatever ``what`` raises into a fault; the cache has keys of so many slots, if any."""
    try:
        yield
    except BaseException as error:  # it may raise SystemExit or worse
        told = _told(error)
        if order:
            told += slots_told(type(error), text_of(error), order)
        raise _FaultError("raised", f"{what} raised {told}" if what else told) from None


def _own(error: Exception) -> bool:
    """Whether code of this package raised it, and no code that it called."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return Path(frame.f_code.co_filename).is_relative_to(PACKAGE)


def _told(error: BaseException) -> str:
    text = text_of(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _loaded(start: bytes) -> tuple[Any, dict[str, Any]]:
    with _blamed("importing it"):
        factory = pickle.loads(start)  # noqa: S301 (of whoever runs the audit)
        if isinstance(factory, Configured):
            factory = Configured(_found(factory.cache_class), factory.options)
        else:
            factory = _found(factory)
        described = describe(factory)
    _check_options(factory)
    return factory, described


def _check_options(factory: Any) -> None:
    """Refuse an option that the class does not have, or lacks, if that can be said."""
    made, options = factory, dict[str, Any]()
    if isinstance(factory, Configured):
        made, options = factory.cache_class, dict(factory.options)
    try:
        parameters = inspect.signature(made).parameters
    except (ValueError, TypeError):
        return
    of = getattr(made, "__name__", "it")
    for name, parameter in parameters.items() if parameters.keys() >= {*PROTOCOL} else ():
        needed = parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty
        if needed and name not in PROTOCOL and name not in options:
            raise _FaultError("option", f"{name} of {of} is not given, and has no default")
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    own = [name for name in parameters if name not in PROTOCOL]
    for name in options:
        if name not in own:
            has = f"which has {', '.join(own)}" if own else "which has none"
            raise _FaultError("option", f"{name} is no option of {of}, {has}{meant(name, own)}")


def _found(made: Any) -> Any:
    if not isinstance(made, str):
        return made
    module, _, name = made.partition(":")
    return attrgetter(name)(importlib.import_module(module))  # a class may stand in another


def _state(
    factory: CacheFactory, tokens: Sequence[Token], shape: Shape, seed: int
) -> Iterator[Any]:
    try:
        with _blamed("append() or state()", shape.order):
            state = record(factory, tokens, d=shape.d, d_v=shape.d_v, seed=seed)
    except _FaultError as fault:
        if isinstance(fault.__context__, InputError) and fault.__context__.argument == "cache":
            raise _FaultError("state", str(fault.__context__)) from None
        raise
    if len(state.data) > MOST_STATE:
        raise _FaultError("state", f"a state of {len(state.data)} bytes, {MOST_STATE} are allowed")
    yield bytes.hex(state.data), int(state.bits)


def _answers(
    factory: CacheFactory, data: bytes, queries: Sequence[Any], shape: Shape, seed: int
) -> Iterator[list[str]]:
    with _blamed("from_state()"):
        cache = restore(factory, State(data, 8 * len(data)), **shape._asdict(), seed=seed)
    for k, query in enumerate(queries):
        what = f"answer() to query {k}"
        with _blamed(what):
            answer = cache.answer(query)
        try:
            texts = [str(x) for x in as_vector(answer, "the answer", shape.d_v)]
        except Exception as error:
            if not isinstance(error, InputError) and _own(error):
                raise
            raise _FaultError("answer", f"{what}: {_told(error)}") from None
        if any(len(text) > MOST_DIGITS for text in texts):
            raise _FaultError("answer", f"{what}: a number of over {MOST_DIGITS} characters")
        yield texts


def _call(
    factory: CacheFactory, function: Any, arguments: tuple[Any, ...], what: str
) -> Iterator[Any]:
    with _blamed(what):
        value = function(factory, *arguments)
    yield value


HANDLERS: dict[str, Callable[..., Iterator[Any]]] = {
    "state": _state,
    "answers": _answers,
    "call": _call,
}
