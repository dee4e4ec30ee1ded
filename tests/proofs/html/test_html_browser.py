"""Pages in a real browser: no errors, no overflow, keyboard, print, accessibility, sorting."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kvfloor_proofs.claims import SLUGS
from kvfloor_proofs.html import league_document
from once import once
from reports import report_on

sync_api = pytest.importorskip("playwright.sync_api", reason="needs the extra: kvfloor[browser]")

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

WIDTHS = (360, 768, 1400)
SCHEMES = ("light", "dark")
# What sticks out of the window, unless it is in a box that scrolls, or is not to be seen.
STICKS_OUT = """() => [...document.querySelectorAll('body *')].filter(e =>
    e.getBoundingClientRect().right > document.documentElement.clientWidth + 1
    && !e.closest('.scroll, .chain, thead')).map(e => e.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


def faults(browser: Any, file: Path, width: int, scheme: str, media: str = "screen") -> list[str]:
    """Open a page and return what is wrong with it: errors, requests, overflow."""
    found: list[str] = []
    requested: list[str] = []
    tab = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    tab.emulate_media(media=media)
    tab.on("console", lambda message: found.append(f"console: {message.text}"))
    tab.on("pageerror", lambda error: found.append(f"error: {error}"))
    tab.on("request", lambda request: requested.append(request.url))
    tab.goto(file.as_uri())
    if tab.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append("the page scrolls sideways")
    found += [f"loads {url}" for url in requested if url != file.as_uri()]
    found += [f"sticks out: {element}" for element in tab.evaluate(STICKS_OUT)]
    tab.close()
    return found


@pytest.fixture(scope="module")
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("report") / "report.html"
    report = once(request, "report", lambda: report_on(*SLUGS))
    target.write_text(report, encoding="utf-8")
    return target


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_errors_and_no_overflow(browser: Any, file: Path, width: int, scheme: str) -> None:
    assert faults(browser, file, width, scheme) == []


def test_no_errors_in_print(browser: Any, file: Path) -> None:
    assert faults(browser, file, 700, "light", "print") == []


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        ("<script>console.error('oh')</script>", "console: oh"),
        ("<script>throw new Error('no')</script>", "error: no"),
        ("<img alt='' src='missing.png'/>", "loads file:"),
        ("<p style='width: 2000px'>wide</p>", "the page scrolls sideways"),
        ("<p style='position: fixed; left: 300px; width: 100px'>wide</p>", "sticks out: <p"),
    ],
)
def test_a_broken_page_is_found_out(browser: Any, tmp_path: Path, broken: str, fault: str) -> None:
    page = report_on("keys")
    (tmp_path / "whole.html").write_text(page, encoding="utf-8")
    (tmp_path / "broken.html").write_text(
        page.replace("</main>", f"{broken}</main>"), encoding="utf-8"
    )
    assert faults(browser, tmp_path / "whole.html", 360, "light") == []
    found = faults(browser, tmp_path / "broken.html", 360, "light")
    assert any(line.startswith(fault) for line in found), found


COLOURS = """() => [
    ['body', 'backgroundColor'], ['h1', 'color'], ['figure svg text', 'fill'],
    ['figure svg [style*="series-1"]', 'stroke']
].map(([where, what]) => getComputedStyle(document.querySelector(where))[what])"""


def test_the_schemes_differ_and_pictures_follow(browser: Any, file: Path) -> None:
    found = []
    for scheme in SCHEMES:
        tab = browser.new_page(color_scheme=scheme)
        tab.goto(file.as_uri())
        found.append(tab.evaluate(COLOURS))
        tab.close()
    assert all(light != dark for light, dark in zip(*found, strict=True))


def test_the_keyboard_reaches_verdicts_and_boxes(browser: Any, file: Path) -> None:
    tab = browser.new_page()
    tab.goto(file.as_uri())
    tab.keyboard.press("Tab")
    skip = tab.locator(":focus")
    assert skip.inner_text() == "Skip to the verdicts"
    assert skip.bounding_box()["x"] >= 0
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "verdicts"
    unreachable = tab.evaluate(
        "() => [...document.querySelectorAll('.scroll')].filter(e => e.tabIndex != 0).length"
    )
    assert unreachable == 0
    tab.close()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing(browser: Any, tmp_path: Path, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    target = tmp_path / "report.html"
    target.write_text(report_on("two-cache", "softmax-concentration"), encoding="utf-8")
    tab = browser.new_page(viewport={"width": 768, "height": 800}, color_scheme=scheme)
    tab.goto(target.as_uri())
    found = axe.Axe().run(tab)
    assert [(v["id"], v["nodes"][0]["html"]) for v in found.response["violations"]] == []
    tab.close()


# --- the league ----------------------------------------------------------------------------------

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("league") / "league.html"
    pictures = {file.name: file.read_bytes() for file in DOCS.glob("league*.png")}
    target.write_text(league_document((DOCS / "league.md").read_text(), pictures))
    return target


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1400, "dark")])
def test_the_league_has_no_errors(browser: Any, league: Path, width: int, scheme: str) -> None:
    assert faults(browser, league, width, scheme) == []


def test_the_league_is_sorted_by_a_column(browser: Any, league: Path) -> None:
    """As numbers, those that are none last; twice the other way; names as text."""
    tab = browser.new_page()
    tab.goto(league.as_uri())

    def column(name: str) -> tuple[str | None, list[str]]:
        tab.get_by_role("button", name=name, exact=True).click()
        head = tab.get_by_role("columnheader").filter(has_text=name).first
        place = head.evaluate("head => head.cellIndex")
        cells = tab.locator(f"tbody td:nth-child({place + 1})").all_inner_texts()
        return head.get_attribute("aria-sort"), cells

    direction, cells = column("trace, worst")
    numbers = [float(cell) for cell in cells if cell != "–"]
    assert (direction, numbers) == ("ascending", sorted(numbers))
    assert set(cells[len(numbers) :]) == {"–"}
    direction, again = column("trace, worst")
    assert (direction, again[: len(numbers)]) == ("descending", cells[: len(numbers)][::-1])
    assert set(again[len(numbers) :]) == {"–"}
    direction, names = column("cache")
    assert (direction, names) == ("ascending", sorted(names, key=str.lower))
    assert tab.locator("[aria-sort]").count() == 1
    tab.close()
