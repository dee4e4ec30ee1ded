"""The Cache protocol, and caches that speak it."""

from kvfloor.caches.exact import ExactCache
from kvfloor.caches.floor import FloorCache
from kvfloor.caches.gauged import GaugedCache
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
from kvfloor.caches.quantised import QuantisedCache
from kvfloor.caches.window import WindowCache

__all__ = [
    "Cache",
    "CacheFactory",
    "Configured",
    "ExactCache",
    "FloorCache",
    "GaugedCache",
    "HashedCache",
    "QuantisedCache",
    "State",
    "WindowCache",
    "configure",
    "describe",
    "record",
    "restore",
]
