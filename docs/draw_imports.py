"""Draw which part of the library imports which: ``python docs/draw_imports.py docs/imports.svg``.

The graph is read off the code; a row imports only from rows below it. Not drawn: what almost all
parts import, and what is also imported on the way to something that is drawn.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from graphlib import TopologicalSorter
from html import escape
from pathlib import Path

import grimp

WIDTH, ROW, TOP, HEIGHT, LETTER, MARGIN = 1100, 70, 26, 18, 7.3, 12
EVERYWHERE = {"errors"}


def parts(package: str) -> dict[str, set[str]]:
    """Return each direct part of a package with the parts that it imports."""
    graph = grimp.build_graph(package)
    found: dict[str, set[str]] = {
        name.split(".")[1]: set() for name in sorted(graph.find_children(package))
    }
    for name, imported_parts in found.items():
        module = f"{package}.{name}"
        for inner in (module, *graph.find_descendants(module)):
            for imported in graph.find_modules_directly_imported_by(inner):
                part = imported.split(".")[1] if "." in imported else name
                if imported.startswith(f"{package}.") and part != name:
                    imported_parts.add(part)
    return found


def rows(imports: dict[str, set[str]]) -> list[list[str]]:
    """Return the parts by the longest chain of imports below them, the deepest chain first."""
    depth: dict[str, int] = {}
    for name in TopologicalSorter(imports).static_order():
        depth[name] = 1 + max((depth[other] for other in imports[name]), default=-1)
    levels = defaultdict(list)
    for name in sorted(imports):
        levels[depth[name]].append(name)
    return [levels[level] for level in sorted(levels, reverse=True)]


def direct(imports: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return the imports that no chain of other imports implies."""
    below: dict[str, set[str]] = {}
    for name in TopologicalSorter(imports).static_order():
        below[name] = imports[name].union(*(below[other] for other in imports[name]))
    return {
        name: {o for o in others if not any(o in below[other] for other in others)}
        for name, others in imports.items()
    }


def places(layers: list[list[str]]) -> dict[str, tuple[float, float]]:
    """Return the middle of the upper edge of each box; boxes of a row share what room is left."""
    place = {}
    for level, layer in enumerate(layers):
        widths = [_width(name) for name in layer]
        gap = (WIDTH - sum(widths)) / (len(layer) + 1)
        x = gap
        for name, width in zip(layer, widths, strict=True):
            place[name] = (x + width / 2, TOP + ROW * level)
            x += width + gap
    return place


def _width(name: str) -> float:
    return LETTER * len(name) + MARGIN


def picture(package: str) -> str:
    """Return the drawing as SVG."""
    drawn = {
        name: others - EVERYWHERE
        for name, others in parts(package).items()
        if name not in EVERYWHERE
    }
    layers = rows(drawn)
    place = places(layers)
    lines = [
        f'<path d="M{place[name][0]:.0f} {place[name][1] + HEIGHT:.0f} '
        f'L{place[other][0]:.0f} {place[other][1]:.0f}"/>'
        for name, others in direct(drawn).items()
        for other in sorted(others)
    ]
    boxes = [
        f'<g><rect x="{x - _width(name) / 2:.0f}" y="{y:.0f}" rx="4" '
        f'width="{_width(name):.0f}" height="{HEIGHT}"/>'
        f'<text x="{x:.0f}" y="{y + 13:.0f}">{escape(name)}</text></g>'
        for name, (x, y) in place.items()
    ]
    total = ROW * len(layers)
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {total}" role="img">',
        f"<title>What imports what in {package}: rows import only from rows below them</title>",
        "<style>path{stroke:#888;fill:none} rect{fill:#e8eef7;stroke:#446} "
        "text{font:12px monospace;text-anchor:middle;fill:#112}</style>",
        *lines,
        *boxes,
        "</svg>",
        "",
    ])  # fmt: skip


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(picture("kvfloor"), encoding="utf-8")
