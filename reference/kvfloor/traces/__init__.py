"""Floors that keys and queries of a trace force: the search, untrusted, and what certifies it."""

from kvfloor.traces.arrays import read_arrays
from kvfloor.traces.convex import free_queries
from kvfloor.traces.given_floor import GivenFloor, floor_of
from kvfloor.traces.search import Choice, chosen

__all__ = ["Choice", "GivenFloor", "chosen", "floor_of", "free_queries", "read_arrays"]
