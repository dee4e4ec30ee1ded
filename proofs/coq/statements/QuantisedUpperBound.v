(** * S2 `quantised-upper-bound` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions.
From KVFloor Require QuantisedUpperBound.
Import ListNotations.
Open Scope R_scope.

(** Values within ±B: the output moves by at most 2 B tanh(ε/2), so by at most B ε. *)
Theorem quantised_upper_bound_logits {X} (l : list X) (s s' v : X -> R) (B eps : R) :
  l <> [] -> 0 < B -> 0 <= eps -> (forall t, In t l -> Rabs (s' t - s t) <= eps) ->
  (forall t, In t l -> Rabs (v t) <= B) ->
  Rabs (tuple_output l s' v - tuple_output l s v)
    <= 2 * B * ((exp eps - 1) / (exp eps + 1)) <= B * eps.
Proof. exact (QuantisedUpperBound.quantised_upper_bound_logits l s s' v B eps). Qed.

(** Entries of the rows that the tuple names are within ±B. *)
Definition entries_within (B : R) (Ms : list matrix) (t : list nat) (c : nat) : Prop :=
  forall r, (r < length Ms)%nat -> Rabs (nth r Ms ones (nth r t 0%nat) c) <= B.

Definition entries_close (eps : R) (Ms Ms' : list matrix) (t : list nat) (c : nat) : Prop :=
  forall r, (r < length Ms)%nat ->
    Rabs (nth r Ms' ones (nth r t 0%nat) c - nth r Ms ones (nth r t 0%nat) c) <= eps.

(** Rounding keys by ε_k and values by ε_v, within boxes of half-sides B_k and B_v, moves an output
    of order m by at most B_v^m ε_s + m B_v^(m-1) ε_v, where ε_s = ‖q‖₁ m B_k^(m-1) ε_k. *)
Theorem quantised_upper_bound (slots : list (list nat)) (d : nat) (q : nat -> R)
    (Ks Ks' Vs Vs' : list matrix) (c : nat) (Q Bk Bv ek ev : R) :
  let m := length slots in
  length Ks = m -> length Ks' = m -> length Vs = m -> length Vs' = m ->
  (forall js, In js slots -> js <> []) ->
  0 < Bk -> 0 < Bv -> 0 <= ek -> 0 <= ev ->
  rsum d (fun e => Rabs (q e)) <= Q ->
  (forall t e, In t (tuples slots) -> (e < d)%nat ->
     entries_within Bk Ks t e /\ entries_within Bk Ks' t e /\ entries_close ek Ks Ks' t e) ->
  (forall t, In t (tuples slots) ->
     entries_within Bv Vs t c /\ entries_within Bv Vs' t c /\ entries_close ev Vs Vs' t c) ->
  Rabs (tensor slots d q Ks' Vs' c - tensor slots d q Ks Vs c)
    <= Bv ^ m * (Q * (INR m * Bk ^ (m - 1) * ek)) + INR m * Bv ^ (m - 1) * ev.
Proof.
  exact (QuantisedUpperBound.quantised_upper_bound slots d q Ks Ks' Vs Vs' c Q Bk Bv ek ev).
Qed.

(** m n (d w_k + d_v w_v) bits answer every query of order m within that bound, with
    ε_k = B_k / 2^w_k and ε_v = B_v / 2^w_v, for all keys and values in the boxes. *)
Theorem quantised_upper_bound_cache (m n d d_v wk wv : nat) (Bk Bv : R) :
  (1 <= n)%nat -> 0 < Bk -> 0 < Bv ->
  exists (state : list matrix -> list matrix -> list bool) (answer : reader),
    forall Ks Vs, length Ks = m -> length Vs = m ->
      (forall r j e, (r < m)%nat -> (j < n)%nat -> (e < d)%nat ->
         Rabs (nth r Ks ones j e) <= Bk) ->
      (forall r j c, (r < m)%nat -> (j < n)%nat -> (c < d_v)%nat ->
         Rabs (nth r Vs ones j c) <= Bv) ->
      length (state Ks Vs) = (m * n * (d * wk + d_v * wv))%nat /\
      forall q Q c, rsum d (fun e => Rabs (q e)) <= Q -> (c < d_v)%nat ->
        Rabs (answer (state Ks Vs) q c - tensor (repeat (seq 0 n) m) d q Ks Vs c)
          <= Bv ^ m * (Q * (INR m * Bk ^ (m - 1) * (Bk / 2 ^ wk)))
             + INR m * Bv ^ (m - 1) * (Bv / 2 ^ wv).
Proof. exact (QuantisedUpperBound.quantised_upper_bound_cache m n d d_v wk wv Bk Bv). Qed.
