"""Writes tests/certificates/{ok,invalid,malformed}: run it after the format has changed.

Everything in it is deterministic; a test asserts that the committed files are what it makes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from kvfloor import (
    BinaryValues,
    Guarantee,
    binary_keys,
    birthday,
    floor_of,
    orthonormal,
    parabola,
    sign_keys,
)
from kvfloor.caches import Configured, HashedCache, configure, describe, record
from kvfloor.certificates import Document, digest, instance_certificate, violation_certificate
from kvfloor.families import Token
from kvfloor.index import message

__all__ = [
    "FLOORS",
    "INSTANCES",
    "VALID",
    "VIOLATIONS",
    "Search",
    "contents",
    "factory",
    "family_of",
    "reasons",
    "valid",
]

FOLDER = Path(__file__).parent / "certificates"
WEAK = Guarantee(Fraction(1, 2), Fraction(1, 8))


class Search(NamedTuple):
    """A family, a hash of so many bits, and the seed of both cache and search."""

    family: Callable[[], BinaryValues]
    bits: int
    seed: int


VALID = {
    "binary-order-1": Search(lambda: BinaryValues(binary_keys(4), 1, 1), 3, 0),
    "binary-b12": Search(lambda: BinaryValues(binary_keys(16), 1, 2, True), 12, 5),
    "orthonormal-two-columns": Search(
        lambda: BinaryValues(orthonormal(3), 2, 2, guarantee=WEAK), 4, 1
    ),
    "orthonormal-no-bits": Search(lambda: BinaryValues(orthonormal(2), 1, 2, True), 0, 2),
    "sign-weak": Search(lambda: BinaryValues(sign_keys(4, 7), 1, 2, guarantee=WEAK), 3, 3),
    "sign-order-3": Search(lambda: BinaryValues(sign_keys(3, 5), 2, 3, True), 4, 4),
    "parabola-order-3": Search(
        lambda: BinaryValues(parabola(3), 1, 3, True, Guarantee(Fraction(1, 3))), 2, 6
    ),
}


@lru_cache
def family_of(name: str) -> BinaryValues:
    return VALID[name].family()


def factory(name: str) -> Configured:
    """Return the cache that a valid certificate speaks of."""
    if name in INSTANCES:
        return configure(HashedCache, bits=8)
    return configure(HashedCache, bits=(VALID | VIOLATIONS)[name].bits)


@lru_cache
def _found(name: str) -> Document:
    search = VALID[name]
    limit = 8 * 2**search.bits + 8
    found = birthday(
        factory(name), family_of(name), seed=search.seed, search_seed=search.seed, limit=limit
    )
    if found is None:
        raise RuntimeError(f"{name}: no collision within {limit} instances")
    return found.certificate


def valid(name: str) -> Document:
    """Return a valid certificate, free to be altered."""
    if name in FLOORS:
        return deepcopy(_forced(name))
    if name in INSTANCES:
        return deepcopy(_in_numbers(name))
    return deepcopy(_violated(name) if name in VIOLATIONS else _found(name))


# A hash without a table answers zero; where the bit is 1, that is a violation.
VIOLATIONS = {
    "violation-order-1": Search(lambda: BinaryValues(binary_keys(4), 1, 1), 3, 0),
    "violation-sign-weak": Search(lambda: BinaryValues(sign_keys(4, 7), 2, 2, True, WEAK), 5, 1),
    "violation-order-3": Search(lambda: BinaryValues(parabola(3), 2, 3), 0, 2),
}


@lru_cache
def _violated(name: str) -> Document:
    search, family, cache = VIOLATIONS[name], VIOLATIONS[name].family(), factory(name)
    bits = tuple(k % 3 % 2 for k in range(family.size))
    symbol = bits.index(1)
    address, column = family.locate(symbol)
    return violation_certificate(
        family,
        bits,
        address,
        column,
        answer=Fraction(0),
        cache=describe(cache),
        seed=search.seed,
        state=message(cache, family, bits, seed=search.seed),
    )


# The same, on instances in numbers: (order, values of the tokens, the course, the query).
INSTANCES = {
    "instance-order-1": (1, [[1.5, 0.0], [-0.25, 0.5]], "once", (0.25, -1)),
    "instance-order-2": (2, [[0.75], [0.5], [-1.0]], "restored", (0.25, -1)),
    "instance-far": (1, [[0.5], [0.25], [1.0]], "once", (-4096, 0)),  # just below 1/2
}


@lru_cache
def _in_numbers(name: str) -> Document:
    (order, values, course, query), cache = INSTANCES[name], factory(name)
    tokens = [
        Token(((k + 1, 0.5),) * order, (tuple(row),) * order)  # type: ignore[arg-type]
        for k, row in enumerate(values)
    ]
    return instance_certificate(
        tokens,
        query,
        0,
        course=course,
        guarantee=Guarantee(Fraction(1, 16), Fraction(1, 64)),
        answer=Fraction(0),
        cache=describe(cache),
        seed=3,
        state=record(cache, tokens, d=2, d_v=len(values[0]), seed=3),
    )


# The same for keys and queries: (slots of keys, queries, terms).
FLOORS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "floor-order-1": (
        [[[2 * x, -x * x] for x in range(4)]],
        [[x, 1] for x in (0, 1, 2.25)],
        {"alpha": "1/64", "eta": "1/50", "scale": "3"},
    ),
    "floor-order-2": (
        [[[4, 0], [0, 4], [1, 1]], [[1, 1], [0.5, 1]]],
        [[1, -0.5], [-1, 1.5]],
        {"alpha": "1/40", "delta": "1/10", "scale": "1/sqrt(d)", "d_v": 1},
    ),
    "floor-exact": (
        [[[2 * x, -x * x] for x in range(4)]],
        [[x, 1] for x in (0, 1, 2.25)],
        {"alpha": "0", "eta": "1/50", "scale": "30"},
    ),
    "floor-endless": ([[[1]]], [[1]], {"alpha": "0", "eta": "1/50"}),  # 2^16 levels, if not more
}


@lru_cache
def _forced(name: str) -> Document:
    keys, queries, terms = FLOORS[name]
    found = floor_of(keys, queries, **terms).certificate
    if found is None:
        raise RuntimeError(f"{name}: nothing is forced")
    return found


# --- certificates that do not hold ---------------------------------------------------------


class Altered(NamedTuple):
    """One change to a valid certificate, and how the reason for its refusal begins."""

    base: str
    path: tuple[str | int, ...]
    value: Any
    reason: str
    sealed: bool = True  # with the digest made to fit again


INVALID = {
    "digest-of-another": Altered(
        "binary-order-1", ("digest",), "sha256:" + 64 * "0", "digest: the content was", False
    ),
    "digest-left-behind": Altered(
        "binary-order-1", ("cache", "seed"), 1, "digest: the content was", False
    ),
    "multiplier-too-large": Altered(
        "binary-order-1", ("family", "multiplier"), 2, "family.multiplier: 2 is claimed, 1 is true"
    ),
    "margin-too-large": Altered(
        "parabola-order-3", ("family", "margin"), "9", "family.margin: 9 is claimed, "
    ),
    "competitors-without-self-token": Altered(
        "sign-order-3", ("family", "competitors"), "2", "family.competitors: 2 is claimed, 55/9 is"
    ),
    "threshold-one-half": Altered(
        "sign-weak", ("guarantee", "threshold"), "1/2", "guarantee.threshold: 1/2 is claimed, 5/16"
    ),
    "guarantee-too-weak": Altered(
        "sign-weak", ("guarantee", "alpha"), "1/4", "family: guarantee: expected eta + 2*alpha < 1"
    ),
    "too-few-dimensions": Altered(
        "binary-order-1", ("family", "book", "d"), 1, "family: d: expected at least 2 for 4"
    ),
    "rows-alike": Altered(
        "sign-weak", ("family", "book", "rows"), ["+++++++"] * 4, "family: keys: expected keys of"
    ),
    "rows-too-few": Altered(
        "sign-order-3",
        ("family", "book", "rows"),
        ["+++++", "-----"],
        "family: rows: expected n = 3 rows of d = 5 signs",
    ),
    "rows-too-long": Altered(
        "sign-order-3",
        ("family", "book", "d"),
        4,
        "family: rows: expected n = 3 rows of d = 4 signs",
    ),
    "instance-too-short": Altered(
        "binary-order-1", ("instances", 1), "101", "instances[1]: 3 bits, N is 4"
    ),
    "instances-swapped-outputs-not": Altered(
        "binary-order-1", ("instances",), ["1010", "0100"], "outputs[0]."
    ),
    "no-such-address": Altered(
        "binary-order-1", ("query", "address"), 4, "query: no such address and column"
    ),
    "no-such-column": Altered(
        "orthonormal-two-columns", ("query", "column"), 2, "query: no such address and column"
    ),
    "vector-of-another-address": Altered(
        "binary-order-1", ("query", "vector"), ["7", "7"], "query.vector: ['7', '7'] is claimed, "
    ),
    "output-next-to-the-true-one": Altered(
        "parabola-order-3", ("outputs", 0, "lower"), "0", "outputs[0].lower: 0 is claimed, "
    ),
    "violation-accurate": Altered(
        "violation-sign-weak", ("answer",), "3/4", "answer: it is accurate"
    ),
    "violation-accurate-from-above": Altered(
        "violation-sign-weak", ("answer",), "9/8", "answer: it is accurate"
    ),
    "violation-of-another-output": Altered(
        "violation-order-1", ("output", "upper"), "1", "output.upper: 1 is claimed, "
    ),
    "violation-of-another-instance": Altered("violation-order-1", ("instance",), "1010", "output."),
    "violation-instance-too-long": Altered(
        "violation-order-1", ("instance",), "01001", "instance: 5 bits, N is 4"
    ),
    "violation-no-such-address": Altered(
        "violation-order-3", ("query", "address"), 3, "query: no such address and column"
    ),
    "violation-left-behind": Altered(
        "violation-order-1", ("answer",), "2", "digest: the content was", False
    ),
    "instance-accurate": Altered("instance-order-1", ("answer",), "5/9", "answer: it is accurate"),
    "instance-of-a-larger-bound": Altered(
        "instance-order-2", ("guarantee", "bound"), "9/16", "guarantee.bound: 9/16 is claimed, 1 is"
    ),
    "instance-of-another-output": Altered(
        "instance-order-1", ("output", "lower"), "0", "output.lower: 0 is claimed, "
    ),
    "instance-of-other-values": Altered(
        "instance-order-1", ("instance", "values", 0, 0, 0), "1", "guarantee.bound: 3/2 is claimed"
    ),
    "instance-no-such-column": Altered(
        "instance-order-2", ("query", "column"), 1, "query: no such column"
    ),
    "instance-slots-missing": Altered(
        "instance-order-2", ("instance", "order"), 1, "instance: 2 and 2 slots, the order is 1"
    ),
    "instance-row-too-long": Altered(
        "instance-order-1",
        ("instance", "keys", 0, 1),
        ["1", "1", "1"],
        "instance.keys[0]: expected 2 rows of 2 numbers",
    ),
    "instance-eta-one": Altered(
        "instance-order-1", ("guarantee", "eta"), "1", "guarantee: expected 0 <= eta < 1"
    ),
    "instance-left-behind": Altered(
        "instance-order-1", ("answer",), "9", "digest: the content was", False
    ),
    "state-longer-than-its-bits": Altered(
        "binary-b12", ("cache", "state"), "ffff", "cache.state: does not fit state_bits"
    ),
}


def altered(change: Altered) -> Document:
    document = valid(change.base)
    at: Any = document
    for step in change.path[:-1]:
        at = at[step]
    at[change.path[-1]] = change.value
    return document | {"digest": digest(document)} if change.sealed else document


# --- texts that are no certificates --------------------------------------------------------


def _replaced(old: str, new: str) -> str:
    text = pretty(valid("binary-order-1"))
    if text.count(old) != 1:
        raise ValueError(f"{old!r} stands {text.count(old)} times in the text")
    return text.replace(old, new)


MALFORMED: dict[str, tuple[Callable[[], str], str]] = {
    "empty": (lambda: "", "not JSON: "),
    "truncated": (lambda: pretty(valid("binary-order-1"))[:-3], "not JSON: "),
    "not-an-object": (lambda: "[]\n", "$: [] is not of type 'object'"),
    "nan": (lambda: _replaced('"seed": 0', '"seed": NaN'), "not JSON: the number NaN is not whole"),
    "decimal": (
        lambda: _replaced('"version": 1', '"version": 1.0'),
        "not JSON: the number 1.0 is not whole",
    ),
    "key-twice": (
        lambda: _replaced('"version": 1', '"version": 1,\n "version": 1'),
        "not JSON: a key stands twice in one object",
    ),
    "unknown-key": (
        lambda: _replaced('"version": 1', '"version": 1,\n "note": 1'),
        "$: Additional properties are not allowed ('note' was unexpected)",
    ),
    "unknown-kind": (
        lambda: _replaced('"kind": "collision"', '"kind": "opinion"'),
        "$.kind: 'opinion' is not one of ['collision', 'violation', 'floor']",
    ),
    "other-kind": (
        lambda: _replaced('"kind": "collision"', '"kind": "violation"'),
        "$",
    ),
    "violation-of-two-outputs": (
        lambda: pretty(valid("violation-order-1") | {"outputs": []}),
        "$: Additional properties are not allowed ('outputs' was unexpected)",
    ),
    "violation-answer-decimal": (
        lambda: pretty(altered(Altered("violation-order-1", ("answer",), "0.5", ""))),
        "$.answer: '0.5' does not match",
    ),
    "violation-answer-unreduced": (
        lambda: pretty(altered(Altered("violation-order-1", ("answer",), "2/4", ""))),
        "the rational 2/4 is not in lowest terms",
    ),
    "no-kind": (
        lambda: _replaced('"kind": "collision",\n', ""),
        "$: 'kind' is a required property",
    ),
    "version-2": (lambda: _replaced('"version": 1', '"version": 2'), "$.version: 1 was expected"),
    "flag-for-a-number": (
        lambda: _replaced('"seed": 0', '"seed": false'),
        "$.cache.seed: False is not of type 'integer'",
    ),
    "not-in-lowest-terms": (
        lambda: _replaced('"threshold": "1/2"', '"threshold": "2/4"'),
        "the rational 2/4 is not in lowest terms",
    ),
    "denominator-one": (
        lambda: _replaced('"threshold": "1/2"', '"threshold": "1/1"'),
        "the rational 1/1 is not in lowest terms",
    ),
    "unknown-book": (
        lambda: _replaced('"name": "binary-keys"', '"name": "grid"'),
        "$.family.book.name: 'grid' is not one of",
    ),
    "rows-where-none-belong": (
        lambda: _replaced('"name": "binary-keys"', '"name": "binary-keys", "rows": ["+"]'),
        "$.family.book: False schema does not allow ['+']",
    ),
    "number-of-5000-digits": (
        lambda: _replaced('"seed": 0', f'"seed": {"7" * 5000}'),
        "not JSON: Exceeds the limit (4300 digits)",
    ),
    "collision-2": (
        lambda: pretty(valid("binary-order-1") | {"version": 2}),
        "$.version: 1 was expected",
    ),
    "version-3": (lambda: _replaced('"version": 1', '"version": 3'), "$.version: 3 is not one of"),
    "instance-decimal": (
        lambda: pretty(
            altered(Altered("instance-order-1", ("instance", "keys", 0, 0, 0), "0.5", ""))
        ),
        "$.instance.keys[0][0][0]: '0.5' does not match",
    ),
    "instance-unreduced": (
        lambda: pretty(
            altered(Altered("instance-order-1", ("instance", "values", 0, 0, 0), "6/4", ""))
        ),
        "the rational 6/4 is not in lowest terms",
    ),
    "instance-of-another-scale": (
        lambda: pretty(altered(Altered("instance-order-1", ("instance", "scale"), "2", ""))),
        "$.instance.scale: '1' was expected",
    ),
    "instance-unknown-course": (
        lambda: pretty(altered(Altered("instance-order-1", ("instance", "course"), "thrice", ""))),
        "$.instance.course: 'thrice' is not one of",
    ),
    "instance-unknown-key": (
        lambda: pretty(altered(Altered("instance-order-1", ("instance", "mask"), "1", ""))),
        "$.instance: Additional properties are not allowed ('mask' was unexpected)",
    ),
    "instance-with-a-family": (
        lambda: pretty(valid("instance-order-1") | {"family": {}}),
        "$: Additional properties are not allowed ('family' was unexpected)",
    ),
    "instance-too-large-to-check": (
        lambda: pretty(
            altered(
                Altered(
                    "instance-order-2",
                    ("instance",),
                    {"order": 3, "scale": "1", "course": "once"}
                    | {"keys": [[["1", "1"]] * 60] * 3, "values": [[["1"]] * 60] * 3},
                    "",
                )
            )
        ),
        "instance: too large to be checked in seconds",
    ),
    "too-large-to-check": (
        lambda: pretty(altered(Altered("binary-order-1", ("family", "order"), 16, ""))),
        "family: too large to be checked in seconds",
    ),
}


# --- files ---------------------------------------------------------------------------------


def pretty(document: Document) -> str:
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def contents() -> dict[str, str]:
    """Return the text of every file, by its path below the folder."""
    return {
        **{
            f"ok/{name}.json": pretty(valid(name))
            for name in (*VALID, *VIOLATIONS, *INSTANCES, *FLOORS)
        },
        **{f"invalid/{name}.json": pretty(altered(c)) for name, c in INVALID.items()},
        **{f"malformed/{name}.json": text() for name, (text, _) in MALFORMED.items()},
    }


def reasons() -> dict[str, str]:
    """Return how the reason for each refusal begins, by the same paths."""
    return {
        **{f"invalid/{name}.json": change.reason for name, change in INVALID.items()},
        **{f"malformed/{name}.json": reason for name, (_, reason) in MALFORMED.items()},
    }


def main() -> None:
    for old in FOLDER.glob("*/*.json"):
        old.unlink()
    for name, text in contents().items():
        (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
