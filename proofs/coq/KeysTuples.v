(** L5 `keys` at order m: address books for all tuples, in blocks or from products of signs. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Tuples Keys KeysInner.
Import ListNotations.
Open Scope R_scope.

(** Tuple t has a margin of g over every other of the n^m tuples. *)
Definition tuple_margin (n m d : nat) (Ks : list matrix) (q : nat -> R) (t : list nat) (g : R)
    : Prop :=
  forall t', In t' (tuples (repeat (seq 0 n) m)) -> t' <> t ->
    tuple_logit d q Ks t >= tuple_logit d q Ks t' + g.

(** ** Blocks *)

(** Slot r has its keys in the columns r d .. r d + d - 1, and ones elsewhere. *)
Definition block_key (d : nat) (K : matrix) (r : nat) : matrix := fun j c =>
  if c / d =? r then K j (c mod d)%nat else 1.
Definition block_keys (d : nat) (K : matrix) (m : nat) : list matrix :=
  map (block_key d K) (seq 0 m).
Definition block_query (d : nat) (Q : nat -> nat -> R) (t : list nat) : nat -> R := fun c =>
  Q (nth (c / d) t 0%nat) (c mod d)%nat.

Lemma row_product_blocks d K a t c :
  row_product (map (block_key d K) (seq a (length t))) t c
    = if (a <=? c / d) && (c / d <? a + length t)
      then K (nth (c / d - a) t 0%nat) (c mod d)%nat else 1.
Proof.
  revert a; induction t as [|j t IH]; intros a; simpl length; simpl seq; simpl map;
    simpl row_product.
  - destruct (Nat.leb_spec a (c / d)), (Nat.ltb_spec (c / d) (a + 0)); simpl; reflexivity || lia.
  - rewrite IH. unfold block_key.
    destruct (Nat.eqb_spec (c / d) a) as [E|E].
    + rewrite E, Nat.sub_diag, Nat.leb_refl.
      destruct (Nat.leb_spec (S a) a), (Nat.ltb_spec a (a + S (length t))); simpl; try lia. ring.
    + destruct (Nat.leb_spec a (c / d)), (Nat.leb_spec (S a) (c / d)),
        (Nat.ltb_spec (c / d) (S a + length t)), (Nat.ltb_spec (c / d) (a + S (length t)));
        simpl; try lia; try ring.
      replace (c / d - a)%nat with (S (c / d - S a)) by lia. ring.
Qed.

Lemma block_logit m d K Q t t' : length t' = m ->
  tuple_logit (m * d) (block_query d Q t) (block_keys d K m) t'
    = rsum m (fun r => logit d (Q (nth r t 0%nat)) K (nth r t' 0%nat)).
Proof.
  intros Hl. unfold logit. rewrite rsum_flatten. unfold tuple_logit, block_keys.
  apply rsum_ext. intros c Hc. unfold block_query. f_equal. rewrite <- Hl, row_product_blocks.
  assert (c / d < m)%nat by (apply Nat.div_lt_upper_bound; nia).
  simpl. rewrite Nat.sub_0_r, Hl. destruct (Nat.ltb_spec (c / d) m); [reflexivity|lia].
Qed.

Lemma lists_differ (t t' : list nat) : length t = length t' -> t' <> t ->
  exists r, (r < length t)%nat /\ nth r t' 0%nat <> nth r t 0%nat.
Proof.
  revert t'; induction t as [|j t IH]; intros [|j' t'] Hl Hne; try discriminate; [congruence|].
  destruct (Nat.eq_dec j' j) as [->|Hj].
  - destruct (IH t') as (r & Hr & Hd); [simpl in Hl; lia|congruence|].
    exists (S r). split; [simpl; lia|exact Hd].
  - exists 0%nat. split; [simpl; lia|exact Hj].
Qed.

(** Any address book for one slot, put in blocks, is one for all n^m tuples, of the same margin,
    in m d dimensions. *)
Theorem keys_blocks n m d K Q g t :
  0 <= g -> (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  In t (tuples (repeat (seq 0 n) m)) ->
  tuple_margin n m (m * d) (block_keys d K m) (block_query d Q t) t g.
Proof.
  intros Hg HQ Ht t' Ht' Hne.
  apply in_tuples_repeat in Ht as [Hl Hin]. apply in_tuples_repeat in Ht' as [Hl' Hin'].
  rewrite !block_logit by assumption.
  destruct (lists_differ t t' ltac:(congruence) Hne) as (r & Hr & Hd). rewrite Hl in Hr.
  rewrite (rsum_split m r) by exact Hr. rewrite (rsum_split m r (fun r => logit _ _ _ (nth r t' _))) by exact Hr.
  assert (Hlt : forall u, (forall j, In j u -> In j (seq 0 n)) -> forall e, (e < length u)%nat ->
                (nth e u 0 < n)%nat).
  { intros u Hu e He. specialize (Hu _ (nth_In u 0%nat He)). apply in_seq in Hu. lia. }
  assert (H1 : logit d (Q (nth r t 0%nat)) K (nth r t 0%nat)
               >= logit d (Q (nth r t 0%nat)) K (nth r t' 0%nat) + g).
  { apply HQ; [apply Hlt; [exact Hin|lia]|apply Hlt; [exact Hin'|lia]|exact Hd]. }
  assert (H2 : rsum m (fun j => if j =? r then 0
                 else logit d (Q (nth j t 0%nat)) K (nth j t' 0%nat))
             <= rsum m (fun j => if j =? r then 0
                 else logit d (Q (nth j t 0%nat)) K (nth j t 0%nat))); [|lra].
  apply rsum_le. intros e He. destruct (e =? r); [lra|].
  destruct (Nat.eq_dec (nth e t' 0%nat) (nth e t 0%nat)) as [->|Hde]; [lra|].
  assert (H3 : logit d (Q (nth e t 0%nat)) K (nth e t 0%nat)
               >= logit d (Q (nth e t 0%nat)) K (nth e t' 0%nat) + g); [|lra].
  apply HQ; [apply Hlt; [exact Hin|lia]|apply Hlt; [exact Hin'|lia]|exact Hde].
Qed.

(** Binary keys in blocks: m ⌈log₂ n⌉ dimensions are enough for n^m tuples. *)
Theorem keys_binary_blocks n m d C t :
  (n <= 2 ^ d)%nat -> 0 <= C -> In t (tuples (repeat (seq 0 n) m)) ->
  tuple_margin n m (m * d) (block_keys d binary_key m) (block_query d (binary_query C) t) t
    (2 * C).
Proof. intros Hn HC. apply keys_blocks; [lra|]. intros i Hi. now apply keys_binary. Qed.

(** Parabola keys in blocks: 2m dimensions are enough. *)
Theorem keys_parabola_blocks n m C t :
  0 <= C -> In t (tuples (repeat (seq 0 n) m)) ->
  tuple_margin n m (m * 2) (block_keys 2 parabola_key m) (block_query 2 (parabola_query C) t) t C.
Proof. intros HC. apply keys_blocks; [lra|]. intros i Hi. now apply keys_parabola. Qed.

(** ** Products of signs *)

(** Query of a tuple: C times the product of its rows. *)
Definition product_query (C : R) (Ks : list matrix) (t : list nat) : nat -> R := fun c =>
  C * row_product Ks t c.

(** Inner product of the product rows of two tuples. *)
Definition tuple_dot (d : nat) (Ks : list matrix) (t t' : list nat) : R :=
  rsum d (fun c => row_product Ks t c * row_product Ks t' c).

Lemma row_product_sign Ks t c : (forall K, In K Ks -> sign_matrix K) ->
  row_product Ks t c * row_product Ks t c = 1.
Proof.
  revert t; induction Ks as [|K Ks IH]; intros [|j t] H; simpl; try ring.
  specialize (IH t (fun K' HK => H K' (or_intror HK))).
  destruct (H K (or_introl eq_refl) j c) as [-> | ->]; lra.
Qed.

(** Sign keys in every slot, products of inner products at most μ: margin C (d - μ). *)
Theorem keys_sign_tuples n m d Ks C mu t :
  0 <= C -> (forall K, In K Ks -> sign_matrix K) ->
  (forall t', In t' (tuples (repeat (seq 0 n) m)) -> t' <> t -> tuple_dot d Ks t t' <= mu) ->
  tuple_margin n m d Ks (product_query C Ks t) t (C * (INR d - mu)).
Proof.
  intros HC Hs Hmu t' Ht' Hne. specialize (Hmu t' Ht' Hne).
  assert (E : forall u, tuple_logit d (product_query C Ks t) Ks u = C * tuple_dot d Ks t u).
  { intros u. unfold tuple_logit, product_query, tuple_dot. rewrite <- rsum_scal.
    apply rsum_ext; intros; ring. }
  assert (H1 : tuple_dot d Ks t t = INR d).
  { unfold tuple_dot. rewrite (rsum_ext d _ (fun _ => 1)); [rewrite rsum_const; ring|].
    intros c _. now apply row_product_sign. }
  rewrite !E, H1. nra.
Qed.
