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
    ("audit/course", "one-failure-enough", "if [-not self.terms.delta-]{+True+}:", "audit"),
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
    ("floors/confidence", "one-success-less", "range(k[--]{+ + 1+}, n + 1)", "audit"),
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
    ("audit/examination", "one-writer", "if [-states[0] != states[1]-]{+False+}:", "audit"),
    ("audit/examination", "trusting", "if [-seen != first-]{+False+}:", "audit"),
    ("audit/sweeps", "torn-line-stays", "TakenUp(rows, [-cut_torn_line(path)-]{+0+})", "sweep"),
    ("audit/sweeps", "errors-kept", "== task.key[- and not row.failed-]{++})", "sweep"),
    ("audit/course", "own-fault-blamed", 'return "[-error-]{+misbehaves+}"', "audit"),
    (
        "isolation/worker",
        "own-fault-in-the-process",
        "if [-not isinstance(error, InputError) and _own(error)-]{+False+}:",
        "isolation",
    ),
    (
        "isolation/processes",
        "no-interpreter-blamed",
        'raise [-IsolationError(f"no-]{+Misbehaviour("died", f"no+} interpreter',
        "isolation",
    ),
    (
        "isolation/worker",
        "killed-children-live-on",
        "os.[-killpg(0, signal.SIGKILL)-]{+_exit(1)+})",
        "lifeline",
    ),
    (
        "workers/lifeline",
        "orphans-live-on",
        "while [-os.getppid() == parent-]{+True+}:",
        "lifeline",
    ),
    ("workers/pool", "strangers-ended", "[- - others-]{++}:", "lifeline"),
    (
        "files",
        "torn-line-joined",
        "end = [-_whole(descriptor)-]{+os.fstat(descriptor).st_size+}\n        os.ftruncate",
        "files",
    ),
    (
        "files",
        "half-a-line-stays",
        "except OSError:\n            os.ftruncate(descriptor, [-end-]{+2**20+})",
        "files",
    ),
    (
        "files",
        "half-a-file-stays",
        'target.[-with_name(f".{target.name}.{os.getpid()}")-]{+resolve()+}',
        "files",
    ),
    ("conformance/storage", "stored", "home_dir([-NOWHERE-]{+None+})", "courtesies"),
    ("errors", "nothing-meant", "if [-near-]{+False+} else", "courtesies"),
    ("audit/sweeps", "not-resumed", "if row.task [-==-]{+is+} task.key", "sweep"),
]
