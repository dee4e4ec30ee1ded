"""Arrays of other frameworks, and back: NumPy, PyTorch, JAX, and modules of the array API."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from kvfloor.errors import InputError, meant
from kvfloor.numbers.formats import FORMATS, as_format

__all__ = ["NATIVE", "Array", "is_array", "to_framework", "to_framework_of", "to_numpy"]

Array = npt.NDArray[Any]
NATIVE = (np.float16, np.float32, np.float64)

# NumPy has no name of its own for the narrow formats, so their bits travel as integers.
BITS: dict[int, np.dtype[Any]] = {1: np.dtype(np.uint8), 2: np.dtype(np.int16)}


def to_framework(name: str) -> Callable[[Array], Any]:
    """Return what makes arrays of a framework out of NumPy's.

    Parameters
    ----------
    name : str
        "numpy", "torch", "jax", or any module with the array API's ``asarray``.

    Raises
    ------
    InputError
        If there is no such module, or it makes no arrays.
    """
    if name == "numpy":
        return _itself
    try:
        module: Any = import_module("jax.numpy" if name == "jax" else name)
        asarray = module.from_numpy if name == "torch" else module.asarray
    except (ImportError, AttributeError) as error:
        expected = "numpy, torch, jax or a module of the array API"
        came = f"{name!r} ({error})" + meant(name, ("numpy", "torch", "jax"))
        raise InputError("arrays", expected, came) from None
    return _to_torch(module) if name == "torch" else _checked(asarray)


def to_framework_of(like: Any) -> Callable[[Array], Any]:
    """Return what makes arrays as another one is: of its framework, on its device.

    Raises
    ------
    InputError
        If it is no array of NumPy, PyTorch, JAX, or a framework with the array API.
    """
    if like is None or isinstance(like, np.ndarray | np.generic):
        return _itself
    module = type(like).__module__.partition(".")[0]
    if module == "torch":
        convert = to_framework("torch")
        return lambda array: convert(array).to(like.device)
    if module in ("jax", "jaxlib"):
        return to_framework("jax")
    if hasattr(like, "__array_namespace__"):
        return _checked(like.__array_namespace__().asarray)
    expected = "an array of NumPy, PyTorch, JAX or the array API"
    raise InputError("like", expected, f"a {type(like).__name__}")


def _itself(array: Array) -> Array:
    return array


def _checked(asarray: Callable[[Array], Any]) -> Callable[[Array], Any]:
    """JAX makes float32 of float64 unless it is told otherwise, with a warning at most."""

    def convert(array: Array) -> Any:
        made = asarray(array)
        name, came = array.dtype.name, str(made.dtype).rpartition(".")[2]
        if name in FORMATS and came != name:
            expected = f"a format that the framework has (JAX needs jax_enable_x64 for {name})"
            raise InputError("dtype", expected, f"{name}, which it made {came}")
        return made

    return convert


def _is_narrow(name: str) -> bool:
    """Whether a format is one that NumPy itself does not have."""
    return name in FORMATS and as_format(name).dtype not in NATIVE


def _to_torch(torch: Any) -> Callable[[Array], Any]:
    def convert(array: Array) -> Any:
        array = np.require(array, requirements="W")  # PyTorch warns of others
        if not _is_narrow(array.dtype.name):
            return torch.from_numpy(array)
        bits = torch.from_numpy(array.view(BITS[array.dtype.itemsize]))
        return bits.view(getattr(torch, array.dtype.name))

    return convert


def is_array(value: Any) -> bool:
    """Whether a value is an array of some framework, or a scalar of NumPy."""
    return hasattr(value, "__array__") or hasattr(value, "__dlpack__")


def to_numpy(array: Any) -> Array:
    """Return an array of any framework as NumPy's, of the same format.

    Gradients are left behind, and devices copied from.

    Raises
    ------
    Exception
        Whatever its framework raises that will not hand it over, or NumPy of what is no array.
    """
    if hasattr(array, "detach"):  # PyTorch; it refuses to export gradients, devices and bfloat16
        array = array.detach().cpu().resolve_conj().resolve_neg()
        name = str(array.dtype).rpartition(".")[2]
        if _is_narrow(name):
            torch = import_module("torch")
            bits = array.contiguous().view(torch.uint8 if array.itemsize == 1 else torch.int16)
            return np.asarray(bits.numpy()).view(as_format(name).dtype)
        return np.asarray(array.numpy())
    if not hasattr(array, "__array__") and hasattr(array, "__dlpack__"):
        return np.from_dlpack(array)
    return np.asarray(array)
