"""Where sweeps run: processes of this machine, or a cluster."""

from kvfloor_proofs.workers.clusters import cluster

__all__ = [
    "cluster",
]
