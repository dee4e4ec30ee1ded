(** H2 `latent-heads`: heads that compute keys and values from one latent of r entries a token need
    n (r - a) symbols, a of the entries to name the token. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Guarantee Bits Entropy Tuples Symbols MixedSymbols Keys
  Levels GivenValues Serves Parts FourCacheOrder ValueLevels.
Import ListNotations.
Open Scope R_scope.

(** Keys of a head: d entries that it computes from the latent by its weights Wk, then the shared
    ones; its values: d_v columns, by Wv. *)
Definition latent_key (d r : nat) (Wk C shared : matrix) : matrix := fun j e =>
  if e <? d then rsum r (fun f => Wk e f * C j f) else shared j (e - d)%nat.
Definition latent_value (r : nat) (Wv C : matrix) : matrix := fun j c =>
  rsum r (fun f => Wv c f * C j f).

Definition latent_out (n d d_R r : nat) (Wk Wv shared : matrix) : outputs := fun q C c =>
  attention n (d + d_R) q (latent_key d r Wk C shared) (latent_value r Wv C) c.

(** The first a entries of a latent are public, each other is one of L levels. *)
Definition latents (a L : nat) (lev : nat -> R) (name C : matrix) : Prop :=
  (forall j f, (f < a)%nat -> C j f = name j f) /\
  level_values L lev (fun j f => C j (a + f)%nat).

(** A matrix that picks entry [from + c] into row c. *)
Definition picks (from : nat) : matrix := fun c f => if f =? from + c then 1 else 0.

Lemma picked r from c (x : nat -> R) : (from + c < r)%nat ->
  rsum r (fun f => picks from c f * x f) = x (from + c)%nat.
Proof.
  intros H. rewrite (rsum_split r (from + c)) by exact H. unfold picks at 1. rewrite Nat.eqb_refl.
  rewrite (rsum_ext r _ (fun _ => 0)); [rewrite rsum_const; ring|].
  intros f _. unfold picks. destruct (f =? from + c); ring.
Qed.

Section Floor.
Variables (n d d_R d_v heads r a L : nat) (eta alpha : R) (lev : nat -> R).
Hypothesis HL : (1 <= L)%nat.
Hypothesis Heta : 0 <= eta < 1.
Hypothesis Halpha : 0 <= alpha.
Hypothesis Hcolumns : (r - a <= heads * d_v)%nat.

Definition head_values (h : nat) : matrix := picks (a + h * d_v).

(** If queries see the parabola keys, whatever the latents hold, these are the values of one head
    with r - a columns. *)
Lemma latent_floor (Wk : nat -> matrix) (shared name : matrix)
    (embed : (nat -> R) -> nat -> R) g b :
  let Q i := embed (parabola_query g i) in
  leaves_room n g eta alpha L lev ->
  (forall C h i j, latents a L lev name C -> (i < n)%nat -> (j < n)%nat ->
     logit (d + d_R) (Q i) (latent_key d r (Wk h) C shared) j
     = logit 2 (parabola_query g i) parabola_key j) ->
  0 <= g ->
  (exists (state : matrix -> list bool) (answer : nat -> reader),
     (forall C, latents a L lev name C -> length (state C) = b) /\
     (forall C h i c, latents a L lev name C ->
        (h < heads)%nat -> (i < n)%nat -> (c < d_v)%nat ->
        accurate eta alpha (answer h (state C) (Q i) c)
          (latent_out n d d_R r (Wk h) (head_values h) shared (Q i) C c))) ->
  INR (n * (r - a)) * log2 (INR L) <= INR b.
Proof.
  intros Q Hleft Hlogit Hg (state & answer & Hb & Hgood). apply bits_of_symbols; [lia|].
  rewrite <- (bitstrings_length b).
  set (latent V := fun j f => if f <? a then name j f else V j (f - a)%nat).
  assert (Hlatent : forall V, level_values L lev V ->
            latents a L lev name (latent V)).
  { intros V HV. split.
    - intros j f Hf. unfold latent. destruct (Nat.ltb_spec f a); [reflexivity|lia].
    - intros j f. unfold latent. destruct (Nat.ltb_spec (a + f) a); [lia|].
      replace (a + f - a)%nat with f by lia. apply HV. }
  apply (value_levels_states n 1 2 (r - a) L parabola_key lev (le_n 1)
    (parabola_query g) eta alpha g Heta Halpha ltac:(lia)
    (fun i _ => keys_parabola n 2 g i (le_n 2) Hg) Hleft (bitstrings b)
    (fun V => state (latent V))
    (fun msg q f => answer (f / d_v)%nat msg (embed q) (f mod d_v)%nat)).
  - intros V HV. apply in_bitstrings, Hb, Hlatent, HV.
  - intros V i f HV Hin Hf. assert (Hd : (0 < d_v)%nat) by (destruct d_v; lia).
    assert (Hh : (f / d_v < heads)%nat) by (apply Nat.div_lt_upper_bound; lia).
    assert (Hc : (f mod d_v < d_v)%nat) by (apply Nat.mod_upper_bound; lia).
    pose proof (Hgood (latent V) (f / d_v)%nat i (f mod d_v)%nat (Hlatent V HV) Hh Hin Hc) as H.
    assert (E : latent_out n d d_R r (Wk (f / d_v)%nat) (head_values (f / d_v)) shared (Q i)
      (latent V) (f mod d_v)
              = order_out 0 n 1 2 parabola_key (parabola_query g i) V f).
    { unfold order_out, first_slot. simpl repeat. rewrite order_1_is_attention.
      unfold latent_out, attention, output, weight.
      rewrite (rsum_ext n (fun l => exp (logit (d + d_R) (Q i) _ l))
        (fun l => exp (logit 2 (parabola_query g i) parabola_key l)))
        by (intros j Hj; now rewrite (Hlogit _ _ i j (Hlatent V HV) Hin Hj)).
      apply rsum_ext. intros j Hj. rewrite (Hlogit _ _ i j (Hlatent V HV) Hin Hj). f_equal.
      unfold latent_value, head_values.
      assert (Ef : (a + f / d_v * d_v + f mod d_v = a + f)%nat)
        by (pose proof (Nat.div_mod f d_v ltac:(lia)); nia).
      rewrite picked by (rewrite Ef; lia). rewrite Ef. unfold latent.
      destruct (Nat.ltb_spec (a + f) a); [lia|]. f_equal. lia. }
    now rewrite E in H.
Qed.
End Floor.

(** ** The floor is met *)

(** Bits for all free entries answer every query of every head, whatever its weights are. *)
Theorem latent_heads_met n d d_R r a L lev (Wk Wv : nat -> matrix) shared name b :
  (L ^ (n * (r - a)) <= 2 ^ b)%nat ->
  exists (state : matrix -> list bool) (answer : nat -> reader),
    (forall C, length (state C) = b) /\
    (forall C h q c, latents a L lev name C ->
       answer h (state C) q c = latent_out n d d_R r (Wk h) (Wv h) shared q C c).
Proof.
  intros Hb. rewrite <- (kinds_rows_power n (r - a) L) in Hb.
  destruct (parts_stored unit_eq [tt] (fun _ => 0%nat) (fun _ => n) (fun _ => 1%nat)
    (fun _ => 1%nat) (fun _ => (r - a)%nat) (fun _ => L) (fun _ => ones) (fun _ => lev) b Hb) as
      (enc & dec & Hlen & Hdec).
  set (free (C : matrix) := fun (_ : unit) j f => C j (a + f)%nat).
  set (latent msg := fun j f => if f <? a then name j f else dec msg tt j (f - a)%nat).
  exists (fun C => enc (free C)), (fun h msg q c =>
    latent_out n d d_R r (Wk h) (Wv h) shared q (latent msg) c).
  split; [intros C; apply Hlen|]. intros C h q c [Hname HC].
  assert (E : forall j f, (j < n)%nat -> (f < r)%nat -> latent (enc (free C)) j f = C j f).
  { intros j f Hj Hf. unfold latent. destruct (Nat.ltb_spec f a); [symmetry; now apply Hname|].
    rewrite (Hdec (free C) tt j (f - a)%nat); [|intros []; exact HC|now left|lia|lia].
    unfold free. f_equal. lia. }
  unfold latent_out, attention, output, weight.
  assert (Hl : forall j, (j < n)%nat ->
    logit (d + d_R) q (latent_key d r (Wk h) (latent (enc (free C))) shared) j
    = logit (d + d_R) q (latent_key d r (Wk h) C shared) j).
  { intros j Hj. apply rsum_ext. intros e _. f_equal. unfold latent_key.
    destruct (e <? d); [|reflexivity]. apply rsum_ext. intros f Hf. now rewrite E. }
  rewrite (rsum_ext n (fun l => exp _) (fun l => exp (logit (d + d_R) q
    (latent_key d r (Wk h) C shared) l))) by (intros j Hj; now rewrite Hl).
  apply rsum_ext. intros j Hj. rewrite Hl by exact Hj. f_equal. unfold latent_value.
  apply rsum_ext. intros f Hf. now rewrite E.
Qed.

(** ** Names *)

(** Some margin is enough for levels that are told apart. *)
Lemma told_leaves_room n eta alpha L lev : 0 <= eta < 1 -> 0 <= alpha -> told eta alpha L lev ->
  exists g, 0 <= g /\ leaves_room n g eta alpha L lev.
Proof.
  intros He Ha [Hunit Hroom].
  destruct (least_of_finitely_many L (fun k =>
    (1 - eta) * lev (S k) - (1 + eta) * lev k - 2 * alpha)) as (rho & Hrho & Hle).
  { intros k Hk. specialize (Hroom k Hk). lra. }
  destruct (small_leak (n - 1) (1 + eta + 2 * alpha) rho) as (g & Hg & Hleak); [lra|exact Hrho|].
  exists g. split; [exact Hg|]. split; [exact Hunit|]. intros k Hk. specialize (Hle k Hk).
  unfold excess. lra.
Qed.

Lemma parabola_query_two D g i K j : (2 <= D)%nat ->
  logit D (parabola_query g i) K j = logit 2 (parabola_query g i) K j.
Proof.
  intros HD. unfold logit. replace D with (2 + (D - 2))%nat by lia. rewrite rsum_app.
  rewrite (rsum_ext (D - 2) _ (fun _ => 0)); [rewrite rsum_const; ring|].
  intros e _. simpl. ring.
Qed.

Lemma served n d d_R d_v heads r a L eta alpha lev Wk Wv shared name
    (Q : nat -> nat -> R) b :
  0 <= eta -> 0 <= alpha -> (1 <= L)%nat ->
  INR (n * (r - a)) * log2 (INR L) <= INR b ->
  exists (state : matrix -> list bool) (answer : nat -> reader),
    (forall C, latents a L lev name C -> length (state C) = b) /\
    (forall C h i c, latents a L lev name C -> (h < heads)%nat -> (i < n)%nat -> (c < d_v)%nat ->
       accurate eta alpha (answer h (state C) (Q i) c)
         (latent_out n d d_R r (Wk h) (Wv h) shared (Q i) C c)).
Proof.
  intros He Ha HL Hb. apply bits_of_symbols in Hb; [|exact HL].
  destruct (latent_heads_met n d d_R r a L lev Wk Wv shared name b Hb)
    as (state & answer & Hlen & Hans).
  exists state, answer. split; [auto|]. intros C h i c HC Hh Hi Hc.
  rewrite Hans by assumption. now apply accurate_exact.
Qed.

(** There are no words of no symbols, and log₂ 0 is 0 here. *)
Lemma served_nothing n d d_R d_v heads r a eta alpha lev Wk Wv shared name
    (Q : nat -> nat -> R) N b :
  (exists (state : matrix -> list bool) (answer : nat -> reader),
    (forall C, latents a 0 lev name C -> length (state C) = b) /\
    (forall C h i c, latents a 0 lev name C -> (h < heads)%nat -> (i < n)%nat -> (c < d_v)%nat ->
       accurate eta alpha (answer h (state C) (Q i) c)
         (latent_out n d d_R r (Wk h) (Wv h) shared (Q i) C c)))
  <-> INR N * log2 (INR 0) <= INR b.
Proof.
  assert (Hnone : forall C, ~ latents a 0 lev name C).
  { intros C [_ H]. destruct (H 0%nat 0%nat) as (s & Hs & _). lia. }
  split.
  - intros _. unfold log2, ln. simpl (INR 0). destruct (Rlt_dec 0 0) as [H|_];
      [destruct (Rlt_irrefl 0 H)|].
    unfold Rdiv. rewrite Rmult_0_l, Rmult_0_r. apply pos_INR.
  - intros _. exists (fun _ => nil), (fun _ _ _ _ => 0).
    split; [intros C HC|intros C h i c HC]; destruct (Hnone C HC).
Qed.

(** Shared entries of two or more name the token: all r entries are free, for any weights of
    keys. *)
Theorem latent_heads n d d_R d_v heads r L eta alpha lev name :
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
Proof.
  intros HdR Hcols He Ha Hroom.
  destruct (told_leaves_room n eta alpha L lev He Ha Hroom) as (g & Hg & Hleft).
  set (embed (q : nat -> R) e := if e <? d then 0 else q (e - d)%nat).
  exists (head_values d_v 0), parabola_key, (fun i => embed (parabola_query g i)).
  intros Wk b. replace (n * r)%nat with (n * (r - 0))%nat by (f_equal; lia).
  destruct (le_lt_dec 1 L) as [HL|HL];
    [|apply Nat.lt_1_r in HL as ->; apply served_nothing]. split.
  - intros Hserved.
    apply (latent_floor n d d_R d_v heads r 0 L eta alpha lev HL He Ha ltac:(lia) Wk
      parabola_key name embed g b Hleft); [|exact Hg|exact Hserved].
    intros C h i j _ _ _. unfold logit at 1. rewrite rsum_app.
    rewrite (rsum_ext d _ (fun _ => 0)).
    + rewrite rsum_const, Rmult_0_r, Rplus_0_l, <- (parabola_query_two d_R) by exact HdR.
      apply rsum_ext. intros e _. unfold embed, latent_key.
      destruct (Nat.ltb_spec (d + e) d); [lia|]. now replace (d + e - d)%nat with e by lia.
    + intros e He'. unfold embed. destruct (Nat.ltb_spec e d); [ring|lia].
  - apply served; [lra|exact Ha|exact HL].
Qed.

(** Without them a >= 2 entries of the latent do, which all heads pass on: r - a are free. *)
Theorem latent_heads_named n d d_R d_v heads r a L eta alpha lev shared :
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
  intros Hd Har Hcols He Ha Hroom.
  destruct (told_leaves_room n eta alpha L lev He Ha Hroom) as (g & Hg & Hleft).
  exists (fun _ => picks 0), (head_values d_v a), parabola_key, (parabola_query g). intros b.
  destruct (le_lt_dec 1 L) as [HL|HL];
    [|apply Nat.lt_1_r in HL as ->; apply served_nothing]. split.
  - intros Hserved.
    apply (latent_floor n d d_R d_v heads r a L eta alpha lev HL He Ha Hcols (fun _ => picks 0)
      shared parabola_key (fun q => q) g b Hleft); [|exact Hg|exact Hserved].
    intros C h i j [Hname _] _ _. rewrite parabola_query_two by lia.
    apply rsum_ext. intros e He'. f_equal. unfold latent_key. destruct (Nat.ltb_spec e d); [|lia].
    rewrite picked by lia. apply Hname. lia.
  - apply served; [lra|exact Ha|exact HL].
Qed.
