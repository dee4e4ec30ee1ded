"""Presses of a model that each lose one part of what it caches, once the first tokens are in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hiding import cache_of

__all__ = ["LOSSY", "Saturates"]


class Loses:
    """Changes keys and values of every layer; both of shape (batch, heads, tokens, entries)."""

    @contextmanager
    def __call__(self, model: Any) -> Iterator[None]:
        hooks = [
            layer.self_attn.register_forward_hook(self.lose, with_kwargs=True)
            for layer in model.model.layers
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def lose(self, module: Any, _args: Any, kwargs: Any, _output: Any) -> None:
        layer = cache_of(kwargs).layers[module.layer_idx]
        layer.keys, layer.values = self.left(layer.keys, layer.values)

    def left(self, keys: Any, values: Any) -> tuple[Any, Any]:
        """What is left of them."""
        raise NotImplementedError


class EverySecond(Loses):
    """Evicts the odd tokens."""

    def left(self, keys: Any, values: Any) -> tuple[Any, Any]:
        return keys[:, :, ::2].clone(), values[:, :, ::2].clone()


class Unsigned(Loses):
    """Keeps absolute values."""

    def left(self, keys: Any, values: Any) -> tuple[Any, Any]:
        return keys, values.abs()


class Heats(Loses):
    """Keys, and so logits, an eighth of what they should be."""

    def left(self, keys: Any, values: Any) -> tuple[Any, Any]:
        return keys / 8, values


class Saturates(Loses):
    """Values as float8 at a scale of 1: nothing is beyond 448."""

    def left(self, keys: Any, values: Any) -> tuple[Any, Any]:
        return keys, values.clamp(-448, 448).to(_float8()).to(values.dtype)


def _float8() -> Any:
    import torch  # noqa: PLC0415 (optional)

    return torch.float8_e4m3fn


LOSSY = {
    EverySecond: "missing token",
    Unsigned: "wrong signs",
    Heats: "temperature",
}
