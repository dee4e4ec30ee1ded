"""`kvfloor conform` and `kvfloor vectors`."""

from __future__ import annotations

from pathlib import Path

import click

from kvfloor_proofs.cli.failing import verbose
from kvfloor_proofs.cli.files import check_writable, quiet, write

__all__ = ["conform", "vectors"]


def _list(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    """Show the named targets, in place of a run."""
    if wanted:
        from kvfloor.conformance import NAMED
        from kvfloor_proofs.report import Output, show_named

        show_named(NAMED, Output())
        context.exit()


@click.command()
@click.argument("target", metavar="MODULE:FUNCTION")
@click.option(
    "--what",
    type=click.Choice(("attention", "backward", "merge")),
    default="attention",
    show_default=True,
    help="What it computes; backward: gradients; merge: f(outputs, logsumexps) of partial states.",
)
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list,
    help="Show the targets that have a name.",
)
@click.option("--dtype", help="Format of the inputs.")
@click.option("--accumulate", help="Format of the arithmetic.")
@click.option("--order", type=int, help="Slots of keys and values.  [default: 2; backward: 1]")
@click.option("--layout", help="Axes: batch, heads, tokens, columns.  [default: bhnd]")
@click.option("--scale", help="A number, or 1/sqrt(d).  [default: 1/sqrt(d)]")
@click.option(
    "--mask",
    help="none, causal, causal-top-left, boolean, or window,left=3,right=0 "
    "(L1/L2 a slot; also top-left).  [default: none]",
)
@click.option("--returns", help="output, or output,logsumexp.  [default: output,logsumexp]")
@click.option("--block", help="Tokens of a block of an online softmax, or one number a slot.")
@click.option("--weights", help="Format of stored weights.  [default: that of the arithmetic]")
@click.option("--exp-ulps", type=float, help="What exp and log are within.  [default: 4]")
@click.option("--logsumexp-base", help="What log-sum-exps are logarithms to: e or 2.  [default: e]")
@click.option("--exp-base", help="merge: what is raised to a power.  [default: the same]")
@click.option("--logsumexps", help="merge: format of those given.  [default: the arithmetic's]")
@click.option("--reads", help="backward: what of the forward's is read: output, logsumexp or none.")
@click.option("--gradients", help="backward: of bias, sink, or both, which are returned, too.")
@click.option(
    "--logsumexp-cotangent",
    is_flag=True,
    default=None,
    help="backward: it takes a cotangent of the log-sum-exp.",
)
@click.option("--added", help="backward: format of sums of blocks.  [default: the arithmetic's]")
@click.option(
    "--differentiable",
    is_flag=True,
    default=None,
    help="backward: it is a forward pass of PyTorch or JAX, whose backward pass is called.",
)
@click.option("--empty", help="Output of a row without a tuple: zero or nan.  [default: zero]")
@click.option("--grouped", is_flag=True, default=None, help="Heads may share keys and values.")
@click.option("--arrays", help="numpy, torch, jax or a module.  [default: numpy]")
@click.option("--sink", is_flag=True, default=None, help="It is given a logit for each head.")
@click.option("--softcap", type=float, help="c: logits become c·tanh(s/c).")
@click.option("--bias", help="What is added to logits: alibi (its slopes are given), or array.")
@click.option(
    "--quantised",
    help="Keys and values are codes: int8 (uint8, int4, uint4, float8_e4m3fn, float8_e5m2), "
    "per=token (head, tensor, block), block=16, zero-point, query, rounded=bfloat16.",
)
@click.option(
    "--packed", help="Sequences lie one after another: plain, empty,slack or one of them."
)
@click.option("--pages", type=int, help="Keys and values are in pages of so many tokens.")
@click.option("--padded", help="Keys may be padded: left,right,empty or a part of that.")
@click.option("--skips", is_flag=True, default=None, help="What no query sees is never read.")
@click.option(
    "--bitwise",
    help="Calls with the same bits: none, or of repeat,row-alone,row-moved,"
    "splits.  [default: repeat]",
)
@click.option("--splits", help="Counts of splits it can be told, the usual one first: 1,2,4.")
@click.option("--d", help="Head sizes served: 64,128, or multiple=16,least=16,most=256.")
@click.option("--d-v", help="The same for values; or same, as d.")
@click.option("--tokens", help="Tokens of a slot that are served.")
@click.option("--queries", help="Queries that are served; same, as tokens; fewer, at most as many.")
@click.option("--batch", help="Batches that are served.")
@click.option("--heads", help="Heads of the query that are served.")
@click.option("--groups", help="Heads of the query for each of the keys that are served.")
@click.option("--views", help="Views served: none, or of strided,columns,offset,expanded.  [all]")
@click.option(
    "--examples", default=10, show_default=True, help="Drawn cases for each entry; 0 for none."
)
@click.option("--seed", default=0, show_default=True, help="Of all that is drawn.")
@click.option("--power", is_flag=True, help="Say which smallest faults each entry shows.")
@click.option("--json", "json_file", metavar="FILE", help="Write the report; - for stdout.")
@quiet
@verbose
def conform(
    *,
    target: str,
    what: str,
    examples: int,
    seed: int,
    power: bool,
    json_file: str | None,
    quiet: bool,
    **declared: str | float | None,
) -> int:
    """Compare an implementation of attention with the correctly rounded results.

    MODULE:FUNCTION is called as f(q, (K1, ...), (V1, ...), scale=..., mask=...), and with sink=,
    softcap=, bias=, splits=, key_scales= and the like if these are declared; or it names a
    kvfloor.conformance.Target, which says everything itself; or it is one of --list, such as
    torch:sdpa, and options say what differs.
    It is called only for what it serves (--d, --d-v, --tokens, ...). Exit status 0 if every number
    is within its derived bound, 1 if not, or if too little is served to say anything, 2 if it
    never answers.

    With --what backward it is called as f(q, (K1, ...), (V1, ...), cotangent, scale=..., mask=...,
    output=..., logsumexp=...) and returns dq, (dK1, ...), (dV1, ...), and dbias and dsink if these
    are declared (--gradients); or it is --differentiable, as targets with a name are.

    With --what merge it is called as f(outputs, logsumexps), of shapes (parts, rows, heads, d_v)
    and (parts, rows, heads); --tokens are parts, --batch rows.

    Example: kvfloor conform mine:attention --dtype bfloat16 --accumulate float32 --mask causal

    Example: kvfloor conform torch:sdpa --dtype bfloat16 --what backward
    """
    from kvfloor_proofs.cli.conforming import as_described

    if json_file is not None:
        check_writable(json_file, "--json")
    told = {k: v for k, v in declared.items() if v is not None}
    made = as_described(what, target, told)
    from kvfloor.conformance import run
    from kvfloor_proofs.report import Output, following

    with following("entries", Output(stderr=True)) as progress:
        report = run(made, examples=examples, seed=seed, power=power, progress=progress)
    if not quiet or not report.ok:
        click.echo(str(report), err=json_file == "-")
    if json_file is not None:
        write(json_file, report.to_json())
    return 0 if report.ok else 1 if report.answered else 2


@click.command()
@click.option("--out", metavar="DIR", required=True, help="A folder; it is made if need be.")
@quiet
@verbose
def vectors(out: str, quiet: bool) -> int:
    """Write test vectors: inputs and correctly rounded results, one file a format.

    Example: kvfloor vectors --out vectors
    """
    from kvfloor.conformance import write

    if Path(out).exists() and not Path(out).is_dir():
        raise click.UsageError(f"--out: expected a folder, got {out!r}")
    for path in write(Path(out)):
        if not quiet:
            click.echo(str(path))
    return 0
