"""Collisions in bounded memory and in parallel: distinguished points (T5).

Van Oorschot and Wiener: an instance is drawn from a state by hashing it, and the cache leads from
the instance to the next state. Such a walk is followed until its state is distinguished, which is
one in 2**rarity; only these are kept. Two walks that end in the same one have met, and following
both again shows where: two instances, one state. Walks are independent, so any executor runs them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import shake_128
from itertools import count, islice
from typing import NamedTuple

from kvfloor.caches import CacheFactory, State
from kvfloor.collisions.search import Collision, certified
from kvfloor.families import BinaryValues, Bits
from kvfloor.index import message
from kvfloor.numbers import as_count
from kvfloor.workers import processes

__all__ = ["MOST_POINTS", "distinguished_points"]

MOST_POINTS = 4096  # distinguished points kept, whatever b is
USUAL_POINTS = 10  # log₂ of how many are usually met before a collision

TASKS = 7  # log₂ of how many tasks that usually takes
TOO_LONG = 32  # times the mean length: a walk that long goes in circles


class Point(NamedTuple):
    """Where a walk ended, None if nowhere; and how many steps it took from which start."""

    end: bytes | None
    start: int
    length: int


@dataclass(frozen=True)
class Walk:
    """The map from state to instance to state, its states distinguished one in 2**rarity."""

    factory: CacheFactory
    family: BinaryValues
    seed: int
    search_seed: int
    rarity: int

    def follow(self, start: int) -> Point:
        """Walk from a start until the state is distinguished."""
        bits, _ = self.draw(_first(start))
        for length in range(1, (TOO_LONG << self.rarity) + 1):
            state = message(self.factory, self.family, bits, seed=self.seed).data
            bits, distinguished = self.draw(state)
            if distinguished:
                return Point(state, start, length)
        return Point(None, start, length)

    def draw(self, state: bytes) -> tuple[Bits, bool]:
        """Return the instance that a state leads to, and whether the state is distinguished."""
        size = self.family.size
        text = b"%d:%b" % (self.search_seed, state)
        drawn = int.from_bytes(shake_128(text).digest((size + self.rarity + 7) // 8), "little")
        distinguished = not drawn & ((1 << self.rarity) - 1)
        # Its digits, as characters 0 and 1: far quicker than bit by bit.
        digits = format(drawn >> self.rarity & ((1 << size) - 1), f"0{size}b")
        return tuple(map(int, digits)), distinguished

    def steps(self, start: int) -> Iterator[tuple[Bits, State]]:
        """Yield the instances of a walk, each with the state that it leads to."""
        bits, _ = self.draw(_first(start))
        while True:
            state = message(self.factory, self.family, bits, seed=self.seed)
            yield bits, state
            bits, _ = self.draw(state.data)


def _first(start: int) -> bytes:
    """What a walk starts from; longer than any state that is searched, so it is none."""
    return b"%064d" % start


def follow_all(walk: Walk, starts: range) -> list[Point]:
    """Follow several walks: one task."""
    return [walk.follow(start) for start in starts]


def distinguished_points(
    factory: CacheFactory,
    family: BinaryValues,
    *,
    seed: int = 0,
    search_seed: int = 0,
    limit: int,
    executor: Executor | None = None,
    workers: int = 1,
) -> Collision | None:
    """Walk from state to state until two walks meet; memory does not grow with b.

    A cache of b bits collides after about 1.25·2**(b/2) steps, and some more to see it.

    Parameters
    ----------
    factory, family, seed
        The cache, the family, and the public coins of the cache.
    search_seed : int
        Of the walks.
    limit : int
        About how many instances to run at most; None is returned after them.
    executor : Executor, optional
        Runs the walks; what is found does not depend on it. By default ``workers`` processes,
        this one if that is 1.
    workers : int
        How many tasks the executor runs at a time.

    Raises
    ------
    InputError
        If a number is out of range, or the cache is not deterministic.
    """
    workers = as_count(workers, "workers", 1)
    seed, search_seed = as_count(seed, "seed"), as_count(search_seed, "search_seed")
    limit = as_count(limit, "limit")
    zeros = (0,) * family.size
    half = min((message(factory, family, zeros, seed=seed).bits + 1) // 2, limit.bit_length())
    rarity = max(0, half - USUAL_POINTS)
    walk = Walk(factory, family, seed, search_seed, rarity)
    step = 1 << max(0, half - rarity - TASKS)
    with ExitStack() as stack:
        if executor is None and workers > 1:
            executor = stack.enter_context(processes(workers))
        tasks = _in_order(walk, step) if executor is None else _Ahead(walk, step, executor, workers)
        found = _search(walk, tasks, limit)
        wasted = tasks.abandon() if isinstance(tasks, _Ahead) else 0
    if found is None:
        return None
    (x, y), evaluations = found
    return certified(factory, family, x, y, seed=seed, evaluations=evaluations + wasted)


def _search(
    walk: Walk, tasks: Iterator[list[Point]], limit: int
) -> tuple[tuple[Bits, Bits], int] | None:
    """The first two different instances with one state, and how many were run until then."""
    kept = dict[bytes, Point]()
    evaluations = 0
    while evaluations < limit:
        points = next(tasks)
        evaluations += sum(point.length for point in points)
        for point in points:
            if point.end is None:
                continue
            other = kept.pop(point.end, None)
            if other is not None:
                pair, length = _meeting(walk, other, point)
                evaluations += length
                if pair is not None:
                    return pair, evaluations
            kept[point.end] = point
            if len(kept) > MOST_POINTS:
                del kept[next(iter(kept))]  # the oldest
    return None


def _meeting(walk: Walk, one: Point, other: Point) -> tuple[tuple[Bits, Bits] | None, int]:
    """Where two walks with one end meet, and the steps taken.

    None if one is part of the other, or they meet in the bytes of states of different bits.
    """
    short, long = sorted((one, other), key=lambda point: point.length)
    ahead = long.length - short.length
    pairs = zip(walk.steps(short.start), islice(walk.steps(long.start), ahead, None), strict=True)
    for taken, ((x, state), (y, other_state)) in enumerate(pairs, start=1):
        if state.data == other_state.data:
            met = x != y and state == other_state
            return ((x, y) if met else None), ahead + 2 * taken
    raise AssertionError("walks do not end")


def _in_order(walk: Walk, step: int) -> Iterator[list[Point]]:
    return (follow_all(walk, range(k, k + step)) for k in count(0, step))


class _Ahead(Iterator[list[Point]]):
    """The same tasks, in the same order, some of them run ahead by an executor."""

    def __init__(self, walk: Walk, step: int, executor: Executor, workers: int) -> None:
        starts = (range(k, k + step) for k in count(0, step))
        self._futures = (executor.submit(follow_all, walk, some) for some in starts)
        self._ahead: deque[Future[list[Point]]] = deque(islice(self._futures, workers))

    def __next__(self) -> list[Point]:
        self._ahead.append(next(self._futures))
        return self._ahead.popleft().result()

    def abandon(self) -> int:
        """Drop the tasks that have not begun; return the instances that the others have run."""
        running = [future for future in self._ahead if not future.cancel()]
        return sum(point.length for future in running for point in future.result())
