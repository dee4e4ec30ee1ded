(** The fast path, level (a) at order 1: three sums of weights, with values, with ones and with squares
    of values, give the output, and the deviation that its radius follows. *)
From Coq Require Import Reals ZArith Lra Lia Arith.
From Flocq Require Import Core.
From KVFloor Require Import Sums Binary64 Nearest FastPathSums FastPathPairs FastPathBounds FastPath.
Open Scope R_scope.

(** ** With g for γ_r, and tau for what underflow takes *)

Section Moments.
Variables g tau D Dt : R.
Hypothesis Hg : 0 <= g <= / 2 ^ 22.
Hypothesis Htau : 0 <= tau <= / 2 ^ 100.
Hypothesis HD : 0 < D.
Hypothesis HDt : 0 <= Dt.
Hypothesis Htotal : Rabs (D - Dt) <= g * Dt + tau * D.

Lemma total_above : Dt <= (1 + / 2 ^ 21) * D.
Proof.
  apply Rabs_le_inv in Htotal. assert (g * Dt <= / 2 ^ 22 * Dt) by (apply Rmult_le_compat_r; lra).
  assert (tau * D <= / 2 ^ 100 * D) by (apply Rmult_le_compat_r; lra). lra.
Qed.

(** A mean c of numbers of size R. *)
Lemma mean_near sum c R : 0 <= R ->
  Rabs (sum - Dt * c) <= g * (Dt * R) + tau * D ->
  Rabs (sum / D - c) <= (1 + / 2 ^ 21) * (g * (R + Rabs c)) + tau * (1 + Rabs c).
Proof.
  intros HR Hs. pose proof total_above as Ht. pose proof (Rabs_pos c) as Hc.
  replace (sum / D - c) with (((sum - Dt * c) - c * (D - Dt)) / D) by (field; lra).
  unfold Rdiv. rewrite Rabs_mult, (Rabs_pos_eq (/ D)) by (left; now apply Rinv_0_lt_compat).
  apply (Rmult_le_reg_r D); [exact HD|]. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
  assert (H1 : Rabs (c * (D - Dt)) <= Rabs c * (g * Dt + tau * D))
    by (rewrite Rabs_mult; apply Rmult_le_compat_l; assumption).
  assert (H2 : g * (R + Rabs c) * Dt <= g * (R + Rabs c) * ((1 + / 2 ^ 21) * D))
    by (apply Rmult_le_compat_l; [apply Rmult_le_pos; lra|exact Ht]).
  unfold Rminus at 1. eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_Ropp. lra.
Qed.
End Moments.

(** The computed output z against the mean c of the computed weights. *)
Lemma output_near g tau z q c R :
  0 <= g <= / 2 ^ 22 -> 0 <= tau <= / 2 ^ 100 -> underflow <= tau -> Rabs c <= R <= 1 ->
  Rabs (q - c) <= (1 + / 2 ^ 21) * (g * (R + Rabs c)) + tau * (1 + Rabs c) ->
  Rabs (z - q) <= 2 * roundoff * Rabs z + 2 * underflow ->
  Rabs (z - c) <= (1 + / 2 ^ 19) * (g * (R + Rabs z) + 2 * roundoff * Rabs z) + 5 * tau.
Proof.
  intros Hg Ht Hn [HcR HR] Hq Hz. set (e := Rabs (z - c)).
  pose proof (Rabs_pos c) as Hc. pose proof (Rabs_pos z) as Hz0. assert (He0 : 0 <= e) by apply Rabs_pos.
  assert (Hcz : Rabs c <= Rabs z + e).
  { unfold e. replace c with (z + - (z - c)) at 1 by ring.
    eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_Ropp. lra. }
  assert (He : e <= (2 * roundoff * Rabs z + 2 * underflow)
    + ((1 + / 2 ^ 21) * (g * (R + Rabs c)) + tau * (1 + Rabs c))).
  { unfold e. replace (z - c) with ((z - q) + (q - c)) by ring. now apply triangle. }
  assert (H1 : g * (R + Rabs c) <= g * (R + Rabs z) + / 2 ^ 22 * e).
  { apply Rle_trans with (g * (R + Rabs z) + g * e).
    - rewrite <- Rmult_plus_distr_l. apply Rmult_le_compat_l; lra.
    - apply Rplus_le_compat_l, Rmult_le_compat_r; lra. }
  assert (H2 : tau * (1 + Rabs c) <= 2 * tau) by nra.
  assert (H3 : 0 <= g * (R + Rabs z)) by (apply Rmult_le_pos; lra).
  unfold roundoff in *. lra.
Qed.

(** The computed mean of squares s against the true one M. *)
Lemma square_near g tau s q M :
  0 <= g <= / 2 ^ 22 -> 0 <= tau <= / 2 ^ 100 -> underflow <= tau -> 0 <= M <= 1 ->
  Rabs (q - M) <= (1 + / 2 ^ 21) * (g * (M + Rabs M)) + tau * (1 + Rabs M) ->
  Rabs (s - q) <= 2 * roundoff * Rabs s + 2 * underflow -> 0 <= s ->
  M <= s + (2 * g * (1 + / 2 ^ 18) + 21 / 10 * roundoff) * s + 5 * tau.
Proof.
  intros Hg Ht Hn HM Hq Hs Hs0. rewrite (Rabs_pos_eq M), (Rabs_pos_eq s) in * by lra.
  apply Rabs_le_inv in Hq. apply Rabs_le_inv in Hs.
  set (d := M - s).
  assert (Hd : d <= 2 * roundoff * s + 2 * underflow + (1 + / 2 ^ 21) * (g * (M + M)) + tau * (1 + M))
    by (unfold d; lra).
  assert (H1 : g * (M + M) <= 2 * (g * s) + / 2 ^ 21 * Rmax d 0).
  { replace (g * (M + M)) with (2 * (g * s) + 2 * g * d) by (unfold d; ring).
    apply Rplus_le_compat_l. apply Rle_trans with (2 * g * Rmax d 0).
    - apply Rmult_le_compat_l; [lra|apply Rmax_l].
    - apply Rmult_le_compat_r; [apply Rmax_r|lra]. }
  assert (H2 : tau * (1 + M) <= 2 * tau) by nra.
  assert (H3 : 0 <= g * s) by (apply Rmult_le_pos; lra).
  destruct (Rle_or_lt d 0) as [H|H].
  - assert (0 <= roundoff * s) by (apply Rmult_le_pos; [unfold roundoff; lra|exact Hs0]).
    unfold d in H. assert (0 <= (2 * g * (1 + / 2 ^ 18) + 21 / 10 * roundoff) * s) by nra. lra.
  - rewrite Rmax_left in H1 by lra. unfold d in *. unfold roundoff in *. nra.
Qed.

(** The true variance against the computed one, d, and what is added to it. *)
Lemma variance_near g tau z c s R z2 d :
  0 <= g <= / 2 ^ 22 -> 0 <= tau <= / 2 ^ 100 -> underflow <= tau -> 0 <= s ->
  Rabs c <= R <= 1 -> R * R <= s + (2 * g * (1 + / 2 ^ 18) + 21 / 10 * roundoff) * s + 5 * tau ->
  Rabs (z - c) <= (1 + / 2 ^ 19) * (g * (R + Rabs z) + 2 * roundoff * Rabs z) + 5 * tau ->
  Rabs (z2 - z * z) <= roundoff * Rabs (z * z) + underflow ->
  Rabs (d - (s - z2)) <= roundoff * Rabs (s - z2) + underflow ->
  R * R - c * c <= (1 + / 2 ^ 14) * (Rmax d 0 + (6 * g + 10 * roundoff) * s) + 100 * tau.
Proof.
  intros Hg Ht Hn Hs [Hc HR1] HM He Hz2 Hd.
  pose proof (Rabs_pos c) as Hc0. assert (HR : 0 <= R) by lra.
  set (e := Rabs (z - c)) in *. set (Z := Rabs z) in *. set (M := R * R) in *.
  assert (HZ0 : 0 <= Z) by apply Rabs_pos. assert (He0 : 0 <= e) by apply Rabs_pos.
  assert (HM1 : 0 <= M <= 1) by (unfold M; nra).
  assert (EZ : z * z = Z * Z) by (unfold Z; rewrite <- Rabs_mult; symmetry; apply Rabs_pos_eq, Rle_0_sqr).
  assert (Ha : Z <= R * (1 + / 2 ^ 19) + 6 * tau).
  { assert (Z <= Rabs c + e).
    { unfold Z, e. replace z with (c + (z - c)) at 1 by ring. apply Rabs_triang. }
    assert (g * (R + Z) <= / 2 ^ 22 * (R + Z)) by (apply Rmult_le_compat_r; lra).
    unfold roundoff in *. lra. }
  assert (Htt : tau * tau <= / 2 ^ 100 * tau) by (apply Rmult_le_compat_r; lra).
  assert (HtR : 0 <= tau * R <= tau) by nra.
  assert (HZR : Z * R <= M * (1 + / 2 ^ 19) + 6 * tau).
  { apply Rle_trans with ((R * (1 + / 2 ^ 19) + 6 * tau) * R); [apply Rmult_le_compat_r; lra|].
    unfold M. lra. }
  assert (HZ2 : Z * Z <= M * (1 + / 2 ^ 17) + 13 * tau).
  { apply Rle_trans with ((R * (1 + / 2 ^ 19) + 6 * tau) * (R * (1 + / 2 ^ 19) + 6 * tau));
      [apply Rmult_le_compat; lra|]. fold M in HZR.
    replace ((R * (1 + / 2 ^ 19) + 6 * tau) * (R * (1 + / 2 ^ 19) + 6 * tau))
      with (M * ((1 + / 2 ^ 19) * (1 + / 2 ^ 19)) + 12 * (1 + / 2 ^ 19) * (tau * R) + 36 * (tau * tau))
      by (unfold M; ring). lra. }
  assert (HgM : 0 <= g * M <= (1 + / 2 ^ 20) * (g * s) + tau).
  { split; [apply Rmult_le_pos; lra|].
    apply Rle_trans with (g * (s * (1 + / 2 ^ 20) + 5 * tau)).
    - apply Rmult_le_compat_l; [lra|]. eapply Rle_trans; [exact HM|].
      assert ((2 * g * (1 + / 2 ^ 18) + 21 / 10 * roundoff) * s <= / 2 ^ 20 * s)
        by (apply Rmult_le_compat_r; unfold roundoff; lra). lra.
    - assert (g * (5 * tau) <= / 2 ^ 22 * (5 * tau)) by (apply Rmult_le_compat_r; lra). lra. }
  assert (HMs : M <= s * (1 + / 2 ^ 20) + 5 * tau).
  { assert ((2 * g * (1 + / 2 ^ 18) + 21 / 10 * roundoff) * s <= / 2 ^ 20 * s)
      by (apply Rmult_le_compat_r; unfold roundoff; lra). lra. }
  assert (HZe : Z * e <= (1 + / 2 ^ 16) * (2 * (g * M) + 2 * roundoff * M) + 15 * tau).
  { apply Rle_trans with (Z * ((1 + / 2 ^ 19) * (g * (R + Z) + 2 * roundoff * Z) + 5 * tau));
      [apply Rmult_le_compat_l; assumption|].
    replace (Z * ((1 + / 2 ^ 19) * (g * (R + Z) + 2 * roundoff * Z) + 5 * tau))
      with ((1 + / 2 ^ 19) * (g * (Z * R + Z * Z) + 2 * roundoff * (Z * Z)) + 5 * (tau * Z)) by ring.
    assert (g * (Z * R + Z * Z) <= g * (M * (2 + / 2 ^ 16) + 19 * tau)) by (apply Rmult_le_compat_l; lra).
    assert (g * (19 * tau) <= / 2 ^ 22 * (19 * tau)) by (apply Rmult_le_compat_r; lra).
    assert (tau * Z <= tau * 2) by (apply Rmult_le_compat_l; lra).
    unfold roundoff in *. lra. }
  assert (Hcc : z * z - 2 * (Z * e) <= c * c).
  { assert (Rabs (z * (z - c)) = Z * e) by apply Rabs_mult.
    pose proof (Rle_abs (z * (z - c))). pose proof (Rle_0_sqr (z - c)). unfold Rsqr in *. lra. }
  rewrite EZ in *. rewrite (Rabs_pos_eq (Z * Z)) in Hz2 by (apply Rle_0_sqr).
  apply Rabs_le_inv in Hz2. apply Rabs_le_inv in Hd.
  assert (Hsz : Rabs (s - z2) <= s + (1 + roundoff) * (Z * Z) + underflow).
  { apply Rabs_le. assert (0 <= Z * Z) by apply Rle_0_sqr. pose proof roundoff_small.
    assert (0 <= roundoff * (Z * Z)) by (apply Rmult_le_pos; lra). split; [lra|].
    unfold roundoff in *. lra. }
  pose proof (Rmax_l d 0) as Hmax. pose proof (Rmax_r d 0) as Hmax0.
  assert (Hgs : 0 <= g * s) by (apply Rmult_le_pos; lra).
  assert (HM' : M <= s + (2 * (1 + / 2 ^ 18) * (g * s) + 21 / 10 * roundoff * s) + 5 * tau) by lra.
  assert (Hgoal : M - c * c <= (1 + / 2 ^ 14) * (Rmax d 0 + (6 * (g * s) + 10 * roundoff * s)) + 100 * tau);
    [|lra].
  unfold roundoff in *. lra.
Qed.

(** What follows from it for the deviation. *)
Lemma deviation_near v V tau : 0 <= V -> 0 <= tau -> v <= (1 + / 2 ^ 14) * V + 100 * tau -> 0 <= v ->
  sqrt v <= (1 + / 2 ^ 14) * sqrt V + 10 * sqrt tau.
Proof.
  intros HV Ht H Hv. pose proof (sqrt_pos V). pose proof (sqrt_pos tau).
  pose proof (sqrt_sqrt V HV) as EV. pose proof (sqrt_sqrt tau Ht) as Et.
  rewrite <- (sqrt_square ((1 + / 2 ^ 14) * sqrt V + 10 * sqrt tau)) by lra.
  apply sqrt_le_1_alt. eapply Rle_trans; [exact H|].
  assert (0 <= sqrt V * sqrt tau) by (apply Rmult_le_pos; assumption).
  replace (((1 + / 2 ^ 14) * sqrt V + 10 * sqrt tau) * ((1 + / 2 ^ 14) * sqrt V + 10 * sqrt tau))
    with ((1 + / 2 ^ 14) * (1 + / 2 ^ 14) * (sqrt V * sqrt V)
          + 20 * (1 + / 2 ^ 14) * (sqrt V * sqrt tau) + 100 * (sqrt tau * sqrt tau)) by ring.
  rewrite EV, Et. lra.
Qed.

(** ** From expressions *)

Lemma centred_root N w E omega v W c variance :
  (forall t, (t < N)%nat -> 0 <= w t /\ Rabs (w t - E t) <= w t * ((1 + / 2 ^ 11) * omega t)) ->
  0 < rsum N w -> rsum N E <> 0 -> 0 <= W <= / 2 ^ 11 ->
  rsum N (fun t => w t * (omega t * omega t)) <= W * W * rsum N w ->
  c = rsum N (fun t => w t * v t) / rsum N w ->
  variance = rsum N (fun t => w t * (v t * v t)) / rsum N w - c * c -> 0 <= variance ->
  Rabs (c - rsum N (fun t => E t * v t) / rsum N E)
    <= (1 + / 2 ^ 11) * (1 + / 2 ^ 20) * (W * sqrt variance).
Proof.
  intros H HD HE HW Hom Ec Ev HV. set (D := rsum N w) in *.
  pose proof (fast_path_centred N w E (fun t => (1 + / 2 ^ 11) * omega t) v H HD HE) as K.
  cbv zeta in K. fold D in K. rewrite <- Ec, <- Ev in K.
  set (out := rsum N (fun t => E t * v t) / rsum N E) in *.
  set (spread := rsum N _ / D) in K. set (q := 1 + / 2 ^ 11) in *.
  assert (Hsp : spread <= q * q * (W * W)).
  { unfold spread. apply (Rmult_le_reg_r D); [exact HD|]. unfold Rdiv.
    rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
    rewrite (rsum_ext N _ (fun t => q * q * (w t * (omega t * omega t)))) by (intros; ring).
    rewrite rsum_scal, (Rmult_assoc (q * q)). apply Rmult_le_compat_l; [unfold q; lra|exact Hom]. }
  assert (HK : q * q * (W * W) <= / 2 ^ 21).
  { assert (W * W <= / 2 ^ 11 * / 2 ^ 11) by (apply Rmult_le_compat; lra). unfold q. lra. }
  set (x := c - out) in *. assert (Hx : 0 <= x * x) by apply Rle_0_sqr.
  assert (K1 : x * x * (1 - / 2 ^ 21) <= q * q * (W * W) * variance).
  { apply Rle_trans with (spread * variance); [|apply Rmult_le_compat_r; assumption].
    eapply Rle_trans; [|exact K]. apply Rmult_le_compat_l; lra. }
  set (k := q * (1 + / 2 ^ 20)). set (P := W * W * variance).
  assert (HP : 0 <= P) by (apply Rmult_le_pos; [apply Rle_0_sqr|exact HV]).
  assert (K2 : x * x <= k * k * P).
  { apply (Rmult_le_reg_r (1 - / 2 ^ 21)); [lra|]. eapply Rle_trans; [exact K1|].
    replace (q * q * (W * W) * variance) with (q * q * P) by (unfold P; ring).
    unfold k, q. assert (0 <= P) by exact HP. lra. }
  replace (k * (W * sqrt variance)) with (sqrt (k * k * P)).
  - rewrite <- (sqrt_square (Rabs x)) by apply Rabs_pos. apply sqrt_le_1_alt.
    rewrite <- Rabs_mult, Rabs_pos_eq by exact Hx. exact K2.
  - unfold P. replace (k * k * (W * W * variance)) with ((k * W) * (k * W) * variance) by ring.
    rewrite sqrt_mult, sqrt_square; [ring| | |exact HV]; try apply Rle_0_sqr.
    apply Rmult_le_pos; [unfold k, q|]; lra.
Qed.

Theorem fast_path_order_one N r w E omega v numerator total squares W :
  (r <= 2 ^ 30)%nat ->
  (forall t, (t < N)%nat ->
     0 <= w t /\ Rabs (w t - E t) <= w t * ((1 + / 2 ^ 11) * omega t) /\ Rabs (v t) <= 1) ->
  rsum N E <> 0 -> 0 <= W <= / 2 ^ 11 ->
  rsum N (fun t => w t * (omega t * omega t)) <= W * W * rsum N w ->
  (given numerator /\ (roundings numerator <= r)%nat
   /\ exact numerator = rsum N (fun t => w t * v t)
   /\ size numerator <= rsum N (fun t => w t * Rabs (v t))) ->
  (given total /\ (roundings total <= r)%nat /\ exact total = rsum N w /\ size total <= rsum N w) ->
  (given squares /\ (roundings squares <= r)%nat
   /\ exact squares = rsum N (fun t => w t * (v t * v t))
   /\ size squares <= rsum N (fun t => w t * (v t * v t))) ->
  let D := computed total in
  0 < D -> 0 <= computed squares ->
  lost numerator <= / 2 ^ 820 * D -> lost total <= / 2 ^ 820 * D -> lost squares <= / 2 ^ 820 * D ->
  let z := fl (computed numerator / D) in
  let s := fl (computed squares / D) in
  let d := fl (s - fl (z * z)) in
  let variance := Rmax d 0 + (6 * gamma r + 10 * roundoff) * s in
  Rabs (z - rsum N (fun t => E t * v t) / rsum N E)
    <= (1 + / 2 ^ 10) * (W * sqrt variance + gamma r * (sqrt s + Rabs z)
                         + 2 * roundoff * Rabs z + / 2 ^ 400).
Proof.
  intros Hr H HE HW Hom (Ng & Nr & Ne & Ns) (Tg & Tr & Te & Ts) (Sg & Sr & Se & Ss)
    D HD HS0 Ln Lt Ls z s d variance.
  set (g := gamma r) in *. set (tau := / 2 ^ 820) in *. set (Dt := rsum N w) in *.
  assert (Hg : 0 <= g <= / 2 ^ 22) by (split; [apply gamma_pos|now apply gamma_small]).
  assert (Hpow : forall j k, (j <= k)%nat -> 0 < / 2 ^ k <= / 2 ^ j).
  { intros j k Hjk. split; [apply Rinv_0_lt_compat, pow_lt; lra|].
    apply Rinv_le_contravar; [apply pow_lt; lra|]. apply Rle_pow; [lra|exact Hjk]. }
  assert (Htau : 0 <= tau <= / 2 ^ 100) by (pose proof (Hpow 100%nat 820%nat ltac:(lia)); unfold tau; lra).
  assert (Hn : underflow <= tau) by (apply (Hpow 820%nat 1075%nat); lia).
  assert (Hw : forall t, (t < N)%nat -> 0 <= w t) by (intros t Ht; apply (H t Ht)).
  assert (HDt : 0 <= Dt) by now apply rsum_nonneg.
  assert (Off : forall e x y, given e -> (roundings e <= r)%nat -> exact e = x -> size e <= y ->
    lost e <= tau * D -> Rabs (computed e - x) <= g * y + tau * D).
  { intros e x y Eg Er Ex Es El. rewrite <- Ex. eapply Rle_trans; [exact (computed_off r e Eg (conj Er Hr))|].
    unfold off. fold g. apply Rplus_le_compat; [apply Rmult_le_compat_l; lra|exact El]. }
  pose proof (Off total Dt Dt Tg Tr Te Ts Lt) as KT. fold D in KT.
  assert (HDt0 : 0 < Dt).
  { pose proof (total_above g tau D Dt Hg Htau HD HDt KT). apply Rabs_le_inv in KT.
    assert (tau * D <= / 2 ^ 100 * D) by (apply Rmult_le_compat_r; lra).
    assert (g * Dt <= / 2 ^ 22 * Dt) by (apply Rmult_le_compat_r; lra). lra. }
  (* means of the computed weights: of values, c, and of their squares, M = R² *)
  set (c := rsum N (fun t => w t * v t) / Dt). set (M := rsum N (fun t => w t * (v t * v t)) / Dt).
  assert (ED : rsum N (fun t => w t * v t) = Dt * c) by (unfold c; field; lra).
  assert (EM : rsum N (fun t => w t * (v t * v t)) = Dt * M) by (unfold M; field; lra).
  assert (Hsq : forall x, 0 <= x * x) by (intros; apply Rle_0_sqr).
  assert (HM : 0 <= M <= 1).
  { split; apply (Rmult_le_reg_l Dt); try exact HDt0; rewrite <- EM, ?Rmult_0_r, ?Rmult_1_r.
    - apply rsum_nonneg. intros t Ht. apply Rmult_le_pos; auto.
    - apply rsum_le. intros t Ht. destruct (H t Ht) as (H0 & _ & H1).
      assert (v t * v t <= 1).
      { replace (v t * v t) with (Rabs (v t) * Rabs (v t))
          by (rewrite <- Rabs_mult; apply Rabs_pos_eq, Hsq).
        pose proof (Rabs_pos (v t)). nra. }
      rewrite <- (Rmult_1_r (w t)) at 2. apply Rmult_le_compat_l; assumption. }
  set (R := sqrt M). assert (ERM : R * R = M) by (apply sqrt_sqrt; lra).
  assert (HR : 0 <= R <= 1) by (split; [apply sqrt_pos|rewrite <- sqrt_1; apply sqrt_le_1_alt; lra]).
  assert (HA : rsum N (fun t => w t * Rabs (v t)) <= Dt * R).
  { pose proof (weighted_cauchy_schwarz N w (fun _ => 1) v Hw) as K. cbv beta in K.
    rewrite (rsum_ext N (fun t => w t * Rabs 1 * Rabs (v t)) (fun t => w t * Rabs (v t))) in K
      by (intros; rewrite Rabs_R1; ring).
    rewrite (rsum_ext N (fun t => w t * (1 * 1)) w) in K by (intros; ring).
    rewrite EM in K. fold Dt in K. replace (Dt * (Dt * M)) with (Dt * Dt * M) in K by ring.
    rewrite sqrt_mult, sqrt_square in K; auto; lra. }
  assert (HcR : Rabs c <= R).
  { apply (Rmult_le_reg_l Dt); [exact HDt0|]. rewrite <- (Rabs_pos_eq Dt) at 1 by lra.
    rewrite <- Rabs_mult, <- ED. eapply Rle_trans; [apply rsum_Rabs|].
    rewrite (rsum_ext N _ (fun t => w t * Rabs (v t))); [exact HA|].
    intros t Ht. rewrite Rabs_mult, (Rabs_pos_eq (w t)) by auto. reflexivity. }
  pose proof (Off numerator (Dt * c) (Dt * R) Ng Nr (eq_trans Ne ED) ltac:(lra) Ln) as KN.
  pose proof (Off squares (Dt * M) (Dt * M) Sg Sr (eq_trans Se EM) ltac:(lra) Ls) as KS.
  pose proof (mean_near g tau D Dt Hg Htau HD HDt KT (computed numerator) c R (proj1 HR) KN) as Qn.
  pose proof (mean_near g tau D Dt Hg Htau HD HDt KT (computed squares) M M (proj1 HM) KS) as Qs.
  pose proof (output_near g tau z _ c R Hg Htau Hn (conj HcR (proj2 HR)) Qn (quotient_rounded _)) as Kz.
  assert (Hs0 : 0 <= s).
  { unfold s. rewrite <- (fl_exact 0) by apply float_0. apply fl_monotone.
    apply Rmult_le_pos; [exact HS0|left; now apply Rinv_0_lt_compat]. }
  pose proof (square_near g tau s _ M Hg Htau Hn HM Qs (quotient_rounded _) Hs0) as KM.
  rewrite <- ERM in KM.
  pose proof (variance_near g tau z c s R (fl (z * z)) d Hg Htau Hn Hs0 (conj HcR (proj2 HR)) KM Kz
    (fl_near _) (fl_near _)) as KV.
  fold variance in KV. rewrite ERM in KV.
  assert (Hv0 : 0 <= M - c * c).
  { rewrite <- ERM. replace (c * c) with (Rabs c * Rabs c)
      by (rewrite <- Rabs_mult; apply Rabs_pos_eq, Hsq).
    assert (Rabs c * Rabs c <= R * R) by (apply Rmult_le_compat; auto using Rabs_pos). lra. }
  assert (HV : 0 <= variance).
  { unfold variance. pose proof (Rmax_r d 0).
    assert (0 <= (6 * g + 10 * roundoff) * s) by (apply Rmult_le_pos; [unfold roundoff|]; lra). lra. }
  pose proof (deviation_near _ variance tau HV (proj1 Htau) KV Hv0) as Kdev.
  assert (KR : R <= (1 + / 2 ^ 14) * sqrt s + 10 * sqrt tau).
  { rewrite <- (sqrt_square R) by lra. apply (deviation_near _ s tau Hs0 (proj1 Htau)); [|apply Hsq].
    assert ((2 * g * (1 + / 2 ^ 18) + 21 / 10 * roundoff) * s <= / 2 ^ 14 * s)
      by (apply Rmult_le_compat_r; [exact Hs0|unfold roundoff; lra]). lra. }
  pose proof (centred_root N w E omega v W c (M - c * c)
    (fun t Ht => conj (proj1 (H t Ht)) (proj1 (proj2 (H t Ht)))) HDt0 HE HW Hom eq_refl eq_refl Hv0) as Kc.
  set (out := rsum N (fun t => E t * v t) / rsum N E) in *.
  (* together *)
  set (sigma := / 2 ^ 410).
  assert (Esig : sqrt tau = sigma).
  { unfold tau, sigma. change 820%nat with (410 + 410)%nat. rewrite pow_add, Rinv_mult.
    apply sqrt_square. left. apply Rinv_0_lt_compat, pow_lt. lra. }
  assert (Hsig : 0 < sigma /\ tau <= / 2 ^ 100 * sigma /\ / 2 ^ 400 = 1024 * sigma).
  { split; [apply Rinv_0_lt_compat, pow_lt; lra|]. split.
    - rewrite <- (sqrt_sqrt tau) by apply Htau. rewrite Esig. apply Rmult_le_compat_r.
      + left. apply Rinv_0_lt_compat, pow_lt. lra.
      + apply (Hpow 100%nat 410%nat). lia.
    - unfold sigma. change 410%nat with (10 + 400)%nat. rewrite pow_add, Rinv_mult. lra. }
  destruct Hsig as (Hsig & Htsig & E400). rewrite E400, Esig in *.
  pose proof (sqrt_pos variance) as Pv. pose proof (sqrt_pos s) as Ps. pose proof (Rabs_pos z) as Pz.
  assert (HWv : W * sqrt (M - c * c) <= (1 + / 2 ^ 14) * (W * sqrt variance) + / 2 ^ 11 * (10 * sigma)).
  { apply Rle_trans with (W * ((1 + / 2 ^ 14) * sqrt variance + 10 * sigma));
      [apply Rmult_le_compat_l; lra|].
    assert (W * (10 * sigma) <= / 2 ^ 11 * (10 * sigma)) by (apply Rmult_le_compat_r; lra). lra. }
  assert (HgR : g * R <= (1 + / 2 ^ 14) * (g * sqrt s) + / 2 ^ 22 * (10 * sigma)).
  { apply Rle_trans with (g * ((1 + / 2 ^ 14) * sqrt s + 10 * sigma)); [apply Rmult_le_compat_l; lra|].
    assert (g * (10 * sigma) <= / 2 ^ 22 * (10 * sigma)) by (apply Rmult_le_compat_r; lra). lra. }
  assert (0 <= W * sqrt variance) by (apply Rmult_le_pos; lra).
  assert (0 <= g * sqrt s) by (apply Rmult_le_pos; lra).
  assert (0 <= g * Rabs z) by (apply Rmult_le_pos; lra).
  assert (0 <= roundoff * Rabs z) by (apply Rmult_le_pos; [unfold roundoff|]; lra).
  replace (z - out) with ((z - c) + (c - out)) by ring.
  eapply Rle_trans; [apply triangle; [exact Kz|exact Kc]|]. lra.
Qed.
