(** Binary entropy. *)
From Coq Require Import Reals Lra ZArith.
Open Scope R_scope.

Lemma ln_le x y : 0 < x -> x <= y -> ln x <= ln y.
Proof.
  intros Hx [Hlt|<-]; [left; apply ln_increasing; assumption|lra].
Qed.

Lemma ln2_pos : 0 < ln 2.
Proof. pose proof ln_lt_2; lra. Qed.

Definition log2 (x : R) : R := ln x / ln 2.

(** H₂(p) = -(p log₂ p + (1-p) log₂(1-p)), in bits; Coq's ln 0 = 0 makes it 0 at 0 and at 1. *)
Definition H2 (p : R) : R := - (p * log2 p + (1 - p) * log2 (1 - p)).

Lemma H2_0 : H2 0 = 0.
Proof. unfold H2, log2. rewrite Rminus_0_r, ln_1. field. pose proof ln2_pos; lra. Qed.

(** H₂(1/10) <= 0.469, since 5^1000 2^531 <= 3^1800. *)
Lemma H2_tenth : 1 - H2 (1 / 10) >= 531 / 1000.
Proof.
  assert (H : 1000 * ln 5 + 531 * ln 2 <= 1800 * ln 3).
  { replace 1000 with (INR 1000) by (rewrite INR_IZR_INZ; reflexivity).
    replace 531 with (INR 531) by (rewrite INR_IZR_INZ; reflexivity).
    replace 1800 with (INR 1800) by (rewrite INR_IZR_INZ; reflexivity).
    rewrite <- !ln_pow, <- ln_mult by (try apply pow_lt; lra).
    rewrite !pow_IZR, <- mult_IZR. apply ln_le; [apply IZR_lt; reflexivity|].
    apply IZR_le. vm_compute. discriminate. }
  pose proof ln2_pos as Hl2.
  assert (H1 : ln (1 / 10) = - ln 2 - ln 5).
  { replace (1 / 10) with (/ (2 * 5)) by field. rewrite ln_Rinv, ln_mult by lra. ring. }
  assert (H9 : ln (1 - 1 / 10) = 2 * ln 3 - ln 2 - ln 5).
  { replace (1 - 1 / 10) with (3 * 3 * / (2 * 5)) by field.
    rewrite !ln_mult, ln_Rinv, ln_mult by lra. ring. }
  unfold H2, log2. rewrite H1, H9. apply Rle_ge.
  apply (Rmult_le_reg_r (ln 2)); [exact Hl2|].
  replace ((1 - - (1 / 10 * ((- ln 2 - ln 5) / ln 2)
      + (1 - 1 / 10) * ((2 * ln 3 - ln 2 - ln 5) / ln 2))) * ln 2)
    with (18 / 10 * ln 3 - ln 5) by (field; lra).
  lra.
Qed.
