(** T6 `random-instance-fails`: a deterministic cache k bits under the floor answers all queries
    of a uniform instance with probability at most 2^-k. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Guarantee Bits Entropy IndexRandomized DecodeThreshold
  Padded Readable Serves FourCacheOrder.
Import ListNotations.
Open Scope R_scope.

(** Whether every one of the N queries of instance x is answered accurately. *)
Definition all_accurate (N : nat) (eta alpha : R) (out : list bool -> nat -> R)
    (state : list bool -> list bool) (answer : list bool -> nat -> R) (x : list bool) : bool :=
  forallb (fun k => if accurate_dec eta alpha (answer (state x) k) (out x k) then true else false)
    (seq 0 N).

(** How many of the 2^N instances are answered accurately at every query. *)
Definition answered N eta alpha out state answer : nat :=
  length (filter (all_accurate N eta alpha out state answer) (bitstrings N)).

Lemma all_accurate_spec N eta alpha out state answer x :
  all_accurate N eta alpha out state answer x = true <->
  forall k, (k < N)%nat -> accurate eta alpha (answer (state x) k) (out x k).
Proof.
  unfold all_accurate. rewrite forallb_forall. split; intros H k Hk.
  - specialize (H k ltac:(apply in_seq; lia)).
    destruct (accurate_dec _ _ _ _); [assumption|discriminate].
  - apply in_seq in Hk. destruct (accurate_dec _ _ _ _) as [|G]; [reflexivity|].
    exfalso. apply G, H. lia.
Qed.

Lemma NoDup_map_on {A B} (f : A -> B) l : NoDup l ->
  (forall x y, In x l -> In y l -> f x = f y -> x = y) -> NoDup (map f l).
Proof.
  induction 1 as [|a l Ha Hl IH]; intros Hinj; simpl; constructor.
  - intros Hin. apply in_map_iff in Hin as (b & E & Hb). apply Ha.
    rewrite <- (Hinj b a); simpl; auto.
  - apply IH. intros; apply Hinj; simpl; auto.
Qed.

Section Counting.
Variables (N : nat) (eta alpha theta : R) (out : list bool -> nat -> R).
Hypothesis Hread : readable N eta alpha theta out.
Variables (state : list bool -> list bool) (answer : list bool -> nat -> R).

(** A state decodes to one instance. *)
Lemma answered_injective x y : length x = N -> length y = N ->
  all_accurate N eta alpha out state answer x = true ->
  all_accurate N eta alpha out state answer y = true -> state x = state y -> x = y.
Proof.
  intros Hx Hy Ax Ay E. rewrite all_accurate_spec in Ax, Ay.
  destruct (list_eq_dec bool_dec x y) as [|Hne]; [assumption|exfalso].
  destruct (differ_somewhere x y ltac:(congruence) Hne) as (k & Hk & Hd). rewrite Hx in Hk.
  pose proof (Hread x k _ Hx Hk (Ax k Hk)) as Gx. pose proof (Hread y k _ Hy Hk (Ay k Hk)) as Gy.
  rewrite E in Gx. destruct (nth k x false), (nth k y false); intuition congruence.
Qed.

(** At most as many instances are answered as there are states. *)
Theorem random_instance_fails_states (states : list (list bool)) :
  (forall x, length x = N -> In (state x) states) ->
  (answered N eta alpha out state answer <= length states)%nat.
Proof.
  intros Hs. unfold answered. set (good := filter _ _).
  rewrite <- (map_length state good). apply NoDup_incl_length.
  - apply NoDup_map_on; [apply NoDup_filter, NoDup_bitstrings|].
    intros x y Hx Hy E. apply filter_In in Hx as [Hx Ax]. apply filter_In in Hy as [Hy Ay].
    apply in_bitstrings in Hx. apply in_bitstrings in Hy. now apply answered_injective.
  - intros m Hm. apply in_map_iff in Hm as (x & <- & Hx). apply filter_In in Hx as [Hx _].
    apply Hs, in_bitstrings, Hx.
Qed.

(** States of b bits, k under the floor: probability at most 2^-k. *)
Theorem random_instance_fails b k :
  (forall x, length x = N -> length (state x) = b) -> (b + k <= N)%nat ->
  INR (answered N eta alpha out state answer) / 2 ^ N <= / 2 ^ k.
Proof.
  intros Hb Hk.
  assert (H : (answered N eta alpha out state answer <= 2 ^ b)%nat).
  { rewrite <- bitstrings_length. apply random_instance_fails_states.
    intros x Hx. apply in_bitstrings. auto. }
  apply le_INR in H. rewrite pow_INR in H. change (INR 2) with 2 in H.
  assert (HN : 2 ^ N = 2 ^ (N - k) * 2 ^ k) by (rewrite <- pow_add; f_equal; lia).
  assert (Hbk : 2 ^ b <= 2 ^ (N - k)) by (apply Rle_pow; [lra|lia]).
  assert (H1 : 0 < 2 ^ (N - k)) by (apply pow_lt; lra).
  assert (H2 : 0 < 2 ^ k) by (apply pow_lt; lra).
  apply (Rmult_le_reg_r (2 ^ N)); [rewrite HN; now apply Rmult_lt_0_compat|].
  replace (INR (answered N eta alpha out state answer) / 2 ^ N * 2 ^ N)
    with (INR (answered N eta alpha out state answer)) by (field; rewrite HN; nra).
  rewrite HN. replace (/ 2 ^ k * (2 ^ (N - k) * 2 ^ k)) with (2 ^ (N - k)) by (field; lra).
  lra.
Qed.

(** States of varying length, up to b bits, are 2^(b+1) - 1 in number: that costs one bit. *)
Theorem random_instance_fails_up_to b k :
  (forall x, length x = N -> (length (state x) <= b)%nat) -> (b + k + 1 <= N)%nat ->
  INR (answered N eta alpha out state answer) / 2 ^ N < / 2 ^ k.
Proof.
  intros Hb Hk.
  assert (H : (answered N eta alpha out state answer < 2 ^ S b)%nat).
  { rewrite <- bitstrings_upto_length. apply Nat.lt_succ_r, random_instance_fails_states.
    intros x Hx. apply in_bitstrings_upto. auto. }
  apply lt_INR in H. rewrite pow_INR in H. change (INR 2) with 2 in H.
  assert (HN : 2 ^ N = 2 ^ (N - k) * 2 ^ k) by (rewrite <- pow_add; f_equal; lia).
  assert (Hbk : 2 ^ S b <= 2 ^ (N - k)) by (apply Rle_pow; [lra|lia]).
  assert (H1 : 0 < 2 ^ (N - k)) by (apply pow_lt; lra).
  assert (H2 : 0 < 2 ^ k) by (apply pow_lt; lra).
  apply (Rmult_lt_reg_r (2 ^ N)); [rewrite HN; now apply Rmult_lt_0_compat|].
  replace (INR (answered N eta alpha out state answer) / 2 ^ N * 2 ^ N)
    with (INR (answered N eta alpha out state answer)) by (field; rewrite HN; nra).
  rewrite HN. replace (/ 2 ^ k * (2 ^ (N - k) * 2 ^ k)) with (2 ^ (N - k)) by (field; lra).
  lra.
Qed.

End Counting.

(** With public coins and mean error δ over instances and queries, b >= (1 - H₂(δ)) N: so a cache
    of b bits has at least N H₂⁻¹(1 - b/N) wrong symbols on average. *)
Theorem random_instance_fails_mean N b T w delta eta alpha theta out
    (state : nat -> list bool -> list bool) (answer : nat -> list bool -> nat -> R) :
  distribution T w -> 0 <= delta <= 1 / 2 ->
  readable N eta alpha theta out ->
  (forall r x, (r < T)%nat -> length x = N -> length (state r x) = b) ->
  lsum (fun x => rsum N (fun k =>
      rsum T (fun r => w r * failure eta alpha (answer r (state r x) k) (out x k)))) (bitstrings N)
    <= delta * (INR N * 2 ^ N) ->
  (1 - H2 delta) * INR N <= INR b.
Proof.
  intros Hw Hdelta Hread Hstate Hmean.
  apply (index_randomized_average T w N b state
    (fun r msg k => if Rle_dec theta (answer r msg k) then true else false) delta
    Hw Hdelta Hstate).
  eapply Rle_trans; [|exact Hmean]. apply lsum_le. intros x Hx. apply in_bitstrings in Hx.
  apply rsum_le. intros k Hk. apply rsum_le. intros r Hr.
  apply Rmult_le_compat_l; [apply Hw, Hr|]. unfold failure, wrong.
  destruct (accurate_dec _ _ _ _) as [G|G]; [|destruct (Bool.eqb _ _); lra].
  pose proof (Hread x k _ Hx Hk G) as Hiff.
  destruct (Rle_dec theta _) as [Hle|Hn].
  - rewrite (proj1 Hiff (Rle_ge _ _ Hle)); simpl; lra.
  - destruct (nth k x false); simpl; [|lra]. exfalso. apply Hn, Rge_le, Hiff. reflexivity.
Qed.

(** The bound is attained: keeping the first b bits answers 2^b of the instances. *)
Theorem random_instance_fails_met N b eta alpha (out : list bool -> nat -> R) :
  0 <= eta -> 0 <= alpha -> (b <= N)%nat ->
  exists (state : list bool -> list bool) (answer : list bool -> nat -> R),
    (forall x, length x = N -> length (state x) = b) /\
    (2 ^ b <= answered N eta alpha out state answer)%nat.
Proof.
  intros He Ha Hb. set (pad := fun m => m ++ repeat false (N - b)).
  exists (firstn b), (fun m k => out (pad m) k). split.
  - intros x Hx. rewrite firstn_length. lia.
  - unfold answered. rewrite <- bitstrings_length, <- (map_length pad (bitstrings b)).
    apply NoDup_incl_length.
    + apply NoDup_map_on; [apply NoDup_bitstrings|]. intros x y _ _ E.
      now apply app_inv_tail in E.
    + intros x Hx. apply in_map_iff in Hx as (m & <- & Hm). apply in_bitstrings in Hm.
      apply filter_In. split.
      * apply in_bitstrings. unfold pad. rewrite app_length, repeat_length. lia.
      * apply all_accurate_spec. intros k _.
        assert (E : firstn b (pad m) = m).
        { unfold pad. rewrite <- Hm. rewrite firstn_app, Nat.sub_diag, firstn_all, firstn_O.
          apply app_nil_r. }
        rewrite E. now apply accurate_exact.
Qed.

(** T6 for tensor attention of order m: of the 2^(n d_v) value matrices, a cache of b bits
    answers at most the part 2^-k at every query, if b + k <= n d_v. *)
Theorem random_instance_fails_four_cache n m d d_v eta alpha g K Q
    (state : matrix -> list bool) (answer : reader) b k :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  leak (n - 1) g < leak_limit eta alpha ->
  (forall V, zero_one V -> length (state V) = b) -> (b + k <= n * d_v)%nat ->
  INR (answered (n * d_v) eta alpha (family 0 d_v (order_out 0 n m d K) Q)
         (fun x => state (rows_from 0 d_v x))
         (fun msg j => answer msg (Q (j / d_v)%nat) (j mod d_v)%nat)) / 2 ^ (n * d_v) <= / 2 ^ k.
Proof.
  intros Hg Hm HK HL Hb Hk.
  apply (random_instance_fails _ _ _ (threshold eta alpha)) with (b := b); [| |exact Hk].
  - apply readable_order with g; auto. now apply margin_window.
  - intros x _. apply Hb, zero_one_bitval.
Qed.

(** ** States of varying length *)

(** With states of up to b bits, b + 1 stands for b. *)
Theorem random_instance_fails_mean_up_to N b T w delta eta alpha theta out
    (state : nat -> list bool -> list bool) (answer : nat -> list bool -> nat -> R) :
  distribution T w -> 0 <= delta <= 1 / 2 ->
  readable N eta alpha theta out ->
  (forall r x, (r < T)%nat -> length x = N -> (length (state r x) <= b)%nat) ->
  lsum (fun x => rsum N (fun k =>
      rsum T (fun r => w r * failure eta alpha (answer r (state r x) k) (out x k)))) (bitstrings N)
    <= delta * (INR N * 2 ^ N) ->
  (1 - H2 delta) * INR N <= INR (b + 1).
Proof.
  intros Hw Hdelta Hread Hstate Hmean.
  apply (random_instance_fails_mean N (b + 1) T w delta eta alpha theta out
    (fun r x => pad b (state r x)) (fun r msg => answer r (unpad msg)) Hw Hdelta Hread).
  - intros r x Hr Hx. now apply pad_length, Hstate.
  - eapply Rle_trans; [|exact Hmean]. right. apply lsum_ext. intros x _.
    apply rsum_ext. intros k _. apply rsum_ext. intros r _. now rewrite unpad_pad.
Qed.
