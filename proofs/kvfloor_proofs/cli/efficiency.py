"""`kvfloor efficiency`."""

from __future__ import annotations

import json
from typing import Any

import click

from kvfloor_proofs.cli.failing import complain, verbose
from kvfloor_proofs.cli.files import check_writable, write
from kvfloor_proofs.cli.settings import configured, importable

__all__ = ["efficiency"]


@click.command()
@click.argument("factory", metavar="MODULE:FACTORY")
@click.option("-n", type=int, required=True, help="Tokens.")
@click.option("-d", type=int, required=True, help="Dimension of keys.")
@click.option("--d-v", type=int, help="Dimension of values.  [default: as many]")
@click.option("--order", default=1, show_default=True, help="Slots of keys and values.")
@click.option("--alpha", required=True, help="Absolute part of the guarantee.")
@click.option("--eta", default="0", show_default=True, help="Relative part.")
@click.option("--family", default="auto", show_default=True, help="Of the instances.")
@click.option("--levels", type=int, help="Of a symbol.  [default: chosen on other instances]")
@click.option("--instances", default=4, show_default=True, help="That count.")
@click.option("--confidence", default="0.999999", show_default=True, help="Of what is certified.")
@click.option("--seconds", default=10.0, show_default=True, help="Time limit for each answer.")
@click.option("--seed", default=0, show_default=True, help="Of instances and coins.")
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="Option of the cache.")
@click.option("--json", "json_file", metavar="FILE", help="Write the result; - for stdout.")
@verbose
def efficiency(
    *, factory: str, settings: tuple[str, ...], json_file: str | None, **terms: Any
) -> int:
    """Measure how many of the bits that a cache keeps it gives back.

    Exit status 2 if it misbehaves, or gives back more than its state can hold.

    Example: kvfloor efficiency mycaches:Mine -n 64 -d 16 --alpha 1/8
    """
    from kvfloor import efficiency as measure
    from kvfloor.isolation import Misbehaviour
    from kvfloor_proofs.report import Output, show_efficiency

    if json_file is not None:
        check_writable(json_file, "--json")
    try:
        found = measure(importable(configured(factory, settings), "factory"), **terms)
    except Misbehaviour as fault:
        complain(f"{factory}: {fault.kind}: {fault}")
    if json_file != "-":
        show_efficiency(found, Output())
    if json_file is not None:
        write(json_file, json.dumps(found.to_json(), indent=2) + "\n")
    return 0
