(** Polynomials with integer coefficients, the constant one first, and their derivatives: the i-th
    is i! times such a polynomial, and a zero of order n is one of the first n - 1 derivatives. *)
From Coq Require Import Reals ZArith Lra Lia List.
From Coquelicot Require Import Coquelicot.
Import ListNotations.
Open Scope R_scope.

Definition integer (x : R) : Prop := exists z, x = IZR z.

Lemma integer_plus x y : integer x -> integer y -> integer (x + y).
Proof. intros [a ->] [b ->]. exists (a + b)%Z. now rewrite plus_IZR. Qed.

Lemma integer_times x y : integer x -> integer y -> integer (x * y).
Proof. intros [a ->] [b ->]. exists (a * b)%Z. now rewrite mult_IZR. Qed.

Definition polynomial := list Z.

Fixpoint value (q : polynomial) (x : R) : R :=
  match q with [] => 0 | a :: q' => IZR a + x * value q' x end.

Lemma value_integer q x : integer x -> integer (value q x).
Proof.
  intros Hx. induction q as [|a q IH]; simpl; [now exists 0%Z|].
  apply integer_plus; [now exists a|now apply integer_times].
Qed.

(** A bound on [-b, b]. *)
Lemma value_bounded q x b : Rabs x <= Rabs b -> Rabs (value q x) <= value (map Z.abs q) (Rabs b).
Proof.
  intros Hx. induction q as [|a q IH]; simpl; [rewrite Rabs_R0; lra|].
  eapply Rle_trans; [apply Rabs_triang|]. rewrite abs_IZR, Rabs_mult.
  apply Rplus_le_compat_l, Rmult_le_compat; auto using Rabs_pos.
Qed.

(** ** Arithmetic *)

Fixpoint polynomial_plus (q r : polynomial) : polynomial :=
  match q, r with
  | [], _ => r
  | _, [] => q
  | a :: q', b :: r' => (a + b)%Z :: polynomial_plus q' r'
  end.

Definition polynomial_scale (c : Z) : polynomial -> polynomial := map (Z.mul c).

Fixpoint polynomial_times (q r : polynomial) : polynomial :=
  match q with
  | [] => []
  | a :: q' => polynomial_plus (polynomial_scale a r) (0%Z :: polynomial_times q' r)
  end.

Fixpoint polynomial_power (q : polynomial) (n : nat) : polynomial :=
  match n with O => [1%Z] | S k => polynomial_times q (polynomial_power q k) end.

(** x^n q *)
Definition polynomial_shift (n : nat) (q : polynomial) : polynomial := repeat 0%Z n ++ q.

Lemma value_plus q r x : value (polynomial_plus q r) x = value q x + value r x.
Proof.
  revert r. induction q as [|a q IH]; intros [|b r]; simpl; try ring.
  rewrite IH, plus_IZR. ring.
Qed.

Lemma value_scale c q x : value (polynomial_scale c q) x = IZR c * value q x.
Proof. induction q as [|a q IH]; simpl; [ring|]. rewrite IH, mult_IZR. ring. Qed.

Lemma value_times q r x : value (polynomial_times q r) x = value q x * value r x.
Proof.
  induction q as [|a q IH]; simpl; [ring|].
  rewrite value_plus, value_scale. simpl. rewrite IH. ring.
Qed.

Lemma value_power q n x : value (polynomial_power q n) x = value q x ^ n.
Proof. induction n as [|n IH]; simpl; [ring|]. now rewrite value_times, IH. Qed.

Lemma value_shift n q x : value (polynomial_shift n q) x = x ^ n * value q x.
Proof.
  unfold polynomial_shift. induction n as [|n IH]; simpl; [ring|]. rewrite IH. ring.
Qed.

(** ** Derivatives *)

Fixpoint derivative (q : polynomial) : polynomial :=
  match q with [] => [] | _ :: q' => polynomial_plus q' (0%Z :: derivative q') end.

Fixpoint derivatives (i : nat) (q : polynomial) : polynomial :=
  match i with O => q | S k => derivative (derivatives k q) end.

Lemma derivative_cons a q x :
  value (derivative (a :: q)) x = value q x + x * value (derivative q) x.
Proof. simpl. rewrite value_plus. simpl. ring. Qed.

Lemma is_derive_value q x : is_derive (value q) x (value (derivative q) x).
Proof.
  induction q as [|a q IH]; [apply @is_derive_const|].
  replace (value (derivative (a :: q)) x) with (0 + (1 * value q x + x * value (derivative q) x))
    by (rewrite derivative_cons; ring).
  apply (is_derive_ext (fun y => IZR a + y * value q y)); [reflexivity|].
  apply @is_derive_plus; [apply @is_derive_const|].
  apply @is_derive_mult; [apply @is_derive_id|exact IH|intros; apply Rmult_comm].
Qed.

(** Polynomials of the same values have derivatives of the same values. *)
Lemma derivative_ext q r : (forall x, value q x = value r x) ->
  forall x, value (derivative q) x = value (derivative r) x.
Proof.
  intros H x. rewrite <- (is_derive_unique _ _ _ (is_derive_value q x)).
  apply is_derive_unique, (is_derive_ext (value r)); [now intros y|apply is_derive_value].
Qed.

Lemma derivatives_ext q r i : (forall x, value q x = value r x) ->
  forall x, value (derivatives i q) x = value (derivatives i r) x.
Proof. intros H. induction i as [|i IH]; [exact H|]. now apply derivative_ext. Qed.

Lemma derivative_plus q r x :
  value (derivative (polynomial_plus q r)) x = value (derivative q) x + value (derivative r) x.
Proof.
  rewrite <- (is_derive_unique _ _ _ (is_derive_value (polynomial_plus q r) x)).
  apply is_derive_unique, (is_derive_ext (fun y => value q y + value r y)).
  - intros y. now rewrite value_plus.
  - apply @is_derive_plus; apply is_derive_value.
Qed.

Lemma derivative_times q r x :
  value (derivative (polynomial_times q r)) x
    = value (derivative q) x * value r x + value q x * value (derivative r) x.
Proof.
  rewrite <- (is_derive_unique _ _ _ (is_derive_value (polynomial_times q r) x)).
  apply is_derive_unique, (is_derive_ext (fun y => value q y * value r y)).
  - intros y. now rewrite value_times.
  - apply @is_derive_mult; [apply is_derive_value|apply is_derive_value|intros; apply Rmult_comm].
Qed.

Lemma derivative_scale c q x :
  value (derivative (polynomial_scale c q)) x = IZR c * value (derivative q) x.
Proof.
  rewrite <- (is_derive_unique _ _ _ (is_derive_value (polynomial_scale c q) x)).
  apply is_derive_unique, (is_derive_ext (fun y => IZR c * value q y)).
  - intros y. now rewrite value_scale.
  - apply @is_derive_scal, is_derive_value.
Qed.

Lemma derivative_power g k x :
  value (derivative (polynomial_power g (S k))) x
    = INR (S k) * value g x ^ k * value (derivative g) x.
Proof.
  induction k as [|k IH].
  - simpl polynomial_power. rewrite derivative_times. simpl. ring.
  - change (polynomial_power g (S (S k))) with (polynomial_times g (polynomial_power g (S k))).
    rewrite derivative_times, IH, value_power, (S_INR (S k)). simpl pow. ring.
Qed.

(** The i-th derivative of a + x q, by Leibniz. *)
Lemma derivatives_cons a q i x :
  value (derivatives (S i) (a :: q)) x
    = x * value (derivatives (S i) q) x + INR (S i) * value (derivatives i q) x.
Proof.
  revert x. induction i as [|i IH]; intros x.
  - change (derivatives 1 (a :: q)) with (derivative (a :: q)). rewrite derivative_cons.
    simpl. ring.
  - set (same := polynomial_plus (0%Z :: derivatives (S i) q)
                   (polynomial_scale (Z.of_nat (S i)) (derivatives i q))).
    change (derivatives (S (S i)) (a :: q)) with (derivative (derivatives (S i) (a :: q))).
    rewrite (derivative_ext _ same).
    + unfold same. rewrite derivative_plus, derivative_scale, derivative_cons, <- INR_IZR_INZ.
      change (derivative (derivatives (S i) q)) with (derivatives (S (S i)) q).
      change (derivative (derivatives i q)) with (derivatives (S i) q).
      rewrite (S_INR (S i)). ring.
    + intros y. rewrite IH. unfold same. rewrite value_plus, value_scale, <- INR_IZR_INZ.
      simpl value. ring.
Qed.

Lemma derivatives_nil i : derivatives i [] = [].
Proof. induction i as [|i IH]; [reflexivity|]. simpl. now rewrite IH. Qed.

Lemma derivatives_vanish q i x : (length q <= i)%nat -> value (derivatives i q) x = 0.
Proof.
  revert i. induction q as [|a q IH]; intros i Hi; [now rewrite derivatives_nil|].
  destruct i as [|i]; [simpl in Hi; lia|]. simpl in Hi.
  rewrite derivatives_cons, !IH by lia. ring.
Qed.

Lemma derivatives_factorial q i :
  exists r, forall x, value (derivatives i q) x = INR (fact i) * value r x.
Proof.
  revert i. induction q as [|a q IH]; intros i.
  - exists []. intros x. rewrite derivatives_nil. simpl. ring.
  - destruct i as [|i]; [exists (a :: q); intros x; simpl; ring|].
    destruct (IH (S i)) as (r & Hr). destruct (IH i) as (r' & Hr').
    exists (polynomial_plus (0%Z :: r) r'). intros x.
    rewrite derivatives_cons, Hr, Hr', value_plus. simpl value.
    change (fact (S i)) with (S i * fact i)%nat. rewrite mult_INR. ring.
Qed.

(** The i-th derivative of g^n q still has the factor g^(n-i). *)
Lemma derivatives_power g n i q : (i <= n)%nat -> exists r, forall x,
  value (derivatives i (polynomial_times (polynomial_power g n) q)) x
    = value (polynomial_times (polynomial_power g (n - i)) r) x.
Proof.
  induction i as [|i IH]; intros Hi; [exists q; now rewrite Nat.sub_0_r|].
  destruct IH as (r & Hr); [lia|]. replace (n - i)%nat with (S (n - S i)) in Hr by lia.
  set (k := (n - S i)%nat) in *.
  exists (polynomial_plus (polynomial_scale (Z.of_nat (S k)) (polynomial_times (derivative g) r))
            (polynomial_times g (derivative r))).
  intros x. change (derivatives (S i) ?h) with (derivative (derivatives i h)).
  rewrite (derivative_ext _ _ Hr).
  rewrite derivative_times, derivative_power, !value_times, value_plus, value_scale.
  rewrite !value_times, !value_power, <- INR_IZR_INZ. simpl pow. ring.
Qed.

Lemma derivatives_root g n i q b : (i < n)%nat -> value g b = 0 ->
  value (derivatives i (polynomial_times (polynomial_power g n) q)) b = 0.
Proof.
  intros Hi Hb. destruct (derivatives_power g n i q) as (r & Hr); [lia|].
  rewrite Hr, value_times, value_power, Hb, pow_i by lia. ring.
Qed.

(** The derivatives of x^n q at 0, up to the n-th. *)
Lemma derivatives_shift n q i : (i <= n)%nat ->
  value (derivatives i (polynomial_shift n q)) 0
    = if (i =? n)%nat then INR (fact n) * value q 0 else 0.
Proof.
  revert i. induction n as [|n IH]; intros i Hi.
  - replace i with 0%nat by lia. change (polynomial_shift 0 q) with q. simpl. ring.
  - change (polynomial_shift (S n) q) with (0%Z :: polynomial_shift n q).
    destruct i as [|i]; [simpl; ring|].
    rewrite derivatives_cons, Rmult_0_l, IH by lia. change (S i =? S n)%nat with (i =? n)%nat.
    destruct (Nat.eqb_spec i n) as [->|]; [|ring].
    change (fact (S n)) with (S n * fact n)%nat. rewrite mult_INR. ring.
Qed.
