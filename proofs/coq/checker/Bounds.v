(** Products of powers of whole numbers, rounded to a few digits on the way. *)
From Coq Require Import Lia ZArith List.
Import ListNotations.
Open Scope Z_scope.

(** m 2^e for (m, e). *)
Definition value (f : Z * Z) : Z := fst f * 2 ^ snd f.
Definition sound (f : Z * Z) : Prop := 0 <= fst f /\ 0 <= snd f.

(** At most 128 digits are left; rounded down, or up. *)
Definition surplus (m : Z) : Z := Z.max 0 (Z.log2 m - 128).
Definition cut (up : bool) (m e : Z) : Z * Z :=
  let s := surplus m in
  (if up then - Z.shiftr (- m) s else Z.shiftr m s, e + s).

Definition times_float (up : bool) (f g : Z * Z) : Z * Z := cut up (fst f * fst g) (snd f + snd g).

Definition plus_float (up : bool) (f g : Z * Z) : Z * Z :=
  let e := Z.min (snd f) (snd g) in
  cut up (Z.shiftl (fst f) (snd f - e) + Z.shiftl (fst g) (snd g - e)) e.

Fixpoint power_positive (up : bool) (f : Z * Z) (n : positive) : Z * Z :=
  match n with
  | xH => f
  | xO p => let g := power_positive up f p in times_float up g g
  | xI p => let g := power_positive up f p in times_float up f (times_float up g g)
  end.
Definition power (up : bool) (f : Z * Z) (n : Z) : Z * Z :=
  match n with Zpos p => power_positive up f p | _ => (1, 0) end.

(** On the right side of x. *)
Definition bounds (up : bool) (f : Z * Z) (x : Z) : Prop :=
  sound f /\ 0 <= x /\ if up then x <= value f else value f <= x.

Lemma cut_bounds (up : bool) m e x : 0 <= m -> 0 <= e -> 0 <= x ->
  (if up then x <= m * 2 ^ e else m * 2 ^ e <= x) -> bounds up (cut up m e) x.
Proof.
  intros Hm He Hx H. unfold cut, bounds, sound, value. cbn [fst snd].
  assert (Hs : 0 <= surplus m) by (unfold surplus; lia).
  set (s := surplus m) in *. rewrite !Z.shiftr_div_pow2 by exact Hs.
  assert (P : 0 < 2 ^ s) by now apply Z.pow_pos_nonneg.
  assert (Pe : 0 < 2 ^ e) by now apply Z.pow_pos_nonneg.
  pose proof (Z.mul_div_le m (2 ^ s) P) as L. pose proof (Z.mul_div_le (- m) (2 ^ s) P) as U.
  assert (D : 0 <= m / 2 ^ s) by now apply Z.div_pos.
  rewrite Z.pow_add_r by assumption. destruct up; repeat split; try lia.
  - eapply Z.le_trans; [exact H|].
    replace (- (- m / 2 ^ s) * (2 ^ e * 2 ^ s)) with (2 ^ e * - (2 ^ s * (- m / 2 ^ s))) by ring.
    rewrite (Z.mul_comm m). apply Z.mul_le_mono_nonneg_l; lia.
  - eapply Z.le_trans; [|exact H].
    replace (m / 2 ^ s * (2 ^ e * 2 ^ s)) with (2 ^ s * (m / 2 ^ s) * 2 ^ e) by ring.
    apply Z.mul_le_mono_nonneg_r; lia.
Qed.

Lemma times_bounds up f g x y : bounds up f x -> bounds up g y ->
  bounds up (times_float up f g) (x * y).
Proof.
  intros ([F1 F2] & X & HF) ([G1 G2] & Y & HG). apply cut_bounds; try lia; try nia.
  unfold value in *. rewrite Z.pow_add_r by assumption.
  assert (Pf : 0 < 2 ^ snd f) by now apply Z.pow_pos_nonneg.
  assert (Pg : 0 < 2 ^ snd g) by now apply Z.pow_pos_nonneg.
  replace (fst f * fst g * (2 ^ snd f * 2 ^ snd g))
    with ((fst f * 2 ^ snd f) * (fst g * 2 ^ snd g)) by ring.
  destruct up; apply Z.mul_le_mono_nonneg; try assumption; nia.
Qed.

Lemma plus_bounds up f g x y : bounds up f x -> bounds up g y ->
  bounds up (plus_float up f g) (x + y).
Proof.
  intros ([F1 F2] & X & HF) ([G1 G2] & Y & HG). unfold plus_float.
  assert (M : 0 <= Z.min (snd f) (snd g)) by lia.
  assert (Mf : Z.min (snd f) (snd g) <= snd f) by lia.
  assert (Mg : Z.min (snd f) (snd g) <= snd g) by lia.
  set (e := Z.min (snd f) (snd g)) in *. clearbody e. rewrite !Z.shiftl_mul_pow2 by lia.
  unfold value in *.
  replace (snd f) with (snd f - e + e) in HF by lia.
  replace (snd g) with (snd g - e + e) in HG by lia. rewrite Z.pow_add_r in HF, HG by lia.
  pose proof (Z.pow_pos_nonneg 2 (snd f - e) ltac:(lia) ltac:(lia)).
  pose proof (Z.pow_pos_nonneg 2 (snd g - e) ltac:(lia) ltac:(lia)).
  apply cut_bounds; try lia; try nia.
  rewrite Z.mul_add_distr_r, <- !Z.mul_assoc. destruct up; lia.
Qed.

Lemma power_positive_bounds up f x n : bounds up f x ->
  bounds up (power_positive up f n) (x ^ Zpos n).
Proof.
  intros H. induction n as [p IH|p IH|]; cbn [power_positive].
  - replace (x ^ Zpos p~1) with (x * (x ^ Zpos p * x ^ Zpos p)).
    + now repeat apply times_bounds.
    + rewrite <- Z.pow_add_r, <- Z.pow_succ_r by lia. f_equal. lia.
  - replace (x ^ Zpos p~0) with (x ^ Zpos p * x ^ Zpos p).
    + now apply times_bounds.
    + rewrite <- Z.pow_add_r by lia. f_equal. lia.
  - now rewrite Z.pow_1_r.
Qed.

Lemma one_bounds up : bounds up (1, 0) 1.
Proof. unfold bounds, sound, value. cbn. destruct up; lia. Qed.

Lemma exact_bounds up x : 0 <= x -> bounds up (x, 0) x.
Proof. intros H. unfold bounds, sound, value. cbn [fst snd]. destruct up; lia. Qed.

Lemma power_bounds up f x n : 0 <= n -> bounds up f x -> bounds up (power up f n) (x ^ n).
Proof.
  intros Hn H. destruct n as [|n|n]; [apply one_bounds|now apply power_positive_bounds|lia].
Qed.

(** f x_1 ... f x_k *)
Definition product_of {A} (f : A -> Z) (l : list A) : Z := fold_right (fun x p => f x * p) 1 l.
Definition product_float {A} (up : bool) (f : A -> Z * Z) (l : list A) : Z * Z :=
  fold_right (fun x p => times_float up (f x) p) (1, 0) l.

Lemma product_bounds {A} up (f : A -> Z * Z) (g : A -> Z) l :
  (forall x, In x l -> bounds up (f x) (g x)) ->
  bounds up (product_float up f l) (product_of g l).
Proof.
  induction l as [|x l IH]; intros H; [apply one_bounds|].
  apply times_bounds; [apply H; now left|apply IH; intros; apply H; now right].
Qed.

(** x 2^n < y for two floats. *)
Definition below (x : Z * Z) (n : Z) (y : Z * Z) : bool :=
  let e := snd x + n in
  let least := Z.min e (snd y) in
  Z.shiftl (fst x) (e - least) <? Z.shiftl (fst y) (snd y - least).

Lemma below_correct x n y : sound x -> sound y -> 0 <= n ->
  below x n y = true <-> value x * 2 ^ n < value y.
Proof.
  intros [X0 X1] [Y0 Y1] Hn. unfold below. rewrite Z.ltb_lt.
  assert (M : 0 <= Z.min (snd x + n) (snd y) <= snd x + n) by lia.
  assert (M' : Z.min (snd x + n) (snd y) <= snd y) by lia.
  set (m := Z.min (snd x + n) (snd y)) in *. clearbody m.
  assert (Ex : value x * 2 ^ n = fst x * 2 ^ (snd x + n - m) * 2 ^ m).
  { unfold value. rewrite <- !Z.mul_assoc, <- !Z.pow_add_r by lia. do 2 f_equal. lia. }
  assert (Ey : value y = fst y * 2 ^ (snd y - m) * 2 ^ m).
  { unfold value. rewrite <- Z.mul_assoc, <- Z.pow_add_r by lia. do 2 f_equal. lia. }
  rewrite !Z.shiftl_mul_pow2, Ex, Ey by lia.
  apply Z.mul_lt_mono_pos_r. now apply Z.pow_pos_nonneg.
Qed.

(** Above u^n, v^n, and their difference over u - v. *)
Fixpoint geometric (u v : Z) (n : positive) : Z * Z * (Z * Z) * (Z * Z) :=
  let double p :=
    let '(U, V, T) := geometric u v p in
    (times_float true U U, times_float true V V, times_float true T (plus_float true U V)) in
  match n with
  | xH => (u, 0, (v, 0), (1, 0))
  | xO p => double p
  | xI p =>
      let '(U, V, T) := double p in
      (times_float true (u, 0) U, times_float true (v, 0) V,
       plus_float true (times_float true (u, 0) T) V)
  end.

Lemma geometric_bounds u v n : 0 <= v -> 0 <= u ->
  let '(U, V, T) := geometric u v n in
  bounds true U (u ^ Zpos n) /\ bounds true V (v ^ Zpos n) /\
  exists t, bounds true T t /\ t * (u - v) = u ^ Zpos n - v ^ Zpos n.
Proof.
  intros Hv Hu. induction n as [p IH|p IH|]; cbn [geometric].
  - destruct (geometric u v p) as [[U V] T]. destruct IH as (HU & HV & t & HT & E).
    replace (Zpos p~1) with (1 + (Zpos p + Zpos p)) by lia. rewrite !Z.pow_add_r, !Z.pow_1_r by lia.
    pose proof (exact_bounds true u Hu). pose proof (exact_bounds true v Hv).
    split; [now repeat apply times_bounds|]. split; [now repeat apply times_bounds|].
    exists (u * (t * (u ^ Zpos p + v ^ Zpos p)) + v ^ Zpos p * v ^ Zpos p).
    split; [|nia]. apply plus_bounds; repeat apply times_bounds; try assumption.
    now apply plus_bounds.
  - destruct (geometric u v p) as [[U V] T]. destruct IH as (HU & HV & t & HT & E).
    replace (Zpos p~0) with (Zpos p + Zpos p) by lia. rewrite !Z.pow_add_r by lia.
    split; [now apply times_bounds|]. split; [now apply times_bounds|].
    exists (t * (u ^ Zpos p + v ^ Zpos p)).
    split; [apply times_bounds; [exact HT|now apply plus_bounds]|nia].
  - rewrite !Z.pow_1_r. split; [now apply exact_bounds|]. split; [now apply exact_bounds|].
    exists 1. split; [apply one_bounds|ring].
Qed.
