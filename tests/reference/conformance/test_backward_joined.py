"""Backward passes with sinks, caps, biases and cotangents of log-sum-exps: right and wrong ones."""

from __future__ import annotations

from typing import Any

import pytest

from kernels.wrong_backward import WrongBackward, backward
from kernels.wrong_backward_joined import JOINED_TEXT, WRONG_JOINED
from kvfloor import InputError
from kvfloor.conformance import (
    Backward,
    Draft,
    as_entry,
    check_backward,
    entries_for,
    judge_gradients,
    run,
)
from seeds import LAST_SEED

EACH: dict[str, dict[str, Any]] = {
    "sink": {"sink": True, "gradients": ("sink",)},
    "softcap": {"softcap": 3},
    "bias": {"bias": "array", "gradients": ("bias",)},
    "alibi": {"bias": "alibi"},
    "logsumexp": {"logsumexp_cotangent": True},
    "all": {"sink": True, "softcap": 3, "bias": "array", "gradients": ("bias", "sink"),
            "logsumexp_cotangent": True},
}  # fmt: skip
FUNCTIONS = ("from_logsumexp", "softmax", "blocks")
FORMATS = (
    ("float64", "float64"),
    ("float32", "float32"),
    ("float16", "float32"),
    ("bfloat16", "float32"),
    ("float16", "float16"),
)
MASKS = (None, "causal", "boolean")
FEW = {
    "gradient", "gradient-groups", "gradient-causal", "gradient-empty-rows", "gradient-dominated",
    "gradient-large-logits", "gradient-scale", "gradient-sink", "gradient-capped",
    "gradient-cap-and-bias", "gradient-bias-axes", "gradient-hidden-by-bias", "gradient-alibi",
    "gradient-logsumexp", "gradient-sink-sums",
}  # fmt: skip


def target(function: str, terms: str, form: tuple[str, str], mask: Any = None) -> Backward:
    dtype, accumulate = form
    stored: dict[str, Any] = {}
    if function == "blocks" and dtype == "bfloat16":
        stored = {"weights": dtype, "added": dtype, "block": 4}
    kernel = backward(JOINED_TEXT, function, accumulate, **stored)
    return Backward(kernel, dtype=dtype, accumulate=accumulate, grouped=True, mask=mask, **stored,
                    **EACH[terms])  # fmt: skip


def few(of: Backward) -> list[str]:
    return [entry.flag for entry in entries_for(of) if entry.flag in FEW]


@pytest.mark.parametrize("wrong", WRONG_JOINED, ids=lambda wrong: wrong.name)
def test_it_is_caught_by_its_flag(wrong: WrongBackward) -> None:
    of = Backward(wrong.build(), **wrong.declared)
    entry = as_entry(wrong.flag)
    assert entry in entries_for(of)
    cases = entry.build(Draft(of, entry.largest(of), 0, coarse=False))
    assert any(judge_gradients(of, case).problem is not None for case in cases)  # type: ignore[arg-type]


def test_every_term_has_two_wrong_ones() -> None:
    for terms in ({"sink"}, {"softcap"}, {"bias"}, {"logsumexp_cotangent"}):
        assert sum(terms == set(one.options) - {"gradients"} for one in WRONG_JOINED) >= 2


@pytest.mark.parametrize(
    ("function", "terms"),
    [
        pytest.param(function, terms, marks=() if (i + k) % 3 == 0 else pytest.mark.long)
        for i, function in enumerate(FUNCTIONS)
        for k, terms in enumerate(EACH)
    ],
)
def test_right_ones_pass_with_room(function: str, terms: str) -> None:
    number = FUNCTIONS.index(function) + list(EACH).index(terms)
    form = FORMATS[number % len(FORMATS)]
    of = target(function, terms, form, MASKS[number % len(MASKS)])
    report = run(of, examples=0, flags=few(of))
    assert report.ok, str(report)
    least, most = (0.015, 0.25) if form[0] == form[1] else (0.4, 1)
    assert least < report.worst_ratio < most
    if form[1] != "float16":
        assert report.unbounded == 0


SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, LAST_SEED))]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_false_alarm(seed: int) -> None:
    """Each seed another function, terms, format and mask."""
    terms = list(EACH)[seed % len(EACH)]
    form = FORMATS[seed // 2 % len(FORMATS)]
    of = target(FUNCTIONS[seed % len(FUNCTIONS)], terms, form, MASKS[seed // 3 % len(MASKS)])
    report = run(of, examples=1, seed=seed, flags=few(of))
    assert report.ok, str(report)


def test_the_failing_test_holds_terms_and_cotangents() -> None:
    (wrong,) = (one for one in WRONG_JOINED if one.name == "logsumexp-cotangent-not-for-the-sink")
    report = check_backward(wrong.build(), flags=[wrong.flag], **wrong.declared)
    text = report.failures[0].reproducer
    assert "sink=True" in text
    assert "logsumexp_cotangent=True" in text
    assert "terms=Joined(sink=" in text
    pasted: dict[str, Any] = {}
    exec(text.replace("from backward import softmax", ""), pasted)
    pasted["softmax"] = wrong.build()
    with pytest.raises(AssertionError, match="times the bound"):
        pasted["test_gradient_logsumexp"]()
    pasted["softmax"] = backward(JOINED_TEXT, "softmax", "float32")
    pasted["test_gradient_logsumexp"]()


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"gradients": ("sink",)}, "gradients: expected no sink, as none is declared"),
        ({"gradients": "softcap"}, "gradients: expected bias, sink, both or none of them"),
        ({"bias": "alibi", "gradients": "bias"}, "gradients: expected no bias, as alibi is none"),
        (
            {"logsumexp_cotangent": True, "logsumexp_base": 2},
            "logsumexp_base: expected e, as there are cotangents of natural log-sum-exps",
        ),
    ],
)
def test_bad_declarations(declared: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        Backward(print, dtype="float32", accumulate="float32", **declared)
    assert message in str(error.value)


def test_gradients_of_terms_that_are_no_answers() -> None:
    def function(q: Any, K: Any, V: Any, *_: Any, sink: Any, bias: Any, **__: Any) -> Any:
        return q, K[0], V[0], bias[:1], sink

    of = Backward(function, dtype="float32", accumulate="float32", **EACH["all"])
    entry = as_entry("gradient")
    (case,) = entry.build(Draft(of, entry.largest(of), 0, coarse=False))
    message = judge_gradients(of, case).problem  # type: ignore[arg-type]
    assert "gradient of the bias: expected shape (2, 7, 12), got (1, 7, 12)" in str(message)
    short = Backward(lambda q, K, V, *_, **__: (q, K[0], V[0]), dtype="float32",
                     accumulate="float32", **EACH["all"])  # fmt: skip
    message = judge_gradients(short, case).problem  # type: ignore[arg-type]
    assert message == "expected dq, dK, dV, dbias and dsink, got tuple"


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_by_the_framework_of_a_forward_pass(framework: str) -> None:
    """Gradients of sink and bias, and of the log-sum-exp, by autograd."""
    xp: Any = pytest.importorskip("torch" if framework == "torch" else "jax.numpy")

    def forward(q: Any, K: Any, V: Any, *, scale: float, mask: Any, sink: Any, softcap: Any,
                bias: Any) -> Any:  # fmt: skip
        logits = xp.einsum("bhid,bhjd->bhij", q, K[0]) * scale
        logits = softcap * xp.tanh(logits / softcap) + bias
        top = logits.max() if framework == "jax" else logits.max().detach()
        weights = xp.exp(logits - top)
        total = weights.sum(-1) + xp.exp(sink[:, None] - top)
        return xp.einsum("bhij,bhjc->bhic", weights, V[0]) / total[..., None], top + xp.log(total)

    options: dict[str, Any] = {"dtype": "float32", "accumulate": "float32", "arrays": framework}
    flags = ["gradient", "gradient-bias-axes", "gradient-logsumexp"]
    report = check_backward(forward, differentiable=True, flags=flags, examples=0, **options,
                            **EACH["all"])  # fmt: skip
    assert report.ok, str(report)
    alone = check_backward(lambda *given, **told: forward(*given, **told)[0], differentiable=True,
                           flags=["gradient"], examples=0, **options, **EACH["all"])  # fmt: skip
    assert "expected an output and a log-sum-exp" in alone.failures[0].message
    assert report.worst_ratio > 0.01
