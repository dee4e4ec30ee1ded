(** * S2 `sharp-floor` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions Families.
From KVFloor Require SharpFloor.
Import ListNotations.
Open Scope R_scope.

(** The query singles out (i, k) and (0, 0): their logits are equal, and g above all others. *)
Definition ties (n1 n2 : nat) (s : nat -> nat -> R) (i k : nat) (g : R) : Prop :=
  s i k = s 0%nat 0%nat /\
  forall j l, (j < n1)%nat -> (l < n2)%nat -> (j, l) <> (i, k) -> (j, l) <> (0, 0)%nat ->
    s 0%nat 0%nat >= s j l + g.

(** The inner product of the entrywise products of rows (j, l) and (j', l'). *)
Definition product_inner (a : nat) (A1 A2 : matrix) (j l j' l' : nat) : R :=
  rsum a (fun c => (A1 j c * A2 l c) * (A1 j' c * A2 l' c)).

(** A key is an address, public, of a columns, and a payload on the grid, all ones in row 0. *)
Definition sharp_key (L a : nat) (A K : matrix) : Prop :=
  (forall j c, (c < a)%nat -> K j c = A j c) /\ grid_values L (fun j c => K j (a + c)%nat).

(** A value has two marks, all ones but for a zero in row 0 of column [mark], and then symbols. *)
Definition marks (mark : nat) : matrix := fun j c =>
  if c =? mark then match j with O => 0 | _ => 1 end else 1.

Definition sharp_value (L mark : nat) (V : matrix) : Prop :=
  (forall j c, (c < 2)%nat -> V j c = marks mark j c) /\
  grid_values L (fun j c => V j (2 + c)%nat).

(** The level that payload i stands for, with a query of strength gamma. *)
Definition payload_level (gamma : R) (L i : nat) : R := logistic (gamma * (1 - level L i)).

(** In which column the output tells a payload of token i of slot 1, or of slot 2 if i = 0. *)
Definition told_in (i : nat) : nat := match i with O => 1 | _ => 0 end.

(** A cache may be asked for values with the queries P, for payloads with the queries T, for pairs
    with one token 0; [right] is what the answer must be. *)
Definition sharp_guarantee (n1 n2 a b f L : nat) (eta alpha gamma : R) (A1 A2 : matrix)
    (P T : nat -> nat -> nat -> R)
    (state : matrix -> matrix -> matrix -> matrix -> list bool) (answer : reader) : Prop :=
  forall K1 K2 V1 V2, sharp_key L a A1 K1 -> sharp_key L a A2 K2 ->
    sharp_value L 0 V1 -> sharp_value L 1 V2 ->
    let right q c := accurate eta alpha (answer (state K1 K2 V1 V2) q c)
                       (attention2 n1 n2 (a + b) q K1 K2 V1 V2 c) in
    forall i k, (i < n1)%nat -> (k < n2)%nat -> i = 0%nat \/ k = 0%nat -> (i, k) <> (0, 0)%nat ->
      (forall c, (c < f)%nat -> right (value_query a (P i k)) (2 + c)%nat) /\
      (forall e, (e < b)%nat -> right (payload_query a gamma (T i k) e) (told_in i)).

(** Given addresses, queries that read one pair on a margin g1 or two tied pairs on a margin g2,
    and more room between levels than leaks, a cache that is (eta, alpha)-accurate has as many
    states as there are instances. *)
Theorem sharp_floor_states (n1 n2 a b f L : nat) (eta alpha gamma g1 g2 : R) (A1 A2 : matrix)
    (P T : nat -> nat -> nat -> R) (states : list (list bool))
    (state : matrix -> matrix -> matrix -> matrix -> list bool) (answer : reader) :
  (1 <= n1)%nat -> (1 <= n2)%nat -> (2 <= L)%nat -> 0 <= eta < 1 -> 0 <= alpha -> 0 < gamma ->
  (forall i k, (i < n1)%nat -> (k < n2)%nat -> i = 0%nat \/ k = 0%nat -> (i, k) <> (0, 0)%nat ->
     singles_out n1 n2 (logit2 a (P i k) A1 A2) i k g1 /\
     ties n1 n2 (logit2 a (T i k) A1 A2) i k g2) ->
  excess (n1 * n2 - 1) g1 * (1 + eta + 2 * alpha)
    < (1 - eta * INR (2 * L - 3)) / INR (L - 1) - 2 * alpha ->
  (forall i, (S i < L)%nat ->
     excess (n1 * n2 - 2) g2 * (1 + eta + 2 * alpha)
       < (1 - eta) * payload_level gamma L (S i) - (1 + eta) * payload_level gamma L i
         - 2 * alpha) ->
  (forall K1 K2 V1 V2, sharp_key L a A1 K1 -> sharp_key L a A2 K2 ->
     sharp_value L 0 V1 -> sharp_value L 1 V2 -> In (state K1 K2 V1 V2) states) ->
  sharp_guarantee n1 n2 a b f L eta alpha gamma A1 A2 P T state answer ->
  (L ^ ((n1 + n2 - 2) * (f + b)) <= length states)%nat.
Proof.
  exact (SharpFloor.sharp_floor_states n1 n2 a b f L eta alpha gamma g1 g2 A1 A2 P T states state answer).
Qed.

(** With keys of 8 + b columns and values of 2 + f, states of exactly so many bits are enough exactly
    if these are at least (n1 + n2 - 2)(f + b) log₂ L. *)
Theorem sharp_floor (n1 n2 b f L : nat) (eta alpha gamma : R) :
  (1 <= n1)%nat -> (1 <= n2)%nat -> (2 <= L)%nat ->
  0 <= eta < 1 -> 0 <= alpha -> 0 < gamma ->
  eta * INR (2 * L - 3) + 2 * alpha * INR (L - 1) < 1 ->
  (forall i, (S i < L)%nat ->
     2 * alpha < (1 - eta) * payload_level gamma L (S i) - (1 + eta) * payload_level gamma L i) ->
  exists (A1 A2 : matrix) (P T : nat -> nat -> nat -> R), forall bits,
    (exists state answer,
       (forall K1 K2 V1 V2, sharp_key L 8 A1 K1 -> sharp_key L 8 A2 K2 ->
          sharp_value L 0 V1 -> sharp_value L 1 V2 -> length (state K1 K2 V1 V2) = bits) /\
       sharp_guarantee n1 n2 8 b f L eta alpha gamma A1 A2 P T state answer)
    <-> INR ((n1 + n2 - 2) * (f + b)) * log2 (INR L) <= INR bits.
Proof. exact (SharpFloor.sharp_floor n1 n2 b f L eta alpha gamma). Qed.

(** With states of up to so many bits, which are 2^(bits+1) - 1 in number, L^N < 2^(bits+1). *)
Theorem sharp_floor_up_to (n1 n2 b f L : nat) (eta alpha gamma : R) :
  (1 <= n1)%nat -> (1 <= n2)%nat -> (2 <= L)%nat ->
  0 <= eta < 1 -> 0 <= alpha -> 0 < gamma ->
  eta * INR (2 * L - 3) + 2 * alpha * INR (L - 1) < 1 ->
  (forall i, (S i < L)%nat ->
     2 * alpha < (1 - eta) * payload_level gamma L (S i) - (1 + eta) * payload_level gamma L i) ->
  exists (A1 A2 : matrix) (P T : nat -> nat -> nat -> R), forall bits state answer,
    (forall K1 K2 V1 V2, sharp_key L 8 A1 K1 -> sharp_key L 8 A2 K2 ->
       sharp_value L 0 V1 -> sharp_value L 1 V2 ->
       (length (state K1 K2 V1 V2) <= bits)%nat) ->
    sharp_guarantee n1 n2 8 b f L eta alpha gamma A1 A2 P T state answer ->
    (L ^ ((n1 + n2 - 2) * (f + b)) < 2 ^ (bits + 1))%nat.
Proof. exact (SharpFloor.sharp_floor_up_to n1 n2 b f L eta alpha gamma). Qed.

(** The same with public coins: each answer is inaccurate with probability at most delta. *)
Definition sharp_guarantee_randomized (n1 n2 a b f L : nat) (eta alpha gamma delta : R)
    (A1 A2 : matrix) (P Q : nat -> nat -> nat -> R) (T : nat) (chance : nat -> R)
    (state : nat -> matrix -> matrix -> matrix -> matrix -> list bool)
    (answer : nat -> reader) : Prop :=
  forall K1 K2 V1 V2, sharp_key L a A1 K1 -> sharp_key L a A2 K2 ->
    sharp_value L 0 V1 -> sharp_value L 1 V2 ->
    let right q c := rsum T (fun r => chance r * failure eta alpha
        (answer r (state r K1 K2 V1 V2) q c)
        (attention2 n1 n2 (a + b) q K1 K2 V1 V2 c)) <= delta in
    forall i k, (i < n1)%nat -> (k < n2)%nat -> i = 0%nat \/ k = 0%nat -> (i, k) <> (0, 0)%nat ->
      (forall c, (c < f)%nat -> right (value_query a (P i k)) (2 + c)%nat) /\
      (forall e, (e < b)%nat -> right (payload_query a gamma (Q i k) e) (told_in i)).

(** With public coins, failure probability at most δ and states of exactly so many bits:
    log₂ L - H₂(δ) - δ log₂(L-1) bits for each symbol. *)
Theorem sharp_floor_randomized (n1 n2 b f L : nat) (eta alpha gamma : R) :
  (1 <= n1)%nat -> (1 <= n2)%nat -> (2 <= L)%nat ->
  0 <= eta < 1 -> 0 <= alpha -> 0 < gamma ->
  eta * INR (2 * L - 3) + 2 * alpha * INR (L - 1) < 1 ->
  (forall i, (S i < L)%nat ->
     2 * alpha < (1 - eta) * payload_level gamma L (S i) - (1 + eta) * payload_level gamma L i) ->
  exists (A1 A2 : matrix) (P Q : nat -> nat -> nat -> R),
    forall bits T w delta state answer,
      distribution T w -> 0 <= delta <= INR (L - 1) / INR L ->
      (forall r K1 K2 V1 V2, sharp_key L 8 A1 K1 -> sharp_key L 8 A2 K2 ->
         sharp_value L 0 V1 -> sharp_value L 1 V2 -> length (state r K1 K2 V1 V2) = bits) ->
      sharp_guarantee_randomized n1 n2 8 b f L eta alpha gamma delta A1 A2 P Q T w state answer ->
      INR ((n1 + n2 - 2) * (f + b)) * (log2 (INR L) - H2 delta - delta * log2 (INR (L - 1)))
        <= INR bits.
Proof. exact (SharpFloor.sharp_floor_randomized n1 n2 b f L eta alpha gamma). Qed.

(** For the family, bits whose states are as many as the instances answer all queries exactly. *)
Theorem sharp_floor_met (n1 n2 a b f L bits : nat) (A1 A2 : matrix) :
  (2 <= L)%nat -> (1 <= n1)%nat -> (1 <= n2)%nat ->
  (L ^ ((n1 + n2 - 2) * (f + b)) <= 2 ^ bits)%nat ->
  exists (state : matrix -> matrix -> matrix -> matrix -> list bool) (answer : reader),
    (forall K1 K2 V1 V2, length (state K1 K2 V1 V2) = bits) /\
    (forall K1 K2 V1 V2 q c, sharp_key L a A1 K1 -> sharp_key L a A2 K2 ->
       sharp_value L 0 V1 -> sharp_value L 1 V2 -> (c < 2 + f)%nat -> (0 < f + b)%nat ->
       answer (state K1 K2 V1 V2) q c = attention2 n1 n2 (a + b) q K1 K2 V1 V2 c).
Proof. exact (SharpFloor.sharp_floor_met n1 n2 a b f L bits A1 A2). Qed.

(** Sign vectors no two of whose n1 n2 products have an inner product beyond ±μ: the margins are
    C (a - μ), and C (a - 3μ) of two tied pairs. *)
Theorem sharp_floor_sign_margins (n1 n2 a : nat) (mu C : R) (A1 A2 : matrix) (i k : nat) :
  sign_matrix A1 -> sign_matrix A2 -> 0 <= C ->
  (forall j l j' l', (j < n1)%nat -> (l < n2)%nat -> (j' < n1)%nat -> (l' < n2)%nat ->
     (j, l) <> (j', l') -> Rabs (product_inner a A1 A2 j l j' l') <= mu) ->
  (i < n1)%nat -> (k < n2)%nat -> (i, k) <> (0, 0)%nat ->
  singles_out n1 n2 (logit2 a (fun c => C * (A1 i c * A2 k c)) A1 A2) i k (C * (INR a - mu)) /\
  ties n1 n2 (logit2 a (fun c => C * (A1 i c * A2 k c + A1 0%nat c * A2 0%nat c)) A1 A2) i k
    (C * (INR a - 3 * mu)).
Proof. exact (SharpFloor.sharp_floor_sign_margins n1 n2 a mu C A1 A2 i k). Qed.

(** For α = 0 there is room between all payload levels exactly if γ > (L-1) ln((1+3η)/(1-η)). *)
Theorem sharp_floor_strength (L : nat) (eta gamma : R) :
  (2 <= L)%nat -> 0 <= eta < 1 -> 0 < gamma ->
  (forall i, (S i < L)%nat ->
     0 < (1 - eta) * payload_level gamma L (S i) - (1 + eta) * payload_level gamma L i)
  <-> gamma > INR (L - 1) * ln ((1 + 3 * eta) / (1 - eta)).
Proof. exact (SharpFloor.sharp_floor_strength L eta gamma). Qed.
