"""The named targets: a row for each. To add one is said in docs/conformance.md."""

from __future__ import annotations

from typing import Any

from kvfloor.conformance.domain import MASKS, PADDINGS, Domain
from kvfloor.conformance.target import Target
from kvfloor.conformance.targets.named import Arithmetic, NamedTarget
from kvfloor.errors import InputError

__all__ = ["NAMED", "find_named", "named_target"]

FLOAT32 = {"float32": Arithmetic("float32")}
FLOAT64 = {"float64": Arithmetic("float64")}
# as flash attention does: weights meet the values in the format of the inputs
STORED = {name: Arithmetic("float32", name) for name in ("bfloat16", "float16")}
# every operation in the format of the inputs
PLAIN = {name: Arithmetic(name) for name in ("bfloat16", "float16")}
# sums of blocks of 32 queries, or more, are added up in the format of the inputs
ADDED = {name: {"added": name, "block": 32} for name in STORED}
OUTPUT = {"returns": ("output",), "grouped": True}
TORCH = OUTPUT | {"arrays": "torch"}

NAMED = (
    NamedTarget(
        "torch:sdpa",
        "torch",
        "pytorch:sdpa",
        formats=FLOAT32 | FLOAT64 | STORED,
        masks=("none", "causal-top-left", "boolean"),
        padded=PADDINGS,
        call=TORCH,
        pulled=ADDED,
    ),
    NamedTarget(
        "torch:flex",
        "torch",
        "pytorch:flex",
        formats=FLOAT32 | FLOAT64 | STORED,
        masks=MASKS,
        padded=PADDINGS,
        call={"arrays": "torch", "grouped": True},
    ),
    NamedTarget(
        "jax:dot-product-attention",
        "jax",
        "jax:attention",
        formats=FLOAT32 | STORED,
        masks=("none", "causal-top-left", "window", "boolean"),
        domain=Domain(d_v="same"),
        padded=PADDINGS,
        windows="top-left",
        call={"arrays": "jax", "layout": "bnhd", "grouped": True},
    ),
    NamedTarget(
        "transformers:eager",
        "transformers",
        "transformers:eager",
        formats=FLOAT32 | PLAIN,
        masks=("none", "boolean"),
        padded=PADDINGS,
        needs=("torch",),
        call=TORCH,
    ),
    NamedTarget(
        "transformers:sdpa",
        "transformers",
        "transformers:sdpa",
        formats=FLOAT32 | FLOAT64 | STORED,
        masks=("none", "boolean"),
        padded=PADDINGS,
        needs=("torch",),
        call=TORCH,
        pulled=ADDED,
    ),
    NamedTarget(
        "simplicial-attention:naive",
        "simplicial-attention",
        "simplicial:naive",
        formats=FLOAT32 | FLOAT64 | PLAIN,
        masks=("none", "causal"),
        orders=(2,),
        domain=Domain(queries="same"),
        scales=False,
        call=TORCH,
    ),
    NamedTarget(
        "simplicial-attention:nth",
        "simplicial-attention",
        "simplicial:nth_order",
        formats=FLOAT32 | FLOAT64 | PLAIN,
        masks=("none", "causal"),
        orders=(2, 1, 3),
        domain=Domain(queries="same"),
        scales=False,
        call=TORCH,
    ),
    NamedTarget(
        "simplicial-attention:triton",
        "simplicial-attention",
        "simplicial_triton:sliding",
        formats={"bfloat16": Arithmetic("bfloat16")},  # products of the query and a key are stored
        masks=("causal", "window"),
        orders=(2,),
        domain=Domain(d=64, d_v="same", queries="same"),
        windows="causal",
        scales=False,
        cuda=True,
        needs=("triton",),
        call=TORCH | {"layout": "bnhd"},
    ),
    NamedTarget(
        "flash-attn",
        "flash-attn",
        "flash_attn:attention",
        formats=STORED,
        masks=("none", "causal", "window"),
        domain=Domain(d="multiple=8,least=8,most=256", d_v="same"),
        windows="bottom-right",
        cuda=True,
        call=TORCH | {"layout": "bnhd"},
    ),
    NamedTarget(
        "xformers",
        "xformers",
        "xformers:attention",
        formats=STORED | FLOAT32,
        masks=("none", "causal-top-left"),
        domain=Domain(d="multiple=8,least=8,most=256", d_v="multiple=8,least=8,most=256"),
        cuda=True,
        call=TORCH | {"layout": "bnhd", "grouped": False},
    ),
    NamedTarget(
        "flashinfer",
        "flashinfer-python",
        "flashinfer:prefill",
        formats=STORED,
        masks=("none", "causal"),
        domain=Domain(d=(64, 128, 256), d_v="same", queries="fewer"),
        cuda=True,
        call=TORCH | {"layout": "nhd"},
    ),
    NamedTarget(
        "onnx:reference",
        "onnx",
        "onnx:reference",
        formats=FLOAT32 | FLOAT64 | PLAIN,
        masks=MASKS,
        padded=PADDINGS,
        terms=("softcap", "bias"),
        stages=True,
        call=OUTPUT,
    ),
    NamedTarget(
        "onnxruntime:attention",
        "onnxruntime",
        "onnxruntime:attention",
        formats=FLOAT32 | {"float16": Arithmetic("float16")},
        masks=MASKS,
        padded=PADDINGS,
        terms=("softcap", "bias"),
        stages=True,
        needs=("onnx",),
        call=OUTPUT,
    ),
)


def find_named(name: str) -> NamedTarget | None:
    """Return the named target of a name, None if there is none."""
    return next((named for named in NAMED if named.name == name), None)


def named_target(name: str, *, domain: Domain | None = None, **declared: Any) -> Target:
    """Return a named target, with other declarations than its own where some are given.

    Parameters
    ----------
    name : str
        One of ``kvfloor conform --list``.
    domain : Domain, optional
        The part of what it serves that is to be examined.
    **declared
        Parameters of `Target`.

    Raises
    ------
    InputError
        If there is no such name, it is not installed, or it does not serve what is declared.
    """
    found = find_named(name)
    if found is None:
        raise InputError.among("name", (named.name for named in NAMED), repr(name))
    return found.target(domain=domain or Domain(), **declared)
