(** * H6 `value-levels` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions Families.
From KVFloor Require ValueLevels.
Import ListNotations.
Open Scope R_scope.

(** If (η, α) tells L levels apart, there are keys of two entries, for attention of order m whose
    values are such levels in one slot, so that states of exactly b bits are enough exactly if
    b >= n d_v log₂ L. *)
Theorem value_levels (n m d d_v L : nat) (eta alpha : R) :
  (1 <= m)%nat -> (2 <= d)%nat -> (2 <= L)%nat -> 0 <= eta < 1 -> 0 <= alpha ->
  0 < equal_room eta alpha L ->
  exists (K : matrix) (Q : nat -> nat -> R), forall b,
    (exists (state : matrix -> list bool) (answer : reader),
       (forall V, level_values L (equal_level eta L) V -> length (state V) = b) /\
       (forall V i c, level_values L (equal_level eta L) V -> (i < n)%nat -> (c < d_v)%nat ->
          accurate eta alpha (answer (state V) (Q i) c) (order_out 0 n m d K (Q i) V c)))
    <-> INR (n * d_v) * log2 (INR L) <= INR b.
Proof. exact (ValueLevels.value_levels n m d d_v L eta alpha). Qed.

(** ** The levels *)

(** The room between neighbours is the same for all. *)
Theorem value_levels_room (eta : R) (L k : nat) :
  0 <= eta < 1 -> (2 <= L)%nat ->
  (1 - eta) * equal_level eta L (S k) - (1 + eta) * equal_level eta L k = 1 / stretch eta (L - 1).
Proof. exact (ValueLevels.value_levels_room eta L k). Qed.

(** No L levels in [0, 1] have more room ρ, beside 2α, between all neighbours. *)
Theorem value_levels_no_more (eta alpha : R) (L : nat) (rho : R) (lev : nat -> R) :
  0 <= eta < 1 -> (2 <= L)%nat -> 0 <= lev 0%nat -> lev (L - 1)%nat <= 1 ->
  (forall k, (S k < L)%nat -> rho <= (1 - eta) * lev (S k) - (1 + eta) * lev k - 2 * alpha) ->
  rho <= equal_room eta alpha L.
Proof. exact (ValueLevels.value_levels_no_more eta alpha L rho lev). Qed.

(** So (η, α) tells L levels in [0, 1] apart exactly if these have room left. *)
Theorem value_levels_most (eta alpha : R) (L : nat) :
  0 <= eta < 1 -> (2 <= L)%nat ->
  (exists lev, told eta alpha L lev) <-> 0 < equal_room eta alpha L.
Proof. exact (ValueLevels.value_levels_most eta alpha L). Qed.

(** In closed form, for η > 0. *)
Theorem value_levels_relative (eta alpha : R) (L : nat) : 0 < eta < 1 -> (2 <= L)%nat ->
  equal_room eta alpha L = 2 * eta / (((1 + eta) / (1 - eta)) ^ (L - 1) - 1) - 2 * alpha.
Proof. exact (ValueLevels.value_levels_relative eta alpha L). Qed.

(** So there is room for η > 0 exactly if κ^(L-1) < 1 + η/α. *)
Theorem value_levels_closed (eta alpha : R) (L : nat) :
  0 < eta < 1 -> 0 < alpha -> (2 <= L)%nat ->
  0 < equal_room eta alpha L <-> ((1 + eta) / (1 - eta)) ^ (L - 1) < 1 + eta / alpha.
Proof. exact (ValueLevels.value_levels_closed eta alpha L). Qed.

(** For η = 0 the levels are the grid of S1. *)
Theorem value_levels_absolute (alpha : R) (L : nat) : (2 <= L)%nat ->
  equal_room 0 alpha L = 1 / INR (L - 1) - 2 * alpha /\
  forall k, equal_level 0 L k = INR k / INR (L - 1).
Proof. exact (ValueLevels.value_levels_absolute alpha L). Qed.

(** The condition on the leak, as a margin in nats: g > ln(M(1+η+2α)/ρ) for M competitors and the
    room ρ. *)
Theorem value_levels_margin (n : nat) (eta alpha : R) (L : nat) (g : R) :
  (2 <= n)%nat -> 0 <= eta < 1 -> (2 <= L)%nat -> 0 < equal_room eta alpha L ->
  g > ln (INR (n - 1) * (1 + eta + 2 * alpha) / equal_room eta alpha L) ->
  leaves_room n g eta alpha L (equal_level eta L).
Proof. exact (ValueLevels.value_levels_margin n eta alpha L g). Qed.

(** ** Given keys, and any levels *)

(** Bits whose states are as many as the instances answer every query exactly. *)
Theorem value_levels_met (n m d d_v L : nat) (K : matrix) (lev : nat -> R) :
  (1 <= m)%nat -> forall b, (L ^ (n * d_v) <= 2 ^ b)%nat ->
  exists (state : matrix -> list bool) (answer : reader),
    (forall V, length (state V) = b) /\
    (forall V q c, level_values L lev V -> (c < d_v)%nat ->
       answer (state V) q c = order_out 0 n m d K q V c).
Proof. exact (ValueLevels.value_levels_met n m d d_v L K lev). Qed.

(** There are as many states as instances. *)
Theorem value_levels_states (n m d d_v L : nat) (K : matrix) (lev : nat -> R) :
  (1 <= m)%nat -> forall (Q : nat -> nat -> R) (eta alpha g : R),
  0 <= eta < 1 -> 0 <= alpha -> (1 <= L)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  leaves_room n g eta alpha L lev ->
  forall (states : list (list bool)) (state : matrix -> list bool) (answer : reader),
  (forall V, level_values L lev V -> In (state V) states) ->
  (forall V i c, level_values L lev V -> (i < n)%nat -> (c < d_v)%nat ->
     accurate eta alpha (answer (state V) (Q i) c) (order_out 0 n m d K (Q i) V c)) ->
  (L ^ (n * d_v) <= length states)%nat.
Proof. exact (ValueLevels.value_levels_states n m d d_v L K lev). Qed.

(** With public coins, failure probability at most δ and states of exactly b bits. *)
Theorem value_levels_randomized (n m d d_v L : nat) (K : matrix) (lev : nat -> R) :
  (1 <= m)%nat -> forall (Q : nat -> nat -> R) (eta alpha g : R),
  0 <= eta < 1 -> 0 <= alpha ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  leaves_room n g eta alpha L lev ->
  forall (b T : nat) (w : nat -> R) (delta : R) (state : nat -> matrix -> list bool)
    (answer : nat -> reader),
  (2 <= L)%nat -> distribution T w -> 0 <= delta <= INR (L - 1) / INR L ->
  (forall u V, level_values L lev V -> length (state u V) = b) ->
  (forall V i c, level_values L lev V -> (i < n)%nat -> (c < d_v)%nat ->
     rsum T (fun u => w u * failure eta alpha (answer u (state u V) (Q i) c)
                        (order_out 0 n m d K (Q i) V c)) <= delta) ->
  INR (n * d_v) * (log2 (INR L) - H2 delta - delta * log2 (INR (L - 1))) <= INR b.
Proof. exact (ValueLevels.value_levels_randomized n m d d_v L K lev). Qed.

(** With states of up to b bits, which are 2^(b+1) - 1 in number. *)
Theorem value_levels_up_to (n m d d_v L : nat) (K : matrix) (lev : nat -> R)
    (Q : nat -> nat -> R) (eta alpha g : R) (b : nat) (state : matrix -> list bool)
    (answer : reader) :
  (1 <= m)%nat -> 0 <= eta < 1 -> 0 <= alpha -> (1 <= L)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  leaves_room n g eta alpha L lev ->
  (forall V, level_values L lev V -> (length (state V) <= b)%nat) ->
  (forall V i c, level_values L lev V -> (i < n)%nat -> (c < d_v)%nat ->
     accurate eta alpha (answer (state V) (Q i) c) (order_out 0 n m d K (Q i) V c)) ->
  (L ^ (n * d_v) < 2 ^ (b + 1))%nat.
Proof.
  exact (ValueLevels.value_levels_up_to n m d d_v L K lev Q eta alpha g b state answer).
Qed.
