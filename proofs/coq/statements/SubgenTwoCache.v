(** * U3 `subgen-two-cache` *)
From Coq Require Import Reals List Arith Bool Permutation.
From KVFloor Require Import Definitions Probability.
From KVFloor Require SubgenTwoCache.
Import ListNotations.
Open Scope R_scope.

(** ** The rows, in the order in which tokens bring them *)

(** The pairs that token i makes with those before, and with itself. *)
Definition new_pairs (i : nat) : list (nat * nat) :=
  flat_map (fun l => [(l, i); (i, l)]) (seq 0 i) ++ [(i, i)].

(** Those of the tokens before n. *)
Definition pair_stream (n : nat) : list (nat * nat) := flat_map new_pairs (seq 0 n).

(** Token i, counted from 0, brings 2i + 1 pairs; those of n tokens are all pairs, each once. *)
Theorem subgen_two_cache_rows (n : nat) :
  (forall i, length (new_pairs i) = (2 * i + 1)%nat) /\
  Permutation (pair_stream n) (list_prod (seq 0 n) (seq 0 n)).
Proof. exact (SubgenTwoCache.subgen_two_cache_rows n). Qed.

(** ** SubGen on these rows *)

Definition product_row (A1 A2 : matrix) (p : nat * nat) : vector := mul (A1 (fst p)) (A2 (snd p)).

Section Tokens.
Variables (n d : nat) (q : vector) (K1 K2 : matrix).

(** The normaliser of order 2. *)
Definition total2 : R := rsum n (fun j => rsum n (fun l => exp (logit2 d q K1 K2 j l))).

Section Clusters.
Variables (t : nat) (clusters : list (list vector)).
Hypothesis Ht : (1 <= t)%nat.
Hypothesis Hne : forall cluster, In cluster clusters -> cluster <> [].
Hypothesis Hall : Permutation (concat clusters) (map (product_row K1 K2) (pair_stream n)).

(** Whatever the clusters of rows: the normaliser is unbiased. *)
Theorem subgen_two_cache_normaliser_unbiased :
  expectation (normaliser d t q clusters) added = total2.
Proof.
  exact (SubgenTwoCache.subgen_two_cache_normaliser_unbiased n d q K1 K2 t clusters Ht Hne Hall).
Qed.

(** Its variance, if the rows of a cluster are within delta of a centre. *)
Theorem subgen_two_cache_normaliser_variance r delta :
  0 <= r * delta -> norm d q <= r ->
  (forall cluster, In cluster clusters -> exists centre,
     forall k, In k cluster -> norm d (sub k centre) <= delta) ->
  let rho := exp (2 * r * delta) in
  variance (normaliser d t q clusters) added
    <= total2 * total2 * ((rho - 1) * (rho - 1) / (4 * rho * INR t)).
Proof.
  exact (SubgenTwoCache.subgen_two_cache_normaliser_variance n d q K1 K2 t clusters Ht Hne Hall
           r delta).
Qed.
End Clusters.

Section Values.
Variables (d_v s : nat) (V1 V2 : matrix).
Hypothesis Hs : (1 <= s)%nat.

(** Rows of keys and of values. *)
Definition rows_of_tokens : list (vector * vector) :=
  map (fun p => (product_row K1 K2 p, product_row V1 V2 p)) (pair_stream n).

(** The numerator is unbiased: over the normaliser it is attention of order 2. *)
Theorem subgen_two_cache_values_unbiased c : (1 <= n)%nat -> (c < d_v)%nat ->
  expectation (slots d_v s rows_of_tokens) (lsum (slot_term d d_v s q rows_of_tokens c))
    = attention2 n n d q K1 K2 V1 V2 c * total2.
Proof.
  exact (SubgenTwoCache.subgen_two_cache_values_unbiased n d q K1 K2 d_v s V1 V2 Hs c).
Qed.

(** Its variance: ‖V_1⊘V_2‖_F²/s times the sum of the squares of the exponentials. *)
Theorem subgen_two_cache_values_variance :
  rsum d_v (fun c => variance (slots d_v s rows_of_tokens)
                       (lsum (slot_term d d_v s q rows_of_tokens c)))
    <= rsum n (fun j => rsum n (fun l => rsum d_v (fun c =>
         (V1 j c * V2 l c) * (V1 j c * V2 l c)))) / INR s
       * rsum n (fun j => rsum n (fun l =>
           exp (logit2 d q K1 K2 j l) * exp (logit2 d q K1 K2 j l))).
Proof.
  exact (SubgenTwoCache.subgen_two_cache_values_variance n d q K1 K2 d_v s V1 V2 Hs).
Qed.
End Values.
End Tokens.

(** ** Clusters of products *)

(** Keys of slot r that cluster within δ_r of m_r of them make rows that fall into m_1 m_2 clusters,
    at most, of radius R_2 δ_1 + R_1 δ_2. *)
Theorem subgen_two_cache_clusters (n d : nat) (K1 K2 : matrix) (m1 m2 : nat)
    (delta1 delta2 R1 R2 : R) :
  (forall j, (j < n)%nat -> norm_sup d (K1 j) <= R1) ->
  (forall l, (l < n)%nat -> norm_sup d (K2 l) <= R2) ->
  clusterable d (fun k => exists j, (j < n)%nat /\ k = K1 j) m1 delta1 ->
  clusterable d (fun k => exists l, (l < n)%nat /\ k = K2 l) m2 delta2 ->
  exists cl, (length cl <= m1 * m2)%nat /\
    Permutation (concat cl) (map (product_row K1 K2) (pair_stream n)) /\
    (forall cluster, In cluster cl -> cluster <> [] /\ exists centre,
       forall k, In k cluster -> norm d (sub k centre) <= R2 * delta1 + R1 * delta2).
Proof.
  exact (SubgenTwoCache.subgen_two_cache_clusters n d K1 K2 m1 m2 delta1 delta2 R1 R2).
Qed.

(** ** Why the factors stay *)

(** Two streams whose n tokens have made the same rows may make other ones with the same token. *)
Theorem subgen_two_cache_factors (n d : nat) : (1 <= n)%nat -> (1 <= d)%nat ->
  exists K1 K2 K1' K2' : matrix,
    (forall p c, In p (pair_stream n) -> product_row K1 K2 p c = product_row K1' K2' p c) /\
    (forall c, K1 n c = K1' n c /\ K2 n c = K2' n c) /\
    (exists p c, In p (new_pairs n) /\ (c < d)%nat /\
       product_row K1 K2 p c <> product_row K1' K2' p c).
Proof. exact (SubgenTwoCache.subgen_two_cache_factors n d). Qed.
