(** * U2 `subgen` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions Probability.
From KVFloor Require Subgen.
Import ListNotations.
Open Scope R_scope.

(** What one of t samples of a cluster adds to the normaliser: n_x/t exp(<q,k>). *)
Definition sample_term (d t : nat) (q : vector) (cluster : list vector) (o : option vector) : R :=
  match o with Some k => INR (length cluster) / INR t * exp (inner_product d q k) | None => 0 end.

(** The estimate of τ = Σ exp(<q,k>): t samples of each cluster, all independent. *)
Definition normaliser (d t : nat) (q : vector) (clusters : list (list vector)) : chances (list R) :=
  independent (flat_map (fun cluster =>
    repeat (drawn (sample_term d t q cluster) (reservoir _ (equally cluster))) t) clusters).

(** All exponentials of a list of keys, added. *)
Definition exps (d : nat) (q : vector) (keys : list vector) : R :=
  lsum (fun k => exp (inner_product d q k)) keys.

Section Order1.
Variables (d t : nat) (q : vector) (clusters : list (list vector)).
Hypothesis Ht : (1 <= t)%nat.
Hypothesis Hne : forall cluster, In cluster clusters -> cluster <> [].
(** The normaliser is unbiased. *)
Theorem subgen_normaliser_unbiased :
  expectation (normaliser d t q clusters) added = exps d q (concat clusters).
Proof. exact (Subgen.subgen_normaliser_unbiased d t q clusters Ht Hne ). Qed.

(** Var τ <= τ² (ϱ-1)²/(4ϱt) with ϱ = exp(2 r delta). *)
Theorem subgen_normaliser_variance r delta :
  0 <= r * delta -> norm d q <= r ->
  (forall cluster, In cluster clusters -> exists centre,
     forall k, In k cluster -> norm d (sub k centre) <= delta) ->
  let rho := exp (2 * r * delta) in
  let tau := exps d q (concat clusters) in
  variance (normaliser d t q clusters) added
    <= tau * tau * ((rho - 1) * (rho - 1) / (4 * rho * INR t)).
Proof. exact (Subgen.subgen_normaliser_variance d t q clusters Ht Hne r delta). Qed.

End Order1.

Section Values.
Variables (d d_v s : nat) (q : vector) (tokens : list (vector * vector)).   (* keys and values *)
Hypothesis Hs : (1 <= s)%nat.
Definition square (v : vector) : R := rsum d_v (fun c => v c * v c).

(** μ = Σ ‖v‖² *)
Definition total_square : R := lsum (fun kv => square (snd kv)) tokens.

(** A slot holds a token with probability ‖v‖²/μ. *)
Definition slot : chances (option (vector * vector)) :=
  reservoir _ (map (fun kv => (square (snd kv), kv)) tokens).

(** What a slot adds to column c: μ/(s‖v‖²) exp(<q,k>) v_c. *)
Definition slot_term (c : nat) (o : option (vector * vector)) : R :=
  match o with
  | Some (k, v) => total_square / (INR s * square v) * exp (inner_product d q k) * v c
  | None => 0
  end.

(** The s slots, independent. *)
Definition slots : chances (list (option (vector * vector))) := independent (repeat slot s).

(** The numerator is unbiased, column by column. *)
Theorem subgen_values_unbiased c : (c < d_v)%nat ->
  expectation slots (lsum (slot_term c))
    = lsum (fun kv => exp (inner_product d q (fst kv)) * snd kv c) tokens.
Proof. exact (Subgen.subgen_values_unbiased d d_v s q tokens Hs c). Qed.

(** E‖z - E z‖² <= (μ/s) Σ exp(<q,k>)². *)
Theorem subgen_values_variance :
  rsum d_v (fun c => variance slots (lsum (slot_term c)))
    <= total_square / INR s
       * lsum (fun kv => exp (inner_product d q (fst kv)) * exp (inner_product d q (fst kv)))
              tokens.
Proof. exact (Subgen.subgen_values_variance d d_v s q tokens Hs ). Qed.

End Values.
