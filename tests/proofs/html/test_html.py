"""The report: everything is on the page, nothing is loaded, and the pictures show what is so."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from xml.etree import ElementTree as ET

import pytest

from kvfloor.caches import read_bits
from kvfloor_proofs.claims import SLUGS, load
from kvfloor_proofs.html import page
from kvfloor_proofs.html.pictures import PICTURES
from kvfloor_proofs.html.pictures.svg import svg, tick
from kvfloor_proofs.html.prose import line, paragraphs
from kvfloor_proofs.kernel import Theorem
from kvfloor_proofs.verify import NOT_ESTABLISHED
from once import once
from reports import established, report_on

SVG = "{http://www.w3.org/2000/svg}"
VERDICT_MEANINGS = {
    "holds": "Proved as stated, with the constants given.",
    "holds in model M": "Proved once the model of computation is made precise.",
    "refuted as read": "A literal reading fails, by the counterexample shown.",
}
CORE = {
    "math", "mrow", "mi", "mn", "mo", "mtext", "mfrac", "msup", "msub", "msubsup", "msqrt",
    "mroot", "munderover", "mtable", "mtr", "mtd",
}  # fmt: skip


@pytest.fixture(scope="module")
def report(request: pytest.FixtureRequest) -> str:
    return once(request, "report", lambda: report_on(*SLUGS))


@pytest.fixture(scope="module")
def tree(report: str) -> ET.Element:
    return ET.fromstring(report.strip())


def text(element: ET.Element | None) -> str:
    assert element is not None
    return " ".join("".join(element.itertext()).split())


# --- what is on it -------------------------------------------------------------------------


def test_every_claim_has_a_row_and_a_section(tree: ET.Element) -> None:
    rows = tree.findall(".//table[@class='verdicts']/tbody/tr")
    assert [text(row.find("th")) for row in rows] == list(SLUGS)
    assert [row.find("th/a").get("href") for row in rows] == [f"#{s}" for s in SLUGS]  # type: ignore[union-attr]
    assert [a.get("id") for a in tree.findall(".//article")] == list(SLUGS)
    for slug, row in zip(SLUGS, rows, strict=True):
        assert load(slug).verdict in text(row)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_section_holds_all_of_its_claim(tree: ET.Element, slug: str) -> None:
    claim = load(slug)
    section = tree.find(f".//article[@id='{slug}']")
    assert section is not None
    derivations = claim.derivations()
    chains = section.findall("details[@class='chain']")
    assert len(chains) == len(derivations)
    for derivation, shown in zip(derivations, chains, strict=True):
        assert len(shown.findall(".//mtr")) == len(derivation.steps) + 1
        assert len(shown.findall("ol/li")) == len(derivation.steps)
        for step, reason in zip(derivation.steps, shown.findall("ol/li"), strict=True):
            assert type(step.rule).__name__ in text(reason.find("span[@class='rule']"))
            words = text(ET.fromstring(f"<li>{line(step.reason)}</li>"))
            assert words
            assert text(reason).startswith(words)
    assert text(section).count(f"kvfloor verify {slug} --examples 7 --seed 3") == 1
    assert len(section.findall("ul/li/ul/li")) == len(claim.properties)
    assert text(section).endswith(VERDICT_MEANINGS[claim.verdict])


def test_refuted_claims_and_only_they_have_a_counterexample(tree: ET.Element) -> None:
    for slug in SLUGS:
        claim = load(slug)
        shown = tree.find(f".//article[@id='{slug}']/section[@class='counterexample']")
        refuted = claim.verdict == "refuted as read"
        assert (claim.counterexample is not None) == refuted == (shown is not None)


def test_the_counterexample_can_be_read_back(tree: ET.Element) -> None:
    """The bits on the page give the products of the factors on the page."""
    shown = tree.find(".//article[@id='two-cache']/section[@class='counterexample']")
    assert shown is not None
    factors, states = shown.findall(".//table")
    columns = [
        [int(x) for x in text(row.findall("td")[1]).replace("−", "-").split()]
        for row in factors.findall("tbody/tr")
    ]
    bits = [text(row.findall("td")[1]) for row in states.findall("tbody/tr")]
    assert sum(map(len, bits)) == 142 < 16**2
    for (one, other), state in zip((columns[:2], columns[2:]), bits, strict=True):
        restored = read_bits(state, (16, 16), 1, 2).unpack()
        assert restored == tuple((Fraction(x * y),) for x in one for y in other)


def test_what_fails_is_shown_and_cannot_forge_the_page() -> None:
    claim = load("index-deterministic")
    failed = replace(
        established(claim), verdict=NOT_ESTABLISHED, property_error="<script>alert(1)</script> no"
    )
    shown = page([claim], [failed], examples=7, seed=3)
    assert "0 of 1 verdicts established" in shown
    assert "<script" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt; no" in shown
    assert "not established: 1" in shown


def test_a_theorem_of_the_kernel_is_shown_with_its_axioms() -> None:
    claim = load("index-deterministic")
    theorem = Theorem("index_needs_bits", "forall b, b < N -> False", ("choice",))
    result = replace(established(claim), theorems=(theorem,))
    shown = ET.fromstring(page([claim], [result], examples=7, seed=3).strip())
    words = text(shown.find(".//article"))
    assert "Theorems accepted by Coq's kernel (1): index_needs_bits; axioms" in words
    assert "standard reals: choice forall b, b < N -> False" in words
    assert "theorems" in text(shown.find(".//table[@class='verdicts']/thead"))


# --- what it is made of --------------------------------------------------------------------


def test_it_is_one_small_page_that_loads_nothing(report: str, tree: ET.Element) -> None:
    assert len(report.encode()) < 3_000_000
    for element in tree.iter():
        assert element.tag.removeprefix(SVG) not in {"script", "link", "img", "iframe", "image"}
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            assert name not in {"src", "srcset", "poster", "data"}
            if name.endswith("href") and not value.startswith("#"):
                assert element.tag == "a"
                assert value.startswith("https://arxiv.org/")
    style = text(tree.find("head/style"))
    assert "@import" not in style
    assert set(re.findall(r"url\((.)", report)) <= {"#"}


def test_names_on_it_are_one_of_each_and_lead_somewhere(tree: ET.Element) -> None:
    names = [e.get("id") for e in tree.iter() if e.get("id")]
    assert len(names) == len(set(names))
    wanted = {name for e in tree.iter() for name in e.get("aria-labelledby", "").split()}
    links = [
        value.removeprefix("#")
        for e in tree.iter()
        for key, value in e.attrib.items()
        if key.endswith("href") and value.startswith("#")
    ]
    clips = re.findall(r"url\(#([^)]+)\)", ET.tostring(tree, encoding="unicode"))
    assert wanted | {*links, *clips} <= set(names)


def test_only_mathml_that_browsers_know(tree: ET.Element) -> None:
    displayed = tree.findall(".//math[@display='block']")
    assert len(displayed) == sum(len(load(slug).derivations()) for slug in SLUGS)
    for formula in tree.findall(".//math"):
        assert {element.tag for element in formula.iter()} <= CORE


def test_a_page_on_one_claim_has_no_dead_links() -> None:
    shown = ET.fromstring(report_on("keys").strip())
    names = {e.get("id") for e in shown.iter()}
    for link in shown.findall(".//a[@href]"):
        assert link.get("href", "").startswith("https:") or link.get("href", "")[1:] in names
    assert shown.find(".//figure") is None


def test_a_page_is_the_same_every_time() -> None:
    """But for measured times, which only the picture of costs has."""
    claims = [load(slug) for slug in ("softmax-concentration", "sharp-floor")]
    results = [established(claim) for claim in claims]
    first, second = (page(claims, results, examples=7, seed=3) for _ in range(2))
    assert first == second


# --- pictures ------------------------------------------------------------------------------


def test_every_picture_speaks(tree: ET.Element) -> None:
    figures = tree.findall(".//figure")
    assert [f.get("id") for f in figures] == [f"picture-{p.name}" for p in PICTURES]
    for figure in figures:
        assert text(figure.find("figcaption/p"))
        drawings = figure.findall(f".//{SVG}svg")
        assert len(figure.findall("figcaption/details/table")) == len(drawings) > 0
        for drawing in drawings:
            assert drawing.get("role") == "img"
            assert text(drawing.find(f"{SVG}title"))
            description = text(drawing.find(f"{SVG}desc"))
            assert len(description) > 100
            assert description in text(figure.find("figcaption/details"))


def test_pictures_name_claims_that_there_are() -> None:
    for picture in PICTURES:
        assert set(picture.claims) <= set(SLUGS)


@pytest.fixture(scope="module")
def curves(request: pytest.FixtureRequest) -> dict[str, list[dict[str, dict[float, float]]]]:
    """Points by picture, panel and label."""
    return once(request, "curves", points)


def points() -> dict[str, list[dict[str, dict[float, float]]]]:
    return {
        picture.name: [
            {series.label: dict(series.points) for series in panel.series}
            for panel in picture.panels()
        ]
        for picture in PICTURES
    }


Curves = dict[str, list[dict[str, dict[float, float]]]]


def test_leaks_measured_are_on_or_below_the_curve(curves: Curves) -> None:
    most, _, orthonormal, binary, *_ = curves["leak"][0].values()
    assert max(abs(orthonormal[g] / most[g] - 1) for g in orthonormal) < 1e-12
    assert all(binary[g] < most[g] for g in binary)
    assert curves["leak"][0]["too much for η = 0.1, α = 0.2"] == {0: 0.25, 20: 0.25}


def test_no_protocol_is_above_the_bound(curves: Curves) -> None:
    bound, *points = curves["index"][0].values()
    for place, success in ((x, y) for series in points for x, y in series.items()):
        above = min(x for x in bound if x >= place)
        assert success <= bound[above] + 1e-12


def test_cache_and_floor_come_together(curves: Curves) -> None:
    *ratios, one = curves["tightness"][0].values()
    for ratio in ratios:
        values = list(ratio.values())
        assert values == sorted(values, reverse=True)
        assert values[-1] > 1
    assert ratios[-1][2048] < 1.05
    assert set(one.values()) == {1}


def test_counts_and_times_of_all_three(curves: Curves) -> None:
    counted, measured = curves["cost"]
    formed, two, factored = counted.values()
    assert all(formed[n] == 2 * two[n] and two[n] < factored[n] for n in formed)
    assert [set(series) for series in measured.values()] == [set(formed)] * 3
    assert all(time > 0 for series in measured.values() for time in series.values())


def test_no_cache_below_the_floor_gives_all_back(curves: Curves) -> None:
    recovered, error, in_use, errors, *_ = curves["caches"]
    floor = recovered["floor: 16 bits"]
    assert set(floor) == {16}
    for name in ("hashed", "window", "at the floor", "quantised", "exact"):
        for bits, share in recovered[name].items():
            assert bits >= 16 or (share < 1 and error[name][bits] > 0.45)
    assert recovered["at the floor"] == {16: 1}
    assert recovered["exact"].keys() == {5120}
    assert list(recovered["quantised"].values())[-1] == 1
    for name in ("sinks", "heavy hitters"):
        *some, everything = in_use[name]
        assert all(in_use[name][bits] < 1 and errors[name][bits] > 0.45 for bits in some)
        assert in_use[name][everything] == 1
    assert set(in_use["grouped bits"].values()) == {1}
    assert min(bits for name in in_use for bits in in_use[name]) == 16  # the floor's own line
    least, *_, most = errors["SubGen4Cache"].values()
    assert least > 1 > most


def test_no_cache_gives_more_back_than_it_keeps(curves: Curves) -> None:
    *_, theory, in_use = curves["caches"]
    for certified in (theory, in_use):
        kept = certified.pop("all that is kept")
        assert all(bits == back for bits, back in kept.items())
        assert all(back <= bits for series in certified.values() for bits, back in series.items())
    (most,) = theory["at the floor"].values()
    assert 10 < most < 16
    assert max(back for series in theory.values() for back in series.values()) == most
    assert set(theory["hashed"].values()) == {0}
    assert all(0 < back < most for back in theory["exact"].values())
    for name in ("sinks", "heavy hitters"):
        backs = list(in_use[name].values())
        assert backs == sorted(backs)
        assert backs[0] == 0 < backs[-1] < most


def test_floors_are_those_of_the_claims(curves: Curves) -> None:
    published, constants, dimension, regimes = curves["floors"]
    two, four, window, low = published.values()
    assert two[4096] == 4096**2 * 1024
    assert four[4096] == 4096 * 1024
    assert window[4096] == window[1024] == 1024**2
    assert low[16] < low[64] == low[65536] < four[64]
    sharp, both, one, randomised = constants.values()
    assert set(one.values()) == {1}
    assert all(1.8 < bits < 2 for bits in both.values())
    assert sharp[16] > 3.4
    assert 2 < sharp[65536] < 3  # addresses take their part of the key
    assert all(abs(bits - 0.531) < 0.001 for bits in randomised.values())
    unbounded, *bounded = dimension.values()
    assert (unbounded[1], unbounded[2]) == (2, 4096)
    assert all(curve[64] == 4096 and curve[2] < 10 for curve in bounded)
    all_tokens, log_n = regimes.values()
    assert all(all_tokens[n] >= log_n[n] for n in log_n)


def test_a_panel_is_drawn_the_same_every_time_in_the_colours_of_the_page() -> None:
    (panel,) = next(p for p in PICTURES if p.name == "leak").panels()
    drawn = svg(panel, "one")
    assert drawn == svg(panel, "one")
    colours = set(re.findall(r"(?:fill|stroke): ([^;\"]+)", drawn))
    assert colours <= {"none", "currentColor", "var(--faint)"} | {
        f"var(--series-{k})" for k in range(1, 7)
    }
    assert not re.search(r"\d{4}-\d\d-\d\d|metadata", drawn)
    others = set(re.findall(r' id="([^"]+)"', svg(panel, "two")))
    assert not others & set(re.findall(r' id="([^"]+)"', drawn))


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, ""), (1e-8, "10⁻⁸"), (5e-4, "5·10⁻⁴"), (0.01, "0.01"), (16384, "16384"), (1e6, "1M")],
)
def test_ticks_are_short(value: float, shown: str) -> None:
    assert tick(value) == shown


# --- prose ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("K_1 and d_v >= 2", "K<sub>1</sub> and d<sub>v</sub> ≥ 2"),
        ("γ_{d+m+1}, k_(A,i)", "γ<sub>d+m+1</sub>, k<sub>A,i</sub>"),
        ("2^-k, 2^(b+1)", "2<sup>−k</sup>, 2<sup>b+1</sup>"),
        ("R^(n²×d_v)", "R<sup>n²×d<sub>v</sub></sup>"),
        ("min(n, e^(Ω(d)))", "min(n, e<sup>Ω(d)</sup>)"),
        ("(4n-2)·d - 1, a - μ, (j, -j²)", "(4n−2)·d − 1, a − μ, (j, −j²)"),
        ("one-way, four-cache, α)-accurate", "one-way, four-cache, α)-accurate"),
        ("`g > ln(M-1)`", '<span class="formula">g &gt; ln(M−1)</span>'),
        ("`sign_pairs(n, a)` `two-cache`", "<code>sign_pairs(n, a)</code> <code>two-cache</code>"),
        ("<b>&", "&lt;b&gt;&amp;"),
    ],
)  # fmt: skip
def test_formulas_in_prose(source: str, shown: str) -> None:
    assert line(source) == shown


def test_links_to_claims_stay_on_the_page() -> None:
    markdown = "[`keys`](keys.md), [`fast`](../fast.md)"
    assert paragraphs(markdown, ["keys"]) == (
        '<p><a href="#keys"><code>keys</code></a>, <a><code>fast</code></a></p>\n'
    )
    assert "href" not in paragraphs(markdown)
