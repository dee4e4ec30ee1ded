(** T2 `two-cache`, unstructured model: if any value may belong to any pair of tokens, n1 n2 d_v
    bits are needed. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Guarantee Bits Entropy DecodeThreshold Readable Keys FourCache.
Open Scope R_scope.

Definition pair_zero_one (W : pair_values) : Prop := forall j l c, W j l c = 0 \/ W j l c = 1.

(** The values of pairs that hold a string of bits. *)
Definition pair_values_of (n2 d_v : nat) (x : list bool) : pair_values :=
  fun j l c => bitval (bit_at d_v x (j * n2 + l) c).

Lemma pair_zero_one_of n2 d_v x : pair_zero_one (pair_values_of n2 d_v x).
Proof. intros j l c. unfold pair_values_of, bitval. destruct (bit_at _ _ _ _); auto. Qed.

Lemma readable_pairs n1 n2 d d_v eta alpha g :
  (4 <= d)%nat -> 0 <= eta < 1 -> 0 <= alpha -> 0 <= g ->
  leak (n1 * n2 - 1) g < (1 - eta) / 2 - alpha ->
  readable (n1 * n2 * d_v) eta alpha (threshold eta alpha)
    (fun x k => pair_attention n1 n2 d (pair_query g (k / d_v / n2) ((k / d_v) mod n2))
                  pair_key1 pair_key2 (pair_values_of n2 d_v x) (k mod d_v)).
Proof.
  intros Hd He Ha Hg Hlam x k o Hx Hk Ho.
  refine (readable_rows (n1 * n2) d_v eta alpha g
    (fun a a' => logit2 d (pair_query g (a / n2) (a mod n2)) pair_key1 pair_key2
                        (a' / n2) (a' mod n2)) He Ha Hlam _ x k o Hx Hk _).
  - intros i _. now apply keys_parabola_pairs.
  - rewrite pair_attention_flat in Ho. erewrite output_ext; [exact Ho|].
    intros a Ha'. unfold pair_values_of, values_of. do 2 f_equal.
    rewrite Nat.mul_comm. apply Nat.div_mod. lia.
Qed.

Lemma pair_and_column n1 n2 d_v k :
  (k < n1 * n2 * d_v)%nat ->
  (k / d_v / n2 < n1)%nat /\ ((k / d_v) mod n2 < n2)%nat /\ (k mod d_v < d_v)%nat.
Proof.
  intros Hk. assert (k / d_v < n1 * n2)%nat by (apply Nat.div_lt_upper_bound; lia).
  repeat split; [apply Nat.div_lt_upper_bound|apply Nat.mod_upper_bound..]; lia.
Qed.

(** A deterministic cache needs n1 n2 d_v bits. *)
Theorem two_cache n1 n2 d d_v eta alpha :
  (4 <= d)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K1 K2 : matrix) (Q : nat -> nat -> nat -> R),
    forall b (state : pair_values -> list bool) (answer : reader),
      (forall W, pair_zero_one W -> (length (state W) <= b)%nat) ->
      (forall W i k c, pair_zero_one W -> (i < n1)%nat -> (k < n2)%nat -> (c < d_v)%nat ->
         accurate eta alpha (answer (state W) (Q i k) c)
                  (pair_attention n1 n2 d (Q i k) K1 K2 W c)) ->
      (n1 * n2 * d_v <= b)%nat.
Proof.
  intros Hd He Ha Hsum.
  destruct (margin_exists (n1 * n2 - 1) eta alpha He Ha Hsum) as (g & Hg & Hlam).
  exists pair_key1, pair_key2, (pair_query g). intros b state answer Hbits Hgood.
  refine (readable_floor _ b eta alpha _ _ (fun x => state (pair_values_of n2 d_v x))
    (fun msg k => answer msg (pair_query g (k / d_v / n2) ((k / d_v) mod n2)) (k mod d_v)%nat)
    (readable_pairs n1 n2 d d_v eta alpha g Hd ltac:(lra) Ha Hg Hlam) _ _).
  - intros; apply Hbits, pair_zero_one_of.
  - intros x k _ Hk. destruct (pair_and_column n1 n2 d_v k Hk) as (H1 & H2 & H3).
    apply Hgood; [apply pair_zero_one_of|assumption..].
Qed.

(** The same if the state is kept in two parts, of b1 and b2 bits. *)
Theorem two_cache_split n1 n2 d d_v eta alpha :
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
Proof.
  intros Hd He Ha Hsum.
  destruct (two_cache n1 n2 d d_v eta alpha Hd He Ha Hsum) as (K1 & K2 & Q & H).
  exists K1, K2, Q. intros b1 b2 state1 state2 answer Hb1 Hb2 Hgood.
  apply (H (b1 + b2)%nat (fun W => state1 W ++ state2 W)%list
           (fun msg => answer (firstn b1 msg) (skipn b1 msg))).
  - intros W HW. rewrite app_length, Hb1, Hb2 by exact HW. lia.
  - intros W i k c HW Hi Hk Hc. rewrite <- (Hb1 W HW).
    rewrite firstn_app, Nat.sub_diag, firstn_all, firstn_O, app_nil_r.
    rewrite skipn_app, Nat.sub_diag, skipn_all, skipn_O. simpl. auto.
Qed.

(** With public coins and failure probability at most δ: (1 - H₂(δ)) n1 n2 d_v bits. *)
Theorem two_cache_randomized n1 n2 d d_v eta alpha :
  (4 <= d)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K1 K2 : matrix) (Q : nat -> nat -> nat -> R),
    forall b T w delta (state : nat -> pair_values -> list bool) (answer : nat -> reader),
      distribution T w -> 0 <= delta <= 1 / 2 ->
      (forall r W, pair_zero_one W -> length (state r W) = b) ->
      (forall W i k c, pair_zero_one W -> (i < n1)%nat -> (k < n2)%nat -> (c < d_v)%nat ->
         rsum T (fun r => w r * failure eta alpha (answer r (state r W) (Q i k) c)
           (pair_attention n1 n2 d (Q i k) K1 K2 W c)) <= delta) ->
      (1 - H2 delta) * INR (n1 * n2 * d_v) <= INR b.
Proof.
  intros Hd He Ha Hsum.
  destruct (margin_exists (n1 * n2 - 1) eta alpha He Ha Hsum) as (g & Hg & Hlam).
  exists pair_key1, pair_key2, (pair_query g).
  intros b T w delta state answer Hw Hdelta Hbits Hgood.
  refine (readable_floor_randomized _ b T w delta eta alpha _ _
    (fun r x => state r (pair_values_of n2 d_v x))
    (fun r msg k => answer r msg (pair_query g (k / d_v / n2) ((k / d_v) mod n2)) (k mod d_v)%nat)
    Hw Hdelta (readable_pairs n1 n2 d d_v eta alpha g Hd ltac:(lra) Ha Hg Hlam) _ _).
  - intros; apply Hbits, pair_zero_one_of.
  - intros x k _ Hk. destruct (pair_and_column n1 n2 d_v k Hk) as (H1 & H2 & H3).
    apply Hgood; [apply pair_zero_one_of|assumption..].
Qed.

(** n1 n2 d_v bits are enough for 0/1 values: exact answers to all queries. *)
Theorem two_cache_met n1 n2 d d_v (K1 K2 : matrix) :
  exists (state : pair_values -> list bool) (answer : reader),
    (forall W, length (state W) = (n1 * n2 * d_v)%nat) /\
    (forall W q c, pair_zero_one W -> (c < d_v)%nat ->
       answer (state W) q c = pair_attention n1 n2 d q K1 K2 W c).
Proof.
  exists (fun W => store (n1 * n2) d_v (fun a c => W (a / n2)%nat (a mod n2)%nat c)),
    (fun msg q c => pair_attention n1 n2 d q K1 K2 (pair_values_of n2 d_v msg) c). split.
  - intros W. apply store_length.
  - intros W q c HW Hc. unfold pair_attention.
    apply rsum_ext. intros j Hj. apply rsum_ext. intros l Hl. f_equal.
    change (pair_values_of n2 d_v ?x j l c) with (values_of d_v x (j * n2 + l)%nat c).
    rewrite store_exact by (assumption || nia || (intros a c'; apply HW)).
    now rewrite pair_div, pair_mod.
Qed.
