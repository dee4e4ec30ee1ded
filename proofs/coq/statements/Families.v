(** * Keys, and keys and values that hold symbols: definitions that claims about them share *)
From Coq Require Import Reals ZArith List Arith Bool.
From KVFloor Require Import Definitions.
Import ListNotations.
Open Scope R_scope.

(** ** Keys *)

(** Key j = (j, -j^2, 0, ..., 0);  query i = C (2i, 1, 0, ..., 0). *)
Definition parabola_key : matrix := fun j c =>
  match c with 0%nat => INR j | 1%nat => - (INR j * INR j) | _ => 0 end.
Definition parabola_query (C : R) (i : nat) : nat -> R := fun c =>
  match c with 0%nat => C * (2 * INR i) | 1%nat => C | _ => 0 end.

(** Parabola keys (j, -j²) for j = 1 .. n. *)
Definition parabola_key_1 : matrix := fun j => parabola_key (S j).

Definition parabola_query_1 (C : R) (i : nat) : nat -> R := parabola_query C (S i).

(** Key j is the d-digit binary code of j written with -1 and 1;  query i = C key i. *)
Definition binary_key : matrix := fun j c => if Nat.testbit j c then 1 else -1.
Definition binary_query (C : R) (i : nat) : nat -> R := fun c => C * binary_key i c.
Definition sign_matrix (K : matrix) : Prop := forall j c, K j c = 1 \/ K j c = -1.

(** An address book: query i exceeds every other key, and a key of zeros, by g. *)
Definition address_book (n d : nat) (K : matrix) (Q : nat -> nat -> R) (g : R) : Prop :=
  forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g /\ logit d (Q i) K i >= g.

(** Inner product of keys i and j. *)
Definition dot (d : nat) (K : matrix) (i j : nat) : R := rsum d (fun c => K i c * K j c).

(** Query i = C key i. *)
Definition key_query (C : R) (K : matrix) (i : nat) : nat -> R := fun c => C * K i c.

Definition unit_key : matrix := fun j c => if c =? j then 1 else 0.

(** Key j is the axis j / 2, with the sign of the parity of j. *)
Definition sign_of (j : nat) : R := if Nat.even j then 1 else -1.

Definition axis_key : matrix := fun j c => sign_of j * (if c =? j / 2 then 1 else 0).

(** ±e_a ± e_b for a < b: the index of a root, two axes and two signs. *)
Definition root : Type := (nat * nat) * (bool * bool).

Notation Root a b s t := ((a%nat, b%nat), (s, t)).

Definition first_axis (r : root) : nat := fst (fst r).

Definition second_axis (r : root) : nat := snd (fst r).

Definition first_sign (r : root) : bool := fst (snd r).

Definition second_sign (r : root) : bool := snd (snd r).

Definition signed (s : bool) : R := if s then 1 else -1.

Definition root_entry (r : root) (c : nat) : R :=
  signed (first_sign r) * (if c =? first_axis r then 1 else 0)
  + signed (second_sign r) * (if c =? second_axis r then 1 else 0).

Definition roots_at (b : nat) : list root :=
  flat_map (fun a => [Root a b true true; Root a b true false;
                      Root a b false true; Root a b false false]) (seq 0 b).

Definition roots (d : nat) : list root := flat_map roots_at (seq 0 d).

Definition root_key (d : nat) : matrix :=
  fun j => root_entry (nth j (roots d) (Root 0 0 true true)).

Definition code_key (l : list (list Z)) : matrix := fun j c => IZR (nth c (nth j l []) 0%Z).

(** Twice ±e_a ± e_b. *)
Definition e8_axes : list (list Z) :=
  flat_map (fun b => flat_map (fun a => map (fun st : Z * Z =>
      map (fun c => if c =? a then fst st else if c =? b then snd st else 0%Z) (seq 0 8))
    [(2, 2); (2, -2); (-2, 2); (-2, -2)]%Z) (seq 0 b)) (seq 0 8).

(** (±1, ..., ±1) with an even number of minus signs. *)
Definition e8_halves : list (list Z) :=
  map (map (fun b : bool => if b then (-1)%Z else 1%Z))
    (filter (fun x => Nat.even (length (filter (fun b => b) x))) (bitstrings 8)).

Definition e8 : list (list Z) := e8_axes ++ e8_halves.

Definition angle (n j : nat) : R := 2 * PI * INR j / INR n.

Definition polygon_key (n : nat) : matrix := fun j c =>
  match c with 0%nat => cos (angle n j) | 1%nat => sin (angle n j) | _ => 0 end.

(** ** Products of rows, values on a grid or on any levels, pairs *)

(** A_1 ⊘ A_2: row (j, l), number j n2 + l, is the entrywise product of rows j and l. *)
Definition khatri_rao (n2 : nat) (A1 A2 : matrix) : matrix :=
  fun t c => A1 (t / n2)%nat c * A2 (t mod n2)%nat c.

(** Symbol k of 0 .. L-1 stands for k / (L-1); row 0 of the values is all ones, every other entry
    is on that grid. *)
Definition level (L k : nat) : R := INR k / INR (L - 1).
Definition grid_values (L : nat) (V : matrix) : Prop :=
  (forall c, V 0%nat c = 1) /\ (forall j c, exists k, (k < L)%nat /\ V j c = level L k).

(** L levels in [0, 1] that (η, α) tells apart. *)
Definition told (eta alpha : R) (L : nat) (lev : nat -> R) : Prop :=
  (forall a, (a < L)%nat -> 0 <= lev a <= 1) /\
  (forall a, (S a < L)%nat -> 2 * alpha < (1 - eta) * lev (S a) - (1 + eta) * lev a).

(** Values on any L levels; what leaks, at a margin g among n tokens, is less than the room between
    neighbouring levels, which lie in [0, 1]. *)
Definition level_values (L : nat) (lev : nat -> R) (V : matrix) : Prop :=
  forall j c, exists s, (s < L)%nat /\ V j c = lev s.
Definition leaves_room (n : nat) (g eta alpha : R) (L : nat) (lev : nat -> R) : Prop :=
  (forall s, (s < L)%nat -> 0 <= lev s <= 1) /\
  (forall s, (S s < L)%nat -> excess (n - 1) g * (1 + eta + 2 * alpha)
     < (1 - eta) * lev (S s) - (1 + eta) * lev s - 2 * alpha).

(** The logit of the pair (i, k) is at least g above that of every other pair. *)
Definition singles_out (n1 n2 : nat) (s : nat -> nat -> R) (i k : nat) (g : R) : Prop :=
  forall j l, (j < n1)%nat -> (l < n2)%nat -> (j, l) <> (i, k) -> s i k >= s j l + g.

(** Where level k is, from 0 on, if there is the room 1 between neighbours y, z, that is if
    (1-η) z - (1+η) y = 1: the sum of κ^0 .. κ^(k-1) over 1-η, κ = (1+η)/(1-η). *)
Definition stretch (eta : R) (k : nat) : R :=
  rsum k (fun i => ((1 + eta) / (1 - eta)) ^ i) / (1 - eta).

(** L levels of equal room from 0 to 1; what is left of it when answers may be off by α. *)
Definition equal_level (eta : R) (L k : nat) : R := stretch eta k / stretch eta (L - 1).
Definition equal_room (eta alpha : R) (L : nat) : R := 1 / stretch eta (L - 1) - 2 * alpha.

(** ** Keys with payloads *)

(** The share of the first of two tied tuples whose logit is delta below that of the second. *)
Definition logistic (delta : R) : R := 1 / (1 + exp delta).

(** Queries for values and for entry e of the payloads. *)
Definition value_query (a : nat) (P : nat -> R) : nat -> R := fun c => if c <? a then P c else 0.

Definition payload_query (a : nat) (gamma : R) (T : nat -> R) (e : nat) : nat -> R := fun c =>
  if c <? a then T c else if c =? a + e then gamma else 0.

(** What stands for a level p in a key: 1 + ln(p/(1-p))/γ. *)
Definition payload (gamma p : R) : R := 1 + ln (p / (1 - p)) / gamma.

(** Order 1, keys of a + b entries, values of 1 + f. *)

(** A key is a public address of a entries, and payloads: ones in row 0, one of x in the others. *)
Definition level_key (L a : nat) (x : nat -> R) (A K : matrix) : Prop :=
  (forall j c, (c < a)%nat -> K j c = A j c) /\ (forall c, K 0%nat (a + c)%nat = 1) /\
  (forall j c, exists s, (s < L)%nat /\ K (S j) (a + c)%nat = x s).

(** A value has a mark, which is 0 in row 0 alone, and then levels. *)
Definition level_value (L : nat) (lev : nat -> R) (V : matrix) : Prop :=
  (forall j, V j 0%nat = match j with O => 0 | _ => 1 end) /\
  (forall j c, exists s, (s < L)%nat /\ V j (S c) = lev s).

(** A cache may be asked for values with the queries P, for payloads with the queries T; [right] is
    what the answer must be. *)
Definition level_guarantee (n a b f L : nat) (eta alpha gamma : R) (lev x : nat -> R) (A : matrix)
    (P T : nat -> nat -> R) (state : matrix -> matrix -> list bool) (answer : reader) : Prop :=
  forall K V, level_key L a x A K -> level_value L lev V ->
    let right q c := accurate eta alpha (answer (state K V) q c) (attention n (a + b) q K V c) in
    (forall j c, (j < n)%nat -> (c < f)%nat -> right (value_query a (P j)) (S c)) /\
    (forall j e, (0 < j < n)%nat -> (e < b)%nat -> right (payload_query a gamma (T j) e) 0%nat).
