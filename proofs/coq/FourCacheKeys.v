(** T1 `four-cache`: the condition on (n, d, strength C) for each family of public keys, at every
    order m; with each of them the floor n d_v is met exactly. *)
From Coq Require Import Reals Lra Lia Arith List.
From KVFloor Require Import Sums Attention Guarantee Entropy DecodeThreshold Serves Keys KeysInner
  KeysCodes SignKeys FourCacheOrder.
Open Scope R_scope.

(** The least b such that states of up to b bits serve is exactly n d_v; and a randomised cache
    that fails with probability at most δ, with states of exactly b bits, has
    b >= (1 - H₂(δ)) n d_v. *)
Definition exact_floor (n m d d_v : nat) (eta alpha : R) (K : matrix) (Q : nat -> nat -> R)
    : Prop :=
  (forall b, serves n d_v eta alpha (order_out 0 n m d K) Q b <-> (n * d_v <= b)%nat) /\
  (forall delta b, 0 <= delta <= 1 / 2 ->
     serves_randomized n d_v eta alpha delta (order_out 0 n m d K) Q b ->
     (1 - H2 delta) * INR (n * d_v) <= INR b).

(** The same with the self token. *)
Definition exact_floor_self (n m d d_v : nat) (eta alpha : R) (K : matrix)
    (Q : nat -> nat -> R) : Prop :=
  (forall b, serves n d_v eta alpha (order_out_self n m d K) Q b <-> (n * d_v <= b)%nat) /\
  (forall delta b, 0 <= delta <= 1 / 2 ->
     serves_randomized n d_v eta alpha delta (order_out_self n m d K) Q b ->
     (1 - H2 delta) * INR (n * d_v) <= INR b).

(** Any keys and queries of margin g > ln((n-1)(1+η+2α)/(1-η-2α)). *)
Theorem four_cache_margin n m d d_v eta alpha g K Q :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  g > margin_limit (INR (n - 1)) eta alpha ->
  exact_floor n m d d_v eta alpha K Q.
Proof.
  intros Hg Hm HK HL.
  pose proof (margin_enough eta alpha (INR (n - 1)) g Hg (pos_INR _) HL) as Hleak. split.
  - now apply four_cache_order with g.
  - now apply four_cache_order_randomized with g.
Qed.

Lemma self_competitors_nonneg n m : (1 <= n)%nat -> 0 <= self_competitors n m.
Proof.
  intros Hn. apply le_INR in Hn. simpl in Hn. unfold self_competitors.
  assert (0 < INR n ^ (m - 1)) by (apply pow_lt; lra).
  assert (0 <= ((INR n + 1) ^ m - INR n ^ m) / INR n ^ (m - 1)); [|lra].
  apply Rmult_le_pos; [|left; now apply Rinv_0_lt_compat].
  assert (INR n ^ m <= (INR n + 1) ^ m) by (apply pow_incr; lra). lra.
Qed.

(** Any address book of margin g > ln(c(1+η+2α)/(1-η-2α)), c = n-1 + ((n+1)^m - n^m)/n^(m-1). *)
Theorem four_cache_self_margin n m d d_v eta alpha g K Q :
  guarantee eta alpha -> (1 <= m)%nat -> (1 <= n)%nat ->
  address_book n d K Q g ->
  g > margin_limit (self_competitors n m) eta alpha ->
  exact_floor_self n m d d_v eta alpha K Q.
Proof.
  intros Hg Hm Hn HK HL.
  assert (H1 : forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) by apply HK.
  assert (H0 : zero_margin n d K Q g) by (intros i Hi; now apply HK).
  pose proof (margin_enough eta alpha _ g Hg (self_competitors_nonneg n m Hn) HL) as Hleak. split.
  - now apply four_cache_self with g.
  - now apply four_cache_self_randomized with g.
Qed.

(** At the paper's success probability 9/10: at least 0.531 n d_v bits. *)
Theorem four_cache_order_tenth n m d d_v eta alpha g K Q b :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  g > margin_limit (INR (n - 1)) eta alpha ->
  serves_randomized n d_v eta alpha (1 / 10) (order_out 0 n m d K) Q b ->
  531 / 1000 * INR (n * d_v) <= INR b.
Proof.
  intros Hg Hm HK HL Hs.
  destruct (four_cache_margin n m d d_v eta alpha g K Q Hg Hm HK HL) as [_ H].
  specialize (H (1 / 10) b ltac:(lra) Hs).
  pose proof (pos_INR (n * d_v)). pose proof H2_tenth. nra.
Qed.

(** The randomised guarantee can be met, by n d_v bits. *)
Theorem four_cache_order_randomized_met n m d d_v eta alpha delta K Q :
  0 <= eta -> 0 <= alpha -> 0 <= delta -> (1 <= m)%nat ->
  serves_randomized n d_v eta alpha delta (order_out 0 n m d K) Q (n * d_v).
Proof.
  intros He Ha Hd Hm. apply (serves_randomized_met 0); [|exact He|exact Ha|exact Hd].
  intros q V V' c. now apply order_out_local.
Qed.

Theorem four_cache_self_randomized_met n m d d_v eta alpha delta K Q :
  0 <= eta -> 0 <= alpha -> 0 <= delta -> (1 <= m)%nat ->
  serves_randomized n d_v eta alpha delta (order_out_self n m d K) Q (n * d_v).
Proof.
  intros He Ha Hd Hm. apply (serves_randomized_met 0); [|exact He|exact Ha|exact Hd].
  intros q V V' c. now apply order_out_self_local.
Qed.

(** ** The families *)

(** A margin that is enough is positive. *)
Lemma margin_limit_nonneg n eta alpha :
  guarantee eta alpha -> 0 <= margin_limit (INR (n - 1)) eta alpha.
Proof.
  intros (He & Ha & Hea). unfold margin_limit. destruct (n - 1)%nat as [|M].
  - simpl. replace (0 * (1 + eta + 2 * alpha) / (1 - eta - 2 * alpha)) with 0 by (field; lra).
    unfold ln. destruct (Rlt_dec 0 0) as [H|H]; [exfalso; lra|apply Rle_refl].
  - rewrite <- ln_1. apply ln_le; [lra|]. rewrite S_INR. pose proof (pos_INR M).
    apply (Rmult_le_reg_r (1 - eta - 2 * alpha)); [lra|]. unfold Rdiv.
    rewrite Rmult_assoc, Rinv_l by lra. nra.
Qed.

Section Families.
Variables (n m d d_v : nat) (eta alpha C : R).
Hypothesis Hg : guarantee eta alpha.
Hypothesis Hm : (1 <= m)%nat.
Let L := margin_limit (INR (n - 1)) eta alpha.

Lemma book_floor K Q g : address_book n d K Q g -> g > L ->
  exact_floor n m d d_v eta alpha K Q.
Proof. intros HK HL. apply four_cache_margin with g; auto. apply HK. Qed.

Lemma limit_nonneg : 0 <= L.
Proof. now apply margin_limit_nonneg. Qed.

(** d >= n, C > L. *)
Theorem four_cache_orthonormal : (n <= d)%nat -> C > L ->
  exact_floor n m d d_v eta alpha unit_key (key_query C unit_key).
Proof.
  intros Hd HC. pose proof limit_nonneg. apply book_floor with C; [|exact HC].
  apply keys_orthonormal; [exact Hd|lra].
Qed.

(** d >= log₂ n, 2C > L: the paper's d = Ω(log n), with constant 1. *)
Theorem four_cache_binary : (n <= 2 ^ d)%nat -> 2 * C > L ->
  exact_floor n m d d_v eta alpha binary_key (binary_query C).
Proof.
  intros Hd HC. pose proof limit_nonneg.
  apply four_cache_margin with (2 * C); auto. intros i Hi. apply keys_binary; auto; lra.
Qed.

(** d >= 2, C > L: whole numbers of O(log n) bits. *)
Theorem four_cache_parabola : (2 <= d)%nat -> C > L ->
  exact_floor n m d d_v eta alpha parabola_key (parabola_query C).
Proof.
  intros Hd HC. pose proof limit_nonneg.
  apply four_cache_margin with C; auto. intros i Hi. apply keys_parabola; auto; lra.
Qed.

(** 2d >= n, C > L. *)
Theorem four_cache_signed_axes : (n <= 2 * d)%nat -> C > L ->
  exact_floor n m d d_v eta alpha axis_key (key_query C axis_key).
Proof.
  intros Hd HC. pose proof limit_nonneg. apply book_floor with C; [|exact HC].
  apply keys_signed_axes; [exact Hd|lra].
Qed.

(** 2d(d-1) >= n, C > L. *)
Theorem four_cache_roots_d : (n <= 2 * d * (d - 1))%nat -> C > L ->
  exact_floor n m d d_v eta alpha (root_key d) (key_query C (root_key d)).
Proof.
  intros Hd HC. pose proof limit_nonneg. apply book_floor with C; [|exact HC].
  apply keys_roots_d; [exact Hd|lra].
Qed.

(** d >= 8, n <= 240, 4C > L. *)
Theorem four_cache_e8 : (n <= 240)%nat -> (8 <= d)%nat -> C * 4 > L ->
  exact_floor n m d d_v eta alpha (code_key e8) (key_query C (code_key e8)).
Proof.
  intros Hn Hd HC. pose proof limit_nonneg. apply book_floor with (C * 4); [|exact HC].
  apply keys_e8; [exact Hn|exact Hd|lra].
Qed.

(** d >= 2, C (1 - cos(2π/n)) > L, C being the norm of the queries. *)
Theorem four_cache_polygon : (2 <= n)%nat -> (2 <= d)%nat -> 0 <= C ->
  C * (1 - cos (2 * PI / INR n)) > L ->
  exact_floor n m d d_v eta alpha (polygon_key n) (key_query C (polygon_key n)).
Proof.
  intros Hn Hd HC HL. apply four_cache_margin with (C * (1 - cos (2 * PI / INR n))); auto.
  now apply keys_polygon.
Qed.

(** Unit vectors at cosines of at most c, C (1 - c) > L, C being the norm of the queries. *)
Theorem four_cache_spherical K c : 0 <= C ->
  (forall i, (i < n)%nat -> dot d K i i = 1) ->
  (forall i j, (i < n)%nat -> (j < n)%nat -> j <> i -> dot d K i j <= c) ->
  C * (1 - c) > L ->
  exact_floor n m d d_v eta alpha K (key_query C K).
Proof.
  intros HC H1 Hc HL. apply four_cache_margin with (C * (1 - c)); auto.
  now apply keys_spherical.
Qed.

(** Signs with inner products of at most ε d exist for d > 2 ln(2n) / ε²; C (1 - ε) d > L. *)
Theorem four_cache_random_signs eps : (1 <= n)%nat -> 0 < eps -> 0 <= C ->
  INR d > 2 * ln (2 * INR n) / (eps * eps) -> C * ((1 - eps) * INR d) > L ->
  exists K, sign_matrix K /\ exact_floor n m d d_v eta alpha K (key_query C K).
Proof.
  intros Hn Heps HC Hd HL.
  destruct (sign_keys_dimension n d eps Hn Heps Hd) as (l & <- & Hl).
  exists (fun j c => sign (List.nth c (List.nth j l nil) false)). split.
  - intros j c. unfold sign. destruct (List.nth c _ false); auto.
  - apply four_cache_margin with (C * ((1 - eps) * INR d)); auto.
    intros i Hi. exact (sign_keys_margin d eps l C i HC Hl Hi).
Qed.

End Families.

(** ** The families with the self token *)

Section SelfFamilies.
Variables (n m d d_v : nat) (eta alpha C : R).
Hypothesis Hg : guarantee eta alpha.
Hypothesis Hm : (1 <= m)%nat.
Hypothesis Hn : (1 <= n)%nat.
Hypothesis HC : 0 <= C.
Let L := margin_limit (self_competitors n m) eta alpha.

Theorem four_cache_self_orthonormal : (n <= d)%nat -> C > L ->
  exact_floor_self n m d d_v eta alpha unit_key (key_query C unit_key).
Proof. intros Hd HL. apply four_cache_self_margin with C; auto. now apply keys_orthonormal. Qed.

Theorem four_cache_self_binary : (n <= 2 ^ d)%nat -> (2 <= d)%nat -> 2 * C > L ->
  exact_floor_self n m d d_v eta alpha binary_key (binary_query C).
Proof.
  intros Hd Hd2 HL. apply four_cache_self_margin with (2 * C); auto. now apply keys_binary_book.
Qed.

Theorem four_cache_self_parabola : (2 <= d)%nat -> C > L ->
  exact_floor_self n m d d_v eta alpha parabola_key_1 (parabola_query_1 C).
Proof. intros Hd HL. apply four_cache_self_margin with C; auto. now apply keys_parabola_book. Qed.

Theorem four_cache_self_signed_axes : (n <= 2 * d)%nat -> C > L ->
  exact_floor_self n m d d_v eta alpha axis_key (key_query C axis_key).
Proof. intros Hd HL. apply four_cache_self_margin with C; auto. now apply keys_signed_axes. Qed.

Theorem four_cache_self_roots_d : (n <= 2 * d * (d - 1))%nat -> C > L ->
  exact_floor_self n m d d_v eta alpha (root_key d) (key_query C (root_key d)).
Proof. intros Hd HL. apply four_cache_self_margin with C; auto. now apply keys_roots_d. Qed.

Theorem four_cache_self_e8 : (n <= 240)%nat -> (8 <= d)%nat -> C * 4 > L ->
  exact_floor_self n m d d_v eta alpha (code_key e8) (key_query C (code_key e8)).
Proof.
  intros Hn8 Hd HL. apply four_cache_self_margin with (C * 4); auto. now apply keys_e8.
Qed.

End SelfFamilies.
