(** H6 `best-floor`: of the floors at order 1 the larger one, of values or of keys and values, is
    exactly what both families need; and how many symbols and levels it has. *)
From Coq Require Import Reals Lra Lia Arith List.
From KVFloor Require Import Sums Attention Tuples Guarantee Bits Entropy Symbols SharpFamily Tied
  Keys GivenValues Parts Rounded LevelFamily FourCacheOrder ValueLevels KeyLevels.
Import ListNotations.
Open Scope R_scope.

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

Lemma order_1_is_attention n d K q V c : (1 <= n)%nat ->
  order_out 0 n 1 d K q V c = attention n d q K V c.
Proof.
  intros Hn. rewrite order_out_is_order_1, order_1_output by lia.
  unfold tuple_output, tuple_weight, attention, output, weight. now rewrite !lsum_seq.
Qed.

Lemma log2_nonneg L : (2 <= L)%nat -> 0 <= log2 (INR L).
Proof.
  intros HL. pose proof (bits_of_symbols 1 L 0 ltac:(lia)) as H. simpl in H.
  destruct (Rle_dec 0 (log2 (INR L))) as [|Hneg]; [assumption|exfalso].
  assert (L * 1 <= 1)%nat; [apply H; lra|lia].
Qed.

(** The larger of two numbers of symbols of as many bits. *)
Lemma larger_symbols a b l x : 0 <= l ->
  INR (Nat.max a b) * l <= x <-> INR a * l <= x /\ INR b * l <= x.
Proof.
  intros Hl. assert (Ha : INR a * l <= INR (Nat.max a b) * l)
    by (apply Rmult_le_compat_r; [exact Hl|apply le_INR; lia]).
  assert (Hb : INR b * l <= INR (Nat.max a b) * l)
    by (apply Rmult_le_compat_r; [exact Hl|apply le_INR; lia]).
  split; [lra|]. intros [H1 H2]. now destruct (Nat.max_dec a b) as [->| ->].
Qed.

(** So many bits are enough for both families exactly if they are enough for the larger floor. *)
Theorem best_floor n d d_v L eta alpha gamma :
  (3 <= d)%nat -> (1 <= d_v)%nat -> (2 <= L)%nat -> 0 <= eta < 1 -> 0 <= alpha -> 0 < gamma ->
  0 < equal_room eta alpha L ->
  exists K Q A P T inside, forall bits,
    value_cache n d d_v L eta alpha K Q bits /\
    key_cache n (d - 3) (d_v - 1) L eta alpha gamma A P T inside bits
    <-> INR (best_symbols n d d_v) * log2 (INR L) <= INR bits.
Proof.
  intros Hd Hdv HL He Ha Hgamma Hroom.
  destruct (value_levels n 1 d d_v L eta alpha) as (K & Q & HK); auto; [lia|].
  destruct (key_levels n (d - 3) (d_v - 1) L eta alpha gamma) as (A & P & T & inside & HA); auto.
  exists K, Q, A, P, T, inside. intros bits. unfold best_symbols.
  rewrite larger_symbols by now apply log2_nonneg. rewrite <- HK, <- HA.
  assert (E : value_cache n d d_v L eta alpha K Q bits <->
    exists (state : matrix -> list bool) (answer : reader),
      (forall V, level_values L (equal_level eta L) V -> length (state V) = bits) /\
      (forall V i c, level_values L (equal_level eta L) V -> (i < n)%nat -> (c < d_v)%nat ->
         accurate eta alpha (answer (state V) (Q i) c) (order_out 0 n 1 d K (Q i) V c))).
  { split; intros (state & answer & Hb & Hgood); exists state, answer; (split; [exact Hb|]);
      intros V i c HV Hi Hc; specialize (Hgood V i c HV Hi Hc);
      now rewrite order_1_is_attention in * by lia. }
  now rewrite E.
Qed.

(** With coins each symbol counts log₂ L - H₂(δ) - δ log₂(L-1). *)
Theorem best_floor_randomized n d d_v L eta alpha gamma :
  (3 <= d)%nat -> (1 <= d_v)%nat -> (2 <= L)%nat -> 0 <= eta < 1 -> 0 <= alpha -> 0 < gamma ->
  0 < equal_room eta alpha L ->
  exists K Q A P T inside, forall delta bits, 0 <= delta <= INR (L - 1) / INR L ->
    value_cache_randomized n d d_v L eta alpha delta K Q bits ->
    key_cache_randomized n (d - 3) (d_v - 1) L eta alpha gamma delta A P T inside bits ->
    INR (best_symbols n d d_v) * (log2 (INR L) - H2 delta - delta * log2 (INR (L - 1)))
      <= INR bits.
Proof.
  intros Hd Hdv HL He Ha Hgamma Hroom.
  destruct (proj2 (key_levels_inside eta alpha L He Ha HL) Hroom) as (inside & Htold & Hin).
  destruct (room_left n eta alpha L He Ha HL Hroom) as (g & Hg & Hleft).
  destruct (large_multiplier n L eta alpha gamma inside He Ha HL Hgamma Htold Hin g Hg)
    as (C & X & HC & HX & Hkeys).
  assert (HleftC : leaves_room n C eta alpha L (equal_level eta L)).
  { destruct Hleft as [Hunit Hleft]. split; [exact Hunit|]. intros s Hs.
    eapply Rle_lt_trans; [|exact (Hleft s Hs)]. apply Rmult_le_compat_r; [lra|].
    now apply excess_decreasing. }
  exists parabola_key, (parabola_query C), marked_key, (parabola_query C), (marked_query C), inside.
  intros delta bits Hdelta (Cv & wv & statev & answerv & Hwv & Hbv & Hv)
    (Ck & wk & statek & answerk & Hwk & Hbk & Hk).
  unfold best_symbols. destruct (Nat.max_dec (n * d_v) (n * (d_v - 1) + (n - 1) * (d - 3)))
    as [-> | ->].
  - apply (value_levels_randomized n 1 d d_v L parabola_key (equal_level eta L) ltac:(lia)
      (parabola_query C) eta alpha C) with Cv wv statev answerv; auto.
    + intros i _. apply keys_parabola; [lia|lra].
    + intros V i c HV Hi Hc. specialize (Hv V i c HV Hi Hc).
      rewrite (rsum_ext Cv _ (fun u => wv u * failure eta alpha
        (answerv u (statev u V) (parabola_query C i) c)
        (attention n d (parabola_query C i) parabola_key V c))); [exact Hv|].
      intros u _. now rewrite order_1_is_attention by lia.
  - apply (key_levels_randomized n 3 (d - 3) (d_v - 1) L (equal_level eta L)
      (fun s => payload gamma (inside s)) marked_key eta alpha gamma C C X (parabola_query C)
      (marked_query C)) with Ck wk statek answerk; auto.
    + intros j _. apply marked_read. lra.
    + intros j Hj. apply marked_tie; [lra|apply Hj].
Qed.

(** ** How many symbols, and of how many levels *)

(** Keys of two payloads or more hold what their marks cost. *)
Theorem best_floor_keys n d d_v : (2 <= n)%nat -> (5 <= d)%nat -> (1 <= d_v)%nat ->
  best_symbols n d d_v = (n * (d_v - 1) + (n - 1) * (d - 3))%nat.
Proof.
  intros Hn Hd Hdv. apply Nat.max_r. destruct d_v as [|f]; [lia|]. simpl Nat.sub.
  rewrite Nat.sub_0_r. assert (n <= (n - 1) * (d - 3))%nat by nia. lia.
Qed.

(** The numbers that answers can tell (S3), less these symbols, do not grow with n d. *)
Theorem best_floor_identifiable n d d_v : (1 <= n)%nat -> (3 <= d)%nat -> (1 <= d_v)%nat ->
  (n * (d + d_v) - d - (n * (d_v - 1) + (n - 1) * (d - 3)) = 4 * n - 3)%nat.
Proof.
  intros Hn Hd Hdv. destruct n as [|k]; [lia|]. destruct d_v as [|f]; [lia|].
  replace d with (3 + (d - 3))%nat by lia. generalize (d - 3)%nat. intros b.
  replace (3 + b - 3)%nat with b by lia. simpl (S f - 1)%nat. simpl (S k - 1)%nat.
  rewrite !Nat.sub_0_r.
  replace (S k * (3 + b + S f))%nat with (S k * f + k * b + (3 + b) + (4 * k + 1))%nat by ring.
  lia.
Qed.

(** For η = 0 and α < 1/2 there are L >= 1/(2α) levels. *)
Lemma absolute_levels alpha : 0 < alpha < / 2 ->
  exists L, (2 <= L)%nat /\ 1 / (2 * alpha) <= INR L /\ 0 < equal_room 0 alpha L.
Proof.
  intros Ha. set (x := 1 / (2 * alpha)).
  assert (Hx : x * (2 * alpha) = 1) by (unfold x; field; lra).
  assert (Hx1 : 1 < x) by nra.
  destruct (least_above x ltac:(lra)) as (L & HL1 & HL2).
  assert (HL : (2 <= L)%nat) by (apply INR_lt; simpl; lra).
  exists L. split; [exact HL|]. split; [exact HL1|].
  rewrite (proj1 (value_levels_absolute alpha L HL)), minus_INR by lia. simpl (INR 1).
  assert (0 < INR L - 1) by lra. apply (Rmult_lt_reg_r (INR L - 1)); [assumption|].
  replace ((1 / (INR L - 1) - 2 * alpha) * (INR L - 1)) with (1 - 2 * alpha * (INR L - 1))
    by (field; lra). nra.
Qed.

(** So a cache that is off by α at most, for all keys and values of so many levels, takes
    log₂ 1/(2α) bits for each symbol. *)
Theorem best_floor_absolute n d d_v alpha gamma :
  (3 <= d)%nat -> (1 <= d_v)%nat -> 0 < alpha < / 2 -> 0 < gamma ->
  exists L K Q A P T inside, (2 <= L)%nat /\ 0 < equal_room 0 alpha L /\ forall bits,
    value_cache n d d_v L 0 alpha K Q bits ->
    key_cache n (d - 3) (d_v - 1) L 0 alpha gamma A P T inside bits ->
    INR (best_symbols n d d_v) * log2 (1 / (2 * alpha)) <= INR bits.
Proof.
  intros Hd Hdv Ha Hgamma. destruct (absolute_levels alpha Ha) as (L & HL & Hle & Hroom).
  destruct (best_floor n d d_v L 0 alpha gamma) as (K & Q & A & P & T & inside & H); auto; try lra.
  exists L, K, Q, A, P, T, inside. split; [exact HL|]. split; [exact Hroom|].
  intros bits HV HK. eapply Rle_trans; [|exact (proj1 (H bits) (conj HV HK))].
  apply Rmult_le_compat_l; [apply pos_INR|]. unfold log2. apply Rmult_le_compat_r.
  - left. apply Rinv_0_lt_compat, ln2_pos.
  - assert (0 < 1 / (2 * alpha)) by (apply Rdiv_lt_0_compat; lra).
    destruct (Req_dec (1 / (2 * alpha)) (INR L)) as [->|]; [lra|]. left. apply ln_increasing; lra.
Qed.
