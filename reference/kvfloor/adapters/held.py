"""What an object holds, counted: every tensor by its storage, and every number beside them.

PyTorch only. A tensor counts by the bytes of storage that it reaches, shared ones once; bytes of a
storage that no tensor reaches, as behind a slice, are told apart, and so are places for tokens that
have not come. A whole number counts 64 bits, or as many more as it needs, and so does a float; text
and bytes by their length; anything else by its pickle.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import numpy as np

__all__ = ["Held", "digest", "held_in"]

WORD = 64
TOKENS = -2  # the axis of tokens, of tensors of shape (batch, heads, tokens, entries)
FUNCTIONS = FunctionType | BuiltinFunctionType | MethodType
CONSTANTS = ("dtype", "device", "layout", "memory_format")  # PyTorch's, the same for all inputs


@dataclass(frozen=True)
class Held:
    """Bits that an object holds.

    Attributes
    ----------
    tensors : int
        Of all tensors.
    numbers : int
        Of what is no tensor: lengths, counters, options.
    empty : int
        Of those of tensors: zeros in places for tokens at the end, where none has come.
    unreached : int
        Of storage behind tensors that none of them reaches; not in the others.
    parts : dict of str to int
        Bits of tensors by the names of attributes, such as "keys".
    """

    tensors: int
    numbers: int
    empty: int
    unreached: int
    parts: dict[str, int] = field(default_factory=dict)

    @property
    def bits(self) -> int:
        """Of tensors and numbers, empty places too."""
        return self.tensors + self.numbers

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            "bits": self.bits,
            "tensors": self.tensors,
            "numbers": self.numbers,
            "empty": self.empty,
            "unreached": self.unreached,
            "parts": self.parts,
        }


def held_in(value: Any) -> Held:
    """Return what an object holds, its attributes, lists and dictionaries included."""
    import torch  # noqa: PLC0415 (optional, and slow to import)

    reached = dict[int, Any]()  # the bytes of each storage that are reached
    parts, numbers, empty = dict[str, int](), 0, 0
    for name, found in _walk(value, "", set()):
        if not isinstance(found, torch.Tensor):
            numbers += _bits_of(found)
            continue
        storage = found.untyped_storage()
        size, start = storage.nbytes(), storage.data_ptr()
        if not size:
            continue
        marks = reached.setdefault(start, torch.zeros(size, dtype=torch.bool))
        before = int(marks.sum())
        _mark(marks, found)
        part = name.rsplit(".", 1)[-1].split("[")[0] or "tensor"
        parts[part] = parts.get(part, 0) + 8 * (int(marks.sum()) - before)
        empty += 8 * found.element_size() * _empty_entries(found)
    counts = [(int(marks.sum()), len(marks)) for marks in reached.values()]
    return Held(
        tensors=8 * sum(count for count, _ in counts),
        numbers=numbers,
        empty=empty,
        unreached=8 * sum(size - count for count, size in counts),
        parts=dict(sorted(parts.items())),
    )


def digest(value: Any) -> bytes:
    """Return a hash of all that an object holds, to see whether it has changed."""
    import torch  # noqa: PLC0415 (optional, and slow to import)

    found = sha256()
    for name, item in _walk(value, "", set()):
        found.update(name.encode())
        if isinstance(item, torch.Tensor):
            found.update(str((item.dtype, tuple(item.shape))).encode())
            found.update(item.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes())
        else:
            found.update(pickle.dumps(item))
    return found.digest()


def _walk(value: Any, name: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield what cannot be taken apart: plain tensors, and what is neither tensor nor container."""
    import torch  # noqa: PLC0415 (optional, and slow to import)

    constant = type(value).__name__ in CONSTANTS and type(value).__module__ == "torch"
    if value is None or constant or isinstance(value, type | torch.nn.Module | FUNCTIONS):
        return  # found by its name, or of the model
    plain = isinstance(value, bool | int | float | complex | str | bytes)
    if not plain and id(value) in seen:
        return
    seen.add(id(value))
    whole = plain or type(value) in (torch.Tensor, torch.nn.Parameter)
    items = None if whole else _items(value, name)
    if items is None:
        yield name, value
        return
    for own, item in items:
        yield from _walk(item, own, seen)


def _items(value: Any, name: str) -> Iterable[tuple[str, Any]] | None:
    """What a container or an object consists of, None if that cannot be told."""
    if isinstance(value, dict):
        keys = ((f"{name}.keys", key) for key in value)
        return [*keys, *((f"{name}.{key}", item) for key, item in value.items())]
    if isinstance(value, list | tuple | set | frozenset):
        return [(f"{name}[{place}]", item) for place, item in enumerate(value)]
    if hasattr(value, "__dict__"):
        return [(f"{name}.{key}", item) for key, item in vars(value).items()]
    return None


def _bits_of(value: Any) -> int:
    """Bits of what is no tensor."""
    if isinstance(value, int):
        return 1 if isinstance(value, bool) else max(WORD, value.bit_length() + 1)
    if isinstance(value, float):
        return WORD
    if isinstance(value, str):
        return 8 * len(value.encode())
    if isinstance(value, np.ndarray):
        return 8 * int(value.nbytes)
    return 8 * len(value if isinstance(value, bytes) else pickle.dumps(value))


def _mark(marks: Any, tensor: Any) -> None:
    """Mark the bytes of its storage that a tensor reaches."""
    width = tensor.element_size()
    strides = (*(width * stride for stride in tensor.stride()), 1)
    view = marks.as_strided((*tensor.size(), width), strides, width * tensor.storage_offset())
    view.fill_(value=True)


def _empty_entries(tensor: Any) -> int:
    """Entries in places at the end of the axis of tokens that hold nothing but zeros."""
    if tensor.dim() != 4 or not tensor.numel():
        return 0
    used = (tensor != 0).any(dim=-1).any(dim=0).any(dim=0).nonzero()
    last = int(used[-1]) + 1 if len(used) else 0
    tokens = int(tensor.shape[TOKENS])
    return int(tensor.numel()) // tokens * (tokens - last)
