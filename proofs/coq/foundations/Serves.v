(** D4: a cache of at most b bits that is right about every 0/1 value matrix.  Keys and queries
    are public and fixed. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Guarantee Bits Entropy Readable.
Open Scope R_scope.

(** The true output: from the query, the value matrix and the column. *)
Definition outputs := (nat -> R) -> matrix -> nat -> R.

(** Some cache of at most b bits answers each of the n queries [Q i] within (η, α), in each of
    d_v columns, whatever the 0/1 values. *)
Definition serves (n d_v : nat) (eta alpha : R) (out : outputs) (Q : nat -> nat -> R)
    (b : nat) : Prop :=
  exists (state : matrix -> list bool) (answer : reader),
    (forall V, zero_one V -> (length (state V) <= b)%nat) /\
    (forall V i c, zero_one V -> (i < n)%nat -> (c < d_v)%nat ->
       accurate eta alpha (answer (state V) (Q i) c) (out (Q i) V c)).

(** With public coins: each answer is inaccurate with probability at most δ; states have
    exactly b bits. *)
Definition serves_randomized (n d_v : nat) (eta alpha delta : R) (out : outputs)
    (Q : nat -> nat -> R) (b : nat) : Prop :=
  exists T w (state : nat -> matrix -> list bool) (answer : nat -> reader),
    distribution T w /\
    (forall r V, zero_one V -> length (state r V) = b) /\
    (forall V i c, zero_one V -> (i < n)%nat -> (c < d_v)%nat ->
       rsum T (fun r => w r * failure eta alpha (answer r (state r V) (Q i) c) (out (Q i) V c))
         <= delta).

(** The value matrix that holds a string of bits, row by row, from row a on. *)
Definition rows_from (a d_v : nat) (x : list bool) : matrix :=
  fun j c => bitval (bit_at d_v x (j - a) c).

(** The bits of rows a .. a+n-1 of a 0/1 matrix. *)
Definition bits_from (a n d_v : nat) (V : matrix) : list bool :=
  map (fun k => if Req_EM_T (V (a + k / d_v)%nat (k mod d_v)%nat) 1 then true else false)
      (seq 0 (n * d_v)).

Lemma bits_from_length a n d_v V : length (bits_from a n d_v V) = (n * d_v)%nat.
Proof. unfold bits_from. now rewrite map_length, seq_length. Qed.

Lemma bits_from_exact a n d_v V j c :
  zero_one V -> (a <= j < a + n)%nat -> (c < d_v)%nat ->
  rows_from a d_v (bits_from a n d_v V) j c = V j c.
Proof.
  intros HV Hj Hc. unfold rows_from, bit_at, bits_from.
  rewrite nth_map_seq by nia. rewrite pair_div, pair_mod by exact Hc.
  replace (a + (j - a))%nat with j by lia.
  unfold bitval. destruct (Req_EM_T (V j c) 1) as [->|H]; [reflexivity|].
  destruct (HV j c); [symmetry; assumption|contradiction].
Qed.

Section Family.
Variables (a n d_v : nat) (eta alpha theta : R) (out : outputs) (Q : nat -> nat -> R).

(** The n d_v bits of the family: row a + i of the values is read by query i. *)
Definition family : list bool -> nat -> R :=
  fun x k => out (Q (k / d_v)%nat) (rows_from a d_v x) (k mod d_v).

(** Bits of the family can be read from accurate answers. *)
Hypothesis Hread : readable (n * d_v) eta alpha theta family.

Lemma row_column k : (k < n * d_v)%nat -> (k / d_v < n)%nat /\ (k mod d_v < d_v)%nat.
Proof.
  intros Hk. split; [apply Nat.div_lt_upper_bound; lia|apply Nat.mod_upper_bound; lia].
Qed.

Lemma serves_needs b : serves n d_v eta alpha out Q b -> (n * d_v <= b)%nat.
Proof.
  intros (state & answer & Hb & Hgood).
  apply (readable_floor (n * d_v) b eta alpha theta family (fun x => state (rows_from a d_v x))
    (fun msg k => answer msg (Q (k / d_v)%nat) (k mod d_v)%nat) Hread).
  - intros x _. apply Hb, zero_one_bitval.
  - intros x k _ Hk. destruct (row_column k Hk). now apply Hgood; [apply zero_one_bitval|..].
Qed.

Lemma serves_randomized_needs delta b : 0 <= delta <= 1 / 2 ->
  serves_randomized n d_v eta alpha delta out Q b ->
  (1 - H2 delta) * INR (n * d_v) <= INR b.
Proof.
  intros Hdelta (T & w & state & answer & Hw & Hb & Hgood).
  apply (readable_floor_randomized (n * d_v) b T w delta eta alpha theta family
    (fun r x => state r (rows_from a d_v x))
    (fun r msg k => answer r msg (Q (k / d_v)%nat) (k mod d_v)%nat) Hw Hdelta Hread).
  - intros r x _ _. apply Hb, zero_one_bitval.
  - intros x k _ Hk. destruct (row_column k Hk). now apply Hgood; [apply zero_one_bitval|..].
Qed.

(** The output depends on these rows only: then their bits are enough. *)
Hypothesis Hlocal : forall q V V' c, (c < d_v)%nat ->
  (forall j, (a <= j < a + n)%nat -> V j c = V' j c) -> out q V c = out q V' c.

Lemma serves_met b : 0 <= eta -> 0 <= alpha -> (n * d_v <= b)%nat ->
  serves n d_v eta alpha out Q b.
Proof.
  intros He Ha Hb.
  exists (bits_from a n d_v), (fun msg q c => out q (rows_from a d_v msg) c). split.
  - intros V _. now rewrite bits_from_length.
  - intros V i c HV Hi Hc. rewrite (Hlocal _ _ V c Hc); [now apply accurate_exact|].
    intros j Hj. now apply bits_from_exact.
Qed.

(** Coins are allowed to be ignored, so the randomised guarantee can be met as well. *)
Lemma serves_randomized_met delta : 0 <= eta -> 0 <= alpha -> 0 <= delta ->
  serves_randomized n d_v eta alpha delta out Q (n * d_v).
Proof.
  intros He Ha Hd. exists 1%nat, (fun _ => 1), (fun _ => bits_from a n d_v),
    (fun _ msg q c => out q (rows_from a d_v msg) c).
  split; [split; [intros; lra|simpl; lra]|]. split.
  - intros _ V _. apply bits_from_length.
  - intros V i c HV Hi Hc. simpl. unfold failure.
    destruct (accurate_dec _ _ _ _) as [|H]; [lra|]. exfalso. apply H.
    rewrite (Hlocal _ _ V c Hc); [now apply accurate_exact|].
    intros j Hj. now apply bits_from_exact.
Qed.

End Family.
