(** * S4 `norm-dimension` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions Families.
From KVFloor Require NormDimension.
Import ListNotations.
Open Scope R_scope.

(** Squared norm. *)
Definition squared_norm (d : nat) (v : nat -> R) : R := rsum d (fun c => v c * v c).

(** All tokens: d >= log₂ n dimensions, with ‖q‖‖k‖ = C d for C > ln((n-1)r) / 2. *)
Theorem norm_dimension_logarithmic (n m d d_v : nat) (eta alpha C : R) :
  guarantee eta alpha -> (1 <= m)%nat -> (n <= 2 ^ d)%nat ->
  2 * C > margin_limit (INR (n - 1)) eta alpha ->
  exact_floor n m d d_v eta alpha binary_key (binary_query C) /\
  (forall i j, squared_norm d (binary_query C i) * squared_norm d (binary_key j)
    = (C * INR d) * (C * INR d)).
Proof. exact (NormDimension.norm_dimension_logarithmic n m d d_v eta alpha C). Qed.

(** Large norms: two dimensions for any n, with whole numbers for keys and ‖q‖‖k‖ <= √10 C n³. *)
Theorem norm_dimension_parabola (n m d_v : nat) (eta alpha C : R) :
  guarantee eta alpha -> (1 <= m)%nat -> C > margin_limit (INR (n - 1)) eta alpha ->
  exact_floor n m 2 d_v eta alpha parabola_key_1 (parabola_query_1 C) /\
  (forall i j, (i < n)%nat -> (j < n)%nat ->
     squared_norm 2 (parabola_query_1 C i) * squared_norm 2 (parabola_key_1 j)
       <= 10 * (C * C) * INR n ^ 6).
Proof. exact (NormDimension.norm_dimension_parabola n m d_v eta alpha C). Qed.

(** Regular polygons: two dimensions, unit keys, ‖q‖ = ρ > n² ln((n-1)r) / 8. *)
Theorem norm_dimension_polygon (n m d_v : nat) (eta alpha rho : R) :
  guarantee eta alpha -> (1 <= m)%nat -> (2 <= n)%nat ->
  rho > INR n * INR n * margin_limit (INR (n - 1)) eta alpha / 8 ->
  exact_floor n m 2 d_v eta alpha (polygon_key n) (key_query rho (polygon_key n)).
Proof. exact (NormDimension.norm_dimension_polygon n m d_v eta alpha rho). Qed.

(** One dimension: of three keys on a line the middle one cannot be singled out, so no address
    book has more than two keys. *)
Theorem norm_dimension_line (n : nat) (K : matrix) (Q : nat -> nat -> R) (g : R) :
  (3 <= n)%nat -> g > 0 ->
  ~ (forall i, (i < n)%nat -> margin n (logit 1 (Q i) K) i g).
Proof. exact (NormDimension.norm_dimension_line n K Q g). Qed.

(** Two keys can: the ends of the line. *)
Theorem norm_dimension_line_met (g : R) :
  exists K Q, forall i, (i < 2)%nat -> margin 2 (logit 1 (Q i) K) i g.
Proof. exact (NormDimension.norm_dimension_line_met g). Qed.
