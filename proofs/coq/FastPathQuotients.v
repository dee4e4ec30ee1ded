(** The fast path: quotients of double-doubles, within 16u².
    Dekker, "A floating-point technique for extending the available precision" (1971); that the
    remainder of a rounded quotient is a number: Boldo, Daumas (2003). *)
From Coq Require Import Reals ZArith Lra Lia Arith.
From Flocq Require Import Core.
From KVFloor Require Import Binary64 Nearest FastPathExact FastPathPairs.
Open Scope R_scope.

Lemma cexp_above x : cexp radix2 format x = Z.max (mag radix2 x - 53) (-1074).
Proof. reflexivity. Qed.

(** The remainder of a rounded quotient is a number, and so is what the rounded product leaves. *)
Lemma remainder_float a b q p : float a -> float b -> q = fl (a / b) -> p = fl (q * b) ->
  least_product <= Rabs a -> least_product <= Rabs b -> least_product <= Rabs (a / b) ->
  float (a - p) /\ float (a - q * b).
Proof.
  intros Fa Fb Hq Hp La Lb Lq.
  assert (HL : least_product = bpow radix2 (-960))
    by (unfold least_product; change (-960)%Z with (- Z.of_nat 960)%Z; now rewrite power_inverse).
  assert (Hpos := bpow_gt_0 radix2 (-960)). rewrite HL in *.
  assert (Hb : b <> 0) by (intros ->; rewrite Rabs_R0 in Lb; lra).
  assert (Fq : float q) by (rewrite Hq; apply fl_float).
  assert (Lq' : bpow radix2 (-960) <= Rabs q).
  { rewrite Hq. unfold fl. apply abs_round_ge_generic; [exact format_valid|apply valid_rnd_N| |exact Lq].
    apply generic_format_bpow. unfold format, FLT_exp. lia. }
  assert (Hq0 : q <> 0) by (intros E; rewrite E, Rabs_R0 in Lq'; lra).
  pose proof (mag_ge_bpow radix2 q (-959) Lq') as Mq. pose proof (mag_ge_bpow radix2 b (-959) Lb) as Mb.
  set (cq := (mag radix2 q - 53)%Z). set (cb := (mag radix2 b - 53)%Z). set (c := (cq + cb)%Z).
  assert (Eq : cexp radix2 format q = cq) by (rewrite cexp_above; unfold cq; lia).
  assert (Eb : cexp radix2 format b = cb) by (rewrite cexp_above; unfold cb; lia).
  assert (Mulq : multiple cq q).
  { exists (Ztrunc (scaled_mantissa radix2 format q)). rewrite <- Eq. exact Fq. }
  assert (Mulb : multiple cb b).
  { exists (Ztrunc (scaled_mantissa radix2 format b)). rewrite <- Eb. exact Fb. }
  assert (Bq : bpow radix2 (52 + cq) <= Rabs q < bpow radix2 (53 + cq)).
  { unfold cq. replace (52 + _)%Z with (mag radix2 q - 1)%Z by lia.
    replace (53 + _)%Z with (mag radix2 q : Z) by lia.
    split; [now apply bpow_mag_le|apply bpow_mag_gt]. }
  assert (Bb : bpow radix2 (52 + cb) <= Rabs b < bpow radix2 (53 + cb)).
  { unfold cb. replace (52 + _)%Z with (mag radix2 b - 1)%Z by lia.
    replace (53 + _)%Z with (mag radix2 b : Z) by lia.
    split; [now apply bpow_mag_le|apply bpow_mag_gt]. }
  assert (Hhalf : Rabs (a / b - q) <= bpow radix2 (cq - 1)).
  { rewrite bpow_half, Rabs_minus_sym.
    pose proof (@error_le_half_ulp_round radix2 format format_valid
      (@FLT_exp_monotone (-1074) 53) (fun n => negb (Z.even n)) (a / b)) as K.
    change (round radix2 format (Znearest (fun n => negb (Z.even n))) (a / b)) with (fl (a / b)) in K.
    rewrite <- Hq in K. rewrite ulp_neq_0, Eq in K by exact Hq0. lra. }
  assert (Hr : Rabs (a - q * b) <= bpow radix2 (52 + c)).
  { replace (a - q * b) with ((a / b - q) * b) by (field; exact Hb). rewrite Rabs_mult.
    replace (52 + c)%Z with ((cq - 1) + (53 + cb))%Z by (unfold c; lia).
    rewrite (bpow_plus _ (cq - 1)). apply Rmult_le_compat; auto using Rabs_pos. lra. }
  assert (Hqb : bpow radix2 (104 + c) <= Rabs (q * b) <= bpow radix2 (106 + c)).
  { rewrite Rabs_mult. replace (104 + c)%Z with ((52 + cq) + (52 + cb))%Z by (unfold c; lia).
    replace (106 + c)%Z with ((53 + cq) + (53 + cb))%Z by (unfold c; lia).
    rewrite (bpow_plus _ (52 + cq)), (bpow_plus _ (53 + cq)).
    split; apply Rmult_le_compat; try apply bpow_ge_0; try apply Rabs_pos; lra. }
  assert (Hstep : forall j k, (j <= k)%Z -> bpow radix2 (j + c) <= bpow radix2 (k + c))
    by (intros; apply bpow_le; lia).
  assert (Hdouble : forall k, bpow radix2 (k + c) = bpow radix2 (k - 1 + c) + bpow radix2 (k - 1 + c)).
  { intros k. replace (k - 1 + c)%Z with ((k + c) - 1)%Z by lia. rewrite bpow_half. lra. }
  assert (Ba : bpow radix2 (103 + c) <= Rabs a).
  { pose proof (Rabs_triang a (- (a - q * b))) as T. replace (a + - (a - q * b)) with (q * b) in T by ring.
    rewrite Rabs_Ropp in T. pose proof (Hstep 52 103 ltac:(lia))%Z.
    pose proof (Hdouble 104%Z) as D. change (104 - 1)%Z with 103%Z in D. lra. }
  assert (Hc : (-1074 <= c)%Z).
  { assert (Hlt : bpow radix2 (-960) < bpow radix2 (107 + c)).
    { eapply Rle_lt_trans; [exact La|]. pose proof (Rabs_triang (a - q * b) (q * b)) as T.
      replace (a - q * b + q * b) with a in T by ring.
      pose proof (Hstep 52 105 ltac:(lia))%Z. pose proof (Hdouble 107%Z) as D1.
      pose proof (Hdouble 106%Z) as D2. change (107 - 1)%Z with 106%Z in D1.
      change (106 - 1)%Z with 105%Z in D2. pose proof (bpow_gt_0 radix2 (105 + c)). lra. }
    apply lt_bpow in Hlt. lia. }
  assert (Ma : multiple c a).
  { apply float_multiple; [exact Fa|]. right. left. eapply Rle_trans; [|exact Ba].
    apply bpow_le. lia. }
  assert (Mqb : multiple c (q * b)) by now apply multiple_times.
  assert (Fp : float p) by (rewrite Hp; apply fl_float).
  assert (Mp : multiple c p).
  { apply float_multiple; [exact Fp|]. right. left. rewrite Hp. unfold fl.
    apply abs_round_ge_generic; [exact format_valid|apply valid_rnd_N| |].
    - apply generic_format_bpow. unfold format, FLT_exp. lia.
    - eapply Rle_trans; [|apply Hqb]. apply bpow_le. lia. }
  split; apply (multiple_float c); try exact Hc; try (apply multiple_minus; assumption).
  - assert (He : Rabs (q * b - p) <= bpow radix2 (52 + c)).
    { pose proof (@error_le_half_ulp radix2 format format_valid (fun n => negb (Z.even n)) (q * b)) as K.
      change (round radix2 format (Znearest (fun n => negb (Z.even n))) (q * b)) with (fl (q * b)) in K.
      rewrite <- Hp, Rabs_minus_sym in K. eapply Rle_trans; [exact K|].
      assert (Hqb0 : q * b <> 0) by (apply Rmult_integral_contrapositive_currified; assumption).
      rewrite ulp_neq_0, cexp_above by exact Hqb0.
      assert (Hmag : (mag radix2 (q * b) <= 106 + c)%Z).
      { destruct (Rle_lt_or_eq_dec _ _ (proj2 Hqb)) as [Hlt|E].
        - apply mag_le_bpow; assumption.
        - exfalso. rewrite Rabs_mult in E.
          assert (Rabs q * Rabs b < bpow radix2 (106 + c)); [|lra].
          replace (106 + c)%Z with ((53 + cq) + (53 + cb))%Z by (unfold c; lia).
          rewrite (bpow_plus _ (53 + cq)). apply Rmult_le_0_lt_compat; try apply Rabs_pos; lra. }
      apply Rle_trans with (/ 2 * bpow radix2 (53 + c)).
      - apply Rmult_le_compat_l; [lra|]. apply bpow_le. lia.
      - pose proof (Hdouble 53%Z) as D. change (53 - 1)%Z with 52%Z in D. lra. }
    replace (a - p) with ((a - q * b) + (q * b - p)) by ring.
    eapply Rle_trans; [apply triangle; [exact Hr|exact He]|].
    pose proof (Hdouble 53%Z) as D. change (53 - 1)%Z with 52%Z in D. lra.
  - eapply Rle_trans; [exact Hr|]. apply bpow_le. lia.
Qed.

(** [divide]; p and e are what [two_product] gives. *)
Theorem fast_path_divide a0 a1 b0 b1 q p e g :
  double_double a0 a1 -> double_double b0 b1 ->
  least_product <= Rabs a0 -> least_product <= Rabs b0 -> least_product <= Rabs (a0 / b0) ->
  q = fl (a0 / b0) -> p = fl (q * b0) -> float e -> p + e = q * b0 -> contracted (q * b1) g ->
  let t := fl (fl (fl (fl (a0 - p) - e) + fl (a1 - g)) / b0) in
  let hi := fl (q + t) in
  let lo := fl (t - fl (hi - q)) in
  double_double hi lo
  /\ Rabs (hi + lo - (a0 + a1) / (b0 + b1))
     <= 16 * (roundoff * roundoff) * Rabs ((a0 + a1) / (b0 + b1)).
Proof.
  intros Ha Hb La Lb Lq Eq Hp Fe He Hg t hi lo.
  pose proof (pair_size _ _ Ha) as Sa. pose proof (pair_size _ _ Hb) as Sb.
  destruct Ha as (Fa0 & Fa1 & Ha). destruct Hb as (Fb0 & Fb1 & Hb).
  destruct (remainder_float a0 b0 q p Fa0 Fb0 Eq Hp La Lb Lq) as [R1 R2].
  assert (HL : 0 < least_product) by (apply Rinv_0_lt_compat, pow_lt; lra).
  assert (Hb0 : 0 < Rabs b0) by lra.
  assert (Hb0' : b0 <> 0) by (intros E; rewrite E, Rabs_R0 in Hb0; lra).
  set (A := Rabs a0) in *. set (B := Rabs b0) in *. set (Q := Rabs (a0 / b0)) in *.
  assert (EQ : A = Q * B) by (unfold A, Q, B; rewrite <- Rabs_mult; f_equal; field; exact Hb0').
  assert (HU : underflow <= / 100 * (roundoff * roundoff) * A /\
               underflow <= / 100 * (roundoff * roundoff) * Q).
  { split; (eapply Rle_trans; [apply underflow_least|]); apply Rmult_le_compat_l; try assumption;
      unfold roundoff; lra. }
  destruct HU as [UA UQ].
  (* the remainder r, exactly *)
  assert (Er : fl (fl (a0 - p) - e) = a0 - q * b0).
  { rewrite (fl_exact (a0 - p)) by exact R1. replace (a0 - p - e) with (a0 - q * b0) by lra.
    now apply fl_exact. }
  set (r := a0 - q * b0) in *.
  assert (Nq : Rabs (q - a0 / b0) <= roundoff * Q + / 100 * (roundoff * roundoff) * Q).
  { rewrite Eq. eapply Rle_trans; [apply fl_near|]. fold Q. lra. }
  assert (Tr : Rabs r <= roundoff * A + / 100 * (roundoff * roundoff) * A).
  { replace r with (- (q - a0 / b0) * b0) by (unfold r; field; exact Hb0').
    rewrite Rabs_mult, Rabs_Ropp. fold B. rewrite EQ.
    replace (roundoff * (Q * B) + / 100 * (roundoff * roundoff) * (Q * B))
      with ((roundoff * Q + / 100 * (roundoff * roundoff) * Q) * B) by ring.
    apply Rmult_le_compat_r; lra. }
  assert (Tqb : Rabs (q * b1) <= roundoff * (A + Rabs r)).
  { rewrite Rabs_mult. apply Rle_trans with (Rabs q * (roundoff * B)).
    - apply Rmult_le_compat_l; [apply Rabs_pos|exact Hb].
    - replace (Rabs q * (roundoff * B)) with (roundoff * Rabs (q * b0))
        by (rewrite Rabs_mult; fold B; ring).
      apply Rmult_le_compat_l; [unfold roundoff; lra|].
      replace (q * b0) with (a0 + - r) by (unfold r; ring).
      apply triangle; [unfold A; lra|rewrite Rabs_Ropp; lra]. }
  pose proof (contracted_near _ _ Hg) as Ng.
  assert (Tg : Rabs g <= roundoff * Rabs (q * b1) + underflow + Rabs (q * b1))
    by (replace g with ((g - q * b1) + q * b1) by ring; apply triangle; [exact Ng|lra]).
  pose proof (fl_near (a1 - g)) as Ns. set (s := fl (a1 - g)) in *.
  assert (Tag : Rabs (a1 - g) <= roundoff * A + Rabs g)
    by (unfold Rminus; apply triangle; [exact Ha|rewrite Rabs_Ropp; lra]).
  assert (Ts : Rabs s <= roundoff * Rabs (a1 - g) + underflow + Rabs (a1 - g))
    by (replace s with ((s - (a1 - g)) + (a1 - g)) by ring; apply triangle; [exact Ns|lra]).
  assert (Fs : float s) by apply fl_float.
  pose proof (fl_sum_near r s R2 Fs) as Nw. set (w := fl (r + s)) in *.
  pose proof (Rabs_triang r s) as Trs.
  assert (Tw : Rabs w <= roundoff * Rabs (r + s) + Rabs (r + s))
    by (replace w with ((w - (r + s)) + (r + s)) by ring; apply triangle; [exact Nw|lra]).
  assert (Et : fl (w / b0) = t) by (unfold t; now rewrite Er).
  pose proof (fl_near (w / b0)) as Nt. rewrite Et in Nt.
  assert (Hdiv : forall x k, Rabs x <= k * A -> Rabs (x / b0) <= k * Q).
  { intros x k H. unfold Rdiv. rewrite Rabs_mult, Rabs_inv. fold B.
    apply (Rmult_le_reg_r B); [exact Hb0|]. rewrite Rmult_assoc, Rinv_l by lra. rewrite EQ in H. lra. }
  assert (Tw' : Rabs w <= (3001 / 1000 * roundoff) * A) by (unfold roundoff in *; lra).
  pose proof (Hdiv _ _ Tw') as Twb.
  assert (Tt : Rabs t <= 4 * roundoff * Q).
  { replace t with ((t - w / b0) + w / b0) by ring.
    eapply Rle_trans; [apply triangle; [exact Nt|apply Rle_refl]|]. unfold roundoff in *. lra. }
  assert (Tq : Q * (1 - 2 * roundoff) <= Rabs q).
  { pose proof (Rabs_triang q (- (q - a0 / b0))) as T.
    replace (q + - (q - a0 / b0)) with (a0 / b0) in T by ring. rewrite Rabs_Ropp in T. fold Q in T.
    unfold roundoff in *. lra. }
  assert (HQ : 0 < Q) by lra.
  assert (Htq : Rabs t <= Rabs q) by (unfold roundoff in *; lra).
  assert (Fq : float q) by (rewrite Eq; apply fl_float).
  pose proof (fast_path_fast_two_sum q t Fq (fl_float _) Htq) as E. cbv zeta in E.
  fold hi in E. fold lo in E.
  split; [apply sum_pair; try assumption; apply fl_float|].
  (* against the quotient of the pairs *)
  assert (Hbb : B * (1 - roundoff) <= Rabs (b0 + b1) <= B * (1 + roundoff)).
  { split; [exact Sb|]. eapply Rle_trans; [apply Rabs_triang|]. fold B. lra. }
  assert (Hbpos : 0 < Rabs (b0 + b1)) by (unfold roundoff in *; lra).
  assert (Hbne : b0 + b1 <> 0) by (intros Z; rewrite Z, Rabs_R0 in Hbpos; lra).
  set (rho := r + a1 - q * b1).
  assert (Trho : Rabs rho <= (3001 / 1000 * roundoff) * A).
  { unfold rho. unfold Rminus. eapply Rle_trans.
    - apply triangle; [apply triangle; [apply Rle_refl|exact Ha]|rewrite Rabs_Ropp; apply Rle_refl].
    - unfold roundoff in *. lra. }
  assert (D1 : Rabs ((w - rho) / b0) <= (8001 / 1000 * (roundoff * roundoff)) * Q).
  { apply Hdiv. unfold rho.
    replace (w - (r + a1 - q * b1)) with ((w - (r + s)) + ((s - (a1 - g)) + - (g - q * b1))) by ring.
    eapply Rle_trans.
    - apply triangle; [exact Nw|apply triangle; [exact Ns|rewrite Rabs_Ropp; exact Ng]].
    - unfold roundoff in *. lra. }
  assert (D2 : Rabs (rho / b0 - rho / (b0 + b1)) <= (3005 / 1000 * (roundoff * roundoff)) * Q).
  { replace (rho / b0 - rho / (b0 + b1)) with ((rho / b0) * (b1 / (b0 + b1))) by (field; auto).
    rewrite Rabs_mult. apply Rle_trans with ((3001 / 1000 * roundoff) * Q * (1001 / 1000 * roundoff)).
    - apply Rmult_le_compat; try apply Rabs_pos; [apply Hdiv, Trho|].
      unfold Rdiv. rewrite Rabs_mult, Rabs_inv. apply (Rmult_le_reg_r (Rabs (b0 + b1))); [exact Hbpos|].
      rewrite Rmult_assoc, Rinv_l by lra. unfold roundoff in *. lra.
    - unfold roundoff in *. lra. }
  assert (Hall : Rabs (hi + lo - (a0 + a1) / (b0 + b1)) <= 15 * (roundoff * roundoff) * Q).
  { rewrite E. replace (q + t - (a0 + a1) / (b0 + b1))
      with ((t - w / b0) + ((w - rho) / b0 + (rho / b0 - rho / (b0 + b1))))
      by (unfold rho, r; field; auto).
    eapply Rle_trans; [apply triangle; [exact Nt|apply triangle; [exact D1|exact D2]]|].
    unfold roundoff in *. lra. }
  assert (Hsize : Q * (1 - 3 * roundoff) <= Rabs ((a0 + a1) / (b0 + b1))).
  { unfold Rdiv. rewrite Rabs_mult, Rabs_inv. apply (Rmult_le_reg_r (Rabs (b0 + b1))); [exact Hbpos|].
    rewrite (Rmult_assoc (Rabs (a0 + a1))), Rinv_l, Rmult_1_r by lra.
    eapply Rle_trans; [|exact Sa]. fold A. rewrite EQ.
    apply Rle_trans with (Q * (1 - 3 * roundoff) * (B * (1 + roundoff))).
    - apply Rmult_le_compat_l; [unfold roundoff in *; lra|apply Hbb].
    - assert (0 <= Q * B) by (apply Rmult_le_pos; lra). unfold roundoff in *. lra. }
  unfold roundoff in *. lra.
Qed.
