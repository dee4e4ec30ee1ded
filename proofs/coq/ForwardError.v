(** E3 `forward-error`: every operation rounds with a relative error of at most u, exp with one of
    at most eps; an evaluation is off by at most F Σ p |v|. The programs are those of T3. *)
From Coq Require Import Reals Lra Lia Arith List.
From KVFloor Require Import Sums Bits Attention KhatriRao Programs Roundings.
Open Scope R_scope.

(** Whatever the roundings, a query to the two-cache is off by at most F Σ p |V|, with
    1 + F = x² (1+u)^(M+1) / (1-u)^(M-1) and x = exp(((1+u)^d - 1) S̄)/(1-ε). *)
Theorem forward_error u eps M d d_v q K V Sbar out c :
  0 <= u < 1 -> 0 <= eps < 1 -> (1 <= M)%nat -> (c < d_v)%nat -> 0 <= Sbar ->
  (forall t, (t < M)%nat -> rsum d (fun e => Rabs (q e * K t e)) <= Sbar) ->
  rounded u eps (query_two R 0 M d d_v q K V) out ->
  let x := exp (((1 + u) ^ d - 1) * Sbar) / (1 - eps) in
  Rabs (out c - output M (logit d q K) (fun t => V t c))
    <= (x * x * (1 + u) ^ (M + 1) / (1 - u) ^ (M - 1) - 1)
       * output M (logit d q K) (fun t => Rabs (V t c)).
Proof.
  intros Hu Heps HM Hc HSbar HS H x.
  apply (query_error u eps Hu Heps M d d_v q K V K V (fun _ _ => 1) (fun _ => 1) Sbar 0 0 out c);
    auto; intros; (split; [ring|apply factor_0]).
Qed.

(** The same for the four-cache of order 2, products formed first: one more rounding of each key
    and each value. *)
Theorem forward_error_formed u eps n d d_v q K1 K2 V1 V2 Sbar out c :
  0 <= u < 1 -> 0 <= eps < 1 -> (1 <= n)%nat -> (c < d_v)%nat -> 0 <= Sbar ->
  (forall j l, (j < n)%nat -> (l < n)%nat ->
     rsum d (fun e => Rabs (q e * (K1 j e * K2 l e))) <= Sbar) ->
  rounded u eps (query_formed R 0 n d d_v q K1 K2 V1 V2) out ->
  let x := exp (((1 + u) ^ (1 + d) - 1) * Sbar) / (1 - eps) in
  Rabs (out c - attention2 n n d q K1 K2 V1 V2 c)
    <= (x * x * (1 + u) ^ (n * n + 2) / (1 - u) ^ (n * n - 1) - 1)
       * attention2 n n d q K1 K2 (fun j e => Rabs (V1 j e)) (fun l e => Rabs (V2 l e)) c.
Proof.
  intros Hu Heps Hn Hc HSbar HS H x. unfold query_formed in H.
  apply rounded_bind in H as (K' & HK & H). apply rounded_bind in H as (V' & HV & H).
  assert (Hprod : forall m A1 A2 A', rounded u eps (rows R 0 (n * n)
            (fun t => product R 0 m (A1 (t / n)%nat) (A2 (t mod n)%nat))) A' ->
            exists kappa : nat -> nat -> R, forall t e, (t < n * n)%nat -> (e < m)%nat ->
              A' t e = khatri_rao n A1 A2 t e * kappa t e /\ factor u 1 (kappa t e)).
  { intros m A1 A2 A' HA.
    exists (fun t e => if Req_EM_T (khatri_rao n A1 A2 t e) 0 then 1
                       else A' t e / khatri_rao n A1 A2 t e).
    intros t e Ht He. pose proof (rounded_table u eps _ _ _ A' t HA Ht) as H1.
    apply (rounded_table u eps 0 m _ (A' t) e) in H1; [|exact He].
    apply rounded_do in H1 as (delta & Hdelta & E). cbn [result] in E.
    fold (khatri_rao n A1 A2 t e) in E.
    destruct (Req_EM_T (khatri_rao n A1 A2 t e) 0) as [Z|Z].
    - rewrite E. split; [rewrite Z; ring|]. apply (factor_more u Hu 0); [lia|apply factor_0].
    - rewrite E. replace (khatri_rao n A1 A2 t e * (1 + delta) / khatri_rao n A1 A2 t e)
        with (1 + delta) by (field; exact Z).
      split; [reflexivity|]. now apply factor_1. }
  destruct (Hprod d K1 K2 K' HK) as (kappa & Hkappa).
  destruct (Hprod d_v V1 V2 V' HV) as (nu & Hnu).
  pose proof (query_error u eps Hu Heps (n * n) d d_v q (khatri_rao n K1 K2) (khatri_rao n V1 V2)
    K' V' kappa (fun t => nu t c) Sbar 1 1 out c ltac:(nia) Hc HSbar Hkappa
    (fun t Ht => Hnu t c Ht Hc)) as Herr.
  assert (Hlogit : forall t, logit d q (khatri_rao n K1 K2) t
            = logit2 d q K1 K2 (t / n) (t mod n)).
  { intros t. unfold logit, logit2, khatri_rao. apply rsum_ext; intros; ring. }
  assert (Hflat : forall W1 W2 w, (forall t, w t = khatri_rao n W1 W2 t c) ->
            output (n * n) (logit d q (khatri_rao n K1 K2)) w = attention2 n n d q K1 K2 W1 W2 c).
  { intros W1 W2 w Hw. rewrite attention2_pair, pair_attention_flat. unfold output, weight.
    rewrite (rsum_ext (n * n) (fun l => exp (logit d q (khatri_rao n K1 K2) l)) _
      (fun t _ => f_equal exp (Hlogit t))).
    apply rsum_ext. intros t _. rewrite Hlogit, Hw. reflexivity. }
  rewrite (Hflat V1 V2) in Herr by reflexivity.
  rewrite (Hflat (fun j e => Rabs (V1 j e)) (fun l e => Rabs (V2 l e))) in Herr
    by (intros; unfold khatri_rao; apply Rabs_mult).
  replace (n * n + 2)%nat with (1 + n * n + 1)%nat by lia. apply Herr; [|exact H].
  intros t Ht. apply HS; [apply Nat.div_lt_upper_bound|apply Nat.mod_upper_bound]; lia.
Qed.

(** k roundings change a number by γ_k = ku/(1-ku) at most. *)
Theorem forward_error_gamma u k : 0 <= u -> INR k * u < 1 ->
  (1 + u) ^ k <= 1 + INR k * u / (1 - INR k * u) /\ 1 - INR k * u <= (1 - u) ^ k.
Proof.
  intros Hu Hk.
  assert (Hlow : forall j, (j <= k)%nat -> 1 - INR j * u <= (1 - u) ^ j /\
                 (1 + u) ^ j * (1 - INR j * u) <= 1).
  { induction j as [|j IH]; intros Hj; [simpl; lra|].
    destruct IH as [H1 H2]; [lia|]. rewrite S_INR.
    assert (Hju : (INR j + 1) * u < 1).
    { eapply Rle_lt_trans; [|exact Hk]. apply Rmult_le_compat_r; [exact Hu|].
      rewrite <- S_INR. apply le_INR. lia. }
    pose proof (pos_INR j) as Hj0. assert (0 <= INR j * u) by (apply Rmult_le_pos; lra).
    assert (Hp : 0 < (1 + u) ^ j) by (apply pow_lt; lra). simpl pow. split.
    - assert (u < 1) by nra. assert (0 <= 1 - u) by lra.
      assert ((1 - u) * (1 - INR j * u) <= (1 - u) * (1 - u) ^ j)
        by (apply Rmult_le_compat_l; assumption). nra.
    - assert ((1 + u) ^ j * ((1 + u) * (1 - (INR j + 1) * u)) <= (1 + u) ^ j * (1 - INR j * u))
        by (apply Rmult_le_compat_l; nra). lra. }
  destruct (Hlow k ltac:(lia)) as [H1 H2]. split; [|exact H1].
  replace (1 + INR k * u / (1 - INR k * u)) with (1 / (1 - INR k * u)) by (field; lra).
  apply (Rmult_le_reg_r (1 - INR k * u)); [lra|].
  replace (1 / (1 - INR k * u) * (1 - INR k * u)) with 1 by (field; lra). exact H2.
Qed.
