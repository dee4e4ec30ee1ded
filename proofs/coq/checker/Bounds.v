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
  (Z.shiftr m s + (if up then if s =? 0 then 0 else 1 else 0), e + s).

Definition times_float (up : bool) (f g : Z * Z) : Z * Z := cut up (fst f * fst g) (snd f + snd g).

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
  set (s := surplus m) in *. rewrite Z.shiftr_div_pow2 by exact Hs.
  assert (P : 0 < 2 ^ s) by now apply Z.pow_pos_nonneg.
  assert (Pe : 0 < 2 ^ e) by now apply Z.pow_pos_nonneg.
  pose proof (Z.mul_div_le m (2 ^ s) P) as L. pose proof (Z.mul_succ_div_gt m (2 ^ s) P) as U.
  assert (D : 0 <= m / 2 ^ s) by now apply Z.div_pos.
  rewrite Z.pow_add_r by assumption.
  destruct up; [destruct (Z.eqb_spec s 0) as [E|_]|]; repeat split; try lia.
  - rewrite E, Z.pow_0_r, Z.div_1_r. lia.
  - eapply Z.le_trans; [exact H|]. rewrite Z.mul_comm.
    replace ((m / 2 ^ s + 1) * (2 ^ e * 2 ^ s)) with (2 ^ e * (2 ^ s * Z.succ (m / 2 ^ s))) by lia.
    apply Z.mul_le_mono_nonneg_l; lia.
  - eapply Z.le_trans; [|exact H].
    replace ((m / 2 ^ s + 0) * (2 ^ e * 2 ^ s)) with (2 ^ s * (m / 2 ^ s) * 2 ^ e) by ring.
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
