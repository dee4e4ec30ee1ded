"""Streams and questions for a cache in another process, which may refuse them and live on.

`Isolated.state` ends a process whose cache raises. Here tokens that a cache refuses, by one of
`REFUSALS`, are a reply like others: it was not made for them. A mere `ValueError` is no refusal, as
NumPy raises it for every slip of shapes; nor is what `answer` or `from_state` raises, as the tokens
had been taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, NamedTuple

from kvfloor.caches import LIVE, CacheFactory, State, restore, state_of, take
from kvfloor.errors import InputError
from kvfloor.families import Token
from kvfloor.isolation.processes import Isolated, Misbehaviour, Shape
from kvfloor.isolation.replies import RATIONAL, as_state, printable, text_of
from kvfloor.numbers import as_vector

__all__ = ["REFUSALS", "Answer", "Refusal", "Stream", "asked", "called", "streamed", "tossed"]

Answer = tuple[Fraction, ...]
#: What a cache raises to say that it was not made for an input.
REFUSALS = (InputError, NotImplementedError, OverflowError)
TAKING, ASKING = "append() or state()", "from_state() or answer()"  # what is at fault


class Stream(NamedTuple):
    """Tokens, the course in which they are given, and the public coins.

    Attributes
    ----------
    tokens : sequence of Token
    course : str
        One of `COURSES`.
    query : sequence of d numbers
        What is asked in the middle, in a course that asks.
    seed : int
    """

    tokens: Sequence[Token]
    course: str
    query: Sequence[Any]
    seed: int


class Refusal(Exception):  # noqa: N818 (not an error of the program)
    """A cache refuses an input; its text says why."""


def streamed(
    writer: Isolated, stream: Stream, queries: Sequence[Any], shape: Shape, seconds: float
) -> tuple[State, list[Answer]]:
    """Return the state after a stream; and in the courses `LIVE` the answers to the queries.

    Raises
    ------
    Refusal, Misbehaviour
    """
    live = queries if stream.course in LIVE else []
    limit = seconds * (shape.patience(len(stream.tokens)) + len(live))
    reply = writer.call(_take, *stream, live, tuple(shape), seconds=limit, what=TAKING)
    data, bits, texts = _told(reply, TAKING, 3)
    try:
        state = as_state(data, bits)
    except (ValueError, TypeError):
        raise Misbehaviour("died", f"{TAKING}: its process spoke out of turn") from None
    return state, _answers(texts, len(live), shape.d_v)


def asked(
    reader: Isolated,
    state: State,
    queries: Sequence[Any],
    shape: Shape,
    seed: int,
    seconds: float,
    meanwhile: Callable[[], object] | None = None,
) -> list[Answer]:
    """Return what a cache restored from the bytes of a state answers; call ``meanwhile()`` then.

    Raises
    ------
    Refusal, Misbehaviour
    """
    limit = seconds * (1 + len(queries))
    arguments = (state.data, queries, tuple(shape), seed)
    reply = reader.call(_ask, *arguments, seconds=limit, what=ASKING, meanwhile=meanwhile)
    (texts,) = _told(reply, ASKING, 1)
    return _answers(texts, len(queries), shape.d_v)


def tossed(
    processes: tuple[Isolated, Isolated],
    trials: Sequence[tuple[Sequence[Token], Sequence[Any], int]],
    shape: Shape,
    seconds: float,
) -> list[Answer]:
    """Return the answer of each trial: tokens, a query, and the public coins.

    The first process takes all the tokens, the second one answers from the states.

    Raises
    ------
    Refusal, Misbehaviour
    """
    writer, reader = processes
    limit = seconds * (1 + len(trials))
    reply = writer.call(_take_all, trials, tuple(shape), seconds=limit, what=TAKING)
    (states,) = _told(reply, TAKING, 1)
    try:
        data = [bytes.fromhex(text) for text in states]
    except (ValueError, TypeError):
        raise Misbehaviour("died", "state(): its process spoke out of turn") from None
    questions = [(d, query, seed) for d, (_, query, seed) in zip(data, trials, strict=True)]
    reply = reader.call(_ask_all, questions, tuple(shape), seconds=limit, what=ASKING)
    (texts,) = _told(reply, ASKING, 1)
    return _answers(texts, len(trials), shape.d_v)


def called(process: Isolated, function: Any, *arguments: Any, seconds: float) -> Any:
    """Return what a function makes of the factory in the process, None if the cache raises."""
    reply = process.call(_call_of, function, arguments, seconds=seconds)
    return reply[1] if isinstance(reply, list) and len(reply) == 2 and reply[0] == "done" else None


def _told(reply: Any, what: str, count: int) -> list[Any]:
    """The values of a reply that brings some."""
    if isinstance(reply, list) and len(reply) == 2 and reply[0] == "refused":
        raise Refusal(printable(reply[1]))
    if isinstance(reply, list) and len(reply) == 3 and reply[0] == "misbehaved":
        raise Misbehaviour(printable(reply[1]), f"{what} {printable(reply[2])}")
    if not isinstance(reply, list) or len(reply) != 1 + count or reply[0] != "done":
        raise Misbehaviour("died", f"{what}: its process spoke out of turn")
    return reply[1:]


def _answers(texts: Any, count: int, d_v: int) -> list[Answer]:
    rows = isinstance(texts, list) and len(texts) == count
    if not rows or not all(isinstance(row, list) and len(row) == d_v for row in texts):
        raise Misbehaviour("died", "answer(): its process spoke out of turn")
    if not all(isinstance(x, str) and RATIONAL.fullmatch(x) for row in texts for x in row):
        raise Misbehaviour("answer", "answer(): a number of over 1000 characters")
    return [tuple(Fraction(x) for x in row) for row in texts]


# --- in the other process --------------------------------------------------------------------


def _take(
    factory: CacheFactory,
    tokens: Sequence[Token],
    course: str,
    query: Sequence[Any],
    seed: int,
    queries: Sequence[Any],
    shape: tuple[int, int, int],
) -> list[Any]:
    _, d, d_v = shape
    try:
        cache = take(factory, course, tokens, query, d=d, d_v=d_v, seed=seed)
        with _taken():
            texts = [_text(cache.answer(q), d_v) for q in queries]  # writing a state may change it
        state = state_of(cache)
    except Exception as error:
        return _fault(error)
    return ["done", bytes.hex(state.data), int(state.bits), texts]


def _ask(
    factory: CacheFactory,
    data: bytes,
    queries: Sequence[Any],
    shape: tuple[int, int, int],
    seed: int,
) -> list[Any]:
    order, d, d_v = shape
    try:
        with _taken():
            state = State(data, 8 * len(data))
            cache = restore(factory, state, order=order, d=d, d_v=d_v, seed=seed)
            texts = [_text(cache.answer(q), d_v) for q in queries]
    except Exception as error:
        return _fault(error)
    return ["done", texts]


def _take_all(factory: CacheFactory, trials: Any, shape: tuple[int, int, int]) -> list[Any]:
    _, d, d_v = shape
    try:
        states = [
            state_of(take(factory, "once", tokens, query, d=d, d_v=d_v, seed=seed)).data.hex()
            for tokens, query, seed in trials
        ]
    except Exception as error:
        return _fault(error)
    return ["done", states]


def _ask_all(factory: CacheFactory, questions: Any, shape: tuple[int, int, int]) -> list[Any]:
    found = []
    for data, query, seed in questions:
        reply = _ask(factory, data, [query], shape, seed)
        if reply[0] != "done":
            return reply
        found += reply[1]
    return ["done", found]


def _call_of(factory: CacheFactory, function: Any, arguments: tuple[Any, ...]) -> list[Any]:
    try:
        return ["done", function(factory, *arguments)]
    except Exception as error:
        return _fault(error)


class _AnswerError(Exception):
    """An answer that is not d_v numbers."""


class _LateError(Exception):
    """A refusal by a cache that has taken the tokens."""


@contextmanager
def _taken() -> Iterator[None]:
    """From here on nothing may be refused."""
    try:
        yield
    except REFUSALS as error:
        raise _LateError(_named(error)) from None


def _text(answer: Any, d_v: int) -> list[str]:
    try:
        return [str(x) for x in as_vector(answer, "answer", d_v)]
    except Exception as error:
        raise _AnswerError(f"returned no answer: {error}") from None


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {text_of(error)}"


def _fault(error: Exception) -> list[Any]:
    text = text_of(error)
    if isinstance(error, _LateError):
        return ["misbehaved", "raised", f"raised {text}; it had taken the tokens"]
    if isinstance(error, _AnswerError):
        return ["misbehaved", "answer", text]
    if isinstance(error, InputError) and error.argument == "cache":
        return ["misbehaved", "state", text]
    if isinstance(error, REFUSALS):
        return ["refused", _named(error)]
    return ["misbehaved", "raised", f"raised {_named(error)}"]
