(** The fast path: what underflow takes, that powers of two change nothing where there is none, and
    that IEEE 754's operations are the rounding of these theorems where their results are finite. *)
From Coq Require Import Reals ZArith Lra Lia Arith.
From Flocq Require Import Core BinarySingleNaN.
From KVFloor Require Import Binary64 Nearest FastPathSums.
Open Scope R_scope.

(** ** What underflow takes *)

(** A bound for p products, nested k deep, and l roundings. *)
Definition lost_bound (B : R) (p k l : nat) : R :=
  INR p * (2 * B) ^ k * (1 + roundoff) ^ l * underflow.

Section Lost.
Variable B : R.
Hypothesis HB : 1 <= B.

Lemma lost_bound_larger p q j k l m : (p <= q)%nat -> (j <= k)%nat -> (l <= m)%nat ->
  lost_bound B p j l <= lost_bound B q k m.
Proof.
  intros Hp Hj Hl. pose proof underflow_pos. apply Rmult_le_compat_r; [lra|].
  apply Rmult_le_compat; [|apply pow_le; pose proof roundoff_small; lra| |now apply growth_monotone].
  - apply Rmult_le_pos; [apply pos_INR|apply pow_le; lra].
  - apply Rmult_le_compat; [apply pos_INR|apply pow_le; lra|now apply le_INR|].
    apply Rle_pow; [lra|exact Hj].
Qed.

Lemma lost_bound_plus p q k l : lost_bound B (p + q) k l = lost_bound B p k l + lost_bound B q k l.
Proof. unfold lost_bound. rewrite plus_INR. ring. Qed.

(** A sum of what two parts lose, rounded, and of one product more. *)
Lemma lost_bound_step p k l : (1 + roundoff) * lost_bound B p k l = lost_bound B p k (S l).
Proof. unfold lost_bound. simpl. ring. Qed.

Lemma lost_bound_product p k l :
  (1 + roundoff) * (2 * B * lost_bound B p k l) + underflow <= lost_bound B (S p) (S k) (S l).
Proof.
  pose proof underflow_pos. unfold lost_bound. rewrite S_INR. cbn [pow].
  assert (1 <= 2 * B * (2 * B) ^ k) by (apply (pow_R1_Rle (2 * B) (S k)); lra).
  pose proof (growth_pos (S l)) as Hg. cbn [pow] in Hg.
  assert (1 * 1 <= 2 * B * (2 * B) ^ k * ((1 + roundoff) * (1 + roundoff) ^ l))
    by (apply Rmult_le_compat; lra). nra.
Qed.

Lemma product_lost_bound k l x y lx ly :
  grown k x <= B -> grown l y <= B -> 0 <= lx <= 1 -> 0 <= ly ->
  product_lost k l x y lx ly <= 2 * B * (lx + ly).
Proof. intros Hx Hy [H0 H1] Hl. unfold product_lost. nra. Qed.

Lemma lost_within e : factors_within B e ->
  lost_bound B (product_count e) (depth e) (roundings e) <= 1 ->
  lost e <= lost_bound B (product_count e) (depth e) (roundings e).
Proof.
  pose proof roundoff_small as Hu. pose proof underflow_pos as Hn.
  assert (Part : forall p q j k l m, (p <= q)%nat -> (j <= k)%nat -> (l <= m)%nat ->
    lost_bound B q k m <= 1 -> lost_bound B p j l <= 1)
    by (intros; eapply Rle_trans; [apply lost_bound_larger|]; eassumption).
  induction e as [k a x|s IHs t IHt|s IHs t IHt|r IHr s IHs t IHt];
    cbn [factors_within product_count depth roundings lost]; intros F H1.
  - unfold lost_bound. simpl. lra.
  - specialize (IHs (proj1 F) ltac:(eapply Part; [..|exact H1]; lia)).
    specialize (IHt (proj2 F) ltac:(eapply Part; [..|exact H1]; lia)).
    rewrite <- lost_bound_step, lost_bound_plus. apply Rmult_le_compat_l; [lra|].
    apply Rplus_le_compat; (eapply Rle_trans; [eassumption|]); apply lost_bound_larger; lia.
  - destruct F as (Fs & Ft & Gs & Gt).
    specialize (IHs Fs ltac:(eapply Part; [..|exact H1]; lia)).
    specialize (IHt Ft ltac:(eapply Part; [..|exact H1]; lia)).
    eapply Rle_trans; [|apply lost_bound_product]. apply Rplus_le_compat_r, Rmult_le_compat_l; [lra|].
    eapply Rle_trans; [apply product_lost_bound; try assumption; try apply lost_pos|].
    + split; [apply lost_pos|]. eapply Rle_trans; [exact IHs|]. eapply Part; [..|exact H1]; lia.
    + apply Rmult_le_compat_l; [lra|]. rewrite lost_bound_plus.
      apply Rplus_le_compat; (eapply Rle_trans; [eassumption|]); apply lost_bound_larger; lia.
  - destruct F as (Fr & Fs & Ft & Gr & Gs).
    specialize (IHr Fr ltac:(eapply Part; [..|exact H1]; lia)).
    specialize (IHs Fs ltac:(eapply Part; [..|exact H1]; lia)).
    specialize (IHt Ft ltac:(eapply Part; [..|exact H1]; lia)).
    set (k := max (depth r) (depth s)). set (l := max (roundings r + roundings s) (roundings t)).
    apply Rle_trans with (lost_bound B (S (product_count r + product_count s)) (S k) (S l)
                          + lost_bound B (product_count t) (depth t) (S l)).
    + apply Rle_trans with ((1 + roundoff) * (2 * B * lost_bound B (product_count r + product_count s) k l)
        + underflow + (1 + roundoff) * lost_bound B (product_count t) (depth t) l).
      * rewrite Rmult_plus_distr_l.
        assert (P : product_lost (roundings r) (roundings s) (size r) (size s) (lost r) (lost s)
          <= 2 * B * lost_bound B (product_count r + product_count s) k l).
        { eapply Rle_trans; [apply product_lost_bound; try assumption; try apply lost_pos|].
          - split; [apply lost_pos|]. eapply Rle_trans; [exact IHr|]. eapply Part; [..|exact H1]; lia.
          - apply Rmult_le_compat_l; [lra|]. rewrite lost_bound_plus.
            apply Rplus_le_compat; (eapply Rle_trans; [eassumption|]); apply lost_bound_larger; lia. }
        assert (T : lost t <= lost_bound B (product_count t) (depth t) l)
          by (eapply Rle_trans; [exact IHt|]; apply lost_bound_larger; lia). nra.
      * rewrite lost_bound_step. apply Rplus_le_compat_r, lost_bound_product.
    + replace (S (product_count r + product_count s + product_count t))
        with (S (product_count r + product_count s) + product_count t)%nat by lia.
      rewrite lost_bound_plus. apply Rplus_le_compat; apply lost_bound_larger; lia.
Qed.
End Lost.

Theorem fast_path_lost B e : 1 <= B -> factors_within B e ->
  let bound := INR (product_count e) * (2 * B) ^ depth e * (1 + roundoff) ^ roundings e * underflow in
  bound <= 1 -> lost e <= bound.
Proof. intros HB F bound. exact (lost_within B HB e F). Qed.

(** ** Powers of two *)

(** Numbers that are not below the least normal one may be multiplied by a power of two before a
    rounding or after it. *)
Theorem fast_path_scaling x k : / 2 ^ 1022 <= Rabs x -> / 2 ^ 1022 <= bpow radix2 k * Rabs x ->
  fl (bpow radix2 k * x) = bpow radix2 k * fl x.
Proof.
  intros Hx Hkx. change 1022%nat with (Z.to_nat 1022) in *.
  assert (Hl : / 2 ^ 1022 = bpow radix2 (-1022)).
  { change (-1022)%Z with (- Z.of_nat 1022)%Z. now rewrite power_inverse. }
  change (Z.to_nat 1022) with 1022%nat in *. rewrite Hl in *.
  assert (Hx0 : x <> 0).
  { intros E. rewrite E, Rabs_R0 in Hx. pose proof (bpow_gt_0 radix2 (-1022)). lra. }
  pose proof (mag_ge_bpow radix2 x (-1021) Hx) as M1.
  assert (M2 : (-1021 <= mag radix2 (x * bpow radix2 k))%Z).
  { apply mag_ge_bpow. change (-1021 - 1)%Z with (-1022)%Z.
    rewrite Rabs_mult, (Rabs_pos_eq (bpow radix2 k)), Rmult_comm by apply bpow_ge_0. exact Hkx. }
  rewrite mag_mult_bpow in M2 by exact Hx0. rewrite (Rmult_comm (bpow radix2 k)).
  assert (Ec : cexp radix2 format (x * bpow radix2 k) = (cexp radix2 format x + k)%Z).
  { unfold cexp, format, FLT_exp. rewrite mag_mult_bpow by exact Hx0. lia. }
  unfold fl, round, F2R. cbn [Fnum Fexp]. rewrite Ec.
  assert (Em : scaled_mantissa radix2 format (x * bpow radix2 k) = scaled_mantissa radix2 format x).
  { unfold scaled_mantissa. rewrite Ec, Rmult_assoc, <- bpow_plus. f_equal. f_equal. lia. }
  rewrite Em, bpow_plus. ring.
Qed.

(** ** Finite results *)

Lemma finite_result (r : binary_float 53 1024) x s (A : Prop) :
  is_finite r = true ->
  (if Rlt_bool (Rabs (fl x)) (bpow radix2 1024)
   then B2R r = fl x /\ A else B2SF r = binary_overflow 53 1024 mode_NE s) ->
  B2R r = fl x.
Proof.
  intros Hf H. destruct (Rlt_bool _ _); [apply H|].
  rewrite <- is_finite_SF_B2SF, H in Hf. discriminate.
Qed.

(** Flocq's model of IEEE 754: what is not rounded to infinity is rounded as here. *)
Theorem fast_path_finite (P : Prec_gt_0 53) (E : Prec_lt_emax 53 1024)
    (x y z : binary_float 53 1024) :
  is_finite x = true -> is_finite y = true -> is_finite z = true ->
  float (B2R x)
  /\ (is_finite (Bplus mode_NE x y) = true ->
      B2R (Bplus mode_NE x y) = fl (B2R x + B2R y))
  /\ (is_finite (Bmult mode_NE x y) = true ->
      B2R (Bmult mode_NE x y) = fl (B2R x * B2R y))
  /\ (is_finite (Bfma mode_NE x y z) = true ->
      B2R (Bfma mode_NE x y z) = fl (B2R x * B2R y + B2R z))
  /\ (B2R y <> 0 -> is_finite (Bdiv mode_NE x y) = true ->
      B2R (Bdiv mode_NE x y) = fl (B2R x / B2R y)).
Proof.
  intros Hx Hy Hz.
  split; [exact (generic_format_B2R 53 1024 x)|split; [|split; [|split]]].
  - intros H. pose proof (@Bplus_correct 53 1024 P E mode_NE x y Hx Hy) as H1.
    change (round _ _ _ ?v) with (fl v) in H1. apply (finite_result _ _ (Bsign x) True H).
    destruct (Rlt_bool _ _); [split; [apply H1|exact I]|apply H1].
  - intros H. exact (finite_result _ _ _ _ H (@Bmult_correct 53 1024 P E mode_NE x y)).
  - intros H.
    exact (finite_result _ _ _ _ H (@Bfma_correct 53 1024 P E mode_NE x y z Hx Hy Hz)).
  - intros H0 H. exact (finite_result _ _ _ _ H (@Bdiv_correct 53 1024 P E mode_NE x y H0)).
Qed.
