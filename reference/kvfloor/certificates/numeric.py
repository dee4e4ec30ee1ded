"""What a certificate says, in numbers: for a checker that knows neither families nor formats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from kvfloor.attention import Mask
from kvfloor.certificates.families import checked_bits, checked_family, checked_query
from kvfloor.certificates.floor import RULES, read_trace
from kvfloor.certificates.instance import check_shape
from kvfloor.certificates.text import Document

__all__ = ["InNumbers", "TraceInNumbers", "in_numbers", "trace_in_numbers"]

Number = int | str | float | Fraction
Rows = tuple[tuple[Fraction, ...], ...]
Slots = tuple[Rows, ...]


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


def _slots(tokens: Sequence[Sequence[Sequence[Number]]]) -> Slots:
    """Rows by token and slot, by slot and token."""
    return _read(list(zip(*tokens, strict=True)))


def _read(slots: Sequence[Sequence[Sequence[Number]]]) -> Slots:
    return tuple(map(_rows, slots))


def _rows(rows: Sequence[Sequence[Number]]) -> Rows:
    return tuple(tuple(Fraction(x) for x in row) for row in rows)


@dataclass(frozen=True)
class TraceInNumbers:
    """Keys and queries, and what is claimed of the values of one slot.

    Attributes
    ----------
    keys : m slots of rows of d rationals
    slot : int
    queries : rows of d rationals
    seen : for each query, for each slot the tokens that it sees, or None
        None for a mask that keeps other tuples than all of those tokens.
    factor, root : Fraction and int
        The scale is factor·√root.
    tokens, reads, levels : tuples of k ints
        In the order of reading: token, number of the query that reads it, levels of its values.
    eta, alpha, delta : Fraction
    successive : bool
        Whether symbols that have been read are taken for known.
    d_v, bits : int
    """

    keys: Slots
    slot: int
    queries: Rows
    seen: tuple[tuple[tuple[int, ...], ...] | None, ...]
    factor: Fraction
    root: int
    tokens: tuple[int, ...]
    reads: tuple[int, ...]
    levels: tuple[int, ...]
    eta: Fraction
    alpha: Fraction
    delta: Fraction
    successive: bool
    d_v: int
    bits: int


def trace_in_numbers(document: Document) -> TraceInNumbers:
    """Return what a floor says.

    Parameters
    ----------
    document : Document
        As its schema wants it.

    Raises
    ------
    InvalidError, MalformedError
        If it holds no trace, or it is too large to check.
    """
    weights, tokens, reads = read_trace(document)
    guarantee, lengths = document["guarantee"], tuple(map(len, weights.keys))
    return TraceInNumbers(
        keys=tuple(_rows(np.asarray(K_r, dtype=np.float64).tolist()) for K_r in weights.keys),
        slot=weights.slot,
        queries=_rows(np.asarray(weights.queries, dtype=np.float64).tolist()),
        seen=tuple(
            _by_slot(weights.seen(query).reshape(lengths)) for query in range(len(weights.queries))
        ),
        factor=weights.scale.factor,
        root=weights.scale.root,
        tokens=tuple(tokens),
        reads=tuple(reads),
        levels=tuple(symbol["levels"] for symbol in document["symbols"]),
        eta=Fraction(guarantee["eta"]),
        alpha=Fraction(guarantee["alpha"]),
        delta=Fraction(guarantee["delta"]),
        successive=document["rule"] == RULES[0],
        d_v=document["d_v"],
        bits=document["bits"],
    )


def _by_slot(seen: Mask) -> tuple[tuple[int, ...], ...] | None:
    """The tokens of each slot, if all tuples of them are seen and no others."""
    kept = [np.unique(tokens) for tokens in np.nonzero(seen)]
    return tuple(tuple(t.tolist()) for t in kept) if seen[np.ix_(*kept)].all() else None
