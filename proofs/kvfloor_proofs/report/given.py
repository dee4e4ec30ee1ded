"""How the floor of a trace is shown: what was found, and what is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from kvfloor import GivenFloor, Part
from kvfloor.floors import stored_bits
from kvfloor_proofs.report.lines import write_line

__all__ = ["given_to_json", "show_given"]


def given_to_json(
    found: GivenFloor, keys: Sequence[Any], queries: Any, terms: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the floor of a trace as a JSON object, with the terms that it holds for."""
    n, d = max(map(len, keys)), queries.shape[-1]
    d_v = d if terms["d_v"] is None else terms["d_v"]
    stored = stored_bits([Part(1, 1, d, d_v, None)], n, order=len(keys))
    return {
        **terms,
        "n": n,
        "d": d,
        "d_v": d_v,
        "order": len(keys),
        "asked": queries.size // d,
        "claim": found.claim,
        "bits": found.bits,
        "rule": found.rule,
        "symbols": [
            {"token": token, "query": query, "levels": L}
            for token, query, L in zip(found.tokens, found.queries, found.levels, strict=True)
        ],
        "float16": stored,
        "ratio": found.bits / stored,
    }


def show_given(document: Mapping[str, Any], console: Console) -> None:
    """Show what `given_to_json` returns in a few lines."""
    n, asked, d, d_v = (document[name] for name in ("n", "asked", "d", "d_v"))
    slots = f" in each of {document['order']} slots" if document["order"] > 1 else ""
    write_line(console, f"{n} tokens{slots}, {asked} queries, d={d}, d_v={d_v}")
    levels = [symbol["levels"] for symbol in document["symbols"]]
    readers = {symbol["query"] for symbol in document["symbols"]}
    by = "these queries read no token from answers so inaccurate"
    if levels:
        by = f"{len(levels)} tokens read by {len(readers)} queries, {document['rule']}"
        by += f", {min(levels)} to {max(levels)} levels"
    write_line(console, f"  {document['claim']}: {document['bits']} bits, {by}")
    write_line(console, f"float16 cache: {document['float16']} bits")
    write_line(console, f"ratio: {document['ratio']:.4f}")
