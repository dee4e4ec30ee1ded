(** D4: what an answer, and a cache, must be right about. *)
From Coq Require Import Reals Lra Lia Arith List.
From KVFloor Require Import Sums Attention.
Open Scope R_scope.

(** The guarantee (η, α): the answer [o] is off by at most η |out| + α. *)
Definition accurate (eta alpha o out : R) : Prop := Rabs (o - out) <= eta * Rabs out + alpha.

Definition accurate_dec eta alpha o out : {accurate eta alpha o out} + {~ accurate eta alpha o out}
  := Rle_dec (Rabs (o - out)) (eta * Rabs out + alpha).

Lemma accurate_exact eta alpha out : 0 <= eta -> 0 <= alpha -> accurate eta alpha out out.
Proof.
  intros He Ha. unfold accurate. rewrite Rminus_eq_0, Rabs_R0.
  pose proof (Rmult_le_pos eta (Rabs out) He (Rabs_pos out)). lra.
Qed.

Lemma Rabs_le_inv x a : Rabs x <= a -> - a <= x <= a.
Proof. unfold Rabs. destruct (Rcase_abs x); lra. Qed.

(** The value that stands for a bit. *)
Definition bitval (b : bool) : R := if b then 1 else 0.

Lemma bitval_range b : 0 <= bitval b <= 1.
Proof. destruct b; simpl; lra. Qed.

(** Values are 0 or 1. *)
Definition zero_one (V : matrix) : Prop := forall j c, V j c = 0 \/ V j c = 1.

Lemma zero_one_bitval (f : nat -> nat -> bool) : zero_one (fun j c => bitval (f j c)).
Proof. intros j c. unfold bitval. destruct (f j c); auto. Qed.

Lemma zero_one_ones : zero_one ones.
Proof. intros j c. now right. Qed.

(** A cache answers from its state (bits), a query and a column; nothing else is kept. *)
Definition reader := list bool -> (nat -> R) -> nat -> R.

(** Public coins: outcome r < T has probability [w r]. *)
Definition distribution (T : nat) (w : nat -> R) : Prop :=
  (forall r, (r < T)%nat -> 0 <= w r) /\ rsum T w = 1.

(** 1 if the answer is not accurate, 0 if it is: its mean over the coins is the failure
    probability. *)
Definition failure (eta alpha o out : R) : R := if accurate_dec eta alpha o out then 0 else 1.
