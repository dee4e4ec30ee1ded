(** The programs of T3 with rounding: every operation has a relative error of at most u, exp one of
    at most eps. What that does to sums, logits, weights and outputs. *)
From Coq Require Import Reals Lra Lia Arith List.
From KVFloor Require Import Sums Bits Attention Guarantee Programs.
Open Scope R_scope.

Section Rounding.
Variables u eps : R.
Hypothesis Hu : 0 <= u < 1.
Hypothesis Heps : 0 <= eps < 1.

(** The relative error of an operation is at most this. *)
Definition precision (o : operation R) : R :=
  match o with exponential _ => eps | _ => u end.

(** The program may end with a, if every operation rounds. *)
Fixpoint rounded {A} (p : program R A) (a : A) : Prop :=
  match p with
  | done a' => a = a'
  | compute o next =>
      exists delta, Rabs delta <= precision o /\ rounded (next (result o * (1 + delta))) a
  end.

(** A factor that k roundings can add up to. *)
Definition factor (k : nat) (rho : R) : Prop := (1 - u) ^ k <= rho <= (1 + u) ^ k.

Lemma factor_0 : factor 0 1.
Proof. unfold factor. simpl. lra. Qed.

Lemma factor_1 delta : Rabs delta <= u -> factor 1 (1 + delta).
Proof. intros H. apply Rabs_le_inv in H. unfold factor. simpl. lra. Qed.

Lemma factor_mult j k rho sigma : factor j rho -> factor k sigma -> factor (j + k) (rho * sigma).
Proof.
  intros [H1 H2] [H3 H4]. unfold factor. rewrite !pow_add.
  assert (0 <= (1 - u) ^ j) by (apply pow_le; lra). assert (0 <= (1 - u) ^ k) by (apply pow_le; lra).
  split; apply Rmult_le_compat; lra.
Qed.

Lemma factor_more j k rho : (j <= k)%nat -> factor j rho -> factor k rho.
Proof.
  intros H Hr. replace k with (j + (k - j))%nat by lia. rewrite <- (Rmult_1_r rho).
  apply factor_mult; [exact Hr|]. unfold factor. split.
  - apply Rle_trans with (1 ^ (k - j)); [apply pow_incr; lra|rewrite pow1; lra].
  - apply pow_R1_Rle. lra.
Qed.

Lemma rounded_bind {A B} (p : program R A) (k : A -> program R B) b :
  rounded (bind p k) b -> exists a, rounded p a /\ rounded (k a) b.
Proof.
  induction p as [a|o next IH]; simpl; intros H; [exists a; auto|].
  destruct H as (delta & Hd & H). destruct (IH _ H) as (a & Ha & Hb). exists a. eauto.
Qed.

Lemma rounded_do o x : rounded (do R o) x ->
  exists delta, Rabs delta <= precision o /\ x = result o * (1 + delta).
Proof. intros (delta & Hd & H). exists delta. auto. Qed.

Lemma rounded_table {A} (blank : A) n f t j :
  rounded (table R blank n f) t -> (j < n)%nat -> rounded (f j) (t j).
Proof.
  revert t. induction n as [|n IH]; intros t H Hj; [lia|]. simpl in H.
  apply rounded_bind in H as (t0 & H0 & H). apply rounded_bind in H as (x & Hx & H).
  simpl in H. subst t. destruct (Nat.eqb_spec j n) as [->|]; [exact Hx|]. apply IH; [exact H0|lia].
Qed.

(** A sum of n numbers rounds each of them n - 1 times at most. *)
Lemma rounded_total n f s : rounded (total R 0 n f) s ->
  exists rho, (forall j, (j < n)%nat -> factor (n - 1) (rho j)) /\ s = rsum n (fun j => f j * rho j).
Proof.
  revert s. induction n as [|n IH]; intros s H.
  - simpl in H. exists (fun _ => 1). split; [lia|exact H].
  - destruct n as [|n].
    + simpl in H. exists (fun _ => 1). split; [intros; apply factor_0|]. simpl. lra.
    + change (total R 0 (S (S n)) f)
        with (bind (total R 0 (S n) f) (fun s => do R (plus s (f (S n))))) in H.
      apply rounded_bind in H as (s' & Hs' & H). apply rounded_do in H as (delta & Hd & ->).
      destruct (IH s' Hs') as (rho & Hrho & ->).
      exists (fun j => if (j =? S n)%nat then 1 + delta else rho j * (1 + delta)). split.
      * intros j Hj. replace (S (S n) - 1)%nat with ((S n - 1) + 1)%nat by lia.
        destruct (Nat.eqb_spec j (S n)).
        -- apply (factor_more 1); [lia|]. now apply factor_1.
        -- apply factor_mult; [apply Hrho; lia|now apply factor_1].
      * cbn [result]. rewrite Rmult_plus_distr_r, <- rsum_scal_r.
        change (rsum (S (S n)) ?g) with (rsum (S n) g + g (S n)). cbv beta.
        rewrite Nat.eqb_refl. f_equal.
        apply rsum_ext. intros j Hj. destruct (Nat.eqb_spec j (S n)); [lia|ring].
Qed.

(** An inner product rounds each term n times at most. *)
Lemma rounded_inner n x y s : rounded (inner R 0 n x y) s ->
  exists rho, (forall j, (j < n)%nat -> factor n (rho j)) /\
    s = rsum n (fun j => x j * y j * rho j).
Proof.
  intros H. apply rounded_bind in H as (p & Hp & H).
  destruct (rounded_total n p s H) as (rho & Hrho & ->).
  assert (Hprod : forall j, exists delta, (j < n)%nat ->
            Rabs delta <= u /\ p j = x j * y j * (1 + delta)).
  { intros j. destruct (le_lt_dec n j) as [Hj|Hj]; [exists 0; lia|].
    pose proof (rounded_table 0 n _ p j Hp Hj) as H1.
    apply rounded_do in H1 as (delta & Hd & E). exists delta. auto. }
  assert (Hchoice : forall m, exists sigma, forall j, (j < m)%nat -> (j < n)%nat ->
            Rabs (sigma j) <= u /\ p j = x j * y j * (1 + sigma j)).
  { induction m as [|m (sigma & Hs)]; [exists (fun _ => 0); lia|].
    destruct (Hprod m) as (delta & Hd).
    exists (fun j => if (j =? m)%nat then delta else sigma j). intros j Hj Hjn.
    destruct (Nat.eqb_spec j m) as [->|]; [auto|apply Hs; lia]. }
  destruct (Hchoice n) as (sigma & Hs). exists (fun j => (1 + sigma j) * rho j). split.
  - intros j Hj. apply (factor_more (1 + (n - 1))); [lia|].
    apply factor_mult; [apply factor_1, Hs; assumption|auto].
  - apply rsum_ext. intros j Hj. destruct (Hs j Hj Hj) as [_ ->]. ring.
Qed.

(** ** The bound *)

Lemma factor_near k rho : factor k rho -> Rabs (rho - 1) <= (1 + u) ^ k - 1.
Proof.
  intros [H1 H2]. apply Rabs_le. split; [|lra].
  assert (2 <= (1 - u) ^ k + (1 + u) ^ k); [|lra]. clear - Hu. destruct Hu as [H0 H1].
  induction k as [|k IH]; simpl; [lra|].
  assert ((1 - u) ^ k <= (1 + u) ^ k) by (apply pow_incr; lra). nra.
Qed.

Section Output.
Variables (M : nat) (s v : nat -> R) (Sbar : R) (a k : nat).

(** How much a weight's numerator can be off: S̄ bounds logits, of which terms round a times. *)
Definition numerator_error : R := exp (((1 + u) ^ a - 1) * Sbar) / (1 - eps).

(** 1 + F: values round k times, and the sum of weights M - 1 times. *)
Definition error_factor : R :=
  numerator_error * numerator_error * (1 + u) ^ k / (1 - u) ^ (M - 1).

Lemma numerator_error_ge_1 : 0 <= Sbar -> 1 <= numerator_error.
Proof.
  intros HS. unfold numerator_error. assert (H1 : 1 <= (1 + u) ^ a) by (apply pow_R1_Rle; lra).
  assert (H2 : 0 <= ((1 + u) ^ a - 1) * Sbar) by (apply Rmult_le_pos; lra).
  pose proof (exp_ineq1_le (((1 + u) ^ a - 1) * Sbar)).
  apply (Rmult_le_reg_r (1 - eps)); [lra|].
  unfold Rdiv. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra. lra.
Qed.

(** The factor of a term is between 1 - F and 1 + F. *)
Lemma term_between x Z w e z rho :
  1 <= x -> 0 < Z -> 0 < e -> 0 < z -> e / x <= w <= x * e ->
  Z * (1 - u) ^ (M - 1) / x <= z <= x * Z * (1 + u) ^ (M - 1) -> factor k rho ->
  let Y := x * x * (1 + u) ^ k / (1 - u) ^ (M - 1) in
  2 - Y <= w / e * (Z / z) * rho <= Y.
Proof.
  intros Hx HZ He Hz [Hw1 Hw2] [Hz1 Hz2] [Hr1 Hr2] Y.
  set (g := (1 - u) ^ k) in *. set (G := (1 + u) ^ k) in *.
  set (h := (1 - u) ^ (M - 1)) in *. set (H := (1 + u) ^ (M - 1)) in *.
  assert (Hg : 0 <= g) by (apply pow_le; lra). assert (HG : 1 <= G) by (apply pow_R1_Rle; lra).
  assert (Hh : 0 < h) by (apply pow_lt; lra). assert (HH : 1 <= H) by (apply pow_R1_Rle; lra).
  assert (HgG : 2 <= g + G).
  { pose proof (factor_near k g) as Hn. unfold factor in Hn. fold g G in Hn.
    assert (g <= G) by (apply pow_incr; lra).
    specialize (Hn (conj (Rle_refl g) H0)). apply Rabs_le_inv in Hn. lra. }
  assert (HhH : h * H <= 1).
  { unfold h, H. rewrite <- Rpow_mult_distr.
    apply Rle_trans with (1 ^ (M - 1)); [apply pow_incr; nra|rewrite pow1; lra]. }
  (* the two ratios *)
  assert (Rw : / x <= w / e <= x).
  { split; apply (Rmult_le_reg_r e); try lra.
    - replace (w / e * e) with w by (field; lra). replace (/ x * e) with (e / x) by (field; lra).
      exact Hw1.
    - replace (w / e * e) with w by (field; lra). exact Hw2. }
  assert (Rz : / (x * H) <= Z / z <= x / h).
  { split.
    - apply (Rmult_le_reg_r z); [lra|]. replace (Z / z * z) with Z by (field; lra).
      apply (Rmult_le_reg_r (x * H)); [nra|].
      replace (/ (x * H) * z * (x * H)) with z by (field; nra). lra.
    - apply (Rmult_le_reg_r z); [lra|]. replace (Z / z * z) with Z by (field; lra).
      apply (Rmult_le_compat_r x) in Hz1; [|lra].
      replace (Z * h / x * x) with (Z * h) in Hz1 by (field; lra).
      apply (Rmult_le_reg_r h); [exact Hh|].
      replace (x / h * z * h) with (z * x) by (field; lra). exact Hz1. }
  assert (Hix : 0 < / x) by (apply Rinv_0_lt_compat; lra).
  assert (HixH : 0 < / (x * H)) by (apply Rinv_0_lt_compat; nra).
  assert (Hprod : / x * / (x * H) <= w / e * (Z / z) <= x * (x / h)).
  { split; apply Rmult_le_compat; lra. }
  assert (HP0 : 0 < / x * / (x * H)) by (apply Rmult_lt_0_compat; assumption).
  assert (HY : Y = x * (x / h) * G) by (unfold Y; field; lra).
  split.
  - apply Rle_trans with (/ x * / (x * H) * g); [|apply Rmult_le_compat; lra].
    rewrite HY.
    (* x² G/h + g/(x² H) >= G H + g/H >= 2 *)
    set (q := x * x). assert (Hq : 1 <= q) by (unfold q; nra).
    assert (E1 : x * (x / h) * G = q * G * / h) by (unfold q; field; lra).
    assert (E2 : / x * / (x * H) * g = g * / H * / q) by (unfold q; field; split; lra).
    rewrite E1, E2.
    assert (Hhi : H <= / h).
    { apply (Rmult_le_reg_l h); [exact Hh|]. rewrite Rinv_r by lra. exact HhH. }
    assert (HiH : 0 < / H <= 1).
    { split; [apply Rinv_0_lt_compat; lra|]. rewrite <- Rinv_1. apply Rinv_le_contravar; lra. }
    assert (Hiq : 0 < / q <= 1).
    { split; [apply Rinv_0_lt_compat; lra|]. rewrite <- Rinv_1. apply Rinv_le_contravar; lra. }
    assert (HGH : q * G * H <= q * G * / h) by (apply Rmult_le_compat_l; nra).
    assert (HiH2 : 2 - H <= / H).
    { apply (Rmult_le_reg_l H); [lra|]. rewrite Rinv_r by lra. nra. }
    assert (Hiq2 : 2 - q <= / q).
    { apply (Rmult_le_reg_l q); [lra|]. rewrite Rinv_r by lra. nra. }
    assert (Hsmall : g * / H <= G * H) by (apply Rmult_le_compat; nra).
    assert (Hstep1 : G * H + g * / H <= q * G * H + g * / H * / q).
    { assert (0 <= g * / H) by (apply Rmult_le_pos; lra).
      assert (g * / H * (2 - q) <= g * / H * / q) by (apply Rmult_le_compat_l; lra). nra. }
    assert (Hstep2 : 2 <= G * H + g * / H).
    { assert (0 <= g * / H) by (apply Rmult_le_pos; lra).
      assert (0 <= (G - 1) * (H - 1)) by (apply Rmult_le_pos; lra).
      destruct (Rle_dec 2 G) as [HG2|HG2]; [lra|].
      destruct (Rle_dec 2 H) as [HH2|HH2]; [lra|].
      assert (g * (2 - H) <= g * / H) by (apply Rmult_le_compat_l; lra).
      assert ((2 - G) * (2 - H) <= g * (2 - H)) by (apply Rmult_le_compat_r; lra). lra. }
    lra.
  - rewrite HY. apply Rmult_le_compat; try lra.
Qed.

(** Numerators within a factor x, values and sum rounded: an output is off by at most F Σ p |v|. *)
Lemma rounded_output x w rho sigma : (1 <= M)%nat -> 1 <= x ->
  (forall t, (t < M)%nat -> exp (s t) / x <= w t <= x * exp (s t)) ->
  (forall t, (t < M)%nat -> factor k (rho t)) ->
  (forall t, (t < M)%nat -> factor (M - 1) (sigma t)) ->
  let Y := x * x * (1 + u) ^ k / (1 - u) ^ (M - 1) in
  Rabs (rsum M (fun t => w t * v t * rho t) / rsum M (fun t => w t * sigma t) - output M s v)
    <= (Y - 1) * output M s (fun t => Rabs (v t)).
Proof.
  intros HM Hx Hw Hrho Hsigma Y. pose proof (expsum_pos M s ltac:(lia)) as HZ.
  set (Z := rsum M (fun l => exp (s l))) in HZ. set (z := rsum M (fun t => w t * sigma t)).
  assert (Hpow : 0 < (1 - u) ^ (M - 1)) by (apply pow_lt; lra).
  assert (Hw0 : forall t, (t < M)%nat -> 0 < w t).
  { intros t Ht. destruct (Hw t Ht) as [H1 _]. eapply Rlt_le_trans; [|exact H1].
    apply Rdiv_lt_0_compat; [apply exp_pos|lra]. }
  assert (Hz : Z * (1 - u) ^ (M - 1) / x <= z <= x * Z * (1 + u) ^ (M - 1)).
  { split.
    - unfold z. replace (Z * (1 - u) ^ (M - 1) / x) with (rsum M (fun t => exp (s t)
        * ((1 - u) ^ (M - 1) / x))) by (rewrite rsum_scal_r; fold Z; unfold Rdiv; ring).
      apply rsum_le. intros t Ht. destruct (Hsigma t Ht) as [H1 _]. destruct (Hw t Ht) as [H2 _].
      replace (exp (s t) * ((1 - u) ^ (M - 1) / x)) with (exp (s t) / x * (1 - u) ^ (M - 1))
        by (field; lra).
      apply Rmult_le_compat; try lra. apply Rmult_le_pos; [left; apply exp_pos|].
      left. apply Rinv_0_lt_compat. lra.
    - unfold z. replace (x * Z * (1 + u) ^ (M - 1)) with (rsum M (fun t => exp (s t)
        * (x * (1 + u) ^ (M - 1)))) by (rewrite rsum_scal_r; fold Z; ring).
      apply rsum_le. intros t Ht. destruct (Hsigma t Ht) as [H0 H1]. destruct (Hw t Ht) as [_ H2].
      replace (exp (s t) * (x * (1 + u) ^ (M - 1))) with (x * exp (s t) * (1 + u) ^ (M - 1)) by ring.
      specialize (Hw0 t Ht). apply Rmult_le_compat; lra. }
  assert (Hz0 : 0 < z).
  { eapply Rlt_le_trans; [|exact (proj1 Hz)]. apply Rdiv_lt_0_compat; [nra|lra]. }
  (* term by term *)
  set (f := fun t => w t / exp (s t) * (Z / z) * rho t).
  assert (E1 : rsum M (fun t => w t * v t * rho t) / z = rsum M (fun t => weight M s t * v t * f t)).
  { unfold Rdiv. rewrite <- rsum_scal_r. apply rsum_ext. intros t _. unfold f, weight. fold Z.
    pose proof (exp_pos (s t)). field. repeat split; lra. }
  rewrite E1. unfold output.
  replace (rsum M (fun t => weight M s t * v t * f t) - rsum M (fun t => weight M s t * v t))
    with (rsum M (fun t => weight M s t * v t * (f t - 1))).
  - rewrite <- rsum_scal.
    assert (Hterm : forall t, (t < M)%nat ->
      Rabs (weight M s t * v t * (f t - 1)) <= (Y - 1) * (weight M s t * Rabs (v t))).
    { intros t Ht. pose proof (term_between x Z (w t) (exp (s t)) z (rho t) Hx HZ (exp_pos (s t))
        Hz0 (Hw t Ht) Hz (Hrho t Ht)) as Hf. cbv zeta in Hf. fold Y in Hf. fold (f t) in Hf.
      pose proof (weight_nonneg M s t ltac:(lia)) as Hp.
      rewrite !Rabs_mult, (Rabs_pos_eq (weight M s t)) by exact Hp.
      rewrite (Rmult_comm (Y - 1)). apply Rmult_le_compat_l.
      - apply Rmult_le_pos; [exact Hp|apply Rabs_pos].
      - apply Rabs_le. lra. }
    eapply Rle_trans; [apply rsum_Rabs|]. now apply rsum_le.
  - unfold Rminus.
    replace (- rsum M (fun t => weight M s t * v t)) with (-1 * rsum M (fun t => weight M s t * v t))
      by ring.
    rewrite <- rsum_scal, <- rsum_plus. apply rsum_ext; intros; ring.
Qed.
End Output.

(** ** The evaluations of T3 *)

(** A logit of which every term is multiplied by a factor of at most a roundings. *)
Lemma logit_near d (q K : nat -> R) rho a Sbar :
  (forall c, (c < d)%nat -> factor a (rho c)) -> rsum d (fun c => Rabs (q c * K c)) <= Sbar ->
  Rabs (rsum d (fun c => q c * K c * rho c) - rsum d (fun c => q c * K c))
    <= ((1 + u) ^ a - 1) * Sbar.
Proof.
  intros Hrho HS.
  replace (rsum d (fun c => q c * K c * rho c) - rsum d (fun c => q c * K c))
    with (rsum d (fun c => q c * K c * (rho c - 1))).
  - eapply Rle_trans; [apply rsum_Rabs|].
    assert (H1 : 1 <= (1 + u) ^ a) by (apply pow_R1_Rle; lra).
    apply Rle_trans with (rsum d (fun c => ((1 + u) ^ a - 1) * Rabs (q c * K c))).
    + apply rsum_le. intros c Hc. rewrite (Rabs_mult _ (rho c - 1)), Rmult_comm.
      apply Rmult_le_compat_r; [apply Rabs_pos|]. now apply factor_near, Hrho.
    + rewrite rsum_scal. apply Rmult_le_compat_l; lra.
  - rewrite (rsum_ext d _ (fun c => q c * K c * rho c + -1 * (q c * K c))) by (intros; ring).
    rewrite rsum_plus, rsum_scal. ring.
Qed.

(** exp of a logit that is off by at most D, rounded. *)
Lemma numerator_near l l' D delta : Rabs (l' - l) <= D -> Rabs delta <= eps ->
  let x := exp D / (1 - eps) in
  exp l / x <= exp l' * (1 + delta) <= x * exp l.
Proof.
  intros Hl Hd x. apply Rabs_le_inv in Hl, Hd.
  assert (Hmono : forall p q, p <= q -> exp p <= exp q).
  { intros p q [H|<-]; [left; now apply exp_increasing|lra]. }
  pose proof (exp_pos l). pose proof (exp_pos l'). pose proof (exp_pos D).
  split.
  - replace (exp l / x) with (exp (l - D) * (1 - eps)).
    + pose proof (Hmono (l - D) l' ltac:(lra)). pose proof (exp_pos (l - D)).
      apply Rmult_le_compat; lra.
    + unfold x, Rminus at 1. rewrite exp_plus, exp_Ropp. field. split; lra.
  - replace (x * exp l) with (exp (l + D) * / (1 - eps)) by (unfold x; rewrite exp_plus; field; lra).
    pose proof (Hmono l' (l + D) ltac:(lra)).
    assert (1 + delta <= / (1 - eps)).
    { apply (Rmult_le_reg_r (1 - eps)); [lra|]. rewrite Rinv_l by lra. nra. }
    apply Rmult_le_compat; lra.
Qed.

Lemma choose_factors (P : nat -> R -> Prop) n : (forall j, (j < n)%nat -> exists x, P j x) ->
  exists f, forall j, (j < n)%nat -> P j (f j).
Proof.
  induction n as [|n IH]; intros H; [exists (fun _ => 0); lia|].
  destruct IH as (f & Hf); [intros; apply H; lia|]. destruct (H n ltac:(lia)) as (x & Hx).
  exists (fun j => if (j =? n)%nat then x else f j). intros j Hj.
  destruct (Nat.eqb_spec j n) as [->|]; [exact Hx|apply Hf; lia].
Qed.

(** A query to matrices of M rows that are themselves rounded a times (keys) and b times (values). *)
Lemma query_error M d d_v q K V K' V' kappa nu Sbar a b out c :
  (1 <= M)%nat -> (c < d_v)%nat -> 0 <= Sbar ->
  (forall t e, (t < M)%nat -> (e < d)%nat -> K' t e = K t e * kappa t e /\ factor a (kappa t e)) ->
  (forall t, (t < M)%nat -> V' t c = V t c * nu t /\ factor b (nu t)) ->
  (forall t, (t < M)%nat -> rsum d (fun e => Rabs (q e * K t e)) <= Sbar) ->
  rounded (query_two R 0 M d d_v q K' V') out ->
  let F := error_factor M Sbar (a + d) (b + M + 1) - 1 in
  Rabs (out c - output M (logit d q K) (fun t => V t c))
    <= F * output M (logit d q K) (fun t => Rabs (V t c)).
Proof.
  intros HM Hc HSbar HK HV HS H F. unfold query_two in H.
  apply rounded_bind in H as (w & Hw & H). apply rounded_bind in H as (z & Hz & H).
  apply (rounded_table 0 d_v _ out c) in H; [|exact Hc].
  apply rounded_bind in H as (num & Hnum & H). apply rounded_do in H as (delta & Hdelta & ->).
  destruct (rounded_total M w z Hz) as (sigma & Hsigma & ->).
  destruct (rounded_inner M w (fun t => V' t c) num Hnum) as (rho & Hrho & ->).
  set (x := numerator_error Sbar (a + d)).
  assert (Hnumerators : forall t, (t < M)%nat ->
            exp (logit d q K t) / x <= w t <= x * exp (logit d q K t)).
  { intros t Ht. pose proof (rounded_table 0 M _ w t Hw Ht) as H1.
    apply rounded_bind in H1 as (l & Hl & H1). apply rounded_do in H1 as (e & He & ->).
    destruct (rounded_inner d q (K' t) l Hl) as (theta & Htheta & ->). cbn [result].
    apply numerator_near; [|exact He].
    rewrite (rsum_ext d _ (fun e => q e * K t e * (kappa t e * theta e))).
    - apply logit_near; [|now apply HS]. intros e' He'. apply factor_mult; [|now apply Htheta].
      now apply HK.
    - intros e' He'. destruct (HK t e' Ht He') as [-> _]. ring. }
  cbn [result].
  replace (rsum M (fun j => w j * V' j c * rho j) / rsum M (fun j => w j * sigma j) * (1 + delta))
    with (rsum M (fun t => w t * V t c * (nu t * rho t * (1 + delta)))
          / rsum M (fun t => w t * sigma t)).
  - apply (rounded_output M (logit d q K) (fun t => V t c) (b + M + 1) x w
      (fun t => nu t * rho t * (1 + delta)) sigma); auto.
    + now apply numerator_error_ge_1.
    + intros t Ht. apply factor_mult; [|now apply factor_1].
      apply factor_mult; [now apply HV|now apply Hrho].
  - unfold Rdiv. rewrite Rmult_assoc, (Rmult_comm (/ _) (1 + delta)), <- Rmult_assoc. f_equal.
    rewrite <- rsum_scal_r. apply rsum_ext. intros t Ht. destruct (HV t Ht) as [-> _]. ring.
Qed.
End Rounding.
