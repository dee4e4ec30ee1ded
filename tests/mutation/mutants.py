"""Small wrong changes to the reference, each with the tests that must notice it.

A change is written as ``git diff --word-diff`` writes it: ``[-old-]{+new+}`` among enough of the
code around it to find the place, which must be the only one in its file.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["MUTANTS", "Mutant"]

CHANGE = re.compile(r"\[-(.*?)-\]\{\+(.*?)\+\}", re.DOTALL)


class Mutant(NamedTuple):
    """In ``file`` of the package, ``old`` becomes ``new``.

    Each of ``tests`` (files below tests/reference, without ``test_`` and ``.py``) must fail.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def mutants(file: str, *rows: tuple[str, str, str]) -> list[Mutant]:
    """Return mutants of one file from rows (name, change, tests)."""
    return [
        Mutant(name, file, CHANGE.sub(r"\1", diff), CHANGE.sub(r"\2", diff), tuple(tests.split()))
        for name, diff, tests in rows
    ]


MUTANTS = [
    *mutants(
        "attention.py",
        ("column-dropped", "for c in range([-d-]{+1, d+})), Frac", "attention"),
        ("lse-without-top", "(output, dtype=object), [-top + -]{++}mpmath.log", "attention"),
        ("bits-forget-logits", "[- + ceil(largest).bit_length()-]{++}", "attention"),
        ("bits-two-a-digit", "digits * [-log2(10)-]{+2+}", "attention"),
        ("columns-reversed", "for x, y in zip(row, a[--]{+[::-1]+}, strict", "attention"),
        ("root-forgotten", "[- * mpmath.sqrt(sigma.root)-]{++}", "attention"),
        ("mask-inverted", "np.flatnonzero([--]{+~+}kept)", "attention"),
    ),
    *mutants(
        "exact.py",
        ("count-from-one", "(logits[t], ([-0-]{+1+}, ", "exact attention"),
        ("logits-ascending", "sorted(groups[-, reverse=True-]{++})", "exact"),
        ("always-rational", "if len(ratios) [-==-]{+>=+} 1", "exact"),
        ("sums-for-means", "{a[column][- / m-]{++} for", "exact"),
        ("next-grid-point", "[--(-exact // unit)-]{+(exact // unit + 1)+} * unit", "exact"),
        ("cell-too-low", "return lower[--]{+ - 1+} * unit, (lower", "exact"),
        ("lse-root-unrooted", "* arb(self.root)[-.sqrt()-]{++}\n", "exact"),
        ("scale-forgotten", "to_fmpq([-self._scale.factor * -]{++}x)", "exact"),
        ("wide-balls", "arb_precision([-bits-]{+53+}):\n            weights", "exact"),
        ("values-backwards", "v = self._values[[--]{+-1 - +}t]", "exact"),
    ),
    *mutants(
        "masks.py",
        ("window-one-wider", "(i - w [-<-]{+<=+} j)", "masks"),
        ("strictly-causal", "(j [-<=-]{+<+} i)", "masks"),
        ("causal-too-short", '"position")[- + 1-]{++}]', "masks"),
    ),
    *mutants(
        "inputs.py",
        ("booleans-are-numbers", "isinstance(value, [-bool | -]{++}np.bool_)", "inputs"),
        ("short-rows", "if len(row) [-!=-]{+>+} width:", "inputs"),
        ("root-dropped", "Scale(Fraction(1, d), [-d-]{+1+})", "inputs exact"),
        ("scale-zero", "if factor [-<=-]{+<+} 0:", "inputs"),
        ("mask-of-any-shape", "[- or array.shape != lengths-]{++}", "inputs"),
        ("too-few-values", "if len(V_r) [-!=-]{+>+} len(K_r):", "inputs"),
        ("text-is-a-number", "if isinstance(value, [-str-]{+bytes+}):", "inputs"),
        ("through-double", "Fraction([-*value.as_integer_ratio()-]{+float(value)+})", "inputs"),
    ),
    *mutants(
        "floors/decoding.py",
        ("threshold-sign", " / 2 [---]{+++} guarantee.eta * guar", "floors instances"),
        ("alpha-once", "slack = guarantee.eta + [-2 * -]{++}guar", "floors instances"),
        ("leak-unnormalised", "return excess[- / (1 + excess)-]{++}", "floors instances"),
        ("zero-exceeds-ln-1", "return ratio [-<-]{+<=+} 1", "floors"),
        ("multiplier-large", "return most[--]{+ + 1+}", "floors"),
        ("self-token-alone", "[-(n + 1) ** order - n**order-]{+1+} if self", "floors instances"),
        ("kink-forgotten", "in ([-answer-]{+low+}, Fraction(0)) if", "floors"),
        ("edge-refused", "if max(excess) [-<=-]{+<+} 0:", "floors"),
        ("edge-separates", "2 * self.alpha [->=-]{+>+} 1:", "floors"),
        ("eta-one", "if not 0 <= self.eta [-<-]{+<=+} 1:", "floors"),
    ),
    *mutants(
        "keys.py",
        ("margin-of-columns", "logits.max(axis=[-1-]{+0+})", "keys"),
        ("overflow", "< 2**[-60-]{+600+}", "keys"),
        ("margin-zero", "if margin [-<=-]{+<+} 0:", "keys"),
        ("dimension-not-least", "[-(n - 1)-]{+n+}.bit_length()", "keys"),
        ("parabola-from-0", "(j, -j * j) for j in range([-1, n + 1-]{+n+})", "keys"),
        ("any-margin", "[0] [->= margin-]{+> 0+}:", "keys"),
    ),
    *mutants(
        "instances.py",
        ("larger-margin", "[-min-]{+max+}(self.book.margin, self.book.zero", "instances"),
        ("threshold-is-1", "argument) [->-]{+>=+} theta", "instances"),
        ("rows-overlap", "bits[address[- * self.d_v-]{++} : (", "instances index"),
        ("self-token-of-ones", "self.book.d, ([-0-]{+1+},) * self.d_v", "instances"),
        ("query-unscaled", "tuple([-self.multiplier * -]{++}x for", "instances"),
        ("columns-first", "divmod(symbol, self.[-d_v-]{+n+})", "instances"),
        ("bits-too-few", "if len(x) [-!=-]{+>+} self.size:", "instances"),
    ),
    *mutants(
        "caches/exact.py",
        ("float32", '{len(self._numbers)}[-d-]{+f+}"', "caches"),
        ("rounded-in-silence", "if [-rounded != exact-]{+False+}:", "caches"),
        ("d-for-d-v", "(values, self.d[-_v-]{++}))", "caches"),
    ),
    *mutants(
        "caches/hashed.py",
        ("hash-ignores-order", "([-0x9E3779B97F4A7C15 * -]{++}self._hash", "caches"),
        ("hash-ignores-seed", 'f"[-{seed}-]{+0+}:{text}"', "caches"),
    ),
    *mutants(
        "caches/protocol.py",
        ("one-state-more", '"little") [-<-]{+<=+} 2**bits', "caches"),
        ("bytes-for-bits", "bits = [-8 * -]{++}len(data) if", "caches"),
    ),
    *mutants(
        "index.py",
        ("same-input-collides", "if [-x != y-]{+encoded > 1+}:", "index"),
        ("encoded-from-0", "start=[-1-]{+0+}", "index collision"),
    ),
    *mutants(
        "collision.py",
        ("half-of-the-inputs", "rng.getrandbits(size[--]{+ - 1+})", "collision"),
        ("state-of-another", "state=encode([-pair.x-]{+(0,) * family.size+})", "collision"),
        ("one-too-many", 'as_count(limit, "limit")[--]{+ + 1+}', "collision"),
    ),
    *mutants(
        "certificate.py",
        (
            "digest-unchecked",
            'if [-document["digest"] != digest(document)-]{+False+}:',
            "certificate certificate_files",
        ),
        ("touching-is-apart", "return most [-<-]{+<=+} least", "certificate"),
        ("alpha-dropped", "abs(bottom)[- - guarantee.alpha-]{++}", "certificate"),
        ("any-terms", "if [-str(Fraction(text)) != text-]{+False+}:", "certificate_files"),
        ("keys-may-repeat", "if len(result) [-!=-]{+>+} len(pairs):", "certificate_files"),
        ("floats-may-pass", "[-parse_float=_no_float,-]{++}", "certificate_files"),
        ("state-unfit", "if not [--]{+True or +}fits(", "certificate certificate_files"),
        ("instances-long", "if len(bits) [-!=-]{+<+} family.size:", "certificate"),
        ("address-n", "if address [->=-]{+>+} family.n or", "certificate certificate_files"),
        ("one-replayed", 'document["instances"][--]{+[:1]+}):\n        tokens', "certificate"),
        ("replay-without-coins", 'seed=[-cache["seed"]-]{+0+})', "certificate collision"),
        ("coarser-grid", "GRID_BITS = [-64-]{+63+}", "certificate certificate_files"),
        ("nothing-unchecked", "else ([-UNCHECKED,-]{++})", "certificate certificate_files"),
        ("more-options-pass", "claimed.keys() [-!=-]{+<+} truth.keys()", "certificate"),
        ("vector-unchecked", '[--]{+0 and +}_compare("query.vector"', "certificate"),
        ("outputs-unchecked", '[--]{+0 and +}_compare(f"outputs[{k}]"', "certificate"),
    ),
]
