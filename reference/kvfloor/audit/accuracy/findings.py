"""From a failure to what is reported: shrunk, certified, and said in one line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from kvfloor.audit.accuracy.diagnosis import Diagnosis, diagnosed, probes
from kvfloor.audit.accuracy.draft import codes, mean
from kvfloor.audit.accuracy.examine import Bench, Failure, confirmed
from kvfloor.audit.accuracy.instance import Instance, Miss, tokens_of
from kvfloor.audit.accuracy.shrink import shrunk
from kvfloor.audit.meanings import LOSSES, UNTOLD
from kvfloor.certificates import MOST_WORK, Document, instance_certificate, instance_work
from kvfloor.isolation import Refusal

__all__ = ["Reported", "contrast", "reported"]

DIGITS = (6, 9, 12, 17)
TRIES = 150  # instances that are tried on the way to the smallest


class Reported(NamedTuple):
    """A failure as it is reported.

    Attributes
    ----------
    reason : str
        One line: the entry, token, column, answer, and the loss that it looks like.
    certificate : Document or None
        None only of an instance too large for the checker.
    diagnosis : Diagnosis
    tokens : int
        Of the certificate's instance.
    """

    reason: str
    certificate: Document | None
    diagnosis: Diagnosis
    tokens: int


def reported(bench: Bench, failure: Failure, cache: Mapping[str, Any]) -> Reported:
    """Return what is reported of a failure.

    Parameters
    ----------
    bench : Bench
    failure : Failure
    cache : mapping
        As `describe` gives it.

    Raises
    ------
    Misbehaviour
        If the cache answers otherwise when it is asked that query alone.
    """
    confirmed(bench, failure)
    query = failure.instance.queries[failure.miss.query]
    alone = Instance(failure.instance.tokens, (query,), failure.instance.course)
    miss = replace(failure.miss, query=0)
    alone, miss = shrunk(alone, miss, lambda one: _worst(bench, one, failure.seed), tries=TRIES)
    small = Failure(failure.entry, alone, miss, failure.seed)
    state, miss = confirmed(bench, small)
    diagnosis = _diagnosed(bench, failure, small)
    certificate = instance_certificate(
        alone.tokens,
        alone.queries[0],
        miss.column,
        course=alone.course,
        guarantee=bench.guarantee,
        answer=miss.answer,
        cache=cache,
        seed=failure.seed,
        state=state,
    )
    reason = _line(failure, alone, miss, bench, diagnosis)
    count = len(alone.tokens)
    if instance_work(certificate) > MOST_WORK:
        return Reported(f"{reason}; too large for a certificate", None, diagnosis, count)
    return Reported(reason, certificate, diagnosis, count)


def _worst(bench: Bench, instance: Instance, seed: int) -> Miss | None:
    try:
        misses, _ = bench.judged(instance, seed)
    except Refusal:
        return None
    return max(misses, key=lambda miss: miss.excess, default=None)


def _diagnosed(bench: Bench, failure: Failure, small: Failure) -> Diagnosis:
    """What it looks like on the whole instance, or else with plainer values or keys.

    Where neither says it, what it looks like on the small instance, which more models explain; in
    a course of its own that comes first, as plainer numbers may pass where it is another matter.
    """

    def by_small() -> Diagnosis:
        if len(small.instance.tokens) == 1:
            return Diagnosis(UNTOLD)
        return _modelled(bench, small)._replace(token=None)

    def by_repair() -> Diagnosis:
        return _repaired(bench, failure)

    plain = failure.instance.course == "once"
    ways = (by_repair, by_small) if plain else (by_small, by_repair)
    found = _modelled(bench, failure)
    for way in ways:
        if found.loss not in LOSSES:
            found = way()
    return found


def _repaired(bench: Bench, failure: Failure) -> Diagnosis:
    for loss, plainer in _repairs(failure.instance):
        try:
            if not bench.judged(plainer, failure.seed)[0]:
                return Diagnosis(loss, "with plainer ones the answers are right")
        except Refusal:
            continue
    return Diagnosis(UNTOLD)


def _modelled(bench: Bench, failure: Failure) -> Diagnosis:
    queries = probes(failure.instance)
    try:
        _, answers = bench.run(failure.instance, failure.seed, queries)
    except Refusal:
        return Diagnosis(UNTOLD)
    return diagnosed(failure.instance, queries, answers)


def _repairs(instance: Instance) -> Iterable[tuple[str, Instance]]:
    """The instance with values of -1 and 1; and with keys as far apart as its shape allows."""
    own_keys, values = instance.slots
    count, order, d = len(instance.tokens), instance.order, len(instance.queries[0])
    signs = [[[1.0 if x >= 0 else -1.0 for x in row] for row in rows] for rows in values]
    plain = tokens_of(own_keys, signs)
    yield "scale of values", Instance(plain, instance.queries, instance.course)
    keys, ones = codes(count, d), [[1.0] * d] * count
    apart = tokens_of([keys, *[ones] * (order - 1)], values)
    asked = [mean([key]) for key in keys] + [mean(list(pair)) for pair in pairwise(keys)]
    yield "precision of keys", Instance(apart, tuple(asked), instance.course)


def _line(
    failure: Failure, instance: Instance, miss: Miss, bench: Bench, diagnosis: Diagnosis
) -> str:
    low, _ = instance.outputs[0].exact.bounds(miss.column, 64)
    allowed = bench.guarantee.eta * abs(low) + bench.guarantee.alpha * instance.bound
    token = diagnosis.token if diagnosis.token is not None else _heaviest(failure)
    count = len(instance.tokens)
    course = "" if instance.course == "once" else f", in the course {instance.course!r}"
    detail = f" ({diagnosis.detail})" if diagnosis.detail else ""
    looks = "looks like" if diagnosis.loss in LOSSES else "is"
    return (
        f"{failure.entry.name}: token {token} of {len(failure.instance.tokens)}, "
        f"column {failure.miss.column}: it {looks} {diagnosis.loss}{detail}; on "
        f"{count} token{'s' * (count > 1)}{course} {contrast(miss.answer, low)}, "
        f"off by more than {float(allowed):.3g} "
        f"(B = {float(instance.bound):.6g})"
    )


def contrast(answer: Fraction, output: Fraction) -> str:
    """Say what was answered and what is true, in as many digits as it takes to see them differ."""
    for digits in DIGITS:
        texts = f"{float(answer):.{digits}g}", f"{float(output):.{digits}g}"
        if texts[0] != texts[1]:
            return f"it answers {texts[0]} where the output is {texts[1]}"
    return f"it answers {texts[0]}, which is {float(abs(answer - output)):.3g} from the output"


def _heaviest(failure: Failure) -> int:
    """The token with the largest logit of the query, in the slot where keys differ most."""
    query = failure.instance.queries[failure.miss.query]

    def logit(j: int) -> Fraction:
        token = failure.instance.tokens[j]
        product = [Fraction(q) for q in query]
        for key in token.keys:
            product = [p * Fraction(x) for p, x in zip(product, key, strict=True)]
        return sum(product, Fraction(0))

    return max(range(len(failure.instance.tokens)), key=logit)
