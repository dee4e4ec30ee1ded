"""The page that `kvfloor verify --html` writes: verdicts, pictures, and every claim in full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from kvfloor_proofs.constants import held_by
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.html.chains import chain, formula
from kvfloor_proofs.html.pictures import PICTURES, Panel, Picture
from kvfloor_proofs.html.pictures.svg import svg
from kvfloor_proofs.html.prose import line, paragraphs
from kvfloor_proofs.html.versions import versions
from kvfloor_proofs.verify import ERROR, NOT_ESTABLISHED, ClaimResult

__all__ = ["page"]

COLUMNS = ("claim", "verdict", "statement and source", "steps", "instances", "certificates")
STYLE = files("kvfloor_proofs.html") / "templates" / "style.css"
RULES = """\
*Algebra*: two sides have one normal form. *Positivity*: the difference has a sign, by the ranges of
the variables. *Monotone*: a function that grows or falls keeps or turns an inequality. *Termwise*:
sums over one range are compared term by term. *Induction*: the base case, and the growth from n to
n + 1. *Cite*: an instance of another derivation, which is checked, or of an elementary fact."""
SOURCES = (
    (
        "TMT",
        "Chen, Li, Liang, Shi, Song, Tian: *Time and Memory Trade-off of KV-Cache Compression in "
        "Tensor Transformer Decoding*, arXiv:2503.11108v2; v1 is its first version",
    ),
    (
        "HO25",
        "Haris, Onak: *Compression Barriers for Autoregressive Transformers*, COLT 2025, "
        "arXiv:2502.15955",
    ),
    ("AS23", "Alman, Song: *How to Capture Higher-order Correlations?*, arXiv:2310.04064"),
)
# How a verdict looks (its class in the style sheet, its mark) and what it means.
VERDICTS = {
    "holds": ("good", "✓", "Proved as stated, with the constants given."),
    "holds in model M": ("model", "✓", "Proved once the model of computation is made precise."),
    "refuted as read": ("refuted", "✗", "A literal reading fails, by the counterexample shown."),
    NOT_ESTABLISHED: ("bad", "!", "Something that was run disagrees with the registry."),
    ERROR: ("unknown", "?", "The program failed by itself, which says nothing about the claim."),
}


def page(
    claims: Sequence[Claim], results: Sequence[ClaimResult], *, examples: int, seed: int
) -> str:
    """Return the page, complete in itself: one HTML document that loads nothing.

    Parameters
    ----------
    claims : sequence of Claim
    results : sequence of ClaimResult
        In the same order.
    examples, seed : int
        With which they were run.
    """
    slugs = [claim.slug for claim in claims]
    environment = _environment(slugs)
    established = sum(result.ok for result in results)
    counts = Counter(result.verdict for result in results)
    options = f"--examples {examples} --seed {seed}"
    environment.filters["again"] = lambda slug: f"kvfloor verify {slug} {options}"
    kernel = any(result.theorems for result in results)
    columns = (*COLUMNS, *(["theorems"] if kernel else []), "seconds")
    return environment.get_template("page.html").render(
        title=f"{established} of {len(results)} verdicts established",
        ok=established == len(results),
        verdicts=[(verdict, counts[verdict]) for verdict in VERDICTS if counts[verdict]],
        columns=columns,
        kernel=kernel,
        pairs=list(zip(claims, results, strict=True)),
        slugs=slugs,
        pictures=[(p, _drawn(p)) for p in PICTURES if set(p.claims) & set(slugs)],
        rules=line(" ".join(RULES.split())),
        sources=[(key, line(source)) for key, source in SOURCES],
        style=Markup(STYLE.read_text("utf-8")),  # noqa: S704 (our own)
        examples=examples,
        seed=seed,
        command=f"kvfloor verify {options} --html FILE",
        versions=versions(),
    )


def _environment(slugs: Sequence[str]) -> Environment:
    environment = Environment(
        loader=PackageLoader("kvfloor_proofs.html"),
        autoescape=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "line": line,
        "paragraphs": lambda markdown: paragraphs(markdown, slugs),
        "chain": chain,
        "tone": lambda verdict: VERDICTS[verdict][0],
        "mark": lambda verdict: VERDICTS[verdict][1],
        "meaning": lambda verdict: VERDICTS[verdict][2],
        "number": lambda x: f"{x:.4g}" if isinstance(x, float) else str(x),
        "constants": held_by,
        "formula": lambda said: said if isinstance(said, str) else formula(said),
        "first": lambda text: text.strip().splitlines()[0],
        "reasons": lambda result: result.reasons,
    }
    return environment


def _drawn(picture: Picture) -> list[tuple[Panel, Markup]]:
    return [
        (panel, svg(panel, f"{picture.name}-{number}"))
        for number, panel in enumerate(picture.panels(), start=1)
    ]
