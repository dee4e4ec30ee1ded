(** The upper side of S5: keys and values some of whose entries are known, all others rounded to the
    middles of cells, as many for a key as for another. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Tuples Guarantee Bits Entropy Symbols MixedSymbols
  Rounded QuantisedUpperBound.
Import ListNotations.
Open Scope R_scope.

(** A slot, a row and a column. *)
Definition spot : Type := (nat * nat * nat)%type.

(** m matrices of n rows and d columns that are F but in the free spots; entries within ±B. *)
Definition fills (m n d : nat) (F : list matrix) (free : list spot) (Ms : list matrix) : Prop :=
  length Ms = m /\ forall s j c, (s < m)%nat -> (j < n)%nat -> (c < d)%nat ->
    ~ In (s, j, c) free -> nth s Ms ones j c = nth s F ones j c.
Definition all_within (m n d : nat) (B : R) (Ms : list matrix) : Prop :=
  forall s j c, (s < m)%nat -> (j < n)%nat -> (c < d)%nat -> Rabs (nth s Ms ones j c) <= B.

Lemma spot_eq : forall x y : spot, {x = y} + {x <> y}.
Proof. repeat decide equality. Qed.

Lemma kind_spot_eq : forall x y : bool * spot, {x = y} + {x <> y}.
Proof. repeat decide equality. Qed.

(** The first cell whose middle is near x. *)
Definition cell_of (N : nat) (B x : R) : nat :=
  match find (fun k => if Rle_dec (Rabs (middle N B k - x)) (B / INR N) then true else false)
          (seq 0 N) with
  | Some k => k
  | None => 0%nat
  end.

Lemma cell_of_lt N B x : (1 <= N)%nat -> (cell_of N B x < N)%nat.
Proof.
  intros HN. unfold cell_of. destruct (find _ _) as [k|] eqn:E; [|lia].
  apply find_some in E as [Hk _]. apply in_seq in Hk. lia.
Qed.

Lemma cell_of_near N B x : (1 <= N)%nat -> 0 < B -> Rabs x <= B ->
  Rabs (middle N B (cell_of N B x) - x) <= B / INR N.
Proof.
  intros HN HB Hx. unfold cell_of.
  set (p := fun k => if Rle_dec (Rabs (middle N B k - x)) (B / INR N) then true else false).
  destruct (find p (seq 0 N)) as [k|] eqn:E.
  - apply find_some in E as [_ Hp]. unfold p in Hp.
    destruct (Rle_dec (Rabs (middle N B k - x)) (B / INR N)); [assumption|discriminate].
  - exfalso. destruct (near_a_middle N B x HN HB Hx) as (k & Hk & Hn).
    pose proof (find_none p _ E k ltac:(apply in_seq; lia)) as Hp. unfold p in Hp.
    destruct (Rle_dec (Rabs (middle N B k - x)) (B / INR N)); [discriminate|contradiction].
Qed.

Section Cells.
Variables (m n d d_v : nat) (Fk Fv : list matrix) (fk fv : list spot) (Bk Bv : R) (Nk Nv : nat).
Hypothesis Hn : (1 <= n)%nat.
Hypothesis HBk : 0 < Bk.
Hypothesis HBv : 0 < Bv.
Hypothesis HNk : (1 <= Nk)%nat.
Hypothesis HNv : (1 <= Nv)%nat.

(** Free spots of keys (true) and of values (false), each with its cells. *)
Definition free_spots : list (bool * spot) := map (pair true) fk ++ map (pair false) fv.
Definition cells (e : bool * spot) : nat := if fst e then Nk else Nv.

Lemma in_free_spots kind e : In (kind, e) free_spots <-> In e (if kind then fk else fv).
Proof.
  unfold free_spots. rewrite in_app_iff, !in_map_iff. split.
  - intros [(x & E & H)|(x & E & H)]; injection E as <- ->; exact H.
  - destruct kind; intros H; [left|right]; now exists e.
Qed.

Lemma kinds_free : kinds cells free_spots = (Nk ^ length fk * Nv ^ length fv)%nat.
Proof.
  unfold free_spots. rewrite kinds_app.
  rewrite (kinds_same cells Nk), (kinds_same cells Nv), !map_length; [reflexivity|..];
    intros e He; apply in_map_iff in He as (x & <- & _); reflexivity.
Qed.

(** The matrices that a word stands for. *)
Definition matrices_of (w : list nat) (kind : bool) : list matrix :=
  map (fun s j c =>
    if in_dec spot_eq (s, j, c) (if kind then fk else fv)
    then middle (if kind then Nk else Nv) (if kind then Bk else Bv)
           (symbol kind_spot_eq free_spots w (kind, (s, j, c)))
    else nth s (if kind then Fk else Fv) ones j c) (seq 0 m).

(** Cells as many as words have symbols: answers are off by what an N-th of a box leaves. *)
Lemma cells_cache b : (Nk ^ length fk * Nv ^ length fv <= 2 ^ b)%nat ->
  exists (state : list matrix -> list matrix -> list bool) (answer : reader),
    (forall Ks Vs, length (state Ks Vs) = b) /\
    (forall Ks Vs, fills m n d Fk fk Ks -> fills m n d_v Fv fv Vs ->
       all_within m n d Bk Ks -> all_within m n d_v Bv Vs ->
       forall q Q c, rsum d (fun e => Rabs (q e)) <= Q -> (c < d_v)%nat ->
         Rabs (answer (state Ks Vs) q c - tensor (repeat (seq 0 n) m) d q Ks Vs c)
           <= Bv ^ m * (Q * (INR m * Bk ^ (m - 1) * (Bk / INR Nk)))
              + INR m * Bv ^ (m - 1) * (Bv / INR Nv)).
Proof.
  rewrite <- kinds_free. intros Hb.
  destruct (numbering (list_eq_dec Nat.eq_dec) (words cells free_spots) nil b)
    as (enc & dec & Hlen & Hdec); [now rewrite words_length|].
  set (cell := fun (Ks Vs : list matrix) (e : bool * spot) =>
    let '(kind, (s, j, c)) := e in
    cell_of (if kind then Nk else Nv) (if kind then Bk else Bv)
      (nth s (if kind then Ks else Vs) ones j c)).
  exists (fun Ks Vs => enc (map (cell Ks Vs) free_spots)),
    (fun msg q c => tensor (repeat (seq 0 n) m) d q (matrices_of (dec msg) true)
                      (matrices_of (dec msg) false) c).
  split; [auto|]. intros Ks Vs [LK FK] [LV FV] BK BV q Q c HQ Hc.
  destruct (word_of kind_spot_eq cells free_spots (cell Ks Vs)) as [Hin Hsym].
  { intros [[] [[s j] e]] _; now apply cell_of_lt. }
  rewrite Hdec by exact Hin. set (w := map (cell Ks Vs) free_spots) in *.
  assert (HBN : forall B N, 0 < B -> 0 <= B / INR N).
  { intros B [|N] HB; [simpl; unfold Rdiv; rewrite Rinv_0; lra|].
    left. apply Rdiv_lt_0_compat; [exact HB|]. apply lt_0_INR. lia. }
  (* entries are in their boxes, and near what they stand for *)
  assert (Hnear : forall (kind : bool) width s j e, (s < m)%nat -> (j < n)%nat -> (e < width)%nat ->
    fills m n width (if kind then Fk else Fv) (if kind then fk else fv) (if kind then Ks else Vs) ->
    all_within m n width (if kind then Bk else Bv) (if kind then Ks else Vs) ->
    let x := nth s (matrices_of w kind) ones j e in
    let y := nth s (if kind then Ks else Vs) ones j e in
    let B := if kind then Bk else Bv in
    Rabs x <= B /\ Rabs (x - y) <= B / INR (if kind then Nk else Nv)).
  { intros kind width s j e Hs Hj He [_ Hfill] Hbox x y B.
    assert (HB : 0 < B) by (unfold B; now destruct kind).
    assert (HN : (1 <= if kind then Nk else Nv)%nat) by now destruct kind.
    specialize (Hbox s j e Hs Hj He). specialize (Hfill s j e Hs Hj He). fold y B in Hbox.
    unfold x, matrices_of. rewrite nth_map_seq by exact Hs.
    destruct (in_dec spot_eq (s, j, e) (if kind then fk else fv)) as [Hfree|Hfixed].
    - rewrite Hsym by now apply in_free_spots.
      split; [apply middle_inside; [exact HB|now apply cell_of_lt]|].
      now apply cell_of_near.
    - fold y in Hfill. rewrite <- Hfill by exact Hfixed. split; [exact Hbox|].
      rewrite Rminus_eq_0, Rabs_R0. now apply HBN. }
  assert (Hlength : forall kind, length (matrices_of w kind) = m)
    by (intros; unfold matrices_of; now rewrite map_length, seq_length).
  pose proof (quantised_upper_bound (repeat (seq 0 n) m) d q Ks (matrices_of w true) Vs
    (matrices_of w false) c Q Bk Bv (Bk / INR Nk) (Bv / INR Nv)) as H.
  cbv zeta in H. rewrite repeat_length in H. apply H; auto.
  - intros js Hjs. apply repeat_spec in Hjs as ->. destruct n; [lia|discriminate].
  - intros t e Ht He. pose proof (fun r => tuples_entries n m t r Ht) as Hrow.
    repeat split; intros r Hr; rewrite ?Hlength, ?LK in Hr; try (now apply BK; auto);
      now apply (Hnear true d); auto.
  - intros t Ht. pose proof (fun r => tuples_entries n m t r Ht) as Hrow.
    repeat split; intros r Hr; rewrite ?Hlength, ?LV in Hr; try (now apply BV; auto);
      now apply (Hnear false d_v); auto.
Qed.
End Cells.
