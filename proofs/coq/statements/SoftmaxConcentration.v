(** * L1 `softmax-concentration` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions.
From KVFloor Require SoftmaxConcentration.
Import ListNotations.
Open Scope R_scope.

(** The top tuple weighs at least 1 - λ. *)
Theorem softmax_concentration (n : nat) (s : nat -> R) (i : nat) (g : R) :
  (i < n)%nat -> margin n s i g ->
  weight n s i >= 1 - leak (n - 1) g.
Proof. exact (SoftmaxConcentration.softmax_concentration n s i g). Qed.

(** All other tuples together weigh at most λ. *)
Theorem softmax_concentration_rest (n : nat) (s : nat -> R) (i : nat) (g : R) :
  (i < n)%nat -> margin n s i g ->
  rsum n (fun j => if Nat.eqb j i then 0 else weight n s j) <= leak (n - 1) g.
Proof. exact (SoftmaxConcentration.softmax_concentration_rest n s i g). Qed.

(** Total weight of the tuples chosen by p. *)
Definition mass {A} (l : list A) (s : A -> R) (p : A -> bool) : R :=
  lsum (fun t => if p t then tuple_weight l s t else 0) l.

(** Tied tuples together weigh at least 1 - λ. *)
Theorem softmax_concentration_ties {A} (l : list A) (s : A -> R) (top : A -> bool) (S g : R) :
  0 < number top l -> singled_out l s top S g ->
  mass l s top >= 1 - leak_of (competitors top l) g.
Proof. exact (SoftmaxConcentration.softmax_concentration_ties l s top S g). Qed.

(** They weigh exactly 1 - λ if and only if every competitor lies exactly g lower. *)
Theorem softmax_concentration_equality {A} (l : list A) (s : A -> R) (top : A -> bool) (S g : R) :
  0 < number top l -> singled_out l s top S g ->
  mass l s top = 1 - leak_of (competitors top l) g
    <-> (forall t, In t l -> top t = false -> s t = S - g).
Proof. exact (SoftmaxConcentration.softmax_concentration_equality l s top S g). Qed.

(** The output is as near to the common value of the tied tuples as λ (max - min). *)
Theorem softmax_concentration_output {A} (l : list A) (s : A -> R) (top : A -> bool) (S g : R) :
  0 < number top l -> singled_out l s top S g ->
  forall (v : A -> R) (v0 lo hi : R),
    (forall t, In t l -> lo <= v t <= hi) ->
    (forall t, In t l -> top t = true -> v t = v0) ->
    Rabs (tuple_output l s v - v0) <= leak_of (competitors top l) g * (hi - lo).
Proof. exact (SoftmaxConcentration.softmax_concentration_output l s top S g). Qed.
