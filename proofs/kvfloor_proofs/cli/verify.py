"""`kvfloor verify`."""

from __future__ import annotations

import click

from kvfloor_proofs.cli.failing import is_verbose, verbose
from kvfloor_proofs.cli.files import check_writable, html_pages, quiet, write

__all__ = ["verify"]


def _matching(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    from kvfloor_proofs.claims import SLUGS

    return [slug for slug in SLUGS if slug.startswith(typed)]


@click.command()
@click.argument("slugs", metavar="[SLUG]...", nargs=-1, shell_complete=_matching)
@click.option("--examples", default=50, show_default=True, help="Instances for each property.")
@click.option("--seed", default=0, show_default=True, help="Of instances and check points.")
@click.option("--jobs", type=int, help="Processes.  [default: one a core]")
@click.option("--json", "json_file", metavar="FILE", help="Write the results; - for stdout.")
@click.option("--html", "html_file", metavar="FILE", help="Write a page to look at; - for stdout.")
@quiet
@verbose
@click.option("--kernel", is_flag=True, help="Have Coq check the theorems too (a minute or two).")
def verify(
    slugs: tuple[str, ...],
    examples: int,
    seed: int,
    jobs: int | None,
    json_file: str | None,
    html_file: str | None,
    kernel: bool,
    quiet: bool,
) -> int:
    """Run claims: derivations, properties, certificates, and the functions that users call.

    Without a SLUG, all of them. Exit status 0 only if every verdict is what the registry says, 2 if
    this program failed by itself, else 1.

    Example: kvfloor verify four-cache --examples 200
    """
    from kvfloor.workers import cores
    from kvfloor_proofs.claims import SLUGS, load
    from kvfloor_proofs.kernel import audit, sources
    from kvfloor_proofs.report import Output, show, show_fast_path, to_json
    from kvfloor_proofs.verify import verify as run
    from kvfloor_proofs.verify import with_theorems

    files = {"--json": json_file, "--html": html_file}
    for option, file in files.items():
        if file is not None:
            check_writable(file, option)
    if list(files.values()).count("-") > 1:
        raise click.UsageError("--html: expected a file, as --json is on standard output, got '-'")
    pages = None if html_file is None else html_pages()
    wanted = tuple(dict.fromkeys(slugs)) or SLUGS
    claims = [load(slug) for slug in wanted]
    audited = audit(sources()) if kernel else None
    workers = cores() if jobs is None else jobs
    results = run(wanted, examples=examples, seed=seed, jobs=workers)
    if audited is not None:
        results = (with_theorems(result, audited.theorems) for result in results)
    console = Output(stderr="-" in files.values())
    ordered = show(claims, results, console, kernel=kernel, quiet=quiet, verbose=is_verbose())
    if audited is not None and not quiet:
        show_fast_path(audited, console)
    if json_file is not None:
        write(json_file, to_json(claims, ordered, audited))
    if html_file is not None and pages is not None:
        write(html_file, pages.page(claims, ordered, examples=examples, seed=seed))
    if any(result.errors for result in ordered):
        return 2
    return 0 if all(result.ok for result in ordered) else 1
