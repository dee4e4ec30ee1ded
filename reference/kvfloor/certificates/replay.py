"""A certificate on the cache that it is about: run again, in processes of their own, twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from kvfloor.caches import State
from kvfloor.certificates.text import Document, InvalidError, compare
from kvfloor.isolation import Answer, Factory, Isolated, Misbehaviour, Refusal

__all__ = ["TWICE", "compare_cache", "replay_answer", "state_part"]

TWICE = 2  # a cache whose second run is another has no state to speak of

See = Callable[[Isolated], tuple[State, Sequence[Answer]]]
Ask = Callable[[Isolated, State], Sequence[Answer]]


def state_part(state: State) -> Document:
    """A state may be too long for a certificate; its digest tells it just as well."""
    name = "sha256:" + hashlib.sha256(state.data).hexdigest()
    return {"state_digest": name, "state_bits": state.bits}


def compare_cache(document: Document, process: Isolated) -> None:
    """Raise `InvalidError` unless the process runs the cache that a certificate names."""
    claimed = {name: document["cache"][name] for name in ("name", "options")}
    compare("cache", claimed, dict(process.cache))


def replay_answer(document: Document, factory: Factory, see: See, ask: Ask) -> None:
    """Let a cache see what it saw and answer in another process, twice.

    Parameters
    ----------
    document : Document
        A violation.
    factory : Factory
    see : callable
        Gives a process the tokens; returns the state, and the answer if it has to give that itself.
    ask : callable
        Returns the answer of another process, from the state.

    Raises
    ------
    InvalidError
        Unless both times state and answer are those of the certificate.
    """
    cache, column = document["cache"], document["query"]["column"]
    try:
        with Isolated(factory) as writer, Isolated(factory) as reader:
            compare_cache(document, writer)
            for _ in range(TWICE):
                state, answers = see(writer)
                claimed = {name: cache[name] for name in ("state_digest", "state_bits")}
                compare("replay: cache", claimed, state_part(state))
                (answer,) = answers or ask(reader, state)
                compare("replay: answer", document["answer"], str(answer[column]))
    except (Misbehaviour, Refusal) as error:
        raise InvalidError(f"replay: {error}") from None
