"""The catalogue: every wrong cache fails by its entry and is named rightly, right ones pass."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from importlib import resources
from itertools import product
from math import tanh
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kvfloor import InputError, audit, check
from kvfloor.audit import LOSSES, UNTOLD, VERDICTS
from kvfloor.audit.accuracy import (
    CATALOGUE,
    FAMILIES,
    MOST_LOGIT,
    SERVES,
    Draft,
    Entered,
    Instance,
    Reported,
    contrast,
    lengths_at,
    named_sizes,
    read_trace,
    reported,
)
from kvfloor.audit.accuracy.controls import probes
from kvfloor.audit.accuracy.diagnosis import diagnosed
from kvfloor.audit.accuracy.domains import within
from kvfloor.audit.accuracy.instance import Miss, tokens_of
from kvfloor.audit.accuracy.shrink import shrunk
from kvfloor.audit.accuracy.views import View
from kvfloor.caches import (
    COURSES,
    LIVE,
    ExactCache,
    GaugedCache,
    GroupedCache,
    PackedCache,
    QuantisedCache,
    SinkCache,
    configure,
    describe,
)
from kvfloor.certificates import canonical
from kvfloor.floors import Guarantee
from local_bench import LocalBench, bench_of, entered
from wrong_caches import TABLE, UNNAMED, BorderTwice, Row, SixTokens, WholeValues, told

D, N = 4, 12


def entry_of(bench: LocalBench, name: str, **arguments: Any) -> Entered:
    some = [entry for entry in CATALOGUE if entry.name == name]
    (found,) = (e for e in entered(bench, some, n=N, **arguments) if e.entry.name == name)
    return found


def report_of(bench: LocalBench, found: Entered) -> Reported:
    failure = max(found.failures, key=lambda failure: failure.miss.excess)
    return reported(bench, failure, describe(bench.factory))


# --- wrong caches -----------------------------------------------------------------------------


def test_there_are_thirty_and_ten_after_reports() -> None:
    assert len({row.cache for row in TABLE}) == len(TABLE) >= 30
    assert len({row.link for row in TABLE if row.link}) >= 10
    assert {row.entry for row in TABLE} <= {entry.name for entry in CATALOGUE}


def test_the_page_lists_them() -> None:
    """If this fails: print `told(row)` for all rows."""
    page = (Path(__file__).parents[3] / "docs" / "wrong-caches.md").read_text()
    assert len(TABLE) == 59  # as docs/audit.md says in words
    assert [line for line in page.splitlines() if line.startswith("| `")] == [*map(told, TABLE)]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.cache.__name__)
def test_wrong_caches_fail_by_their_entry_and_are_named(row: Row) -> None:
    bench = bench_of(row.cache, row.order, D)
    found = entry_of(bench, row.entry, sizes=(6,))
    assert found.stood < found.asked
    report = report_of(bench, found)
    assert report.certificate is not None
    assert check(canonical(report.certificate)).status == "ok"
    assert report.diagnosis.loss == row.loss
    assert report.reason.startswith(f"{row.entry}: token ")
    assert f" {row.loss}" in report.reason


def test_every_kind_of_loss_is_found_and_explained() -> None:
    page = (Path(__file__).parents[3] / "docs" / "audit.md").read_text()
    assert {row.loss for row in TABLE} == {*LOSSES, UNTOLD}
    assert [line for line in page.splitlines() if line in rows_of(LOSSES)] == rows_of(LOSSES)
    assert all(f"* `{verdict}`: {meaning}." in page for verdict, meaning in VERDICTS.items())


def rows_of(meanings: Mapping[str, str]) -> list[str]:
    return [f"| {name} | {meaning} |" for name, meaning in meanings.items()]


def test_tokens_merged_by_their_keys_are_told_from_blocks() -> None:
    """Every other token has nearly the same key, and all of these are answered by their mean."""
    keys = [[1 + j / 64, 0.25] if j % 2 else [0.25, 1 + j / 64] for j in range(8)]
    values = [[float(3 * j * j % 7), float(j % 3)] for j in range(8)]
    instance = Instance(tokens_of([keys], [values]), ((3.0, 1.0),))
    means = [np.mean(values[j % 2 :: 2], axis=0).tolist() for j in range(8)]
    like = [np.mean(keys[j % 2 :: 2], axis=0).tolist() for j in range(8)]
    queries = probes(instance)
    merged = Instance(tokens_of([like], [means]), queries)
    answers = [tuple(Fraction(float(x.mid())) for x in one.balls) for one in merged.outputs]
    found = diagnosed(View.of(instance, queries, answers, Fraction(1, 8)), [])
    assert found == ("merged tokens", "tokens of keys with a cosine above 0.8", None)


@pytest.mark.parametrize(("cache", "entry"), UNNAMED)
def test_others_fail_by_their_entry(cache: Any, entry: str) -> None:
    """Each passed an audit before its entry was there."""
    bench = bench_of(cache, 1, D)
    found = entry_of(bench, entry)
    assert found.stood < found.asked
    report = report_of(bench, found)
    assert report.certificate is not None
    assert check(canonical(report.certificate)).status == "ok"


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    ("cache", "entry", "tokens"),
    [(WholeValues, "graded-values", 1), (BorderTwice, "just-appended", 4)],
)
def test_certificates_are_small(cache: Any, entry: str, tokens: int, order: int) -> None:
    """Of the two caches that the catalogue was asked for; replayed in processes of their own."""
    bench = bench_of(cache, order, D)
    report = report_of(bench, entry_of(bench, entry))
    assert report.certificate is not None
    text = canonical(report.certificate)
    assert len(report.certificate["instance"]["keys"][0]) == report.tokens == tokens
    assert check(text, cache=cache).status == "ok"
    assert check(text, cache=ExactCache).reason.startswith("cache.name: ")


def test_certificates_know_every_course() -> None:
    file = resources.files("kvfloor.certificates") / "schemas" / "violation-2.json"
    found = json.loads(file.read_text())
    assert found["properties"]["instance"]["properties"]["course"]["enum"] == list(COURSES)
    assert set(LIVE) < set(COURSES)


def test_the_line_says_which_token_and_column() -> None:
    bench = bench_of(BorderTwice, 1, D)
    report = report_of(bench, entry_of(bench, "just-appended"))
    assert report.certificate is not None
    reason, column = report.reason, report.certificate["query"]["column"]
    assert "token 3 of 5: it looks like token counted twice (token 3)" in reason
    assert f"on 4 tokens, column {column}, it answers " in reason
    assert reason.endswith("off by more than 0.125 (B = 1)")


# --- right caches -----------------------------------------------------------------------------

FLOAT32, FLOAT16 = (configure(SinkCache, sinks=1, window=N, dtype=f"float{b}") for b in (32, 16))
BY_GROUPS = configure(GroupedCache, bits=8, group=4, dtype="float32")


def documented(order: int, keys: float, values: float) -> Fraction:
    """What a relative error of keys and one of values may do to an answer, in units of B.

    Logits are sums of at most `MOST_LOGIT` in absolute value, so they are off by at most
    e = MOST_LOGIT·((1 + keys)^m - 1), and weights move by at most tanh(e/2) in total variation.
    """
    off = MOST_LOGIT * ((1 + keys) ** order - 1)
    return Fraction(2 * tanh(off / 2) + (1 + values) ** order - 1) + Fraction(1, 2**40)


RIGHT = {
    "exact": (ExactCache, 2.0**-53, 2.0**-53),
    "float32": (FLOAT32, 2.0**-24, 2.0**-24),
    "float16": (FLOAT16, 2.0**-11, 2.0**-11),
}


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("name", RIGHT)
def test_right_caches_pass_at_what_they_document(name: str, order: int) -> None:
    factory, keys, values = RIGHT[name]
    bench = bench_of(factory, order, D, documented(order, keys, values))
    for found in entered(bench, CATALOGUE, n=6, seed=order):
        assert found.stood == found.asked, found.entry.name
        beyond = (name, found.entry.name) == ("float16", "beyond-float16")
        assert ("numbers up to 65504.0" in found.refused) == beyond, found.entry.name
        assert bool(found.refused) == beyond


def test_eight_bits_pass_where_no_number_is_beyond_their_range() -> None:
    """Half a step of 255 in a channel: a share of 1/255 of its largest number, at most."""
    alpha = documented(1, 1 / 255, 1 / 255)
    assert alpha < Fraction(1, 2)
    for found in entered(bench_of(BY_GROUPS, 1, D, alpha), CATALOGUE, n=6):
        assert found.stood == found.asked, found.entry.name


def test_values_just_above_a_power_of_two_tell_more_places() -> None:
    """Half a place of float16 is 2^-12 there, a share of 2^-11."""
    bench = bench_of(FLOAT16, 1, D, Fraction(1, 2**12))
    graded, above = (entry_of(bench, name) for name in ("graded-values", "just-above-half"))
    assert graded.stood == graded.asked
    assert above.stood < above.asked


def test_float16_fails_below_its_error() -> None:
    found = entry_of(bench_of(FLOAT16, 1, D, Fraction(1, 2**13)), "graded-values")
    assert found.stood < found.asked
    assert found.worst <= Fraction(1, 2**11)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_small_shapes_have_instances_of_every_family(n: int, order: int) -> None:
    d = max(1, (n - 1).bit_length())
    results = entered(bench_of(ExactCache, order, d), CATALOGUE, n=n)
    assert all(found.stood == found.asked for found in results)
    asked = {found.entry.family for found in results if found.asked}
    assert asked == set(FAMILIES)


@pytest.mark.parametrize("eta", [Fraction(0), Fraction(1, 10)])
def test_an_answer_on_the_border_is_accurate_and_one_beyond_is_not(eta: Fraction) -> None:
    """Of a third, which no ball is: the ball does not tell, and then rationals do not refuse."""
    tokens = tokens_of([[[0.0]] * 3], [[[1.0], [0.0], [0.0]]])
    one = Instance(tokens, ((1.0,),))
    border = Fraction(1, 3) * (1 + eta) + Fraction(1, 8)
    guarantee = Guarantee(eta, Fraction(1, 8))
    for answer, wrong in ((border, 0), (border + Fraction(1, 2**50), 1)):
        misses, worst = one.misses([(answer,)], guarantee)
        assert len(misses) == wrong
        assert 0 <= answer - Fraction(1, 3) - worst < Fraction(1, 2**64)


def test_the_column_of_a_miss_is_that_of_the_largest_error() -> None:
    one = Instance(tokens_of([[[0.0]]], [[[1.0, 0.5, 0.0, 1.0]]]), ((1.0,),))
    answer = tuple(map(Fraction, (1, 2, 1, 1)))
    ((miss,), worst) = one.misses([answer], Guarantee(Fraction(0), Fraction(1, 8)))
    assert (miss.query, miss.column) == (0, 1)
    assert (miss.answer, miss.excess) == (Fraction(2), Fraction(3, 2))
    assert worst == Fraction(3, 2)


# --- the catalogue ----------------------------------------------------------------------------


def drafted(**arguments: Any) -> list[tuple[str, Instance]]:
    shape: dict[str, Any] = {"order": 2, "n": N, "d": D, "d_v": 3, "alpha": Fraction(1, 8)}
    draft = Draft(**(shape | {"sizes": (5,)} | arguments))
    return [(entry.name, one) for entry in CATALOGUE for one in entry.build(draft)]


def test_entries_have_names_and_reasons() -> None:
    assert len({entry.name for entry in CATALOGUE}) == len(CATALOGUE)
    assert all(entry.family in FAMILIES and entry.reason for entry in CATALOGUE)
    assert {name for name, _ in drafted()} == {e.name for e in CATALOGUE} - {"traces", "hardest"}


def test_numbers_are_as_promised() -> None:
    """Within [-1, 1] where their size is not the point, logits within bounds, float16 exactly."""
    sized = {"outlier-column", "large-values", "huge-values", "large-keys", "huge-keys"}
    beyond = {"overflow", "underflow"}  # margins of hundreds of nats: no error of keys matters
    for name, instance in drafted():
        keys, values = (np.array(slots) for slots in instance.slots)
        assert len(instance.tokens) <= N
        if name == "beyond-float16":
            assert max(np.abs(keys).max(), np.abs(values).max()) > 65504
        elif name not in sized:
            assert max(np.abs(keys).max(), np.abs(values).max()) <= 1, name
        if name not in ("heavy-tailed", "beyond-float16"):
            assert (keys.astype(np.float16) == keys).all(), name
        for query in np.array(instance.queries):
            terms = np.abs(query) * np.prod(np.abs(keys).max(axis=1), axis=0)
            assert terms.sum() <= MOST_LOGIT or name in beyond, name


@pytest.mark.parametrize("alpha", [Fraction(1, 4), Fraction(1, 8), Fraction(1, 1000)])
def test_values_are_graded_as_finely_as_alpha_tells(alpha: Fraction) -> None:
    instance = next(one for name, one in drafted(alpha=alpha) if name == "graded-values")
    numbers = {abs(Fraction(x)) for row in instance.slots[1][0] for x in row}
    step = min(Fraction(1, x.denominator) for x in numbers)
    assert alpha / 8 < step <= alpha / 4


def test_bounds_are_products_of_the_largest_values() -> None:
    for name, instance in drafted():
        values = np.array(instance.slots[1])
        assert instance.bound == np.prod(np.abs(values).max(axis=(1, 2))), name


def test_sizes_are_named_or_betrayed() -> None:
    factory = configure(GroupedCache, bits=3, group=5)
    assert set(named_sizes(factory)) >= {3, 5, 8}
    assert named_sizes(GroupedCache) == [32]  # by default
    assert lengths_at([10, 20, 30, 31, 41, 51, 61]) == [4]
    assert lengths_at([]) == lengths_at(None) == []


def test_block_edges_are_both_sides_of_the_sizes() -> None:
    lengths = [len(one.tokens) for name, one in drafted(sizes=(5,)) if name == "block-edges"]
    assert lengths == [4, 4, 5, 5, 6, 6, 9, 9, 10, 10, 11, 11]  # in both slots
    assert entry_of(bench_of(SixTokens, 1, D), "block-edges").asked == 0


def alike(name: str, **arguments: Any) -> list[Instance]:
    shape: dict[str, Any] = {"n": 24, "d": 5, "d_v": 16, "order": 1}
    return [one for entry, one in drafted(**(shape | arguments)) if entry == name]


@pytest.mark.parametrize("name", ["every-length", "every-token"])
def test_a_token_that_is_lost_or_counted_twice_moves_an_answer_by_more_than_alpha(
    name: str,
) -> None:
    for one in alike(name)[name == "every-length" :]:  # of one token there is nothing to tell
        (keys,), (values,) = (np.array(slots) for slots in one.slots)
        weights = np.exp(np.array(one.queries) @ keys.T)
        right = weights @ values / weights.sum(axis=1, keepdims=True)
        for token, factor in product(range(len(keys)), (0, 2)):
            counted = weights.copy()
            counted[:, token] *= factor
            wrong = counted @ values / counted.sum(axis=1, keepdims=True)
            assert np.abs(wrong - right).max() > one.bound / 8, (len(keys), token, factor)


@pytest.mark.parametrize("name", ["every-length", "growing-values"])
def test_lengths_are_gone_through_in_each_slot_by_turns(name: str) -> None:
    found = alike(name, order=2)
    slots = [len(set(map(tuple, one.slots[0][0]))) > 1 for one in found[1:]]  # of one: all alike
    assert slots == [k % 2 == slots[1] for k in range(len(slots))]
    step = 1 if name == "every-length" else 2
    assert [len(one.tokens) for one in found] == [*range(1, 25, step)]


def test_every_slot_stands_in_for_the_first() -> None:
    """But for entries that have something in all slots at once."""
    others = {"tuples", "gaussian", "heavy-tailed"}
    for entry in {name for name, _ in drafted(order=2)} - others:
        differ = {
            tuple(len(set(map(tuple, rows))) > 1 for rows in slots)
            for one in (one for name, one in drafted(order=2) if name == entry)
            for slots in one.slots
        }
        assert {(True, False), (False, True)} <= differ, entry


def test_values_that_grow_double_up_to_each_of_the_last_ones() -> None:
    for one in alike("growing-values"):
        sizes = np.abs(np.array(one.slots[1][0]))
        assert (sizes == sizes[:, :1]).all()
        assert (sizes[1:, 0] >= sizes[:-1, 0]).all()
        assert (2 * sizes[-2:-1, 0] == sizes[-1, 0]).all()
    assert {len(one.tokens) - k for one in alike("growing-values") for k in (0, 1)} >= {
        *range(1, 24)
    }


# --- what a cache is made for -------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    "factory",
    [
        configure(QuantisedCache, key_cells=8192, value_cells=64),
        configure(GaugedCache, key_cells=8192, value_cells=64),
        PackedCache,
    ],
    ids=str,
)
def test_a_cache_is_tried_on_what_it_is_made_for(factory: Any, order: int) -> None:
    results = entered(bench_of(factory, order, 3), CATALOGUE, n=6)
    assert all(found.stood == found.asked for found in results)
    assert sum(found.asked for found in results) > 150
    refused = {found.entry.name for found in results if found.refused}
    assert refused <= {"restored", "interleaved"}


def test_domains_are_what_they_say() -> None:
    for name, drawn in drafted():
        for serves in set(SERVES) - {"", "binary-values"}:
            instance = within(drawn, serves)
            if instance is None:
                assert serves == "signs", name
                continue
            keys, values = (np.array(slots) for slots in instance.slots)
            most = 65504 if serves == "float16" else 1
            assert max(np.abs(keys).max(), np.abs(values).max()) <= most
            if serves == "signs":
                assert set(np.unique([*keys.ravel(), *values.ravel()])) <= {-1.0, 0.0, 1.0}
            if serves == "gauge":
                assert (keys[1:, 0] == 1).all()
                assert (values[1:, 0] == 1).all()
            if serves == "box":
                assert instance.bound > Fraction(1, 4)  # more than a half in each of two slots


# --- traces -----------------------------------------------------------------------------------


def trace(seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    shapes = {"keys": (5, D), "values": (5, D), "queries": (2, D)}
    return {name: rng.normal(size=shape).astype(np.float16) for name, shape in shapes.items()}


def safetensors(arrays: dict[str, Any]) -> bytes:
    header, data = dict[str, Any](), b""
    for name, array in arrays.items():
        offsets = [len(data), len(data) + array.nbytes]
        header[name] = {"dtype": "F16", "shape": list(array.shape), "data_offsets": offsets}
        data += array.tobytes()
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def test_traces_of_both_formats_are_the_same(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", **trace())
    (tmp_path / "t.safetensors").write_bytes(safetensors(trace()))
    shape = {"order": 1, "n": N, "d": D, "d_v": D}
    one, other = (read_trace(tmp_path / f"t.{end}", **shape) for end in ("npz", "safetensors"))
    assert one == other
    assert one.slots[0][0] == trace()["keys"].tolist()
    found = entry_of(bench_of(WholeValues, 1, D), "traces", traces=(one,))
    assert found.stood < found.asked == 2
    assert entry_of(bench_of(ExactCache, 1, D), "traces", traces=(one,)).stood == 2


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"keys": np.zeros((5, 3))}, "keys (1, up to 12, 4)"),
        ({"keys": np.zeros((13, D)), "values": np.zeros((13, D))}, "keys (1, up to 12, 4)"),
        ({"queries": np.zeros((1, 5))}, "queries (k, 4)"),
        ({"queries": np.full((1, D), np.nan)}, "finite numbers"),
        ({"masks": np.zeros(1)}, "keys, values and queries"),
    ],
)
def test_other_traces_are_refused(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    np.savez(tmp_path / "t.npz", **(trace() | changed))
    with pytest.raises(InputError, match=r"^traces: expected ") as caught:
        read_trace(tmp_path / "t.npz", order=1, n=N, d=D, d_v=D)
    assert message in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\xff" * 9, (10**9).to_bytes(8, "little") + b"{}"])
def test_what_is_no_file_of_tensors_is_refused(tmp_path: Path, content: bytes) -> None:
    for end in ("npz", "safetensors"):
        (tmp_path / f"t.{end}").write_bytes(content)
        with pytest.raises(InputError, match=r"^traces: expected a file \.npz or \.safetensors"):
            read_trace(tmp_path / f"t.{end}", order=1, n=N, d=D, d_v=D)


# --- refusals and searches ---------------------------------------------------------------------


class Refuses(ExactCache):
    """Takes no negative values."""

    def append(self, keys: Sequence[Any], values: Sequence[Any]) -> None:
        if any(x < 0 for row in values for x in row):
            raise NotImplementedError("no negative values")
        super().append(keys, values)


def test_what_a_cache_refuses_is_listed_with_its_reason() -> None:
    found = entry_of(bench_of(Refuses, 1, D), "negative-values")
    assert (found.asked, found.refused) == (0, "no negative values")


def test_a_cache_that_refuses_a_whole_family_is_undecided() -> None:
    """Unless it says what it is made for; one reason is one line."""
    result = audit(TakesBits, n=6, d=4, order=1)
    assert (result.verdict, result.findings) == ("undecided", ())
    assert result.unheard == ("values", "keys", "attention", "place", "streams", "drawn")
    assert all(entry.refused.endswith("bits alone") for entry in result.accuracy if entry.refused)


class TakesBits(ExactCache):
    """Takes zeros and ones at keys of signs, exactly."""

    def append(self, keys: Sequence[Any], values: Sequence[Any]) -> None:
        if {abs(x) for row in keys for x in row} | {x for row in values for x in row} - {0} != {1}:
            raise NotImplementedError("bits alone")
        super().append(keys, values)


class NotANumberKept(ExactCache):
    """Takes every value, and keeps 0/0 for a token of zeros, which its answers refuse."""

    def append(self, keys: Sequence[Any], values: Sequence[Any]) -> None:
        super().append(keys, values)
        self.zeros = getattr(self, "zeros", False) or not any(x for row in values for x in row)

    def state(self) -> bytes:
        state = super().state()
        return state[:-8] + np.array(np.nan).tobytes() if self.zeros else state


def test_what_a_cache_took_it_may_not_refuse_to_answer() -> None:
    result = audit(NotANumberKept, n=6, d=4, order=1)
    assert result.verdict == "misbehaves"
    assert [finding.kind for finding in result.findings] == ["raised"]
    assert "InputError" in result.findings[0].reason


class Unreadable(ExactCache):
    """Takes every number, and reads a state back that holds whole ones alone."""

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> ExactCache:
        if any(x % 1 for x in np.frombuffer(state)):
            raise InputError("state", "whole numbers", "others")
        return super().from_state(state, **arguments)


def test_what_a_cache_took_it_may_not_refuse_to_read_back() -> None:
    result = audit(Unreadable, n=6, d=4, order=1)
    assert [finding.kind for finding in result.findings] == ["raised"]
    assert "state: expected whole numbers" in result.findings[0].reason
    assert result.findings[0].reason.startswith("graded-values: from_state()")


def test_a_family_that_is_refused_in_part_is_heard() -> None:
    result = audit(FLOAT16, n=6, d=4, order=1)
    assert (result.verdict, result.unheard) == ("within-guarantee", ())
    assert [entry.name for entry in result.accuracy if entry.refused] == ["beyond-float16"]


def test_an_answer_beside_the_output_is_told_in_the_digits_that_it_takes() -> None:
    third, near = Fraction(1, 3), Fraction(1, 3) + Fraction(1, 2**26)
    assert contrast(Fraction(1), third) == "it answers 1 where the output is 0.333333"
    assert contrast(near, third) == "it answers 0.333333348 where the output is 0.333333333"
    tiny = third + Fraction(1, 2**80)
    assert contrast(tiny, third) == (
        "it answers 0.33333333333333331, which is 8.27e-25 from the output"
    )
    told = "which is not the output, but nearer to it than 2^-64"  # its bound, not itself
    assert contrast(Fraction(1, 4), Fraction(1, 4)) == f"it answers 0.25, {told}"


class Blocks(ExactCache):
    """Keeps blocks of four, by a plain reshape, which NumPy refuses for other lengths."""

    def state(self) -> bytes:
        state = super().state()
        np.frombuffer(state).reshape(-1, 4 * 6)
        return state


def test_a_slip_of_shapes_is_no_refusal() -> None:
    result = audit(Blocks, n=8, d=3, order=1)
    assert result.verdict == "misbehaves"
    assert "ValueError: cannot reshape array" in result.findings[0].reason


def test_a_search_finds_worse_than_it_began_with() -> None:
    coarse = configure(SinkCache, sinks=1, window=N, dtype="float8_e4m3fn")
    results = entered(bench_of(coarse, 1, D, Fraction(49, 100)), CATALOGUE[:2], n=N)
    searched = results[-1]
    assert (searched.entry.name, searched.asked > 20) == ("searched", True)
    assert searched.worst >= max(found.worst for found in results[:-1])


def test_a_draft_is_repeatable_and_depends_on_its_seed() -> None:
    bench = bench_of(FLOAT16, 1, D)

    def worst(seed: int) -> list[Fraction]:
        return [found.worst for found in entered(bench, CATALOGUE, n=5, seed=seed)]

    assert worst(1) == worst(1) != worst(2)


@pytest.mark.parametrize(("first", "end"), [(4, 150), (0, 100), (7, 200), (120, 200)])
def test_runs_that_are_missing_among_many_tokens_are_named(first: int, end: int) -> None:
    rng = np.random.default_rng(first)
    keys, values = rng.standard_normal((2, 200, D))
    queries = [tuple(row) for row in rng.standard_normal((6, D))]
    kept = [j for j in range(200) if not first <= j < end]
    weights = np.exp(np.array(queries) @ keys[kept].T)
    answers = weights @ values[kept] / weights.sum(axis=1, keepdims=True)
    instance = Instance(tokens_of([keys.tolist()], [values.tolist()]), tuple(queries))
    came = [[Fraction(x) for x in row] for row in answers]
    found = diagnosed(View.of(instance, queries, came, Fraction(1, 8)), [])
    assert found.loss == "missing token"
    assert (found.token, found.detail) == (first, f"tokens {first} to {end - 1}")


def test_large_instances_are_tried_fewer_times() -> None:
    tokens = tokens_of([[[1.0] * 64] * 300], [[[1.0] * 64] * 300])
    instance, tried = Instance(tokens, ((1.0,) * 64,)), list[int]()

    def fails(one: Instance) -> Miss:
        tried.append(one.numbers)
        return Miss(0, 0, Fraction(1), Fraction(1, len(one.tokens)))

    shrunk(instance, fails(instance), fails, tries=6)
    assert tried[1:4] == [19200, 9600, 4864]
    large = Instance(tuple(tokens) * 8, instance.queries)
    tried.clear()
    shrunk(large, fails(large), fails, tries=6)
    assert sum(1 + numbers // 2**15 for numbers in tried[1:-1]) <= 6
