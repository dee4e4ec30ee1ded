(** H3 `positions`: rotary embeddings change no floor; biases within ±β cost 2β of a margin; a sink
    of weight σ costs 2ασ of the slack. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Guarantee Bits Entropy DecodeThreshold Keys Serves Norms
  Told FourCacheOrder Outputs.
Open Scope R_scope.

(** ** Maps of keys and queries *)

(** The key of token i passes the map A i before it meets the query, the query the map A'. *)
Definition mapped_out (n d : nat) (A : nat -> vector -> vector) (A' : vector -> vector)
    (K : matrix) : outputs :=
  fun q V c => attention n d (A' q) (fun i => A i (K i)) V c.

(** A undoes what B does, in the first d entries. *)
Definition undone (d : nat) (A B : vector -> vector) : Prop :=
  forall x c, (c < d)%nat -> A (B x) c = x c.

Lemma logit_ext d q q' K K' j : (forall c, (c < d)%nat -> q c = q' c /\ K j c = K' j c) ->
  logit d q K j = logit d q' K' j.
Proof. intros H. apply rsum_ext. intros c Hc. now destruct (H c Hc) as [-> ->]. Qed.

(** What is undone before leaves attention as it was. *)
Lemma mapped_attention n d A A' B B' K q V c :
  (forall i, (i < n)%nat -> undone d (A i) (B i)) -> undone d A' B' ->
  mapped_out n d A A' (fun i => B i (K i)) (B' q) V c = attention n d q K V c.
Proof.
  intros HA HA'. apply output_logits. intros j Hj. apply logit_ext. intros e He.
  split; [now apply HA'|now apply (HA j)].
Qed.

(** The bit of the token that logits single out. *)
Lemma output_told n eta alpha g s V V' i c o :
  guarantee eta alpha -> (i < n)%nat -> margin n s i g -> leak (n - 1) g < leak_limit eta alpha ->
  zero_one V -> zero_one V' ->
  accurate eta alpha o (output n s (fun j => V j c)) ->
  accurate eta alpha o (output n s (fun j => V' j c)) -> V i c = V' i c.
Proof.
  intros (He & Ha & Hea) Hi Hg HL HV HV' Ho Ho'.
  assert (Hbit : forall W, zero_one W -> exists v : nat -> bool, forall j, W j c = bitval (v j)).
  { intros W HW. exists (fun j => if Req_EM_T (W j c) 1 then true else false). intros j.
    destruct (Req_EM_T (W j c) 1) as [E|E]; [exact E|].
    destruct (HW j c); [assumption|contradiction]. }
  destruct (Hbit V HV) as (v & Ev). destruct (Hbit V' HV') as (v' & Ev').
  rewrite (output_ext n _ _ (fun j => bitval (v j))) in Ho by auto.
  rewrite (output_ext n _ _ (fun j => bitval (v' j))) in Ho' by auto.
  apply (decode_threshold n s v i g eta alpha o Hi Hg ltac:(lra) Ha HL) in Ho.
  apply (decode_threshold n s v' i g eta alpha o Hi Hg ltac:(lra) Ha HL) in Ho'.
  rewrite Ev, Ev'. f_equal. destruct (v i), (v' i); intuition congruence.
Qed.

(** Every floor for 0/1 values holds for keys B_i k_i and queries B' q where the model applies A_i
    and A' to them, and these undo it. *)
Theorem positions n d d_v eta alpha g A A' B B' K Q :
  guarantee eta alpha ->
  (forall i, (i < n)%nat -> undone d (A i) (B i)) -> undone d A' B' ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  leak (n - 1) g < leak_limit eta alpha ->
  forall b, serves n d_v eta alpha (mapped_out n d A A' (fun i => B i (K i)))
              (fun i => B' (Q i)) b <-> (n * d_v <= b)%nat.
Proof.
  intros Hg HA HA' HK HL b. apply told_serves; [|apply Hg|apply Hg|].
  - intros V V' i c o HV HV' Hi Hc. rewrite !mapped_attention by assumption.
    apply (output_told n eta alpha g (logit d (Q i) K)); auto.
  - intros q V V' c _ H. now apply output_ext.
Qed.

(** Rotary embeddings: entries c and half + c are turned by the angle p θ_c at position p. *)
Definition rotate (half : nat) (theta : nat -> R) (p : R) (x : vector) : vector := fun c =>
  if c <? half then cos (p * theta c) * x c - sin (p * theta c) * x (half + c)%nat
  else if c <? half + half then
    sin (p * theta (c - half)%nat) * x (c - half)%nat + cos (p * theta (c - half)%nat) * x c
  else x c.

(** To turn back undoes it, and lengths stay. *)
Theorem positions_rotary_inverse half theta p x c :
  rotate half theta p (rotate half theta (- p) x) c = x c.
Proof.
  unfold rotate.
  assert (Hcs : forall a, cos a * cos a + sin a * sin a = 1).
  { intros a. pose proof (sin2_cos2 a) as H. unfold Rsqr in H. lra. }
  destruct (Nat.ltb_spec c half) as [H|H].
  - destruct (Nat.ltb_spec (half + c) half); [lia|].
    destruct (Nat.ltb_spec (half + c) (half + half)); [|lia].
    replace (half + c - half)%nat with c by lia.
    rewrite <- Ropp_mult_distr_l, cos_neg, sin_neg.
    transitivity ((cos (p * theta c) * cos (p * theta c) + sin (p * theta c) * sin (p * theta c))
                  * x c); [ring|]. rewrite Hcs. ring.
  - destruct (Nat.ltb_spec c (half + half)) as [H'|H']; [|reflexivity].
    destruct (Nat.ltb_spec (c - half) half); [|lia].
    replace (half + (c - half))%nat with c by lia.
    set (a := theta (c - half)%nat). rewrite <- Ropp_mult_distr_l, cos_neg, sin_neg.
    transitivity ((cos (p * a) * cos (p * a) + sin (p * a) * sin (p * a)) * x c); [ring|].
    rewrite Hcs. ring.
Qed.

Theorem positions_rotary_norm half theta p d x : (half + half <= d)%nat ->
  norm2 d (rotate half theta p x) = norm2 d x.
Proof.
  intros Hd. unfold norm2. f_equal. replace d with (half + half + (d - (half + half)))%nat by lia.
  rewrite !rsum_app. f_equal.
  - rewrite <- !rsum_plus. apply rsum_ext. intros c Hc. unfold rotate.
    destruct (Nat.ltb_spec c half); [|lia]. destruct (Nat.ltb_spec (half + c) half); [lia|].
    destruct (Nat.ltb_spec (half + c) (half + half)); [|lia].
    replace (half + c - half)%nat with c by lia.
    pose proof (sin2_cos2 (p * theta c)) as E. unfold Rsqr in E.
    transitivity ((sin (p * theta c) * sin (p * theta c) + cos (p * theta c) * cos (p * theta c))
                  * (x c * x c + x (half + c)%nat * x (half + c)%nat)); [ring|].
    rewrite E. ring.
  - apply rsum_ext. intros c _. unfold rotate.
    destruct (Nat.ltb_spec (half + half + c) half); [lia|].
    destruct (Nat.ltb_spec (half + half + c) (half + half)); [lia|]. reflexivity.
Qed.

(** With rotary embeddings, and the query at any position p, the floor is n d_v bits. *)
Theorem positions_rotary n d d_v half theta p eta alpha :
  (2 <= d)%nat -> guarantee eta alpha ->
  exists (K : matrix) (Q : nat -> nat -> R), forall b,
    serves n d_v eta alpha
      (mapped_out n d (fun i => rotate half theta (INR i)) (rotate half theta p) K) Q b
    <-> (n * d_v <= b)%nat.
Proof.
  intros Hd Hg. destruct Hg as (He & Ha & Hea).
  destruct (margin_exists (n - 1) eta alpha He Ha Hea) as (g & Hg & Hleak).
  exists (fun i => rotate half theta (- INR i) (parabola_key i)),
    (fun i => rotate half theta (- p) (parabola_query g i)). intros b.
  apply (positions n d d_v eta alpha g (fun i => rotate half theta (INR i)) (rotate half theta p)
    (fun i => rotate half theta (- INR i)) (rotate half theta (- p)) parabola_key
      (parabola_query g)).
  - repeat split; assumption.
  - intros i _ x c _. apply positions_rotary_inverse.
  - intros x c _. apply positions_rotary_inverse.
  - intros i _. now apply keys_parabola.
  - exact Hleak.
Qed.

(** ** Additive biases *)

(** Logits with a public bias, which may depend on the query. *)
Definition biased_out (n d : nat) (bias : (nat -> R) -> nat -> R) (K : matrix) : outputs :=
  fun q V c => output n (fun j => logit d q K j + bias q j) (fun j => V j c).

(** Biases within ±β leave g - 2β of a margin. *)
Theorem positions_bias_margin n s bias i g beta :
  (i < n)%nat -> margin n s i g -> (forall j, (j < n)%nat -> Rabs (bias j) <= beta) ->
  margin n (fun j => s j + bias j) i (g - 2 * beta).
Proof.
  intros Hi Hg Hb j Hj Hne. specialize (Hg j Hj Hne).
  pose proof (Rabs_le_inv _ _ (Hb i Hi)). pose proof (Rabs_le_inv _ _ (Hb j Hj)). lra.
Qed.

(** Some biases leave no more. *)
Theorem positions_bias_worst n s i j g h beta :
  (j < n)%nat -> j <> i -> s i = s j + g ->
  margin n (fun l => s l + (if l =? i then - beta else beta)) i h -> h <= g - 2 * beta.
Proof.
  intros Hj Hne E Hm. specialize (Hm j Hj Hne). cbv beta in Hm. rewrite Nat.eqb_refl in Hm.
  destruct (Nat.eqb_spec j i); [contradiction|]. lra.
Qed.

(** So with free norms they cost nothing. *)
Theorem positions_bias n d d_v eta alpha beta :
  (2 <= d)%nat -> guarantee eta alpha ->
  exists (K : matrix) (Q : nat -> nat -> R), forall bias,
    (forall q j, Rabs (bias q j) <= beta) ->
    forall b, serves n d_v eta alpha (biased_out n d bias K) Q b <-> (n * d_v <= b)%nat.
Proof.
  intros Hd Hg. pose proof Hg as (He & Ha & Hea).
  destruct (margin_exists (n - 1) eta alpha He Ha Hea) as (g & Hg0 & Hleak).
  exists parabola_key, (parabola_query (g + 2 * Rabs beta)). intros bias Hb b.
  apply told_serves; [|assumption..|intros q V V' c _ H; now apply output_ext].
  intros V V' i c o HV HV' Hi Hc.
  apply (output_told n eta alpha g); auto. replace g with (g + 2 * Rabs beta - 2 * Rabs beta) at 1
    by ring.
  apply positions_bias_margin; [exact Hi|..].
  - apply keys_parabola; [exact Hd|]. pose proof (Rabs_pos beta). lra.
  - intros j _. eapply Rle_trans; [apply Hb|apply Rle_abs].
Qed.

(** ** Sinks *)

(** A sink: a token more, of value 0 and logit s0. *)
Definition sink_output (n : nat) (s0 : R) (s v : nat -> R) : R :=
  rsum n (fun j => exp (s j) * v j) / (exp s0 + rsum n (fun j => exp (s j))).

Definition sink_out (n d : nat) (s0 : (nat -> R) -> R) (K : matrix) : outputs :=
  fun q V c => sink_output n (s0 q) (logit d q K) (fun j => V j c).

(** With the weights of the sink and of the others relative to the top, σ and at most E. *)
Lemma sink_output_between n s0 s v i g : (i < n)%nat -> margin n s i g ->
  (forall j, (j < n)%nat -> 0 <= v j <= 1) ->
  exists u, 0 <= u <= excess (n - 1) g /\
    v i / (1 + exp (s0 - s i) + u) <= sink_output n s0 s v
      <= (v i + u) / (1 + exp (s0 - s i) + u).
Proof.
  intros Hi Hg Hv. set (w j := exp (s j - s i)).
  exists (rsum n (fun j => if j =? i then 0 else w j)).
  assert (Hw : forall j, 0 < w j) by (intros; apply exp_pos).
  assert (Hu : 0 <= rsum n (fun j => if j =? i then 0 else w j) <= excess (n - 1) g).
  { split; [apply rsum_nonneg; intros j _; destruct (j =? i); [lra|left; apply Hw]|].
    unfold excess. rewrite <- (rsum_const_except n i) by exact Hi. apply rsum_le. intros j Hj.
    destruct (Nat.eqb_spec j i) as [|Hne]; [lra|]. unfold w. specialize (Hg j Hj Hne).
    destruct (Req_dec (s j - s i) (- g)) as [->|]; [lra|]. left. apply exp_increasing. lra. }
  split; [exact Hu|].
  assert (Ew : forall j, exp (s j) = exp (s i) * w j)
    by (intros j; unfold w; rewrite <- exp_plus; f_equal; ring).
  assert (E : sink_output n s0 s v
    = (v i + rsum n (fun j => if j =? i then 0 else w j * v j))
      / (1 + exp (s0 - s i) + rsum n (fun j => if j =? i then 0 else w j))).
  { unfold sink_output.
    replace (rsum n (fun j => exp (s j) * v j)) with (exp (s i) * rsum n (fun j => w j * v j))
      by (rewrite <- rsum_scal; apply rsum_ext; intros j _; rewrite (Ew j); ring).
    replace (rsum n (fun j => exp (s j))) with (exp (s i) * rsum n w)
      by (rewrite <- rsum_scal; apply rsum_ext; intros j _; now rewrite (Ew j)).
    replace (exp s0) with (exp (s i) * exp (s0 - s i)) by (rewrite <- exp_plus; f_equal; ring).
    rewrite (rsum_split n i (fun j => w j * v j)), (rsum_split n i w) by exact Hi.
    replace (w i) with 1 by (unfold w; rewrite Rminus_eq_0, exp_0; reflexivity).
    pose proof (exp_pos (s i)). pose proof (exp_pos (s0 - s i)). destruct Hu as [Hu0 _].
    field. split; apply Rgt_not_eq; nra. }
  rewrite E. set (u := rsum n (fun j => if j =? i then 0 else w j)) in *.
  pose proof (exp_pos (s0 - s i)) as H0.
  assert (Hx : 0 <= rsum n (fun j => if j =? i then 0 else w j * v j) <= u).
  { split; [apply rsum_nonneg|apply rsum_le]; intros j Hj; destruct (j =? i); try lra;
      specialize (Hw j); specialize (Hv j Hj); nra. }
  unfold Rdiv. split; apply Rmult_le_compat_r; try lra; left; apply Rinv_0_lt_compat; lra.
Qed.

(** What a sink of weight σ relative to the top leaves: more margin, the floor is the same. *)
Theorem positions_sink n d d_v eta alpha sigma g s0 K Q :
  0 <= eta -> 0 <= alpha ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  (forall i, (i < n)%nat -> exp (s0 (Q i) - logit d (Q i) K i) <= sigma) ->
  excess (n - 1) g * (1 + eta + 2 * alpha) < 1 - eta - 2 * alpha * (1 + sigma) ->
  forall b, serves n d_v eta alpha (sink_out n d s0 K) Q b <-> (n * d_v <= b)%nat.
Proof.
  intros He Ha Hg Hs0 Hroom b. apply told_serves; [|assumption..|].
  2: { intros q V V' c _ H. unfold sink_out, sink_output. f_equal. apply rsum_ext.
       intros j Hj. now rewrite H. }
  assert (Hlt : forall V V' i c o, zero_one V -> zero_one V' -> (i < n)%nat -> V i c = 0 ->
    V' i c = 1 -> accurate eta alpha o (sink_out n d s0 K (Q i) V c) ->
    accurate eta alpha o (sink_out n d s0 K (Q i) V' c) -> False).
  { intros V V' i c o HV HV' Hi E E' Ho Ho'.
    assert (Hunit : forall W, zero_one W -> forall j, (j < n)%nat -> 0 <= W j c <= 1)
      by (intros W HW j _; destruct (HW j c); lra).
    unfold sink_out in *. set (s := logit d (Q i) K) in *. specialize (Hs0 i Hi). fold s in Hs0.
    destruct (sink_output_between n (s0 (Q i)) s (fun j => V j c) i g Hi (Hg i Hi) (Hunit V HV))
      as (u & Hu & Hout0 & Hout).
    destruct (sink_output_between n (s0 (Q i)) s (fun j => V' j c) i g Hi (Hg i Hi) (Hunit V' HV'))
      as (u' & Hu' & Hout' & _).
    rewrite E in Hout0, Hout. rewrite E' in Hout'. set (x := exp (s0 (Q i) - s i)) in *.
    pose proof (exp_pos (s0 (Q i) - s i) : 0 < x) as Hx.
    unfold accurate in Ho, Ho'. set (out := sink_output n (s0 (Q i)) s (fun j => V j c)) in *.
    set (out' := sink_output n (s0 (Q i)) s (fun j => V' j c)) in *.
    assert (H0 : 0 <= out) by (unfold Rdiv in Hout0; lra).
    assert (H1 : out * (1 + x + u) <= u).
    { apply (Rmult_le_compat_r (1 + x + u)) in Hout; [|lra].
      replace ((0 + u) / (1 + x + u) * (1 + x + u)) with u in Hout by (field; lra). exact Hout. }
    assert (H2 : 1 <= out' * (1 + x + u')).
    { apply (Rmult_le_compat_r (1 + x + u')) in Hout'; [|lra].
      replace (1 / (1 + x + u') * (1 + x + u')) with 1 in Hout' by (field; lra). exact Hout'. }
    assert (H3 : 0 < out') by nra.
    rewrite (Rabs_right out) in Ho by lra. rewrite (Rabs_right out') in Ho' by lra.
    apply Rabs_le_inv in Ho, Ho'. set (X := excess (n - 1) g) in *.
    assert (H4 : (1 - eta) * out' <= (1 + eta) * out + 2 * alpha) by lra.
    assert (Heta : eta < 1) by nra.
    (* both with the most that others can weigh *)
    assert (H5 : out * (1 + x + X) <= X) by nra.
    assert (H6 : 1 <= out' * (1 + x + X)) by nra.
    assert (H7 : (1 - eta) * (out' * (1 + x + X))
              <= (1 + eta) * (out * (1 + x + X)) + 2 * alpha * (1 + x + X)) by nra.
    assert (H8 : 2 * alpha * x <= 2 * alpha * sigma) by nra. nra. }
  intros V V' i c o HV HV' Hi Hc Ho Ho'.
  destruct (HV i c) as [E|E], (HV' i c) as [E'|E']; try congruence; exfalso.
  - exact (Hlt V V' i c o HV HV' Hi E E' Ho Ho').
  - exact (Hlt V' V i c o HV' HV Hi E' E Ho' Ho).
Qed.

(** The condition on what leaks, as a margin in nats. *)
Theorem positions_sink_margin M g eta alpha sigma :
  (1 <= M)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha * (1 + sigma) < 1 ->
  g > ln (INR M * (1 + eta + 2 * alpha) / (1 - eta - 2 * alpha * (1 + sigma)))
  <-> excess M g * (1 + eta + 2 * alpha) < 1 - eta - 2 * alpha * (1 + sigma).
Proof.
  intros HM He Ha Hsum. assert (HM' : 1 <= INR M) by (apply (le_INR 1), HM).
  set (X := 1 - eta - 2 * alpha * (1 + sigma)). assert (HX : 0 < X) by (unfold X; lra).
  set (r := INR M * (1 + eta + 2 * alpha) / X).
  assert (Hr : 0 < r) by (apply Rdiv_lt_0_compat; [nra|exact HX]).
  assert (E : excess M g * (1 + eta + 2 * alpha) = exp (ln r - g) * X).
  { unfold Rminus at 1. rewrite exp_plus, exp_ln by exact Hr. unfold excess, r. field. lra. }
  rewrite E. split; intros H.
  - rewrite <- (Rmult_1_l X) at 2. apply Rmult_lt_compat_r; [exact HX|].
    rewrite <- exp_0. apply exp_increasing. lra.
  - rewrite <- (Rmult_1_l X) in H at 2. apply Rmult_lt_reg_r in H; [|exact HX].
    rewrite <- exp_0 in H. apply exp_lt_inv in H. lra.
Qed.

(** Answers to a bit at the top, with all M others against it and g below, are in order exactly
    then. *)
Theorem positions_sink_exactly M g s0 eta alpha :
  0 <= eta -> 0 <= alpha ->
  let s j := if j =? 0 then 0 else - g in
  let out b := sink_output (S M) s0 s (fun j => bitval (if j =? 0 then b else negb b)) in
  (forall o o', accurate eta alpha o (out false) -> accurate eta alpha o' (out true) -> o < o')
  <-> excess M g * (1 + eta + 2 * alpha) < 1 - eta - 2 * alpha * (1 + exp s0).
Proof.
  intros He Ha s out. pose proof (exp_pos s0) as Hs0. pose proof (excess_nonneg M g) as HE.
  assert (Hout : forall b, out b = (if b then 1 else excess M g) / (exp s0 + (1 + excess M g))).
  { intros b. unfold out, sink_output. rewrite !rsum_first. unfold s. simpl.
    rewrite !rsum_const, exp_0. unfold excess. destruct b; simpl; f_equal; ring. }
  rewrite !Hout. set (X := excess M g) in *. set (Z := exp s0 + (1 + X)).
  assert (HZ : 0 < Z) by (unfold Z; lra).
  assert (H0 : 0 <= X / Z) by (apply Rmult_le_pos; [exact HE|left; now apply Rinv_0_lt_compat]).
  assert (H1 : 0 <= 1 / Z) by (apply Rmult_le_pos; [lra|left; now apply Rinv_0_lt_compat]).
  assert (Hiff : (1 + eta) * (X / Z) + alpha < (1 - eta) * (1 / Z) - alpha
                 <-> X * (1 + eta + 2 * alpha) < 1 - eta - 2 * alpha * (1 + exp s0)).
  { assert (E0 : ((1 + eta) * (X / Z) + alpha) * Z = (1 + eta) * X + alpha * Z) by (field; lra).
    assert (E1 : ((1 - eta) * (1 / Z) - alpha) * Z = 1 - eta - alpha * Z) by (field; lra).
    split; intros H.
    - apply (Rmult_lt_compat_r Z) in H; [|exact HZ]. rewrite E0, E1 in H. unfold Z in H. lra.
    - apply (Rmult_lt_reg_r Z); [exact HZ|]. rewrite E0, E1. unfold Z. lra. }
  rewrite <- Hiff. split.
  - intros H. apply H; apply bounds_accurate; try assumption; nra.
  - intros H o o' Ho Ho'. unfold accurate in *.
    rewrite (Rabs_right (X / Z)) in Ho by lra. rewrite (Rabs_right (1 / Z)) in Ho' by lra.
    apply Rabs_le_inv in Ho, Ho'. lra.
Qed.
