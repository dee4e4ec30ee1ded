(** T2 `two-cache`. Unstructured model: if any value may belong to any pair of tokens, n1 n2 d_v
    bits are needed. Structured model: products of matrices pack into (n1 + n2 - 1)(d + d_v)
    numbers. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Guarantee Bits Entropy DecodeThreshold Readable Keys
  FourCache Symbols KhatriRao.
Open Scope R_scope.

(** ** Unstructured *)

Definition pair_zero_one (W : pair_values) : Prop := forall j l c, W j l c = 0 \/ W j l c = 1.

(** The values of pairs that hold a string of bits. *)
Definition pair_values_of (n2 d_v : nat) (x : list bool) : pair_values :=
  fun j l c => bitval (bit_at d_v x (j * n2 + l) c).

Lemma pair_zero_one_of n2 d_v x : pair_zero_one (pair_values_of n2 d_v x).
Proof. intros j l c. unfold pair_values_of, bitval. destruct (bit_at _ _ _ _); auto. Qed.

Lemma readable_pairs n1 n2 d d_v eta alpha g :
  (4 <= d)%nat -> 0 <= eta < 1 -> 0 <= alpha -> 0 <= g ->
  leak (n1 * n2 - 1) g < (1 - eta) / 2 - alpha ->
  readable (n1 * n2 * d_v) eta alpha (threshold eta alpha)
    (fun x k => pair_attention n1 n2 d (pair_query g (k / d_v / n2) ((k / d_v) mod n2))
                  pair_key1 pair_key2 (pair_values_of n2 d_v x) (k mod d_v)).
Proof.
  intros Hd He Ha Hg Hlam x k o Hx Hk Ho.
  refine (readable_rows (n1 * n2) d_v eta alpha g
    (fun a a' => logit2 d (pair_query g (a / n2) (a mod n2)) pair_key1 pair_key2
                        (a' / n2) (a' mod n2)) He Ha Hlam _ x k o Hx Hk _).
  - intros i _. now apply keys_parabola_pairs.
  - rewrite pair_attention_flat in Ho. erewrite output_ext; [exact Ho|].
    intros a Ha'. unfold pair_values_of, values_of. do 2 f_equal.
    rewrite Nat.mul_comm. apply Nat.div_mod. lia.
Qed.

Lemma pair_and_column n1 n2 d_v k :
  (k < n1 * n2 * d_v)%nat ->
  (k / d_v / n2 < n1)%nat /\ ((k / d_v) mod n2 < n2)%nat /\ (k mod d_v < d_v)%nat.
Proof.
  intros Hk. assert (k / d_v < n1 * n2)%nat by (apply Nat.div_lt_upper_bound; lia).
  repeat split; [apply Nat.div_lt_upper_bound|apply Nat.mod_upper_bound..]; lia.
Qed.

(** A deterministic cache needs n1 n2 d_v bits. *)
Theorem two_cache n1 n2 d d_v eta alpha :
  (4 <= d)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K1 K2 : matrix) (Q : nat -> nat -> nat -> R),
    forall b (state : pair_values -> list bool) (answer : reader),
      (forall W, pair_zero_one W -> (length (state W) <= b)%nat) ->
      (forall W i k c, pair_zero_one W -> (i < n1)%nat -> (k < n2)%nat -> (c < d_v)%nat ->
         accurate eta alpha (answer (state W) (Q i k) c)
                  (pair_attention n1 n2 d (Q i k) K1 K2 W c)) ->
      (n1 * n2 * d_v <= b)%nat.
Proof.
  intros Hd He Ha Hsum.
  destruct (margin_exists (n1 * n2 - 1) eta alpha He Ha Hsum) as (g & Hg & Hlam).
  exists pair_key1, pair_key2, (pair_query g). intros b state answer Hbits Hgood.
  refine (readable_floor _ b eta alpha _ _ (fun x => state (pair_values_of n2 d_v x))
    (fun msg k => answer msg (pair_query g (k / d_v / n2) ((k / d_v) mod n2)) (k mod d_v)%nat)
    (readable_pairs n1 n2 d d_v eta alpha g Hd ltac:(lra) Ha Hg Hlam) _ _).
  - intros; apply Hbits, pair_zero_one_of.
  - intros x k _ Hk. destruct (pair_and_column n1 n2 d_v k Hk) as (H1 & H2 & H3).
    apply Hgood; [apply pair_zero_one_of|assumption..].
Qed.

(** The same if the state is kept in two parts, of b1 and b2 bits. *)
Theorem two_cache_split n1 n2 d d_v eta alpha :
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
Proof.
  intros Hd He Ha Hsum.
  destruct (two_cache n1 n2 d d_v eta alpha Hd He Ha Hsum) as (K1 & K2 & Q & H).
  exists K1, K2, Q. intros b1 b2 state1 state2 answer Hb1 Hb2 Hgood.
  apply (H (b1 + b2)%nat (fun W => state1 W ++ state2 W)%list
           (fun msg => answer (firstn b1 msg) (skipn b1 msg))).
  - intros W HW. rewrite app_length, Hb1, Hb2 by exact HW. lia.
  - intros W i k c HW Hi Hk Hc. rewrite <- (Hb1 W HW).
    rewrite firstn_app, Nat.sub_diag, firstn_all, firstn_O, app_nil_r.
    rewrite skipn_app, Nat.sub_diag, skipn_all, skipn_O. simpl. auto.
Qed.

(** With public coins and failure probability at most δ: (1 - H₂(δ)) n1 n2 d_v bits. *)
Theorem two_cache_randomized n1 n2 d d_v eta alpha :
  (4 <= d)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K1 K2 : matrix) (Q : nat -> nat -> nat -> R),
    forall b T w delta (state : nat -> pair_values -> list bool) (answer : nat -> reader),
      distribution T w -> 0 <= delta <= 1 / 2 ->
      (forall r W, pair_zero_one W -> length (state r W) = b) ->
      (forall W i k c, pair_zero_one W -> (i < n1)%nat -> (k < n2)%nat -> (c < d_v)%nat ->
         rsum T (fun r => w r * failure eta alpha (answer r (state r W) (Q i k) c)
           (pair_attention n1 n2 d (Q i k) K1 K2 W c)) <= delta) ->
      (1 - H2 delta) * INR (n1 * n2 * d_v) <= INR b.
Proof.
  intros Hd He Ha Hsum.
  destruct (margin_exists (n1 * n2 - 1) eta alpha He Ha Hsum) as (g & Hg & Hlam).
  exists pair_key1, pair_key2, (pair_query g).
  intros b T w delta state answer Hw Hdelta Hbits Hgood.
  refine (readable_floor_randomized _ b T w delta eta alpha _ _
    (fun r x => state r (pair_values_of n2 d_v x))
    (fun r msg k => answer r msg (pair_query g (k / d_v / n2) ((k / d_v) mod n2)) (k mod d_v)%nat)
    Hw Hdelta (readable_pairs n1 n2 d d_v eta alpha g Hd ltac:(lra) Ha Hg Hlam) _ _).
  - intros; apply Hbits, pair_zero_one_of.
  - intros x k _ Hk. destruct (pair_and_column n1 n2 d_v k Hk) as (H1 & H2 & H3).
    apply Hgood; [apply pair_zero_one_of|assumption..].
Qed.

(** n1 n2 d_v bits are enough for 0/1 values: exact answers to all queries. *)
Theorem two_cache_met n1 n2 d d_v (K1 K2 : matrix) :
  exists (state : pair_values -> list bool) (answer : reader),
    (forall W, length (state W) = (n1 * n2 * d_v)%nat) /\
    (forall W q c, pair_zero_one W -> (c < d_v)%nat ->
       answer (state W) q c = pair_attention n1 n2 d q K1 K2 W c).
Proof.
  exists (fun W => store (n1 * n2) d_v (fun a c => W (a / n2)%nat (a mod n2)%nat c)),
    (fun msg q c => pair_attention n1 n2 d q K1 K2 (pair_values_of n2 d_v msg) c). split.
  - intros W. apply store_length.
  - intros W q c HW Hc. unfold pair_attention.
    apply rsum_ext. intros j Hj. apply rsum_ext. intros l Hl. f_equal.
    change (pair_values_of n2 d_v ?x j l c) with (values_of d_v x (j * n2 + l)%nat c).
    rewrite store_exact by (assumption || nia || (intros a c'; apply HW)).
    now rewrite pair_div, pair_mod.
Qed.

(** ** Structured *)

(** Attention to the products is attention of order 2. *)
Lemma attention_khatri_rao n1 n2 d q K1 K2 V1 V2 c :
  attention (n1 * n2) d q (khatri_rao n2 K1 K2) (khatri_rao n2 V1 V2) c
    = attention2 n1 n2 d q K1 K2 V1 V2 c.
Proof.
  rewrite attention2_pair, pair_attention_flat. unfold attention, output, weight.
  assert (H : forall t, logit d q (khatri_rao n2 K1 K2) t = logit2 d q K1 K2 (t / n2) (t mod n2)).
  { intros t. unfold logit, logit2, khatri_rao. apply rsum_ext; intros; ring. }
  rewrite (rsum_ext (n1 * n2) (fun l => exp (logit _ _ _ l)) _ (fun t _ => f_equal exp (H t))).
  apply rsum_ext. intros t _. now rewrite H.
Qed.

(** Column c of the two matrices side by side, A of d columns and then B. *)
Definition column (d : nat) (A B : matrix) (c t : nat) : R :=
  if c <? d then A t c else B t (c - d)%nat.

Section Codec.
Variables n1 n2 d d_v : nat.
Let m := (n1 + n2 - 1)%nat.

Definition flag (A B : matrix) (c : nat) : nat := pivot (n1 * n2) (column d A B c).

(** The flags say where the pivots are; the numbers are m for each column. *)
Definition pack (A B : matrix) : list nat * list R :=
  (map (flag A B) (seq 0 (d + d_v)),
   map (fun k => nth (k mod m) (pack_column n1 n2 (column d A B (k / m))) 0)
       (seq 0 ((d + d_v) * m))).

Definition unpack (packed : list nat * list R) (c t : nat) : R :=
  unpack_column n2 (nth c (fst packed) 0%nat) (fun e => nth (c * m + e) (snd packed) 0) t.

Lemma column_product K1 K2 V1 V2 c t :
  column d (khatri_rao n2 K1 K2) (khatri_rao n2 V1 V2) c t
    = column d K1 V1 c (t / n2) * column d K2 V2 c (t mod n2).
Proof. unfold column, khatri_rao. now destruct (c <? d). Qed.

Lemma unpack_pack K1 K2 V1 V2 c t :
  (c < d + d_v)%nat -> (t < n1 * n2)%nat ->
  let A := khatri_rao n2 K1 K2 in let B := khatri_rao n2 V1 V2 in
  unpack (pack A B) c t = column d A B c t.
Proof.
  intros Hc Ht A B. unfold unpack, pack. cbn [fst snd]. rewrite nth_map_seq by exact Hc.
  apply (unpack_pack_column n1 n2 (column d K1 V1 c) (column d K2 V2 c)); [|exact Ht|].
  - intros t' _. apply column_product.
  - intros _ e He. fold m in He. rewrite nth_map_seq by nia.
    now rewrite pair_div, pair_mod by exact He.
Qed.
End Codec.

(** The products K_1 ⊘ K_2 and V_1 ⊘ V_2 are determined by (n1 + n2 - 1)(d + d_v) of their own
    entries and d + d_v flags: packing them has a left inverse, zeros included. *)
Theorem two_cache_structured n1 n2 d d_v :
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
Proof.
  intros Hn1 Hn2. exists (pack n1 n2 d d_v),
    (fun p => (fun t c => unpack n1 n2 p c t, fun t c => unpack n1 n2 p (d + c) t)).
  intros K1 K2 V1 V2 A B. destruct (pack n1 n2 d d_v A B) as [flags numbers] eqn:Ep.
  unfold pack in Ep. injection Ep as <- <-.
  set (m := (n1 + n2 - 1)%nat). cbn [fst snd].
  rewrite !map_length, !seq_length. repeat split.
  - lia.
  - intros f Hf. apply in_map_iff in Hf as (c & <- & _). apply pivot_le.
  - intros x Hx. apply in_map_iff in Hx as (k & <- & Hk). apply in_seq in Hk.
    assert (Hm : (k mod m < m)%nat) by (apply Nat.mod_upper_bound; lia).
    assert (Hc : (k / m < d + d_v)%nat) by (apply Nat.div_lt_upper_bound; lia).
    unfold pack_column. rewrite nth_map_seq by exact Hm.
    set (p := pivot (n1 * n2) (column d A B (k / m))).
    exists (kept n1 n2 (pred p) (k mod m)).
    assert (Hp : (pred p < n1 * n2)%nat).
    { pose proof (pivot_le (n1 * n2) (column d A B (k / m))) as Hle. fold p in Hle. nia. }
    pose proof (kept_lt n1 n2 _ _ Hp Hm) as Hkept. unfold column.
    destruct (Nat.ltb_spec (k / m) d) as [H|H].
    + exists (k / m)%nat. auto.
    + exists (k / m - d)%nat. split; [exact Hkept|]. right. split; [lia|reflexivity].
  - intros t c Ht Hc.
    change (unpack n1 n2 (pack n1 n2 d d_v A B) c t = A t c). unfold A, B.
    rewrite unpack_pack by lia. unfold column. destruct (Nat.ltb_spec c d); [reflexivity|lia].
  - intros t c Ht Hc.
    change (unpack n1 n2 (pack n1 n2 d d_v A B) (d + c) t = B t c). unfold A, B.
    rewrite unpack_pack by lia. unfold column. destruct (Nat.ltb_spec (d + c) d); [lia|].
    f_equal. lia.
Qed.

(** If entries of the products take at most 2^w values, then F + (n1 + n2 - 1) w bits for each
    of the d + d_v columns, 2^F being more than n1 n2, answer all queries exactly. *)
Theorem two_cache_structured_bits n1 n2 d d_v w F (alphabet : list R) :
  (length alphabet <= 2 ^ w)%nat -> (n1 * n2 < 2 ^ F)%nat ->
  exists (state : matrix -> matrix -> list bool) (answer : reader),
    forall K1 K2 V1 V2,
      let A := khatri_rao n2 K1 K2 in let B := khatri_rao n2 V1 V2 in
      (forall t c, (t < n1 * n2)%nat -> (c < d)%nat -> In (A t c) alphabet) ->
      (forall t c, (t < n1 * n2)%nat -> (c < d_v)%nat -> In (B t c) alphabet) ->
      length (state A B) = ((d + d_v) * (F + (n1 + n2 - 1) * w))%nat /\
      (forall q c, (c < d_v)%nat ->
         answer (state A B) q c = attention2 n1 n2 d q K1 K2 V1 V2 c).
Proof.
  intros Hw HF. set (m := (n1 + n2 - 1)%nat). set (size := (F + m * w)%nat).
  destruct (numbering Req_EM_T alphabet 0 w Hw) as (enc & dec & Henc & Hdec).
  destruct (numbering Nat.eq_dec (seq 0 (2 ^ F)) 0%nat F) as (encF & decF & HencF & HdecF).
  { now rewrite seq_length. }
  set (numbers := fun A B c => blocks w m
    (fun e => enc (nth e (pack_column n1 n2 (column d A B c)) 0))).
  set (bits := fun A B c => (encF (flag n1 n2 d A B c) ++ numbers A B c)%list).
  set (read := fun s c t => let x := block size c s in
    unpack_column n2 (decF (firstn F x)) (fun e => dec (block w e (skipn F x))) t).
  exists (fun A B => blocks size (d + d_v) (bits A B)),
         (fun s q c => attention (n1 * n2) d q (fun t c => read s c t)
                         (fun t c => read s (d + c)%nat t) c).
  intros K1 K2 V1 V2 A B HA HB. split; [apply blocks_length|]. intros q c Hc.
  assert (Hread : forall c t, (c < d + d_v)%nat -> (t < n1 * n2)%nat ->
            read (blocks size (d + d_v) (bits A B)) c t = column d A B c t).
  { clear c Hc. intros c t Hc Ht. unfold read.
    assert (Hbits : block size c (blocks size (d + d_v) (bits A B)) = bits A B c).
    { apply block_blocks; [exact Hc|]. unfold bits, numbers.
      now rewrite app_length, HencF, blocks_length. }
    rewrite Hbits. unfold bits. cbv zeta.
    rewrite firstn_app, HencF, Nat.sub_diag, firstn_O, app_nil_r.
    rewrite (firstn_all2 (encF _)) by (rewrite HencF; lia).
    rewrite skipn_app, HencF, Nat.sub_diag. change (skipn 0 ?l) with l.
    rewrite (skipn_all2 (encF _)) by (rewrite HencF; lia). cbn [app].
    rewrite HdecF.
    2:{ apply in_seq. pose proof (pivot_le (n1 * n2) (column d A B c)). unfold flag. lia. }
    apply (unpack_pack_column n1 n2 (column d K1 V1 c) (column d K2 V2 c)); [|exact Ht|].
    - intros t' _. apply column_product.
    - intros Hp e He. unfold numbers. rewrite block_blocks by (exact He || apply Henc).
      apply Hdec. unfold pack_column. rewrite nth_map_seq by exact He.
      destruct (pivot (n1 * n2) (column d A B c)) as [|p] eqn:Ep; [now destruct Hp|].
      destruct (pivot_entry _ _ _ Ep) as [Hp' _].
      pose proof (kept_lt n1 n2 p e Hp' He). cbn [pred]. unfold column.
      destruct (Nat.ltb_spec c d); [apply HA|apply HB]; auto; lia. }
  rewrite <- attention_khatri_rao. fold A B. unfold attention, output, weight.
  assert (Hlogit : forall t, (t < n1 * n2)%nat ->
     logit d q (fun t c => read (blocks size (d + d_v) (bits A B)) c t) t = logit d q A t).
  { intros t Ht. unfold logit. apply rsum_ext. intros c' Hc'. rewrite Hread by lia.
    unfold column. destruct (Nat.ltb_spec c' d); [reflexivity|lia]. }
  rewrite (rsum_ext (n1 * n2) (fun l => exp (logit d q (fun t c => read _ c t) l)) _
    (fun t Ht => f_equal exp (Hlogit t Ht))).
  apply rsum_ext. intros t Ht. rewrite Hlogit, Hread by lia. f_equal. unfold column.
  destruct (Nat.ltb_spec (d + c) d); [lia|]. f_equal. lia.
Qed.

(** n = 16 tokens, entries -1, 0 and 1: 142 d bits are enough, fewer than n² d = 256 d. *)
Theorem two_cache_structured_refuted d :
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
Proof.
  intros Hd. destruct (two_cache_structured_bits 16 16 d d 2 9 (-1 :: 0 :: 1 :: nil)%list)
    as (state & answer & H).
  - simpl; lia.
  - apply Nat.ltb_lt. reflexivity.
  - exists state, answer. intros K1 K2 V1 V2 ternary HK1 HK2 HV1 HV2.
    assert (Hprod : forall X Y t c, ternary X -> ternary Y ->
              In (khatri_rao 16 X Y t c) (-1 :: 0 :: 1 :: nil)%list).
    { intros X Y t c HX HY. unfold khatri_rao.
      destruct (HX (t / 16)%nat c) as [->|[->| ->]], (HY (t mod 16)%nat c) as [->|[->| ->]];
        (left; lra) || (right; left; lra) || (right; right; left; lra). }
    destruct (H K1 K2 V1 V2) as [Hlen Hans]; [auto..|].
    split; [rewrite Hlen; lia|]. split; [lia|exact Hans].
Qed.

(** Below any fraction of n² d: no Ω(n² d) holds for products. *)
Theorem two_cache_structured_below n d w c :
  (1 <= n)%nat -> (1 <= d)%nat -> (1 <= w)%nat -> 4 * (INR w + 1) <= c * INR n ->
  (n * n < 2 ^ (2 * n))%nat /\
  INR ((d + d) * (2 * n + (n + n - 1) * w)) < c * (INR n * INR n * INR d).
Proof.
  intros Hn Hd Hw Hc. split.
  - rewrite Nat.pow_mul_r. change (2 ^ 2)%nat with (2 * 2)%nat. rewrite Nat.pow_mul_l.
    pose proof (Nat.pow_gt_lin_r 2 n ltac:(lia)). nia.
  - rewrite mult_INR, !plus_INR, !mult_INR, minus_INR, plus_INR by lia. simpl INR.
    apply (le_INR 1) in Hn, Hd, Hw. simpl INR in Hn, Hd, Hw.
    assert (H : (INR d * INR n) * (4 * (INR w + 1)) <= (INR d * INR n) * (c * INR n))
      by (apply Rmult_le_compat_l; nra). nra.
Qed.
