(** S5 `entropy-dimension`: each halving of the error takes r bits, one for every number that
    answers tell. *)
From Coq Require Import Reals Lra Lia Arith List FunctionalExtensionality.
From KVFloor Require Import Sums Attention Tuples Guarantee Bits Entropy Symbols MixedSymbols
  Outputs Rounded GridPoints Cells FourCacheOrder Identifiability.
Import ListNotations.
Open Scope R_scope.

(** ** The lower side: outputs that move as coordinates do *)

(** What is a fraction t of the way from y to y'. *)
Definition on_the_way (y y' : nat -> R) (t : R) : nat -> R := fun j => y j + t * (y' j - y j).

(** Outputs 0 .. r-1 of y have derivatives J, with Σ_j |J - I|_ij w_j <= c w_i everywhere. *)
Definition contracts (r : nat) (out : (nat -> R) -> nat -> R) (Rs w : nat -> R) (c : R) : Prop :=
  exists J : (nat -> R) -> nat -> nat -> R,
    (forall y y' t i, in_box r Rs y -> in_box r Rs y' -> 0 <= t <= 1 -> (i < r)%nat ->
       derivable_pt_lim (fun t => out (on_the_way y y' t) i) t
         (rsum r (fun j => J (on_the_way y y' t) i j * (y' j - y j)))) /\
    (forall y i, in_box r Rs y -> (i < r)%nat ->
       rsum r (fun j => Rabs (J y i j - (if j =? i then 1 else 0)) * w j) <= c * w i).

Lemma on_the_way_in_box r Rs y y' t : in_box r Rs y -> in_box r Rs y' -> 0 <= t <= 1 ->
  in_box r Rs (on_the_way y y' t).
Proof.
  intros Hy Hy' Ht j Hj. specialize (Hy j Hj). specialize (Hy' j Hj).
  apply Rabs_le_inv in Hy, Hy'. apply Rabs_le. unfold on_the_way. nra.
Qed.

(** Where |y_i - y'_i|/w_i is largest, output i differs by (1-c)|y_i - y'_i| or more. *)
Theorem entropy_dimension_apart r out Rs w c y y' i : contracts r out Rs w c ->
  (forall j, (j < r)%nat -> 0 < w j) -> in_box r Rs y -> in_box r Rs y' -> (i < r)%nat ->
  (forall j, (j < r)%nat -> Rabs (y' j - y j) / w j <= Rabs (y' i - y i) / w i) ->
  (1 - c) * Rabs (y' i - y i) <= Rabs (out y' i - out y i).
Proof.
  intros (J & HJ & HI) Hw Hy Hy' Hi Hmost.
  set (f := fun t => out (on_the_way y y' t) i).
  destruct (MVT_cor2 f (fun t => rsum r (fun j => J (on_the_way y y' t) i j * (y' j - y j))) 0 1)
    as (t & E & Ht); [lra|intros t Ht; now apply HJ|].
  assert (E1 : on_the_way y y' 1 = y') by (extensionality j; unfold on_the_way; ring).
  assert (E0 : on_the_way y y' 0 = y) by (extensionality j; unfold on_the_way; ring).
  unfold f in E. rewrite E1, E0, Rminus_0_r, Rmult_1_r in E. rewrite E.
  set (D := J (on_the_way y y' t) i) in *. set (h := Rabs (y' i - y i)) in *.
  (* what is not the identity moves output i by c h at most *)
  set (rest := rsum r (fun j => (D j - (if j =? i then 1 else 0)) * (y' j - y j))).
  assert (Hsplit : rsum r (fun j => D j * (y' j - y j)) = (y' i - y i) + rest).
  { assert (H1 : rsum r (fun j => (if j =? i then 1 else 0) * (y' j - y j)) = y' i - y i).
    { rewrite (rsum_split r i) by exact Hi. rewrite Nat.eqb_refl, (rsum_ext r _ (fun _ => 0)).
      - rewrite rsum_const. ring.
      - intros j _. destruct (j =? i); ring. }
    rewrite <- H1. unfold rest. rewrite <- rsum_plus. apply rsum_ext. intros; ring. }
  specialize (Hw i Hi) as Hwi.
  assert (Hrest : Rabs rest <= c * h).
  { eapply Rle_trans; [apply rsum_Rabs|].
    apply Rle_trans with
      (rsum r (fun j => Rabs (D j - (if j =? i then 1 else 0)) * w j) * (h / w i)).
    - rewrite <- rsum_scal_r. apply rsum_le. intros j Hj. rewrite Rabs_mult, Rmult_assoc.
      apply Rmult_le_compat_l; [apply Rabs_pos|]. specialize (Hmost j Hj). specialize (Hw j Hj).
      apply (Rmult_le_compat_l (w j)) in Hmost; [|lra].
      replace (w j * (Rabs (y' j - y j) / w j)) with (Rabs (y' j - y j)) in Hmost by (field; lra).
      exact Hmost.
    - replace (c * h) with (c * w i * (h / w i)) by (field; lra). apply Rmult_le_compat_r.
      + apply Rmult_le_pos; [apply Rabs_pos|left; now apply Rinv_0_lt_compat].
      + apply HI; [|exact Hi]. apply on_the_way_in_box; auto; lra. }
  rewrite Hsplit. pose proof (Rabs_triang_inv (y' i - y i) (- rest)) as H.
  rewrite Rabs_Ropp in H. replace (y' i - y i - - rest) with (y' i - y i + rest) in H by ring.
  fold h in H. lra.
Qed.

(** As many states as points of a grid that has K_j - 1 < R_j (1-c)/α steps in coordinate j. *)
Lemma states_of_points r out Rs w c alpha (K : nat -> nat) (states : list (list bool))
    (state : (nat -> R) -> list bool) (answer : list bool -> nat -> R) :
  contracts r out Rs w c -> (forall j, (j < r)%nat -> 0 < w j /\ 0 < Rs j) -> 0 < alpha ->
  (forall j, (j < r)%nat -> INR (K j - 1) * alpha < Rs j * (1 - c)) ->
  (forall y, in_box r Rs y -> In (state y) states) ->
  (forall y i, in_box r Rs y -> (i < r)%nat -> Rabs (answer (state y) i - out y i) <= alpha) ->
  (kinds K (seq 0 r) <= length states)%nat.
Proof.
  intros Hout Hpos Ha HK Hstates Hgood. rewrite <- (words_length K (seq 0 r)).
  assert (HR : forall j, (j < r)%nat -> 0 < Rs j) by (intros; now apply Hpos).
  destruct (le_lt_dec (length (words K (seq 0 r))) (length states)) as [|Hlt]; [assumption|exfalso].
  destruct (pigeonhole (list_eq_dec Bool.bool_dec) (fun x => state (point_of r K Rs x))
    (words K (seq 0 r)) states) as (x & y & Hx & Hy & Hne & E);
    [apply NoDup_words|intros; now apply Hstates, point_in_box|exact Hlt|].
  destruct (first_difference Nat.eq_dec K (seq 0 r) x y (seq_NoDup r 0) Hx Hy Hne)
    as (before & j & after & Ej & _ & Hdiff).
  assert (Hj : (j < r)%nat).
  { assert (H : In j (seq 0 r)) by (rewrite Ej; apply in_or_app; right; now left).
    apply in_seq in H. lia. }
  set (p := point_of r K Rs x) in *. set (p' := point_of r K Rs y) in *.
  destruct (largest_of r (fun i => Rabs (p' i - p i) / w i) ltac:(lia)) as (i & Hi & Hmost).
  pose proof (entropy_dimension_apart r out Rs w c p p' i Hout ltac:(intros; now apply Hpos)
    ltac:(now apply point_in_box) ltac:(now apply point_in_box) Hi Hmost) as Happart.
  (* the symbols differ there, as a coordinate does *)
  assert (Hmoved : 0 < Rabs (p' i - p i) / w i).
  { eapply Rlt_le_trans; [|exact (Hmost j Hj)]. destruct (Hpos j Hj).
    destruct (points_apart r K Rs HR x y j Hj Hx Hy Hdiff) as [H2 HK2]. fold p p' in H2.
    apply Rdiv_lt_0_compat; [|assumption].
    assert (0 < INR (K j - 1)) by (apply lt_0_INR; lia). nra. }
  destruct (Hpos i Hi) as [Hwi HRi].
  assert (Hdiff' : symbol Nat.eq_dec (seq 0 r) x i <> symbol Nat.eq_dec (seq 0 r) y i).
  { intros Es. assert (p' i - p i = 0) by (unfold p, p', point_of; rewrite Es; ring).
    rewrite H, Rabs_R0 in Hmoved. unfold Rdiv in Hmoved. lra. }
  destruct (points_apart r K Rs HR x y i Hi Hx Hy Hdiff') as [H2 HK2]. fold p p' in H2.
  specialize (HK i Hi). assert (HKi : 0 < INR (K i - 1)) by (apply lt_0_INR; lia).
  pose proof (Hgood p i ltac:(now apply point_in_box) Hi) as G.
  pose proof (Hgood p' i ltac:(now apply point_in_box) Hi) as G'. rewrite <- E in G'.
  assert (Hclose : Rabs (out p' i - out p i) <= 2 * alpha).
  { apply Rabs_le_inv in G, G'. apply Rabs_le. lra. }
  assert (Hc : 0 < 1 - c) by nra.
  assert ((1 - c) * (2 * Rs i) <= INR (K i - 1) * (2 * alpha)); [|nra].
  apply Rle_trans with ((1 - c) * (INR (K i - 1) * Rabs (p' i - p i)));
    [apply Rmult_le_compat_l; lra|].
  replace ((1 - c) * (INR (K i - 1) * Rabs (p' i - p i)))
    with (INR (K i - 1) * ((1 - c) * Rabs (p' i - p i))) by ring.
  apply Rmult_le_compat_l; lra.
Qed.

Section Bits.
Variables (r : nat) (out : (nat -> R) -> nat -> R) (Rs w : nat -> R) (c alpha : R) (b : nat).
Variables (state : (nat -> R) -> list bool) (answer : list bool -> nat -> R).
Hypothesis Hout : contracts r out Rs w c.
Hypothesis Hpos : forall j, (j < r)%nat -> 0 < w j /\ 0 < Rs j.
Hypothesis Halpha : 0 < alpha.
Hypothesis Hb : forall y, in_box r Rs y -> length (state y) = b.
Hypothesis Hgood : forall y i, in_box r Rs y -> (i < r)%nat ->
  Rabs (answer (state y) i - out y i) <= alpha.

(** With states of exactly b bits. *)
Theorem entropy_dimension_points (K : nat -> nat) :
  (forall j, (j < r)%nat -> (1 <= K j)%nat /\ INR (K j - 1) * alpha < Rs j * (1 - c)) ->
  rsum r (fun j => log2 (INR (K j))) <= INR b.
Proof.
  intros HK. change (rsum r (fun j => log2 (INR (K j)))) with
    (rsum r (fun j => log2 (INR (K (0 + j)%nat)))).
  rewrite <- (lsum_seq 0 r (fun j => log2 (INR (K j)))).
  apply bits_of_kinds; [intros j Hj; apply in_seq in Hj; apply HK; lia|].
  rewrite <- (bitstrings_length b).
  apply (states_of_points r out Rs w c alpha K) with state answer; auto.
  - intros j Hj. now apply HK.
  - intros y Hy. apply in_bitstrings, Hb, Hy.
Qed.

(** S5, lower side: r log₂(1/α) bits but for a constant. *)
Theorem entropy_dimension : c < 1 ->
  INR r * log2 (1 / alpha) + rsum r (fun j => log2 (Rs j * (1 - c))) <= INR b.
Proof.
  intros Hc.
  assert (HK : exists K : nat -> nat, forall j, (j < r)%nat ->
    Rs j * (1 - c) / alpha <= INR (K j) < Rs j * (1 - c) / alpha + 1).
  { clear Hb Hgood Hout. induction r as [|k IH]; [exists (fun _ => 0%nat); lia|].
    destruct IH as (K & HK); [intros; apply Hpos; lia|].
    destruct (Hpos k ltac:(lia)). destruct (least_above (Rs k * (1 - c) / alpha)) as (x & Hx).
    { left. apply Rdiv_lt_0_compat; [nra|exact Halpha]. }
    exists (fun j => if j =? k then x else K j). intros j Hj.
    destruct (Nat.eqb_spec j k) as [->|]; [exact Hx|apply HK; lia]. }
  destruct HK as (K & HK).
  assert (Hx : forall j, (j < r)%nat -> 0 < Rs j * (1 - c) / alpha).
  { intros j Hj. destruct (Hpos j Hj). apply Rdiv_lt_0_compat; [nra|exact Halpha]. }
  eapply Rle_trans; [|apply (entropy_dimension_points K)].
  - rewrite <- rsum_const, <- rsum_plus. apply rsum_le. intros j Hj.
    specialize (HK j Hj). specialize (Hx j Hj). destruct (Hpos j Hj).
    assert (E : log2 (1 / alpha) + log2 (Rs j * (1 - c)) = log2 (Rs j * (1 - c) / alpha)).
    { unfold log2. replace (Rs j * (1 - c) / alpha) with (1 / alpha * (Rs j * (1 - c)))
        by (field; lra).
      rewrite (ln_mult (1 / alpha)); [field; pose proof ln2_pos; lra| |nra].
      apply Rdiv_lt_0_compat; lra. }
    rewrite E. unfold log2. apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat, ln2_pos|].
    destruct (Req_dec (Rs j * (1 - c) / alpha) (INR (K j))) as [->|]; [lra|].
    left. apply ln_increasing; lra.
  - intros j Hj. specialize (HK j Hj). specialize (Hx j Hj).
    assert (H1 : (1 <= K j)%nat) by (apply INR_lt; simpl; lra). split; [exact H1|].
    rewrite minus_INR by exact H1. simpl (INR 1).
    apply (Rmult_lt_reg_r (/ alpha)); [now apply Rinv_0_lt_compat|].
    rewrite Rmult_assoc, Rinv_r, Rmult_1_r by lra. unfold Rdiv in HK. lra.
Qed.
End Bits.

(** The values of a single token are outputs that are their coordinates. *)
Lemma single_token d q K y i : attention 1 d q K (fun _ => y) i = y i.
Proof. unfold attention. apply (output_const 1). lia. Qed.

Lemma single_token_contracts d d_v q K Rs :
  contracts d_v (fun y i => attention 1 d q K (fun _ => y) i) Rs (fun _ => 1) 0.
Proof.
  exists (fun _ i j => if j =? i then 1 else 0). split.
  - intros y y' t i _ _ _ Hi.
    rewrite (rsum_split d_v i), Nat.eqb_refl, (rsum_ext d_v _ (fun _ => 0)), rsum_const by
      (exact Hi || (intros j _; destruct (j =? i); ring)).
    intros eps Heps. exists (mkposreal 1 Rlt_0_1). intros h Hh _.
    rewrite !single_token. unfold on_the_way.
    replace (_ - _) with 0; [rewrite Rabs_R0; exact Heps|field; exact Hh].
  - intros y i _ _. rewrite (rsum_ext d_v _ (fun _ => 0)), rsum_const; [lra|].
    intros j _. rewrite Rminus_eq_0, Rabs_R0. ring.
Qed.

(** For these the grid has as many points as a cache needs states: c = 0, K_j = ⌈R_j/α⌉. *)
Theorem entropy_dimension_met d d_v q (K : matrix) Rs alpha (N : nat -> nat) b : 0 < alpha ->
  (forall j, (j < d_v)%nat -> 0 < Rs j /\ Rs j / alpha <= INR (N j) < Rs j / alpha + 1) ->
  (exists (state : (nat -> R) -> list bool) (answer : list bool -> nat -> R),
     (forall y, in_box d_v Rs y -> length (state y) = b) /\
     (forall y i, in_box d_v Rs y -> (i < d_v)%nat ->
        Rabs (answer (state y) i - attention 1 d q K (fun _ => y) i) <= alpha))
  <-> rsum d_v (fun j => log2 (INR (N j))) <= INR b.
Proof.
  intros Ha HN.
  assert (HN1 : forall j, (j < d_v)%nat ->
            (1 <= N j)%nat /\ INR (N j - 1) * alpha < Rs j * (1 - 0) /\ Rs j / INR (N j) <= alpha).
  { intros j Hj. destruct (HN j Hj) as [HR Hx].
    assert (0 < Rs j / alpha) by (apply Rdiv_lt_0_compat; lra).
    assert (E : Rs j / alpha * alpha = Rs j) by (field; lra).
    assert (H1 : (1 <= N j)%nat) by (apply INR_lt; simpl; lra).
    split; [exact H1|]. rewrite minus_INR by exact H1. simpl (INR 1). split; [nra|].
    apply (Rmult_le_reg_r (INR (N j))); [lra|].
    replace (Rs j / INR (N j) * INR (N j)) with (Rs j) by (field; lra). nra. }
  split.
  - intros (state & answer & Hb & Hgood).
    apply (entropy_dimension_points d_v (fun y i => attention 1 d q K (fun _ => y) i) Rs
      (fun _ => 1) 0 alpha b state answer); auto using single_token_contracts.
    + intros j Hj. split; [lra|now apply HN].
    + intros j Hj. destruct (HN1 j Hj) as (H1 & H2 & _). now split.
  - intros Hb.
    destruct (numbering (list_eq_dec Nat.eq_dec) (words N (seq 0 d_v)) nil b)
      as (enc & dec & Hlen & Hdec).
    { rewrite words_length. apply bits_of_kinds.
      - intros j Hj. apply in_seq in Hj. apply HN1. lia.
      - rewrite lsum_seq. exact Hb. }
    set (cell := fun (y : nat -> R) j => cell_of (N j) (Rs j) (y j)).
    exists (fun y => enc (map (cell y) (seq 0 d_v))),
      (fun msg i => middle (N i) (Rs i) (symbol Nat.eq_dec (seq 0 d_v) (dec msg) i)).
    split; [auto|]. intros y i Hy Hi. rewrite single_token.
    destruct (word_of Nat.eq_dec N (seq 0 d_v) (cell y)) as [Hin Hsym].
    { intros j Hj. apply in_seq in Hj. apply cell_of_lt, HN1. lia. }
    rewrite Hdec, Hsym by (exact Hin || (apply in_seq; lia)). destruct (HN1 i Hi) as (H1 & _ & H2).
    eapply Rle_trans; [|exact H2]. apply cell_of_near; [exact H1|now apply HN|now apply Hy].
Qed.

(** ** The upper side: a cache of rounded entries *)

(** α <= 1: cells of half-width α/2 take log₂(1/α) bits and a constant. *)
Lemma fine_cells E alpha : 0 < E -> 0 < alpha <= 1 ->
  exists N, (1 <= N)%nat /\ E / INR N <= alpha / 2 /\
    log2 (INR N) <= log2 (1 / alpha) + log2 (2 * E + 2).
Proof.
  intros HE Ha. assert (Hx : 0 < 2 * E / alpha) by (apply Rdiv_lt_0_compat; lra).
  destruct (least_above (2 * E / alpha)) as (N & HN); [lra|].
  assert (HN0 : 0 < INR N) by lra. assert (H1 : (1 <= N)%nat) by (apply INR_lt; simpl; lra).
  exists N. split; [exact H1|]. split.
  - apply (Rmult_le_reg_r (INR N)); [exact HN0|].
    replace (E / INR N * INR N) with E by (field; lra).
    assert (2 * E / alpha * alpha = 2 * E) by (field; lra). nra.
  - unfold log2, Rdiv. rewrite <- Rmult_plus_distr_r.
    apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat, ln2_pos|].
    assert (Hpos : 0 < 1 * / alpha) by (apply Rdiv_lt_0_compat; lra).
    rewrite <- ln_mult by lra.
    assert (Hle : INR N <= 1 * / alpha * (2 * E + 2)).
    { assert (1 <= 1 * / alpha).
      { apply (Rmult_le_reg_r alpha); [lra|]. rewrite Rmult_assoc, Rinv_l by lra. lra. }
      replace (1 * / alpha * (2 * E + 2)) with (2 * E / alpha + 2 * (1 * / alpha)) by (field; lra).
      lra. }
    destruct (Req_dec (INR N) (1 * / alpha * (2 * E + 2))) as [->|]; [lra|].
    left. apply ln_increasing; lra.
Qed.

(** S5, upper side: r log₂(1/α) bits and a constant, for any entries that are free. *)
Theorem entropy_dimension_upper m n d d_v Fk Fv (fk fv : list spot) Bk Bv Q alpha :
  (1 <= m)%nat -> (1 <= n)%nat -> 0 < Bk -> 0 < Bv -> 0 < Q -> 0 < alpha <= 1 ->
  let Ek := INR m * (Q * Bk ^ m * Bv ^ m) in
  let Ev := INR m * Bv ^ m in
  exists b (state : list matrix -> list matrix -> list bool) (answer : reader),
    INR b <= INR (length fk + length fv) * log2 (1 / alpha)
      + (INR (length fk) * log2 (2 * Ek + 2) + INR (length fv) * log2 (2 * Ev + 2) + 1) /\
    (forall Ks Vs, length (state Ks Vs) = b) /\
    (forall Ks Vs, fills m n d Fk fk Ks -> fills m n d_v Fv fv Vs ->
       all_within m n d Bk Ks -> all_within m n d_v Bv Vs ->
       forall q c, rsum d (fun e => Rabs (q e)) <= Q -> (c < d_v)%nat ->
         Rabs (answer (state Ks Vs) q c - tensor (repeat (seq 0 n) m) d q Ks Vs c) <= alpha).
Proof.
  intros Hm Hn HBk HBv HQ Ha Ek Ev.
  assert (HM : 0 < INR m) by (apply lt_0_INR; lia).
  pose proof (pow_lt Bk m HBk) as Pk. pose proof (pow_lt Bv m HBv) as Pv.
  assert (HEv : 0 < Ev) by (unfold Ev; nra).
  assert (HEk : 0 < Ek) by (unfold Ek; repeat apply Rmult_lt_0_compat; assumption).
  destruct (fine_cells Ek alpha HEk Ha) as (Nk & HNk & Ck & Lk).
  destruct (fine_cells Ev alpha HEv Ha) as (Nv & HNv & Cv & Lv).
  set (words := INR (length fk) * log2 (INR Nk) + INR (length fv) * log2 (INR Nv)).
  assert (Hlog : forall N, (1 <= N)%nat -> 0 <= log2 (INR N)).
  { intros N HN. apply le_INR in HN. simpl in HN. unfold log2.
    apply Rmult_le_pos; [|left; apply Rinv_0_lt_compat, ln2_pos].
    destruct (Req_dec (INR N) 1) as [->|]; [rewrite ln_1; lra|].
    left. rewrite <- ln_1. apply ln_increasing; lra. }
  assert (Hwords : 0 <= words).
  { unfold words. pose proof (pos_INR (length fk)). pose proof (pos_INR (length fv)).
    pose proof (Hlog Nk HNk). pose proof (Hlog Nv HNv). nra. }
  destruct (least_above words Hwords) as (b & Hb).
  destruct (cells_cache m n d d_v Fk Fv fk fv Bk Bv Nk Nv Hn HBk HBv HNk HNv b)
    as (state & answer & Hlen & Hans).
  { rewrite <- (kinds_free fk fv). apply bits_of_kinds.
    - intros [[] e] _; assumption.
    - unfold free_spots. rewrite lsum_app, !lsum_map. unfold cells. simpl fst. cbv iota.
      rewrite !lsum_const. apply Hb. }
  exists b, state, answer. split; [|split; [exact Hlen|]].
  - pose proof (pos_INR (length fk)). pose proof (pos_INR (length fv)).
    apply (Rmult_le_compat_l (INR (length fk))) in Lk; [|assumption].
    apply (Rmult_le_compat_l (INR (length fv))) in Lv; [|assumption].
    rewrite plus_INR. unfold words in Hb. lra.
  - intros Ks Vs FK FV BK BV q c Hq Hc.
    eapply Rle_trans; [now apply (Hans Ks Vs FK FV BK BV q Q c)|].
    assert (Epow : forall B, B ^ (m - 1) * B = B ^ m).
    { intros B. replace m with (S (m - 1)) at 2 by lia. simpl. ring. }
    assert (HNk0 : INR Nk <> 0) by (apply not_0_INR; lia).
    assert (HNv0 : INR Nv <> 0) by (apply not_0_INR; lia).
    replace (Bv ^ m * (Q * (INR m * Bk ^ (m - 1) * (Bk / INR Nk)))) with (Ek / INR Nk).
    2: { unfold Ek. rewrite <- (Epow Bk). field. exact HNk0. }
    replace (INR m * Bv ^ (m - 1) * (Bv / INR Nv)) with (Ev / INR Nv).
    2: { unfold Ev. rewrite <- (Epow Bv). field. exact HNv0. }
    lra.
Qed.

(** So with the gauge of S3, at every order; *)
Theorem entropy_dimension_gauge m n d d_v Bk Bv Q alpha :
  (1 <= m)%nat -> (1 <= n)%nat -> 0 < Bk -> 0 < Bv -> 0 < Q -> 0 < alpha <= 1 ->
  let Ek := INR m * (Q * Bk ^ m * Bv ^ m) in
  let Ev := INR m * Bv ^ m in
  let rows := (n + (m - 1) * (n - 1))%nat in
  exists b (state : list matrix -> list matrix -> list bool) (answer : reader),
    INR b <= INR (rows * (d + d_v)) * log2 (1 / alpha)
      + (INR (rows * d) * log2 (2 * Ek + 2) + INR (rows * d_v) * log2 (2 * Ev + 2) + 1) /\
    (forall Ks Vs, length (state Ks Vs) = b) /\
    (forall Ks Vs, in_gauge m d Ks -> in_gauge m d_v Vs ->
       all_within m n d Bk Ks -> all_within m n d_v Bv Vs ->
       forall q c, rsum d (fun e => Rabs (q e)) <= Q -> (c < d_v)%nat ->
         Rabs (answer (state Ks Vs) q c - tensor (repeat (seq 0 n) m) d q Ks Vs c) <= alpha).
Proof.
  intros Hm Hn HBk HBv HQ Ha Ek Ev rows.
  destruct (entropy_dimension_upper m n d d_v [] [] (free_entries m n d) (free_entries m n d_v)
    Bk Bv Q alpha) as (b & state & answer & Hb & Hlen & Hans); auto.
  exists b, state, answer. rewrite !free_entries_length in Hb by exact Hm. fold Ek Ev rows in Hb.
  rewrite <- Nat.mul_add_distr_l in Hb. split; [exact Hb|]. split; [exact Hlen|].
  assert (Hfill : forall width Ms, in_gauge m width Ms ->
    fills m n width [] (free_entries m n width) Ms).
  { intros width Ms [HM Hfix]. split; [exact HM|]. intros s j c Hs Hj Hc Hout.
    assert (E : nth s (@nil matrix) ones j c = 1) by (destruct s; reflexivity). rewrite E.
    apply Hfix; [exact Hs| |exact Hc]. destruct (fixed_row s j) eqn:F; [reflexivity|exfalso].
    apply Hout. unfold free_entries. apply filter_In. split; [|simpl; now rewrite F].
    repeat apply in_prod; apply in_seq; lia. }
  intros Ks Vs GK GV. now apply Hans; apply Hfill.
Qed.

(** and at order 1, where the key of token 0 is zero. *)
Theorem entropy_dimension_order_1 n d d_v Bk Bv Q alpha :
  (1 <= n)%nat -> 0 < Bk -> 0 < Bv -> 0 < Q -> 0 < alpha <= 1 ->
  exists b (state : matrix -> matrix -> list bool) (answer : reader),
    INR b <= INR ((n - 1) * d + n * d_v) * log2 (1 / alpha)
      + (INR ((n - 1) * d) * log2 (2 * (Q * Bk * Bv) + 2)
         + INR (n * d_v) * log2 (2 * Bv + 2) + 1) /\
    (forall K V, length (state K V) = b) /\
    (forall K V, (forall c, (c < d)%nat -> K 0%nat c = 0) ->
       (forall j c, (j < n)%nat -> (c < d)%nat -> Rabs (K j c) <= Bk) ->
       (forall j c, (j < n)%nat -> (c < d_v)%nat -> Rabs (V j c) <= Bv) ->
       forall q c, rsum d (fun e => Rabs (q e)) <= Q -> (c < d_v)%nat ->
         Rabs (answer (state K V) q c - attention n d q K V c) <= alpha).
Proof.
  intros Hn HBk HBv HQ Ha.
  set (keys := list_prod (list_prod [0%nat] (seq 1 (n - 1))) (seq 0 d) : list spot).
  set (values := list_prod (list_prod [0%nat] (seq 0 n)) (seq 0 d_v) : list spot).
  destruct (entropy_dimension_upper 1 n d d_v [fun _ _ => 0] [] keys values Bk Bv Q alpha)
    as (b & state & answer & Hb & Hlen & Hans); auto.
  exists b, (fun K V => state [K] [V]), answer.
  assert (Lk : length keys = ((n - 1) * d)%nat)
    by (unfold keys, spot; rewrite !prod_length, !seq_length; simpl; lia).
  assert (Lv : length values = (n * d_v)%nat)
    by (unfold values, spot; rewrite !prod_length, !seq_length; simpl; lia).
  rewrite Lk, Lv in Hb. simpl (INR 1) in Hb. simpl pow in Hb.
  split; [|split; [auto|]].
  - rewrite !Rmult_1_r, !Rmult_1_l in Hb. exact Hb.
  - intros K V H0 HK HV q c Hq Hc.
    assert (E : attention n d q K V c = tensor (repeat (seq 0 n) 1) d q [K] [V] c).
    { simpl repeat. rewrite order_1_output.
      unfold tuple_output, tuple_weight, attention, output, weight. now rewrite !lsum_seq. }
    rewrite E. apply Hans; auto.
    + split; [reflexivity|]. intros s j e Hs Hj He Hout. replace s with 0%nat by lia. simpl.
      destruct j as [|j]; [now apply H0|]. exfalso. apply Hout.
      repeat apply in_prod; [left; lia|apply in_seq; lia..].
    + split; [reflexivity|]. intros s j e Hs Hj He Hout. exfalso. apply Hout.
      replace s with 0%nat by lia. repeat apply in_prod; [now left|apply in_seq; lia..].
    + intros s j e Hs Hj He. replace s with 0%nat by lia. now apply HK.
    + intros s j e Hs Hj He. replace s with 0%nat by lia. now apply HV.
Qed.
