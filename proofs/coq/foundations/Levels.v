(** Outputs that stand for symbols of more than one bit, and when accurate answers to two of
    them differ; pairs of tokens singled out by a query. *)
From Coq Require Import Reals Lra Lia Arith List.
From KVFloor Require Import Sums Attention Guarantee Bits Symbols SoftmaxConcentration Keys.
Open Scope R_scope.

Definition unit_value (v : R) : Prop := 0 <= v <= 1.

(** An output differs from the value singled out by no more than the leak. *)
Lemma output_near_value n s v i g :
  (i < n)%nat -> margin n s i g -> (forall j, (j < n)%nat -> unit_value (v j)) ->
  let E := excess (n - 1) g in
  v i / (1 + E) <= output n s v <= (v i + E) / (1 + E).
Proof.
  intros Hi Hm Hv E. pose proof (softmax_concentration n s i g Hi Hm) as Hp.
  pose proof (softmax_concentration_rest n s i g Hi Hm) as Hr.
  rewrite leak_complement in Hp. unfold leak in Hr. fold E in Hp, Hr.
  pose proof (excess_nonneg (n - 1) g : 0 <= E) as HE.
  pose proof (weight_total n s ltac:(lia)) as Ht. rewrite (rsum_split n i) in Ht by exact Hi.
  set (p := weight n s i) in *.
  set (rest := rsum n (fun j => if Nat.eqb j i then 0 else weight n s j)) in *.
  rewrite (output_split n s v i Hi). fold p.
  set (w := rsum n (fun j => if Nat.eqb j i then 0 else weight n s j * v j)).
  assert (Hw0 : 0 <= w).
  { apply rsum_nonneg. intros j Hj. destruct (Nat.eqb j i); [lra|].
    apply Rmult_le_pos; [apply weight_nonneg; lia|apply Hv, Hj]. }
  assert (Hw1 : w <= rest).
  { apply rsum_le. intros j Hj. destruct (Nat.eqb j i); [lra|].
    rewrite <- (Rmult_1_r (weight n s j)) at 2.
    apply Rmult_le_compat_l; [apply weight_nonneg; lia|apply Hv, Hj]. }
  destruct (Hv i Hi) as [V0 V1]. split.
  - unfold Rdiv at 1. rewrite Rmult_comm. unfold Rdiv in Hp. rewrite Rmult_1_l in Hp. nra.
  - replace ((v i + E) / (1 + E)) with (v i + (1 - v i) * (E / (1 + E))) by (field; lra). nra.
Qed.

(** Two levels y < z are told apart by accurate answers, whatever leaks, if the room between
    them, (1 - eta) z - (1 + eta) y - 2 alpha, is more than E (1 + eta + 2 alpha). *)
Lemma levels_apart eta alpha E y z out out' o :
  0 <= eta < 1 -> 0 <= alpha -> 0 <= E -> 0 <= y -> 0 <= z ->
  E * (1 + eta + 2 * alpha) < (1 - eta) * z - (1 + eta) * y - 2 * alpha ->
  0 <= out <= (y + E) / (1 + E) -> z / (1 + E) <= out' ->
  accurate eta alpha o out -> accurate eta alpha o out' -> False.
Proof.
  intros Heta Ha HE Hy Hz Hroom [Hout0 Hout] Hout' Ho Ho'. unfold accurate in *.
  assert (Hz' : 0 <= z / (1 + E)) by (apply Rmult_le_pos; [lra|left; apply Rinv_0_lt_compat; lra]).
  rewrite (Rabs_right out) in Ho by lra. rewrite (Rabs_right out') in Ho' by lra.
  apply Rabs_le_inv in Ho, Ho'.
  assert (H1 : out * (1 + E) <= y + E).
  { apply (Rmult_le_compat_r (1 + E)) in Hout; [|lra].
    replace ((y + E) / (1 + E) * (1 + E)) with (y + E) in Hout by (field; lra). exact Hout. }
  assert (H2 : z <= out' * (1 + E)).
  { apply (Rmult_le_compat_r (1 + E)) in Hout'; [|lra].
    replace (z / (1 + E) * (1 + E)) with z in Hout' by (field; lra). exact Hout'. }
  assert (H3 : (1 - eta) * out' <= (1 + eta) * out + 2 * alpha) by lra.
  nra.
Qed.

(** Outputs that are near the levels of their symbols, with room between any two, are told apart:
    query k turns symbol i into the level lev k i, and E k is what leaks. *)
Lemma levels_separate N L eta alpha (out : list nat -> nat -> R) (lev : nat -> nat -> R) E :
  0 <= eta < 1 -> 0 <= alpha ->
  (forall k, (k < N)%nat -> 0 <= E k) ->
  (forall k i, (k < N)%nat -> (i < L)%nat -> 0 <= lev k i) ->
  (forall k i i', (k < N)%nat -> (i < i')%nat -> (i' < L)%nat ->
     E k * (1 + eta + 2 * alpha) < (1 - eta) * lev k i' - (1 + eta) * lev k i - 2 * alpha) ->
  (forall x k, symbols N L x -> (k < N)%nat ->
     let y := lev k (nth k x 0%nat) in y / (1 + E k) <= out x k <= (y + E k) / (1 + E k)) ->
  separated N L (accurate eta alpha) out.
Proof.
  intros Heta Ha HE Hlev Hroom Hout.
  assert (Hhalf : forall x y k o, symbols N L x -> symbols N L y -> (k < N)%nat ->
    accurate eta alpha o (out x k) -> accurate eta alpha o (out y k) ->
    ~ (nth k x 0 < nth k y 0)%nat).
  { intros x y k o Hx Hy Hk Hox Hoy Hlt.
    destruct (Hout x k Hx Hk) as [Hx1 Hx2]. destruct (Hout y k Hy Hk) as [Hy1 _].
    pose proof (proj2 Hx k Hk) as Sx. pose proof (proj2 Hy k Hk) as Sy. specialize (HE k Hk).
    refine (levels_apart eta alpha (E k) _ _ _ _ o Heta Ha HE (Hlev k _ Hk Sx) (Hlev k _ Hk Sy)
      (Hroom k _ _ Hk Hlt Sy) (conj _ Hx2) Hy1 Hox Hoy).
    eapply Rle_trans; [|exact Hx1].
    apply Rmult_le_pos; [now apply Hlev|left; apply Rinv_0_lt_compat; lra]. }
  intros x y k o Hx Hy Hk Hox Hoy.
  pose proof (Hhalf x y k o Hx Hy Hk Hox Hoy). pose proof (Hhalf y x k o Hy Hx Hk Hoy Hox). lia.
Qed.

(** ** Pairs of tokens *)

(** The logit of the pair (i, k) beats that of every other pair by at least g. *)
Definition singles_out (n1 n2 : nat) (s : nat -> nat -> R) (i k : nat) (g : R) : Prop :=
  forall j l, (j < n1)%nat -> (l < n2)%nat -> (j, l) <> (i, k) -> s i k >= s j l + g.

Lemma singles_out_flat n1 n2 s i k g :
  (k < n2)%nat -> singles_out n1 n2 s i k g ->
  margin (n1 * n2) (fun a => s (a / n2)%nat (a mod n2)%nat) (i * n2 + k) g.
Proof.
  intros Hk Hm a Ha Hne. rewrite (pair_div n2 i k Hk), (pair_mod n2 i k Hk). apply Hm.
  - apply Nat.div_lt_upper_bound; lia.
  - apply Nat.mod_upper_bound; lia.
  - intros E. injection E as E1 E2. apply Hne.
    rewrite (Nat.div_mod a n2) by lia. rewrite E1, E2. lia.
Qed.

(** An output differs from the product of values singled out by no more than the leak. *)
Lemma pair_output_near_value n1 n2 d q K1 K2 V1 V2 i k c g :
  (i < n1)%nat -> (k < n2)%nat -> singles_out n1 n2 (logit2 d q K1 K2) i k g ->
  (forall j, (j < n1)%nat -> unit_value (V1 j c)) ->
  (forall l, (l < n2)%nat -> unit_value (V2 l c)) ->
  let E := excess (n1 * n2 - 1) g in
  V1 i c * V2 k c / (1 + E) <= attention2 n1 n2 d q K1 K2 V1 V2 c
    <= (V1 i c * V2 k c + E) / (1 + E).
Proof.
  intros Hi Hk Hm H1 H2 E. rewrite attention2_pair, pair_attention_flat.
  pose proof (output_near_value (n1 * n2) _
    (fun a => V1 (a / n2)%nat c * V2 (a mod n2)%nat c) (i * n2 + k) g ltac:(nia)
    (singles_out_flat n1 n2 _ i k g Hk Hm)) as H.
  cbv beta in H. rewrite (pair_div n2 i k Hk), (pair_mod n2 i k Hk) in H.
  apply H. intros a Ha.
  assert (Ha1 : (a / n2 < n1)%nat) by (apply Nat.div_lt_upper_bound; lia).
  assert (Ha2 : (a mod n2 < n2)%nat) by (apply Nat.mod_upper_bound; lia).
  pose proof (H1 _ Ha1) as [? ?]. pose proof (H2 _ Ha2) as [? ?]. unfold unit_value. nra.
Qed.

(** ** The grid *)

(** Symbol k of 0 .. L-1 stands for k / (L-1). *)
Definition level (L k : nat) : R := INR k / INR (L - 1).

Lemma grid_size L : (2 <= L)%nat -> 1 <= INR (L - 1).
Proof. intros HL. apply (le_INR 1). lia. Qed.

Lemma level_unit L k : (2 <= L)%nat -> (k < L)%nat -> unit_value (level L k).
Proof.
  intros HL Hk. pose proof (grid_size L HL) as HD. unfold unit_value, level. split.
  - apply Rmult_le_pos; [apply pos_INR|left; apply Rinv_0_lt_compat; lra].
  - apply (Rmult_le_reg_r (INR (L - 1))); [lra|].
    replace (INR k / INR (L - 1) * INR (L - 1)) with (INR k) by (field; lra).
    rewrite Rmult_1_l. apply le_INR. lia.
Qed.

Lemma level_top L : (2 <= L)%nat -> level L (L - 1) = 1.
Proof. intros HL. pose proof (grid_size L HL). unfold level. field. lra. Qed.

Lemma level_inj L k k' : (2 <= L)%nat -> level L k = level L k' -> k = k'.
Proof.
  intros HL. pose proof (grid_size L HL) as HD. unfold level. intros H.
  apply INR_eq. apply (Rmult_eq_reg_r (/ INR (L - 1))); [exact H|].
  apply Rinv_neq_0_compat. lra.
Qed.

(** The room between neighbours of the grid is least below the level 1. *)
Lemma grid_room L eta alpha k k' :
  (2 <= L)%nat -> 0 <= eta < 1 -> (k < k')%nat -> (k' < L)%nat ->
  (1 - eta * INR (2 * L - 3)) / INR (L - 1) - 2 * alpha
    <= (1 - eta) * level L k' - (1 + eta) * level L k - 2 * alpha.
Proof.
  intros HL Heta Hk Hk'. pose proof (grid_size L HL) as HD. unfold level.
  apply Rplus_le_compat_r. apply (Rmult_le_reg_r (INR (L - 1))); [lra|].
  replace (((1 - eta) * (INR k' / INR (L - 1)) - (1 + eta) * (INR k / INR (L - 1)))
             * INR (L - 1)) with ((1 - eta) * INR k' - (1 + eta) * INR k) by (field; lra).
  replace ((1 - eta * INR (2 * L - 3)) / INR (L - 1) * INR (L - 1))
    with (1 - eta * INR (2 * L - 3)) by (field; lra).
  assert (H1 : INR k + 1 <= INR k') by (rewrite <- S_INR; apply le_INR; lia).
  assert (H2 : INR k' <= INR (L - 1)) by (apply le_INR; lia).
  assert (H3 : INR (2 * L - 3) = 2 * INR (L - 1) - 1).
  { replace (2 * L - 3)%nat with (2 * (L - 1) - 1)%nat by lia.
    rewrite minus_INR, mult_INR by lia. simpl; ring. }
  rewrite H3. nra.
Qed.

(** The pair keys single out every pair, with any margin, from d = 4 on. *)
Lemma pair_keys_single_out n1 n2 d g i k :
  (4 <= d)%nat -> 0 <= g ->
  singles_out n1 n2 (logit2 d (pair_query g i k) pair_key1 pair_key2) i k g.
Proof.
  intros Hd Hg j l _ _ Hne. rewrite !pair_logit by exact Hd.
  assert (Hgap : 1 <= (INR i - INR j) * (INR i - INR j) + (INR k - INR l) * (INR k - INR l)).
  { destruct (Nat.eq_dec i j) as [->|E].
    - assert (k <> l) by congruence. pose proof (INR_gap k l H).
      replace (INR j - INR j) with 0 by ring. lra.
    - pose proof (INR_gap i j E). pose proof (Rle_0_sqr (INR k - INR l)) as Hs. unfold Rsqr in Hs.
      lra. }
  set (D := _ + _) in Hgap |- *. nra.
Qed.

(** A margin above ln x makes x exp(-g) less than 1. *)
Lemma margin_beats_log x g : 0 < x -> g > ln x -> x * exp (- g) < 1.
Proof.
  intros Hx Hg. rewrite <- (exp_ln x) at 1 by exact Hx.
  rewrite <- exp_plus, <- exp_0. apply exp_increasing. lra.
Qed.

(** Some margin lets as little leak as is asked for. *)
Lemma small_leak M A rho :
  0 <= A -> 0 < rho -> exists g, 0 <= g /\ INR M * exp (- g) * A < rho.
Proof.
  intros HA Hrho. pose proof (pos_INR M) as HM. exists (INR M * A / rho).
  assert (H0 : 0 <= INR M * A / rho).
  { apply Rmult_le_pos; [nra|left; apply Rinv_0_lt_compat; lra]. }
  split; [exact H0|]. rewrite exp_Ropp.
  pose proof (exp_ineq1_le (INR M * A / rho)) as He.
  pose proof (exp_pos (INR M * A / rho)) as Hp.
  apply (Rmult_lt_reg_r (exp (INR M * A / rho))); [exact Hp|].
  replace (INR M * / exp (INR M * A / rho) * A * exp (INR M * A / rho)) with (INR M * A)
    by (field; lra).
  assert (INR M * A = rho * (INR M * A / rho)) by (field; lra). nra.
Qed.

(** What is positive finitely often is not below some positive number. *)
Lemma least_of_finitely_many L (F : nat -> R) :
  (forall i, (S i < L)%nat -> 0 < F i) ->
  exists rho, 0 < rho /\ forall i, (S i < L)%nat -> rho <= F i.
Proof.
  induction L as [|L IH]; intros H; [exists 1; split; [lra|lia]|].
  destruct IH as (rho & Hrho & Hle); [intros; apply H; lia|].
  destruct L as [|L]; [exists 1; split; [lra|intros; lia]|].
  exists (Rmin rho (F L)). split; [apply Rmin_glb_lt; [exact Hrho|apply H; lia]|].
  intros i Hi. destruct (Nat.eq_dec i L) as [->|]; [apply Rmin_r|].
  eapply Rle_trans; [apply Rmin_l|]. apply Hle. lia.
Qed.
