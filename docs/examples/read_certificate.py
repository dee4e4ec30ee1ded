"""Read a certificate, and check it: ``python read_certificate.py FILE``."""

import json
import sys
from fractions import Fraction
from pathlib import Path

import kvfloor

text = Path(sys.argv[1]).read_text()
certificate = json.loads(text)
guarantee, query = certificate["guarantee"], certificate["query"]
print(f"{certificate['kind']} of {certificate['cache']['name']}")
if certificate["version"] == 1:  # an instance of a family: bits
    family = certificate["family"]
    print(f"order {family['order']}, {family['size']} bits in n = {family['book']['n']} tokens")
    print(f"asked for token {query['address']}, column {query['column']}", end="")
else:  # an instance in numbers
    instance = certificate["instance"]
    print(f"order {instance['order']}, {len(instance['keys'][0])} tokens in numbers")
    print(f"asked {query['vector']}, column {query['column']}, B = {guarantee['bound']}", end="")
print(f", to within {guarantee['alpha']}")
if certificate["kind"] == "violation":
    print("it answers", float(Fraction(certificate["answer"])))
    print("where the output is", float(Fraction(certificate["output"]["lower"])))
outcome = kvfloor.check(text)
print(outcome.status, *(f"unchecked: {text}" for text in outcome.unchecked), sep="; ")
