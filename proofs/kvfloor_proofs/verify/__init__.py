"""Claims run: derivations, properties, certificates, verdicts."""

from kvfloor_proofs.verify.results import NOT_ESTABLISHED, ClaimResult, Held, verify, with_theorems

__all__ = [
    "NOT_ESTABLISHED",
    "ClaimResult",
    "Held",
    "verify",
    "with_theorems",
]
