"""Tensor attention (D1), to be read beside the paper, and every way to evaluate it."""

from kvfloor.attention.definition import (
    Attention,
    khatri_rao,
    tensor_attention,
    tensor_attention_khatri_rao,
)
from kvfloor.attention.enclosure import Enclosure, enclose
from kvfloor.attention.exact import ExactNumber, ExactOutput, compare, equal, is_exactly
from kvfloor.attention.fast import exp_above
from kvfloor.attention.gradients import (
    GradientLayers,
    Gradients,
    enclose_gradients,
    tensor_attention_gradients,
    tensor_attention_gradients_rounded,
)
from kvfloor.attention.grouping import ExactAttention, row_products
from kvfloor.attention.inputs import INVERSE_SQRT_D, Mask, Scale, as_scale, folded
from kvfloor.attention.masks import causal_mask, window_mask
from kvfloor.attention.rounding import Rounded, tensor_attention_rounded
from kvfloor.attention.settling import Layers
from kvfloor.attention.token_weights import TokenWeights
from kvfloor.attention.windows import WINDOWS, Intervals, Window
from kvfloor.attention.ziv import Base

__all__ = [
    "INVERSE_SQRT_D",
    "WINDOWS",
    "Attention",
    "Base",
    "Enclosure",
    "ExactAttention",
    "ExactNumber",
    "ExactOutput",
    "GradientLayers",
    "Gradients",
    "Intervals",
    "Layers",
    "Mask",
    "Rounded",
    "Scale",
    "TokenWeights",
    "Window",
    "as_scale",
    "causal_mask",
    "compare",
    "enclose",
    "enclose_gradients",
    "equal",
    "exp_above",
    "folded",
    "is_exactly",
    "khatri_rao",
    "row_products",
    "tensor_attention",
    "tensor_attention_gradients",
    "tensor_attention_gradients_rounded",
    "tensor_attention_khatri_rao",
    "tensor_attention_rounded",
    "window_mask",
]
