"""Mutants of the conformance kit: a kit that would let wrong code pass, or refuse right code."""

from __future__ import annotations

J, T, W, C, R = "judge", "target", "wrong", "correct", "runner"

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
    (
        "tolerances",
        "sizes-of-one-row",
        "rows = np.where(kept.reshape(rows.shape), rows, [-0-]{+1e9+})",
        W,
    ),
    ("tiles", "blocks-never-met", "tuple(min([-2 * B + 1-]{+B+}, most)", W),
    ("tiles", "windows-never-cut", "(widest [-+-]{+-+} 2,) * target.order", W),
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
    ("target", "mask-order", "w in enumerate(mask[[-1:-]{+:0:-1+}]))", T),
)
