(** * H6 `best-floor` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions Families.
From KVFloor Require BestFloor.
Import ListNotations.
Open Scope R_scope.

(** ** The larger floor, at order 1 *)

(** A cache of exactly so many bits for values of L levels, with the keys K and the queries Q; *)
Definition value_cache (n d d_v L : nat) (eta alpha : R) (K : matrix) (Q : nat -> nat -> R)
    (bits : nat) : Prop :=
  exists (state : matrix -> list bool) (answer : reader),
    (forall V, level_values L (equal_level eta L) V -> length (state V) = bits) /\
    (forall V i c, level_values L (equal_level eta L) V -> (i < n)%nat -> (c < d_v)%nat ->
       accurate eta alpha (answer (state V) (Q i) c) (attention n d (Q i) K V c)).

(** and for keys and values of L levels, with the addresses A. *)
Definition key_cache (n b f L : nat) (eta alpha gamma : R) (A : matrix) (P T : nat -> nat -> R)
    (inside : nat -> R) (bits : nat) : Prop :=
  let x s := payload gamma (inside s) in
  exists (state : matrix -> matrix -> list bool) (answer : reader),
    (forall K V, level_key L 3 x A K -> level_value L (equal_level eta L) V ->
       length (state K V) = bits) /\
    level_guarantee n 3 b f L eta alpha gamma (equal_level eta L) x A P T state answer.

(** The same with public coins: answers are inaccurate with probability at most δ. *)
Definition value_cache_randomized (n d d_v L : nat) (eta alpha delta : R) (K : matrix)
    (Q : nat -> nat -> R) (bits : nat) : Prop :=
  exists C w (state : nat -> matrix -> list bool) (answer : nat -> reader),
    distribution C w /\
    (forall u V, level_values L (equal_level eta L) V -> length (state u V) = bits) /\
    (forall V i c, level_values L (equal_level eta L) V -> (i < n)%nat -> (c < d_v)%nat ->
       rsum C (fun u => w u * failure eta alpha (answer u (state u V) (Q i) c)
                          (attention n d (Q i) K V c)) <= delta).
Definition key_cache_randomized (n b f L : nat) (eta alpha gamma delta : R) (A : matrix)
    (P T : nat -> nat -> R) (inside : nat -> R) (bits : nat) : Prop :=
  let x s := payload gamma (inside s) in
  exists C w (state : nat -> matrix -> matrix -> list bool) (answer : nat -> reader),
    distribution C w /\
    (forall u K V, level_key L 3 x A K -> level_value L (equal_level eta L) V ->
       length (state u K V) = bits) /\
    (forall K V, level_key L 3 x A K -> level_value L (equal_level eta L) V ->
       let wrong q c := rsum C (fun u => w u * failure eta alpha (answer u (state u K V) q c)
                                           (attention n (3 + b) q K V c)) in
       (forall j c, (j < n)%nat -> (c < f)%nat -> wrong (value_query 3 (P j)) (S c) <= delta) /\
       (forall j e, (0 < j < n)%nat -> (e < b)%nat ->
          wrong (payload_query 3 gamma (T j) e) 0%nat <= delta)).

(** How many symbols the larger family holds. *)
Definition best_symbols (n d d_v : nat) : nat :=
  Nat.max (n * d_v) (n * (d_v - 1) + (n - 1) * (d - 3)).

(** So many bits are enough for both families exactly if they are enough for the larger floor. *)
Theorem best_floor (n d d_v L : nat) (eta alpha gamma : R) :
  (3 <= d)%nat -> (1 <= d_v)%nat -> (2 <= L)%nat -> 0 <= eta < 1 -> 0 <= alpha -> 0 < gamma ->
  0 < equal_room eta alpha L ->
  exists K Q A P T inside, forall bits,
    value_cache n d d_v L eta alpha K Q bits /\
    key_cache n (d - 3) (d_v - 1) L eta alpha gamma A P T inside bits
    <-> INR (best_symbols n d d_v) * log2 (INR L) <= INR bits.
Proof. exact (BestFloor.best_floor n d d_v L eta alpha gamma). Qed.

(** With coins each symbol counts log₂ L - H₂(δ) - δ log₂(L-1). *)
Theorem best_floor_randomized (n d d_v L : nat) (eta alpha gamma : R) :
  (3 <= d)%nat -> (1 <= d_v)%nat -> (2 <= L)%nat -> 0 <= eta < 1 -> 0 <= alpha -> 0 < gamma ->
  0 < equal_room eta alpha L ->
  exists K Q A P T inside, forall delta bits, 0 <= delta <= INR (L - 1) / INR L ->
    value_cache_randomized n d d_v L eta alpha delta K Q bits ->
    key_cache_randomized n (d - 3) (d_v - 1) L eta alpha gamma delta A P T inside bits ->
    INR (best_symbols n d d_v) * (log2 (INR L) - H2 delta - delta * log2 (INR (L - 1)))
      <= INR bits.
Proof. exact (BestFloor.best_floor_randomized n d d_v L eta alpha gamma). Qed.

(** ** How many symbols, and of how many levels *)

(** Keys of two payloads or more hold what their marks cost. *)
Theorem best_floor_keys (n d d_v : nat) : (2 <= n)%nat -> (5 <= d)%nat -> (1 <= d_v)%nat ->
  best_symbols n d d_v = (n * (d_v - 1) + (n - 1) * (d - 3))%nat.
Proof. exact (BestFloor.best_floor_keys n d d_v). Qed.

(** The numbers that answers can tell (S3), less these symbols, do not grow with n d. *)
Theorem best_floor_identifiable (n d d_v : nat) : (1 <= n)%nat -> (3 <= d)%nat -> (1 <= d_v)%nat ->
  (n * (d + d_v) - d - (n * (d_v - 1) + (n - 1) * (d - 3)) = 4 * n - 3)%nat.
Proof. exact (BestFloor.best_floor_identifiable n d d_v). Qed.

(** So a cache that is off by α at most, for all keys and values of so many levels, takes
    log₂ 1/(2α) bits for each symbol. *)
Theorem best_floor_absolute (n d d_v : nat) (alpha gamma : R) :
  (3 <= d)%nat -> (1 <= d_v)%nat -> 0 < alpha < / 2 -> 0 < gamma ->
  exists L K Q A P T inside, (2 <= L)%nat /\ 0 < equal_room 0 alpha L /\ forall bits,
    value_cache n d d_v L 0 alpha K Q bits ->
    key_cache n (d - 3) (d_v - 1) L 0 alpha gamma A P T inside bits ->
    INR (best_symbols n d d_v) * log2 (1 / (2 * alpha)) <= INR bits.
Proof. exact (BestFloor.best_floor_absolute n d d_v alpha gamma). Qed.
