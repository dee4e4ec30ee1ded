"""Reports: JSON, the smallest input, and the failing test, which is run."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kernels import correct
from kernels.wrong import WRONG
from kvfloor import InputError, Window
from kvfloor.conformance import Domain, Failure, NotRun, Report, Size, Target, check, run

factored: Any = correct.factored


def broken(name: str) -> tuple[Any, dict[str, Any], str]:
    (wrong,) = (wrong for wrong in WRONG if wrong.name == name)
    options = {"dtype": "float32", "accumulate": "float32"} | wrong.options
    return wrong, options, wrong.flag


@pytest.mark.parametrize(
    "name",
    [
        "keys-swapped",
        "scale-one-percent",
        "windows-swapped",
        "empty-is-nan",
        "running-sum-narrow",
        "scaled-in-place",
    ],
)
def test_the_failing_test_fails_and_passes_once_mended(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text is pasted into a module beside the wrong one, and beside the right one."""
    wrong, options, flag = broken(name)
    monkeypatch.syspath_prepend(tmp_path)
    module = f"mine_{name.replace('-', '_')}"
    (tmp_path / f"{module}.py").write_text(wrong.source())
    function = getattr(__import__(module), wrong.function)
    (failure,) = check(function, flags=[flag], **options).failures
    paste(failure.reproducer, wrong.function)
    sys.modules.pop(module)


def paste(reproducer: str, name: str) -> None:
    """Run the test twice: on what it was made for, and on the right one."""
    pasted: dict[str, Any] = {}
    exec(reproducer, pasted)
    (test,) = (value for key, value in pasted.items() if key.startswith("test_"))
    with pytest.raises(AssertionError):
        test()
    pasted[name] = getattr(correct, "factored" if name == "large" else name)
    test()


def large(q: Any, K: Any, V: Any, *, scale: float, mask: Any) -> Any:
    """Wrong for large inputs alone."""
    output, lse = factored(q, K, V, scale=scale, mask=mask)
    return output if q.size < 200 else output + 1, lse


def test_a_large_input_is_made_anew() -> None:
    options: dict[str, Any] = {"dtype": "float32", "accumulate": "float32"}
    (failure,) = check(large, flags=["drawn"], examples=0, **options).failures
    paste(failure.reproducer, "large")
    (failure,) = check(large, flags=["block-boundary"], examples=0, **options).failures
    assert ".build(draft)[0]" in failure.reproducer
    assert len(failure.reproducer) < 1000
    paste(failure.reproducer, "large")


def test_inputs_are_shrunk() -> None:
    wrong, options, flag = broken("v1-for-v2")
    (failure,) = check(wrong.build(), flags=[flag], **options).failures
    space: dict[str, Any] = {"factored": wrong.build()}
    text = failure.reproducer.replace("from wrong import factored", "")
    exec(text.replace("    assert judge", "    return case\n    assert judge"), space)
    case = space["test_distinct_slots"]()
    assert case.query.size == 1
    assert case.lengths == (1, 1)
    assert all(abs(A).max() <= 1 and (np.rint(A * 4) == A * 4).all() for A in case.values)


def test_without_examples_nothing_is_drawn_nor_made_smaller() -> None:
    wrong, options, flag = broken("v1-for-v2")
    report = check(wrong.build(), flags=[flag], examples=0, **options)
    assert (len(report.failures), report.cases) == (1, 1)
    assert report.visited["tokens"] == [12]


def test_json_has_these_keys_and_no_others() -> None:
    wrong, options, flag = broken("no-maximum")
    report = check(wrong.build(), flags=[flag, "equal-weights"], **options)
    document = json.loads(report.to_json())
    assert set(document) == {
        "ok", "answered", "cases", "elements", "worst", "failures", "not_run", "repeated",
        "visited", "power", "stored", "seconds",
    }  # fmt: skip
    assert set(document["worst"]) == {"ulps", "bound_ratio", "flag"}
    assert document["ok"] is False
    assert document["worst"] == {"ulps": None, "bound_ratio": None, "flag": "exp-overflow"}
    (failure,) = document["failures"]
    assert set(failure) == {"flag", "message", "reproducer"}
    assert failure["flag"] == "exp-overflow"


def test_the_report_as_text() -> None:
    failure = Failure("scale", "output[0] is wrong", "def test_scale(): ...\n")
    hidden = tuple(NotRun(flag, "the mask is none") for flag in ("window", "causal"))
    not_run = (hidden[0], NotRun("stages", "no stages are returned"), hidden[1])
    sizes = frozenset({Size(1, 2, 3, 4, (5,), 6, 7), Size(1, 2, 1, 4, (15, 8), 6, 7)})
    text = str(Report(7, 70, 3, 1.5, 2.5, "scale", (failure,), not_run, sizes, 0.25))
    assert text == (
        "scale: output[0] is wrong\n"
        "fails 1 entries: 7 cases, 70 numbers, worst 1.5 ulps and 2.5 of its bound (scale), 0.2 s\n"
        "3 numbers have no bound: the arithmetic is too narrow, or may overflow\n"
        "\n"
        "def test_scale(): ...\n"
        "\n"
        "not run, 3 entries:\n"
        "  the mask is none: window, causal\n"
        "  no stages are returned: stages\n"
        "visited:\n"
        "  batch       1  1\n"
        "  heads       2  2/2 6/2\n"
        "  queries     1  4\n"
        "  tokens      3  5 8 15\n"
        "  d           1  6\n"
        "  d_v         1  7"
    )
    passed = Report(7, 70, 0, 1.5, 0.5, "scale", (), (), sizes, 0.25)
    assert str(passed).startswith("passes: 7 cases")


def test_a_run_counts_what_it_did() -> None:
    target = Target(correct.factored, dtype="float32", accumulate="float32")
    report = run(target, flags=["drawn"], examples=0)
    assert report.cases == 1
    assert report.elements == 2 * 2 * 7 * (6 + 1)  # outputs and log-sum-exps of one large case


def test_a_run_says_how_far_it_is() -> None:
    """Entries, and within them the cases, what the oracle settles, and what is drawn."""
    target = Target(correct.factored, dtype="float32", accumulate="float32")
    for examples in (0, 4):
        told: list[tuple[float, int]] = []
        run(
            target,
            flags=["large-logits", "drawn", "single-token"],
            examples=examples,
            progress=lambda *far, told=told: told.append(far),
        )
        shares = [done for done, _ in told]
        assert {entries for _, entries in told} == {3}
        assert (shares[0], shares[-1]) == (0, 3)
        assert shares == sorted(shares)
        assert {0, 0.25, 1, 2, 3} <= set(shares)  # the second of two cases at full size
        assert any(0 < share < 0.25 for share in shares)
        assert any(0.5 < share < 1 for share in shares) == bool(examples)


def test_what_returns_other_numbers_each_time_is_reported_and_does_not_end_the_run() -> None:
    rng = np.random.default_rng(0)

    def unsteady(q: Any, K: Any, V: Any, *, scale: float, mask: Any) -> Any:
        output, lse = factored(q, K, V, scale=scale, mask=mask)
        return output * np.float32(1 + (rng.random() < 0.3)), lse

    report = check(unsteady, dtype="float32", accumulate="float32", flags=["drawn", "repeat"])
    assert "repeat" in {failure.flag for failure in report.failures}


def test_a_run_without_a_bound_says_nothing() -> None:
    options: dict[str, Any] = {"dtype": "float32", "accumulate": "float32", "scale": 1e300}
    report = check(factored, examples=0, flags=["drawn", "scale"], **options)
    assert report.unbounded == report.elements > 0
    assert not report.failures
    assert not report.ok
    assert str(report).startswith("says nothing: 2 cases")


class Instance:
    """A callable without a name of its own."""

    def __call__(self, q: Any, K: Any, V: Any, *, scale: float, mask: Any) -> Any:
        output, lse = factored(q, K, V, scale=scale, mask=mask)
        return output + 1, lse

    method = __call__


instance = Instance()


def lines(function: Any, source: str | None = None) -> str:
    options: dict[str, Any] = {"dtype": "float32", "accumulate": "float32", "source": source}
    (failure,) = check(function, flags=["drawn"], examples=0, **options).failures
    return failure.reproducer


@pytest.mark.parametrize(
    "function",
    [instance, partial(instance), lambda *a, **k: tuple(instance(*a, **k)), instance.method],
)
def test_what_has_no_name_is_imported_by_the_one_it_was_loaded_by(function: Any) -> None:
    assert "# from MODULE import NAME as function" in lines(function)
    assert "Target(function, " in lines(function)
    pasted: dict[str, Any] = {}
    exec(lines(function, f"{__name__}:instance"), pasted)
    with pytest.raises(AssertionError, match="times the bound"):
        pasted["test_drawn"]()


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"block": 2**16}, "long-slot: a case has at most 32768 tokens, and no second block of"),
        (
            {"block": (4, 161)},
            "long-slot: a case has at most 161 tokens, and no second block of 161",
        ),
        ({"mask": Window(511, 0)}, "wide-window: a case has at most 161 tokens, and the windows"),
    ],
)
def test_what_no_case_is_large_enough_for_is_not_run(
    declared: dict[str, Any], message: str
) -> None:
    square = Domain(queries=None if "block" in declared and message.find("161") < 0 else "same")
    options: dict[str, Any] = {"dtype": "float32", "accumulate": "float32", "domain": square}
    target = Target(echo, **(options | declared))
    report = run(target, examples=0)
    assert message in [f"{flag}: {reason}"[: len(message)] for flag, reason in report.not_run]
    flag = message.partition(":")[0]
    assert flag not in {failure.flag for failure in report.failures}
    with pytest.raises(InputError, match="flags: expected entries that apply"):
        run(target, flags=[flag])


def echo(*_: Any, **__: Any) -> None:
    """No answer, at once."""
