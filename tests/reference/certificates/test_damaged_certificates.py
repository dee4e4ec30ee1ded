"""Damaged certificates of each kind: none accepted, none much work, none a crash."""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction
from random import Random
from typing import Any

import pytest

from certificate_truth import truth
from kvfloor import BinaryValues, Guarantee, Token, binary_keys, check
from kvfloor.caches import HashedCache, State, describe
from kvfloor.certificates import (
    MOST_WORK,
    Document,
    canonical,
    collision_certificate,
    digest,
    instance_certificate,
)
from limits import counted
from make_certificates import FLOORS, INSTANCES, VALID, VIOLATIONS, valid
from seeds import THOROUGH

MOST_CALLS = 5 * MOST_WORK  # five a microsecond, which is what they take or less
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**63, 10**400, -(10**4000), "", "0", "-0", "1/0", "1e999", "NaN",
    "9" * 5000, "\u0000", "\ud800", [], [[]], {}, {"": 0}, [0] * 1000,
)  # fmt: skip


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every container with every key or index of it."""
    children = node.items() if isinstance(node, dict) else enumerate(node)
    found = []
    for key, child in list(children):
        found.append((node, key))
        if isinstance(child, dict | list):
            found += places(child)
    return found


def remove(document: Document, rng: Random) -> None:
    node, key = rng.choice(places(document))
    del node[key]


def alter(document: Document, rng: Random) -> None:
    node, key = rng.choice(places(document))
    value = node[key]
    if isinstance(value, bool):
        node[key] = not value
    elif isinstance(value, int):
        node[key] = value + rng.choice((-1, 1, 2**31))
    elif isinstance(value, str) and value:
        k = rng.randrange(len(value))
        node[key] = value[:k] + rng.choice("0123456789abcdef/-+ \n") + value[k + 1 :]
    else:
        node[key] = rng.choice(ODD)


def swap(document: Document, rng: Random) -> None:
    (one, i), (other, j) = rng.choices(places(document), k=2)
    first, second = json.dumps(one[i]), json.dumps(other[j])
    one[i], other[j] = json.loads(second), json.loads(first)


def retype(document: Document, rng: Random) -> None:
    node, key = rng.choice(places(document))
    value = node[key]
    wrapped = [str(value), [value], {"value": value}, rng.choice(ODD)]
    node[key] = rng.choice(wrapped)


def enlarge(document: Document, rng: Random) -> None:
    node, key = rng.choice(places(document))
    value = node[key]
    if isinstance(value, str):
        node[key] = value * rng.choice((2, 100, 10_000))
    elif isinstance(value, list):
        node[key] = value * rng.choice((2, 100, 5000))
    else:
        node[key] = rng.choice((10**9, 10**18, 10**100, 10**4000))


def nest(document: Document, rng: Random) -> None:
    node, key = rng.choice(places(document))
    for _ in range(rng.choice((1, 10, 200))):
        node[key] = rng.choice(([node[key]], {"a": node[key]}))


def twice(text: str, rng: Random) -> str:
    """One key written twice, in the text."""
    key = f'"{rng.choice(["kind", "guarantee", "seed", "name", "digest", "lower", "alpha"])}":'
    value = rng.choice(("0", '"x"', "[]", "{}"))
    return text.replace(key, f"{key}{value},{key}", 1)


def cut(text: str, rng: Random) -> str:
    k = rng.randrange(len(text))
    return text[:k] + rng.choice(("", "}", "\u0000", "[" * 5000)) + text[k + 1 :]


DAMAGE = (remove, alter, swap, retype, enlarge, nest)
TEXT_DAMAGE = (twice, cut)
ALL = [
    name for name in (*VALID, *VIOLATIONS, *INSTANCES, *FLOORS) if name != "binary-b12"
]  # that one is slow to build


KINDS = {
    "collision": (False, "collision"),
    "violation": (False, "violation"),
    "instance": (True, "violation"),
    "floor": (False, "floor"),
}


@pytest.mark.parametrize(
    "many", [400, pytest.param(2000 if THOROUGH else 1000, marks=pytest.mark.long)]
)
@pytest.mark.parametrize("base", ["collision", "violation", "instance", "floor"])
def test_none_is_accepted_none_crashes_and_none_is_much_work(base: str, many: int) -> None:
    names = [name for name in ALL if (name in INSTANCES, valid(name)["kind"]) == KINDS[base]]
    rng, outcomes, most = Random(base), Counter[str](), 0
    originals = {name: valid(name) for name in names}
    while sum(outcomes.values()) < many:
        sealed = False
        name, damage = rng.choice(names), rng.choice(DAMAGE + TEXT_DAMAGE)
        document = json.loads(canonical(originals[name]))
        if damage in TEXT_DAMAGE:
            text = damage(canonical(document), rng)
        else:
            damage(document, rng)
            if sealed := rng.random() < 0.3:
                document["digest"] = digest(document)
            text = json.dumps(document)
        outcome, calls = counted(check, text)
        most = max(most, calls)
        if outcome.status == "ok":  # no damage was done, or another claim made of it that holds
            left = json.loads(text)
            assert left == originals[name] or sealed, (name, damage, text[:3000])
            assert truth(left) == left, (name, damage, text[:3000])
            continue
        assert outcome.reason
        outcomes[f"{damage.__name__} {outcome.status}"] += 1
    assert most < MOST_CALLS
    assert {what.split()[0] for what in outcomes} == {f.__name__ for f in DAMAGE + TEXT_DAMAGE}
    assert sum(n for what, n in outcomes.items() if what.endswith("invalid")) > many / 20


LONG = [(400, 64, 2), (40, 6, 3), (2, 1, 16), (170, 64, 2), (38, 6, 3)]


def shapes(*some: tuple[int, int, int]) -> list[Any]:
    return [pytest.param(*one, marks=pytest.mark.long if one in LONG else ()) for one in some]


@pytest.mark.parametrize(
    ("n", "d", "order"),
    shapes((400, 64, 2), (40, 6, 3), (2, 1, 16), (1000, 10, 1), (64, 16, 2)),
)
def test_the_largest_take_no_more_work_than_is_allowed(n: int, d: int, order: int) -> None:
    """Two instances, so twice what a violation takes."""
    family = BinaryValues(binary_keys(n, d), 1, order)
    zeros = (0,) * family.size
    document = collision_certificate(
        family,
        zeros,
        (*zeros[1:], 1),
        cache=describe(HashedCache),
        seed=0,
        state=State(b"", 0),
    )
    outcome, calls = counted(check, canonical(document))
    assert outcome.status == "ok"
    assert calls < MOST_CALLS
    document["family"]["book"]["n"] = 90_000
    document["digest"] = digest(document)
    assert check(canonical(document)).reason == "family: too large to be checked in seconds"


@pytest.mark.parametrize(
    ("n", "d", "order"), shapes((170, 64, 2), (38, 6, 3), (2, 1, 15), (1000, 10, 1))
)
def test_the_largest_in_numbers_are_little_work(n: int, d: int, order: int) -> None:
    """In calls, on numbers as drawn instances have them."""
    rng = Random(n)
    tokens = [
        Token(
            tuple(tuple(rng.randrange(-64, 65) / 64 for _ in range(d)) for _ in range(order)),  # type: ignore[misc]
            ((rng.randrange(-64, 65) / 64,),) * order,  # type: ignore[arg-type]
        )
        for _ in range(n)
    ]
    document = instance_certificate(
        tokens, [1] * d, 0, course="once", guarantee=Guarantee(), answer=Fraction(9),
        cache=describe(HashedCache), seed=0, state=State(b"", 0),
    )  # fmt: skip
    outcome, calls = counted(check, canonical(document))
    assert outcome.status == "ok"
    assert calls < MOST_CALLS
