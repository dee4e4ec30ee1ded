(** The family of S2: order 2, keys of a + b columns, values of 2 + f. Rows of both hold symbols,
    and every symbol can be told from the answer to one query. *)
From Coq Require Import Reals Lra Lia Arith List.
From KVFloor Require Import Sums Attention Guarantee Bits Entropy Symbols SymbolsRandomized Levels GridValues
  PairAddresses Tied.
Open Scope R_scope.

(** ** Keys, values, queries *)

(** A key is an address, public, of a columns, and a payload on the grid, all ones in row 0. *)
Definition sharp_key (L a : nat) (A K : matrix) : Prop :=
  (forall j c, (c < a)%nat -> K j c = A j c) /\ grid_values L (fun j c => K j (a + c)%nat).

(** A value has two marks, all ones but for a zero in row 0 of column [mark], and then symbols. *)
Definition marks (mark : nat) : matrix := fun j c =>
  if c =? mark then match j with O => 0 | _ => 1 end else 1.
Definition sharp_value (L mark : nat) (V : matrix) : Prop :=
  (forall j c, (c < 2)%nat -> V j c = marks mark j c) /\
  grid_values L (fun j c => V j (2 + c)%nat).

(** The level that payload i stands for, with a query of strength gamma. *)
Definition payload_level (gamma : R) (L i : nat) : R := logistic (gamma * (1 - level L i)).

(** Queries for values and for entry e of the payloads. *)
Definition value_query (a : nat) (P : nat -> R) : nat -> R := fun c => if c <? a then P c else 0.
Definition payload_query (a : nat) (gamma : R) (T : nat -> R) (e : nat) : nat -> R := fun c =>
  if c <? a then T c else if c =? a + e then gamma else 0.

(** In which column the output tells a payload of token i of slot 1, or of slot 2 if i = 0. *)
Definition told_in (i : nat) : nat := match i with O => 1 | _ => 0 end.

(** A cache may be asked for values with the queries P, for payloads with the queries T, for pairs
    with one token 0; [right] is what the answer must be. *)
Definition sharp_guarantee (n1 n2 a b f L : nat) (eta alpha gamma : R) (A1 A2 : matrix)
    (P T : nat -> nat -> nat -> R)
    (state : matrix -> matrix -> matrix -> matrix -> list bool) (answer : reader) : Prop :=
  forall K1 K2 V1 V2, sharp_key L a A1 K1 -> sharp_key L a A2 K2 ->
    sharp_value L 0 V1 -> sharp_value L 1 V2 ->
    let right q c := accurate eta alpha (answer (state K1 K2 V1 V2) q c)
                       (attention2 n1 n2 (a + b) q K1 K2 V1 V2 c) in
    forall i k, (i < n1)%nat -> (k < n2)%nat -> i = 0%nat \/ k = 0%nat -> (i, k) <> (0, 0)%nat ->
      (forall c, (c < f)%nat -> right (value_query a (P i k)) (2 + c)%nat) /\
      (forall e, (e < b)%nat -> right (payload_query a gamma (T i k) e) (told_in i)).

(** The same with public coins: each answer is inaccurate with probability at most delta. *)
Definition sharp_guarantee_randomized (n1 n2 a b f L : nat) (eta alpha gamma delta : R)
    (A1 A2 : matrix) (P Q : nat -> nat -> nat -> R) (T : nat) (chance : nat -> R)
    (state : nat -> matrix -> matrix -> matrix -> matrix -> list bool)
    (answer : nat -> reader) : Prop :=
  forall K1 K2 V1 V2, sharp_key L a A1 K1 -> sharp_key L a A2 K2 ->
    sharp_value L 0 V1 -> sharp_value L 1 V2 ->
    let right q c := rsum T (fun r => chance r * failure eta alpha
        (answer r (state r K1 K2 V1 V2) q c)
        (attention2 n1 n2 (a + b) q K1 K2 V1 V2 c)) <= delta in
    forall i k, (i < n1)%nat -> (k < n2)%nat -> i = 0%nat \/ k = 0%nat -> (i, k) <> (0, 0)%nat ->
      (forall c, (c < f)%nat -> right (value_query a (P i k)) (2 + c)%nat) /\
      (forall e, (e < b)%nat -> right (payload_query a gamma (Q i k) e) (told_in i)).

(** ** Logits *)

Lemma logit2_value a b P K1 K2 A1 A2 j l :
  (forall c, (c < a)%nat -> K1 j c = A1 j c) -> (forall c, (c < a)%nat -> K2 l c = A2 l c) ->
  logit2 (a + b) (value_query a P) K1 K2 j l = logit2 a P A1 A2 j l.
Proof.
  intros H1 H2. unfold logit2, value_query. rewrite rsum_app.
  rewrite (rsum_ext b _ (fun _ => 0)), rsum_const.
  - rewrite Rmult_0_r, Rplus_0_r. apply rsum_ext. intros c Hc.
    destruct (Nat.ltb_spec c a); [|lia]. now rewrite H1, H2.
  - intros c _. destruct (Nat.ltb_spec (a + c) a); [lia|ring].
Qed.

Lemma logit2_payload a b gamma T e K1 K2 A1 A2 j l :
  (e < b)%nat ->
  (forall c, (c < a)%nat -> K1 j c = A1 j c) -> (forall c, (c < a)%nat -> K2 l c = A2 l c) ->
  logit2 (a + b) (payload_query a gamma T e) K1 K2 j l
    = logit2 a T A1 A2 j l + gamma * (K1 j (a + e)%nat * K2 l (a + e)%nat).
Proof.
  intros He H1 H2. unfold logit2, payload_query. rewrite rsum_app. f_equal.
  - apply rsum_ext. intros c Hc. destruct (Nat.ltb_spec c a); [|lia]. now rewrite H1, H2.
  - rewrite (rsum_split b e) by exact He.
    rewrite (rsum_ext b _ (fun _ => 0)), rsum_const.
    + destruct (Nat.ltb_spec (a + e) a); [lia|]. rewrite Nat.eqb_refl. ring.
    + intros c _. destruct (Nat.eqb_spec c e); [reflexivity|].
      destruct (Nat.ltb_spec (a + c) a); [lia|]. destruct (Nat.eqb_spec (a + c) (a + e)); [lia|ring].
Qed.

(** Marks are 0 in row 0 of slot 1 for column 0, of slot 2 for column 1; otherwise 1. *)
Lemma sharp_value_unit L mark V j c :
  (2 <= L)%nat -> sharp_value L mark V -> unit_value (V j c).
Proof.
  intros HL [Hm Hg]. destruct (le_lt_dec 2 c) as [Hc|Hc].
  - replace c with (2 + (c - 2))%nat by lia. exact (grid_unit L _ j (c - 2) HL Hg).
  - rewrite Hm by exact Hc. unfold unit_value, marks. destruct (c =? mark), j; lra.
Qed.

Section Family.
Variables (n1 n2 a b f L : nat) (eta alpha gamma g1 g2 : R) (A1 A2 : matrix).
Variables P T : nat -> nat -> nat -> R.
Let w := (f + b)%nat.
Let N := ((n1 + n2 - 2) * w)%nat.
Hypothesis Hn1 : (1 <= n1)%nat.
Hypothesis Hn2 : (1 <= n2)%nat.
Hypothesis HL : (2 <= L)%nat.
Hypothesis Heta : 0 <= eta < 1.
Hypothesis Halpha : 0 <= alpha.
Hypothesis Hgamma : 0 < gamma.
Hypothesis Hread : forall i k, (i < n1)%nat -> (k < n2)%nat -> i = 0%nat \/ k = 0%nat ->
  (i, k) <> (0, 0)%nat -> singles_out n1 n2 (logit2 a (P i k) A1 A2) i k g1.
Hypothesis Htie : forall i k, (i < n1)%nat -> (k < n2)%nat -> i = 0%nat \/ k = 0%nat ->
  (i, k) <> (0, 0)%nat -> ties n1 n2 (logit2 a (T i k) A1 A2) i k g2.
Hypothesis Hroom1 : excess (n1 * n2 - 1) g1 * (1 + eta + 2 * alpha)
  < (1 - eta * INR (2 * L - 3)) / INR (L - 1) - 2 * alpha.
Hypothesis Hroom2 : forall i, (S i < L)%nat ->
  excess (n1 * n2 - 2) g2 * (1 + eta + 2 * alpha)
    < (1 - eta) * payload_level gamma L (S i) - (1 + eta) * payload_level gamma L i - 2 * alpha.

(** The instance that holds the string x, w symbols a row: f of the value, then b of the key. *)
Definition key_of (A : matrix) (first : nat) (x : list nat) : matrix := fun j c =>
  if c <? a then A j c else hold L w first x j (f + (c - a))%nat.
Definition value_of (mark first : nat) (x : list nat) : matrix := fun j c =>
  match c with S (S e) => hold L w first x j e | _ => marks mark j c end.

Lemma hold_shift_grid first x k0 :
  symbols N L x -> grid_values L (fun j c => hold L w first x j (k0 + c)%nat).
Proof.
  intros Hx. destruct (hold_grid N L w first x HL Hx) as [H0 H]. split; intros; [apply H0|apply H].
Qed.

Lemma key_of_sharp A first x : symbols N L x -> sharp_key L a A (key_of A first x).
Proof.
  intros Hx. unfold key_of. split.
  - intros j c Hc. destruct (Nat.ltb_spec c a); [reflexivity|lia].
  - destruct (hold_shift_grid first x f Hx) as [H0 H]. split.
    + intros c. destruct (Nat.ltb_spec (a + c) a); [lia|]. apply (H0 (a + c - a)%nat).
    + intros j c. destruct (Nat.ltb_spec (a + c) a); [lia|]. apply (H j (a + c - a)%nat).
Qed.

Lemma value_of_sharp mark first x : symbols N L x -> sharp_value L mark (value_of mark first x).
Proof.
  intros Hx. unfold value_of. split.
  - intros j [|[|c]] Hc; [reflexivity..|lia].
  - destruct (hold_shift_grid first x 0 Hx) as [H0 H]. split.
    + intros c. apply (H0 c).
    + intros j c. apply (H j c).
Qed.

(** The query for symbol k, and the column that tells it. *)
Definition sharp_query (k : nat) : nat -> R :=
  let (i, l) := pair_of_row n1 (k / w) in
  if k mod w <? f then value_query a (P i l)
  else payload_query a gamma (T i l) (k mod w - f)%nat.
Definition sharp_column (k : nat) : nat :=
  if k mod w <? f then (2 + k mod w)%nat else told_in (fst (pair_of_row n1 (k / w))).

Definition sharp_output (x : list nat) (k : nat) : R :=
  attention2 n1 n2 (a + b) (sharp_query k) (key_of A1 0 x) (key_of A2 (n1 - 1) x)
    (value_of 0 0 x) (value_of 1 (n1 - 1) x) (sharp_column k).

Definition sharp_level (k : nat) : nat -> R :=
  if k mod w <? f then level L else payload_level gamma L.
Definition sharp_excess (k : nat) : R :=
  if k mod w <? f then excess (n1 * n2 - 1) g1 else excess (n1 * n2 - 2) g2.

Lemma payload_levels_increase i i' :
  (i <= i')%nat -> payload_level gamma L i <= payload_level gamma L i'.
Proof.
  intros H. destruct (Nat.eq_dec i i') as [->|Hne]; [lra|]. left.
  apply logistic_decreasing, Rmult_lt_compat_l; [exact Hgamma|].
  pose proof (grid_size L HL). unfold level.
  assert (INR i / INR (L - 1) < INR i' / INR (L - 1)); [|lra].
  apply Rmult_lt_compat_r; [apply Rinv_0_lt_compat; lra|]. apply lt_INR. lia.
Qed.

Lemma sharp_output_value x k i l :
  symbols N L x -> (i < n1)%nat -> (l < n2)%nat -> i = 0%nat \/ l = 0%nat ->
  (i, l) <> (0, 0)%nat -> (k < f)%nat ->
  let E := excess (n1 * n2 - 1) g1 in
  let y := hold L w 0 x i k * hold L w (n1 - 1) x l k in
  y / (1 + E)
    <= attention2 n1 n2 (a + b) (value_query a (P i l)) (key_of A1 0 x) (key_of A2 (n1 - 1) x)
         (value_of 0 0 x) (value_of 1 (n1 - 1) x) (2 + k)%nat
    <= (y + E) / (1 + E).
Proof.
  intros Hx Hi Hl H0 Hne Hk E y.
  assert (Hv : forall mark first j, value_of mark first x j (2 + k)%nat = hold L w first x j k)
    by reflexivity.
  unfold y. rewrite <- (Hv 0%nat 0%nat i), <- (Hv 1%nat (n1 - 1)%nat l).
  apply pair_output_near_value; auto.
  - intros j j' Hj Hj' Hjne.
    rewrite !(logit2_value a b (P i l) (key_of A1 0 x) (key_of A2 (n1 - 1) x) A1 A2)
      by (intros; now apply key_of_sharp).
    now apply Hread.
  - intros j _. apply (sharp_value_unit L 0); [exact HL|]. now apply value_of_sharp.
  - intros j _. apply (sharp_value_unit L 1); [exact HL|]. now apply value_of_sharp.
Qed.

Lemma sharp_output_payload x e i l :
  symbols N L x -> (i < n1)%nat -> (l < n2)%nat -> i = 0%nat \/ l = 0%nat ->
  (i, l) <> (0, 0)%nat -> (e < b)%nat ->
  let E := excess (n1 * n2 - 2) g2 in
  let y := logistic (gamma * (1 - hold L w 0 x i (f + e)%nat * hold L w (n1 - 1) x l (f + e)%nat)) in
  y / (1 + E)
    <= attention2 n1 n2 (a + b) (payload_query a gamma (T i l) e) (key_of A1 0 x)
         (key_of A2 (n1 - 1) x) (value_of 0 0 x) (value_of 1 (n1 - 1) x) (told_in i)
    <= (y + E) / (1 + E).
Proof.
  intros Hx Hi Hl H0 Hne He E y. rewrite attention2_pair, pair_attention_flat.
  destruct (Htie i l Hi Hl H0 Hne) as [Heq Hg].
  assert (Hn : (0 < n2)%nat) by lia.
  assert (Hkey : forall A first j, key_of A first x j (a + e)%nat = hold L w first x j (f + e)%nat).
  { intros A first j. unfold key_of. destruct (Nat.ltb_spec (a + e) a); [lia|]. f_equal. lia. }
  set (X := fun j j' => hold L w 0 x j (f + e)%nat * hold L w (n1 - 1) x j' (f + e)%nat).
  assert (HX : forall j j', unit_value (X j j')).
  { intros j j'. pose proof (grid_unit L _ j (f + e) HL (hold_grid N L w 0 x HL Hx)).
    pose proof (grid_unit L _ j' (f + e) HL (hold_grid N L w (n1 - 1) x HL Hx)).
    unfold unit_value, X in *. nra. }
  assert (HX0 : X 0%nat 0%nat = 1) by (unfold X; simpl; ring).
  assert (Hlogit : forall j j', logit2 (a + b) (payload_query a gamma (T i l) e) (key_of A1 0 x)
            (key_of A2 (n1 - 1) x) j j' = logit2 a (T i l) A1 A2 j j' + gamma * X j j').
  { intros j j'. unfold X. rewrite <- (Hkey A1 0%nat j), <- (Hkey A2 (n1 - 1)%nat j').
    apply logit2_payload; [exact He|..]; intros; now apply key_of_sharp. }
  assert (Hpair : (i * n2 + l <> 0)%nat).
  { intros H. apply Hne. f_equal; nia. }
  pose proof (tied_output (n1 * n2)
    (fun t => logit2 (a + b) (payload_query a gamma (T i l) e) (key_of A1 0 x)
                (key_of A2 (n1 - 1) x) (t / n2) (t mod n2))
    (fun t => value_of 0 0 x (t / n2)%nat (told_in i) * value_of 1 (n1 - 1) x (t mod n2)%nat (told_in i))
    (i * n2 + l) 0 (gamma * (1 - X i l)) g2) as H.
  cbv beta in H. rewrite pair_div, pair_mod, Nat.div_0_l, Nat.mod_0_l in H by lia.
  cbv zeta in H. apply H; clear H.
  - nia.
  - nia.
  - exact Hpair.
  - rewrite !Hlogit, Heq, HX0. ring.
  - intros t Ht Ht1 Ht2. rewrite !Hlogit, HX0.
    destruct (HX (t / n2)%nat (t mod n2)%nat) as [_ HXt].
    assert (logit2 a (T i l) A1 A2 0 0 >= logit2 a (T i l) A1 A2 (t / n2) (t mod n2) + g2).
    { apply Hg.
      - apply Nat.div_lt_upper_bound; lia.
      - apply Nat.mod_upper_bound; lia.
      - intros E2. injection E2 as E3 E4. apply Ht1. rewrite (Nat.div_mod t n2) by lia. nia.
      - intros E2. injection E2 as E3 E4. apply Ht2. rewrite (Nat.div_mod t n2) by lia. nia. }
    nra.
  - unfold value_of, marks, told_in. destruct i as [|i]; simpl; [|ring].
    destruct l as [|l]; [congruence|]. ring.
  - unfold value_of, marks, told_in. destruct i; simpl; ring.
  - intros t _. pose proof (sharp_value_unit L 0 _ (t / n2)%nat (told_in i) HL (value_of_sharp 0 0 x Hx)).
    pose proof (sharp_value_unit L 1 _ (t mod n2)%nat (told_in i) HL (value_of_sharp 1 (n1 - 1) x Hx)).
    unfold unit_value in *. nra.
Qed.

Lemma row_in_range k : (k < N)%nat -> (0 < w)%nat /\ (k / w < n1 + n2 - 2)%nat.
Proof.
  intros Hk. assert (Hw : (0 < w)%nat).
  { apply Nat.neq_0_lt_0. intros E. unfold N in Hk. rewrite E in Hk. lia. }
  split; [exact Hw|]. apply Nat.div_lt_upper_bound; [lia|]. unfold N in Hk. lia.
Qed.

Lemma sharp_separated : separated N L (accurate eta alpha) sharp_output.
Proof.
  apply (levels_separate N L eta alpha sharp_output sharp_level sharp_excess Heta Halpha).
  - intros k _. unfold sharp_excess. destruct (k mod w <? f); apply excess_nonneg.
  - intros k i _ Hi. unfold sharp_level. destruct (k mod w <? f).
    + now apply level_unit.
    + apply logistic_unit.
  - intros k i i' _ Hi Hi'. unfold sharp_excess, sharp_level. destruct (k mod w <? f).
    + pose proof (grid_room L eta alpha i i' HL Heta Hi Hi'). lra.
    + pose proof (payload_levels_increase (S i) i' Hi). specialize (Hroom2 i ltac:(lia)).
      assert ((1 - eta) * payload_level gamma L (S i) <= (1 - eta) * payload_level gamma L i')
        by (apply Rmult_le_compat_l; lra).
      lra.
  - intros x k Hx Hk. unfold sharp_output, sharp_query, sharp_column, sharp_excess, sharp_level.
    destruct (row_in_range k Hk) as [Hw Hr].
    destruct (pair_of_row_lt n1 n2 _ Hn1 Hn2 Hr) as (Hi & Hl & H0).
    pose proof (hold_reads L w n1 x k Hw Hn1) as Hsym.
    assert (Hne : pair_of_row n1 (k / w) <> (0, 0)%nat)
      by (unfold pair_of_row; destruct (k / w <? n1 - 1); discriminate).
    destruct (pair_of_row n1 (k / w)) as [i l]. cbn [fst snd] in *. cbv zeta.
    pose proof (Nat.mod_upper_bound k w ltac:(lia)) as Hm.
    destruct (Nat.ltb_spec (k mod w) f) as [Hf|Hf].
    + rewrite <- Hsym. now apply sharp_output_value.
    + unfold payload_level. rewrite <- Hsym.
      assert (He : (k mod w - f < b)%nat) by (unfold w in Hm at 2; lia).
      pose proof (sharp_output_payload x (k mod w - f) i l Hx Hi Hl H0 Hne He) as H.
      replace (f + (k mod w - f))%nat with (k mod w)%nat in H by lia. exact H.
Qed.

(** An (eta, alpha)-accurate cache has as many states as there are instances. *)
Lemma sharp_states (states : list (list bool))
    (state : matrix -> matrix -> matrix -> matrix -> list bool) (answer : reader) :
  (forall K1 K2 V1 V2, sharp_key L a A1 K1 -> sharp_key L a A2 K2 ->
     sharp_value L 0 V1 -> sharp_value L 1 V2 -> In (state K1 K2 V1 V2) states) ->
  sharp_guarantee n1 n2 a b f L eta alpha gamma A1 A2 P T state answer ->
  (L ^ ((n1 + n2 - 2) * (f + b)) <= length states)%nat.
Proof.
  intros Hstates Hgood. fold w N.
  refine (states_floor N L _ sharp_output states
    (fun x => state (key_of A1 0 x) (key_of A2 (n1 - 1) x) (value_of 0 0 x)
                    (value_of 1 (n1 - 1) x))
    (fun msg k => answer msg (sharp_query k) (sharp_column k)) sharp_separated _ _).
  - intros x Hx. apply Hstates; (now apply key_of_sharp) || now apply value_of_sharp.
  - intros x k Hx Hk. unfold sharp_output, sharp_query, sharp_column.
    destruct (row_in_range k Hk) as [Hw Hr].
    destruct (pair_of_row_lt n1 n2 _ Hn1 Hn2 Hr) as (Hi & Hl & H0).
    assert (Hne : pair_of_row n1 (k / w) <> (0, 0)%nat)
      by (unfold pair_of_row; destruct (k / w <? n1 - 1); discriminate).
    destruct (pair_of_row n1 (k / w)) as [i l]. cbn [fst snd] in *.
    pose proof (Nat.mod_upper_bound k w ltac:(lia)) as Hm.
    destruct (Hgood _ _ _ _ (key_of_sharp A1 0 x Hx) (key_of_sharp A2 (n1 - 1) x Hx)
      (value_of_sharp 0 0 x Hx) (value_of_sharp 1 (n1 - 1) x Hx) i l Hi Hl H0 Hne) as [Hval Hpay].
    destruct (Nat.ltb_spec (k mod w) f) as [Hf|Hf]; [now apply Hval|].
    apply Hpay. unfold w in Hm at 2. lia.
Qed.

(** With public coins and failure probability at most delta. *)
Lemma sharp_coins bits coins chance delta
    (state : nat -> matrix -> matrix -> matrix -> matrix -> list bool) (answer : nat -> reader) :
  distribution coins chance -> 0 <= delta <= INR (L - 1) / INR L ->
  (forall r K1 K2 V1 V2, sharp_key L a A1 K1 -> sharp_key L a A2 K2 ->
     sharp_value L 0 V1 -> sharp_value L 1 V2 -> length (state r K1 K2 V1 V2) = bits) ->
  sharp_guarantee_randomized n1 n2 a b f L eta alpha gamma delta A1 A2 P T coins chance
    state answer ->
  INR ((n1 + n2 - 2) * (f + b)) * (log2 (INR L) - H2 delta - delta * log2 (INR (L - 1)))
    <= INR bits.
Proof.
  intros Hw Hdelta Hstate Hfail. fold w N.
  refine (symbols_floor_randomized N L bits coins chance delta eta alpha sharp_output
    (fun r x => state r (key_of A1 0 x) (key_of A2 (n1 - 1) x) (value_of 0 0 x)
                      (value_of 1 (n1 - 1) x))
    (fun r msg k => answer r msg (sharp_query k) (sharp_column k)) HL Hw Hdelta
    sharp_separated _ _).
  - intros r x _ Hx. apply Hstate; (now apply key_of_sharp) || now apply value_of_sharp.
  - intros x k Hx Hk. unfold sharp_output, sharp_query, sharp_column.
    destruct (row_in_range k Hk) as [Hw0 Hr].
    destruct (pair_of_row_lt n1 n2 _ Hn1 Hn2 Hr) as (Hi & Hl & H0).
    assert (Hne : pair_of_row n1 (k / w) <> (0, 0)%nat)
      by (unfold pair_of_row; destruct (k / w <? n1 - 1); discriminate).
    destruct (pair_of_row n1 (k / w)) as [i l]. cbn [fst snd] in *.
    pose proof (Nat.mod_upper_bound k w ltac:(lia)) as Hm.
    destruct (Hfail _ _ _ _ (key_of_sharp A1 0 x Hx) (key_of_sharp A2 (n1 - 1) x Hx)
      (value_of_sharp 0 0 x Hx) (value_of_sharp 1 (n1 - 1) x Hx) i l Hi Hl H0 Hne) as [Hval Hpay].
    destruct (Nat.ltb_spec (k mod w) f) as [Hf|Hf]; [now apply Hval|].
    apply Hpay. unfold w in Hm at 2. lia.
Qed.
End Family.
