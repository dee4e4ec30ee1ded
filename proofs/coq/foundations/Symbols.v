(** Strings over an alphabet of L symbols: there are L^N of length N, so states from which
    every symbol can be read are at least as many. *)
From Coq Require Import Reals Lra Lia Arith List Bool FinFun.
From KVFloor Require Import Sums Bits Entropy.
Import ListNotations.
Open Scope nat_scope.

(** [x] is a string of N symbols, each one of 0 .. L-1. *)
Definition symbols (N L : nat) (x : list nat) : Prop :=
  length x = N /\ forall k, k < N -> nth k x 0 < L.

Fixpoint strings (N L : nat) : list (list nat) :=
  match N with
  | O => [[]]
  | S k => flat_map (fun a => map (cons a) (strings k L)) (seq 0 L)
  end.

Lemma flat_map_const_length {A B} (f : A -> list B) l m :
  (forall a, In a l -> length (f a) = m) -> length (flat_map f l) = length l * m.
Proof.
  induction l as [|a l IH]; intros H; [reflexivity|].
  simpl. rewrite app_length, IH, H; [lia|now left|intros; apply H; now right].
Qed.

Lemma strings_length N L : length (strings N L) = L ^ N.
Proof.
  induction N; [reflexivity|]. simpl strings.
  rewrite (flat_map_const_length _ _ (L ^ N)), seq_length; [simpl; lia|].
  intros a _. now rewrite map_length.
Qed.

Lemma in_strings N L x : In x (strings N L) <-> symbols N L x.
Proof.
  unfold symbols. revert x; induction N; intros x; simpl.
  - split; [intros [<-|[]]; split; [reflexivity|lia]|].
    intros [H _]. left. now destruct x.
  - rewrite in_flat_map. split.
    + intros (a & Ha & Hx). apply in_map_iff in Hx as (y & <- & Hy).
      apply in_seq in Ha. apply IHN in Hy as [Hl Hy]. split; [simpl; lia|].
      intros [|k] Hk; simpl; [lia|apply Hy; lia].
    + intros [Hl Hx]. destruct x as [|a y]; [discriminate|].
      exists a. split.
      * apply in_seq. specialize (Hx 0). simpl in Hx. lia.
      * apply in_map, IHN. split; [simpl in Hl; lia|].
        intros k Hk. apply (Hx (S k)). lia.
Qed.

Lemma NoDup_flat_map {A B} (f : A -> list B) l :
  NoDup l -> (forall a, In a l -> NoDup (f a)) ->
  (forall a a' b, In a l -> In a' l -> In b (f a) -> In b (f a') -> a = a') ->
  NoDup (flat_map f l).
Proof.
  induction 1 as [|a l Ha Hl IH]; simpl; intros Hf Hd; [constructor|].
  apply NoDup_app_disjoint; [auto| |].
  - apply IH; [auto|]. intros b b' z Hb Hb'. apply Hd; auto.
  - intros b Hb Hb'. apply in_flat_map in Hb' as (a' & Ha' & Hb').
    assert (a = a') by (apply (Hd a a' b); auto). congruence.
Qed.

Lemma NoDup_strings N L : NoDup (strings N L).
Proof.
  induction N; [repeat constructor; auto|]. apply NoDup_flat_map.
  - apply seq_NoDup.
  - intros a _. apply Injective_map_NoDup; [congruence|assumption].
  - intros a a' x _ _ Hx Hx'. apply in_map_iff in Hx as (y & <- & _).
    apply in_map_iff in Hx' as (y' & H & _). congruence.
Qed.

(** An answer that is acceptable for two instances reveals their symbol [k]: it is the same. *)
Definition separated (N L : nat) (good : R -> R -> Prop) (out : list nat -> nat -> R) : Prop :=
  forall x y k o, symbols N L x -> symbols N L y -> k < N ->
    good o (out x k) -> good o (out y k) -> nth k x 0 = nth k y 0.

(** If the states, listed in [states], give an acceptable answer for every instance and every
    symbol, then they are at least as many as the instances. *)
Lemma states_floor N L good out (states : list (list bool))
    (enc : list nat -> list bool) (ans : list bool -> nat -> R) :
  separated N L good out ->
  (forall x, symbols N L x -> In (enc x) states) ->
  (forall x k, symbols N L x -> k < N -> good (ans (enc x) k) (out x k)) ->
  L ^ N <= length states.
Proof.
  intros Hsep Hin Hgood. destruct (le_lt_dec (L ^ N) (length states)) as [|Hlt]; [assumption|].
  destruct (pigeonhole (list_eq_dec bool_dec) enc (strings N L) states)
    as (x & y & Hx & Hy & Hne & He).
  - apply NoDup_strings.
  - intros x Hx. apply Hin, in_strings, Hx.
  - now rewrite strings_length.
  - apply in_strings in Hx, Hy. exfalso. apply Hne.
    destruct Hx as [Lx Sx], Hy as [Ly Sy].
    apply (nth_ext x y 0 0); [congruence|]. intros k Hk. rewrite Lx in Hk.
    apply (Hsep x y k (ans (enc x) k)); [split; assumption|split; assumption|exact Hk| |].
    + apply Hgood; [split|]; assumption.
    + rewrite He. apply Hgood; [split|]; assumption.
Qed.

(** ** As many states are enough: a finite set is numbered in b bits if it has 2^b members. *)

Fixpoint position {A} (dec : forall a b : A, {a = b} + {a <> b}) (a : A) (l : list A) : nat :=
  match l with
  | [] => 0
  | b :: l' => if dec a b then 0 else S (position dec a l')
  end.

Lemma position_nth {A} dec (a d : A) l : In a l -> nth (position dec a l) l d = a.
Proof.
  induction l as [|b l IH]; simpl; [tauto|]. intros H.
  destruct (dec a b) as [->|Hne]; [reflexivity|]. apply IH. destruct H; [congruence|assumption].
Qed.

Lemma position_lt {A} dec (a : A) l : In a l -> position dec a l < length l.
Proof.
  induction l as [|b l IH]; simpl; [tauto|]. intros H.
  destruct (dec a b) as [|Hne]; [lia|].
  assert (position dec a l < length l) by (apply IH; destruct H; [congruence|assumption]). lia.
Qed.

Lemma nth_position {A} dec (d : A) l k :
  NoDup l -> k < length l -> position dec (nth k l d) l = k.
Proof.
  intros Hl. revert k. induction Hl as [|a l Ha Hl IH]; simpl; intros k Hk; [lia|].
  destruct k as [|k].
  - destruct (dec a a); [reflexivity|congruence].
  - destruct (dec (nth k l d) a) as [E|_]; [|f_equal; apply IH; lia].
    exfalso. apply Ha. rewrite <- E. apply nth_In. lia.
Qed.

Lemma numbering {A} (eqA : forall a b : A, {a = b} + {a <> b}) (l : list A) (d : A) b :
  length l <= 2 ^ b ->
  exists (enc : A -> list bool) (dec : list bool -> A),
    (forall a, length (enc a) = b) /\ (forall a, In a l -> dec (enc a) = a).
Proof.
  intros Hl. set (eqB := list_eq_dec bool_dec).
  exists (fun a => nth (position eqA a l) (bitstrings b) (repeat false b)),
         (fun s => nth (position eqB s (bitstrings b)) l d).
  split.
  - intros a. destruct (nth_in_or_default (position eqA a l) (bitstrings b) (repeat false b))
      as [H|H]; [now apply in_bitstrings|rewrite H; apply repeat_length].
  - intros a Ha. rewrite nth_position.
    + now apply position_nth.
    + apply NoDup_bitstrings.
    + rewrite bitstrings_length. pose proof (position_lt eqA a l Ha). lia.
Qed.

(** ** Blocks of w bits, one after the other *)

Definition blocks (w N : nat) (f : nat -> list bool) : list bool :=
  map (fun k => nth (k mod w) (f (k / w)) false) (seq 0 (N * w)).
Definition block (w k : nat) (s : list bool) : list bool :=
  map (fun e => nth (k * w + e) s false) (seq 0 w).

Lemma blocks_length w N f : length (blocks w N f) = N * w.
Proof. unfold blocks. now rewrite map_length, seq_length. Qed.

Lemma block_blocks w N f k : k < N -> length (f k) = w -> block w k (blocks w N f) = f k.
Proof.
  intros Hk Hf. apply (nth_ext _ _ false false); unfold block; rewrite map_length, seq_length.
  - now symmetry.
  - intros e He. unfold blocks. rewrite !nth_map_seq by nia.
    now rewrite pair_div, pair_mod by exact He.
Qed.

(** L^N <= 2^b says that b is at least N log2 L. *)
Open Scope R_scope.
Lemma bits_of_symbols N L b :
  (1 <= L)%nat -> (L ^ N <= 2 ^ b)%nat <-> INR N * log2 (INR L) <= INR b.
Proof.
  intros HL. assert (H0 : 0 < INR L) by (apply lt_0_INR; lia). pose proof ln2_pos as Hl2.
  assert (HN : 0 < INR L ^ N) by (apply pow_lt, H0).
  assert (Hb : 0 < 2 ^ b) by (apply pow_lt; lra).
  assert (HE : INR N * log2 (INR L) <= INR b <-> INR N * ln (INR L) <= INR b * ln 2).
  { unfold log2. replace (INR N * (ln (INR L) / ln 2)) with (INR N * ln (INR L) / ln 2)
      by (field; lra). split; intros H.
    - apply (Rmult_le_compat_r (ln 2)) in H; [|lra].
      replace (INR N * ln (INR L) / ln 2 * ln 2) with (INR N * ln (INR L)) in H by (field; lra).
      exact H.
    - apply (Rmult_le_reg_r (ln 2)); [exact Hl2|].
      replace (INR N * ln (INR L) / ln 2 * ln 2) with (INR N * ln (INR L)) by (field; lra).
      exact H. }
  rewrite HE, <- !ln_pow by lra. split; intros H.
  - apply ln_le; [exact HN|]. apply le_INR in H. rewrite !pow_INR in H. exact H.
  - apply INR_le. rewrite !pow_INR. change (INR 2) with 2.
    destruct (Rle_dec (INR L ^ N) (2 ^ b)) as [|Hn]; [assumption|].
    apply Rnot_le_lt, ln_increasing in Hn; lra.
Qed.
