(** E2 `correct-rounding-terminates`: enclosures of growing precision come to hold no rounding
    boundary, unless the output is one, which E1 decides. *)
From Coq Require Import Reals Lra Lia Arith List.
From KVFloor Require Import Sums Attention Guarantee ExponentialsIndependent ExactEquality.
Import ListNotations.
Open Scope R_scope.

(** Enclosures lo p <= y <= hi p whose widths tend to 0. *)
Definition encloses (lo hi : nat -> R) (y : R) : Prop :=
  (forall p, lo p <= y <= hi p) /\
  (forall width, 0 < width -> exists p0, forall p, (p0 <= p)%nat -> hi p - lo p < width).

Lemma least_distance (boundaries : list R) y : ~ In y boundaries ->
  exists delta, 0 < delta /\ forall r, In r boundaries -> delta <= Rabs (r - y).
Proof.
  induction boundaries as [|r rest IH]; intros H; [exists 1; split; [lra|intros r []]|].
  destruct IH as (delta & Hd & Hle); [intros Hin; apply H; now right|].
  exists (Rmin delta (Rabs (r - y))). split.
  - apply Rmin_glb_lt; [exact Hd|]. apply Rabs_pos_lt. intros E. apply H. left. lra.
  - intros r' [<-|Hr']; [apply Rmin_r|]. eapply Rle_trans; [apply Rmin_l|auto].
Qed.

(** A format has finitely many boundaries. If y is none of them, all enclosures from some precision
    on hold none: all their numbers round alike. *)
Theorem correct_rounding_terminates (boundaries : list R) y lo hi :
  encloses lo hi y -> ~ In y boundaries ->
  exists p0, forall p, (p0 <= p)%nat -> forall r, In r boundaries -> r < lo p \/ hi p < r.
Proof.
  intros [Hin Hwidth] Hy. destruct (least_distance boundaries y Hy) as (delta & Hd & Hle).
  destruct (Hwidth delta Hd) as (p0 & Hp0). exists p0. intros p Hp r Hr.
  specialize (Hp0 p Hp). specialize (Hin p). specialize (Hle r Hr).
  destruct (Rlt_dec r (lo p)) as [|H1]; [now left|].
  destruct (Rlt_dec (hi p) r) as [|H2]; [now right|exfalso].
  apply Rnot_lt_le in H1, H2. unfold Rabs in Hle. destruct (Rcase_abs (r - y)); lra.
Qed.

(** For an output: either the search ends, or the output is a boundary, which finitely many sums
    tell. *)
Theorem correct_rounding_terminates_output d e n s v (boundaries : list R) lo hi : (1 <= n)%nat ->
  (forall j, (j < n)%nat -> with_roots d e (s j) /\ rational (v j)) ->
  (forall r, In r boundaries -> rational r) ->
  encloses lo hi (output n s v) ->
  (exists r, In r boundaries /\ output n s v = r /\
     forall j, (j < n)%nat -> group n s v (s j) = r * multiplicity n s (s j)) \/
  ((forall r, In r boundaries ->
      exists j, (j < n)%nat /\ group n s v (s j) <> r * multiplicity n s (s j)) /\
   exists p0, forall p, (p0 <= p)%nat -> forall r, In r boundaries -> r < lo p \/ hi p < r).
Proof.
  intros Hn Hin HB Henc.
  destruct (in_dec Req_EM_T (output n s v) boundaries) as [Hr|Hr].
  - left. exists (output n s v). repeat split; [exact Hr|].
    now apply (exact_equality d e n s v (output n s v) Hn Hin (HB _ Hr)).
  - right. split; [|now apply (correct_rounding_terminates boundaries (output n s v))].
    intros r Hr'.
    assert (Hsome : forall m, (forall j, (j < m)%nat -> group n s v (s j)
              = r * multiplicity n s (s j)) \/
              exists j, (j < m)%nat /\ group n s v (s j) <> r * multiplicity n s (s j)).
    { induction m as [|m [IH|(j & Hj & Hne)]]; [left; lia| |right; exists j; split; [lia|exact Hne]].
      destruct (Req_EM_T (group n s v (s m)) (r * multiplicity n s (s m))) as [E|E].
      - left. intros j Hj. destruct (Nat.eq_dec j m) as [->|]; [exact E|apply IH; lia].
      - right. exists m. split; [lia|exact E]. }
    destruct (Hsome n) as [Hall|Hex]; [exfalso|exact Hex]. apply Hr.
    rewrite (proj2 (exact_equality d e n s v r Hn Hin (HB r Hr')) Hall). exact Hr'.
Qed.

(** On which side of r an output lies: the sign of Σ (v_j - r) exp(s_j). *)
Theorem correct_rounding_terminates_side n s v r : (1 <= n)%nat ->
  (r < output n s v <-> 0 < rsum n (fun j => (v j - r) * exp (s j))) /\
  (output n s v < r <-> rsum n (fun j => (v j - r) * exp (s j)) < 0).
Proof.
  intros Hn. pose proof (expsum_pos n s ltac:(lia)) as HZ.
  set (Z := rsum n (fun l => exp (s l))) in HZ.
  assert (E : rsum n (fun j => (v j - r) * exp (s j)) = (output n s v - r) * Z).
  { assert (Hout : output n s v * Z = rsum n (fun j => v j * exp (s j))).
    { unfold output, weight. fold Z. rewrite <- rsum_scal_r. apply rsum_ext; intros. field; lra. }
    rewrite (rsum_ext n _ (fun j => v j * exp (s j) + - r * exp (s j))) by (intros; ring).
    rewrite rsum_plus, rsum_scal, <- Hout. fold Z. ring. }
  rewrite E. split; split; intros H; nra.
Qed.
