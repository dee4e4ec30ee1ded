(** * S5 `entropy-dimension` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions.
From KVFloor Require EntropyDimension.
Import ListNotations.
Open Scope R_scope.

(** ** The lower side: outputs that move as coordinates do *)

(** Coordinates within ±R; what is a fraction t of the way from y to y'. *)
Definition in_box (r : nat) (Rs y : nat -> R) : Prop := forall j, (j < r)%nat -> Rabs (y j) <= Rs j.
Definition on_the_way (y y' : nat -> R) (t : R) : nat -> R := fun j => y j + t * (y' j - y j).

(** Outputs 0 .. r-1 of y have derivatives J, with Σ_j |J - I|_ij w_j <= c w_i everywhere: of
    attention, each of one query and in one column, when the inputs are θ_0 + A y. *)
Definition contracts (r : nat) (out : (nat -> R) -> nat -> R) (Rs w : nat -> R) (c : R) : Prop :=
  exists J : (nat -> R) -> nat -> nat -> R,
    (forall y y' t i, in_box r Rs y -> in_box r Rs y' -> 0 <= t <= 1 -> (i < r)%nat ->
       derivable_pt_lim (fun t => out (on_the_way y y' t) i) t
         (rsum r (fun j => J (on_the_way y y' t) i j * (y' j - y j)))) /\
    (forall y i, in_box r Rs y -> (i < r)%nat ->
       rsum r (fun j => Rabs (J y i j - (if j =? i then 1 else 0)) * w j) <= c * w i).

(** Where |y_i - y'_i|/w_i is largest, output i differs by (1-c)|y_i - y'_i| or more. *)
Theorem entropy_dimension_apart (r : nat) (out : (nat -> R) -> nat -> R) (Rs w : nat -> R) (c : R)
    (y y' : nat -> R) (i : nat) : contracts r out Rs w c ->
  (forall j, (j < r)%nat -> 0 < w j) -> in_box r Rs y -> in_box r Rs y' -> (i < r)%nat ->
  (forall j, (j < r)%nat -> Rabs (y' j - y j) / w j <= Rabs (y' i - y i) / w i) ->
  (1 - c) * Rabs (y' i - y i) <= Rabs (out y' i - out y i).
Proof. exact (EntropyDimension.entropy_dimension_apart r out Rs w c y y' i). Qed.

Section Bits.
Variables (r : nat) (out : (nat -> R) -> nat -> R) (Rs w : nat -> R) (c alpha : R) (b : nat).
Variables (state : (nat -> R) -> list bool) (answer : list bool -> nat -> R).
Hypothesis Hout : contracts r out Rs w c.
Hypothesis Hpos : forall j, (j < r)%nat -> 0 < w j /\ 0 < Rs j.
Hypothesis Halpha : 0 < alpha.
Hypothesis Hb : forall y, in_box r Rs y -> length (state y) = b.
Hypothesis Hgood : forall y i, in_box r Rs y -> (i < r)%nat ->
  Rabs (answer (state y) i - out y i) <= alpha.

(** As many states as a grid has points, with K_j - 1 < R_j (1-c)/α steps in coordinate j. *)
Theorem entropy_dimension_points (K : nat -> nat) :
  (forall j, (j < r)%nat -> (1 <= K j)%nat /\ INR (K j - 1) * alpha < Rs j * (1 - c)) ->
  rsum r (fun j => log2 (INR (K j))) <= INR b.
Proof.
  exact (EntropyDimension.entropy_dimension_points r out Rs w c alpha b state answer Hout Hpos
           Halpha Hb Hgood K).
Qed.

(** So r log₂(1/α) bits, but for a constant. *)
Theorem entropy_dimension : c < 1 ->
  INR r * log2 (1 / alpha) + rsum r (fun j => log2 (Rs j * (1 - c))) <= INR b.
Proof.
  exact (EntropyDimension.entropy_dimension r out Rs w c alpha b state answer Hout Hpos Halpha Hb
           Hgood).
Qed.
End Bits.

(** The values of a single token are outputs that are their coordinates, so c = 0: the grid has as
    many points as a cache needs states, K_j = ⌈R_j/α⌉. *)
Theorem entropy_dimension_met (d d_v : nat) (q : nat -> R) (K : matrix) (Rs : nat -> R) (alpha : R)
    (N : nat -> nat) (b : nat) : 0 < alpha ->
  (forall j, (j < d_v)%nat -> 0 < Rs j /\ Rs j / alpha <= INR (N j) < Rs j / alpha + 1) ->
  (exists (state : (nat -> R) -> list bool) (answer : list bool -> nat -> R),
     (forall y, in_box d_v Rs y -> length (state y) = b) /\
     (forall y i, in_box d_v Rs y -> (i < d_v)%nat ->
        Rabs (answer (state y) i - attention 1 d q K (fun _ => y) i) <= alpha))
  <-> rsum d_v (fun j => log2 (INR (N j))) <= INR b.
Proof. exact (EntropyDimension.entropy_dimension_met d d_v q K Rs alpha N b). Qed.

(** ** The upper side: a cache of rounded entries *)

(** A slot, a row and a column. *)
Definition spot : Type := (nat * nat * nat)%type.

(** m matrices of n rows and d columns that are F but in the free spots; entries within ±B. *)
Definition fills (m n d : nat) (F : list matrix) (free : list spot) (Ms : list matrix) : Prop :=
  length Ms = m /\ forall s j c, (s < m)%nat -> (j < n)%nat -> (c < d)%nat ->
    ~ In (s, j, c) free -> nth s Ms ones j c = nth s F ones j c.
Definition all_within (m n d : nat) (B : R) (Ms : list matrix) : Prop :=
  forall s j c, (s < m)%nat -> (j < n)%nat -> (c < d)%nat -> Rabs (nth s Ms ones j c) <= B.

(** S5, upper side: r log₂(1/α) bits and a constant, for any entries that are free. *)
Theorem entropy_dimension_upper (m n d d_v : nat) (Fk Fv : list matrix) (fk fv : list spot)
    (Bk Bv Q alpha : R) :
  (1 <= m)%nat -> (1 <= n)%nat -> 0 < Bk -> 0 < Bv -> 0 < Q -> 0 < alpha <= 1 ->
  let Ek := INR m * (Q * Bk ^ m * Bv ^ m) in
  let Ev := INR m * Bv ^ m in
  exists b (state : list matrix -> list matrix -> list bool) (answer : reader),
    INR b <= INR (length fk + length fv) * log2 (1 / alpha)
      + (INR (length fk) * log2 (2 * Ek + 2) + INR (length fv) * log2 (2 * Ev + 2) + 1) /\
    (forall Ks Vs, length (state Ks Vs) = b) /\
    (forall Ks Vs, fills m n d Fk fk Ks -> fills m n d_v Fv fv Vs ->
       all_within m n d Bk Ks -> all_within m n d_v Bv Vs ->
       forall q c, rsum d (fun e => Rabs (q e)) <= Q -> (c < d_v)%nat ->
         Rabs (answer (state Ks Vs) q c - tensor (repeat (seq 0 n) m) d q Ks Vs c) <= alpha).
Proof. exact (EntropyDimension.entropy_dimension_upper m n d d_v Fk Fv fk fv Bk Bv Q alpha). Qed.

(** So with the gauge of S3, at every order; *)
Theorem entropy_dimension_gauge (m n d d_v : nat) (Bk Bv Q alpha : R) :
  (1 <= m)%nat -> (1 <= n)%nat -> 0 < Bk -> 0 < Bv -> 0 < Q -> 0 < alpha <= 1 ->
  let Ek := INR m * (Q * Bk ^ m * Bv ^ m) in
  let Ev := INR m * Bv ^ m in
  let rows := (n + (m - 1) * (n - 1))%nat in
  exists b (state : list matrix -> list matrix -> list bool) (answer : reader),
    INR b <= INR (rows * (d + d_v)) * log2 (1 / alpha)
      + (INR (rows * d) * log2 (2 * Ek + 2) + INR (rows * d_v) * log2 (2 * Ev + 2) + 1) /\
    (forall Ks Vs, length (state Ks Vs) = b) /\
    (forall Ks Vs, in_gauge m d Ks -> in_gauge m d_v Vs ->
       all_within m n d Bk Ks -> all_within m n d_v Bv Vs ->
       forall q c, rsum d (fun e => Rabs (q e)) <= Q -> (c < d_v)%nat ->
         Rabs (answer (state Ks Vs) q c - tensor (repeat (seq 0 n) m) d q Ks Vs c) <= alpha).
Proof. exact (EntropyDimension.entropy_dimension_gauge m n d d_v Bk Bv Q alpha). Qed.

(** and at order 1, where the key of token 0 is zero. *)
Theorem entropy_dimension_order_1 (n d d_v : nat) (Bk Bv Q alpha : R) :
  (1 <= n)%nat -> 0 < Bk -> 0 < Bv -> 0 < Q -> 0 < alpha <= 1 ->
  exists b (state : matrix -> matrix -> list bool) (answer : reader),
    INR b <= INR ((n - 1) * d + n * d_v) * log2 (1 / alpha)
      + (INR ((n - 1) * d) * log2 (2 * (Q * Bk * Bv) + 2)
         + INR (n * d_v) * log2 (2 * Bv + 2) + 1) /\
    (forall K V, length (state K V) = b) /\
    (forall K V, (forall c, (c < d)%nat -> K 0%nat c = 0) ->
       (forall j c, (j < n)%nat -> (c < d)%nat -> Rabs (K j c) <= Bk) ->
       (forall j c, (j < n)%nat -> (c < d_v)%nat -> Rabs (V j c) <= Bv) ->
       forall q c, rsum d (fun e => Rabs (q e)) <= Q -> (c < d_v)%nat ->
         Rabs (answer (state K V) q c - attention n d q K V c) <= alpha).
Proof. exact (EntropyDimension.entropy_dimension_order_1 n d d_v Bk Bv Q alpha). Qed.
