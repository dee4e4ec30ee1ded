"""What a reply of another process may be, before it is believed; and how it tells an error."""

from __future__ import annotations

import re
from typing import Any

from kvfloor.caches import State, fits

__all__ = ["RATIONAL", "as_state", "printable", "text_of"]

RATIONAL = re.compile(r"-?[0-9]{1,1000}(/[1-9][0-9]{0,999})?")
MOST_REASON = 400  # characters
MOST_TEXT = 200  # of what an error says of itself


def as_state(data: Any, bits: Any) -> State:
    """Return a state from hexadecimal text and its bits; ValueError or TypeError if it is none."""
    state = State(bytes.fromhex(data), bits)
    if type(bits) is not int or not fits(*state):
        raise ValueError
    return state


def printable(value: Any) -> str:
    """What a cache says of itself, on one line, without what could steer a terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(value)[:MOST_REASON])


def text_of(error: BaseException) -> str:
    """What an error of a cache says, on one line."""
    try:
        return " ".join(str(error).split())[:MOST_TEXT]
    except Exception:  # its text is the cache's code too
        return "an error without text"
