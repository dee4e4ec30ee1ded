"""Compressors of a model that keep what they need outside of its cache, or where few would look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

KEPT = 1  # tokens left in the cache


def cache_of(kwargs: Any) -> Any:
    """The cache that an attention module is given; Transformers calls it so since 5.24."""
    return kwargs["cache"] if "cache" in kwargs else kwargs["past_key_values"]


class Hider:
    """Leaves few tokens in the cache, and puts all of them back before the next token comes."""

    @contextmanager
    def __call__(self, model: Any) -> Iterator[None]:
        for layer in model.model.layers:
            self.watch(layer.self_attn)
        yield

    def watch(self, module: Any) -> None:
        """Hide what the first tokens leave in the layer's cache, and bring it back later."""

        def hide(own: Any, _args: Any, kwargs: Any, _output: Any) -> None:
            layer = cache_of(kwargs).layers[own.layer_idx]
            if kwargs["hidden_states"].shape[1] > 1:
                self.keep(own, (layer.keys, layer.values))
                layer.keys, layer.values = (x[:, :, :KEPT].clone() for x in self.kept(own))

        def bring_back(own: Any, _args: Any, kwargs: Any) -> None:
            if kwargs["hidden_states"].shape[1] == 1:
                layer = cache_of(kwargs).layers[own.layer_idx]
                layer.keys, layer.values = self.kept(own)

        module.register_forward_pre_hook(bring_back, with_kwargs=True)
        module.register_forward_hook(hide, with_kwargs=True)

    def keep(self, module: Any, tensors: Any) -> None:
        """Put them somewhere."""
        raise NotImplementedError

    def kept(self, module: Any) -> Any:
        """Return them."""
        raise NotImplementedError


class HidesInModule(Hider):
    """Keeps tokens in an attribute of the attention module."""

    def keep(self, module: Any, tensors: Any) -> None:
        module.aside = tensors

    def kept(self, module: Any) -> Any:
        return module.aside


class HidesInClosure(Hider):
    """Keeps tokens in a variable of the function that made its hooks."""

    def watch(self, module: Any) -> None:
        aside: Any = None

        def hide(own: Any, _args: Any, kwargs: Any, _output: Any) -> None:
            nonlocal aside
            layer = cache_of(kwargs).layers[own.layer_idx]
            if kwargs["hidden_states"].shape[1] > 1:
                aside = layer.keys, layer.values
                layer.keys, layer.values = (x[:, :, :KEPT].clone() for x in aside)

        def bring_back(own: Any, _args: Any, kwargs: Any) -> None:
            if aside is not None and kwargs["hidden_states"].shape[1] == 1:
                layer = cache_of(kwargs).layers[own.layer_idx]
                layer.keys, layer.values = aside

        module.register_forward_pre_hook(bring_back, with_kwargs=True)
        module.register_forward_hook(hide, with_kwargs=True)


class HidesInPositions(Hider):
    """Keeps values of 0 and 1 as the number of positions that the cache says it has come to."""

    def watch(self, module: Any) -> None:
        def hide(own: Any, _args: Any, kwargs: Any, _output: Any) -> None:
            layer = cache_of(kwargs).layers[own.layer_idx]
            if kwargs["hidden_states"].shape[1] > 1:
                ones = (layer.values > 0.5).flatten().tolist()
                layer.cumulative_length = sum(one << place for place, one in enumerate(ones))
                layer.values = layer.values[:, :, :0].clone()

        module.register_forward_hook(hide, with_kwargs=True)
