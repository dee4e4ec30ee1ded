"""Searches for two instances in one state (T5); untrusted."""

from kvfloor.collisions.distinguished import distinguished_points
from kvfloor.collisions.search import Collision, birthday, flips, pigeonhole, random_inputs

__all__ = [
    "Collision",
    "birthday",
    "distinguished_points",
    "flips",
    "pigeonhole",
    "random_inputs",
]
