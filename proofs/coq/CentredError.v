(** E4 `centred-error`: computed weights are C p (1+ε), one C for all; as numerator and denominator
    share them, their errors act on the deviation of the values from the output. *)
From Coq Require Import Reals Lra Lia Arith.
From KVFloor Require Import Sums Attention Norms.
Open Scope R_scope.

(** Deviations from a mean add up to zero. *)
Lemma deviations_vanish N s v : (0 < N)%nat ->
  rsum N (fun t => weight N s t * (v t - output N s v)) = 0.
Proof.
  intros HN.
  rewrite (rsum_ext N _ (fun t => weight N s t * v t + - output N s v * weight N s t))
    by (intros; ring).
  rewrite rsum_plus, rsum_scal, weight_total by exact HN. unfold output. ring.
Qed.

Lemma product_within a b A B : Rabs a <= A -> Rabs b <= B -> Rabs (a * b) <= A * B.
Proof.
  intros HA HB. rewrite Rabs_mult.
  apply Rmult_le_compat; auto using Rabs_pos.
Qed.

(** With roundings θ of the numerator's terms and φ of those of the sum that divides. *)
Theorem centred_error N s v epsilon theta phi E g h C L c :
  (0 < N)%nat -> C <> 0 -> 0 < L ->
  (forall t, (t < N)%nat ->
     Rabs (epsilon t) <= E t /\ Rabs (theta t) <= g t /\ Rabs (phi t) <= h t) ->
  c = rsum N (fun t => C * weight N s t * (1 + epsilon t) * (1 + theta t) * v t)
      / rsum N (fun t => C * weight N s t * (1 + epsilon t) * (1 + phi t)) ->
  L <= rsum N (fun t => weight N s t * (1 + epsilon t) * (1 + phi t)) ->
  Rabs (c - output N s v)
    <= (rsum N (fun t => weight N s t * E t * Rabs (v t - output N s v))
        + rsum N (fun t => weight N s t * (1 + E t)
                           * (g t * Rabs (v t) + h t * Rabs (output N s v)))) / L.
Proof.
  intros HN HC HL H Hc HD.
  set (o := output N s v) in *. set (p := weight N s) in *.
  set (D := rsum N (fun t => p t * (1 + epsilon t) * (1 + phi t))) in *.
  set (A := rsum N (fun t => p t * E t * Rabs (v t - o))).
  set (B := rsum N (fun t => p t * (1 + E t) * (g t * Rabs (v t) + h t * Rabs o))).
  assert (Hp : forall t, 0 <= p t) by (intros t; apply weight_nonneg, HN).
  assert (HDpos : 0 < D) by lra.
  assert (Hnum : c - o
    = (rsum N (fun t => p t * epsilon t * (v t - o))
       + rsum N (fun t => p t * (1 + epsilon t) * (theta t * v t - phi t * o))) / D).
  { rewrite Hc.
    rewrite (rsum_ext N (fun t => C * p t * (1 + epsilon t) * (1 + theta t) * v t)
      (fun t => C * (p t * (1 + epsilon t) * (1 + theta t) * v t))) by (intros; ring).
    rewrite (rsum_ext N (fun t => C * p t * (1 + epsilon t) * (1 + phi t))
      (fun t => C * (p t * (1 + epsilon t) * (1 + phi t)))) by (intros; ring).
    rewrite !rsum_scal. fold D. rewrite <- rsum_plus.
    replace (C * rsum N (fun t => p t * (1 + epsilon t) * (1 + theta t) * v t) / (C * D) - o)
      with ((rsum N (fun t => p t * (1 + epsilon t) * (1 + theta t) * v t) - o * D) / D)
      by (field; lra).
    f_equal. unfold D. rewrite <- rsum_scal.
    assert (Z : rsum N (fun t => p t * (v t - o)) = 0) by (apply deviations_vanish, HN).
    apply (Rplus_eq_reg_r (- rsum N (fun t => p t * (v t - o)))). rewrite Z at 2.
    rewrite Ropp_0, Rplus_0_r. unfold Rminus at 1.
    replace (rsum N (fun t => p t * (1 + epsilon t) * (1 + theta t) * v t)
       + - rsum N (fun t => o * (p t * (1 + epsilon t) * (1 + phi t)))
       + - rsum N (fun t => p t * (v t - o)))
      with (rsum N (fun t => p t * (1 + epsilon t) * (1 + theta t) * v t)
       + -1 * rsum N (fun t => o * (p t * (1 + epsilon t) * (1 + phi t)))
       + -1 * rsum N (fun t => p t * (v t - o))) by ring.
    rewrite <- !rsum_scal, <- !rsum_plus. apply rsum_ext. intros. ring. }
  assert (HA : Rabs (rsum N (fun t => p t * epsilon t * (v t - o))) <= A).
  { eapply Rle_trans; [apply rsum_Rabs|]. apply rsum_le. intros t Ht.
    destruct (H t Ht) as (H1 & _). apply product_within; [|lra].
    rewrite Rabs_mult, (Rabs_right (p t)) by (apply Rle_ge, Hp).
    apply Rmult_le_compat_l; auto. }
  assert (HB : Rabs (rsum N (fun t => p t * (1 + epsilon t) * (theta t * v t - phi t * o))) <= B).
  { eapply Rle_trans; [apply rsum_Rabs|]. apply rsum_le. intros t Ht.
    destruct (H t Ht) as (H1 & H2 & H3). apply product_within.
    - rewrite Rabs_mult, (Rabs_right (p t)) by (apply Rle_ge, Hp).
      apply Rmult_le_compat_l; [apply Hp|]. eapply Rle_trans; [apply Rabs_triang|].
      rewrite Rabs_R1. lra.
    - unfold Rminus. eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_Ropp.
      apply Rplus_le_compat; apply product_within; lra. }
  rewrite Hnum. unfold Rdiv. rewrite Rabs_mult, (Rabs_right (/ D))
    by (apply Rle_ge, Rlt_le, Rinv_0_lt_compat, HDpos).
  apply Rmult_le_compat; [apply Rabs_pos|left; apply Rinv_0_lt_compat, HDpos| |].
  - eapply Rle_trans; [apply Rabs_triang|]. lra.
  - apply Rinv_le_contravar; lra.
Qed.

(** Before the sums round: what divides is 1 - Σ p E at least. *)
Theorem centred_error_weights N s v epsilon E C :
  (0 < N)%nat -> C <> 0 ->
  (forall t, (t < N)%nat -> Rabs (epsilon t) <= E t) ->
  rsum N (fun t => weight N s t * E t) < 1 ->
  Rabs (rsum N (fun t => C * weight N s t * (1 + epsilon t) * v t)
        / rsum N (fun t => C * weight N s t * (1 + epsilon t)) - output N s v)
    <= rsum N (fun t => weight N s t * E t * Rabs (v t - output N s v))
       / (1 - rsum N (fun t => weight N s t * E t)).
Proof.
  intros HN HC H Hsum.
  assert (Hp : forall t, 0 <= weight N s t) by (intros t; apply weight_nonneg, HN).
  assert (HL : 1 - rsum N (fun t => weight N s t * E t)
    <= rsum N (fun t => weight N s t * (1 + epsilon t) * (1 + 0))).
  { rewrite <- (weight_total N s HN) at 1. unfold Rminus.
    rewrite <- (Rmult_1_l (rsum N (fun t => _ * E t))).
    rewrite Ropp_mult_distr_l, <- rsum_scal, <- rsum_plus. apply rsum_le. intros t Ht.
    specialize (H t Ht). specialize (Hp t).
    assert (- E t <= epsilon t) by (unfold Rabs in H; destruct (Rcase_abs (epsilon t)); lra).
    nra. }
  pose proof (centred_error N s v epsilon (fun _ => 0) (fun _ => 0) E (fun _ => 0) (fun _ => 0) C
    (1 - rsum N (fun t => weight N s t * E t))
    (rsum N (fun t => C * weight N s t * (1 + epsilon t) * (1 + 0) * v t)
     / rsum N (fun t => C * weight N s t * (1 + epsilon t) * (1 + 0))) HN HC ltac:(lra)) as K.
  assert (Hall : forall t, (t < N)%nat ->
     Rabs (epsilon t) <= E t /\ Rabs 0 <= 0 /\ Rabs 0 <= 0)
    by (intros t Ht; rewrite Rabs_R0; repeat split; auto; lra).
  specialize (K Hall eq_refl HL).
  rewrite (rsum_ext N (fun t => C * weight N s t * (1 + epsilon t) * (1 + 0) * v t)
    (fun t => C * weight N s t * (1 + epsilon t) * v t)) in K by (intros; ring).
  rewrite (rsum_ext N (fun t => C * weight N s t * (1 + epsilon t) * (1 + 0))
    (fun t => C * weight N s t * (1 + epsilon t))) in K by (intros; ring).
  rewrite (rsum_ext N (fun t => weight N s t * (1 + E t)
       * (0 * Rabs (v t) + 0 * Rabs (output N s v))) (fun _ => 0)) in K by (intros; ring).
  rewrite rsum_const, Rmult_0_r, Rplus_0_r in K. exact K.
Qed.

(** That is no more than √(Σ p E²) times the standard deviation of the values. *)
Theorem centred_error_deviation N s v E :
  (0 < N)%nat ->
  rsum N (fun t => weight N s t * E t * Rabs (v t - output N s v))
    <= sqrt (rsum N (fun t => weight N s t * (E t * E t)))
       * sqrt (output N s (fun t => v t * v t) - output N s v * output N s v).
Proof.
  intros HN. set (o := output N s v).
  assert (Hp : forall t, 0 <= weight N s t) by (intros t; apply weight_nonneg, HN).
  pose proof (cauchy_schwarz N (fun t => sqrt (weight N s t) * E t)
    (fun t => sqrt (weight N s t) * Rabs (v t - o))) as K.
  assert (Hsq : forall t, sqrt (weight N s t) * sqrt (weight N s t) = weight N s t)
    by (intros t; apply sqrt_sqrt, Hp).
  rewrite (rsum_ext N (fun t => weight N s t * E t * Rabs (v t - o))
    (fun t => sqrt (weight N s t) * E t * (sqrt (weight N s t) * Rabs (v t - o)))).
  2: { intros t _. rewrite <- (Hsq t) at 1. ring. }
  eapply Rle_trans; [exact K|]. unfold norm2. apply Req_le. f_equal; f_equal.
  - apply rsum_ext. intros t _. rewrite <- (Hsq t) at 3. ring.
  - assert (Hdev : forall t, Rabs (v t - o) * Rabs (v t - o) = (v t - o) * (v t - o))
      by (intros t; rewrite <- Rabs_mult; apply Rabs_right, Rle_ge, Rle_0_sqr).
    rewrite (rsum_ext N _ (fun t => weight N s t * (v t * v t)
      + (- o * (weight N s t * v t) + - o * (weight N s t * (v t - o))))).
    2: { intros t _. transitivity (sqrt (weight N s t) * sqrt (weight N s t)
           * (Rabs (v t - o) * Rabs (v t - o))); [ring|]. rewrite Hsq, Hdev. ring. }
    rewrite !rsum_plus, !rsum_scal. pose proof (deviations_vanish N s v HN) as Z.
    fold o in Z. rewrite Z. fold (output N s v). fold (output N s (fun t => v t * v t)).
    fold o. ring.
Qed.
