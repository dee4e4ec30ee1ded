"""Small wrong changes to the floors of given keys, each with the tests that must notice it.

Rows of (file, name, change, tests), written as in mutants.py.
"""

from __future__ import annotations

__all__ = ["GIVEN"]

GIVEN = [
    ("floors/given_keys", "later-once", "([-(1 + eta) * -]{++}later + 2", "given_values"),
    ("floors/given_keys", "known-is-free", "later [-+ 2 * eta * earlier-]{++} + 2", "given_values"),
    ("floors/given_keys", "known-once", "+ [-2 * -]{++}eta * earlier", "given_values"),
    ("floors/given_keys", "one-sided", "+ [-2 * -]{++}alpha) /", "given_values"),
    ("floors/retrieval", "one-of-each", "bits += retrievable([-N-]{+1+}, one", "given_values"),
    (
        "families/given_values",
        "lower-end-of-a-ball",
        "_others(weights, j, successive)))[[-1-]{+0+}]",
        "given_values",
    ),
    (
        "families/given_values",
        "unproved-weight",
        "if [-not weights[j] > 0-]{+weights[j] < 0+}:",
        "given_values",
    ),
    (
        "families/given_values",
        "all-are-known",
        "return (later, earlier)[- if successive else (earlier + later, arb(0))-]{++}",
        "given_values",
    ),
    ("families/given_values", "itself-later", "weights[j [-+ 1-]{++} :], arb(0))", "given_values"),
    (
        "families/given_values",
        "errors-in-turn",
        "if error and [-self.successive-]{+False+}:",
        "given_values",
    ),
    ("families/given_values", "any-levels", "if most < [-L-]{+2+}:", "given_values"),
    (
        "families/given_values",
        "nothing-subtracted",
        "levels = [[-known + -]{++}self.weights[j][j]",
        "given_values",
    ),
    (
        "attention/token_weights",
        "one-tuple-a-token",
        "sum(weights[token :: self.tokens][--]{+[:1]+}, arb(0))",
        "token_weights",
    ),
    (
        "attention/token_weights",
        "overflow-unseen",
        "if [-not np.isfinite(logits).all()-]{+False+}:",
        "given_floor",
    ),
    (
        "attention/token_weights",
        "mask-unturned",
        "np.moveaxis(mask, [-self.slot-]{+-1+}, -1)",
        "token_weights",
    ),
    (
        "attention/token_weights",
        "first-slot",
        "self.keys[self.slot + 1 :], self.keys[[-self.slot-]{+0+}])",
        "token_weights",
    ),
    (
        "attention/token_weights",
        "no-root",
        "* arb(self.scale.root)[-.sqrt()-]{++}",
        "token_weights",
    ),
    (
        "attention/token_weights",
        "no-guard",
        "arb_precision(bits + [-self.logit_bits(queries) + -]{++}tuples",
        "token_weights",
    ),
    (
        "attention/token_weights",
        "empty-rows",
        "answered()) < [-len(self.queries)-]{+0+}:",
        "token_weights",
    ),
    (
        "certificates/floor",
        "token-twice",
        "if [-len(set(tokens))-]{+len(tokens)+} < len(tokens)",
        "floor_certificates",
    ),
    (
        "certificates/floor",
        "any-token",
        "if max(tokens) [->= weights.tokens-]{+> 10**9+}:",
        "floor_certificates",
    ),
    (
        "certificates/floor",
        "any-bits",
        'compare("bits", document["bits"], [-bits-]{+document["bits"]+})',
        "floor_certificates",
    ),
    (
        "certificates/floor",
        "always-in-turn",
        'document["rule"] [-== RULES[0]-]{+!= ""+},',
        "floor_certificates",
    ),
    (
        "certificates/floor",
        "any-scale",
        "if scale.factor [-<= 0-]{+== 10**9+}:",
        "floor_certificates",
    ),
    (
        "certificates/floor",
        "all-seen",
        "mask=None if [-mask.all()-]{+True+} else",
        "floor_certificates",
    ),
    (
        "certificates/floor",
        "intervals-in-any-order",
        "if [-any(low >= high for low, high in pairwise(ends))-]{+False+} or",
        "floor_certificates",
    ),
    (
        "certificates/floor",
        "any-work",
        "len(symbols)) > MOST_FLOOR_WORK[--]{+ * 10**9+}:",
        "floor_certificates",
    ),
    (
        "certificates/floor",
        "replayed",
        '    [-raise -]{++}InputError("cache", "none, as a floor',
        "floor_certificates",
    ),
    (
        "certificates/packing",
        "any-bytes",
        "if len(data) != [-dtype.itemsize * prod(shape)-]{+len(data)+}:",
        "floor_certificates",
    ),
    (
        "certificates/packing",
        "always-half",
        "if [-(rounded.astype(np.float64) == exact).all()-]{+True+}:",
        "floor_certificates",
    ),
    (
        "certificates/text",
        "any-length",
        "len(text) > [-MOST_WITHOUT_TRACE-]{+10**9+}:",
        "floor_certificates",
    ),
    (
        "traces/given_floor",
        "unproved-kept",
        "if [-all(L >= 2 for L in levels)-]{+True+}:",
        "given_floor",
    ),
    ("traces/given_floor", "always-in-turn", "return [-error == 0-]{+True+}\n", "given_floor"),
    (
        "traces/search",
        "shares-of-nothing",
        "STRATEGIES = ((1.0, 0.0), [-(1.0, 0.5), (1.0, 1.0), (0.0, 1.0)-]{++})",
        "given_floor",
    ),
    (
        "traces/search",
        "excess-once",
        "self._excess + self._later * [-weights-]{+0+}",
        "given_floor",
    ),
    (
        "traces/search",
        "first-added-first",
        "Choice(tuple(self._tokens[[-::-1-]{+:+}])",
        "given_floor",
    ),
    ("traces/convex", "norm-passed", "WITHIN = 1 [---]{+++} 2.0**-40", "convex"),
    ("traces/convex", "starts-kept", "STEPS = [-60-]{+1+}", "convex"),
    (
        "traces/convex",
        "others-heavy",
        "reach * (mean - [-K[token]-]{+K[0]+})",
        "convex",
    ),
    ("traces/convex", "worst-first", "argsort([--_log-]{+_log+}", "convex"),
    (
        "traces/convex",
        "root-forgotten",
        "sigma.factor)[- * sigma.root**0.5-]{++}",
        "convex",
    ),
    ("traces/arrays", "unpickled", "allow_pickle=[-False-]{+True+}) as", "arrays"),
    ("traces/arrays", "any-name", "if name not in [-there-]{+(name,)+}:", "arrays"),
    (
        "traces/arrays",
        "any-header",
        "if not [-0 < length <= min(MOST_HEADER, len(content))-]{+True+}:",
        "arrays",
    ),
]
