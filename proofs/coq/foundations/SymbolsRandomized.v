(** Public coins: a symbol of L kinds that is read wrongly with probability at most δ needs
    log₂ L - H₂(δ) - δ log₂(L-1) bits, whatever the kinds at the other places are. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Tuples Guarantee Bits Entropy Symbols MixedSymbols IndexRandomized.
Import ListNotations.
Open Scope R_scope.

(** log₂ L - H₂(δ) - δ log₂(L-1). *)
Definition symbol_share (delta : R) (L : nat) : R :=
  log2 (INR L) - H2 delta - delta * log2 (INR (L - 1)).

(** The multiplier that makes the most of an error of δ at a place of L symbols. *)
Definition odds (delta : R) (L : nat) : R := ln (1 - delta) + ln (INR (L - 1)) - ln delta.

Lemma error_limit delta L : (2 <= L)%nat -> 0 < delta <= INR (L - 1) / INR L ->
  1 <= INR (L - 1) /\ delta < 1 /\ delta <= (1 - delta) * INR (L - 1).
Proof.
  intros HL [Hpos Hle]. assert (H1 : 1 <= INR (L - 1)) by (apply (le_INR 1); lia).
  assert (E : INR L = INR (L - 1) + 1) by (rewrite <- S_INR; f_equal; lia).
  rewrite E in Hle. apply (Rmult_le_compat_r (INR (L - 1) + 1)) in Hle; [|lra].
  replace (INR (L - 1) / (INR (L - 1) + 1) * (INR (L - 1) + 1)) with (INR (L - 1)) in Hle
    by (field; lra). repeat split; [exact H1|nra|nra].
Qed.

(** Of two symbols or more at least half are wrong. *)
Lemma half_of_places L : (2 <= L)%nat -> 1 / 2 <= INR (L - 1) / INR L.
Proof.
  intros HL. assert (H1 : 1 <= INR (L - 1)) by (apply (le_INR 1); lia).
  assert (E : INR L = INR (L - 1) + 1) by (rewrite <- S_INR; f_equal; lia).
  apply (Rmult_le_reg_r (INR L)); [lra|].
  replace (INR (L - 1) / INR L * INR L) with (INR (L - 1)) by (field; lra). lra.
Qed.

Lemma odds_nonneg delta L : (2 <= L)%nat -> 0 < delta <= INR (L - 1) / INR L -> 0 <= odds delta L.
Proof.
  intros HL Hdelta. destruct (error_limit delta L HL Hdelta) as (H1 & Hlt & H3).
  unfold odds. rewrite <- ln_mult by lra.
  pose proof (ln_le delta ((1 - delta) * INR (L - 1)) (proj1 Hdelta) H3). lra.
Qed.

Section Words.
Context {A : Type} (eqA : forall a b : A, {a = b} + {a <> b}) (L : A -> nat).
(** What a guess costs: lam a where it is wrong. *)
Definition cost (lam : A -> R) (ks : list A) (x : list nat) (y : A -> nat) : R :=
  lsum (fun a => lam a * (if symbol eqA ks x a =? y a then 0 else 1)) ks.

Lemma cost_cons lam b ks s x y : ~ In b ks ->
  cost lam (b :: ks) (s :: x) y = lam b * (if s =? y b then 0 else 1) + cost lam ks x y.
Proof.
  intros Hb. unfold cost. simpl. destruct (eqA b b); [|congruence]. f_equal.
  apply lsum_ext. intros a Ha. destruct (eqA b a) as [->|]; [contradiction|reflexivity].
Qed.

(** Of the L symbols at a place all but at most one cost lam. *)
Lemma one_place n lam s : (1 <= n)%nat -> 0 <= lam ->
  lsum (fun k => exp (- (lam * (if k =? s then 0 else 1)))) (seq 0 n)
    <= 1 + INR (n - 1) * exp (- lam).
Proof.
  intros Hn Hlam.
  assert (He : exp (- lam) <= 1).
  { rewrite <- exp_0. destruct Hlam as [H|<-]; [left; apply exp_increasing; lra|].
    rewrite Ropp_0. lra. }
  rewrite (lsum_ext _ (fun k => if k =? s then 1 else exp (- lam))).
  2: { intros k _. destruct (k =? s); [rewrite Rmult_0_r, Ropp_0; apply exp_0|].
       now rewrite Rmult_1_r. }
  rewrite lsum_seq. destruct (le_lt_dec n s) as [Hs|Hs].
  - rewrite (rsum_ext n _ (fun _ => exp (- lam))).
    + rewrite rsum_const. replace (INR n) with (INR (n - 1) + 1)
        by (rewrite <- S_INR; f_equal; lia). lra.
    + intros k Hk. destruct (Nat.eqb_spec (0 + k) s); [lia|reflexivity].
  - rewrite (rsum_split n s) by exact Hs. simpl. rewrite Nat.eqb_refl.
    rewrite (rsum_ext n _ (fun k => if k =? s then 0 else exp (- lam))).
    + rewrite rsum_const_except by exact Hs. lra.
    + intros k _. now destruct (k =? s).
Qed.

(** What all words weigh that lie about a guess, a factor exp(-lam a) for each error. *)
Lemma word_distances lam ks y : NoDup ks -> (forall a, In a ks -> (1 <= L a)%nat /\ 0 <= lam a) ->
  lsum (fun x => exp (- cost lam ks x y)) (words L ks)
    <= lprod (fun a => 1 + INR (L a - 1) * exp (- lam a)) ks.
Proof.
  induction 1 as [|b ks Hb Hnd IH]; intros H.
  - simpl. unfold cost. simpl. rewrite Ropp_0, exp_0. lra.
  - simpl words. simpl lprod. rewrite lsum_flat_map.
    rewrite (lsum_ext _ (fun s => lsum (fun x => exp (- cost lam ks x y)) (words L ks)
      * exp (- (lam b * (if s =? y b then 0 else 1))))).
    + rewrite lsum_scal, Rmult_comm. destruct (H b (or_introl eq_refl)) as [HL Hlam].
      apply Rmult_le_compat.
      * apply lsum_nonneg. intros; left; apply exp_pos.
      * apply lsum_nonneg. intros; left; apply exp_pos.
      * now apply one_place.
      * apply IH. intros a Ha. apply H. now right.
    + intros s _. rewrite lsum_map, <- lsum_scal_r. apply lsum_ext. intros x _.
      rewrite cost_cons by exact Hb. rewrite Ropp_plus_distr, exp_plus. ring.
Qed.

(** Jensen: if the mean of e over words and coins is at most m, exp(-e) has a mean of at least
    exp(-m). *)
Lemma mean_exponential {X} (l : list X) T w (e : nat -> X -> R) m :
  distribution T w ->
  lsum (fun x => rsum T (fun r => w r * e r x)) l <= INR (length l) * m ->
  INR (length l) * exp (- m) <= lsum (fun x => rsum T (fun r => w r * exp (- e r x))) l.
Proof.
  intros [Hw Hw1] Hmean.
  apply Rle_trans with (lsum (fun x => exp (- m) * (1 + m)
      + exp (- m) * -1 * rsum T (fun r => w r * e r x)) l).
  - rewrite lsum_plus, lsum_const, lsum_scal. set (E := lsum _ _) in *.
    replace (INR (length l) * (exp (- m) * (1 + m)) + exp (- m) * -1 * E)
      with (exp (- m) * (INR (length l) + (INR (length l) * m - E))) by ring.
    rewrite Rmult_comm. apply Rmult_le_compat_l; [left; apply exp_pos|lra].
  - apply lsum_le. intros x _.
    apply Rle_trans with (rsum T (fun r => w r * (exp (- m) * (1 + (- e r x - - m))))).
    + right. rewrite (rsum_ext T (fun r => w r * (exp (- m) * (1 + (- e r x - - m))))
        (fun r => exp (- m) * (1 + m) * w r + exp (- m) * -1 * (w r * e r x))) by (intros; ring).
      rewrite rsum_plus, !rsum_scal, Hw1. ring.
    + apply rsum_le. intros r Hr. apply Rmult_le_compat_l; [auto|]. apply exp_tangent.
Qed.

Section Errors.
Variables (ks : list A) (T : nat) (w : nat -> R) (states : list (list bool)).
Variables (enc : nat -> list nat -> list bool) (dec : nat -> list bool -> A -> nat).
Hypothesis Hnd : NoDup ks.
Hypothesis HL : forall a, In a ks -> (2 <= L a)%nat.
Hypothesis Hw : distribution T w.
Hypothesis Hin : forall r x, (r < T)%nat -> In x (words L ks) -> In (enc r x) states.

Let Hkinds : 0 < INR (kinds L ks).
Proof. apply kinds_pos. intros a Ha. specialize (HL a Ha). lia. Qed.

(** Mean over words and coins of what the errors cost, times the number of words. *)
Definition total_cost (lam : A -> R) : R :=
  lsum (fun x => rsum T (fun r => w r * cost lam ks x (dec r (enc r x)))) (words L ks).

Lemma coding_bound lam m : (forall a, In a ks -> 0 <= lam a) ->
  total_cost lam <= INR (kinds L ks) * m ->
  INR (kinds L ks) * exp (- m)
    <= INR (length states) * lprod (fun a => 1 + INR (L a - 1) * exp (- lam a)) ks.
Proof.
  intros Hlam Hmean. rewrite <- words_length in *.
  eapply Rle_trans; [apply (mean_exponential (words L ks) T w _ m Hw Hmean)|].
  set (B := INR (length states) * _). rewrite lsum_rsum_swap.
  replace B with (rsum T (fun r => w r * B)) by (rewrite rsum_scal_r, (proj2 Hw); ring).
  apply rsum_le. intros r Hr. rewrite lsum_scal. apply Rmult_le_compat_l; [now apply Hw|].
  unfold B. rewrite <- lsum_const.
  apply Rle_trans with (lsum (fun msg => lsum (fun x => exp (- cost lam ks x (dec r msg)))
    (words L ks)) states).
  - rewrite <- lsum_swap. apply lsum_le. intros x Hx.
    apply (lsum_ge_term (fun msg => exp (- cost lam ks x (dec r msg)))).
    + intros; left; apply exp_pos.
    + auto.
  - apply lsum_le. intros msg _. apply word_distances; [exact Hnd|].
    intros a Ha. split; [specialize (HL a Ha); lia|auto].
Qed.

Lemma some_errors_floor delta :
  0 < delta -> (forall a, In a ks -> delta <= INR (L a - 1) / INR (L a)) ->
  total_cost (fun a => odds delta (L a))
    <= INR (kinds L ks) * (delta * lsum (fun a => odds delta (L a)) ks) ->
  lsum (fun a => symbol_share delta (L a)) ks <= log2 (INR (length states)).
Proof.
  intros Hpos Hle Hmean. pose proof ln2_pos as Hl2.
  assert (Hplace : forall a, In a ks -> 0 < delta <= INR (L a - 1) / INR (L a)) by auto.
  pose proof (coding_bound (fun a => odds delta (L a)) _
    (fun a Ha => odds_nonneg delta (L a) (HL a Ha) (Hplace a Ha)) Hmean) as H.
  assert (Hlimit := fun a Ha => error_limit delta (L a) (HL a Ha) (Hplace a Ha)).
  assert (Hfactor : forall a, In a ks ->
            1 + INR (L a - 1) * exp (- odds delta (L a)) = / (1 - delta)).
  { intros a Ha. destruct (Hlimit a Ha) as (H1 & Hlt & _). unfold odds.
    replace (- (ln (1 - delta) + ln (INR (L a - 1)) - ln delta))
      with (ln delta + - ln (1 - delta) + - ln (INR (L a - 1))) by ring.
    rewrite !exp_plus, !exp_Ropp, !exp_ln by lra. field. lra. }
  assert (Hprod : forall a, In a ks -> 0 < 1 + INR (L a - 1) * exp (- odds delta (L a))).
  { intros a Ha. rewrite Hfactor by exact Ha. apply Rinv_0_lt_compat.
    destruct (Hlimit a Ha) as (_ & Hlt & _). lra. }
  assert (Hstates : 0 < INR (length states)).
  { pose proof (lprod_pos _ _ Hprod) as Hp. pose proof Hkinds as Hk.
    pose proof (exp_pos (- (delta * lsum (fun a => odds delta (L a)) ks))) as He.
    pose proof (Rmult_lt_0_compat _ _ Hk He) as Hke. apply Rnot_le_lt. intros Hn. nra. }
  apply ln_le in H; [|apply Rmult_lt_0_compat; [apply Hkinds|apply exp_pos]].
  rewrite !ln_mult, ln_exp, ln_lprod, kinds_lprod, ln_lprod in H;
    try assumption; try apply exp_pos; try apply Hkinds; try (now apply lprod_pos).
  2: { intros a Ha. apply lt_0_INR. specialize (HL a Ha). lia. }
  unfold log2 at 1. apply (Rmult_le_reg_r (ln 2)); [exact Hl2|].
  unfold Rdiv at 1. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
  rewrite Rmult_comm, <- lsum_scal.
  rewrite (lsum_ext _ (fun a => ln (INR (L a)) + (- (delta * odds delta (L a))
    + -1 * ln (1 + INR (L a - 1) * exp (- odds delta (L a)))))).
  - rewrite !lsum_plus, lsum_scal.
    rewrite (lsum_ext (fun a => - (delta * odds delta (L a))) (fun a => - delta * odds delta (L a)))
      by (intros; ring).
    rewrite lsum_scal. lra.
  - intros a Ha. rewrite (Hfactor a Ha). destruct (Hlimit a Ha) as (H1 & Hlt & _).
    rewrite ln_Rinv by lra. unfold symbol_share, H2, log2, odds. field. lra.
Qed.

(** Places of as many kinds are wrong with a mean probability of at most delta. *)
Definition mean_errors (delta : R) : Prop := forall f : nat -> R,
  (forall a, In a ks -> 0 <= f (L a)) ->
  total_cost (fun a => f (L a)) <= INR (kinds L ks) * (delta * lsum (fun a => f (L a)) ks).

Lemma errors_at_each_place delta :
  (forall a, In a ks -> lsum (fun x => rsum T (fun r =>
     w r * (if symbol eqA ks x a =? dec r (enc r x) a then 0 else 1))) (words L ks)
       <= INR (kinds L ks) * delta) ->
  mean_errors delta.
Proof.
  intros Hmean f Hf. unfold total_cost, cost.
  rewrite (lsum_ext _ (fun x => lsum (fun a => f (L a) * rsum T (fun r =>
    w r * (if symbol eqA ks x a =? dec r (enc r x) a then 0 else 1))) ks)).
  - rewrite lsum_swap, <- Rmult_assoc, <- lsum_scal. apply lsum_le. intros a Ha.
    rewrite lsum_scal, Rmult_comm. apply Rmult_le_compat_r; auto.
  - intros x _. rewrite (lsum_ext _ (fun a => rsum T (fun r => w r * (f (L a)
      * (if symbol eqA ks x a =? dec r (enc r x) a then 0 else 1))))).
    + rewrite lsum_rsum_swap. apply rsum_ext. intros r _. now rewrite <- lsum_scal.
    + intros a _. rewrite <- rsum_scal. apply rsum_ext. intros; ring.
Qed.

Lemma cost_nonneg lam x y : (forall a, In a ks -> 0 <= lam a) -> 0 <= cost lam ks x y.
Proof.
  intros Hlam. apply lsum_nonneg. intros a Ha. apply Rmult_le_pos; [auto|].
  destruct (_ =? _); lra.
Qed.

(** No errors at all: one outcome of the coins tells all words apart. *)
Lemma no_errors_floor : mean_errors 0 -> (kinds L ks <= length states)%nat.
Proof.
  intros Hmean. specialize (Hmean (fun _ => 1) ltac:(intros; lra)).
  rewrite Rmult_0_l, Rmult_0_r in Hmean. destruct Hw as [Hw0 Hw1].
  assert (Hr : exists r, (r < T)%nat /\ 0 < w r).
  { clear - Hw0 Hw1. induction T as [|t IH]; simpl in Hw1; [lra|].
    destruct (Rlt_dec 0 (w t)) as [H|H]; [exists t; split; [lia|exact H]|].
    assert (w t = 0) by (pose proof (Hw0 t ltac:(lia)); lra).
    destruct IH as (r & Hr & Hp); [intros; apply Hw0; lia|lra|]. exists r. split; [lia|exact Hp]. }
  destruct Hr as (r & Hr & Hp).
  assert (Hcost : forall r x, 0 <= w r * cost (fun _ => 1) ks x (dec r (enc r x)) \/ (T <= r)%nat).
  { intros r' x. destruct (le_lt_dec T r') as [|Hr']; [now right|left].
    apply Rmult_le_pos; [now apply Hw0|apply cost_nonneg; intros; lra]. }
  assert (Hright : forall x a, In x (words L ks) -> In a ks ->
            symbol eqA ks x a = dec r (enc r x) a).
  { intros x a Hx Ha.
    destruct (Nat.eq_dec (symbol eqA ks x a) (dec r (enc r x) a)) as [|Hne]; [assumption|].
    exfalso.
    assert (H1 : 1 <= cost (fun _ => 1) ks x (dec r (enc r x))).
    { apply Rle_trans with (1 * (if symbol eqA ks x a =? dec r (enc r x) a then 0 else 1)).
      - destruct (Nat.eqb_spec (symbol eqA ks x a) (dec r (enc r x) a)); [contradiction|lra].
      - apply (lsum_ge_term
          (fun a => 1 * (if symbol eqA ks x a =? dec r (enc r x) a then 0 else 1)));
          [|exact Ha]. intros b _. destruct (_ =? _); lra. }
    assert (H2 : w r * cost (fun _ => 1) ks x (dec r (enc r x)) <= total_cost (fun _ => 1)).
    { apply Rle_trans with (rsum T (fun r => w r * cost (fun _ => 1) ks x (dec r (enc r x)))).
      - rewrite (rsum_split T r) by exact Hr.
        assert (0 <= rsum T (fun j => if j =? r then 0
                  else w j * cost (fun _ => 1) ks x (dec j (enc j x)))); [|lra].
        apply rsum_nonneg. intros j Hj. destruct (j =? r); [lra|].
        destruct (Hcost j x); [assumption|lia].
      - apply (lsum_ge_term
          (fun x => rsum T (fun r => w r * cost (fun _ => 1) ks x (dec r (enc r x)))));
          [|exact Hx]. intros y _. apply rsum_nonneg. intros j Hj.
        destruct (Hcost j y); [assumption|lia]. }
    nra. }
  rewrite <- (words_length L).
  destruct (le_lt_dec (length (words L ks)) (length states)) as [|Hlt]; [assumption|exfalso].
  destruct (pigeonhole (list_eq_dec bool_dec) (enc r) (words L ks) states)
    as (x & y & Hx & Hy & Hne & He); [apply NoDup_words|auto|exact Hlt|].
  destruct (first_difference eqA L ks x y Hnd Hx Hy Hne) as (before & a & after & E & _ & Hdiff).
  assert (Ha : In a ks) by (rewrite E; apply in_or_app; right; now left).
  apply Hdiff. pose proof (Hright x a Hx Ha) as Ex. pose proof (Hright y a Hy Ha) as Ey.
  congruence.
Qed.

(** With a mean error of δ each symbol takes its share. *)
Lemma errors_floor delta : (forall a, In a ks -> 0 <= delta <= INR (L a - 1) / INR (L a)) ->
  0 <= delta -> mean_errors delta ->
  lsum (fun a => symbol_share delta (L a)) ks <= log2 (INR (length states)).
Proof.
  intros Hdelta [Hpos|<-] Hmean.
  - apply some_errors_floor; [exact Hpos|intros; now apply Hdelta|].
    apply (Hmean (odds delta)). intros a Ha. specialize (Hdelta a Ha). apply odds_nonneg;
      [auto|lra].
  - pose proof (no_errors_floor Hmean) as H. apply le_INR in H.
    pose proof Hkinds as Hk. pose proof ln2_pos as Hl2.
    rewrite (lsum_ext _ (fun a => / ln 2 * ln (INR (L a)))).
    + rewrite lsum_scal, <- (ln_lprod (fun a => INR (L a))), <- kinds_lprod.
      * unfold log2, Rdiv. rewrite Rmult_comm. apply Rmult_le_compat_r.
        -- left. now apply Rinv_0_lt_compat.
        -- now apply ln_le.
      * intros a Ha. apply lt_0_INR. specialize (HL a Ha). lia.
    + intros a _. unfold symbol_share. rewrite H2_0. unfold log2. field. lra.
Qed.
End Errors.

(** ** Caches *)

Section Floor.
Variables (ks : list A) (T : nat) (w : nat -> R) (delta eta alpha : R) (out : list nat -> A -> R).
Variables (states : list (list bool)).
Variables (state : nat -> list nat -> list bool) (answer : nat -> list bool -> A -> R).
Hypothesis Hnd : NoDup ks.
Hypothesis HL : forall a, In a ks -> (2 <= L a)%nat.
Hypothesis Hw : distribution T w.
Hypothesis Hdelta : forall a, In a ks -> 0 <= delta <= INR (L a - 1) / INR (L a).
Hypothesis Htold : told_at_once eqA L ks (accurate eta alpha) out.
Hypothesis Hstate : forall r x, (r < T)%nat -> In x (words L ks) -> In (state r x) states.
Hypothesis Hfail : forall x a, In x (words L ks) -> In a ks ->
  rsum T (fun r => w r * failure eta alpha (answer r (state r x) a) (out x a)) <= delta.

(** The symbol that an answer reveals: that of any word for which it is accurate. *)
Definition revealed (a : A) (o : R) : nat :=
  match find (fun x => if accurate_dec eta alpha o (out x a) then true else false) (words L ks)
  with Some x => symbol eqA ks x a | None => 0%nat end.

Lemma revealed_right x a o : In x (words L ks) -> In a ks -> accurate eta alpha o (out x a) ->
  revealed a o = symbol eqA ks x a.
Proof.
  intros Hx Ha Ho. unfold revealed.
  set (p := fun x => if accurate_dec eta alpha o (out x a) then true else false).
  destruct (find p (words L ks)) as [y|] eqn:E.
  - apply find_some in E as [Hy Hp]. unfold p in Hp.
    destruct (accurate_dec eta alpha o (out y a)) as [Hoy|]; [|discriminate].
    now apply (Htold a y x o).
  - exfalso. pose proof (find_none p _ E x Hx) as Hp. unfold p in Hp.
    destruct (accurate_dec eta alpha o (out x a)); [discriminate|contradiction].
Qed.

Lemma words_floor_randomized : 0 <= delta ->
  lsum (fun a => symbol_share delta (L a)) ks <= log2 (INR (length states)).
Proof.
  intros Hpos.
  apply (errors_floor ks T w states state (fun r msg a => revealed a (answer r msg a))
    Hnd HL Hw Hstate delta Hdelta Hpos).
  apply errors_at_each_place. intros a Ha. rewrite <- words_length, <- lsum_const.
  apply lsum_le. intros x Hx. eapply Rle_trans; [|exact (Hfail x a Hx Ha)].
  apply rsum_le. intros r Hr. apply Rmult_le_compat_l; [now apply Hw|]. unfold failure.
  destruct (accurate_dec eta alpha (answer r (state r x) a) (out x a)) as [Ho|_].
  - rewrite (revealed_right x a _ Hx Ha Ho), Nat.eqb_refl. lra.
  - destruct (_ =? _)%nat; lra.
Qed.
End Floor.
End Words.

Lemma log2_states b : log2 (INR (length (bitstrings b))) = INR b.
Proof.
  rewrite bitstrings_length, pow_INR. unfold log2. rewrite ln_pow by (simpl; lra).
  change (INR 2) with 2. pose proof ln2_pos. field. lra.
Qed.

(** ** N places of L symbols each *)

Lemma strings_words L ks : words (fun _ : nat => L) ks = strings (length ks) L.
Proof. induction ks as [|a ks IH]; simpl; [reflexivity|]. now rewrite IH. Qed.

Lemma symbol_seq a N x k : (k < N)%nat -> symbol Nat.eq_dec (seq a N) x (a + k)%nat = nth k x 0%nat.
Proof.
  revert a x k. induction N as [|N IH]; intros a x k Hk; [lia|].
  destruct x as [|s x]; [now destruct k|]. simpl.
  destruct k as [|k]; [|replace (a + S k)%nat with (S a + k)%nat by lia].
  - destruct (Nat.eq_dec a (a + 0)); [reflexivity|lia].
  - destruct (Nat.eq_dec a (S a + k)); [lia|]. apply IH. lia.
Qed.

Lemma symbols_floor_randomized N L b T w delta eta alpha (out : list nat -> nat -> R)
    (state : nat -> list nat -> list bool) (answer : nat -> list bool -> nat -> R) :
  (2 <= L)%nat -> distribution T w -> 0 <= delta <= INR (L - 1) / INR L ->
  separated N L (accurate eta alpha) out ->
  (forall r x, (r < T)%nat -> symbols N L x -> length (state r x) = b) ->
  (forall x k, symbols N L x -> (k < N)%nat ->
     rsum T (fun r => w r * failure eta alpha (answer r (state r x) k) (out x k)) <= delta) ->
  INR N * (log2 (INR L) - H2 delta - delta * log2 (INR (L - 1))) <= INR b.
Proof.
  intros HL Hw Hdelta Hsep Hstate Hfail.
  assert (Hwords : forall x, In x (words (fun _ => L) (seq 0 N)) <-> symbols N L x)
    by (intros x; rewrite strings_words, seq_length; apply in_strings).
  pose proof (words_floor_randomized Nat.eq_dec (fun _ => L) (seq 0 N) T w delta eta alpha out
    (bitstrings b) state answer (seq_NoDup N 0) ltac:(auto) Hw ltac:(auto)) as H.
  cbv beta in H. rewrite lsum_const, seq_length, log2_states in H. apply H; clear H.
  - intros k x y o Hk Hx Hy Hox Hoy. apply in_seq in Hk.
    change k with (0 + k)%nat. rewrite !symbol_seq by lia.
    now apply (Hsep x y k o); [apply Hwords..|lia| |].
  - intros r x Hr Hx. apply in_bitstrings, Hstate; [exact Hr|now apply Hwords].
  - intros x k Hx Hk. apply Hfail; [now apply Hwords|apply in_seq in Hk; lia].
  - apply Hdelta.
Qed.
