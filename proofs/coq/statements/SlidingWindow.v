(** * T7 `sliding-window` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions.
From KVFloor Require SlidingWindow.
Import ListNotations.
Open Scope R_scope.

(** The floor n d_v of T1 becomes W d_v, and the last W rows of the values meet it. *)
Theorem sliding_window (n W m d d_v : nat) (eta alpha g : R) (K : matrix) (Q : nat -> nat -> R) :
  guarantee eta alpha -> (1 <= m)%nat ->
  window_margin (n - W) W d K Q g -> leak (W - 1) g < leak_limit eta alpha ->
  forall b, serves W d_v eta alpha (window_out n W m d K) Q b <-> (W * d_v <= b)%nat.
Proof. exact (SlidingWindow.sliding_window n W m d d_v eta alpha g K Q). Qed.

Theorem sliding_window_randomized (n W m d d_v : nat) (eta alpha g : R) (K : matrix)
    (Q : nat -> nat -> R) :
  guarantee eta alpha -> (1 <= m)%nat ->
  window_margin (n - W) W d K Q g -> leak (W - 1) g < leak_limit eta alpha ->
  forall delta b, 0 <= delta <= 1 / 2 ->
    serves_randomized W d_v eta alpha delta (window_out n W m d K) Q b ->
    (1 - H2 delta) * INR (W * d_v) <= INR b.
Proof. exact (SlidingWindow.sliding_window_randomized n W m d d_v eta alpha g K Q). Qed.

(** A cache that keeps nothing of tokens before the window cannot serve attention without it:
    flip a bit of such a token; the state is the same, and no answer is accurate for both. *)
Theorem sliding_window_unrestricted (n W m d : nat) (eta alpha g : R) (K : matrix)
    (Q : nat -> nat -> R) (state : matrix -> list bool) (i c : nat) :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  leak (n - 1) g < leak_limit eta alpha ->
  (forall V V', (forall j c, (n - W <= j < n)%nat -> V j c = V' j c) -> state V = state V') ->
  (i < n - W)%nat ->
  exists V V', zero_one V /\ zero_one V' /\ state V = state V' /\
    forall o, ~ (accurate eta alpha o (order_out 0 n m d K (Q i) V c) /\
                 accurate eta alpha o (order_out 0 n m d K (Q i) V' c)).
Proof. exact (SlidingWindow.sliding_window_unrestricted n W m d eta alpha g K Q state i c). Qed.
