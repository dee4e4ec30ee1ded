"""Panels as SVG, drawn by Matplotlib, in the colours and letters of the page around them."""

from __future__ import annotations

import io
import re
from itertools import cycle
from xml.etree import ElementTree as ET

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from kvfloor_proofs.html.pictures.panel import Panel, Series

__all__ = ["svg"]

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
WIDTH, HEIGHT, LEGEND_ROW = 4.3, 3.1, 0.19  # inches: small enough to be read on a phone

# Stand-ins for the colours of the page, which Matplotlib does not know.
INK, FAINT = "#010101", "#020202"
COLOURS = ("#000011", "#000012", "#000013", "#000014", "#000015", "#000016")
THEME = {INK: "currentColor", FAINT: "var(--faint)"} | {
    colour: f"var(--series-{number})" for number, colour in enumerate(COLOURS, start=1)
}
RULES = ((0, (2, 2)), (0, (6, 3)))
DASHES = tuple((0, d) for d in ((), (5, 2), (1, 1.5), (6, 2, 1, 2), (3, 1.5), (8, 3)))
MARKERS = ("o", "s", "^", "D", "v", "P")
STYLE = {
    "svg.fonttype": "none",  # letters stay letters: small, and read aloud
    "svg.hashsalt": "kvfloor",
    "path.simplify": True,
    "font.size": 10.0,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.4,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "legend.handlelength": 3.2,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
}


def svg(panel: Panel, name: str) -> Markup:
    """Draw a panel.

    Parameters
    ----------
    panel : Panel
    name : str
        Begins every identifier in it, so that those of two panels do not meet on one page.

    Returns
    -------
    Markup
        An ``<svg>`` with title and description, the same whenever the panel is the same.
    """
    with mpl.rc_context(STYLE):
        height = HEIGHT + LEGEND_ROW * len(panel.series)
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        _draw(figure.add_subplot(), panel)
        figure.legend(loc="outside lower left")
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    return _themed(ET.fromstring(drawn.getvalue()), panel, name)  # noqa: S314 (Matplotlib's own)


def _draw(axes: Axes, panel: Panel) -> None:
    axes.set_title(panel.title)
    axes.set_xlabel(panel.x_label)
    axes.set_ylabel(panel.y_label)
    for axis, set_scale, scale in (
        (axes.xaxis, axes.set_xscale, panel.x_scale),
        (axes.yaxis, axes.set_yscale, panel.y_scale),
    ):
        if scale != "linear":
            set_scale("log", base=2 if scale == "log2" else 10)
            axis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))
            axis.set_minor_formatter(NullFormatter())
    looks = zip(cycle(COLOURS), cycle(DASHES), cycle(MARKERS), strict=False)
    rules = cycle(RULES)
    for series in panel.series:
        if series.kind == "rule":
            at = zip(*series.points, strict=True)
            axes.plot(*at, color=INK, linewidth=1, linestyle=next(rules), label=series.label)
        else:
            _plot(axes, series, *next(looks))
    if panel.y_range is not None:
        axes.set_ylim(*panel.y_range)
    for x, y, words in panel.notes:
        axes.text(x, y, words, ha="center", va="center", fontsize=9)


def _plot(axes: Axes, series: Series, colour: str, dashes: object, marker: str) -> None:
    axes.plot(
        *zip(*series.points, strict=True),
        color=colour,
        linestyle="none" if series.kind == "points" else dashes,
        marker="none" if series.kind == "line" else marker,
        label=series.label,
    )


def tick(value: float) -> str:
    """Return a number of a logarithmic axis, short."""
    if value <= 0:
        return ""
    if value < 1e-3:
        return re.sub(r"(.*)e-0*(\d+)", _power, f"{value:.0e}")
    for unit, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= max(unit, 1e5):
            return f"{value / unit:g}{letter}"
    return f"{value:g}"


def _power(found: re.Match[str]) -> str:
    raised = found[2].translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10⁻{raised}" if found[1] == "1" else f"{found[1]}·10⁻{raised}"


def _themed(root: ET.Element, panel: Panel, name: str) -> Markup:
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", XLINK)
    for unused in root.findall(f"{{{SVG}}}metadata"):
        root.remove(unused)
    for size in ("width", "height"):
        del root.attrib[size]
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-description")
    for place, (tag, words) in enumerate(
        (("title", panel.title), ("description", panel.description))
    ):
        element = ET.Element(f"{{{SVG}}}{tag.replace('description', 'desc')}", id=f"{name}-{tag}")
        element.text = words
        root.insert(place, element)
    return Markup(_in_the_page(_own_names(root, name)))  # noqa: S704 (serialised by ElementTree)


def _own_names(root: ET.Element, name: str) -> str:
    """Drop identifiers that nothing refers to, and put the panel's name before the others."""
    text = ET.tostring(root, encoding="unicode")
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', text))
    text = re.sub(
        r' id="([^"]+)"',
        lambda found: (
            found[0]
            if found[1].startswith(f"{name}-")
            else f' id="{name}-{found[1]}"'
            if found[1] in used
            else ""
        ),
        text,
    )
    return re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", text)


def _in_the_page(text: str) -> str:
    """Put the colours and the typeface of the page in place of the stand-ins."""
    for colour, meaning in THEME.items():
        text = text.replace(colour, meaning)
    return re.sub(r"font: ([\w. ]*?[\d.]+px) [^;\"]*", r"font: \1 var(--sans)", text)
