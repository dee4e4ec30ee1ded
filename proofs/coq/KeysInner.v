(** L5 `keys`, continued: margins from inner products, for orthonormal keys, signed axes, the
    roots of D_d, spherical codes and regular polygons; margins over a key of zeros. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Bits Keys.
Import ListNotations.
Open Scope R_scope.

(** An address book: query i exceeds every other key, and a key of zeros, by g. *)
Definition address_book (n d : nat) (K : matrix) (Q : nat -> nat -> R) (g : R) : Prop :=
  forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g /\ logit d (Q i) K i >= g.

(** Inner product of keys i and j. *)
Definition dot (d : nat) (K : matrix) (i j : nat) : R := rsum d (fun c => K i c * K j c).

(** Query i = C key i. *)
Definition key_query (C : R) (K : matrix) (i : nat) : nat -> R := fun c => C * K i c.

Lemma key_query_logit C d K i j : logit d (key_query C K i) K j = C * dot d K i j.
Proof.
  unfold logit, dot, key_query. rewrite <- rsum_scal. apply rsum_ext; intros; ring.
Qed.

(** Keys of squared norm s with inner products of at most p: margin C (s - p). *)
Theorem keys_inner_margin n d K C s p i :
  0 <= C -> dot d K i i = s ->
  (forall j, (j < n)%nat -> j <> i -> dot d K i j <= p) ->
  margin n (logit d (key_query C K i) K) i (C * (s - p)).
Proof.
  intros HC Hs Hp j Hj Hne. rewrite !key_query_logit, Hs. specialize (Hp j Hj Hne). nra.
Qed.

(** Over a key of zeros too, if p is not negative. *)
Theorem keys_inner n d K C s p :
  0 <= C -> 0 <= p ->
  (forall i, (i < n)%nat -> dot d K i i = s) ->
  (forall i j, (i < n)%nat -> (j < n)%nat -> j <> i -> dot d K i j <= p) ->
  address_book n d K (key_query C K) (C * (s - p)).
Proof.
  intros HC Hp0 Hs Hp i Hi. split; [apply keys_inner_margin; auto|].
  rewrite key_query_logit, Hs by exact Hi. nra.
Qed.

(** ** Spherical codes *)

(** Unit vectors at pairwise cosines of at most c: queries of norm ρ have margin ρ (1 - c). *)
Theorem keys_spherical n d K rho c :
  0 <= rho ->
  (forall i, (i < n)%nat -> dot d K i i = 1) ->
  (forall i j, (i < n)%nat -> (j < n)%nat -> j <> i -> dot d K i j <= c) ->
  (forall i, (i < n)%nat -> margin n (logit d (key_query rho K i) K) i (rho * (1 - c))) /\
  (forall i, (i < n)%nat ->
     rsum d (fun e => key_query rho K i e * key_query rho K i e) = rho * rho /\
     logit d (key_query rho K i) K i = rho).
Proof.
  intros Hr H1 Hc. split.
  - intros i Hi. apply keys_inner_margin; auto.
  - intros i Hi. specialize (H1 i Hi). split.
    + unfold key_query. rewrite (rsum_ext d _ (fun e => (rho * rho) * (K i e * K i e)))
        by (intros; ring). rewrite rsum_scal. unfold dot in H1. rewrite H1. ring.
    + rewrite key_query_logit, H1. ring.
Qed.

(** ** Orthonormal keys *)

Definition unit_key : matrix := fun j c => if c =? j then 1 else 0.

Lemma rsum_indicator d a f :
  rsum d (fun c => if c =? a then f c else 0) = if a <? d then f a else 0.
Proof.
  induction d as [|d IH]; [reflexivity|]. simpl rsum. rewrite IH.
  destruct (Nat.eqb_spec d a) as [E|]; destruct (Nat.ltb_spec a d), (Nat.ltb_spec a (S d));
    try lia; try ring.
  rewrite E. ring.
Qed.

Lemma unit_dot d f a : (a < d)%nat -> rsum d (fun c => f c * (if c =? a then 1 else 0)) = f a.
Proof.
  intros Ha. rewrite (rsum_ext d _ (fun c => if c =? a then f c else 0)).
  - rewrite rsum_indicator. destruct (Nat.ltb_spec a d); [reflexivity|lia].
  - intros c _. destruct (c =? a); ring.
Qed.

(** n orthonormal keys in n dimensions or more have margin C. *)
Theorem keys_orthonormal n d C :
  (n <= d)%nat -> 0 <= C -> address_book n d unit_key (key_query C unit_key) C.
Proof.
  intros Hn HC. replace C with (C * (1 - 0)) at 2 by ring. apply keys_inner; [exact HC|lra| |].
  - intros i Hi. unfold dot, unit_key. rewrite unit_dot by lia. now rewrite Nat.eqb_refl.
  - intros i j Hi Hj Hne. unfold dot, unit_key. rewrite unit_dot by lia.
    destruct (Nat.eqb_spec j i); [congruence|lra].
Qed.

(** ** Signed axes *)

(** Key j is the axis j / 2, with the sign of the parity of j. *)
Definition sign_of (j : nat) : R := if Nat.even j then 1 else -1.
Definition axis_key : matrix := fun j c => sign_of j * (if c =? j / 2 then 1 else 0).

Lemma even_or_odd_half i j : (i / 2 = j / 2)%nat -> i <> j -> sign_of i * sign_of j = -1.
Proof.
  intros E Hne. unfold sign_of.
  pose proof (Nat.div2_odd i) as Hi. pose proof (Nat.div2_odd j) as Hj.
  rewrite Nat.div2_div in Hi, Hj. rewrite <- E in Hj. rewrite <- !Nat.negb_odd.
  destruct (Nat.odd i), (Nat.odd j); simpl in *; try lra; lia.
Qed.

(** 2d signed axes have margin C. *)
Theorem keys_signed_axes n d C :
  (n <= 2 * d)%nat -> 0 <= C -> address_book n d axis_key (key_query C axis_key) C.
Proof.
  intros Hn HC. replace C with (C * (1 - 0)) at 2 by ring.
  assert (Hdot : forall i j, (j < n)%nat -> dot d axis_key i j
                  = sign_of i * sign_of j * (if j / 2 =? i / 2 then 1 else 0)).
  { intros i j Hj. unfold dot, axis_key.
    assert (Hd : (j / 2 < d)%nat) by (apply Nat.div_lt_upper_bound; lia).
    rewrite (rsum_ext d _ (fun c => sign_of i * sign_of j * (if c =? i / 2 then 1 else 0)
                                    * (if c =? j / 2 then 1 else 0))) by (intros; ring).
    now rewrite unit_dot. }
  apply keys_inner; [exact HC|lra| |].
  - intros i Hi. rewrite Hdot, Nat.eqb_refl by exact Hi. unfold sign_of.
    destruct (Nat.even i); ring.
  - intros i j Hi Hj Hne. rewrite Hdot by exact Hj.
    destruct (Nat.eqb_spec (j / 2) (i / 2)) as [E|]; [|lra].
    rewrite even_or_odd_half; [lra|congruence|congruence].
Qed.

(** ** The roots of D_d *)

(** ±e_a ± e_b for a < b: the index of a root, two axes and two signs. *)
Definition root : Type := (nat * nat) * (bool * bool).
Notation Root a b s t := ((a%nat, b%nat), (s, t)).
Definition first_axis (r : root) : nat := fst (fst r).
Definition second_axis (r : root) : nat := snd (fst r).
Definition first_sign (r : root) : bool := fst (snd r).
Definition second_sign (r : root) : bool := snd (snd r).

Definition signed (s : bool) : R := if s then 1 else -1.
Definition root_entry (r : root) (c : nat) : R :=
  signed (first_sign r) * (if c =? first_axis r then 1 else 0)
  + signed (second_sign r) * (if c =? second_axis r then 1 else 0).

Definition proper (d : nat) (r : root) : Prop := (first_axis r < second_axis r < d)%nat.

Definition roots_at (b : nat) : list root :=
  flat_map (fun a => [Root a b true true; Root a b true false;
                      Root a b false true; Root a b false false]) (seq 0 b).
Definition roots (d : nat) : list root := flat_map roots_at (seq 0 d).

Lemma flat_map_length_const {A B} (f : A -> list B) k l :
  (forall a, In a l -> length (f a) = k) -> length (flat_map f l) = (length l * k)%nat.
Proof.
  induction l as [|a l IH]; intros H; [reflexivity|]. simpl.
  rewrite app_length, H, IH; [lia|intros; apply H; now right|now left].
Qed.

Lemma roots_length d : length (roots d) = (2 * d * (d - 1))%nat.
Proof.
  unfold roots. induction d; [reflexivity|].
  rewrite seq_S, flat_map_app, app_length, IHd. simpl flat_map. rewrite app_nil_r.
  unfold roots_at at 1. rewrite (flat_map_length_const _ 4), seq_length by reflexivity. nia.
Qed.

Lemma roots_proper d r : In r (roots d) -> proper d r.
Proof.
  unfold roots, roots_at. rewrite in_flat_map. intros (b & Hb & H).
  apply in_flat_map in H as (a & Ha & H). apply in_seq in Ha, Hb. unfold proper, first_axis, second_axis.
  simpl in H. destruct H as [<-|[<-|[<-|[<-|[]]]]]; simpl; lia.
Qed.

Lemma NoDup_flat_map {A B} (f : A -> list B) (key : B -> A) l :
  NoDup l -> (forall a, NoDup (f a)) -> (forall a b, In b (f a) -> key b = a) ->
  NoDup (flat_map f l).
Proof.
  intros Hnd Hf Hk. induction Hnd as [|a l Ha Hl IH]; [constructor|]. simpl.
  apply NoDup_app_disjoint; auto. intros b Hb Hb'.
  apply in_flat_map in Hb' as (a' & Ha' & Hb'). apply Hk in Hb, Hb'. congruence.
Qed.

Lemma roots_NoDup d : NoDup (roots d).
Proof.
  apply NoDup_flat_map with (key := second_axis); [apply seq_NoDup| |].
  - intros b. apply NoDup_flat_map with (key := first_axis); [apply seq_NoDup| |].
    + intros a. repeat constructor; simpl; intuition discriminate.
    + intros a r. simpl. intros [<-|[<-|[<-|[<-|[]]]]]; reflexivity.
  - intros b r H. apply in_flat_map in H as (a & _ & H). simpl in H.
    destruct H as [<-|[<-|[<-|[<-|[]]]]]; reflexivity.
Qed.

Lemma root_dot d r r' : proper d r' ->
  rsum d (fun c => root_entry r c * root_entry r' c)
    = signed (first_sign r') * root_entry r (first_axis r')
      + signed (second_sign r') * root_entry r (second_axis r').
Proof.
  intros [H1 H2]. unfold root_entry at 2.
  rewrite (rsum_ext d _ (fun c =>
      signed (first_sign r') * (root_entry r c * (if c =? first_axis r' then 1 else 0))
      + signed (second_sign r') * (root_entry r c * (if c =? second_axis r' then 1 else 0))))
    by (intros; ring).
  rewrite rsum_plus, !rsum_scal, !unit_dot by lia. ring.
Qed.

Lemma root_norm d r : proper d r -> rsum d (fun c => root_entry r c * root_entry r c) = 2.
Proof.
  intros Hr. rewrite root_dot by exact Hr. destruct Hr as [H1 H2]. unfold root_entry.
  rewrite !Nat.eqb_refl.
  destruct (Nat.eqb_spec (first_axis r) (second_axis r)); [lia|].
  destruct (Nat.eqb_spec (second_axis r) (first_axis r)); [lia|].
  unfold signed. destruct (first_sign r), (second_sign r); ring.
Qed.

Lemma root_inner d r r' : proper d r -> proper d r' -> r <> r' ->
  rsum d (fun c => root_entry r c * root_entry r' c) <= 1.
Proof.
  intros [H1 H2] Hr' Hne. rewrite root_dot by exact Hr'. destruct Hr' as [H3 H4].
  destruct r as [[a b] [s t]], r' as [[a' b'] [s' t']]. unfold root_entry, first_axis, second_axis,
    first_sign, second_sign in *. simpl in *.
  destruct (Nat.eqb_spec a' a), (Nat.eqb_spec a' b), (Nat.eqb_spec b' a), (Nat.eqb_spec b' b);
    try lia; subst; unfold signed; destruct s, t, s', t'; try lra; congruence.
Qed.

Definition root_key (d : nat) : matrix := fun j => root_entry (nth j (roots d) (Root 0 0 true true)).

(** 2d(d-1) roots of D_d, of squared norm 2, have margin C. *)
Theorem keys_roots_d n d C :
  (n <= 2 * d * (d - 1))%nat -> 0 <= C ->
  address_book n d (root_key d) (key_query C (root_key d)) C.
Proof.
  intros Hn HC. rewrite <- roots_length in Hn. replace C with (C * (2 - 1)) at 2 by ring.
  set (r j := nth j (roots d) (Root 0 0 true true)).
  assert (Hin : forall j, (j < n)%nat -> In (r j) (roots d)) by (intros; apply nth_In; lia).
  apply keys_inner; [exact HC|lra| |].
  - intros i Hi. apply root_norm. now apply roots_proper, Hin.
  - intros i j Hi Hj Hne. apply root_inner; try now apply roots_proper, Hin.
    intros E. apply Hne. symmetry.
    apply (proj1 (NoDup_nth (roots d) (Root 0 0 true true)) (roots_NoDup d)); [lia|lia|exact E].
Qed.

(** ** Margins over a key of zeros *)

(** Parabola keys (j, -j²) for j = 1 .. n. *)
Definition parabola_key_1 : matrix := fun j => parabola_key (S j).
Definition parabola_query_1 (C : R) (i : nat) : nat -> R := parabola_query C (S i).

Theorem keys_parabola_book n d C :
  (2 <= d)%nat -> 0 <= C -> address_book n d parabola_key_1 (parabola_query_1 C) C.
Proof.
  intros Hd HC i Hi. split.
  - intros j Hj Hne. apply (keys_parabola (S n) d C (S i) Hd HC (S j)); lia.
  - change (logit d (parabola_query C (S i)) parabola_key (S i) >= C).
    rewrite parabola_logit by exact Hd. rewrite S_INR. pose proof (pos_INR i). nra.
Qed.

(** Binary keys in two dimensions or more. *)
Theorem keys_binary_book n d C :
  (n <= 2 ^ d)%nat -> (2 <= d)%nat -> 0 <= C ->
  address_book n d binary_key (binary_query C) (2 * C).
Proof.
  intros Hn Hd HC i Hi. split; [now apply keys_binary|].
  rewrite binary_logit_self. apply le_INR in Hd. simpl in Hd. nra.
Qed.
