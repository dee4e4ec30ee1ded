(** Entries rounded to the middles of 2^w cells, and matrices of them in w bits an entry. *)
From Coq Require Import Reals ZArith Lra Lia Arith List.
From KVFloor Require Import Sums Attention Guarantee Bits Symbols.
Import ListNotations.
Open Scope R_scope.

(** The least whole number that is x or more. *)
Lemma least_above x : 0 <= x -> exists L, x <= INR L < x + 1.
Proof.
  intros Hx.
  assert (Hk : exists k, x <= INR k).
  { destruct (archimed x) as [Hup _]. exists (Z.to_nat (up x)).
    rewrite INR_IZR_INZ, Z2Nat.id; [lra|]. apply le_IZR. lra. }
  destruct Hk as [k Hk]. induction k as [|k IH].
  - exists 0%nat. simpl in *. lra.
  - destruct (Rle_dec x (INR k)) as [H|H]; [now apply IH|]. exists (S k). rewrite S_INR in *. lra.
Qed.

(** The middle of cell k of N that cover [-B, B]. *)
Definition middle (N : nat) (B : R) (k : nat) : R := B * (INR (2 * k + 1) / INR N - 1).

Lemma middle_inside N B k : 0 < B -> (k < N)%nat -> Rabs (middle N B k) <= B.
Proof.
  intros HB Hk. assert (HN : 0 < INR N) by (apply lt_0_INR; lia).
  assert (H : 0 <= INR (2 * k + 1) / INR N <= 2).
  { split; [apply Rmult_le_pos; [apply pos_INR|left; now apply Rinv_0_lt_compat]|].
    apply (Rmult_le_reg_r (INR N)); [exact HN|].
    replace (INR (2 * k + 1) / INR N * INR N) with (INR (2 * k + 1)) by (field; lra).
    replace (2 * INR N) with (INR (2 * N)) by (rewrite mult_INR; reflexivity). apply le_INR. lia. }
  unfold middle. rewrite Rabs_mult, (Rabs_pos_eq B) by lra. rewrite <- (Rmult_1_r B) at 2.
  apply Rmult_le_compat_l; [lra|]. apply Rabs_le. lra.
Qed.

Lemma near_a_middle N B x : (1 <= N)%nat -> 0 < B -> Rabs x <= B ->
  exists k, (k < N)%nat /\ Rabs (middle N B k - x) <= B / INR N.
Proof.
  intros HN1 HB Hx. assert (HN : 0 < INR N) by (apply lt_0_INR; lia). set (h := B / INR N).
  assert (Hh : 0 < h) by (apply Rdiv_lt_0_compat; lra).
  assert (HNh : INR N * h = B) by (unfold h; field; lra).
  apply Rabs_le_inv in Hx.
  assert (Hcell : forall M, x <= - B + 2 * h * INR M -> (1 <= M)%nat -> exists k, (k < M)%nat /\
            - B + 2 * h * INR k <= x <= - B + 2 * h * (INR k + 1)).
  { induction M as [|M IH]; [lia|]. intros H _. rewrite S_INR in H.
    destruct (Rle_dec (- B + 2 * h * INR M) x) as [Hle|Hgt]; [exists M; split; [lia|lra]|].
    destruct M as [|M]; [simpl in Hgt; lra|].
    destruct IH as (k & Hk & Hkx); [lra|lia|]. exists k. split; [lia|exact Hkx]. }
  destruct (Hcell N) as (k & Hk & Hkx); [|exact HN1|].
  - replace (2 * h * INR N) with (2 * (INR N * h)) by ring. lra.
  - exists k. split; [exact Hk|]. unfold middle.
    replace (B * (INR (2 * k + 1) / INR N - 1)) with (- B + h * (2 * INR k + 1)).
    + apply Rabs_le. lra.
    + rewrite plus_INR, mult_INR. simpl INR. unfold h. field. lra.
Qed.

(** The middles of 2^w cells. *)
Definition middles (w : nat) (B : R) : list R := map (middle (2 ^ w) B) (seq 0 (2 ^ w)).

Lemma middle_within w B z : 0 < B -> In z (middles w B) -> Rabs z <= B.
Proof.
  intros HB Hz. apply in_map_iff in Hz as (k & <- & Hk). apply in_seq in Hk.
  apply middle_inside; [exact HB|lia].
Qed.

Lemma middle_near w B x : 0 < B -> Rabs x <= B ->
  exists z, In z (middles w B) /\ Rabs (z - x) <= B / 2 ^ w.
Proof.
  intros HB Hx. pose proof (Nat.pow_nonzero 2 w).
  destruct (near_a_middle (2 ^ w) B x) as (k & Hk & Hn); [lia|exact HB|exact Hx|].
  rewrite pow_INR in Hn. exists (middle (2 ^ w) B k). split; [|exact Hn].
  apply in_map, in_seq. lia.
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
