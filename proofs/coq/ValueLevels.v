(** H6 `value-levels`: values hold symbols of as many levels as (η, α) tells apart: n d_v of them,
    at order 1 and in one slot at any order. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Guarantee Bits Entropy Symbols MixedSymbols
  SymbolsRandomized DecodeThreshold Keys Levels GivenValues Parts FourCacheOrder.
Import ListNotations.
Open Scope R_scope.

(** ** How many levels there are *)

(** Where level k is, from 0 on, if there is the room 1 between neighbours y, z, that is if
    (1-η) z - (1+η) y = 1: the sum of κ^0 .. κ^(k-1) over 1-η, κ = (1+η)/(1-η). *)
Definition stretch (eta : R) (k : nat) : R :=
  rsum k (fun i => ((1 + eta) / (1 - eta)) ^ i) / (1 - eta).

(** L levels of equal room from 0 to 1. *)
Definition equal_level (eta : R) (L k : nat) : R := stretch eta k / stretch eta (L - 1).

(** What is left of their room when answers may be off by α. *)
Definition equal_room (eta alpha : R) (L : nat) : R := 1 / stretch eta (L - 1) - 2 * alpha.

Lemma stretch_next eta k : 0 <= eta < 1 ->
  (1 - eta) * stretch eta (S k) - (1 + eta) * stretch eta k = 1.
Proof.
  intros He. unfold stretch. rewrite rsum_first. simpl pow.
  rewrite rsum_scal.
  change (pow ((1 + eta) / (1 - eta))) with (fun i => ((1 + eta) / (1 - eta)) ^ i).
  set (s := rsum k _). field. lra.
Qed.

Lemma stretch_increasing eta k : 0 <= eta < 1 -> 0 <= stretch eta k < stretch eta (S k).
Proof.
  intros He. unfold stretch. simpl rsum.
  assert (Hk : 0 < (1 + eta) / (1 - eta)) by (apply Rdiv_lt_0_compat; lra).
  assert (Hinv : 0 < / (1 - eta)) by (apply Rinv_0_lt_compat; lra).
  assert (0 <= rsum k (fun i => ((1 + eta) / (1 - eta)) ^ i))
    by (apply rsum_nonneg; intros; left; now apply pow_lt).
  pose proof (pow_lt _ k Hk). split; unfold Rdiv at 1; nra.
Qed.

Lemma stretch_le eta j k : 0 <= eta < 1 -> (j <= k)%nat -> stretch eta j <= stretch eta k.
Proof.
  intros He. induction 1 as [|k Hjk IH]; [lra|]. pose proof (stretch_increasing eta k He). lra.
Qed.

Lemma stretch_pos eta k : 0 <= eta < 1 -> (1 <= k)%nat -> 0 < stretch eta k.
Proof.
  intros He Hk. destruct k as [|k]; [lia|]. pose proof (stretch_increasing eta k He). lra.
Qed.

Lemma equal_level_unit eta L k : 0 <= eta < 1 -> (2 <= L)%nat -> (k < L)%nat ->
  0 <= equal_level eta L k <= 1.
Proof.
  intros He HL Hk. pose proof (stretch_pos eta (L - 1) He ltac:(lia)) as Hp.
  pose proof (stretch_increasing eta k He). pose proof (stretch_le eta k (L - 1) He ltac:(lia)).
  unfold equal_level. split.
  - apply Rmult_le_pos; [lra|]. left. now apply Rinv_0_lt_compat.
  - apply (Rmult_le_reg_r (stretch eta (L - 1))); [exact Hp|].
    replace (stretch eta k / stretch eta (L - 1) * stretch eta (L - 1)) with (stretch eta k)
      by (field; lra). lra.
Qed.

(** The room between neighbours is the same for all. *)
Theorem value_levels_room eta L k :
  0 <= eta < 1 -> (2 <= L)%nat ->
  (1 - eta) * equal_level eta L (S k) - (1 + eta) * equal_level eta L k
    = 1 / stretch eta (L - 1).
Proof.
  intros He HL. pose proof (stretch_pos eta (L - 1) He ltac:(lia)) as Hp.
  pose proof (stretch_next eta k He) as E. unfold equal_level, Rdiv.
  rewrite <- !Rmult_assoc, <- Rmult_minus_distr_r, E. reflexivity.
Qed.

(** No levels have more room between all neighbours. *)
Theorem value_levels_no_more eta alpha L rho (lev : nat -> R) :
  0 <= eta < 1 -> (2 <= L)%nat -> 0 <= lev 0%nat -> lev (L - 1)%nat <= 1 ->
  (forall k, (S k < L)%nat -> rho <= (1 - eta) * lev (S k) - (1 + eta) * lev k - 2 * alpha) ->
  rho <= equal_room eta alpha L.
Proof.
  intros He HL H0 H1 Hroom. pose proof (stretch_pos eta (L - 1) He ltac:(lia)) as Hp.
  destruct (Rle_dec 0 (2 * alpha + rho)) as [Hrho|Hrho].
  2: { unfold equal_room. pose proof (Rdiv_lt_0_compat 1 _ ltac:(lra) Hp). lra. }
  assert (H : forall k, (k < L)%nat -> (2 * alpha + rho) * stretch eta k <= lev k).
  { induction k as [|k IH]; intros Hk.
    - unfold stretch. simpl. unfold Rdiv. rewrite Rmult_0_l, Rmult_0_r. exact H0.
    - specialize (IH ltac:(lia)). specialize (Hroom k Hk).
      pose proof (stretch_next eta k He) as E.
      apply (Rmult_le_reg_l (1 - eta)); [lra|].
      replace ((1 - eta) * ((2 * alpha + rho) * stretch eta (S k)))
        with ((2 * alpha + rho) * ((1 - eta) * stretch eta (S k))) by ring.
      replace ((1 - eta) * stretch eta (S k)) with (1 + (1 + eta) * stretch eta k) by lra.
      assert ((1 + eta) * ((2 * alpha + rho) * stretch eta k) <= (1 + eta) * lev k)
        by (apply Rmult_le_compat_l; lra). lra. }
  specialize (H (L - 1)%nat ltac:(lia)).
  unfold equal_room. apply (Rmult_le_reg_r (stretch eta (L - 1))); [exact Hp|].
  replace ((1 / stretch eta (L - 1) - 2 * alpha) * stretch eta (L - 1))
    with (1 - 2 * alpha * stretch eta (L - 1)) by (field; lra). lra.
Qed.

(** So (η, α) tells L levels in [0, 1] apart exactly if these have room left. *)
Theorem value_levels_most eta alpha L :
  0 <= eta < 1 -> (2 <= L)%nat ->
  (exists lev, told eta alpha L lev) <-> 0 < equal_room eta alpha L.
Proof.
  intros He HL. split.
  - intros (lev & Hunit & Hroom).
    destruct (least_of_finitely_many L
      (fun k => (1 - eta) * lev (S k) - (1 + eta) * lev k - 2 * alpha))
      as (rho & Hrho & Hle); [intros k Hk; specialize (Hroom k Hk); lra|].
    pose proof (value_levels_no_more eta alpha L rho lev He HL
      (proj1 (Hunit 0%nat ltac:(lia))) (proj2 (Hunit (L - 1)%nat ltac:(lia))) Hle). lra.
  - intros H. exists (equal_level eta L). split.
    + intros k Hk. now apply equal_level_unit.
    + intros k Hk. rewrite value_levels_room by assumption. unfold equal_room in H. lra.
Qed.

(** In closed form, for η > 0. *)
Theorem value_levels_relative eta alpha L : 0 < eta < 1 -> (2 <= L)%nat ->
  equal_room eta alpha L = 2 * eta / (((1 + eta) / (1 - eta)) ^ (L - 1) - 1) - 2 * alpha.
Proof.
  intros He HL. pose proof (stretch_pos eta (L - 1) ltac:(lra) ltac:(lia)) as Hp.
  assert (E : ((1 + eta) / (1 - eta)) ^ (L - 1) = 1 + 2 * eta * stretch eta (L - 1)).
  { generalize (L - 1)%nat. intros k. unfold stretch.
    induction k as [|k IH]; [simpl; field; lra|]. simpl pow. simpl rsum.
    set (x := ((1 + eta) / (1 - eta)) ^ k) in *. set (s := rsum k _) in *.
    transitivity (1 + 2 * eta * (s / (1 - eta)) + 2 * eta * (x / (1 - eta)));
      [rewrite <- IH|]; field; lra. }
  unfold equal_room. rewrite E. field. split; nra.
Qed.

(** So there is room for η > 0 exactly if κ^(L-1) < 1 + η/α. *)
Theorem value_levels_closed eta alpha L :
  0 < eta < 1 -> 0 < alpha -> (2 <= L)%nat ->
  0 < equal_room eta alpha L <-> ((1 + eta) / (1 - eta)) ^ (L - 1) < 1 + eta / alpha.
Proof.
  intros He Ha HL. rewrite value_levels_relative by assumption.
  set (x := ((1 + eta) / (1 - eta)) ^ (L - 1)).
  assert (Hx : 1 < x).
  { apply Rlt_pow_R1; [|lia]. apply (Rmult_lt_reg_r (1 - eta)); [lra|].
    replace ((1 + eta) / (1 - eta) * (1 - eta)) with (1 + eta) by (field; lra). lra. }
  assert (E : (2 * eta / (x - 1) - 2 * alpha) * (x - 1) = 2 * (alpha + eta - alpha * x))
    by (field; lra).
  assert (E' : (1 + eta / alpha) * alpha = alpha + eta) by (field; lra).
  split; intros H.
  - apply (Rmult_lt_compat_r (x - 1)) in H; [|lra].
    apply (Rmult_lt_reg_r alpha); [exact Ha|]. lra.
  - apply (Rmult_lt_compat_r alpha) in H; [|exact Ha].
    apply (Rmult_lt_reg_r (x - 1)); [lra|]. lra.
Qed.

(** For η = 0 the levels are the grid of S1. *)
Theorem value_levels_absolute alpha L : (2 <= L)%nat ->
  equal_room 0 alpha L = 1 / INR (L - 1) - 2 * alpha /\
  forall k, equal_level 0 L k = INR k / INR (L - 1).
Proof.
  intros HL. assert (E : forall k, stretch 0 k = INR k).
  { intros k. unfold stretch. rewrite (rsum_ext k _ (fun _ => 1)).
    - rewrite rsum_const. field.
    - intros i _. replace ((1 + 0) / (1 - 0)) with 1 by field. apply pow1. }
  unfold equal_room, equal_level. split; [now rewrite E|]. intros k. now rewrite !E.
Qed.

(** The condition on the leak, as a margin in nats: g > ln(M(1+η+2α)/ρ) for M competitors and the
    room ρ. *)
Theorem value_levels_margin n eta alpha L g :
  (2 <= n)%nat -> 0 <= eta < 1 -> (2 <= L)%nat -> 0 < equal_room eta alpha L ->
  g > ln (INR (n - 1) * (1 + eta + 2 * alpha) / equal_room eta alpha L) ->
  leaves_room n g eta alpha L (equal_level eta L).
Proof.
  intros Hn He HL Hroom Hg. split; [intros; now apply equal_level_unit|]. intros s Hs.
  rewrite value_levels_room by assumption. fold (equal_room eta alpha L).
  assert (HM : 1 <= INR (n - 1)) by (apply (le_INR 1); lia).
  set (r := equal_room eta alpha L) in *. destruct (Rle_dec (1 + eta + 2 * alpha) 0) as [Hneg|Hsum].
  { pose proof (excess_nonneg (n - 1) g). nra. }
  assert (Hpos : 0 < INR (n - 1) * (1 + eta + 2 * alpha) / r) by (apply Rdiv_lt_0_compat; nra).
  pose proof (margin_beats_log _ g Hpos Hg) as H. apply (Rmult_lt_compat_r r) in H; [|exact Hroom].
  replace (INR (n - 1) * (1 + eta + 2 * alpha) / r * exp (- g) * r)
    with (excess (n - 1) g * (1 + eta + 2 * alpha)) in H by (unfold excess; field; lra). lra.
Qed.

(** ** The floor *)

Lemma unit_eq : forall p p' : unit, {p = p'} + {p <> p'}.
Proof. intros [] []. now left. Qed.

Section Floor.
Variables (n m d d_v L : nat) (K : matrix) (lev : nat -> R).
Hypothesis Hm : (1 <= m)%nat.

Let rows := entries [tt] (fun _ => n) (fun _ => d_v).
Let kinds_rows := kinds (kinds_of (fun _ : unit => L)) rows.

Lemma kinds_rows_power : kinds_rows = (L ^ (n * d_v))%nat.
Proof.
  unfold kinds_rows. rewrite (kinds_same _ L) by reflexivity. f_equal. apply INR_eq.
  transitivity (lsum (fun _ : unit * (nat * nat) => 1) rows); [rewrite lsum_const; ring|].
  unfold rows. rewrite (lsum_entries [tt] (fun _ => n) (fun _ => d_v) (fun _ => 1)). simpl. ring.
Qed.

(** Bits for all words answer every query exactly. *)
Theorem value_levels_met b : (L ^ (n * d_v) <= 2 ^ b)%nat ->
  exists (state : matrix -> list bool) (answer : reader),
    (forall V, length (state V) = b) /\
    (forall V q c, level_values L lev V -> (c < d_v)%nat ->
       answer (state V) q c = order_out 0 n m d K q V c).
Proof.
  rewrite <- kinds_rows_power. intros Hb.
  destruct (parts_met unit_eq [tt] (fun _ => 0%nat) (fun _ => n) (fun _ => m) (fun _ => d)
    (fun _ => d_v) (fun _ => L) (fun _ => K) (fun _ => lev) b (fun _ _ => Hm) Hb)
    as (state & answer & Hlen & Hans).
  exists (fun V => state (fun _ => V)), (answer tt). split; [auto|]. intros V q c HV Hc.
  now apply (Hans (fun _ => V) tt); [|left|].
Qed.

Section Keys.
Variables (Q : nat -> nat -> R) (eta alpha g : R).
Hypothesis Heta : 0 <= eta < 1.
Hypothesis Halpha : 0 <= alpha.
Hypothesis HL : (1 <= L)%nat.
Hypothesis Hmargin : forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g.
Hypothesis Hroom : leaves_room n g eta alpha L lev.

(** As many states as there are instances. *)
Theorem value_levels_states (states : list (list bool)) (state : matrix -> list bool)
    (answer : reader) :
  (forall V, level_values L lev V -> In (state V) states) ->
  (forall V i c, level_values L lev V -> (i < n)%nat -> (c < d_v)%nat ->
     accurate eta alpha (answer (state V) (Q i) c) (order_out 0 n m d K (Q i) V c)) ->
  (L ^ (n * d_v) <= length states)%nat.
Proof.
  intros Hstates Hgood. rewrite <- kinds_rows_power.
  apply (parts_states unit_eq [tt] (fun _ => 0%nat) (fun _ => n) (fun _ => m) (fun _ => d)
    (fun _ => d_v) (fun _ => L) (fun _ => K) (fun _ => lev)) with (Q := fun _ => Q)
    (g := fun _ => g) (eta := eta) (alpha := alpha) (state := fun V => state (V tt))
    (answer := fun _ => answer); auto.
  - repeat constructor. simpl. tauto.
  - intros _ _. now apply margin_window.
  - intros V [] i c HV _. apply Hgood, HV.
Qed.

(** With public coins, failure probability at most δ and states of exactly b bits. *)
Theorem value_levels_randomized b T w delta (state : nat -> matrix -> list bool)
    (answer : nat -> reader) :
  (2 <= L)%nat -> distribution T w -> 0 <= delta <= INR (L - 1) / INR L ->
  (forall u V, level_values L lev V -> length (state u V) = b) ->
  (forall V i c, level_values L lev V -> (i < n)%nat -> (c < d_v)%nat ->
     rsum T (fun u => w u * failure eta alpha (answer u (state u V) (Q i) c)
                        (order_out 0 n m d K (Q i) V c)) <= delta) ->
  INR (n * d_v) * (log2 (INR L) - H2 delta - delta * log2 (INR (L - 1))) <= INR b.
Proof.
  clear HL. intros HL2 Hw Hdelta Hb Hfail. rewrite <- (log2_states b).
  assert (HL : (1 <= L)%nat) by lia.
  replace (INR (n * d_v) * _)
    with (lsum (fun _ : unit => INR (n * d_v) * symbol_share delta L) [tt])
    by (simpl; unfold symbol_share; ring).
  apply (parts_randomized unit_eq [tt] (fun _ => 0%nat) (fun _ => n) (fun _ => m) (fun _ => d)
    (fun _ => d_v) (fun _ => L) (fun _ => K) (fun _ => lev)) with (Q := fun _ => Q)
    (g := fun _ => g) (eta := eta) (alpha := alpha) (T := T) (w := w) (delta := delta)
    (state := fun u V => state u (V tt)) (answer := fun u _ => answer u); auto; try apply Hdelta.
  - repeat constructor. simpl. tauto.
  - intros _ _. now apply margin_window.
  - intros u V HV. apply in_bitstrings, Hb, HV.
  - intros V [] i c HV _. apply Hfail, HV.
Qed.
End Keys.
End Floor.

(** With states of up to b bits, which are 2^(b+1) - 1 in number. *)
Theorem value_levels_up_to n m d d_v L K lev Q eta alpha g b (state : matrix -> list bool)
    (answer : reader) :
  (1 <= m)%nat -> 0 <= eta < 1 -> 0 <= alpha -> (1 <= L)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  leaves_room n g eta alpha L lev ->
  (forall V, level_values L lev V -> (length (state V) <= b)%nat) ->
  (forall V i c, level_values L lev V -> (i < n)%nat -> (c < d_v)%nat ->
     accurate eta alpha (answer (state V) (Q i) c) (order_out 0 n m d K (Q i) V c)) ->
  (L ^ (n * d_v) < 2 ^ (b + 1))%nat.
Proof.
  intros Hm He Ha HL Hg Hroom Hb Hgood.
  rewrite Nat.add_1_r, <- bitstrings_upto_length. apply Nat.lt_succ_r.
  apply (value_levels_states n m d d_v L K lev Hm Q eta alpha g) with state answer; auto.
  intros V HV. apply in_bitstrings_upto. auto.
Qed.

(** Some margin is enough, whatever the number of tokens. *)
Lemma room_left n eta alpha L : 0 <= eta < 1 -> 0 <= alpha -> (2 <= L)%nat ->
  0 < equal_room eta alpha L -> exists g, 0 <= g /\ leaves_room n g eta alpha L (equal_level eta L).
Proof.
  intros He Ha HL Hroom.
  destruct (small_leak (n - 1) (1 + eta + 2 * alpha) (equal_room eta alpha L)) as (g & Hg & Hleak);
    [lra|exact Hroom|].
  exists g. split; [exact Hg|]. split; [intros; now apply equal_level_unit|]. intros s Hs.
  rewrite value_levels_room by assumption. fold (equal_room eta alpha L). exact Hleak.
Qed.

(** H6: if (η, α) tells L levels apart, there are keys of two entries such that states of exactly b
    bits are enough exactly if b >= n d_v log₂ L. *)
Theorem value_levels n m d d_v L eta alpha :
  (1 <= m)%nat -> (2 <= d)%nat -> (2 <= L)%nat -> 0 <= eta < 1 -> 0 <= alpha ->
  0 < equal_room eta alpha L ->
  exists (K : matrix) (Q : nat -> nat -> R), forall b,
    (exists (state : matrix -> list bool) (answer : reader),
       (forall V, level_values L (equal_level eta L) V -> length (state V) = b) /\
       (forall V i c, level_values L (equal_level eta L) V -> (i < n)%nat -> (c < d_v)%nat ->
          accurate eta alpha (answer (state V) (Q i) c) (order_out 0 n m d K (Q i) V c)))
    <-> INR (n * d_v) * log2 (INR L) <= INR b.
Proof.
  intros Hm Hd HL He Ha Hroom. destruct (room_left n eta alpha L He Ha HL Hroom) as
    (g & Hg & Hleft).
  exists parabola_key, (parabola_query g). intros b. rewrite <- bits_of_symbols by lia. split.
  - intros (state & answer & Hb & Hgood). rewrite <- (bitstrings_length b).
    apply (value_levels_states n m d d_v L parabola_key (equal_level eta L) Hm (parabola_query g)
      eta alpha g) with state answer; auto; try lia.
    + intros i _. now apply keys_parabola.
    + intros V HV. apply in_bitstrings. auto.
  - intros Hb. destruct (value_levels_met n m d d_v L parabola_key (equal_level eta L) Hm b Hb)
      as (state & answer & Hlen & Hans).
    exists state, answer. split; [auto|]. intros V i c HV Hi Hc. rewrite Hans by assumption.
    now apply accurate_exact.
Qed.
