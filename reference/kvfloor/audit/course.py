"""The course of an audit: random instances, the catalogue, a collision, coins; and the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import count, cycle, islice, repeat
from random import Random

from kvfloor.audit.accuracy import (
    SERVES,
    Entered,
    Failure,
    Instance,
    Reported,
    contrast,
    reported,
)
from kvfloor.audit.coins import rate_of, tossed_until_told
from kvfloor.audit.examination import Examination, Reading
from kvfloor.audit.hardest import drawn_hardest, floor_of_bits, hardest_floor
from kvfloor.audit.luck import AS_LIKELY_AS_NOT, at_most, states_of, too_good
from kvfloor.audit.questions import Asker, Question
from kvfloor.audit.result import Finding, Rate, Verdict
from kvfloor.audit.search import find_collision
from kvfloor.audit.symbol_families import HardShape
from kvfloor.caches import derived_seed
from kvfloor.certificates import Document
from kvfloor.collisions import random_inputs
from kvfloor.errors import described
from kvfloor.families import Bits
from kvfloor.floors import Floor, Guarantee, all_correct_probability
from kvfloor.isolation import Factory, Misbehaviour, Refusal

__all__ = ["Course", "Terms"]

LEAST_INSTANCES = 2
LEAST_ASKED = 128  # queries asked of one restored cache
MOST_PRODUCTS = 2**28  # of numbers, in the answers to all queries of an instance
SAMPLED = 256  # queries where there are more
MOST_INSTANCES = 64  # a state of N - 1 bits that varies in length may be wrong very seldom
COINS = 20  # other seeds: wrong at half of all, it goes unseen with probability 2**-20
SUSPECTS = 8  # wrong answers that are asked for again with those seeds
TRIALS = 100  # for the rate of a cache that may not fail, and uses coins
MOST_REPORTED = 3  # failures of the catalogue that are shrunk and certified, of different families


@dataclass(frozen=True)
class Terms:
    """What an audit was asked for: see `audit`."""

    shape: HardShape
    delta: Fraction
    confidence: Fraction
    seconds: float
    seed: int
    jobs: int
    tosses: int
    traces: tuple[Instance, ...]
    only_bits: bool


@dataclass
class Course:
    """An audit under way.

    Attributes
    ----------
    terms : Terms
    examination : Examination
    readings : list of Reading
        Of random instances, with the first coins.
    violation : Document or None
        The first that was found.
    entered : list of Entered
        What came of the catalogue.
    reports : list of Reported
        Of its failures.
    collision : Document or None
    fault : Misbehaviour or None
        What ended the audit before its time.
    error : Exception or None
        Likewise, but it comes from this program and not from the cache.
    rate : Rate or None
        For a cache that uses its coins, or may fail.
    side : int
        Of δ on which the rate lies: 1 above, -1 below, 0 if that is not told.
    """

    terms: Terms
    examination: Examination
    readings: list[Reading] = field(default_factory=list)
    violation: Document | None = None
    entered: list[Entered] = field(default_factory=list)
    reports: list[Reported] = field(default_factory=list)
    collision: Document | None = None
    fault: Misbehaviour | None = None
    error: Exception | None = None
    rate: Rate | None = None
    side: int = 0

    def run(self, factory: Factory) -> None:
        """Run the audit until it ends or the cache misbehaves."""
        try:
            self._read_instances()
            if not self._refuted:
                self._enter_catalogue()
            self._toss_coins()
            self._doubt()
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
            reading = examination.read(bits, seed, self._addresses(), least_asked=least)
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
                raise too_good(f"{size} symbols", self._whole, examination.bits, luck)

    def _addresses(self) -> list[int] | None:
        """Which to ask: a sample if all would take long, and a state may hold all symbols."""
        family, shape = self.examination.family, self.terms.shape
        if family.n ** (1 + shape.order) * (shape.d + shape.d_v) <= MOST_PRODUCTS:
            return None
        if self.readings and self._chance < 1:
            return None
        rng = Random(derived_seed(self.terms.seed, f"asked {len(self.readings)}"))  # noqa: S311
        return sorted(rng.sample(range(family.n), SAMPLED))

    @property
    def _chance(self) -> Fraction:
        """The most probable that all of a random instance is right (T6)."""
        states = states_of(self.examination.sizes)
        return all_correct_probability(self.examination.family.size, states)

    @property
    def _luck(self) -> Fraction:
        """The most probable that all instances that were read whole are right."""
        return self._chance**self._whole

    @property
    def _whole(self) -> int:
        """Instances of which all was asked."""
        return sum(len(r.answers) == self.examination.family.n for r in self.readings)

    @property
    def _refuted(self) -> bool:
        """Whether it is under the floor and shown wrong, and may not fail."""
        return self._under and self.violation is not None and not self.terms.delta

    @property
    def _under(self) -> bool:
        """Whether the state is smaller than the floor."""
        bits = self.examination.bits
        return bits is not None and bits < self.floor.bits

    @cached_property
    def floor(self) -> Floor:
        """What it is held to: all inputs, or zeros and ones if it is made or tried for them."""
        shape, delta = self.terms.shape, self.terms.delta
        only_bits = self.terms.only_bits or self._made_for_some
        return floor_of_bits(shape, delta) if only_bits else hardest_floor(shape, delta)

    def _enter_catalogue(self) -> None:
        """Try the catalogue; report the worst failure of each family that has one."""
        rng = Random(derived_seed(self.terms.seed, "hardest"))  # noqa: S311 (repeatable)
        drawn = drawn_hardest(self.terms.shape, self.floor, rng)
        hardest = () if drawn is None else (drawn.instance,)
        self.entered = self.examination.enter(self.terms.seed, self.terms.traces, hardest)
        if self.terms.delta:
            return  # some may fail: coins say whether too many do
        for entered in self._worst_failed()[:MOST_REPORTED]:
            failure = max(entered.failures, key=lambda failure: failure.miss.excess)
            found = reported(self.examination.bench, failure, self.examination.cache)
            self.examination.confirm(found.small)
            self.reports.append(found)

    def _doubt(self) -> None:
        """Read instances of the floor's own family if nothing is wrong from states under it.

        Raises
        ------
        Misbehaviour
            If more comes back than its states hold: that is T6 for symbols of L levels.
        """
        if not self._under or self._wrong or self.terms.delta:
            return
        bench, seed = self.examination.bench, self.terms.seed
        rng, sizes = Random(derived_seed(seed, "doubted")), set[int]()  # noqa: S311 (repeatable)
        for read in range(1, MOST_INSTANCES + 1):
            drawn = drawn_hardest(self.terms.shape, self.floor, rng)
            if drawn is None or not drawn.whole:
                return
            try:
                state, answers = bench.run(drawn.instance, seed)
            except Refusal:
                return
            if not drawn.given_back(answers):
                return
            sizes.add(state.bits)
            levels, size = drawn.family.L, drawn.family.size
            luck = min(Fraction(1), Fraction(states_of(sizes), levels**size)) ** read
            if luck <= min(1 - self.terms.confidence, AS_LIKELY_AS_NOT):
                raise too_good(f"{size} symbols of {levels} levels", read, max(sizes), luck)

    def _worst_failed(self) -> list[Entered]:
        """The first entry of every family with a failure."""
        first = dict[str, Entered]()
        for entered in self.entered:
            if entered.failures:
                first.setdefault(entered.entry.family, entered)
        return list(first.values())

    def _toss_coins(self) -> None:
        """See whether the cache uses its coins; if so, estimate how often it fails.

        What was wrong most often is asked again, with fresh coins, so that a cache that is right
        often enough at each query is believed; where nothing was, random queries are asked.
        """
        delta = self.terms.delta
        if not delta and (self.violation is not None or self.reports):
            return
        seeds = self._other_seeds()
        if not delta and not self._coins_matter(seeds):
            return
        asker = Asker(self.examination.bench, self.examination.cache, seeds)
        suspect = self._suspect(asker)
        questions = self._random_questions() if suspect is None else repeat(suspect)

        def accurate(trials: int) -> list[bool]:
            return asker.accurate(questions, trials)

        if delta:
            most = self.terms.tosses
            self.rate, self.side = tossed_until_told(accurate, delta, self.terms.confidence, most)
        else:
            wrong = TRIALS - sum(accurate(TRIALS))
            self.rate = rate_of(wrong, TRIALS, self.terms.confidence)
        if self.violation is None:
            self.violation = asker.violation

    def _coins_matter(self, seeds: Iterator[int]) -> bool:
        """Whether other coins lead to another state or other answers."""
        reading = self.readings[-1]
        asked = islice(cycle(reading.asked), COINS)
        return not all(
            self.examination.repeats(reading, address, seed)
            for address, seed in zip(asked, seeds, strict=False)
        )

    def _suspect(self, asker: Asker) -> Question | None:
        """The question that was wrong most often, with these coins and some more."""
        reading = self.readings[-1]
        suspects = [self._asked(reading.bits, a) for a in reading.outside[:SUSPECTS]]
        failures = [f for entered in self.entered for f in entered.failures]
        failures.sort(key=lambda f: (len(f.instance.tokens), -f.miss.excess))
        suspects += [self._doubted(failure) for failure in failures[:SUSPECTS]]
        wrong = [COINS - sum(asker.accurate(repeat(q), COINS)) for q in suspects]
        return suspects[wrong.index(max(wrong))] if suspects else None

    def _asked(self, bits: Bits, address: int) -> Question:
        family = self.examination.family
        instance = Instance(tuple(family.encode(bits)), (family.query(address),))
        return Question(instance, family.guarantee)

    def _doubted(self, failure: Failure) -> Question:
        """The question of a failure; plain, as coins are tossed in no other course."""
        guarantee, instance = self.examination.family.guarantee, failure.instance
        alone = Instance(instance.tokens, (instance.queries[failure.miss.query],))
        held = Guarantee(guarantee.eta, guarantee.alpha * instance.bound)
        return Question(alone, held)

    def _other_seeds(self) -> Iterator[int]:
        return (derived_seed(self.terms.seed, f"coins {k}") for k in count())

    def _random_questions(self) -> Iterator[Question]:
        """Of few instances, as their true outputs take longer than the cache's answers."""
        family, seed = self.examination.family, self.terms.seed
        rng = Random(derived_seed(seed, "addresses"))  # noqa: S311 (repeatable, no secrets here)
        drawn = random_inputs(family.size, derived_seed(seed, "trials"))
        known = [
            self._asked(bits, rng.randrange(family.n))
            for _, bits in zip(range(TRIALS), drawn, strict=False)
        ]
        while True:
            yield rng.choice(known)

    @property
    def unheard(self) -> tuple[str, ...]:
        """Families of the catalogue of which a cache for all inputs took nothing."""
        asked, refused = set[str](), dict[str, None]()
        for found in self.entered:
            if found.asked:
                asked.add(found.entry.family)
            elif found.refused:
                refused[found.entry.family] = None
        return () if self._made_for_some else tuple(f for f in refused if f not in asked)

    @property
    def _made_for_some(self) -> bool:
        """Whether it is made for some inputs alone, and says for which by a name that is known."""
        return self.examination.serves in {*SERVES} - {""}

    @property
    def _wrong(self) -> bool:
        """Whether the guarantee is broken: by one answer, or by too many where some may fail."""
        if self.terms.delta:
            return self.side > 0
        return self.violation is not None or bool(self.reports)

    @property
    def verdict(self) -> Verdict:
        """What comes of it."""
        if self.error is not None:
            return "error"
        if self.fault is not None:
            return "misbehaves"
        if self.terms.delta and not self.side:
            return "undecided"
        if not self._wrong:
            return "undecided" if self._under or self.unheard else "within-guarantee"
        return "refuted" if self._under else "violates"

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
        found += [Finding("violation", one.reason, one.certificate) for one in self.reports]
        if self.collision is not None:
            reason = "two instances end in one state, and no answer is accurate for both"
            found.append(Finding("collision", reason, self.collision))
        return tuple(found)

    def _violated(self) -> str:
        document = self.violation or {}
        answer, output = (Fraction(document["answer"]), Fraction(document["output"]["lower"]))
        reason = contrast(answer, output)
        if (luck := self._chance ** len(self.readings)) <= AS_LIKELY_AS_NOT:
            reason += (
                f"; {max(self.examination.sizes)} bits answer so many random instances as were "
                f"tried ({len(self.readings)}) rightly with probability at most {at_most(luck)}"
            )
        if self.rate is not None:
            low, high = float(self.rate.low), float(self.rate.high)
            reason += f"; over its coins it fails with probability {low:.3f}-{high:.3f}"
        return reason
