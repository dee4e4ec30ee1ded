(** U1 `covering-number`: products of clusters cluster, and what a greedy net covers. *)
From Coq Require Import Reals Lra Lia Arith List Classical.
From KVFloor Require Import Sums.
Import ListNotations.
Open Scope R_scope.

(** ** Norms of vectors of d entries *)

Definition vector := nat -> R.

(** ‖x‖₂ *)
Definition norm2 (d : nat) (x : vector) : R := sqrt (rsum d (fun c => x c * x c)).

(** ‖x‖_∞ *)
Fixpoint norm_sup (d : nat) (x : vector) : R :=
  match d with O => 0 | S k => Rmax (norm_sup k x) (Rabs (x k)) end.

Definition sub (x y : vector) : vector := fun c => x c - y c.
Definition mul (x y : vector) : vector := fun c => x c * y c.

Lemma norm_sup_entry d x c : (c < d)%nat -> Rabs (x c) <= norm_sup d x.
Proof.
  induction d; intros Hc; [lia|]. simpl.
  destruct (Nat.eq_dec c d) as [->|]; [apply Rmax_r|].
  eapply Rle_trans; [apply IHd; lia|apply Rmax_l].
Qed.

Lemma norm_sup_le d x r : 0 <= r -> (forall c, (c < d)%nat -> Rabs (x c) <= r) -> norm_sup d x <= r.
Proof.
  intros Hr. induction d; simpl; intros H; [exact Hr|]. apply Rmax_lub; auto.
Qed.

Lemma norm_sup_nonneg d x : 0 <= norm_sup d x.
Proof. induction d; simpl; [lra|]. eapply Rle_trans; [exact IHd|apply Rmax_l]. Qed.

Lemma squares_nonneg d x : 0 <= rsum d (fun c => x c * x c).
Proof. apply rsum_nonneg. intros c _. nra. Qed.

Lemma norm2_nonneg d x : 0 <= norm2 d x.
Proof. apply sqrt_pos. Qed.

Lemma norm2_square d x : norm2 d x * norm2 d x = rsum d (fun c => x c * x c).
Proof. apply sqrt_sqrt, squares_nonneg. Qed.

Lemma norm2_ext d x y : (forall c, (c < d)%nat -> x c = y c) -> norm2 d x = norm2 d y.
Proof. intros H. unfold norm2. f_equal. apply rsum_ext. intros c Hc. now rewrite H. Qed.

(** The inner product is at most the product of the norms. *)
Lemma cauchy_schwarz d x y : rsum d (fun c => x c * y c) <= norm2 d x * norm2 d y.
Proof.
  pose proof (norm2_nonneg d x) as HX. pose proof (norm2_nonneg d y) as HY.
  set (X := norm2 d x) in *. set (Y := norm2 d y) in *.
  (* the sum of (Y x - X y)² is not negative *)
  assert (H : 0 <= rsum d (fun c => (Y * x c - X * y c) * (Y * x c - X * y c)))
    by (apply rsum_nonneg; intros; apply Rle_0_sqr).
  rewrite (rsum_ext d _ (fun c => Y * Y * (x c * x c)
    + (- 2 * (X * Y) * (x c * y c) + X * X * (y c * y c)))) in H by (intros; ring).
  rewrite !rsum_plus, !rsum_scal, <- !norm2_square in H. fold X Y in H.
  set (P := rsum d _) in *.
  destruct (Req_dec (X * Y) 0) as [E|E].
  - (* one of the vectors is zero *)
    rewrite E. right. unfold P.
    assert (Hz : forall z, norm2 d z = 0 -> forall c, (c < d)%nat -> z c = 0).
    { intros z Hz c Hc. pose proof (norm2_square d z) as Hs. rewrite Hz, Rmult_0_l in Hs.
      rewrite (rsum_split d c) in Hs by exact Hc.
      assert (0 <= rsum d (fun j => if Nat.eqb j c then 0 else z j * z j)).
      { apply rsum_nonneg. intros j _. destruct (Nat.eqb j c); nra. }
      nra. }
    rewrite (rsum_ext d _ (fun _ => 0)); [rewrite rsum_const; ring|].
    intros c Hc. apply Rmult_integral in E as [E|E].
    + rewrite (Hz x E c Hc). ring.
    + rewrite (Hz y E c Hc). ring.
  - assert (0 < X * Y) by nra. nra.
Qed.

(** The triangle inequality. *)
Lemma norm2_triangle d x y : norm2 d (fun c => x c + y c) <= norm2 d x + norm2 d y.
Proof.
  pose proof (norm2_nonneg d x). pose proof (norm2_nonneg d y).
  apply Rsqr_incr_0_var; [|lra]. unfold Rsqr. rewrite norm2_square.
  rewrite (rsum_ext d _ (fun c => x c * x c + (2 * (x c * y c) + y c * y c))) by (intros; ring).
  rewrite !rsum_plus, rsum_scal, <- !norm2_square. pose proof (cauchy_schwarz d x y). lra.
Qed.

(** Entries of absolute value at most r make a vector at most r times as long. *)
Lemma norm2_mul_le d x y r :
  0 <= r -> (forall c, (c < d)%nat -> Rabs (y c) <= r) -> norm2 d (mul x y) <= r * norm2 d x.
Proof.
  intros Hr Hy. pose proof (norm2_nonneg d x).
  apply Rsqr_incr_0_var; [|nra]. unfold Rsqr. rewrite norm2_square.
  replace (r * norm2 d x * (r * norm2 d x)) with (r * r * (norm2 d x * norm2 d x)) by ring.
  rewrite norm2_square, <- rsum_scal. apply rsum_le. intros c Hc. unfold mul.
  specialize (Hy c Hc). assert (y c * y c <= r * r).
  { rewrite <- (Rabs_pos_eq (y c * y c)) by nra. rewrite Rabs_mult.
    pose proof (Rabs_pos (y c)). nra. }
  replace (x c * y c * (x c * y c)) with (y c * y c * (x c * x c)) by ring.
  apply Rmult_le_compat_r; nra.
Qed.

(** ** Products of clusters *)

(** ‖k∘l - k'∘l'‖₂ <= ‖k - k'‖₂ ‖l‖_∞ + ‖k'‖_∞ ‖l - l'‖₂. *)
Theorem covering_number_product d k k' l l' :
  norm2 d (sub (mul k l) (mul k' l'))
    <= norm2 d (sub k k') * norm_sup d l + norm_sup d k' * norm2 d (sub l l').
Proof.
  rewrite (norm2_ext d _ (fun c => mul (sub k k') l c + mul (sub l l') k' c))
    by (intros; unfold sub, mul; ring).
  eapply Rle_trans; [apply norm2_triangle|]. apply Rplus_le_compat.
  - rewrite Rmult_comm. apply norm2_mul_le; [apply norm_sup_nonneg|apply norm_sup_entry].
  - apply norm2_mul_le; [apply norm_sup_nonneg|apply norm_sup_entry].
Qed.

(** The points of S are within delta of the m centres listed. *)
Definition clusters (d : nat) (S : vector -> Prop) (centres : list vector) (delta : R) : Prop :=
  forall x, S x -> exists z, In z centres /\ norm2 d (sub x z) <= delta.

(** (m, delta)-clusterable: within delta of m of its own points. *)
Definition clusterable (d : nat) (S : vector -> Prop) (m : nat) (delta : R) : Prop :=
  exists centres, length centres = m /\ (forall z, In z centres -> S z) /\
    clusters d S centres delta.

Definition products (S1 S2 : vector -> Prop) : vector -> Prop :=
  fun x => exists k l, S1 k /\ S2 l /\ x = mul k l.

(** Keys that are (m1, delta1)- and (m2, delta2)-clusterable, with entries of at most R1 and R2,
    have products that are (m1 m2, R2 delta1 + R1 delta2)-clusterable. *)
Theorem covering_number_clusterable d (S1 S2 : vector -> Prop) m1 m2 delta1 delta2 R1 R2 :
  0 <= delta1 ->
  (forall k, S1 k -> norm_sup d k <= R1) -> (forall l, S2 l -> norm_sup d l <= R2) ->
  clusterable d S1 m1 delta1 -> clusterable d S2 m2 delta2 ->
  clusterable d (products S1 S2) (m1 * m2) (R2 * delta1 + R1 * delta2).
Proof.
  intros Hd1 HR1 HR2 (z1 & L1 & In1 & C1) (z2 & L2 & In2 & C2).
  exists (map (fun p => mul (fst p) (snd p)) (list_prod z1 z2)). repeat split.
  - now rewrite map_length, prod_length, L1, L2.
  - intros z Hz. apply in_map_iff in Hz as ((k & l) & <- & Hkl). apply in_prod_iff in Hkl as [? ?].
    exists k, l. auto.
  - intros x (k & l & Hk & Hl & ->).
    destruct (C1 k Hk) as (k' & Hk' & Dk). destruct (C2 l Hl) as (l' & Hl' & Dl).
    exists (mul k' l'). split.
    + apply in_map_iff. exists (k', l'). split; [reflexivity|]. now apply in_prod.
    + eapply Rle_trans; [apply covering_number_product|].
      specialize (HR1 k' (In1 k' Hk')). specialize (HR2 l Hl).
      pose proof (norm_sup_nonneg d l). pose proof (norm_sup_nonneg d k').
      pose proof (norm2_nonneg d (sub k k')). pose proof (norm2_nonneg d (sub l l')).
      apply Rplus_le_compat.
      * rewrite (Rmult_comm R2). apply Rmult_le_compat; assumption.
      * apply Rmult_le_compat; assumption.
Qed.
