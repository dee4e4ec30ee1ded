(** * T1 `four-cache` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions Families.
From KVFloor Require FourCache FourCacheKeys FourCacheOrder FourCacheStream.
Import ListNotations.
Open Scope R_scope.

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

(** [exact_floor] with the self token. *)
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
