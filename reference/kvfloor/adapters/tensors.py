"""Tokens as tensors of PyTorch or NumPy, tensors as bytes, and attention over them.

PyTorch is imported only where it is asked for. Numbers are rounded to the tensors' dtype, as the
adapted code would get them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kvfloor.attention import tensor_attention_rounded
from kvfloor.errors import InputError
from kvfloor.numbers import BinaryFormat, as_format, as_fraction, to_framework, to_numpy

__all__ = ["LIBRARIES", "Array", "Tensors", "attend"]

Array = npt.NDArray[Any]
LIBRARIES = ("torch", "numpy")


@dataclass(frozen=True)
class Tensors:
    """How an adapted compressor wants its numbers.

    Parameters
    ----------
    library : "torch" or "numpy"
    format : BinaryFormat
        Of keys and values.

    Raises
    ------
    InputError
        If the library is unknown or not installed.
    """

    library: str
    format: BinaryFormat

    @classmethod
    def of(cls, library: Any, dtype: Any) -> Tensors:
        """Return the tensors for a library and the name of a format."""
        if library not in LIBRARIES:
            raise InputError("library", " or ".join(map(repr, LIBRARIES)), repr(library))
        try:
            to_framework(library)
        except InputError:
            raise InputError("library", "PyTorch, which is not installed", repr(library)) from None
        return cls(library, as_format(dtype))

    def make(self, rows: Sequence[Sequence[Any]], width: int) -> Any:
        """Return rows as a tensor of shape (1, 1, n, width): one sequence, one head.

        Rows are rounded to the format and filled up with zeros.
        """
        array = np.zeros((1, 1, len(rows), width), dtype=self.format.dtype)
        for place, row in enumerate(rows):
            for c, x in enumerate(row):
                array[0, 0, place, c] = self.format.round(as_fraction(x, "token"))
        return to_framework(self.library)(array)

    def array(self, tensor: Any, argument: str) -> Array:
        """Return the numbers of a tensor as a NumPy array that shares nothing with it.

        Raises
        ------
        InputError
            If it is no tensor of a dtype that NumPy or ml_dtypes has.
        """
        if self.library == "numpy":
            if not isinstance(tensor, np.ndarray):
                raise InputError(argument, "a NumPy array", type(tensor).__name__)
            return np.array(tensor)
        import torch  # noqa: PLC0415 (optional, and slow to import)

        if type(tensor) not in (torch.Tensor, torch.nn.Parameter):
            raise InputError(argument, "a plain PyTorch tensor", type(tensor).__name__)
        return np.array(to_numpy(tensor))

    def is_tensor(self, value: Any) -> bool:
        """Whether a value is a tensor of the library."""
        if self.library == "numpy":
            return isinstance(value, np.ndarray)
        import torch  # noqa: PLC0415 (optional, and slow to import)

        return isinstance(value, torch.Tensor)

    def fill(self, tensor: Any, array: Array) -> None:
        """Overwrite the numbers of a tensor with those of an array of its shape and dtype."""
        if self.library == "numpy":
            tensor[...] = array
        else:
            tensor.data.copy_(to_framework("torch")(array))

    @contextmanager
    def seeded(self, seed: int) -> Iterator[None]:
        """Seed the library's global random numbers, and put them back."""
        if self.library == "numpy":
            state = np.random.get_state()
            np.random.seed(seed)
            try:
                yield
            finally:
                np.random.set_state(state)
            return
        import torch  # noqa: PLC0415 (optional, and slow to import)

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield


def attend(query: Sequence[Any], keys: Array, values: Array, d_v: int) -> list[float]:
    """Attention at scale 1 over n kept tokens: shapes (n, width >= d) and (n, width >= d_v).

    The query is filled up with zeros, and columns of values beyond d_v are left out. Each output
    is the float64 nearest to the true one.

    Raises
    ------
    InputError
        If no token is kept.
    """
    if not len(keys):
        raise InputError("cache", "at least one token kept", "none")
    padded = np.zeros(keys.shape[1])
    padded[: len(query)] = [float(as_fraction(x, "query")) for x in query]
    floats = (keys.astype(np.float64), values[:, :d_v].astype(np.float64))
    found = tensor_attention_rounded(padded, (floats[0],), (floats[1],), dtype="float64")
    return [float(x) for x in np.asarray(found)]
