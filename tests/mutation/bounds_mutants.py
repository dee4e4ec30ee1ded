"""Small wrong changes to bounds and families, each with the tests that must notice it.

Rows of (file, name, change, tests), written as in mutants.py.
"""

from __future__ import annotations

__all__ = ["BOUNDS"]

BOUNDS = [
    ("floors/retrieval", "share-doubled", "Fraction(1, [-2-]{+1+}) / ((bits", "floors_retrieval"),
    ("floors/retrieval", "next-length", "(bits + 1) * (bits + [-2-]{+3+})", "floors_retrieval"),
    (
        "floors/retrieval",
        "doubt-not-shared",
        "- within - [-doubt-]{+doubt / instances+})",
        "floors_retrieval",
    ),
    ("floors/retrieval", "one-error-less", "for i in range([-e-]{+e - 1+})", "floors_retrieval"),
    (
        "floors/retrieval",
        "letters-not-others",
        'as_count(L, "L", 2)[- - 1-]{++}, as_count(wrong',
        "floors_retrieval",
    ),
    ("floors/retrieval", "lengths-free", "- ([-0 if alike else 1-]{+0+})", "floors_retrieval"),
    (
        "floors/retrieval",
        "words-of-one",
        "words_within([-k * N-]{+N+}, L, wrong)",
        "floors_retrieval",
    ),
    (
        "floors/bisection",
        "last-but-one",
        "    return [-least-]{+max(1, least - 1)+}\n",
        "floors_dimension",
    ),
    (
        "floors/caps",
        "never-capped",
        "most is not None and [-most * fraction < 1-]{+False+}",
        "floors_codes",
    ),
    (
        "floors/caps",
        "always-capped",
        "if most is not None[- and most * fraction < 1-]{++}",
        "floors_codes",
    ),
    ("floors/signs", "other-parity", "d + (d - s[--]{+ - 1+}) % 2", "floors_codes"),
    ("floors/signs", "first-of-next", "int((s - [-2-]{+1+}) / eps", "floors_codes"),
    ("floors/signs", "one-coin-more", "more, bits = (d + s) // 2[--]{+ + 1+}, 64", "floors_codes"),
    ("floors/signs", "largest-term-too-large", "arb(2) ** [-d-]{+(d - 2)+} *", "floors_codes"),
    (
        "floors/dimension",
        "whole-code-only",
        "in {widest[-, min(widest + 1, _GRID - 1)-]{++}}",
        "floors_dimension",
    ),
    (
        "floors/dimension",
        "next-code-only",
        "in {[-widest, -]{++}min(widest + 1",
        "floors_dimension",
    ),
    ("floors/dimension", "roots-from-four", "if d >= [-3-]{+4+}:", "floors_dimension"),
    ("floors/quantised", "no-cell-for-rounding", "by_key / alpha)[- + 1-]{++}", "quantised"),
    (
        "floors/quantised",
        "no-value-cell-for-rounding",
        "by_value / alpha)[- + 1-]{++}",
        "quantised",
    ),
    ("floors/quantised", "answers-rounded-coarsely", "return [-128-]{+1+} + sum(", "quantised"),
    ("caches/quantised", "large-values-rounded", "2**[-bits-]{+(bits // 4)+}):", "quantised"),
    (
        "caches/quantised",
        "leading-digit-unchecked",
        "if [-whole != 1 or -]{++}cache.state",
        "quantised",
    ),
    (
        "caches/quantised",
        "bytes-unchecked",
        "if whole != 1[- or cache.state() != state-]{++}",
        "quantised",
    ),
    ("families/sharp", "tied-pairs-compete", "pairs[- - ties-]{++}, found", "sharp"),
    ("families/sharp", "two-payloads-by-search", "if L == [-2-]{+0+} and least", "sharp"),
    ("families/sharp", "no-finer-strength", "if step < [-_FINEST-]{+1+}:", "sharp"),
    (
        "floors/symbols",
        "strength-without-alpha",
        "3 * guarantee.eta[- + 4 * guarantee.alpha-]{++}) /",
        "sharp",
    ),
    ("families/quantised_gap", "one-tied-pair-competes", "pairs - [-2-]{+1+}, room", "tightness"),
    ("families/keys/pairs", "margin-above-the-least", "n) [->=-]{+>+} tie_margin", "pairs"),
    (
        "families/separated_sets",
        "inverse-trusted",
        "[-abs(near[i][j] - (i == j)) + -]{++}_inner(map",
        "separation",
    ),
    (
        "caches/khatri_rao_codec",
        "junk-after-zeros",
        "if [-any(numbers)-]{+False+}:",
        "khatri_rao_codec",
    ),
    (
        "caches/khatri_rao_codec",
        "any-pivot-read",
        "if [-min(others, default=None) != pivot-]{+False+}:",
        "khatri_rao_codec",
    ),
    (
        "caches/khatri_rao_codec",
        "any-text-read",
        'not set(bits) <= {"0", "1"[--]{+, "x"+}}',
        "khatri_rao_codec",
    ),
    (
        "index/protocols",
        "any-input",
        "if as_count(value, argument) >= [--]{+4 * +}2**bits",
        "index_protocols",
    ),
    (
        "numbers/scalars",
        "zero-is-positive",
        "if number [-<=-]{+<+} 0:",
        "quantised floors_entropy_dimension",
    ),
    # What only the claims' own run notices: `kvfloor verify` without any other test.
    ("floors/symbols", "one-row-more", "return 2 * (n - [-1-]{+0+}) * d_v", "claims"),
    ("floors/quantised", "no-token-count", "int(([-2-]{+1+} * (key_cells", "claims"),
    ("floors/rounding_errors", "one-rounding-less", "return d + order + [-4-]{+3+}", "claims"),
    ("floors/jacobian", "sign-of-the-output", "p[k] * (v[k] [---]{+++} out)", "claims"),
    (
        "floors/second_derivatives",
        "mixed-once",
        "p_t * (mixed + [-mixed.transpose() + -]{++}v.hessian)",
        "claims",
    ),
    ("floors/entropy_dimension", "grid-rounded-down", "tuple([-ceil-]{+int+}(x / alpha)", "claims"),
    ("cost/closed_forms", "one-sum-more", "return rows * (d - [-1-]{+0+})", "claims"),
    ("families/paired", "itself-competes", "self.book.n**2 [-- 1-]{++}", "paired"),
]
