"""``python -m kvfloor_proofs.cli``."""

from kvfloor_proofs.cli import main

main()
