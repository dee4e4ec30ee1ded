"""Audits: what is too small is refuted, what cheats is caught, what is right is left in peace."""

from __future__ import annotations

import dataclasses
import json
import zlib
from fractions import Fraction
from importlib import import_module
from math import comb
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

import cheats
from kvfloor import (
    Audit,
    BinaryValues,
    Guarantee,
    InputError,
    audit,
    best_floor,
    binary_keys,
    check,
)  # fmt: skip
from kvfloor.audit import DEFAULT_ALPHA
from kvfloor.audit.hardest import drawn_hardest, hardest_floor
from kvfloor.audit.symbol_families import HardShape, offered
from kvfloor.caches import (
    ExactCache,
    FloorCache,
    HashedCache,
    KiviCache,
    QuantisedCache,
    SinkCache,
    WindowCache,
    configure,
)
from kvfloor.certificates import MOST_WORK, canonical, most_work
from kvfloor.floors import Floor, clopper_pearson
from kvfloor.numbers import ball_ends
from limits import HANG
from small_caches import Compressed, ThreeHalves

N, D = 8, 3


def family(order: int = 2, n: int = N, d: int = D) -> BinaryValues:
    """The one that audits of the shape use."""
    return BinaryValues(binary_keys(n, d), d, order, guarantee=Guarantee(alpha=DEFAULT_ALPHA))


def window(w: int, order: int = 2, n: int = N, d: int = D) -> Any:
    return configure(WindowCache, family=family(order, n, d), window=w)


def audited(factory: Any, *, order: int = 2, **arguments: Any) -> Audit:
    """An audit, whose certificates the checker accepts, replayed on the cache and not."""
    shape = {"n": N, "d": D, "seconds": HANG}
    result = audit(factory, **({"order": order} | shape | arguments))
    for finding in result.findings:
        assert (finding.certificate is not None) == (finding.kind in ("violation", "collision"))
        if finding.certificate is not None:
            assert finding.certificate["kind"] == finding.kind
            text = canonical(finding.certificate)
            assert check(text).status == "ok"
            if result.verdict != "misbehaves":
                assert check(text, cache=factory).status == "ok"
        assert finding.reason
        assert "\n" not in finding.reason
    return result


# --- caches x budgets, and what comes of each ----------------------------------------------

UNDER, OVER, RIGHT = "refuted", "violates", "within-guarantee"


@pytest.mark.parametrize(
    ("factory", "order", "bits", "verdict"),
    [
        (ExactCache, 1, 64 * 8 * 6, RIGHT),
        (ExactCache, 2, 2 * 64 * 8 * 6, RIGHT),
        (ExactCache, 3, 3 * 64 * 8 * 6, RIGHT),
        (configure(FloorCache, family=family(1)), 1, 24, RIGHT),
        (configure(FloorCache, family=family()), 2, 24, RIGHT),
        (window(8), 2, 24, RIGHT),
        (window(7), 2, 21, UNDER),
        (window(1), 2, 3, UNDER),
        (window(5, order=1), 1, 15, UNDER),
        (configure(HashedCache, bits=0), 2, 0, UNDER),
        (configure(HashedCache, bits=7), 1, 7, UNDER),
        (configure(HashedCache, bits=23), 3, 23, UNDER),
        (configure(HashedCache, bits=24), 2, 24, UNDER),
        (configure(HashedCache, bits=47), 1, 47, UNDER),
        (configure(HashedCache, bits=48), 2, 48, OVER),
        (configure(HashedCache, bits=800), 2, 800, OVER),
        (configure(QuantisedCache, key_cells=3, value_cells=3), 1, 78, OVER),
        (configure(QuantisedCache, key_cells=64, value_cells=64), 2, 578, OVER),
        (configure(QuantisedCache, key_cells=4096, value_cells=64), 2, 1154, RIGHT),
        (cheats.Empty, 2, 0, UNDER),
        (cheats.Drops, 2, 2 * 64 * 6, OVER),
        (cheats.Base, 2, 2 * 64 * 8 * 6, RIGHT),
        (cheats.Chatty, 2, 2 * 64 * 8 * 6, RIGHT),
    ],
    ids=str,
)
def test_caches_by_budget(factory: Any, order: int, bits: int, verdict: str) -> None:
    result = audited(factory, order=order)
    kinds = [finding.kind for finding in result.findings]

    assert (result.verdict, result.floor.bits) == (verdict, 24 if result.serves else 48)
    assert result.under_floor == (verdict == UNDER)
    if "Quantised" not in str(factory):
        assert result.bits == bits
    if verdict == RIGHT:
        assert result.recovered == 1
        assert result.worst_error is not None
        assert result.worst_error <= DEFAULT_ALPHA
    else:
        assert kinds[0] == "violation"
        assert result.worst_error is not None
        assert result.worst_error > DEFAULT_ALPHA or result.failed
    if verdict == UNDER:
        assert result.recovered is not None
        assert result.recovered < 1
        assert ("with probability at most 2^-" in result.findings[0].reason) == (bits < 24)


@pytest.mark.parametrize("bits", [0, 3, 12, 20])
def test_small_states_yield_a_collision_too(bits: int) -> None:
    result = audited(configure(HashedCache, bits=bits), jobs=1 + (bits == 20))
    assert [finding.kind for finding in result.findings] == ["violation", "collision"]


def test_dropped_tokens_yield_a_collision_by_flips() -> None:
    result = audited(window(12, n=16, d=5), n=16, d=5)
    assert result.bits == 60
    assert [finding.kind for finding in result.findings] == ["violation", "collision"]


@pytest.mark.parametrize(("n", "d"), [(16, 8), pytest.param(64, 16, marks=pytest.mark.long)])
def test_what_is_too_small_is_refuted_in_larger_shapes(n: int, d: int) -> None:
    for factory in (window(n - 1, n=n, d=d), configure(HashedCache, bits=n * d - 24)):
        result = audited(factory, n=n, d=d)
        assert (result.verdict, result.under_floor) == (UNDER, True)
        assert result.floor.bits == (
            n * d if result.serves else best_floor(n, d, order=2, alpha=DEFAULT_ALPHA).bits
        )


# --- the floor that it is held to ----------------------------------------------------------


@pytest.mark.parametrize("order", [1, 2])
def test_more_than_a_bit_a_value_is_refuted_where_the_accuracy_needs_more(order: int) -> None:
    """Right about zeros and ones: each comes back."""
    result = audited(ThreeHalves, n=8, d=4, order=order, alpha=Fraction(1, 1024))
    assert (result.verdict, float(result.recovered or 0)) == (UNDER, 1)
    assert 8 * 4 < 48 < (result.bits or 0) <= 56 < result.floor.bits
    assert result.floor == best_floor(8, 4, order=order, alpha=Fraction(1, 1024))
    assert result.findings[0].certificate is not None


def test_an_alpha_of_zero_is_judged_like_others() -> None:
    half = configure(SinkCache, sinks=1, window=8, dtype="float16")
    result = audited(half, n=6, d=4, order=1, alpha=0, eta=Fraction(1, 1000))
    assert result.verdict in (UNDER, OVER)


def test_zeros_and_ones_alone_are_held_to_their_floor() -> None:
    result = audited(ThreeHalves, n=8, d=4, order=1, family="binary-values")
    assert (result.floor.claim, result.floor.bits) == ("four-cache", 32)
    assert result.verdict == OVER
    assert result.accuracy
    assert audited(ThreeHalves, n=8, d=4, order=1).verdict == UNDER


def test_a_word_that_nobody_knows_lowers_no_floor() -> None:
    result = audited(cheats.Boasts, order=1)
    assert (result.serves, result.floor.bits, result.verdict) == ("whatever comes", 48, RIGHT)
    assert len(result.accuracy) > 40


def test_bits_are_those_of_the_largest_state_of_all() -> None:
    """Compressed, a hard instance of zeros and ones is shorter than the floor."""
    alpha = Fraction(1, 2**20)
    result = audited(Compressed, n=16, d=6, order=1, alpha=alpha)
    state = zlib.compress(b"".join(np.array(part, float).tobytes() for part in _binary(16, 6)))
    assert 8 * len(state) < result.floor.bits <= (result.bits or 0)
    assert result.verdict == RIGHT


def _binary(n: int, d: int) -> list[Any]:
    rng = np.random.default_rng(0)
    return [part for key in binary_keys(n, d).keys for part in (key, rng.integers(0, 2, d))]


def test_under_a_floor_without_a_fault_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    floor = Floor("key-levels", 2**20, 2**20, 2)
    course = import_module("kvfloor.audit.course")
    monkeypatch.setattr(course, "hardest_floor", lambda *_: floor)
    result = audited(ExactCache, order=1)
    assert (result.verdict, result.floor, result.findings) == ("undecided", floor, ())


@pytest.mark.parametrize(
    ("shape", "claim"),
    [
        (HardShape(1, 8, 3, 3, Guarantee(alpha=Fraction(1, 1024))), "value-levels"),
        (HardShape(1, 16, 12, 3, Guarantee(alpha=Fraction(1, 1024))), "key-levels"),
        (HardShape(2, 4, 8, 2, Guarantee(alpha=Fraction(1, 8))), "key-levels"),
    ],
)
def test_an_instance_of_the_floors_family_holds_its_symbols(shape: HardShape, claim: str) -> None:
    """What the true outputs reveal is what was drawn, though numbers were rounded to floats."""
    floor = hardest_floor(shape, Fraction(0))
    drawn = drawn_hardest(shape, floor, Random(0))
    assert drawn is not None
    assert floor.claim == claim
    assert len(drawn.instance.tokens) == shape.n
    names = {"value-levels": "dense", "key-levels": "dense-keys"}
    assert [drawn.family] == offered(shape, names[claim], min(floor.levels, 257))
    assert len(set(drawn.symbols)) > 1
    outputs = [[ball_ends(x)[0] for x in output.balls] for output in drawn.instance.outputs]
    assert drawn.whole
    assert drawn.given_back(outputs)
    assert not drawn.given_back([[1 - x for x in output] for output in outputs])


def test_a_floor_without_a_family_to_build_has_no_instance() -> None:
    wide = HardShape(2, 128, 16, 4, Guarantee(alpha=Fraction(1, 8)))  # more tuples than are built
    assert drawn_hardest(wide, hardest_floor(wide, Fraction(0)), Random(0)) is None


# --- what cheats ---------------------------------------------------------------------------

SECONDS = {cheats.Stubborn: 1, cheats.Sleeper: 5}  # the Sleeper does something before it sleeps


@pytest.mark.parametrize(
    ("cheat", "kind", "reason"),
    [
        (cheats.GlobalVariable, "outside-state", "a process that got only the state answers oth"),
        (cheats.ClassAttribute, "outside-state", "answer() to query 0 raised AttributeError: 'No"),
        (cheats.InFile, "outside-state", "all 24 symbols of 2 random instances are right from 0"),
        (cheats.Understated, "state", "cache: expected state_bits() in which"),
        (cheats.NotANumber, "answer", "answer() to query 0: InputError: the answer[0]: expected "),
        (cheats.Hundredth, "raised", "answer() to query 99 raised RuntimeError: that is enough"),
        (cheats.Hashing, "not-deterministic", "one instance ends in different states in two proc"),
        (cheats.HashAnswers, "not-deterministic", "one state and one query have different answer"),
        (cheats.OwnCoins, "not-deterministic", "one state and one query have different answers i"),
        (cheats.Drifts, "not-deterministic", "the answer to query 3 depends on the queries before"),
        (cheats.Wears, "not-deterministic", "graded-values: an answer is wrong in one process, no"),
        (cheats.Moody, "not-deterministic", "the answer to query 2 depends on the queries before"),
        (cheats.Sleeper, "time-limit", "answer() to query 0 took more than 5 s"),
        (cheats.Stubborn, "time-limit", "append() or state() took more than 1 s"),
        (cheats.Exits, "died", "its process ended in answer() to query 0, with exit status 3"),
        (cheats.Huge, "raised", "append() or state() raised MemoryError"),
        (cheats.WrongType, "answer", "answer() to query 0: InputError: the answer: expected a on"),
        (cheats.Babbling, "died", "answer() to query 0: its process spoke out of turn"),
        ("cheats_at_import:F", "died", "its process ended in importing it, with signal 9"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_cheats_are_caught(
    cheat: Any, kind: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KVFLOOR_CHEAT", str(tmp_path / "state"))
    result = audited(cheat, seconds=SECONDS.get(cheat, HANG))
    assert result.verdict == "misbehaves"
    finding = result.findings[0]
    assert (finding.kind, finding.reason[: len(reason)]) == (kind, reason)


def test_a_cheat_between_the_floors_is_too_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is under the floor of levels, not under that of zeros and ones, of which T6 speaks."""
    monkeypatch.setenv("KVFLOOR_CHEAT", str(tmp_path))
    result = audited(cheats.DigestInFile, order=1)
    assert (result.verdict, result.bits, result.floor.bits) == ("misbehaves", 32, 48)
    (finding,) = result.findings
    assert finding.kind == "outside-state"
    assert finding.reason.startswith("all 24 symbols of 4 levels of 2 random instances are right")
    assert "from 32 bits, which has probability at most 2^-32 unless" in finding.reason


def test_the_page_tells_the_sizes() -> None:
    course = import_module("kvfloor.audit.course")
    page = (Path(__file__).parents[3] / "docs" / "audit.md").read_text()
    assert f"{course.SAMPLED} of them" in page
    assert course.MOST_PRODUCTS == 2**28
    assert "more than 2²⁸ products" in page.replace("\n", " ")
    for n, d, order in ((4096, 128, 1), (400, 64, 2)):
        assert f"n = {n:,}, d = {d} at" in page.replace("\n", " ")
        sizes = [
            most_work(order=order, d_v=d, self_token=False, rows=k, d=d) for k in (n, 5 * n // 4)
        ]
        assert sizes[0] <= MOST_WORK < sizes[1]


def test_of_large_instances_a_sample_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """But all of them where a state has no room for all symbols: luck is told from cheating."""
    course = import_module("kvfloor.audit.course")
    monkeypatch.setattr(course, "MOST_PRODUCTS", 0)
    monkeypatch.setattr(course, "SAMPLED", 2)
    asked = list[tuple[int, ...]]()
    read = course.Examination.read

    def reading(self: Any, *given: Any, **more: Any) -> Any:
        found = read(self, *given, **more)
        asked.append(tuple(found.answers))
        return found

    monkeypatch.setattr(course.Examination, "read", reading)
    assert audited(ExactCache).verdict == "within-guarantee"
    assert list(map(len, asked)) == [2, 2]
    assert max(map(max, asked)) >= 2
    asked.clear()
    assert audited(window(N - 1)).verdict in ("refuted", OVER)
    asked.clear()


def test_a_cheat_at_a_large_instance_is_asked_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = import_module("kvfloor.audit.course")
    monkeypatch.setattr(course, "MOST_PRODUCTS", 0)
    monkeypatch.setattr(course, "SAMPLED", 2)
    monkeypatch.setenv("KVFLOOR_CHEAT", str(tmp_path / "state"))
    result = audited(cheats.InFile)
    assert result.verdict == "misbehaves"
    assert result.findings[0].reason.startswith("all 24 symbols of 1 random instances are right")


def test_a_cache_that_ignores_its_bytes_is_wrong() -> None:
    result = audited(cheats.Amnesiac)
    assert result.verdict == OVER
    assert result.findings[0].reason.startswith("it answers 0.25 where the output is ")


# --- coins ---------------------------------------------------------------------------------


def test_success_over_coins_is_an_interval() -> None:
    result = audited(cheats.Forgetful, delta=Fraction(1, 10))
    assert result.success is not None
    low, high = result.success
    assert 0 <= low < Fraction(1, 2)
    assert high < Fraction(9, 10)
    assert result.verdict == OVER
    assert "over its coins" in result.findings[0].reason
    assert result.floor.bits == 33


def test_a_cache_that_fails_seldom_enough_is_within_its_guarantee() -> None:
    result = audited(cheats.FifthSeeds, delta=Fraction(49, 100))
    assert result.success is not None
    assert result.success[0] > Fraction(51, 100)
    assert (result.verdict, result.findings) == (RIGHT, ())


@pytest.mark.parametrize("seed", [0, 1, pytest.param(2, marks=pytest.mark.long)])
@pytest.mark.parametrize("delta", [Fraction(0), Fraction(1, 8)])
def test_a_cache_that_is_wrong_at_half_its_seeds_is_found_out(delta: Fraction, seed: int) -> None:
    """Also where the first seed is one of the right ones: 0 and 2."""
    result = audited(cheats.OddSeeds, n=16, d=4, delta=delta, seed=seed)
    assert result.verdict == OVER
    certificate = result.findings[0].certificate
    assert certificate is not None
    assert certificate["cache"]["seed"] % 2 == 1
    if not delta:  # the first answer has settled it, or the catalogue
        assert result.failed or seed == 1
        return
    assert result.success is not None
    assert result.success[1] < Fraction(7, 8)


def test_other_coins_are_tried_where_nothing_else_shows_them() -> None:
    """It is right with the coins of the audit, and made for instances that the catalogue lacks."""
    result = audited(cheats.OddSeedsOfBits, n=16, d=4, seed=0)
    assert result.success is not None
    assert result.success[0] < Fraction(1, 2) < result.success[1]
    assert result.verdict == OVER


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 4))]
)
def test_a_cache_whose_every_query_fails_seldom_enough_is_left_in_peace(seed: int) -> None:
    """Each fails with probability 1/16; at each seed one of the 16 does."""
    result = audited(cheats.SeldomWrong, n=16, d=4, delta=Fraction(1, 8), seed=seed)
    assert (result.verdict, result.findings) == (RIGHT, ())
    assert result.success is not None
    assert result.success[0] < Fraction(15, 16) < result.success[1]


@pytest.mark.parametrize(("n", "d"), [(16, 4), pytest.param(32, 5, marks=pytest.mark.long)])
def test_a_cache_that_may_fail_and_always_does_is_refuted(n: int, d: int) -> None:
    """One query is wrong with all coins, which random queries would hardly show."""
    result = audited(window(n - 1, n=n, d=d), n=n, d=d, delta=Fraction(1, 100))
    assert result.verdict == OVER  # by δ the floor is lower
    assert result.success is not None
    assert result.success[1] < Fraction(1, 2)


@pytest.mark.parametrize("seed", range(3))
def test_instances_are_not_what_the_coins_draw(seed: int) -> None:
    """T6 speaks of instances that are independent of the coins."""
    assert audited(cheats.KnowsItsCoins, seed=seed).verdict == UNDER


def test_coins_that_are_not_used_give_no_interval() -> None:
    assert audited(ExactCache).success is None
    assert audited(cheats.Empty, delta=Fraction(1, 10)).verdict == UNDER


def test_a_chance_that_says_nothing_is_left_out() -> None:
    """A state one bit short: states of up to 23 bits are 2^24 - 1, nearly all of the instances."""
    result = audited(cheats.Shrinking)
    assert (result.verdict, result.bits) == (UNDER, 23)
    assert "probability at most" not in result.findings[0].reason


# --- the result ----------------------------------------------------------------------------


def test_json_has_the_promised_shape() -> None:
    result = audited(configure(HashedCache, bits=5))
    document = json.loads(json.dumps(result.to_json()))
    assert list(document) == [
        "cache", "order", "n", "d", "bits", "floor", "floor_bits", "under_floor", "verdict",
        "meaning", "findings", "serves", "beyond", "rate", "accuracy", "seconds",
    ]  # fmt: skip
    assert [list(finding) for finding in document["findings"]] == [
        ["kind", "reason", "certificate"]
    ] * 2
    shown = {name: document[name] for name in list(document)[:9]}
    assert shown == {
        "cache": "kvfloor.caches.hashed:HashedCache(bits=5)", "order": 2, "n": 8, "d": 3,
        "bits": 5, "floor": "value-levels", "floor_bits": 48, "under_floor": True,
        "verdict": "refuted",
    }  # fmt: skip


def test_an_audit_is_repeatable_and_depends_on_its_seed() -> None:
    def instance(seed: int) -> str:
        result = audited(cheats.Empty, seed=seed)
        certificate = result.findings[0].certificate
        assert certificate is not None
        return canonical(certificate)

    assert instance(1) == instance(1) != instance(2)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_small_shapes(n: int) -> None:
    assert audited(ExactCache, n=n, d=2).verdict == RIGHT
    assert audited(cheats.Empty, n=n, d=2).verdict == UNDER


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n: expected a whole number >= 1"),
        ({"n": 9}, "d: expected at least 4 for 9 different rows of signs"),
        ({"d": 2.5}, "d: expected a whole number"),
        ({"n": 2000, "d": 64}, "n: expected a shape whose certificates can be checked"),
        ({"order": 0}, "order: expected a whole number >= 1"),
        ({"family": "easy"}, "family: expected one of auto, binary-values, got 'easy'"),
        ({"eta": 1}, "eta: expected a number with 0 <= eta < 1"),
        ({"alpha": Fraction(1, 2)}, "guarantee: expected eta"),
        ({"delta": 1}, "delta: expected a number with 0 <= delta < 1/2"),
        ({"delta": Fraction(1, 2)}, "delta: expected a number with 0 <= delta < 1/2, got 1/2"),
        ({"confidence": 1}, "confidence: expected a number with 0 < confidence < 1"),
        ({"seconds": 0}, "seconds: expected a number with 0 < seconds"),
        ({"seed": -1}, "seed: expected a whole number >= 0"),
        ({"jobs": 0}, "jobs: expected a whole number >= 1"),
        ({"factory": "nothing"}, "factory: expected MODULE:FACTORY, got 'nothing'"),
        ({"factory": 3}, "factory: expected a class, a function, or what configure returns"),
    ],
    ids=str,
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match="^" + message.replace("(", r"\(")):
        audit(**{"factory": ExactCache, "n": N, "d": D, **arguments})


# --- intervals -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [  # from tables of the binomial distribution, 95 %
        (0, 10, 0, 0.3085),
        (10, 10, 0.6915, 1),
        (5, 10, 0.1871, 0.8129),
        (1, 20, 0.0013, 0.2487),
        (90, 100, 0.8238, 0.9510),
    ],
)
def test_intervals_are_those_of_the_tables(k: int, n: int, low: float, high: float) -> None:
    found = clopper_pearson(k, n, Fraction(95, 100))
    assert [round(float(end), 4) for end in found] == [low, high]


def test_intervals_cover() -> None:
    """For every p on a grid the intervals that hold it have the confidence, exactly."""

    n, confidence = 12, Fraction(9, 10)
    intervals = [clopper_pearson(k, n, confidence) for k in range(n + 1)]
    for i in range(41):
        p = Fraction(i, 40)
        held = sum(
            comb(n, k) * p**k * (1 - p) ** (n - k)
            for k, (low, high) in enumerate(intervals)
            if low <= p <= high
        )
        assert held >= confidence


def test_an_error_of_this_program_is_not_the_cache_s(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise TypeError("only integer scalar arrays\ncan be converted")

    monkeypatch.setattr(import_module("kvfloor.audit.examination"), "_judged", broken)
    result = audit(ExactCache, n=2, d=2, order=1)
    assert result.verdict == "error"
    (finding,) = result.findings
    reason = "TypeError: only integer scalar arrays can be converted"
    assert (finding.kind, finding.reason, finding.certificate) == ("error", reason, None)
    assert "in broken" in result.traceback
    assert result.to_json()["traceback"] == result.traceback
    assert "traceback" not in dataclasses.replace(result, traceback="").to_json()


def test_what_begins_past_n_is_said_not_to_be_tried() -> None:
    kivi = configure(KiviCache, bits=2, group=4, residual=16)
    assert audit(kivi, n=8, d=3, order=1).beyond == 16
    assert (
        audit(configure(KiviCache, bits=8, group=4, residual=4), n=8, d=3, order=1).beyond is None
    )
    assert audit(ExactCache, n=8, d=3, order=1).beyond is None
