"""Right implementations pass in every format, with room, whatever the seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kernels import correct
from kernels.wrong import SOURCE
from kvfloor import Window
from kvfloor.conformance import Target, as_entry, check, entries_for
from kvfloor.numbers import as_format
from seeds import LAST_SEED, shared_out

# inputs, arithmetic
FORMATS = (
    ("float64", "float64"),
    ("float32", "float32"),
    ("float16", "float32"),
    ("bfloat16", "float32"),
    ("float8_e4m3fn", "float32"),
    ("float8_e5m2", "float32"),
    ("float16", "float16"),
)
IMPLEMENTATIONS = ("materialised", "factored", "online")
TIED = ("float8_e4m3fn", "float8_e5m2")
# What takes long is run once, below.
LARGE = {"long-context", "heads", "grouped-heads"}


def quick(**declared: Any) -> list[str]:
    """The entries that apply, but for those that take long."""
    target = Target(print, **declared)
    return [entry.flag for entry in entries_for(target) if entry.flag not in LARGE]


def implementation(name: str, accumulate: str) -> Callable[..., Any]:
    """An implementation of `correct` that computes in a format."""
    module: dict[str, Any] = {"__name__": "correct"}
    exec(SOURCE, module)
    module["ACCUMULATE"] = as_format(accumulate).dtype.type
    function: Callable[..., Any] = module[name]
    return function


def declared(name: str, accumulate: str, **options: Any) -> dict[str, Any]:
    block = correct.BLOCK if name == "online" else None
    return {"accumulate": accumulate, "block": block, "grouped": True} | options


@pytest.mark.parametrize(
    ("name", "case"),
    shared_out(
        ((*form, *more) for more in ((1, None), (2, "boolean")) for form in FORMATS),
        IMPLEMENTATIONS,
    ),
)
def test_right_ones_pass_with_room(name: str, case: tuple[str, str, int, str | None]) -> None:
    dtype, accumulate, order, mask = case
    function = implementation(name, accumulate)
    options = declared(name, accumulate, order=order, mask=mask)
    flags = quick(dtype=dtype, **options)
    report = check(function, dtype=dtype, examples=0, flags=flags, **options)
    assert report.ok, str(report)
    assert report.elements > 10_000
    assert 0.001 < report.worst_ratio < 1
    if accumulate == "float16":
        return
    if dtype in TIED and order == 2:
        # keys of few bits tie at the top, and what float32 makes of such logits may be anything
        low = check(function, dtype=dtype, examples=0, flags=["low-logits"], **options)
        assert low.unbounded == report.unbounded < low.elements / 2
    else:
        assert report.unbounded == 0


@pytest.mark.parametrize(
    ("name", "mask"),
    shared_out(
        ("causal", "causal-top-left", Window((2, 4), 0), Window(3, (1, 2), top_left=True)),
        IMPLEMENTATIONS,
    ),
)
def test_right_ones_pass_with_masks_of_their_own(name: str, mask: Any) -> None:
    options = declared(name, "float32", mask=mask)
    flags = quick(dtype="bfloat16", **options)
    function = implementation(name, "float32")
    report = check(function, dtype="bfloat16", examples=0, flags=flags, **options)
    assert report.ok, str(report)


def test_large_ones_in_one_pass_over_blocks() -> None:
    """The maximum moves thousands of times."""
    function, options = implementation("online", "float32"), declared("online", "float32", order=1)
    report = check(function, dtype="float32", flags=sorted(LARGE), **options)
    assert report.ok, str(report)
    assert max(report.visited["tokens"]) == 2**15


# Edits of `correct.py` that are right, too: (old, new).
OTHERWISE = (
    ("(output / total[..., None])", "(output * (ACCUMULATE(1) / total[..., None]))"),
    ("np.exp(logits - top[..., None])",
     "np.exp2(logits * ACCUMULATE(1.4426950408889634) - "
     "(top * ACCUMULATE(1.4426950408889634))[..., None])"),
    ("output = weights @ values",
     "output = np.add.reduce(weights[..., None] * values[:, :, None], axis=-2)"),
    ("total = weights.sum(axis=-1)", "total = np.cumsum(weights, axis=-1)[..., -1]"),
    ("logits = (q @ keys.swapaxes(2, 3)) * ACCUMULATE(scale)",
     "logits = (q * ACCUMULATE(scale)) @ keys.swapaxes(2, 3)"),
)  # fmt: skip


def other(*edits: int) -> Callable[..., Any]:
    """`materialised`, in other right ways."""
    source = SOURCE
    for edit in edits:
        old, new = OTHERWISE[edit]
        start = source.index("def finish") if edit == 0 else source.index("def materialised")
        assert old in source[start:]
        source = source[:start] + source[start:].replace(old, new, 1)
    module: dict[str, Any] = {"__name__": "other"}
    exec(source, module)
    function: Callable[..., Any] = module["materialised"]
    return function


def test_what_is_right_in_other_ways_passes() -> None:
    """In all of them at once; in each alone it is among those of the seeds."""
    options = declared("materialised", "float32", mask="causal")
    flags = quick(dtype="float32", **options)
    function = other(*range(len(OTHERWISE)))
    report = check(function, dtype="float32", examples=0, flags=flags, **options)
    assert report.ok, str(report)


FUNCTIONS = {name: implementation(name, "float32") for name in IMPLEMENTATIONS} | {
    f"other-{edit}": other(edit) for edit in range(len(OTHERWISE))
}
SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, LAST_SEED))]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_false_alarm(seed: int) -> None:
    """Each seed another function, format and mask."""
    name = sorted(FUNCTIONS)[seed % len(FUNCTIONS)]
    mask = (None, "boolean", "causal", Window(3, 2))[seed // len(FUNCTIONS) % 4]
    dtype = ("float32", "bfloat16", "float16")[seed % 3]
    options = declared(name, "float32", mask=mask, order=1 + seed % 2)
    flags = quick(dtype=dtype, **options)
    report = check(FUNCTIONS[name], dtype=dtype, examples=1, seed=seed, flags=flags, **options)
    assert report.ok, str(report)


@pytest.mark.parametrize(
    "mask", ["boolean", "causal", "causal-top-left", Window((2, 4), 0, top_left=True)]
)
def test_poison_is_not_read_by_one_that_skips_it(mask: Any) -> None:
    options: dict[str, Any] = {"accumulate": "float32", "skips": True, "mask": mask}
    report = check(implementation("skipping", "float32"), dtype="bfloat16", flags=["poison"],
                   examples=3, **options)  # fmt: skip
    assert not report.failures
    assert [reason for _, reason in report.not_run] == (
        ["every token is seen by some query"] if mask == "causal" else []
    )


def test_poison_is_not_there_for_one_that_may_read_it() -> None:
    reads = Target(print, dtype="float32", accumulate="float32", order=1, mask="boolean")
    assert as_entry("poison").unless(reads).startswith("what no query sees may be read")


@pytest.mark.parametrize("layout", ["bnhd", "hnd", "nd", "dnhb"])
def test_every_layout(layout: str) -> None:
    """The function undoes the layout, so that a wrong one would be seen."""
    inner = implementation("factored", "float32")
    axes = [layout.index(a) for a in "bhnd" if a in layout]
    missing = tuple(k for k, a in enumerate("bhnd") if a not in layout)
    back = [[a for a in "bhnd" if a in layout].index(a) for a in layout]

    def function(q: Any, K: Any, V: Any, *, scale: float, mask: Any) -> Any:
        def canonical(A: Any) -> Any:
            return np.expand_dims(A.transpose(axes), missing)

        output, lse = inner(canonical(q), [*map(canonical, K)], [*map(canonical, V)],
                            scale=scale, mask=mask)  # fmt: skip
        rows = [a for a in layout if a != "d"]
        present = [a for a in "bhn" if a in layout]
        return (
            output.squeeze(missing).transpose(back),
            lse.squeeze(missing).transpose([present.index(a) for a in rows]),
        )

    options: dict[str, Any] = {"dtype": "float32", "accumulate": "float32", "layout": layout}
    report = check(function, flags=quick(**options), examples=1, **options)
    assert report.ok, str(report)
    assert not check(inner, flags=["drawn"], **options).ok


def test_order_three_and_a_number_for_a_scale() -> None:
    def three(q: Any, K: Any, V: Any, *, scale: float, mask: Any) -> Any:
        logits = np.einsum("bhid,bhjd,bhkd,bhld->bhijkl", q, *K, optimize=True) * scale
        logits = logits.reshape(*q.shape[:3], -1)
        top = logits.max(axis=-1)
        weights = np.exp(logits - top[..., None])
        total = weights.sum(axis=-1)
        table = weights.reshape(*q.shape[:3], *(A.shape[2] for A in V))
        output = np.einsum("bhijkl,bhjd,bhkd,bhld->bhid", table, *V, optimize=True)
        return output / total[..., None], top + np.log(total)

    options: dict[str, Any] = {"dtype": "float64", "accumulate": "float64", "order": 3}
    flags = quick(scale=0.3, **options)
    assert check(three, scale=0.3, flags=flags, examples=0, **options).ok
    assert not check(lambda *a, scale, mask: three(*a, scale=0.31, mask=mask), scale=0.3,
                     flags=["drawn"], **options).ok  # fmt: skip


def test_the_same_seed_gives_the_same_report() -> None:
    function = implementation("factored", "float32")
    reports = [
        check(function, dtype="float16", accumulate="float32", flags=["drawn", "scale"], seed=seed)
        for seed in (3, 3, 4)
    ]
    first, same, other = (report.to_dict() | {"seconds": 0} for report in reports)
    assert first == same != other
