"""`kvfloor conform --list`, and targets by their names."""

from __future__ import annotations

from subprocess import CompletedProcess

import pytest

from commands import ran
from kvfloor.conformance import NAMED

SMALL = ("--tokens", "most=9", "--d", "8", "--batch", "1", "--heads", "2", "--examples", "0")


def run(*arguments: str) -> CompletedProcess[str]:
    return ran("conform", *arguments)


def test_the_list_has_all_of_them_whole_at_80_columns() -> None:
    done = run("--list")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    first = {line.split()[0]: line for line in lines if line[:1] not in (" ", "")}
    rows = {line[:27].strip(): place for place, line in enumerate(lines)}
    for named in NAMED:
        assert named.package in first[named.name]
        place = rows[named.name]
        block = "\n".join(lines[place : place + 6]).partition("\n \n")[0]
        assert (named.version or "not installed") in block
        for word in (*named.formats, *named.masks, *map(str, named.orders)):
            assert word in block, word


def test_one_by_its_name() -> None:
    pytest.importorskip("onnx")
    done = run("onnx:reference", "--mask", "causal", "--dtype", "float64", *SMALL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("passes: ")
    assert "domain-edges" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("flash-atn",), "target: expected MODULE:NAME, got 'flash-atn'; did you mean flash-attn?"),
        (("onnx:referenc",), "; did you mean onnx:reference?"),
        (("onnx:reference", "--layout", "bnhd"), "layout: expected none, as onnx:reference is"),
        (("onnx:reference", "--order", "2"), "order: expected one of the domain: 1, got 2"),
        (("onnx:reference", "--dtype", "float8_e5m2"), "dtype: expected one of float32, float64"),
        (("onnx:reference", "--mask", "window,left"), "mask: expected window,left=3,right=0"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(arguments: tuple[str, ...], part: str) -> None:
    pytest.importorskip("onnx")
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, ""), done
    assert done.stderr.count("\n") == 1, done.stderr
    assert part in done.stderr
