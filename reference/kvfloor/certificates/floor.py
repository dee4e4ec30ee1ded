"""Floors that given keys and queries force (H4): what is read by which query, to be proved again.

Keys and queries are in the certificate, in full: every token takes part in every weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from flint import arb

from kvfloor.attention import Mask, Scale, TokenWeights
from kvfloor.certificates.packing import packed, unpacked
from kvfloor.certificates.text import Document, InvalidError, MalformedError, compare, sealed
from kvfloor.errors import InputError
from kvfloor.families import GivenValues
from kvfloor.floors import Guarantee
from kvfloor.isolation import Factory
from kvfloor.numbers import shown

__all__ = [
    "MOST_FLOOR_WORK",
    "RULES",
    "UNCHECKED",
    "check_floor",
    "floor_certificate",
    "floor_work",
    "given_weights",
    "read_trace",
    "replay_floor",
]

UNCHECKED = "that these are the keys and queries of a model"
#: In products of balls: about a minute.
MOST_FLOOR_WORK = 2**29
EXPONENTIAL = 50  # products take as long as an exponential, or as a sum and its bookkeeping
MOST_LOGIT_BITS = 64  # each is one of precision
#: Whether symbols that have been read are taken for known.
RULES = ("successive", "at once")


def floor_certificate(
    weights: TokenWeights,
    tokens: Sequence[int],
    queries: Sequence[int],
    family: GivenValues,
    *,
    d_v: int,
    delta: Fraction,
) -> Document:
    """Return the certificate that values of some tokens need as many bits as the family says.

    Parameters
    ----------
    weights : TokenWeights
        Of all tokens and queries.
    tokens, queries : sequences of k ints
        What is read, and by which query, in the order of reading.
    family : GivenValues
        Of these tokens and queries.
    d_v : int
        Entries of a value.
    delta : Fraction
        How often an answer may be off.

    Raises
    ------
    InputError
        If a key or a query is no number that float64 holds.
    """
    used = sorted(set(queries))
    scale = weights.scale
    return sealed(
        "floor",
        {
            "trace": {
                "keys": [packed(K_r, f"keys[{r}]") for r, K_r in enumerate(weights.keys)],
                "queries": packed(weights.queries[used], "queries"),
                "seen": [_runs(weights.seen(query)) for query in used],
                "scale": {"factor": str(scale.factor), "root": scale.root},
                "slot": weights.slot,
            },
            "guarantee": {
                "eta": str(family.guarantee.eta),
                "alpha": str(family.guarantee.alpha),
                "delta": str(delta),
            },
            "rule": RULES[0] if family.successive else RULES[1],
            "d_v": d_v,
            "symbols": [
                {"token": token, "query": used.index(query), "levels": L}
                for token, query, L in zip(tokens, queries, family.levels, strict=True)
            ],
            "bits": family.bits(d_v, delta),
        },
    )


def check_floor(document: Document) -> None:
    """Recompute all that a floor claims.

    Raises
    ------
    InvalidError, MalformedError
        If any of it is false, or it is too large to be checked in about a minute.
    """
    weights, tokens, queries = read_trace(document)
    part = document["guarantee"]
    try:
        family = GivenValues(
            given_weights(weights, tokens, queries),
            Guarantee(Fraction(part["eta"]), Fraction(part["alpha"])),
            [symbol["levels"] for symbol in document["symbols"]],
            document["rule"] == RULES[0],
        )
        bits = family.bits(document["d_v"], Fraction(part["delta"]))
    except InputError as error:
        raise InvalidError(str(error)) from None
    compare("bits", document["bits"], bits)


def read_trace(document: Document) -> tuple[TokenWeights, list[int], list[int]]:
    """Return the trace of a floor; what is read of it, and by which query, in the order of reading.

    Raises
    ------
    InvalidError, MalformedError
        If it is none, or too large to be checked in about a minute.
    """
    trace, symbols = document["trace"], document["symbols"]
    lengths = tuple(part["shape"][0] for part in trace["keys"])
    rows, d = trace["queries"]["shape"]
    if floor_work(lengths, rows, d, len(symbols)) > MOST_FLOOR_WORK:
        raise MalformedError("trace: too large to be checked in a minute")
    tokens, queries = ([symbol[part] for symbol in symbols] for part in ("token", "query"))
    if len(set(tokens)) < len(tokens):
        raise InvalidError("symbols: a token stands twice")
    weights = _weights(trace, lengths)
    if max(tokens) >= weights.tokens:
        raise InvalidError("symbols: no such token")
    if sorted(set(queries)) != list(range(rows)):
        raise InvalidError("symbols: not all queries read, or there are no such queries")
    return weights, tokens, queries


def replay_floor(document: Document, factory: Factory) -> None:
    """Refuse, by an `InputError`: a floor speaks of no cache."""
    del document
    raise InputError("cache", "none, as a floor speaks of all caches", shown(factory))


def floor_work(lengths: Sequence[int], queries: int, d: int, symbols: int) -> int:
    """Return about how many products of balls it takes to check a floor.

    Parameters
    ----------
    lengths : sequence of m ints
        Tokens of each slot.
    queries, symbols : int
        Queries that read, and tokens that hold symbols.
    d : int
        Entries of a key.
    """
    return prod(lengths) * queries * (d + EXPONENTIAL) + EXPONENTIAL * symbols**2


def given_weights(
    weights: TokenWeights, tokens: Sequence[int], queries: Sequence[int]
) -> list[list[arb]]:
    """Return what some tokens weigh for the queries that read them, a row for each of these.

    Raises
    ------
    InputError
        If logits are so large that balls of a usual precision say nothing of them.
    """
    used = sorted(set(queries))
    if (bits := weights.logit_bits(used)) > MOST_LOGIT_BITS:
        raise InputError("keys", f"logits below 2**{MOST_LOGIT_BITS}", f"up to 2**{bits}")
    rows = dict(zip(used, weights.enclose(used, tokens), strict=True))
    return [rows[query] for query in queries]


def _weights(trace: Document, lengths: tuple[int, ...]) -> TokenWeights:
    keys = [unpacked(part, f"trace.keys[{r}]") for r, part in enumerate(trace["keys"])]
    queries = unpacked(trace["queries"], "trace.queries")
    if len(trace["seen"]) != len(queries):
        raise InvalidError(f"trace.seen: expected {len(queries)} lists of intervals")
    mask = np.array([_mask(runs, prod(lengths)) for runs in trace["seen"]])
    scale = Scale(Fraction(trace["scale"]["factor"]), trace["scale"]["root"])
    if scale.factor <= 0:
        raise InvalidError("trace.scale: expected a factor > 0")
    try:
        return TokenWeights(
            queries,
            keys,
            slot=trace["slot"],
            scale=scale,
            mask=None if mask.all() else mask.reshape(-1, *lengths),
        )
    except InputError as error:
        raise InvalidError(f"trace: {error}") from None


def _runs(seen: Mask) -> list[list[int]]:
    """A mask as the intervals of tuples that it keeps, each up to before its second number."""
    ends = np.flatnonzero(np.diff(np.concatenate(([False], seen, [False])).astype(np.int8)))
    return ends.reshape(-1, 2).tolist()


def _mask(runs: Sequence[Sequence[int]], tuples: int) -> Mask:
    ends: list[Any] = [end for run in runs for end in run]
    if any(low >= high for low, high in pairwise(ends)) or ends[-1] > tuples:
        raise InvalidError(
            "trace.seen: expected intervals of tuples in order, none next to another"
        )
    mask = np.zeros(tuples, dtype=np.bool_)
    for low, high in runs:
        mask[low:high] = True
    return mask
