(** The fast path, level (a): outputs and log-sum-exps evaluated in float64 lie within the radius.
    Any order of sums, any order of attention: tuples are numbered, and what is computed of them are
    expressions. *)
From Coq Require Import Reals ZArith Lra Lia Arith.
From Flocq Require Import Core.
From KVFloor Require Import Sums Attention Binary64 Nearest ExpSeries FastPathSums FastPathExp2.
Open Scope R_scope.

(** γ_k, as it is computed. *)
Definition gamma (k : nat) : R := INR k * roundoff * (1 + / 2 ^ 20).

Lemma gamma_pos k : 0 <= gamma k.
Proof.
  unfold gamma. pose proof roundoff_small. repeat apply Rmult_le_pos; try apply pos_INR; lra.
Qed.

(** What an expression whose terms pass k roundings is off by. *)
Definition off (k : nat) (e : expression) : R := gamma k * size e + lost e.

Lemma off_pos k e : 0 <= off k e.
Proof.
  unfold off. apply Rplus_le_le_0_compat; [|apply lost_pos].
  apply Rmult_le_pos; [apply gamma_pos|apply size_pos].
Qed.

Lemma computed_off k e : given e -> (roundings e <= k <= 2 ^ 30)%nat ->
  Rabs (computed e - exact e) <= off k e.
Proof.
  intros H [Hr Hk]. eapply Rle_trans; [apply (fast_path_sums e H)|].
  unfold off. apply Rplus_le_compat_r, Rmult_le_compat_r; [apply size_pos|].
  eapply Rle_trans; [|apply (fast_path_gamma k Hk)]. pose proof (growth_monotone _ _ Hr). lra.
Qed.

Lemma exp_near_1_twice x : Rabs x <= 1 -> Rabs (exp x - 1) <= Rabs x * (1 + 3 / 2 * Rabs x).
Proof.
  intros H. pose proof (exp_series_near 1 x H) as K. unfold exp_series in K.
  cbn [sum_f_R0 fact pow] in K. simpl INR in K.
  replace (exp x - 1) with ((exp x - (1 / 1 + x * 1 / 1)) + x) by field.
  eapply Rle_trans; [apply Rabs_triang|]. lra.
Qed.

(** ln 2, rounded up. *)
Lemma ln2_above : 0 < ln 2 <= 6932 / 10000.
Proof.
  pose proof ln2_within as H. apply Rabs_le_inv in H. unfold ln2_near, ln2_numerator in H. lra.
Qed.

(** A weight off by 5 units roundoff of one whose logit, in bits, is off by delta. *)
Lemma weight_off s t w delta lift :
  Rabs (s - t) <= delta -> delta <= / 2 ^ 12 -> 0 <= w -> 0 <= lift ->
  Rabs (w - Rpower 2 s) <= 5 * roundoff * Rpower 2 s + lift ->
  Rabs (w - Rpower 2 t)
    <= w * ((5 * roundoff + 6932 / 10000 * delta) * (1 + / 2 ^ 11)) + 2 * lift.
Proof.
  intros Hd Hd12 Hw Hl H. pose proof ln2_above as HL. pose proof roundoff_small as Hu.
  set (A := Rpower 2 s) in *. set (x := (t - s) * ln 2).
  assert (HA : 0 < A) by apply exp_pos.
  assert (Et : Rpower 2 t = A * exp x).
  { unfold A, Rpower, x. rewrite <- exp_plus. f_equal. ring. }
  pose proof (Rabs_pos (s - t)) as Hd0.
  assert (Hx : Rabs x <= 6932 / 10000 * delta).
  { unfold x. rewrite Rabs_mult, (Rabs_pos_eq (ln 2)), Rabs_minus_sym by lra. nra. }
  pose proof (Rabs_pos x) as Hx0.
  pose proof (exp_near_1_twice x ltac:(lra)) as Hexp.
  assert (H1 : Rabs (A * exp x - A) <= A * (Rabs x * (1 + 3 / 2 * Rabs x))).
  { replace (A * exp x - A) with (A * (exp x - 1)) by ring.
    rewrite Rabs_mult, Rabs_pos_eq by lra. apply Rmult_le_compat_l; lra. }
  set (xi := Rabs x * (1 + 3 / 2 * Rabs x)) in *.
  set (m := 6932 / 10000 * delta) in *.
  assert (Hxi : 0 <= xi <= m * (1 + / 10 ^ 3 * (3 / 10))).
  { unfold xi. assert (m <= / 5000) by (unfold m; lra). split; [apply Rmult_le_pos; lra|].
    apply Rmult_le_compat; lra. }
  assert (HAw : A * (1 - 5 * roundoff) <= w + lift) by (apply Rabs_le_inv in H; lra).
  assert (Hsum : Rabs (w - A * exp x) <= A * (xi + 5 * roundoff) + lift).
  { replace (w - A * exp x) with ((w - A) - (A * exp x - A)) by ring.
    eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_Ropp. lra. }
  rewrite Et. eapply Rle_trans; [exact Hsum|].
  assert (Hm : 0 <= m <= / 5000) by (unfold m; lra).
  set (o := (5 * roundoff + m) * (1 + / 2 ^ 11)).
  assert (Ho : xi + 5 * roundoff <= o * (1 - 5 * roundoff)) by (unfold o; nra).
  assert (Ho1 : 0 <= o <= 1) by (unfold o; lra).
  assert (A * (xi + 5 * roundoff) <= o * (w + lift)).
  { apply Rle_trans with (A * (o * (1 - 5 * roundoff))); [apply Rmult_le_compat_l; lra|].
    replace (A * (o * (1 - 5 * roundoff))) with (o * (A * (1 - 5 * roundoff))) by ring.
    apply Rmult_le_compat_l; lra. }
  nra.
Qed.

(** A quotient of sums that are off by e_n and e_d, itself off by q. *)
Lemma quotient_off N D N' D' z e_n e_d q :
  Rabs (N' - N) <= e_n -> Rabs (D' - D) <= e_d -> e_d < D' -> D' <= (1 + / 2 ^ 11) * D ->
  Rabs (z - N' / D') <= q ->
  Rabs (z - N / D) <= (e_n + Rabs z * e_d) / (D' - e_d) + (1 + / 2 ^ 11) * q.
Proof.
  intros HN HD He HD' Hz.
  assert (HD0 : D' - e_d <= D) by (apply Rabs_le_inv in HD; lra).
  assert (He0 : 0 <= e_d) by (eapply Rle_trans; [apply Rabs_pos|exact HD]).
  assert (HiD : 0 < / D) by (apply Rinv_0_lt_compat; lra).
  assert (Hq0 : 0 <= q) by (eapply Rle_trans; [apply Rabs_pos|exact Hz]).
  replace (z - N / D) with ((z - N' / D') * D' * / D + ((N' - N) - z * (D' - D)) * / D)
    by (field; lra).
  eapply Rle_trans; [apply Rabs_triang|]. rewrite Rplus_comm. apply Rplus_le_compat.
  - rewrite Rabs_mult, (Rabs_pos_eq (/ D)) by lra.
    apply Rmult_le_compat; [apply Rabs_pos|lra| |apply Rinv_le_contravar; lra].
    unfold Rminus at 1. eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_Ropp, Rabs_mult.
    apply Rplus_le_compat; [exact HN|]. apply Rmult_le_compat_l; [apply Rabs_pos|exact HD].
  - rewrite !Rabs_mult, (Rabs_pos_eq (/ D)), (Rabs_pos_eq D') by lra.
    rewrite (Rmult_comm _ q), Rmult_assoc.
    apply Rmult_le_compat; [apply Rabs_pos|apply Rmult_le_pos; lra|exact Hz|].
    apply (Rmult_le_reg_r D); [lra|]. rewrite Rmult_assoc, Rinv_l by lra. lra.
Qed.

(** ** Sums of weights and values *)

Section Level.
Variables (N k r : nat) (scale : Z) (logits : nat -> expression) (w lift : nat -> R).
Hypothesis Hk : (k <= 2 ^ 30)%nat.
Hypothesis Hr : (r <= 2 ^ 30)%nat.
Hypothesis Hlogits : forall t, (t < N)%nat ->
  given (logits t) /\ (roundings (logits t) <= k)%nat /\ off k (logits t) <= / 2 ^ 12.
Hypothesis Hw : forall t, (t < N)%nat ->
  0 <= w t /\ 0 <= lift t
  /\ Rabs (bpow radix2 scale * w t - Rpower 2 (computed (logits t)))
      <= 5 * roundoff * Rpower 2 (computed (logits t)) + bpow radix2 scale * lift t.

Let u2 : R := bpow radix2 scale.
(** The relative error of a term, sums and weight together. *)
Definition term_off (t : nat) : R :=
  gamma r + 5 * roundoff + 6932 / 10000 * off k (logits t).
Definition true_weight (t : nat) : R := Rpower 2 (exact (logits t)) / u2.

Lemma unit_pos : 0 < u2.
Proof. apply bpow_gt_0. Qed.

Lemma true_weight_pos t : 0 < true_weight t.
Proof. apply Rdiv_lt_0_compat; [apply exp_pos|apply unit_pos]. Qed.

Lemma term_off_pos t : 0 <= term_off t.
Proof.
  unfold term_off. pose proof (gamma_pos r). pose proof (off_pos k (logits t)).
  pose proof roundoff_small. lra.
Qed.

Lemma gamma_small j : (j <= 2 ^ 30)%nat -> gamma j <= / 2 ^ 22.
Proof.
  intros Hj. apply le_INR in Hj. rewrite pow_INR in Hj. change (INR 2) with 2 in Hj.
  unfold gamma, roundoff. pose proof (pos_INR j). lra.
Qed.

Lemma true_weight_off t : (t < N)%nat ->
  Rabs (w t - true_weight t)
    <= w t * ((5 * roundoff + 6932 / 10000 * off k (logits t)) * (1 + / 2 ^ 11)) + 2 * lift t.
Proof.
  intros Ht. destruct (Hlogits t Ht) as (Hg & Hrt & H12). destruct (Hw t Ht) as (H0 & Hl & H).
  pose proof unit_pos as Hu. fold u2 in H.
  pose proof (computed_off k (logits t) Hg (conj Hrt Hk)) as Hd.
  pose proof (weight_off _ _ (u2 * w t) _ (u2 * lift t) Hd H12 ltac:(nra) ltac:(nra) H) as K.
  apply (Rmult_le_reg_l u2); [exact Hu|].
  rewrite <- (Rabs_pos_eq u2) at 1 by lra. rewrite <- Rabs_mult. unfold true_weight.
  replace (u2 * (w t - Rpower 2 (exact (logits t)) / u2))
    with (u2 * w t - Rpower 2 (exact (logits t))) by (field; lra).
  eapply Rle_trans; [exact K|]. right. ring.
Qed.

(** A sum of weights times numbers x, in any order. *)
Lemma sum_off e x b : given e -> (roundings e <= r)%nat ->
  exact e = rsum N (fun t => w t * x t) -> size e <= rsum N (fun t => w t * Rabs (x t)) ->
  rsum N (fun t => w t * Rabs (x t) * term_off t) <= b ->
  Rabs (computed e - rsum N (fun t => true_weight t * x t))
    <= (1 + / 2 ^ 11) * b + (lost e + rsum N (fun t => 2 * lift t * Rabs (x t))).
Proof.
  intros Hg Hre He Hs Hb.
  pose proof (computed_off r e Hg (conj Hre Hr)) as K. rewrite He in K.
  replace (computed e - rsum N (fun t => true_weight t * x t))
    with ((computed e - rsum N (fun t => w t * x t))
          + rsum N (fun t => (w t - true_weight t) * x t)).
  2: { rewrite (rsum_ext N (fun t => (w t - true_weight t) * x t)
         (fun t => w t * x t + -1 * (true_weight t * x t))) by (intros; ring).
       rewrite rsum_plus, rsum_scal. ring. }
  eapply Rle_trans; [apply Rabs_triang|].
  assert (HW : Rabs (rsum N (fun t => (w t - true_weight t) * x t))
    <= rsum N (fun t => (1 + / 2 ^ 11)
         * (w t * Rabs (x t) * (5 * roundoff + 6932 / 10000 * off k (logits t)))
         + 2 * lift t * Rabs (x t))).
  { eapply Rle_trans; [apply rsum_Rabs|]. apply rsum_le. intros t Ht. rewrite Rabs_mult.
    eapply Rle_trans; [apply Rmult_le_compat_r; [apply Rabs_pos|apply (true_weight_off t Ht)]|].
    right. ring. }
  rewrite rsum_plus, rsum_scal in HW.
  assert (HG : off r e <= gamma r * rsum N (fun t => w t * Rabs (x t)) + lost e)
    by (unfold off; apply Rplus_le_compat_r, Rmult_le_compat_l; [apply gamma_pos|exact Hs]).
  assert (Hsplit : rsum N (fun t => w t * Rabs (x t) * term_off t)
    = gamma r * rsum N (fun t => w t * Rabs (x t))
      + rsum N (fun t => w t * Rabs (x t) * (5 * roundoff + 6932 / 10000 * off k (logits t)))).
  { rewrite <- rsum_scal, <- rsum_plus. apply rsum_ext. intros. unfold term_off. ring. }
  assert (0 <= gamma r * rsum N (fun t => w t * Rabs (x t))).
  { apply Rmult_le_pos; [apply gamma_pos|]. apply rsum_nonneg. intros t Ht.
    apply Rmult_le_pos; [apply (Hw t Ht)|apply Rabs_pos]. }
  lra.
Qed.

(** A sum of the weights alone. *)
Lemma total_off e b : given e -> (roundings e <= r)%nat ->
  exact e = rsum N w -> size e <= rsum N w -> rsum N (fun t => w t * term_off t) <= b ->
  Rabs (computed e - rsum N true_weight)
    <= (1 + / 2 ^ 11) * b + (lost e + rsum N (fun t => 2 * lift t)).
Proof.
  intros Hg Hre He Hs Hb.
  rewrite (rsum_ext N true_weight (fun t => true_weight t * 1)) by (intros; ring).
  rewrite (rsum_ext N (fun t => 2 * lift t) (fun t => 2 * lift t * Rabs 1))
    by (intros; rewrite Rabs_R1; ring).
  apply (sum_off e (fun _ => 1) b Hg Hre).
  - rewrite He. apply rsum_ext. intros. ring.
  - rewrite (rsum_ext N _ w) by (intros; rewrite Rabs_R1; ring). exact Hs.
  - rewrite (rsum_ext N _ (fun t => w t * term_off t)) by (intros; rewrite Rabs_R1; ring). exact Hb.
Qed.

Lemma term_off_small t : (t < N)%nat -> term_off t <= 3 / 4 * / 2 ^ 12.
Proof.
  intros Ht. pose proof (gamma_small r Hr) as Hg. destruct (Hlogits t Ht) as (_ & _ & H).
  unfold term_off. unfold roundoff. lra.
Qed.

(** The computed sum of weights is near the true one, as logits are within 2^-12. *)
Lemma total_near e : given e -> (roundings e <= r)%nat ->
  exact e = rsum N w -> size e <= rsum N w -> 0 < computed e ->
  lost e + rsum N (fun t => 2 * lift t) <= / 2 ^ 400 * computed e ->
  computed e <= (1 + / 2 ^ 11) * rsum N true_weight.
Proof.
  intros Hg Hre He Hs Hpos Hlost. set (D := computed e) in *.
  assert (Hw0 : 0 <= rsum N w) by (apply rsum_nonneg; intros t Ht; apply (Hw t Ht)).
  assert (Hb : rsum N (fun t => w t * term_off t) <= 3 / 4 * / 2 ^ 12 * rsum N w).
  { rewrite <- rsum_scal. apply rsum_le. intros t Ht.
    pose proof (term_off_small t Ht). destruct (Hw t Ht) as [H0 _]. nra. }
  pose proof (total_off e _ Hg Hre He Hs Hb) as K. fold D in K.
  pose proof (computed_off r e Hg (conj Hre Hr)) as G. fold D in G. rewrite He in G.
  assert (Hll : 0 <= rsum N (fun t => 2 * lift t)).
  { apply rsum_nonneg. intros t Ht. destruct (Hw t Ht) as (_ & Hl & _). lra. }
  assert (HG : off r e <= / 2 ^ 22 * rsum N w + lost e).
  { unfold off. apply Rplus_le_compat_r. apply Rle_trans with (gamma r * rsum N w).
    - apply Rmult_le_compat_l; [apply gamma_pos|exact Hs].
    - apply Rmult_le_compat_r; [exact Hw0|apply gamma_small, Hr]. }
  apply Rabs_le_inv in K. apply Rabs_le_inv in G.
  assert (/ 2 ^ 400 <= / 2 ^ 30) by (apply Rinv_le_contravar; [nra|]; apply Rle_pow; [lra|lia]).
  assert (/ 2 ^ 400 * D <= / 2 ^ 30 * D) by (apply Rmult_le_compat_r; lra).
  pose proof (lost_pos e). lra.
Qed.
End Level.

Lemma quotient_rounded x : Rabs (fl x - x) <= 2 * roundoff * Rabs (fl x) + 2 * underflow.
Proof.
  pose proof (fl_near x) as H. pose proof roundoff_small. pose proof underflow_pos.
  assert (Rabs x <= Rabs (fl x) + Rabs (fl x - x)).
  { replace x with (fl x - (fl x - x)) at 1 by ring. eapply Rle_trans; [apply Rabs_triang|].
    rewrite Rabs_Ropp. lra. }
  pose proof (Rabs_pos (fl x - x)). pose proof (Rabs_pos (fl x)). nra.
Qed.

Lemma log_above x : 0 < x -> ln x <= x - 1.
Proof. intros H. pose proof (exp_ineq1_le (ln x)) as K. rewrite exp_ln in K by exact H. lra. Qed.

Lemma log_near T D e : Rabs (D - T) <= e -> e < D -> Rabs (ln T - ln D) <= e / (D - e).
Proof.
  intros H He. apply Rabs_le_inv in H. assert (He0 : 0 <= e) by lra.
  assert (G : forall x y, 0 < x -> D - e <= y -> x - y <= e -> ln x - ln y <= e / (D - e)).
  { intros x y Hx Hy Hxy.
    replace (ln x - ln y) with (ln (x / y)).
    2: { unfold Rdiv. rewrite ln_mult, ln_Rinv; [ring|lra|exact Hx|apply Rinv_0_lt_compat; lra]. }
    eapply Rle_trans; [apply log_above, Rdiv_lt_0_compat; lra|].
    replace (x / y - 1) with ((x - y) / y) by (field; lra).
    apply Rle_trans with (e / y).
    - apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat; lra|exact Hxy].
    - apply Rmult_le_compat_l; [exact He0|apply Rinv_le_contravar; lra]. }
  apply Rabs_le. split; [|apply G; lra].
  assert (ln D - ln T <= e / (D - e)) by (apply G; lra). lra.
Qed.

Theorem fast_path N k r scale logits w lift v numerator total b_n b_d :
  (0 < N)%nat -> (k <= 2 ^ 30)%nat -> (r <= 2 ^ 30)%nat ->
  (forall t, (t < N)%nat ->
     given (logits t) /\ (roundings (logits t) <= k)%nat /\ off k (logits t) <= / 2 ^ 12) ->
  (forall t, (t < N)%nat ->
     0 <= w t /\ 0 <= lift t
     /\ Rabs (bpow radix2 scale * w t - Rpower 2 (computed (logits t)))
         <= 5 * roundoff * Rpower 2 (computed (logits t)) + bpow radix2 scale * lift t) ->
  (given numerator /\ (roundings numerator <= r)%nat
   /\ exact numerator = rsum N (fun t => w t * v t)
   /\ size numerator <= rsum N (fun t => w t * Rabs (v t))) ->
  (given total /\ (roundings total <= r)%nat /\ exact total = rsum N w /\ size total <= rsum N w) ->
  rsum N (fun t => w t * Rabs (v t) * term_off k r logits t) <= b_n ->
  rsum N (fun t => w t * term_off k r logits t) <= b_d ->
  let D := computed total in
  0 < D ->
  lost numerator + rsum N (fun t => 2 * lift t * Rabs (v t)) <= / 2 ^ 400 * D ->
  lost total + rsum N (fun t => 2 * lift t) <= / 2 ^ 400 * D ->
  let e b := (1 + / 2 ^ 11) * b + / 2 ^ 400 * D in
  e b_d < D ->
  let z := fl (computed numerator / D) in
  Rabs (z - output N (fun t => exact (logits t) * ln 2) v)
    <= (1 + / 2 ^ 11) * ((e b_n + Rabs z * e b_d) / (D - e b_d) + 2 * roundoff * Rabs z)
  /\ Rabs (ln (rsum N (fun t => exp (exact (logits t) * ln 2))) - (IZR scale * ln 2 + ln D))
    <= e b_d / (D - e b_d).
Proof.
  intros HN Hk Hr Hlogits Hw (Ng & Nr & Ne & Ns) (Tg & Tr & Te & Ts) Hbn Hbd D HD Hln Hld e He z.
  set (tw := true_weight scale logits).
  assert (Hbn0 : 0 <= b_n).
  { eapply Rle_trans; [|exact Hbn]. apply rsum_nonneg. intros t Ht.
    apply Rmult_le_pos; [apply Rmult_le_pos; [apply (Hw t Ht)|apply Rabs_pos]|apply term_off_pos]. }
  assert (Hbd0 : 0 <= b_d).
  { eapply Rle_trans; [|exact Hbd]. apply rsum_nonneg. intros t Ht.
    apply Rmult_le_pos; [apply (Hw t Ht)|apply term_off_pos]. }
  pose proof (sum_off N k r scale logits w lift Hk Hr Hlogits Hw numerator v b_n Ng Nr Ne Ns Hbn) as Kn.
  pose proof (total_off N k r scale logits w lift Hk Hr Hlogits Hw total b_d Tg Tr Te Ts Hbd) as Kd.
  pose proof (total_near N k r scale logits w lift Hk Hr Hlogits Hw total Tg Tr Te Ts HD Hld) as Kt.
  fold D in Kd, Kt. fold tw in Kn, Kd, Kt.
  assert (Kn' : Rabs (computed numerator - rsum N (fun t => tw t * v t)) <= e b_n)
    by (unfold e; lra).
  assert (Kd' : Rabs (D - rsum N tw) <= e b_d) by (unfold e; lra).
  assert (Hu := bpow_gt_0 radix2 scale).
  assert (HT : rsum N (fun t => exp (exact (logits t) * ln 2)) = bpow radix2 scale * rsum N tw).
  { rewrite <- rsum_scal. apply rsum_ext. intros. unfold tw, true_weight, Rpower. field. lra. }
  assert (HT0 : 0 < rsum N tw) by lra.
  split.
  - replace (output N (fun t => exact (logits t) * ln 2) v)
      with (rsum N (fun t => tw t * v t) / rsum N tw).
    2: { unfold output, weight. rewrite HT. set (T := rsum N tw) in *.
         unfold Rdiv at 1. rewrite <- rsum_scal_r. apply rsum_ext.
         intros. unfold tw, true_weight, Rpower. field. split; lra. }
    pose proof (quotient_off _ _ _ _ z _ _ _ Kn' Kd' He Kt (quotient_rounded _)) as Q.
    eapply Rle_trans; [exact Q|]. fold z.
    assert (Htiny : 2 * underflow <= / 2 ^ 12 * ((e b_n + Rabs z * e b_d) / (D - e b_d))).
    { assert (Hq : / 2 ^ 400 <= (e b_n + Rabs z * e b_d) / (D - e b_d)).
      { apply (Rmult_le_reg_r (D - e b_d)); [lra|]. unfold Rdiv.
        rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra. pose proof (Rabs_pos z).
        assert (0 < / 2 ^ 400) by (apply Rinv_0_lt_compat, pow_lt; lra).
        assert (0 <= / 2 ^ 400 * D) by (apply Rmult_le_pos; lra).
        assert (0 <= e b_d) by (unfold e; lra).
        assert (0 <= Rabs z * e b_d) by (apply Rmult_le_pos; lra).
        assert (/ 2 ^ 400 * D <= e b_n) by (unfold e; lra).
        apply Rle_trans with (/ 2 ^ 400 * D); [apply Rmult_le_compat_l|]; lra. }
      apply Rle_trans with (/ 2 ^ 12 * / 2 ^ 400); [|apply Rmult_le_compat_l; [lra|exact Hq]].
      unfold underflow. change 1075%nat with (1 + (12 + (400 + 662)))%nat.
      rewrite !pow_add, !Rinv_mult, pow_1.
      assert (H662 : 1 <= 2 ^ 662) by (apply pow_R1_Rle; lra).
      assert (/ 2 ^ 662 <= 1)
        by (apply (Rmult_le_reg_r (2 ^ 662)); [lra|]; rewrite Rinv_l; lra).
      assert (0 < / 2 ^ 400) by (apply Rinv_0_lt_compat, pow_lt; lra).
      assert (/ 2 ^ 12 * (/ 2 ^ 400 * / 2 ^ 662) <= / 2 ^ 12 * (/ 2 ^ 400 * 1))
        by (repeat apply Rmult_le_compat_l; lra). lra. }
    set (X := (e b_n + Rabs z * e b_d) / (D - e b_d)) in *. pose proof underflow_pos. lra.
  - rewrite HT, ln_mult by lra. rewrite power_two. unfold Rpower at 1. rewrite ln_exp.
    assert (HT1 : D - e b_d <= rsum N tw) by (apply Rabs_le_inv in Kd'; lra).
    pose proof (log_near (rsum N tw) D (e b_d) Kd' He) as L.
    replace (IZR scale * ln 2 + ln (rsum N tw) - (IZR scale * ln 2 + ln D))
      with (ln (rsum N tw) - ln D) by ring. exact L.
Qed.
