"""Certificates damaged so that they can still be read, many of them by as little as there is."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from certificate_truth import truth
from kvfloor import BinaryValues, Guarantee, Token, binary_keys, floor_of, orthonormal, parabola
from kvfloor.caches import HashedCache, State, describe
from kvfloor.certificates import (
    Document,
    canonical,
    collision_certificate,
    digest,
    instance_certificate,
    violation_certificate,
)

__all__ = ["bases", "damaged", "fresh", "sealed"]

STORED = Path(__file__).parent / "certificates" / "ok"
STEP = Fraction(1, 2**64)  # between neighbouring multiples, as outputs are given
TINY = Fraction(1, 2**200)
CACHE: dict[str, Any] = {"cache": describe(HashedCache), "seed": 0, "state": State(b"", 0)}


def bases(rng: Random, new: int) -> list[Document]:
    """Certificates that hold: the stored ones, and as many new ones of each kind."""
    stored = [json.loads(file.read_text()) for file in sorted(STORED.glob("*.json"))]
    return stored + [make(rng) for _ in range(new) for make in FRESH]


def fresh(rng: Random) -> Document:
    """A certificate that holds, unless its answer is accurate."""
    return rng.choice(FRESH)(rng)


def sealed(document: Document) -> str:
    return canonical(document | {"digest": digest(document)})


def damaged(document: Document, rng: Random) -> Iterator[Document]:
    """Copies of a certificate with one or two things changed, without end."""
    kind = document["kind"], document["version"]
    while True:
        copy = json.loads(canonical(document))
        for _ in range(rng.choice((1, 1, 2))):
            with suppress(IndexError):  # nothing is left to be damaged
                rng.choice(DAMAGE[kind])(copy, rng)
        yield copy


# --- new ones ------------------------------------------------------------------------------


def _number(rng: Random) -> float:
    return rng.choice((0.0, 1.0, rng.randrange(-8, 9) / 4, rng.uniform(-2, 2)))


def _instance(rng: Random) -> Document:
    order, n, d, d_v = rng.randint(1, 3), rng.randint(1, 3), rng.randint(1, 3), rng.randint(1, 2)
    tokens: list[Any] = [
        Token(
            tuple(tuple(_number(rng) for _ in range(d)) for _ in range(order)),  # type: ignore[misc]
            tuple(tuple(_number(rng) for _ in range(d_v)) for _ in range(order)),  # type: ignore[misc]
        )
        for _ in range(n)
    ]
    guarantee = Guarantee(Fraction(rng.randrange(4), 8), Fraction(rng.randrange(3), 64))
    scale = rng.choice((1, 1, 1, 4096))  # logits thousands of nats apart
    document = instance_certificate(
        tokens, [scale * _number(rng) for _ in range(d)], rng.randrange(d_v),
        course="once", guarantee=guarantee, answer=Fraction(9), **CACHE,
    )  # fmt: skip
    to_the_edge(document, rng)
    return document


def _family(rng: Random) -> BinaryValues:
    book = rng.choice((lambda: binary_keys(4), lambda: orthonormal(3), lambda: parabola(3)))()
    guarantee = Guarantee(Fraction(rng.randrange(3), 8), Fraction(rng.randrange(3), 16))
    return BinaryValues(book, rng.randint(1, 2), rng.randint(1, 2), rng.random() < 0.5, guarantee)


def _bits(family: BinaryValues, rng: Random) -> tuple[int, ...]:
    return tuple(rng.randrange(2) for _ in range(family.size))


def _violation(rng: Random) -> Document:
    family = _family(rng)
    document = violation_certificate(
        family, _bits(family, rng), rng.randrange(family.n), rng.randrange(family.d_v),
        answer=Fraction(9), **CACHE,
    )  # fmt: skip
    to_the_edge(document, rng)
    return document


def _collision(rng: Random) -> Document:
    family = _family(rng)
    one = _bits(family, rng)
    k = rng.randrange(family.size)
    return collision_certificate(family, one, (*one[:k], 1 - one[k], *one[k + 1 :]), **CACHE)


def _floor(rng: Random) -> Document:
    source = np.random.default_rng(rng.randrange(2**32))
    d, order = rng.randint(1, 3), rng.randint(1, 2)
    while True:
        n, delta = rng.randint(2, 5), rng.choice(("0", "0", "1/10"))
        alpha, eta = rng.choice(("1/64", "1/64", "0")), rng.choice(("0", "1/50"))
        keys = [source.normal(size=(n, d)).astype(np.float16) for _ in range(order)]
        found = floor_of(
            keys, (4 * source.normal(size=(n, d))).astype(np.float16), alpha=alpha,
            eta=eta, delta=delta, d_v=rng.randint(1, 4),
            scale=rng.choice(("1", "1/sqrt(d)")), mask="causal" if rng.random() < 0.3 else None,
        )  # fmt: skip
        if found.certificate is not None:
            return found.certificate


FRESH: tuple[Callable[[Random], Document], ...] = (_instance, _violation, _collision, _floor)


# --- damage --------------------------------------------------------------------------------


def _nudged(text: str, rng: Random) -> str:
    x = Fraction(text)
    changed = x + rng.choice((STEP, -STEP, TINY, -TINY, Fraction(1, 3), Fraction(-1, 4)))
    return str(rng.choice((changed, changed, changed, -x, 2 * x, Fraction(0))))


def _nudge(*path: str) -> Callable[[Document, Random], None]:
    """Change one rational below a path."""

    def change(document: Document, rng: Random) -> None:
        node: Any = document
        for part in path[:-1]:
            node = node[part]
        key: Any = path[-1]
        while not isinstance(node[key], str):
            node = node[key]
            key = rng.choice(list(node) if isinstance(node, dict) else range(len(node)))
        node[key] = _nudged(node[key], rng)

    return change


def _count(*path: str) -> Callable[[Document, Random], None]:
    """Change a whole number by one or two."""

    def change(document: Document, rng: Random) -> None:
        node: Any = document
        for part in path[:-1]:
            node = node[part]
        node[path[-1]] = max(0, node[path[-1]] + rng.choice((-2, -1, 1, 2)))

    return change


def _ends(document: Document) -> list[Document]:
    return list(document["outputs"] if "outputs" in document else [document["output"]])


def one_step_off(document: Document, rng: Random) -> None:
    ends = rng.choice(_ends(document))
    shift = rng.choice((STEP, -STEP, STEP / 2))
    for end in rng.choice((("lower",), ("upper",), ("lower", "upper"))):
        ends[end] = str(Fraction(ends[end]) + shift)


def to_the_edge(document: Document, rng: Random) -> None:
    """The answer that is just accurate for one of the bounds, or all but."""
    guarantee, output = document["guarantee"], document["output"]
    eta, alpha = Fraction(guarantee["eta"]), Fraction(guarantee["alpha"])
    out, sign = Fraction(output[rng.choice(("lower", "upper"))]), rng.choice((-1, 1))
    slack = eta * abs(out) + alpha * Fraction(guarantee.get("bound", "1"))
    document["answer"] = str(out + sign * slack + rng.choice((0, 1, -1)) * rng.choice((TINY, STEP)))


def with_its_output(change: Callable[[Document, Random], None]) -> Callable[..., None]:
    """The same change, and all that follows from it made right again."""

    def consistent(document: Document, rng: Random) -> None:
        change(document, rng)
        with suppress(
            LookupError, ValueError, ArithmeticError
        ):  # nothing follows from what was damaged before
            document.update(truth(document))

    return consistent


def of_other_bits(document: Document, rng: Random) -> None:
    texts = document["instances"] if "instances" in document else [document["instance"]]
    which, k = rng.randrange(len(texts)), rng.randrange(len(texts[0]))
    texts[which] = texts[which][:k] + str(1 - int(texts[which][k])) + texts[which][k + 1 :]
    if "instance" in document:
        document["instance"] = texts[0]


def swapped(document: Document, rng: Random) -> None:
    document[rng.choice(("instances", "outputs"))].reverse()


def row_cut(document: Document, rng: Random) -> None:
    rows = rng.choice(document["instance"][rng.choice(("keys", "values"))])
    rng.choice((rows, rng.choice(rows))).pop()


def byte_changed(document: Document, rng: Random) -> None:
    trace = document["trace"]
    part = rng.choice((*trace["keys"], trace["queries"]))
    data = bytearray(b64decode(part["data"]))
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    part["data"] = b64encode(data).decode()


def symbol_changed(document: Document, rng: Random) -> None:
    name = rng.choice(("levels", "levels", "levels", "token", "query"))
    symbol = rng.choice(document["symbols"])
    symbol[name] = max(2 if name == "levels" else 0, symbol[name] + rng.choice((-1, 1)))


def symbols_swapped(document: Document, rng: Random) -> None:
    rng.shuffle(document["symbols"])


def rule_changed(document: Document, rng: Random) -> None:
    document["rule"] = rng.choice(("successive", "at once"))


def delta_changed(document: Document, rng: Random) -> None:
    document["guarantee"]["delta"] = rng.choice(("0", "1/10", "1/7", "1/2"))


def seen_changed(document: Document, rng: Random) -> None:
    run = rng.choice(rng.choice(document["trace"]["seen"]))
    run[rng.randrange(2)] += rng.choice((-1, 1))
    if any(low >= high for low, high in pairwise([-1, *run])):
        run[:] = [0, 1]


ETA, ALPHA = _nudge("guarantee", "eta"), _nudge("guarantee", "alpha")
NUMBERS = [
    _nudge("instance", "keys"), _nudge("instance", "values"), _nudge("query", "vector"),
    _count("query", "column"), ETA, ALPHA,
]  # fmt: skip
FAMILY = [of_other_bits, _count("query", "address"), _count("query", "column"), ETA, ALPHA]
FLOOR = [
    byte_changed, symbol_changed, symbol_changed, symbols_swapped, rule_changed, delta_changed,
    seen_changed, ETA, ALPHA, _count("d_v"), _count("trace", "scale", "root"),
    _nudge("trace", "scale", "factor"),
]  # fmt: skip
DAMAGE: dict[tuple[str, int], list[Callable[[Document, Random], None]]] = {
    ("violation", 2): [
        *NUMBERS, *map(with_its_output, NUMBERS[:3]), one_step_off, to_the_edge, to_the_edge,
        row_cut, _nudge("answer"), _nudge("guarantee", "bound"),
    ],
    ("violation", 1): [
        *FAMILY, with_its_output(of_other_bits), one_step_off, to_the_edge, to_the_edge,
        _nudge("answer"), _nudge("query", "vector"), _count("family", "multiplier"),
        _count("family", "size"),
    ],
    ("collision", 1): [
        *FAMILY, with_its_output(of_other_bits), swapped, one_step_off, _nudge("query", "vector"),
        _count("family", "multiplier"),
    ],
    ("floor", 1): [*FLOOR, *map(with_its_output, FLOOR[:6]), _count("bits")],
}  # fmt: skip
