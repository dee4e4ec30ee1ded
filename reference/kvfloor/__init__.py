"""Tensor attention, exactly, and the lower bounds on its KV cache."""

from kvfloor.attention import Attention, khatri_rao, tensor_attention, tensor_attention_khatri_rao
from kvfloor.audit import Audit, Finding, audit
from kvfloor.certificate import Outcome, check
from kvfloor.collision import Collision, birthday, flips, pigeonhole
from kvfloor.distinguished import distinguished_points
from kvfloor.enclosure import Enclosure, enclose
from kvfloor.errors import InputError
from kvfloor.exact import (
    ExactAttention,
    ExactNumber,
    ExactOutput,
    compare,
    equal,
    is_exactly,
)
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
from kvfloor.picture import draw
from kvfloor.rounding import Layers, Rounded, tensor_attention_rounded
from kvfloor.sweep import Row, Task, sweep

__version__ = "0.1.0"

__all__ = [
    "AddressBook",
    "Attention",
    "Audit",
    "BinaryValues",
    "Collision",
    "Enclosure",
    "ExactAttention",
    "ExactNumber",
    "ExactOutput",
    "Finding",
    "Guarantee",
    "InputError",
    "Layers",
    "Outcome",
    "Rounded",
    "Row",
    "Task",
    "Token",
    "TupleBook",
    "audit",
    "axes",
    "binary_keys",
    "birthday",
    "causal_mask",
    "check",
    "compare",
    "distinguished_points",
    "draw",
    "enclose",
    "equal",
    "flips",
    "greedy_code",
    "is_exactly",
    "khatri_rao",
    "orthonormal",
    "parabola",
    "pigeonhole",
    "polygon",
    "roots_d",
    "roots_e8",
    "sign_keys",
    "sign_tuples",
    "sweep",
    "tensor_attention",
    "tensor_attention_khatri_rao",
    "tensor_attention_rounded",
    "tuple_keys",
    "window_mask",
]
