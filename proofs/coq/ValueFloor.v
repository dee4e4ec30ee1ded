(** S1 `value-floor`, for bits: order 2 needs (n1 + n2 - 2) d_v bits, since both values count. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Guarantee Bits DecodeThreshold Readable Keys.
Open Scope R_scope.

(** Row 0 of each slot's values is all ones; the other rows hold the string. *)
Definition bits1 (d_v : nat) (x : list bool) (j c : nat) : bool :=
  match j with O => true | S j' => bit_at d_v x j' c end.
Definition bits2 (n1 d_v : nat) (x : list bool) (l c : nat) : bool :=
  match l with O => true | S l' => bit_at d_v x (n1 - 1 + l') c end.

Definition values1 d_v x : matrix := fun j c => bitval (bits1 d_v x j c).
Definition values2 n1 d_v x : matrix := fun l c => bitval (bits2 n1 d_v x l c).

(** The pair (j, l) whose product of values is row r of the string. *)
Definition row1 (n1 r : nat) : nat := if r <? n1 - 1 then S r else 0.
Definition row2 (n1 r : nat) : nat := if r <? n1 - 1 then 0 else S (r - (n1 - 1)).

Lemma rows_in_range n1 n2 r :
  (1 <= n1)%nat -> (1 <= n2)%nat -> (r < n1 + n2 - 2)%nat ->
  (row1 n1 r < n1)%nat /\ (row2 n1 r < n2)%nat.
Proof. intros. unfold row1, row2. destruct (Nat.ltb_spec r (n1 - 1)); lia. Qed.

Lemma bitval_and a b : bitval a * bitval b = bitval (a && b).
Proof. unfold bitval; destruct a, b; simpl; ring. Qed.

Lemma readable_values n1 n2 d d_v eta alpha g :
  (4 <= d)%nat -> (1 <= n1)%nat -> (1 <= n2)%nat ->
  0 <= eta < 1 -> 0 <= alpha -> 0 <= g -> leak (n1 * n2 - 1) g < (1 - eta) / 2 - alpha ->
  readable ((n1 + n2 - 2) * d_v) eta alpha (threshold eta alpha)
    (fun x k => attention2 n1 n2 d
                  (pair_query g (row1 n1 (k / d_v)) (row2 n1 (k / d_v))) pair_key1 pair_key2
                  (values1 d_v x) (values2 n1 d_v x) (k mod d_v)).
Proof.
  intros Hd Hn1 Hn2 He Ha Hg Hlam x k o Hx Hk Ho.
  assert (Hr : (k / d_v < n1 + n2 - 2)%nat) by (apply Nat.div_lt_upper_bound; lia).
  set (r := (k / d_v)%nat) in *. set (c := (k mod d_v)%nat) in *.
  destruct (rows_in_range n1 n2 r Hn1 Hn2 Hr) as [Hj Hl].
  set (j := row1 n1 r) in *. set (l := row2 n1 r) in *.
  assert (Hbit : (bits1 d_v x j c && bits2 n1 d_v x l c)%bool = nth k x false).
  { rewrite <- (bit_at_divmod d_v x k) by lia. fold r c. unfold j, l, row1, row2.
    destruct (Nat.ltb_spec r (n1 - 1)); simpl.
    - apply andb_true_r.
    - f_equal. lia. }
  assert (Hpair : (j * n2 + l < n1 * n2)%nat) by nia.
  pose proof (pair_div n2 j l Hl) as E1. pose proof (pair_mod n2 j l Hl) as E2.
  rewrite <- Hbit.
  pose proof (keys_parabola_pairs n1 n2 d g (j * n2 + l) Hd Hg) as Hmargin.
  rewrite E1, E2 in Hmargin.
  rewrite attention2_pair, pair_attention_flat in Ho.
  pose proof (decode_threshold (n1 * n2) _
    (fun a => (bits1 d_v x (a / n2) c && bits2 n1 d_v x (a mod n2) c)%bool)
    (j * n2 + l) g eta alpha o Hpair Hmargin He Ha Hlam) as Hdec.
  cbv beta in Hdec. rewrite E1, E2 in Hdec. apply Hdec.
  erewrite output_ext; [exact Ho|]. intros a _. cbv beta. now rewrite <- bitval_and.
Qed.

(** A deterministic cache of order 2 has (n1 + n2 - 2) d_v bits. *)
Theorem value_floor_bits n1 n2 d d_v eta alpha :
  (4 <= d)%nat -> (1 <= n1)%nat -> (1 <= n2)%nat ->
  0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K1 K2 : matrix) (Q : nat -> nat -> nat -> R),
    forall b (state : matrix -> matrix -> list bool) (answer : reader),
      (forall V1 V2, zero_one V1 -> zero_one V2 -> (length (state V1 V2) <= b)%nat) ->
      (forall V1 V2 i k c, zero_one V1 -> zero_one V2 ->
         (i < n1)%nat -> (k < n2)%nat -> (c < d_v)%nat ->
         accurate eta alpha (answer (state V1 V2) (Q i k) c)
                  (attention2 n1 n2 d (Q i k) K1 K2 V1 V2 c)) ->
      ((n1 + n2 - 2) * d_v <= b)%nat.
Proof.
  intros Hd Hn1 Hn2 He Ha Hsum.
  destruct (margin_exists (n1 * n2 - 1) eta alpha He Ha Hsum) as (g & Hg & Hlam).
  exists pair_key1, pair_key2, (pair_query g). intros b state answer Hbits Hgood.
  refine (readable_floor _ b eta alpha _ _
    (fun x => state (values1 d_v x) (values2 n1 d_v x))
    (fun msg k => answer msg (pair_query g (row1 n1 (k / d_v)) (row2 n1 (k / d_v)))
                    (k mod d_v)%nat)
    (readable_values n1 n2 d d_v eta alpha g Hd Hn1 Hn2 ltac:(lra) Ha Hg Hlam) _ _).
  - intros; apply Hbits; apply zero_one_bitval.
  - intros x k _ Hk.
    assert (Hr : (k / d_v < n1 + n2 - 2)%nat) by (apply Nat.div_lt_upper_bound; lia).
    destruct (rows_in_range n1 n2 _ Hn1 Hn2 Hr).
    apply Hgood; try apply zero_one_bitval; try assumption.
    apply Nat.mod_upper_bound; lia.
Qed.
