(** The main theorems, with every definition written out: whoever trusts Coq's kernel and this
    file's statements needs to read nothing else. Each proof only names the theorem of the claim's
    theory; the kernel checks that it states the same.

    From Coq's library come the natural numbers [nat], lists, the real numbers [R] with [exp] and
    [ln] (where ln x = 0 for x <= 0), [INR : nat -> R], and [Nat.testbit i c], bit c of i. Natural
    subtraction stops at 0. Matrices are functions of a row and a column, strings of bits are lists
    of booleans. Only T3, at the end, counts programs, whose definitions are a file of their own,
    [foundations/Programs.v]. *)
From Coq Require Import Reals ZArith List Arith Bool.
From KVFloor Require
  Collision CollisionRandom CorrectRoundingTerminates CoveringNumber DecodeThreshold ExactEquality
  ForwardError FourCache FourCacheKeys FourCacheOrder FourCacheStream Identifiability
  IndexDeterministic IndexOneBit IndexRandomized Keys KeysCodes KeysInner KeysSignTuples
  KeysTuples LowDimension NormDimension QuantisedUpperBound RandomInstanceFails SharpFloor
  SignKeys SlidingWindow SoftmaxConcentration Subgen SubgenFourCache TimeMemory TwoCache
  ValueFloor.
Import ListNotations.
Open Scope R_scope.

(** * Definitions *)

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

(** The unstructured model of the two-cache: any value W j l c for the pair (j, l). *)
Definition pair_values := nat -> nat -> nat -> R.
Definition pair_attention (n1 n2 d : nat) (q : nat -> R)
    (K1 K2 : matrix) (W : pair_values) (c : nat) : R :=
  rsum n1 (fun j => rsum n2 (fun l => weight2 n1 n2 (logit2 d q K1 K2) j l * W j l c)).

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

(** The value that stands for a bit; matrices, and values of pairs, of such values. *)
Definition bitval (b : bool) : R := if b then 1 else 0.
Definition zero_one (V : matrix) : Prop := forall j c, V j c = 0 \/ V j c = 1.
Definition pair_zero_one (W : pair_values) : Prop := forall j l c, W j l c = 0 \/ W j l c = 1.

(** * L1 `softmax-concentration` *)

(** The top tuple weighs at least 1 - λ. *)
Theorem softmax_concentration (n : nat) (s : nat -> R) (i : nat) (g : R) :
  (i < n)%nat -> margin n s i g ->
  weight n s i >= 1 - leak (n - 1) g.
Proof. exact (SoftmaxConcentration.softmax_concentration n s i g). Qed.

(** All other tuples together weigh at most λ. *)
Theorem softmax_concentration_rest (n : nat) (s : nat -> R) (i : nat) (g : R) :
  (i < n)%nat -> margin n s i g ->
  rsum n (fun j => if Nat.eqb j i then 0 else weight n s j) <= leak (n - 1) g.
Proof. exact (SoftmaxConcentration.softmax_concentration_rest n s i g). Qed.

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

(** Total weight of the tuples chosen by p. *)
Definition mass {A} (l : list A) (s : A -> R) (p : A -> bool) : R :=
  lsum (fun t => if p t then tuple_weight l s t else 0) l.

(** Tied tuples together weigh at least 1 - λ. *)
Theorem softmax_concentration_ties {A} (l : list A) (s : A -> R) (top : A -> bool) (S g : R) :
  0 < number top l -> singled_out l s top S g ->
  mass l s top >= 1 - leak_of (competitors top l) g.
Proof. exact (SoftmaxConcentration.softmax_concentration_ties l s top S g). Qed.

(** They weigh exactly 1 - λ if and only if every competitor lies exactly g lower. *)
Theorem softmax_concentration_equality {A} (l : list A) (s : A -> R) (top : A -> bool) (S g : R) :
  0 < number top l -> singled_out l s top S g ->
  mass l s top = 1 - leak_of (competitors top l) g
    <-> (forall t, In t l -> top t = false -> s t = S - g).
Proof. exact (SoftmaxConcentration.softmax_concentration_equality l s top S g). Qed.

(** The output is as near to the common value of the tied tuples as λ (max - min). *)
Theorem softmax_concentration_output {A} (l : list A) (s : A -> R) (top : A -> bool) (S g : R) :
  0 < number top l -> singled_out l s top S g ->
  forall (v : A -> R) (v0 lo hi : R),
    (forall t, In t l -> lo <= v t <= hi) ->
    (forall t, In t l -> top t = true -> v t = v0) ->
    Rabs (tuple_output l s v - v0) <= leak_of (competitors top l) g * (hi - lo).
Proof. exact (SoftmaxConcentration.softmax_concentration_output l s top S g). Qed.

(** * L2 `decode-threshold` *)

(** θ = (1 - η²)/2 - ηα parts the answers to 0 from those to 1. *)
Definition threshold (eta alpha : R) : R := (1 - eta * eta) / 2 - eta * alpha.

(** M(1+η+2α)/(1-η-2α). *)
Definition margin_ratio (eta alpha : R) (M : nat) : R :=
  INR M * (1 + eta + 2 * alpha) / (1 - eta - 2 * alpha).

(** With λ < (1-η)/2 - α, an accurate answer tells the bit of the tuple asked for. *)
Theorem decode_threshold (n : nat) (s : nat -> R) (v : nat -> bool) (i : nat) (g eta alpha o : R) :
  (i < n)%nat -> margin n s i g -> 0 <= eta < 1 -> 0 <= alpha ->
  leak (n - 1) g < (1 - eta) / 2 - alpha ->
  accurate eta alpha o (output n s (fun j => bitval (v j))) ->
  o >= threshold eta alpha <-> v i = true.
Proof. exact (DecodeThreshold.decode_threshold n s v i g eta alpha o). Qed.

(** The condition on the leak is one on the margin: g > ln(M(1+η+2α)/(1-η-2α)). *)
Theorem decode_threshold_margin (M : nat) (g eta alpha : R) :
  0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 -> (1 <= M)%nat ->
  g > ln (margin_ratio eta alpha M) <-> leak M g < (1 - eta) / 2 - alpha.
Proof. exact (DecodeThreshold.decode_threshold_margin M g eta alpha). Qed.

(** Guarantees that say anything about a bit; the leak must be below, the margin above these. *)
Definition guarantee (eta alpha : R) : Prop := 0 <= eta /\ 0 <= alpha /\ eta + 2 * alpha < 1.
Definition leak_limit (eta alpha : R) : R := (1 - eta) / 2 - alpha.
Definition margin_limit (c eta alpha : R) : R :=
  ln (c * (1 + eta + 2 * alpha) / (1 - eta - 2 * alpha)).

(** With ties, and any set of tuples: an accurate answer lies above θ if the bit of the tied tuples
    is 1, and below if it is 0. *)
Theorem decode_threshold_ties {A} (l : list A) (s : A -> R) (top : A -> bool) (S g : R)
    (v : A -> R) (bit : bool) (eta alpha o : R) :
  guarantee eta alpha -> 0 < number top l -> singled_out l s top S g ->
  leak_of (competitors top l) g < leak_limit eta alpha ->
  (forall t, In t l -> 0 <= v t <= 1) ->
  (forall t, In t l -> top t = true -> v t = bitval bit) ->
  accurate eta alpha o (tuple_output l s v) ->
  if bit then o > threshold eta alpha else o < threshold eta alpha.
Proof. exact (DecodeThreshold.decode_threshold_ties l s top S g v bit eta alpha o). Qed.

(** A reader f knows the logits and sees one accurate answer. It serves margin g among T tied
    tuples and M others if it always finds the bit that the tied tuples hold. *)
Definition reads_bits (T M : nat) (g eta alpha : R) (f : (nat -> R) -> R -> bool) : Prop :=
  forall (s : nat -> R) (v : nat -> bool) S bit o,
    let l := seq 0 (T + M) in
    let top t := (t <? T)%nat in
    singled_out l s top S g ->
    (forall t, In t l -> top t = true -> v t = bit) ->
    accurate eta alpha o (tuple_output l s (fun t => bitval (v t))) ->
    f s o = bit.

(** Bits can be read exactly when the margin exceeds the limit: no reader serves a smaller one. *)
Theorem decode_threshold_exactly_when (T M : nat) (g eta alpha : R) :
  guarantee eta alpha -> (1 <= T)%nat -> (1 <= M)%nat ->
  (exists f, reads_bits T M g eta alpha f) <-> g > margin_limit (INR M / INR T) eta alpha.
Proof. exact (DecodeThreshold.decode_threshold_exactly_when T M g eta alpha). Qed.

(** * L3 `index-deterministic` *)

(** Fewer than N bits confuse two of the N-bit strings. *)
Theorem index_deterministic_collision (N b : nat) (c : list bool -> list bool) :
  (b < N)%nat -> (forall x, length x = N -> (length (c x) <= b)%nat) ->
  exists x x', length x = N /\ length x' = N /\ x <> x' /\ c x = c x'.
Proof. exact (IndexDeterministic.index_deterministic_collision N b c). Qed.

(** Messages of at most b bits from which every bit of every N-bit string can be read have
    b >= N. *)
Theorem index_deterministic (N b : nat)
    (enc : list bool -> list bool) (dec : list bool -> nat -> bool) :
  (forall x, length x = N -> (length (enc x) <= b)%nat) ->
  (forall x i, length x = N -> (i < N)%nat -> dec (enc x) i = nth i x false) ->
  (N <= b)%nat.
Proof. exact (IndexDeterministic.index_deterministic N b enc dec). Qed.

(** N bits are enough. *)
Theorem index_deterministic_met (N : nat) :
  exists (enc : list bool -> list bool) (dec : list bool -> nat -> bool),
    (forall x, length x = N -> (length (enc x) <= N)%nat) /\
    (forall x i, length x = N -> (i < N)%nat -> dec (enc x) i = nth i x false).
Proof. exact (IndexDeterministic.index_deterministic_met N). Qed.

(** * L4 `index-randomized` *)

(** H₂(p) = -(p log₂ p + (1-p) log₂(1-p)), 0 at 0 and at 1. *)
Definition log2 (x : R) : R := ln x / ln 2.
Definition H2 (p : R) : R := - (p * log2 p + (1 - p) * log2 (1 - p)).

(** 1 if the guess is wrong, 0 if it is right; the probability that bit i of x is decoded
    wrongly. *)
Definition wrong (guess truth : bool) : R := if Bool.eqb guess truth then 0 else 1.
Definition error_prob (T : nat) (w : nat -> R)
    (enc : nat -> list bool -> list bool) (dec : nat -> list bool -> nat -> bool)
    (x : list bool) (i : nat) : R :=
  rsum T (fun r => w r * wrong (dec r (enc r x) i) (nth i x false)).

(** All bit strings of length N. *)
Fixpoint bitstrings (N : nat) : list (list bool) :=
  match N with
  | O => nil :: nil
  | S k => map (cons false) (bitstrings k) ++ map (cons true) (bitstrings k)
  end.

(** If every bit of every string is decoded with error probability at most δ from messages of
    exactly b bits, then (1 - H₂(δ)) N <= b. *)
Theorem index_randomized (T : nat) (w : nat -> R) (N b : nat)
    (enc : nat -> list bool -> list bool) (dec : nat -> list bool -> nat -> bool) (delta : R) :
  distribution T w -> 0 <= delta <= 1 / 2 ->
  (forall r x, (r < T)%nat -> length x = N -> length (enc r x) = b) ->
  (forall x i, length x = N -> (i < N)%nat -> error_prob T w enc dec x i <= delta) ->
  (1 - H2 delta) * INR N <= INR b.
Proof. exact (IndexRandomized.index_randomized T w N b enc dec delta). Qed.

(** It is enough that the error probability is at most δ on average over strings and positions. *)
Theorem index_randomized_average (T : nat) (w : nat -> R) (N b : nat)
    (enc : nat -> list bool -> list bool) (dec : nat -> list bool -> nat -> bool) (delta : R) :
  distribution T w -> 0 <= delta <= 1 / 2 ->
  (forall r x, (r < T)%nat -> length x = N -> length (enc r x) = b) ->
  lsum (fun x => rsum N (fun i => error_prob T w enc dec x i)) (bitstrings N)
    <= delta * (INR N * 2 ^ N) ->
  (1 - H2 delta) * INR N <= INR b.
Proof. exact (IndexRandomized.index_randomized_average T w N b enc dec delta). Qed.

(** With messages of up to b bits, b + 1 stands for b: that costs at most one bit. *)
Theorem index_randomized_up_to (T : nat) (w : nat -> R) (N b : nat)
    (enc : nat -> list bool -> list bool) (dec : nat -> list bool -> nat -> bool) (delta : R) :
  distribution T w -> 0 <= delta <= 1 / 2 ->
  (forall r x, (r < T)%nat -> length x = N -> (length (enc r x) <= b)%nat) ->
  (forall x i, length x = N -> (i < N)%nat -> error_prob T w enc dec x i <= delta) ->
  (1 - H2 delta) * INR N <= INR (b + 1).
Proof. exact (IndexRandomized.index_randomized_up_to T w N b enc dec delta). Qed.

(** At the paper's δ = 1/10: 0.531 N. *)
Theorem index_randomized_tenth (T : nat) (w : nat -> R) (N b : nat)
    (enc : nat -> list bool -> list bool) (dec : nat -> list bool -> nat -> bool) :
  distribution T w ->
  (forall r x, (r < T)%nat -> length x = N -> length (enc r x) = b) ->
  (forall x i, length x = N -> (i < N)%nat -> error_prob T w enc dec x i <= 1 / 10) ->
  531 / 1000 * INR N <= INR b.
Proof. exact (IndexRandomized.index_randomized_tenth T w N b enc dec). Qed.

(** N bits are enough, without error. *)
Theorem index_randomized_met (N : nat) :
  exists T w (enc : nat -> list bool -> list bool) (dec : nat -> list bool -> nat -> bool),
    distribution T w /\
    (forall r x, (r < T)%nat -> length x = N -> length (enc r x) = N) /\
    (forall x i, length x = N -> (i < N)%nat -> error_prob T w enc dec x i = 0).
Proof. exact (IndexRandomized.index_randomized_met N). Qed.

(** ** One bit: the best mean success is 1/2 + C(N-1, ⌊(N-1)/2⌋) / 2^N *)

(** Binomial coefficients, by Pascal's rule. *)
Fixpoint binom (n k : nat) : nat :=
  match n, k with
  | _, O => 1
  | O, S _ => 0
  | S n', S k' => binom n' k' + binom n' k
  end.

(** Number of strings and positions at which Bob is right. *)
Definition right_answers (N : nat) (enc : list bool -> bool) (dec : bool -> nat -> bool) : R :=
  lsum (fun x => rsum N (fun i => 1 - wrong (dec (enc x) i) (nth i x false))) (bitstrings N).

(** No one-bit protocol for N + 1 bits is right more often. *)
Theorem index_randomized_one_bit (N : nat) (enc : list bool -> bool) (dec : bool -> nat -> bool) :
  right_answers (S N) enc dec
    <= INR (S N) * 2 ^ S N * (1 / 2 + INR (binom N (N / 2)) / 2 ^ S N).
Proof. exact (IndexOneBit.index_randomized_one_bit N enc dec). Qed.

(** Sending the majority is right exactly as often. *)
Theorem index_randomized_one_bit_met (N : nat) : exists enc dec,
  right_answers (S N) enc dec
    = INR (S N) * 2 ^ S N * (1 / 2 + INR (binom N (N / 2)) / 2 ^ S N).
Proof. exact (IndexOneBit.index_randomized_one_bit_met N). Qed.

(** * L5 `keys` *)

(** Key j = (j, -j^2, 0, ..., 0);  query i = C (2i, 1, 0, ..., 0). *)
Definition parabola_key : matrix := fun j c =>
  match c with 0%nat => INR j | 1%nat => - (INR j * INR j) | _ => 0 end.
Definition parabola_query (C : R) (i : nat) : nat -> R := fun c =>
  match c with 0%nat => C * (2 * INR i) | 1%nat => C | _ => 0 end.

(** Parabola keys have margin C in two dimensions or more, for any number of tokens. *)
Theorem keys_parabola (n d : nat) (C : R) (i : nat) :
  (2 <= d)%nat -> 0 <= C ->
  margin n (logit d (parabola_query C i) parabola_key) i C.
Proof. exact (Keys.keys_parabola n d C i). Qed.

(** Key j is the d-digit binary code of j written with -1 and 1;  query i = C key i. *)
Definition binary_key : matrix := fun j c => if Nat.testbit j c then 1 else -1.
Definition binary_query (C : R) (i : nat) : nat -> R := fun c => C * binary_key i c.
Definition sign_matrix (K : matrix) : Prop := forall j c, K j c = 1 \/ K j c = -1.

(** Binary keys have margin 2C as soon as n <= 2^d. *)
Theorem keys_binary (n d : nat) (C : R) (i : nat) :
  (n <= 2 ^ d)%nat -> (i < n)%nat -> 0 <= C ->
  margin n (logit d (binary_query C i) binary_key) i (2 * C).
Proof. exact (Keys.keys_binary n d C i). Qed.

(** K1[j] = (j, -j^2, 1, 1, 0, ...) and K2[l] = (1, 1, l, -l^2, 0, ...). *)
Definition pair_key1 : matrix := fun j c =>
  match c with
  | 0%nat => INR j | 1%nat => - (INR j * INR j) | 2%nat | 3%nat => 1 | _ => 0
  end.
Definition pair_key2 : matrix := fun l c =>
  match c with
  | 0%nat | 1%nat => 1 | 2%nat => INR l | 3%nat => - (INR l * INR l) | _ => 0
  end.
Definition pair_query (C : R) (i k : nat) : nat -> R := fun c =>
  match c with
  | 0%nat => C * (2 * INR i) | 1%nat => C | 2%nat => C * (2 * INR k) | 3%nat => C | _ => 0
  end.

(** Every pair (a / n2, a mod n2) has margin C over all other pairs, in four dimensions or more. *)
Theorem keys_parabola_pairs (n1 n2 d : nat) (C : R) (a : nat) :
  (4 <= d)%nat -> 0 <= C ->
  margin (n1 * n2)
    (fun a' => logit2 d (pair_query C (a / n2) (a mod n2)) pair_key1 pair_key2
                        (a' / n2) (a' mod n2)) a C.
Proof. exact (Keys.keys_parabola_pairs n1 n2 d C a). Qed.

(** ** Address books from inner products *)

(** An address book: query i exceeds every other key, and a key of zeros, by g. *)
Definition address_book (n d : nat) (K : matrix) (Q : nat -> nat -> R) (g : R) : Prop :=
  forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g /\ logit d (Q i) K i >= g.

(** Inner product of keys i and j. *)
Definition dot (d : nat) (K : matrix) (i j : nat) : R := rsum d (fun c => K i c * K j c).

(** Query i = C key i. *)
Definition key_query (C : R) (K : matrix) (i : nat) : nat -> R := fun c => C * K i c.

(** Keys of squared norm s with inner products of at most p: margin C (s - p). *)
Theorem keys_inner_margin (n d : nat) (K : matrix) (C s p : R) (i : nat) :
  0 <= C -> dot d K i i = s ->
  (forall j, (j < n)%nat -> j <> i -> dot d K i j <= p) ->
  margin n (logit d (key_query C K i) K) i (C * (s - p)).
Proof. exact (KeysInner.keys_inner_margin n d K C s p i). Qed.

(** Over a key of zeros too, if p is not negative. *)
Theorem keys_inner (n d : nat) (K : matrix) (C s p : R) :
  0 <= C -> 0 <= p ->
  (forall i, (i < n)%nat -> dot d K i i = s) ->
  (forall i j, (i < n)%nat -> (j < n)%nat -> j <> i -> dot d K i j <= p) ->
  address_book n d K (key_query C K) (C * (s - p)).
Proof. exact (KeysInner.keys_inner n d K C s p). Qed.

(** Unit vectors at pairwise cosines of at most c: queries of norm ρ have margin ρ (1 - c). *)
Theorem keys_spherical (n d : nat) (K : matrix) (rho c : R) :
  0 <= rho ->
  (forall i, (i < n)%nat -> dot d K i i = 1) ->
  (forall i j, (i < n)%nat -> (j < n)%nat -> j <> i -> dot d K i j <= c) ->
  (forall i, (i < n)%nat -> margin n (logit d (key_query rho K i) K) i (rho * (1 - c))) /\
  (forall i, (i < n)%nat ->
     rsum d (fun e => key_query rho K i e * key_query rho K i e) = rho * rho /\
     logit d (key_query rho K i) K i = rho).
Proof. exact (KeysInner.keys_spherical n d K rho c). Qed.

Definition unit_key : matrix := fun j c => if c =? j then 1 else 0.

(** n orthonormal keys in n dimensions or more have margin C. *)
Theorem keys_orthonormal (n d : nat) (C : R) :
  (n <= d)%nat -> 0 <= C -> address_book n d unit_key (key_query C unit_key) C.
Proof. exact (KeysInner.keys_orthonormal n d C). Qed.

(** Key j is the axis j / 2, with the sign of the parity of j. *)
Definition sign_of (j : nat) : R := if Nat.even j then 1 else -1.

Definition axis_key : matrix := fun j c => sign_of j * (if c =? j / 2 then 1 else 0).

(** 2d signed axes have margin C. *)
Theorem keys_signed_axes (n d : nat) (C : R) :
  (n <= 2 * d)%nat -> 0 <= C -> address_book n d axis_key (key_query C axis_key) C.
Proof. exact (KeysInner.keys_signed_axes n d C). Qed.

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

(** 2d(d-1) roots of D_d, of squared norm 2, have margin C. *)
Theorem keys_roots_d (n d : nat) (C : R) :
  (n <= 2 * d * (d - 1))%nat -> 0 <= C ->
  address_book n d (root_key d) (key_query C (root_key d)) C.
Proof. exact (KeysInner.keys_roots_d n d C). Qed.

(** Parabola keys (j, -j²) for j = 1 .. n. *)
Definition parabola_key_1 : matrix := fun j => parabola_key (S j).

Definition parabola_query_1 (C : R) (i : nat) : nat -> R := parabola_query C (S i).

Theorem keys_parabola_book (n d : nat) (C : R) :
  (2 <= d)%nat -> 0 <= C -> address_book n d parabola_key_1 (parabola_query_1 C) C.
Proof. exact (KeysInner.keys_parabola_book n d C). Qed.

(** Binary keys in two dimensions or more. *)
Theorem keys_binary_book (n d : nat) (C : R) :
  (n <= 2 ^ d)%nat -> (2 <= d)%nat -> 0 <= C ->
  address_book n d binary_key (binary_query C) (2 * C).
Proof. exact (KeysInner.keys_binary_book n d C). Qed.

Fixpoint zdot (v w : list Z) : Z :=
  match v, w with a :: v', b :: w' => (a * b + zdot v' w')%Z | _, _ => 0%Z end.

(** Every word has squared norm s, and any two have an inner product of at most p. *)
Fixpoint code_ok (s p : Z) (l : list (list Z)) : bool :=
  match l with
  | [] => true
  | v :: l' => ((zdot v v =? s) && forallb (fun w => zdot v w <=? p) l' && code_ok s p l')%Z
  end.

Definition code_key (l : list (list Z)) : matrix := fun j c => IZR (nth c (nth j l []) 0%Z).

(** A code that passes the check is an address book of margin C (s - p). *)
Theorem keys_integer_code (n d : nat) (C : R) (s p : Z) (l : list (list Z)) :
  code_ok s p l = true -> (0 <= p)%Z -> (forall v, In v l -> (length v <= d)%nat) ->
  (n <= length l)%nat -> 0 <= C ->
  address_book n d (code_key l) (key_query C (code_key l)) (C * IZR (s - p)).
Proof. exact (KeysCodes.keys_integer_code n d C s p l). Qed.

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

(** The 240 roots of E8 in 8 dimensions have margin 4C. *)
Theorem keys_e8 (n d : nat) (C : R) :
  (n <= 240)%nat -> (8 <= d)%nat -> 0 <= C ->
  address_book n d (code_key e8) (key_query C (code_key e8)) (C * 4).
Proof. exact (KeysCodes.keys_e8 n d C). Qed.

Definition angle (n j : nat) : R := 2 * PI * INR j / INR n.

Definition polygon_key (n : nat) : matrix := fun j c =>
  match c with 0%nat => cos (angle n j) | 1%nat => sin (angle n j) | _ => 0 end.

(** n points on the circle have margin ρ (1 - cos (2π/n)). *)
Theorem keys_polygon (n d : nat) (rho : R) :
  (2 <= n)%nat -> (2 <= d)%nat -> 0 <= rho ->
  forall i, (i < n)%nat ->
    margin n (logit d (key_query rho (polygon_key n) i) (polygon_key n)) i
      (rho * (1 - cos (2 * PI / INR n))).
Proof. exact (KeysCodes.keys_polygon n d rho). Qed.

(** ** Every tuple an address *)

(** Tuple t has a margin of g over every other of the n^m tuples. *)
Definition tuple_margin (n m d : nat) (Ks : list matrix) (q : nat -> R) (t : list nat) (g : R)
    : Prop :=
  forall t', In t' (tuples (repeat (seq 0 n) m)) -> t' <> t ->
    tuple_logit d q Ks t >= tuple_logit d q Ks t' + g.

(** Slot r has its keys in the columns r d .. r d + d - 1, and ones elsewhere. *)
Definition block_key (d : nat) (K : matrix) (r : nat) : matrix := fun j c =>
  if c / d =? r then K j (c mod d)%nat else 1.

Definition block_keys (d : nat) (K : matrix) (m : nat) : list matrix :=
  map (block_key d K) (seq 0 m).

Definition block_query (d : nat) (Q : nat -> nat -> R) (t : list nat) : nat -> R := fun c =>
  Q (nth (c / d) t 0%nat) (c mod d)%nat.

(** Any address book for one slot, put in blocks, is one for all n^m tuples, of the same margin,
    in m d dimensions. *)
Theorem keys_blocks (n m d : nat) (K : matrix) (Q : nat -> nat -> R) (g : R) (t : list nat) :
  0 <= g -> (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  In t (tuples (repeat (seq 0 n) m)) ->
  tuple_margin n m (m * d) (block_keys d K m) (block_query d Q t) t g.
Proof. exact (KeysTuples.keys_blocks n m d K Q g t). Qed.

(** Binary keys in blocks: m ⌈log₂ n⌉ dimensions are enough for n^m tuples. *)
Theorem keys_binary_blocks (n m d : nat) (C : R) (t : list nat) :
  (n <= 2 ^ d)%nat -> 0 <= C -> In t (tuples (repeat (seq 0 n) m)) ->
  tuple_margin n m (m * d) (block_keys d binary_key m) (block_query d (binary_query C) t) t
    (2 * C).
Proof. exact (KeysTuples.keys_binary_blocks n m d C t). Qed.

(** Parabola keys in blocks: 2m dimensions are enough. *)
Theorem keys_parabola_blocks (n m : nat) (C : R) (t : list nat) :
  0 <= C -> In t (tuples (repeat (seq 0 n) m)) ->
  tuple_margin n m (m * 2) (block_keys 2 parabola_key m) (block_query 2 (parabola_query C) t) t C.
Proof. exact (KeysTuples.keys_parabola_blocks n m C t). Qed.

(** Query of a tuple: C times the product of its rows. *)
Definition product_query (C : R) (Ks : list matrix) (t : list nat) : nat -> R := fun c =>
  C * row_product Ks t c.

(** Inner product of the product rows of two tuples. *)
Definition tuple_dot (d : nat) (Ks : list matrix) (t t' : list nat) : R :=
  rsum d (fun c => row_product Ks t c * row_product Ks t' c).

(** Sign keys in every slot, products of inner products at most μ: margin C (d - μ). *)
Theorem keys_sign_tuples (n m d : nat) (Ks : list matrix) (C mu : R) (t : list nat) :
  0 <= C -> (forall K, In K Ks -> sign_matrix K) ->
  (forall t', In t' (tuples (repeat (seq 0 n) m)) -> t' <> t -> tuple_dot d Ks t t' <= mu) ->
  tuple_margin n m d Ks (product_query C Ks t) t (C * (INR d - mu)).
Proof. exact (KeysTuples.keys_sign_tuples n m d Ks C mu t). Qed.

(** There are m matrices of signs, n rows each, such that the product rows of different tuples
    have inner products of at most ε d. *)
Theorem keys_sign_tuples_exist (n m d : nat) (eps : R) :
  0 <= eps ->
  INR n ^ m * (INR n ^ m - 1) / 2 * exp (- (eps * eps * INR d / 2)) < 1 ->
  exists Ks, length Ks = m /\ (forall K, In K Ks -> sign_matrix K) /\
    forall t t', In t (tuples (repeat (seq 0 n) m)) -> In t' (tuples (repeat (seq 0 n) m)) ->
      t' <> t -> tuple_dot d Ks t t' <= eps * INR d.
Proof. exact (KeysSignTuples.keys_sign_tuples_exist n m d eps). Qed.

(** The same as an inequality on the dimension: d > (2/ε²) ln(N(N-1)/2), N = n^m rows; the margin
    of a tuple is then C (1 - ε) d. *)
Theorem keys_sign_tuples_dimension (n m d : nat) (eps C : R) :
  (2 <= n)%nat -> (1 <= m)%nat -> 0 < eps -> 0 <= C ->
  INR d > 2 / (eps * eps) * ln (INR n ^ m * (INR n ^ m - 1) / 2) ->
  exists Ks, length Ks = m /\ (forall K, In K Ks -> sign_matrix K) /\
    forall t, In t (tuples (repeat (seq 0 n) m)) ->
      tuple_margin n m d Ks (product_query C Ks t) t (C * ((1 - eps) * INR d)).
Proof. exact (KeysSignTuples.keys_sign_tuples_dimension n m d eps C). Qed.

(** Order 1: n rows of signs with inner products of at most ε d, once
    n (n - 1) / 2 exp(-ε² d / 2) < 1. *)
Theorem keys_sign_rows_exist (n d : nat) (eps : R) :
  0 <= eps -> INR n * (INR n - 1) / 2 * exp (- (eps * eps * INR d / 2)) < 1 ->
  exists K, sign_matrix K /\
    forall i j, (i < n)%nat -> (j < n)%nat -> j <> i -> dot d K i j <= eps * INR d.
Proof. exact (KeysSignTuples.keys_sign_rows_exist n d eps). Qed.

(** * L5 `sign-keys` *)

(** Bits as signs; inner product of two strings of d signs; all inner products at most ε d. *)
Definition sign (b : bool) : R := if b then 1 else -1.
Definition inner (d : nat) (x y : list bool) : R :=
  rsum d (fun c => sign (nth c x false) * sign (nth c y false)).
Definition nearly_orthogonal (d : nat) (eps : R) (l : list (list bool)) : Prop :=
  (forall x, In x l -> length x = d) /\
  (forall i j, (i < length l)%nat -> (j < length l)%nat -> i <> j ->
     Rabs (inner d (nth i l nil) (nth j l nil)) <= eps * INR d).

(** n such strings exist once n · 2 exp(-ε² d / 2) < 1. *)
Theorem sign_keys (n d : nat) (eps : R) :
  0 <= eps -> INR n * (2 * exp (- (eps * eps * INR d / 2))) < 1 ->
  exists l, length l = n /\ nearly_orthogonal d eps l.
Proof. exact (SignKeys.sign_keys n d eps). Qed.

(** The same as an inequality on the dimension: d > 2 ln(2n) / ε². *)
Theorem sign_keys_dimension (n d : nat) (eps : R) :
  (1 <= n)%nat -> 0 < eps -> INR d > 2 * ln (2 * INR n) / (eps * eps) ->
  exists l, length l = n /\ nearly_orthogonal d eps l.
Proof. exact (SignKeys.sign_keys_dimension n d eps). Qed.

(** Such keys, with query i = C key i, have margin C (1 - ε) d. *)
Theorem sign_keys_margin (d : nat) (eps : R) (l : list (list bool)) (C : R) (i : nat) :
  0 <= C -> nearly_orthogonal d eps l -> (i < length l)%nat ->
  let K : matrix := fun j c => sign (nth c (nth j l nil) false) in
  margin (length l) (logit d (fun c => C * K i c) K) i (C * ((1 - eps) * INR d)).
Proof. exact (SignKeys.sign_keys_margin d eps l C i). Qed.

(** * T1 `four-cache` *)

(** Given keys K and queries Q such that query i singles out row i with a margin that is enough,
    a cache that is (η, α)-accurate for all 0/1 values has at least n d_v bits. *)
Theorem four_cache_given_keys (n d d_v : nat) (eta alpha g : R) (K : matrix)
    (Q : nat -> nat -> R) :
  0 <= eta < 1 -> 0 <= alpha -> leak (n - 1) g < (1 - eta) / 2 - alpha ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  forall b (state : matrix -> list bool) (answer : reader),
    (forall V, zero_one V -> (length (state V) <= b)%nat) ->
    (forall V i c, zero_one V -> (i < n)%nat -> (c < d_v)%nat ->
       accurate eta alpha (answer (state V) (Q i) c) (attention n d (Q i) K V c)) ->
    (n * d_v <= b)%nat.
Proof. exact (FourCache.four_cache_given_keys n d d_v eta alpha g K Q). Qed.

(** With public coins, failure probability at most δ and states of exactly b bits:
    b >= (1 - H₂(δ)) n d_v. *)
Theorem four_cache_given_keys_randomized (n d d_v : nat) (eta alpha g : R) (K : matrix)
    (Q : nat -> nat -> R) :
  0 <= eta < 1 -> 0 <= alpha -> leak (n - 1) g < (1 - eta) / 2 - alpha ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  forall b T w delta (state : nat -> matrix -> list bool) (answer : nat -> reader),
    distribution T w -> 0 <= delta <= 1 / 2 ->
    (forall r V, zero_one V -> length (state r V) = b) ->
    (forall V i c, zero_one V -> (i < n)%nat -> (c < d_v)%nat ->
       rsum T (fun r => w r * failure eta alpha
                 (answer r (state r V) (Q i) c) (attention n d (Q i) K V c)) <= delta) ->
    (1 - H2 delta) * INR (n * d_v) <= INR b.
Proof. exact (FourCache.four_cache_given_keys_randomized n d d_v eta alpha g K Q). Qed.

(** Such keys exist in two dimensions or more. *)
Theorem four_cache (n d d_v : nat) (eta alpha : R) :
  (2 <= d)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K : matrix) (Q : nat -> nat -> R),
    forall b (state : matrix -> list bool) (answer : reader),
      (forall V, zero_one V -> (length (state V) <= b)%nat) ->
      (forall V i c, zero_one V -> (i < n)%nat -> (c < d_v)%nat ->
         accurate eta alpha (answer (state V) (Q i) c) (attention n d (Q i) K V c)) ->
      (n * d_v <= b)%nat.
Proof. exact (FourCache.four_cache n d d_v eta alpha). Qed.

(** Keys with entries -1 and 1 exist in log₂ n dimensions or more: the paper's d = Ω(log n). *)
Theorem four_cache_sign_keys (n d d_v : nat) (eta alpha : R) :
  (n <= 2 ^ d)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K : matrix) (Q : nat -> nat -> R), sign_matrix K /\
    forall b (state : matrix -> list bool) (answer : reader),
      (forall V, zero_one V -> (length (state V) <= b)%nat) ->
      (forall V i c, zero_one V -> (i < n)%nat -> (c < d_v)%nat ->
         accurate eta alpha (answer (state V) (Q i) c) (attention n d (Q i) K V c)) ->
      (n * d_v <= b)%nat.
Proof. exact (FourCache.four_cache_sign_keys n d d_v eta alpha). Qed.

(** With public coins, failure probability at most δ and states of exactly b bits:
    b >= (1 - H₂(δ)) n d_v. *)
Theorem four_cache_randomized (n d d_v : nat) (eta alpha : R) :
  (2 <= d)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K : matrix) (Q : nat -> nat -> R),
    forall b T w delta (state : nat -> matrix -> list bool) (answer : nat -> reader),
      distribution T w -> 0 <= delta <= 1 / 2 ->
      (forall r V, zero_one V -> length (state r V) = b) ->
      (forall V i c, zero_one V -> (i < n)%nat -> (c < d_v)%nat ->
         rsum T (fun r => w r * failure eta alpha
                   (answer r (state r V) (Q i) c) (attention n d (Q i) K V c)) <= delta) ->
      (1 - H2 delta) * INR (n * d_v) <= INR b.
Proof. exact (FourCache.four_cache_randomized n d d_v eta alpha). Qed.

(** At the paper's δ = 1/10: at least 0.531 n d_v bits. *)
Theorem four_cache_tenth (n d d_v : nat) (eta alpha : R) :
  (2 <= d)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K : matrix) (Q : nat -> nat -> R),
    forall b T w (state : nat -> matrix -> list bool) (answer : nat -> reader),
      distribution T w ->
      (forall r V, zero_one V -> length (state r V) = b) ->
      (forall V i c, zero_one V -> (i < n)%nat -> (c < d_v)%nat ->
         rsum T (fun r => w r * failure eta alpha
                   (answer r (state r V) (Q i) c) (attention n d (Q i) K V c)) <= 1 / 10) ->
      531 / 1000 * INR (n * d_v) <= INR b.
Proof. exact (FourCache.four_cache_tenth n d d_v eta alpha). Qed.

(** For any public keys, n d_v bits give exact answers to all queries on 0/1 values. *)
Theorem four_cache_met (n d d_v : nat) (K : matrix) :
  exists (state : matrix -> list bool) (answer : reader),
    (forall V, length (state V) = (n * d_v)%nat) /\
    (forall V q c, zero_one V -> (c < d_v)%nat ->
       answer (state V) q c = attention n d q K V c).
Proof. exact (FourCache.four_cache_met n d d_v K). Qed.

(** So the randomised floor's hypotheses can be met too, for every failure probability. *)
Theorem four_cache_randomized_met (n d d_v : nat) (K : matrix) (eta alpha delta : R) :
  0 <= eta -> 0 <= alpha -> 0 <= delta ->
  exists T w (state : nat -> matrix -> list bool) (answer : nat -> reader),
    distribution T w /\
    (forall r V, length (state r V) = (n * d_v)%nat) /\
    (forall V q c, zero_one V -> (c < d_v)%nat ->
       rsum T (fun r => w r * failure eta alpha
                 (answer r (state r V) q c) (attention n d q K V c)) <= delta).
Proof. exact (FourCache.four_cache_randomized_met n d d_v K eta alpha delta). Qed.

(** The least number of bits of an (η, α)-accurate cache is exactly n d_v. *)
Theorem four_cache_exactly (n d d_v : nat) (eta alpha : R) :
  (2 <= d)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K : matrix) (Q : nat -> nat -> R), forall b,
    (exists (state : matrix -> list bool) (answer : reader),
      (forall V, zero_one V -> (length (state V) <= b)%nat) /\
      (forall V i c, zero_one V -> (i < n)%nat -> (c < d_v)%nat ->
         accurate eta alpha (answer (state V) (Q i) c) (attention n d (Q i) K V c)))
    <-> (n * d_v <= b)%nat.
Proof. exact (FourCache.four_cache_exactly n d d_v eta alpha). Qed.

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

(** Every order m: the least number of bits of an (η, α)-accurate cache is exactly n d_v. *)
Theorem four_cache_order (n m d d_v : nat) (eta alpha g : R) (K : matrix) (Q : nat -> nat -> R) :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  leak (n - 1) g < leak_limit eta alpha ->
  forall b, serves n d_v eta alpha (order_out 0 n m d K) Q b <-> (n * d_v <= b)%nat.
Proof. exact (FourCacheOrder.four_cache_order n m d d_v eta alpha g K Q). Qed.

(** With public coins, failure probability at most δ and states of exactly b bits:
    b >= (1 - H₂(δ)) n d_v. *)
Theorem four_cache_order_randomized (n m d d_v : nat) (eta alpha g : R) (K : matrix)
    (Q : nat -> nat -> R) :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  leak (n - 1) g < leak_limit eta alpha ->
  forall delta b, 0 <= delta <= 1 / 2 ->
    serves_randomized n d_v eta alpha delta (order_out 0 n m d K) Q b ->
    (1 - H2 delta) * INR (n * d_v) <= INR b.
Proof. exact (FourCacheOrder.four_cache_order_randomized n m d d_v eta alpha g K Q). Qed.

(** With states of up to b bits, b + 1 stands for b: in these and in every other floor on
    [serves_randomized]. *)
Theorem four_cache_up_to (n d_v : nat) (eta alpha delta : R) (out : outputs)
    (Q : nat -> nat -> R) (b : nat) :
  (exists T w (state : nat -> matrix -> list bool) (answer : nat -> reader),
     distribution T w /\
     (forall r V, zero_one V -> (length (state r V) <= b)%nat) /\
     (forall V i c, zero_one V -> (i < n)%nat -> (c < d_v)%nat ->
        rsum T (fun r => w r * failure eta alpha (answer r (state r V) (Q i) c) (out (Q i) V c))
          <= delta)) ->
  serves_randomized n d_v eta alpha delta out Q (b + 1).
Proof. exact (FourCacheOrder.four_cache_up_to n d_v eta alpha delta out Q b). Qed.

(** Token n is the query's own: its keys and values are zero in every slot. *)
Definition with_self (n : nat) (M : matrix) : matrix :=
  fun j c => if (j =? n)%nat then 0 else M j c.
Definition order_out_self (n m d : nat) (K : matrix) : outputs := fun q V c =>
  tensor (repeat (seq 0 (S n)) m) d q
    (map (with_self n) (first_slot m K)) (map (with_self n) (first_slot m V)) c.
Definition zero_margin (n d : nat) (K : matrix) (Q : nat -> nat -> R) (g : R) : Prop :=
  forall i, (i < n)%nat -> logit d (Q i) K i >= g.

(** M/ties = n - 1 + ((n+1)^m - n^m) / n^(m-1). *)
Definition self_competitors (n m : nat) : R :=
  INR n - 1 + ((INR n + 1) ^ m - INR n ^ m) / INR n ^ (m - 1).

(** With the self token, whose tuples have logit 0 and value 0, there are so many competitors for
    each tied tuple, and the margin is one over a key of zeros too. *)
Theorem four_cache_self (n m d d_v : nat) (eta alpha g : R) (K : matrix) (Q : nat -> nat -> R) :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) -> zero_margin n d K Q g ->
  leak_of (self_competitors n m) g < leak_limit eta alpha ->
  forall b, serves n d_v eta alpha (order_out_self n m d K) Q b <-> (n * d_v <= b)%nat.
Proof. exact (FourCacheOrder.four_cache_self n m d d_v eta alpha g K Q). Qed.

(** With public coins, failure probability at most δ and states of exactly b bits:
    b >= (1 - H₂(δ)) n d_v. *)
Theorem four_cache_self_randomized (n m d d_v : nat) (eta alpha g : R) (K : matrix)
    (Q : nat -> nat -> R) :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) -> zero_margin n d K Q g ->
  leak_of (self_competitors n m) g < leak_limit eta alpha ->
  forall delta b, 0 <= delta <= 1 / 2 ->
    serves_randomized n d_v eta alpha delta (order_out_self n m d K) Q b ->
    (1 - H2 delta) * INR (n * d_v) <= INR b.
Proof. exact (FourCacheOrder.four_cache_self_randomized n m d d_v eta alpha g K Q). Qed.

(** ** Streaming caches, the model D4 *)

(** The state after the first k tokens, whose rows of values are V 0 .. V (k-1). *)
Fixpoint stream (init : list bool) (append : list bool -> (nat -> R) -> list bool) (V : matrix)
    (k : nat) : list bool :=
  match k with
  | O => init
  | S k' => append (stream init append V k') (V k')
  end.

(** Some streaming cache whose states never exceed b bits answers every query within (η, α). *)
Definition streams (n d_v : nat) (eta alpha : R) (out : outputs) (Q : nat -> nat -> R)
    (b : nat) : Prop :=
  exists init append (answer : reader),
    (forall V k, zero_one V -> (k <= n)%nat -> (length (stream init append V k) <= b)%nat) /\
    (forall V i c, zero_one V -> (i < n)%nat -> (c < d_v)%nat ->
       accurate eta alpha (answer (stream init append V n) (Q i) c) (out (Q i) V c)).

(** The least streaming cache has exactly n d_v bits, too. *)
Theorem four_cache_stream (n m d d_v : nat) (eta alpha g : R) (K : matrix)
    (Q : nat -> nat -> R) :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  leak (n - 1) g < leak_limit eta alpha ->
  forall b, streams n d_v eta alpha (order_out 0 n m d K) Q b <-> (n * d_v <= b)%nat.
Proof. exact (FourCacheStream.four_cache_stream n m d d_v eta alpha g K Q). Qed.

(** ** Every family of keys *)

(** The least b such that states of up to b bits serve is exactly n d_v; and a randomised cache
    that fails with probability at most δ, with states of exactly b bits, has
    b >= (1 - H₂(δ)) n d_v. *)
Definition exact_floor (n m d d_v : nat) (eta alpha : R) (K : matrix) (Q : nat -> nat -> R)
    : Prop :=
  (forall b, serves n d_v eta alpha (order_out 0 n m d K) Q b <-> (n * d_v <= b)%nat) /\
  (forall delta b, 0 <= delta <= 1 / 2 ->
     serves_randomized n d_v eta alpha delta (order_out 0 n m d K) Q b ->
     (1 - H2 delta) * INR (n * d_v) <= INR b).

(** The same with the self token. *)
Definition exact_floor_self (n m d d_v : nat) (eta alpha : R) (K : matrix)
    (Q : nat -> nat -> R) : Prop :=
  (forall b, serves n d_v eta alpha (order_out_self n m d K) Q b <-> (n * d_v <= b)%nat) /\
  (forall delta b, 0 <= delta <= 1 / 2 ->
     serves_randomized n d_v eta alpha delta (order_out_self n m d K) Q b ->
     (1 - H2 delta) * INR (n * d_v) <= INR b).

(** Any keys and queries of margin g > ln((n-1)(1+η+2α)/(1-η-2α)). *)
Theorem four_cache_margin (n m d d_v : nat) (eta alpha g : R) (K : matrix) (Q : nat -> nat -> R) :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  g > margin_limit (INR (n - 1)) eta alpha ->
  exact_floor n m d d_v eta alpha K Q.
Proof. exact (FourCacheKeys.four_cache_margin n m d d_v eta alpha g K Q). Qed.

(** At the paper's success probability 9/10: at least 0.531 n d_v bits. *)
Theorem four_cache_order_tenth (n m d d_v : nat) (eta alpha g : R) (K : matrix)
    (Q : nat -> nat -> R) (b : nat) :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  g > margin_limit (INR (n - 1)) eta alpha ->
  serves_randomized n d_v eta alpha (1 / 10) (order_out 0 n m d K) Q b ->
  531 / 1000 * INR (n * d_v) <= INR b.
Proof. exact (FourCacheKeys.four_cache_order_tenth n m d d_v eta alpha g K Q b). Qed.

(** Any address book of margin g > ln(c(1+η+2α)/(1-η-2α)), c = n-1 + ((n+1)^m - n^m)/n^(m-1). *)
Theorem four_cache_self_margin (n m d d_v : nat) (eta alpha g : R) (K : matrix)
    (Q : nat -> nat -> R) :
  guarantee eta alpha -> (1 <= m)%nat -> (1 <= n)%nat ->
  address_book n d K Q g ->
  g > margin_limit (self_competitors n m) eta alpha ->
  exact_floor_self n m d d_v eta alpha K Q.
Proof. exact (FourCacheKeys.four_cache_self_margin n m d d_v eta alpha g K Q). Qed.

(** The randomised guarantee can be met, by n d_v bits. *)
Theorem four_cache_order_randomized_met (n m d d_v : nat) (eta alpha delta : R) (K : matrix)
    (Q : nat -> nat -> R) :
  0 <= eta -> 0 <= alpha -> 0 <= delta -> (1 <= m)%nat ->
  serves_randomized n d_v eta alpha delta (order_out 0 n m d K) Q (n * d_v).
Proof. exact (FourCacheKeys.four_cache_order_randomized_met n m d d_v eta alpha delta K Q). Qed.

Theorem four_cache_self_randomized_met (n m d d_v : nat) (eta alpha delta : R) (K : matrix)
    (Q : nat -> nat -> R) :
  0 <= eta -> 0 <= alpha -> 0 <= delta -> (1 <= m)%nat ->
  serves_randomized n d_v eta alpha delta (order_out_self n m d K) Q (n * d_v).
Proof. exact (FourCacheKeys.four_cache_self_randomized_met n m d d_v eta alpha delta K Q). Qed.

Section Families.
Variables (n m d d_v : nat) (eta alpha C : R).
Hypothesis Hg : guarantee eta alpha.
Hypothesis Hm : (1 <= m)%nat.

(** d >= n, C > L. *)
Theorem four_cache_orthonormal : (n <= d)%nat -> C > margin_limit (INR (n - 1)) eta alpha ->
  exact_floor n m d d_v eta alpha unit_key (key_query C unit_key).
Proof. exact (FourCacheKeys.four_cache_orthonormal n m d d_v eta alpha C Hg Hm). Qed.

(** d >= log₂ n, 2C > L: the paper's d = Ω(log n), with constant 1. *)
Theorem four_cache_binary : (n <= 2 ^ d)%nat -> 2 * C > margin_limit (INR (n - 1)) eta alpha ->
  exact_floor n m d d_v eta alpha binary_key (binary_query C).
Proof. exact (FourCacheKeys.four_cache_binary n m d d_v eta alpha C Hg Hm). Qed.

(** d >= 2, C > L: whole numbers of O(log n) bits. *)
Theorem four_cache_parabola : (2 <= d)%nat -> C > margin_limit (INR (n - 1)) eta alpha ->
  exact_floor n m d d_v eta alpha parabola_key (parabola_query C).
Proof. exact (FourCacheKeys.four_cache_parabola n m d d_v eta alpha C Hg Hm). Qed.

(** 2d >= n, C > L. *)
Theorem four_cache_signed_axes : (n <= 2 * d)%nat -> C > margin_limit (INR (n - 1)) eta alpha ->
  exact_floor n m d d_v eta alpha axis_key (key_query C axis_key).
Proof. exact (FourCacheKeys.four_cache_signed_axes n m d d_v eta alpha C Hg Hm). Qed.

(** 2d(d-1) >= n, C > L. *)
Theorem four_cache_roots_d :
  (n <= 2 * d * (d - 1))%nat -> C > margin_limit (INR (n - 1)) eta alpha ->
  exact_floor n m d d_v eta alpha (root_key d) (key_query C (root_key d)).
Proof. exact (FourCacheKeys.four_cache_roots_d n m d d_v eta alpha C Hg Hm). Qed.

(** d >= 8, n <= 240, 4C > L. *)
Theorem four_cache_e8 :
  (n <= 240)%nat -> (8 <= d)%nat -> C * 4 > margin_limit (INR (n - 1)) eta alpha ->
  exact_floor n m d d_v eta alpha (code_key e8) (key_query C (code_key e8)).
Proof. exact (FourCacheKeys.four_cache_e8 n m d d_v eta alpha C Hg Hm). Qed.

(** d >= 2, C (1 - cos(2π/n)) > L, C being the norm of the queries. *)
Theorem four_cache_polygon : (2 <= n)%nat -> (2 <= d)%nat -> 0 <= C ->
  C * (1 - cos (2 * PI / INR n)) > margin_limit (INR (n - 1)) eta alpha ->
  exact_floor n m d d_v eta alpha (polygon_key n) (key_query C (polygon_key n)).
Proof. exact (FourCacheKeys.four_cache_polygon n m d d_v eta alpha C Hg Hm). Qed.

(** Unit vectors at cosines of at most c, C (1 - c) > L, C being the norm of the queries. *)
Theorem four_cache_spherical K c : 0 <= C ->
  (forall i, (i < n)%nat -> dot d K i i = 1) ->
  (forall i j, (i < n)%nat -> (j < n)%nat -> j <> i -> dot d K i j <= c) ->
  C * (1 - c) > margin_limit (INR (n - 1)) eta alpha ->
  exact_floor n m d d_v eta alpha K (key_query C K).
Proof. exact (FourCacheKeys.four_cache_spherical n m d d_v eta alpha C Hg Hm K c). Qed.

(** Signs with inner products of at most ε d exist for d > 2 ln(2n) / ε²; C (1 - ε) d > L. *)
Theorem four_cache_random_signs eps : (1 <= n)%nat -> 0 < eps -> 0 <= C ->
  INR d > 2 * ln (2 * INR n) / (eps * eps) ->
  C * ((1 - eps) * INR d) > margin_limit (INR (n - 1)) eta alpha ->
  exists K, sign_matrix K /\ exact_floor n m d d_v eta alpha K (key_query C K).
Proof. exact (FourCacheKeys.four_cache_random_signs n m d d_v eta alpha C Hg Hm eps). Qed.

End Families.

Section SelfFamilies.
Variables (n m d d_v : nat) (eta alpha C : R).
Hypothesis Hg : guarantee eta alpha.
Hypothesis Hm : (1 <= m)%nat.
Hypothesis Hn : (1 <= n)%nat.
Hypothesis HC : 0 <= C.

Theorem four_cache_self_orthonormal :
  (n <= d)%nat -> C > margin_limit (self_competitors n m) eta alpha ->
  exact_floor_self n m d d_v eta alpha unit_key (key_query C unit_key).
Proof. exact (FourCacheKeys.four_cache_self_orthonormal n m d d_v eta alpha C Hg Hm Hn HC). Qed.

Theorem four_cache_self_binary :
  (n <= 2 ^ d)%nat -> (2 <= d)%nat -> 2 * C > margin_limit (self_competitors n m) eta alpha ->
  exact_floor_self n m d d_v eta alpha binary_key (binary_query C).
Proof. exact (FourCacheKeys.four_cache_self_binary n m d d_v eta alpha C Hg Hm Hn HC). Qed.

Theorem four_cache_self_parabola :
  (2 <= d)%nat -> C > margin_limit (self_competitors n m) eta alpha ->
  exact_floor_self n m d d_v eta alpha parabola_key_1 (parabola_query_1 C).
Proof. exact (FourCacheKeys.four_cache_self_parabola n m d d_v eta alpha C Hg Hm Hn HC). Qed.

Theorem four_cache_self_signed_axes :
  (n <= 2 * d)%nat -> C > margin_limit (self_competitors n m) eta alpha ->
  exact_floor_self n m d d_v eta alpha axis_key (key_query C axis_key).
Proof. exact (FourCacheKeys.four_cache_self_signed_axes n m d d_v eta alpha C Hg Hm Hn HC). Qed.

Theorem four_cache_self_roots_d :
  (n <= 2 * d * (d - 1))%nat -> C > margin_limit (self_competitors n m) eta alpha ->
  exact_floor_self n m d d_v eta alpha (root_key d) (key_query C (root_key d)).
Proof. exact (FourCacheKeys.four_cache_self_roots_d n m d d_v eta alpha C Hg Hm Hn HC). Qed.

Theorem four_cache_self_e8 :
  (n <= 240)%nat -> (8 <= d)%nat -> C * 4 > margin_limit (self_competitors n m) eta alpha ->
  exact_floor_self n m d d_v eta alpha (code_key e8) (key_query C (code_key e8)).
Proof. exact (FourCacheKeys.four_cache_self_e8 n m d d_v eta alpha C Hg Hm Hn HC). Qed.

End SelfFamilies.

(** * T4 `low-dimension` *)

(** The first min(n, A) words of the code serve as keys, of norm 1, and queries have norm ρ. *)
Theorem low_dimension (n A m d d_v : nat) (eta alpha rho c : R) (K : matrix) :
  guarantee eta alpha -> (1 <= m)%nat -> 0 <= rho ->
  (forall i, (i < A)%nat -> dot d K i i = 1) ->
  (forall i j, (i < A)%nat -> (j < A)%nat -> j <> i -> dot d K i j <= c) ->
  rho * (1 - c) > margin_limit (INR (A - 1)) eta alpha ->
  exact_floor (min n A) m d d_v eta alpha K (key_query rho K) /\
  (forall i, (i < A)%nat ->
     rsum d (fun e => key_query rho K i e * key_query rho K i e) = rho * rho).
Proof. exact (LowDimension.low_dimension n A m d d_v eta alpha rho c K). Qed.

(** With ρ = κ d, signs give every A < e^(ε² d / 2) / 2 once κ (1 - ε) >= ε²/2 + ln(r)/d,
    r = (1+η+2α)/(1-η-2α): the floor is d_v min(n, e^Ω(d)). *)
Theorem low_dimension_exponential (n A m d d_v : nat) (eta alpha kappa eps : R) :
  guarantee eta alpha -> (1 <= m)%nat -> 0 <= kappa -> 0 < eps -> (1 <= d)%nat ->
  2 * INR A < exp (eps * eps * INR d / 2) ->
  kappa * (1 - eps) * INR d
    >= eps * eps * INR d / 2 + ln ((1 + eta + 2 * alpha) / (1 - eta - 2 * alpha)) ->
  exists K, sign_matrix K /\
    exact_floor (min n A) m d d_v eta alpha K (key_query kappa K) /\
    (forall i, rsum d (fun c => K i c * K i c) = INR d) /\
    (forall i, rsum d (fun c => key_query kappa K i c * key_query kappa K i c)
               = kappa * kappa * INR d).
Proof. exact (LowDimension.low_dimension_exponential n A m d d_v eta alpha kappa eps). Qed.

(** * S4 `norm-dimension` *)

(** Squared norm. *)
Definition squared_norm (d : nat) (v : nat -> R) : R := rsum d (fun c => v c * v c).

(** All tokens: d >= log₂ n dimensions, with ‖q‖‖k‖ = C d for C > ln((n-1)r) / 2. *)
Theorem norm_dimension_logarithmic (n m d d_v : nat) (eta alpha C : R) :
  guarantee eta alpha -> (1 <= m)%nat -> (n <= 2 ^ d)%nat ->
  2 * C > margin_limit (INR (n - 1)) eta alpha ->
  exact_floor n m d d_v eta alpha binary_key (binary_query C) /\
  (forall i j, squared_norm d (binary_query C i) * squared_norm d (binary_key j)
    = (C * INR d) * (C * INR d)).
Proof. exact (NormDimension.norm_dimension_logarithmic n m d d_v eta alpha C). Qed.

(** Large norms: two dimensions for any n, with whole numbers for keys and ‖q‖‖k‖ <= √10 C n³. *)
Theorem norm_dimension_parabola (n m d_v : nat) (eta alpha C : R) :
  guarantee eta alpha -> (1 <= m)%nat -> C > margin_limit (INR (n - 1)) eta alpha ->
  exact_floor n m 2 d_v eta alpha parabola_key_1 (parabola_query_1 C) /\
  (forall i j, (i < n)%nat -> (j < n)%nat ->
     squared_norm 2 (parabola_query_1 C i) * squared_norm 2 (parabola_key_1 j)
       <= 10 * (C * C) * INR n ^ 6).
Proof. exact (NormDimension.norm_dimension_parabola n m d_v eta alpha C). Qed.

(** Regular polygons: two dimensions, unit keys, ‖q‖ = ρ > n² ln((n-1)r) / 8. *)
Theorem norm_dimension_polygon (n m d_v : nat) (eta alpha rho : R) :
  guarantee eta alpha -> (1 <= m)%nat -> (2 <= n)%nat ->
  rho > INR n * INR n * margin_limit (INR (n - 1)) eta alpha / 8 ->
  exact_floor n m 2 d_v eta alpha (polygon_key n) (key_query rho (polygon_key n)).
Proof. exact (NormDimension.norm_dimension_polygon n m d_v eta alpha rho). Qed.

(** One dimension: of three keys on a line the middle one cannot be singled out, so no address
    book has more than two keys. *)
Theorem norm_dimension_line (n : nat) (K : matrix) (Q : nat -> nat -> R) (g : R) :
  (3 <= n)%nat -> g > 0 ->
  ~ (forall i, (i < n)%nat -> margin n (logit 1 (Q i) K) i g).
Proof. exact (NormDimension.norm_dimension_line n K Q g). Qed.

(** Two keys can: the ends of the line. *)
Theorem norm_dimension_line_met (g : R) :
  exists K Q, forall i, (i < 2)%nat -> margin 2 (logit 1 (Q i) K) i g.
Proof. exact (NormDimension.norm_dimension_line_met g). Qed.

(** * T2 `two-cache`, unstructured model *)

(** If any value may belong to any pair of tokens, n1 n2 d_v bits are needed. *)
Theorem two_cache (n1 n2 d d_v : nat) (eta alpha : R) :
  (4 <= d)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K1 K2 : matrix) (Q : nat -> nat -> nat -> R),
    forall b (state : pair_values -> list bool) (answer : reader),
      (forall W, pair_zero_one W -> (length (state W) <= b)%nat) ->
      (forall W i k c, pair_zero_one W -> (i < n1)%nat -> (k < n2)%nat -> (c < d_v)%nat ->
         accurate eta alpha (answer (state W) (Q i k) c)
                  (pair_attention n1 n2 d (Q i k) K1 K2 W c)) ->
      (n1 * n2 * d_v <= b)%nat.
Proof. exact (TwoCache.two_cache n1 n2 d d_v eta alpha). Qed.

(** The same if the state is kept in two parts, of b1 and b2 bits. *)
Theorem two_cache_split (n1 n2 d d_v : nat) (eta alpha : R) :
  (4 <= d)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K1 K2 : matrix) (Q : nat -> nat -> nat -> R),
    forall b1 b2 (state1 state2 : pair_values -> list bool)
           (answer : list bool -> list bool -> (nat -> R) -> nat -> R),
      (forall W, pair_zero_one W -> length (state1 W) = b1) ->
      (forall W, pair_zero_one W -> length (state2 W) = b2) ->
      (forall W i k c, pair_zero_one W -> (i < n1)%nat -> (k < n2)%nat -> (c < d_v)%nat ->
         accurate eta alpha (answer (state1 W) (state2 W) (Q i k) c)
                  (pair_attention n1 n2 d (Q i k) K1 K2 W c)) ->
      (n1 * n2 * d_v <= b1 + b2)%nat.
Proof. exact (TwoCache.two_cache_split n1 n2 d d_v eta alpha). Qed.

(** With public coins, failure probability at most δ and states of exactly b bits:
    b >= (1 - H₂(δ)) n1 n2 d_v. *)
Theorem two_cache_randomized (n1 n2 d d_v : nat) (eta alpha : R) :
  (4 <= d)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K1 K2 : matrix) (Q : nat -> nat -> nat -> R),
    forall b T w delta (state : nat -> pair_values -> list bool) (answer : nat -> reader),
      distribution T w -> 0 <= delta <= 1 / 2 ->
      (forall r W, pair_zero_one W -> length (state r W) = b) ->
      (forall W i k c, pair_zero_one W -> (i < n1)%nat -> (k < n2)%nat -> (c < d_v)%nat ->
         rsum T (fun r => w r * failure eta alpha (answer r (state r W) (Q i k) c)
           (pair_attention n1 n2 d (Q i k) K1 K2 W c)) <= delta) ->
      (1 - H2 delta) * INR (n1 * n2 * d_v) <= INR b.
Proof. exact (TwoCache.two_cache_randomized n1 n2 d d_v eta alpha). Qed.

(** n1 n2 d_v bits are enough for 0/1 values: exact answers to all queries. *)
Theorem two_cache_met (n1 n2 d d_v : nat) (K1 K2 : matrix) :
  exists (state : pair_values -> list bool) (answer : reader),
    (forall W, length (state W) = (n1 * n2 * d_v)%nat) /\
    (forall W q c, pair_zero_one W -> (c < d_v)%nat ->
       answer (state W) q c = pair_attention n1 n2 d q K1 K2 W c).
Proof. exact (TwoCache.two_cache_met n1 n2 d d_v K1 K2). Qed.

(** ** Structured model: refuted as read *)

(** A_1 ⊘ A_2: row (j, l), number j n2 + l, is the entrywise product of rows j and l. *)
Definition khatri_rao (n2 : nat) (A1 A2 : matrix) : matrix :=
  fun t c => A1 (t / n2)%nat c * A2 (t mod n2)%nat c.

(** The products K_1 ⊘ K_2 and V_1 ⊘ V_2 are determined by (n1 + n2 - 1)(d + d_v) of their own
    entries and d + d_v flags: packing them has a left inverse, zeros included. *)
Theorem two_cache_structured (n1 n2 d d_v : nat) :
  (1 <= n1)%nat -> (1 <= n2)%nat ->
  exists (pack : matrix -> matrix -> list nat * list R)
         (unpack : list nat * list R -> matrix * matrix),
    forall K1 K2 V1 V2,
      let A := khatri_rao n2 K1 K2 in let B := khatri_rao n2 V1 V2 in
      let (flags, numbers) := pack A B in
      length numbers = ((n1 + n2 - 1) * (d + d_v))%nat /\
      length flags = (d + d_v)%nat /\ (forall f, In f flags -> (f <= n1 * n2)%nat) /\
      (forall x, In x numbers -> exists t c,
         (t < n1 * n2)%nat /\ ((c < d)%nat /\ x = A t c \/ (c < d_v)%nat /\ x = B t c)) /\
      (forall t c, (t < n1 * n2)%nat -> (c < d)%nat ->
         fst (unpack (flags, numbers)) t c = A t c) /\
      (forall t c, (t < n1 * n2)%nat -> (c < d_v)%nat ->
         snd (unpack (flags, numbers)) t c = B t c).
Proof. exact (TwoCache.two_cache_structured n1 n2 d d_v). Qed.

(** If entries of the products take at most 2^w values, F + (n1 + n2 - 1) w bits for each of the
    d + d_v columns, 2^F being more than n1 n2, answer all queries exactly. *)
Theorem two_cache_structured_bits (n1 n2 d d_v w F : nat) (alphabet : list R) :
  (length alphabet <= 2 ^ w)%nat -> (n1 * n2 < 2 ^ F)%nat ->
  exists (state : matrix -> matrix -> list bool) (answer : reader),
    forall K1 K2 V1 V2,
      let A := khatri_rao n2 K1 K2 in let B := khatri_rao n2 V1 V2 in
      (forall t c, (t < n1 * n2)%nat -> (c < d)%nat -> In (A t c) alphabet) ->
      (forall t c, (t < n1 * n2)%nat -> (c < d_v)%nat -> In (B t c) alphabet) ->
      length (state A B) = ((d + d_v) * (F + (n1 + n2 - 1) * w))%nat /\
      (forall q c, (c < d_v)%nat ->
         answer (state A B) q c = attention2 n1 n2 d q K1 K2 V1 V2 c).
Proof. exact (TwoCache.two_cache_structured_bits n1 n2 d d_v w F alphabet). Qed.

(** n = 16 tokens, entries -1, 0 and 1: 142 d bits are enough, fewer than n² d = 256 d. *)
Theorem two_cache_structured_refuted (d : nat) :
  (1 <= d)%nat ->
  exists (state : matrix -> matrix -> list bool) (answer : reader),
    forall K1 K2 V1 V2,
      let ternary (X : matrix) := forall j c, X j c = -1 \/ X j c = 0 \/ X j c = 1 in
      ternary K1 -> ternary K2 -> ternary V1 -> ternary V2 ->
      (length (state (khatri_rao 16 K1 K2) (khatri_rao 16 V1 V2)) = 142 * d)%nat /\
      (142 * d < 16 * 16 * d)%nat /\
      (forall q c, (c < d)%nat ->
         answer (state (khatri_rao 16 K1 K2) (khatri_rao 16 V1 V2)) q c
           = attention2 16 16 d q K1 K2 V1 V2 c).
Proof. exact (TwoCache.two_cache_structured_refuted d). Qed.

(** Those bits, with F = 2n, are below any fraction c of n² d: no Ω(n² d) holds for products. *)
Theorem two_cache_structured_below (n d w : nat) (c : R) :
  (1 <= n)%nat -> (1 <= d)%nat -> (1 <= w)%nat -> 4 * (INR w + 1) <= c * INR n ->
  (n * n < 2 ^ (2 * n))%nat /\
  INR ((d + d) * (2 * n + (n + n - 1) * w)) < c * (INR n * INR n * INR d).
Proof. exact (TwoCache.two_cache_structured_below n d w c). Qed.

(** * T5 `collision` *)

(** Fewer than n d_v bits: two instances have one state, and at some query no single answer is
    accurate for both. *)
Theorem collision (n d d_v : nat) (eta alpha : R) :
  (2 <= d)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K : matrix) (Q : nat -> nat -> R),
    forall b (state : matrix -> list bool),
      (b < n * d_v)%nat ->
      (forall V, zero_one V -> (length (state V) <= b)%nat) ->
      exists V V' i c, zero_one V /\ zero_one V' /\ (i < n)%nat /\ (c < d_v)%nat /\
        state V = state V' /\
        forall o, ~ (accurate eta alpha o (attention n d (Q i) K V c) /\
                     accurate eta alpha o (attention n d (Q i) K V' c)).
Proof. exact (Collision.collision n d d_v eta alpha). Qed.

(** At every order m, for any public keys of enough margin. *)
Theorem collision_order (n m d d_v : nat) (eta alpha g : R) (K : matrix) (Q : nat -> nat -> R)
    (b : nat) (state : matrix -> list bool) :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  leak (n - 1) g < leak_limit eta alpha ->
  (b < n * d_v)%nat -> (forall V, zero_one V -> (length (state V) <= b)%nat) ->
  exists V V' i c, zero_one V /\ zero_one V' /\ (i < n)%nat /\ (c < d_v)%nat /\
    state V = state V' /\
    forall o, ~ (accurate eta alpha o (order_out 0 n m d K (Q i) V c) /\
                 accurate eta alpha o (order_out 0 n m d K (Q i) V' c)).
Proof. exact (Collision.collision_order n m d d_v eta alpha g K Q b state). Qed.

(** Any 2^b + 1 instances contain a collision of their states of b bits. *)
Theorem collision_among {A} (state : A -> list bool) (b : nat) (instances : list A) :
  NoDup instances -> (forall x, In x instances -> length (state x) = b) ->
  (2 ^ b < length instances)%nat ->
  exists x y, In x instances /\ In y instances /\ x <> y /\ state x = state y.
Proof. exact (Collision.collision_among state b instances). Qed.

(** The states in the list all differ. *)
Fixpoint distinct (t : list nat) : bool :=
  match t with [] => true | j :: t' => negb (existsb (Nat.eqb j) t') && distinct t' end.

(** So of all lists of k states at most the part exp(-k(k-1)/(2D)) is free of collisions: about
    sqrt(2 D ln 2) random instances collide as likely as not. *)
Theorem collision_random (D k : nat) : (1 <= D)%nat ->
  number distinct (tuples (repeat (seq 0 D) k)) / INR D ^ k
    <= exp (- (INR k * (INR k - 1) / (2 * INR D))).
Proof. exact (CollisionRandom.collision_random D k). Qed.

(** * T6 `random-instance-fails` *)

(** A family of true outputs, [out x k] for instance [x] and query [k]: an accurate answer is at
    least θ exactly if bit k of x is set. *)
Definition readable (N : nat) (eta alpha theta : R) (out : list bool -> nat -> R) : Prop :=
  forall x k o, length x = N -> (k < N)%nat -> accurate eta alpha o (out x k) ->
    (o >= theta <-> nth k x false = true).

(** Whether every one of the N queries of instance x is answered accurately. *)
Definition all_accurate (N : nat) (eta alpha : R) (out : list bool -> nat -> R)
    (state : list bool -> list bool) (answer : list bool -> nat -> R) (x : list bool) : bool :=
  forallb (fun k =>
    if Rle_dec (Rabs (answer (state x) k - out x k)) (eta * Rabs (out x k) + alpha)
    then true else false) (seq 0 N).

(** How many of the 2^N instances are answered accurately at every query. *)
Definition answered N eta alpha out state answer : nat :=
  length (filter (all_accurate N eta alpha out state answer) (bitstrings N)).

Section Counting.
Variables (N : nat) (eta alpha theta : R) (out : list bool -> nat -> R).
Hypothesis Hread : readable N eta alpha theta out.
Variables (state : list bool -> list bool) (answer : list bool -> nat -> R).

(** At most as many instances are answered as there are states. *)
Theorem random_instance_fails_states (states : list (list bool)) :
  (forall x, length x = N -> In (state x) states) ->
  (answered N eta alpha out state answer <= length states)%nat.
Proof.
  exact (RandomInstanceFails.random_instance_fails_states N eta alpha theta out Hread state
           answer states).
Qed.

(** States of b bits, k under the floor: probability at most 2^-k. *)
Theorem random_instance_fails b k :
  (forall x, length x = N -> length (state x) = b) -> (b + k <= N)%nat ->
  INR (answered N eta alpha out state answer) / 2 ^ N <= / 2 ^ k.
Proof.
  exact (RandomInstanceFails.random_instance_fails N eta alpha theta out Hread state answer b k).
Qed.

(** States of varying length, up to b bits, are 2^(b+1) - 1 in number: that costs one bit. *)
Theorem random_instance_fails_up_to b k :
  (forall x, length x = N -> (length (state x) <= b)%nat) -> (b + k + 1 <= N)%nat ->
  INR (answered N eta alpha out state answer) / 2 ^ N < / 2 ^ k.
Proof.
  exact (RandomInstanceFails.random_instance_fails_up_to N eta alpha theta out Hread state answer b k).
Qed.

End Counting.

(** With public coins and mean error δ over instances and queries, b >= (1 - H₂(δ)) N: so states
    of exactly b bits have at least N H₂⁻¹(1 - b/N) wrong symbols on average. *)
Theorem random_instance_fails_mean (N b T : nat) (w : nat -> R) (delta eta alpha theta : R)
    (out : list bool -> nat -> R) (state : nat -> list bool -> list bool)
    (answer : nat -> list bool -> nat -> R) :
  distribution T w -> 0 <= delta <= 1 / 2 ->
  readable N eta alpha theta out ->
  (forall r x, (r < T)%nat -> length x = N -> length (state r x) = b) ->
  lsum (fun x => rsum N (fun k =>
      rsum T (fun r => w r * failure eta alpha (answer r (state r x) k) (out x k)))) (bitstrings N)
    <= delta * (INR N * 2 ^ N) ->
  (1 - H2 delta) * INR N <= INR b.
Proof.
  exact (RandomInstanceFails.random_instance_fails_mean N b T w delta eta alpha theta out state answer).
Qed.

(** With states of up to b bits, b + 1 stands for b. *)
Theorem random_instance_fails_mean_up_to (N b T : nat) (w : nat -> R) (delta eta alpha theta : R)
    (out : list bool -> nat -> R) (state : nat -> list bool -> list bool)
    (answer : nat -> list bool -> nat -> R) :
  distribution T w -> 0 <= delta <= 1 / 2 ->
  readable N eta alpha theta out ->
  (forall r x, (r < T)%nat -> length x = N -> (length (state r x) <= b)%nat) ->
  lsum (fun x => rsum N (fun k =>
      rsum T (fun r => w r * failure eta alpha (answer r (state r x) k) (out x k)))) (bitstrings N)
    <= delta * (INR N * 2 ^ N) ->
  (1 - H2 delta) * INR N <= INR (b + 1).
Proof.
  exact (RandomInstanceFails.random_instance_fails_mean_up_to
           N b T w delta eta alpha theta out state answer).
Qed.

(** The bound is attained: keeping the first b bits answers 2^b of the instances. *)
Theorem random_instance_fails_met (N b : nat) (eta alpha : R) (out : list bool -> nat -> R) :
  0 <= eta -> 0 <= alpha -> (b <= N)%nat ->
  exists (state : list bool -> list bool) (answer : list bool -> nat -> R),
    (forall x, length x = N -> length (state x) = b) /\
    (2 ^ b <= answered N eta alpha out state answer)%nat.
Proof. exact (RandomInstanceFails.random_instance_fails_met N b eta alpha out). Qed.

(** Row j, column c of a matrix of bits with rows of length w, written row by row as [x]. *)
Definition bit_at (w : nat) (x : list bool) (j c : nat) : bool := nth (j * w + c) x false.

(** The value matrix that holds a string of bits, row by row, from row a on. *)
Definition rows_from (a d_v : nat) (x : list bool) : matrix :=
  fun j c => bitval (bit_at d_v x (j - a) c).

(** The n d_v bits of the family: row a + i of the values is read by query i. *)
Definition family (a d_v : nat) (out : outputs) (Q : nat -> nat -> R) : list bool -> nat -> R :=
  fun x k => out (Q (k / d_v)%nat) (rows_from a d_v x) (k mod d_v).

(** T6 for tensor attention of order m: of the 2^(n d_v) value matrices, a cache of b bits
    answers at most the part 2^-k at every query, if b + k <= n d_v. *)
Theorem random_instance_fails_four_cache (n m d d_v : nat) (eta alpha g : R) (K : matrix)
    (Q : nat -> nat -> R) (state : matrix -> list bool) (answer : reader) (b k : nat) :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  leak (n - 1) g < leak_limit eta alpha ->
  (forall V, zero_one V -> length (state V) = b) -> (b + k <= n * d_v)%nat ->
  INR (answered (n * d_v) eta alpha (family 0 d_v (order_out 0 n m d K) Q)
         (fun x => state (rows_from 0 d_v x))
         (fun msg j => answer msg (Q (j / d_v)%nat) (j mod d_v)%nat)) / 2 ^ (n * d_v) <= / 2 ^ k.
Proof.
  exact (RandomInstanceFails.random_instance_fails_four_cache n m d d_v eta alpha g K Q state answer b k).
Qed.

(** * T7 `sliding-window` *)

(** Query i singles out token a + i among the tokens a .. a+n-1. *)
Definition window_margin (a n d : nat) (K : matrix) (Q : nat -> nat -> R) (g : R) : Prop :=
  forall i j, (i < n)%nat -> (a <= j < a + n)%nat -> j <> (a + i)%nat ->
    logit d (Q i) K (a + i) >= logit d (Q i) K j + g.

(** Attention of order m to the last W of n tokens, in every slot. *)
Definition window_out (n W m d : nat) (K : matrix) : outputs := order_out (n - W) W m d K.

(** The floor n d_v of T1 becomes W d_v, and the last W rows of the values meet it. *)
Theorem sliding_window (n W m d d_v : nat) (eta alpha g : R) (K : matrix) (Q : nat -> nat -> R) :
  guarantee eta alpha -> (1 <= m)%nat ->
  window_margin (n - W) W d K Q g -> leak (W - 1) g < leak_limit eta alpha ->
  forall b, serves W d_v eta alpha (window_out n W m d K) Q b <-> (W * d_v <= b)%nat.
Proof. exact (SlidingWindow.sliding_window n W m d d_v eta alpha g K Q). Qed.

Theorem sliding_window_randomized (n W m d d_v : nat) (eta alpha g : R) (K : matrix)
    (Q : nat -> nat -> R) :
  guarantee eta alpha -> (1 <= m)%nat ->
  window_margin (n - W) W d K Q g -> leak (W - 1) g < leak_limit eta alpha ->
  forall delta b, 0 <= delta <= 1 / 2 ->
    serves_randomized W d_v eta alpha delta (window_out n W m d K) Q b ->
    (1 - H2 delta) * INR (W * d_v) <= INR b.
Proof. exact (SlidingWindow.sliding_window_randomized n W m d d_v eta alpha g K Q). Qed.

(** A cache that keeps nothing of tokens before the window cannot serve attention without it:
    flip a bit of such a token; the state is the same, and no answer is accurate for both. *)
Theorem sliding_window_unrestricted (n W m d : nat) (eta alpha g : R) (K : matrix)
    (Q : nat -> nat -> R) (state : matrix -> list bool) (i c : nat) :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  leak (n - 1) g < leak_limit eta alpha ->
  (forall V V', (forall j c, (n - W <= j < n)%nat -> V j c = V' j c) -> state V = state V') ->
  (i < n - W)%nat ->
  exists V V', zero_one V /\ zero_one V' /\ state V = state V' /\
    forall o, ~ (accurate eta alpha o (order_out 0 n m d K (Q i) V c) /\
                 accurate eta alpha o (order_out 0 n m d K (Q i) V' c)).
Proof. exact (SlidingWindow.sliding_window_unrestricted n W m d eta alpha g K Q state i c). Qed.

(** * S1 `value-floor` *)

(** Symbol k of 0 .. L-1 stands for k / (L-1); row 0 of the values is all ones, every other entry
    is on that grid. *)
Definition level (L k : nat) : R := INR k / INR (L - 1).
Definition grid_values (L : nat) (V : matrix) : Prop :=
  (forall c, V 0%nat c = 1) /\ (forall j c, exists k, (k < L)%nat /\ V j c = level L k).

(** The logit of the pair (i, k) is at least g above that of every other pair. *)
Definition singles_out (n1 n2 : nat) (s : nat -> nat -> R) (i k : nat) (g : R) : Prop :=
  forall j l, (j < n1)%nat -> (l < n2)%nat -> (j, l) <> (i, k) -> s i k >= s j l + g.

(** Given keys whose leak is below the room between neighbouring levels, an accurate cache has as
    many states as there are instances. *)
Theorem value_floor_states (n1 n2 d d_v L : nat) (eta alpha g : R) (K1 K2 : matrix)
    (Q : nat -> nat -> nat -> R) :
  (1 <= n1)%nat -> (1 <= n2)%nat -> (2 <= L)%nat -> 0 <= eta < 1 -> 0 <= alpha ->
  (forall i k, (i < n1)%nat -> (k < n2)%nat -> i = 0%nat \/ k = 0%nat ->
     singles_out n1 n2 (logit2 d (Q i k) K1 K2) i k g) ->
  INR (n1 * n2 - 1) * exp (- g) * (1 + eta + 2 * alpha)
    < (1 - eta * INR (2 * L - 3)) / INR (L - 1) - 2 * alpha ->
  forall (states : list (list bool)) (state : matrix -> matrix -> list bool) (answer : reader),
    (forall V1 V2, grid_values L V1 -> grid_values L V2 -> In (state V1 V2) states) ->
    (forall V1 V2 i k c, grid_values L V1 -> grid_values L V2 ->
       (i < n1)%nat -> (k < n2)%nat -> i = 0%nat \/ k = 0%nat -> (c < d_v)%nat ->
       accurate eta alpha (answer (state V1 V2) (Q i k) c)
                          (attention2 n1 n2 d (Q i k) K1 K2 V1 V2 c)) ->
    (L ^ ((n1 + n2 - 2) * d_v) <= length states)%nat.
Proof. exact (ValueFloor.value_floor_states n1 n2 d d_v L eta alpha g K1 K2 Q). Qed.

(** Such keys exist in four dimensions or more; states of exactly b bits are then enough exactly if
    b >= (n1 + n2 - 2) d_v log₂ L. *)
Theorem value_floor (n1 n2 d d_v L : nat) (eta alpha : R) :
  (1 <= n1)%nat -> (1 <= n2)%nat -> (4 <= d)%nat -> (2 <= L)%nat ->
  0 <= eta < 1 -> 0 <= alpha -> eta * INR (2 * L - 3) + 2 * alpha * INR (L - 1) < 1 ->
  exists (K1 K2 : matrix) (Q : nat -> nat -> nat -> R), forall b,
    (exists (state : matrix -> matrix -> list bool) (answer : reader),
       (forall V1 V2, grid_values L V1 -> grid_values L V2 -> length (state V1 V2) = b) /\
       (forall V1 V2 i k c, grid_values L V1 -> grid_values L V2 ->
          (i < n1)%nat -> (k < n2)%nat -> (c < d_v)%nat ->
          accurate eta alpha (answer (state V1 V2) (Q i k) c)
                             (attention2 n1 n2 d (Q i k) K1 K2 V1 V2 c)))
    <-> INR ((n1 + n2 - 2) * d_v) * log2 (INR L) <= INR b.
Proof. exact (ValueFloor.value_floor n1 n2 d d_v L eta alpha). Qed.

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
Proof. exact (ValueFloor.value_floor_up_to n1 n2 d d_v L eta alpha). Qed.

(** The condition on the leak, as a margin in nats: g > ln(M(L-1)(1+η+2α)/(1-η(2L-3)-2α(L-1))). *)
Theorem value_floor_margin (M L : nat) (eta alpha g : R) :
  (1 <= M)%nat -> (2 <= L)%nat -> 0 <= eta -> 0 <= alpha ->
  eta * INR (2 * L - 3) + 2 * alpha * INR (L - 1) < 1 ->
  g > ln (INR M * INR (L - 1) * (1 + eta + 2 * alpha)
          / (1 - eta * INR (2 * L - 3) - 2 * alpha * INR (L - 1))) ->
  INR M * exp (- g) * (1 + eta + 2 * alpha)
    < (1 - eta * INR (2 * L - 3)) / INR (L - 1) - 2 * alpha.
Proof. exact (ValueFloor.value_floor_margin M L eta alpha g). Qed.

(** With public coins, failure probability at most δ and states of exactly b bits. *)
Theorem value_floor_randomized (n1 n2 d d_v L : nat) (eta alpha : R) :
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
Proof. exact (ValueFloor.value_floor_randomized n1 n2 d d_v L eta alpha). Qed.

(** b bits with L^N <= 2^b answer every query exactly, whatever the keys. *)
Theorem value_floor_met (n1 n2 d d_v L b : nat) (K1 K2 : matrix) :
  (2 <= L)%nat -> (1 <= n1)%nat -> (1 <= n2)%nat ->
  (L ^ ((n1 + n2 - 2) * d_v) <= 2 ^ b)%nat ->
  exists (state : matrix -> matrix -> list bool) (answer : reader),
    (forall V1 V2, length (state V1 V2) = b) /\
    (forall V1 V2 q c, grid_values L V1 -> grid_values L V2 -> (c < d_v)%nat ->
       answer (state V1 V2) q c = attention2 n1 n2 d q K1 K2 V1 V2 c).
Proof. exact (ValueFloor.value_floor_met n1 n2 d d_v L b K1 K2). Qed.

(** * S2 `sharp-floor` *)

(** The share of the first of two tied tuples whose logit is delta below that of the second. *)
Definition logistic (delta : R) : R := 1 / (1 + exp delta).

(** The query singles out (i, k) and (0, 0): their logits are equal, and g above all others. *)
Definition ties (n1 n2 : nat) (s : nat -> nat -> R) (i k : nat) (g : R) : Prop :=
  s i k = s 0%nat 0%nat /\
  forall j l, (j < n1)%nat -> (l < n2)%nat -> (j, l) <> (i, k) -> (j, l) <> (0, 0)%nat ->
    s 0%nat 0%nat >= s j l + g.

(** The inner product of the entrywise products of rows (j, l) and (j', l'). *)
Definition product_inner (a : nat) (A1 A2 : matrix) (j l j' l' : nat) : R :=
  rsum a (fun c => (A1 j c * A2 l c) * (A1 j' c * A2 l' c)).

(** A key is an address, public, of a columns, and a payload on the grid, all ones in row 0. *)
Definition sharp_key (L a : nat) (A K : matrix) : Prop :=
  (forall j c, (c < a)%nat -> K j c = A j c) /\ grid_values L (fun j c => K j (a + c)%nat).

(** A value has two marks, all ones but for a zero in row 0 of column [mark], and then symbols. *)
Definition marks (mark : nat) : matrix := fun j c =>
  if c =? mark then match j with O => 0 | _ => 1 end else 1.

Definition sharp_value (L mark : nat) (V : matrix) : Prop :=
  (forall j c, (c < 2)%nat -> V j c = marks mark j c) /\
  grid_values L (fun j c => V j (2 + c)%nat).

(** The level that payload i stands for, with a query of strength gamma. *)
Definition payload_level (gamma : R) (L i : nat) : R := logistic (gamma * (1 - level L i)).

(** Queries for values and for entry e of the payloads. *)
Definition value_query (a : nat) (P : nat -> R) : nat -> R := fun c => if c <? a then P c else 0.

Definition payload_query (a : nat) (gamma : R) (T : nat -> R) (e : nat) : nat -> R := fun c =>
  if c <? a then T c else if c =? a + e then gamma else 0.

(** In which column the output tells a payload of token i of slot 1, or of slot 2 if i = 0. *)
Definition told_in (i : nat) : nat := match i with O => 1 | _ => 0 end.

(** A cache may be asked for values with the queries P, for payloads with the queries T, for pairs
    with one token 0; [right] is what the answer must be. *)
Definition sharp_guarantee (n1 n2 a b f L : nat) (eta alpha gamma : R) (A1 A2 : matrix)
    (P T : nat -> nat -> nat -> R)
    (state : matrix -> matrix -> matrix -> matrix -> list bool) (answer : reader) : Prop :=
  forall K1 K2 V1 V2, sharp_key L a A1 K1 -> sharp_key L a A2 K2 ->
    sharp_value L 0 V1 -> sharp_value L 1 V2 ->
    let right q c := accurate eta alpha (answer (state K1 K2 V1 V2) q c)
                       (attention2 n1 n2 (a + b) q K1 K2 V1 V2 c) in
    forall i k, (i < n1)%nat -> (k < n2)%nat -> i = 0%nat \/ k = 0%nat -> (i, k) <> (0, 0)%nat ->
      (forall c, (c < f)%nat -> right (value_query a (P i k)) (2 + c)%nat) /\
      (forall e, (e < b)%nat -> right (payload_query a gamma (T i k) e) (told_in i)).

(** Given addresses, queries that read one pair on a margin g1 or two tied pairs on a margin g2,
    and more room between levels than leaks, a cache that is (eta, alpha)-accurate has as many
    states as there are instances. *)
Theorem sharp_floor_states (n1 n2 a b f L : nat) (eta alpha gamma g1 g2 : R) (A1 A2 : matrix)
    (P T : nat -> nat -> nat -> R) (states : list (list bool))
    (state : matrix -> matrix -> matrix -> matrix -> list bool) (answer : reader) :
  (1 <= n1)%nat -> (1 <= n2)%nat -> (2 <= L)%nat -> 0 <= eta < 1 -> 0 <= alpha -> 0 < gamma ->
  (forall i k, (i < n1)%nat -> (k < n2)%nat -> i = 0%nat \/ k = 0%nat -> (i, k) <> (0, 0)%nat ->
     singles_out n1 n2 (logit2 a (P i k) A1 A2) i k g1 /\
     ties n1 n2 (logit2 a (T i k) A1 A2) i k g2) ->
  excess (n1 * n2 - 1) g1 * (1 + eta + 2 * alpha)
    < (1 - eta * INR (2 * L - 3)) / INR (L - 1) - 2 * alpha ->
  (forall i, (S i < L)%nat ->
     excess (n1 * n2 - 2) g2 * (1 + eta + 2 * alpha)
       < (1 - eta) * payload_level gamma L (S i) - (1 + eta) * payload_level gamma L i
         - 2 * alpha) ->
  (forall K1 K2 V1 V2, sharp_key L a A1 K1 -> sharp_key L a A2 K2 ->
     sharp_value L 0 V1 -> sharp_value L 1 V2 -> In (state K1 K2 V1 V2) states) ->
  sharp_guarantee n1 n2 a b f L eta alpha gamma A1 A2 P T state answer ->
  (L ^ ((n1 + n2 - 2) * (f + b)) <= length states)%nat.
Proof.
  exact (SharpFloor.sharp_floor_states n1 n2 a b f L eta alpha gamma g1 g2 A1 A2 P T states state answer).
Qed.

(** With keys of 8 + b columns and values of 2 + f, states of exactly so many bits are enough exactly
    if these are at least (n1 + n2 - 2)(f + b) log₂ L. *)
Theorem sharp_floor (n1 n2 b f L : nat) (eta alpha gamma : R) :
  (1 <= n1)%nat -> (1 <= n2)%nat -> (2 <= L)%nat ->
  0 <= eta < 1 -> 0 <= alpha -> 0 < gamma ->
  eta * INR (2 * L - 3) + 2 * alpha * INR (L - 1) < 1 ->
  (forall i, (S i < L)%nat ->
     2 * alpha < (1 - eta) * payload_level gamma L (S i) - (1 + eta) * payload_level gamma L i) ->
  exists (A1 A2 : matrix) (P T : nat -> nat -> nat -> R), forall bits,
    (exists state answer,
       (forall K1 K2 V1 V2, sharp_key L 8 A1 K1 -> sharp_key L 8 A2 K2 ->
          sharp_value L 0 V1 -> sharp_value L 1 V2 -> length (state K1 K2 V1 V2) = bits) /\
       sharp_guarantee n1 n2 8 b f L eta alpha gamma A1 A2 P T state answer)
    <-> INR ((n1 + n2 - 2) * (f + b)) * log2 (INR L) <= INR bits.
Proof. exact (SharpFloor.sharp_floor n1 n2 b f L eta alpha gamma). Qed.

(** With states of up to so many bits, which are 2^(bits+1) - 1 in number, L^N < 2^(bits+1). *)
Theorem sharp_floor_up_to (n1 n2 b f L : nat) (eta alpha gamma : R) :
  (1 <= n1)%nat -> (1 <= n2)%nat -> (2 <= L)%nat ->
  0 <= eta < 1 -> 0 <= alpha -> 0 < gamma ->
  eta * INR (2 * L - 3) + 2 * alpha * INR (L - 1) < 1 ->
  (forall i, (S i < L)%nat ->
     2 * alpha < (1 - eta) * payload_level gamma L (S i) - (1 + eta) * payload_level gamma L i) ->
  exists (A1 A2 : matrix) (P T : nat -> nat -> nat -> R), forall bits state answer,
    (forall K1 K2 V1 V2, sharp_key L 8 A1 K1 -> sharp_key L 8 A2 K2 ->
       sharp_value L 0 V1 -> sharp_value L 1 V2 ->
       (length (state K1 K2 V1 V2) <= bits)%nat) ->
    sharp_guarantee n1 n2 8 b f L eta alpha gamma A1 A2 P T state answer ->
    (L ^ ((n1 + n2 - 2) * (f + b)) < 2 ^ (bits + 1))%nat.
Proof. exact (SharpFloor.sharp_floor_up_to n1 n2 b f L eta alpha gamma). Qed.

(** The same with public coins: each answer is inaccurate with probability at most delta. *)
Definition sharp_guarantee_randomized (n1 n2 a b f L : nat) (eta alpha gamma delta : R)
    (A1 A2 : matrix) (P Q : nat -> nat -> nat -> R) (T : nat) (chance : nat -> R)
    (state : nat -> matrix -> matrix -> matrix -> matrix -> list bool)
    (answer : nat -> reader) : Prop :=
  forall K1 K2 V1 V2, sharp_key L a A1 K1 -> sharp_key L a A2 K2 ->
    sharp_value L 0 V1 -> sharp_value L 1 V2 ->
    let right q c := rsum T (fun r => chance r * failure eta alpha
        (answer r (state r K1 K2 V1 V2) q c)
        (attention2 n1 n2 (a + b) q K1 K2 V1 V2 c)) <= delta in
    forall i k, (i < n1)%nat -> (k < n2)%nat -> i = 0%nat \/ k = 0%nat -> (i, k) <> (0, 0)%nat ->
      (forall c, (c < f)%nat -> right (value_query a (P i k)) (2 + c)%nat) /\
      (forall e, (e < b)%nat -> right (payload_query a gamma (Q i k) e) (told_in i)).

(** With public coins, failure probability at most δ and states of exactly so many bits:
    log₂ L - H₂(δ) - δ log₂(L-1) bits for each symbol. *)
Theorem sharp_floor_randomized (n1 n2 b f L : nat) (eta alpha gamma : R) :
  (1 <= n1)%nat -> (1 <= n2)%nat -> (2 <= L)%nat ->
  0 <= eta < 1 -> 0 <= alpha -> 0 < gamma ->
  eta * INR (2 * L - 3) + 2 * alpha * INR (L - 1) < 1 ->
  (forall i, (S i < L)%nat ->
     2 * alpha < (1 - eta) * payload_level gamma L (S i) - (1 + eta) * payload_level gamma L i) ->
  exists (A1 A2 : matrix) (P Q : nat -> nat -> nat -> R),
    forall bits T w delta state answer,
      distribution T w -> 0 <= delta <= INR (L - 1) / INR L ->
      (forall r K1 K2 V1 V2, sharp_key L 8 A1 K1 -> sharp_key L 8 A2 K2 ->
         sharp_value L 0 V1 -> sharp_value L 1 V2 -> length (state r K1 K2 V1 V2) = bits) ->
      sharp_guarantee_randomized n1 n2 8 b f L eta alpha gamma delta A1 A2 P Q T w state answer ->
      INR ((n1 + n2 - 2) * (f + b)) * (log2 (INR L) - H2 delta - delta * log2 (INR (L - 1)))
        <= INR bits.
Proof. exact (SharpFloor.sharp_floor_randomized n1 n2 b f L eta alpha gamma). Qed.

(** For the family, bits whose states are as many as the instances answer all queries exactly. *)
Theorem sharp_floor_met (n1 n2 a b f L bits : nat) (A1 A2 : matrix) :
  (2 <= L)%nat -> (1 <= n1)%nat -> (1 <= n2)%nat ->
  (L ^ ((n1 + n2 - 2) * (f + b)) <= 2 ^ bits)%nat ->
  exists (state : matrix -> matrix -> matrix -> matrix -> list bool) (answer : reader),
    (forall K1 K2 V1 V2, length (state K1 K2 V1 V2) = bits) /\
    (forall K1 K2 V1 V2 q c, sharp_key L a A1 K1 -> sharp_key L a A2 K2 ->
       sharp_value L 0 V1 -> sharp_value L 1 V2 -> (c < 2 + f)%nat -> (0 < f + b)%nat ->
       answer (state K1 K2 V1 V2) q c = attention2 n1 n2 (a + b) q K1 K2 V1 V2 c).
Proof. exact (SharpFloor.sharp_floor_met n1 n2 a b f L bits A1 A2). Qed.

(** Sign vectors no two of whose n1 n2 products have an inner product beyond ±μ: the margins are
    C (a - μ), and C (a - 3μ) of two tied pairs. *)
Theorem sharp_floor_sign_margins (n1 n2 a : nat) (mu C : R) (A1 A2 : matrix) (i k : nat) :
  sign_matrix A1 -> sign_matrix A2 -> 0 <= C ->
  (forall j l j' l', (j < n1)%nat -> (l < n2)%nat -> (j' < n1)%nat -> (l' < n2)%nat ->
     (j, l) <> (j', l') -> Rabs (product_inner a A1 A2 j l j' l') <= mu) ->
  (i < n1)%nat -> (k < n2)%nat -> (i, k) <> (0, 0)%nat ->
  singles_out n1 n2 (logit2 a (fun c => C * (A1 i c * A2 k c)) A1 A2) i k (C * (INR a - mu)) /\
  ties n1 n2 (logit2 a (fun c => C * (A1 i c * A2 k c + A1 0%nat c * A2 0%nat c)) A1 A2) i k
    (C * (INR a - 3 * mu)).
Proof. exact (SharpFloor.sharp_floor_sign_margins n1 n2 a mu C A1 A2 i k). Qed.

(** For α = 0 there is room between all payload levels exactly if γ > (L-1) ln((1+3η)/(1-η)). *)
Theorem sharp_floor_strength (L : nat) (eta gamma : R) :
  (2 <= L)%nat -> 0 <= eta < 1 -> 0 < gamma ->
  (forall i, (S i < L)%nat ->
     0 < (1 - eta) * payload_level gamma L (S i) - (1 + eta) * payload_level gamma L i)
  <-> gamma > INR (L - 1) * ln ((1 + 3 * eta) / (1 - eta)).
Proof. exact (SharpFloor.sharp_floor_strength L eta gamma). Qed.

(** * S2 `quantised-upper-bound` *)

(** Values within ±B: the output moves by at most 2 B tanh(ε/2), so by at most B ε. *)
Theorem quantised_upper_bound_logits {X} (l : list X) (s s' v : X -> R) (B eps : R) :
  l <> [] -> 0 < B -> 0 <= eps -> (forall t, In t l -> Rabs (s' t - s t) <= eps) ->
  (forall t, In t l -> Rabs (v t) <= B) ->
  Rabs (tuple_output l s' v - tuple_output l s v)
    <= 2 * B * ((exp eps - 1) / (exp eps + 1)) <= B * eps.
Proof. exact (QuantisedUpperBound.quantised_upper_bound_logits l s s' v B eps). Qed.

(** Entries of the rows that the tuple names are within ±B. *)
Definition entries_within (B : R) (Ms : list matrix) (t : list nat) (c : nat) : Prop :=
  forall r, (r < length Ms)%nat -> Rabs (nth r Ms ones (nth r t 0%nat) c) <= B.

Definition entries_close (eps : R) (Ms Ms' : list matrix) (t : list nat) (c : nat) : Prop :=
  forall r, (r < length Ms)%nat ->
    Rabs (nth r Ms' ones (nth r t 0%nat) c - nth r Ms ones (nth r t 0%nat) c) <= eps.

(** Rounding keys by ε_k and values by ε_v, within boxes of half-sides B_k and B_v, moves an output
    of order m by at most B_v^m ε_s + m B_v^(m-1) ε_v, where ε_s = ‖q‖₁ m B_k^(m-1) ε_k. *)
Theorem quantised_upper_bound (slots : list (list nat)) (d : nat) (q : nat -> R)
    (Ks Ks' Vs Vs' : list matrix) (c : nat) (Q Bk Bv ek ev : R) :
  let m := length slots in
  length Ks = m -> length Ks' = m -> length Vs = m -> length Vs' = m ->
  (forall js, In js slots -> js <> []) ->
  0 < Bk -> 0 < Bv -> 0 <= ek -> 0 <= ev ->
  rsum d (fun e => Rabs (q e)) <= Q ->
  (forall t e, In t (tuples slots) -> (e < d)%nat ->
     entries_within Bk Ks t e /\ entries_within Bk Ks' t e /\ entries_close ek Ks Ks' t e) ->
  (forall t, In t (tuples slots) ->
     entries_within Bv Vs t c /\ entries_within Bv Vs' t c /\ entries_close ev Vs Vs' t c) ->
  Rabs (tensor slots d q Ks' Vs' c - tensor slots d q Ks Vs c)
    <= Bv ^ m * (Q * (INR m * Bk ^ (m - 1) * ek)) + INR m * Bv ^ (m - 1) * ev.
Proof.
  exact (QuantisedUpperBound.quantised_upper_bound slots d q Ks Ks' Vs Vs' c Q Bk Bv ek ev).
Qed.

(** m n (d w_k + d_v w_v) bits answer every query of order m within that bound, with
    ε_k = B_k / 2^w_k and ε_v = B_v / 2^w_v, for all keys and values in the boxes. *)
Theorem quantised_upper_bound_cache (m n d d_v wk wv : nat) (Bk Bv : R) :
  (1 <= n)%nat -> 0 < Bk -> 0 < Bv ->
  exists (state : list matrix -> list matrix -> list bool) (answer : reader),
    forall Ks Vs, length Ks = m -> length Vs = m ->
      (forall r j e, (r < m)%nat -> (j < n)%nat -> (e < d)%nat ->
         Rabs (nth r Ks ones j e) <= Bk) ->
      (forall r j c, (r < m)%nat -> (j < n)%nat -> (c < d_v)%nat ->
         Rabs (nth r Vs ones j c) <= Bv) ->
      length (state Ks Vs) = (m * n * (d * wk + d_v * wv))%nat /\
      forall q Q c, rsum d (fun e => Rabs (q e)) <= Q -> (c < d_v)%nat ->
        Rabs (answer (state Ks Vs) q c - tensor (repeat (seq 0 n) m) d q Ks Vs c)
          <= Bv ^ m * (Q * (INR m * Bk ^ (m - 1) * (Bk / 2 ^ wk)))
             + INR m * Bv ^ (m - 1) * (Bv / 2 ^ wv).
Proof. exact (QuantisedUpperBound.quantised_upper_bound_cache m n d d_v wk wv Bk Bv). Qed.

(** * S3 `identifiability`, upper side *)

(** Columns of M scaled by tau. *)
Definition scaled (tau : nat -> R) (M : matrix) : matrix := fun j c => tau c * M j c.

(** Order 2 or more: a column scaled in one slot and scaled back in another changes no output. *)
Theorem identifiability_scaling (s1 s2 : list nat) (rest : list (list nat)) (d : nat)
    (q : nat -> R) (K1 K2 : matrix) (Ks : list matrix) (V1 V2 : matrix) (Vs : list matrix)
    (tau sigma : nat -> R) (c : nat) :
  (forall e, (e < d)%nat -> tau e <> 0) -> sigma c <> 0 ->
  tensor (s1 :: s2 :: rest) d q
    (scaled tau K1 :: scaled (fun e => / tau e) K2 :: Ks)
    (scaled sigma V1 :: scaled (fun e => / sigma e) V2 :: Vs) c
  = tensor (s1 :: s2 :: rest) d q (K1 :: K2 :: Ks) (V1 :: V2 :: Vs) c.
Proof.
  exact (Identifiability.identifiability_scaling s1 s2 rest d q K1 K2 Ks V1 V2 Vs tau sigma c).
Qed.

(** Order 1: one vector added to all keys changes no output. *)
Theorem identifiability_shift (n d : nat) (q : nat -> R) (K : nat -> nat -> R) (V : matrix)
    (k : nat -> R) (c : nat) :
  attention n d q (fun j e => K j e + k e) V c = attention n d q K V c.
Proof. exact (Identifiability.identifiability_shift n d q K V k c). Qed.

(** General position: row 0 has no zeros. *)
Definition general (d : nat) (Ms : list matrix) : Prop :=
  forall M c, In M Ms -> (c < d)%nat -> M 0%nat c <> 0.

(** The rows that the gauge fixes: row 0 of every slot but the first. All the others are free. *)
Definition fixed_row (slot row : nat) : bool := (0 <? slot) && (row =? 0).

(** The free entries of m matrices of n rows and d columns, as ((slot, row), column). *)
Definition free_entries (m n d : nat) : list (nat * nat * nat) :=
  filter (fun x => negb (fixed_row (fst (fst x)) (snd (fst x))))
    (list_prod (list_prod (seq 0 m) (seq 0 n)) (seq 0 d)).

(** m matrices whose fixed rows are ones. *)
Definition in_gauge (m d : nat) (Ms : list matrix) : Prop :=
  length Ms = m /\
  forall slot row c, (slot < m)%nat -> fixed_row slot row = true -> (c < d)%nat ->
    nth slot Ms ones row c = 1.

(** The matrices have the same free entries. *)
Definition agree_where_free (m n d : nat) (Ms Ms' : list matrix) : Prop :=
  forall slot row c, In (slot, row, c) (free_entries m n d) ->
    nth slot Ms ones row c = nth slot Ms' ones row c.

(** Order m: the gauge leaves mn(d + d_v) - (m-1)(d + d_v) entries free; keys and values in general
    position have the outputs of some in the gauge; and in the gauge the free entries tell the
    outputs. *)
Theorem identifiability (m n d d_v : nat) :
  (length (free_entries m n d) + length (free_entries m n d_v)
    = m * n * (d + d_v) - (m - 1) * (d + d_v))%nat /\
  (forall Ks Vs, length Ks = m -> length Vs = m -> general d (tl Ks) -> general d_v (tl Vs) ->
     exists Ks' Vs', in_gauge m d Ks' /\ in_gauge m d_v Vs' /\
       forall q c, (c < d_v)%nat ->
         tensor (repeat (seq 0 n) m) d q Ks' Vs' c = tensor (repeat (seq 0 n) m) d q Ks Vs c) /\
  (forall Ks Vs Ks' Vs', in_gauge m d Ks -> in_gauge m d_v Vs ->
     in_gauge m d Ks' -> in_gauge m d_v Vs' ->
     agree_where_free m n d Ks Ks' -> agree_where_free m n d_v Vs Vs' ->
     forall q c, (c < d_v)%nat ->
       tensor (repeat (seq 0 n) m) d q Ks' Vs' c = tensor (repeat (seq 0 n) m) d q Ks Vs c).
Proof. exact (Identifiability.identifiability m n d d_v). Qed.

(** Order 1: row 0 of the keys is fixed. *)
Definition free_keys (n d : nat) : list (nat * nat) :=
  filter (fun x => negb (fst x =? 0)) (list_prod (seq 0 n) (seq 0 d)).

(** Order 1: with row 0 of the keys zero, n(d + d_v) - d entries are free; all keys have the outputs
    of some with that row zero, the values being the same; and then the free entries tell the
    outputs. *)
Theorem identifiability_order_1 (n d d_v : nat) :
  (length (free_keys n d) + length (list_prod (seq 0 n) (seq 0 d_v)) = n * (d + d_v) - d)%nat /\
  (forall K V, exists K', (forall c, K' 0%nat c = 0) /\
     forall q c, attention n d q K' V c = attention n d q K V c) /\
  (forall K V K' V', (forall c, K 0%nat c = 0) -> (forall c, K' 0%nat c = 0) ->
     (forall row c, In (row, c) (free_keys n d) -> K row c = K' row c) ->
     (forall row c, In (row, c) (list_prod (seq 0 n) (seq 0 d_v)) -> V row c = V' row c) ->
     forall q c, (c < d_v)%nat -> attention n d q K' V' c = attention n d q K V c).
Proof. exact (Identifiability.identifiability_order_1 n d d_v). Qed.

(** * U1 `covering-number` *)

Definition vector := nat -> R.

(** ‖x‖₂ *)
Definition norm (d : nat) (x : vector) : R := sqrt (rsum d (fun c => x c * x c)).

(** ‖x‖_∞ *)
Fixpoint norm_sup (d : nat) (x : vector) : R :=
  match d with O => 0 | S k => Rmax (norm_sup k x) (Rabs (x k)) end.

Definition sub (x y : vector) : vector := fun c => x c - y c.

Definition mul (x y : vector) : vector := fun c => x c * y c.

Fixpoint pairwise {A} (P : A -> A -> Prop) (l : list A) : Prop :=
  match l with
  | [] => True
  | a :: rest => (forall b, In b rest -> P a b) /\ pairwise P rest
  end.

(** Points farther than delta from all centres before become centres, in the order in which they
    come. *)
Fixpoint greedy (d : nat) (delta : R) (centres points : list vector) : list vector :=
  match points with
  | [] => centres
  | x :: rest =>
      let near z := if Rle_dec (norm d (sub x z)) delta then true else false in
      greedy d delta (if existsb near centres then centres else x :: centres) rest
  end.

Definition net (d : nat) (delta : R) : list vector -> list vector := greedy d delta [].

Definition apart (d : nat) (delta : R) : list vector -> Prop :=
  pairwise (fun z z' => delta < norm d (sub z z')).

(** Centres more than delta apart in a ball of radius R: at most (1 + 2R/δ)^d. *)
Theorem covering_number_apart (d : nat) (delta radius : R) (w : vector) (centres : list vector) :
  (1 <= d)%nat -> 0 < delta -> 0 <= radius -> apart d delta centres ->
  (forall z, In z centres -> norm d (sub z w) <= radius) ->
  INR (length centres) <= (1 + 2 * radius / delta) ^ d.
Proof. exact (CoveringNumber.covering_number_apart d delta radius w centres). Qed.

(** A greedy net of points in such a ball covers them with so many centres, in whatever order the
    points come. *)
Theorem covering_number (d : nat) (delta radius : R) (w : vector) (points : list vector) :
  (1 <= d)%nat -> 0 < delta -> 0 <= radius ->
  (forall x, In x points -> norm d (sub x w) <= radius) ->
  INR (length (net d delta points)) <= (1 + 2 * radius / delta) ^ d /\
  (forall z, In z (net d delta points) -> In z points) /\
  (forall x, In x points -> exists z,
     In z (net d delta points) /\ norm d (sub x z) <= delta).
Proof. exact (CoveringNumber.covering_number d delta radius w points). Qed.

(** ‖k∘l - k'∘l'‖₂ <= ‖k - k'‖₂ ‖l‖_∞ + ‖k'‖_∞ ‖l - l'‖₂. *)
Theorem covering_number_product (d : nat) (k k' l l' : vector) :
  norm d (sub (mul k l) (mul k' l'))
    <= norm d (sub k k') * norm_sup d l + norm_sup d k' * norm d (sub l l').
Proof. exact (CoveringNumber.covering_number_product d k k' l l'). Qed.

(** The points of S are within delta of the m centres listed. *)
Definition clusters (d : nat) (S : vector -> Prop) (centres : list vector) (delta : R) : Prop :=
  forall x, S x -> exists z, In z centres /\ norm d (sub x z) <= delta.

(** (m, delta)-clusterable: within delta of m of its own points. *)
Definition clusterable (d : nat) (S : vector -> Prop) (m : nat) (delta : R) : Prop :=
  exists centres, length centres = m /\ (forall z, In z centres -> S z) /\
    clusters d S centres delta.

Definition products (S1 S2 : vector -> Prop) : vector -> Prop :=
  fun x => exists k l, S1 k /\ S2 l /\ x = mul k l.

(** Keys that are (m1, delta1)- and (m2, delta2)-clusterable, with entries of at most R1 and R2,
    have products that are (m1 m2, R2 delta1 + R1 delta2)-clusterable. *)
Theorem covering_number_clusterable (d : nat) (S1 S2 : vector -> Prop) (m1 m2 : nat)
    (delta1 delta2 R1 R2 : R) :
  (forall k, S1 k -> norm_sup d k <= R1) -> (forall l, S2 l -> norm_sup d l <= R2) ->
  clusterable d S1 m1 delta1 -> clusterable d S2 m2 delta2 ->
  clusterable d (products S1 S2) (m1 * m2) (R2 * delta1 + R1 * delta2).
Proof. exact (CoveringNumber.covering_number_clusterable d S1 S2 m1 m2 delta1 delta2 R1 R2). Qed.

(** * U2 `subgen` *)

(** Finite probability: outcomes with their probabilities. *)
Definition chances (A : Type) := list (R * A).

Definition expectation {A} (D : chances A) (f : A -> R) : R :=
  lsum (fun o => fst o * f (snd o)) D.

Definition variance {A} (D : chances A) (f : A -> R) : R :=
  expectation D (fun a => (f a - expectation D f) * (f a - expectation D f)).

Definition surely {A} (a : A) : chances A := [(1, a)].

Definition coin {A} (p : R) (a b : A) : chances A := [(p, a); (1 - p, b)].

Definition after {A B} (D : chances A) (k : A -> chances B) : chances B :=
  flat_map (fun o => map (fun o' => (fst o * fst o', snd o')) (k (snd o))) D.

Definition drawn {A B} (f : A -> B) (D : chances A) : chances B :=
  after D (fun a => surely (f a)).

(** Independent draws, one from each distribution. *)
Fixpoint independent {A} (Ds : list (chances A)) : chances (list A) :=
  match Ds with
  | [] => surely []
  | D :: rest => after D (fun a => after (independent rest) (fun l => surely (a :: l)))
  end.

(** A slot that ends up with each item of a stream with a probability proportional to its weight. *)
Section Items.
Variable A : Type.

(** After items of total weight mu, an item of weight w replaces what is in the slot with
    probability w / (mu + w). *)
Fixpoint reservoir_from (mu : R) (slot : chances (option A)) (stream : list (R * A))
  : chances (option A) :=
  match stream with
  | [] => slot
  | (w, x) :: rest =>
      reservoir_from (mu + w)
        (after slot (fun old => coin (w / (mu + w)) (Some x) old)) rest
  end.

Definition reservoir : list (R * A) -> chances (option A) := reservoir_from 0 (surely None).
End Items.

Definition inner_product (d : nat) (q k : vector) : R := rsum d (fun c => q c * k c).

(** Every key of a cluster counts the same. *)
Definition equally (cluster : list vector) : list (R * vector) := map (fun k => (1, k)) cluster.

(** What one of t samples of a cluster adds to the normaliser: n_x/t exp(<q,k>). *)
Definition sample_term (d t : nat) (q : vector) (cluster : list vector) (o : option vector) : R :=
  match o with Some k => INR (length cluster) / INR t * exp (inner_product d q k) | None => 0 end.

(** The estimate of τ = Σ exp(<q,k>): t samples of each cluster, all independent. *)
Definition normaliser (d t : nat) (q : vector) (clusters : list (list vector)) : chances (list R) :=
  independent (flat_map (fun cluster =>
    repeat (drawn (sample_term d t q cluster) (reservoir _ (equally cluster))) t) clusters).

(** Its value: the sum of the terms. *)
Definition added : list R -> R := lsum (fun x => x).

(** All exponentials of a list of keys, added. *)
Definition exps (d : nat) (q : vector) (keys : list vector) : R :=
  lsum (fun k => exp (inner_product d q k)) keys.

Section Order1.
Variables (d t : nat) (q : vector) (clusters : list (list vector)).
Hypothesis Ht : (1 <= t)%nat.
Hypothesis Hne : forall cluster, In cluster clusters -> cluster <> [].
(** The normaliser is unbiased. *)
Theorem subgen_normaliser_unbiased :
  expectation (normaliser d t q clusters) added = exps d q (concat clusters).
Proof. exact (Subgen.subgen_normaliser_unbiased d t q clusters Ht Hne ). Qed.

(** Var τ <= τ² (ϱ-1)²/(4ϱt) with ϱ = exp(2 r delta). *)
Theorem subgen_normaliser_variance r delta :
  0 <= r * delta -> norm d q <= r ->
  (forall cluster, In cluster clusters -> exists centre,
     forall k, In k cluster -> norm d (sub k centre) <= delta) ->
  let rho := exp (2 * r * delta) in
  let tau := exps d q (concat clusters) in
  variance (normaliser d t q clusters) added
    <= tau * tau * ((rho - 1) * (rho - 1) / (4 * rho * INR t)).
Proof. exact (Subgen.subgen_normaliser_variance d t q clusters Ht Hne r delta). Qed.

End Order1.

Section Values.
Variables (d d_v s : nat) (q : vector) (tokens : list (vector * vector)).   (* keys and values *)
Hypothesis Hs : (1 <= s)%nat.
Definition square (v : vector) : R := rsum d_v (fun c => v c * v c).

(** μ = Σ ‖v‖² *)
Definition total_square : R := lsum (fun kv => square (snd kv)) tokens.

(** A slot holds a token with probability ‖v‖²/μ. *)
Definition slot : chances (option (vector * vector)) :=
  reservoir _ (map (fun kv => (square (snd kv), kv)) tokens).

(** What a slot adds to column c: μ/(s‖v‖²) exp(<q,k>) v_c. *)
Definition slot_term (c : nat) (o : option (vector * vector)) : R :=
  match o with
  | Some (k, v) => total_square / (INR s * square v) * exp (inner_product d q k) * v c
  | None => 0
  end.

(** The s slots, independent. *)
Definition slots : chances (list (option (vector * vector))) := independent (repeat slot s).

(** The numerator is unbiased, column by column. *)
Theorem subgen_values_unbiased c : (c < d_v)%nat ->
  expectation slots (lsum (slot_term c))
    = lsum (fun kv => exp (inner_product d q (fst kv)) * snd kv c) tokens.
Proof. exact (Subgen.subgen_values_unbiased d d_v s q tokens Hs c). Qed.

(** E‖z - E z‖² <= (μ/s) Σ exp(<q,k>)². *)
Theorem subgen_values_variance :
  rsum d_v (fun c => variance slots (lsum (slot_term c)))
    <= total_square / INR s
       * lsum (fun kv => exp (inner_product d q (fst kv)) * exp (inner_product d q (fst kv)))
              tokens.
Proof. exact (Subgen.subgen_values_variance d d_v s q tokens Hs ). Qed.

End Values.

(** * U4 `subgen-four-cache` *)

(** A sample of a cluster, with the number of keys that it stands for. *)
Definition counted (cluster : list vector) (o : option vector) : R * vector :=
  match o with Some k => (INR (length cluster), k) | None => (0, fun _ => 0) end.

(** One sample of every cluster of a slot. *)
Definition one_each (clusters : list (list vector)) : chances (list (R * vector)) :=
  independent (map (fun cluster => drawn (counted cluster) (reservoir _ (equally cluster))) clusters).

Section FourCache.
Variables (d t : nat) (q : vector) (clusters1 clusters2 : list (list vector)).
Hypothesis Ht : (1 <= t)%nat.
Hypothesis Hne1 : forall cluster, In cluster clusters1 -> cluster <> [].
Hypothesis Hne2 : forall cluster, In cluster clusters2 -> cluster <> [].
(** n_A n_B exp(<q, k∘l>), for samples k of A and l of B. *)
Definition pair_term (a b : R * vector) : R :=
  fst a * fst b * exp (inner_product d q (mul (snd a) (snd b))).

(** The sum over all pairs of clusters. *)
Definition combined (l1 l2 : list (R * vector)) : R :=
  lsum (fun a => lsum (fun b => pair_term a b) l2) l1.

(** One slot's estimate T of τ, and the mean of t independent ones. *)
Definition one_slot : chances R :=
  after (one_each clusters1) (fun l1 => after (one_each clusters2) (fun l2 =>
    surely (combined l1 l2))).

Definition four_normaliser : chances (list R) :=
  independent (repeat (drawn (fun x => / INR t * x) one_slot) t).

(** τ = Σ exp(<q, k∘l>) over all pairs of keys. *)
Definition pair_exps (A B : list vector) : R :=
  lsum (fun k => lsum (fun l => exp (inner_product d q (mul k l))) B) A.

Definition four_tau : R := pair_exps (concat clusters1) (concat clusters2).

(** The normaliser is unbiased. *)
Theorem subgen_four_cache_unbiased : expectation four_normaliser added = four_tau.
Proof.
  exact (SubgenFourCache.subgen_four_cache_unbiased d t q clusters1 clusters2 Ht Hne1 Hne2 ).
Qed.

(** Var τ <= τ² (ϱ-1)²/(ϱt) with ϱ = exp(2 r (R_2 δ_1 + R_1 δ_2)). *)
Theorem subgen_four_cache_variance r R1 R2 delta1 delta2 :
  0 <= delta1 -> 0 <= delta2 -> 0 <= R1 -> 0 <= R2 -> norm d q <= r ->
  (forall A, In A clusters1 -> exists centre, forall k, In k A ->
     norm d (sub k centre) <= delta1) ->
  (forall B, In B clusters2 -> exists centre, forall l, In l B ->
     norm d (sub l centre) <= delta2) ->
  (forall A k, In A clusters1 -> In k A -> norm_sup d k <= R1) ->
  (forall B l, In B clusters2 -> In l B -> norm_sup d l <= R2) ->
  let rho := exp (2 * r * (R2 * delta1 + R1 * delta2)) in
  variance four_normaliser added
    <= four_tau * four_tau * ((rho - 1) * (rho - 1) / (rho * INR t)).
Proof.
  exact (SubgenFourCache.subgen_four_cache_variance d t q clusters1 clusters2 Ht Hne1 Hne2
           r R1 R2 delta1 delta2).
Qed.

End FourCache.

(** * E1 `exact-equality` *)

(** [A] is a ring of real numbers: for example the rationals, or the algebraic numbers. *)
Definition ring_of_numbers (A : R -> Prop) : Prop :=
  A 1 /\ (forall x y, A x -> A y -> A (x - y)) /\ (forall x y, A x -> A y -> A (x * y)).

(** What Lindemann and Weierstrass proved for the algebraic numbers: the exponentials of different
    numbers in A are linearly independent over A. *)
Definition exponentials_independent (A : R -> Prop) : Prop :=
  forall terms : list (R * R),      (* coefficients and exponents *)
    (forall a s, In (a, s) terms -> A a /\ A s) ->
    NoDup (map snd terms) ->
    lsum (fun term => fst term * exp (snd term)) terms = 0 ->
    forall a s, In (a, s) terms -> a = 0.

(** The sum of f over the terms whose exponent is t. *)
Definition group (n : nat) (s f : nat -> R) (t : R) : R :=
  rsum n (fun j => if Req_EM_T (s j) t then f j else 0).

(** A sum of exponentials vanishes exactly if, for every exponent, its coefficients add to 0. *)
Theorem exact_equality_sum (A : R -> Prop) (n : nat) (s f : nat -> R) :
  ring_of_numbers A -> exponentials_independent A ->
  (forall j, (j < n)%nat -> A (s j) /\ A (f j)) ->
  rsum n (fun j => f j * exp (s j)) = 0 <-> (forall j, (j < n)%nat -> group n s f (s j) = 0).
Proof. exact (ExactEquality.exact_equality_sum A n s f). Qed.

(** How many tuples have the logit t. *)
Definition multiplicity (n : nat) (s : nat -> R) (t : R) : R := group n s (fun _ => 1) t.

(** out = r exactly if a_s = r m_s for every logit s: a_s is the sum of the values of the tuples
    of logit s, m_s their number. *)
Theorem exact_equality (A : R -> Prop) (n : nat) (s v : nat -> R) (r : R) :
  ring_of_numbers A -> exponentials_independent A -> (1 <= n)%nat ->
  (forall j, (j < n)%nat -> A (s j) /\ A (v j)) -> A r ->
  output n s v = r <->
  (forall j, (j < n)%nat -> group n s v (s j) = r * multiplicity n s (s j)).
Proof. exact (ExactEquality.exact_equality A n s v r). Qed.

(** Two outputs are equal exactly if, for every sum s_j + s'_l, the differences v_j - v'_l of the
    pairs with that sum add to 0. *)
Theorem exact_equality_outputs (A : R -> Prop) (n : nat) (s v : nat -> R) (n' : nat)
    (s' v' : nat -> R) :
  ring_of_numbers A -> exponentials_independent A -> (1 <= n)%nat -> (1 <= n')%nat ->
  (forall j, (j < n)%nat -> A (s j) /\ A (v j)) ->
  (forall l, (l < n')%nat -> A (s' l) /\ A (v' l)) ->
  let sums a := s (a / n')%nat + s' (a mod n')%nat in
  let differences a := v (a / n')%nat - v' (a mod n')%nat in
  output n s v = output n' s' v' <->
  (forall a, (a < n * n')%nat -> group (n * n') sums differences (sums a) = 0).
Proof. exact (ExactEquality.exact_equality_outputs A n s v n' s' v'). Qed.

(** The log-sum-exp is in A only for a single tuple, where it is the logit. *)
Theorem exact_equality_logsumexp (A : R -> Prop) (n : nat) (s : nat -> R) (r : R) :
  ring_of_numbers A -> exponentials_independent A ->
  (1 <= n)%nat -> (forall j, (j < n)%nat -> A (s j)) -> A r ->
  ln (rsum n (fun j => exp (s j))) = r <-> n = 1%nat /\ s 0%nat = r.
Proof. exact (ExactEquality.exact_equality_logsumexp A n s r). Qed.

(** * E2 `correct-rounding-terminates` *)

(** Enclosures lo p <= y <= hi p whose widths tend to 0. *)
Definition encloses (lo hi : nat -> R) (y : R) : Prop :=
  (forall p, lo p <= y <= hi p) /\
  (forall width, 0 < width -> exists p0, forall p, (p0 <= p)%nat -> hi p - lo p < width).

(** A format has finitely many boundaries. If y is none of them, all enclosures from some precision
    on hold none: all their numbers round alike. *)
Theorem correct_rounding_terminates (boundaries : list R) (y : R) (lo hi : nat -> R) :
  encloses lo hi y -> ~ In y boundaries ->
  exists p0, forall p, (p0 <= p)%nat -> forall r, In r boundaries -> r < lo p \/ hi p < r.
Proof. exact (CorrectRoundingTerminates.correct_rounding_terminates boundaries y lo hi). Qed.

(** For an output: either the search ends, or the output is a boundary, which finitely many sums
    tell. *)
Theorem correct_rounding_terminates_output (A : R -> Prop) (n : nat) (s v : nat -> R)
    (boundaries : list R) (lo hi : nat -> R) :
  ring_of_numbers A -> exponentials_independent A -> (1 <= n)%nat ->
  (forall j, (j < n)%nat -> A (s j) /\ A (v j)) -> (forall r, In r boundaries -> A r) ->
  encloses lo hi (output n s v) ->
  (exists r, In r boundaries /\ output n s v = r /\
     forall j, (j < n)%nat -> group n s v (s j) = r * multiplicity n s (s j)) \/
  ((forall r, In r boundaries ->
      exists j, (j < n)%nat /\ group n s v (s j) <> r * multiplicity n s (s j)) /\
   exists p0, forall p, (p0 <= p)%nat -> forall r, In r boundaries -> r < lo p \/ hi p < r).
Proof.
  exact (CorrectRoundingTerminates.correct_rounding_terminates_output A n s v boundaries lo hi).
Qed.

(** On which side of r an output lies: the sign of Σ (v_j - r) exp(s_j). *)
Theorem correct_rounding_terminates_side (n : nat) (s v : nat -> R) (r : R) : (1 <= n)%nat ->
  (r < output n s v <-> 0 < rsum n (fun j => (v j - r) * exp (s j))) /\
  (output n s v < r <-> rsum n (fun j => (v j - r) * exp (s j)) < 0).
Proof. exact (CorrectRoundingTerminates.correct_rounding_terminates_side n s v r). Qed.

(** * T3 `time-memory`: see foundations/Programs.v for the programs *)

From KVFloor Require Import Programs.
Open Scope nat_scope.

(** One query to the two-cache: n²(d + d_v) multiplications. *)
Theorem time_memory_two (k : kind) (n d d_v : nat) (q : nat -> R) (K V : matrix) :
  count k (query_two R 0%R (n * n) d d_v q K V)
    = match k with
      | multiplications => n * n * (d + d_v)
      | additions => n * n * (d - 1) + (n * n - 1) * (1 + d_v)
      | divisions => d_v
      | exponentials => n * n
      end.
Proof. exact (TimeMemory.time_memory_two k n d d_v q K V). Qed.

(** One query to the four-cache, products formed first: 2n²(d + d_v) multiplications. *)
Theorem time_memory_formed (k : kind) (n d d_v : nat) (q : nat -> R) (K1 K2 V1 V2 : matrix) :
  count k (query_formed R 0%R n d d_v q K1 K2 V1 V2)
    = match k with
      | multiplications => 2 * (n * n) * (d + d_v)
      | additions => n * n * (d - 1) + (n * n - 1) * (1 + d_v)
      | divisions => d_v
      | exponentials => n * n
      end.
Proof. exact (TimeMemory.time_memory_formed k n d d_v q K1 K2 V1 V2). Qed.

(** One query to the four-cache, factored: (n² + n)(d + d_v) multiplications. *)
Theorem time_memory_factored (k : kind) (n d d_v : nat) (q : nat -> R) (K1 K2 V1 V2 : matrix) :
  count k (query_factored R 0%R n d d_v q K1 K2 V1 V2)
    = match k with
      | multiplications => (n * n + n) * (d + d_v)
      | additions => n * n * (d - 1) + (n * n - 1) * (1 + d_v)
      | divisions => d_v
      | exponentials => n * n
      end.
Proof. exact (TimeMemory.time_memory_factored k n d d_v q K1 K2 V1 V2). Qed.

(** Appending token n to the two-cache: (2n-1)(d + d_v) multiplications. *)
Theorem time_memory_append (k : kind) (n d d_v : nat) (K1 K2 V1 V2 : matrix) :
  count k (append_two R 0%R n d d_v K1 K2 V1 V2)
    = match k with multiplications => (2 * n - 1) * (d + d_v) | _ => 0 end.
Proof. exact (TimeMemory.time_memory_append k n d d_v K1 K2 V1 V2). Qed.

(** A decoding step of the factored four-cache never costs more than one of the two-cache, in any
    operation. *)
Theorem time_memory_domination (k : kind) (n d d_v : nat) (q : nat -> R)
    (K V K1 K2 V1 V2 : matrix) :
  count k (query_factored R 0%R n d d_v q K1 K2 V1 V2)
    <= count k (query_two R 0%R (n * n) d d_v q K V)
       + count k (append_two R 0%R n d d_v K1 K2 V1 V2).
Proof. exact (TimeMemory.time_memory_domination k n d d_v q K V K1 K2 V1 V2). Qed.

(** In multiplications it costs less, from two tokens on. *)
Theorem time_memory_domination_strict (n d d_v : nat) (q : nat -> R) (K V K1 K2 V1 V2 : matrix) :
  2 <= n -> 1 <= d + d_v ->
  count multiplications (query_factored R 0%R n d d_v q K1 K2 V1 V2)
    < count multiplications (query_two R 0%R (n * n) d d_v q K V)
       + count multiplications (append_two R 0%R n d d_v K1 K2 V1 V2).
Proof. exact (TimeMemory.time_memory_domination_strict n d d_v q K V K1 K2 V1 V2). Qed.

(** The two-cache saves n²(d + d_v) multiplications over forming the products first. *)
Theorem time_memory_saves (n d d_v : nat) (q : nat -> R) (K V K1 K2 V1 V2 : matrix) :
  count multiplications (query_formed R 0%R n d d_v q K1 K2 V1 V2)
    = count multiplications (query_two R 0%R (n * n) d d_v q K V) + n * n * (d + d_v).
Proof. exact (TimeMemory.time_memory_saves n d d_v q K V K1 K2 V1 V2). Qed.

Open Scope R_scope.

(** All three programs compute tensor attention of order 2. *)
Theorem time_memory_two_right (n d d_v : nat) (q : nat -> R) (K1 K2 V1 V2 : matrix) (c : nat) :
  (c < d_v)%nat ->
  run (query_two R 0 (n * n) d d_v q (khatri_rao n K1 K2) (khatri_rao n V1 V2)) c
    = attention2 n n d q K1 K2 V1 V2 c.
Proof. exact (TimeMemory.time_memory_two_right n d d_v q K1 K2 V1 V2 c). Qed.

Theorem time_memory_formed_right (n d d_v : nat) (q : nat -> R) (K1 K2 V1 V2 : matrix) (c : nat) :
  (c < d_v)%nat ->
  run (query_formed R 0 n d d_v q K1 K2 V1 V2) c = attention2 n n d q K1 K2 V1 V2 c.
Proof. exact (TimeMemory.time_memory_formed_right n d d_v q K1 K2 V1 V2 c). Qed.

Theorem time_memory_factored_right (n d d_v : nat) (q : nat -> R) (K1 K2 V1 V2 : matrix)
    (c : nat) :
  (c < d_v)%nat ->
  run (query_factored R 0 n d d_v q K1 K2 V1 V2) c = attention2 n n d q K1 K2 V1 V2 c.
Proof. exact (TimeMemory.time_memory_factored_right n d d_v q K1 K2 V1 V2 c). Qed.

(** A two-cache that decodes keeps the factors too: the products of the tokens so far do not
    determine those with a new token. *)
Theorem time_memory_products_not_enough :
  exists K1 K2 K1' K2' : matrix,
    (forall c, khatri_rao 1 K1 K2 0%nat c = khatri_rao 1 K1' K2' 0%nat c) /\
    (forall c, K2 1%nat c = K2' 1%nat c) /\
    (forall c, khatri_rao 2 K1 K2 1%nat c <> khatri_rao 2 K1' K2' 1%nat c).
Proof. exact TimeMemory.time_memory_products_not_enough. Qed.

(** * E3 `forward-error` *)

Section Rounding.
Variables u eps : R.

(** The relative error of an operation is at most this. *)
Definition precision (o : operation R) : R :=
  match o with exponential _ => eps | _ => u end.

(** The program may end with a, if every operation rounds. *)
Fixpoint rounded {A} (p : program R A) (a : A) : Prop :=
  match p with
  | done a' => a = a'
  | compute o next =>
      exists delta, Rabs delta <= precision o /\ rounded (next (result o * (1 + delta))) a
  end.
End Rounding.

(** Whatever the roundings, a query to the two-cache is off by at most F Σ p |V|, with
    1 + F = x² (1+u)^(M+1) / (1-u)^(M-1) and x = exp(((1+u)^d - 1) S̄)/(1-ε). *)
Theorem forward_error (u eps : R) (M d d_v : nat) (q : nat -> R) (K V : nat -> nat -> R)
    (Sbar : R) (out : nat -> R) (c : nat) :
  0 <= u < 1 -> 0 <= eps < 1 -> (1 <= M)%nat -> (c < d_v)%nat -> 0 <= Sbar ->
  (forall t, (t < M)%nat -> rsum d (fun e => Rabs (q e * K t e)) <= Sbar) ->
  rounded u eps (query_two R 0 M d d_v q K V) out ->
  let x := exp (((1 + u) ^ d - 1) * Sbar) / (1 - eps) in
  Rabs (out c - output M (logit d q K) (fun t => V t c))
    <= (x * x * (1 + u) ^ (M + 1) / (1 - u) ^ (M - 1) - 1)
       * output M (logit d q K) (fun t => Rabs (V t c)).
Proof. exact (ForwardError.forward_error u eps M d d_v q K V Sbar out c). Qed.

(** The same for the four-cache of order 2, products formed first: one more rounding of each key
    and each value. *)
Theorem forward_error_formed (u eps : R) (n d d_v : nat) (q : nat -> R)
    (K1 K2 V1 V2 : nat -> nat -> R) (Sbar : R) (out : nat -> R) (c : nat) :
  0 <= u < 1 -> 0 <= eps < 1 -> (1 <= n)%nat -> (c < d_v)%nat -> 0 <= Sbar ->
  (forall j l, (j < n)%nat -> (l < n)%nat ->
     rsum d (fun e => Rabs (q e * (K1 j e * K2 l e))) <= Sbar) ->
  rounded u eps (query_formed R 0 n d d_v q K1 K2 V1 V2) out ->
  let x := exp (((1 + u) ^ (1 + d) - 1) * Sbar) / (1 - eps) in
  Rabs (out c - attention2 n n d q K1 K2 V1 V2 c)
    <= (x * x * (1 + u) ^ (n * n + 2) / (1 - u) ^ (n * n - 1) - 1)
       * attention2 n n d q K1 K2 (fun j e => Rabs (V1 j e)) (fun l e => Rabs (V2 l e)) c.
Proof. exact (ForwardError.forward_error_formed u eps n d d_v q K1 K2 V1 V2 Sbar out c). Qed.

(** k roundings change a number by γ_k = ku/(1-ku) at most. *)
Theorem forward_error_gamma (u : R) (k : nat) : 0 <= u -> INR k * u < 1 ->
  (1 + u) ^ k <= 1 + INR k * u / (1 - INR k * u) /\ 1 - INR k * u <= (1 - u) ^ k.
Proof. exact (ForwardError.forward_error_gamma u k). Qed.
