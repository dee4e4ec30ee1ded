(** Bit strings of a given length, the pigeonhole principle, and matrices of bits. *)
From Coq Require Import Arith Lia List Bool FinFun.
Import ListNotations.

(** All bit strings of length N. *)
Fixpoint bitstrings (N : nat) : list (list bool) :=
  match N with
  | O => [[]]
  | S k => map (cons false) (bitstrings k) ++ map (cons true) (bitstrings k)
  end.

Lemma bitstrings_length N : length (bitstrings N) = 2 ^ N.
Proof.
  induction N; simpl; [reflexivity|].
  rewrite app_length, !map_length, IHN. lia.
Qed.

Lemma in_bitstrings N x : In x (bitstrings N) <-> length x = N.
Proof.
  revert x; induction N; intros x; simpl.
  - split; [intros [<-|[]]; reflexivity|].
    destruct x; [auto|discriminate].
  - rewrite in_app_iff, !in_map_iff. split.
    + intros [[y [<- Hy]]|[y [<- Hy]]]; simpl; f_equal; apply IHN; exact Hy.
    + destruct x as [|[|] y]; intros Hx; [discriminate| |];
        injection Hx as Hx; [right|left]; exists y; split; auto; apply IHN; auto.
Qed.

Lemma NoDup_app_disjoint {A} (l l' : list A) :
  NoDup l -> NoDup l' -> (forall a, In a l -> In a l' -> False) -> NoDup (l ++ l').
Proof.
  induction 1 as [|a l Ha Hl IH]; simpl; intros Hl' Hd; [exact Hl'|].
  constructor.
  - rewrite in_app_iff. intros [H|H]; [auto|]. apply (Hd a); auto.
  - apply IH; auto. intros b Hb. apply Hd; auto.
Qed.

Lemma NoDup_bitstrings N : NoDup (bitstrings N).
Proof.
  induction N; simpl; [repeat constructor; auto|].
  apply NoDup_app_disjoint;
    try (apply Injective_map_NoDup; [congruence|assumption]).
  intros a H1 H2. apply in_map_iff in H1 as [? [<- _]].
  apply in_map_iff in H2 as [? [? _]]. discriminate.
Qed.

(** Pigeonhole on lists. *)
Lemma pigeonhole {A B} (eqB : forall a b : B, {a = b} + {a <> b})
    (f : A -> B) (l : list A) (l' : list B) :
  NoDup l -> (forall a, In a l -> In (f a) l') -> length l' < length l ->
  exists a b, In a l /\ In b l /\ a <> b /\ f a = f b.
Proof.
  revert l'. induction l as [|a l IH]; intros l' Hnd Hin Hlen; simpl in Hlen; [lia|].
  inversion Hnd as [|? ? Hna Hnd']; subst.
  destruct (in_dec eqB (f a) (map f l)) as [Hc|Hc].
  - apply in_map_iff in Hc as [b [Hb Hbl]].
    exists a, b. repeat split; [now left|now right| |auto].
    intros ->; auto.
  - assert (Hfa : In (f a) l') by (apply Hin; now left).
    apply in_split in Hfa as [l1 [l2 ->]].
    destruct (IH (l1 ++ l2)) as (x & y & Hx & Hy & Hxy & Hf); auto.
    + intros z Hz. specialize (Hin z (or_intror Hz)).
      apply in_app_or in Hin as [H|[H|H]]; apply in_or_app; auto.
      exfalso; apply Hc. rewrite H. now apply in_map.
    + rewrite app_length in *; simpl in *; lia.
    + exists x, y. repeat split; auto; now right.
Qed.

(** All bit strings of length at most b; there are fewer than 2^(b+1) of them. *)
Fixpoint bitstrings_upto (b : nat) : list (list bool) :=
  match b with
  | O => bitstrings 0
  | S k => bitstrings_upto k ++ bitstrings (S k)
  end.

Lemma bitstrings_upto_length b : S (length (bitstrings_upto b)) = 2 ^ (S b).
Proof.
  induction b; [reflexivity|].
  change (bitstrings_upto (S b)) with (bitstrings_upto b ++ bitstrings (S b)).
  rewrite app_length, bitstrings_length. rewrite <- Nat.add_succ_l, IHb.
  simpl; lia.
Qed.

Lemma in_bitstrings_upto b x : length x <= b -> In x (bitstrings_upto b).
Proof.
  induction b; intros Hx.
  - apply in_bitstrings; lia.
  - apply in_or_app. destruct (Nat.eq_dec (length x) (S b)).
    + right. now apply in_bitstrings.
    + left. apply IHb; lia.
Qed.

(** Two different strings of the same length differ at some position. *)
Lemma differ_somewhere (x y : list bool) :
  length x = length y -> x <> y ->
  exists k, k < length x /\ nth k x false <> nth k y false.
Proof.
  revert y; induction x as [|a x IH]; intros [|b y] Hl Hne; try discriminate.
  - congruence.
  - destruct (bool_dec a b) as [->|Hab].
    + destruct (IH y) as (k & Hk & Hd); [simpl in Hl; lia|congruence|].
      exists (S k). split; [simpl; lia|exact Hd].
    + exists 0. split; [simpl; lia|exact Hab].
Qed.

(** ** Matrices of bits *)

(** Row j, column c of a matrix of bits with rows of length w, written row by row as [x]. *)
Definition bit_at (w : nat) (x : list bool) (j c : nat) : bool := nth (j * w + c) x false.

Lemma bit_at_divmod w x k : 0 < w -> bit_at w x (k / w) (k mod w) = nth k x false.
Proof.
  intros Hw. unfold bit_at. f_equal. rewrite Nat.mul_comm. symmetry. apply Nat.div_mod. lia.
Qed.

Lemma pair_div w j c : c < w -> (j * w + c) / w = j.
Proof. intros H. rewrite Nat.div_add_l, Nat.div_small; lia. Qed.

Lemma pair_mod w j c : c < w -> (j * w + c) mod w = c.
Proof. intros H. rewrite Nat.add_comm, Nat.mod_add, Nat.mod_small; lia. Qed.

Lemma nth_map_seq {A} (f : nat -> A) N k a : k < N -> nth k (map f (seq 0 N)) a = f k.
Proof.
  intros H. rewrite (nth_indep _ a (f 0)) by (rewrite map_length, seq_length; exact H).
  rewrite map_nth, seq_nth by exact H. reflexivity.
Qed.
