(** Two tied tuples: how the output depends on the difference of their logits. *)
From Coq Require Import Reals Lra Lia Arith.
From KVFloor Require Import Sums Attention Guarantee Bits Levels.
Open Scope R_scope.

(** The share of the first of two tied tuples whose logit is delta below that of the second. *)
Definition logistic (delta : R) : R := 1 / (1 + exp delta).

Lemma logistic_unit delta : unit_value (logistic delta).
Proof.
  pose proof (exp_pos delta). unfold unit_value, logistic, Rdiv. rewrite Rmult_1_l. split.
  - left. apply Rinv_0_lt_compat. lra.
  - rewrite <- Rinv_1. apply Rinv_le_contravar; lra.
Qed.

Lemma logistic_decreasing a b : a < b -> logistic b < logistic a.
Proof.
  intros H. apply exp_increasing in H. pose proof (exp_pos a). unfold logistic, Rdiv.
  rewrite !Rmult_1_l. apply Rinv_lt_contravar; nra.
Qed.

(** Sum over all tuples but p and p'. *)
Definition others (N p p' : nat) (f : nat -> R) : R :=
  rsum N (fun t => if t =? p then 0 else if t =? p' then 0 else f t).

Lemma rsum_two N p p' f :
  (p < N)%nat -> (p' < N)%nat -> p <> p' -> rsum N f = f p + f p' + others N p p' f.
Proof.
  intros Hp Hp' Hne. rewrite (rsum_split N p f Hp).
  rewrite (rsum_split N p' (fun j => if Nat.eqb j p then 0 else f j) Hp').
  destruct (Nat.eqb_spec p' p); [congruence|]. unfold others.
  rewrite (rsum_ext N (fun j => if j =? p' then 0 else if j =? p then 0 else f j)
    (fun t => if t =? p then 0 else if t =? p' then 0 else f t)); [ring|].
  intros t _. now destruct (t =? p), (t =? p').
Qed.

Lemma others_const N p p' c :
  (p < N)%nat -> (p' < N)%nat -> p <> p' -> others N p p' (fun _ => c) = INR (N - 2) * c.
Proof.
  intros Hp Hp' Hne. pose proof (rsum_two N p p' (fun _ => c) Hp Hp' Hne) as H.
  rewrite rsum_const in H.
  assert (HN : INR N = INR (N - 2) + 2) by (change 2 with (INR 2); rewrite <- plus_INR; f_equal; lia).
  rewrite HN in H. lra.
Qed.

Lemma others_le N p p' f f' :
  (forall t, (t < N)%nat -> t <> p -> t <> p' -> f t <= f' t) ->
  others N p p' f <= others N p p' f'.
Proof.
  intros H. apply rsum_le. intros t Ht.
  destruct (Nat.eqb_spec t p); [lra|]. destruct (Nat.eqb_spec t p'); [lra|]. auto.
Qed.

(** A share lev of W, beside a rest of at most E times W whose share is unknown. *)
Lemma share_near_level lev W E R R' :
  0 <= lev <= 1 -> 0 < W -> 0 <= E -> 0 <= R' <= R -> R <= E * W ->
  lev / (1 + E) <= (lev * W + R') / (W + R) <= (lev + E) / (1 + E).
Proof.
  intros Hl HW HE HR HRW. split.
  - apply (Rmult_le_reg_r (1 + E)); [lra|].
    replace (lev / (1 + E) * (1 + E)) with lev by (field; lra).
    apply (Rmult_le_reg_r (W + R)); [lra|].
    replace ((lev * W + R') / (W + R) * (1 + E) * (W + R)) with ((lev * W + R') * (1 + E))
      by (field; lra).
    assert (lev * R <= lev * (E * W)) by (apply Rmult_le_compat_l; lra). nra.
  - apply (Rmult_le_reg_r (1 + E)); [lra|].
    replace ((lev + E) / (1 + E) * (1 + E)) with (lev + E) by (field; lra).
    apply (Rmult_le_reg_r (W + R)); [lra|].
    replace ((lev * W + R') / (W + R) * (1 + E) * (W + R)) with ((lev * W + R') * (1 + E))
      by (field; lra).
    assert (R' * (1 + E) <= R * (1 + E)) by (apply Rmult_le_compat_r; lra).
    assert (0 <= (1 - lev) * (E * W - R)) by (apply Rmult_le_pos; lra). nra.
Qed.

(** Tuples p of value 1 and p' of value 0 are tied but for delta; what leaks to the others, g
    below p', moves the output no further from the logistic level than E allows. *)
Lemma tied_output N s v p p' delta g :
  (p < N)%nat -> (p' < N)%nat -> p <> p' -> s p = s p' - delta ->
  (forall t, (t < N)%nat -> t <> p -> t <> p' -> s p' >= s t + g) ->
  v p = 1 -> v p' = 0 -> (forall t, (t < N)%nat -> unit_value (v t)) ->
  let E := excess (N - 2) g in
  logistic delta / (1 + E) <= output N s v <= (logistic delta + E) / (1 + E).
Proof.
  intros Hp Hp' Hne Hs Hg Hv1 Hv0 Hv E.
  pose proof (exp_pos (s p)) as P1. pose proof (exp_pos (s p')) as P0.
  set (W := exp (s p) + exp (s p')).
  set (R := others N p p' (fun t => exp (s t))).
  set (R' := others N p p' (fun t => exp (s t) * v t)).
  assert (Hout : output N s v = (logistic delta * W + R') / (W + R)).
  { assert (Hl : logistic delta * W = exp (s p)).
    { unfold logistic, W. rewrite Hs. unfold Rminus. rewrite exp_plus, exp_Ropp.
      pose proof (exp_pos delta). field. lra. }
    rewrite Hl. unfold output, weight.
    rewrite (rsum_ext N (fun j => exp (s j) / rsum N (fun l => exp (s l)) * v j)
      (fun j => exp (s j) * v j * / rsum N (fun l => exp (s l)))) by (intros; unfold Rdiv; ring).
    rewrite rsum_scal_r, (rsum_two N p p' (fun j => exp (s j) * v j)) by assumption.
    rewrite (rsum_two N p p' (fun l => exp (s l))) by assumption.
    rewrite Hv1, Hv0. fold R R' W. unfold Rdiv. f_equal. ring. }
  rewrite Hout. apply share_near_level.
  - apply logistic_unit.
  - unfold W. lra.
  - apply excess_nonneg.
  - split.
    + unfold R', others. apply rsum_nonneg. intros t Ht.
      destruct (t =? p); [lra|]. destruct (t =? p'); [lra|].
      apply Rmult_le_pos; [left; apply exp_pos|now apply Hv].
    + apply others_le. intros t Ht _ _. rewrite <- (Rmult_1_r (exp (s t))) at 2.
      apply Rmult_le_compat_l; [left; apply exp_pos|now apply Hv].
  - apply Rle_trans with (others N p p' (fun _ => exp (s p') * exp (- g))).
    + apply others_le. intros t Ht Ht1 Ht2. rewrite <- exp_plus. specialize (Hg t Ht Ht1 Ht2).
      destruct (Req_dec (s t) (s p' + - g)) as [->|]; [lra|]. left. apply exp_increasing. lra.
    + rewrite others_const by assumption. unfold E, excess, W.
      pose proof (pos_INR (N - 2)). pose proof (exp_pos (- g)).
      assert (0 <= INR (N - 2) * exp (- g) * exp (s p)) by (repeat apply Rmult_le_pos; lra). lra.
Qed.
