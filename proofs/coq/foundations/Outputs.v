(** Outputs as means: linear in the values, and over independent tuples of two queries. *)
From Coq Require Import Reals Lra Lia Arith.
From KVFloor Require Import Sums Attention.
Open Scope R_scope.

Lemma pair_place n n' t : (t < n * n')%nat -> (t / n' < n)%nat /\ (t mod n' < n')%nat.
Proof.
  intros H. assert (n' <> 0)%nat by lia.
  split; [apply Nat.div_lt_upper_bound|apply Nat.mod_upper_bound]; lia.
Qed.

(** The mean of f over independent tuples of two queries. *)
Lemma output_of_two n s n' s' (f : nat -> nat -> R) : (1 <= n)%nat -> (1 <= n')%nat ->
  output (n * n') (fun t => s (t / n')%nat + s' (t mod n')%nat)
    (fun t => f (t / n')%nat (t mod n')%nat)
  = output n s (fun i => output n' s' (f i)).
Proof.
  intros Hn Hn'. pose proof (expsum_pos n s ltac:(lia)) as HZ.
  pose proof (expsum_pos n' s' ltac:(lia)) as HZ'.
  assert (E : rsum (n * n') (fun t => exp (s (t / n')%nat + s' (t mod n')%nat))
              = rsum n (fun l => exp (s l)) * rsum n' (fun l => exp (s' l))).
  { rewrite <- (rsum_flatten n n' (fun i j => exp (s i + s' j))), <- rsum_scal_r.
    apply rsum_ext. intros i _. rewrite <- rsum_scal. apply rsum_ext. intros j _. apply exp_plus. }
  unfold output, weight. rewrite E. set (Z := rsum n _) in *. set (Z' := rsum n' _) in *.
  rewrite <- (rsum_flatten n n' (fun i j => exp (s i + s' j) / (Z * Z') * f i j)).
  apply rsum_ext. intros i _. rewrite <- rsum_scal. apply rsum_ext. intros j _.
  rewrite exp_plus. field. lra.
Qed.

Lemma output_const n s x : (1 <= n)%nat -> output n s (fun _ => x) = x.
Proof.
  intros Hn. unfold output. rewrite rsum_scal_r, weight_total by lia. ring.
Qed.

Lemma output_plus n s f g : output n s (fun j => f j + g j) = output n s f + output n s g.
Proof. unfold output. rewrite <- rsum_plus. apply rsum_ext. intros; ring. Qed.

Lemma output_scal n s x f : output n s (fun j => x * f j) = x * output n s f.
Proof. unfold output. rewrite <- rsum_scal. apply rsum_ext. intros; ring. Qed.

Lemma output_logits n s s' v : (forall j, (j < n)%nat -> s j = s' j) ->
  output n s v = output n s' v.
Proof.
  intros H. unfold output, weight.
  rewrite (rsum_ext n (fun l => exp (s l)) (fun l => exp (s' l))) by (intros; now rewrite H).
  apply rsum_ext. intros j Hj. now rewrite H.
Qed.

(** Some tuple has the largest logit. *)
Lemma largest_of n (s : nat -> R) : (1 <= n)%nat ->
  exists top, (top < n)%nat /\ forall j, (j < n)%nat -> s j <= s top.
Proof.
  induction 1 as [|n Hn (top & Htop & IH)].
  - exists 0%nat. split; [lia|]. intros j Hj. replace j with 0%nat by lia. lra.
  - destruct (Rle_dec (s n) (s top)) as [H|H].
    + exists top. split; [lia|]. intros j Hj. destruct (Nat.eq_dec j n) as [->|]; [exact H|].
      apply IH. lia.
    + exists n. split; [lia|]. intros j Hj. destruct (Nat.eq_dec j n) as [->|]; [lra|].
      specialize (IH j ltac:(lia)). lra.
Qed.
