"""A cache on the catalogue: what it answers, and what of that stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random
from typing import NamedTuple

from kvfloor.audit.accuracy.catalogue import CATALOGUE, SEARCHED, Entry
from kvfloor.audit.accuracy.domains import within
from kvfloor.audit.accuracy.draft import Draft
from kvfloor.audit.accuracy.instance import Instance, Miss
from kvfloor.audit.accuracy.local_search import worse
from kvfloor.caches import LIVE, State, derived_seed
from kvfloor.floors import Guarantee
from kvfloor.isolation import (
    Answer,
    Isolated,
    Misbehaviour,
    Refusal,
    Shape,
    Stream,
    asked,
    streamed,
)

__all__ = ["Bench", "Entered", "Failure", "examine"]

WORST = 6  # instances that a local search starts from, each with one of its queries
STEPS = 12  # of the search from each


class Failure(NamedTuple):
    """An answer outside the guarantee, and all that led to it."""

    entry: Entry
    instance: Instance
    miss: Miss
    seed: int


@dataclass
class Entered:
    """What came of one entry.

    Attributes
    ----------
    entry : Entry
    asked, stood : int
        Queries answered, and those whose answers are within the guarantee.
    worst : Fraction
        The largest error in units of B.
    refused : str
        Why it, or part of it, could not be run; else empty.
    failures : list of Failure
    """

    entry: Entry
    asked: int = 0
    stood: int = 0
    worst: Fraction = Fraction(0)
    refused: str = ""
    failures: list[Failure] = field(default_factory=list)


@dataclass(frozen=True)
class Bench:
    """Two processes: one sees tokens, the other answers from the bytes of the state.

    Attributes
    ----------
    writer, reader : Isolated
    shape : Shape
    guarantee : Guarantee
        For values in [-1, 1].
    seconds : float
        Time limit for each answer and each stream.
    n : int
        No instance has more tokens.
    serves : str
        What the cache is made for, as `kvfloor.caches.serves` says.
    sizes : set of int
        Bits of the states so far.
    """

    writer: Isolated
    reader: Isolated
    shape: Shape
    guarantee: Guarantee
    seconds: float
    n: int
    serves: str
    sizes: set[int] = field(default_factory=set, compare=False)

    def run(
        self,
        instance: Instance,
        seed: int,
        queries: Sequence[Sequence[float]] | None = None,
        meanwhile: Callable[[], object] | None = None,
    ) -> tuple[State, list[Answer]]:
        """Return state and answers, to the instance's own queries if no others are given.

        While the reader answers ``meanwhile()`` is called.

        Raises
        ------
        Refusal, Misbehaviour
        """
        queries = instance.queries if queries is None else queries
        stream = Stream(instance.tokens, instance.course, queries[0], seed)
        state, answers = streamed(self.writer, stream, queries, self.shape, self.seconds)
        self.sizes.add(state.bits)
        if instance.course not in LIVE:
            limits = (self.shape, seed, self.seconds)
            answers = asked(self.reader, state, queries, *limits, meanwhile)
        return state, answers

    def judged(self, instance: Instance, seed: int) -> tuple[list[Miss], Fraction]:
        """Return what `Instance.misses` says of the answers.

        Raises
        ------
        Refusal, Misbehaviour
        """
        _, answers = self.run(instance, seed, meanwhile=lambda: instance.outputs)
        return instance.misses(answers, self.guarantee)


def examine(
    bench: Bench, draft: Draft, *, serves: str, seed: int, catalogue: Iterable[Entry] = CATALOGUE
) -> list[Entered]:
    """Return what comes of every entry, and of a local search from the worst instances.

    Every entry has coins of its own, so that a cache that uses its coins is seen with many.

    Parameters
    ----------
    bench : Bench
    draft : Draft
    serves : str
        What the cache is made for, as `kvfloor.caches.serves` says.
    seed : int
        Of instances and public coins.

    Raises
    ------
    Misbehaviour
    """
    results, tried = [], list[tuple[Fraction, Entry, Instance, int]]()
    for entry in catalogue:
        draft.rng = Random(derived_seed(seed, entry.name))  # noqa: S311 (repeatable)
        found = Entered(entry)
        coins = derived_seed(seed, f"coins of {entry.name}")
        for drafted in entry.build(draft):
            instance = within(drafted, serves)
            if instance is None:
                continue
            worst = _enter(bench, found, instance, coins)
            if worst is not None and len(instance.tokens) <= draft.few:
                tried.append((worst, entry, instance, coins))
        results.append(found)
    if not any(found.failures for found in results):  # else there is no need to search
        results.append(_searched(bench, tried, serves, seed))
    return results


def _enter(bench: Bench, found: Entered, instance: Instance, seed: int) -> Fraction | None:
    """Add an instance to what was found; return the largest error, None if it was refused."""
    try:
        misses, worst = bench.judged(instance, seed)
    except Refusal as refusal:
        found.refused = found.refused or str(refusal)
        return None
    except Misbehaviour as fault:
        raise Misbehaviour(fault.kind, f"{found.entry.name}: {fault.reason}") from None
    found.asked += len(instance.queries)
    found.stood += len(instance.queries) - len(misses)
    found.worst = max(found.worst, worst)
    found.failures += [Failure(found.entry, instance, miss, seed) for miss in misses]
    return worst


def _searched(
    bench: Bench, tried: Sequence[tuple[Fraction, Entry, Instance, int]], serves: str, seed: int
) -> Entered:
    found = Entered(SEARCHED)
    rng = Random(derived_seed(seed, "searched"))  # noqa: S311 (repeatable)
    worst_first = sorted(tried, key=lambda item: item[0], reverse=True)[:WORST]
    for _, _, whole, coins in worst_first:
        instance = Instance(whole.tokens, (rng.choice(whole.queries),), whole.course)

        def error_of(one: Instance, coins: int = coins) -> Fraction | None:
            served = within(one, serves)
            return None if served is None else _enter(bench, found, served, coins)

        worse(instance, error_of, rng, STEPS)
    return found


def confirmed(bench: Bench, failure: Failure) -> tuple[State, Miss]:
    """Ask the one query again, alone.

    Raises
    ------
    Refusal
        If the cache refuses now what it took before.
    Misbehaviour
        If it answers otherwise now.
    """
    instance, miss = failure.instance, failure.miss
    alone = Instance(instance.tokens, (instance.queries[miss.query],), instance.course)
    state, (answer,) = bench.run(alone, failure.seed)
    if answer[miss.column] != miss.answer:
        reason = f"the answer to one query of {failure.entry.name} depends on those before it"
        raise Misbehaviour("not-deterministic", reason)
    return state, Miss(0, miss.column, miss.answer, miss.excess)
