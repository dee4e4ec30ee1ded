"""What given keys and queries leave of the guarantee for one token's values (H4 `given-keys`).

Generic arithmetic as in `decoding`.
"""

from __future__ import annotations

from typing import Any

from kvfloor.floors.decoding import EtaAlpha

__all__ = ["given_alpha"]


def given_alpha(guarantee: EtaAlpha, weight: Any, later: Any, earlier: Any) -> Any:
    """The α with which the values of one token are read, as if it were alone (`given-keys`).

    ``((1+η)·later + 2η·earlier + 2α)/(2·weight)``: at (η, this) the token holds the levels of
    `value-levels`.

    Parameters
    ----------
    guarantee : Guarantee
    weight : number > 0
        What the token weighs for the query that reads it.
    later, earlier : numbers >= 0
        What the other tokens that hold symbols weigh for that query: those not known yet, and
        those read before, whose part of the output is known. All are later if nothing may be
        taken for known.
    """
    eta, alpha = guarantee.eta, guarantee.alpha
    return ((1 + eta) * later + 2 * eta * earlier + 2 * alpha) / (2 * weight)
