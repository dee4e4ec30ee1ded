"""The Cache protocol, and caches that speak it."""

from kvfloor.caches.exact import ExactCache
from kvfloor.caches.floor import FloorCache
from kvfloor.caches.gauged import GaugedCache
from kvfloor.caches.grouped import GroupedCache
from kvfloor.caches.hashed import HashedCache
from kvfloor.caches.heavy_hitters import HeavyHitterCache
from kvfloor.caches.low_rank import LowRankCache
from kvfloor.caches.packed import PackedCache
from kvfloor.caches.projection import ProjectionCache
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
from kvfloor.caches.sinks import SinkCache
from kvfloor.caches.subgen import SubGen
from kvfloor.caches.subgen2 import SubGen2Cache
from kvfloor.caches.subgen4 import SubGen4Cache
from kvfloor.caches.two_cache import TwoCache
from kvfloor.caches.window import WindowCache

__all__ = [
    "Cache",
    "CacheFactory",
    "Configured",
    "ExactCache",
    "FloorCache",
    "GaugedCache",
    "GroupedCache",
    "HashedCache",
    "HeavyHitterCache",
    "LowRankCache",
    "PackedCache",
    "ProjectionCache",
    "QuantisedCache",
    "SinkCache",
    "State",
    "SubGen",
    "SubGen2Cache",
    "SubGen4Cache",
    "TwoCache",
    "WindowCache",
    "configure",
    "describe",
    "record",
    "restore",
]
