(** E6 `exponentials-independent`: a sum of exponentials of different numbers vanishes only if all
    its coefficients do, for rational coefficients and exponents (Hermite 1873), and for exponents
    x + y √d with rational x and y. *)
From Coq Require Import Reals ZArith Lra Lia List FinFun.
From KVFloor Require Import Sums Conjugates.
Import ListNotations.
Open Scope R_scope.

(** A quotient of two integers. *)
Definition rational (x : R) : Prop := exists a b : Z, (0 < b)%Z /\ x = IZR a / IZR b.

(** a + b √d with rational a and b: rational numbers for d = 1; rational multiples of 1/√d. *)
Definition with_root (d : nat) (x : R) : Prop :=
  exists a b, rational a /\ rational b /\ x = a + b * sqrt (INR d).

(** With coefficients in A and exponents in S. *)
Definition independent_exponentials (A S : R -> Prop) : Prop :=
  forall terms : list (R * R),      (* coefficients and exponents *)
    (forall a s, In (a, s) terms -> A a /\ S s) ->
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
    destruct (Z.eq_dec (fst s) 0) as [Es|Es]; [|destruct (Z.le_ge_cases (fst (snd s)) (fst (snd v)))].
    + exists v. repeat split; [now right|exact Hv0|]. intros w [<-|Hw]; [contradiction|auto].
    + exists v. repeat split; [now right|exact Hv0|]. intros w [<-|Hw]; auto.
    + exists s. repeat split; [now left|exact Es|]. intros w [<-|Hw] Hw0; [lia|].
      specialize (Hle w Hw Hw0). lia.
  - destruct Ht as [<-|Ht]; [|now specialize (Hall t Ht)].
    exists s. repeat split; [now left|exact Ha|].
    intros w [<-|Hw] Hw0; [lia|now specialize (Hall w Hw)].
Qed.

Lemma integers_independent (d : nat) (D : Z) (terms : list (Z * (Z * Z))) :
  (forall e, e * e <> Z.of_nat d)%Z -> (0 < D)%Z -> NoDup (map snd terms) ->
  lsum (exponential d D) terms = 0 -> forall t, In t terms -> fst t = 0%Z.
Proof.
  intros Hd HD Hterms Hzero t Ht. destruct (Z.eq_dec (fst t) 0) as [|Ha]; [assumption|exfalso].
  destruct (greatest_term terms t Ht Ha) as (u & Hu & Hu0 & Hle).
  set (X := fst (snd u)) in Hle. pose proof (IZR_lt _ _ HD) as HDR.
  set (moved := fun s : Z * (Z * Z) => (fst s, ((fst (snd s) - X)%Z, snd (snd s)))).
  apply (conjugates_argument d D (root_irrational _ Hd) HD (map moved terms)) with (t := moved u).
  - apply (NoDup_map_inv (fun p => ((fst p + X)%Z, snd p))). rewrite !map_map.
    rewrite (map_ext _ snd); [exact Hterms|]. intros (a, (x, y)). simpl. f_equal. ring.
  - intros s Hs Hs0. apply in_map_iff in Hs as (v & <- & Hv). simpl in *.
    specialize (Hle v Hv Hs0). lia.
  - now apply in_map.
  - exact Hu0.
  - simpl. unfold X. ring.
  - rewrite lsum_map, (lsum_ext _ (fun s => exp (- IZR X / IZR D) * exponential d D s)).
    + rewrite lsum_scal, Hzero. ring.
    + intros s _. unfold exponential, number, moved. cbn [fst snd]. rewrite minus_IZR.
      replace ((IZR (fst (snd s)) - IZR X + IZR (snd (snd s)) * sqrt (INR d)) / IZR D)
        with (- IZR X / IZR D
              + (IZR (fst (snd s)) + IZR (snd (snd s)) * sqrt (INR d)) / IZR D) by (field; lra).
      rewrite exp_plus. ring.
Qed.

(** ** Rational numbers *)

(** One denominator for all coefficients and exponents. *)
Lemma common_denominator d (terms : list (R * R)) :
  (forall a s, In (a, s) terms -> rational a /\ with_root d s) ->
  exists D T, (0 < D)%Z /\
    terms = map (fun t => (IZR (fst t) / IZR D, number d (snd t) / IZR D)) T.
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

Lemma irrational_root_independent (d : nat) : (forall e, e * e <> Z.of_nat d)%Z ->
  independent_exponentials rational (with_root d).
Proof.
  intros Hd terms Hin Hdup Hzero a s Has.
  destruct (common_denominator d terms Hin) as (D & T & HD & E). subst terms.
  apply in_map_iff in Has as (t & E & Ht). injection E as <- _.
  pose proof (IZR_lt _ _ HD) as HDR.
  rewrite (integers_independent d D T) with (t := t); [unfold Rdiv; ring|exact Hd|exact HD| | |exact Ht].
  - rewrite map_map in Hdup. cbn [snd] in Hdup.
    apply (NoDup_map_inv (fun p => number d p / IZR D)). now rewrite map_map.
  - rewrite lsum_map in Hzero. cbn [fst snd] in Hzero.
    rewrite (lsum_ext _ (fun t => IZR D * (IZR (fst t) / IZR D * exp (number d (snd t) / IZR D)))).
    + rewrite lsum_scal, Hzero. ring.
    + intros u _. unfold exponential. field. lra.
Qed.

Lemma independent_fewer A (S T : R -> Prop) : (forall x, S x -> T x) ->
  independent_exponentials A T -> independent_exponentials A S.
Proof.
  intros H HT terms Hin. apply HT. intros a s Has. destruct (Hin a s Has). auto.
Qed.

Lemma rational_0 : rational 0.
Proof. exists 0%Z, 1%Z. split; [lia|field]. Qed.

(** For different rational exponents and rational coefficients: Hermite. *)
Theorem exponentials_independent : independent_exponentials rational rational.
Proof.
  apply (independent_fewer _ _ (with_root 2)).
  - intros x Hx. exists x, 0. repeat split; [exact Hx|exact rational_0|ring].
  - apply irrational_root_independent. intros e.
    assert (H : (e = -1 \/ e = 0 \/ e = 1 \/ e <= -2 \/ 2 <= e)%Z) by lia.
    destruct H as [->|[->|[->|[H|H]]]]; simpl; nia.
Qed.

(** If √d is whole, x + y √d is rational. *)
Lemma with_root_rational d e x : (e * e)%Z = Z.of_nat d -> with_root d x -> rational x.
Proof.
  intros He (a & b & (p & q & Hq & ->) & (p' & q' & Hq' & ->) & ->).
  replace (sqrt (INR d)) with (IZR (Z.abs e)).
  - exists (p * q' + p' * Z.abs e * q)%Z, (q * q')%Z. split; [nia|].
    apply IZR_lt in Hq, Hq'. rewrite plus_IZR, !mult_IZR. field. lra.
  - rewrite INR_IZR_INZ, <- He, mult_IZR, abs_IZR. symmetry. apply sqrt_Rsqr_abs.
Qed.

(** For exponents x + y √d, with the same d. *)
Theorem exponentials_independent_root (d : nat) : independent_exponentials rational (with_root d).
Proof.
  set (e := Z.sqrt (Z.of_nat d)). destruct (Z.eq_dec (e * e) (Z.of_nat d)) as [He|He].
  - apply (independent_fewer _ _ rational); [|exact exponentials_independent].
    intros x. now apply (with_root_rational d e).
  - apply irrational_root_independent. intros e' E. apply He. unfold e.
    rewrite <- E, <- (Z.abs_square e'). now rewrite Z.sqrt_square by apply Z.abs_nonneg.
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
