"""The checker against altered certificates: nothing that mathematics or a replay refutes passes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

import cheats
from certificate_truth import book_of, truth
from kvfloor import (
    BinaryValues,
    Guarantee,
    InputError,
    Outcome,
    Token,
    binary_keys,
    birthday,
    check,
    parabola,
)
from kvfloor.caches import Configured, ExactCache, HashedCache, State, configure, describe, record
from kvfloor.certificates import (
    MOST_WORK,
    Document,
    canonical,
    collision_certificate,
    digest,
    families,
)
from kvfloor.certificates.checker import UNCHECKED_BY_REPLAY
from kvfloor.certificates.collision import UNCHECKED
from kvfloor.index import message
from kvfloor.isolation import processes as isolation
from limits import counted
from make_certificates import VALID, factory, family_of, valid
from strategies import Path, altered_node

MOST_CALLS = MOST_WORK // 2  # these are small


def judged(
    text: str | bytes | Document, cache: Configured | None = None, *, count: bool = True
) -> Outcome:
    """The outcome of a check, which is little work and gives a reason exactly when it refuses.

    To ``count`` the work takes longer than the work itself.
    """
    outcome, calls = counted(check, text, cache=cache) if count else (check(text, cache=cache), 0)
    assert calls < MOST_CALLS
    assert (outcome.reason == "") == (outcome.status == "ok")
    expected = (UNCHECKED_BY_REPLAY if cache else UNCHECKED,) if outcome.status == "ok" else ()
    assert outcome.unchecked == expected
    return outcome


def sealed(document: Document) -> Document:
    return document | {"digest": digest(document)}


def test_a_certificate_is_text_or_the_object_that_it_holds() -> None:
    document = valid(next(iter(VALID)))
    assert check(document) == check(canonical(document)) == Outcome("ok", unchecked=(UNCHECKED,))
    assert check(document | {"size": 0}).status == "malformed"
    for other in (None, 3, [document]):
        with pytest.raises(InputError, match=r"^text: expected JSON text, or the object that"):
            check(other)  # type: ignore[arg-type]


# --- every alteration there is -------------------------------------------------------------


def alterations(name: str) -> Iterator[tuple[Path, Document]]:
    """All altered documents, without those that are equal to the valid one as JSON."""
    original = valid(name)
    text = canonical(original)
    for path, document in altered_node(original):
        if canonical(document) != text:
            yield path, document


# --- what is true besides -------------------------------------------------------------------


def apart(document: Document) -> bool:
    """Whether the least that one output allows exceeds the most that the other allows."""
    eta, alpha = (Fraction(document["guarantee"][name]) for name in ("eta", "alpha"))
    ends = [[Fraction(o["lower"]), Fraction(o["upper"])] for o in document["outputs"]]
    (_, top), (bottom, _) = sorted(ends)
    return top * (1 + eta) + alpha < bottom * (1 - eta) - alpha  # outputs are not negative


def replay_holds(document: Document, name: str) -> bool:
    """Whether the cache that is named leads both instances to the state."""
    cache, family = document["cache"], document["family"]
    if canonical({k: cache[k] for k in ("name", "options")}) != canonical(describe(factory(name))):
        return False
    keys, _ = book_of(family["book"])
    d, d_v, others = len(keys[0]), family["d_v"], family["order"] - 1
    found = set()
    for bits in document["instances"]:
        rows = [(key, map(int, bits[j * d_v : (j + 1) * d_v])) for j, key in enumerate(keys)]
        tokens = [
            Token((tuple(k), *[(1,) * d] * others), (tuple(v), *[(1,) * d_v] * others))
            for k, v in rows
        ]
        if family["self_token"]:
            tokens.append(Token(((0,) * d,) * (others + 1), ((0,) * d_v,) * (others + 1)))
        state = record(factory(name), tokens, d=d, d_v=d_v, seed=cache["seed"])
        found.add((state.data.hex(), state.bits))
    return found == {(cache["state"], cache["state_bits"])}


BLAMED = {  # the part that was altered: how the reason may begin if the form is right
    "family": ("family", "instances[", "query", "outputs["),
    "guarantee": ("family", "guarantee", "outputs["),
    "instances": ("instances[", "outputs"),
    "query": ("query", "outputs["),
    "outputs": ("outputs[",),
    "cache": ("cache.state: does not fit state_bits", "digest: "),
    "digest": ("digest: ",),
}


@pytest.mark.parametrize("name", VALID)
def test_valid_ones_are_true(name: str) -> None:
    document = valid(name)
    assert truth(document) == document
    assert apart(document)
    assert replay_holds(document, name)


QUICK = ("binary-order-1", "parabola-order-3")


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=() if one in QUICK else pytest.mark.long) for one in VALID]
)
def test_altered_under_its_old_digest_is_refused(name: str) -> None:
    for k, (path, document) in enumerate(alterations(name)):
        outcome = judged(json.dumps(document), count=k % 16 == 0)
        assert outcome.status in ("invalid", "malformed"), (path, document)
        if outcome.status == "invalid":
            assert outcome.reason == "digest: the content was damaged or altered"


@pytest.mark.parametrize(
    ("name", "every"),
    [
        *(
            pytest.param(one, False, marks=() if one in QUICK else pytest.mark.long)
            for one in VALID
        ),
        pytest.param("binary-order-1", True, marks=pytest.mark.long),
    ],
)
def test_altered_and_sealed_again_is_refused(name: str, every: bool) -> None:
    """A replay starts processes: of ``every`` one, or of the first accepted at each place."""
    refused = accepted = 0
    replays = set()
    for k, (path, document) in enumerate(alterations(name)):
        text = canonical(sealed(document)) if isinstance(document, dict) else "null"
        if text == canonical(valid(name)):  # the digest itself was altered
            continue
        outcome = judged(text, count=k % 16 == 0)
        if outcome.status == "invalid":
            assert outcome.reason.startswith(BLAMED[str(path[0])]), (path, outcome)
            refused += 1
        elif outcome.status == "ok":
            assert truth(document) == document, (path, document)
            assert apart(document), (path, document)
            if path == ("cache", "options", "bits") and document["cache"]["options"]["bits"] == 0:
                continue  # false for 0: see test_replay_tells_options_apart
            accepted += 1
            if path in replays and not every:
                continue
            replays.add(path)
            replayed = judged(text, factory(name))
            assert (replayed.status == "ok") == replay_holds(document, name), (path, replayed)
            if replayed.status == "invalid":
                assert replayed.reason.startswith(("cache.", "replay of instances["))
    assert refused > 100
    assert accepted > 10


def without_and_with_more(node: Any, at: str = "$") -> Iterator[tuple[str, Any]]:
    """Each object with a key left out, and with one too many; options are a cache's own affair."""
    if isinstance(node, dict) and at != "$.cache.options":
        for key in node:
            yield at, {k: v for k, v in node.items() if k != key}
            for where, new in without_and_with_more(node[key], f"{at}.{key}"):
                yield where, node | {key: new}
        yield at, node | {"unknown": 0}


@pytest.mark.parametrize("name", VALID)
def test_missing_and_unknown_keys_are_malformed(name: str) -> None:
    for at, document in without_and_with_more(valid(name)):
        outcome = judged(canonical(document))
        assert outcome.status == "malformed"
        assert outcome.reason.startswith(f"{at}: ")


# --- mathematics ---------------------------------------------------------------------------


def of_instances(name: str, x: str, y: str) -> str:
    """The certificate for two instances as its maker would write it, whatever it is worth."""
    family, cache = family_of(name), factory(name)
    bits = [tuple(map(int, text)) for text in (x, y)]
    document = collision_certificate(
        family, *bits, cache=describe(cache), seed=0, state=message(cache, family, bits[0])
    )
    return canonical(document)


@pytest.mark.parametrize("eta", [0, Fraction(1, 4)])
@pytest.mark.parametrize("alpha", [0, Fraction(1, 8), Fraction(1, 4)])
def test_accepted_exactly_when_no_answer_serves_both(eta: Any, alpha: Any) -> None:
    family = BinaryValues(parabola(3), 1, 1, guarantee=Guarantee(eta, alpha))
    cache = configure(HashedCache, bits=0)
    document = collision_certificate(
        family, (0, 0, 0), (1, 1, 1), cache=describe(cache), seed=0, state=State(b"", 0)
    )
    instances = ["".join(bits) for bits in product("01", repeat=3)]
    seen = set()
    for x, y, address in product(instances, instances, range(3)):
        query = {"address": address, "column": 0}
        claimed = sealed(truth(document | {"instances": [x, y], "query": query}))
        outcome = judged(canonical(claimed))
        assert outcome.status == ("ok" if apart(claimed) else "invalid")
        if outcome.reason not in seen:  # once for each: a replay starts processes
            assert judged(canonical(claimed), cache).status == outcome.status
        seen.add(outcome.reason)
    assert seen == {"", "outputs: one answer is accurate for both instances"}


def test_different_states_are_told_only_by_a_replay() -> None:
    family, cache = family_of("binary-order-1"), factory("binary-order-1")
    x, *others = product((0, 1), repeat=4)
    y = next(y for y in others if message(cache, family, y) != message(cache, family, x))
    text = of_instances("binary-order-1", "".join(map(str, x)), "".join(map(str, y)))
    assert judged(text).status == "ok"
    outcome = judged(text, factory("binary-order-1"))
    assert outcome.status == "invalid"
    assert outcome.reason.startswith("replay of instances[1]: state: ")


# --- replay --------------------------------------------------------------------------------


class Broken(HashedCache):
    """A cache that fails at the first token."""

    def append(self, keys: Any, values: Any) -> None:
        raise RuntimeError("out of order")


@pytest.mark.parametrize(
    ("cache", "reason"),
    [
        (configure(ExactCache), "cache."),
        (configure(HashedCache, bits=4), "cache.options.bits: 3 is claimed, 4 is true"),
        (configure(HashedCache), "cache.options: has ['bits'], should have []"),
        (
            configure(HashedCache, bits=3, family="auto"),
            "cache.options: has ['bits'], should have ['bits', 'family']",
        ),
    ],
)
def test_replay_on_another_cache_is_refused(cache: Configured, reason: str) -> None:
    outcome = judged(canonical(valid("binary-order-1")), cache)
    assert outcome.status == "invalid"
    assert outcome.reason.startswith(reason)


def test_cache_that_fails_is_a_reason() -> None:
    cache = configure(Broken, bits=3)
    document = valid("binary-order-1")
    document["cache"] |= describe(cache)
    outcome = judged(canonical(sealed(document)), cache)
    assert outcome.status == "invalid"
    assert outcome.reason == "replay: append() or state() raised RuntimeError: out of order"


@pytest.mark.parametrize(
    ("cache", "reason"),
    [
        (cheats.EndsAtOnce, "replay: its process ended in append() or state(), with exit status 0"),
        (cheats.Interrupts, "replay: append() or state() raised KeyboardInterrupt"),
        (cheats.LeavesEarly, "replay: append() or state() raised GeneratorExit"),
        (cheats.Raises, "replay: append() or state() raised SelfMadeError: an error without text"),
    ],
)
def test_a_replay_survives_the_cache(cache: Any, reason: str) -> None:
    document = valid("binary-order-1")
    document["cache"] |= describe(cache)
    outcome = judged(canonical(sealed(document)), cache)
    assert (outcome.status, outcome.reason) == ("invalid", reason)


def test_a_replay_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        isolation.Isolated.__init__,
        "__kwdefaults__",
        {"hash_seed": isolation.WRITING, "seconds": 1},
    )
    document = valid("binary-order-1")
    document["cache"] |= describe(cheats.Stubborn)
    outcome = judged(canonical(sealed(document)), cheats.Stubborn)  # type: ignore[arg-type]
    assert outcome.reason == "replay: append() or state() took more than 1 s"


def test_instances_are_replayed_twice() -> None:
    """The second time the cache has another state."""
    document = valid("binary-order-1")
    document["cache"] |= describe(configure(cheats.Tires, bits=3))
    outcome = judged(canonical(sealed(document)), configure(cheats.Tires, bits=3))
    assert outcome.reason.startswith("replay of instances[0]: state: ")


# --- bugs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VALID)
def test_text_that_ends_in_a_newline_is_malformed(name: str) -> None:
    for part, k in (("instances", 0), ("instances", 1), ("cache", "state")):
        document = valid(name)
        document[part][k] += "\n"
        assert check(canonical(sealed(document))).status == "malformed"


@pytest.mark.parametrize(
    ("bits", "options"), [(0, {"bits": False}), (1, {"bits": True}), (0, {"bits": 0, "x": None})]
)
def test_replay_tells_options_apart(bits: int, options: dict[str, Any]) -> None:
    cache, family = configure(HashedCache, bits=bits), family_of("binary-order-1")
    found = birthday(cache, family, limit=50)
    assert found is not None
    assert check(canonical(found.certificate), cache=cache).status == "ok"
    found.certificate["cache"]["options"] = options
    assert check(canonical(sealed(found.certificate)), cache=cache).status == "invalid"


@pytest.mark.parametrize("book", [{"n": 4, "d": 600}, {"n": 1, "d": 6, "name": "sign-keys"}])
def test_size_is_bounded_before_anything_is_built(
    book: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(families, "MOST_WORK", 450)
    document = valid("binary-order-1")
    document["family"]["book"] |= book
    if "name" in book:  # 64 rows cost 64² inner products, whatever n says
        document["family"]["book"]["rows"] = [
            f"{k:06b}".translate({48: 43, 49: 45}) for k in range(64)
        ]
    outcome = check(canonical(sealed(document)))
    assert (outcome.status, outcome.reason[:20]) == ("malformed", "family: too large to")


def test_an_object_that_is_no_json_is_malformed() -> None:
    loop: Document = {}
    loop["format"] = loop
    deep: Document = {}
    for _ in range(100_000):
        deep = {"a": deep}
    tied: Any = {(1, 2): 3}
    for document in (valid("binary-order-1") | {"kind": np.int64(1)}, tied, loop, deep):
        outcome = judged(document, count=False)
        assert (outcome.status, outcome.reason[:10]) == ("malformed", "not JSON: ")


def test_numpy_integers_make_a_certificate() -> None:
    family = BinaryValues(binary_keys(4), np.int64(1), np.int64(1))  # type: ignore[arg-type]
    assert birthday(configure(HashedCache, bits=1), family, limit=50) is not None


def test_reason_is_always_the_same() -> None:
    document = valid("binary-order-1")
    for name in ("multiplier", "size"):
        document["family"][name] += 1
    script = "import sys, kvfloor; print(kvfloor.check(sys.argv[1]).reason)"
    command = [sys.executable, "-c", script, canonical(sealed(document))]
    reasons = {
        subprocess.check_output(command, env=os.environ | {"PYTHONHASHSEED": str(seed)})
        for seed in range(6)
    }
    assert len(reasons) == 1


def test_long_arrays_are_refused_at_once() -> None:
    document = valid("sign-weak")
    document["query"]["vector"] = ["1"] * 150_000
    assert judged(canonical(document)).status == "malformed"


def test_book_that_no_name_gives_is_refused() -> None:
    family = BinaryValues(parabola(4).restricted([0, 2]), 1)
    with pytest.raises(InputError, match="a book that certificates can name, got part of parabola"):
        birthday(configure(HashedCache, bits=0), family, limit=9)
