"""The Cache protocol, and caches that speak it."""

from kvfloor.caches.balanced import BalancedCache
from kvfloor.caches.clusters import SURELY
from kvfloor.caches.coins import Coins, Flips, derived_seed
from kvfloor.caches.courses import COURSES, LIVE, take
from kvfloor.caches.estimates import Estimates
from kvfloor.caches.exact import ExactCache
from kvfloor.caches.floor import FloorCache
from kvfloor.caches.gauged import GaugedCache
from kvfloor.caches.grouped import GroupedCache
from kvfloor.caches.hashed import HashedCache
from kvfloor.caches.heavy_hitters import HeavyHitterCache
from kvfloor.caches.khatri_rao_codec import pack, read_bits, write_bits
from kvfloor.caches.kivi import KiviCache
from kvfloor.caches.layered import LayeredCache
from kvfloor.caches.low_rank import LowRankCache
from kvfloor.caches.packed import PackedCache
from kvfloor.caches.polar import PolarCache
from kvfloor.caches.projection import ProjectionCache
from kvfloor.caches.protocol import (
    Cache,
    CacheFactory,
    Configured,
    State,
    configure,
    describe,
    fits,
    record,
    restore,
    scope,
    serves,
    state_of,
)
from kvfloor.caches.quantised import QuantisedCache
from kvfloor.caches.rotated import RotatedCache
from kvfloor.caches.sinks import SinkCache
from kvfloor.caches.subgen import SubGen
from kvfloor.caches.subgen2 import SubGen2Cache
from kvfloor.caches.subgen4 import SubGen4Cache
from kvfloor.caches.tokens import Shape, rounded_token
from kvfloor.caches.two_cache import TwoCache, new_tuples
from kvfloor.caches.window import WindowCache

__all__ = [
    "COURSES",
    "LIVE",
    "SURELY",
    "BalancedCache",
    "Cache",
    "CacheFactory",
    "Coins",
    "Configured",
    "Estimates",
    "ExactCache",
    "Flips",
    "FloorCache",
    "GaugedCache",
    "GroupedCache",
    "HashedCache",
    "HeavyHitterCache",
    "KiviCache",
    "LayeredCache",
    "LowRankCache",
    "PackedCache",
    "PolarCache",
    "ProjectionCache",
    "QuantisedCache",
    "RotatedCache",
    "Shape",
    "SinkCache",
    "State",
    "SubGen",
    "SubGen2Cache",
    "SubGen4Cache",
    "TwoCache",
    "WindowCache",
    "configure",
    "derived_seed",
    "describe",
    "fits",
    "new_tuples",
    "pack",
    "read_bits",
    "record",
    "restore",
    "rounded_token",
    "scope",
    "serves",
    "state_of",
    "take",
    "write_bits",
]
