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
