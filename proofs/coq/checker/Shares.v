(** What tokens weigh for a query, and the levels that its answers tell apart. *)
From Coq Require Import Reals Lra Lia ZArith QArith Qreals List Bool.
From KVFloor Require Import Sums Attention Tuples GivenValues.
From KVFloor Require Import Certificates Exponential Numbers OutputBounds.
Import ListNotations.
Open Scope R_scope.

(** ** Sums of exponentials of the tuples of some tokens *)

(** An exponential between two multiples of 2^-w, and the token of its tuple. *)
Definition weighed := (Z * Z * nat)%type.

Fixpoint within (p : nat -> bool) (l : list weighed) : Z * Z :=
  match l with
  | [] => (0, 0)%Z
  | (lo, hi, i) :: l' =>
      let '(a, b) := within p l' in if p i then (lo + a, hi + b)%Z else (a, b)
  end.

Lemma within_between {A} w (p : nat -> bool) (l : list A) (enc : A -> weighed) (e : A -> R) :
  (forall t, In t l -> (0 <= fst (fst (enc t)))%Z /\
     between w (fst (fst (enc t))) (snd (fst (enc t))) (e t)) ->
  let '(a, b) := within p (map enc l) in
  (0 <= a)%Z /\ between w a b (lsum (fun t => if p (snd (enc t)) then e t else 0) l).
Proof.
  induction l as [|t l IH]; intros H.
  - simpl. unfold between. split; [lia|]. lra.
  - cbn [map within lsum]. specialize (IH (fun t Ht => H t (or_intror Ht))).
    destruct (within p (map enc l)) as [a b]. destruct IH as [I1 I2].
    destruct (H t (or_introl eq_refl)) as [H1 H2].
    destruct (enc t) as [[lo hi] i]. cbn [fst snd] in *. unfold between in *.
    destruct (p i); (split; [lia|]); rewrite ?plus_IZR; lra.
Qed.

(** Entries at whose places p holds, zeros elsewhere. *)
Fixpoint masked (p : nat -> bool) (i : nat) (l : list Z) : list Z :=
  match l with
  | [] => []
  | x :: l' => (if p i then x else 0%Z) :: masked p (S i) l'
  end.

Lemma masked_nth p l : forall i c,
  nth c (masked p i l) 0%Z = if p (i + c)%nat then nth c l 0%Z else 0%Z.
Proof.
  induction l as [|x l IH]; intros i [|c]; cbn [masked nth].
  - now destruct (p _).
  - now destruct (p _).
  - rewrite Nat.add_0_r. reflexivity.
  - rewrite IH. now replace (S i + c)%nat with (i + S c)%nat by lia.
Qed.

Lemma masked_length p l : forall i, length (masked p i l) = length l.
Proof. induction l; intros i; simpl; [reflexivity|]. now rewrite IHl. Qed.

(** ** One query *)

Section Query.
Variables (slots : list (list nat)) (q : list Q) (Ks : list table) (f : Q) (r : Z) (slot : nat).

Definition scaled_query (c : nat) : R := Q2R f * sqrt (IZR r) * vector_of q c.

Definition exponents (w : Z) : list weighed :=
  let l := whole_entries slots q Ks in
  let m := largest l in
  let b := (logit_denominator q Ks * Zpos (Qden f))%Z in
  map (fun e => (exponential w r ((m - fst e) * Qnum f) b, nth slot (snd e) 0%nat)) l.

Hypothesis Hwell : well_formed slots q Ks Ks = true.
Hypothesis Hf : (0 < Qnum f)%Z.
Hypothesis Hr : (0 <= r)%Z.

Lemma scaled_logit d t : tuple_logit d scaled_query (map matrix_of Ks) t
  = Q2R f * sqrt (IZR r) * tuple_logit d (vector_of q) (map matrix_of Ks) t.
Proof.
  unfold tuple_logit, scaled_query. rewrite <- rsum_scal. apply rsum_ext. intros. ring.
Qed.

Lemma exponents_spec w : (0 <= w)%Z ->
  exists S (enc : list nat -> weighed), exponents w = map enc (tuples slots) /\
  forall t, In t (tuples slots) -> snd (enc t) = nth slot t 0%nat /\
    (0 <= fst (fst (enc t)))%Z /\
    between w (fst (fst (enc t))) (snd (fst (enc t)))
      (exp (tuple_logit (length q) scaled_query (map matrix_of Ks) t - S)).
Proof.
  intros Hw. destruct (well _ _ _ _ Hwell) as (E1 & _ & Hq & HK & _).
  pose proof (logit_denominator_pos _ _ _ _ Hwell) as PL.
  set (m := largest (whole_entries slots q Ks)).
  set (b := (logit_denominator q Ks * Zpos (Qden f))%Z).
  exists (IZR (m * Qnum f) * sqrt (IZR r) / IZR b).
  set (lt t := whole_logit (wholes (query_denominator q) q)
                 (map (map (wholes (denominator Ks))) Ks) t).
  exists (fun t => (exponential w r ((m - lt t) * Qnum f) b, nth slot t 0%nat)).
  assert (EE : whole_entries slots q Ks = map (fun t => (lt t, t)) (tuples slots))
    by (unfold whole_entries; now rewrite entries_tuples by now rewrite map_length).
  split.
  - unfold exponents. fold m b. rewrite EE, map_map. reflexivity.
  - intros t Ht. cbn [fst snd]. split; [reflexivity|].
    assert (M : (lt t <= m)%Z).
    { apply (largest_above (whole_entries slots q Ks) (lt t, t)). rewrite EE.
      apply in_map_iff. eauto. }
    pose proof (exponential_between w Hw r ((m - lt t) * Qnum f) b ltac:(nia) ltac:(lia) Hr) as B.
    destruct (exponential w r ((m - lt t) * Qnum f) b) as [lo hi]. cbn [fst snd].
    destruct B as [B0 B]. split; [exact B0|].
    replace (tuple_logit _ _ _ _ - _) with (- (IZR ((m - lt t) * Qnum f) * sqrt (IZR r) / IZR b));
      [exact B|].
    apply tuples_member_length in Ht.
    pose proof (whole_logit_scaled (query_denominator q) (denominator Ks) q Ks t
                  (eq_trans Ht (eq_sym E1)) Hq HK) as L.
    change (IZR (query_denominator q * _)) with (IZR (logit_denominator q Ks)) in L.
    fold (lt t) in L.
    rewrite scaled_logit. unfold Q2R, b. rewrite !mult_IZR, minus_IZR, L.
    apply IZR_lt in PL. assert (PD : 0 < IZR (Zpos (Qden f))) by (apply IZR_lt; lia).
    field. lra.
Qed.

(** Some positive P such that every share is between whole numbers over P. *)
Lemma shares_between w : (0 <= w)%Z -> exists P, 0 < P /\
  P <= IZR (snd (within (fun _ => true) (exponents w))) /\
  forall i, let '(a, b) := within (Nat.eqb i) (exponents w) in
    (0 <= a)%Z /\
    IZR a <= share slots (length q) scaled_query (map matrix_of Ks) slot i * P <= IZR b.
Proof.
  intros Hw. destruct (exponents_spec w Hw) as (S & enc & E & Henc).
  set (s := tuple_logit (length q) scaled_query (map matrix_of Ks)) in *.
  destruct (well _ _ _ _ Hwell) as (_ & _ & _ & _ & _ & _ & _ & N).
  set (T := lsum (fun t => exp (s t - S)) (tuples slots)).
  assert (PT : 0 < T) by now apply exps_pos.
  pose proof (one_pos w Hw) as P1. exists (T * IZR (one w)).
  split; [now apply Rmult_lt_0_compat|]. rewrite E. split.
  - pose proof (within_between w (fun _ => true) (tuples slots) enc (fun t => exp (s t - S))
      (fun t Ht => proj2 (Henc t Ht))) as B.
    destruct (within _ _) as [a b]. destruct B as [_ [_ B]]. exact B.
  - intros i.
    pose proof (within_between w (Nat.eqb i) (tuples slots) enc (fun t => exp (s t - S))
      (fun t Ht => proj2 (Henc t Ht))) as B.
    destruct (within (Nat.eqb i) _) as [a b]. destruct B as [A B]. split; [exact A|].
    replace (share _ _ _ _ _ _ * (T * IZR (one w)))
      with (lsum (fun t => if Nat.eqb i (snd (enc t)) then exp (s t - S) else 0) (tuples slots)
            * IZR (one w)); [exact B|].
    rewrite <- Rmult_assoc. f_equal. unfold share. rewrite <- lsum_scal_r. apply lsum_ext.
    intros t Ht. destruct (Henc t Ht) as [-> _]. rewrite (Nat.eqb_sym i).
    destruct (_ =? _)%nat; [|ring]. unfold tuple_weight, T.
    pose proof (exps_pos (tuples slots) s N). unfold Rminus. rewrite exp_plus.
    rewrite (lsum_ext (fun t' => exp (s t' + - S)) (fun t' => exp (s t') * exp (- S)))
      by (intros; apply exp_plus).
    rewrite lsum_scal_r. fold s. field. lra.
Qed.
End Query.

(** ** Levels *)

Section Levels.
Variables (eta alpha : Q) (w : Z).
Hypothesis Hw : (0 <= w)%Z.

(** The next level, over 2^w, at an α of A 2^-w. *)
Definition climb (A Y : Z) : Z :=
  let (p, q) := (Qnum eta, Zpos (Qden eta)) in
  ceil_div ((q + p) * Y + 2 * q * A) (q - p).

Fixpoint level (n : nat) (A Y : Z) : Z :=
  match n with O => Y | S k => climb A (level k A Y) end.

(** The α of a token, over 2^w, rounded up to more. *)
Definition alpha_top (later earlier all : Z) : Z :=
  let (p, q) := (Qnum eta, Zpos (Qden eta)) in
  let (x, y) := (Qnum alpha, Zpos (Qden alpha)) in
  (one w * (y * (q + p) * later + 2 * y * p * earlier + 2 * x * q * all))%Z.
Definition alpha_under (own : Z) : Z := (2 * Zpos (Qden eta) * Zpos (Qden alpha) * own)%Z.
Definition alpha_of (later earlier all own : Z) : Z :=
  (alpha_top later earlier all / alpha_under own + 1)%Z.

Definition tells (later earlier all own L : Z) : bool :=
  (0 <? own)%Z && (1 <=? L)%Z &&
  (level (Z.to_nat (L - 1)) (alpha_of later earlier all own) 0 <=? one w)%Z.

Hypothesis Heta : 0 <= Q2R eta < 1.
Hypothesis Halpha : 0 <= Q2R alpha.

Lemma numerators : (0 <= Qnum eta < Zpos (Qden eta))%Z /\ (0 <= Qnum alpha)%Z.
Proof.
  assert (P : forall x, 0 < IZR (Zpos (Qden x))) by (intros; apply IZR_lt; lia).
  pose proof (P eta) as Pe. pose proof (P alpha) as Pa.
  assert (Ee : IZR (Qnum eta) = Q2R eta * IZR (Zpos (Qden eta))) by (unfold Q2R; field; lra).
  assert (Ea : IZR (Qnum alpha) = Q2R alpha * IZR (Zpos (Qden alpha))) by (unfold Q2R; field; lra).
  split; [split|]; [apply le_IZR|apply lt_IZR|apply le_IZR]; nra.
Qed.

Lemma climb_above A Y : (0 <= A)%Z -> (0 <= Y)%Z -> (Y <= climb A Y)%Z.
Proof.
  intros HA HY. destruct numerators as [[Hp Hq] _]. unfold climb, ceil_div.
  set (p := Qnum eta) in *. set (q := Zpos (Qden eta)) in *.
  enough (- ((q + p) * Y + 2 * q * A) / (q - p) <= - Y)%Z by lia.
  apply Z.div_le_upper_bound; nia.
Qed.

Lemma level_nonneg A n : (0 <= A)%Z -> (0 <= level n A 0)%Z.
Proof.
  intros HA. induction n as [|n IH]; [reflexivity|]. cbn [level].
  pose proof (climb_above A _ HA IH). lia.
Qed.

Lemma level_mono A n n' : (0 <= A)%Z -> (n <= n')%nat -> (level n A 0 <= level n' A 0)%Z.
Proof.
  intros HA H. induction H as [|n' _ IH]; [lia|]. cbn [level].
  pose proof (climb_above A _ HA (level_nonneg A n' HA)). lia.
Qed.

Lemma climb_room A Y :
  (1 + Q2R eta) * IZR Y + 2 * IZR A <= (1 - Q2R eta) * IZR (climb A Y).
Proof.
  destruct numerators as [[Hp Hq] _]. unfold climb.
  pose proof (ceil_div_ge ((Zpos (Qden eta) + Qnum eta) * Y + 2 * Zpos (Qden eta) * A)
    (Zpos (Qden eta) - Qnum eta) ltac:(lia)) as C.
  set (c := ceil_div _ _) in *. rewrite plus_IZR, !mult_IZR, plus_IZR, minus_IZR in C.
  assert (P : 0 < IZR (Zpos (Qden eta))) by (apply IZR_lt; lia).
  apply Rmult_le_reg_r with (IZR (Zpos (Qden eta))); [exact P|].
  replace (Q2R eta) with (IZR (Qnum eta) / IZR (Zpos (Qden eta))) by reflexivity.
  replace (((1 + _) * _ + _) * _) with
    ((IZR (Zpos (Qden eta)) + IZR (Qnum eta)) * IZR Y + 2 * IZR (Zpos (Qden eta)) * IZR A)
    by (field; lra).
  replace ((1 - _) * IZR c * _) with (IZR c * (IZR (Zpos (Qden eta)) - IZR (Qnum eta)))
    by (field; lra).
  exact C.
Qed.

Lemma tells_correct later earlier all own L s u t P : 0 < P ->
  tells later earlier all own L = true ->
  (0 <= later)%Z -> (0 <= earlier)%Z ->
  IZR own <= s * P -> u * P <= IZR later -> t * P <= IZR earlier -> P <= IZR all ->
  0 < s /\
  told (Q2R eta) (given_alpha (Q2R eta) (Q2R alpha) s u t) (Z.to_nat L)
    (fun a => IZR (level a (alpha_of later earlier all own) 0) / IZR (one w)).
Proof.
  intros PP H Hl He Ho Hu Ht Ha. unfold tells in H. rewrite !andb_true_iff in H.
  destruct H as [[O L1] F]. apply Z.ltb_lt in O. apply Z.leb_le in L1, F.
  destruct numerators as [[Hp Hq] Hx]. pose proof (one_pos w Hw) as W.
  set (A := alpha_of later earlier all own) in *.
  assert (O' : 0 < IZR own) by now apply IZR_lt.
  assert (Hs : 0 < s) by nra.
  assert (all0 : (0 <= all)%Z) by (apply le_IZR; lra).
  assert (W' : (0 < one w)%Z) by now apply lt_IZR.
  assert (U : (0 < alpha_under own)%Z) by (unfold alpha_under; nia).
  assert (T0 : (0 <= alpha_top later earlier all)%Z).
  { unfold alpha_top. apply Z.mul_nonneg_nonneg; [lia|].
    repeat apply Z.add_nonneg_nonneg; repeat apply Z.mul_nonneg_nonneg; lia. }
  assert (HA : (0 <= A)%Z).
  { unfold A, alpha_of. pose proof (Z.div_pos _ _ T0 U). lia. }
  assert (HT : (alpha_top later earlier all < A * alpha_under own)%Z).
  { unfold A, alpha_of. pose proof (Z.mul_succ_div_gt (alpha_top later earlier all) _ U). lia. }
  assert (HA' : 0 <= IZR A) by now apply IZR_le.
  assert (R : given_alpha (Q2R eta) (Q2R alpha) s u t * IZR (one w) < IZR A).
  { apply IZR_lt in HT. unfold alpha_top, alpha_under in HT.
    repeat rewrite ?mult_IZR, ?plus_IZR in HT.
    set (p := IZR (Qnum eta)) in *. set (d := IZR (Zpos (Qden eta))) in *.
    set (x := IZR (Qnum alpha)) in *. set (y := IZR (Zpos (Qden alpha))) in *.
    assert (D : 0 < d) by (apply IZR_lt; lia). assert (Y : 0 < y) by (apply IZR_lt; lia).
    assert (Ee : Q2R eta = p / d) by reflexivity. assert (Ea : Q2R alpha = x / y) by reflexivity.
    unfold given_alpha. apply Rmult_lt_reg_r with (2 * s * P); [nra|].
    replace (_ / (2 * s) * IZR (one w) * (2 * s * P)) with
      (IZR (one w) * ((1 + Q2R eta) * (u * P) + 2 * Q2R eta * (t * P) + 2 * Q2R alpha * P))
      by (field; lra).
    apply Rle_lt_trans with
      (IZR (one w) * ((1 + Q2R eta) * IZR later + 2 * Q2R eta * IZR earlier
                      + 2 * Q2R alpha * IZR all)).
    { apply Rmult_le_compat_l; [lra|].
      repeat apply Rplus_le_compat; apply Rmult_le_compat_l; lra || nra. }
    apply Rlt_le_trans with (IZR A * (2 * IZR own)); [|nra].
    rewrite Ee, Ea. apply Rmult_lt_reg_r with (d * y); [now apply Rmult_lt_0_compat|].
    replace (_ * (_ + _) * (d * y)) with
      (IZR (one w) * (y * (d + p) * IZR later + 2 * y * p * IZR earlier + 2 * x * d * IZR all))
      by (field; lra).
    lra. }
  split; [exact Hs|]. split.
  - intros a Ha'. pose proof (level_nonneg A a HA) as L0.
    pose proof (level_mono A a (Z.to_nat (L - 1)) HA ltac:(lia)) as L2.
    apply IZR_le in L0. assert (L3 : IZR (level a A 0) <= IZR (one w)) by (apply IZR_le; lia).
    split; [apply Rmult_le_pos; [lra|left; now apply Rinv_0_lt_compat]|].
    apply Rmult_le_reg_r with (IZR (one w)); [exact W|]. unfold Rdiv.
    rewrite Rmult_assoc, Rinv_l; lra.
  - intros a Ha'. cbn [level]. pose proof (climb_room A (level a A 0)) as C.
    apply Rmult_lt_reg_r with (IZR (one w)); [exact W|].
    replace ((_ - _) * IZR (one w)) with
      ((1 - Q2R eta) * IZR (climb A (level a A 0)) - (1 + Q2R eta) * IZR (level a A 0))
      by (field; lra).
    lra.
Qed.
End Levels.
