(** * L2 `decode-threshold` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions.
From KVFloor Require DecodeThreshold.
Import ListNotations.
Open Scope R_scope.

(** θ = (1 - η²)/2 - ηα parts the answers to 0 from those to 1. *)
Definition threshold (eta alpha : R) : R := (1 - eta * eta) / 2 - eta * alpha.

(** M(1+η+2α)/(1-η-2α). *)
Definition margin_ratio (eta alpha : R) (M : nat) : R :=
  INR M * (1 + eta + 2 * alpha) / (1 - eta - 2 * alpha).

(** With λ < (1-η)/2 - α, an accurate answer tells the bit of the tuple asked for. *)
Theorem decode_threshold (n : nat) (s : nat -> R) (v : nat -> bool) (i : nat) (g eta alpha o : R) :
  (i < n)%nat -> margin n s i g -> 0 <= eta < 1 -> 0 <= alpha ->
  leak (n - 1) g < (1 - eta) / 2 - alpha ->
  accurate eta alpha o (output n s (fun j => bitval (v j))) ->
  o >= threshold eta alpha <-> v i = true.
Proof. exact (DecodeThreshold.decode_threshold n s v i g eta alpha o). Qed.

(** The condition on the leak is one on the margin: g > ln(M(1+η+2α)/(1-η-2α)). *)
Theorem decode_threshold_margin (M : nat) (g eta alpha : R) :
  0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 -> (1 <= M)%nat ->
  g > ln (margin_ratio eta alpha M) <-> leak M g < (1 - eta) / 2 - alpha.
Proof. exact (DecodeThreshold.decode_threshold_margin M g eta alpha). Qed.

(** With ties, and any set of tuples: an accurate answer lies above θ if the bit of the tied tuples
    is 1, and below if it is 0. *)
Theorem decode_threshold_ties {A} (l : list A) (s : A -> R) (top : A -> bool) (S g : R)
    (v : A -> R) (bit : bool) (eta alpha o : R) :
  guarantee eta alpha -> 0 < number top l -> singled_out l s top S g ->
  leak_of (competitors top l) g < leak_limit eta alpha ->
  (forall t, In t l -> 0 <= v t <= 1) ->
  (forall t, In t l -> top t = true -> v t = bitval bit) ->
  accurate eta alpha o (tuple_output l s v) ->
  if bit then o > threshold eta alpha else o < threshold eta alpha.
Proof. exact (DecodeThreshold.decode_threshold_ties l s top S g v bit eta alpha o). Qed.

(** A reader f knows the logits and sees one accurate answer. It serves margin g among T tied
    tuples and M others if it always finds the bit that the tied tuples hold. *)
Definition reads_bits (T M : nat) (g eta alpha : R) (f : (nat -> R) -> R -> bool) : Prop :=
  forall (s : nat -> R) (v : nat -> bool) S bit o,
    let l := seq 0 (T + M) in
    let top t := (t <? T)%nat in
    singled_out l s top S g ->
    (forall t, In t l -> top t = true -> v t = bit) ->
    accurate eta alpha o (tuple_output l s (fun t => bitval (v t))) ->
    f s o = bit.

(** Bits can be read exactly when the margin exceeds the limit: no reader serves a smaller one. *)
Theorem decode_threshold_exactly_when (T M : nat) (g eta alpha : R) :
  guarantee eta alpha -> (1 <= T)%nat -> (1 <= M)%nat ->
  (exists f, reads_bits T M g eta alpha f) <-> g > margin_limit (INR M / INR T) eta alpha.
Proof. exact (DecodeThreshold.decode_threshold_exactly_when T M g eta alpha). Qed.
