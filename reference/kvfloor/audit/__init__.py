"""`audit`: can a cache be right, and is it? With proof where it is not (T5, T6)."""

from kvfloor.audit.auditor import DEFAULT_ALPHA, DEFAULT_CONFIDENCE, FAMILIES, audit, label
from kvfloor.audit.picture import canvas, draw
from kvfloor.audit.result import Audit, Finding
from kvfloor.audit.sweeps import Row, Task, sweep, take_up

__all__ = [
    "DEFAULT_ALPHA",
    "DEFAULT_CONFIDENCE",
    "FAMILIES",
    "Audit",
    "Finding",
    "Row",
    "Task",
    "audit",
    "canvas",
    "draw",
    "label",
    "sweep",
    "take_up",
]
