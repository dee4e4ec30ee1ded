(** * S3 `identifiability`, upper side *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions.
From KVFloor Require Identifiability.
Import ListNotations.
Open Scope R_scope.

(** Columns of M scaled by tau. *)
Definition scaled (tau : nat -> R) (M : matrix) : matrix := fun j c => tau c * M j c.

(** Order 2 or more: a column scaled in one slot and scaled back in another changes no output. *)
Theorem identifiability_scaling (s1 s2 : list nat) (rest : list (list nat)) (d : nat)
    (q : nat -> R) (K1 K2 : matrix) (Ks : list matrix) (V1 V2 : matrix) (Vs : list matrix)
    (tau sigma : nat -> R) (c : nat) :
  (forall e, (e < d)%nat -> tau e <> 0) -> sigma c <> 0 ->
  tensor (s1 :: s2 :: rest) d q
    (scaled tau K1 :: scaled (fun e => / tau e) K2 :: Ks)
    (scaled sigma V1 :: scaled (fun e => / sigma e) V2 :: Vs) c
  = tensor (s1 :: s2 :: rest) d q (K1 :: K2 :: Ks) (V1 :: V2 :: Vs) c.
Proof.
  exact (Identifiability.identifiability_scaling s1 s2 rest d q K1 K2 Ks V1 V2 Vs tau sigma c).
Qed.

(** Order 1: one vector added to all keys changes no output. *)
Theorem identifiability_shift (n d : nat) (q : nat -> R) (K : nat -> nat -> R) (V : matrix)
    (k : nat -> R) (c : nat) :
  attention n d q (fun j e => K j e + k e) V c = attention n d q K V c.
Proof. exact (Identifiability.identifiability_shift n d q K V k c). Qed.

(** General position: row 0 has no zeros. *)
Definition general (d : nat) (Ms : list matrix) : Prop :=
  forall M c, In M Ms -> (c < d)%nat -> M 0%nat c <> 0.

(** The free entries of m matrices of n rows and d columns, as ((slot, row), column). *)
Definition free_entries (m n d : nat) : list (nat * nat * nat) :=
  filter (fun x => negb (fixed_row (fst (fst x)) (snd (fst x))))
    (list_prod (list_prod (seq 0 m) (seq 0 n)) (seq 0 d)).

(** The matrices have the same free entries. *)
Definition agree_where_free (m n d : nat) (Ms Ms' : list matrix) : Prop :=
  forall slot row c, In (slot, row, c) (free_entries m n d) ->
    nth slot Ms ones row c = nth slot Ms' ones row c.

(** Order m: the gauge leaves mn(d + d_v) - (m-1)(d + d_v) entries free; keys and values in general
    position have the outputs of some in the gauge; and in the gauge the free entries tell the
    outputs. *)
Theorem identifiability (m n d d_v : nat) :
  (length (free_entries m n d) + length (free_entries m n d_v)
    = m * n * (d + d_v) - (m - 1) * (d + d_v))%nat /\
  (forall Ks Vs, length Ks = m -> length Vs = m -> general d (tl Ks) -> general d_v (tl Vs) ->
     exists Ks' Vs', in_gauge m d Ks' /\ in_gauge m d_v Vs' /\
       forall q c, (c < d_v)%nat ->
         tensor (repeat (seq 0 n) m) d q Ks' Vs' c = tensor (repeat (seq 0 n) m) d q Ks Vs c) /\
  (forall Ks Vs Ks' Vs', in_gauge m d Ks -> in_gauge m d_v Vs ->
     in_gauge m d Ks' -> in_gauge m d_v Vs' ->
     agree_where_free m n d Ks Ks' -> agree_where_free m n d_v Vs Vs' ->
     forall q c, (c < d_v)%nat ->
       tensor (repeat (seq 0 n) m) d q Ks' Vs' c = tensor (repeat (seq 0 n) m) d q Ks Vs c).
Proof. exact (Identifiability.identifiability m n d d_v). Qed.

(** Order 1: row 0 of the keys is fixed. *)
Definition free_keys (n d : nat) : list (nat * nat) :=
  filter (fun x => negb (fst x =? 0)) (list_prod (seq 0 n) (seq 0 d)).

(** Order 1: with row 0 of the keys zero, n(d + d_v) - d entries are free; all keys have the outputs
    of some with that row zero, the values being the same; and then the free entries tell the
    outputs. *)
Theorem identifiability_order_1 (n d d_v : nat) :
  (length (free_keys n d) + length (list_prod (seq 0 n) (seq 0 d_v)) = n * (d + d_v) - d)%nat /\
  (forall K V, exists K', (forall c, K' 0%nat c = 0) /\
     forall q c, attention n d q K' V c = attention n d q K V c) /\
  (forall K V K' V', (forall c, K 0%nat c = 0) -> (forall c, K' 0%nat c = 0) ->
     (forall row c, In (row, c) (free_keys n d) -> K row c = K' row c) ->
     (forall row c, In (row, c) (list_prod (seq 0 n) (seq 0 d_v)) -> V row c = V' row c) ->
     forall q c, (c < d_v)%nat -> attention n d q K' V' c = attention n d q K V c).
Proof. exact (Identifiability.identifiability_order_1 n d d_v). Qed.
