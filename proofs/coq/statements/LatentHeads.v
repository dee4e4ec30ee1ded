(** * H2 `latent-heads` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions Families.
From KVFloor Require LatentHeads.
Import ListNotations.
Open Scope R_scope.

(** A token's latent has r entries, C j f. The key of a head has d entries that its weights Wk
    compute from the latent, and then d_R that all heads share; its values have d_v columns, by
    Wv. *)
Definition latent_key (d r : nat) (Wk C shared : matrix) : matrix := fun j e =>
  if (e <? d)%nat then rsum r (fun f => Wk e f * C j f) else shared j (e - d)%nat.
Definition latent_value (r : nat) (Wv C : matrix) : matrix := fun j c =>
  rsum r (fun f => Wv c f * C j f).

(** The output of a head, in terms of the latents. *)
Definition latent_out (n d d_R r : nat) (Wk Wv shared : matrix) : outputs := fun q C c =>
  attention n (d + d_R) q (latent_key d r Wk C shared) (latent_value r Wv C) c.

(** The first a entries of a latent are public names, each other is one of L levels. *)
Definition latents (a L : nat) (lev : nat -> R) (name C : matrix) : Prop :=
  (forall j f, (f < a)%nat -> C j f = name j f) /\
  level_values L lev (fun j f => C j (a + f)%nat).

(** If the shared entries are two or more, they name the token: there are weights of values, shared
    entries and queries so that, for any weights of keys and L levels that are told apart, states of
    exactly b bits are enough for all heads exactly if b >= n r log₂ L. All heads together have r
    columns or more; otherwise their number does not matter. *)
Theorem latent_heads (n d d_R d_v heads r L : nat) (eta alpha : R) (lev : nat -> R)
    (name : matrix) :
  (2 <= d_R)%nat -> (r <= heads * d_v)%nat -> 0 <= eta < 1 -> 0 <= alpha ->
  told eta alpha L lev ->
  exists (Wv : nat -> matrix) (shared : matrix) (Q : nat -> nat -> R),
    forall (Wk : nat -> matrix) b,
    (exists (state : matrix -> list bool) (answer : nat -> reader),
       (forall C, latents 0 L lev name C -> length (state C) = b) /\
       (forall C h i c, latents 0 L lev name C ->
          (h < heads)%nat -> (i < n)%nat -> (c < d_v)%nat ->
          accurate eta alpha (answer h (state C) (Q i) c)
            (latent_out n d d_R r (Wk h) (Wv h) shared (Q i) C c)))
    <-> INR (n * r) * log2 (INR L) <= INR b.
Proof. exact (LatentHeads.latent_heads n d d_R d_v heads r L eta alpha lev name). Qed.

(** Whatever is shared, a >= 2 entries of the latent can name the token, which all heads pass on to
    their keys: r - a are free. *)
Theorem latent_heads_named (n d d_R d_v heads r a L : nat) (eta alpha : R) (lev : nat -> R)
    (shared : matrix) :
  (2 <= d)%nat -> (2 <= a <= r)%nat -> (r - a <= heads * d_v)%nat ->
  0 <= eta < 1 -> 0 <= alpha -> told eta alpha L lev ->
  exists (Wk Wv : nat -> matrix) (name : matrix) (Q : nat -> nat -> R), forall b,
    (exists (state : matrix -> list bool) (answer : nat -> reader),
       (forall C, latents a L lev name C -> length (state C) = b) /\
       (forall C h i c, latents a L lev name C ->
          (h < heads)%nat -> (i < n)%nat -> (c < d_v)%nat ->
          accurate eta alpha (answer h (state C) (Q i) c)
            (latent_out n d d_R r (Wk h) (Wv h) shared (Q i) C c)))
    <-> INR (n * (r - a)) * log2 (INR L) <= INR b.
Proof.
  exact (LatentHeads.latent_heads_named n d d_R d_v heads r a L eta alpha lev shared).
Qed.

(** Bits whose states are as many as the free entries' words answer every query of every head
    exactly, whatever its weights are. *)
Theorem latent_heads_met (n d d_R r a L : nat) (lev : nat -> R)
    (Wk Wv : nat -> matrix) (shared name : matrix) (b : nat) :
  (L ^ (n * (r - a)) <= 2 ^ b)%nat ->
  exists (state : matrix -> list bool) (answer : nat -> reader),
    (forall C, length (state C) = b) /\
    (forall C h q c, latents a L lev name C ->
       answer h (state C) q c = latent_out n d d_R r (Wk h) (Wv h) shared q C c).
Proof.
  exact (LatentHeads.latent_heads_met n d d_R r a L lev Wk Wv shared name b).
Qed.
