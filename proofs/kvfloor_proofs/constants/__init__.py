"""What each claim hands to users, tied to the claim: a file for each claim."""

from __future__ import annotations

from importlib import import_module

from kvfloor_proofs.foundations.constants import Constant

__all__ = ["held_by"]


def held_by(slug: str) -> tuple[Constant, ...]:
    """Return the public functions that a claim hands to users, each with its ties."""
    module = import_module(f"{__name__}.{slug.replace('-', '_')}")
    constants: tuple[Constant, ...] = module.constants()
    return constants
