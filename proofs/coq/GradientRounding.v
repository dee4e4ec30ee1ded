(** E5 `gradient-rounding`: a gradient is the mean of a value over pairs of tuples, so E1 decides
    whether it is a given rational, there is one rational to ask for, and E2 rounds it. *)
From Coq Require Import Reals ZArith Lra Lia Arith List.
From KVFloor Require Import Sums Attention ExponentialsIndependent ExactEquality
  CorrectRoundingTerminates RowGradients Outputs.
Import ListNotations.
Open Scope R_scope.

(** Σ p (u - k D): what one query gives a gradient, for tuples of weights p whose values under the
    cotangent have the mean D = Σ p a. *)
Definition query_share (n : nat) (s u k a : nat -> R) : R :=
  output n s (fun j => u j - k j * output n s a).

(** Logit and value of the pair that has the number t. *)
Definition pair_logit (n : nat) (s : nat -> R) (t : nat) : R := s (t / n)%nat + s (t mod n)%nat.
Definition pair_value (n : nat) (u k a : nat -> R) (t : nat) : R :=
  u (t / n)%nat - k (t / n)%nat * a (t mod n)%nat.

(** Outcomes with logits and values: how many there are, s and v; their mean; what E1 asks of
    them. *)
Definition outcomes : Type := (nat * (nat -> R) * (nat -> R))%type.
Definition mean_of (x : outcomes) : R := let '(n, s, v) := x in output n s v.
Definition rational_outcomes (d e : nat) (x : outcomes) : Prop :=
  let '(n, s, v) := x in
  (1 <= n)%nat /\ forall j, (j < n)%nat -> with_roots d e (s j) /\ rational (v j).

(** The pairs of tuples of one query. *)
Definition pairs_of (n : nat) (s u k a : nat -> R) : outcomes :=
  ((n * n)%nat, pair_logit n s, pair_value n u k a).

(** A share is the mean of u_i - k_i a_j over pairs of tuples. *)
Lemma share_of_pairs n s u k a : (1 <= n)%nat ->
  query_share n s u k a = output (n * n) (pair_logit n s) (pair_value n u k a).
Proof.
  intros Hn. unfold pair_logit, pair_value.
  rewrite (output_of_two n s n s (fun i j => u i - k i * a j)) by exact Hn.
  apply output_ext. intros i _. symmetry.
  transitivity (output n s (fun _ => u i) + output n s (fun j => - k i * a j)).
  - rewrite <- output_plus. apply output_ext. intros; ring.
  - rewrite output_const, output_scal by exact Hn. ring.
Qed.

(** What has twice the largest logit is made of tuples that have it. *)
Lemma group_top n s (top : nat) (f : nat -> nat -> R) : (top < n)%nat ->
  (forall j, (j < n)%nat -> s j <= s top) ->
  group (n * n) (pair_logit n s) (fun t => f (t / n)%nat (t mod n)%nat) (s top + s top)
  = group n s (fun i => group n s (f i) (s top)) (s top).
Proof.
  intros Htop Hmax. unfold group, pair_logit.
  rewrite <- (rsum_flatten n n (fun i j =>
    if Req_EM_T (s i + s j) (s top + s top) then f i j else 0)).
  apply rsum_ext. intros i Hi. pose proof (Hmax i Hi).
  destruct (Req_EM_T (s i) (s top)) as [E|E].
  - apply rsum_ext. intros j _.
    destruct (Req_EM_T (s i + s j) (s top + s top)), (Req_EM_T (s j) (s top)); lra.
  - rewrite (rsum_ext n _ (fun _ => 0)); [rewrite rsum_const; ring|].
    intros j Hj. specialize (Hmax j Hj).
    destruct (Req_EM_T (s i + s j) (s top + s top)); [exfalso|reflexivity]. apply E. lra.
Qed.

Lemma group_plus n s f g t : group n s (fun j => f j + g j) t = group n s f t + group n s g t.
Proof.
  unfold group. rewrite <- rsum_plus. apply rsum_ext. intros j _. destruct (Req_EM_T (s j) t); ring.
Qed.

Lemma group_scal n s x f t : group n s (fun j => x * f j) t = x * group n s f t.
Proof.
  unfold group. rewrite <- rsum_scal. apply rsum_ext. intros j _. destruct (Req_EM_T (s j) t); ring.
Qed.

Lemma group_ext n s f g t : (forall j, f j = g j) -> group n s f t = group n s g t.
Proof. intros H. unfold group. apply rsum_ext. intros j _. now rewrite H. Qed.

(** Such pairs of tuples add up to a product. *)
Lemma group_product n s f g t :
  group n s (fun i => group n s (fun j => f i * g j) t) t = group n s f t * group n s g t.
Proof.
  rewrite (group_ext n s _ (fun i => group n s g t * f i)).
  - rewrite group_scal. ring.
  - intros i. rewrite group_scal. ring.
Qed.

Lemma multiplicity_of_one n s i : (i < n)%nat -> 1 <= multiplicity n s (s i).
Proof.
  intros Hi. unfold multiplicity, group. rewrite (rsum_split n i) by exact Hi.
  destruct (Req_EM_T (s i) (s i)) as [_|]; [|congruence].
  assert (0 <= rsum n (fun j => if j =? i then 0
            else if Req_EM_T (s j) (s i) then 1 else 0)); [|lra].
  apply rsum_nonneg. intros j _. destruct (j =? i)%nat; [lra|].
  destruct (Req_EM_T (s j) (s i)); lra.
Qed.

Lemma multiplicity_of_pairs n s top : (top < n)%nat ->
  (forall j, (j < n)%nat -> s j <= s top) ->
  multiplicity (n * n) (pair_logit n s) (s top + s top)
  = multiplicity n s (s top) * multiplicity n s (s top).
Proof.
  intros Htop Hmax. unfold multiplicity. rewrite (group_top n s top (fun _ _ => 1)) by assumption.
  rewrite <- (group_product n s). apply group_ext. intros i. apply group_ext. intros; ring.
Qed.

Lemma pair_logit_twice n s i : (i < n)%nat ->
  (i * n + i < n * n)%nat /\ pair_logit n s (i * n + i) = s i + s i.
Proof.
  intros Hi. split; [nia|]. unfold pair_logit.
  rewrite Nat.div_add_l, Nat.div_small, Nat.add_0_r by lia.
  now rewrite Nat.add_comm, Nat.mod_add, Nat.mod_small by lia.
Qed.

Section OneQuery.
Variables (d e n : nat) (s u k a : nat -> R).
Hypothesis Hn : (1 <= n)%nat.
Hypothesis Hin : forall j, (j < n)%nat ->
  with_roots d e (s j) /\ rational (u j) /\ rational (k j) /\ rational (a j).

Lemma pairs_rational t : (t < n * n)%nat ->
  with_roots d e (pair_logit n s t) /\ rational (pair_value n u k a t).
Proof.
  intros Ht. destruct (pair_place n n t Ht) as [H1 H2].
  destruct (Hin _ H1) as (A & B & C & _). destruct (Hin _ H2) as (A' & _ & _ & D).
  split; [now apply with_roots_plus|]. apply (ring_minus _ rational_ring); [exact B|].
  now apply rational_times.
Qed.

Theorem gradient_rounding_pairs :
  rational_outcomes d e (pairs_of n s u k a) /\
  query_share n s u k a = mean_of (pairs_of n s u k a).
Proof. split; [split; [nia|exact pairs_rational]|now apply share_of_pairs]. Qed.

(** E5: a share is r just if for every sum of two logits the values of the pairs, less r, add up
    to 0. *)
Theorem gradient_rounding r : rational r ->
  query_share n s u k a = r <->
  (forall t, (t < n * n)%nat ->
     group (n * n) (pair_logit n s) (pair_value n u k a) (pair_logit n s t)
     = r * multiplicity (n * n) (pair_logit n s) (pair_logit n s t)).
Proof.
  intros Hr. rewrite share_of_pairs by exact Hn.
  apply (exact_equality d e); [nia|exact pairs_rational|exact Hr].
Qed.
End OneQuery.

(** There is one rational to ask for: (U m - K A) / m², of the tuples with the largest logit. *)
Theorem gradient_rounding_candidate d e n s u k a (top : nat) r :
  (forall j, (j < n)%nat ->
     with_roots d e (s j) /\ rational (u j) /\ rational (k j) /\ rational (a j)) ->
  (top < n)%nat ->
  (forall j, (j < n)%nat -> s j <= s top) -> rational r -> query_share n s u k a = r ->
  let of f := group n s f (s top) in
  let m := multiplicity n s (s top) in
  r = (of u * m - of k * of a) / (m * m).
Proof.
  intros Hin Htop Hmax Hr Heq of m.
  pose proof (multiplicity_of_one n s top Htop) as Hm. fold m in Hm.
  destruct (pair_logit_twice n s top Htop) as [Hlt Etop].
  pose proof (proj1 (gradient_rounding d e n s u k a ltac:(lia) Hin r Hr) Heq _ Hlt) as H.
  rewrite Etop, multiplicity_of_pairs in H by assumption. fold m in H.
  unfold pair_value in H.
  rewrite (group_top n s top (fun i j => u i - k i * a j)) in H by assumption.
  rewrite (group_ext n s _ (fun i => group n s (fun j => u i * 1) (s top)
    + -1 * group n s (fun j => k i * a j) (s top))) in H.
  - rewrite group_plus, group_scal, !group_product in H. unfold of. unfold m in *.
    fold (multiplicity n s (s top)) in H.
    replace (group n s u (s top) * multiplicity n s (s top)
      - group n s k (s top) * group n s a (s top))
      with (r * (multiplicity n s (s top) * multiplicity n s (s top))) by lra.
    field. lra.
  - intros i. rewrite <- group_scal, <- group_plus. apply group_ext. intros; ring.
Qed.

(** ** Sums over queries *)

(** All pairs of outcomes; their logits and values add up. *)
Definition joined (x y : outcomes) : outcomes :=
  let '(n, s, v) := x in let '(n', s', v') := y in
  ((n * n')%nat, (fun t => s (t / n')%nat + s' (t mod n')%nat),
   (fun t => v (t / n')%nat + v' (t mod n')%nat)).
Definition nothing : outcomes := (1%nat, (fun _ => 0), (fun _ => 0)).
Definition all_joined : list outcomes -> outcomes := fold_right joined nothing.

Lemma joined_rational d e x y :
  rational_outcomes d e x -> rational_outcomes d e y -> rational_outcomes d e (joined x y).
Proof.
  destruct x as [[n s] v], y as [[n' s'] v']. intros [Hn H] [Hn' H']. split; [nia|].
  intros t Ht. destruct (pair_place n n' t Ht) as [H1 H2].
  destruct (H _ H1), (H' _ H2). split; [now apply with_roots_plus|now apply rational_plus].
Qed.

Lemma joined_mean d e x y : rational_outcomes d e x -> rational_outcomes d e y ->
  mean_of (joined x y) = mean_of x + mean_of y.
Proof.
  destruct x as [[n s] v], y as [[n' s'] v']. intros [Hn _] [Hn' _]. simpl.
  rewrite (output_of_two n s n' s' (fun i j => v i + v' j)) by assumption.
  transitivity (output n s (fun i => v i + output n' s' v')).
  - apply output_ext. intros i _. now rewrite output_plus, output_const.
  - now rewrite output_plus, output_const.
Qed.

(** A sum of means over one outcome of each is a mean over all that is joined, so E1 and E2 apply
    to it. *)
Theorem gradient_rounding_queries d e (queries : list outcomes) :
  (forall x, In x queries -> rational_outcomes d e x) ->
  rational_outcomes d e (all_joined queries) /\
  lsum mean_of queries = mean_of (all_joined queries).
Proof.
  induction queries as [|x rest IH]; intros H.
  - split; [|simpl; now rewrite output_const]. split; [lia|]. intros j _. split.
    + exists 0, 0. repeat split; [exact (rational_integer 0)..|ring].
    + exact (rational_integer 0).
  - destruct IH as [H1 H2]; [intros y Hy; apply H; now right|].
    pose proof (H x (or_introl eq_refl)) as Hx. split.
    + now apply joined_rational.
    + simpl lsum. rewrite H2. symmetry. now apply (joined_mean d e).
Qed.

(** So either the search for a boundary ends, or the gradient is one, which finitely many sums
    tell. *)
Theorem gradient_rounding_terminates d e (queries : list outcomes) n s v (boundaries : list R)
    lo hi :
  (forall x, In x queries -> rational_outcomes d e x) -> all_joined queries = (n, s, v) ->
  (forall r, In r boundaries -> rational r) ->
  encloses lo hi (lsum mean_of queries) ->
  (exists r, In r boundaries /\ lsum mean_of queries = r /\
     forall j, (j < n)%nat -> group n s v (s j) = r * multiplicity n s (s j)) \/
  ((forall r, In r boundaries ->
      exists j, (j < n)%nat /\ group n s v (s j) <> r * multiplicity n s (s j)) /\
   exists p0, forall p, (p0 <= p)%nat -> forall r, In r boundaries -> r < lo p \/ hi p < r).
Proof.
  intros H E HB. destruct (gradient_rounding_queries d e queries H) as [Hall ->].
  rewrite E in *. destruct Hall as [Hn Hin].
  now apply (correct_rounding_terminates_output d e n s v boundaries lo hi).
Qed.

(** ** The scale 1/√d *)

Lemma rational_inverse x : rational x -> x <> 0 -> rational (/ x).
Proof.
  intros (a & b & Hb & ->) H. apply IZR_lt in Hb as Hb'.
  assert (Ha : IZR a <> 0) by (intros E; apply H; rewrite E; field; lra).
  assert (Hne : a <> 0%Z) by (intros ->; now apply Ha).
  exists (Z.sgn a * b)%Z, (Z.abs a). split; [lia|].
  rewrite mult_IZR. destruct (Z.lt_trichotomy a 0) as [Hs|[Hs|Hs]]; [|lia|].
  - rewrite Z.sgn_neg, Z.abs_neq, opp_IZR by lia. field. lra.
  - rewrite Z.sgn_pos, Z.abs_eq by lia. field. lra.
Qed.

(** With the scale 1/√D, for a D that is no square, a gradient is no rational but 0. *)
Theorem gradient_rounding_scale d e (queries : list outcomes) D :
  (forall x, In x queries -> rational_outcomes d e x) ->
  (forall x, rational x -> x * x <> INR D) ->
  rational (lsum mean_of queries / sqrt (INR D)) -> lsum mean_of queries = 0.
Proof.
  intros H HD Hr. destruct (gradient_rounding_queries d e queries H) as [Hall Hsum].
  rewrite Hsum in *. destruct (all_joined queries) as [[n s] v]. destruct Hall as [Hn Hin].
  simpl in *. set (y := output n s v) in *.
  destruct (Req_EM_T y 0) as [|Hy]; [assumption|exfalso].
  assert (HD0 : 0 < INR D).
  { pose proof (pos_INR D). pose proof (HD 0 (rational_integer 0)). lra. }
  pose proof (sqrt_lt_R0 _ HD0) as Hroot. set (r := y / sqrt (INR D)) in *.
  assert (Er : r * r * INR D = y * y).
  { unfold r. rewrite <- (sqrt_sqrt (INR D)) at 3 by lra. field. lra. }
  assert (Hr0 : r <> 0) by (intros E; rewrite E in Er; nra).
  (* the pair of two tuples with the largest logit *)
  assert (Hsq : output (n * n) (pair_logit n s) (fun t => v (t / n)%nat * v (t mod n)%nat)
                = r * r * INR D).
  { unfold pair_logit. rewrite (output_of_two n s n s (fun i j => v i * v j)) by exact Hn.
    rewrite Er. unfold y at 1. rewrite (output_ext n s _ (fun i => y * v i)).
    - apply output_scal.
    - intros i _. rewrite output_scal. fold y. ring. }
  destruct (largest_of n s Hn) as (top & Htop & Hmax).
  assert (HR : rational (r * r * INR D)).
  { apply rational_times; [now apply rational_times|]. rewrite INR_IZR_INZ.
    apply rational_integer. }
  assert (Hpairs : forall t, (t < n * n)%nat ->
     with_roots d e (pair_logit n s t) /\ rational (v (t / n)%nat * v (t mod n)%nat)).
  { intros t Ht. destruct (pair_place n n t Ht) as [H1 H2].
    destruct (Hin _ H1), (Hin _ H2). split; [now apply with_roots_plus|now apply rational_times]. }
  destruct (pair_logit_twice n s top Htop) as [Hlt Etop].
  pose proof (proj1 (exact_equality d e (n * n) _ _ _ ltac:(nia) Hpairs HR) Hsq _ Hlt) as Htwice.
  rewrite Etop, multiplicity_of_pairs in Htwice by assumption.
  rewrite (group_top n s top (fun i j => v i * v j)), group_product in Htwice by assumption.
  pose proof (multiplicity_of_one n s top Htop) as Hm.
  set (U := group n s v (s top)) in *. set (m := multiplicity n s (s top)) in *.
  assert (HU : rational U /\ rational m).
  { split; apply (ring_rsum _ rational_ring); intros j Hj; destruct (Req_EM_T (s j) (s top));
      try apply Hin; try apply (rational_integer 0); try apply (rational_integer 1); exact Hj. }
  apply (HD (U * / (r * m))).
  - apply rational_times; [apply HU|]. apply rational_inverse; [now apply rational_times|nra].
  - transitivity (U * U / (r * r * (m * m))); [field; lra|]. rewrite Htwice. field. lra.
Qed.

(** ** The gradients of `gradients` *)

(** Number j of a list, or 0. *)
Definition numbered (l : list R) (j : nat) : R := nth j l 0.

Lemma numbered_minus {X} (f k : X -> R) x l j :
  numbered (map f l) j - numbered (map k l) j * x = numbered (map (fun t => f t - k t * x) l) j.
Proof.
  unfold numbered. revert j. induction l as [|t l IH]; intros [|j]; simpl; try ring. apply IH.
Qed.

Section Row.
Variables (d_v : nat) (G : nat -> R) (g : R) (l : list (list nat)) (z : list nat -> R).
Variables (v : list nat -> nat -> R) (sinks : list R).
Let w0 := lsum exp sinks.
Let n := (length l + length sinks)%nat.
Let s := numbered (map z l ++ sinks).

Lemma numbered_output f :
  output n s (numbered (map f l)) = lsum (fun t => row_weight w0 l z t * f t) l.
Proof.
  assert (EZ : rsum n (fun j => exp (s j)) = row_total w0 l z).
  { unfold row_total, w0. rewrite Rplus_comm, <- (lsum_map z), <- lsum_app.
    rewrite (lsum_nth exp _ 0). now rewrite app_length, map_length. }
  unfold output, weight. rewrite EZ. unfold n. rewrite rsum_app.
  rewrite (rsum_ext (length sinks) _ (fun _ => 0)), rsum_const.
  - rewrite Rmult_0_r, Rplus_0_r, (lsum_nth _ l []). apply rsum_ext. intros j Hj.
    unfold s, numbered, row_weight. rewrite app_nth1 by now rewrite map_length.
    rewrite (nth_indep (map z l) 0 (z [])), (nth_indep (map f l) 0 (f []))
      by now rewrite map_length.
    now rewrite !map_nth.
  - intros j _. unfold numbered. rewrite (nth_overflow (map f l)); [ring|].
    rewrite map_length. lia.
Qed.

(** The gradient that multiplies those of logits by k is a share, sinks being tuples of value 0
    that it does not multiply. *)
Theorem gradient_rounding_logits k :
  let a t := rsum d_v (fun c => G c * v t c) in
  lsum (fun t => k t * dlogit d_v G g w0 l z v t) l
  = query_share n s (numbered (map (fun t => k t * (a t + g)) l)) (numbered (map k l))
      (numbered (map a l)).
Proof.
  intros a. unfold query_share. rewrite numbered_output.
  assert (ED : lsum (fun t => row_weight w0 l z t * a t) l = row_mean d_v G w0 l z v).
  { unfold row_mean, row_out, a. rewrite (lsum_ext _ (fun t => rsum d_v
      (fun c => G c * (row_weight w0 l z t * v t c)))).
    - rewrite lsum_rsum_swap. apply rsum_ext. intros c _. apply lsum_scal.
    - intros t _. rewrite <- rsum_scal. apply rsum_ext. intros; ring. }
  rewrite ED. set (D := row_mean d_v G w0 l z v).
  rewrite (output_ext n s _ (numbered (map (fun t => k t * (a t + g) - k t * D) l))).
  - rewrite numbered_output. apply lsum_ext. intros t _. unfold dlogit. fold D (a t). ring.
  - intros j _. apply numbered_minus.
Qed.

(** So is one that multiplies weights by x, as those of values do. *)
Theorem gradient_rounding_values x :
  lsum (fun t => x t * row_weight w0 l z t) l
  = query_share n s (numbered (map x l)) (fun _ => 0) (fun _ => 0).
Proof.
  unfold query_share. rewrite (output_ext n s _ (numbered (map x l))) by (intros; ring).
  rewrite numbered_output. apply lsum_ext. intros; ring.
Qed.
End Row.
