"""`audit`: can a cache be right, and is it? With proof where it is not (T5, T6)."""

from kvfloor.audit.accuracy import CATALOGUE, SERVES
from kvfloor.audit.auditor import DEFAULT_ALPHA, DEFAULT_CONFIDENCE, FAMILIES, audit, label
from kvfloor.audit.dot_pictures import PICTURES, draw_dots
from kvfloor.audit.drawing import Drawing, dots, stored_drawing
from kvfloor.audit.entrants import Entrant, guest, left_out
from kvfloor.audit.league_pictures import draw_drawings, draw_errors, draw_league
from kvfloor.audit.meanings import LOSSES, UNTOLD, VERDICTS
from kvfloor.audit.picture import canvas, draw, save
from kvfloor.audit.playing import Match, Result, Terms, league, matches, played, trace_of
from kvfloor.audit.result import Audit, Examined, Finding, Rate
from kvfloor.audit.retrieved import DEFAULT_INSTANCES, Efficiency, efficiency
from kvfloor.audit.sweeps import Row, Task, sweep, take_up
from kvfloor.audit.symbol_families import SYMBOL_FAMILIES

__all__ = [
    "CATALOGUE",
    "DEFAULT_ALPHA",
    "DEFAULT_CONFIDENCE",
    "DEFAULT_INSTANCES",
    "FAMILIES",
    "LOSSES",
    "PICTURES",
    "SERVES",
    "SYMBOL_FAMILIES",
    "UNTOLD",
    "VERDICTS",
    "Audit",
    "Drawing",
    "Efficiency",
    "Entrant",
    "Examined",
    "Finding",
    "Match",
    "Rate",
    "Result",
    "Row",
    "Task",
    "Terms",
    "audit",
    "canvas",
    "dots",
    "draw",
    "draw_dots",
    "draw_drawings",
    "draw_errors",
    "draw_league",
    "efficiency",
    "guest",
    "label",
    "league",
    "left_out",
    "matches",
    "played",
    "save",
    "stored_drawing",
    "sweep",
    "take_up",
    "trace_of",
]
