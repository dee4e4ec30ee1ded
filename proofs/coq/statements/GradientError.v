(** * E5 `gradient-error` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions Backward.
From KVFloor Require GradientError.
Import ListNotations.
Open Scope R_scope.

(** ** Steps, each operation with a relative error of at most u *)

(** Rounded products of two numbers that are off. *)
Definition product_off (a a_off b b_off u : R) : R :=
  a_off * (b + b_off) + a * b_off + u * (a + a_off) * (b + b_off).

Theorem gradient_error_product (a b a' b' a_off b_off u r : R) :
  Rabs (a' - a) <= a_off -> Rabs (b' - b) <= b_off -> Rabs r <= u ->
  Rabs (a' * b' * (1 + r) - a * b) <= product_off (Rabs a) a_off (Rabs b) b_off u.
Proof. exact (GradientError.gradient_error_product a b a' b' a_off b_off u r). Qed.

(** The last sum of a difference whose parts, and earlier roundings, are off by o together. *)
Definition difference_off (size o u : R) : R := o + u * (size + o).

Theorem gradient_error_difference (x x' o u r : R) : Rabs (x' - x) <= o -> Rabs r <= u ->
  Rabs (x' * (1 + r) - x) <= difference_off (Rabs x) o u.
Proof. exact (GradientError.gradient_error_difference x x' o u r). Qed.

(** Both bounds are reached, where errors have the sign of what they add to. *)
Theorem gradient_error_reached (a b a_off b_off u : R) :
  0 <= a -> 0 <= b -> 0 <= a_off -> 0 <= b_off -> 0 <= u ->
  Rabs ((a + a_off) * (b + b_off) * (1 + u) - a * b) = product_off a a_off b b_off u /\
  Rabs ((a + a_off) * (1 + u) - a) = difference_off a a_off u.
Proof. exact (GradientError.gradient_error_reached a b a_off b_off u). Qed.

(** A sum of computed e by inputs f, each term rounded on its way. *)
Theorem gradient_error_sum {X} (l : list X) (e e' f theta off rho : X -> R) :
  (forall t, In t l -> Rabs (e' t - e t) <= off t /\ Rabs (theta t) <= rho t) ->
  Rabs (lsum (fun t => e' t * f t * (1 + theta t)) l - lsum (fun t => e t * f t) l)
    <= lsum (fun t => off t * Rabs (f t)) l + lsum (fun t => rho t * Rabs (e' t) * Rabs (f t)) l.
Proof. exact (GradientError.gradient_error_sum l e e' f theta off rho). Qed.

(** ** Weights from a log-sum-exp; their mean *)

(** What p̂ = p e^±Δ is off by: a logit by s, a log-sum-exp by l, their difference relatively by γ,
    exp by so much in the logarithm. *)
Definition exponent_drift (s l gamma size e : R) : R := s + l + gamma * (size + s + l) + e.

(** With exp within ε. *)
Theorem gradient_error_weight (z lse z' lse' s l gamma eps r e : R) : 0 <= eps < 1 ->
  Rabs (z' - z) <= s -> Rabs (lse' - lse) <= l -> Rabs r <= gamma -> Rabs e <= eps ->
  let drift := exponent_drift s l gamma (Rabs (z - lse)) (eps / (1 - eps)) in
  exp (z - lse) * exp (- drift) <= exp ((z' - lse') * (1 + r)) * (1 + e)
    <= exp (z - lse) * exp drift.
Proof. exact (GradientError.gradient_error_weight z lse z' lse' s l gamma eps r e). Qed.

(** D̂ from weights and products that are off, before its sum rounds. *)
Theorem gradient_error_mean (d_v : nat) (G : nat -> R) (w0 : R) (l : list (list nat))
    (z : list nat -> R) (v : list nat -> nat -> R) (ph dPh E F : list nat -> R) :
  let p := row_weight w0 l z in
  let dP t := rsum d_v (fun c => G c * v t c) in
  let D := row_mean d_v G w0 l z v in
  (forall t, In t l -> Rabs (ph t - p t) <= E t /\ Rabs (dPh t - dP t) <= F t) ->
  Rabs (lsum (fun t => ph t * dPh t) l - D)
    <= lsum (fun t => E t * Rabs (dP t - D)) l + Rabs D * lsum E l
       + lsum (fun t => Rabs (ph t) * F t) l.
Proof. exact (GradientError.gradient_error_mean d_v G w0 l z v ph dPh E F). Qed.

(** ** Slopes of a soft cap *)

(** The slope of a soft cap c changes by a factor within e^±Δ, Δ = 2D/c, where its logit moves by D
    at most. *)
Theorem gradient_error_slope (c y y' D : R) : 0 < c -> Rabs (y' - y) <= D ->
  (1 - tanh (y / c) * tanh (y / c)) * exp (- (2 * D / c)) <= 1 - tanh (y' / c) * tanh (y' / c)
    <= (1 - tanh (y / c) * tanh (y / c)) * exp (2 * D / c).
Proof. exact (GradientError.gradient_error_slope c y y' D). Qed.

(** What a computed slope is off by, where tanh² is [square] at most, tanh off relatively by [off],
    and the slope itself by [moved] as its logit is. *)
Definition slope_off (slope moved square off u : R) : R :=
  moved + square * ((1 + off) ^ 2 * (1 + u) - 1)
  + 4 * u / (1 - 4 * u) * (slope + moved + square * ((1 + off) ^ 2 * (1 + u) - 1)).

(** As 1 - t², or as (1 - t)(1 + t). *)
Theorem gradient_error_slope_computed (h t moved square off u tau r1 r2 r3 : R) :
  4 * u < 1 -> Rabs (1 - t * t - h) <= moved -> t * t <= square ->
  Rabs tau <= off -> Rabs r1 <= u -> Rabs r2 <= u -> Rabs r3 <= u ->
  let th := t * (1 + tau) in
  Rabs ((1 - th * th * (1 + r1)) * (1 + r2) - h) <= slope_off (Rabs h) moved square off u /\
  Rabs ((1 - th) * (1 + r1) * ((1 + th) * (1 + r2)) * (1 + r3) - h)
    <= slope_off (Rabs h) moved square off u.
Proof.
  exact (GradientError.gradient_error_slope_computed h t moved square off u tau r1 r2 r3).
Qed.

(** ** One query's part of a gradient *)

(** Weights are off by E, products Σ_c G_c v_c by F, their mean by η, slopes h of a cap by H: so far off
    are the gradients of logits (D6), and one that multiplies them by h and k, as those of a query and
    of keys do. Inputs and g are exact; the last sum rounds each term by ρ on its way. *)
Theorem gradient_error (d_v : nat) (G : nat -> R) (g w0 : R) (l : list (list nat))
    (z : list nat -> R) (v : list nat -> nat -> R) (ph dPh rP rX rZ rS : list nat -> R) (Dh : R)
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
  exact (GradientError.gradient_error d_v G g w0 l z v ph dPh rP rX rZ rS Dh h hh k theta E F H rho
           eta u).
Qed.
