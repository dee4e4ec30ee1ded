"""A compressor audited inside a model: bits held, what comes back, and the floor of all heads."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import numpy.typing as npt

from kvfloor.adapters.carrying import Numbers
from kvfloor.adapters.carrying_error import carrying_error
from kvfloor.adapters.compressors import Compressor, compressor_name
from kvfloor.adapters.model import ModelCache
from kvfloor.adapters.model_certificate import Missed, head_certificate
from kvfloor.adapters.model_instance import ModelInstance, Sizes, revealed
from kvfloor.adapters.model_losses import Asked, looks_like
from kvfloor.adapters.model_result import ModelAudit
from kvfloor.audit import Finding
from kvfloor.caches import State
from kvfloor.errors import InputError
from kvfloor.floors import Guarantee, as_confidence, certified_bits
from kvfloor.isolation import Misbehaviour, writer_and_reader
from kvfloor.numbers import as_count

__all__ = ["CACHE", "DEFAULT_SECONDS", "answered", "audit_in_model", "options_of", "taken"]

PACKAGES = ("kvfloor", "torch", "transformers", "kvpress", "optimum-quanto", "hqq")
RENUMBERED = (
    "it moves what it keeps to other positions, where keys are turned away from these queries: a "
    "token that looks missing may be kept"
)
DEFAULT_SAMPLE = 32
DEFAULT_SECONDS = 20.0
CACHE = "kvfloor.adapters:ModelCache"  # imported by the other processes alone


def audit_in_model(
    compressor: Compressor,
    *,
    n: int,
    d: int,
    layers: int = 2,
    heads: int = 2,
    query_heads: int | None = None,
    window: int | None = None,
    latent: bool = False,
    largest: float = 1.0,
    eta: Any = 0,
    alpha: Any = Fraction(1, 8),
    prefill: int | None = None,
    attention: str = "sdpa",
    sample: int = DEFAULT_SAMPLE,
    confidence: Any = Fraction(999_999, 1_000_000),
    seconds: float = DEFAULT_SECONDS,
    seed: int = 0,
) -> ModelAudit:
    """Audit a press or a cache implementation inside a model, and return whatever comes of it.

    Random bits are the values of every layer and key-value head. One process takes them in,
    through a model with the compressor at work; it pickles the cache. Another, with a model and a
    press that have seen nothing, answers from that alone, and both answer the same queries.

    Parameters
    ----------
    compressor : str or callable
        Makes a press or a cache: ``MODULE:NAME,OPTION=VALUE,...`` or a function that other
        processes can import, `functools.partial` of one too.
    n, d : int
        Tokens; entries of keys and values of a head: even, and ``2**d >= n``.
    layers, heads, query_heads : int
        Of the model; by default as many query heads as key-value heads.
    window : int, optional
        Tokens that a query sees, its own included.
    latent : bool
        Whether keys and values come from latents, as in DeepSeek's models: see `LatentModel`.
    largest : number
        Of the values, a power of two: large ones overflow what is made for small ones. Answers are
        told in units of it.
    eta, alpha : number
        The guarantee (η, α), for values in units of the largest.
    prefill : int, optional
        Tokens of the prefill: see `ModelCache`.
    attention : "sdpa" or "eager"
    sample : int
        Addresses asked for of each key-value head; all if there are not more.
    confidence : number
        Of the certified bits.
    seconds : float
        Time limit for each answer, and as long as for one more for what comes before.
    seed : int
        Of instances and of the compressor.

    Raises
    ------
    InputError
        For a number out of range, or a guarantee that the model's arithmetic leaves no room for.

    Notes
    -----
    H1 `heads-and-layers`.
    """
    started = time.perf_counter()
    guarantee = Guarantee(eta, alpha)
    sizes = Sizes(n, d, layers, heads, query_heads or heads, window, latent, float(largest))
    instance = ModelInstance(sizes, guarantee, as_count(seed, "seed"))
    arithmetic = carrying_error(instance.shape, sizes.n) / Fraction(sizes.largest)
    held_to = Guarantee(guarantee.eta, guarantee.alpha + arithmetic).separates_bits()
    options = options_of(instance, compressor, prefill, attention, seed)
    addresses = instance.questions(as_count(sample, "sample", 1))
    course = _Course(held_to, instance, addresses, as_confidence(confidence))
    try:
        course.run(options, seconds)
    except Misbehaviour as fault:
        course.findings.append(Finding(fault.kind, str(fault)))
        course.verdict = "not-served" if fault.kind == "raised" else "misbehaves"
    except InputError:
        raise
    except Exception:  # of this program
        course.findings.append(Finding("error", traceback.format_exc()))
        course.verdict = "error"
    return ModelAudit(
        compressor=compressor_name(compressor),
        sizes=sizes,
        guarantee=guarantee,
        arithmetic=arithmetic,
        floor_bits=instance.floor_bits,
        retrieved=course.retrieved(),
        versions=_versions(),
        seconds=time.perf_counter() - started,
        **course.outcome(),
    )


def options_of(
    instance: ModelInstance, compressor: Compressor, prefill: Any, attention: str, seed: int
) -> dict[str, Any]:
    """Return the options of a `ModelCache` that takes an instance."""
    return {
        "shape": instance.shape,
        "compressor": compressor,
        "prefill": None if prefill is None else as_count(prefill, "prefill", 1),
        "attention": attention,
        "seed": seed,
    }


class _Course:
    """What happens to a compressor, and what came of it so far."""

    def __init__(
        self,
        held_to: Guarantee,
        instance: ModelInstance,
        addresses: npt.NDArray[np.int64],
        confidence: Fraction,
    ) -> None:
        self._held_to, self._instance, self._addresses = held_to, instance, addresses
        self._confidence = confidence
        self.findings = list[Finding]()
        self.verdict = "error"
        self._options, self._told, self._state = dict[str, Any](), dict[str, Any](), b""
        self._asked = self._wrong = self._failed = 0
        self._losses = Counter[str]()
        self._worst_error: float | None = None
        self._missed: tuple[float, Missed] | None = None

    def run(self, options: dict[str, Any], seconds: float) -> None:
        """Have the tokens taken, ask from the state alone, and judge."""
        instance, queries = self._instance, self._instance.queries(self._addresses)
        self._options = options
        with ExitStack() as processes:
            writer, reader = writer_and_reader(CACHE, seconds=seconds, processes=processes)
            limit = seconds * (1 + len(queries))
            tokens = instance.keys, instance.given_values, instance.own_queries

            def take() -> None:
                told = writer.call(taken, options, *tokens, queries, seconds=limit)
                self._told = told

            reader.call(_ready, options, seconds=limit, meanwhile=take)
            self._state, mine = bytes.fromhex(self._told.pop("state")), self._told.pop("answers")
            arguments = options, self._state, instance.sizes.n, queries
            alone = reader.call(answered, *arguments, seconds=limit)
        answers = np.array(alone) / instance.sizes.largest
        _require_numbers(answers)
        self._judge(answers)
        self._compare(np.array(mine) / instance.sizes.largest, answers)
        self.verdict = self._decided()

    def outcome(self) -> dict[str, Any]:
        """Return what came of it, by the names of `ModelAudit`."""
        return {
            "verdict": self.verdict,
            "findings": tuple(self.findings),
            "held": self._told.get("held", {}),
            "outside": self._told.get("outside", {}),
            "lengths": tuple(self._told.get("lengths", ())),
            "asked": self._asked,
            "wrong": self._wrong,
            "failed": self._failed,
            "worst_error": self._worst_error,
            "losses": dict(self._losses.most_common()),
        }

    def retrieved(self) -> Fraction | None:
        """Return certified bits that came back, None if not all were asked for once."""
        if self._asked != self._instance.floor_bits:
            return None
        return certified_bits(
            self._asked,
            2,
            instances=1,
            wrong=self._wrong,
            longest=self._told["held"]["bits"],
            alike=True,
            confidence=self._confidence,
        )

    def _judge(self, answers: Numbers) -> None:
        """Hold answers to the truth, head by head."""
        sizes = self._instance.sizes
        for layer in range(sizes.layers):
            for head in range(sizes.query_heads):
                self._judge_head(layer, head, answers[:, layer, head])

    def _judge_head(self, layer: int, head: int, answers: Numbers) -> None:
        instance, own = self._instance, head // self._instance.sizes.group
        addresses = self._addresses[:, layer, head]
        truth = instance.truth(layer, own, addresses)
        errors = np.abs(answers - truth)
        self._asked += answers.size
        self._wrong += int((revealed(answers) != instance.bits(layer, own)[addresses]).sum())
        self._worst_error = max(self._worst_error or 0.0, float(errors.max()))
        low, high = np.nextafter(truth, -np.inf), np.nextafter(truth, np.inf)
        for row, address in enumerate(addresses.tolist()):
            ends = zip(answers[row].tolist(), low[row].tolist(), high[row].tolist(), strict=True)
            off = [
                column
                for column, numbers in enumerate(ends)
                if self._held_to.accepts(*map(Fraction, numbers)) is False
            ]
            if off:
                column = max(off, key=errors[row].__getitem__)
                told = float(answers[row, column]), float(truth[row, column])
                missed = Missed(layer, head, address, column, *told)
                self._note(missed, answers[row], len(off), float(errors[row, column]))

    def _note(self, missed: Missed, answer: Numbers, count: int, error: float) -> None:
        """Note an answer outside the guarantee, so many numbers of it, and what it looks like."""
        instance, alpha = self._instance, float(self._instance.family.guarantee.alpha)
        own = missed.head // instance.sizes.group
        query = instance.queries(np.array(missed.address))
        logits = instance.keys[:, missed.layer, own] @ query
        rows, first = instance.rows(missed.layer, own), -instance.family.n
        hidden = instance.hidden_rows(missed.layer, own), logits[:first][::-1]
        asked = Asked(rows, logits[first:], missed.address, answer, alpha / 4, hidden)
        self._losses[looks_like(asked)] += 1
        self._failed += count
        if self._missed is None or error > self._missed[0]:
            self._missed = error, missed

    def _compare(self, mine: Numbers, alone: Numbers) -> None:
        """Note whether the cache answers otherwise beside the model that took the tokens."""
        most = 2 * float(self._held_to.alpha - self._instance.family.guarantee.alpha)
        apart = np.abs(mine - alone).max()
        if not apart <= most:
            outside = ", ".join(self._told["outside"]) or "something that was not found"
            reason = (
                f"its answers change by {apart:.6g} when they come from the cache alone; beside "
                f"the cache the model held {outside}"
            )
            self.findings.append(Finding("outside-state", reason))

    def _decided(self) -> str:
        bits = self._told["held"]["bits"]
        under = bits < self._instance.floor_bits
        if self._missed is not None:
            self.findings.append(self._violation(self._missed[1]))
        if (retrieved := self.retrieved()) is not None and retrieved > bits:
            reason = f"{float(retrieved):.1f} bits come back from a cache of {bits}"
            self.findings.append(Finding("outside-state", reason))
        if any(finding.kind == "outside-state" for finding in self.findings):
            return "misbehaves"
        if self._failed:
            return "refuted" if under else "violates"
        return "undecided" if under else "within-guarantee"

    def _violation(self, missed: Missed) -> Finding:
        sizes, options = self._instance.sizes, self._options
        count, asked = self._losses.total(), self._asked // sizes.d
        looks = ", ".join(f"{n} {loss}" for loss, n in self._losses.most_common())
        reason = (
            f"it answers {missed.answer:.6g} where the output is {missed.truth:.6g}: layer "
            f"{missed.layer}, head {missed.head}, address {missed.address}; of {asked} answers "
            f"{count} are outside the guarantee, and look like: {looks}"
        )
        if self._told["renumbers"]:
            reason += f"; {RENUMBERED}"
        named = {
            "compressor": compressor_name(options["compressor"]),
            **asdict(sizes) | {"largest": f"{sizes.largest:g}"},
            "prefill": options["prefill"],
            "attention": options["attention"],
        }
        state = State(self._state, self._told["held"]["bits"])
        seed = options["seed"]
        certificate = head_certificate(self._instance, missed, named, seed, state)
        return Finding("violation", reason, certificate)


def taken(
    made: Callable[..., ModelCache],
    options: dict[str, Any],
    keys: Numbers,
    values: Numbers,
    own_queries: Numbers,
    queries: Sequence[Numbers],
) -> dict[str, Any]:
    """Take tokens, in the first process, and tell what is held and answered."""
    cache = made(**options)
    cache.take(keys, values, own_queries)
    return {
        "state": cache.state().hex(),
        "held": cache.held().to_json(),
        "outside": cache.outside(),
        "lengths": cache.lengths(),
        "renumbers": cache.renumbers,
        "answers": [cache.answer(query).tolist() for query in queries],
    }


def _ready(made: Callable[..., ModelCache], options: dict[str, Any]) -> None:
    """In the second process, while the first is at work: load what answers need."""
    made(**options)


def answered(
    made: Callable[..., ModelCache],
    options: dict[str, Any],
    state: bytes,
    n: int,
    queries: Sequence[Numbers],
) -> list[Any]:
    """Answer from the state alone, in the second process."""
    cache = made(**options)
    cache.restore(state, n)
    return [cache.answer(query).tolist() for query in queries]


def _require_numbers(answers: Numbers) -> None:
    if not np.isfinite(answers).all():
        raise Misbehaviour("answer", "an answer that is no finite number")


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
