"""A cache under examination: its states and answers, and how far they are from the truth (T6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import cycle, islice
from typing import Any

from flint import arb

from kvfloor.audit.accuracy import (
    Bench,
    Draft,
    Entered,
    Failure,
    Instance,
    TrueOutput,
    examine,
    lengths_at,
    named_sizes,
    sizes_at,
)
from kvfloor.audit.hardest import BINARY
from kvfloor.caches import State, scope, serves
from kvfloor.certificates import Document, violation_certificate
from kvfloor.families import BinaryValues, Bits
from kvfloor.isolation import (
    READING,
    WRITING,
    Factory,
    Isolated,
    IsolationError,
    Misbehaviour,
    Refusal,
    Shape,
    called,
    warm,
)
from kvfloor.numbers import ball_ends

__all__ = ["Examination", "Reading"]

MOST_SIZED = 256  # tokens after each of which a state is written, all of it each time
MOST_BEYOND = 2**15  # numbers that a cache is given to see what happens past n
SAMPLE = 16  # queries asked of other processes too

Answers = dict[int, tuple[Fraction, ...]]  # by address


@dataclass(frozen=True)
class Reading:
    """What a cache made of one instance.

    Attributes
    ----------
    bits : tuple of N bits
        The instance.
    state : State
    answers : dict of tuples of d_v Fractions
        By the addresses that were asked.
    wrong : int
        Symbols that the answers do not reveal.
    outside : tuple of int
        Addresses whose answers are outside the guarantee.
    worst_error : Fraction
    worst : (int, int) or None
        Address and column of the answer that is furthest outside the guarantee.
    """

    bits: Bits
    state: State
    answers: Answers
    wrong: int
    outside: tuple[int, ...]
    worst_error: Fraction
    worst: tuple[int, int] | None

    @property
    def asked(self) -> list[int]:
        """The addresses."""
        return list(self.answers)


class Examination:
    """Four processes for one cache: two that see tokens, two that only ever see states.

    The two of a kind have different hash seeds, as have the writer and the reader asked first.

    Attributes
    ----------
    sizes : set of int
        Bits of the states of hard instances so far.
    """

    def __init__(
        self, factory: Factory, family: BinaryValues, *, seconds: float, processes: ExitStack
    ) -> None:
        self.family = family
        self.shape = Shape(family.order, family.book.d, family.d_v)
        self.queries = [family.query(address) for address in range(family.n)]
        warm(WRITING, READING)
        self._writers, self._readers = (
            [
                processes.enter_context(Isolated(factory, hash_seed=seed, seconds=seconds))
                for seed in seeds
            ]
            for seeds in ((WRITING, READING), (READING, WRITING))
        )
        self._seconds = seconds
        self.sizes: set[int] = set()

    @property
    def bits(self) -> int | None:
        """Of the largest state so far."""
        return max(self.sizes | self.bench.sizes, default=None)

    @cached_property
    def cache(self) -> dict[str, Any]:
        """Name and options of the cache."""
        return self._writers[0].cache

    @property
    def scope(self) -> str:
        """What the cache says of what its state counts; empty if it cannot say any more."""
        try:
            return str(self._writers[0].call(scope, seconds=self._seconds))
        except (Misbehaviour, IsolationError):
            return ""

    @cached_property
    def serves(self) -> str:
        """The only inputs that the cache is made for; empty if it does not or cannot say."""
        try:
            return str(called(self._writers[0], serves, seconds=self._seconds) or "")
        except Misbehaviour:
            return ""

    @cached_property
    def bench(self) -> Bench:
        """The first two of the processes, for instances of the catalogue."""
        guarantee = self.family.guarantee
        isolated = self._writers[0], self._readers[0]
        n, serves = self.family.n, self.serves
        return Bench(*isolated, self.shape, guarantee, self._seconds, n, serves)

    def enter(
        self, seed: int, traces: tuple[Instance, ...], hardest: tuple[Instance, ...]
    ) -> list[Entered]:
        """Return what comes of the catalogue, of the user's traces, and of the floor's family.

        That is nothing for a cache that is made for the family.

        Raises
        ------
        Misbehaviour
        """
        if self.serves == BINARY:
            return []
        n, (order, d, d_v) = self.family.n, self.shape
        alpha, sizes = self.family.guarantee.alpha, self._block_sizes(seed)
        draft = Draft(order, n, d, d_v, alpha, sizes=sizes, traces=traces, hardest=hardest)
        return examine(self.bench, draft, serves=self.serves, seed=seed)

    @property
    def beyond(self) -> int | None:
        """The first length past n at which the state grows otherwise, and at none up to n does.

        It is looked for where an option names a size past n; None if there is none.
        """
        writer, n, bits = self._writers[0], self.family.n, None
        try:
            named = called(writer, named_sizes, seconds=self._seconds) or []
            sizes = [s for s in named if n < s and s * sum(self.shape) <= MOST_BEYOND]
            if sizes:
                tokens = self.family.encode([k % 2 for k in range(self.family.size)])
                some = list(islice(cycle(tokens), max(sizes) + 1))
                arguments = sizes_at, some, tuple(self.shape), 0
                bits = called(writer, *arguments, seconds=self._seconds)
        except (Misbehaviour, IsolationError):
            return None
        first = min(lengths_at(bits or []), default=0)
        return first if first > n else None

    def _block_sizes(self, seed: int) -> tuple[int, ...]:
        """Sizes that the options name, or at which the bits per token jump."""
        whole = self.family.encode([k % 2 for k in range(self.family.size)])
        tokens = whole[: min(self.family.n, MOST_SIZED)]
        writer, n = self._writers[0], self.family.n
        named = called(writer, named_sizes, seconds=self._seconds) or []
        bits = called(writer, sizes_at, tokens, tuple(self.shape), seed, seconds=self._seconds)
        found = [*named, *lengths_at(bits or [])]
        return tuple(dict.fromkeys(s for s in found if type(s) is int and 1 < s <= n))

    def read(
        self,
        bits: Bits,
        seed: int,
        addresses: Sequence[int] | None = None,
        *,
        least_asked: int = 0,
        once: bool = False,
    ) -> Reading:
        """Return what the cache makes of an instance.

        The queries of the addresses are asked, all if none are given, and asked again until there
        are at least ``least_asked``. The state is made twice, unless ``once``.

        Raises
        ------
        Misbehaviour
        """
        state = self.state(bits, seed, once=once)
        addresses = range(self.family.n) if addresses is None else addresses
        queries = [self.queries[address] for address in addresses]
        asked = list(islice(cycle(queries), max(least_asked, len(queries))))
        instance = Instance(tuple(self.family.encode(bits)), tuple(queries))
        try:
            replies = self._readers[0].answers(state, asked, self.shape, seed)
            truth = instance.outputs  # computed while the reader works
            answers = dict(zip(addresses, replies, strict=False))
            again = list(replies)
        except Misbehaviour as fault:
            if fault.kind == "raised" and self._writer_answers(state, asked, seed):
                raise _outside(fault.reason) from None
            raise
        outputs = dict(zip(addresses, truth, strict=True))
        reading = _judged(self.family, bits, state, answers, outputs)
        if not reading.outside:  # else that is looked into
            self._compare(reading, outputs, zip(cycle(addresses), again, strict=False))
        return reading

    def _compare(
        self,
        reading: Reading,
        outputs: Mapping[int, TrueOutput],
        again: Iterable[tuple[int, tuple[Fraction, ...]]],
    ) -> None:
        """Raise `Misbehaviour` if an answer is wrong that was right when it was asked first."""
        for address, answer in again:
            first, truth = reading.answers[address], outputs[address]
            if answer != first and truth.wrong(answer, self.family.guarantee):
                raise _dependent(address)

    def state(self, bits: Bits, seed: int, *, once: bool = False) -> State:
        """Return the state after an instance, which has to be the same in two processes."""
        tokens = self.family.encode(bits)
        writers = self._writers[:1] if once else self._writers
        states = [writer.state(tokens, self.shape, seed) for writer in writers]
        if states[0] != states[-1]:
            reason = "one instance ends in different states in two processes (PYTHONHASHSEED)"
            raise Misbehaviour("not-deterministic", reason)
        self.sizes.add(states[0].bits)
        return states[0]

    def _writer_answers(self, state: State, asked: Sequence[Any], seed: int) -> bool:
        """Whether the process that saw the tokens answers what it is asked from the state."""
        try:
            list(self._writers[0].answers(state, asked, self.shape, seed))
        except Misbehaviour:
            return False
        return True

    def repeats(self, reading: Reading, address: int, seed: int) -> bool:
        """Whether other coins lead to the same state, and to the same answer for an address."""
        state = self.state(reading.bits, seed, once=True)
        return (
            state == reading.state
            and self.answer(state, address, seed) == (reading.answers[address])
        )

    def answer(self, state: State, address: int, seed: int) -> tuple[Fraction, ...]:
        """Return what a cache restored from a state answers to its first query."""
        asked = [self.queries[address]]
        (answer,) = self._readers[0].answers(state, asked, self.shape, seed)
        return answer

    def cross_examine(self, reading: Reading, seed: int) -> None:
        """Ask again in other processes.

        Raises
        ------
        Misbehaviour
            If answers to the same questions differ, or the cache fails.
        """
        first = list(reading.answers.values())[:SAMPLE]
        queries = [self.queries[address] for address in reading.asked[:SAMPLE]]
        other, seen = (
            list(process.answers(reading.state, queries, self.shape, seed))
            for process in (self._readers[1], self._writers[0])
        )
        if other != first:
            reason = "one state and one query have different answers in two runs"
            raise Misbehaviour("not-deterministic", reason)
        if seen != first:
            raise _outside("a process that got only the state answers otherwise")

    def confirm(self, failure: Failure) -> None:
        """Ask what is reported of the catalogue in the other two processes.

        Raises
        ------
        Misbehaviour
            If the answer is accurate there, or the cache refuses the tokens.
        """
        writer, reader = self._writers[1], self._readers[1]
        bench = replace(self.bench, writer=writer, reader=reader, sizes=set())
        try:
            misses, _ = bench.judged(failure.instance, failure.seed)
        except Refusal:
            misses = []
        if not misses:
            reason = f"{failure.entry.name}: an answer is wrong in one process, not in another"
            raise Misbehaviour("not-deterministic", reason)

    def violation(self, reading: Reading, seed: int) -> Document | None:
        """Return a certificate of the worst answer of a reading, None if all are accurate.

        Raises
        ------
        Misbehaviour
            If the cache is accurate when asked that query alone.
        """
        if reading.worst is None:
            return None
        address, column = reading.worst
        answer = self.answer(reading.state, address, seed)
        if answer != reading.answers[address]:
            raise _dependent(address)
        return violation_certificate(
            self.family,
            reading.bits,
            address,
            column,
            answer=answer[column],
            cache=self.cache,
            seed=seed,
            state=reading.state,
        )


def _dependent(address: int) -> Misbehaviour:
    reason = f"the answer to query {address} depends on the queries before it"
    return Misbehaviour("not-deterministic", reason)


def _outside(what: str) -> Misbehaviour:
    reason = f"{what}; the process that saw the tokens does not"
    return Misbehaviour("outside-state", f"{reason}: something is kept outside the state")


def _judged(
    family: BinaryValues,
    bits: Bits,
    state: State,
    answers: Answers,
    truth: Mapping[int, TrueOutput],
) -> Reading:
    wrong, worst_error, worst, worst_outside = 0, arb(0), None, arb(0)
    outside = list[int]()
    for address, answer in answers.items():
        revealed = family.decode(answer)
        wrong += sum(x != y for x, y in zip(revealed, family.row(bits, address), strict=True))
        errors = truth[address].most(answer)
        worst_error = max(worst_error, *errors)
        if columns := truth[address].wrong(answer, family.guarantee):
            outside.append(address)
            column = max(columns, key=errors.__getitem__)
            if errors[column] > worst_outside:
                worst_outside, worst = errors[column], (address, column)
    error = ball_ends(worst_error)[1]
    return Reading(bits, state, answers, wrong, tuple(outside), error, worst)
