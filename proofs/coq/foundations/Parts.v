(** Parts of a model, each with keys, values and queries of its own, whose tokens are singled out
    and whose values are one of so many levels: together they hold the words of each. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Guarantee Bits Entropy Tuples Symbols MixedSymbols
  SymbolsRandomized Levels GivenValues FourCacheOrder.
Import ListNotations.
Open Scope R_scope.

(** Every entry is one of L levels. *)
Definition level_values (L : nat) (lev : nat -> R) (V : matrix) : Prop :=
  forall j c, exists s, (s < L)%nat /\ V j c = lev s.

(** What leaks is less than the room between neighbouring levels. *)
Definition leaves_room (n : nat) (g eta alpha : R) (L : nat) (lev : nat -> R) : Prop :=
  (forall s, (s < L)%nat -> 0 <= lev s <= 1) /\
  (forall s, (S s < L)%nat -> excess (n - 1) g * (1 + eta + 2 * alpha)
     < (1 - eta) * lev (S s) - (1 + eta) * lev s - 2 * alpha).

(** An output of order m differs from the value singled out by no more than the leak. *)
Lemma order_near_value a n m d K q V i c g : (1 <= m)%nat -> (i < n)%nat ->
  (forall j, (a <= j < a + n)%nat -> j <> (a + i)%nat ->
     logit d q K (a + i) >= logit d q K j + g) ->
  (forall j, unit_value (V j c)) ->
  let E := excess (n - 1) g in
  V (a + i)%nat c / (1 + E) <= order_out a n m d K q V c <= (V (a + i)%nat c + E) / (1 + E).
Proof.
  intros Hm Hi Hg HV. rewrite order_out_is_order_1, order_1_output by lia.
  assert (E : tuple_output (seq a n) (logit d q K) (fun j => V j c)
            = output n (fun j => logit d q K (a + j)%nat) (fun j => V (a + j)%nat c)).
  { unfold tuple_output, output, tuple_weight, weight. now rewrite !lsum_seq. }
  rewrite E. apply (output_near_value n _ (fun j => V (a + j)%nat c) i g Hi).
  - intros j Hj Hne. apply Hg; lia.
  - intros j _. apply HV.
Qed.

(** An output that is near a level, but for what leaks. *)
Definition near_level (E y out : R) : Prop := y / (1 + E) <= out <= (y + E) / (1 + E).

(** Levels with more room than leaks are told by accurate answers. *)
Lemma near_levels_told eta alpha E L (lev : nat -> R) s s' out out' o :
  0 <= eta < 1 -> 0 <= alpha -> 0 <= E ->
  (forall i, (i < L)%nat -> 0 <= lev i <= 1) ->
  (forall i, (S i < L)%nat ->
     E * (1 + eta + 2 * alpha) < (1 - eta) * lev (S i) - (1 + eta) * lev i - 2 * alpha) ->
  (s < L)%nat -> (s' < L)%nat -> near_level E (lev s) out -> near_level E (lev s') out' ->
  accurate eta alpha o out -> accurate eta alpha o out' -> s = s'.
Proof.
  intros He Ha HE Hunit Hlev.
  assert (Htold : told eta ((E * (1 + eta + 2 * alpha) + 2 * alpha) / 2) L lev).
  { split; [exact Hunit|]. intros i Hi. specialize (Hlev i Hi). lra. }
  assert (Hlt : forall i i' x x', (i < L)%nat -> (i' < L)%nat -> near_level E (lev i) x ->
    near_level E (lev i') x' -> accurate eta alpha o x -> accurate eta alpha o x' ->
    ~ (i < i')%nat).
  { intros i i' x x' Hi Hi' [X0 X1] [Y0 _] Hx Hx' Hii.
    refine (levels_apart eta alpha E _ _ _ _ o He Ha HE (proj1 (Hunit i Hi)) (proj1 (Hunit i' Hi'))
      _ (conj _ X1) Y0 Hx Hx').
    - assert (0 <= (E * (1 + eta + 2 * alpha) + 2 * alpha) / 2) by nra.
      pose proof (told_all eta _ L lev _ _ He H Htold Hii Hi'). lra.
    - eapply Rle_trans; [|exact X0].
      apply Rmult_le_pos; [now apply Hunit|left; apply Rinv_0_lt_compat; lra]. }
  intros Hs Hs' N N' Ho Ho'.
  pose proof (Hlt s s' out out' Hs Hs' N N' Ho Ho').
  pose proof (Hlt s' s out' out Hs' Hs N' N Ho' Ho). lia.
Qed.

Section Parts.
Context {A : Type} (eqA : forall p p' : A, {p = p'} + {p <> p'}) (ps : list A).
Variables (a n m d d_v L : A -> nat) (K : A -> matrix) (lev : A -> nat -> R).
Hypothesis Hps : NoDup ps.
Hypothesis HL : forall p, (1 <= L p)%nat.

Definition entry_eq : forall e e' : A * (nat * nat), {e = e'} + {e <> e'}.
Proof. decide equality. apply place_eq. Qed.

(** Entries of the values of all parts. *)
Definition entries : list (A * (nat * nat)) :=
  flat_map (fun p => map (pair p) (places (n p) (d_v p))) ps.

Definition kinds_of (e : A * (nat * nat)) : nat := L (fst e).

Lemma in_entries p i c : In (p, (i, c)) entries <-> In p ps /\ (i < n p)%nat /\ (c < d_v p)%nat.
Proof.
  unfold entries. rewrite in_flat_map. split.
  - intros (p' & Hp & H). apply in_map_iff in H as (ic & E & H). injection E as -> ->.
    apply in_places in H. tauto.
  - intros (Hp & H). exists p. split; [exact Hp|]. apply in_map, in_places, H.
Qed.

Lemma NoDup_entries : NoDup entries.
Proof.
  apply NoDup_flat_map; [exact Hps|..].
  - intros p _. apply FinFun.Injective_map_NoDup; [congruence|].
    apply NoDup_list_prod; apply seq_NoDup.
  - intros p p' e _ _ H H'. apply in_map_iff in H as (? & <- & _).
    apply in_map_iff in H' as (? & E & _). congruence.
Qed.

Lemma lsum_entries (f : A -> R) :
  lsum (fun e => f (fst e)) entries = lsum (fun p => INR (n p * d_v p) * f p) ps.
Proof.
  unfold entries. rewrite lsum_flat_map. apply lsum_ext. intros p _.
  rewrite lsum_map. cbn [fst]. rewrite lsum_const. unfold places.
  now rewrite prod_length, !seq_length.
Qed.

Lemma bits_of_entries b : (kinds kinds_of entries <= 2 ^ b)%nat <->
  lsum (fun p => INR (n p * d_v p) * log2 (INR (L p))) ps <= INR b.
Proof. rewrite bits_of_kinds by (intros; apply HL). now rewrite <- lsum_entries. Qed.

(** The values of each part that hold a word, from its token a on. *)
Definition part_values (x : list nat) (p : A) : matrix := fun j c =>
  lev p (symbol entry_eq entries x (p, (j - a p, c)%nat)).

Lemma symbol_lt_anywhere x p i c : In x (words kinds_of entries) ->
  (symbol entry_eq entries x (p, (i, c)) < L p)%nat.
Proof.
  intros Hx. destruct (in_dec entry_eq (p, (i, c)) entries) as [Hin|Hout].
  - exact (symbol_lt entry_eq kinds_of entries x (p, (i, c)) Hx Hin).
  - rewrite symbol_elsewhere by exact Hout. specialize (HL p). lia.
Qed.

Lemma part_values_levels x p : In x (words kinds_of entries) ->
  level_values (L p) (lev p) (part_values x p).
Proof.
  intros Hx j c. exists (symbol entry_eq entries x (p, (j - a p, c)%nat)).
  split; [now apply symbol_lt_anywhere|reflexivity].
Qed.

Definition part_out (p : A) (q : nat -> R) (V : matrix) (c : nat) : R :=
  order_out (a p) (n p) (m p) (d p) (K p) q V c.

Section Floor.
Variables (Q : A -> nat -> nat -> R) (g : A -> R) (eta alpha : R).

Definition entry_output (x : list nat) (e : A * (nat * nat)) : R :=
  part_out (fst e) (Q (fst e) (fst (snd e))) (part_values x (fst e)) (snd (snd e)).

Hypothesis Heta : 0 <= eta < 1.
Hypothesis Halpha : 0 <= alpha.
Hypothesis Hm : forall p, In p ps -> (1 <= m p)%nat.
Hypothesis Hmargin : forall p, In p ps -> window_margin (a p) (n p) (d p) (K p) (Q p) (g p).
Hypothesis Hroom : forall p, In p ps -> leaves_room (n p) (g p) eta alpha (L p) (lev p).

Lemma entries_told :
  told_at_once entry_eq kinds_of entries (accurate eta alpha) entry_output.
Proof.
  intros [p [i c]] x y o He Hx Hy. apply in_entries in He as (Hp & Hi & Hc).
  destruct (Hroom p Hp) as [Hunit Hlev].
  assert (Hnear : forall z, In z (words kinds_of entries) ->
    near_level (excess (n p - 1) (g p)) (lev p (symbol entry_eq entries z (p, (i, c))))
      (entry_output z (p, (i, c)))).
  { intros z Hz.
    pose proof (order_near_value (a p) (n p) (m p) (d p) (K p) (Q p i) (part_values z p) i c (g p)
      (Hm p Hp) Hi (fun j => Hmargin p Hp i j Hi)) as H.
    assert (Ev : part_values z p (a p + i)%nat c = lev p (symbol entry_eq entries z (p, (i, c))))
      by (unfold part_values; now replace (a p + i - a p)%nat with i by lia).
    rewrite Ev in H. apply H. intros j. now apply Hunit, symbol_lt_anywhere. }
  apply (near_levels_told eta alpha (excess (n p - 1) (g p)) (L p) (lev p)); auto;
    try (now apply symbol_lt_anywhere); try (now apply Hnear). apply excess_nonneg.
Qed.

(** States that answer all parts accurately are as many as the words. *)
Lemma parts_states (states : list (list bool)) (state : (A -> matrix) -> list bool)
    (answer : A -> reader) :
  (forall V, (forall p, level_values (L p) (lev p) (V p)) -> In (state V) states) ->
  (forall V p i c, (forall p, level_values (L p) (lev p) (V p)) ->
     In p ps -> (i < n p)%nat -> (c < d_v p)%nat ->
     accurate eta alpha (answer p (state V) (Q p i) c) (part_out p (Q p i) (V p) c)) ->
  (kinds kinds_of entries <= length states)%nat.
Proof.
  intros Hstates Hgood.
  apply (words_floor entry_eq kinds_of entries _ entry_output states
    (fun x => state (part_values x))
    (fun msg e => answer (fst e) msg (Q (fst e) (fst (snd e))) (snd (snd e)))
    NoDup_entries (at_once_in_turn _ _ _ _ _ entries_told)).
  - intros x Hx. apply Hstates. intros p. now apply part_values_levels.
  - intros x [p [i c]] Hx He. apply in_entries in He as (Hp & Hi & Hc).
    apply Hgood; auto. intros p'. now apply part_values_levels.
Qed.

(** With public coins each entry takes its share. *)
Lemma parts_randomized (states : list (list bool)) T w delta
    (state : nat -> (A -> matrix) -> list bool) (answer : nat -> A -> reader) :
  (forall p, In p ps -> (2 <= L p)%nat /\ 0 <= delta <= INR (L p - 1) / INR (L p)) ->
  distribution T w -> 0 <= delta ->
  (forall u V, (forall p, level_values (L p) (lev p) (V p)) -> In (state u V) states) ->
  (forall V p i c, (forall p, level_values (L p) (lev p) (V p)) ->
     In p ps -> (i < n p)%nat -> (c < d_v p)%nat ->
     rsum T (fun u => w u * failure eta alpha (answer u p (state u V) (Q p i) c)
                        (part_out p (Q p i) (V p) c)) <= delta) ->
  lsum (fun p => INR (n p * d_v p) * symbol_share delta (L p)) ps <= log2 (INR (length states)).
Proof.
  intros Hdelta Hw Hpos Hstates Hfail. rewrite <- lsum_entries.
  apply (words_floor_randomized entry_eq kinds_of entries T w delta eta alpha entry_output states
    (fun u x => state u (part_values x))
    (fun u msg e => answer u (fst e) msg (Q (fst e) (fst (snd e))) (snd (snd e)))
    NoDup_entries); auto.
  - intros [p [i c]] He. apply in_entries in He as (Hp & _). now apply Hdelta.
  - intros [p [i c]] He. apply in_entries in He as (Hp & _). now apply Hdelta.
  - exact entries_told.
  - intros u x _ Hx. apply Hstates. intros p. now apply part_values_levels.
  - intros x [p [i c]] Hx He. apply in_entries in He as (Hp & Hi & Hc).
    apply Hfail; auto. intros p'. now apply part_values_levels.
Qed.
End Floor.

(** ** Bits for all words answer every query of every part exactly. *)

Definition level_of (p : A) (v : R) : nat :=
  match find (fun s => if Req_EM_T v (lev p s) then true else false) (seq 0 (L p)) with
  | Some s => s
  | None => 0%nat
  end.

Lemma level_of_right p v s : (s < L p)%nat -> v = lev p s ->
  (level_of p v < L p)%nat /\ lev p (level_of p v) = v.
Proof.
  intros Hs E. unfold level_of. destruct (find _ _) as [s'|] eqn:F.
  - apply find_some in F as [Hin F]. apply in_seq in Hin. split; [lia|].
    now destruct (Req_EM_T v (lev p s')).
  - pose proof (find_none _ _ F s ltac:(apply in_seq; lia)) as H. simpl in H.
    now destruct (Req_EM_T v (lev p s)).
Qed.

Definition word_of_parts (V : A -> matrix) : list nat :=
  map (fun e => level_of (fst e) (V (fst e) (a (fst e) + fst (snd e))%nat (snd (snd e)))) entries.

Lemma parts_stored b : (kinds kinds_of entries <= 2 ^ b)%nat ->
  exists (enc : (A -> matrix) -> list bool) (dec : list bool -> A -> matrix),
    (forall V, length (enc V) = b) /\
    (forall V p j c, (forall p, level_values (L p) (lev p) (V p)) -> In p ps ->
       (a p <= j < a p + n p)%nat -> (c < d_v p)%nat -> dec (enc V) p j c = V p j c).
Proof.
  intros Hb.
  destruct (numbering (list_eq_dec Nat.eq_dec) (words kinds_of entries) nil b)
    as (enc & dec & Hlen & Hdec); [now rewrite words_length|].
  exists (fun V => enc (word_of_parts V)), (fun msg => part_values (dec msg)).
  split; [auto|]. intros V p j c HV Hp Hj Hc.
  destruct (word_of entry_eq kinds_of entries (fun e =>
    level_of (fst e) (V (fst e) (a (fst e) + fst (snd e))%nat (snd (snd e))))) as [Hin Hsym].
  { intros [p' [i' c']] _. simpl. destruct (HV p' (a p' + i')%nat c') as (s & Hs & E).
    now apply (level_of_right p' _ s). }
  change (map _ entries) with (word_of_parts V) in Hin, Hsym. rewrite Hdec by exact Hin.
  unfold part_values. rewrite Hsym by (apply in_entries; repeat split; auto; lia).
  simpl. replace (a p + (j - a p))%nat with j by lia.
  destruct (HV p j c) as (s & Hs & E). now apply (level_of_right p _ s).
Qed.

Lemma parts_met b :
  (forall p, In p ps -> (1 <= m p)%nat) -> (kinds kinds_of entries <= 2 ^ b)%nat ->
  exists (state : (A -> matrix) -> list bool) (answer : A -> reader),
    (forall V, length (state V) = b) /\
    (forall V p q c, (forall p, level_values (L p) (lev p) (V p)) -> In p ps -> (c < d_v p)%nat ->
       answer p (state V) q c = part_out p q (V p) c).
Proof.
  intros Hm Hb. destruct (parts_stored b Hb) as (enc & dec & Hlen & Hdec).
  exists enc, (fun p msg q c => part_out p q (dec msg p) c). split; [exact Hlen|].
  intros V p q c HV Hp Hc.
  apply (order_out_local (a p) (n p) (m p) (d p) (d_v p) (K p) q _ _ c (Hm p Hp) Hc). auto.
Qed.
End Parts.
