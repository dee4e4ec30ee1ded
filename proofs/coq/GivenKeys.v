(** H4 `given-keys`: what keys and queries that are given force a cache to keep. Tokens are read in
    an order, each with as many levels as its weight leaves room for: in turn, where those before it
    are known, or all at once. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Guarantee Bits Entropy Tuples Symbols MixedSymbols
  SymbolsRandomized GivenValues SoftmaxConcentration.
Import ListNotations.
Open Scope R_scope.

(** Query j tells its levels when the tokens before j are known; and when no other is. *)
Definition read_in_turn (k r d : nat) (slots : nat -> list (list nat)) (Ks : list matrix)
    (Q : nat -> nat -> R) (token L : nat -> nat) (lev : nat -> nat -> R) (eta alpha : R) : Prop :=
  forall j, (j < k)%nat ->
    let s i := share (slots j) d (Q j) Ks r (token i) in
    0 < s j /\
    told eta (given_alpha eta alpha (s j) (weighs k (fun i => j <? i) s)
                (weighs k (fun i => i <? j) s)) (L j) (lev j).

Definition read_at_once (k r d : nat) (slots : nat -> list (list nat)) (Ks : list matrix)
    (Q : nat -> nat -> R) (token L : nat -> nat) (lev : nat -> nat -> R) (eta alpha : R) : Prop :=
  forall j, (j < k)%nat ->
    let s i := share (slots j) d (Q j) Ks r (token i) in
    0 < s j /\
    told eta (given_alpha eta alpha (s j) (weighs k (fun i => negb (i =? j)) s) 0) (L j) (lev j).

Section Given.
Variables (m r d d_v k : nat) (slots : nat -> list (list nat)) (Ks : list matrix)
  (Q : nat -> nat -> R) (token L : nat -> nat) (lev : nat -> nat -> R) (eta alpha : R).
Hypothesis Heta : 0 <= eta < 1.
Hypothesis Halpha : 0 <= alpha.
Hypothesis Hr : (r < m)%nat.
Hypothesis Hslots : forall j, (j < k)%nat -> length (slots j) = m.
Hypothesis Hdistinct : all_different k token.
Hypothesis HL : forall j, (j < k)%nat -> (1 <= L j)%nat.

Let all_words := words (fun p : nat * nat => L (fst p)) (places k d_v).
Let given := given_values k token L lev.

Definition token_output (x : list nat) (p : nat * nat) : R :=
  tensor (slots (fst p)) d (Q (fst p)) Ks (in_slot m r (held k d_v token lev x)) (snd p).

Lemma token_output_sum x j c : In x all_words -> (j < k)%nat ->
  token_output x (j, c) = rsum k (fun i => share (slots j) d (Q j) Ks r (token i)
                                           * lev i (at_token k d_v x i c)).
Proof.
  intros Hx Hj. unfold token_output. simpl.
  rewrite (output_of_tokens _ _ _ _ m r k token _ _ Hr (Hslots j Hj) Hdistinct).
  - apply rsum_ext. intros i Hi. now rewrite held_token.
  - intros i. apply (proj2 (held_given k d_v token L lev Hdistinct HL x Hx)).
Qed.

(** Two words that agree on what is known agree at a token whose levels are told then. *)
Lemma told_by_token (known : nat -> bool) x y j c o :
  (forall i a, (i < k)%nat -> (a < L i)%nat -> 0 <= lev i a <= 1) ->
  In x all_words -> In y all_words -> (j < k)%nat -> known j = false ->
  (let s i := share (slots j) d (Q j) Ks r (token i) in 0 < s j /\
     told eta (given_alpha eta alpha (s j) (weighs k (fun i => negb (i =? j) && negb (known i)) s)
                 (weighs k known s)) (L j) (lev j)) ->
  (forall i, (i < k)%nat -> known i = true -> at_token k d_v x i c = at_token k d_v y i c) ->
  accurate eta alpha o (token_output x (j, c)) -> accurate eta alpha o (token_output y (j, c)) ->
  at_token k d_v x j c = at_token k d_v y j c.
Proof.
  intros Hunit Hx Hy Hj Hkj [Hsj Htold] Hsame Hox Hoy.
  rewrite token_output_sum in Hox, Hoy by assumption.
  set (s i := share (slots j) d (Q j) Ks r (token i)) in *. change (0 < s j) in Hsj.
  assert (Hs : forall i, (i < k)%nat -> 0 <= s i) by (intros; apply share_nonneg).
  assert (Ha : 0 <= given_alpha eta alpha (s j)
            (weighs k (fun i => negb (i =? j) && negb (known i)) s) (weighs k known s)).
  { assert (H : forall p, 0 <= weighs k p s)
      by (intros p; apply rsum_nonneg; intros i Hi; destruct (p i); auto; lra).
    pose proof (H (fun i => negb (i =? j) && negb (known i))) as Hu. pose proof (H known) as Ht.
    pose proof (Rmult_le_pos (1 + eta) _ ltac:(lra) Hu).
    pose proof (Rmult_le_pos eta _ (proj1 Heta) Ht).
    unfold given_alpha. apply Rmult_le_pos; [lra|]. left. apply Rinv_0_lt_compat. lra. }
  assert (Hlt : forall x y, In x all_words -> In y all_words ->
    (forall i, (i < k)%nat -> known i = true -> at_token k d_v x i c = at_token k d_v y i c) ->
    accurate eta alpha o (rsum k (fun i => s i * lev i (at_token k d_v x i c))) ->
    accurate eta alpha o (rsum k (fun i => s i * lev i (at_token k d_v y i c))) ->
    ~ (at_token k d_v x j c < at_token k d_v y j c)%nat).
  { clear x y Hx Hy Hsame Hox Hoy. intros x y Hx Hy Hsame Hox Hoy Hlt.
    pose proof (fun z Hz i Hi => at_token_lt k d_v L HL z i c Hz Hi) as Hin.
    refine (tokens_told_apart k known s (fun i => lev i (at_token k d_v x i c))
      (fun i => lev i (at_token k d_v y i c)) j eta alpha o Hj Heta Halpha Hs Hsj Hkj
      _ _ _ Hox Hoy).
    - intros i Hi. split; apply Hunit; auto.
    - intros i Hi E. now rewrite Hsame.
    - apply (told_all eta _ (L j)); auto. }
  pose proof (Hlt x y Hx Hy Hsame Hox Hoy).
  pose proof (Hlt y x Hy Hx (fun i Hi E => eq_sym (Hsame i Hi E)) Hoy Hox). lia.
Qed.

Lemma weighs_ext (p p' : nat -> bool) s : (forall i, (i < k)%nat -> p i = p' i) ->
  weighs k p s = weighs k p' s.
Proof. intros H. apply rsum_ext. intros i Hi. now rewrite H. Qed.

Lemma in_turn :
  read_in_turn k r d slots Ks Q token L lev eta alpha ->
  told_in_turn place_eq (fun p => L (fst p)) (places k d_v) (accurate eta alpha) token_output.
Proof.
  intros Hread before [j c] after x y o E Hx Hy Hsame Hox Hoy.
  assert (Hjc : In (j, c) (places k d_v)) by (rewrite E; apply in_or_app; right; now left).
  apply in_places in Hjc as [Hj Hc].
  apply (told_by_token (fun i => i <? j) x y j c o); auto.
  - intros i a Hi Ha. now apply (Hread i Hi).
  - apply Nat.ltb_irrefl.
  - destruct (Hread j Hj) as [Hs Ht]. split; [exact Hs|].
    rewrite (weighs_ext _ (fun i => j <? i)); [exact Ht|]. intros i _.
    destruct (Nat.ltb_spec j i), (Nat.eqb_spec i j), (Nat.ltb_spec i j); simpl; lia || reflexivity.
  - intros i Hi Hlt. apply Nat.ltb_lt in Hlt.
    apply Hsame, (places_before _ _ _ _ _ _ E i Hlt Hc).
Qed.

Lemma at_once :
  read_at_once k r d slots Ks Q token L lev eta alpha ->
  told_at_once place_eq (fun p => L (fst p)) (places k d_v) (accurate eta alpha) token_output.
Proof.
  intros Hread [j c] x y o Hjc Hx Hy Hox Hoy. apply in_places in Hjc as [Hj Hc].
  apply (told_by_token (fun _ => false) x y j c o); auto.
  - intros i a Hi Ha. now apply (Hread i Hi).
  - destruct (Hread j Hj) as [Hs Ht]. split; [exact Hs|].
    rewrite (weighs_ext _ (fun i => negb (i =? j))) by (intros; now rewrite andb_true_r).
    unfold weighs at 2. rewrite rsum_const, Rmult_0_r. exact Ht.
  - discriminate.
Qed.

(** States that answer accurately are as many as the words. *)
Lemma states_in_turn (states : list (list bool)) (state : matrix -> list bool)
    (answer : nat -> reader) :
  read_in_turn k r d slots Ks Q token L lev eta alpha ->
  (forall V, given V -> In (state V) states) ->
  (forall V j c, given V -> (j < k)%nat -> (c < d_v)%nat ->
     accurate eta alpha (answer j (state V) (Q j) c)
       (tensor (slots j) d (Q j) Ks (in_slot m r V) c)) ->
  (product k L ^ d_v <= length states)%nat.
Proof.
  intros Hread Hstates Hgood. rewrite <- kinds_places.
  apply (words_floor place_eq (fun p => L (fst p)) (places k d_v) _ token_output states
    (fun x => state (held k d_v token lev x)) (fun msg p => answer (fst p) msg (Q (fst p)) (snd p))
    (NoDup_list_prod _ _ (seq_NoDup _ _) (seq_NoDup _ _)) (in_turn Hread)).
  - intros x Hx. now apply Hstates, (held_given k d_v token L lev).
  - intros x [j c] Hx Hp. apply in_places in Hp as [Hj Hc].
    apply Hgood; auto. now apply (held_given k d_v token L lev).
Qed.

(** Bits for all words, whatever the keys, answer every query exactly. *)
Lemma given_met b : (product k L ^ d_v <= 2 ^ b)%nat ->
  exists (state : matrix -> list bool) (answer : list (list nat) -> reader),
    (forall V, length (state V) = b) /\
    (forall V js q c, given V -> length js = m -> (c < d_v)%nat ->
       answer js (state V) q c = tensor js d q Ks (in_slot m r V) c).
Proof.
  intros Hb.
  destruct (numbering (list_eq_dec Nat.eq_dec) all_words nil b) as (enc & dec & Hlen & Hdec).
  { unfold all_words. now rewrite words_length, kinds_places. }
  exists (fun V => enc (word_in k d_v token L lev V)),
    (fun js msg q c => tensor js d q Ks (in_slot m r (held k d_v token lev (dec msg))) c).
  split; [auto|]. intros V js q c HV Hjs Hc.
  destruct (word_in_held k d_v token L lev Hdistinct HL V HV) as [Hin Hheld].
  rewrite Hdec by exact Hin. rewrite !(output_of_tokens _ _ _ _ m r k token _ _ Hr Hjs Hdistinct).
  - apply rsum_ext. intros j Hj. now rewrite Hheld.
  - intros i. apply HV.
  - intros i. now apply (proj2 (held_given k d_v token L lev Hdistinct HL _ Hin)).
Qed.

Lemma bits_of_product b : (product k L ^ d_v <= 2 ^ b)%nat <->
  INR d_v * rsum k (fun j => log2 (INR (L j))) <= INR b.
Proof.
  assert (Hprod : (1 <= product k L)%nat /\
            log2 (INR (product k L)) = rsum k (fun j => log2 (INR (L j)))).
  { clear - HL. induction k as [|n IH]; simpl.
    - split; [lia|]. unfold log2. simpl. rewrite ln_1. unfold Rdiv. ring.
    - destruct IH as [H1 H2]; [intros; apply HL; lia|]. specialize (HL n ltac:(lia)).
      split; [nia|]. rewrite <- H2, mult_INR. unfold log2.
      rewrite ln_mult by (apply lt_0_INR; lia). field. pose proof ln2_pos. lra. }
  destruct Hprod as [H1 <-]. now apply bits_of_symbols.
Qed.
End Given.

(** ** In turn *)

Theorem given_keys m r d d_v k slots Ks Q token L lev eta alpha :
  0 <= eta < 1 -> 0 <= alpha -> (r < m)%nat -> (forall j, (j < k)%nat -> length (slots j) = m) ->
  all_different k token -> (forall j, (j < k)%nat -> (1 <= L j)%nat) ->
  read_in_turn k r d slots Ks Q token L lev eta alpha ->
  forall b,
    (exists (state : matrix -> list bool) (answer : nat -> reader),
       (forall V, given_values k token L lev V -> length (state V) = b) /\
       (forall V j c, given_values k token L lev V -> (j < k)%nat -> (c < d_v)%nat ->
          accurate eta alpha (answer j (state V) (Q j) c)
            (tensor (slots j) d (Q j) Ks (in_slot m r V) c)))
    <-> INR d_v * rsum k (fun j => log2 (INR (L j))) <= INR b.
Proof.
  intros Heta Ha Hr Hslots Hd HL Hread b. rewrite <- bits_of_product by exact HL. split.
  - intros (state & answer & Hb & Hgood). rewrite <- (bitstrings_length b).
    apply (states_in_turn m r d d_v k slots Ks Q token L lev eta alpha) with state answer; auto.
    intros V HV. apply in_bitstrings. auto.
  - intros Hb. destruct (given_met m r d d_v k Ks token L lev Hr Hd HL b Hb)
      as (state & answer & Hlen & Hans).
    exists state, (fun j => answer (slots j)). split; [auto|]. intros V j c HV Hj Hc.
    rewrite Hans by auto. now apply accurate_exact.
Qed.

(** As many states as there are values. *)
Theorem given_keys_states m r d d_v k slots Ks Q token L lev eta alpha
    (states : list (list bool)) (state : matrix -> list bool) (answer : nat -> reader) :
  0 <= eta < 1 -> 0 <= alpha -> (r < m)%nat -> (forall j, (j < k)%nat -> length (slots j) = m) ->
  all_different k token -> (forall j, (j < k)%nat -> (1 <= L j)%nat) ->
  read_in_turn k r d slots Ks Q token L lev eta alpha ->
  (forall V, given_values k token L lev V -> In (state V) states) ->
  (forall V j c, given_values k token L lev V -> (j < k)%nat -> (c < d_v)%nat ->
     accurate eta alpha (answer j (state V) (Q j) c)
       (tensor (slots j) d (Q j) Ks (in_slot m r V) c)) ->
  (product k L ^ d_v <= length states)%nat.
Proof.
  intros. now apply (states_in_turn m r d d_v k slots Ks Q token L lev eta alpha) with state answer.
Qed.

(** With states of up to b bits, which are 2^(b+1) - 1 in number. *)
Theorem given_keys_up_to m r d d_v k slots Ks Q token L lev eta alpha b
    (state : matrix -> list bool) (answer : nat -> reader) :
  0 <= eta < 1 -> 0 <= alpha -> (r < m)%nat -> (forall j, (j < k)%nat -> length (slots j) = m) ->
  all_different k token ->
  read_in_turn k r d slots Ks Q token L lev eta alpha ->
  (forall V, given_values k token L lev V -> (length (state V) <= b)%nat) ->
  (forall V j c, given_values k token L lev V -> (j < k)%nat -> (c < d_v)%nat ->
     accurate eta alpha (answer j (state V) (Q j) c)
       (tensor (slots j) d (Q j) Ks (in_slot m r V) c)) ->
  (product k L ^ d_v < 2 ^ (b + 1))%nat.
Proof.
  intros Heta Ha Hr Hslots Hd Hread Hb Hgood.
  destruct (Nat.eq_dec (product k L) 0) as [->|H0].
  { pose proof (Nat.pow_nonzero 2 (b + 1)). destruct d_v; simpl; [|lia].
    rewrite Nat.add_1_r. simpl. pose proof (Nat.pow_nonzero 2 b). lia. }
  rewrite Nat.add_1_r, <- bitstrings_upto_length. apply Nat.lt_succ_r.
  apply (states_in_turn m r d d_v k slots Ks Q token L lev eta alpha) with state answer; auto.
  - clear - H0. induction k as [|n IH]; intros j Hj; simpl in *; [lia|].
    destruct (Nat.eq_dec j n) as [->|]; [lia|]. apply IH; lia.
  - intros V HV. apply in_bitstrings_upto. auto.
Qed.

(** What is told at once is told in turn. *)
Theorem given_keys_never_worse k r d slots Ks Q token L lev eta alpha :
  0 <= eta < 1 ->
  read_at_once k r d slots Ks Q token L lev eta alpha ->
  read_in_turn k r d slots Ks Q token L lev eta alpha.
Proof.
  intros Heta H j Hj. destruct (H j Hj) as [Hs [Hunit Hroom]]. split; [exact Hs|].
  split; [exact Hunit|]. intros a Ha. eapply Rle_lt_trans; [|exact (Hroom a Ha)].
  cbv zeta. set (s i := share (slots j) d (Q j) Ks r (token i)) in *.
  assert (E : weighs k (fun i => negb (i =? j)) s
            = weighs k (fun i => j <? i) s + weighs k (fun i => i <? j) s).
  { unfold weighs. rewrite <- rsum_plus. apply rsum_ext. intros i _.
    destruct (Nat.eqb_spec i j), (Nat.ltb_spec j i), (Nat.ltb_spec i j); simpl; lia || ring. }
  assert (Ht : 0 <= weighs k (fun i => i <? j) s).
  { apply rsum_nonneg. intros i _. destruct (i <? j); [apply share_nonneg|lra]. }
  rewrite E. apply Rmult_le_compat_l; [lra|]. unfold given_alpha. apply Rmult_le_compat_r.
  - left. apply Rinv_0_lt_compat. lra.
  - nra.
Qed.

(** ** At once, with public coins *)

Theorem given_keys_randomized m r d d_v k slots Ks Q token L lev eta alpha b T w delta
    (state : nat -> matrix -> list bool) (answer : nat -> nat -> reader) :
  0 <= eta < 1 -> 0 <= alpha -> (r < m)%nat -> (forall j, (j < k)%nat -> length (slots j) = m) ->
  all_different k token -> (forall j, (j < k)%nat -> (2 <= L j)%nat) ->
  read_at_once k r d slots Ks Q token L lev eta alpha ->
  distribution T w -> 0 <= delta <= 1 / 2 ->
  (forall u V, given_values k token L lev V -> length (state u V) = b) ->
  (forall V j c, given_values k token L lev V -> (j < k)%nat -> (c < d_v)%nat ->
     rsum T (fun u => w u * failure eta alpha (answer u j (state u V) (Q j) c)
                        (tensor (slots j) d (Q j) Ks (in_slot m r V) c)) <= delta) ->
  INR d_v * rsum k (fun j => log2 (INR (L j)) - H2 delta - delta * log2 (INR (L j - 1))) <= INR b.
Proof.
  intros Heta Ha Hr Hslots Hd HL Hread Hw Hdelta Hb Hfail.
  assert (HL1 : forall j, (j < k)%nat -> (1 <= L j)%nat)
    by (intros j Hj; specialize (HL j Hj); lia).
  rewrite <- (log2_states b).
  assert (E : lsum (fun p => symbol_share delta (L (fst p))) (places k d_v)
              = INR d_v * rsum k (fun j => symbol_share delta (L j))).
  { unfold places. rewrite lsum_list_prod, lsum_seq, <- rsum_scal. apply rsum_ext.
    intros j _. cbn [fst]. now rewrite lsum_const, seq_length. }
  change (INR d_v * rsum k (fun j => symbol_share delta (L j))
    <= log2 (INR (length (bitstrings b)))).
  rewrite <- E. clear E.
  apply (words_floor_randomized place_eq (fun p => L (fst p)) (places k d_v) T w delta eta alpha
    (token_output m r d d_v k slots Ks Q token lev) (bitstrings b)
    (fun u x => state u (held k d_v token lev x))
    (fun u msg p => answer u (fst p) msg (Q (fst p)) (snd p))).
  - apply NoDup_list_prod; apply seq_NoDup.
  - intros [j c] Hp. apply in_places in Hp as [Hj _]. now apply HL.
  - exact Hw.
  - intros [j c] Hp. apply in_places in Hp as [Hj _]. simpl. specialize (HL j Hj).
    split; [apply Hdelta|]. apply Rle_trans with (1 / 2); [apply Hdelta|]. now apply half_of_places.
  - now apply (at_once m r d d_v k slots Ks Q token L lev eta alpha).
  - intros u x _ Hx. apply in_bitstrings, Hb. now apply (held_given k d_v token L lev).
  - intros x [j c] Hx Hp. apply in_places in Hp as [Hj Hc].
    apply Hfail; auto. now apply (held_given k d_v token L lev).
  - apply Hdelta.
Qed.

(** ** The floor is met *)

Theorem given_keys_met m r d d_v k (Ks : list matrix) token L lev b :
  (r < m)%nat -> all_different k token -> (forall j, (j < k)%nat -> (1 <= L j)%nat) ->
  (product k L ^ d_v <= 2 ^ b)%nat ->
  exists (state : matrix -> list bool) (answer : list (list nat) -> reader),
    (forall V, length (state V) = b) /\
    (forall V js q c, given_values k token L lev V -> length js = m -> (c < d_v)%nat ->
       answer js (state V) q c = tensor js d q Ks (in_slot m r V) c).
Proof. intros. now apply given_met. Qed.

(** ** Keys that leave room *)

(** Tokens that queries single out are read at once, if less leaks than there is room for. *)
Theorem given_keys_margin n d k K Q token L lev eta alpha g :
  0 <= eta < 1 -> 0 <= alpha -> all_different k token ->
  (forall j, (j < k)%nat -> (token j < n)%nat /\ margin n (logit d (Q j) K) (token j) g) ->
  (forall j a, (j < k)%nat -> (a < L j)%nat -> 0 <= lev j a <= 1) ->
  (forall j a, (j < k)%nat -> (S a < L j)%nat ->
     excess (n - 1) g * (1 + eta + 2 * alpha)
       < (1 - eta) * lev j (S a) - (1 + eta) * lev j a - 2 * alpha) ->
  read_at_once k 0 d (fun _ => [seq 0 n]) [K] Q token L lev eta alpha.
Proof.
  intros Heta Ha Hd Hg Hunit Hroom j Hj. cbv zeta. destruct (Hg j Hj) as [Hn Hm].
  set (p := weight n (logit d (Q j) K)).
  assert (E : weighs k (fun i => negb (i =? j)) (fun i => share [seq 0 n] d (Q j) [K] 0 (token i))
              = weighs k (fun i => negb (i =? j)) (fun i => p (token i))).
  { apply rsum_ext. intros i Hi. rewrite share_order_1 by apply (Hg i Hi). reflexivity. }
  rewrite E, share_order_1 by exact Hn. clear E. fold p.
  pose proof (softmax_concentration n _ (token j) g Hn Hm) as Hw.
  pose proof (softmax_concentration_rest n _ (token j) g Hn Hm) as Hrest. fold p in Hw, Hrest.
  pose proof (others_weigh n k token p j Hd (fun i Hi => proj1 (Hg i Hi)) Hj
    (fun i _ => weight_nonneg n _ i ltac:(lia))) as Hu.
  rewrite leak_complement in Hw. unfold leak in Hrest.
  pose proof (excess_nonneg (n - 1) g) as HE. set (X := excess (n - 1) g) in *.
  set (u := weighs k _ _) in *.
  assert (H1 : 1 <= p (token j) * (1 + X)).
  { apply (Rmult_ge_compat_r (1 + X)) in Hw; [|lra].
    replace (1 / (1 + X) * (1 + X)) with 1 in Hw by (field; lra). lra. }
  assert (Hp : 0 < p (token j)) by nra.
  split; [exact Hp|]. split; [now intros; apply Hunit|].
  intros a HSa. specialize (Hroom j a Hj HSa). unfold given_alpha.
  assert (Hu0 : u <= p (token j) * X).
  { apply Rle_trans with (X / (1 + X)); [lra|]. apply (Rmult_le_reg_r (1 + X)); [lra|].
    replace (X / (1 + X) * (1 + X)) with X by (field; lra). nra. }
  apply (Rmult_lt_reg_r (p (token j))); [exact Hp|].
  replace (2 * (((1 + eta) * u + 2 * eta * 0 + 2 * alpha) / (2 * p (token j))) * p (token j))
    with ((1 + eta) * u + 2 * alpha) by (field; lra).
  apply (Rmult_lt_compat_l (p (token j))) in Hroom; [|exact Hp].
  apply (Rmult_le_compat_l (1 + eta)) in Hu0; [|lra].
  apply (Rmult_le_compat_l (2 * alpha)) in H1; [|lra]. lra.
Qed.
