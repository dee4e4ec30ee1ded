(** Finite probability: distributions as lists of outcomes with their probabilities, expectation,
    variance, independent draws. *)
From Coq Require Import Reals Lra Lia Arith List.
From KVFloor Require Import Sums.
Import ListNotations.
Open Scope R_scope.

Definition chances (A : Type) := list (R * A).

Definition expectation {A} (D : chances A) (f : A -> R) : R :=
  lsum (fun o => fst o * f (snd o)) D.

(** Probabilities are not negative and add up to 1. *)
Definition proper {A} (D : chances A) : Prop :=
  (forall o, In o D -> 0 <= fst o) /\ expectation D (fun _ => 1) = 1.

Definition variance {A} (D : chances A) (f : A -> R) : R :=
  expectation D (fun a => (f a - expectation D f) * (f a - expectation D f)).

(** Nothing else has a positive probability. *)
Definition almost_surely {A} (D : chances A) (P : A -> Prop) : Prop :=
  forall o, In o D -> fst o = 0 \/ P (snd o).

Definition surely {A} (a : A) : chances A := [(1, a)].
Definition coin {A} (p : R) (a b : A) : chances A := [(p, a); (1 - p, b)].
Definition after {A B} (D : chances A) (k : A -> chances B) : chances B :=
  flat_map (fun o => map (fun o' => (fst o * fst o', snd o')) (k (snd o))) D.

(** Independent draws, one from each distribution. *)
Fixpoint independent {A} (Ds : list (chances A)) : chances (list A) :=
  match Ds with
  | [] => surely []
  | D :: rest => after D (fun a => after (independent rest) (fun l => surely (a :: l)))
  end.

(** ** Expectation *)

Lemma expectation_ext {A} (D : chances A) f g :
  (forall a, f a = g a) -> expectation D f = expectation D g.
Proof. intros H. apply lsum_ext. intros o _. now rewrite H. Qed.

Lemma expectation_plus {A} (D : chances A) f g :
  expectation D (fun a => f a + g a) = expectation D f + expectation D g.
Proof. unfold expectation. rewrite <- lsum_plus. apply lsum_ext; intros; ring. Qed.

Lemma expectation_scal {A} (D : chances A) c f :
  expectation D (fun a => c * f a) = c * expectation D f.
Proof. unfold expectation. rewrite <- lsum_scal. apply lsum_ext; intros; ring. Qed.

Lemma expectation_const {A} (D : chances A) c : proper D -> expectation D (fun _ => c) = c.
Proof.
  intros [_ H]. transitivity (c * expectation D (fun _ => 1)); [|rewrite H; ring].
  rewrite <- expectation_scal. apply expectation_ext; intros; ring.
Qed.

Lemma expectation_surely {A} (a : A) f : expectation (surely a) f = f a.
Proof. unfold expectation, surely. simpl. ring. Qed.

Lemma expectation_coin {A} p (a b : A) f : expectation (coin p a b) f = p * f a + (1 - p) * f b.
Proof. unfold expectation, coin. simpl. ring. Qed.

Lemma expectation_after {A B} (D : chances A) (k : A -> chances B) f :
  expectation (after D k) f = expectation D (fun a => expectation (k a) f).
Proof.
  induction D as [|[p a] D IH]; [reflexivity|].
  unfold expectation, after in *. simpl. rewrite lsum_app, lsum_map, IH. f_equal.
  rewrite <- lsum_scal. apply lsum_ext. intros; simpl; ring.
Qed.

Lemma expectation_nonneg {A} (D : chances A) f :
  (forall o, In o D -> 0 <= fst o) -> almost_surely D (fun a => 0 <= f a) -> 0 <= expectation D f.
Proof.
  intros Hp H. apply lsum_nonneg. intros o Ho. destruct (H o Ho) as [E|Hf].
  - rewrite E. lra.
  - apply Rmult_le_pos; auto.
Qed.

Lemma expectation_rsum {A} (D : chances A) n (f : nat -> A -> R) :
  expectation D (fun a => rsum n (fun c => f c a)) = rsum n (fun c => expectation D (f c)).
Proof.
  unfold expectation. rewrite <- lsum_rsum_swap. apply lsum_ext. intros o _.
  now rewrite rsum_scal.
Qed.

(** ** Proper distributions *)

Lemma proper_surely {A} (a : A) : proper (surely a).
Proof. split; [intros o [<-|[]]; simpl; lra|now rewrite expectation_surely]. Qed.

Lemma proper_coin {A} p (a b : A) : 0 <= p <= 1 -> proper (coin p a b).
Proof. intros Hp. split; [intros o [<-|[<-|[]]]; simpl; lra|rewrite expectation_coin; ring]. Qed.

Lemma proper_after {A B} (D : chances A) (k : A -> chances B) :
  proper D -> (forall a, proper (k a)) -> proper (after D k).
Proof.
  intros [H0 H1] Hk. split.
  - intros o Ho. apply in_flat_map in Ho as (o' & Ho' & Ho).
    apply in_map_iff in Ho as (o'' & <- & Ho''). simpl. apply Rmult_le_pos; [auto|].
    now apply (proj1 (Hk (snd o'))).
  - rewrite expectation_after, (expectation_ext D _ (fun _ => 1)); [exact H1|].
    intros a. apply Hk.
Qed.

Lemma proper_independent {A} (Ds : list (chances A)) :
  (forall D, In D Ds -> proper D) -> proper (independent Ds).
Proof.
  induction Ds as [|D Ds IH]; intros H; [apply proper_surely|].
  apply proper_after; [apply H; now left|]. intros a.
  apply proper_after; [apply IH; intros; apply H; now right|]. intros l. apply proper_surely.
Qed.

(** ** Almost surely *)

Lemma almost_after {A B} (D : chances A) (k : A -> chances B) (P : A -> Prop) (Q : B -> Prop) :
  almost_surely D P -> (forall a, P a -> almost_surely (k a) Q) -> almost_surely (after D k) Q.
Proof.
  intros HD Hk o Ho. apply in_flat_map in Ho as (o' & Ho' & Ho).
  apply in_map_iff in Ho as (o'' & <- & Ho''). simpl.
  destruct (HD o' Ho') as [E|HP]; [left; rewrite E; ring|].
  destruct (Hk (snd o') HP o'' Ho'') as [E|HQ]; [left; rewrite E; ring|now right].
Qed.

Lemma almost_surely_one {A} (a : A) (P : A -> Prop) : P a -> almost_surely (surely a) P.
Proof. intros H o [<-|[]]. now right. Qed.

Lemma almost_independent {A} (Ds : list (chances A)) (Ps : list (A -> Prop)) :
  Forall2 almost_surely Ds Ps ->
  almost_surely (independent Ds) (fun l => Forall2 (fun P a => P a) Ps l).
Proof.
  induction 1 as [|D P Ds Ps HD HDs IH]; [apply almost_surely_one; constructor|].
  apply (almost_after D _ P); [exact HD|]. intros a Ha.
  apply (almost_after _ _ _ _ IH). intros l Hl. apply almost_surely_one. now constructor.
Qed.

(** ** Variance *)

Lemma variance_square {A} (D : chances A) f : proper D ->
  variance D f = expectation D (fun a => f a * f a) - expectation D f * expectation D f.
Proof.
  intros HD. unfold variance. set (m := expectation D f).
  rewrite (expectation_ext D _ (fun a => f a * f a + (-2 * m * f a + m * m)))
    by (intros; ring).
  rewrite !expectation_plus, expectation_scal, (expectation_const D (m * m)) by exact HD.
  fold m. ring.
Qed.

Lemma variance_scal {A} (D : chances A) c f :
  variance D (fun a => c * f a) = c * c * variance D f.
Proof.
  unfold variance. rewrite <- expectation_scal. rewrite (expectation_scal D c f).
  apply expectation_ext; intros; ring.
Qed.

Lemma variance_le_square {A} (D : chances A) f : proper D ->
  variance D f <= expectation D (fun a => f a * f a).
Proof.
  intros HD. rewrite variance_square by exact HD.
  pose proof (Rle_0_sqr (expectation D f)) as H. unfold Rsqr in H. lra.
Qed.

(** Bhatia and Davis: a variable between lo and hi, or at least so on average. *)
Lemma bhatia_davis {A} (D : chances A) f lo hi : proper D ->
  0 <= expectation D (fun a => (hi - f a) * (f a - lo)) ->
  variance D f <= (hi - expectation D f) * (expectation D f - lo).
Proof.
  intros HD H. rewrite variance_square by exact HD. set (m := expectation D f).
  rewrite (expectation_ext D _ (fun a => -1 * (f a * f a) + ((hi + lo) * f a + - (hi * lo))))
    in H by (intros; ring).
  rewrite !expectation_plus, !expectation_scal, expectation_const in H by exact HD. fold m in H.
  lra.
Qed.

(** Expectations of a sum of draws add up, and their variances if the draws are independent. *)
Lemma expectation_independent {A} (Ds : list (chances A)) f :
  (forall D, In D Ds -> proper D) ->
  expectation (independent Ds) (lsum f) = lsum (fun D => expectation D f) Ds.
Proof.
  induction Ds as [|D Ds IH]; intros H; [simpl; now rewrite expectation_surely|].
  assert (HDs : proper (independent Ds))
    by (apply proper_independent; intros; apply H; now right).
  simpl. rewrite expectation_after.
  rewrite (expectation_ext D _ (fun a => f a + lsum (fun D => expectation D f) Ds)).
  - rewrite expectation_plus, expectation_const by (apply H; now left). reflexivity.
  - intros a. rewrite expectation_after.
    rewrite (expectation_ext _ _ (fun l => f a + lsum f l))
      by (intros; cbv beta; now rewrite expectation_surely).
    rewrite expectation_plus, expectation_const, IH by (exact HDs || (intros; apply H; now right)).
    reflexivity.
Qed.

Lemma variance_independent {A} (Ds : list (chances A)) f :
  (forall D, In D Ds -> proper D) ->
  variance (independent Ds) (lsum f) = lsum (fun D => variance D f) Ds.
Proof.
  induction Ds as [|D Ds IH]; intros H.
  - unfold variance. simpl. rewrite !expectation_surely. simpl. ring.
  - assert (HD : proper D) by (apply H; now left).
    assert (HDs : forall D', In D' Ds -> proper D') by (intros; apply H; now right).
    assert (Hrest : proper (independent Ds)) by now apply proper_independent.
    rewrite variance_square by now apply proper_independent.
    rewrite expectation_independent by exact H. simpl lsum at 3 4.
    rewrite <- expectation_independent by exact HDs.
    simpl. rewrite <- IH, !variance_square by assumption.
    set (M := expectation (independent Ds) (lsum f)).
    set (S := expectation (independent Ds) (fun l => lsum f l * lsum f l)).
    rewrite expectation_after.
    rewrite (expectation_ext D _ (fun a => f a * f a + (2 * M * f a + S))).
    + rewrite !expectation_plus, expectation_scal, (expectation_const D S) by exact HD. ring.
    + intros a. rewrite expectation_after.
      rewrite (expectation_ext _ _
        (fun l => f a * f a + (2 * f a * lsum f l + lsum f l * lsum f l)))
        by (intros l; cbv beta; rewrite expectation_surely; simpl; ring).
      rewrite !expectation_plus, (expectation_scal _ (2 * f a) (lsum f)).
      rewrite expectation_const by exact Hrest. fold M S. ring.
Qed.

(** ** A function of what is drawn *)

Definition drawn {A B} (f : A -> B) (D : chances A) : chances B :=
  after D (fun a => surely (f a)).

Lemma drawn_expectation {A B} (f : A -> B) (D : chances A) g :
  expectation (drawn f D) g = expectation D (fun a => g (f a)).
Proof.
  unfold drawn. rewrite expectation_after. apply expectation_ext. intros a.
  apply expectation_surely.
Qed.

Lemma drawn_proper {A B} (f : A -> B) (D : chances A) : proper D -> proper (drawn f D).
Proof. intros H. apply proper_after; [exact H|]. intros; apply proper_surely. Qed.

Lemma drawn_variance {A B} (f : A -> B) (D : chances A) g :
  variance (drawn f D) g = variance D (fun a => g (f a)).
Proof. unfold variance. now rewrite !drawn_expectation. Qed.

(** ** Sums over repetitions *)

Lemma lsum_repeat {A} (f : A -> R) x n : lsum f (repeat x n) = INR n * f x.
Proof. induction n; simpl lsum; simpl repeat; [simpl; ring|]. rewrite IHn, S_INR. ring. Qed.

Lemma lsum_concat {A} (f : A -> R) l : lsum f (concat l) = lsum (lsum f) l.
Proof. induction l; simpl; [reflexivity|]. now rewrite lsum_app, IHl. Qed.
