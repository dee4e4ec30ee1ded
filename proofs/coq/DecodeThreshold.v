(** L2 `decode-threshold`: which margin lets bits be read from inaccurate answers. *)
From Coq Require Import Reals Lra Lia Arith.
From KVFloor Require Import Sums Attention Guarantee SoftmaxConcentration.
Open Scope R_scope.

(** θ = (1 - η²)/2 - ηα parts the answers to 0 from those to 1, whatever the leak. *)
Definition threshold (eta alpha : R) : R := (1 - eta * eta) / 2 - eta * alpha.

(** M(1+η+2α)/(1-η-2α): a margin above its logarithm is enough. *)
Definition margin_ratio (eta alpha : R) (M : nat) : R :=
  INR M * (1 + eta + 2 * alpha) / (1 - eta - 2 * alpha).

(** An accurate answer to an output in [0, λ] or [1-λ, 1+λ] is on the right side of θ. *)
Lemma threshold_zero eta alpha lam o out :
  0 <= eta < 1 -> 0 <= alpha -> lam < (1 - eta) / 2 - alpha -> 0 <= out <= lam ->
  accurate eta alpha o out -> o < threshold eta alpha.
Proof.
  intros He Ha Hlam Hout Ho. apply Rabs_le_inv in Ho. rewrite Rabs_pos_eq in Ho by lra.
  assert ((1 + eta) * out <= (1 + eta) * lam) by (apply Rmult_le_compat_l; lra).
  assert ((1 + eta) * lam < (1 + eta) * ((1 - eta) / 2 - alpha))
    by (apply Rmult_lt_compat_l; lra).
  unfold threshold. lra.
Qed.

Lemma threshold_one eta alpha lam o out :
  0 <= eta < 1 -> lam < (1 - eta) / 2 - alpha -> 0 <= out -> out >= 1 - lam ->
  accurate eta alpha o out -> o > threshold eta alpha.
Proof.
  intros He Hlam Hpos Hout Ho. apply Rabs_le_inv in Ho. rewrite Rabs_pos_eq in Ho by lra.
  assert ((1 - eta) * out >= (1 - eta) * (1 - lam)) by (apply Rmult_ge_compat_l; lra).
  assert ((1 - eta) * lam < (1 - eta) * ((1 - eta) / 2 - alpha))
    by (apply Rmult_lt_compat_l; lra).
  unfold threshold. lra.
Qed.

(** With λ < (1-η)/2 - α, an accurate answer tells the bit of the tuple asked for. *)
Theorem decode_threshold n s (v : nat -> bool) i g eta alpha o :
  (i < n)%nat -> margin n s i g -> 0 <= eta < 1 -> 0 <= alpha ->
  leak (n - 1) g < (1 - eta) / 2 - alpha ->
  accurate eta alpha o (output n s (fun j => bitval (v j))) ->
  o >= threshold eta alpha <-> v i = true.
Proof.
  intros Hi Hg He Ha Hlam Ho. set (out := output _ _ _) in *.
  assert (Hpos : 0 <= out) by (apply output_nonneg; intros; apply bitval_range).
  destruct (v i) eqn:E.
  - assert (Hout : out >= 1 - leak (n - 1) g).
    { apply softmax_concentration_one with i; auto; [intros; apply bitval_range|now rewrite E]. }
    pose proof (threshold_one eta alpha _ o out He Hlam Hpos Hout Ho).
    split; [reflexivity|lra].
  - assert (Hout : out <= leak (n - 1) g).
    { apply softmax_concentration_zero with i; auto; [intros; apply bitval_range|now rewrite E]. }
    pose proof (threshold_zero eta alpha _ o out He Ha Hlam (conj Hpos Hout) Ho).
    split; [lra|discriminate].
Qed.

(** The condition on the leak is one on the margin: g > ln(M(1+η+2α)/(1-η-2α)). *)
Theorem decode_threshold_margin M g eta alpha :
  0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 -> (1 <= M)%nat ->
  g > ln (margin_ratio eta alpha M) <-> leak M g < (1 - eta) / 2 - alpha.
Proof.
  intros He Ha Hsum HM. assert (HMpos : 0 < INR M) by (apply lt_0_INR; lia).
  set (r := margin_ratio eta alpha M).
  assert (Hr : 0 < r) by (apply Rdiv_lt_0_compat; [apply Rmult_lt_0_compat; lra|lra]).
  assert (H1 : g > ln r <-> r * exp (- g) < 1).
  { assert (Hx : r * exp (- g) = exp (ln r - g)).
    { unfold Rminus. rewrite exp_plus, exp_ln by exact Hr. reflexivity. }
    rewrite Hx, <- exp_0. split; intros H; [apply exp_increasing; lra|].
    apply exp_lt_inv in H. lra. }
  rewrite H1. pose proof (excess_nonneg M g) as HE. unfold leak.
  assert (H2 : r * exp (- g) * (1 - eta - 2 * alpha) = (1 + eta + 2 * alpha) * excess M g).
  { unfold r, margin_ratio, excess. field. lra. }
  set (E := excess M g) in *.
  assert (H3 : E / (1 + E) * (1 + E) = E) by (field; lra).
  split; intros H.
  - apply (Rmult_lt_compat_r (1 - eta - 2 * alpha)) in H; [|lra]. rewrite H2 in H.
    apply (Rmult_lt_reg_r (1 + E)); [lra|]. rewrite H3. lra.
  - apply (Rmult_lt_compat_r (1 + E)) in H; [|lra]. rewrite H3 in H.
    apply (Rmult_lt_reg_r (1 - eta - 2 * alpha)); [lra|]. rewrite H2. lra.
Qed.

(** A margin that is large enough exists, whatever the number of competitors. *)
Lemma margin_exists M eta alpha :
  0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists g, 0 <= g /\ leak M g < (1 - eta) / 2 - alpha.
Proof.
  intros He Ha Hsum. destruct M as [|M].
  - exists 0. split; [lra|]. unfold leak, excess. simpl. unfold Rdiv. rewrite !Rmult_0_l. lra.
  - set (r := margin_ratio eta alpha (S M)).
    exists (Rmax 0 (ln r + 1)). split; [apply Rmax_l|].
    apply decode_threshold_margin; [assumption..|lia|].
    pose proof (Rmax_r 0 (ln r + 1)). fold r. lra.
Qed.
