"""Efficiency: what states give back is certified, never above their bits, whatever a cache does."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import cheats
from kvfloor import BinaryValues, Efficiency, Guarantee, InputError, binary_keys, efficiency
from kvfloor.audit import DEFAULT_CONFIDENCE, retrieved
from kvfloor.audit.reading_back import drawn
from kvfloor.audit.symbol_families import SYMBOL_FAMILIES, HardShape, SymbolFamily, offered
from kvfloor.caches import (
    ExactCache,
    FloorCache,
    GroupedCache,
    PackedCache,
    QuantisedCache,
    SinkCache,
    configure,
)
from kvfloor.families import attend_to
from kvfloor.floors import certified_bits
from kvfloor.isolation import Misbehaviour
from limits import HANG

N, D = 16, 8


def measured(factory: Any, **terms: Any) -> Efficiency:
    """An efficiency, with what is certified computed again from what was counted."""
    shape: dict[str, Any] = {"n": N, "d": D, "alpha": "1/8", "instances": 2, "seconds": HANG}
    found = efficiency(factory, **shape | terms)
    assert 0 <= found.retrieved <= found.bits
    assert 0 <= found.efficiency <= 1
    assert found.efficiency * found.bits == found.retrieved
    assert found.retrieved in (again(found, alike=True), again(found, alike=False))
    assert found.to_json()["retrieved"] == str(found.retrieved)
    return found


def again(found: Efficiency, *, alike: bool) -> Fraction:
    return certified_bits(
        *(found.symbols // found.instances, found.levels),
        instances=found.instances,
        wrong=found.wrong,
        longest=found.bits,
        alike=alike,
        confidence=found.confidence,
    )


def codec(n: int = N, d: int = D) -> Any:
    return configure(FloorCache, family=BinaryValues(binary_keys(n, d), d, 1))


def test_a_codec_at_the_floor_comes_near_one() -> None:
    found = measured(codec(), instances=8)
    assert (found.family, found.levels, found.bits, found.wrong) == ("binary-values", 2, 128, 0)
    assert found.symbols == 8 * 128
    assert found.retrieved == again(found, alike=True)
    assert found.confidence == DEFAULT_CONFIDENCE
    assert Fraction(95, 100) < found.efficiency < 1


def test_states_of_different_lengths_cost_a_bit() -> None:
    found = measured(cheats.Varying, family="binary-values", instances=4)
    assert found.bits % 64 == 8
    assert found.retrieved == again(found, alike=False) == again(found, alike=True) - 1


@pytest.mark.parametrize(
    ("factory", "bits"),
    [
        (ExactCache, 64 * 16 * 16),
        (configure(PackedCache, width=2), 64 + 16 * (16 * 2 + 5)),
        (configure(GroupedCache, bits=1, group=16), 64 + 16 * 16 + 2 * (8 + 16) * 16),
        (
            configure(QuantisedCache, key_cells=3, value_cells=3),
            (2 * 3 ** (16 * 16) - 1).bit_length(),
        ),
    ],
)
def test_caches_keep_more_than_they_give_back(factory: Any, bits: int) -> None:
    found = measured(factory)
    assert found.bits == bits
    assert 0 < found.efficiency < 1


def test_wrong_answers_cost_bits() -> None:
    """The fewer tokens are kept, the more symbols are wrong, and the less comes back."""
    rows = [
        measured(configure(SinkCache, sinks=1, window=kept - 1), family="dense", levels=2)
        for kept in (16, 12, 8, 4)
    ]
    assert rows[0].wrong == 0
    assert all(a.wrong < b.wrong and a.retrieved > b.retrieved for a, b in pairwise(rows))


@pytest.mark.parametrize(
    "cheat", [cheats.GlobalVariable, cheats.ModuleAttribute, cheats.ObjectId, cheats.Empty]
)
def test_what_is_kept_in_the_process_does_not_count(cheat: Any) -> None:
    found = measured(cheat)
    assert found.bits <= 64
    assert found.retrieved == 0
    assert found.wrong > found.symbols / 4


def test_what_is_kept_in_a_file_is_too_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KVFLOOR_CHEAT", str(tmp_path / "hidden"))
    with pytest.raises(Misbehaviour, match="bits come back from a state of 0") as caught:
        measured(cheats.InFile)
    assert caught.value.kind == "outside-state"


@pytest.mark.parametrize(
    ("cheat", "kind"),
    [
        (cheats.Understated, "state"),
        (cheats.NotANumber, "answer"),
        (cheats.Exits, "died"),
        (cheats.Raises, "raised"),
    ],
)
def test_misbehaviour_is_told(cheat: Any, kind: str) -> None:
    with pytest.raises(Misbehaviour) as caught:
        measured(cheat)
    assert caught.value.kind == kind


def test_what_refuses_all_instances_says_so() -> None:
    with pytest.raises(Misbehaviour, match="it refuses dense: InputError: ") as caught:
        measured(configure(PackedCache, width=2), family="dense", levels=3)
    assert caught.value.kind == "refused"


# --- how instances are chosen -------------------------------------------------------------------


def test_the_choice_is_made_on_other_instances(monkeypatch: pytest.MonkeyPatch) -> None:
    purposes = list[str]()

    def noted(family: SymbolFamily, seed: int, purpose: str) -> tuple[int, ...]:
        purposes.append(purpose)
        return drawn(family, seed, purpose)

    monkeypatch.setattr(retrieved, "drawn", noted)
    found = measured(ExactCache)
    assert purposes[-2:] == ["instance 0", "instance 1"]
    assert all(purpose.startswith("tried ") for purpose in purposes[:-2])
    assert len(set(purposes)) == len(purposes) > 4
    assert found == measured(ExactCache, family=found.family, levels=found.levels)
    assert purposes[-2:] == ["instance 0", "instance 1"]
    assert len({drawn(family(), 0, purpose) for purpose in purposes}) == len(set(purposes))


def family() -> SymbolFamily:
    return offered(HardShape(1, N, D, D, Guarantee(alpha=Fraction(1, 8))), "dense", 2)[0]


def test_as_many_levels_are_chosen_as_come_back() -> None:
    fine = measured(ExactCache, alpha="1/64", family="dense")
    assert (fine.levels, fine.wrong) == (17, 0)  # of up to 32, which float64 does not hold
    rough = measured(configure(GroupedCache, bits=1, group=8), alpha="1/64", family="dense")
    assert (rough.levels, rough.wrong) == (2, 0)


def test_seeds_draw_other_instances_and_coins() -> None:
    rows = [measured(configure(SinkCache, sinks=1, window=7), seed=seed) for seed in (0, 0, 1)]
    assert rows[0] == rows[1] != rows[2]


SHAPES = [
    (1, 5, 6, 3, "binary-values", "dense", "dense-keys"),
    (2, 4, 8, 3, "binary-values", "dense", "dense-keys", "paired-values"),
    (2, 4, 32, 3, *SYMBOL_FAMILIES),
    (3, 2, 7, 4, "binary-values", "dense", "dense-keys"),
]


@pytest.mark.parametrize(("order", "n", "d", "d_v", "names"), [(*s[:4], s[4:]) for s in SHAPES])
def test_families_read_every_symbol_once(
    order: int, n: int, d: int, d_v: int, names: tuple[str, ...]
) -> None:
    found = offered(HardShape(order, n, d, d_v, Guarantee(alpha=Fraction(1, 16))), "auto", None)
    assert tuple(dict.fromkeys(one.name for one in found)) == names
    for one in found:
        symbols = drawn(one, 0, "read")
        tokens = one.encode(symbols)
        assert {len(key) for token in tokens for key in token.keys} == {d}
        assert {len(value) for token in tokens for value in token.values} == {d_v}
        attention = attend_to(tokens)
        answers = {a: attention(one.query(a)).floats() for a in range(one.addresses)}
        assert sum(len(one.revealed(a, answer)) for a, answer in answers.items()) == one.size
        assert one.wrong(symbols, answers) == 0
        other = [(k + 1) % one.L for k in symbols]
        assert one.wrong(other, answers) == one.size


@pytest.mark.parametrize(
    ("terms", "text"),
    [
        ({"family": "sharpe"}, "family: expected one of auto, .*did you mean sharp"),
        ({"family": "sharp"}, "order: expected 2 for"),
        ({"family": "dense", "levels": 1}, "levels: expected"),
        ({"family": "dense", "levels": 5}, "guarantee: expected accurate answers that tell 5"),
        ({"family": "dense-keys", "d": 4}, "d: expected more than 5"),
        ({"n": 65, "order": 2}, r"n: expected n\*\*order <= 4096"),
        ({"n": 1, "family": "dense-keys"}, "n: expected at least 2"),
        ({"order": 2, "family": "paired-values"}, "d: expected"),
        ({"alpha": "1/2"}, "guarantee: expected"),
        ({"instances": 0}, "instances: expected"),
        ({"confidence": 1}, "confidence: expected"),
        ({"seconds": 0}, "seconds: expected"),
        ({"seed": -1}, "seed: expected"),
    ],
)
def test_bad_terms_are_refused(terms: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError, match=text):
        measured(ExactCache, **{"d": 6} | terms)
