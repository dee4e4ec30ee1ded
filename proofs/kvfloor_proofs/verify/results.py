"""Run claims: derivations step by step, properties on instances, certificates through a checker."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, replace
from typing import NamedTuple

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kvfloor.conformance import unstored
from kvfloor.errors import described
from kvfloor.isolation import Misbehaviour
from kvfloor.numbers import as_count
from kvfloor.workers import processes
from kvfloor_proofs.calculus import DerivationError
from kvfloor_proofs.claims import load
from kvfloor_proofs.constants import held_by
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.properties import Falsified, Property, Tally
from kvfloor_proofs.kernel import Theorem

__all__ = [
    "ERROR",
    "NOT_ESTABLISHED",
    "ClaimResult",
    "Held",
    "ProgramError",
    "run_property",
    "verify",
    "verify_claim",
    "with_theorems",
]

NOT_ESTABLISHED = "not established"
ERROR = "error"
COUNTEREXAMPLES = (Falsified, DerivationError, Misbehaviour)  # all else is a fault of the program


class ProgramError(NamedTuple):
    """What a program raised in place of a result.

    Attributes
    ----------
    part : str
        Of the claim: "derivation", "property" or "constant".
    reason : str
        The error in one line, and for a property on which instance.
    traceback : str
    """

    part: str
    reason: str
    traceback: str


class Held(NamedTuple):
    """A public function that is what a claim says.

    Attributes
    ----------
    name : str
        What users call it by.
    ties : tuple of (str, str)
        How it was compared, and with what.
    slack : str
        By how much instances stay under it, where it is a bound that could be improved.
    """

    name: str
    ties: tuple[tuple[str, str], ...]
    slack: str


@dataclass(frozen=True)
class ClaimResult:
    """What running one claim gave.

    Attributes
    ----------
    slug, title, source : str
        Of the claim.
    verdict : str
        The registry's, if everything that was run agrees with it; "not established" if something
        disagrees; "error" if nothing does, but not everything could be run.
    steps : int
        Derivation steps that were checked.
    examples : int
        Instances that the properties tried.
    certificates : int
        Certificates that the checker accepted.
    derivation_error, property_error : str
        What went wrong, with the step or the falsifying instance; empty if nothing did.
    constant_error : str
        Which public function is not what the claim says, and why; empty if all are.
    constants : tuple of Held
        The public functions that are, in the order of the claim.
    seconds : float
        Wall-clock time.
    theorems : tuple of Theorem
        Those of the claim that Coq's kernel accepted, if it was asked.
    kernel_error : str
        What it did not accept.
    errors : tuple of ProgramError
        Where the program itself failed, which says nothing about the claim.
    """

    slug: str
    title: str
    source: str
    verdict: str
    steps: int
    examples: int
    certificates: int
    derivation_error: str
    property_error: str
    constant_error: str
    constants: tuple[Held, ...]
    seconds: float
    theorems: tuple[Theorem, ...] = ()
    kernel_error: str = ""
    errors: tuple[ProgramError, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the verdict is what the registry says."""
        return not (self.refused or self.errors)

    @property
    def reasons(self) -> list[tuple[str, str]]:
        """What went wrong, if anything did: of which part, or "error", and why."""
        refused = (
            ("derivation", self.derivation_error),
            ("property", self.property_error),
            ("constant", self.constant_error),
            ("kernel", self.kernel_error),
        )
        return [(kind, reason) for kind, reason in refused if reason] + [
            ("error", f"{error.part}: {error.reason}") for error in self.errors
        ]

    @property
    def refused(self) -> bool:
        """Whether something that was run disagrees with the registry."""
        return any(
            (self.derivation_error, self.property_error, self.constant_error, self.kernel_error)
        )


def verify(
    slugs: Sequence[str], *, examples: int, seed: int = 0, jobs: int = 1
) -> Iterator[ClaimResult]:
    """Run claims in parallel processes and yield each result as it comes.

    Parameters
    ----------
    slugs : sequence of str
    examples : int
        Instances for each property.
    seed : int
        Of derivation check points and of instances.
    jobs : int
        Processes.

    Raises
    ------
    InputError
        For an unknown slug, or a number out of range.
    """
    for slug in slugs:
        load(slug)
    as_count(examples, "examples", 1)
    as_count(seed, "seed")
    jobs = min(as_count(jobs, "jobs", 1), len(slugs))
    if jobs <= 1:
        for slug in slugs:
            yield verify_claim(load(slug), examples=examples, seed=seed)
        return
    with processes(jobs) as pool:
        futures = [pool.submit(_verify_slug, slug, examples, seed) for slug in slugs]
        for future in as_completed(futures):
            yield future.result()


def _verify_slug(slug: str, examples: int, seed: int) -> ClaimResult:
    return verify_claim(load(slug), examples=examples, seed=seed)


def verify_claim(claim: Claim, *, examples: int, seed: int = 0) -> ClaimResult:
    """Run one claim in this process; parameters as for `verify`."""
    started = time.perf_counter()
    steps, derivation_error, errors = _check_derivations(claim, seed)
    tally, property_error = Tally(), ""
    passed: set[Property] = set()
    for prop in claim.properties:
        try:
            run_property(prop, tally, examples=examples, seed=seed)
            passed.add(prop)
        except Exception as raised:
            property_error, failed = _told("property", prop.__name__, raised)
            errors += failed
            break
    constants, constant_error, failed = _check_constants(claim, passed, examples, seed)
    errors += failed
    refused = derivation_error or property_error or constant_error
    return ClaimResult(
        slug=claim.slug,
        title=claim.title,
        source=claim.source,
        verdict=NOT_ESTABLISHED if refused else ERROR if errors else claim.verdict,
        steps=steps,
        examples=tally.examples,
        certificates=tally.certificates,
        derivation_error=derivation_error,
        property_error=property_error,
        constant_error=constant_error,
        constants=constants,
        seconds=time.perf_counter() - started,
        errors=tuple(errors),
    )


def with_theorems(result: ClaimResult, audited: Mapping[str, Theorem]) -> ClaimResult:
    """Return the result with the theorems that the registry names, out of those audited."""
    names = load(result.slug).theorems
    theorems = tuple(audited[name] for name in names if name in audited)
    wrong = [f"no theorem {name}" for name in names if name not in audited]
    wrong += [f"{t.name} rests on {', '.join(t.axioms)}" for t in theorems if t.axioms]
    return replace(
        result,
        theorems=theorems,
        kernel_error="; ".join(wrong),
        verdict=NOT_ESTABLISHED if wrong else result.verdict,
    )


def _check_derivations(claim: Claim, seed: int) -> tuple[int, str, list[ProgramError]]:
    steps = 0
    try:
        for derivation in claim.derivations():
            steps += derivation.check(seed=seed)
    except DerivationError as error:
        return steps, str(error), []
    except Exception as error:
        return steps, "", [_program_error("derivation", described(error), error)]
    return steps, "", []


def _telling(error: Exception) -> Exception:
    """Of several errors that Hypothesis found a counterexample if there is one, else the first.

    What is false once and not again is no counterexample.
    """
    if isinstance(error, hypothesis.errors.Flaky) or not isinstance(error, ExceptionGroup):
        return error
    found = [_telling(one) for one in error.exceptions]
    return next((one for one in found if isinstance(one, COUNTEREXAMPLES)), found[0])


def _told(part: str, name: str, raised: Exception) -> tuple[str, list[ProgramError]]:
    """What is said of an exception: a counterexample, or that the program itself failed."""
    error = _telling(raised)
    reason = f"{name}: {_with_instance(error)}"
    if isinstance(error, COUNTEREXAMPLES):
        return reason, []
    return "", [_program_error(part, reason, error)]


def _program_error(part: str, reason: str, error: Exception) -> ProgramError:
    return ProgramError(part, reason, "".join(traceback.format_exception(error)))


def _check_constants(
    claim: Claim, passed: set[Property], examples: int, seed: int
) -> tuple[tuple[Held, ...], str, list[ProgramError]]:
    held: list[Held] = []
    name = "constants"
    try:
        for constant in held_by(claim.slug):
            name = constant.name
            for tie in constant.ties:
                if tie.check is not None:
                    tie.check()
                if tie.run is not None and tie.run not in passed:  # several may share one
                    run_property(tie.run, Tally(), examples=examples, seed=seed)
                    passed.add(tie.run)
            ties = tuple((tie.kind, tie.text) for tie in constant.ties)
            held.append(Held(name, ties, constant.slack))
    except Exception as raised:
        reason, errors = _told("constant", name, raised)
        return tuple(held), reason, errors
    return tuple(held), "", []


def run_property(prop: Property, tally: Tally, *, examples: int, seed: int) -> None:
    """Run a property on instances drawn by Hypothesis; raise what the smallest failure raises."""

    @hypothesis.seed(seed)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def trial(data: st.DataObject) -> None:
        prop(data, tally)
        tally.examples += 1

    with unstored():
        trial()


def _with_instance(error: Exception) -> str:
    """The error and the instance that Hypothesis shrank, short enough to read."""
    notes = [note for note in getattr(error, "__notes__", []) if note.startswith("Draw")]
    where = traceback.extract_tb(error.__traceback__)[-1]
    text = str(error).splitlines()
    what = text[0] if text else f"{where.line}"
    return "; ".join([f"{type(error).__name__}: {what}", *notes])
