"""Mutants of audits, isolation, violations, the search in bounded memory and sweeps.

Rows of (file, name, change, tests); see `mutants`.
"""

from __future__ import annotations

__all__ = ["AUDIT"]

AUDIT = [
    ("certificates/violation", "accurate-passes", "ends) is [-not False-]{+None+}:", "violation"),
    ("certificates/violation", "undecided-passes", "ends) is [-not False-]{+True+}:", "violation"),
    ("certificates/violation", "output-unchecked", '[--]{+0 and +}compare("output"', "violation"),
    ("certificates/violation", "any-state", '[--]{+0 and +}compare("replay: cache"', "violation"),
    ("certificates/violation", "any-answer", '[--]{+0 and +}compare("replay: answer"', "violation"),
    ("certificates/violation", "one-process", "= [-reader-]{+writer+}.answers(", "violation"),
    ("certificates/collision", "replayed-once", '"instances"])][- * 2-]{++}', "certificate"),
    ("caches/coins", "instances-by-coins", 'f"[-{purpose}:{seed}-]{+{seed}+}".encode', "audit"),
    ("audit/course", "coins-untried", "in zip(range([-COINS-]{+0+}", "audit"),
    ("audit/course", "one-failure-enough", "return self.side [->-]{+!=+} 0", "audit"),
    (
        "adapters/layer",
        "layer-believed",
        "if [-one.shape !=-]{+False and one.shape !=+} other",
        "adapters",
    ),
    ("isolation/processes", "errors-printed", "stderr=[-subprocess.DEVNULL-]{+None+}", "isolation"),
    ("caches/coins", "places-alike", 'f"{seed}:{place[--]{+[:1]+}}".encode', "coins"),
    ("audit/sweeps", "shapes-unchecked", "task.[-check_shape()-]{+key+}", "sweep"),
    (
        "isolation/processes",
        "one-hash-seed",
        '"PYTHONHASHSEED": [-str(hash_seed)-]{+"1"+}',
        "isolation",
    ),
    ("isolation/processes", "children-live-on", "os.[-killpg-]{+kill+}(self._process", "isolation"),
    ("isolation/worker", "prints-into-channel", "os.dup2(nothing, [-1-]{+2+})", "isolation"),
    ("isolation/worker", "any-length", "if [-any(len-]{+False and any(len+}(text)", "isolation"),
    ("floors/confidence", "one-sided", "as_confidence(confidence))[- / 2-]{++}", "audit"),
    ("floors/confidence", "one-success-less", "_within([-k-]{+k + 1+}, n, p * unit", "audit"),
    ("audit/accuracy/instance", "unit-bound", "alpha * [-self.bound-]{+1+})", "accuracy"),
    ("audit/accuracy/instance", "all-accurate", "return [-told is not False-]{+True+}", "accuracy"),
    (
        "audit/accuracy/examine",
        "misses-forgotten",
        "+= len(instance.queries)[- - len(misses)-]{++}",
        "accuracy",
    ),
    (
        "audit/accuracy/shrink",
        "not-shrunk",
        "while [-_drop_tokens(attempt)-]{+False+}:",
        "accuracy",
    ),
    ("audit/accuracy/diagnosis", "unexplained", "EXPLAINED = [-0.2-]{+0.0+} ", "accuracy"),
    (
        "audit/accuracy/domains",
        "everything",
        "if serves [-not in DOMAINS-]{+in SERVES+}:",
        "accuracy",
    ),
    ("audit/accuracy/draft", "too-coarse", "self.alpha / [-4-]{+1+},", "accuracy"),
    ("audit/coins", "every-look-whole", "(1 - confidence)[- / len(counts)-]{++}", "failure_rate"),
    ("audit/coins", "never-told", "        if [-side-]{+False+}:", "failure_rate"),
    ("caches/courses", "never-restored", "cache = [-renew(cache)-]{+cache+}", "accuracy"),
    ("caches/courses", "never-asked", "[-cache.answer(query)-]{+pass+}", "accuracy"),
    (
        "certificates/instance",
        "any-bound",
        '[--]{+0 and +}compare("guarantee.bound"',
        "certificate_files",
    ),
    (
        "certificates/instance",
        "any-output-in-numbers",
        '[--]{+0 and +}compare("output"',
        "certificate_files",
    ),
    (
        "certificates/instance",
        "accurate-in-numbers",
        "is [-not False-]{+None+}:",
        "certificate_files",
    ),
    (
        "collisions/distinguished",
        "waste-uncounted",
        "evaluations[- + wasted-]{++})",
        "distinguished",
    ),
    ("collisions/distinguished", "same-walk", "(None if [-x == y-]{+False+} else", "distinguished"),
    (
        "collisions/distinguished",
        "nothing-forgotten",
        "len(kept) > [--]{+1000 * +}MOST",
        "distinguished",
    ),
    ("audit/course", "luck-believed", "[-raise-]{+return;+} Misbehaviour(", "audit"),
    ("audit/course", "floor-is-under", "bits [-<-]{+<=+} self.terms.floor_bits", "audit"),
    ("audit/examination", "one-writer", "if [-states[0] != states[-1]-]{+False+}:", "audit"),
    ("audit/examination", "trusting", "if [-seen != first-]{+False+}:", "audit"),
    ("audit/sweeps", "torn-line-joined", '_append(path, b"[-\\n-]{++}")', "sweep"),
    ("audit/sweeps", "not-resumed", "if row.task [-==-]{+is+} task.key", "sweep"),
]
