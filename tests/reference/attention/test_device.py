"""Level (a) on a device: the same results, radii that hold there, and devices that are refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fast_oracle import Case, exact_truths, numbers, share
from kvfloor.attention import Layers, Window, tensor_attention_rounded
from kvfloor.attention.fast import centred, elsewhere, single
from kvfloor.attention.fast.device import Device, device_of
from kvfloor.errors import InputError
from reference.attention.test_fast_bounds import Adversary, balanced

NUMPY = Device(np, "cpu")  # NumPy has the array API, too
FRAMEWORKS = ["array_api_strict", "torch", "jax.numpy"]


def normal(*shape: int) -> Any:
    return np.random.default_rng(len(shape)).standard_normal(shape)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[slice]:
    """The tokens of the last slot that a device was asked about."""
    asked: list[slice] = []
    tokens, tuples = elsewhere.Tokens.sums, elsewhere.Tuples.sums

    def of_tokens(self: Any, g: Any, columns: slice, *more: Any) -> Any:
        asked.append(columns)
        return tokens(self, g, columns, *more)

    def of_tuples(self: Any, g: Any, rows: Any, columns: slice, *more: Any) -> Any:
        asked.append(columns)
        return tuples(self, g, rows, columns, *more)

    monkeypatch.setattr(elsewhere.Tokens, "sums", of_tokens)
    monkeypatch.setattr(elsewhere.Tuples, "sums", of_tuples)
    return asked


def array_of(framework: str) -> Any:
    if framework == "jax.numpy":
        pytest.importorskip("jax").config.update("jax_enable_x64", True)
    pytest.importorskip("array_api_compat")
    module = pytest.importorskip(framework)
    return module.ones(2) if framework != "torch" else module.ones(2, dtype=module.float64)


def masks(n_q: int, n: int) -> Iterator[Any]:
    yield from (None, "causal", Window(3, 2), Window(0, 2**30))
    kept = np.random.default_rng(0).random((n_q, n)) < 0.7
    kept[1] = False
    yield kept


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float8_e4m3fn"])
def test_results_are_the_same_everywhere(framework: str, dtype: str, calls: list[slice]) -> None:
    on = array_of(framework)
    q, k, v = normal(2, 40, 8), normal(1, 300, 8), normal(1, 300, 5)
    for mask in masks(40, 300):
        for scale in (Fraction(1, 3), 200):
            given: dict[str, Any] = {"dtype": dtype, "scale": scale, "mask": mask, "empty": "zero"}
            given |= {"return_logsumexp": True, "sink": [0.5, -(10.0**4)]}
            here, there = Layers(), Layers()
            expected = tensor_attention_rounded(q, [k], [v], **given, layers=here)
            assert not calls
            found = tensor_attention_rounded(q, [k], [v], **given, layers=there, on=on)
            for one, other in zip(found, expected, strict=True):
                np.testing.assert_array_equal(np.float64(one), np.float64(other))
            assert calls == [slice(0, 300)]  # for both heads
            assert abs(there.single - here.single) <= 0.01 * here.single
            calls.clear()


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(("order", "n"), [(1, 300), (2, 20), (3, 7)])
def test_bias_cap_and_sinks_at_any_order(
    framework: str, order: int, n: int, calls: list[slice]
) -> None:
    on, rng = array_of(framework), np.random.default_rng(order)
    shape = 9, *[n] * order
    q, *slots = rng.standard_normal((9, 8)), *rng.standard_normal((2 * order, n, 8))
    mask = rng.random(shape) < 0.7
    mask[1] = False
    terms: list[dict[str, Any]] = [{}, {"bias": rng.standard_normal(shape)}, {"softcap": 2}]
    terms.append({"softcap": 2, "bias": np.where(mask, 0.5, -(10.0**4)), "sink": 0.5})
    for more in terms:
        for given in ({"scale": 1}, {"scale": 60, "mask": mask, "empty": "zero"}):
            here, there = Layers(), Layers()
            told: dict[str, Any] = {"dtype": "float32", "return_logsumexp": True} | given | more
            every = q, slots[:order], slots[order:]
            expected = tensor_attention_rounded(*every, **told, layers=here)
            found = tensor_attention_rounded(*every, **told, layers=there, on=on)
            for one, other in zip(found, expected, strict=True):
                np.testing.assert_array_equal(one, other)
            assert abs(there.single - here.single) <= 2
            assert calls == [slice(0, n)]
            calls.clear()


def test_float64_asks_nothing_of_a_device(calls: list[slice]) -> None:
    q, k, v = normal(6, 4), normal(9, 4), normal(9, 4)
    given: dict[str, Any] = {"dtype": "float64"}
    found = tensor_attention_rounded(q, [k], [v], on=array_of("array_api_strict"), **given)
    np.testing.assert_array_equal(found, tensor_attention_rounded(q, [k], [v], **given))
    assert not calls


def test_wide_tiles_are_gone_through_and_hidden_ones_left_out(
    calls: list[slice], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(centred, "_WIDE", 4)
    on = array_of("array_api_strict")
    q, k, v = 30 * normal(3, 4), normal(14, 4), normal(14, 2)
    for mask, tiles in ((None, [0, 4, 8, 12]), ("causal-top-left", [0])):
        found = tensor_attention_rounded(q, [k], [v], dtype="float32", mask=mask, on=on)
        here = tensor_attention_rounded(q, [k], [v], dtype="float32", mask=mask)
        np.testing.assert_array_equal(found, here)
        assert [columns.start for columns in calls] == tiles
        calls.clear()


# --- radii


def used(case: Case, device: Device) -> tuple[float, float]:
    """Shares of the radii that the errors of output and log-sum-exp take; fails above 1."""
    (truth,) = exact_truths(case)
    assert truth is not None
    found = case.evaluate("single", device)
    output = share(truth.output[0], numbers(found.output, 0, 0))
    return output, share(truth.logsumexp, numbers(found.logsumexp, 0))


@pytest.mark.parametrize("size", [0.1, 1.0, 40.0])
@pytest.mark.parametrize("wide", [3, 8, 4096])
def test_balls_hold(size: float, wide: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one query each, in tiles and blocks of few tokens."""
    monkeypatch.setattr(centred, "_WIDE", wide)
    for module in (centred, elsewhere):
        monkeypatch.setattr(module, "BLOCK", 4)
    rng = np.random.default_rng(int(10 * size))
    for n in (1, 2, 5, 8, 13, 21):
        K, V = rng.standard_normal((2, n, 3))
        mask = None if n % 2 else rng.random(n) < 0.6
        if mask is not None:
            mask[0] = True
        used(Case(size * rng.standard_normal((1, 3)), [K], [V[:, :1]], 1, mask), NUMPY)


def adversary(*directions: Any) -> Device:
    return Device(Adversary(matmul=list(directions)), "cpu")


def test_a_device_that_rounds_logits_as_badly_as_it_may() -> None:
    rng = np.random.default_rng(0)
    K = [rng.choice([-1.0, 1.0], (8, 128))]
    case = Case(np.full((1, 128), 0.25), K, [balanced(8)[:, None]], Fraction(1, 8))
    assert max(used(case, NUMPY)) < 0.1
    assert used(case, adversary(lambda _: balanced(8), None))[0] > 0.5
    assert used(case, adversary(np.ones_like, None))[1] > 0.5


@pytest.mark.parametrize("value", [1.0, -1.0])
def test_a_device_that_rounds_sums_as_badly_as_it_may(value: float) -> None:
    case = Case(np.zeros((1, 1)), [np.ones((255, 1))], [np.full((255, 1), value)])
    assert max(used(case, NUMPY)) < 0.1
    apart = np.array([np.sign(value), -1.0, -1.0, -1.0])
    assert min(used(case, adversary(None, lambda _: apart))) > 0.7


@pytest.mark.parametrize("size", [0.1, 1.0, 20.0])
@pytest.mark.parametrize("wide", [2, 3, 4096])
def test_balls_of_tuples_hold(size: float, wide: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In tiles of few rows and columns."""
    monkeypatch.setattr(single, "_WIDE", wide)
    monkeypatch.setattr(single, "_ROWS", wide)
    for module in (single, elsewhere):
        monkeypatch.setattr(module, "BLOCK", 2)
    rng = np.random.default_rng(int(10 * size))
    for order, n in ((2, 1), (2, 4), (2, 7), (3, 3)):
        slots = list(rng.standard_normal((2 * order, n, 3)))
        mask = None if n % 2 else rng.random([n] * order) < 0.6
        if mask is not None:
            mask[(0,) * order] = True
        query = size * rng.standard_normal((1, 3))
        used(Case(query, slots[:order], [V[:, :1] for V in slots[order:]], 1, mask), NUMPY)


def test_a_device_that_rounds_logits_of_tuples_as_badly_as_it_may() -> None:
    rng = np.random.default_rng(0)
    K = [np.ones((2, 128)), rng.choice([-1.0, 1.0], (8, 128))]
    values = [np.ones((2, 1)), balanced(8)[:, None]]
    case = Case(np.full((1, 128), 0.25), K, values, Fraction(1, 8))
    assert max(used(case, NUMPY)) < 0.1
    assert used(case, adversary(lambda _: balanced(8), None, None, None))[0] > 0.5
    assert used(case, adversary(np.ones_like, None, None, None))[1] > 0.5


def test_a_device_that_rounds_sums_of_tuples_as_badly_as_it_may() -> None:
    """Over 255 columns, where the rows are few."""
    K, V = [np.ones((1, 1)), np.ones((255, 1))], [np.ones((1, 1)), np.ones((255, 1))]
    case = Case(np.zeros((1, 1)), K, V)
    assert max(used(case, NUMPY)) < 0.1
    apart = np.array([1.0, -1.0])
    assert min(used(case, adversary(None, lambda _: apart, None, None))) > 0.7


@pytest.mark.long
def test_the_script_for_accelerators_runs_on_a_cpu() -> None:
    pytest.importorskip("array_api_compat")
    pytest.importorskip("array_api_strict")
    script = Path(__file__).parents[2] / "benchmarks" / "bench_device.py"
    command = [sys.executable, str(script), "array_api_strict", "cpu", "--small"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    _, _, *rows = done.stdout.splitlines()
    assert [row.split(" | ")[0] for row in rows] == ["| [1, 2, 256, 16]", "| [1, 1, 512, 32]"]
    assert all(" 0 of " in row for row in rows)


# --- devices that are refused


class Flawed:
    """NumPy with another function in place of one of its own."""

    def __init__(self, **functions: Any) -> None:
        self.__name__ = "flawed"
        self._functions = {"asarray": lambda x, device: np.asarray(x)} | functions

    def __getattr__(self, name: str) -> Any:
        return self._functions.get(name) or getattr(np, name)


class Halved(np.ndarray[Any, Any]):
    """Numbers whose ``operation`` is one of float32."""

    operation = ""

    def __array_ufunc__(self, ufunc: Any, method: str, *given: Any, **options: Any) -> Any:
        plain = [np.asarray(x) for x in given]
        narrow = ufunc.__name__ == self.operation
        return getattr(ufunc, method)(*(np.float32(x) if narrow else x for x in plain), **options)


def halved(operation: str) -> Any:
    kind = type("Halved", (Halved,), {"operation": operation})
    return lambda x, device: np.asarray(x).view(kind)


def unable(x: Any, device: Any) -> Any:
    raise NotImplementedError("no data")


FLAWS: dict[str, tuple[dict[str, Any], str]] = {
    "no data": ({"asarray": unable}, "NotImplementedError: no data"),
    "narrow": ({"asarray": lambda x, device: np.float32(x)}, "float64 becomes float32"),
    "sums": ({"asarray": halved("add")}, "sums are not rounded to nearest"),
    "differences": ({"asarray": halved("subtract")}, "differences are not rounded to nearest"),
    "products": ({"asarray": halved("multiply")}, "products are not rounded to nearest"),
    "quotients": ({"asarray": halved("divide")}, "quotients are not rounded to nearest"),
    "away": ({"round": lambda x: np.floor(x + 0.5)}, "numbers are not rounded to whole ones"),
    "matrices": (
        {"matmul": lambda a, b: np.matmul(np.float32(a), np.float32(b)).astype(np.float64)},
        "products of matrices are not those of float64",
    ),
    "axis": (
        {"sum": lambda x, axis: np.float32(x).sum(axis=axis) / 3},
        "sums along an axis are not those of float64",
    ),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_device_with_another_arithmetic_is_refused(
    flaw: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions, reason = FLAWS[flaw]
    compat = pytest.importorskip("array_api_compat")
    monkeypatch.setattr(compat, "array_namespace", lambda _: Flawed(**functions))
    on = import_module("array_api_strict").ones(2)
    with pytest.raises(InputError) as refused:
        device_of(on)
    assert refused.value.argument == "on"
    assert refused.value.got.startswith("flawed on ")
    assert refused.value.got.endswith(f": {reason}")


def test_what_is_no_device() -> None:
    assert device_of(None) is None
    assert device_of(np.ones(2)) is None
    with pytest.raises(InputError, match=r"on: expected an array of a framework .* got a list"):
        device_of([1.0])


def test_jax_keeps_float32_unless_told_otherwise() -> None:
    jax = pytest.importorskip("jax")
    with jax.enable_x64(False), pytest.raises(InputError, match="float64 becomes float32"):
        device_of(jax.numpy.ones(3))


def test_without_the_package_that_makes_frameworks_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(import_module("sys").modules, "array_api_compat", None)
    with pytest.raises(InputError, match="on: expected array-api-compat installed"):
        device_of(object())
