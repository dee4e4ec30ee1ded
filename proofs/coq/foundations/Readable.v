(** From INDEX to answers: a cache whose accurate answers reveal every bit of an instance needs as
    many bits as INDEX does, and a smaller one has a collision. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Guarantee Bits Entropy IndexDeterministic IndexRandomized.
Open Scope R_scope.

(** A family of true outputs, [out x k] for instance [x] and query [k]: an accurate answer is at
    least θ exactly if bit k of x is set. *)
Definition readable (N : nat) (eta alpha theta : R) (out : list bool -> nat -> R) : Prop :=
  forall x k o, length x = N -> (k < N)%nat -> accurate eta alpha o (out x k) ->
    (o >= theta <-> nth k x false = true).

(** With b < N bits two instances have one state, and at some query no single answer is accurate
    for both. *)
Lemma readable_collision N b eta alpha theta out (state : list bool -> list bool) :
  readable N eta alpha theta out -> (b < N)%nat ->
  (forall x, length x = N -> (length (state x) <= b)%nat) ->
  exists x y k, length x = N /\ length y = N /\ (k < N)%nat /\ state x = state y /\
    forall o, ~ (accurate eta alpha o (out x k) /\ accurate eta alpha o (out y k)).
Proof.
  intros Hread Hb Hstate.
  destruct (index_deterministic_collision N b state Hb Hstate) as (x & y & Hx & Hy & Hxy & He).
  destruct (differ_somewhere x y ltac:(congruence) Hxy) as (k & Hk & Hd).
  rewrite Hx in Hk. exists x, y, k. repeat split; auto.
  intros o [Gx Gy]. apply (Hread x k _ Hx Hk) in Gx. apply (Hread y k _ Hy Hk) in Gy.
  destruct (nth k x false), (nth k y false); intuition congruence.
Qed.

(** So one of the two is answered inaccurately. *)
Lemma readable_failure N b eta alpha theta out
    (state : list bool -> list bool) (answer : list bool -> nat -> R) :
  readable N eta alpha theta out -> (b < N)%nat ->
  (forall x, length x = N -> (length (state x) <= b)%nat) ->
  exists x k, length x = N /\ (k < N)%nat /\ ~ accurate eta alpha (answer (state x) k) (out x k).
Proof.
  intros Hread Hb Hstate.
  destruct (readable_collision N b eta alpha theta out state Hread Hb Hstate)
    as (x & y & k & Hx & Hy & Hk & He & Hno).
  destruct (accurate_dec eta alpha (answer (state x) k) (out x k)) as [Gx|Bx];
    [|exists x, k; auto].
  exists y, k. repeat split; auto. intros Gy. apply (Hno (answer (state x) k)).
  split; [exact Gx|]. now rewrite He.
Qed.

(** A deterministic cache that is right about all instances has N bits. *)
Lemma readable_floor N b eta alpha theta out
    (state : list bool -> list bool) (answer : list bool -> nat -> R) :
  readable N eta alpha theta out ->
  (forall x, length x = N -> (length (state x) <= b)%nat) ->
  (forall x k, length x = N -> (k < N)%nat ->
     accurate eta alpha (answer (state x) k) (out x k)) ->
  (N <= b)%nat.
Proof.
  intros Hread Hstate Hgood. destruct (le_lt_dec N b) as [|Hlt]; [assumption|exfalso].
  destruct (readable_failure N b eta alpha theta out state answer Hread Hlt Hstate)
    as (x & k & Hx & Hk & Hbad). apply Hbad; auto.
Qed.

(** With public coins and failure probability at most δ it has (1 - H₂(δ)) N bits. *)
Lemma readable_floor_randomized N b T w delta eta alpha theta out
    (state : nat -> list bool -> list bool) (answer : nat -> list bool -> nat -> R) :
  distribution T w -> 0 <= delta <= 1 / 2 ->
  readable N eta alpha theta out ->
  (forall r x, (r < T)%nat -> length x = N -> length (state r x) = b) ->
  (forall x k, length x = N -> (k < N)%nat ->
     rsum T (fun r => w r * failure eta alpha (answer r (state r x) k) (out x k)) <= delta) ->
  (1 - H2 delta) * INR N <= INR b.
Proof.
  intros Hw Hdelta Hread Hstate Hgood.
  apply (index_randomized T w N b state
    (fun r msg k => if Rle_dec theta (answer r msg k) then true else false) delta
    Hw Hdelta Hstate).
  intros x k Hx Hk. apply Rle_trans with (2 := Hgood x k Hx Hk).
  apply rsum_le. intros r Hr. apply Rmult_le_compat_l; [apply Hw, Hr|].
  unfold failure. destruct (accurate_dec _ _ _ _) as [G|G].
  - pose proof (Hread x k _ Hx Hk G) as Hiff. unfold wrong.
    destruct (Rle_dec theta _) as [Hle|Hn].
    + rewrite (proj1 Hiff (Rle_ge _ _ Hle)); simpl; lra.
    + destruct (nth k x false); simpl; [|lra].
      exfalso. apply Hn, Rge_le, Hiff. reflexivity.
  - unfold wrong. destruct (Bool.eqb _ _); lra.
Qed.
