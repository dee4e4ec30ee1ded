"""``kvfloor audit --in-model``: a press or a cache implementation, audited inside a model."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click
from click.core import ParameterSource

from kvfloor_proofs.cli.certificates import write_certificates
from kvfloor_proofs.cli.files import check_folder, check_writable, write
from kvfloor_proofs.cli.picture import check_picture, draw_in_model
from kvfloor_proofs.cli.verdicts import VERDICT_CODES

__all__ = ["audit_model", "model_options", "without_models"]

OF_MODELS = (
    "layers", "heads", "query_heads", "window", "latent", "largest", "prefill", "attention",
    "sample",
)  # fmt: skip
SHARED = (
    "n",
    "d",
    "eta",
    "alpha",
    "confidence",
    "seconds",
    "seed",
    "certificates",
    "json_file",
    "picture",
    "quiet",
)
OPTIONS = (
    click.option(
        "--in-model", metavar="COMPRESSOR", help="A press or cache: MODULE:NAME,OPTION=VALUE,..."
    ),
    click.option("--layers", default=2, show_default=True, help="Of the model."),
    click.option("--heads", default=2, show_default=True, help="Key-value heads of a layer."),
    click.option("--query-heads", type=int, help="Of a layer.  [default: as many]"),
    click.option("--window", type=int, help="Tokens that a query sees.  [default: all]"),
    click.option("--latent", is_flag=True, help="Keys and values from latents, as DeepSeek's."),
    click.option("--largest", default=1.0, show_default=True, help="Of the values: a power of 2."),
    click.option("--prefill", type=int, help="Tokens taken at once.  [default: all]"),
    click.option("--attention", default="sdpa", show_default=True, help="Or eager."),
    click.option("--sample", default=32, show_default=True, help="Addresses asked of a head."),
)


def model_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add ``--in-model`` and what goes with it."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def audit_model(context: click.Context, compressor: str) -> int:
    """Run the audit that the options of a command ask for; return its exit status."""
    from kvfloor.adapters import audit_in_model
    from kvfloor_proofs.report import Output, show_model_audit

    for name in context.params:
        if _given(context, name) and name not in (*OF_MODELS, *SHARED, "in_model", "verbose"):
            raise click.UsageError(f"--in-model: expected no {_shown(name)} with it")
    options = {name: context.params[name] for name in (*OF_MODELS, *SHARED[:-4])}
    file, folder = context.params["json_file"], context.params["certificates"]
    picture = context.params["picture"]
    if picture is not None:
        check_writable(picture, "--picture")
        check_picture(picture)
    if file is not None:
        check_writable(file, "--json")
    if folder is not None:
        check_folder(folder, "--certificates")
    result = audit_in_model(compressor, **options)
    show_model_audit(result, Output(stderr=file == "-"), quiet=context.params["quiet"])
    if picture is not None:
        drawn = {name: options[name] for name in options if name not in ("sample", "confidence")}
        draw_in_model(compressor, result.compressor, picture, drawn)
    write_certificates(result.findings, folder)
    if file is not None:
        write(file, json.dumps(result.to_json(), indent=2) + "\n")
    return VERDICT_CODES[result.verdict]


def without_models(context: click.Context, terms: dict[str, Any]) -> dict[str, Any]:
    """Return the terms of an audit of a cache, which ``--in-model`` has nothing to do with."""
    for name in OF_MODELS:
        if _given(context, name):
            raise click.UsageError(f"{_shown(name)}: expected --in-model with it")
    if context.params["factory"] is None:
        raise click.UsageError("FACTORY: expected MODULE:FACTORY or --in-model, got neither")
    return {name: value for name, value in terms.items() if name not in OF_MODELS}


def _given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def _shown(name: str) -> str:
    return "FACTORY" if name == "factory" else f"--{name.replace('_', '-')}"
