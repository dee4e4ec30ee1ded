"""Violations on instances in numbers: keys, values and query are given, nothing has to be built.

The guarantee is ``|o - out| <= η·|out| + α·B``. B is the product over the slots of the largest
absolute value in the slot, so that no product of values is larger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import prod
from typing import Any, cast

from kvfloor.attention import ExactAttention
from kvfloor.caches import State
from kvfloor.certificates.families import MOST_WORK
from kvfloor.certificates.replay import replay_answer, state_part
from kvfloor.certificates.text import Document, InvalidError, MalformedError, compare, sealed
from kvfloor.families import Token
from kvfloor.floors import Guarantee
from kvfloor.isolation import SECONDS as LIMIT
from kvfloor.isolation import Answer, Factory, Isolated, Shape, Stream, asked, streamed
from kvfloor.numbers import as_fraction

__all__ = [
    "check_instance",
    "check_shape",
    "instance_certificate",
    "instance_work",
    "least_instance_work",
    "replay_instance",
]

READ = 20  # microseconds, of all that a number is read
GRID_BITS = 64  # the output lies between neighbouring multiples of 2**-64: a format constant


def instance_certificate(  # noqa: PLR0913 (all that the checker compares)
    tokens: Sequence[Token],
    query: Sequence[Any],
    column: int,
    *,
    course: str,
    guarantee: Guarantee,
    answer: Fraction,
    cache: Mapping[str, Any],
    seed: int,
    state: State,
) -> Document:
    """Return the certificate that a cache answered a query on these tokens with ``answer``.

    Parameters
    ----------
    tokens : sequence of Token
    query : sequence of d numbers
    column : int
        Of the answer that is off.
    course : str
        How the tokens were given: one of `kvfloor.caches.COURSES`.
    guarantee : Guarantee
        For values in [-1, 1].
    answer : Fraction
        What the cache answered in that column.
    cache : mapping
        As `describe` gives it.
    seed : int
        The public coins of the cache.
    state : State
        The state after the tokens.
    """
    keys, values = (
        [
            [[str(as_fraction(x, "token")) for x in row[r]] for row in rows]
            for r in range(len(rows[0]))
        ]
        for rows in ([t.keys for t in tokens], [t.values for t in tokens])
    )
    document: Document = {
        "instance": {
            "order": len(keys), "scale": "1", "keys": keys, "values": values, "course": course,
        },
        "guarantee": {
            "eta": str(guarantee.eta),
            "alpha": str(guarantee.alpha),
            "bound": str(_bound(values)),
        },
        "cache": {
            **cache,
            "seed": seed,
            **state_part(state),
        },
        "query": {"column": column, "vector": [str(as_fraction(x, "query")) for x in query]},
        "answer": str(answer),
    }  # fmt: skip
    document["output"] = _output(document)
    return sealed("violation", document, version=2)


def check_instance(document: Document) -> None:
    """Recompute all that it claims.

    Raises
    ------
    InvalidError, MalformedError
        If any of it is false, or the instance is too large to be checked.
    """
    check_shape(document)
    guarantee = document["guarantee"]
    bound = _bound(document["instance"]["values"])
    compare("guarantee.bound", guarantee["bound"], str(bound))
    eta, alpha = Fraction(guarantee["eta"]), Fraction(guarantee["alpha"])
    if not (0 <= eta < 1 and alpha >= 0):
        raise InvalidError("guarantee: expected 0 <= eta < 1 and alpha >= 0")
    truth = _output(document)
    compare("output", document["output"], truth)
    ends = Fraction(truth["lower"]), Fraction(truth["upper"])
    if Guarantee(eta, alpha * bound).accepts(Fraction(document["answer"]), *ends) is not False:
        raise InvalidError("answer: it is accurate")


def replay_instance(document: Document, factory: Factory) -> None:
    """Let the cache see the tokens and answer, as `replay_answer` does.

    Raises
    ------
    InvalidError
        As there, or if a number is not one of float64: then no cache was given it.
    """
    instance, seed = document["instance"], document["cache"]["seed"]
    vector = [_given(x, "query.vector") for x in document["query"]["vector"]]
    shape = Shape(instance["order"], len(vector), len(instance["values"][0][0]))
    stream = Stream(_tokens(instance), instance["course"], vector, seed)

    def see(writer: Isolated) -> tuple[State, Sequence[Answer]]:
        return streamed(writer, stream, [vector], shape, LIMIT)

    def ask(reader: Isolated, state: State) -> Sequence[Answer]:
        return asked(reader, state, [vector], shape, seed, LIMIT)

    replay_answer(document, factory, see, ask)


def least_instance_work(numbers: int) -> int:
    """Return what `instance_work` is at least for an instance of so many numbers."""
    return READ * numbers


def instance_work(document: Document) -> int:
    """Return about how many microseconds it takes to check a certificate of an instance.

    As in `most_work`, the tuples and their logits, by the longest of the numbers as text; and the
    numbers themselves, which are read several times.
    """
    instance, vector = document["instance"], document["query"]["vector"]
    parts = instance["keys"], instance["values"]
    numbers = [x for slots in parts for rows in slots for row in rows for x in row]
    order, n, d = instance["order"], len(parts[0][0]), len(vector)
    tuples = n**order * max(15, (d + 1) // 5)
    longest = max(map(len, (*numbers, *vector)))
    return int(tuples * (100 + order * longest) // 100) + least_instance_work(len(numbers))


def check_shape(document: Document) -> None:
    """Refuse numbers that are no instance, a query or a column that it has not.

    Raises
    ------
    InvalidError, MalformedError
        Then, or if the instance is too large to be checked.
    """
    instance, query = document["instance"], document["query"]
    keys, values, order = instance["keys"], instance["values"], instance["order"]
    d, n = len(query["vector"]), len(keys[0])
    d_v = len(values[0][0])
    if len(keys) != order or len(values) != order:
        raise InvalidError(f"instance: {len(keys)} and {len(values)} slots, the order is {order}")
    for name, slots, width in (("keys", keys, d), ("values", values, d_v)):
        for r, rows in enumerate(slots):
            if len(rows) != n or any(len(row) != width for row in rows):
                raise InvalidError(f"instance.{name}[{r}]: expected {n} rows of {width} numbers")
    if query["column"] >= d_v:
        raise InvalidError("query: no such column")
    if instance_work(document) > MOST_WORK:
        raise MalformedError("instance: too large to be checked in seconds")


def _tokens(instance: Document) -> list[Token]:
    """The tokens as the cache got them: float64 numbers, as the audit only gives those."""
    keys, values = (
        [
            tuple(tuple(_given(x, f"instance.{part}") for x in slot[j]) for slot in instance[part])
            for j in range(len(instance[part][0]))
        ]
        for part in ("keys", "values")
    )
    return [Token(*cast(Any, pair)) for pair in zip(keys, values, strict=True)]


def _given(text: str, part: str) -> float:
    """A number as the cache got it; the nearest float64 would be another instance."""
    exact = Fraction(text)
    if float(exact) != exact:
        raise InvalidError(f"replay: {part}: {text} is no float64, as caches are given")
    return float(exact)


def _bound(values: Sequence[Sequence[Sequence[str]]]) -> Fraction:
    return prod(
        (max(abs(Fraction(x)) for row in slot for x in row) for slot in values), start=Fraction(1)
    )


def _output(document: Document) -> Document:
    """Neighbouring multiples of 2**-GRID_BITS around the output; twice the output if it is one."""
    instance, query = document["instance"], document["query"]
    column = query["column"]
    keys = [[[Fraction(x) for x in row] for row in slot] for slot in instance["keys"]]
    values = [[[Fraction(row[column])] for row in slot] for slot in instance["values"]]
    vector = [Fraction(x) for x in query["vector"]]
    lower, upper = ExactAttention(keys, values)(vector).bounds(0, GRID_BITS)
    return {"lower": str(lower), "upper": str(upper)}
