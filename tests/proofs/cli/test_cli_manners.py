"""The command line as a guest: help with examples, quiet, completion, time left."""

from __future__ import annotations

import io
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from kvfloor_proofs.claims import load
from kvfloor_proofs.cli import cli
from kvfloor_proofs.report import show
from kvfloor_proofs.verify import ERROR, NOT_ESTABLISHED, ProgramError
from kvfloor_proofs.verify.results import verify_claim

CERTIFICATES = Path(__file__).parents[2] / "certificates"
COMMANDS = sorted(cli.commands)


def test_every_command_is_named_in_the_help() -> None:
    shown = CliRunner().invoke(cli, ["--help"]).output
    assert set(re.findall(r"^  ([a-z]+)  ", shown, re.MULTILINE)) == set(COMMANDS)
    assert len(COMMANDS) == 9


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example_of_good_usage(name: str) -> None:
    command = cli.commands[name]
    examples = re.findall(r"Example: kvfloor (.*)", command.help or "")
    assert examples
    for example in examples:
        word, *arguments = shlex.split(example)
        assert word == name
        context = command.make_context(name, arguments)  # it refuses what it does not know
        assert context.params
    with pytest.raises(click.UsageError, match=r"(?i)no such option"):
        command.make_context(name, ["--none-such"])


@pytest.mark.parametrize(("typed", "expected"), [("ide", ["identifiability"]), ("five", [])])
def test_slugs_are_completed(typed: str, expected: list[str]) -> None:
    environment = {
        "_KVFLOOR_COMPLETE": "bash_complete",
        "COMP_WORDS": f"kvfloor verify {typed}",
        "COMP_CWORD": "2",
    }
    shown = CliRunner().invoke(cli, [], prog_name="kvfloor", env=environment).output
    assert shown.split() == [f"plain,{slug}" for slug in expected]


def test_quiet_verify_says_only_what_is_wrong() -> None:
    claim = load("index-deterministic")
    right = verify_claim(claim, examples=1)
    wrong = replace(right, property_error="it is not so")
    for result, said in ((right, ""), (wrong, "index-deterministic: property: it is not so\n")):
        out = io.StringIO()
        assert show([claim], [result], Console(file=out), quiet=True) == [result]
        assert out.getvalue() == said


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 0),
        ({"property_error": "p: Falsified: no", "verdict": NOT_ESTABLISHED}, 1),
        ({"errors": (ProgramError("property", "p: TypeError: no", "T"),), "verdict": ERROR}, 2),
    ],
)
def test_the_status_of_verify_says_whose_fault_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], status: int
) -> None:
    result = replace(verify_claim(load("index-deterministic"), examples=1), **changes)
    monkeypatch.setattr("kvfloor_proofs.verify.verify", lambda *_, **__: iter([result]))
    page = tmp_path / "r.html"
    arguments = ["verify", "index-deterministic", "--html", str(page)]
    done = CliRunner().invoke(cli, arguments, standalone_mode=False)
    assert done.return_value == status, done
    assert f"index-deterministic: {result.verdict} - " in done.output
    text = page.read_text()
    assert f"</span>{result.verdict}</span>" in text
    assert ("<p>error:</p><pre>property: p: TypeError: no</pre>" in text) is (status == 2)
    assert ("which says nothing about the claim" in text) is (status == 2)
    assert ("1 of 1 verdicts established" in text) is (status == 0)


def test_quiet_check_says_only_what_is_wrong() -> None:
    good = str(CERTIFICATES / "ok" / "violation-order-1.json")
    bad = str(CERTIFICATES / "invalid" / "violation-accurate.json")
    for files, status in (([good], 0), ([good, bad], 1)):
        done = CliRunner().invoke(cli, ["check", "--quiet", *files], standalone_mode=False)
        assert done.return_value == status
        assert done.output == (f"{bad}: invalid: answer: it is accurate\n" if status else "")


def test_a_terminal_is_told_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = [load(slug) for slug in ("index-deterministic", "keys", "collision")]
    first = verify_claim(claims[0], examples=1)
    clock = iter([0.0, 4.0, 5.0, 6.0])
    monkeypatch.setattr("kvfloor_proofs.report.terminal.monotonic", lambda: next(clock))
    results = (replace(first, slug=claim.slug) for claim in claims)
    out = io.StringIO()
    show(claims, results, Console(file=out, force_terminal=True, width=160))
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", out.getvalue())
    titles = re.findall(r"\d of 3 claims(?:, about \d+ s left)?", plain)
    assert "1 of 3 claims, about 8 s left" in titles
    assert titles[-1] == "3 of 3 claims"
    assert plain.endswith("3 of 3 verdicts established\n")


def test_the_last_line_counts_the_verdicts_that_are_established() -> None:
    claims = [load(slug) for slug in ("index-deterministic", "keys")]
    first = verify_claim(claims[0], examples=1)
    out = io.StringIO()
    refused = replace(first, slug="keys", property_error="no")
    show(claims, [first, refused], Console(file=out))
    lines = out.getvalue().splitlines()
    assert [lines[0].split(":")[0], lines[1].split(":")[0]] == ["index-deterministic", "keys"]
    assert lines[-1] == "1 of 2 verdicts established"
