"""A drawing that a cache gave back, and what was stored: as SVG, HTML or PNG, from nothing else."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterator
from html import escape
from itertools import groupby
from pathlib import Path

from kvfloor.audit.drawing import Dots, Drawing, dots
from kvfloor.errors import InputError
from kvfloor.files import write_whole

__all__ = ["PICTURES", "RIGHT", "WRONG", "draw_dots", "pixels"]

Colour = tuple[int, int, int]
RIGHT: dict[int, Colour] = {0: (255, 255, 255), 1: (38, 38, 38)}
WRONG: dict[int, Colour] = {0: (255, 191, 140), 1: (214, 94, 0)}  # what should be 0, and 1
WIDTH = 640  # of a picture, about
LEAST, MOST = 2, 10  # pixels of a dot
LINE = 18  # of text
GAP = 6
NAMESPACE = "http://www.w3.org/2000/svg"  # a name, which nobody fetches


def draw_dots(drawing: Drawing, name: str, file: str | os.PathLike[str]) -> None:
    """Draw into a file what was stored, above what a cache gave back, wrong dots in colour.

    Parameters
    ----------
    drawing : Drawing
    name : str
        Of the cache.
    file : path
        ``.svg``, ``.html`` or ``.png``; the last has no words.

    Raises
    ------
    InputError
        For another ending.
    """
    make = MADE.get(ending := Path(file).suffix)
    if make is None:
        raise InputError("picture", f"a name that ends in {', '.join(MADE)}", repr(ending))
    write_whole(file, make(drawing, name))


def pixels(found: Dots) -> list[list[Colour]]:
    """Return an image of d_v rows: dots as they should be, and those that came back wrong."""
    stored = dots(len(found), len(found[0]))
    return [
        [
            (RIGHT if told[y] == column[y] else WRONG)[column[y]]
            for told, column in zip(found, stored, strict=True)
        ]
        for y in range(len(found[0]))
    ]


def _panels(drawing: Drawing) -> tuple[list[list[Colour]], ...]:
    found = drawing.dots
    return pixels(dots(len(found), len(found[0]))), pixels(found)


def _size(drawing: Drawing) -> int:
    return min(MOST, max(LEAST, WIDTH // len(drawing.dots)))


def _png(drawing: Drawing, _name: str) -> bytes:
    size, (stored, found) = _size(drawing), _panels(drawing)
    grey = [[(200, 200, 200)] * len(drawing.dots)]
    rows = [
        b"\0" + b"".join(bytes(colour) * size for colour in row)
        for row in (*stored, *grey, *found)
        for _ in range(size)
    ]
    head = struct.pack(">IIBBBBB", size * len(drawing.dots), len(rows), 8, 2, 0, 0, 0)
    parts = (b"IHDR", head), (b"IDAT", zlib.compress(b"".join(rows), 9)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, parts))


def _chunk(part: tuple[bytes, bytes]) -> bytes:
    kind, data = part
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def _svg(drawing: Drawing, name: str) -> bytes:
    return (_figure(drawing, name) + "\n").encode()


def _html(drawing: Drawing, name: str) -> bytes:
    title = escape(name)
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>svg {{max-width: 100%; height: auto}}</style>\n"
        f"{_figure(drawing, name)}\n</html>\n"
    ).encode()


def _figure(drawing: Drawing, name: str) -> str:
    """The picture as an element of SVG: words above each of two panels."""
    size, columns, rows = _size(drawing), len(drawing.dots), len(drawing.dots[0])
    width, height = max(size * columns, WIDTH // 2) + 2 * GAP, size * rows
    told = f"{drawing.bits} bits kept, {drawing.wrong} of {columns * rows} dots wrong, in orange"
    words = (
        [f"stored: {columns * rows} dots, as the values of {columns} tokens"],
        [f"back from {name}:", told],
    )
    parts, y = list[str](), 0
    for lines, image in zip(words, _panels(drawing), strict=True):
        for line in lines:
            y += LINE
            parts.append(f'<text x="{GAP}" y="{y - GAP}">{escape(line)}</text>')
        frame = f'x="{GAP - 1}" y="{y - 1}" width="{size * columns + 2}" height="{height + 2}"'
        parts += [f'<rect {frame} fill="#bbb"/>', *_paths(image, size, y)]
        y += height + GAP
    box = f'width="{width}" height="{y + GAP}"'
    head = f'<svg xmlns="{NAMESPACE}" role="img" viewBox="0 0 {width} {y + GAP}" {box}'
    return "\n".join(
        [
            f'{head} font-family="sans-serif" font-size="12">',
            f"<title>{escape(f'{name}: {told}')}</title>",
            f'<rect {box} fill="white"/>',
            *parts,
            "</svg>",
        ]
    )


def _paths(image: list[list[Colour]], size: int, top: int) -> Iterator[str]:
    """The dots of an image, a path for each colour, a rectangle for dots on end."""
    paths = dict[Colour, str]()
    for j, row in enumerate(image):
        x = GAP
        for colour, run in groupby(row):
            length = size * len(list(run))
            box = f"M{x} {top + size * j}h{length}v{size}h-{length}z"
            paths[colour] = paths.get(colour, "") + box
            x += length
    for colour, path in sorted(paths.items()):
        yield f'<path fill="#{bytes(colour).hex()}" d="{path}"/>'


MADE: dict[str, Callable[[Drawing, str], bytes]] = {".svg": _svg, ".html": _html, ".png": _png}
PICTURES = tuple(MADE)
