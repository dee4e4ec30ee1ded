(** E1 `exact-equality`: whether an output equals a number, or another output, is decided by sums
    over tuples of one logit: by E6, for the logits that rational inputs have. *)
From Coq Require Import Reals ZArith Lra Lia Arith List.
From KVFloor Require Import Sums Attention Tuples ExponentialsIndependent.
Import ListNotations.
Open Scope R_scope.

(** [A] is a ring of real numbers: for example the rationals, or the algebraic numbers. *)
Definition ring_of_numbers (A : R -> Prop) : Prop :=
  A 1 /\ (forall x y, A x -> A y -> A (x - y)) /\ (forall x y, A x -> A y -> A (x * y)).

Lemma ring_minus A : ring_of_numbers A -> forall x y, A x -> A y -> A (x - y).
Proof. now intros (_ & H & _). Qed.

Lemma ring_1 A : ring_of_numbers A -> A 1.
Proof. now intros (H & _). Qed.

Section Ring.
Variable A : R -> Prop.
Hypothesis HA : ring_of_numbers A.

Lemma ring_0 : A 0.
Proof. replace 0 with (1 - 1) by ring. apply (ring_minus A HA); apply (ring_1 A HA). Qed.

Lemma ring_plus x y : A x -> A y -> A (x + y).
Proof.
  intros Hx Hy. replace (x + y) with (x - (0 - y)) by ring.
  apply (ring_minus A HA); [exact Hx|]. apply (ring_minus A HA); [apply ring_0|exact Hy].
Qed.

Lemma ring_rsum n f : (forall j, (j < n)%nat -> A (f j)) -> A (rsum n f).
Proof.
  induction n; simpl; intros H; [apply ring_0|]. apply ring_plus; auto.
Qed.
End Ring.

Lemma rational_ring : ring_of_numbers rational.
Proof.
  split; [exact (rational_integer 1)|split; [|exact rational_times]].
  intros x y Hx Hy. replace (x - y) with (x + -1 * y) by ring.
  apply rational_plus; [exact Hx|]. apply rational_times; [apply rational_integer|exact Hy].
Qed.

Lemma with_roots_plus d e x y : with_roots d e x -> with_roots d e y -> with_roots d e (x + y).
Proof.
  intros (a & b & Ha & Hb & ->) (u & v & Hu & Hv & ->). exists (a + u), (b + v).
  repeat split; [now apply rational_plus..|ring].
Qed.

(** The sum of f over the terms whose exponent is t. *)
Definition group (n : nat) (s f : nat -> R) (t : R) : R :=
  rsum n (fun j => if Req_EM_T (s j) t then f j else 0).

(** The exponents, each once. *)
Definition exponents (n : nat) (s : nat -> R) : list R := nodup Req_EM_T (map s (seq 0 n)).

Lemma in_exponents n s t : In t (exponents n s) <-> exists j, (j < n)%nat /\ s j = t.
Proof.
  unfold exponents. rewrite nodup_In, in_map_iff. split.
  - intros (j & <- & Hj). apply in_seq in Hj. exists j. split; [lia|reflexivity].
  - intros (j & Hj & <-). exists j. split; [reflexivity|]. apply in_seq. lia.
Qed.

(** Grouping by exponent changes no sum of exponentials. *)
Lemma rsum_grouped n s f :
  rsum n (fun j => f j * exp (s j))
    = lsum (fun t => group n s f t * exp t) (exponents n s).
Proof.
  unfold group.
  rewrite (lsum_ext _ (fun t => rsum n (fun j =>
    if Req_EM_T (s j) t then f j * exp t else 0)) (exponents n s)).
  - rewrite lsum_rsum_swap. apply rsum_ext. intros j Hj. symmetry.
    apply (lsum_case Req_EM_T (fun t => f j * exp t)); [apply NoDup_nodup|].
    apply in_exponents. exists j. auto.
  - intros t _. cbv beta. rewrite <- rsum_scal_r. apply rsum_ext. intros j _.
    destruct (Req_EM_T (s j) t); ring.
Qed.

(** A sum of exponentials vanishes exactly if, for every exponent, its coefficients add to 0:
    for numbers in A and exponents in B whose exponentials are independent. *)
Theorem exact_equality_independent A B n s f :
  ring_of_numbers A -> independent_exponentials A B ->
  (forall j, (j < n)%nat -> B (s j) /\ A (f j)) ->
  rsum n (fun j => f j * exp (s j)) = 0 <-> (forall j, (j < n)%nat -> group n s f (s j) = 0).
Proof.
  intros HA Hind Hin. rewrite rsum_grouped.
  assert (Hgroup : forall t, A (group n s f t)).
  { intros t. unfold group. apply ring_rsum; [exact HA|]. intros j Hj.
    destruct (Req_EM_T (s j) t); [apply Hin, Hj|now apply ring_0]. }
  split.
  - intros H j Hj. set (terms := map (fun t => (group n s f t, t)) (exponents n s)).
    apply (Hind terms) with (s := s j).
    + intros a t Hat. apply in_map_iff in Hat as (t' & E & Ht). injection E as <- <-.
      split; [apply Hgroup|]. apply in_exponents in Ht as (i & Hi & <-). apply Hin, Hi.
    + unfold terms. rewrite map_map. simpl. rewrite map_id. apply NoDup_nodup.
    + unfold terms. rewrite lsum_map. exact H.
    + unfold terms. apply in_map_iff. exists (s j). split; [reflexivity|].
      apply in_exponents. exists j. auto.
  - intros H. apply lsum_0. intros t Ht. apply in_exponents in Ht as (j & Hj & <-).
    rewrite H by exact Hj. ring.
Qed.

(** The same for rational coefficients and exponents a √d + b √e, where E6 says it. *)
Theorem exact_equality_sum d e n s f :
  (forall j, (j < n)%nat -> with_roots d e (s j) /\ rational (f j)) ->
  rsum n (fun j => f j * exp (s j)) = 0 <-> (forall j, (j < n)%nat -> group n s f (s j) = 0).
Proof.
  apply exact_equality_independent; [exact rational_ring|apply exponentials_independent_roots].
Qed.

(** How many tuples have the logit t. *)
Definition multiplicity (n : nat) (s : nat -> R) (t : R) : R := group n s (fun _ => 1) t.

Lemma group_minus n s f r t :
  group n s (fun j => f j - r) t = group n s f t - r * multiplicity n s t.
Proof.
  unfold multiplicity, group. unfold Rminus. rewrite Ropp_mult_distr_l, <- rsum_scal, <- rsum_plus.
  apply rsum_ext. intros j _. destruct (Req_EM_T (s j) t); ring.
Qed.

(** out = r exactly if a_s = r m_s for every logit s: a_s is the sum of the values of the tuples
    of logit s, m_s their number. *)
Theorem exact_equality d e n s v r : (1 <= n)%nat ->
  (forall j, (j < n)%nat -> with_roots d e (s j) /\ rational (v j)) -> rational r ->
  output n s v = r <->
  (forall j, (j < n)%nat -> group n s v (s j) = r * multiplicity n s (s j)).
Proof.
  intros Hn Hin Hr.
  pose proof (expsum_pos n s ltac:(lia)) as HZ. set (Z := rsum n (fun l => exp (s l))) in HZ.
  assert (Hout : output n s v = rsum n (fun j => v j * exp (s j)) / Z).
  { unfold output, weight, Rdiv. fold Z. rewrite <- rsum_scal_r. apply rsum_ext; intros; ring. }
  assert (Hsum : rsum n (fun j => (v j - r) * exp (s j))
                 = rsum n (fun j => v j * exp (s j)) - r * Z).
  { unfold Z, Rminus. rewrite Ropp_mult_distr_l, <- rsum_scal, <- rsum_plus.
    apply rsum_ext; intros; ring. }
  transitivity (rsum n (fun j => (v j - r) * exp (s j)) = 0).
  - rewrite Hsum, Hout. set (S := rsum n _). split; intros H.
    + rewrite <- H. field. lra.
    + replace S with (r * Z) by lra. field. lra.
  - rewrite (exact_equality_sum d e n s (fun j => v j - r)).
    + split; intros H j Hj; specialize (H j Hj); rewrite group_minus in *; lra.
    + intros j Hj. destruct (Hin j Hj). split; [assumption|]. now apply (ring_minus _ rational_ring).
Qed.

(** Two outputs are equal exactly if, for every sum s_j + s'_l, the differences v_j - v'_l of the
    pairs with that sum add to 0. *)
Theorem exact_equality_outputs d e n s v n' s' v' : (1 <= n)%nat -> (1 <= n')%nat ->
  (forall j, (j < n)%nat -> with_roots d e (s j) /\ rational (v j)) ->
  (forall l, (l < n')%nat -> with_roots d e (s' l) /\ rational (v' l)) ->
  let sums a := s (a / n')%nat + s' (a mod n')%nat in
  let differences a := v (a / n')%nat - v' (a mod n')%nat in
  output n s v = output n' s' v' <->
  (forall a, (a < n * n')%nat -> group (n * n') sums differences (sums a) = 0).
Proof.
  intros Hn Hn' Hin Hin' sums differences.
  rewrite <- (exact_equality_sum d e (n * n') sums differences).
  - pose proof (expsum_pos n s ltac:(lia)) as HZ. pose proof (expsum_pos n' s' ltac:(lia)) as HZ'.
    unfold sums, differences.
    rewrite <- (rsum_flatten n n' (fun j l => (v j - v' l) * exp (s j + s' l))).
    set (Z := rsum n (fun l => exp (s l))) in *. set (Z' := rsum n' (fun l => exp (s' l))) in *.
    assert (Hout : output n s v * Z = rsum n (fun j => v j * exp (s j))).
    { unfold output, weight. fold Z. rewrite <- rsum_scal_r. apply rsum_ext; intros. field; lra. }
    assert (Hout' : output n' s' v' * Z' = rsum n' (fun j => v' j * exp (s' j))).
    { unfold output, weight. fold Z'. rewrite <- rsum_scal_r.
      apply rsum_ext; intros. field; lra. }
    assert (HS : rsum n (fun j => rsum n' (fun l => (v j - v' l) * exp (s j + s' l)))
                 = (output n s v - output n' s' v') * (Z * Z')).
    { replace ((output n s v - output n' s' v') * (Z * Z'))
        with (output n s v * Z * Z' - Z * (output n' s' v' * Z')) by ring.
      rewrite Hout, Hout'. set (S' := rsum n' (fun j => v' j * exp (s' j))).
      unfold Z. unfold Rminus. rewrite Ropp_mult_distr_r, <- !rsum_scal_r, <- rsum_plus.
      apply rsum_ext. intros j _. unfold S', Z'.
      rewrite <- rsum_scal. rewrite Ropp_mult_distr_r_reverse, Ropp_mult_distr_l.
      rewrite <- rsum_scal, <- rsum_plus. apply rsum_ext. intros l _. rewrite exp_plus. ring. }
    rewrite HS. assert (0 < Z * Z') by nra. split; intros H0.
    + rewrite H0. ring.
    + apply Rmult_integral in H0 as [H0|H0]; lra.
  - intros a Ha. destruct (Hin (a / n')%nat) as [A1 A2]; [apply Nat.div_lt_upper_bound; lia|].
    destruct (Hin' (a mod n')%nat) as [A1' A2']; [apply Nat.mod_upper_bound; lia|].
    split; [now apply with_roots_plus|now apply (ring_minus _ rational_ring)].
Qed.

(** The log-sum-exp is a number a √d + b √e only for a single tuple, where it is the logit. *)
Theorem exact_equality_logsumexp d e n s r : (1 <= n)%nat ->
  (forall j, (j < n)%nat -> with_roots d e (s j)) -> with_roots d e r ->
  ln (rsum n (fun j => exp (s j))) = r <-> n = 1%nat /\ s 0%nat = r.
Proof.
  intros Hn Hin Hr. split.
  - intros H. pose proof (expsum_pos n s ltac:(lia)) as HZ.
    set (s' := fun j => if j =? n then r else s j).
    set (f := fun j => if j =? n then -1 else 1).
    assert (Hlast : s' n = r) by (unfold s'; now rewrite Nat.eqb_refl).
    assert (Hlast' : f n = -1) by (unfold f; now rewrite Nat.eqb_refl).
    assert (Hs : forall j, (j < S n)%nat -> with_roots d e (s' j) /\ rational (f j)).
    { intros j Hj. unfold s', f. destruct (Nat.eqb_spec j n).
      - split; [exact Hr|apply rational_integer].
      - split; [apply Hin; lia|apply rational_integer]. }
    assert (Hzero : rsum (S n) (fun j => f j * exp (s' j)) = 0).
    { simpl. rewrite Hlast, Hlast', <- H, exp_ln by exact HZ.
      rewrite (rsum_ext n _ (fun j => exp (s j))); [ring|].
      intros j Hj. unfold f, s'. destruct (Nat.eqb_spec j n); [lia|]. ring. }
    pose proof (proj1 (exact_equality_sum d e (S n) s' f Hs) Hzero) as Hg.
    (* the group of r holds the coefficient -1 and as many 1 as there are logits r *)
    assert (Hcount : forall t, group (S n) s' f t
              = multiplicity n s t - (if Req_EM_T r t then 1 else 0)).
    { intros t. unfold group. simpl. rewrite Hlast, Hlast'. unfold multiplicity, group.
      rewrite (rsum_ext n _ (fun j => if Req_EM_T (s j) t then 1 else 0)).
      - destruct (Req_EM_T r t); ring.
      - intros j Hj. unfold s', f. destruct (Nat.eqb_spec j n); [lia|reflexivity]. }
    assert (Hall : forall j, (j < n)%nat -> s j = r).
    { intros j Hj. specialize (Hg j ltac:(lia)). rewrite Hcount in Hg.
      unfold s' in Hg. destruct (Nat.eqb_spec j n); [lia|].
      destruct (Req_EM_T r (s j)) as [E|E]; [now symmetry|exfalso].
      assert (1 <= multiplicity n s (s j)); [|lra].
      unfold multiplicity, group. rewrite (rsum_split n j) by exact Hj.
      destruct (Req_EM_T (s j) (s j)) as [_|]; [|congruence].
      assert (0 <= rsum n (fun i => if Nat.eqb i j then 0
                else if Req_EM_T (s i) (s j) then 1 else 0)); [|lra].
      apply rsum_nonneg. intros i _. destruct (Nat.eqb i j); [lra|].
      destruct (Req_EM_T (s i) (s j)); lra. }
    specialize (Hg n ltac:(lia)). rewrite Hcount, Hlast in Hg.
    destruct (Req_EM_T r r) as [_|]; [|congruence].
    unfold multiplicity, group in Hg.
    rewrite (rsum_ext n _ (fun _ => 1)), rsum_const in Hg.
    + split; [|apply Hall; lia]. apply INR_eq. simpl. lra.
    + intros j Hj. rewrite Hall by exact Hj. destruct (Req_EM_T r r); [reflexivity|congruence].
  - intros [-> <-]. simpl. rewrite Rplus_0_l. apply ln_exp.
Qed.

(** ** Rational inputs *)

Theorem exact_equality_values Vs t c :
  (forall V j, In V Vs -> rational (V j c)) -> rational (row_product Vs t c).
Proof.
  revert t. induction Vs as [|V Vs IH]; intros t H; [exact (rational_integer 1)|].
  destruct t as [|j t]; [exact (rational_integer 1)|].
  apply rational_times; [apply H; now left|]. apply IH. intros V' k HV. apply H. now right.
Qed.

Theorem exact_equality_logits d e n sigma q Ks t : with_roots d e sigma ->
  (forall c, (c < n)%nat -> rational (q c)) ->
  (forall K j c, In K Ks -> (c < n)%nat -> rational (K j c)) ->
  with_roots d e (tuple_logit n (fun c => sigma * q c) Ks t).
Proof.
  intros (a & b & Ha & Hb & ->) Hq HK. unfold tuple_logit.
  set (S := rsum n (fun c => q c * row_product Ks t c)).
  assert (HS : rational S).
  { apply (ring_rsum _ rational_ring). intros c Hc. apply rational_times; [auto|].
    apply exact_equality_values. intros K j Hin. now apply HK. }
  exists (a * S), (b * S). repeat split; [now apply rational_times..|].
  transitivity ((a * sqrt (INR d) + b * sqrt (INR e)) * S); [|ring].
  unfold S. rewrite <- rsum_scal. apply rsum_ext. intros c _. ring.
Qed.

Theorem exact_equality_scale d e : (1 <= d)%nat -> with_roots d e (1 / sqrt (INR d)).
Proof.
  intros Hd. assert (H : 0 < INR d) by (apply lt_0_INR; lia).
  exists (1 / IZR (Z.of_nat d)), 0. repeat split.
  - exists 1%Z, (Z.of_nat d). split; [lia|reflexivity].
  - exact (rational_integer 0).
  - rewrite <- INR_IZR_INZ. pose proof (sqrt_sqrt (INR d) ltac:(lra)) as E.
    set (r := sqrt (INR d)) in *. rewrite <- E. field. intros H0. rewrite H0 in E. lra.
Qed.

Lemma lsum_nth {X} (f : X -> R) l x : lsum f l = rsum (length l) (fun j => f (nth j l x)).
Proof.
  induction l as [|y l IH]; [reflexivity|]. cbn [length lsum]. now rewrite rsum_first, IH.
Qed.

(** Tensor attention itself, its tuples numbered in the order of the list. *)
Theorem exact_equality_tensor d e n slots sigma q Ks Vs c r : tuples slots <> [] ->
  with_roots d e sigma -> (forall i, (i < n)%nat -> rational (q i)) ->
  (forall K j i, In K Ks -> (i < n)%nat -> rational (K j i)) ->
  (forall V j, In V Vs -> rational (V j c)) -> rational r ->
  let N := length (tuples slots) in
  let s j := tuple_logit n (fun i => sigma * q i) Ks (nth j (tuples slots) []) in
  let v j := row_product Vs (nth j (tuples slots) []) c in
  tensor slots n (fun i => sigma * q i) Ks Vs c = r <->
  (forall j, (j < N)%nat -> group N s v (s j) = r * multiplicity N s (s j)).
Proof.
  intros Hslots Hsigma Hq HK HV Hr N s v.
  assert (E : tensor slots n (fun i => sigma * q i) Ks Vs c = output N s v).
  { unfold tensor, tuple_output, tuple_weight, output, weight.
    rewrite (lsum_nth _ (tuples slots) []). apply rsum_ext. intros j _.
    now rewrite (lsum_nth _ (tuples slots) []). }
  rewrite E. apply (exact_equality d e N s v r); [|split|exact Hr].
  - unfold N. destruct (tuples slots); [contradiction|simpl; lia].
  - now apply exact_equality_logits.
  - now apply exact_equality_values.
Qed.
