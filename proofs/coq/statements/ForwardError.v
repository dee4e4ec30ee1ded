(** * E3 `forward-error` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Programs Definitions.
From KVFloor Require ForwardError.
Import ListNotations.
Open Scope R_scope.

Section Rounding.
Variables u eps : R.

(** The relative error of an operation is at most this. *)
Definition precision (o : operation R) : R :=
  match o with exponential _ => eps | _ => u end.

(** The program may end with a, if every operation rounds. *)
Fixpoint rounded {A} (p : program R A) (a : A) : Prop :=
  match p with
  | done a' => a = a'
  | compute o next =>
      exists delta, Rabs delta <= precision o /\ rounded (next (result o * (1 + delta))) a
  end.
End Rounding.

(** Whatever the roundings, a query to the two-cache is off by at most F Σ p |V|, with
    1 + F = x² (1+u)^(M+1) / (1-u)^(M-1) and x = exp(((1+u)^d - 1) S̄)/(1-ε). *)
Theorem forward_error (u eps : R) (M d d_v : nat) (q : nat -> R) (K V : nat -> nat -> R)
    (Sbar : R) (out : nat -> R) (c : nat) :
  0 <= u < 1 -> 0 <= eps < 1 -> (1 <= M)%nat -> (c < d_v)%nat -> 0 <= Sbar ->
  (forall t, (t < M)%nat -> rsum d (fun e => Rabs (q e * K t e)) <= Sbar) ->
  rounded u eps (query_two R 0 M d d_v q K V) out ->
  let x := exp (((1 + u) ^ d - 1) * Sbar) / (1 - eps) in
  Rabs (out c - output M (logit d q K) (fun t => V t c))
    <= (x * x * (1 + u) ^ (M + 1) / (1 - u) ^ (M - 1) - 1)
       * output M (logit d q K) (fun t => Rabs (V t c)).
Proof. exact (ForwardError.forward_error u eps M d d_v q K V Sbar out c). Qed.

(** The same for the four-cache of order 2, products formed first: one more rounding of each key
    and each value. *)
Theorem forward_error_formed (u eps : R) (n d d_v : nat) (q : nat -> R)
    (K1 K2 V1 V2 : nat -> nat -> R) (Sbar : R) (out : nat -> R) (c : nat) :
  0 <= u < 1 -> 0 <= eps < 1 -> (1 <= n)%nat -> (c < d_v)%nat -> 0 <= Sbar ->
  (forall j l, (j < n)%nat -> (l < n)%nat ->
     rsum d (fun e => Rabs (q e * (K1 j e * K2 l e))) <= Sbar) ->
  rounded u eps (query_formed R 0 n d d_v q K1 K2 V1 V2) out ->
  let x := exp (((1 + u) ^ (1 + d) - 1) * Sbar) / (1 - eps) in
  Rabs (out c - attention2 n n d q K1 K2 V1 V2 c)
    <= (x * x * (1 + u) ^ (n * n + 2) / (1 - u) ^ (n * n - 1) - 1)
       * attention2 n n d q K1 K2 (fun j e => Rabs (V1 j e)) (fun l e => Rabs (V2 l e)) c.
Proof. exact (ForwardError.forward_error_formed u eps n d d_v q K1 K2 V1 V2 Sbar out c). Qed.

(** k roundings change a number by γ_k = ku/(1-ku) at most. *)
Theorem forward_error_gamma (u : R) (k : nat) : 0 <= u -> INR k * u < 1 ->
  (1 + u) ^ k <= 1 + INR k * u / (1 - INR k * u) /\ 1 - INR k * u <= (1 - u) ^ k.
Proof. exact (ForwardError.forward_error_gamma u k). Qed.
