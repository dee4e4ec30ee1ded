"""Mutants of the fast levels of the backward pass: (file, name, change, tests); see `mutants`.

Not here, as the bounds have that much to spare: roundings of single operations beside sums of many
(6u at level (a), what follows a sum of pairs at level (b)); 2u·g beside errors of D; errors of
weights beyond 2**-13 at level (b), which no logits in range have.
"""

from __future__ import annotations

__all__ = ["GRADIENT_LEVELS"]

GRADIENT_LEVELS = [
    ("single", "own-once", "relative = [-2-]{+1+} * self._own", "gradient_bounds"),
    (
        "single",
        "logits-of-others",
        "[- + _mean(logits, p, block.key_norms)-]{++}",
        "gradient_bounds",
    ),
    (
        "single",
        "row-sums-exact",
        "gamma([-self.summed + self.added-]{+self.added+})",
        "gradient_bounds",
    ),
    ("single", "products-exact", "gamma(self.summed[- + self.added-]{++})", "gradient_bounds"),
    ("single", "logits-exact", "logits = [-LN2_ABOVE-]{+0+} * logit_error", "gradient_bounds"),
    ("single", "deviation-lost", "absolute = [-_total(scratch) + -]{++}_mean(", "gradient_bounds"),
    (
        "single",
        "scores-lost",
        "[- + _mean(errors.scores, p, block.value_norms)-]{++}",
        "gradient_bounds",
    ),
    (
        "single",
        "own-scores-lost",
        "self._tuples(errors.absolute, [-errors.scores-]{+0 * errors.scores+},",
        "gradient_bounds",
    ),
    ("single", "mean-exact", "gamma([-2 * self.summed + 2-]{+0+}) * (size", "gradient_bounds"),
    ("single", "sink-lost", "([-p_sink * np.abs(D) + -]{++}g)", "gradient_bounds"),
    ("single", "logsumexp-lost", "(p_sink * np.abs(D)[- + g-]{++})", "gradient_bounds"),
    (
        "single",
        "single-not-exact",
        "np.where(block.inert[- | block.single-]{++}, 0.0",
        "gradient_bounds",
    ),
    (
        "single",
        "inert-not-exact",
        "np.where([-block.inert | -]{++}block.single, 0.0",
        "gradient_bounds",
    ),
    (
        "single",
        "errors-of-products-lost",
        "both *= p\n        both [-+=-]{+=+} t",
        "gradient_bounds",
    ),
    (
        "single",
        "reach-unread",
        "usable = [-np.isfinite(block.reach)-]{+True+} &",
        "gradient_bounds",
    ),
    ("tables", "rows-by-queries", '"qic,ic->qc", X, [-U-]{+np.ones_like(U)+})', "gradient_bounds"),
    ("tables", "slots-at-order-one", "if [-factors.several-]{+len(U) > 1+}:", "gradient_bounds"),
    ("operands", "underflow-is-zero", "(np.abs(B) >= [-_LEAST-]{+0+})", "gradient_bounds"),
    (
        "operands",
        "range-unread",
        "if not inside:\n        return [-None-]{+inside+}",
        "gradient_bounds",
    ),
    ("operands", "sigma-once", "if i <= [-len(self.prepared.key_slots)-]{+0+}:", "gradient_bounds"),
    (
        "operands",
        "values-by-all",
        "(np.asarray(self.power [---]{+++} slot.exponents)",
        "gradient_bounds",
    ),
    ("pairs", "own-once", "relative = [-2-]{+1+} * own + rounded", "gradient_bounds"),
    (
        "pairs",
        "exponentials-exact",
        "else [-exp_double_error(self.reach)-]{+0+})",
        "gradient_bounds",
    ),
    (
        "pairs",
        "rests-exact",
        "own = [-gamma(self.pairs.terms * d + 12)-]{+0+} * self._rest",
        "gradient_bounds",
    ),
    (
        "pairs",
        "scores-exact",
        "return size, [-gamma(self.pairs.terms * d_v + 24)-]{+0+} * rest",
        "gradient_bounds",
    ),
    ("pairs", "deviation-lost", "absolute = [-own * deviation-]{+0+} + 2", "gradient_bounds"),
    ("pairs", "single-weighs", "if [-self.single.any()-]{+False+}:", "gradient_bounds"),
    (
        "pairs",
        "sinks-finer",
        '"fine"[- and self.joined.terms.sink is None-]{++}',
        "gradient_bounds",
    ),
    (
        "pairs",
        "coarse-rests-lost",
        "(sums + unit * (longest + d)) * [-2.0-]{+0+} **",
        "gradient_bounds",
    ),
    ("pairs", "low-part-lost", "lost + (x[1][- - less[1][:, None, None]-]{++})", "gradient_bounds"),
    ("pairs", "sum-in-float64", "[-lo + flat[0].sum(axis=1)-]{+lo+}", "gradient_bounds"),
    ("double", "lost-of-query", "lost.query[q] [-+=-]{+-=+} error @", "gradient_bounds"),
    ("double", "lost-of-last", "bound [-+=-]{+-=+} error\n", "gradient_bounds"),
    ("double", "lost-of-rows", "lost.row_keys[...] [-+=-]{+-=+} error.T", "gradient_bounds"),
    ("double", "scale-halved", "scale = [-2 * -]{++}scale.T", "gradient_bounds"),
    (
        "chosen",
        "rows-of-other-queries",
        "b, c = places.rows[some][- - part.q.start-]{++}",
        "gradient_bounds",
    ),
    ("chosen", "others-lost", "if s [-!=-]{+==+} r:", "gradient_bounds"),
    (
        "chosen",
        "errors-lost",
        "self.error[which] [-+= errors.sum(axis=1)-]{+= 0+}",
        "gradient_bounds",
    ),
    ("logits", "zeros-anywhere", "(error == 0)[- & plain-]{++}", "gradient_bounds"),
    (
        "logits",
        "sees-none",
        "columns.stop > columns.start else slice(0, [-1-]{+0+})",
        "gradient_bounds",
    ),
    ("logits", "powers-lost", "np.ldexp(hi, [-powers-]{+0+})", "gradient_bounds"),
]
