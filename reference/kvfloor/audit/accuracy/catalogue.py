"""The catalogue: instances that break wrong caches. Each entry says which fault it catches."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from kvfloor.audit.accuracy import builders, places
from kvfloor.audit.accuracy.draft import Draft
from kvfloor.audit.accuracy.instance import Instance

__all__ = ["CATALOGUE", "FAMILIES", "SEARCHED", "Entry"]

FAMILIES = ("values", "keys", "attention", "place", "streams", "drawn", "searched")


@dataclass(frozen=True)
class Entry:
    """A kind of instance.

    Attributes
    ----------
    name : str
        What reports call it.
    family : str
        One of `FAMILIES`.
    reason : str
        Which fault it catches.
    build : callable
        Makes instances of a draft; none where the shape has none.
    """

    name: str
    family: str
    reason: str
    build: Callable[[Draft], Iterable[Instance]]


def _stream(course: str) -> Callable[[Draft], Iterable[Instance]]:
    return partial(places.stream, course=course)


CATALOGUE = (
    Entry("graded-values", "values", "values rounded to fewer levels than α lets one tell",
          builders.graded),
    Entry("negative-values", "values", "signs lost, levels for numbers above zero only",
          builders.negative),
    Entry("token-sizes", "values", "a scale that is that of another token, or of the first",
          builders.token_sizes),
    Entry("column-sizes", "values", "a scale that is that of another column",
          builders.column_sizes),
    Entry("outlier-column", "values", "large values clipped", builders.outlier),
    Entry("one-outlier", "values", "a range that the spread of the values decides",
          builders.one_outlier),
    Entry("just-above-half", "values", "values rounded to floats of too few places",
          builders.just_above),
    Entry("constant-values", "values", "weights that do not sum to one, a range of width zero",
          builders.constant),
    Entry("large-values", "values", "values beyond the range that was thought of",
          builders.large),
    Entry("huge-values", "values", "a fixed range that is smaller than that of float16",
          builders.huge),
    Entry("beyond-float16", "values", "values and keys cut at the end of float16",
          builders.beyond_float16),
    Entry("small-values", "values", "a scale that stayed at one, small numbers taken for zero",
          builders.small),
    Entry("fractional-keys", "keys", "keys rounded", builders.fractions),
    Entry("key-columns", "keys", "one scale for columns of keys that are not of one size",
          builders.key_columns),
    Entry("nearly-parallel-keys", "keys", "keys that differ in their last digits only",
          builders.nearly_parallel),
    Entry("equal-keys", "keys", "tokens found by their key, one of a kind kept",
          builders.equal_keys),
    Entry("duplicates", "keys", "equal tokens counted once", builders.duplicates),
    Entry("zero-tokens", "keys", "zeros taken for padding", builders.zeros),
    Entry("large-keys", "keys", "large keys clipped", builders.large_keys),
    Entry("huge-keys", "keys", "keys cut at a fixed range", builders.huge_keys),
    Entry("negative-keys", "keys", "signs of keys lost where a column has one sign only",
          builders.negative_keys),
    Entry("spread", "attention", "tokens dropped that nobody attends to much", builders.spread),
    Entry("equal-tops", "attention", "ties broken", builders.equal_tops),
    Entry("halves", "attention", "the largest weight taken for all", builders.halves),
    Entry("long-tail", "attention", "small weights that matter together, dropped",
          builders.long_tail),
    Entry("light-tail", "attention", "tokens dropped for their weight alone", builders.light_tail),
    Entry("rising", "attention", "sums not rescaled where the maximum rises a little",
          builders.rising),
    Entry("dominated", "attention", "a value that leaks from a token without weight",
          builders.dominated),
    Entry("dominating", "attention", "a token with all weight that is outvoted",
          builders.dominating),
    Entry("temperatures", "attention", "a wrong temperature, logits clipped",
          builders.temperatures),
    Entry("tuples", "attention", "tuples left out, slots taken for one another", builders.tuples),
    Entry("overflow", "attention", "the largest logit not subtracted, exponentials clamped",
          builders.overflow),
    Entry("underflow", "attention", "a maximum that starts at zero, zero divided by zero",
          builders.underflow),
    Entry("first-token", "place", "the first token lost", places.first_token),
    Entry("last-token", "place", "the last token lost or counted twice", places.last_token),
    Entry("just-appended", "place", "a token that is answered for too late, or twice",
          places.just_appended),
    Entry("every-token", "place", "a token in the middle lost, moved or counted twice",
          places.every_token),
    Entry("every-length", "place", "a length at which a token is lost or counted twice",
          places.every_length),
    Entry("old-values", "place", "values that are kept worse as they grow old",
          places.old_values),
    Entry("old-keys", "place", "keys that are kept worse as they grow old, or came late",
          places.old_keys),
    Entry("growing-values", "place", "a scale that the tokens, block or group before decided",
          places.growing),
    Entry("powers-of-two", "place", "off by one where a buffer is full", places.powers_of_two),
    Entry("block-edges", "place", "off by one where a block, ring or group begins or ends",
          places.block_edges),
    Entry("asked-live", "streams", "answers that need the state to be written first",
          _stream("live")),
    Entry("asked-between", "streams", "answers that leave a trace", _stream("asked")),
    Entry("asked-throughout", "streams", "answers that are not forgotten when a token comes",
          places.asked_throughout),
    Entry("restored", "streams", "a state that does not go on as before", _stream("restored")),
    Entry("saved", "streams", "a state that is not there any more, or grew, once it was written",
          _stream("saved")),
    Entry("twice", "streams", "a second stream that finds something of the first",
          _stream("twice")),
    Entry("interleaved", "streams", "two caches that share something", _stream("interleaved")),
    Entry("gaussian", "drawn", "anything at all", places.gaussian),
    Entry("heavy-tailed", "drawn", "ranges that a few numbers decide", places.heavy_tailed),
    Entry("hardest", "drawn", "fewer bits than the largest floor, whose family it is of",
          places.hardest),
    Entry("traces", "drawn", "what happens on the data that you gave", places.traced),
)  # fmt: skip

SEARCHED = Entry(
    "searched", "searched", "whatever a local search from the worst instances finds", lambda _: ()
)
