"""Claims run: derivations, properties, certificates, verdicts."""

from kvfloor_proofs.verify.results import (
    ERROR,
    NOT_ESTABLISHED,
    ClaimResult,
    Held,
    ProgramError,
    verify,
    with_theorems,
)

__all__ = [
    "ERROR",
    "NOT_ESTABLISHED",
    "ClaimResult",
    "Held",
    "ProgramError",
    "verify",
    "with_theorems",
]
