"""What a cache is, and how it is examined: only through the bytes of its state (D4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, NamedTuple, Protocol

from kvfloor.errors import InputError
from kvfloor.families import Token
from kvfloor.numbers import shown

__all__ = [
    "Cache",
    "CacheFactory",
    "Configured",
    "State",
    "configure",
    "describe",
    "record",
    "restore",
    "scope",
    "serves",
    "state_of",
]


class Cache(Protocol):
    """A cache algorithm in use.

    It may also have ``state_bits() -> int``, for a state that ends inside its last byte.
    """

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        """Take one token: m key vectors of shape (d,), m value vectors of shape (d_v,)."""

    def state(self) -> bytes:
        """Return everything that may be used from now on."""

    def answer(self, query: Sequence[Any]) -> Sequence[Any]:
        """Return d_v numbers for a query of shape (d,)."""


class CacheFactory(Protocol):
    """What makes caches; usually the class. The seed is the public coins."""

    def __call__(self, *, order: int, d: int, d_v: int, seed: int) -> Cache:
        """Return an empty cache."""

    def from_state(self, state: bytes, *, order: int, d: int, d_v: int, seed: int) -> Cache:
        """Return the cache that had this state."""


@dataclass(frozen=True)
class Configured:
    """A cache class that takes options of its own, with them fixed: itself a `CacheFactory`."""

    cache_class: Any
    options: tuple[tuple[str, Any], ...]

    def __call__(self, *, order: int, d: int, d_v: int, seed: int) -> Cache:
        """Return an empty cache with the options."""
        cache: Cache = self.cache_class(order=order, d=d, d_v=d_v, seed=seed, **dict(self.options))
        return cache

    def from_state(self, state: bytes, *, order: int, d: int, d_v: int, seed: int) -> Cache:
        """Return the cache with the options that had this state."""
        cache: Cache = self.cache_class.from_state(
            state, order=order, d=d, d_v=d_v, seed=seed, **dict(self.options)
        )
        return cache


def configure(cache_class: Any, **options: Any) -> Configured:
    """Return a factory of ``cache_class`` with its own options fixed, such as ``bits=8``."""
    return Configured(cache_class, tuple(sorted(options.items())))


def describe(factory: Any) -> dict[str, Any]:
    """Return name and options of a factory as a JSON object, for certificates and reports.

    An option that is no JSON scalar is shown by its ``str``, a class or function by its name, an
    object without a ``str`` of its own by its type's.

    Raises
    ------
    InputError
        If it has no name to be found by.
    """
    configured = isinstance(factory, Configured)
    made = factory.cache_class if configured else factory
    if not hasattr(made, "__module__") or not hasattr(made, "__qualname__"):
        raise InputError("factory", "a class, a function, or what configure returns", repr(made))
    options: Mapping[str, Any] = dict(factory.options) if configured else {}
    return {
        "name": f"{made.__module__}:{made.__qualname__}",
        "options": {
            name: value if value is None or isinstance(value, bool | int | str) else _text(value)
            for name, value in options.items()
        },
    }


def scope(factory: Any) -> str:
    """Return what an adapter counts as state and what it cannot see, in its words; else empty."""
    text = getattr(getattr(factory, "cache_class", factory), "scope", "")
    return text if isinstance(text, str) else ""


def serves(factory: Any) -> str:
    """Return the only inputs that a cache declares to be made for, by name; empty for all.

    It is the attribute ``serves`` of the class or function: "binary-values" (instances of that
    family), "signs" (numbers -1, 0 and 1), "float16" (up to 65504), "box" (keys and values in
    [-1, 1], the largest more than 1/2) or "gauge" (the same, in the gauge of `GaugedCache`). An
    audit tries it on these alone.
    """
    text = getattr(getattr(factory, "cache_class", factory), "serves", "")
    return text if isinstance(text, str) else ""


def _text(option: Any) -> str:
    """A class or function by where it is found, so too what shows only its type and address."""
    if str(option) == object.__repr__(option):
        option = type(option)
    if hasattr(option, "__module__") and hasattr(option, "__qualname__"):
        return f"{option.__module__}:{option.__qualname__}"
    return str(option)


class State(NamedTuple):
    """A serialised state and the number of bits that count."""

    data: bytes
    bits: int


def record(
    factory: CacheFactory, tokens: Iterable[Token], *, d: int, d_v: int, seed: int = 0
) -> State:
    """Return the state of a new cache after the tokens.

    Raises
    ------
    InputError
        If the state is not bytes, or does not fit in the bits that the cache declares.
    """
    tokens = list(tokens)
    if not tokens:
        raise InputError("tokens", "at least one", "none")
    cache = factory(order=len(tokens[0].keys), d=d, d_v=d_v, seed=seed)
    for token in tokens:
        cache.append(token.keys, token.values)
    return state_of(cache)


def state_of(cache: Cache) -> State:
    """Return the state of a cache.

    Raises
    ------
    InputError
        As `record` does.
    """
    data = cache.state()
    if not isinstance(data, bytes):
        raise InputError("cache", "state() of type bytes", type(data).__name__)
    declared = getattr(cache, "state_bits", None)
    bits = 8 * len(data) if declared is None else declared()
    if isinstance(bits, bool) or not isinstance(bits, Integral):
        raise InputError("cache", "state_bits() that is a whole number", shown(bits))
    if not fits(data, int(bits)):
        raise InputError("cache", f"state_bits() in which {len(data)} bytes fit", shown(int(bits)))
    return State(data, int(bits))


def fits(data: bytes, bits: int) -> bool:
    """Whether ``data`` is a state of ``bits`` bits: no byte too many, unused high bits zero."""
    if bits < 0 or len(data) != -(-bits // 8):
        return False
    return bits % 8 == 0 or data[-1] >> bits % 8 == 0


def restore(
    factory: CacheFactory, state: State, *, order: int, d: int, d_v: int, seed: int = 0
) -> Cache:
    """Return a cache that knows nothing but the bytes of ``state`` and the public coins."""
    return factory.from_state(state.data, order=order, d=d, d_v=d_v, seed=seed)
