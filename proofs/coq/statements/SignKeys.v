(** * L5 `sign-keys` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions.
From KVFloor Require SignKeys.
Import ListNotations.
Open Scope R_scope.

(** Bits as signs; inner product of two strings of d signs; all inner products at most ε d. *)
Definition sign (b : bool) : R := if b then 1 else -1.
Definition inner (d : nat) (x y : list bool) : R :=
  rsum d (fun c => sign (nth c x false) * sign (nth c y false)).
Definition nearly_orthogonal (d : nat) (eps : R) (l : list (list bool)) : Prop :=
  (forall x, In x l -> length x = d) /\
  (forall i j, (i < length l)%nat -> (j < length l)%nat -> i <> j ->
     Rabs (inner d (nth i l nil) (nth j l nil)) <= eps * INR d).

(** n such strings exist once n · 2 exp(-ε² d / 2) < 1. *)
Theorem sign_keys (n d : nat) (eps : R) :
  0 <= eps -> INR n * (2 * exp (- (eps * eps * INR d / 2))) < 1 ->
  exists l, length l = n /\ nearly_orthogonal d eps l.
Proof. exact (SignKeys.sign_keys n d eps). Qed.

(** The same as an inequality on the dimension: d > 2 ln(2n) / ε². *)
Theorem sign_keys_dimension (n d : nat) (eps : R) :
  (1 <= n)%nat -> 0 < eps -> INR d > 2 * ln (2 * INR n) / (eps * eps) ->
  exists l, length l = n /\ nearly_orthogonal d eps l.
Proof. exact (SignKeys.sign_keys_dimension n d eps). Qed.

(** Such keys, with query i = C key i, have margin C (1 - ε) d. *)
Theorem sign_keys_margin (d : nat) (eps : R) (l : list (list bool)) (C : R) (i : nat) :
  0 <= C -> nearly_orthogonal d eps l -> (i < length l)%nat ->
  let K : matrix := fun j c => sign (nth c (nth j l nil) false) in
  margin (length l) (logit d (fun c => C * K i c) K) i (C * ((1 - eps) * INR d)).
Proof. exact (SignKeys.sign_keys_margin d eps l C i). Qed.
