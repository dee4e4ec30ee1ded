(** The fast path: 2^x in float64 ([exp2_single]) is within 5 units roundoff, from a polynomial of
    degree 10 that is within 2.75 of them. *)
From Coq Require Import Reals ZArith Lra Lia Arith List.
From Flocq Require Import Core.
From KVFloor Require Import Binary64 Nearest IntegerValues ExpTwo FastPathExact.
Import ListNotations.
Open Scope R_scope.

(** Horner's scheme, whose products may be fused with the sums. *)
Fixpoint horner (f a : R) (l : list Z) (y : R) : Prop :=
  match l with
  | [] => y = a
  | c :: l' => exists p, contracted (a * f) p /\ horner f (fl (p + IZR c / 2 ^ 80)) l' y
  end.

Definition exp2_horner (f y : R) : Prop :=
  match exp2_numerators with [] => False | c :: l => horner f (IZR c / 2 ^ 80) l y end.

Lemma underflow_tiny : underflow <= / 10 ^ 9 * roundoff.
Proof.
  unfold underflow, roundoff. rewrite <- Rinv_mult. apply Rinv_le_contravar; [nra|].
  change 1075%nat with (53 + 1022)%nat. rewrite pow_add, Rmult_comm.
  apply Rmult_le_compat_l; [lra|]. apply Rle_trans with (2 ^ 30); [lra|]. apply Rle_pow; [lra|lia].
Qed.

(** A computed is A within E units, and at most Q. *)
Definition known (a A Q E : R) : Prop := Rabs A <= Q /\ Rabs (a - A) <= E * roundoff.

(** One step: the product, of size q, and the sum, of size s, are rounded. *)
Lemma step_near f a A c p E q s :
  Rabs f <= / 2 -> Rabs (a - A) <= E * roundoff -> 0 <= E <= 2 -> contracted (a * f) p ->
  Rabs (A * f) <= q <= 2 -> Rabs (A * f + c) <= s <= 2 ->
  Rabs (fl (p + c) - (A * f + c)) <= (E * Rabs f + q + s + / 10 ^ 8) * roundoff.
Proof.
  intros Hf Ha HE Hp [Hq Hq2] [Hs Hs2].
  pose proof roundoff_small as Hu. pose proof underflow_tiny as Hn.
  pose proof (contracted_near _ _ Hp) as Np. pose proof (fl_near (p + c)) as Ns.
  assert (D : Rabs (a * f - A * f) <= E * Rabs f * roundoff).
  { rewrite <- Rmult_minus_distr_r, Rabs_mult. pose proof (Rabs_pos f). nra. }
  assert (HEf : 0 <= E * Rabs f <= 1) by (pose proof (Rabs_pos f); nra).
  assert (Haf : Rabs (a * f) <= q + / 10 ^ 9).
  { replace (a * f) with ((a * f - A * f) + A * f) by ring.
    eapply Rle_trans; [apply Rabs_triang|]. nra. }
  assert (Hp' : Rabs (p - A * f) <= (E * Rabs f + q + / 10 ^ 9 + / 10 ^ 9) * roundoff).
  { replace (p - A * f) with ((p - a * f) + (a * f - A * f)) by ring.
    eapply Rle_trans; [apply Rabs_triang|]. nra. }
  assert (Hpc : Rabs (p + c) <= s + / 10 ^ 9).
  { replace (p + c) with ((p - A * f) + (A * f + c)) by ring.
    eapply Rle_trans; [apply Rabs_triang|]. nra. }
  replace (fl (p + c) - (A * f + c)) with ((fl (p + c) - (p + c)) + (p - A * f)) by ring.
  eapply Rle_trans; [apply Rabs_triang|]. nra.
Qed.

Lemma step f a A p Q E c Q' E' :
  known a A Q E -> contracted (a * f) p -> Rabs f <= / 2 ->
  0 <= E <= 1 /\ Q <= 1 /\ 0 <= c /\ Q / 2 + c <= Q' <= 1 /\ E / 2 + Q / 2 + Q' + / 10 ^ 8 <= E' ->
  known (fl (p + c)) (A * f + c) Q' E'.
Proof.
  intros [HA Ha] Hp Hf (HE & HQ & Hc & HQ' & HE'). pose proof (Rabs_pos f). pose proof (Rabs_pos A).
  assert (Hq : Rabs (A * f) <= Q / 2) by (rewrite Rabs_mult; nra).
  assert (Hs : Rabs (A * f + c) <= Q')
    by (eapply Rle_trans; [apply Rabs_triang|]; rewrite (Rabs_pos_eq c) by lra; lra).
  split; [exact Hs|].
  pose proof (step_near f a A c p E (Q / 2) Q' Hf Ha ltac:(lra) Hp ltac:(lra) ltac:(lra)) as K.
  eapply Rle_trans; [exact K|]. apply Rmult_le_compat_r; [pose proof roundoff_small; lra|]. nra.
Qed.

(** Horner's scheme is off by 2.24 units roundoff of the polynomial. *)
Lemma horner_near f y : Rabs f <= / 2 -> exp2_horner f y ->
  Rabs (y - exp2_polynomial f) <= 224 / 100 * roundoff * exp2_polynomial f.
Proof.
  intros Hf H. pose proof roundoff_small as Hu.
  assert (HP : 7 / 10 <= exp2_polynomial f <= 15 / 10).
  { pose proof (exp2_polynomial_near f Hf) as K. pose proof (two_power_range f Hf).
    apply Rabs_le_inv in K. lra. }
  assert (EP : exp2_polynomial f = value (rev exp2_numerators) f / 2 ^ 80) by reflexivity.
  cbn [exp2_numerators rev app value] in EP.
  destruct H as (p1 & H1 & p2 & H2 & p3 & H3 & p4 & H4 & p5 & H5 & p6 & H6 & p7 & H7 & p8 & H8
    & p9 & H9 & p10 & H10 & ->).
  assert (K : known (IZR 8597617788970267 / 2 ^ 80) (IZR 8597617788970267 / 2 ^ 80) (72 / 10 ^ 10) 0).
  { split; [rewrite Rabs_pos_eq; lra|]. rewrite Rminus_diag_eq, Rabs_R0 by reflexivity. lra. }
  (* what is bounded in each step: the number, and its error *)
  apply (step f _ _ p1 _ _ (IZR 123437610704245776 / 2 ^ 80) (11 / 10 ^ 8) (13 / 10 ^ 8)) in K;
    [|exact H1|exact Hf|lra].
  apply (step f _ _ p2 _ _ (IZR 1597623931775675904 / 2 ^ 80) (138 / 10 ^ 8) (151 / 10 ^ 8)) in K;
    [|exact H2|exact Hf|lra].
  apply (step f _ _ p3 _ _ (IZR 18439319593754005504 / 2 ^ 80) (1595 / 10 ^ 8) (1741 / 10 ^ 8)) in K;
    [|exact H3|exact Hf|lra].
  apply (step f _ _ p4 _ _ (IZR 186217260989516906496 / 2 ^ 80) (16202 / 10 ^ 8) (17871 / 10 ^ 8)) in K;
    [|exact H4|exact Hf|lra].
  apply (step f _ _ p5 _ _ (IZR 1611928283165600514048 / 2 ^ 80) (141437 / 10 ^ 8) (158475 / 10 ^ 8)) in K;
    [|exact H5|exact Hf|lra].
  apply (step f _ _ p6 _ _ (IZR 11627604614299055554560 / 2 ^ 80) (1032532 / 10 ^ 8) (1182489 / 10 ^ 8)) in K;
    [|exact H6|exact Hf|lra].
  apply (step f _ _ p7 _ _ (IZR 67100350059023683289088 / 2 ^ 80) (6066677 / 10 ^ 8) (7174189 / 10 ^ 8)) in K;
    [|exact H7|exact Hf|lra].
  apply (step f _ _ p8 _ _ (IZR 290416026818695091191808 / 2 ^ 80) (27055990 / 10 ^ 8) (33676424 / 10 ^ 8)) in K;
    [|exact H8|exact Hf|lra].
  (* the last two steps, by the size of the polynomial itself *)
  match type of K with known ?a ?A _ _ => set (a8 := a) in *; set (A8 := A) in * end.
  destruct K as [HA8 Ha8]. pose proof (Rabs_pos f) as Hf0. pose proof (Rabs_pos A8) as HA0.
  set (c9 := IZR 837963523372008863694848 / 2 ^ 80) in *.
  set (A9 := A8 * f + c9).
  assert (HA8f : Rabs (A8 * f) <= 27055990 / 10 ^ 8 * Rabs f)
    by (rewrite Rabs_mult; apply Rmult_le_compat_r; assumption).
  assert (Hc9 : 69 / 100 <= c9 <= 7 / 10) by (unfold c9; lra).
  assert (HA9 : Rabs A9 <= 84 / 100).
  { unfold A9. eapply Rle_trans; [apply Rabs_triang|]. rewrite (Rabs_pos_eq c9) by lra. lra. }
  pose proof (step_near f a8 A8 c9 p9 _ _ (Rabs A9) Hf Ha8 ltac:(lra) H9
    ltac:(split; [exact HA8f|lra]) ltac:(split; [right; reflexivity|lra])) as K9.
  fold A9 in K9. set (a9 := fl (p9 + c9)) in *.
  assert (E10 : A9 * f + IZR 1208925819614629174706176 / 2 ^ 80 = exp2_polynomial f).
  { rewrite EP. unfold A9, A8, c9. field. }
  assert (HA9f : Rabs (A9 * f) = Rabs (exp2_polynomial f - 1)) by (f_equal; lra).
  pose proof (step_near f a9 A9 (IZR 1208925819614629174706176 / 2 ^ 80) p10 _
    (Rabs (A9 * f)) (Rabs (exp2_polynomial f)) Hf K9) as K10.
  rewrite E10 in K10. set (P := exp2_polynomial f) in *.
  eapply Rle_trans; [apply K10|].
  - pose proof (Rabs_pos A9). lra.
  - exact H10.
  - split; [lra|]. rewrite HA9f. apply Rabs_le. lra.
  - split; [lra|]. apply Rabs_le. lra.
  - rewrite (Rmult_comm (_ / 100)), Rmult_assoc, (Rmult_comm _ roundoff).
    apply Rmult_le_compat_l; [lra|].
    assert (Hprod : Rabs A9 * Rabs f = Rabs (P - 1)) by (rewrite <- HA9f, Rabs_mult; reflexivity).
    rewrite HA9f, (Rabs_pos_eq P) by lra.
    assert (Rabs f * Rabs f <= / 4) by nra.
    assert (Rabs (P - 1) = P - 1 \/ Rabs (P - 1) = 1 - P)
      by (unfold Rabs; destruct (Rcase_abs (P - 1)); [right|left]; ring).
    nra.
Qed.

Lemma exp2_near f y : Rabs f <= / 2 -> exp2_horner f y ->
  Rabs (y - Rpower 2 f) <= 5 * roundoff * Rpower 2 f.
Proof.
  intros Hf H. pose proof (horner_near f y Hf H) as K1.
  pose proof (exp2_polynomial_near f Hf) as K2. pose proof (two_power_range f Hf) as K3.
  fold roundoff in K2. pose proof roundoff_small as Hu. unfold roundoff in *.
  apply Rabs_le_inv in K1. apply Rabs_le_inv in K2. apply Rabs_le. lra.
Qed.

Lemma power_two k : bpow radix2 k = Rpower 2 (IZR k).
Proof.
  rewrite <- (exp_ln (bpow radix2 k)) by apply bpow_gt_0. unfold Rpower. f_equal.
  rewrite bpow_exp. rewrite ln_exp. reflexivity.
Qed.

(** [exp2_single]. *)
Theorem fast_path_exp2 x y :
  float x -> Rabs x <= 2 ^ 21 ->
  let C := 3 / 2 * 2 ^ 52 in
  let n := fl (fl (x + C) - C) in
  exp2_horner (fl (x - n)) y ->
  exists k : Z, n = IZR k
    /\ Rabs (bpow radix2 k * y - Rpower 2 x) <= 5 * roundoff * Rpower 2 x
    /\ 7 / 10 < y < 142 / 100.
Proof.
  intros Hx Hs C n Hy.
  destruct (fast_path_extract x 0 Hx ltac:(lia)) as ((k & Ek) & Hd & Er).
  { eapply Rle_trans; [exact Hs|]. change (bpow radix2 (51 + 0)) with (bpow radix2 (Z.of_nat 51)).
    rewrite power_of_nat. lra. }
  simpl (bpow radix2 0) in Ek, Hd, Er. rewrite !Rmult_1_r in Ek, Hd, Er.
  fold C in Ek, Hd, Er. fold n in Ek, Hd, Er.
  rewrite Rmult_1_r in Ek. rewrite Er in Hy.
  assert (Hf : Rabs (x - n) <= / 2) by lra.
  pose proof (exp2_near _ _ Hf Hy) as K. pose proof (two_power_range _ Hf) as K3.
  exists k. split; [exact Ek|]. split.
  - replace x with (IZR k + (x - n)) at 1 2 by (rewrite Ek; ring).
    rewrite Rpower_plus, <- power_two, <- Rmult_minus_distr_l, Rabs_mult.
    rewrite (Rabs_pos_eq (bpow _ _)) by apply bpow_ge_0.
    replace (5 * roundoff * (bpow radix2 k * Rpower 2 (x - n)))
      with (bpow radix2 k * (5 * roundoff * Rpower 2 (x - n))) by ring.
    apply Rmult_le_compat_l; [apply bpow_ge_0|exact K].
  - apply Rabs_le_inv in K. unfold roundoff in K. lra.
Qed.
