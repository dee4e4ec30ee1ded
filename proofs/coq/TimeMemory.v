(** T3 `time-memory`: what the two-cache saves, and that factoring saves as much without it.
    Evaluations are programs of scalar operations on numbers of any type: run on reals they give
    the attention of D1, and their operations are counted. *)
From Coq Require Import Reals Lra Lia Arith List.
From KVFloor Require Import Sums Bits Attention KhatriRao Programs.
Import ListNotations.
Open Scope nat_scope.

(** ** Counting *)

Lemma run_bind {A B} (p : program R A) (k : A -> program R B) : run (bind p k) = run (k (run p)).
Proof. induction p; simpl; auto. Qed.

Lemma count_bind k {A B} (p : program R A) (f : A -> program R B) :
  count k (bind p f) = count k p + count k (f (run p)).
Proof. induction p; simpl; [reflexivity|]. rewrite H. lia. Qed.

Lemma count_table k {A} (blank : A) n f m :
  (forall j, j < n -> count k (f j) = m) -> count k (table R blank n f) = n * m.
Proof.
  induction n; intros H; [reflexivity|]. simpl. rewrite !count_bind. simpl.
  rewrite IHn, H; [lia|lia|]. intros; apply H; lia.
Qed.

Lemma run_table {A} (blank : A) n f j : j < n -> run (table R blank n f) j = run (f j).
Proof.
  induction n; intros Hj; [lia|]. simpl. rewrite !run_bind. simpl.
  destruct (Nat.eqb_spec j n) as [->|]; [reflexivity|]. apply IHn. lia.
Qed.

Lemma count_total k n f :
  count k (total R 0%R n f) = match k with additions => n - 1 | _ => 0 end.
Proof.
  induction n as [|n IH]; [destruct k; reflexivity|].
  destruct n; [destruct k; reflexivity|].
  change (total R 0%R (S (S n)) f) with
    (bind (total R 0%R (S n) f) (fun s => do R (plus s (f (S n))))).
  rewrite count_bind, IH. destruct k; simpl; lia.
Qed.

Lemma run_total n f : run (total R 0%R n f) = rsum n f.
Proof.
  induction n as [|n IH]; [reflexivity|]. destruct n; [simpl; ring|].
  change (total R 0%R (S (S n)) f) with
    (bind (total R 0%R (S n) f) (fun s => do R (plus s (f (S n))))).
  rewrite run_bind, IH. reflexivity.
Qed.

Lemma count_do k o : count k (do R o) = is_of k o.
Proof. simpl. lia. Qed.

Lemma count_product k n x y :
  count k (product R 0%R n x y) = match k with multiplications => n | _ => 0 end.
Proof.
  unfold product, vector.
  rewrite (count_table k _ n _ (match k with multiplications => 1 | _ => 0 end)).
  - destruct k; lia.
  - intros j _. rewrite count_do. now destruct k.
Qed.

Lemma count_inner k n x y :
  count k (inner R 0%R n x y)
    = match k with multiplications => n | additions => n - 1 | _ => 0 end.
Proof.
  unfold inner. rewrite count_bind, count_total. fold (product R 0%R n x y).
  rewrite count_product. destruct k; lia.
Qed.

Lemma run_product n x y c : c < n -> run (product R 0%R n x y) c = (x c * y c)%R.
Proof. intros Hc. unfold product, vector. now rewrite run_table. Qed.

Lemma run_inner n x y : run (inner R 0%R n x y) = rsum n (fun c => x c * y c)%R.
Proof.
  unfold inner. rewrite run_bind, run_total. apply rsum_ext.
  intros c Hc. exact (run_product n x y c Hc).
Qed.

(** All three queries take as many exponentials, additions and divisions. *)
Definition other (k : kind) (n d d_v : nat) : nat :=
  match k with
  | multiplications => 0
  | additions => n * n * (d - 1) + (n * n - 1) * (1 + d_v)
  | divisions => d_v
  | exponentials => n * n
  end.

Lemma count_query_two k n d d_v q K V :
  count k (query_two R 0%R (n * n) d d_v q K V)
    = match k with multiplications => n * n * (d + d_v) | _ => other k n d d_v end.
Proof.
  unfold query_two. rewrite !count_bind. unfold vector.
  rewrite (count_table k _ (n * n) _
    (match k with multiplications => d | additions => d - 1 | exponentials => 1 | _ => 0 end)).
  - rewrite count_total.
    rewrite (count_table k _ d_v _ (match k with multiplications => n * n
      | additions => n * n - 1 | divisions => 1 | _ => 0 end)).
    + destruct k; simpl; lia.
    + intros c _. rewrite count_bind, count_inner, count_do. destruct k; simpl; lia.
  - intros t _. rewrite count_bind, count_inner, count_do. destruct k; simpl; lia.
Qed.

(** One query to the two-cache: n²(d + d_v) multiplications. *)
Theorem time_memory_two k n d d_v q K V :
  count k (query_two R 0%R (n * n) d d_v q K V)
    = match k with
      | multiplications => n * n * (d + d_v)
      | additions => n * n * (d - 1) + (n * n - 1) * (1 + d_v)
      | divisions => d_v
      | exponentials => n * n
      end.
Proof. rewrite count_query_two. now destruct k. Qed.

(** One query to the four-cache, products formed first: 2n²(d + d_v) multiplications. *)
Theorem time_memory_formed k n d d_v q K1 K2 V1 V2 :
  count k (query_formed R 0%R n d d_v q K1 K2 V1 V2)
    = match k with
      | multiplications => 2 * (n * n) * (d + d_v)
      | additions => n * n * (d - 1) + (n * n - 1) * (1 + d_v)
      | divisions => d_v
      | exponentials => n * n
      end.
Proof.
  unfold query_formed. rewrite !count_bind, count_query_two. unfold rows.
  rewrite (count_table k _ (n * n) _ (match k with multiplications => d | _ => 0 end))
    by (intros; apply count_product).
  rewrite (count_table k _ (n * n) _ (match k with multiplications => d_v | _ => 0 end))
    by (intros; apply count_product).
  destruct k; simpl; lia.
Qed.

(** One query to the four-cache, factored: (n² + n)(d + d_v) multiplications. *)
Theorem time_memory_factored k n d d_v q K1 K2 V1 V2 :
  count k (query_factored R 0%R n d d_v q K1 K2 V1 V2)
    = match k with
      | multiplications => (n * n + n) * (d + d_v)
      | additions => n * n * (d - 1) + (n * n - 1) * (1 + d_v)
      | divisions => d_v
      | exponentials => n * n
      end.
Proof.
  unfold query_factored. rewrite !count_bind. unfold rows, vector.
  rewrite (count_table k _ n _ (match k with multiplications => d | _ => 0 end))
    by (intros; apply count_product).
  rewrite (count_table k _ (n * n) _
    (match k with multiplications => d | additions => d - 1 | exponentials => 1 | _ => 0 end));
    [|intros; rewrite count_bind, count_inner, count_do; destruct k; simpl; lia].
  rewrite count_total.
  rewrite (count_table k _ d_v _ (match k with multiplications => n * n + n
      | additions => n * n - 1 | divisions => 1 | _ => 0 end)).
  - destruct k; simpl; lia.
  - intros c _. rewrite !count_bind, count_inner, count_do.
    rewrite (count_table k _ n _
      (match k with multiplications => n | additions => n - 1 | _ => 0 end))
      by (intros; apply count_inner).
    destruct k; simpl; nia.
Qed.

(** Appending token n to the two-cache: (2n-1)(d + d_v) multiplications; to the four-cache, none. *)
Theorem time_memory_append k n d d_v K1 K2 V1 V2 :
  count k (append_two R 0%R n d d_v K1 K2 V1 V2)
    = match k with multiplications => (2 * n - 1) * (d + d_v) | _ => 0 end.
Proof.
  assert (H : forall m A1 A2, count k (append_product R 0%R n m A1 A2)
            = match k with multiplications => (2 * n - 1) * m | _ => 0 end).
  { intros m A1 A2. unfold append_product. rewrite !count_bind. unfold rows.
    rewrite !(count_table k _ _ _ (match k with multiplications => m | _ => 0 end))
      by (intros; apply count_product).
    destruct k; simpl; nia. }
  unfold append_two. rewrite !count_bind, !H. destruct k; simpl; nia.
Qed.

(** A decoding step of the factored four-cache, a query and nothing to append, never costs more
    than one of the two-cache, in any operation; and less in multiplications from n = 2 on. *)
Theorem time_memory_domination k n d d_v q K V K1 K2 V1 V2 :
  count k (query_factored R 0%R n d d_v q K1 K2 V1 V2)
    <= count k (query_two R 0%R (n * n) d d_v q K V)
       + count k (append_two R 0%R n d d_v K1 K2 V1 V2).
Proof.
  rewrite time_memory_factored, time_memory_two, time_memory_append.
  destruct k; [|lia..]. assert (n * n + n <= n * n + (2 * n - 1)) by lia. nia.
Qed.

Theorem time_memory_domination_strict n d d_v q K V K1 K2 V1 V2 :
  2 <= n -> 1 <= d + d_v ->
  count multiplications (query_factored R 0%R n d d_v q K1 K2 V1 V2)
    < count multiplications (query_two R 0%R (n * n) d d_v q K V)
       + count multiplications (append_two R 0%R n d d_v K1 K2 V1 V2).
Proof.
  intros Hn Hd. rewrite time_memory_factored, time_memory_two, time_memory_append.
  assert (n * n + n < n * n + (2 * n - 1)) by lia. nia.
Qed.

(** The two-cache saves n²(d + d_v) multiplications over forming the products first. *)
Theorem time_memory_saves n d d_v q K V K1 K2 V1 V2 :
  count multiplications (query_formed R 0%R n d d_v q K1 K2 V1 V2)
    = count multiplications (query_two R 0%R (n * n) d d_v q K V) + n * n * (d + d_v).
Proof. rewrite time_memory_formed, time_memory_two. lia. Qed.

(** ** All three are right *)
Open Scope R_scope.

Lemma query_two_right n d d_v q K V K1 K2 V1 V2 c :
  (c < d_v)%nat ->
  (forall t c, (t < n * n)%nat -> (c < d)%nat -> K t c = khatri_rao n K1 K2 t c) ->
  (forall t c, (t < n * n)%nat -> (c < d_v)%nat -> V t c = khatri_rao n V1 V2 t c) ->
  run (query_two R 0 (n * n) d d_v q K V) c = attention2 n n d q K1 K2 V1 V2 c.
Proof.
  intros Hc HK HV. unfold query_two. rewrite !run_bind. unfold vector.
  rewrite run_table, run_bind, run_inner, run_total by exact Hc. simpl run.
  rewrite attention2_pair, pair_attention_flat. unfold output, weight.
  assert (Hw : forall t, (t < n * n)%nat ->
     run (table R 0 (n * n) (fun t => s <- inner R 0 d q (K t); do R (exponential s))) t
       = exp (logit2 d q K1 K2 (t / n) (t mod n))).
  { intros t Ht. rewrite run_table, run_bind, run_inner by exact Ht. simpl. f_equal.
    apply rsum_ext. intros c' Hc'. rewrite HK by assumption. unfold khatri_rao. ring. }
  unfold result. rewrite (rsum_ext _ _ _ Hw). unfold Rdiv. rewrite <- rsum_scal_r.
  apply rsum_ext. intros t Ht. rewrite Hw, HV by assumption. unfold khatri_rao. ring.
Qed.

Theorem time_memory_two_right n d d_v q K1 K2 V1 V2 c :
  (c < d_v)%nat ->
  run (query_two R 0 (n * n) d d_v q (khatri_rao n K1 K2) (khatri_rao n V1 V2)) c
    = attention2 n n d q K1 K2 V1 V2 c.
Proof. intros Hc. now apply query_two_right. Qed.

Theorem time_memory_formed_right n d d_v q K1 K2 V1 V2 c :
  (c < d_v)%nat ->
  run (query_formed R 0 n d d_v q K1 K2 V1 V2) c = attention2 n n d q K1 K2 V1 V2 c.
Proof.
  intros Hc. unfold query_formed. rewrite !run_bind.
  apply query_two_right; [exact Hc| |]; intros t c' Ht Hc'; unfold rows;
    now rewrite run_table, run_product.
Qed.

Theorem time_memory_factored_right n d d_v q K1 K2 V1 V2 c :
  (c < d_v)%nat ->
  run (query_factored R 0 n d d_v q K1 K2 V1 V2) c = attention2 n n d q K1 K2 V1 V2 c.
Proof.
  intros Hc. unfold query_factored. rewrite !run_bind. unfold vector.
  rewrite run_table, !run_bind, run_inner, run_total by exact Hc. simpl run. unfold result.
  set (w := run (table R 0 (n * n) _)).
  assert (Hw : forall t, (t < n * n)%nat -> w t = exp (logit2 d q K1 K2 (t / n) (t mod n))).
  { intros t Ht. unfold w. rewrite run_table, run_bind, run_inner by exact Ht. simpl. f_equal.
    assert (Hn : (t / n < n)%nat) by (apply Nat.div_lt_upper_bound; lia).
    apply rsum_ext. intros c' Hc'. unfold rows. rewrite run_table, run_product by assumption.
    reflexivity. }
  unfold attention2, weight2.
  rewrite (rsum_ext _ _ _ Hw), <- (rsum_flatten n n (fun j l => exp (logit2 d q K1 K2 j l))).
  set (Z := rsum n (fun j => rsum n _)). unfold Rdiv at 1. rewrite <- rsum_scal_r. apply rsum_ext. intros j Hj.
  rewrite run_table, run_inner, <- rsum_scal, <- rsum_scal_r by exact Hj.
  apply rsum_ext. intros l Hl. rewrite Hw by nia.
  rewrite pair_div, pair_mod by exact Hl. unfold Rdiv. ring.
Qed.

(** ** Why a two-cache that decodes keeps the factors too: the products of the tokens so far do
    not determine those with a new token. *)
Theorem time_memory_products_not_enough :
  exists K1 K2 K1' K2' : matrix,
    (forall c, khatri_rao 1 K1 K2 0%nat c = khatri_rao 1 K1' K2' 0%nat c) /\
    (forall c, K2 1%nat c = K2' 1%nat c) /\
    (forall c, khatri_rao 2 K1 K2 1%nat c <> khatri_rao 2 K1' K2' 1%nat c).
Proof.
  exists (fun _ _ => 1), (fun _ _ => 1), (fun _ _ => 2),
    (fun l _ => match l with O => / 2 | _ => 1 end).
  unfold khatri_rao. repeat split; intros; simpl; lra.
Qed.
