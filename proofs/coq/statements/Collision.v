(** * T5 `collision` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions.
From KVFloor Require Collision CollisionRandom.
Import ListNotations.
Open Scope R_scope.

(** Fewer than n d_v bits: two instances have one state, and at some query no single answer is
    accurate for both. *)
Theorem collision (n d d_v : nat) (eta alpha : R) :
  (2 <= d)%nat -> 0 <= eta -> 0 <= alpha -> eta + 2 * alpha < 1 ->
  exists (K : matrix) (Q : nat -> nat -> R),
    forall b (state : matrix -> list bool),
      (b < n * d_v)%nat ->
      (forall V, zero_one V -> (length (state V) <= b)%nat) ->
      exists V V' i c, zero_one V /\ zero_one V' /\ (i < n)%nat /\ (c < d_v)%nat /\
        state V = state V' /\
        forall o, ~ (accurate eta alpha o (attention n d (Q i) K V c) /\
                     accurate eta alpha o (attention n d (Q i) K V' c)).
Proof. exact (Collision.collision n d d_v eta alpha). Qed.

(** At every order m, for any public keys of enough margin. *)
Theorem collision_order (n m d d_v : nat) (eta alpha g : R) (K : matrix) (Q : nat -> nat -> R)
    (b : nat) (state : matrix -> list bool) :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  leak (n - 1) g < leak_limit eta alpha ->
  (b < n * d_v)%nat -> (forall V, zero_one V -> (length (state V) <= b)%nat) ->
  exists V V' i c, zero_one V /\ zero_one V' /\ (i < n)%nat /\ (c < d_v)%nat /\
    state V = state V' /\
    forall o, ~ (accurate eta alpha o (order_out 0 n m d K (Q i) V c) /\
                 accurate eta alpha o (order_out 0 n m d K (Q i) V' c)).
Proof. exact (Collision.collision_order n m d d_v eta alpha g K Q b state). Qed.

(** Any 2^b + 1 instances contain a collision of their states of b bits. *)
Theorem collision_among {A} (state : A -> list bool) (b : nat) (instances : list A) :
  NoDup instances -> (forall x, In x instances -> length (state x) = b) ->
  (2 ^ b < length instances)%nat ->
  exists x y, In x instances /\ In y instances /\ x <> y /\ state x = state y.
Proof. exact (Collision.collision_among state b instances). Qed.

(** The states in the list all differ. *)
Fixpoint distinct (t : list nat) : bool :=
  match t with [] => true | j :: t' => negb (existsb (Nat.eqb j) t') && distinct t' end.

(** So of all lists of k states at most the part exp(-k(k-1)/(2D)) is free of collisions: about
    sqrt(2 D ln 2) random instances collide as likely as not. *)
Theorem collision_random (D k : nat) : (1 <= D)%nat ->
  number distinct (tuples (repeat (seq 0 D) k)) / INR D ^ k
    <= exp (- (INR k * (INR k - 1) / (2 * INR D))).
Proof. exact (CollisionRandom.collision_random D k). Qed.
