"""A cache against its floor: measured, refuted where it must fail, tried where it need not."""

from __future__ import annotations

import os
import time
import traceback
from contextlib import ExitStack
from fractions import Fraction
from typing import Any

from kvfloor.audit.accuracy import read_trace
from kvfloor.audit.coins import MOST_TOSSES
from kvfloor.audit.course import Course, Terms
from kvfloor.audit.examination import Examination
from kvfloor.audit.hardest import BINARY
from kvfloor.audit.result import Audit, Examined
from kvfloor.audit.symbol_families import HardShape
from kvfloor.caches import Configured, describe
from kvfloor.certificates import MOST_WORK, most_work
from kvfloor.errors import InputError
from kvfloor.families import BinaryValues, binary_keys
from kvfloor.floors import Guarantee, as_confidence
from kvfloor.isolation import SECONDS, Factory
from kvfloor.numbers import as_count, as_fraction, shown

__all__ = [
    "DEFAULT_ALPHA",
    "DEFAULT_CONFIDENCE",
    "FAMILIES",
    "as_seconds",
    "audit",
    "hard_family",
    "label",
]

FAMILIES = ("auto", BINARY)
MOST_SECONDS = 10**6
DEFAULT_ALPHA = Fraction(1, 8)  # a quarter of what still tells 0 from 1
DEFAULT_CONFIDENCE = Fraction(999_999, 1_000_000)


def audit(
    factory: Factory,
    *,
    n: int,
    d: int,
    order: int = 2,
    family: str = "auto",
    eta: Any = 0,
    alpha: Any = DEFAULT_ALPHA,
    delta: Any = 0,
    confidence: Any = DEFAULT_CONFIDENCE,
    seconds: float = SECONDS,
    seed: int = 0,
    jobs: int = 1,
    tosses: int = MOST_TOSSES,
    traces: str | os.PathLike[str] | None = None,
) -> Audit:
    """Compare a cache with its floor; show it wrong if it is under it, try it if it is not.

    The cache runs in processes of its own, and answers only from the bytes of its state. Under the
    floor random instances expose it (T6), and where the search is feasible two instances in one
    state as well (T5). What is not, is tried on a catalogue of instances, for accuracy. Whatever a
    cache does, the audit returns; it even does if this program fails on the way, with the verdict
    "error".

    Parameters
    ----------
    factory : CacheFactory or "MODULE:FACTORY"
        A class or function of a module that other processes can import, by itself or as text; or
        what `configure` makes of either.
    n, d : int
        Tokens; dimension of keys and of values, ``2**d >= n``.
    order : int
        m; slots of keys and values.
    family : "auto" or "binary-values"
        Of the instances; the catalogue is tried beside both.
    eta, alpha : number
        The guarantee (η, α) that answers are held to.
    delta : number
        For a cache that uses its public coins: how often it may fail at a query, ``0 <= δ < 1/2``.
        At 0 one wrong answer is too many, with whatever coins.
    confidence : number
        Of what is said about random instances and coins.
    seconds : float
        Time limit for each answer, for taking in each instance, and for each search.
    seed : int
        Of instances, and the first of the cache's public coins.
    jobs : int
        Processes that search for a collision.
    tosses : int
        With δ > 0 the most coins that are tossed to tell the failure rate from δ.
    traces : path, optional
        Keys, values and queries of your own, ``.npz`` or ``.safetensors``: see `read_trace`.

    Returns
    -------
    Audit

    Raises
    ------
    InputError
        For a number out of range, a shape too large for certificates to be checked, or a factory
        that other processes cannot find.

    Notes
    -----
    T1 `four-cache`, T5 `collision`, T6 `random-instance-fails`.
    """
    started = time.perf_counter()
    hard = hard_family(family, n=n, d=d, order=order, guarantee=Guarantee(eta, alpha))
    name = label(factory)
    terms = Terms(
        shape=HardShape(hard.order, hard.n, hard.book.d, hard.d_v, hard.guarantee),
        delta=_as_delta(delta),
        confidence=as_confidence(confidence),
        seconds=as_seconds(seconds),
        seed=as_count(seed, "seed"),
        jobs=as_count(jobs, "jobs", 1),
        tosses=as_count(tosses, "tosses", 1),
        traces=() if traces is None else (read_trace(traces, order=order, n=n, d=d, d_v=d),),
        only_bits=family == BINARY,
    )
    with ExitStack() as processes:
        examination = Examination(factory, hard, seconds=terms.seconds, processes=processes)
        course = Course(terms, examination)
        course.run(factory)
        scope, serves, beyond = examination.scope, examination.serves, examination.beyond
    readings = course.readings
    worst = [reading.worst_error for reading in readings]
    worst += [entered.worst for entered in course.entered]
    symbols = hard.d_v * sum(len(r.answers) for r in readings)
    return Audit(
        cache=name,
        order=order,
        n=n,
        d=d,
        bits=examination.bits,
        floor=course.floor,
        unheard=course.unheard,
        verdict=course.verdict,
        findings=course.findings,
        recovered=1 - Fraction(sum(r.wrong for r in readings), symbols) if readings else None,
        worst_error=max(worst, default=None),
        success=None if course.rate is None else (1 - course.rate.high, 1 - course.rate.low),
        seconds=time.perf_counter() - started,
        scope=scope,
        traceback="".join(traceback.format_exception(course.error)) if course.error else "",
        serves=serves,
        beyond=beyond,
        rate=course.rate,
        accuracy=tuple(
            Examined(e.entry.name, e.entry.family, e.asked, e.stood, e.worst, e.refused)
            for e in course.entered
        ),
    )


def hard_family(family: str, *, n: int, d: int, order: int, guarantee: Guarantee) -> BinaryValues:
    """Return the hard family of a name for a shape.

    Raises
    ------
    InputError
        If there is no such family, or its certificates would be too large to be checked.
    """
    if family not in FAMILIES:
        raise InputError.among("family", FAMILIES, shown(family))
    n, d, order = as_count(n, "n", 1), as_count(d, "d", 1), as_count(order, "order", 1)
    if most_work(order=order, d_v=d, self_token=False, rows=n, d=d) > MOST_WORK:
        expected = "a shape whose certificates can be checked in seconds"
        raise InputError("n", expected, f"order={order}, n={n}, d={d}")
    return BinaryValues(binary_keys(n, d), d_v=d, order=order, guarantee=guarantee)


def label(factory: Factory) -> str:
    """Return how a factory is called in reports; `InputError` if it has no name."""
    if isinstance(factory, str):
        if not all(factory.partition(":")):
            raise InputError("factory", "MODULE:FACTORY", shown(factory))
        return factory
    if isinstance(factory, Configured):
        options = ", ".join(f"{name}={value}" for name, value in factory.options)
        return f"{label(factory.cache_class)}({options})"
    return str(describe(factory)["name"])


def _as_delta(delta: Any) -> Fraction:
    exact = as_fraction(delta, "delta")
    if not 0 <= exact < Fraction(1, 2):  # by fair coins alone every bit is right that often
        raise InputError("delta", "a number with 0 <= delta < 1/2", shown(exact))
    return exact


def as_seconds(seconds: float) -> float:
    """Return a limit of time in seconds; `InputError` if it is none."""
    exact = as_fraction(seconds, "seconds")
    if not 0 < exact <= MOST_SECONDS:
        raise InputError("seconds", f"a number with 0 < seconds <= {MOST_SECONDS}", shown(exact))
    return float(exact)
