(** D1: weights, outputs, attention of order 1 and of order 2.
    The scale σ is 1: queries are arbitrary, so any other scale is part of the query. *)
From Coq Require Import Reals Lra Lia Arith.
From KVFloor Require Import Sums.
Open Scope R_scope.

(** ** Tuples, numbered 0 .. n-1 *)

(** Weight of tuple [j] among the tuples 0 .. n-1 with logits [s]. *)
Definition weight (n : nat) (s : nat -> R) (j : nat) : R :=
  exp (s j) / rsum n (fun l => exp (s l)).

(** One column of the output: the weighted mean of the values [v]. *)
Definition output (n : nat) (s v : nat -> R) : R :=
  rsum n (fun j => weight n s j * v j).

(** The logit of tuple [i] is at least [g] above every other. *)
Definition margin (n : nat) (s : nat -> R) (i : nat) (g : R) : Prop :=
  forall j, (j < n)%nat -> j <> i -> s i >= s j + g.

(** E = M exp(-g): M competitors below a margin g, relative to the top tuple. *)
Definition excess (M : nat) (g : R) : R := INR M * exp (- g).

(** λ = E / (1 + E): the most that M competitors can weigh. *)
Definition leak (M : nat) (g : R) : R := excess M g / (1 + excess M g).

Lemma excess_nonneg M g : 0 <= excess M g.
Proof. apply Rmult_le_pos; [apply pos_INR|]. left; apply exp_pos. Qed.

Lemma leak_complement M g : 1 - leak M g = 1 / (1 + excess M g).
Proof. unfold leak. pose proof (excess_nonneg M g). field; lra. Qed.

Lemma leak_nonneg M g : 0 <= leak M g.
Proof.
  pose proof (excess_nonneg M g). apply Rmult_le_pos; [assumption|].
  left. apply Rinv_0_lt_compat; lra.
Qed.

Lemma expsum_pos n s : (0 < n)%nat -> 0 < rsum n (fun l => exp (s l)).
Proof.
  intros Hn. rewrite (rsum_split n 0) by exact Hn.
  assert (0 <= rsum n (fun j => if Nat.eqb j 0 then 0 else exp (s j))).
  { apply rsum_nonneg. intros j _. destruct (Nat.eqb j 0); [lra|left; apply exp_pos]. }
  pose proof (exp_pos (s 0%nat)). lra.
Qed.

Lemma weight_nonneg n s j : (0 < n)%nat -> 0 <= weight n s j.
Proof.
  intros Hn. apply Rmult_le_pos; [left; apply exp_pos|].
  left. apply Rinv_0_lt_compat, expsum_pos, Hn.
Qed.

Lemma weight_total n s : (0 < n)%nat -> rsum n (weight n s) = 1.
Proof.
  intros Hn. unfold weight, Rdiv. rewrite rsum_scal_r.
  apply Rinv_r. apply Rgt_not_eq, expsum_pos, Hn.
Qed.

Lemma output_split n s v i :
  (i < n)%nat ->
  output n s v = weight n s i * v i
    + rsum n (fun j => if Nat.eqb j i then 0 else weight n s j * v j).
Proof. intros Hi. exact (rsum_split n i (fun j => weight n s j * v j) Hi). Qed.

Lemma output_ext n s v v' :
  (forall j, (j < n)%nat -> v j = v' j) -> output n s v = output n s v'.
Proof. intros H. apply rsum_ext. intros j Hj. now rewrite H. Qed.

Lemma output_nonneg n s v : (forall j, (j < n)%nat -> 0 <= v j) -> 0 <= output n s v.
Proof.
  intros Hv. apply rsum_nonneg. intros j Hj.
  apply Rmult_le_pos; [apply weight_nonneg; lia|auto].
Qed.

(** ** Order 1 *)

(** A matrix is read as [M row column]. *)
Definition matrix := nat -> nat -> R.

(** The matrix of ones. *)
Definition ones : matrix := fun _ _ => 1.

(** Logit of row [j]: the inner product of query and key over the d coordinates. *)
Definition logit (d : nat) (q : nat -> R) (K : matrix) (j : nat) : R :=
  rsum d (fun c => q c * K j c).

(** Standard attention: n rows, keys of d entries, query q, column c of the output. *)
Definition attention (n d : nat) (q : nat -> R) (K V : matrix) (c : nat) : R :=
  output n (logit d q K) (fun j => V j c).

(** ** Order 2 *)

(** Logit of the pair (j, l). *)
Definition logit2 (d : nat) (q : nat -> R) (K1 K2 : matrix) (j l : nat) : R :=
  rsum d (fun c => q c * K1 j c * K2 l c).

(** Weight of the pair (j, l) among all n1 * n2 pairs. *)
Definition weight2 (n1 n2 : nat) (s : nat -> nat -> R) (j l : nat) : R :=
  exp (s j l) / rsum n1 (fun j' => rsum n2 (fun l' => exp (s j' l'))).

(** Tensor attention of order 2: the pair (j, l) has the value V1 j c * V2 l c in column c. *)
Definition attention2 (n1 n2 d : nat) (q : nat -> R) (K1 K2 V1 V2 : matrix) (c : nat) : R :=
  rsum n1 (fun j => rsum n2 (fun l =>
    weight2 n1 n2 (logit2 d q K1 K2) j l * V1 j c * V2 l c)).

(** Values of pairs: [W j l c]. *)
Definition pair_values := nat -> nat -> nat -> R.

(** The unstructured model of the two-cache: any value W j l c for the pair (j, l). *)
Definition pair_attention (n1 n2 d : nat) (q : nat -> R)
    (K1 K2 : matrix) (W : pair_values) (c : nat) : R :=
  rsum n1 (fun j => rsum n2 (fun l => weight2 n1 n2 (logit2 d q K1 K2) j l * W j l c)).

Lemma logit2_ones d q K1 j l : logit2 d q K1 ones j l = logit d q K1 j.
Proof. unfold logit2, logit, ones. apply rsum_ext; intros; ring. Qed.

(** A law of D1: order 2 with keys and values of one slot all ones is order 1. *)
Lemma attention2_ones n1 n2 d q K V c :
  (0 < n1)%nat -> (0 < n2)%nat ->
  attention2 n1 n2 d q K ones V ones c = attention n1 d q K V c.
Proof.
  intros H1 H2. unfold attention2, attention, output.
  apply rsum_ext; intros j Hj.
  rewrite (rsum_ext n2 _ (fun _ => / INR n2 * weight n1 (logit d q K) j * V j c)).
  - rewrite rsum_const. field. apply not_0_INR; lia.
  - intros l Hl. unfold weight2, weight.
    rewrite (rsum_ext n1 _ (fun j' => INR n2 * exp (logit d q K j'))).
    + rewrite rsum_scal, logit2_ones. unfold ones. field. split.
      * apply Rgt_not_eq, expsum_pos; exact H1.
      * apply not_0_INR; lia.
    + intros j' _. rewrite <- rsum_const.
      apply rsum_ext; intros; now rewrite logit2_ones.
Qed.

(** Tensor attention is pair attention with the values V1 j c * V2 l c. *)
Lemma attention2_pair n1 n2 d q K1 K2 V1 V2 c :
  attention2 n1 n2 d q K1 K2 V1 V2 c
    = pair_attention n1 n2 d q K1 K2 (fun j l c => V1 j c * V2 l c) c.
Proof.
  unfold attention2, pair_attention.
  apply rsum_ext; intros; apply rsum_ext; intros; ring.
Qed.

(** Pair attention is one sum over n1 * n2 tuples, tuple a being the pair (a / n2, a mod n2). *)
Lemma pair_attention_flat n1 n2 d q K1 K2 W c :
  pair_attention n1 n2 d q K1 K2 W c
    = output (n1 * n2) (fun a => logit2 d q K1 K2 (a / n2) (a mod n2))
                       (fun a => W (a / n2)%nat (a mod n2)%nat c).
Proof.
  unfold pair_attention, output, weight2, weight. rewrite !rsum_flatten. reflexivity.
Qed.
