(** The main theorems, with every definition written out: whoever trusts Coq's kernel and this
    file's statements needs to read nothing else. Each proof only names the theorem of the claim's
    theory; the kernel checks that it states the same.

    From Coq's library come the natural numbers [nat], lists, the real numbers [R] with [exp] and
    [ln] (where ln x = 0 for x <= 0), [INR : nat -> R], and [Nat.testbit i c], bit c of i. Natural
    subtraction stops at 0. Matrices are functions of a row and a column, strings of bits are lists
    of booleans. *)
From Coq Require Import Reals List Arith.
From KVFloor Require
  SoftmaxConcentration DecodeThreshold IndexDeterministic IndexRandomized Keys SignKeys FourCache
  TwoCache ValueFloor Collision.
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

(** A deterministic cache of order 2 has (n1 + n2 - 2) d_v bits. *)
Theorem value_floor_bits (n1 n2 d d_v : nat) (eta alpha : R) :
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
Proof. exact (ValueFloor.value_floor_bits n1 n2 d d_v eta alpha). Qed.
