(** * S1 `value-floor` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions Families.
From KVFloor Require ValueFloor.
Import ListNotations.
Open Scope R_scope.

(** Given keys whose leak is below the room between neighbouring levels, an accurate cache has as
    many states as there are instances. *)
Theorem value_floor_states (n1 n2 d d_v L : nat) (eta alpha g : R) (K1 K2 : matrix)
    (Q : nat -> nat -> nat -> R) :
  (1 <= n1)%nat -> (1 <= n2)%nat -> (2 <= L)%nat -> 0 <= eta < 1 -> 0 <= alpha ->
  (forall i k, (i < n1)%nat -> (k < n2)%nat -> i = 0%nat \/ k = 0%nat ->
     singles_out n1 n2 (logit2 d (Q i k) K1 K2) i k g) ->
  INR (n1 * n2 - 1) * exp (- g) * (1 + eta + 2 * alpha)
    < (1 - eta * INR (2 * L - 3)) / INR (L - 1) - 2 * alpha ->
  forall (states : list (list bool)) (state : matrix -> matrix -> list bool) (answer : reader),
    (forall V1 V2, grid_values L V1 -> grid_values L V2 -> In (state V1 V2) states) ->
    (forall V1 V2 i k c, grid_values L V1 -> grid_values L V2 ->
       (i < n1)%nat -> (k < n2)%nat -> i = 0%nat \/ k = 0%nat -> (c < d_v)%nat ->
       accurate eta alpha (answer (state V1 V2) (Q i k) c)
                          (attention2 n1 n2 d (Q i k) K1 K2 V1 V2 c)) ->
    (L ^ ((n1 + n2 - 2) * d_v) <= length states)%nat.
Proof. exact (ValueFloor.value_floor_states n1 n2 d d_v L eta alpha g K1 K2 Q). Qed.

(** Such keys exist in four dimensions or more; states of exactly b bits are then enough exactly if
    b >= (n1 + n2 - 2) d_v log₂ L. *)
Theorem value_floor (n1 n2 d d_v L : nat) (eta alpha : R) :
  (1 <= n1)%nat -> (1 <= n2)%nat -> (4 <= d)%nat -> (2 <= L)%nat ->
  0 <= eta < 1 -> 0 <= alpha -> eta * INR (2 * L - 3) + 2 * alpha * INR (L - 1) < 1 ->
  exists (K1 K2 : matrix) (Q : nat -> nat -> nat -> R), forall b,
    (exists (state : matrix -> matrix -> list bool) (answer : reader),
       (forall V1 V2, grid_values L V1 -> grid_values L V2 -> length (state V1 V2) = b) /\
       (forall V1 V2 i k c, grid_values L V1 -> grid_values L V2 ->
          (i < n1)%nat -> (k < n2)%nat -> (c < d_v)%nat ->
          accurate eta alpha (answer (state V1 V2) (Q i k) c)
                             (attention2 n1 n2 d (Q i k) K1 K2 V1 V2 c)))
    <-> INR ((n1 + n2 - 2) * d_v) * log2 (INR L) <= INR b.
Proof. exact (ValueFloor.value_floor n1 n2 d d_v L eta alpha). Qed.

(** With states of up to b bits, which are 2^(b+1) - 1 in number, L^N < 2^(b+1). *)
Theorem value_floor_up_to (n1 n2 d d_v L : nat) (eta alpha : R) :
  (1 <= n1)%nat -> (1 <= n2)%nat -> (4 <= d)%nat -> (2 <= L)%nat ->
  0 <= eta < 1 -> 0 <= alpha -> eta * INR (2 * L - 3) + 2 * alpha * INR (L - 1) < 1 ->
  exists (K1 K2 : matrix) (Q : nat -> nat -> nat -> R),
    forall b (state : matrix -> matrix -> list bool) (answer : reader),
      (forall V1 V2, grid_values L V1 -> grid_values L V2 -> (length (state V1 V2) <= b)%nat) ->
      (forall V1 V2 i k c, grid_values L V1 -> grid_values L V2 ->
         (i < n1)%nat -> (k < n2)%nat -> (c < d_v)%nat ->
         accurate eta alpha (answer (state V1 V2) (Q i k) c)
                            (attention2 n1 n2 d (Q i k) K1 K2 V1 V2 c)) ->
      (L ^ ((n1 + n2 - 2) * d_v) < 2 ^ (b + 1))%nat.
Proof. exact (ValueFloor.value_floor_up_to n1 n2 d d_v L eta alpha). Qed.

(** The condition on the leak, as a margin in nats: g > ln(M(L-1)(1+η+2α)/(1-η(2L-3)-2α(L-1))). *)
Theorem value_floor_margin (M L : nat) (eta alpha g : R) :
  (1 <= M)%nat -> (2 <= L)%nat -> 0 <= eta -> 0 <= alpha ->
  eta * INR (2 * L - 3) + 2 * alpha * INR (L - 1) < 1 ->
  g > ln (INR M * INR (L - 1) * (1 + eta + 2 * alpha)
          / (1 - eta * INR (2 * L - 3) - 2 * alpha * INR (L - 1))) ->
  INR M * exp (- g) * (1 + eta + 2 * alpha)
    < (1 - eta * INR (2 * L - 3)) / INR (L - 1) - 2 * alpha.
Proof. exact (ValueFloor.value_floor_margin M L eta alpha g). Qed.

(** With public coins, failure probability at most δ and states of exactly b bits. *)
Theorem value_floor_randomized (n1 n2 d d_v L : nat) (eta alpha : R) :
  (1 <= n1)%nat -> (1 <= n2)%nat -> (4 <= d)%nat -> (2 <= L)%nat ->
  0 <= eta < 1 -> 0 <= alpha -> eta * INR (2 * L - 3) + 2 * alpha * INR (L - 1) < 1 ->
  exists (K1 K2 : matrix) (Q : nat -> nat -> nat -> R),
    forall b T w delta (state : nat -> matrix -> matrix -> list bool) (answer : nat -> reader),
      distribution T w -> 0 <= delta <= INR (L - 1) / INR L ->
      (forall r V1 V2, grid_values L V1 -> grid_values L V2 -> length (state r V1 V2) = b) ->
      (forall V1 V2 i k c, grid_values L V1 -> grid_values L V2 ->
         (i < n1)%nat -> (k < n2)%nat -> (c < d_v)%nat ->
         rsum T (fun r => w r * failure eta alpha (answer r (state r V1 V2) (Q i k) c)
                            (attention2 n1 n2 d (Q i k) K1 K2 V1 V2 c)) <= delta) ->
      INR ((n1 + n2 - 2) * d_v) * (log2 (INR L) - H2 delta - delta * log2 (INR (L - 1))) <= INR b.
Proof. exact (ValueFloor.value_floor_randomized n1 n2 d d_v L eta alpha). Qed.

(** b bits with L^N <= 2^b answer every query exactly, whatever the keys. *)
Theorem value_floor_met (n1 n2 d d_v L b : nat) (K1 K2 : matrix) :
  (2 <= L)%nat -> (1 <= n1)%nat -> (1 <= n2)%nat ->
  (L ^ ((n1 + n2 - 2) * d_v) <= 2 ^ b)%nat ->
  exists (state : matrix -> matrix -> list bool) (answer : reader),
    (forall V1 V2, length (state V1 V2) = b) /\
    (forall V1 V2 q c, grid_values L V1 -> grid_values L V2 -> (c < d_v)%nat ->
       answer (state V1 V2) q c = attention2 n1 n2 d q K1 K2 V1 V2 c).
Proof. exact (ValueFloor.value_floor_met n1 n2 d d_v L b K1 K2). Qed.
