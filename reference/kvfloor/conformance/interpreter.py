"""Triton's interpreter, which runs kernels on a CPU: whether it computes what a device would."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import numpy as np

from kvfloor.conformance.target import Target
from kvfloor.errors import InputError

__all__ = ["check_interpreter"]

PROBED = ("float32", "float16", "bfloat16")
PRODUCT = 16 * 1.5**2


def check_interpreter(target: Target) -> None:
    """Refuse to blame a kernel for what Triton's interpreter does.

    Raises
    ------
    InputError
        If it runs (``TRITON_INTERPRET=1``), and a product of matrices or a rounding is not right in
        the format of the inputs, or in that of the weights.
    """
    if os.environ.get("TRITON_INTERPRET") != "1" or "triton" not in sys.modules:
        return
    probe = import_module("kvfloor.conformance.triton_probe").probe
    for form in dict.fromkeys((target.inputs, target.stored)):
        if form.name not in PROBED:
            continue
        x = 1 + 3 * 2.0 ** (1 - form.precision)  # of which 1.25·x is not a number of the format
        product, rounded = probe(form.name, x)
        nearest = float(form.round_array(np.array([1.25 * x]))[0])
        if (product, rounded) != (PRODUCT, nearest):
            raise InputError(
                "TRITON_INTERPRET",
                f"a product and a rounding of {form.name} that are right, {PRODUCT} and {nearest}",
                f"{product} and {rounded}: the interpreter errs, and no kernel is judged",
            )
