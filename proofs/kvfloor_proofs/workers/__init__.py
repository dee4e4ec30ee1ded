"""Where sweeps run: processes of this machine, or a cluster."""

from kvfloor_proofs.workers.executors import executor

__all__ = [
    "executor",
]
