(** Words whose symbol at place a is one of [L a]: how many there are, how many states it takes to
    read them, all at once or each when those before it are known. *)
From Coq Require Import Reals Lra Lia Arith List Bool FinFun.
From KVFloor Require Import Sums Bits Entropy Symbols.
Import ListNotations.
Open Scope R_scope.

Fixpoint lprod {A} (f : A -> R) (l : list A) : R :=
  match l with [] => 1 | a :: l' => f a * lprod f l' end.

Lemma lprod_pos {A} (f : A -> R) l : (forall a, In a l -> 0 < f a) -> 0 < lprod f l.
Proof.
  induction l as [|a l IH]; simpl; intros H; [lra|].
  apply Rmult_lt_0_compat; [apply H|apply IH; intros; apply H]; auto.
Qed.

Lemma ln_lprod {A} (f : A -> R) l : (forall a, In a l -> 0 < f a) ->
  ln (lprod f l) = lsum (fun a => ln (f a)) l.
Proof.
  induction l as [|a l IH]; simpl; intros H; [apply ln_1|].
  rewrite ln_mult, IH; auto. apply lprod_pos; auto.
Qed.

Section Words.
Context {A : Type} (eqA : forall a b : A, {a = b} + {a <> b}) (L : A -> nat).

(** All words with a symbol at each of the places [ks]; how many there are. *)
Fixpoint words (ks : list A) : list (list nat) :=
  match ks with
  | [] => [[]]
  | a :: rest => flat_map (fun s => map (cons s) (words rest)) (seq 0 (L a))
  end.

Fixpoint kinds (ks : list A) : nat :=
  match ks with [] => 1 | a :: rest => L a * kinds rest end.

(** The symbol of a word at place a. *)
Fixpoint symbol (ks : list A) (x : list nat) (a : A) : nat :=
  match ks, x with
  | b :: ks', s :: x' => if eqA b a then s else symbol ks' x' a
  | _, _ => 0
  end.

Lemma words_length ks : length (words ks) = kinds ks.
Proof.
  induction ks as [|a ks IH]; simpl; [reflexivity|].
  rewrite (flat_map_const_length _ _ (kinds ks)), seq_length; [reflexivity|].
  intros s _. now rewrite map_length.
Qed.

Lemma kinds_lprod ks : INR (kinds ks) = lprod (fun a => INR (L a)) ks.
Proof. induction ks as [|a ks IH]; [reflexivity|]. simpl kinds. now rewrite mult_INR, IH. Qed.

Lemma kinds_app ks ks' : kinds (ks ++ ks') = (kinds ks * kinds ks')%nat.
Proof. induction ks as [|a ks IH]; simpl; [lia|]. rewrite IH. lia. Qed.

Lemma in_words_cons s x a ks : In (s :: x) (words (a :: ks)) <-> (s < L a)%nat /\ In x (words ks).
Proof.
  simpl. rewrite in_flat_map. split.
  - intros (s' & Hs & Hx). apply in_map_iff in Hx as (y & E & Hy). inversion E; subst.
    apply in_seq in Hs. split; [lia|exact Hy].
  - intros [Hs Hx]. exists s. split; [apply in_seq; lia|now apply in_map].
Qed.

Lemma in_words_inv x a ks : In x (words (a :: ks)) -> exists s y, x = s :: y.
Proof.
  simpl. rewrite in_flat_map. intros (s & _ & Hx).
  apply in_map_iff in Hx as (y & <- & _). eauto.
Qed.

Lemma NoDup_words ks : NoDup (words ks).
Proof.
  induction ks as [|a ks IH]; simpl; [repeat constructor; auto|]. apply NoDup_flat_map.
  - apply seq_NoDup.
  - intros s _. apply Injective_map_NoDup; [congruence|assumption].
  - intros s s' x _ _ Hx Hx'. apply in_map_iff in Hx as (y & <- & _).
    apply in_map_iff in Hx' as (y' & H & _). congruence.
Qed.

Lemma symbol_lt ks x a : In x (words ks) -> In a ks -> (symbol ks x a < L a)%nat.
Proof.
  revert x. induction ks as [|b ks IH]; intros x Hx Ha; [destruct Ha|].
  destruct (in_words_inv _ _ _ Hx) as (s & y & ->). apply in_words_cons in Hx as [Hs Hy].
  simpl. destruct (eqA b a) as [->|Hne]; [exact Hs|].
  apply IH; [exact Hy|]. destruct Ha; [contradiction|assumption].
Qed.

Lemma symbol_elsewhere ks x a : ~ In a ks -> symbol ks x a = 0%nat.
Proof.
  revert x. induction ks as [|b ks IH]; intros x Ha; [reflexivity|].
  destruct x as [|s x]; [reflexivity|]. simpl.
  destruct (eqA b a) as [->|_]; [exfalso; apply Ha; now left|].
  apply IH. intros H. apply Ha. now right.
Qed.

(** A symbol for each place is a word. *)
Lemma word_of ks (f : A -> nat) : (forall a, In a ks -> (f a < L a)%nat) ->
  In (map f ks) (words ks) /\ forall a, In a ks -> symbol ks (map f ks) a = f a.
Proof.
  induction ks as [|b ks IH]; intros H; [split; [now left|intros a []]|].
  destruct IH as [Hin Hsym]; [intros; apply H; now right|]. split.
  - apply in_words_cons. split; [apply H; now left|exact Hin].
  - intros a Ha. simpl. destruct (eqA b a) as [->|Hne]; [reflexivity|].
    apply Hsym. destruct Ha; [contradiction|assumption].
Qed.

(** Two different words differ at some first place. *)
Lemma first_difference ks x y : NoDup ks -> In x (words ks) -> In y (words ks) -> x <> y ->
  exists before a after, ks = before ++ a :: after /\
    (forall b, In b before -> symbol ks x b = symbol ks y b) /\ symbol ks x a <> symbol ks y a.
Proof.
  intros Hnd. revert x y. induction Hnd as [|b ks Hb Hnd IH]; intros x y Hx Hy Hne.
  - destruct Hx as [<-|[]], Hy as [<-|[]]. congruence.
  - destruct (in_words_inv _ _ _ Hx) as (s & x' & ->), (in_words_inv _ _ _ Hy) as (s' & y' & ->).
    apply in_words_cons in Hx as [_ Hx], Hy as [_ Hy].
    destruct (Nat.eq_dec s s') as [<-|Hs].
    + destruct (IH x' y' Hx Hy ltac:(congruence)) as (before & a & after & -> & Hsame & Hdiff).
      exists (b :: before), a, after. split; [reflexivity|]. split.
      * intros e He. simpl. destruct (eqA b e); [reflexivity|].
        apply Hsame. destruct He; [contradiction|assumption].
      * simpl. destruct (eqA b a) as [->|_]; [|exact Hdiff].
        exfalso. apply Hb, in_or_app. right. now left.
    + exists [], b, ks. split; [reflexivity|]. split; [intros e []|].
      simpl. destruct (eqA b b); [exact Hs|congruence].
Qed.

Lemma kinds_pos ks : (forall a, In a ks -> (1 <= L a)%nat) -> 0 < INR (kinds ks).
Proof.
  intros HL. rewrite kinds_lprod. apply lprod_pos. intros a Ha. apply lt_0_INR.
  specialize (HL a Ha). lia.
Qed.

Lemma kinds_same n ks : (forall a, In a ks -> L a = n) -> kinds ks = (n ^ length ks)%nat.
Proof.
  induction ks as [|a ks IH]; intros H; simpl; [reflexivity|].
  rewrite (H a), IH; simpl; auto. intros; apply H; now right.
Qed.

Lemma log2_kinds ks : (forall a, In a ks -> (1 <= L a)%nat) ->
  log2 (INR (kinds ks)) = lsum (fun a => log2 (INR (L a))) ks.
Proof.
  intros HL. rewrite kinds_lprod. unfold log2 at 1.
  rewrite ln_lprod by (intros a Ha; apply lt_0_INR; specialize (HL a Ha); lia).
  unfold Rdiv. rewrite Rmult_comm, <- lsum_scal. apply lsum_ext. intros a _. unfold log2. field.
  pose proof ln2_pos. lra.
Qed.

(** There are at most 2^b words exactly if b is at least the sum of their logarithms. *)
Lemma bits_of_kinds ks b : (forall a, In a ks -> (1 <= L a)%nat) ->
  (kinds ks <= 2 ^ b)%nat <-> lsum (fun a => log2 (INR (L a))) ks <= INR b.
Proof.
  intros HL. rewrite <- log2_kinds by exact HL. pose proof (kinds_pos ks HL) as Hk.
  rewrite <- (Nat.pow_1_r (kinds ks)) at 1.
  replace (log2 (INR (kinds ks))) with (INR 1 * log2 (INR (kinds ks))) by (simpl; ring).
  apply bits_of_symbols. change 0 with (INR 0) in Hk. apply INR_lt in Hk. lia.
Qed.

(** ** Reading *)

(** An answer that is good for two words tells their symbol at a place, when they have the same
    symbols at the places before it; and when not. *)
Definition told_in_turn (ks : list A) (good : R -> R -> Prop) (out : list nat -> A -> R) : Prop :=
  forall before a after x y o, ks = before ++ a :: after ->
    In x (words ks) -> In y (words ks) ->
    (forall b, In b before -> symbol ks x b = symbol ks y b) ->
    good o (out x a) -> good o (out y a) -> symbol ks x a = symbol ks y a.

Definition told_at_once (ks : list A) (good : R -> R -> Prop) (out : list nat -> A -> R) : Prop :=
  forall a x y o, In a ks -> In x (words ks) -> In y (words ks) ->
    good o (out x a) -> good o (out y a) -> symbol ks x a = symbol ks y a.

Lemma at_once_in_turn ks good out : told_at_once ks good out -> told_in_turn ks good out.
Proof.
  intros H before a after x y o -> Hx Hy _. apply H; auto. apply in_or_app. right. now left.
Qed.

(** So many states it takes. *)
Lemma words_floor ks good out (states : list (list bool)) (enc : list nat -> list bool)
    (ans : list bool -> A -> R) :
  NoDup ks -> told_in_turn ks good out ->
  (forall x, In x (words ks) -> In (enc x) states) ->
  (forall x a, In x (words ks) -> In a ks -> good (ans (enc x) a) (out x a)) ->
  (kinds ks <= length states)%nat.
Proof.
  intros Hnd Htold Hin Hgood. rewrite <- words_length.
  destruct (le_lt_dec (length (words ks)) (length states)) as [|Hlt]; [assumption|exfalso].
  destruct (pigeonhole (list_eq_dec bool_dec) enc (words ks) states)
    as (x & y & Hx & Hy & Hne & He); [apply NoDup_words|exact Hin|exact Hlt|].
  destruct (first_difference ks x y Hnd Hx Hy Hne) as (before & a & after & E & Hsame & Hdiff).
  assert (Ha : In a ks) by (rewrite E; apply in_or_app; right; now left).
  apply Hdiff, (Htold before a after x y (ans (enc x) a)); auto. rewrite He. auto.
Qed.
End Words.
