(** S2 `quantised-upper-bound`: rounding keys and values moves an output by at most
    B_v^m ε_s + m B_v^(m-1) ε_v, for every order m; a cache of rounded entries. *)
From Coq Require Import Reals Lra Lia Arith List.
From Coquelicot Require Import Coquelicot.
From KVFloor Require Import Sums Attention Tuples Guarantee Rounded.
Import ListNotations.
Open Scope R_scope.

(** ** Logits that move by at most ε *)

(** (x-1)/(x+1) <= ε/2 for x = exp(ε): tanh(ε/2) is at most ε/2. *)
Lemma tanh_half eps : 0 <= eps -> (exp eps - 1) / (exp eps + 1) <= eps / 2.
Proof.
  intros Heps. pose proof (exp_pos eps).
  assert (H0 : 2 * (exp eps - 1) - eps * (exp eps + 1) <= 0).
  { destruct Heps as [Heps|<-]; [|rewrite exp_0; lra].
    destruct (MVT_cor2 (fun t => 2 * (exp t - 1) - t * (exp t + 1))
      (fun t => exp t * (1 - t) - 1) 0 eps Heps) as (t & Ht & Ht2).
    - intros t _. apply is_derive_Reals. auto_derive; [auto|ring].
    - cbv beta in Ht. rewrite exp_0 in Ht.
      assert (exp t * (1 - t) <= 1).
      { pose proof (exp_ineq1_le (- t)). pose proof (exp_pos t).
        assert (exp t * exp (- t) = 1) by (rewrite <- exp_plus, Rplus_opp_r; apply exp_0).
        assert (exp t * (1 - t) <= exp t * exp (- t)) by (apply Rmult_le_compat_l; lra). lra. }
      assert ((exp t * (1 - t) - 1) * (eps - 0) <= 0) by nra. lra. }
  apply (Rmult_le_reg_r (exp eps + 1)); [lra|].
  replace ((exp eps - 1) / (exp eps + 1) * (exp eps + 1)) with (exp eps - 1) by (field; lra). lra.
Qed.

(** A share A / (A + C) grows by at most (x-1)/(x+1) if A grows and C shrinks x-fold at most. *)
Lemma share_moves x A C A' C' :
  1 <= x -> 0 <= A -> 0 <= C -> 0 < A + C -> 0 <= A' -> 0 <= C' -> 0 < A' + C' ->
  A' <= x * A -> C <= x * C' -> A' / (A' + C') - A / (A + C) <= (x - 1) / (x + 1).
Proof.
  intros Hx HA HC HAC HA' HC' HAC' H1 H2. set (P := A / (A + C)).
  assert (HP : 0 <= P) by (apply Rmult_le_pos; [lra|left; apply Rinv_0_lt_compat; lra]).
  assert (HP1 : P <= 1).
  { apply (Rmult_le_reg_r (A + C)); [lra|]. unfold P.
    replace (A / (A + C) * (A + C)) with A by (field; lra). lra. }
  assert (HD : 0 < x * x * P + (1 - P)).
  { assert (1 * P <= x * x * P) by (apply Rmult_le_compat_r; nra). nra. }
  assert (Hup : A' / (A' + C') <= x * x * P / (x * x * P + (1 - P))).
  { apply (Rmult_le_reg_r (A' + C')); [lra|].
    replace (A' / (A' + C') * (A' + C')) with A' by (field; lra).
    apply (Rmult_le_reg_r (x * x * P + (1 - P))); [lra|].
    replace (x * x * P / (x * x * P + (1 - P)) * (A' + C') * (x * x * P + (1 - P)))
      with (x * x * P * (A' + C')) by (field; lra).
    apply (Rmult_le_reg_r (A + C)); [lra|].
    replace (A' * (x * x * P + (1 - P)) * (A + C)) with (A' * (x * x * A + C))
      by (unfold P; field; lra).
    replace (x * x * P * (A' + C') * (A + C)) with (x * x * A * (A' + C'))
      by (unfold P; field; lra).
    assert (A' * C <= x * A * (x * C')) by (apply Rmult_le_compat; lra). lra. }
  assert (Hmax : x * x * P / (x * x * P + (1 - P)) - P <= (x - 1) / (x + 1)); [|lra].
  apply (Rmult_le_reg_r (x * x * P + (1 - P))); [lra|].
  replace ((x * x * P / (x * x * P + (1 - P)) - P) * (x * x * P + (1 - P)))
    with (P * (1 - P) * (x * x - 1)) by (field; lra).
  apply (Rmult_le_reg_r (x + 1)); [lra|].
  replace ((x - 1) / (x + 1) * (x * x * P + (1 - P)) * (x + 1))
    with ((x - 1) * (x * x * P + (1 - P))) by (field; lra).
  assert (0 <= (x - 1) * ((P * (x + 1) - 1) * (P * (x + 1) - 1)))
    by (apply Rmult_le_pos; [lra|apply Rle_0_sqr]).
  lra.
Qed.

(** If logits move by at most ε, a mean of values in [0, 1] moves by at most tanh(ε/2). *)
Lemma mean_moves {X} (l : list X) s s' w eps :
  l <> [] -> 0 <= eps -> (forall t, In t l -> Rabs (s' t - s t) <= eps) ->
  (forall t, In t l -> 0 <= w t <= 1) ->
  tuple_output l s' w - tuple_output l s w <= (exp eps - 1) / (exp eps + 1).
Proof.
  intros Hl Heps Hs Hw.
  assert (Hshare : forall s0, tuple_output l s0 w
    = lsum (fun t => exp (s0 t) * w t) l
      / (lsum (fun t => exp (s0 t) * w t) l + lsum (fun t => exp (s0 t) * (1 - w t)) l)).
  { intros s0. rewrite <- lsum_plus.
    rewrite (lsum_ext (fun t => exp (s0 t) * w t + exp (s0 t) * (1 - w t)) (fun t => exp (s0 t)))
      by (intros; ring).
    unfold tuple_output, tuple_weight, Rdiv. rewrite <- lsum_scal_r.
    apply lsum_ext; intros; ring. }
  assert (Hpos : forall s0, 0 < lsum (fun t => exp (s0 t) * w t) l
                              + lsum (fun t => exp (s0 t) * (1 - w t)) l).
  { intros s0. rewrite <- lsum_plus.
    rewrite (lsum_ext (fun t => exp (s0 t) * w t + exp (s0 t) * (1 - w t)) (fun t => exp (s0 t)))
      by (intros; ring).
    now apply exps_pos. }
  assert (Hle : forall a b, a - b <= eps -> exp a <= exp eps * exp b).
  { intros a b H. rewrite <- exp_plus.
    destruct (Req_dec a (eps + b)) as [->|]; [lra|]. left. apply exp_increasing. lra. }
  assert (Hterm : forall s0 t, In t l -> 0 <= exp (s0 t) * w t /\ 0 <= exp (s0 t) * (1 - w t)).
  { intros s0 t Ht. pose proof (exp_pos (s0 t)). destruct (Hw t Ht). nra. }
  rewrite !Hshare. apply share_moves; auto.
  - pose proof (exp_ineq1_le eps). lra.
  - apply lsum_nonneg. intros t Ht. now apply Hterm.
  - apply lsum_nonneg. intros t Ht. now apply Hterm.
  - apply lsum_nonneg. intros t Ht. now apply Hterm.
  - apply lsum_nonneg. intros t Ht. now apply Hterm.
  - rewrite <- lsum_scal. apply lsum_le. intros t Ht. rewrite <- Rmult_assoc.
    apply Rmult_le_compat_r; [now apply Hw|]. apply Hle.
    specialize (Hs t Ht). apply Rabs_le_inv in Hs. lra.
  - rewrite <- lsum_scal. apply lsum_le. intros t Ht. rewrite <- Rmult_assoc.
    apply Rmult_le_compat_r; [destruct (Hw t Ht); lra|]. apply Hle.
    specialize (Hs t Ht). apply Rabs_le_inv in Hs. lra.
Qed.

(** Values within ±B: the output moves by at most 2 B tanh(ε/2), so by at most B ε. *)
Theorem quantised_upper_bound_logits {X} (l : list X) s s' v B eps :
  l <> [] -> 0 < B -> 0 <= eps -> (forall t, In t l -> Rabs (s' t - s t) <= eps) ->
  (forall t, In t l -> Rabs (v t) <= B) ->
  Rabs (tuple_output l s' v - tuple_output l s v)
    <= 2 * B * ((exp eps - 1) / (exp eps + 1)) <= B * eps.
Proof.
  intros Hl HB Heps Hs Hv.
  set (w := fun t => (v t + B) / (2 * B)).
  assert (Hw : forall t, In t l -> 0 <= w t <= 1).
  { intros t Ht. specialize (Hv t Ht). apply Rabs_le_inv in Hv. unfold w. split.
    - apply Rmult_le_pos; [lra|left; apply Rinv_0_lt_compat; lra].
    - apply (Rmult_le_reg_r (2 * B)); [lra|].
      replace ((v t + B) / (2 * B) * (2 * B)) with (v t + B) by (field; lra). lra. }
  assert (Haffine : forall s0, tuple_output l s0 v = 2 * B * tuple_output l s0 w - B).
  { intros s0. pose proof (tuple_weight_total l s0 Hl) as HT. unfold tuple_output.
    replace (2 * B * lsum (fun t => tuple_weight l s0 t * w t) l - B)
      with (2 * B * lsum (fun t => tuple_weight l s0 t * w t) l
            + - B * lsum (tuple_weight l s0) l) by (rewrite HT; ring).
    rewrite <- !lsum_scal, <- lsum_plus. apply lsum_ext. intros t _. unfold w. field. lra. }
  assert (Hs' : forall t, In t l -> Rabs (s t - s' t) <= eps).
  { intros t Ht. rewrite Rabs_minus_sym. auto. }
  pose proof (mean_moves l s s' w eps Hl Heps Hs Hw).
  pose proof (mean_moves l s' s w eps Hl Heps Hs' Hw).
  pose proof (tanh_half eps Heps).
  split; [|nra]. rewrite !Haffine. apply Rabs_le. set (x := (exp eps - 1) / _) in *. nra.
Qed.

(** ** Products of rows *)

(** Entries of the rows that the tuple names are within ±B. *)
Definition entries_within (B : R) (Ms : list matrix) (t : list nat) (c : nat) : Prop :=
  forall r, (r < length Ms)%nat -> Rabs (nth r Ms ones (nth r t 0%nat) c) <= B.

Definition entries_close (eps : R) (Ms Ms' : list matrix) (t : list nat) (c : nat) : Prop :=
  forall r, (r < length Ms)%nat ->
    Rabs (nth r Ms' ones (nth r t 0%nat) c - nth r Ms ones (nth r t 0%nat) c) <= eps.

Lemma row_product_within B Ms t c :
  length t = length Ms -> entries_within B Ms t c -> Rabs (row_product Ms t c) <= B ^ length Ms.
Proof.
  revert t. induction Ms as [|M Ms IH]; intros [|j t] Hl H; try discriminate; simpl.
  - rewrite Rabs_R1. lra.
  - rewrite Rabs_mult. apply Rmult_le_compat; try apply Rabs_pos.
    + exact (H 0%nat ltac:(simpl; lia)).
    + apply IH; [simpl in Hl; lia|]. intros r Hr. exact (H (S r) ltac:(simpl; lia)).
Qed.

(** A product of m entries within ±B that move by at most ε moves by at most m B^(m-1) ε. *)
Lemma row_product_moves B eps Ms Ms' t c :
  0 < B -> 0 <= eps -> length t = length Ms -> length Ms' = length Ms ->
  entries_within B Ms t c -> entries_within B Ms' t c -> entries_close eps Ms Ms' t c ->
  Rabs (row_product Ms' t c - row_product Ms t c)
    <= INR (length Ms) * B ^ (length Ms - 1) * eps.
Proof.
  intros HB Heps. revert Ms' t.
  induction Ms as [|M Ms IH]; intros [|M' Ms'] [|j t] Hl Hl' HM HM' Hc; try discriminate.
  - simpl. rewrite Rminus_eq_0, Rabs_R0. lra.
  - simpl length in Hl, Hl'. injection Hl as Hl. injection Hl' as Hl'.
    pose proof (HM 0%nat ltac:(simpl; lia)) as H0. pose proof (Hc 0%nat ltac:(simpl; lia)) as Hc0.
    simpl in H0, Hc0.
    assert (HMt : entries_within B Ms t c) by (intros r Hr; exact (HM (S r) ltac:(simpl; lia))).
    assert (HMt' : entries_within B Ms' t c)
      by (intros r Hr; exact (HM' (S r) ltac:(simpl; lia))).
    assert (Hct : entries_close eps Ms Ms' t c)
      by (intros r Hr; exact (Hc (S r) ltac:(simpl; lia))).
    specialize (IH Ms' t Hl Hl' HMt HMt' Hct).
    assert (Hp : Rabs (row_product Ms' t c) <= B ^ length Ms).
    { rewrite <- Hl'. apply row_product_within; [congruence|exact HMt']. }
    cbn [row_product length].
    replace (M' j c * row_product Ms' t c - M j c * row_product Ms t c)
      with ((M' j c - M j c) * row_product Ms' t c
            + M j c * (row_product Ms' t c - row_product Ms t c)) by ring.
    eapply Rle_trans; [apply Rabs_triang|]. rewrite !Rabs_mult, S_INR.
    replace (S (length Ms) - 1)%nat with (length Ms) by lia.
    assert (HA : Rabs (M' j c - M j c) * Rabs (row_product Ms' t c) <= eps * B ^ length Ms)
      by (apply Rmult_le_compat; try apply Rabs_pos; assumption).
    assert (HC : Rabs (M j c) * Rabs (row_product Ms' t c - row_product Ms t c)
                 <= B * (INR (length Ms) * B ^ (length Ms - 1) * eps))
      by (apply Rmult_le_compat; try apply Rabs_pos; assumption).
    replace ((INR (length Ms) + 1) * B ^ length Ms * eps)
      with (eps * B ^ length Ms + INR (length Ms) * B ^ length Ms * eps) by ring.
    assert (HE : B * (INR (length Ms) * B ^ (length Ms - 1) * eps)
                 = INR (length Ms) * B ^ length Ms * eps).
    { destruct Ms as [|M0 Ms0]; [simpl; ring|].
      simpl length. replace (S (length Ms0) - 1)%nat with (length Ms0) by lia. simpl pow. ring. }
    lra.
Qed.

Lemma tuples_lengths slots t : In t (tuples slots) -> length t = length slots.
Proof.
  revert t. induction slots as [|js rest IH]; intros t Ht.
  - destruct Ht as [<-|[]]. reflexivity.
  - apply in_tuples_inv in Ht as (j & t' & -> & _ & Ht'). simpl. now rewrite (IH t').
Qed.

(** Rounding keys by ε_k and values by ε_v, within boxes of half-sides B_k and B_v, moves an output
    of order m by at most B_v^m ε_s + m B_v^(m-1) ε_v, where ε_s = ‖q‖₁ m B_k^(m-1) ε_k. *)
Theorem quantised_upper_bound slots d q Ks Ks' Vs Vs' c Q Bk Bv ek ev :
  let m := length slots in
  length Ks = m -> length Ks' = m -> length Vs = m -> length Vs' = m ->
  (forall js, In js slots -> js <> []) ->
  0 < Bk -> 0 < Bv -> 0 <= ek -> 0 <= ev ->
  rsum d (fun e => Rabs (q e)) <= Q ->
  (forall t e, In t (tuples slots) -> (e < d)%nat ->
     entries_within Bk Ks t e /\ entries_within Bk Ks' t e /\ entries_close ek Ks Ks' t e) ->
  (forall t, In t (tuples slots) ->
     entries_within Bv Vs t c /\ entries_within Bv Vs' t c /\ entries_close ev Vs Vs' t c) ->
  Rabs (tensor slots d q Ks' Vs' c - tensor slots d q Ks Vs c)
    <= Bv ^ m * (Q * (INR m * Bk ^ (m - 1) * ek)) + INR m * Bv ^ (m - 1) * ev.
Proof.
  intros m HKs HKs' HVs HVs' Hne HBk HBv Hek Hev HQ HK HV.
  pose proof (tuples_nonempty slots Hne) as Hl. set (l := tuples slots) in *.
  set (es := Q * (INR m * Bk ^ (m - 1) * ek)).
  assert (Hmove : 0 <= INR m * Bk ^ (m - 1) * ek).
  { pose proof (pos_INR m). pose proof (pow_lt Bk (m - 1) HBk). apply Rmult_le_pos; nra. }
  assert (HQ0 : 0 <= Q).
  { eapply Rle_trans; [|exact HQ]. apply rsum_nonneg. intros; apply Rabs_pos. }
  assert (Hes : 0 <= es) by (apply Rmult_le_pos; assumption).
  assert (Hlogit : forall t, In t l -> Rabs (tuple_logit d q Ks' t - tuple_logit d q Ks t) <= es).
  { intros t Ht. unfold tuple_logit, Rminus.
    replace (- rsum d (fun e => q e * row_product Ks t e))
      with (-1 * rsum d (fun e => q e * row_product Ks t e)) by ring.
    rewrite <- rsum_scal, <- rsum_plus. eapply Rle_trans; [apply rsum_Rabs|].
    apply Rle_trans with (rsum d (fun e => Rabs (q e) * (INR m * Bk ^ (m - 1) * ek))).
    - apply rsum_le. intros e He.
      replace (q e * row_product Ks' t e + -1 * (q e * row_product Ks t e))
        with (q e * (row_product Ks' t e - row_product Ks t e)) by ring.
      rewrite Rabs_mult. apply Rmult_le_compat_l; [apply Rabs_pos|].
      destruct (HK t e Ht He) as (H1 & H2 & H3). rewrite <- HKs.
      apply row_product_moves; auto; [|congruence].
      rewrite HKs. now apply tuples_lengths.
    - rewrite rsum_scal_r. apply Rmult_le_compat_r; assumption. }
  (* first the logits move, then the values *)
  pose proof (quantised_upper_bound_logits l (tuple_logit d q Ks) (tuple_logit d q Ks')
    (fun t => row_product Vs t c) (Bv ^ m) es Hl (pow_lt Bv m HBv) Hes Hlogit) as [H1 H2].
  { intros t Ht. rewrite <- HVs. apply row_product_within; [|now apply HV].
    rewrite HVs. now apply tuples_lengths. }
  assert (H3 : Rabs (tuple_output l (tuple_logit d q Ks') (fun t => row_product Vs' t c)
                 - tuple_output l (tuple_logit d q Ks') (fun t => row_product Vs t c))
               <= INR m * Bv ^ (m - 1) * ev).
  { set (e := INR m * Bv ^ (m - 1) * ev).
    assert (Hb : - e <= tuple_output l (tuple_logit d q Ks')
                   (fun t => row_product Vs' t c - row_product Vs t c) <= e).
    { apply tuple_output_between; [exact Hl|]. intros t Ht. apply Rabs_le_inv.
      destruct (HV t Ht) as (G1 & G2 & G3). unfold e. rewrite <- HVs.
      apply row_product_moves; auto; [|congruence]. rewrite HVs. now apply tuples_lengths. }
    apply Rabs_le. unfold tuple_output in *.
    rewrite (lsum_ext _ (fun t => tuple_weight l (tuple_logit d q Ks') t * row_product Vs' t c
      + -1 * (tuple_weight l (tuple_logit d q Ks') t * row_product Vs t c))) in Hb
      by (intros; ring).
    rewrite lsum_plus, lsum_scal in Hb. lra. }
  unfold tensor. fold l. apply Rabs_le. apply Rabs_le_inv in H1, H3. lra.
Qed.

(** ** A cache of rounded entries *)

Lemma tuples_entries n m t r :
  In t (tuples (repeat (seq 0 n) m)) -> (r < m)%nat -> (nth r t 0 < n)%nat.
Proof.
  revert t r. induction m as [|m IH]; intros t r Ht Hr; [lia|].
  apply in_tuples_inv in Ht as (j & t' & -> & Hj & Ht'). apply in_seq in Hj.
  destruct r as [|r]; simpl; [lia|]. apply IH; [exact Ht'|lia].
Qed.

(** m n (d w_k + d_v w_v) bits answer every query of order m within that bound, with
    ε_k = B_k / 2^w_k and ε_v = B_v / 2^w_v, for all keys and values in the boxes. *)
Theorem quantised_upper_bound_cache m n d d_v wk wv Bk Bv :
  (1 <= n)%nat -> 0 < Bk -> 0 < Bv ->
  exists (state : list matrix -> list matrix -> list bool) (answer : reader),
    forall Ks Vs, length Ks = m -> length Vs = m ->
      (forall r j e, (r < m)%nat -> (j < n)%nat -> (e < d)%nat ->
         Rabs (nth r Ks ones j e) <= Bk) ->
      (forall r j c, (r < m)%nat -> (j < n)%nat -> (c < d_v)%nat ->
         Rabs (nth r Vs ones j c) <= Bv) ->
      length (state Ks Vs) = (m * n * (d * wk + d_v * wv))%nat /\
      forall q Q c, rsum d (fun e => Rabs (q e)) <= Q -> (c < d_v)%nat ->
        Rabs (answer (state Ks Vs) q c - tensor (repeat (seq 0 n) m) d q Ks Vs c)
          <= Bv ^ m * (Q * (INR m * Bk ^ (m - 1) * (Bk / 2 ^ wk)))
             + INR m * Bv ^ (m - 1) * (Bv / 2 ^ wv).
Proof.
  intros Hn HBk HBv.
  destruct (rounded_matrices m n d wk Bk HBk) as (writeK & readK & LK & MK & NK).
  destruct (rounded_matrices m n d_v wv Bv HBv) as (writeV & readV & LV & MV & NV).
  set (cut := (m * n * d * wk)%nat).
  exists (fun Ks Vs => writeK Ks ++ writeV Vs),
         (fun s q c => tensor (repeat (seq 0 n) m) d q
            (readK (firstn cut s)) (readV (skipn cut s)) c).
  intros Ks Vs HKs HVs HK HV. split; [rewrite app_length, LK, LV; nia|].
  intros q Q c HQ Hc.
  assert (E1 : firstn cut (writeK Ks ++ writeV Vs) = writeK Ks).
  { unfold cut. rewrite <- (LK Ks), firstn_app, Nat.sub_diag, firstn_all, firstn_O.
    apply app_nil_r. }
  assert (E2 : skipn cut (writeK Ks ++ writeV Vs) = writeV Vs).
  { unfold cut. rewrite <- (LK Ks), skipn_app, Nat.sub_diag, skipn_all. reflexivity. }
  rewrite E1, E2.
  assert (Hpow : forall B w, 0 < B -> 0 <= B / 2 ^ w).
  { intros B w HB. left. apply Rdiv_lt_0_compat; [exact HB|]. apply pow_lt. lra. }
  pose proof (quantised_upper_bound (repeat (seq 0 n) m) d q Ks (readK (writeK Ks))
    Vs (readV (writeV Vs)) c Q Bk Bv (Bk / 2 ^ wk) (Bv / 2 ^ wv)) as H.
  cbv zeta in H. rewrite repeat_length in H. apply H; auto.
  - intros js Hjs. apply repeat_spec in Hjs as ->. destruct n; [lia|discriminate].
  - intros t e Ht He. pose proof (fun r => tuples_entries n m t r Ht) as Hrow.
    repeat split; intros r Hr; rewrite ?MK, ?HKs in Hr; (apply HK || apply NK); auto.
  - intros t Ht. pose proof (fun r => tuples_entries n m t r Ht) as Hrow.
    repeat split; intros r Hr; rewrite ?MV, ?HVs in Hr; (apply HV || apply NV); auto.
Qed.
