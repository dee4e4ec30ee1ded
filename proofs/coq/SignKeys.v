(** L5 `sign-keys`: n sign vectors with all inner products at most ε d in absolute value exist
    once n · 2 exp(-ε² d / 2) < 1, so once d > 2 ln(2n) / ε² (Hoeffding). *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From Coquelicot Require Import Coquelicot.
From KVFloor Require Import Sums Attention Guarantee Bits IndexRandomized.
Import ListNotations.
Open Scope R_scope.

(** ** (e^t + e^-t) / 2 <= e^(t^2/2) *)

(** A function with nonpositive derivative on [0, t] does not increase. *)
Lemma decreasing_from_0 (f f' : R -> R) t :
  0 <= t -> (forall x, is_derive f x (f' x)) -> (forall x, 0 <= x -> f' x <= 0) ->
  f t <= f 0.
Proof.
  intros [Ht|<-] Hd Hneg; [|lra].
  destruct (MVT_cor2 f f' 0 t Ht) as (c & Hc & Hc2).
  - intros x _. apply is_derive_Reals, Hd.
  - specialize (Hneg c ltac:(lra)). nra.
Qed.

Lemma sinh_le_t_cosh t : 0 <= t -> (exp t - exp (- t)) - t * (exp t + exp (- t)) <= 0.
Proof.
  intros Ht.
  apply Rle_trans with ((fun x => (exp x - exp (- x)) - x * (exp x + exp (- x))) 0).
  - apply (decreasing_from_0 (fun x => (exp x - exp (- x)) - x * (exp x + exp (- x)))
      (fun x => - x * (exp x - exp (- x)))); [exact Ht| |].
    + intros x. auto_derive; [auto|ring].
    + intros x Hx. assert (exp (- x) <= exp x).
      { destruct Hx as [Hx|<-]; [left; apply exp_increasing; lra|rewrite Ropp_0; lra]. }
      nra.
  - cbv beta. rewrite Ropp_0, exp_0; lra.
Qed.

Lemma cosh_bound_pos t : 0 <= t -> exp t + exp (- t) <= 2 * exp (t * t / 2).
Proof.
  intros Ht.
  assert (H : (exp t + exp (- t)) * exp (- (t * t / 2)) <= 2).
  { apply Rle_trans with ((fun x => (exp x + exp (- x)) * exp (- (x * x / 2))) 0).
    - apply (decreasing_from_0 (fun x => (exp x + exp (- x)) * exp (- (x * x / 2)))
        (fun x => exp (- (x * x / 2)) * ((exp x - exp (- x)) - x * (exp x + exp (- x)))));
        [exact Ht| |].
      + intros x. auto_derive; [auto|unfold Rdiv; field].
      + intros x Hx. pose proof (sinh_le_t_cosh x Hx). pose proof (exp_pos (- (x * x / 2))). nra.
    - cbv beta. replace (- (0 * 0 / 2)) with 0 by field. rewrite Ropp_0, exp_0; lra. }
  apply (Rmult_le_reg_r (exp (- (t * t / 2)))); [apply exp_pos|].
  rewrite Rmult_assoc, <- exp_plus, Rplus_opp_r, exp_0. lra.
Qed.

Lemma cosh_bound t : exp t + exp (- t) <= 2 * exp (t * t / 2).
Proof.
  destruct (Rle_dec 0 t) as [H|H]; [apply cosh_bound_pos; exact H|].
  pose proof (cosh_bound_pos (- t) ltac:(lra)) as Hp.
  rewrite Ropp_involutive in Hp. replace (- t * - t / 2) with (t * t / 2) in Hp by field. lra.
Qed.

(** ** Inner products of sign vectors *)

Definition sign (b : bool) : R := if b then 1 else -1.
Definition inner (d : nat) (x y : list bool) : R :=
  rsum d (fun c => sign (nth c x false) * sign (nth c y false)).

Lemma inner_errors d x y :
  length x = d -> inner d x y = INR d - 2 * errors x (fun i => nth i y false).
Proof.
  intros Hx. unfold inner, errors. rewrite Hx.
  rewrite (rsum_ext d _ (fun c => 1 + -2 * wrong (nth c y false) (nth c x false))).
  - rewrite rsum_plus, rsum_const, rsum_scal. ring.
  - intros c _. unfold wrong, sign. destruct (nth c x false), (nth c y false); simpl; ring.
Qed.

Lemma inner_mgf d t y :
  lsum (fun x => exp (t * inner d x y)) (bitstrings d) = (exp t + exp (- t)) ^ d.
Proof.
  rewrite (lsum_ext _ (fun x => exp (t * INR d)
              * exp (- (2 * t) * errors x (fun i => nth i y false)))).
  - rewrite lsum_scal, hamming_sum.
    replace (exp (t * INR d)) with (exp t ^ d).
    + rewrite <- Rpow_mult_distr. f_equal. rewrite Rmult_plus_distr_l, <- exp_plus.
      replace (t + - (2 * t)) with (- t) by ring. ring.
    + rewrite <- Rpower_pow by apply exp_pos. unfold Rpower. rewrite ln_exp. f_equal; ring.
  - intros x Hx. apply in_bitstrings in Hx.
    rewrite (inner_errors d x y Hx), <- exp_plus. f_equal; ring.
Qed.

Lemma mgf_bound d t y :
  lsum (fun x => exp (t * inner d x y)) (bitstrings d)
    <= 2 ^ d * exp (INR d * (t * t / 2)).
Proof.
  rewrite inner_mgf.
  replace (exp (INR d * (t * t / 2))) with (exp (t * t / 2) ^ d).
  - rewrite <- Rpow_mult_distr. apply pow_incr. split; [|apply cosh_bound].
    pose proof (exp_pos t); pose proof (exp_pos (- t)); lra.
  - rewrite <- Rpower_pow by apply exp_pos. unfold Rpower. now rewrite ln_exp.
Qed.

(** 1 if x and y are too correlated. *)
Definition bad (d : nat) (eps : R) (x y : list bool) : R :=
  if Rle_dec (Rabs (inner d x y)) (eps * INR d) then 0 else 1.

Lemma bad_count d eps y :
  0 <= eps ->
  lsum (fun x => bad d eps x y) (bitstrings d) <= 2 ^ d * (2 * exp (- (eps * eps * INR d / 2))).
Proof.
  intros Heps.
  assert (H : forall x, bad d eps x y <= exp (- (eps * (eps * INR d)))
                * (exp (eps * inner d x y) + exp (- eps * inner d x y))).
  { intros x. unfold bad. rewrite Rmult_plus_distr_l, <- !exp_plus.
    set (u := inner d x y).
    pose proof (exp_pos (- (eps * (eps * INR d)) + eps * u)).
    pose proof (exp_pos (- (eps * (eps * INR d)) + - eps * u)).
    destruct (Rle_dec (Rabs u) (eps * INR d)) as [|Hbad]; [lra|].
    apply Rnot_le_lt in Hbad. unfold Rabs in Hbad. destruct (Rcase_abs u).
    - assert (1 <= exp (- (eps * (eps * INR d)) + - eps * u)); [|lra].
      pose proof (exp_ineq1_le (- (eps * (eps * INR d)) + - eps * u)). nra.
    - assert (1 <= exp (- (eps * (eps * INR d)) + eps * u)); [|lra].
      pose proof (exp_ineq1_le (- (eps * (eps * INR d)) + eps * u)). nra. }
  eapply Rle_trans; [apply lsum_le; intros x _; apply H|].
  rewrite lsum_scal, lsum_plus.
  pose proof (mgf_bound d eps y) as H1. pose proof (mgf_bound d (- eps) y) as H2.
  replace (- eps * - eps / 2) with (eps * eps / 2) in H2 by field.
  apply Rle_trans with (exp (- (eps * (eps * INR d)))
      * (2 * (2 ^ d * exp (INR d * (eps * eps / 2))))).
  - apply Rmult_le_compat_l; [left; apply exp_pos|]. lra.
  - right. replace (- (eps * eps * INR d / 2))
      with (- (eps * (eps * INR d)) + INR d * (eps * eps / 2)) by field.
    rewrite exp_plus. ring.
Qed.

(** If the sum is smaller than the number of terms, some term is below 1. *)
Lemma lsum_lt_1 {A} (f : A -> R) l :
  lsum f l < INR (length l) -> exists a, In a l /\ f a < 1.
Proof.
  induction l as [|a l IH]; simpl lsum; intros H; [simpl in H; lra|].
  simpl length in H. rewrite S_INR in H.
  destruct (Rlt_dec (f a) 1) as [Hlt|Hge].
  - exists a. split; [now left|exact Hlt].
  - destruct IH as (b & Hb & Hfb); [lra|]. exists b. split; [now right|exact Hfb].
Qed.

(** Different strings of the list have inner products of at most ε d. *)
Definition nearly_orthogonal (d : nat) (eps : R) (l : list (list bool)) : Prop :=
  (forall x, In x l -> length x = d) /\
  (forall i j, (i < length l)%nat -> (j < length l)%nat -> i <> j ->
     Rabs (inner d (nth i l []) (nth j l [])) <= eps * INR d).

Lemma inner_sym d x y : inner d x y = inner d y x.
Proof. unfold inner. apply rsum_ext; intros; ring. Qed.

(** n such strings exist once n · 2 exp(-ε² d / 2) < 1. *)
Theorem sign_keys n d eps :
  0 <= eps -> INR n * (2 * exp (- (eps * eps * INR d / 2))) < 1 ->
  exists l, length l = n /\ nearly_orthogonal d eps l.
Proof.
  intros Heps. induction n as [|n IH]; intros Hn.
  - exists []. split; [reflexivity|]. split; simpl; [tauto|intros; lia].
  - rewrite S_INR in Hn. pose proof (exp_pos (- (eps * eps * INR d / 2))) as Hp.
    destruct IH as (l & Hl & Hlen & Hort); [lra|].
    destruct (lsum_lt_1 (fun x => lsum (fun y => bad d eps x y) l) (bitstrings d))
      as (x & Hx & Hbad).
    + rewrite lsum_swap, bitstrings_length, pow_INR. change (INR 2) with 2.
      apply Rle_lt_trans with (lsum (fun _ => 2 ^ d * (2 * exp (- (eps * eps * INR d / 2)))) l).
      * apply lsum_le. intros y _. apply bad_count, Heps.
      * rewrite lsum_const, Hl.
        assert (0 < 2 ^ d) by (apply pow_lt; lra).
        replace (INR n * (2 ^ d * (2 * exp (- (eps * eps * INR d / 2)))))
          with (2 ^ d * (INR n * (2 * exp (- (eps * eps * INR d / 2))))) by ring.
        rewrite <- (Rmult_1_r (2 ^ d)) at 2. apply Rmult_lt_compat_l; lra.
    + apply in_bitstrings in Hx.
      assert (Hgood : forall y, In y l -> Rabs (inner d x y) <= eps * INR d).
      { intros y Hy.
        assert (bad d eps x y <= lsum (fun y => bad d eps x y) l).
        { apply (lsum_ge_term (fun y => bad d eps x y)); [|exact Hy].
          intros z _. unfold bad. destruct (Rle_dec _ _); lra. }
        unfold bad at 1 in H. destruct (Rle_dec (Rabs (inner d x y)) (eps * INR d)); lra. }
      exists (x :: l). split; [simpl; now rewrite Hl|]. split.
      * intros y [<-|Hy]; auto.
      * intros [|i] [|j] Hi Hj Hij; simpl in *; try congruence.
        -- apply Hgood, nth_In; lia.
        -- rewrite inner_sym. apply Hgood, nth_In; lia.
        -- apply Hort; lia.
Qed.

(** The same as an inequality on the dimension: d > 2 ln(2n) / ε². *)
Theorem sign_keys_dimension n d eps :
  (1 <= n)%nat -> 0 < eps -> INR d > 2 * ln (2 * INR n) / (eps * eps) ->
  exists l, length l = n /\ nearly_orthogonal d eps l.
Proof.
  intros Hn Heps Hd. apply sign_keys; [lra|].
  assert (HN : 0 < INR n) by (apply lt_0_INR; lia).
  replace (INR n * (2 * exp (- (eps * eps * INR d / 2))))
    with (exp (ln (2 * INR n)) * exp (- (eps * eps * INR d / 2))).
  - rewrite <- exp_plus, <- exp_0. apply exp_increasing.
    assert (H2 : 0 < eps * eps) by nra.
    apply Rgt_lt, (Rmult_lt_compat_r (eps * eps)) in Hd; [|exact H2].
    replace (2 * ln (2 * INR n) / (eps * eps) * (eps * eps)) with (2 * ln (2 * INR n)) in Hd
      by (field; lra). lra.
  - rewrite exp_ln by lra. ring.
Qed.

(** Such keys, with query i = C key i, have margin C (1 - ε) d. *)
Theorem sign_keys_margin d eps l C i :
  0 <= C -> nearly_orthogonal d eps l -> (i < length l)%nat ->
  let K : matrix := fun j c => sign (nth c (nth j l []) false) in
  margin (length l) (logit d (fun c => C * K i c) K) i (C * ((1 - eps) * INR d)).
Proof.
  intros HC [Hlen Hort] Hi K j Hj Hne.
  assert (Hs : forall j, logit d (fun c => C * K i c) K j
                         = C * inner d (nth i l []) (nth j l [])).
  { intros j'. unfold logit, inner, K. rewrite <- rsum_scal. apply rsum_ext; intros; ring. }
  rewrite !Hs.
  assert (Hself : inner d (nth i l []) (nth i l []) = INR d).
  { unfold inner. rewrite (rsum_ext d _ (fun _ => 1)); [rewrite rsum_const; ring|].
    intros c _. unfold sign. destruct (nth c _ false); ring. }
  specialize (Hort i j Hi Hj (not_eq_sym Hne)). apply Rabs_le_inv in Hort.
  rewrite Hself. nra.
Qed.
