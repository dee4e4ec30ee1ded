"""Adapters of packages: what a call says is what the package is told.

Packages that are not here have stand-ins, whose masks and layouts are as their documentation says.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from kernels.packages import PACKAGES, Host
from kvfloor import Window
from kvfloor.conformance import NAMED, Domain, NamedTarget, Target, entries_for, find_named, run

FLAGS = ("drawn", "fewer-queries", "more-queries", "window", "empty-rows", "key-padding")
SMALL = {"tokens": "most=9", "batch": "most=2"}


def adapters() -> list[str]:
    """Modules of adapters that are imported."""
    machinery = (".known", ".named", ".reaches", ".visible", ".onnx")
    room = "kvfloor.conformance.targets."
    return [m for m in sys.modules if m.startswith(room) and not m.endswith(machinery)]


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Adapters are imported anew, and forgotten afterwards."""
    for name in adapters():
        monkeypatch.delitem(sys.modules, name)
    yield monkeypatch
    for name in adapters():
        del sys.modules[name]


def masks(named: NamedTarget) -> list[Any]:
    """One of each kind that is served, and windows whose sides differ."""
    left: Any = (3, 1) if named.windows == "causal" else 2
    right = 0 if named.windows == "causal" else 1
    window = Window(left, right, top_left=named.windows == "top-left")
    return [window if kind == "window" else kind for kind in named.masks]


@pytest.mark.parametrize("name", PACKAGES)
def test_an_adapter_says_what_its_package_is_documented_to_do(
    name: str, forgotten: pytest.MonkeyPatch
) -> None:
    if name == "onnxruntime:attention":
        pytest.importorskip("onnx")
    for module, content in PACKAGES[name].items():
        stand_in = ModuleType(module)
        vars(stand_in).update(content)
        forgotten.setitem(sys.modules, module, stand_in)
    named = find_named(name)
    assert named is not None
    forgotten.setattr("kvfloor.conformance.targets.named.metadata.version", lambda _: "1")
    here = replace(named, call={**named.call, "arrays": "numpy"}, cuda=False)
    tried = set()
    for mask in masks(here):
        d = here.domain.d if here.domain.d.listed else Domain(d="most=8").d
        dtype = next(iter(here.formats))
        target = here.target(mask=mask, dtype=dtype, domain=Domain(**SMALL, d=d))
        # the stand-ins compute in float32, and take arrays from the device alone
        target = Target(
            on_device(target.function) if named.cuda else target.function,
            dtype="float32", accumulate="float32", order=target.order, mask=target.mask,
            domain=replace(target.domain, formats=None), padded=sides(here), **here.call,
        )  # fmt: skip
        flags = [e.flag for e in entries_for(target) if e.flag in FLAGS]
        report = run(target, examples=0, flags=flags)
        assert report.ok, str(report)
        tried.add(target.kind)
    assert tried == set(here.masks)


def sides(named: NamedTarget) -> tuple[str, ...] | None:
    """Where keys may be padded."""
    return named.padded[:2] or None


def on_device(function: Any) -> Any:
    def called(q: Any, K: Any, V: Any, **options: Any) -> Any:
        q, *slots = (np.ascontiguousarray(A).view(Host) for A in (q, *K, *V))
        return function(q, tuple(slots[: len(K)]), tuple(slots[len(K) :]), **options)

    return called


@pytest.mark.parametrize("named", NAMED, ids=lambda named: named.name)
def test_packages_that_are_here(named: NamedTarget) -> None:
    if named.cuda:
        pytest.skip("it runs on a CUDA device alone")
    if None in (named.version, *(version_of(p) for p in named.needs)):
        pytest.skip(f"{named.package} is not installed")
    for mask in masks(named):
        if mask == "boolean" and named.name in UNIFORM:
            continue
        target = named.target(mask=mask, domain=Domain(**SMALL, d="most=8"), padded=sides(named))
        flags = [e.flag for e in entries_for(target) if e.flag in FLAGS]
        report = run(target, examples=0, flags=flags)
        assert report.ok, str(report)


UNIFORM = ("jax:dot-product-attention", "transformers:eager")  # rows that see nothing: a mean


def version_of(package: str) -> str | None:
    return NamedTarget("", package, "", formats={}).version
