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

(** Levels in [0, 1] for each symbol; and values of d_v columns that hold symbols: each entry of the
    value of a symbol's token is one of its levels, all others are 0. They are finitely many. *)
Definition unit_levels (x : trace) (lev : nat -> nat -> R) : Prop :=
  forall j a, (j < length (tokens x))%nat -> (Z.of_nat a < nth j (levels x) 0)%Z ->
    0 <= lev j a <= 1.
Definition holds_symbols (x : trace) (lev : nat -> nat -> R) (d_v : Z) (V : matrix) : Prop :=
  (forall j c, (j < length (tokens x))%nat -> (Z.of_nat c < d_v)%Z ->
     exists a, (Z.of_nat a < nth j (levels x) 0)%Z /\ V (nth j (tokens x) 0%nat) c = lev j a) /\
  (forall i c, ~ In i (tokens x) \/ (d_v <= Z.of_nat c)%Z -> V i c = 0).

(** Some cache with states of exactly b bits answers each query within (η, α), whichever of these
    values it has seen. *)
Definition suffices (x : trace) (lev : nat -> nat -> R) (eta alpha : Q) (d_v : Z) (b : nat)
    : Prop :=
  exists (state : matrix -> list bool) (answer : nat -> reader),
    (forall V, holds_symbols x lev d_v V -> length (state V) = b) /\
    (forall V j c, holds_symbols x lev d_v V -> (j < length (tokens x))%nat ->
       (Z.of_nat c < d_v)%Z ->
       accurate (Q2R eta) (Q2R alpha) (answer j (state V) (query_of x j) c)
         (right_answer x V j c)).

(** For some such levels, b bits suffice exactly if b >= bits. So a cache that is right for more
    values than these, or for all in [0, 1], has at least so many. *)
Definition forces (x : trace) (eta alpha : Q) (d_v bits : Z) : Prop :=
  exists lev, unit_levels x lev /\
    forall b, suffices x lev eta alpha d_v b <-> (bits <= Z.of_nat b)%Z.

(** With public coins, each answer failing with probability at most δ: no fewer bits suffice; and
    some do. *)
Definition suffices_randomized (x : trace) (lev : nat -> nat -> R) (eta alpha delta : Q) (d_v : Z)
    (b : nat) : Prop :=
  exists T w (state : nat -> matrix -> list bool) (answer : nat -> nat -> reader),
    distribution T w /\
    (forall u V, holds_symbols x lev d_v V -> length (state u V) = b) /\
    (forall V j c, holds_symbols x lev d_v V -> (j < length (tokens x))%nat ->
       (Z.of_nat c < d_v)%Z ->
       rsum T (fun u => w u * failure (Q2R eta) (Q2R alpha)
                 (answer u j (state u V) (query_of x j) c) (right_answer x V j c)) <= Q2R delta).
Definition forces_randomized (x : trace) (eta alpha delta : Q) (d_v bits : Z) : Prop :=
  exists lev, unit_levels x lev /\
    (forall b, suffices_randomized x lev eta alpha delta d_v b -> (bits <= Z.of_nat b)%Z) /\
    exists b, suffices_randomized x lev eta alpha delta d_v b.
