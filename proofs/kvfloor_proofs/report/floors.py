"""How the floors of a model are shown: part by part, the best of all, and what is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console

from kvfloor.floors import PartFloors, stored_bits, total_bits
from kvfloor_proofs.report.lines import write_line

__all__ = ["floors_to_json", "show_floors"]

UNITS = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"), (1, "B"))


def show_floors(found: Sequence[PartFloors], n: int, console: Console, *, order: int = 1) -> None:
    """Show every floor of every part with its claim, the best together, and a float16 cache."""
    for line in _lines(found, n, order):
        write_line(console, line)


def floors_to_json(found: Sequence[PartFloors], n: int, terms: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `show_floors` shows as a JSON object, with the terms that it holds for."""
    best, stored = _best(found), _stored(found, n, terms["order"])
    return {
        "n": n,
        **terms,
        "parts": [
            {
                **asdict(row.part),
                "tokens": row.tokens,
                "floors": [asdict(floor) for floor in row.floors],
            }
            for row in found
        ],
        "best": best,
        "float16": stored,
        "ratio": best / stored,
    }


def _best(found: Sequence[PartFloors]) -> int:
    return total_bits([row.floors[0].bits for row in found])


def _stored(found: Sequence[PartFloors], n: int, order: int) -> int:
    return stored_bits([row.part for row in found], n, order=order)


def _lines(found: Sequence[PartFloors], n: int, order: int) -> Iterator[str]:
    for row in found:
        part = row.part
        window = "" if part.window is None else f", window {part.window}"
        yield (
            f"{part.layers} x {part.heads} key-value heads, d={part.d}, d_v={part.d_v}{window}: "
            f"{row.tokens} tokens"
        )
        for floor in row.floors:
            held = f"{floor.symbols} symbols of {floor.levels} levels"
            yield f"  {floor.claim}: {floor.bits} bits, {held}"
    best, stored = _best(found), _stored(found, n, order)
    claims = ", ".join(dict.fromkeys(row.floors[0].claim for row in found))
    yield f"best: {best} bits, {_size(best)} ({claims})"
    yield f"float16 cache: {stored} bits, {_size(stored)}"
    yield f"ratio: {best / stored:.4f}"


def _size(bits: int) -> str:
    """Bytes in decimal units, to three digits."""
    size = bits / 8
    least, unit = next((least, unit) for least, unit in UNITS if size >= least or least == 1)
    return f"{size / least:.3g} {unit}"
