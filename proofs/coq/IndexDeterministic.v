(** L3 `index-deterministic`: a one-way protocol without error for INDEX sends N bits. *)
From Coq Require Import Arith Lia List Bool.
From KVFloor Require Import Bits.
Import ListNotations.

(** Fewer than N bits confuse two of the N-bit strings. *)
Theorem index_deterministic_collision (N b : nat) (c : list bool -> list bool) :
  b < N -> (forall x, length x = N -> length (c x) <= b) ->
  exists x x', length x = N /\ length x' = N /\ x <> x' /\ c x = c x'.
Proof.
  intros Hb Hc.
  destruct (pigeonhole (list_eq_dec bool_dec) c (bitstrings N) (bitstrings_upto b))
    as (x & y & Hx & Hy & Hxy & He).
  - apply NoDup_bitstrings.
  - intros x Hx. apply in_bitstrings_upto, Hc, in_bitstrings, Hx.
  - rewrite bitstrings_length. pose proof (bitstrings_upto_length b).
    assert (2 ^ (S b) <= 2 ^ N) by (apply Nat.pow_le_mono_r; lia). lia.
  - exists x, y. repeat split; auto; apply in_bitstrings; assumption.
Qed.

(** A message of at most b bits from which every bit of every N-bit string can be read
    has b >= N. *)
Theorem index_deterministic (N b : nat)
    (enc : list bool -> list bool) (dec : list bool -> nat -> bool) :
  (forall x, length x = N -> length (enc x) <= b) ->
  (forall x i, length x = N -> i < N -> dec (enc x) i = nth i x false) ->
  N <= b.
Proof.
  intros Hb Hdec. destruct (le_lt_dec N b) as [|Hlt]; [assumption|exfalso].
  destruct (index_deterministic_collision N b enc Hlt Hb) as (x & y & Hx & Hy & Hxy & He).
  destruct (differ_somewhere x y ltac:(congruence) Hxy) as (k & Hk & Hd).
  apply Hd. rewrite <- (Hdec x k), <- (Hdec y k) by (congruence || lia).
  now rewrite He.
Qed.

(** N bits are enough: send the string. *)
Theorem index_deterministic_met (N : nat) :
  exists (enc : list bool -> list bool) (dec : list bool -> nat -> bool),
    (forall x, length x = N -> length (enc x) <= N) /\
    (forall x i, length x = N -> i < N -> dec (enc x) i = nth i x false).
Proof.
  exists (fun x => x), (fun x i => nth i x false). split; [intros x ->; lia|reflexivity].
Qed.
