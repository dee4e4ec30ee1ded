"""Correct rounding at the shapes of real kernels, in one run; writes docs/benchmarks.md.

``python tests/benchmarks/bench_rounding.py docs/benchmarks.md`` (about three minutes). Standard
normal entries, one thread. Processor time of single calls in turn; medians, and their ratios to
plain NumPy in float64. Order 2 is factored in NumPy too.
"""

from __future__ import annotations

import os
import sys
import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from importlib.util import find_spec
from multiprocessing import Process
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, NamedTuple

os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from kvfloor.attention import Layers, enclose, tensor_attention, tensor_attention_rounded
from kvfloor.workers import cores

FORMATS = ("bfloat16", "float32", "float64")
HEAD = """\
# Benchmarks

Written by `python tests/benchmarks/bench_rounding.py docs/benchmarks.md` on {machine}.
Standard normal entries, one thread; medians of processor time in one run, and their ratio to plain
NumPy in float64 on the same numbers. The machine is shared, so the ratios say more than the times.
Scale 1 makes the attention peaked, 1/8 (1/√d for d = 64) spreads it. What a level leaves open costs
most: a single number takes the logits of its row anew.

"""


class Problem(NamedTuple):
    """Heads, queries and tokens of a slot; order; scale."""

    heads: int
    queries: int
    tokens: int
    d: int = 64
    order: int = 1
    scale: Fraction = Fraction(1, 8)
    causal: bool = False

    @property
    def name(self) -> str:
        heads = f"{self.heads} heads, " if self.heads > 1 else ""
        causal = ", causal" if self.causal else ""
        size = f"{heads}{self.queries:,} × {self.tokens:,}{causal}"
        return f"order {self.order}, {size}, d = {self.d}, scale {self.scale}"


EIGHT = Problem(8, 1024, 1024)
PROBLEMS = (
    Problem(1, 64, 1024),
    Problem(1, 64, 1024, scale=Fraction(1)),
    Problem(1, 16, 16384),
    Problem(2, 1024, 1024, causal=True),
    Problem(2, 1024, 1024, causal=True, scale=Fraction(1)),
    EIGHT,
    Problem(1, 2048, 2048, d=128),
    Problem(1, 1, 256, order=2),
    Problem(1, 1, 1024, order=2),
    Problem(1, 1, 1024, order=2, scale=Fraction(1)),
    Problem(1, 1, 2048, order=2),
    Problem(1, 16, 256, order=2),
    Problem(1, 16, 1024, order=2),
)


def plain(problem: Problem, Q: Any, K: list[Any], V: list[Any]) -> Any:
    """Attention in NumPy float64 as one writes it, head by head."""
    sigma, n_q, n = float(problem.scale), problem.queries, problem.tokens
    seen = np.tri(n_q, n, n - n_q, dtype=np.bool_) if problem.causal else None
    found = []
    for h, q in enumerate(Q):
        if problem.order == 1:
            S = (q * sigma) @ K[0][h].T
            if seen is not None:
                S[~seen] = -np.inf
            S -= S.max(axis=-1, keepdims=True)
            np.exp(S, out=S)
            found.append(S @ V[0][h] / S.sum(axis=-1, keepdims=True))
            continue
        for row in q:
            S = (row * sigma * K[0][h]) @ K[1][h].T
            S -= S.max()
            np.exp(S, out=S)
            found.append((V[0][h] * (S @ V[1][h])).sum(axis=0) / S.sum())
    return found


def scaled_dot_product(problem: Problem, Q: Any, K: list[Any], V: list[Any]) -> Any:
    """PyTorch's attention in float64, on one thread."""
    import torch  # noqa: PLC0415 (only where it is installed)

    torch.set_num_threads(1)
    tensors = [torch.from_numpy(x[None]) for x in (Q, K[0], V[0])]
    attend = torch.nn.functional.scaled_dot_product_attention
    return lambda: attend(*tensors, is_causal=problem.causal, scale=float(problem.scale))


def milliseconds(
    call: Callable[[], Any], least: float = 0.5, clock: Callable[[], float] = process_time
) -> float:
    """The median of at least three calls, and of half a second of them."""
    times: list[float] = []
    call()
    while len(times) < 3 or (sum(times) < least and len(times) < 25):
        start = clock()
        call()
        times.append(clock() - start)
    return 1000 * median(times)


def mebibytes(call: Callable[[], Any]) -> float:
    """What a call allocates at its peak."""
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def row(problem: Problem) -> str:
    rng = np.random.default_rng(0)
    heads, n_q, n, d = problem[:4]
    Q = rng.standard_normal((heads, n_q, d))
    K, V = ([rng.standard_normal((heads, n, d)) for _ in range(problem.order)] for _ in range(2))
    base = milliseconds(lambda: plain(problem, Q, K, V))
    cells = [f"{base:.1f}", "" if problem.order > 1 or not find_spec("torch") else "?"]
    if cells[1]:
        cells[1] = f"×{milliseconds(scaled_dot_product(problem, Q, K, V)) / base:.2f}"

    def rounded(dtype: str, layers: Layers | None = None, threads: int = 1) -> Any:
        mask = "causal" if problem.causal else None
        return tensor_attention_rounded(
            *(Q, K, V),
            dtype=dtype,
            scale=problem.scale,
            mask=mask,
            layers=layers,
            threads=threads,
        )

    for dtype in FORMATS:
        layers = Layers()
        rounded(dtype, layers)
        counts = [layers.single, layers.refined, layers.double, layers.balls + layers.exact]
        share = " ".join(str(count) for count in counts)
        cells.append(f"×{milliseconds(partial(rounded, dtype)) / base:.1f} ({share})")
    one, all_cores = (
        milliseconds(partial(rounded, "float32", threads=threads), clock=perf_counter)
        for threads in (1, cores())
    )
    cells += [f"×{one / all_cores:.2f}", f"{mebibytes(partial(rounded, 'float32')):.0f}"]
    return f"| {problem.name} | " + " | ".join(cells) + " |"


def gain_of_processes(problem: Problem) -> float:
    """By how much two processes shorten the work of NumPy: what threads can, at most."""
    rng = np.random.default_rng(0)
    heads, n_q, n, d = problem[:4]
    Q, K, V = (rng.standard_normal((heads, count, d)) for count in (n_q, n, n))
    work = partial(plain, problem, Q, [K], [V])
    alone = milliseconds(work, clock=perf_counter)
    other = Process(target=for_ever, args=(work,), daemon=True)
    other.start()
    beside = milliseconds(work, clock=perf_counter)
    other.terminate()
    return 2 * alone / beside


def for_ever(work: Callable[[], Any]) -> None:
    while True:
        work()


def others() -> str:
    """What a number costs elsewhere: one query of order 1 with 1,024 tokens, d = 64."""
    rng = np.random.default_rng(0)
    q, K, V = rng.standard_normal(64), *rng.standard_normal((2, 1024, 64))
    base = milliseconds(lambda: plain(Problem(1, 1, 1024), q[None, None], [K[None]], [V[None]]))
    times = {
        "`kvfloor.enclose` (Arb, 128 bits)": milliseconds(lambda: enclose(q, [K], [V]), 0),
        "`kvfloor.tensor_attention` (mpmath, 30 digits)": milliseconds(
            lambda: tensor_attention(q, [K], [V], digits=30), 0
        ),
    }
    lines = [f"| {name} | {time:.0f} | ×{time / base:,.0f} |" for name, time in times.items()]
    return "\n".join(
        [
            "",
            "One query of order 1 over 1,024 tokens, d = 64, against the same in NumPy:",
            "",
            "| | ms | |",
            "|---|---|---|",
            *lines,
        ]
    )


def main() -> None:
    machine = sys.argv[2] if len(sys.argv) > 2 else f"a machine with {os.cpu_count()} cores"
    gain = gain_of_processes(EIGHT)
    lines = [
        "| | NumPy, ms | PyTorch | "
        + " | ".join(f"to {dtype}" for dtype in FORMATS)
        + f" | {cores()} threads | MiB |",
        "|---" * (5 + len(FORMATS)) + "|",
        *map(row, PROBLEMS),
        "",
        "In brackets, how many numbers each layer settled: float64; few numbers, from better",
        "logits; double-double; balls and exact arithmetic. PyTorch: its",
        "`scaled_dot_product_attention` in float64. Threads: by how much they shorten the time to",
        f"float32; two processes of NumPy in the place of one: ×{gain:.2f}. MiB: what",
        "one call allocates at its peak, to float32.",
        others(),
    ]
    text = HEAD.format(machine=machine) + "\n".join(lines) + "\n"
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
