"""The league: all caches at a ladder of budgets, measured on the same seeded instances (H5)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from fractions import Fraction
from math import lcm, prod
from pathlib import Path
from typing import Any

from kvfloor.attention import tensor_attention_rounded
from kvfloor.audit.accuracy import Instance, read_trace
from kvfloor.audit.auditor import DEFAULT_CONFIDENCE
from kvfloor.audit.drawing import Dots, read_drawing
from kvfloor.audit.entrants import Entrant, entrants
from kvfloor.audit.reading_back import Reader
from kvfloor.audit.resuming import resumed
from kvfloor.audit.retrieved import Measurement, measured
from kvfloor.audit.symbol_families import HardShape
from kvfloor.errors import InputError
from kvfloor.families import Token, stack
from kvfloor.floors import Guarantee
from kvfloor.isolation import SECONDS, Answer, Misbehaviour, Shape
from kvfloor.numbers import as_count, shown

__all__ = ["Match", "Result", "Terms", "league", "matches", "played", "trace_of"]

FAMILY = "dense"  # of the instances: values of as many levels as come back


@dataclass(frozen=True)
class Terms:
    """What all play by.

    Attributes
    ----------
    n, d : int
        Tokens; entries of keys and of values.
    order : int
        m; slots of keys and values.
    alpha : Fraction
        The accuracy that answers are decoded at; η = 0.
    instances : int
        That count.
    seed : int
    seconds : float
        Time limit for each answer.
    trace : str
        A file of keys, values and queries, as `read_trace` takes it; empty for none.
    """

    n: int = 64
    d: int = 16
    order: int = 1
    alpha: Fraction = Fraction(1, 32)
    instances: int = 2
    seed: int = 0
    seconds: float = SECONDS
    trace: str = ""

    @property
    def shape(self) -> HardShape:
        """Of the instances."""
        return HardShape(self.order, self.n, self.d, self.d, Guarantee(alpha=self.alpha))


@dataclass(frozen=True)
class Match:
    """An entrant and the terms."""

    entrant: Entrant
    terms: Terms

    @property
    def key(self) -> dict[str, Any]:
        """What tells it from others, as a JSON object."""
        named = {name: str(value) for name, value in asdict(self.terms).items()}
        named["trace"] = Path(self.terms.trace).name
        return {"cache": self.entrant.cache, "options": self.entrant.options} | named


@dataclass(frozen=True)
class Result:
    """What came of a match: a line of the league's output.

    Attributes
    ----------
    task : dict
        The `Match.key`.
    efficiency : dict or None
        As `Efficiency.to_json` gives it; None if the cache misbehaves, or refuses all instances.
    worst_error, mean_error : float or None
        Of the outputs in the instances that count, from the true ones to an ulp of float64.
    dots : tuple of tuples of 0 and 1, or None
        The drawing as it was read back; None at another order than 1.
    trace : dict or None
        Of the trace: ``bits`` of the state, ``worst`` and ``mean`` error of its queries, in units
        of its largest value; or why there are none: ``refused``. None if there was no trace.
    reason : str
        Why there is nothing; else empty.
    """

    task: dict[str, Any]
    efficiency: dict[str, Any] | None
    worst_error: float | None
    mean_error: float | None
    dots: Dots | None
    trace: dict[str, Any] | None
    reason: str

    @property
    def failed(self) -> bool:
        """Whether it is to be played again."""
        return False

    @classmethod
    def of(cls, line: bytes) -> Result | None:
        """Return the result of a line, None if it is no whole one."""
        try:
            content = json.loads(line)
            drawn = content.pop("dots")
            columns = None if drawn is None else tuple(tuple(map(int, text)) for text in drawn)
            return cls(**content, dots=columns)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None

    def line(self) -> bytes:
        """Return the result as a line of JSON."""
        drawn = self.dots and ["".join(map(str, column)) for column in self.dots]
        content = asdict(self) | {"dots": drawn}
        return json.dumps(content).encode() + b"\n"


def matches(terms: Terms, only: Sequence[str] = (), guests: Sequence[Entrant] = ()) -> list[Match]:
    """Return the matches of all entrants, or of those that are called so; and of all guests.

    Raises
    ------
    InputError
        If a number is out of range, or nobody is called so.
    """
    as_count(terms.n, "n", 2)
    as_count(terms.d, "d", 1)
    as_count(terms.order, "order", 1)
    terms.shape.guarantee.separates_bits()
    if terms.trace:
        trace_of(terms)
    found = entrants(terms.shape)
    names = tuple(dict.fromkeys(entrant.cache for entrant in found))
    for name in only:
        if name not in names:
            raise InputError.among("only", names, shown(name))
    chosen = [entrant for entrant in found if not only or entrant.cache in only]
    return [Match(entrant, terms) for entrant in (*chosen, *guests)]


def league(
    terms: Terms,
    *,
    only: Sequence[str] = (),
    guests: Sequence[Entrant] = (),
    output: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
) -> Iterator[Result]:
    """Play all matches and yield what came of each as it ends, as `sweep` does.

    Parameters
    ----------
    terms : Terms
    only : sequence of str
        Caches that play, as they are called; all if there are none.
    guests : sequence of Entrant
        Others that play beside them.
    output, executor, workers
        As for `sweep`.
    """
    options: dict[str, Any] = {"output": output, "executor": executor, "workers": workers}
    yield from resumed(matches(terms, only, guests), played, Result.of, **options)


def played(match: Match) -> Result:
    """Play a match."""
    terms, factory = match.terms, match.entrant.factory
    try:
        measurement = measured(
            factory,
            terms.shape,
            family=FAMILY,
            levels=None,
            count=terms.instances,
            confidence=DEFAULT_CONFIDENCE,
            seconds=terms.seconds,
            seed=terms.seed,
        )
        drawn = _drawn(match)
    except Misbehaviour as fault:
        return Result(match.key, None, None, None, None, None, f"{fault.kind}: {fault}")
    worst, mean = _errors(measurement)
    found = measurement.efficiency.to_json()
    return Result(match.key, found, worst, mean, drawn, _traced(match), "")


def _drawn(match: Match) -> Dots | None:
    terms, factory = match.terms, match.entrant.factory
    if terms.order != 1:
        return None
    return read_drawing(factory, terms.shape, seconds=terms.seconds, coins=terms.seed).dots


def _errors(measurement: Measurement) -> tuple[float, float]:
    """The worst and the mean distance of answers from the true outputs."""
    family, errors = measurement.family, list[Fraction]()
    for one in measurement.found:
        queries = [family.query(address) for address in one.answers]
        errors += _distances(family.encode(one.symbols), queries, list(one.answers.values()))
    return float(max(errors)), float(sum(errors) / len(errors))


def _traced(match: Match) -> dict[str, Any] | None:
    """What comes of the trace: see `Result`."""
    terms = match.terms
    if not terms.trace:
        return None
    instance = trace_of(terms)
    shape = Shape(terms.order, terms.d, terms.d)
    try:
        with ExitStack() as processes:
            factory = match.entrant.factory
            reader = Reader(factory, shape, seconds=terms.seconds, processes=processes)
            bits, answers = reader.answers(
                instance.tokens, instance.queries, terms.seed, "the trace"
            )
    except Misbehaviour as fault:
        return {"refused": str(fault)}
    errors = [x / instance.bound for x in _distances(instance.tokens, instance.queries, answers)]
    mean = float(sum(errors) / len(errors))
    return {"bits": bits, "worst": float(max(errors)), "mean": mean}


def trace_of(terms: Terms) -> Instance:
    """Return the trace that a league is played on; `InputError` if it has another shape."""
    return read_trace(terms.trace, order=terms.order, n=terms.n, d=terms.d, d_v=terms.d)


def _distances(
    tokens: Sequence[Token], queries: Sequence[Any], answers: Sequence[Answer]
) -> list[Fraction]:
    """How far each number of the answers is from the output, correctly rounded or one ulp away."""
    keys, values = stack(tokens)
    units = [_unit(slot) for slot in values]
    whole = prod(units)
    held = [
        [[unit * Fraction(v) for v in row] for row in slot]
        for slot, unit in zip(values, units, strict=True)
    ]
    outputs = tensor_attention_rounded(queries, keys, held, dtype="float64")
    return [
        abs(o - Fraction(t) / whole)
        for answer, output in zip(answers, outputs, strict=True)
        for o, t in zip(answer, output, strict=True)
    ]


def _unit(slot: Sequence[Sequence[Any]]) -> int:
    """The least whole number that makes floats of rational values: 15 for fifteenths."""
    common = lcm(*(Fraction(v).denominator for row in slot for v in row))
    return common // (common & -common)
