(** The fast path: what is not rounded. Numbers cut into slices, sums of products of slices, and the
    error of a sum or a product as a number.
    Rump, Ogita, Oishi, "Accurate floating-point summation" (2008); Dekker (1971); Knuth, TAOCP 2;
    the last two by Boldo's proofs in Flocq. *)
From Coq Require Import Reals ZArith Lra Lia Arith.
From Flocq Require Import Core Pff2Flocq.
From KVFloor Require Import Binary64 Nearest.
Open Scope R_scope.

Lemma bpow_half e : bpow radix2 (e - 1) = bpow radix2 e / 2.
Proof.
  unfold Z.sub. change (- (1))%Z with (- Z.of_nat 1)%Z. rewrite bpow_plus, power_inverse, pow_1.
  reflexivity.
Qed.

(** A multiple of 2^e below that is zero. *)
Lemma multiple_below e x : multiple e x -> Rabs x < bpow radix2 e -> x = 0.
Proof.
  intros (m & ->) H. rewrite Rabs_mult, (Rabs_pos_eq (bpow radix2 e)) in H by apply bpow_ge_0.
  rewrite <- abs_IZR in H. assert (Hm : IZR (Z.abs m) < 1).
  { apply (Rmult_lt_reg_r (bpow radix2 e)); [apply bpow_gt_0|]. lra. }
  apply lt_IZR in Hm. replace m with 0%Z by lia. ring.
Qed.

(** In the binade whose last place is 2^e. *)
Lemma fl_binade z e : (-1074 <= e)%Z -> bpow radix2 (52 + e) <= z <= bpow radix2 (53 + e) ->
  multiple e (fl z) /\ Rabs (z - fl z) <= bpow radix2 e / 2.
Proof.
  intros He [H1 H2]. pose proof (bpow_gt_0 radix2 (52 + e)). pose proof (bpow_gt_0 radix2 e).
  destruct (Req_dec z (bpow radix2 (53 + e))) as [->|Hz].
  - rewrite fl_exact by (apply generic_format_bpow; unfold format, FLT_exp; lia). split.
    + exists (2 ^ 53)%Z. rewrite two_power, <- bpow_plus by lia. reflexivity.
    + replace (_ - _) with 0 by ring. rewrite Rabs_R0. lra.
  - assert (Hc : cexp radix2 format z = e).
    { unfold cexp. rewrite (mag_unique radix2 z (53 + e)); [unfold format, FLT_exp; lia|].
      rewrite Rabs_pos_eq by lra. replace (53 + e - 1)%Z with (52 + e)%Z by lia. lra. }
    split.
    + exists (ZnearestE (scaled_mantissa radix2 format z)). unfold fl, round, F2R. cbn [Fnum Fexp].
      now rewrite Hc.
    + rewrite Rabs_minus_sym. pose proof
        (@error_le_half_ulp radix2 format format_valid (fun n => negb (Z.even n)) z) as K.
      rewrite ulp_neq_0, Hc in K by lra. unfold fl. lra.
Qed.

Section Extraction.
Variables (x : R) (e : Z).
Hypothesis Hx : float x.
Hypothesis He : (-1074 <= e)%Z.
Hypothesis Hsize : Rabs x <= bpow radix2 (51 + e).
Let C := 3 / 2 * 2 ^ 52 * bpow radix2 e.
Let head := fl (fl (x + C) - C).

Lemma extracted : multiple e head /\ Rabs (x - head) <= bpow radix2 e / 2.
Proof.
  assert (Hpow : forall k, (0 <= k)%Z -> bpow radix2 (k + e) = IZR (2 ^ k) * bpow radix2 e)
    by (intros k Hk; rewrite bpow_plus, two_power by exact Hk; reflexivity).
  pose proof (bpow_gt_0 radix2 e) as He0. rewrite Hpow in Hsize by lia.
  destruct (fl_binade (x + C) e He) as [M N].
  { rewrite !Hpow by lia. apply Rabs_le_inv in Hsize. unfold C. simpl Z.pow in *. lra. }
  assert (MC : multiple e C) by (exists (3 * 2 ^ 51)%Z; unfold C; simpl; lra).
  assert (E : head = fl (x + C) - C).
  { apply fl_exact, (multiple_float e); [exact He|now apply multiple_minus|].
    rewrite Hpow by lia. apply Rabs_le_inv in Hsize. apply Rabs_le_inv in N. apply Rabs_le.
    simpl Z.pow in *. lra. }
  rewrite E. split; [now apply multiple_minus|].
  replace (x - (fl (x + C) - C)) with (x + C - fl (x + C)) by ring. exact N.
Qed.

Lemma extracted_rest : float (x - head).
Proof.
  destruct extracted as [M N]. pose proof (bpow_gt_0 radix2 e) as He0.
  set (c := cexp radix2 format x).
  assert (Mx : multiple c x) by (exists (Ztrunc (scaled_mantissa radix2 format x)); exact Hx).
  destruct (Z_le_gt_dec e c) as [Hc|Hc].
  - rewrite (multiple_below e (x - head)); [apply float_0| |lra].
    apply multiple_minus; [now apply (multiple_coarser e c)|exact M].
  - assert (Hc0 : (-1074 <= c)%Z) by (unfold c, cexp, format, FLT_exp; lia).
    apply (multiple_float c); [exact Hc0| |].
    + apply multiple_minus; [exact Mx|]. apply (multiple_coarser c e); [lia|exact M].
    + apply Rle_trans with (Rabs x).
      * destruct (Rle_or_lt (bpow radix2 e / 2) (Rabs x)) as [H|H]; [lra|].
        rewrite (multiple_below e head M); [right; f_equal; ring|].
        replace head with (x - (x - head)) by ring. eapply Rle_lt_trans; [apply Rabs_triang|].
        rewrite Rabs_Ropp. lra.
      * left. eapply Rlt_le_trans; [apply (bpow_mag_gt radix2)|]. apply bpow_le.
        unfold c, cexp, format, FLT_exp. lia.
Qed.

(** What is not above a multiple of 2^e, is not after rounding to one. *)
Lemma extracted_bound k : (e <= k)%Z -> Rabs x <= bpow radix2 k -> Rabs head <= bpow radix2 k.
Proof.
  intros Hk Hxk. destruct extracted as [M N]. pose proof (bpow_gt_0 radix2 e) as He0.
  assert (Mk : multiple e (bpow radix2 k)).
  { apply (multiple_coarser e k _ Hk). exists 1%Z. ring. }
  assert (Ma : multiple e (Rabs head))
    by (unfold Rabs at 1; destruct (Rcase_abs head); [now apply multiple_opp|exact M]).
  destruct (Rle_or_lt (Rabs head) (bpow radix2 k)) as [H|H]; [exact H|exfalso].
  assert (Hd : Rabs head - bpow radix2 k = 0); [|lra].
  apply (multiple_below e); [now apply multiple_minus|]. rewrite Rabs_pos_eq by lra.
  assert (Rabs head <= Rabs x + Rabs (x - head)); [|lra].
  replace head with (x + - (x - head)) at 1 by ring. rewrite <- (Rabs_Ropp (x - head)).
  apply Rabs_triang.
Qed.
End Extraction.

(** [extract]: x to the nearest multiple of 2^e, and the rest, which is a number. *)
Theorem fast_path_extract x e :
  float x -> (-1074 <= e)%Z -> Rabs x <= bpow radix2 (51 + e) ->
  let C := 3 / 2 * 2 ^ 52 * bpow radix2 e in
  let head := fl (fl (x + C) - C) in
  multiple e head /\ Rabs (x - head) <= bpow radix2 e / 2 /\ fl (x - head) = x - head.
Proof.
  intros Hx He Hs C head. destruct (extracted x e He Hs) as [M N].
  repeat split; [exact M|exact N|]. now apply fl_exact, extracted_rest.
Qed.

(** [split]: three slices, for numbers up to 2^t. *)
Theorem fast_path_split x t beta :
  float x -> (1 <= beta <= 26)%Z -> (-1074 <= t - 2 * beta)%Z -> Rabs x <= bpow radix2 t ->
  let head e y := fl (fl (y + 3 / 2 * 2 ^ 52 * bpow radix2 e) - 3 / 2 * 2 ^ 52 * bpow radix2 e) in
  let x0 := head (t - beta)%Z x in
  let rest := fl (x - x0) in
  let x1 := head (t - 2 * beta)%Z rest in
  let x2 := fl (rest - x1) in
  x0 + x1 + x2 = x
  /\ multiple (t - beta) x0 /\ Rabs x0 <= bpow radix2 t
  /\ multiple (t - 2 * beta) x1 /\ Rabs x1 <= bpow radix2 (t - beta - 1)
  /\ Rabs x2 <= bpow radix2 (t - 2 * beta - 1).
Proof.
  intros Hx Hb Ht Hs head x0 rest x1 x2.
  assert (H0 : Rabs x <= bpow radix2 (51 + (t - beta)))
    by (eapply Rle_trans; [exact Hs|apply bpow_le; lia]).
  destruct (fast_path_extract x (t - beta) Hx ltac:(lia) H0) as (M0 & N0 & E0).
  change (fl (fl (x + _) - _)) with x0 in M0, N0, E0. fold rest in E0.
  assert (Hr : Rabs rest <= bpow radix2 (t - beta - 1)) by (rewrite E0, bpow_half; exact N0).
  assert (H1 : Rabs rest <= bpow radix2 (51 + (t - 2 * beta)))
    by (eapply Rle_trans; [exact Hr|apply bpow_le; lia]).
  destruct (fast_path_extract rest (t - 2 * beta) (fl_float _) Ht H1) as (M1 & N1 & E1).
  change (fl (fl (rest + _) - _)) with x1 in M1, N1, E1. fold x2 in E1.
  repeat split; [rewrite E1, E0; ring|exact M0| |exact M1| |].
  - apply (extracted_bound x (t - beta)); [lia|exact H0|lia|exact Hs].
  - apply (extracted_bound rest (t - 2 * beta)); [exact Ht|exact H1|lia|exact Hr].
  - rewrite E1, bpow_half. exact N1.
Qed.

(** ** The error of an operation *)

Lemma even_choice_symmetric n : negb (Z.even n) = negb (negb (Z.even (- (n + 1)))).
Proof.
  rewrite Bool.negb_involutive, Z.even_opp, Z.even_add. simpl.
  destruct (Z.even n); reflexivity.
Qed.

(** [two_sum]: Knuth's; no condition. *)
Theorem fast_path_two_sum a b : float a -> float b ->
  let s := fl (a + b) in
  let t := fl (s - a) in
  let e := fl (fl (a - fl (s - t)) + fl (b - t)) in
  s + e = a + b.
Proof.
  intros Ha Hb.
  exact (TwoSum_correct (-1074) 53 (fun n => negb (Z.even n)) ltac:(lia) ltac:(lia)
    even_choice_symmetric a b Ha Hb).
Qed.

(** [fast_two_sum]: Dekker's. *)
Theorem fast_path_fast_two_sum a b : float a -> float b -> Rabs b <= Rabs a ->
  let s := fl (a + b) in
  let e := fl (b - fl (s - a)) in
  s + e = a + b.
Proof.
  intros Ha Hb H s. unfold s.
  replace (fl (b - fl (fl (a + b) - a))) with (fl (b + fl (a - fl (a + b)))).
  - exact (Fast2Sum_correct (-1074) 53 (fun n => negb (Z.even n)) ltac:(lia) ltac:(lia)
      even_choice_symmetric a b Ha Hb H).
  - replace (a - fl (a + b)) with (- (fl (a + b) - a)) by ring. now rewrite fl_opposite.
Qed.

(** [two_product]: Veltkamp's and Dekker's; where the error underflows it is off by 7/2·2^-1074. *)
Theorem fast_path_two_product a b : float a -> float b ->
  let half x := let t := fl ((2 ^ 27 + 1) * x) in fl (t - fl (t - x)) in
  let a1 := half a in let a2 := fl (a - a1) in
  let b1 := half b in let b2 := fl (b - b1) in
  let p := fl (a * b) in
  let e := fl (fl (a2 * b2) - fl (fl (fl (p - fl (a1 * b1)) - fl (a2 * b1)) - fl (a1 * b2))) in
  (a * b = 0 \/ / 2 ^ 969 <= Rabs (a * b) -> p + e = a * b)
  /\ Rabs (a * b - (p + e)) <= 7 / 2 * / 2 ^ 1074.
Proof.
  intros Ha Hb half a1 a2 b1 b2 p e.
  pose proof (Dekker radix2 (-1074) 53 (fun n => negb (Z.even n)) ltac:(lia) ltac:(lia) b a Hb Ha
    (or_introl eq_refl)) as D.
  change (round radix2 (FLT_exp (-1074) 53) (Znearest (fun n => negb (Z.even n)))) with fl in D.
  change (bpow radix2 (53 - Z.div2 53)) with (bpow radix2 (Z.of_nat 27)) in D.
  rewrite (power_of_nat 27) in D.
  assert (Hswap : forall x y, fl (- x - y) = - fl (x + y))
    by (intros; rewrite <- fl_opposite; f_equal; ring).
  assert (Hhalf : forall x, fl (fl (x - fl (x * (2 ^ 27 + 1))) + fl (x * (2 ^ 27 + 1))) = half x).
  { intros x. unfold half. rewrite (Rmult_comm x). set (t := fl ((2 ^ 27 + 1) * x)).
    replace (x - t) with (- (t - x)) by ring. rewrite fl_opposite. f_equal. ring. }
  rewrite !Hhalf in D. fold a1 b1 in D. fold a2 b2 in D.
  rewrite (Rmult_comm b a), (Rmult_comm b1 a1), (Rmult_comm b1 a2), (Rmult_comm b2 a1),
    (Rmult_comm b2 a2) in D. fold p in D.
  assert (E : fl (fl (fl (fl (- p + fl (a1 * b1)) + fl (a2 * b1)) + fl (a1 * b2)) + fl (a2 * b2)) = e).
  { unfold e. replace (p - fl (a1 * b1)) with (- - p - fl (a1 * b1)) by ring.
    rewrite !Hswap. f_equal. ring. }
  rewrite E in D. destruct D as [D1 D2]. split.
  - intros H. symmetry. apply D1. destruct H as [H|H]; [left; exact H|right].
    change (-1074 + 2 * 53 - 1)%Z with (- Z.of_nat 969)%Z. rewrite power_inverse. exact H.
  - change (bpow radix2 (-1074)) with (bpow radix2 (- Z.of_nat 1074)) in D2.
    rewrite power_inverse in D2. exact D2.
Qed.
