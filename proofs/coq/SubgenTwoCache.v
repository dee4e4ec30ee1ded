(** U3 `subgen-two-cache`: SubGen on the rows of K_1⊘K_2 and V_1⊘V_2, as tokens bring them; and
    why the factors stay. *)
From Coq Require Import Reals Lra Lia Arith List Permutation.
From KVFloor Require Import Sums Attention Norms Chance CoveringNumber Subgen.
Import ListNotations.
Open Scope R_scope.

(** ** The rows, in the order in which tokens bring them *)

(** The pairs that token i makes with those before, and with itself. *)
Definition new_pairs (i : nat) : list (nat * nat) :=
  flat_map (fun l => [(l, i); (i, l)]) (seq 0 i) ++ [(i, i)].

(** Those of the tokens before n. *)
Definition pair_stream (n : nat) : list (nat * nat) := flat_map new_pairs (seq 0 n).

Lemma pair_stream_next n : pair_stream (S n) = pair_stream n ++ new_pairs n.
Proof. unfold pair_stream. rewrite seq_S, flat_map_app. simpl. now rewrite app_nil_r. Qed.

Lemma new_pairs_length i : length (new_pairs i) = (2 * i + 1)%nat.
Proof.
  unfold new_pairs. rewrite app_length. simpl length at 2.
  assert (H : forall ls, length (flat_map (fun l => [(l, i); (i, l)]) ls) = (2 * length ls)%nat).
  { induction ls as [|l ls IH]; simpl; [reflexivity|]. rewrite IH. lia. }
  now rewrite H, seq_length.
Qed.

Lemma pair_stream_length n : length (pair_stream n) = (n * n)%nat.
Proof.
  induction n as [|n IH]; [reflexivity|].
  rewrite pair_stream_next, app_length, IH, new_pairs_length. lia.
Qed.

Lemma in_new_pairs i j l : In (j, l) (new_pairs i) <-> (j = i /\ l <= i \/ l = i /\ j <= i)%nat.
Proof.
  unfold new_pairs. rewrite in_app_iff, in_flat_map. split.
  - intros [(x & Hx & [E|[E|[]]])|[E|[]]]; try apply in_seq in Hx; injection E as <- <-; lia.
  - intros H. destruct (Nat.eq_dec j l) as [<-|Hne].
    + right. left. f_equal; lia.
    + left. destruct H as [[-> H]|[-> H]].
      * exists l. split; [apply in_seq; lia|]. right. now left.
      * exists j. split; [apply in_seq; lia|]. now left.
Qed.

Lemma in_pair_stream n j l : In (j, l) (pair_stream n) <-> (j < n /\ l < n)%nat.
Proof.
  unfold pair_stream. rewrite in_flat_map. split.
  - intros (i & Hi & H). apply in_seq in Hi. apply in_new_pairs in H. lia.
  - intros H. exists (Nat.max j l). split; [apply in_seq; lia|]. apply in_new_pairs. lia.
Qed.

Lemma all_pairs n ps : length ps = (n * n)%nat ->
  (forall j l, (j < n /\ l < n)%nat -> In (j, l) ps) ->
  Permutation (map (fun t => (t / n, t mod n)%nat) (seq 0 (n * n))) ps.
Proof.
  intros Hlen Hall. destruct (Nat.eq_dec n 0) as [->|Hn].
  { destruct ps; [constructor|discriminate]. }
  apply NoDup_Permutation_bis.
  - apply FinFun.Injective_map_NoDup; [|apply seq_NoDup]. intros t t' E. injection E as E1 E2.
    rewrite (Nat.div_mod t n), (Nat.div_mod t' n) by exact Hn. congruence.
  - rewrite map_length, seq_length. lia.
  - intros [j l] H. apply in_map_iff in H as (t & E & Ht). injection E as <- <-.
    apply in_seq in Ht. apply Hall. split; [apply Nat.div_lt_upper_bound; lia|].
    now apply Nat.mod_upper_bound.
Qed.

(** Token i, counted from 0, brings 2i + 1 pairs; those of n tokens are all pairs, each once. *)
Theorem subgen_two_cache_rows n :
  (forall i, length (new_pairs i) = (2 * i + 1)%nat) /\
  Permutation (pair_stream n) (list_prod (seq 0 n) (seq 0 n)).
Proof.
  split; [exact new_pairs_length|].
  transitivity (map (fun t => (t / n, t mod n)%nat) (seq 0 (n * n))).
  - symmetry. apply all_pairs; [apply pair_stream_length|]. intros j l. apply in_pair_stream.
  - apply all_pairs; [now rewrite prod_length, seq_length|]. intros j l [Hj Hl].
    apply in_prod; apply in_seq; lia.
Qed.

Lemma lsum_permutation {A} (f : A -> R) l l' : Permutation l l' -> lsum f l = lsum f l'.
Proof. induction 1; simpl; lra. Qed.

(** A sum over the pairs that n tokens bring. *)
Lemma lsum_stream (f : nat * nat -> R) n :
  lsum f (pair_stream n) = rsum n (fun j => rsum n (fun l => f (j, l))).
Proof.
  rewrite (lsum_permutation f _ _ (proj2 (subgen_two_cache_rows n))), lsum_list_prod, lsum_seq.
  apply rsum_ext. intros j _. apply lsum_seq.
Qed.

(** ** SubGen on these rows *)

Definition product_row (A1 A2 : matrix) (p : nat * nat) : vector := mul (A1 (fst p)) (A2 (snd p)).

Lemma product_dot d q K1 K2 p : dot d q (product_row K1 K2 p) = logit2 d q K1 K2 (fst p) (snd p).
Proof. apply rsum_ext. intros. unfold product_row, mul. ring. Qed.

Section Tokens.
Variables (n d : nat) (q : vector) (K1 K2 : matrix).

(** The normaliser of order 2. *)
Definition total2 : R := rsum n (fun j => rsum n (fun l => exp (logit2 d q K1 K2 j l))).

Lemma exps_of_rows : exps d q (map (product_row K1 K2) (pair_stream n)) = total2.
Proof.
  unfold exps. rewrite lsum_map, lsum_stream. apply rsum_ext. intros j _. apply rsum_ext.
  intros l _. now rewrite product_dot.
Qed.

Section Clusters.
Variables (t : nat) (clusters : list (list vector)).
Hypothesis Ht : (1 <= t)%nat.
Hypothesis Hne : forall cluster, In cluster clusters -> cluster <> [].
Hypothesis Hall : Permutation (concat clusters) (map (product_row K1 K2) (pair_stream n)).

(** Whatever the clusters of rows: the normaliser is unbiased. *)
Theorem subgen_two_cache_normaliser_unbiased :
  expectation (normaliser d t q clusters) added = total2.
Proof.
  rewrite subgen_normaliser_unbiased by assumption. unfold exps.
  rewrite (lsum_permutation _ _ _ Hall). apply exps_of_rows.
Qed.

(** Its variance, if the rows of a cluster are within delta of a centre. *)
Theorem subgen_two_cache_normaliser_variance r delta :
  0 <= r * delta -> norm2 d q <= r ->
  (forall cluster, In cluster clusters -> exists centre,
     forall k, In k cluster -> norm2 d (sub k centre) <= delta) ->
  let rho := exp (2 * r * delta) in
  variance (normaliser d t q clusters) added
    <= total2 * total2 * ((rho - 1) * (rho - 1) / (4 * rho * INR t)).
Proof.
  intros Hd Hr Hc rho.
  pose proof (subgen_normaliser_variance d t q clusters Ht Hne r delta Hd Hr Hc) as H. cbv zeta in H. fold rho in H.
  assert (E : exps d q (concat clusters) = total2).
  { unfold exps. rewrite (lsum_permutation _ _ _ Hall). apply exps_of_rows. }
  now rewrite E in H.
Qed.
End Clusters.

Section Values.
Variables (d_v s : nat) (V1 V2 : matrix).
Hypothesis Hs : (1 <= s)%nat.

(** Rows of keys and of values. *)
Definition rows_of_tokens : list (vector * vector) :=
  map (fun p => (product_row K1 K2 p, product_row V1 V2 p)) (pair_stream n).

(** The numerator is unbiased: over the normaliser it is attention of order 2. *)
Theorem subgen_two_cache_values_unbiased c : (1 <= n)%nat -> (c < d_v)%nat ->
  expectation (slots d_v s rows_of_tokens) (lsum (slot_term d d_v s q rows_of_tokens c))
    = attention2 n n d q K1 K2 V1 V2 c * total2.
Proof.
  intros Hn Hc. rewrite subgen_values_unbiased by assumption.
  unfold rows_of_tokens. rewrite lsum_map, lsum_stream.
  assert (HZ : 0 < total2).
  { unfold total2. destruct n as [|k]; [lia|]. simpl.
    assert (forall j, 0 <= rsum k (fun l => exp (logit2 d q K1 K2 j l)))
      by (intros; apply rsum_nonneg; intros; left; apply exp_pos).
    assert (0 <= rsum k (fun j => rsum k (fun l => exp (logit2 d q K1 K2 j l))
      + exp (logit2 d q K1 K2 j k))).
    { apply rsum_nonneg. intros j _. specialize (H j). pose proof (exp_pos (logit2 d q K1 K2 j k)).
      lra. }
    specialize (H k). pose proof (exp_pos (logit2 d q K1 K2 k k)). lra. }
  unfold attention2, weight2. fold total2. rewrite <- rsum_scal_r. apply rsum_ext. intros j _.
  rewrite <- rsum_scal_r. apply rsum_ext. intros l _. cbn [fst snd]. rewrite product_dot.
  unfold product_row, mul. cbn [fst snd]. field. lra.
Qed.

(** Its variance: ‖V_1⊘V_2‖_F²/s times the sum of the squares of the exponentials. *)
Theorem subgen_two_cache_values_variance :
  rsum d_v (fun c => variance (slots d_v s rows_of_tokens)
                       (lsum (slot_term d d_v s q rows_of_tokens c)))
    <= rsum n (fun j => rsum n (fun l => rsum d_v (fun c =>
         (V1 j c * V2 l c) * (V1 j c * V2 l c)))) / INR s
       * rsum n (fun j => rsum n (fun l =>
           exp (logit2 d q K1 K2 j l) * exp (logit2 d q K1 K2 j l))).
Proof.
  eapply Rle_trans; [now apply subgen_values_variance|]. apply Req_le. f_equal; [f_equal|].
  - unfold mass, rows_of_tokens. rewrite lsum_map, lsum_stream. reflexivity.
  - unfold rows_of_tokens. rewrite lsum_map, lsum_stream. apply rsum_ext. intros j _.
    apply rsum_ext. intros l _. cbn [fst]. now rewrite product_dot.
Qed.
End Values.
End Tokens.

(** ** Clusters of products *)

(** Points within delta of the centres fall into clusters, at most one for each centre. *)
Lemma clusters_of_points d delta centres points :
  (forall x, In x points -> exists z, In z centres /\ norm2 d (sub x z) <= delta) ->
  exists cl, (length cl <= length centres)%nat /\ Permutation (concat cl) points /\
    (forall cluster, In cluster cl -> cluster <> [] /\
       exists z, In z centres /\ forall x, In x cluster -> norm2 d (sub x z) <= delta).
Proof.
  revert points. induction centres as [|z zs IH]; intros points H.
  - exists [].
    destruct points as [|x points]; [|destruct (H x (or_introl eq_refl)) as (z & [] & _)].
    split; [simpl; lia|]. split; [constructor|]. intros cluster [].
  - set (near x := if Rle_dec (norm2 d (sub x z)) delta then true else false).
    assert (Hnear : forall x, near x = true <-> norm2 d (sub x z) <= delta).
    { intros x. unfold near. destruct (Rle_dec (norm2 d (sub x z)) delta); split; intros; auto;
        try discriminate; contradiction. }
    destruct (IH (filter (fun x => negb (near x)) points)) as (cl & Hlen & Hperm & Hcl).
    { intros x Hx. apply filter_In in Hx as [Hx Hfar]. destruct (H x Hx) as (y & [<-|Hy] & Hle).
      - apply Hnear in Hle. rewrite Hle in Hfar. discriminate.
      - now exists y. }
    assert (Hrest : forall cluster, In cluster cl -> cluster <> [] /\
      exists y, In y (z :: zs) /\ forall x, In x cluster -> norm2 d (sub x y) <= delta).
    { intros cluster Hin. destruct (Hcl cluster Hin) as (Hne & y & Hy & Hle).
      split; [exact Hne|]. exists y. split; [now right|exact Hle]. }
    assert (Hsplit : Permutation (filter near points ++ filter (fun x => negb (near x)) points)
                       points).
    { clear. induction points as [|x points IH]; simpl; [constructor|].
      destruct (near x); simpl; [now constructor|].
      etransitivity; [symmetry; apply Permutation_middle|]. now constructor. }
    destruct (filter near points) as [|x0 rest] eqn:E.
    + exists cl. split; [simpl; lia|]. split; [|exact Hrest].
      etransitivity; [exact Hperm|exact Hsplit].
    + exists ((x0 :: rest) :: cl). split; [simpl; lia|]. split.
      * change (concat ((x0 :: rest) :: cl)) with ((x0 :: rest) ++ concat cl).
        etransitivity; [apply Permutation_app_head, Hperm|exact Hsplit].
      * intros cluster [<-|Hin]; [|now apply Hrest]. split; [discriminate|]. exists z.
        split; [now left|]. intros x Hx. apply Hnear. rewrite <- E in Hx.
        now apply filter_In in Hx.
Qed.

(** Keys of slot r that cluster within δ_r of m_r of them make rows that fall into m_1 m_2 clusters
    of radius R_2 δ_1 + R_1 δ_2, so these samples are enough. *)
Theorem subgen_two_cache_clusters n d K1 K2 m1 m2 delta1 delta2 R1 R2 :
  (forall j, (j < n)%nat -> norm_sup d (K1 j) <= R1) ->
  (forall l, (l < n)%nat -> norm_sup d (K2 l) <= R2) ->
  clusterable d (fun k => exists j, (j < n)%nat /\ k = K1 j) m1 delta1 ->
  clusterable d (fun k => exists l, (l < n)%nat /\ k = K2 l) m2 delta2 ->
  exists cl, (length cl <= m1 * m2)%nat /\
    Permutation (concat cl) (map (product_row K1 K2) (pair_stream n)) /\
    (forall cluster, In cluster cl -> cluster <> [] /\ exists centre,
       forall k, In k cluster -> norm2 d (sub k centre) <= R2 * delta1 + R1 * delta2).
Proof.
  intros H1 H2 C1 C2.
  destruct (fun HR1 HR2 => covering_number_clusterable d
    (fun k => exists j, (j < n)%nat /\ k = K1 j) (fun k => exists l, (l < n)%nat /\ k = K2 l) m1 m2 delta1 delta2 R1 R2 HR1 HR2 C1 C2)
    as (centres & Hlen & _ & Hcl).
  - intros k (j & Hj & ->). auto.
  - intros k (j & Hj & ->). auto.
  - destruct (clusters_of_points d (R2 * delta1 + R1 * delta2) centres
      (map (product_row K1 K2) (pair_stream n))) as (cl & Hn & Hperm & Hcl').
    + intros x Hx. apply in_map_iff in Hx as ([j l] & <- & Hjl). apply in_pair_stream in Hjl.
      apply Hcl. exists (K1 j), (K2 l). repeat split; [now exists j|now exists l].
    + exists cl. rewrite <- Hlen. split; [exact Hn|]. split; [exact Hperm|]. intros cluster Hin.
      destruct (Hcl' cluster Hin) as (Hne & z & _ & Hz). split; [exact Hne|]. now exists z.
Qed.

(** ** Why the factors stay *)

(** Two streams whose n tokens have made the same rows may make other ones with the same token. *)
Theorem subgen_two_cache_factors n d : (1 <= n)%nat -> (1 <= d)%nat ->
  exists K1 K2 K1' K2' : matrix,
    (forall p c, In p (pair_stream n) -> product_row K1 K2 p c = product_row K1' K2' p c) /\
    (forall c, K1 n c = K1' n c /\ K2 n c = K2' n c) /\
    (exists p c, In p (new_pairs n) /\ (c < d)%nat /\
       product_row K1 K2 p c <> product_row K1' K2' p c).
Proof.
  intros Hn Hd. exists (fun _ _ => 1), (fun _ _ => 1),
    (fun j _ => if j <? n then 2 else 1), (fun l _ => if l <? n then / 2 else 1).
  split; [|split].
  - intros [j l] c H. apply in_pair_stream in H as [Hj Hl]. unfold product_row, mul. simpl.
    apply Nat.ltb_lt in Hj, Hl. rewrite Hj, Hl. field.
  - intros c. now rewrite Nat.ltb_irrefl.
  - exists (0%nat, n), 0%nat. split; [apply in_new_pairs; lia|]. split; [lia|].
    unfold product_row, mul. simpl. rewrite Nat.ltb_irrefl.
    destruct (Nat.ltb_spec 0 n); [lra|lia].
Qed.
