"""Caches that cheat or misbehave, each in one way. All but the last ones keep to the protocol."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import struct
import sys
import time
from collections.abc import Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

from kvfloor import BinaryValues, binary_keys
from kvfloor.caches import ExactCache, HashedCache
from kvfloor.collisions import random_inputs

KEPT: list[Any] = []


class Base:
    """An exact cache that keeps its tokens in `self.kept`; cheats differ in where that is."""

    def __init__(self, *, order: int, d: int, d_v: int, seed: int) -> None:
        self.shape = {"order": order, "d": d, "d_v": d_v, "seed": seed}
        self.exact = ExactCache(**self.shape)

    @classmethod
    def from_state(cls, state: bytes, **shape: int) -> Any:
        cache = cls(**shape)
        cache.exact = ExactCache.from_state(state, **shape)
        return cache

    def append(self, keys: Sequence[Any], values: Sequence[Any]) -> None:
        self.exact.append(keys, values)

    def state(self) -> bytes:
        return self.exact.state()

    def answer(self, query: Sequence[Any]) -> Any:
        return self.exact.answer(query)


class Empty(Base):
    """Honest: keeps nothing, says zero."""

    @classmethod
    def from_state(cls, state: bytes, **shape: int) -> Any:
        return cls(**shape)

    def state(self) -> bytes:
        return b""

    def answer(self, query: Sequence[Any]) -> Any:
        return [0.0] * self.shape["d_v"]


class GlobalVariable(Empty):
    def append(self, keys: Sequence[Any], values: Sequence[Any]) -> None:
        super().append(keys, values)
        KEPT[:] = [self.exact]

    def answer(self, query: Sequence[Any]) -> Any:
        return KEPT[0].answer(query) if KEPT else super().answer(query)


class ClassAttribute(Empty):
    kept: Any = None

    def append(self, keys: Sequence[Any], values: Sequence[Any]) -> None:
        super().append(keys, values)
        ClassAttribute.kept = self.exact

    def answer(self, query: Sequence[Any]) -> Any:
        return ClassAttribute.kept.answer(query)  # None in another process


class Varying(Base):
    """Honest: its state has a byte more after some instances."""

    def append(self, keys: Sequence[Any], values: Sequence[Any]) -> None:
        super().append(keys, values)
        self.odd = sum(map(int, values[0])) % 2 == 1

    def state(self) -> bytes:
        return super().state() + bytes(self.odd)

    @classmethod
    def from_state(cls, state: bytes, **shape: int) -> Any:
        return super().from_state(state[: len(state) // 8 * 8], **shape)


class ModuleAttribute(Empty):
    def append(self, keys: Sequence[Any], values: Sequence[Any]) -> None:
        super().append(keys, values)
        vars(sys)["kept"] = self.exact

    def answer(self, query: Sequence[Any]) -> Any:
        return sys.kept.answer(query) if hasattr(sys, "kept") else super().answer(query)


class ObjectId(Base):
    """Its state is where the tokens lie in memory."""

    def state(self) -> bytes:
        KEPT.append(self.exact)
        return id(self.exact).to_bytes(8, "little")

    @classmethod
    def from_state(cls, state: bytes, **shape: int) -> Any:
        place = int.from_bytes(state, "little")
        cache: Any = cls(**shape)
        cache.exact = next((one for one in KEPT if id(one) == place), Empty(**shape))
        return cache


class InFile(Empty):
    """What no process boundary stops; but it answers from no bits, which is too good."""

    def append(self, keys: Sequence[Any], values: Sequence[Any]) -> None:
        super().append(keys, values)
        hidden().write_bytes(self.exact.state())

    def answer(self, query: Sequence[Any]) -> Any:
        return ExactCache.from_state(hidden().read_bytes(), **self.shape).answer(query)


def hidden() -> Path:
    """The file of `InFile`, which a test names, so that no other run writes to it."""
    return Path(os.environ["KVFLOOR_CHEAT"])


class DigestInFile(Base):
    """Its state is a digest of 32 bits; what it is of stands in a file of that name."""

    def state(self) -> bytes:
        data = self.exact.state()
        digest = hashlib.sha256(data).digest()[:4]
        (hidden() / digest.hex()).write_bytes(data)
        return digest

    @classmethod
    def from_state(cls, state: bytes, **shape: int) -> Any:
        return super().from_state((hidden() / state.hex()).read_bytes(), **shape)


class Understated(Base):
    def state_bits(self) -> int:
        return 8


class Amnesiac(Base):
    @classmethod
    def from_state(cls, state: bytes, **shape: int) -> Any:
        cache = cls(**shape)
        row = [0.0] * shape["d"]
        cache.append([row] * shape["order"], [[0.5] * shape["d_v"]] * shape["order"])
        return cache


class NotANumber(Base):
    def answer(self, query: Sequence[Any]) -> Any:
        return [float("nan")] * self.shape["d_v"]


class Hundredth(Base):
    asked = 0

    def answer(self, query: Sequence[Any]) -> Any:
        self.asked += 1
        if self.asked == 100:
            raise RuntimeError("that is enough")
        return super().answer(query)


class Hashing(Base):
    """The order of a set of texts is another one in every process."""

    def state(self) -> bytes:
        texts = {str(x) for (x,) in struct.iter_unpack("<d", self.exact.state())}
        return super().state() + ",".join(texts | {"a", "b", "c", "d", "e", "f"}).encode()

    @classmethod
    def from_state(cls, state: bytes, **shape: int) -> Any:
        cache = cls(**shape)
        width = 8 * shape["order"] * (shape["d"] + shape["d_v"])
        cache.exact = ExactCache.from_state(state[: len(state) // width * width], **shape)
        return cache


class HashAnswers(Base):
    """Its answers depend on the process too, its state does not."""

    def answer(self, query: Sequence[Any]) -> Any:
        return [hash("kvfloor") % 1000 / 1e9 + x for x in super().answer(query)]


class OwnCoins(Base):
    def answer(self, query: Sequence[Any]) -> Any:
        return [x + int.from_bytes(os.urandom(2)) / 2**40 for x in super().answer(query)]


class Moody(Base):
    """Right only when it was asked another query before."""

    asked = 0

    def answer(self, query: Sequence[Any]) -> Any:
        self.asked += 1
        return [x if self.asked == 1 else x + 9 for x in super().answer(query)]


class Drifts(Base):
    """Right up to the hundredth answer."""

    asked = 0

    def answer(self, query: Sequence[Any]) -> Any:
        self.asked += 1
        return [x if self.asked < 100 else x - 1 for x in super().answer(query)]


class Wears(Base):
    """Right in the first two that a process restores."""

    restored = 0

    @classmethod
    def from_state(cls, state: bytes, **shape: int) -> Any:
        Wears.restored += 1
        return super().from_state(state, **shape)

    def answer(self, query: Sequence[Any]) -> Any:
        return [x if Wears.restored <= 2 else 0.0 for x in super().answer(query)]


class Sleeper(Base):
    def answer(self, query: Sequence[Any]) -> Any:
        while True:
            time.sleep(1)


class Stubborn(Base):
    """Sleeps for ever in the middle of taking tokens, and listens to no signal it may ignore."""

    def append(self, keys: Sequence[Any], values: Sequence[Any]) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        while True:
            time.sleep(1)


class Exits(Base):
    def answer(self, query: Sequence[Any]) -> Any:
        os._exit(3)


class Closes(Base):
    """Closes whatever is open, and sleeps."""

    def answer(self, query: Sequence[Any]) -> Any:
        os.closerange(0, 64)
        while True:
            time.sleep(1)


class Boasts(Base):
    """Honest, and made for what nobody knows."""

    serves = "whatever comes"


class LongState(Base):
    """Honest, with 16 MiB that mean nothing."""

    def state(self) -> bytes:
        return super().state() + bytes(2**24)

    @classmethod
    def from_state(cls, state: bytes, **shape: int) -> Any:
        return super().from_state(state[: -(2**24)], **shape)


class Quits(Base):
    def answer(self, query: Sequence[Any]) -> Any:
        sys.exit("done")


class Huge(Base):
    def append(self, keys: Sequence[Any], values: Sequence[Any]) -> None:
        self.hoard = bytearray(2**36)


class HugeState(Base):
    def state(self) -> bytes:
        return bytes(2**27)


class WrongState(Base):
    def state(self) -> Any:
        return "a text"


class WrongType(Base):
    def answer(self, query: Sequence[Any]) -> Any:
        return {"answer": 0}


class WrongLength(Base):
    def answer(self, query: Sequence[Any]) -> Any:
        return super().answer(query)[1:]


class Texts(Base):
    def answer(self, query: Sequence[Any]) -> Any:
        return [str(x) for x in super().answer(query)]


class LongNumber(Base):
    def answer(self, query: Sequence[Any]) -> Any:
        return [Fraction(1, 3**5000)] * self.shape["d_v"]


class Flooding(Base):
    """Writes into whatever is open."""

    text = b'{"value": ["1", "1"]}\n'

    def answer(self, query: Sequence[Any]) -> Any:
        for descriptor in range(3, 64):
            try:
                os.write(descriptor, self.text * 40)
            except OSError:
                continue
        return super().answer(query)


class Babbling(Flooding):
    text = b"no JSON\n"


class Chatty(Base):
    """Honest, but it prints and reads."""

    def answer(self, query: Sequence[Any]) -> Any:
        sys.stdout.write("thinking\n")
        sys.stdout.flush()
        sys.stderr.write("thinking\n")
        sys.stdin.read()
        return super().answer(query)


class SelfMadeError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class Raises(Base):
    def append(self, keys: Sequence[Any], values: Sequence[Any]) -> None:
        raise SelfMadeError


class EndsAtOnce(Base):
    def state(self) -> bytes:
        os._exit(0)


class Interrupts(Base):
    def state(self) -> bytes:
        raise KeyboardInterrupt


class LeavesEarly(Base):
    def state(self) -> bytes:
        raise GeneratorExit


class Tires(HashedCache):
    """Honest for the first two instances of its process, then it says nothing but zero."""

    states = 0

    def state(self) -> bytes:
        Tires.states += 1
        state = super().state()
        return state if Tires.states <= 2 else bytes(len(state))


class Drops(Base):
    """Honest and far too small: keeps only the last token."""

    def append(self, keys: Sequence[Any], values: Sequence[Any]) -> None:
        self.exact = ExactCache(**self.shape)
        self.exact.append(keys, values)


class Forgetful(Base):
    """Its coins say which tokens it keeps, half of them; without any it answers zero."""

    def append(self, keys: Sequence[Any], values: Sequence[Any]) -> None:
        self.coins = getattr(self, "coins", random.Random(self.shape["seed"]))
        if self.coins.random() < 0.5:
            super().append(keys, values)

    def answer(self, query: Sequence[Any]) -> Any:
        return super().answer(query) if self.state() else [0.0] * self.shape["d_v"]


class OddSeeds(Base):
    """Wrong at every odd seed."""

    def answer(self, query: Sequence[Any]) -> Any:
        answer = super().answer(query)
        return [1 - x for x in answer] if self.shape["seed"] % 2 else answer


class OddSeedsOfBits(OddSeeds):
    """The same, made for zeros and ones."""

    serves = "binary-values"


class FifthSeeds(Base):
    """Wrong at one seed in five."""

    def answer(self, query: Sequence[Any]) -> Any:
        answer = super().answer(query)
        bad = random.Random(self.shape["seed"]).random() < 1 / 5
        return [2 - x for x in answer] if bad else answer


class SeldomWrong(Base):
    """Each query fails with probability 1/N over the coins, for N = 2^d addresses."""

    def answer(self, query: Sequence[Any]) -> Any:
        answer = super().answer(query)
        address = sum(1 << k for k, x in enumerate(query) if x > 0)
        bad = random.Random(self.shape["seed"] * 7919 + 13).randrange(2 ** self.shape["d"])
        return [1 - x for x in answer] if address == bad else answer


class KnowsItsCoins(Base):
    """Keeps 8 bits: which of the 255 first draws from its coins the instance is."""

    def append(self, keys: Sequence[Any], values: Sequence[Any]) -> None:
        super().append(keys, values)
        self.rows = [*getattr(self, "rows", []), values[0]]

    def state(self) -> bytes:
        bits = [int(x) for row in self.rows for x in row]
        drawn = random_inputs(len(bits), self.shape["seed"])
        place = next((k for k, x in zip(range(255), drawn, strict=False) if list(x) == bits), 255)
        return bytes([place])

    @classmethod
    def from_state(cls, state: bytes, **shape: int) -> Any:
        cache = cls(**shape)
        family = BinaryValues(binary_keys(8, shape["d"]), shape["d_v"], shape["order"])
        bits = next(islice(random_inputs(family.size, shape["seed"]), state[0], None))
        for token in family.encode(bits):
            cache.append(token.keys, token.values)
        return cache


class Shrinking(Empty):
    """Honest: its state has at most one bit less than N, and another length now and then."""

    sums = 0

    def append(self, keys: Sequence[Any], values: Sequence[Any]) -> None:
        super().append(keys, values)
        self.sums += 1 + int(sum(values[0]))

    def state_bits(self) -> int:
        return 8 * self.shape["d"] - 1 - self.sums % 2

    def state(self) -> bytes:
        return bytes(self.shape["d"])


class Forks(Base):
    """Honest; see `fork`."""


def fork(_: Any) -> list[int]:
    """Leave a process behind that never ends."""
    pid = os.fork()
    while pid == 0:
        time.sleep(1)
    return [pid]
