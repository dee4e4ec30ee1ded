"""Coq's kernel: which theorems belong to which claim, what their audit says; certificates."""

from kvfloor_proofs.kernel.coq import Audit, KernelError, Theorem, audit, sources
from kvfloor_proofs.kernel.left_out import NO_THEOREM, NOT_IN_KERNEL
from kvfloor_proofs.kernel.proving import certified
from kvfloor_proofs.kernel.theorems import FAST_PATH, THEOREMS, statements

__all__ = [
    "FAST_PATH",
    "NOT_IN_KERNEL",
    "NO_THEOREM",
    "THEOREMS",
    "Audit",
    "KernelError",
    "Theorem",
    "audit",
    "certified",
    "sources",
    "statements",
]
