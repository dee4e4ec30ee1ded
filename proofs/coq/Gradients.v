(** D6 `gradients`: the backward pass. Six formulas are the derivative of attention of any order,
    with masks, soft caps, biases and sinks. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From Coquelicot Require Import Coquelicot.
From KVFloor Require Import Sums Attention Tuples RowGradients.
Import ListNotations.
Open Scope R_scope.

(** Weights add up to 1, so gradients of a row and of its sink to g. *)
Theorem gradients_rows d_v G g w0 l z v : 0 < row_total w0 l z ->
  lsum (dlogit d_v G g w0 l z v) l + dsink d_v G g w0 l z v = g.
Proof.
  intros HZ. set (D := row_mean d_v G w0 l z v).
  assert (H1 : w0 / row_total w0 l z + lsum (row_weight w0 l z) l = 1).
  { unfold row_weight, Rdiv. rewrite lsum_scal_r, <- Rmult_plus_distr_r. fold (row_total w0 l z).
    apply Rinv_r. lra. }
  assert (H2 : lsum (dlogit d_v G g w0 l z v) l = D + (g - D) * lsum (row_weight w0 l z) l).
  { unfold dlogit. fold D.
    rewrite (lsum_ext _ (fun t => rsum d_v (fun c => row_weight w0 l z t * (G c * v t c))
      + (g - D) * row_weight w0 l z t)).
    - rewrite lsum_plus, lsum_scal, lsum_rsum_swap. f_equal. unfold D, row_mean, row_out.
      apply rsum_ext. intros c _. rewrite <- lsum_scal. apply lsum_ext. intros; ring.
    - intros t _. rewrite rsum_scal. ring. }
  unfold dsink. fold D. rewrite H2. replace (lsum (row_weight w0 l z) l) with
    (1 - w0 / row_total w0 l z) by lra.
  ring.
Qed.

(** Gradients of logits are linear in the cotangents. *)
Theorem gradients_linear d_v G G' g g' a b w0 l z v t :
  dlogit d_v (fun c => a * G c + b * G' c) (a * g + b * g') w0 l z v t
    = a * dlogit d_v G g w0 l z v t + b * dlogit d_v G' g' w0 l z v t.
Proof.
  assert (E : forall f, rsum d_v (fun c => (a * G c + b * G' c) * f c)
            = a * rsum d_v (fun c => G c * f c) + b * rsum d_v (fun c => G' c * f c)).
  { intros f. rewrite <- !rsum_scal, <- rsum_plus. apply rsum_ext. intros; ring. }
  unfold dlogit, row_mean. rewrite !E. ring.
Qed.

(** ** B queries, m slots of n tokens *)

Section Model.
Variables (B m n d d_v : nat) (sigma : R) (cap dcap : R -> R) (sink : bool).
Variables (l : nat -> list (list nat)) (G : nat -> nat -> R) (g : nat -> R).

Definition tuple_inner (q : nat -> R) (K : nat -> matrix) (t : list nat) : R :=
  sigma * rsum d (fun c => q c * tuple_row m K t c).
Definition sink_weight (s0 : R) : R := if sink then exp s0 else 0.

(** Queries, keys and values of each slot, biases of tuples and logits of sinks. *)
Section Point.
Variables (q : nat -> nat -> R) (K V : nat -> matrix) (bias : nat -> list nat -> R) (s0 : nat -> R).

Definition logits (b : nat) (t : list nat) : R := cap (tuple_inner (q b) K t) + bias b t.

Definition loss : R := rsum B (fun b =>
  row_loss d_v (G b) (g b) (sink_weight (s0 b)) (l b) (logits b) (tuple_row m V)).

(** The gradients of a logit and its bias, of a sink, and of an inner product under the cap; *)
Definition dz (b : nat) (t : list nat) : R :=
  dlogit d_v (G b) (g b) (sink_weight (s0 b)) (l b) (logits b) (tuple_row m V) t.
Definition ds0 (b : nat) : R :=
  dsink d_v (G b) (g b) (sink_weight (s0 b)) (l b) (logits b) (tuple_row m V).
Definition ds (b : nat) (t : list nat) : R := dz b t * dcap (tuple_inner (q b) K t).

(** of a query, and of the keys and values of slot r. *)
Definition dq (b c : nat) : R := sigma * lsum (fun t => ds b t * tuple_row m K t c) (l b).
Definition dK (r : nat) : matrix := fun j c => sigma * rsum B (fun b => q b c *
  lsum (fun t => if nth r t 0%nat =? j then ds b t * rest_row m K r t c else 0) (l b)).
Definition dV (r : nat) : matrix := fun j c => rsum B (fun b => G b c *
  lsum (fun t => if nth r t 0%nat =? j
                 then row_weight (sink_weight (s0 b)) (l b) (logits b) t * rest_row m V r t c
                 else 0) (l b)).

Hypothesis Htuples : forall b t r, (b < B)%nat -> In t (l b) -> (r < m)%nat -> (nth r t 0 < n)%nat.

(** Σ_j K_r[j, c] dK_r[j, c] is Σ_b q_bc dq_bc, for every slot r. *)
Theorem gradients_moments r c : (r < m)%nat ->
  rsum n (fun j => K r j c * dK r j c) = rsum B (fun b => q b c * dq b c).
Proof.
  intros Hr. unfold dK, dq.
  rewrite (rsum_ext n _ (fun j => rsum B (fun b => sigma * q b c * (K r j c * lsum (fun t =>
    if nth r t 0%nat =? j then ds b t * rest_row m K r t c else 0) (l b))))).
  2: { intros j _. rewrite <- !rsum_scal. apply rsum_ext. intros; ring. }
  rewrite rsum_swap. apply rsum_ext. intros b Hb. rewrite rsum_scal.
  rewrite <- (lsum_by_token n r (fun t => ds b t * rest_row m K r t c) (fun j => K r j c))
    by (intros t Ht; now apply (Htuples b)).
  rewrite (lsum_ext _ (fun t => ds b t * tuple_row m K t c)); [ring|].
  intros t _. rewrite (tuple_row_rest m K r) by exact Hr. ring.
Qed.
End Point.

(** ** The derivative *)

(** Everything moves along curves through a point. *)
Section Curves.
Variables (q : nat -> R -> nat -> R) (K V : nat -> R -> matrix).
Variables (bias : nat -> R -> list nat -> R) (s0 : nat -> R -> R) (x : R).
Variables (q' : nat -> nat -> R) (K' V' : nat -> matrix) (bias' : nat -> list nat -> R)
  (s0' : nat -> R).

Let qx b := q b x.
Let Kx r := K r x.
Let Vx r := V r x.
Let biasx b := bias b x.
Let s0x b := s0 b x.

Lemma tuple_row_derivative (M : nat -> R -> matrix) (M' : nat -> matrix) t c :
  (forall r, (r < m)%nat -> is_derive (fun y => M r y (nth r t 0%nat) c) x
    (M' r (nth r t 0%nat) c)) ->
  is_derive (fun y => tuple_row m (fun r => M r y) t c) x
    (rsum m (fun r => M' r (nth r t 0%nat) c * rest_row m (fun r => M r x) r t c)).
Proof.
  intros H. exact (is_derive_rprod m (fun r y => M r y (nth r t 0%nat) c)
    (fun r => M' r (nth r t 0%nat) c) x H).
Qed.

Hypothesis Htuples : forall b t r, (b < B)%nat -> In t (l b) -> (r < m)%nat -> (nth r t 0 < n)%nat.
Hypothesis Hcap : forall y, is_derive cap y (dcap y).
Hypothesis Hq : forall b c, (b < B)%nat -> (c < d)%nat -> is_derive (fun y => q b y c) x (q' b c).
Hypothesis HK : forall r j c, (r < m)%nat -> (j < n)%nat -> (c < d)%nat ->
  is_derive (fun y => K r y j c) x (K' r j c).
Hypothesis HV : forall r j c, (r < m)%nat -> (j < n)%nat -> (c < d_v)%nat ->
  is_derive (fun y => V r y j c) x (V' r j c).
Hypothesis Hbias : forall b t, (b < B)%nat -> In t (l b) ->
  is_derive (fun y => bias b y t) x (bias' b t).
Hypothesis Hs0 : forall b, (b < B)%nat -> is_derive (s0 b) x (s0' b).

(** How an inner product, and a value, move. *)
Let inner' (b : nat) (t : list nat) : R := sigma * rsum d (fun c =>
  q' b c * tuple_row m Kx t c
  + qx b c * rsum m (fun r => K' r (nth r t 0%nat) c * rest_row m Kx r t c)).

Lemma inner_derivative b t : (b < B)%nat -> In t (l b) ->
  is_derive (fun y => tuple_inner (q b y) (fun r => K r y) t) x (inner' b t).
Proof.
  intros Hb Ht. apply @is_derive_scal.
  apply (is_derive_rsum d (fun c y => q b y c * tuple_row m (fun r => K r y) t c)).
  intros c Hc. apply is_derive_times; [now apply Hq|].
  apply (tuple_row_derivative K K'). intros r Hr. apply HK; auto. now apply (Htuples b).
Qed.

Lemma logits_derivative b t : (b < B)%nat -> In t (l b) ->
  is_derive (fun y => logits (fun b => q b y) (fun r => K r y) (fun b => bias b y) b t) x
    (dcap (tuple_inner (qx b) Kx t) * inner' b t + bias' b t).
Proof.
  intros Hb Ht. apply @is_derive_plus; [|now apply Hbias].
  rewrite Rmult_comm. exact (is_derive_comp cap (fun y => tuple_inner (q b y) (fun r => K r y) t) x
    _ _ (Hcap _) (inner_derivative b t Hb Ht)).
Qed.

Lemma row_total_pos b : sink = true \/ l b <> [] ->
  0 < row_total (sink_weight (s0x b)) (l b) (logits qx Kx biasx b).
Proof.
  intros Hrow. unfold row_total, sink_weight.
  assert (H : 0 <= lsum (fun t => exp (logits qx Kx biasx b t)) (l b))
    by (apply lsum_nonneg; intros; left; apply exp_pos).
  destruct sink eqn:E; [pose proof (exp_pos (s0x b)); lra|].
  destruct Hrow as [|Hne]; [congruence|]. rewrite Rplus_0_l. now apply exps_pos.
Qed.

Lemma loss_derivative :
  is_derive (fun y => loss (fun b => q b y) (fun r => K r y) (fun r => V r y)
                        (fun b => bias b y) (fun b => s0 b y)) x
    (rsum B (fun b => rsum d (fun c => dq qx Kx Vx biasx s0x b c * q' b c))
     + rsum m (fun r => rsum n (fun j => rsum d (fun c => dK qx Kx Vx biasx s0x r j c * K' r j c)))
     + rsum m (fun r => rsum n (fun j => rsum d_v
         (fun c => dV qx Kx Vx biasx s0x r j c * V' r j c)))
     + rsum B (fun b => lsum (fun t => dz qx Kx Vx biasx s0x b t * bias' b t) (l b))
     + rsum B (fun b => ds0 qx Kx Vx biasx s0x b * s0' b)).
Proof.
  set (v' t c := rsum m (fun r => V' r (nth r t 0%nat) c * rest_row m Vx r t c)).
  set (z' b t := dcap (tuple_inner (qx b) Kx t) * inner' b t + bias' b t).
  set (row b y := row_loss d_v (G b) (g b) (sink_weight (s0 b y)) (l b)
    (logits (fun b => q b y) (fun r => K r y) (fun b => bias b y) b)
      (tuple_row m (fun r => V r y))).
  set (row' b := lsum (fun t => dz qx Kx Vx biasx s0x b t * z' b t) (l b)
     + ds0 qx Kx Vx biasx s0x b * s0' b
     + rsum d_v (fun c => G b c * lsum (fun t =>
         row_weight (sink_weight (s0x b)) (l b) (logits qx Kx biasx b) t * v' t c) (l b))).
  assert (Hrow : forall b, (b < B)%nat -> is_derive (row b) x (row' b)).
  { intros b Hb.
    assert (Hcase : (sink = true \/ l b <> []) \/ (sink = false /\ l b = []))
      by (destruct sink, (l b); auto; left; right; discriminate).
    destruct Hcase as [Hsees|[Es El]].
    2: { unfold row, row', dz, ds0, sink_weight. rewrite Es, El. apply row_derivative_nothing. }
    refine (row_derivative d_v (G b) (g b) (l b) x (fun y => sink_weight (s0 b y))
      (fun t y => logits (fun b => q b y) (fun r => K r y) (fun b => bias b y) b t)
      (fun t c y => tuple_row m (fun r => V r y) t c) (s0' b) (z' b) v' _ _ _
        (row_total_pos b Hsees)).
    - unfold sink_weight. destruct sink; [now apply is_derive_exp_of, Hs0|].
      rewrite Rmult_0_l. apply @is_derive_const.
    - intros t Ht. now apply logits_derivative.
    - intros t c Ht Hc. apply (tuple_row_derivative V V'). intros r Hr.
      apply HV; auto. now apply (Htuples b). }
  pose proof (is_derive_rsum B row row' x Hrow) as Hloss.
  match goal with |- is_derive _ _ ?e => replace e with (rsum B row'); [exact Hloss|] end.
  clear Hrow Hloss. unfold row'.
  (* gather what stands at each query, key and value *)
  rewrite (rsum_ext B _ (fun b =>
    rsum d (fun c => dq qx Kx Vx biasx s0x b c * q' b c)
    + rsum m (fun r => rsum n (fun j => rsum d (fun c => sigma * qx b c * lsum (fun t =>
        if nth r t 0%nat =? j then ds qx Kx Vx biasx s0x b t * rest_row m Kx r t c else 0) (l b)
        * K' r j c)))
    + rsum m (fun r => rsum n (fun j => rsum d_v (fun c => G b c * lsum (fun t =>
        if nth r t 0%nat =? j then row_weight (sink_weight (s0x b)) (l b) (logits qx Kx biasx b) t
                                   * rest_row m Vx r t c else 0) (l b) * V' r j c)))
    + lsum (fun t => dz qx Kx Vx biasx s0x b t * bias' b t) (l b)
    + ds0 qx Kx Vx biasx s0x b * s0' b)).
  - rewrite !rsum_plus, (rsum_inside B m n d), (rsum_inside B m n d_v). f_equal. f_equal. f_equal;
      [f_equal|].
    + apply rsum_ext. intros r _. apply rsum_ext. intros j _. apply rsum_ext. intros c _.
      unfold dK. rewrite <- rsum_scal, <- rsum_scal_r. apply rsum_ext. intros; ring.
    + apply rsum_ext. intros r _. apply rsum_ext. intros j _. apply rsum_ext. intros c _.
      unfold dV. now rewrite <- rsum_scal_r.
  - intros b Hb.
    assert (Hb' : forall t r, In t (l b) -> (r < m)%nat -> (nth r t 0 < n)%nat)
      by (intros; now apply (Htuples b)).
    rewrite <- (by_slots m n d Kx K' (fun c => sigma * qx b c)) by exact Hb'.
    rewrite <- (by_slots m n d_v Vx V' (G b)) by exact Hb'.
    assert (Ez : lsum (fun t => dz qx Kx Vx biasx s0x b t * z' b t) (l b)
      = rsum d (fun c => dq qx Kx Vx biasx s0x b c * q' b c)
        + rsum d (fun c => sigma * qx b c * lsum (fun t => ds qx Kx Vx biasx s0x b t
            * rsum m (fun r => K' r (nth r t 0%nat) c * rest_row m Kx r t c)) (l b))
        + lsum (fun t => dz qx Kx Vx biasx s0x b t * bias' b t) (l b)).
    { rewrite <- rsum_plus.
      rewrite (rsum_ext d _ (fun c => lsum (fun t => sigma * ds qx Kx Vx biasx s0x b t
        * (q' b c * tuple_row m Kx t c
           + qx b c * rsum m (fun r => K' r (nth r t 0%nat) c * rest_row m Kx r t c))) (l b))).
      - rewrite <- lsum_rsum_swap, <- lsum_plus. apply lsum_ext. intros t _.
        rewrite rsum_scal. unfold z', inner', ds. ring.
      - intros c _. unfold dq.
        rewrite <- !lsum_scal, <- lsum_scal_r, <- lsum_plus. apply lsum_ext. intros; ring. }
    rewrite Ez. unfold v'. cbv beta. ring.
Qed.
End Curves.

(** The six formulas are the derivative of the loss along any curves. *)
Theorem gradients (q : nat -> R -> nat -> R) (K V : nat -> R -> matrix)
    (bias : nat -> R -> list nat -> R) (s0 : nat -> R -> R) (x : R)
    (q' : nat -> nat -> R) (K' V' : nat -> matrix) (bias' : nat -> list nat -> R)
    (s0' : nat -> R) :
  let qx b := q b x in let Kx r := K r x in let Vx r := V r x in
  let biasx b := bias b x in let s0x b := s0 b x in
  (forall b t r, (b < B)%nat -> In t (l b) -> (r < m)%nat -> (nth r t 0 < n)%nat) ->
  (forall y, derivable_pt_lim cap y (dcap y)) ->
  (forall b c, (b < B)%nat -> (c < d)%nat -> derivable_pt_lim (fun y => q b y c) x (q' b c)) ->
  (forall r j c, (r < m)%nat -> (j < n)%nat -> (c < d)%nat ->
     derivable_pt_lim (fun y => K r y j c) x (K' r j c)) ->
  (forall r j c, (r < m)%nat -> (j < n)%nat -> (c < d_v)%nat ->
     derivable_pt_lim (fun y => V r y j c) x (V' r j c)) ->
  (forall b t, (b < B)%nat -> In t (l b) -> derivable_pt_lim (fun y => bias b y t) x (bias' b t)) ->
  (forall b, (b < B)%nat -> derivable_pt_lim (s0 b) x (s0' b)) ->
  derivable_pt_lim
    (fun y => loss (fun b => q b y) (fun r => K r y) (fun r => V r y) (fun b => bias b y)
                (fun b => s0 b y)) x
    (rsum B (fun b => rsum d (fun c => dq qx Kx Vx biasx s0x b c * q' b c))
     + rsum m (fun r => rsum n (fun j => rsum d (fun c => dK qx Kx Vx biasx s0x r j c * K' r j c)))
     + rsum m (fun r => rsum n (fun j => rsum d_v
         (fun c => dV qx Kx Vx biasx s0x r j c * V' r j c)))
     + rsum B (fun b => lsum (fun t => dz qx Kx Vx biasx s0x b t * bias' b t) (l b))
     + rsum B (fun b => ds0 qx Kx Vx biasx s0x b * s0' b)).
Proof.
  intros qx Kx Vx biasx s0x Htuples Hcap Hq HK HV Hbias Hs0. apply is_derive_Reals.
  apply loss_derivative; auto; intros; apply is_derive_Reals; auto.
Qed.
End Model.

(** A soft cap c tanh(y/c) has the slope 1 - tanh²(y/c). *)
Theorem gradients_cap c y : c <> 0 ->
  derivable_pt_lim (fun y => c * tanh (y / c)) y (1 - tanh (y / c) * tanh (y / c)).
Proof.
  intros Hc. apply is_derive_Reals.
  assert (Ht : forall u, is_derive tanh u (1 - tanh u * tanh u)).
  { intros u. assert (Hcosh : 0 < cosh u).
    { unfold cosh. pose proof (exp_pos u). pose proof (exp_pos (- u)). lra. }
    replace (1 - tanh u * tanh u) with ((cosh u * cosh u - sinh u * sinh u) / cosh u ^ 2)
      by (unfold tanh; field; lra).
    apply (is_derive_div sinh cosh u (cosh u) (sinh u)); [..|apply Rgt_not_eq, Hcosh];
      apply is_derive_Reals; [apply derivable_pt_lim_sinh|apply derivable_pt_lim_cosh]. }
  replace (1 - tanh (y / c) * tanh (y / c))
    with (c * (/ c * (1 - tanh (y / c) * tanh (y / c)))) by (field; exact Hc).
  apply @is_derive_scal. apply (is_derive_comp tanh (fun y => y / c) y _ (/ c) (Ht (y / c))).
  apply (is_derive_ext (fun y => / c * y)); [intros u; change (/ c * u = u / c); unfold Rdiv;
    ring|].
  assert (Hd : is_derive (fun y => / c * y) y (/ c * 1)) by apply @is_derive_scal, @is_derive_id.
  now rewrite Rmult_1_r in Hd.
Qed.

(** With all tuples of the slots, no sink, cap or bias, and scale 1, it is tensor attention. *)
Theorem gradients_tensor m d slots q (K V : nat -> matrix) c : length slots = m ->
  row_out 0 (tuples slots) (logits m d 1 (fun y => y) (fun _ => q) K (fun _ _ => 0) 0)
    (tuple_row m V) c
  = tensor slots d q (map K (seq 0 m)) (map V (seq 0 m)) c.
Proof.
  intros Hm.
  assert (Hlen : forall t, In t (tuples slots) -> length t = m).
  { subst m. clear. induction slots as [|js slots IH]; intros t Ht.
    - destruct Ht as [<-|[]]. reflexivity.
    - apply in_tuples_inv in Ht as (j & t' & -> & _ & Ht). simpl. now rewrite (IH t' Ht). }
  assert (Hrow : forall (Ms : nat -> matrix) t c, In t (tuples slots) ->
            tuple_row m Ms t c = row_product (map Ms (seq 0 m)) t c).
  { intros Ms t e Ht. apply Hlen in Ht. clear Hlen Hm. unfold tuple_row.
    assert (H : forall k Ms t, length t = k ->
              rprod k (fun r => Ms r (nth r t 0%nat) e) = row_product (map Ms (seq 0 k)) t e).
    { clear. induction k as [|k IH]; intros Ms t Ht; [reflexivity|].
      destruct t as [|j t]; [discriminate|]. rewrite rprod_first. simpl map.
      rewrite <- seq_shift, map_map. cbn [nth row_product]. f_equal.
      apply (IH (fun r => Ms (S r)) t). simpl in Ht. lia. }
    now apply H. }
  assert (Hz : forall t, In t (tuples slots) ->
            logits m d 1 (fun y => y) (fun _ => q) K (fun _ _ => 0) 0 t
            = tuple_logit d q (map K (seq 0 m)) t).
  { intros t Ht. unfold logits, tuple_inner, tuple_logit. rewrite Rmult_1_l, Rplus_0_r.
    apply rsum_ext. intros e _. now rewrite Hrow. }
  unfold row_out, tensor, tuple_output. apply lsum_ext. intros t Ht. rewrite Hrow by exact Ht.
  f_equal. unfold row_weight, tuple_weight, row_total. rewrite Hz by exact Ht. rewrite Rplus_0_l.
  f_equal.
  apply lsum_ext. intros t' Ht'. now rewrite Hz.
Qed.
