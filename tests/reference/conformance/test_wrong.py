"""Every wrong implementation fails, by the flag that should catch it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from full_size import problem
from kernels import correct
from kernels.wrong import WRONG, Wrong
from kernels.wrong_joined import WRONG_TERMS
from kernels.wrong_packed import WRONG_PACKED
from kernels.wrong_padded import WRONG_PADDED
from kernels.wrong_quantised import WRONG_QUANTISED
from kernels.wrong_repeated import WRONG_REPEATED
from kernels.wrong_views import WRONG_VIEWS
from kvfloor.conformance import CATALOGUE, Draft, Target, as_entry, check, entries_for
from kvfloor.conformance.case import Case
from kvfloor.conformance.sets import read_set
from kvfloor.conformance.stages import find_stage

# What test_domain.py has wrong functions for.
MODELS = {"head-sizes", "long-context", "domain-edges"}
# What test_joining.py has wrong functions for.
TERMS = {wrong.flag for wrong in WRONG_TERMS} - {"drawn"}
# What test_repeated.py has wrong functions for.
REPEATED = {wrong.flag for wrong in WRONG_REPEATED} - {"repeat"}
# What test_codes.py has wrong functions for.
QUANTISED = {wrong.flag for wrong in WRONG_QUANTISED}
# What test_packed.py has wrong functions for.
PACKED = {wrong.flag for wrong in WRONG_PACKED}
# What test_views.py has wrong functions for.
VIEWS = {wrong.flag for wrong in WRONG_VIEWS}
# What test_padded.py and test_stages.py have wrong functions for.
OTHERS = {wrong.flag for wrong in WRONG_PADDED} | {"stages"}
# What only one or two entries can see: everything else must let these pass.
ALONE = {
    "empty-is-a-number": {"empty-rows"},
    "empty-is-nan": {"empty-rows"},
    "subnormals-flushed": {"subnormals"},
    "maximum-of-the-batch": {"batch"},
    "order-of-summation-random": {"repeat"},
    "scaled-in-place": {"inputs"},
    "maximum-from-zero": {"negative-logits", "exp-overflow", "low-logits"},
    "mask-of-ten-thousand": {"masked-rows", "empty-rows", "low-logits"},
    "running-maximum-from-a-sentinel-causal": {"low-logits"},
}


def options(wrong: Wrong) -> dict[str, Any]:
    block = correct.BLOCK if wrong.function == "online" else None
    return {"dtype": "float32", "accumulate": "float32", "block": block} | wrong.options


def test_there_is_one_for_every_entry_and_more() -> None:
    flags = {entry.flag for entry in CATALOGUE}
    assert {
        wrong.flag for wrong in WRONG
    } | MODELS == flags - TERMS - REPEATED - QUANTISED - PACKED - VIEWS - OTHERS
    assert len({wrong.name for wrong in WRONG}) == len(WRONG) >= 50


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_it_is_caught_by_its_flag(wrong: Wrong) -> None:
    assert problem(Target(wrong.build(), **options(wrong)), wrong.flag) is not None


@pytest.mark.parametrize("name", sorted(ALONE))
def test_other_entries_do_not_see_it(name: str) -> None:
    (wrong,) = (wrong for wrong in WRONG if wrong.name == name)
    target = Target(wrong.build(), **options(wrong))
    flags = {entry.flag for entry in entries_for(target)} - MODELS | {"head-sizes"}
    assert {flag for flag in flags if problem(target, flag)} == ALONE[name]


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("keys-swapped", "logits"),
        ("v1-for-v2", "values"),
        ("sees-the-next-token", "mask"),
        ("window-too-wide", "mask"),
        ("logits-clamped", "exponentials or scale"),
        ("no-maximum", "exponentials"),
        ("softmax-plus-one", "normalisation"),
        ("sum-not-rescaled", "normalisation"),
        ("logsumexp-base-two", "log-sum-exp"),
        ("scale-twice", "logits or log-sum-exp"),
        ("weights-in-the-input-format", "values"),
        ("heads-tiled", "heads"),
        ("values-of-heads-in-turn", "heads"),
        ("batch-reversed", "batch"),
        ("empty-is-nan", "rows that see nothing"),
        ("tail-block-dropped", "tokens, as if token 36 of 37 in slot 1 were left out"),
        ("tail-block-dropped-128", "tokens, as if all were left out"),
        (
            "tail-block-of-the-other-slot-dropped",
            "tokens, as if token 64 of 65 in slot 2 were left out",
        ),
        ("queries-beyond-16-dropped", "queries, as if query 16 of 17 were left out"),
    ],
)
def test_the_stage_is_found(name: str, stage: str) -> None:
    (wrong,) = (wrong for wrong in WRONG if wrong.name == name)
    (failure,) = check(wrong.build(), flags=[wrong.flag], **options(wrong)).failures
    assert failure.message.endswith(f"; it comes from the {stage}")


@pytest.mark.parametrize(
    ("narrow", "flag"),
    [("float16", "tail-block"), ("bfloat16", "tail-block"), ("bfloat16", "distinct-slots")],
)
def test_outputs_that_are_cut_are_told(narrow: str, flag: str) -> None:
    """Their log-sum-exps are right; weights are cut as well, being the outputs of probes.

    The one output of the last is a number of float16, too.
    """

    def cut(*arguments: Any, **options: Any) -> Any:
        output, lse = correct.materialised(*arguments, **options)  # type: ignore[no-untyped-call]
        return output.astype(narrow).astype(output.dtype), lse

    report = check(cut, dtype="float32", accumulate="float32", flags=[flag])
    told = f"; it comes from the outputs, as if rounded to {narrow}"
    assert all(failure.message.endswith(told) for failure in report.failures)
    assert report.failures


@pytest.mark.parametrize("last", range(1, 16))
def test_a_function_that_raises_at_some_probe_does_not_end_the_search(last: int) -> None:
    """It answers wrongly that often, and raises from then on."""
    left = iter(range(last))

    def tired(query: Any, *others: Any, **options: Any) -> Any:
        next(left)
        return correct.factored(2 * query, *others, **options)  # type: ignore[no-untyped-call]

    target = Target(tired, dtype="float32", accumulate="float32")
    ones = np.ones((1, 1, 2, 4), np.float32)
    ramp = np.arange(8, dtype=np.float32).reshape(ones.shape) / 8
    case = Case(ones, (ramp, ones), (ramp, ones), 0.5, None)
    find_stage(target, case)


def test_weights_that_are_stored_narrow_are_told() -> None:
    """If they explain whatever failed; and they pass once they are declared."""
    told = "all that failed is within the bounds for weights stored in bfloat16"
    flags = ["drawn", "dominant-weight"]
    for name, stored in (("weights-in-the-input-format", "bfloat16"), ("output-kept-narrow", None)):
        (wrong,) = (wrong for wrong in WRONG if wrong.name == name)
        report = check(wrong.build(), flags=flags, examples=1, **options(wrong))
        assert report.stored == report.to_dict()["stored"] == stored
        assert (told in str(report)) == (stored is not None)
        declared = options(wrong) | {"weights": "bfloat16"}
        report = check(wrong.build(), flags=flags, examples=1, **declared)
        assert report.ok == (stored is not None)
        assert report.stored is None


@pytest.mark.parametrize("name", ["output-transposed", "scaled-in-place"])
def test_no_stage_is_named_where_no_number_is_wrong(name: str) -> None:
    (wrong,) = (wrong for wrong in WRONG if wrong.name == name)
    (failure,) = check(wrong.build(), flags=[wrong.flag], **options(wrong)).failures
    assert "it comes from" not in failure.message


def test_hidden_logits_are_far_above_what_is_visible_below_a_sentinel() -> None:
    """Of the cases with a mask of their own; else random masks hide some of each."""
    target = Target(correct.factored, dtype="float32", accumulate="float32", mask="boolean")
    entry = as_entry("low-logits")
    cases = entry.build(Draft(target, entry.largest(target), 0, coarse=False))[1::2]
    assert len(cases) >= 4
    for case in cases:
        assert isinstance(case, Case)
        assert case.kept is not None
        logits = read_set(target, case, 0, 0).logits
        seen = case.kept[0, 0].reshape(logits.shape)
        assert logits[seen].max() < -1e4
        assert logits[~seen].min() > 1e4


def test_edits_that_do_not_apply_are_refused() -> None:
    bad = Wrong("bad", "factored", "[-no such text-]{+x+}", "drawn")
    with pytest.raises(ValueError, match="bad: the edit applies 0 times"):
        bad.source()
