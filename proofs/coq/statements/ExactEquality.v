(** * E1 `exact-equality` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions.
From KVFloor Require ExactEquality.
Import ListNotations.
Open Scope R_scope.

(** [A] is a ring of real numbers: for example the rationals, or the algebraic numbers. *)
Definition ring_of_numbers (A : R -> Prop) : Prop :=
  A 1 /\ (forall x y, A x -> A y -> A (x - y)) /\ (forall x y, A x -> A y -> A (x * y)).

(** The exponentials of different numbers in B are linearly independent over A. For algebraic numbers
    this is the theorem of Lindemann and Weierstrass, which nothing here proves; for rational
    coefficients and exponents a √d + b √e it is E6. *)
Definition independent_exponentials (A B : R -> Prop) : Prop :=
  forall terms : list (R * R),      (* coefficients and exponents *)
    (forall a s, In (a, s) terms -> A a /\ B s) ->
    NoDup (map snd terms) ->
    lsum (fun term => fst term * exp (snd term)) terms = 0 ->
    forall a s, In (a, s) terms -> a = 0.

(** out = r exactly if a_s = r m_s for every logit s, where a_s is the sum of the values of the tuples
    of logit s, and m_s their number. *)
Theorem exact_equality (d e n : nat) (s v : nat -> R) (r : R) : (1 <= n)%nat ->
  (forall j, (j < n)%nat -> with_roots d e (s j) /\ rational (v j)) -> rational r ->
  output n s v = r <->
  (forall j, (j < n)%nat -> group n s v (s j) = r * multiplicity n s (s j)).
Proof. exact (ExactEquality.exact_equality d e n s v r). Qed.

(** A sum of exponentials vanishes exactly if, for every exponent, its coefficients add to 0. *)
Theorem exact_equality_sum (d e n : nat) (s f : nat -> R) :
  (forall j, (j < n)%nat -> with_roots d e (s j) /\ rational (f j)) ->
  rsum n (fun j => f j * exp (s j)) = 0 <-> (forall j, (j < n)%nat -> group n s f (s j) = 0).
Proof. exact (ExactEquality.exact_equality_sum d e n s f). Qed.

(** Two outputs are equal exactly if, for every sum s_j + s'_l, the differences v_j - v'_l of the
    pairs with that sum add to 0. With the scales 1/√d and 1/√e, s and s' are multiples of these. *)
Theorem exact_equality_outputs (d e n : nat) (s v : nat -> R) (n' : nat) (s' v' : nat -> R) :
  (1 <= n)%nat -> (1 <= n')%nat ->
  (forall j, (j < n)%nat -> with_roots d e (s j) /\ rational (v j)) ->
  (forall l, (l < n')%nat -> with_roots d e (s' l) /\ rational (v' l)) ->
  let sums a := s (a / n')%nat + s' (a mod n')%nat in
  let differences a := v (a / n')%nat - v' (a mod n')%nat in
  output n s v = output n' s' v' <->
  (forall a, (a < n * n')%nat -> group (n * n') sums differences (sums a) = 0).
Proof. exact (ExactEquality.exact_equality_outputs d e n s v n' s' v'). Qed.

(** The log-sum-exp is a number a √d + b √e only for a single tuple, where it is the logit. *)
Theorem exact_equality_logsumexp (d e n : nat) (s : nat -> R) (r : R) : (1 <= n)%nat ->
  (forall j, (j < n)%nat -> with_roots d e (s j)) -> with_roots d e r ->
  ln (rsum n (fun j => exp (s j))) = r <-> n = 1%nat /\ s 0%nat = r.
Proof. exact (ExactEquality.exact_equality_logsumexp d e n s r). Qed.

(** Sums, for any numbers whose exponentials are independent. *)
Theorem exact_equality_independent (A B : R -> Prop) (n : nat) (s f : nat -> R) :
  ring_of_numbers A -> independent_exponentials A B ->
  (forall j, (j < n)%nat -> B (s j) /\ A (f j)) ->
  rsum n (fun j => f j * exp (s j)) = 0 <-> (forall j, (j < n)%nat -> group n s f (s j) = 0).
Proof. exact (ExactEquality.exact_equality_independent A B n s f). Qed.

(** What rational inputs have: logits a √d + b √e, if the scale σ is such a number, as rational numbers
    are with d = 1, and 1/√d is; and rational values. *)
Theorem exact_equality_logits (d e n : nat) (sigma : R) (q : nat -> R) (Ks : list matrix)
    (t : list nat) : with_roots d e sigma ->
  (forall c, (c < n)%nat -> rational (q c)) ->
  (forall K j c, In K Ks -> (c < n)%nat -> rational (K j c)) ->
  with_roots d e (tuple_logit n (fun c => sigma * q c) Ks t).
Proof. exact (ExactEquality.exact_equality_logits d e n sigma q Ks t). Qed.

Theorem exact_equality_values (Vs : list matrix) (t : list nat) (c : nat) :
  (forall V j, In V Vs -> rational (V j c)) -> rational (row_product Vs t c).
Proof. exact (ExactEquality.exact_equality_values Vs t c). Qed.

Theorem exact_equality_scale (d e : nat) : (1 <= d)%nat -> with_roots d e (1 / sqrt (INR d)).
Proof. exact (ExactEquality.exact_equality_scale d e). Qed.

(** So for tensor attention (D1) itself, its tuples numbered in the order of the list. *)
Theorem exact_equality_tensor (d e n : nat) (slots : list (list nat)) (sigma : R) (q : nat -> R)
    (Ks Vs : list matrix) (c : nat) (r : R) : tuples slots <> [] ->
  with_roots d e sigma -> (forall i, (i < n)%nat -> rational (q i)) ->
  (forall K j i, In K Ks -> (i < n)%nat -> rational (K j i)) ->
  (forall V j, In V Vs -> rational (V j c)) -> rational r ->
  let N := length (tuples slots) in
  let s j := tuple_logit n (fun i => sigma * q i) Ks (nth j (tuples slots) []) in
  let v j := row_product Vs (nth j (tuples slots) []) c in
  tensor slots n (fun i => sigma * q i) Ks Vs c = r <->
  (forall j, (j < N)%nat -> group N s v (s j) = r * multiplicity N s (s j)).
Proof. exact (ExactEquality.exact_equality_tensor d e n slots sigma q Ks Vs c r). Qed.
