(** L2 `decode-threshold`: which margin lets bits be read from inaccurate answers. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Guarantee Tuples SoftmaxConcentration.
Import ListNotations.
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

(** ** Ties, any set of tuples; and no smaller margin is enough *)

(** Guarantees that say anything about a bit. *)
Definition guarantee (eta alpha : R) : Prop := 0 <= eta /\ 0 <= alpha /\ eta + 2 * alpha < 1.

(** The leak must be smaller than this. *)
Definition leak_limit (eta alpha : R) : R := (1 - eta) / 2 - alpha.

(** The margin must exceed this. *)
Definition margin_limit (c eta alpha : R) : R :=
  ln (c * (1 + eta + 2 * alpha) / (1 - eta - 2 * alpha)).

(** ** Accurate answers and the threshold *)

Lemma bounds_accurate eta alpha o y :
  0 <= y -> (1 - eta) * y - alpha <= o <= (1 + eta) * y + alpha -> accurate eta alpha o y.
Proof.
  intros Hy H. unfold accurate. rewrite (Rabs_pos_eq y Hy). apply Rabs_le. lra.
Qed.

(** ** The margin that is enough, and no smaller one is *)

Lemma ratio_pos eta alpha : guarantee eta alpha ->
  0 < (1 + eta + 2 * alpha) / (1 - eta - 2 * alpha).
Proof. intros (He & Ha & Hea). apply Rdiv_lt_0_compat; lra. Qed.

Lemma leak_of_limit eta alpha c g : guarantee eta alpha -> 0 <= c ->
  leak_of c g < leak_limit eta alpha
    <-> c * exp (- g) * (1 + eta + 2 * alpha) < 1 - eta - 2 * alpha.
Proof.
  intros (He & Ha & Hea) Hc. pose proof (exp_pos (- g)).
  assert (HE : 0 <= c * exp (- g)) by nra. unfold leak_of, leak_limit.
  set (E := c * exp (- g)) in *.
  assert (H1 : E / (1 + E) * (1 + E) = E) by (field; lra).
  split; intros H2.
  - apply (Rmult_lt_compat_r (1 + E)) in H2; lra.
  - apply (Rmult_lt_reg_r (1 + E)); [lra|]. rewrite H1. lra.
Qed.

Lemma margin_decides eta alpha c g : guarantee eta alpha -> 0 < c ->
  leak_of c g < leak_limit eta alpha <-> g > margin_limit c eta alpha.
Proof.
  intros Hg Hc. rewrite leak_of_limit by (exact Hg || lra).
  pose proof (ratio_pos eta alpha Hg) as Hr. destruct Hg as (He & Ha & Hea).
  unfold margin_limit. set (r := c * (1 + eta + 2 * alpha) / (1 - eta - 2 * alpha)).
  assert (Hpos : 0 < r) by (unfold r, Rdiv in *; rewrite Rmult_assoc; nra).
  assert (E : c * (1 + eta + 2 * alpha) = r * (1 - eta - 2 * alpha)) by (unfold r; field; lra).
  replace (c * exp (- g) * (1 + eta + 2 * alpha))
    with (exp (ln r - g) * (1 - eta - 2 * alpha)).
  2: { unfold Rminus at 1. rewrite exp_plus, exp_ln by exact Hpos.
       transitivity (exp (- g) * (r * (1 - eta - 2 * alpha))); [ring|rewrite <- E; ring]. }
  split; intros H.
  - assert (exp (ln r - g) < 1) by (apply (Rmult_lt_reg_r (1 - eta - 2 * alpha)); lra).
    rewrite <- exp_0 in H0. apply exp_lt_inv in H0. lra.
  - assert (exp (ln r - g) < 1) by (rewrite <- exp_0; apply exp_increasing; lra).
    rewrite <- (Rmult_1_l (1 - eta - 2 * alpha)) at 2. apply Rmult_lt_compat_r; lra.
Qed.

(** With no competitor at all any margin is enough. *)
Lemma margin_enough eta alpha c g : guarantee eta alpha -> 0 <= c ->
  g > margin_limit c eta alpha -> leak_of c g < leak_limit eta alpha.
Proof.
  intros Hg [Hc|<-] H; [now apply margin_decides|].
  apply leak_of_limit; [exact Hg|lra|]. destruct Hg as (He & Ha & Hea). lra.
Qed.

(** ** Bits of real attention *)

(** An accurate answer lies above threshold exactly if the bit is 1. *)
Theorem decode_threshold_ties {A} (l : list A) s top S g v bit eta alpha o :
  guarantee eta alpha -> 0 < number top l -> singled_out l s top S g ->
  leak_of (competitors top l) g < leak_limit eta alpha ->
  (forall t, In t l -> 0 <= v t <= 1) ->
  (forall t, In t l -> top t = true -> v t = bitval bit) ->
  accurate eta alpha o (tuple_output l s v) ->
  if bit then o > threshold eta alpha else o < threshold eta alpha.
Proof.
  intros Hg Htop Hout HL Hv Hb Ho.
  pose proof (output_of_bit l s top S g Htop Hout v bit Hv Hb) as H.
  pose proof (tuple_output_between l s v 0 1 (top_inhabited top l Htop) Hv) as Hr.
  destruct Hg as (He & Ha & Hea). unfold leak_limit in HL.
  assert (He' : 0 <= eta < 1) by lra. destruct bit.
  - apply (threshold_one _ _ _ _ _ He' HL (proj1 Hr) H Ho).
  - apply (threshold_zero _ _ _ _ _ He' Ha HL (conj (proj1 Hr) H) Ho).
Qed.

(** A reader [f] knows the logits and sees one accurate answer.  It serves margin g among
    T tied tuples and M others if it always finds the bit that the tied tuples hold. *)
Definition reads_bits (T M : nat) (g eta alpha : R) (f : (nat -> R) -> R -> bool) : Prop :=
  forall (s : nat -> R) (v : nat -> bool) S bit o,
    let l := seq 0 (T + M) in
    let top t := t <? T in
    singled_out l s top S g ->
    (forall t, In t l -> top t = true -> v t = bit) ->
    accurate eta alpha o (tuple_output l s (fun t => bitval (v t))) ->
    f s o = bit.

Lemma number_lsum {A} (p : A -> bool) l : number p l = lsum (fun t => if p t then 1 else 0) l.
Proof.
  unfold number. rewrite lsum_filter, lsum_const. ring.
Qed.

Lemma number_top T M : number (fun t => t <? T) (seq 0 (T + M)) = INR T.
Proof.
  rewrite number_lsum, seq_app, lsum_app.
  rewrite (lsum_ext _ (fun _ => 1) (seq 0 T)), (lsum_ext _ (fun _ => 0) (seq (0 + T) M)).
  - rewrite !lsum_const, seq_length. ring.
  - intros t Ht. apply in_seq in Ht. destruct (Nat.ltb_spec t T); [lia|reflexivity].
  - intros t Ht. apply in_seq in Ht. destruct (Nat.ltb_spec t T); [reflexivity|lia].
Qed.

Lemma number_others T M : number (fun t => negb (t <? T)) (seq 0 (T + M)) = INR M.
Proof.
  rewrite number_lsum, seq_app, lsum_app.
  rewrite (lsum_ext _ (fun _ => 0) (seq 0 T)), (lsum_ext _ (fun _ => 1) (seq (0 + T) M)).
  - rewrite !lsum_const, !seq_length. ring.
  - intros t Ht. apply in_seq in Ht. destruct (Nat.ltb_spec t T); [lia|reflexivity].
  - intros t Ht. apply in_seq in Ht. destruct (Nat.ltb_spec t T); [reflexivity|lia].
Qed.

Lemma competitors_block T M : competitors (fun t => t <? T) (seq 0 (T + M)) = INR M / INR T.
Proof. unfold competitors. now rewrite number_top, number_others. Qed.

(** Logits where every competitor lies exactly h below the tied tuples. *)
Definition step_logits (T : nat) (h : R) (t : nat) : R := if t <? T then 0 else - h.

Lemma step_output T M h bit :
  (1 <= T)%nat ->
  let lam := leak_of (INR M / INR T) h in
  tuple_output (seq 0 (T + M)) (step_logits T h) (fun t => bitval (if t <? T then bit else negb bit))
    = if bit then 1 - lam else lam.
Proof.
  intros HT lam. set (l := seq 0 (T + M)). set (top := fun t => t <? T).
  assert (Htop : 0 < number top l) by (unfold top, l; rewrite number_top; apply lt_0_INR; lia).
  assert (Hout : singled_out l (step_logits T h) top 0 h).
  { intros t _. unfold top, step_logits. destruct (t <? T); lra. }
  assert (Hm : mass l (step_logits T h) top = 1 - lam).
  { unfold lam. rewrite <- (competitors_block T M).
    apply (proj2 (softmax_concentration_equality l (step_logits T h) top 0 h Htop Hout)).
    intros t _ Ht. unfold top in Ht. unfold step_logits. rewrite Ht. lra. }
  pose proof (mass_others l (step_logits T h) top Htop) as Hm2. rewrite Hm in Hm2.
  unfold tuple_output. destruct bit.
  - rewrite <- Hm. unfold mass. apply lsum_ext. intros t _. unfold top, bitval.
    destruct (t <? T); simpl; ring.
  - replace lam with (1 - (1 - lam)) by ring. rewrite <- Hm2. unfold mass.
    apply lsum_ext. intros t _. unfold top, bitval. destruct (t <? T); simpl; ring.
Qed.

(** The distance at which c competitors for each tied tuple weigh just the limit. *)
Lemma leak_at_limit eta alpha c : guarantee eta alpha -> 0 < c ->
  leak_of c (margin_limit c eta alpha) = leak_limit eta alpha.
Proof.
  intros Hg Hc. pose proof (ratio_pos eta alpha Hg) as Hr. destruct Hg as (He & Ha & Hea).
  unfold leak_of, margin_limit, leak_limit.
  assert (0 < c * (1 + eta + 2 * alpha) / (1 - eta - 2 * alpha))
    by (unfold Rdiv in *; rewrite Rmult_assoc; nra).
  rewrite exp_Ropp, exp_ln by assumption. field. repeat split; nra.
Qed.

(** Bits can be read exactly when the margin exceeds the limit: with a larger margin threshold
    parts the answers; with any smaller one no reader, however clever, serves. *)
Theorem decode_threshold_exactly_when T M g eta alpha :
  guarantee eta alpha -> (1 <= T)%nat -> (1 <= M)%nat ->
  (exists f, reads_bits T M g eta alpha f) <-> g > margin_limit (INR M / INR T) eta alpha.
Proof.
  intros Hg HT HM.
  assert (HTr : 0 < INR T) by (apply lt_0_INR; lia).
  assert (Hc : 0 < INR M / INR T)
    by (apply Rdiv_lt_0_compat; [apply lt_0_INR; lia|exact HTr]).
  split.
  - intros (f & Hf). apply Rnot_le_gt. intros Hle.
    set (h := margin_limit (INR M / INR T) eta alpha) in *.
    assert (Hout : singled_out (seq 0 (T + M)) (step_logits T h) (fun t => t <? T) 0 g).
    { intros t _. unfold step_logits. destruct (t <? T); lra. }
    assert (Hlam : leak_of (INR M / INR T) h = leak_limit eta alpha)
      by (apply leak_at_limit; assumption).
    destruct Hg as (He & Ha & Hea).
    assert (Hread : forall bit, f (step_logits T h) (threshold eta alpha) = bit).
    { intros bit.
      apply (Hf (step_logits T h) (fun t => if t <? T then bit else negb bit) 0 bit _ Hout).
      - intros t _ Ht. now rewrite Ht.
      - rewrite step_output, Hlam by exact HT.
        apply bounds_accurate; destruct bit; unfold leak_limit, threshold; nra. }
    pose proof (Hread true). pose proof (Hread false). congruence.
  - intros Hm. exists (fun _ o => if Rlt_dec (threshold eta alpha) o then true else false).
    intros s v S bit o l top Hout Hv Ho.
    assert (Htop : 0 < number top l) by (unfold top, l; now rewrite number_top).
    pose proof (decode_threshold_ties l s top S g (fun t => bitval (v t)) bit eta alpha o Hg Htop Hout) as H.
    change (competitors top l) with (competitors (fun t => t <? T) (seq 0 (T + M))) in H.
    rewrite competitors_block in H.
    specialize (H (proj2 (margin_decides eta alpha _ g Hg Hc) Hm)).
    assert (H1 : if bit then o > threshold eta alpha else o < threshold eta alpha).
    { apply H; [|intros t Ht Ht2; now rewrite (Hv t Ht Ht2)|exact Ho].
      intros t _. unfold bitval. destruct (v t); lra. }
    destruct (Rlt_dec (threshold eta alpha) o), bit; try reflexivity; lra.
Qed.
