(** A checker of floors, and the proofs that what it accepts is so. *)
From Coq Require Import Reals Lra Lia ZArith QArith Qreals List Bool.
From KVFloor Require Import Sums Attention Guarantee Entropy Tuples GivenValues GivenKeys.
From KVFloor Require Import Certificates Exponential Numbers OutputBounds.
From KVFloor Require Import Checker Needed Shares Floors Held.
Import ListNotations.
Open Scope R_scope.

(** ** Every symbol is told *)

Section Told.
Variables (x : trace) (eta alpha : Q) (in_turn : bool).

Let k : nat := length (tokens x).
Let query (n : nat) : list Q := nth n (queries x) [].
Let sees (n : nat) : list (list nat) := nth n (seen x) [].

(** Between which whole numbers lies what the tokens of the symbols weigh for query n, and below
    which what all tokens weigh. *)
Definition weights (w : Z) (n : nat) : list (Z * Z) * Z :=
  let l := exponents (sees n) (query n) (trace_keys x) (factor x) (root x) (slot x) w in
  (map (fun i => within (Nat.eqb i) l) (tokens x), snd (within (fun _ => true) l)).

Definition own_weight (s : list (Z * Z)) (j : nat) : Z := fst (nth j s (0, 0)%Z).
Definition weight_of (p : nat -> bool) (s : list (Z * Z)) : Z := total (masked p 0 (map snd s)).
Definition least_of (p : nat -> bool) (s : list (Z * Z)) : Z := total (masked p 0 (map fst s)).

Definition is_later (j i : nat) : bool := if in_turn then (j <? i)%nat else negb (i =? j)%nat.
Definition is_earlier (j i : nat) : bool := if in_turn then (i <? j)%nat else false.

Definition is_told (w : Z) (found : list (list (Z * Z) * Z)) (j : nat) : bool :=
  let '(s, all) := nth (nth j (reads x) 0%nat) found ([], 0%Z) in
  tells eta alpha w (weight_of (is_later j) s) (weight_of (is_earlier j) s) all (own_weight s j)
    (nth j (levels x) 0%Z).

(** When more digits are of no use to a symbol that is not told: if they would hardly change its α,
    or if that is over 1/2 already, as all tokens together weigh at least as much as the heaviest
    tuple. *)
Definition is_fine (w : Z) (found : list (list (Z * Z) * Z)) (j : nat) : bool :=
  let '(s, all) := nth (nth j (reads x) 0%nat) found ([], 0%Z) in
  let own := own_weight s j in
  let most := alpha_top eta alpha w (weight_of (is_later j) s) (weight_of (is_earlier j) s) all in
  let least := alpha_top eta alpha w (least_of (is_later j) s) (least_of (is_earlier j) s) all in
  (2 ^ 64 <=? own)%Z && (2 ^ 64 * alpha_under eta alpha own <=? most)%Z &&
  (2 ^ 48 * (most - least) <=? most)%Z.
Definition is_hopeless (w : Z) (found : list (list (Z * Z) * Z)) (j : nat) : bool :=
  let '(s, _) := nth (nth j (reads x) 0%nat) found ([], 0%Z) in
  let most := snd (nth j s (0, 0)%Z) in
  (one w * alpha_under eta alpha most <=?
   2 * alpha_top eta alpha w (least_of (is_later j) s) (least_of (is_earlier j) s) (one w))%Z.
Definition is_lost (w : Z) (found : list (list (Z * Z) * Z)) (j : nat) : bool :=
  if is_told w found j then false else is_fine w found j || is_hopeless w found j.

Definition try_told (w : Z) : option bool :=
  let found := map (weights w) (seq 0 (length (queries x))) in
  if (0 <=? w)%Z && forallb (is_told w found) (seq 0 k) then Some true
  else if existsb (is_lost w found) (seq 0 k) then Some false else None.

Fixpoint all_differ (l : list nat) : bool :=
  match l with [] => true | i :: l' => forallb (fun j => negb (i =? j)%nat) l' && all_differ l' end.

(** Every query is read, and as long as every key; no token stands twice. *)
Definition is_trace : bool :=
  let d := length (hd [] (queries x)) in
  (0 <? Qnum (factor x))%Z && (0 <=? root x)%Z && (slot x <? length (trace_keys x))%nat &&
  forallb (rectangular d) (queries x :: trace_keys x) &&
  forallb (fun n => well_formed (sees n) (query n) (trace_keys x) (trace_keys x))
    (seq 0 (length (queries x))) &&
  forallb (fun n => (nth n (reads x) 0 <? length (queries x))%nat) (seq 0 k) &&
  all_differ (tokens x).
Definition reads_all : bool :=
  forallb (fun n => existsb (Nat.eqb n) (reads x)) (seq 0 (length (queries x))).

Definition tells_all : bool :=
  if is_trace && is_guarantee eta alpha then decided 4 try_told 128 else false.

Hypothesis Htold : tells_all = true.

Let token (j : nat) : nat := nth j (tokens x) 0%nat.
Let read (j : nat) : nat := nth j (reads x) 0%nat.
Let L (j : nat) : nat := Z.to_nat (nth j (levels x) 0%Z).
Let Ks := map matrix_of (trace_keys x).
Let d := length (hd [] (queries x)).

Lemma told_parts : (0 < Qnum (factor x))%Z /\ (0 <= root x)%Z /\
  (slot x < length (trace_keys x))%nat /\
  (forall j, (j < k)%nat -> (read j < length (queries x))%nat /\ length (query (read j)) = d /\
     well_formed (sees (read j)) (query (read j)) (trace_keys x) (trace_keys x) = true) /\
  all_different k token /\ is_guarantee eta alpha = true /\
  exists w, (0 <= w)%Z /\
    forall j, (j < k)%nat ->
      is_told w (map (weights w) (seq 0 (length (queries x)))) j = true.
Proof.
  unfold tells_all, is_trace in Htold.
  destruct (_ && is_guarantee eta alpha) eqn:E; [|discriminate].
  rewrite !andb_true_iff in E. destruct E as [[[[[[[F R] S] D] W] N] A] G].
  apply Z.ltb_lt in F. apply Z.leb_le in R. apply Nat.ltb_lt in S.
  rewrite forallb_forall in D, W, N.
  repeat (split; [assumption|]). split; [|split; [|split; [exact G|]]].
  - intros j Hj. assert (Hn : (read j < length (queries x))%nat).
    { apply Nat.ltb_lt, N, in_seq. lia. }
    split; [exact Hn|]. split; [|apply W, in_seq; lia].
    specialize (D _ (or_introl eq_refl)). unfold rectangular in D. rewrite forallb_forall in D.
    apply Nat.eqb_eq, D. now apply nth_In.
  - unfold all_different, token, k. clear - A. induction (tokens x) as [|i l IH]; simpl in *.
    + intros i j Hi. lia.
    + apply andb_prop in A as [A0 A]. specialize (IH A). rewrite forallb_forall in A0.
      assert (NI : forall j, (j < length l)%nat -> i <> nth j l 0%nat).
      { intros j Hj E. specialize (A0 (nth j l 0%nat) (nth_In _ _ Hj)). rewrite <- E in A0.
        rewrite Nat.eqb_refl in A0. discriminate A0. }
      intros [|i'] [|j'] Hi Hj E; [reflexivity| | |f_equal; apply IH; lia || exact E].
      * exfalso. apply (NI j'); [lia|exact E].
      * exfalso. apply (NI i'); [lia|now symmetry].
  - apply decided_by in Htold as [w T]. exists w. unfold try_told in T.
    destruct (0 <=? w)%Z eqn:Hw; cbn [andb] in T; [|destruct (existsb _ _); discriminate T].
    destruct (forallb (is_told w _) _) eqn:B; [|destruct (existsb _ _); discriminate T].
    split; [now apply Z.leb_le|]. intros j Hj. rewrite forallb_forall in B. apply B, in_seq. lia.
Qed.

(** What weighs a token of a symbol, and what others together. *)
Lemma weighs_between (s : nat -> R) (h : list (Z * Z)) P p : length h = k ->
  (forall i, (i < k)%nat -> (0 <= snd (nth i h (0, 0)%Z))%Z /\
     s i * P <= IZR (snd (nth i h (0, 0)%Z))) ->
  (0 <= weight_of p h)%Z /\ weighs k p s * P <= IZR (weight_of p h).
Proof.
  intros Hh H. unfold weight_of, weighs.
  assert (E : IZR (total (masked p 0 (map snd h)))
    = rsum k (fun i => if p i then IZR (snd (nth i h (0, 0)%Z)) else 0)).
  { rewrite (total_rsum _ k) by (rewrite masked_length, map_length; lia). apply rsum_ext.
    intros i _. unfold whole_vector. rewrite masked_nth. change 0%Z with (snd (0, 0)%Z) at 1.
    rewrite map_nth. simpl (0 + i)%nat. now destruct (p i). }
  split.
  - apply le_IZR. rewrite E. apply rsum_nonneg. intros i Hi. destruct (p i); [|lra].
    apply IZR_le, H, Hi.
  - rewrite E, <- rsum_scal_r. apply rsum_le. intros i Hi. destruct (p i); [now apply H|lra].
Qed.

Lemma all_told : exists lev,
  (forall j a, (j < k)%nat -> (a < L j)%nat -> 0 <= lev j a <= 1) /\
  (forall j, (j < k)%nat -> (1 <= L j)%nat /\
    let s i := share (sees (read j)) d (query_of x j) Ks (slot x) (token i) in
    0 < s j /\
    told (Q2R eta) (given_alpha (Q2R eta) (Q2R alpha) (s j) (weighs k (is_later j) s)
      (weighs k (is_earlier j) s)) (L j) (lev j)).
Proof.
  destruct told_parts as (F & R & S & Q0 & _ & G & w & Hw & T).
  apply guarantee_R in G as [Ge Ga].
  set (found := map (weights w) (seq 0 (length (queries x)))) in *.
  set (at_ j := nth (read j) found ([], 0%Z)).
  set (lev j := told_level eta alpha w (weight_of (is_later j) (fst (at_ j)))
    (weight_of (is_earlier j) (fst (at_ j))) (snd (at_ j)) (own_weight (fst (at_ j)) j)
    (nth j (levels x) 0%Z)).
  exists lev.
  assert (M : forall j, (j < k)%nat -> (1 <= L j)%nat /\
    let s i := share (sees (read j)) d (query_of x j) Ks (slot x) (token i) in
    0 < s j /\
    told (Q2R eta) (given_alpha (Q2R eta) (Q2R alpha) (s j) (weighs k (is_later j) s)
      (weighs k (is_earlier j) s)) (L j) (lev j)).
  2: { split; [|exact M]. intros j a Hj Ha. destruct (M j Hj) as (_ & _ & U & _). now apply U. }
  intros j Hj. destruct (Q0 j Hj) as (Hn & Hd & Hwell). specialize (T j Hj).
  unfold is_told in T. fold (read j) in T. fold (at_ j) in T.
  assert (E : at_ j = weights w (read j)).
  { unfold at_, found.
    rewrite (nth_indep _ _ (weights w 0%nat)) by now rewrite map_length, seq_length.
    rewrite map_nth, seq_nth by exact Hn. reflexivity. }
  unfold lev. destruct (at_ j) as [h all] eqn:A. cbn [fst snd].
  assert (L1 : (1 <= L j)%nat).
  { unfold tells in T. rewrite !andb_true_iff in T. destruct T as [[_ L1] _].
    apply Z.leb_le in L1. unfold L. lia. }
  split; [exact L1|].
  destruct (shares_between (sees (read j)) (query (read j)) (trace_keys x) (factor x) (root x)
    (slot x) Hwell F R w Hw) as (P & PP & Pall & Sh).
  rewrite Hd in Sh. fold Ks in Sh.
  change (scaled_query (query (read j)) (factor x) (root x)) with (query_of x j) in Sh.
  set (s i := share (sees (read j)) d (query_of x j) Ks (slot x) (token i)).
  unfold weights in E. injection E as Eh Eall.
  assert (Hh : length h = k) by (rewrite Eh, map_length; reflexivity).
  assert (B : forall i, (i < k)%nat -> let (lo, hi) := nth i h (0, 0)%Z in
     (0 <= lo)%Z /\ IZR lo <= s i * P <= IZR hi).
  { intros i Hi. rewrite Eh.
    set (l := exponents _ _ _ _ _ _ _) in *.
    rewrite (nth_indep _ _ (within (Nat.eqb 0) l)) by (rewrite map_length; exact Hi).
    rewrite (map_nth (fun i => within (Nat.eqb i) l)).
    change (nth i (tokens x) 0%nat) with (token i). specialize (Sh (token i)). exact Sh. }
  assert (B' : forall i, (i < k)%nat -> (0 <= snd (nth i h (0, 0)%Z))%Z /\
     s i * P <= IZR (snd (nth i h (0, 0)%Z))).
  { intros i Hi. specialize (B i Hi). destruct (nth i h (0, 0)%Z) as [lo hi]. cbn [snd].
    destruct B as (B0 & B1 & B2). apply IZR_le in B0. split; [apply le_IZR; lra|exact B2]. }
  destruct (weighs_between s h P (is_later j) Hh B') as [U0 U].
  destruct (weighs_between s h P (is_earlier j) Hh B') as [V0 V].
  assert (O : IZR (own_weight h j) <= s j * P).
  { specialize (B j Hj). unfold own_weight. destruct (nth j h (0, 0)%Z). apply B. }
  rewrite <- Eall in Pall.
  exact (tells_correct eta alpha w Hw Ge Ga _ _ _ _ _ _ _ _ P PP T U0 V0 O U V Pall).
Qed.
End Told.

(** ** Floors *)

Section Accepted.
Variables (x : trace) (eta alpha delta : Q) (in_turn : bool) (d_v bits : Z).

Definition accepts_symbols : bool :=
  if are_needed delta (levels x) d_v bits && (length (levels x) =? length (tokens x))%nat
     && (length (reads x) =? length (tokens x))%nat && reads_all x
  then tells_all x eta alpha in_turn else false.

Hypothesis Haccepts : accepts_symbols = true.

Let k : nat := length (tokens x).
Let m : nat := length (trace_keys x).
Let token (j : nat) : nat := nth j (tokens x) 0%nat.
Let L (j : nat) : nat := Z.to_nat (nth j (levels x) 0%Z).
Let Ks := map matrix_of (trace_keys x).
Let d := length (hd [] (queries x)).

Lemma accepted_parts : are_needed delta (levels x) d_v bits = true /\ length (levels x) = k /\
  tells_all x eta alpha in_turn = true.
Proof.
  unfold accepts_symbols in Haccepts.
  destruct (_ && reads_all x) eqn:E; [|discriminate Haccepts].
  rewrite !andb_true_iff in E. destruct E as [[[N E] _] _]. apply Nat.eqb_eq in E. auto.
Qed.

Lemma lsum_nth (f : Z -> R) l : lsum f l = rsum (length l) (fun j => f (nth j l 0%Z)).
Proof.
  induction l as [|y l IH]; [reflexivity|]. cbn [lsum length]. rewrite rsum_first, IH. reflexivity.
Qed.

Lemma level_count j : (j < k)%nat -> (2 <= nth j (levels x) 0)%Z.
Proof.
  intros Hj. destruct accepted_parts as (N & E & _).
  destruct (needed _ _ _ _ N) as (_ & _ & _ & H & _). apply H, nth_In. lia.
Qed.

(** What is needed, in the words of [given_keys]. *)
Definition bits_of_symbols : R :=
  INR (Z.to_nat d_v) * rsum k (fun j => log2 (INR (L j)) - H2 (Q2R delta)
                                 - Q2R delta * log2 (INR (L j - 1))).

Lemma needed_here :
  (IZR bits - 1 < bits_of_symbols \/ bits = 0%Z) /\ bits_of_symbols <= IZR bits.
Proof.
  destruct accepted_parts as (N & E & _).
  destruct (needed _ _ _ _ N) as (_ & _ & D & _).
  replace bits_of_symbols with (IZR d_v * lsum (need delta) (levels x)); [now apply needed_bits|].
  unfold bits_of_symbols. rewrite INR_IZR_INZ, Z2Nat.id by exact D. f_equal.
  rewrite lsum_nth, E. apply rsum_ext. intros j Hj. pose proof (level_count j Hj) as B.
  unfold need, L. rewrite !INR_IZR_INZ, Nat2Z.inj_sub, Z2Nat.id by lia. reflexivity.
Qed.

Lemma slots_here j : (j < k)%nat -> length (seen_of x j) = m.
Proof.
  intros Hj. destruct accepted_parts as (_ & _ & T).
  destruct (told_parts _ _ _ _ T) as (_ & _ & _ & Q0 & _).
  destruct (Q0 j Hj) as (_ & _ & W). now destruct (well _ _ _ _ W) as (E & _).
Qed.

Lemma weighs_none n s : weighs n (fun _ => false) s = 0.
Proof. unfold weighs. rewrite rsum_const. ring. Qed.

Lemma told_here : exists lev,
  (forall j a, (j < k)%nat -> (a < L j)%nat -> 0 <= lev j a <= 1) /\
  (in_turn = false ->
   read_at_once k (slot x) d (seen_of x) Ks (query_of x) token L lev (Q2R eta) (Q2R alpha)) /\
  read_in_turn k (slot x) d (seen_of x) Ks (query_of x) token L lev (Q2R eta) (Q2R alpha).
Proof.
  destruct accepted_parts as (_ & _ & T). pose proof (told_parts _ _ _ _ T) as P.
  destruct P as (_ & _ & _ & _ & _ & G & _). apply guarantee_R in G as [Ge _].
  destruct (all_told _ _ _ _ T) as (lev & U & H). exists lev. split; [exact U|].
  destruct in_turn.
  - split; [discriminate|]. intros j Hj. apply (H j Hj).
  - assert (O : read_at_once k (slot x) d (seen_of x) Ks (query_of x) token L lev
                  (Q2R eta) (Q2R alpha)).
    { intros j Hj. destruct (H j Hj) as (_ & B). cbv zeta in B |- *. destruct B as [B1 B2].
      split; [exact B1|].
      rewrite <- (weighs_none k
        (fun i => share (seen_of x j) d (query_of x j) Ks (slot x) (token i))).
      exact B2. }
    split; [intros _; exact O|]. now apply given_keys_never_worse.
Qed.

(** Deterministic caches of b bits, whatever δ is: [given_keys], of columns that end. *)
Lemma suffices_exactly : exists lev, unit_levels x lev /\
  (in_turn = false ->
   read_at_once k (slot x) d (seen_of x) Ks (query_of x) token L lev (Q2R eta) (Q2R alpha)) /\
  forall b, suffices x lev eta alpha d_v b <->
    INR (Z.to_nat d_v) * rsum k (fun j => log2 (INR (L j))) <= INR b.
Proof.
  destruct told_here as (lev & U & O & R). exists lev.
  destruct accepted_parts as (N & _ & T).
  destruct (told_parts _ _ _ _ T) as (_ & _ & S & _ & A & G & _). apply guarantee_R in G as [Ge Ga].
  split; [intros j a Hj Ha; apply U; [exact Hj|unfold L; lia]|]. split; [exact O|]. intros b.
  rewrite <- (given_keys m (slot x) d (Z.to_nat d_v) k (seen_of x) Ks (query_of x) token L
    lev (Q2R eta) (Q2R alpha) Ge Ga S slots_here A
    (fun j Hj => ltac:(pose proof (level_count j Hj); unfold L; lia)) R b).
  split; intros (state & answer & Hb & Hgood).
  - exists (fun V => state (cut d_v V)), answer. split.
    + intros V HV. now apply Hb, cut_holds.
    + intros V j c HV Hj Hc. assert (Hc' : (Z.of_nat c < d_v)%Z) by lia.
      pose proof (Hgood (cut d_v V) j c (cut_holds x lev d_v V HV) Hj Hc') as H.
      rewrite (right_answer_cut x d_v V j c Hc') in H. exact H.
  - exists (fun V => if (0 <? d_v)%Z then state (repeated d_v V) else repeat false b), answer.
    destruct (Z.ltb_spec 0 d_v) as [P|P]; split.
    + intros V HV. now apply Hb, repeated_given.
    + intros V j c HV Hj Hc. rewrite <- (right_answer_repeated x d_v V j c Hc).
      apply (Hgood (repeated d_v V)); [now apply repeated_given|exact Hj|lia].
    + intros V _. apply repeat_length.
    + intros V j c _ _ Hc. lia.
Qed.

Lemma bits_reached (b : nat) : IZR bits - 1 < INR b \/ bits = 0%Z -> (bits <= Z.of_nat b)%Z.
Proof.
  intros [H| ->]; [|lia]. rewrite INR_IZR_INZ in H. apply Z.lt_succ_r, lt_IZR.
  rewrite succ_IZR. lra.
Qed.

Lemma accepts_in_turn : delta = 0%Q -> forces x eta alpha d_v bits.
Proof.
  intros D. destruct suffices_exactly as (lev & U & _ & H). exists lev. split; [exact U|].
  intros b. rewrite H. clear H. destruct needed_here as [F M].
  assert (E : bits_of_symbols = INR (Z.to_nat d_v) * rsum k (fun j => log2 (INR (L j)))).
  { unfold bits_of_symbols. f_equal. apply rsum_ext. intros j _. rewrite D.
    replace (Q2R 0) with 0 by (unfold Q2R; simpl; ring). rewrite H2_0. ring. }
  rewrite E in F, M. split; intros B.
  - apply bits_reached. destruct F as [F|F]; [left; lra|now right].
  - apply IZR_le in B. rewrite <- INR_IZR_INZ in B. lra.
Qed.

Lemma accepts_at_once : in_turn = false -> forces_randomized x eta alpha delta d_v bits.
Proof.
  intros I. destruct suffices_exactly as (lev & U & R & H). exists lev. split; [exact U|].
  destruct accepted_parts as (N & E & P).
  destruct (told_parts _ _ _ _ P) as (_ & _ & S & _ & A & G & _). apply guarantee_R in G as [Ge Ga].
  destruct (needed _ _ _ _ N) as (_ & _ & Hd & _).
  assert (De : 0 <= Q2R delta <= 1 / 2).
  { unfold are_needed, is_error in N. rewrite !andb_true_iff in N.
    destruct N as ((((((N1 & N2) & _) & _) & _) & _) & _). apply Qle_bool_iff, Qle_Rle in N1, N2.
    unfold Q2R in N1 at 1, N2 at 2. simpl in N1, N2. lra. }
  split.
  - intros b (T & w & state & answer & Hw & Hb & Hgood).
    assert (B : bits_of_symbols <= INR b).
    { apply (given_keys_randomized m (slot x) d (Z.to_nat d_v) k (seen_of x) Ks (query_of x) token L
        lev (Q2R eta) (Q2R alpha) b T w (Q2R delta) (fun u V => state u (cut d_v V)) answer);
        try assumption.
      - exact slots_here.
      - intros j Hj. pose proof (level_count j Hj). unfold L. lia.
      - now apply R.
      - intros u V HV. now apply Hb, cut_holds.
      - intros V j c HV Hj Hc. assert (Hc' : (Z.of_nat c < d_v)%Z) by lia.
        pose proof (Hgood (cut d_v V) j c (cut_holds x lev d_v V HV) Hj Hc') as B.
        rewrite (right_answer_cut x d_v V j c Hc') in B. exact B. }
    apply bits_reached. destruct needed_here as [[F|F] _]; [left; lra|now right].
  - destruct (bits_above (INR (Z.to_nat d_v) * rsum k (fun j => log2 (INR (L j))))) as [b Hb].
    apply H in Hb as (state & answer & Hb & Hgood).
    exists b, 1%nat, (fun _ => 1), (fun _ => state), (fun _ => answer).
    split; [split; [intros; lra|simpl; lra]|]. split; [intros u V; apply Hb|].
    intros V j c HV Hj Hc. specialize (Hgood V j c HV Hj Hc). cbn [Definitions.rsum].
    unfold Definitions.failure. destruct (Rle_dec _ _) as [_|F]; [lra|]. exfalso. exact (F Hgood).
Qed.
End Accepted.

(** The rule of the certificate says whether symbols are read in turn; if what was read before may
    be wrong, they are not. *)
Definition accepts_floor (x : trace) (eta alpha : Q) (in_turn : bool) (d_v bits : Z) : bool :=
  accepts_symbols x eta alpha 0 in_turn d_v bits.
Definition accepts_randomized_floor (x : trace) (eta alpha delta : Q) (in_turn : bool)
    (d_v bits : Z) : bool :=
  if in_turn then false else accepts_symbols x eta alpha delta false d_v bits.

Lemma accepts_floor_holds x eta alpha in_turn d_v bits :
  accepts_floor x eta alpha in_turn d_v bits = true -> forces x eta alpha d_v bits.
Proof. intros H. now apply (accepts_in_turn x eta alpha 0 in_turn). Qed.

Lemma accepts_randomized_floor_holds x eta alpha delta in_turn d_v bits :
  accepts_randomized_floor x eta alpha delta in_turn d_v bits = true ->
  forces_randomized x eta alpha delta d_v bits.
Proof.
  destruct in_turn; [discriminate|]. intros H. now apply (accepts_at_once x eta alpha delta false).
Qed.
