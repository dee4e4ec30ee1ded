(** E5 `gradient-error`: what a backward pass computes is off by no more than sums of its own parts'
    errors, each operation with a relative error of at most u. *)
From Coq Require Import Reals Lra Lia List.
From KVFloor Require Import Sums Attention Guarantee ForwardError RowGradients.
Import ListNotations.
Open Scope R_scope.

(** ** Steps *)

(** Rounded products of two numbers that are off. *)
Definition product_off (a a_off b b_off u : R) : R :=
  a_off * (b + b_off) + a * b_off + u * (a + a_off) * (b + b_off).

Lemma times_le x y X Y : Rabs x <= X -> Rabs y <= Y -> Rabs (x * y) <= X * Y.
Proof. intros HX HY. rewrite Rabs_mult. apply Rmult_le_compat; auto using Rabs_pos. Qed.

Lemma plus_le x y X Y : Rabs x <= X -> Rabs y <= Y -> Rabs (x + y) <= X + Y.
Proof. intros HX HY. eapply Rle_trans; [apply Rabs_triang|]. lra. Qed.

(** What a number is at most, of a size and off by so much. *)
Lemma size_le x x' X : Rabs (x' - x) <= X -> Rabs x' <= Rabs x + X.
Proof.
  intros H. replace x' with (x + (x' - x)) by ring. apply plus_le; [lra|exact H].
Qed.

Theorem gradient_error_product a b a' b' a_off b_off u r :
  Rabs (a' - a) <= a_off -> Rabs (b' - b) <= b_off -> Rabs r <= u ->
  Rabs (a' * b' * (1 + r) - a * b) <= product_off (Rabs a) a_off (Rabs b) b_off u.
Proof.
  intros HA HB Hr. unfold product_off.
  replace (a' * b' * (1 + r) - a * b) with ((a' - a) * b' + a * (b' - b) + r * a' * b') by ring.
  repeat apply plus_le; repeat apply times_le; auto using size_le. lra.
Qed.

(** The last sum of a difference whose parts, and earlier roundings, are off by o together. *)
Definition difference_off (size o u : R) : R := o + u * (size + o).

Theorem gradient_error_difference x x' o u r : Rabs (x' - x) <= o -> Rabs r <= u ->
  Rabs (x' * (1 + r) - x) <= difference_off (Rabs x) o u.
Proof.
  intros Hx Hr. unfold difference_off.
  replace (x' * (1 + r) - x) with (x' - x + r * x') by ring.
  apply plus_le; [exact Hx|]. apply times_le; [exact Hr|now apply size_le].
Qed.

(** Both bounds are reached, where errors have the sign of what they add to. *)
Theorem gradient_error_reached a b a_off b_off u :
  0 <= a -> 0 <= b -> 0 <= a_off -> 0 <= b_off -> 0 <= u ->
  Rabs ((a + a_off) * (b + b_off) * (1 + u) - a * b) = product_off a a_off b b_off u /\
  Rabs ((a + a_off) * (1 + u) - a) = difference_off a a_off u.
Proof.
  intros Ha Hb HA HB Hu. unfold product_off, difference_off.
  assert (0 <= u * (a + a_off)) by nra. assert (0 <= u * (a + a_off) * (b + b_off)) by nra.
  split; rewrite Rabs_pos_eq; nra.
Qed.

(** A sum of computed e by inputs f, each term rounded on its way. *)
Theorem gradient_error_sum {X} (l : list X) (e e' f theta off rho : X -> R) :
  (forall t, In t l -> Rabs (e' t - e t) <= off t /\ Rabs (theta t) <= rho t) ->
  Rabs (lsum (fun t => e' t * f t * (1 + theta t)) l - lsum (fun t => e t * f t) l)
    <= lsum (fun t => off t * Rabs (f t)) l + lsum (fun t => rho t * Rabs (e' t) * Rabs (f t)) l.
Proof.
  induction l as [|t l IH]; intros H; simpl; [rewrite Rminus_eq_0, Rabs_R0; lra|].
  destruct (H t (or_introl eq_refl)) as [H1 H2].
  specialize (IH (fun t' Ht' => H t' (or_intror Ht'))).
  set (A := lsum (fun t => e' t * f t * (1 + theta t)) l) in *.
  set (B := lsum (fun t => e t * f t) l) in *.
  set (C := lsum (fun t => off t * Rabs (f t)) l) in *.
  set (D := lsum (fun t => rho t * Rabs (e' t) * Rabs (f t)) l) in *.
  replace (e' t * f t * (1 + theta t) + A - (e t * f t + B))
    with ((e' t - e t) * f t + theta t * e' t * f t + (A - B)) by ring.
  apply Rle_trans with (off t * Rabs (f t) + rho t * Rabs (e' t) * Rabs (f t) + (C + D)); [|lra].
  apply plus_le; [apply plus_le; repeat apply times_le; lra|exact IH].
Qed.

(** ** Weights from a log-sum-exp *)

(** What p̂ = p e^±Δ is off by: a logit by s, a log-sum-exp by l, their difference relatively by γ,
    exp by so much in the logarithm. *)
Definition exponent_drift (s l gamma size e : R) : R := s + l + gamma * (size + s + l) + e.

(** With exp within ε. *)
Theorem gradient_error_weight z lse z' lse' s l gamma eps r e : 0 <= eps < 1 ->
  Rabs (z' - z) <= s -> Rabs (lse' - lse) <= l -> Rabs r <= gamma -> Rabs e <= eps ->
  let drift := exponent_drift s l gamma (Rabs (z - lse)) (eps / (1 - eps)) in
  exp (z - lse) * exp (- drift) <= exp ((z' - lse') * (1 + r)) * (1 + e)
    <= exp (z - lse) * exp drift.
Proof.
  intros Heps Hz Hl Hr He drift.
  set (w := (z' - lse') * (1 + r) - (z - lse)).
  assert (Hw : Rabs w <= s + l + gamma * (Rabs (z - lse) + s + l)).
  { assert (H : Rabs ((z' - z) + - (lse' - lse)) <= s + l)
      by (apply plus_le; [exact Hz|now rewrite Rabs_Ropp]).
    replace w with ((z' - z) + - (lse' - lse) + r * (z' - lse')) by (unfold w; ring).
    apply plus_le; [exact H|]. apply times_le; [exact Hr|].
    replace (z' - lse') with (z - lse + ((z' - z) + - (lse' - lse))) by ring.
    rewrite Rplus_assoc. apply plus_le; [lra|exact H]. }
  replace ((z' - lse') * (1 + r)) with (z - lse + w) by (unfold w; ring).
  rewrite exp_plus, Rmult_assoc. apply Rabs_le_inv in Hw, He.
  set (delta := eps / (1 - eps)) in *.
  assert (Hdelta : delta * (1 - eps) = eps) by (unfold delta; field; lra).
  assert (Hd0 : 0 <= delta).
  { apply Rmult_le_pos; [lra|left; apply Rinv_0_lt_compat; lra]. }
  assert (Hup : 1 + e <= exp delta).
  { pose proof (exp_ineq1_le delta). nra. }
  assert (Hdown : exp (- delta) <= 1 + e).
  { rewrite exp_Ropp. pose proof (exp_ineq1_le delta) as H.
    apply Rle_trans with (/ (1 + delta)); [apply Rinv_le_contravar; lra|].
    apply (Rmult_le_reg_r (1 + delta)); [lra|]. rewrite Rinv_l by lra. nra. }
  assert (Hexp : forall a b, a <= b -> exp a <= exp b).
  { intros a b H. destruct (Req_dec a b) as [->|]; [lra|]. left. apply exp_increasing. lra. }
  split; apply Rmult_le_compat_l; try (left; apply exp_pos).
  - apply Rle_trans with (exp w * exp (- delta)).
    + rewrite <- exp_plus. apply Hexp. unfold drift, exponent_drift. fold delta. lra.
    + apply Rmult_le_compat_l; [left; apply exp_pos|exact Hdown].
  - apply Rle_trans with (exp w * exp delta).
    + apply Rmult_le_compat_l; [left; apply exp_pos|exact Hup].
    + rewrite <- exp_plus. apply Hexp. unfold drift, exponent_drift. fold delta. lra.
Qed.

(** ** The mean D, from weights *)

Section Row.
Variables (d_v : nat) (G : nat -> R) (g w0 : R) (l : list (list nat)).
Variables (z : list nat -> R) (v : list nat -> nat -> R).
Let p := row_weight w0 l z.
Let dP t := rsum d_v (fun c => G c * v t c).
Let D := row_mean d_v G w0 l z v.

Lemma mean_of_products : D = lsum (fun t => p t * dP t) l.
Proof.
  unfold D, row_mean, row_out, dP. rewrite (lsum_ext (fun t => p t * _) (fun t => rsum d_v
    (fun c => G c * (row_weight w0 l z t * v t c)))).
  - rewrite lsum_rsum_swap. apply rsum_ext. intros c _. symmetry. apply lsum_scal.
  - intros t _. rewrite <- rsum_scal. apply rsum_ext. intros. unfold p. ring.
Qed.

(** Before its sum rounds. *)
Theorem gradient_error_mean (ph dPh E F : list nat -> R) :
  (forall t, In t l -> Rabs (ph t - p t) <= E t /\ Rabs (dPh t - dP t) <= F t) ->
  Rabs (lsum (fun t => ph t * dPh t) l - D)
    <= lsum (fun t => E t * Rabs (dP t - D)) l + Rabs D * lsum E l
       + lsum (fun t => Rabs (ph t) * F t) l.
Proof.
  intros H. rewrite mean_of_products at 1. generalize D. intros m.
  assert (HS : forall l', (forall t, In t l' -> In t l) ->
    Rabs (lsum (fun t => ph t * dPh t) l' - lsum (fun t => p t * dP t) l')
      <= lsum (fun t => E t * Rabs (dP t - m)) l' + Rabs m * lsum E l'
         + lsum (fun t => Rabs (ph t) * F t) l').
  { induction l' as [|t l' IH]; intros Hin; simpl; [rewrite Rminus_eq_0, Rabs_R0; lra|].
    destruct (H t (Hin t (or_introl eq_refl))) as [H1 H2].
    specialize (IH (fun t' Ht' => Hin t' (or_intror Ht'))).
    set (A := lsum (fun t => ph t * dPh t) l') in *. set (B := lsum (fun t => p t * dP t) l') in *.
    replace (ph t * dPh t + A - (p t * dP t + B))
      with ((ph t - p t) * (dP t - m) + m * (ph t - p t) + ph t * (dPh t - dP t) + (A - B)) by ring.
    eapply Rle_trans; [apply plus_le; [|exact IH]|].
    - apply plus_le; [apply plus_le|]; apply times_le; try exact H1; try exact H2; apply Rle_refl.
    - lra. }
  now apply HS.
Qed.
End Row.

(** ** Slopes of a soft cap *)

Lemma slope_cosh x : 1 - tanh x * tanh x = / (cosh x * cosh x).
Proof.
  pose proof (exp_pos x) as P. pose proof (exp_pos (- x)) as N.
  assert (HC : 0 < cosh x) by (unfold cosh; lra).
  assert (E : cosh x * cosh x - sinh x * sinh x = 1).
  { unfold cosh, sinh. pose proof (exp_plus x (- x)) as H. rewrite Rplus_opp_r, exp_0 in H. nra. }
  unfold tanh. apply (Rmult_eq_reg_r (cosh x * cosh x)); [|nra].
  replace ((1 - sinh x / cosh x * (sinh x / cosh x)) * (cosh x * cosh x))
    with (cosh x * cosh x - sinh x * sinh x) by (field; lra).
  rewrite E. field. lra.
Qed.

Lemma cosh_moves x y D : Rabs (y - x) <= D -> cosh y <= exp D * cosh x.
Proof.
  intros H. apply Rabs_le_inv in H.
  assert (Hexp : forall a b, a <= D + b -> exp a <= exp D * exp b).
  { intros a b Hab. rewrite <- exp_plus. destruct (Req_dec a (D + b)) as [->|]; [lra|].
    left. apply exp_increasing. lra. }
  pose proof (Hexp y x ltac:(lra)). pose proof (Hexp (- y) (- x) ltac:(lra)). unfold cosh. lra.
Qed.

(** The slope of a soft cap c changes by a factor within e^±Δ, Δ = 2D/c, where its logit moves by D
    at most. *)
Theorem gradient_error_slope c y y' D : 0 < c -> Rabs (y' - y) <= D ->
  (1 - tanh (y / c) * tanh (y / c)) * exp (- (2 * D / c)) <= 1 - tanh (y' / c) * tanh (y' / c)
    <= (1 - tanh (y / c) * tanh (y / c)) * exp (2 * D / c).
Proof.
  intros Hc HD. rewrite !slope_cosh.
  assert (Hmove : forall x x', Rabs (x' - x) <= D ->
    / (cosh (x / c) * cosh (x / c)) * exp (- (2 * D / c)) <= / (cosh (x' / c) * cosh (x' / c))).
  { intros x x' H.
    assert (HC : forall w, 0 < cosh w)
      by (intros w; pose proof (exp_pos w); pose proof (exp_pos (- w)); unfold cosh; lra).
    pose proof (HC (x / c)) as C1. pose proof (HC (x' / c)) as C2.
    pose proof (cosh_moves (x / c) (x' / c) (D / c)) as HM.
    assert (Hdiff : Rabs (x' / c - x / c) <= D / c).
    { replace (x' / c - x / c) with ((x' - x) * / c) by (field; lra).
      rewrite Rabs_mult, (Rabs_pos_eq (/ c)) by (left; now apply Rinv_0_lt_compat).
      apply Rmult_le_compat_r; [left; now apply Rinv_0_lt_compat|exact H]. }
    specialize (HM Hdiff). set (A := cosh (x / c)) in *. set (B := cosh (x' / c)) in *.
    replace (2 * D / c) with (D / c + D / c) by (field; lra).
    rewrite exp_Ropp, exp_plus. set (F := exp (D / c)) in *.
    assert (HF : 0 < F) by apply exp_pos.
    rewrite <- Rinv_mult. apply Rinv_le_contravar; [nra|].
    replace (A * A * (F * F)) with ((F * A) * (F * A)) by ring.
    apply Rmult_le_compat; lra. }
  split; [now apply Hmove|].
  specialize (Hmove y' y ltac:(now rewrite Rabs_minus_sym)).
  apply (Rmult_le_compat_r (exp (2 * D / c))) in Hmove; [|left; apply exp_pos].
  rewrite Rmult_assoc, <- exp_plus, Rplus_opp_l, exp_0, Rmult_1_r in Hmove. exact Hmove.
Qed.

(** What a computed slope is off by, where tanh² is [square] at most, tanh off relatively by [off],
    and the slope itself by [moved] as its logit is. *)
Definition slope_off (slope moved square off u : R) : R :=
  moved + square * ((1 + off) ^ 2 * (1 + u) - 1)
  + 4 * u / (1 - 4 * u) * (slope + moved + square * ((1 + off) ^ 2 * (1 + u) - 1)).

Lemma three_roundings u r1 r2 r3 : 0 <= u -> 4 * u < 1 ->
  Rabs r1 <= u -> Rabs r2 <= u -> Rabs r3 <= u ->
  Rabs ((1 + r1) * (1 + r2) * (1 + r3) - 1) <= 4 * u / (1 - 4 * u).
Proof.
  intros Hu H4 H1 H2 H3.
  assert (HG : 4 * u <= 4 * u / (1 - 4 * u)).
  { apply (Rmult_le_reg_r (1 - 4 * u)); [lra|].
    replace (4 * u / (1 - 4 * u) * (1 - 4 * u)) with (4 * u) by (field; lra). nra. }
  assert (HG3 : 3 * u + 3 * u * u + u * u * u <= 4 * u / (1 - 4 * u)).
  { apply (Rmult_le_reg_r (1 - 4 * u)); [lra|].
    replace (4 * u / (1 - 4 * u) * (1 - 4 * u)) with (4 * u) by (field; lra).
    assert (0 <= u * u) by nra. assert (0 <= u * u * u) by nra. nra. }
  replace ((1 + r1) * (1 + r2) * (1 + r3) - 1)
    with (r1 + r2 + r3 + (r1 * r2 + r1 * r3 + r2 * r3) + r1 * r2 * r3) by ring.
  assert (Rabs (r1 + r2 + r3) <= u + u + u) by (apply plus_le; [now apply plus_le|exact H3]).
  assert (Rabs (r1 * r2 + r1 * r3 + r2 * r3) <= u * u + u * u + u * u)
    by (repeat apply plus_le; now apply times_le).
  assert (Rabs (r1 * r2 * r3) <= u * u * u) by (apply times_le; [now apply times_le|exact H3]).
  eapply Rle_trans; [apply plus_le; [apply plus_le; eassumption|eassumption]|]. lra.
Qed.

(** As 1 - t², or as (1 - t)(1 + t). *)
Theorem gradient_error_slope_computed h t moved square off u tau r1 r2 r3 :
  4 * u < 1 -> Rabs (1 - t * t - h) <= moved -> t * t <= square ->
  Rabs tau <= off -> Rabs r1 <= u -> Rabs r2 <= u -> Rabs r3 <= u ->
  let th := t * (1 + tau) in
  Rabs ((1 - th * th * (1 + r1)) * (1 + r2) - h) <= slope_off (Rabs h) moved square off u /\
  Rabs ((1 - th) * (1 + r1) * ((1 + th) * (1 + r2)) * (1 + r3) - h)
    <= slope_off (Rabs h) moved square off u.
Proof.
  intros H4 Hm Hsq Htau H1 H2 H3 th.
  assert (Hu : 0 <= u) by (eapply Rle_trans; [apply Rabs_pos|exact H1]).
  set (gamma := 4 * u / (1 - 4 * u)). set (W := square * ((1 + off) ^ 2 * (1 + u) - 1)).
  pose proof (Rle_0_sqr t) as Ht. unfold Rsqr in Ht.
  (* the square is off by W, rounded or not *)
  assert (Hsquare : forall r, Rabs r <= u -> Rabs (th * th * (1 + r) - t * t) <= W).
  { intros r Hr. unfold th, W.
    replace (t * (1 + tau) * (t * (1 + tau)) * (1 + r) - t * t)
      with (t * t * ((1 + tau) * (1 + tau) * (1 + r) - 1)) by ring.
    apply times_le; [rewrite Rabs_pos_eq; lra|].
    replace ((1 + tau) * (1 + tau) * (1 + r) - 1)
      with ((tau + tau + tau * tau) + r * ((1 + tau) * (1 + tau))) by ring.
    replace ((1 + off) ^ 2 * (1 + u) - 1)
      with ((off + off + off * off) + u * ((1 + off) * (1 + off))) by ring.
    assert (H1t : Rabs (1 + tau) <= 1 + off) by (apply plus_le; [rewrite Rabs_R1; lra|exact Htau]).
    apply plus_le; [repeat apply plus_le; auto; now apply times_le|].
    apply times_le; [exact Hr|now apply times_le]. }
  assert (Hmain : forall x rho, Rabs (x - t * t) <= W -> Rabs rho <= gamma ->
    Rabs ((1 - x) * (1 + rho) - h) <= slope_off (Rabs h) moved square off u).
  { intros x rho Hx Hrho. unfold slope_off. fold W gamma.
    assert (Hd : Rabs (1 - x - h) <= moved + W).
    { replace (1 - x - h) with (1 - t * t - h + - (x - t * t)) by ring.
      apply plus_le; [exact Hm|now rewrite Rabs_Ropp]. }
    replace ((1 - x) * (1 + rho) - h) with (1 - x - h + rho * (1 - x)) by ring.
    replace (moved + W + gamma * (Rabs h + moved + W))
      with (moved + W + gamma * (Rabs h + (moved + W))) by ring.
    apply plus_le; [exact Hd|]. apply times_le; [exact Hrho|now apply size_le]. }
  assert (Hg : Rabs 0 <= u) by (rewrite Rabs_R0; exact Hu).
  split.
  - apply Hmain; [now apply Hsquare|]. pose proof (three_roundings u r2 0 0 Hu H4 H2 Hg Hg) as H.
    replace ((1 + r2) * (1 + 0) * (1 + 0) - 1) with r2 in H by ring. exact H.
  - replace ((1 - th) * (1 + r1) * ((1 + th) * (1 + r2)) * (1 + r3))
      with ((1 - th * th * (1 + 0)) * (1 + ((1 + r1) * (1 + r2) * (1 + r3) - 1))) by ring.
    apply Hmain; [now apply Hsquare|now apply three_roundings].
Qed.

(** ** One query's part of a gradient *)

(** The gradients of logits that a backward pass computes, from weights, products of cotangents and
    values, their mean and slopes that are off; and what it makes of them. *)
Theorem gradient_error d_v G g w0 l z v (ph dPh rP rX rZ rS : list nat -> R) (Dh : R)
    (h hh k theta E F H rho : list nat -> R) (eta u : R) :
  let p := row_weight w0 l z in
  let dP t := rsum d_v (fun c => G c * v t c) in
  let D := row_mean d_v G w0 l z v in
  let x t := dP t - D + g in
  let xh t := ((dPh t - Dh) * (1 + rP t) + g) * (1 + rX t) in
  let dzh t := ph t * xh t * (1 + rZ t) in
  let dsh t := dzh t * hh t * (1 + rS t) in
  let X_off t := difference_off (Rabs (x t)) (F t + eta + u * (Rabs (dPh t) + Rabs Dh)) u in
  let dz_off t := product_off (Rabs (p t)) (E t) (Rabs (x t)) (X_off t) u in
  let ds_off t := product_off (Rabs (p t * x t)) (dz_off t) (Rabs (h t)) (H t) u in
  Rabs (Dh - D) <= eta ->
  (forall t, In t l ->
     Rabs (ph t - p t) <= E t /\ Rabs (dPh t - dP t) <= F t /\ Rabs (hh t - h t) <= H t) ->
  (forall t, In t l ->
     Rabs (rP t) <= u /\ Rabs (rX t) <= u /\ Rabs (rZ t) <= u /\ Rabs (rS t) <= u /\
     Rabs (theta t) <= rho t) ->
  (forall t, In t l -> Rabs (dzh t - dlogit d_v G g w0 l z v t) <= dz_off t) /\
  Rabs (lsum (fun t => dsh t * k t * (1 + theta t)) l
        - lsum (fun t => dlogit d_v G g w0 l z v t * h t * k t) l)
    <= lsum (fun t => ds_off t * Rabs (k t)) l
       + lsum (fun t => rho t * Rabs (dsh t) * Rabs (k t)) l.
Proof.
  intros p dP D x xh dzh dsh X_off dz_off ds_off HD Hoff Hround.
  assert (Hdz : forall t, In t l -> Rabs (dzh t - p t * x t) <= dz_off t).
  { intros t Ht. destruct (Hoff t Ht) as (H1 & H2 & _).
    destruct (Hround t Ht) as (R1 & R2 & R3 & _).
    apply gradient_error_product; [exact H1| |exact R3].
    apply gradient_error_difference; [|exact R2].
    replace ((dPh t - Dh) * (1 + rP t) + g - x t)
      with (dPh t - dP t + - (Dh - D) + rP t * (dPh t + - Dh)) by (unfold x; ring).
    apply plus_le; [apply plus_le; [exact H2|now rewrite Rabs_Ropp]|].
    apply times_le; [exact R1|]. apply plus_le; [lra|rewrite Rabs_Ropp; lra]. }
  split; [exact Hdz|].
  apply (gradient_error_sum l (fun t => dlogit d_v G g w0 l z v t * h t) dsh k theta ds_off rho).
  intros t Ht. destruct (Hoff t Ht) as (_ & _ & H3).
  destruct (Hround t Ht) as (_ & _ & _ & R4 & R5). split; [|exact R5].
  exact (gradient_error_product (p t * x t) (h t) (dzh t) (hh t) (dz_off t) (H t) u (rS t)
    (Hdz t Ht) H3 R4).
Qed.
