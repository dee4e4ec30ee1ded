(** IEEE 754 binary64 by Flocq, and expressions of sums and products, in which the theorems about
    the fast path are stated. Definitions only; [statements] are about them.
    Boldo, Melquiond, "Flocq: A Unified Library for Proving Floating-Point Algorithms in Coq" (2011). *)
From Coq Require Import Reals Arith List Permutation.
Import ListNotations.
From Flocq Require Import Core.
Open Scope R_scope.

(** Numbers of 53 bits, multiples of 2^-1074. They have no largest one: what is said of operations
    is said of those that do not overflow. *)
Definition format : Z -> Z := FLT_exp (-1074) 53.
Definition float (x : R) : Prop := generic_format radix2 format x.

(** The nearest of them, an even one of two: the result of an operation whose exact one is x. *)
Definition fl (x : R) : R := round radix2 format ZnearestE x.

(** A product that a sum follows is rounded, or, where both are fused, not. *)
Definition contracted (x y : R) : Prop := y = fl x \/ y = x.

(** The unit roundoff, and what an underflow takes at most. *)
Definition roundoff : R := / 2 ^ 53.
Definition underflow : R := / 2 ^ 1075.

(** ** Sums and products in any order, fused or not *)

(** [input k a x] is a number a that stands for x, as far off as k roundings may bring it. *)
Inductive expression : Type :=
  | input (k : nat) (a x : R)
  | summed (s t : expression)
  | multiplied (s t : expression)
  | fused (r s t : expression).

Fixpoint given (e : expression) : Prop :=
  match e with
  | input k a x => float a /\ Rabs (a - x) <= ((1 + roundoff) ^ k - 1) * Rabs x
  | summed s t | multiplied s t => given s /\ given t
  | fused r s t => given r /\ given s /\ given t
  end.

(** What comes out. *)
Fixpoint computed (e : expression) : R :=
  match e with
  | input _ a _ => a
  | summed s t => fl (computed s + computed t)
  | multiplied s t => fl (computed s * computed t)
  | fused r s t => fl (computed r * computed s + computed t)
  end.

(** What should. *)
Fixpoint exact (e : expression) : R :=
  match e with
  | input _ _ x => x
  | summed s t => exact s + exact t
  | multiplied s t => exact s * exact t
  | fused r s t => exact r * exact s + exact t
  end.

(** The same of absolute values: for a sum of products, the sum of their absolute values. *)
Fixpoint size (e : expression) : R :=
  match e with
  | input _ _ x => Rabs x
  | summed s t => size s + size t
  | multiplied s t => size s * size t
  | fused r s t => size r * size s + size t
  end.

(** How many roundings a term passes at most. *)
Fixpoint roundings (e : expression) : nat :=
  match e with
  | input k _ _ => k
  | summed s t => S (max (roundings s) (roundings t))
  | multiplied s t => S (roundings s + roundings t)
  | fused r s t => S (max (roundings r + roundings s) (roundings t))
  end.

(** What products that underflow take from it at most. *)
Definition grown (k : nat) (x : R) : R := (1 + roundoff) ^ k * x.
Definition product_lost (k l : nat) (x y lost_x lost_y : R) : R :=
  lost_x * grown l y + grown k x * lost_y + lost_x * lost_y.
Fixpoint lost (e : expression) : R :=
  match e with
  | input _ _ _ => 0
  | summed s t => (1 + roundoff) * (lost s + lost t)
  | multiplied s t =>
      (1 + roundoff) * product_lost (roundings s) (roundings t) (size s) (size t) (lost s) (lost t)
      + underflow
  | fused r s t =>
      (1 + roundoff)
      * (product_lost (roundings r) (roundings s) (size r) (size s) (lost r) (lost s) + lost t)
      + underflow
  end.

(** How many products there are, how deep they are nested, and that no factor exceeds B. *)
Fixpoint product_count (e : expression) : nat :=
  match e with
  | input _ _ _ => 0
  | summed s t => product_count s + product_count t
  | multiplied s t => S (product_count s + product_count t)
  | fused r s t => S (product_count r + product_count s + product_count t)
  end.
Fixpoint depth (e : expression) : nat :=
  match e with
  | input _ _ _ => 0
  | summed s t => max (depth s) (depth t)
  | multiplied s t => S (max (depth s) (depth t))
  | fused r s t => max (S (max (depth r) (depth s))) (depth t)
  end.
Fixpoint factors_within (B : R) (e : expression) : Prop :=
  match e with
  | input _ _ _ => True
  | summed s t => factors_within B s /\ factors_within B t
  | multiplied s t =>
      factors_within B s /\ factors_within B t
      /\ grown (roundings s) (size s) <= B /\ grown (roundings t) (size t) <= B
  | fused r s t =>
      factors_within B r /\ factors_within B s /\ factors_within B t
      /\ grown (roundings r) (size r) <= B /\ grown (roundings s) (size s) <= B
  end.

(** Inputs, and products of inputs, are multiples of 2^c, and no input is off. *)
Definition multiple (c : Z) (x : R) : Prop := exists m : Z, x = IZR m * bpow radix2 c.
Fixpoint on_grid (c : Z) (e : expression) : Prop :=
  match e with
  | input _ a x => a = x /\ multiple c a
  | summed s t => on_grid c s /\ on_grid c t
  | multiplied (input _ a x) (input _ b y) => a = x /\ b = y /\ multiple c (a * b)
  | fused (input _ a x) (input _ b y) t => a = x /\ b = y /\ multiple c (a * b) /\ on_grid c t
  | _ => False
  end.

(** e is the sum of these products, in any order, fused or not; it may begin with a zero. *)
Fixpoint adds (e : expression) (l : list (expression * expression)) : Prop :=
  match e with
  | input _ _ _ => False
  | multiplied s t => l = [(s, t)]
  | summed s t =>
      exists l1 l2, l1 <> [] /\ l2 <> [] /\ Permutation l (l1 ++ l2) /\ adds s l1 /\ adds t l2
  | fused r s t =>
      t = input 0 0 0 /\ l = [(r, s)] \/ exists l', Permutation l ((r, s) :: l') /\ adds t l'
  end.

(** A product of two numbers, as they are. *)
Definition exactly (a : R) : expression := input 0 a a.
Definition numbers (p : R * R) : expression * expression := (exactly (fst p), exactly (snd p)).
