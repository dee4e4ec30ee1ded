(** U4 `subgen-four-cache`: clusters of K_1 and of K_2 sampled separately and combined by the
    query; values of V_1 and of V_2 likewise. *)
From Coq Require Import Reals Lra Lia Arith List.
From KVFloor Require Import Sums Norms Chance Reservoir CoveringNumber Subgen.
Import ListNotations.
Open Scope R_scope.

(** A sample of a cluster, with the number of keys that it stands for. *)
Definition counted (cluster : list vector) (o : option vector) : R * vector :=
  match o with Some k => (INR (length cluster), k) | None => (0, fun _ => 0) end.

(** One sample of every cluster of a slot. *)
Definition one_each (clusters : list (list vector)) : chances (list (R * vector)) :=
  independent (map (fun cluster => drawn (counted cluster) (reservoir _ (equally cluster))) clusters).

Section FourCache.
Variables (d t : nat) (q : vector) (clusters1 clusters2 : list (list vector)).
Hypothesis Ht : (1 <= t)%nat.
Hypothesis Hne1 : forall cluster, In cluster clusters1 -> cluster <> [].
Hypothesis Hne2 : forall cluster, In cluster clusters2 -> cluster <> [].

(** n_A n_B exp(<q, k∘l>), for samples k of A and l of B. *)
Definition pair_term (a b : R * vector) : R := fst a * fst b * exp (dot d q (mul (snd a) (snd b))).

(** The sum over all pairs of clusters. *)
Definition combined (l1 l2 : list (R * vector)) : R :=
  lsum (fun a => lsum (fun b => pair_term a b) l2) l1.

(** One slot's estimate T of τ, and the mean of t independent ones. *)
Definition one_slot : chances R :=
  after (one_each clusters1) (fun l1 => after (one_each clusters2) (fun l2 =>
    surely (combined l1 l2))).
Definition four_normaliser : chances (list R) :=
  independent (repeat (drawn (fun x => / INR t * x) one_slot) t).

(** τ = Σ exp(<q, k∘l>) over all pairs of keys. *)
Definition pair_exps (A B : list vector) : R :=
  lsum (fun k => lsum (fun l => exp (dot d q (mul k l))) B) A.
Definition four_tau : R := pair_exps (concat clusters1) (concat clusters2).

Lemma one_each_members_proper clusters D :
  In D (map (fun cluster => drawn (counted cluster) (reservoir _ (equally cluster))) clusters) ->
  proper D.
Proof.
  intros H. apply in_map_iff in H as (cluster & <- & _).
  apply drawn_proper, reservoir_proper, equally_nonneg.
Qed.

Lemma one_each_proper clusters : proper (one_each clusters).
Proof. apply proper_independent. intros D. apply one_each_members_proper. Qed.

Lemma one_each_expectation clusters f :
  (forall cluster, In cluster clusters -> cluster <> []) ->
  expectation (one_each clusters) (lsum f)
    = lsum (fun cluster => lsum (fun k => f (INR (length cluster), k)) cluster
                           / INR (length cluster)) clusters.
Proof.
  intros H. unfold one_each.
  rewrite expectation_independent by (intros D; apply one_each_members_proper).
  rewrite lsum_map. apply lsum_ext. intros cluster Hc.
  rewrite drawn_expectation, equally_expectation by now apply H. reflexivity.
Qed.

Lemma one_slot_proper : proper one_slot.
Proof.
  apply proper_after; [apply one_each_proper|]. intros l1.
  apply proper_after; [apply one_each_proper|]. intros l2. apply proper_surely.
Qed.

Lemma length_nonzero (cluster : list vector) : cluster <> [] -> INR (length cluster) <> 0.
Proof. intros H. apply not_0_INR. destruct cluster; simpl; congruence. Qed.

Lemma one_slot_unbiased : expectation one_slot (fun x => x) = four_tau.
Proof.
  unfold one_slot. rewrite expectation_after.
  (* over the samples of slot 2, given those of slot 1 *)
  set (inner := fun a : R * vector => fst a *
    lsum (fun B => lsum (fun l => exp (dot d q (mul (snd a) l))) B) clusters2).
  rewrite (expectation_ext (one_each clusters1) _ (lsum inner)).
  - rewrite one_each_expectation by exact Hne1. unfold four_tau, pair_exps.
    rewrite lsum_concat. apply lsum_ext. intros A HA. unfold inner. simpl.
    rewrite lsum_scal.
    rewrite (lsum_ext (fun k => lsum (fun l => exp (dot d q (mul k l))) (concat clusters2))
      (fun k => lsum (fun B => lsum (fun l => exp (dot d q (mul k l))) B) clusters2))
      by (intros; apply lsum_concat).
    field. now apply length_nonzero, Hne1.
  - intros l1. rewrite expectation_after.
    rewrite (expectation_ext _ _ (lsum (fun b => lsum (fun a => pair_term a b) l1))).
    + rewrite one_each_expectation by exact Hne2. unfold inner.
      rewrite (lsum_ext (fun a => fst a * _)
        (fun a => lsum (fun B =>
          fst a * lsum (fun l => exp (dot d q (mul (snd a) l))) B) clusters2) l1)
        by (intros; symmetry; apply lsum_scal).
      rewrite lsum_swap. apply lsum_ext. intros B HB.
      set (e := fun a l => fst a * exp (dot d q (mul (snd a) l))).
      transitivity (INR (length B) * lsum (fun l => lsum (fun a => e a l) l1) B / INR (length B)).
      * unfold Rdiv. f_equal. rewrite <- lsum_scal. apply lsum_ext. intros l _.
        rewrite <- lsum_scal. apply lsum_ext. intros a _. unfold pair_term, e. simpl. ring.
      * rewrite lsum_swap. transitivity (lsum (fun a => lsum (fun l => e a l) B) l1).
        -- field. now apply length_nonzero, Hne2.
        -- apply lsum_ext. intros a _. apply lsum_scal.
    + intros l2. rewrite expectation_surely. unfold combined. apply lsum_swap.
Qed.

Lemma four_proper D : In D (repeat (drawn (fun x => / INR t * x) one_slot) t) -> proper D.
Proof. intros H. apply repeat_spec in H as ->. apply drawn_proper, one_slot_proper. Qed.

(** The normaliser is unbiased. *)
Theorem subgen_four_cache_unbiased : expectation four_normaliser added = four_tau.
Proof.
  unfold four_normaliser, added. rewrite expectation_independent by apply four_proper.
  rewrite lsum_repeat, drawn_expectation, expectation_scal, one_slot_unbiased. field.
  apply not_0_INR. lia.
Qed.

(** ** Variance *)

(** What is sampled is almost surely a key of the cluster. *)
Definition sample_of (cluster : list vector) (o : R * vector) : Prop :=
  fst o = INR (length cluster) /\ In (snd o) cluster.

Lemma one_each_almost clusters : (forall cluster, In cluster clusters -> cluster <> []) ->
  almost_surely (one_each clusters) (fun l => Forall2 sample_of clusters l).
Proof.
  intros H.
  assert (H2 : Forall2 almost_surely
    (map (fun cluster => drawn (counted cluster) (reservoir _ (equally cluster))) clusters)
    (map sample_of clusters)).
  { induction clusters as [|cluster rest IH]; constructor; [|apply IH; intros; apply H; now right].
    apply (almost_after _ _ (fun o => exists k, o = Some k /\ In k cluster)).
    - apply reservoir_almost.
      + specialize (H cluster (or_introl eq_refl)). destruct cluster; [congruence|discriminate].
      + intros i Hi. apply in_map_iff in Hi as (k & <- & _). simpl. lra.
      + intros i Hi. apply in_map_iff in Hi as (k & <- & Hk). exists k. auto.
    - intros o (k & -> & Hk). apply almost_surely_one. split; [reflexivity|exact Hk]. }
  intros o Ho. destruct (almost_independent _ _ H2 o Ho) as [E|HF]; [now left|right].
  clear - HF. revert HF. generalize (snd o). induction clusters as [|cl rest IH]; intros l HF;
    inversion HF; subst; constructor; auto.
Qed.

Lemma lsum_Forall2 {X Y} (f : X -> R) (g : Y -> R) (P : X -> Y -> Prop) l l' :
  (forall x y, In x l -> P x y -> f x <= g y) -> Forall2 P l l' -> lsum f l <= lsum g l'.
Proof.
  intros H HF. induction HF as [|x y l l' Hxy HF IH]; simpl; [lra|].
  apply Rplus_le_compat; [apply H; [now left|exact Hxy]|apply IH; intros; apply H; auto; now right].
Qed.

Lemma lsum_Forall2_ge {X Y} (f : X -> R) (g : Y -> R) (P : X -> Y -> Prop) l l' :
  (forall x y, In x l -> P x y -> g y <= f x) -> Forall2 P l l' -> lsum g l' <= lsum f l.
Proof.
  intros H HF. induction HF as [|x y l l' Hxy HF IH]; simpl; [lra|].
  apply Rplus_le_compat; [apply H; [now left|exact Hxy]|apply IH; intros; apply H; auto; now right].
Qed.

(** Any two exponentials of one pair of clusters differ by a factor of at most ϱ. *)
Definition within_ratio (rho : R) : Prop := forall A B k l k' l',
  In A clusters1 -> In B clusters2 -> In k A -> In k' A -> In l B -> In l' B ->
  exp (dot d q (mul k l)) <= rho * exp (dot d q (mul k' l')).

Lemma sample_between rho A B a b : within_ratio rho -> 0 < rho ->
  In A clusters1 -> In B clusters2 -> sample_of A a -> sample_of B b ->
  pair_term a b <= rho * pair_exps A B /\ pair_exps A B <= rho * pair_term a b.
Proof.
  intros Hrho Hpos HA HB [Ea Ia] [Eb Ib]. unfold pair_term, pair_exps. rewrite Ea, Eb.
  set (x := exp (dot d q (mul (snd a) (snd b)))).
  assert (Hconst : forall c, lsum (fun _ : vector => lsum (fun _ : vector => c) B) A
                             = INR (length A) * INR (length B) * c)
    by (intros; rewrite lsum_const, lsum_const; ring).
  split.
  - rewrite <- Hconst, <- lsum_scal. apply lsum_le. intros k Hk. rewrite <- lsum_scal.
    apply lsum_le. intros l Hl. now apply (Hrho A B).
  - rewrite <- Hconst. rewrite <- lsum_scal. apply lsum_le. intros k Hk. rewrite <- lsum_scal.
    apply lsum_le. intros l Hl. now apply (Hrho A B).
Qed.

Lemma combined_between rho l1 l2 : within_ratio rho -> 0 < rho ->
  Forall2 sample_of clusters1 l1 -> Forall2 sample_of clusters2 l2 ->
  combined l1 l2 <= rho * four_tau /\ four_tau <= rho * combined l1 l2.
Proof.
  intros Hrho Hpos H1 H2.
  assert (Htau : four_tau = lsum (fun A => lsum (fun B => pair_exps A B) clusters2) clusters1).
  { unfold four_tau, pair_exps. rewrite lsum_concat. apply lsum_ext. intros A _.
    rewrite lsum_swap. rewrite lsum_concat. apply lsum_ext. intros B _. apply lsum_swap. }
  rewrite Htau. unfold combined. split; rewrite <- lsum_scal.
  - apply (lsum_Forall2_ge _ _ sample_of _ _) with (2 := H1). intros A a HA Ha.
    rewrite <- lsum_scal. apply (lsum_Forall2_ge _ _ sample_of _ _) with (2 := H2).
    intros B b HB Hb. now apply (sample_between rho A B a b).
  - apply (lsum_Forall2 _ _ sample_of _ _) with (2 := H1). intros A a HA Ha.
    rewrite <- lsum_scal. apply (lsum_Forall2 _ _ sample_of _ _) with (2 := H2).
    intros B b HB Hb. now apply (sample_between rho A B a b).
Qed.

Lemma one_slot_variance rho : within_ratio rho -> 1 <= rho ->
  variance one_slot (fun x => x) <= four_tau * four_tau * ((rho - 1) * (rho - 1) / rho).
Proof.
  intros Hrho H1.
  pose proof (bhatia_davis one_slot (fun x => x) (four_tau / rho) (rho * four_tau)
    one_slot_proper) as H. rewrite one_slot_unbiased in H. eapply Rle_trans; [apply H|].
  - apply expectation_nonneg; [apply one_slot_proper|].
    apply (almost_after _ _ _ _ (one_each_almost clusters1 Hne1)). intros l1 Hl1.
    apply (almost_after _ _ _ _ (one_each_almost clusters2 Hne2)). intros l2 Hl2.
    apply almost_surely_one.
    destruct (combined_between rho l1 l2 Hrho ltac:(lra) Hl1 Hl2) as [Hhi Hlo].
    apply Rmult_le_pos; [lra|].
    assert (four_tau / rho <= combined l1 l2); [|lra].
    apply (Rmult_le_reg_l rho); [lra|].
    replace (rho * (four_tau / rho)) with four_tau by (field; lra). exact Hlo.
  - right. field. lra.
Qed.

(** Var τ <= τ² (ϱ-1)²/(ϱt) with ϱ = exp(2 r (R_2 δ_1 + R_1 δ_2)). *)
Theorem subgen_four_cache_variance r R1 R2 delta1 delta2 :
  0 <= delta1 -> 0 <= delta2 -> 0 <= R1 -> 0 <= R2 -> norm2 d q <= r ->
  (forall A, In A clusters1 -> exists centre, forall k, In k A ->
     norm2 d (sub k centre) <= delta1) ->
  (forall B, In B clusters2 -> exists centre, forall l, In l B ->
     norm2 d (sub l centre) <= delta2) ->
  (forall A k, In A clusters1 -> In k A -> norm_sup d k <= R1) ->
  (forall B l, In B clusters2 -> In l B -> norm_sup d l <= R2) ->
  let rho := exp (2 * r * (R2 * delta1 + R1 * delta2)) in
  variance four_normaliser added
    <= four_tau * four_tau * ((rho - 1) * (rho - 1) / (rho * INR t)).
Proof.
  intros Hd1 Hd2 HR1 HR2 Hr HC1 HC2 HS1 HS2 rho.
  assert (HT : 0 < INR t) by (apply lt_0_INR; lia).
  pose proof (norm2_nonneg d q) as Hq.
  assert (Hradius : 0 <= R2 * delta1 + R1 * delta2) by (apply Rplus_le_le_0_compat; nra).
  assert (Hrho1 : 1 <= rho).
  { unfold rho. pose proof (exp_ineq1_le (2 * r * (R2 * delta1 + R1 * delta2))).
    assert (0 <= 2 * r * (R2 * delta1 + R1 * delta2)) by (apply Rmult_le_pos; lra). lra. }
  assert (Hrho : within_ratio rho).
  { intros A B k l k' l' HA HB Hk Hk' Hl Hl'. unfold rho. rewrite <- exp_plus.
    assert (Hgap : norm2 d (sub (mul k l) (mul k' l')) <= 2 * (R2 * delta1 + R1 * delta2)).
    { destruct (HC1 A HA) as (z & Hz). destruct (HC2 B HB) as (y & Hy).
      assert (Hdist : forall x x' w delta, norm2 d (sub x w) <= delta ->
                norm2 d (sub x' w) <= delta -> norm2 d (sub x x') <= 2 * delta).
      { intros x x' w delta Hx Hx'.
        rewrite (norm2_ext d (sub x x') (fun c => sub x w c + -1 * sub x' w c))
          by (intros; unfold sub; ring).
        eapply Rle_trans; [apply norm2_triangle|].
        assert (E : norm2 d (fun c => -1 * sub x' w c) = norm2 d (sub x' w)).
        { unfold norm2. f_equal. apply rsum_ext; intros; ring. }
        rewrite E. lra. }
      eapply Rle_trans; [apply covering_number_product|].
      assert (norm2 d (sub k k') * norm_sup d l <= 2 * delta1 * R2).
      { apply Rmult_le_compat; [apply norm2_nonneg|apply norm_sup_nonneg| |now apply (HS2 B)].
        now apply (Hdist k k' z); apply Hz. }
      assert (norm_sup d k' * norm2 d (sub l l') <= R1 * (2 * delta2)).
      { apply Rmult_le_compat; [apply norm_sup_nonneg|apply norm2_nonneg|now apply (HS1 A)|].
        now apply (Hdist l l' y); apply Hy. }
      lra. }
    assert (Hdot : dot d q (mul k l) - dot d q (mul k' l')
                   <= r * (2 * (R2 * delta1 + R1 * delta2))).
    { replace (dot d q (mul k l) - dot d q (mul k' l'))
        with (rsum d (fun c => q c * sub (mul k l) (mul k' l') c)).
      - eapply Rle_trans; [apply cauchy_schwarz|].
        apply Rmult_le_compat; [exact Hq|apply norm2_nonneg|exact Hr|exact Hgap].
      - unfold dot, sub. rewrite (rsum_ext d (fun c => q c * (mul k l c - mul k' l' c))
          (fun c => q c * mul k l c + -1 * (q c * mul k' l' c))) by (intros; ring).
        rewrite rsum_plus, rsum_scal. ring. }
    destruct (Req_dec (dot d q (mul k l))
      (2 * r * (R2 * delta1 + R1 * delta2) + dot d q (mul k' l'))) as [->|Hneq]; [lra|].
    left. apply exp_increasing. lra. }
  unfold four_normaliser, added. rewrite variance_independent by apply four_proper.
  rewrite lsum_repeat, drawn_variance, variance_scal.
  pose proof (one_slot_variance rho Hrho Hrho1) as HV.
  apply (Rmult_le_compat_l (/ INR t)) in HV; [|left; now apply Rinv_0_lt_compat].
  eapply Rle_trans; [|eapply Rle_trans; [exact HV|]]; right; field; lra.
Qed.
End FourCache.
