"""A bench without processes: quick, for caches that do not cheat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from kvfloor.audit.accuracy import Bench, Draft, Entered, Entry, Instance, examine
from kvfloor.caches import LIVE, State, restore, serves, state_of, take
from kvfloor.floors import Guarantee
from kvfloor.isolation import REFUSALS, Answer, Refusal, Shape

__all__ = ["LocalBench", "bench_of", "entered"]


@dataclass(frozen=True)
class LocalBench(Bench):
    """It runs the factory in this process."""

    factory: Any = None

    def run(
        self,
        instance: Instance,
        seed: int,
        queries: Sequence[Sequence[float]] | None = None,
        meanwhile: Callable[[], object] | None = None,
    ) -> tuple[State, list[Answer]]:
        del meanwhile  # there is nobody to wait for
        queries = instance.queries if queries is None else queries
        order, d, d_v = self.shape
        try:
            cache = take(
                self.factory, instance.course, instance.tokens, queries[0],
                d=d, d_v=d_v, seed=seed,
            )  # fmt: skip
        except REFUSALS as error:
            raise Refusal(str(error)) from None
        live = [cache.answer(q) for q in queries] if instance.course in LIVE else []
        state = state_of(cache)
        if not live:
            cache = restore(self.factory, state, order=order, d=d, d_v=d_v, seed=seed)
        found = live or [cache.answer(q) for q in queries]
        return state, [tuple(Fraction(x) for x in answer) for answer in found]


def bench_of(
    factory: Any, order: int, d: int, alpha: Any = Fraction(1, 8), eta: Any = 0, n: int = 12
) -> LocalBench:
    nobody: Any = None
    shape, guarantee = Shape(order, d, d), Guarantee(eta, alpha)
    return LocalBench(nobody, nobody, shape, guarantee, 10.0, n, serves(factory), factory=factory)


def entered(
    bench: LocalBench, catalogue: Sequence[Entry], *, n: int, seed: int = 0,
    sizes: tuple[int, ...] = (), traces: tuple[Instance, ...] = (),
) -> list[Entered]:  # fmt: skip
    order, d, d_v = bench.shape
    draft = Draft(order, n, d, d_v, bench.guarantee.alpha, sizes=sizes, traces=traces)
    return examine(bench, draft, serves=serves(bench.factory), seed=seed, catalogue=catalogue)
