"""A press or a cache implementation by its name, as the libraries that have them make it."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from kvfloor.errors import InputError
from kvfloor.numbers import shown

__all__ = ["Compressor", "Installed", "compressor_name", "found"]

Compressor = str | Callable[..., Any]
DECODING = ("DecodingPress", "PrefillDecodingPress")  # of kvpress: at work while tokens come singly
RENUMBERING = ("KeyRerotationPress", "RestoreKVPress")  # those that move what they keep


def found(compressor: Compressor) -> Callable[..., Any]:
    """Return what makes a press or a cache, from ``MODULE:NAME,OPTION=VALUE,...`` or as it is.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if callable(compressor):
        return compressor
    expected = "MODULE:NAME or MODULE:NAME,OPTION=VALUE,..."
    if not isinstance(compressor, str):
        raise InputError("compressor", expected, shown(compressor))
    (place, *settings), options = compressor.split(","), dict[str, Any]()
    module, colon, name = place.partition(":")
    for setting in settings:
        option, equals, value = setting.partition("=")
        if not equals or not option.isidentifier():
            raise InputError("compressor", expected, shown(compressor))
        options[option] = _value(value)
    if not colon:
        raise InputError("compressor", expected, shown(compressor))
    try:
        made = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InputError("compressor", "one that is installed", shown(str(error))) from None
    return partial(made, **options)


def compressor_name(compressor: Compressor) -> str:
    """Return how a compressor is called in reports."""
    if isinstance(compressor, partial):
        options = (f"{name}={value}" for name, value in compressor.keywords.items())
        return ",".join((compressor_name(compressor.func), *options))
    if isinstance(compressor, str):
        return compressor
    named = compressor if hasattr(compressor, "__qualname__") else type(compressor)
    return f"{named.__module__}:{named.__qualname__}"


class Installed:
    """A compressor beside a model: a cache to be filled, and a press or none.

    Parameters
    ----------
    compressor : str or callable
        Makes a press of kvpress or alike, a context manager of a model; or a cache of
        Transformers, which is given ``config`` and ``max_cache_len`` if it takes them.
    model : PreTrainedModel
    longest : int
        Tokens that a cache of fixed length has to hold.

    Raises
    ------
    InputError
        If it makes neither.
    """

    def __init__(self, compressor: Compressor, model: Any, longest: int) -> None:
        import transformers  # noqa: PLC0415 (optional, and slow to import)

        make, self._model = found(compressor), model
        known = {"config": model.config, "max_cache_len": longest}
        taken = _parameters(make)
        already = make.keywords if isinstance(make, partial) else {}
        given = {k: v for k, v in known.items() if k in taken and k not in already}
        made = make(**given)
        self.press: Any = None if isinstance(made, transformers.Cache) else made
        self.cache = transformers.DynamicCache(config=model.config)
        if self.press is None:
            self.cache = made
        elif not callable(self.press):
            expected = "a press, or a cache of Transformers"
            raise InputError("compressor", expected, type(made).__name__)

    @property
    def decodes(self) -> bool:
        """Whether the press is at work while single tokens come."""
        if "DMSPress" in _classes(self.press):
            return bool(self.press.decoding)
        return not _classes(self.press).isdisjoint(DECODING)

    @property
    def prefills(self) -> bool:
        """Whether the press is at work on the first tokens."""
        return self.press is not None and DECODING[0] not in _classes(self.press)

    @property
    def renumbers(self) -> bool:
        """Whether the next token follows the tokens that are kept, as if there had been no more."""
        classes = _classes(self.press)
        return not classes.isdisjoint(RENUMBERING) or (
            "FinchPress" in classes and bool(self.press.rerotate_keys)
        )

    @contextmanager
    def at_work(self, *, on: bool) -> Iterator[None]:
        """Have the press at work on the model, or not."""
        if not on:
            yield
            return
        with self.press(self._model):
            yield


def _parameters(make: Callable[..., Any]) -> Collection[str]:
    """Names of what it takes, none if it does not say."""
    try:
        return inspect.signature(make).parameters.keys()
    except (ValueError, TypeError):
        return ()


def _classes(press: Any) -> set[str]:
    return {made.__name__ for made in type(press).__mro__}


def _value(text: str) -> Any:
    """An option's value: a literal of Python, else the text itself."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
