(** U1 `covering-number`: greedy nets have at most (1 + 2R/δ)^d centres, and products of clusters
    cluster. *)
From Coq Require Import Reals Lra Lia Arith List.
From KVFloor Require Import Sums Norms Packing.
Import ListNotations.
Open Scope R_scope.

(** ** Greedy nets *)

(** Points farther than delta from all centres before become centres, in the order in which they
    come. *)
Fixpoint greedy (d : nat) (delta : R) (centres points : list vector) : list vector :=
  match points with
  | [] => centres
  | x :: rest =>
      let near z := if Rle_dec (norm2 d (sub x z)) delta then true else false in
      greedy d delta (if existsb near centres then centres else x :: centres) rest
  end.

Definition net (d : nat) (delta : R) : list vector -> list vector := greedy d delta [].

Definition apart (d : nat) (delta : R) : list vector -> Prop :=
  pairwise (fun z z' => delta < norm2 d (sub z z')).

Lemma greedy_net d delta centres points : 0 <= delta -> apart d delta centres ->
  let net := greedy d delta centres points in
  apart d delta net /\ (forall z, In z centres -> In z net) /\
  (forall z, In z net -> In z centres \/ In z points) /\
  (forall x, In x points -> exists z, In z net /\ norm2 d (sub x z) <= delta).
Proof.
  intros Hdelta. revert centres. induction points as [|x points IH]; intros centres Ha.
  - simpl. repeat split; auto. intros x [].
  - cbn zeta. simpl.
    set (near := fun z => if Rle_dec (norm2 d (sub x z)) delta then true else false).
    destruct (existsb near centres) eqn:E.
    + destruct (IH centres Ha) as (H1 & H2 & H3 & H4). repeat split; auto.
      * intros z Hz. destruct (H3 z Hz); auto.
      * intros y [<-|Hy]; [|auto]. apply existsb_exists in E as (z & Hz & Hn).
        exists z. split; [auto|]. unfold near in Hn.
        destruct (Rle_dec (norm2 d (sub x z)) delta); [assumption|discriminate].
    + destruct (IH (x :: centres)) as (H1 & H2 & H3 & H4).
      * split; [|exact Ha]. intros z Hz. apply Rnot_le_lt. intros Hle.
        assert (existsb near centres = true); [|congruence].
        apply existsb_exists. exists z. split; [exact Hz|]. unfold near.
        destruct (Rle_dec (norm2 d (sub x z)) delta); [reflexivity|contradiction].
      * repeat split; auto.
        -- intros z Hz. apply H2. now right.
        -- intros z Hz. destruct (H3 z Hz) as [[<-|Hc]|Hp]; auto.
        -- intros y [<-|Hy]; [|auto]. exists x. split; [apply H2; now left|].
           rewrite (norm2_ext d (sub x x) (fun _ => 0)) by (intros; unfold sub; ring).
           unfold norm2. rewrite (rsum_ext d _ (fun _ => 0)) by (intros; ring).
           rewrite rsum_const, Rmult_0_r, sqrt_0. exact Hdelta.
Qed.

Lemma inside_norm d z r x : 0 <= r -> inside d (z, r) x <-> norm2 d (sub x z) < r.
Proof.
  intros Hr. unfold inside. cbn [fst snd]. pose proof (norm2_nonneg d (sub x z)).
  change (distance2 d x z) with (rsum d (fun c => sub x z c * sub x z c)).
  rewrite <- norm2_square. split; intros Hlt; nra.
Qed.

Lemma distance_triangle d x y z : norm2 d (sub x z) <= norm2 d (sub x y) + norm2 d (sub y z).
Proof.
  rewrite (norm2_ext d (sub x z) (fun c => sub x y c + sub y z c)) by (intros; unfold sub; ring).
  apply norm2_triangle.
Qed.

Lemma distance_sym d x y : norm2 d (sub x y) = norm2 d (sub y x).
Proof. unfold norm2. f_equal. apply rsum_ext. intros; unfold sub; ring. Qed.

(** Centres more than delta apart in a ball of radius R: at most (1 + 2R/δ)^d. *)
Theorem covering_number_apart d delta radius w centres :
  (1 <= d)%nat -> 0 < delta -> 0 <= radius -> apart d delta centres ->
  (forall z, In z centres -> norm2 d (sub z w) <= radius) ->
  INR (length centres) <= (1 + 2 * radius / delta) ^ d.
Proof.
  intros Hd Hdelta HR Hapart Hin. set (h := delta / 2). assert (Hh : 0 < h) by (unfold h; lra).
  assert (Hpacked : packed d (map (fun z => (z, h)) centres) (w, radius + h)).
  { repeat split.
    - intros b Hb. apply in_map_iff in Hb as (z & <- & _). simpl. lra.
    - simpl. lra.
    - intros b x Hb Hx. apply in_map_iff in Hb as (z & <- & Hz).
      apply inside_norm in Hx; [|lra]. apply inside_norm; [lra|].
      pose proof (distance_triangle d x z w). specialize (Hin z Hz). lra.
    - revert Hapart. apply pairwise_map. intros z z' Hfar x [Hx Hx'].
      apply inside_norm in Hx; [|lra]. apply inside_norm in Hx'; [|lra].
      pose proof (distance_triangle d z x z') as H. rewrite (distance_sym d z x) in H.
      unfold h in *. lra. }
  pose proof (packed_powers d _ _ Hd Hpacked) as H. rewrite lsum_map in H. cbn [snd] in H.
  rewrite lsum_const in H.
  assert (E : 1 + 2 * radius / delta = (radius + h) / h) by (unfold h; field; lra).
  assert (Hpow : 0 < h ^ d) by now apply pow_lt.
  rewrite E. unfold Rdiv. rewrite Rpow_mult_distr, pow_inv.
  apply (Rmult_le_reg_r (h ^ d)); [exact Hpow|].
  replace ((radius + h) ^ d * / h ^ d * h ^ d) with ((radius + h) ^ d) by (field; lra). exact H.
Qed.

(** A greedy net of points in such a ball covers them with so many centres, in whatever order the
    points come. *)
Theorem covering_number d delta radius w points :
  (1 <= d)%nat -> 0 < delta -> 0 <= radius ->
  (forall x, In x points -> norm2 d (sub x w) <= radius) ->
  INR (length (net d delta points)) <= (1 + 2 * radius / delta) ^ d /\
  (forall z, In z (net d delta points) -> In z points) /\
  (forall x, In x points -> exists z,
     In z (net d delta points) /\ norm2 d (sub x z) <= delta).
Proof.
  intros Hd Hdelta HR Hin.
  destruct (greedy_net d delta [] points) as (H1 & _ & H3 & H4); [lra|exact I|].
  fold (net d delta points) in *.
  assert (Hpoints : forall z, In z (net d delta points) -> In z points)
    by (intros z Hz; destruct (H3 z Hz) as [[]|]; assumption).
  split; [|split; assumption]. apply (covering_number_apart d delta radius w); auto.
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
  (forall k, S1 k -> norm_sup d k <= R1) -> (forall l, S2 l -> norm_sup d l <= R2) ->
  clusterable d S1 m1 delta1 -> clusterable d S2 m2 delta2 ->
  clusterable d (products S1 S2) (m1 * m2) (R2 * delta1 + R1 * delta2).
Proof.
  intros HR1 HR2 (z1 & L1 & In1 & C1) (z2 & L2 & In2 & C2).
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
