(** S3 `identifiability`, upper side: keys and values of order m, whose row 0 has no zeros, have the
    same outputs as some in a gauge that leaves m n (d + d_v) - (m-1)(d + d_v) entries free; at
    order 1, n (d + d_v) - d. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Tuples.
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

(** ** The gauge *)

(** The rows that the gauge fixes: row 0 of every slot but the first. All the others are free. *)
Definition fixed_row (slot row : nat) : bool := (0 <? slot) && (row =? 0).

(** The free entries of m matrices of n rows and d columns, as ((slot, row), column). *)
Definition free_entries (m n d : nat) : list (nat * nat * nat) :=
  filter (fun x => negb (fixed_row (fst (fst x)) (snd (fst x))))
    (list_prod (list_prod (seq 0 m) (seq 0 n)) (seq 0 d)).

(** m matrices whose fixed rows are ones. *)
Definition in_gauge (m d : nat) (Ms : list matrix) : Prop :=
  length Ms = m /\
  forall slot row c, (slot < m)%nat -> fixed_row slot row = true -> (c < d)%nat ->
    nth slot Ms ones row c = 1.

(** The matrices have the same free entries. *)
Definition agree_where_free (m n d : nat) (Ms Ms' : list matrix) : Prop :=
  forall slot row c, In (slot, row, c) (free_entries m n d) ->
    nth slot Ms ones row c = nth slot Ms' ones row c.

Lemma filter_prod_length {A B} (p : A -> bool) (l : list A) (l' : list B) :
  length (filter (fun x => p (fst x)) (list_prod l l')) = (length (filter p l) * length l')%nat.
Proof.
  induction l as [|a l IH]; [reflexivity|]. simpl. rewrite filter_app, app_length, IH.
  assert (E : length (filter (fun x => p (fst x)) (map (fun y => (a, y)) l'))
              = if p a then length l' else 0%nat).
  { clear IH. induction l' as [|y l' IH]; simpl; [now destruct (p a)|].
    destruct (p a); simpl; now rewrite IH. }
  rewrite E. destruct (p a); reflexivity.
Qed.

Lemma rows_but_0 n : length (filter (fun j => negb (j =? 0)) (seq 0 n)) = (n - 1)%nat.
Proof.
  destruct n as [|n]; [reflexivity|]. simpl. rewrite Nat.sub_0_r, <- seq_shift.
  induction n as [|n IH]; [reflexivity|].
  rewrite seq_S, map_app, filter_app, app_length, IH. simpl. lia.
Qed.

Lemma filter_prod_later (l l' : list nat) : (forall r, In r l -> (0 < r)%nat) ->
  length (filter (fun x => negb (fixed_row (fst x) (snd x))) (list_prod l l'))
    = (length l * length (filter (fun j => negb (j =? 0)) l'))%nat.
Proof.
  intros Hl. induction l as [|r l IH]; [reflexivity|]. simpl.
  rewrite filter_app, app_length, IH by (intros; apply Hl; now right). f_equal.
  assert (Hr : (0 <? r) = true) by (apply Nat.ltb_lt, Hl; now left). clear Hl IH.
  induction l' as [|j l' IH]; [reflexivity|]. simpl. unfold fixed_row at 1. rewrite Hr. simpl.
  destruct (j =? 0); simpl; now rewrite IH.
Qed.

Lemma free_entries_length m n d : (1 <= m)%nat ->
  length (free_entries m n d) = ((n + (m - 1) * (n - 1)) * d)%nat.
Proof.
  intros Hm. unfold free_entries.
  rewrite (filter_prod_length (fun p => negb (fixed_row (fst p) (snd p)))), seq_length. f_equal.
  destruct m as [|m]; [lia|]. change (seq 0 (S m)) with (0%nat :: seq 1 m). simpl list_prod.
  rewrite filter_app, app_length, filter_prod_later.
  - rewrite seq_length, rows_but_0, Nat.sub_succ, Nat.sub_0_r. f_equal.
    rewrite <- (seq_length n 0) at 2. induction (seq 0 n) as [|j l IH]; simpl; congruence.
  - intros r Hr. apply in_seq in Hr. lia.
Qed.

(** Fixed rows are turned into ones, and the first slot takes the factors. *)
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

Lemma gauge_exists m d Ms : length Ms = m -> general d (tl Ms) ->
  exists Ms', in_gauge m d Ms' /\
    forall t c, length t = m -> (c < d)%nat -> row_product Ms' t c = row_product Ms t c.
Proof.
  intros Hl Hg. destruct Ms as [|M Ms].
  { exists []. repeat split; [exact Hl|]. simpl in Hl. intros; lia. }
  simpl in Hl, Hg.
  exists (front M Ms :: map normed Ms). split; [split|].
  - simpl. now rewrite map_length.
  - intros slot row c Hs Hf Hc. apply andb_prop in Hf as [Hs0 Hrow].
    apply Nat.ltb_lt in Hs0. apply Nat.eqb_eq in Hrow as ->.
    destruct slot as [|slot]; [lia|]. simpl.
    rewrite (nth_indep _ ones (normed ones)) by (rewrite map_length; lia). rewrite map_nth.
    apply Rinv_r, Hg; [apply nth_In; lia|exact Hc].
  - intros t c Ht Hc. destruct t as [|j t]; [simpl in Ht; lia|].
    apply row_product_normed with d; [exact Hg|exact Hc|simpl in Ht; lia].
Qed.

Lemma row_product_slots Ms Ms' t c : length Ms = length Ms' -> length t = length Ms ->
  (forall r, (r < length Ms)%nat ->
     nth r Ms ones (nth r t 0%nat) c = nth r Ms' ones (nth r t 0%nat) c) ->
  row_product Ms t c = row_product Ms' t c.
Proof.
  revert Ms' t. induction Ms as [|M Ms IH]; intros [|M' Ms'] [|j t] Hl Ht H; try discriminate;
    [reflexivity|]. simpl in *. rewrite (H 0%nat) by lia. f_equal.
  apply IH; [lia|lia|]. intros r Hr. apply (H (S r)). lia.
Qed.

Lemma gauge_told m n d Ms Ms' t c : in_gauge m d Ms -> in_gauge m d Ms' ->
  agree_where_free m n d Ms Ms' -> length t = m -> (forall j, In j t -> (j < n)%nat) ->
  (c < d)%nat -> row_product Ms t c = row_product Ms' t c.
Proof.
  intros [Hl Hone] [Hl' Hone'] Hfree Ht Hn Hc. apply row_product_slots; [congruence..|].
  rewrite Hl. intros r Hr. set (j := nth r t 0%nat).
  assert (Hj : (j < n)%nat) by (apply Hn, nth_In; lia).
  destruct (fixed_row r j) eqn:F; [now rewrite Hone, Hone'|].
  apply Hfree, filter_In. split; [|simpl; now rewrite F].
  repeat apply in_prod; apply in_seq; lia.
Qed.

Lemma tuples_below n m t : In t (tuples (repeat (seq 0 n) m)) ->
  length t = m /\ forall j, In j t -> (j < n)%nat.
Proof.
  intros Ht. destruct (in_tuples_repeat t (seq 0 n) m Ht) as [Hl Hb]. split; [exact Hl|].
  intros j Hj. specialize (Hb j Hj). apply in_seq in Hb. lia.
Qed.

Lemma tensor_same n m d d_v Ks Vs Ks' Vs' q c :
  (forall t e, In t (tuples (repeat (seq 0 n) m)) -> (e < d)%nat ->
     row_product Ks t e = row_product Ks' t e) ->
  (forall t e, In t (tuples (repeat (seq 0 n) m)) -> (e < d_v)%nat ->
     row_product Vs t e = row_product Vs' t e) -> (c < d_v)%nat ->
  tensor (repeat (seq 0 n) m) d q Ks Vs c = tensor (repeat (seq 0 n) m) d q Ks' Vs' c.
Proof.
  intros HK HV Hc. apply tuple_output_ext.
  - intros t Ht. apply rsum_ext. intros e He. f_equal. now apply HK.
  - intros t Ht. now apply HV.
Qed.

(** Order m: the gauge leaves mn(d + d_v) - (m-1)(d + d_v) entries free; keys and values in general
    position have the outputs of some in the gauge; and in the gauge the free entries tell the
    outputs. *)
Theorem identifiability m n d d_v :
  (length (free_entries m n d) + length (free_entries m n d_v)
    = m * n * (d + d_v) - (m - 1) * (d + d_v))%nat /\
  (forall Ks Vs, length Ks = m -> length Vs = m -> general d (tl Ks) -> general d_v (tl Vs) ->
     exists Ks' Vs', in_gauge m d Ks' /\ in_gauge m d_v Vs' /\
       forall q c, (c < d_v)%nat ->
         tensor (repeat (seq 0 n) m) d q Ks' Vs' c = tensor (repeat (seq 0 n) m) d q Ks Vs c) /\
  (forall Ks Vs Ks' Vs', in_gauge m d Ks -> in_gauge m d_v Vs ->
     in_gauge m d Ks' -> in_gauge m d_v Vs' ->
     agree_where_free m n d Ks Ks' -> agree_where_free m n d_v Vs Vs' ->
     forall q c, (c < d_v)%nat ->
       tensor (repeat (seq 0 n) m) d q Ks' Vs' c = tensor (repeat (seq 0 n) m) d q Ks Vs c).
Proof.
  split; [|split].
  - destruct m as [|m]; [reflexivity|]. rewrite !free_entries_length by lia.
    destruct n as [|n]; [lia|]. rewrite !Nat.sub_succ, !Nat.sub_0_r. nia.
  - intros Ks Vs HKs HVs GK GV.
    destruct (gauge_exists m d Ks HKs GK) as (Ks' & HK' & EK).
    destruct (gauge_exists m d_v Vs HVs GV) as (Vs' & HV' & EV).
    exists Ks', Vs'. split; [exact HK'|split; [exact HV'|]]. intros q c Hc.
    apply tensor_same with d_v; [| |exact Hc]; intros t e Ht He;
      destruct (tuples_below n m t Ht) as [Hl _]; auto.
  - intros Ks Vs Ks' Vs' HK HV HK' HV' AK AV q c Hc. symmetry.
    apply tensor_same with d_v; [| |exact Hc]; intros t e Ht He;
      destruct (tuples_below n m t Ht) as [Hl Hb];
      [apply (gauge_told m n d)|apply (gauge_told m n d_v)]; assumption.
Qed.

(** Order 1: row 0 of the keys is fixed. *)
Definition free_keys (n d : nat) : list (nat * nat) :=
  filter (fun x => negb (fst x =? 0)) (list_prod (seq 0 n) (seq 0 d)).

(** Order 1: with row 0 of the keys zero, n(d + d_v) - d entries are free; all keys have the outputs
    of some with that row zero, the values being the same; and then the free entries tell the
    outputs. *)
Theorem identifiability_order_1 n d d_v :
  (length (free_keys n d) + length (list_prod (seq 0 n) (seq 0 d_v)) = n * (d + d_v) - d)%nat /\
  (forall K V, exists K', (forall c, K' 0%nat c = 0) /\
     forall q c, attention n d q K' V c = attention n d q K V c) /\
  (forall K V K' V', (forall c, K 0%nat c = 0) -> (forall c, K' 0%nat c = 0) ->
     (forall row c, In (row, c) (free_keys n d) -> K row c = K' row c) ->
     (forall row c, In (row, c) (list_prod (seq 0 n) (seq 0 d_v)) -> V row c = V' row c) ->
     forall q c, (c < d_v)%nat -> attention n d q K' V' c = attention n d q K V c).
Proof.
  split; [|split].
  - unfold free_keys. rewrite (filter_prod_length (fun j => negb (j =? 0))).
    rewrite rows_but_0, prod_length, !seq_length. destruct n as [|n]; [lia|].
    rewrite Nat.sub_succ, Nat.sub_0_r. nia.
  - intros K V. exists (fun j e => K j e + - K 0%nat e). split; [intros; ring|].
    intros q c. apply identifiability_shift.
  - intros K V K' V' HK HK' AK AV q c Hc.
    assert (E : forall j, (j < n)%nat -> logit d q K' j = logit d q K j).
    { intros j Hj. apply rsum_ext. intros e He. f_equal.
      destruct j as [|j]; [now rewrite HK, HK'|]. symmetry. apply AK, filter_In.
      split; [apply in_prod; apply in_seq; lia|reflexivity]. }
    unfold attention, output, weight.
    rewrite (rsum_ext n (fun l => exp (logit d q K' l)) _ (fun j Hj => f_equal exp (E j Hj))).
    apply rsum_ext. intros j Hj. rewrite E by exact Hj. f_equal. symmetry.
    apply AV, in_prod; apply in_seq; lia.
Qed.
