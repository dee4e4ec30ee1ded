"""Stages that a target returns: right ones pass, and the first that is wrong is named."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from full_size import problem
from kernels import staged
from kernels.wrong import Wrong
from kvfloor import InputError
from kvfloor.conformance import Draft, Target, as_entry, check, named_target, run
from kvfloor.conformance.stages import find_stage
from kvfloor.numbers import as_format

SOURCE = Path(staged.__file__).read_text()
FORM: dict[str, Any] = {"dtype": "float32", "accumulate": "float32", "order": 1}
ALL: dict[str, Any] = {"mask": "boolean", "softcap": 2.0, "bias": "array", "padded": ("right",)}
#: Edits, what the first stage out of its bound is, and what the verdict calls it.
EDITS = (
    ("K.swapaxes(2, 3) * ACCUMULATE(scale[--]{+ * 1.001+})", "logits", "logits"),
    ("logits = [-q.astype(ACCUMULATE)-]{+q.astype(np.float16).astype(ACCUMULATE)+} @", "logits",
     "logits"),
    # as onnx.reference returns logits of mode 0 where there is a cap
    ('{"logits": [-logits-]{+capped+}, "capped"', "logits", "logits"),
    ("np.tanh(logits / ACCUMULATE(softcap[--]{+ * 1.01+}))", "capped", "soft cap"),
    ("masked = np.where(kept, biased, [--np.inf-]{+-1e9+})", "masked", "mask"),
    ("biased = capped + [-joined-]{+0.99 * joined+}.biases", "masked", "mask"),
    ('"masked": [-masked-]{+np.maximum(masked, np.finfo(np.float32).min)+}, "weights"', "masked",
     "mask"),
    ("weights = np.exp([-masked - -]{+(masked * 1.001).astype(ACCUMULATE) - +}np.where", "weights",
     "softmax"),
    ("total = weights.sum([-axis=-1-]{+axis=-2+}, keepdims=True)", "weights", "softmax"),
)  # fmt: skip


def kernel(accumulate: str) -> Callable[..., Any]:
    module: dict[str, Any] = {"__name__": "staged"}
    exec(SOURCE, module)
    module["ACCUMULATE"] = as_format(accumulate).dtype.type
    function: Callable[..., Any] = module["staged"]
    return function


def targeted(function: Callable[..., Any], **declared: Any) -> Target:
    told: dict[str, Any] = {**FORM, "returns": ("output",), **declared}
    return Target(function, stages=function, **told)


@pytest.mark.parametrize(
    "declared",
    [
        {},
        ALL,
        {"mask": "causal", "dtype": "bfloat16", "grouped": True},
        {"softcap": 1.0, "bias": "alibi", "dtype": "float64", "accumulate": "float64"},
        {"mask": "causal-top-left", "dtype": "float16", "layout": "bnhd"},
    ],
    ids=str,
)
def test_right_ones_pass(declared: dict[str, Any]) -> None:
    function = kernel(declared.get("accumulate", "float32"))

    def by_tokens(q: Any, K: Any, V: Any, **told: Any) -> Any:
        slots = [[A.swapaxes(1, 2) for A in slots] for slots in (K, V)]
        return function(q.swapaxes(1, 2), *slots, **told).swapaxes(1, 2)

    target = targeted(by_tokens if "layout" in declared else function, **declared)
    report = run(target, flags=["stages"], examples=2)
    assert report.ok, str(report)
    assert 0 < report.worst_ratio < 0.9
    assert not report.unbounded


@pytest.mark.parametrize(("edit", "stage", "named"), EDITS)
def test_the_first_that_is_wrong_is_named(edit: str, stage: str, named: str) -> None:
    wrong = Wrong("staged", "staged", edit, "stages", text=SOURCE)
    target = targeted(wrong.build(), **ALL)
    said = problem(target, "stages")
    assert said is not None
    assert said.startswith(f"{stage}[")
    (failure,) = run(target, flags=["stages"], examples=0).failures
    assert failure.message.endswith(f"; it comes from the {named}")


def test_a_wrong_output_of_right_stages_comes_from_the_values() -> None:
    edit = "else (weights @ [-V-]{+V[:, :, ::-1]+})"
    wrong = Wrong("staged", "staged", edit, "stages", text=SOURCE).build()
    target = Target(wrong, stages=kernel("float32"), returns=("output",), **FORM)
    (failure,) = run(target, flags=["stages"], examples=0).failures
    assert failure.message.startswith("output[")
    entry = as_entry("drawn")
    (case,) = entry.build(Draft(target, entry.largest(target), 0, coarse=False))
    assert find_stage(target, case) == "values"


def test_what_is_no_stage_is_said() -> None:
    def raising(*_: Any, stage: str = "", **told: Any) -> Any:
        if stage:
            raise ValueError(stage)
        return kernel("float32")(*_, **told)

    target = targeted(raising)
    assert problem(target, "stages") == "raised ValueError: logits"
    wide = targeted(lambda *_, **told: kernel("float32")(*_, **told | {"stage": None}))
    said = problem(wide, "stages")
    assert said is not None
    assert said.startswith("logits: expected shape (2, 2, 5, 12), got (2, 2, 5, 6)")
    assert as_entry("stages").unless(Target(print, **FORM)) == "no stages are returned"


def test_declarations_that_are_refused() -> None:
    for declared, said in (
        ({"stages": 3}, "stages: expected a callable, got 3"),
        ({"stages": print, "order": 2}, "stages: expected none, unless the order is 1"),
        ({"stages": print, "pages": 4}, "stages: expected none, unless the order is 1"),
    ):
        with pytest.raises(InputError, match=said):
            Target(print, **{**FORM, **declared})


def test_the_failing_test_fails_and_passes_once_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    wrong = Wrong("staged", "staged", EDITS[0][0], "stages", text=SOURCE)
    (tmp_path / "mine_staged.py").write_text(wrong.source())
    mine = __import__("mine_staged").staged
    for stages in (mine, partial(mine)):
        report = check(mine, flags=["stages"], stages=stages, returns=("output",), **FORM)
        (failure,) = report.failures
        pasted: dict[str, Any] = {"stages": stages}
        exec(failure.reproducer, pasted)
        with pytest.raises(AssertionError, match="logits"):
            pasted["test_stages"]()
        pasted["staged"] = pasted["stages"] = kernel("float32")
        pasted["test_stages"]()


@pytest.mark.parametrize("name", ["onnx:reference", "onnxruntime:attention"])
def test_onnx_returns_its_stages(name: str) -> None:
    """What docs/conformance.md says of the versions that are named there."""
    pytest.importorskip(name.partition(":")[0])
    for declared in ({"bias": "array"}, {"mask": "boolean", "scale": 0.3, "bias": "array"}):
        report = run(named_target(name, **declared), flags=["stages"], examples=0)
        assert report.ok, str(report)
    report = run(named_target(name, softcap=1.5, mask="boolean"), flags=["stages"], examples=0)
    assert not report.ok
    first = report.failures[0].message
    if name == "onnx:reference":
        assert first.startswith("logits["), first
    else:
        assert "is -3.40282346638528" in first
        assert first.startswith("masked["), first


def test_onnx_takes_one_mask() -> None:
    pytest.importorskip("onnx")
    from kvfloor.conformance.targets.onnx import Call  # noqa: PLC0415

    q, K = np.zeros((2, 3, 4, 5), np.float32), np.zeros((2, 3, 6, 5), np.float32)
    bias, mask = np.ones((1, 4, 6), np.float32), np.eye(4, 6, dtype=np.bool_)
    call, arrays = Call.of((q, K, K), scale=1.0, mask=mask, bias=bias, stage="weights")
    assert (call.mask, call.stage) == ("float32", 3)
    assert (arrays["attn_mask"] == np.where(mask, 1, -np.inf)).all()
    assert arrays["attn_mask"].shape == (2, 1, 4, 6)
