"""Fast enclosures of tensor attention in NumPy: a centre and a proven radius (E3 `forward-error`).

`evaluate_single` is good enough to round to float32 and below, `evaluate_refined` settles some of
what it leaves open at order 1, `evaluate_careful` at others, `evaluate_double` is good enough for
float64. All trust IEEE 754's ``+ - * /`` rounded to nearest, in BLAS too, and no library function;
sums may be taken in any order, with or without fused multiply-add. A radius is inf where nothing is
claimed.
"""

from kvfloor.attention.fast.backward import (
    Accuracy,
    Operands,
    Places,
    evaluate_gradients_at,
    evaluate_gradients_double,
    evaluate_gradients_single,
    evaluate_logit_gradients,
    operands_of,
)
from kvfloor.attention.fast.careful import evaluate_careful
from kvfloor.attention.fast.device import Device, device_of
from kvfloor.attention.fast.double import evaluate_double
from kvfloor.attention.fast.exponential import exp_above
from kvfloor.attention.fast.logarithm import in_base_2
from kvfloor.attention.fast.operands import Prepared, prepare
from kvfloor.attention.fast.problem import prepare_problem
from kvfloor.attention.fast.refined import evaluate_refined
from kvfloor.attention.fast.single import evaluate_single
from kvfloor.attention.fast.totals import Balls, Evaluation, sum_of_balls

__all__ = [
    "Accuracy",
    "Balls",
    "Device",
    "Evaluation",
    "Operands",
    "Places",
    "Prepared",
    "device_of",
    "evaluate_careful",
    "evaluate_double",
    "evaluate_gradients_at",
    "evaluate_gradients_double",
    "evaluate_gradients_single",
    "evaluate_logit_gradients",
    "evaluate_refined",
    "evaluate_single",
    "exp_above",
    "in_base_2",
    "operands_of",
    "prepare",
    "prepare_problem",
    "sum_of_balls",
]
