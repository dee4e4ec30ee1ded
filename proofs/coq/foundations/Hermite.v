(** Hermite's argument of 1873, with the mean value theorem in place of integrals: an integer that
    is not 0 is no sum of terms c exp(b / D), if each b is a zero of one polynomial g with
    g(0) <> 0, and every polynomial summed over the terms gives an integer.

    Were it one, take f = x^n g^(n+1) and F = Σ_i D^i f^(i), so that exp(-x/D) F(x) has the
    derivative -exp(-x/D) f(x) / D. Then the sum of c F(b), with that integer times F(0), is small
    against n!, while it is n! times an integer, and not 0: all derivatives in it are divisible by
    (n+1)!, but for the n-th at 0, and n + 1 is chosen prime to that one over n!. So no prime number
    is needed. *)
From Coq Require Import Reals ZArith Znumtheory Zpow_facts Lra Lia List.
From Coquelicot Require Import Coquelicot.
From KVFloor Require Import Sums IntegerPolynomials.
Import ListNotations.
Open Scope R_scope.

Lemma fact_divides m i : (m <= i)%nat -> exists k, fact i = (k * fact m)%nat.
Proof.
  induction 1 as [|i _ (k & Hk)]; [exists 1%nat; lia|].
  exists (S i * k)%nat. change (fact (S i)) with (S i * fact i)%nat. rewrite Hk. lia.
Qed.

Section Scale.
Variable D : Z.
Hypothesis HD : (0 < D)%Z.

Lemma scale_positive : 1 <= IZR D.
Proof. apply IZR_le. lia. Qed.

(** Σ_i D^i h^(i) *)
Definition all_derivatives (N : nat) (h : polynomial) (x : R) : R :=
  rsum N (fun i => IZR D ^ i * value (derivatives i h) x).

Lemma is_derive_all N h x : (length h <= N)%nat ->
  is_derive (all_derivatives N h) x ((all_derivatives N h x - value h x) / IZR D).
Proof.
  intros HN. pose proof scale_positive.
  assert (Hsum : forall M, is_derive (all_derivatives M h) x
                   (rsum M (fun i => IZR D ^ i * value (derivatives (S i) h) x))).
  { induction M as [|M IH]; [apply @is_derive_const|].
    apply @is_derive_plus; [exact IH|]. apply @is_derive_scal, is_derive_value. }
  replace ((all_derivatives N h x - value h x) / IZR D)
    with (rsum N (fun i => IZR D ^ i * value (derivatives (S i) h) x)); [apply Hsum|].
  pose proof (rsum_first N (fun i => IZR D ^ i * value (derivatives i h) x)) as E.
  simpl rsum in E at 1. rewrite derivatives_vanish in E by exact HN.
  fold (all_derivatives N h x) in E. simpl in E.
  rewrite (rsum_ext N _ (fun i => IZR D * (IZR D ^ i * value (derivatives (S i) h) x))) in E
    by (intros; simpl; ring).
  rewrite rsum_scal in E. set (T := rsum N _) in *. replace (all_derivatives N h x)
    with (value h x + IZR D * T) by lra. field. lra.
Qed.

(** By the mean value theorem. *)
Lemma all_derivatives_near N h b : (length h <= N)%nat -> exists t, Rabs t <= Rabs b /\
  all_derivatives N h b - exp (b / IZR D) * all_derivatives N h 0
    = - (b / IZR D) * exp ((b - t) / IZR D) * value h t.
Proof.
  intros HN. pose proof scale_positive.
  set (F := all_derivatives N h).
  set (scaled := fun x => exp (- x / IZR D) * F x).
  assert (Hall : forall x : R, is_derive scaled x (- exp (- x / IZR D) * value h x / IZR D)).
  { intros x. replace (- exp (- x / IZR D) * value h x / IZR D)
      with (- / IZR D * exp (- x / IZR D) * F x
            + exp (- x / IZR D) * ((F x - value h x) / IZR D)) by (field; lra).
    apply (is_derive_mult (fun y => exp (- y / IZR D)) F x).
    - auto_derive; [trivial|]. unfold Rdiv. ring.
    - now apply is_derive_all.
    - intros; apply Rmult_comm. }
  destruct (MVT_gen scaled 0 b (fun x => - exp (- x / IZR D) * value h x / IZR D))
    as (t & Ht & E).
  - intros x _. apply Hall.
  - intros x _. apply continuity_pt_filterlim, @ex_derive_continuous. eexists. apply Hall.
  - exists t. split.
    + unfold Rmin, Rmax in Ht. destruct (Rle_dec 0 b); unfold Rabs;
        destruct (Rcase_abs t), (Rcase_abs b); lra.
    + unfold scaled in E. replace (- 0 / IZR D) with 0 in E by (field; lra). rewrite exp_0 in E.
      assert (Hb : exp (b / IZR D) * exp (- b / IZR D) = 1).
      { rewrite <- exp_plus. replace (b / IZR D + - b / IZR D) with 0 by (field; lra).
        apply exp_0. }
      replace (F b - exp (b / IZR D) * F 0)
        with (exp (b / IZR D) * (exp (- b / IZR D) * F b - 1 * F 0))
        by (rewrite Rmult_minus_distr_l, <- Rmult_assoc, Hb; ring).
      rewrite E. replace ((b - t) / IZR D) with (b / IZR D + - t / IZR D) by (field; lra).
      rewrite exp_plus. field. lra.
Qed.

(** ** The polynomial x^n g^(n+1) *)

Section Polynomial.
Variable g : polynomial.

Definition hermite (n : nat) : polynomial := polynomial_shift n (polynomial_power g (S n)).
Definition hermite_sum (n : nat) : R -> R :=
  all_derivatives (length (hermite n) + S n) (hermite n).

(** The i-th derivative, i > n, is (n+1)! times a polynomial. *)
Lemma hermite_high n i : (n < i)%nat -> exists r, forall x,
  IZR D ^ i * value (derivatives i (hermite n)) x = INR (fact (S n)) * value r x.
Proof.
  intros Hi. destruct (derivatives_factorial (hermite n) i) as (r & Hr).
  destruct (fact_divides (S n) i Hi) as (k & Hk).
  exists (polynomial_scale (D ^ Z.of_nat i * Z.of_nat k) r). intros x.
  rewrite Hr, Hk, mult_INR, value_scale, mult_IZR, <- pow_IZR, <- INR_IZR_INZ. ring.
Qed.

Lemma hermite_root n : exists r, forall b, value g b = 0 ->
  hermite_sum n b = INR (fact (S n)) * value r b.
Proof.
  unfold hermite_sum, all_derivatives.
  induction (length (hermite n) + S n)%nat as [|N (r & Hr)]; [exists []; intros; simpl; ring|].
  destruct (le_lt_dec N n) as [HN|HN].
  - exists r. intros b Hb. simpl rsum. rewrite Hr by exact Hb.
    rewrite (derivatives_ext _ (polynomial_times (polynomial_power g (S n))
                                  (polynomial_shift n [1%Z]))).
    + rewrite derivatives_root by (lia || exact Hb). ring.
    + intros x. unfold hermite. rewrite value_times, !value_shift. simpl value at 3. ring.
  - destruct (hermite_high n N HN) as (r' & Hr'). exists (polynomial_plus r r').
    intros b Hb. simpl rsum. rewrite Hr, Hr', value_plus by exact Hb. ring.
Qed.

Lemma hermite_zero n : exists z, hermite_sum n 0
  = INR (fact n) * (IZR D ^ n * value g 0 ^ S n + INR (S n) * IZR z).
Proof.
  assert (Hsum : forall N, exists z, all_derivatives N (hermite n) 0 = INR (fact n) *
            ((if (n <? N)%nat then IZR D ^ n * value g 0 ^ S n else 0) + INR (S n) * IZR z)).
  { unfold all_derivatives. induction N as [|N (z & Hz)]; [exists 0%Z; simpl; ring|].
    simpl rsum. rewrite Hz.
    destruct (le_lt_dec N n) as [HN|HN].
    - exists z. unfold hermite. rewrite derivatives_shift by exact HN. rewrite value_power.
      destruct (Nat.ltb_spec n N), (Nat.ltb_spec n (S N)), (Nat.eqb_spec N n); try lia;
        subst; ring.
    - destruct (hermite_high n N HN) as (r & Hr).
      destruct (value_integer r 0) as (z' & Hz'); [now exists 0%Z|].
      exists (z + z')%Z. rewrite Hr, Hz', plus_IZR.
      change (fact (S n)) with (S n * fact n)%nat. rewrite mult_INR.
      destruct (Nat.ltb_spec n N), (Nat.ltb_spec n (S N)); try lia; ring. }
  destruct (Hsum (length (hermite n) + S n)%nat) as (z & Hz). exists z. unfold hermite_sum.
  rewrite Hz. destruct (Nat.ltb_spec n (length (hermite n) + S n)); [reflexivity|lia].
Qed.

(** How far F(b) is from exp(b/D) F(0). *)
Definition hermite_error (n : nat) (b : R) : R :=
  hermite_sum n b - exp (b / IZR D) * hermite_sum n 0.

Lemma hermite_error_bound b : exists K M, forall n, Rabs (hermite_error n b) <= K * M ^ n.
Proof.
  pose proof scale_positive. set (G := value (map Z.abs g) (Rabs b)).
  exists (Rabs b * exp (2 * Rabs b + 1) * G), (Rabs b * G). intros n.
  destruct (all_derivatives_near (length (hermite n) + S n) (hermite n) b) as (t & Ht & E);
    [lia|].
  unfold hermite_error, hermite_sum. rewrite E. unfold hermite.
  rewrite value_shift, value_power, !Rabs_mult, Rabs_Ropp, <- !RPow_abs.
  pose proof (value_bounded g t b Ht) as Hg. fold G in Hg.
  pose proof (Rabs_pos t). pose proof (Rabs_pos b). pose proof (Rabs_pos (value g t)).
  replace (Rabs b * exp (2 * Rabs b + 1) * G * (Rabs b * G) ^ n)
    with (Rabs b * exp (2 * Rabs b + 1) * (Rabs b ^ n * G ^ S n))
    by (rewrite Rpow_mult_distr; simpl; ring).
  assert (Hinv : 0 < / IZR D <= 1).
  { split; [apply Rinv_0_lt_compat; lra|]. rewrite <- Rinv_1. apply Rinv_le_contravar; lra. }
  repeat apply Rmult_le_compat; repeat apply Rmult_le_pos; try apply pow_le; try apply Rabs_pos;
    try assumption.
  - unfold Rdiv. rewrite Rabs_mult, (Rabs_pos_eq (/ IZR D)) by lra. nra.
  - rewrite Rabs_pos_eq by (left; apply exp_pos). left. apply exp_increasing. unfold Rdiv.
    assert (Rabs (b - t) <= 2 * Rabs b).
    { eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_Ropp. lra. }
    pose proof (Rle_abs ((b - t) * / IZR D)) as Hle.
    rewrite Rabs_mult, (Rabs_pos_eq (/ IZR D)) in Hle by lra. nra.
  - now apply pow_incr.
  - now apply pow_incr.
Qed.

Lemma hermite_error_vanishes b :
  is_lim_seq (fun n => hermite_error n b / INR (fact n)) 0.
Proof.
  destruct (hermite_error_bound b) as (K & M & H).
  apply is_lim_seq_abs_0, (is_lim_seq_le_le (fun _ => 0) _ (fun n => K * (M ^ n / INR (fact n)))).
  - intros n. pose proof (INR_fact_lt_0 n) as Hf. split; [apply Rabs_pos|].
    unfold Rdiv. rewrite Rabs_mult, Rabs_inv, (Rabs_pos_eq (INR (fact n))) by lra.
    rewrite <- Rmult_assoc. apply Rmult_le_compat_r; [|apply H].
    left. now apply Rinv_0_lt_compat.
  - apply is_lim_seq_const.
  - replace (Finite 0) with (Rbar_mult K 0) by (simpl; f_equal; ring).
    apply is_lim_seq_scal_l, is_lim_seq_Reals, cv_speed_pow_fact.
Qed.

Lemma hermite_errors_vanish (terms : list (R * R)) : is_lim_seq
  (fun n => lsum (fun t => fst t * (hermite_error n (snd t) / INR (fact n))) terms) 0.
Proof.
  induction terms as [|(c, b) terms IH]; simpl; [apply is_lim_seq_const|].
  replace 0 with (c * 0 + 0) by ring. apply is_lim_seq_plus'; [|exact IH].
  apply (is_lim_seq_scal_l _ c 0), hermite_error_vanishes.
Qed.
End Polynomial.
End Scale.

(** n + 1 has no common factor with what n is a multiple of. *)
Lemma coprime_successor n m e : (1 <= n)%nat -> (m | Z.of_nat n)%Z ->
  ~ (Z.of_nat (S n) | m ^ Z.of_nat e)%Z.
Proof.
  intros Hn [k Hk] Hdiv.
  assert (Hprime : rel_prime (Z.of_nat (S n)) (m ^ Z.of_nat e)).
  { apply rel_prime_Zpower_r; [lia|]. apply bezout_rel_prime.
    apply (Bezout_intro _ _ 1 1 (- k)). lia. }
  destruct Hprime as [_ _ H]. specialize (H _ (Z.divide_refl _) Hdiv).
  apply Z.divide_1_r_nonneg in H; lia.
Qed.

Lemma integer_small z : Rabs (IZR z) < 1 -> z = 0%Z.
Proof. rewrite <- abs_IZR. intros H. apply lt_IZR in H. lia. Qed.

Lemma hermite_argument (D c0 : Z) (g : polynomial) (terms : list (R * R)) :
  (0 < D)%Z -> c0 <> 0%Z -> value g 0 <> 0 ->
  (forall c b, In (c, b) terms -> value g b = 0) ->
  (forall q, integer (lsum (fun t => fst t * value q (snd t)) terms)) ->
  IZR c0 + lsum (fun t => fst t * exp (snd t / IZR D)) terms <> 0.
Proof.
  intros HD Hc0 Hg0 Hroot Hint Hzero.
  destruct (value_integer g 0) as (a & Ha); [now exists 0%Z|].
  set (m := (c0 * D * a)%Z).
  assert (Hm : m <> 0%Z).
  { unfold m. assert (a <> 0%Z) by (intros ->; contradiction). nia. }
  destruct (proj2 (is_lim_seq_spec _ _) (hermite_errors_vanish D HD g terms) (mkposreal 1 Rlt_0_1))
    as (n0 & Hn0). simpl in Hn0.
  set (n := (S n0 * Z.abs_nat m)%nat). specialize (Hn0 n ltac:(unfold n; nia)).
  rewrite Rminus_0_r in Hn0. pose proof (INR_fact_lt_0 n) as Hf.
  destruct (hermite_root D g n) as (r & Hr). destruct (hermite_zero D g n) as (z & Hz).
  destruct (Hint r) as (w & Hw).
  set (N := (c0 * (D ^ Z.of_nat n * a ^ Z.of_nat (S n) + Z.of_nat (S n) * z)
             + Z.of_nat (S n) * w)%Z).
  assert (HN : lsum (fun t => fst t * (hermite_error D g n (snd t) / INR (fact n))) terms
               = IZR N).
  { rewrite (lsum_ext _ (fun t => INR (S n) * (fst t * value r (snd t))
        + - (hermite_sum D g n 0 / INR (fact n)) * (fst t * exp (snd t / IZR D)))).
    - rewrite lsum_plus, !lsum_scal, Hw, Hz, Ha.
      replace (lsum (fun t => fst t * exp (snd t / IZR D)) terms) with (- IZR c0) by lra.
      unfold N. rewrite plus_IZR, mult_IZR, plus_IZR, !mult_IZR, <- !pow_IZR, <- !INR_IZR_INZ.
      field. lra.
    - intros (c, b) Hin. cbn [fst snd]. unfold hermite_error. rewrite (Hr b) by now apply (Hroot c).
      change (fact (S n)) with (S n * fact n)%nat. rewrite mult_INR. field. lra. }
  rewrite HN in Hn0. apply integer_small in Hn0.
  apply (coprime_successor n m (S n)).
  - unfold n. nia.
  - exists (Z.of_nat (S n0) * Z.sgn m)%Z. unfold n. rewrite Nat2Z.inj_mul, Zabs2Nat.id_abs.
    rewrite <- Z.sgn_abs at 1. ring_simplify. lia.
  - (* c0 D^n a^(n+1) is a multiple of n + 1, so is its multiple m^(n+1) *)
    apply (Z.divide_trans _ (c0 * (D ^ Z.of_nat n * a ^ Z.of_nat (S n)))).
    + exists (- (c0 * z) - w)%Z. unfold N in Hn0. lia.
    + exists (c0 ^ Z.of_nat n * D)%Z. unfold m. rewrite !Z.pow_mul_l, Nat2Z.inj_succ.
      rewrite !Z.pow_succ_r by lia. ring.
Qed.
