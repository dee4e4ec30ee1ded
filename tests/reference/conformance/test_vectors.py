"""The vectors in tests/vectors are those that the command writes, and anyone can read them."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kvfloor.attention import enclose
from kvfloor.conformance import write
from kvfloor.numbers import FORMATS, as_format, ball_ends

ROOT = Path(__file__).parents[3]
KEPT = ROOT / "tests" / "vectors"
SCHEMA = json.loads(files("kvfloor.conformance").joinpath("vectors-1.json").read_text("utf-8"))


def test_the_same_bytes_each_time(tmp_path: Path) -> None:
    paths = write(tmp_path / "new" / "folder")
    assert [path.stem for path in paths] == list(FORMATS)
    for path in paths:
        assert path.read_bytes() == (KEPT / path.name).read_bytes()


@pytest.mark.parametrize("name", FORMATS)
def test_the_schema_admits_them_and_the_form_is_canonical(name: str) -> None:
    text = (KEPT / f"{name}.json").read_text()
    document = json.loads(text)
    jsonschema.validate(document, SCHEMA)
    lines = text.splitlines()
    assert len(lines) == len(document["vectors"]) + 2
    for line, vector in zip(lines[1:-1], document["vectors"], strict=True):
        assert line.rstrip(",") == json.dumps(vector, sort_keys=True, separators=(",", ":"))


def altered(document: Any) -> Iterator[Any]:
    """The document with one thing too many, too few, or of another kind."""
    for path in ((), ("vectors", 0)):
        for change in ("more", "fewer"):
            copied = copy.deepcopy(document)
            part = copied
            for key in path:
                part = part[key]
            if change == "more":
                part["unknown"] = 0
            else:
                part.popitem()
            yield copied
    for key, value in (
        ("query", [1.5]), ("query", ["1.5"]), ("query", ["0x1.80p+0"]), ("query", ["0X1p+0"]),
        ("query", []), ("keys", []), ("keys", [[]]), ("mask", [1]), ("scale", 1),
        ("logsumexp", "Infinity"), ("logsumexp", "0x1p+0\n"), ("flag", "Big"), ("note", ""),
    ):  # fmt: skip
        copied = copy.deepcopy(document)
        copied["vectors"][0][key] = value
        yield copied


def test_the_schema_refuses_anything_else() -> None:
    document = json.loads((KEPT / "float16.json").read_text())
    document["vectors"] = document["vectors"][:1]
    jsonschema.validate(document, SCHEMA)
    for other in altered(document):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(other, SCHEMA)


def numbers(x: Any) -> Any:
    return [numbers(part) for part in x] if isinstance(x, list) else float.fromhex(x)


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_they_are_correctly_rounded(name: str) -> None:
    """By balls, a way of their own: both ends round to the number that is written."""
    form = as_format(name)
    for vector in json.loads((KEPT / f"{name}.json").read_text())["vectors"]:
        lse = numbers(vector["logsumexp"])
        if lse == float("-inf"):
            assert set(vector["output"]) == {"0x0p+0"}
            continue
        found = enclose(
            *(numbers(vector[key]) for key in ("query", "keys", "values")),
            scale=vector["scale"], mask=vector["mask"], bits=400,
        )  # fmt: skip
        for ball, right in zip(
            (*found.output, found.logsumexp), (*numbers(vector["output"]), lse), strict=True
        ):
            assert Fraction(right) in {form_round(form, end) for end in ball_ends(ball)}


def form_round(form: Any, end: Fraction) -> Fraction:
    return Fraction(form.round(end))


def test_the_reader_of_the_docs_needs_nothing_of_ours(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "vectors.md").read_text()
    reader = page.partition("```python\n")[2].partition("```")[0]
    assert len(reader.splitlines()) <= 30
    script = tmp_path / "reader.py"
    script.write_text(reader)
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def read(folder: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-I", "-S", str(script), str(folder)],
            cwd=tmp_path, env=clean, capture_output=True, text=True, check=False,
        )  # fmt: skip

    done = read(KEPT)
    assert done.returncode == 0, done.stderr
    document = json.loads((KEPT / "float32.json").read_text())
    document["vectors"][5]["output"][0] = "0x1.8p+3"
    (tmp_path / "float32.json").write_text(json.dumps(document))
    assert "AssertionError" in read(tmp_path).stderr
