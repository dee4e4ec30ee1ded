(** * H1 `heads-and-layers` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions Families.
From KVFloor Require HeadsAndLayers.
Import ListNotations.
Open Scope R_scope.

(** Layer l sees n l tokens, and its key-value head h has 0/1 values V l h of d_v columns. Some
    cache of at most b bits answers query i to each layer and head within (η, α): the answer is told
    layer, head and query. *)
Definition serves_layers (layers heads : nat) (n : nat -> nat) (d_v : nat) (eta alpha : R)
    (out : nat -> nat -> outputs) (Q : nat -> nat -> nat -> nat -> R) (b : nat) : Prop :=
  exists (state : (nat -> nat -> matrix) -> list bool) (answer : nat -> nat -> reader),
    (forall V, (forall l h, zero_one (V l h)) -> (length (state V) <= b)%nat) /\
    (forall V l h i c, (forall l h, zero_one (V l h)) ->
       (l < layers)%nat -> (h < heads)%nat -> (i < n l)%nat -> (c < d_v)%nat ->
       accurate eta alpha (answer l h (state V) (Q l h i) c) (out l h (Q l h i) (V l h) c)).

(** With public coins, and states of exactly b bits. *)
Definition serves_layers_randomized (layers heads : nat) (n : nat -> nat) (d_v : nat)
    (eta alpha delta : R) (out : nat -> nat -> outputs) (Q : nat -> nat -> nat -> nat -> R)
    (b : nat) : Prop :=
  exists T w (state : nat -> (nat -> nat -> matrix) -> list bool)
         (answer : nat -> nat -> nat -> reader),
    distribution T w /\
    (forall r V, (forall l h, zero_one (V l h)) -> length (state r V) = b) /\
    (forall V l h i c, (forall l h, zero_one (V l h)) ->
       (l < layers)%nat -> (h < heads)%nat -> (i < n l)%nat -> (c < d_v)%nat ->
       rsum T (fun r => w r * failure eta alpha (answer r l h (state r V) (Q l h i) c)
                          (out l h (Q l h i) (V l h) c)) <= delta).

(** Every layer and head with keys and queries of its own, attention of order m to n tokens: the
    least cache that serves them all has exactly Λ G n d_v bits. *)
Theorem heads_and_layers (layers heads n m d d_v : nat) (eta alpha g : R)
    (K : nat -> nat -> matrix) (Q : nat -> nat -> nat -> nat -> R) :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall l h i, (l < layers)%nat -> (h < heads)%nat -> (i < n)%nat ->
     margin n (logit d (Q l h i) (K l h)) i g) ->
  leak (n - 1) g < leak_limit eta alpha ->
  forall b, serves_layers layers heads (fun _ => n) d_v eta alpha
              (fun l h => order_out 0 n m d (K l h)) Q b
            <-> (layers * heads * (n * d_v) <= b)%nat.
Proof. exact (HeadsAndLayers.heads_and_layers layers heads n m d d_v eta alpha g K Q). Qed.

(** The first layers see all n tokens, the others a window: there the last W tokens count. *)
Theorem heads_and_layers_windows (full windows heads n W m d d_v : nat) (eta alpha g : R)
    (K : nat -> nat -> matrix) (Q : nat -> nat -> nat -> nat -> R) :
  let seen l := if (l <? full)%nat then n else W in
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall l h, (l < full + windows)%nat -> (h < heads)%nat ->
     window_margin (n - seen l) (seen l) d (K l h) (Q l h) g) ->
  (forall l, (l < full + windows)%nat -> leak (seen l - 1) g < leak_limit eta alpha) ->
  forall b, serves_layers (full + windows) heads seen d_v eta alpha
              (fun l h => window_out n (seen l) m d (K l h)) Q b
            <-> (heads * d_v * (full * n + windows * W) <= b)%nat.
Proof.
  exact (HeadsAndLayers.heads_and_layers_windows full windows heads n W m d d_v eta alpha g K Q).
Qed.

(** With public coins and failure probability at most δ: (1 - H₂(δ)) Λ G n d_v bits. *)
Theorem heads_and_layers_randomized (layers heads n m d d_v : nat) (eta alpha g : R)
    (K : nat -> nat -> matrix) (Q : nat -> nat -> nat -> nat -> R) :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall l h i, (l < layers)%nat -> (h < heads)%nat -> (i < n)%nat ->
     margin n (logit d (Q l h i) (K l h)) i g) ->
  leak (n - 1) g < leak_limit eta alpha ->
  forall delta b, 0 <= delta <= 1 / 2 ->
    serves_layers_randomized layers heads (fun _ => n) d_v eta alpha delta
      (fun l h => order_out 0 n m d (K l h)) Q b ->
    (1 - H2 delta) * INR (layers * heads * (n * d_v)) <= INR b.
Proof. exact (HeadsAndLayers.heads_and_layers_randomized layers heads n m d d_v eta alpha g K Q).
Qed.

(** Query heads add nothing: that many bits answer every query to every layer and head exactly. *)
Theorem heads_and_layers_met (layers heads n m d d_v : nat) (K : nat -> nat -> matrix) :
  (1 <= m)%nat ->
  exists (state : (nat -> nat -> matrix) -> list bool) (answer : nat -> nat -> reader),
    (forall V, length (state V) = (layers * heads * (n * d_v))%nat) /\
    (forall V l h q c, (forall l h, zero_one (V l h)) ->
       (l < layers)%nat -> (h < heads)%nat -> (c < d_v)%nat ->
       answer l h (state V) q c = order_out 0 n m d (K l h) q (V l h) c).
Proof. exact (HeadsAndLayers.heads_and_layers_met layers heads n m d d_v K). Qed.

(** ** Parts that are not alike *)

(** Part p has values on L p levels of its own. *)
Definition all_levels (L : nat -> nat) (lev : nat -> nat -> R) (V : nat -> matrix) : Prop :=
  forall p, level_values (L p) (lev p) (V p).

(** P parts, part p with n p tokens, order m p, keys of d p entries, d_v p columns and L p levels:
    states of exactly b bits are enough exactly if b >= Σ_p n_p d_v,p log₂ L_p. *)
Theorem heads_and_layers_parts (P : nat) (n m d d_v L : nat -> nat) (K : nat -> matrix)
    (Q : nat -> nat -> nat -> R) (lev : nat -> nat -> R) (g : nat -> R) (eta alpha : R) :
  0 <= eta < 1 -> 0 <= alpha -> (forall p, (1 <= L p)%nat) ->
  (forall p, (p < P)%nat -> (1 <= m p)%nat) ->
  (forall p i, (p < P)%nat -> (i < n p)%nat -> margin (n p) (logit (d p) (Q p i) (K p)) i (g p)) ->
  (forall p, (p < P)%nat -> leaves_room (n p) (g p) eta alpha (L p) (lev p)) ->
  forall b,
    (exists (state : (nat -> matrix) -> list bool) (answer : nat -> reader),
       (forall V, all_levels L lev V -> length (state V) = b) /\
       (forall V p i c, all_levels L lev V -> (p < P)%nat -> (i < n p)%nat -> (c < d_v p)%nat ->
          accurate eta alpha (answer p (state V) (Q p i) c)
            (order_out 0 (n p) (m p) (d p) (K p) (Q p i) (V p) c)))
    <-> rsum P (fun p => INR (n p * d_v p) * log2 (INR (L p))) <= INR b.
Proof. exact (HeadsAndLayers.heads_and_layers_parts P n m d d_v L K Q lev g eta alpha). Qed.

(** With public coins and failure probability at most δ each symbol of L_p levels takes
    log₂ L_p - H₂(δ) - δ log₂(L_p - 1) bits. *)
Theorem heads_and_layers_parts_randomized (P : nat) (n m d d_v L : nat -> nat) (K : nat -> matrix)
    (Q : nat -> nat -> nat -> R) (lev : nat -> nat -> R) (g : nat -> R) (eta alpha : R)
    (b T : nat) (w : nat -> R) (delta : R)
    (state : nat -> (nat -> matrix) -> list bool) (answer : nat -> nat -> reader) :
  0 <= eta < 1 -> 0 <= alpha -> (forall p, (2 <= L p)%nat) ->
  (forall p, (p < P)%nat -> (1 <= m p)%nat) ->
  (forall p i, (p < P)%nat -> (i < n p)%nat -> margin (n p) (logit (d p) (Q p i) (K p)) i (g p)) ->
  (forall p, (p < P)%nat -> leaves_room (n p) (g p) eta alpha (L p) (lev p)) ->
  distribution T w -> 0 <= delta <= 1 / 2 ->
  (forall u V, all_levels L lev V -> length (state u V) = b) ->
  (forall V p i c, all_levels L lev V -> (p < P)%nat -> (i < n p)%nat -> (c < d_v p)%nat ->
     rsum T (fun u => w u * failure eta alpha (answer u p (state u V) (Q p i) c)
                        (order_out 0 (n p) (m p) (d p) (K p) (Q p i) (V p) c)) <= delta) ->
  rsum P (fun p => INR (n p * d_v p)
    * (log2 (INR (L p)) - H2 delta - delta * log2 (INR (L p - 1)))) <= INR b.
Proof.
  exact (HeadsAndLayers.heads_and_layers_parts_randomized P n m d d_v L K Q lev g eta alpha b T w
    delta state answer).
Qed.
