(** L4 `index-randomized`, a fact to check implementations with: with a message of one bit the
    best mean success over all strings and positions is 1/2 + C(N-1, ⌊(N-1)/2⌋) / 2^N. *)
From Coq Require Import Reals Lra Lia Arith List Bool ZArith.
From KVFloor Require Import Sums Bits IndexRandomized.
Import ListNotations.
Open Scope R_scope.

(** Binomial coefficients, by Pascal's rule. *)
Fixpoint binom (n k : nat) : nat :=
  match n, k with
  | _, O => 1
  | O, S _ => 0
  | S n', S k' => binom n' k' + binom n' k
  end.

(** Number of strings and positions at which Bob is right. *)
Definition right_answers (N : nat) (enc : list bool -> bool) (dec : bool -> nat -> bool) : R :=
  lsum (fun x => rsum N (fun i => 1 - wrong (dec (enc x) i) (nth i x false))) (bitstrings N).

(** ** Binomial coefficients *)

Lemma binom_0 n : binom n 0 = 1%nat.
Proof. now destruct n. Qed.

Lemma binom_small n : forall k, (n < k)%nat -> binom n k = 0%nat.
Proof.
  induction n as [|n IH]; intros [|k] Hk; try lia; [reflexivity|].
  simpl. rewrite !IH by lia. reflexivity.
Qed.

Lemma binom_absorb n : forall k, (S k * binom (S n) (S k) = S n * binom n k)%nat.
Proof.
  induction n as [|n IH]; intros k.
  - destruct k; [reflexivity|]. rewrite binom_small by lia. simpl. lia.
  - change (binom (S (S n)) (S k)) with (binom (S n) k + binom (S n) (S k))%nat.
    rewrite Nat.mul_add_distr_l, IH. destruct k as [|k].
    + rewrite !binom_0. lia.
    + specialize (IH k).
      change (binom (S n) (S k)) with (binom n k + binom n (S k))%nat in *. nia.
Qed.

(** C(2k+1, k) = C(2k+1, k+1), and (k+1) C(2k+1, k) = (2k+1) C(2k, k). *)
Lemma binom_middle k :
  (S k * binom (S (2 * k)) k = S (2 * k) * binom (2 * k) k)%nat.
Proof.
  destruct k as [|k]; [reflexivity|].
  pose proof (binom_absorb (2 * S k) k) as H.
  change (binom (S (2 * S k)) (S k)) with (binom (2 * S k) k + binom (2 * S k) (S k))%nat in *.
  nia.
Qed.

Lemma binom_middle_sym k : binom (S (2 * k)) (S k) = binom (S (2 * k)) k.
Proof.
  pose proof (binom_middle k). pose proof (binom_absorb (2 * k) k).
  apply (proj1 (Nat.mul_cancel_l _ _ (S k) ltac:(lia))). lia.
Qed.

(** ** Sums of signs *)

(** The sum of |c + s_1 + ... + s_n| over all signs s_i, and how often c + s_1 + ... + s_n = 0. *)
Fixpoint spread (n : nat) (c : Z) : Z :=
  match n with O => Z.abs c | S n' => spread n' (c + 1) + spread n' (c - 1) end%Z.
Fixpoint zeros (n : nat) (c : Z) : Z :=
  match n with
  | O => if (c =? 0)%Z then 1%Z else 0%Z
  | S n' => (zeros n' (c + 1) + zeros n' (c - 1))%Z
  end.

Lemma spread_convex n : forall c, (2 * spread n c <= spread n (c + 1) + spread n (c - 1))%Z.
Proof.
  induction n as [|n IH]; intros c; cbn [spread]; [lia|].
  pose proof (IH (c + 1)%Z) as H1. pose proof (IH (c - 1)%Z) as H2.
  replace (c - 1 + 1)%Z with (c + 1 - 1)%Z in * by lia. lia.
Qed.

Lemma spread_step n : forall c, spread (S n) c = (2 * spread n c + 2 * zeros n c)%Z.
Proof.
  induction n as [|n IH]; intros c.
  - cbn [spread zeros]. destruct (Z.eqb_spec c 0); lia.
  - change (spread (S (S n)) c) with (spread (S n) (c + 1) + spread (S n) (c - 1))%Z.
    rewrite (IH (c + 1)%Z), (IH (c - 1)%Z).
    change (spread (S n) c) with (spread n (c + 1) + spread n (c - 1))%Z.
    change (zeros (S n) c) with (zeros n (c + 1) + zeros n (c - 1))%Z. lia.
Qed.

Lemma zeros_far n : forall c, (Z.of_nat n < Z.abs c)%Z -> zeros n c = 0%Z.
Proof.
  induction n as [|n IH]; intros c Hc; cbn [zeros].
  - destruct (Z.eqb_spec c 0); lia.
  - rewrite !IH by lia. reflexivity.
Qed.

Lemma zeros_binom n : forall k,
  zeros n (2 * Z.of_nat k - Z.of_nat n) = Z.of_nat (binom n k).
Proof.
  induction n as [|n IH]; intros k.
  - destruct k; [reflexivity|]. simpl binom. apply zeros_far. lia.
  - cbn [zeros]. replace (2 * Z.of_nat k - Z.of_nat (S n) + 1)%Z
      with (2 * Z.of_nat k - Z.of_nat n)%Z by lia. rewrite IH. destruct k as [|k].
    + rewrite zeros_far by lia. rewrite !binom_0. reflexivity.
    + replace (2 * Z.of_nat (S k) - Z.of_nat (S n) - 1)%Z
        with (2 * Z.of_nat k - Z.of_nat n)%Z by lia. rewrite IH. simpl binom. lia.
Qed.

Lemma zeros_parity n : forall c, Z.odd (c + Z.of_nat n) = true -> zeros n c = 0%Z.
Proof.
  induction n as [|n IH]; intros c Hc; cbn [zeros].
  - destruct (Z.eqb_spec c 0) as [->|]; [discriminate|reflexivity].
  - rewrite !IH; [reflexivity| |].
    + rewrite <- Hc. replace (c + Z.of_nat (S n))%Z with (c - 1 + Z.of_nat n + 2 * 1)%Z by lia.
      now rewrite Z.odd_add_mul_2.
    + rewrite <- Hc. f_equal. lia.
Qed.

(** The mean of |s_1 + ... + s_N| is N C(N-1, ⌊(N-1)/2⌋) / 2^(N-1). *)
Lemma spread_closed n :
  spread (S n) 0 = (2 * Z.of_nat (S n) * Z.of_nat (binom n (n / 2)))%Z.
Proof.
  induction n as [|n IH]; [reflexivity|]. rewrite spread_step, IH.
  destruct (Nat.Even_or_Odd n) as [[k ->]|[k ->]].
  - rewrite zeros_parity.
    2: { replace (0 + Z.of_nat (S (2 * k)))%Z with (1 + 2 * Z.of_nat k)%Z by lia.
         now rewrite Z.odd_add_mul_2. }
    replace (2 * k / 2)%nat with k by (rewrite Nat.mul_comm, Nat.div_mul; lia).
    replace (S (2 * k) / 2)%nat with k.
    2: { symmetry. replace (S (2 * k)) with (1 + k * 2)%nat by lia.
         rewrite Nat.div_add by lia. reflexivity. }
    pose proof (binom_middle k). nia.
  - replace 0%Z with (2 * Z.of_nat (S k) - Z.of_nat (S (2 * k + 1)))%Z at 1 by lia.
    rewrite zeros_binom.
    replace ((2 * k + 1) / 2)%nat with k.
    2: { symmetry. rewrite Nat.add_comm, Nat.mul_comm, Nat.div_add by lia. reflexivity. }
    replace (S (2 * k + 1) / 2)%nat with (S k).
    2: { symmetry. replace (S (2 * k + 1)) with (S k * 2)%nat by lia. now rewrite Nat.div_mul. }
    replace (2 * k + 1)%nat with (S (2 * k)) by lia.
    change (binom (S (S (2 * k))) (S k))
      with (binom (S (2 * k)) k + binom (S (2 * k)) (S k))%nat.
    rewrite binom_middle_sym. lia.
Qed.

(** ** One-bit protocols *)

(** How many places of x agree with y. *)
Definition agreements (x : list bool) (y : nat -> bool) : R :=
  rsum (length x) (fun i => 1 - wrong (y i) (nth i x false)).

Lemma agreements_cons a x y :
  agreements (a :: x) y = 1 - wrong (y 0%nat) a + agreements x (fun i => y (S i)).
Proof. unfold agreements. simpl length. now rewrite rsum_first. Qed.

Lemma agreements_total N : forall y,
  lsum (fun x => agreements x y) (bitstrings N) = INR N * 2 ^ N / 2.
Proof.
  induction N as [|N IH]; intros y; [simpl; unfold agreements; simpl; field|].
  simpl bitstrings. rewrite lsum_app, !lsum_map.
  rewrite (lsum_ext (fun a => agreements (false :: a) y)
    (fun x => (1 - wrong (y 0%nat) false) + agreements x (fun i => y (S i))))
    by (intros; apply agreements_cons).
  rewrite (lsum_ext (fun a => agreements (true :: a) y)
    (fun x => (1 - wrong (y 0%nat) true) + agreements x (fun i => y (S i))))
    by (intros; apply agreements_cons).
  rewrite !lsum_plus, !lsum_const, IH, bitstrings_length, pow_INR.
  change (INR 2) with 2. rewrite S_INR. simpl pow. unfold wrong.
  destruct (y 0%nat); cbn [Bool.eqb]; field.
Qed.

Lemma difference_spread N : forall y0 y1 c,
  lsum (fun x => Rabs (IZR c + (agreements x y0 - agreements x y1))) (bitstrings N)
    <= IZR (spread N c) /\
  ((forall i, y0 i <> y1 i) ->
   lsum (fun x => Rabs (IZR c + (agreements x y0 - agreements x y1))) (bitstrings N)
    = IZR (spread N c)).
Proof.
  induction N as [|N IH]; intros y0 y1 c.
  - simpl. unfold agreements. simpl. rewrite Rminus_0_r, !Rplus_0_r, <- abs_IZR. split; [lra|].
    reflexivity.
  - simpl bitstrings. rewrite lsum_app, !lsum_map.
    set (z0 := fun i => y0 (S i)). set (z1 := fun i => y1 (S i)).
    assert (Hstep : forall a e, IZR e = 1 - wrong (y0 0%nat) a - (1 - wrong (y1 0%nat) a) ->
      lsum (fun x => Rabs (IZR c + (agreements (a :: x) y0 - agreements (a :: x) y1)))
           (bitstrings N)
      = lsum (fun x => Rabs (IZR (c + e) + (agreements x z0 - agreements x z1))) (bitstrings N)).
    { intros a e He. apply lsum_ext. intros x _. rewrite !agreements_cons, plus_IZR, He.
      f_equal. unfold z0, z1. ring. }
    pose proof (spread_convex N c) as Hconv. apply IZR_le in Hconv.
    rewrite mult_IZR, plus_IZR in Hconv.
    change (spread (S N) c) with (spread N (c + 1) + spread N (c - 1))%Z. rewrite plus_IZR.
    destruct (bool_dec (y0 0%nat) (y1 0%nat)) as [E|E].
    + rewrite (Hstep false 0%Z), (Hstep true 0%Z) by (rewrite E; ring).
      rewrite Z.add_0_r. destruct (IH z0 z1 c) as [H _]. split; [lra|].
      intros Hne. now destruct (Hne 0%nat).
    + assert (Hcase : forall y0' y1', y0' <> y1' ->
        (forall a e, IZR e = 1 - wrong y0' a - (1 - wrong y1' a) ->
          lsum (fun x => Rabs (IZR c + (agreements (a :: x) y0 - agreements (a :: x) y1)))
               (bitstrings N)
          = lsum (fun x => Rabs (IZR (c + e) + (agreements x z0 - agreements x z1)))
               (bitstrings N)) ->
        lsum (fun x => Rabs (IZR c + (agreements (false :: x) y0 - agreements (false :: x) y1)))
             (bitstrings N)
        + lsum (fun x => Rabs (IZR c + (agreements (true :: x) y0 - agreements (true :: x) y1)))
             (bitstrings N)
        = lsum (fun x => Rabs (IZR (c + 1) + (agreements x z0 - agreements x z1))) (bitstrings N)
          + lsum (fun x => Rabs (IZR (c - 1) + (agreements x z0 - agreements x z1)))
             (bitstrings N)).
      { intros y0' y1' Hne H. unfold wrong in H. destruct y0', y1'; try congruence.
        - rewrite (H false (-1)%Z), (H true 1%Z) by (simpl; lra).
          replace (c + -1)%Z with (c - 1)%Z by lia. apply Rplus_comm.
        - rewrite (H false 1%Z), (H true (-1)%Z) by (simpl; lra).
          now replace (c + -1)%Z with (c - 1)%Z by lia. }
      rewrite (Hcase _ _ E Hstep).
      destruct (IH z0 z1 (c + 1)%Z) as [H1 H1'], (IH z0 z1 (c - 1)%Z) as [H2 H2'].
      split; [lra|]. intros Hne. rewrite H1', H2'; [reflexivity| |]; intros i; apply Hne.
Qed.

Lemma Rmax_half a b : Rmax a b = (a + b) / 2 + Rabs (0 + (a - b)) / 2.
Proof. unfold Rmax, Rabs. destruct (Rle_dec a b), (Rcase_abs _); lra. Qed.

Lemma best_guess N y0 y1 :
  let best := lsum (fun x => Rmax (agreements x y0) (agreements x y1)) (bitstrings (S N)) in
  let bound := INR (S N) * 2 ^ S N * (1 / 2 + INR (binom N (N / 2)) / 2 ^ S N) in
  best <= bound /\ ((forall i, y0 i <> y1 i) -> best = bound).
Proof.
  intros best bound.
  assert (E : best = INR (S N) * 2 ^ S N / 2
    + 1 / 2 * lsum (fun x => Rabs (IZR 0 + (agreements x y0 - agreements x y1)))
                (bitstrings (S N))).
  { unfold best. rewrite (lsum_ext _ (fun x => 1 / 2 * agreements x y0 + (1 / 2 * agreements x y1
        + 1 / 2 * Rabs (IZR 0 + (agreements x y0 - agreements x y1))))).
    - rewrite !lsum_plus, !lsum_scal, !agreements_total. field.
    - intros x _. rewrite Rmax_half. field. }
  assert (B : bound = INR (S N) * 2 ^ S N / 2 + 1 / 2 * IZR (spread (S N) 0)).
  { rewrite spread_closed, !mult_IZR, <- !INR_IZR_INZ. unfold bound. field.
    apply pow_nonzero; lra. }
  rewrite E, B. destruct (difference_spread (S N) y0 y1 0%Z) as [H H'].
  split; [lra|]. intros Hne. now rewrite H'.
Qed.

(** No one-bit protocol for N + 1 bits is right more often. *)
Theorem index_randomized_one_bit N enc dec :
  right_answers (S N) enc dec
    <= INR (S N) * 2 ^ S N * (1 / 2 + INR (binom N (N / 2)) / 2 ^ S N).
Proof.
  eapply Rle_trans; [|apply (proj1 (best_guess N (dec false) (dec true)))].
  apply lsum_le. intros x Hx. apply in_bitstrings in Hx. unfold agreements. rewrite Hx.
  destruct (enc x); [apply Rmax_r|apply Rmax_l].
Qed.

(** Sending the majority is right exactly as often. *)
Theorem index_randomized_one_bit_met N : exists enc dec,
  right_answers (S N) enc dec
    = INR (S N) * 2 ^ S N * (1 / 2 + INR (binom N (N / 2)) / 2 ^ S N).
Proof.
  set (dec := fun (b : bool) (_ : nat) => b).
  exists (fun x => if Rle_dec (agreements x (dec false)) (agreements x (dec true))
                   then true else false), dec.
  rewrite <- (proj2 (best_guess N (dec false) (dec true))) by (intros; discriminate).
  apply lsum_ext. intros x Hx. apply in_bitstrings in Hx.
  change (rsum (S N) (fun i => 1 - wrong (dec (if Rle_dec (agreements x (dec false))
    (agreements x (dec true)) then true else false) i) (nth i x false))
    = Rmax (agreements x (dec false)) (agreements x (dec true))).
  unfold Rmax, agreements. rewrite Hx. destruct (Rle_dec _ _); reflexivity.
Qed.
