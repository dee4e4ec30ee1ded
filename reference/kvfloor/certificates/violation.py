"""Violations (T6): a cache answers one query on one instance outside its guarantee."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from kvfloor.caches import State
from kvfloor.certificates.families import (
    checked_bits,
    checked_family,
    checked_query,
    output,
    public_part,
    query_part,
    rebuild_family,
)
from kvfloor.certificates.replay import replay_answer, state_part
from kvfloor.certificates.text import Document, InvalidError, compare, sealed
from kvfloor.families import BinaryValues, Bits
from kvfloor.isolation import Answer, Factory, Isolated, Shape

__all__ = ["UNCHECKED", "check_violation", "replay_violation", "violation_certificate"]

UNCHECKED = "that the cache gives this answer (replay it on the cache to check)"


def violation_certificate(
    family: BinaryValues,
    bits: Bits,
    address: int,
    column: int,
    *,
    answer: Fraction,
    cache: Mapping[str, Any],
    seed: int,
    state: State,
) -> Document:
    """Return the certificate that a cache answered one query on one instance with ``answer``.

    Parameters
    ----------
    family : BinaryValues
    bits : tuple of N bits
        The instance.
    address, column : int
        The query, and the column of the answer that is off.
    answer : Fraction
        What the cache answered there.
    cache : mapping
        As `describe` gives it.
    seed : int
        The public coins of the cache.
    state : State
        The state after the instance, which the answer was given from.

    Raises
    ------
    InputError
        If the checker could not build the family's book from its name.
    """
    return sealed(
        "violation",
        public_part(family)
        | {
            "cache": {**cache, "seed": seed, **state_part(state)},
            "instance": "".join(map(str, bits)),
            "query": query_part(family, address, column),
            "answer": str(answer),
            "output": output(family, bits, address, column),
        },
    )


def check_violation(document: Document) -> None:
    """Recompute all that a violation claims; `InvalidError` if any of it is false."""
    family = checked_family(document)
    bits = checked_bits(family, document["instance"], "instance")
    address, column = checked_query(family, document)
    truth = output(family, bits, address, column)
    compare("output", document["output"], truth)
    ends = Fraction(truth["lower"]), Fraction(truth["upper"])
    if family.guarantee.accepts(Fraction(document["answer"]), *ends) is not False:
        raise InvalidError("answer: it is accurate")


def replay_violation(document: Document, factory: Factory) -> None:
    """Let the cache see the instance and answer, as `replay_answer` does."""
    family, seed = rebuild_family(document), document["cache"]["seed"]
    tokens = family.encode([int(b) for b in document["instance"]])
    queries = [family.query(document["query"]["address"])]
    shape = Shape(family.order, family.book.d, family.d_v)

    def see(writer: Isolated) -> tuple[State, Sequence[Answer]]:
        return writer.state(tokens, shape, seed), []

    def ask(reader: Isolated, state: State) -> Sequence[Answer]:
        return list(reader.answers(state, queries, shape, seed))

    replay_answer(document, factory, see, ask)
