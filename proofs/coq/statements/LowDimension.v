(** * T4 `low-dimension` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions Families.
From KVFloor Require LowDimension.
Import ListNotations.
Open Scope R_scope.

(** The first min(n, A) words of the code serve as keys, of norm 1, and queries have norm ρ. *)
Theorem low_dimension (n A m d d_v : nat) (eta alpha rho c : R) (K : matrix) :
  guarantee eta alpha -> (1 <= m)%nat -> 0 <= rho ->
  (forall i, (i < A)%nat -> dot d K i i = 1) ->
  (forall i j, (i < A)%nat -> (j < A)%nat -> j <> i -> dot d K i j <= c) ->
  rho * (1 - c) > margin_limit (INR (A - 1)) eta alpha ->
  exact_floor (min n A) m d d_v eta alpha K (key_query rho K) /\
  (forall i, (i < A)%nat ->
     rsum d (fun e => key_query rho K i e * key_query rho K i e) = rho * rho).
Proof. exact (LowDimension.low_dimension n A m d d_v eta alpha rho c K). Qed.

(** With ρ = κ d, signs give every A < e^(ε² d / 2) / 2 once κ (1 - ε) >= ε²/2 + ln(r)/d,
    r = (1+η+2α)/(1-η-2α): the floor is d_v min(n, e^Ω(d)). *)
Theorem low_dimension_exponential (n A m d d_v : nat) (eta alpha kappa eps : R) :
  guarantee eta alpha -> (1 <= m)%nat -> 0 <= kappa -> 0 < eps -> (1 <= d)%nat ->
  2 * INR A < exp (eps * eps * INR d / 2) ->
  kappa * (1 - eps) * INR d
    >= eps * eps * INR d / 2 + ln ((1 + eta + 2 * alpha) / (1 - eta - 2 * alpha)) ->
  exists K, sign_matrix K /\
    exact_floor (min n A) m d d_v eta alpha K (key_query kappa K) /\
    (forall i, rsum d (fun c => K i c * K i c) = INR d) /\
    (forall i, rsum d (fun c => key_query kappa K i c * key_query kappa K i c)
               = kappa * kappa * INR d).
Proof. exact (LowDimension.low_dimension_exponential n A m d d_v eta alpha kappa eps). Qed.
