(** The family of H6 at order 1: keys of a + b columns, values of 1 + f. Rows of both hold symbols,
    and every symbol can be told from the answer to one query. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Guarantee Bits Symbols MixedSymbols Levels SharpFamily
  Tied GivenValues Parts.
Import ListNotations.
Open Scope R_scope.

(** A key is a public address of a columns, and payloads: ones in row 0, one of x in the others. *)
Definition level_key (L a : nat) (x : nat -> R) (A K : matrix) : Prop :=
  (forall j c, (c < a)%nat -> K j c = A j c) /\ (forall c, K 0%nat (a + c)%nat = 1) /\
  (forall j c, exists s, (s < L)%nat /\ K (S j) (a + c)%nat = x s).

(** A value has a mark, which is 0 in row 0 alone, and then levels. *)
Definition level_value (L : nat) (lev : nat -> R) (V : matrix) : Prop :=
  (forall j, V j 0%nat = match j with O => 0 | _ => 1 end) /\
  (forall j c, exists s, (s < L)%nat /\ V j (S c) = lev s).

(** The query ties token j to token 0: their logits are equal, and g above all others. *)
Definition ties_to_first (n : nat) (s : nat -> R) (j : nat) (g : R) : Prop :=
  s j = s 0%nat /\ forall t, (t < n)%nat -> t <> j -> t <> 0%nat -> s 0%nat >= s t + g.

(** Answers to the queries P for values, and T for payloads. *)
Definition level_guarantee (n a b f L : nat) (eta alpha gamma : R) (lev x : nat -> R) (A : matrix)
    (P T : nat -> nat -> R) (state : matrix -> matrix -> list bool) (answer : reader) : Prop :=
  forall K V, level_key L a x A K -> level_value L lev V ->
    let right q c := accurate eta alpha (answer (state K V) q c) (attention n (a + b) q K V c) in
    (forall j c, (j < n)%nat -> (c < f)%nat -> right (value_query a (P j)) (S c)) /\
    (forall j e, (0 < j < n)%nat -> (e < b)%nat -> right (payload_query a gamma (T j) e) 0%nat).

Lemma logit_value a b P K A j : (forall c, (c < a)%nat -> K j c = A j c) ->
  logit (a + b) (value_query a P) K j = logit a P A j.
Proof.
  intros H. unfold logit, value_query. rewrite rsum_app.
  rewrite (rsum_ext b _ (fun _ => 0)), rsum_const.
  - rewrite Rmult_0_r, Rplus_0_r. apply rsum_ext. intros c Hc.
    destruct (Nat.ltb_spec c a); [|lia]. now rewrite H.
  - intros c _. destruct (Nat.ltb_spec (a + c) a); [lia|ring].
Qed.

Lemma logit_payload a b gamma T e K A j : (e < b)%nat ->
  (forall c, (c < a)%nat -> K j c = A j c) ->
  logit (a + b) (payload_query a gamma T e) K j = logit a T A j + gamma * K j (a + e)%nat.
Proof.
  intros He H. unfold logit, payload_query. rewrite rsum_app. f_equal.
  - apply rsum_ext. intros c Hc. destruct (Nat.ltb_spec c a); [|lia]. now rewrite H.
  - rewrite (rsum_split b e) by exact He.
    rewrite (rsum_ext b _ (fun _ => 0)), rsum_const.
    + destruct (Nat.ltb_spec (a + e) a); [lia|]. rewrite Nat.eqb_refl. ring.
    + intros c _. destruct (Nat.eqb_spec c e); [reflexivity|].
      destruct (Nat.ltb_spec (a + c) a); [lia|].
      destruct (Nat.eqb_spec (a + c) (a + e)); [lia|ring].
Qed.

Section Family.
Variables (n a b f L : nat) (eta alpha gamma g1 g2 X : R) (lev x : nat -> R) (A : matrix).
Variables P T : nat -> nat -> R.

(** Entries that hold symbols: of values (false), and of keys of all rows but the first (true). *)
Definition entry : Type := (bool * (nat * nat))%type.
Definition level_entries : list entry :=
  map (pair false) (list_prod (seq 0 n) (seq 0 f))
  ++ map (pair true) (list_prod (seq 1 (n - 1)) (seq 0 b)).

Lemma entry_eq : forall e e' : entry, {e = e'} + {e <> e'}.
Proof. repeat decide equality. Qed.

Lemma in_level_entries kind j c : In (kind, (j, c)) level_entries <->
  (if kind then (0 < j < n)%nat /\ (c < b)%nat else (j < n)%nat /\ (c < f)%nat).
Proof.
  unfold level_entries. rewrite in_app_iff, !in_map_iff. split.
  - intros [(p & E & H)|(p & E & H)]; injection E as <- ->; apply in_prod_iff in H;
      rewrite !in_seq in H; lia.
  - destruct kind; intros [H1 H2]; [right|left]; exists (j, c); (split; [reflexivity|]);
      apply in_prod; apply in_seq; lia.
Qed.

Lemma level_entries_once : NoDup level_entries.
Proof.
  apply NoDup_app_disjoint.
  - apply FinFun.Injective_map_NoDup; [congruence|]. apply NoDup_list_prod; apply seq_NoDup.
  - apply FinFun.Injective_map_NoDup; [congruence|]. apply NoDup_list_prod; apply seq_NoDup.
  - intros e H H'. apply in_map_iff in H as (? & <- & _). apply in_map_iff in H' as (? & E & _).
    congruence.
Qed.

Lemma level_entries_kinds :
  kinds (fun _ => L) level_entries = (L ^ (n * f + (n - 1) * b))%nat.
Proof.
  rewrite (kinds_same _ L) by reflexivity. unfold level_entries.
  now rewrite app_length, !map_length, !prod_length, !seq_length.
Qed.

(** The instance that holds a word. *)
Definition held (w : list nat) (e : entry) : nat := symbol entry_eq level_entries w e.
Definition key_of_word (w : list nat) : matrix := fun j c =>
  if c <? a then A j c else match j with O => 1 | _ => x (held w (true, (j, (c - a)%nat))) end.
Definition value_of_word (w : list nat) : matrix := fun j c =>
  match c with O => match j with O => 0 | _ => 1 end | S c' => lev (held w (false, (j, c'))) end.

Lemma held_lt w e : (1 <= L)%nat -> In w (words (fun _ => L) level_entries) -> (held w e < L)%nat.
Proof.
  intros HL Hw. unfold held. destruct (in_dec entry_eq e level_entries) as [Hin|Hout].
  - exact (symbol_lt entry_eq (fun _ => L) level_entries w e Hw Hin).
  - rewrite symbol_elsewhere by exact Hout. lia.
Qed.

Lemma key_of_word_level w : (1 <= L)%nat -> In w (words (fun _ => L) level_entries) ->
  level_key L a x A (key_of_word w).
Proof.
  intros HL Hw. unfold key_of_word. repeat split.
  - intros j c Hc. apply Nat.ltb_lt in Hc. now rewrite Hc.
  - intros c. destruct (Nat.ltb_spec (a + c) a); [lia|reflexivity].
  - intros j c. destruct (Nat.ltb_spec (a + c) a); [lia|].
    eexists. split; [apply held_lt; [exact HL|exact Hw]|reflexivity].
Qed.

Lemma value_of_word_level w : (1 <= L)%nat -> In w (words (fun _ => L) level_entries) ->
  level_value L lev (value_of_word w).
Proof.
  intros HL Hw. split; [reflexivity|]. intros j c.
  eexists. split; [apply held_lt; [exact HL|exact Hw]|reflexivity].
Qed.

(** The query for an entry, and the column that tells it. *)
Definition entry_query (e : entry) : nat -> R :=
  let '(kind, (j, c)) := e in
  if kind then payload_query a gamma (T j) c else value_query a (P j).
Definition entry_column (e : entry) : nat :=
  let '(kind, (_, c)) := e in if kind then 0%nat else S c.
Definition word_output (w : list nat) (e : entry) : R :=
  attention n (a + b) (entry_query e) (key_of_word w) (value_of_word w) (entry_column e).

Hypothesis HL : (1 <= L)%nat.
Hypothesis Heta : 0 <= eta < 1.
Hypothesis Halpha : 0 <= alpha.
Hypothesis Hgamma : 0 < gamma.
Hypothesis HX : forall s, (s < L)%nat -> x s <= X.
Hypothesis Hread : forall j, (j < n)%nat -> margin n (logit a (P j) A) j g1.
Hypothesis Htie : forall j, (0 < j < n)%nat -> ties_to_first n (logit a (T j) A) j g2.
Hypothesis Hvalues : leaves_room n g1 eta alpha L lev.

(** The level that a payload stands for; what is left of the margin when payloads have lifted. *)
Let level_of_payload (s : nat) : R := logistic (gamma * (1 - x s)).
Let left_over : R := g2 - gamma * (X - 1).
Hypothesis Hkeys : forall s, (S s < L)%nat ->
  excess (n - 2) left_over * (1 + eta + 2 * alpha)
    < (1 - eta) * level_of_payload (S s) - (1 + eta) * level_of_payload s - 2 * alpha.

Section Instance.
Variables K V : matrix.
Hypothesis HK : level_key L a x A K.
Hypothesis HV : level_value L lev V.

Lemma value_near j c : (j < n)%nat ->
  near_level (excess (n - 1) g1) (V j (S c))
    (attention n (a + b) (value_query a (P j)) K V (S c)).
Proof.
  intros Hj. apply (output_near_value n _ (fun j => V j (S c)) j g1 Hj).
  - intros i Hi Hne. rewrite !(logit_value a b (P j) K A) by (intros; now apply HK).
    now apply Hread.
  - intros i _. destruct HV as [_ H]. destruct (H i c) as (s & Hs & ->). now apply Hvalues.
Qed.

Lemma payload_near j e s : (0 < j < n)%nat -> (e < b)%nat -> K j (a + e)%nat = x s ->
  near_level (excess (n - 2) left_over) (level_of_payload s)
    (attention n (a + b) (payload_query a gamma (T j) e) K V 0).
Proof.
  intros Hj He Hs. destruct HK as (HA & H1 & Hx). destruct HV as [Hm _].
  destruct (Htie j Hj) as [Heq Hg].
  assert (Hlogit : forall t, logit (a + b) (payload_query a gamma (T j) e) K t
            = logit a (T j) A t + gamma * K t (a + e)%nat)
    by (intros; apply logit_payload; [exact He|]; intros; now apply HA).
  apply (tied_output n _ (fun t => V t 0%nat) j 0 (gamma * (1 - x s)) left_over); try lia.
  - rewrite !Hlogit, Heq, Hs, H1. ring.
  - intros t Ht Htj Ht0. rewrite !Hlogit, H1. specialize (Hg t Ht Htj Ht0).
    destruct t as [|t]; [lia|]. destruct (Hx t e) as (s' & Hs' & ->). specialize (HX s' Hs').
    unfold left_over. nra.
  - rewrite Hm. destruct j; [lia|reflexivity].
  - apply Hm.
  - intros t _. rewrite Hm. unfold unit_value. destruct t; lra.
Qed.
End Instance.

Lemma level_entries_told :
  told_at_once entry_eq (fun _ => L) level_entries (accurate eta alpha) word_output.
Proof.
  intros [kind [j c]] w w' o He Hw Hw'. apply in_level_entries in He.
  assert (Hs : forall e, (held w e < L)%nat /\ (held w' e < L)%nat)
    by (intros; split; now apply held_lt).
  destruct kind; destruct He as [Hj Hc].
  - apply (near_levels_told eta alpha (excess (n - 2) left_over) L level_of_payload); auto;
      try apply Hs; try apply excess_nonneg; try (intros; apply logistic_unit).
    + apply payload_near; auto using key_of_word_level, value_of_word_level.
      unfold key_of_word, held. destruct (Nat.ltb_spec (a + c) a); [lia|]. destruct j; [lia|].
      now replace (a + c - a)%nat with c by lia.
    + apply payload_near; auto using key_of_word_level, value_of_word_level.
      unfold key_of_word, held. destruct (Nat.ltb_spec (a + c) a); [lia|]. destruct j; [lia|].
      now replace (a + c - a)%nat with c by lia.
  - destruct Hvalues as [Hunit Hroom].
    apply (near_levels_told eta alpha (excess (n - 1) g1) L lev); auto; try apply Hs;
      try apply excess_nonneg.
    + now apply (value_near (key_of_word w) (value_of_word w));
        auto using key_of_word_level, value_of_word_level.
    + now apply (value_near (key_of_word w') (value_of_word w'));
        auto using key_of_word_level, value_of_word_level.
Qed.
End Family.
