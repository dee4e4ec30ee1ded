"""The drawing that a cache gives back, as SVG, HTML and PNG."""

from __future__ import annotations

import re
import struct
import zlib
from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import cheats
from kvfloor import InputError
from kvfloor.audit import PICTURES, Drawing, dots, draw_dots, stored_drawing
from kvfloor.audit.dot_pictures import RIGHT, WRONG, pixels
from kvfloor.caches import SinkCache, configure
from kvfloor.isolation import Misbehaviour
from limits import HANG

DOCS = Path(__file__).parents[3] / "docs"
SVG = "{http://www.w3.org/2000/svg}"


def turned(n: int, d_v: int, *places: tuple[int, int]) -> Drawing:
    """The drawing with some dots turned."""
    columns = [list(column) for column in dots(n, d_v)]
    for x, y in places:
        columns[x][y] = 1 - columns[x][y]
    return Drawing(tuple(map(tuple, columns)), 99)


def places_of(dot: int) -> tuple[int, int]:
    return next((x, y) for x in range(16) for y in range(4) if dots(16, 4)[x][y] == dot)


def test_wrong_dots_are_coloured() -> None:
    black, white = places_of(1), places_of(0)
    drawing = turned(16, 4, black, white)
    assert drawing.wrong == 2
    image = pixels(drawing.dots)
    assert (len(image), len(image[0])) == (4, 16)
    wrong = {
        (x, y): image[y][x] for x in range(16) for y in range(4) if image[y][x] in WRONG.values()
    }
    assert wrong == {black: WRONG[1], white: WRONG[0]}
    assert {pixel for row in pixels(dots(16, 4)) for pixel in row} == {*RIGHT.values()}


def test_an_svg_has_both_panels_and_their_words(tmp_path: Path) -> None:
    """Areas of the paths, in dots: all of what was stored, and what came back."""
    draw_dots(turned(16, 4, places_of(1), places_of(0)), "<Mine & yours>", tmp_path / "p.svg")
    root = ElementTree.parse(tmp_path / "p.svg").getroot()
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert words == [
        "stored: 64 dots, as the values of 16 tokens",
        "back from <Mine & yours>:",
        "99 bits kept, 2 of 64 dots wrong, in orange",
    ]
    area = Counter[str]()
    for path in root.iter(f"{SVG}path"):
        for length, height in re.findall(r"h(\d+)v(\d+)h-", path.attrib["d"]):
            area[path.attrib["fill"]] += int(length) * int(height)
    ones = sum(map(sum, dots(16, 4)))
    colours = {"white": RIGHT[0], "black": RIGHT[1], "faint": WRONG[0], "orange": WRONG[1]}
    found = {name: area[f"#{bytes(colour).hex()}"] / 100 for name, colour in colours.items()}
    assert found == {"white": 2 * (64 - ones) - 1, "black": 2 * ones - 1, "faint": 1, "orange": 1}
    for path in root.iter(f"{SVG}path"):
        boxes = re.findall(r"M(\d+) (\d+)h(\d+)", path.attrib["d"])
        for (x, y, length), (later, line, _) in pairwise(boxes):
            assert y != line or int(x) + int(length) <= int(later)


class Links(HTMLParser):
    """What a page fetches."""

    found: list[str]

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found += [value for name, value in attrs if name in ("src", "href")]


def test_a_page_fetches_nothing(tmp_path: Path) -> None:
    draw_dots(turned(64, 16), "Mine", tmp_path / "p.html")
    text = (tmp_path / "p.html").read_text()
    parser = Links()
    parser.found = []
    parser.feed(text)
    assert parser.found == []
    assert text.startswith("<!doctype html>")
    assert "0 of 1024 dots wrong" in text


def test_a_png_is_whole(tmp_path: Path) -> None:
    draw_dots(turned(16, 4, places_of(1)), "Mine", tmp_path / "p.png")
    data = (tmp_path / "p.png").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, place = dict[bytes, bytes](), 8
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        kind, content = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        (check,) = struct.unpack(">I", data[place + 8 + length : place + 12 + length])
        assert check == zlib.crc32(kind + content)
        chunks[kind], place = content, place + 12 + length
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    assert (width, height) == (160, 90)  # ten pixels a dot, and a line between the panels
    rows = zlib.decompress(chunks[b"IDAT"])
    assert len(rows) == height * (1 + 3 * width)
    assert rows.count(bytes(WRONG[1])) >= 100


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"picture: expected a name that ends in \.svg, \.html"):
        draw_dots(turned(4, 2), "Mine", tmp_path / "p.jpeg")
    assert PICTURES == (".svg", ".html", ".png")
    assert not list(tmp_path.iterdir())


def test_the_picture_of_the_readme_is_what_its_command_draws(tmp_path: Path) -> None:
    cache = configure(SinkCache, sinks=1, window=31, dtype="float16")
    drawing = stored_drawing(cache, n=64, d=16, order=1, seconds=HANG)
    assert drawing.bits == 32 * 32 * 16
    name = "kvfloor.caches:SinkCache(dtype=float16, sinks=1, window=31)"
    draw_dots(drawing, name, tmp_path / "p.svg")
    assert (DOCS / "picture.svg").read_bytes() == (tmp_path / "p.svg").read_bytes()
    page = (DOCS.parent / "README.md").read_text()
    assert "![A key of dots: what was stored, and what half of the tokens give back](docs/p" in page


def test_a_cache_that_misbehaves_gives_back_nothing() -> None:
    with pytest.raises(Misbehaviour, match="append"):
        stored_drawing(cheats.Understated, n=4, d=2, seconds=HANG)
