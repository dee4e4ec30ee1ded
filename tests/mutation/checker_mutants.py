"""Wrong versions of the checker in Coq, which accept more than they should: no proof can pass.

Rows of (theory below proofs/coq/checker, name, change), written as in mutants.py.
"""

from __future__ import annotations

__all__ = ["CHECKER"]

CHECKER = [
    ("Exponential", "lower-end-from-below", "ceil_div (up (yh * [-h-]{+l+})) i"),
    ("Exponential", "down-for-up", "up (a : Z) : Z := [-(- Z.shiftr (- a) w)%Z-]{+Z.shiftr a w+}."),
    ("Exponential", "squares-shrink", "squares k (down (l * l)) ([-up-]{+down+} (h * h))"),
    ("Exponential", "argument-without-width", "exponential_of terms n y [-(y + 2)-]{+y+}%Z."),
    ("Exponential", "nothing-for-large-ones", "else (0, [-one-]{+0+})%Z."),
    ("Exponential", "one-halving-less", "(Z.of_nat [-n-]{+(n - 1)+}))%Z in"),
    ("Numbers", "not-whole", "(0 <? D)%Z[- && forallb (divides D) l-]{++}."),
    ("OutputBounds", "wrong-sign", "if ([-0 <=? p-]{+p <=? 0+})%Z then (p * l)%Z"),
    ("OutputBounds", "one-for-all", "Node less (a', [-k + 1-]{+k+}, s + v)%Z more"),
    ("OutputBounds", "below-is-above", "([-- -]{++}Zpos (Qden r)) (- (Qnum r * V)) l)%Z."),
    ("OutputBounds", "no-lower-bound", "(0 <=? w)%Z[- && is_above V e lower-]{++} && is_below"),
    ("OutputBounds", "no-upper-bound", "is_above V e lower[- && is_below V e upper-]{++} then"),
    ("OutputBounds", "any-bounds", "if [-neighbours lower upper-]{+true+} && negb"),
    (
        "OutputBounds",
        "off-the-grid",
        "bool :=\n  [-on_grid lower &&-]{++}\n  if Qeq_bool lower upper",
    ),
    ("OutputBounds", "equal-to-all", "Qeq_bool lower upper then [-is_equal V l lower-]{+true+}"),
    (
        "OutputBounds",
        "other-slots",
        "(length Ks =? length slots)%nat &&[- (length Vs-]{+ (length Ks+} =?",
    ),
    ("Checker", "without-eta", "less (upper[- + eta * Qabs upper-]{++} + alpha) o."),
    ("Checker", "alpha-added", "less o (lower - eta * Qabs lower [---]{+++} alpha)."),
    ("Checker", "eta-over-one", "Qle_bool 0 eta[- && less eta 1-]{++} &&"),
    ("Checker", "any-bound", "[-Qeq_bool bound (bound_of (values x)) && -]{++}Qle_bool 0 alpha"),
    (
        "Checker",
        "outputs-not-looked-at",
        "is_guarantee eta alpha[- && accepts_output x lower upper-]{++} &&\n  (too_high",
    ),
    ("Checker", "one-output", "[-accepts_output (with_values x others) lower' upper'-]{+true+} &&"),
    ("Checker", "touching", "(lower' - eta * Qabs lower'[- - alpha-]{++})"),
    ("Bounds", "never-up", "if s =? 0 then 0 else [-1-]{+0+} else 0)"),
    ("Needed", "delta-over-half", "Qle_bool 0 delta[- && Qle_bool delta (1 # 2)-]{++}."),
    ("Needed", "one-level", "forallb (fun L => [-2-]{+1+} <=? L)%Z levels"),
    ("Needed", "one-bit-more", "|| below (unders true) (b * (bits - [-1-]{+2+})) (tops"),
    (
        "Needed",
        "top-rounded-up",
        "|| below (unders true) (b * (bits - 1)) (tops [-false-]{+true+})",
    ),
    ("Needed", "under-rounded-down", "|| below (unders [-true-]{+false+}) (b * (bits - 1))"),
    ("Shares", "later-once", "(y * [-(q + p)-]{+q+} * later"),
    ("Shares", "known-is-free", "[- + 2 * y * p * earlier-]{++} + 2 * x * q * all))%Z."),
    ("Shares", "one-sided", "+ [-2 * -]{++}x * q * all))%Z."),
    ("Shares", "levels-up-to-two", "own) 0 <=? [-one w-]{+2 * one w+})%Z."),
    ("Shares", "no-weight", "[-(0 <? own)%Z && -]{++}(1 <=? L)%Z"),
    ("Shares", "levels-rounded-down", "[-ceil_div-]{+floor_div+} ((q + p) * Y"),
    (
        "FloorChecker",
        "all-are-known",
        "if in_turn then (j <? i)%nat else [-negb (i =? j)%nat-]{+false+}.",
    ),
    ("FloorChecker", "itself-known", "then ([-i <? j-]{+i <=? j+})%nat else false."),
    ("FloorChecker", "tokens-twice", "(seq 0 k) &&\n  [-all_differ (tokens x)-]{+true+}."),
    ("FloorChecker", "no-such-slot", "[-(slot x <? length (trace_keys x))%nat &&-]{++}"),
    ("FloorChecker", "no-guarantee", "if is_trace[- && is_guarantee eta alpha-]{++} then decided"),
]
