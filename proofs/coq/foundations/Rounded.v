(** Entries rounded to the middles of 2^w cells, and matrices of them in w bits an entry. *)
From Coq Require Import Reals Lra Lia Arith List.
From KVFloor Require Import Sums Attention Guarantee Bits Symbols.
Import ListNotations.
Open Scope R_scope.

(** The middles of 2^w cells that cover [-B, B]. *)
Definition middles (w : nat) (B : R) : list R :=
  map (fun k => B * (INR (2 * k + 1) / 2 ^ w - 1)) (seq 0 (2 ^ w)).

Lemma middle_within w B z : 0 < B -> In z (middles w B) -> Rabs z <= B.
Proof.
  intros HB Hz. apply in_map_iff in Hz as (k & <- & Hk). apply in_seq in Hk.
  assert (Hw : 0 < 2 ^ w) by (apply pow_lt; lra).
  assert (H : 0 <= INR (2 * k + 1) / 2 ^ w <= 2).
  { split; [apply Rmult_le_pos; [apply pos_INR|left; now apply Rinv_0_lt_compat]|].
    apply (Rmult_le_reg_r (2 ^ w)); [exact Hw|].
    replace (INR (2 * k + 1) / 2 ^ w * 2 ^ w) with (INR (2 * k + 1)) by (field; lra).
    assert (Hc : INR (2 * k + 1) <= INR (2 * 2 ^ w)) by (apply le_INR; lia).
    rewrite (mult_INR 2), pow_INR in Hc. exact Hc. }
  rewrite Rabs_mult, (Rabs_pos_eq B) by lra. rewrite <- (Rmult_1_r B) at 2.
  apply Rmult_le_compat_l; [lra|]. apply Rabs_le. lra.
Qed.

Lemma middle_near w B x : 0 < B -> Rabs x <= B ->
  exists z, In z (middles w B) /\ Rabs (z - x) <= B / 2 ^ w.
Proof.
  intros HB Hx. assert (Hw : 0 < 2 ^ w) by (apply pow_lt; lra). set (h := B / 2 ^ w).
  assert (Hh : 0 < h) by (apply Rdiv_lt_0_compat; lra).
  assert (HN : INR (2 ^ w) * h = B)
    by (unfold h; rewrite pow_INR; change (INR 2) with 2; field; lra).
  apply Rabs_le_inv in Hx.
  assert (Hcell : forall N, x <= - B + 2 * h * INR N -> (1 <= N)%nat -> exists k, (k < N)%nat /\
            - B + 2 * h * INR k <= x <= - B + 2 * h * (INR k + 1)).
  { induction N as [|N IH]; [lia|]. intros H _. rewrite S_INR in H.
    destruct (Rle_dec (- B + 2 * h * INR N) x) as [Hle|Hgt]; [exists N; split; [lia|lra]|].
    destruct N as [|N]; [simpl in Hgt; lra|].
    destruct IH as (k & Hk & Hkx); [lra|lia|]. exists k. split; [lia|exact Hkx]. }
  destruct (Hcell (2 ^ w)%nat) as (k & Hk & Hkx).
  - replace (2 * h * INR (2 ^ w)) with (2 * (INR (2 ^ w) * h)) by ring. lra.
  - pose proof (Nat.pow_nonzero 2 w). lia.
  - exists (B * (INR (2 * k + 1) / 2 ^ w - 1)). split.
    + unfold middles. apply (in_map (fun k => B * (INR (2 * k + 1) / 2 ^ w - 1))), in_seq. lia.
    + replace (B * (INR (2 * k + 1) / 2 ^ w - 1)) with (- B + h * (2 * INR k + 1)).
      * apply Rabs_le. lra.
      * rewrite plus_INR, mult_INR. simpl INR. unfold h. field. lra.
Qed.

(** The first middle near x. *)
Definition rounded (w : nat) (B x : R) : R :=
  match find (fun z => if Rle_dec (Rabs (z - x)) (B / 2 ^ w) then true else false) (middles w B)
  with Some z => z | None => 0 end.

Lemma rounded_near w B x : 0 < B -> Rabs x <= B ->
  In (rounded w B x) (middles w B) /\ Rabs (rounded w B x - x) <= B / 2 ^ w.
Proof.
  intros HB Hx. unfold rounded.
  set (p := fun z => if Rle_dec (Rabs (z - x)) (B / 2 ^ w) then true else false).
  destruct (find p (middles w B)) as [z|] eqn:E.
  - apply find_some in E as [Hz Hp]. split; [exact Hz|]. unfold p in Hp.
    destruct (Rle_dec (Rabs (z - x)) (B / 2 ^ w)); [assumption|discriminate].
  - exfalso. destruct (middle_near w B x HB Hx) as (z & Hz & Hn).
    pose proof (find_none p _ E z Hz) as Hp. unfold p in Hp.
    destruct (Rle_dec (Rabs (z - x)) (B / 2 ^ w)); [discriminate|contradiction].
Qed.

(** Matrices of n rows of d entries within ±B, m of them, in w bits an entry. *)
Lemma rounded_matrices m n d w B : 0 < B ->
  exists (write : list matrix -> list bool) (read : list bool -> list matrix),
    (forall Ms, length (write Ms) = (m * n * d * w)%nat) /\
    (forall s, length (read s) = m) /\
    (forall Ms r j e, length Ms = m -> (r < m)%nat -> (j < n)%nat -> (e < d)%nat ->
       Rabs (nth r Ms ones j e) <= B ->
       let x := nth r (read (write Ms)) ones j e in
       Rabs x <= B /\ Rabs (x - nth r Ms ones j e) <= B / 2 ^ w).
Proof.
  intros HB.
  destruct (numbering Req_EM_T (middles w B) 0 w) as (enc & dec & Henc & Hdec).
  { unfold middles. now rewrite map_length, seq_length. }
  exists (fun Ms => blocks w (m * n * d) (fun a =>
            enc (rounded w B (nth (a / d / n) Ms ones ((a / d) mod n)%nat (a mod d)%nat)))),
         (fun s => map (fun r j e => dec (block w ((r * n + j) * d + e) s)) (seq 0 m)).
  split; [intros; apply blocks_length|].
  split; [intros; now rewrite map_length, seq_length|].
  intros Ms r j e _ Hr Hj He Hentry x.
  assert (Hrow : (r * n + j < m * n)%nat) by nia.
  assert (Ha : ((r * n + j) * d + e < m * n * d)%nat) by nia.
  destruct (rounded_near w B _ HB Hentry) as [Hin Hnear].
  unfold x. rewrite nth_map_seq by exact Hr. rewrite block_blocks by (exact Ha || apply Henc).
  rewrite !pair_div, !pair_mod by assumption. rewrite Hdec by exact Hin.
  split; [now apply (middle_within w)|exact Hnear].
Qed.
