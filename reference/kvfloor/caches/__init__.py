"""The Cache protocol, and caches that speak it."""

from kvfloor.caches.exact import ExactCache
from kvfloor.caches.floor import FloorCache
from kvfloor.caches.hashed import HashedCache
from kvfloor.caches.protocol import (
    Cache,
    CacheFactory,
    Configured,
    State,
    configure,
    describe,
    record,
    restore,
)

__all__ = [
    "Cache",
    "CacheFactory",
    "Configured",
    "ExactCache",
    "FloorCache",
    "HashedCache",
    "State",
    "configure",
    "describe",
    "record",
    "restore",
]
