(** * E6 `exponentials-independent` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions.
From KVFloor Require ExponentialsIndependent.
Import ListNotations.
Open Scope R_scope.

(** For rational coefficients and different rational exponents: Hermite 1873. A term is a pair, of
    coefficient and exponent. *)
Theorem exponentials_independent (terms : list (R * R)) :
  (forall a s, In (a, s) terms -> rational a /\ rational s) ->
  NoDup (map snd terms) ->
  lsum (fun term => fst term * exp (snd term)) terms = 0 ->
  forall a s, In (a, s) terms -> a = 0.
Proof. exact (ExponentialsIndependent.exponentials_independent terms). Qed.

(** For rational coefficients and different exponents a √d + b √e, where a and b are rational. *)
Theorem exponentials_independent_roots (d e : nat) (terms : list (R * R)) :
  (forall a s, In (a, s) terms -> rational a /\ with_roots d e s) ->
  NoDup (map snd terms) ->
  lsum (fun term => fst term * exp (snd term)) terms = 0 ->
  forall a s, In (a, s) terms -> a = 0.
Proof. exact (ExponentialsIndependent.exponentials_independent_roots d e terms). Qed.

(** e is transcendental: no polynomial with rational coefficients, but 0, vanishes there. *)
Theorem exponentials_independent_e (n : nat) (a : nat -> R) :
  (forall k, (k < n)%nat -> rational (a k)) -> rsum n (fun k => a k * exp 1 ^ k) = 0 ->
  forall k, (k < n)%nat -> a k = 0.
Proof. exact (ExponentialsIndependent.exponentials_independent_e n a). Qed.
