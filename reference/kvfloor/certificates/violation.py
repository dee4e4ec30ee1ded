"""Violations (T6): a cache answers one query on one instance outside its guarantee."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
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
from kvfloor.certificates.text import Document, InvalidError, compare, sealed
from kvfloor.families import BinaryValues, Bits
from kvfloor.isolation import Factory, Isolated, Misbehaviour, Shape

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
            "cache": {**cache, "seed": seed, **_state_part(state)},
            "instance": "".join(map(str, bits)),
            "query": query_part(family, address, column),
            "answer": str(answer),
            "output": output(family, bits, address, column),
        },
    )


def _state_part(state: State) -> Document:
    """A state may be too long for a certificate; its digest tells it just as well."""
    name = "sha256:" + hashlib.sha256(state.data).hexdigest()
    return {"state_digest": name, "state_bits": state.bits}


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
    """Let the cache see the instance and answer in another process, twice.

    Raises
    ------
    InvalidError
        Unless both times state and answer are those of the certificate.
    """
    family, cache, query = rebuild_family(document), document["cache"], document["query"]
    tokens = family.encode([int(b) for b in document["instance"]])
    shape = Shape(family.order, family.book.d, family.d_v)
    try:
        with Isolated(factory) as writer, Isolated(factory) as reader:
            described = {name: cache[name] for name in ("name", "options")}
            compare("cache", described, dict(writer.cache))
            for _ in range(2):
                state = writer.state(tokens, shape, cache["seed"])
                claimed = {name: cache[name] for name in ("state_digest", "state_bits")}
                compare("replay: cache", claimed, _state_part(state))
                asked = [family.query(query["address"])]
                (answer,) = reader.answers(state, asked, shape, cache["seed"])
                compare("replay: answer", document["answer"], str(answer[query["column"]]))
    except Misbehaviour as error:
        raise InvalidError(f"replay: {error}") from None
