"""Caches in processes of their own: only bytes pass, and nothing they do reaches this process."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cheats
from kvfloor import BinaryValues, InputError, binary_keys
from kvfloor.caches import (
    COURSES,
    ExactCache,
    FloorCache,
    HashedCache,
    RotatedCache,
    State,
    configure,
    record,
)
from kvfloor.isolation import (
    WRITING,
    Isolated,
    IsolationError,
    Misbehaviour,
    Shape,
    Stream,
    asked,
    nursery,
    streamed,
)
from limits import HANG, ended

FAMILY = BinaryValues(binary_keys(4), 2)
BITS = (0, 1, 1, 0, 1, 0, 0, 1)
SHAPE, TOKENS = Shape(2, 2, 2), FAMILY.encode(BITS)
QUERIES = [FAMILY.query(address) for address in range(4)]


def fault(factory: Any, *, writing: float = HANG, reading: float = HANG) -> Misbehaviour:
    """What a cache does wrong when it takes an instance in one process and answers in another."""
    with (
        pytest.raises(Misbehaviour) as caught,
        Isolated(factory, hash_seed=1, seconds=writing) as writer,
        Isolated(factory, hash_seed=2, seconds=reading) as reader,
    ):
        list(reader.answers(writer.state(TOKENS, SHAPE, 0), QUERIES, SHAPE, 0))
    return caught.value


@pytest.mark.parametrize(
    "factory",
    [ExactCache, configure(FloorCache, family=FAMILY), configure(HashedCache, bits=9)],
    ids=lambda factory: str(getattr(factory, "options", factory))[:20],
)
def test_states_and_answers_are_those_of_the_cache(factory: Any) -> None:
    with Isolated(factory) as writer, Isolated(factory) as reader:
        for seed in range(2):
            state = writer.state(TOKENS, SHAPE, seed)
            assert state == record(factory, TOKENS, d=2, d_v=2, seed=seed)
            cache = factory.from_state(state.data, order=2, d=2, d_v=2, seed=seed)
            expected = [tuple(map(Fraction, cache.answer(query))) for query in QUERIES]
            assert list(reader.answers(state, QUERIES, SHAPE, seed)) == expected


def test_a_factory_may_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text("from kvfloor.caches import HashedCache as Mine\n")
    monkeypatch.syspath_prepend(tmp_path)
    with Isolated(configure("mine:Mine", bits=5)) as process:
        assert process.cache["options"] == {"bits": 5}
        assert process.state(TOKENS, SHAPE, 0).bits == 5


def test_a_factory_may_be_named_inside_a_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `describe` names it."""
    text = "from kvfloor.caches import ExactCache\nclass Mine:\n class Inner(ExactCache): ...\n"
    (tmp_path / "mine_inside.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with Isolated("mine_inside:Mine.Inner") as process:
        assert process.cache["name"] == "mine_inside:Mine.Inner"


@pytest.mark.parametrize(
    ("cheat", "kind", "reason"),
    [
        (cheats.ClassAttribute, "raised", "answer() to query 0 raised AttributeError: 'NoneType'"),
        (cheats.NotANumber, "answer", "answer() to query 0: InputError: the answer[0]: expected a"),
        (
            cheats.WrongType,
            "answer",
            "answer() to query 0: InputError: the answer: expected a one-",
        ),
        (cheats.WrongLength, "answer", "answer() to query 0: InputError: the answer: expected 2 e"),
        (cheats.Texts, "answer", "answer() to query 0: InputError: the answer[0]: expected a fin"),
        (cheats.LongNumber, "answer", "answer() to query 0: a number of over 1000 characters"),
        (cheats.WrongState, "state", "cache: expected state() of type bytes, got str"),
        (cheats.Understated, "state", "cache: expected state_bits() in which 256 bytes fit, got 8"),
        (cheats.Exits, "died", "its process ended in answer() to query 0, with exit status 3"),
        (cheats.Closes, "died", "its process closed its channel in answer() to query 0"),
        (cheats.Quits, "raised", "answer() to query 0 raised SystemExit: done"),
        (cheats.Huge, "raised", "append() or state() raised MemoryError"),
        (cheats.HugeState, "state", "a state of 134217728 bytes, 67108864 are allowed"),
        (cheats.Raises, "raised", "append() or state() raised SelfMadeError: an error without te"),
        ("no_such_module:F", "raised", "importing it raised ModuleNotFoundError: No module named"),
        ("kvfloor.caches:F", "raised", "importing it raised AttributeError: module 'kvfloor.ca"),
        ("cheats_at_import:F", "died", "its process ended in importing it, with signal 9"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_misbehaviour_has_a_kind_and_a_reason(cheat: Any, kind: str, reason: str) -> None:
    caught = fault(cheat)
    assert (caught.kind, caught.reason[: len(reason)]) == (kind, reason)
    assert "\n" not in caught.reason


@pytest.mark.parametrize(
    ("cheat", "limit"), [(cheats.Sleeper, {"reading": 1}), (cheats.Stubborn, {"writing": 1})]
)
def test_sleeping_for_ever_is_ended(cheat: Any, limit: dict[str, float]) -> None:
    """What does not sleep may take as long as it likes."""
    caught = fault(cheat, **limit)
    assert caught.kind == "time-limit"
    assert caught.reason.endswith("took more than 1 s")


@pytest.mark.parametrize(
    ("cheat", "seconds", "reason"),
    [
        (cheats.Quits, HANG, "from_state() or answer() raised SystemExit: done"),
        (cheats.Interrupts, HANG, "append() or state() raised KeyboardInterrupt"),
        (cheats.Exits, HANG, "its process ended in from_state() or answer(), with exit status 3"),
        (cheats.Stubborn, 0.5, "append() or state() took more than 0.5 s"),
    ],
)
def test_a_stream_names_what_of_the_cache_is_at_fault(
    cheat: Any, seconds: float, reason: str
) -> None:
    stream = Stream(TOKENS[:1], next(iter(COURSES)), QUERIES[0], 0)
    with (
        pytest.raises(Misbehaviour) as caught,
        Isolated(cheat) as writer,
        Isolated(cheat) as reader,
    ):
        asked(reader, streamed(writer, stream, [], SHAPE, seconds)[0], QUERIES, SHAPE, 0, seconds)
    assert caught.value.reason == reason


def test_a_late_reply_is_no_reply_to_what_is_asked_next() -> None:
    """Nothing is asked of a process that is still at something else."""
    with Isolated(cheats.Chatty) as process:
        with pytest.raises(Misbehaviour, match=r"the call took more than 0\.1 s"):
            process.call(sleep, seconds=0.1)
        time.sleep(0.5)
        with pytest.raises(Misbehaviour, match=r"the call took more than 0\.1 s"):
            process.call(str, seconds=5)


@pytest.mark.parametrize(("what", "told"), [("", ""), ("importing it", "importing it raised ")])
def test_what_a_call_raises_stands_alone_or_after_what_was_called(what: str, told: str) -> None:
    with (
        pytest.raises(Misbehaviour, match=f"^{told}ArithmeticError: too much$"),
        Isolated(cheats.Chatty) as process,
    ):
        process.call(overflow, seconds=HANG, what=what)


def overflow(_factory: Any) -> None:
    raise ArithmeticError("too much")


def sleep(_factory: Any) -> str:
    time.sleep(0.3)
    return "late"


def test_an_option_that_is_not_given_is_named() -> None:
    lacking: Any = RotatedCache
    with Isolated(lacking) as process, pytest.raises(Misbehaviour) as caught:
        process.state(TOKENS, SHAPE, 0)
    told = "bits of RotatedCache is not given, and has no default"
    assert (caught.value.kind, caught.value.reason) == ("option", told)


def test_large_instances_may_take_longer() -> None:
    shape = Shape(2, 64, 64)
    assert [shape.patience(n) for n in (0, 1023, 1024, 4096)] == [1, 1, 2, 5]


def test_what_it_prints_and_reads_goes_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    with Isolated(cheats.Chatty, hash_seed=502) as process:  # its interpreter starts here
        state = process.state(TOKENS, SHAPE, 0)
        assert list(process.answers(state, QUERIES, SHAPE, 0))
    assert capfd.readouterr() == ("", "")


def test_writing_into_the_channel_harms_no_one() -> None:
    with Isolated(cheats.Flooding) as process:
        state = process.state(TOKENS, SHAPE, 0)
        answers: list[Any] = list(process.answers(state, QUERIES, SHAPE, 0))
    assert answers == [(1, 1)] * 4  # what it wrote is what it answered
    assert fault(cheats.Babbling).reason == "answer() to query 0: its process spoke out of turn"


def test_long_states_pass() -> None:
    with Isolated(cheats.LongState) as writer, Isolated(cheats.LongState) as reader:
        state = writer.state(TOKENS, SHAPE, 0)
        assert state.bits > 2**27
        assert len(list(reader.answers(state, QUERIES, SHAPE, 0))) == 4


def test_globals_do_not_pass() -> None:
    with Isolated(cheats.GlobalVariable) as writer, Isolated(cheats.GlobalVariable) as reader:
        state = writer.state(TOKENS, SHAPE, 0)
        assert state == State(b"", 0)
        right, wrong = (
            list[Any](process.answers(state, QUERIES, SHAPE, 0)) for process in (writer, reader)
        )
    assert wrong == [(0, 0)] * 4
    assert [FAMILY.decode(answer) for answer in right] == [FAMILY.row(BITS, k) for k in range(4)]


def test_hash_seeds_differ() -> None:
    states = set()
    for hash_seed in (1, 2):
        with Isolated(cheats.Hashing, hash_seed=hash_seed) as process:
            states.add(process.state(TOKENS, SHAPE, 0))
    assert len(states) == 2


def test_a_process_that_is_closed_is_gone_with_its_children() -> None:
    with Isolated(cheats.Forks) as process:
        (child,) = process.call(cheats.fork, seconds=HANG)
        end = os.pidfd_open(child)
        assert not ended(end, within=0)
    try:
        assert ended(end, within=60)  # it was killed: to die takes no time
    finally:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(end, signal.SIGKILL)
        os.close(end)


@pytest.mark.parametrize("factory", [configure(lambda: None)])
def test_what_another_process_cannot_find_is_refused(factory: Any) -> None:
    with pytest.raises(InputError, match="factory: expected a class or function of a module"):
        Isolated(factory)


def test_what_is_of_main_is_refused() -> None:
    made: Any = type("Mine", (ExactCache,), {"__module__": "__main__"})
    with pytest.raises(InputError, match="got one of __main__"):
        Isolated(made)


def test_environment_is_left_alone() -> None:
    before = dict(os.environ)
    with Isolated(ExactCache):
        pass
    assert dict(os.environ) == before


OUR_FAULT = """\
import kvfloor.isolation.worker
from kvfloor.caches import ExactCache

class Mine(ExactCache):
    pass

kvfloor.isolation.worker.as_vector = None
"""


def test_an_error_of_this_program_is_no_misbehaviour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever reads answers fails, in the process of the cache."""
    (tmp_path / "ours.py").write_text(OUR_FAULT)
    monkeypatch.syspath_prepend(tmp_path)
    state = record(ExactCache, TOKENS, d=2, d_v=2)
    with Isolated("ours:Mine") as process, pytest.raises(IsolationError) as caught:
        list(process.answers(state, QUERIES, SHAPE, 0))
    assert str(caught.value).startswith("TypeError: 'NoneType' object is not callable")
    assert "isolation/worker.py" in caught.value.__notes__[0]


def test_an_interpreter_that_does_not_start_is_no_misbehaviour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nursery, "COMMAND", "raise SystemExit(5)")
    fresh = Isolated(ExactCache, hash_seed=501)  # no other test starts an interpreter of that seed
    with fresh as process, pytest.raises(IsolationError, match="exit status 5"):
        _ = process.cache


def test_processes_draw_different_numbers_and_see_the_same_surroundings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They come from one interpreter, and share nothing that a new one would not have."""
    told = []
    for k in range(2):
        monkeypatch.setenv("MINE", str(k))
        folder = tmp_path / str(k)
        folder.mkdir()
        monkeypatch.chdir(folder)
        with Isolated(ExactCache) as process:
            told.append(process.call(surroundings, seconds=HANG))
    assert [one[:3] for one in told] == [
        [str(k), str(tmp_path / str(k)), str(WRITING)] for k in range(2)
    ]
    assert told[0][3] != told[1][3]
    assert told[0][4] != told[1][4]


def surroundings(_: Any) -> list[Any]:
    seed = os.environ["PYTHONHASHSEED"]
    return [os.environ["MINE"], os.getcwd(), seed, random.random(), np.random.random()]


def test_an_interpreter_that_a_cache_ends_is_started_again() -> None:
    with Isolated(ExactCache, hash_seed=502) as process, pytest.raises(Misbehaviour):
        process.call(end_my_parent, seconds=HANG)
    with Isolated(ExactCache, hash_seed=502) as process:
        assert process.cache["name"].endswith(":ExactCache")


def end_my_parent(_: Any) -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    os._exit(3)
