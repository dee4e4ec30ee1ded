"""Backward passes: right ones pass, wrong ones fail by the entry that should see them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kernels import backward as right
from kernels.wrong_backward import TEXT, WRONG_BACKWARDS, WrongBackward, backward
from kernels.wrong_backward_joined import WRONG_JOINED
from kvfloor import InputError, Window
from kvfloor.conformance import (
    BACKWARDS,
    Backward,
    BackwardCase,
    CallError,
    Case,
    Domain,
    Draft,
    Judgement,
    Target,
    as_backward,
    as_entry,
    check_backward,
    entries_for,
    find_named,
    judge_gradients,
    run,
)
from seeds import LAST_SEED, THOROUGH

PAGE = (Path(__file__).parents[3] / "docs" / "backward.md").read_text()
UNUSUAL_TEXT = (Path(right.__file__).parent / "backward_unusual.py").read_text()
materialised: Any = right.materialised
BF16: dict[str, Any] = {"dtype": "bfloat16", "accumulate": "float32"}
# Ten kinds: what each declares beside its formats.
RIGHT: dict[str, tuple[str, dict[str, Any]]] = {
    "materialised": ("materialised", {"reads": ("output", "logsumexp")}),
    "softmax": ("softmax", {"reads": ()}),
    "blocks": ("blocks", {"block": right.BLOCK}),
    "stored": ("blocks", {"weights": "bfloat16"}),
    "added": ("blocks", {"weights": "bfloat16", "added": "bfloat16", "block": right.BLOCK}),
    "atomics": ("atomics", {}),
    "base_two": ("base_two", {"exp_ulps": 2}),
    "given_in_base_two": ("given_in_base_two", {"logsumexp_base": 2}),
    "rows": ("rows", {}),
    "two_slots": ("two_slots", {"order": 2}),
    "two_slots_factored": ("two_slots_factored", {"order": 2}),
}
FORMATS = (
    ("float64", "float64"),
    ("float32", "float32"),
    ("float16", "float32"),
    ("bfloat16", "float32"),
    ("float16", "float16"),
)
MASKS = (None, "causal", "boolean", Window(3, 1))
# What takes longest, and more so in Python's loops and with pairs of tokens.
SLOW = {
    "gradient-heads", "gradient-low-logits", "gradient-block-ends", "gradient-long-sums",
    "gradient-long", "gradient-tiles", "gradient-head-sizes", "gradient-columns",
    "gradient-full-blocks",
}  # fmt: skip
# A case or two of each kind, for what is quick.
FEW = {
    "gradient", "gradient-one-column", "gradient-widths", "gradient-groups", "gradient-causal",
    "gradient-empty-rows", "gradient-window", "gradient-dominated", "gradient-large-logits",
    "gradient-offset-values", "gradient-cancelling", "gradient-scale", "gradient-softmax-axes",
}  # fmt: skip
REPORTS = ("triton/issues/7216", "triton/issues/5660", "ffpa-attn/pull/300", "issues/443",
           "issues/2552", "triton/issues/27", "aiter/pull/2612", "openfold-3/pull/258")  # fmt: skip


def target(name: str, form: tuple[str, str], mask: Any = None) -> Backward:
    function, declared = RIGHT[name]
    dtype, accumulate = form
    if accumulate == "float16":
        declared = {k: v for k, v in declared.items() if k not in ("weights", "added")}
    return Backward(
        backward(TEXT, function, accumulate, **declared),
        dtype=dtype, accumulate=accumulate, grouped=True, mask=mask, **declared,
    )  # fmt: skip


def flags(of: Backward, without: set[str]) -> list[str]:
    return [entry.flag for entry in entries_for(of) if entry.flag not in without]


def judged(of: Backward, flag: str) -> list[Judgement]:
    """The cases of an entry at full size."""
    entry = as_entry(flag)
    cases = entry.build(Draft(of, entry.largest(of), 0, coarse=False))
    return [judge_gradients(of, case) for case in cases if isinstance(case, BackwardCase)]


def test_there_is_a_wrong_one_for_every_entry_and_report() -> None:
    every = (*WRONG_BACKWARDS, *WRONG_JOINED)
    assert {wrong.flag for wrong in every} == {entry.flag for entry in BACKWARDS}
    assert len({wrong.name for wrong in WRONG_BACKWARDS}) == len(WRONG_BACKWARDS) == 78
    assert len({wrong.name for wrong in WRONG_JOINED}) == len(WRONG_JOINED) == 36
    assert "wrong ones are in the tests, [78]" in PAGE
    assert "[36]" in PAGE
    reported = [wrong for wrong in WRONG_BACKWARDS if wrong.report]
    for report in REPORTS:
        assert any(one.report.endswith(report) for one in reported), report
    for one in reported:
        (row,) = (line for line in PAGE.splitlines() if f"({one.report})" in line)
        assert f"`{one.flag}`" in row


@pytest.mark.parametrize("wrong", WRONG_BACKWARDS, ids=lambda wrong: wrong.name)
def test_it_is_caught_by_its_flag(wrong: WrongBackward) -> None:
    of = Backward(wrong.build(), **wrong.declared)
    assert as_entry(wrong.flag) in entries_for(of)
    assert any(found.problem is not None for found in judged(of, wrong.flag))


# What only one or two entries can see: everything else must let these pass.
ALONE = {
    "columns-beyond-64-lost": {"gradient-columns", "gradient-head-sizes"},
    "cotangent-cut-off": {"gradient-large"},
    "small-is-zero": {"gradient-small"},
    "cotangent-by-its-size": {"gradient-zero-cotangent"},
    "overwrites-the-cotangent": {"gradient-inputs"},
}


@pytest.mark.parametrize(
    "name",
    [
        name if name == "small-is-zero" else pytest.param(name, marks=pytest.mark.long)
        for name in sorted(ALONE)
    ],
)
def test_other_entries_do_not_see_it(name: str) -> None:
    (wrong,) = (wrong for wrong in WRONG_BACKWARDS if wrong.name == name)
    of = Backward(wrong.build(), **wrong.declared)
    tried = flags(of, SLOW - ALONE[name])
    seen = {flag for flag in tried if any(one.problem is not None for one in judged(of, flag))}
    assert seen == ALONE[name]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        pytest.param(name, form, marks=pytest.mark.long if turn else ())
        for i, name in enumerate(RIGHT)
        for k, form in enumerate(FORMATS)
        if (turn := (k - i) % len(FORMATS)) < 2 or THOROUGH
    ],
)
def test_right_ones_pass_with_room(name: str, form: tuple[str, str]) -> None:
    number = sorted(RIGHT).index(name) + FORMATS.index(form)
    of = target(name, form, MASKS[number % len(MASKS)])
    report = run(of, examples=0, flags=[flag for flag in flags(of, SLOW) if flag in FEW])
    assert report.ok, str(report)
    assert report.elements > 15_000
    # A bound that is hardly used says little. Results in the format of the arithmetic use some
    # hundredths of it; the one rounding of a narrower result, or of a stored weight, almost all.
    least, most = (0.02, 0.25) if form[0] == form[1] else (0.4, 1)
    most = 1 if name in ("stored", "added") else most
    assert least < report.worst_ratio < most
    if form[1] != "float16":
        assert report.unbounded == 0


SEEDS = [1, 2, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, LAST_SEED))]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_false_alarm(seed: int) -> None:
    """Each seed another function, format and mask."""
    name = sorted(RIGHT)[seed % len(RIGHT)]
    of = target(name, FORMATS[seed % 5], MASKS[seed // len(RIGHT) % len(MASKS)])
    report = run(of, examples=1, seed=seed, flags=[f for f in flags(of, SLOW) if f in FEW])
    assert report.ok, str(report)


UNUSUAL = (
    "groups_as_queries", "tokens_first", "exps_in_two_parts", "halves_of_tokens", "one_product",
)  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_no_false_alarm_for_what_is_unusual(seed: int) -> None:
    dtype, accumulate = FORMATS[seed % 4]
    of = Backward(
        backward(UNUSUAL_TEXT, UNUSUAL[seed % 5], accumulate), dtype=dtype, accumulate=accumulate,
        grouped=True, mask=MASKS[seed % len(MASKS)],
    )  # fmt: skip
    report = run(of, examples=1, seed=seed, flags=[f for f in flags(of, SLOW) if f in FEW])
    assert report.ok, str(report)


@pytest.mark.long
@pytest.mark.parametrize(
    ("first", "name"), [*enumerate(["materialised", "blocks", "softmax", "added"])]
)
def test_every_entry_passes(first: int, name: str) -> None:
    """In one format each, and in all by the profile that is thorough."""
    for number, form in enumerate(FORMATS):
        if number != first and not THOROUGH:
            continue
        report = run(target(name, form, MASKS[number % len(MASKS)]), examples=1)
        assert report.ok, str(report)


def test_the_failing_test_fails_and_passes_once_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (wrong,) = (one for one in WRONG_BACKWARDS if one.name == "no-D")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mine_backward.py").write_text(wrong.source())
    function = __import__("mine_backward").materialised
    (failure,) = check_backward(function, flags=[wrong.flag], **wrong.declared).failures
    assert "target = Backward(materialised, " in failure.reproducer
    pasted: dict[str, Any] = {}
    exec(failure.reproducer, pasted)
    with pytest.raises(AssertionError, match="times the bound"):
        pasted["test_gradient_equal_values"]()
    pasted["materialised"] = materialised
    pasted["test_gradient_equal_values"]()


def test_a_large_one_is_made_anew() -> None:
    (wrong,) = (one for one in WRONG_BACKWARDS if one.name == "columns-of-dv-misaligned")
    report = check_backward(wrong.build(), flags=[wrong.flag], **wrong.declared)
    (failure,) = report.failures
    assert ".build(draft)[" in failure.reproducer
    assert "judge_gradients(target, case).problem is None" in failure.reproducer


def small() -> Case:
    """One query, two tokens, ones."""
    K = np.ones((1, 1, 2, 1), np.float32)
    return Case(K[:, :, :1], (K,), (K,), 1.0, None)


G = np.ones((1, 1, 1, 1))
ONE, TWO = np.ones((1, 1, 1, 1), np.float32), np.ones((1, 1, 2, 1), np.float32)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ((ONE, TWO), "expected dq, dK and dV, got tuple"),
        (None, "expected dq, dK and dV, got NoneType"),
        ((ONE, (TWO, TWO), TWO), "expected 1 gradients of keys and of values, got 2 and 1"),
        ((ONE, TWO, ONE), "gradient of values[0]: expected shape (1, 1, 2, 1), got (1, 1, 1, 1)"),
        ((ONE.astype(float), TWO, TWO), "gradient of the query: expected float32, got float64"),
    ],
)
def test_what_is_no_answer(found: Any, message: str) -> None:
    of = Backward(lambda *_, **__: found, dtype="float32", accumulate="float32")
    case = of.case(small(), G)
    with pytest.raises(CallError) as error:
        of.pull_back(case)
    assert message in str(error.value)
    assert message in str(judge_gradients(of, case).problem)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"splits": 2}, "splits: expected None, as it is a backward pass"),
        ({"skips": True}, "skips: expected False, as it is a backward pass"),
        ({"returns": ("output",)}, "returns: expected ('output', 'logsumexp'), as it is"),
        ({"empty": "nan"}, "empty: expected zero, as it is a backward pass"),
        ({"reads": ("outputs",)}, "reads: expected output, logsumexp, both or none of them"),
        ({"added": "float64"}, "added: expected a format that float32 holds, got float64"),
        ({"differentiable": True}, "arrays: expected torch or jax, as it is differentiable"),
    ],
)
def test_bad_declarations(declared: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        Backward(print, dtype="float32", accumulate="float32", **declared)
    assert message in str(error.value)


def test_entries_of_attention_are_not_for_it() -> None:
    with pytest.raises(InputError, match="it is for another kind of target"):
        check_backward(materialised, dtype="float32", accumulate="float32", flags=["drawn"])


def test_what_it_is_given_is_right_and_rounded() -> None:
    of = Backward(print, logsumexp_base=2, **BF16)
    case = of.case(small(), np.array([[[[np.pi]]]]))
    assert case.cotangent.dtype.name == case.output.dtype.name == "bfloat16"
    assert case.logsumexp.dtype.name == "float32"
    assert case.cotangent.item() == 3.140625
    assert case.output.item() == 1
    assert case.logsumexp.item() == pytest.approx(1 / np.log(2) + 1)


def test_layouts_are_undone() -> None:
    """The function is given b, n, h, d, and rows without the columns."""
    shapes = {}

    def function(q: Any, K: Any, V: Any, cotangent: Any, **told: Any) -> Any:
        def turned(A: Any) -> Any:
            return A.swapaxes(1, 2)

        forward = {name: turned(told.pop(name)) for name in ("output", "logsumexp")}
        shapes.update({name: A.shape for name, A in forward.items()})
        found = materialised(turned(q), [turned(K[0])], [turned(V[0])], turned(cotangent),
                             **told, **forward)  # fmt: skip
        return tuple(map(turned, found))

    options: dict[str, Any] = {"dtype": "float32", "accumulate": "float32", "layout": "bnhd"}
    assert not check_backward(function, flags=["gradient-heads"], examples=0, **options).failures
    assert shapes == {"output": (8, 32, 3, 6), "logsumexp": (8, 32, 3)}


def test_a_domain_is_kept_to() -> None:
    def square(q: Any, K: Any, V: Any, cotangent: Any, **told: Any) -> Any:
        assert q.shape[2] == K[0].shape[2]
        assert q.shape[3] == V[0].shape[3] == 64
        return materialised(q, K, V, cotangent, **told)

    domain = Domain(d=64, d_v="same", queries="same", tokens="most=40")
    of = Backward(square, dtype="float32", accumulate="float32", domain=domain, mask="causal")
    kinds = ("gradient", "gradient-widths", "gradient-one-query", "gradient-fewer-queries")
    report = run(of, examples=2, flags=kinds)
    assert report.ok, str(report)
    assert {"gradient-widths", "gradient-one-query"} <= {flag for flag, _ in report.not_run}


def test_by_the_framework_of_a_forward_pass() -> None:
    torch = pytest.importorskip("torch")

    def forward(q: Any, K: Any, V: Any, *, scale: float, mask: Any) -> Any:
        weights = torch.softmax(q @ K[0].transpose(2, 3) * scale, dim=-1)
        return weights @ V[0], weights.sum(dim=-1).log()

    def detached(q: Any, K: Any, V: Any, **told: Any) -> Any:
        return forward(q, (K[0].detach(),), V, **told)

    options: dict[str, Any] = {"dtype": "float32", "accumulate": "float32", "arrays": "torch"}
    plain = Target(forward, order=1, **options)
    report = run(as_backward(plain), examples=1, flags=["gradient", "gradient-scale"])
    assert report.ok, str(report)
    sdpa = find_named("torch:sdpa")
    assert sdpa is not None
    named = run(sdpa.backward(sdpa.target()), examples=0, flags=["gradient"])
    assert named.ok, str(named)
    half = sdpa.backward(sdpa.target(dtype="bfloat16"))
    assert (half.sums.name, half.block) == ("bfloat16", (32,))
    assert run(half, examples=0, flags=["gradient-long-sums"]).ok
    told = sdpa.backward(sdpa.target(dtype="bfloat16", block=64), added="float32")
    assert (told.sums.name, told.block) == ("float32", (64,))
    wrong = check_backward(detached, differentiable=True, flags=["gradient"], **options)
    assert wrong.failures[0].message.startswith("dK[")
    assert "differentiable=True" in wrong.failures[0].reproducer


def test_by_jax() -> None:
    jnp = pytest.importorskip("jax.numpy")

    def forward(q: Any, K: Any, V: Any, *, scale: float, mask: Any) -> Any:
        logits = q @ K[0].swapaxes(2, 3) * scale
        weights = jnp.exp(logits - logits.max(axis=-1, keepdims=True))
        return weights @ V[0] / weights.sum(axis=-1, keepdims=True)

    report = check_backward(forward, dtype="float32", accumulate="float32", arrays="jax",
                            differentiable=True, flags=["gradient"], examples=0)  # fmt: skip
    assert report.ok, str(report)


def test_the_same_seed_gives_the_same_report() -> None:
    of = target("base_two", ("float16", "float32"))
    reports = [run(of, flags=["gradient"], seed=seed, examples=2) for seed in (3, 3, 4)]
    first, same, other = (report.to_dict() | {"seconds": 0} for report in reports)
    assert first == same != other
