"""An instance that fails, made as small as it can be while it still fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from kvfloor.audit.accuracy.instance import Instance, Miss, Row, tokens_of
from kvfloor.families import Token

__all__ = ["NUMBERS", "shrunk"]

Tokens = tuple[Token, ...]
Fails = Callable[[Instance], Miss | None]
NUMBERS = 2**15  # of an instance that counts as two
UNITS = (1.0, 0.5, 0.25, 0.125)  # numbers are rounded to multiples of these, if they can be


@dataclass
class _Attempt:
    """The smallest instance so far, and how many more may be tried, a large one as several."""

    fails: Fails
    instance: Instance
    miss: Miss
    left: int

    def improve(self, candidate: Instance) -> bool:
        """Whether a candidate fails too; it takes the place of the instance then."""
        if self.left <= 0 or candidate == self.instance or not candidate.bound:
            return False
        self.left -= 1 + candidate.numbers // NUMBERS
        miss = self.fails(candidate)
        if miss is not None:
            self.instance, self.miss = candidate, miss
        return miss is not None


def shrunk(instance: Instance, miss: Miss, fails: Fails, *, tries: int) -> tuple[Instance, Miss]:
    """Return an instance of as few tokens as can be found, with plain numbers, and what it misses.

    Tokens go by halves, then quarters and so on to single ones, until none can; then rows of slots
    become ones, columns zeros, and numbers multiples of 1, 1/2 and so on.

    Parameters
    ----------
    instance : Instance
        With one query.
    miss : Miss
        What it misses.
    fails : callable
        The worst miss of an instance, None if there is none or the cache refuses it.
    tries : int
        Instances that may be tried; one of k·2**15 numbers counts as k + 1.
    """
    attempt = _Attempt(fails, instance, miss, tries)
    attempt.improve(Instance(instance.tokens, instance.queries))  # in the plainest course
    while _drop_tokens(attempt):
        pass
    for plainer in (_plain_slots, _plain_columns, _plain_numbers):
        for change in list(plainer(attempt.instance)):
            if attempt.left > 0:
                attempt.improve(change(attempt.instance))
    return attempt.instance, attempt.miss


def _drop_tokens(attempt: _Attempt) -> bool:
    """Go once through all runs of tokens, long ones first; whether any was dropped."""
    dropped, size = False, len(attempt.instance.tokens) // 2
    while size:
        start = len(attempt.instance.tokens) - size  # what comes last matters to few
        while start >= 0:
            tokens = attempt.instance.tokens
            rest = tokens[:start] + tokens[start + size :]
            if rest and attempt.left > 0 and attempt.improve(_with(attempt.instance, rest)):
                dropped = True
            start -= size
        size //= 2
    return dropped and attempt.left > 0


def _with(instance: Instance, tokens: Tokens, queries: tuple[Row, ...] | None = None) -> Instance:
    queries = instance.queries if queries is None else queries
    return Instance(tokens, queries, instance.course)


Change = Callable[[Instance], Instance]


def _plain_slots(instance: Instance) -> Iterator[Change]:
    for slot in range(1, instance.order):
        yield lambda one, r=slot: _mapped(one, lambda x, place: 1.0 if place[1] == r else x)  # type: ignore[misc]


def _plain_columns(instance: Instance) -> Iterator[Change]:
    """All columns but one to zero; first as many as there are, then one by one."""
    (query,) = instance.queries
    d_v = len(instance.tokens[0].values[0])
    for part, width in ((1, d_v), (0, len(query))):
        runs = [range(c, c + size) for size in (max(1, width // 2), 1)
                for c in range(0, width, size)]  # fmt: skip
        for run in runs:
            yield lambda one, p=part, cs=run: _without(one, p, cs)  # type: ignore[misc]


def _without(instance: Instance, part: int, columns: Sequence[int]) -> Instance:
    """Keys and query, or values, with zeros in some columns."""

    def cut(x: float, place: tuple[int, int, int, int]) -> float:
        return 0.0 if place[2] == part and place[3] in columns else x

    found = _mapped(instance, cut)
    if part:
        return found
    (query,) = instance.queries
    asked = tuple(0.0 if c in columns else x for c, x in enumerate(query))
    return _with(found, found.tokens, (asked,))


def _plain_numbers(_: Instance) -> Iterator[Change]:
    for unit in UNITS:
        for part in (1, 0):
            yield lambda one, u=unit, p=part: _mapped(  # type: ignore[misc]
                one, lambda x, place: round(x / u) * u if place[2] == p else x
            )
        yield lambda one, u=unit: _with(  # type: ignore[misc]
            one, one.tokens, (tuple(round(x / u) * u for x in one.queries[0]),)
        )


def _mapped(
    instance: Instance, of: Callable[[float, tuple[int, int, int, int]], float]
) -> Instance:
    """Every number of the tokens as ``of(number, (token, slot, 0 for keys, column))``."""
    slots = (
        [
            [[of(x, (j, r, part, c)) for c, x in enumerate(row)] for j, row in enumerate(rows)]
            for r, rows in enumerate(numbers)
        ]
        for part, numbers in enumerate(instance.slots)
    )
    return _with(instance, tokens_of(*slots))
