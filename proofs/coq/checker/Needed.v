(** How many bits levels need, decided in whole numbers. *)
From Coq Require Import Reals Lra Lia ZArith QArith Qreals List Bool.
From KVFloor Require Import Sums Entropy.
From KVFloor Require Import Bounds.
Import ListNotations.
Open Scope R_scope.

(** There are as many bits as one likes. *)
Lemma bits_above y : exists b, y <= INR b.
Proof.
  exists (Z.to_nat (up y)). rewrite INR_IZR_INZ. destruct (archimed y) as [A _].
  apply Rle_trans with (IZR (up y)); [lra|]. apply IZR_le. lia.
Qed.

Section Needed.
Variables (delta : Q) (levels : list Z) (d_v bits : Z).

(** δ = a / b; the quotient of these two is 2^b to the power of log₂ L - H₂(δ) - δ log₂ (L-1). *)
Let a : Z := Qnum delta.
Let b : Z := Zpos (Qden delta).
Definition top_of (L : Z) : Z := (L ^ b * (a ^ a * (b - a) ^ (b - a)))%Z.
Definition under_of (L : Z) : Z := (b ^ b * (L - 1) ^ a)%Z.

Definition top_float (up : bool) (L : Z) : Z * Z :=
  times_float up (power up (L, 0%Z) b)
    (times_float up (power up (a, 0%Z) a) (power up ((b - a)%Z, 0%Z) (b - a))).
Definition under_float (up : bool) (L : Z) : Z * Z :=
  times_float up (power up (b, 0%Z) b) (power up ((L - 1)%Z, 0%Z) a).

Definition tops (up : bool) : Z * Z := power up (product_float up (top_float up) levels) d_v.
Definition unders (up : bool) : Z * Z := power up (product_float up (under_float up) levels) d_v.

Definition is_error : bool := Qle_bool 0 delta && Qle_bool delta (1 # 2).

(** One bit less is not enough; so many are. *)
Definition is_floor : bool := (bits =? 0)%Z || below (unders true) (b * (bits - 1)) (tops false).
Definition is_met : bool := negb (below (unders false) (b * bits) (tops true)).

Definition are_needed : bool :=
  is_error && (0 <=? d_v)%Z && forallb (fun L => 2 <=? L)%Z levels && (0 <=? bits)%Z &&
  is_floor && is_met.

Hypothesis Hneeded : are_needed = true.

Lemma needed : (0 <= a)%Z /\ (0 < b - a)%Z /\ (0 <= d_v)%Z /\
  (forall L, In L levels -> (2 <= L)%Z) /\
  (0 <= bits)%Z /\ is_floor = true /\ is_met = true.
Proof.
  unfold are_needed, is_error in Hneeded. rewrite !andb_true_iff in Hneeded.
  destruct Hneeded as ((((((E1 & E2) & D) & L) & B0) & B) & M).
  apply Qle_bool_iff in E1, E2. unfold Qle in E1, E2. cbn in E1, E2.
  apply Z.leb_le in D, B0. rewrite forallb_forall in L.
  unfold a, b. repeat split; try lia.
  - intros x Hx. apply Z.leb_le. now apply L.
  - exact B.
  - exact M.
Qed.

Lemma top_bounds up L : In L levels -> bounds up (top_float up L) (top_of L).
Proof.
  intros HL. destruct needed as (Ha & Hb & _ & H & _). specialize (H L HL).
  assert (0 < b)%Z by reflexivity.
  repeat apply times_bounds; apply power_bounds; try lia; apply exact_bounds; lia.
Qed.

Lemma under_bounds up L : In L levels -> bounds up (under_float up L) (under_of L).
Proof.
  intros HL. destruct needed as (Ha & Hb & _ & H & _). specialize (H L HL).
  assert (0 < b)%Z by reflexivity.
  repeat apply times_bounds; apply power_bounds; try lia; apply exact_bounds; lia.
Qed.

Lemma powers_below : (1 <= bits)%Z ->
  (product_of under_of levels ^ d_v * 2 ^ (b * (bits - 1)) < product_of top_of levels ^ d_v)%Z.
Proof.
  intros Hbits. destruct needed as (Ha & Hb & Hd & HL & _ & B & _). unfold is_floor in B.
  destruct (Z.eqb_spec bits 0) as [->|_]; cbn [orb] in B; [lia|].
  pose proof (power_bounds true _ _ d_v Hd (product_bounds true (under_float true) under_of levels
    (under_bounds true))) as (S1 & _ & U).
  pose proof (power_bounds false _ _ d_v Hd (product_bounds false (top_float false) top_of levels
    (top_bounds false))) as (S2 & _ & T).
  fold (unders true) in S1, U. fold (tops false) in S2, T.
  assert (Hn : (0 <= b * (bits - 1))%Z) by (apply Z.mul_nonneg_nonneg; [discriminate|lia]).
  apply (below_correct _ _ _ S1 S2 Hn) in B.
  pose proof (Z.pow_pos_nonneg 2 (b * (bits - 1)) ltac:(lia) Hn). nia.
Qed.

Lemma powers_met :
  (product_of top_of levels ^ d_v <= product_of under_of levels ^ d_v * 2 ^ (b * bits))%Z.
Proof.
  destruct needed as (Ha & Hb & Hd & HL & B0 & _ & M). unfold is_met in M.
  apply negb_true_iff in M.
  pose proof (power_bounds false _ _ d_v Hd (product_bounds false (under_float false) under_of
    levels (under_bounds false))) as (S1 & _ & U).
  pose proof (power_bounds true _ _ d_v Hd (product_bounds true (top_float true) top_of levels
    (top_bounds true))) as (S2 & _ & T).
  fold (unders false) in S1, U. fold (tops true) in S2, T.
  assert (Hn : (0 <= b * bits)%Z) by (apply Z.mul_nonneg_nonneg; [discriminate|lia]).
  assert (N : ~ (value (unders false) * 2 ^ (b * bits) < value (tops true))%Z).
  { intros L. apply (below_correct _ _ _ S1 S2 Hn) in L. rewrite L in M. discriminate M. }
  pose proof (Z.pow_pos_nonneg 2 (b * bits) ltac:(lia) Hn). nia.
Qed.

Lemma ln_power x n : (0 < x \/ n = 0)%Z -> (0 <= n)%Z -> ln (IZR (x ^ n)) = IZR n * ln (IZR x).
Proof.
  intros H Hn. destruct H as [H| ->]; [|rewrite Z.pow_0_r, ln_1; ring].
  rewrite <- (Z2Nat.id n Hn) at 1. rewrite <- pow_IZR, <- Rpower_pow by (apply IZR_lt; lia).
  unfold Rpower. rewrite ln_exp, INR_IZR_INZ, Z2Nat.id by exact Hn. reflexivity.
Qed.

Lemma ln_times x y : (0 < x)%Z -> (0 < y)%Z -> ln (IZR (x * y)) = ln (IZR x) + ln (IZR y).
Proof. intros. rewrite mult_IZR. now apply ln_mult; apply IZR_lt. Qed.

Lemma power_pos x n : (0 < x \/ n = 0)%Z -> (0 <= n)%Z -> (0 < x ^ n)%Z.
Proof. intros [H| ->] Hn; [now apply Z.pow_pos_nonneg|reflexivity]. Qed.

Lemma product_pos (f : Z -> Z) l : (forall x, In x l -> (0 < f x)%Z) -> (0 < product_of f l)%Z.
Proof.
  induction l as [|x l IH]; intros H; [reflexivity|]. cbn.
  apply Z.mul_pos_pos; [apply H; now left|apply IH; intros; apply H; now right].
Qed.

Lemma ln_product (f : Z -> Z) l : (forall x, In x l -> (0 < f x)%Z) ->
  ln (IZR (product_of f l)) = lsum (fun x => ln (IZR (f x))) l.
Proof.
  induction l as [|x l IH]; intros H; [exact ln_1|]. cbn [product_of fold_right lsum].
  rewrite ln_times; [|apply H; now left|apply product_pos; intros; apply H; now right].
  f_equal. apply IH. intros; apply H; now right.
Qed.

(** Bits that one symbol of L levels needs. *)
Definition need (L : Z) : R :=
  log2 (IZR L) - H2 (Q2R delta) - Q2R delta * log2 (IZR (L - 1)).

Lemma parts_pos L : In L levels -> (0 < top_of L)%Z /\ (0 < under_of L)%Z.
Proof.
  intros HL. destruct needed as (Ha & Hb & _ & H & _). specialize (H L HL).
  assert (0 < b)%Z by reflexivity. unfold top_of, under_of.
  split; repeat apply Z.mul_pos_pos; apply power_pos; lia.
Qed.

Lemma ln_parts L : In L levels ->
  ln (IZR (top_of L)) - ln (IZR (under_of L)) = IZR b * ln 2 * need L.
Proof.
  intros HL. destruct needed as (Ha & Hb & _ & H & _). specialize (H L HL).
  assert (B : (0 < b)%Z) by reflexivity. unfold top_of, under_of.
  rewrite !ln_times by (repeat apply Z.mul_pos_pos; apply power_pos; lia).
  rewrite !ln_power by lia.
  assert (Bp : 0 < IZR b) by now apply IZR_lt.
  assert (Ap : 0 < IZR (b - a)) by now apply IZR_lt.
  pose proof ln2_pos as L2. unfold need, H2, log2.
  assert (E : Q2R delta = IZR a / IZR b) by reflexivity. rewrite E.
  replace (1 - IZR a / IZR b) with (IZR (b - a) / IZR b) by (rewrite minus_IZR; field; lra).
  assert (Ln : forall x, 0 < x -> ln (x / IZR b) = ln x - ln (IZR b)).
  { intros x Hx. unfold Rdiv.
    rewrite ln_mult, ln_Rinv by (try assumption; now apply Rinv_0_lt_compat). ring. }
  rewrite (Ln _ Ap).
  assert (Ea : IZR a / IZR b * (ln (IZR a / IZR b) / ln 2)
    = IZR a / IZR b * ((ln (IZR a) - ln (IZR b)) / ln 2)).
  { destruct (Z.eq_dec a 0) as [->|N]; [unfold Rdiv; ring|]. rewrite Ln; [reflexivity|].
    apply IZR_lt. lia. }
  rewrite Ea. rewrite minus_IZR. field. lra.
Qed.

(** The logarithm of a power of 2 times what is under it, in such bits. *)
Lemma ln_needed n : (0 <= b * n)%Z ->
  0 < IZR (product_of under_of levels ^ d_v * 2 ^ (b * n)) /\
  0 < IZR (product_of top_of levels ^ d_v) /\
  ln (IZR (product_of top_of levels ^ d_v))
    - ln (IZR (product_of under_of levels ^ d_v * 2 ^ (b * n)))
  = IZR b * ln 2 * (IZR d_v * lsum need levels - IZR n).
Proof.
  intros Hn. destruct needed as (Ha & Hb & Hd & HL & B0 & _).
  assert (Pt : (0 < product_of top_of levels)%Z)
    by (apply product_pos; intros; now apply parts_pos).
  assert (Pu : (0 < product_of under_of levels)%Z)
    by (apply product_pos; intros; now apply parts_pos).
  assert (Pd : (0 < product_of under_of levels ^ d_v)%Z) by now apply Z.pow_pos_nonneg.
  assert (P2 : (0 < 2 ^ (b * n))%Z) by now apply Z.pow_pos_nonneg.
  split; [now apply IZR_lt, Z.mul_pos_pos|]. split; [now apply IZR_lt, Z.pow_pos_nonneg|].
  rewrite ln_times, !ln_power, !ln_product by (try lia; try assumption;
    intros; now apply parts_pos).
  assert (E : lsum (fun x => ln (IZR (top_of x))) levels
    = lsum (fun x => ln (IZR (under_of x))) levels + IZR b * ln 2 * lsum need levels).
  { rewrite <- lsum_scal, <- lsum_plus. apply lsum_ext. intros L HL'.
    pose proof (ln_parts L HL'). lra. }
  rewrite E, mult_IZR. ring.
Qed.

Lemma needed_bits :
  (IZR bits - 1 < IZR d_v * lsum need levels \/ bits = 0%Z) /\
  IZR d_v * lsum need levels <= IZR bits.
Proof.
  destruct needed as (_ & _ & _ & _ & B0 & _).
  assert (B : (0 < b)%Z) by reflexivity. pose proof ln2_pos.
  assert (Bp : 0 < IZR b * ln 2) by (apply Rmult_lt_0_compat; [now apply IZR_lt|assumption]).
  split.
  - destruct (Z.eq_dec bits 0) as [E|N]; [now right|left].
    destruct (ln_needed (bits - 1) ltac:(nia)) as (P & _ & E). rewrite minus_IZR in E.
    pose proof (powers_below ltac:(lia)) as U. apply IZR_lt, (ln_increasing _ _ P) in U. nra.
  - destruct (ln_needed bits ltac:(nia)) as (_ & P & E).
    pose proof powers_met as U. apply IZR_le, (ln_le _ _ P) in U. nra.
Qed.
End Needed.
