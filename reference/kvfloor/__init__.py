"""Tensor attention, exactly, and the lower bounds on its KV cache."""

from kvfloor.attention import Attention, khatri_rao, tensor_attention, tensor_attention_khatri_rao
from kvfloor.certificate import Outcome, check
from kvfloor.collision import Collision, birthday, pigeonhole
from kvfloor.errors import InputError
from kvfloor.exact import ExactAttention, ExactOutput
from kvfloor.floors import Guarantee
from kvfloor.instances import BinaryValues, Token
from kvfloor.keys import AddressBook, binary_keys, orthonormal, parabola, sign_keys
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
    "binary_keys",
    "birthday",
    "causal_mask",
    "check",
    "khatri_rao",
    "orthonormal",
    "parabola",
    "pigeonhole",
    "sign_keys",
    "tensor_attention",
    "tensor_attention_khatri_rao",
    "window_mask",
]
