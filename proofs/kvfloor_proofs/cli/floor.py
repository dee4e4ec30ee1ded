"""`kvfloor floor`."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import click

from kvfloor_proofs.cli.failing import verbose
from kvfloor_proofs.cli.files import check_writable, write

__all__ = ["floor"]

SHAPE = ("d", "d_v", "layers", "kv_heads", "window")
TRACE = ("keys", "queries", "norm", "scale", "certificate")


@click.command()
@click.argument("trace", metavar="[TRACE]", required=False)
@click.option("-n", type=int, help="Tokens.")
@click.option("-d", type=int, help="Entries of a key.")
@click.option("--d-v", type=int, help="Entries of a value.  [default: as many]")
@click.option("--layers", type=int, help="Layers.  [default: 1]")
@click.option("--kv-heads", type=int, help="Key-value heads of a layer.  [default: 1]")
@click.option("--window", type=int, help="Tokens that a query sees.  [default: all]")
@click.option("--config", metavar="FILE", help="A Transformers config.json, for all of these.")
@click.option("--order", default=1, show_default=True, help="Slots of keys and values.")
@click.option("--eta", default="0", show_default=True, help="Relative part of the guarantee.")
@click.option("--alpha", default="0", show_default=True, help="Absolute part.")
@click.option("--delta", default="0", show_default=True, help="How often a query may fail it.")
@click.option("--rho", help="Bound on scale·‖q‖·‖k‖, in nats.  [default: none]")
@click.option("--keys", default="keys", show_default=True, help="Array of the trace.")
@click.option("--queries", help="Likewise.  [default: queries]")
@click.option("--norm", help="Of all queries that are served, in place of those of the trace.")
@click.option("--scale", help="Of the logits of the trace.  [default: 1/sqrt(d)]")
@click.option("--certificate", metavar="FILE", help="Write what `kvfloor check` accepts.")
@click.option("--levels", default=2**16, show_default=True, help="Of an entry at most.")
@click.option("--plot", metavar="FILE", help="Draw it against α and n (needs kvfloor[plot]).")
@click.option("--json", "json_file", metavar="FILE", help="Write the result; - for stdout.")
@verbose
def floor(*, trace: str | None, plot: str | None, json_file: str | None, **options: Any) -> int:
    """Say how many bits a KV cache needs, and which claim says so.

    Of a shape, or of a model's configuration; of a TRACE, .npz or .safetensors, what its keys and
    queries force, whatever the values are.

    Example: kvfloor floor -n 131072 -d 128 --layers 32 --kv-heads 8 --alpha 1/256
    """
    for option, file in (("--json", json_file), ("--plot", plot)):
        if file is not None:
            check_writable(file, option)
    if plot is not None:
        from kvfloor.audit import canvas

        canvas()  # before the work
    for_traces = {name: options.pop(name) for name in TRACE}
    if trace is None:
        _refuse(for_traces | {"keys": None}, "a TRACE beside it")
        document, panels = _of_shape(options, shown=json_file != "-")
    else:
        given = {name: options.pop(name) for name in ("n", "config", "order", "rho", *SHAPE)}
        d_v, order = given.pop("d_v"), given.pop("order")
        _refuse(
            given | {"--order": None if order == 1 else order},
            "none beside a TRACE, which has its own",
        )
        told = options | {"d_v": d_v}
        document, panels = _of_trace(trace, told, for_traces, shown=json_file != "-")
    if plot is not None:
        from kvfloor_proofs.report import draw_panels

        draw_panels(panels(), plot)
    if json_file is not None:
        write(json_file, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return 0


def _refuse(options: dict[str, Any], beside: str) -> None:
    for name, value in options.items():
        if value is not None:
            raise click.UsageError(f"{_dashed(name)}: expected {beside}")


def _dashed(name: str) -> str:
    return f"-{name}" if len(name) == 1 else f"--{name.strip('-').replace('_', '-')}"


def _of_shape(options: dict[str, Any], *, shown: bool) -> tuple[Any, Callable[[], Any]]:
    """The floors of a shape as a document, and what makes the panels of a picture of them."""
    from kvfloor import model_floors
    from kvfloor_proofs.report import Output, floors_to_json, panels_of_shape, show_floors

    n, config = options.pop("n"), options.pop("config")
    if n is None:
        raise click.UsageError("-n: expected the number of tokens, or a TRACE")
    parts = _parts(config, {name: options.pop(name) for name in SHAPE})
    found = model_floors(parts, n, **options)
    if shown:
        show_floors(found, n, Output(), order=options["order"])

    def floors_at(tokens: int, alpha: Any) -> Any:
        return model_floors(
            parts, tokens, **(options if alpha is None else options | {"alpha": alpha})
        )

    panels = partial(panels_of_shape, floors_at, n, options["order"])
    return floors_to_json(found, n, options), panels


def _of_trace(
    trace: str, options: dict[str, Any], names: dict[str, Any], *, shown: bool
) -> tuple[Any, Callable[[], Any]]:
    """The same of a trace."""
    from kvfloor import InputError, floor_of
    from kvfloor.attention import INVERSE_SQRT_D
    from kvfloor_proofs.report import Output, given_to_json, panels_of_trace, show_given

    if names["certificate"] is not None:
        check_writable(names["certificate"], "--certificate")
    scale = INVERSE_SQRT_D if names["scale"] is None else names["scale"]
    slots, queries = _given(trace, names, scale)
    found = floor_of(slots, queries, scale=scale, **options)
    if found.certificate is None and names["certificate"] is not None:
        raise InputError("--certificate", "a trace that forces a bit", "one of which none is found")
    terms = options | {"scale": scale, "norm": names["norm"]}
    document = given_to_json(found, slots, queries, terms)
    if shown:
        show_given(document, Output())
    if names["certificate"] is not None:
        write(names["certificate"], json.dumps(found.certificate, indent=1) + "\n")

    def floor_at(alpha: Any) -> Any:
        return floor_of(slots, queries, scale=scale, **(options | {"alpha": alpha}))

    return document, partial(panels_of_trace, floor_at, document["float16"])


def _given(trace: str, names: dict[str, Any], scale: Any) -> tuple[list[Any], Any]:
    """Keys of each slot and queries: those of the trace, or the best ones of a norm."""
    from kvfloor import InputError, free_queries
    from kvfloor.traces import read_arrays

    norm, asked = names["norm"], names["queries"] or "queries"
    if norm is not None and names["queries"] is not None:
        raise InputError("--norm", "none beside --queries", norm)
    arrays = read_arrays(trace, "trace", (names["keys"], *([asked] if norm is None else [])))
    keys = arrays[names["keys"]]
    if keys.ndim not in (2, 3):
        raise InputError("keys", "two axes, or three with a slot first", f"shape {keys.shape}")
    slots = [keys] if keys.ndim == 2 else list(keys)
    if norm is None:
        return slots, arrays[asked]
    if len(slots) > 1:
        raise InputError("--norm", "keys of one slot", f"{len(slots)} slots")
    return slots, free_queries(slots[0], norm=norm, scale=scale)


def _parts(config: str | None, shape: dict[str, int | None]) -> Any:
    """The layers that are alike, from a configuration or from options."""
    from kvfloor import Part
    from kvfloor.adapters import read_configuration

    named = {name: value for name, value in shape.items() if value is not None}
    if config is not None:
        for name in named:
            raise click.UsageError(
                f"{_dashed(name)}: expected none beside --config, which has its own"
            )
        return read_configuration(config)
    if "d" not in named:
        raise click.UsageError("-d: expected the entries of a key, or a --config")
    d = named["d"]
    heads = named.get("kv_heads", 1)
    part = Part(named.get("layers", 1), heads, d, named.get("d_v", d), named.get("window"))
    return (part,)
