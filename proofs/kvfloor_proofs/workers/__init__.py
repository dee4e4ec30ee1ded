"""Processes that work on claims and audits."""

from kvfloor_proofs.workers.executors import executor
from kvfloor_proofs.workers.pool import cores, processes

__all__ = [
    "cores",
    "executor",
    "processes",
]
