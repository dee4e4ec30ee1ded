(** * H4 `given-keys` *)
From Coq Require Import Reals List Arith Bool.
From KVFloor Require Import Definitions Families.
From KVFloor Require GivenKeys.
Import ListNotations.
Open Scope R_scope.

(** f 0 f 1 ... f (n-1). *)
Fixpoint product (n : nat) (f : nat -> nat) : nat :=
  match n with
  | O => 1
  | S k => product k f * f k
  end.

(** V in slot r of m, ones in the others. *)
Definition in_slot (m r : nat) (V : matrix) : list matrix :=
  map (fun s => if (s =? r)%nat then V else ones) (seq 0 m).

(** What all tuples weigh that have token i in slot r. *)
Definition share (slots : list (list nat)) (d : nat) (q : nat -> R) (Ks : list matrix)
    (r i : nat) : R :=
  lsum (fun t => if (nth r t 0 =? i)%nat then tuple_weight (tuples slots) (tuple_logit d q Ks) t
                 else 0) (tuples slots).

(** What the tokens weigh that satisfy p. *)
Definition weighs (k : nat) (p : nat -> bool) (s : nat -> R) : R :=
  rsum k (fun i => if p i then s i else 0).

(** k tokens, in the order in which they are read. Each entry of the value of token j is one of
    L j levels; all other values are 0. *)
Definition all_different (k : nat) (token : nat -> nat) : Prop :=
  forall i j, (i < k)%nat -> (j < k)%nat -> token i = token j -> i = j.
Definition given_values (k : nat) (token L : nat -> nat) (lev : nat -> nat -> R) (V : matrix)
    : Prop :=
  (forall j c, (j < k)%nat -> exists a, (a < L j)%nat /\ V (token j) c = lev j a) /\
  (forall i c, (forall j, (j < k)%nat -> i <> token j) -> V i c = 0).

(** The α of a token of weight w, where u is what tokens weigh that are not known, and t what those
    weigh that are. *)
Definition given_alpha (eta alpha w u t : R) : R :=
  ((1 + eta) * u + 2 * eta * t + 2 * alpha) / (2 * w).

(** In turn: query j tells its levels when the tokens before j are known. *)
Definition read_in_turn (k r d : nat) (slots : nat -> list (list nat)) (Ks : list matrix)
    (Q : nat -> nat -> R) (token L : nat -> nat) (lev : nat -> nat -> R) (eta alpha : R) : Prop :=
  forall j, (j < k)%nat ->
    let s i := share (slots j) d (Q j) Ks r (token i) in
    0 < s j /\
    told eta (given_alpha eta alpha (s j) (weighs k (fun i => (j <? i)%nat) s)
                (weighs k (fun i => (i <? j)%nat) s)) (L j) (lev j).

(** At once: when no other token is known. *)
Definition read_at_once (k r d : nat) (slots : nat -> list (list nat)) (Ks : list matrix)
    (Q : nat -> nat -> R) (token L : nat -> nat) (lev : nat -> nat -> R) (eta alpha : R) : Prop :=
  forall j, (j < k)%nat ->
    let s i := share (slots j) d (Q j) Ks r (token i) in
    0 < s j /\
    told eta (given_alpha eta alpha (s j) (weighs k (fun i => negb (i =? j)%nat) s) 0)
      (L j) (lev j).

(** Attention of order m, with any keys in any slots, and for each query the tokens of each slot
    that its mask leaves. If k tokens can be read in turn, states of exactly b bits are enough
    exactly if b >= d_v Σ_j log₂ L_j. *)
Theorem given_keys (m r d d_v k : nat) (slots : nat -> list (list nat)) (Ks : list matrix)
    (Q : nat -> nat -> R) (token L : nat -> nat) (lev : nat -> nat -> R) (eta alpha : R) :
  0 <= eta < 1 -> 0 <= alpha -> (r < m)%nat -> (forall j, (j < k)%nat -> length (slots j) = m) ->
  all_different k token -> (forall j, (j < k)%nat -> (1 <= L j)%nat) ->
  read_in_turn k r d slots Ks Q token L lev eta alpha ->
  forall b,
    (exists (state : matrix -> list bool) (answer : nat -> reader),
       (forall V, given_values k token L lev V -> length (state V) = b) /\
       (forall V j c, given_values k token L lev V -> (j < k)%nat -> (c < d_v)%nat ->
          accurate eta alpha (answer j (state V) (Q j) c)
            (tensor (slots j) d (Q j) Ks (in_slot m r V) c)))
    <-> INR d_v * rsum k (fun j => log2 (INR (L j))) <= INR b.
Proof. exact (GivenKeys.given_keys m r d d_v k slots Ks Q token L lev eta alpha). Qed.

(** There are as many states as values. *)
Theorem given_keys_states (m r d d_v k : nat) (slots : nat -> list (list nat)) (Ks : list matrix)
    (Q : nat -> nat -> R) (token L : nat -> nat) (lev : nat -> nat -> R) (eta alpha : R)
    (states : list (list bool)) (state : matrix -> list bool) (answer : nat -> reader) :
  0 <= eta < 1 -> 0 <= alpha -> (r < m)%nat -> (forall j, (j < k)%nat -> length (slots j) = m) ->
  all_different k token -> (forall j, (j < k)%nat -> (1 <= L j)%nat) ->
  read_in_turn k r d slots Ks Q token L lev eta alpha ->
  (forall V, given_values k token L lev V -> In (state V) states) ->
  (forall V j c, given_values k token L lev V -> (j < k)%nat -> (c < d_v)%nat ->
     accurate eta alpha (answer j (state V) (Q j) c)
       (tensor (slots j) d (Q j) Ks (in_slot m r V) c)) ->
  (product k L ^ d_v <= length states)%nat.
Proof.
  exact (GivenKeys.given_keys_states m r d d_v k slots Ks Q token L lev eta alpha states state
    answer).
Qed.

(** With states of up to b bits, which are 2^(b+1) - 1 in number. *)
Theorem given_keys_up_to (m r d d_v k : nat) (slots : nat -> list (list nat)) (Ks : list matrix)
    (Q : nat -> nat -> R) (token L : nat -> nat) (lev : nat -> nat -> R) (eta alpha : R)
    (b : nat) (state : matrix -> list bool) (answer : nat -> reader) :
  0 <= eta < 1 -> 0 <= alpha -> (r < m)%nat -> (forall j, (j < k)%nat -> length (slots j) = m) ->
  all_different k token ->
  read_in_turn k r d slots Ks Q token L lev eta alpha ->
  (forall V, given_values k token L lev V -> (length (state V) <= b)%nat) ->
  (forall V j c, given_values k token L lev V -> (j < k)%nat -> (c < d_v)%nat ->
     accurate eta alpha (answer j (state V) (Q j) c)
       (tensor (slots j) d (Q j) Ks (in_slot m r V) c)) ->
  (product k L ^ d_v < 2 ^ (b + 1))%nat.
Proof.
  exact (GivenKeys.given_keys_up_to m r d d_v k slots Ks Q token L lev eta alpha b state answer).
Qed.

(** To know the tokens before is never worse. *)
Theorem given_keys_never_worse (k r d : nat) (slots : nat -> list (list nat)) (Ks : list matrix)
    (Q : nat -> nat -> R) (token L : nat -> nat) (lev : nat -> nat -> R) (eta alpha : R) :
  0 <= eta < 1 ->
  read_at_once k r d slots Ks Q token L lev eta alpha ->
  read_in_turn k r d slots Ks Q token L lev eta alpha.
Proof. exact (GivenKeys.given_keys_never_worse k r d slots Ks Q token L lev eta alpha). Qed.

(** With public coins, failure probability at most δ and states of exactly b bits, if the tokens
    can be read at once: log₂ L_j - H₂(δ) - δ log₂(L_j - 1) bits for each entry. *)
Theorem given_keys_randomized (m r d d_v k : nat) (slots : nat -> list (list nat))
    (Ks : list matrix) (Q : nat -> nat -> R) (token L : nat -> nat) (lev : nat -> nat -> R)
    (eta alpha : R) (b T : nat) (w : nat -> R) (delta : R)
    (state : nat -> matrix -> list bool) (answer : nat -> nat -> reader) :
  0 <= eta < 1 -> 0 <= alpha -> (r < m)%nat -> (forall j, (j < k)%nat -> length (slots j) = m) ->
  all_different k token -> (forall j, (j < k)%nat -> (2 <= L j)%nat) ->
  read_at_once k r d slots Ks Q token L lev eta alpha ->
  distribution T w -> 0 <= delta <= 1 / 2 ->
  (forall u V, given_values k token L lev V -> length (state u V) = b) ->
  (forall V j c, given_values k token L lev V -> (j < k)%nat -> (c < d_v)%nat ->
     rsum T (fun u => w u * failure eta alpha (answer u j (state u V) (Q j) c)
                        (tensor (slots j) d (Q j) Ks (in_slot m r V) c)) <= delta) ->
  INR d_v * rsum k (fun j => log2 (INR (L j)) - H2 delta - delta * log2 (INR (L j - 1))) <= INR b.
Proof.
  exact (GivenKeys.given_keys_randomized m r d d_v k slots Ks Q token L lev eta alpha b T w delta
    state answer).
Qed.

(** Bits whose states are as many as the values answer every query exactly, whatever the keys. *)
Theorem given_keys_met (m r d d_v k : nat) (Ks : list matrix) (token L : nat -> nat)
    (lev : nat -> nat -> R) (b : nat) :
  (r < m)%nat -> all_different k token -> (forall j, (j < k)%nat -> (1 <= L j)%nat) ->
  (product k L ^ d_v <= 2 ^ b)%nat ->
  exists (state : matrix -> list bool) (answer : list (list nat) -> reader),
    (forall V, length (state V) = b) /\
    (forall V js q c, given_values k token L lev V -> length js = m -> (c < d_v)%nat ->
       answer js (state V) q c = tensor js d q Ks (in_slot m r V) c).
Proof. exact (GivenKeys.given_keys_met m r d d_v k Ks token L lev b). Qed.

(** Tokens can be read at once that queries single out on a margin g, if less leaks than there is
    room for: such keys are those of the other floors. *)
Theorem given_keys_margin (n d k : nat) (K : matrix) (Q : nat -> nat -> R) (token L : nat -> nat)
    (lev : nat -> nat -> R) (eta alpha g : R) :
  0 <= eta < 1 -> 0 <= alpha -> all_different k token ->
  (forall j, (j < k)%nat -> (token j < n)%nat /\ margin n (logit d (Q j) K) (token j) g) ->
  (forall j a, (j < k)%nat -> (a < L j)%nat -> 0 <= lev j a <= 1) ->
  (forall j a, (j < k)%nat -> (S a < L j)%nat ->
     excess (n - 1) g * (1 + eta + 2 * alpha)
       < (1 - eta) * lev j (S a) - (1 + eta) * lev j a - 2 * alpha) ->
  read_at_once k 0 d (fun _ => [seq 0 n]) [K] Q token L lev eta alpha.
Proof. exact (GivenKeys.given_keys_margin n d k K Q token L lev eta alpha g). Qed.
