(** * E5 `gradient-rounding` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions Backward.
From KVFloor Require GradientRounding.
Import ListNotations.
Open Scope R_scope.

(** ** One query *)

(** Σ p (u - k D): what one query gives a gradient, for tuples of weights p whose values under the
    cotangent have the mean D = Σ p a. *)
Definition query_share (n : nat) (s u k a : nat -> R) : R :=
  output n s (fun j => u j - k j * output n s a).

(** Number j of a list, or 0. *)
Definition numbered (l : list R) (j : nat) : R := nth j l 0.

(** The gradient that multiplies those of logits (D6) by k is such a share, with the logits z of the
    tuples l, and u = k (a + g) where a = Σ_c G_c v_c. Sinks (one, or none) are tuples of value 0
    that it does not multiply. *)
Theorem gradient_rounding_logits (d_v : nat) (G : nat -> R) (g : R) (l : list (list nat))
    (z : list nat -> R) (v : list nat -> nat -> R) (sinks : list R) (k : list nat -> R) :
  let a t := rsum d_v (fun c => G c * v t c) in
  lsum (fun t => k t * dlogit d_v G g (lsum exp sinks) l z v t) l
  = query_share (length l + length sinks) (numbered (map z l ++ sinks))
      (numbered (map (fun t => k t * (a t + g)) l)) (numbered (map k l)) (numbered (map a l)).
Proof. exact (GradientRounding.gradient_rounding_logits d_v G g l z v sinks k). Qed.

(** So is one that multiplies weights by x, as those of values do. *)
Theorem gradient_rounding_values (l : list (list nat)) (z : list nat -> R) (sinks : list R)
    (x : list nat -> R) :
  lsum (fun t => x t * row_weight (lsum exp sinks) l z t) l
  = query_share (length l + length sinks) (numbered (map z l ++ sinks))
      (numbered (map x l)) (fun _ => 0) (fun _ => 0).
Proof. exact (GradientRounding.gradient_rounding_values l z sinks x). Qed.

(** Outcomes: how many there are, their logits and values; the mean; what E1 asks of them. *)
Definition outcomes : Type := (nat * (nat -> R) * (nat -> R))%type.
Definition mean_of (x : outcomes) : R := let '(n, s, v) := x in output n s v.
Definition rational_outcomes (d e : nat) (x : outcomes) : Prop :=
  let '(n, s, v) := x in
  (1 <= n)%nat /\ forall j, (j < n)%nat -> with_roots d e (s j) /\ rational (v j).

(** Logit and value of the pair of tuples that has the number t. *)
Definition pair_logit (n : nat) (s : nat -> R) (t : nat) : R := s (t / n)%nat + s (t mod n)%nat.
Definition pair_value (n : nat) (u k a : nat -> R) (t : nat) : R :=
  u (t / n)%nat - k (t / n)%nat * a (t mod n)%nat.
Definition pairs_of (n : nat) (s u k a : nat -> R) : outcomes :=
  ((n * n)%nat, pair_logit n s, pair_value n u k a).

(** A share is the mean of u_i - k_i a_j over pairs of tuples, so it is an output. *)
Theorem gradient_rounding_pairs (d e n : nat) (s u k a : nat -> R) : (1 <= n)%nat ->
  (forall j, (j < n)%nat ->
     with_roots d e (s j) /\ rational (u j) /\ rational (k j) /\ rational (a j)) ->
  rational_outcomes d e (pairs_of n s u k a) /\
  query_share n s u k a = mean_of (pairs_of n s u k a).
Proof. exact (GradientRounding.gradient_rounding_pairs d e n s u k a). Qed.

(** It is r just if for every sum of two logits the values of the pairs, less r, add up to 0. *)
Theorem gradient_rounding (d e n : nat) (s u k a : nat -> R) : (1 <= n)%nat ->
  (forall j, (j < n)%nat ->
     with_roots d e (s j) /\ rational (u j) /\ rational (k j) /\ rational (a j)) ->
  forall r, rational r ->
  query_share n s u k a = r <->
  (forall t, (t < n * n)%nat ->
     group (n * n) (pair_logit n s) (pair_value n u k a) (pair_logit n s t)
     = r * multiplicity (n * n) (pair_logit n s) (pair_logit n s t)).
Proof. exact (GradientRounding.gradient_rounding d e n s u k a). Qed.

(** There is one rational to ask for: (U m - K A) / m², of the tuples with the largest logit. *)
Theorem gradient_rounding_candidate (d e n : nat) (s u k a : nat -> R) (top : nat) (r : R) :
  (forall j, (j < n)%nat ->
     with_roots d e (s j) /\ rational (u j) /\ rational (k j) /\ rational (a j)) ->
  (top < n)%nat -> (forall j, (j < n)%nat -> s j <= s top) ->
  rational r -> query_share n s u k a = r ->
  let of f := group n s f (s top) in
  let m := multiplicity n s (s top) in
  r = (of u * m - of k * of a) / (m * m).
Proof. exact (GradientRounding.gradient_rounding_candidate d e n s u k a top r). Qed.

(** ** Sums over queries *)

(** All pairs of outcomes; their logits and values add up. *)
Definition joined (x y : outcomes) : outcomes :=
  let '(n, s, v) := x in let '(n', s', v') := y in
  ((n * n')%nat, (fun t => s (t / n')%nat + s' (t mod n')%nat),
   (fun t => v (t / n')%nat + v' (t mod n')%nat)).
Definition nothing : outcomes := (1%nat, (fun _ => 0), (fun _ => 0)).
Definition all_joined : list outcomes -> outcomes := fold_right joined nothing.

(** A sum of shares is a mean over all that is joined, of one pair from each query. *)
Theorem gradient_rounding_queries (d e : nat) (queries : list outcomes) :
  (forall x, In x queries -> rational_outcomes d e x) ->
  rational_outcomes d e (all_joined queries) /\
  lsum mean_of queries = mean_of (all_joined queries).
Proof. exact (GradientRounding.gradient_rounding_queries d e queries). Qed.

(** So either the search for a boundary ends, or the gradient is one, which finitely many sums
    tell. *)
Theorem gradient_rounding_terminates (d e : nat) (queries : list outcomes) (n : nat)
    (s v : nat -> R) (boundaries : list R) (lo hi : nat -> R) :
  (forall x, In x queries -> rational_outcomes d e x) -> all_joined queries = (n, s, v) ->
  (forall r, In r boundaries -> rational r) ->
  encloses lo hi (lsum mean_of queries) ->
  (exists r, In r boundaries /\ lsum mean_of queries = r /\
     forall j, (j < n)%nat -> group n s v (s j) = r * multiplicity n s (s j)) \/
  ((forall r, In r boundaries ->
      exists j, (j < n)%nat /\ group n s v (s j) <> r * multiplicity n s (s j)) /\
   exists p0, forall p, (p0 <= p)%nat -> forall r, In r boundaries -> r < lo p \/ hi p < r).
Proof.
  exact (GradientRounding.gradient_rounding_terminates d e queries n s v boundaries lo hi).
Qed.

(** With the scale 1/√D, for a D that is no square, a gradient of a query or key is no rational
    but 0. *)
Theorem gradient_rounding_scale (d e : nat) (queries : list outcomes) (D : nat) :
  (forall x, In x queries -> rational_outcomes d e x) ->
  (forall x, rational x -> x * x <> INR D) ->
  rational (lsum mean_of queries / sqrt (INR D)) -> lsum mean_of queries = 0.
Proof. exact (GradientRounding.gradient_rounding_scale d e queries D). Qed.
