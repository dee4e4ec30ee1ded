(** Vectors of d entries: norms, the inequalities of Cauchy and Schwarz and of the triangle. *)
From Coq Require Import Reals Lra Lia Arith.
From KVFloor Require Import Sums.
Open Scope R_scope.

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
