"""The backward pass: gradients of tensor attention, defined, enclosed and rounded (D6, E5)."""

from kvfloor.attention.gradients.cotangents import Gradients
from kvfloor.attention.gradients.definition import tensor_attention_gradients
from kvfloor.attention.gradients.enclosure import enclose_gradients
from kvfloor.attention.gradients.rounding import (
    GradientLayers,
    tensor_attention_gradients_rounded,
)

__all__ = [
    "GradientLayers",
    "Gradients",
    "enclose_gradients",
    "tensor_attention_gradients",
    "tensor_attention_gradients_rounded",
]
