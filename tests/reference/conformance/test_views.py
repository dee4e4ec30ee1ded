"""Arrays that are views: right ones pass, wrong ones fail, PyTorch's tensors have them too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from full_size import problem
from kernels.wrong import Wrong
from kernels.wrong_views import VIEWS as SOURCE
from kernels.wrong_views import WRONG_VIEWS
from kvfloor import InputError
from kvfloor.conformance import (
    Case,
    Domain,
    Draft,
    Quantised,
    Size,
    Target,
    as_entry,
    check,
    judge,
    run,
)  # fmt: skip
from kvfloor.conformance.domain import VIEWS
from kvfloor.conformance.strategies import shapes
from kvfloor.conformance.views import lay_out
from kvfloor.numbers import as_format

FORM: dict[str, Any] = {"dtype": "float32", "accumulate": "float32"}
FLAGS = ("strided", "columns-apart", "offset", "expanded")
WAYS = ("strided", "transposed", "columns", "offset", "expanded")


def test_there_are_wrong_ones_for_every_entry() -> None:
    assert {wrong.flag for wrong in WRONG_VIEWS} == set(FLAGS)
    assert len({wrong.name for wrong in WRONG_VIEWS}) == len(WRONG_VIEWS) >= 10


@pytest.mark.parametrize("wrong", WRONG_VIEWS, ids=lambda wrong: wrong.name)
def test_it_is_caught_by_its_flag(wrong: Wrong) -> None:
    said = problem(Target(wrong.build(), **FORM, **wrong.options), wrong.flag)
    assert said is not None
    assert "raised" not in said


@pytest.mark.parametrize("wrong", WRONG_VIEWS, ids=lambda wrong: wrong.name)
def test_contiguous_arrays_do_not_show_it(wrong: Wrong) -> None:
    flags = ["drawn", "pages" if "pages" in wrong.options else "single-token"]
    assert check(wrong.build(), flags=flags, examples=1, **FORM, **wrong.options).ok


def kernel(name: str, accumulate: str) -> Callable[..., Any]:
    """A right function that computes in a format."""
    module: dict[str, Any] = {"__name__": "views"}
    exec(SOURCE, module)
    module["ACCUMULATE"] = as_format(accumulate).dtype.type
    function: Callable[..., Any] = module[name]
    return function


@pytest.mark.parametrize(
    ("name", "dtype", "declared"),
    [
        ("attention", "bfloat16", {"mask": "causal"}),
        ("attention", "float64", {"order": 1, "mask": "boolean"}),
        ("in_pages", "float16", {"pages": 4}),
    ],
)
def test_right_ones_pass(name: str, dtype: str, declared: dict[str, Any]) -> None:
    accumulate = "float64" if dtype == "float64" else "float32"
    report = check(kernel(name, accumulate), dtype=dtype, accumulate=accumulate, flags=FLAGS,
                   examples=2, **declared)  # fmt: skip
    assert report.ok, str(report)


@given(
    seed=st.integers(0, 2**16),
    order=st.integers(1, 2),
    mask=st.sampled_from([None, "causal", "boolean"]),
    dtype=st.sampled_from(["float32", "bfloat16", "float16"]),
    size=shapes(),
)
@settings(max_examples=12, deadline=None)
def test_any_view_of_any_size_is_read_by_its_strides(
    seed: int, order: int, mask: Any, dtype: str, size: Size
) -> None:
    """A right kernel passes; those that take strides, or where memory begins, for others fail."""
    declared: dict[str, Any] = {"dtype": dtype, "accumulate": "float32", "order": order}
    target = Target(kernel("attention", "float32"), mask=mask, **declared)
    draft = Draft(
        target, target.fit(replace(size, lengths=size.lengths[:order])), seed, coarse=False
    )
    case = draft.case(draft.tensors())
    wrong = {one.name: one.build() for one in WRONG_VIEWS if not one.options}
    for way in WAYS:
        found = judge(target, replace(case, view=way))
        assert found.problem is None, (way, found.problem)
    blind = {"strided": "contiguous-assumed", "columns": "columns-side-by-side",
             "offset": "from-the-start-of-memory"}  # fmt: skip
    for way, name in blind.items():
        if way == "columns" and draft.size.d == draft.size.d_v == 1:
            continue  # one column has no stride
        if way == "strided" and {draft.size.queries, *draft.size.lengths, draft.size.batch} == {1}:
            continue
        found = judge(replace(target, function=wrong[name]), replace(case, view=way))
        assert found.problem is not None, (way, draft.size)


def test_codes_may_be_views() -> None:
    def function(q: Any, K: Any, V: Any, *, key_scales: Any, value_scales: Any, **rest: Any) -> Any:
        K, V = (
            [A.astype(np.float32) * s for A, s in zip(slots, scales, strict=True)]
            for slots, scales in ((K, key_scales), (V, value_scales))
        )
        return kernel("attention", "float32")(q, K, V, **rest)

    report = check(function, flags=FLAGS, examples=1, quantised=Quantised("int8"), **FORM)
    assert report.ok, str(report)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float8_e4m3fn", "int8"])
def test_the_numbers_are_the_same(way: str, dtype: str) -> None:
    """In memory that holds NaN, or no number that is drawn, everywhere else."""
    array = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5) % 7
    if way == "expanded":
        array[:] = array[:1, :1]
    array = array.astype(np.dtype(dtype) if dtype == "int8" else as_format(dtype).dtype)
    views = {name: lay_out(name, array, way) for name in ("query", "keys[0]", "values[1]")}
    for view in views.values():
        assert (view.array == array).all()
        assert np.shares_memory(view.array, view.memory)
        assert len(view.memory) >= 2 * array.size
        others = view.memory.astype(np.float64)
        assert (np.isin(others, range(7)).sum()) == (20 if way == "expanded" else 120)
    strides = {name: view.strides for name, view in views.items()}
    assert (
        strides["query"]
        == {
            "strided": (4 * 5 * 6, 5 * 6, 6, 1),  # as if each axis were longer by one
            "transposed": (5, 2 * 5, 3 * 2 * 5, 1),
            "columns": (120, 40, 10, 2),
            "offset": (60, 20, 5, 1),
            "expanded": (0, 0, 5, 1),
        }[way]
    )
    if way == "strided":
        assert len(set(strides.values())) == 3
    assert views["query"].offset == (3 if way == "offset" else 0)
    assert lay_out("mask", array, way).strides == (60, 20, 5, 1)


def case_of(target: Target, flag: str, number: int = 0) -> Case:
    entry = as_entry(flag)
    return entry.build(Draft(target, entry.largest(target), 0, coarse=False))[number]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_tensors_of_pytorch_are_views(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    seen: list[Any] = []

    def function(q: Any, K: Any, V: Any, *, scale: float, mask: Any) -> Any:
        seen[:] = [q, *K, *V]
        q, k, v = (A.to(torch.float32) for A in (q, K[0], V[0]))
        logits = q @ k.transpose(2, 3) * scale
        return (torch.softmax(logits, -1) @ v).to(seen[0].dtype), torch.logsumexp(logits, -1)

    target = Target(function, dtype=dtype, accumulate="float32", order=1, arrays="torch")
    for flag in FLAGS:
        case = case_of(target, flag)
        assert judge(target, case).problem is None
        q, K, V = seen
        assert (q.is_contiguous(), q.storage_offset()) == (flag == "offset", 3 * (flag == "offset"))
        assert (K.stride(-1) == 2) == (flag == "columns-apart")
        assert (K.stride()[:2] == (0, 0)) == (flag == "expanded")
        assert (K.stride()[:3] != V.stride()[:3]) or flag == "expanded"


def test_what_is_not_served_is_not_run() -> None:
    target = Target(kernel("attention", "float32"), domain=Domain(views=("offset",)), **FORM)
    why = {flag: as_entry(flag).unless(target) for flag in FLAGS}
    assert why == {
        "strided": "strided arrays are not served",
        "columns-apart": "columns arrays are not served",
        "offset": "",
        "expanded": "expanded arrays are not served",
    }
    assert Domain(views="offset,strided").told() == {"views": "offset,strided"}
    assert Domain(views=VIEWS).told() == {}
    other = Target(print, arrays="numpy.ma", **FORM)
    assert as_entry("offset").unless(other) == "arrays of numpy.ma have no strides"
    with pytest.raises(InputError, match="views: expected one of strided, columns, offset, expand"):
        Domain(views="sliced")
    one = Target(print, domain=Domain(batch=1, heads=1), **FORM)
    assert run(one, flags=["expanded"], examples=0).not_run == (
        ("expanded", "there is one head, in a batch of one"),
    )


def test_the_failing_test_fails_and_passes_once_mended(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (wrong,) = (one for one in WRONG_VIEWS if one.name == "from-the-start-of-memory")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mine_views.py").write_text(wrong.source())
    function = __import__("mine_views").attention
    (failure,) = check(function, flags=[wrong.flag], **FORM).failures
    pasted: dict[str, Any] = {}
    exec(failure.reproducer, pasted)
    with pytest.raises(AssertionError, match="times the bound"):
        pasted["test_offset"]()
    pasted["attention"] = kernel("attention", "float32")
    pasted["test_offset"]()
