(** The fast path: products of matrices, each entry added in any order, fused or not. Products of
    slices are added without a rounding.
    Ozaki, Ogita, Oishi, Rump, "Error-free transformations of matrix multiplication" (2012). *)
From Coq Require Import Reals ZArith Lra Lia Arith List Permutation.
From Flocq Require Import Core.
From KVFloor Require Import Sums Binary64 Nearest FastPathSums.
Import ListNotations.
Open Scope R_scope.

Definition product (p : R * R) : R := fst p * snd p.

Lemma lsum_permutation {A} (f : A -> R) l l' : Permutation l l' -> lsum f l = lsum f l'.
Proof. induction 1; simpl; lra. Qed.

(** A sum of products, or what it begins with. *)
Lemma adds_cases (P : expression -> list (expression * expression) -> Prop) :
  (forall s t, P (multiplied s t) [(s, t)]) ->
  (forall r s, P (fused r s (input 0 0 0)) [(r, s)]) ->
  (forall r s t l l', Permutation l ((r, s) :: l') -> adds t l' -> P t l' -> P (fused r s t) l) ->
  (forall s t l l1 l2, l1 <> [] -> l2 <> [] -> Permutation l (l1 ++ l2) -> P s l1 -> P t l2 ->
     P (summed s t) l) ->
  forall e l, adds e l -> P e l.
Proof.
  intros Hm Hz Hf Ha.
  induction e as [|s IHs t IHt|s _ t _|r _ s _ t IHt]; intros l H; [contradiction| | |].
  - destruct H as (l1 & l2 & H1 & H2 & Hp & D1 & D2). apply (Ha s t l l1 l2); auto.
  - simpl in H. subst l. apply Hm.
  - destruct H as [[-> ->]|(l' & Hp & D)]; [apply Hz|]. apply (Hf r s t l l' Hp D), IHt, D.
Qed.

Section Pairs.
Variable Q : expression * expression -> Prop.
Definition all (l : list (expression * expression)) : Prop := forall p, In p l -> Q p.

Lemma all_one p : all [p] -> Q p.
Proof. intros H. apply H. now left. Qed.

Lemma all_first p l l' : Permutation l (p :: l') -> all l -> Q p /\ all l'.
Proof.
  intros Hp H. apply Permutation_sym in Hp.
  split; [|intros q Hq]; apply H, (Permutation_in _ Hp); [now left|now right].
Qed.

Lemma all_parts l l1 l2 : Permutation l (l1 ++ l2) -> all l -> all l1 /\ all l2.
Proof.
  intros Hp H. apply Permutation_sym in Hp.
  split; intros q Hq; apply H, (Permutation_in _ Hp), in_or_app; auto.
Qed.
End Pairs.

Lemma adds_given e l : adds e l -> all (fun p => given (fst p) /\ given (snd p)) l -> given e.
Proof.
  revert e l. apply (adds_cases (fun e l => all (fun p => given (fst p) /\ given (snd p)) l -> given e));
    cbn [given].
  - intros s t H. exact (all_one _ _ H).
  - intros r s H. destruct (all_one _ _ H) as [Hr Hs]. repeat split; try assumption; [apply float_0|].
    rewrite Rminus_0_r, Rabs_R0. lra.
  - intros r s t l l' Hp _ IH H. destruct (all_first _ _ _ _ Hp H) as [[Hr Hs] H']. auto.
  - intros s t l l1 l2 _ _ Hp IH1 IH2 H. destruct (all_parts _ _ _ _ Hp H). auto.
Qed.

Lemma adds_sums e l : adds e l ->
  exact e = lsum (fun p => exact (fst p) * exact (snd p)) l
  /\ size e = lsum (fun p => size (fst p) * size (snd p)) l.
Proof.
  revert e l. apply adds_cases; cbn [exact size lsum fst snd].
  - intros. lra.
  - intros. rewrite Rabs_R0. lra.
  - intros r s t l l' Hp _ [-> ->]. rewrite !(lsum_permutation _ _ _ Hp). split; reflexivity.
  - intros s t l l1 l2 _ _ Hp [-> ->] [-> ->]. rewrite !(lsum_permutation _ _ _ Hp).
    split; symmetry; apply lsum_app.
Qed.

Lemma adds_roundings e l j : adds e l ->
  all (fun p => roundings (fst p) + roundings (snd p) <= j)%nat l ->
  (roundings e <= j + length l)%nat /\ (1 <= length l)%nat.
Proof.
  revert e l.
  apply (adds_cases (fun e l => all (fun p => roundings (fst p) + roundings (snd p) <= j)%nat l ->
    (roundings e <= j + length l)%nat /\ (1 <= length l)%nat)); cbn [roundings].
  - intros s t H. pose proof (all_one _ _ H). simpl in *. lia.
  - intros r s H. pose proof (all_one _ _ H). simpl in *. lia.
  - intros r s t l l' Hp _ IH H. destruct (all_first _ _ _ _ Hp H) as [H1 H2].
    rewrite (Permutation_length Hp). specialize (IH H2). simpl in *. lia.
  - intros s t l l1 l2 _ _ Hp IH1 IH2 H. destruct (all_parts _ _ _ _ Hp H) as [H1 H2].
    rewrite (Permutation_length Hp), app_length. specialize (IH1 H1). specialize (IH2 H2). lia.
Qed.

(** A sum of n products, whose factors have passed j roundings: n more. *)
Theorem fast_path_products e l j : adds e l ->
  (forall s t, In (s, t) l -> given s /\ given t /\ (roundings s + roundings t <= j)%nat) ->
  given e /\ (roundings e <= j + length l)%nat
  /\ exact e = lsum (fun p => exact (fst p) * exact (snd p)) l
  /\ size e = lsum (fun p => size (fst p) * size (snd p)) l.
Proof.
  intros D H. split; [|split; [|exact (adds_sums e l D)]].
  - apply (adds_given e l D). intros [s t] Hp. destruct (H s t Hp). tauto.
  - apply (adds_roundings e l j D). intros [s t] Hp. apply (H s t Hp).
Qed.

(** ** Products of numbers *)

Definition of_numbers (l : list (expression * expression)) : Prop :=
  all (fun p => exists a b, p = (exactly a, exactly b)) l.

Lemma numbers_all l : of_numbers (map numbers l).
Proof. intros p Hp. apply in_map_iff in Hp as ([a b] & <- & _). exists a, b. reflexivity. Qed.

Lemma adds_lost e l : adds e l -> of_numbers l ->
  lost e <= INR (length l) * (1 + roundoff) ^ length l * underflow.
Proof.
  pose proof roundoff_small as Hu. pose proof underflow_pos as Hn.
  revert e l. apply (adds_cases (fun e l => of_numbers l ->
    lost e <= INR (length l) * (1 + roundoff) ^ length l * underflow)); cbn [lost].
  - intros s t H. destruct (all_one _ _ H) as (a & b & [= -> ->]).
    unfold product_lost, grown. simpl. nra.
  - intros r s H. destruct (all_one _ _ H) as (a & b & [= -> ->]).
    unfold product_lost, grown. simpl. nra.
  - intros r s t l l' Hp _ IH H. destruct (all_first _ _ _ _ Hp H) as [(a & b & [= -> ->]) H'].
    specialize (IH H'). rewrite (Permutation_length Hp). cbn [length]. rewrite S_INR.
    unfold product_lost, grown. cbn [lost exactly size]. cbn [pow].
    pose proof (growth_pos (length l')). pose proof (pos_INR (length l')).
    set (g := (1 + roundoff) ^ length l') in *. set (n := INR (length l')) in *.
    assert ((1 + roundoff) * lost t <= (1 + roundoff) * (n * g * underflow))
      by (apply Rmult_le_compat_l; lra).
    assert (1 * underflow <= (1 + roundoff) * g * underflow)
      by (apply Rmult_le_compat_r; nra). nra.
  - intros s t l l1 l2 H1 H2 Hp IH1 IH2 H. destruct (all_parts _ _ _ _ Hp H) as [Q1 Q2].
    specialize (IH1 Q1). specialize (IH2 Q2).
    rewrite (Permutation_length Hp), app_length, plus_INR.
    assert (length l1 <> 0 /\ length l2 <> 0)%nat by (now rewrite !length_zero_iff_nil).
    set (m := (length l1 + length l2)%nat).
    assert (G : forall e n, (n < m)%nat -> lost e <= INR n * (1 + roundoff) ^ n * underflow ->
      (1 + roundoff) * lost e <= INR n * (1 + roundoff) ^ m * underflow).
    { intros e n Hnm He.
      apply Rle_trans with ((1 + roundoff) * (INR n * (1 + roundoff) ^ n * underflow));
        [apply Rmult_le_compat_l; lra|].
      replace ((1 + roundoff) * (INR n * (1 + roundoff) ^ n * underflow))
        with (INR n * ((1 + roundoff) ^ S n) * underflow) by (simpl; ring).
      apply Rmult_le_compat_r; [lra|]. apply Rmult_le_compat_l; [apply pos_INR|].
      now apply growth_monotone. }
    pose proof (G s (length l1) ltac:(unfold m; lia) IH1).
    pose proof (G t (length l2) ltac:(unfold m; lia) IH2). lra.
Qed.

Lemma numbers_sums l :
  lsum (fun p => exact (fst p) * exact (snd p)) (map numbers l) = lsum product l
  /\ lsum (fun p => size (fst p) * size (snd p)) (map numbers l)
    = lsum (fun p => Rabs (product p)) l.
Proof.
  rewrite !lsum_map. split; [reflexivity|]. apply lsum_ext. intros [a b] _.
  unfold product. cbn [numbers exactly size fst snd]. symmetry. apply Rabs_mult.
Qed.

(** An inner product. *)
Theorem fast_path_dot e l : adds e (map numbers l) ->
  (forall a b, In (a, b) l -> float a /\ float b) ->
  Rabs (computed e - lsum product l)
    <= ((1 + roundoff) ^ length l - 1) * lsum (fun p => Rabs (product p)) l
       + INR (length l) * (1 + roundoff) ^ length l * underflow.
Proof.
  intros D F. destruct (fast_path_products e _ 0 D) as (G & Hr & E & S).
  { intros s t Hst. apply in_map_iff in Hst as ([a b] & [= <- <-] & Hab).
    destruct (F a b Hab). cbn [given exactly roundings fst snd].
    assert (Z : forall x, Rabs (x - x) <= ((1 + roundoff) ^ 0 - 1) * Rabs x)
      by (intros; rewrite Rminus_diag_eq, Rabs_R0 by reflexivity; simpl; lra).
    repeat split; auto. }
  destruct (numbers_sums l) as [E' S']. rewrite E' in E. rewrite S' in S.
  rewrite map_length in Hr. cbn [Nat.add] in Hr. pose proof (adds_lost e _ D (numbers_all l)) as Hl.
  rewrite map_length in Hl. pose proof (fast_path_sums e G) as K. rewrite E, S in K.
  eapply Rle_trans; [exact K|]. apply Rplus_le_compat; [|exact Hl].
  apply Rmult_le_compat_r; [rewrite <- S; apply size_pos|].
  pose proof (growth_monotone _ _ Hr). lra.
Qed.

(** ** Slices *)

Lemma adds_on_grid c e l : adds e l -> of_numbers l ->
  all (fun p => multiple c (exact (fst p) * exact (snd p))) l -> on_grid c e.
Proof.
  revert e l. apply (adds_cases (fun e l => of_numbers l ->
    all (fun p => multiple c (exact (fst p) * exact (snd p))) l -> on_grid c e)).
  - intros s t Hn H. destruct (all_one _ _ Hn) as (a & b & [= -> ->]).
    pose proof (all_one _ _ H). cbn. auto.
  - intros r s Hn H. destruct (all_one _ _ Hn) as (a & b & [= -> ->]).
    pose proof (all_one _ _ H). cbn. repeat split; auto. apply multiple_0.
  - intros r s t l l' Hp _ IH Hn H. destruct (all_first _ _ _ _ Hp Hn) as [(a & b & [= -> ->]) Hn'].
    destruct (all_first _ _ _ _ Hp H) as [M H']. cbn. auto.
  - intros s t l l1 l2 _ _ Hp IH1 IH2 Hn H. destruct (all_parts _ _ _ _ Hp Hn).
    destruct (all_parts _ _ _ _ Hp H). cbn. auto.
Qed.

(** Multiples of 2^c, up to 2^s, so many that they add up to 53 bits at most. *)
Lemma products_unrounded e l c s :
  adds e (map numbers l) -> (-1074 <= c <= s)%Z -> INR (length l) * bpow radix2 (s - c) <= 2 ^ 53 ->
  (forall p, In p l -> multiple c (product p) /\ Rabs (product p) <= bpow radix2 s) ->
  computed e = lsum product l.
Proof.
  intros D Hc Hn H. destruct (adds_sums e _ D) as [E S]. destruct (numbers_sums l) as [E' S'].
  rewrite E' in E. rewrite S' in S. rewrite <- E.
  apply (fast_path_sums_unrounded c); [lia| |].
  - apply (adds_on_grid c e _ D (numbers_all l)). intros p Hp.
    apply in_map_iff in Hp as (q & <- & Hq). apply (H q Hq).
  - rewrite S. apply Rle_trans with (INR (length l) * bpow radix2 s).
    + clear - H. induction l as [|p l IH]; [simpl; lra|].
      cbn [lsum length]. rewrite S_INR. assert (Hp := proj2 (H p (or_introl eq_refl))).
      specialize (IH (fun q Hq => H q (or_intror Hq))). lra.
    + replace s with ((s - c) + c)%Z at 1 by lia.
      rewrite !bpow_plus, <- Rmult_assoc, <- (power_of_nat 53) in *.
      apply Rmult_le_compat_r; [apply bpow_ge_0|]. exact Hn.
Qed.

Lemma multiple_product_bound a b x y s t :
  multiple a x -> multiple b y -> Rabs x <= bpow radix2 s -> Rabs y <= bpow radix2 t ->
  multiple (a + b) (product (x, y)) /\ Rabs (product (x, y)) <= bpow radix2 (s + t).
Proof.
  intros Mx My Hx Hy. split; [now apply multiple_times|].
  unfold product. cbn [fst snd]. rewrite Rabs_mult, bpow_plus.
  apply Rmult_le_compat; auto using Rabs_pos.
Qed.

(** The first slices of N factors up to 2^s and of N up to 1, and the second order. *)
Theorem fast_path_slices e l N beta s :
  adds e (map numbers l) -> (1 <= beta)%Z -> (-1074 <= s - 3 * beta)%Z ->
  INR N * bpow radix2 (2 * beta) <= 2 ^ 53 ->
  length l = N /\ (forall a b, In (a, b) l ->
      multiple (s - beta) a /\ Rabs a <= bpow radix2 s
      /\ multiple (- beta) b /\ Rabs b <= bpow radix2 0)
  \/ length l = (2 * N)%nat /\ (forall a b, In (a, b) l ->
      (multiple (s - beta) a /\ Rabs a <= bpow radix2 s
       /\ multiple (- 2 * beta) b /\ Rabs b <= bpow radix2 (- beta - 1))
      \/ (multiple (s - 2 * beta) a /\ Rabs a <= bpow radix2 (s - beta - 1)
          /\ multiple (- beta) b /\ Rabs b <= bpow radix2 0)) ->
  computed e = lsum product l.
Proof.
  intros D Hb Hs HN [[Hl H]|[Hl H]].
  - apply (products_unrounded e l (s - 2 * beta) s D); [lia| |].
    + rewrite Hl. replace (s - (s - 2 * beta))%Z with (2 * beta)%Z by lia. exact HN.
    + intros [a b] Hp. destruct (H a b Hp) as (Ma & Ba & Mb & Bb).
      replace (s - 2 * beta)%Z with (s - beta + - beta)%Z by lia. rewrite <- (Z.add_0_r s) at 2.
      now apply multiple_product_bound.
  - apply (products_unrounded e l (s - 3 * beta) (s - beta - 1) D).
    + lia.
    + rewrite Hl, mult_INR. change (INR 2) with 2.
      replace (s - beta - 1 - (s - 3 * beta))%Z with (2 * beta - 1)%Z by lia.
      apply Rle_trans with (INR N * bpow radix2 (2 * beta)); [|exact HN].
      replace (2 * beta)%Z with (1 + (2 * beta - 1))%Z at 2 by lia. rewrite bpow_plus.
      simpl (bpow radix2 1). lra.
    + intros [a b] Hp. destruct (H a b Hp) as [(Ma & Ba & Mb & Bb)|(Ma & Ba & Mb & Bb)].
      * replace (s - 3 * beta)%Z with (s - beta + - 2 * beta)%Z by lia.
        replace (s - beta - 1)%Z with (s + (- beta - 1))%Z by lia. now apply multiple_product_bound.
      * replace (s - 3 * beta)%Z with (s - 2 * beta + - beta)%Z by lia.
        rewrite <- (Z.add_0_r (s - beta - 1)). now apply multiple_product_bound.
Qed.
