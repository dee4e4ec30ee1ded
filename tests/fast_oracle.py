"""Problems for the fast enclosures, and what the truth is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from flint import arb, arb_mat, fmpq

from kvfloor import ExactAttention
from kvfloor.attention.fast.device import Device
from kvfloor.attention.fast.double import evaluate_double
from kvfloor.attention.fast.operands import prepare
from kvfloor.attention.fast.refined import evaluate_refined
from kvfloor.attention.fast.single import evaluate_single
from kvfloor.attention.fast.totals import Balls, Evaluation
from kvfloor.attention.inputs import Mask, as_scale
from kvfloor.numbers import arb_precision, to_fraction

Float = npt.NDArray[np.float64]
_Evaluate = Callable[..., Evaluation]
LEVELS: dict[str, _Evaluate] = {"single": evaluate_single, "double": evaluate_double}
BITS = 400


@dataclass(frozen=True, eq=False)
class Case:
    """One call: b queries of shape (b, d) over m slots."""

    queries: Float
    keys: list[Float]
    values: list[Float]
    scale: Any = 1
    mask: Mask | None = None

    def evaluate(self, level: str, device: Device | None = None, **options: Any) -> Evaluation:
        sigma = as_scale(self.scale, self.queries.shape[1])
        prepared = prepare(self.keys, self.values, device)
        return LEVELS[level](prepared, self.queries, sigma, self.mask, **options)

    def refined(self, *, fine: bool = False) -> Evaluation:
        """All numbers by `evaluate_refined`."""
        b, width = len(self.queries), self.values[0].shape[1] + 1
        rows, columns = (part.ravel() for part in np.indices((b, width)))
        sigma = as_scale(self.scale, self.queries.shape[1])
        shared = prepare(self.keys, self.values)
        given = shared, self.queries, sigma, self.mask, (rows, columns)
        found = evaluate_refined(*given, fine=fine)
        hi, lo, radius = (part.reshape(b, width) for part in (found.hi, found.lo, found.radius))
        output = Balls(hi[:, :-1], lo[:, :-1], radius[:, :-1])
        return Evaluation(output, Balls(hi[:, -1], lo[:, -1], radius[:, -1]))

    def of_one_slot(self) -> Case:
        """The same with the first slot alone, under the mask for its first tuples."""
        mask = self.mask
        while mask is not None and mask.ndim > 1 + self.mask_for_each():
            mask = mask[..., 0]
        return Case(self.queries, self.keys[:1], self.values[:1], self.scale, mask)

    def mask_for_each(self) -> bool:
        """Whether every query has a mask of its own."""
        return self.mask is not None and self.mask.ndim > len(self.keys)

    def row_mask(self, i: int) -> Mask | None:
        if self.mask is None or self.mask.ndim == len(self.keys):
            return self.mask
        row: Mask = self.mask[i % len(self.mask)]
        return row

    def empty(self, i: int) -> bool:
        mask = self.row_mask(i)
        return mask is not None and not mask.any()


@dataclass(frozen=True, eq=False)
class Truth:
    """Outputs, Σ_t p_t·|v_t|, log-sum-exp and largest |logit| of one query."""

    output: list[arb]
    mean: list[arb]
    logsumexp: arb
    reach: Fraction


def exact_truths(case: Case) -> Iterator[Truth | None]:
    """From exact rationals, tuple by tuple; None where no tuple is left."""
    values = [np.abs(V) for V in case.values]
    attention = ExactAttention(case.keys, case.values, scale=case.scale)
    sizes = ExactAttention(case.keys, values, scale=case.scale)
    for i, q in enumerate(case.queries):
        if case.empty(i):
            yield None
            continue
        mask = case.row_mask(i)
        answer = attention(q, mask=mask)
        ends = [abs(to_fraction(answer.logits[j])) for j in (0, -1)]
        if max(ends) > 10**9:  # far out of the range where anything is claimed
            yield Truth([], [], arb(0), max(ends))
            continue
        yield Truth(
            answer.enclose(BITS),
            sizes(q, mask=mask).enclose(BITS),
            answer.logsumexp(BITS),
            max(ends),
        )


def ball_truth(case: Case, i: int = 0) -> Truth:
    """For order 2 without a mask and larger n, in ball arithmetic."""
    (K1, K2), (V1, V2) = case.keys, case.values
    with arb_precision(BITS):
        sigma = arb(fmpq(*Fraction(case.scale).as_integer_ratio()))
        A = arb_mat([[sigma * x * y for x, y in zip(case.queries[i].tolist(), r, strict=True)]
                     for r in K1.tolist()])  # fmt: skip
        logits = (A * arb_mat(K2.tolist()).transpose()).entries()
        top = max(float(s) for s in logits)
        weights = [(s - top).exp() for s in logits]
        total = sum(weights, arb(0))
        P = arb_mat(len(V1), len(V2), weights)
        sums: list[list[arb]] = []
        for left, right in ((V1, V2), (np.abs(V1), np.abs(V2))):
            rows = (P * arb_mat(right.tolist())).tolist()
            columns = zip(*rows, strict=True)
            sums.append(
                [
                    sum((x * y for x, y in zip(column, v, strict=True)), arb(0)) / total
                    for column, v in zip(columns, left.T.tolist(), strict=True)
                ]
            )
        reach = max(abs(float(s)) for s in logits)
        return Truth(sums[0], sums[1], total.log() + top, Fraction(reach))


def numbers(balls: Balls, *index: int) -> tuple[float, float, float]:
    return float(balls.hi[index]), float(balls.lo[index]), float(balls.radius[index])


def share(truth: arb, ball: tuple[float, float, float]) -> float:
    """How much of the radius is used: at most 1, rounded up, if the ball holds the truth."""
    hi, lo, radius = ball
    assert radius >= 0, "nan or negative"
    if radius == np.inf:
        return 0.0
    with arb_precision(BITS):
        error = abs(truth - arb(hi) - arb(lo))
        assert error <= arb(radius), (truth, ball)
        return 0.0 if radius == 0 else float((error / arb(radius)).upper())
