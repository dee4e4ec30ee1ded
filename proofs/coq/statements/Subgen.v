(** * U2 `subgen` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions Probability.
From KVFloor Require Subgen.
Import ListNotations.
Open Scope R_scope.

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

(** The numerator is unbiased, column by column. *)
Theorem subgen_values_unbiased c : (c < d_v)%nat ->
  expectation (slots d_v s tokens) (lsum (slot_term d d_v s q tokens c))
    = lsum (fun kv => exp (inner_product d q (fst kv)) * snd kv c) tokens.
Proof. exact (Subgen.subgen_values_unbiased d d_v s q tokens Hs c). Qed.

(** E‖z - E z‖² <= (μ/s) Σ exp(<q,k>)². *)
Theorem subgen_values_variance :
  rsum d_v (fun c => variance (slots d_v s tokens) (lsum (slot_term d d_v s q tokens c)))
    <= total_square d_v tokens / INR s
       * lsum (fun kv => exp (inner_product d q (fst kv)) * exp (inner_product d q (fst kv)))
              tokens.
Proof. exact (Subgen.subgen_values_variance d d_v s q tokens Hs ). Qed.

End Values.
