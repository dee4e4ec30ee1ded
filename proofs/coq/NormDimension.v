(** S4 `norm-dimension`: the floor n d_v holds in log₂ n dimensions, with large norms in two, but
    not in one. *)
From Coq Require Import Reals Lra Lia Arith.
From KVFloor Require Import Sums Attention Guarantee DecodeThreshold Serves Keys KeysInner
  KeysCodes FourCacheOrder FourCacheKeys.
Open Scope R_scope.

(** Squared norm. *)
Definition norm2 (d : nat) (v : nat -> R) : R := rsum d (fun c => v c * v c).

(** All tokens: d >= log₂ n dimensions, with ‖q‖‖k‖ = C d for C > ln((n-1)r) / 2. *)
Theorem norm_dimension_logarithmic n m d d_v eta alpha C :
  guarantee eta alpha -> (1 <= m)%nat -> (n <= 2 ^ d)%nat ->
  2 * C > margin_limit (INR (n - 1)) eta alpha ->
  exact_floor n m d d_v eta alpha binary_key (binary_query C) /\
  (forall i j, norm2 d (binary_query C i) * norm2 d (binary_key j) = (C * INR d) * (C * INR d)).
Proof.
  intros Hg Hm Hn HC. split; [now apply four_cache_binary|]. intros i j. unfold norm2, binary_query.
  assert (Hsq : forall j c, binary_key j c * binary_key j c = 1).
  { intros j' c. destruct (binary_key_sign j' c) as [-> | ->]; ring. }
  rewrite (rsum_ext d _ (fun _ => C * C)), (rsum_ext d (fun c => binary_key j c * _) (fun _ => 1)).
  - rewrite !rsum_const. ring.
  - intros c _. apply Hsq.
  - intros c _. transitivity (C * C * (binary_key i c * binary_key i c)); [ring|].
    rewrite Hsq. ring.
Qed.

(** Large norms: two dimensions for any n, with whole numbers for keys and ‖q‖‖k‖ <= √10 C n³. *)
Theorem norm_dimension_parabola n m d_v eta alpha C :
  guarantee eta alpha -> (1 <= m)%nat -> C > margin_limit (INR (n - 1)) eta alpha ->
  exact_floor n m 2 d_v eta alpha parabola_key_1 (parabola_query_1 C) /\
  (forall i j, (i < n)%nat -> (j < n)%nat ->
     norm2 2 (parabola_query_1 C i) * norm2 2 (parabola_key_1 j) <= 10 * (C * C) * INR n ^ 6).
Proof.
  intros Hg Hm HC. pose proof (margin_limit_nonneg n eta alpha Hg). split.
  - apply four_cache_margin with C; auto. intros i Hi. apply keys_parabola_book; auto; lra.
  - intros i j Hi Hj. apply le_INR in Hi, Hj. rewrite S_INR in Hi, Hj.
    pose proof (pos_INR i) as Hi0. pose proof (pos_INR j) as Hj0.
    unfold norm2, parabola_query_1, parabola_key_1, parabola_query, parabola_key. simpl rsum.
    change (match i with 0%nat => 1 | S _ => INR i + 1 end) with (INR (S i)).
    change (match j with 0%nat => 1 | S _ => INR j + 1 end) with (INR (S j)).
    rewrite !S_INR. set (x := INR i + 1) in *. set (y := INR j + 1) in *. set (N := INR n) in *.
    assert (Hx : 1 <= x) by (unfold x; lra). assert (Hy : 1 <= y) by (unfold y; lra).
    assert (Hx2 : x * x <= N * N) by (apply Rmult_le_compat; lra).
    assert (Hy2 : y * y <= N * N) by (apply Rmult_le_compat; lra).
    assert (HN1 : 1 <= N * N) by nra.
    set (X := x * x) in *. set (Y := y * y) in *. set (Z := N * N) in *.
    assert (HX : 1 <= X) by (unfold X; nra). assert (HY : 1 <= Y) by (unfold Y; nra).
    replace (0 + C * (2 * x) * (C * (2 * x)) + C * C) with (C * C * (4 * X + 1))
      by (unfold X; ring).
    replace (0 + y * y + - (y * y) * - (y * y)) with (Y + Y * Y) by (unfold Y; ring).
    replace (10 * (C * C) * N ^ 6) with (C * C * (5 * Z * (2 * (Z * Z)))) by (unfold Z; ring).
    rewrite Rmult_assoc. apply Rmult_le_compat_l; [nra|].
    apply Rmult_le_compat; nra.
Qed.

(** sin t >= 2t/π on [0, π/2]. *)
Lemma jordan t : 0 <= t <= PI / 2 -> 2 / PI * t <= sin t.
Proof.
  pose proof PI_RGT_0 as Hpi. intros [H0 H1].
  destruct (Req_dec t 0) as [->|Ht0]; [rewrite sin_0; lra|].
  destruct (Req_dec t (PI / 2)) as [->|Ht1]; [rewrite sin_PI2; right; field; lra|].
  assert (H0' : 0 < t) by lra. assert (H1' : t < PI / 2) by lra. clear H0 H1 Ht0 Ht1.
  apply Rnot_lt_le. intros Hlt.
  set (f := fun x => sin x - 2 / PI * x). set (f' := fun x => cos x - 2 / PI * 1).
  assert (Hd : forall c, derivable_pt_lim f c (f' c)).
  { intros c. apply derivable_pt_lim_minus; [apply derivable_pt_lim_sin|].
    apply derivable_pt_lim_scal, derivable_pt_lim_id. }
  destruct (MVT_cor2 f f' 0 t H0' (fun c _ => Hd c)) as (c1 & E1 & Hc1).
  destruct (MVT_cor2 f f' t (PI / 2) H1' (fun c _ => Hd c)) as (c2 & E2 & Hc2).
  unfold f in E1, E2. rewrite sin_0 in E1. rewrite sin_PI2 in E2.
  replace (1 - 2 / PI * (PI / 2)) with 0 in E2 by (field; lra).
  assert (A1 : f' c1 < 0) by nra. assert (A2 : f' c2 > 0) by nra. unfold f' in A1, A2.
  pose proof (cos_decreasing_1 c1 c2 ltac:(lra) ltac:(lra) ltac:(lra) ltac:(lra) ltac:(lra)). lra.
Qed.

(** 1 - cos(2π/n) >= 8/n². *)
Lemma polygon_gap n : (2 <= n)%nat -> 8 / (INR n * INR n) <= 1 - cos (2 * PI / INR n).
Proof.
  intros Hn. pose proof PI_RGT_0 as Hpi. apply le_INR in Hn. simpl in Hn.
  replace (2 * PI / INR n) with (2 * (PI / INR n)) by (field; lra). rewrite cos_2a_sin.
  assert (Hs : 2 / INR n <= sin (PI / INR n)).
  { replace (2 / INR n) with (2 / PI * (PI / INR n)) by (field; lra). apply jordan. split.
    - apply Rlt_le, Rdiv_lt_0_compat; lra.
    - apply Rmult_le_compat_l; [lra|]. apply Rinv_le_contravar; lra. }
  assert (0 < 2 / INR n) by (apply Rdiv_lt_0_compat; lra).
  replace (8 / (INR n * INR n)) with (2 * (2 / INR n * (2 / INR n))) by (field; lra). nra.
Qed.

(** Regular polygons: two dimensions, unit keys, ‖q‖ = ρ > n² ln((n-1)r) / 8. *)
Theorem norm_dimension_polygon n m d_v eta alpha rho :
  guarantee eta alpha -> (1 <= m)%nat -> (2 <= n)%nat ->
  rho > INR n * INR n * margin_limit (INR (n - 1)) eta alpha / 8 ->
  exact_floor n m 2 d_v eta alpha (polygon_key n) (key_query rho (polygon_key n)).
Proof.
  intros Hg Hm Hn Hr. pose proof (margin_limit_nonneg n eta alpha Hg) as HL.
  pose proof (polygon_gap n Hn) as Hgap. apply le_INR in Hn as HnR. simpl in HnR.
  set (L := margin_limit _ _ _) in *. set (N := INR n) in *.
  assert (HN : 0 < N * N) by nra. assert (Hr0 : 0 < rho) by nra.
  apply four_cache_polygon; auto; [lra|]. fold N L.
  apply Rlt_le_trans with (rho * (8 / (N * N))); [|apply Rmult_le_compat_l; lra].
  apply (Rmult_lt_reg_r (N * N)); [exact HN|].
  replace (rho * (8 / (N * N)) * (N * N)) with (rho * 8) by (field; nra). lra.
Qed.

(** One dimension: of three keys on a line the middle one cannot be singled out, so no address
    book has more than two keys. *)
Theorem norm_dimension_line n K Q g : (3 <= n)%nat -> g > 0 ->
  ~ (forall i, (i < n)%nat -> margin n (logit 1 (Q i) K) i g).
Proof.
  intros Hn Hg H.
  assert (Hm : forall i j, (i < 3)%nat -> (j < 3)%nat -> i <> j ->
                 0 < Q i 0%nat * (K i 0%nat - K j 0%nat)).
  { intros i j Hi Hj Hne. specialize (H i ltac:(lia) j ltac:(lia) ltac:(lia)).
    unfold logit in H. simpl in H. lra. }
  assert (Hprod : forall q u v, 0 < q * u -> 0 < q * v -> 0 < u * v).
  { intros q u v Hu Hv. assert (0 < (q * q) * (u * v)) by nra.
    assert (0 <= q * q) by nra. nra. }
  set (x := K 0%nat 0%nat - K 1%nat 0%nat). set (y := K 1%nat 0%nat - K 2%nat 0%nat).
  assert (H0 : 0 < x * (x + y)).
  { apply (Hprod (Q 0%nat 0%nat)); [apply (Hm 0 1)%nat; lia|].
    replace (x + y) with (K 0%nat 0%nat - K 2%nat 0%nat) by (unfold x, y; ring).
    apply (Hm 0 2)%nat; lia. }
  assert (H1 : 0 < - x * y).
  { apply (Hprod (Q 1%nat 0%nat)); [|apply (Hm 1 2)%nat; lia].
    replace (- x) with (K 1%nat 0%nat - K 0%nat 0%nat) by (unfold x; ring).
    apply (Hm 1 0)%nat; lia. }
  assert (H2 : 0 < - (x + y) * - y).
  { apply (Hprod (Q 2%nat 0%nat)).
    - replace (- (x + y)) with (K 2%nat 0%nat - K 0%nat 0%nat) by (unfold x, y; ring).
      apply (Hm 2 0)%nat; lia.
    - replace (- y) with (K 2%nat 0%nat - K 1%nat 0%nat) by (unfold y; ring).
      apply (Hm 2 1)%nat; lia. }
  nra.
Qed.

(** Two keys can: the ends of the line. *)
Theorem norm_dimension_line_met g :
  exists K Q, forall i, (i < 2)%nat -> margin 2 (logit 1 (Q i) K) i g.
Proof.
  exists (fun j _ => sign_of j), (fun i _ => g / 2 * sign_of i).
  intros i Hi j Hj Hne. unfold logit. simpl.
  destruct i as [|[|i]], j as [|[|j]]; try lia; unfold sign_of; simpl; lra.
Qed.
