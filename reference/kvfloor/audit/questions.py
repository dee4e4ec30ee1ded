"""One question with many coins: the same tokens and query, or random ones, and fresh seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from typing import Any

from kvfloor.audit.accuracy import Bench, Instance
from kvfloor.certificates import Document, instance_certificate
from kvfloor.families import Token
from kvfloor.floors import Guarantee
from kvfloor.isolation import Answer, Refusal, Stream, streamed, tossed

__all__ = ["Asker", "Question"]

BATCH = 256  # trials that go through a pipe at a time


@dataclass(frozen=True)
class Question:
    """An instance with one query, and the guarantee that it is held to, B included.

    Attributes
    ----------
    instance : Instance
    held : Guarantee
    """

    instance: Instance
    held: Guarantee
    _known: dict[Answer, int | None] = field(default_factory=dict, compare=False, repr=False)

    def wrong_column(self, answer: Answer) -> int | None:
        """The first column in which an answer is outside the guarantee, None if there is none."""
        if answer not in self._known:
            (output,) = self.instance.outputs
            self._known[answer] = next(iter(output.wrong(answer, self.held)), None)
        return self._known[answer]


class Asker:
    """Asks questions with fresh coins each time.

    Attributes
    ----------
    violation : Document or None
        Of the first wrong answer that has a certificate.
    """

    def __init__(self, bench: Bench, cache: Mapping[str, Any], seeds: Iterator[int]) -> None:
        self._bench, self._cache, self._seeds = bench, cache, seeds
        self.violation: Document | None = None

    def accurate(self, questions: Iterator[Question], count: int) -> list[bool]:
        """Ask so many of the questions, each with a fresh seed; return which were accurate.

        Raises
        ------
        Misbehaviour
        """
        found: list[bool] = []
        while len(found) < count:
            some = list(islice(questions, min(BATCH, count - len(found))))
            found += self._batch(some)
        return found

    def _batch(self, questions: list[Question]) -> list[bool]:
        bench, seeds = self._bench, list(islice(self._seeds, len(questions)))
        trials = [
            (q.instance.tokens, q.instance.queries[0], seed)
            for q, seed in zip(questions, seeds, strict=True)
        ]
        processes = bench.writer, bench.reader
        try:
            answers: list[Answer | None] = [*tossed(processes, trials, bench.shape, bench.seconds)]
        except Refusal:  # with some of the coins
            answers = [self._alone(trial) for trial in trials]
        right = []
        for question, answer, seed in zip(questions, answers, seeds, strict=True):
            column = None if answer is None else question.wrong_column(answer)
            if answer is not None and column is not None and self.violation is None:
                self.violation = self._certified(question, answer[column], seed, column)
            right.append(answer is not None and column is None)
        return right

    def _alone(self, trial: tuple[Sequence[Token], Sequence[Any], int]) -> Answer | None:
        """The answer of one trial; None if it is refused, which is as good as a wrong one."""
        bench = self._bench
        try:
            (answer,) = tossed((bench.writer, bench.reader), [trial], bench.shape, bench.seconds)
        except Refusal:
            return None
        return answer

    def _certified(self, question: Question, answer: Fraction, seed: int, column: int) -> Document:
        instance, bench = question.instance, self._bench
        (query,) = instance.queries
        stream = Stream(instance.tokens, "once", query, seed)
        state, _ = streamed(bench.writer, stream, [query], bench.shape, bench.seconds)
        return instance_certificate(
            instance.tokens,
            query,
            column,
            course="once",
            guarantee=bench.guarantee,
            answer=answer,
            cache=self._cache,
            seed=seed,
            state=state,
        )
