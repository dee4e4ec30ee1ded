"""Hypothesis strategies for tests of attention: shapes, formats, tensors, masks, adversarial cases.

::

    from hypothesis import given
    from kvfloor import strategies

    @given(strategies.cases("late-maximum", dtype="float32"))
    def test_mine(case):
        mine(case.query, case.keys, case.values)

What is drawn shrinks: to fewer heads, tokens and columns, and to quarters from -1 to 1.
"""

from kvfloor.conformance.draws import cases, flags, formats, masks, shapes, tensors

__all__ = ["cases", "flags", "formats", "masks", "shapes", "tensors"]
