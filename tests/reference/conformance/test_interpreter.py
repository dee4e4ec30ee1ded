"""Triton's interpreter: its kernels are examined on a CPU, and not blamed for what it does."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import pytest

from kernels import correct
from kernels.wrong import WRONG
from kvfloor import InputError
from kvfloor.conformance import check, interpreter
from limits import HANG

CLI = (sys.executable, "-m", "kvfloor_proofs.cli")
SMALL = (
    "--order", "1", "--arrays", "torch", "--block", "16", "--d", "16", "--d-v", "same",
    "--tokens", "16,40", "--queries", "17", "--heads", "2", "--batch", "1", "--views", "none",
    "--examples", "0",
)  # fmt: skip
BFLOAT16: dict[str, Any] = {"dtype": "bfloat16", "accumulate": "float32"}
(HALVED,) = (wrong for wrong in WRONG if wrong.name == "scale-one-percent")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Formats that a stand-in for Triton, which is right in no other than float32, was asked of."""
    names: list[str] = []

    def probe(name: str, x: float) -> tuple[float, float]:
        names.append(name)
        return 36.0, 1.25 * x if name == "float32" else 0.0

    monkeypatch.setitem(sys.modules, "triton", SimpleNamespace())
    monkeypatch.setattr(interpreter, "import_module", lambda _: SimpleNamespace(probe=probe))
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    return names


def test_a_kernel_that_fails_is_not_blamed_where_the_interpreter_errs(asked: list[str]) -> None:
    with pytest.raises(InputError, match=r"^TRITON_INTERPRET: .* of bfloat16 .* got 36.0 and 0.0"):
        check(HALVED.build(), flags=["scale"], examples=0, **BFLOAT16)
    assert asked == ["bfloat16"]


def test_one_that_passes_is_not_asked_about(asked: list[str]) -> None:
    assert check(correct.factored, flags=["scale"], examples=0, **BFLOAT16).ok
    assert asked == []


def test_weights_are_asked_about_too(asked: list[str]) -> None:
    declared: dict[str, Any] = {"dtype": "float64", "accumulate": "float64", "weights": "float16"}
    with pytest.raises(InputError, match="of float16"):
        check(lambda *_, **__: 0, flags=["drawn"], examples=0, **declared)
    assert asked == ["float16"]


@pytest.mark.parametrize("absent", ["triton", "interpreter"])
def test_without_it_a_kernel_is_blamed(
    absent: str, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if absent == "triton":
        monkeypatch.delitem(sys.modules, "triton")
    else:
        monkeypatch.setenv("TRITON_INTERPRET", "0")
    assert check(HALVED.build(), flags=["scale"], examples=0, **BFLOAT16).failures
    assert asked == []


def conform(dtype: str) -> subprocess.CompletedProcess[str]:
    formats = ("--dtype", dtype, "--accumulate", "float32", "--weights", dtype)
    return subprocess.run(
        [*CLI, "conform", "kernels.flash_triton:attention", *formats, *SMALL],
        env=os.environ | {"TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=HANG,
    )


@pytest.mark.skipif(not find_spec("triton"), reason="Triton is not installed")
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_kernel_passes_without_a_device(dtype: str) -> None:
    done = conform(dtype)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(not find_spec("triton"), reason="Triton is not installed")
def test_its_bfloat16_is_found_out() -> None:
    done = conform("bfloat16")
    assert (done.returncode, done.stdout) == (2, "")
    assert "TRITON_INTERPRET: expected a product and a rounding of bfloat16" in done.stderr
