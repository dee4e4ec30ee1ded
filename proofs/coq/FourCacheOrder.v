(** T1 `four-cache` for every order m, with and without the self token: exactly n d_v bits. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Guarantee Bits Entropy Tuples SoftmaxConcentration
  DecodeThreshold Padded Readable Serves.
Import ListNotations.
Open Scope R_scope.

(** ** The family *)

(** M in the first of m slots, ones in the others. *)
Definition first_slot (m : nat) (M : matrix) : list matrix := M :: repeat ones (m - 1).

(** Attention of order m to the n tokens a .. a+n-1 in each slot. *)
Definition order_out (a n m d : nat) (K : matrix) : outputs := fun q V c =>
  tensor (repeat (seq a n) m) d q (first_slot m K) (first_slot m V) c.

(** Token n is the query's own: its keys and values are zero in every slot. *)
Definition with_self (n : nat) (M : matrix) : matrix := fun j c => if j =? n then 0 else M j c.

Definition order_out_self (n m d : nat) (K : matrix) : outputs := fun q V c =>
  tensor (repeat (seq 0 (S n)) m) d q
    (map (with_self n) (first_slot m K)) (map (with_self n) (first_slot m V)) c.

(** ** Counting tuples *)

Lemma number_negb {A} (p : A -> bool) l :
  number (fun t => negb (p t)) l = INR (length l) - number p l.
Proof.
  rewrite !number_lsum. replace (INR (length l)) with (lsum (fun _ => 1) l)
    by (rewrite lsum_const; ring).
  replace (lsum (fun _ => 1) l - lsum (fun t => if p t then 1 else 0) l)
    with (lsum (fun _ => 1) l + -1 * lsum (fun t => if p t then 1 else 0) l) by ring.
  rewrite <- lsum_scal, <- lsum_plus. apply lsum_ext. intros t _. destruct (p t); simpl; ring.
Qed.

(** ** Without the self token: order m is order 1 *)

Lemma order_out_is_order_1 a n m d K q V c : (1 <= n)%nat -> (1 <= m)%nat ->
  order_out a n m d K q V c = tensor [seq a n] d q [K] [V] c.
Proof.
  intros Hn Hm. unfold order_out, first_slot. destruct m as [|m]; [lia|].
  replace (S m - 1)%nat with m by lia. apply ones_reduce_to_order_1. destruct n; [lia|discriminate].
Qed.

Lemma order_1_output js d q K V c :
  tensor [js] d q [K] [V] c = tuple_output js (logit d q K) (fun j => V j c).
Proof.
  assert (H : forall f, lsum f (tuples [js]) = lsum (fun j => f [j]) js).
  { intros f. rewrite lsum_tuples_cons. apply lsum_ext; intros; simpl; ring. }
  assert (E : forall j, tuple_logit d q [K] [j] = logit d q K j).
  { intros j. apply rsum_ext; intros; simpl; ring. }
  unfold tensor, tuple_output, tuple_weight. rewrite !H.
  rewrite (lsum_ext (fun j => exp (tuple_logit d q [K] [j])) (fun j => exp (logit d q K j)))
    by (intros; now rewrite E).
  apply lsum_ext. intros j _. rewrite E. simpl. ring.
Qed.

Lemma one_address js i : NoDup js -> In i js -> number (fun j => j =? i) js = 1.
Proof. intros. rewrite number_lsum. now apply lsum_indicator. Qed.

Lemma one_address_competitors js i : NoDup js -> In i js ->
  competitors (fun j => j =? i) js = INR (length js - 1).
Proof.
  intros Hnd Hi. unfold competitors. rewrite number_negb, one_address by assumption.
  rewrite minus_INR; [simpl; field|]. destruct js; [destruct Hi|simpl; lia].
Qed.

(** Query i singles out token a + i among the tokens a .. a+n-1. *)
Definition window_margin (a n d : nat) (K : matrix) (Q : nat -> nat -> R) (g : R) : Prop :=
  forall i j, (i < n)%nat -> (a <= j < a + n)%nat -> j <> (a + i)%nat ->
    logit d (Q i) K (a + i) >= logit d (Q i) K j + g.

Lemma leak_of_leak M g : leak_of (INR M) g = leak M g.
Proof. reflexivity. Qed.

Lemma readable_order a n m d d_v eta alpha g K Q :
  guarantee eta alpha -> (1 <= m)%nat ->
  window_margin a n d K Q g -> leak (n - 1) g < leak_limit eta alpha ->
  readable (n * d_v) eta alpha (threshold eta alpha)
    (family a d_v (order_out a n m d K) Q).
Proof.
  intros Hg Hm HQ HL x k o Hx Hk Ho.
  assert (Hd : (0 < d_v)%nat) by lia.
  assert (Hi : (k / d_v < n)%nat) by (apply Nat.div_lt_upper_bound; lia).
  unfold family in Ho. set (i := (k / d_v)%nat) in *. set (c := (k mod d_v)%nat) in *.
  rewrite order_out_is_order_1, order_1_output in Ho by lia.
  assert (Hin : In (a + i)%nat (seq a n)) by (apply in_seq; lia).
  assert (Hnd : NoDup (seq a n)) by apply seq_NoDup.
  pose proof (decode_threshold_ties (seq a n) (logit d (Q i) K) (fun j => j =? (a + i)%nat)
    (logit d (Q i) K (a + i)%nat) g (fun j => rows_from a d_v x j c) (nth k x false)
    eta alpha o Hg) as H.
  rewrite one_address, one_address_competitors, seq_length in H by assumption.
  assert (H1 : if nth k x false then o > threshold eta alpha else o < threshold eta alpha).
  { apply H; try assumption; [lra| |intros; apply bitval_range|].
    - intros j Hj. apply in_seq in Hj. destruct (Nat.eqb_spec j (a + i)); [now subst j|].
      pose proof (HQ i j Hi ltac:(lia) ltac:(assumption)). lra.
    - intros j Hj Ej. apply Nat.eqb_eq in Ej. subst j. unfold rows_from. f_equal.
      replace (a + i - a)%nat with i by lia. now apply bit_at_divmod. }
  destruct (nth k x false); split; intros; try reflexivity; try discriminate; lra.
Qed.

Lemma order_out_local a n m d d_v K q V V' c : (1 <= m)%nat -> (c < d_v)%nat ->
  (forall j, (a <= j < a + n)%nat -> V j c = V' j c) ->
  order_out a n m d K q V c = order_out a n m d K q V' c.
Proof.
  intros Hm _ H. destruct n as [|n].
  - unfold order_out, tensor, tuple_output. destruct m; [lia|reflexivity].
  - rewrite !order_out_is_order_1, !order_1_output by lia. apply tuple_output_ext; [reflexivity|].
    intros j Hj. apply in_seq in Hj. apply H; lia.
Qed.

Lemma margin_window n d K Q g :
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) -> window_margin 0 n d K Q g.
Proof. intros H i j Hi Hj Hne. apply H; simpl in *; lia. Qed.

(** The least cache of tensor attention of order m, deterministic and (η, α)-accurate, has
    exactly n d_v bits. *)
Theorem four_cache_order n m d d_v eta alpha g K Q :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  leak (n - 1) g < leak_limit eta alpha ->
  forall b, serves n d_v eta alpha (order_out 0 n m d K) Q b <-> (n * d_v <= b)%nat.
Proof.
  intros Hg Hm HK HL b. apply margin_window in HK. split.
  - apply (serves_needs 0 n d_v eta alpha (threshold eta alpha)). now apply readable_order with g.
  - apply (serves_met 0); [|apply Hg..]. intros q V V' c. now apply order_out_local.
Qed.

(** With public coins and failure probability at most δ it has (1 - H₂(δ)) n d_v bits. *)
Theorem four_cache_order_randomized n m d d_v eta alpha g K Q :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  leak (n - 1) g < leak_limit eta alpha ->
  forall delta b, 0 <= delta <= 1 / 2 ->
    serves_randomized n d_v eta alpha delta (order_out 0 n m d K) Q b ->
    (1 - H2 delta) * INR (n * d_v) <= INR b.
Proof.
  intros Hg Hm HK HL delta b Hd. apply margin_window in HK.
  apply (serves_randomized_needs 0 n d_v eta alpha (threshold eta alpha)); [|exact Hd].
  now apply readable_order with g.
Qed.

(** With states of up to b bits, b + 1 stands for b: in this and in every other floor on
    [serves_randomized]. *)
Theorem four_cache_up_to (n d_v : nat) (eta alpha delta : R) (out : outputs)
    (Q : nat -> nat -> R) (b : nat) :
  (exists T w (state : nat -> matrix -> list bool) (answer : nat -> reader),
     distribution T w /\
     (forall r V, zero_one V -> (length (state r V) <= b)%nat) /\
     (forall V i c, zero_one V -> (i < n)%nat -> (c < d_v)%nat ->
        rsum T (fun r => w r * failure eta alpha (answer r (state r V) (Q i) c) (out (Q i) V c))
          <= delta)) ->
  serves_randomized n d_v eta alpha delta out Q (b + 1).
Proof.
  intros (T & w & state & answer & Hw & Hb & Hgood).
  exists T, w, (fun r V => pad b (state r V)), (fun r msg => answer r (unpad msg)).
  split; [exact Hw|split].
  - intros r V HV. now apply pad_length, Hb.
  - intros V i c HV Hi Hc. eapply Rle_trans; [right|exact (Hgood V i c HV Hi Hc)].
    apply rsum_ext. intros r _. now rewrite unpad_pad.
Qed.

(** ** With the self token *)

(** Tuples of tokens before the query's own. *)
Definition all_below (n : nat) (t : list nat) : bool := forallb (fun j => j <? n) t.
Definition at_address (n i : nat) (t : list nat) : bool :=
  match t with [] => false | j :: t' => (j =? i) && all_below n t' end.

(** Competitors for each tied tuple: n - 1 + ((n+1)^m - n^m) / n^(m-1). *)
Definition self_competitors (n m : nat) : R :=
  INR n - 1 + ((INR n + 1) ^ m - INR n ^ m) / INR n ^ (m - 1).

Lemma number_below n m :
  number (all_below n) (tuples (repeat (seq 0 (S n)) m)) = INR n ^ m.
Proof.
  induction m as [|m IH]; [unfold number; simpl; ring|].
  rewrite number_lsum. change (repeat (seq 0 (S n)) (S m)) with
    (seq 0 (S n) :: repeat (seq 0 (S n)) m). rewrite lsum_tuples_cons.
  rewrite number_lsum in IH. set (l := tuples _) in *.
  assert (Hlast : lsum (fun t => if all_below n (n :: t) then 1 else 0) l = 0).
  { rewrite (lsum_ext _ (fun _ => 0)); [rewrite lsum_const; ring|].
    intros t _. unfold all_below. simpl forallb. now rewrite Nat.ltb_irrefl. }
  rewrite seq_S, Nat.add_0_l, lsum_app. cbn [lsum]. rewrite Hlast.
  rewrite (lsum_ext _ (fun _ => INR n ^ m) (seq 0 n)).
  - rewrite lsum_const, seq_length. simpl. ring.
  - intros j Hj. apply in_seq in Hj. rewrite <- IH. apply lsum_ext. intros t _.
    unfold all_below. simpl forallb.
    destruct (Nat.ltb_spec j n); [reflexivity|lia].
Qed.

Lemma number_at_address n m i : (i < n)%nat -> (1 <= m)%nat ->
  number (at_address n i) (tuples (repeat (seq 0 (S n)) m)) = INR n ^ (m - 1).
Proof.
  intros Hi Hm. destruct m as [|m]; [lia|]. replace (S m - 1)%nat with m by lia.
  rewrite number_lsum. change (repeat (seq 0 (S n)) (S m)) with
    (seq 0 (S n) :: repeat (seq 0 (S n)) m). rewrite lsum_tuples_cons.
  rewrite (lsum_ext _ (fun j => if j =? i then INR n ^ m else 0)).
  - apply lsum_indicator; [apply seq_NoDup|apply in_seq; lia].
  - intros j _. rewrite <- (number_below n m), number_lsum. simpl at_address.
    destruct (j =? i); simpl; [reflexivity|]. rewrite lsum_const. ring.
Qed.

Lemma competitors_self n m i : (i < n)%nat -> (1 <= m)%nat ->
  competitors (at_address n i) (tuples (repeat (seq 0 (S n)) m)) = self_competitors n m.
Proof.
  intros Hi Hm. unfold competitors. rewrite number_negb, number_at_address by assumption.
  rewrite tuples_length_repeat, seq_length, S_INR. unfold self_competitors.
  assert (0 < INR n) by (apply lt_0_INR; lia).
  assert (0 < INR n ^ (m - 1)) by (apply pow_lt; assumption).
  replace (INR n ^ m) with (INR n * INR n ^ (m - 1)).
  - field. lra.
  - replace m with (S (m - 1)) at 2 by lia. reflexivity.
Qed.

(** A tuple that contains the self token has row product 0, any other is not changed. *)
Lemma row_product_self n Ms t c : length t = length Ms ->
  row_product (map (with_self n) Ms) t c
    = if forallb (fun j => negb (j =? n)) t then row_product Ms t c else 0.
Proof.
  revert t. induction Ms as [|M Ms IH]; intros [|j t] Hl; try discriminate; [reflexivity|].
  simpl. rewrite IH by (simpl in Hl; lia). unfold with_self.
  destruct (j =? n), (forallb _ t); simpl; ring.
Qed.

Lemma row_product_first m M j t c : length t = (m - 1)%nat ->
  row_product (first_slot m M) (j :: t) c = M j c.
Proof.
  intros _. unfold first_slot. simpl. replace (row_product _ _ _) with 1; [ring|].
  generalize (m - 1)%nat as k. intros k. revert t.
  induction k; intros [|i t]; simpl; try reflexivity. rewrite <- IHk. unfold ones. ring.
Qed.

Lemma below_not_self n m t : In t (tuples (repeat (seq 0 (S n)) m)) ->
  forallb (fun j => negb (j =? n)) t = all_below n t.
Proof.
  intros Ht. apply in_tuples_repeat in Ht as [_ Hin]. unfold all_below.
  induction t as [|j t IH]; [reflexivity|]. simpl.
  rewrite IH by (intros; apply Hin; now right).
  f_equal. specialize (Hin j (or_introl eq_refl)). apply in_seq in Hin.
  destruct (Nat.eqb_spec j n), (Nat.ltb_spec j n); simpl; lia.
Qed.

Lemma first_slot_length m M : (1 <= m)%nat -> length (first_slot m M) = m.
Proof. intros. unfold first_slot. simpl. rewrite repeat_length. lia. Qed.

(** Row products of the family. *)
Lemma row_product_family n m M j t c : (1 <= m)%nat ->
  In (j :: t) (tuples (repeat (seq 0 (S n)) m)) ->
  row_product (map (with_self n) (first_slot m M)) (j :: t) c
    = if all_below n (j :: t) then M j c else 0.
Proof.
  intros Hm Ht. rewrite <- (below_not_self n m) by exact Ht.
  apply in_tuples_repeat in Ht as [Hl _].
  rewrite row_product_self by (rewrite first_slot_length; assumption).
  rewrite row_product_first by (simpl in Hl; lia). reflexivity.
Qed.

Lemma at_address_below n i j t : (i < n)%nat -> at_address n i (j :: t) = true ->
  j = i /\ all_below n (j :: t) = true.
Proof.
  intros Hi H. apply andb_true_iff in H as [H1 H2]. apply Nat.eqb_eq in H1. subst j.
  split; [reflexivity|]. unfold all_below in *. simpl. rewrite H2.
  destruct (Nat.ltb_spec i n); [reflexivity|lia].
Qed.

(** The margin that the self token asks for: over a key of zeros too. *)
Definition zero_margin (n d : nat) (K : matrix) (Q : nat -> nat -> R) (g : R) : Prop :=
  forall i, (i < n)%nat -> logit d (Q i) K i >= g.

Lemma singled_out_self n m d K Q g i : (1 <= m)%nat -> (i < n)%nat ->
  margin n (logit d (Q i) K) i g -> logit d (Q i) K i >= g ->
  singled_out (tuples (repeat (seq 0 (S n)) m))
    (tuple_logit d (Q i) (map (with_self n) (first_slot m K)))
    (at_address n i) (logit d (Q i) K i) g.
Proof.
  intros Hm Hi HQ H0 t Ht. destruct t as [|j t].
  { apply in_tuples_repeat in Ht as [Hl _]. simpl in Hl. lia. }
  assert (E : tuple_logit d (Q i) (map (with_self n) (first_slot m K)) (j :: t)
              = if all_below n (j :: t) then logit d (Q i) K j else 0).
  { unfold tuple_logit, logit. destruct (all_below n (j :: t)) eqn:B.
    - apply rsum_ext. intros c _. rewrite row_product_family, B by assumption. reflexivity.
    - rewrite (rsum_ext d _ (fun _ => 0)); [rewrite rsum_const; ring|].
      intros c _. rewrite row_product_family, B by assumption. ring. }
  rewrite E. destruct (at_address n i (j :: t)) eqn:A.
  - apply at_address_below in A as [-> B]; [|exact Hi]. now rewrite B.
  - destruct (all_below n (j :: t)) eqn:B; [|lra].
    unfold all_below in B. simpl in B. apply andb_true_iff in B as [B1 B2].
    apply Nat.ltb_lt in B1.
    assert (j <> i); [|specialize (HQ j B1 H); lra]. intros ->.
    simpl in A. unfold all_below in A. rewrite B2, Nat.eqb_refl in A. discriminate.
Qed.

Lemma readable_self n m d d_v eta alpha g K Q :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) -> zero_margin n d K Q g ->
  leak_of (self_competitors n m) g < leak_limit eta alpha ->
  readable (n * d_v) eta alpha (threshold eta alpha)
    (family 0 d_v (order_out_self n m d K) Q).
Proof.
  intros Hg Hm HQ H0 HL x k o Hx Hk Ho.
  assert (Hd : (0 < d_v)%nat) by lia.
  assert (Hi : (k / d_v < n)%nat) by (apply Nat.div_lt_upper_bound; lia).
  unfold family, order_out_self, tensor in Ho.
  set (i := (k / d_v)%nat) in *. set (c := (k mod d_v)%nat) in *.
  set (l := tuples (repeat (seq 0 (S n)) m)) in *.
  assert (HT : 0 < number (at_address n i) l).
  { unfold l. rewrite number_at_address by assumption. apply pow_lt, lt_0_INR. lia. }
  assert (H1 : if nth k x false then o > threshold eta alpha else o < threshold eta alpha).
  { apply (decode_threshold_ties l (tuple_logit d (Q i) (map (with_self n) (first_slot m K)))
      (at_address n i) (logit d (Q i) K i) g
      (fun t => row_product (map (with_self n) (first_slot m (rows_from 0 d_v x))) t c)
      (nth k x false) eta alpha o Hg HT); [| | | |exact Ho].
    - apply singled_out_self; auto.
    - unfold l. now rewrite competitors_self.
    - intros [|j t] Ht.
      { apply in_tuples_repeat in Ht as [Hl _]. simpl in Hl. lia. }
      rewrite row_product_family by assumption.
      destruct (all_below n (j :: t)); [apply bitval_range|lra].
    - intros [|j t] Ht A; [discriminate|].
      apply at_address_below in A as [-> B]; [|exact Hi].
      rewrite row_product_family, B by assumption. unfold rows_from. rewrite Nat.sub_0_r.
      f_equal. now apply bit_at_divmod. }
  destruct (nth k x false); split; intros; try reflexivity; try discriminate; lra.
Qed.

Lemma order_out_self_local n m d d_v K q V V' c : (1 <= m)%nat -> (c < d_v)%nat ->
  (forall j, (0 <= j < 0 + n)%nat -> V j c = V' j c) ->
  order_out_self n m d K q V c = order_out_self n m d K q V' c.
Proof.
  intros Hm _ H. apply tuple_output_ext; [reflexivity|]. intros [|j t] Ht.
  { apply in_tuples_repeat in Ht as [Hl _]. simpl in Hl. lia. }
  rewrite !row_product_family by assumption.
  destruct (all_below n (j :: t)) eqn:B; [|reflexivity]. apply H.
  apply andb_true_iff in B as [B _]. apply Nat.ltb_lt in B. lia.
Qed.

(** The same with the self token, whose tuples have logit 0 and value 0: the competitors for
    each tied tuple are n - 1 + ((n+1)^m - n^m) / n^(m-1) instead of n - 1, and the margin is
    one over a key of zeros too. *)
Theorem four_cache_self n m d d_v eta alpha g K Q :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) -> zero_margin n d K Q g ->
  leak_of (self_competitors n m) g < leak_limit eta alpha ->
  forall b, serves n d_v eta alpha (order_out_self n m d K) Q b <-> (n * d_v <= b)%nat.
Proof.
  intros Hg Hm HK H0 HL b. split.
  - apply (serves_needs 0 n d_v eta alpha (threshold eta alpha)). now apply readable_self with g.
  - apply (serves_met 0); [|apply Hg..]. intros q V V' c. now apply order_out_self_local.
Qed.

Theorem four_cache_self_randomized n m d d_v eta alpha g K Q :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) -> zero_margin n d K Q g ->
  leak_of (self_competitors n m) g < leak_limit eta alpha ->
  forall delta b, 0 <= delta <= 1 / 2 ->
    serves_randomized n d_v eta alpha delta (order_out_self n m d K) Q b ->
    (1 - H2 delta) * INR (n * d_v) <= INR b.
Proof.
  intros Hg Hm HK H0 HL delta b Hd.
  apply (serves_randomized_needs 0 n d_v eta alpha (threshold eta alpha)); [|exact Hd].
  now apply readable_self with g.
Qed.
