(** * H3 `soft-cap` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions.
From KVFloor Require SoftCap.
Import ListNotations.
Open Scope R_scope.

(** A soft cap at c, and attention whose logits it caps. *)
Definition capped (c y : R) : R := c * tanh (y / c).
Definition capped_out (n d : nat) (c : R) (K : matrix) : outputs := fun q V col =>
  output n (fun j => capped c (logit d q K j)) (fun j => V j col).

(** For so many tokens there are keys and queries under the cap with the floor of n d_v bits. *)
Theorem soft_cap (n d d_v : nat) (c eta alpha : R) :
  (3 <= d)%nat -> 0 < c -> guarantee eta alpha ->
  INR (n - 1) * (1 + eta + 2 * alpha) < exp (2 * c) * (1 - eta - 2 * alpha) ->
  exists (K : matrix) (Q : nat -> nat -> R),
    forall b, serves n d_v eta alpha (capped_out n d c K) Q b <-> (n * d_v <= b)%nat.
Proof. exact (SoftCap.soft_cap n d d_v c eta alpha). Qed.

(** Just so many one weight can single out, whatever the logits are before the cap. *)
Theorem soft_cap_tokens (n : nat) (c eta alpha : R) :
  0 < c -> guarantee eta alpha -> (2 <= n)%nat ->
  (exists s i g, (i < n)%nat /\ margin n (fun j => capped c (s j)) i g /\
     leak (n - 1) g < leak_limit eta alpha)
  <-> INR (n - 1) * (1 + eta + 2 * alpha) < exp (2 * c) * (1 - eta - 2 * alpha).
Proof. exact (SoftCap.soft_cap_tokens n c eta alpha). Qed.

(** If tanh c <= 2α, d_v log₂(n+1) bits, for the number of ones of each column, are enough to answer
    every query within α, whatever the keys. *)
Theorem soft_cap_counts (n d d_v : nat) (c alpha : R) (K : matrix) (b : nat) :
  0 < c -> tanh c <= 2 * alpha ->
  INR d_v * log2 (INR (n + 1)) <= INR b ->
  exists (state : matrix -> list bool) (answer : reader),
    (forall V, length (state V) = b) /\
    (forall V q col, zero_one V -> (col < d_v)%nat ->
       accurate 0 alpha (answer (state V) q col) (capped_out n d c K q V col)).
Proof. exact (SoftCap.soft_cap_counts n d d_v c alpha K b). Qed.
