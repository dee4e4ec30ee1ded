(** * E2 `correct-rounding-terminates` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions.
From KVFloor Require CorrectRoundingTerminates.
Import ListNotations.
Open Scope R_scope.

(** A format has finitely many boundaries. If y is none of them, all enclosures from some precision
    on hold none: all their numbers round alike. *)
Theorem correct_rounding_terminates (boundaries : list R) (y : R) (lo hi : nat -> R) :
  encloses lo hi y -> ~ In y boundaries ->
  exists p0, forall p, (p0 <= p)%nat -> forall r, In r boundaries -> r < lo p \/ hi p < r.
Proof. exact (CorrectRoundingTerminates.correct_rounding_terminates boundaries y lo hi). Qed.

(** For an output: either the search ends, or the output is a boundary, which finitely many sums
    tell. *)
Theorem correct_rounding_terminates_output (d e n : nat) (s v : nat -> R) (boundaries : list R)
    (lo hi : nat -> R) : (1 <= n)%nat ->
  (forall j, (j < n)%nat -> with_roots d e (s j) /\ rational (v j)) ->
  (forall r, In r boundaries -> rational r) ->
  encloses lo hi (output n s v) ->
  (exists r, In r boundaries /\ output n s v = r /\
     forall j, (j < n)%nat -> group n s v (s j) = r * multiplicity n s (s j)) \/
  ((forall r, In r boundaries ->
      exists j, (j < n)%nat /\ group n s v (s j) <> r * multiplicity n s (s j)) /\
   exists p0, forall p, (p0 <= p)%nat -> forall r, In r boundaries -> r < lo p \/ hi p < r).
Proof.
  exact (CorrectRoundingTerminates.correct_rounding_terminates_output d e n s v boundaries lo hi).
Qed.

(** On which side of r an output lies: the sign of Σ (v_j - r) exp(s_j). *)
Theorem correct_rounding_terminates_side (n : nat) (s v : nat -> R) (r : R) : (1 <= n)%nat ->
  (r < output n s v <-> 0 < rsum n (fun j => (v j - r) * exp (s j))) /\
  (output n s v < r <-> rsum n (fun j => (v j - r) * exp (s j)) < 0).
Proof. exact (CorrectRoundingTerminates.correct_rounding_terminates_side n s v r). Qed.
