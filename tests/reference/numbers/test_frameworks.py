"""Arrays of any framework mean the same to every public function, or are refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import kvfloor
from kvfloor import InputError
from kvfloor.numbers import FORMATS, as_format, as_fraction, to_framework, to_numpy

RNG = np.random.default_rng(5)
Q = RNG.normal(size=(2, 3)).astype(np.float32)
K1, K2 = (RNG.normal(size=(4, 3)).astype(np.float32) for _ in range(2))
V1, V2 = (RNG.normal(size=(4, 2)).astype(np.float32) for _ in range(2))
MASK = np.ones((4, 4), dtype=np.bool_)


class OnDevice:
    """As a tensor of PyTorch that has a gradient and lives on a device: handed over when asked."""

    dtype, requires_grad = "torch.float32", True

    def __init__(self, array: Any) -> None:
        self.array, self.asked = array, set[str]()

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("can't convert a device tensor that requires grad")

    def __iter__(self) -> Any:
        return map(OnDevice, self.array)

    def detach(self) -> OnDevice:
        self.asked.add("detach")
        return self

    def cpu(self) -> OnDevice:
        self.asked.add("cpu")
        return self

    def resolve_conj(self) -> OnDevice:
        return self

    resolve_neg = resolve_conj

    def numpy(self) -> Any:
        assert self.asked == {"detach", "cpu"}
        return self.array


class Capsule:
    """An array that has DLPack's protocol and no other."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()


class Unwilling:
    """An array whose framework raises what it likes."""

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("no data")


def torch(array: Any) -> Any:
    return pytest.importorskip("torch").from_numpy(array)


def torch_with_gradient(array: Any) -> Any:
    tensor = torch(array)
    return tensor.requires_grad_() if tensor.is_floating_point() else tensor


def jax(array: Any) -> Any:
    return pytest.importorskip("jax.numpy").asarray(array)


FRAMEWORKS: dict[str, Callable[[Any], Any]] = {
    "numpy": np.asarray,
    "lists": lambda array: array.tolist(),
    "device": OnDevice,
    "dlpack": Capsule,
    "torch": torch,
    "torch-with-gradient": torch_with_gradient,
    "jax": jax,
}

CALLS: dict[str, Callable[..., Any]] = {
    "tensor_attention": lambda q, K, V, mask, scale: kvfloor.tensor_attention(
        q, K, V, mask=mask, scale=scale
    ).output.tolist(),
    "tensor_attention_khatri_rao": lambda q, K, V, mask, scale: kvfloor.tensor_attention_khatri_rao(
        q, K, V, mask=mask, scale=scale
    ).output.tolist(),
    "tensor_attention_rounded": lambda q, K, V, mask, scale: kvfloor.tensor_attention_rounded(
        q, K, V, dtype="float32", mask=mask, scale=scale
    ).tolist(),
    "enclose": lambda q, K, V, mask, scale: [
        ball.str() for ball in kvfloor.enclose(q, K, V, mask=mask, scale=scale).output
    ],
    "ExactAttention": lambda q, K, V, mask, scale: kvfloor.ExactAttention(K, V, scale=scale)(
        q, mask=mask
    ),
    "khatri_rao": lambda q, K, V, mask, scale: (kvfloor.khatri_rao(*K), q is mask is V is scale),
}


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", CALLS)
def test_all_frameworks_mean_the_same(name: str, framework: str) -> None:
    make, call = FRAMEWORKS[framework], CALLS[name]
    plain = call(Q[0], (K1, K2), (V1, V2), MASK, 0.5)
    keys, values = [make(A.copy()) for A in (K1, K2)], [make(A.copy()) for A in (V1, V2)]
    scale = np.array(0.5) if framework in ("lists", "dlpack") else make(np.array(0.5, np.float32))
    assert call(make(Q[0].copy()), keys, values, make(MASK.copy()), scale) == plain


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_queries_with_axes_before_the_last(framework: str) -> None:
    queries = np.stack([Q, 2 * Q, 3 * Q])
    options: dict[str, Any] = {"dtype": "bfloat16"}
    plain = kvfloor.tensor_attention_rounded(queries, (K1,), (V1,), **options)
    made = FRAMEWORKS[framework](queries)
    assert (kvfloor.tensor_attention_rounded(made, (K1,), (V1,), **options) == plain).all()
    assert plain.shape == (3, 2, 2)


@pytest.mark.parametrize("argument", ["query", "keys[0]", "values[0]", "mask"])
def test_what_is_not_handed_over_is_one_clear_error(argument: str) -> None:
    given: dict[str, Any] = {"query": Q, "keys[0]": K1, "values[0]": V1, "mask": None}
    given[argument] = Unwilling()
    with pytest.raises(
        InputError, match=r"got Unwilling that NumPy cannot read \('no data'\)"
    ) as e:
        kvfloor.tensor_attention_rounded(
            given["query"],
            (given["keys[0]"],),
            (given["values[0]"],),
            mask=given["mask"],
            dtype="float32",
        )
    assert e.value.argument == argument


def test_arrays_without_axes_are_numbers() -> None:
    for made in (np.array(0.25), np.array(0.25, ml_dtypes.bfloat16), OnDevice(np.array(0.25))):
        assert as_fraction(made, "x") == as_fraction("1/4", "x")
    for refused in (np.array(True), np.array([0.25]), np.array(np.nan), Unwilling()):
        with pytest.raises(InputError, match="x: expected a finite real number"):
            as_fraction(refused, "x")


@pytest.mark.parametrize("name", FORMATS)
def test_torch_has_the_same_bits(name: str) -> None:
    module = pytest.importorskip("torch")
    if not hasattr(module, name):
        pytest.skip(f"PyTorch has no {name}")
    array = np.arange(8).astype(as_format(name).dtype)[::2]
    tensor = to_framework("torch")(np.ascontiguousarray(array))
    assert str(tensor.dtype) == f"torch.{name}"
    for view in (tensor, tensor.requires_grad_(), tensor.reshape(2, 2).T.T.reshape(-1)):
        back = to_numpy(view)
        assert back.dtype == array.dtype
        assert back.tobytes() == array.tobytes()


def test_torch_takes_what_is_not_to_be_written_to() -> None:
    pytest.importorskip("torch")
    array = np.ones(3)
    array.setflags(write=False)
    made = to_framework("torch")(array)
    made[0] = 2
    assert array.tolist() == [1, 1, 1]


def test_torch_without_data_is_refused() -> None:
    module = pytest.importorskip("torch")
    for tensor in (module.ones(3, device="meta"), module.ones(3).to_sparse()):
        with pytest.raises(InputError, match=r"query: expected an array of shape .* NumPy cannot"):
            kvfloor.tensor_attention_rounded(tensor, (K1,), (V1,), dtype="float32")


class Narrowing:
    """An array API that makes float32 of float64, as JAX does unless it is told otherwise."""

    @staticmethod
    def asarray(array: Any) -> Any:
        return np.asarray(array, np.float32)

    def __array_namespace__(self) -> Any:
        return Narrowing


def test_a_result_keeps_its_format_or_is_refused() -> None:
    refused = "dtype: expected a format .* jax_enable_x64 .*, got float64, which it"
    with pytest.raises(InputError, match=refused):
        kvfloor.tensor_attention_rounded(Q, (K1,), (V1,), dtype="float64", like=Narrowing())
    out = kvfloor.tensor_attention_rounded(Q, (K1,), (V1,), dtype="float32", like=Narrowing())
    assert np.asarray(out).dtype == np.float32
