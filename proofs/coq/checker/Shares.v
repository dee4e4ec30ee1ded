(** What tokens weigh for a query, and the levels that its answers tell apart. *)
From Coq Require Import Reals Lra Lia ZArith QArith Qreals List Bool.
From KVFloor Require Import Sums Attention Tuples GivenValues.
From KVFloor Require Import Certificates Exponential Numbers OutputBounds Bounds.
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

(** Where L levels are that are told at an α below x: at distances of 2x, which κ = (1+η)/(1-η)
    stretches, or at powers of a ratio below 1/κ where α is 0. *)
Definition zero_level (eta : R) (L a : nat) : R := ((1 - eta) / (2 * (1 + eta))) ^ (L - 1 - a).
Definition level (eta x : R) (a : nat) : R :=
  if Req_EM_T eta 0 then 2 * INR a * x else x / eta * (((1 + eta) / (1 - eta)) ^ a - 1).

Lemma zero_levels_told eta alpha L : 0 <= eta < 1 -> alpha <= 0 ->
  told eta alpha L (zero_level eta L).
Proof.
  intros He Ha. unfold zero_level. set (r := (1 - eta) / (2 * (1 + eta))).
  assert (E : r * (1 + eta) = (1 - eta) / 2) by (unfold r; field; lra).
  assert (Hr : 0 < r <= 1) by nra.
  assert (P : forall n, 0 < r ^ n <= 1).
  { intros n. split; [apply pow_lt; lra|]. rewrite <- (pow1 n). apply pow_incr. lra. }
  split.
  - intros a _. specialize (P (L - 1 - a)%nat). lra.
  - intros a H. replace (L - 1 - a)%nat with (S (L - 1 - S a)) by lia.
    cbn [pow]. specialize (P (L - 1 - S a)%nat). set (y := r ^ (L - 1 - S a)) in *.
    replace ((1 + eta) * (r * y)) with (r * (1 + eta) * y) by ring. rewrite E. nra.
Qed.

Lemma levels_told eta alpha x L : 0 <= eta < 1 -> 0 <= x -> alpha < x ->
  (eta = 0 -> 2 * INR (L - 1) * x <= 1) ->
  (0 < eta -> x * (((1 + eta) / (1 - eta)) ^ (L - 1) - 1) <= eta) ->
  told eta alpha L (level eta x).
Proof.
  intros He Hx Ha H0 H1. unfold level. destruct (Req_EM_T eta 0) as [E|N].
  - specialize (H0 E). split.
    + intros a HL. assert (A : INR a <= INR (L - 1)) by (apply le_INR; lia).
      pose proof (pos_INR a). split; nra.
    + intros a _. rewrite S_INR, E. lra.
  - assert (Hp : 0 < eta) by lra. specialize (H1 Hp).
    set (kappa := (1 + eta) / (1 - eta)) in *.
    assert (E : kappa * (1 - eta) = 1 + eta) by (unfold kappa; field; lra).
    assert (K : 1 <= kappa) by nra. split.
    + intros a HL. pose proof (pow_R1_Rle kappa a K) as P1.
      pose proof (Rle_pow kappa a (L - 1) K ltac:(lia)) as P2.
      apply (Rmult_le_compat_l x) in P2; [|exact Hx].
      replace (x / eta * (kappa ^ a - 1)) with (x * (kappa ^ a - 1) / eta) by (field; lra).
      split; apply Rmult_le_reg_r with eta; try exact Hp; unfold Rdiv;
        rewrite ?Rmult_assoc, ?Rinv_l; nra.
    + intros a _. cbn [pow].
      replace ((1 - eta) * (x / eta * (kappa * kappa ^ a - 1))
               - (1 + eta) * (x / eta * (kappa ^ a - 1)))
        with (x / eta * ((kappa * (1 - eta) - (1 + eta)) * kappa ^ a + 2 * eta)) by ring.
      rewrite E. replace (x / eta * ((1 + eta - (1 + eta)) * kappa ^ a + 2 * eta)) with (2 * x)
        by (field; lra). lra.
Qed.

Section Levels.
Variables (eta alpha : Q) (w : Z).
Hypothesis Hw : (0 <= w)%Z.

(** The α of a token, over 2^w, rounded up to more. *)
Definition alpha_top (later earlier all : Z) : Z :=
  let (p, q) := (Qnum eta, Zpos (Qden eta)) in
  let (x, y) := (Qnum alpha, Zpos (Qden alpha)) in
  (one w * (y * (q + p) * later + 2 * y * p * earlier + 2 * x * q * all))%Z.
Definition alpha_under (own : Z) : Z := (2 * Zpos (Qden eta) * Zpos (Qden alpha) * own)%Z.
Definition alpha_of (later earlier all own : Z) : Z :=
  (alpha_top later earlier all / alpha_under own + 1)%Z.

(** Whether n steps lead from 0 to 1 at most, at an α of A 2^-w: if κ^n <= 1 + η/α, where
    κ^n - 1 = 2p t / (q-p)^n with t = ((q+p)^n - (q-p)^n) / 2p for η = p/q. *)
Definition fits (A n : Z) : bool :=
  let (p, q) := (Qnum eta, Zpos (Qden eta)) in
  if (p =? 0)%Z then (2 * n * A <=? one w)%Z
  else match n with
       | Zpos k =>
           let '(_, _, t) := geometric (q + p) (q - p) k in
           negb (below (times_float false (one w, 0%Z) (power false ((q - p)%Z, 0%Z) n)) 0
                       (times_float true ((2 * A * q)%Z, 0%Z) t))
       | _ => true
       end.

Definition tells (later earlier all own L : Z) : bool :=
  (0 <? own)%Z && (1 <=? L)%Z &&
  ((alpha_top later earlier all =? 0)%Z || fits (alpha_of later earlier all own) (L - 1)).

Definition told_level (later earlier all own L : Z) : nat -> R :=
  if (alpha_top later earlier all =? 0)%Z then zero_level (Q2R eta) (Z.to_nat L)
  else level (Q2R eta) (IZR (alpha_of later earlier all own) / IZR (one w)).

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

Lemma fits_correct A n : (0 <= A)%Z -> (0 <= n)%Z -> fits A n = true ->
  let x := IZR A / IZR (one w) in
  (Q2R eta = 0 -> 2 * INR (Z.to_nat n) * x <= 1) /\
  (0 < Q2R eta ->
     x * (((1 + Q2R eta) / (1 - Q2R eta)) ^ Z.to_nat n - 1) <= Q2R eta).
Proof.
  intros HA Hn F. destruct numerators as [[Hp Hq] _]. pose proof (one_pos w Hw) as W.
  unfold fits in F.
  set (p := Qnum eta) in *. set (q := Zpos (Qden eta)) in *. intros x.
  assert (Q0 : 0 < IZR q) by (apply IZR_lt; lia).
  assert (Ee : Q2R eta = IZR p / IZR q) by reflexivity.
  assert (Ex : x * IZR (one w) = IZR A) by (unfold x; field; lra).
  destruct (Z.eqb_spec p 0) as [P|P].
  - assert (E0 : Q2R eta = 0) by (rewrite Ee, P; unfold Rdiv; ring).
    split; [intros _|intros H; lra]. apply Z.leb_le, IZR_le in F. rewrite !mult_IZR in F.
    rewrite INR_IZR_INZ, Z2Nat.id by exact Hn. nra.
  - assert (P' : (0 < p)%Z) by lia. split; [intros E0; exfalso|intros _].
    { rewrite Ee in E0. apply P, eq_IZR. apply (Rmult_eq_compat_r (IZR q)) in E0.
      unfold Rdiv in E0. rewrite Rmult_assoc, Rinv_l in E0; lra. }
    assert (W' : (0 < one w)%Z) by now apply lt_IZR.
    destruct n as [|n|n]; [|clear Hn|lia].
    { simpl. rewrite Rminus_diag_eq, Rmult_0_r by reflexivity. lra. }
    pose proof (geometric_bounds (q + p) (q - p) n ltac:(lia) ltac:(lia)) as G.
    destruct (geometric (q + p) (q - p) n) as [[U V] T]. destruct G as (_ & _ & t & B & E).
    pose proof (times_bounds false _ _ _ _ (exact_bounds false (one w) ltac:(lia))
      (power_bounds false _ _ (Zpos n) ltac:(lia) (exact_bounds false (q - p)%Z ltac:(lia))))
      as (S1 & _ & B1).
    pose proof (times_bounds true _ _ _ _ (exact_bounds true (2 * A * q)%Z ltac:(nia)) B)
      as (S2 & _ & B2).
    set (f := times_float false _ _) in *. set (g := times_float true _ _) in *.
    assert (Z1 : (2 * A * q * t <= one w * (q - p) ^ Zpos n)%Z).
    { apply negb_true_iff in F. pose proof (below_correct f 0 g S1 S2 ltac:(lia)) as C.
      rewrite F, Z.pow_0_r, Z.mul_1_r in C. destruct C as [_ C].
      destruct (Z.ltb_spec (value f) (value g)) as [H|H]; [specialize (C H); discriminate C|].
      lia. }
    replace (q + p - (q - p))%Z with (2 * p)%Z in E by ring.
    apply IZR_le in Z1. apply (f_equal IZR) in E. rewrite minus_IZR in E.
    rewrite !mult_IZR in E. rewrite !mult_IZR in Z1.
    set (k := Z.to_nat (Zpos n)) in *.
    assert (Ep : forall z, IZR (z ^ Zpos n) = IZR z ^ k).
    { intros z. rewrite pow_IZR. unfold k. now rewrite Z2Nat.id. }
    rewrite Ep, minus_IZR in Z1. rewrite !Ep, plus_IZR, minus_IZR in E.
    set (kappa := (1 + Q2R eta) / (1 - Q2R eta)).
    assert (D : 0 < IZR q - IZR p) by (rewrite <- minus_IZR; apply IZR_lt; lia).
    assert (Ek : IZR q + IZR p = kappa * (IZR q - IZR p))
      by (unfold kappa; rewrite Ee; field; lra).
    rewrite Ek, Rpow_mult_distr in E. pose proof (pow_lt _ k D) as Dk.
    set (dk := (IZR q - IZR p) ^ k) in *. rewrite <- Ex in Z1.
    apply Rmult_le_reg_r with (dk * IZR q * IZR (one w)).
    { repeat apply Rmult_lt_0_compat; assumption. }
    replace (x * (kappa ^ k - 1) * (dk * IZR q * IZR (one w)))
      with (x * IZR q * IZR (one w) * (kappa ^ k * dk - dk)) by ring.
    rewrite <- E. replace (Q2R eta * (dk * IZR q * IZR (one w))) with (IZR p * (IZR (one w) * dk))
      by (rewrite Ee; field; lra).
    replace (x * IZR q * IZR (one w) * (IZR t * (2 * IZR p)))
      with (IZR p * (2 * (x * IZR (one w)) * IZR q * IZR t)) by ring.
    apply Rmult_le_compat_l; [apply IZR_le; lia|exact Z1].
Qed.

Lemma tells_correct later earlier all own L s u t P : 0 < P ->
  tells later earlier all own L = true ->
  (0 <= later)%Z -> (0 <= earlier)%Z ->
  IZR own <= s * P -> u * P <= IZR later -> t * P <= IZR earlier -> P <= IZR all ->
  0 < s /\
  told (Q2R eta) (given_alpha (Q2R eta) (Q2R alpha) s u t) (Z.to_nat L)
    (told_level later earlier all own L).
Proof.
  intros PP H Hl He Ho Hu Ht Ha. unfold tells in H. rewrite !andb_true_iff in H.
  destruct H as [[O L1] F]. apply Z.ltb_lt in O. apply Z.leb_le in L1.
  destruct numerators as [[Hp Hq] Hx]. pose proof (one_pos w Hw) as W.
  assert (O' : 0 < IZR own) by now apply IZR_lt.
  assert (Hs : 0 < s) by nra. split; [exact Hs|].
  set (given := given_alpha (Q2R eta) (Q2R alpha) s u t).
  set (T := alpha_top later earlier all) in *. set (U := alpha_under own).
  assert (all0 : (0 <= all)%Z) by (apply le_IZR; lra).
  assert (W' : (0 < one w)%Z) by now apply lt_IZR.
  assert (U0 : (0 < U)%Z) by (unfold U, alpha_under; nia).
  assert (T0 : (0 <= T)%Z).
  { unfold T, alpha_top. apply Z.mul_nonneg_nonneg; [lia|].
    repeat apply Z.add_nonneg_nonneg; repeat apply Z.mul_nonneg_nonneg; lia. }
  set (C := IZR (one w) * (2 * (s * P) * IZR (Zpos (Qden eta)) * IZR (Zpos (Qden alpha)))).
  assert (R : given * C <= IZR T).
  { unfold C, T, alpha_top. repeat rewrite ?mult_IZR, ?plus_IZR.
    set (p := IZR (Qnum eta)) in *. set (d := IZR (Zpos (Qden eta))) in *.
    set (x := IZR (Qnum alpha)) in *. set (y := IZR (Zpos (Qden alpha))) in *.
    assert (D : 0 < d) by (apply IZR_lt; lia). assert (Y : 0 < y) by (apply IZR_lt; lia).
    assert (Ee : Q2R eta = p / d) by reflexivity. assert (Ea : Q2R alpha = x / y) by reflexivity.
    unfold given, given_alpha.
    replace (_ / (2 * s) * _) with
      (IZR (one w) * (d * y) * ((1 + Q2R eta) * (u * P) + 2 * Q2R eta * (t * P)
                                 + 2 * Q2R alpha * P))
      by (field; lra).
    apply Rle_trans with
      (IZR (one w) * (d * y) * ((1 + Q2R eta) * IZR later + 2 * Q2R eta * IZR earlier
                                 + 2 * Q2R alpha * IZR all));
      [|right; rewrite Ee, Ea; field; lra].
    apply Rmult_le_compat_l; [repeat apply Rmult_le_pos; lra|].
    repeat apply Rplus_le_compat; apply Rmult_le_compat_l; lra || nra. }
  assert (UC : IZR (one w) * IZR U <= C).
  { unfold C, U, alpha_under. rewrite !mult_IZR. apply Rmult_le_compat_l; [lra|].
    assert (D : 0 < IZR (Zpos (Qden eta))) by (apply IZR_lt; lia).
    assert (Y : 0 < IZR (Zpos (Qden alpha))) by (apply IZR_lt; lia).
    pose proof (Rmult_lt_0_compat _ _ D Y). nra. }
  apply IZR_lt in U0 as U0'. assert (C0 : 0 < C) by nra.
  unfold told_level. fold T. destruct (Z.eqb_spec T 0) as [E|_]; cbn [orb] in F.
  - apply zero_levels_told; [exact Heta|]. rewrite E in R.
    apply Rmult_le_reg_r with C; [exact C0|]. lra.
  - set (A := alpha_of later earlier all own) in *.
    assert (HT : (T < A * U)%Z).
    { unfold A, alpha_of. fold T U. pose proof (Z.mul_succ_div_gt T U U0). lia. }
    assert (HA : (0 <= A)%Z).
    { unfold A, alpha_of. fold T U. pose proof (Z.div_pos T U T0 U0). lia. }
    destruct (fits_correct A (L - 1) HA ltac:(lia) F) as [F0 F1].
    replace (Z.to_nat (L - 1)) with (Z.to_nat L - 1)%nat in F0, F1 by lia.
    apply IZR_lt in HT. rewrite mult_IZR in HT. apply IZR_le in HA.
    assert (Ex : IZR A = IZR A / IZR (one w) * IZR (one w)) by (field; lra).
    set (x := IZR A / IZR (one w)) in *. rewrite Ex in HT, HA.
    assert (X0 : 0 <= x) by (apply Rmult_le_reg_r with (IZR (one w)); lra).
    apply levels_told; try assumption. apply Rmult_lt_reg_r with C; [exact C0|].
    apply Rle_lt_trans with (IZR T); [exact R|].
    apply Rlt_le_trans with (x * (IZR (one w) * IZR U)).
    + rewrite <- Rmult_assoc. exact HT.
    + now apply Rmult_le_compat_l.
Qed.
End Levels.
