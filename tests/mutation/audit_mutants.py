"""Mutants of audits, isolation, violations, the search in bounded memory and sweeps.

Rows of (file, name, change, tests); see `mutants`.
"""

from __future__ import annotations

__all__ = ["AUDIT"]

AUDIT = [
    ("certificate/violation", "accurate-passes", "ends) is [-not False-]{+None+}:", "violation"),
    ("certificate/violation", "undecided-passes", "ends) is [-not False-]{+True+}:", "violation"),
    ("certificate/violation", "output-unchecked", '[--]{+0 and +}compare("output"', "violation"),
    ("certificate/violation", "any-state", '[--]{+0 and +}compare("replay: cache"', "violation"),
    ("certificate/violation", "any-answer", '[--]{+0 and +}compare("replay: answer"', "violation"),
    ("certificate/violation", "one-process", "= [-reader-]{+writer+}.answers(", "violation"),
    ("certificate/collision", "replayed-once", '"instances"])][- * 2-]{++}', "certificate"),
    ("coins", "instances-by-coins", 'f"[-{purpose}:{seed}-]{+{seed}+}".encode', "audit"),
    ("audit/course", "coins-untried", "in zip(range([-COINS-]{+0+}", "audit"),
    ("audit/course", "one-failure-enough", "if [-not self.terms.delta-]{+True+}:", "audit"),
    (
        "adapters/layer",
        "layer-believed",
        "if [-one.shape !=-]{+False and one.shape !=+} other",
        "adapters",
    ),
    ("isolation", "errors-printed", "stderr=[-subprocess.DEVNULL-]{+None+}", "isolation"),
    ("coins", "places-alike", 'f"{seed}:{place[--]{+[:1]+}}".encode', "coins"),
    ("sweep", "shapes-unchecked", "task.[-check_shape()-]{+key+}", "sweep"),
    ("isolation", "one-hash-seed", '"PYTHONHASHSEED": [-str(hash_seed)-]{+"1"+}', "isolation"),
    ("isolation", "children-live-on", "os.[-killpg-]{+kill+}(self._process", "isolation"),
    ("isolated", "prints-into-channel", "os.dup2(nothing, [-1-]{+2+})", "isolation"),
    ("isolated", "any-length", "if [-any(len-]{+False and any(len+}(text)", "isolation"),
    ("confidence", "one-sided", "as_confidence(confidence))[- / 2-]{++}", "audit"),
    ("confidence", "one-success-less", "range(k[--]{+ + 1+}, n + 1)", "audit"),
    ("distinguished", "waste-uncounted", "evaluations[- + wasted-]{++})", "distinguished"),
    ("distinguished", "same-walk", "(None if [-x == y-]{+False+} else", "distinguished"),
    ("distinguished", "nothing-forgotten", "len(kept) > [--]{+1000 * +}MOST", "distinguished"),
    ("audit/course", "luck-believed", "[-raise-]{+return;+} Misbehaviour(", "audit"),
    ("audit/course", "floor-is-under", "bits [-<-]{+<=+} self.terms.floor_bits", "audit"),
    ("audit/examination", "one-writer", "if [-states[0] != states[1]-]{+False+}:", "audit"),
    ("audit/examination", "trusting", "if [-seen != first-]{+False+}:", "audit"),
    ("sweep", "torn-line-joined", '_append(path, b"[-\\n-]{++}")', "sweep"),
    ("sweep", "not-resumed", "if row.task [-==-]{+is+} task.key", "sweep"),
]
