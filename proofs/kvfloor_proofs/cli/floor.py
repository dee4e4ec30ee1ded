"""`kvfloor floor`."""

from __future__ import annotations

import json
from typing import Any

import click

from kvfloor_proofs.cli.failing import verbose
from kvfloor_proofs.cli.files import check_writable, write

__all__ = ["floor"]

SHAPE = ("d", "d_v", "layers", "kv_heads", "window")


@click.command()
@click.option("-n", type=int, required=True, help="Tokens.")
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
@click.option("--levels", default=2**16, show_default=True, help="Of an entry at most.")
@click.option("--json", "json_file", metavar="FILE", help="Write the result; - for stdout.")
@verbose
def floor(*, n: int, config: str | None, json_file: str | None, **options: Any) -> int:
    """Say how many bits a KV cache needs, and which claim says so.

    Example: kvfloor floor -n 131072 -d 128 --layers 32 --kv-heads 8 --alpha 1/256
    """
    from kvfloor import model_floors
    from kvfloor_proofs.report import Output, floors_to_json, show_floors

    if json_file is not None:
        check_writable(json_file, "--json")
    parts = _parts(config, {name: options.pop(name) for name in SHAPE})
    found = model_floors(parts, n, **options)
    if json_file != "-":
        show_floors(found, n, Output(), order=options["order"])
    if json_file is not None:
        document = floors_to_json(found, n, options)
        write(json_file, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return 0


def _parts(config: str | None, shape: dict[str, int | None]) -> Any:
    """The layers that are alike, from a configuration or from options."""
    from kvfloor import Part
    from kvfloor.adapters import read_configuration

    named = {name: value for name, value in shape.items() if value is not None}
    if config is not None:
        for name in named:
            option = "-d" if name == "d" else f"--{name.replace('_', '-')}"
            raise click.UsageError(f"{option}: expected none beside --config, which has its own")
        return read_configuration(config)
    if "d" not in named:
        raise click.UsageError("-d: expected the entries of a key, or a --config")
    d = named["d"]
    heads = named.get("kv_heads", 1)
    part = Part(named.get("layers", 1), heads, d, named.get("d_v", d), named.get("window"))
    return (part,)
