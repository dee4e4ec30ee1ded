(** Values on a grid of L levels, row 0 all ones, and the string of symbols that they hold. *)
From Coq Require Import Reals Lra Lia Arith List.
From KVFloor Require Import Sums Attention Bits Symbols Levels.
Open Scope R_scope.

(** Row 0 is all ones; every other entry is on the grid of L levels. *)
Definition grid_values (L : nat) (V : matrix) : Prop :=
  (forall c, V 0%nat c = 1) /\ (forall j c, exists k, (k < L)%nat /\ V j c = level L k).

(** The values that hold the symbols x, from row [first] of the string on. *)
Definition hold (L d_v first : nat) (x : list nat) : matrix := fun j c =>
  match j with O => 1 | S r => level L (nth ((first + r) * d_v + c) x 0%nat) end.

(** The pair of tokens that reads row r of the string: one of them is token 0. *)
Definition pair_of_row (n1 r : nat) : nat * nat :=
  if r <? n1 - 1 then (S r, 0%nat) else (0%nat, S (r - (n1 - 1))).

Lemma pair_of_row_lt n1 n2 r :
  (1 <= n1)%nat -> (1 <= n2)%nat -> (r < n1 + n2 - 2)%nat ->
  (fst (pair_of_row n1 r) < n1)%nat /\ (snd (pair_of_row n1 r) < n2)%nat /\
  (fst (pair_of_row n1 r) = 0%nat \/ snd (pair_of_row n1 r) = 0%nat).
Proof.
  intros H1 H2 Hr. unfold pair_of_row.
  destruct (Nat.ltb_spec r (n1 - 1)); simpl; repeat split; auto; lia.
Qed.

Lemma hold_grid N L d_v first x :
  (2 <= L)%nat -> symbols N L x -> grid_values L (hold L d_v first x).
Proof.
  intros HL [Hl Hx]. split; [reflexivity|]. intros [|r] c; simpl.
  - exists (L - 1)%nat. split; [lia|]. symmetry. now apply level_top.
  - exists (nth ((first + r) * d_v + c) x 0%nat). split; [|reflexivity].
    destruct (le_lt_dec N ((first + r) * d_v + c)) as [H|H]; [|now apply Hx].
    rewrite nth_overflow; lia.
Qed.

Lemma grid_unit L V j c : (2 <= L)%nat -> grid_values L V -> unit_value (V j c).
Proof. intros HL [_ H]. destruct (H j c) as (k & Hk & ->). now apply level_unit. Qed.

(** The pair that reads symbol k has it as the product of its values. *)
Lemma hold_reads L d_v n1 x k :
  (0 < d_v)%nat -> (1 <= n1)%nat ->
  hold L d_v 0 x (fst (pair_of_row n1 (k / d_v))) (k mod d_v)
    * hold L d_v (n1 - 1) x (snd (pair_of_row n1 (k / d_v))) (k mod d_v)
  = level L (nth k x 0%nat).
Proof.
  intros Hdv Hn1.
  assert (Hk : (k / d_v * d_v + k mod d_v = k)%nat)
    by (rewrite Nat.mul_comm; symmetry; apply Nat.div_mod; lia).
  unfold pair_of_row. destruct (Nat.ltb_spec (k / d_v) (n1 - 1)); simpl.
  - rewrite Hk. ring.
  - replace (n1 - 1 + (k / d_v - (n1 - 1)))%nat with (k / d_v)%nat by lia. rewrite Hk. ring.
Qed.

(** ** Reading the string back *)

(** The symbol that a value on the grid stands for. *)
Fixpoint symbol_of (L : nat) (v : R) (tries : nat) : nat :=
  match tries with
  | O => 0
  | S k => if Req_EM_T v (level L k) then k else symbol_of L v k
  end.

Lemma symbol_of_level L k tries :
  (2 <= L)%nat -> (k < tries)%nat -> symbol_of L (level L k) tries = k.
Proof.
  intros HL. induction tries as [|t IH]; intros Hk; [lia|]. simpl.
  destruct (Req_EM_T (level L k) (level L t)) as [E|E].
  - symmetry. now apply (level_inj L).
  - apply IH. assert (k <> t) by congruence. lia.
Qed.

Definition read_symbols (n1 n2 d_v L : nat) (V1 V2 : matrix) : list nat :=
  map (fun k => let r := (k / d_v)%nat in
         symbol_of L (if r <? n1 - 1 then V1 (S r) (k mod d_v)%nat
                      else V2 (S (r - (n1 - 1))) (k mod d_v)%nat) L)
      (seq 0 ((n1 + n2 - 2) * d_v)).

Lemma symbol_of_lt L v tries : (0 < tries)%nat -> (symbol_of L v tries < tries)%nat.
Proof.
  induction tries as [|t IH]; intros Ht; [lia|]. simpl.
  destruct (Req_EM_T v (level L t)); [lia|]. destruct t; [simpl; lia|]. lia.
Qed.

Lemma read_symbols_symbols n1 n2 d_v L V1 V2 :
  (2 <= L)%nat -> symbols ((n1 + n2 - 2) * d_v) L (read_symbols n1 n2 d_v L V1 V2).
Proof.
  intros HL. unfold read_symbols. split; [now rewrite map_length, seq_length|].
  intros k Hk. rewrite nth_map_seq by exact Hk. apply symbol_of_lt. lia.
Qed.

Lemma grid_symbol L V j c :
  (2 <= L)%nat -> grid_values L V -> level L (symbol_of L (V j c) L) = V j c.
Proof.
  intros HL [_ H]. destruct (H j c) as (k & Hk & ->). now rewrite symbol_of_level.
Qed.

Lemma read_held n1 n2 d_v L V1 V2 :
  (2 <= L)%nat -> (0 < d_v)%nat -> (1 <= n1)%nat -> (1 <= n2)%nat ->
  grid_values L V1 -> grid_values L V2 ->
  let x := read_symbols n1 n2 d_v L V1 V2 in
  (forall j c, (j < n1)%nat -> (c < d_v)%nat -> hold L d_v 0 x j c = V1 j c) /\
  (forall l c, (l < n2)%nat -> (c < d_v)%nat -> hold L d_v (n1 - 1) x l c = V2 l c).
Proof.
  intros HL Hdv Hn1 Hn2 G1 G2 x. unfold x, read_symbols.
  split; intros [|r] c Hr Hc; simpl; try (symmetry; apply G1 || apply G2).
  - rewrite nth_map_seq by nia. cbv zeta.
    rewrite (pair_div d_v r c Hc), (pair_mod d_v r c Hc).
    destruct (Nat.ltb_spec r (n1 - 1)); [|lia]. now apply grid_symbol.
  - rewrite nth_map_seq by nia. cbv zeta.
    rewrite (pair_div d_v (n1 - 1 + r) c Hc), (pair_mod d_v (n1 - 1 + r) c Hc).
    destruct (Nat.ltb_spec (n1 - 1 + r) (n1 - 1)); [lia|].
    replace (S (n1 - 1 + r - (n1 - 1))) with (S r) by lia. now apply grid_symbol.
Qed.

Lemma attention2_ext n1 n2 d q K1 K2 V1 V2 K1' K2' V1' V2' c :
  (forall j e, (j < n1)%nat -> (e < d)%nat -> K1 j e = K1' j e) ->
  (forall l e, (l < n2)%nat -> (e < d)%nat -> K2 l e = K2' l e) ->
  (forall j, (j < n1)%nat -> V1 j c = V1' j c) -> (forall l, (l < n2)%nat -> V2 l c = V2' l c) ->
  attention2 n1 n2 d q K1 K2 V1 V2 c = attention2 n1 n2 d q K1' K2' V1' V2' c.
Proof.
  intros HK1 HK2 H1 H2. unfold attention2, weight2.
  assert (Hs : forall j l, (j < n1)%nat -> (l < n2)%nat ->
            logit2 d q K1 K2 j l = logit2 d q K1' K2' j l).
  { intros j l Hj Hl. apply rsum_ext. intros e He. now rewrite HK1, HK2. }
  rewrite (rsum_ext n1 (fun j' => rsum n2 (fun l' => exp (logit2 d q K1 K2 j' l')))
    (fun j' => rsum n2 (fun l' => exp (logit2 d q K1' K2' j' l')))).
  - apply rsum_ext; intros j Hj. apply rsum_ext; intros l Hl. now rewrite Hs, H1, H2.
  - intros j Hj. apply rsum_ext. intros l Hl. now rewrite Hs.
Qed.
