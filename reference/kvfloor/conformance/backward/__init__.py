"""The backward pass under the kit: targets, cases, derived bounds and a verdict (E5)."""

from kvfloor.conformance.backward.case import BackwardCase
from kvfloor.conformance.backward.catalogue import BACKWARDS
from kvfloor.conformance.backward.judging import judge_gradients
from kvfloor.conformance.backward.stages import find_gradient_stage
from kvfloor.conformance.backward.target import FIXED, Backward, as_backward

__all__ = [
    "BACKWARDS",
    "FIXED",
    "Backward",
    "BackwardCase",
    "as_backward",
    "find_gradient_stage",
    "judge_gradients",
]
