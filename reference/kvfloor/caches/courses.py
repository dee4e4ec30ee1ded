"""How a stream can be given to a cache: courses that leave an honest cache as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kvfloor.caches.protocol import Cache, CacheFactory, restore, state_of
from kvfloor.families import Token

__all__ = ["COURSES", "LIVE", "take"]

Tokens = Sequence[Token]
New = Callable[[], Cache]


def take(
    factory: CacheFactory,
    course: str,
    tokens: Tokens,
    query: Sequence[Any],
    *,
    d: int,
    d_v: int,
    seed: int,
) -> Cache:
    """Return a cache that took the tokens, in a course of `COURSES`.

    Parameters
    ----------
    factory : CacheFactory
    course : str
        ``once``; ``live``: the same, and it is asked itself, without a restore; ``asked``: the
        query is answered after every token; ``throughout``: after every token but the last, and it
        is asked itself; ``restored``: saved and restored after every token; ``saved``: saved after
        every token, and it goes on itself;
        ``twice``: a cache before it took the same; ``interleaved``: another one takes the tokens
        backwards at the same time.
    tokens : sequence of Token
    query : sequence of d numbers
    d, d_v, seed : int
    """
    shape = {"order": len(tokens[0].keys), "d": d, "d_v": d_v, "seed": seed}

    def renew(cache: Cache) -> Cache:
        return restore(factory, state_of(cache), **shape)

    return COURSES[course](lambda: factory(**shape), renew, tokens, query)


def _given(new: New, tokens: Tokens, then: Callable[[Cache], Cache]) -> Cache:
    """A new cache after the tokens, where each is followed by something that may replace it."""
    cache = new()
    for token in tokens:
        cache.append(token.keys, token.values)
        cache = then(cache)
    return cache


def _once(new: New, _: Any, tokens: Tokens, __: Any) -> Cache:
    return _given(new, tokens, lambda cache: cache)


def _asked(new: New, _: Any, tokens: Tokens, query: Sequence[Any]) -> Cache:
    def ask(cache: Cache) -> Cache:
        cache.answer(query)
        return cache

    return _given(new, tokens, ask)


def _throughout(new: New, _: Any, tokens: Tokens, query: Sequence[Any]) -> Cache:
    cache = new()
    for token in tokens[:-1]:
        cache.append(token.keys, token.values)
        cache.answer(query)
    cache.append(tokens[-1].keys, tokens[-1].values)
    return cache


def _restored(new: New, renew: Callable[[Cache], Cache], tokens: Tokens, _: Any) -> Cache:
    return _given(new, tokens, renew)


def _saved(new: New, _: Any, tokens: Tokens, __: Any) -> Cache:
    def save(cache: Cache) -> Cache:
        state_of(cache)
        return cache

    return _given(new, tokens, save)


def _twice(new: New, renew: Any, tokens: Tokens, query: Any) -> Cache:
    state_of(_once(new, renew, tokens, query))
    return _once(new, renew, tokens, query)


def _interleaved(new: New, _: Any, tokens: Tokens, __: Any) -> Cache:
    cache, other = new(), new()
    for token, later in zip(tokens, reversed(tokens), strict=True):
        other.append(later.keys, later.values)
        cache.append(token.keys, token.values)
    return cache


COURSES: dict[str, Callable[[New, Callable[[Cache], Cache], Tokens, Sequence[Any]], Cache]] = {
    "once": _once,
    "live": _once,
    "asked": _asked,
    "throughout": _throughout,
    "restored": _restored,
    "saved": _saved,
    "twice": _twice,
    "interleaved": _interleaved,
}

LIVE = ("live", "throughout")  # the courses in which the cache itself is asked, not a restored one
