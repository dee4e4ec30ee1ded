"""The run: every entry of the catalogue that applies, at full size and on what Hypothesis draws."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from time import perf_counter
from typing import Any, NamedTuple

import hypothesis

from kvfloor.conformance.backward import (
    Backward,
    BackwardCase,
    find_gradient_stage,
    judge_gradients,
)
from kvfloor.conformance.case import Case, Relation
from kvfloor.conformance.catalogue import Entry, as_entry, catalogue_of
from kvfloor.conformance.comparison import Judgement
from kvfloor.conformance.declarations import BITWISE
from kvfloor.conformance.draft import Draft, NoCase
from kvfloor.conformance.draws import drafts
from kvfloor.conformance.follower import Follower
from kvfloor.conformance.interpreter import check_interpreter
from kvfloor.conformance.judge import judge
from kvfloor.conformance.merging import Merging
from kvfloor.conformance.power import Power, least_power
from kvfloor.conformance.report import Failure, NotRun, Repeated, Report
from kvfloor.conformance.reproducer import write_test
from kvfloor.conformance.size import Size
from kvfloor.conformance.stages import find_stage
from kvfloor.conformance.storage import unstored
from kvfloor.conformance.storing import find_stored
from kvfloor.conformance.target import Target
from kvfloor.errors import InputError
from kvfloor.numbers import as_count

__all__ = ["check", "check_backward", "check_merge", "run"]

AGREEMENT = ("bitwise", "within the bound", "without a bound", "fails")
SHRINKING = 60  # examples drawn to find a small input where the large one fails


def check(
    function: Callable[..., Any],
    *,
    dtype: Any,
    accumulate: Any,
    examples: int = 10,
    seed: int = 0,
    flags: Iterable[str] | None = None,
    power: bool = False,
    **declared: Any,
) -> Report:
    """Compare an implementation of attention with the correctly rounded results.

    Parameters
    ----------
    function : callable
        ``f(q, (K1, ...), (V1, ...), scale=..., mask=...)``; see `Target`.
    dtype, accumulate
        The formats of the inputs and of the arithmetic.
    examples : int
        Cases that Hypothesis draws for each entry, besides those at full size; 0 for none, so that
        what fails is not made smaller.
    seed : int
        Of all that is drawn.
    flags : iterable of str, optional
        Entries to run; all that apply by default.
    power : bool
        Whether to find the smallest faults that each entry shows, which takes longer.
    **declared
        The other parameters of `Target`: ``order``, ``layout``, ``scale``, ``mask``, ``returns``,
        ``block``, ``weights``, ``exp_ulps``, ``empty``, ``grouped``, ``arrays``, ``domain``,
        ``skips``, ``bitwise``, ``splits``.

    Returns
    -------
    Report
        It passes only if every element is within the bound that is derived for the declaration.

    Raises
    ------
    InputError
        If a declaration is out of range, or a flag unknown.
    """
    target = Target(function, dtype=dtype, accumulate=accumulate, **declared)
    return run(target, examples=examples, seed=seed, flags=flags, power=power)


def check_merge(
    function: Callable[..., Any],
    *,
    dtype: Any,
    accumulate: Any,
    examples: int = 10,
    seed: int = 0,
    flags: Iterable[str] | None = None,
    power: bool = False,
    **declared: Any,
) -> Report:
    """Compare a function that merges partial states of attention with what is right.

    Parameters
    ----------
    function : callable
        ``f(outputs, logsumexps)``; see `Merging`.
    dtype, accumulate
        The formats of the outputs and of the arithmetic.
    examples, seed, flags, power
        As in `check`; entries are those of `MERGES`.
    **declared
        The other parameters of `Merging`: ``logsumexps``, ``logsumexp_base``, ``exp_base``,
        ``block``, ``weights``, ``exp_ulps``, ``empty``, ``skips``, ``returns``, ``arrays``,
        ``domain``.

    Returns
    -------
    Report

    Raises
    ------
    InputError
        If a declaration is out of range, or a flag unknown.

    Notes
    -----
    Merging is attention of order 1 whose logits are given: E3 `forward-error`, E4 `centred-error`.
    """
    target = Merging(function, dtype=dtype, accumulate=accumulate, **declared)
    return run(target, examples=examples, seed=seed, flags=flags, power=power)


def check_backward(
    function: Callable[..., Any],
    *,
    dtype: Any,
    accumulate: Any,
    examples: int = 10,
    seed: int = 0,
    flags: Iterable[str] | None = None,
    **declared: Any,
) -> Report:
    """Compare a backward pass of attention with the right gradients.

    Parameters
    ----------
    function : callable
        ``f(q, (K1, ...), (V1, ...), cotangent, scale=..., mask=..., output=..., logsumexp=...)``,
        or with ``differentiable=True`` a forward pass of PyTorch or JAX; see `Backward`.
    dtype, accumulate
        The formats of the inputs and of the arithmetic.
    examples, seed, flags
        As in `check`; entries are those of `BACKWARDS`.
    **declared
        The other parameters of `Backward`: ``differentiable``, ``reads``, ``weights``, ``added``,
        ``block``, ``order``, ``layout``, ``scale``, ``mask``, ``exp_ulps``, ``logsumexp_base``,
        ``grouped``, ``arrays``, ``domain``.

    Returns
    -------
    Report
        It passes only if every gradient is within the bound that E5 derives for the declaration.

    Raises
    ------
    InputError
        If a declaration is out of range, or a flag unknown.

    Notes
    -----
    E5 `gradient-rounding`.
    """
    target = Backward(function, dtype=dtype, accumulate=accumulate, **declared)
    return run(target, examples=examples, seed=seed, flags=flags)


def run(
    target: Target,
    *,
    examples: int = 10,
    seed: int = 0,
    flags: Iterable[str] | None = None,
    power: bool = False,
    progress: Callable[[float, int], None] | None = None,
) -> Report:
    """Do the same for a target that is made already.

    ``progress(done, entries)`` is called before each entry, after its cases and as the oracle
    settles their numbers, with shares of an entry; in the end with two equal numbers.
    """
    as_count(examples, "examples")
    as_count(seed, "seed")
    if power and isinstance(target, Backward):
        raise InputError("power", "False, as it is known for outputs alone", "True")
    started = perf_counter()
    catalogue = catalogue_of(target)
    entries = catalogue if flags is None else tuple(map(as_entry, flags))
    totals, failed, failures, not_run = _Totals(power), [], [], []
    follow = Follower(progress, len(entries))
    for done, entry in enumerate(entries):
        follow.begin(done)
        reason = entry.unless(target) if entry in catalogue else "it is for another kind of target"
        if reason and flags is not None:
            expected = "entries that apply to the target"
            raise InputError("flags", expected, f"{entry.flag!r}: {reason}")
        try:
            finding = None if reason else _examine(entry, target, totals, (examples, seed), follow)
        except NoCase as error:
            reason, finding = str(error), None
        if reason:
            not_run.append(NotRun(entry.flag, reason))
        if finding is not None:
            check_interpreter(target)
            failed += [one for one in (finding.case, finding.large) if one is not None]
            failures.append(_failure(entry, target, finding))
    follow.begin(len(entries))
    return Report(
        totals.cases,
        totals.elements,
        totals.unbounded,
        totals.ulps,
        totals.ratio,
        totals.flag,
        tuple(failures),
        tuple(not_run),
        frozenset(totals.sizes),
        perf_counter() - started,
        isinstance(target, Merging),
        totals.repeated(target),
        totals.powers,
        find_stored(target, failed, _judge),
    )


@dataclass
class _Totals:
    power: bool
    cases: int = 0
    elements: int = 0
    unbounded: int = 0
    ulps: float = 0.0
    ratio: float = 0.0
    flag: str = field(default="")
    sizes: set[Size] = field(default_factory=set)
    relations: dict[str, Relation] = field(default_factory=dict)
    found: dict[str, str] = field(default_factory=dict)
    powers: dict[str, Power] = field(default_factory=dict)

    def add(self, flag: str, case: Case, found: Judgement) -> None:
        self.cases += 1
        self.sizes.add(Size.of(case))
        self.elements += found.elements
        self.unbounded += found.unbounded
        self.ulps = max(self.ulps, found.ulps)
        self._compare(flag, case.relation, found)
        ratio = found.worst.ratio if found.worst is not None else 0.0
        if ratio > self.ratio or not self.flag:
            self.ratio, self.flag = ratio, flag
        if found.power is not None:
            self.powers[flag] = least_power([found.power, self.powers.get(flag, Power())])

    def _compare(self, flag: str, relation: Relation, found: Judgement) -> None:
        """Keep the least that calls agreed in."""
        if relation not in BITWISE:
            return
        if found.worst is None:
            came = "without a bound" if found.elements else "fails"
        else:
            came = "fails" if found.worst.ratio > 1 else "within the bound"
        if found.same and came != "fails":
            came = "bitwise"
        self.relations[flag] = relation
        self.found[flag] = max(came, self.found.get(flag, came), key=AGREEMENT.index)

    def repeated(self, target: Target) -> tuple[Repeated, ...]:
        """How far calls agreed, by the entry."""
        declared = target.bitwise
        return tuple(
            Repeated(flag, self.relations[flag] in declared, came)
            for flag, came in self.found.items()
        )


class _Finding(NamedTuple):
    """A case that fails: what it was built from, and which of the cases built it is.

    ``large`` is the one at full size, if that fails too.
    """

    draft: Draft
    number: int
    case: Case
    problem: str
    large: Case | None = None


def _examine(
    entry: Entry, target: Target, totals: _Totals, drawn: tuple[int, int], follow: Follower
) -> _Finding | None:
    """Run one entry; return the smallest case found that fails.

    Raises
    ------
    NoCase
        If its case at full size cannot be made.
    """
    examples, seed = drawn

    def trial(
        draft: Draft, first: float, length: float = 0.0, *, power: bool = False
    ) -> _Finding | None:
        cases = entry.build(draft)
        each = length / max(1, len(cases))
        for number, case in enumerate(cases):
            follow.share(first + number * each)
            following = follow.of_case(first + number * each, each)
            found = _judge(target, case, following, power=power)
            totals.add(entry.flag, case, found)
            if found.problem is not None:
                return _Finding(draft, number, case, found.problem)
        return None

    whole = Draft(target, entry.largest(target), seed, coarse=False)
    large = trial(whole, 0.0, 0.5, power=totals.power)
    if not entry.draws or not examples:
        return large
    most = examples if large is None else max(examples, SHRINKING)
    found = _search(entry, target, trial, most, seed)
    return found._replace(large=large.case) if found and large else found or large


def _search(
    entry: Entry,
    target: Target,
    trial: Callable[[Draft, float], _Finding | None],
    examples: int,
    seed: int,
) -> _Finding | None:
    """Let Hypothesis draw cases, and shrink the first that fails."""
    smallest: list[_Finding] = []
    tried = count(0)

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=False,
        print_blob=False,
        report_multiple_bugs=False,
        verbosity=hypothesis.Verbosity.quiet,
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(drafts(entry, target))
    def attempt(draft: Draft) -> None:
        finding = None
        with suppress(NoCase):
            finding = trial(draft, 1 - 0.5 / (1 + next(tried) / examples))
        if finding is not None:
            smallest[:] = [finding]
            raise _Fails

    # The last that failed is the smallest.
    with unstored(), suppress(_Fails, hypothesis.errors.Flaky):
        attempt()
    return smallest[0] if smallest else None


class _Fails(Exception):  # noqa: N818 (it says what the target does)
    """The target fails a case that was drawn."""


def _judge(target: Target, case: Case, progress: Any = None, *, power: bool = False) -> Judgement:
    if isinstance(target, Backward) and isinstance(case, BackwardCase):
        return judge_gradients(target, case)
    return judge(target, case, power=power, progress=progress)


def _find_stage(target: Target, finding: _Finding) -> str | None:
    if isinstance(target, Backward):
        both = (finding.case, finding.large)
        return find_gradient_stage(target, [one for one in both if isinstance(one, BackwardCase)])
    return find_stage(target, finding.case, finding.large)


def _failure(entry: Entry, target: Target, finding: _Finding) -> Failure:
    stage = _find_stage(target, finding)
    message = finding.problem + (f"; it comes from the {stage}" if stage is not None else "")
    return Failure(
        entry.flag,
        message,
        write_test(target, entry.flag, finding.draft, finding.number, finding.case),
    )
