(** The fast path: double-doubles. Sums within 4u² of |x| + |y|, products within 9u².
    Dekker, "A floating-point technique for extending the available precision" (1971); Joldes, Muller,
    Popescu, "Tight and rigorous error bounds for basic building blocks of double-word arithmetic"
    (2017). *)
From Coq Require Import Reals ZArith Lra Lia Arith.
From Flocq Require Import Core Relative Plus_error.
From KVFloor Require Import Binary64 Nearest FastPathExact.
Open Scope R_scope.

(** A pair of numbers that stands for their sum. *)
Definition double_double (hi lo : R) : Prop := float hi /\ float lo /\ Rabs lo <= roundoff * Rabs hi.

Lemma fl_sum_near_result x y : float x -> float y ->
  Rabs (x + y - fl (x + y)) <= roundoff * Rabs (fl (x + y)).
Proof.
  intros Hx Hy.
  destruct (@FLT_plus_error_N_round_ex radix2 (-1074) 53 eq_refl (fun n => negb (Z.even n)) x y Hx Hy)
    as (e & He & H).
  change (round radix2 (FLT_exp (-1074) 53) (Znearest (fun n => negb (Z.even n))) (x + y))
    with (fl (x + y)) in H.
  change (u_ro radix2 53) with (/ 2 * bpow radix2 (- 53 + 1)) in He. rewrite <- roundoff_bpow in He.
  rewrite H at 1. replace (fl (x + y) * (1 + e) - fl (x + y)) with (e * fl (x + y)) by ring.
  rewrite Rabs_mult. apply Rmult_le_compat_r; [apply Rabs_pos|exact He].
Qed.

(** The error of a sum, where it is a number, makes a pair with it. *)
Lemma sum_pair x y lo : float x -> float y -> float lo -> fl (x + y) + lo = x + y ->
  double_double (fl (x + y)) lo.
Proof.
  intros Hx Hy Hlo H. repeat split; [apply fl_float|exact Hlo|].
  replace lo with (x + y - fl (x + y)) by lra. now apply fl_sum_near_result.
Qed.

Lemma pair_size hi lo : double_double hi lo -> Rabs hi * (1 - roundoff) <= Rabs (hi + lo).
Proof.
  intros (_ & _ & H). pose proof (Rabs_triang (hi + lo) (- lo)) as K.
  replace (hi + lo + - lo) with hi in K by ring. rewrite Rabs_Ropp in K. lra.
Qed.

Lemma triangle x y a b : Rabs x <= a -> Rabs y <= b -> Rabs (x + y) <= a + b.
Proof. intros. eapply Rle_trans; [apply Rabs_triang|lra]. Qed.

(** [pair_sum]. *)
Theorem fast_path_pair_sum x0 x1 y0 y1 : double_double x0 x1 -> double_double y0 y1 ->
  let s := fl (x0 + y0) in
  let t := fl (s - x0) in
  let e := fl (fl (x0 - fl (s - t)) + fl (y0 - t)) in
  let c := fl (e + fl (x1 + y1)) in
  let hi := fl (s + c) in
  let t' := fl (hi - s) in
  let lo := fl (fl (s - fl (hi - t')) + fl (c - t')) in
  double_double hi lo
  /\ Rabs (hi + lo - ((x0 + x1) + (y0 + y1)))
     <= 4 * (roundoff * roundoff) * (Rabs (x0 + x1) + Rabs (y0 + y1)).
Proof.
  intros Hx Hy s t1 e c hi t2 lo.
  pose proof (pair_size _ _ Hx) as Sx. pose proof (pair_size _ _ Hy) as Sy.
  destruct Hx as (Fx0 & Fx1 & Hx). destruct Hy as (Fy0 & Fy1 & Hy).
  pose proof (fast_path_two_sum x0 y0 Fx0 Fy0 : s + e = x0 + y0) as E1.
  assert (Fs : float s) by apply fl_float. assert (Fe : float e) by apply fl_float.
  set (t := fl (x1 + y1)) in *.
  assert (Fc : float c) by apply fl_float.
  pose proof (fast_path_two_sum s c Fs Fc : hi + lo = s + c) as E2.
  split; [apply sum_pair; try assumption; apply fl_float|].
  pose proof (fl_sum_near x0 y0 Fx0 Fy0) as Ne. fold s in Ne.
  pose proof (fl_sum_near x1 y1 Fx1 Fy1) as Nt. fold t in Nt.
  pose proof (fl_sum_near e t Fe (fl_float _)) as Nc. fold c in Nc.
  assert (H1 : Rabs (x1 + y1) <= roundoff * Rabs x0 + roundoff * Rabs y0) by now apply triangle.
  assert (H0 : Rabs (x0 + y0) <= Rabs x0 + Rabs y0) by apply Rabs_triang.
  assert (He : Rabs e <= roundoff * Rabs (x0 + y0))
    by (replace e with (- (s - (x0 + y0))) by lra; rewrite Rabs_Ropp; exact Ne).
  assert (Ht : Rabs t <= roundoff * Rabs (x1 + y1) + Rabs (x1 + y1)).
  { replace t with ((t - (x1 + y1)) + (x1 + y1)) by ring. apply triangle; [exact Nt|lra]. }
  assert (Het : Rabs (e + t) <= Rabs e + Rabs t) by apply Rabs_triang.
  rewrite E2.
  replace (s + c - (x0 + x1 + (y0 + y1))) with ((c - (e + t)) + (t - (x1 + y1))) by lra.
  eapply Rle_trans; [apply Rabs_triang|].
  pose proof (Rabs_pos x0). pose proof (Rabs_pos y0). unfold roundoff in *. lra.
Qed.

(** No underflow: where a product is not zero, it is at least this. *)
Definition least_product : R := / 2 ^ 960.

Lemma underflow_least : underflow <= / 100 * (roundoff * roundoff) * least_product.
Proof.
  unfold underflow, least_product, roundoff.
  change 1075%nat with (9 + (53 + (53 + 960)))%nat. rewrite !pow_add, !Rinv_mult.
  assert (0 < / 2 ^ 960) by (apply Rinv_0_lt_compat, pow_lt; lra).
  rewrite <- !Rmult_assoc. apply Rmult_le_compat_r; lra.
Qed.

Lemma two_power_969 : / 2 ^ 969 <= least_product.
Proof. apply Rinv_le_contravar; [apply pow_lt; lra|]. apply Rle_pow; [lra|lia]. Qed.

(** A rounding, where there is no underflow. *)
Lemma contracted_near_zero x y n : contracted x y -> underflow <= n \/ Rabs x <= 0 -> 0 <= n ->
  Rabs (y - x) <= roundoff * Rabs x + n.
Proof.
  intros Hy [H|H] Hn; [pose proof (contracted_near _ _ Hy); lra|].
  assert (Hx : x = 0) by (destruct (Req_dec x 0) as [E|E]; [exact E|apply Rabs_pos_lt in E; lra]).
  subst x. assert (y = 0) by (destruct Hy as [->| ->]; [apply fl_exact, float_0|reflexivity]).
  subst y. rewrite Rminus_0_r, Rabs_R0. lra.
Qed.

(** [multiply]; p and e are what [two_product] gives. *)
Theorem fast_path_multiply a0 a1 b0 b1 p e t1 t2 :
  double_double a0 a1 -> double_double b0 b1 -> a0 * b0 = 0 \/ least_product <= Rabs (a0 * b0) ->
  p = fl (a0 * b0) -> float e -> p + e = a0 * b0 ->
  contracted (a0 * b1) t1 -> contracted (a1 * b0) t2 ->
  let c := fl (e + fl (t1 + t2)) in
  let hi := fl (p + c) in
  let lo := fl (c - fl (hi - p)) in
  double_double hi lo
  /\ Rabs (hi + lo - (a0 + a1) * (b0 + b1))
     <= 9 * (roundoff * roundoff) * Rabs ((a0 + a1) * (b0 + b1)).
Proof.
  intros Ha Hb HP Hp Fe He Ht1 Ht2 c hi lo.
  pose proof (pair_size _ _ Ha) as Sa. pose proof (pair_size _ _ Hb) as Sb.
  destruct Ha as (Fa0 & Fa1 & Ha). destruct Hb as (Fb0 & Fb1 & Hb).
  pose proof (Rabs_pos a0) as Pa. pose proof (Rabs_pos b0) as Pb.
  set (P := Rabs a0 * Rabs b0) in *.
  assert (HP0 : 0 <= P) by now apply Rmult_le_pos.
  assert (B1 : Rabs (a0 * b1) <= roundoff * P) by (unfold P; rewrite Rabs_mult; nra).
  assert (B2 : Rabs (a1 * b0) <= roundoff * P) by (unfold P; rewrite Rabs_mult; nra).
  assert (B3 : Rabs (a1 * b1) <= roundoff * (roundoff * P)).
  { unfold P. rewrite Rabs_mult.
    apply Rle_trans with (roundoff * Rabs a0 * (roundoff * Rabs b0)); [|right; ring].
    apply Rmult_le_compat; auto using Rabs_pos. }
  assert (Hsize : P * ((1 - roundoff) * (1 - roundoff)) <= Rabs ((a0 + a1) * (b0 + b1))).
  { rewrite Rabs_mult. unfold P. pose proof roundoff_small.
    apply Rle_trans with (Rabs a0 * (1 - roundoff) * (Rabs b0 * (1 - roundoff))); [right; ring|].
    apply Rmult_le_compat; try assumption; apply Rmult_le_pos; lra. }
  (* what underflow may take, which is nothing where the product is zero *)
  set (n := / 100 * (roundoff * roundoff) * P).
  assert (Hn : 0 <= n) by (unfold n, roundoff; lra).
  assert (HU : underflow <= n \/ P = 0).
  { unfold n. destruct HP as [HP|HP]; [right|left]; unfold P; rewrite <- Rabs_mult.
    - rewrite HP. apply Rabs_R0.
    - eapply Rle_trans; [apply underflow_least|].
      apply Rmult_le_compat_l; [unfold roundoff; lra|exact HP]. }
  assert (N1 : Rabs (t1 - a0 * b1) <= roundoff * Rabs (a0 * b1) + n)
    by (apply contracted_near_zero; [exact Ht1|unfold roundoff in *; destruct HU; [left; lra|right; lra]|exact Hn]).
  assert (N2 : Rabs (t2 - a1 * b0) <= roundoff * Rabs (a1 * b0) + n)
    by (apply contracted_near_zero; [exact Ht2|unfold roundoff in *; destruct HU; [left; lra|right; lra]|exact Hn]).
  assert (T1 : Rabs t1 <= roundoff * Rabs (a0 * b1) + n + Rabs (a0 * b1))
    by (replace t1 with ((t1 - a0 * b1) + a0 * b1) by ring; apply triangle; [exact N1|lra]).
  assert (T2 : Rabs t2 <= roundoff * Rabs (a1 * b0) + n + Rabs (a1 * b0))
    by (replace t2 with ((t2 - a1 * b0) + a1 * b0) by ring; apply triangle; [exact N2|lra]).
  pose proof (Rabs_triang t1 t2) as T3. set (d := fl (t1 + t2)) in *.
  assert (N3 : Rabs (d - (t1 + t2)) <= roundoff * Rabs (t1 + t2) + n).
  { apply (contracted_near_zero (t1 + t2) d n (or_introl eq_refl)); [|exact Hn].
    destruct HU; [left; lra|right]. unfold n in *. unfold roundoff in *. lra. }
  assert (T4 : Rabs d <= roundoff * Rabs (t1 + t2) + n + Rabs (t1 + t2))
    by (replace d with ((d - (t1 + t2)) + (t1 + t2)) by ring; apply triangle; [exact N3|lra]).
  assert (Np : Rabs (p - a0 * b0) <= roundoff * Rabs (a0 * b0) + n).
  { apply (contracted_near_zero (a0 * b0) p n (or_introl Hp)); [|exact Hn].
    destruct HU; [left; lra|right]. rewrite Rabs_mult. fold P. lra. }
  rewrite (Rabs_mult a0 b0) in Np. fold P in Np.
  assert (Te : Rabs e <= roundoff * P + n)
    by (replace e with (- (p - a0 * b0)) by lra; rewrite Rabs_Ropp; exact Np).
  assert (Tp : P <= Rabs p + (roundoff * P + n)).
  { unfold P at 1. rewrite <- Rabs_mult. replace (a0 * b0) with (p + - (p - a0 * b0)) by ring.
    apply triangle; [lra|]. rewrite Rabs_Ropp. exact Np. }
  pose proof (fl_sum_near e d Fe (fl_float _)) as Nc. fold c in Nc.
  pose proof (Rabs_triang e d) as T5.
  assert (Tc : Rabs c <= roundoff * Rabs (e + d) + Rabs (e + d))
    by (replace c with ((c - (e + d)) + (e + d)) by ring; apply triangle; [exact Nc|lra]).
  assert (Fp : float p) by (rewrite Hp; apply fl_float).
  assert (Fc : float c) by apply fl_float.
  assert (Hcp : Rabs c <= Rabs p) by (unfold n, roundoff in *; lra).
  pose proof (fast_path_fast_two_sum p c Fp Fc Hcp) as E. cbv zeta in E. fold hi in E. fold lo in E.
  split; [apply sum_pair; try assumption; apply fl_float|].
  assert (D : Rabs (hi + lo - (a0 + a1) * (b0 + b1)) <= 17 / 2 * (roundoff * roundoff) * P).
  { rewrite E. replace (p + c - (a0 + a1) * (b0 + b1))
      with ((c - (e + d)) + ((d - (t1 + t2)) + ((t1 - a0 * b1) + ((t2 - a1 * b0) + - (a1 * b1)))))
      by lra.
    eapply Rle_trans; [apply triangle; [exact Nc|apply triangle; [exact N3|apply triangle;
      [exact N1|apply triangle; [exact N2|rewrite Rabs_Ropp; exact B3]]]]|].
    unfold n, roundoff in *. lra. }
  unfold roundoff in *. lra.
Qed.

(** ** A number added to a pair *)

(** Dekker's sum of a and b also where a is the smaller one, if it is a multiple of b's last place. *)
Lemma fast_two_sum_multiple a b c : float a -> float b -> (-1074 <= c)%Z ->
  multiple c a -> multiple c b -> Rabs b < bpow radix2 (53 + c) ->
  let s := fl (a + b) in s + fl (b - fl (s - a)) = a + b.
Proof.
  intros Fa Fb Hc Ma Mb Hb s.
  destruct (Rle_or_lt (Rabs b) (Rabs a)) as [H|H]; [exact (fast_path_fast_two_sum a b Fa Fb H)|].
  assert (Mab : multiple c (a + b)) by now apply multiple_plus.
  destruct (Rle_or_lt (Rabs (a + b)) (bpow radix2 (53 + c))) as [Hs|Hs].
  - assert (Es : s = a + b) by (apply fl_exact, (multiple_float c); assumption).
    rewrite Es. replace (a + b - a) with b by ring. rewrite (fl_exact b) by exact Fb.
    replace (b - b) with 0 by ring. rewrite (fl_exact 0) by apply float_0. ring.
  - assert (Fs : float s) by apply fl_float.
    assert (Ls : bpow radix2 (53 + c) <= Rabs s).
    { unfold s, fl. apply abs_round_ge_generic; [exact format_valid|apply valid_rnd_N| |lra].
      apply generic_format_bpow. unfold format, FLT_exp. lia. }
    assert (Ms : multiple c s).
    { apply float_multiple; [exact Fs|]. right. left. eapply Rle_trans; [|exact Ls].
      apply bpow_le. lia. }
    (* half a last place of the sum *)
    assert (Ne : Rabs (a + b - s) <= bpow radix2 c).
    { assert (Hab : Rabs (a + b) < bpow radix2 (54 + c)).
      { replace (54 + c)%Z with (1 + (53 + c))%Z by lia. rewrite (bpow_plus _ 1).
        change (bpow radix2 1) with 2. eapply Rle_lt_trans; [apply Rabs_triang|]. lra. }
      assert (Hn0 : a + b <> 0) by (intros Z; rewrite Z, Rabs_R0 in Hs;
        pose proof (bpow_gt_0 radix2 (53 + c)); lra).
      pose proof (@error_le_half_ulp radix2 format format_valid (fun n => negb (Z.even n)) (a + b)) as K.
      change (round radix2 format (Znearest (fun n => negb (Z.even n))) (a + b)) with s in K.
      rewrite Rabs_minus_sym in K. eapply Rle_trans; [exact K|].
      rewrite ulp_neq_0 by exact Hn0. pose proof (mag_le_bpow radix2 (a + b) _ Hn0 Hab) as Hm.
      replace (bpow radix2 c) with (/ 2 * bpow radix2 (1 + c))
        by (rewrite bpow_plus; change (bpow radix2 1) with 2; field).
      apply Rmult_le_compat_l; [lra|]. apply bpow_le. unfold cexp, format, FLT_exp. lia. }
    assert (Lb : Rabs b + bpow radix2 c <= bpow radix2 (53 + c)).
    { destruct Mb as (m & ->). rewrite bpow_plus in *. pose proof (bpow_gt_0 radix2 c).
      rewrite Rabs_mult, (Rabs_pos_eq (bpow radix2 c)), <- abs_IZR in * by lra.
      rewrite <- (two_power 53) in * by lia.
      assert (Hm : IZR (Z.abs m) < IZR (2 ^ 53)) by (apply (Rmult_lt_reg_r (bpow radix2 c)); assumption).
      apply lt_IZR in Hm. assert (Hm' : IZR (Z.abs m + 1) <= IZR (2 ^ 53)) by (apply IZR_le; lia).
      rewrite plus_IZR in Hm'. nra. }
    assert (E1 : fl (s - a) = s - a).
    { apply fl_exact, (multiple_float c); [exact Hc|now apply multiple_minus|].
      replace (s - a) with (b + - (a + b - s)) by ring.
      eapply Rle_trans; [apply triangle; [apply Rle_refl|rewrite Rabs_Ropp; exact Ne]|exact Lb]. }
    rewrite E1. replace (b - (s - a)) with (a + b - s) by ring.
    rewrite (fl_exact (a + b - s)); [ring|].
    apply (multiple_float c); [exact Hc|now apply multiple_minus|].
    eapply Rle_trans; [exact Ne|]. apply bpow_le. lia.
Qed.

Lemma float_last_place x : float x -> multiple (cexp radix2 format x) x.
Proof. intros H. exists (Ztrunc (scaled_mantissa radix2 format x)). exact H. Qed.

(** Where the sum of hi and x cancels down to lo or below, it is exact, and no finer than lo. *)
Lemma cancelled hi lo x s e c : double_double hi lo -> float x -> s = fl (hi + x) -> s + e = hi + x ->
  c = fl (e + lo) -> float e -> Rabs e <= roundoff * Rabs (hi + x) -> Rabs s < Rabs c ->
  fl (s + c) + fl (c - fl (fl (s + c) - s)) = s + c.
Proof.
  intros (Fh & Fl & Hl) Fx Es Ee Ec Fe He Hsc.
  pose proof (fl_sum_near hi x Fh Fx) as Ns. rewrite <- Es in Ns.
  pose proof (fl_sum_bound e lo Fe Fl) as Bc. rewrite <- Ec in Bc.
  pose proof (Rabs_triang e lo) as T.
  assert (Hs : Rabs (hi + x) <= Rabs s + roundoff * Rabs (hi + x)).
  { replace (hi + x) with (s + - (s - (hi + x))) at 1 by ring.
    apply triangle; [lra|rewrite Rabs_Ropp; exact Ns]. }
  assert (Hx : Rabs (hi + x) <= 2 * (roundoff * Rabs hi)).
  { pose proof (Rabs_pos (hi + x)). pose proof (Rabs_pos lo). unfold roundoff in *. lra. }
  assert (Hh0 : hi <> 0).
  { intros Hz. rewrite Hz, Rabs_R0 in *. pose proof (Rabs_pos s). pose proof (Rabs_pos (0 + x)).
    unfold roundoff in *. lra. }
  set (h := cexp radix2 format hi).
  assert (Eh : h = Z.max (mag radix2 hi - 53) (-1074)) by reflexivity.
  assert (Bh : roundoff * Rabs hi < bpow radix2 h).
  { pose proof (bpow_mag_gt radix2 hi) as B.
    assert (B' : Rabs hi < bpow radix2 (53 + h))
      by (eapply Rlt_le_trans; [exact B|apply bpow_le; lia]).
    rewrite bpow_plus in B'. change (bpow radix2 53) with (bpow radix2 (Z.of_nat 53)) in B'.
    rewrite power_of_nat in B'. unfold roundoff. lra. }
  set (k := Z.max (h - 1) (-1074)).
  assert (Hk : bpow radix2 h <= 2 * bpow radix2 k).
  { change 2 with (bpow radix2 1). rewrite <- bpow_plus. apply bpow_le. lia. }
  assert (Mh : multiple k hi) by (apply (multiple_coarser k h); [lia|now apply float_last_place]).
  assert (Mx : multiple k x).
  { apply float_multiple; [exact Fx|]. destruct (Z_le_gt_dec (h - 1) (-1074)) as [H|H];
      [right; right; lia|right; left].
    assert (Lh : bpow radix2 (52 + h) <= Rabs hi).
    { replace (52 + h)%Z with (mag radix2 hi - 1)%Z by lia. now apply bpow_mag_le. }
    assert (Lx : Rabs hi <= Rabs x + Rabs (hi + x)).
    { replace hi with (- x + (hi + x)) at 1 by ring.
      apply triangle; [rewrite Rabs_Ropp|]; apply Rle_refl. }
    replace (53 + k - 1)%Z with (51 + h)%Z by lia.
    assert (D1 : bpow radix2 (52 + h) = 2 * bpow radix2 (51 + h))
      by (change 2 with (bpow radix2 1); rewrite <- bpow_plus; f_equal; lia).
    assert (D2 : 4 * bpow radix2 h <= bpow radix2 (51 + h))
      by (change 4 with (bpow radix2 2); rewrite <- bpow_plus; apply bpow_le; lia).
    pose proof (bpow_gt_0 radix2 h). lra. }
  assert (Ms : multiple k (hi + x)) by now apply multiple_plus.
  assert (E : s = hi + x).
  { rewrite Es. apply fl_exact, (multiple_float k); [lia|exact Ms|].
    assert (4 * bpow radix2 k <= bpow radix2 (53 + k))
      by (change 4 with (bpow radix2 2); rewrite <- bpow_plus; apply bpow_le; lia).
    pose proof (bpow_gt_0 radix2 k). lra. }
  assert (Ez : e = 0) by lra.
  assert (El : c = lo) by (rewrite Ec, Ez, Rplus_0_l; now apply fl_exact).
  assert (Fs : float s) by (rewrite Es; apply fl_float).
  rewrite El. set (d := cexp radix2 format lo).
  assert (Ed : d = Z.max (mag radix2 lo - 53) (-1074)) by reflexivity.
  destruct (Req_dec lo 0) as [Hz|Hl0].
  { rewrite Hz, Rplus_0_r, (fl_exact s) by exact Fs. replace (s - s) with 0 by ring.
    rewrite (fl_exact 0), Rminus_0_r, (fl_exact 0) by apply float_0. ring. }
  apply (fast_two_sum_multiple s lo d); try assumption; [lia| |now apply float_last_place|].
  - rewrite E. apply (multiple_coarser d k); [|exact Ms].
    assert (mag radix2 lo <= h)%Z by (apply mag_le_bpow; [exact Hl0|lra]). lia.
  - eapply Rlt_le_trans; [apply (bpow_mag_gt radix2 lo)|]. apply bpow_le. lia.
Qed.

(** [add_to]: x to a pair. *)
Theorem fast_path_add_to hi lo x : double_double hi lo -> float x ->
  let s := fl (hi + x) in
  let t := fl (s - hi) in
  let e := fl (fl (hi - fl (s - t)) + fl (x - t)) in
  let c := fl (e + lo) in
  let hi' := fl (s + c) in
  let lo' := fl (c - fl (hi' - s)) in
  double_double hi' lo'
  /\ Rabs (hi' + lo' - (hi + lo + x)) <= 2 * (roundoff * roundoff) * (Rabs hi + Rabs x).
Proof.
  intros (Fh & Fl & Hl) Fx s t e c hi' lo'.
  pose proof (fast_path_two_sum hi x Fh Fx) as E1. cbv zeta in E1.
  fold s in E1. fold t in E1. fold e in E1.
  assert (Fs : float s) by apply fl_float. assert (Fe : float e) by apply fl_float.
  assert (Fc : float c) by apply fl_float.
  pose proof (fl_sum_near hi x Fh Fx) as Ns. fold s in Ns.
  pose proof (fl_sum_near e lo Fe Fl) as Nc. fold c in Nc.
  pose proof (Rabs_triang hi x) as T1. pose proof (Rabs_triang e lo) as T2.
  assert (He : Rabs e <= roundoff * Rabs (hi + x))
    by (replace e with (- (s - (hi + x))) by lra; rewrite Rabs_Ropp; exact Ns).
  assert (E2 : hi' + lo' = s + c).
  { destruct (Rle_or_lt (Rabs c) (Rabs s)) as [H|H];
      [exact (fast_path_fast_two_sum s c Fs Fc H)|].
    apply (cancelled hi lo x s e c); auto. repeat split; assumption. }
  split; [apply sum_pair; try assumption; apply fl_float|].
  rewrite E2. replace (s + c - (hi + lo + x)) with (c - (e + lo)) by lra.
  eapply Rle_trans; [exact Nc|]. pose proof (Rabs_pos hi). pose proof (Rabs_pos x).
  assert (Rabs (e + lo) <= roundoff * (2 * Rabs hi + Rabs x)) by (unfold roundoff in *; lra).
  apply Rle_trans with (roundoff * (roundoff * (2 * Rabs hi + Rabs x)));
    [apply Rmult_le_compat_l; [unfold roundoff; lra|assumption]|]. unfold roundoff. lra.
Qed.
