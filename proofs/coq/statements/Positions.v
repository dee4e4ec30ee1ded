(** * H3 `positions` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions Families.
From KVFloor Require Positions.
Import ListNotations.
Open Scope R_scope.

(** ** Maps of keys and queries *)

(** The key of token i passes the map A i before it meets the query, the query the map A'. *)
Definition mapped_out (n d : nat) (A : nat -> vector -> vector) (A' : vector -> vector)
    (K : matrix) : outputs :=
  fun q V c => attention n d (A' q) (fun i => A i (K i)) V c.

(** A undoes what B does, in the first d entries. *)
Definition undone (d : nat) (A B : vector -> vector) : Prop :=
  forall x c, (c < d)%nat -> A (B x) c = x c.

(** The floor holds with keys B_i k_i and the query B' q, which the model's maps undo. *)
Theorem positions (n d d_v : nat) (eta alpha g : R) (A : nat -> vector -> vector)
    (A' : vector -> vector) (B : nat -> vector -> vector) (B' : vector -> vector) (K : matrix)
    (Q : nat -> nat -> R) :
  guarantee eta alpha ->
  (forall i, (i < n)%nat -> undone d (A i) (B i)) -> undone d A' B' ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  leak (n - 1) g < leak_limit eta alpha ->
  forall b, serves n d_v eta alpha (mapped_out n d A A' (fun i => B i (K i)))
              (fun i => B' (Q i)) b <-> (n * d_v <= b)%nat.
Proof. exact (Positions.positions n d d_v eta alpha g A A' B B' K Q). Qed.

(** Rotary embeddings: entries c and half + c are turned by the angle p θ_c at position p. *)
Definition rotate (half : nat) (theta : nat -> R) (p : R) (x : vector) : vector := fun c =>
  if (c <? half)%nat then cos (p * theta c) * x c - sin (p * theta c) * x (half + c)%nat
  else if (c <? half + half)%nat then
    sin (p * theta (c - half)%nat) * x (c - half)%nat + cos (p * theta (c - half)%nat) * x c
  else x c.

(** To turn back undoes it, and lengths stay: so floors for bounded norms hold as well. *)
Theorem positions_rotary_inverse (half : nat) (theta : nat -> R) (p : R) (x : vector) (c : nat) :
  rotate half theta p (rotate half theta (- p) x) c = x c.
Proof. exact (Positions.positions_rotary_inverse half theta p x c). Qed.

Theorem positions_rotary_norm (half : nat) (theta : nat -> R) (p : R) (d : nat) (x : vector) :
  (half + half <= d)%nat -> norm d (rotate half theta p x) = norm d x.
Proof. exact (Positions.positions_rotary_norm half theta p d x). Qed.

(** With rotary embeddings, whatever the angles, and the query at any position p. *)
Theorem positions_rotary (n d d_v half : nat) (theta : nat -> R) (p eta alpha : R) :
  (2 <= d)%nat -> guarantee eta alpha ->
  exists (K : matrix) (Q : nat -> nat -> R), forall b,
    serves n d_v eta alpha
      (mapped_out n d (fun i => rotate half theta (INR i)) (rotate half theta p) K) Q b
    <-> (n * d_v <= b)%nat.
Proof. exact (Positions.positions_rotary n d d_v half theta p eta alpha). Qed.

(** ** Additive biases *)

(** Logits with a bias, which may depend on the query. *)
Definition biased_out (n d : nat) (bias : (nat -> R) -> nat -> R) (K : matrix) : outputs :=
  fun q V c => output n (fun j => logit d q K j + bias q j) (fun j => V j c).

(** Biases within ±β leave g - 2β of a margin g. *)
Theorem positions_bias_margin (n : nat) (s bias : nat -> R) (i : nat) (g beta : R) :
  (i < n)%nat -> margin n s i g -> (forall j, (j < n)%nat -> Rabs (bias j) <= beta) ->
  margin n (fun j => s j + bias j) i (g - 2 * beta).
Proof. exact (Positions.positions_bias_margin n s bias i g beta). Qed.

(** -β at the top and β elsewhere leave no more, if another token lies just g below. *)
Theorem positions_bias_worst (n : nat) (s : nat -> R) (i j : nat) (g h beta : R) :
  (j < n)%nat -> j <> i -> s i = s j + g ->
  margin n (fun l => s l + (if (l =? i)%nat then - beta else beta)) i h -> h <= g - 2 * beta.
Proof. exact (Positions.positions_bias_worst n s i j g h beta). Qed.

(** With free norms they cost nothing: there are keys for all biases within ±β. *)
Theorem positions_bias (n d d_v : nat) (eta alpha beta : R) :
  (2 <= d)%nat -> guarantee eta alpha ->
  exists (K : matrix) (Q : nat -> nat -> R), forall bias,
    (forall q j, Rabs (bias q j) <= beta) ->
    forall b, serves n d_v eta alpha (biased_out n d bias K) Q b <-> (n * d_v <= b)%nat.
Proof. exact (Positions.positions_bias n d d_v eta alpha beta). Qed.

(** ** Sinks *)

(** A sink is a token more, of value 0 and logit s0. *)
Definition sink_output (n : nat) (s0 : R) (s v : nat -> R) : R :=
  rsum n (fun j => exp (s j) * v j) / (exp s0 + rsum n (fun j => exp (s j))).

Definition sink_out (n d : nat) (s0 : (nat -> R) -> R) (K : matrix) : outputs :=
  fun q V c => sink_output n (s0 q) (logit d q K) (fun j => V j c).

(** If its weight relative to the top is at most σ, this much margin is enough for the floor. *)
Theorem positions_sink (n d d_v : nat) (eta alpha sigma g : R) (s0 : (nat -> R) -> R) (K : matrix)
    (Q : nat -> nat -> R) :
  0 <= eta -> 0 <= alpha ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  (forall i, (i < n)%nat -> exp (s0 (Q i) - logit d (Q i) K i) <= sigma) ->
  excess (n - 1) g * (1 + eta + 2 * alpha) < 1 - eta - 2 * alpha * (1 + sigma) ->
  forall b, serves n d_v eta alpha (sink_out n d s0 K) Q b <-> (n * d_v <= b)%nat.
Proof. exact (Positions.positions_sink n d d_v eta alpha sigma g s0 K Q). Qed.

(** That is g > ln(M(1+η+2α)/(1-η-2α(1+σ))), for M competitors. *)
Theorem positions_sink_margin (M : nat) (g eta alpha sigma : R) :
  (1 <= M)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha * (1 + sigma) < 1 ->
  g > ln (INR M * (1 + eta + 2 * alpha) / (1 - eta - 2 * alpha * (1 + sigma)))
  <-> excess M g * (1 + eta + 2 * alpha) < 1 - eta - 2 * alpha * (1 + sigma).
Proof. exact (Positions.positions_sink_margin M g eta alpha sigma). Qed.

(** No smaller margin is: the top at 0 holds a bit, M others, all at -g, the opposite one; then
    accurate answers are in order exactly under that condition. *)
Theorem positions_sink_exactly (M : nat) (g s0 eta alpha : R) :
  0 <= eta -> 0 <= alpha ->
  let s j := if (j =? 0)%nat then 0 else - g in
  let out b := sink_output (S M) s0 s (fun j => bitval (if (j =? 0)%nat then b else negb b)) in
  (forall o o', accurate eta alpha o (out false) -> accurate eta alpha o' (out true) -> o < o')
  <-> excess M g * (1 + eta + 2 * alpha) < 1 - eta - 2 * alpha * (1 + exp s0).
Proof. exact (Positions.positions_sink_exactly M g s0 eta alpha). Qed.
