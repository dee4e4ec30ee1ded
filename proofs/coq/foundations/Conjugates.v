(** Sums of exponentials with integer coefficients and exponents (x √d + y √e) / D, where x and y are
    integers and d e is no square. Such a sum, times the same with -√e, times both with all exponents
    negated, is one to which Hermite's argument applies. *)
From Coq Require Import Reals ZArith Znumtheory Lra Lia List Bool.
From KVFloor Require Import Sums IntegerPolynomials Hermite.
Import ListNotations.
Open Scope R_scope.

(** Points stand for exponents. *)
Lemma point_eq_dec (p q : Z * Z) : {p = q} + {p <> q}.
Proof. decide equality; apply Z.eq_dec. Qed.

Definition plus_point (p q : Z * Z) : Z * Z := (fst p + fst q, snd p + snd q)%Z.

Lemma lsum_integer {X} (f : X -> R) l : (forall x, In x l -> integer (f x)) -> integer (lsum f l).
Proof.
  induction l as [|x l IH]; simpl; intros H; [now exists 0%Z|]. apply integer_plus; auto.
Qed.

(** x² = d y² for y = 0 only. *)
Lemma root_irrational d : (forall e, e * e <> d)%Z ->
  forall x y, (x * x = d * (y * y))%Z -> x = 0%Z /\ y = 0%Z.
Proof.
  intros Hd x y H. destruct (Z.eq_dec y 0) as [->|Hy]; [split; [nia|reflexivity]|exfalso].
  set (c := Z.gcd x y).
  assert (Hc : c <> 0%Z) by (intros E; apply Z.gcd_eq_0 in E; tauto).
  destruct (Z.gcd_divide_l x y) as [a Ha]. destruct (Z.gcd_divide_r x y) as [b Hb].
  fold c in Ha, Hb.
  assert (Hprime : Z.gcd b a = 1%Z).
  { rewrite Z.gcd_comm. replace a with (x / c)%Z by (rewrite Ha; now apply Z.div_mul).
    replace b with (y / c)%Z by (rewrite Hb; now apply Z.div_mul).
    now apply Z.gcd_div_gcd. }
  assert (Hab : (a * a = d * b * b)%Z).
  { apply (Z.mul_reg_r _ _ (c * c)); [nia|]. rewrite Ha, Hb in H. lia. }
  assert (Hdiv : (b | a)%Z) by (apply (Z.gauss b a a); [exists (d * b)%Z; lia|exact Hprime]).
  assert (Hone : (b | 1)%Z)
    by (rewrite <- Hprime; apply Z.gcd_greatest; [apply Z.divide_refl|exact Hdiv]).
  apply Z.divide_1_r in Hone. apply (Hd a). nia.
Qed.

Section Conjugates.
Variables (d e : nat) (D : Z).
Hypothesis Hroot : forall x y, (x * x = Z.of_nat (d * e) * (y * y))%Z -> x = 0%Z /\ y = 0%Z.
Hypothesis HD : (0 < D)%Z.

Definition number (p : Z * Z) : R := IZR (fst p) * sqrt (INR d) + IZR (snd p) * sqrt (INR e).

Definition conjugate (p : Z * Z) : Z * Z := (fst p, (- snd p)%Z).
Definition negated (p : Z * Z) : Z * Z := ((- fst p)%Z, (- snd p)%Z).

Lemma root_squared k : sqrt (INR k) * sqrt (INR k) = IZR (Z.of_nat k).
Proof. rewrite sqrt_sqrt by apply pos_INR. apply INR_IZR_INZ. Qed.

(** The sum over all four signs of the roots. *)
Lemma value_conjugates q p : integer
  (value q (number p) + value q (number (conjugate p))
   + (value q (number (negated p)) + value q (number (conjugate (negated p))))).
Proof.
  destruct p as (x, y).
  assert (Hvalue : exists k l m n : Z, forall r s : R,
            r * r = IZR (Z.of_nat d) -> s * s = IZR (Z.of_nat e) ->
            value q (IZR x * r + IZR y * s) = IZR k + IZR l * r + IZR m * s + IZR n * r * s).
  { induction q as [|c q (k & l & m & n & IH)].
    - exists 0%Z, 0%Z, 0%Z, 0%Z. intros. simpl. ring.
    - exists (c + x * l * Z.of_nat d + y * m * Z.of_nat e)%Z, (x * k + y * n * Z.of_nat e)%Z,
        (y * k + x * n * Z.of_nat d)%Z, (x * m + y * l)%Z.
      intros r s Hr Hs. simpl value. rewrite IH, !plus_IZR, !mult_IZR, <- Hr, <- Hs by assumption.
      ring. }
  destruct Hvalue as (k & l & m & n & H).
  pose proof (root_squared d) as Hr. pose proof (root_squared e) as Hs.
  unfold number, conjugate, negated. cbn [fst snd].
  set (r := sqrt (INR d)) in *. set (s := sqrt (INR e)) in *.
  rewrite !opp_IZR, Ropp_involutive.
  replace (IZR x * r + - IZR y * s) with (IZR x * r + IZR y * - s) by ring.
  replace (- IZR x * r + - IZR y * s) with (IZR x * - r + IZR y * - s) by ring.
  replace (- IZR x * r + IZR y * s) with (IZR x * - r + IZR y * s) by ring.
  rewrite !H by (try rewrite Rmult_opp_opp; assumption).
  exists (4 * k)%Z. rewrite mult_IZR. ring.
Qed.

(** (t - p) (t + p) (t - p') (t + p'), for p and its conjugate p'. *)
Definition quartic (p : Z * Z) : polynomial :=
  let u := (fst p * fst p * Z.of_nat d)%Z in
  let v := (snd p * snd p * Z.of_nat e)%Z in
  [(u - v) * (u - v); 0; - 2 * (u + v); 0; 1]%Z.

Lemma quartic_root p : value (quartic p) (number p) = 0.
Proof.
  unfold quartic, number, value.
  rewrite !mult_IZR, minus_IZR, plus_IZR, !mult_IZR, <- !root_squared. ring.
Qed.

Lemma quartic_0 p : value (quartic p) 0 = 0 -> p = (0, 0)%Z.
Proof.
  destruct p as (x, y). unfold quartic, value, fst, snd. rewrite Rmult_0_l, Rplus_0_r.
  intros H. apply eq_IZR in H.
  assert (Hd : (Z.of_nat d <> 0)%Z).
  { intros E. destruct (Hroot 0 1) as [_ E']; [rewrite Nat2Z.inj_mul, E; ring|discriminate]. }
  destruct (Hroot (x * Z.of_nat d) y) as [Hx ->]; [rewrite Nat2Z.inj_mul; nia|].
  apply Z.mul_eq_0 in Hx as [->|]; [reflexivity|contradiction].
Qed.

(** One polynomial that vanishes at many numbers other than 0, and not at 0. *)
Lemma common_polynomial (l : list (Z * Z)) : ~ In (0, 0)%Z l ->
  exists g, value g 0 <> 0 /\ forall p, In p l -> value g (number p) = 0.
Proof.
  induction l as [|p l IH]; intros H; [exists [1%Z]; simpl; split; [lra|tauto]|].
  destruct IH as (g & Hg & Hz); [intros Hl; apply H; now right|].
  exists (polynomial_times (quartic p) g). rewrite value_times. split.
  - apply Rmult_integral_contrapositive_currified; [|exact Hg].
    intros E. apply H. left. now apply quartic_0.
  - intros p' [->|Hp]; rewrite value_times; [rewrite quartic_root; ring|].
    rewrite (Hz p' Hp). ring.
Qed.

(** ** Sums over terms: a coefficient and a point *)

Definition weighted (l : list (Z * (Z * Z))) (h : Z * Z -> R) : R :=
  lsum (fun t => IZR (fst t) * h (snd t)) l.

Lemma weighted_ext l h h' : (forall p, h p = h' p) -> weighted l h = weighted l h'.
Proof. intros H. apply lsum_ext. intros t _. now rewrite H. Qed.

Lemma weighted_plus l h h' : weighted l (fun p => h p + h' p) = weighted l h + weighted l h'.
Proof. unfold weighted. rewrite <- lsum_plus. apply lsum_ext. intros t _. ring. Qed.

Lemma weighted_scal l a h : weighted l (fun p => a * h p) = a * weighted l h.
Proof. unfold weighted. rewrite <- lsum_scal. apply lsum_ext. intros t _. ring. Qed.

Lemma weighted_swap l l' (h : Z * Z -> Z * Z -> R) :
  weighted l (fun p => weighted l' (h p)) = weighted l' (fun q => weighted l (fun p => h p q)).
Proof.
  unfold weighted. rewrite (lsum_ext _ (fun s => lsum (fun t =>
    IZR (fst s) * (IZR (fst t) * h (snd s) (snd t))) l')) by (intros; now rewrite lsum_scal).
  rewrite lsum_swap. apply lsum_ext. intros t _. rewrite <- lsum_scal.
  apply lsum_ext. intros s _. ring.
Qed.

Lemma weighted_integer l h : (forall p, integer (h p)) -> integer (weighted l h).
Proof.
  intros H. apply lsum_integer. intros t _. apply integer_times; [now exists (fst t)|apply H].
Qed.

(** All products of a term of one sum with a term of another, whose point is altered by f. *)
Definition products (f : Z * Z -> Z * Z) (l l' : list (Z * (Z * Z))) : list (Z * (Z * Z)) :=
  map (fun st => ((fst (fst st) * fst (snd st))%Z, plus_point (snd (fst st)) (f (snd (snd st)))))
    (list_prod l l').

Lemma weighted_products f l l' h :
  weighted (products f l l') h
    = weighted l (fun p => weighted l' (fun q => h (plus_point p (f q)))).
Proof.
  unfold products, weighted. rewrite lsum_map, lsum_list_prod. apply lsum_ext. intros s _.
  rewrite <- lsum_scal. apply lsum_ext. intros t _. cbn [fst snd]. rewrite mult_IZR. ring.
Qed.

(** 1 at p, 0 elsewhere. *)
Definition indicator (p q : Z * Z) : R := if point_eq_dec p q then 1 else 0.

Lemma indicator_same p q r s : (p = q <-> r = s) -> indicator p q = indicator r s.
Proof. unfold indicator. destruct (point_eq_dec p q), (point_eq_dec r s); tauto. Qed.

(** Σ over pairs of terms at one point: squares, so at least one of them. *)
Lemma weighted_squares l p : 0 < weighted l (indicator p) * weighted l (indicator p) ->
  0 < weighted l (fun p => weighted l (indicator p)).
Proof.
  set (w := fun p => weighted l (indicator p)). intros Hp.
  set (points := nodup point_eq_dec (map snd l)).
  assert (E : weighted l w = lsum (fun q => w q * w q) points).
  { rewrite (lsum_ext _ (fun q => lsum (fun t =>
      IZR (fst t) * (indicator q (snd t) * w (snd t))) l) points).
    - rewrite lsum_swap. apply lsum_ext. intros t Ht. rewrite lsum_scal. f_equal.
      transitivity (lsum (fun q => if point_eq_dec (snd t) q then w q else 0) points).
      + symmetry. apply lsum_case; [apply NoDup_nodup|apply nodup_In, in_map, Ht].
      + apply lsum_ext. intros q _. unfold indicator.
        destruct (point_eq_dec q (snd t)) as [E|E], (point_eq_dec (snd t) q); try congruence;
          [rewrite E|]; ring.
    - intros q _. unfold w at 1, weighted. rewrite Rmult_comm, <- lsum_scal.
      apply lsum_ext. intros t _. unfold indicator.
      destruct (point_eq_dec q (snd t)) as [->|]; ring. }
  rewrite E. eapply Rlt_le_trans; [exact Hp|].
  apply (lsum_ge_term (fun q => w q * w q)); [intros q _; apply Rle_0_sqr|].
  apply nodup_In. destruct (in_dec point_eq_dec p (map snd l)) as [|Hout]; [assumption|exfalso].
  assert (H : weighted l (indicator p) = 0); [|rewrite H in Hp; lra].
  apply lsum_0. intros t Ht. unfold indicator. destruct (point_eq_dec p (snd t)) as [->|]; [|ring].
  exfalso. apply Hout, in_map, Ht.
Qed.

(** ** A sum times its conjugate, times both negated *)

Variable terms : list (Z * (Z * Z)).
Hypothesis Hterms : NoDup (map snd terms).

Definition norm_terms : list (Z * (Z * Z)) := products conjugate terms terms.
Definition full_terms : list (Z * (Z * Z)) := products negated norm_terms norm_terms.

Lemma norm_conjugate h : weighted norm_terms (fun p => h (conjugate p)) = weighted norm_terms h.
Proof.
  unfold norm_terms. rewrite !weighted_products, weighted_swap.
  apply weighted_ext. intros p. apply weighted_ext. intros q. f_equal.
  unfold plus_point, conjugate. cbn [fst snd]. f_equal; ring.
Qed.

Lemma full_negated h : weighted full_terms (fun p => h (negated p)) = weighted full_terms h.
Proof.
  unfold full_terms. rewrite !weighted_products, weighted_swap.
  apply weighted_ext. intros p. apply weighted_ext. intros q. f_equal.
  unfold plus_point, negated. cbn [fst snd]. f_equal; ring.
Qed.

Lemma full_conjugate h : weighted full_terms (fun p => h (conjugate p)) = weighted full_terms h.
Proof.
  unfold full_terms. rewrite !weighted_products.
  rewrite <- (norm_conjugate
    (fun p => weighted norm_terms (fun q => h (plus_point p (negated q))))).
  apply weighted_ext. intros p.
  rewrite <- (norm_conjugate (fun q => h (plus_point (conjugate p) (negated q)))).
  apply weighted_ext. intros q. f_equal.
  unfold plus_point, conjugate, negated. cbn [fst snd]. f_equal; ring.
Qed.

(** A polynomial summed over the products but those at 0. *)
Lemma full_integer q : integer (4 * weighted full_terms (fun p =>
  if point_eq_dec p (0, 0)%Z then 0 else value q (number p))).
Proof.
  set (h := fun p => if point_eq_dec p (0, 0)%Z then 0 else value q (number p)).
  replace (4 * weighted full_terms h) with (weighted full_terms (fun p =>
    h p + h (conjugate p) + (h (negated p) + h (conjugate (negated p))))).
  - apply weighted_integer. intros p. unfold h.
    destruct (point_eq_dec p (0, 0)%Z) as [->|Hp].
    { unfold conjugate, negated. cbn [fst snd Z.opp].
      destruct (point_eq_dec _ _); [exists 0%Z; ring|contradiction]. }
    assert (Hother : conjugate p <> (0, 0)%Z /\ negated p <> (0, 0)%Z
                     /\ conjugate (negated p) <> (0, 0)%Z).
    { destruct p as (x, y). unfold conjugate, negated. cbn [fst snd].
      repeat split; intros E; injection E; intros; apply Hp; f_equal; lia. }
    destruct Hother as (H1 & H2 & H3).
    destruct (point_eq_dec (conjugate p) _), (point_eq_dec (negated p) _),
      (point_eq_dec (conjugate (negated p)) _); try contradiction. apply value_conjugates.
  - rewrite !weighted_plus, full_conjugate, full_negated.
    rewrite (full_negated (fun p => h (conjugate p))), full_conjugate. ring.
Qed.

(** Let x be greatest, among the terms that count, in the term u. *)
Variable u : Z * (Z * Z).
Hypothesis Hu : In u terms.
Hypothesis Hu0 : fst u <> 0%Z.
Hypothesis Hgreatest : forall t, In t terms -> fst t <> 0%Z -> (fst (snd t) <= fst (snd u))%Z.

Let top : Z * Z := (fst (snd u) + fst (snd u), 0)%Z.

(** At twice that x, and y = 0, only products of a term with its own conjugate lie. *)
Lemma norm_top s : In s terms ->
  IZR (fst s) * weighted terms (fun q => indicator top (plus_point (snd s) (conjugate q)))
    = if (fst (snd s) =? fst (snd u))%Z then IZR (fst s) * IZR (fst s) else 0.
Proof.
  intros Hs. destruct (in_split s terms Hs) as (l & l' & E).
  assert (Hother : forall t, In t (l ++ l') -> IZR (fst s) *
            (IZR (fst t) * indicator top (plus_point (snd s) (conjugate (snd t)))) = 0).
  { intros t Ht. unfold indicator.
    destruct (point_eq_dec top (plus_point (snd s) (conjugate (snd t)))) as [C|]; [|ring].
    destruct (Z.eq_dec (fst s) 0) as [->|Hs0]; [ring|].
    destruct (Z.eq_dec (fst t) 0) as [->|Ht0]; [ring|exfalso].
    assert (Ht' : In t terms) by (rewrite E, in_app_iff in *; simpl; tauto).
    pose proof (Hgreatest s Hs Hs0). pose proof (Hgreatest t Ht' Ht0).
    rewrite E, map_app in Hterms. apply NoDup_remove_2 in Hterms. apply Hterms.
    rewrite <- map_app. replace (snd s) with (snd t); [now apply in_map|].
    destruct s as (a, (x, y)), t as (b, (x', y')).
    unfold top, plus_point, conjugate in C. cbn [fst snd] in *. injection C as C C'.
    f_equal; lia. }
  unfold weighted. rewrite <- lsum_scal, E, lsum_app. cbn [lsum].
  rewrite (lsum_0 _ l), (lsum_0 _ l') by (intros t Ht; apply Hother; rewrite in_app_iff; tauto).
  destruct s as (a, (x, y)). unfold indicator, top, plus_point, conjugate. cbn [fst snd].
  destruct (point_eq_dec _ _) as [C|C], (Z.eqb_spec x (fst (snd u))) as [->|Hx]; try ring.
  - injection C as C _. lia.
  - exfalso. apply C. f_equal. ring.
Qed.

Lemma norm_positive : 0 < weighted norm_terms (indicator top).
Proof.
  unfold norm_terms. rewrite weighted_products. unfold weighted at 1.
  rewrite (lsum_ext _ _ terms norm_top).
  eapply Rlt_le_trans; [|apply (lsum_ge_term _ terms u); [|exact Hu]]; cbv beta.
  - rewrite Z.eqb_refl, <- mult_IZR. apply IZR_lt. nia.
  - intros s _. destruct (_ =? _)%Z; [rewrite <- mult_IZR; apply IZR_le; nia|lra].
Qed.

Lemma full_positive : 0 < weighted full_terms (indicator (0, 0)%Z).
Proof.
  unfold full_terms. rewrite weighted_products.
  rewrite (weighted_ext _ _ (fun p => weighted norm_terms (indicator p))).
  - apply (weighted_squares _ top). pose proof norm_positive. nra.
  - intros p. apply weighted_ext. intros q. apply indicator_same.
    destruct p as (x, y), q as (x', y'). unfold plus_point, negated. cbn [fst snd].
    split; intros H; injection H; intros; f_equal; lia.
Qed.

Definition exponential (p : Z * Z) : R := exp (number p / IZR D).

Lemma exponential_plus p q : exponential (plus_point p q) = exponential p * exponential q.
Proof.
  pose proof (IZR_lt _ _ HD). unfold exponential. rewrite <- exp_plus. f_equal.
  unfold number, plus_point. cbn [fst snd]. rewrite !plus_IZR. field. lra.
Qed.

Lemma products_vanish f l l' :
  weighted l exponential = 0 -> weighted (products f l l') exponential = 0.
Proof.
  intros H. rewrite weighted_products.
  rewrite (weighted_ext _ _ (fun p => weighted l' (fun q => exponential (f q)) * exponential p)).
  - rewrite weighted_scal, H. ring.
  - intros p. rewrite Rmult_comm, <- weighted_scal.
    apply weighted_ext. intros q. apply exponential_plus.
Qed.

Lemma conjugates_argument : weighted terms exponential <> 0.
Proof.
  intros Hzero. apply (products_vanish conjugate terms terms) in Hzero.
  apply (products_vanish negated norm_terms norm_terms) in Hzero. fold full_terms in Hzero.
  pose proof full_positive as Hpos.
  destruct (weighted_integer full_terms (indicator (0, 0)%Z)) as (c & Hc).
  { intros p. unfold indicator. destruct (point_eq_dec _ _); [now exists 1%Z|now exists 0%Z]. }
  rewrite Hc in Hpos. apply lt_IZR in Hpos.
  set (away := fun t : Z * (Z * Z) => if point_eq_dec (snd t) (0, 0)%Z then false else true).
  assert (Hrest : forall h : Z * Z -> R,
            lsum (fun t => 4 * IZR (fst t) * h (snd t)) (filter away full_terms)
            = 4 * weighted full_terms (fun p => if point_eq_dec p (0, 0)%Z then 0 else h p)).
  { intros h. rewrite <- lsum_filter. unfold weighted. rewrite <- lsum_scal. apply lsum_ext.
    intros t _. unfold away. destruct (point_eq_dec (snd t) (0, 0)%Z); ring. }
  destruct (common_polynomial (map snd (filter away full_terms))) as (g & Hg0 & Hg).
  { intros H. apply in_map_iff in H as (t & E & Ht). apply filter_In in Ht as [_ Ht].
    unfold away in Ht. destruct (point_eq_dec (snd t) (0, 0)%Z); [discriminate|contradiction]. }
  apply (hermite_argument D (4 * c) g
           (map (fun t => (4 * IZR (fst t), number (snd t))) (filter away full_terms))).
  - exact HD.
  - lia.
  - exact Hg0.
  - intros a b H. apply in_map_iff in H as (t & E & Ht). injection E as <- <-.
    apply Hg, in_map, Ht.
  - intros q. rewrite lsum_map. cbn [fst snd]. rewrite (Hrest (fun p => value q (number p))).
    apply full_integer.
  - rewrite lsum_map. cbn [fst snd].
    change (fun t => 4 * IZR (fst t) * exp (number (snd t) / IZR D))
      with (fun t : Z * (Z * Z) => 4 * IZR (fst t) * exponential (snd t)).
    rewrite (Hrest exponential), mult_IZR, <- Hc.
    transitivity (4 * weighted full_terms exponential); [|rewrite Hzero; ring].
    rewrite <- Rmult_plus_distr_l, <- weighted_plus. f_equal. apply weighted_ext. intros p.
    unfold indicator. destruct (point_eq_dec (0, 0)%Z p) as [<-|H].
    + destruct (point_eq_dec _ _); [|contradiction]. unfold exponential, number. cbn [fst snd].
      replace ((0 * sqrt (INR d) + 0 * sqrt (INR e)) / IZR D) with 0 by (unfold Rdiv; ring).
      rewrite exp_0. ring.
    + destruct (point_eq_dec p (0, 0)%Z) as [->|]; [contradiction|ring].
Qed.
End Conjugates.
