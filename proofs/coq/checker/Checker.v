(** A checker of certificates, and the proofs that what it accepts is so. *)
From Coq Require Import Reals Lra Lia ZArith QArith Qabs Qreals List Bool.
From KVFloor Require Import Definitions Certificates Numbers OutputBounds.
Import ListNotations.
Open Scope R_scope.

(** ** The checker *)

Definition less (x y : Q) : bool := negb (Qle_bool y x).

(** The guarantee allows no answer [o] to an output between the bounds. *)
Definition too_high (eta alpha o upper : Q) : bool := less (upper + eta * Qabs upper + alpha) o.
Definition too_low (eta alpha o lower : Q) : bool := less o (lower - eta * Qabs lower - alpha).

Definition is_guarantee (eta alpha : Q) : bool :=
  Qle_bool 0 eta && less eta 1 && Qle_bool 0 alpha.

(** Every row of keys is as long as the query, and there is a value for each key in that column. *)
Definition rectangular (d : nat) (t : table) : bool := forallb (fun row => length row =? d)%nat t.
Definition is_instance (x : instance) : bool :=
  forallb (rectangular (length (query x))) (keys x) &&
  match values x with
  | ((row :: _) :: _) as Vs =>
      forallb (rectangular (length row)) Vs && (column x <? length row)%nat
  | _ => false
  end &&
  match keys x with
  | K :: _ => forallb (fun t => length t =? length K)%nat (keys x ++ values x)
  | [] => false
  end.

Definition accepts_output (x : instance) (lower upper : Q) : bool :=
  is_instance x &&
  output_between (map (fun K => seq 0 (length K)) (keys x)) (query x) (keys x) (values x)
    (column x) lower upper.

Definition accepts_violation (x : instance) (eta alpha answer lower upper : Q) : bool :=
  is_guarantee eta alpha && accepts_output x lower upper &&
  (too_high eta alpha answer upper || too_low eta alpha answer lower).

Definition accepts_collision (x : instance) (others : list table)
    (eta alpha lower upper lower' upper' : Q) : bool :=
  is_guarantee eta alpha && accepts_output x lower upper &&
  accepts_output (with_values x others) lower' upper' &&
  (less (upper + eta * Qabs upper + alpha) (lower' - eta * Qabs lower' - alpha)
   || less (upper' + eta * Qabs upper' + alpha) (lower - eta * Qabs lower - alpha)).

Definition accepts_bounded_violation (x : instance) (eta alpha bound answer lower upper : Q)
    : bool :=
  Qeq_bool bound (bound_of (values x)) && Qle_bool 0 alpha &&
  accepts_violation x eta (alpha * bound) answer lower upper.

(** ** Its word is a proof *)

Lemma less_R x y : less x y = true -> Q2R x < Q2R y.
Proof.
  unfold less. intros H. apply Qlt_Rlt, Qnot_le_lt. intros L. apply Qle_bool_iff in L.
  rewrite L in H. discriminate H.
Qed.

Lemma Qabs_R x : Q2R (Qabs x) = Rabs (Q2R x).
Proof.
  apply Qabs_case; intros H; apply Qle_Rle in H; replace (Q2R 0) with 0 in H
    by (unfold Q2R; simpl; ring).
  - rewrite Rabs_pos_eq; lra.
  - rewrite Q2R_opp, Rabs_left1; lra.
Qed.

Lemma guarantee_R eta alpha : is_guarantee eta alpha = true ->
  0 <= Q2R eta < 1 /\ 0 <= Q2R alpha.
Proof.
  unfold is_guarantee. rewrite !andb_true_iff. intros [[E L] A].
  apply Qle_bool_iff, Qle_Rle in E, A. apply less_R in L.
  replace (Q2R 0) with 0 in * by (unfold Q2R; simpl; ring).
  replace (Q2R 1) with 1 in * by (unfold Q2R; simpl; field). lra.
Qed.

Lemma Rabs_between eta x y : 0 <= eta < 1 -> x <= y ->
  x + eta * Rabs x <= y + eta * Rabs y /\ x - eta * Rabs x <= y - eta * Rabs y.
Proof.
  intros E H. unfold Rabs. destruct (Rcase_abs x), (Rcase_abs y); split; nra.
Qed.

(** An accurate answer lies between what the ends of an enclosure of the output allow. *)
Lemma accurate_between eta alpha o lower upper out :
  is_guarantee eta alpha = true -> Q2R lower <= out <= Q2R upper ->
  accurate (Q2R eta) (Q2R alpha) o out ->
  Q2R (lower - eta * Qabs lower - alpha) <= o <= Q2R (upper + eta * Qabs upper + alpha).
Proof.
  intros G [L U] A. apply guarantee_R in G as [E _].
  rewrite Q2R_plus, Q2R_plus, !Q2R_minus, !Q2R_mult, !Qabs_R.
  pose proof (Rabs_between _ _ _ E L) as [_ L']. pose proof (Rabs_between _ _ _ E U) as [U' _].
  unfold accurate in A. pose proof (Rle_abs (o - out)). pose proof (Rle_abs (- (o - out))).
  rewrite Rabs_Ropp in *. lra.
Qed.

Lemma enclosed_between lower upper out :
  enclosed lower upper out -> Q2R lower <= out <= Q2R upper.
Proof. intros [_ [[A B]|[A _]]]; lra. Qed.

Lemma accepts_output_holds x lower upper : accepts_output x lower upper = true ->
  enclosed lower upper (true_output x).
Proof.
  unfold accepts_output. intros H. apply andb_prop in H as [_ H].
  exact (output_between_correct _ _ _ _ _ _ _ H).
Qed.

Lemma accepts_violation_holds x eta alpha answer lower upper :
  accepts_violation x eta alpha answer lower upper = true ->
  violates x eta alpha answer lower upper.
Proof.
  unfold accepts_violation. rewrite !andb_true_iff. intros [[G O] F].
  apply accepts_output_holds in O. split; [exact O|]. intros A.
  apply enclosed_between in O.
  pose proof (accurate_between _ _ _ _ _ _ G O A) as B.
  apply orb_prop in F as [F|F]; apply less_R in F; lra.
Qed.

Lemma accepts_collision_holds x others eta alpha lower upper lower' upper' :
  accepts_collision x others eta alpha lower upper lower' upper' = true ->
  collides x others eta alpha lower upper lower' upper'.
Proof.
  unfold accepts_collision. rewrite !andb_true_iff. intros [[[G O] O'] F].
  apply accepts_output_holds in O, O'.
  split; [exact O|]. split; [exact O'|]. intros o [A A']. apply enclosed_between in O, O'.
  pose proof (accurate_between _ _ _ _ _ _ G O A) as B.
  pose proof (accurate_between _ _ _ _ _ _ G O' A') as B'.
  apply orb_prop in F as [F|F]; apply less_R in F; lra.
Qed.

Lemma accepts_bounded_violation_holds x eta alpha bound answer lower upper :
  accepts_bounded_violation x eta alpha bound answer lower upper = true ->
  violates_bounded x eta alpha bound answer lower upper.
Proof.
  unfold accepts_bounded_violation. rewrite !andb_true_iff. intros [[B A] V].
  split; [now apply Qeq_eqR, Qeq_bool_iff|]. split; [|now apply accepts_violation_holds].
  apply Qle_bool_iff, Qle_Rle in A. replace (Q2R 0) with 0 in A by (unfold Q2R; simpl; ring).
  exact A.
Qed.
