(** * H6 `key-levels` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions Families.
From KVFloor Require KeyLevels.
Import ListNotations.
Open Scope R_scope.

(** ** Levels inside (0, 1), and payloads *)

(** (η, α) tells L levels inside (0, 1) apart exactly if levels of equal room in [0, 1] have some
    left. *)
Theorem key_levels_inside (eta alpha : R) (L : nat) : 0 <= eta < 1 -> 0 <= alpha -> (2 <= L)%nat ->
  (exists lev, told eta alpha L lev /\ forall s, (s < L)%nat -> 0 < lev s < 1)
  <-> 0 < equal_room eta alpha L.
Proof. exact (KeyLevels.key_levels_inside eta alpha L). Qed.

(** The share that a payload gives the first of two tied tokens is the level that it stands for. *)
Theorem key_levels_payload (gamma p : R) : gamma <> 0 -> 0 < p < 1 ->
  logistic (gamma * (1 - payload gamma p)) = p.
Proof. exact (KeyLevels.key_levels_payload gamma p). Qed.

(** The condition on the leak, as a margin in nats: g > ln((n-2)(1+η+2α)/ρ) + γ(X-1), for payloads
    up to X and the room ρ. *)
Theorem key_levels_margin (n : nat) (eta alpha rho gamma X g : R) :
  (3 <= n)%nat -> 0 < 1 + eta + 2 * alpha -> 0 < rho ->
  g > ln (INR (n - 2) * (1 + eta + 2 * alpha) / rho) + gamma * (X - 1) ->
  excess (n - 2) (g - gamma * (X - 1)) * (1 + eta + 2 * alpha) < rho.
Proof. exact (KeyLevels.key_levels_margin n eta alpha rho gamma X g). Qed.

(** ** The family, at order 1 *)

(** The query ties token j to token 0: their logits are equal, and g above all others. *)
Definition ties_to_first (n : nat) (s : nat -> R) (j : nat) (g : R) : Prop :=
  s j = s 0%nat /\ forall t, (t < n)%nat -> t <> j -> t <> 0%nat -> s 0%nat >= s t + g.

(** If (η, α) tells L levels apart, there are such keys of 3 + b entries and values of 1 + f, for any
    strength γ of queries for payloads, so that states of exactly so many bits are enough exactly if
    these are at least (n f + (n-1) b) log₂ L. *)
Theorem key_levels (n b f L : nat) (eta alpha gamma : R) :
  (2 <= L)%nat -> 0 <= eta < 1 -> 0 <= alpha -> 0 < gamma -> 0 < equal_room eta alpha L ->
  exists (A : matrix) (P T : nat -> nat -> R) (inside : nat -> R),
    let x s := payload gamma (inside s) in
    forall bits,
    (exists state answer,
       (forall K V, level_key L 3 x A K -> level_value L (equal_level eta L) V ->
          length (state K V) = bits) /\
       level_guarantee n 3 b f L eta alpha gamma (equal_level eta L) x A P T state answer)
    <-> INR (n * f + (n - 1) * b) * log2 (INR L) <= INR bits.
Proof. exact (KeyLevels.key_levels n b f L eta alpha gamma). Qed.

(** ** Given addresses and queries, and any levels and payloads *)

(** Bits whose states are as many as the instances answer every query exactly. *)
Theorem key_levels_met (n a b f L : nat) (lev x : nat -> R) (A : matrix) : (1 <= L)%nat ->
  forall bits, (L ^ (n * f + (n - 1) * b) <= 2 ^ bits)%nat ->
  exists (state : matrix -> matrix -> list bool) (answer : reader),
    (forall K V, length (state K V) = bits) /\
    (forall K V q c, level_key L a x A K -> level_value L lev V -> In c (seq 0 (1 + f)) ->
       answer (state K V) q c = attention n (a + b) q K V c).
Proof. exact (KeyLevels.key_levels_met n a b f L lev x A). Qed.

Section Given.
Variables (n a b f L : nat) (lev x : nat -> R) (A : matrix).
Variables (eta alpha gamma g1 g2 X : R) (P T : nat -> nat -> R).
Hypothesis Heta : 0 <= eta < 1.
Hypothesis Halpha : 0 <= alpha.
Hypothesis Hgamma : 0 < gamma.
Hypothesis HX : forall s, (s < L)%nat -> x s <= X.
Hypothesis Hread : forall j, (j < n)%nat -> margin n (logit a (P j) A) j g1.
Hypothesis Htie : forall j, (0 < j < n)%nat -> ties_to_first n (logit a (T j) A) j g2.
Hypothesis Hvalues : leaves_room n g1 eta alpha L lev.
Hypothesis Hkeys : forall s, (S s < L)%nat ->
  excess (n - 2) (g2 - gamma * (X - 1)) * (1 + eta + 2 * alpha)
    < (1 - eta) * logistic (gamma * (1 - x (S s))) - (1 + eta) * logistic (gamma * (1 - x s))
      - 2 * alpha.

(** There are as many states as instances. *)
Theorem key_levels_states (states : list (list bool)) (state : matrix -> matrix -> list bool)
    (answer : reader) :
  (1 <= L)%nat ->
  (forall K V, level_key L a x A K -> level_value L lev V -> In (state K V) states) ->
  level_guarantee n a b f L eta alpha gamma lev x A P T state answer ->
  (L ^ (n * f + (n - 1) * b) <= length states)%nat.
Proof.
  exact (fun HL => KeyLevels.key_levels_states n a b f L lev x A eta alpha gamma g1 g2 X P T Heta
           Halpha Hgamma HX Hread Htie Hvalues Hkeys HL states state answer).
Qed.

(** With states of up to so many bits, which are 2^(bits+1) - 1 in number. *)
Theorem key_levels_up_to bits (state : matrix -> matrix -> list bool) (answer : reader) :
  (1 <= L)%nat ->
  (forall K V, level_key L a x A K -> level_value L lev V -> (length (state K V) <= bits)%nat) ->
  level_guarantee n a b f L eta alpha gamma lev x A P T state answer ->
  (L ^ (n * f + (n - 1) * b) < 2 ^ (bits + 1))%nat.
Proof.
  exact (fun HL => KeyLevels.key_levels_up_to n a b f L lev x A eta alpha gamma g1 g2 X P T Heta
           Halpha Hgamma HX Hread Htie Hvalues Hkeys HL bits state answer).
Qed.

(** With public coins each answer is inaccurate with probability at most δ; states of exactly so
    many bits. *)
Theorem key_levels_randomized bits C w delta (state : nat -> matrix -> matrix -> list bool)
    (answer : nat -> reader) :
  (2 <= L)%nat -> distribution C w -> 0 <= delta <= INR (L - 1) / INR L ->
  (forall u K V, level_key L a x A K -> level_value L lev V -> length (state u K V) = bits) ->
  (forall K V, level_key L a x A K -> level_value L lev V ->
     let wrong q c := rsum C (fun u => w u * failure eta alpha (answer u (state u K V) q c)
                                         (attention n (a + b) q K V c)) in
     (forall j c, (j < n)%nat -> (c < f)%nat -> wrong (value_query a (P j)) (S c) <= delta) /\
     (forall j e, (0 < j < n)%nat -> (e < b)%nat ->
        wrong (payload_query a gamma (T j) e) 0%nat <= delta)) ->
  INR (n * f + (n - 1) * b) * (log2 (INR L) - H2 delta - delta * log2 (INR (L - 1))) <= INR bits.
Proof.
  exact (KeyLevels.key_levels_randomized n a b f L lev x A eta alpha gamma g1 g2 X P T Heta Halpha
           Hgamma HX Hread Htie Hvalues Hkeys bits C w delta state answer).
Qed.
End Given.
