"""A compressor where it lives: inside a model, between its layers and its cache."""

from __future__ import annotations

import copy
import inspect
import io
import pickle
from typing import Any, ClassVar

import numpy as np

from kvfloor.adapters.carrying import ModelShape, Numbers
from kvfloor.adapters.compressors import Compressor, Installed
from kvfloor.adapters.held import Held, digest, held_in
from kvfloor.adapters.latent import carrying_model
from kvfloor.adapters.tensors import Tensors
from kvfloor.errors import InputError

__all__ = ["ModelCache"]

OF_MODULES = {"_parameters", "_buffers", "_modules", "training", "config"}  # looked at otherwise


class ModelCache:
    """The cache of a model that carries keys, values and queries, with a compressor at work.

    Tokens go through the model as hidden states: first many at once (prefill), then one by one.
    A query is a decoding step from the state; its own key and value are zeros, and it goes
    to all layers and heads at once. What it brings back are logits of the model.

    The state is the cache as Python pickles it, each tensor cut down to what it reaches. Whoever
    restores it has a model and a press of his own, which have seen nothing.

    Parameters
    ----------
    shape : ModelShape
    compressor : str or callable
        See `kvfloor.adapters.compressors.Installed`.
    prefill : int, optional
        Tokens of the prefill; by default all, and half of them for a press that works on single
        tokens.
    attention : "sdpa" or "eager"
        Implementation of attention.
    seed : int
        PyTorch's, while tokens are taken, and anew for each query.

    Raises
    ------
    InputError
        As `CarryingModel` and `Installed`.
    """

    scope: ClassVar[str] = (
        "counted: every tensor and number that the cache holds; seen, but not counted: what "
        "modules and the press hold; not seen: names of attributes, and what is kept elsewhere "
        "and gives the same answers"
    )

    def __init__(
        self,
        *,
        shape: ModelShape,
        compressor: Compressor,
        prefill: int | None = None,
        attention: str = "sdpa",
        seed: int = 0,
    ) -> None:
        self._shape, self._compressor = shape, compressor
        self._prefill, self._seed = prefill, seed
        self._carrying = carrying_model(shape, attention)
        self._installed: Installed | None = None
        self._taken, self._state = 0, b""
        self._before = dict[tuple[int, str], bytes]()

    def take(self, keys: Numbers, values: Numbers, queries: Numbers) -> None:
        """Take tokens, all of them; see `CarryingModel.hidden` for their shapes.

        The queries are those of the tokens themselves; no answer to them is looked at, but presses
        may look at them.

        Raises
        ------
        InputError
            If tokens were taken or restored before.
        """
        if self._installed is not None:
            raise InputError("tokens", "none after others were taken", "some")
        n, installed = len(keys), self._start(len(keys))
        first = self._prefill or (n // 2 if installed.decodes else n)
        around = self._surroundings(installed).items()
        self._before = {place: digest(value) for place, (_, value) in around}
        parts = (range(first), installed.prefills), (range(first, n), installed.decodes)
        with self._seeded():
            for part, on in parts:
                steps = [slice(0, first)] if part.start == 0 else [slice(j, j + 1) for j in part]
                with installed.at_work(on=on and bool(steps)):
                    for own in steps:
                        tokens = keys[own], values[own], queries[own]
                        self._step(installed, *tokens, own.start)
        self._taken, self._state = n, _pickled(installed.cache)

    def state(self) -> bytes:
        """Return the cache, pickled, with nothing of a tensor's storage but what it reaches."""
        _ = self._started
        return self._state

    def restore(self, state: bytes, n: int) -> None:
        """Take over a state of n tokens; code of the libraries in it is run."""
        installed = self._start(n)
        installed.cache = pickle.loads(state)  # noqa: S301 (of whoever runs the audit)
        self._taken, self._state = n, state

    def answer(self, queries: Numbers) -> Numbers:
        """Return the outputs for a query of every layer and head, shape (layers, query_heads, d).

        Parameters
        ----------
        queries : array, shape (layers, query_heads, d)
            At scale 1.
        """
        installed = copy.copy(self._started)
        installed.cache = pickle.loads(self._state)  # noqa: S301 (of whoever runs the audit)
        if installed.decodes:
            installed.press = copy.deepcopy(installed.press)
        nothing = np.zeros((1, self._shape.layers, self._shape.heads, self._shape.d))
        place = installed.cache.get_seq_length() if installed.renumbers else self._taken
        with self._seeded(), installed.at_work(on=installed.decodes):
            logits = self._step(installed, nothing, nothing, queries[None], place)
        shape = (self._shape.layers, self._shape.query_heads, self._shape.d)
        return np.asarray(logits.numpy(), dtype=np.float64).reshape(shape)

    def held(self) -> Held:
        """Return what the cache holds, counted."""
        return held_in(self._started.cache)

    def outside(self) -> dict[str, int]:
        """Return bits of what modules and the press hold since tokens were taken, by name."""
        bits = dict[str, int]()
        for place, (name, value) in self._surroundings(self._started).items():
            if self._before.get(place) != digest(value) and (count := held_in(value).bits):
                bits[name] = count
        return bits

    @property
    def renumbers(self) -> bool:
        """Whether the press moves what it keeps to other positions."""
        return self._started.renumbers

    def lengths(self) -> list[int]:
        """Return how many tokens each layer says that it has."""
        cache = self._started.cache
        return [int(cache.get_seq_length(layer)) for layer in range(self._shape.layers)]

    @property
    def _started(self) -> Installed:
        if self._installed is None:
            raise InputError("cache", "tokens or a state before", "neither")
        return self._installed

    def _start(self, n: int) -> Installed:
        self._installed = Installed(self._compressor, self._carrying.model, n + 1)
        return self._installed

    def _step(
        self, installed: Installed, keys: Numbers, values: Numbers, queries: Numbers, place: int
    ) -> Any:
        """Run tokens through the model, from a position on; return the last one's logits."""
        import torch  # noqa: PLC0415 (optional, and slow to import)

        positions, model = np.arange(place, place + len(queries)), self._carrying.model
        hidden = self._carrying.hidden(keys, values, queries, positions)
        known = inspect.signature(model.forward).parameters
        given = {"cache" if "cache" in known else "past_key_values": installed.cache}  # of 5.24
        with torch.no_grad():
            found = model(
                **given,
                inputs_embeds=hidden,
                position_ids=torch.from_numpy(positions)[None],
                use_cache=True,
                logits_to_keep=1,
            )
        return found.logits[0, -1]

    def _seeded(self) -> Any:
        return Tensors.of("torch", "float32").seeded(self._seed)

    def _surroundings(self, installed: Installed) -> dict[tuple[int, str], tuple[str, Any]]:
        """Name and value of what modules and the press have beside weights, by its place."""
        found = dict[tuple[int, str], tuple[str, Any]]()
        for path, module in self._carrying.model.named_modules():
            for name, value in (vars(module) | module._buffers).items():
                if name not in OF_MODULES and "hooks" not in name:
                    found[id(module), name] = f"{path}.{name}".lstrip("."), value
        for name, value in getattr(installed.press, "__dict__", {}).items():
            found[id(installed.press), name] = f"press.{name}", value
        return found


def _pickled(cache: Any) -> bytes:
    stream = io.BytesIO()
    _Pickler(stream, protocol=pickle.HIGHEST_PROTOCOL).dump(cache)
    return stream.getvalue()


class _Pickler(pickle.Pickler):
    """Pickles tensors as what they reach, without the rest of their storage."""

    def reducer_override(self, value: Any) -> Any:
        """Return how to make a plain tensor, from its numbers alone."""
        import torch  # noqa: PLC0415 (optional, and slow to import)

        if type(value) is not torch.Tensor or value.layout is not torch.strided:
            return NotImplemented
        data = value.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes()
        return _tensor, (data, value.dtype, tuple(value.shape))


def _tensor(data: bytes, dtype: Any, shape: tuple[int, ...]) -> Any:
    import torch  # noqa: PLC0415 (optional, and slow to import)

    flat = torch.frombuffer(bytearray(data), dtype=dtype) if data else torch.empty(0, dtype=dtype)
    return flat.reshape(shape)
