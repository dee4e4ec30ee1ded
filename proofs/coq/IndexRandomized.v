(** L4 `index-randomized`: with public coins and error at most δ, INDEX needs (1-H₂(δ))N bits. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Bits Guarantee Entropy Padded.
Import ListNotations.
Open Scope R_scope.

(** ** Decoding errors *)

(** 1 if the guess is wrong, 0 if it is right. *)
Definition wrong (guess truth : bool) : R := if Bool.eqb guess truth then 0 else 1.

(** Number of wrong positions when [y] is the decoder's guess for the string [x]. *)
Definition errors (x : list bool) (y : nat -> bool) : R :=
  rsum (length x) (fun i => wrong (y i) (nth i x false)).

Lemma errors_cons a x y : errors (a :: x) y = wrong (y 0%nat) a + errors x (fun i => y (S i)).
Proof. unfold errors. simpl length. now rewrite rsum_first. Qed.

(** Generating function of the Hamming distance to a fixed guess. *)
Lemma hamming_sum lam N (y : nat -> bool) :
  lsum (fun x => exp (- lam * errors x y)) (bitstrings N) = (1 + exp (- lam)) ^ N.
Proof.
  revert y; induction N; intros y.
  - simpl. unfold errors; simpl. rewrite Rmult_0_r, exp_0; ring.
  - simpl bitstrings. rewrite lsum_app, !lsum_map. simpl pow.
    rewrite <- (IHN (fun i => y (S i))).
    assert (Hc : forall a, lsum (fun x => exp (- lam * errors (a :: x) y)) (bitstrings N)
              = exp (- lam * wrong (y 0%nat) a)
                * lsum (fun x => exp (- lam * errors x (fun i => y (S i)))) (bitstrings N)).
    { intros a. rewrite <- lsum_scal. apply lsum_ext. intros x _.
      rewrite errors_cons, <- exp_plus. f_equal; ring. }
    rewrite !Hc. unfold wrong.
    destruct (y 0%nat); simpl; rewrite ?Rmult_0_r, ?Rmult_1_r, exp_0; ring.
Qed.

(** For one deterministic b-bit protocol. *)
Lemma protocol_sum lam N b (enc : list bool -> list bool) (dec : list bool -> nat -> bool) :
  (forall x, length x = N -> length (enc x) = b) ->
  lsum (fun x => exp (- lam * errors x (dec (enc x)))) (bitstrings N)
    <= 2 ^ b * (1 + exp (- lam)) ^ N.
Proof.
  intros Hb.
  replace (2 ^ b * (1 + exp (- lam)) ^ N)
    with (lsum (fun msg => lsum (fun x => exp (- lam * errors x (dec msg))) (bitstrings N))
               (bitstrings b)).
  - rewrite <- lsum_swap. apply lsum_le. intros x Hx.
    apply (lsum_ge_term (fun msg => exp (- lam * errors x (dec msg)))).
    + intros; left; apply exp_pos.
    + apply in_bitstrings, Hb, in_bitstrings, Hx.
  - rewrite (lsum_ext _ (fun _ => (1 + exp (- lam)) ^ N)).
    + rewrite lsum_const, bitstrings_length, pow_INR. reflexivity.
    + intros msg _. apply hamming_sum.
Qed.

(** ** Public coins: coin outcome r < T has probability w r. *)


(** Probability over the coins that bit i of x is decoded wrongly. *)
Definition error_prob (T : nat) (w : nat -> R)
    (enc : nat -> list bool -> list bool) (dec : nat -> list bool -> nat -> bool)
    (x : list bool) (i : nat) : R :=
  rsum T (fun r => w r * wrong (dec r (enc r x) i) (nth i x false)).

(** Tangent line of exp. *)
Lemma exp_tangent a y : exp a * (1 + (y - a)) <= exp y.
Proof.
  replace (exp y) with (exp a * exp (y - a)) by (rewrite <- exp_plus; f_equal; ring).
  apply Rmult_le_compat_l; [left; apply exp_pos|]. apply exp_ineq1_le.
Qed.

(** Average over all strings and positions of the error probability, times N * 2^N. *)
Definition total_error T w N enc dec : R :=
  lsum (fun x => rsum N (fun i => error_prob T w enc dec x i)) (bitstrings N).

Lemma index_exponential T w N b enc dec delta lam :
  distribution T w -> 0 <= lam ->
  (forall r x, (r < T)%nat -> length x = N -> length (enc r x) = b) ->
  total_error T w N enc dec <= delta * (INR N * 2 ^ N) ->
  2 ^ N * exp (- lam * (delta * INR N)) <= 2 ^ b * (1 + exp (- lam)) ^ N.
Proof.
  intros [Hw Hw1] Hlam Hb Herr.
  set (B := 2 ^ b * (1 + exp (- lam)) ^ N).
  set (a := - lam * (delta * INR N)).
  set (e := fun r x => errors x (dec r (enc r x))).
  (* the expected number of errors, summed over x *)
  assert (HE : lsum (fun x => rsum T (fun r => w r * e r x)) (bitstrings N)
               <= delta * (INR N * 2 ^ N)).
  { eapply Rle_trans; [|exact Herr]. right. unfold total_error.
    apply lsum_ext. intros x Hx. apply in_bitstrings in Hx.
    unfold error_prob. rewrite rsum_swap. apply rsum_ext. intros r _.
    unfold e, errors. now rewrite Hx, rsum_scal. }
  (* upper bound on the expected exponential *)
  assert (Hup : lsum (fun x => rsum T (fun r => w r * exp (- lam * e r x))) (bitstrings N)
                <= B).
  { rewrite lsum_rsum_swap. replace B with (rsum T (fun r => w r * B)).
    - apply rsum_le. intros r Hr. rewrite lsum_scal.
      apply Rmult_le_compat_l; [auto|]. apply protocol_sum. auto.
    - rewrite rsum_scal_r, Hw1; ring. }
  (* lower bound by the tangent line of exp at a (Jensen) *)
  eapply Rle_trans; [|exact Hup].
  apply Rle_trans with (lsum (fun x => exp a * (1 - a)
      + exp a * - lam * rsum T (fun r => w r * e r x)) (bitstrings N)).
  - rewrite lsum_plus, lsum_const, lsum_scal, bitstrings_length, pow_INR.
    change (INR 2) with 2.
    set (E := lsum _ _) in *.
    replace (2 ^ N * (exp a * (1 - a)) + exp a * - lam * E)
      with (exp a * (2 ^ N + lam * (delta * (INR N * 2 ^ N) - E))) by (unfold a; ring).
    rewrite Rmult_comm. apply Rmult_le_compat_l; [left; apply exp_pos|].
    assert (0 <= lam * (delta * (INR N * 2 ^ N) - E)) by (apply Rmult_le_pos; lra). lra.
  - apply lsum_le. intros x _.
    apply Rle_trans with (rsum T (fun r => w r * (exp a * (1 + (- lam * e r x - a))))).
    + right. rewrite (rsum_ext T (fun r => w r * (exp a * (1 + (- lam * e r x - a))))
        (fun r => exp a * (1 - a) * w r + exp a * - lam * (w r * e r x))) by (intros; ring).
      rewrite rsum_plus, !rsum_scal, Hw1. ring.
    + apply rsum_le. intros r Hr. apply Rmult_le_compat_l; [auto|]. apply exp_tangent.
Qed.




(** The average-case bound. *)
Theorem index_randomized_average T w N b enc dec delta :
  distribution T w -> 0 <= delta <= 1 / 2 ->
  (forall r x, (r < T)%nat -> length x = N -> length (enc r x) = b) ->
  total_error T w N enc dec <= delta * (INR N * 2 ^ N) ->
  (1 - H2 delta) * INR N <= INR b.
Proof.
  intros Hw [[Hdelta|<-] Hdelta2] Hb Herr.
  - (* delta > 0: take lam = ln ((1 - delta) / delta) *)
    set (lam := ln (1 - delta) - ln delta).
    assert (Hlam : 0 <= lam).
    { unfold lam. pose proof (ln_le delta (1 - delta) ltac:(lra) ltac:(lra)). lra. }
    pose proof (index_exponential T w N b enc dec delta lam Hw Hlam Hb Herr) as H.
    assert (H1 : 1 + exp (- lam) = / (1 - delta)).
    { unfold lam.
      replace (- (ln (1 - delta) - ln delta)) with (ln delta - ln (1 - delta)) by ring.
      unfold Rminus at 1. rewrite exp_plus, exp_Ropp, !exp_ln by lra. field; lra. }
    rewrite H1 in H.
    apply ln_le in H; [|apply Rmult_lt_0_compat; [apply pow_lt; lra|apply exp_pos]].
    assert (Hpos : 0 < / (1 - delta)) by (apply Rinv_0_lt_compat; lra).
    rewrite !ln_mult, !ln_pow, ln_exp, ln_Rinv in H
      by (try apply pow_lt; try apply exp_pos; lra).
    pose proof ln2_pos as Hl2. unfold H2, log2.
    apply (Rmult_le_reg_r (ln 2)); [exact Hl2|].
    replace ((1 - - (delta * (ln delta / ln 2) + (1 - delta) * (ln (1 - delta) / ln 2)))
               * INR N * ln 2)
      with (INR N * (ln 2 + delta * ln delta + (1 - delta) * ln (1 - delta))) by (field; lra).
    unfold lam in H. nra.
  - (* delta = 0: take lam = 2 N *)
    rewrite H2_0. replace ((1 - 0) * INR N) with (INR N) by ring.
    apply le_INR, Nat.lt_succ_r, INR_lt. rewrite S_INR.
    pose proof (pos_INR N) as HN.
    pose proof (index_exponential T w N b enc dec 0 (2 * INR N) Hw ltac:(lra) Hb Herr) as H.
    rewrite Rmult_0_l, Rmult_0_r, exp_0, Rmult_1_r in H.
    apply ln_le in H; [|apply pow_lt; lra].
    assert (Hz : 0 < exp (- (2 * INR N))) by apply exp_pos.
    rewrite ln_mult, !ln_pow in H by (try apply pow_lt; lra).
    assert (Hln : ln (1 + exp (- (2 * INR N))) <= exp (- (2 * INR N))).
    { rewrite <- (ln_exp (exp (- (2 * INR N)))) at 2. apply ln_le; [lra|].
      apply exp_ineq1_le. }
    assert (Hsmall : INR N * exp (- (2 * INR N)) <= 1 / 2).
    { rewrite exp_Ropp. pose proof (exp_ineq1_le (2 * INR N)) as Hexp.
      apply (Rmult_le_reg_r (exp (2 * INR N))); [apply exp_pos|].
      rewrite Rmult_assoc, Rinv_l by (apply Rgt_not_eq, exp_pos). lra. }
    pose proof ln_lt_2. nra.
Qed.

(** Every bit of every string is decoded with error probability at most delta. *)
Theorem index_randomized T w N b enc dec delta :
  distribution T w -> 0 <= delta <= 1 / 2 ->
  (forall r x, (r < T)%nat -> length x = N -> length (enc r x) = b) ->
  (forall x i, length x = N -> (i < N)%nat -> error_prob T w enc dec x i <= delta) ->
  (1 - H2 delta) * INR N <= INR b.
Proof.
  intros Hw Hdelta Hb Herr.
  apply (index_randomized_average T w N b enc dec delta Hw Hdelta Hb).
  unfold total_error.
  replace (delta * (INR N * 2 ^ N))
    with (lsum (fun _ : list bool => rsum N (fun _ => delta)) (bitstrings N)).
  - apply lsum_le. intros x Hx. apply rsum_le. intros i Hi.
    apply Herr; [now apply in_bitstrings|exact Hi].
  - rewrite lsum_const, rsum_const, bitstrings_length, pow_INR. change (INR 2) with 2. ring.
Qed.

(** With messages of up to b bits, b + 1 stands for b. *)
Theorem index_randomized_up_to (T : nat) (w : nat -> R) (N b : nat)
    (enc : nat -> list bool -> list bool) (dec : nat -> list bool -> nat -> bool) (delta : R) :
  distribution T w -> 0 <= delta <= 1 / 2 ->
  (forall r x, (r < T)%nat -> length x = N -> (length (enc r x) <= b)%nat) ->
  (forall x i, length x = N -> (i < N)%nat -> error_prob T w enc dec x i <= delta) ->
  (1 - H2 delta) * INR N <= INR (b + 1).
Proof.
  intros Hw Hdelta Hb Herr.
  apply (index_randomized T w N (b + 1) (fun r x => pad b (enc r x))
    (fun r msg => dec r (unpad msg)) delta Hw Hdelta).
  - intros r x Hr Hx. now apply pad_length, Hb.
  - intros x i Hx Hi. eapply Rle_trans; [right|exact (Herr x i Hx Hi)]. apply rsum_ext. intros r _.
    now rewrite unpad_pad.
Qed.

(** At the paper's δ = 1/10: 0.531 N. *)
Theorem index_randomized_tenth T w N b enc dec :
  distribution T w ->
  (forall r x, (r < T)%nat -> length x = N -> length (enc r x) = b) ->
  (forall x i, length x = N -> (i < N)%nat -> error_prob T w enc dec x i <= 1 / 10) ->
  531 / 1000 * INR N <= INR b.
Proof.
  intros Hw Hb Herr.
  pose proof (index_randomized T w N b enc dec (1 / 10) Hw ltac:(lra) Hb Herr) as H.
  pose proof (pos_INR N). pose proof H2_tenth. nra.
Qed.

(** N bits are enough, without error. *)
Theorem index_randomized_met (N : nat) :
  exists T w (enc : nat -> list bool -> list bool) (dec : nat -> list bool -> nat -> bool),
    distribution T w /\
    (forall r x, (r < T)%nat -> length x = N -> length (enc r x) = N) /\
    (forall x i, length x = N -> (i < N)%nat -> error_prob T w enc dec x i = 0).
Proof.
  exists 1%nat, (fun _ => 1), (fun _ x => x), (fun _ x i => nth i x false).
  split; [|split; [auto|]].
  - split; [intros; lra|simpl; ring].
  - intros x i _ _. unfold error_prob, wrong. simpl. destruct (nth i x false); simpl; ring.
Qed.
