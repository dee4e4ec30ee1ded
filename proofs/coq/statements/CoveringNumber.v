(** * U1 `covering-number` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions.
From KVFloor Require CoveringNumber.
Import ListNotations.
Open Scope R_scope.

Fixpoint pairwise {A} (P : A -> A -> Prop) (l : list A) : Prop :=
  match l with
  | [] => True
  | a :: rest => (forall b, In b rest -> P a b) /\ pairwise P rest
  end.

(** Points farther than delta from all centres before become centres, in the order in which they
    come. *)
Fixpoint greedy (d : nat) (delta : R) (centres points : list vector) : list vector :=
  match points with
  | [] => centres
  | x :: rest =>
      let near z := if Rle_dec (norm d (sub x z)) delta then true else false in
      greedy d delta (if existsb near centres then centres else x :: centres) rest
  end.

Definition net (d : nat) (delta : R) : list vector -> list vector := greedy d delta [].

Definition apart (d : nat) (delta : R) : list vector -> Prop :=
  pairwise (fun z z' => delta < norm d (sub z z')).

(** Centres more than delta apart in a ball of radius R: at most (1 + 2R/δ)^d. *)
Theorem covering_number_apart (d : nat) (delta radius : R) (w : vector) (centres : list vector) :
  (1 <= d)%nat -> 0 < delta -> 0 <= radius -> apart d delta centres ->
  (forall z, In z centres -> norm d (sub z w) <= radius) ->
  INR (length centres) <= (1 + 2 * radius / delta) ^ d.
Proof. exact (CoveringNumber.covering_number_apart d delta radius w centres). Qed.

(** A greedy net of points in such a ball covers them with so many centres, in whatever order the
    points come. *)
Theorem covering_number (d : nat) (delta radius : R) (w : vector) (points : list vector) :
  (1 <= d)%nat -> 0 < delta -> 0 <= radius ->
  (forall x, In x points -> norm d (sub x w) <= radius) ->
  INR (length (net d delta points)) <= (1 + 2 * radius / delta) ^ d /\
  (forall z, In z (net d delta points) -> In z points) /\
  (forall x, In x points -> exists z,
     In z (net d delta points) /\ norm d (sub x z) <= delta).
Proof. exact (CoveringNumber.covering_number d delta radius w points). Qed.

(** ‖k∘l - k'∘l'‖₂ <= ‖k - k'‖₂ ‖l‖_∞ + ‖k'‖_∞ ‖l - l'‖₂. *)
Theorem covering_number_product (d : nat) (k k' l l' : vector) :
  norm d (sub (mul k l) (mul k' l'))
    <= norm d (sub k k') * norm_sup d l + norm_sup d k' * norm d (sub l l').
Proof. exact (CoveringNumber.covering_number_product d k k' l l'). Qed.

(** Keys that are (m1, delta1)- and (m2, delta2)-clusterable, with entries of at most R1 and R2,
    have products that are (m1 m2, R2 delta1 + R1 delta2)-clusterable. *)
Theorem covering_number_clusterable (d : nat) (S1 S2 : vector -> Prop) (m1 m2 : nat)
    (delta1 delta2 R1 R2 : R) :
  (forall k, S1 k -> norm_sup d k <= R1) -> (forall l, S2 l -> norm_sup d l <= R2) ->
  clusterable d S1 m1 delta1 -> clusterable d S2 m2 delta2 ->
  clusterable d (products S1 S2) (m1 * m2) (R2 * delta1 + R1 * delta2).
Proof. exact (CoveringNumber.covering_number_clusterable d S1 S2 m1 m2 delta1 delta2 R1 R2). Qed.
