(** T5 `collision`: how soon random instances collide.  If k states are independent and uniform
    among D, they all differ with probability at most exp(-k(k-1)/(2D)). *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Tuples SoftmaxConcentration DecodeThreshold.
Import ListNotations.
Open Scope R_scope.

(** The states in the list all differ. *)
Fixpoint distinct (t : list nat) : bool :=
  match t with [] => true | j :: t' => negb (existsb (Nat.eqb j) t') && distinct t' end.

(** Of the D states, D - k are none of k different ones. *)
Lemma states_left D t : distinct t = true -> (forall j, In j t -> In j (seq 0 D)) ->
  lsum (fun j => if existsb (Nat.eqb j) t then 0 else 1) (seq 0 D) = INR D - INR (length t).
Proof.
  induction t as [|i t IH]; intros Hd Hin.
  - simpl. rewrite lsum_const, seq_length. ring.
  - simpl in Hd. apply andb_true_iff in Hd as [Hi Hd].
    assert (Hi' : existsb (Nat.eqb i) t = false) by now apply negb_true_iff.
    specialize (IH Hd (fun j Hj => Hin j (or_intror Hj))).
    rewrite (lsum_ext _ (fun j => (if existsb (Nat.eqb j) t then 0 else 1)
                                  + -1 * (if j =? i then 1 else 0))).
    + rewrite lsum_plus, lsum_scal, IH, lsum_indicator;
        [|apply seq_NoDup|apply Hin; now left].
      simpl length. rewrite S_INR. ring.
    + intros j _. simpl existsb. destruct (Nat.eqb_spec j i) as [->|]; simpl.
      * rewrite Hi'. ring.
      * destruct (existsb _ t); ring.
Qed.

(** D (D-1) ... (D-k+1) of the D^k lists of k states have no two the same. *)
Lemma distinct_lists D k :
  number distinct (tuples (repeat (seq 0 D) (S k)))
    = (INR D - INR k) * number distinct (tuples (repeat (seq 0 D) k)).
Proof.
  rewrite !number_lsum. change (repeat (seq 0 D) (S k)) with (seq 0 D :: repeat (seq 0 D) k).
  rewrite lsum_tuples_cons, lsum_swap, <- lsum_scal. apply lsum_ext. intros t Ht.
  apply in_tuples_repeat in Ht as [Hl Hin]. simpl distinct. destruct (distinct t) eqn:Hd.
  - rewrite <- Hl, Rmult_1_r, <- (states_left D t Hd Hin). apply lsum_ext. intros j _.
    destruct (existsb _ t); reflexivity.
  - rewrite (lsum_ext _ (fun _ => 0)); [rewrite lsum_const; ring|].
    intros j _. now rewrite andb_false_r.
Qed.

(** So of all lists of k states at most the part exp(-k(k-1)/(2D)) is free of collisions: about
    sqrt(2 D ln 2) random instances collide as likely as not. *)
Theorem collision_random D k : (1 <= D)%nat ->
  number distinct (tuples (repeat (seq 0 D) k)) / INR D ^ k
    <= exp (- (INR k * (INR k - 1) / (2 * INR D))).
Proof.
  intros HD. assert (HDr : 0 < INR D) by (apply lt_0_INR; lia).
  induction k as [|k IH].
  - unfold number. simpl. replace (- (0 * (0 - 1) / (2 * INR D))) with 0 by (field; lra).
    rewrite exp_0. lra.
  - rewrite distinct_lists. set (c := number distinct (tuples (repeat (seq 0 D) k))) in *.
    assert (Hc : 0 <= c) by apply number_nonneg.
    assert (Hp : 0 < INR D ^ k) by (apply pow_lt; exact HDr).
    simpl pow. replace ((INR D - INR k) * c / (INR D * INR D ^ k))
      with ((1 - INR k / INR D) * (c / INR D ^ k)) by (field; lra).
    rewrite S_INR.
    replace (- ((INR k + 1) * (INR k + 1 - 1) / (2 * INR D)))
      with (- (INR k / INR D) + - (INR k * (INR k - 1) / (2 * INR D))) by (field; lra).
    rewrite exp_plus.
    assert (H0 : 0 <= c / INR D ^ k)
      by (apply Rmult_le_pos; [exact Hc|left; now apply Rinv_0_lt_compat]).
    apply Rle_trans with (exp (- (INR k / INR D)) * (c / INR D ^ k)).
    + apply Rmult_le_compat_r; [exact H0|].
      pose proof (exp_ineq1_le (- (INR k / INR D))). lra.
    + apply Rmult_le_compat_l; [left; apply exp_pos|exact IH].
Qed.
