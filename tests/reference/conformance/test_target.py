"""Declarations are checked, calls too, and arrays of other frameworks come back as they are."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from kvfloor import InputError, Window
from kvfloor.conformance import Case, Target, check, judge, run
from kvfloor.numbers import to_framework, to_numpy


def echo(q: Any, K: Any, V: Any, *, scale: float, mask: Any) -> Any:
    """Not attention: it returns zeros of the right shapes."""
    return np.zeros((*q.shape[:3], V[0].shape[3]), q.dtype), np.zeros(q.shape[:3], q.dtype)


def case(**changes: Any) -> Case:
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {
        "query": rng.normal(size=(1, 2, 3, 4)),
        "keys": (rng.normal(size=(1, 1, 5, 4)), rng.normal(size=(1, 1, 6, 4))),
        "values": (rng.normal(size=(1, 1, 5, 2)), rng.normal(size=(1, 1, 6, 2))),
        "scale": 1.0,
        "mask": None,
    }
    return Case(**(arrays | changes))


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"function": 3}, "function: expected a callable, got 3"),
        ({"dtype": "float12"}, "dtype: expected one of float64"),
        ({"accumulate": "float8_e5m2"}, "accumulate: expected one of float64, float32, float16"),
        ({"accumulate": "float32"}, "accumulate: expected a format that holds float64"),
        ({"dtype": "float16", "accumulate": "bfloat16"}, "expected a format that holds float16"),
        ({"dtype": "bfloat16", "accumulate": "float16"}, "expected a format that holds bfloat16"),
        ({"order": 0}, "order: expected a whole number >= 1, got 0"),
        ({"layout": "bhn"}, "layout: expected the letters n and d"),
        ({"layout": "bhnnd"}, "layout: expected the letters n and d"),
        ({"layout": "xnd"}, "layout: expected the letters n and d"),
        ({"layout": "bnd", "grouped": True}, "grouped: expected False"),
        ({"scale": -1}, "scale: expected a positive rational"),
        ({"scale": "1/d"}, "scale: expected a positive rational"),
        (
            {"mask": "padding"},
            "mask: expected none, causal, causal-top-left, boolean or",
        ),
        ({"mask": "window"}, "mask: expected none, causal, causal-top-left, boolean or"),
        ({"mask": ("window", 3, 3)}, "mask: expected none, causal, causal-top-left, boolean or"),
        ({"mask": Window(-1, 0)}, "mask.left: expected a whole number >= 0, got -1"),
        ({"mask": Window(0, (1, 2, 3))}, "mask.right: expected a number, None, or 2 of them"),
        ({"returns": ("logsumexp",)}, "returns: expected ('output',) or ('output', 'logsumexp')"),
        ({"block": (4, 4, 4)}, "block: expected one length or 2"),
        ({"block": 0}, "block: expected a whole number >= 1, got 0"),
        ({"weights": "int8"}, "dtype: expected one of float64"),
        ({"exp_ulps": -1}, "exp_ulps: expected a number from 0 to 64, got -1"),
        ({"empty": "none"}, "empty: expected one of zero, nan, got 'none'"),
        ({"arrays": "no_such_framework"}, "arrays: expected numpy, torch, jax or a module"),
        ({"arrays": "json"}, "arrays: expected numpy, torch, jax or a module"),
    ],
)
def test_bad_declarations(declared: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {
        "function": echo,
        "dtype": "float64",
        "accumulate": "float64",
    } | declared
    with pytest.raises(InputError) as raised:
        Target(arguments.pop("function"), **arguments)
    assert message in str(raised.value)


def test_bad_options_of_a_run() -> None:
    options: dict[str, Any] = {"dtype": "float64", "accumulate": "float64"}
    with pytest.raises(InputError, match="flag: expected one of drawn"):
        check(echo, flags=["no-such-flag"], **options)
    with pytest.raises(InputError, match="flags: expected entries that apply to the target"):
        check(echo, flags=["causal"], **options)
    with pytest.raises(InputError, match="examples: expected a whole number"):
        check(echo, examples=-1, **options)


class Opaque:
    """Neither an array nor a way to one."""

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("not to be read")


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (lambda q, V: 1 / 0, "raised ZeroDivisionError: division by zero"),
        (lambda q, V: None, "expected output and logsumexp, as declared (returns), got NoneType"),
        (lambda q, V: (q, q, q), "expected output and logsumexp, as declared (returns), got tuple"),
        (lambda q, V: (Opaque(), q), "output: cannot be read (not to be read)"),
        (lambda q, V: (q.astype(int), q), "output: expected float64, got int64"),
        (lambda q, V: (q[..., :1], q), "output: expected shape (1, 2, 3, 2), got (1, 2, 3, 1)"),
        (lambda q, V: (q[..., :2], q), "logsumexp: expected shape (1, 2, 3), got (1, 2, 3, 4)"),
    ],
)
def test_bad_calls(found: Any, problem: str) -> None:
    def function(q: Any, K: Any, V: Any, *, scale: float, mask: Any) -> Any:
        return found(q, V)

    target = Target(function, dtype="float64", accumulate="float64", grouped=True)
    judged = judge(target, case())
    assert judged.problem == problem
    assert judged.worst is None


def test_a_mask_comes_as_declared_and_a_scale_as_a_float() -> None:
    seen: list[Any] = []

    def function(q: Any, K: Any, V: Any, *, scale: float, mask: Any) -> Any:
        seen.append((mask, scale))
        return echo(q, K, V, scale=scale, mask=mask)

    kept = np.ones((3, 5, 6), dtype=np.bool_)
    target = Target(function, dtype="float64", accumulate="float64")
    for mask, scale in ((None, "1/sqrt(d)"), ("causal", 0.25), (Window(1, (2, 0)), 2)):
        judge(target, case(mask=mask, scale=scale))
    assert seen == [(None, 0.5), ("causal", 0.25), (Window(1, (2, 0)), 2.0)]
    judge(target, case(mask=kept))
    assert (seen[-1][0] == kept).all()


class Exporter:
    """What speaks DLPack and nothing else."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()


def test_dlpack_is_read() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert (to_numpy(Exporter(array)) == array).all()
    assert to_numpy(Exporter(array)).dtype == np.float32


def test_modules_of_the_array_api_make_arrays() -> None:
    array = np.ones((2, 2))
    assert to_framework("numpy")(array) is array
    assert (to_framework("numpy.ma")(array) == array).all()  # any module with asarray


@pytest.mark.parametrize(
    "dtype", [np.float64, np.float32, np.float16, ml_dtypes.bfloat16, ml_dtypes.float8_e5m2]
)
def test_torch_there_and_back(dtype: Any) -> None:
    pytest.importorskip("torch")
    array = (np.arange(12).reshape(3, 4) / 4).astype(dtype)
    tensor = to_framework("torch")(array)
    assert str(tensor.dtype) == f"torch.{array.dtype.name}"
    back = to_numpy(tensor.T)
    assert back.dtype == array.dtype
    assert back.tobytes() == array.T.tobytes()


@pytest.mark.parametrize("error", [SystemExit(0), pytest.skip.Exception("no device"), OSError("x")])
def test_exits_and_skips_are_failures(error: BaseException) -> None:
    def function(*_: Any, **__: Any) -> Any:
        raise error

    (failure,) = check(
        function, dtype="float64", accumulate="float64", flags=["drawn"], examples=0
    ).failures
    assert failure.message == f"raised {type(error).__name__}: {error}"


def test_an_interrupt_is_none() -> None:
    def function(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(function, dtype="float64", accumulate="float64", flags=["drawn"], examples=0)


@pytest.mark.parametrize("order", [1, 3])
def test_slots_that_are_not_expected_are_told(order: int) -> None:
    def two(q: Any, K: Any, _: Any, **__: Any) -> Any:
        first, second = K
        return q * first * second

    def third(q: Any, K: Any, _: Any, **__: Any) -> Any:
        return q * K[order]

    def whole(q: Any, K: Any, _: Any, **__: Any) -> Any:
        return q * K.shape[-1]

    def times(q: Any, K: Any, _: Any, **__: Any) -> Any:
        return q * (K / 2)

    def other(q: Any, *_: Any, **__: Any) -> Any:
        raise ValueError("too many values")

    said = {}
    for function in (two, third, whole, times, other):
        target = Target(function, dtype="float32", accumulate="float32", order=order)
        said[function.__name__] = str(run(target, flags=["drawn"], examples=0).failures[0].message)
    slots = "1 slot" if order == 1 else "3 slots"
    told = f"; it was given {slots} of keys and values, as the order is {order}"
    assert said["two"].endswith(told)
    assert said["third"] == f"raised IndexError: tuple index out of range{told}"
    told = f"; keys and values are tuples of {'1 array' if order == 1 else '3 arrays'}, one a slot"
    assert said["whole"] == f"raised AttributeError: 'tuple' object has no attribute 'shape'{told}"
    assert said["times"].endswith(told)
    assert said["other"] == "raised ValueError: too many values"
