(** T4 `low-dimension`: where ‖q‖‖k‖ <= ρ the floor is d_v min(n, A), A the size of a spherical
    code that ρ tells apart; A may be exponential in d. *)
From Coq Require Import Reals Lra Lia Arith List.
From KVFloor Require Import Sums Attention Guarantee Entropy DecodeThreshold Serves Keys KeysInner
  SignKeys FourCacheOrder FourCacheKeys.
Open Scope R_scope.

Lemma margin_limit_mono n n' eta alpha : guarantee eta alpha -> (n <= n')%nat ->
  margin_limit (INR (n - 1)) eta alpha <= margin_limit (INR (n' - 1)) eta alpha.
Proof.
  intros Hg Hn. destruct (le_lt_dec n 1) as [H1|H1].
  - replace (n - 1)%nat with (1 - 1)%nat by lia.
    replace (margin_limit (INR (1 - 1)) eta alpha) with 0.
    + now apply margin_limit_nonneg.
    + unfold margin_limit. simpl. replace (0 * _ / _) with 0 by (destruct Hg; field; lra).
      unfold ln. destruct (Rlt_dec 0 0) as [H|H]; [exfalso; lra|reflexivity].
  - pose proof (ratio_pos eta alpha Hg) as Hr. unfold margin_limit.
    assert (0 < INR (n - 1)) by (apply lt_0_INR; lia).
    assert (INR (n - 1) <= INR (n' - 1)) by (apply le_INR; lia).
    unfold Rdiv in *. apply ln_le; rewrite ?Rmult_assoc; [now apply Rmult_lt_0_compat|].
    apply Rmult_le_compat_r; [lra|assumption].
Qed.

(** The first min(n, A) words of the code serve as keys, of norm 1, and queries have norm ρ. *)
Theorem low_dimension n A m d d_v eta alpha rho c K :
  guarantee eta alpha -> (1 <= m)%nat -> 0 <= rho ->
  (forall i, (i < A)%nat -> dot d K i i = 1) ->
  (forall i j, (i < A)%nat -> (j < A)%nat -> j <> i -> dot d K i j <= c) ->
  rho * (1 - c) > margin_limit (INR (A - 1)) eta alpha ->
  exact_floor (min n A) m d d_v eta alpha K (key_query rho K) /\
  (forall i, (i < A)%nat ->
     rsum d (fun e => key_query rho K i e * key_query rho K i e) = rho * rho).
Proof.
  intros Hg Hm Hr H1 Hc HL.
  pose proof (margin_limit_mono (min n A) A eta alpha Hg ltac:(lia)). split.
  - apply four_cache_spherical with c; auto; [|intros; apply Hc|lra]; intros; try apply H1; lia.
  - intros i Hi. now apply (keys_spherical A d K rho c Hr H1 Hc).
Qed.

(** With ρ = κ d, signs give every A < e^(ε² d / 2) / 2 once κ (1 - ε) >= ε²/2 + ln(r)/d,
    r = (1+η+2α)/(1-η-2α): the floor is d_v min(n, e^Ω(d)). *)
Theorem low_dimension_exponential n A m d d_v eta alpha kappa eps :
  guarantee eta alpha -> (1 <= m)%nat -> 0 <= kappa -> 0 < eps -> (1 <= d)%nat ->
  2 * INR A < exp (eps * eps * INR d / 2) ->
  kappa * (1 - eps) * INR d
    >= eps * eps * INR d / 2 + ln ((1 + eta + 2 * alpha) / (1 - eta - 2 * alpha)) ->
  exists K, sign_matrix K /\
    exact_floor (min n A) m d d_v eta alpha K (key_query kappa K) /\
    (forall i, rsum d (fun c => K i c * K i c) = INR d) /\
    (forall i, rsum d (fun c => key_query kappa K i c * key_query kappa K i c)
               = kappa * kappa * INR d).
Proof.
  intros Hg Hm Hk Heps Hd HA HL.
  assert (Hpos : kappa * (1 - eps) * INR d > 0).
  { assert (0 <= ln ((1 + eta + 2 * alpha) / (1 - eta - 2 * alpha))).
    { destruct Hg as (He & Ha & Hea). rewrite <- ln_1. apply ln_le; [lra|].
      apply (Rmult_le_reg_r (1 - eta - 2 * alpha)); [lra|]. unfold Rdiv.
      rewrite Rmult_assoc, Rinv_l by lra. lra. }
    apply le_INR in Hd. simpl in Hd. nra. }
  assert (HA' : INR A * (2 * exp (- (eps * eps * INR d / 2))) < 1).
  { rewrite exp_Ropp. pose proof (exp_pos (eps * eps * INR d / 2)).
    apply (Rmult_lt_reg_r (exp (eps * eps * INR d / 2))); [lra|].
    replace (INR A * (2 * / exp (eps * eps * INR d / 2)) * exp (eps * eps * INR d / 2))
      with (2 * INR A) by (field; lra). lra. }
  destruct (sign_keys A d eps (Rlt_le _ _ Heps) HA') as (l & <- & Hl).
  set (K := fun j c => sign (List.nth c (List.nth j l nil) false) : R).
  assert (Hsign : sign_matrix K).
  { intros j c. unfold K, sign. destruct (List.nth c _ false); auto. }
  assert (Hsq : forall j c, K j c * K j c = 1).
  { intros j c. destruct (Hsign j c) as [-> | ->]; ring. }
  exists K. split; [exact Hsign|]. split; [|split].
  - set (A := length l) in *.
    apply four_cache_margin with (kappa * ((1 - eps) * INR d)); auto.
    + intros i Hi j Hj Hne.
      apply (sign_keys_margin d eps l kappa i Hk Hl); [|fold A|exact Hne]; fold A; lia.
    + pose proof (margin_limit_mono (min n A) A eta alpha Hg ltac:(lia)) as Hmono.
      assert (margin_limit (INR (A - 1)) eta alpha < kappa * (1 - eps) * INR d); [|lra].
      destruct (le_lt_dec A 1) as [H1|H1].
      * replace (A - 1)%nat with 0%nat by lia. unfold margin_limit. simpl.
        replace (0 * _ / _) with 0 by (destruct Hg; field; lra).
        unfold ln. destruct (Rlt_dec 0 0) as [H|H]; [exfalso; lra|lra].
      * pose proof (ratio_pos eta alpha Hg) as Hr. unfold margin_limit.
        assert (Hpos1 : 0 < INR (A - 1)) by (apply lt_0_INR; lia).
        unfold Rdiv at 1. rewrite Rmult_assoc, ln_mult by assumption.
        assert (ln (INR (A - 1)) < eps * eps * INR d / 2).
        { rewrite <- (ln_exp (eps * eps * INR d / 2)). apply ln_increasing; [exact Hpos1|].
          assert (INR (A - 1) <= INR A) by (apply le_INR; lia). lra. }
        unfold Rdiv in HL at 2. lra.
  - intros i. rewrite (rsum_ext d _ (fun _ => 1)); [rewrite rsum_const; ring|].
    intros c _. apply Hsq.
  - intros i. unfold key_query.
    rewrite (rsum_ext d _ (fun _ => kappa * kappa)); [rewrite rsum_const; ring|].
    intros c _. transitivity (kappa * kappa * (K i c * K i c)); [ring|]. rewrite Hsq. ring.
Qed.
