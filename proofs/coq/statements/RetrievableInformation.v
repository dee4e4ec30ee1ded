(** * H5 `retrievable-information` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions.
From KVFloor Require RetrievableInformation.
Import ListNotations.
Open Scope R_scope.

(** x is a word of N symbols, each one of 0 .. L-1; all such words. *)
Definition symbols (N L : nat) (x : list nat) : Prop :=
  length x = N /\ forall k, (k < N)%nat -> (nth k x 0 < L)%nat.

Fixpoint strings (N L : nat) : list (list nat) :=
  match N with
  | O => [[]]
  | S k => flat_map (fun a => map (cons a) (strings k L)) (seq 0 L)
  end.

(** 1 if the guess is wrong, 0 if it is right; the probability that symbol k of x is misread. *)
Definition misread (guess truth : nat) : R := if (guess =? truth)%nat then 0 else 1.
Definition misread_prob (T : nat) (w : nat -> R)
    (enc : nat -> list nat -> list bool) (dec : nat -> list bool -> nat -> nat)
    (x : list nat) (k : nat) : R :=
  rsum T (fun r => w r * misread (dec r (enc r x) k) (nth k x 0%nat)).

(** If every symbol of every word is misread with probability at most δ, from messages of exactly
    b bits, then N (log₂ L - H₂(δ) - δ log₂(L-1)) <= b. *)
Theorem retrievable_information (T : nat) (w : nat -> R) (N L b : nat)
    (enc : nat -> list nat -> list bool) (dec : nat -> list bool -> nat -> nat) (delta : R) :
  (2 <= L)%nat -> distribution T w -> 0 <= delta <= INR (L - 1) / INR L ->
  (forall r x, (r < T)%nat -> symbols N L x -> length (enc r x) = b) ->
  (forall x k, symbols N L x -> (k < N)%nat -> misread_prob T w enc dec x k <= delta) ->
  INR N * (log2 (INR L) - H2 delta - delta * log2 (INR (L - 1))) <= INR b.
Proof. exact (RetrievableInformation.retrievable_information T w N L b enc dec delta). Qed.

(** It is enough that it is so on average over words and symbols. *)
Theorem retrievable_information_average (T : nat) (w : nat -> R) (N L b : nat)
    (enc : nat -> list nat -> list bool) (dec : nat -> list bool -> nat -> nat) (delta : R) :
  (2 <= L)%nat -> distribution T w -> 0 <= delta <= INR (L - 1) / INR L ->
  (forall r x, (r < T)%nat -> symbols N L x -> length (enc r x) = b) ->
  lsum (fun x => rsum N (fun k => misread_prob T w enc dec x k)) (strings N L)
    <= delta * (INR N * INR L ^ N) ->
  INR N * (log2 (INR L) - H2 delta - delta * log2 (INR (L - 1))) <= INR b.
Proof. exact (RetrievableInformation.retrievable_information_average T w N L b enc dec delta). Qed.

(** With messages of up to b bits, b + 1 stands for b: that costs at most one bit. *)
Theorem retrievable_information_up_to (T : nat) (w : nat -> R) (N L b : nat)
    (enc : nat -> list nat -> list bool) (dec : nat -> list bool -> nat -> nat) (delta : R) :
  (2 <= L)%nat -> distribution T w -> 0 <= delta <= INR (L - 1) / INR L ->
  (forall r x, (r < T)%nat -> symbols N L x -> (length (enc r x) <= b)%nat) ->
  (forall x k, symbols N L x -> (k < N)%nat -> misread_prob T w enc dec x k <= delta) ->
  INR N * (log2 (INR L) - H2 delta - delta * log2 (INR (L - 1))) < INR (b + 1).
Proof. exact (RetrievableInformation.retrievable_information_up_to T w N L b enc dec delta). Qed.

(** b bits with L^N <= 2^b are enough, without error. *)
Theorem retrievable_information_met (N L b : nat) : (L ^ N <= 2 ^ b)%nat ->
  exists T w (enc : nat -> list nat -> list bool) (dec : nat -> list bool -> nat -> nat),
    distribution T w /\
    (forall r x, length (enc r x) = b) /\
    (forall x k, symbols N L x -> (k < N)%nat -> misread_prob T w enc dec x k = 0).
Proof. exact (RetrievableInformation.retrievable_information_met N L b). Qed.
