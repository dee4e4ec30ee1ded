(** The main theorems, with every definition written out: whoever trusts Coq's kernel and this
    file's statements needs to read nothing else. Each proof only names the theorem of the claim's
    theory; the kernel checks that it states the same.

    From Coq's library come the natural numbers [nat], lists, the real numbers [R] with [exp] and
    [ln] (where ln x = 0 for x <= 0), [INR : nat -> R], and [Nat.testbit i c], bit c of i. Natural
    subtraction stops at 0. Matrices are functions of a row and a column, strings of bits are lists
    of booleans. Only T3, at the end, counts programs, whose definitions are a file of their own,
    [foundations/Programs.v]. *)
From Coq Require Import Reals List Arith.
From KVFloor Require
  SoftmaxConcentration DecodeThreshold IndexDeterministic IndexRandomized Keys SignKeys FourCache
  FourCacheOrder TwoCache ValueFloor Collision TimeMemory.
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

(** If every bit of every string is decoded with error probability at most δ from b bits, then
    (1 - H₂(δ)) N <= b. *)
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

(** With public coins and failure probability at most δ: (1 - H₂(δ)) n d_v bits. *)
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

(** With public coins and failure probability at most δ: (1 - H₂(δ)) n d_v bits. *)
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

(** Four cached matrices: with ones in the second slot the floor is that of order 1. *)
Theorem four_cache_order2 (n1 n2 d d_v : nat) (eta alpha : R) :
  (1 <= n2)%nat -> (2 <= d)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K1 K2 : matrix) (Q : nat -> nat -> R),
    forall b (state : matrix -> matrix -> list bool) (answer : reader),
      (forall V1 V2, zero_one V1 -> zero_one V2 -> (length (state V1 V2) <= b)%nat) ->
      (forall V1 V2 i c, zero_one V1 -> zero_one V2 -> (i < n1)%nat -> (c < d_v)%nat ->
         accurate eta alpha (answer (state V1 V2) (Q i) c)
                  (attention2 n1 n2 d (Q i) K1 K2 V1 V2 c)) ->
      (n1 * d_v <= b)%nat.
Proof. exact (FourCache.four_cache_order2 n1 n2 d d_v eta alpha). Qed.

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

(** With public coins: each answer is inaccurate with probability at most δ. *)
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

(** With public coins and failure probability at most δ: (1 - H₂(δ)) n d_v bits. *)
Theorem four_cache_order_randomized (n m d d_v : nat) (eta alpha g : R) (K : matrix)
    (Q : nat -> nat -> R) :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  leak (n - 1) g < leak_limit eta alpha ->
  forall delta b, 0 <= delta <= 1 / 2 ->
    serves_randomized n d_v eta alpha delta (order_out 0 n m d K) Q b ->
    (1 - H2 delta) * INR (n * d_v) <= INR b.
Proof. exact (FourCacheOrder.four_cache_order_randomized n m d d_v eta alpha g K Q). Qed.

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

(** With public coins and failure probability at most δ: (1 - H₂(δ)) n d_v bits. *)
Theorem four_cache_self_randomized (n m d d_v : nat) (eta alpha g : R) (K : matrix)
    (Q : nat -> nat -> R) :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) -> zero_margin n d K Q g ->
  leak_of (self_competitors n m) g < leak_limit eta alpha ->
  forall delta b, 0 <= delta <= 1 / 2 ->
    serves_randomized n d_v eta alpha delta (order_out_self n m d K) Q b ->
    (1 - H2 delta) * INR (n * d_v) <= INR b.
Proof. exact (FourCacheOrder.four_cache_self_randomized n m d d_v eta alpha g K Q). Qed.

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

(** With public coins and failure probability at most δ: (1 - H₂(δ)) n1 n2 d_v bits. *)
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

(** Any 2^b + 1 instances contain a collision of their states of b bits. *)
Theorem collision_among {A} (state : A -> list bool) (b : nat) (instances : list A) :
  NoDup instances -> (forall x, In x instances -> length (state x) = b) ->
  (2 ^ b < length instances)%nat ->
  exists x y, In x instances /\ In y instances /\ x <> y /\ state x = state y.
Proof. exact (Collision.collision_among state b instances). Qed.

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

(** Such keys exist in four dimensions or more; the least number of bits is then exactly the least
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

(** b bits with L^N <= 2^b answer every query exactly, whatever the keys. *)
Theorem value_floor_met (n1 n2 d d_v L b : nat) (K1 K2 : matrix) :
  (2 <= L)%nat -> (1 <= n1)%nat -> (1 <= n2)%nat ->
  (L ^ ((n1 + n2 - 2) * d_v) <= 2 ^ b)%nat ->
  exists (state : matrix -> matrix -> list bool) (answer : reader),
    (forall V1 V2, length (state V1 V2) = b) /\
    (forall V1 V2 q c, grid_values L V1 -> grid_values L V2 -> (c < d_v)%nat ->
       answer (state V1 V2) q c = attention2 n1 n2 d q K1 K2 V1 V2 c).
Proof. exact (ValueFloor.value_floor_met n1 n2 d d_v L b K1 K2). Qed.

(** * T3 `time-memory` *)

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
  1 <= n ->
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
  1 <= n ->
  count k (append_two R 0%R n d d_v K1 K2 V1 V2)
    = match k with multiplications => (2 * n - 1) * (d + d_v) | _ => 0 end.
Proof. exact (TimeMemory.time_memory_append k n d d_v K1 K2 V1 V2). Qed.

(** A decoding step of the factored four-cache never costs more than one of the two-cache, in any
    operation. *)
Theorem time_memory_domination (k : kind) (n d d_v : nat) (q : nat -> R)
    (K V K1 K2 V1 V2 : matrix) :
  1 <= n ->
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
