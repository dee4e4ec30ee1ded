"""How an audit inside a model is shown: a line for each number, then what was found."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kvfloor.adapters import ModelAudit, ModelCache
from kvfloor.audit import LOSSES
from kvfloor_proofs.report.lines import write_line

__all__ = ["show_model_audit"]


def show_model_audit(found: ModelAudit, console: Console, *, quiet: bool = False) -> None:
    """Show what an audit inside a model found; with ``quiet`` the findings alone."""
    if not quiet:
        table = Table.grid(padding=(0, 2))
        for name, value in _lines(found):
            table.add_row(name, Text(value, overflow="fold"))
        console.print(table)
    for finding in found.findings:
        write_line(console, f"{found.compressor}: {finding.kind}: {finding.reason}")
    if not quiet:
        for loss in found.losses:
            if loss in LOSSES:
                write_line(console, f"{loss}: {LOSSES[loss]}")
        write_line(console, f"{found.verdict}: {found.meaning}")
        write_line(console, ModelCache.scope)


def _lines(found: ModelAudit) -> Iterator[tuple[str, str]]:
    sizes = found.sizes
    yield "compressor", found.compressor
    yield (
        "model",
        f"{sizes.layers} layers, {sizes.query_heads} heads over {sizes.heads} key-value heads"
        f"{', from latents' * sizes.latent}",
    )
    window = "" if sizes.window is None else f", window {sizes.window}"
    yield "shape", f"n = {sizes.n}, d = {sizes.d}{window}"
    accuracy = f"α = {found.guarantee.alpha}, η = {found.guarantee.eta}"
    yield "accuracy", f"{accuracy}; the model's own arithmetic {float(found.arithmetic):.2g}"
    yield "floor", f"{found.floor_bits} bits"
    if found.held:
        each = found.held["bits"] / (sizes.n * sizes.layers * sizes.heads)
        parts = ", ".join(f"{name} {bits}" for name, bits in found.held["parts"].items())
        yield "bits held", f"{found.held['bits']}, {each:.1f} a token and head: {parts}"
        yield "of them empty", str(found.held["empty"])
        yield "beside them", f"{found.held['unreached']} of storage that no tensor reaches"
        yield "tokens kept", ", ".join(map(str, found.lengths))
    if found.outside:
        outside = ", ".join(f"{name} {bits}" for name, bits in found.outside.items())
        yield "outside the cache", outside
    if found.asked:
        back = found.asked - found.wrong
        yield "bits back", f"{back} of {found.asked} that were asked for"
        yield "outside (η, α)", f"{found.failed} of {found.asked} numbers"
    if found.retrieved is not None:
        yield "certified", f"{found.retrieved // 1} bits"
    yield "verdict", found.verdict
    yield "seconds", f"{found.seconds:.1f}"
