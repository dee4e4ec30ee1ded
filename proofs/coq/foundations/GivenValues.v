(** Values in one slot that hold a word: tokens, each with as many levels as its weight for a query
    leaves room for, when the tokens before it are known or when no other is. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Guarantee Bits Entropy Tuples Symbols MixedSymbols.
Import ListNotations.
Open Scope R_scope.

(** ** Values in one slot *)

(** V in slot r of m, ones in the others. *)
Definition in_slot (m r : nat) (V : matrix) : list matrix :=
  map (fun s => if s =? r then V else ones) (seq 0 m).

(** What all tuples weigh that have token i in slot r. *)
Definition share (slots : list (list nat)) (d : nat) (q : nat -> R) (Ks : list matrix)
    (r i : nat) : R :=
  lsum (fun t => if nth r t 0%nat =? i then tuple_weight (tuples slots) (tuple_logit d q Ks) t
                 else 0) (tuples slots).

Lemma in_tuples_length t slots : In t (tuples slots) -> length t = length slots.
Proof.
  revert t. induction slots as [|js slots IH]; intros t Ht; [destruct Ht as [<-|[]]; reflexivity|].
  apply in_tuples_inv in Ht as (j & t' & -> & _ & Ht). simpl. now rewrite (IH t' Ht).
Qed.

Lemma row_product_ones_only (Ms : list matrix) t c :
  (forall M, In M Ms -> M = ones) -> row_product Ms t c = 1.
Proof.
  revert t. induction Ms as [|M Ms IH]; intros t H; [reflexivity|]. destruct t; [reflexivity|].
  simpl. rewrite IH by (intros; apply H; now right). rewrite (H M (or_introl eq_refl)).
  unfold ones. ring.
Qed.

Lemma row_product_in_slot a m r V t c : (r < m)%nat -> length t = m ->
  row_product (map (fun s => if s =? (a + r)%nat then V else ones) (seq a m)) t c
    = V (nth r t 0%nat) c.
Proof.
  revert a r t. induction m as [|m IH]; intros a r t Hr Ht; [lia|].
  destruct t as [|j t]; [discriminate|]. simpl seq. simpl map. simpl row_product.
  destruct r as [|r].
  - rewrite Nat.add_0_r, Nat.eqb_refl, row_product_ones_only; [simpl; ring|].
    intros M HM. apply in_map_iff in HM as (s & <- & Hs). apply in_seq in Hs.
    destruct (Nat.eqb_spec s a); [lia|reflexivity].
  - destruct (Nat.eqb_spec a (a + S r)); [lia|].
    replace (a + S r)%nat with (S a + r)%nat by lia. rewrite IH by (simpl in Ht; lia).
    unfold ones. simpl. ring.
Qed.

(** The k tokens, and the levels that each entry of their values is one of; all others are 0. *)
Definition given_values (k : nat) (token L : nat -> nat) (lev : nat -> nat -> R) (V : matrix)
    : Prop :=
  (forall j c, (j < k)%nat -> exists a, (a < L j)%nat /\ V (token j) c = lev j a) /\
  (forall i c, (forall j, (j < k)%nat -> i <> token j) -> V i c = 0).

Definition all_different (k : nat) (token : nat -> nat) : Prop :=
  forall i j, (i < k)%nat -> (j < k)%nat -> token i = token j -> i = j.

(** A value that is 0 but for the tokens is the sum of what it is there. *)
Lemma value_at_tokens k token (v : nat -> R) i : all_different k token ->
  (forall i, (forall j, (j < k)%nat -> i <> token j) -> v i = 0) ->
  v i = rsum k (fun j => if i =? token j then v (token j) else 0).
Proof.
  intros Hd H0. destruct (in_dec Nat.eq_dec i (map token (seq 0 k))) as [Hin|Hout].
  - apply in_map_iff in Hin as (j & <- & Hj). apply in_seq in Hj.
    rewrite (rsum_split k j), Nat.eqb_refl by lia.
    rewrite (rsum_ext k _ (fun _ => 0)); [rewrite rsum_const; ring|].
    intros l Hl. destruct (Nat.eqb_spec l j) as [|Hne]; [reflexivity|].
    destruct (Nat.eqb_spec (token j) (token l)) as [E|]; [|reflexivity].
    exfalso. apply Hne. symmetry. apply Hd; [lia..|exact E].
  - assert (Hne : forall j, (j < k)%nat -> i <> token j).
    { intros j Hj ->. apply Hout, in_map, in_seq. lia. }
    rewrite H0 by exact Hne. rewrite (rsum_ext k _ (fun _ => 0)); [rewrite rsum_const; ring|].
    intros j Hj. destruct (Nat.eqb_spec i (token j)); [|reflexivity]. exfalso. now apply (Hne j).
Qed.

(** The output is the sum of what the tokens weigh times their values. *)
Lemma output_of_tokens slots d q Ks m r k token V c : (r < m)%nat -> length slots = m ->
  all_different k token -> (forall i, (forall j, (j < k)%nat -> i <> token j) -> V i c = 0) ->
  tensor slots d q Ks (in_slot m r V) c
    = rsum k (fun j => share slots d q Ks r (token j) * V (token j) c).
Proof.
  intros Hr Hm Hd H0. unfold tensor, tuple_output, share.
  set (W := tuple_weight (tuples slots) (tuple_logit d q Ks)).
  rewrite (lsum_ext _ (fun t => rsum k (fun j =>
    (if nth r t 0%nat =? token j then W t else 0) * V (token j) c))).
  - rewrite lsum_rsum_swap. apply rsum_ext. intros j _. apply lsum_scal_r.
  - intros t Ht. apply in_tuples_length in Ht. unfold in_slot.
    pose proof (row_product_in_slot 0 m r V t c Hr ltac:(congruence)) as E. simpl in E. rewrite E.
    rewrite (value_at_tokens k token (fun i => V i c) (nth r t 0%nat) Hd H0), <- rsum_scal.
    apply rsum_ext. intros j _. destruct (_ =? _); ring.
Qed.

Lemma share_nonneg slots d q Ks r i : 0 <= share slots d q Ks r i.
Proof.
  apply lsum_nonneg. intros t Ht. destruct (_ =? _); [|lra].
  apply tuple_weight_nonneg. intros E. rewrite E in Ht. destruct Ht.
Qed.

Lemma share_order_1 n d q K i : (i < n)%nat ->
  share [seq 0 n] d q [K] 0 i = weight n (logit d q K) i.
Proof.
  intros Hi. unfold share, tuple_weight, weight.
  assert (H : forall f, lsum f (tuples [seq 0 n]) = rsum n (fun j => f [j])).
  { intros f. rewrite lsum_tuples_cons, lsum_seq. apply rsum_ext; intros; simpl; ring. }
  assert (E : forall j, tuple_logit d q [K] [j] = logit d q K j).
  { intros j. apply rsum_ext; intros; simpl; ring. }
  rewrite !H.
  rewrite (rsum_ext n (fun j => exp (tuple_logit d q [K] [j])) (fun j => exp (logit d q K j)))
    by (intros; now rewrite E).
  set (Z := rsum n (fun j => exp (logit d q K j))). rewrite (rsum_split n i) by exact Hi.
  simpl. rewrite Nat.eqb_refl, E, (rsum_ext n _ (fun _ => 0)).
  - rewrite rsum_const. ring.
  - intros j _. now destruct (j =? i).
Qed.

(** ** What one answer tells *)

(** The α of a token of weight w, where u is what tokens weigh that are not known, and t what those
    weigh that are. *)
Definition given_alpha (eta alpha w u t : R) : R :=
  ((1 + eta) * u + 2 * eta * t + 2 * alpha) / (2 * w).

(** L levels in [0, 1] that (η, α) tells apart. *)
Definition told (eta alpha : R) (L : nat) (lev : nat -> R) : Prop :=
  (forall a, (a < L)%nat -> 0 <= lev a <= 1) /\
  (forall a, (S a < L)%nat -> 2 * alpha < (1 - eta) * lev (S a) - (1 + eta) * lev a).

(** What the tokens weigh that satisfy p. *)
Definition weighs (k : nat) (p : nat -> bool) (s : nat -> R) : R :=
  rsum k (fun i => if p i then s i else 0).

(** Tokens weigh no more than all. *)
Lemma others_weigh n k token (p : nat -> R) j : all_different k token ->
  (forall i, (i < k)%nat -> (token i < n)%nat) -> (j < k)%nat ->
  (forall i, (i < n)%nat -> 0 <= p i) ->
  weighs k (fun i => negb (i =? j)) (fun i => p (token i))
    <= rsum n (fun l => if l =? token j then 0 else p l).
Proof.
  intros Hd Ht Hj Hp.
  set (v l := if in_dec Nat.eq_dec l (map token (seq 0 k))
              then if l =? token j then 0 else p l else 0).
  apply Rle_trans with (rsum n v).
  - right.
    rewrite (rsum_ext n v (fun l => rsum k (fun i => if l =? token i then v (token i) else 0))).
    + rewrite rsum_swap. apply rsum_ext. intros i Hi.
      rewrite (rsum_split n (token i)), Nat.eqb_refl by auto.
      rewrite (rsum_ext n (fun l => if l =? token i then 0 else _) (fun _ => 0)).
      * rewrite rsum_const. unfold v. destruct (in_dec _ _ _) as [_|Hn].
        -- destruct (Nat.eqb_spec i j) as [->|Hne]; simpl; [rewrite Nat.eqb_refl; ring|].
           destruct (Nat.eqb_spec (token i) (token j)) as [E|]; [|ring].
           exfalso. apply Hne, Hd; auto.
        -- exfalso. apply Hn, in_map, in_seq. lia.
      * intros l _. now destruct (l =? token i).
    + intros l _. apply value_at_tokens; [exact Hd|]. intros i Hi. unfold v.
      destruct (in_dec _ _ _) as [Hin|]; [|reflexivity].
      apply in_map_iff in Hin as (i' & E & Hi'). apply in_seq in Hi'.
      exfalso. apply (Hi i'); [lia|now symmetry].
  - apply rsum_le. intros l Hl. unfold v. specialize (Hp l Hl).
    destruct (in_dec _ _ _); destruct (l =? token j); lra.
Qed.

(** If neighbours are told apart, all are. *)
Lemma told_all eta alpha L lev a b : 0 <= eta < 1 -> 0 <= alpha -> told eta alpha L lev ->
  (a < b)%nat -> (b < L)%nat -> 2 * alpha < (1 - eta) * lev b - (1 + eta) * lev a.
Proof.
  intros Heta Ha [Hunit Hroom] Hab. induction Hab as [|b Hab IH]; intros Hb; [now apply Hroom|].
  specialize (IH ltac:(lia)). specialize (Hroom b Hb).
  pose proof (Hunit b ltac:(lia)). pose proof (Hunit (S b) Hb). nra.
Qed.

(** Two outputs that agree on what is known, with a token at two levels, have no accurate answer in
    common. *)
Lemma tokens_told_apart k (known : nat -> bool) (s x y : nat -> R) j eta alpha o :
  (j < k)%nat -> 0 <= eta < 1 -> 0 <= alpha -> (forall i, (i < k)%nat -> 0 <= s i) -> 0 < s j ->
  known j = false ->
  (forall i, (i < k)%nat -> 0 <= x i <= 1 /\ 0 <= y i <= 1) ->
  (forall i, (i < k)%nat -> known i = true -> x i = y i) ->
  2 * given_alpha eta alpha (s j) (weighs k (fun i => negb (i =? j) && negb (known i)) s)
        (weighs k known s) < (1 - eta) * y j - (1 + eta) * x j ->
  accurate eta alpha o (rsum k (fun i => s i * x i)) ->
  accurate eta alpha o (rsum k (fun i => s i * y i)) -> False.
Proof.
  intros Hj Heta Ha Hs Hsj Hkj Hunit Hsame Hroom Hox Hoy.
  set (u := weighs k (fun i => negb (i =? j) && negb (known i)) s) in *.
  set (t := weighs k known s) in *.
  set (C := rsum k (fun i => if known i then s i * x i else 0)).
  assert (Hsplit : forall z, rsum k (fun i => s i * z i) =
            rsum k (fun i => if known i then s i * z i else 0) + s j * z j
            + rsum k (fun i => if negb (i =? j) && negb (known i) then s i * z i else 0)).
  { intros z. rewrite (rsum_ext k (fun i => s i * z i) (fun i =>
      (if known i then s i * z i else 0) + ((if i =? j then s i * z i else 0)
      + (if negb (i =? j) && negb (known i) then s i * z i else 0)))).
    - rewrite !rsum_plus, (rsum_split k j (fun i => if i =? j then _ else 0)), Nat.eqb_refl
        by exact Hj.
      rewrite (rsum_ext k (fun i => if i =? j then 0 else _) (fun _ => 0)).
      + rewrite rsum_const. ring.
      + intros i _. now destruct (i =? j).
    - intros i _. destruct (Nat.eqb_spec i j) as [->|]; [rewrite Hkj; simpl; ring|].
      destruct (known i); simpl; ring. }
  assert (HC : rsum k (fun i => if known i then s i * y i else 0) = C).
  { apply rsum_ext. intros i Hi. destruct (known i) eqn:E; [|reflexivity].
    now rewrite (Hsame i Hi E). }
  assert (HC0 : 0 <= C <= t).
  { split; [apply rsum_nonneg|apply rsum_le]; intros i Hi; destruct (known i); try lra;
      specialize (Hs i Hi); destruct (Hunit i Hi); nra. }
  rewrite Hsplit in Hox, Hoy. rewrite HC in Hoy. fold C in Hox.
  set (Ux := rsum k _) in Hox. set (Uy := rsum k _) in Hoy.
  assert (HUx : 0 <= Ux <= u).
  { split; [apply rsum_nonneg|apply rsum_le]; intros i Hi;
      destruct (negb (i =? j) && negb (known i)); try lra;
      specialize (Hs i Hi); destruct (Hunit i Hi); nra. }
  assert (HUy : 0 <= Uy).
  { apply rsum_nonneg; intros i Hi; destruct (negb (i =? j) && negb (known i)); try lra;
      specialize (Hs i Hi); destruct (Hunit i Hi); nra. }
  destruct (Hunit j Hj) as [Hxj Hyj].
  apply (Rmult_lt_compat_r (s j)) in Hroom; [|exact Hsj]. unfold given_alpha in Hroom.
  replace (2 * (((1 + eta) * u + 2 * eta * t + 2 * alpha) / (2 * s j)) * s j)
    with ((1 + eta) * u + 2 * eta * t + 2 * alpha) in Hroom by (field; lra).
  unfold accurate in Hox, Hoy.
  assert (0 <= s j * x j) by nra. assert (0 <= s j * y j) by nra.
  rewrite (Rabs_right (C + s j * x j + Ux)) in Hox by lra.
  rewrite (Rabs_right (C + s j * y j + Uy)) in Hoy by lra.
  apply Rabs_le_inv in Hox, Hoy. nra.
Qed.

(** ** Words in the values *)

Lemma place_eq : forall a b : nat * nat, {a = b} + {a <> b}.
Proof. decide equality; apply Nat.eq_dec. Qed.

(** The tokens in order, each with the columns of its value. *)
Definition places (k d_v : nat) : list (nat * nat) := list_prod (seq 0 k) (seq 0 d_v).

Lemma in_places k d_v j c : In (j, c) (places k d_v) <-> (j < k)%nat /\ (c < d_v)%nat.
Proof. unfold places. rewrite in_prod_iff, !in_seq. lia. Qed.

Lemma NoDup_list_prod {A B} (l : list A) (l' : list B) :
  NoDup l -> NoDup l' -> NoDup (list_prod l l').
Proof.
  intros Hl Hl'. induction Hl as [|a l Ha Hl IH]; simpl; [constructor|].
  apply NoDup_app_disjoint; [|exact IH|].
  - apply FinFun.Injective_map_NoDup; [congruence|exact Hl'].
  - intros [a' b] H H'. apply in_map_iff in H as (b' & E & _). apply in_prod_iff in H' as [H' _].
    congruence.
Qed.

Lemma places_before k d_v before j c after : places k d_v = before ++ (j, c) :: after ->
  forall i, (i < j)%nat -> (c < d_v)%nat -> In (i, c) before.
Proof.
  intros E i Hij Hc.
  enough (H : forall a, list_prod (seq a k) (seq 0 d_v) = before ++ (j, c) :: after ->
    (a <= i)%nat -> In (i, c) before) by (apply (H 0%nat); [exact E|lia]).
  clear E. revert before. induction k as [|k IH]; intros before a E Hai;
    [now destruct before|]. simpl in E.
  assert (Hnext : forall l, list_prod (seq (S a) k) (seq 0 d_v) = l ++ (j, c) :: after ->
            before = map (fun c' => (a, c')) (seq 0 d_v) ++ l -> In (i, c) before).
  { intros l El ->. apply in_or_app. destruct (Nat.eq_dec i a) as [->|Hne].
    - left. apply in_map, in_seq. lia.
    - right. apply (IH l (S a) El). lia. }
  apply app_eq_app in E as (l & [[E1 E2]|[E1 E2]]).
  - destruct l as [|p l].
    + rewrite app_nil_r in E1. apply (Hnext []); [exact (eq_sym E2)|now rewrite app_nil_r].
    + injection E2 as <- _. exfalso.
      assert (H : In (j, c) (map (fun c' => (a, c')) (seq 0 d_v)))
        by (rewrite E1; apply in_or_app; right; now left).
      apply in_map_iff in H as (c' & E & _). injection E as <- _. lia.
  - now apply (Hnext l).
Qed.

Fixpoint product (n : nat) (f : nat -> nat) : nat :=
  match n with
  | O => 1
  | S k => product k f * f k
  end.

Lemma kinds_places L k d_v : kinds (fun p => L (fst p)) (places k d_v) = (product k L ^ d_v)%nat.
Proof.
  assert (H1 : forall (l' : list nat) j,
            kinds (fun p : nat * nat => L (fst p)) (map (fun c => (j, c)) l')
              = (L j ^ length l')%nat).
  { intros l' j. induction l' as [|c l' IH]; [reflexivity|]. simpl. now rewrite IH. }
  assert (H2 : forall l (l' : list nat),
            kinds (fun p : nat * nat => L (fst p)) (list_prod l l') = (kinds L l ^ length l')%nat).
  { intros l l'. induction l as [|j l IH]; simpl; [now rewrite Nat.pow_1_l|].
    now rewrite kinds_app, H1, IH, Nat.pow_mul_l. }
  unfold places. rewrite H2, seq_length. f_equal. induction k as [|k IH]; [reflexivity|].
  rewrite seq_S, kinds_app, IH. simpl. lia.
Qed.

Section Held.
Variables (k d_v : nat) (token L : nat -> nat) (lev : nat -> nat -> R).
Hypothesis Hdistinct : all_different k token.
Hypothesis HL : forall j, (j < k)%nat -> (1 <= L j)%nat.

(** Symbols of the word x at token j. *)
Definition at_token (x : list nat) (j c : nat) : nat := symbol place_eq (places k d_v) x (j, c).

(** The values that hold a word. *)
Definition held (x : list nat) : matrix := fun i c =>
  match find (fun j => token j =? i) (seq 0 k) with
  | Some j => lev j (at_token x j c)
  | None => 0
  end.

Lemma held_token x j c : (j < k)%nat -> held x (token j) c = lev j (at_token x j c).
Proof.
  intros Hj. unfold held. destruct (find _ _) as [i|] eqn:E.
  - apply find_some in E as [Hi E]. apply in_seq in Hi. apply Nat.eqb_eq in E.
    now rewrite (Hdistinct i j) by (assumption || lia).
  - exfalso. pose proof (find_none _ _ E j ltac:(apply in_seq; lia)) as H. simpl in H.
    rewrite Nat.eqb_refl in H. discriminate.
Qed.

Lemma at_token_lt x j c : In x (words (fun p => L (fst p)) (places k d_v)) -> (j < k)%nat ->
  (at_token x j c < L j)%nat.
Proof.
  intros Hx Hj. unfold at_token. destruct (in_dec place_eq (j, c) (places k d_v)) as [Hin|Hout].
  - exact (symbol_lt place_eq (fun p => L (fst p)) _ x (j, c) Hx Hin).
  - rewrite symbol_elsewhere by exact Hout. now apply HL.
Qed.

Lemma held_given x : In x (words (fun p => L (fst p)) (places k d_v)) ->
  given_values k token L lev (held x).
Proof.
  intros Hx. split.
  - intros j c Hj. exists (at_token x j c). split; [now apply at_token_lt|now apply held_token].
  - intros i c Hi. unfold held. destruct (find _ _) as [j|] eqn:E; [|reflexivity].
    apply find_some in E as [Hj E]. apply in_seq in Hj. apply Nat.eqb_eq in E.
    exfalso. apply (Hi j); [lia|congruence].
Qed.

(** The word that given values hold. *)
Definition word_in (V : matrix) : list nat :=
  map (fun p => match find (fun a => if Req_EM_T (V (token (fst p)) (snd p)) (lev (fst p) a)
                                     then true else false) (seq 0 (L (fst p))) with
                | Some a => a
                | None => 0%nat
                end) (places k d_v).

Lemma word_in_held V : given_values k token L lev V ->
  In (word_in V) (words (fun p => L (fst p)) (places k d_v)) /\
  forall j c, (j < k)%nat -> (c < d_v)%nat -> held (word_in V) (token j) c = V (token j) c.
Proof.
  intros [HV _].
  destruct (word_of place_eq (fun p => L (fst p)) (places k d_v) (fun p =>
    match find (fun a => if Req_EM_T (V (token (fst p)) (snd p)) (lev (fst p) a)
                         then true else false) (seq 0 (L (fst p))) with
    | Some a => a | None => 0%nat end)) as [Hin Hsym].
  - intros [j c] Hp. apply in_places in Hp as [Hj Hc]. simpl.
    destruct (find _ _) as [a|] eqn:E; [|specialize (HL j Hj); lia].
    apply find_some in E as [Ha _]. apply in_seq in Ha. lia.
  - split; [exact Hin|]. intros j c Hj Hc. rewrite held_token by exact Hj.
    unfold at_token, word_in. rewrite Hsym by now apply in_places. simpl.
    destruct (HV j c Hj) as (a & Ha & E). destruct (find _ _) as [a'|] eqn:F.
    + apply find_some in F as [_ F]. now destruct (Req_EM_T (V (token j) c) (lev j a')).
    + pose proof (find_none _ _ F a ltac:(apply in_seq; lia)) as H. simpl in H.
      now destruct (Req_EM_T (V (token j) c) (lev j a)).
Qed.
End Held.
