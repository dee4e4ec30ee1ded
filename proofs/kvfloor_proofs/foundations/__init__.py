"""What claims share: what a claim is, what properties draw, and derivations used by several."""

from kvfloor_proofs.foundations.accuracy import derivations
from kvfloor_proofs.foundations.claim import Claim, Falsified, Property, Tally, require
from kvfloor_proofs.foundations.draws import (
    BOOKS,
    bits,
    edge_answer,
    families,
    grid_guarantees,
    guarantees,
    pair_books,
    symbols,
)
from kvfloor_proofs.foundations.entropy import PRODUCT, entropy, entropy_bits, lemmas, two_terms
from kvfloor_proofs.foundations.estimators import i, j, logit, n, ratio, s, t, tau
from kvfloor_proofs.foundations.outcomes import (
    Rows,
    implausible,
    norm,
    outside,
    require_moments,
    square,
    states_after,
)
from kvfloor_proofs.foundations.plain_floats import FORMATS, error_ratio, evaluate, evaluate_blocks

__all__ = [
    "BOOKS",
    "FORMATS",
    "PRODUCT",
    "Claim",
    "Falsified",
    "Property",
    "Rows",
    "Tally",
    "bits",
    "derivations",
    "edge_answer",
    "entropy",
    "entropy_bits",
    "error_ratio",
    "evaluate",
    "evaluate_blocks",
    "families",
    "grid_guarantees",
    "guarantees",
    "i",
    "implausible",
    "j",
    "lemmas",
    "logit",
    "n",
    "norm",
    "outside",
    "pair_books",
    "ratio",
    "require",
    "require_moments",
    "s",
    "square",
    "states_after",
    "symbols",
    "t",
    "tau",
    "two_terms",
]
