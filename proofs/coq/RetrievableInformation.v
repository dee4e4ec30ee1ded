(** H5 `retrievable-information`: N symbols of L kinds that are read with error δ take
    N (log₂ L - H₂(δ) - δ log₂(L-1)) bits (for bits, L4; else Fano's inequality). *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Guarantee Bits Entropy Symbols MixedSymbols SymbolsRandomized.
Import ListNotations.
Open Scope R_scope.

(** 1 if the guess is wrong, 0 if it is right; the probability that symbol k of x is misread. *)
Definition misread (guess truth : nat) : R := if guess =? truth then 0 else 1.
Definition misread_prob (T : nat) (w : nat -> R)
    (enc : nat -> list nat -> list bool) (dec : nat -> list bool -> nat -> nat)
    (x : list nat) (k : nat) : R :=
  rsum T (fun r => w r * misread (dec r (enc r x) k) (nth k x 0%nat)).

Section Reading.
Variables (T : nat) (w : nat -> R) (N L : nat) (states : list (list bool)) (delta : R).
Variables (enc : nat -> list nat -> list bool) (dec : nat -> list bool -> nat -> nat).
Hypothesis HL : (2 <= L)%nat.
Hypothesis Hw : distribution T w.
Hypothesis Hdelta : 0 <= delta <= INR (L - 1) / INR L.
Hypothesis Hin : forall r x, (r < T)%nat -> symbols N L x -> In (enc r x) states.

Let all_words : words (fun _ : nat => L) (seq 0 N) = strings N L.
Proof. now rewrite strings_words, seq_length. Qed.

(** An error of δ on average over words and symbols leaves each symbol its share. *)
Lemma shares_of_states :
  lsum (fun x => rsum N (fun k => misread_prob T w enc dec x k)) (strings N L)
    <= delta * (INR N * INR L ^ N) ->
  INR N * (log2 (INR L) - H2 delta - delta * log2 (INR (L - 1))) <= log2 (INR (length states)).
Proof.
  intros Hmean.
  pose proof (errors_floor Nat.eq_dec (fun _ => L) (seq 0 N) T w states enc dec (seq_NoDup N 0)
    ltac:(auto) Hw) as H. rewrite all_words in H.
  specialize (H (fun r x Hr Hx => Hin r x Hr (proj1 (in_strings N L x) Hx)) delta
    ltac:(auto) (proj1 Hdelta)).
  cbv beta in H. rewrite lsum_const, seq_length in H. apply H; clear H.
  intros f Hf. unfold total_cost. rewrite all_words.
  rewrite (lsum_ext _ (fun x => f L * rsum N (fun k => misread_prob T w enc dec x k))).
  - rewrite lsum_scal. cbv beta. rewrite lsum_const, seq_length, <- words_length, all_words,
      strings_length, pow_INR.
    destruct (Nat.eq_dec N 0) as [->|HN].
    + rewrite (lsum_0 _ (strings 0 L)) by (intros x _; reflexivity). simpl. lra.
    + assert (0 <= f L) by (apply (Hf 0%nat), in_seq; lia).
      replace (INR L ^ N * (delta * (INR N * f L))) with (f L * (delta * (INR N * INR L ^ N)))
        by ring. now apply Rmult_le_compat_l.
  - intros x _. unfold misread_prob. rewrite rsum_swap, <- rsum_scal. apply rsum_ext. intros r _.
    unfold cost. cbv beta. rewrite lsum_seq, <- !rsum_scal. apply rsum_ext. intros k Hk.
    rewrite symbol_seq by exact Hk. unfold misread. rewrite (Nat.eqb_sym (dec _ _ _)). simpl. ring.
Qed.

Lemma each_symbol : (forall x k, symbols N L x -> (k < N)%nat ->
    misread_prob T w enc dec x k <= delta) ->
  lsum (fun x => rsum N (fun k => misread_prob T w enc dec x k)) (strings N L)
    <= delta * (INR N * INR L ^ N).
Proof.
  intros H. replace (delta * (INR N * INR L ^ N))
    with (lsum (fun _ => INR N * delta) (strings N L))
    by (rewrite lsum_const, strings_length, pow_INR; ring).
  apply lsum_le. intros x Hx. apply in_strings in Hx. rewrite <- rsum_const.
  apply rsum_le. auto.
Qed.
End Reading.

(** Each symbol is misread with probability at most δ, from messages of exactly b bits. *)
Theorem retrievable_information T w N L b enc dec delta :
  (2 <= L)%nat -> distribution T w -> 0 <= delta <= INR (L - 1) / INR L ->
  (forall r x, (r < T)%nat -> symbols N L x -> length (enc r x) = b) ->
  (forall x k, symbols N L x -> (k < N)%nat -> misread_prob T w enc dec x k <= delta) ->
  INR N * (log2 (INR L) - H2 delta - delta * log2 (INR (L - 1))) <= INR b.
Proof.
  intros HL Hw Hdelta Hb Hread. rewrite <- (log2_states b).
  apply (shares_of_states T w N L (bitstrings b) delta enc dec HL Hw Hdelta).
  - intros r x Hr Hx. apply in_bitstrings. auto.
  - now apply each_symbol.
Qed.

(** It is enough that it is so on average over words and symbols. *)
Theorem retrievable_information_average T w N L b enc dec delta :
  (2 <= L)%nat -> distribution T w -> 0 <= delta <= INR (L - 1) / INR L ->
  (forall r x, (r < T)%nat -> symbols N L x -> length (enc r x) = b) ->
  lsum (fun x => rsum N (fun k => misread_prob T w enc dec x k)) (strings N L)
    <= delta * (INR N * INR L ^ N) ->
  INR N * (log2 (INR L) - H2 delta - delta * log2 (INR (L - 1))) <= INR b.
Proof.
  intros HL Hw Hdelta Hb. rewrite <- (log2_states b).
  apply (shares_of_states T w N L (bitstrings b) delta enc dec HL Hw Hdelta).
  intros r x Hr Hx. apply in_bitstrings. auto.
Qed.

(** With messages of up to b bits, b + 1 stands for b. *)
Theorem retrievable_information_up_to T w N L b enc dec delta :
  (2 <= L)%nat -> distribution T w -> 0 <= delta <= INR (L - 1) / INR L ->
  (forall r x, (r < T)%nat -> symbols N L x -> (length (enc r x) <= b)%nat) ->
  (forall x k, symbols N L x -> (k < N)%nat -> misread_prob T w enc dec x k <= delta) ->
  INR N * (log2 (INR L) - H2 delta - delta * log2 (INR (L - 1))) < INR (b + 1).
Proof.
  intros HL Hw Hdelta Hb Hread.
  eapply Rle_lt_trans; [apply (shares_of_states T w N L (bitstrings_upto b) delta enc dec HL Hw)|].
  - exact Hdelta.
  - intros r x Hr Hx. apply in_bitstrings_upto. auto.
  - now apply each_symbol.
  - rewrite <- (log2_states (b + 1)), bitstrings_length, Nat.add_1_r, <- bitstrings_upto_length.
    assert (Hpos : (0 < length (bitstrings_upto b))%nat)
      by (pose proof (in_bitstrings_upto b [] ltac:(simpl; lia)) as Hin;
          destruct (bitstrings_upto b); [destruct Hin|simpl; lia]).
    unfold log2, Rdiv. apply Rmult_lt_compat_r; [apply Rinv_0_lt_compat, ln2_pos|].
    apply ln_increasing; [now apply lt_0_INR|apply lt_INR; lia].
Qed.

(** So many bits as L^N <= 2^b tell all symbols without error. *)
Theorem retrievable_information_met N L b : (L ^ N <= 2 ^ b)%nat ->
  exists T w (enc : nat -> list nat -> list bool) (dec : nat -> list bool -> nat -> nat),
    distribution T w /\
    (forall r x, length (enc r x) = b) /\
    (forall x k, symbols N L x -> (k < N)%nat -> misread_prob T w enc dec x k = 0).
Proof.
  intros Hb. destruct (numbering (list_eq_dec Nat.eq_dec) (strings N L) nil b)
    as (enc & dec & Hlen & Hdec); [now rewrite strings_length|].
  exists 1%nat, (fun _ => 1), (fun _ => enc), (fun _ msg k => nth k (dec msg) 0%nat).
  split; [split; [intros; lra|simpl; ring]|]. split; [auto|].
  intros x k Hx Hk. unfold misread_prob. simpl. rewrite Hdec by now apply in_strings.
  unfold misread. rewrite Nat.eqb_refl. ring.
Qed.
