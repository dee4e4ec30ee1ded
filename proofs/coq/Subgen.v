(** U2 `subgen`: what the samples of SubGen estimate, order 1, and how well.
    Coins are independent: a slot for each sample, each a reservoir over its own stream. *)
From Coq Require Import Reals Lra Lia Arith List.
From KVFloor Require Import Sums Tuples Norms Chance Reservoir.
Import ListNotations.
Open Scope R_scope.

(** ** The normaliser *)

Definition dot (d : nat) (q k : vector) : R := rsum d (fun c => q c * k c).

(** Every key of a cluster counts the same. *)
Definition equally (cluster : list vector) : list (R * vector) := map (fun k => (1, k)) cluster.

(** What one of t samples of a cluster adds to the normaliser: n_x/t exp(<q,k>). *)
Definition sample_term (d t : nat) (q : vector) (cluster : list vector) (o : option vector) : R :=
  match o with Some k => INR (length cluster) / INR t * exp (dot d q k) | None => 0 end.

(** The estimate of τ = Σ exp(<q,k>): t samples of each cluster, all independent. *)
Definition normaliser (d t : nat) (q : vector) (clusters : list (list vector)) : chances (list R) :=
  independent (flat_map (fun cluster =>
    repeat (drawn (sample_term d t q cluster) (reservoir _ (equally cluster))) t) clusters).

(** Its value: the sum of the terms. *)
Definition added : list R -> R := lsum (fun x => x).

(** All exponentials of a list of keys, added. *)
Definition exps (d : nat) (q : vector) (keys : list vector) : R :=
  lsum (fun k => exp (dot d q k)) keys.

Lemma equally_nonneg cluster : weights_nonneg _ (equally cluster).
Proof. intros i Hi. apply in_map_iff in Hi as (k & <- & _). simpl. lra. Qed.

Lemma equally_total cluster : total_weight _ (equally cluster) = INR (length cluster).
Proof. unfold total_weight, equally. rewrite lsum_map. simpl. rewrite lsum_const. ring. Qed.

(** A sample is a key of its cluster, each as likely as any other. *)
Lemma equally_expectation cluster f : cluster <> [] ->
  expectation (reservoir _ (equally cluster)) f
    = lsum (fun k => f (Some k)) cluster / INR (length cluster).
Proof.
  intros Hne. assert (HN : INR (length cluster) <> 0)
    by (apply not_0_INR; destruct cluster; simpl; congruence).
  pose proof (reservoir_expectation _ (equally cluster) f (equally_nonneg cluster)) as H.
  rewrite equally_total in H. unfold equally in H at 2. rewrite lsum_map in H. simpl in H.
  rewrite (lsum_ext _ (fun k => f (Some k))) in H by (intros; ring).
  rewrite <- H. field. exact HN.
Qed.

Section Order1.
Variables (d t : nat) (q : vector) (clusters : list (list vector)).
Hypothesis Ht : (1 <= t)%nat.
Hypothesis Hne : forall cluster, In cluster clusters -> cluster <> [].

Lemma sample_terms_proper D : In D (flat_map (fun cluster =>
    repeat (drawn (sample_term d t q cluster) (reservoir _ (equally cluster))) t) clusters) ->
  proper D.
Proof.
  intros H. apply in_flat_map in H as (cluster & _ & H). apply repeat_spec in H as ->.
  apply drawn_proper, reservoir_proper, equally_nonneg.
Qed.

Lemma sample_term_expectation cluster : cluster <> [] ->
  expectation (reservoir _ (equally cluster)) (sample_term d t q cluster)
    = exps d q cluster / INR t.
Proof.
  intros H. rewrite equally_expectation by exact H. unfold sample_term, exps.
  rewrite lsum_scal. assert (INR t <> 0) by (apply not_0_INR; lia).
  assert (INR (length cluster) <> 0) by (apply not_0_INR; destruct cluster; simpl; congruence).
  field. auto.
Qed.

(** The normaliser is unbiased. *)
Theorem subgen_normaliser_unbiased :
  expectation (normaliser d t q clusters) added = exps d q (concat clusters).
Proof.
  assert (HT : INR t <> 0) by (apply not_0_INR; lia).
  unfold normaliser, added. rewrite expectation_independent by apply sample_terms_proper.
  rewrite lsum_flat_map. unfold exps. rewrite lsum_concat.
  apply lsum_ext. intros cluster Hc. rewrite lsum_repeat, drawn_expectation.
  pose proof (sample_term_expectation cluster (Hne cluster Hc)) as H.
  unfold exps in H. cbv beta. change (fun a => sample_term d t q cluster a)
    with (sample_term d t q cluster). rewrite H. field. exact HT.
Qed.

(** Bhatia and Davis for values between m and ϱ m: the variance is at most (ϱ-1)²/(4ϱ) times the
    square of the mean. *)
Lemma ratio_variance {A} (D : chances A) f lo rho : proper D -> 0 <= lo -> 1 <= rho ->
  0 <= expectation D (fun a => (rho * lo - f a) * (f a - lo)) ->
  variance D f <= (rho - 1) * (rho - 1) / (4 * rho) * (expectation D f * expectation D f).
Proof.
  intros HD Hlo Hrho H. pose proof (bhatia_davis D f lo (rho * lo) HD H) as HB.
  set (m := expectation D f) in *. eapply Rle_trans; [exact HB|].
  apply (Rmult_le_reg_r (4 * rho)); [lra|].
  replace ((rho - 1) * (rho - 1) / (4 * rho) * (m * m) * (4 * rho))
    with ((rho - 1) * (rho - 1) * (m * m)) by (field; lra).
  (* the difference is ((ϱ+1) m - 2ϱ lo)² *)
  pose proof (Rle_0_sqr ((rho + 1) * m - 2 * rho * lo)) as Hs. unfold Rsqr in Hs. lra.
Qed.

Lemma dot_gap r delta k k' centre :
  norm2 d q <= r -> norm2 d (sub k centre) <= delta -> norm2 d (sub k' centre) <= delta ->
  dot d q k - dot d q k' <= 2 * r * delta.
Proof.
  intros Hr Hk Hk'. unfold dot.
  replace (rsum d (fun c => q c * k c) - rsum d (fun c => q c * k' c))
    with (rsum d (fun c => q c * sub k centre c) + rsum d (fun c => q c * (-1 * sub k' centre c))).
  - pose proof (cauchy_schwarz d q (sub k centre)).
    pose proof (cauchy_schwarz d q (fun c => -1 * sub k' centre c)).
    assert (E : norm2 d (fun c => -1 * sub k' centre c) = norm2 d (sub k' centre)).
    { unfold norm2. f_equal. apply rsum_ext; intros; ring. }
    rewrite E in *. pose proof (norm2_nonneg d q).
    pose proof (norm2_nonneg d (sub k centre)). pose proof (norm2_nonneg d (sub k' centre)).
    assert (norm2 d q * norm2 d (sub k centre) <= r * delta) by (apply Rmult_le_compat; lra).
    assert (norm2 d q * norm2 d (sub k' centre) <= r * delta) by (apply Rmult_le_compat; lra).
    lra.
  - rewrite <- rsum_plus.
    rewrite (rsum_ext d (fun c => q c * sub k centre c + q c * (-1 * sub k' centre c))
      (fun c => q c * k c + -1 * (q c * k' c))) by (intros; unfold sub; ring).
    rewrite rsum_plus, rsum_scal. ring.
Qed.

(** The largest of finitely many exponentials is at most ϱ times the least, if keys are within
    delta of the centre of their cluster, ‖q‖ <= r and ϱ = exp(2 r delta). *)
Lemma least_exponential r delta cluster centre : cluster <> [] -> norm2 d q <= r ->
  (forall k, In k cluster -> norm2 d (sub k centre) <= delta) ->
  exists lo, 0 <= lo /\
    forall k, In k cluster -> lo <= exp (dot d q k) <= exp (2 * r * delta) * lo.
Proof.
  intros Hcl Hr Hdelta.
  assert (Hmin : exists k0, In k0 cluster /\ forall k, In k cluster -> dot d q k0 <= dot d q k).
  { clear Hdelta. induction cluster as [|k cl IH]; [congruence|]. destruct cl as [|k' cl].
    - exists k. split; [now left|]. intros k' [<-|[]]. lra.
    - destruct IH as (k0 & Hk0 & Hle); [discriminate|].
      destruct (Rle_dec (dot d q k) (dot d q k0)) as [H|H].
      + exists k. split; [now left|]. intros k1 [<-|Hk1]; [lra|].
        specialize (Hle k1 Hk1). lra.
      + exists k0. split; [now right|]. intros k1 [<-|Hk1]; [lra|auto]. }
  destruct Hmin as (k0 & Hk0 & Hle). exists (exp (dot d q k0)).
  split; [left; apply exp_pos|]. intros k Hk. rewrite <- exp_plus.
  assert (Hmono : forall a b, a <= b -> exp a <= exp b).
  { intros a b [H|<-]; [left; now apply exp_increasing|lra]. }
  split; apply Hmono; [auto|].
  pose proof (dot_gap r delta k k0 centre Hr (Hdelta k Hk) (Hdelta k0 Hk0)). lra.
Qed.

(** Var τ <= τ² (ϱ-1)²/(4ϱt) with ϱ = exp(2 r delta). *)
Theorem subgen_normaliser_variance r delta :
  0 <= r * delta -> norm2 d q <= r ->
  (forall cluster, In cluster clusters -> exists centre,
     forall k, In k cluster -> norm2 d (sub k centre) <= delta) ->
  let rho := exp (2 * r * delta) in
  let tau := exps d q (concat clusters) in
  variance (normaliser d t q clusters) added
    <= tau * tau * ((rho - 1) * (rho - 1) / (4 * rho * INR t)).
Proof.
  intros Hrd Hr Hcl rho tau. assert (HT : 0 < INR t) by (apply lt_0_INR; lia).
  assert (Hrho : 1 <= rho).
  { unfold rho. pose proof (exp_ineq1_le (2 * r * delta)). lra. }
  set (kappa := (rho - 1) * (rho - 1) / (4 * rho)).
  assert (Hkappa : 0 <= kappa).
  { unfold kappa. apply Rmult_le_pos; [apply Rle_0_sqr|]. left. apply Rinv_0_lt_compat. lra. }
  unfold normaliser, added. rewrite variance_independent by apply sample_terms_proper.
  rewrite lsum_flat_map.
  (* one cluster *)
  assert (Hone : forall cluster, In cluster clusters ->
    lsum (fun D => variance D (fun x => x))
      (repeat (drawn (sample_term d t q cluster) (reservoir _ (equally cluster))) t)
    <= kappa / INR t * (exps d q cluster * exps d q cluster)).
  { intros cluster Hc. rewrite lsum_repeat, drawn_variance.
    pose proof (reservoir_proper _ _ (equally_nonneg cluster)) as HD.
    destruct (Hcl cluster Hc) as (centre & Hcentre).
    destruct (least_exponential r delta cluster centre (Hne cluster Hc) Hr Hcentre)
      as (lo & Hlo & Hbetween). fold rho in Hbetween.
    set (w := INR (length cluster) / INR t).
    assert (Hw : 0 <= w) by (apply Rmult_le_pos; [apply pos_INR|left; now apply Rinv_0_lt_compat]).
    pose proof (ratio_variance (reservoir _ (equally cluster)) (sample_term d t q cluster)
      (w * lo) rho HD ltac:(apply Rmult_le_pos; lra) Hrho) as H.
    rewrite (sample_term_expectation cluster (Hne cluster Hc)) in H.
    apply Rmult_le_compat_l with (r := INR t) in H; [|lra|].
    - eapply Rle_trans; [exact H|]. right. fold kappa. field. lra.
    - rewrite equally_expectation by (now apply Hne). apply Rmult_le_pos.
      + apply lsum_nonneg. intros k Hk. destruct (Hbetween k Hk) as [H1 H2].
        unfold sample_term. fold w.
        replace ((rho * (w * lo) - w * exp (dot d q k)) * (w * exp (dot d q k) - w * lo))
          with (w * w * ((rho * lo - exp (dot d q k)) * (exp (dot d q k) - lo))) by ring.
        apply Rmult_le_pos; [apply Rle_0_sqr|]. apply Rmult_le_pos; lra.
      + left. apply Rinv_0_lt_compat, lt_0_INR. specialize (Hne cluster Hc).
        destruct cluster; [congruence|simpl; lia]. }
  eapply Rle_trans; [apply lsum_le, Hone|]. rewrite lsum_scal.
  (* the squares of the parts add up to no more than the square of the whole *)
  assert (Hsquares : lsum (fun cl => exps d q cl * exps d q cl) clusters <= tau * tau).
  { unfold tau, exps. rewrite lsum_concat. clear Hne Hcl Hone.
    assert (Hpos : forall l, 0 <= lsum (fun k => exp (dot d q k)) l)
      by (intros; apply lsum_nonneg; intros; left; apply exp_pos).
    induction clusters as [|cl rest IH]; simpl; [lra|].
    pose proof (Hpos cl). assert (0 <= lsum (lsum (fun k => exp (dot d q k))) rest)
      by (apply lsum_nonneg; auto). nra. }
  replace (tau * tau * ((rho - 1) * (rho - 1) / (4 * rho * INR t)))
    with (kappa / INR t * (tau * tau)) by (unfold kappa; field; lra).
  apply Rmult_le_compat_l; [|exact Hsquares].
  apply Rmult_le_pos; [exact Hkappa|left; now apply Rinv_0_lt_compat].
Qed.
End Order1.

(** ** Values *)

Section Values.
Variables (d d_v s : nat) (q : vector) (tokens : list (vector * vector)).   (* keys and values *)
Hypothesis Hs : (1 <= s)%nat.

Definition square (v : vector) : R := rsum d_v (fun c => v c * v c).

(** μ = Σ ‖v‖² *)
Definition mass : R := lsum (fun kv => square (snd kv)) tokens.

(** A slot holds a token with probability ‖v‖²/μ. *)
Definition slot : chances (option (vector * vector)) :=
  reservoir _ (map (fun kv => (square (snd kv), kv)) tokens).

(** What a slot adds to column c: μ/(s‖v‖²) exp(<q,k>) v_c. *)
Definition slot_term (c : nat) (o : option (vector * vector)) : R :=
  match o with
  | Some (k, v) => mass / (INR s * square v) * exp (dot d q k) * v c
  | None => 0
  end.

(** The s slots, independent. *)
Definition slots : chances (list (option (vector * vector))) := independent (repeat slot s).

Lemma square_nonneg v : 0 <= square v.
Proof. apply rsum_nonneg. intros; apply Rle_0_sqr. Qed.

Lemma square_zero v c : square v = 0 -> (c < d_v)%nat -> v c = 0.
Proof.
  intros H Hc. unfold square in H. rewrite (rsum_split d_v c) in H by exact Hc.
  assert (0 <= rsum d_v (fun j => if Nat.eqb j c then 0 else v j * v j)).
  { apply rsum_nonneg. intros j _. destruct (Nat.eqb j c); [lra|apply Rle_0_sqr]. }
  pose proof (Rle_0_sqr (v c)) as H1. unfold Rsqr in H1. assert (v c * v c = 0) by lra. nra.
Qed.

Lemma slot_weights : weights_nonneg _ (map (fun kv => (square (snd kv), kv)) tokens).
Proof. intros i Hi. apply in_map_iff in Hi as (kv & <- & _). apply square_nonneg. Qed.

Lemma slot_proper : proper slot.
Proof. apply reservoir_proper, slot_weights. Qed.

Lemma slots_proper D : In D (repeat slot s) -> proper D.
Proof. intros H. apply repeat_spec in H as ->. apply slot_proper. Qed.

Lemma slot_expectation f :
  mass * expectation slot f = lsum (fun kv => square (snd kv) * f (Some kv)) tokens.
Proof.
  pose proof (reservoir_expectation _ _ f slot_weights) as H. unfold total_weight in H.
  rewrite !lsum_map in H. exact H.
Qed.

Lemma mass_nonneg : 0 <= mass.
Proof. apply lsum_nonneg. intros; apply square_nonneg. Qed.

Lemma mass_zero kv : mass = 0 -> In kv tokens -> square (snd kv) = 0.
Proof.
  intros H Hin.
  pose proof (lsum_ge_term (fun kv => square (snd kv)) tokens kv
    (fun kv' _ => square_nonneg (snd kv')) Hin) as Hle.
  fold mass in Hle. pose proof (square_nonneg (snd kv)). lra.
Qed.

Lemma slot_term_expectation c : (c < d_v)%nat ->
  INR s * expectation slot (slot_term c)
    = lsum (fun kv => exp (dot d q (fst kv)) * snd kv c) tokens.
Proof.
  intros Hc. assert (HS : INR s <> 0) by (apply not_0_INR; lia).
  destruct (Req_dec mass 0) as [E|E].
  - rewrite (expectation_ext slot (slot_term c) (fun _ => 0 * 0)), expectation_scal.
    + rewrite (lsum_ext _ (fun _ => 0)); [rewrite lsum_const; ring|].
      intros kv Hkv. rewrite (square_zero (snd kv) c (mass_zero kv E Hkv) Hc). ring.
    + intros [[k v]|]; simpl; [rewrite E; unfold Rdiv|]; ring.
  - apply (Rmult_eq_reg_l mass); [|exact E].
    replace (mass * (INR s * expectation slot (slot_term c)))
      with (INR s * (mass * expectation slot (slot_term c))) by ring.
    rewrite slot_expectation, <- !lsum_scal. apply lsum_ext. intros [k v] _. simpl.
    destruct (Req_dec (square v) 0) as [Z|Z]; [rewrite Z, (square_zero v c Z Hc); ring|].
    field. auto.
Qed.

(** The numerator is unbiased, column by column. *)
Theorem subgen_values_unbiased c : (c < d_v)%nat ->
  expectation slots (lsum (slot_term c))
    = lsum (fun kv => exp (dot d q (fst kv)) * snd kv c) tokens.
Proof.
  intros Hc. unfold slots. rewrite expectation_independent by apply slots_proper.
  rewrite lsum_repeat. now apply slot_term_expectation.
Qed.

(** E‖z - E z‖² <= (μ/s) Σ exp(<q,k>)². *)
Theorem subgen_values_variance :
  rsum d_v (fun c => variance slots (lsum (slot_term c)))
    <= mass / INR s * lsum (fun kv => exp (dot d q (fst kv)) * exp (dot d q (fst kv))) tokens.
Proof.
  assert (HS : 0 < INR s) by (apply lt_0_INR; lia).
  set (sum2 := lsum _ tokens).
  assert (Hsum2 : 0 <= sum2) by (apply lsum_nonneg; intros; apply Rle_0_sqr).
  apply Rle_trans with
    (rsum d_v (fun c => INR s * expectation slot (fun o => slot_term c o * slot_term c o))).
  - apply rsum_le. intros c _. unfold slots. rewrite variance_independent by apply slots_proper.
    rewrite lsum_repeat. apply Rmult_le_compat_l; [lra|]. apply variance_le_square, slot_proper.
  - rewrite rsum_scal, <- expectation_rsum.
    set (f2 := fun o => rsum d_v (fun c => slot_term c o * slot_term c o)).
    assert (Hf2 : forall k v, f2 (Some (k, v))
      = (mass / (INR s * square v) * exp (dot d q k))
        * (mass / (INR s * square v) * exp (dot d q k)) * square v).
    { intros k v. unfold f2, square. rewrite <- rsum_scal. apply rsum_ext.
      intros c _. unfold slot_term. fold (square v). ring. }
    destruct (Req_dec mass 0) as [E|E].
    + rewrite (expectation_ext slot f2 (fun _ => 0 * 0)), expectation_scal.
      * rewrite E. unfold Rdiv. lra.
      * intros [[k v]|]; [rewrite Hf2, E; unfold Rdiv; ring|].
        unfold f2, slot_term. rewrite (rsum_ext d_v _ (fun _ => 0)), rsum_const by (intros; ring).
        ring.
    + pose proof mass_nonneg. apply (Rmult_le_reg_l mass); [lra|].
      replace (mass * (INR s * expectation slot f2)) with (INR s * (mass * expectation slot f2))
        by ring.
      rewrite slot_expectation.
      replace (mass * (mass / INR s * sum2)) with (INR s * (mass * mass / (INR s * INR s) * sum2))
        by (field; lra).
      apply Rmult_le_compat_l; [lra|]. unfold sum2. rewrite <- lsum_scal.
      apply lsum_le. intros [k v] _. rewrite Hf2. simpl.
      destruct (Req_dec (square v) 0) as [Z|Z].
      * rewrite Z, Rmult_0_l. repeat apply Rmult_le_pos; try apply Rle_0_sqr;
          try (left; apply exp_pos); [lra|lra|]. left. apply Rinv_0_lt_compat. nra.
      * right. field. split; [lra|exact Z].
Qed.
End Values.
