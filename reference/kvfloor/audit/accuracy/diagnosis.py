"""What kind of loss it looks like: which single change of the model explains the wrong answers.

In float64, beside a verdict that is exact. What is named explains the answers to the instance that
failed, to the one it was shrunk to, and to controls beside it; what does not is not said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from kvfloor.audit.accuracy.hypotheses import OF_TOKENS, Hypothesis, hypotheses
from kvfloor.audit.accuracy.parts import Parts
from kvfloor.audit.accuracy.recounts import MISSING, Recount, listed, recount, recounted
from kvfloor.audit.accuracy.views import View
from kvfloor.audit.meanings import UNTOLD
from kvfloor.numbers import Array

__all__ = ["MOST_TUPLES", "Diagnosis", "diagnosed", "diagnosed_by_parts"]

MOST_TUPLES = 2**14  # more are not diagnosed
NOTHING = 1e-6  # of what may be left: roundings of float64, among which there is nothing to choose
NEAR = 0.5  # of the largest number, what a rounded one may be off
GONE = 1 / 8  # of its weight, below which a token is missing
SEEN = 2.0**-8  # a share of weight that is looked at


class Diagnosis(NamedTuple):
    """A kind of loss, in words; and the token it is about, if it is about one.

    Attributes
    ----------
    loss : str
        One of `kvfloor.audit.meanings.LOSSES`, or `UNTOLD`.
    detail : str
        How exactly; or of what is untold, what is seen.
    token : int or None
    """

    loss: str
    detail: str = ""
    token: int | None = None


def diagnosed(
    whole: View, others: Sequence[View], beside: View | None = None, parts: Parts | None = None
) -> Diagnosis:
    """Return the change that explains all views, and leaves least of them; of equals the first.

    Tokens that are missing may be others in another view: what is kept may depend on the numbers.

    Parameters
    ----------
    whole : View
        Of the instance that failed.
    others : sequence of View
        Of the instance it was shrunk to, and of controls.
    beside : View, optional
        Of an instance that need not be explained, and says which of equals is named.
    parts : Parts, optional
        Of the instance that failed: they may say which tokens are missing.
    """
    if whole.weights.shape[1] > MOST_TUPLES:
        return Diagnosis(UNTOLD, "too many tuples to tell")
    best, least = Diagnosis(UNTOLD), (1.0, 0.0)
    known = dict[int, list[Recount]]()
    for found in (*_without_weight(parts), *recounted(whole)):
        left = max((_recount_left(found, v, known) for v in others), default=0.0)
        if (rank := (_rounded(max(left, found.left)), 0.0)) < least:
            best, least = Diagnosis(found.loss, found.detail, found.token), rank
    for one in _explaining(whole) if least > (0.0, 0.0) else ():
        left = max((_left(one, v) for v in others), default=0.0)
        left = _rounded(max(left, whole.left(one.predict(whole))))
        rank = left, 0.0 if beside is None else _rounded(_left(one, beside))
        if rank < least:
            best, least = Diagnosis(one.loss, one.detail), rank
    return best


def _rounded(left: float) -> float:
    return left if left > NOTHING else 0.0


def _left(one: Hypothesis, view: View) -> float:
    """What is left of a view; nothing where no answer is off, and what is kept may depend."""
    right = view.wrong <= view.allowed and one.loss in OF_TOKENS
    return 0.0 if right else view.left(one.predict(view))


def _recount_left(found: Recount, view: View, known: dict[int, list[Recount]]) -> float:
    """What is left of another view by the same tokens, or others, of which the same is said."""
    if view.wrong <= view.allowed:
        return 0.0
    if (left := recount(view, found.missing, found.twice)) <= 1:
        return left
    if id(view) not in known:
        known[id(view)] = [*recounted(view)]
    return min((one.left for one in known[id(view)] if one.loss == found.loss), default=np.inf)


def _explaining(whole: View) -> list[Hypothesis]:
    hard = whole.hardest()
    return [
        one
        for one in hypotheses(hard)
        if hard.left(one.predict(hard)) <= 1 and whole.left(one.predict(whole)) <= 1
    ]


def diagnosed_by_parts(whole: Parts, small: Parts | None) -> Diagnosis:
    """Return what weights and values say that were read back by themselves.

    Parameters
    ----------
    whole, small : Parts
        Of the instance that failed, and of the one it was shrunk to.
    """
    both = [whole] if small is None else [whole, small]
    if all(one.by_values <= 1 for one in both):
        return _of_values(both)
    if all(one.by_weights <= 1 for one in both):
        return _of_weights(both)
    if all(one.by_both <= 1 for one in both):
        if all(_near(one.values, one.view.products) for one in both) and _keys_near(both):
            return Diagnosis("precision of keys and values", "both come back near what they were")
        return Diagnosis(UNTOLD, "as if both weights and values were others")
    values, weights = (np.abs(x).max() for x in (whole.values_off, whole.weights_off))
    return Diagnosis(UNTOLD, f"values are off by up to {values:.3g}, weights by {weights:.3g}")


def _of_values(both: Sequence[Parts]) -> Diagnosis:
    """Weights are right, and values come back as others."""
    whole = both[0]
    off = np.abs(whole.values_off)
    if all(_near(one.values, one.view.products) for one in both):
        return Diagnosis("precision of values", f"values come back off by up to {off.max():.3g}")
    if (order := _order(whole)) is not None:
        return Diagnosis("wrong order", order)
    return Diagnosis(UNTOLD, "as if values were others, and weights as they should be")


def _of_weights(both: Sequence[Parts]) -> Diagnosis:
    """Values are right, and weights are others."""
    if _keys_near(both):
        return Diagnosis(
            "precision of keys", f"logits are off by up to {_logit_error(both[0]):.3g}"
        )
    return Diagnosis(UNTOLD, "as if weights were others, and values as they should be")


def _near(came: Array, right: Array) -> bool:
    """Whether numbers came back as rounded ones do: not far, and neither larger nor smaller."""
    most = float(np.abs(right).max())
    slope = float((came * right).sum() / ((right * right).sum() or 1))
    return bool(np.abs(came - right).max() <= NEAR * most) and 2 / 3 < slope < 3 / 2


def _order(parts: Parts) -> str | None:
    """Tokens that came back in the place of others, in words; None if they are no such."""
    values, close = parts.view.products, parts.view.close
    apart = np.abs(parts.values[:, np.newaxis] - values[np.newaxis]).max(axis=2)
    places = apart.argmin(axis=1)
    if (apart.min(axis=1) > close).any() or len(set(places.tolist())) < len(places):
        return None
    first = int(np.flatnonzero(places != np.arange(len(places)))[0])
    return f"token {places[first]} is answered for token {first}"


def _without_weight(parts: Parts | None) -> Iterator[Recount]:
    """The tokens of which no weight comes back where they should have some."""
    if parts is None:
        return
    seen = parts.right >= SEEN
    gone = np.where(seen, parts.weights < GONE * parts.right, True).all(axis=0) & seen.any(axis=0)
    tokens = tuple(np.flatnonzero(gone).tolist())
    if 0 < len(tokens) < parts.view.count:
        left = recount(parts.view, tokens)
        if left <= 1:
            yield Recount(MISSING, listed(tokens), tokens, (), left)


def _keys_near(both: Sequence[Parts]) -> bool:
    """Whether logits came back as of rounded keys: no token missing, none far off."""
    for parts in both:
        logits = parts.view.logits
        if not _logit_error(parts) <= NEAR * float(logits.max() - logits.min()):
            return False
    return True


def _logit_error(parts: Parts) -> float:
    """How far logits that are seen are off, up to a number for each query."""
    right, seen = parts.right, parts.right >= SEEN
    if (parts.weights[seen] <= 0).any():
        return np.inf
    errors = np.where(
        seen, np.log(np.where(seen, parts.weights / np.where(seen, right, 1), 1)), np.nan
    )
    spans = np.nanmax(errors, axis=1) - np.nanmin(errors, axis=1)
    return float(spans.max())
