(** T5 `collision`: a cache smaller than the floor has two instances with one state, and a query
    at which no single answer is accurate for both. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Guarantee Bits DecodeThreshold Readable Serves Keys
  FourCache FourCacheOrder.
Open Scope R_scope.

Theorem collision n d d_v eta alpha :
  (2 <= d)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K : matrix) (Q : nat -> nat -> R),
    forall b (state : matrix -> list bool),
      (b < n * d_v)%nat ->
      (forall V, zero_one V -> (length (state V) <= b)%nat) ->
      exists V V' i c, zero_one V /\ zero_one V' /\ (i < n)%nat /\ (c < d_v)%nat /\
        state V = state V' /\
        forall o, ~ (accurate eta alpha o (attention n d (Q i) K V c) /\
                     accurate eta alpha o (attention n d (Q i) K V' c)).
Proof.
  intros Hd He Ha Hsum. destruct (margin_exists (n - 1) eta alpha He Ha Hsum) as (g & Hg & Hlam).
  exists parabola_key, (parabola_query g). intros b state Hb Hbits.
  destruct (readable_collision (n * d_v) b eta alpha _ _ (fun x => state (values_of d_v x))
    (readable_attention n d d_v eta alpha g parabola_key (parabola_query g) ltac:(lra) Ha Hlam
      (fun i _ => keys_parabola n d g i Hd Hg)) Hb)
    as (x & y & k & Hx & Hy & Hk & Hxy & Hno).
  - intros; apply Hbits, zero_one_values_of.
  - destruct (row_and_column n d_v k Hk).
    exists (values_of d_v x), (values_of d_v y), (k / d_v)%nat, (k mod d_v)%nat.
    repeat split; [apply zero_one_values_of..|assumption|assumption|exact Hxy|exact Hno].
Qed.

(** Any 2^b + 1 instances contain a collision of their states of b bits. *)
Theorem collision_among {A} (state : A -> list bool) (b : nat) (instances : list A) :
  NoDup instances -> (forall x, In x instances -> length (state x) = b) ->
  (2 ^ b < length instances)%nat ->
  exists x y, In x instances /\ In y instances /\ x <> y /\ state x = state y.
Proof.
  intros Hnd Hb Hlen.
  apply (pigeonhole (list_eq_dec bool_dec) state instances (bitstrings b) Hnd).
  - intros x Hx. now apply in_bitstrings, Hb.
  - now rewrite bitstrings_length.
Qed.

(** At every order m, for any public keys of enough margin. *)
Theorem collision_order n m d d_v eta alpha g K Q b (state : matrix -> list bool) :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  leak (n - 1) g < leak_limit eta alpha ->
  (b < n * d_v)%nat -> (forall V, zero_one V -> (length (state V) <= b)%nat) ->
  exists V V' i c, zero_one V /\ zero_one V' /\ (i < n)%nat /\ (c < d_v)%nat /\
    state V = state V' /\
    forall o, ~ (accurate eta alpha o (order_out 0 n m d K (Q i) V c) /\
                 accurate eta alpha o (order_out 0 n m d K (Q i) V' c)).
Proof.
  intros Hg Hm HK HL Hb Hbits. apply margin_window in HK.
  destruct (readable_collision (n * d_v) b eta alpha _ _ (fun x => state (rows_from 0 d_v x))
    (readable_order 0 n m d d_v eta alpha g K Q Hg Hm HK HL) Hb)
    as (x & y & k & Hx & Hy & Hk & Hxy & Hno).
  - intros x _. apply Hbits, zero_one_bitval.
  - destruct (row_column n d_v k Hk).
    exists (rows_from 0 d_v x), (rows_from 0 d_v y), (k / d_v)%nat, (k mod d_v)%nat.
    repeat split; [apply zero_one_bitval..|assumption|assumption|exact Hxy|exact Hno].
Qed.
