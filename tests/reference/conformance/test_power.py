"""Power: a fault above it fails, one below it passes, in a kernel without any other error."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from math import exp, inf, log
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kernels import correct, merging
from kernels.wrong import WRONG
from kvfloor import tensor_attention_rounded
from kvfloor.conformance import Case, Joined, Power, Report, Target, check, check_merge, judge
from kvfloor.conformance.power import least_power
from kvfloor.conformance.tolerances import find_tolerances
from kvfloor.conformance.truth import Truth, find_truth
from kvfloor.numbers import Array, as_format

PAGE = (Path(__file__).parents[3] / "docs" / "conformance.md").read_text()
SINGLE: dict[str, Any] = {"dtype": "float32", "accumulate": "float32"}
# Bounds of hundreds of ulps, so that what float32 rounds is nothing beside them.
WIDE: dict[str, Any] = {**SINGLE, "exp_ulps": 64}
FLAGS = ("drawn", "distinct-slots", "single-token", "dominant-weight", "equal-weights")


def exact(q: Array, K: Any, V: Any, *, scale: float, mask: Any) -> tuple[Array, Array]:
    """Attention without an error, rounded once to float64."""
    return tensor_attention_rounded(
        q, K, V, dtype="float64", scale=scale, mask=mask, return_logsumexp=True
    )


def sums(q: Array, K: Any, lse: Array, scale: float) -> Array:
    """The sums of weights, where the largest logit is subtracted; nothing is masked."""
    products = K[0].astype(np.float64)
    for K_r in K[1:]:
        products = (products[:, :, :, None] * K_r[:, :, None]).reshape(*q.shape[:2], -1, q.shape[3])
    logits = q.astype(np.float64) @ products.swapaxes(2, 3) * scale
    return np.asarray(np.exp(lse - logits.max(axis=3)))


def faulty(fault: str, size: float, of: Any = exact) -> Any:
    """A kernel with one fault."""

    def kernel(q: Array, K: Any, V: Any, *, scale: float, mask: Any) -> tuple[Array, Array]:
        output, lse = (A.astype(np.float64) for A in of(q, K, V, scale=scale, mask=mask))
        if fault == "scale":
            output = output * (1 + size)
        elif fault == "bias":
            output = output + size
        else:
            total = sums(q, K, lse, scale)[..., None]
            output = output * total / (total + size)
        return output.astype(np.float32), lse.astype(np.float32)

    return kernel


def fails(kernel: Any, flag: str, options: dict[str, Any]) -> bool:
    return bool(check(kernel, flags=[flag], examples=0, **options).failures)


@pytest.mark.parametrize("flag", FLAGS)
def test_a_little_more_fails_and_a_little_less_passes(flag: str) -> None:
    for order in (1, 2):
        options = WIDE | {"order": order}
        if order == 1 and flag == "distinct-slots":
            continue
        report = check(faulty("scale", 0.0), flags=[flag], examples=0, power=True, **options)
        power = report.powers[flag]
        assert report.ok or flag == "single-token"  # which has one tuple alone
        for fault in ("scale", "bias", "denominator"):
            least = getattr(power, fault)
            assert fails(faulty(fault, 1.02 * least), flag, options), (fault, order)
            assert not fails(faulty(fault, 0.98 * least), flag, options), (fault, order)
        for fault in ("scale", "bias"):  # to the other side
            assert fails(faulty(fault, -1.02 * getattr(power, fault)), flag, options)
            assert not fails(faulty(fault, -0.98 * getattr(power, fault)), flag, options)


@pytest.mark.parametrize("flag", FLAGS)
def test_twice_as_much_fails_in_whatever_is_right(flag: str) -> None:
    power = check(correct.factored, flags=[flag], examples=0, power=True, **SINGLE).powers[flag]
    for fault, size in (
        ("scale", 2 * power.scale / (1 - power.scale)),
        ("bias", 2 * power.bias),
        ("denominator", 2 * power.denominator),
    ):
        # what is rounded to float32 once more may hide half an ulp, of bounds of ten
        assert fails(faulty(fault, 1.1 * size, correct.factored), flag, SINGLE), fault


def drawn(order: int = 2, **changes: Any) -> Case:
    """A case of weights from one to a millionth; the first values are the largest."""
    rng = np.random.default_rng(order)
    lengths = (9, 5, 3)[:order]
    q, *rest = (
        rng.normal(size=(1, 1, *shape)).astype(np.float32)
        for shape in ((3, 4), *((n, 4) for n in lengths), *((n, 2) for n in lengths))
    )
    case = Case(q * np.float32(4), tuple(rest[:order]), tuple(rest[order:]), 1.0, None)
    return replace(case, **changes)


def declared(case: Case, **more: Any) -> Target:
    sink = case.terms.sink is not None
    return Target(exact, order=len(case.keys), sink=sink, mask="boolean", **WIDE | more)


def right_of(case: Case) -> Truth:
    form = as_format("float32")
    return find_truth(case, output=form, logsumexp=form)


def power_of(case: Case, **more: Any) -> tuple[Power, Array]:
    """The power of a case, and the bounds of its outputs."""
    target, form = declared(case, **more), as_format("float32")
    given = right_of(case)

    def kernel(*_: Any, **__: Any) -> tuple[Array, Array]:
        lse = given.logsumexp / (1 if target.logsumexp_base == "e" else log(2))
        return given.output.astype(np.float32), lse.astype(np.float32)

    found = judge(replace(target, function=kernel), case, power=True)
    assert found.problem is None
    assert found.power is not None
    truth = find_truth(case, output=form, logsumexp=form, base=target.logsumexp_base)
    return found.power, find_tolerances(target, case, truth, output=form, logsumexp=form).output


def without(case: Case, slot: int, token: int) -> Truth:
    """What is right without a token."""
    shape = (case.query.shape[2], *case.lengths)
    kept = np.ones(shape, np.bool_) if case.kept is None else case.kept[0, 0].copy()
    kept[(slice(None),) * (slot + 1) + (token,)] = False
    return right_of(replace(case, mask=kept))


SINK = Joined(sink=np.array([0.5], np.float32))
ROWS = np.ones((3, 9, 5), np.bool_)
ROWS[0, 3], ROWS[1, :, 2], ROWS[2] = False, False, False


@pytest.mark.parametrize(
    "case",
    [drawn(1), drawn(2), drawn(3), drawn(2, terms=SINK), drawn(2, mask=ROWS)],
    ids=["one slot", "two", "three", "sink", "mask"],
)
def test_the_lightest_token_that_is_missed(case: Case) -> None:
    """Each token is left out, and the right outputs with it and without it are compared."""
    power, bounds = power_of(case)
    truth = right_of(case)
    lightest = inf
    for slot, n in enumerate(case.lengths):
        for token in range(n):
            rest = without(case, slot, token)
            off = (np.abs(rest.fine_output - truth.fine_output) > bounds).any(axis=3)
            missed = off & ~truth.empty & ~rest.empty
            left = np.exp(rest.fine_logsumexp[missed] - truth.fine_logsumexp[missed])
            lightest = min([lightest, *(1 - left)])
    assert power.dropped == pytest.approx(lightest, rel=1e-6)
    assert lightest < 0.01
    again, _ = power_of(case, logsumexp_base=2)
    assert again == pytest.approx(power, rel=1e-5)


def test_by_hand() -> None:
    """Three equal logits, values 2, 3 and 4: an output of 3, a sum of 3, and weights of 1/3."""
    keys = np.ones((1, 1, 3, 1), np.float32)
    values = np.array([2, 3, 4], np.float32).reshape(1, 1, 3, 1)
    case = Case(np.ones((1, 1, 1, 1), np.float32), (keys,), (values,), 1.0, None)
    power, bounds = power_of(case)
    B = bounds.item()
    expected = Power(B / 3, B, 3 * B / (3 - B), 1 / 3)
    assert power == pytest.approx(expected, rel=1e-9)
    sink = replace(case, terms=Joined(sink=np.array([2], np.float32)))
    power, bounds = power_of(sink)
    B, total = bounds.item(), 1 + 3 * exp(-1)  # the sink has the largest logit
    out = 9 * exp(-1) / total
    token = exp(-1) / total
    expected = Power(B / out, B, total * B / (out - B), token)
    assert power == pytest.approx(expected, rel=1e-7)


def test_what_no_query_sees_is_in_no_sum() -> None:
    """The same with a fourth key, of a logit of 9, that is hidden."""
    keys = np.array([1, 1, 1, 9], np.float32).reshape(1, 1, 4, 1)
    values = np.array([2, 3, 4, 900], np.float32).reshape(1, 1, 4, 1)
    mask = np.array([[True, True, True, False]])
    case = Case(np.ones((1, 1, 1, 1), np.float32), (keys,), (values,), 1.0, mask)
    power, bounds = power_of(case)
    B = bounds.item()
    assert power == pytest.approx(Power(B / 3, B, 3 * B / (3 - B), 1 / 3), rel=1e-9)


def test_what_is_left_without_a_heavy_token_weighs_one() -> None:
    """Of nine tenths and one tenth, values 3 and 3 + g, the first moves 0.9·g, the other 0.1·g."""
    keys = np.array([log(9), 0], np.float32).reshape(1, 1, 2, 1)
    values = np.full((1, 1, 2, 1), 3, np.float32)
    case = Case(np.ones((1, 1, 1, 1), np.float32), (keys,), (values,), 1.0, None)
    gap = np.float32(3 * power_of(case)[0].bias)  # of bounds, which hardly depend on it
    values[0, 0, 1] += gap
    power, bounds = power_of(case)
    assert 0.1 * gap < 0.9 * bounds.item() < 1.1 * bounds.item() < 0.9 * gap
    assert power.dropped == pytest.approx(0.9, rel=1e-6)


def test_values_that_are_alike_miss_no_token() -> None:
    case = drawn(1)
    alike = replace(case, values=(np.full_like(case.values[0], 3),))
    assert power_of(alike)[0].dropped == inf


def test_what_has_no_bound_has_no_power() -> None:
    case = drawn(1)
    assert power_of(replace(case, scale=1e300))[0] == Power()
    assert least_power([]) == Power()


def test_a_millionth_in_the_denominator_fails() -> None:
    """It is above the power of entries for one heavy token, at every order and in every kernel."""
    for flag in ("single-token", "low-logits"):
        report = check(correct.factored, flags=[flag], examples=0, power=True, **SINGLE)
        assert report.powers[flag].denominator < 1e-6
    wrong = [one for one in WRONG if one.name.startswith("quotient-by-sum-plus-1e-6")]
    assert len(wrong) == 2
    for one in wrong:
        block = correct.BLOCK if one.function == "online" else None
        assert fails(one.build(), "single-token", SINGLE | {"block": block})


def test_merges_have_power_too() -> None:
    report = check_merge(merging.at_once, flags=["dominant-part"], examples=0, power=True, **SINGLE)
    power = report.powers["dominant-part"]
    assert 1e-8 < power.scale < 1e-6
    assert power.denominator < 1.01e-6


def test_cases_that_are_drawn_do_not_count() -> None:
    one, many = (
        check(correct.factored, flags=["drawn"], examples=n, power=True, **SINGLE) for n in (0, 5)
    )
    assert one.powers == many.powers
    assert many.cases > one.cases
    assert check(correct.factored, flags=["drawn"], examples=0, **SINGLE).powers == {}


def test_reports_have_a_row_for_each_entry() -> None:
    powers = {"scale": Power(1e-6, 0.25, inf, 0.5), "drawn": Power(2e-6, 0.125, 3e-6, inf)}
    report = Report(1, 1, 0, 0.0, 0.0, "", (), (), frozenset(), 0.0, powers=powers)
    assert str(report).splitlines()[-5:] == [
        "power, the smallest faults that fail:",
        "               scale         bias  denominator      dropped",
        "  scale        1e-06         0.25            -          0.5",
        "  drawn        2e-06         0.12        3e-06            -",
        "  least        1e-06         0.12        3e-06          0.5",
    ]
    assert json.loads(report.to_json())["power"]["scale"] == {
        "scale": 1e-6, "bias": 0.25, "denominator": None, "dropped": 0.5
    }  # fmt: skip


def test_the_page_shows_what_comes() -> None:
    """Rows of the adapter in docs/conformance.md, which computes as `materialised` does."""
    (table,) = re.findall(r"```console\n\$ kvfloor conform .* --power\n(.*?)```", PAGE, re.DOTALL)
    rows = [line for line in table.splitlines() if re.match(r"  [a-z]", line)]
    flags = [row.split()[0] for row in rows]
    assert len(flags) >= 3
    report = check(correct.materialised, flags=flags, examples=0, power=True, **SINGLE)
    shown = str(report).splitlines()
    assert [shown[-1 - len(rows) + i].split() for i in range(len(rows))] == [
        row.split() for row in rows
    ]
