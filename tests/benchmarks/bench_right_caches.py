"""Right caches and the catalogue.

``PYTHONPATH=tests python tests/benchmarks/bench_right_caches.py``.

Each at the guarantee that its own documented error meets, orders 1 to 3: on how many of 50 seeds
every answer stood, and how many answers that were. A float16 cache below its error is the last.
"""

from __future__ import annotations

import sys
from fractions import Fraction

from kvfloor.audit.accuracy import CATALOGUE
from local_bench import bench_of, entered
from reference.audit.test_accuracy import BY_GROUPS, FLOAT16, RIGHT, D, documented

SEEDS, N = 50, 6
CACHES = RIGHT | {"8 bits": (BY_GROUPS, 1 / 255, 1 / 255)}
BELOW = Fraction(1, 2**13)


def tried(factory: object, order: int, alpha: Fraction) -> tuple[int, int]:
    """Seeds on which every answer stood, and the answers of all."""
    passed = asked = 0
    for seed in range(SEEDS):
        found = entered(bench_of(factory, order, D, alpha), CATALOGUE, n=N, seed=seed)
        passed += all(one.stood == one.asked for one in found)
        asked += sum(one.asked for one in found)
    return passed, asked


def main() -> None:
    lines = ["| cache | order | α | seeds without a failure | answers |", "|---|---|---|---|---|"]
    rows = [(n, f, m, documented(m, *e)) for n, (f, *e) in CACHES.items() for m in (1, 2, 3)]
    rows += [("float16", FLOAT16, m, BELOW) for m in (1, 2, 3)]
    for name, factory, order, alpha in rows:
        passed, asked = tried(factory, order, alpha)
        lines.append(f"| {name} | {order} | {float(alpha):.2g} | {passed} of {SEEDS} | {asked} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
