(** * Definitions that claims share

    Whoever trusts Coq's kernel, and reads this file and a claim's beside it, needs to read nothing
    else: every main theorem of the claim is stated there, with the definitions that only it uses.
    Each proof there only names the theorem of the claim's theory; the kernel checks that it states
    the same. Claims about randomised estimates also share [Probability.v], claims about gradients
    [Backward.v].

    From Coq's library come the natural numbers [nat], lists, the real numbers [R] with [exp] and
    [ln] (where ln x = 0 for x <= 0), [INR : nat -> R], and [Nat.testbit i c], bit c of i. Natural
    subtraction stops at 0. Matrices are functions of a row and a column, strings of bits are lists
    of booleans. Only T3 and E3 are about programs, whose definitions are a file of their own,
    [foundations/Programs.v]. *)
From Coq Require Import Reals ZArith List Arith Bool.
Import ListNotations.
Open Scope R_scope.

(** ** Sums *)

(** f 0 + f 1 + ... + f (n-1). *)
Fixpoint rsum (n : nat) (f : nat -> R) : R :=
  match n with
  | O => 0
  | S k => rsum k f + f k
  end.

(** The sum of f over a list. *)
Fixpoint lsum {A} (f : A -> R) (l : list A) : R :=
  match l with
  | nil => 0
  | a :: l' => f a + lsum f l'
  end.

(** ** D1: attention. The scale σ is part of the query, which is any vector. *)

(** Weight of tuple j among n tuples with logits s. *)
Definition weight (n : nat) (s : nat -> R) (j : nat) : R :=
  exp (s j) / rsum n (fun l => exp (s l)).

(** One column of the output: the weighted mean of the values v. *)
Definition output (n : nat) (s v : nat -> R) : R := rsum n (fun j => weight n s j * v j).

(** The logit of tuple i is at least g above every other. *)
Definition margin (n : nat) (s : nat -> R) (i : nat) (g : R) : Prop :=
  forall j, (j < n)%nat -> j <> i -> s i >= s j + g.

(** λ = E / (1 + E) with E = M exp(-g): the most that M competitors can weigh. *)
Definition excess (M : nat) (g : R) : R := INR M * exp (- g).
Definition leak (M : nat) (g : R) : R := excess M g / (1 + excess M g).

(** How many members of l satisfy p; competitors for each tied tuple, the tied tuples being those
    that [top] chooses. *)
Definition number {A} (p : A -> bool) (l : list A) : R := INR (length (filter p l)).
Definition competitors {A} (top : A -> bool) (l : list A) : R :=
  number (fun t => negb (top t)) l / number top l.

(** λ for c competitors for each tied tuple. *)
Definition leak_of (c g : R) : R := c * exp (- g) / (1 + c * exp (- g)).

(** The tied tuples share the logit S, all others lie at least g lower. *)
Definition singled_out {A} (l : list A) (s : A -> R) (top : A -> bool) (S g : R) : Prop :=
  forall t, In t l -> if top t then s t = S else s t <= S - g.

Definition matrix := nat -> nat -> R.
Definition ones : matrix := fun _ _ => 1.

(** Order 1: the logit of row j, and column c of the output. *)
Definition logit (d : nat) (q : nat -> R) (K : matrix) (j : nat) : R :=
  rsum d (fun c => q c * K j c).
Definition attention (n d : nat) (q : nat -> R) (K V : matrix) (c : nat) : R :=
  output n (logit d q K) (fun j => V j c).

(** Order 2: logit and weight of the pair (j, l), and column c of the output. *)
Definition logit2 (d : nat) (q : nat -> R) (K1 K2 : matrix) (j l : nat) : R :=
  rsum d (fun c => q c * K1 j c * K2 l c).
Definition weight2 (n1 n2 : nat) (s : nat -> nat -> R) (j l : nat) : R :=
  exp (s j l) / rsum n1 (fun j' => rsum n2 (fun l' => exp (s j' l'))).
Definition attention2 (n1 n2 d : nat) (q : nat -> R) (K1 K2 V1 V2 : matrix) (c : nat) : R :=
  rsum n1 (fun j => rsum n2 (fun l =>
    weight2 n1 n2 (logit2 d q K1 K2) j l * V1 j c * V2 l c)).

(** Order m: all tuples with one index from each slot; column c of the entrywise product of the
    rows that a tuple names; its logit. *)
Fixpoint tuples (slots : list (list nat)) : list (list nat) :=
  match slots with
  | [] => [[]]
  | js :: rest => flat_map (fun j => map (cons j) (tuples rest)) js
  end.
Fixpoint row_product (Ms : list matrix) (t : list nat) (c : nat) : R :=
  match Ms, t with
  | M :: Ms', j :: t' => M j c * row_product Ms' t' c
  | _, _ => 1
  end.
Definition tuple_logit (d : nat) (q : nat -> R) (Ks : list matrix) (t : list nat) : R :=
  rsum d (fun c => q c * row_product Ks t c).

(** Weight of t among the members of l with logits s; output with values v. *)
Definition tuple_weight {A} (l : list A) (s : A -> R) (t : A) : R :=
  exp (s t) / lsum (fun t' => exp (s t')) l.
Definition tuple_output {A} (l : list A) (s v : A -> R) : R :=
  lsum (fun t => tuple_weight l s t * v t) l.

(** Tensor attention of order [length Ks] to the tokens listed in each slot. *)
Definition tensor (slots : list (list nat)) (d : nat) (q : nat -> R)
    (Ks Vs : list matrix) (c : nat) : R :=
  tuple_output (tuples slots) (tuple_logit d q Ks) (fun t => row_product Vs t c).

(** ** D4: guarantees *)

(** The guarantee (η, α): the answer o is off by at most η |out| + α. *)
Definition accurate (eta alpha o out : R) : Prop := Rabs (o - out) <= eta * Rabs out + alpha.

(** 1 if the answer is not accurate, 0 if it is. *)
Definition failure (eta alpha o out : R) : R :=
  if Rle_dec (Rabs (o - out)) (eta * Rabs out + alpha) then 0 else 1.

(** A cache answers from its state (bits), a query and a column. *)
Definition reader := list bool -> (nat -> R) -> nat -> R.

(** Public coins: outcome r < T has probability w r. *)
Definition distribution (T : nat) (w : nat -> R) : Prop :=
  (forall r, (r < T)%nat -> 0 <= w r) /\ rsum T w = 1.

(** The value that stands for a bit; matrices of such values. *)
Definition bitval (b : bool) : R := if b then 1 else 0.
Definition zero_one (V : matrix) : Prop := forall j c, V j c = 0 \/ V j c = 1.

(** Guarantees that say anything about a bit; the leak must be below, the margin above these. *)
Definition guarantee (eta alpha : R) : Prop := 0 <= eta /\ 0 <= alpha /\ eta + 2 * alpha < 1.
Definition leak_limit (eta alpha : R) : R := (1 - eta) / 2 - alpha.
Definition margin_limit (c eta alpha : R) : R :=
  ln (c * (1 + eta + 2 * alpha) / (1 - eta - 2 * alpha)).

(** ** Entropy, in bits; strings of bits *)

(** H₂(p) = -(p log₂ p + (1-p) log₂(1-p)), 0 at 0 and at 1. *)
Definition log2 (x : R) : R := ln x / ln 2.
Definition H2 (p : R) : R := - (p * log2 p + (1 - p) * log2 (1 - p)).

(** All bit strings of length N. *)
Fixpoint bitstrings (N : nat) : list (list bool) :=
  match N with
  | O => nil :: nil
  | S k => map (cons false) (bitstrings k) ++ map (cons true) (bitstrings k)
  end.

(** ** What a cache of so many bits can serve *)

(** The true output, from the query, the values and the column. *)
Definition outputs := (nat -> R) -> matrix -> nat -> R.

(** Some cache of at most b bits answers each of the n queries [Q i] within (η, α), in each of
    d_v columns, whatever the 0/1 values. *)
Definition serves (n d_v : nat) (eta alpha : R) (out : outputs) (Q : nat -> nat -> R)
    (b : nat) : Prop :=
  exists (state : matrix -> list bool) (answer : reader),
    (forall V, zero_one V -> (length (state V) <= b)%nat) /\
    (forall V i c, zero_one V -> (i < n)%nat -> (c < d_v)%nat ->
       accurate eta alpha (answer (state V) (Q i) c) (out (Q i) V c)).

(** With public coins, and states of exactly b bits: each answer is inaccurate with probability at
    most δ. *)
Definition serves_randomized (n d_v : nat) (eta alpha delta : R) (out : outputs)
    (Q : nat -> nat -> R) (b : nat) : Prop :=
  exists T w (state : nat -> matrix -> list bool) (answer : nat -> reader),
    distribution T w /\
    (forall r V, zero_one V -> length (state r V) = b) /\
    (forall V i c, zero_one V -> (i < n)%nat -> (c < d_v)%nat ->
       rsum T (fun r => w r * failure eta alpha (answer r (state r V) (Q i) c) (out (Q i) V c))
         <= delta).

(** M in the first of m slots, ones in the others; attention of order m to the n tokens from
    token a on, in each slot. *)
Definition first_slot (m : nat) (M : matrix) : list matrix := M :: repeat ones (m - 1).
Definition order_out (a n m d : nat) (K : matrix) : outputs := fun q V c =>
  tensor (repeat (seq a n) m) d q (first_slot m K) (first_slot m V) c.

(** The least b such that states of up to b bits serve is exactly n d_v; and a randomised cache
    that fails with probability at most δ, with states of exactly b bits, has
    b >= (1 - H₂(δ)) n d_v. *)
Definition exact_floor (n m d d_v : nat) (eta alpha : R) (K : matrix) (Q : nat -> nat -> R)
    : Prop :=
  (forall b, serves n d_v eta alpha (order_out 0 n m d K) Q b <-> (n * d_v <= b)%nat) /\
  (forall delta b, 0 <= delta <= 1 / 2 ->
     serves_randomized n d_v eta alpha delta (order_out 0 n m d K) Q b ->
     (1 - H2 delta) * INR (n * d_v) <= INR b).

(** Query i singles out token a + i among the tokens a .. a+n-1. *)
Definition window_margin (a n d : nat) (K : matrix) (Q : nat -> nat -> R) (g : R) : Prop :=
  forall i j, (i < n)%nat -> (a <= j < a + n)%nat -> j <> (a + i)%nat ->
    logit d (Q i) K (a + i) >= logit d (Q i) K j + g.

(** Attention of order m to the last W of n tokens, in every slot. *)
Definition window_out (n W m d : nat) (K : matrix) : outputs := order_out (n - W) W m d K.

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

(** ** Vectors *)

Definition vector := nat -> R.

(** ‖x‖₂ *)
Definition norm (d : nat) (x : vector) : R := sqrt (rsum d (fun c => x c * x c)).

(** ‖x‖_∞ *)
Fixpoint norm_sup (d : nat) (x : vector) : R :=
  match d with O => 0 | S k => Rmax (norm_sup k x) (Rabs (x k)) end.

Definition sub (x y : vector) : vector := fun c => x c - y c.

Definition mul (x y : vector) : vector := fun c => x c * y c.

Definition inner_product (d : nat) (q k : vector) : R := rsum d (fun c => q c * k c).

(** The points of S are within delta of the m centres listed. *)
Definition clusters (d : nat) (S : vector -> Prop) (centres : list vector) (delta : R) : Prop :=
  forall x, S x -> exists z, In z centres /\ norm d (sub x z) <= delta.

(** (m, delta)-clusterable: within delta of m of its own points. *)
Definition clusterable (d : nat) (S : vector -> Prop) (m : nat) (delta : R) : Prop :=
  exists centres, length centres = m /\ (forall z, In z centres -> S z) /\
    clusters d S centres delta.

Definition products (S1 S2 : vector -> Prop) : vector -> Prop :=
  fun x => exists k l, S1 k /\ S2 l /\ x = mul k l.

(** ** Exponentials, enclosures *)

(** A quotient of two integers. *)
Definition rational (x : R) : Prop := exists a b : Z, (0 < b)%Z /\ x = IZR a / IZR b.

(** a √d + b √e with rational a and b: for d = e = 1 the rational numbers. *)
Definition with_roots (d e : nat) (x : R) : Prop :=
  exists a b, rational a /\ rational b /\ x = a * sqrt (INR d) + b * sqrt (INR e).

(** The sum of f over the terms whose exponent is t. *)
Definition group (n : nat) (s f : nat -> R) (t : R) : R :=
  rsum n (fun j => if Req_EM_T (s j) t then f j else 0).

(** How many tuples have the logit t. *)
Definition multiplicity (n : nat) (s : nat -> R) (t : R) : R := group n s (fun _ => 1) t.

(** Enclosures lo p <= y <= hi p whose widths tend to 0. *)
Definition encloses (lo hi : nat -> R) (y : R) : Prop :=
  (forall p, lo p <= y <= hi p) /\
  (forall width, 0 < width -> exists p0, forall p, (p0 <= p)%nat -> hi p - lo p < width).
