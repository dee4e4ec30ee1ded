"""The checker: one certificate in, one outcome out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from kvfloor.certificates import collision, floor, instance, violation
from kvfloor.certificates.text import InvalidError, MalformedError, check_seal, parse
from kvfloor.errors import InputError
from kvfloor.isolation import Factory
from kvfloor.numbers import shown

__all__ = ["Outcome", "check"]

UNCHECKED_BY_REPLAY = "that the cache does the same every time (it did twice)"
KINDS = {
    ("collision", 1): (collision.check_collision, collision.replay_collision, collision.UNCHECKED),
    ("violation", 1): (violation.check_violation, violation.replay_violation, violation.UNCHECKED),
    ("violation", 2): (instance.check_instance, instance.replay_instance, violation.UNCHECKED),
    ("floor", 1): (floor.check_floor, floor.replay_floor, floor.UNCHECKED),
}


@dataclass(frozen=True)
class Outcome:
    """What the checker found.

    Attributes
    ----------
    status : "ok", "invalid" or "malformed"
        Malformed: no certificate of a known format. Invalid: one that does not hold.
    reason : str
        Why it was refused; empty if ok.
    unchecked : tuple of str
        What nobody can know from the certificate alone.
    """

    status: Literal["ok", "invalid", "malformed"]
    reason: str = ""
    unchecked: tuple[str, ...] = ()


def check(text: str | bytes | dict[str, Any], *, cache: Factory | None = None) -> Outcome:
    """Check a certificate, and with a cache replay its instances on it.

    Parameters
    ----------
    text : str, bytes or dict
        The JSON text, or the object that it holds.
    cache : CacheFactory or "MODULE:FACTORY", optional
        The cache that the certificate speaks of; it runs in processes of its own.

    Returns
    -------
    Outcome
        Never raises for a bad certificate, whatever the cache does.

    Raises
    ------
    InputError
        If it is none of these, if other processes cannot find the cache, or if there is one and the
        certificate, which holds, is a floor.

    Notes
    -----
    T5 `collision`, T6 `random-instance-fails`, H4 `given-keys`. Cost: attention on two instances or
    one, tuple by tuple; for a floor, on a trace in balls, about a minute at most.
    """
    if not isinstance(text, str | bytes | dict):
        raise InputError("text", "JSON text, or the object that it holds", shown(text))
    try:
        document = parse(_dumped(text) if isinstance(text, dict) else text)
        check_seal(document)
        verify, replay, unchecked = KINDS[document["kind"], document["version"]]
        verify(document)
        if cache is not None:
            replay(document, cache)
    except MalformedError as error:
        return Outcome("malformed", str(error))
    except InvalidError as error:
        return Outcome("invalid", str(error))
    return Outcome("ok", unchecked=(unchecked if cache is None else UNCHECKED_BY_REPLAY,))


def _dumped(document: dict[str, Any]) -> str:
    try:
        return json.dumps(document)
    except (TypeError, ValueError, RecursionError) as error:  # of others, or of itself
        raise MalformedError(f"not JSON: {error}") from None
