(** Public coins: symbols of L kinds, each read wrongly with probability at most δ, need
    log₂ L - H₂(δ) - δ log₂(L-1) bits each. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Tuples Guarantee Bits Entropy Symbols IndexRandomized.
Import ListNotations.
Open Scope R_scope.

(** How many of N symbols are guessed wrongly. *)
Definition wrong_symbols (N : nat) (x : list nat) (y : nat -> nat) : R :=
  rsum N (fun k => if nth k x 0%nat =? y k then 0 else 1).

(** Generating function of the distance to a fixed guess. *)
Lemma symbol_distances lam L N y : 0 <= lam -> (1 <= L)%nat ->
  lsum (fun x => exp (- lam * wrong_symbols N x y)) (strings N L)
    <= (1 + INR (L - 1) * exp (- lam)) ^ N.
Proof.
  intros Hlam HL. revert y. induction N as [|N IH]; intros y.
  - simpl. unfold wrong_symbols. simpl. rewrite Rmult_0_r, exp_0. lra.
  - simpl strings. rewrite lsum_flat_map.
    set (rest := lsum (fun x => exp (- lam * wrong_symbols N x (fun k => y (S k)))) (strings N L)).
    rewrite (lsum_ext _ (fun a => (if a =? y 0%nat then 1 else exp (- lam)) * rest)).
    + rewrite (lsum_ext _ (fun a => rest * (if a =? y 0%nat then 1 else exp (- lam))))
        by (intros; ring).
      rewrite lsum_scal, lsum_seq. simpl pow. rewrite Rmult_comm.
      assert (He : exp (- lam) <= 1).
      { rewrite <- exp_0. destruct Hlam as [H|<-]; [left; apply exp_increasing; lra|].
        rewrite Ropp_0. lra. }
      pose proof (exp_pos (- lam)) as Hpos. pose proof (pos_INR (L - 1)) as HL0.
      apply Rmult_le_compat.
      * apply rsum_nonneg. intros a _. destruct (0 + a =? y 0)%nat; lra.
      * apply lsum_nonneg. intros; left; apply exp_pos.
      * destruct (le_lt_dec L (y 0%nat)) as [Hy|Hy].
        -- rewrite (rsum_ext L _ (fun _ => exp (- lam))).
           ++ rewrite rsum_const. replace (INR L) with (INR (L - 1) + 1)
                by (rewrite <- S_INR; f_equal; lia). lra.
           ++ intros a Ha. destruct (Nat.eqb_spec (0 + a) (y 0%nat)); [lia|reflexivity].
        -- rewrite (rsum_split L (y 0%nat)) by exact Hy. simpl. rewrite Nat.eqb_refl.
           rewrite (rsum_ext L _ (fun j => if j =? y 0%nat then 0 else exp (- lam))).
           ++ rewrite rsum_const_except by exact Hy. lra.
           ++ intros a _. now destruct (a =? y 0%nat).
      * apply IH.
    + intros a _. rewrite lsum_map. unfold rest. rewrite <- lsum_scal. apply lsum_ext.
      intros x _. unfold wrong_symbols. rewrite rsum_first. cbn [nth].
      destruct (a =? y 0%nat).
      * rewrite Rplus_0_l, Rmult_1_l. reflexivity.
      * rewrite Rmult_plus_distr_l, exp_plus. f_equal. f_equal. ring.
Qed.

(** Jensen: if the mean of e over instances and coins is at most m, then exp(-lam e) has a mean
    of at least exp(-lam m). *)
Lemma mean_exponential {X} (l : list X) T w lam (e : nat -> X -> R) m :
  distribution T w -> 0 <= lam ->
  lsum (fun x => rsum T (fun r => w r * e r x)) l <= INR (length l) * m ->
  INR (length l) * exp (- lam * m)
    <= lsum (fun x => rsum T (fun r => w r * exp (- lam * e r x))) l.
Proof.
  intros [Hw Hw1] Hlam Hmean. set (a := - lam * m).
  apply Rle_trans with (lsum (fun x => exp a * (1 - a)
      + exp a * - lam * rsum T (fun r => w r * e r x)) l).
  - rewrite lsum_plus, lsum_const, lsum_scal. set (E := lsum _ _) in *.
    replace (INR (length l) * (exp a * (1 - a)) + exp a * - lam * E)
      with (exp a * (INR (length l) + lam * (INR (length l) * m - E))) by (unfold a; ring).
    rewrite Rmult_comm. apply Rmult_le_compat_l; [left; apply exp_pos|].
    assert (0 <= lam * (INR (length l) * m - E)) by (apply Rmult_le_pos; lra). lra.
  - apply lsum_le. intros x _.
    apply Rle_trans with (rsum T (fun r => w r * (exp a * (1 + (- lam * e r x - a))))).
    + right. rewrite (rsum_ext T (fun r => w r * (exp a * (1 + (- lam * e r x - a))))
        (fun r => exp a * (1 - a) * w r + exp a * - lam * (w r * e r x))) by (intros; ring).
      rewrite rsum_plus, !rsum_scal, Hw1. ring.
    + apply rsum_le. intros r Hr. apply Rmult_le_compat_l; [auto|]. apply exp_tangent.
Qed.

Section Floor.
Variables (N L b T : nat) (w : nat -> R) (delta eta alpha : R) (out : list nat -> nat -> R).
Variables (state : nat -> list nat -> list bool) (answer : nat -> list bool -> nat -> R).
Hypothesis HL : (2 <= L)%nat.
Hypothesis Hw : distribution T w.
Hypothesis Hdelta : 0 <= delta <= INR (L - 1) / INR L.
Hypothesis Hsep : separated N L (accurate eta alpha) out.
Hypothesis Hstate : forall r x, (r < T)%nat -> symbols N L x -> length (state r x) = b.
Hypothesis Hfail : forall x k, symbols N L x -> (k < N)%nat ->
  rsum T (fun r => w r * failure eta alpha (answer r (state r x) k) (out x k)) <= delta.

(** The symbol that an answer reveals: that of any instance for which it is accurate. *)
Definition revealed (k : nat) (o : R) : nat :=
  match find (fun x => if accurate_dec eta alpha o (out x k) then true else false) (strings N L)
  with Some x => nth k x 0%nat | None => 0%nat end.

Lemma revealed_right x k o : symbols N L x -> (k < N)%nat -> accurate eta alpha o (out x k) ->
  revealed k o = nth k x 0%nat.
Proof.
  intros Hx Hk Ho. unfold revealed.
  set (p := fun x => if accurate_dec eta alpha o (out x k) then true else false).
  destruct (find p (strings N L)) as [y|] eqn:E.
  - apply find_some in E as [Hy Hp]. apply in_strings in Hy. unfold p in Hp.
    destruct (accurate_dec eta alpha o (out y k)) as [Hoy|]; [|discriminate].
    now apply (Hsep y x k o).
  - exfalso. pose proof (find_none p _ E x) as Hp. unfold p in Hp.
    destruct (accurate_dec eta alpha o (out x k)); [|contradiction].
    assert (true = false) by (apply Hp; now apply in_strings). discriminate.
Qed.

Definition guesses (r : nat) (x : list nat) : nat -> nat :=
  fun k => revealed k (answer r (state r x) k).

Lemma symbols_exponential lam : 0 <= lam ->
  INR L ^ N * exp (- lam * (delta * INR N)) <= 2 ^ b * (1 + INR (L - 1) * exp (- lam)) ^ N.
Proof.
  intros Hlam. set (e := fun r x => wrong_symbols N x (guesses r x)).
  assert (Hlen : INR (length (strings N L)) = INR L ^ N) by now rewrite strings_length, pow_INR.
  rewrite <- Hlen. eapply Rle_trans; [apply (mean_exponential (strings N L) T w lam e); auto|].
  - rewrite <- lsum_const. apply lsum_le. intros x Hx. apply in_strings in Hx.
    unfold e, wrong_symbols.
    rewrite (rsum_ext T _ (fun r => rsum N (fun k =>
      w r * (if nth k x 0%nat =? guesses r x k then 0 else 1))))
      by (intros; symmetry; apply rsum_scal).
    rewrite rsum_swap. rewrite Rmult_comm, <- rsum_const. apply rsum_le. intros k Hk.
    eapply Rle_trans; [|exact (Hfail x k Hx Hk)]. apply rsum_le. intros r Hr.
    apply Rmult_le_compat_l; [now apply Hw|]. unfold failure, guesses.
    destruct (accurate_dec eta alpha (answer r (state r x) k) (out x k)) as [Ho|_].
    + rewrite (revealed_right x k _ Hx Hk Ho), Nat.eqb_refl. lra.
    + destruct (_ =? _)%nat; lra.
  - set (B := 2 ^ b * (1 + INR (L - 1) * exp (- lam)) ^ N).
    rewrite lsum_rsum_swap. replace B with (rsum T (fun r => w r * B))
      by (rewrite rsum_scal_r, (proj2 Hw); ring).
    apply rsum_le. intros r Hr. rewrite lsum_scal. apply Rmult_le_compat_l; [now apply Hw|].
    unfold B. replace (2 ^ b) with (INR (length (bitstrings b)))
      by (rewrite bitstrings_length, pow_INR; reflexivity).
    rewrite <- lsum_const. apply Rle_trans with (lsum (fun msg => lsum (fun x =>
      exp (- lam * wrong_symbols N x (fun k => revealed k (answer r msg k)))) (strings N L))
      (bitstrings b)).
    + rewrite <- lsum_swap. apply lsum_le. intros x Hx. apply in_strings in Hx.
      apply (lsum_ge_term (fun msg =>
        exp (- lam * wrong_symbols N x (fun k => revealed k (answer r msg k))))).
      * intros; left; apply exp_pos.
      * apply in_bitstrings. now apply Hstate.
    + apply lsum_le. intros msg _. apply symbol_distances; [exact Hlam|lia].
Qed.

Lemma symbols_floor_randomized :
  INR N * (log2 (INR L) - H2 delta - delta * log2 (INR (L - 1))) <= INR b.
Proof.
  assert (HLpos : 0 < INR L) by (apply lt_0_INR; lia).
  assert (HL1 : 1 <= INR (L - 1)) by (apply (le_INR 1); lia).
  assert (HLs : INR L = INR (L - 1) + 1) by (rewrite <- S_INR; f_equal; lia).
  destruct Hdelta as [[Hpos|<-] Hle].
  - assert (Hle' : delta * INR L <= INR (L - 1)).
    { apply (Rmult_le_compat_r (INR L)) in Hle; [|lra].
      replace (INR (L - 1) / INR L * INR L) with (INR (L - 1)) in Hle by (field; lra). exact Hle. }
    assert (Hlt : delta < 1) by nra.
    set (lam := ln (1 - delta) + ln (INR (L - 1)) - ln delta).
    assert (Hlam : 0 <= lam).
    { unfold lam. rewrite <- ln_mult by lra.
      pose proof (ln_le delta ((1 - delta) * INR (L - 1)) Hpos ltac:(nra)). lra. }
    pose proof (symbols_exponential lam Hlam) as H.
    assert (H1 : 1 + INR (L - 1) * exp (- lam) = / (1 - delta)).
    { unfold lam. replace (- (ln (1 - delta) + ln (INR (L - 1)) - ln delta))
        with (ln delta + - ln (1 - delta) + - ln (INR (L - 1))) by ring.
      rewrite !exp_plus, !exp_Ropp, !exp_ln by lra. field. lra. }
    rewrite H1 in H.
    apply ln_le in H; [|apply Rmult_lt_0_compat; [apply pow_lt; lra|apply exp_pos]].
    assert (Hinv : 0 < / (1 - delta)) by (apply Rinv_0_lt_compat; lra).
    rewrite !ln_mult, !ln_pow, ln_exp, ln_Rinv in H
      by (try apply pow_lt; try apply exp_pos; lra).
    pose proof ln2_pos as Hl2. unfold H2, log2. apply (Rmult_le_reg_r (ln 2)); [exact Hl2|].
    replace (INR N * (ln (INR L) / ln 2
               - - (delta * (ln delta / ln 2) + (1 - delta) * (ln (1 - delta) / ln 2))
               - delta * (ln (INR (L - 1)) / ln 2)) * ln 2)
      with (INR N * (ln (INR L) + delta * ln delta + (1 - delta) * ln (1 - delta)
                     - delta * ln (INR (L - 1)))) by (field; lra).
    unfold lam in H. nra.
  - (* no failure at all: one outcome of the coins is a deterministic cache *)
    rewrite H2_0, Rmult_0_l, !Rminus_0_r. apply bits_of_symbols; [lia|].
    destruct Hw as [Hw0 Hw1].
    assert (Hr : exists r, (r < T)%nat /\ 0 < w r).
    { clear - Hw0 Hw1. induction T as [|t IH]; simpl in Hw1; [lra|].
      destruct (Rlt_dec 0 (w t)) as [H|H]; [exists t; split; [lia|exact H]|].
      assert (w t = 0) by (pose proof (Hw0 t ltac:(lia)); lra).
      destruct IH as (r & Hr & Hp); [intros; apply Hw0; lia|lra|]. exists r. split; [lia|exact Hp]. }
    destruct Hr as (r & Hr & Hp). rewrite <- (bitstrings_length b).
    apply (states_floor N L _ out (bitstrings b) (state r) (answer r) Hsep).
    + intros x Hx. apply in_bitstrings. now apply Hstate.
    + intros x k Hx Hk. specialize (Hfail x k Hx Hk).
      destruct (accurate_dec eta alpha (answer r (state r x) k) (out x k)) as [Ho|Hn]; [exact Ho|].
      exfalso. rewrite (rsum_split T r) in Hfail by exact Hr. unfold failure at 1 in Hfail.
      destruct (accurate_dec eta alpha (answer r (state r x) k) (out x k)); [contradiction|].
      assert (0 <= rsum T (fun j => if j =? r then 0
                else w j * failure eta alpha (answer j (state j x) k) (out x k))); [|lra].
      apply rsum_nonneg. intros j Hj. destruct (j =? r); [lra|].
      apply Rmult_le_pos; [now apply Hw0|]. unfold failure. destruct (accurate_dec _ _ _ _); lra.
Qed.
End Floor.
