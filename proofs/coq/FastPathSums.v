(** The fast path: sums and products in any order, fused or not. A term that passes k roundings is
    off by γ_k = ku/(1-ku) at most; and where all terms are multiples of one power of two, and their
    absolute values add up to 53 bits, nothing is rounded.
    Higham, "Accuracy and Stability of Numerical Algorithms" (2002), chapters 3 and 4; Ozaki, Ogita,
    Oishi, Rump, "Error-free transformations of matrix multiplication" (2012). *)
From Coq Require Import Reals ZArith Lra Lia Arith.
From Flocq Require Import Core.
From KVFloor Require Import Binary64 Nearest ForwardError.
Open Scope R_scope.

Lemma growth_pos k : 1 <= (1 + roundoff) ^ k.
Proof. apply pow_R1_Rle. pose proof roundoff_small. lra. Qed.

Lemma growth_monotone j k : (j <= k)%nat -> (1 + roundoff) ^ j <= (1 + roundoff) ^ k.
Proof. intros H. apply Rle_pow; [|exact H]. pose proof roundoff_small. lra. Qed.

Lemma size_pos e : 0 <= size e.
Proof.
  induction e; simpl; [apply Rabs_pos|lra|now apply Rmult_le_pos|].
  apply Rplus_le_le_0_compat; [now apply Rmult_le_pos|assumption].
Qed.

Lemma exact_size e : Rabs (exact e) <= size e.
Proof.
  induction e; simpl.
  - lra.
  - eapply Rle_trans; [apply Rabs_triang|]. lra.
  - rewrite Rabs_mult. apply Rmult_le_compat; auto using Rabs_pos.
  - eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_mult. apply Rplus_le_compat; [|assumption].
    apply Rmult_le_compat; auto using Rabs_pos.
Qed.

Lemma grown_pos k x : 0 <= x -> 0 <= grown k x.
Proof. intros H. apply Rmult_le_pos; [|exact H]. pose proof (growth_pos k). lra. Qed.

Lemma product_lost_pos k l x y lx ly :
  0 <= x -> 0 <= y -> 0 <= lx -> 0 <= ly -> 0 <= product_lost k l x y lx ly.
Proof.
  intros. unfold product_lost.
  apply Rplus_le_le_0_compat; [apply Rplus_le_le_0_compat|];
    apply Rmult_le_pos; auto using grown_pos.
Qed.

Lemma lost_pos e : 0 <= lost e.
Proof.
  pose proof roundoff_small. pose proof underflow_pos.
  induction e as [| |s Hs t Ht|r Hr s Hs t Ht]; simpl; [lra|nra| |].
  - pose proof (product_lost_pos (roundings s) (roundings t) (size s) (size t) (lost s) (lost t)
      (size_pos s) (size_pos t) Hs Ht). nra.
  - pose proof (product_lost_pos (roundings r) (roundings s) (size r) (size s) (lost r) (lost s)
      (size_pos r) (size_pos s) Hr Hs). nra.
Qed.

Lemma computed_float e : given e -> float (computed e).
Proof. destruct e; simpl; intros H; [tauto|apply fl_float..]. Qed.

(** What is off by a factor of x or y of its size, and by a little, in a product. *)
Lemma product_off a b A B x y SA SB la lb :
  Rabs (a - A) <= (x - 1) * SA + la -> Rabs (b - B) <= (y - 1) * SB + lb ->
  Rabs A <= SA -> Rabs B <= SB -> 1 <= x -> 1 <= y -> 0 <= la -> 0 <= lb ->
  Rabs (a * b - A * B) <= (x * y - 1) * (SA * SB) + (la * (y * SB) + x * SA * lb + la * lb).
Proof.
  intros Ha Hb HA HB Hx Hy Hla Hlb.
  replace (a * b - A * B) with ((a - A) * (b - B) + (a - A) * B + A * (b - B)) by ring.
  pose proof (Rabs_pos A). pose proof (Rabs_pos B).
  eapply Rle_trans; [apply Rabs_triang|].
  eapply Rle_trans; [apply Rplus_le_compat_r, Rabs_triang|]. rewrite !Rabs_mult.
  assert (H1 : Rabs (a - A) * Rabs (b - B) <= ((x - 1) * SA + la) * ((y - 1) * SB + lb))
    by (apply Rmult_le_compat; auto using Rabs_pos).
  assert (H2 : Rabs (a - A) * Rabs B <= ((x - 1) * SA + la) * SB)
    by (apply Rmult_le_compat; auto using Rabs_pos).
  assert (H3 : Rabs A * Rabs (b - B) <= SA * ((y - 1) * SB + lb))
    by (apply Rmult_le_compat; auto using Rabs_pos).
  lra.
Qed.

(** One rounding more. *)
Lemma rounding_off r z Z p S l lose :
  Rabs (r - z) <= roundoff * Rabs z + lose -> Rabs (z - Z) <= (p - 1) * S + l -> Rabs Z <= S ->
  Rabs (r - Z) <= ((1 + roundoff) * p - 1) * S + ((1 + roundoff) * l + lose).
Proof.
  intros Hr Hz HZ. pose proof roundoff_small.
  assert (Hs : Rabs z <= (p - 1) * S + l + S).
  { replace z with ((z - Z) + Z) by ring. eapply Rle_trans; [apply Rabs_triang|]. lra. }
  replace (r - Z) with ((r - z) + (z - Z)) by ring.
  eapply Rle_trans; [apply Rabs_triang|].
  assert (roundoff * Rabs z <= roundoff * ((p - 1) * S + l + S))
    by (apply Rmult_le_compat_l; lra). lra.
Qed.

Lemma larger_growth d p q S l : d <= (p - 1) * S + l -> p <= q -> 0 <= S -> d <= (q - 1) * S + l.
Proof. intros Hd Hp HS. assert ((p - 1) * S <= (q - 1) * S) by (apply Rmult_le_compat_r; lra). lra. Qed.

Theorem fast_path_sums e : given e ->
  Rabs (computed e - exact e) <= ((1 + roundoff) ^ roundings e - 1) * size e + lost e.
Proof.
  pose proof roundoff_small as Hu.
  induction e as [k a x|s IHs t IHt|s IHs t IHt|r IHr s IHs t IHt]; simpl given; intros H.
  - simpl. lra.
  - destruct H as [Hs Ht]. specialize (IHs Hs). specialize (IHt Ht).
    cbn [computed exact size roundings lost]. rewrite <- tech_pow_Rmult.
    rewrite <- (Rplus_0_r ((1 + roundoff) * (lost s + lost t))).
    apply (rounding_off _ (computed s + computed t)).
    + rewrite Rplus_0_r. apply fl_sum_near; apply computed_float; assumption.
    + apply (larger_growth _ _ _ _ _) with (2 := growth_monotone _ _ (Nat.le_max_l _ (roundings t))) in IHs;
        [|apply size_pos].
      apply (larger_growth _ _ _ _ _) with (2 := growth_monotone _ _ (Nat.le_max_r (roundings s) _)) in IHt;
        [|apply size_pos].
      replace (computed s + computed t - (exact s + exact t))
        with ((computed s - exact s) + (computed t - exact t)) by ring.
      eapply Rle_trans; [apply Rabs_triang|]. lra.
    + apply (exact_size (summed s t)).
  - destruct H as [Hs Ht]. specialize (IHs Hs). specialize (IHt Ht).
    cbn [computed exact size roundings lost]. rewrite <- tech_pow_Rmult, pow_add.
    apply (rounding_off _ (computed s * computed t)); [apply fl_near| |apply (exact_size (multiplied s t))].
    apply product_off; auto using exact_size, growth_pos, lost_pos.
  - destruct H as (Hr & Hs & Ht). specialize (IHr Hr). specialize (IHs Hs). specialize (IHt Ht).
    cbn [computed exact size roundings lost]. rewrite <- tech_pow_Rmult.
    apply (rounding_off _ (computed r * computed s + computed t));
      [apply fl_near| |apply (exact_size (fused r s t))].
    assert (Hp : Rabs (computed r * computed s - exact r * exact s)
        <= ((1 + roundoff) ^ (roundings r + roundings s) - 1) * (size r * size s)
           + product_lost (roundings r) (roundings s) (size r) (size s) (lost r) (lost s))
      by (rewrite pow_add; apply product_off; auto using exact_size, growth_pos, lost_pos).
    apply (larger_growth _ _ _ _ _) with (2 := growth_monotone _ _ (Nat.le_max_l _ (roundings t))) in Hp;
      [|apply Rmult_le_pos; apply size_pos].
    apply (larger_growth _ _ _ _ _)
      with (2 := growth_monotone _ _ (Nat.le_max_r (roundings r + roundings s) _)) in IHt;
      [|apply size_pos].
    replace (computed r * computed s + computed t - (exact r * exact s + exact t))
      with ((computed r * computed s - exact r * exact s) + (computed t - exact t)) by ring.
    eapply Rle_trans; [apply Rabs_triang|]. lra.
Qed.

(** The bound of γ_k that the code computes. *)
Theorem fast_path_gamma k : (k <= 2 ^ 30)%nat ->
  (1 + roundoff) ^ k - 1 <= INR k * roundoff * (1 + / 2 ^ 20).
Proof.
  intros Hk. apply le_INR in Hk. rewrite pow_INR in Hk. change (INR 2) with 2 in Hk.
  pose proof roundoff_small as Hu. pose proof (pos_INR k) as Hk0.
  assert (Hku : INR k * roundoff <= / 2 ^ 23).
  { replace (/ 2 ^ 23) with (2 ^ 30 * roundoff) by (unfold roundoff; field).
    apply Rmult_le_compat_r; lra. }
  assert (H0 : 0 <= INR k * roundoff) by (apply Rmult_le_pos; lra).
  set (x := INR k * roundoff) in *.
  destruct (forward_error_gamma roundoff k) as [H _]; [lra|fold x; lra|]. fold x in H.
  assert (Hd : x / (1 - x) <= x * (1 + / 2 ^ 20)); [|lra].
  apply (Rmult_le_reg_r (1 - x)); [lra|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. nra.
Qed.

(** ** Sums that are not rounded *)

Lemma size_exact_on_grid c e : (-1074 <= c)%Z -> on_grid c e -> size e <= bpow radix2 (53 + c) ->
  computed e = exact e /\ multiple c (exact e).
Proof.
  intros Hc.
  induction e as [k a x|s IHs t IHt|s _ t _|r _ s _ t IHt]; cbn [size computed exact on_grid]; intros H Hsize.
  - destruct H as [-> H]. auto.
  - pose proof (size_pos s). pose proof (size_pos t).
    destruct (IHs (proj1 H)) as [Es Ms]; [lra|]. destruct (IHt (proj2 H)) as [Et Mt]; [lra|].
    rewrite Es, Et. assert (M : multiple c (exact s + exact t)) by now apply multiple_plus.
    split; [|exact M]. apply fl_exact, (multiple_float c); [exact Hc|exact M|].
    eapply Rle_trans; [apply (exact_size (summed s t))|exact Hsize].
  - destruct s as [? a x| | |]; try contradiction. destruct t as [? b y| | |]; try contradiction.
    destruct H as (-> & -> & M). cbn [computed exact size] in *. split; [|exact M].
    apply fl_exact, (multiple_float c); [exact Hc|exact M|]. now rewrite Rabs_mult.
  - destruct r as [? a x| | |]; try contradiction. destruct s as [? b y| | |]; try contradiction.
    destruct H as (-> & -> & M & Ht). cbn [computed exact size] in *.
    pose proof (Rmult_le_pos _ _ (Rabs_pos x) (Rabs_pos y)).
    destruct (IHt Ht) as [Et Mt]; [lra|]. rewrite Et.
    assert (M' : multiple c (x * y + exact t)) by now apply multiple_plus.
    split; [|exact M']. apply fl_exact, (multiple_float c); [exact Hc|exact M'|].
    eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_mult.
    pose proof (exact_size t). lra.
Qed.

Theorem fast_path_sums_unrounded c e :
  (-1074 <= c)%Z -> on_grid c e -> size e <= bpow radix2 (53 + c) -> computed e = exact e.
Proof. intros Hc H Hs. apply (size_exact_on_grid c e Hc H Hs). Qed.
