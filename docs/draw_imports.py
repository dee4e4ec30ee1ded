"""Draw which part of the library imports which: ``python docs/draw_imports.py docs/imports.svg``.

The graph is read off the code; a row imports only from rows below it.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from graphlib import TopologicalSorter
from html import escape
from pathlib import Path

import grimp

WIDTH, ROW, BOX, HEIGHT, LETTER = 1000, 74, 26, 18, 7.2


def parts(package: str) -> dict[str, set[str]]:
    """Return each direct part of a package with the parts that it imports."""
    graph = grimp.build_graph(package)
    found: dict[str, set[str]] = {
        name.split(".")[1]: set() for name in graph.find_children(package)
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


def picture(package: str) -> str:
    """Return the drawing as SVG; colours follow the page that it stands on."""
    imports = parts(package)
    layers = rows(imports)
    place = {
        name: (WIDTH * (k + 1) / (len(layer) + 1), ROW * level + BOX)
        for level, layer in enumerate(layers)
        for k, name in enumerate(layer)
    }
    lines = [
        f'<path d="M{x:.0f} {y + HEIGHT:.0f} L{place[other][0]:.0f} {place[other][1]:.0f}"/>'
        for name, (x, y) in place.items()
        for other in sorted(imports[name])
    ]
    boxes = [
        f'<g><rect x="{x - LETTER * len(name) / 2 - 6:.0f}" y="{y:.0f}" rx="4" '
        f'width="{LETTER * len(name) + 12:.0f}" height="{HEIGHT}"/>'
        f'<text x="{x:.0f}" y="{y + 13:.0f}">{escape(name)}</text></g>'
        for name, (x, y) in place.items()
    ]
    total = ROW * len(layers)
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {total}" role="img">',
        f"<title>What imports what in {package}: rows import only from rows below them</title>",
        "<style>path{stroke:#8888;fill:none} rect{fill:#e8eef7;stroke:#446} "
        "text{font:12px monospace;text-anchor:middle;fill:#112}</style>",
        *lines,
        *boxes,
        "</svg>",
        "",
    ])  # fmt: skip


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(picture("kvfloor"), encoding="utf-8")
