"""What of a claim its kernel theorems leave out, and why a claim has none."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["NOT_IN_KERNEL", "NO_THEOREM"]

NO_THEOREM: Mapping[str, str] = MappingProxyType({})  # a claim that has none, and why
NOT_IN_KERNEL: Mapping[str, str] = MappingProxyType(
    {
        "gradient-rounding": (
            "with which chance a sum over queries that is no rational passes for one, and when the "
            "program stops; soft caps, whose logits are no rationals"
        ),
        "gradient-error": (
            "what logits, log-sum-exps and products are off by, which gives the hypotheses; slopes "
            "made of exponentials; products by p before the difference; that what D is off by "
            "cancels in a gradient of a query; underflow"
        ),
        "gradients": "how far first differences of a given step are from the derivative",
        "retrievable-information": (
            "what is counted of k random instances, and certified with probability 1 - ε"
        ),
        "key-levels": (
            "orders from 2 on (order 2, with payloads on a grid, is `sharp-floor`); payloads that "
            "many queries read bit by bit"
        ),
        "best-floor": (
            "orders from 2 on; bounded norms, and keys of fewer than three entries, where it is "
            "another claim's floor; that a cache with as many bits, to leading order, is there"
        ),
        "entropy-dimension": (
            "that keys and values have such sets of r numbers (certified in balls at given sizes); "
            "what rounding of answers adds"
        ),
        "latent-heads": "the other floors of one head, of keys that hold symbols too",
        "positions": "randomised caches; more slots than one",
        "value-levels": (
            "symbols in more slots than one, m(n-1)·d_v of them at order m (on a grid, order 2 is "
            "`value-floor`)"
        ),
        "heads-and-layers": (
            "that floors of k parts, each rounded up to whole bits, add up to less than k too many"
        ),
        "time-memory": (
            "numbers kept and read, orders other than 2; of decoding, the theorem is that the "
            "products so far do not determine the next ones"
        ),
        "identifiability": (
            "the lower side, that answers tell so many numbers (it is certified at given sizes), "
            "and the rank of a single token"
        ),
        "subgen": (
            "the promise with explicit t and s, which follows by Chebyshev's inequality; the bits "
            "of the state; what is said of the operator norm"
        ),
        "subgen-two-cache": (
            "orders other than 2; the promise; the bits of the state (the theorem is that the rows "
            "so far do not determine the next ones)"
        ),
        "subgen-four-cache": (
            "the 4 in the denominator: the theorem has (ϱ-1)²/(ϱt), the derivation (ϱ-1)²/(4ϱt); "
            "all about z'; the promise; orders other than 2"
        ),
        "exact-equality": (
            "two outputs with biases and two different irrational roots, whose exponents have "
            "three parts; the log-sum-exp in base 2"
        ),
        "forward-error": (
            "the largest logit, which is not subtracted there; rescalings; other orders of sums "
            "than from first to last; underflow; the factored evaluation; the log-sum-exp; "
            "narrower formats for weights and results"
        ),
        "centred-error": (
            "what each logit, difference and exp is off by, which gives E; that a light term is "
            "lost twice at most, and a sum of weights never falls; underflow; the last quotient; "
            "the log-sum-exp"
        ),
    }
)
