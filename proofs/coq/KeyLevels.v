(** H6 `key-levels`: keys hold symbols of as many levels as values do. At order 1 a query ties a key
    to the first one, and the output is the share of two tied tokens. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Guarantee Bits Entropy Symbols MixedSymbols
  SymbolsRandomized Levels SharpFamily Tied Keys GivenValues Parts Outputs
  LevelFamily ValueLevels.
Import ListNotations.
Open Scope R_scope.

(** ** Levels inside (0, 1), and payloads *)

(** (η, α) tells L levels inside (0, 1) apart exactly if levels of equal room in [0, 1] have some
    left. *)
Theorem key_levels_inside eta alpha L : 0 <= eta < 1 -> 0 <= alpha -> (2 <= L)%nat ->
  (exists lev, told eta alpha L lev /\ forall s, (s < L)%nat -> 0 < lev s < 1)
  <-> 0 < equal_room eta alpha L.
Proof.
  intros He Ha HL. split.
  { intros (lev & Htold & _). apply value_levels_most; [exact He|exact HL|]. now exists lev. }
  intros Hroom. pose proof (stretch_pos eta (L - 1) He ltac:(lia)) as Hp.
  set (rho := equal_room eta alpha L) in *. set (w := 1 / stretch eta (L - 1)).
  assert (Hw : rho = w - 2 * alpha) by reflexivity.
  assert (Hw1 : w <= 1).
  { assert (1 <= stretch eta (L - 1)).
    { pose proof (stretch_le eta 1 (L - 1) He ltac:(lia)). pose proof (stretch_next eta 0 He).
      assert (stretch eta 0 = 0) by (unfold stretch; simpl; unfold Rdiv; ring). nra. }
    unfold w. apply (Rmult_le_reg_r (stretch eta (L - 1))); [exact Hp|].
    replace (1 / stretch eta (L - 1) * stretch eta (L - 1)) with 1 by (field; lra). lra. }
  (* the levels of equal room, drawn together by ε = ρ/8 on either side *)
  set (e := rho / 8). assert (He0 : 0 < e <= / 8) by (unfold e; lra).
  exists (fun k => (1 - 2 * e) * equal_level eta L k + e).
  assert (Hin : forall s, (s < L)%nat -> 0 < (1 - 2 * e) * equal_level eta L s + e < 1).
  { intros s Hs. pose proof (equal_level_unit eta L s He HL Hs).
    assert (0 <= (1 - 2 * e) * equal_level eta L s <= (1 - 2 * e) * 1)
      by (split; [apply Rmult_le_pos; lra|apply Rmult_le_compat_l; lra]). lra. }
  split; [split|exact Hin].
  - intros s Hs. pose proof (Hin s Hs). lra.
  - intros s Hs. pose proof (value_levels_room eta L s He HL) as E. fold w in E.
    replace ((1 - eta) * ((1 - 2 * e) * equal_level eta L (S s) + e)
      - (1 + eta) * ((1 - 2 * e) * equal_level eta L s + e))
      with ((1 - 2 * e) * ((1 - eta) * equal_level eta L (S s) - (1 + eta) * equal_level eta L s)
            - 2 * eta * e) by ring.
    rewrite E. assert (2 * e * w <= 2 * e) by nra. assert (2 * eta * e <= 2 * e) by nra.
    unfold e in *. lra.
Qed.

(** What stands for a level p in a key: 1 + ln(p/(1-p))/γ. *)
Definition payload (gamma p : R) : R := 1 + ln (p / (1 - p)) / gamma.

(** The share that it gives the first of two tied tokens is p. *)
Theorem key_levels_payload gamma p : gamma <> 0 -> 0 < p < 1 ->
  logistic (gamma * (1 - payload gamma p)) = p.
Proof.
  intros Hg Hp. assert (Hq : 0 < p / (1 - p)) by (apply Rdiv_lt_0_compat; lra).
  unfold logistic, payload.
  replace (gamma * (1 - (1 + ln (p / (1 - p)) / gamma))) with (- ln (p / (1 - p))) by (field; lra).
  rewrite exp_Ropp, exp_ln by exact Hq. field. lra.
Qed.

(** The condition on the leak, as a margin in nats: g > ln((n-2)(1+η+2α)/ρ) + γ(X-1), for payloads
    up to X and the room ρ. *)
Theorem key_levels_margin n eta alpha rho gamma X g :
  (3 <= n)%nat -> 0 < 1 + eta + 2 * alpha -> 0 < rho ->
  g > ln (INR (n - 2) * (1 + eta + 2 * alpha) / rho) + gamma * (X - 1) ->
  excess (n - 2) (g - gamma * (X - 1)) * (1 + eta + 2 * alpha) < rho.
Proof.
  intros Hn Hsum Hrho Hg. assert (HM : 1 <= INR (n - 2)) by (apply (le_INR 1); lia).
  assert (Hpos : 0 < INR (n - 2) * (1 + eta + 2 * alpha) / rho) by (apply Rdiv_lt_0_compat; nra).
  pose proof (margin_beats_log _ (g - gamma * (X - 1)) Hpos ltac:(lra)) as H.
  apply (Rmult_lt_compat_r rho) in H; [|exact Hrho]. unfold excess.
  replace (INR (n - 2) * (1 + eta + 2 * alpha) / rho * exp (- (g - gamma * (X - 1))) * rho)
    with (INR (n - 2) * exp (- (g - gamma * (X - 1))) * (1 + eta + 2 * alpha)) in H
    by (field; lra). lra.
Qed.

(** ** The floor, for given addresses and queries *)

Section Given.
Variables (n a b f L : nat) (lev x : nat -> R) (A : matrix).

(** Bits for all words answer every query exactly. *)
Theorem key_levels_met (HL : (1 <= L)%nat) bits : (L ^ (n * f + (n - 1) * b) <= 2 ^ bits)%nat ->
  exists (state : matrix -> matrix -> list bool) (answer : reader),
    (forall K V, length (state K V) = bits) /\
    (forall K V q c, level_key L a x A K -> level_value L lev V -> In c (seq 0 (1 + f)) ->
       answer (state K V) q c = attention n (a + b) q K V c).
Proof.
  rewrite <- (level_entries_kinds n b f L). intros Hbits.
  set (ks := level_entries n b f).
  destruct (numbering (list_eq_dec Nat.eq_dec) (words (fun _ => L) ks) nil bits)
    as (enc & dec & Hlen & Hdec); [now rewrite words_length|].
  set (levels := fun kind : bool => if kind then x else lev).
  set (entry_of := fun (K V : matrix) (e : entry) => let '(kind, (j, c)) := e in
    level_of (fun _ => L) levels kind (if kind then K j (a + c)%nat else V j (S c))).
  exists (fun K V => enc (map (entry_of K V) ks)),
    (fun msg q c => attention n (a + b) q (key_of_word n a b f x A (dec msg))
                      (value_of_word n b f lev (dec msg)) c).
  split; [auto|]. intros K V q c HK HV Hc. apply in_seq in Hc.
  destruct HK as (HA & H1 & Hx). destruct HV as [Hm Hv].
  assert (Hright : forall kind j e, In (kind, (j, e)) ks ->
    (entry_of K V (kind, (j, e)) < L)%nat /\
    levels kind (entry_of K V (kind, (j, e))) = if kind then K j (a + e)%nat else V j (S e)).
  { intros kind j e He. apply in_level_entries in He. unfold entry_of. destruct kind.
    - destruct j as [|j]; [lia|]. destruct (Hx j e) as (s & Hs & E).
      now apply (level_of_right (fun _ => L) levels true _ s).
    - destruct (Hv j e) as (s & Hs & E).
      now apply (level_of_right (fun _ => L) levels false _ s). }
  destruct (word_of entry_eq (fun _ => L) ks (entry_of K V)) as [Hin Hsym].
  { intros [kind [j e]] He. now apply Hright. }
  rewrite Hdec by exact Hin. set (w := map (entry_of K V) ks) in *.
  assert (Hheld : forall kind j e, In (kind, (j, e)) ks ->
    levels kind (held n b f w (kind, (j, e))) = if kind then K j (a + e)%nat else V j (S e)).
  { intros kind j e He. unfold held. fold ks. rewrite Hsym by exact He. now apply Hright. }
  unfold attention. rewrite (output_logits n _ (logit (a + b) q K)).
  - apply output_ext. intros j Hj. unfold value_of_word. destruct c as [|c]; [now rewrite Hm|].
    apply (Hheld false j c), in_level_entries. lia.
  - intros j Hj. apply rsum_ext. intros e He. f_equal. unfold key_of_word.
    destruct (Nat.ltb_spec e a) as [Hea|Hea]; [now rewrite HA|].
    replace e with (a + (e - a))%nat by lia. destruct j as [|j]; [now rewrite H1|].
    replace (a + (e - a) - a)%nat with (e - a)%nat by lia.
    apply (Hheld true (S j) (e - a)%nat), in_level_entries. lia.
Qed.

Variables (eta alpha gamma g1 g2 X : R) (P T : nat -> nat -> R).
Hypothesis Heta : 0 <= eta < 1.
Hypothesis Halpha : 0 <= alpha.
Hypothesis Hgamma : 0 < gamma.
Hypothesis HX : forall s, (s < L)%nat -> x s <= X.
Hypothesis Hread : forall j, (j < n)%nat -> margin n (logit a (P j) A) j g1.
Hypothesis Htie : forall j, (0 < j < n)%nat -> ties_to_first n (logit a (T j) A) j g2.
Hypothesis Hvalues : leaves_room n g1 eta alpha L lev.
Hypothesis Hkeys : forall s, (S s < L)%nat ->
  excess (n - 2) (g2 - gamma * (X - 1)) * (1 + eta + 2 * alpha)
    < (1 - eta) * logistic (gamma * (1 - x (S s))) - (1 + eta) * logistic (gamma * (1 - x s))
      - 2 * alpha.

(** As many states as there are instances. *)
Theorem key_levels_states (HL : (1 <= L)%nat) (states : list (list bool))
    (state : matrix -> matrix -> list bool) (answer : reader) :
  (forall K V, level_key L a x A K -> level_value L lev V -> In (state K V) states) ->
  level_guarantee n a b f L eta alpha gamma lev x A P T state answer ->
  (L ^ (n * f + (n - 1) * b) <= length states)%nat.
Proof.
  intros Hstates Hgood. rewrite <- (level_entries_kinds n b f L).
  apply (words_floor entry_eq (fun _ => L) (level_entries n b f) (accurate eta alpha)
    (word_output n a b f gamma lev x A P T) states
    (fun w => state (key_of_word n a b f x A w) (value_of_word n b f lev w))
    (fun msg e => answer msg (entry_query a gamma P T e) (entry_column e))
    (level_entries_once n b f)).
  - apply at_once_in_turn. now apply (level_entries_told n a b f L eta alpha gamma g1 g2 X).
  - intros w Hw. apply Hstates; auto using key_of_word_level, value_of_word_level.
  - intros w [kind [j c]] Hw He. apply in_level_entries in He.
    destruct (Hgood (key_of_word n a b f x A w) (value_of_word n b f lev w)) as [Hval Hkey];
      auto using key_of_word_level, value_of_word_level.
    destruct kind; [now apply Hkey|now apply Hval].
Qed.

(** With states of up to so many bits, which are 2^(bits+1) - 1 in number. *)
Theorem key_levels_up_to (HL : (1 <= L)%nat) bits (state : matrix -> matrix -> list bool)
    (answer : reader) :
  (forall K V, level_key L a x A K -> level_value L lev V -> (length (state K V) <= bits)%nat) ->
  level_guarantee n a b f L eta alpha gamma lev x A P T state answer ->
  (L ^ (n * f + (n - 1) * b) < 2 ^ (bits + 1))%nat.
Proof.
  intros Hbits Hgood. rewrite Nat.add_1_r, <- bitstrings_upto_length. apply Nat.lt_succ_r.
  apply key_levels_states with state answer; [exact HL| |exact Hgood].
  intros K V HK HV. apply in_bitstrings_upto. auto.
Qed.

(** With public coins each answer is inaccurate with probability at most δ; states of exactly so
    many bits. *)
Theorem key_levels_randomized bits C w delta (state : nat -> matrix -> matrix -> list bool)
    (answer : nat -> reader) :
  (2 <= L)%nat -> distribution C w -> 0 <= delta <= INR (L - 1) / INR L ->
  (forall u K V, level_key L a x A K -> level_value L lev V -> length (state u K V) = bits) ->
  (forall K V, level_key L a x A K -> level_value L lev V ->
     let wrong q c := rsum C (fun u => w u * failure eta alpha (answer u (state u K V) q c)
                                         (attention n (a + b) q K V c)) in
     (forall j c, (j < n)%nat -> (c < f)%nat -> wrong (value_query a (P j)) (S c) <= delta) /\
     (forall j e, (0 < j < n)%nat -> (e < b)%nat ->
        wrong (payload_query a gamma (T j) e) 0%nat <= delta)) ->
  INR (n * f + (n - 1) * b) * (log2 (INR L) - H2 delta - delta * log2 (INR (L - 1))) <= INR bits.
Proof.
  intros HL2 Hw Hdelta Hbits Hwrong. assert (HL : (1 <= L)%nat) by lia.
  rewrite <- (log2_states bits).
  replace (INR (n * f + (n - 1) * b) * _)
    with (lsum (fun _ => symbol_share delta L) (level_entries n b f)).
  - apply (words_floor_randomized entry_eq (fun _ => L) (level_entries n b f) C w delta eta alpha
      (word_output n a b f gamma lev x A P T) (bitstrings bits)
      (fun u w => state u (key_of_word n a b f x A w) (value_of_word n b f lev w))
      (fun u msg e => answer u msg (entry_query a gamma P T e) (entry_column e))); auto;
      try apply level_entries_once; try apply Hdelta.
    + intros e w1 w2 o. now apply (level_entries_told n a b f L eta alpha gamma g1 g2 X).
    + intros u v _ Hv.
      apply in_bitstrings, Hbits; auto using key_of_word_level, value_of_word_level.
    + intros v [kind [j c]] Hv He. apply in_level_entries in He.
      destruct (Hwrong (key_of_word n a b f x A v) (value_of_word n b f lev v)) as [Hval Hkey];
        auto using key_of_word_level, value_of_word_level.
      destruct kind; [now apply Hkey|now apply Hval].
  - rewrite lsum_const. unfold level_entries, symbol_share.
    rewrite app_length, !map_length, !prod_length, !seq_length. reflexivity.
Qed.
End Given.

(** ** Addresses of three entries *)

(** Key j = (j, -j², 0), but for row 0 = (0, 0, 1). *)
Definition marked_key : matrix := fun j c =>
  match c with 2%nat => match j with O => 1 | _ => 0 end | _ => parabola_key j c end.

(** Query C (2j, 1, j²) gives row 0 what it gives row j; C (2j, 1, 0) singles out row j. *)
Definition marked_query (C : R) (j : nat) : nat -> R := fun c =>
  match c with 2%nat => C * (INR j * INR j) | _ => parabola_query C j c end.

Lemma marked_read n C j : 0 <= C -> margin n (logit 3 (parabola_query C j) marked_key) j C.
Proof.
  intros HC. assert (E : forall i, logit 3 (parabola_query C j) marked_key i
                         = logit 3 (parabola_query C j) parabola_key i).
  { intros i. unfold logit. simpl. ring. }
  intros i Hi Hne. rewrite !E. now apply (keys_parabola n); [lia|..].
Qed.

Lemma marked_tie n C j : 0 <= C -> (0 < j)%nat ->
  ties_to_first n (logit 3 (marked_query C j) marked_key) j C.
Proof.
  intros HC Hj.
  assert (E : forall i, (0 < i)%nat -> logit 3 (marked_query C j) marked_key i
            = C * (INR j * INR j - (INR i - INR j) * (INR i - INR j))).
  { intros i Hi. unfold logit, marked_query, marked_key. simpl. destruct i; [lia|]. ring. }
  assert (E0 : logit 3 (marked_query C j) marked_key 0 = C * (INR j * INR j)).
  { unfold logit, marked_query, marked_key. simpl. ring. }
  split; [rewrite E, E0 by exact Hj; ring|].
  intros t _ Htj Ht0. rewrite E0, (E t) by lia.
  assert (Hsq : 1 <= (INR t - INR j) * (INR t - INR j)).
  2: { apply (Rmult_le_compat_l C) in Hsq; [|exact HC]. lra. }
  assert (Hapart : INR t - INR j <= -1 \/ 1 <= INR t - INR j).
  { destruct (Nat.lt_trichotomy t j) as [H|[H|H]]; [left|contradiction|right];
      apply le_INR in H; rewrite S_INR in H; lra. }
  set (u := INR t - INR j) in *. destruct Hapart; nra.
Qed.

(** ** The floor *)

Lemma excess_decreasing M g g' : g <= g' -> excess M g' <= excess M g.
Proof.
  intros H. unfold excess. apply Rmult_le_compat_l; [apply pos_INR|].
  destruct (Req_dec g g') as [->|]; [lra|]. left. apply exp_increasing. lra.
Qed.

Lemma finitely_many_bounded L (x : nat -> R) :
  exists X, 1 <= X /\ forall s, (s < L)%nat -> x s <= X.
Proof.
  induction L as [|L (X & HX & IH)]; [exists 1; split; [lra|lia]|].
  exists (Rmax X (x L)). split; [eapply Rle_trans; [exact HX|apply Rmax_l]|].
  intros s Hs. destruct (Nat.eq_dec s L) as [->|]; [apply Rmax_r|].
  eapply Rle_trans; [apply IH; lia|apply Rmax_l].
Qed.

(** Payloads that stand for levels inside (0, 1) are told by large enough queries. *)
Lemma large_multiplier n L eta alpha gamma lev :
  0 <= eta < 1 -> 0 <= alpha -> (2 <= L)%nat -> 0 < gamma ->
  told eta alpha L lev -> (forall s, (s < L)%nat -> 0 < lev s < 1) -> forall g, 0 <= g ->
  let x s := payload gamma (lev s) in
  exists C X, g <= C /\ (forall s, (s < L)%nat -> x s <= X) /\ forall s, (S s < L)%nat ->
    excess (n - 2) (C - gamma * (X - 1)) * (1 + eta + 2 * alpha)
      < (1 - eta) * logistic (gamma * (1 - x (S s))) - (1 + eta) * logistic (gamma * (1 - x s))
        - 2 * alpha.
Proof.
  intros He Ha HL Hgamma [_ Htold] Hin g Hg x.
  destruct (finitely_many_bounded L x) as (X & HX1 & HX).
  destruct (least_of_finitely_many L
    (fun s => (1 - eta) * lev (S s) - (1 + eta) * lev s - 2 * alpha))
    as (rho & Hrho & Hle); [intros s Hs; specialize (Htold s Hs); lra|].
  destruct (small_leak (n - 2) (1 + eta + 2 * alpha) rho) as (h & Hh & Hleak); [lra|exact Hrho|].
  exists (Rmax g (h + gamma * (X - 1))), X. split; [apply Rmax_l|]. split; [exact HX|].
  intros s Hs. unfold x. rewrite !key_levels_payload by (lra || (apply Hin; lia)).
  specialize (Hle s Hs). pose proof (Rmax_r g (h + gamma * (X - 1))) as Hmax.
  pose proof (excess_decreasing (n - 2) h (Rmax g (h + gamma * (X - 1)) - gamma * (X - 1))
    ltac:(lra)) as Hdec.
  assert (excess (n - 2) (Rmax g (h + gamma * (X - 1)) - gamma * (X - 1)) * (1 + eta + 2 * alpha)
          <= excess (n - 2) h * (1 + eta + 2 * alpha)) by (apply Rmult_le_compat_r; lra).
  unfold excess in *. lra.
Qed.

(** H6: if (η, α) tells L levels apart, there are keys of 3 + b entries and values of 1 + f, so that
    states of exactly so many bits are enough exactly if these are (n f + (n-1) b) log₂ L. *)
Theorem key_levels n b f L eta alpha gamma :
  (2 <= L)%nat -> 0 <= eta < 1 -> 0 <= alpha -> 0 < gamma -> 0 < equal_room eta alpha L ->
  exists (A : matrix) (P T : nat -> nat -> R) (inside : nat -> R),
    let x s := payload gamma (inside s) in
    forall bits,
    (exists state answer,
       (forall K V, level_key L 3 x A K -> level_value L (equal_level eta L) V ->
          length (state K V) = bits) /\
       level_guarantee n 3 b f L eta alpha gamma (equal_level eta L) x A P T state answer)
    <-> INR (n * f + (n - 1) * b) * log2 (INR L) <= INR bits.
Proof.
  intros HL He Ha Hgamma Hroom.
  destruct (proj2 (key_levels_inside eta alpha L He Ha HL) Hroom) as (inside & Htold & Hin).
  destruct (room_left n eta alpha L He Ha HL Hroom) as (g & Hg & [Hunit Hleft]).
  destruct (large_multiplier n L eta alpha gamma inside He Ha HL Hgamma Htold Hin g Hg)
    as (C & X & HC & HX & Hkeys).
  exists marked_key, (parabola_query C), (marked_query C), inside. intros x bits.
  rewrite <- bits_of_symbols by lia. split.
  - intros (state & answer & Hbits & Hgood). rewrite <- (bitstrings_length bits).
    apply (key_levels_states n 3 b f L (equal_level eta L) x marked_key eta alpha gamma C C X
      (parabola_query C) (marked_query C)) with state answer; auto; try lia.
    + intros j _. apply marked_read. lra.
    + intros j Hj. apply marked_tie; [lra|apply Hj].
    + split; [exact Hunit|]. intros s Hs. eapply Rle_lt_trans; [|exact (Hleft s Hs)].
      apply Rmult_le_compat_r; [lra|]. now apply excess_decreasing.
    + intros K V HK HV. apply in_bitstrings. auto.
  - intros Hbits.
    destruct (key_levels_met n 3 b f L (equal_level eta L) x marked_key ltac:(lia) bits Hbits)
      as (state & answer & Hlen & Hans).
    exists state, answer. split; [auto|]. intros K V HK HV right. unfold right.
    split; intros; (rewrite Hans; [now apply accurate_exact|assumption..|apply in_seq; lia]).
Qed.
