"""How each entry of the catalogue makes its cases. Every builder works for every size."""

from __future__ import annotations

from fractions import Fraction
from math import log

import numpy as np

from kvfloor.attention import window_mask
from kvfloor.conformance.case import Case
from kvfloor.conformance.draft import BEYOND_EXP, Draft, NoCase, Tensors
from kvfloor.families import BinaryValues, orthonormal

MANY = 64  # tokens; with more there is one head, where there would be a query for each
WIDE = 256  # the widest heads in use


def drawn(draft: Draft) -> list[Case]:
    """Nothing special."""
    return [draft.case(draft.tensors())]


def distinct_slots(draft: Draft) -> list[Case]:
    """Slots, keys and values that differ in their numbers alone, so that any stands for any."""
    size = draft.size
    lengths = (size.lengths[0],) * len(size.lengths)
    return drawn(draft.with_size(lengths=lengths, d_v=size.d))


def unequal_lengths(draft: Draft) -> list[Case]:
    """Every slot of another length, in both orders."""
    served, lengths = draft.target.domain.tokens, list[int]()
    for r, n in enumerate(sorted(draft.size.lengths)):
        found = served.nearest(n + r)
        if lengths and found <= lengths[-1]:
            found = served.after(lengths[-1]) or found
        lengths.append(found)
    if len(set(lengths)) < len(lengths):
        raise NoCase(f"{len(lengths)} slots have no lengths of their own")
    orders = [{"lengths": tuple(ordered)} for ordered in (lengths, lengths[::-1])]
    return [case for sized in draft.with_sizes(*orders) for case in drawn(sized)]


def wide_values(draft: Draft) -> list[Case]:
    """Values wider than keys, and narrower."""
    d = draft.size.d
    usual = draft.with_sizes({"d_v": d + 3}, {"d": d + 3, "d_v": d})
    far = draft.with_sizes({"d": 1, "d_v": WIDE}, {"d": WIDE, "d_v": 1})
    wide = [[sized for sized in some if sized.size.d != sized.size.d_v] for some in (usual, far)]
    if not any(wide):
        raise NoCase("values are as wide as keys")
    return [case for sized in wide[0] or wide[1] for case in drawn(sized)]


def single_token(draft: Draft) -> list[Case]:
    """One token in each slot: the output is a product of values, the log-sum-exp a logit."""
    single = draft.with_size(lengths=(1,) * len(draft.size.lengths), queries=1)
    if single.size.tuples > 1:
        raise NoCase(f"a slot has at least {min(single.size.lengths)} tokens")
    return drawn(single)


def block_boundary(draft: Draft) -> list[Case]:
    """Lengths and query positions on both sides of multiples of 16."""
    m, end = len(draft.size.lengths), 16 * -(-draft.size.lengths[0] // 16)
    lengths = [(n,) * m if m < 3 else draft.size.lengths for n in (end - 1, end, end + 1)]
    return [case for sized in draft.with_sizes(*({"lengths": some} for some in lengths))
            for case in drawn(sized)]  # fmt: skip


def tail_block(draft: Draft) -> list[Case]:
    """The last token of a slot weighs most, in a block that is not full."""
    cases = []
    for r in range(len(draft.size.lengths)):
        tensors = draft.tensors(r)
        tensors.query[..., 0] = 2
        for s, K in enumerate(tensors.keys):
            K[..., 0] = 1 if s != r else 0
        tensors.keys[r][..., -1, 0] = 3 / draft.sigma
        cases.append(draft.case(tensors, mask=draft.everything()))
    return cases


def heads(draft: Draft) -> list[Case]:
    """Every head and every element of the batch with keys and values of its own size."""
    tensors = draft.tensors()
    b, h = tensors.keys[0].shape[:2]
    sizes = 1 + 8 * np.arange(b * h).reshape(b, h, 1, 1) / (b * h)
    tensors.keys[0] *= sizes
    tensors.values[0] *= sizes[::-1, ::-1]
    return [draft.case(tensors)]


def causal(draft: Draft) -> list[Case]:
    """Each token outweighs those before it, so that one too many or too few is seen."""
    n, m = draft.size.lengths[0], len(draft.size.lengths)
    named = draft.target.kind != "boolean"
    sized = draft.with_size(queries=n, lengths=(n,) * m) if named else draft
    return [sized.case(ladder(sized, ascending=True))]


def window(draft: Draft) -> list[Case]:
    """Windows that cut and differ, with tokens outside that outweigh those inside."""
    size = draft.size
    mask = None
    if draft.target.kind == "boolean":
        widths = [max(1, n // (r + 2)) for r, n in enumerate(size.lengths)]
        last = min(size.lengths) - 1
        rows = [window_mask(min(i, last), widths, size.lengths) for i in range(size.queries)]
        mask = np.stack(rows)
    cases = []
    for ascending in (False, True):
        tensors = ladder(draft, ascending=ascending)
        for K in tensors.keys[1:]:
            K[..., 0] *= _ramp(K.shape[2], ascending=ascending)
        cases.append(draft.case(tensors, mask=mask))
    return cases


def empty_rows(draft: Draft) -> list[Case]:
    """Rows without any tuple: the first, the last, every third."""
    mask = _some(draft)
    mask[0] = mask[-1] = mask[::3] = False
    return [draft.case(draft.tensors(), mask=mask)]


def masked_rows(draft: Draft) -> list[Case]:
    """What is masked would outweigh everything else, by more than exp or a large number allows."""
    mask = _some(draft)
    first = mask[:, :1].copy()
    mask[:, :1] = False  # the first token of slot 1, unless nothing else is left
    empty = ~mask.reshape(len(mask), -1).any(axis=1)
    mask[empty, :1] = first[empty]
    cases = []
    for hidden in (BEYOND_EXP * log(float(draft.target.arithmetic.max_finite)), 1.5e4):
        logits = np.zeros(draft.size.lengths[0])
        logits[0] = hidden
        tensors = draft.tensors()
        tensors.set_logits(logits, draft.sigma)
        cases.append(draft.case(tensors, mask=mask))
    return cases


def dominant_weight(draft: Draft) -> list[Case]:
    """One token weighs all but 10^-17."""
    logits = np.zeros(draft.size.lengths[0])
    logits[draft.generator(1).integers(len(logits))] = 40
    return [_with_logits(draft, logits)]


def equal_weights(draft: Draft) -> list[Case]:
    """All logits are zero: outputs are means, the log-sum-exp is the logarithm of a number."""
    tensors = draft.tensors()
    tensors.query[:] = 0
    return [draft.case(tensors)]


def large_logits(draft: Draft) -> list[Case]:
    """Logits of 10^4, and of both signs."""
    logits = np.full(draft.size.lengths[0], 1e4)
    mixed = logits.copy()
    mixed[1::2] *= -1
    return [_with_logits(draft, logits), _with_logits(draft, mixed)]


def negative_logits(draft: Draft) -> list[Case]:
    """All logits are about -10^4."""
    return [_with_logits(draft, np.full(draft.size.lengths[0], -1e4))]


def exp_overflow(draft: Draft) -> list[Case]:
    """Logits beyond the logarithm of the largest number, and beyond that of the least."""
    largest = BEYOND_EXP * log(float(draft.target.arithmetic.max_finite))
    logits = np.full(draft.size.lengths[0], largest)
    return [_with_logits(draft, logits), _with_logits(draft, -logits)]


def fine_logits(draft: Draft) -> list[Case]:
    """Logits of about 50 that differ in what a narrow format would round away."""
    tensors = draft.tensors()
    tensors.set_logits(np.full(draft.size.lengths[0], 50.0), draft.sigma, noise=1)
    return [draft.case(tensors)]


def small_keys(draft: Draft) -> list[Case]:
    """Large queries and small keys: what is added to a key counts much."""
    tensors = draft.tensors()
    tensors.query *= 32
    tensors.keys[0] /= 32
    tensors.keys[0] *= (-1) ** np.arange(draft.size.lengths[0])[:, None]
    return [draft.case(tensors)]


def cancelling_values(draft: Draft) -> list[Case]:
    """Values come in pairs that cancel, with weights that are nearly the same."""
    tensors = draft.tensors()
    tensors.query /= 64
    V = tensors.values[0]
    V *= 8
    even = V.shape[2] // 2 * 2
    V[:, :, 1:even:2] = -V[:, :, 0:even:2]
    V[:, :, even:] = 0
    for other in tensors.values[1:]:
        other[:] = 1
    return [draft.case(tensors, mask=draft.everything())]


def subnormals(draft: Draft) -> list[Case]:
    """Subnormal values; then subnormal keys."""
    least = 2.0**draft.target.inputs.min_exponent
    small = draft.tensors()
    small.values[0] *= least / 4
    for V in small.values[1:]:
        V[:] = 1
    keys = draft.tensors(1)
    keys.keys[0] *= least / 4
    return [draft.case(small), draft.case(keys)]


def signed_zeros(draft: Draft) -> list[Case]:
    """Zeros of both signs among all inputs, and tokens and queries of nothing else."""
    tensors, rng = draft.tensors(), draft.generator(1)
    for A in (tensors.query, *tensors.keys, *tensors.values):
        zeros = rng.random(A.shape) < 0.3
        zeros |= rng.random((*A.shape[:3], 1)) < 0.2
        A[zeros] = np.copysign(0.0, rng.normal(size=A.shape))[zeros]
    return [draft.case(tensors)]


def many_tokens(draft: Draft) -> list[Case]:
    """One large weight, then very many that a narrow running sum would lose one by one."""
    m = len(draft.size.lengths)
    each = {1: 64, 2: 4, 3: 2}.get(m, 1)
    sized = draft.with_size(
        batch=1, kv_heads=1, lengths=tuple(each * n for n in draft.size.lengths)
    )
    # a weight that is less than half an ulp of 1 in the format of the inputs
    gap = (draft.target.inputs.precision + 0.5) * log(2)
    logits = np.full(sized.size.lengths[0], -min(gap, 8.0))
    logits[0] = 0
    tensors = sized.tensors()
    tensors.set_logits(logits, sized.sigma, noise=1 / 64)
    for K in tensors.keys[1:]:
        K[..., 1:, 0] = K[..., :1, 0]
    for V in tensors.values:
        V[:] = np.abs(V) + 0.25
    return [sized.case(tensors, mask=sized.everything())]


def late_maximum(draft: Draft) -> list[Case]:
    """The largest logit moves with almost every token, most at the end; then it comes first.

    Last it rises by more than exp can follow.
    """
    n = draft.size.lengths[0]
    late = np.linspace(-12, 12, n)
    late[n - max(1, n // 8) :] += 6
    early = np.full(n, -BEYOND_EXP * log(float(draft.target.arithmetic.max_finite)))
    early[0] = 0
    steep = np.linspace(early[-1], -early[-1], n)
    cases = []
    for logits in (late, early, steep):
        tensors = draft.tensors()
        tensors.set_logits(logits, draft.sigma)
        for K in tensors.keys[1:]:
            K[..., 0] *= np.linspace(0.25 if logits is late else 1, 1, K.shape[2])
        cases.append(draft.case(tensors, mask=draft.everything()))
    return cases


def light_tokens(draft: Draft) -> list[Case]:
    """Weights that fall, and values that rise as much: every token counts the same."""
    gap = min(24.0, 0.75 * log(float(draft.target.inputs.max_finite)))
    gaps = np.linspace(0, gap, draft.size.lengths[0])
    tensors = draft.tensors()
    tensors.set_logits(-gaps, draft.sigma, noise=2.0**-10)
    for K in tensors.keys[1:]:
        K[..., 1:] = 0
    for V in tensors.values:  # of one sign, so that what is lost does not cancel
        V[:] = np.abs(V) + 0.25
    tensors.values[0] *= np.exp(gaps)[:, None]
    return [draft.case(tensors, mask=draft.everything())]


def scale(draft: Draft) -> list[Case]:
    """A width whose root is not a whole number, and logits that a small factor moves much."""
    sized = draft.with_size(d=draft.size.d + (draft.size.d**0.5).is_integer())
    tensors = sized.tensors()
    n = sized.size.lengths[0]
    tensors.set_logits(np.linspace(-9, 9, n) if n > 1 else np.ones(1), sized.sigma)
    return [sized.case(tensors)]


def softmax_axes(draft: Draft) -> list[Case]:
    """As many queries as tokens, and weights that do not factor over the slots."""
    n = draft.size.lengths[0]
    few = {"batch": 1, "kv_heads": 1, "group": 1} if n > MANY else {}
    square = draft.with_size(queries=n, lengths=(n,) * len(draft.size.lengths), **few)
    tensors = square.tensors()
    tensors.query *= 4
    return [square.case(tensors)]


def permuted_tokens(draft: Draft) -> list[Case]:
    """The same tokens in another order, slot by slot."""
    tensors, rng = draft.tensors(), draft.generator(1)
    cases = [draft.case(tensors, mask=draft.everything())]
    for K, V in zip(tensors.keys, tensors.values, strict=True):
        order = rng.permutation(K.shape[2])
        K[:], V[:] = K[:, :, order], V[:, :, order]
    return [*cases, draft.case(tensors, mask=draft.everything())]


def batch(draft: Draft) -> list[Case]:
    """Queries of very different size in one batch; then the smallest alone."""
    tensors = draft.tensors()
    b, h = tensors.query.shape[:2]
    sizes = 2.0 ** (np.arange(b * h) % 16).reshape(b, h, 1, 1)
    if draft.target.window is None:
        sizes = sizes * 4.0 ** (np.arange(tensors.query.shape[2])[:, None] % 4)
    tensors.query *= sizes
    few = draft.with_size(batch=1).size.batch
    alone = Tensors(
        tensors.query[:few],
        [K[:few] for K in tensors.keys],
        [V[:few] for V in tensors.values],
    )
    return [draft.case(tensors), draft.case(alone)]


def repeat(draft: Draft) -> list[Case]:
    """The same call twice."""
    return [draft.case(draft.tensors(), relation="repeat")]


def inputs(draft: Draft) -> list[Case]:
    """The inputs before and after."""
    return [draft.case(draft.tensors(), relation="inputs")]


def reduction(draft: Draft) -> list[Case]:
    """T1's hard instance: each query reads one row of bits, and nothing else may leak in."""
    n, m = draft.size.lengths[0], len(draft.size.lengths)
    if m > 2:
        n = min(n, 6)
    sized = draft.with_size(queries=n, lengths=(n,) * m)
    n = sized.size.lengths[0]
    few = {"batch": 1, "kv_heads": 1, "group": 1, "queries": MANY} if n > MANY else {}
    sized = sized.with_size(d=n, **few)
    if sized.size.d < n:
        raise NoCase(f"{n} tokens do not fit into {sized.size.d} columns")
    tensors, rng = sized.tensors(), sized.generator(1)
    family = BinaryValues(orthonormal(n), d_v=sized.size.d_v, order=m)
    for K in tensors.keys:
        K[:] = 0
    for i in range(sized.size.batch):
        for j in range(sized.size.kv_heads):
            tokens = family.encode(rng.integers(0, 2, size=family.size).tolist())
            for r in range(m):
                tensors.keys[r][i, j, :, :n] = [list(map(float, t.keys[r])) for t in tokens]
                tensors.values[r][i, j] = [list(map(float, t.values[r])) for t in tokens]
    rows = np.arange(sized.size.queries) % n if n <= MANY else _spread(sized.size.queries, n)
    queries = np.array([[float(Fraction(x)) for x in family.query(int(i))] for i in rows])
    tensors.query[:] = 0
    tensors.query[..., :n] = queries / sized.sigma
    return [sized.case(tensors, mask=sized.everything())]


def _spread(count: int, n: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """So many of n places, from the first to the last."""
    return np.linspace(0, n - 1, count).round().astype(np.intp)


def _some(draft: Draft) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """A random mask that leaves each query a tuple."""
    rng, shape = draft.generator(2), (draft.size.queries, *draft.size.lengths)
    mask = rng.random(shape) < 0.5
    mask.reshape(len(mask), -1)[:, -1] = True
    return mask


def _ramp(n: int, *, ascending: bool) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    ramp = np.linspace(0.5, 1, n)
    return ramp if ascending else ramp[::-1]


def ladder(draft: Draft, *, ascending: bool) -> Tensors:
    """Draw tensors of which each token outweighs those before it, or after it."""
    tensors = draft.tensors()
    tensors.set_logits(12 * _ramp(draft.size.lengths[0], ascending=ascending), draft.sigma)
    for K in tensors.keys[1:]:
        K[..., 0] *= _ramp(K.shape[2], ascending=ascending)
    return tensors


def _with_logits(draft: Draft, logits: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Case:
    tensors = draft.tensors()
    tensors.set_logits(logits, draft.sigma)
    return draft.case(tensors)
