"""How results are shown: on a terminal, and as JSON."""

from kvfloor_proofs.report.audits import show_audit, show_rows
from kvfloor_proofs.report.efficiency import show_efficiency
from kvfloor_proofs.report.floor_pictures import draw_panels, panels_of_shape, panels_of_trace
from kvfloor_proofs.report.floors import floors_to_json, show_floors
from kvfloor_proofs.report.given import given_to_json, show_given
from kvfloor_proofs.report.lines import Output
from kvfloor_proofs.report.models import show_model_audit
from kvfloor_proofs.report.named import show_named
from kvfloor_proofs.report.progress import followed, following
from kvfloor_proofs.report.terminal import show, show_fast_path, to_json

__all__ = [
    "Output",
    "draw_panels",
    "floors_to_json",
    "followed",
    "following",
    "given_to_json",
    "panels_of_shape",
    "panels_of_trace",
    "show",
    "show_audit",
    "show_efficiency",
    "show_fast_path",
    "show_floors",
    "show_given",
    "show_model_audit",
    "show_named",
    "show_rows",
    "to_json",
]
