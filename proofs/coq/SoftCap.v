(** H3 `soft-cap`: a soft cap at c leaves the floor of n d_v bits to n < 1 + e^(2c)
    (1-η-2α)/(1+η+2α)
    tokens; a small one leaves d_v log₂(n+1). *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Guarantee Bits Entropy Symbols SoftmaxConcentration
  DecodeThreshold Keys Serves Told Positions FourCacheOrder.
Open Scope R_scope.

Definition capped (c y : R) : R := c * tanh (y / c).

(** Attention whose logits are capped. *)
Definition capped_out (n d : nat) (c : R) (K : matrix) : outputs := fun q V col =>
  output n (fun j => capped c (logit d q K j)) (fun j => V j col).

(** ** The hyperbolic tangent *)

Lemma tanh_form x : tanh x = 1 - 2 / (exp (2 * x) + 1).
Proof.
  unfold tanh, sinh, cosh. replace (2 * x) with (x + x) by ring. rewrite exp_plus, exp_Ropp.
  pose proof (exp_pos x). field. repeat split; nra.
Qed.

Lemma tanh_le x y : x <= y -> tanh x <= tanh y.
Proof.
  intros H. rewrite !tanh_form. pose proof (exp_pos (2 * x)) as Hx.
  assert (He : exp (2 * x) <= exp (2 * y))
    by (destruct (Req_dec x y) as [->|]; [lra|left; apply exp_increasing; lra]).
  assert (/ (exp (2 * y) + 1) <= / (exp (2 * x) + 1)) by (apply Rinv_le_contravar; lra).
  unfold Rdiv. lra.
Qed.

Lemma tanh_neg x : tanh (- x) = - tanh x.
Proof.
  unfold tanh, sinh, cosh. rewrite Ropp_involutive. pose proof (exp_pos x).
  pose proof (exp_pos (- x)).
  field. lra.
Qed.

Lemma tanh_within x : -1 < tanh x < 1.
Proof.
  assert (H : forall y, tanh y < 1).
  { intros y. rewrite tanh_form. pose proof (exp_pos (2 * y)).
    pose proof (Rdiv_lt_0_compat 2 (exp (2 * y) + 1)). lra. }
  split; [|apply H]. pose proof (H (- x)) as H'. rewrite tanh_neg in H'. lra.
Qed.

Lemma cap_within c y : 0 < c -> - c < capped c y < c.
Proof. intros Hc. unfold capped. pose proof (tanh_within (y / c)). split; nra. Qed.

(** The top at S, all others at -S or below: twice the cap of S is left of the margin. *)
Lemma capped_margin n s i c S :
  0 < c -> (forall j, (j < n)%nat -> j <> i -> s j <= - S) -> s i = S ->
  margin n (fun j => capped c (s j)) i (2 * capped c S).
Proof.
  intros Hc Hs Hi j Hj Hne. cbv beta. rewrite Hi. unfold capped.
  assert (H : tanh (s j / c) <= - tanh (S / c)).
  { rewrite <- tanh_neg. apply tanh_le. unfold Rdiv. rewrite Ropp_mult_distr_l.
    apply Rmult_le_compat_r; [left; now apply Rinv_0_lt_compat|auto]. }
  apply (Rmult_le_compat_l c) in H; lra.
Qed.

(** As near to 2c as one likes. *)
Lemma cap_reaches c delta : 0 < c -> 0 < delta ->
  exists S, 0 <= S /\ 2 * c - 2 * capped c S < delta.
Proof.
  intros Hc Hd. exists (c * (2 * c / delta)).
  assert (Hy : 0 < 2 * c / delta) by (apply Rdiv_lt_0_compat; lra).
  split; [nra|]. unfold capped. replace (c * (2 * c / delta) / c) with (2 * c / delta) by
    (field; lra).
  rewrite tanh_form. pose proof (exp_ineq1 (2 * (2 * c / delta)) ltac:(lra)) as He.
  set (e := exp (2 * (2 * c / delta))) in *.
  replace (2 * c - 2 * (c * (1 - 2 / (e + 1)))) with (4 * c / (e + 1)) by (field; lra).
  apply (Rmult_lt_reg_r (e + 1)); [lra|].
  replace (4 * c / (e + 1) * (e + 1)) with (4 * c) by (field; lra).
  assert (E : 2 * (2 * c / delta) * delta = 4 * c) by (field; lra). nra.
Qed.

(** The condition on the number of tokens, as one on twice the cap. *)
Lemma tokens_below M c eta alpha : guarantee eta alpha -> (1 <= M)%nat ->
  INR M * (1 + eta + 2 * alpha) < exp (2 * c) * (1 - eta - 2 * alpha)
  <-> margin_limit (INR M) eta alpha < 2 * c.
Proof.
  intros (He & Ha & Hea) HM. assert (HM' : 1 <= INR M) by (apply (le_INR 1), HM).
  unfold margin_limit. set (r := INR M * (1 + eta + 2 * alpha) / (1 - eta - 2 * alpha)).
  assert (Hr : 0 < r) by (apply Rdiv_lt_0_compat; [nra|lra]).
  assert (E : INR M * (1 + eta + 2 * alpha) = r * (1 - eta - 2 * alpha)) by (unfold r; field; lra).
  rewrite E. split; intros H.
  - apply Rmult_lt_reg_r in H; [|lra]. rewrite <- (ln_exp (2 * c)). now apply ln_increasing.
  - apply Rmult_lt_compat_r; [lra|]. rewrite <- (exp_ln r Hr). now apply exp_increasing.
Qed.

(** One weight can single out each of n tokens exactly below that number. *)
Theorem soft_cap_tokens n c eta alpha : 0 < c -> guarantee eta alpha -> (2 <= n)%nat ->
  (exists s i g, (i < n)%nat /\ margin n (fun j => capped c (s j)) i g /\
     leak (n - 1) g < leak_limit eta alpha)
  <-> INR (n - 1) * (1 + eta + 2 * alpha) < exp (2 * c) * (1 - eta - 2 * alpha).
Proof.
  intros Hc Hg Hn. assert (HM : 0 < INR (n - 1)) by (apply lt_0_INR; lia).
  rewrite tokens_below by (exact Hg || lia). split.
  - intros (s & i & g & Hi & Hm & HL). rewrite <- leak_of_leak in HL.
    apply margin_decides in HL; [|exact Hg|exact HM].
    set (j := match i with O => 1%nat | _ => 0%nat end).
    assert (Hj : (j < n)%nat /\ j <> i) by (unfold j; destruct i; lia).
    specialize (Hm j (proj1 Hj) (proj2 Hj)). cbv beta in Hm.
    pose proof (cap_within c (s i) Hc). pose proof (cap_within c (s j) Hc). lra.
  - intros H. destruct (cap_reaches c (2 * c - margin_limit (INR (n - 1)) eta alpha) Hc ltac:(lra))
      as (S & HS & Hreach).
    exists (fun j => if j =? 0 then S else - S), 0%nat, (2 * capped c S).
    split; [lia|]. split.
    + apply capped_margin; [exact Hc| |reflexivity]. intros j _ Hne.
      destruct (Nat.eqb_spec j 0); [contradiction|lra].
    + rewrite <- leak_of_leak. apply margin_decides; [exact Hg|exact HM|]. lra.
Qed.

(** Keys (j, -j², 1) let a query centre its logits. *)
Definition centred_key : matrix := fun j e =>
  match e with 0%nat => INR j | 1%nat => - (INR j * INR j) | 2%nat => 1 | _ => 0 end.
Definition centred_query (C : R) (i : nat) : nat -> R := fun e =>
  match e with
  | 0%nat => C * (2 * INR i) | 1%nat => C | 2%nat => C * (1 / 2 - INR i * INR i) | _ => 0
  end.

Lemma centred_logit d C i j : (3 <= d)%nat ->
  logit d (centred_query C i) centred_key j = C * (1 / 2 - (INR i - INR j) * (INR i - INR j)).
Proof.
  intros Hd. unfold logit. replace d with (3 + (d - 3))%nat by lia. rewrite rsum_app.
  rewrite (rsum_ext (d - 3) _ (fun _ => 0)); [|intros e _; simpl; ring].
  rewrite rsum_const. simpl. field.
Qed.

(** There the floor of n d_v bits holds. *)
Theorem soft_cap n d d_v c eta alpha :
  (3 <= d)%nat -> 0 < c -> guarantee eta alpha ->
  INR (n - 1) * (1 + eta + 2 * alpha) < exp (2 * c) * (1 - eta - 2 * alpha) ->
  exists (K : matrix) (Q : nat -> nat -> R),
    forall b, serves n d_v eta alpha (capped_out n d c K) Q b <-> (n * d_v <= b)%nat.
Proof.
  intros Hd Hc Hg Hn.
  assert (HS : exists S, 0 <= S /\ leak (n - 1) (2 * capped c S) < leak_limit eta alpha).
  { destruct (le_lt_dec (n - 1) 0) as [H0|H0].
    - exists 0. split; [lra|]. replace (n - 1)%nat with 0%nat by lia. unfold leak, excess. simpl.
      destruct Hg as (He & Ha & Hea). unfold leak_limit, Rdiv. rewrite !Rmult_0_l. lra.
    - pose proof (proj1 (tokens_below (n - 1) c eta alpha Hg H0) Hn) as H.
      destruct (cap_reaches c (2 * c - margin_limit (INR (n - 1)) eta alpha) Hc ltac:(lra))
        as (S & HS & Hreach).
      exists S. split; [exact HS|]. rewrite <- leak_of_leak.
      apply margin_decides; [exact Hg|now apply lt_0_INR|]. lra. }
  destruct HS as (S & HS & Hleak).
  exists centred_key, (centred_query (2 * S)). intros b.
  apply told_serves; [|apply Hg|apply Hg|intros q V V' e _ H; now apply output_ext].
  intros V V' i e o HV HV' Hi He.
  apply (output_told n eta alpha (2 * capped c S)); auto.
  apply (capped_margin n (fun j => logit d (centred_query (2 * S) i) centred_key j)); [exact Hc|..].
  - intros j Hj Hne. rewrite centred_logit by exact Hd. pose proof (INR_gap i j ltac:(auto)). nra.
  - rewrite centred_logit by exact Hd. replace (INR i - INR i) with 0 by ring. field.
Qed.

(** ** A small cap *)

(** Logits within ±c, k ones and l zeros: where the output lies, with K = e^(2c). *)
Definition highest (K k l : R) : R := k * K / (k * K + l).
Definition lowest (K k l : R) : R := k / (k + K * l).

Lemma exp_monotone x y : x <= y -> exp x <= exp y.
Proof. intros [H|<-]; [left; now apply exp_increasing|lra]. Qed.

Lemma weights_pos K k l : 0 < K -> 0 <= k -> 0 <= l -> 0 < k + l ->
  0 < k * K + l /\ 0 < k + K * l.
Proof.
  intros HK Hk Hl Hkl. pose proof (Rmult_le_pos k K Hk ltac:(lra)).
  pose proof (Rmult_le_pos K l ltac:(lra) Hl).
  destruct (Req_dec k 0) as [->|Hne]; [split; nra|].
  pose proof (Rmult_lt_0_compat k K ltac:(lra) HK). split; lra.
Qed.

Lemma output_within n s v c : (1 <= n)%nat -> (forall j, - c <= s j <= c) ->
  (forall j, 0 <= v j <= 1) ->
  let k := rsum n v in let l := rsum n (fun j => 1 - v j) in
  lowest (exp (2 * c)) k l <= output n s v <= highest (exp (2 * c)) k l.
Proof.
  intros Hn Hs Hv k l.
  set (A := rsum n (fun j => exp (s j) * v j)). set (D := rsum n (fun j => exp (s j) * (1 - v j))).
  assert (Hkl : 0 <= k /\ 0 <= l /\ k + l = INR n).
  { unfold k, l. repeat split; try (apply rsum_nonneg; intros j _; specialize (Hv j); lra).
    rewrite <- rsum_plus, (rsum_ext n _ (fun _ => 1)) by (intros; ring). rewrite rsum_const. ring. }
  assert (Hn' : 1 <= INR n) by (apply (le_INR 1), Hn).
  assert (E : output n s v = A / (A + D)).
  { unfold output, weight, A, D. rewrite <- rsum_plus.
    rewrite (rsum_ext n (fun j => exp (s j) * v j + exp (s j) * (1 - v j)) (fun j => exp (s j)))
      by (intros; ring).
    unfold Rdiv. rewrite <- rsum_scal_r. apply rsum_ext. intros; ring. }
  assert (Hexp : forall j, exp (- c) <= exp (s j) <= exp c).
  { intros j. split; apply exp_monotone, Hs. }
  assert (HA : exp (- c) * k <= A <= exp c * k).
  { unfold A, k. rewrite <- !rsum_scal. split; apply rsum_le; intros j _;
      apply Rmult_le_compat_r; try apply Hv; apply Hexp. }
  assert (HD : exp (- c) * l <= D <= exp c * l).
  { unfold D, l. rewrite <- !rsum_scal. split; apply rsum_le; intros j _;
      apply Rmult_le_compat_r; try (specialize (Hv j); lra); apply Hexp. }
  set (e := exp (- c)) in *. assert (He : 0 < e) by apply exp_pos.
  assert (Ec : exp c = exp (2 * c) * e)
    by (unfold e; rewrite <- exp_plus; f_equal; ring).
  set (K := exp (2 * c)) in *. assert (HK : 0 < K) by apply exp_pos. rewrite Ec in HA, HD.
  destruct Hkl as (Hk & Hl & Hsum). rewrite E. unfold lowest, highest.
  assert (H1 : 0 < A + D) by (pose proof (Rmult_lt_0_compat e (k + l) He ltac:(lra)); lra).
  destruct (weights_pos K k l HK Hk Hl ltac:(lra)) as [H3 H2]. split.
  - apply (Rmult_le_reg_r ((k + K * l) * (A + D))); [now apply Rmult_lt_0_compat|].
    replace (k / (k + K * l) * ((k + K * l) * (A + D))) with (k * (A + D)) by (field; lra).
    replace (A / (A + D) * ((k + K * l) * (A + D))) with (A * (k + K * l)) by (field; lra).
    assert (k * D <= A * (K * l)); [|lra].
    apply Rle_trans with (k * (K * e * l)); [apply Rmult_le_compat_l; lra|].
    replace (k * (K * e * l)) with (e * k * (K * l)) by ring.
    apply Rmult_le_compat_r; [nra|lra].
  - apply (Rmult_le_reg_r ((k * K + l) * (A + D))); [now apply Rmult_lt_0_compat|].
    replace (k * K / (k * K + l) * ((k * K + l) * (A + D))) with (k * K * (A + D)) by (field; lra).
    replace (A / (A + D) * ((k * K + l) * (A + D))) with (A * (k * K + l)) by (field; lra).
    assert (A * l <= k * K * D); [|lra].
    apply Rle_trans with (K * e * k * l); [apply Rmult_le_compat_r; lra|].
    replace (K * e * k * l) with (k * K * (e * l)) by ring.
    apply Rmult_le_compat_l; [nra|lra].
Qed.

(** All outputs of a column lie within tanh c of each other. *)
Lemma width K k l : 1 <= K -> 0 <= k -> 0 <= l -> 0 < k + l ->
  highest K k l - lowest K k l <= (K - 1) / (K + 1).
Proof.
  intros HK Hk Hl Hkl. assert (H1 : 0 < k * K + l) by nra. assert (H2 : 0 < k + K * l) by nra.
  assert (E : highest K k l - lowest K k l
              = k * l * (K + 1) * (K - 1) / ((k * K + l) * (k + K * l)))
    by (unfold highest, lowest; field; lra).
  rewrite E. pose proof (Rmult_lt_0_compat _ _ H1 H2) as H3.
  apply (Rmult_le_reg_r ((k * K + l) * (k + K * l) * (K + 1))); [nra|].
  replace (k * l * (K + 1) * (K - 1) / ((k * K + l) * (k + K * l))
           * ((k * K + l) * (k + K * l) * (K + 1))) with ((K - 1) * (k * l * (K + 1) * (K + 1)))
    by (field; lra).
  replace ((K - 1) / (K + 1) * ((k * K + l) * (k + K * l) * (K + 1)))
    with ((K - 1) * ((k * K + l) * (k + K * l))) by (field; lra).
  apply Rmult_le_compat_l; [lra|].
  assert (0 <= K * ((k - l) * (k - l))) by (apply Rmult_le_pos; [lra|apply Rle_0_sqr]). nra.
Qed.

(** How many ones a column has. *)
Definition is_one (V : matrix) (col j : nat) : bool :=
  if Req_EM_T (V j col) 1 then true else false.
Definition ones_of (n : nat) (V : matrix) (col : nat) : nat :=
  length (filter (is_one V col) (seq 0 n)).

Lemma ones_of_sum n V col : zero_one V -> INR (ones_of n V col) = rsum n (fun j => V j col).
Proof.
  intros HV. change (INR (ones_of n V col)) with (number (is_one V col) (seq 0 n)).
  rewrite number_lsum, lsum_seq. apply rsum_ext. intros j _. unfold is_one. simpl.
  destruct (Req_EM_T (V j col) 1) as [E|E]; [now rewrite E|].
  destruct (HV j col); [congruence|contradiction].
Qed.

Lemma ones_of_le n V col : (ones_of n V col <= n)%nat.
Proof.
  unfold ones_of. rewrite <- (seq_length n 0) at 2.
  induction (seq 0 n) as [|j l IH]; simpl; [lia|]. destruct (is_one V col j); simpl; lia.
Qed.

(** If tanh c <= 2α, the number of ones of each column is enough to answer every query within α. *)
Theorem soft_cap_counts n d d_v c alpha (K : matrix) b :
  0 < c -> tanh c <= 2 * alpha ->
  INR d_v * log2 (INR (n + 1)) <= INR b ->
  exists (state : matrix -> list bool) (answer : reader),
    (forall V, length (state V) = b) /\
    (forall V q col, zero_one V -> (col < d_v)%nat ->
       accurate 0 alpha (answer (state V) q col) (capped_out n d c K q V col)).
Proof.
  intros Hc Ha Hb. destruct n as [|n'].
  { assert (0 < tanh c).
    { rewrite tanh_form. pose proof (exp_ineq1 (2 * c) ltac:(lra)).
      assert (2 / (exp (2 * c) + 1) < 1); [|lra].
      apply (Rmult_lt_reg_r (exp (2 * c) + 1)); [lra|]. unfold Rdiv.
      rewrite Rmult_assoc, Rinv_l by lra. lra. }
    exists (fun _ => repeat false b), (fun _ _ _ => 0). split; [intros; apply repeat_length|].
    intros V q col _ _. change (capped_out 0 d c K q V col) with 0. apply accurate_exact; lra. }
  set (n := S n') in *. assert (Hn : (1 <= n)%nat) by (unfold n; lia). clearbody n.
  apply bits_of_symbols in Hb; [|lia].
  destruct (numbering (list_eq_dec Nat.eq_dec) (strings d_v (n + 1)) nil b)
    as (enc & dec & Hlen & Hdec); [now rewrite strings_length|].
  set (counts V := map (ones_of n V) (seq 0 d_v)).
  set (E := exp (2 * c)).
  exists (fun V => enc (counts V)), (fun msg q col =>
    let k := INR (nth col (dec msg) 0%nat) in
    (highest E k (INR n - k) + lowest E k (INR n - k)) / 2).
  split; [auto|]. intros V q col HV Hcol. cbv zeta.
  assert (Hin : In (counts V) (strings d_v (n + 1))).
  { apply in_strings. unfold counts. split; [now rewrite map_length, seq_length|].
    intros j Hj. rewrite nth_map_seq by exact Hj. pose proof (ones_of_le n V j). lia. }
  rewrite Hdec by exact Hin. unfold counts. rewrite nth_map_seq by exact Hcol.
  rewrite ones_of_sum by exact HV. set (k := rsum n (fun j => V j col)).
  assert (Hv : forall j, 0 <= V j col <= 1) by (intros j; destruct (HV j col); lra).
  assert (El : INR n - k = rsum n (fun j => 1 - V j col)).
  { unfold k. rewrite (rsum_ext n (fun j => 1 - V j col) (fun j => 1 + -1 * V j col))
      by (intros; ring). rewrite rsum_plus, rsum_const, rsum_scal. ring. }
  pose proof (output_within n (fun j => capped c (logit d q K j)) (fun j => V j col) c Hn
    (fun j => conj (Rlt_le _ _ (proj1 (cap_within c _ Hc)))
      (Rlt_le _ _ (proj2 (cap_within c _ Hc))))
    Hv) as Hout. cbv zeta beta in Hout. fold k E in Hout. rewrite <- El in Hout.
  assert (Hk : 0 <= k) by (apply rsum_nonneg; intros j _; apply Hv).
  assert (Hl : 0 <= INR n - k)
    by (rewrite El; apply rsum_nonneg; intros j _; specialize (Hv j); lra).
  assert (HE : 1 < E) by (unfold E; rewrite <- exp_0; apply exp_increasing; lra).
  pose proof (width E k (INR n - k) ltac:(lra) Hk Hl
    ltac:(pose proof (le_INR 1 n Hn); simpl in *; lra))
    as Hw.
  assert (Et : tanh c = (E - 1) / (E + 1)) by (rewrite tanh_form; fold E; field; lra).
  unfold accurate, capped_out. rewrite Rmult_0_l, Rplus_0_l.
  apply Rabs_le. lra.
Qed.
