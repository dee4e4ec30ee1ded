(** T7 `sliding-window`: attention to the last W tokens needs exactly W d_v bits, and they do not
    serve attention without the window. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Guarantee Bits Entropy DecodeThreshold Readable Serves
  FourCacheOrder.
Import ListNotations.
Open Scope R_scope.

(** Attention of order m to the last W of n tokens, in every slot. *)
Definition window_out (n W m d : nat) (K : matrix) : outputs := order_out (n - W) W m d K.

(** The floor n d_v of T1 becomes W d_v, and the last W rows of the values meet it. *)
Theorem sliding_window n W m d d_v eta alpha g K Q :
  guarantee eta alpha -> (1 <= m)%nat ->
  window_margin (n - W) W d K Q g -> leak (W - 1) g < leak_limit eta alpha ->
  forall b, serves W d_v eta alpha (window_out n W m d K) Q b <-> (W * d_v <= b)%nat.
Proof.
  intros Hg Hm HK HL b. split.
  - apply (serves_needs (n - W) W d_v eta alpha (threshold eta alpha)).
    now apply readable_order with g.
  - apply (serves_met (n - W)); [|apply Hg..]. intros q V V' c. now apply order_out_local.
Qed.

Theorem sliding_window_randomized n W m d d_v eta alpha g K Q :
  guarantee eta alpha -> (1 <= m)%nat ->
  window_margin (n - W) W d K Q g -> leak (W - 1) g < leak_limit eta alpha ->
  forall delta b, 0 <= delta <= 1 / 2 ->
    serves_randomized W d_v eta alpha delta (window_out n W m d K) Q b ->
    (1 - H2 delta) * INR (W * d_v) <= INR b.
Proof.
  intros Hg Hm HK HL delta b Hd.
  apply (serves_randomized_needs (n - W) W d_v eta alpha (threshold eta alpha)); [|exact Hd].
  now apply readable_order with g.
Qed.

(** A cache that keeps nothing of tokens before the window cannot serve attention without it:
    flip a bit of such a token; the state is the same, and no answer is accurate for both. *)
Theorem sliding_window_unrestricted n W m d eta alpha g K Q (state : matrix -> list bool) i c :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  leak (n - 1) g < leak_limit eta alpha ->
  (forall V V', (forall j c, (n - W <= j < n)%nat -> V j c = V' j c) -> state V = state V') ->
  (i < n - W)%nat ->
  exists V V', zero_one V /\ zero_one V' /\ state V = state V' /\
    forall o, ~ (accurate eta alpha o (order_out 0 n m d K (Q i) V c) /\
                 accurate eta alpha o (order_out 0 n m d K (Q i) V' c)).
Proof.
  intros Hg Hm HK HL Hstate Hi. apply margin_window in HK.
  set (d_v := S c). assert (Hc : (c < d_v)%nat) by (unfold d_v; lia). clearbody d_v.
  pose proof (readable_order 0 n m d d_v eta alpha g K Q Hg Hm HK HL) as Hread.
  set (N := (n * d_v)%nat) in *. set (k := (i * d_v + c)%nat).
  assert (Hk : (k < N)%nat) by (unfold k, N; nia).
  set (x := map (fun _ => false) (seq 0 N)). set (y := map (fun j => j =? k) (seq 0 N)).
  assert (Hx : length x = N) by (unfold x; now rewrite map_length, seq_length).
  assert (Hy : length y = N) by (unfold y; now rewrite map_length, seq_length).
  exists (rows_from 0 d_v x), (rows_from 0 d_v y).
  split; [apply zero_one_bitval|]. split; [apply zero_one_bitval|]. split.
  - apply Hstate. intros j e Hj. unfold rows_from, bit_at. f_equal.
    destruct (le_lt_dec N ((j - 0) * d_v + e)) as [Hout|Hin].
    + rewrite !nth_overflow by lia. reflexivity.
    + unfold x, y. rewrite !nth_map_seq by exact Hin.
      destruct (Nat.eqb_spec ((j - 0) * d_v + e) k); [|reflexivity].
      exfalso. unfold k in *. nia.
  - intros o [Gx Gy].
    assert (Ei : (k / d_v = i)%nat) by (unfold k; now apply pair_div).
    assert (Ec : (k mod d_v = c)%nat) by (unfold k; now apply pair_mod).
    pose proof (Hread x k o Hx Hk) as Rx. pose proof (Hread y k o Hy Hk) as Ry.
    unfold family in Rx, Ry. rewrite Ei, Ec in Rx, Ry.
    specialize (Rx Gx). specialize (Ry Gy). unfold x, y in Rx, Ry.
    rewrite nth_map_seq in Rx, Ry by exact Hk. rewrite Nat.eqb_refl in Ry.
    destruct Rx as [Rx _], Ry as [_ Ry]. specialize (Rx (Ry eq_refl)). discriminate.
Qed.
