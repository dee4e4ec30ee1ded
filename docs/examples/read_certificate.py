"""Read a certificate, and check it: ``python read_certificate.py FILE``."""

import json
import sys
from fractions import Fraction
from pathlib import Path

import kvfloor

text = Path(sys.argv[1]).read_text()
certificate = json.loads(text)
family, guarantee = certificate["family"], certificate["guarantee"]
print(f"{certificate['kind']} of {certificate['cache']['name']}, order {family['order']}")
print(f"with {family['size']} bits in n = {family['book']['n']} tokens")
address, column = certificate["query"]["address"], certificate["query"]["column"]
print(f"asked for token {address}, column {column}, to within {guarantee['alpha']}")
if certificate["kind"] == "violation":
    print("it answers", float(Fraction(certificate["answer"])))
    print("where the output is", float(Fraction(certificate["output"]["lower"])))
outcome = kvfloor.check(text)
print(outcome.status, *(f"unchecked: {text}" for text in outcome.unchecked), sep="; ")
