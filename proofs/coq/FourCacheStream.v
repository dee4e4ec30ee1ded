(** T1 `four-cache` in the model D4: a cache is an initial state, a rule that appends a token, and
    a rule that answers; its space is its largest state. *)
From Coq Require Import Reals Lra Lia Arith List.
From KVFloor Require Import Sums Attention Guarantee Bits DecodeThreshold Readable Serves
  FourCacheOrder.
Import ListNotations.
Open Scope R_scope.

(** The state after the first k tokens, whose rows of values are V 0 .. V (k-1). *)
Fixpoint stream (init : list bool) (append : list bool -> (nat -> R) -> list bool) (V : matrix)
    (k : nat) : list bool :=
  match k with
  | O => init
  | S k' => append (stream init append V k') (V k')
  end.

(** Some streaming cache whose states never exceed b bits answers every query within (η, α). *)
Definition streams (n d_v : nat) (eta alpha : R) (out : outputs) (Q : nat -> nat -> R)
    (b : nat) : Prop :=
  exists init append (answer : reader),
    (forall V k, zero_one V -> (k <= n)%nat -> (length (stream init append V k) <= b)%nat) /\
    (forall V i c, zero_one V -> (i < n)%nat -> (c < d_v)%nat ->
       accurate eta alpha (answer (stream init append V n) (Q i) c) (out (Q i) V c)).

Lemma streams_serves n d_v eta alpha out Q b :
  streams n d_v eta alpha out Q b -> serves n d_v eta alpha out Q b.
Proof.
  intros (init & append & answer & Hb & Hgood).
  exists (fun V => stream init append V n), answer. split; [|exact Hgood].
  intros V HV. now apply Hb.
Qed.

(** The cache that appends the bits of each row. *)
Definition append_row (d_v : nat) (msg : list bool) (row : nat -> R) : list bool :=
  msg ++ map (fun c => if Req_EM_T (row c) 1 then true else false) (seq 0 d_v).

Lemma seq_from a n : seq a n = map (fun c => (a + c)%nat) (seq 0 n).
Proof.
  revert a; induction n as [|n IH]; intros a; [reflexivity|].
  simpl. rewrite (IH (S a)), (IH 1%nat), map_map. f_equal; [lia|].
  apply map_ext. intros; lia.
Qed.

Lemma append_row_stream d_v V k : stream [] (append_row d_v) V k = bits_from 0 k d_v V.
Proof.
  induction k as [|k IH]; [reflexivity|]. simpl stream. rewrite IH. unfold bits_from, append_row.
  replace (S k * d_v)%nat with (k * d_v + d_v)%nat by lia.
  rewrite seq_app, map_app. f_equal. rewrite Nat.add_0_l.
  rewrite (seq_from (k * d_v) d_v), map_map. apply map_ext_in. intros c Hc.
  apply in_seq in Hc. rewrite pair_div, pair_mod by lia. reflexivity.
Qed.

(** The least streaming cache has exactly n d_v bits, too. *)
Theorem four_cache_stream n m d d_v eta alpha g K Q :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  leak (n - 1) g < leak_limit eta alpha ->
  forall b, streams n d_v eta alpha (order_out 0 n m d K) Q b <-> (n * d_v <= b)%nat.
Proof.
  intros Hg Hm HK HL b. split.
  - intros Hs. apply streams_serves in Hs. revert Hs. now apply four_cache_order with g.
  - intros Hb.
    exists [], (append_row d_v), (fun msg q c => order_out 0 n m d K q (rows_from 0 d_v msg) c).
    split.
    + intros V k _ Hk. rewrite append_row_stream, bits_from_length. nia.
    + intros V i c HV Hi Hc. rewrite append_row_stream.
      rewrite (order_out_local 0 n m d d_v K (Q i) _ V c Hm Hc).
      * destruct Hg as (He & Ha & _). now apply accurate_exact.
      * intros j Hj. now apply bits_from_exact.
Qed.
