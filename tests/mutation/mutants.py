"""Small wrong changes to the reference, each with the tests that must notice it.

A change is written as ``git diff --word-diff`` writes it: ``[-old-]{+new+}`` among enough of the
code around it to find the place, which must be the only one in its file.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mutation.audit_mutants import AUDIT
from mutation.backward_mutants import BACKWARD
from mutation.bounds_mutants import BOUNDS
from mutation.cache_mutants import CACHES
from mutation.conformance_mutants import CONFORMANCE
from mutation.fast_mutants import FAST
from mutation.given_mutants import GIVEN
from mutation.gradient_level_mutants import GRADIENT_LEVELS
from mutation.gradient_mutants import GRADIENTS
from mutation.model_mutants import MODELS

__all__ = ["MUTANTS", "Mutant"]

CHANGE = re.compile(r"\[-(.*?)-\]\{\+(.*?)\+\}", re.DOTALL)


class Mutant(NamedTuple):
    """In ``file`` of the package, ``old`` becomes ``new``.

    Each of ``tests`` (files below tests/reference, without ``test_`` and ``.py``) must fail.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def mutants(file: str, *rows: tuple[str, str, str]) -> list[Mutant]:
    """Return mutants of one file from rows (name, change, tests)."""
    return [
        Mutant(name, file, CHANGE.sub(r"\1", diff), CHANGE.sub(r"\2", diff), tuple(tests.split()))
        for name, diff, tests in rows
    ]


def _named(file: str, row: list[str]) -> tuple[str, str, str]:
    """A row of `CACHES`, `BOUNDS` or `MODELS` with the file in its name."""
    name, diff, tests = row
    return f"{file.rpartition('/')[2]}-{name}", diff, tests


MUTANTS = [
    *(
        mutant
        for file, *row in (*CACHES, *BOUNDS, *MODELS, *GIVEN)
        for mutant in mutants(f"{file}.py", _named(file, row))
    ),
    *(
        mutant
        for file, *row in CONFORMANCE
        for mutant in mutants(f"conformance/{file}.py", (f"conform-{row[0]}", row[1], row[2]))
    ),
    *(
        mutant
        for file, *row in BACKWARD
        for mutant in mutants(
            f"conformance/backward/{file}.py", (f"backward-{row[0]}", row[1], row[2])
        )
    ),
    *(
        mutant
        for file, *row in FAST
        for mutant in mutants(f"attention/fast/{file}.py", (f"fast-{row[0]}", row[1], row[2]))
    ),
    *(
        mutant
        for file, *row in GRADIENTS
        for mutant in mutants(
            f"attention/gradients/{file}.py", (f"gradients-{file}-{row[0]}", row[1], row[2])
        )
    ),
    *(
        mutant
        for file, *row in GRADIENT_LEVELS
        for mutant in mutants(
            f"attention/fast/backward/{file}.py", (f"levels-{file}-{row[0]}", row[1], row[2])
        )
    ),
    *(
        mutant
        for file, *row in AUDIT
        for mutant in mutants(f"{file}.py", (f"audit-{row[0]}", row[1], row[2]))
    ),
    *mutants(
        "attention/balls.py",
        (
            "sign-of-a-product",
            "np.sign(total) == -np.sign(lost)[--]{+ * (total * lost != 0)+}",
            "rounding",
        ),
        ("beyond-undecided", "low if target.precision == 53 else [-balls.hi-]{+low+}", "plain"),
        ("narrow-no-margin", "margin = balls.radius + [-2.0**-50-]{+0+} *", "rounding"),
        (
            "low-end-inward",
            "np.nextafter(balls.lo - balls.radius, [---]{++}np.inf)",
            "rounding",
        ),
        (
            "high-end-inward",
            "np.nextafter(balls.lo + balls.radius, [-np.inf-]{+-np.inf+})",
            "rounding",
        ),
        ("radius-ignored", "balls.lo + [-balls.radius-]{+0 * balls.radius+}", "no_wrong_bit"),
        (
            "direction-lost",
            "if target.precision [-==-]{+!=+} 53:",
            "rounding",
        ),
    ),
    *mutants(
        "attention/settling.py",
        ("sink-alone", "task.numbers[~seeing, :-1] = [-0.0-]{+1.0+}", "plain"),
        ("sink-as-value", "if sink is None or value == [-0-]{+value+}:", "plain"),
        (
            "constants-of-ends",
            "(V_r[:, same] == V_r[[-0-]{+:+}, same]).all",
            "plain",
        ),
        ("zero-of-one-slot", "zero |= same & (V_r[0] == [-0-]{+1+})", "plain"),
        ("columns-mixed", "prepared.only([-columns-]{+columns[::-1]+})", "no_wrong_bit"),
        ("queries-lost", "slice(i, i + step[--]{+ - 1+})", "threads"),
        ("layers-of-the-last", "[-getattr(self, field.name) + -]{++}getattr(other", "threads"),
        ("tasks-unreported", "future.result())\n                [-report()-]{+pass+}", "threads"),
        ("waiting-tasks", "cancel_futures=[-True-]{+False+}", "threads"),
    ),
    *mutants(
        "attention/inputs.py",
        ("bias-unlevelled", "bias=bias - [-shared-]{+0 * shared+}", "plain"),
        ("masks-of-all", "mask=[-self.masks(rows)-]{+self.mask+}", "threads"),
        ("terms-of-all", "terms = self.terms[-.taken(rows)-]{++}\n        return self", "threads"),
    ),
    *mutants(
        "attention/heads.py",
        ("one-head-of-keys", "K_r[i, [-j-]{+0+}] for K_r in K", "heads"),
        ("one-head-of-masks", "kept[i, [-j-]{+0+}], 2)", "heads"),
        ("one-head-of-biases", "rows_of(biases[i, [-j-]{+0+}], 2)", "terms"),
        ("sinks-of-one-head", "reshape(each[:-1])[i, [-j-]{+0+}]", "terms"),
        ("sinks-by-query", "np.[-repeat-]{+resize+}(sinks", "terms"),
        ("heads-unmatched", "if [-h % h_kv-]{+False+}:", "heads"),
    ),
    *mutants(
        "attention/windows.py",
        ("always-top-left", "place += [-n - n_q-]{+0 * n+}", "heads"),
        ("end-excluded", "place + right [-+ 1-]{++}, 0, n)", "heads"),
        ("seen-skipped", "< columns.[-stop-]{+start+}, self.high", "heads"),
        ("nothing-skipped", "if [-not (ends[0] & ends[1]).any()-]{+False+}:", "heads"),
        ("rows-unmasked", "hidden |= [-self._hidden(slot, np.asarray(tokens))-]{+False+}", "heads"),
    ),
    *mutants(
        "attention/ziv.py",
        ("sign-of-zero-forgotten", "if [-ends[0] <= 0 <= ends[1]-]{+False+}:", "rounding"),
        (
            "overflow-no-neighbour",
            "target.max_finite [-+ target.ulp(target.max_finite)-]{+* 2+}",
            "rounding",
        ),
        ("boundary-side", "+ (_tiny(target) if [-above-]{+not above+} else", "no_wrong_bit"),
        (
            "tiny-too-large",
            "(target.min_exponent - target.precision [-- 1-]{++ 2+})",
            "no_wrong_bit",
        ),
        ("boundary-of-others", 'return low if rounding == "[-up-]{+down+}"', "no_wrong_bit"),
    ),
    *mutants(
        "numbers/formats.py",
        ("ties-away", "return [-round(x)-]{+int(x + Fraction(1, 2))+}", "formats"),
        ("overflow-late", "if magnitude > [--]{+2 * +}self.max_finite", "formats"),
        ("subnormal-step", "max(_exponent(abs(x)), self.min_exponent)[--]{+ - 1+}", "formats"),
    ),
    *mutants(
        "attention/enclosure.py",
        (
            "guard-forgotten",
            "guard = [-logit_bits(row.query, row.keys, row.scale, row.terms)-]{+0+} +",
            "enclosure",
        ),
        ("top-unscaled", "return Enclosure(output, [-top + -]{++}total.log())", "enclosure"),
        ("quick-without-radius", "arb(hi[-, radius-]{++})", "enclosure"),
        ("quick-without-rest", "radius)[- + lo-]{++} for", "enclosure"),
        ("quick-for-all", "np.flatnonzero([-accurate-]{+accurate | True+})", "enclosure"),
    ),
    *mutants(
        "attention/definition.py",
        ("column-dropped", "for c in range([-d-]{+1, d+})), Frac", "attention"),
        ("lse-without-top", "(output, dtype=object), [-top + -]{++}mpmath.log", "attention"),
        ("bits-forget-logits", "[- + ceil(largest).bit_length()-]{++}", "attention"),
        ("bits-two-a-digit", "digits * [-log2(10)-]{+2+}", "attention"),
        ("columns-reversed", "for x, y in zip(row, a[--]{+[::-1]+}, strict", "attention"),
        ("root-forgotten", "[- * mpmath.sqrt(sigma.root)-]{++}", "attention"),
        ("mask-inverted", "np.flatnonzero([--]{+~+}kept)", "attention"),
    ),
    *mutants(
        "attention/exact.py",
        ("always-rational", "if len(ratios) [-==-]{+>=+} 1", "exact"),
        ("sums-for-means", "{a[- / m-]{++} for a, m", "exact"),
        ("next-grid-point", "[--(-exact // unit)-]{+(exact // unit + 1)+} * unit", "exact"),
        ("cell-too-low", "return lower[--]{+ - 1+} * unit, (lower", "exact"),
        ("lse-root-unrooted", "return s * arb(self.root)[-.sqrt()-]{++} + b if", "exact"),
        ("root-unreduced", "root = [-_square_free(self.root)-]{+(1, self.root)+}", "enclosure"),
        ("roots-alike", "parts = {[-root-]{+1+}: s * k}", "enclosure"),
        ("root-unrooted", "return s * arb(self.root)[-.sqrt()-]{++} + b\n", "terms exact"),
        ("wide-balls", "arb_precision([-bits-]{+53+}):\n                weights", "exact"),
        ("bias-of-first", "self.biases[[-place-]{+0+}]", "terms"),
        ("bias-beside-root", "parts[1] = [-parts.get(1, fmpq(0)) + -]{++}b", "terms"),
        ("log2-of-any", "if alone[- and count & (count - 1) == 0-]{++} else", "rounding"),
        ("log2-natural", "(arb(2).log() [-* to_fmpq(rational)-]{++}).exp()", "rounding"),
        ("log2-ones-uncounted", "_weight_sum(fmpq(0), [--power-]{+fmpq(0)+})", "rounding"),
        ("cap-gives-up", "CAPPED_BITS = 2**[-16-]{+12+}", "terms"),
        ("capped-as-plain", "self.root == 1[- and self.softcap is None-]{++}\n", "terms"),
    ),
    *mutants(
        "attention/grouping.py",
        ("count-from-one", "groups.get(logit, ([-0-]{+1+}, ", "exact attention"),
        ("logits-ascending", "sorted(groups[-, reverse=True-]{++})", "exact"),
        ("sum-for-product", "result = [[x [-*-]{+++} y", "exact tuple_keys"),
        ("scale-forgotten", "to_fmpq([-self._scale.factor * -]{++}x)", "exact"),
        ("values-backwards", "yield logits[t], self._values[[--]{+-1 - +}t]", "exact"),
        ("sink-uncounted", "if [-terms.sink is not None-]{+False+}:", "terms"),
        ("bias-taken", "return s [-+-]{+-+} b if", "terms"),
    ),
    *mutants(
        "attention/terms.py",
        ("lowest-kept", "~lowest if kept is None else [-~lowest & -]{++}kept", "terms"),
        ("other-masks-lost", "~lowest if kept is None else ~lowest[- & kept-]{++}", "terms"),
        ("bias-of-one", "self.bias[[-b % len(self.bias)-]{+0+}]", "terms"),
        ("no-cap", "if c [-<=-]{+<+} 0:", "terms"),
        ("lowest-sink", "if [-(array == -np.inf).any()-]{+False+}:", "terms"),
        ("broadcast-or-not", "if [-not any(array.strides[:axes])-]{+True+}:", "terms heads"),
    ),
    *mutants(
        "caches/khatri_rao_codec.py",
        ("pivot-anywhere", "enumerate(column) if [-x-]{+row+})", "khatri_rao_codec"),
        ("unchecked", "if x [-!=-]{+is None and x !=+} y:", "khatri_rao_codec"),
        ("pivot-kept-twice", "for row in line[- if row != pivot-]{++})", "khatri_rao_codec"),
        ("undivided", "next(arms))[- / at_pivot-]{++}", "khatri_rao_codec"),
        ("stride-of-first", "stride = [-stride-]{+block+}, stride // n", "khatri_rao_codec"),
        ("first-of-block", "pivot % block[- + pivot % stride-]{++}", "khatri_rao_codec"),
        (
            "flag-too-short",
            "column.pivot + 1:0{[-rows-]{+(rows - 1)+}.bit_length()}b}",
            "khatri_rao_codec",
        ),
        ("unsigned", "Fraction(w - ([-2**width-]{+0+} if w", "khatri_rao_codec"),
        ("one-bit-more", "<= x [-<-]{+<=+} half", "khatri_rao_codec"),
        ("pivot-past-the-end", "if pivot [->=-]{+>+} prod(lengths)", "khatri_rao_codec"),
    ),
    *mutants(
        "floors/entropy.py",
        ("nats", ") [-/ arb.const_log2()-]{++}", "floors_index_randomized"),
        ("entropy-of-one-side", "p * p.log() [-+ q * q.log()-]{++}", "floors_index_randomized"),
        ("entropy-at-half", "arb(delta.denominator[- - 1-]{++})", "floors_index_randomized"),
    ),
    *mutants(
        "floors/messages.py",
        ("rounded-down", "[---]{++}(-index_randomized(N, end) // 1)", "floors_randomised"),
        (
            "either-end",
            "if [-lower == upper-]{+True+}:\n            return int",
            "floors_randomised",
        ),
        ("failures-above-half", "error <= Fraction(1, [-2-]{+1+})", "floors_randomised"),
        ("floor-one-up", "N, end) // 1[--]{+ - 1+})", "floors_index_randomized"),
        ("error-up", "return Fraction([-low-]{+high+}, 2**g", "floors_index_randomized"),
        ("equal-is-more", "return upper [-<=-]{+<+} most", "floors_index_randomized"),
        ("one-bit-doubled", "// 2), 2**[-N-]{+(N - 1)+})", "floors_index_randomized"),
    ),
    *mutants(
        "floors/random_instance.py",
        ("empty-state", "2 ** (bits + 1)[- - 1-]{++}", "floors_random_instance"),
        (
            "probability-above-one",
            "return Fraction(1) if [-count >> N-]{+False+} else",
            "floors_random_instance",
        ),
        ("wrong-not-scaled", "return [-N * -]{++}least", "floors_random_instance"),
        ("more-than-n", "if b [->-]{+>=+} N:", "floors_random_instance"),
    ),
    *mutants(
        "index/protocols.py",
        ("first-pair-only", "for w in range(1, [-N + 1-]{+2+})", "index_protocols"),
        ("furthest-word", "distance[list(others)].[-min-]{+max+}(", "index_protocols"),
        (
            "last-leader",
            "leaders[-.setdefault(syndrome ^ change, x ^ unit)-]{+[syndrome ^ change] = x ^ unit+}",
            "index_protocols",
        ),
        ("lower-bits", "[-) >> self._degree-]{+) & (2**self.bits - 1)+}", "index_protocols"),
        ("any-generator", "if [--]{+False and +}self._syndrome(1", "index_protocols"),
    ),
    *mutants(
        "floors/nets.py",
        ("delta-not-squared", "<= radius[-**2-]{++}\n", "nets"),
        ("open-ball", "squared_distance(point, rows[centre]) [-<=-]{+<+} r", "nets"),
        ("last-centre", "next(near, len(centres)[--]{+ - 1+})", "nets"),
        ("places-for-points", "centres.append([-index-]{+place+})", "nets"),
    ),
    *mutants(
        "floors/covering.py",
        ("radius-once", "1 + [-2 * -]{++}radius", "nets"),
        ("radii-swapped", "radius2 * delta1 + [-radius1-]{+radius2+} * d", "nets"),
    ),
    *mutants(
        "cost/counting.py",
        ("exp-free", "exponentials += [-1-]{+0+}", "cost"),
        ("sums-free", "additions += [-1-]{+0+}", "cost"),
        ("reads-by-row", "read += [-rows.size-]{+len(rows)+}", "cost"),
        ("words-of-one-name", "for block in [-blocks-]{+blocks[:1]+})", "cost"),
        ("rows-of-any-width", "width not in (None, [-rows.shape[1]-]{+width+})", "cost"),
    ),
    *mutants(
        "cost/evaluations.py",
        ("unnormalised", "(weights @ value_rows)[- / weights.sum()-]{++}", "cost"),
        ("values-of-last-slot", "reversed(values[[-:-1-]{+:0+}])", "cost"),
        ("query-on-last-key", "[keys[0][- * query-]{++}, *keys[1:-1]]", "cost"),
        ("old-rows-forgotten", "if [-not self._empty-]{+False+}:", "cost"),
        ("new-row-twice", '(first[None], self.memory.read(f"{name}_[-2-]{+1+}"))', "cost"),
        ("values-of-any-shape", "[- or V.shape[1] != values[0].shape[1]-]{++}:", "cost"),
    ),
    *mutants(
        "cost/closed_forms.py",
        ("factors-not-kept", "n**2 [-+ 2 * n-]{++}) * (d", "cost"),
        ("all-sums-of-n", "rows * (d[- - 1-]{++}) +", "cost"),
        ("first-slot-formed", "for r in range([-2-]{+1+}, m + 1)", "cost"),
    ),
    *mutants(
        "floors/products.py",
        ("pivot-twice", "(2 * n[- - 1-]{++})", "floors_two_cache"),
        ("rows-n", "return n[-**2-]{++} * d_v", "floors_two_cache"),
        ("one-flag", "width + flag[- * (d + d_v)-]{++}", "floors_two_cache"),
    ),
    *mutants(
        "attention/masks.py",
        ("window-one-wider", "(i - w [-<-]{+<=+} j)", "masks"),
        ("strictly-causal", "(j [-<=-]{+<+} i)", "masks"),
        ("causal-too-short", '"position")[- + 1-]{++}]', "masks"),
    ),
    *mutants(
        "numbers/scalars.py",
        ("booleans-are-numbers", "isinstance(value, [-bool | -]{++}np.bool_)", "inputs"),
        ("through-double", "Fraction([-*value.as_integer_ratio()-]{+float(value)+})", "inputs"),
    ),
    *mutants(
        "numbers/arrays.py",
        ("short-rows", "if len(row) [-!=-]{+>+} width:", "inputs"),
        ("text-is-a-number", "if isinstance(value, [-str-]{+bytes+}):", "inputs"),
        ("not-finite", "if [-np.isfinite(exact).all()-]{+True+}:", "inputs"),
        (
            "floats-rounded",
            "return rounded [-if (rounded == array).all() else array-]{++}",
            "rounding",
        ),
        ("masked-read", "isinstance(value, [-np.ma.MaskedArray-]{+str+})", "inputs"),
        ("leading-axes", "axes = array.shape[[-:-1-]{+1:+}]", "rounding"),
        ("rows-counted", "for place in np.ndindex([-axes-]{+len(rows)+})", "inputs"),
    ),
    *mutants(
        "numbers/frameworks.py",
        ("bits-as-halves", "[-.view(as_format(name).dtype)-]{+.view(np.int16)+}\n", "frameworks"),
        ("gradients-refused", "array.detach().[-cpu().-]{++}resolve", "frameworks"),
        ("narrower-than-asked", "in FORMATS and [-came != name-]{+False+}:", "frameworks"),
    ),
    *mutants(
        "attention/inputs.py",
        ("root-dropped", "Scale(Fraction(1, d), [-d-]{+1+})", "inputs exact"),
        ("scale-zero", "if factor [-<=-]{+<+} 0:", "inputs"),
        ("mask-of-any-shape", "if [--]{+False and +}array.shape not in", "inputs"),
        ("too-few-values", "if rows [-!=-]{+>+} n:", "inputs"),
        ("no-tuple-left", "terms.sink is None and [-not only.any()-]{+False+}:", "inputs"),
        ("sinks-unanswered", "if self.terms.sink [-is-]{+is not+} None else list(range(", "terms"),
        ("folded-with-a-bias", "None or [-self.terms.bias is not None-]{+False+} or", "rounding"),
        (
            "folded-with-a-sink",
            "[-self.terms.sink is not None:\n            return self\n        keys-]"
            "{+False:\n            return self\n        keys+}",
            "rounding",
        ),
        ("folded-by-its-ends", "rows[0]).all()[- and (rows == rows[:1]).all()-]{++})", "rounding"),
        ("mask-of-first", "self.mask[[-b % len(self.mask)-]{+0+}]", "terms"),
    ),
    *mutants(
        "floors/decoding.py",
        ("threshold-sign", " / 2 [---]{+++} guarantee.eta * guar", "floors instances"),
        ("alpha-once", "slack = guarantee.eta + [-2 * -]{++}guar", "floors instances"),
        ("leak-unnormalised", "return excess[- / (1 + excess)-]{++}", "floors instances"),
        ("zero-exceeds-ln-1", "return ratio [-<-]{+<=+} 1", "floors"),
        ("multiplier-large", "return most[--]{+ + 1+}", "floors"),
        ("self-token-alone", "[-(n + 1) ** order - n**order-]{+1+} if self", "floors instances"),
        ("kink-forgotten", "[low, high, [-answer-]{+low+}] if", "floors"),
        ("edge-refused", "if max(excess) [-<=-]{+<+} 0:", "floors"),
        ("edge-separates", "2 * self.alpha [->=-]{+>+} 1:", "floors"),
        ("eta-one", "if not 0 <= self.eta [-<-]{+<=+} 1:", "floors"),
    ),
    *mutants(
        "families/keys/book.py",
        ("margin-of-columns", "logits.max(axis=[-1-]{+0+})", "keys"),
        ("overflow", "< 2**[-60-]{+600+}", "keys"),
        ("margin-zero", "if margin [-<=-]{+<+} 0:", "keys"),
        ("norms-of-keys-only", "for rows in (self.[-directions-]{+keys+}, self", "keys"),
        ("any-address", "not chosen or not all(0 <= i [-<-]{+<=+} self.n", "keys"),
    ),
    *mutants(
        "families/keys/single.py",
        ("dimension-not-least", "[-(n - 1)-]{+n+}.bit_length()", "keys"),
        ("parabola-from-0", "(j, -j * j) for j in range([-1, n + 1-]{+n+})", "keys"),
    ),
    *mutants(
        "families/keys/signs.py",
        ("any-margin", "products)[0] [->= margin-]{+> 0+}", "keys"),
        (
            "one-slot-drawn",
            "for rows in rng.integers(0, 2, size=([-order-]{+1+}, n, d))",
            "tuple_keys",
        ),
    ),
    *mutants(
        "families/keys/tuples.py",
        (
            "first-slot-fastest",
            "position = position * n + [-j-]{+j % max(1, n - 1)+}",
            "tuple_keys",
        ),
        (
            "blocks-in-one-place",
            "ones * [-r-]{+0+} + key + ones * (order - 1[- - r-]{++})",
            "tuple_keys",
        ),
    ),
    *mutants(
        "families/keys/spherical.py",
        ("any-signs", "repeat=8) if [-signs.count(-1) % 2 == 0-]{+True+}", "spherical"),
        ("roots-not-doubled", "chain(_roots(8, [-2-]{+1+}), halves)", "spherical"),
        ("corners-coarse", "radius = [-8 * n-]{+2+} * n", "spherical"),
        (
            "angle-unsquared",
            "[-cosine.numerator**2-]{+cosine.numerator * cosine.denominator+} * norms",
            "spherical",
        ),
        ("root-dimension", "2 * d * (d - 1) [->=-]{+>+} n", "spherical"),
    ),
    *mutants(
        "floors/caps.py",
        ("cap-one-dimension-more", "half * (d[- - 1-]{++})", "floors_codes"),
        ("whole-beta", "regularized=True)[- / 2-]{++}", "floors_codes"),
        ("size-rounded-from-above", "fraction)[[-0-]{+1+}])", "floors_codes"),
    ),
    *mutants(
        "floors/signs.py",
        ("tail-without-its-end", "range(first[--]{+ + 1+}, d + 1)", "floors_codes"),
        ("pairs-ordered", "rows * (rows - 1)[- // 2-]{++}", "floors_codes"),
        ("exponent-twice", "epsilon**2 * d[- / 2-]{++}", "floors_codes"),
    ),
    *mutants(
        "floors/dimension.py",
        ("all-keys-compete", "margin, (k[- - 1-]{++}) * ratio))", "floors_dimension"),
        ("cube-angle", "1 - Fraction([-2-]{+4+}, a)", "floors_dimension"),
        ("polygon-half-turn", "cos_pi_fmpq(fmpq([-2-]{+1+}, k))", "floors_dimension"),
        ("regime-by-n", "d >= (n[- - 1-]{++}).bit_length() else", "floors_dimension"),
        ("line-holds-all", '[-min(n, 2)-]{+n+}, "binary-keys", "arccos(-1)', "floors_dimension"),
    ),
    *mutants(
        "floors/randomised.py",
        (
            "columns-forgotten",
            'four_cache(as_count(n, "n", 1), [-as_count(d_v, "d_v", 1)-]{+1+})',
            "floors_randomised",
        ),
    ),
    *mutants(
        "families/binary_values.py",
        ("larger-margin", "[-min-]{+max+}(self.book.margin, self.book.zero", "instances"),
        ("threshold-is-1", "argument) [->-]{+>=+} theta", "instances"),
        ("rows-overlap", "bits[address[- * self.d_v-]{++} : (", "instances index"),
        ("self-token-of-ones", "self.book.d, ([-0-]{+1+},) * self.d_v", "instances"),
        ("query-unscaled", "tuple([-self.multiplier * -]{++}x for", "instances"),
        ("columns-first", "divmod(symbol, self.[-d_v-]{+n+})", "instances"),
        ("bits-too-few", "if len(x) [-!=-]{+>+} self.size:", "instances"),
    ),
    *mutants(
        "caches/exact.py",
        ("float32", '_kept = KeptTokens(self._shape, "float[-64-]{+32+}', "caches"),
        ("state-ignored", "read_rest(state[--]{+[:0]+})", "caches caches_shared"),
    ),
    *mutants(
        "caches/window.py",
        ("first-tokens-kept", "self._bits[[--self._most :-]{+: self._most+}]", "window_cache"),
        ("window-of-all", "self._bits)[[--self.window :-]{+:+}]", "window_cache"),
        ("one-row-short", "return self.window * self.family.d_v[--]{+ - 1+}", "window_cache"),
        ("self-token-passes", "if [-family.self_token-]{+False+}:", "window_cache"),
    ),
    *mutants(
        "caches/hashed.py",
        ("hash-ignores-order", "([-0x9E3779B97F4A7C15 * -]{++}self._hash", "caches"),
        ("hash-ignores-seed", 'f"[-{seed}-]{+0+}:{text}"', "caches"),
    ),
    *mutants(
        "caches/protocol.py",
        ("one-state-more", ">> bits % 8 [-== 0-]{+<= 1+}", "caches"),
        ("bytes-for-bits", "bits = [-8 * -]{++}len(data) if", "caches"),
        ("numpy-bits-refused", "isinstance(bits, [-Integral-]{+int+})", "caches"),
    ),
    *mutants(
        "index/reduction.py",
        ("same-input-collides", "if [-x != y-]{+encoded > 1+}:", "index"),
        ("encoded-from-0", "start=[-1-]{+0+}", "index collision"),
    ),
    *mutants(
        "collisions/search.py",
        ("half-of-the-inputs", "rng.getrandbits(size[--]{+ - 1+})", "collision"),
        ("state-of-another", "seed=seed, state=[-first-]{+first._replace(bits=0)+}", "collision"),
        ("nothing-flipped", "1 - x[k][--]{+ - 1 + 2 * x[k]+}, *x[k + 1", "window_cache"),
        ("one-too-many", 'as_count(limit, "limit")[--]{+ + 1+}', "collision"),
    ),
    *mutants(
        "certificates/text.py",
        (
            "digest-unchecked",
            'if [-document["digest"] != digest(document)-]{+False+}:',
            "certificate certificate_files",
        ),
        ("any-terms", "if [-str(Fraction(rational)) != rational-]{+False+}:", "certificate_files"),
        ("keys-may-repeat", "if len(result) [-!=-]{+>+} len(pairs):", "certificate_files"),
        ("floats-may-pass", "[-parse_float=_no_float,-]{++}", "certificate_files"),
        ("more-options-pass", "claimed.keys() [-!=-]{+<+} truth.keys()", "certificate"),
    ),
    *mutants(
        "certificates/families.py",
        ("instances-long", "if len(text) [-!=-]{+<+} family.size:", "certificate"),
        (
            "address-n",
            'if query["address"] [->=-]{+>+} family.n or',
            "certificate certificate_files",
        ),
        (
            "any-book",
            "if family.book.name not in [-(*BY-]{+(family.book.name, *BY+}_SIZE",
            "certificate",
        ),
        ("coarser-grid", "GRID_BITS = [-64-]{+63+}", "certificate certificate_files"),
        ("vector-unchecked", '[--]{+0 and +}compare("query.vector"', "certificate"),
    ),
    *mutants(
        "certificates/collision.py",
        ("touching-is-apart", "return most [-<-]{+<=+} least", "certificate"),
        ("alpha-dropped", "abs(bottom)[- - guarantee.alpha-]{++}", "certificate"),
        ("state-unfit", "if not [--]{+True or +}fits(", "certificate certificate_files"),
        ("one-replayed", 'document["instances"])[-]-]{+][:1]+}', "certificate"),
        ("replay-without-coins", 'tokens, shape, [-cache["seed"]-]{+0+})', "certificate"),
        ("outputs-unchecked", '[--]{+0 and +}compare(f"outputs[{k}]"', "certificate"),
    ),
    *mutants(
        "certificates/checker.py",
        ("nothing-unchecked", "[-unchecked if cache-]{+'' if cache+} is None", "certificate"),
        ("objects-believed", "except ([-TypeError, -]{++}ValueError, Recursion", "certificate"),
    ),
    *mutants(
        "adapters/tensors.py",
        ("stored-unrounded", 'self.format.round(as_fraction(x, "token"))[--]{+ * 2+}', "adapters"),
        (
            "coins-stay-used",
            "np.random.set_state(state[--]{+ and np.random.get_state()+})",
            "adapters",
        ),
        ("padding-kept", "values[:, [-:d_v-]{+:+}]", "adapters"),
    ),
    *mutants(
        "adapters/press.py",
        ("coins-unused", "seeded([-self._seed-]{+0+})", "adapters"),
        ("half-restored", "reshape(2, count, width)[--]{+[::-1]+}", "adapters"),
        (
            "any-number",
            "[-rounded_token(keys, values, self._shape, self._tensors.format)-]{+None+}",
            "adapters",
        ),
        ("late-tokens-taken", "if self._kept [-is not None-]{+is self+}:", "adapters"),
        ("kept-unlike", "shape = (1, 1, [-kept[0]-]{+array+}.shape[-2]", "adapters"),
        ("any-dtype", "array.shape != shape[- or array.dtype != dtype-]{++}", "adapters"),
    ),
    *mutants(
        "adapters/carrying_error.py",
        ("key-alone-moved", "(moved * turning) ** [-2-]{+1+}", "carrying"),
        (
            "one-block",
            "logit_roundings(shape.d, 1), rescalings=[-n-]{+0+}",
            "carrying",
        ),
        ("norm-exact", "_ball(gamma(hidden + 2, u) [-+ 3 * u)-]{+* 0)+}", "carrying"),
        ("out-for-nothing", "moved * norm[- * _ball(1 + u)-]{++}  #", "carrying"),
        ("values-within-1", "error * arb([-shape.largest_value-]{+1+})", "carrying"),
    ),
    *mutants(
        "adapters/model_instance.py",
        ("window-without-own", "min(self.n, self.window[- - 1-]{++})", "model"),
        (
            "first-tokens-seen",
            "np.arange(sizes.n)[- - (sizes.n - visible)-]{++}) % visible",
            "model",
        ),
        ("one-layer", "heads_and_layers([-sizes.layers-]{+1+}, sizes.heads", "model"),
        (
            "first-bits",
            "self.values[[-self.sizes.n - self.family.n :-]{+: self.family.n+}, l",
            "model",
        ),
        ("no-self-token", "self_token=[-True-]{+False+}", "model"),
        ("same-address-twice", "np.resize(order[--]{+ // 2+}, steps", "model"),
    ),
    *mutants(
        "adapters/compressors.py",
        ("options-dropped", "partial(made[-, **options-]{++})", "model"),
    ),
    *mutants(
        "adapters/layer.py",
        ("count-lost", "[-self._count-]{+(0)+}.to_bytes(COUNT_BYTES", "adapters"),
        ("zero-token-seen", "attend(query, keys[[-:-1-]{+:+}], values[[-:-1-]{+:+}]", "adapters"),
        ("asked-itself", "layer = [-copy.deepcopy(self._layer)-]{+self._layer+}", "adapters"),
        ("tensors-in-lists-lost", "isinstance(value, list[- | tuple-]{++})", "adapters"),
        ("rest-ignored", "if place [-!=-]{+>+} len(state)", "adapters"),
    ),
    *mutants(
        "families/keys/pairs.py",
        ("tie-unequal", "if logits[partner] [-!=-]{+<+} logits[0]", "pairs"),
        ("first-slot-only", "[*range(n, n * n, n)[-, *range(1, n)-]{++}]", "pairs"),
        ("weakest-competes", "logits[0] - [-max-]{+min+}(others", "pairs"),
    ),
    *mutants(
        "floors/symbols.py",
        ("room-one-alpha", "below - [-2 * -]{++}guarantee.alpha", "levels"),
        ("grid-room-below", "(2 * L - [-3-]{+1+})) / (L - 1)", "levels"),
        ("ratio-without-alpha", "eta[- + 2 * guarantee.alpha-]{++}) / least_room", "levels"),
        ("leak-too-great", "2 * guarantee.alpha[- + least_room-]{++})", "levels"),
        ("row-0-holds-symbols", "2 * [-(n - 1)-]{+n+} * (b", "sharp"),
        ("bits-one-more", 'symbols")[- - 1-]{++}).bit_length', "paired"),
    ),
    *mutants(
        "families/levels.py",
        ("upper-for-lower", "level in self.[-lower-]{+upper+}[1:]", "levels"),
    ),
    *mutants(
        "families/paired.py",
        ("tied-competitor", "self.book.n**2 [-- 1-]{+- 8+}", "paired"),
        ("slots-swapped", "(0, row + 1) if [-slot-]{+not slot+} else", "paired"),
    ),
    *mutants(
        "families/sharp.py",
        ("marks-swapped", "([-zero, one-]{+one, zero+}) if j == 0", "sharp"),
        ("payload-of-value", "self.rows * self.free + row * self.[-b-]{+free+} + column", "sharp"),
        ("tie-not-asked", "if column is [-None-]{+not None+} else self.book.tie", "sharp"),
        ("one-condition", '"multiplier", [-max-]{+min+}(multipliers)', "sharp"),
    ),
    *mutants(
        "caches/quantised.py",
        ("ends-of-cells", "Fraction(2 * cell [-+ 1 -]{++}- cells", "quantised"),
        ("outside-clipped", "if [-abs(entry) > bound-]{+False+}:", "quantised"),
        ("row-reversed", ".append(row[-[::-1]-]{++})", "quantised"),
    ),
    *mutants(
        "floors/quantised.py",
        ("bits-without-count", "int(([-2 * -]{++}(key_cells", "quantised"),
        ("one-slot-moves", "return [-order * -]{++}bound", "quantised"),
        ("half-of-alpha-twice", "ceil([-2 * -]{++}by_key", "quantised"),
    ),
    *mutants(
        "families/quantised_gap.py",
        ("ratio-of-one-slot", "kept = [-2 * -]{++}book.n", "tightness"),
        ("tokens-all-free", "n / (n[- - 1-]{++}) *", "tightness"),
        ("least-of-cells", "fmpq([-max-]{+min+}(cells)", "tightness"),
    ),
    *mutants(
        "floors/dimensions.py",
        ("gauge-once", "- [-(order - 1) * -]{++}(d + d_v)", "jacobian"),
    ),
    *mutants(
        "floors/entropy_dimension.py",
        (
            "point-too-many",
            "tuple([-ceil(x / alpha)-]{+int(x / alpha) + 1+} for",
            "floors_entropy_dimension separation",
        ),
        ("first-key-kept", "return [-(n - 1) * d-]{+n * d+}, n * d_v", "gauged_cache"),
        ("gauge-of-one-slot", "n - [-(order - 1)-]{+1+}", "floors_entropy_dimension"),
        ("count-not-kept", "int(([-2 * -]{++}cells[0]", "gauged_cache"),
        ("rounding-up-forgotten", "return sum(terms, arb([-2-]{+0+}))", "floors_entropy_dimension"),
        ("constant-positive", "return [---]{++}sum((_log2(x)", "floors_entropy_dimension"),
    ),
    *mutants(
        "caches/gauged.py",
        ("all-slots-fixed", "if first and [-slot-]{+slot >= 0+} else", "gauged_cache"),
        ("values-fixed-too", "if first [-and part == KEY -]{++}else", "gauged_cache"),
        ("gauge-of-every-token", "Fraction(1) if [-first and -]{++}slot", "gauged_cache"),
    ),
    *mutants(
        "families/separated_sets.py",
        (
            "identity-not-taken-off",
            "near[i][j][- - (i == j)-]{++}",
            "separation",
        ),
        ("curvature-forgotten", "[- + _inner(map(abs, moves[j]), radii)-]{++}", "separation"),
        ("weights-upside-down", "/ weights[[-i-]{+-1 - i+}]", "separation"),
        ("one-column", "i % [-candidate.shape[3]-]{+1+}, region", "separation"),
        ("reach-of-radius", "[-(1 - self.contraction) * -]{++}x for x", "separation"),
        ("grid-half-as-wide", "Fraction(2 * k + 1 - size, [--]{+2 * +}max(size", "separation"),
        ("bounds-of-centre", "abs(x)[- + moves-]{++})", "separation"),
        ("box-not-a-ball", "not all(x [-< 1-]{+< 100+} for", "separation"),
    ),
    *mutants(
        "floors/second_derivatives.py",
        ("only-at-the-centre", "[- + self._moves_within(f.gradient)-]{++}", "curvature"),
        ("factors-at-the-centre", "arb(x)[- + self._moves_within(slope)-]{++}", "curvature"),
        ("mixed-once", "([-mixed + mixed.transpose()-]{+mixed+} + v.hessian)", "curvature"),
        ("logit-straight", "[- + s.hessian-]{++})", "curvature"),
        ("product-straight", "without(a, b) * (both[- + both.transpose()-]{++})", "curvature"),
        ("not-centred", "(s.gradient[- - other.gradient-]{++})", "curvature"),
        ("value-not-above", "region.enclose(v[- - u-]{++})", "curvature"),
        ("weights-unnormalised", "p = [[-1-]{+2+} / sum(", "curvature"),
    ),
    *mutants(
        "floors/jacobian.py",
        ("output-not-taken-off", "* (v[k][- - out-]{++})", "jacobian"),
        ("own-slot-kept", "if r [-!= without-]{+>= 0+})", "jacobian"),
        ("any-column", "if x.column [-!=-]{+<+} column", "jacobian"),
        ("gauge-of-all-slots", "p.slot == 0 else [-True-]{+False+}", "jacobian"),
    ),
]
