(** * E4 `centred-error` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions.
From KVFloor Require CentredError.
Import ListNotations.
Open Scope R_scope.

(** Computed weights are C p (1+ε), the terms of the numerator are off by 1+θ, those of the sum
    that divides by 1+φ; that sum is at least C L. Then the quotient c is off by
    (Σ p E |v - out| + Σ p (1+E) (g |v| + h |out|)) / L at most. *)
Theorem centred_error (N : nat) (s v epsilon theta phi E g h : nat -> R) (C L c : R) :
  (0 < N)%nat -> C <> 0 -> 0 < L ->
  (forall t, (t < N)%nat ->
     Rabs (epsilon t) <= E t /\ Rabs (theta t) <= g t /\ Rabs (phi t) <= h t) ->
  c = rsum N (fun t => C * weight N s t * (1 + epsilon t) * (1 + theta t) * v t)
      / rsum N (fun t => C * weight N s t * (1 + epsilon t) * (1 + phi t)) ->
  L <= rsum N (fun t => weight N s t * (1 + epsilon t) * (1 + phi t)) ->
  Rabs (c - output N s v)
    <= (rsum N (fun t => weight N s t * E t * Rabs (v t - output N s v))
        + rsum N (fun t => weight N s t * (1 + E t)
                           * (g t * Rabs (v t) + h t * Rabs (output N s v)))) / L.
Proof. exact (CentredError.centred_error N s v epsilon theta phi E g h C L c). Qed.

(** Before the sums round it is off by Σ p E |v - out| / (1 - Σ p E) at most. *)
Theorem centred_error_weights (N : nat) (s v epsilon E : nat -> R) (C : R) :
  (0 < N)%nat -> C <> 0 ->
  (forall t, (t < N)%nat -> Rabs (epsilon t) <= E t) ->
  rsum N (fun t => weight N s t * E t) < 1 ->
  Rabs (rsum N (fun t => C * weight N s t * (1 + epsilon t) * v t)
        / rsum N (fun t => C * weight N s t * (1 + epsilon t)) - output N s v)
    <= rsum N (fun t => weight N s t * E t * Rabs (v t - output N s v))
       / (1 - rsum N (fun t => weight N s t * E t)).
Proof. exact (CentredError.centred_error_weights N s v epsilon E C). Qed.

(** The numerator of that is at most √(Σ p E²) times the standard deviation of the values. *)
Theorem centred_error_deviation (N : nat) (s v E : nat -> R) :
  (0 < N)%nat ->
  rsum N (fun t => weight N s t * E t * Rabs (v t - output N s v))
    <= sqrt (rsum N (fun t => weight N s t * (E t * E t)))
       * sqrt (output N s (fun t => v t * v t) - output N s v * output N s v).
Proof. exact (CentredError.centred_error_deviation N s v E). Qed.
