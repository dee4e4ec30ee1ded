"""What a target serves: read from texts, fitted to, and never left."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels import correct
from kvfloor import InputError, Window
from kvfloor.conformance import (
    Case,
    Domain,
    Draft,
    Report,
    Size,
    Target,
    as_entry,
    check,
    judge,
    run,
)
from kvfloor.conformance.counts import Counts, as_counts

factored: Any = correct.factored
F32: dict[str, Any] = {"dtype": "float32", "accumulate": "float32"}

TEXTS = (
    ("64,128", Counts((64, 128))),
    ("128, 64,64", Counts((64, 128))),
    ("7", Counts((7,))),
    (7, Counts((7,))),
    ([3, 5], Counts((3, 5))),
    ("multiple=16", Counts((), 16, 16)),
    ("multiple=16,least=17,most=100", Counts((), 16, 32, 96)),
    ("least=2", Counts((), 1, 2)),
    ("most=9", Counts((), 1, 1, 9)),
    ("any", Counts()),
    (None, Counts()),
)


@pytest.mark.parametrize(("given", "counts"), TEXTS)
def test_counts_are_read(given: Any, counts: Counts) -> None:
    assert as_counts(given, "d") == counts
    assert as_counts(str(counts), "d") == counts


counted = st.one_of(
    st.sets(st.integers(1, 60), min_size=1).map(lambda s: Counts(tuple(sorted(s)))),
    st.builds(
        lambda m, least, k: as_counts(f"multiple={m},least={least},most={least + k * m}", "d"),
        st.integers(1, 9), st.integers(1, 30), st.integers(1, 4),
    ),
)  # fmt: skip


@given(counted, st.integers(1, 80), st.integers(1, 12))
def test_counts_by_their_definition(counts: Counts, wanted: int, factor: int) -> None:
    members = [k for k in range(1, 100) if k in counts]
    nearest = min(members, key=lambda k: (abs(k - wanted), k))
    assert counts.nearest(wanted) == nearest
    assert counts.after(wanted) == next((k for k in members if k > wanted), None)
    multiples = counts.multiples_of(factor)
    found = [] if multiples is None else [k for k in range(1, 100) if k in multiples]
    assert found == [k for k in members if k % factor == 0]
    below = [k for k in members if k <= wanted] or members[:1]
    assert set(counts.edges(wanted)) == {*below[:2], *below[-2:]}


PARTS = {
    "d": ("64,128", "multiple=8,most=256"),
    "d_v": ("same", "64", "multiple=8"),
    "tokens": ("multiple=16,most=64", "1,2,3", "least=5"),
    "queries": ("same", "fewer", "1", "multiple=4"),
    "batch": ("8", "1,2"),
    "heads": ("multiple=4,most=32", "6,12"),
    "groups": ("1,2,4", "2"),
}


OUTSIDE = (
    ({"d": "7"}, "d: expected 7, got 8"),
    ({"d_v": "same"}, "d_v: expected 8, got 6"),
    ({"tokens": "5"}, "tokens: expected 5, got 4"),  # in the first slot
    ({"tokens": "4"}, "tokens: expected 4, got 5"),  # in the second
    ({"batch": "1"}, "batch: expected 1, got 2"),
    ({"heads": "3"}, "heads: expected 3, got 6"),
    ({"groups": "3"}, "groups: expected 3, got 2"),
    ({"queries": "4"}, "queries: expected 4, got 5 for (4, 5)"),
    ({"queries": "same"}, "queries: expected same, got 5 for (4, 5)"),
    ({"queries": "fewer"}, "queries: expected fewer, got 5 for (4, 5)"),
)


@pytest.mark.parametrize(("parts", "reason"), OUTSIDE)
def test_what_is_outside_is_said(parts: dict[str, Any], reason: str) -> None:
    size = Size(2, 3, 2, 5, (4, 5), 8, 6)
    assert Domain().excludes(size) is None
    assert Domain(**parts).excludes(size) == reason


@given(st.fixed_dictionaries({k: st.sampled_from((None, *v)) for k, v in PARTS.items()}), st.data())
def test_what_is_fitted_is_served(parts: dict[str, Any], data: st.DataObject) -> None:
    domain = Domain(**parts)
    number = st.integers(1, 300)
    b, h, g, n_q, n = (data.draw(number) for _ in range(5))
    size = Size(b, h, g, n_q, (n, 5), 8, 6)
    if parts["queries"] == "fewer" or "least" not in str(parts["tokens"]):
        assert domain.excludes(domain.fit(size)) is None
    fitted = domain.fit(size)
    assert domain.fit(fitted) == fitted
    again: dict[str, Any] = {}
    exec(f"from kvfloor.conformance import Domain\nsame = {domain!r}", again)
    assert again["same"] == domain


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"d": 0}, "d: expected a whole number >= 1, got 0"),
        ({"d": "wide"}, "d: expected a whole number >= 1, got 'wide'"),
        ({"d": ()}, "d: expected whole numbers, such as 64,128"),
        ({"tokens": "multiple=16,least=17,most=31"}, "tokens: expected whole numbers that exist"),
        ({"tokens": "multiple=16,leest=17"}, "tokens: expected whole numbers, such as"),
        ({"tokens": "multiple=x"}, "tokens.multiple: expected a whole number >= 1, got 'x'"),
        ({"tokens": "same"}, "tokens: expected a whole number"),
        ({"queries": "many"}, "queries: expected a whole number"),
        ({"masks": ("casual",)}, "did you mean causal?"),
        ({"formats": "float12"}, "dtype: expected one of float64"),
    ],
)
def test_bad_domains(declared: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as raised:
        Domain(**declared)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("domain", "declared", "message"),
    [
        (
            {"masks": "none,causal"},
            {"mask": "boolean"},
            "mask: expected one of the domain: none, c",
        ),
        ({"masks": "causal"}, {}, "mask: expected one of the domain: causal, got none"),
        (
            {"masks": "none"},
            {"mask": Window(3, 0)},
            "mask: expected one of the domain: none, got w",
        ),
        ({"formats": ("float16",)}, {}, "dtype: expected one of the domain: float16, got float32"),
        ({"orders": 1}, {}, "order: expected one of the domain: 1, got 2"),
        ({"heads": 3, "groups": 2}, {"grouped": True}, "heads: expected heads that are multiples"),
        ({"groups": 4}, {}, "groups (1, as heads are not grouped), got heads any, groups 4"),
        ({"heads": 8}, {"layout": "nd"}, "heads: expected"),
        ({"batch": 8}, {"layout": "hnd"}, "batch: expected 1 among them"),
        (
            {"tokens": "most=4", "queries": "same", "d": 3, "d_v": 4},
            {"order": 0},
            "order: expected",
        ),
    ],
)
def test_a_declaration_outside_its_domain_is_refused(
    domain: dict[str, Any], declared: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as raised:
        Target(factored, domain=Domain(**domain), **(F32 | declared))
    assert message in str(raised.value)


class Strict:
    """Right within a domain, which says for itself what it is called with; outside it notes that.

    It does not look at the domain's code: the sizes that are served are a function here.
    """

    def __init__(self, serves: Any, spoilt: float = 1.0) -> None:
        self.serves, self.spoilt, self.left = serves, spoilt, list[Any]()
        self.calls = 0

    def __call__(self, q: Any, K: Any, V: Any, *, scale: float, mask: Any) -> Any:
        self.calls += 1
        shapes = q.shape, [A.shape for A in K], [A.shape for A in V]
        if not self.serves(*shapes):
            self.left.append(shapes)
            raise ValueError("not served")
        return factored(q, K, V, scale=scale * self.spoilt, mask=mask)


def flash(q: Any, K: Any, V: Any) -> bool:
    """Heads of 16 or 32, values as wide, lengths multiples of 16 up to 64, as many queries."""
    return (
        q[3] in (16, 32)
        and V[0][3] == q[3]
        and all(A[2] == q[2] and A[2] % 16 == 0 and A[2] <= 64 for A in K)
    )


def latent(q: Any, K: Any, V: Any) -> bool:
    """Keys of 24 and values of 16, 8 heads of the query over 4 or 2, one query, batch 2 or 3."""
    return (
        (q[3], V[0][3], q[2], q[1]) == (24, 16, 1, 8)
        and q[1] // K[0][1] in (2, 4)
        and q[0] in (2, 3)
        and K[0][2] >= 9
    )


def narrow(q: Any, K: Any, V: Any) -> bool:
    """Odd sizes: three columns, five of values, no more queries than tokens."""
    return (q[3], V[0][3]) == (3, 5) and all(q[2] <= A[2] <= 20 for A in K)


DOMAINS: dict[str, tuple[Any, dict[str, Any], dict[str, Any]]] = {
    "flash": (
        flash,
        {"d": "16,32", "d_v": "same", "tokens": "multiple=16,most=64", "queries": "same"},
        {"mask": "causal", "order": 1},
    ),
    "flash of order 2": (
        lambda q, K, V: flash(q, K, V) and q[2] <= 16,
        {"d": "16,32", "d_v": "same", "tokens": 16, "queries": "same"},
        {"mask": Window((5, 3), 0)},
    ),
    "latent": (
        latent,
        {"d": 24, "d_v": 16, "tokens": "least=9,most=70", "queries": 1, "batch": (2, 3), "heads": 8,
         "groups": "2,4"},
        {"order": 1, "grouped": True},
    ),
    "narrow": (
        narrow,
        {"d": 3, "d_v": 5, "tokens": "most=20", "queries": "fewer"},
        {"mask": "boolean"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DOMAINS)
@pytest.mark.parametrize("spoilt", [1.0, 1.5])
def test_a_call_outside_is_never_made(name: str, spoilt: float) -> None:
    """Neither by the catalogue, nor by what is drawn, nor by shrinking and search of a stage."""
    serves, parts, declared = DOMAINS[name]
    strict = Strict(serves, spoilt)
    target = Target(strict, domain=Domain(**parts), **(F32 | declared))
    flags = None if spoilt == 1 else ["scale", "drawn"]
    report = run(target, examples=1, flags=flags)
    assert not strict.left
    assert strict.calls > (40 if spoilt == 1 else 2)
    assert report.ok == (spoilt == 1), str(report)


@cache
def flash_report() -> Report:
    serves, parts, declared = DOMAINS["flash"]
    return check(Strict(serves), domain=Domain(**parts), examples=0, **(F32 | declared))


def test_what_is_excluded_is_listed_with_its_reason() -> None:
    report = flash_report()
    reasons = dict(report.not_run)
    assert reasons["wide-values"] == "values are as wide as keys"
    assert reasons["single-token"] == "a slot has at least 16 tokens"
    assert reasons["unequal-lengths"] == "each slot has as many tokens as there are queries"
    assert reasons["fewer-queries"] == "there are no fewer queries than tokens"
    assert reasons["one-query"] == "there are at least 16 queries"
    assert reasons["grouped-heads"] == "heads do not share keys"
    assert reasons["window"] == "the mask is causal"
    assert f"\nnot run, {len(reasons)} entries:\n" in str(report)
    assert "\n  values are as wide as keys: wide-values\n" in str(report)
    assert report.to_dict()["not_run"][0] == {
        "flag": "distinct-slots",
        "reason": "there is one slot",
    }


def test_the_report_ends_with_what_was_visited() -> None:
    report = flash_report()
    assert report.visited["d"] == report.visited["d_v"] == [16, 32]
    assert report.visited["tokens"] == [16, 32, 48, 64]  # the ends and those beside them
    assert str(report).splitlines()[-2:] == [
        "  d           2  16 32",
        "  d_v         2  16 32",
    ]
    assert report.to_dict()["visited"] == report.visited


def test_without_a_domain_the_sizes_of_models_are_visited() -> None:
    flags = ["head-sizes", "long-context", "heads", "grouped-heads", "one-query"]
    report = check(factored, order=1, grouped=True, examples=0, flags=flags, **F32)
    assert report.ok
    visited = report.visited
    assert {64, 80, 96, 128, 192, 256} <= set(visited["d"])
    assert {1, 2, 8} <= set(visited["batch"])
    assert "32/8" in visited["heads"]
    around = {2**k + beside for k in range(4, 14) for beside in (-1, 0, 1)}
    assert around | {32768} <= set(visited["tokens"])


@pytest.mark.parametrize(
    ("parts", "line"),
    [
        ({"tokens": 1}, "no case has more than one tuple"),
        ({"tokens": "least=10000000"}, "a case has at most"),
        ({"heads": "least=4000000"}, "a case has at most"),
    ],
)
def test_a_domain_that_leaves_too_little_says_nothing(parts: dict[str, Any], line: str) -> None:
    report = check(factored, domain=Domain(**parts), examples=0, **F32)
    assert not report.failures
    assert not report.ok
    assert "says nothing" in str(report)
    assert line in str(report)


def test_a_case_of_one_s_own_outside_the_domain_is_refused() -> None:
    arrays = {"query": (1, 1, 2, 4), "key": (1, 1, 3, 4), "value": (1, 1, 3, 4)}
    q, K, V = (np.ones(shape, np.float32) for shape in arrays.values())
    target = Target(factored, order=1, domain=Domain(d=8), **F32)
    with pytest.raises(InputError, match=r"case: expected one of the domain .*, got d: expected 8"):
        judge(target, Case(q, (K,), (V,), 1.0, None))


WRONG_BEYOND = {
    "columns": ("head-sizes", lambda q, K, V: q[3] > 65),
    "columns of values": ("head-sizes", lambda q, K, V: V[0][3] > 192),
    "heads": ("heads", lambda q, K, V: q[1] > 8),
    "batch": ("heads", lambda q, K, V: q[0] > 4),
    "tokens": ("long-context", lambda q, K, V: K[0][2] > 4096),
    "tokens at last": ("long-context", lambda q, K, V: K[0][2] > 8193),
    "tokens of the other slot": ("long-context", lambda q, K, V: K[1][2] > 2048),
}


@pytest.mark.parametrize("name", WRONG_BEYOND)
def test_what_is_wrong_beyond_a_size_is_found(name: str) -> None:
    flag, beyond = WRONG_BEYOND[name]

    def wrong(q: Any, K: Any, V: Any, *, scale: float, mask: Any) -> Any:
        output, lse = factored(q, K, V, scale=scale, mask=mask)
        far: Any = beyond
        spoilt = far(q.shape, [A.shape for A in K], [A.shape for A in V])
        return output * np.float32(1.25 if spoilt else 1), lse

    report = check(wrong, examples=0, flags=[flag, "drawn", "query-tiles"], **F32)
    assert {failure.flag for failure in report.failures} == {flag}


def test_the_ends_of_a_domain_are_met() -> None:
    """One that is wrong for the longest slot, and for the most queries, of those served."""
    domain = Domain(d=16, d_v="same", tokens="multiple=8,least=24,most=2000", queries="most=77")
    ends: tuple[Any, ...] = (lambda q, K: K[0][2] == 2000, lambda q, K: q[2] == 77)
    for most in ends:

        def wrong(q: Any, K: Any, V: Any, *, scale: float, mask: Any, most: Any = most) -> Any:
            result: Any = factored(q, K, V, scale=scale, mask=mask)
            far = bool(most(q.shape, [A.shape for A in K]))
            return result[0] * np.float32(1.01 if far else 1), result[1]

        report = check(wrong, order=1, domain=domain, examples=0, flags=["domain-edges"], **F32)
        assert [failure.flag for failure in report.failures] == ["domain-edges"]


def long_slots(entry: str) -> Draft:
    """The start of an entry's cases at full size, where a slot has 128 tokens at least."""
    domain = Domain(d="64,128", d_v="same", tokens="multiple=128")
    target = Target(factored, domain=domain, **F32)
    return Draft(target, as_entry(entry).largest(target), 0, coarse=False)


def test_what_is_drawn_is_small_in_every_domain() -> None:
    draft = long_slots("drawn")
    assert draft.size == Size(2, 2, 1, 7, (128, 128), 64, 64)
    drawn = as_entry("drawn").drawn(draft.target)
    assert drawn == replace(draft.size, batch=2, queries=1)
    assert drawn.logits <= 2**16
    usual = Target(factored, **F32)
    assert as_entry("drawn").drawn(usual) == as_entry("drawn").largest(usual)


def test_of_many_logits_some_queries_are_compared() -> None:
    draft = long_slots("drawn")
    assert draft.case(draft.tensors()).rows == (0, 1, 3, 5, 6)
    few = draft.with_size(queries=4)
    assert few.case(few.tensors()).rows is None
    packed = replace(draft.case(draft.tensors()), sequences=((7, 128, 128), (2, 128, 128)))
    assert [packed.sequence(i).rows for i in range(2)] == [(0, 1, 3, 5, 6), (0, 1)]


def test_what_is_too_large_is_left_out() -> None:
    """Not the rest of its entry."""
    cases = as_entry("long-context").build(long_slots("long-context"))
    assert {case.lengths for case in cases} >= {(128, 256), (2048, 128)}
    assert max(case.lengths[0] for case in cases) == 2048


def test_a_domain_is_part_of_the_failing_test() -> None:
    serves, parts, declared = DOMAINS["narrow"]
    target = Target(Strict(serves, 1.5), source="a:B", domain=Domain(**parts), **(F32 | declared))
    (failure,) = run(target, flags=["scale"], examples=3).failures
    assert "domain=Domain(d='3', d_v='5', tokens='most=20', queries='fewer')" in failure.reproducer
    assert "from kvfloor.conformance import Case, Domain, Target, judge" in failure.reproducer


def test_entries_say_why_they_mean_nothing() -> None:
    plain = Target(factored, order=1, **F32)
    assert as_entry("domain-edges").unless(plain) == "no domain is declared"
    assert as_entry("window").unless(plain) == "the mask is none"
    wide = Target(factored, order=1, mask=Window(99, 0), domain=Domain(tokens="most=50"), **F32)
    assert as_entry("wide-window").unless(wide).startswith("a case has at most 50 tokens, and")
    long = Target(factored, order=1, block=64, domain=Domain(tokens="most=50"), **F32)
    assert as_entry("long-slot").unless(long) == (
        "a case has at most 50 tokens, and no second block of 64"
    )
