(** Caches of 0/1 values whose bits are told by accurate answers, whatever separates them. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Guarantee Bits Entropy Symbols SymbolsRandomized
  IndexDeterministic Serves.
Import ListNotations.
Open Scope R_scope.

Section Told.
Variables (n d_v : nat) (eta alpha : R) (out : outputs) (Q : nat -> nat -> R).

(** No answer is accurate for two matrices that differ where it is asked. *)
Definition bits_told : Prop := forall V V' i c o, zero_one V -> zero_one V' ->
  (i < n)%nat -> (c < d_v)%nat ->
  accurate eta alpha o (out (Q i) V c) -> accurate eta alpha o (out (Q i) V' c) -> V i c = V' i c.

(** Outputs depend on the first n rows only, column by column. *)
Definition of_rows : Prop := forall q V V' c, (c < d_v)%nat ->
  (forall j, (j < n)%nat -> V j c = V' j c) -> out q V c = out q V' c.

Hypothesis Htold : bits_told.

Lemma told_needs b : serves n d_v eta alpha out Q b -> (n * d_v <= b)%nat.
Proof.
  intros (state & answer & Hb & Hgood). destruct (le_lt_dec (n * d_v) b) as [|Hlt]; [assumption|].
  destruct (index_deterministic_collision (n * d_v) b (fun x => state (rows_from 0 d_v x)) Hlt)
    as (x & y & Hx & Hy & Hxy & He); [intros x _; apply Hb, zero_one_bitval|].
  destruct (differ_somewhere x y ltac:(congruence) Hxy) as (k & Hk & Hd). rewrite Hx in Hk.
  destruct (row_column n d_v k Hk) as [Hi Hc]. exfalso. apply Hd.
  assert (E : rows_from 0 d_v x (k / d_v)%nat (k mod d_v)%nat
            = rows_from 0 d_v y (k / d_v)%nat (k mod d_v)%nat).
  { apply (Htold _ _ _ _ (answer (state (rows_from 0 d_v x)) (Q (k / d_v)%nat) (k mod d_v)%nat));
      try apply zero_one_bitval; auto; [|rewrite He]; apply Hgood; auto; apply zero_one_bitval. }
  unfold rows_from in E. rewrite Nat.sub_0_r, !bit_at_divmod in E by lia.
  destruct (nth k x false), (nth k y false); simpl in E; congruence || lra.
Qed.

Lemma told_serves b : 0 <= eta -> 0 <= alpha -> of_rows ->
  serves n d_v eta alpha out Q b <-> (n * d_v <= b)%nat.
Proof.
  intros He Ha Hrows. split; [apply told_needs|]. apply (serves_met 0); [|assumption..].
  intros q V V' c Hc HV. apply Hrows; [exact Hc|]. intros j Hj. apply HV. lia.
Qed.
End Told.
