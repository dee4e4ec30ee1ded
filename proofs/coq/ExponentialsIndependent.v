(** E6 `exponentials-independent`: a sum of exponentials of different numbers vanishes only if all
    its coefficients do, for rational coefficients and exponents (Hermite 1873), and for exponents
    a √d + b √e with rational a and b. *)
From Coq Require Import Reals ZArith Lra Lia List FinFun.
From KVFloor Require Import Sums Conjugates.
Import ListNotations.
Open Scope R_scope.

(** A quotient of two integers. *)
Definition rational (x : R) : Prop := exists a b : Z, (0 < b)%Z /\ x = IZR a / IZR b.

(** a √d + b √e with rational a and b. *)
Definition with_roots (d e : nat) (x : R) : Prop :=
  exists a b, rational a /\ rational b /\ x = a * sqrt (INR d) + b * sqrt (INR e).

(** With coefficients in A and exponents in B. *)
Definition independent_exponentials (A B : R -> Prop) : Prop :=
  forall terms : list (R * R),      (* coefficients and exponents *)
    (forall a s, In (a, s) terms -> A a /\ B s) ->
    NoDup (map snd terms) ->
    lsum (fun term => fst term * exp (snd term)) terms = 0 ->
    forall a s, In (a, s) terms -> a = 0.

(** ** Integers *)

(** A term whose x is greatest among those that count. *)
Lemma greatest_term (terms : list (Z * (Z * Z))) t : In t terms -> fst t <> 0%Z ->
  exists u, In u terms /\ fst u <> 0%Z /\
    forall t, In t terms -> fst t <> 0%Z -> (fst (snd t) <= fst (snd u))%Z.
Proof.
  revert t. induction terms as [|s terms IH]; [intros t []|]. intros t Ht Ha.
  assert (Hsome : (exists u, In u terms /\ fst u <> 0%Z) \/ forall u, In u terms -> fst u = 0%Z).
  { clear. induction terms as [|u terms [(v & Hv)|Hall]]; [right; intros u []| |].
    - left. exists v. split; [now right|tauto].
    - destruct (Z.eq_dec (fst u) 0) as [E|E].
      + right. intros v [<-|Hv]; auto.
      + left. exists u. split; [now left|exact E]. }
  destruct Hsome as [(u & Hu & Hu0)|Hall].
  - destruct (IH u Hu Hu0) as (v & Hv & Hv0 & Hle).
    destruct (Z.eq_dec (fst s) 0) as [Es|Es];
      [|destruct (Z.le_ge_cases (fst (snd s)) (fst (snd v)))].
    + exists v. repeat split; [now right|exact Hv0|]. intros w [<-|Hw]; [contradiction|auto].
    + exists v. repeat split; [now right|exact Hv0|]. intros w [<-|Hw]; auto.
    + exists s. repeat split; [now left|exact Es|]. intros w [<-|Hw] Hw0; [lia|].
      specialize (Hle w Hw Hw0). lia.
  - destruct Ht as [<-|Ht]; [|now specialize (Hall t Ht)].
    exists s. repeat split; [now left|exact Ha|].
    intros w [<-|Hw] Hw0; [lia|now specialize (Hall w Hw)].
Qed.

Lemma integers_independent (d e : nat) (D : Z) (terms : list (Z * (Z * Z))) :
  (forall k, k * k <> Z.of_nat (d * e))%Z -> (0 < D)%Z -> NoDup (map snd terms) ->
  weighted terms (exponential d e D) = 0 -> forall t, In t terms -> fst t = 0%Z.
Proof.
  intros Hde HD Hterms Hzero t Ht. destruct (Z.eq_dec (fst t) 0) as [|Ha]; [assumption|exfalso].
  destruct (greatest_term terms t Ht Ha) as (u & Hu & Hu0 & Hle).
  exact (conjugates_argument d e D (root_irrational _ Hde) HD terms Hterms u Hu Hu0 Hle Hzero).
Qed.

(** ** Rational numbers *)

Lemma rational_integer z : rational (IZR z).
Proof. exists z, 1%Z. split; [lia|field]. Qed.

Lemma rational_plus x y : rational x -> rational y -> rational (x + y).
Proof.
  intros (a & b & Hb & ->) (u & v & Hv & ->). exists (a * v + u * b)%Z, (b * v)%Z.
  split; [lia|]. apply IZR_lt in Hb, Hv. rewrite plus_IZR, !mult_IZR. field. lra.
Qed.

Lemma rational_times x y : rational x -> rational y -> rational (x * y).
Proof.
  intros (a & b & Hb & ->) (u & v & Hv & ->). exists (a * u)%Z, (b * v)%Z.
  split; [lia|]. apply IZR_lt in Hb, Hv. rewrite !mult_IZR. field. lra.
Qed.

(** One denominator for all coefficients and exponents. *)
Lemma common_denominator d e (terms : list (R * R)) :
  (forall a s, In (a, s) terms -> rational a /\ with_roots d e s) ->
  exists D T, (0 < D)%Z /\
    terms = map (fun t => (IZR (fst t) / IZR D, number d e (snd t) / IZR D)) T.
Proof.
  induction terms as [|(a, s) terms IH]; intros H; [exists 1%Z, []; split; [lia|reflexivity]|].
  destruct IH as (D & T & HD & ->); [intros; apply H; now right|].
  destruct (H a s) as [(p & q & Hq & ->) (x & y & (x1 & x2 & Hx & ->) & (y1 & y2 & Hy & ->) & ->)];
    [now left|].
  set (M := (q * x2 * y2)%Z). exists (D * M)%Z.
  exists ((p * D * x2 * y2, (x1 * D * q * y2, y1 * D * q * x2))%Z
          :: map (fun t => (fst t * M, (fst (snd t) * M, snd (snd t) * M))%Z) T).
  assert (HM : (0 < M)%Z) by (unfold M; nia). split; [nia|].
  apply IZR_lt in HD, Hq, Hx, Hy, HM.
  cbn [map fst snd]. rewrite map_map. f_equal.
  - unfold number, M. cbn [fst snd]. rewrite !mult_IZR. f_equal; field; lra.
  - apply map_ext. intros t. unfold number. cbn [fst snd]. rewrite !mult_IZR.
    f_equal; field; lra.
Qed.

Lemma irrational_independent d e : (forall k, k * k <> Z.of_nat (d * e))%Z ->
  independent_exponentials rational (with_roots d e).
Proof.
  intros Hde terms Hin Hdup Hzero a s Has.
  destruct (common_denominator d e terms Hin) as (D & T & HD & E). subst terms.
  apply in_map_iff in Has as (t & E & Ht). injection E as <- _.
  pose proof (IZR_lt _ _ HD) as HDR.
  rewrite (integers_independent d e D T) with (t := t);
    [unfold Rdiv; ring|exact Hde|exact HD| | |exact Ht].
  - rewrite map_map in Hdup. cbn [snd] in Hdup.
    apply (NoDup_map_inv (fun p => number d e p / IZR D)). now rewrite map_map.
  - rewrite lsum_map in Hzero. cbn [fst snd] in Hzero. unfold weighted.
    rewrite (lsum_ext _
      (fun t => IZR D * (IZR (fst t) / IZR D * exp (number d e (snd t) / IZR D)))).
    + rewrite lsum_scal, Hzero. ring.
    + intros u _. unfold exponential. field. lra.
Qed.

Lemma independent_fewer A (B C : R -> Prop) : (forall x, B x -> C x) ->
  independent_exponentials A C -> independent_exponentials A B.
Proof.
  intros H HC terms Hin. apply HC. intros a s Has. destruct (Hin a s Has). auto.
Qed.

Lemma square_or_not n : {k | (k * k = Z.of_nat n)%Z /\ (0 <= k)%Z} +
                        {forall k, (k * k <> Z.of_nat n)%Z}.
Proof.
  pose proof (Z.sqrt_nonneg (Z.of_nat n)) as Hk. set (k := Z.sqrt (Z.of_nat n)) in *.
  destruct (Z.eq_dec (k * k) (Z.of_nat n)) as [E|E]; [left; now exists k|right].
  intros l El. apply E. unfold k. rewrite <- El, <- (Z.abs_square l).
  now rewrite Z.sqrt_square by apply Z.abs_nonneg.
Qed.

Lemma sqrt_square n k : (k * k = Z.of_nat n)%Z -> (0 <= k)%Z -> sqrt (INR n) = IZR k.
Proof.
  intros E Hk. rewrite INR_IZR_INZ, <- E, mult_IZR. apply sqrt_square. now apply IZR_le.
Qed.

(** For different rational exponents and rational coefficients: Hermite. *)
Theorem exponentials_independent : independent_exponentials rational rational.
Proof.
  apply (independent_fewer _ _ (with_roots 1 2)).
  - intros x Hx. exists x, 0. change (INR 1) with 1. rewrite sqrt_1.
    repeat split; [exact Hx|exact (rational_integer 0)|ring].
  - apply irrational_independent. intros k.
    assert (H : (k = -1 \/ k = 0 \/ k = 1 \/ k <= -2 \/ 2 <= k)%Z) by lia.
    destruct H as [->|[->|[->|[H|H]]]]; simpl; nia.
Qed.

Lemma one_root_independent d :
  independent_exponentials rational (fun x => exists a, rational a /\ x = a * sqrt (INR d)).
Proof.
  destruct (square_or_not d) as [(k & Hk & Hk0)|Hd].
  - apply (independent_fewer _ _ rational); [|exact exponentials_independent].
    intros x (a & Ha & ->). rewrite (sqrt_square d k Hk Hk0).
    apply rational_times; [exact Ha|apply rational_integer].
  - apply (independent_fewer _ _ (with_roots 1 d)).
    + intros x (a & Ha & ->). exists 0, a. repeat split; [exact (rational_integer 0)|exact Ha|ring].
    + apply irrational_independent. now rewrite Nat.mul_1_l.
Qed.

(** For exponents a √d + b √e with rational a and b. *)
Theorem exponentials_independent_roots d e :
  independent_exponentials rational (with_roots d e).
Proof.
  destruct (square_or_not (d * e)) as [(k & Hk & Hk0)|Hde]; [|now apply irrational_independent].
  destruct (Nat.eq_dec d 0) as [->|Hd].
  - apply (independent_fewer _ _ _) with (2 := one_root_independent e).
    intros x (a & b & _ & Hb & ->). exists b. split; [exact Hb|]. simpl INR. rewrite sqrt_0. ring.
  - (* √e is k / d times √d *)
    apply (independent_fewer _ _ _) with (2 := one_root_independent d).
    intros x (a & b & Ha & Hb & ->). exists (a + b * (IZR k / IZR (Z.of_nat d))).
    assert (HdR : 0 < INR d) by (apply lt_0_INR; lia).
    split.
    + apply rational_plus; [exact Ha|]. apply rational_times; [exact Hb|].
      exists k, (Z.of_nat d). split; [lia|reflexivity].
    + pose proof (sqrt_square (d * e) k Hk Hk0) as E.
      rewrite mult_INR, sqrt_mult in E by apply pos_INR.
      rewrite <- E, <- INR_IZR_INZ. pose proof (sqrt_sqrt (INR d) ltac:(lra)) as Ed.
      set (r := sqrt (INR d)) in *. rewrite <- Ed. field. intros H. rewrite H in Ed. lra.
Qed.

Lemma exp_INR k : exp (INR k) = exp 1 ^ k.
Proof.
  induction k as [|k IH]; [apply exp_0|]. rewrite S_INR, exp_plus, IH. simpl. ring.
Qed.

(** Powers of e are exponentials of different whole numbers. *)
Theorem exponentials_independent_e n (a : nat -> R) :
  (forall k, (k < n)%nat -> rational (a k)) -> rsum n (fun k => a k * exp 1 ^ k) = 0 ->
  forall k, (k < n)%nat -> a k = 0.
Proof.
  intros Ha Hzero k Hk. set (terms := map (fun k => (a k, INR k)) (seq 0 n)).
  apply (exponentials_independent terms) with (s := INR k).
  - intros b s H. apply in_map_iff in H as (i & E & Hi). injection E as <- <-.
    apply in_seq in Hi. split; [apply Ha; lia|]. exists (Z.of_nat i), 1%Z. split; [lia|].
    rewrite <- INR_IZR_INZ. field.
  - unfold terms. rewrite map_map. cbn [snd]. apply Injective_map_NoDup; [|apply seq_NoDup].
    exact INR_eq.
  - unfold terms. rewrite lsum_map, lsum_seq. cbn [fst snd]. rewrite <- Hzero.
    apply rsum_ext. intros i _. now rewrite exp_INR.
  - apply in_map_iff. exists k. split; [reflexivity|]. apply in_seq. lia.
Qed.
