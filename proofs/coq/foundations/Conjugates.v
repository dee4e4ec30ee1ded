(** Sums of exponentials with integer coefficients and exponents (x + y √d) / D, x and y integers:
    a sum times the same with -√d is one to which Hermite's argument applies. *)
From Coq Require Import Reals ZArith Znumtheory Lra Lia List Bool.
From KVFloor Require Import Sums IntegerPolynomials Hermite.
Import ListNotations.
Open Scope R_scope.

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
  destruct (Z.gcd_divide_l x y) as [a Ha]. destruct (Z.gcd_divide_r x y) as [b Hb]. fold c in Ha, Hb.
  assert (Hprime : Z.gcd b a = 1%Z).
  { rewrite Z.gcd_comm. replace a with (x / c)%Z by (rewrite Ha; now apply Z.div_mul).
    replace b with (y / c)%Z by (rewrite Hb; now apply Z.div_mul).
    now apply Z.gcd_div_gcd. }
  assert (Hab : (a * a = d * b * b)%Z).
  { apply (Z.mul_reg_r _ _ (c * c)); [nia|]. rewrite Ha, Hb in H. lia. }
  assert (Hdiv : (b | a)%Z) by (apply (Z.gauss b a a); [exists (d * b)%Z; lia|exact Hprime]).
  assert (Hone : (b | 1)%Z) by (rewrite <- Hprime; apply Z.gcd_greatest; [apply Z.divide_refl|exact Hdiv]).
  apply Z.divide_1_r in Hone. apply (Hd a). nia.
Qed.

Section Conjugates.
Variables (d : nat) (D : Z).
Hypothesis Hroot : forall x y, (x * x = Z.of_nat d * (y * y))%Z -> x = 0%Z /\ y = 0%Z.
Hypothesis HD : (0 < D)%Z.

(** A term is a coefficient a with (x, y), for a exp((x + y √d) / D). *)
Definition number (p : Z * Z) : R := IZR (fst p) + IZR (snd p) * sqrt (INR d).
Definition conjugate (p : Z * Z) : Z * Z := (fst p, (- snd p)%Z).
Definition exponential (t : Z * (Z * Z)) : R := IZR (fst t) * exp (number (snd t) / IZR D).

Lemma root_squared : sqrt (INR d) * sqrt (INR d) = IZR (Z.of_nat d).
Proof. rewrite sqrt_sqrt by apply pos_INR. apply INR_IZR_INZ. Qed.

Lemma value_conjugates q p : exists x y, value q (number p) = number (x, y) /\
  value q (number (conjugate p)) = number (conjugate (x, y)).
Proof.
  destruct p as (u, v). unfold number, conjugate. cbn [fst snd].
  induction q as [|a q (x & y & IH & IH')].
  - exists 0%Z, 0%Z. simpl. split; ring.
  - exists (a + (u * x + v * y * Z.of_nat d))%Z, (u * y + v * x)%Z. simpl value.
    rewrite IH, IH', opp_IZR, !plus_IZR, !mult_IZR, <- root_squared, !opp_IZR, plus_IZR, !mult_IZR.
    split; ring.
Qed.

(** (x - p) (x - p'), for p and its conjugate p'. *)
Definition quadratic (p : Z * Z) : polynomial :=
  [fst p * fst p - Z.of_nat d * (snd p * snd p); - 2 * fst p; 1]%Z.

Lemma quadratic_root p : value (quadratic p) (number p) = 0.
Proof.
  unfold quadratic, number, value.
  rewrite minus_IZR, !mult_IZR, <- root_squared. ring.
Qed.

(** One polynomial that vanishes at many numbers other than 0, and not at 0. *)
Lemma common_polynomial (l : list (Z * Z)) : ~ In (0, 0)%Z l ->
  exists g, value g 0 <> 0 /\ forall p, In p l -> value g (number p) = 0.
Proof.
  induction l as [|p l IH]; intros H; [exists [1%Z]; simpl; split; [lra|tauto]|].
  destruct IH as (g & Hg & Hz); [intros Hl; apply H; now right|].
  exists (polynomial_times (quadratic p) g). rewrite value_times. split.
  - apply Rmult_integral_contrapositive_currified; [|exact Hg]. destruct p as (x, y).
    unfold quadratic, value, fst, snd. rewrite Rmult_0_l, Rplus_0_r.
    apply (not_0_IZR). intros E. destruct (Hroot x y) as [-> ->]; [lia|].
    apply H. now left.
  - intros p' [->|Hp]; rewrite value_times; [rewrite quadratic_root; ring|].
    rewrite (Hz p' Hp). ring.
Qed.

(** ** A sum times its conjugate *)

(** Exponent and coefficient of the product of one term with the conjugate of another. *)
Definition product (s t : Z * (Z * Z)) : Z * (Z * Z) :=
  (fst s * fst t, (fst (snd s) + fst (snd t), snd (snd s) - snd (snd t)))%Z.
Definition constant (t : Z * (Z * Z)) : bool := (fst (snd t) =? 0)%Z && (snd (snd t) =? 0)%Z.

Lemma constant_spec t : constant t = true <-> snd t = (0, 0)%Z.
Proof.
  destruct t as (a, (x, y)). unfold constant. simpl. rewrite andb_true_iff, !Z.eqb_eq.
  split; [intros [-> ->]; reflexivity|intros E; now injection E].
Qed.

Lemma exponential_product s t : exponential (product s t)
  = exponential s * exponential (fst t, conjugate (snd t)).
Proof.
  destruct s as (a, (x, y)), t as (b, (u, v)). pose proof (IZR_lt _ _ HD).
  unfold exponential, product, conjugate, number. cbn [fst snd].
  rewrite mult_IZR, plus_IZR, minus_IZR, opp_IZR.
  replace ((IZR x + IZR u + (IZR y - IZR v) * sqrt (INR d)) / IZR D)
    with ((IZR x + IZR y * sqrt (INR d)) / IZR D + (IZR u + - IZR v * sqrt (INR d)) / IZR D)
    by (field; lra).
  rewrite exp_plus. ring.
Qed.

Variable terms : list (Z * (Z * Z)).
Hypothesis Hterms : NoDup (map snd terms).

Definition products : list (Z * (Z * Z)) :=
  map (fun st => product (fst st) (snd st)) (list_prod terms terms).

Lemma lsum_products (f : Z * (Z * Z) -> R) :
  lsum f products = lsum (fun s => lsum (fun t => f (product s t)) terms) terms.
Proof. unfold products. now rewrite lsum_map, lsum_list_prod. Qed.

(** A polynomial summed over the products that are not constant. *)
Lemma products_integer q : integer (lsum (fun t => 2 * IZR (fst t) * value q (number (snd t)))
  (filter (fun t => negb (constant t)) products)).
Proof.
  rewrite <- lsum_filter, lsum_products.
  set (f := fun s t => if negb (constant (product s t))
              then IZR (fst (product s t)) * value q (number (snd (product s t))) else 0).
  assert (Hpair : forall s t, integer (f s t + f t s)).
  { intros s t. destruct s as (a, (x, y)), t as (b, (u, v)).
    assert (Hsame : constant (product (b, (u, v)) (a, (x, y)))
                    = constant (product (a, (x, y)) (b, (u, v)))).
    { unfold constant, product. simpl. rewrite (Z.add_comm u x). f_equal.
      destruct (Z.eqb_spec (v - y) 0), (Z.eqb_spec (y - v) 0); (reflexivity || lia). }
    unfold f. rewrite Hsame. destruct (negb _); [|exists 0%Z; ring].
    destruct (value_conjugates q (x + u, y - v)%Z) as (X & Y & E & E').
    unfold product, conjugate in *. cbn [fst snd] in *.
    replace (u + x, v - y)%Z with (x + u, - (y - v))%Z by (f_equal; ring).
    rewrite E, E'. exists (2 * (a * b * X))%Z. unfold number. cbn [fst snd].
    rewrite !mult_IZR, opp_IZR. ring. }
  replace (lsum _ terms) with (lsum (fun s => lsum (fun t => f s t + f t s) terms) terms).
  - apply lsum_integer. intros s _. apply lsum_integer. intros t _. apply Hpair.
  - rewrite (lsum_ext _ (fun s => lsum (f s) terms + lsum (fun t => f t s) terms))
      by (intros; apply lsum_plus).
    rewrite lsum_plus, (lsum_swap (fun s t => f t s)).
    rewrite <- lsum_plus. apply lsum_ext. intros s _. rewrite <- lsum_plus.
    apply lsum_ext. intros t _. unfold f. destruct (negb _); ring.
Qed.

(** If the greatest x is 0, the constant of the product is the sum of the squares there. *)
Hypothesis Hgreatest : forall t, In t terms -> fst t <> 0%Z -> (fst (snd t) <= 0)%Z.

Lemma constants_of s : In s terms ->
  lsum (fun t => if constant (product s t) then IZR (fst (product s t)) else 0) terms
    = if (fst (snd s) =? 0)%Z then IZR (fst s) * IZR (fst s) else 0.
Proof.
  intros Hs. destruct (in_split s terms Hs) as (l & l' & E).
  assert (Hother : forall t, In t (l ++ l') ->
            (if constant (product s t) then IZR (fst (product s t)) else 0) = 0).
  { intros t Ht. destruct (constant (product s t)) eqn:C; [|reflexivity].
    apply constant_spec in C. destruct s as (a, (x, y)), t as (b, (u, v)).
    unfold product in *. cbn [fst snd] in *. injection C as C C'.
    destruct (Z.eq_dec a 0) as [->|Ha]; [now rewrite Z.mul_0_l|].
    destruct (Z.eq_dec b 0) as [->|Hb]; [now rewrite Z.mul_0_r|].
    exfalso. pose proof (Hgreatest _ Hs Ha) as Hx. rewrite E in Hgreatest.
    assert (Ht' : In (b, (u, v)) (l ++ (a, (x, y)) :: l')).
    { rewrite in_app_iff in *. simpl. tauto. }
    pose proof (Hgreatest _ Ht' Hb) as Hu. cbn [fst snd] in Hx, Hu.
    rewrite E, map_app in Hterms. apply NoDup_remove_2 in Hterms. apply Hterms.
    rewrite <- map_app. apply in_map_iff. exists (b, (u, v)). split; [|exact Ht].
    simpl. f_equal; lia. }
  rewrite E, lsum_app. cbn [lsum].
  rewrite (lsum_0 _ l), (lsum_0 _ l') by (intros t Ht; apply Hother; rewrite in_app_iff; tauto).
  destruct s as (a, (x, y)). unfold product, constant. cbn [fst snd].
  rewrite Z.sub_diag, Z.eqb_refl, andb_true_r, mult_IZR.
  destruct (Z.eqb_spec x 0) as [->|Hx]; [simpl; ring|].
  destruct (Z.eqb_spec (x + x) 0); [lia|ring].
Qed.

Lemma constants_positive t : In t terms -> fst t <> 0%Z -> fst (snd t) = 0%Z ->
  0 < lsum (fun t => IZR (fst t)) (filter constant products).
Proof.
  intros Ht Ha Hx. rewrite <- lsum_filter, lsum_products.
  rewrite (lsum_ext _ _ terms constants_of).
  eapply Rlt_le_trans; [|apply (lsum_ge_term _ terms t); [|exact Ht]]; cbv beta.
  - rewrite Hx, Z.eqb_refl, <- mult_IZR. apply IZR_lt. nia.
  - intros s _. destruct (_ =? _)%Z; [rewrite <- mult_IZR; apply IZR_le; nia|lra].
Qed.

Lemma conjugates_argument t : In t terms -> fst t <> 0%Z -> fst (snd t) = 0%Z ->
  lsum exponential terms <> 0.
Proof.
  intros Ht Ha Hx Hzero.
  pose proof (constants_positive t Ht Ha Hx) as Hpos.
  destruct (lsum_integer (fun t => IZR (fst t)) (filter constant products)) as (c & Hc);
    [intros s _; now exists (fst s)|]. rewrite Hc in Hpos.
  set (rest := filter (fun t => negb (constant t)) products).
  destruct (common_polynomial (map snd rest)) as (g & Hg0 & Hg).
  { intros H. apply in_map_iff in H as (s & E & Hs). apply filter_In in Hs as [_ Hs].
    apply (constant_spec s) in E. now rewrite E in Hs. }
  apply (hermite_argument D (2 * c) g (map (fun t => (2 * IZR (fst t), number (snd t))) rest)).
  - exact HD.
  - apply lt_IZR in Hpos. lia.
  - exact Hg0.
  - intros a b H. apply in_map_iff in H as (s & E & Hs). injection E as <- <-.
    apply Hg, in_map, Hs.
  - intros q. rewrite lsum_map. cbn [fst snd]. apply products_integer.
  - rewrite lsum_map. cbn [fst snd].
    assert (Hall : lsum exponential products = 0).
    { set (C := lsum (fun t => exponential (fst t, conjugate (snd t))) terms).
      rewrite lsum_products, (lsum_ext _ (fun s => C * exponential s)).
      - rewrite lsum_scal, Hzero. ring.
      - intros s _. unfold C. rewrite Rmult_comm, <- lsum_scal.
        apply lsum_ext. intros t' _. apply exponential_product. }
    assert (Hsplit : lsum exponential products
              = lsum (fun t => IZR (fst t)) (filter constant products) + lsum exponential rest).
    { unfold rest. rewrite <- !lsum_filter, <- lsum_plus. apply lsum_ext. intros s _.
      destruct (constant s) eqn:C; simpl; [|ring]. apply constant_spec in C.
      unfold exponential, number. rewrite C. simpl.
      replace ((0 + 0 * sqrt (INR d)) / IZR D) with 0; [rewrite exp_0; ring|].
      unfold Rdiv. ring. }
    rewrite Hsplit, Hc in Hall. rewrite mult_IZR.
    rewrite (lsum_ext _ (fun t => 2 * exponential t)); [rewrite lsum_scal; lra|].
    intros s _. unfold exponential. ring.
Qed.
End Conjugates.
