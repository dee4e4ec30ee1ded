"""Named targets: found if they are installed, refined, refused in one line."""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kvfloor.conformance.targets as room
from kernels import correct
from kvfloor import InputError, Window
from kvfloor.conformance import NAMED, Domain, NamedTarget, find_named, named_target, run
from kvfloor.conformance.counts import Counts
from kvfloor.conformance.targets import Arithmetic, known

FOLDER = Path(room.__file__).parent
MACHINERY = ("__init__", "known", "named", "reaches", "visible")
MINE = NamedTarget(
    "mine:factored",
    "numpy",
    "mine:factored",
    formats={"float32": Arithmetic("float32"), "bfloat16": Arithmetic("float32", "bfloat16")},
    masks=("causal", "none", "window"),
    orders=(2, 1),
    domain=Domain(d="multiple=8,most=64", queries="fewer", heads=(2, 4)),
    scales=False,
    windows="bottom-right",
    call={"layout": "bhnd", "grouped": True},
)


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> NamedTarget:
    module: Any = ModuleType("kvfloor.conformance.targets.mine")
    module.factored = correct.factored
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(room, "mine", module, raising=False)
    return MINE


def test_defaults_are_the_first_of_what_is_served(mine: NamedTarget) -> None:
    target = mine.target()
    declared = (target.inputs.name, target.arithmetic.name, target.stored.name)
    assert declared == ("float32", "float32", "float32")
    assert (target.order, target.mask, target.grouped) == (2, "causal", True)
    assert target.domain.masks == mine.masks
    assert str(target.domain.orders) == "1,2"
    assert target.domain.formats == ("float32", "bfloat16")


def test_a_format_brings_its_arithmetic(mine: NamedTarget) -> None:
    narrow = mine.target(dtype="bfloat16")
    assert (narrow.arithmetic.name, narrow.stored.name) == ("float32", "bfloat16")
    other = mine.target(dtype="bfloat16", accumulate="float64")
    assert (other.arithmetic.name, other.stored.name) == ("float64", "float64")
    assert mine.target(dtype="bfloat16", weights="float16").stored.name == "float16"


def test_a_part_of_its_domain(mine: NamedTarget) -> None:
    told = Domain(d="multiple=3,most=100", tokens="most=5", queries="same", heads="least=3")
    domain = mine.target(domain=told).domain
    assert domain.d == Counts((), 24, 24, 48)
    assert (str(domain.tokens), domain.queries, str(domain.heads)) == ("most=5", "same", "4")
    assert mine.target().domain.queries == "fewer"


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"dtype": "float64"}, "dtype: expected one of float32, bfloat16, got float64"),
        ({"mask": "boolean"}, "mask: expected one of the domain: causal, none, window, got"),
        ({"mask": Window(1, 0, top_left=True)}, "mask: expected a bottom-right window, as mine:"),
        ({"order": 3}, "order: expected one of the domain: 1,2, got 3"),
        ({"scale": 2.0}, "scale: expected 1/sqrt(d), as mine:factored takes no other, got 2.0"),
        ({"layout": "bnhd"}, "layout: expected none, as mine:factored is called in one way, got"),
        ({"returns": ("output",)}, "returns: expected none, as mine:factored is called in one"),
        ({"arrays": "torch"}, "arrays: expected none, as mine:factored is called in one way"),
        ({"softcap": 30}, "softcap: expected none, as mine:factored is called in one way, got 30"),
        ({"bias": "alibi"}, "bias: expected none, as mine:factored is called in one way"),
        ({"logsumexp_base": 2}, "logsumexp_base: expected none, as mine:factored is called in"),
        ({"grouped": False}, "grouped: expected none, as mine:factored is called in one way"),
        (
            {"domain": Domain(d=65)},
            "d: expected a part of what mine:factored serves, multiple=8,least=8,most=64, got 65",
        ),
        ({"domain": Domain(queries=4)}, "queries: expected a part of what mine:factored serves, f"),
    ],
)
def test_what_it_does_not_serve_is_one_error(
    mine: NamedTarget, declared: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as raised:
        mine.target(**declared)
    assert str(raised.value).startswith(message)


def test_a_scale_that_is_the_only_one_may_be_said(mine: NamedTarget) -> None:
    assert mine.target(scale="1/sqrt(d)").scale == "1/sqrt(d)"
    assert replace(mine, scales=True).target(scale=2).scale == 2.0


@pytest.mark.parametrize("named", NAMED, ids=lambda named: named.name)
def test_a_package_that_is_absent(named: NamedTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr("kvfloor.conformance.targets.named.metadata.version", absent)
    assert named.version is None
    with pytest.raises(InputError) as raised:
        named.target()
    packages = (named.package, *named.needs)
    assert str(raised.value) == (
        f"{named.name}: expected {' and '.join(packages)} installed "
        f"(pip install {' '.join(packages)}), got none"
    )


def test_another_package_that_it_needs(mine: NamedTarget) -> None:
    with pytest.raises(InputError, match="expected no-such-package installed"):
        replace(mine, needs=("numpy", "no-such-package")).target()


def test_a_package_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kvfloor.conformance.targets.named.metadata.version", lambda _: "1")
    monkeypatch.setitem(sys.modules, "flash_attn", None)
    with pytest.raises(InputError) as raised:
        named_target("flash-attn")
    assert str(raised.value).startswith(
        "flash-attn: expected a package flash-attn that can be imported, got "
    )


def test_a_device_that_is_absent(mine: NamedTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    torch: Any = ModuleType("torch")
    monkeypatch.setitem(sys.modules, "torch", torch)
    for available in (False, True):
        torch.cuda = type("Cuda", (), {"is_available": staticmethod(lambda a=available: a)})
        if available:
            assert replace(mine, cuda=True).target().order == 2
            continue
        with pytest.raises(InputError, match="mine:factored: expected a CUDA device"):
            replace(mine, cuda=True).target()


def test_names() -> None:
    assert len({named.name for named in NAMED}) == len(NAMED)
    assert find_named("no:such") is None
    with pytest.raises(
        InputError, match=r"name: expected one of torch:sdpa.*did you mean onnx:ref"
    ):
        named_target("onnx:referense")
    assert find_named("onnx:reference").version == version("onnx")  # type: ignore[union-attr]


def test_every_adapter_is_there_and_has_a_name() -> None:
    """Read, not imported: most packages are not here."""
    defined = set()
    for path in FOLDER.glob("*.py"):
        names = {n.name for n in ast.parse(path.read_text()).body if isinstance(n, ast.FunctionDef)}
        defined |= {f"{path.stem}:{name}" for name in names if not name.startswith("_")}
    adapters = {named.adapter for named in NAMED}
    assert adapters == {name for name in defined if name.partition(":")[0] not in MACHINERY}


def test_the_page_adds_one_and_has_a_row_for_each() -> None:
    """The row it shows is one; its table has what runs without a device, in what it serves."""
    page = (Path(__file__).parents[3] / "docs" / "conformance.md").read_text()
    adapter, row = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[-2:]
    named = eval(row, dict(vars(known)))
    with pytest.raises(InputError, match=r"package:attention: expected package installed"):
        named.target()
    package: dict[str, Any] = {}
    exec(adapter, package)
    package["package"] = SimpleNamespace(attention=lambda q, K, V, **options: (q, K, V, options))
    called = package["attention"]("q", ("K",), ("V",), scale=2, mask="causal")
    assert called == ("q", "K", "V", {"scale": 2, "causal": True})
    head = "| target | package | float32 | float64 | bfloat16 | float16 |"
    lines = page.partition(head)[2].partition("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert [cells[0] for cells in rows] == [f"`{n.name}`" for n in NAMED if not n.cuda]
    for name, _, *cells in rows:
        found = find_named(name.strip("`"))
        assert found is not None
        formats = ("float32", "float64", "bfloat16", "float16")
        assert [bool(cell) for cell in cells[:4]] == [form in found.formats for form in formats]


def test_a_wrong_evaluator_of_onnx_fails_by_a_test_to_paste(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("onnx")
    from kvfloor.conformance.targets import onnx  # noqa: PLC0415

    domain = Domain(tokens="most=9", batch=1)
    target = named_target("onnx:reference", scale=0.3, domain=domain)
    assert run(target, examples=0, flags=["scale"]).ok
    # its scale is a float32, so in float64 it is right for 1/sqrt(d) alone
    wide = named_target("onnx:reference", dtype="float64", domain=domain)
    assert run(wide, examples=0, flags=["scale"]).ok
    assert not run(replace(wide, scale=0.3), examples=0, flags=["scale"]).ok
    right = onnx.Call.of

    def wrong(given: Any, *, scale: float, **told: Any) -> Any:
        return right(given, scale=scale * 1.01, **told)

    monkeypatch.setattr(onnx.Call, "of", wrong)
    report = run(target, examples=0, flags=["scale"])
    assert not report.ok
    assert "from kvfloor.conformance.targets.onnx import reference" in str(report)


counted = st.one_of(
    st.sets(st.integers(1, 40), min_size=1).map(lambda s: Counts(tuple(sorted(s)))),
    st.builds(
        lambda m, first, more: Counts((), m, m * first, None if more is None else m * more),
        st.integers(1, 9), st.integers(1, 3), st.none() | st.integers(4, 9),
    ),
)  # fmt: skip


@given(counted, counted)
def test_counts_in_common_by_their_definition(one: Counts, other: Counts) -> None:
    both = [k for k in range(1, 100) if k in one and k in other]
    found = one.common(other)
    assert both == ([] if found is None else [k for k in range(1, 100) if k in found])
