(** Finite sums of real numbers, over indices and over lists. *)
From Coq Require Import Reals Lra Lia Arith List.
Import ListNotations.
Open Scope R_scope.

(** [rsum n f] is  f 0 + f 1 + ... + f (n-1). *)
Fixpoint rsum (n : nat) (f : nat -> R) : R :=
  match n with
  | O => 0
  | S k => rsum k f + f k
  end.

Lemma rsum_ext n f g :
  (forall j, (j < n)%nat -> f j = g j) -> rsum n f = rsum n g.
Proof.
  induction n; intros H; simpl; [reflexivity|].
  rewrite IHn, H; auto.
Qed.

Lemma rsum_le n f g :
  (forall j, (j < n)%nat -> f j <= g j) -> rsum n f <= rsum n g.
Proof.
  induction n; intros H; simpl; [lra|].
  apply Rplus_le_compat; auto.
Qed.

Lemma rsum_nonneg n f :
  (forall j, (j < n)%nat -> 0 <= f j) -> 0 <= rsum n f.
Proof.
  induction n; intros H; simpl; [lra|].
  apply Rplus_le_le_0_compat; auto.
Qed.

Lemma rsum_scal n a f : rsum n (fun j => a * f j) = a * rsum n f.
Proof. induction n; simpl; [ring|]. rewrite IHn; ring. Qed.

Lemma rsum_scal_r n a f : rsum n (fun j => f j * a) = rsum n f * a.
Proof. induction n; simpl; [ring|]. rewrite IHn; ring. Qed.

Lemma rsum_plus n f g : rsum n (fun j => f j + g j) = rsum n f + rsum n g.
Proof. induction n; simpl; [ring|]. rewrite IHn; ring. Qed.

Lemma rsum_const n a : rsum n (fun _ => a) = INR n * a.
Proof. induction n; simpl rsum; [simpl; ring|]. rewrite IHn, S_INR; ring. Qed.

Lemma rsum_swap n m (f : nat -> nat -> R) :
  rsum n (fun j => rsum m (fun l => f j l)) = rsum m (fun l => rsum n (fun j => f j l)).
Proof.
  induction n; simpl.
  - induction m; simpl; [ring|]. rewrite <- IHm; ring.
  - rewrite IHn, <- rsum_plus. reflexivity.
Qed.

(** Take one term out of a sum. *)
Lemma rsum_split n i f :
  (i < n)%nat ->
  rsum n f = f i + rsum n (fun j => if Nat.eqb j i then 0 else f j).
Proof.
  induction n; intros Hi; [lia|]. simpl.
  destruct (Nat.eq_dec i n) as [->|Hne].
  - rewrite Nat.eqb_refl.
    rewrite (rsum_ext n f (fun j => if Nat.eqb j n then 0 else f j)); [ring|].
    intros j Hj. destruct (Nat.eqb_spec j n); [lia|reflexivity].
  - rewrite IHn by lia. destruct (Nat.eqb_spec n i); [lia|ring].
Qed.

(** Number of terms other than [i]. *)
Lemma rsum_const_except n i a :
  (i < n)%nat -> rsum n (fun j => if Nat.eqb j i then 0 else a) = INR (n - 1) * a.
Proof.
  intros Hi. pose proof (rsum_split n i (fun _ => a) Hi) as H.
  rewrite rsum_const in H. destruct n; [lia|].
  replace (S n - 1)%nat with n by lia. rewrite S_INR in H. lra.
Qed.

Lemma rsum_first n f : rsum (S n) f = f 0%nat + rsum n (fun j => f (S j)).
Proof.
  induction n; [simpl; ring|].
  change (rsum (S (S n)) f) with (rsum (S n) f + f (S n)). rewrite IHn. simpl. ring.
Qed.

Lemma rsum_app a b f : rsum (a + b) f = rsum a f + rsum b (fun k => f (a + k)%nat).
Proof.
  induction b; simpl.
  - rewrite Nat.add_0_r; ring.
  - rewrite Nat.add_succ_r. simpl. rewrite IHb; ring.
Qed.

(** A double sum is one sum over n1 * n2 terms. *)
Lemma rsum_flatten n1 n2 (f : nat -> nat -> R) :
  rsum n1 (fun j => rsum n2 (fun l => f j l))
    = rsum (n1 * n2) (fun a => f (a / n2)%nat (a mod n2)%nat).
Proof.
  induction n1; simpl; [reflexivity|].
  rewrite Nat.add_comm, rsum_app, <- IHn1. f_equal.
  apply rsum_ext. intros l Hl. f_equal.
  - rewrite Nat.div_add_l by lia. rewrite Nat.div_small by exact Hl. lia.
  - rewrite Nat.add_comm, Nat.mod_add by lia. symmetry; apply Nat.mod_small, Hl.
Qed.

Lemma rsum_Rabs n f : Rabs (rsum n f) <= rsum n (fun j => Rabs (f j)).
Proof.
  induction n; simpl; [rewrite Rabs_R0; lra|].
  eapply Rle_trans; [apply Rabs_triang|]. lra.
Qed.

(** ** Sums over lists *)

Fixpoint lsum {A} (f : A -> R) (l : list A) : R :=
  match l with [] => 0 | a :: l' => f a + lsum f l' end.

Lemma lsum_app {A} (f : A -> R) l l' : lsum f (l ++ l') = lsum f l + lsum f l'.
Proof. induction l; simpl; [ring|]. rewrite IHl; ring. Qed.

Lemma lsum_map {A B} (g : A -> B) (f : B -> R) l : lsum f (map g l) = lsum (fun a => f (g a)) l.
Proof. induction l; simpl; [reflexivity|]. now rewrite IHl. Qed.

Lemma lsum_ext {A} (f g : A -> R) l : (forall a, In a l -> f a = g a) -> lsum f l = lsum g l.
Proof. induction l; simpl; intros H; [reflexivity|]. rewrite IHl, (H a); auto. Qed.

Lemma lsum_le {A} (f g : A -> R) l : (forall a, In a l -> f a <= g a) -> lsum f l <= lsum g l.
Proof. induction l; simpl; intros H; [lra|]. apply Rplus_le_compat; auto. Qed.

Lemma lsum_scal {A} a (f : A -> R) l : lsum (fun x => a * f x) l = a * lsum f l.
Proof. induction l; simpl; [ring|]. rewrite IHl; ring. Qed.

Lemma lsum_plus {A} (f g : A -> R) l : lsum (fun x => f x + g x) l = lsum f l + lsum g l.
Proof. induction l; simpl; [ring|]. rewrite IHl; ring. Qed.

Lemma lsum_const {A} a (l : list A) : lsum (fun _ => a) l = INR (length l) * a.
Proof. induction l; simpl lsum; simpl length; [simpl; ring|]. rewrite IHl, S_INR; ring. Qed.

Lemma lsum_rsum_swap {A} n (f : nat -> A -> R) (l : list A) :
  lsum (fun a => rsum n (fun j => f j a)) l = rsum n (fun j => lsum (f j) l).
Proof.
  induction l; simpl.
  - induction n; simpl; lra.
  - rewrite IHl, <- rsum_plus. reflexivity.
Qed.

Lemma lsum_swap {A B} (f : A -> B -> R) (l : list A) (l' : list B) :
  lsum (fun a => lsum (f a) l') l = lsum (fun b => lsum (fun a => f a b) l) l'.
Proof.
  induction l; simpl.
  - induction l'; simpl; lra.
  - rewrite IHl, <- lsum_plus. reflexivity.
Qed.

Lemma lsum_nonneg {A} (f : A -> R) l : (forall a, In a l -> 0 <= f a) -> 0 <= lsum f l.
Proof.
  intros H. replace 0 with (lsum (fun _ : A => 0) l).
  - apply lsum_le; exact H.
  - rewrite lsum_const; ring.
Qed.

(** A nonnegative term is at most the sum. *)
Lemma lsum_ge_term {A} (f : A -> R) l a :
  (forall b, In b l -> 0 <= f b) -> In a l -> f a <= lsum f l.
Proof.
  induction l as [|b l IH]; simpl; intros Hpos Ha; [tauto|].
  assert (0 <= lsum f l) by (apply lsum_nonneg; auto).
  pose proof (Hpos b (or_introl eq_refl)).
  destruct Ha as [->|Ha]; [lra|]. specialize (IH (fun c Hc => Hpos c (or_intror Hc)) Ha). lra.
Qed.

Lemma lsum_0 {A} (f : A -> R) l : (forall a, In a l -> f a = 0) -> lsum f l = 0.
Proof. intros H. rewrite (lsum_ext f (fun _ => 0) l H), lsum_const. ring. Qed.

Lemma lsum_filter {A} (p : A -> bool) f l :
  lsum (fun t => if p t then f t else 0) l = lsum f (filter p l).
Proof. induction l as [|a l IH]; simpl; [reflexivity|]. destruct (p a); simpl; lra. Qed.

Lemma lsum_partition {A} (p : A -> bool) f l :
  lsum f l = lsum f (filter p l) + lsum f (filter (fun t => negb (p t)) l).
Proof. induction l as [|a l IH]; simpl; [lra|]. destruct (p a); simpl; lra. Qed.

Lemma lsum_seq a n f : lsum f (seq a n) = rsum n (fun j => f (a + j)%nat).
Proof.
  revert a; induction n; intros a; [reflexivity|].
  rewrite rsum_first, Nat.add_0_r. simpl seq. simpl lsum. rewrite IHn. f_equal.
  apply rsum_ext; intros. f_equal; lia.
Qed.

Lemma lsum_list_prod {A B} (f : A * B -> R) l l' :
  lsum f (list_prod l l') = lsum (fun a => lsum (fun b => f (a, b)) l') l.
Proof.
  induction l as [|a l IH]; simpl; [reflexivity|]. now rewrite lsum_app, lsum_map, IH.
Qed.

(** One term of a list without repetition is all that a sum of cases gives. *)
Lemma lsum_case {A} (dec : forall a b : A, {a = b} + {a <> b}) f l a :
  NoDup l -> In a l -> lsum (fun b => if dec a b then f b else 0) l = f a.
Proof.
  induction 1 as [|b l Hb Hl IH]; simpl; [tauto|]. intros Ha.
  destruct (dec a b) as [->|Hne].
  - rewrite (lsum_ext _ (fun _ => 0)); [rewrite lsum_const; ring|].
    intros c Hc. destruct (dec b c) as [->|]; [contradiction|reflexivity].
  - rewrite IH by (destruct Ha; [congruence|assumption]). ring.
Qed.
