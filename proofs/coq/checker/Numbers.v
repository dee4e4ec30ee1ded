(** Tables of rationals as tables of whole numbers over a common denominator; logits of tuples. *)
From Coq Require Import Reals Lra Lia ZArith QArith Qreals List Bool.
From KVFloor Require Import Sums Attention Tuples.
From KVFloor Require Import Certificates.
Import ListNotations.
Open Scope R_scope.

(** ** A common denominator *)

Definition multiple (D : Z) (x : Q) : Z :=
  (if D mod Zpos (Qden x) =? 0 then D else Z.lcm D (Zpos (Qden x)))%Z.
Definition common (l : list Q) : Z := fold_left multiple l 1%Z.

(** x D, if that is whole. *)
Definition whole (D : Z) (x : Q) : Z := (Qnum x * (D / Zpos (Qden x)))%Z.
Definition divides (D : Z) (x : Q) : bool := (D mod Zpos (Qden x) =? 0)%Z.

Definition wholes (D : Z) (l : list Q) : list Z := map (whole D) l.
Definition all_whole (D : Z) (l : list Q) : bool := (0 <? D)%Z && forallb (divides D) l.

Definition whole_vector (l : list Z) (c : nat) : R := IZR (nth c l 0%Z).
Definition whole_matrix (t : list (list Z)) : matrix := fun j => whole_vector (nth j t []).

Lemma whole_spec D x : divides D x = true -> IZR (whole D x) = Q2R x * IZR D.
Proof.
  unfold divides, whole, Q2R. intros H. apply Z.eqb_eq in H.
  destruct x as [n d]. cbn [Qnum Qden] in *.
  assert (E : D = (Zpos d * (D / Zpos d))%Z) by (apply Z.div_exact; lia).
  rewrite E at 2. rewrite !mult_IZR. field. apply not_0_IZR. lia.
Qed.

Lemma wholes_vector D l c : all_whole D l = true ->
  whole_vector (wholes D l) c = vector_of l c * IZR D.
Proof.
  unfold all_whole, whole_vector, wholes, vector_of. intros H.
  apply andb_prop in H as [_ H]. rewrite forallb_forall in H.
  pose proof (map_nth (whole D) l 0%Q c) as E. change (whole D 0) with 0%Z in E. rewrite E.
  destruct (Nat.ltb_spec c (length l)) as [L|L]; [apply whole_spec, H, nth_In, L|].
  rewrite nth_overflow by exact L. unfold whole, Q2R. simpl. ring.
Qed.

Lemma wholes_matrix D t j c : all_whole D (concat t) = true ->
  whole_matrix (map (wholes D) t) j c = matrix_of t j c * IZR D.
Proof.
  intros H. unfold whole_matrix, matrix_of. change (@nil Z) with (wholes D []). rewrite map_nth.
  apply wholes_vector. unfold all_whole in *. apply andb_prop in H as [P H]. rewrite P. simpl.
  apply forallb_forall. rewrite forallb_forall in H. intros x Hx. apply H.
  destruct (Nat.ltb_spec j (length t)) as [L|L].
  - apply in_concat. exists (nth j t []). split; [now apply nth_In|exact Hx].
  - rewrite nth_overflow in Hx by exact L. destruct Hx.
Qed.

(** ** Logits of all tuples *)

Definition total : list Z -> Z := fold_right Z.add 0%Z.

Fixpoint times (a b : list Z) : list Z :=
  match a, b with
  | x :: a', y :: b' => (x * y)%Z :: times a' b'
  | _, _ => []
  end.

Fixpoint whole_logit (q : list Z) (Ks : list (list (list Z))) (t : list nat) : Z :=
  match Ks, t with
  | K :: Ks', j :: t' => whole_logit (times q (nth j K [])) Ks' t'
  | _, _ => total q
  end.

(** Every tuple with its logit. *)
Fixpoint entries (slots : list (list nat)) (Ks : list (list (list Z))) (q : list Z)
  : list (Z * list nat) :=
  match slots, Ks with
  | js :: slots', K :: Ks' =>
      flat_map (fun j => map (fun e => (fst e, j :: snd e))
                           (entries slots' Ks' (times q (nth j K [])))) js
  | _, _ => [(total q, [])]
  end.

Lemma entries_tuples slots : forall Ks q, length Ks = length slots ->
  entries slots Ks q = map (fun t => (whole_logit q Ks t, t)) (tuples slots).
Proof.
  induction slots as [|js slots IH]; intros [|K Ks] q H; try discriminate H; [reflexivity|].
  injection H as H. cbn [entries tuples].
  induction js as [|j js IHj]; [reflexivity|]. cbn [flat_map]. rewrite map_app, IHj. f_equal.
  rewrite IH by exact H. now rewrite !map_map.
Qed.

Lemma times_length a : forall b, (length (times a b) <= length a)%nat.
Proof. induction a; intros [|y b]; simpl; try lia. specialize (IHa b). lia. Qed.

Lemma times_nth a : forall b c, nth c (times a b) 0%Z = (nth c a 0 * nth c b 0)%Z.
Proof.
  induction a as [|x a IH]; intros [|y b] [|c]; simpl; try reflexivity; try lia.
  apply IH.
Qed.

Lemma total_rsum l : forall n, (length l <= n)%nat -> IZR (total l) = rsum n (whole_vector l).
Proof.
  induction l as [|x l IH]; intros n H.
  - rewrite (rsum_ext _ _ (fun _ => 0)); [rewrite rsum_const; simpl; ring|].
    intros [|j] _; reflexivity.
  - destruct n as [|n]; [simpl in H; lia|]. rewrite rsum_first. simpl in *.
    rewrite plus_IZR, (IH n) by lia. reflexivity.
Qed.

Lemma whole_logit_rsum n : forall Ks q t, (length q <= n)%nat ->
  IZR (whole_logit q Ks t)
  = rsum n (fun c => whole_vector q c * row_product (map whole_matrix Ks) t c).
Proof.
  induction Ks as [|K Ks IH]; intros q t H.
  - simpl. rewrite (total_rsum _ n H). apply rsum_ext. intros. ring.
  - destruct t as [|j t]; simpl.
    + rewrite (total_rsum _ n H). apply rsum_ext. intros. ring.
    + rewrite IH by (pose proof (times_length q (nth j K [])); lia). apply rsum_ext. intros c _.
      unfold whole_vector. rewrite times_nth, mult_IZR. unfold whole_matrix, whole_vector. ring.
Qed.

Lemma row_product_scaled D Ms : forall t c, length t = length Ms ->
  (forall M, In M Ms -> all_whole D (concat M) = true) ->
  row_product (map whole_matrix (map (map (wholes D)) Ms)) t c
  = row_product (map matrix_of Ms) t c * IZR (D ^ Z.of_nat (length Ms)).
Proof.
  induction Ms as [|M Ms IH]; intros [|j t] c E H; try discriminate E; [simpl; ring|].
  injection E as E. change (length (M :: Ms)) with (S (length Ms)).
  rewrite Nat2Z.inj_succ, Z.pow_succ_r, mult_IZR by lia. cbn [map row_product].
  rewrite IH, wholes_matrix by (try exact E; intros; apply H; now constructor || now right).
  ring.
Qed.

Lemma tuples_member_length slots : forall t, In t (tuples slots) -> length t = length slots.
Proof.
  induction slots as [|js slots IH]; intros t Ht.
  - destruct Ht as [<-|[]]. reflexivity.
  - apply in_tuples_inv in Ht as (j & t' & -> & _ & Ht). simpl. f_equal. now apply IH.
Qed.

Lemma whole_logit_scaled Dq DK q Ks t : length t = length Ks ->
  all_whole Dq q = true -> (forall K, In K Ks -> all_whole DK (concat K) = true) ->
  IZR (whole_logit (wholes Dq q) (map (map (wholes DK)) Ks) t)
  = tuple_logit (length q) (vector_of q) (map matrix_of Ks) t
    * IZR (Dq * DK ^ Z.of_nat (length Ks)).
Proof.
  intros E Hq HK. rewrite (whole_logit_rsum (length q)) by (unfold wholes; rewrite map_length; lia).
  unfold tuple_logit. rewrite mult_IZR, <- rsum_scal_r. apply rsum_ext. intros c _.
  rewrite wholes_vector, row_product_scaled by assumption. ring.
Qed.
