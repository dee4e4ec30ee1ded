(** U1 `covering-number`: products of clusters cluster, and what a greedy net covers. *)
From Coq Require Import Reals Lra Lia Arith List.
From KVFloor Require Import Sums Norms.
Import ListNotations.
Open Scope R_scope.

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
