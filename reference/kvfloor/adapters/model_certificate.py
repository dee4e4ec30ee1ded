"""A violation inside a model as a certificate: what one head was given, asked, and answered."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from kvfloor.adapters.model_instance import ModelInstance
from kvfloor.caches import State
from kvfloor.certificates import MOST_WORK, Document, instance_certificate, instance_work
from kvfloor.families import Token

__all__ = ["Missed", "head_certificate"]

NAME = "kvfloor.adapters:audit_in_model"


class Missed(NamedTuple):
    """An answer of a query head that is outside the guarantee.

    Attributes
    ----------
    layer, head, address, column : int
    answer, truth : float
    """

    layer: int
    head: int
    address: int
    column: int
    answer: float
    truth: float


def head_certificate(
    instance: ModelInstance, missed: Missed, options: Mapping[str, Any], seed: int, state: State
) -> Document | None:
    """Return the certificate of an answer, None if the checker would not take one so large.

    Its instance is what the query could see: the keys and the own token of the head, and of values
    the column that is off, on which no other column bears.

    Parameters
    ----------
    instance : ModelInstance
    missed : Missed
    options : mapping
        Of the audit, as JSON scalars: with layer and head they say where the answer came from.
    seed : int
    state : State
        What was restored for the answer, and the bits that were counted.
    """
    book = instance.family.book
    own = missed.head // instance.sizes.group
    largest = instance.sizes.largest
    column = largest * instance.rows(missed.layer, own)[:, missed.column]
    rows = zip((*book.keys, (0,) * book.d), (*column.tolist(), 0.0), strict=True)
    query = instance.queries(np.array(missed.address))[: book.d]
    document = instance_certificate(
        [Token((tuple(key),), ((value,),)) for key, value in rows],
        query.tolist(),
        0,
        course="once",
        guarantee=instance.family.guarantee,
        answer=Fraction(largest * missed.answer),
        cache={"name": NAME, "options": {**options, **_place(missed)}},
        seed=seed,
        state=state,
    )
    return document if instance_work(document) <= MOST_WORK else None


def _place(missed: Missed) -> dict[str, int]:
    return {"layer": missed.layer, "head": missed.head, "column": missed.column}
