(** T1 `four-cache`: a cache of n tokens with d_v values each needs n d_v bits, and on 0/1 values
    n d_v bits are enough. Keys and queries are public and fixed; the cache is right for every
    0/1 value matrix. (No finite cache is right for all real values: such a floor would be
    vacuous.) *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Guarantee Bits Entropy DecodeThreshold Readable Keys.
Open Scope R_scope.

(** The value matrix that holds a string of bits, row by row. *)
Definition values_of (d_v : nat) (x : list bool) : matrix := fun j c => bitval (bit_at d_v x j c).

Lemma zero_one_values_of d_v x : zero_one (values_of d_v x).
Proof. apply zero_one_bitval. Qed.

(** n rows of d_v bits are readable through queries that single out one row each. *)
Lemma readable_rows n d_v eta alpha g (s : nat -> nat -> R) :
  0 <= eta < 1 -> 0 <= alpha -> leak (n - 1) g < (1 - eta) / 2 - alpha ->
  (forall i, (i < n)%nat -> margin n (s i) i g) ->
  readable (n * d_v) eta alpha (threshold eta alpha)
    (fun x k => output n (s (k / d_v)%nat) (fun j => values_of d_v x j (k mod d_v))).
Proof.
  intros He Ha Hlam Hg x k o Hx Hk Ho.
  assert (Hd : (0 < d_v)%nat) by lia.
  assert (Hi : (k / d_v < n)%nat) by (apply Nat.div_lt_upper_bound; lia).
  rewrite <- (bit_at_divmod d_v x k Hd).
  exact (decode_threshold n _ (fun j => bit_at d_v x j (k mod d_v)) _ g eta alpha o
    Hi (Hg _ Hi) He Ha Hlam Ho).
Qed.

(** ** Given keys K and queries Q such that query i singles out row i with margin g *)

Section GivenKeys.
Variables (n d d_v : nat) (eta alpha g : R) (K : matrix) (Q : nat -> nat -> R).
Hypothesis Heta : 0 <= eta < 1.
Hypothesis Halpha : 0 <= alpha.
Hypothesis Hleak : leak (n - 1) g < (1 - eta) / 2 - alpha.
Hypothesis Hmargin : forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g.

Lemma readable_attention :
  readable (n * d_v) eta alpha (threshold eta alpha)
    (fun x k => attention n d (Q (k / d_v)%nat) K (values_of d_v x) (k mod d_v)).
Proof.
  exact (readable_rows n d_v eta alpha g (fun i => logit d (Q i) K) Heta Halpha Hleak Hmargin).
Qed.

Lemma row_and_column k : (k < n * d_v)%nat -> (k / d_v < n)%nat /\ (k mod d_v < d_v)%nat.
Proof.
  intros Hk. split; [apply Nat.div_lt_upper_bound; lia|apply Nat.mod_upper_bound; lia].
Qed.

(** Fewer than n d_v bits: some value matrix is answered inaccurately at some query. *)
Lemma four_cache_failure b (state : matrix -> list bool) (answer : reader) :
  (b < n * d_v)%nat ->
  (forall V, zero_one V -> (length (state V) <= b)%nat) ->
  exists V i c, zero_one V /\ (i < n)%nat /\ (c < d_v)%nat /\
    ~ accurate eta alpha (answer (state V) (Q i) c) (attention n d (Q i) K V c).
Proof.
  intros Hb Hbits.
  destruct (readable_failure (n * d_v) b eta alpha _ _ (fun x => state (values_of d_v x))
    (fun msg k => answer msg (Q (k / d_v)%nat) (k mod d_v)%nat) readable_attention Hb)
    as (x & k & Hx & Hk & Hbad).
  - intros; apply Hbits, zero_one_values_of.
  - destruct (row_and_column k Hk).
    exists (values_of d_v x), (k / d_v)%nat, (k mod d_v)%nat.
    repeat split; [apply zero_one_values_of|assumption..].
Qed.

(** An (η, α)-accurate cache has n d_v bits, whenever the margin is enough. *)
Theorem four_cache_given_keys b (state : matrix -> list bool) (answer : reader) :
  (forall V, zero_one V -> (length (state V) <= b)%nat) ->
  (forall V i c, zero_one V -> (i < n)%nat -> (c < d_v)%nat ->
     accurate eta alpha (answer (state V) (Q i) c) (attention n d (Q i) K V c)) ->
  (n * d_v <= b)%nat.
Proof.
  intros Hbits Hgood. destruct (le_lt_dec (n * d_v) b) as [|Hlt]; [assumption|exfalso].
  destruct (four_cache_failure b state answer Hlt Hbits) as (V & i & c & HV & Hi & Hc & Hbad).
  apply Hbad; auto.
Qed.

(** With public coins and failure probability at most δ: (1 - H₂(δ)) n d_v bits. *)
Theorem four_cache_given_keys_randomized b T w delta
    (state : nat -> matrix -> list bool) (answer : nat -> reader) :
  distribution T w -> 0 <= delta <= 1 / 2 ->
  (forall r V, zero_one V -> length (state r V) = b) ->
  (forall V i c, zero_one V -> (i < n)%nat -> (c < d_v)%nat ->
     rsum T (fun r => w r * failure eta alpha
               (answer r (state r V) (Q i) c) (attention n d (Q i) K V c)) <= delta) ->
  (1 - H2 delta) * INR (n * d_v) <= INR b.
Proof.
  intros Hw Hdelta Hbits Hgood.
  refine (readable_floor_randomized (n * d_v) b T w delta eta alpha _ _
    (fun r x => state r (values_of d_v x))
    (fun r msg k => answer r msg (Q (k / d_v)%nat) (k mod d_v)%nat) Hw Hdelta
    readable_attention _ _).
  - intros; apply Hbits, zero_one_values_of.
  - intros x k _ Hk. destruct (row_and_column k Hk).
    apply Hgood; [apply zero_one_values_of|assumption..].
Qed.

End GivenKeys.

(** ** Such keys exist *)

(** Integer keys in two dimensions or more. *)
Theorem four_cache n d d_v eta alpha :
  (2 <= d)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K : matrix) (Q : nat -> nat -> R),
    forall b (state : matrix -> list bool) (answer : reader),
      (forall V, zero_one V -> (length (state V) <= b)%nat) ->
      (forall V i c, zero_one V -> (i < n)%nat -> (c < d_v)%nat ->
         accurate eta alpha (answer (state V) (Q i) c) (attention n d (Q i) K V c)) ->
      (n * d_v <= b)%nat.
Proof.
  intros Hd He Ha Hsum. destruct (margin_exists (n - 1) eta alpha He Ha Hsum) as (g & Hg & Hlam).
  exists parabola_key, (parabola_query g). intros b state answer.
  apply (four_cache_given_keys n d d_v eta alpha g _ _ ltac:(lra) Ha Hlam).
  intros i _. now apply keys_parabola.
Qed.

(** Keys with entries -1 and 1, in log₂ n dimensions or more: the paper's d = Ω(log n). *)
Theorem four_cache_sign_keys n d d_v eta alpha :
  (n <= 2 ^ d)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K : matrix) (Q : nat -> nat -> R), sign_matrix K /\
    forall b (state : matrix -> list bool) (answer : reader),
      (forall V, zero_one V -> (length (state V) <= b)%nat) ->
      (forall V i c, zero_one V -> (i < n)%nat -> (c < d_v)%nat ->
         accurate eta alpha (answer (state V) (Q i) c) (attention n d (Q i) K V c)) ->
      (n * d_v <= b)%nat.
Proof.
  intros Hd He Ha Hsum. destruct (margin_exists (n - 1) eta alpha He Ha Hsum) as (g & Hg & Hlam).
  exists binary_key, (binary_query (g / 2)). split; [apply binary_key_sign|].
  intros b state answer.
  apply (four_cache_given_keys n d d_v eta alpha g _ _ ltac:(lra) Ha Hlam).
  intros i Hi. replace g with (2 * (g / 2)) at 2 by field. apply keys_binary; [assumption..|lra].
Qed.

(** With public coins and failure probability at most δ: (1 - H₂(δ)) n d_v bits. *)
Theorem four_cache_randomized n d d_v eta alpha :
  (2 <= d)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K : matrix) (Q : nat -> nat -> R),
    forall b T w delta (state : nat -> matrix -> list bool) (answer : nat -> reader),
      distribution T w -> 0 <= delta <= 1 / 2 ->
      (forall r V, zero_one V -> length (state r V) = b) ->
      (forall V i c, zero_one V -> (i < n)%nat -> (c < d_v)%nat ->
         rsum T (fun r => w r * failure eta alpha
                   (answer r (state r V) (Q i) c) (attention n d (Q i) K V c)) <= delta) ->
      (1 - H2 delta) * INR (n * d_v) <= INR b.
Proof.
  intros Hd He Ha Hsum. destruct (margin_exists (n - 1) eta alpha He Ha Hsum) as (g & Hg & Hlam).
  exists parabola_key, (parabola_query g). intros b T w delta state answer.
  apply (four_cache_given_keys_randomized n d d_v eta alpha g _ _ ltac:(lra) Ha Hlam).
  intros i _. now apply keys_parabola.
Qed.

(** At the paper's δ = 1/10: at least 0.531 n d_v bits. *)
Theorem four_cache_tenth n d d_v eta alpha :
  (2 <= d)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K : matrix) (Q : nat -> nat -> R),
    forall b T w (state : nat -> matrix -> list bool) (answer : nat -> reader),
      distribution T w ->
      (forall r V, zero_one V -> length (state r V) = b) ->
      (forall V i c, zero_one V -> (i < n)%nat -> (c < d_v)%nat ->
         rsum T (fun r => w r * failure eta alpha
                   (answer r (state r V) (Q i) c) (attention n d (Q i) K V c)) <= 1 / 10) ->
      531 / 1000 * INR (n * d_v) <= INR b.
Proof.
  intros Hd He Ha Hsum. destruct (four_cache_randomized n d d_v eta alpha Hd He Ha Hsum)
    as (K & Q & H).
  exists K, Q. intros b T w state answer Hw Hb Hgood.
  pose proof (H b T w (1 / 10) state answer Hw ltac:(lra) Hb Hgood) as Hmain.
  pose proof (pos_INR (n * d_v)). pose proof H2_tenth. nra.
Qed.

(** ** The floor is met *)

(** The bits of a 0/1 matrix, row by row. *)
Definition store (n d_v : nat) (V : matrix) : list bool :=
  map (fun k => if Req_EM_T (V (k / d_v)%nat (k mod d_v)%nat) 1 then true else false)
      (seq 0 (n * d_v)).

Lemma store_length n d_v V : length (store n d_v V) = (n * d_v)%nat.
Proof. unfold store. now rewrite map_length, seq_length. Qed.

Lemma store_exact n d_v V j c :
  zero_one V -> (j < n)%nat -> (c < d_v)%nat -> values_of d_v (store n d_v V) j c = V j c.
Proof.
  intros HV Hj Hc. unfold values_of, bit_at, store.
  rewrite nth_map_seq by nia. rewrite pair_div, pair_mod by exact Hc.
  unfold bitval. destruct (Req_EM_T (V j c) 1) as [->|H]; [reflexivity|].
  destruct (HV j c); [symmetry; assumption|contradiction].
Qed.

(** For any public keys, n d_v bits give exact answers to all queries on 0/1 values. *)
Theorem four_cache_met n d d_v (K : matrix) :
  exists (state : matrix -> list bool) (answer : reader),
    (forall V, length (state V) = (n * d_v)%nat) /\
    (forall V q c, zero_one V -> (c < d_v)%nat ->
       answer (state V) q c = attention n d q K V c).
Proof.
  exists (store n d_v), (fun msg q c => attention n d q K (values_of d_v msg) c). split.
  - intros V. apply store_length.
  - intros V q c HV Hc. apply output_ext. intros j Hj. now apply store_exact.
Qed.

(** So the randomised floor's hypotheses can be met too, for every failure probability. *)
Theorem four_cache_randomized_met n d d_v (K : matrix) eta alpha delta :
  0 <= eta -> 0 <= alpha -> 0 <= delta ->
  exists T w (state : nat -> matrix -> list bool) (answer : nat -> reader),
    distribution T w /\
    (forall r V, length (state r V) = (n * d_v)%nat) /\
    (forall V q c, zero_one V -> (c < d_v)%nat ->
       rsum T (fun r => w r * failure eta alpha
                 (answer r (state r V) q c) (attention n d q K V c)) <= delta).
Proof.
  intros He Ha Hdelta. destruct (four_cache_met n d d_v K) as (state & answer & Hb & Hexact).
  exists 1%nat, (fun _ => 1), (fun _ => state), (fun _ => answer). split; [|split].
  - split; [intros; lra|simpl; ring].
  - intros _ V. apply Hb.
  - intros V q c HV Hc. rewrite Hexact by assumption. simpl rsum. unfold failure.
    destruct (accurate_dec _ _ _ _) as [|H]; [lra|].
    exfalso. apply H. now apply accurate_exact.
Qed.

(** The least number of bits of an (η, α)-accurate cache is exactly n d_v. *)
Theorem four_cache_exactly n d d_v eta alpha :
  (2 <= d)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K : matrix) (Q : nat -> nat -> R), forall b,
   (exists (state : matrix -> list bool) (answer : reader),
      (forall V, zero_one V -> (length (state V) <= b)%nat) /\
      (forall V i c, zero_one V -> (i < n)%nat -> (c < d_v)%nat ->
         accurate eta alpha (answer (state V) (Q i) c) (attention n d (Q i) K V c)))
   <-> (n * d_v <= b)%nat.
Proof.
  intros Hd He Ha Hsum. destruct (four_cache n d d_v eta alpha Hd He Ha Hsum) as (K & Q & H).
  exists K, Q. intros b. split.
  - intros (state & answer & Hb & Hg). exact (H b state answer Hb Hg).
  - intros Hb. destruct (four_cache_met n d d_v K) as (state & answer & H1 & H2).
    exists state, answer. split; [intros V _; now rewrite H1|].
    intros V i c HV Hi Hc. rewrite H2 by assumption. now apply accurate_exact.
Qed.
