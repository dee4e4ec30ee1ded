"""What claims share, file by file: what a claim is, what is drawn; derivations."""
