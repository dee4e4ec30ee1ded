"""What a violation or a collision says, in numbers: for a checker that knows no families."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from kvfloor.certificates.families import checked_bits, checked_family, checked_query
from kvfloor.certificates.instance import check_shape
from kvfloor.certificates.text import Document

__all__ = ["InNumbers", "in_numbers"]

Slots = tuple[tuple[tuple[Fraction, ...], ...], ...]


@dataclass(frozen=True)
class InNumbers:
    """Instances that differ in their values, and what is claimed of one column of an output.

    Attributes
    ----------
    keys : m slots of n rows of d rationals
    values : for each instance m slots of n rows of d_v rationals
    query : d rationals
    column : int
    eta, alpha : Fraction
    bound : Fraction or None
        The B of ``abs(o - out) <= η·abs(out) + α·B``; None stands for 1.
    outputs : for each instance two Fractions
        Between which its output lies.
    answer : Fraction or None
        In a violation.
    """

    keys: Slots
    values: tuple[Slots, ...]
    query: tuple[Fraction, ...]
    column: int
    eta: Fraction
    alpha: Fraction
    bound: Fraction | None
    outputs: tuple[tuple[Fraction, Fraction], ...]
    answer: Fraction | None


def in_numbers(document: Document) -> InNumbers:
    """Return what a violation or a collision says.

    Of what is said in numbers only the shapes are looked at; a family is built, and what is said of
    it compared.

    Parameters
    ----------
    document : Document
        As its schema wants it.

    Raises
    ------
    InvalidError, MalformedError
        If its family is not as it says, numbers are missing, or it is too large to check.
    """
    guarantee, bound = document["guarantee"], None
    if document["version"] == 1:
        family = checked_family(document)
        address, column = checked_query(family, document)
        texts = document["instances"] if "instances" in document else [document["instance"]]
        instances = [family.encode(checked_bits(family, text, "instance")) for text in texts]
        keys = _slots([token.keys for token in instances[0]])
        values = tuple(_slots([token.values for token in tokens]) for tokens in instances)
        query = tuple(map(Fraction, family.query(address)))
    else:
        check_shape(document)
        instance, column = document["instance"], document["query"]["column"]
        keys, values = _read(instance["keys"]), (_read(instance["values"]),)
        query = tuple(map(Fraction, document["query"]["vector"]))
        bound = Fraction(guarantee["bound"])
    outputs = document["outputs"] if "outputs" in document else [document["output"]]
    return InNumbers(
        keys,
        values,
        query,
        column,
        Fraction(guarantee["eta"]),
        Fraction(guarantee["alpha"]),
        bound,
        tuple((Fraction(o["lower"]), Fraction(o["upper"])) for o in outputs),
        Fraction(document["answer"]) if "answer" in document else None,
    )


def _slots(tokens: Sequence[Sequence[Sequence[int]]]) -> Slots:
    """Rows by token and slot, by slot and token."""
    return _read(list(zip(*tokens, strict=True)))


def _read(slots: Sequence[Sequence[Sequence[int | str]]]) -> Slots:
    return tuple(tuple(tuple(map(Fraction, row)) for row in rows) for rows in slots)
