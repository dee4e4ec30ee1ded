"""Every rounded number equals what balls at ten times the precision, or E1, give."""

from __future__ import annotations

import os
from collections import Counter
from itertools import islice
from math import copysign, isnan

import pytest

from hard_cases import FAMILIES, Case, cases
from kvfloor.attention import ExactAttention, Layers, enclose, tensor_attention_rounded
from kvfloor.numbers import FORMATS, BinaryFormat, Rounding, as_format, ball_ends

# Numbers to check for each format and rounding; 24 times that in all, so `ci` checks 10^5.
NUMBERS = {"quick": 500, "ci": 5000, "thorough": 20_000}[
    os.environ.get("HYPOTHESIS_PROFILE", "quick")
]
ROUNDINGS: tuple[Rounding, ...] = ("nearest", "up", "down", "zero")


def truth(case: Case, b: int, target: BinaryFormat, rounding: Rounding) -> list[float]:
    """Outputs and log-sum-exp of query b, with no code of the rounding layers."""
    mask = None if case.mask is None else case.mask[b]
    query = case.queries[b]
    exact = ExactAttention(case.keys, case.values, scale=case.scale)(query, mask=mask)
    rationals = [*(exact.rational(c) for c in range(len(exact))), exact.rational_logsumexp()]
    bits = 1280  # ten times the first precision of the layers; more where that is too little
    while True:
        balls = enclose(query, case.keys, case.values, scale=case.scale, mask=mask, bits=bits)
        numbers = [
            (rational, rational) if rational is not None else ball_ends(ball)
            for rational, ball in zip(rationals, (*balls.output, balls.logsumexp), strict=True)
        ]
        rounded = [[target.round(end, rounding) for end in ends] for ends in numbers]
        if all(same(low, high) for low, high in rounded):
            return [low for low, _ in rounded]
        bits *= 4


def same(x: float, y: float) -> bool:
    return (x == y or (isnan(x) and isnan(y))) and copysign(1, x) == copysign(1, y)


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("name", FORMATS)
def test_no_wrong_bit(name: str, rounding: Rounding) -> None:
    target, layers, checked = as_format(name), Layers(), 0
    seed = FORMATS.index(name) * len(ROUNDINGS) + ROUNDINGS.index(rounding)
    for case in cases(seed):
        found = tensor_attention_rounded(
            case.queries,
            case.keys,
            case.values,
            dtype=name,
            scale=case.scale,
            mask=case.mask,
            rounding=rounding,
            return_logsumexp=True,
            layers=layers,
        )
        for b in range(len(case.queries)):
            got = [*found.output[b].astype(float), float(found.logsumexp[b])]
            wanted = truth(case, b, target, rounding)
            assert all(map(same, got, wanted)), (case, b, got, wanted)
            checked += len(got)
        if checked >= NUMBERS:
            break
    counts = layers.single + layers.refined + layers.double + layers.balls + layers.exact
    assert counts == checked


@pytest.mark.long
def test_every_layer_is_needed_somewhere() -> None:
    """Each family of hard cases reaches the layer that it was made for."""
    reached: dict[str, Counter[str]] = {}
    for index, case in enumerate(islice(cases(0), 60 * len(FAMILIES))):
        layers = Layers()
        for name in ("float32", "float64"):
            tensor_attention_rounded(
                case.queries, case.keys, case.values, dtype=name, mask=case.mask,
                scale=case.scale, layers=layers,
            )  # fmt: skip
        family = FAMILIES[index % len(FAMILIES)].__name__
        reached.setdefault(family, Counter()).update(vars(layers))
    assert reached["normal"]["single"] > 0
    assert reached["normal"]["double"] > 0
    assert reached["equal_logits_on_a_midpoint"]["exact"] > 0
    assert reached["single_tuple"]["balls"] > 0  # whose balls have radius zero
    assert reached["cancelling_values"]["exact"] > 0
    assert reached["beside_a_midpoint"]["exact"] > 0
    assert reached["subnormal"]["balls"] > 0
    assert reached["large_logits"]["refined"] > 0
