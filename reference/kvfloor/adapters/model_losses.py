"""What an answer of a model's head looks like that is not its token's value: which part is lost.

A guess, in float64, beside a verdict that is not: it rests on one answer of a head, and on what its
values and keys were. Ways that leave nothing unexplained come first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from kvfloor.adapters.carrying import Numbers
from kvfloor.audit import UNTOLD

__all__ = ["Asked", "looks_like"]

SHARE = 1 / 4  # a token that has less of an answer to its own query is missing
FAR = 3 / 4  # what rounding to very few levels may change of a value, larger ones no less
GROWTHS = [1 + k / 16 for k in range(8)]  # of the largest answer, to where values were cut
FACTORS = (0.0, *(2.0**-k for k in range(6, 0, -1)), 2.0, 4.0)  # of logits


class Asked(NamedTuple):
    """A query for an address, all that its head was given, and what came back.

    Attributes
    ----------
    values : array, shape (n, d)
    logits : array, shape (n,)
    address : int
        Of the token with the largest logit.
    answer : array, shape (d,)
    close : float
        What an explanation may leave of any number.
    hidden : pair of arrays, shapes (k, d) and (k,)
        Values and logits of tokens that a window hides, the last first.
    """

    values: Numbers
    logits: Numbers
    address: int
    answer: Numbers
    close: float
    hidden: tuple[Numbers, Numbers] | None = None

    @property
    def own(self) -> Numbers:
        """The values that were asked for."""
        row: Numbers = self.values[self.address]
        return row

    def output(self, values: Numbers, factor: float = 1.0) -> Numbers:
        """The output for other values, and logits times a factor."""
        logits = factor * self.logits
        weights = np.exp(logits - logits.max())
        found: Numbers = weights @ values / weights.sum()
        return found


def looks_like(asked: Asked) -> str:
    """Return the kind of loss that an answer looks like: one of `LOSSES` of audits, or `UNTOLD`."""
    if asked.hidden is not None and _sees_hidden(asked, *asked.hidden):
        return "token too many"
    for loss, predicted in _changes(asked):
        if np.abs(asked.answer - predicted).max() <= asked.close:
            return loss
    weights, left = _mixture(asked)
    if left <= asked.close and weights[0] < 1 - SHARE:
        return "missing token" if abs(weights[0]) <= SHARE else "merged tokens"
    if np.abs(asked.answer - asked.own).max() <= FAR and _in_order(asked):
        return "precision of values"
    share = asked.answer @ asked.own / (asked.own @ asked.own)
    return "missing token" if abs(share) <= SHARE else UNTOLD


def _changes(asked: Asked) -> Iterator[tuple[str, Numbers]]:
    """Kinds of loss, and the answers that they lead to."""
    values, answer = asked.values, asked.answer
    yield "wrong signs", asked.output(-values)
    yield "wrong signs", asked.output(np.abs(values))
    for factor in FACTORS:
        loss = "temperature" if factor else "precision of keys"
        yield loss, asked.output(values, factor)
    for growth in GROWTHS:
        end = growth * np.abs(answer).max()
        yield "clipping", asked.output(np.clip(values, -end, end))
    yield "clipping", asked.output(np.maximum(values, 0))
    true = asked.output(values)
    yield "scale of values", (answer @ true / (true @ true)) * true


def _in_order(asked: Asked) -> bool:
    """Whether larger numbers of the token have no smaller answers, as rounded ones have.

    But for what is left unexplained, and for what other tokens add by their weights.
    """
    answers = asked.answer[np.argsort(asked.own, kind="stable")]
    weights = np.exp(asked.logits - asked.logits.max())
    others = 1 - weights[asked.address] / weights.sum()
    fallen = float((np.maximum.accumulate(answers) - answers).max())
    return bool(fallen <= asked.close + 2 * others * np.abs(asked.values).max())


def _sees_hidden(asked: Asked, values: Numbers, logits: Numbers) -> bool:
    """Whether so many tokens more, of those that are hidden, explain the answer."""
    top = max(asked.logits.max(), logits.max(initial=-np.inf))
    weights, more = np.exp(asked.logits - top), np.exp(logits - top)
    sums = weights @ asked.values + np.cumsum(more[:, np.newaxis] * values, axis=0)
    predicted = sums / (weights.sum() + np.cumsum(more))[:, np.newaxis]
    return bool((np.abs(predicted - asked.answer).max(axis=1) <= asked.close).any())


def _mixture(asked: Asked) -> tuple[Numbers, float]:
    """The answer as a sum of the values of its own token and its neighbours: weights, and the rest.

    As many tokens, those of the largest logits, as half of the entries of a value: so chance does
    not explain it.
    """
    some = np.argsort(-asked.logits, kind="stable")[: max(1, len(asked.answer) // 2)]
    some = np.array([asked.address, *some[some != asked.address]])
    rows = asked.values[some]
    weights: Numbers = np.linalg.lstsq(rows.T, asked.answer, rcond=None)[0].astype(np.float64)
    return weights, float(np.abs(weights @ rows - asked.answer).max())
