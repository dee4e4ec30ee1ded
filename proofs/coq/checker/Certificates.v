(** * What certificates say

    To know what an accepted certificate means, read this file and [statements/Definitions.v].
    Rationals are those of Coq's library, [Q2R] is such a number as a real one. *)
From Coq Require Import Reals ZArith QArith Qabs Qreals List.
From KVFloor Require Import Definitions.
Import ListNotations.
Open Scope R_scope.

(** Numbers that are not there are 0. *)
Definition table := list (list Q).
Definition vector_of (l : list Q) (c : nat) : R := Q2R (nth c l 0%Q).
Definition matrix_of (t : table) : matrix := fun j => vector_of (nth j t []).

(** The output is a multiple of 2^-64, or lies between two neighbouring ones. *)
Definition enclosed (lower upper : Q) (out : R) : Prop :=
  (exists z, Q2R lower = IZR z / 2 ^ 64) /\
  (Q2R lower = out /\ out = Q2R upper \/
   Q2R lower < out < Q2R upper /\ Q2R upper = Q2R lower + / 2 ^ 64).

(** Keys and values by slot and token, as rationals; a query, and a column of the output. *)
Record instance := Instance
  { keys : list table; values : list table; query : list Q; column : nat }.

(** The output of tensor attention: every token of every slot takes part. *)
Definition true_output (x : instance) : R :=
  tensor (map (fun K => seq 0 (length K)) (keys x)) (length (query x)) (vector_of (query x))
    (map matrix_of (keys x)) (map matrix_of (values x)) (column x).

(** [answer] is not (η, α)-accurate for the output, which lies between the two bounds. *)
Definition violates (x : instance) (eta alpha answer lower upper : Q) : Prop :=
  enclosed lower upper (true_output x) /\
  ~ accurate (Q2R eta) (Q2R alpha) (Q2R answer) (true_output x).

(** No number is (η, α)-accurate for the output and for that with other values: so no cache that
    ends in one state on both instances is (η, α)-accurate. *)
Definition with_values (x : instance) (others : list table) : instance :=
  Instance (keys x) others (query x) (column x).
Definition collides (x : instance) (others : list table)
    (eta alpha lower upper lower' upper' : Q) : Prop :=
  let y := with_values x others in
  enclosed lower upper (true_output x) /\ enclosed lower' upper' (true_output y) /\
  forall o, ~ (accurate (Q2R eta) (Q2R alpha) o (true_output x) /\
               accurate (Q2R eta) (Q2R alpha) o (true_output y)).

(** B: the product over the slots of the largest absolute value. *)
Definition largest_value (V : table) : Q :=
  fold_right (fun x m => if Qle_bool m (Qabs x) then Qabs x else m) 0%Q (concat V).
Definition bound_of (Vs : list table) : Q := fold_right (fun V b => largest_value V * b)%Q 1%Q Vs.

(** [answer] is off by more than η |out| + α B. *)
Definition violates_bounded (x : instance) (eta alpha bound answer lower upper : Q) : Prop :=
  Q2R bound = Q2R (bound_of (values x)) /\ 0 <= Q2R alpha /\
  violates x eta (alpha * bound) answer lower upper.
