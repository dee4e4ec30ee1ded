"""Mutants of the conformance kit: a kit that would let wrong code pass, or refuse right code."""

from __future__ import annotations

J, T, W, C, R = "judge", "target", "wrong", "correct", "runner"
B, D = "tolerances", "domain"

CONFORMANCE = (
    ("judge", "nan-passes", "ratio = np.where(~strict & ~np.isfinite(found), [-np.inf-]{+0.0+}", J),
    (
        "judge",
        "empty-rows-rounded",
        "strict = np.broadcast_to(rows[--]{+ & False+}, found.shape)",
        J,
    ),
    (
        "judge",
        "infinity-matches",
        "identical = (found == rounded)[--]{+ | ~np.isfinite(found)+}",
        J,
    ),
    (
        "judge",
        "nan-never-right",
        "(found == rounded)[- | (np.isnan(found) & np.isnan(rounded))-]{++}",
        J,
    ),
    ("judge", "second-call-unseen", "[-return all(-]{+return any(+}\n        one is None", W),
    ("judge", "no-bound-is-zero", "ratio = np.where(open_ended, [--1.0-]{+np.inf+}, ratio)", J),
    ("tolerances", "no-last-rounding", "if returned [-!=-]{+==+} arithmetic", C),
    (
        "tolerances",
        "last-rounding-too-small",
        "last = returned.ulps(np.where(np.isfinite(largest), largest, 0)) / [-2-]{+2**40+}",
        C,
    ),
    (
        "tolerances",
        "bounds-a-thousandfold",
        "total = [-bound-]{+1000 * bound+} + FINE",
        W,
    ),
    ("centred", "hidden-count", "slice(None) if kept is None else [-kept-]{+slice(None)+}", B),
    ("centred", "no-deviation", "W @ [-deviation-]{+(0 * deviation)+}", B),
    ("centred", "no-differences", "a.u * [-gaps-]{+0+} + a.exp", B),
    ("centred", "quotient-exact", "+ [-a.epsilon * size-]{+0+} + a.half_least", B),
    ("centred", "all-are-light", "LIGHT = [-0.25-]{+2.0**24+}", B),
    ("centred", "none-are-light", "LIGHT = [-0.25-]{+0.0+}", B),
    ("centred", "one-choice-of-c", "if first [-<=-]{+<= inf or+} second", B),
    ("centred", "logits-exact", "own = [-a.logit-]{+0+} * S", B),
    ("tiles", "blocks-never-met", "tuple(min([-2 * B + 1-]{+B+}, longest", W),
    ("tiles", "windows-never-cut", "([-left + right + 4-]{+left+},) * target.order", W),
    ("counts", "the-farther", "if 2 * (wanted - below) [-<=-]{+>=+} self.multiple", D),
    ("counts", "ends-alone", "{self.least, [-self.least + self.multiple-]{+self.least+}, last", D),
    ("domain", "fewer-is-more", "if self.square else n_q [-<=-]{+>=+} n for n", D),
    ("domain", "one-slot-looked-at", "for n in size.lengths[--]{+[1:]+}),", D),
    ("domain", "heads-of-the-keys", "(\"heads\", size.[-heads-]{+kv_heads+}, self.heads)", D),
    ("target", "called-outside", "left_out = self.domain.excludes([-Size.of(case)-]{+self.fit("
     "Size.of(case))+})", D),
    ("target", "any-mask", "[-declared not in served-]{+not served+}:", D),
    ("report", "one-tuple-is-enough", "[- and self.weighed-]{++}\n", D),
    ("runner", "reasons-unsaid", "[-not_run.append(NotRun(entry.flag, reason))-]{+pass+}", D),
    ("extents", "no-wide-heads", "(192, 128), [-(192, 192), (256, 256)-]{++})", D),
    ("extents", "never-long", "LARGEST_POWER = 4, [-13-]{+9+}", D),
    ("extents", "ends-not-met", "served.edges([-ceiling-]{+1+})", D),
    ("stages", "probes-outside", "size = [-target.fit(replace(old, queries=n_q, lengths=(len(roots),)"
     " * m, d=1))-]{+replace(old, queries=n_q, lengths=(len(roots),) * m, d=1)+}", D),
    ("case", "always-top-left", "Intervals.of([-window-]{+window._replace(top_left=True)+}, n_q", W),
    ("sentinels", "ten-thousand-alone", "(1e4, [-5e4, 65504.0, 1e9, 3e38-]{++})", W),
    ("sentinels", "hidden-are-low", "high = [-level-]{+-level+} * _ramp(", W),
    ("sentinels", "no-poison", "for x in ([-np.nan, np.inf-]{+0.0,+})", W),
    ("report", "nothing-is-enough", "[- and self.unbounded < self.elements-]{++}", R),
    ("target", "exits-get-through", "except [-BaseException-]{+Exception+} as error:  # some", T),
    (
        "judge",
        "logsumexp-may-differ",
        "(answer.[-logsumexp-]{+output+}, again.[-logsumexp-]{+output+})",
        W,
    ),
    ("truth", "empty-rows-unseen", "without[:] = [-~kept-]{+kept+}", W),
    ("target", "changes-unseen", "if old.tobytes() [-!=-]{+is+} new.tobytes()", W),
)
