"""Running claims: what fails is reported, and how."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Iterator

import pytest
from hypothesis import strategies as st
from rich.console import Console

from kvfloor.errors import InputError
from kvfloor_proofs.calculus import Derivation, Positivity, Relation
from kvfloor_proofs.claims import load
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.properties import Falsified, Tally, require
from kvfloor_proofs.report import show, to_json
from kvfloor_proofs.verify import ERROR, NOT_ESTABLISHED, ClaimResult, verify
from kvfloor_proofs.verify.results import run_property, verify_claim

SOUND = load("index-deterministic")


def property_below_ten(data: st.DataObject, tally: Tally) -> None:
    """A property that is false from 10 on."""
    del tally
    x = data.draw(st.integers(0, 1000), label="x")
    require(x < 10, "x is too large")


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
    assert result.property_error.startswith("property_below_ten: Falsified: x is too large")
    assert result.property_error.endswith("(x): 10")
    assert result.derivation_error == ""


def test_a_false_derivation_shows_the_step() -> None:
    result = verify_claim(with_false_derivation(), examples=3)
    assert not result.ok
    assert result.verdict == NOT_ESTABLISHED
    assert "step 1 by Positivity" in result.derivation_error


def property_broken(data: st.DataObject, tally: Tally) -> None:
    """A property that cannot be run."""
    raise ZeroDivisionError("nothing to divide by")


def with_broken_property() -> Claim:
    return dataclasses.replace(SOUND, properties=(property_broken,))


def test_an_error_inside_a_property_is_no_counterexample() -> None:
    result = verify_claim(with_broken_property(), examples=3)
    assert (result.ok, result.refused, result.verdict) == (False, False, ERROR)
    (error,) = result.errors
    assert error.part == "property"
    assert error.reason == "property_broken: ZeroDivisionError: nothing to divide by"
    assert "in property_broken" in error.traceback
    assert (result.property_error, result.derivation_error) == ("", "")


def test_an_error_inside_a_derivation_refutes_nothing() -> None:
    def broken() -> tuple[Derivation, ...]:
        raise TypeError("only integer scalar arrays")

    result = verify_claim(dataclasses.replace(SOUND, derivations=broken), examples=3)
    assert (result.refused, result.verdict) == (False, ERROR)
    assert [(e.part, e.reason) for e in result.errors] == [
        ("derivation", "TypeError: only integer scalar arrays")
    ]
    assert result.examples == 6  # the properties are run nevertheless


def test_a_counterexample_counts_though_there_is_an_error_too() -> None:
    def property_of_both(data: st.DataObject, tally: Tally) -> None:
        x = data.draw(st.integers(0, 1000), label="x")
        require(x < 500, "x is too large")
        if x > 100:
            raise TypeError("x is not supported")

    result = verify_claim(dataclasses.replace(SOUND, properties=(property_of_both,)), examples=200)
    assert (result.verdict, result.errors) == (NOT_ESTABLISHED, ())
    assert "Falsified: x is too large" in result.property_error


def test_what_is_false_once_and_not_again_is_an_error() -> None:
    calls = iter([False])

    def property_of_moods(data: st.DataObject, tally: Tally) -> None:
        data.draw(st.integers())
        if not next(calls, True):
            raise Falsified("for once")

    result = verify_claim(dataclasses.replace(SOUND, properties=(property_of_moods,)), examples=20)
    assert (result.verdict, result.property_error) == (ERROR, "")
    assert "Flaky" in result.errors[0].reason


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
    assert "property: property_below_ten: Falsified: x is too large" in stream.getvalue()

    document = json.loads(to_json([claim], [result]))
    assert document["ok"] is False
    assert document["claims"][0]["property"]["ok"] is False
    assert "x is too large" in document["claims"][0]["property"]["error"]
    assert document["claims"][0]["derivation"]["ok"] is True


def test_report_of_an_error() -> None:
    claim = with_broken_property()
    result = verify_claim(claim, examples=5)
    for verbose in (False, True):
        stream = io.StringIO()
        show([claim], [result], Console(file=stream), verbose=verbose)
        said = stream.getvalue()
        assert said.startswith("index-deterministic: error - ")
        assert "index-deterministic: error: property: property_broken: ZeroDivisionError" in said
        assert ("Traceback (most recent call last)" in said) is verbose

    document = json.loads(to_json([claim], [result]))
    (shown,) = document["claims"]
    assert (document["ok"], shown["verdict"]) == (False, "error")
    assert (shown["derivation"]["ok"], shown["property"]["ok"]) == (True, None)
    assert shown["certificates"]["ok"] is None
    assert [(e["part"], e["reason"]) for e in shown["errors"]] == [
        ("property", "property_broken: ZeroDivisionError: nothing to divide by")
    ]
    assert "in property_broken" in shown["errors"][0]["traceback"]


def test_rows_come_in_the_order_of_the_claims() -> None:
    claims = [load(slug) for slug in ("index-deterministic", "keys", "collision", "two-cache")]
    first = verify_claim(claims[0], examples=1)
    results = [dataclasses.replace(first, slug=claim.slug) for claim in claims]
    stream = io.StringIO()
    shown = []

    def ending() -> Iterator[ClaimResult]:
        for k in (1, 0, 3, 2):
            yield results[k]
            shown.append(stream.getvalue().count("\n"))

    assert show(claims, ending(), Console(file=stream)) == results
    *rows, total = stream.getvalue().splitlines()
    assert [line.split(":")[0] for line in rows] == [claim.slug for claim in claims]
    assert total == "4 of 4 verdicts established"
    assert shown == [0, 2, 2, 4]  # each as soon as those before it are there


def test_report_on_a_terminal_is_a_table() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=200)
    show([SOUND], [verify_claim(SOUND, examples=2)], console)
    assert "1 of 1 claims" in stream.getvalue()
    assert SOUND.slug in stream.getvalue()
