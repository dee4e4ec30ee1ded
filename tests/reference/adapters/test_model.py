"""Compressors inside a model: what they hold, what comes back, and what they keep elsewhere."""

from __future__ import annotations

import json
import re
from collections import Counter
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import hiding
from kvfloor import Guarantee, InputError, check
from kvfloor.adapters import (
    ModelCache,
    ModelInstance,
    Sizes,
    audit_in_model,
    carrying_error,
    drawing_in_model,
    held_in,
)
from kvfloor.adapters.compressors import compressor_name, found
from kvfloor.adapters.model_certificate import Missed, head_certificate
from kvfloor.adapters.model_instance import revealed
from kvfloor.adapters.model_losses import Asked, looks_like
from kvfloor.audit import LOSSES, UNTOLD, dots
from kvfloor.caches import ExactCache, State
from kvfloor.certificates import canonical, digest
from kvfloor.floors import certified_bits
from lossy_presses import LOSSY, Saturates

SIZES = Sizes(24, 8, 2, 2, 4)
GUARANTEE = Guarantee(alpha=Fraction(1, 8))
PLAIN = 2 * 2 * 2 * 24 * 8 * 32  # keys and values, layers, heads, tokens, entries, bits


def taken(
    compressor: Any, sizes: Sizes = SIZES, **options: Any
) -> tuple[ModelInstance, ModelCache]:
    """An instance, and a cache that has taken it."""
    pytest.importorskip("transformers")
    instance = ModelInstance(sizes, GUARANTEE, seed=1)
    cache = ModelCache(shape=instance.shape, compressor=compressor, **options)
    cache.take(instance.keys, instance.values, instance.own_queries)
    return instance, cache


def restored(compressor: Any, instance: ModelInstance, state: bytes, **options: Any) -> ModelCache:
    cache = ModelCache(shape=instance.shape, compressor=compressor, **options)
    cache.restore(state, instance.sizes.n)
    return cache


def right(instance: ModelInstance, cache: ModelCache) -> Any:
    """Which addresses a cache reads right, in every layer and head: shape (addresses, ...)."""
    family, sizes = instance.family, instance.sizes
    found = np.zeros((family.n, sizes.layers, sizes.query_heads), dtype=bool)
    for address in range(family.n):
        asked = np.full((sizes.layers, sizes.query_heads), address)
        answers = cache.answer(instance.queries(asked))
        for layer in range(sizes.layers):
            for head in range(sizes.query_heads):
                bits = instance.bits(layer, head * sizes.heads // sizes.query_heads)[address]
                found[address, layer, head] = (revealed(answers[layer, head]) == bits).all()
    return found


# --- without PyTorch -------------------------------------------------------------------------


def test_an_instance_is_one_of_the_family_in_every_head() -> None:
    instance = ModelInstance(Sizes(20, 8, 2, 2, 4, window=13), GUARANTEE, seed=1)
    assert (instance.family.n, instance.family.self_token) == (12, True)
    assert instance.floor_bits == 2 * 2 * 12 * 8
    np.testing.assert_array_equal(instance.keys[8:, 1, 1, :4], instance.family.book.keys)
    rows, addresses = instance.rows(1, 0), np.arange(12)
    np.testing.assert_array_equal(rows, instance.values[8:, 1, 0])
    assert (np.abs(rows).min(), np.abs(rows).max()) == (0.5, 1.0)
    assert {*np.unique(64 * rows % 2)} == {0.0}
    assert 0.4 < (rows > 0).mean() < 0.6
    truth = instance.truth(1, 0, addresses)
    np.testing.assert_array_equal(revealed(truth), rows > 0)
    asked = instance.questions(12)
    assert asked.shape == (6, 2, 4)
    for layer in range(2):
        for head in range(2):
            own = asked[:, layer, 2 * head : 2 * head + 2]
            assert sorted(own.flatten()) == list(addresses)


def test_compressors_have_names() -> None:
    text = "collections:OrderedDict,x=0.5,y=text"
    assert found(text)() == {"x": 0.5, "y": "text"}
    assert compressor_name(text) == text
    assert compressor_name(partial(dict, x=1)) == "builtins:dict,x=1"


@pytest.mark.parametrize("text", ["collections", "collections:no", "no_module:x", "math:pi,3", 7])
def test_compressors_that_there_are_not(text: Any) -> None:
    with pytest.raises(InputError, match=r"^compressor: expected "):
        found(text)


def test_too_many_tokens_for_the_keys() -> None:
    with pytest.raises(InputError, match=r"^d: expected at least 4 for 9 addresses"):
        audit_in_model("no:matter", n=9, d=2)


# --- what is held ----------------------------------------------------------------------------


def test_storage_is_counted_once_and_what_is_not_reached_apart() -> None:
    torch = pytest.importorskip("torch")
    whole = torch.arange(1.0, 25).reshape(1, 2, 6, 2)
    two = held_in(SimpleNamespace(keys=whole[:, :, -2:], values=whole[:, :, :3]))
    assert (two.tensors, two.unreached, two.empty) == (32 * 20, 32 * 4, 0)
    assert two.parts == {"keys": 32 * 8, "values": 32 * 12}
    assert held_in([whole, whole.transpose(2, 3), {"again": whole}]).tensors == 32 * 24
    whole[:, :, 4:] = 0
    assert held_in(whole).empty == 32 * 8


@pytest.mark.parametrize(
    ("value", "bits"),
    [
        ([3, True, 0.5, None], 64 + 1 + 64),
        (1 << 100, 102),
        ({"ab": b"12345"}, 16 + 40),
        (np.zeros(3, np.int8), 24),
        (hiding.HidesInModule, 0),
    ],
)
def test_numbers_are_counted(value: Any, bits: int) -> None:
    pytest.importorskip("torch")
    assert (held_in(value).bits, held_in(value).numbers) == (bits, bits)


# --- caches of Transformers ------------------------------------------------------------------


def test_a_dynamic_cache_holds_every_token() -> None:
    instance, cache = taken("transformers:DynamicCache")
    held = cache.held()
    assert (held.tensors, held.parts) == (PLAIN, {"keys": PLAIN // 2, "values": PLAIN // 2})
    assert (cache.lengths(), cache.outside()) == ([24, 24], {})
    alone = restored("transformers:DynamicCache", instance, cache.state())
    assert right(instance, alone).all()
    asked = instance.questions(3)
    for addresses in asked:
        queries = instance.queries(addresses)
        np.testing.assert_array_equal(alone.answer(queries), cache.answer(queries))
        for layer in range(2):
            for head in range(4):
                truth = instance.truth(layer, head // 2, addresses[layer, head, None])[0]
                error = np.abs(alone.answer(queries)[layer, head] - truth).max()
                assert error <= carrying_error(instance.shape, 24)


def test_tokens_may_come_one_by_one() -> None:
    instance, cache = taken("transformers:DynamicCache", prefill=20)
    assert cache.held().tensors == PLAIN
    assert right(instance, cache).all()


def test_a_static_cache_has_empty_places() -> None:
    instance, cache = taken("transformers:StaticCache")
    parts = cache.held().parts  # since 5.24 there is a length beside them
    assert parts["keys"] + parts["values"] == PLAIN // 24 * 25
    assert cache.held().empty == PLAIN // 24
    assert right(instance, cache).all()


LATENT = Sizes(24, 8, 2, 2, 2, latent=True)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_latents_carry_what_heads_read(attention: str) -> None:
    """Two entries of a key are turned. Transformers caches keys and values of heads before 5.24."""
    instance, cache = taken("transformers:DynamicCache", LATENT, attention=attention)
    model = cache._carrying.model
    assert (type(model).__name__, model.config.kv_lora_rank) == ("DeepseekV3ForCausalLM", 33)
    each = 2 * 24 * 32
    heads = {"keys": 2 * each * (8 + 2), "values": 2 * each * 8}
    assert cache.held().parts in (heads, {"keys": each * 33, "values": each * 2})
    alone = restored("transformers:DynamicCache", instance, cache.state(), attention=attention)
    assert right(instance, alone).all()
    addresses = instance.questions(1)[0]
    answers = alone.answer(instance.queries(addresses))
    for layer in range(2):
        for head in range(2):
            truth = instance.truth(layer, head, addresses[layer, head, None])[0]
            error = np.abs(answers[layer, head] - truth).max()
            assert error <= carrying_error(instance.shape, 24)


def test_latents_have_a_norm_of_their_own() -> None:
    plain = ModelInstance(Sizes(24, 8, 2, 2, 2), GUARANTEE, seed=1).shape
    latent = ModelInstance(LATENT, GUARANTEE, seed=1).shape
    assert (plain.rank, latent.rank, latent.hidden - plain.hidden) == (32, 33, 2)
    assert carrying_error(latent, 24) > 1.1 * carrying_error(plain, 24)
    for sizes in (Sizes(24, 8, 2, 2, 4, latent=True), Sizes(24, 8, 2, 2, 2, 9, latent=True)):
        with pytest.raises(InputError, match="latent: expected as many heads as query heads, and"):
            _ = ModelInstance(sizes, GUARANTEE, seed=1).shape


def test_a_window_is_all_that_a_sliding_cache_holds() -> None:
    instance, cache = taken("transformers:DynamicCache", Sizes(24, 8, 2, 2, 4, window=9))
    held = cache.held()
    assert held.parts["keys"] == PLAIN // 2 // 24 * 8
    assert held.unreached == PLAIN - PLAIN // 24 * 8  # a slice keeps the storage behind it alive
    alone = restored("transformers:DynamicCache", instance, cache.state())
    assert right(instance, alone).all()
    assert 8 * len(cache.state()) < PLAIN


@pytest.mark.parametrize(("backend", "bits"), [("quanto", 4), ("hqq", 4)])
def test_quantised_caches_hold_codes_and_scales(backend: str, bits: int) -> None:
    pytest.importorskip({"quanto": "optimum.quanto", "hqq": "hqq"}[backend])
    transformers = pytest.importorskip("transformers")
    axis = {"axis_key": 0, "axis_value": 0, "q_group_size": 16}
    made = partial(transformers.QuantizedCache, backend, nbits=bits, **axis)
    instance, cache = taken(made)
    held = cache.held()
    assert PLAIN * bits // 32 < held.tensors < PLAIN // 2
    assert right(instance, restored(made, instance, cache.state())).all()


# --- presses of kvpress ----------------------------------------------------------------------


def test_a_press_drops_what_it_says() -> None:
    pytest.importorskip("kvpress")
    name = "kvpress:StreamingLLMPress,compression_ratio=0.5,n_sink=4"
    instance, cache = taken(name)
    assert (cache.held().tensors, cache.lengths(), cache.outside()) == (PLAIN // 2, [12, 12], {})
    found = right(instance, restored(name, instance, cache.state()))
    kept = [*range(4), *range(16, 24)]
    assert found[kept].all()
    assert not found[4:16].all()


def test_a_press_sees_the_queries_of_tokens() -> None:
    """SnapKV keeps what the last tokens ask for: without queries it would keep anything."""
    pytest.importorskip("kvpress")
    name = "kvpress:SnapKVPress,compression_ratio=0.5,window_size=4,kernel_size=1"
    instance, cache = taken(name)
    addresses = np.argmax(instance.own_queries[20:, 0, :2] @ instance.keys[:, 0, 0].T, axis=-1)
    found = right(instance, cache)[:, 0, :2].all(axis=1)
    assert found[addresses.flatten()].all()
    assert cache.lengths() == [12, 12]


def test_masked_heads_are_held_by_modules() -> None:
    kvpress = pytest.importorskip("kvpress")
    made = partial(kvpress.AdaKVPress, kvpress.KnormPress(0.5))
    instance, cache = taken(made)
    masks = {f"model.layers.{layer}.self_attn.masked_key_indices" for layer in range(2)}
    assert cache.outside().keys() == masks
    assert cache.held().tensors == PLAIN
    assert not right(instance, cache).all()
    assert right(instance, restored(made, instance, cache.state())).all()


def test_a_press_that_works_on_single_tokens_gets_them() -> None:
    kvpress = pytest.importorskip("kvpress")
    press = partial(
        kvpress.DecodingPress, kvpress.KnormPress(), compression_interval=6, target_size=10
    )
    _, cache = taken(press)
    assert cache.lengths() == [10, 10]  # 12 tokens at once, then 12 more, squeezed twice


# --- what is kept elsewhere ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("press", "seen"), [(hiding.HidesInModule, True), (hiding.HidesInClosure, False)]
)
def test_a_cache_alone_does_not_answer_for_what_is_hidden(press: Any, seen: bool) -> None:
    instance, cache = taken(press)
    assert cache.lengths() == [1, 1]
    assert any(name.endswith("self_attn.aside") for name in cache.outside()) == seen
    assert right(instance, cache).all()
    asked = instance.queries(instance.questions(1)[0])
    if seen:
        with pytest.raises(AttributeError, match="aside"):
            restored_and_entered(press, instance, cache.state()).answer(asked)
    assert not right(instance, restored(press, instance, cache.state())).all()


def restored_and_entered(press: Any, instance: ModelInstance, state: bytes) -> ModelCache:
    """A restored cache whose model has the press's hooks as well."""
    cache = restored(press, instance, state)
    with press()(cache._carrying.model):
        return cache


def test_numbers_that_pass_for_positions_are_counted() -> None:
    _, cache = taken(hiding.HidesInPositions)
    bits = 2 * 2 * 24 * 8
    assert bits - 128 <= cache.held().numbers <= bits + 256


# --- the table of the docs ------------------------------------------------------------------


def test_the_docs_name_every_press() -> None:
    kvpress = pytest.importorskip("kvpress")
    page = (Path(__file__).parents[3] / "docs" / "adapters.md").read_text()
    presses = {name for name in kvpress.__all__ if name.endswith("Press")}
    assert set(re.findall(r"^\| `kvpress:(\w+)` \|", page, re.MULTILINE)) == presses


@pytest.mark.parametrize("name", ["StreamingLLMPress", "ThinKPress"])
def test_the_docs_tell_what_presses_hold(name: str) -> None:
    kvpress = pytest.importorskip("kvpress")
    page = (Path(__file__).parents[3] / "docs" / "adapters.md").read_text()
    (told,) = re.findall(rf"`kvpress:{name}` \| `[a-z-]+` \| ([\d.]+) \|", page)
    instance, cache = taken(partial(getattr(kvpress, name), 0.5), Sizes(256, 32, 2, 2, 4))
    assert f"{cache.held().bits / instance.floor_bits:.1f}" == told


# --- audits ----------------------------------------------------------------------------------


def test_an_audit_of_a_cache_that_keeps_everything() -> None:
    pytest.importorskip("transformers")
    result = audit_in_model("transformers:DynamicCache", n=16, d=8, query_heads=4, sample=16)
    assert (result.verdict, result.findings, result.outside) == ("within-guarantee", (), {})
    assert (result.asked, result.wrong, result.floor_bits) == (512, 0, 512)
    assert result.bits is not None
    assert result.bits > 32 * 512
    certain: dict[str, Any] = {"alike": True, "confidence": Fraction(999_999, 1_000_000)}
    expected = certified_bits(512, 2, instances=1, wrong=0, longest=result.bits, **certain)
    assert result.retrieved == expected > 400
    assert result.worst_error is not None
    assert result.worst_error <= result.arithmetic
    assert result.to_json()["versions"].keys() >= {"torch", "transformers"}


def test_an_audit_finds_out_what_is_hidden_in_a_closure() -> None:
    pytest.importorskip("transformers")
    result = audit_in_model("hiding:HidesInClosure", n=16, d=8)
    assert result.verdict == "misbehaves"
    reasons = {finding.kind: finding.reason for finding in result.findings}
    assert reasons.keys() == {"violation", "outside-state"}
    assert "when they come from the cache alone" in reasons["outside-state"]
    assert reasons["outside-state"].endswith("held something that was not found")


def test_an_audit_of_what_cannot_be_made() -> None:
    pytest.importorskip("transformers")
    result = audit_in_model("collections:OrderedDict", n=8, d=4)
    (finding,) = result.findings
    assert (result.verdict, finding.kind, finding.certificate) == ("not-served", "raised", None)
    assert "compressor: expected a press, or a cache of Transformers" in finding.reason
    assert result.meaning == "it could not be run in this model, and nothing is known of it"


# --- which part was lost ---------------------------------------------------------------------


@pytest.mark.parametrize(("press", "loss"), LOSSY.items(), ids=lambda x: getattr(x, "__name__", x))
def test_presses_that_lose_one_part(press: Any, loss: str) -> None:
    instance, cache = taken(press, Sizes(32, 16, 1, 1, 1))
    found = Counter[str]()
    for address in range(32):
        query = instance.queries(np.array(address))
        answer = cache.answer(query[None, None])[0, 0]
        if np.abs(answer - instance.truth(0, 0, np.array([address]))[0]).max() > 1 / 8:
            rows, logits = instance.rows(0, 0), instance.keys[:, 0, 0] @ query
            found[looks_like(Asked(rows, logits, address, answer, 1 / 32))] += 1
    assert found.most_common(1)[0][0] == loss
    assert found[loss] > 3 / 4 * found.total() >= 12
    assert loss in LOSSES


def test_a_scale_that_overflows_is_seen_with_large_values() -> None:
    """Of float8 at a scale of 1: fine for values up to 1, and cut where they are up to 2^11."""
    pytest.importorskip("transformers")
    press = f"{Saturates.__module__}:{Saturates.__name__}"
    result = audit_in_model(press, n=16, d=8, sample=16, largest=2.0**11)
    assert (result.verdict, {*result.losses}) == ("violates", {"clipping"})
    certificate = result.findings[0].certificate
    assert certificate is not None
    assert check(canonical(certificate)).status == "ok"
    assert 440 < abs(Fraction(certificate["answer"])) <= 448
    instance, cache = taken(press, Sizes(16, 8, 1, 1, 1))
    assert right(instance, cache).all()


def test_large_values_come_through_a_model_in_units_of_the_largest() -> None:
    sizes = Sizes(24, 8, 2, 2, 4, largest=2.0**11)
    instance = ModelInstance(sizes, GUARANTEE, seed=1)
    assert np.abs(instance.given_values).max() == 2.0**11
    np.testing.assert_array_equal(instance.values, ModelInstance(SIZES, GUARANTEE, seed=1).values)
    pytest.importorskip("transformers")
    cache = ModelCache(shape=instance.shape, compressor="transformers:DynamicCache")
    cache.take(instance.keys, instance.given_values, instance.own_queries)
    answer = cache.answer(instance.queries(np.full((2, 4), 7)))[1, 2] / sizes.largest
    bound = carrying_error(instance.shape, 24) / Fraction(2**11)
    assert np.abs(answer - instance.truth(1, 1, np.array([7]))[0]).max() <= bound < 1 / 1000


@pytest.mark.parametrize("largest", [0.0, 3.0, float("inf"), -2.0])
def test_the_largest_value_is_a_power_of_two(largest: float) -> None:
    with pytest.raises(InputError, match=r"^largest: expected a power of two, got "):
        Sizes(8, 4, 1, 1, 1, largest=largest)


def test_a_press_that_renumbers_is_said_to() -> None:
    """Tokens that KeyRerotationPress keeps stand at other positions, and are not found."""
    kvpress = pytest.importorskip("kvpress")
    press = partial(kvpress.KeyRerotationPress, kvpress.StreamingLLMPress(0.5, n_sink=4))
    result = audit_in_model(press, n=16, d=8, sample=16)
    assert "looks missing may be kept" in result.findings[0].reason
    assert result.lengths == (8, 8)
    _, cache = taken("kvpress:StreamingLLMPress,compression_ratio=0.5")
    assert not cache.renumbers


def test_a_drawing_comes_back_through_a_model() -> None:
    pytest.importorskip("kvpress")
    whole = drawing_in_model("transformers:DynamicCache", n=16, d=8, query_heads=4, window=9)
    assert (len(whole.dots), len(whole.dots[0]), whole.wrong) == (8, 8, 0)
    half = drawing_in_model("kvpress:StreamingLLMPress,compression_ratio=0.5", n=16, d=8)
    kept = {j for j in range(16) if half.dots[j] == dots(16, 8)[j]}
    assert {*range(4), *range(12, 16)} <= kept != {*range(16)}


def test_a_violation_has_a_certificate() -> None:
    """Of one head and one column; it is checked without the model, and an altered one refused."""
    pytest.importorskip("transformers")
    result = audit_in_model("lossy_presses:EverySecond", n=16, d=8, query_heads=4, sample=16)
    assert result.verdict == "violates"
    assert result.losses.keys() <= {"missing token", UNTOLD}
    (finding,) = result.findings
    certificate = finding.certificate
    assert certificate is not None
    assert check(canonical(certificate)).status == "ok"
    assert json.loads(json.dumps(result.to_json()))["findings"][0]["certificate"] == certificate
    place = {name: certificate["cache"]["options"][name] for name in ("layer", "head", "column")}
    assert f"layer {place['layer']}, head {place['head']}, address" in finding.reason
    assert f"{result.losses['missing token']} missing token" in finding.reason
    assert certificate["cache"]["state_bits"] == result.bits
    right = certificate | {"answer": certificate["output"]["lower"]}
    assert check(canonical(right | {"digest": digest(right)})).reason == "answer: it is accurate"
    replayed = check(canonical(certificate), cache=ExactCache)
    assert replayed.reason.startswith("cache.name: ")


def test_a_certificate_holds_what_its_head_was_given() -> None:
    instance = ModelInstance(Sizes(24, 8, 2, 2, 4, window=9), GUARANTEE, seed=1)
    missed = Missed(1, 3, 5, 2, -0.25, 0.75)
    found = head_certificate(instance, missed, {"n": 24}, 7, State(b"", 0))
    assert found is not None
    stored = [Fraction(x) for (x,) in found["instance"]["values"][0]]
    assert stored == [*map(Fraction, instance.values[16:, 1, 1, 2].tolist()), 0]
    keys = [[int(x) for x in row] for row in found["instance"]["keys"][0]]
    assert keys == [*map(list, instance.family.book.keys), [0, 0, 0]]
    assert found["query"]["vector"] == [str(int(x)) for x in instance.family.query(5)]
    assert found["cache"]["options"] == {"n": 24, "layer": 1, "head": 3, "column": 2}
    assert (found["answer"], found["cache"]["seed"]) == ("-1/4", 7)


def test_what_is_too_large_for_the_checker_has_no_certificate() -> None:
    missed = Missed(0, 0, 0, 0, -2.0, 1.0)
    small, large = (
        head_certificate(ModelInstance(sizes, GUARANTEE, seed=1), missed, {}, 0, State(b"", 0))
        for sizes in (Sizes(1024, 10, 1, 1, 1), Sizes(10_000, 14, 1, 1, 1))
    )
    assert small is not None
    assert check(canonical(small)).status == "ok"
    assert large is None
