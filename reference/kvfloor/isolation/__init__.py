"""Caches in processes of their own: nothing but the bytes of a state goes from one to another."""

from kvfloor.isolation.processes import (
    SECONDS,
    Factory,
    Isolated,
    IsolationError,
    Misbehaviour,
    Shape,
)

__all__ = [
    "SECONDS",
    "Factory",
    "Isolated",
    "IsolationError",
    "Misbehaviour",
    "Shape",
]
