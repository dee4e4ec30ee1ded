(** L1 `softmax-concentration`: a margin of g leaves at most λ to all other tuples. *)
From Coq Require Import Reals Lra Lia Arith.
From KVFloor Require Import Sums Attention.
Open Scope R_scope.

(** The denominator is at most exp(s i) (1 + E). *)
Lemma expsum_bound n s i g :
  (i < n)%nat -> margin n s i g ->
  rsum n (fun l => exp (s l)) <= exp (s i) * (1 + excess (n - 1) g).
Proof.
  intros Hi Hg. rewrite (rsum_split n i) by exact Hi.
  assert (H : rsum n (fun j => if Nat.eqb j i then 0 else exp (s j))
          <= rsum n (fun j => if Nat.eqb j i then 0 else exp (s i) * exp (- g))).
  { apply rsum_le. intros j Hj. destruct (Nat.eqb_spec j i) as [|Hne]; [lra|].
    rewrite <- exp_plus. specialize (Hg j Hj Hne).
    destruct (Req_dec (s j) (s i + - g)) as [->|]; [lra|].
    left. apply exp_increasing. lra. }
  rewrite rsum_const_except in H by exact Hi. unfold excess.
  replace (exp (s i) * (1 + INR (n - 1) * exp (- g)))
    with (exp (s i) + INR (n - 1) * (exp (s i) * exp (- g))) by ring.
  lra.
Qed.

(** The top tuple weighs at least 1 - λ. *)
Theorem softmax_concentration n s i g :
  (i < n)%nat -> margin n s i g -> weight n s i >= 1 - leak (n - 1) g.
Proof.
  intros Hi Hg. pose proof (expsum_bound n s i g Hi Hg) as HB.
  pose proof (expsum_pos n s ltac:(lia)) as HZ.
  pose proof (excess_nonneg (n - 1) g) as HE. pose proof (exp_pos (s i)) as Hs.
  rewrite leak_complement. unfold weight.
  set (Z := rsum n _) in *. set (E := excess (n - 1) g) in *.
  apply Rle_ge. apply (Rmult_le_reg_r (1 + E)); [lra|].
  apply (Rmult_le_reg_r Z); [lra|].
  replace (1 / (1 + E) * (1 + E) * Z) with Z by (field; lra).
  replace (exp (s i) / Z * (1 + E) * Z) with (exp (s i) * (1 + E)) by (field; lra).
  exact HB.
Qed.

(** All other tuples together weigh at most λ. *)
Theorem softmax_concentration_rest n s i g :
  (i < n)%nat -> margin n s i g ->
  rsum n (fun j => if Nat.eqb j i then 0 else weight n s j) <= leak (n - 1) g.
Proof.
  intros Hi Hg. pose proof (softmax_concentration n s i g Hi Hg) as H1.
  pose proof (weight_total n s ltac:(lia)) as HT.
  rewrite (rsum_split n i) in HT by exact Hi. lra.
Qed.

(** A tuple of value 1 gives an output of at least 1 - λ, the other values being nonnegative. *)
Lemma softmax_concentration_one n s v i g :
  (i < n)%nat -> margin n s i g ->
  (forall j, (j < n)%nat -> 0 <= v j) -> v i = 1 ->
  output n s v >= 1 - leak (n - 1) g.
Proof.
  intros Hi Hg Hv Hvi. rewrite (output_split n s v i Hi), Hvi, Rmult_1_r.
  pose proof (softmax_concentration n s i g Hi Hg).
  assert (0 <= rsum n (fun j => if Nat.eqb j i then 0 else weight n s j * v j)); [|lra].
  apply rsum_nonneg. intros j Hj. destruct (Nat.eqb j i); [lra|].
  apply Rmult_le_pos; [apply weight_nonneg; lia|auto].
Qed.

(** A tuple of value 0 gives an output of at most λ, the other values being at most 1. *)
Lemma softmax_concentration_zero n s v i g :
  (i < n)%nat -> margin n s i g ->
  (forall j, (j < n)%nat -> v j <= 1) -> v i = 0 ->
  output n s v <= leak (n - 1) g.
Proof.
  intros Hi Hg Hv Hvi. rewrite (output_split n s v i Hi), Hvi, Rmult_0_r, Rplus_0_l.
  eapply Rle_trans; [|exact (softmax_concentration_rest n s i g Hi Hg)].
  apply rsum_le. intros j Hj. destruct (Nat.eqb j i); [lra|].
  rewrite <- (Rmult_1_r (weight n s j)) at 2.
  apply Rmult_le_compat_l; [apply weight_nonneg; lia|auto].
Qed.
