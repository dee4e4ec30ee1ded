"""`exact-equality`: nothing yet."""

from kvfloor_proofs.foundations.constants import Constant

__all__ = ["constants"]


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    return ()
