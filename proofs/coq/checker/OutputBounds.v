(** Where the output of tensor attention lies, decided in whole numbers. *)
From Coq Require Import Reals Lra Lia ZArith QArith Qreals List Bool.
From KVFloor Require Import Sums Attention Tuples.
From KVFloor Require Import Certificates Exponential Numbers Groups.
Import ListNotations.
Open Scope R_scope.

(** ** An output on one side of a number r *)

Lemma output_quotient {A} (l : list A) s v S : l <> [] ->
  tuple_output l s v * lsum (fun t => exp (s t - S)) l = lsum (fun t => exp (s t - S) * v t) l.
Proof.
  intros H. pose proof (exps_pos l s H) as P. unfold tuple_output, tuple_weight.
  rewrite <- !lsum_scal_r.
  assert (E : lsum (fun t => exp (s t - S)) l = lsum (fun t => exp (s t)) l * exp (- S)).
  { rewrite <- lsum_scal_r. apply lsum_ext. intros. now rewrite <- exp_plus. }
  apply lsum_ext. intros t _. rewrite E. unfold Rminus. rewrite exp_plus. field. lra.
Qed.

Lemma output_difference {A} (l : list A) s v S r : l <> [] ->
  exists P, 0 < P /\
    (tuple_output l s v - r) * P = lsum (fun t => exp (s t - S) * (v t - r)) l.
Proof.
  intros H. exists (lsum (fun t => exp (s t - S)) l). split; [now apply exps_pos|].
  rewrite Rmult_minus_distr_r, (output_quotient l s v S H), Rmult_comm.
  transitivity (lsum (fun t => exp (s t - S) * v t + exp (s t - S) * - r) l);
    [rewrite lsum_plus, lsum_scal_r; ring|apply lsum_ext; intros; ring].
Qed.

(** ** Both bounds, at a precision that is doubled until it decides *)

(** Whether the mean of the groups, over V, lies above or below r, if the enclosures show it. *)
Definition is_above (V : Z) (l : list enclosed_group) (r : Q) : bool :=
  (0 <? least (Zpos (Qden r)) (Qnum r * V) l)%Z.
Definition is_below (V : Z) (l : list enclosed_group) (r : Q) : bool :=
  (0 <? least (- Zpos (Qden r)) (- (Qnum r * V)) l)%Z.
Definition is_equal (V : Z) (l : list group) (r : Q) : bool :=
  forallb (fun g => part (Zpos (Qden r)) (Qnum r * V) g =? 0)%Z l.

Definition try_between (b V : Z) (l : list group) (lower upper : Q) (w : Z) : option bool :=
  let e := map (enclose w b) l in
  let (el, eu) := (enclosures w b V l e lower, enclosures w b V l e upper) in
  if (0 <=? w)%Z && is_above V el lower && is_below V eu upper then Some true
  else if is_below V el lower || is_above V eu upper then Some false else None.

Fixpoint decided (fuel : nat) (try : Z -> option bool) (w : Z) : bool :=
  match fuel with
  | O => false
  | S k => match try w with Some found => found | None => decided k try (2 * w) end
  end.

Lemma decided_by fuel try : forall w, decided fuel try w = true -> exists w', try w' = Some true.
Proof.
  induction fuel as [|k IH]; intros w H; [discriminate H|]. cbn [decided] in H.
  destruct (try w) as [[|]|] eqn:E; [eauto|discriminate H|eauto].
Qed.

(** Outputs are given as neighbouring multiples of 2^-64. *)
Definition on_grid (x : Q) : bool := (2 ^ 64 mod Zpos (Qden x) =? 0)%Z.
Definition neighbours (lower upper : Q) : bool := Qeq_bool upper (lower + (1 # 2 ^ 64)).

(** Bits that leave a guess of one in 2^16 or so undecided at first. *)
Definition first_precision (V : Z) (l : list group) : Z :=
  (88 + Z.log2 (1 + fold_right (fun g s => let '(_, k, t) := g in k + Z.abs t / V + s) 0 l))%Z.
Definition doublings : nat := 6.

(** No precision would tell an output from a bound that it is equal to. *)
Definition lies_between (b V : Z) (l : list group) (lower upper : Q) : bool :=
  on_grid lower &&
  if Qeq_bool lower upper then is_equal V l lower
  else if neighbours lower upper && negb (is_equal V l lower) && negb (is_equal V l upper)
  then decided doublings (try_between b V l lower upper) (first_precision V l) else false.

(** ** From whole numbers to the output *)

Fixpoint whole_value (Vs : list (list (list Z))) (t : list nat) (c : nat) : Z :=
  match Vs, t with
  | V :: Vs', j :: t' => (nth c (nth j V []) 0 * whole_value Vs' t' c)%Z
  | _, _ => 1%Z
  end.

Lemma whole_value_product Vs : forall t c,
  IZR (whole_value Vs t c) = row_product (map whole_matrix Vs) t c.
Proof.
  induction Vs as [|V Vs IH]; intros [|j t] c; try reflexivity.
  cbn [whole_value map row_product]. now rewrite mult_IZR, IH.
Qed.

(** Numbers of attention, all whole: the denominators of query, keys and values. *)
Section Attention.
Variables (slots : list (list nat)) (q : list Q) (Ks Vs : list table) (c : nat).

Definition query_denominator : Z := common q.
Definition denominator (Ms : list table) : Z := common (concat (concat Ms)).
Definition are_whole (Ms : list table) : bool :=
  forallb (fun M => all_whole (denominator Ms) (concat M)) Ms.
Definition logit_denominator : Z :=
  (query_denominator * denominator Ks ^ Z.of_nat (length Ks))%Z.
Definition value_denominator : Z := (denominator Vs ^ Z.of_nat (length Vs))%Z.

Definition whole_entries : list (Z * list nat) :=
  let D := denominator Ks in
  entries slots (map (map (wholes D)) Ks) (wholes query_denominator q).

Definition largest (l : list (Z * list nat)) : Z :=
  fold_right (fun e m => Z.max (fst e) m) (match l with e :: _ => fst e | [] => 0%Z end) l.

Definition groups_of (l : list (Z * list nat)) : list group :=
  let m := largest l in
  let D := denominator Vs in
  let W := map (map (wholes D)) Vs in
  grouped (map (fun e => (m - fst e, whole_value W (snd e) c)%Z) l).

Definition well_formed : bool :=
  (length Ks =? length slots)%nat && (length Vs =? length slots)%nat &&
  all_whole query_denominator q && are_whole Ks && are_whole Vs &&
  (0 <? denominator Ks)%Z && (0 <? denominator Vs)%Z &&
  forallb (fun js => negb (length js =? 0)%nat) slots.

Definition output_between (lower upper : Q) : bool :=
  well_formed &&
  lies_between logit_denominator value_denominator (groups_of whole_entries) lower upper.

Definition output_of : R :=
  tensor slots (length q) (vector_of q) (map matrix_of Ks) (map matrix_of Vs) c.

Hypothesis Hwell : well_formed = true.

Lemma well : length Ks = length slots /\ length Vs = length slots /\
  all_whole query_denominator q = true /\
  (forall K, In K Ks -> all_whole (denominator Ks) (concat K) = true) /\
  (forall V, In V Vs -> all_whole (denominator Vs) (concat V) = true) /\
  (0 < denominator Ks)%Z /\ (0 < denominator Vs)%Z /\ tuples slots <> [].
Proof.
  unfold well_formed, are_whole in Hwell. rewrite !andb_true_iff in Hwell.
  destruct Hwell as (((((((H1 & H2) & H3) & H4) & H5) & H6) & H7) & H8).
  rewrite forallb_forall in H4, H5, H8. apply Nat.eqb_eq in H1, H2. apply Z.ltb_lt in H6, H7.
  repeat split; try assumption.
  apply tuples_nonempty. intros js Hjs ->. specialize (H8 [] Hjs). discriminate H8.
Qed.

Lemma logit_denominator_pos : (0 < logit_denominator)%Z.
Proof.
  destruct well as (_ & _ & Hq & _ & _ & HK & _). unfold logit_denominator.
  unfold all_whole in Hq. apply andb_prop in Hq as [Hq _]. apply Z.ltb_lt in Hq.
  apply Z.mul_pos_pos; [exact Hq|]. apply Z.pow_pos_nonneg; lia.
Qed.

Lemma value_denominator_pos : (0 < value_denominator)%Z.
Proof. destruct well as (_ & _ & _ & _ & _ & _ & HV & _). apply Z.pow_pos_nonneg; lia. Qed.

Lemma largest_above l e : In e l -> (fst e <= largest l)%Z.
Proof.
  unfold largest. generalize (match l with e :: _ => fst e | [] => 0%Z end). intros m.
  induction l as [|e' l IH]; intros []; simpl; [subst; lia|]. specialize (IH H). lia.
Qed.

Lemma distances_nonneg l g : In g (groups_of l) -> (0 <= distance g)%Z.
Proof.
  unfold groups_of, grouped. intros H.
  enough (I : forall es t, (forall e, In e es -> (0 <= fst e)%Z) ->
     (forall g, In g (flatten t []) -> (0 <= distance g)%Z) ->
     forall g, In g (flatten (fold_left (fun t e => insert (fst e) (snd e) t) es t) []) ->
       (0 <= distance g)%Z).
  { apply (I _ Leaf) in H; [exact H| |intros _ []].
    intros e He. apply in_map_iff in He as (e' & <- & He). cbn [fst].
    pose proof (largest_above l e' He). lia. }
  clear. induction es as [|e es IH]; intros t He Ht; [exact Ht|].
  cbn [fold_left]. apply IH; [intros; apply He; now right|].
  specialize (He e (or_introl eq_refl)). revert Ht He. clear. generalize (@nil group).
  assert (F : forall t0 rest g, In g (flatten t0 rest) <-> In g (flatten t0 []) \/ In g rest).
  { induction t0 as [|less IHl g' more IHm]; intros rest g; cbn [flatten]; [simpl; tauto|].
    rewrite (IHl (g' :: flatten more rest) g), (IHl (g' :: flatten more []) g). cbn [In].
    rewrite (IHm rest g). tauto. }
  induction t as [|less IHl [[a k] s] more IHm]; intros rest Ht He g Hg; cbn [insert] in Hg.
  - destruct Hg as [<-|Hg]; [exact He|]. apply Ht. exact Hg.
  - destruct (fst e ?= a)%Z; cbn [flatten] in Hg, Ht.
    + rewrite F in Hg. destruct Hg as [Hg|[<-|Hg]].
      * apply Ht. rewrite F. now left.
      * apply (Ht (a, k, s)). rewrite F. right. now left.
      * apply Ht. rewrite F. right. now right.
    + apply (IHl _ Ht He g Hg).
    + rewrite F in Hg. destruct Hg as [Hg|[<-|Hg]].
      * apply Ht. rewrite F. now left.
      * apply (Ht (a, k, s)). rewrite F. right. now left.
      * apply (IHm rest); [|exact He|exact Hg].
        intros g' Hg'. apply Ht. rewrite F. right. now right.
Qed.

(** The sum of e (x v - y) over the groups is that over the tuples, in real numbers. *)
Lemma groups_linear x y :
  exists S, linear (fun a => exp (- (IZR a / IZR logit_denominator))) x y (groups_of whole_entries)
  = lsum (fun t => exp (tuple_logit (length q) (vector_of q) (map matrix_of Ks) t - S)
      * (IZR x * (row_product (map matrix_of Vs) t c * IZR value_denominator) - IZR y))
      (tuples slots).
Proof.
  destruct well as (E1 & E2 & Hq & HK & HV & PK & PV & _).
  pose proof logit_denominator_pos as PL. apply IZR_lt in PL.
  set (m := largest whole_entries). exists (IZR m / IZR logit_denominator).
  unfold groups_of. fold m. rewrite grouped_linear, lsum_map. unfold whole_entries.
  rewrite entries_tuples by now rewrite map_length. rewrite lsum_map.
  apply lsum_ext. intros t Ht. apply tuples_member_length in Ht. cbn [fst snd].
  pose proof (whole_logit_scaled query_denominator (denominator Ks) q Ks t
                (eq_trans Ht (eq_sym E1)) Hq HK) as L.
  change (IZR (query_denominator * _)) with (IZR logit_denominator) in L. f_equal.
  - f_equal. rewrite minus_IZR, L. field. lra.
  - rewrite minus_IZR, mult_IZR, whole_value_product.
    rewrite (row_product_scaled (denominator Vs) Vs t c (eq_trans Ht (eq_sym E2)) HV).
    reflexivity.
Qed.

Lemma linear_output k r : exists P, 0 < P /\
  linear (fun a => exp (- (IZR a / IZR logit_denominator)))
    (k * Zpos (Qden r)) (k * (Qnum r * value_denominator)) (groups_of whole_entries)
  = IZR k * (output_of - Q2R r) * P.
Proof.
  pose proof value_denominator_pos as PV. apply IZR_lt in PV.
  destruct well as (_ & _ & _ & _ & _ & _ & _ & N).
  destruct (groups_linear (k * Zpos (Qden r)) (k * (Qnum r * value_denominator))) as [S E].
  destruct (output_difference (tuples slots)
    (tuple_logit (length q) (vector_of q) (map matrix_of Ks))
    (fun t => row_product (map matrix_of Vs) t c) S (Q2R r) N) as (P & PP & D).
  assert (Pr : 0 < IZR (Zpos (Qden r))) by (apply IZR_lt; lia).
  exists (P * (IZR (Zpos (Qden r)) * IZR value_denominator)).
  split; [apply Rmult_lt_0_compat; [exact PP|now apply Rmult_lt_0_compat]|].
  change (tuple_output _ _ _) with output_of in D. rewrite E.
  transitivity (IZR k * ((output_of - Q2R r) * P) * (IZR (Zpos (Qden r)) * IZR value_denominator));
    [|ring].
  rewrite D, (Rmult_comm (IZR k)), Rmult_assoc, <- lsum_scal_r. apply lsum_ext. intros t _.
  rewrite !mult_IZR. unfold Q2R. field. lra.
Qed.

Lemma sign_output w k r : (0 <= w)%Z ->
  (let l := groups_of whole_entries in
   0 < least (k * Zpos (Qden r)) (k * (Qnum r * value_denominator))
         (enclosures w logit_denominator value_denominator l
            (map (enclose w logit_denominator) l) r))%Z ->
  0 < IZR k * (output_of - Q2R r).
Proof.
  intros Hw H. apply (enclosures_sign _ _ _ _ _ _ Hw logit_denominator_pos
    (distances_nonneg whole_entries)) in H.
  destruct (linear_output k r) as (P & PP & E). rewrite E in H.
  apply Rmult_lt_reg_r with P; [exact PP|]. lra.
Qed.

Lemma grid_step : Q2R (1 # 2 ^ 64) = / 2 ^ 64.
Proof. unfold Q2R. cbn [Qnum Qden Pos.pow Pos.iter Pos.mul]. field. Qed.

Lemma on_grid_multiple x : on_grid x = true -> exists z, Q2R x = IZR z / 2 ^ 64.
Proof.
  unfold on_grid. intros H. exists (whole (2 ^ 64) x). rewrite (whole_spec _ _ H).
  change (2 ^ 64)%Z with (Z.pow 2 (Z.of_nat 64)). rewrite <- pow_IZR. field.
Qed.

End Attention.

Lemma output_between_correct slots q Ks Vs c lower upper :
  output_between slots q Ks Vs c lower upper = true ->
  enclosed lower upper (output_of slots q Ks Vs c).
Proof.
  unfold output_between, lies_between. rewrite andb_true_iff. intros [W H].
  apply andb_prop in H as [G H]. split; [now apply on_grid_multiple|].
  destruct (Qeq_bool lower upper) eqn:E.
  - left. apply Qeq_bool_iff, Qeq_eqR in E.
    destruct (linear_output slots q Ks Vs c W 1 lower) as (P & PP & L).
    enough (output_of slots q Ks Vs c = Q2R lower) by lra.
    enough (Z0 : (IZR 1 * (output_of slots q Ks Vs c - Q2R lower)) * P = 0)
      by (apply Rmult_integral in Z0; lra).
    rewrite <- L. unfold linear. rewrite (lsum_ext _ (fun _ => 0)); [rewrite lsum_const; ring|].
    intros g Hg. unfold is_equal in H. rewrite forallb_forall in H. specialize (H g Hg).
    apply Z.eqb_eq in H. rewrite !Z.mul_1_l, H. ring.
  - right. destruct (neighbours lower upper) eqn:N; cbn [andb] in H; [|discriminate H].
    destruct (_ && _) in H; [|discriminate H]. apply decided_by in H as [w H].
    unfold try_between in H.
    destruct ((0 <=? w)%Z) eqn:Hw; cbn [andb] in H; [|destruct (_ || _); discriminate H].
    apply Z.leb_le in Hw.
    destruct (is_above _ _ lower) eqn:A; cbn [andb] in H; [|destruct (_ || _); discriminate H].
    destruct (is_below _ _ upper) eqn:B; [|destruct (_ || _); discriminate H]. clear H.
    apply Z.ltb_lt in A, B.
    pose proof (sign_output slots q Ks Vs c W w 1 lower Hw) as SA.
    pose proof (sign_output slots q Ks Vs c W w (-1) upper Hw) as SB.
    rewrite !Z.mul_1_l in SA.
    change (-1 * Zpos (Qden upper))%Z with (- Zpos (Qden upper))%Z in SB.
    replace (-1 * (Qnum upper * value_denominator Vs))%Z
      with (- (Qnum upper * value_denominator Vs))%Z in SB by ring.
    specialize (SA A). specialize (SB B).
    apply Qeq_bool_iff, Qeq_eqR in N. rewrite Q2R_plus, grid_step in N. lra.
Qed.
