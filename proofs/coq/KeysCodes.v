(** L5 `keys`, continued: integer codes checked by computation, among them the 240 roots of E8,
    and regular polygons. *)
From Coq Require Import Reals Lra Lia Arith List Bool ZArith.
From KVFloor Require Import Sums Attention Bits Keys KeysInner.
Import ListNotations.
Open Scope R_scope.

(** ** Integer codes, checked by computation *)

Fixpoint zdot (v w : list Z) : Z :=
  match v, w with a :: v', b :: w' => (a * b + zdot v' w')%Z | _, _ => 0%Z end.

(** Every word has squared norm s, and any two have an inner product of at most p. *)
Fixpoint code_ok (s p : Z) (l : list (list Z)) : bool :=
  match l with
  | [] => true
  | v :: l' => ((zdot v v =? s) && forallb (fun w => zdot v w <=? p) l' && code_ok s p l')%Z
  end.

Definition code_key (l : list (list Z)) : matrix := fun j c => IZR (nth c (nth j l []) 0%Z).

Lemma zdot_comm v w : zdot v w = zdot w v.
Proof. revert w; induction v; intros [|b w]; simpl; auto. rewrite IHv. ring. Qed.

Lemma zdot_rsum d v w : (length v <= d)%nat ->
  rsum d (fun c => IZR (nth c v 0%Z) * IZR (nth c w 0%Z)) = IZR (zdot v w).
Proof.
  assert (H0 : forall d (f : nat -> R), rsum d (fun c => 0 * f c) = 0).
  { intros e f. rewrite rsum_scal. ring. }
  revert d w; induction v as [|a v IH]; intros d w Hd.
  - rewrite (rsum_ext d _ (fun c => 0 * IZR (nth c w 0%Z))); [apply H0|].
    intros c _. now destruct c.
  - destruct d as [|d]; [simpl in Hd; lia|]. rewrite rsum_first. destruct w as [|b w].
    + rewrite (rsum_ext d _ (fun c => 0 * IZR (nth c v 0%Z))); [rewrite H0; simpl; ring|].
      intros c _. simpl. ring.
    + simpl nth. rewrite IH by (simpl in Hd; lia). simpl zdot.
      now rewrite plus_IZR, mult_IZR.
Qed.

Lemma code_ok_norm s p l i : code_ok s p l = true -> (i < length l)%nat ->
  zdot (nth i l []) (nth i l []) = s.
Proof.
  revert i; induction l as [|v l IH]; intros i H Hi; [simpl in Hi; lia|]. simpl in H.
  apply andb_true_iff in H as [H H3]. apply andb_true_iff in H as [H1 H2].
  destruct i; [now apply Z.eqb_eq|]. apply IH; [exact H3|simpl in Hi; lia].
Qed.

Lemma code_ok_lt s p l i j : code_ok s p l = true -> (i < j < length l)%nat ->
  (zdot (nth i l []) (nth j l []) <= p)%Z.
Proof.
  revert i j; induction l as [|v l IH]; intros i j H Hij; [simpl in Hij; lia|]. simpl in H.
  apply andb_true_iff in H as [H H3]. apply andb_true_iff in H as [H1 H2].
  destruct j; [lia|]. simpl in Hij. destruct i; simpl nth.
  - rewrite forallb_forall in H2. apply Z.leb_le, H2, nth_In. lia.
  - apply IH; [exact H3|lia].
Qed.

(** A code that passes the check is an address book of margin C (s - p). *)
Theorem keys_integer_code n d C s p l :
  code_ok s p l = true -> (0 <= p)%Z -> (forall v, In v l -> (length v <= d)%nat) ->
  (n <= length l)%nat -> 0 <= C ->
  address_book n d (code_key l) (key_query C (code_key l)) (C * IZR (s - p)).
Proof.
  intros Hok Hp Hlen Hn HC. rewrite minus_IZR.
  assert (Hdot : forall i j, (i < n)%nat -> dot d (code_key l) i j
                             = IZR (zdot (nth i l []) (nth j l []))).
  { intros i j Hi. apply zdot_rsum, Hlen, nth_In. lia. }
  apply keys_inner; [exact HC|now apply IZR_le| |].
  - intros i Hi. rewrite Hdot by exact Hi. f_equal. apply code_ok_norm with p; [exact Hok|lia].
  - intros i j Hi Hj Hne. rewrite Hdot by exact Hi. apply IZR_le.
    destruct (Nat.lt_total i j) as [Hl|[->|Hl]]; [|congruence|].
    + apply code_ok_lt with s; [exact Hok|lia].
    + rewrite zdot_comm. apply code_ok_lt with s; [exact Hok|lia].
Qed.

(** ** E8, scaled by 2 *)

(** Twice ±e_a ± e_b. *)
Definition e8_axes : list (list Z) :=
  flat_map (fun b => flat_map (fun a => map (fun st : Z * Z =>
      map (fun c => if c =? a then fst st else if c =? b then snd st else 0%Z) (seq 0 8))
    [(2, 2); (2, -2); (-2, 2); (-2, -2)]%Z) (seq 0 b)) (seq 0 8).

(** (±1, ..., ±1) with an even number of minus signs. *)
Definition e8_halves : list (list Z) :=
  map (map (fun b : bool => if b then (-1)%Z else 1%Z))
    (filter (fun x => Nat.even (length (filter (fun b => b) x))) (bitstrings 8)).

Definition e8 : list (list Z) := e8_axes ++ e8_halves.

(** The 240 roots of E8 in 8 dimensions have margin 4C. *)
Theorem keys_e8 n d C :
  (n <= 240)%nat -> (8 <= d)%nat -> 0 <= C ->
  address_book n d (code_key e8) (key_query C (code_key e8)) (C * 4).
Proof.
  intros Hn Hd HC. apply (keys_integer_code n d C 8 4); [| lia | | |exact HC].
  - vm_compute; reflexivity.
  - assert (H : forallb (fun v => length v <=? 8) e8 = true) by (vm_compute; reflexivity).
    rewrite forallb_forall in H. intros v Hv. specialize (H v Hv). apply Nat.leb_le in H. lia.
  - replace (length e8) with 240%nat by (vm_compute; reflexivity). exact Hn.
Qed.

(** ** Regular polygons *)

Definition angle (n j : nat) : R := 2 * PI * INR j / INR n.
Definition polygon_key (n : nat) : matrix := fun j c =>
  match c with 0%nat => cos (angle n j) | 1%nat => sin (angle n j) | _ => 0 end.

Lemma polygon_dot n d i j : (2 <= d)%nat ->
  dot d (polygon_key n) i j = cos (angle n i - angle n j).
Proof.
  intros Hd. unfold dot. rewrite rsum_first_two; [simpl; now rewrite cos_minus|exact Hd|].
  intros c Hc. destruct c as [|[|c]]; [lia|lia|simpl; ring].
Qed.

Lemma cos_away (x u : R) : 0 <= u <= PI -> u <= x <= 2 * PI - u -> cos x <= cos u.
Proof.
  intros Hu Hx. destruct (Rle_dec x PI) as [H|H].
  - apply cos_decr_1; lra.
  - replace (cos x) with (cos (2 * PI - x)).
    + apply cos_decr_1; lra.
    + rewrite cos_minus, cos_2PI, sin_2PI. ring.
Qed.

(** n points on the circle have margin ρ (1 - cos (2π/n)). *)
Theorem keys_polygon n d rho :
  (2 <= n)%nat -> (2 <= d)%nat -> 0 <= rho ->
  forall i, (i < n)%nat ->
    margin n (logit d (key_query rho (polygon_key n) i) (polygon_key n)) i
      (rho * (1 - cos (2 * PI / INR n))).
Proof.
  intros Hn Hd Hr i Hi.
  assert (HN : 2 <= INR n) by (apply le_INR in Hn; exact Hn).
  pose proof PI_RGT_0 as Hpi.
  apply keys_inner_margin; [exact Hr| |].
  - rewrite polygon_dot, Rminus_eq_0 by exact Hd. apply cos_0.
  - intros j Hj Hne. rewrite polygon_dot by exact Hd.
    set (u := 2 * PI / INR n).
    assert (Hu : 0 <= u <= PI).
    { unfold u. split; [apply Rlt_le, Rdiv_lt_0_compat; lra|].
      apply (Rmult_le_reg_r (INR n)); [lra|].
      replace (2 * PI / INR n * INR n) with (2 * PI) by (field; lra). nra. }
    assert (Ha : forall k, angle n k = u * INR k) by (intros; unfold angle, u; field; lra).
    assert (HuN : u * INR n = 2 * PI) by (unfold u; field; lra).
    rewrite !Ha. apply lt_INR in Hi as HiR. apply lt_INR in Hj as HjR.
    pose proof (pos_INR i) as Hi0. pose proof (pos_INR j) as Hj0.
    destruct (Nat.lt_total i j) as [L|[L|L]]; [|congruence|].
    + apply le_INR in L. rewrite S_INR in L.
      replace (cos (u * INR i - u * INR j)) with (cos (u * INR j - u * INR i)).
      2: { rewrite <- cos_neg. f_equal. ring. }
      apply cos_away; [exact Hu|]. apply le_INR in Hj. rewrite S_INR in Hj. nra.
    + apply le_INR in L. rewrite S_INR in L.
      apply cos_away; [exact Hu|]. apply le_INR in Hi. rewrite S_INR in Hi. nra.
Qed.
