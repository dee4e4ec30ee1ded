(** Grids in a box: words whose symbols name a point in each coordinate. *)
From Coq Require Import Reals Lra Lia Arith List.
From KVFloor Require Import Sums MixedSymbols.
Import ListNotations.
Open Scope R_scope.

(** Coordinates within ±R. *)
Definition in_box (r : nat) (Rs y : nat -> R) : Prop := forall j, (j < r)%nat -> Rabs (y j) <= Rs j.

(** K points of [-R, R], 2R/(K-1) apart; the point of a word. *)
Definition grid_point (Rj : R) (K k : nat) : R := Rj * (2 * INR k / INR (K - 1) - 1).

Section Grid.
Variables (r : nat) (K : nat -> nat) (Rs : nat -> R).
Hypothesis HR : forall j, (j < r)%nat -> 0 < Rs j.

Definition point_of (x : list nat) : nat -> R := fun j =>
  let k := symbol Nat.eq_dec (seq 0 r) x j in
  if K j =? 1 then 0 else grid_point (Rs j) (K j) k.

Lemma point_in_box x : In x (words K (seq 0 r)) -> in_box r Rs (point_of x).
Proof.
  intros Hx j Hj. unfold point_of, grid_point. specialize (HR j Hj).
  pose proof (symbol_lt Nat.eq_dec K (seq 0 r) x j Hx ltac:(apply in_seq; lia)) as Hk.
  set (k := symbol _ _ _ _) in *.
  destruct (Nat.eqb_spec (K j) 1) as [|Hne]; [rewrite Rabs_R0; lra|].
  assert (HK : 0 < INR (K j - 1)) by (apply lt_0_INR; lia).
  assert (H : 0 <= INR k / INR (K j - 1) <= 1).
  { split; [apply Rmult_le_pos; [apply pos_INR|left; now apply Rinv_0_lt_compat]|].
    apply (Rmult_le_reg_r (INR (K j - 1))); [exact HK|].
    replace (INR k / INR (K j - 1) * INR (K j - 1)) with (INR k) by (field; lra).
    rewrite Rmult_1_l. apply le_INR. lia. }
  replace (2 * INR k / INR (K j - 1)) with (2 * (INR k / INR (K j - 1))) by (unfold Rdiv; ring).
  set (z := INR k / INR (K j - 1)) in *. rewrite Rabs_mult, (Rabs_pos_eq (Rs j)) by lra.
  rewrite <- (Rmult_1_r (Rs j)) at 2. apply Rmult_le_compat_l; [lra|]. apply Rabs_le. lra.
Qed.

(** Different symbols are 2R/(K-1) apart or more. *)
Lemma points_apart x y j : (j < r)%nat -> In x (words K (seq 0 r)) -> In y (words K (seq 0 r)) ->
  symbol Nat.eq_dec (seq 0 r) x j <> symbol Nat.eq_dec (seq 0 r) y j ->
  2 * Rs j <= INR (K j - 1) * Rabs (point_of y j - point_of x j) /\ (2 <= K j)%nat.
Proof.
  intros Hj Hx Hy Hne. specialize (HR j Hj).
  assert (Hin : In j (seq 0 r)) by (apply in_seq; lia).
  pose proof (symbol_lt Nat.eq_dec K (seq 0 r) x j Hx Hin) as Hkx.
  pose proof (symbol_lt Nat.eq_dec K (seq 0 r) y j Hy Hin) as Hky.
  unfold point_of, grid_point. set (k := symbol _ _ x j) in *. set (l := symbol _ _ y j) in *.
  destruct (Nat.eqb_spec (K j) 1) as [E|E]; [lia|]. split; [|lia].
  assert (HK : 0 < INR (K j - 1)) by (apply lt_0_INR; lia).
  replace (Rs j * (2 * INR l / INR (K j - 1) - 1) - Rs j * (2 * INR k / INR (K j - 1) - 1))
    with (2 * Rs j / INR (K j - 1) * (INR l - INR k)) by (field; lra).
  rewrite Rabs_mult, (Rabs_pos_eq (2 * Rs j / INR (K j - 1)))
    by (left; apply Rdiv_lt_0_compat; lra).
  replace (INR (K j - 1) * (2 * Rs j / INR (K j - 1) * Rabs (INR l - INR k)))
    with (2 * Rs j * Rabs (INR l - INR k)) by (field; lra).
  rewrite <- (Rmult_1_r (2 * Rs j)) at 1. apply Rmult_le_compat_l; [lra|].
  destruct (Nat.lt_trichotomy k l) as [H|[H|H]]; [|contradiction|];
    apply le_INR in H; rewrite S_INR in H; unfold Rabs; destruct (Rcase_abs _); lra.
Qed.
End Grid.
