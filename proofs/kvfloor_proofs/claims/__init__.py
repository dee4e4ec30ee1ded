"""The registry: every claim by its slug, in the order of the theory."""

from __future__ import annotations

from importlib import import_module

from kvfloor.errors import InputError
from kvfloor_proofs.foundations.claim import Claim

__all__ = ["SLUGS", "load"]

SLUGS = (
    "softmax-concentration",
    "decode-threshold",
    "index-deterministic",
    "index-randomized",
    "keys",
    "sign-keys",
    "four-cache",
    "low-dimension",
    "two-cache",
    "time-memory",
    "collision",
    "random-instance-fails",
    "sliding-window",
    "norm-dimension",
    "value-floor",
    "sharp-floor",
    "quantised-upper-bound",
    "identifiability",
    "entropy-dimension",
    "retrievable-information",
    "value-levels",
    "key-levels",
    "best-floor",
    "given-keys",
    "heads-and-layers",
    "latent-heads",
    "positions",
    "soft-cap",
    "covering-number",
    "subgen",
    "subgen-two-cache",
    "subgen-four-cache",
    "exponentials-independent",
    "exact-equality",
    "correct-rounding-terminates",
    "forward-error",
    "centred-error",
    "gradients",
    "gradient-rounding",
    "gradient-error",
)


def load(slug: str) -> Claim:
    """Return the claim with this slug.

    Raises
    ------
    InputError
        If there is none.
    """
    if slug not in SLUGS:
        raise InputError.among("slug", SLUGS, slug)
    claim: Claim = import_module(f"{__name__}.{slug.replace('-', '_')}").CLAIM
    return claim
