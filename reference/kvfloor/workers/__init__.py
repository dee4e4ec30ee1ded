"""Processes that work for this one, and outlive it by a moment at most."""

from kvfloor.workers.lifeline import end_with
from kvfloor.workers.pool import cores, processes

__all__ = [
    "cores",
    "end_with",
    "processes",
]
