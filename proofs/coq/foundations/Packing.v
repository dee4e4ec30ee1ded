(** Disjoint balls inside a ball: the d-th powers of their radii add up to no more than that of
    its radius. By induction on the dimension: slice, and integrate over the slices. *)
From Coq Require Import Reals Lra Lia Arith List.
From Coquelicot Require Import Coquelicot.
From KVFloor Require Import Sums Norms.
Import ListNotations.
Open Scope R_scope.

Definition ball := (vector * R)%type.

Definition distance2 (d : nat) (x z : vector) : R := rsum d (fun c => (x c - z c) * (x c - z c)).

(** x is in the open ball. *)
Definition inside (d : nat) (b : ball) (x : vector) : Prop :=
  distance2 d x (fst b) < snd b * snd b.

Fixpoint pairwise {A} (P : A -> A -> Prop) (l : list A) : Prop :=
  match l with
  | [] => True
  | a :: rest => (forall b, In b rest -> P a b) /\ pairwise P rest
  end.

(** Open balls, disjoint, inside the ball [whole]. *)
Definition packed (d : nat) (balls : list ball) (whole : ball) : Prop :=
  (forall b, In b balls -> 0 <= snd b) /\ 0 <= snd whole /\
  (forall b x, In b balls -> inside d b x -> inside d whole x) /\
  pairwise (fun b b' => forall x, ~ (inside d b x /\ inside d b' x)) balls.

Lemma pairwise_map {A B} (P : A -> A -> Prop) (Q : B -> B -> Prop) (f : A -> B) l :
  (forall a a', P a a' -> Q (f a) (f a')) -> pairwise P l -> pairwise Q (map f l).
Proof.
  intros H. induction l as [|a l IH]; simpl; [auto|]. intros [Ha Hl]. split; [|auto].
  intros b Hb. apply in_map_iff in Hb as (a' & <- & Ha'). auto.
Qed.

Lemma pairwise_filter {A} (P : A -> A -> Prop) p (l : list A) :
  pairwise P l -> pairwise P (filter p l).
Proof.
  induction l as [|a l IH]; simpl; [auto|]. intros [Ha Hl]. destruct (p a); simpl; auto.
  split; [|auto]. intros b Hb. apply filter_In in Hb as [Hb _]. auto.
Qed.

(** ** Dimension 1: intervals *)

(** Disjoint intervals (fst i, snd i) inside [a, b] are no longer than that in all. *)
Lemma intervals_packed m : forall (l : list (R * R)) a b, (length l <= m)%nat -> a <= b ->
  (forall i, In i l -> a <= fst i /\ fst i <= snd i /\ snd i <= b) ->
  pairwise (fun i j => snd i <= fst j \/ snd j <= fst i) l ->
  lsum (fun i => snd i - fst i) l <= b - a.
Proof.
  induction m as [|m IH]; intros l a b Hm Hab Hin Hdis.
  - destruct l; [simpl; lra|simpl in Hm; lia].
  - destruct l as [|i l]; [simpl; lra|]. simpl in Hm. destruct Hdis as [Hi Hl].
    destruct (Hin i (or_introl eq_refl)) as (H1 & H2 & H3).
    set (right := fun j : R * R => if Rle_dec (snd i) (fst j) then true else false).
    assert (Hsplit : lsum (fun j => snd j - fst j) l
              = lsum (fun j => snd j - fst j) (filter right l)
                + lsum (fun j => snd j - fst j) (filter (fun j => negb (right j)) l)).
    { clear. induction l as [|j l IH]; simpl; [lra|]. destruct (right j); simpl; lra. }
    assert (Hlen : forall p : R * R -> bool, (length (filter p l) <= m)%nat).
    { intros p. apply Nat.le_trans with (length l); [|lia]. clear.
      induction l as [|j l IH]; simpl; [lia|]. destruct (p j); simpl; lia. }
    assert (HR : lsum (fun j => snd j - fst j) (filter right l) <= b - snd i).
    { apply IH; [apply Hlen|lra| |now apply pairwise_filter].
      intros j Hj. apply filter_In in Hj as [Hj Hr].
      destruct (Hin j (or_intror Hj)) as (G1 & G2 & G3). unfold right in Hr.
      destruct (Rle_dec (snd i) (fst j)); [lra|discriminate]. }
    assert (HL : lsum (fun j => snd j - fst j) (filter (fun j => negb (right j)) l) <= fst i - a).
    { apply IH; [apply Hlen|lra| |now apply pairwise_filter].
      intros j Hj. apply filter_In in Hj as [Hj Hr].
      destruct (Hin j (or_intror Hj)) as (G1 & G2 & G3). unfold right in Hr.
      destruct (Rle_dec (snd i) (fst j)) as [|Hn]; [discriminate|].
      destruct (Hi j Hj); lra. }
    simpl. lra.
Qed.

Lemma distance2_one x z : distance2 1 x z = (x 0%nat - z 0%nat) * (x 0%nat - z 0%nat).
Proof. unfold distance2. simpl. ring. Qed.

Lemma packed_one balls whole : packed 1 balls whole ->
  lsum (fun b => snd b ^ 1) balls <= snd whole ^ 1.
Proof.
  intros (Hr & HS & Hin & Hdis). destruct whole as [w S]. simpl in HS.
  assert (Hzero : forall b, In b balls -> forall u, - snd b < u < snd b ->
            inside 1 b (fun _ => fst b 0%nat + u)).
  { intros b Hb u Hu. unfold inside. rewrite distance2_one. nra. }
  set (interval := fun b : ball => (fst b 0%nat - snd b, fst b 0%nat + snd b)).
  set (proper := fun b : ball => if Rlt_dec 0 (snd b) then true else false).
  assert (Hpos : forall b, In b (filter proper balls) -> In b balls /\ 0 < snd b).
  { intros b Hb. apply filter_In in Hb as [Hb Hp]. split; [exact Hb|]. unfold proper in Hp.
    destruct (Rlt_dec 0 (snd b)); [assumption|discriminate]. }
  assert (Hsum : lsum (fun b => snd b ^ 1) balls
            = / 2 * lsum (fun i => snd i - fst i) (map interval (filter proper balls))).
  { rewrite lsum_map, <- lsum_scal. clear - Hr.
    induction balls as [|b l IH]; [simpl; ring|]. cbn [lsum filter].
    assert (H0 : 0 <= snd b) by (apply Hr; now left).
    rewrite IH by (intros; apply Hr; now right). unfold proper at 2.
    destruct (Rlt_dec 0 (snd b)); cbn [lsum]; [unfold interval at 2; simpl; field|simpl; lra]. }
  rewrite Hsum. simpl.
  assert (H : lsum (fun i => snd i - fst i) (map interval (filter proper balls))
              <= (w 0%nat + S) - (w 0%nat - S)).
  { apply (intervals_packed (length (map interval (filter proper balls)))); [lia|lra| |].
    - intros i Hi. apply in_map_iff in Hi as (b & <- & Hb). apply Hpos in Hb as [Hb H0].
      unfold interval. simpl. set (z := fst b 0%nat). set (r := snd b) in *.
      assert (Hw : forall u, - r < u < r -> (z + u - w 0%nat) * (z + u - w 0%nat) < S * S).
      { intros u Hu. specialize (Hin b (fun _ => z + u) Hb (Hzero b Hb u Hu)).
        unfold inside in Hin. rewrite distance2_one in Hin. exact Hin. }
      assert (Hin2 : forall u, - r < u < r -> w 0%nat - S < z + u < w 0%nat + S).
      { intros u Hu. specialize (Hw u Hu). split; nra. }
      split; [|split; [lra|]].
      + destruct (Rle_dec (w 0%nat - S) (z - r)) as [|Hn]; [assumption|exfalso].
        apply Rnot_le_lt in Hn. pose proof (Hin2 0 ltac:(lra)).
        specialize (Hin2 (w 0%nat - S - z) ltac:(lra)). lra.
      + destruct (Rle_dec (z + r) (w 0%nat + S)) as [|Hn]; [assumption|exfalso].
        apply Rnot_le_lt in Hn. pose proof (Hin2 0 ltac:(lra)).
        specialize (Hin2 (w 0%nat + S - z) ltac:(lra)). lra.
    - assert (Hdis' : pairwise (fun b b' => 0 < snd b /\ 0 < snd b' /\
                forall x, ~ (inside 1 b x /\ inside 1 b' x)) (filter proper balls)).
      { clear - Hdis Hpos. induction balls as [|b l IH]; [exact I|]. simpl in *.
        destruct Hdis as [Hb Hl].
        assert (Hpos' : forall b', In b' (filter proper l) -> In b' l /\ 0 < snd b').
        { intros b' Hb'. apply filter_In in Hb' as [Hb1 Hb2]. split; [exact Hb1|].
          unfold proper in Hb2. destruct (Rlt_dec 0 (snd b')); [assumption|discriminate]. }
        destruct (proper b) eqn:E; simpl; [|apply IH; auto].
        split; [|apply IH; auto]. intros b' Hb'. apply Hpos' in Hb' as [Hb1 Hb2].
        unfold proper in E. destruct (Rlt_dec 0 (snd b)); [auto|discriminate]. }
      revert Hdis'. apply pairwise_map. intros b b' (H0 & H0' & Hno). unfold interval. simpl.
      set (z := fst b 0%nat) in *. set (z' := fst b' 0%nat) in *.
      destruct (Rle_dec (z + snd b) (z' - snd b')) as [|Hn]; [now left|].
      destruct (Rle_dec (z' + snd b') (z - snd b)) as [|Hn']; [now right|exfalso].
      apply Rnot_le_lt in Hn, Hn'.
      set (lo := Rmax (z - snd b) (z' - snd b')). set (hi := Rmin (z + snd b) (z' + snd b')).
      assert (Hlt : lo < hi) by (apply Rmax_lub_lt; apply Rmin_glb_lt; lra).
      assert (Hlo : z - snd b <= lo /\ z' - snd b' <= lo) by (split; [apply Rmax_l|apply Rmax_r]).
      assert (Hhi : hi <= z + snd b /\ hi <= z' + snd b') by (split; [apply Rmin_l|apply Rmin_r]).
      clearbody lo hi. destruct Hlo, Hhi.
      apply (Hno (fun _ => (lo + hi) / 2)). unfold inside. rewrite !distance2_one.
      fold z z'. split; nra. }
  lra.
Qed.

(** ** Slices *)

(** y if it is positive, else 0. *)
Definition pos (y : R) : R := (y + Rabs y) / 2.

Lemma pos_cases y : (0 <= y /\ pos y = y) \/ (y < 0 /\ pos y = 0).
Proof. unfold pos, Rabs. destruct (Rcase_abs y); [right|left]; split; lra. Qed.

Lemma pos_nonneg y : 0 <= pos y.
Proof. destruct (pos_cases y); lra. Qed.

(** The d-th power of the radius of the slice at t of a ball of radius r around z. *)
Definition slice_power (d : nat) (r z t : R) : R := sqrt (pos (r * r - (t - z) * (t - z))) ^ d.

(** The slice at t in coordinate d. *)
Definition slice (d : nat) (t : R) (b : ball) : ball :=
  (fst b, sqrt (pos (snd b * snd b - (t - fst b d) * (t - fst b d)))).

Definition extend (d : nat) (t : R) (x : vector) : vector := fun c => if c =? d then t else x c.

Lemma distance2_nonneg d x z : 0 <= distance2 d x z.
Proof. apply rsum_nonneg. intros; apply Rle_0_sqr. Qed.

Lemma inside_slice d t b x : inside d (slice d t b) x <-> inside (S d) b (extend d t x).
Proof.
  unfold inside, slice. cbn [fst snd]. rewrite sqrt_sqrt by apply pos_nonneg.
  assert (E : distance2 (S d) (extend d t x) (fst b)
              = distance2 d x (fst b) + (t - fst b d) * (t - fst b d)).
  { unfold distance2. cbn [rsum]. f_equal.
    - apply rsum_ext. intros c Hc. unfold extend.
      destruct (Nat.eqb_spec c d); [lia|reflexivity].
    - unfold extend. now rewrite Nat.eqb_refl. }
  rewrite E. pose proof (distance2_nonneg d x (fst b)).
  destruct (pos_cases (snd b * snd b - (t - fst b d) * (t - fst b d))) as [[? ->]|[? ->]];
    split; lra.
Qed.

Lemma packed_slice d t balls whole :
  packed (S d) balls whole -> packed d (map (slice d t) balls) (slice d t whole).
Proof.
  intros (Hr & HS & Hin & Hdis). repeat split.
  - intros b Hb. apply in_map_iff in Hb as (b' & <- & _). apply sqrt_pos.
  - apply sqrt_pos.
  - intros b x Hb Hx. apply in_map_iff in Hb as (b' & <- & Hb').
    apply inside_slice. apply (Hin b' _ Hb'). now apply inside_slice.
  - revert Hdis. apply pairwise_map. intros b b' Hno x [Hx Hx'].
    apply (Hno (extend d t x)). split; now apply inside_slice.
Qed.

(** ** Integrals of slices *)

Lemma slice_power_continuous d r z t : continuous (slice_power d r z) t.
Proof.
  apply continuity_pt_filterlim. unfold slice_power.
  assert (H : continuity_pt (fun t => sqrt (pos (r * r - (t - z) * (t - z)))) t).
  { apply (continuity_pt_comp (fun t => pos (r * r - (t - z) * (t - z))) sqrt).
    - unfold pos. apply (continuity_pt_comp (fun t => r * r - (t - z) * (t - z))
        (fun y => (y + Rabs y) / 2)).
      + apply derivable_continuous_pt. exists (0 - ((1 - 0) * (t - z) + (t - z) * (1 - 0))).
        apply is_derive_Reals. auto_derive; [auto|ring].
      + apply continuity_pt_mult.
        * apply continuity_pt_plus; [apply derivable_continuous_pt, derivable_pt_id|].
          apply Rcontinuity_abs.
        * apply continuity_pt_const. intros ? ?. reflexivity.
    - apply continuity_pt_sqrt, pos_nonneg. }
  induction d as [|d IH]; simpl.
  - apply continuity_pt_const. intros ? ?. reflexivity.
  - now apply continuity_pt_mult.
Qed.

Lemma slice_power_integrable d r z a b : ex_RInt (slice_power d r z) a b.
Proof.
  apply (ex_RInt_continuous (V := R_CompleteNormedModule)).
  intros; apply slice_power_continuous.
Qed.

Lemma slice_power_outside d r z t :
  (1 <= d)%nat -> 0 <= r -> r <= Rabs (t - z) -> slice_power d r z t = 0.
Proof.
  intros Hd Hr Ht. unfold slice_power.
  assert (E : pos (r * r - (t - z) * (t - z)) = 0).
  { assert (r * r <= (t - z) * (t - z)).
    { rewrite <- (Rabs_pos_eq ((t - z) * (t - z))) by apply Rle_0_sqr.
      rewrite Rabs_mult. apply Rmult_le_compat; lra. }
    destruct (pos_cases (r * r - (t - z) * (t - z))) as [[? ->]|[? ->]]; lra. }
  rewrite E, sqrt_0. destruct d; [lia|]. simpl. ring.
Qed.

(** The integral over the unit ball's slices. *)
Definition unit_integral (d : nat) : R := RInt (slice_power d 1 0) (-1) 1.

Lemma unit_integral_pos d : 0 < unit_integral d.
Proof.
  apply RInt_gt_0; [lra| |intros; apply slice_power_continuous].
  intros t Ht. apply pow_lt, sqrt_lt_R0.
  destruct (pos_cases (1 * 1 - (t - 0) * (t - 0))) as [[? ->]|[? ?]]; nra.
Qed.

Lemma RInt_zero f a b : a <= b -> (forall t, a < t < b -> f t = 0) -> RInt f a b = 0.
Proof.
  intros Hab H. rewrite (RInt_ext f (fun _ => 0)).
  - rewrite RInt_const. unfold scal. simpl. unfold mult. simpl. ring.
  - intros t Ht. rewrite Rmin_left, Rmax_right in Ht by lra. auto.
Qed.

Lemma unit_integral_wide d a b : (1 <= d)%nat -> a <= -1 -> 1 <= b ->
  RInt (slice_power d 1 0) a b = unit_integral d.
Proof.
  intros Hd Ha Hb. pose proof (slice_power_integrable d 1 0) as Hex.
  rewrite <- (RInt_Chasles (slice_power d 1 0) a (-1) b) by apply Hex.
  rewrite <- (RInt_Chasles (slice_power d 1 0) (-1) 1 b) by apply Hex.
  rewrite (RInt_zero _ a (-1)), (RInt_zero _ 1 b); try lra.
  - unfold plus. simpl. unfold unit_integral. ring.
  - intros t Ht. apply slice_power_outside; [exact Hd|lra|]. rewrite Rabs_pos_eq; lra.
  - intros t Ht. apply slice_power_outside; [exact Hd|lra|]. rewrite Rabs_left; lra.
Qed.

(** The integral over the slices of a ball grows with the power d + 1 of its radius. *)
Lemma slice_integral d r z M : (1 <= d)%nat -> 0 <= r -> - M <= z - r -> z + r <= M ->
  RInt (slice_power d r z) (- M) M = r ^ S d * unit_integral d.
Proof.
  intros Hd [Hr|<-] H1 H2.
  - set (a := (- M - z) / r). set (b := (M - z) / r).
    assert (Ea : r * a + z = - M) by (unfold a; field; lra).
    assert (Eb : r * b + z = M) by (unfold b; field; lra).
    rewrite <- Ea, <- Eb at 1.
    rewrite <- (RInt_comp_lin (slice_power d r z)) by apply slice_power_integrable.
    transitivity (RInt (fun u => r ^ S d * slice_power d 1 0 u) a b).
    + apply RInt_ext. intros u _. unfold scal. simpl. unfold mult. simpl.
      rewrite Rmult_assoc. f_equal. unfold slice_power. rewrite <- Rpow_mult_distr. f_equal.
      assert (E : pos (r * r - (r * u + z - z) * (r * u + z - z))
                  = r * r * pos (1 * 1 - (u - 0) * (u - 0))).
      { unfold pos.
        replace (r * r - (r * u + z - z) * (r * u + z - z))
          with (r * r * (1 * 1 - (u - 0) * (u - 0))) by ring.
        rewrite Rabs_mult, (Rabs_pos_eq (r * r)) by nra. field. }
      rewrite E, sqrt_mult, sqrt_square by (nra || apply pos_nonneg). reflexivity.
    + pose proof (RInt_scal (V := R_CompleteNormedModule) (slice_power d 1 0) a b (r ^ S d)
        (slice_power_integrable d 1 0 a b)) as H.
      transitivity (r ^ S d * RInt (slice_power d 1 0) a b); [exact H|].
      rewrite unit_integral_wide; [reflexivity|exact Hd| |].
      * apply (Rmult_le_reg_l r); lra.
      * apply (Rmult_le_reg_l r); lra.
  - rewrite pow_i, Rmult_0_l by lia. apply RInt_zero; [lra|].
    intros t _. apply slice_power_outside; [exact Hd|lra|apply Rabs_pos].
Qed.

Lemma RInt_lsum {X} (f : X -> R -> R) l a b : (forall x t, continuous (f x) t) ->
  ex_RInt (fun t => lsum (fun x => f x t) l) a b /\
  RInt (fun t => lsum (fun x => f x t) l) a b = lsum (fun x => RInt (f x) a b) l.
Proof.
  intros Hf. assert (Hex : forall x, ex_RInt (f x) a b).
  { intros x. apply (ex_RInt_continuous (V := R_CompleteNormedModule)). intros; apply Hf. }
  induction l as [|x l [IH1 IH2]]; simpl.
  - split; [apply ex_RInt_const|]. rewrite RInt_const. unfold scal. simpl. unfold mult. simpl. ring.
  - split; [exact (ex_RInt_plus (f x) _ a b (Hex x) IH1)|].
    rewrite <- IH2. exact (RInt_plus (f x) _ a b (Hex x) IH1).
Qed.

(** Disjoint balls inside a ball, in d >= 1 dimensions. *)
Lemma packed_powers d balls whole : (1 <= d)%nat -> packed d balls whole ->
  lsum (fun b => snd b ^ d) balls <= snd whole ^ d.
Proof.
  revert balls whole. induction d as [|d IH]; intros balls whole Hd Hpacked; [lia|].
  destruct (Nat.eq_dec d 0) as [->|Hd0]; [now apply packed_one|].
  assert (Hd1 : (1 <= d)%nat) by lia.
  set (F := fun (b : ball) t => slice_power d (snd b) (fst b d) t).
  set (reach := fun b : ball => Rabs (fst b d) + snd b).
  destruct Hpacked as (Hr & HS & Hrest). pose proof (conj Hr (conj HS Hrest)) as Hpacked.
  assert (Hreach : forall b, In b (whole :: balls) -> 0 <= reach b).
  { intros b Hb. unfold reach. pose proof (Rabs_pos (fst b d)).
    destruct Hb as [<-|Hb]; [lra|specialize (Hr b Hb); lra]. }
  set (M := lsum reach (whole :: balls)).
  assert (Hint : forall b, In b (whole :: balls) ->
            RInt (F b) (- M) M = snd b ^ S d * unit_integral d).
  { intros b Hb. pose proof (lsum_ge_term reach _ b Hreach Hb) as HM. fold M in HM.
    unfold reach in HM. pose proof (Rle_abs (fst b d)). pose proof (Rle_abs (- fst b d)) as Hn.
    rewrite Rabs_Ropp in Hn. apply slice_integral; [exact Hd1| |lra|lra].
    destruct Hb as [<-|Hb]; [exact HS|now apply Hr]. }
  assert (Hcont : forall b t, continuous (F b) t) by (intros; apply slice_power_continuous).
  destruct (RInt_lsum F balls (- M) M Hcont) as [Hex Hsum].
  assert (HM0 : 0 <= M) by (apply lsum_nonneg; exact Hreach).
  assert (Hle : RInt (fun t => lsum (fun b => F b t) balls) (- M) M <= RInt (F whole) (- M) M).
  { apply RInt_le; [lra|exact Hex|apply slice_power_integrable|].
    intros t _. pose proof (IH _ _ Hd1 (packed_slice d t balls whole Hpacked)) as H.
    rewrite lsum_map in H. exact H. }
  assert (Hballs : lsum (fun b => RInt (F b) (- M) M) balls
                   = unit_integral d * lsum (fun b => snd b ^ S d) balls).
  { rewrite <- lsum_scal. apply lsum_ext. intros b Hb. rewrite Hint by now right. ring. }
  assert (Hwhole : RInt (F whole) (- M) M = snd whole ^ S d * unit_integral d)
    by (apply Hint; now left).
  apply (Rmult_le_reg_l (unit_integral d)); [apply unit_integral_pos|].
  rewrite <- Hballs, <- Hsum, Rmult_comm, <- Hwhole. exact Hle.
Qed.
