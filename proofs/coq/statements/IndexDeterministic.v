(** * L3 `index-deterministic` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions.
From KVFloor Require IndexDeterministic.
Import ListNotations.
Open Scope R_scope.

(** Fewer than N bits confuse two of the N-bit strings. *)
Theorem index_deterministic_collision (N b : nat) (c : list bool -> list bool) :
  (b < N)%nat -> (forall x, length x = N -> (length (c x) <= b)%nat) ->
  exists x x', length x = N /\ length x' = N /\ x <> x' /\ c x = c x'.
Proof. exact (IndexDeterministic.index_deterministic_collision N b c). Qed.

(** Messages of at most b bits from which every bit of every N-bit string can be read have
    b >= N. *)
Theorem index_deterministic (N b : nat)
    (enc : list bool -> list bool) (dec : list bool -> nat -> bool) :
  (forall x, length x = N -> (length (enc x) <= b)%nat) ->
  (forall x i, length x = N -> (i < N)%nat -> dec (enc x) i = nth i x false) ->
  (N <= b)%nat.
Proof. exact (IndexDeterministic.index_deterministic N b enc dec). Qed.

(** N bits are enough. *)
Theorem index_deterministic_met (N : nat) :
  exists (enc : list bool -> list bool) (dec : list bool -> nat -> bool),
    (forall x, length x = N -> (length (enc x) <= N)%nat) /\
    (forall x i, length x = N -> (i < N)%nat -> dec (enc x) i = nth i x false).
Proof. exact (IndexDeterministic.index_deterministic_met N). Qed.
