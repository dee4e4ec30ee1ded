"""Certificates of violations: recomputed, decided at the boundary, replayed in other processes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest

import cheats
from certificate_truth import truth
from kvfloor import BinaryValues, Guarantee, Outcome, Token, check, parabola
from kvfloor.caches import (
    ExactCache,
    HashedCache,
    State,
    configure,
    describe,
    record,
    restore,
)
from kvfloor.certificates import (
    Document,
    canonical,
    digest,
    instance_certificate,
    violation_certificate,
)
from kvfloor.certificates.checker import UNCHECKED_BY_REPLAY
from kvfloor.certificates.violation import UNCHECKED
from make_certificates import VIOLATIONS, factory, valid
from strategies import Path, altered_node

FREE = {"answer", "cache", "digest"}  # what only a replay can tell


def sealed(document: Document) -> str:
    return canonical(document | {"digest": digest(document)})


def alterations(name: str) -> Iterator[tuple[Path, Document]]:
    text = canonical(valid(name))
    for path, document in altered_node(valid(name)):
        if path and path[0] not in FREE and canonical(document) != text:
            yield path, document


@pytest.mark.parametrize("name", VIOLATIONS)
def test_valid_ones_are_ok_and_survive_a_replay(name: str) -> None:
    text = canonical(valid(name))
    assert check(text).unchecked == (UNCHECKED,)
    assert check(text, cache=factory(name)).unchecked == (UNCHECKED_BY_REPLAY,)


@pytest.mark.parametrize("name", VIOLATIONS)
def test_altered_and_sealed_again_is_refused_unless_it_is_true(name: str) -> None:
    accepted = refused = 0
    for path, document in alterations(name):
        outcome = check(sealed(document))
        if outcome.status == "ok":
            assert truth(document) == document, path
            low, high = (Fraction(document["output"][end]) for end in ("lower", "upper"))
            eta, alpha = (Fraction(document["guarantee"][part]) for part in ("eta", "alpha"))
            answer = Fraction(document["answer"])
            assert answer < low - eta * low - alpha or answer > high + eta * high + alpha
            accepted += 1
        else:
            refused += 1
    assert refused > 500
    assert 0 < accepted < refused / 10


LOW, HIGH = Fraction(1, 2) * Fraction(1, 2) - Fraction(1, 8), Fraction(7, 8)
TINY = Fraction(1, 2**80)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (LOW, "invalid"),
        (HIGH, "invalid"),
        (LOW - TINY, "ok"),
        (HIGH + TINY, "ok"),
        (Fraction(-3), "ok"),
    ],
)
def test_decided_at_the_boundary(answer: Fraction, status: str) -> None:
    """One key, so the output is the symbol, exactly 1: accurate are 3/8 to 13/8 and no more."""
    family = BinaryValues(parabola(1), 1, 1, guarantee=Guarantee(Fraction(1, 2), Fraction(1, 8)))
    shifted = answer + Fraction(1, 4) if answer <= LOW else answer + Fraction(3, 4)
    document = violation_certificate(
        family,
        (1,),
        0,
        0,
        answer=shifted,
        cache=describe(HashedCache),
        seed=0,
        state=State(b"", 0),
    )
    assert document["output"] == {"lower": "1", "upper": "1"}
    outcome = check(canonical(document))
    assert outcome.status == status
    assert outcome.reason == ("" if status == "ok" else "answer: it is accurate")


def test_what_cannot_be_decided_is_no_violation() -> None:
    """Exactly α below the lower bound on an irrational output, which is above it."""
    family = BinaryValues(parabola(2), 1, 1, guarantee=Guarantee(alpha=Fraction(1, 8)))

    def at(distance: Fraction) -> str:
        document = violation_certificate(
            family, (1, 0), 0, 0, answer=Fraction(0), cache=describe(HashedCache), seed=0,
            state=State(b"", 0),
        )  # fmt: skip
        document["answer"] = str(Fraction(document["output"]["lower"]) - distance)
        return check(sealed(document)).status

    assert [at(Fraction(1, 8) + x) for x in (-TINY, Fraction(0), TINY)] == [
        "invalid", "invalid", "ok",
    ]  # fmt: skip


# --- replay --------------------------------------------------------------------------------


def claimed(cache: Any, **changes: Any) -> Document:
    """The first violation, as if another cache had given it, sealed."""
    document = valid("violation-order-1")
    document["cache"] |= describe(cache) | changes
    return document | {"digest": digest(document)}


@pytest.mark.parametrize(
    ("cache", "changes", "reason"),
    [
        (ExactCache, {}, "replay: cache.state_bits: 3 is claimed, 768 is true"),
        (configure(HashedCache, bits=3), {"seed": 1}, "replay: cache.state_digest: "),
        (cheats.Raises, {}, "replay: append() or state() raised SelfMadeError"),
        (cheats.Understated, {}, "replay: cache: expected state_bits() in which"),
        (cheats.Exits, {}, "replay: cache.state"),
    ],
)
def test_replay_finds_out(cache: Any, changes: dict[str, Any], reason: str) -> None:
    outcome = check(canonical(claimed(cache, **changes)), cache=cache)
    assert outcome.status == "invalid"
    assert outcome.reason.startswith(reason), outcome


def test_replay_compares_the_answer() -> None:
    document = valid("violation-order-1")
    document["answer"] = "2"
    outcome = check(sealed(document), cache=factory("violation-order-1"))
    assert outcome.reason == "replay: answer: 2 is claimed, 0 is true"


def test_replay_on_another_cache_is_refused() -> None:
    outcome = check(canonical(valid("violation-order-1")), cache=ExactCache)
    assert outcome.reason.startswith("cache.name: ") or "cache.options" in outcome.reason


@pytest.mark.parametrize("part", ["keys", "values", "query"])
def test_a_replay_takes_no_number_that_no_cache_was_given(part: str) -> None:
    """Between 1/3 and the nearest float64 lie 85 nats of a strong query; the cache is right."""
    keys, values, strength = [Fraction(0), Fraction(1, 2)], [Fraction(0), Fraction(1)], Fraction(1)
    if part == "keys":
        keys, strength = [Fraction(1 / 3), Fraction(1, 3)], Fraction(2**62)
    elif part == "values":
        values = [Fraction(1, 3), Fraction(1)]
    else:
        strength = Fraction(1, 3)
    tokens = [Token(((k,),), ((v,),)) for k, v in zip(keys, values, strict=True)]
    given: list[Any] = [
        Token(((float(k),),), ((float(v),),))  # type: ignore[arg-type]
        for k, v in zip(keys, values, strict=True)
    ]
    state = record(ExactCache, given, d=1, d_v=1)
    answer = restore(ExactCache, state, order=1, d=1, d_v=1).answer([float(strength)])
    document = instance_certificate(
        tokens, [strength], 0, course="once", guarantee=Guarantee(), cache=describe(ExactCache),
        answer=Fraction(float(answer[0])), seed=0, state=state,
    )  # fmt: skip
    assert check(canonical(document)).status == "ok"  # of these numbers it says nothing false
    where = "query.vector" if part == "query" else f"instance.{part}"
    expected = f"replay: {where}: 1/3 is no float64, as caches are given"
    assert check(canonical(document), cache=ExactCache) == Outcome("invalid", expected)


def test_a_cache_that_remembers_elsewhere_does_not_escape_a_replay() -> None:
    """In one process GlobalVariable is right; the certificate is of what it says in another."""
    document = claimed(cheats.GlobalVariable, state_bits=0)
    document["cache"]["state_digest"] = (
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
    assert check(sealed(document), cache=cheats.GlobalVariable).status == "ok"
