(** The exponential series cut off, by Taylor's theorem with Lagrange's remainder, in integers; and
    ln 2 within 2^-79 by it. *)
From Coq Require Import Reals ZArith Lra Lia Arith List.
From Coquelicot Require Import Coquelicot.
From KVFloor Require Import IntegerValues.
Import ListNotations.
Open Scope R_scope.

Definition exp_series (n : nat) (x : R) : R := sum_f_R0 (fun i => x ^ i / INR (fact i)) n.

Lemma derivatives_there f k x l : is_derive_n f k x l -> ex_derive_n f k x.
Proof. destruct k; [intros _; exact I|intros H; exists l; exact H]. Qed.

Lemma exp_derivatives x k t : is_derive_n (fun t => exp (x * t)) k t (x ^ k * exp (x * t)).
Proof.
  apply is_derive_n_comp_scal; [|apply is_derive_n_exp].
  apply filter_forall. intros y j _. apply (derivatives_there _ _ _ _ (is_derive_n_exp j y)).
Qed.

(** By Taylor's theorem for exp (x t) between t = 0 and 1. *)
Lemma exp_series_near n x : Rabs x <= 1 ->
  Rabs (exp x - exp_series n x) <= 3 * Rabs x ^ S n / INR (fact (S n)).
Proof.
  intros Hx. pose proof (INR_fact_lt_0 (S n)) as Hfact. pose proof exp_le_3 as H3.
  destruct (Taylor_Lagrange (fun t => exp (x * t)) n 0 1) as (z & Hz & E); [lra| |].
  { intros t _ k _. exact (derivatives_there _ _ _ _ (exp_derivatives x k t)). }
  rewrite Rmult_1_r, Rminus_0_r, pow1 in E.
  rewrite (is_derive_n_unique _ _ _ _ (exp_derivatives x (S n) z)) in E.
  assert (Es : sum_f_R0 (fun m => 1 ^ m / INR (fact m) * Derive_n (fun t => exp (x * t)) m 0) n
    = exp_series n x).
  { apply sum_eq. intros i _.
    rewrite (is_derive_n_unique _ _ _ _ (exp_derivatives x i 0)), Rmult_0_r, exp_0, pow1.
    unfold Rdiv. ring. }
  rewrite Es in E. rewrite E.
  replace (exp_series n x + 1 / INR (fact (S n)) * (x ^ S n * exp (x * z)) - exp_series n x)
    with (exp (x * z) * x ^ S n * / INR (fact (S n))) by (unfold Rdiv; ring).
  rewrite !Rabs_mult, <- RPow_abs.
  rewrite (Rabs_pos_eq (/ _)) by (left; apply Rinv_0_lt_compat; exact Hfact).
  apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat; exact Hfact|].
  apply Rmult_le_compat_r; [apply pow_le, Rabs_pos|].
  rewrite Rabs_pos_eq by (left; apply exp_pos).
  apply Rabs_le_between in Hx. apply Rle_trans with (exp 1); [|exact H3].
  left. apply exp_increasing. nra.
Qed.

(** ** In integers, for x a/2^80 *)

(** (i+1) ... (i+k). *)
Fixpoint rising (i k : nat) : Z :=
  match k with O => 1 | S k' => Z.of_nat (i + k) * rising i k' end%Z.

Lemma fact_rising i k : INR (fact (i + k)) = IZR (rising i k) * INR (fact i).
Proof.
  induction k as [|k IH]; [rewrite Nat.add_0_r; simpl; ring|].
  rewrite Nat.add_succ_r, fact_simpl, mult_INR, IH. cbn [rising].
  rewrite mult_IZR, <- INR_IZR_INZ, Nat.add_succ_r. ring.
Qed.

Lemma fact_integer n : INR (fact n) = IZR (rising 0 n).
Proof. pose proof (fact_rising 0 n) as H. simpl in H. rewrite H. ring. Qed.

(** n! 2^(80n) times a coefficient. *)
Definition series_coefficient (a : Z) (n i : nat) : Z :=
  (a ^ Z.of_nat i * rising i (n - i) * 2 ^ (80 * Z.of_nat (n - i)))%Z.
Definition series (a : Z) (n : nat) : list Z := map (series_coefficient a n) (seq 0 (S n)).
Definition series_unit (n : nat) : Z := (rising 0 n * 2 ^ (80 * Z.of_nat n))%Z.

Lemma power_80 k : IZR (2 ^ (80 * Z.of_nat k)) = (2 ^ 80) ^ k.
Proof.
  replace (80 * Z.of_nat k)%Z with (Z.of_nat (80 * k)) by lia.
  rewrite <- pow_IZR, pow_mult. reflexivity.
Qed.

Lemma series_coefficient_value a n i : (i <= n)%nat ->
  IZR (series_coefficient a n i) = IZR (series_unit n) * ((IZR a / 2 ^ 80) ^ i / INR (fact i)).
Proof.
  intros Hi. unfold series_coefficient, series_unit.
  rewrite !mult_IZR, !power_80, <- pow_IZR, <- fact_integer.
  replace n with (i + (n - i))%nat at 3 4 by lia.
  rewrite fact_rising, pow_add. unfold Rdiv. rewrite Rpow_mult_distr, pow_inv.
  field. split; [apply INR_fact_neq_0|apply pow_nonzero; lra].
Qed.

Lemma series_value a n x :
  value (series a n) x = IZR (series_unit n) * exp_series n (x * (IZR a / 2 ^ 80)).
Proof.
  assert (G : forall k i, value (map (series_coefficient a n) (seq i (S k))) x * x ^ i
    = sum_f_R0 (fun j => IZR (series_coefficient a n (i + j)) * x ^ (i + j)) k).
  { induction k as [|k IH]; intros i.
    - simpl. rewrite Nat.add_0_r. ring.
    - rewrite decomp_sum by lia. rewrite Nat.add_0_r. cbn [Nat.pred].
      rewrite (sum_eq _ (fun j => IZR (series_coefficient a n (S i + j)) * x ^ (S i + j)))
        by (intros; now rewrite Nat.add_succ_r).
      rewrite <- IH. cbn [seq map value pow]. ring. }
  unfold series, exp_series. rewrite scal_sum.
  rewrite <- (Rmult_1_r (value _ x)). rewrite <- (pow_O x), G. apply sum_eq. intros i Hi.
  cbn [Nat.add]. rewrite series_coefficient_value by exact Hi. rewrite Rpow_mult_distr.
  unfold Rdiv. ring.
Qed.

Lemma series_unit_pos n : 0 < IZR (series_unit n).
Proof.
  unfold series_unit. rewrite mult_IZR, power_80, <- fact_integer.
  apply Rmult_lt_0_compat; [apply INR_fact_lt_0|apply pow_lt, pow_lt; lra].
Qed.

(** ** ln 2 *)

Definition ln2_numerator : Z := 837963523372001241319908.
Definition ln2_near : R := IZR ln2_numerator / 2 ^ 80.

Definition at_one (a : Z) : Z := fold_right Z.add 0%Z (series a 24).

Lemma value_1 l : value l 1 = IZR (fold_right Z.add 0%Z l).
Proof. induction l as [|a l IH]; simpl; [reflexivity|]. rewrite plus_IZR, IH. ring. Qed.

Lemma exp_near_two a : (0 <= a <= 2 ^ 80 * 7 / 10)%Z ->
  Rabs (exp (IZR a / 2 ^ 80) - IZR (at_one a) / IZR (series_unit 24)) <= / 2 ^ 90.
Proof.
  intros [H0 H1]. apply IZR_le in H0. apply IZR_le in H1.
  assert (Hq : 0 <= IZR a / 2 ^ 80 <= 7 / 10).
  { change (IZR (2 ^ 80 * 7 / 10)) with (IZR 846248073730240422294323) in H1.
    split; [apply Rmult_le_pos|]; lra. }
  replace (IZR (at_one a) / IZR (series_unit 24)) with (exp_series 24 (IZR a / 2 ^ 80)).
  - eapply Rle_trans; [apply exp_series_near; apply Rabs_le; lra|].
    rewrite fact_integer, Rabs_pos_eq by lra.
    change (IZR (rising 0 25)) with (IZR 15511210043330985984000000).
    assert (Hp : (IZR a / 2 ^ 80) ^ 25 <= (7 / 10) ^ 25) by (apply pow_incr; lra). lra.
  - unfold at_one. rewrite <- value_1, series_value, Rmult_1_l. field.
    pose proof (series_unit_pos 24). lra.
Qed.

(** Compared with 2 times the unit, in integers. *)
Lemma two_bound a : (0 <= a <= 2 ^ 80 * 7 / 10)%Z ->
  ((2 ^ 90 * at_one a <= (2 ^ 91 - 1) * series_unit 24)%Z -> exp (IZR a / 2 ^ 80) <= 2) /\
  (((2 ^ 91 + 1) * series_unit 24 <= 2 ^ 90 * at_one a)%Z -> 2 <= exp (IZR a / 2 ^ 80)).
Proof.
  intros Ha. pose proof (exp_near_two a Ha) as H. pose proof (series_unit_pos 24) as Hu.
  set (S := IZR (series_unit 24)) in *.
  replace (IZR (at_one a) / S) with (IZR (2 ^ 90 * at_one a) / S / 2 ^ 90) in H
    by (rewrite mult_IZR, (pow_IZR 2 90); change (Z.of_nat 90) with 90%Z; field; split; [lra|];
        change 0 with (IZR 0); apply IZR_neq; now vm_compute).
  apply Rabs_le_between in H.
  split; intros K; apply IZR_le in K; rewrite (mult_IZR (_ + _)) in K || rewrite (mult_IZR (_ - _)) in K;
    fold S in K.
  - assert (IZR (2 ^ 90 * at_one a) / S <= IZR (2 ^ 91 - 1)) by
      (apply (Rmult_le_reg_r S); [exact Hu|]; unfold Rdiv; rewrite Rmult_assoc, Rinv_l by lra; lra).
    change (IZR (2 ^ 91 - 1)) with (IZR 2475880078570760549798248447) in *. lra.
  - assert (IZR (2 ^ 91 + 1) <= IZR (2 ^ 90 * at_one a) / S) by
      (apply (Rmult_le_reg_r S); [exact Hu|]; unfold Rdiv; rewrite Rmult_assoc, Rinv_l by lra; lra).
    change (IZR (2 ^ 91 + 1)) with (IZR 2475880078570760549798248449) in *. lra.
Qed.

Lemma ln2_within : Rabs (ln 2 - ln2_near) <= / 2 ^ 79.
Proof.
  destruct (two_bound (ln2_numerator - 2) ltac:(now vm_compute)) as [Hlow _].
  destruct (two_bound (ln2_numerator + 2) ltac:(now vm_compute)) as [_ Hhigh].
  specialize (Hlow ltac:(now vm_compute)). specialize (Hhigh ltac:(now vm_compute)).
  apply ln_le in Hlow; [|apply exp_pos]. apply ln_le in Hhigh; [|lra]. rewrite ln_exp in *.
  rewrite minus_IZR in Hlow. rewrite plus_IZR in Hhigh. unfold ln2_near.
  apply Rabs_le_between. lra.
Qed.
