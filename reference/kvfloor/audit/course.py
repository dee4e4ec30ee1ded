"""The course of an audit: random instances, a collision, coins; and the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count, repeat
from random import Random

from kvfloor.audit.examination import Examination, Reading
from kvfloor.audit.result import Finding, Verdict
from kvfloor.audit.search import find_collision
from kvfloor.caches import derived_seed
from kvfloor.certificates import Document
from kvfloor.collisions import random_inputs
from kvfloor.errors import described
from kvfloor.families import Bits
from kvfloor.floors import all_correct_probability, clopper_pearson, states_up_to
from kvfloor.isolation import Factory, Misbehaviour

__all__ = ["Course", "Terms"]

LEAST_INSTANCES = 2
LEAST_ASKED = 128  # queries asked of one restored cache
MOST_INSTANCES = 64  # a state of N - 1 bits that varies in length may be wrong very seldom
AS_LIKELY_AS_NOT = Fraction(1, 2)  # what has no smaller probability says nothing
COINS = 20  # other seeds: wrong at half of all, it goes unseen with probability 2**-20
SUSPECTS = 8  # wrong answers that are asked for again with those seeds
TRIALS = 100  # for the interval of success


@dataclass(frozen=True)
class Terms:
    """What an audit was asked for: see `audit`."""

    floor_bits: int
    delta: Fraction
    confidence: Fraction
    seconds: float
    seed: int
    jobs: int


@dataclass
class Course:
    """An audit under way.

    Attributes
    ----------
    terms : Terms
    examination : Examination
    readings : list of Reading
        Of random instances, with the first coins.
    tosses : list of Reading
        With other coins, if they make a difference or the cache may fail.
    violation : Document or None
        The first that was found.
    collision : Document or None
    fault : Misbehaviour or None
        What ended the audit before its time.
    error : Exception or None
        Likewise, but it comes from this program and not from the cache.
    success : pair of Fractions or None
        The interval for a cache that uses its coins, or may fail.
    """

    terms: Terms
    examination: Examination
    readings: list[Reading] = field(default_factory=list)
    tosses: list[Reading] = field(default_factory=list)
    violation: Document | None = None
    collision: Document | None = None
    fault: Misbehaviour | None = None
    error: Exception | None = None
    success: tuple[Fraction, Fraction] | None = None

    def run(self, factory: Factory) -> None:
        """Run the audit until it ends or the cache misbehaves."""
        try:
            self._read_instances()
            self._toss_coins()
            family, bits = self.examination.family, self.examination.bits
            if self._wrong and bits is not None and bits < family.size:
                self.collision = find_collision(
                    factory,
                    family,
                    bits=bits,
                    instance=self.readings[0].bits,
                    seed=self.terms.seed,
                    seconds=self.terms.seconds,
                    jobs=self.terms.jobs,
                )
        except Misbehaviour as fault:
            self.fault = fault
        except Exception as error:  # whatever a cache does is a misbehaviour
            self.error = error

    def _read_instances(self) -> None:
        """Random instances, until one is wrong or nobody would believe in luck any more (T6)."""
        examination, seed = self.examination, self.terms.seed
        size = examination.family.size
        for bits in random_inputs(size, derived_seed(seed, "instances")):
            if self.violation is not None:
                examination.state(bits, seed)  # its size may depend on the instance
                return
            least = LEAST_ASKED if not self.readings else 0
            reading = examination.read(bits, seed, least_asked=least)
            self.readings.append(reading)
            self.violation = examination.violation(reading, seed)
            if len(self.readings) == 1:
                examination.cross_examine(reading, seed)
            if len(self.readings) < LEAST_INSTANCES or self.violation is not None:
                continue
            luck = self._luck
            if luck == 1 or len(self.readings) == MOST_INSTANCES:
                return
            if luck <= min(1 - self.terms.confidence, AS_LIKELY_AS_NOT):
                reason = (
                    f"all {size} symbols of {len(self.readings)} random instances are right from "
                    f"{examination.bits} bits, which has probability at most {_power(luck)} unless "
                    "something is kept outside the state"
                )
                raise Misbehaviour("outside-state", reason)

    @property
    def _luck(self) -> Fraction:
        """The most probable that all instances so far are right (T6).

        States that all had the same bits are taken to have them always.
        """
        sizes = self.examination.sizes
        states = 2 ** max(sizes) if len(sizes) == 1 else states_up_to(max(sizes))
        size = self.examination.family.size
        return all_correct_probability(size, states) ** len(self.readings)

    def _toss_coins(self) -> None:
        """See whether the cache uses its coins; if so, estimate how often it is right.

        What was wrong most often is asked again, with fresh coins, so that a cache that is right
        often enough at each query is believed; where nothing was, random queries are asked.
        """
        if self.violation is not None and not self.terms.delta:
            return
        examination, reading, seeds = self.examination, self.readings[-1], self._other_seeds()
        others = []
        for k, seed in zip(range(COINS), seeds, strict=False):
            asked = reading.outside[:SUSPECTS] or [k % examination.family.n]
            others.append((examination.read(reading.bits, seed, asked), seed))
        if not self.terms.delta and all(other.agrees(reading) for other, _ in others):
            return
        for other, seed in others:
            self._keep(other, seed)
        suspects = Counter(address for r in (reading, *self.tosses) for address in r.outside)
        questions = self._random_queries()
        if suspects:
            ((address, _),) = suspects.most_common(1)
            questions = repeat((reading.bits, address))
        trials = [
            self._keep(examination.read(bits, seed, [address]), seed)
            for _, (bits, address), seed in zip(range(TRIALS), questions, seeds, strict=False)
        ]
        self.success = clopper_pearson(sum(trials), TRIALS, self.terms.confidence)

    def _other_seeds(self) -> Iterator[int]:
        return (derived_seed(self.terms.seed, f"coins {k}") for k in count())

    def _random_queries(self) -> Iterable[tuple[Bits, int]]:
        family, seed = self.examination.family, self.terms.seed
        rng = Random(derived_seed(seed, "addresses"))  # noqa: S311 (repeatable, no secrets here)
        for bits in random_inputs(family.size, derived_seed(seed, "trials")):
            yield bits, rng.randrange(family.n)

    def _keep(self, reading: Reading, seed: int) -> bool:
        """Keep what came of other coins; return whether it is accurate."""
        self.tosses.append(reading)
        if self.violation is None:
            self.violation = self.examination.violation(reading, seed)
        return not reading.outside

    @property
    def _wrong(self) -> bool:
        """Whether the guarantee is broken: by one answer, or by too many where some may fail."""
        if not self.terms.delta:
            return self.violation is not None
        return self.success is not None and self.success[1] < 1 - self.terms.delta

    @property
    def verdict(self) -> Verdict:
        """What comes of it."""
        if self.error is not None:
            return "error"
        if self.fault is not None:
            return "misbehaves"
        if not self._wrong:
            return "within-guarantee"
        bits = self.examination.bits
        return "refuted" if bits is not None and bits < self.terms.floor_bits else "violates"

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that was found wrong, with its certificates."""
        found = []
        if self.error is not None:
            found.append(Finding("error", described(self.error)))
        if self.fault is not None:
            found.append(Finding(self.fault.kind, self.fault.reason))
        if self.violation is not None and (self._wrong or self.verdict in ("misbehaves", "error")):
            found.append(Finding("violation", self._violated(), self.violation))
        if self.collision is not None:
            reason = "two instances end in one state, and no answer is accurate for both"
            found.append(Finding("collision", reason, self.collision))
        return tuple(found)

    def _violated(self) -> str:
        document = self.violation or {}
        answer, output = (
            float(Fraction(text)) for text in (document["answer"], document["output"]["lower"])
        )
        reason = f"it answers {answer:.6g} where the output is {output:.6g}"
        if (luck := self._luck) <= AS_LIKELY_AS_NOT:
            reason += (
                f"; {self.examination.bits} bits answer so many random instances as were tried "
                f"({len(self.readings)}) rightly with probability at most {_power(luck)}"
            )
        if self.success is not None:
            low, high = (float(end) for end in self.success)
            reason += (
                f"; over its coins an answer is accurate with probability {low:.3f}-{high:.3f}"
            )
        return reason


def _power(chance: Fraction) -> str:
    """A power of two that is at least a chance, which is at most 1/2."""
    return f"2^-{(chance.denominator // chance.numerator).bit_length() - 1}"
