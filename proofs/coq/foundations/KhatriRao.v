(** The product A_1 ⊘ A_2, and how one of its columns packs into n1 + n2 - 1 of its own entries:
    the row and the column through a pivot, its first entry that is not zero. *)
From Coq Require Import Reals Lra Lia Arith List.
From KVFloor Require Import Sums Attention Bits Symbols.
Import ListNotations.
Open Scope R_scope.

(** A_1 ⊘ A_2: row (j, l) is the entrywise product of rows j and l. *)
Definition khatri_rao (n2 : nat) (A1 A2 : matrix) : matrix :=
  fun t c => A1 (t / n2)%nat c * A2 (t mod n2)%nat c.

(** One more than the number of the first entry that is not zero among the first N; 0 if none. *)
Fixpoint pivot (N : nat) (T : nat -> R) : nat :=
  match N with
  | O => 0
  | S k => match pivot k T with
           | O => if Req_EM_T (T k) 0 then 0%nat else S k
           | S p => S p
           end
  end.

Lemma pivot_zero N T t : pivot N T = 0%nat -> (t < N)%nat -> T t = 0.
Proof.
  induction N; simpl; intros H Ht; [lia|]. destruct (pivot N T); [|discriminate].
  destruct (Req_EM_T (T N) 0) as [E|E]; [|discriminate].
  destruct (Nat.eq_dec t N) as [->|]; [exact E|]. apply IHN; [reflexivity|lia].
Qed.

Lemma pivot_entry N T p : pivot N T = S p -> (p < N)%nat /\ T p <> 0.
Proof.
  induction N; simpl; intros H; [discriminate|]. destruct (pivot N T) as [|p'].
  - destruct (Req_EM_T (T N) 0) as [E|E]; [discriminate|]. injection H as <-. auto.
  - destruct (IHN H). auto.
Qed.

Lemma pivot_le N T : (pivot N T <= N)%nat.
Proof. destruct (pivot N T) eqn:E; [lia|]. apply pivot_entry in E. lia. Qed.

(** Which entry of the column is number e of those kept, if the pivot is entry p. *)
Definition kept (n1 n2 p e : nat) : nat :=
  if e <? n2 then p / n2 * n2 + e
  else let j := (e - n2)%nat in (if j <? p / n2 then j else S j) * n2 + p mod n2.

(** The numbers kept of a column, as many for a column of zeros as for any other. *)
Definition pack_column (n1 n2 : nat) (T : nat -> R) : list R :=
  map (fun e => T (kept n1 n2 (pred (pivot (n1 * n2) T)) e)) (seq 0 (n1 + n2 - 1)).

(** An entry is that in its row times that in its column, over the pivot. *)
Definition unpack_column (n2 flag : nat) (x : nat -> R) (t : nat) : R :=
  match flag with
  | O => 0
  | S p =>
    let i := (p / n2)%nat in let j := (t / n2)%nat in let at_pivot := x (p mod n2)%nat in
    x (t mod n2)%nat
      * (if j =? i then at_pivot else x (n2 + (if j <? i then j else pred j))%nat) / at_pivot
  end.

Lemma kept_lt n1 n2 p e :
  (p < n1 * n2)%nat -> (e < n1 + n2 - 1)%nat -> (kept n1 n2 p e < n1 * n2)%nat.
Proof.
  intros Hp He. assert (Hn2 : n2 <> 0%nat) by (intros ->; lia).
  assert (Hi : (p / n2 < n1)%nat) by (apply Nat.div_lt_upper_bound; lia).
  pose proof (Nat.mod_upper_bound p n2 Hn2). unfold kept.
  destruct (Nat.ltb_spec e n2); [nia|]. cbv zeta.
  destruct (Nat.ltb_spec (e - n2) (p / n2)); nia.
Qed.

(** Packing loses nothing of a column that is a product. *)
Lemma unpack_pack_column n1 n2 (u v : nat -> R) T x t :
  (forall t, (t < n1 * n2)%nat -> T t = u (t / n2)%nat * v (t mod n2)%nat) ->
  (t < n1 * n2)%nat ->
  (pivot (n1 * n2) T <> 0%nat ->
     forall e, (e < n1 + n2 - 1)%nat -> x e = nth e (pack_column n1 n2 T) 0) ->
  unpack_column n2 (pivot (n1 * n2) T) x t = T t.
Proof.
  intros HT Ht Hx. destruct (pivot (n1 * n2) T) as [|p] eqn:Ep; simpl.
  - symmetry. now apply (pivot_zero (n1 * n2)).
  - specialize (Hx ltac:(discriminate)). destruct (pivot_entry _ _ _ Ep) as [Hp Hne].
    assert (Hn2 : n2 <> 0%nat) by (intros ->; lia).
    set (i := (p / n2)%nat). set (k := (p mod n2)%nat).
    set (j := (t / n2)%nat). set (l := (t mod n2)%nat).
    assert (Hk : (k < n2)%nat) by (apply Nat.mod_upper_bound; lia).
    assert (Hl : (l < n2)%nat) by (apply Nat.mod_upper_bound; lia).
    assert (Hi : (i < n1)%nat) by (apply Nat.div_lt_upper_bound; lia).
    assert (Hj : (j < n1)%nat) by (apply Nat.div_lt_upper_bound; lia).
    assert (Hxe : forall e, (e < n1 + n2 - 1)%nat -> x e = T (kept n1 n2 p e)).
    { intros e He. rewrite Hx by exact He. unfold pack_column.
      rewrite nth_map_seq, Ep by exact He. reflexivity. }
    assert (Hrow : forall l', (l' < n2)%nat -> x l' = u i * v l').
    { intros l' Hl'. rewrite Hxe by lia. rewrite HT by (apply kept_lt; lia). unfold kept.
      destruct (Nat.ltb_spec l' n2); [|lia]. fold i. now rewrite pair_div, pair_mod. }
    assert (Hcol : (if j =? i then x k else x (n2 + (if j <? i then j else pred j))%nat)
                   = u j * v k).
    { destruct (Nat.eqb_spec j i) as [->|Hji]; [now apply Hrow|].
      assert (He : (n2 + (if j <? i then j else pred j) < n1 + n2 - 1)%nat)
        by (destruct (Nat.ltb_spec j i); lia).
      rewrite Hxe by exact He. rewrite HT by (apply kept_lt; assumption). unfold kept. fold i k.
      destruct (Nat.ltb_spec (n2 + (if j <? i then j else pred j)) n2); [lia|]. cbv zeta.
      replace (n2 + (if j <? i then j else pred j) - n2)%nat
        with (if j <? i then j else pred j) by lia.
      rewrite pair_div, pair_mod by exact Hk. f_equal. f_equal.
      destruct (Nat.ltb_spec j i) as [Hlt|Hge].
      - destruct (Nat.ltb_spec j i); lia.
      - destruct (Nat.ltb_spec (pred j) i); lia. }
    rewrite Hcol, !Hrow, (HT t Ht) by assumption. fold j l.
    rewrite (HT p Hp) in Hne. fold i k in Hne. field.
    split; intros E; apply Hne; rewrite E; ring.
Qed.
