"""Caches in processes of their own: nothing but the bytes of a state goes from one to another."""

from kvfloor.isolation.nursery import warm
from kvfloor.isolation.processes import (
    READING,
    SECONDS,
    WRITING,
    Factory,
    Isolated,
    IsolationError,
    Misbehaviour,
    Shape,
    writer_and_reader,
)
from kvfloor.isolation.streams import (
    REFUSALS,
    Answer,
    Refusal,
    Stream,
    asked,
    called,
    streamed,
    tossed,
)

__all__ = [
    "READING",
    "REFUSALS",
    "SECONDS",
    "WRITING",
    "Answer",
    "Factory",
    "Isolated",
    "IsolationError",
    "Misbehaviour",
    "Refusal",
    "Shape",
    "Stream",
    "asked",
    "called",
    "streamed",
    "tossed",
    "warm",
    "writer_and_reader",
]
