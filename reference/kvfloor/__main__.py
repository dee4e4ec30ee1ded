"""``python -m kvfloor`` runs the command ``kvfloor``, which comes with the proofs."""

from runpy import run_module

run_module("kvfloor_proofs.cli", run_name="__main__", alter_sys=True)
