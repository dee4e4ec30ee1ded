(** * T2 `two-cache`, unstructured model *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions Families.
From KVFloor Require TwoCache.
Import ListNotations.
Open Scope R_scope.

(** The unstructured model of the two-cache: any value W j l c for the pair (j, l). *)
Definition pair_values := nat -> nat -> nat -> R.
Definition pair_attention (n1 n2 d : nat) (q : nat -> R)
    (K1 K2 : matrix) (W : pair_values) (c : nat) : R :=
  rsum n1 (fun j => rsum n2 (fun l => weight2 n1 n2 (logit2 d q K1 K2) j l * W j l c)).

(** Values of pairs that stand for bits. *)
Definition pair_zero_one (W : pair_values) : Prop := forall j l c, W j l c = 0 \/ W j l c = 1.

(** If any value may belong to any pair of tokens, n1 n2 d_v bits are needed. *)
Theorem two_cache (n1 n2 d d_v : nat) (eta alpha : R) :
  (4 <= d)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K1 K2 : matrix) (Q : nat -> nat -> nat -> R),
    forall b (state : pair_values -> list bool) (answer : reader),
      (forall W, pair_zero_one W -> (length (state W) <= b)%nat) ->
      (forall W i k c, pair_zero_one W -> (i < n1)%nat -> (k < n2)%nat -> (c < d_v)%nat ->
         accurate eta alpha (answer (state W) (Q i k) c)
                  (pair_attention n1 n2 d (Q i k) K1 K2 W c)) ->
      (n1 * n2 * d_v <= b)%nat.
Proof. exact (TwoCache.two_cache n1 n2 d d_v eta alpha). Qed.

(** The same if the state is kept in two parts, of b1 and b2 bits. *)
Theorem two_cache_split (n1 n2 d d_v : nat) (eta alpha : R) :
  (4 <= d)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K1 K2 : matrix) (Q : nat -> nat -> nat -> R),
    forall b1 b2 (state1 state2 : pair_values -> list bool)
           (answer : list bool -> list bool -> (nat -> R) -> nat -> R),
      (forall W, pair_zero_one W -> length (state1 W) = b1) ->
      (forall W, pair_zero_one W -> length (state2 W) = b2) ->
      (forall W i k c, pair_zero_one W -> (i < n1)%nat -> (k < n2)%nat -> (c < d_v)%nat ->
         accurate eta alpha (answer (state1 W) (state2 W) (Q i k) c)
                  (pair_attention n1 n2 d (Q i k) K1 K2 W c)) ->
      (n1 * n2 * d_v <= b1 + b2)%nat.
Proof. exact (TwoCache.two_cache_split n1 n2 d d_v eta alpha). Qed.

(** With public coins, failure probability at most δ and states of exactly b bits:
    b >= (1 - H₂(δ)) n1 n2 d_v. *)
Theorem two_cache_randomized (n1 n2 d d_v : nat) (eta alpha : R) :
  (4 <= d)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K1 K2 : matrix) (Q : nat -> nat -> nat -> R),
    forall b T w delta (state : nat -> pair_values -> list bool) (answer : nat -> reader),
      distribution T w -> 0 <= delta <= 1 / 2 ->
      (forall r W, pair_zero_one W -> length (state r W) = b) ->
      (forall W i k c, pair_zero_one W -> (i < n1)%nat -> (k < n2)%nat -> (c < d_v)%nat ->
         rsum T (fun r => w r * failure eta alpha (answer r (state r W) (Q i k) c)
           (pair_attention n1 n2 d (Q i k) K1 K2 W c)) <= delta) ->
      (1 - H2 delta) * INR (n1 * n2 * d_v) <= INR b.
Proof. exact (TwoCache.two_cache_randomized n1 n2 d d_v eta alpha). Qed.

(** n1 n2 d_v bits are enough for 0/1 values: exact answers to all queries. *)
Theorem two_cache_met (n1 n2 d d_v : nat) (K1 K2 : matrix) :
  exists (state : pair_values -> list bool) (answer : reader),
    (forall W, length (state W) = (n1 * n2 * d_v)%nat) /\
    (forall W q c, pair_zero_one W -> (c < d_v)%nat ->
       answer (state W) q c = pair_attention n1 n2 d q K1 K2 W c).
Proof. exact (TwoCache.two_cache_met n1 n2 d d_v K1 K2). Qed.

(** ** Structured model: refuted as read *)

(** The products K_1 ⊘ K_2 and V_1 ⊘ V_2 are determined by (n1 + n2 - 1)(d + d_v) of their own
    entries and d + d_v flags: packing them has a left inverse, zeros included. *)
Theorem two_cache_structured (n1 n2 d d_v : nat) :
  (1 <= n1)%nat -> (1 <= n2)%nat ->
  exists (pack : matrix -> matrix -> list nat * list R)
         (unpack : list nat * list R -> matrix * matrix),
    forall K1 K2 V1 V2,
      let A := khatri_rao n2 K1 K2 in let B := khatri_rao n2 V1 V2 in
      let (flags, numbers) := pack A B in
      length numbers = ((n1 + n2 - 1) * (d + d_v))%nat /\
      length flags = (d + d_v)%nat /\ (forall f, In f flags -> (f <= n1 * n2)%nat) /\
      (forall x, In x numbers -> exists t c,
         (t < n1 * n2)%nat /\ ((c < d)%nat /\ x = A t c \/ (c < d_v)%nat /\ x = B t c)) /\
      (forall t c, (t < n1 * n2)%nat -> (c < d)%nat ->
         fst (unpack (flags, numbers)) t c = A t c) /\
      (forall t c, (t < n1 * n2)%nat -> (c < d_v)%nat ->
         snd (unpack (flags, numbers)) t c = B t c).
Proof. exact (TwoCache.two_cache_structured n1 n2 d d_v). Qed.

(** If entries of the products take at most 2^w values, F + (n1 + n2 - 1) w bits for each of the
    d + d_v columns, 2^F being more than n1 n2, answer all queries exactly. *)
Theorem two_cache_structured_bits (n1 n2 d d_v w F : nat) (alphabet : list R) :
  (length alphabet <= 2 ^ w)%nat -> (n1 * n2 < 2 ^ F)%nat ->
  exists (state : matrix -> matrix -> list bool) (answer : reader),
    forall K1 K2 V1 V2,
      let A := khatri_rao n2 K1 K2 in let B := khatri_rao n2 V1 V2 in
      (forall t c, (t < n1 * n2)%nat -> (c < d)%nat -> In (A t c) alphabet) ->
      (forall t c, (t < n1 * n2)%nat -> (c < d_v)%nat -> In (B t c) alphabet) ->
      length (state A B) = ((d + d_v) * (F + (n1 + n2 - 1) * w))%nat /\
      (forall q c, (c < d_v)%nat ->
         answer (state A B) q c = attention2 n1 n2 d q K1 K2 V1 V2 c).
Proof. exact (TwoCache.two_cache_structured_bits n1 n2 d d_v w F alphabet). Qed.

(** n = 16 tokens, entries -1, 0 and 1: 142 d bits are enough, fewer than n² d = 256 d. *)
Theorem two_cache_structured_refuted (d : nat) :
  (1 <= d)%nat ->
  exists (state : matrix -> matrix -> list bool) (answer : reader),
    forall K1 K2 V1 V2,
      let ternary (X : matrix) := forall j c, X j c = -1 \/ X j c = 0 \/ X j c = 1 in
      ternary K1 -> ternary K2 -> ternary V1 -> ternary V2 ->
      (length (state (khatri_rao 16 K1 K2) (khatri_rao 16 V1 V2)) = 142 * d)%nat /\
      (142 * d < 16 * 16 * d)%nat /\
      (forall q c, (c < d)%nat ->
         answer (state (khatri_rao 16 K1 K2) (khatri_rao 16 V1 V2)) q c
           = attention2 16 16 d q K1 K2 V1 V2 c).
Proof. exact (TwoCache.two_cache_structured_refuted d). Qed.

(** Those bits, with F = 2n, are below any fraction c of n² d: no Ω(n² d) holds for products. *)
Theorem two_cache_structured_below (n d w : nat) (c : R) :
  (1 <= n)%nat -> (1 <= d)%nat -> (1 <= w)%nat -> 4 * (INR w + 1) <= c * INR n ->
  (n * n < 2 ^ (2 * n))%nat /\
  INR ((d + d) * (2 * n + (n + n - 1) * w)) < c * (INR n * INR n * INR d).
Proof. exact (TwoCache.two_cache_structured_below n d w c). Qed.
