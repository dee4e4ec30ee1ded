(** The fast path: how sums of absolute values are bounded without computing them, by Cauchy and
    Schwarz; and that errors of weights act on deviations from the output (E4 `centred-error`). *)
From Coq Require Import Reals Lra Lia Arith.
From KVFloor Require Import Sums Norms.
Open Scope R_scope.

(** A logit's sum of absolute values. *)
Theorem fast_path_norms d a k :
  rsum d (fun c => Rabs (a c * k c))
    <= sqrt (rsum d (fun c => a c * a c)) * sqrt (rsum d (fun c => k c * k c)).
Proof.
  assert (Hsq : forall x, Rabs x * Rabs x = x * x)
    by (intros; rewrite <- Rabs_mult; apply Rabs_pos_eq, Rle_0_sqr).
  pose proof (cauchy_schwarz d (fun c => Rabs (a c)) (fun c => Rabs (k c))) as K. unfold norm2 in K.
  rewrite !(rsum_ext d (fun c => Rabs (_ c) * Rabs (_ c)) _ (fun c _ => Hsq _)) in K.
  rewrite (rsum_ext d _ (fun c => Rabs (a c) * Rabs (k c))) by (intros; apply Rabs_mult). exact K.
Qed.

Lemma weighted_cauchy_schwarz n e x y : (forall t, (t < n)%nat -> 0 <= e t) ->
  rsum n (fun t => e t * Rabs (x t) * Rabs (y t))
    <= sqrt (rsum n (fun t => e t * (x t * x t)) * rsum n (fun t => e t * (y t * y t))).
Proof.
  intros He.
  assert (Hroot : forall z t, (t < n)%nat ->
    sqrt (e t) * Rabs (z t) * (sqrt (e t) * Rabs (z t)) = e t * (z t * z t)).
  { intros z t Ht. rewrite <- (sqrt_sqrt (e t)) at 3 by (apply He, Ht).
    replace (z t * z t) with (Rabs (z t) * Rabs (z t))
      by (rewrite <- Rabs_mult; apply Rabs_pos_eq, Rle_0_sqr). ring. }
  pose proof (cauchy_schwarz n (fun t => sqrt (e t) * Rabs (x t)) (fun t => sqrt (e t) * Rabs (y t)))
    as K. cbv beta in K.
  unfold norm2 in K. rewrite !(rsum_ext n _ _ (Hroot _)) in K.
  rewrite (rsum_ext n _ (fun t => e t * Rabs (x t) * Rabs (y t))) in K.
  2: { intros t Ht. rewrite <- (sqrt_sqrt (e t)) at 3 by (apply He, Ht). ring. }
  rewrite sqrt_mult; [exact K|apply rsum_nonneg..]; intros t Ht; apply Rmult_le_pos;
    auto using Rle_0_sqr; apply Rle_0_sqr.
Qed.

(** Rows i and columns j of a table E of weights: rho_i and kappa_j are its sums. *)
Theorem fast_path_rows_columns n1 n2 E x y :
  (forall i j, (i < n1)%nat -> (j < n2)%nat -> 0 <= E i j) ->
  let rho i := rsum n2 (fun j => E i j) in
  let kappa j := rsum n1 (fun i => E i j) in
  rsum n1 (fun i => rsum n2 (fun j => E i j * Rabs (x i) * Rabs (y j)))
    <= sqrt (rsum n1 (fun i => rho i * (x i * x i)) * rsum n2 (fun j => kappa j * (y j * y j))).
Proof.
  intros HE rho kappa.
  assert (HE' : forall t, (t < n1 * n2)%nat -> 0 <= E (t / n2)%nat (t mod n2)).
  { intros t Ht. apply HE; [apply Nat.div_lt_upper_bound|apply Nat.mod_upper_bound]; lia. }
  pose proof (weighted_cauchy_schwarz (n1 * n2) (fun t => E (t / n2)%nat (t mod n2))
    (fun t => x (t / n2)%nat) (fun t => y (t mod n2)) HE') as K.
  rewrite (rsum_flatten n1 n2 (fun i j => E i j * Rabs (x i) * Rabs (y j))).
  eapply Rle_trans; [exact K|]. right. do 2 f_equal.
  - rewrite <- (rsum_flatten n1 n2 (fun i j => E i j * (x i * x i))).
    apply rsum_ext. intros i _. unfold rho. apply rsum_scal_r.
  - rewrite <- (rsum_flatten n1 n2 (fun i j => E i j * (y j * y j))), rsum_swap.
    apply rsum_ext. intros j _. unfold kappa. apply rsum_scal_r.
Qed.

(** Computed weights w, within omega of the true ones E, relatively: the quotient moves as far as
    values deviate from it. *)
Theorem fast_path_centred N w E omega v :
  (forall t, (t < N)%nat -> 0 <= w t /\ Rabs (w t - E t) <= w t * omega t) ->
  0 < rsum N w -> rsum N E <> 0 ->
  let c := rsum N (fun t => w t * v t) / rsum N w in
  let out := rsum N (fun t => E t * v t) / rsum N E in
  let variance := rsum N (fun t => w t * (v t * v t)) / rsum N w - c * c in
  let spread := rsum N (fun t => w t * (omega t * omega t)) / rsum N w in
  (c - out) * (c - out) * (1 - spread) <= spread * variance.
Proof.
  intros H HD HE c out variance spread. set (D := rsum N w) in *.
  assert (Hdev : rsum N (fun t => E t * (v t - out)) = 0).
  { rewrite (rsum_ext N _ (fun t => E t * v t + - out * E t)) by (intros; ring).
    rewrite rsum_plus, rsum_scal. unfold out. field. exact HE. }
  assert (Hc : D * (c - out) = rsum N (fun t => (w t - E t) * (v t - out))).
  { rewrite (rsum_ext N _ (fun t => w t * v t + (- out * w t + - 1 * (E t * (v t - out)))))
      by (intros; ring).
    rewrite !rsum_plus, !rsum_scal, Hdev. fold D. unfold c. field. lra. }
  assert (Hsize : Rabs (D * (c - out))
    <= rsum N (fun t => w t * Rabs (omega t) * Rabs (v t - out))).
  { rewrite Hc. eapply Rle_trans; [apply rsum_Rabs|]. apply rsum_le. intros t Ht.
    destruct (H t Ht) as [Hw Ht']. rewrite Rabs_mult. apply Rmult_le_compat_r; [apply Rabs_pos|].
    eapply Rle_trans; [exact Ht'|]. apply Rmult_le_compat_l; [exact Hw|apply Rle_abs]. }
  pose proof (weighted_cauchy_schwarz N w omega (fun t => v t - out) (fun t Ht => proj1 (H t Ht)))
    as K. cbv beta in K.
  assert (Hsquares : rsum N (fun t => w t * ((v t - out) * (v t - out)))
    = D * (variance + (c - out) * (c - out))).
  { rewrite (rsum_ext N _ (fun t => w t * (v t * v t) + (-2 * out * (w t * v t) + out * out * w t)))
      by (intros; ring).
    rewrite !rsum_plus, !rsum_scal. fold D. unfold variance.
    replace (rsum N (fun t => w t * v t)) with (D * c) by (unfold c; field; lra). field. lra. }
  assert (Hspread : rsum N (fun t => w t * (omega t * omega t)) = D * spread)
    by (unfold spread; field; lra).
  rewrite Hsquares, Hspread in K.
  set (X := D * spread * (D * (variance + (c - out) * (c - out)))) in *.
  assert (HX : (D * (c - out)) * (D * (c - out)) <= X).
  { assert (0 <= X).
    { unfold X. rewrite <- Hspread, <- Hsquares.
      apply Rmult_le_pos; apply rsum_nonneg; intros t Ht; apply Rmult_le_pos;
        try apply Rle_0_sqr; apply (H t Ht). }
    rewrite <- (sqrt_sqrt X) by assumption.
    replace (D * (c - out) * (D * (c - out)))
      with (Rabs (D * (c - out)) * Rabs (D * (c - out)))
      by (rewrite <- Rabs_mult; apply Rabs_pos_eq, Rle_0_sqr).
    apply Rmult_le_compat; try apply Rabs_pos; lra. }
  apply (Rmult_le_reg_l (D * D)); [nra|]. unfold X in HX. nra.
Qed.

(** ** What is left of a product of slices *)

Lemma half_slice beta : / 2 ^ (2 * beta + 1) = 2 * (/ 2 ^ (beta + 1) * / 2 ^ (beta + 1)).
Proof.
  replace (2 * beta + 1)%nat with (beta + beta + 1)%nat by lia. rewrite !pow_add, pow_1. field.
  apply pow_nonzero. lra.
Qed.

Lemma half_slice_range beta : (1 <= beta)%nat -> 0 < / 2 ^ (beta + 1) <= / 4.
Proof.
  intros H. split; [apply Rinv_0_lt_compat, pow_lt; lra|].
  apply Rinv_le_contravar; [lra|]. replace 4 with (2 ^ 2) by ring. apply Rle_pow; [lra|lia].
Qed.

Lemma product_bound a b A B : Rabs a <= A -> Rabs b <= B -> Rabs (a * b) <= A * B.
Proof. intros. rewrite Rabs_mult. apply Rmult_le_compat; auto using Rabs_pos. Qed.

(** Of keys: a_0 K_2 + a_1 (K_1 + K_2) + a_2 K, where a_2 has a low part, too. *)
Theorem fast_path_key_rest d beta unit sums longest A a0 a1 a2 K K12 K2 :
  (1 <= beta)%nat -> 0 <= unit ->
  (forall c, (c < d)%nat ->
     Rabs (a0 c) <= Rabs (A c) + unit * / 2 ^ (beta + 1) /\ Rabs (a1 c) <= unit * / 2 ^ (beta + 1)
     /\ Rabs (a2 c) <= 2 * (unit * / 2 ^ (2 * beta + 1))
     /\ Rabs (K12 c) <= / 2 ^ (beta + 1) /\ Rabs (K2 c) <= / 2 ^ (2 * beta + 1)) ->
  rsum d (fun c => Rabs (A c)) <= sums -> rsum d (fun c => Rabs (K c)) <= longest ->
  rsum d (fun c => Rabs (a0 c * K2 c) + Rabs (a1 c * K12 c) + Rabs (a2 c * K c))
    <= (sums + unit * (2 * longest + INR d)) * / 2 ^ (2 * beta + 1).
Proof.
  intros Hb Hu H HA HK. pose proof (half_slice_range beta Hb) as Hq. rewrite half_slice in *.
  set (q := / 2 ^ (beta + 1)) in *.
  apply Rle_trans with (rsum d (fun c => 2 * (q * q) * Rabs (A c)
    + (2 * (q * q) * (2 * unit) * Rabs (K c) + 2 * (q * q) * unit))).
  - apply rsum_le. intros c Hc. destruct (H c Hc) as (H0 & H1 & H2 & H12 & HK2).
    pose proof (product_bound _ _ _ _ H0 HK2). pose proof (product_bound _ _ _ _ H1 H12).
    pose proof (product_bound _ _ _ _ H2 (Rle_refl (Rabs (K c)))).
    assert (0 <= unit * (q * q)) by (apply Rmult_le_pos; nra).
    assert (unit * (q * q) * q <= unit * (q * q) * / 4) by (apply Rmult_le_compat_l; lra). nra.
  - rewrite !rsum_plus, !rsum_scal, rsum_const.
    assert (0 <= q * q) by nra. assert (0 <= q * q * unit) by (apply Rmult_le_pos; lra).
    assert (q * q * rsum d (fun c => Rabs (A c)) <= q * q * sums) by (apply Rmult_le_compat_l; lra).
    assert (q * q * unit * rsum d (fun c => Rabs (K c)) <= q * q * unit * longest)
      by (apply Rmult_le_compat_l; lra). nra.
Qed.

(** Of weights and values: p_0 V_2 + p_1 (V_1 + V_2) + p_2 V, over a block of J tuples. *)
Theorem fast_path_value_rest J beta p0 p1 p2 V V12 V2 :
  (forall j, (j < J)%nat ->
     Rabs (p0 j) <= 1 /\ Rabs (p1 j) <= / 2 ^ (beta + 1)
     /\ Rabs (p2 j) <= 2 * / 2 ^ (2 * beta + 1) /\ Rabs (V j) <= 1
     /\ Rabs (V12 j) <= / 2 ^ (beta + 1) /\ Rabs (V2 j) <= / 2 ^ (2 * beta + 1)) ->
  rsum J (fun j => Rabs (p0 j * V2 j) + Rabs (p1 j * V12 j) + Rabs (p2 j * V j))
    <= INR J * (7 / 2 * / 2 ^ (2 * beta + 1)).
Proof.
  intros H. rewrite <- rsum_const. apply rsum_le. intros j Hj.
  destruct (H j Hj) as (H0 & H1 & H2 & HV & H12 & HV2). rewrite half_slice in *.
  pose proof (product_bound _ _ _ _ H0 HV2). pose proof (product_bound _ _ _ _ H1 H12).
  pose proof (product_bound _ _ _ _ H2 HV). lra.
Qed.
