"""What a picture is made of, whatever draws it: panels of series, described in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

__all__ = ["Panel", "Picture", "Series"]

Scale = Literal["linear", "log", "log2"]


@dataclass(frozen=True)
class Series:
    """Points with a name.

    Attributes
    ----------
    label : str
        Names it in the legend and in the table of numbers.
    points : tuple of (float, float)
        In order of x.
    kind : str
        "line"; "both", with a marker at every point; "points", not joined; "rule", a line that
        only marks a place, as thin as the axes.
    """

    label: str
    points: tuple[tuple[float, float], ...]
    kind: Literal["line", "both", "points", "rule"] = "line"


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    Attributes
    ----------
    title, x_label, y_label : str
        With units.
    series : tuple of Series
    description : str
        What is to be seen, for those who do not see it.
    x_scale, y_scale : str
        "linear", "log" or "log2".
    y_range : (float, float), optional
        By default what the series need.
    notes : tuple of (float, float, str)
        Words at places, such as the names of regimes.
    """

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    description: str
    x_scale: Scale = "linear"
    y_scale: Scale = "linear"
    y_range: tuple[float, float] | None = None
    notes: tuple[tuple[float, float, str], ...] = ()


@dataclass(frozen=True)
class Picture:
    """A figure of the page.

    Attributes
    ----------
    name : str
        Of its section.
    title : str
    caption : str
        Markdown: what was drawn, and with which parameters.
    claims : tuple of str
        Slugs of the claims that it shows; it is drawn if one of them is on the page.
    panels : callable
        Computes and measures what is drawn.
    """

    name: str
    title: str
    caption: str
    claims: tuple[str, ...]
    panels: Callable[[], tuple[Panel, ...]]
