"""Distinguished points: as few evaluations as theory says, in memory that does not grow (T5)."""

from __future__ import annotations

from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import pytest

from kvfloor import (
    BinaryValues,
    Collision,
    InputError,
    binary_keys,
    birthday,
    check,
    distinguished_points,
)
from kvfloor.caches import ExactCache, HashedCache, configure
from kvfloor.certificates import canonical
from kvfloor.collisions import distinguished
from kvfloor.index import message
from small_caches import Digest

FAMILY = BinaryValues(binary_keys(2), 20, 1)  # N = 40, and two tokens: cheap to run


def accepted(found: Collision | None) -> Collision:
    assert found is not None
    assert check(canonical(found.certificate)).status == "ok"
    return found


def mean_evaluations(bits: int, runs: int, table: bool = False) -> float:
    """Mean over seeds, in units of 2**(b/2)."""
    factory, limit, total = configure(Digest, bits=bits), 40 << bits // 2, 0
    for seed in range(runs):
        search = birthday if table else distinguished_points
        found = search(factory, FAMILY, seed=seed, search_seed=seed, limit=limit)
        total += accepted(found).evaluations
    return total / runs / 2 ** (bits / 2)


# The mean is 1.2533, one run strays by 0.655 from it: by five deviations for so many runs.
@pytest.mark.parametrize(
    ("bits", "runs"), [(16, 200), pytest.param(24, 40, marks=pytest.mark.long)]
)
def test_evaluations_with_a_table(bits: int, runs: int) -> None:
    assert 1.2533 - 3.3 / runs**0.5 < mean_evaluations(bits, runs, table=True) < 1.5


@pytest.mark.parametrize(
    ("bits", "runs"),
    [(16, 200), *(pytest.param(*one, marks=pytest.mark.long) for one in ((24, 40), (28, 8)))],
)
def test_evaluations_with_distinguished_points(bits: int, runs: int) -> None:
    assert 1.2533 - 3.3 / runs**0.5 < mean_evaluations(bits, runs) < 2.5


def counted_points(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many points are kept, from now on, each time that one is added."""
    kept: list[int] = []

    class Counted(dict[bytes, Any]):
        def __setitem__(self, key: bytes, value: Any) -> None:
            super().__setitem__(key, value)
            kept.append(len(self))

    monkeypatch.setattr(distinguished, "dict", Counted, raising=False)
    return kept


@pytest.mark.parametrize("bits", [8, 16, 20, 24, 28])
def test_memory_is_flat(bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The points that are kept are about as many for every b, and never more than the most."""
    kept = counted_points(monkeypatch)
    factory = configure(Digest, bits=bits)
    accepted(distinguished_points(factory, FAMILY, search_seed=1, limit=10**6))
    assert max(kept) <= 4 * 2**distinguished.USUAL_POINTS == distinguished.MOST_POINTS


def test_few_points_are_enough_though_it_takes_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = counted_points(monkeypatch)
    monkeypatch.setattr(distinguished, "MOST_POINTS", 40)
    factory = configure(Digest, bits=16)
    assert accepted(distinguished_points(factory, FAMILY, limit=10**6)).evaluations < 10**5
    assert max(kept) == 41  # one comes before one goes


class Eager(Executor):
    """Runs what is submitted at once, and counts."""

    submitted = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.submitted += 1
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@pytest.mark.parametrize("bits", [0, 1, 7, 18])
def test_what_is_found_does_not_depend_on_the_executor(bits: int) -> None:
    factory = configure(Digest, bits=bits)
    alone = accepted(distinguished_points(factory, FAMILY, limit=10**5))
    for executor in (Eager(), ThreadPoolExecutor(3)):
        with executor:
            found = distinguished_points(factory, FAMILY, limit=10**5, executor=executor, workers=3)
        assert accepted(found).certificate == alone.certificate
        assert found is not None
        assert found.evaluations >= alone.evaluations  # some ran ahead for nothing
    processes = distinguished_points(factory, FAMILY, limit=10**5, workers=2)
    assert accepted(processes).certificate == alone.certificate


def test_every_run_of_the_cache_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = 0

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal runs
        runs += 1
        return message(*arguments, **options)

    monkeypatch.setattr(distinguished, "message", counted)
    for executor, bits in ((None, 16), (Eager(), 16), (None, 26)):
        runs, factory = 0, configure(Digest, bits=bits)
        found = distinguished_points(factory, FAMILY, limit=10**6, executor=executor, workers=1)
        assert accepted(found).evaluations == runs - 1  # one to see how long a state is


def test_seeds_make_other_walks() -> None:
    factory = configure(Digest, bits=12)
    found = [
        accepted(distinguished_points(factory, FAMILY, search_seed=k, limit=10**5))
        for k in (1, 1, 2)
    ]
    first, again, other = (canonical(collision.certificate) for collision in found)
    assert first == again != other


def test_states_as_long_as_instances_and_none_at_all() -> None:
    """With N = b + 1 walks also meet by chance in one instance, which proves nothing."""
    family = BinaryValues(binary_keys(13), 1, 1)
    for bits in (0, 3, 12):
        factory = configure(HashedCache, bits=bits)
        accepted(distinguished_points(factory, family, limit=10**5))


class Varying(Digest):
    """Three bits, and up to five zeros behind them."""

    def state_bits(self) -> int:
        return 3 + super().state()[1] % 6

    def state(self) -> bytes:
        return bytes([super().state()[0] & 7])


@pytest.mark.parametrize("search_seed", range(8))
def test_walks_that_meet_in_bytes_of_different_lengths_are_no_collision(search_seed: int) -> None:
    factory = configure(Varying, bits=16)
    accepted(distinguished_points(factory, FAMILY, search_seed=search_seed, limit=10**4))


def test_caches_without_collisions_end_at_the_limit() -> None:
    family = BinaryValues(binary_keys(4), 4, 1)
    assert distinguished_points(ExactCache, family, limit=300) is None
    assert distinguished_points(ExactCache, family, limit=0) is None


@pytest.mark.parametrize(
    ("argument", "value"), [("limit", -1), ("workers", 0), ("seed", -1), ("search_seed", 0.5)]
)
def test_bad_arguments_are_refused(argument: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"^{argument}: expected a whole number"):
        distinguished_points(ExactCache, FAMILY, **{"limit": 1, argument: value})
