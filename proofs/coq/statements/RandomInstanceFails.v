(** * T6 `random-instance-fails` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions.
From KVFloor Require RandomInstanceFails.
Import ListNotations.
Open Scope R_scope.

(** A family of true outputs, [out x k] for instance [x] and query [k]: an accurate answer is at
    least θ exactly if bit k of x is set. *)
Definition readable (N : nat) (eta alpha theta : R) (out : list bool -> nat -> R) : Prop :=
  forall x k o, length x = N -> (k < N)%nat -> accurate eta alpha o (out x k) ->
    (o >= theta <-> nth k x false = true).

(** Whether every one of the N queries of instance x is answered accurately. *)
Definition all_accurate (N : nat) (eta alpha : R) (out : list bool -> nat -> R)
    (state : list bool -> list bool) (answer : list bool -> nat -> R) (x : list bool) : bool :=
  forallb (fun k =>
    if Rle_dec (Rabs (answer (state x) k - out x k)) (eta * Rabs (out x k) + alpha)
    then true else false) (seq 0 N).

(** How many of the 2^N instances are answered accurately at every query. *)
Definition answered N eta alpha out state answer : nat :=
  length (filter (all_accurate N eta alpha out state answer) (bitstrings N)).

Section Counting.
Variables (N : nat) (eta alpha theta : R) (out : list bool -> nat -> R).
Hypothesis Hread : readable N eta alpha theta out.
Variables (state : list bool -> list bool) (answer : list bool -> nat -> R).

(** At most as many instances are answered as there are states. *)
Theorem random_instance_fails_states (states : list (list bool)) :
  (forall x, length x = N -> In (state x) states) ->
  (answered N eta alpha out state answer <= length states)%nat.
Proof.
  exact (RandomInstanceFails.random_instance_fails_states N eta alpha theta out Hread state
           answer states).
Qed.

(** States of b bits, k under the floor: probability at most 2^-k. *)
Theorem random_instance_fails b k :
  (forall x, length x = N -> length (state x) = b) -> (b + k <= N)%nat ->
  INR (answered N eta alpha out state answer) / 2 ^ N <= / 2 ^ k.
Proof.
  exact (RandomInstanceFails.random_instance_fails N eta alpha theta out Hread state answer b k).
Qed.

(** States of varying length, up to b bits, are 2^(b+1) - 1 in number: that costs one bit. *)
Theorem random_instance_fails_up_to b k :
  (forall x, length x = N -> (length (state x) <= b)%nat) -> (b + k + 1 <= N)%nat ->
  INR (answered N eta alpha out state answer) / 2 ^ N < / 2 ^ k.
Proof.
  exact (RandomInstanceFails.random_instance_fails_up_to N eta alpha theta out Hread state answer b k).
Qed.

End Counting.

(** With public coins and mean error δ over instances and queries, b >= (1 - H₂(δ)) N: so states
    of exactly b bits have at least N H₂⁻¹(1 - b/N) wrong symbols on average. *)
Theorem random_instance_fails_mean (N b T : nat) (w : nat -> R) (delta eta alpha theta : R)
    (out : list bool -> nat -> R) (state : nat -> list bool -> list bool)
    (answer : nat -> list bool -> nat -> R) :
  distribution T w -> 0 <= delta <= 1 / 2 ->
  readable N eta alpha theta out ->
  (forall r x, (r < T)%nat -> length x = N -> length (state r x) = b) ->
  lsum (fun x => rsum N (fun k =>
      rsum T (fun r => w r * failure eta alpha (answer r (state r x) k) (out x k)))) (bitstrings N)
    <= delta * (INR N * 2 ^ N) ->
  (1 - H2 delta) * INR N <= INR b.
Proof.
  exact (RandomInstanceFails.random_instance_fails_mean N b T w delta eta alpha theta out state answer).
Qed.

(** With states of up to b bits, b + 1 stands for b. *)
Theorem random_instance_fails_mean_up_to (N b T : nat) (w : nat -> R) (delta eta alpha theta : R)
    (out : list bool -> nat -> R) (state : nat -> list bool -> list bool)
    (answer : nat -> list bool -> nat -> R) :
  distribution T w -> 0 <= delta <= 1 / 2 ->
  readable N eta alpha theta out ->
  (forall r x, (r < T)%nat -> length x = N -> (length (state r x) <= b)%nat) ->
  lsum (fun x => rsum N (fun k =>
      rsum T (fun r => w r * failure eta alpha (answer r (state r x) k) (out x k)))) (bitstrings N)
    <= delta * (INR N * 2 ^ N) ->
  (1 - H2 delta) * INR N <= INR (b + 1).
Proof.
  exact (RandomInstanceFails.random_instance_fails_mean_up_to
           N b T w delta eta alpha theta out state answer).
Qed.

(** The bound is attained: keeping the first b bits answers 2^b of the instances. *)
Theorem random_instance_fails_met (N b : nat) (eta alpha : R) (out : list bool -> nat -> R) :
  0 <= eta -> 0 <= alpha -> (b <= N)%nat ->
  exists (state : list bool -> list bool) (answer : list bool -> nat -> R),
    (forall x, length x = N -> length (state x) = b) /\
    (2 ^ b <= answered N eta alpha out state answer)%nat.
Proof. exact (RandomInstanceFails.random_instance_fails_met N b eta alpha out). Qed.

(** Row j, column c of a matrix of bits with rows of length w, written row by row as [x]. *)
Definition bit_at (w : nat) (x : list bool) (j c : nat) : bool := nth (j * w + c) x false.

(** The value matrix that holds a string of bits, row by row, from row a on. *)
Definition rows_from (a d_v : nat) (x : list bool) : matrix :=
  fun j c => bitval (bit_at d_v x (j - a) c).

(** The n d_v bits of the family: row a + i of the values is read by query i. *)
Definition family (a d_v : nat) (out : outputs) (Q : nat -> nat -> R) : list bool -> nat -> R :=
  fun x k => out (Q (k / d_v)%nat) (rows_from a d_v x) (k mod d_v).

(** T6 for tensor attention of order m: of the 2^(n d_v) value matrices, a cache of b bits
    answers at most the part 2^-k at every query, if b + k <= n d_v. *)
Theorem random_instance_fails_four_cache (n m d d_v : nat) (eta alpha g : R) (K : matrix)
    (Q : nat -> nat -> R) (state : matrix -> list bool) (answer : reader) (b k : nat) :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  leak (n - 1) g < leak_limit eta alpha ->
  (forall V, zero_one V -> length (state V) = b) -> (b + k <= n * d_v)%nat ->
  INR (answered (n * d_v) eta alpha (family 0 d_v (order_out 0 n m d K) Q)
         (fun x => state (rows_from 0 d_v x))
         (fun msg j => answer msg (Q (j / d_v)%nat) (j mod d_v)%nat)) / 2 ^ (n * d_v) <= / 2 ^ k.
Proof.
  exact (RandomInstanceFails.random_instance_fails_four_cache n m d d_v eta alpha g K Q state answer b k).
Qed.
