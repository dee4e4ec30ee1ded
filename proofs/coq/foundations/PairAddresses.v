(** Addresses of pairs for which some query ties two of them above all others: moment keys, in
    eight columns for any number of tokens, and sign vectors. *)
From Coq Require Import Reals Lra Lia Arith.
From KVFloor Require Import Sums Attention Keys Levels.
Open Scope R_scope.

(** The query singles out (i, k) and (0, 0): their logits are equal, and g above all others. *)
Definition ties (n1 n2 : nat) (s : nat -> nat -> R) (i k : nat) (g : R) : Prop :=
  s i k = s 0%nat 0%nat /\
  forall j l, (j < n1)%nat -> (l < n2)%nat -> (j, l) <> (i, k) -> (j, l) <> (0, 0)%nat ->
    s 0%nat 0%nat >= s j l + g.

(** ** Moment keys: (j, j², j³, j⁴, 1, 1, 1, 1) and (1, 1, 1, 1, l, l², l³, l⁴) *)

Definition moment_key1 : matrix := fun j c => if c <? 4 then INR j ^ S c else 1.
Definition moment_key2 : matrix := fun l c => if c <? 4 then 1 else INR l ^ (c - 3).

(** The logit of (j, l) is C (i² + k²) - C ((j-i)² + (l-k)²). *)
Definition moment_read (C : R) (i k : nat) : nat -> R := fun c =>
  match c with
  | 0%nat => C * (2 * INR i) | 1%nat => - C | 4%nat => C * (2 * INR k) | 5%nat => - C | _ => 0
  end.

(** The logit of (j, l) is -C (j² (j-i)² + l² (l-k)²). *)
Definition moment_tie (C : R) (i k : nat) : nat -> R := fun c =>
  match c with
  | 1%nat => - C * (INR i * INR i) | 2%nat => C * (2 * INR i) | 3%nat => - C
  | 5%nat => - C * (INR k * INR k) | 6%nat => C * (2 * INR k) | 7%nat => - C | _ => 0
  end.

Lemma moment_read_logit C i k j l :
  logit2 8 (moment_read C i k) moment_key1 moment_key2 j l
    = C * (INR i * INR i + INR k * INR k)
      - C * ((INR i - INR j) * (INR i - INR j) + (INR k - INR l) * (INR k - INR l)).
Proof. unfold logit2, moment_read, moment_key1, moment_key2. cbn -[INR]. ring. Qed.

Lemma moment_tie_logit C i k j l :
  logit2 8 (moment_tie C i k) moment_key1 moment_key2 j l
    = - C * (INR j * INR j * ((INR i - INR j) * (INR i - INR j))
             + INR l * INR l * ((INR k - INR l) * (INR k - INR l))).
Proof. unfold logit2, moment_tie, moment_key1, moment_key2. cbn -[INR]. ring. Qed.

Lemma square_nonneg x : 0 <= x * x.
Proof. apply Rle_0_sqr. Qed.

Lemma moment_read_singles_out n1 n2 C i k :
  0 <= C -> singles_out n1 n2 (logit2 8 (moment_read C i k) moment_key1 moment_key2) i k C.
Proof.
  intros HC j l _ _ Hne. rewrite !moment_read_logit.
  assert (Hgap : 1 <= (INR i - INR j) * (INR i - INR j) + (INR k - INR l) * (INR k - INR l)).
  { pose proof (square_nonneg (INR i - INR j)). pose proof (square_nonneg (INR k - INR l)).
    destruct (Nat.eq_dec i j) as [->|E].
    - assert (E : k <> l) by congruence. pose proof (INR_gap k l E). lra.
    - pose proof (INR_gap i j E). lra. }
  set (D := _ + _) in Hgap |- *. nra.
Qed.

(** j² (i-j)² is at least 1 for whole numbers j other than 0 and i. *)
Lemma moment_gap i j : j <> 0%nat -> j <> i ->
  1 <= INR j * INR j * ((INR i - INR j) * (INR i - INR j)).
Proof.
  intros H0 Hi. pose proof (INR_gap i j (not_eq_sym Hi)) as H1.
  pose proof (INR_gap j 0 H0) as H2. simpl INR in H2. rewrite Rminus_0_r in H2. nra.
Qed.

Lemma moment_tie_ties n1 n2 C i k :
  0 <= C -> i = 0%nat \/ k = 0%nat ->
  ties n1 n2 (logit2 8 (moment_tie C i k) moment_key1 moment_key2) i k C.
Proof.
  intros HC H0. split; [rewrite !moment_tie_logit; simpl INR; ring|].
  intros j l _ _ Hne Hne0. rewrite !moment_tie_logit. simpl INR.
  pose proof (Rmult_le_pos _ _ (square_nonneg (INR j)) (square_nonneg (INR i - INR j))) as Hj.
  pose proof (Rmult_le_pos _ _ (square_nonneg (INR l)) (square_nonneg (INR k - INR l))) as Hl.
  assert (Hgap : 1 <= INR j * INR j * ((INR i - INR j) * (INR i - INR j))
                      + INR l * INR l * ((INR k - INR l) * (INR k - INR l))).
  { destruct (Nat.eq_dec j 0) as [->|Hj0].
    - assert (Hl0 : l <> 0%nat) by congruence.
      destruct (Nat.eq_dec l k) as [->|Hlk]; [|pose proof (moment_gap k l Hl0 Hlk); lra].
      exfalso. apply Hne. destruct H0 as [->|E]; [reflexivity|congruence].
    - destruct (Nat.eq_dec j i) as [->|Hji]; [|pose proof (moment_gap i j Hj0 Hji); lra].
      assert (Ek : k = 0%nat) by (destruct H0; congruence). subst k.
      assert (Hl0 : l <> 0%nat) by congruence. pose proof (moment_gap 0 l Hl0 Hl0). lra. }
  set (D := _ + _) in Hgap |- *. nra.
Qed.

(** ** Sign vectors *)

(** The inner product of the entrywise products of rows (j, l) and (j', l'). *)
Definition product_inner (a : nat) (A1 A2 : matrix) (j l j' l' : nat) : R :=
  rsum a (fun c => (A1 j c * A2 l c) * (A1 j' c * A2 l' c)).

Lemma sign_product_self a A1 A2 j l :
  sign_matrix A1 -> sign_matrix A2 -> product_inner a A1 A2 j l j l = INR a.
Proof.
  intros H1 H2. unfold product_inner. rewrite <- (Rmult_1_r (INR a)), <- rsum_const.
  apply rsum_ext. intros c _. destruct (H1 j c) as [->| ->], (H2 l c) as [->| ->]; ring.
Qed.

Lemma sign_read_logit a C A1 A2 i k j l :
  logit2 a (fun c => C * (A1 i c * A2 k c)) A1 A2 j l = C * product_inner a A1 A2 i k j l.
Proof. unfold logit2, product_inner. rewrite <- rsum_scal. apply rsum_ext; intros; ring. Qed.

Lemma sign_tie_logit a C A1 A2 i k j l :
  logit2 a (fun c => C * (A1 i c * A2 k c + A1 0%nat c * A2 0%nat c)) A1 A2 j l
    = C * (product_inner a A1 A2 i k j l + product_inner a A1 A2 0 0 j l).
Proof.
  unfold logit2, product_inner. rewrite <- rsum_plus, <- rsum_scal. apply rsum_ext; intros; ring.
Qed.
