(** * E1 `exact-equality` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions.
From KVFloor Require ExactEquality.
Import ListNotations.
Open Scope R_scope.

(** A sum of exponentials vanishes exactly if, for every exponent, its coefficients add to 0. *)
Theorem exact_equality_sum (A : R -> Prop) (n : nat) (s f : nat -> R) :
  ring_of_numbers A -> exponentials_independent A ->
  (forall j, (j < n)%nat -> A (s j) /\ A (f j)) ->
  rsum n (fun j => f j * exp (s j)) = 0 <-> (forall j, (j < n)%nat -> group n s f (s j) = 0).
Proof. exact (ExactEquality.exact_equality_sum A n s f). Qed.

(** out = r exactly if a_s = r m_s for every logit s: a_s is the sum of the values of the tuples
    of logit s, m_s their number. *)
Theorem exact_equality (A : R -> Prop) (n : nat) (s v : nat -> R) (r : R) :
  ring_of_numbers A -> exponentials_independent A -> (1 <= n)%nat ->
  (forall j, (j < n)%nat -> A (s j) /\ A (v j)) -> A r ->
  output n s v = r <->
  (forall j, (j < n)%nat -> group n s v (s j) = r * multiplicity n s (s j)).
Proof. exact (ExactEquality.exact_equality A n s v r). Qed.

(** Two outputs are equal exactly if, for every sum s_j + s'_l, the differences v_j - v'_l of the
    pairs with that sum add to 0. *)
Theorem exact_equality_outputs (A : R -> Prop) (n : nat) (s v : nat -> R) (n' : nat)
    (s' v' : nat -> R) :
  ring_of_numbers A -> exponentials_independent A -> (1 <= n)%nat -> (1 <= n')%nat ->
  (forall j, (j < n)%nat -> A (s j) /\ A (v j)) ->
  (forall l, (l < n')%nat -> A (s' l) /\ A (v' l)) ->
  let sums a := s (a / n')%nat + s' (a mod n')%nat in
  let differences a := v (a / n')%nat - v' (a mod n')%nat in
  output n s v = output n' s' v' <->
  (forall a, (a < n * n')%nat -> group (n * n') sums differences (sums a) = 0).
Proof. exact (ExactEquality.exact_equality_outputs A n s v n' s' v'). Qed.

(** The log-sum-exp is in A only for a single tuple, where it is the logit. *)
Theorem exact_equality_logsumexp (A : R -> Prop) (n : nat) (s : nat -> R) (r : R) :
  ring_of_numbers A -> exponentials_independent A ->
  (1 <= n)%nat -> (forall j, (j < n)%nat -> A (s j)) -> A r ->
  ln (rsum n (fun j => exp (s j))) = r <-> n = 1%nat /\ s 0%nat = r.
Proof. exact (ExactEquality.exact_equality_logsumexp A n s r). Qed.
