(** States of varying length: those of up to b bits are told by b + 1 bits. *)
From Coq Require Import Lia Arith List Bool.
Import ListNotations.

(** A string of up to b bits as one of b + 1 bits: a one and zeros follow it. *)
Definition pad (b : nat) (s : list bool) : list bool := s ++ true :: repeat false (b - length s).

Fixpoint drop_zeros (s : list bool) : list bool :=
  match s with [] => [] | true :: s' => s' | false :: s' => drop_zeros s' end.
Definition unpad (s : list bool) : list bool := rev (drop_zeros (rev s)).

Lemma unpad_pad b s : unpad (pad b s) = s.
Proof.
  unfold unpad, pad. rewrite rev_app_distr. simpl. rewrite <- app_assoc. simpl.
  replace (rev (repeat false (b - length s))) with (repeat false (b - length s)).
  - induction (b - length s) as [|k IH]; [apply rev_involutive|exact IH].
  - symmetry. induction (b - length s) as [|k IH]; [reflexivity|].
    simpl. rewrite IH. symmetry. apply (repeat_cons k false).
Qed.

Lemma pad_length b s : length s <= b -> length (pad b s) = b + 1.
Proof. intros Hs. unfold pad. rewrite app_length. simpl. rewrite repeat_length. lia. Qed.
