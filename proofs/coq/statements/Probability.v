(** * Finite probability: definitions that claims about randomised estimates share *)
From Coq Require Import Reals ZArith List Arith Bool.
From KVFloor Require Import Definitions.
Import ListNotations.
Open Scope R_scope.

(** Outcomes with their probabilities. *)
Definition chances (A : Type) := list (R * A).

Definition expectation {A} (D : chances A) (f : A -> R) : R :=
  lsum (fun o => fst o * f (snd o)) D.

Definition variance {A} (D : chances A) (f : A -> R) : R :=
  expectation D (fun a => (f a - expectation D f) * (f a - expectation D f)).

Definition surely {A} (a : A) : chances A := [(1, a)].

Definition coin {A} (p : R) (a b : A) : chances A := [(p, a); (1 - p, b)].

Definition after {A B} (D : chances A) (k : A -> chances B) : chances B :=
  flat_map (fun o => map (fun o' => (fst o * fst o', snd o')) (k (snd o))) D.

Definition drawn {A B} (f : A -> B) (D : chances A) : chances B :=
  after D (fun a => surely (f a)).

(** Independent draws, one from each distribution. *)
Fixpoint independent {A} (Ds : list (chances A)) : chances (list A) :=
  match Ds with
  | [] => surely []
  | D :: rest => after D (fun a => after (independent rest) (fun l => surely (a :: l)))
  end.

(** A slot that ends up with each item of a stream with a probability proportional to its weight. *)
Section Items.
Variable A : Type.

(** After items of total weight mu, an item of weight w replaces what is in the slot with
    probability w / (mu + w). *)
Fixpoint reservoir_from (mu : R) (slot : chances (option A)) (stream : list (R * A))
  : chances (option A) :=
  match stream with
  | [] => slot
  | (w, x) :: rest =>
      reservoir_from (mu + w)
        (after slot (fun old => coin (w / (mu + w)) (Some x) old)) rest
  end.

Definition reservoir : list (R * A) -> chances (option A) := reservoir_from 0 (surely None).
End Items.

(** Every key of a cluster counts the same. *)
Definition equally (cluster : list vector) : list (R * vector) := map (fun k => (1, k)) cluster.

(** The value of an estimate: the sum of its terms. *)
Definition added : list R -> R := lsum (fun x => x).

(** ** What SubGen estimates *)

(** What one of t samples of a cluster adds to the normaliser: n_x/t exp(<q,k>). *)
Definition sample_term (d t : nat) (q : vector) (cluster : list vector) (o : option vector) : R :=
  match o with Some k => INR (length cluster) / INR t * exp (inner_product d q k) | None => 0 end.

(** The estimate of τ = Σ exp(<q,k>): t samples of each cluster, all independent. *)
Definition normaliser (d t : nat) (q : vector) (clusters : list (list vector)) : chances (list R) :=
  independent (flat_map (fun cluster =>
    repeat (drawn (sample_term d t q cluster) (reservoir _ (equally cluster))) t) clusters).

(** All exponentials of a list of keys, added. *)
Definition exps (d : nat) (q : vector) (keys : list vector) : R :=
  lsum (fun k => exp (inner_product d q k)) keys.

Section Values.
Variables (d d_v s : nat) (q : vector) (tokens : list (vector * vector)).   (* keys and values *)
Definition square (v : vector) : R := rsum d_v (fun c => v c * v c).

(** μ = Σ ‖v‖² *)
Definition total_square : R := lsum (fun kv => square (snd kv)) tokens.

(** A slot holds a token with probability ‖v‖²/μ. *)
Definition slot : chances (option (vector * vector)) :=
  reservoir _ (map (fun kv => (square (snd kv), kv)) tokens).

(** What a slot adds to column c: μ/(s‖v‖²) exp(<q,k>) v_c. *)
Definition slot_term (c : nat) (o : option (vector * vector)) : R :=
  match o with
  | Some (k, v) => total_square / (INR s * square v) * exp (inner_product d q k) * v c
  | None => 0
  end.

(** The s slots, independent. *)
Definition slots : chances (list (option (vector * vector))) := independent (repeat slot s).
End Values.
