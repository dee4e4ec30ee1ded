"""The pages in docs/claims, from the registry: ``python -m kvfloor_proofs.pages.claims FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import sympy as sp

from kvfloor_proofs.calculus import Derivation, Relation, Variable
from kvfloor_proofs.claims import SLUGS, load
from kvfloor_proofs.constants import held_by
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.constants import Tie
from kvfloor_proofs.kernel import statements

__all__ = ["index", "page", "write_pages"]

COQ = "../../proofs/coq"
KERNEL = "../kernel.md"
LABELS = "[labels](../definitions.md), [sources](../notation.md#sources)"
TIED = """\
Functions that users call, and what ties each to the claim. *Same expression*: called with these
symbols it returns that. *Same inputs*: it returns that end of a range that is assumed. *Both
sides*: on instances it is what the claim says, and the next number is not."""

RELATIONS = {
    Relation.EQ: "=",
    Relation.LE: r"\le",
    Relation.LT: "<",
    Relation.GE: r"\ge",
    Relation.GT: ">",
}


def page(claim: Claim) -> str:
    """Return the Markdown page of a claim."""
    parts = [
        f"# `{claim.slug}`",
        f"**{claim.title}.**",
        f"Verdict: *{claim.verdict}*. Source: {claim.source} ({LABELS}).",
        f"Run it all: `kvfloor verify {claim.slug}`.",
        claim.statement,
        "## Assumptions",
        "\n".join(f"* {assumption}" for assumption in claim.assumptions),
        *(["## Counterexample", claim.counterexample()] if claim.counterexample else []),
        "## Derivation",
        *(_derivation(derivation) for derivation in claim.derivations()),
        "## Property",
        "Run on instances drawn by Hypothesis:",
        "\n".join(f"* {_first_line(prop.__doc__)}" for prop in claim.properties),
        "## Constants",
        _constants(claim),
        "## Kernel",
        _kernel(claim),
    ]
    return "\n\n".join(parts) + "\n"


def _constants(claim: Claim) -> str:
    rows = [
        f"* `{constant.name}`: {'; '.join(dict.fromkeys(map(_tie, constant.ties)))}."
        + (f" Not tight: {constant.slack}." if constant.slack else "")
        for constant in held_by(claim.slug)
    ]
    if not rows:
        return "It hands none to users."
    return f"{TIED}\n\n" + "\n".join(rows)


def _tie(tie: Tie) -> str:
    if isinstance(tie.said, str):
        return f"{tie.kind}, {tie.text}"
    sign = tie.sign and RELATIONS[Relation(tie.sign)]
    before = "" if tie.variable is None else f"{_latex(tie.variable)} {sign} "
    return f"{tie.kind}, ${before}{_latex(tie.said)}$"


def _kernel(claim: Claim) -> str:
    if not claim.theorems:
        return f"No theorem: {claim.no_theorem}."
    names = "\n".join(f"* `{name}`" for name in claim.theorems)
    left_out = f"\n\nNot in the kernel: {claim.not_in_kernel}." if claim.not_in_kernel else ""
    proved = "Proved in part" if left_out else "Proved"
    file = f"{COQ}/{statements(claim.slug)}"
    return (
        f"{proved} for all sizes in Coq ([statements]({file}); [kernel]({KERNEL})):"
        f"\n\n{names}{left_out}"
    )


def _derivation(derivation: Derivation) -> str:
    where = [_range(variable) for variable in derivation.assumptions.variables]
    named = [
        f"${_latex(name)} := {_latex(meaning)}$"
        for name, meaning in derivation.assumptions.definitions
    ]
    rows = [f"& {_latex(derivation.start)}"]
    rows += [
        f"{RELATIONS[step.relation]}\\; & {_latex(step.expression)} && ({number})"
        for number, step in enumerate(derivation.steps, start=1)
    ]
    chain = " \\\\\n".join(rows)
    return "\n".join(
        [
            f"**{derivation.title}.** For {', '.join(where)}"
            + (f"; with {', '.join(named)}." if named else "."),
            "",
            f"```math\n\\begin{{aligned}}\n{chain}\n\\end{{aligned}}\n```",
            "",
            *(f"{k}. {step.reason}" for k, step in enumerate(derivation.steps, start=1)),
        ]
    )


def _latex(expression: Any) -> str:
    """Print as SymPy does, but for names with a prime and words, which it takes for letters."""
    return str(
        sp.latex(expression, symbol_names={x: _name(x) for x in expression.atoms(sp.Symbol)})
    )


def _name(symbol: Any) -> str:
    letter, prime, _ = symbol.name.partition("'")
    text = str(sp.latex(sp.Symbol(letter)))
    word = text == letter and letter.isalpha() and len(letter) > 1
    named = rf"\mathrm{{{text}}}" if word else text
    return f"{named}{prime}"


def _range(variable: Variable) -> str:
    name = _latex(variable.symbol)
    text = name
    if variable.low is not None:
        text = f"{_latex(variable.low)} {_less(variable.low_open)} {text}"
    if variable.high is not None:
        text = f"{text} {_less(variable.high_open)} {_latex(variable.high)}"
    if text == name:
        text += r" \in \mathbb{Z}" if variable.symbol.is_integer else r" \in \mathbb{R}"
    return f"${text}$"


def _less(strictly: bool) -> str:
    return "<" if strictly else r"\le"


def _first_line(text: str | None) -> str:
    return (text or "").strip().splitlines()[0]


def index() -> str:
    """Return the page that lists all claims."""
    claims = [load(slug) for slug in SLUGS]
    rows = [
        f"| [`{claim.slug}`]({claim.slug}.md) | {_cell(claim.title)} | {claim.verdict} "
        f"| {len(claim.theorems) or ''} |"
        for claim in claims
    ]
    proved = sum(bool(claim.theorems) for claim in claims)
    listed = "\n".join(SLUGS)
    return f"""\
# Claims

{len(claims)} claims, each with a page that is written from the registry that `kvfloor verify` runs.
Coq's kernel has accepted theorems of {proved} of them, for all sizes ([kernel]({KERNEL})).

| claim | in a line | verdict | theorems |
|---|---|---|---|
{chr(10).join(rows)}

```{{toctree}}
:hidden:

{listed}
```
"""


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def write_pages(folder: Path) -> None:
    """Write the page of every claim into a folder, and one that lists them."""
    for slug in SLUGS:
        (folder / f"{slug}.md").write_text(page(load(slug)), encoding="utf-8")
    (folder / "index.md").write_text(index(), encoding="utf-8")


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
