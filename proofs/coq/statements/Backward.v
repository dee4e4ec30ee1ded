(** * The backward pass of one query: definitions that claims about gradients share *)
From Coq Require Import Reals ZArith List Arith Bool.
From KVFloor Require Import Definitions.
Import ListNotations.
Open Scope R_scope.

(** ** One query: tuples l with logits z and values v, and a sink of weight w0 (0: none) *)

Definition row_total (w0 : R) (l : list (list nat)) (z : list nat -> R) : R :=
  w0 + lsum (fun t => exp (z t)) l.
Definition row_weight (w0 : R) (l : list (list nat)) (z : list nat -> R) (t : list nat) : R :=
  exp (z t) / row_total w0 l z.
Definition row_out (w0 : R) (l : list (list nat)) (z : list nat -> R)
    (v : list nat -> nat -> R) (c : nat) : R :=
  lsum (fun t => row_weight w0 l z t * v t c) l.

(** With cotangents G of the output and g of its log-sum-exp: D = Σ_c G_c out_c; the query's part of
    the loss; *)
Definition row_mean (d_v : nat) (G : nat -> R) (w0 : R) (l : list (list nat))
    (z : list nat -> R) (v : list nat -> nat -> R) : R :=
  rsum d_v (fun c => G c * row_out w0 l z v c).
Definition row_loss (d_v : nat) (G : nat -> R) (g w0 : R) (l : list (list nat))
    (z : list nat -> R) (v : list nat -> nat -> R) : R :=
  row_mean d_v G w0 l z v + g * ln (row_total w0 l z).

(** p (Σ_c G_c v_c - D + g) of a logit, and p_0 (g - D) of the sink's. *)
Definition dlogit (d_v : nat) (G : nat -> R) (g w0 : R) (l : list (list nat))
    (z : list nat -> R) (v : list nat -> nat -> R) (t : list nat) : R :=
  row_weight w0 l z t * (rsum d_v (fun c => G c * v t c) - row_mean d_v G w0 l z v + g).
Definition dsink (d_v : nat) (G : nat -> R) (g w0 : R) (l : list (list nat))
    (z : list nat -> R) (v : list nat -> nat -> R) : R :=
  w0 / row_total w0 l z * (g - row_mean d_v G w0 l z v).
