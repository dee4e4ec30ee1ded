(** Polynomials with integer coefficients, the lowest first: their values at real numbers, and bounds
    of these by what can be computed with integers. *)
From Coq Require Import Reals ZArith Lra Lia Arith List.
Import ListNotations.
Open Scope R_scope.

Fixpoint value (l : list Z) (x : R) : R :=
  match l with [] => 0 | a :: l' => IZR a + x * value l' x end.

Fixpoint add (l m : list Z) : list Z :=
  match l, m with
  | [], _ => m
  | _, [] => l
  | a :: l', b :: m' => (a + b)%Z :: add l' m'
  end.
Definition scale (a : Z) (l : list Z) : list Z := map (Z.mul a) l.

(** The polynomial in s when x = j + s. *)
Fixpoint shift (j : Z) (l : list Z) : list Z :=
  match l with
  | [] => []
  | a :: l' => let m := shift j l' in add (a :: m) (scale j m)
  end.

(** That in g when x = g/b, times b^n. *)
Fixpoint spread (b : Z) (n : nat) (l : list Z) : list Z :=
  match n, l with
  | S n', a :: l' => (a * b ^ Z.of_nat n)%Z :: spread b n' l'
  | _, _ => l
  end.

Definition norm (l : list Z) : Z := fold_right (fun a s => (Z.abs a + s)%Z) 0%Z l.

Lemma value_add l m x : value (add l m) x = value l x + value m x.
Proof.
  revert m. induction l as [|a l IH]; intros [|b m]; simpl; try ring. rewrite plus_IZR, IH. ring.
Qed.

Lemma value_scale a l x : value (scale a l) x = IZR a * value l x.
Proof. induction l as [|b l IH]; simpl; [ring|]. rewrite mult_IZR, IH. ring. Qed.

Lemma value_shift j l s : value (shift j l) s = value l (IZR j + s).
Proof.
  induction l as [|a l IH]; [reflexivity|]. cbn [shift].
  rewrite value_add, value_scale. cbn [value]. rewrite IH. ring.
Qed.

Lemma value_spread b n l g : (length l <= S n)%nat -> (0 < b)%Z ->
  value (spread b n l) g = IZR b ^ n * value l (g / IZR b).
Proof.
  intros Hl Hb. apply IZR_lt in Hb. revert l Hl.
  induction n as [|n IH]; intros [|a l] Hl; cbn [spread value]; try ring.
  - destruct l; [simpl; ring|simpl in Hl; lia].
  - rewrite IH by (simpl in Hl; lia). rewrite mult_IZR, <- pow_IZR. simpl pow. field. lra.
Qed.

Lemma value_within l s : Rabs s <= 1 -> Rabs (value l s) <= IZR (norm l).
Proof.
  intros Hs. induction l as [|a l IH]; cbn [value norm fold_right]; [rewrite Rabs_R0; lra|].
  rewrite plus_IZR, abs_IZR. eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_mult.
  apply Rplus_le_compat_l. rewrite <- (Rmult_1_l (IZR _)).
  apply Rmult_le_compat; auto using Rabs_pos.
Qed.

Lemma value_at_least a l s : Rabs s <= 1 -> IZR (a - norm l) <= value (a :: l) s.
Proof.
  intros Hs. cbn [value]. rewrite minus_IZR.
  assert (H : Rabs (s * value l s) <= 1 * IZR (norm l))
    by (rewrite Rabs_mult; apply Rmult_le_compat; auto using Rabs_pos, value_within).
  pose proof (Rle_abs (- (s * value l s))) as H1. rewrite Rabs_Ropp in H1. lra.
Qed.
