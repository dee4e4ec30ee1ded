(** L5 `keys`: independent random signs in every slot are an address book for all n^m tuples,
    with positive probability once n^m (n^m - 1) / 2 exp(-ε² d / 2) < 1. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Bits Tuples Keys KeysInner KeysTuples SignKeys.
Import ListNotations.
Open Scope R_scope.

(** ** The sample space: strings of m n d bits, read as m sign matrices of n rows *)

(** Slot e of the matrices whose rows are those of f, n for each slot. *)
Definition slot_of (n : nat) (f : matrix) (e : nat) : matrix := fun j c => f (e * n + j)%nat c.
Definition slots_of (n m : nat) (f : matrix) : list matrix := map (slot_of n f) (seq 0 m).
Definition sign_rows (d : nat) (x : list bool) : matrix := fun R c => sign (bit_at d x R c).

(** If two matrices differ in one row, only tuples that name it notice. *)
Lemma row_product_change n f f' r j0 y c a t :
  (j0 < n)%nat -> (forall j, In j t -> (j < n)%nat) ->
  (forall R, R <> (r * n + j0)%nat -> f R c = f' R c) ->
  f (r * n + j0)%nat c = y * f' (r * n + j0)%nat c ->
  row_product (map (slot_of n f) (seq a (length t))) t c
    = (if (a <=? r) && (r <? a + length t) && (nth (r - a) t 0%nat =? j0) then y else 1)
      * row_product (map (slot_of n f') (seq a (length t))) t c.
Proof.
  intros Hj0 Ht Hf Hy. revert a Ht. induction t as [|j t IH]; intros a Ht.
  - simpl. destruct (Nat.leb_spec a r), (Nat.ltb_spec r (a + 0)); simpl; try lia; ring.
  - simpl length. simpl seq. simpl map. simpl row_product.
    rewrite IH by (intros; apply Ht; now right).
    assert (Hj : (j < n)%nat) by (apply Ht; now left). unfold slot_of at 1 3.
    destruct (Nat.eq_dec a r) as [->|Ha].
    + replace (r - r)%nat with 0%nat by lia. simpl nth.
      destruct (Nat.leb_spec (S r) r), (Nat.leb_spec r r),
        (Nat.ltb_spec r (r + S (length t))); simpl; try lia.
      destruct (Nat.eqb_spec j j0) as [->|Hne].
      * rewrite Hy. ring.
      * rewrite Hf; [ring|]. intros E. apply Hne. lia.
    + rewrite (Hf (a * n + j)%nat).
      2: { intros E. apply Ha. rewrite <- (pair_div n a j Hj), E. now apply pair_div. }
      destruct (Nat.leb_spec a r), (Nat.leb_spec (S a) r),
        (Nat.ltb_spec r (S a + length t)), (Nat.ltb_spec r (a + S (length t)));
        simpl andb; try lia; try ring.
      replace (r - a)%nat with (S (r - S a)) by lia. simpl nth.
      destruct (nth (r - S a) t 0%nat =? j0); ring.
Qed.

Lemma slots_of_sign n m d x K : In K (slots_of n m (sign_rows d x)) -> sign_matrix K.
Proof.
  intros HK. apply in_map_iff in HK as (e & <- & _). intros j c.
  unfold slot_of, sign_rows, sign. destruct (bit_at _ _ _ _); auto.
Qed.

(** ** One pair of tuples *)

Lemma lsum_bitstrings_app a b f :
  lsum f (bitstrings (a + b)) = lsum (fun p => lsum (fun s => f (p ++ s)) (bitstrings b)) (bitstrings a).
Proof.
  revert f; induction a as [|a IH]; intros f; simpl.
  - now rewrite Rplus_0_r.
  - rewrite !lsum_app, !lsum_map, !IH. reflexivity.
Qed.

Lemma nth_middle (p u s : list bool) k :
  nth k (p ++ u ++ s) false
    = if k <? length p then nth k p false
      else if k <? length p + length u then nth (k - length p) u false
      else nth (k - length p - length u) s false.
Proof.
  destruct (Nat.ltb_spec k (length p)); [now rewrite app_nth1|].
  rewrite app_nth2 by lia. destruct (Nat.ltb_spec k (length p + length u)).
  - now rewrite app_nth1 by lia.
  - now rewrite app_nth2 by lia.
Qed.

(** Different tuples have product rows whose inner product, as one row of signs varies, is that of
    this row with a fixed string. *)
Lemma tuple_dot_block n m d r p s t t' :
  length t = m -> length t' = m -> (forall j, In j t -> (j < n)%nat) ->
  (forall j, In j t' -> (j < n)%nat) -> (r < m)%nat -> nth r t' 0%nat <> nth r t 0%nat ->
  length p = ((r * n + nth r t 0) * d)%nat ->
  exists y, forall u, length u = d ->
    tuple_dot d (slots_of n m (sign_rows d (p ++ u ++ s))) t t' = inner d u y.
Proof.
  intros Hl Hl' Ht Ht' Hr Hne Hp. set (R0 := (r * n + nth r t 0)%nat) in *.
  set (u0 := repeat true d). set (x0 := p ++ u0 ++ s).
  assert (Hu0 : length u0 = d) by apply repeat_length.
  set (F := fun x c => row_product (slots_of n m (sign_rows d x)) t c
                       * row_product (slots_of n m (sign_rows d x)) t' c).
  assert (HF0 : forall c, F x0 c = 1 \/ F x0 c = -1).
  { intros c. unfold F.
    pose proof (row_product_sign (slots_of n m (sign_rows d x0)) t c (slots_of_sign n m d x0)) as A.
    pose proof (row_product_sign (slots_of n m (sign_rows d x0)) t' c (slots_of_sign n m d x0)) as B.
    set (A' := row_product _ t c) in *. set (B' := row_product _ t' c) in *.
    assert (E : (A' * B' - 1) * (A' * B' + 1) = 0) by nra.
    apply Rmult_integral in E as [E|E]; [left|right]; lra. }
  exists (map (fun c => if Rlt_dec 0 (F x0 c) then true else false) (seq 0 d)).
  intros u Hu. unfold tuple_dot, inner. apply rsum_ext. intros c Hc. fold (F (p ++ u ++ s) c).
  rewrite nth_map_seq by exact Hc.
  assert (Hj0 : (nth r t 0 < n)%nat) by (apply Ht, nth_In; lia).
  assert (Hrow : forall R, R <> R0 ->
            sign_rows d (p ++ u ++ s) R c = sign_rows d x0 R c).
  { intros R HR. unfold sign_rows, bit_at, x0. f_equal. rewrite !nth_middle.
    rewrite Hu, Hu0, Hp.
    destruct (Nat.ltb_spec (R * d + c) (R0 * d)); [reflexivity|].
    destruct (Nat.ltb_spec (R * d + c) (R0 * d + d)); [|reflexivity].
    exfalso. apply HR. nia. }
  assert (Hrow0 : sign_rows d (p ++ u ++ s) R0 c
                  = sign (nth c u false) * sign_rows d x0 R0 c).
  { unfold sign_rows, bit_at, x0. rewrite !nth_middle.
    rewrite Hu, Hu0, Hp.
    destruct (Nat.ltb_spec (R0 * d + c) (R0 * d)); [lia|].
    destruct (Nat.ltb_spec (R0 * d + c) (R0 * d + d)); [|lia].
    replace (R0 * d + c - R0 * d)%nat with c by lia.
    replace (nth c u0 false) with true; [simpl sign; ring|].
    rewrite (nth_indep u0 false true) by (rewrite Hu0; exact Hc).
    unfold u0. now rewrite nth_repeat. }
  assert (EF : F (p ++ u ++ s) c = sign (nth c u false) * F x0 c).
  { unfold F, slots_of.
    pose proof (row_product_change n _ (sign_rows d x0) r (nth r t 0%nat)
                  (sign (nth c u false)) c 0 t Hj0 Ht Hrow Hrow0) as A.
    pose proof (row_product_change n _ (sign_rows d x0) r (nth r t 0%nat)
                  (sign (nth c u false)) c 0 t' Hj0 Ht' Hrow Hrow0) as A'.
    rewrite Hl in A. rewrite Hl' in A'. rewrite Nat.sub_0_r in A, A'.
    rewrite A, A', Nat.eqb_refl. simpl Nat.leb. simpl plus.
    destruct (Nat.ltb_spec r m); [|lia].
    destruct (Nat.eqb_spec (nth r t' 0%nat) (nth r t 0%nat)); [contradiction|]. simpl. ring. }
  rewrite EF. f_equal. unfold sign at 1.
  destruct (Rlt_dec 0 (F x0 c)), (HF0 c); lra.
Qed.

(** Few strings make two given tuples too correlated. *)
Lemma tuple_mgf n m d eps t t' :
  length t = m -> length t' = m -> (forall j, In j t -> (j < n)%nat) ->
  (forall j, In j t' -> (j < n)%nat) -> t' <> t ->
  lsum (fun x => exp (eps * tuple_dot d (slots_of n m (sign_rows d x)) t t'))
       (bitstrings (m * n * d))
    <= 2 ^ (m * n * d) * exp (INR d * (eps * eps / 2)).
Proof.
  intros Hl Hl' Ht Ht' Hne. destruct (lists_differ t t' ltac:(congruence) Hne) as (r & Hr & Hd).
  rewrite Hl in Hr. set (j0 := nth r t 0%nat).
  assert (Hj0 : (j0 < n)%nat) by (apply Ht, nth_In; lia).
  set (a := ((r * n + j0) * d)%nat). set (b := ((m * n - (r * n + j0) - 1) * d)%nat).
  assert (Hrows : (r * n + j0 + 1 <= m * n)%nat) by nia.
  assert (Hsum : (m * n * d = a + (d + b))%nat).
  { unfold a, b. replace (m * n)%nat with ((r * n + j0) + 1 + (m * n - (r * n + j0) - 1))%nat at 1
      by lia. ring. }
  rewrite Hsum, lsum_bitstrings_app.
  apply Rle_trans with (lsum (fun _ => 2 ^ (d + b) * exp (INR d * (eps * eps / 2))) (bitstrings a)).
  - apply lsum_le. intros p Hp. apply in_bitstrings in Hp.
    rewrite lsum_bitstrings_app, lsum_swap.
    apply Rle_trans with (lsum (fun _ => 2 ^ d * exp (INR d * (eps * eps / 2))) (bitstrings b)).
    + apply lsum_le. intros s _.
      destruct (tuple_dot_block n m d r p s t t' Hl Hl' Ht Ht' Hr Hd Hp) as (y & Hy).
      rewrite (lsum_ext _ (fun u => exp (eps * inner d u y))).
      * apply mgf_bound.
      * intros u Hu. apply in_bitstrings in Hu. now rewrite Hy.
    + right. rewrite lsum_const, bitstrings_length, pow_INR, pow_add. change (INR 2) with 2. ring.
  - right. rewrite lsum_const, bitstrings_length, pow_INR, !pow_add. change (INR 2) with 2. ring.
Qed.

(** ** All pairs *)

Definition same (t t' : list nat) : bool :=
  if list_eq_dec Nat.eq_dec t t' then true else false.

(** 1 if the tuples are different and too correlated. *)
Definition too_close (n m d : nat) (eps : R) (x : list bool) (t t' : list nat) : R :=
  if same t t' then 0 else
  if Rle_dec (tuple_dot d (slots_of n m (sign_rows d x)) t t') (eps * INR d) then 0 else 1.

Lemma tuples_NoDup n m : NoDup (tuples (repeat (seq 0 n) m)).
Proof.
  induction m as [|m IH]; [repeat constructor; auto|].
  apply NoDup_flat_map with (key := fun t => hd 0%nat t); [apply seq_NoDup| |].
  - intros j. apply FinFun.Injective_map_NoDup; [intros u v E; congruence|exact IH].
  - intros j t H. apply in_map_iff in H as (t' & <- & _). reflexivity.
Qed.

Lemma lsum_others (l : list (list nat)) t y : NoDup l -> In t l ->
  lsum (fun t' => if same t t' then 0 else y) l = (INR (length l) - 1) * y.
Proof.
  intros Hnd. induction Hnd as [|t0 l H0 Hnd IH]; [intros []|]. intros Ht.
  simpl lsum. simpl length. rewrite S_INR. unfold same at 1.
  destruct (list_eq_dec Nat.eq_dec t t0) as [->|Hne].
  - rewrite (lsum_ext _ (fun _ => y)); [rewrite lsum_const; ring|].
    intros t' Ht'. unfold same. destruct (list_eq_dec Nat.eq_dec t0 t'); [congruence|reflexivity].
  - destruct Ht as [E|Ht]; [congruence|]. rewrite IH by exact Ht. ring.
Qed.

Lemma lsum_ge_two {A} (f : A -> R) l a b :
  (forall c, In c l -> 0 <= f c) -> In a l -> In b l -> a <> b -> f a + f b <= lsum f l.
Proof.
  induction l as [|c l IH]; [intros _ []|]. intros Hf Ha Hb Hne. simpl.
  assert (Hf' : forall e, In e l -> 0 <= f e) by (intros; apply Hf; now right).
  pose proof (Hf c (or_introl eq_refl)) as Hc.
  destruct Ha as [<-|Ha], Hb as [<-|Hb]; [congruence| | |].
  - pose proof (lsum_ge_term f l b Hf' Hb). lra.
  - pose proof (lsum_ge_term f l a Hf' Ha). lra.
  - specialize (IH Hf' Ha Hb Hne). lra.
Qed.

Lemma tuple_dot_comm d Ks t t' : tuple_dot d Ks t t' = tuple_dot d Ks t' t.
Proof. apply rsum_ext. intros; ring. Qed.

Lemma too_close_nonneg n m d eps x t t' : 0 <= too_close n m d eps x t t'.
Proof. unfold too_close. destruct (same t t'); [lra|]. destruct (Rle_dec _ _); lra. Qed.

Lemma too_close_bound n m d eps t t' : 0 <= eps ->
  In t (tuples (repeat (seq 0 n) m)) -> In t' (tuples (repeat (seq 0 n) m)) ->
  lsum (fun x => too_close n m d eps x t t') (bitstrings (m * n * d))
    <= if same t t' then 0 else 2 ^ (m * n * d) * exp (- (eps * eps * INR d / 2)).
Proof.
  intros Heps Ht Ht'. unfold too_close, same.
  destruct (list_eq_dec Nat.eq_dec t t') as [E|Hne]; [rewrite lsum_const; lra|].
  apply in_tuples_repeat in Ht as [Hl Hin]. apply in_tuples_repeat in Ht' as [Hl' Hin'].
  assert (Hlt : forall j, In j t -> (j < n)%nat)
    by (intros j Hj; specialize (Hin j Hj); apply in_seq in Hin; lia).
  assert (Hlt' : forall j, In j t' -> (j < n)%nat)
    by (intros j Hj; specialize (Hin' j Hj); apply in_seq in Hin'; lia).
  apply Rle_trans with (lsum (fun x => exp (- (eps * (eps * INR d)))
      * exp (eps * tuple_dot d (slots_of n m (sign_rows d x)) t t')) (bitstrings (m * n * d))).
  - apply lsum_le. intros x _. rewrite <- exp_plus.
    set (D := tuple_dot _ _ _ _).
    pose proof (exp_pos (- (eps * (eps * INR d)) + eps * D)).
    destruct (Rle_dec D (eps * INR d)) as [|Hbad]; [lra|]. apply Rnot_le_lt in Hbad.
    pose proof (exp_ineq1_le (- (eps * (eps * INR d)) + eps * D)). nra.
  - rewrite lsum_scal.
    pose proof (tuple_mgf n m d eps t t' Hl Hl' Hlt Hlt' (not_eq_sym Hne)) as H.
    apply Rle_trans with (exp (- (eps * (eps * INR d)))
      * (2 ^ (m * n * d) * exp (INR d * (eps * eps / 2)))).
    + apply Rmult_le_compat_l; [left; apply exp_pos|exact H].
    + right. replace (- (eps * eps * INR d / 2))
        with (- (eps * (eps * INR d)) + INR d * (eps * eps / 2)) by field.
      rewrite exp_plus. ring.
Qed.

(** There are m matrices of signs, n rows each, such that the product rows of different tuples
    have inner products of at most ε d. *)
Theorem keys_sign_tuples_exist n m d eps :
  0 <= eps ->
  INR n ^ m * (INR n ^ m - 1) / 2 * exp (- (eps * eps * INR d / 2)) < 1 ->
  exists Ks, length Ks = m /\ (forall K, In K Ks -> sign_matrix K) /\
    forall t t', In t (tuples (repeat (seq 0 n) m)) -> In t' (tuples (repeat (seq 0 n) m)) ->
      t' <> t -> tuple_dot d Ks t t' <= eps * INR d.
Proof.
  intros Heps Hn. set (l := tuples (repeat (seq 0 n) m)).
  assert (Hlen : INR (length l) = INR n ^ m)
    by (unfold l; now rewrite tuples_length_repeat, seq_length).
  set (B := 2 ^ (m * n * d) * exp (- (eps * eps * INR d / 2))).
  destruct (lsum_lt_1 (fun x => lsum (fun t => lsum (fun t' =>
      1 / 2 * too_close n m d eps x t t') l) l) (bitstrings (m * n * d))) as (x & Hx & Hlt).
  - rewrite lsum_swap. rewrite (lsum_ext _ (fun t => lsum (fun t' =>
      1 / 2 * lsum (fun x => too_close n m d eps x t t') (bitstrings (m * n * d))) l)).
    2: { intros t _. rewrite lsum_swap. apply lsum_ext. intros t' _. now rewrite lsum_scal. }
    apply Rle_lt_trans with (lsum (fun t => (INR n ^ m - 1) * (1 / 2 * B)) l).
    + apply lsum_le. intros t Ht. rewrite <- Hlen.
      rewrite <- (lsum_others l t (1 / 2 * B) (tuples_NoDup n m) Ht).
      apply lsum_le. intros t' Ht'.
      pose proof (too_close_bound n m d eps t t' Heps Ht Ht') as H. fold B in H.
      destruct (same t t'); lra.
    + rewrite lsum_const, Hlen, bitstrings_length, pow_INR. change (INR 2) with 2.
      replace (INR n ^ m * ((INR n ^ m - 1) * (1 / 2 * B)))
        with (2 ^ (m * n * d) * (INR n ^ m * (INR n ^ m - 1) / 2 * exp (- (eps * eps * INR d / 2))))
        by (unfold B; field).
      rewrite <- (Rmult_1_r (2 ^ (m * n * d))) at 2. apply Rmult_lt_compat_l; [|exact Hn].
      apply pow_lt; lra.
  - exists (slots_of n m (sign_rows d x)). split; [|split].
    + unfold slots_of. now rewrite map_length, seq_length.
    + apply slots_of_sign.
    + intros t t' Ht Ht' Hne. apply Rnot_lt_le. intros Hbad.
      assert (Hone : forall t t', t' <> t ->
        eps * INR d < tuple_dot d (slots_of n m (sign_rows d x)) t t' ->
        too_close n m d eps x t t' = 1).
      { intros u u' Hu Hb. unfold too_close, same.
        destruct (list_eq_dec Nat.eq_dec u u'); [congruence|]. destruct (Rle_dec _ _); lra. }
      set (f := fun t => lsum (fun t' => 1 / 2 * too_close n m d eps x t t') l) in Hlt.
      assert (Hf : forall t, 0 <= f t).
      { intros u. apply lsum_nonneg. intros u' _.
        pose proof (too_close_nonneg n m d eps x u u'). lra. }
      assert (Hterm : forall u u', In u' l -> 1 / 2 * too_close n m d eps x u u' <= f u).
      { intros u u' Hu'. apply (lsum_ge_term (fun t' => 1 / 2 * too_close n m d eps x u t'));
          [|exact Hu'].
        intros v _. pose proof (too_close_nonneg n m d eps x u v). lra. }
      pose proof (lsum_ge_two f l t t' (fun u _ => Hf u) Ht Ht' (not_eq_sym Hne)) as H2.
      pose proof (Hterm t t' Ht') as A. pose proof (Hterm t' t Ht) as A'.
      rewrite (Hone t t') in A by assumption.
      rewrite (Hone t' t) in A' by (congruence || now rewrite tuple_dot_comm). lra.
Qed.

(** The same as an inequality on the dimension: d > (2/ε²) ln(N(N-1)/2), N = n^m rows; the margin
    of a tuple is then C (1 - ε) d. *)
Theorem keys_sign_tuples_dimension n m d eps C :
  (2 <= n)%nat -> (1 <= m)%nat -> 0 < eps -> 0 <= C ->
  INR d > 2 / (eps * eps) * ln (INR n ^ m * (INR n ^ m - 1) / 2) ->
  exists Ks, length Ks = m /\ (forall K, In K Ks -> sign_matrix K) /\
    forall t, In t (tuples (repeat (seq 0 n) m)) ->
      tuple_margin n m d Ks (product_query C Ks t) t (C * ((1 - eps) * INR d)).
Proof.
  intros Hn Hm Heps HC Hd. apply le_INR in Hn. simpl in Hn.
  assert (HN : 2 <= INR n ^ m).
  { destruct m as [|m]; [lia|]. simpl.
    assert (1 <= INR n ^ m) by (apply pow_R1_Rle; lra). nra. }
  set (N := INR n ^ m) in *. set (P := N * (N - 1) / 2) in *.
  assert (HP : 0 < P) by (unfold P; nra).
  destruct (keys_sign_tuples_exist n m d eps) as (Ks & Hl & Hs & Hdot); [lra| |].
  - fold N P. rewrite <- (exp_ln P HP) at 1. rewrite <- exp_plus, <- exp_0.
    apply exp_increasing. assert (He : 0 < eps * eps) by nra.
    apply Rgt_lt, (Rmult_lt_compat_r (eps * eps)) in Hd; [|exact He].
    replace (2 / (eps * eps) * ln P * (eps * eps)) with (2 * ln P) in Hd by (field; lra). lra.
  - exists Ks. split; [exact Hl|]. split; [exact Hs|]. intros t Ht.
    replace (C * ((1 - eps) * INR d)) with (C * (INR d - eps * INR d)) by ring.
    apply keys_sign_tuples; auto.
Qed.

(** Order 1: n rows of signs with inner products of at most ε d, once
    n (n - 1) / 2 exp(-ε² d / 2) < 1. *)
Theorem keys_sign_rows_exist n d eps :
  0 <= eps -> INR n * (INR n - 1) / 2 * exp (- (eps * eps * INR d / 2)) < 1 ->
  exists K, sign_matrix K /\
    forall i j, (i < n)%nat -> (j < n)%nat -> j <> i -> dot d K i j <= eps * INR d.
Proof.
  intros Heps Hn.
  destruct (keys_sign_tuples_exist n 1 d eps Heps) as (Ks & Hl & Hs & Hdot).
  { now rewrite pow_1. }
  destruct Ks as [|K [|K' Ks]]; try discriminate. exists K. split; [apply Hs; now left|].
  intros i j Hi Hj Hne.
  assert (Hin : forall k, (k < n)%nat -> In [k] (tuples (repeat (seq 0 n) 1))).
  { intros k Hk. apply in_tuples_cons. split; [apply in_seq; lia|now left]. }
  specialize (Hdot [i] [j] (Hin i Hi) (Hin j Hj) ltac:(congruence)).
  eapply Rle_trans; [|exact Hdot]. right. apply rsum_ext. intros c _. simpl. ring.
Qed.
