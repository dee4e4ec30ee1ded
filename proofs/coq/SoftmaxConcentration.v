(** L1 `softmax-concentration`: a margin of g leaves at most λ to all other tuples. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Guarantee Tuples.
Import ListNotations.
Open Scope R_scope.

(** The denominator is at most exp(s i) (1 + E). *)
Lemma expsum_bound n s i g :
  (i < n)%nat -> margin n s i g ->
  rsum n (fun l => exp (s l)) <= exp (s i) * (1 + excess (n - 1) g).
Proof.
  intros Hi Hg. rewrite (rsum_split n i) by exact Hi.
  assert (H : rsum n (fun j => if Nat.eqb j i then 0 else exp (s j))
          <= rsum n (fun j => if Nat.eqb j i then 0 else exp (s i) * exp (- g))).
  { apply rsum_le. intros j Hj. destruct (Nat.eqb_spec j i) as [|Hne]; [lra|].
    rewrite <- exp_plus. specialize (Hg j Hj Hne).
    destruct (Req_dec (s j) (s i + - g)) as [->|]; [lra|].
    left. apply exp_increasing. lra. }
  rewrite rsum_const_except in H by exact Hi. unfold excess.
  replace (exp (s i) * (1 + INR (n - 1) * exp (- g)))
    with (exp (s i) + INR (n - 1) * (exp (s i) * exp (- g))) by ring.
  lra.
Qed.

(** The top tuple weighs at least 1 - λ. *)
Theorem softmax_concentration n s i g :
  (i < n)%nat -> margin n s i g -> weight n s i >= 1 - leak (n - 1) g.
Proof.
  intros Hi Hg. pose proof (expsum_bound n s i g Hi Hg) as HB.
  pose proof (expsum_pos n s ltac:(lia)) as HZ.
  pose proof (excess_nonneg (n - 1) g) as HE. pose proof (exp_pos (s i)) as Hs.
  rewrite leak_complement. unfold weight.
  set (Z := rsum n _) in *. set (E := excess (n - 1) g) in *.
  apply Rle_ge. apply (Rmult_le_reg_r (1 + E)); [lra|].
  apply (Rmult_le_reg_r Z); [lra|].
  replace (1 / (1 + E) * (1 + E) * Z) with Z by (field; lra).
  replace (exp (s i) / Z * (1 + E) * Z) with (exp (s i) * (1 + E)) by (field; lra).
  exact HB.
Qed.

(** All other tuples together weigh at most λ. *)
Theorem softmax_concentration_rest n s i g :
  (i < n)%nat -> margin n s i g ->
  rsum n (fun j => if Nat.eqb j i then 0 else weight n s j) <= leak (n - 1) g.
Proof.
  intros Hi Hg. pose proof (softmax_concentration n s i g Hi Hg) as H1.
  pose proof (weight_total n s ltac:(lia)) as HT.
  rewrite (rsum_split n i) in HT by exact Hi. lra.
Qed.

(** A tuple of value 1 gives an output of at least 1 - λ, the other values being nonnegative. *)
Lemma softmax_concentration_one n s v i g :
  (i < n)%nat -> margin n s i g ->
  (forall j, (j < n)%nat -> 0 <= v j) -> v i = 1 ->
  output n s v >= 1 - leak (n - 1) g.
Proof.
  intros Hi Hg Hv Hvi. rewrite (output_split n s v i Hi), Hvi, Rmult_1_r.
  pose proof (softmax_concentration n s i g Hi Hg).
  assert (0 <= rsum n (fun j => if Nat.eqb j i then 0 else weight n s j * v j)); [|lra].
  apply rsum_nonneg. intros j Hj. destruct (Nat.eqb j i); [lra|].
  apply Rmult_le_pos; [apply weight_nonneg; lia|auto].
Qed.

(** A tuple of value 0 gives an output of at most λ, the other values being at most 1. *)
Lemma softmax_concentration_zero n s v i g :
  (i < n)%nat -> margin n s i g ->
  (forall j, (j < n)%nat -> v j <= 1) -> v i = 0 ->
  output n s v <= leak (n - 1) g.
Proof.
  intros Hi Hg Hv Hvi. rewrite (output_split n s v i Hi), Hvi, Rmult_0_r, Rplus_0_l.
  eapply Rle_trans; [|exact (softmax_concentration_rest n s i g Hi Hg)].
  apply rsum_le. intros j Hj. destruct (Nat.eqb j i); [lra|].
  rewrite <- (Rmult_1_r (weight n s j)) at 2.
  apply Rmult_le_compat_l; [apply weight_nonneg; lia|auto].
Qed.

(** ** Ties, any set of tuples *)

(** Greatest total weight of the competitors, c of them for each tied tuple, at margin g. *)
Definition leak_of (c g : R) : R := c * exp (- g) / (1 + c * exp (- g)).

(** How many members of [l] satisfy [p]. *)
Definition number {A} (p : A -> bool) (l : list A) : R := INR (length (filter p l)).

(** Competitors for each tied tuple. *)
Definition competitors {A} (top : A -> bool) (l : list A) : R :=
  number (fun t => negb (top t)) l / number top l.

(** The tuples chosen by [top] share the logit S, all others lie at least g lower. *)
Definition singled_out {A} (l : list A) (s : A -> R) (top : A -> bool) (S g : R) : Prop :=
  forall t, In t l -> if top t then s t = S else s t <= S - g.

(** Total weight of the tuples chosen by [p]. *)
Definition mass {A} (l : list A) (s : A -> R) (p : A -> bool) : R :=
  lsum (fun t => if p t then tuple_weight l s t else 0) l.

Lemma number_nonneg {A} (p : A -> bool) l : 0 <= number p l.
Proof. apply pos_INR. Qed.

Lemma competitors_nonneg {A} (top : A -> bool) l : 0 < number top l -> 0 <= competitors top l.
Proof.
  intros H. unfold competitors. apply Rmult_le_pos; [apply number_nonneg|].
  left; now apply Rinv_0_lt_compat.
Qed.

Lemma leak_of_range c g : 0 <= c -> 0 <= leak_of c g < 1.
Proof.
  intros Hc. pose proof (exp_pos (- g)). assert (0 <= c * exp (- g)) by nra.
  unfold leak_of. set (E := c * exp (- g)) in *. split.
  - apply Rmult_le_pos; [lra|]. left; apply Rinv_0_lt_compat; lra.
  - apply (Rmult_lt_reg_r (1 + E)); [lra|]. replace (E / (1 + E) * (1 + E)) with E by (field; lra).
    lra.
Qed.

Lemma lsum_zero {A} (f : A -> R) l :
  (forall t, In t l -> 0 <= f t) -> lsum f l = 0 -> forall t, In t l -> f t = 0.
Proof.
  intros Hf H t Ht. pose proof (lsum_ge_term f l t Hf Ht). specialize (Hf t Ht). lra.
Qed.

Lemma top_inhabited {A} (top : A -> bool) l : 0 < number top l -> l <> [].
Proof. intros H ->. unfold number in H. simpl in H. lra. Qed.

Section Ties.
Context {A : Type} (l : list A) (s : A -> R) (top : A -> bool) (S g : R).
Hypothesis Htop : 0 < number top l.
Hypothesis Hout : singled_out l s top S g.

Let others t := negb (top t).
Let c := competitors top l.
Let rest := lsum (fun t => exp (s t)) (filter others l).

Lemma top_exps : lsum (fun t => exp (s t)) (filter top l) = number top l * exp S.
Proof.
  rewrite (lsum_ext _ (fun _ => exp S)); [apply lsum_const|].
  intros t Ht. apply filter_In in Ht as [Hl Ht]. specialize (Hout t Hl). rewrite Ht in Hout.
  now rewrite Hout.
Qed.

Lemma rest_exps : rest <= number others l * (exp S * exp (- g)).
Proof.
  unfold rest, number. rewrite <- lsum_const. apply lsum_le. intros t Ht.
  apply filter_In in Ht as [Hl Ht]. unfold others in Ht. specialize (Hout t Hl).
  destruct (top t); [discriminate|]. rewrite <- exp_plus.
  destruct Hout as [Hlt|Heq]; [left; apply exp_increasing; lra|right; f_equal; lra].
Qed.

Lemma rest_nonneg : 0 <= rest.
Proof. apply lsum_nonneg. intros; left; apply exp_pos. Qed.

Lemma all_exps : lsum (fun t => exp (s t)) l = number top l * exp S + rest.
Proof. now rewrite (lsum_partition top), top_exps. Qed.

Lemma competitors_number : number others l = c * number top l.
Proof. unfold c, competitors. change (fun t => negb (top t)) with others. field. lra. Qed.

Lemma mass_top : mass l s top = number top l * exp S / (number top l * exp S + rest).
Proof.
  unfold mass. rewrite lsum_filter. unfold tuple_weight, Rdiv. rewrite lsum_scal_r, top_exps.
  now rewrite all_exps.
Qed.

Lemma mass_others : mass l s others = 1 - mass l s top.
Proof.
  unfold mass. rewrite !lsum_filter.
  pose proof (tuple_weight_total l s (top_inhabited _ _ Htop)) as H. rewrite (lsum_partition top) in H.
  fold others in H. lra.
Qed.

Lemma c_nonneg : 0 <= c.
Proof. now apply competitors_nonneg. Qed.

Lemma tie_excess_nonneg : 0 <= c * exp (- g).
Proof. apply Rmult_le_pos; [apply c_nonneg|left; apply exp_pos]. Qed.

(** The competitors together weigh at most the leak. *)
Lemma softmax_concentration_ties_rest : mass l s others <= leak_of c g.
Proof.
  rewrite mass_others, mass_top. pose proof rest_exps as Hr. pose proof rest_nonneg.
  pose proof tie_excess_nonneg as HE. rewrite competitors_number in Hr.
  pose proof (exp_pos S) as HS. assert (HT : 0 < number top l * exp S) by nra.
  unfold leak_of. set (E := c * exp (- g)) in *. set (T := number top l * exp S) in *.
  replace (c * number top l * (exp S * exp (- g))) with (E * T) in Hr by (unfold E, T; ring).
  replace (E / (1 + E)) with (1 - 1 / (1 + E)) by (field; lra).
  assert (1 / (1 + E) <= T / (T + rest)); [|lra].
  apply (Rmult_le_reg_r (1 + E)); [lra|]. apply (Rmult_le_reg_r (T + rest)); [lra|].
  replace (1 / (1 + E) * (1 + E) * (T + rest)) with (T + rest) by (field; lra).
  replace (T / (T + rest) * (1 + E) * (T + rest)) with (T * (1 + E)) by (field; lra). lra.
Qed.

(** The tied tuples together weigh at least 1 - leak. *)
Theorem softmax_concentration_ties : mass l s top >= 1 - leak_of c g.
Proof. pose proof softmax_concentration_ties_rest. rewrite mass_others in H. lra. Qed.

(** They weigh exactly 1 - leak if and only if every competitor lies exactly g lower. *)
Theorem softmax_concentration_equality :
  mass l s top = 1 - leak_of c g <-> (forall t, In t l -> top t = false -> s t = S - g).
Proof.
  pose proof tie_excess_nonneg as HE. pose proof rest_nonneg.
  pose proof (exp_pos S) as HS. assert (HT : 0 < number top l * exp S) by nra.
  assert (Hiff : mass l s top = 1 - leak_of c g
                 <-> rest = number others l * (exp S * exp (- g))).
  { rewrite mass_top, competitors_number. unfold leak_of.
    set (E := c * exp (- g)) in *. set (T := number top l * exp S) in *.
    replace (c * number top l * (exp S * exp (- g))) with (E * T) by (unfold E, T; ring).
    split; intros H1.
    - assert (H2 : T * (1 + E) = T + rest); [|lra].
      assert (H3 : T / (T + rest) * (T + rest) * (1 + E)
                   = (1 - E / (1 + E)) * (T + rest) * (1 + E)) by now rewrite H1.
      replace (T / (T + rest) * (T + rest)) with T in H3 by (field; lra).
      rewrite H3. field; lra.
    - rewrite H1. field. split; nra. }
  rewrite Hiff. clear Hiff. split; intros H1.
  - assert (Hz : lsum (fun t => exp S * exp (- g) - exp (s t)) (filter others l) = 0).
    { rewrite (lsum_ext _ (fun t => exp S * exp (- g) + -1 * exp (s t))) by (intros; ring).
      rewrite lsum_plus, lsum_const, lsum_scal. fold rest. rewrite H1. unfold number. ring. }
    intros t Hl Ht. pose proof (Hout t Hl) as Hle. rewrite Ht in Hle.
    apply exp_inv. replace (S - g) with (S + - g) by ring. rewrite exp_plus.
    apply Rminus_diag_uniq_sym. revert t Hl Ht Hle.
    assert (Hpos : forall t, In t (filter others l) -> 0 <= exp S * exp (- g) - exp (s t)).
    { intros t Ht. apply filter_In in Ht as [Hl Ht]. unfold others in Ht.
      pose proof (Hout t Hl) as Hle. destruct (top t); [discriminate|].
      rewrite <- exp_plus. destruct Hle as [Hlt|Heq].
      - pose proof (exp_increasing (s t) (S + - g) ltac:(lra)). lra.
      - rewrite Heq. replace (S + - g) with (S - g) by ring. lra. }
    intros t Hl Ht _. apply (lsum_zero _ _ Hpos Hz). apply filter_In. split; [exact Hl|].
    unfold others. now rewrite Ht.
  - unfold rest, number. rewrite <- lsum_const. apply lsum_ext. intros t Ht.
    apply filter_In in Ht as [Hl Ht]. unfold others in Ht. apply negb_true_iff in Ht.
    rewrite (H1 t Hl Ht), <- exp_plus. f_equal.
Qed.

(** The output is as near to the common value of the tied tuples as leak * (max - min). *)
Theorem softmax_concentration_output (v : A -> R) v0 lo hi :
  (forall t, In t l -> lo <= v t <= hi) ->
  (forall t, In t l -> top t = true -> v t = v0) ->
  Rabs (tuple_output l s v - v0) <= leak_of c g * (hi - lo).
Proof.
  intros Hv Hv0. pose proof (top_inhabited _ _ Htop) as Hl.
  assert (Hw : forall t, 0 <= tuple_weight l s t) by (intros; now apply tuple_weight_nonneg).
  assert (E : tuple_output l s v - v0
              = lsum (fun t => tuple_weight l s t * (v t - v0)) (filter others l)).
  { replace v0 with (v0 * lsum (tuple_weight l s) l) at 1 by (rewrite tuple_weight_total by exact Hl; ring).
    rewrite <- lsum_scal. unfold tuple_output.
    replace (lsum (fun t => tuple_weight l s t * v t) l - lsum (fun x => v0 * tuple_weight l s x) l)
      with (lsum (fun t => tuple_weight l s t * v t) l + -1 * lsum (fun x => v0 * tuple_weight l s x) l) by ring.
    rewrite <- lsum_scal, <- lsum_plus, (lsum_partition top).
    rewrite (lsum_ext _ (fun _ => 0) (filter top l)).
    - rewrite lsum_const, Rmult_0_r, Rplus_0_l. apply lsum_ext; intros; ring.
    - intros t Ht. apply filter_In in Ht as [Hin Ht]. rewrite (Hv0 t Hin Ht). ring. }
  assert (Hm : lsum (tuple_weight l s) (filter others l) <= leak_of c g).
  { pose proof softmax_concentration_ties_rest as H. unfold mass in H. now rewrite lsum_filter in H. }
  assert (Hdiff : forall t, In t (filter others l) -> - (hi - lo) <= v t - v0 <= hi - lo).
  { intros t Ht. apply filter_In in Ht as [Hin _]. pose proof (Hv t Hin).
    assert (lo <= v0 <= hi); [|lra].
    destruct (filter top l) as [|t0 l0] eqn:F.
    - unfold number in Htop. rewrite F in Htop. simpl in Htop. lra.
    - assert (H0 : In t0 (filter top l)) by (rewrite F; now left).
      apply filter_In in H0 as [H1 H2]. rewrite <- (Hv0 t0 H1 H2). now apply Hv. }
  assert (Hlow : - (lsum (tuple_weight l s) (filter others l) * (hi - lo)) <= tuple_output l s v - v0).
  { rewrite E. rewrite <- lsum_scal_r.
    replace (- lsum (fun x => tuple_weight l s x * (hi - lo)) (filter others l))
      with (-1 * lsum (fun x => tuple_weight l s x * (hi - lo)) (filter others l)) by ring.
    rewrite <- lsum_scal. apply lsum_le. intros t Ht. specialize (Hdiff t Ht).
    specialize (Hw t). nra. }
  assert (Hup : tuple_output l s v - v0 <= lsum (tuple_weight l s) (filter others l) * (hi - lo)).
  { rewrite E, <- lsum_scal_r. apply lsum_le. intros t Ht. specialize (Hdiff t Ht).
    apply Rmult_le_compat_l; [apply Hw|lra]. }
  assert (Hhl : 0 <= hi - lo).
  { destruct l as [|t0 l0]; [congruence|]. specialize (Hv t0 (or_introl eq_refl)). lra. }
  assert (lsum (tuple_weight l s) (filter others l) * (hi - lo) <= leak_of c g * (hi - lo))
    by (apply Rmult_le_compat_r; lra).
  apply Rabs_le. lra.
Qed.

(** Values between 0 and 1: the output is at most the leak if the tied value is 0 and at
    least 1 - leak if it is 1. *)
Corollary output_of_bit (v : A -> R) (bit : bool) :
  (forall t, In t l -> 0 <= v t <= 1) ->
  (forall t, In t l -> top t = true -> v t = bitval bit) ->
  if bit then tuple_output l s v >= 1 - leak_of c g else tuple_output l s v <= leak_of c g.
Proof.
  intros Hv Hb. pose proof (softmax_concentration_output v (bitval bit) 0 1 Hv Hb) as H.
  apply Rabs_le_inv in H. destruct bit; unfold bitval in H; lra.
Qed.

End Ties.
