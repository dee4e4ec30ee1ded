(** Derivatives of attention of one query, and of products of rows, along any curves. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From Coquelicot Require Import Coquelicot.
From KVFloor Require Import Sums Attention Tuples.
Import ListNotations.
Open Scope R_scope.

(** ** Derivatives of sums and products *)

Lemma is_derive_lsum {A} (f : A -> R -> R) (f' : A -> R) l x :
  (forall a, In a l -> is_derive (f a) x (f' a)) ->
  is_derive (fun y => lsum (fun a => f a y) l) x (lsum f' l).
Proof.
  induction l as [|a l IH]; intros H; simpl; [apply @is_derive_const|].
  apply @is_derive_plus; [apply H; now left|]. apply IH. intros b Hb. apply H. now right.
Qed.

Lemma is_derive_rsum n (f : nat -> R -> R) (f' : nat -> R) x :
  (forall k, (k < n)%nat -> is_derive (f k) x (f' k)) ->
  is_derive (fun y => rsum n (fun k => f k y)) x (rsum n f').
Proof.
  induction n as [|n IH]; intros H; simpl; [apply @is_derive_const|].
  apply @is_derive_plus; auto.
Qed.

Lemma is_derive_times (f g : R -> R) x f' g' : is_derive f x f' -> is_derive g x g' ->
  is_derive (fun y => f y * g y) x (f' * g x + f x * g').
Proof. intros Hf Hg. apply (is_derive_mult f g x f' g' Hf Hg). intros a b. apply Rmult_comm. Qed.

Lemma is_derive_exp_of (f : R -> R) x f' : is_derive f x f' ->
  is_derive (fun y => exp (f y)) x (exp (f x) * f').
Proof.
  intros Hf. replace (exp (f x) * f') with (scal f' (exp (f x))) by (unfold scal; simpl;
    unfold mult; simpl; ring).
  exact (is_derive_comp exp f x _ _ (is_derive_exp (f x)) Hf).
Qed.

(** f 0 f 1 ... f (n-1). *)
Fixpoint rprod (n : nat) (f : nat -> R) : R :=
  match n with
  | O => 1
  | S k => rprod k f * f k
  end.

Lemma rprod_ext n f g : (forall k, (k < n)%nat -> f k = g k) -> rprod n f = rprod n g.
Proof. induction n as [|n IH]; intros H; simpl; [reflexivity|]. rewrite IH, H; auto. Qed.

Lemma rprod_first n f : rprod (S n) f = f 0%nat * rprod n (fun k => f (S k)).
Proof.
  induction n as [|n IH]; [simpl; ring|].
  change (rprod (S (S n)) f) with (rprod (S n) f * f (S n)). rewrite IH. simpl. ring.
Qed.

Lemma is_derive_rprod n (f : nat -> R -> R) (f' : nat -> R) x :
  (forall k, (k < n)%nat -> is_derive (f k) x (f' k)) ->
  is_derive (fun y => rprod n (fun k => f k y)) x
    (rsum n (fun k => f' k * rprod n (fun j => if j =? k then 1 else f j x))).
Proof.
  induction n as [|n IH]; intros H; simpl; [apply @is_derive_const|].
  rewrite Nat.eqb_refl.
  replace (rsum n _ + _) with (rsum n (fun k => f' k * rprod n
    (fun j => if j =? k then 1 else f j x))
    * f n x + rprod n (fun k => f k x) * f' n).
  - apply is_derive_times; [apply IH; auto|apply H; lia].
  - f_equal.
    + rewrite <- rsum_scal_r. apply rsum_ext. intros k Hk.
      destruct (Nat.eqb_spec n k); [lia|ring].
    + rewrite (rprod_ext n (fun j => if j =? n then 1 else f j x) (fun k => f k x)); [ring|].
      intros k Hk. destruct (Nat.eqb_spec k n); [lia|reflexivity].
Qed.

(** ** One query: tuples with logits z and values v, and a sink of weight w0 *)

Section Row.
Variables (d_v : nat) (G : nat -> R) (g : R).

Definition row_total (w0 : R) (l : list (list nat)) (z : list nat -> R) : R :=
  w0 + lsum (fun t => exp (z t)) l.

Definition row_weight (w0 : R) l z (t : list nat) : R := exp (z t) / row_total w0 l z.

Definition row_out (w0 : R) l z (v : list nat -> nat -> R) (c : nat) : R :=
  lsum (fun t => row_weight w0 l z t * v t c) l.

(** D = Σ_c G_c out_c; the row's part of the loss, with its log-sum-exp. *)
Definition row_mean (w0 : R) l z v : R := rsum d_v (fun c => G c * row_out w0 l z v c).
Definition row_loss (w0 : R) l z v : R := row_mean w0 l z v + g * ln (row_total w0 l z).

(** p (Σ_c G_c v_c - D + g) of a logit; p_0 (g - D) of the sink. *)
Definition dlogit (w0 : R) l z v (t : list nat) : R :=
  row_weight w0 l z t * (rsum d_v (fun c => G c * v t c) - row_mean w0 l z v + g).
Definition dsink (w0 : R) l z v : R := w0 / row_total w0 l z * (g - row_mean w0 l z v).
End Row.

(** Logits, values and the logit of the sink move along any curves. *)
Section Curves.
Variables (d_v : nat) (G : nat -> R) (g : R) (l : list (list nat)) (x : R).
Variables (w0 : R -> R) (z : list nat -> R -> R) (v : list nat -> nat -> R -> R).
Variables (s0' : R) (z' : list nat -> R) (v' : list nat -> nat -> R).
Hypothesis Hw0 : is_derive w0 x (w0 x * s0').
Hypothesis Hz : forall t, In t l -> is_derive (z t) x (z' t).
Hypothesis Hv : forall t c, In t l -> (c < d_v)%nat -> is_derive (v t c) x (v' t c).
Let zx t := z t x.
Let vx t c := v t c x.
Hypothesis HZ : 0 < row_total (w0 x) l zx.

Lemma row_derivative :
  is_derive (fun y => row_loss d_v G g (w0 y) l (fun t => z t y) (fun t c => v t c y)) x
    (lsum (fun t => dlogit d_v G g (w0 x) l zx vx t * z' t) l + dsink d_v G g (w0 x) l zx vx * s0'
     + rsum d_v (fun c => G c * lsum (fun t => row_weight (w0 x) l zx t * v' t c) l)).
Proof.
  set (Z := row_total (w0 x) l zx) in *.
  set (Z' := w0 x * s0' + lsum (fun t => exp (zx t) * z' t) l).
  assert (Htotal : is_derive (fun y => row_total (w0 y) l (fun t => z t y)) x Z').
  { apply @is_derive_plus; [exact Hw0|].
    apply (is_derive_lsum (fun t y => exp (z t y))). intros t Ht. now apply is_derive_exp_of, Hz. }
  set (N c := lsum (fun t => exp (zx t) * vx t c) l).
  set (N' c := lsum (fun t => exp (zx t) * z' t * vx t c + exp (zx t) * v' t c) l).
  assert (Hnum : forall c, (c < d_v)%nat ->
            is_derive (fun y => lsum (fun t => exp (z t y) * v t c y) l) x (N' c)).
  { intros c Hc. apply (is_derive_lsum (fun t y => exp (z t y) * v t c y)). intros t Ht.
    apply (is_derive_times (fun y => exp (z t y)) (v t c) x (exp (zx t) * z' t) (v' t c));
      [now apply is_derive_exp_of, Hz|now apply Hv]. }
  assert (Hout : forall c, (c < d_v)%nat ->
            is_derive (fun y => row_out (w0 y) l (fun t => z t y) (fun t c => v t c y) c) x
              (N' c / Z - N c / Z * (Z' / Z))).
  { intros c Hc.
    apply (is_derive_ext (fun y => lsum (fun t => exp (z t y) * v t c y) l
      / row_total (w0 y) l (fun t => z t y))).
    - intros y. unfold row_out, row_weight, Rdiv. rewrite <- lsum_scal_r. apply lsum_ext.
      intros; ring.
    - replace (N' c / Z - N c / Z * (Z' / Z)) with ((N' c * Z - N c * Z') / Z ^ 2) by (field; lra).
      exact (is_derive_div (fun y => lsum (fun t => exp (z t y) * v t c y) l)
        (fun y => row_total (w0 y) l (fun t => z t y)) x (N' c) Z' (Hnum c Hc) Htotal
        (Rgt_not_eq _ _ HZ)). }
  assert (Hln : is_derive (fun y => ln (row_total (w0 y) l (fun t => z t y))) x (Z' / Z)).
  { replace (Z' / Z) with (scal Z' (/ Z)) by (unfold scal; simpl; unfold mult; simpl; field; lra).
    exact (is_derive_comp ln (fun y => row_total (w0 y) l (fun t => z t y)) x (/ Z) Z'
      (is_derive_ln Z HZ) Htotal). }
  assert (Hloss : is_derive (fun y => row_loss d_v G g (w0 y) l (fun t => z t y)
    (fun t c => v t c y)) x
            (rsum d_v (fun c => G c * (N' c / Z - N c / Z * (Z' / Z))) + g * (Z' / Z))).
  { apply @is_derive_plus; [|now apply @is_derive_scal].
    apply (is_derive_rsum d_v (fun c y => G c * row_out (w0 y) l (fun t => z t y)
      (fun t c => v t c y) c)). intros c Hc. apply @is_derive_scal. now apply Hout. }
  match goal with |- is_derive _ _ ?e => replace e with
    (rsum d_v (fun c => G c * (N' c / Z - N c / Z * (Z' / Z))) + g * (Z' / Z)); [exact Hloss|] end.
  (* the sums, term by term *)
  set (D := row_mean d_v G (w0 x) l zx vx).
  assert (ED : D = rsum d_v (fun c => G c * (N c / Z))).
  { apply rsum_ext. intros c _. f_equal. unfold row_out, row_weight, N, Rdiv.
    rewrite <- lsum_scal_r.
    apply lsum_ext. intros; fold Z; ring. }
  assert (EZ : Z' / Z = w0 x / Z * s0' + lsum (fun t => exp (zx t) / Z * z' t) l).
  { unfold Z', Rdiv. rewrite Rmult_plus_distr_r, <- lsum_scal_r. f_equal; [ring|].
    apply lsum_ext. intros; ring. }
  assert (EN : rsum d_v (fun c => G c * (N' c / Z))
    = lsum (fun t => exp (zx t) / Z * z' t * rsum d_v (fun c => G c * vx t c)) l
      + rsum d_v (fun c => G c * lsum (fun t => exp (zx t) / Z * v' t c) l)).
  { rewrite (lsum_ext _ (fun t => rsum d_v (fun c => exp (zx t) / Z * z' t * (G c * vx t c))))
      by (intros; now rewrite rsum_scal).
    rewrite lsum_rsum_swap, <- rsum_plus. apply rsum_ext. intros c _.
    rewrite <- lsum_scal. unfold N', Rdiv. rewrite <- lsum_scal_r, <- lsum_scal, <- lsum_plus.
    apply lsum_ext. intros; ring. }
  assert (EL : lsum (fun t => dlogit d_v G g (w0 x) l zx vx t * z' t) l
    = lsum (fun t => exp (zx t) / Z * z' t * rsum d_v (fun c => G c * vx t c)) l
      + (g - D) * lsum (fun t => exp (zx t) / Z * z' t) l).
  { rewrite <- lsum_scal, <- lsum_plus. apply lsum_ext. intros t _. unfold dlogit, row_weight.
    fold Z D. ring. }
  rewrite EL. unfold dsink, row_weight. fold Z D.
  rewrite (rsum_ext d_v (fun c => G c * (N' c / Z - N c / Z * (Z' / Z)))
    (fun c => G c * (N' c / Z) + - (Z' / Z) * (G c * (N c / Z)))) by (intros; ring).
  rewrite rsum_plus, rsum_scal, <- ED, EN, EZ. ring.
Qed.
End Curves.

(** Without a tuple or a sink nothing moves: ln 0 = 0. *)
Lemma row_derivative_nothing d_v G g (x : R) (z : list nat -> R -> R)
  (v : list nat -> nat -> R -> R)
    s0' (z' : list nat -> R) (v' : list nat -> nat -> R) :
  is_derive (fun y => row_loss d_v G g 0 [] (fun t => z t y) (fun t c => v t c y)) x
    (lsum (fun t => dlogit d_v G g 0 [] (fun t => z t x) (fun t c => v t c x) t * z' t) []
     + dsink d_v G g 0 [] (fun t => z t x) (fun t c => v t c x) * s0'
     + rsum d_v (fun c => G c * lsum (fun t => row_weight 0 [] (fun t => z t x) t * v' t c) [])).
Proof.
  match goal with |- is_derive _ _ ?e => replace e with 0 end;
    [exact (is_derive_const (rsum d_v (fun c => G c * 0) + g * ln (0 + 0)) x)|].
  unfold dsink, Rdiv. simpl lsum. rewrite !Rmult_0_l, !Rplus_0_l.
  rewrite (rsum_ext d_v _ (fun _ => 0)) by (intros; ring). rewrite rsum_const. ring.
Qed.

(** ** Rows of m slots of n tokens *)

(** Column c of what a tuple's tokens are in all slots, and in all slots but r. *)
Definition tuple_row (m : nat) (Ms : nat -> matrix) (t : list nat) (c : nat) : R :=
  rprod m (fun r => Ms r (nth r t 0%nat) c).
Definition rest_row (m : nat) (Ms : nat -> matrix) (r : nat) (t : list nat) (c : nat) : R :=
  rprod m (fun s => if s =? r then 1 else Ms s (nth s t 0%nat) c).

(** A tuple's row is the rest's times the token's in slot r. *)
Lemma tuple_row_rest m Ms r t c : (r < m)%nat ->
  tuple_row m Ms t c = rest_row m Ms r t c * Ms r (nth r t 0%nat) c.
Proof.
  unfold tuple_row, rest_row. intros Hr. induction m as [|k IH]; [lia|]. simpl.
  destruct (Nat.eq_dec r k) as [->|Hne].
  - rewrite Nat.eqb_refl, Rmult_1_r. f_equal. apply rprod_ext. intros s Hs.
    destruct (Nat.eqb_spec s k); [lia|reflexivity].
  - rewrite IH by lia. destruct (Nat.eqb_spec k r); [lia|ring].
Qed.

(** Sums by the token that tuples have in slot r. *)
Lemma lsum_by_token n r (f : list nat -> R) (H : nat -> R) l :
  (forall t, In t l -> (nth r t 0 < n)%nat) ->
  lsum (fun t => f t * H (nth r t 0%nat)) l
    = rsum n (fun j => H j * lsum (fun t => if nth r t 0%nat =? j then f t else 0) l).
Proof.
  intros Hn. rewrite (rsum_ext n _ (fun j => lsum (fun t =>
    H j * (if nth r t 0%nat =? j then f t else 0)) l)) by (intros; now rewrite lsum_scal).
  rewrite <- lsum_rsum_swap. apply lsum_ext. intros t Ht.
  rewrite (rsum_split n (nth r t 0%nat)), Nat.eqb_refl by auto.
  rewrite (rsum_ext n _ (fun _ => 0)); [rewrite rsum_const; ring|].
  intros j _. rewrite (Nat.eqb_sym (nth r t 0%nat)). destruct (j =? nth r t 0%nat); ring.
Qed.

(** What moves in the slots moves the products of rows, token by token. *)
Lemma by_slots m n w (Ms M' : nat -> matrix) (a : nat -> R) (f : list nat -> R) l :
  (forall t r, In t l -> (r < m)%nat -> (nth r t 0 < n)%nat) ->
  rsum w (fun c => a c * lsum (fun t => f t
      * rsum m (fun r => M' r (nth r t 0%nat) c * rest_row m Ms r t c)) l)
    = rsum m (fun r => rsum n (fun j => rsum w (fun c =>
        a c * lsum (fun t => if nth r t 0%nat =? j then f t * rest_row m Ms r t c else 0) l
        * M' r j c))).
Proof.
  intros Hn.
  rewrite (rsum_ext m _ (fun r => rsum w (fun c => rsum n (fun j => a c * (M' r j c * lsum (fun t =>
    if nth r t 0%nat =? j then f t * rest_row m Ms r t c else 0) l))))).
  2: { intros r _. rewrite rsum_swap. apply rsum_ext. intros c _. apply rsum_ext. intros; ring. }
  rewrite rsum_swap. apply rsum_ext. intros c _.
  rewrite (rsum_ext m _ (fun r => a c * lsum (fun t => f t * rest_row m Ms r t c
    * M' r (nth r t 0%nat) c) l)).
  - rewrite rsum_scal. f_equal. rewrite <- lsum_rsum_swap. apply lsum_ext. intros t _.
    rewrite <- rsum_scal. apply rsum_ext. intros; ring.
  - intros r Hr. rewrite rsum_scal. f_equal. symmetry.
    apply (lsum_by_token n r (fun t => f t * rest_row m Ms r t c) (fun j => M' r j c)). auto.
Qed.

Lemma rsum_inside B m n w (f : nat -> nat -> nat -> nat -> R) :
  rsum B (fun b => rsum m (fun r => rsum n (fun j => rsum w (fun c => f b r j c))))
    = rsum m (fun r => rsum n (fun j => rsum w (fun c => rsum B (fun b => f b r j c)))).
Proof.
  rewrite rsum_swap. apply rsum_ext. intros r _. rewrite rsum_swap. apply rsum_ext. intros j _.
  apply rsum_swap.
Qed.
