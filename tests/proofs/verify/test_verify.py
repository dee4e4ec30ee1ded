"""Running claims: what fails is reported, and how."""

from __future__ import annotations

import dataclasses
import io
import json

import pytest
from hypothesis import strategies as st
from rich.console import Console

from kvfloor.errors import InputError
from kvfloor_proofs.calculus import Positivity, Relation
from kvfloor_proofs.claims import load
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.properties import Tally
from kvfloor_proofs.report import show, to_json
from kvfloor_proofs.verify import NOT_ESTABLISHED, verify
from kvfloor_proofs.verify.results import run_property, verify_claim

SOUND = load("index-deterministic")


def property_below_ten(data: st.DataObject, tally: Tally) -> None:
    """A property that is false from 10 on."""
    del tally
    x = data.draw(st.integers(0, 1000), label="x")
    assert x < 10, "x is too large"


def with_false_property() -> Claim:
    return dataclasses.replace(SOUND, properties=(property_below_ten,))


def with_false_derivation() -> Claim:
    (first, *rest) = SOUND.derivations()
    (step, *steps) = first.steps
    reversed_step = dataclasses.replace(step, relation=Relation.GT, rule=Positivity())
    broken = dataclasses.replace(first, steps=(reversed_step, *steps))
    return dataclasses.replace(SOUND, derivations=lambda: (broken, *rest))


def test_a_false_property_shows_the_smallest_instance() -> None:
    result = verify_claim(with_false_property(), examples=100)
    assert not result.ok
    assert result.verdict == NOT_ESTABLISHED
    assert result.property_error.startswith("property_below_ten: AssertionError: x is too large")
    assert result.property_error.endswith("(x): 10")
    assert result.derivation_error == ""


def test_a_false_derivation_shows_the_step() -> None:
    result = verify_claim(with_false_derivation(), examples=3)
    assert not result.ok
    assert result.verdict == NOT_ESTABLISHED
    assert "step 1 by Positivity" in result.derivation_error


def test_an_error_inside_a_property_is_a_failure() -> None:
    def property_broken(data: st.DataObject, tally: Tally) -> None:
        raise ZeroDivisionError("nothing to divide by")

    result = verify_claim(dataclasses.replace(SOUND, properties=(property_broken,)), examples=3)
    assert result.property_error == "property_broken: ZeroDivisionError: nothing to divide by"


def test_runs_are_reproducible_and_seeds_differ() -> None:
    def drawn(seed: int) -> list[int]:
        seen: list[int] = []

        def property_recording(data: st.DataObject, tally: Tally) -> None:
            seen.append(data.draw(st.integers(0, 10**9)))

        run_property(property_recording, Tally(), examples=20, seed=seed)
        return seen

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_parallel_and_serial_runs_agree() -> None:
    slugs = ("index-deterministic", "decode-threshold")

    def run(jobs: int) -> set[tuple[str, str, int, int]]:
        results = verify(slugs, examples=3, jobs=jobs)
        return {(r.slug, r.verdict, r.steps, r.examples) for r in results}

    assert run(1) == run(2)


@pytest.mark.parametrize("argument", ["examples", "jobs"])
def test_bad_numbers_are_refused(argument: str) -> None:
    with pytest.raises(InputError, match=f"{argument}: expected a whole number >= 1, got 0"):
        list(verify(("index-deterministic",), **({"examples": 1} | {argument: 0})))


def test_report_of_a_failure() -> None:
    claim = with_false_property()
    result = verify_claim(claim, examples=50)
    stream = io.StringIO()
    assert show([claim], [result], Console(file=stream)) == [result]
    assert "index-deterministic: not established" in stream.getvalue()
    assert "property: property_below_ten: AssertionError: x is too large" in stream.getvalue()

    document = json.loads(to_json([result]))
    assert document["ok"] is False
    assert document["claims"][0]["property"]["ok"] is False
    assert "x is too large" in document["claims"][0]["property"]["error"]
    assert document["claims"][0]["derivation"]["ok"] is True


def test_report_on_a_terminal_is_a_table() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=200)
    show([SOUND], [verify_claim(SOUND, examples=2)], console)
    assert "1 of 1 claims" in stream.getvalue()
    assert SOUND.slug in stream.getvalue()
