"""Hold a function to the test vectors: ``python use_vectors.py FOLDER``."""

import json
import sys
from pathlib import Path

import numpy as np


def attention(q, K, V, mask, scale):
    """Order 1, in float64."""
    logits = np.where(mask, K[0] @ q * scale, -np.inf)
    weights = np.exp(logits - logits.max())
    return weights @ V[0] / weights.sum()


def numbers(x):
    """Hexadecimal floats, however nested, as an array."""
    nested = x if isinstance(x, list) else [x]
    return np.array([numbers(y) if isinstance(y, list) else float.fromhex(y) for y in nested])


worst = {}
for vector in json.loads((Path(sys.argv[1]) / "float32.json").read_text())["vectors"]:
    mask = np.array(True if vector["mask"] is None else vector["mask"])
    if len(vector["keys"]) > 1 or not mask.any():
        continue
    q, right = numbers(vector["query"]), numbers(vector["output"])
    K, V = ([numbers(x) for x in vector[name]] for name in ("keys", "values"))
    got = attention(q, K, V, mask, 1 / np.sqrt(len(q)))
    ulps = np.abs(got - right) / np.spacing(np.abs(right).astype(np.float32) + 1e-30)
    worst[vector["flag"]] = max(worst.get(vector["flag"], 0), ulps.max())
for flag, ulps in sorted(worst.items(), key=lambda entry: -entry[1])[:3]:
    print(f"{flag}: {ulps:.2f} ulps of float32")
