(** * L4 `index-randomized` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions.
From KVFloor Require IndexOneBit IndexRandomized.
Import ListNotations.
Open Scope R_scope.

(** 1 if the guess is wrong, 0 if it is right; the probability that bit i of x is decoded
    wrongly. *)
Definition wrong (guess truth : bool) : R := if Bool.eqb guess truth then 0 else 1.
Definition error_prob (T : nat) (w : nat -> R)
    (enc : nat -> list bool -> list bool) (dec : nat -> list bool -> nat -> bool)
    (x : list bool) (i : nat) : R :=
  rsum T (fun r => w r * wrong (dec r (enc r x) i) (nth i x false)).

(** If every bit of every string is decoded with error probability at most δ from messages of
    exactly b bits, then (1 - H₂(δ)) N <= b. *)
Theorem index_randomized (T : nat) (w : nat -> R) (N b : nat)
    (enc : nat -> list bool -> list bool) (dec : nat -> list bool -> nat -> bool) (delta : R) :
  distribution T w -> 0 <= delta <= 1 / 2 ->
  (forall r x, (r < T)%nat -> length x = N -> length (enc r x) = b) ->
  (forall x i, length x = N -> (i < N)%nat -> error_prob T w enc dec x i <= delta) ->
  (1 - H2 delta) * INR N <= INR b.
Proof. exact (IndexRandomized.index_randomized T w N b enc dec delta). Qed.

(** It is enough that the error probability is at most δ on average over strings and positions. *)
Theorem index_randomized_average (T : nat) (w : nat -> R) (N b : nat)
    (enc : nat -> list bool -> list bool) (dec : nat -> list bool -> nat -> bool) (delta : R) :
  distribution T w -> 0 <= delta <= 1 / 2 ->
  (forall r x, (r < T)%nat -> length x = N -> length (enc r x) = b) ->
  lsum (fun x => rsum N (fun i => error_prob T w enc dec x i)) (bitstrings N)
    <= delta * (INR N * 2 ^ N) ->
  (1 - H2 delta) * INR N <= INR b.
Proof. exact (IndexRandomized.index_randomized_average T w N b enc dec delta). Qed.

(** With messages of up to b bits, b + 1 stands for b: that costs at most one bit. *)
Theorem index_randomized_up_to (T : nat) (w : nat -> R) (N b : nat)
    (enc : nat -> list bool -> list bool) (dec : nat -> list bool -> nat -> bool) (delta : R) :
  distribution T w -> 0 <= delta <= 1 / 2 ->
  (forall r x, (r < T)%nat -> length x = N -> (length (enc r x) <= b)%nat) ->
  (forall x i, length x = N -> (i < N)%nat -> error_prob T w enc dec x i <= delta) ->
  (1 - H2 delta) * INR N <= INR (b + 1).
Proof. exact (IndexRandomized.index_randomized_up_to T w N b enc dec delta). Qed.

(** At the paper's δ = 1/10: 0.531 N. *)
Theorem index_randomized_tenth (T : nat) (w : nat -> R) (N b : nat)
    (enc : nat -> list bool -> list bool) (dec : nat -> list bool -> nat -> bool) :
  distribution T w ->
  (forall r x, (r < T)%nat -> length x = N -> length (enc r x) = b) ->
  (forall x i, length x = N -> (i < N)%nat -> error_prob T w enc dec x i <= 1 / 10) ->
  531 / 1000 * INR N <= INR b.
Proof. exact (IndexRandomized.index_randomized_tenth T w N b enc dec). Qed.

(** N bits are enough, without error. *)
Theorem index_randomized_met (N : nat) :
  exists T w (enc : nat -> list bool -> list bool) (dec : nat -> list bool -> nat -> bool),
    distribution T w /\
    (forall r x, (r < T)%nat -> length x = N -> length (enc r x) = N) /\
    (forall x i, length x = N -> (i < N)%nat -> error_prob T w enc dec x i = 0).
Proof. exact (IndexRandomized.index_randomized_met N). Qed.

(** ** One bit: the best mean success is 1/2 + C(N-1, ⌊(N-1)/2⌋) / 2^N *)

(** Binomial coefficients, by Pascal's rule. *)
Fixpoint binom (n k : nat) : nat :=
  match n, k with
  | _, O => 1
  | O, S _ => 0
  | S n', S k' => binom n' k' + binom n' k
  end.

(** Number of strings and positions at which Bob is right. *)
Definition right_answers (N : nat) (enc : list bool -> bool) (dec : bool -> nat -> bool) : R :=
  lsum (fun x => rsum N (fun i => 1 - wrong (dec (enc x) i) (nth i x false))) (bitstrings N).

(** No one-bit protocol for N + 1 bits is right more often. *)
Theorem index_randomized_one_bit (N : nat) (enc : list bool -> bool) (dec : bool -> nat -> bool) :
  right_answers (S N) enc dec
    <= INR (S N) * 2 ^ S N * (1 / 2 + INR (binom N (N / 2)) / 2 ^ S N).
Proof. exact (IndexOneBit.index_randomized_one_bit N enc dec). Qed.

(** Sending the majority is right exactly as often. *)
Theorem index_randomized_one_bit_met (N : nat) : exists enc dec,
  right_answers (S N) enc dec
    = INR (S N) * 2 ^ S N * (1 / 2 + INR (binom N (N / 2)) / 2 ^ S N).
Proof. exact (IndexOneBit.index_randomized_one_bit_met N). Qed.
