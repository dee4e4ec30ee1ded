(** * What certificates of floors say *)
From Coq Require Import Reals ZArith QArith Qreals List.
From KVFloor Require Import Definitions Certificates.
Import ListNotations.
Open Scope R_scope.

(** Keys by slot; the slot whose values hold symbols; queries, and for each of them the tokens that
    it sees in each slot; the scale σ = factor √root. For each symbol, in the order of reading, its
    token, the number of its query, and its levels. *)
Record trace := Trace
  { trace_keys : list table; slot : nat;
    queries : list (list Q); seen : list (list (list nat)); factor : Q; root : Z;
    tokens : list nat; reads : list nat; levels : list Z }.

(** The query that reads symbol j, with its scale; what it sees; its answer to values V in that slot
    and ones in the others. *)
Definition query_of (x : trace) (j : nat) (c : nat) : R :=
  Q2R (factor x) * sqrt (IZR (root x)) * vector_of (nth (nth j (reads x) 0%nat) (queries x) []) c.
Definition seen_of (x : trace) (j : nat) : list (list nat) :=
  nth (nth j (reads x) 0%nat) (seen x) [].
Definition with_slot (x : trace) (V : matrix) : list matrix :=
  map (fun s => if (s =? slot x)%nat then V else ones) (seq 0 (length (trace_keys x))).
Definition right_answer (x : trace) (V : matrix) (j c : nat) : R :=
  tensor (seen_of x j) (length (hd [] (queries x))) (query_of x j) (map matrix_of (trace_keys x))
    (with_slot x V) c.

Definition unit_values (V : matrix) : Prop := forall i c, 0 <= V i c <= 1.

(** Every cache with states of exactly b bits that answers within (η, α), for all values in [0, 1]
    of d_v columns, has at least so many bits. *)
Definition forces (x : trace) (eta alpha : Q) (d_v bits : Z) : Prop :=
  forall b (state : matrix -> list bool) (answer : nat -> reader),
    (forall V, unit_values V -> length (state V) = b) ->
    (forall V j c, unit_values V -> (j < length (tokens x))%nat -> (Z.of_nat c < d_v)%Z ->
       accurate (Q2R eta) (Q2R alpha) (answer j (state V) (query_of x j) c)
         (right_answer x V j c)) ->
    (bits <= Z.of_nat b)%Z.

(** With public coins, each answer failing with probability at most δ. *)
Definition forces_randomized (x : trace) (eta alpha delta : Q) (d_v bits : Z) : Prop :=
  forall b T w (state : nat -> matrix -> list bool) (answer : nat -> nat -> reader),
    distribution T w ->
    (forall u V, unit_values V -> length (state u V) = b) ->
    (forall V j c, unit_values V -> (j < length (tokens x))%nat -> (Z.of_nat c < d_v)%Z ->
       rsum T (fun u => w u * failure (Q2R eta) (Q2R alpha)
                 (answer u j (state u V) (query_of x j) c) (right_answer x V j c)) <= Q2R delta) ->
    (bits <= Z.of_nat b)%Z.
