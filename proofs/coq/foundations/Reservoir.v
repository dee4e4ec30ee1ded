(** Weighted reservoir sampling: one slot that ends up with each item of a stream with a
    probability proportional to its weight. *)
From Coq Require Import Reals Lra Lia Arith List.
From KVFloor Require Import Sums Chance.
Import ListNotations.
Open Scope R_scope.

Section Items.
Variable A : Type.

(** After items of total weight mu, an item of weight w replaces what is in the slot with
    probability w / (mu + w). *)
Fixpoint reservoir_from (mu : R) (slot : chances (option A)) (stream : list (R * A))
  : chances (option A) :=
  match stream with
  | [] => slot
  | (w, x) :: rest =>
      reservoir_from (mu + w)
        (after slot (fun old => coin (w / (mu + w)) (Some x) old)) rest
  end.

Definition reservoir : list (R * A) -> chances (option A) := reservoir_from 0 (surely None).

Definition total_weight (stream : list (R * A)) : R := lsum fst stream.
Definition weights_nonneg (stream : list (R * A)) : Prop := forall i, In i stream -> 0 <= fst i.

Lemma replacement_chance mu w : 0 <= mu -> 0 <= w -> 0 <= w / (mu + w) <= 1.
Proof.
  intros Hm Hw. destruct (Req_dec (mu + w) 0) as [E|E].
  - replace w with 0 by lra. unfold Rdiv. rewrite Rmult_0_l. lra.
  - split; [apply Rmult_le_pos; [exact Hw|left; apply Rinv_0_lt_compat; lra]|].
    apply (Rmult_le_reg_r (mu + w)); [lra|].
    replace (w / (mu + w) * (mu + w)) with w by (field; exact E). lra.
Qed.

Lemma reservoir_from_proper mu slot stream :
  0 <= mu -> weights_nonneg stream -> proper slot -> proper (reservoir_from mu slot stream).
Proof.
  revert mu slot. induction stream as [|[w x] rest IH]; intros mu slot Hm Hw Hs; [exact Hs|].
  assert (Hx : 0 <= w) by exact (Hw (w, x) (or_introl eq_refl)).
  simpl. apply IH; [lra|intros i Hi; apply Hw; now right|].
  apply proper_after; [exact Hs|]. intros old. apply proper_coin.
  now apply replacement_chance.
Qed.

Lemma reservoir_proper stream : weights_nonneg stream -> proper (reservoir stream).
Proof. intros H. apply reservoir_from_proper; [lra|exact H|apply proper_surely]. Qed.

Lemma reservoir_from_expectation mu slot stream (f : option A -> R) :
  0 <= mu -> weights_nonneg stream ->
  (mu + total_weight stream) * expectation (reservoir_from mu slot stream) f
    = mu * expectation slot f
      + lsum (fun i => fst i * f (Some (snd i))) stream * expectation slot (fun _ => 1).
Proof.
  revert mu slot. induction stream as [|[w x] rest IH]; intros mu slot Hm Hw.
  - unfold total_weight. simpl. ring.
  - assert (Hx : 0 <= w) by exact (Hw (w, x) (or_introl eq_refl)).
    unfold total_weight in *. simpl. rewrite <- Rplus_assoc.
    rewrite IH by (lra || (intros i Hi; apply Hw; now right)).
    set (p := w / (mu + w)).
    rewrite (expectation_after slot _ (fun _ => 1)).
    rewrite (expectation_ext slot (fun a => expectation (coin p (Some x) a) (fun _ => 1))
      (fun _ => 1)) by (intros; rewrite expectation_coin; ring).
    rewrite expectation_after.
    rewrite (expectation_ext slot _ (fun old => p * f (Some x) * 1 + (1 - p) * f old))
      by (intros; rewrite expectation_coin; ring).
    rewrite expectation_plus, !expectation_scal.
    assert (Hp : (mu + w) * p = w /\ (mu + w) * (1 - p) = mu).
    { destruct (Req_dec (mu + w) 0) as [E|E].
      - assert (w = 0) by lra. assert (mu = 0) by lra. subst. split; ring.
      - unfold p. split; field; exact E. }
    destruct Hp as [Hp1 Hp2].
    replace ((mu + w) * (p * f (Some x) * expectation slot (fun _ => 1)
               + (1 - p) * expectation slot f))
      with ((mu + w) * p * (f (Some x) * expectation slot (fun _ => 1))
            + (mu + w) * (1 - p) * expectation slot f) by ring.
    rewrite Hp1, Hp2. ring.
Qed.

(** Each item is in the slot with a probability proportional to its weight. *)
Lemma reservoir_expectation stream (f : option A -> R) :
  weights_nonneg stream ->
  total_weight stream * expectation (reservoir stream) f
    = lsum (fun i => fst i * f (Some (snd i))) stream.
Proof.
  intros H. pose proof (reservoir_from_expectation 0 (surely None) stream f ltac:(lra) H) as HE.
  rewrite !expectation_surely in HE. fold (reservoir stream) in HE. lra.
Qed.

(** Almost surely an item of the stream is in the slot, if weights are positive. *)
Lemma reservoir_from_almost mu slot stream (P : option A -> Prop) :
  almost_surely slot P -> (forall i, In i stream -> P (Some (snd i))) ->
  almost_surely (reservoir_from mu slot stream) P.
Proof.
  revert mu slot. induction stream as [|[w x] rest IH]; intros mu slot Hs HP; [exact Hs|].
  simpl. apply IH; [|intros i Hi; apply HP; now right].
  apply (almost_after slot _ P); [exact Hs|]. intros old Hold o [<-|[<-|[]]]; right; [|exact Hold].
  exact (HP (w, x) (or_introl eq_refl)).
Qed.

Lemma reservoir_almost stream (P : option A -> Prop) :
  stream <> [] -> (forall i, In i stream -> 0 < fst i) ->
  (forall i, In i stream -> P (Some (snd i))) -> almost_surely (reservoir stream) P.
Proof.
  intros Hne Hw HP. destruct stream as [|[w x] rest]; [congruence|]. unfold reservoir. simpl.
  apply reservoir_from_almost; [|intros i Hi; apply HP; now right].
  assert (Hx : 0 < w) by exact (Hw (w, x) (or_introl eq_refl)).
  intros o Ho. simpl in Ho. destruct Ho as [<-|[<-|[]]]; simpl.
  - right. exact (HP (w, x) (or_introl eq_refl)).
  - left. field. lra.
Qed.
End Items.
