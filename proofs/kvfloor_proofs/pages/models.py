"""The page docs/models.md: ``python -m kvfloor_proofs.pages.models FILE``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from kvfloor.adapters import parts_of
from kvfloor.floors import (
    Guarantee,
    Part,
    capped_tokens,
    model_floors,
    stored_bits,
    total_bits,
)

__all__ = ["ALPHA", "MODELS", "NORMS", "TOKENS", "Model", "page", "row"]

TOKENS = {"4k": 2**12, "32k": 2**15, "128k": 2**17, "1M": 2**20}
ALPHA = Fraction(1, 256)
NORMS = 30  # nats: what scale·‖q‖·‖k‖ is bounded by in the last column
VOCABULARY = 128_256  # of Llama 3.1 (arXiv:2407.21783)
CAP = 50  # of Gemma 2 (arXiv:2408.00118)


class Model(NamedTuple):
    """A model of which the shape is public."""

    name: str
    source: str
    configuration: dict[str, Any]

    @property
    def parts(self) -> tuple[Part, ...]:
        """Layers that are alike."""
        return parts_of(self.configuration)


def _grouped(layers: int, queries: int, heads: int, d: int, **others: Any) -> dict[str, Any]:
    return {
        "num_hidden_layers": layers,
        "num_attention_heads": queries,
        "num_key_value_heads": heads,
        "head_dim": d,
        **others,
    }


_TWO_KINDS = ["sliding_attention", "full_attention"]
_LATENT = {"kv_lora_rank": 512, "qk_rope_head_dim": 64, "v_head_dim": 128}
MODELS = (
    Model("Llama 2 7B", "arXiv:2307.09288", _grouped(32, 32, 32, 128)),
    Model("Llama 3.1 8B", "arXiv:2407.21783, table 3", _grouped(32, 32, 8, 128)),
    Model("Llama 3.1 70B", "arXiv:2407.21783, table 3", _grouped(80, 64, 8, 128)),
    Model("Qwen2.5 7B", "arXiv:2412.15115, table 1", _grouped(28, 28, 4, 128)),
    Model(
        "Mistral 7B v0.1",
        "arXiv:2310.06825, table 1",
        _grouped(32, 32, 8, 128, sliding_window=4096),
    ),
    Model(
        "Gemma 2 9B",
        "arXiv:2408.00118, table 1",
        _grouped(42, 16, 8, 256, sliding_window=4096, layer_types=_TWO_KINDS * 21),
    ),
    Model(
        "gpt-oss-120b",
        "arXiv:2508.10925",
        _grouped(36, 64, 8, 64, sliding_window=128, layer_types=_TWO_KINDS * 18),
    ),
    Model("DeepSeek-V3", "arXiv:2412.19437, section 4.2", _grouped(61, 128, 128, 128, **_LATENT)),
)
COLUMNS = (
    "model", "tokens", "one bit a value", "α = 2⁻⁸", "claim", "float16", "ratio", "α = 2⁻⁸, norms",
)  # fmt: skip


class Row(NamedTuple):
    """The numbers of a model at a number of tokens.

    Attributes
    ----------
    plain, best, bounded : int
        Bits that are needed: one bit a value; at α = 2⁻⁸; at α = 2⁻⁸ with norms bounded.
    claims : tuple of str
        What the best comes from, part by part.
    stored : int
        Bits of a float16 cache.
    """

    plain: int
    best: int
    claims: tuple[str, ...]
    stored: int
    bounded: int


def row(model: Model, n: int) -> Row:
    """Return the numbers of a model at n tokens."""
    free = model_floors(model.parts, n, alpha=ALPHA)
    bounded = model_floors(model.parts, n, alpha=ALPHA, rho=NORMS)
    plain = total_bits([part.floors[-1].bits for part in free])
    claims = tuple(dict.fromkeys(part.floors[0].claim for part in free))
    best, limited = (
        total_bits([part.floors[0].bits for part in found]) for found in (free, bounded)
    )
    return Row(plain, best, claims, stored_bits(model.parts, n), limited)


def page() -> str:
    """Return the page."""
    table = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    table += [_line(model, tokens, n) for model in MODELS for tokens, n in TOKENS.items()]
    return "\n".join([_head(), *_shapes(), "", "## Floors", "", *table, "", *_follows(), ""])


def _head() -> str:
    return f"""\
# What the floors say of real models

How small can a model's KV cache be, if answers have to be within α for all keys and values?

```sh
kvfloor floor -n 131072 --config config.json --alpha 1/256
```

The answer is every floor with its [claim](claims/best-floor.md), the largest of them, and its
*ratio* to a float16 cache: no cache that is right for all keys and values is smaller than that part
of it. `-d`, `--layers`, `--kv-heads`, `--window` say the shape without a file. From Python:

```python
from kvfloor import model_floors
from kvfloor.adapters import parts_of

llama = dict(hidden_size=4096, num_hidden_layers=32, num_attention_heads=32, num_key_value_heads=8)
(part,) = model_floors(parts_of(llama), 131072, alpha="1/256")
print(part.floors[0].claim, part.floors[0].bits, "bits")
```

It prints `{_example()}`; `read_configuration` takes a file. Without α answers are exact, and an
entry has 2¹⁶ levels at most.

* Layers and key-value heads [add up](claims/heads-and-layers.md); query heads do not count.
* [Windows](claims/sliding-window.md) count the tokens they show.
* [Latents](claims/latent-heads.md), as in DeepSeek's models, count as values.
* [Rotary embeddings](claims/positions.md) change nothing.
* Not read from the file: sinks, [soft caps](claims/soft-cap.md), and norms of keys and queries, as
  Qwen3 and Gemma 3 have. Where norms bound scale·‖q‖·‖k‖, say by how many nats: `--rho`.
* Layers of linear attention, and those that share keys with others, are left out. Refused
  are encoders, and attention in chunks, to another sequence, with an index or by keys that are the
  values; so is a file that leaves heads, their size or windows to the defaults of its model type:
  write them into it.

Below, *α = 2⁻⁸*: outputs of values in [0, 1] are off by at most {ALPHA}. Norms of keys and queries
are free; in the last column scale·‖q‖·‖k‖ is at most {NORMS} nats. Sizes are in bytes, in decimal
units. This page is written by `python -m kvfloor_proofs.pages.models`.

## Shapes
"""


def _example() -> str:
    """What the example prints."""
    (part,) = model_floors(MODELS[1].parts, TOKENS["128k"], alpha=ALPHA)
    return f"{part.floors[0].claim} {part.floors[0].bits} bits"


def _shapes() -> Iterator[str]:
    yield "| model | layers × key-value heads, entries of a key and of a value | source |"
    yield "|---|---|---|"
    for model in MODELS:
        parts = "; ".join(
            f"{part.layers} × {part.heads}, {part.d} and {part.d_v}"
            + ("" if part.window is None else f", window {part.window}")
            for part in model.parts
        )
        yield f"| {model.name} | {parts} | {model.source} |"


def _line(model: Model, tokens: str, n: int) -> str:
    found = row(model, n)
    cells = (
        model.name,
        tokens,
        size(found.plain),
        size(found.best),
        ", ".join(f"`{claim}`" for claim in found.claims),
        size(found.stored),
        f"{found.best / found.stored:.2f}",
        size(found.bounded),
    )
    return "| " + " | ".join(cells) + " |"


def size(bits: int) -> str:
    """Bits as bytes in decimal units, to three digits."""
    return f"{bits / 8e9:.3g} GB" if bits >= 8e9 else f"{bits / 8e6:.3g} MB"


def _follows() -> Iterator[str]:
    llama, n = MODELS[1], TOKENS["128k"]
    found = row(llama, n)
    names = n * (VOCABULARY - 1).bit_length()
    fails = model_floors(llama.parts, n, alpha=ALPHA, delta=Fraction(1, 10))
    random = total_bits([part.floors[0].bits for part in fails])
    most = TOKENS["1M"]
    if capped_tokens(most, CAP, Guarantee(Fraction(0), ALPHA)) < most:
        raise ValueError("the cap leaves fewer tokens than the page says")
    yield f"""\
## What follows

* A cache for {llama.name} at 128k tokens that is within {ALPHA} for all keys and values takes
  {size(found.best)} or more; its float16 cache takes {size(found.stored)}. Whoever promises more
  than a factor of {found.stored / found.best:.2f} there, for all inputs, is wrong, and there are
  inputs that show it.
* One that may fail a query with probability 1/10 takes {size(random)} or more
  ([`retrievable-information`](claims/retrievable-information.md)).
* Even one bit a value takes {size(found.plain)}: a factor of {found.stored / found.plain:.0f} is
  the end for coarse answers too, as long as they tell 0 from 1.
* Fewer query heads save nothing; fewer key-value heads and windows save in proportion; a latent
  saves what it is smaller by.
* A soft cap of {CAP} nats, as in Gemma 2, is far from mattering: one weight still singles out each
  of 1M tokens ([`soft-cap`](claims/soft-cap.md)).

## What does not

* Nothing about *your* keys. The floors are for some keys and values; those of texts may need less,
  and compressors live on that.
* Nothing about a cache that reads the text again. The names of 128k tokens, of a vocabulary of
  {VOCABULARY}, take {size(names)}, and all keys and values can be computed from them. The floors
  are for caches that answer without.
* Nothing about the quality of a text. α is the error of an output of attention to values in [0, 1];
  what that does to a model is not said.
* With free norms queries may be very strong. With norms up to {NORMS} nats keys hold nothing in
  these floors, and tokens beyond what such norms tell apart do not count; what is true in between
  is not known here.
* The layers of a model depend on each other. Here each has keys and values of its own."""


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
