(** Values of d_v columns that hold symbols, and those of [given_keys], whose columns have no end:
    the same caches serve both. *)
From Coq Require Import Reals Lra Lia ZArith QArith Qreals List Bool.
From KVFloor Require Import Sums Tuples GivenValues.
From KVFloor Require Import Definitions Certificates Floors.
Import ListNotations.
Open Scope R_scope.

Section Held.
Variables (x : trace) (lev : nat -> nat -> R) (d_v : Z).

Let k : nat := length (tokens x).
Let token (j : nat) : nat := nth j (tokens x) 0%nat.
Let L (j : nat) : nat := Z.to_nat (nth j (levels x) 0%Z).
Let given := given_values k token L lev.

(** The columns after the first d_v are zeros, or are like the first. *)
Definition cut (V : matrix) : matrix := fun i c => if (Z.of_nat c <? d_v)%Z then V i c else 0.
Definition repeated (V : matrix) : matrix :=
  fun i c => V i (if (Z.of_nat c <? d_v)%Z then c else 0%nat).

Lemma cut_holds V : given V -> holds_symbols x lev d_v (cut V).
Proof.
  intros [H1 H2]. unfold cut. split.
  - intros j c Hj Hc. destruct (H1 j c Hj) as (a & Ha & E). exists a.
    apply Z.ltb_lt in Hc. rewrite Hc. unfold L in Ha. split; [lia|exact E].
  - intros i c H. destruct (Z.ltb_spec (Z.of_nat c) d_v) as [Hc|_]; [|reflexivity].
    destruct H as [H|H]; [|lia]. apply H2. intros j Hj ->. now apply H, nth_In.
Qed.

Lemma repeated_given V : (0 < d_v)%Z -> holds_symbols x lev d_v V -> given (repeated V).
Proof.
  intros P [H1 H2]. unfold repeated. split.
  - intros j c Hj.
    destruct (H1 j (if (Z.of_nat c <? d_v)%Z then c else 0%nat) Hj) as (a & Ha & E).
    { destruct (Z.ltb_spec (Z.of_nat c) d_v); [assumption|exact P]. }
    exists a. unfold L. split; [lia|exact E].
  - intros i c H. apply H2. left. intros I. destruct (In_nth _ _ 0%nat I) as (j & Hj & E).
    now apply (H j).
Qed.

(** A cache that is right for all values in [0, 1] is right for these. *)
Lemma held_unit V : unit_levels x lev -> holds_symbols x lev d_v V -> forall i c, 0 <= V i c <= 1.
Proof.
  intros U [H1 H2] i c.
  destruct (in_dec Nat.eq_dec i (tokens x)) as [I|I]; [|rewrite H2; auto; lra].
  destruct (Z.ltb_spec (Z.of_nat c) d_v) as [Hc|Hc]; [|rewrite H2; auto; lra].
  destruct (In_nth _ _ 0%nat I) as (j & Hj & <-). destruct (H1 j c Hj Hc) as (a & Ha & ->). auto.
Qed.

(** An answer is of one column. *)
Lemma right_answer_column V V' j c : (forall i, V i c = V' i c) ->
  right_answer x V j c = right_answer x V' j c.
Proof.
  intros H. unfold right_answer, tensor, tuple_output. apply lsum_ext. intros t _. f_equal.
  unfold with_slot. generalize (seq 0 (length (trace_keys x))) as l. intros l. revert t.
  induction l as [|s l IH]; intros [|i t]; try reflexivity. cbn [map row_product].
  rewrite IH. destruct (s =? slot x)%nat; [now rewrite H|reflexivity].
Qed.

Lemma right_answer_cut V j c : (Z.of_nat c < d_v)%Z ->
  right_answer x (cut V) j c = right_answer x V j c.
Proof.
  intros Hc. apply right_answer_column. intros i. unfold cut. apply Z.ltb_lt in Hc. now rewrite Hc.
Qed.

Lemma right_answer_repeated V j c : (Z.of_nat c < d_v)%Z ->
  right_answer x (repeated V) j c = right_answer x V j c.
Proof.
  intros Hc. apply right_answer_column. intros i. unfold repeated.
  apply Z.ltb_lt in Hc. now rewrite Hc.
Qed.
End Held.
