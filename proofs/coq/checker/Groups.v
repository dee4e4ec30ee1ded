(** Sums of exponentials with whole coefficients, those of one logit together, and their sign. *)
From Coq Require Import Reals Lra Lia ZArith QArith Qreals List Bool.
From KVFloor Require Import Sums Tuples.
From KVFloor Require Import Exponential.
Import ListNotations.
Open Scope R_scope.

(** ** Tuples of one logit together *)

(** How far below the largest logit, how many tuples, and the sum of their values. *)
Definition group := (Z * Z * Z)%type.

Inductive tree := Leaf | Node (less : tree) (g : group) (more : tree).

Fixpoint insert (a v : Z) (t : tree) : tree :=
  match t with
  | Leaf => Node Leaf (a, 1, v)%Z Leaf
  | Node less (a', k, s) more =>
      match (a ?= a')%Z with
      | Lt => Node (insert a v less) (a', k, s) more
      | Eq => Node less (a', k + 1, s + v)%Z more
      | Gt => Node less (a', k, s) (insert a v more)
      end
  end.

Fixpoint flatten (t : tree) (rest : list group) : list group :=
  match t with
  | Leaf => rest
  | Node less g more => flatten less (g :: flatten more rest)
  end.

Definition grouped (l : list (Z * Z)) : list group :=
  flatten (fold_left (fun t e => insert (fst e) (snd e) t) l Leaf) [].

(** What a group adds to the sum of e (x v - y). *)
Definition part (x y : Z) (g : group) : Z := let '(_, k, s) := g in (x * s - y * k)%Z.
Definition distance (g : group) : Z := fst (fst g).
Definition linear (e : Z -> R) (x y : Z) (l : list group) : R :=
  lsum (fun g => e (distance g) * IZR (part x y g)) l.

Lemma flatten_rest e x y z t : forall rest rest',
  linear e x y rest = linear e x y rest' + z ->
  linear e x y (flatten t rest) = linear e x y (flatten t rest') + z.
Proof.
  unfold linear. induction t as [|less IHl g more IHm]; intros rest rest' H; [exact H|].
  cbn [flatten]. apply IHl. cbn [lsum]. rewrite (IHm rest rest' H). ring.
Qed.

Lemma flatten_insert e x y a v t : forall rest,
  linear e x y (flatten (insert a v t) rest)
  = linear e x y (flatten t rest) + e a * IZR (x * v - y).
Proof.
  induction t as [|less IHl [[a' k] s] more IHm]; intros rest.
  - unfold linear. cbn. rewrite Z.mul_1_r. ring.
  - cbn [insert]. destruct (Z.compare_spec a a') as [->|H|H]; cbn [flatten].
    + apply flatten_rest. unfold linear, distance, part. cbn [lsum fst].
      replace (x * (s + v) - y * (k + 1))%Z with ((x * s - y * k) + (x * v - y))%Z by ring.
      rewrite plus_IZR. ring.
    + apply IHl.
    + apply flatten_rest. specialize (IHm rest). unfold linear in *. cbn [lsum]. rewrite IHm. ring.
Qed.

Lemma grouped_linear e x y l :
  linear e x y (grouped l) = lsum (fun p => e (fst p) * IZR (x * snd p - y)) l.
Proof.
  unfold grouped.
  enough (H : forall t,
    linear e x y (flatten (fold_left (fun t p => insert (fst p) (snd p) t) l t) [])
    = linear e x y (flatten t []) + lsum (fun p => e (fst p) * IZR (x * snd p - y)) l)
    by (rewrite H; unfold linear; simpl; ring).
  induction l as [|p l IH]; intros t; cbn [fold_left lsum]; [ring|].
  rewrite IH, flatten_insert. ring.
Qed.

(** ** Its sign, from enclosures of the exponentials *)

(** A group with its exponential between two multiples of 2^-w. *)
Definition enclosed_group := (Z * Z * group)%type.

Definition least_part (x y : Z) (g : enclosed_group) : Z :=
  let '(l, h, g) := g in let p := part x y g in if (0 <=? p)%Z then (p * l)%Z else (p * h)%Z.
Definition least (x y : Z) (l : list enclosed_group) : Z :=
  fold_right (fun g s => (least_part x y g + s)%Z) 0%Z l.

Definition enclose (w b : Z) (g : group) : enclosed_group :=
  (exponential w 1 (distance g) b, g).

Lemma least_linear w b x y l : (0 <= w)%Z -> (0 < b)%Z ->
  (forall g, In g l -> (0 <= distance g)%Z) ->
  IZR (least x y (map (enclose w b) l))
  <= linear (fun a => exp (- (IZR a / IZR b))) x y l * IZR (one w).
Proof.
  intros Hw Hb. unfold linear. induction l as [|g l IH]; intros H; simpl; [lra|].
  rewrite plus_IZR, Rmult_plus_distr_r.
  apply Rplus_le_compat; [|apply IH; intros; apply H; now right].
  pose proof (exponential_between w Hw 1 (distance g) b (H g (or_introl eq_refl)) Hb) as E.
  unfold enclose, least_part. destruct (exponential w 1 (distance g) b) as [lo hi].
  destruct (E ltac:(lia)) as (_ & L & U). rewrite sqrt_1, Rmult_1_r in L, U.
  set (e := exp (- (IZR (distance g) / IZR b))) in *.
  replace (e * IZR (part x y g) * IZR (one w)) with (IZR (part x y g) * (e * IZR (one w))) by ring.
  destruct (Z.leb_spec 0 (part x y g)) as [P|P]; rewrite mult_IZR.
  - apply IZR_le in P. nra.
  - apply IZR_lt in P. nra.
Qed.

(** Groups whose mean is r say nothing of the side of r on which the output lies; the others are
    counted from the nearest of them, or weights far below 2^-w could not tell. *)
Definition telling (V : Z) (r : Q) (l : list group) : list group :=
  filter (fun g => negb (part (Zpos (Qden r)) (Qnum r * V) g =? 0)%Z) l.
Definition nearest (l : list group) : Z :=
  fold_right (fun g m => Z.min (distance g) m)
    (match l with g :: _ => distance g | [] => 0%Z end) l.
Definition nearer (l : list group) : list group :=
  let m := nearest l in map (fun '(a, k, s) => (a - m, k, s)%Z) l.

(** [e] are the enclosures of all groups, which will do if all of them tell. *)
Definition enclosures (w b V : Z) (l : list group) (e : list enclosed_group) (r : Q)
    : list enclosed_group :=
  let t := telling V r l in
  if (length t =? length l)%nat then e else map (enclose w b) (nearer t).

Lemma telling_linear e k V r l :
  linear e (k * Zpos (Qden r)) (k * (Qnum r * V)) (telling V r l)
  = linear e (k * Zpos (Qden r)) (k * (Qnum r * V)) l.
Proof.
  unfold linear, telling. induction l as [|g l IH]; [reflexivity|]. cbn [filter lsum].
  destruct (Z.eqb_spec (part (Zpos (Qden r)) (Qnum r * V) g) 0) as [E|_]; cbn [negb lsum].
  - rewrite IH. replace (part (k * _) _ g) with 0%Z; [ring|].
    destruct g as [[a n] s]. unfold part in *.
    replace (k * Zpos (Qden r) * s - k * (Qnum r * V) * n)%Z
      with (k * (Zpos (Qden r) * s - Qnum r * V * n))%Z by ring.
    rewrite E. ring.
  - now rewrite IH.
Qed.

Lemma nearest_below l g : In g l -> (nearest l <= distance g)%Z.
Proof.
  unfold nearest. generalize (match l with g :: _ => distance g | [] => 0%Z end). intros m.
  induction l as [|g' l IH]; intros []; simpl; [subst; lia|]. specialize (IH H). lia.
Qed.

Lemma nearer_linear b x y l : exists c, 0 < c /\
  linear (fun a => exp (- (IZR a / b))) x y (nearer l) * c
  = linear (fun a => exp (- (IZR a / b))) x y l.
Proof.
  exists (exp (- (IZR (nearest l) / b))). split; [apply exp_pos|]. unfold nearer, linear.
  set (m := nearest l). rewrite lsum_map, <- lsum_scal_r. apply lsum_ext. intros [[a k] s] _.
  unfold distance. cbn [fst part]. rewrite Rmult_assoc, (Rmult_comm (IZR _)), <- Rmult_assoc,
    <- exp_plus. do 2 f_equal. rewrite minus_IZR. unfold Rdiv. ring.
Qed.

Lemma enclosures_sign w b V k r l : (0 <= w)%Z -> (0 < b)%Z ->
  (forall g, In g l -> (0 <= distance g)%Z) ->
  let x := (k * Zpos (Qden r))%Z in let y := (k * (Qnum r * V))%Z in
  (0 < least x y (enclosures w b V l (map (enclose w b) l) r))%Z ->
  0 < linear (fun a => exp (- (IZR a / IZR b))) x y l.
Proof.
  intros Hw Hb Hl x y H. pose proof (one_pos w Hw) as P. unfold enclosures in H.
  destruct (_ =? _)%nat; apply IZR_lt in H.
  - pose proof (least_linear w b x y l Hw Hb Hl). apply Rmult_lt_reg_r with (IZR (one w)); lra.
  - assert (Hn : forall g, In g (nearer (telling V r l)) -> (0 <= distance g)%Z).
    { intros g Hg. apply in_map_iff in Hg as ([[a n] s] & <- & Hg).
      apply nearest_below in Hg. unfold distance in *. cbn [fst] in *. lia. }
    pose proof (least_linear w b x y _ Hw Hb Hn) as L.
    unfold x, y. rewrite <- (telling_linear _ k V r l). fold x y.
    destruct (nearer_linear (IZR b) x y (telling V r l)) as (c & Pc & <-).
    apply Rmult_lt_0_compat; [|exact Pc]. apply Rmult_lt_reg_r with (IZR (one w)); lra.
Qed.
