(** * T3 `time-memory`: see foundations/Programs.v for the programs *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Programs Definitions Families.
From KVFloor Require TimeMemory.
Import ListNotations.
Open Scope nat_scope.

(** One query to the two-cache: n²(d + d_v) multiplications. *)
Theorem time_memory_two (k : kind) (n d d_v : nat) (q : nat -> R) (K V : matrix) :
  count k (query_two R 0%R (n * n) d d_v q K V)
    = match k with
      | multiplications => n * n * (d + d_v)
      | additions => n * n * (d - 1) + (n * n - 1) * (1 + d_v)
      | divisions => d_v
      | exponentials => n * n
      end.
Proof. exact (TimeMemory.time_memory_two k n d d_v q K V). Qed.

(** One query to the four-cache, products formed first: 2n²(d + d_v) multiplications. *)
Theorem time_memory_formed (k : kind) (n d d_v : nat) (q : nat -> R) (K1 K2 V1 V2 : matrix) :
  count k (query_formed R 0%R n d d_v q K1 K2 V1 V2)
    = match k with
      | multiplications => 2 * (n * n) * (d + d_v)
      | additions => n * n * (d - 1) + (n * n - 1) * (1 + d_v)
      | divisions => d_v
      | exponentials => n * n
      end.
Proof. exact (TimeMemory.time_memory_formed k n d d_v q K1 K2 V1 V2). Qed.

(** One query to the four-cache, factored: (n² + n)(d + d_v) multiplications. *)
Theorem time_memory_factored (k : kind) (n d d_v : nat) (q : nat -> R) (K1 K2 V1 V2 : matrix) :
  count k (query_factored R 0%R n d d_v q K1 K2 V1 V2)
    = match k with
      | multiplications => (n * n + n) * (d + d_v)
      | additions => n * n * (d - 1) + (n * n - 1) * (1 + d_v)
      | divisions => d_v
      | exponentials => n * n
      end.
Proof. exact (TimeMemory.time_memory_factored k n d d_v q K1 K2 V1 V2). Qed.

(** Appending token n to the two-cache: (2n-1)(d + d_v) multiplications. *)
Theorem time_memory_append (k : kind) (n d d_v : nat) (K1 K2 V1 V2 : matrix) :
  count k (append_two R 0%R n d d_v K1 K2 V1 V2)
    = match k with multiplications => (2 * n - 1) * (d + d_v) | _ => 0 end.
Proof. exact (TimeMemory.time_memory_append k n d d_v K1 K2 V1 V2). Qed.

(** A decoding step of the factored four-cache never costs more than one of the two-cache, in any
    operation. *)
Theorem time_memory_domination (k : kind) (n d d_v : nat) (q : nat -> R)
    (K V K1 K2 V1 V2 : matrix) :
  count k (query_factored R 0%R n d d_v q K1 K2 V1 V2)
    <= count k (query_two R 0%R (n * n) d d_v q K V)
       + count k (append_two R 0%R n d d_v K1 K2 V1 V2).
Proof. exact (TimeMemory.time_memory_domination k n d d_v q K V K1 K2 V1 V2). Qed.

(** In multiplications it costs less, from two tokens on. *)
Theorem time_memory_domination_strict (n d d_v : nat) (q : nat -> R) (K V K1 K2 V1 V2 : matrix) :
  2 <= n -> 1 <= d + d_v ->
  count multiplications (query_factored R 0%R n d d_v q K1 K2 V1 V2)
    < count multiplications (query_two R 0%R (n * n) d d_v q K V)
       + count multiplications (append_two R 0%R n d d_v K1 K2 V1 V2).
Proof. exact (TimeMemory.time_memory_domination_strict n d d_v q K V K1 K2 V1 V2). Qed.

(** The two-cache saves n²(d + d_v) multiplications over forming the products first. *)
Theorem time_memory_saves (n d d_v : nat) (q : nat -> R) (K V K1 K2 V1 V2 : matrix) :
  count multiplications (query_formed R 0%R n d d_v q K1 K2 V1 V2)
    = count multiplications (query_two R 0%R (n * n) d d_v q K V) + n * n * (d + d_v).
Proof. exact (TimeMemory.time_memory_saves n d d_v q K V K1 K2 V1 V2). Qed.

Open Scope R_scope.

(** All three programs compute tensor attention of order 2. *)
Theorem time_memory_two_right (n d d_v : nat) (q : nat -> R) (K1 K2 V1 V2 : matrix) (c : nat) :
  (c < d_v)%nat ->
  run (query_two R 0 (n * n) d d_v q (khatri_rao n K1 K2) (khatri_rao n V1 V2)) c
    = attention2 n n d q K1 K2 V1 V2 c.
Proof. exact (TimeMemory.time_memory_two_right n d d_v q K1 K2 V1 V2 c). Qed.

Theorem time_memory_formed_right (n d d_v : nat) (q : nat -> R) (K1 K2 V1 V2 : matrix) (c : nat) :
  (c < d_v)%nat ->
  run (query_formed R 0 n d d_v q K1 K2 V1 V2) c = attention2 n n d q K1 K2 V1 V2 c.
Proof. exact (TimeMemory.time_memory_formed_right n d d_v q K1 K2 V1 V2 c). Qed.

Theorem time_memory_factored_right (n d d_v : nat) (q : nat -> R) (K1 K2 V1 V2 : matrix)
    (c : nat) :
  (c < d_v)%nat ->
  run (query_factored R 0 n d d_v q K1 K2 V1 V2) c = attention2 n n d q K1 K2 V1 V2 c.
Proof. exact (TimeMemory.time_memory_factored_right n d d_v q K1 K2 V1 V2 c). Qed.

(** A two-cache that decodes keeps the factors too: the products of the tokens so far do not
    determine those with a new token. *)
Theorem time_memory_products_not_enough :
  exists K1 K2 K1' K2' : matrix,
    (forall c, khatri_rao 1 K1 K2 0%nat c = khatri_rao 1 K1' K2' 0%nat c) /\
    (forall c, K2 1%nat c = K2' 1%nat c) /\
    (forall c, khatri_rao 2 K1 K2 1%nat c <> khatri_rao 2 K1' K2' 1%nat c).
Proof. exact TimeMemory.time_memory_products_not_enough. Qed.
