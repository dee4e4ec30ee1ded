(** S3 `identifiability`, upper side: attention of order m to n tokens is told by
    m n (d + d_v) - (m-1)(d + d_v) numbers, of order 1 by n (d + d_v) - d; in general position, the
    entries of row 0 not being zero. *)
From Coq Require Import Reals Lra Lia Arith List.
From KVFloor Require Import Sums Attention Tuples Guarantee Bits.
Import ListNotations.
Open Scope R_scope.

(** ** Symmetries *)

(** Columns of M scaled by tau. *)
Definition scaled (tau : nat -> R) (M : matrix) : matrix := fun j c => tau c * M j c.

(** Order 2 or more: a column scaled in one slot and scaled back in another changes no output. *)
Theorem identifiability_scaling s1 s2 rest d q K1 K2 Ks V1 V2 Vs (tau sigma : nat -> R) c :
  (forall e, (e < d)%nat -> tau e <> 0) -> sigma c <> 0 ->
  tensor (s1 :: s2 :: rest) d q
    (scaled tau K1 :: scaled (fun e => / tau e) K2 :: Ks)
    (scaled sigma V1 :: scaled (fun e => / sigma e) V2 :: Vs) c
  = tensor (s1 :: s2 :: rest) d q (K1 :: K2 :: Ks) (V1 :: V2 :: Vs) c.
Proof.
  intros Ht Hs. apply tuple_output_ext.
  - intros t Ht'. apply in_tuples_inv in Ht' as (j & t1 & -> & _ & Ht').
    apply in_tuples_inv in Ht' as (l & t2 & -> & _ & _). apply rsum_ext. intros e He. simpl.
    unfold scaled. field. now apply Ht.
  - intros t Ht'. apply in_tuples_inv in Ht' as (j & t1 & -> & _ & Ht').
    apply in_tuples_inv in Ht' as (l & t2 & -> & _ & _). simpl. unfold scaled. field. exact Hs.
Qed.

(** Order 1: one vector added to all keys changes no output. *)
Theorem identifiability_shift n d q K V (k : nat -> R) c :
  attention n d q (fun j e => K j e + k e) V c = attention n d q K V c.
Proof.
  unfold attention, output, weight. set (a := exp (rsum d (fun e => q e * k e))).
  assert (Ha : 0 < a) by apply exp_pos.
  assert (E : forall j, exp (logit d q (fun j e => K j e + k e) j) = a * exp (logit d q K j)).
  { intros j. unfold a. rewrite <- exp_plus. f_equal. unfold logit. rewrite <- rsum_plus.
    apply rsum_ext. intros; ring. }
  rewrite (rsum_ext n (fun l => exp (logit d q (fun j e => K j e + k e) l))
    (fun l => a * exp (logit d q K l))) by (intros; apply E).
  rewrite rsum_scal. set (Z := rsum n (fun l => exp (logit d q K l))).
  apply rsum_ext. intros j Hj. rewrite E. f_equal.
  assert (HZ : 0 < Z) by (apply expsum_pos; lia). field. lra.
Qed.

(** ** As many numbers *)

(** The rows a .. n-1 of a matrix of d columns, and the matrix with ones in the rows before. *)
Definition entries (a n d : nat) (M : matrix) : list R :=
  map (fun k => M (a + k / d)%nat (k mod d)%nat) (seq 0 ((n - a) * d)).
Definition of_entries (a d : nat) (x : list R) : matrix := fun j c =>
  if j <? a then 1 else nth ((j - a) * d + c) x 0.

Lemma entries_length a n d M : length (entries a n d M) = ((n - a) * d)%nat.
Proof. unfold entries. now rewrite map_length, seq_length. Qed.

Lemma of_entries_exact a n d M j c : (j < n)%nat -> (c < d)%nat ->
  (forall j, (j < a)%nat -> M j c = 1) -> of_entries a d (entries a n d M) j c = M j c.
Proof.
  intros Hj Hc HM. unfold of_entries. destruct (Nat.ltb_spec j a); [symmetry; auto|].
  unfold entries. rewrite nth_map_seq by nia. rewrite pair_div, pair_mod by exact Hc.
  f_equal. lia.
Qed.

(** Row 0 of every slot but the first is turned into ones, and the first slot takes the factors. *)
Definition front (M : matrix) (Ms : list matrix) : matrix := fun j c =>
  fold_right (fun M' x => M' 0%nat c * x) (M j c) Ms.
Definition normed (M : matrix) : matrix := fun j c => M j c / M 0%nat c.

Definition general (d : nat) (Ms : list matrix) : Prop :=
  forall M c, In M Ms -> (c < d)%nat -> M 0%nat c <> 0.

Lemma row_product_normed d M Ms j t c : general d Ms -> (c < d)%nat -> length t = length Ms ->
  row_product (front M Ms :: map normed Ms) (j :: t) c = row_product (M :: Ms) (j :: t) c.
Proof.
  intros Hg Hc. revert t. induction Ms as [|M' Ms IH]; intros t Hl.
  - destruct t; [|discriminate]. simpl. unfold front. simpl. reflexivity.
  - destruct t as [|l t]; [discriminate|]. simpl in Hl. injection Hl as Hl.
    assert (Hg' : general d Ms) by (intros X e HX; apply Hg; now right).
    specialize (IH Hg' t Hl). simpl in *. unfold front in *. simpl. unfold normed at 1.
    assert (Hne : M' 0%nat c <> 0) by (apply Hg; [now left|exact Hc]).
    transitivity (M' l c * (fold_right (fun M'0 x => M'0 0%nat c * x) (M j c) Ms
                            * row_product (map normed Ms) t c)); [field; exact Hne|].
    rewrite IH. ring.
Qed.

(** The numbers: n rows of the first slot, n-1 rows of each other. *)
Definition slot_numbers (n d : nat) (Ms : list matrix) : list (list R) :=
  match Ms with
  | [] => []
  | M :: rest => entries 0 n d (front M rest) :: map (fun M' => entries 1 n d (normed M')) rest
  end.
Definition slots_of (d : nat) (x : list (list R)) : list matrix :=
  match x with
  | [] => []
  | y :: rest => of_entries 0 d y :: map (of_entries 1 d) rest
  end.

Lemma slot_numbers_length n d Ms : (1 <= n)%nat -> Ms <> [] ->
  length (concat (slot_numbers n d Ms)) = (length Ms * n * d - (length Ms - 1) * d)%nat.
Proof.
  intros Hn HMs. destruct Ms as [|M rest]; [congruence|]. simpl. rewrite app_length.
  rewrite entries_length, Nat.sub_0_r.
  assert (E : length (concat (map (fun M' => entries 1 n d (normed M')) rest))
              = (length rest * ((n - 1) * d))%nat).
  { clear HMs. induction rest as [|M' rest IH]; [reflexivity|]. simpl.
    rewrite app_length, entries_length, IH. lia. }
  rewrite E. destruct n as [|n]; [lia|]. simpl. rewrite !Nat.sub_0_r. nia.
Qed.

Lemma row_product_numbers n d Ms t c : general d (tl Ms) -> (c < d)%nat -> Ms <> [] ->
  length t = length Ms -> (forall j, In j t -> (j < n)%nat) ->
  row_product (slots_of d (slot_numbers n d Ms)) t c = row_product Ms t c.
Proof.
  intros Hg Hc HMs Hl Ht. destruct Ms as [|M rest]; [congruence|].
  destruct t as [|j t]; [discriminate|]. simpl in Hl. injection Hl as Hl. simpl tl in Hg.
  rewrite <- (row_product_normed d M rest j t c Hg Hc Hl).
  cbn [slot_numbers slots_of row_product]. f_equal.
  - apply of_entries_exact; [apply Ht; now left|exact Hc|lia].
  - rewrite map_map. assert (Ht' : forall l, In l t -> (l < n)%nat) by (intros; apply Ht; now right).
    clear Ht HMs. revert t Hl Ht'. induction rest as [|M' rest IH]; intros t Hl Ht; [reflexivity|].
    destruct t as [|l t]; [discriminate|]. simpl in Hl. injection Hl as Hl. simpl. f_equal.
    + apply of_entries_exact; [apply Ht; now left|exact Hc|].
      intros i Hi. replace i with 0%nat by lia. unfold normed. apply Rinv_r.
      apply Hg; [now left|exact Hc].
    + apply IH; [intros X e HX; apply Hg; now right|exact Hl|intros; apply Ht; now right].
Qed.

Lemma tuples_below n m t : In t (tuples (repeat (seq 0 n) m)) ->
  length t = m /\ forall j, In j t -> (j < n)%nat.
Proof.
  revert t. induction m as [|m IH]; intros t Ht.
  - destruct Ht as [<-|[]]. split; [reflexivity|intros j []].
  - apply in_tuples_inv in Ht as (j & t' & -> & Hj & Ht'). apply in_seq in Hj.
    destruct (IH t' Ht') as [Hl Hb]. split; [simpl; now rewrite Hl|].
    intros i [<-|Hi]; [lia|auto].
Qed.

(** Order m: mn(d + d_v) - (m-1)(d + d_v) numbers tell the answers to all queries. *)
Theorem identifiability m n d d_v : (1 <= m)%nat -> (1 <= n)%nat ->
  exists (numbers : list matrix -> list matrix -> list (list R) * list (list R))
         (answer : list (list R) * list (list R) -> (nat -> R) -> nat -> R),
    forall Ks Vs, length Ks = m -> length Vs = m -> general d (tl Ks) -> general d_v (tl Vs) ->
      let x := numbers Ks Vs in
      (length (concat (fst x)) + length (concat (snd x))
        = m * n * (d + d_v) - (m - 1) * (d + d_v))%nat /\
      forall q c, (c < d_v)%nat ->
        answer x q c = tensor (repeat (seq 0 n) m) d q Ks Vs c.
Proof.
  intros Hm Hn.
  exists (fun Ks Vs => (slot_numbers n d Ks, slot_numbers n d_v Vs)),
    (fun x q c => tensor (repeat (seq 0 n) m) d q (slots_of d (fst x)) (slots_of d_v (snd x)) c).
  intros Ks Vs HKs HVs GK GV x.
  assert (NK : Ks <> []) by (intros ->; simpl in HKs; lia).
  assert (NV : Vs <> []) by (intros ->; simpl in HVs; lia).
  unfold x. cbn [fst snd]. split.
  - rewrite !slot_numbers_length, HKs, HVs by assumption.
    destruct m as [|m]; [lia|]. replace (S m - 1)%nat with m by lia.
    destruct n as [|n]; [lia|]. nia.
  - intros q c Hc. apply tuple_output_ext.
    + intros t Ht. destruct (tuples_below n m t Ht) as [Hl Hb]. apply rsum_ext. intros e He.
      f_equal. apply row_product_numbers; auto. congruence.
    + intros t Ht. destruct (tuples_below n m t Ht) as [Hl Hb].
      apply row_product_numbers; auto. congruence.
Qed.

(** Order 1: n(d + d_v) - d numbers. *)
Theorem identifiability_order_1 n d d_v :
  exists (numbers : matrix -> matrix -> list R * list R)
         (answer : list R * list R -> (nat -> R) -> nat -> R),
    forall K V, let x := numbers K V in
      (length (fst x) + length (snd x) = n * (d + d_v) - d)%nat /\
      forall q c, (c < d_v)%nat -> answer x q c = attention n d q K V c.
Proof.
  exists (fun K V => (entries 1 n d (fun j e => K j e - K 0%nat e + 1), entries 0 n d_v V)),
    (fun x q c => attention n d q (of_entries 1 d (fst x)) (of_entries 0 d_v (snd x)) c).
  intros K V x. unfold x. cbn [fst snd]. split.
  - rewrite !entries_length. destruct n as [|n]; [lia|]. nia.
  - intros q c Hc. rewrite <- (identifiability_shift n d q K V (fun e => - K 0%nat e + 1) c).
    unfold attention, output, weight.
    assert (E : forall j, (j < n)%nat ->
      logit d q (of_entries 1 d (entries 1 n d (fun j e => K j e - K 0%nat e + 1))) j
      = logit d q (fun j e => K j e + (- K 0%nat e + 1)) j).
    { intros j Hj. apply rsum_ext. intros e He. f_equal.
      rewrite (of_entries_exact 1 n d (fun j e => K j e - K 0%nat e + 1) j e Hj He); [ring|].
      intros i Hi. replace i with 0%nat by lia. ring. }
    rewrite (rsum_ext n (fun l => exp (logit d q (of_entries 1 d _) l)) _
      (fun j Hj => f_equal exp (E j Hj))).
    apply rsum_ext. intros j Hj. rewrite E by exact Hj. f_equal.
    apply (of_entries_exact 0 n d_v V j c Hj Hc). lia.
Qed.
