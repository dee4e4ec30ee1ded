"""Small wrong changes to the floors of real models, each with the tests that must notice it.

Rows of (file, name, change, tests), written as in mutants.py.
"""

from __future__ import annotations

__all__ = ["MODELS"]

MODELS = [
    ("floors/levels", "levels-closed-end", "(L - 1) [-<-]{+<=+} 1\n", "floors_levels"),
    (
        "floors/levels",
        "a-tie-has-room",
        "L - 1):\n        return [-False-]{+True+}",
        "floors_levels",
    ),
    ("floors/levels", "growth-one-less", "** (L[- - 1-]{++}) - 1) - 2", "floors_levels"),
    ("floors/levels", "first-row-read-too", "order * (n[- - 1-]{++}) * d_v\n", "floors_levels"),
    ("floors/levels", "one-mark-for-all", "n, d_v - [-order-]{+1+}) + order", "floors_levels"),
    ("floors/levels", "entries-on-a-line", "(min([-2-]{+1+}, max(1", "floors_levels"),
    ("floors/levels", "tie-for-nothing", "others - 1))[- + tied-]{++})", "floors_levels"),
    ("floors/levels", "lift-of-one-slot", "payload**[-order-]{+1+} - 1)", "dense"),
    ("floors/retrieval", "others-forgotten", "entropy[- - delta * others-]{++})", "floors_levels"),
    (
        "floors/retrieval",
        "rounded-down",
        "int([--(--]{+(+}ball_ends(bits)[0] // 1))",
        "floors_levels",
    ),
    ("floors/largest", "smallest-first", "floor: [---]{++}floor.bits))", "floors_largest"),
    ("floors/largest", "ends-only", "if low < middle < high[--]{+ and False+}:", "floors_largest"),
    ("floors/largest", "all-slots-only", "in range([-1-]{+m+}, m + 1)", "floors_largest"),
    ("floors/largest", "payload-takes-all", "payload >= [-1-]{+0+} and", "floors_largest"),
    ("floors/largest", "errors-ignored", "symbols, L, [-error-]{+0+}), symbols", "floors_largest"),
    ("floors/dimension", "levels-as-bits", "if levels [-== 2-]{+>= 2+}:", "floors_largest"),
    (
        "floors/decoding",
        "lift-ignored",
        "least * margin[- - lift-]{++}, ratio):\n        l",
        "dense",
    ),
    ("families/dense", "first-row-unmarked", "Fraction([-0-]{+1+} if (column", "dense"),
    ("families/dense", "other-slots-mark", "answer[[-slot-]{+0+}], f", "dense"),
    ("families/dense", "symbols-in-row-0", "first = [-0 if self.order == 1 else 1-]{+0+}", "dense"),
    ("families/dense", "tie-unlifted", "*terms, lift=[-self.lift-]{+Fraction(0)+})", "dense"),
    (
        "families/levels",
        "payload-ends-at-0",
        "s = [-(1 - (2 *-]{+0 * (1 - (2 *+} guarantee",
        "dense",
    ),
    ("families/levels", "row-without-growth", "(1 [-+-]{+-+} guarantee.eta) * levels[-1]", "dense"),
    ("families/keys/ties", "first-has-no-entry", "(*zeros, [-1-]{+0+}), *((*key", "dense"),
    ("floors/positions", "one-bias", "margin - [-2-]{+1+} * beta", "floors_positions"),
    ("floors/positions", "sink-competes", "(1 [-+-]{+-+} weight))", "floors_positions"),
    (
        "floors/positions",
        "half-the-cap",
        "margin = [-2-]{+1+} * as_positive(cap",
        "floors_positions",
    ),
    ("floors/positions", "cap-token-more", "Fraction(k[- - 1-]{++})", "floors_positions"),
    (
        "floors/positions",
        "no-count-of-none",
        'as_count(n, "n", 1)[- + 1-]{++})',
        "floors_positions",
    ),
    ("floors/models", "window-ignored", "else [-min(n, self.window)-]{+n+}", "floors_largest"),
    (
        "floors/models",
        "all-parts-rounded",
        "sum(bits) - [-max(len(bits) - 1, 0)-]{+0+}",
        "floors_largest",
    ),
    ("floors/models", "heads-once", "part.layers, [-part.heads-]{+1+}, floor", "floors_largest"),
    ("floors/models", "values-unstored", "(part.d[- + part.d_v-]{++}) * bits", "floors_largest"),
    ("floors/models", "latent-whole", "free = rank[- - (d - rotary)-]{++}", "floors_largest"),
    ("floors/models", "latent-unread", '"columns", 1) < [-free-]{+1+}:', "floors_largest"),
    (
        "caches/layered",
        "first-head-for-all",
        "part[[-head // (self.query_heads // len(part))-]{+0+}]",
        "layered",
    ),
    (
        "caches/layered",
        "windows-kept-whole",
        "cache.window if [-isinstance(cache, WindowCache)-]{+False+}",
        "layered",
    ),
    ("caches/layered", "parts-on-each-other", "place += [-cache.state_bits()-]{+0+}", "layered"),
    ("adapters/configuration", "any-sharing", "heads % [-shared-]{+1+}:", "configuration"),
    ("adapters/configuration", "all-slide", "% every [-!= 0-]{+>= 0+}", "configuration"),
    ("adapters/configuration", "one-layer-late", "[number [->=-]{+>+} first for", "configuration"),
    ("adapters/configuration", "unused-window", 'window") is [-False-]{+None+}:', "configuration"),
]
