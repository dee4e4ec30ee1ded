(** Binary entropy. *)
From Coq Require Import Reals Lra.
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

(** H₂(1/3) <= 0.92, since log₂ 3 <= 46/29, since 3^29 <= 2^46. *)
Lemma H2_third : 1 - H2 (1 / 3) >= 8 / 100.
Proof.
  assert (H : 29 * ln 3 <= 46 * ln 2).
  { replace 29 with (INR 29) by (simpl; ring). replace 46 with (INR 46) by (simpl; ring).
    rewrite <- !ln_pow by lra. apply ln_le; [apply pow_lt; lra|]. simpl; lra. }
  pose proof ln2_pos as Hl2.
  assert (H1 : ln (1 / 3) = - ln 3) by (rewrite <- ln_Rinv by lra; f_equal; field).
  assert (H2' : ln (1 - 1 / 3) = ln 2 - ln 3).
  { replace (1 - 1 / 3) with (2 * / 3) by field.
    rewrite ln_mult, ln_Rinv by lra. ring. }
  unfold H2, log2. rewrite H1, H2'. apply Rle_ge.
  apply (Rmult_le_reg_r (ln 2)); [exact Hl2|].
  replace ((1 - - (1 / 3 * (- ln 3 / ln 2) + (1 - 1 / 3) * ((ln 2 - ln 3) / ln 2))) * ln 2)
    with (5 / 3 * ln 2 - ln 3) by (field; lra).
  lra.
Qed.
