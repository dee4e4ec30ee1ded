(** * Definitions that claims share

    Whoever trusts Coq's kernel, and reads this file and a claim's beside it, needs to read nothing
    else: every main theorem of the claim is stated there, with the definitions that only it uses.
    Each proof there only names the theorem of the claim's theory; the kernel checks that it states
    the same. Claims about given keys and symbols also share [Families.v], about randomised
    estimates [Probability.v], about gradients [Backward.v].

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

(** ** The gauge *)

(** The rows that the gauge fixes: row 0 of every slot but the first. All the others are free. *)
Definition fixed_row (slot row : nat) : bool := (0 <? slot) && (row =? 0).

(** m matrices whose fixed rows are ones. *)
Definition in_gauge (m d : nat) (Ms : list matrix) : Prop :=
  length Ms = m /\
  forall slot row c, (slot < m)%nat -> fixed_row slot row = true -> (c < d)%nat ->
    nth slot Ms ones row c = 1.

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
