"""How much of what a cache keeps it gives back: certified bits over bits of its state (H5)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random
from typing import Any, NamedTuple

from kvfloor.audit.auditor import DEFAULT_CONFIDENCE, as_seconds, label
from kvfloor.audit.reading_back import REFUSED, ReadBack, Reader, drawn
from kvfloor.audit.symbol_families import HardShape, SymbolFamily, offered
from kvfloor.caches import derived_seed
from kvfloor.floors import Guarantee, as_confidence, certified_bits
from kvfloor.isolation import SECONDS, Factory, Misbehaviour, Shape
from kvfloor.numbers import as_count

__all__ = ["DEFAULT_INSTANCES", "Efficiency", "Measurement", "efficiency", "measured"]

DEFAULT_INSTANCES = 4
TRIED = 32  # addresses of an instance that only serves to choose


@dataclass(frozen=True)
class Efficiency:
    """Bits that a cache gives back for certain, beside the bits that it keeps.

    Attributes
    ----------
    cache : str
        Its name, with its options if it has any.
    order, n, d, d_v : int
        The shape.
    guarantee : Guarantee
        (η, α) of the answers that are told apart.
    family : str
        Of the instances.
    levels : int
        L, of every symbol.
    instances, symbols, wrong : int
        Instances; symbols that were asked for in all of them, and those that answers did not
        reveal.
    retrieved : Fraction
        Certified bits of a state, per instance.
    bits : int
        Of the largest state.
    confidence : Fraction
        Of what is certified.
    seconds : float
    """

    cache: str
    order: int
    n: int
    d: int
    d_v: int
    guarantee: Guarantee
    family: str
    levels: int
    instances: int
    symbols: int
    wrong: int
    retrieved: Fraction
    bits: int
    confidence: Fraction
    seconds: float = field(compare=False)

    @property
    def efficiency(self) -> Fraction:
        """Certified bits over bits of the state, at most 1."""
        return self.retrieved / self.bits if self.bits else Fraction(0)

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object, exact numbers as text."""
        return {
            "cache": self.cache,
            "order": self.order,
            "n": self.n,
            "d": self.d,
            "d_v": self.d_v,
            "eta": str(self.guarantee.eta),
            "alpha": str(self.guarantee.alpha),
            "family": self.family,
            "levels": self.levels,
            "instances": self.instances,
            "symbols": self.symbols,
            "wrong": self.wrong,
            "retrieved": str(self.retrieved),
            "bits": self.bits,
            "efficiency": float(self.efficiency),
            "confidence": str(self.confidence),
            "seconds": round(self.seconds, 3),
        }


def efficiency(
    factory: Factory,
    *,
    n: int,
    d: int,
    d_v: int | None = None,
    order: int = 1,
    alpha: Any,
    eta: Any = 0,
    family: str = "auto",
    levels: int | None = None,
    instances: int = DEFAULT_INSTANCES,
    confidence: Any = DEFAULT_CONFIDENCE,
    seconds: float = SECONDS,
    seed: int = 0,
) -> Efficiency:
    """Measure how many bits of its state a cache gives back, at an accuracy.

    Random instances hold symbols; the cache takes them in in one process, and answers every query
    in another that gets the bytes of the state alone. What answers of the accuracy tell apart is
    counted, and certified: with the confidence no cache at all gets more than its bits. Family
    and levels are chosen on an instance each that does not count.

    Parameters
    ----------
    factory : CacheFactory or "MODULE:FACTORY"
        As for `audit`.
    n, d : int
        Tokens, ``n**order <= 4096``; dimension of keys.
    d_v : int, optional
        Dimension of values; by default d.
    order : int
        m; slots of keys and values.
    alpha, eta : number
        The guarantee (η, α): levels are as near to each other as such answers tell apart.
    family : "auto" or one of `SYMBOL_FAMILIES`
        Of the instances.
    levels : int, optional
        L, of each symbol.
    instances : int
        That count, each with coins of its own.
    confidence : number
        Of what is certified.
    seconds : float
        Time limit for each answer, and for taking in each instance.
    seed : int
        Of instances and of the cache's public coins, which are independent.

    Returns
    -------
    Efficiency

    Raises
    ------
    InputError
        For a number out of range, a family that there is not at the shape, or a factory that
        other processes cannot find.
    Misbehaviour
        Of `kvfloor.isolation`: if the cache does what no cache may do, refuses all instances
        (kind "refused"), or gives back more than its state can hold ("outside-state").

    Notes
    -----
    H5 `retrievable-information`.
    """
    return measured(
        factory,
        HardShape(
            as_count(order, "order", 1),
            as_count(n, "n", 1),
            as_count(d, "d", 1),
            as_count(d if d_v is None else d_v, "d_v", 1),
            Guarantee(eta, alpha),
        ),
        family=family,
        levels=None if levels is None else as_count(levels, "levels", 2),
        count=as_count(instances, "instances", 1),
        confidence=as_confidence(confidence),
        seconds=as_seconds(seconds),
        seed=as_count(seed, "seed"),
    ).efficiency


class Measurement(NamedTuple):
    """An efficiency, and what it was measured on.

    Attributes
    ----------
    efficiency : Efficiency
    family : SymbolFamily
    found : list of ReadBack
        Of the instances that count.
    """

    efficiency: Efficiency
    family: SymbolFamily
    found: list[ReadBack]


def measured(
    factory: Factory,
    hard: HardShape,
    *,
    family: str,
    levels: int | None,
    count: int,
    confidence: Fraction,
    seconds: float,
    seed: int,
) -> Measurement:
    """Measure an efficiency; see there."""
    started, name = time.perf_counter(), label(factory)
    families = offered(hard, family, levels)
    with ExitStack() as processes:
        shape = Shape(hard.order, hard.d, hard.d_v)
        reader = Reader(factory, shape, seconds=seconds, processes=processes)
        chosen = _chosen(reader, families, count, confidence, seed)
        found = [_read(reader, chosen, seed, f"instance {k}") for k in range(count)]
    retrieved, bits = _certified(chosen, found, count, confidence), max(f.bits for f in found)
    if retrieved > bits:
        raise _too_good(retrieved, bits, confidence)
    efficiency = Efficiency(
        cache=name,
        order=hard.order,
        n=hard.n,
        d=hard.d,
        d_v=hard.d_v,
        guarantee=hard.guarantee,
        family=chosen.name,
        levels=chosen.L,
        instances=count,
        symbols=count * chosen.size,
        wrong=sum(one.wrong for one in found),
        retrieved=retrieved,
        bits=bits,
        confidence=confidence,
        seconds=time.perf_counter() - started,
    )
    return Measurement(efficiency, chosen, found)


def _chosen(
    reader: Reader, families: Sequence[SymbolFamily], count: int, confidence: Fraction, seed: int
) -> SymbolFamily:
    """The family of which most would be certified if all instances were like one that is tried."""
    if len(families) == 1:
        return families[0]
    tried, refusals = list[tuple[Fraction, SymbolFamily]](), list[Misbehaviour]()
    for family in families:
        every = family.addresses
        asked = Random(seed).sample(range(every), min(TRIED, every))  # noqa: S311 (repeatable)
        try:
            found = _read(reader, family, seed, f"tried {family.name} {family.L}", asked)
        except Misbehaviour as fault:
            if fault.kind != REFUSED:
                raise
            refusals.append(fault)
            continue
        alike = found._replace(wrong=min(family.size, found.wrong * every // len(asked)))
        tried.append((_certified(family, [alike] * count, count, confidence), family))
    if not tried:
        raise refusals[0]
    return max(tried, key=lambda one: one[0])[1]


def _read(
    reader: Reader,
    family: SymbolFamily,
    seed: int,
    purpose: str,
    addresses: Sequence[int] | None = None,
) -> ReadBack:
    """Read an instance back, drawn for a purpose; coins are independent of it."""
    symbols = drawn(family, seed, purpose)
    return reader.read(family, symbols, derived_seed(seed, f"coins of {purpose}"), addresses)


def _certified(
    family: SymbolFamily, found: Sequence[ReadBack], count: int, confidence: Fraction
) -> Fraction:
    lengths = {one.bits for one in found}
    return certified_bits(
        family.size,
        family.L,
        instances=count,
        wrong=sum(one.wrong for one in found),
        longest=max(lengths),
        alike=len(lengths) == 1,
        confidence=confidence,
    )


def _too_good(retrieved: Fraction, bits: int, confidence: Fraction) -> Misbehaviour:
    reason = (
        f"{float(retrieved):.1f} bits come back from a state of {bits}, which has probability at "
        f"most {float(1 - confidence):.1g} unless something is kept outside the state"
    )
    return Misbehaviour("outside-state", reason)
