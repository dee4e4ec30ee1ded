"""What biases, sinks and soft caps change (H3)."""

from __future__ import annotations

from fractions import Fraction
from math import atanh, exp
from typing import Any

import pytest

from kvfloor import Guarantee, InputError
from kvfloor.floors import biased_margin, capped_tokens, margin_ratio, mean_bits, sink_ratio

TENTH = Guarantee(Fraction(0), Fraction(1, 10))


def test_biases_and_sinks() -> None:
    assert biased_margin(10, 3) == 4
    assert sink_ratio(Guarantee(), 7, 10**6) == 7
    assert sink_ratio(TENTH, 7, 0) == margin_ratio(TENTH, Fraction(7))
    assert sink_ratio(TENTH, 7, 1) == 7 * Fraction(12, 10) / Fraction(6, 10)


@pytest.mark.parametrize(("cap", "tokens"), [(Fraction(1, 5), 1), (1, 5), (2, 37), (50, 10**6)])
def test_tokens_under_a_cap(cap: Any, tokens: int) -> None:
    assert capped_tokens(10**6, cap, TENTH) == tokens
    most = 1 + exp(2 * cap) * 0.8 / 1.2
    assert tokens in {int(most), 10**6}


def test_where_the_mean_is_enough() -> None:
    edge = Fraction(round(atanh(0.2) * 2**30) - 1, 2**30)
    assert mean_bits(7, 5, edge, TENTH.alpha) == 15
    assert mean_bits(8, 5, edge, TENTH.alpha) == 16
    assert capped_tokens(2, edge, TENTH) == 1
    assert capped_tokens(2, edge + Fraction(1, 2**28), TENTH) == 2
    with pytest.raises(InputError, match=r"cap: expected a number with tanh\(cap\) <= 2\*alpha"):
        mean_bits(7, 5, edge + Fraction(1, 2**28), TENTH.alpha)
    with pytest.raises(InputError, match=r"guarantee: expected eta \+ 2\*alpha < 1"):
        mean_bits(7, 5, edge, "1/2")
    with pytest.raises(InputError, match="cap: expected a number > 0, got 0"):
        capped_tokens(3, 0, TENTH)
