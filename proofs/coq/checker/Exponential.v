(** exp(-x) for x >= 0 between two whole multiples of 2^-w, in whole numbers only: what certificates
    are checked with. Other exponentials are not needed, as weights do not change when the largest
    logit is taken away from all. *)
From Coq Require Import Reals Lra Lia ZArith.
Open Scope R_scope.

(** ** The series, with a last factor in [0, 1] *)

(** y^n / n! *)
Definition term (n : nat) (y : R) : R := y ^ n / INR (fact n).

(** The n-th remainder of the series of exp(-y), with the sign that makes it positive. *)
Fixpoint remainder (n : nat) (y : R) : R :=
  match n with
  | O => exp (- y)
  | S k => term k y - remainder k y
  end.

Lemma fact_pos n : 0 < INR (fact n).
Proof. apply lt_0_INR, lt_O_fact. Qed.

Lemma derive_term n y : derivable_pt_lim (term (S n)) y (term n y).
Proof.
  pose proof (fact_pos n). pose proof (pos_INR n).
  replace (term n y) with (/ INR (fact (S n)) * (INR (S n) * y ^ pred (S n))).
  - replace (term (S n)) with (fun y => / INR (fact (S n)) * y ^ S n)
      by (apply FunctionalExtensionality.functional_extensionality; intros;
          unfold term, Rdiv; ring).
    apply (derivable_pt_lim_scal (fun y => y ^ S n)), derivable_pt_lim_pow.
  - unfold term. rewrite fact_simpl, mult_INR, S_INR. simpl pred. field. lra.
Qed.

Lemma derive_remainder n y : derivable_pt_lim (remainder (S n)) y (remainder n y).
Proof.
  induction n as [|n IH].
  - replace (remainder 0 y) with (0 - exp (- y) * - (1)) by (simpl; ring).
    apply derivable_pt_lim_minus.
    + replace (term 0) with (fun _ : R => 1)
        by (apply FunctionalExtensionality.functional_extensionality; intros; unfold term;
            simpl; field).
      apply derivable_pt_lim_const.
    + apply (derivable_pt_lim_comp (fun y => - y) exp).
      * apply (derivable_pt_lim_opp id), derivable_pt_lim_id.
      * apply derivable_pt_lim_exp.
  - apply (derivable_pt_lim_minus (term (S n)) (remainder (S n)));
      [apply derive_term|exact IH].
Qed.

Lemma remainder_0 n : remainder (S n) 0 = 0.
Proof.
  assert (H : forall k, term (S k) 0 = 0)
    by (intros; unfold term; rewrite pow_ne_zero by discriminate; unfold Rdiv; ring).
  induction n as [|n IH].
  - simpl. unfold term. simpl. rewrite Ropp_0, exp_0. field.
  - change (remainder (S (S n)) 0) with (term (S n) 0 - remainder (S n) 0). rewrite H, IH. ring.
Qed.

Lemma remainder_nonneg n y : 0 <= y -> 0 <= remainder n y.
Proof.
  revert y. induction n as [|n IH]; intros y Hy; [left; apply exp_pos|].
  destruct Hy as [Hy| <-]; [|rewrite remainder_0; lra].
  destruct (MVT_cor2 (remainder (S n)) (remainder n) 0 y Hy) as (c & E & Hc).
  - intros c _. apply derive_remainder.
  - rewrite remainder_0 in E. pose proof (Rmult_le_pos (remainder n c) (y - 0)).
    specialize (IH c). lra.
Qed.

(** exp(-y) = 1 - y/1 (1 - y/2 (1 - y/3 (...))), and each factor lies in [0, 1]. *)
Lemma series_exists y : 0 <= y -> exists E : nat -> R, E 0%nat = exp (- y) /\
  forall i, 0 <= E i <= 1 /\ E i = 1 - y / INR (S i) * E (S i).
Proof.
  intros [Hy| <-].
  2: { exists (fun _ => 1). rewrite Ropp_0, exp_0. split; [reflexivity|].
       intros i. pose proof (pos_INR i). split; [lra|]. rewrite S_INR. field. lra. }
  exists (fun i => remainder i y / term i y).
  assert (Ht : forall i, 0 < term i y)
    by (intros; apply Rdiv_lt_0_compat; [now apply pow_lt|apply fact_pos]).
  split; [unfold term; simpl; field|]. intros i.
  pose proof (Ht i). pose proof (Ht (S i)). pose proof (pos_INR i).
  pose proof (remainder_nonneg i y) as N0. pose proof (remainder_nonneg (S i) y) as N1.
  change (remainder (S i) y) with (term i y - remainder i y) in *.
  split.
  - split; [apply Rmult_le_pos; [lra|left; now apply Rinv_0_lt_compat]|].
    apply Rmult_le_reg_r with (term i y); [assumption|]. unfold Rdiv.
    rewrite Rmult_assoc, Rinv_l; lra.
  - assert (E : y / INR (S i) = term (S i) y / term i y).
    { pose proof (fact_pos i). pose proof (pow_lt y i Hy). unfold term.
      rewrite fact_simpl, mult_INR, S_INR. simpl pow. field. lra. }
    rewrite E. field. lra.
Qed.

(** ** Whole numbers of 2^-w *)

Section Fixed.
Variable w : Z.
Hypothesis Hw : (0 <= w)%Z.

Definition one : Z := Z.shiftl 1 w.

(** a 2^-w rounded down, and up. *)
Definition down (a : Z) : Z := Z.shiftr a w.
Definition up (a : Z) : Z := (- Z.shiftr (- a) w)%Z.

(** a / b rounded down, and up. *)
Definition floor_div (a b : Z) : Z := (a / b)%Z.
Definition ceil_div (a b : Z) : Z := (- (- a / b))%Z.

Definition between (l h : Z) (x : R) : Prop := IZR l <= x * IZR one <= IZR h.

Lemma one_pow : one = (2 ^ w)%Z.
Proof. unfold one. rewrite Z.shiftl_mul_pow2 by exact Hw. ring. Qed.

Lemma one_pos : 0 < IZR one.
Proof. apply IZR_lt. rewrite one_pow. now apply Z.pow_pos_nonneg. Qed.

Lemma floor_div_le a b : (0 < b)%Z -> IZR (floor_div a b) * IZR b <= IZR a.
Proof.
  intros H. rewrite <- mult_IZR. apply IZR_le. unfold floor_div.
  rewrite Z.mul_comm. now apply Z.mul_div_le.
Qed.

Lemma ceil_div_ge a b : (0 < b)%Z -> IZR a <= IZR (ceil_div a b) * IZR b.
Proof.
  intros H. pose proof (floor_div_le (- a) b H) as H0. unfold ceil_div, floor_div in *.
  rewrite !opp_IZR in *. lra.
Qed.

Lemma down_div a : down a = floor_div a one.
Proof. unfold down, floor_div. now rewrite Z.shiftr_div_pow2, one_pow. Qed.

Lemma up_div a : up a = ceil_div a one.
Proof. unfold up, ceil_div. now rewrite Z.shiftr_div_pow2, one_pow. Qed.

(** ** One exponential *)

(** Enclosure of factor i of the series, from n more of them; y between yl and yh. *)
Fixpoint series (n : nat) (i yl yh : Z) : Z * Z :=
  match n with
  | O => (0, one)%Z
  | S k =>
      let (l, h) := series k (i + 1) yl yh in
      (one - ceil_div (up (yh * h)) i, one - floor_div (down (yl * l)) i)%Z
  end.

Fixpoint squares (n : nat) (l h : Z) : Z * Z :=
  match n with
  | O => (l, h)
  | S k => squares k (down (l * l)) (up (h * h))
  end.

Lemma product_between l h l' h' x y : (0 <= l)%Z -> (0 <= l')%Z ->
  between l h x -> between l' h' y -> between (down (l * l')) (up (h * h')) (x * y).
Proof.
  intros Hl Hl' [H1 H2] [H3 H4]. apply IZR_le in Hl, Hl'. pose proof one_pos.
  rewrite down_div, up_div.
  assert (P : (0 < one)%Z) by (apply lt_IZR; assumption).
  pose proof (floor_div_le (l * l') one P) as F. pose proof (ceil_div_ge (h * h') one P) as C.
  rewrite mult_IZR in F, C.
  assert (E : x * y * IZR one * IZR one = (x * IZR one) * (y * IZR one)) by ring.
  split; apply Rmult_le_reg_r with (IZR one); try assumption; rewrite E.
  - eapply Rle_trans; [exact F|]. apply Rmult_le_compat; lra.
  - eapply Rle_trans; [|exact C]. apply Rmult_le_compat; lra.
Qed.

Lemma down_nonneg a : (0 <= a)%Z -> (0 <= down a)%Z.
Proof. intros H. unfold down. now apply Z.shiftr_nonneg. Qed.

Lemma series_between y yl yh (E : nat -> R) : (0 <= yl)%Z -> (yh <= one)%Z -> between yl yh y ->
  (forall i, 0 <= E i <= 1 /\ E i = 1 - y / INR (S i) * E (S i)) ->
  forall n i k l h, k = Z.of_nat (S i) -> series n k yl yh = (l, h) ->
    (0 <= l)%Z /\ (h <= one)%Z /\ between l h (E i).
Proof.
  intros Hl Hh Hy HE. pose proof one_pos as P.
  assert (P' : (0 < one)%Z) by (apply lt_IZR; assumption).
  induction n as [|n IH]; intros i k l h Ik S0; cbn [series] in S0.
  - injection S0 as <- <-. destruct (HE i) as [B _]. split; [lia|]. split; [lia|].
    split; [apply Rmult_le_pos; lra|]. rewrite <- (Rmult_1_l (IZR one)) at 2.
    apply Rmult_le_compat_r; lra.
  - destruct (series n (k + 1) yl yh) as [l' h'] eqn:R0.
    destruct (IH (S i) (k + 1)%Z l' h' ltac:(lia) R0) as (Hl' & Hh' & B'). clear IH.
    assert (Hk : (1 <= k)%Z) by lia.
    assert (Ek : INR (S i) = IZR k) by (rewrite Ik; now rewrite INR_IZR_INZ).
    injection S0 as <- <-.
    pose proof (product_between yl yh l' h' _ _ Hl Hl' Hy B') as [D U].
    set (dn := down (yl * l')) in *. set (upp := up (yh * h')) in *.
    assert (Hd : (0 <= dn)%Z) by (apply down_nonneg; nia).
    assert (Hu : (upp <= one)%Z).
    { assert (h0 : (0 <= h')%Z).
      { apply le_IZR. apply Rle_trans with (IZR l'); [now apply IZR_le|]. destruct B'; lra. }
      assert ((yh * h' <= one * one)%Z) by nia.
      unfold upp. rewrite up_div. unfold ceil_div.
      enough (- one <= - (yh * h') / one)%Z by lia. apply Z.div_le_lower_bound; nia. }
    pose proof (IZR_le _ _ Hk) as Hk'.
    pose proof (floor_div_le dn k) as F. pose proof (ceil_div_ge upp k) as C.
    destruct (HE i) as [Bi Ei]. rewrite Ek in Ei.
    assert (Q : y / IZR k * E (S i) * IZR one * IZR k = y * E (S i) * IZR one) by (field; lra).
    repeat split.
    + unfold ceil_div. enough (- one <= - upp / k)%Z by lia. apply Z.div_le_lower_bound; nia.
    + unfold floor_div. enough (0 <= dn / k)%Z by lia. apply Z.div_pos; lia.
    + rewrite minus_IZR, Ei. enough (y / IZR k * E (S i) * IZR one <= IZR (ceil_div upp k)) by lra.
      apply Rmult_le_reg_r with (IZR k); [lra|]. rewrite Q. specialize (C ltac:(lia)). lra.
    + rewrite minus_IZR, Ei. enough (IZR (floor_div dn k) <= y / IZR k * E (S i) * IZR one) by lra.
      apply Rmult_le_reg_r with (IZR k); [lra|]. rewrite Q. specialize (F ltac:(lia)). lra.
Qed.

Lemma squares_between n : forall l h x, (0 <= l)%Z -> between l h (exp (- x)) ->
  let (l', h') := squares n l h in
  (0 <= l')%Z /\ between l' h' (exp (- (x * IZR (2 ^ Z.of_nat n)))).
Proof.
  induction n as [|n IH]; intros l h x Hl B.
  - simpl. rewrite Rmult_1_r. auto.
  - cbn [squares]. specialize (IH (down (l * l)) (up (h * h)) (2 * x)).
    destruct (squares n (down (l * l)) (up (h * h))) as [l' h'].
    replace (x * IZR (2 ^ Z.of_nat (S n))) with (2 * x * IZR (2 ^ Z.of_nat n)).
    + apply IH; [apply down_nonneg; nia|].
      replace (exp (- (2 * x))) with (exp (- x) * exp (- x))
        by (rewrite <- exp_plus; f_equal; ring).
      now apply product_between.
    + rewrite Nat2Z.inj_succ, Z.pow_succ_r, mult_IZR by lia. ring.
Qed.

(** Of all x with yl <= x 2^w / 2^n <= yh, by k terms of the series. Arguments that are not small
    enough for it give [0, 1]. *)
Definition exponential_of (k n : nat) (yl yh : Z) : Z * Z :=
  if (yh <=? one)%Z
  then let (l, h) := series k 1 yl yh in squares n l h
  else (0, one)%Z.

Lemma exponential_of_between k n yl yh y : (0 <= yl)%Z -> between yl yh y ->
  let (l, h) := exponential_of k n yl yh in
  (0 <= l)%Z /\ between l h (exp (- (y * IZR (2 ^ Z.of_nat n)))).
Proof.
  intros Hl B. pose proof one_pos as P. pose proof (IZR_le _ _ Hl) as Hl0.
  assert (Hy : 0 <= y).
  { apply Rmult_le_reg_r with (IZR one); [exact P|]. destruct B. lra. }
  unfold exponential_of. destruct (Z.leb_spec yh one) as [Hh|_].
  - destruct (series_exists y Hy) as (E & E0 & HE).
    destruct (series k 1 yl yh) as [l h] eqn:S0.
    destruct (series_between y yl yh E Hl Hh B HE k 0 1 l h eq_refl S0) as (L & _ & B0).
    rewrite E0 in B0. now apply squares_between.
  - set (x := y * IZR (2 ^ Z.of_nat n)).
    assert (0 <= x) by (apply Rmult_le_pos; [exact Hy|]; apply IZR_le, Z.pow_nonneg; lia).
    assert (exp (- x) <= 1).
    { rewrite <- exp_0. destruct (Rle_lt_or_eq_dec 0 x) as [G|<-]; [assumption| |].
      - left. apply exp_increasing. lra.
      - rewrite Ropp_0. lra. }
    pose proof (exp_pos (- x)). split; [lia|]. split; [apply Rmult_le_pos; lra|].
    rewrite <- (Rmult_1_l (IZR one)) at 2. apply Rmult_le_compat_r; lra.
Qed.

(** ** exp(- a/b √r) for a >= 0 and b > 0 *)

(** How often to halve until the argument is below 2^-6, and how many terms then tell 2^-w. *)
Definition halvings (a b : Z) : nat := Z.to_nat (Z.log2 (a / b) + 7).
Definition terms : nat := Z.to_nat (w / 8 + 2).

(** a √r 2^w, rounded down; exact if r = 1. *)
Definition scaled_root (r a : Z) : Z :=
  if (r =? 1)%Z then Z.shiftl a w else Z.sqrt (r * Z.shiftl (a * a) (2 * w)).

Definition exponential (r a b : Z) : Z * Z :=
  let n := halvings (scaled_root r a) (Z.shiftl b w) in
  let y := (scaled_root r a / Z.shiftl b (Z.of_nat n))%Z in
  if (a =? 0)%Z then (one, one)
  else exponential_of terms n y (y + 2)%Z.

Lemma scaled_root_between r a : (0 <= a)%Z -> (0 <= r)%Z ->
  IZR (scaled_root r a) <= IZR a * sqrt (IZR r) * IZR one < IZR (scaled_root r a + 1).
Proof.
  intros Ha Hr. unfold scaled_root. pose proof one_pos as P.
  destruct (Z.eqb_spec r 1) as [->|_].
  - rewrite sqrt_1, plus_IZR, Z.shiftl_mul_pow2, <- one_pow, mult_IZR by exact Hw. lra.
  - set (s := (r * Z.shiftl (a * a) (2 * w))%Z).
    assert (Es : s = (r * ((a * one) * (a * one)))%Z).
    { unfold s. rewrite Z.shiftl_mul_pow2, one_pow by lia.
      replace (2 * w)%Z with (w + w)%Z by lia. rewrite Z.pow_add_r by lia. ring. }
    apply IZR_le in Ha as Ha'. apply IZR_le in Hr as Hr'.
    assert (s0 : (0 <= s)%Z) by (rewrite Es; apply Z.mul_nonneg_nonneg; [lia|nia]).
    assert (E : IZR a * sqrt (IZR r) * IZR one = sqrt (IZR s)).
    { rewrite Es, !mult_IZR, sqrt_mult_alt by exact Hr'.
      rewrite sqrt_square by (apply Rmult_le_pos; lra). ring. }
    rewrite E. pose proof (Z.sqrt_spec s s0) as [L H]. pose proof (Z.sqrt_nonneg s) as N.
    apply IZR_le in L, N. apply IZR_lt in H. apply IZR_le in s0.
    rewrite <- Z.add_1_r in H. rewrite mult_IZR in L, H.
    pose proof (sqrt_sqrt _ s0). pose proof (sqrt_pos (IZR s)).
    assert (0 <= IZR (Z.sqrt s + 1)) by (rewrite plus_IZR; lra).
    split; nra.
Qed.

Lemma exponential_between r a b : (0 <= a)%Z -> (0 < b)%Z -> (0 <= r)%Z ->
  let (l, h) := exponential r a b in
  (0 <= l)%Z /\ between l h (exp (- (IZR a * sqrt (IZR r) / IZR b))).
Proof.
  intros Ha Hb Hr. unfold exponential. pose proof one_pos as P.
  pose proof (scaled_root_between r a Ha Hr) as [L H].
  destruct (Z.eqb_spec a 0) as [->|_].
  { replace (- (0 * sqrt (IZR r) / IZR b)) with 0 by (unfold Rdiv; ring). rewrite exp_0.
    split; [now apply le_IZR, Rlt_le|]. unfold between. lra. }
  set (s := scaled_root r a) in *. set (n := halvings s (Z.shiftl b w)).
  rewrite Z.shiftl_mul_pow2 by lia. set (c := (b * 2 ^ Z.of_nat n)%Z).
  assert (T : (0 < 2 ^ Z.of_nat n)%Z) by (apply Z.pow_pos_nonneg; lia).
  assert (Hc : (0 < c)%Z) by (unfold c; nia).
  pose proof (Z.mul_div_le s c Hc) as D. pose proof (Z.mul_succ_div_gt s c Hc) as U.
  assert (s0 : (0 <= s)%Z).
  { unfold s, scaled_root. destruct (r =? 1)%Z; [now apply Z.shiftl_nonneg|apply Z.sqrt_nonneg]. }
  apply IZR_le in D. apply IZR_lt in U. apply IZR_lt in Hb as Hb', Hc as Hc', T as T'.
  rewrite mult_IZR in D, U. rewrite <- Z.add_1_r, plus_IZR in U. rewrite plus_IZR in H.
  set (x := IZR a * sqrt (IZR r) * IZR one) in *.
  assert (Ey : IZR a * sqrt (IZR r) / IZR c * IZR one * IZR c = x) by (unfold x; field; lra).
  assert (c1 : 1 <= IZR c) by (apply IZR_le; lia).
  pose proof (exponential_of_between terms n (s / c) (s / c + 2) (IZR a * sqrt (IZR r) / IZR c))
    as G.
  destruct (exponential_of terms n (s / c) (s / c + 2)) as [l h].
  replace (IZR a * sqrt (IZR r) / IZR b)
    with (IZR a * sqrt (IZR r) / IZR c * IZR (2 ^ Z.of_nat n)).
  2: { unfold c. rewrite mult_IZR. field. lra. }
  apply G; [now apply Z.div_pos|]. unfold between. rewrite plus_IZR.
  split; apply Rmult_le_reg_r with (IZR c); try exact Hc'; rewrite Ey; nra.
Qed.

End Fixed.
