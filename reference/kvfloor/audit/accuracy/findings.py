"""From a failure to what is reported: shrunk, certified, and said in one line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from kvfloor.audit.accuracy.controls import controls, drawn, probes, tells_little
from kvfloor.audit.accuracy.diagnosis import Diagnosis, diagnosed, diagnosed_by_parts
from kvfloor.audit.accuracy.domains import within
from kvfloor.audit.accuracy.draft import codes, mean
from kvfloor.audit.accuracy.examine import Bench, Failure, confirmed
from kvfloor.audit.accuracy.instance import Instance, Miss, Row, Rows, tokens_of
from kvfloor.audit.accuracy.parts import Parts, read_parts
from kvfloor.audit.accuracy.shrink import NUMBERS, shrunk
from kvfloor.audit.accuracy.views import View
from kvfloor.audit.meanings import LOSSES, UNTOLD
from kvfloor.caches import State
from kvfloor.certificates import (
    MOST_WORK,
    Document,
    instance_certificate,
    instance_work,
    least_instance_work,
)
from kvfloor.isolation import Answer, Refusal

__all__ = ["Reported", "contrast", "reported"]

DIGITS = (6, 9, 12, 17)
MOST_ASKED = 64  # tokens, and pairs of them, with keys as far apart as can be
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
    small : Failure
        That of the certificate.
    """

    reason: str
    certificate: Document | None
    diagnosis: Diagnosis
    small: Failure

    @property
    def tokens(self) -> int:
        """Of the certificate's instance."""
        return len(self.small.instance.tokens)


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
    state, miss = confirmed(bench, Failure(failure.entry, alone, miss, failure.seed))
    small = Failure(failure.entry, alone, miss, failure.seed)
    diagnosis = _diagnosed(bench, failure, small)
    certificate = _certificate(bench, small, state, cache)
    reason = _line(failure, alone, miss, bench, diagnosis)
    if certificate is None:
        reason += "; too large for a certificate"
    return Reported(reason, certificate, diagnosis, small)


def _certificate(
    bench: Bench, small: Failure, state: State, cache: Mapping[str, Any]
) -> Document | None:
    """The certificate of a failure, None if it would be too large for the checker."""
    instance, miss = small.instance, small.miss
    if least_instance_work(instance.numbers) > MOST_WORK:
        return None
    document = instance_certificate(
        instance.tokens,
        instance.queries[0],
        miss.column,
        course=instance.course,
        guarantee=bench.guarantee,
        answer=miss.answer,
        cache=cache,
        seed=small.seed,
        state=state,
    )
    return document if instance_work(document) <= MOST_WORK else None


def _worst(bench: Bench, instance: Instance, seed: int) -> Miss | None:
    try:
        misses, _ = bench.judged(instance, seed)
    except Refusal:
        return None
    return max(misses, key=lambda miss: miss.excess, default=None)


def _diagnosed(bench: Bench, failure: Failure, small: Failure) -> Diagnosis:
    """What explains the whole instance, the small one, and controls; else what is seen."""
    whole, shrunk_to = _view(bench, failure), _view(bench, small)
    if whole is None or shrunk_to is None:
        return Diagnosis(UNTOLD)
    others, beside, whole_parts = [shrunk_to], None, _parts(bench, failure, whole)
    if (instance := failure.instance).numbers <= NUMBERS:
        others += _views(bench, failure, controls(instance))
        (beside,) = _views(bench, failure, [drawn(instance, bench.n)]) or (None,)
        if beside is not None and tells_little(instance):
            others.append(beside)
    found = diagnosed(whole, others, beside, whole_parts)
    if found.loss not in LOSSES and whole_parts is not None:
        found = diagnosed_by_parts(whole_parts, _parts(bench, small, shrunk_to))
    return found if found.loss in LOSSES else _repaired(bench, failure, found)


def _views(bench: Bench, failure: Failure, instances: Iterable[Instance]) -> list[View]:
    """What comes of instances that a cache is made for, and takes."""
    served = (within(one, bench.serves) for one in instances)
    seen = (_view(bench, failure._replace(instance=one)) for one in served if one is not None)
    return [view for view in seen if view is not None]


def _view(bench: Bench, failure: Failure) -> View | None:
    """What comes of probes of an instance, None if it is refused."""
    queries = probes(failure.instance)
    answers = _answers(bench, failure.instance, queries, failure.seed)
    if answers is None:
        return None
    return View.of(failure.instance, queries, answers, bench.guarantee.alpha)


def _answers(
    bench: Bench, instance: Instance, queries: Sequence[Row], seed: int
) -> Sequence[Answer] | None:
    try:
        return bench.run(instance, seed, queries)[1]
    except Refusal:
        return None


def _parts(bench: Bench, failure: Failure, view: View) -> Parts | None:
    def run(instance: Instance, queries: Sequence[Row]) -> Sequence[Answer] | None:
        if within(instance, bench.serves) != instance:
            return None
        return _answers(bench, instance, queries, failure.seed)

    return read_parts(failure.instance, view, run)


def _repaired(bench: Bench, failure: Failure, found: Diagnosis) -> Diagnosis:
    """No name, and with what in their place the answers are right, or else what is seen."""
    for seen, plainer in _repairs(failure.instance):
        try:
            if not bench.judged(plainer, failure.seed)[0]:
                return Diagnosis(UNTOLD, f"with {seen} the answers are right")
        except Refusal:
            continue
    return found


def _repairs(instance: Instance) -> Iterable[tuple[str, Instance]]:
    """The instance with values of -1 and 1; and with keys as far apart as its shape allows."""
    own_keys, values = instance.slots
    count, order, d = len(instance.tokens), instance.order, len(instance.queries[0])
    signs = [_as_signs(rows) for rows in values]
    if any(row != rows[0] for rows in signs for row in rows):  # else nothing can be wrong
        plain = tokens_of(own_keys, signs)
        yield "values of -1 and 1", Instance(plain, instance.queries, instance.course)
    keys, ones = codes(count, d), [[1.0] * d] * count
    apart = tokens_of([keys, *[ones] * (order - 1)], values)
    pairs = [*pairwise(keys)][:: -(-count // MOST_ASKED)]
    asked = [mean([pair[0]]) for pair in pairs] + [mean(list(pair)) for pair in pairs]
    asked.append(mean(keys[-1:]))
    yield "keys as far apart as can be", Instance(apart, tuple(asked), instance.course)


def _as_signs(rows: Rows) -> Rows:
    """Each number by the side of its column's middle that it is on."""
    middles = [(min(column) + max(column)) / 2 for column in zip(*rows, strict=True)]
    return [[1.0 if x >= m else -1.0 for x, m in zip(row, middles, strict=True)] for row in rows]


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
        f"{failure.entry.name}: token {token} of {len(failure.instance.tokens)}: "
        f"it {looks} {diagnosis.loss}{detail}; on {count} token{'s' * (count > 1)}{course}, "
        f"column {miss.column}, {contrast(miss.answer, low)}, "
        f"off by more than {float(allowed):.3g} "
        f"(B = {float(instance.bound):.6g})"
    )


def contrast(answer: Fraction, output: Fraction) -> str:
    """Say what was answered and what is true, in as many digits as it takes to see them differ."""
    for digits in DIGITS:
        texts = f"{float(answer):.{digits}g}", f"{float(output):.{digits}g}"
        if texts[0] != texts[1]:
            return f"it answers {texts[0]} where the output is {texts[1]}"
    if answer == output:  # a bound on it, of 64 bits
        return f"it answers {texts[0]}, which is not the output, but nearer to it than 2^-64"
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
