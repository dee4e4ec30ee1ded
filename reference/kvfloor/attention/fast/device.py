"""Where level (a) may run: any namespace of the array API, on any of its devices.

What is trusted of one is listed in docs/fast.md, section 5d; `device_of` tries it first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from kvfloor.errors import InputError, described
from kvfloor.numbers import Array, to_numpy

__all__ = ["Device", "device_of"]

_TRIED = 4096  # pairs of numbers
_WHOLE = 2**23  # products of whole numbers up to this, 64 of them added, are exact in float64


@dataclass(frozen=True)
class Device:
    """A namespace of the array API, and one of its devices.

    Attributes
    ----------
    xp : module
        As `array-api-compat` gives it.
    place : object
        Its name for the device.
    """

    xp: Any
    place: Any

    def array(self, given: Array) -> Any:
        """Return an array of NumPy there."""
        return self.xp.asarray(np.ascontiguousarray(given), device=self.place)

    def __str__(self) -> str:
        return f"{self.xp.__name__.removeprefix('array_api_compat.')} on {self.place}"


def device_of(on: Any) -> Device | None:
    """Return the device of an array after a test of its arithmetic; None for None or NumPy.

    Raises
    ------
    InputError
        If it is no array, `array-api-compat` is not installed, or the arithmetic is not float64's.
    """
    if on is None or isinstance(on, np.ndarray | np.generic):
        return None
    try:
        compat = import_module("array_api_compat")
    except ImportError:
        raise InputError("on", "array-api-compat installed", "none: kvfloor[device]") from None
    if not compat.is_array_api_obj(on):
        raise InputError("on", "an array of a framework of the array API", f"a {type(on).__name__}")
    device = Device(compat.array_namespace(on), compat.device(on))
    if (fault := _tried(device)) is not None:
        raise InputError("on", "float64 as IEEE 754 has it", f"{device}: {fault}")
    return device


def _tried(device: Device) -> str | None:
    """What is not as it should be; whatever a framework raises is that."""
    try:
        return _narrowed(device) or _fault(device)
    except Exception as error:
        return described(error)


def _narrowed(device: Device) -> str | None:
    """What float64 becomes, if anything else: a framework may be told so at any time."""
    kind = device.array(np.ones(1)).dtype
    return None if kind == device.xp.float64 else f"float64 becomes {kind}"


@cache
def _fault(device: Device) -> str | None:
    """What is not as level (a) needs it, None if nothing is."""
    rng = np.random.default_rng(0)
    x, y = (np.ldexp(rng.uniform(0.5, 1, _TRIED), rng.integers(-60, 60, _TRIED)) for _ in range(2))
    x *= rng.choice([-1, 1], _TRIED)
    X, Y = device.array(x), device.array(y)
    for name, there, here in (
        ("sums", X + Y, x + y),
        ("differences", X - Y, x - y),
        ("products", X * Y, x * y),
        ("quotients", X / Y, x / y),
    ):
        if not np.array_equal(to_numpy(there), here):
            return f"{name} are not rounded to nearest"
    halves = np.concatenate([np.arange(-64, 64) / 2, x[np.abs(x) < 2**20]])
    if not np.array_equal(to_numpy(device.xp.round(device.array(halves))), np.round(halves)):
        return "numbers are not rounded to whole ones"
    return _fault_of_products(device, rng)


def _fault_of_products(device: Device, rng: np.random.Generator) -> str | None:
    """Matrices of whole numbers, whose products need nearly all bits of a float64 and no more."""
    shapes = (3, 96, 64), (3, 64, 33)
    A, B = (rng.integers(-_WHOLE, _WHOLE, shape) for shape in shapes)
    exact = np.matmul(A, B)  # below 2**52, in integers
    there = [device.array(factor.astype(np.float64)) for factor in (A, B)]
    if not np.array_equal(to_numpy(device.xp.matmul(*there)), exact):
        return "products of matrices are not those of float64"
    if not np.array_equal(to_numpy(device.xp.sum(there[0], axis=0)), A.sum(axis=0)):
        return "sums along an axis are not those of float64"
    return None
