(** The polynomial of [exp2_single] against 2^f, |f| <= 1/2: within 2.75 units roundoff of it. In each
    of 256 intervals the coefficients around its centre are bounded, in integers, as a test does it in
    balls. *)
From Coq Require Import Reals ZArith Lra Lia Arith List.
From Flocq Require Import Core.
From KVFloor Require Import Binary64 Nearest IntegerValues ExpSeries.
Import ListNotations.
Open Scope R_scope.

(** The coefficients times 2^80, the highest first. *)
Definition exp2_numerators : list Z :=
  [8597617788970267; 123437610704245776; 1597623931775675904; 18439319593754005504;
   186217260989516906496; 1611928283165600514048; 11627604614299055554560;
   67100350059023683289088; 290416026818695091191808; 837963523372008863694848;
   1208925819614629174706176]%Z.

Definition exp2_polynomial (f : R) : R := value (rev exp2_numerators) f / 2 ^ 80.

(** It, and what it differs by from the series of degree 16, times 16! 2^1280. *)
Definition polynomial_scaled : list Z :=
  scale (rising 0 16 * 2 ^ (80 * Z.of_nat 15)) (rev exp2_numerators).
Definition difference_scaled : list Z :=
  add polynomial_scaled (scale (-1) (series ln2_numerator 16)).

Lemma polynomial_scaled_value f :
  value polynomial_scaled f = IZR (series_unit 16) * exp2_polynomial f.
Proof.
  unfold polynomial_scaled, exp2_polynomial, series_unit.
  rewrite value_scale, !mult_IZR, !power_80. rewrite <- (tech_pow_Rmult (2 ^ 80) 15). field.
Qed.

Lemma difference_scaled_value f : value difference_scaled f
  = IZR (series_unit 16) * (exp2_polynomial f - exp_series 16 (f * ln2_near)).
Proof.
  unfold difference_scaled.
  rewrite value_add, value_scale, polynomial_scaled_value, series_value. unfold ln2_near. ring.
Qed.

(** d is at most 2.745 units roundoff of p between 0 - 1 and 2k - 1, interval by interval. *)
Fixpoint close (k : nat) (p d : list Z) : bool :=
  match k, p with
  | O, _ => true
  | S _, [] => false
  | S k', a :: p' =>
      (norm d * (1000 * 2 ^ 53) <=? 2745 * (a - norm p'))%Z && close k' (shift 2 p) (shift 2 d)
  end.

Lemma close_value k p d x : close k p d = true -> -1 <= x <= 2 * INR k - 1 -> (1 <= k)%nat ->
  Rabs (value d x) <= 2745 / 1000 * / 2 ^ 53 * value p x.
Proof.
  revert p d x. induction k as [|k IH]; intros p d x H Hx Hk; [lia|].
  destruct p as [|a p]; [discriminate|]. cbn [close] in H. apply andb_prop in H as [H1 H2].
  destruct (Rle_or_lt x 1) as [Hx1|Hx1].
  - apply Z.leb_le, IZR_le in H1. rewrite !mult_IZR, (two_power 53) in H1 by lia.
    change (bpow radix2 53) with (bpow radix2 (Z.of_nat 53)) in H1. rewrite power_of_nat in H1.
    assert (Hs : Rabs x <= 1) by (apply Rabs_le; lra).
    pose proof (value_within d x Hs). pose proof (value_at_least a p x Hs). lra.
  - rewrite S_INR in Hx. destruct k as [|k]; [simpl in Hx; lra|].
    specialize (IH _ _ (x - 2) H2 ltac:(lra) ltac:(lia)). rewrite !value_shift in IH.
    replace (2 + (x - 2)) with x in IH by ring. exact IH.
Qed.

Lemma polynomial_close : close 256 (shift (-255) (spread 512 16 polynomial_scaled))
  (shift (-255) (spread 512 16 difference_scaled)) = true.
Proof. vm_compute. reflexivity. Qed.

Lemma series_close f : Rabs f <= / 2 ->
  Rabs (exp2_polynomial f - exp_series 16 (f * ln2_near))
    <= 2745 / 1000 * / 2 ^ 53 * exp2_polynomial f.
Proof.
  intros Hf. apply Rabs_le_inv in Hf.
  assert (H := close_value 256 _ _ (512 * f + 255) polynomial_close).
  replace (INR 256) with 256 in H by (rewrite INR_IZR_INZ; reflexivity).
  specialize (H ltac:(lra) ltac:(lia)). rewrite !value_shift, !value_spread in H
    by (reflexivity || (vm_compute; lia)).
  replace ((IZR (-255) + (512 * f + 255)) / IZR 512) with f in H by (simpl; field).
  rewrite polynomial_scaled_value, difference_scaled_value in H.
  pose proof (series_unit_pos 16) as Hu. set (S := IZR (series_unit 16)) in *.
  assert (H512 : 0 < IZR 512 ^ 16 * S) by (apply Rmult_lt_0_compat; [apply pow_lt; lra|exact Hu]).
  rewrite <- !Rmult_assoc in H.
  rewrite Rabs_mult, (Rabs_pos_eq (IZR 512 ^ 16 * S)) in H by (left; exact H512).
  apply (Rmult_le_reg_l (IZR 512 ^ 16 * S)); [exact H512|]. lra.
Qed.

Lemma exp_near_1 x : Rabs x <= 1 -> Rabs (exp x - 1) <= 3 * Rabs x.
Proof.
  intros H. pose proof (exp_series_near 0 x H) as K. unfold exp_series in K. simpl in K.
  replace (1 / 1) with 1 in K by field. lra.
Qed.

(** 2^f as the series has it. *)
Lemma series_two f : Rabs f <= / 2 ->
  Rabs (exp_series 16 (f * ln2_near) - Rpower 2 f) <= / 2 ^ 69.
Proof.
  intros Hf. pose proof ln2_within as HL. set (b := f * ln2_near) in *. unfold Rpower.
  assert (Hn : 0 < ln2_near <= 6932 / 10000) by (unfold ln2_near, ln2_numerator; lra).
  assert (Hb : Rabs b <= 35 / 100).
  { unfold b. rewrite Rabs_mult, (Rabs_pos_eq ln2_near) by lra. nra. }
  set (t := f * (ln 2 - ln2_near)).
  assert (Ht : Rabs t <= / 2 ^ 80).
  { unfold t. rewrite Rabs_mult. pose proof (Rabs_pos f). pose proof (Rabs_pos (ln 2 - ln2_near)). nra. }
  replace (f * ln 2) with (b + t) by (unfold b, t; ring). rewrite exp_plus.
  pose proof (exp_series_near 16 b ltac:(lra)) as K1. rewrite fact_integer in K1.
  change (IZR (rising 0 17)) with (IZR 355687428096000) in K1.
  assert (Hp : Rabs b ^ 17 <= (35 / 100) ^ 17) by (apply pow_incr; split; [apply Rabs_pos|exact Hb]).
  assert (K2 : Rabs (exp b - exp_series 16 b) <= / 2 ^ 71) by lra.
  pose proof (exp_near_1 t ltac:(lra)) as K3. pose proof (exp_near_1 b ltac:(lra)) as K4.
  assert (K5 : Rabs (exp b * exp t - exp b) <= / 2 ^ 75).
  { replace (exp b * exp t - exp b) with (exp b * (exp t - 1)) by ring.
    rewrite Rabs_mult, (Rabs_pos_eq (exp b)) by (left; apply exp_pos).
    apply Rabs_le_inv in K4. assert (exp b <= 4) by lra.
    apply Rle_trans with (4 * (3 * / 2 ^ 80)); [|lra].
    apply Rmult_le_compat; [left; apply exp_pos|apply Rabs_pos|lra|lra]. }
  apply Rabs_le_inv in K2. apply Rabs_le_inv in K5. apply Rabs_le. lra.
Qed.

Lemma two_power_range f : Rabs f <= / 2 -> 7071 / 10000 <= Rpower 2 f <= 14143 / 10000.
Proof.
  intros H. apply Rabs_le_inv in H.
  assert (Hhalf : Rpower 2 (/ 2) * Rpower 2 (/ 2) = 2).
  { rewrite <- Rpower_plus. replace (/ 2 + / 2) with 1 by field. apply Rpower_1. lra. }
  assert (Hminus : Rpower 2 (- / 2) * Rpower 2 (/ 2) = 1).
  { rewrite <- Rpower_plus, Rplus_opp_l. apply Rpower_O. lra. }
  pose proof (exp_pos (/ 2 * ln 2)) as Hpos. fold (Rpower 2 (/ 2)) in Hpos.
  pose proof (Rle_Rpower 2 _ _ ltac:(lra) (proj1 H)) as H1.
  pose proof (Rle_Rpower 2 _ _ ltac:(lra) (proj2 H)) as H2. split; nra.
Qed.

Lemma exp2_polynomial_near f : Rabs f <= / 2 ->
  Rabs (exp2_polynomial f - Rpower 2 f) <= 275 / 100 * / 2 ^ 53 * Rpower 2 f.
Proof.
  intros Hf. pose proof (series_close f Hf) as H1. pose proof (series_two f Hf) as H2.
  pose proof (two_power_range f Hf) as H3.
  apply Rabs_le_inv in H1. apply Rabs_le_inv in H2. apply Rabs_le. lra.
Qed.
