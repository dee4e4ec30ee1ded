"""Mutants of the backward pass under the kit: (file, name, change, tests); see `mutants`."""

from __future__ import annotations

__all__ = ["BACKWARD"]

B, W = "backward_bounds", "backward"

BACKWARD = (
    ("rows", "given-logsumexp-exact", "off = [-forward.logsumexp_off[:, None] + -]{++}gamma", B),
    ("rows", "base-unchanged", "LN_2_ROUNDINGS = [-2-]{+0+}", B),
    ("rows", "difference-exact", "drift = drift + [-a.difference-]{+0+} * (np.abs(s - lse)", B),
    ("rows", "exp-exact", "drift = drift + [-a.epsilon / (1 - a.epsilon)-]{+0+}", B),
    ("rows", "smaller-of-both-ways", "return Pair(p, np.[-maximum-]{+minimum+}.reduce", B),
    ("rows", "dp-exact", "dP_off = [-gamma(d_v + order - 1, a.u)-]{+0+} * dP_size", B),
    ("rows", "d-exact", "own = [-gamma(d_v, a.u)-]{+0+} * read + lost", B),
    ("rows", "output-exact", "shared = [-forward.delta_off[:, None]-]{+0 * D+}", B),
    ("rows", "one-difference", "two = [-a.u-]{+0+} * (dP_size", B),
    ("rows", "p-exact-in-ds", "rest = [-p.error-]{+0+} * computed", B),
    ("rows", "ds-not-rounded", "+ [-a.u-]{+0+} * (p.size + p.error) * computed", B),
    ("bounds", "scale-exact", "SCALE_ROUNDINGS = [-5-]{+0+}", B),
    ("bounds", "sums-exact", "(table.error + [-rho-]{+0+} * table.size", B),
    ("bounds", "stored-exact", "once = [-self.stored-]{+0+} * (pair.size", B),
    ("bounds", "added-exact", "rho = rho + [-narrow + rho * narrow-]{+0+}", B),
    ("bounds", "blocks-are-terms", "if block is [-None-]{+not None+}:", B),
    ("bounds", "shared-by-size", "together = np.abs(p.size @ [-keys-]{+size+})", B),
    ("bounds", "thousandfold", "np.isnan(bound), inf, [-bound-]{+1000 * bound+})", B),
    ("bounds", "stored-without-end", "stored < [-min(form, self.room)-]{+np.inf+})", B),
    ("judging", "nothing-is-wrong", "worst.ratio <= [-1-]{+np.inf+}", W),
    ("judging", "inputs-unseen", "and [-answer.changed-]{+False+}:", W),
    ("target", "anything-declared", "if getattr(self, name) [-!= value-]{+is ...+}:", W),
    ("target", "reads-anything", "if word [-not in RETURNS-]{+in ()+}:", W),
    ("target", "slots-uncounted", "if any(len(each) [-!=-]{+<+} self.order", W),
    ("target", "logsumexp-natural", 'base=[-self.logsumexp_base-]{+"e"+}', W),
    ("faults", "d-halved", '"D were left out", delta=[-0.0-]{+0.5+}', W),
    ("faults", "mask-kept", '"there were no mask", window=[-"none"-]{+None+}', W),
    ("stages", "one-case-explained", "if [-all-]{+any+}(_explains(plain_gradients(each, fault)", W),
    ("stages", "anything-explains", "ROOM = [-4-]{+1e12+}", W),
    ("builders", "cotangents-of-size-one", "* min([-2.0**14-]{+1.0+}, 2.0 ** int", W),
    ("builders", "no-small-cotangents", "* 2.0 ** max([--30-]{+0+}, least", W),
    ("builders", "short", "LENGTHS = ([-127, 129, 257, 513-]{+127, 129+})", W),
    (
        "builders",
        "values-as-wide-as-keys",
        "NARROWER = ([-(128, 96), (128, 80), -]{++}(192, 64)",
        W,
    ),
    ("builders", "one-block-of-queries", "n = [-4 * BLOCK + 1-]{+BLOCK - 2+}", W),
    ("builders", "no-cotangent-is-zero", "[_with(draft, case, [-0 * G-]{+G+}), _with", W),
)
