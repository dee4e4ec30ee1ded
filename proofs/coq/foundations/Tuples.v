(** Tensor attention of any order m (D1): a tuple picks one token in each of m slots.
    Slot r may attend to any list of tokens, so windows and masks by slot are included;
    the scale is part of the query. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention.
Import ListNotations.
Open Scope R_scope.

(** ** Definitions *)

(** All tuples with one index from each slot. *)
Fixpoint tuples (slots : list (list nat)) : list (list nat) :=
  match slots with
  | [] => [[]]
  | js :: rest => flat_map (fun j => map (cons j) (tuples rest)) js
  end.

(** Column c of the entrywise product of the rows that the tuple names. *)
Fixpoint row_product (Ms : list matrix) (t : list nat) (c : nat) : R :=
  match Ms, t with
  | M :: Ms', j :: t' => M j c * row_product Ms' t' c
  | _, _ => 1
  end.

(** Logit of a tuple. *)
Definition tuple_logit (d : nat) (q : nat -> R) (Ks : list matrix) (t : list nat) : R :=
  rsum d (fun c => q c * row_product Ks t c).

(** Weight of [t] among the members of [l] with logits [s]. *)
Definition tuple_weight {A} (l : list A) (s : A -> R) (t : A) : R :=
  exp (s t) / lsum (fun t' => exp (s t')) l.

(** Output of the members of [l] with logits [s] and values [v]. *)
Definition tuple_output {A} (l : list A) (s v : A -> R) : R :=
  lsum (fun t => tuple_weight l s t * v t) l.

(** Tensor attention of order [length Ks], output column c. *)
Definition tensor (slots : list (list nat)) (d : nat) (q : nat -> R)
    (Ks Vs : list matrix) (c : nat) : R :=
  tuple_output (tuples slots) (tuple_logit d q Ks) (fun t => row_product Vs t c).

(** ** Sums over tuples *)

Lemma lsum_flat_map {A B} (f : B -> R) (g : A -> list B) l :
  lsum f (flat_map g l) = lsum (fun a => lsum f (g a)) l.
Proof. induction l; simpl; [reflexivity|]. now rewrite lsum_app, IHl. Qed.

Lemma lsum_tuples_cons (f : list nat -> R) js rest :
  lsum f (tuples (js :: rest)) = lsum (fun j => lsum (fun t => f (j :: t)) (tuples rest)) js.
Proof. simpl. rewrite lsum_flat_map. apply lsum_ext; intros. apply lsum_map. Qed.

Lemma lsum_scal_r {A} a (f : A -> R) l : lsum (fun x => f x * a) l = lsum f l * a.
Proof. induction l; simpl; [ring|]. rewrite IHl; ring. Qed.

Lemma lsum_pos {A} (f : A -> R) l :
  l <> [] -> (forall a, In a l -> 0 < f a) -> 0 < lsum f l.
Proof.
  intros Hl Hf. destruct l as [|a l]; [congruence|]. simpl.
  assert (0 <= lsum f l) by (apply lsum_nonneg; intros; left; apply Hf; now right).
  specialize (Hf a (or_introl eq_refl)). lra.
Qed.

Lemma in_tuples_cons j t js rest :
  In (j :: t) (tuples (js :: rest)) <-> In j js /\ In t (tuples rest).
Proof.
  simpl. rewrite in_flat_map. split.
  - intros (j' & Hj & H). apply in_map_iff in H as (t' & E & Ht). inversion E; subst; auto.
  - intros [Hj Ht]. exists j. split; [exact Hj|]. now apply in_map.
Qed.

Lemma in_tuples_inv t js rest :
  In t (tuples (js :: rest)) -> exists j t', t = j :: t' /\ In j js /\ In t' (tuples rest).
Proof.
  simpl. rewrite in_flat_map. intros (j & Hj & H).
  apply in_map_iff in H as (t' & <- & Ht). eauto.
Qed.

Lemma tuples_nonempty slots : (forall js, In js slots -> js <> []) -> tuples slots <> [].
Proof.
  induction slots as [|js rest IH]; intros H; [discriminate|].
  destruct js as [|j js]; [exfalso; apply (H []); simpl; auto|].
  simpl. destruct (tuples rest) eqn:E; [|discriminate].
  exfalso. apply IH; auto. intros; apply H; now right.
Qed.

Lemma tuples_length slots :
  INR (length (tuples slots)) = fold_right (fun js r => INR (length js) * r) 1 slots.
Proof.
  induction slots as [|js rest IH]; [simpl; ring|].
  replace (INR (length (tuples (js :: rest)))) with (lsum (fun _ => 1) (tuples (js :: rest)))
    by (rewrite lsum_const; ring).
  rewrite lsum_tuples_cons, (lsum_ext _ (fun _ => INR (length (tuples rest)))).
  - rewrite lsum_const. simpl. now rewrite IH.
  - intros j _. rewrite lsum_const. ring.
Qed.

Lemma tuples_length_repeat js m : INR (length (tuples (repeat js m))) = INR (length js) ^ m.
Proof. rewrite tuples_length. induction m; simpl; [reflexivity|]. now rewrite IHm. Qed.

Lemma in_tuples_repeat t js m : In t (tuples (repeat js m)) ->
  length t = m /\ forall j, In j t -> In j js.
Proof.
  revert t. induction m as [|m IH]; intros t Ht.
  - destruct Ht as [<-|[]]. split; [reflexivity|intros j []].
  - apply in_tuples_inv in Ht as (j & t' & -> & Hj & Ht). destruct (IH t' Ht) as [Hl Hin].
    split; [simpl; congruence|]. intros j' [<-|H]; auto.
Qed.

(** Exactly one of different indices is i. *)
Lemma lsum_indicator i js y : NoDup js -> In i js ->
  lsum (fun j => if j =? i then y else 0) js = y.
Proof.
  intros Hnd Hi. induction Hnd as [|j js Hj Hnd IH]; [destruct Hi|]. simpl.
  destruct (Nat.eqb_spec j i) as [->|Hne].
  - rewrite (lsum_ext _ (fun _ => 0)); [rewrite lsum_const; ring|].
    intros k Hk. destruct (Nat.eqb_spec k i); [congruence|reflexivity].
  - rewrite IH; [ring|]. destruct Hi; [congruence|assumption].
Qed.

(** ** Weights *)

Lemma exps_pos {A} (l : list A) (s : A -> R) : l <> [] -> 0 < lsum (fun t => exp (s t)) l.
Proof. intros H. apply lsum_pos; [exact H|]. intros; apply exp_pos. Qed.

Lemma tuple_weight_nonneg {A} (l : list A) s t : l <> [] -> 0 <= tuple_weight l s t.
Proof.
  intros H. unfold tuple_weight. apply Rmult_le_pos; [left; apply exp_pos|].
  left. now apply Rinv_0_lt_compat, exps_pos.
Qed.

Lemma tuple_weight_total {A} (l : list A) s : l <> [] -> lsum (tuple_weight l s) l = 1.
Proof.
  intros H. unfold tuple_weight, Rdiv. rewrite lsum_scal_r.
  apply Rinv_r, Rgt_not_eq, exps_pos, H.
Qed.

Lemma tuple_output_ext {A} (l : list A) s s' v v' :
  (forall t, In t l -> s t = s' t) -> (forall t, In t l -> v t = v' t) ->
  tuple_output l s v = tuple_output l s' v'.
Proof.
  intros Hs Hv. unfold tuple_output, tuple_weight.
  assert (E : lsum (fun t' => exp (s t')) l = lsum (fun t' => exp (s' t')) l)
    by (apply lsum_ext; intros; now rewrite Hs).
  rewrite E. apply lsum_ext; intros. now rewrite Hs, Hv.
Qed.

(** An output is a mean of the values. *)
Lemma tuple_output_between {A} (l : list A) s v lo hi :
  l <> [] -> (forall t, In t l -> lo <= v t <= hi) -> lo <= tuple_output l s v <= hi.
Proof.
  intros Hl Hv. pose proof (tuple_weight_total l s Hl) as HT. unfold tuple_output.
  assert (W : forall a, lsum (fun t => tuple_weight l s t * a) l = a)
    by (intros a; rewrite lsum_scal_r, HT; ring).
  split.
  - rewrite <- (W lo) at 1. apply lsum_le; intros t Ht.
    apply Rmult_le_compat_l; [now apply tuple_weight_nonneg|apply Hv, Ht].
  - rewrite <- (W hi). apply lsum_le; intros t Ht.
    apply Rmult_le_compat_l; [now apply tuple_weight_nonneg|apply Hv, Ht].
Qed.

(** ** A slot of ones *)

Lemma lsum_tuples_insert (F G : list nat -> R) s1 js s2 :
  (forall t1 j t2, length t1 = length s1 -> In j js -> F (t1 ++ j :: t2) = G (t1 ++ t2)) ->
  lsum F (tuples (s1 ++ js :: s2)) = INR (length js) * lsum G (tuples (s1 ++ s2)).
Proof.
  revert F G. induction s1 as [|ks s1 IH]; intros F G H; simpl app; rewrite lsum_tuples_cons.
  - rewrite (lsum_ext _ (fun _ => lsum G (tuples s2))).
    + now rewrite lsum_const.
    + intros j Hj. apply lsum_ext. intros t _. now apply (H [] j t).
  - rewrite lsum_tuples_cons, <- lsum_scal. apply lsum_ext. intros k _.
    apply IH. intros t1 j t2 Ht Hj. apply (H (k :: t1) j t2); simpl; auto.
Qed.

Lemma row_product_ones Ms1 Ms2 t1 j t2 c :
  length Ms1 = length t1 ->
  row_product (Ms1 ++ ones :: Ms2) (t1 ++ j :: t2) c = row_product (Ms1 ++ Ms2) (t1 ++ t2) c.
Proof.
  revert t1. induction Ms1 as [|M Ms1 IH]; intros [|k t1] H; try discriminate; simpl.
  - unfold ones; ring.
  - rewrite IH by (simpl in H; lia). reflexivity.
Qed.

(** Order m with one slot's keys and values all ones is order m - 1. *)
Lemma ones_reduce_order s1 js s2 d q Ks1 Ks2 Vs1 Vs2 c :
  js <> [] -> length Ks1 = length s1 -> length Vs1 = length s1 ->
  tensor (s1 ++ js :: s2) d q (Ks1 ++ ones :: Ks2) (Vs1 ++ ones :: Vs2) c
    = tensor (s1 ++ s2) d q (Ks1 ++ Ks2) (Vs1 ++ Vs2) c.
Proof.
  intros Hjs HK HV. unfold tensor, tuple_output, tuple_weight.
  set (logit0 := tuple_logit d q (Ks1 ++ Ks2)).
  assert (Hl : forall t1 j t2, length t1 = length s1 ->
    tuple_logit d q (Ks1 ++ ones :: Ks2) (t1 ++ j :: t2) = logit0 (t1 ++ t2)).
  { intros t1 j t2 Ht. apply rsum_ext. intros e _. rewrite row_product_ones; congruence. }
  set (logit1 := tuple_logit d q (Ks1 ++ ones :: Ks2)) in *.
  rewrite (lsum_tuples_insert (fun t => exp (logit1 t)) (fun t => exp (logit0 t)))
    by (intros; now rewrite Hl).
  set (Z := lsum (fun t => exp (logit0 t)) (tuples (s1 ++ s2))).
  assert (HN : INR (length js) <> 0) by (apply not_0_INR; destruct js; simpl; congruence).
  rewrite (lsum_tuples_insert _
    (fun t => / INR (length js) * (exp (logit0 t) / Z * row_product (Vs1 ++ Vs2) t c))).
  - rewrite lsum_scal, <- Rmult_assoc, Rinv_r, Rmult_1_l by exact HN. reflexivity.
  - intros t1 j t2 Ht _. rewrite Hl by exact Ht. rewrite row_product_ones by congruence.
    unfold Rdiv. rewrite Rinv_mult. ring.
Qed.

(** Any number of slots of ones leaves order 1. *)
Corollary ones_reduce_to_order_1 js ks m d q K V c :
  ks <> [] ->
  tensor (js :: repeat ks m) d q (K :: repeat ones m) (V :: repeat ones m) c
    = tensor [js] d q [K] [V] c.
Proof.
  intros Hks. induction m as [|m IH]; [reflexivity|]. rewrite <- IH.
  exact (ones_reduce_order [js] ks (repeat ks m) d q [K] (repeat ones m)
            [V] (repeat ones m) c Hks eq_refl eq_refl).
Qed.

(** ** Orders 1 and 2 *)

(** Order 1 is standard attention. *)
Lemma order_1_is_attention n d q K V c :
  tensor [seq 0 n] d q [K] [V] c = attention n d q K V c.
Proof.
  assert (H : forall f, lsum f (tuples [seq 0 n]) = rsum n (fun j => f [j])).
  { intros f. rewrite lsum_tuples_cons, lsum_seq. apply rsum_ext; intros; simpl; ring. }
  assert (E : forall j, tuple_logit d q [K] [j] = logit d q K j).
  { intros j. apply rsum_ext; intros; simpl; ring. }
  unfold tensor, tuple_output, tuple_weight, attention, output, weight. rewrite !H.
  rewrite (rsum_ext n (fun j => exp (tuple_logit d q [K] [j])) (fun j => exp (logit d q K j)))
    by (intros; now rewrite E).
  apply rsum_ext. intros j _. rewrite E. simpl. ring.
Qed.

(** Order 2 is attention over pairs. *)
Lemma order_2_is_attention2 n1 n2 d q K1 K2 V1 V2 c :
  tensor [seq 0 n1; seq 0 n2] d q [K1; K2] [V1; V2] c
    = attention2 n1 n2 d q K1 K2 V1 V2 c.
Proof.
  assert (H : forall f, lsum f (tuples [seq 0 n1; seq 0 n2])
                        = rsum n1 (fun j => rsum n2 (fun l => f [j; l]))).
  { intros f. rewrite lsum_tuples_cons, lsum_seq. apply rsum_ext; intros.
    rewrite lsum_tuples_cons, lsum_seq. apply rsum_ext; intros; simpl; ring. }
  assert (E : forall j l, tuple_logit d q [K1; K2] [j; l] = logit2 d q K1 K2 j l).
  { intros j l. apply rsum_ext; intros; simpl; ring. }
  unfold tensor, tuple_output, tuple_weight, attention2, weight2. rewrite !H.
  rewrite (rsum_ext n1 (fun j => rsum n2 (fun l => exp (tuple_logit d q [K1; K2] [j; l])))
             (fun j => rsum n2 (fun l => exp (logit2 d q K1 K2 j l))))
    by (intros; apply rsum_ext; intros; now rewrite E).
  apply rsum_ext; intros j _; apply rsum_ext; intros l _. rewrite E. simpl. ring.
Qed.
