(** S1 `value-floor`: order 2 needs (n1 + n2 - 2) d_v bits, or symbols of log₂ L bits, since both
    values count, and so does their precision. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Guarantee Bits Entropy DecodeThreshold Readable
  Keys Symbols SymbolsRandomized Levels GridValues.
Open Scope R_scope.

(** ** Symbols *)

Section GivenKeys.
Variables (n1 n2 d d_v L : nat) (eta alpha g : R) (K1 K2 : matrix) (Q : nat -> nat -> nat -> R).
Hypothesis Hn1 : (1 <= n1)%nat.
Hypothesis Hn2 : (1 <= n2)%nat.
Hypothesis HL : (2 <= L)%nat.
Hypothesis Heta : 0 <= eta < 1.
Hypothesis Halpha : 0 <= alpha.
(** Query (i, k), one of them 0, singles out that pair with margin g. *)
Hypothesis Hmargin : forall i k, (i < n1)%nat -> (k < n2)%nat -> i = 0%nat \/ k = 0%nat ->
  singles_out n1 n2 (logit2 d (Q i k) K1 K2) i k g.
(** What leaks is less than the room between neighbouring levels. *)
Hypothesis Hroom : INR (n1 * n2 - 1) * exp (- g) * (1 + eta + 2 * alpha)
  < (1 - eta * INR (2 * L - 3)) / INR (L - 1) - 2 * alpha.

Definition symbol_output (x : list nat) (k : nat) : R :=
  let (i, l) := pair_of_row n1 (k / d_v) in
  attention2 n1 n2 d (Q i l) K1 K2 (hold L d_v 0 x) (hold L d_v (n1 - 1) x) (k mod d_v).

Lemma outputs_separated :
  separated ((n1 + n2 - 2) * d_v) L (accurate eta alpha) symbol_output.
Proof.
  apply (levels_separate _ L eta alpha symbol_output (fun _ => level L)
    (fun _ => excess (n1 * n2 - 1) g) Heta Halpha).
  - intros. apply excess_nonneg.
  - intros k i _ Hi. now apply level_unit.
  - intros k i i' _ Hi Hi'. pose proof (grid_room L eta alpha i i' HL Heta Hi Hi').
    unfold excess. lra.
  - intros x k Hx Hk. unfold symbol_output.
    assert (Hr : (k / d_v < n1 + n2 - 2)%nat) by (apply Nat.div_lt_upper_bound; lia).
    destruct (pair_of_row_lt n1 n2 _ Hn1 Hn2 Hr) as (Hi & Hl & H0).
    pose proof (hold_reads L d_v n1 x k ltac:(lia) Hn1) as Hread.
    destruct (pair_of_row n1 (k / d_v)) as [i l]. cbn [fst snd] in *. cbv zeta.
    rewrite <- Hread.
    apply pair_output_near_value; auto; intros; apply (grid_unit L); auto;
      now apply (hold_grid ((n1 + n2 - 2) * d_v)).
Qed.

(** A cache whose answers are (eta, alpha)-accurate has as many states as there are instances. *)
Theorem value_floor_states (states : list (list bool))
    (state : matrix -> matrix -> list bool)
    (answer : reader) :
  (forall V1 V2, grid_values L V1 -> grid_values L V2 -> In (state V1 V2) states) ->
  (forall V1 V2 i k c, grid_values L V1 -> grid_values L V2 ->
     (i < n1)%nat -> (k < n2)%nat -> i = 0%nat \/ k = 0%nat -> (c < d_v)%nat ->
     accurate eta alpha (answer (state V1 V2) (Q i k) c)
                        (attention2 n1 n2 d (Q i k) K1 K2 V1 V2 c)) ->
  (L ^ ((n1 + n2 - 2) * d_v) <= length states)%nat.
Proof.
  intros Hstates Hgood.
  refine (states_floor _ L _ symbol_output states
    (fun x => state (hold L d_v 0 x) (hold L d_v (n1 - 1) x))
    (fun msg k => let (i, l) := pair_of_row n1 (k / d_v) in answer msg (Q i l) (k mod d_v)%nat)
    outputs_separated _ _).
  - intros x Hx. apply Hstates; apply (hold_grid _ L d_v _ x HL Hx).
  - intros x k Hx Hk. unfold symbol_output.
    assert (Hr : (k / d_v < n1 + n2 - 2)%nat) by (apply Nat.div_lt_upper_bound; lia).
    destruct (pair_of_row_lt n1 n2 _ Hn1 Hn2 Hr) as (Hi & Hl & H0).
    destruct (pair_of_row n1 (k / d_v)) as [i l]. cbn [fst snd] in *.
    apply Hgood; auto; try apply (hold_grid _ L d_v _ x HL Hx).
    apply Nat.mod_upper_bound. lia.
Qed.

(** With public coins and failure probability at most δ: log₂ L - H₂(δ) - δ log₂(L-1) bits for
    each symbol. *)
Lemma value_floor_coins b T w delta (state : nat -> matrix -> matrix -> list bool)
    (answer : nat -> reader) :
  distribution T w -> 0 <= delta <= INR (L - 1) / INR L ->
  (forall r V1 V2, grid_values L V1 -> grid_values L V2 -> length (state r V1 V2) = b) ->
  (forall V1 V2 i k c, grid_values L V1 -> grid_values L V2 ->
     (i < n1)%nat -> (k < n2)%nat -> (c < d_v)%nat ->
     rsum T (fun r => w r * failure eta alpha (answer r (state r V1 V2) (Q i k) c)
                        (attention2 n1 n2 d (Q i k) K1 K2 V1 V2 c)) <= delta) ->
  INR ((n1 + n2 - 2) * d_v) * (log2 (INR L) - H2 delta - delta * log2 (INR (L - 1))) <= INR b.
Proof.
  intros Hw Hdelta Hstate Hfail.
  refine (symbols_floor_randomized _ L b T w delta eta alpha symbol_output
    (fun r x => state r (hold L d_v 0 x) (hold L d_v (n1 - 1) x))
    (fun r msg k => let (i, l) := pair_of_row n1 (k / d_v) in
       answer r msg (Q i l) (k mod d_v)%nat) HL Hw Hdelta outputs_separated _ _).
  - intros r x _ Hx. apply Hstate; apply (hold_grid _ L d_v _ x HL Hx).
  - intros x k Hx Hk. unfold symbol_output.
    assert (Hr : (k / d_v < n1 + n2 - 2)%nat) by (apply Nat.div_lt_upper_bound; lia).
    destruct (pair_of_row_lt n1 n2 _ Hn1 Hn2 Hr) as (Hi & Hl & _).
    destruct (pair_of_row n1 (k / d_v)) as [i l]. cbn [fst snd] in *.
    apply Hfail; auto; try apply (hold_grid _ L d_v _ x HL Hx).
    apply Nat.mod_upper_bound. lia.
Qed.
End GivenKeys.

(** The condition on the leak, as a margin in nats: g > ln(M(L-1)(1+η+2α)/(1-η(2L-3)-2α(L-1))). *)
Theorem value_floor_margin M L eta alpha g :
  (1 <= M)%nat -> (2 <= L)%nat -> 0 <= eta -> 0 <= alpha ->
  eta * INR (2 * L - 3) + 2 * alpha * INR (L - 1) < 1 ->
  g > ln (INR M * INR (L - 1) * (1 + eta + 2 * alpha)
          / (1 - eta * INR (2 * L - 3) - 2 * alpha * INR (L - 1))) ->
  INR M * exp (- g) * (1 + eta + 2 * alpha)
    < (1 - eta * INR (2 * L - 3)) / INR (L - 1) - 2 * alpha.
Proof.
  intros HM HL Heta Ha Hroom Hg. pose proof (grid_size L HL) as HD.
  assert (HM' : 1 <= INR M) by (apply (le_INR 1), HM).
  set (X := 1 - _ - _) in Hg. assert (HX : 0 < X) by (unfold X; lra).
  assert (Hpos : 0 < INR M * INR (L - 1) * (1 + eta + 2 * alpha) / X).
  { apply Rdiv_lt_0_compat; [|exact HX]. repeat apply Rmult_lt_0_compat; lra. }
  pose proof (margin_beats_log _ g Hpos Hg) as H.
  apply (Rmult_lt_reg_r (INR (L - 1))); [lra|].
  replace (((1 - eta * INR (2 * L - 3)) / INR (L - 1) - 2 * alpha) * INR (L - 1)) with X
    by (unfold X; field; lra).
  apply (Rmult_lt_compat_r X) in H; [|exact HX].
  replace (INR M * INR (L - 1) * (1 + eta + 2 * alpha) / X * exp (- g) * X)
    with (INR M * exp (- g) * (1 + eta + 2 * alpha) * INR (L - 1)) in H by (field; lra).
  lra.
Qed.

(** b bits with L^N <= 2^b answer every query exactly, whatever the keys. *)
Theorem value_floor_met n1 n2 d d_v L b K1 K2 :
  (2 <= L)%nat -> (1 <= n1)%nat -> (1 <= n2)%nat -> (L ^ ((n1 + n2 - 2) * d_v) <= 2 ^ b)%nat ->
  exists (state : matrix -> matrix -> list bool)
         (answer : reader),
    (forall V1 V2, length (state V1 V2) = b) /\
    (forall V1 V2 q c, grid_values L V1 -> grid_values L V2 -> (c < d_v)%nat ->
       answer (state V1 V2) q c = attention2 n1 n2 d q K1 K2 V1 V2 c).
Proof.
  intros HL Hn1 Hn2 Hb. set (N := ((n1 + n2 - 2) * d_v)%nat) in *.
  destruct (numbering (list_eq_dec Nat.eq_dec) (strings N L) nil b) as (enc & dec & Hlen & Hdec).
  { now rewrite strings_length. }
  exists (fun V1 V2 => enc (read_symbols n1 n2 d_v L V1 V2)),
         (fun msg q c => attention2 n1 n2 d q K1 K2
            (hold L d_v 0 (dec msg)) (hold L d_v (n1 - 1) (dec msg)) c).
  split; [auto|]. intros V1 V2 q c G1 G2 Hc.
  rewrite Hdec by (apply in_strings, read_symbols_symbols, HL).
  destruct (read_held n1 n2 d_v L V1 V2 HL ltac:(lia) Hn1 Hn2 G1 G2) as [H1 H2].
  apply attention2_ext; auto.
Qed.

Lemma value_floor_margin_exists M L eta alpha :
  (2 <= L)%nat -> 0 <= eta -> 0 <= alpha ->
  eta * INR (2 * L - 3) + 2 * alpha * INR (L - 1) < 1 ->
  exists g, 0 <= g /\ INR M * exp (- g) * (1 + eta + 2 * alpha)
    < (1 - eta * INR (2 * L - 3)) / INR (L - 1) - 2 * alpha.
Proof.
  intros HL Heta Ha Hroom. pose proof (grid_size L HL) as HD. apply small_leak; [lra|].
  apply (Rmult_lt_reg_r (INR (L - 1))); [lra|].
  replace (((1 - eta * INR (2 * L - 3)) / INR (L - 1) - 2 * alpha) * INR (L - 1))
    with (1 - eta * INR (2 * L - 3) - 2 * alpha * INR (L - 1)) by (field; lra). lra.
Qed.

(** S1: with keys of 4 columns, states of exactly b bits are enough exactly if
    L^((n1+n2-2) d_v) <= 2^b. *)
Theorem value_floor n1 n2 d d_v L eta alpha :
  (1 <= n1)%nat -> (1 <= n2)%nat -> (4 <= d)%nat -> (2 <= L)%nat ->
  0 <= eta < 1 -> 0 <= alpha -> eta * INR (2 * L - 3) + 2 * alpha * INR (L - 1) < 1 ->
  exists (K1 K2 : matrix) (Q : nat -> nat -> nat -> R), forall b,
    (exists (state : matrix -> matrix -> list bool)
            (answer : reader),
       (forall V1 V2, grid_values L V1 -> grid_values L V2 -> length (state V1 V2) = b) /\
       (forall V1 V2 i k c, grid_values L V1 -> grid_values L V2 ->
          (i < n1)%nat -> (k < n2)%nat -> (c < d_v)%nat ->
          accurate eta alpha (answer (state V1 V2) (Q i k) c)
                             (attention2 n1 n2 d (Q i k) K1 K2 V1 V2 c)))
    <-> INR ((n1 + n2 - 2) * d_v) * log2 (INR L) <= INR b.
Proof.
  intros Hn1 Hn2 Hd HL Heta Ha Hroom.
  destruct (value_floor_margin_exists (n1 * n2 - 1) L eta alpha HL (proj1 Heta) Ha Hroom)
    as (g & Hg & Hleak).
  exists pair_key1, pair_key2, (pair_query g). intros b.
  rewrite <- bits_of_symbols by lia. split.
  - intros (state & answer & Hbits & Hgood). rewrite <- (bitstrings_length b).
    apply (value_floor_states n1 n2 d d_v L eta alpha g pair_key1 pair_key2 (pair_query g)
      Hn1 Hn2 HL Heta Ha) with (state := state) (answer := answer); auto.
    + intros i k _ _ _. apply pair_keys_single_out; assumption.
    + intros V1 V2 G1 G2. apply in_bitstrings. auto.
  - intros Hb. destruct (value_floor_met n1 n2 d d_v L b pair_key1 pair_key2 HL Hn1 Hn2 Hb)
      as (state & answer & Hlen & Hans).
    exists state, answer. split; [auto|]. intros V1 V2 i k c G1 G2 _ _ Hc.
    rewrite Hans by assumption. now apply accurate_exact.
Qed.

(** With states of up to b bits, which are 2^(b+1) - 1 in number, L^N < 2^(b+1). *)
Theorem value_floor_up_to (n1 n2 d d_v L : nat) (eta alpha : R) :
  (1 <= n1)%nat -> (1 <= n2)%nat -> (4 <= d)%nat -> (2 <= L)%nat ->
  0 <= eta < 1 -> 0 <= alpha -> eta * INR (2 * L - 3) + 2 * alpha * INR (L - 1) < 1 ->
  exists (K1 K2 : matrix) (Q : nat -> nat -> nat -> R),
    forall b (state : matrix -> matrix -> list bool) (answer : reader),
      (forall V1 V2, grid_values L V1 -> grid_values L V2 -> (length (state V1 V2) <= b)%nat) ->
      (forall V1 V2 i k c, grid_values L V1 -> grid_values L V2 ->
         (i < n1)%nat -> (k < n2)%nat -> (c < d_v)%nat ->
         accurate eta alpha (answer (state V1 V2) (Q i k) c)
                            (attention2 n1 n2 d (Q i k) K1 K2 V1 V2 c)) ->
      (L ^ ((n1 + n2 - 2) * d_v) < 2 ^ (b + 1))%nat.
Proof.
  intros Hn1 Hn2 Hd HL Heta Ha Hroom.
  destruct (value_floor_margin_exists (n1 * n2 - 1) L eta alpha HL (proj1 Heta) Ha Hroom)
    as (g & Hg & Hleak).
  exists pair_key1, pair_key2, (pair_query g). intros b state answer Hbits Hgood.
  rewrite Nat.add_1_r, <- bitstrings_upto_length. apply Nat.lt_succ_r.
  apply (value_floor_states n1 n2 d d_v L eta alpha g pair_key1 pair_key2 (pair_query g)
    Hn1 Hn2 HL Heta Ha) with (state := state) (answer := answer); auto.
  - intros i k _ _ _. apply pair_keys_single_out; assumption.
  - intros V1 V2 G1 G2. apply in_bitstrings_upto. auto.
Qed.

(** With public coins and failure probability at most δ. *)
Theorem value_floor_randomized n1 n2 d d_v L eta alpha :
  (1 <= n1)%nat -> (1 <= n2)%nat -> (4 <= d)%nat -> (2 <= L)%nat ->
  0 <= eta < 1 -> 0 <= alpha -> eta * INR (2 * L - 3) + 2 * alpha * INR (L - 1) < 1 ->
  exists (K1 K2 : matrix) (Q : nat -> nat -> nat -> R),
    forall b T w delta (state : nat -> matrix -> matrix -> list bool) (answer : nat -> reader),
      distribution T w -> 0 <= delta <= INR (L - 1) / INR L ->
      (forall r V1 V2, grid_values L V1 -> grid_values L V2 -> length (state r V1 V2) = b) ->
      (forall V1 V2 i k c, grid_values L V1 -> grid_values L V2 ->
         (i < n1)%nat -> (k < n2)%nat -> (c < d_v)%nat ->
         rsum T (fun r => w r * failure eta alpha (answer r (state r V1 V2) (Q i k) c)
                            (attention2 n1 n2 d (Q i k) K1 K2 V1 V2 c)) <= delta) ->
      INR ((n1 + n2 - 2) * d_v) * (log2 (INR L) - H2 delta - delta * log2 (INR (L - 1))) <= INR b.
Proof.
  intros Hn1 Hn2 Hd HL Heta Ha Hroom.
  destruct (value_floor_margin_exists (n1 * n2 - 1) L eta alpha HL (proj1 Heta) Ha Hroom)
    as (g & Hg & Hleak).
  exists pair_key1, pair_key2, (pair_query g). intros b T w delta state answer.
  apply (value_floor_coins n1 n2 d d_v L eta alpha g pair_key1 pair_key2 (pair_query g)
    Hn1 Hn2 HL Heta Ha); [|exact Hleak].
  intros i k _ _ _. apply pair_keys_single_out; assumption.
Qed.
