"""Tensor attention, exactly, and the lower bounds on its KV cache."""

from kvfloor.attention import Attention, khatri_rao, tensor_attention, tensor_attention_khatri_rao
from kvfloor.certificate import Outcome, check
from kvfloor.collision import Collision, birthday, flips, pigeonhole
from kvfloor.errors import InputError
from kvfloor.exact import ExactAttention, ExactOutput
from kvfloor.floors import Guarantee
from kvfloor.instances import BinaryValues, Token
from kvfloor.keys import (
    AddressBook,
    TupleBook,
    axes,
    binary_keys,
    greedy_code,
    orthonormal,
    parabola,
    polygon,
    roots_d,
    roots_e8,
    sign_keys,
    sign_tuples,
    tuple_keys,
)
from kvfloor.masks import causal_mask, window_mask

__version__ = "0.1.0"

__all__ = [
    "AddressBook",
    "Attention",
    "BinaryValues",
    "Collision",
    "ExactAttention",
    "ExactOutput",
    "Guarantee",
    "InputError",
    "Outcome",
    "Token",
    "TupleBook",
    "axes",
    "binary_keys",
    "birthday",
    "causal_mask",
    "check",
    "flips",
    "greedy_code",
    "khatri_rao",
    "orthonormal",
    "parabola",
    "pigeonhole",
    "polygon",
    "roots_d",
    "roots_e8",
    "sign_keys",
    "sign_tuples",
    "tensor_attention",
    "tensor_attention_khatri_rao",
    "tuple_keys",
    "window_mask",
]
