(** Rounding to nearest in binary64: how far off, and when not at all. *)
From Coq Require Import Reals ZArith Lra Lia Arith.
From Flocq Require Import Core Relative Plus_error.
From KVFloor Require Import Binary64.
Open Scope R_scope.

Lemma roundoff_small : 0 < roundoff <= / 1000000000000000.
Proof. unfold roundoff. lra. Qed.

Lemma power_of_nat n : bpow radix2 (Z.of_nat n) = 2 ^ n.
Proof.
  induction n as [|n IH]; [reflexivity|].
  rewrite Nat2Z.inj_succ, <- Z.add_1_l, bpow_plus, IH. reflexivity.
Qed.

Lemma power_inverse n : bpow radix2 (- Z.of_nat n) = / 2 ^ n.
Proof. now rewrite bpow_opp, power_of_nat. Qed.

Lemma roundoff_bpow : roundoff = / 2 * bpow radix2 (- 53 + 1).
Proof.
  unfold roundoff. change (-53 + 1)%Z with (- Z.of_nat 52)%Z. rewrite power_inverse.
  change 53%nat with (1 + 52)%nat. rewrite pow_add, Rinv_mult, pow_1. reflexivity.
Qed.

Lemma two_power k : (0 <= k)%Z -> IZR (2 ^ k) = bpow radix2 k.
Proof. exact (IZR_Zpower radix2 k). Qed.

Lemma underflow_bpow : underflow = / 2 * bpow radix2 (- 1074).
Proof.
  unfold underflow. change (-1074)%Z with (- Z.of_nat 1074)%Z. rewrite power_inverse.
  change 1075%nat with (1 + 1074)%nat. rewrite pow_add, Rinv_mult, pow_1. reflexivity.
Qed.

Lemma underflow_pos : 0 < underflow.
Proof. rewrite underflow_bpow. pose proof (bpow_gt_0 radix2 (-1074)). lra. Qed.

Lemma format_valid : Valid_exp format.
Proof. apply FLT_exp_valid. reflexivity. Qed.

Lemma fl_float x : float (fl x).
Proof. apply generic_format_round; [exact format_valid|apply valid_rnd_N]. Qed.

Lemma fl_exact x : float x -> fl x = x.
Proof. intros H. apply round_generic; [apply valid_rnd_N|exact H]. Qed.

Lemma fl_monotone x y : x <= y -> fl x <= fl y.
Proof. apply round_le; [exact format_valid|apply valid_rnd_N]. Qed.

Lemma fl_opposite x : fl (- x) = - fl x.
Proof. apply round_NE_opp. Qed.

Lemma float_opposite x : float x -> float (- x).
Proof. apply generic_format_opp. Qed.

Lemma float_0 : float 0.
Proof. apply generic_format_0. Qed.

(** A product, a quotient: no further than roundoff |x|, and what underflow takes. *)
Lemma fl_near x : Rabs (fl x - x) <= roundoff * Rabs x + underflow.
Proof.
  destruct (error_N_FLT radix2 (-1074) 53 eq_refl (fun n => negb (Z.even n)) x)
    as (e & h & He & Hh & _ & H).
  change (fl x) with (round radix2 (FLT_exp (-1074) 53) (Znearest (fun n => negb (Z.even n))) x).
  rewrite H, roundoff_bpow, underflow_bpow.
  replace (x * (1 + e) + h - x) with (e * x + h) by ring.
  eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_mult.
  apply Rplus_le_compat; [apply Rmult_le_compat_r; [apply Rabs_pos|]|]; assumption.
Qed.

(** A sum: underflow takes nothing. *)
Lemma fl_sum_near x y : float x -> float y ->
  Rabs (fl (x + y) - (x + y)) <= roundoff * Rabs (x + y).
Proof.
  intros Hx Hy.
  destruct (@FLT_plus_error_N_ex radix2 (-1074) 53 eq_refl (fun n => negb (Z.even n)) x y Hx Hy)
    as (e & He & H).
  change (fl (x + y))
    with (round radix2 (FLT_exp (-1074) 53) (Znearest (fun n => negb (Z.even n))) (x + y)).
  rewrite H.
  replace ((x + y) * (1 + e) - (x + y)) with (e * (x + y)) by ring.
  rewrite Rabs_mult. apply Rmult_le_compat_r; [apply Rabs_pos|].
  eapply Rle_trans; [exact He|].
  change (u_ro radix2 53) with (/ 2 * bpow radix2 (- 53 + 1)). rewrite <- roundoff_bpow.
  pose proof roundoff_small. apply (Rmult_le_reg_r (1 + roundoff)); [lra|].
  unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. nra.
Qed.

Lemma fl_sum_bound x y : float x -> float y -> Rabs (fl (x + y)) <= (1 + roundoff) * Rabs (x + y).
Proof.
  intros Hx Hy. pose proof (fl_sum_near x y Hx Hy) as H.
  replace (fl (x + y)) with ((fl (x + y) - (x + y)) + (x + y)) by ring.
  eapply Rle_trans; [apply Rabs_triang|]. lra.
Qed.

Lemma contracted_near x y : contracted x y -> Rabs (y - x) <= roundoff * Rabs x + underflow.
Proof.
  intros [->| ->]; [apply fl_near|]. replace (x - x) with 0 by ring. rewrite Rabs_R0.
  pose proof roundoff_small. pose proof underflow_pos. pose proof (Rabs_pos x). nra.
Qed.

(** ** Multiples of 2^c *)

Lemma multiple_0 c : multiple c 0.
Proof. exists 0%Z. ring. Qed.

Lemma multiple_plus c x y : multiple c x -> multiple c y -> multiple c (x + y).
Proof. intros (m & ->) (n & ->). exists (m + n)%Z. rewrite plus_IZR. ring. Qed.

Lemma multiple_opp c x : multiple c x -> multiple c (- x).
Proof. intros (m & ->). exists (- m)%Z. rewrite opp_IZR. ring. Qed.

Lemma multiple_minus c x y : multiple c x -> multiple c y -> multiple c (x - y).
Proof. intros Hx Hy. apply multiple_plus; [exact Hx|now apply multiple_opp]. Qed.

Lemma multiple_times a b x y : multiple a x -> multiple b y -> multiple (a + b) (x * y).
Proof. intros (m & ->) (n & ->). exists (m * n)%Z. rewrite mult_IZR, bpow_plus. ring. Qed.

Lemma multiple_coarser a b x : (a <= b)%Z -> multiple b x -> multiple a x.
Proof.
  intros H (m & ->). exists (m * 2 ^ (b - a))%Z.
  rewrite mult_IZR, two_power by lia. rewrite Rmult_assoc, <- bpow_plus. do 2 f_equal. lia.
Qed.

(** A multiple of 2^c of at most 53 bits is a number. *)
Lemma multiple_float c x : (-1074 <= c)%Z -> multiple c x -> Rabs x <= bpow radix2 (53 + c) ->
  float x.
Proof.
  intros Hc (m & ->) Hx.
  destruct (Req_dec (Rabs (IZR m * bpow radix2 c)) (bpow radix2 (53 + c))) as [E|E].
  - assert (H : float (Rabs (IZR m * bpow radix2 c)))
      by (rewrite E; apply generic_format_bpow; unfold format, FLT_exp; lia).
    apply generic_format_abs_inv in H. exact H.
  - apply generic_format_FLT. exists (Float radix2 m c); [reflexivity| |exact Hc].
    simpl Fnum. apply lt_IZR. rewrite abs_IZR, two_power by lia.
    apply (Rmult_lt_reg_r (bpow radix2 c)); [apply bpow_gt_0|].
    rewrite <- bpow_plus, <- (Rabs_pos_eq (bpow radix2 c)) at 1 by apply bpow_ge_0.
    rewrite <- Rabs_mult. lra.
Qed.

(** Every number is a multiple of the last place of one that is no larger. *)
Lemma float_multiple x c : float x -> x = 0 \/ bpow radix2 (53 + c - 1) <= Rabs x \/ (c <= -1074)%Z ->
  multiple c x.
Proof.
  intros Hx H. destruct (Req_dec x 0) as [->|Hx0]; [apply multiple_0|].
  assert (He : (c <= cexp radix2 format x)%Z).
  { unfold cexp, format, FLT_exp. destruct H as [H|[H|H]]; [contradiction| |lia].
    pose proof (mag_ge_bpow radix2 x (53 + c) H). lia. }
  apply (multiple_coarser _ _ _ He).
  exists (Ztrunc (scaled_mantissa radix2 format x)). exact Hx.
Qed.
