(** S2 `sharp-floor`: order 2 needs (n1 + n2 - 2)(b + d_v - 2) symbols of log₂ L bits, where keys
    have b columns beside their addresses: keys count too. As many are enough for the family. *)
From Coq Require Import Reals Lra Lia Arith List.
From KVFloor Require Import Sums Attention Guarantee Bits Entropy Symbols Keys Levels GridValues
  PairAddresses Tied SharpFamily.
Open Scope R_scope.

(** Given addresses, queries that read one pair on a margin g1 or two tied pairs on a margin g2,
    and more room between levels than leaks, a cache that is (eta, alpha)-accurate has as many
    states as there are instances. *)
Theorem sharp_floor_states n1 n2 a b f L eta alpha gamma g1 g2 (A1 A2 : matrix)
    (P T : nat -> nat -> nat -> R) (states : list (list bool))
    (state : matrix -> matrix -> matrix -> matrix -> list bool) (answer : reader) :
  (1 <= n1)%nat -> (1 <= n2)%nat -> (2 <= L)%nat -> 0 <= eta < 1 -> 0 <= alpha -> 0 < gamma ->
  (forall i k, (i < n1)%nat -> (k < n2)%nat -> i = 0%nat \/ k = 0%nat -> (i, k) <> (0, 0)%nat ->
     singles_out n1 n2 (logit2 a (P i k) A1 A2) i k g1 /\
     ties n1 n2 (logit2 a (T i k) A1 A2) i k g2) ->
  excess (n1 * n2 - 1) g1 * (1 + eta + 2 * alpha)
    < (1 - eta * INR (2 * L - 3)) / INR (L - 1) - 2 * alpha ->
  (forall i, (S i < L)%nat ->
     excess (n1 * n2 - 2) g2 * (1 + eta + 2 * alpha)
       < (1 - eta) * payload_level gamma L (S i) - (1 + eta) * payload_level gamma L i
         - 2 * alpha) ->
  (forall K1 K2 V1 V2, sharp_key L a A1 K1 -> sharp_key L a A2 K2 ->
     sharp_value L 0 V1 -> sharp_value L 1 V2 -> In (state K1 K2 V1 V2) states) ->
  sharp_guarantee n1 n2 a b f L eta alpha gamma A1 A2 P T state answer ->
  (L ^ ((n1 + n2 - 2) * (f + b)) <= length states)%nat.
Proof.
  intros Hn1 Hn2 HL Heta Ha Hgamma Hbook H1 H2.
  apply (sharp_states n1 n2 a b f L eta alpha gamma g1 g2 A1 A2 P T Hn1 Hn2 HL Heta Ha Hgamma);
    try assumption; intros; now apply Hbook.
Qed.

(** Sign vectors no two of whose n1 n2 products have an inner product beyond ±μ: the margins are
    C (a - μ), and C (a - 3μ) of two tied pairs. *)
Theorem sharp_floor_sign_margins n1 n2 a mu C A1 A2 i k :
  sign_matrix A1 -> sign_matrix A2 -> 0 <= C ->
  (forall j l j' l', (j < n1)%nat -> (l < n2)%nat -> (j' < n1)%nat -> (l' < n2)%nat ->
     (j, l) <> (j', l') -> Rabs (product_inner a A1 A2 j l j' l') <= mu) ->
  (i < n1)%nat -> (k < n2)%nat -> (i, k) <> (0, 0)%nat ->
  singles_out n1 n2 (logit2 a (fun c => C * (A1 i c * A2 k c)) A1 A2) i k (C * (INR a - mu)) /\
  ties n1 n2 (logit2 a (fun c => C * (A1 i c * A2 k c + A1 0%nat c * A2 0%nat c)) A1 A2) i k
    (C * (INR a - 3 * mu)).
Proof.
  intros S1 S2 HC Hmu Hi Hk Hne.
  assert (Hin : forall j l j' l', (j < n1)%nat -> (l < n2)%nat -> (j' < n1)%nat ->
            (l' < n2)%nat -> (j, l) <> (j', l') -> - mu <= product_inner a A1 A2 j l j' l' <= mu)
    by (intros; now apply Rabs_le_inv, Hmu).
  split; [|split].
  - intros j l Hj Hl Hjl. rewrite !sign_read_logit, sign_product_self by assumption.
    assert (product_inner a A1 A2 i k j l <= mu) by (apply Hin; auto; congruence). nra.
  - rewrite !sign_tie_logit, !sign_product_self by assumption. f_equal.
    rewrite Rplus_comm. f_equal. unfold product_inner. apply rsum_ext; intros; ring.
  - intros j l Hj Hl Hjl Hjl0. rewrite !sign_tie_logit, !sign_product_self by assumption.
    assert (product_inner a A1 A2 i k j l <= mu) by (apply Hin; auto; congruence).
    assert (product_inner a A1 A2 0 0 j l <= mu) by (apply Hin; auto; lia || congruence).
    assert (- mu <= product_inner a A1 A2 i k 0 0) by (apply Hin; auto; lia).
    nra.
Qed.

(** For α = 0 there is room between all payload levels exactly if γ > (L-1) ln((1+3η)/(1-η)). *)
Theorem sharp_floor_strength L eta gamma :
  (2 <= L)%nat -> 0 <= eta < 1 -> 0 < gamma ->
  (forall i, (S i < L)%nat ->
     0 < (1 - eta) * payload_level gamma L (S i) - (1 + eta) * payload_level gamma L i)
  <-> gamma > INR (L - 1) * ln ((1 + 3 * eta) / (1 - eta)).
Proof.
  intros HL Heta Hgamma. pose proof (grid_size L HL) as HD.
  set (U := exp (gamma / INR (L - 1))). pose proof (exp_pos (gamma / INR (L - 1)) : 0 < U) as HU.
  assert (Hratio : 0 < (1 + 3 * eta) / (1 - eta)) by (apply Rdiv_lt_0_compat; lra).
  (* the condition on the strength is one on U *)
  assert (Hcond : gamma > INR (L - 1) * ln ((1 + 3 * eta) / (1 - eta))
                  <-> 1 + 3 * eta < (1 - eta) * U).
  { assert (E1 : (1 + 3 * eta) / (1 - eta) < U <-> 1 + 3 * eta < (1 - eta) * U).
    { assert (E : 1 + 3 * eta = (1 - eta) * ((1 + 3 * eta) / (1 - eta))) by (field; lra).
      split; intros H.
      - rewrite E. apply Rmult_lt_compat_l; lra.
      - rewrite E in H. apply Rmult_lt_reg_l in H; lra. }
    assert (E2 : gamma = INR (L - 1) * ln U) by (unfold U; rewrite ln_exp; field; lra).
    rewrite <- E1, E2. split; intros H.
    - apply Rgt_lt, Rmult_lt_reg_l in H; [|lra]. apply ln_lt_inv; assumption.
    - apply Rmult_lt_compat_l; [lra|]. now apply ln_increasing. }
  (* with v = exp(γ(1 - x)) for the higher payload x, the room is positive if ... *)
  assert (Hroom : forall i, (S i < L)%nat -> let v := exp (gamma * (1 - level L (S i))) in
    1 <= v /\ (0 < (1 - eta) * payload_level gamma L (S i) - (1 + eta) * payload_level gamma L i
               <-> 2 * eta < v * ((1 - eta) * U - (1 + eta)))).
  { intros i Hi v. assert (Hv : 1 <= v).
    { pose proof (level_unit L (S i) HL Hi) as [_ H1].
      pose proof (exp_ineq1_le (gamma * (1 - level L (S i)))). fold v in H.
      assert (0 <= gamma * (1 - level L (S i))) by (apply Rmult_le_pos; lra). lra. }
    split; [exact Hv|]. unfold payload_level, logistic.
    assert (Hlow : exp (gamma * (1 - level L i)) = U * v).
    { unfold U, v. rewrite <- exp_plus. f_equal. unfold level. rewrite S_INR. field. lra. }
    rewrite Hlow. fold v. assert (HUv : 0 < U * v) by nra.
    set (room := (1 - eta) * (1 / (1 + v)) - (1 + eta) * (1 / (1 + U * v))).
    assert (Hr : room * ((1 + v) * (1 + U * v)) = v * ((1 - eta) * U - (1 + eta)) - 2 * eta)
      by (unfold room; field; lra).
    assert (Hpos : 0 < (1 + v) * (1 + U * v)) by nra.
    split; intros H.
    - pose proof (Rmult_lt_0_compat _ _ H Hpos). lra.
    - apply (Rmult_lt_reg_r ((1 + v) * (1 + U * v))); [exact Hpos|]. lra. }
  rewrite Hcond. split.
  - (* the two highest payloads *)
    intros H. specialize (H (L - 2)%nat ltac:(lia)).
    destruct (Hroom (L - 2)%nat ltac:(lia)) as [_ Hiff]. apply Hiff in H.
    replace (S (L - 2)) with (L - 1)%nat in H by lia. rewrite level_top in H by exact HL.
    replace (gamma * (1 - 1)) with 0 in H by ring. rewrite exp_0 in H. lra.
  - intros H i Hi. destruct (Hroom i Hi) as [Hv Hiff]. apply Hiff. nra.
Qed.

(** ** A cache of that size *)

(** The symbols of a row: those of the value, then those of the key. *)
Definition row_symbols (a f : nat) (K V : matrix) : matrix := fun j c =>
  if c <? f then V j (2 + c)%nat else K j (a + (c - f))%nat.

Lemma row_symbols_grid a f L mark A K V :
  sharp_key L a A K -> sharp_value L mark V -> grid_values L (row_symbols a f K V).
Proof.
  intros [_ [HK0 HK]] [_ [HV0 HV]]. unfold row_symbols. split.
  - intros c. destruct (c <? f); [apply HV0|apply HK0].
  - intros j c. destruct (c <? f); [apply HV|apply HK].
Qed.

(** For the family, bits whose states are as many as the instances answer all queries exactly. *)
Theorem sharp_floor_met n1 n2 a b f L bits A1 A2 :
  (2 <= L)%nat -> (1 <= n1)%nat -> (1 <= n2)%nat ->
  (L ^ ((n1 + n2 - 2) * (f + b)) <= 2 ^ bits)%nat ->
  exists (state : matrix -> matrix -> matrix -> matrix -> list bool) (answer : reader),
    (forall K1 K2 V1 V2, length (state K1 K2 V1 V2) = bits) /\
    (forall K1 K2 V1 V2 q c, sharp_key L a A1 K1 -> sharp_key L a A2 K2 ->
       sharp_value L 0 V1 -> sharp_value L 1 V2 -> (c < 2 + f)%nat -> (0 < f + b)%nat ->
       answer (state K1 K2 V1 V2) q c = attention2 n1 n2 (a + b) q K1 K2 V1 V2 c).
Proof.
  intros HL Hn1 Hn2 Hbits. set (N := ((n1 + n2 - 2) * (f + b))%nat) in *.
  destruct (numbering (list_eq_dec Nat.eq_dec) (strings N L) nil bits)
    as (enc & dec & Henc & Hdec); [now rewrite strings_length|].
  exists (fun K1 K2 V1 V2 =>
            enc (read_symbols n1 n2 (f + b) L (row_symbols a f K1 V1) (row_symbols a f K2 V2))),
         (fun msg q c => let x := dec msg in
            attention2 n1 n2 (a + b) q (key_of a b f L A1 0 x) (key_of a b f L A2 (n1 - 1) x)
              (value_of b f L 0 0 x) (value_of b f L 1 (n1 - 1) x) c).
  split; [auto|]. intros K1 K2 V1 V2 q c HK1 HK2 HV1 HV2 Hc Hfb. cbv zeta.
  rewrite Hdec by (apply in_strings, read_symbols_symbols, HL).
  destruct (read_held n1 n2 (f + b) L (row_symbols a f K1 V1) (row_symbols a f K2 V2) HL Hfb
    Hn1 Hn2 (row_symbols_grid a f L 0 A1 K1 V1 HK1 HV1)
    (row_symbols_grid a f L 1 A2 K2 V2 HK2 HV2)) as [X1 X2].
  set (x := read_symbols _ _ _ _ _ _) in *.
  assert (Hkey : forall n A K V first, sharp_key L a A K ->
    (forall j c, (j < n)%nat -> (c < f + b)%nat ->
       hold L (f + b) first x j c = row_symbols a f K V j c) ->
    forall j e, (j < n)%nat -> (e < a + b)%nat -> key_of a b f L A first x j e = K j e).
  { intros n A K V first [HA _] HX j e Hj He. unfold key_of. destruct (Nat.ltb_spec e a) as [H|H].
    - symmetry. now apply HA.
    - rewrite HX by lia. unfold row_symbols. destruct (Nat.ltb_spec (f + (e - a)) f); [lia|].
      f_equal. lia. }
  assert (Hval : forall n K V mark first, sharp_value L mark V ->
    (forall j c, (j < n)%nat -> (c < f + b)%nat ->
       hold L (f + b) first x j c = row_symbols a f K V j c) ->
    forall j, (j < n)%nat -> value_of b f L mark first x j c = V j c).
  { intros n K V mark first [Hm _] HX j Hj. unfold value_of.
    destruct c as [|[|e]]; [symmetry; apply Hm; lia..|]. rewrite HX by lia. unfold row_symbols.
    destruct (Nat.ltb_spec e f); [reflexivity|lia]. }
  apply attention2_ext.
  - now apply (Hkey n1 A1 K1 V1).
  - now apply (Hkey n2 A2 K2 V2).
  - now apply (Hval n1 K1 V1).
  - now apply (Hval n2 K2 V2).
Qed.

(** ** The floor *)

Lemma excess_mono M M' g : (M <= M')%nat -> excess M g <= excess M' g.
Proof.
  intros H. unfold excess. apply Rmult_le_compat_r; [left; apply exp_pos|]. now apply le_INR.
Qed.

(** With the moment keys a multiplier C leaves room enough between all levels. *)
Lemma sharp_multiplier_exists n1 n2 L eta alpha gamma :
  (2 <= L)%nat -> 0 <= eta < 1 -> 0 <= alpha ->
  eta * INR (2 * L - 3) + 2 * alpha * INR (L - 1) < 1 ->
  (forall i, (S i < L)%nat ->
     2 * alpha < (1 - eta) * payload_level gamma L (S i) - (1 + eta) * payload_level gamma L i) ->
  exists C, 0 <= C /\
    excess (n1 * n2 - 1) C * (1 + eta + 2 * alpha)
      < (1 - eta * INR (2 * L - 3)) / INR (L - 1) - 2 * alpha /\
    forall i, (S i < L)%nat -> excess (n1 * n2 - 2) C * (1 + eta + 2 * alpha)
      < (1 - eta) * payload_level gamma L (S i) - (1 + eta) * payload_level gamma L i - 2 * alpha.
Proof.
  intros HL Heta Ha Hgrid Hpayload. pose proof (grid_size L HL) as HD.
  destruct (least_of_finitely_many L (fun i => (1 - eta) * payload_level gamma L (S i)
    - (1 + eta) * payload_level gamma L i - 2 * alpha)) as (rho2 & Hrho2 & Hle2).
  { intros i Hi. specialize (Hpayload i Hi). lra. }
  set (rho1 := (1 - eta * INR (2 * L - 3)) / INR (L - 1) - 2 * alpha).
  assert (Hrho1 : 0 < rho1).
  { apply (Rmult_lt_reg_r (INR (L - 1))); [lra|]. unfold rho1.
    replace (((1 - eta * INR (2 * L - 3)) / INR (L - 1) - 2 * alpha) * INR (L - 1))
      with (1 - eta * INR (2 * L - 3) - 2 * alpha * INR (L - 1)) by (field; lra). lra. }
  destruct (small_leak (n1 * n2 - 1) (1 + eta + 2 * alpha) (Rmin rho1 rho2))
    as (C & HC & Hleak); [lra|now apply Rmin_glb_lt|].
  pose proof (Rmin_l rho1 rho2) as Hmin1. pose proof (Rmin_r rho1 rho2) as Hmin2.
  exists C. split; [exact HC|]. split.
  - fold rho1. unfold excess. lra.
  - intros i Hi. specialize (Hle2 i Hi).
    assert (excess (n1 * n2 - 2) C * (1 + eta + 2 * alpha)
            <= excess (n1 * n2 - 1) C * (1 + eta + 2 * alpha))
      by (apply Rmult_le_compat_r; [lra|apply excess_mono; lia]).
    unfold excess in *. lra.
Qed.

(** With keys of 8 + b columns and values of 2 + f, states of exactly so many bits are enough exactly
    if these are at least (n1 + n2 - 2)(f + b) log₂ L. *)
Theorem sharp_floor n1 n2 b f L eta alpha gamma :
  (1 <= n1)%nat -> (1 <= n2)%nat -> (2 <= L)%nat ->
  0 <= eta < 1 -> 0 <= alpha -> 0 < gamma ->
  eta * INR (2 * L - 3) + 2 * alpha * INR (L - 1) < 1 ->
  (forall i, (S i < L)%nat ->
     2 * alpha < (1 - eta) * payload_level gamma L (S i) - (1 + eta) * payload_level gamma L i) ->
  exists (A1 A2 : matrix) (P T : nat -> nat -> nat -> R), forall bits,
    (exists state answer,
       (forall K1 K2 V1 V2, sharp_key L 8 A1 K1 -> sharp_key L 8 A2 K2 ->
          sharp_value L 0 V1 -> sharp_value L 1 V2 -> length (state K1 K2 V1 V2) = bits) /\
       sharp_guarantee n1 n2 8 b f L eta alpha gamma A1 A2 P T state answer)
    <-> INR ((n1 + n2 - 2) * (f + b)) * log2 (INR L) <= INR bits.
Proof.
  intros Hn1 Hn2 HL Heta Ha Hgamma Hgrid Hpayload.
  destruct (sharp_multiplier_exists n1 n2 L eta alpha gamma HL Heta Ha Hgrid Hpayload)
    as (C & HC & Hleak1 & Hleak2).
  exists moment_key1, moment_key2, (moment_read C), (moment_tie C). intros bits.
  rewrite <- bits_of_symbols by lia. split.
  - intros (state & answer & Hbits & Hgood). rewrite <- (bitstrings_length bits).
    apply (sharp_floor_states n1 n2 8 b f L eta alpha gamma C C moment_key1 moment_key2
      (moment_read C) (moment_tie C)) with (state := state) (answer := answer); auto.
    + intros i k _ _ Hik _. split; [now apply moment_read_singles_out|now apply moment_tie_ties].
    + intros K1 K2 V1 V2 HK1 HK2 HV1 HV2. apply in_bitstrings. auto.
  - intros Hbits. destruct (sharp_floor_met n1 n2 8 b f L bits moment_key1 moment_key2
      HL Hn1 Hn2 Hbits) as (state & answer & Hlen & Hans).
    exists state, answer. split; [auto|].
    intros K1 K2 V1 V2 HK1 HK2 HV1 HV2 right i k Hi Hk Hik Hne. unfold right.
    split; intros e He; rewrite Hans; auto; try lia; try (apply accurate_exact; lra).
    destruct i; simpl; lia.
Qed.

(** With states of up to so many bits, which are 2^(bits+1) - 1 in number, L^N < 2^(bits+1). *)
Theorem sharp_floor_up_to (n1 n2 b f L : nat) (eta alpha gamma : R) :
  (1 <= n1)%nat -> (1 <= n2)%nat -> (2 <= L)%nat ->
  0 <= eta < 1 -> 0 <= alpha -> 0 < gamma ->
  eta * INR (2 * L - 3) + 2 * alpha * INR (L - 1) < 1 ->
  (forall i, (S i < L)%nat ->
     2 * alpha < (1 - eta) * payload_level gamma L (S i) - (1 + eta) * payload_level gamma L i) ->
  exists (A1 A2 : matrix) (P T : nat -> nat -> nat -> R), forall bits state answer,
    (forall K1 K2 V1 V2, sharp_key L 8 A1 K1 -> sharp_key L 8 A2 K2 ->
       sharp_value L 0 V1 -> sharp_value L 1 V2 ->
       (length (state K1 K2 V1 V2) <= bits)%nat) ->
    sharp_guarantee n1 n2 8 b f L eta alpha gamma A1 A2 P T state answer ->
    (L ^ ((n1 + n2 - 2) * (f + b)) < 2 ^ (bits + 1))%nat.
Proof.
  intros Hn1 Hn2 HL Heta Ha Hgamma Hgrid Hpayload.
  destruct (sharp_multiplier_exists n1 n2 L eta alpha gamma HL Heta Ha Hgrid Hpayload)
    as (C & HC & Hleak1 & Hleak2).
  exists moment_key1, moment_key2, (moment_read C), (moment_tie C).
  intros bits state answer Hbits Hgood.
  rewrite Nat.add_1_r, <- bitstrings_upto_length. apply Nat.lt_succ_r.
  apply (sharp_floor_states n1 n2 8 b f L eta alpha gamma C C moment_key1 moment_key2
    (moment_read C) (moment_tie C)) with (state := state) (answer := answer); auto.
  - intros i k _ _ Hik _. split; [now apply moment_read_singles_out|now apply moment_tie_ties].
  - intros K1 K2 V1 V2 HK1 HK2 HV1 HV2. apply in_bitstrings_upto. auto.
Qed.

(** With public coins and failure probability at most δ: log₂ L - H₂(δ) - δ log₂(L-1) bits for
    each symbol. *)
Theorem sharp_floor_randomized n1 n2 b f L eta alpha gamma :
  (1 <= n1)%nat -> (1 <= n2)%nat -> (2 <= L)%nat ->
  0 <= eta < 1 -> 0 <= alpha -> 0 < gamma ->
  eta * INR (2 * L - 3) + 2 * alpha * INR (L - 1) < 1 ->
  (forall i, (S i < L)%nat ->
     2 * alpha < (1 - eta) * payload_level gamma L (S i) - (1 + eta) * payload_level gamma L i) ->
  exists (A1 A2 : matrix) (P Q : nat -> nat -> nat -> R),
    forall bits T w delta state answer,
      distribution T w -> 0 <= delta <= INR (L - 1) / INR L ->
      (forall r K1 K2 V1 V2, sharp_key L 8 A1 K1 -> sharp_key L 8 A2 K2 ->
         sharp_value L 0 V1 -> sharp_value L 1 V2 -> length (state r K1 K2 V1 V2) = bits) ->
      sharp_guarantee_randomized n1 n2 8 b f L eta alpha gamma delta A1 A2 P Q T w state answer ->
      INR ((n1 + n2 - 2) * (f + b)) * (log2 (INR L) - H2 delta - delta * log2 (INR (L - 1)))
        <= INR bits.
Proof.
  intros Hn1 Hn2 HL Heta Ha Hgamma Hgrid Hpayload.
  destruct (sharp_multiplier_exists n1 n2 L eta alpha gamma HL Heta Ha Hgrid Hpayload)
    as (C & HC & Hleak1 & Hleak2).
  exists moment_key1, moment_key2, (moment_read C), (moment_tie C).
  intros bits T w delta state answer.
  apply (sharp_coins n1 n2 8 b f L eta alpha gamma C C moment_key1 moment_key2
    (moment_read C) (moment_tie C) Hn1 Hn2 HL Heta Ha Hgamma); try assumption.
  - intros i k _ _ _ _. now apply moment_read_singles_out.
  - intros i k _ _ Hik _. now apply moment_tie_ties.
Qed.
