(** * D6 `gradients` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions Backward.
From KVFloor Require Gradients.
Import ListNotations.
Open Scope R_scope.

(** ** One query *)

(** The gradients of a row's logits and of its sink add up to g. *)
Theorem gradients_rows (d_v : nat) (G : nat -> R) (g w0 : R) (l : list (list nat))
    (z : list nat -> R) (v : list nat -> nat -> R) : 0 < row_total w0 l z ->
  lsum (dlogit d_v G g w0 l z v) l + dsink d_v G g w0 l z v = g.
Proof. exact (Gradients.gradients_rows d_v G g w0 l z v). Qed.

(** They are linear in the cotangents. *)
Theorem gradients_linear (d_v : nat) (G G' : nat -> R) (g g' a b w0 : R) (l : list (list nat))
    (z : list nat -> R) (v : list nat -> nat -> R) (t : list nat) :
  dlogit d_v (fun c => a * G c + b * G' c) (a * g + b * g') w0 l z v t
    = a * dlogit d_v G g w0 l z v t + b * dlogit d_v G' g' w0 l z v t.
Proof. exact (Gradients.gradients_linear d_v G G' g g' a b w0 l z v t). Qed.

(** ** B queries, m slots of n tokens *)

(** f 0 f 1 ... f (n-1). *)
Fixpoint rprod (n : nat) (f : nat -> R) : R :=
  match n with
  | O => 1
  | S k => rprod k f * f k
  end.

(** Column c of the product of what a tuple's tokens are in all slots, and in all slots but r. *)
Definition tuple_row (m : nat) (Ms : nat -> matrix) (t : list nat) (c : nat) : R :=
  rprod m (fun r => Ms r (nth r t 0%nat) c).
Definition rest_row (m : nat) (Ms : nat -> matrix) (r : nat) (t : list nat) (c : nat) : R :=
  rprod m (fun s => if (s =? r)%nat then 1 else Ms s (nth s t 0%nat) c).

Section Model.
Variables (B m n d d_v : nat) (sigma : R) (cap dcap : R -> R) (sink : bool).
Variables (l : nat -> list (list nat)) (G : nat -> nat -> R) (g : nat -> R).

(** Inner product with a tuple, at the scale σ. *)
Definition tuple_inner (q : nat -> R) (K : nat -> matrix) (t : list nat) : R :=
  sigma * rsum d (fun c => q c * tuple_row m K t c).
Definition sink_weight (s0 : R) : R := if sink then exp s0 else 0.

Section Point.
(** Queries, keys and values of each slot, biases of tuples, logits of sinks. Query b sees the
    tuples l b, so any mask. *)
Variables (q : nat -> nat -> R) (K V : nat -> matrix) (bias : nat -> list nat -> R) (s0 : nat -> R).

Definition logits (b : nat) (t : list nat) : R := cap (tuple_inner (q b) K t) + bias b t.

Definition loss : R := rsum B (fun b =>
  row_loss d_v (G b) (g b) (sink_weight (s0 b)) (l b) (logits b) (tuple_row m V)).

(** The six formulas: for a logit and its bias, for a sink; *)
Definition dz (b : nat) (t : list nat) : R :=
  dlogit d_v (G b) (g b) (sink_weight (s0 b)) (l b) (logits b) (tuple_row m V) t.
Definition ds0 (b : nat) : R :=
  dsink d_v (G b) (g b) (sink_weight (s0 b)) (l b) (logits b) (tuple_row m V).

(** for an inner product under the cap, and for a query; *)
Definition ds (b : nat) (t : list nat) : R := dz b t * dcap (tuple_inner (q b) K t).
Definition dq (b c : nat) : R := sigma * lsum (fun t => ds b t * tuple_row m K t c) (l b).

(** for the keys and the values of slot r. *)
Definition dK (r : nat) : matrix := fun j c => sigma * rsum B (fun b => q b c *
  lsum (fun t => if (nth r t 0 =? j)%nat then ds b t * rest_row m K r t c else 0) (l b)).
Definition dV (r : nat) : matrix := fun j c => rsum B (fun b => G b c *
  lsum (fun t => if (nth r t 0 =? j)%nat
                 then row_weight (sink_weight (s0 b)) (l b) (logits b) t * rest_row m V r t c
                 else 0) (l b)).

(** One moment for all slots and the queries. *)
Theorem gradients_moments :
  (forall b t r, (b < B)%nat -> In t (l b) -> (r < m)%nat -> (nth r t 0 < n)%nat) ->
  forall r c, (r < m)%nat ->
  rsum n (fun j => K r j c * dK r j c) = rsum B (fun b => q b c * dq b c).
Proof.
  exact (Gradients.gradients_moments B m n d d_v sigma cap dcap sink l G g q K V bias s0).
Qed.
End Point.

(** Along any curves of queries, keys, values, biases and sinks, with any differentiable cap, the
    derivative of the loss is what the formulas say. All tokens are among the n of their slot. (A
    query that sees neither a tuple nor a sink contributes nothing.) *)
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
     + rsum m (fun r => rsum n (fun j => rsum d (fun c =>
         dK qx Kx Vx biasx s0x r j c * K' r j c)))
     + rsum m (fun r => rsum n (fun j => rsum d_v (fun c =>
         dV qx Kx Vx biasx s0x r j c * V' r j c)))
     + rsum B (fun b => lsum (fun t => dz qx Kx Vx biasx s0x b t * bias' b t) (l b))
     + rsum B (fun b => ds0 qx Kx Vx biasx s0x b * s0' b)).
Proof.
  exact (Gradients.gradients B m n d d_v sigma cap dcap sink l G g q K V bias s0 x q' K' V' bias'
    s0').
Qed.
End Model.

(** A soft cap c tanh(y/c) has the slope 1 - tanh²(y/c). *)
Theorem gradients_cap (c y : R) : c <> 0 ->
  derivable_pt_lim (fun y => c * tanh (y / c)) y (1 - tanh (y / c) * tanh (y / c)).
Proof. exact (Gradients.gradients_cap c y). Qed.

(** With all tuples of the slots, no sink, cap or bias, and scale 1, it is tensor attention. *)
Theorem gradients_tensor (m d : nat) (slots : list (list nat)) (q : nat -> R)
    (K V : nat -> matrix) (c : nat) : length slots = m ->
  row_out 0 (tuples slots) (logits m d 1 (fun y => y) (fun _ => q) K (fun _ _ => 0) 0)
    (tuple_row m V) c
  = tensor slots d q (map K (seq 0 m)) (map V (seq 0 m)) c.
Proof. exact (Gradients.gradients_tensor m d slots q K V c). Qed.
