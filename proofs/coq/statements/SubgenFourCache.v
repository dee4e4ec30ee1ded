(** * U4 `subgen-four-cache` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions Probability.
From KVFloor Require SubgenFourCache.
Import ListNotations.
Open Scope R_scope.

(** A sample of a cluster, with the number of keys that it stands for. *)
Definition counted (cluster : list vector) (o : option vector) : R * vector :=
  match o with Some k => (INR (length cluster), k) | None => (0, fun _ => 0) end.

(** One sample of every cluster of a slot. *)
Definition one_each (clusters : list (list vector)) : chances (list (R * vector)) :=
  independent (map (fun cluster => drawn (counted cluster) (reservoir _ (equally cluster))) clusters).

Section FourCache.
Variables (d t : nat) (q : vector) (clusters1 clusters2 : list (list vector)).
Hypothesis Ht : (1 <= t)%nat.
Hypothesis Hne1 : forall cluster, In cluster clusters1 -> cluster <> [].
Hypothesis Hne2 : forall cluster, In cluster clusters2 -> cluster <> [].
(** n_A n_B exp(<q, k∘l>), for samples k of A and l of B. *)
Definition pair_term (a b : R * vector) : R :=
  fst a * fst b * exp (inner_product d q (mul (snd a) (snd b))).

(** The sum over all pairs of clusters. *)
Definition combined (l1 l2 : list (R * vector)) : R :=
  lsum (fun a => lsum (fun b => pair_term a b) l2) l1.

(** One slot's estimate T of τ, and the mean of t independent ones. *)
Definition one_slot : chances R :=
  after (one_each clusters1) (fun l1 => after (one_each clusters2) (fun l2 =>
    surely (combined l1 l2))).

Definition four_normaliser : chances (list R) :=
  independent (repeat (drawn (fun x => / INR t * x) one_slot) t).

(** τ = Σ exp(<q, k∘l>) over all pairs of keys. *)
Definition pair_exps (A B : list vector) : R :=
  lsum (fun k => lsum (fun l => exp (inner_product d q (mul k l))) B) A.

Definition four_tau : R := pair_exps (concat clusters1) (concat clusters2).

(** The normaliser is unbiased. *)
Theorem subgen_four_cache_unbiased : expectation four_normaliser added = four_tau.
Proof.
  exact (SubgenFourCache.subgen_four_cache_unbiased d t q clusters1 clusters2 Ht Hne1 Hne2 ).
Qed.

(** Var τ <= τ² (ϱ-1)²/(ϱt) with ϱ = exp(2 r (R_2 δ_1 + R_1 δ_2)). *)
Theorem subgen_four_cache_variance r R1 R2 delta1 delta2 :
  0 <= delta1 -> 0 <= delta2 -> 0 <= R1 -> 0 <= R2 -> norm d q <= r ->
  (forall A, In A clusters1 -> exists centre, forall k, In k A ->
     norm d (sub k centre) <= delta1) ->
  (forall B, In B clusters2 -> exists centre, forall l, In l B ->
     norm d (sub l centre) <= delta2) ->
  (forall A k, In A clusters1 -> In k A -> norm_sup d k <= R1) ->
  (forall B l, In B clusters2 -> In l B -> norm_sup d l <= R2) ->
  let rho := exp (2 * r * (R2 * delta1 + R1 * delta2)) in
  variance four_normaliser added
    <= four_tau * four_tau * ((rho - 1) * (rho - 1) / (rho * INR t)).
Proof.
  exact (SubgenFourCache.subgen_four_cache_variance d t q clusters1 clusters2 Ht Hne1 Hne2
           r R1 R2 delta1 delta2).
Qed.

End FourCache.
