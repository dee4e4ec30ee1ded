"""Certificates as texts: the committed files are judged as their folder says, for the right
reason; what is no JSON of the right form is malformed.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kvfloor import check
from kvfloor.certificates import canonical
from make_certificates import FLOORS, FOLDER, VALID, contents, factory, reasons, valid

FILES = sorted(FOLDER.glob("*/*.json"))


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def test_files_are_what_the_generator_makes() -> None:
    assert {name(path): path.read_text() for path in FILES} == contents()


def test_every_folder_has_files() -> None:
    assert {path.parent.name for path in FILES} == {"ok", "invalid", "malformed"}
    assert len(FILES) >= 40


@pytest.mark.parametrize("path", FILES, ids=name)
def test_judged_as_the_folder_says(path: Path) -> None:
    outcome = check(path.read_bytes())
    assert outcome.status == path.parent.name
    assert outcome.reason.startswith(reasons().get(name(path), ""))
    assert (outcome.reason == "") == (outcome.status == "ok")
    assert bool(outcome.unchecked) == (outcome.status == "ok")
    assert check(path.read_text()) == outcome


OF_A_CACHE = [p for p in FILES if p.parent.name == "ok" and p.stem not in FLOORS]


@pytest.mark.parametrize("path", OF_A_CACHE, ids=name)
def test_valid_ones_survive_a_replay(path: Path) -> None:
    outcome = check(path.read_bytes(), cache=factory(path.stem))
    assert (outcome.status, outcome.reason) == ("ok", "")


# --- texts ---------------------------------------------------------------------------------


def test_every_truncation_is_malformed() -> None:
    text = canonical(valid("binary-order-1"))
    for length in range(len(text)):
        outcome = check(text[:length])
        assert outcome.status == "malformed"
        assert outcome.reason.startswith("not JSON: ")


def test_every_key_twice_is_malformed() -> None:
    text = canonical(valid("sign-order-3"))
    for key in ("format", "seed", "name", "rows", "lower", "digest", "options", "bits"):
        twice = text.replace(f'"{key}":', f'"{key}":0,"{key}":', 1)
        assert check(twice).reason == "not JSON: a key stands twice in one object"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON: Expecting value"),
        ("\ufeff{}", "not JSON: Unexpected UTF-8 BOM"),
        (b"\xff{}", "not JSON: 'utf-8' codec can't decode"),
        ("null", "$: None is not of type 'object'"),
        ("{}", "$: 'format' is a required property"),
        ("{} {}", "not JSON: Extra data"),
        ("{'a': 1}", "not JSON: Expecting property name"),
        ("// note\n{}", "not JSON: Expecting value"),
        ('{"version": NaN}', "not JSON: the number NaN is not whole"),
        ('{"version": -Infinity}', "not JSON: the number -Infinity is not whole"),
        ('{"version": 1.0}', "not JSON: the number 1.0 is not whole"),
        ('{"version": 1e0}', "not JSON: the number 1e0 is not whole"),
        ('{"version": 01}', "not JSON: Expecting ',' delimiter"),
        ('{"version": ' + "9" * 5000 + "}", "not JSON: Exceeds the limit"),
        (" " * 16_000_001, "longer than 16000000 characters"),
    ],
    ids=range(15),
)
def test_text_is_malformed(text: str | bytes, reason: str) -> None:
    outcome = check(text)
    assert outcome.status == "malformed"
    assert outcome.reason.startswith(reason)


@pytest.mark.parametrize("depth", [10, 100, 300, 1000, 3000, 100_000])
@pytest.mark.parametrize("pair", ["[]", '{"a":}'])
def test_deep_nesting_is_malformed(depth: int, pair: str) -> None:
    nested = pair[:-1] * depth + "0" + pair[-1] * depth
    text = canonical(valid("binary-order-1"))
    assert check(nested).status == "malformed"
    for old in ('"seed":0', '"digest":"', '"bits":3'):
        name = old.split(":", maxsplit=1)[0]
        assert check(text.replace(old, f"{name}:{nested},{old}", 1)).status == "malformed"
        assert check(text[:-1] + f',"more":{nested}' + "}").status == "malformed"


@pytest.mark.parametrize("name", VALID)
def test_the_same_document_in_other_words_is_ok(name: str) -> None:
    document = valid(name)
    backwards = dict(reversed(document.items()))
    for text in (json.dumps(backwards, indent=3), f"\n {canonical(document)}\t"):
        assert check(text).status == check(text.encode()).status == "ok"
        assert check(text.encode("utf-16")).status == "ok"
        assert check(text, cache=factory(name)).status == "ok"
