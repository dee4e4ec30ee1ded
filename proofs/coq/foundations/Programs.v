(** Programs of scalar operations, which T3 counts: the three ways to answer a query, and appending
    a token. Definitions only; [statements] are about them. *)
From Coq Require Import Reals Arith.
Open Scope nat_scope.

Inductive operation (N : Type) : Type :=
  | times (x y : N) | plus (x y : N) | quotient (x y : N) | exponential (x : N).
Arguments times {N}. Arguments plus {N}. Arguments quotient {N}. Arguments exponential {N}.

(** A program does operations one by one, each with a number as its result, and ends. *)
Inductive program (N A : Type) : Type :=
  | done (a : A)
  | compute (o : operation N) (next : N -> program N A).
Arguments done {N A}. Arguments compute {N A}.

Fixpoint bind {N A B} (p : program N A) (k : A -> program N B) : program N B :=
  match p with
  | done a => k a
  | compute o next => compute o (fun x => bind (next x) k)
  end.
Notation "x <- p ; q" := (bind p (fun x => q)) (at level 60, p at level 59, right associativity).

(** The real number that an operation gives. *)
Definition result (o : operation R) : R :=
  match o with
  | times x y => x * y | plus x y => x + y | quotient x y => x / y | exponential x => exp x
  end%R.

(** What a program ends with. *)
Fixpoint run {A} (p : program R A) : A :=
  match p with done a => a | compute o next => run (next (result o)) end.

Inductive kind := multiplications | additions | divisions | exponentials.

Definition is_of (k : kind) {N} (o : operation N) : nat :=
  match k, o with
  | multiplications, times _ _ | additions, plus _ _
  | divisions, quotient _ _ | exponentials, exponential _ => 1
  | _, _ => 0
  end.

(** How many operations of a kind a program does. *)
Fixpoint count (k : kind) {A} (p : program R A) : nat :=
  match p with done _ => 0 | compute o next => is_of k o + count k (next (result o)) end.

(** ** Evaluations, for numbers of any type: they can do nothing but the operations. *)
Section Evaluations.
Variable N : Type.
Variable zero : N.

Definition do (o : operation N) : program N N := compute o done.

(** The entries 0 .. n-1 of a table, one after the other; [blank] is beyond it. *)
Fixpoint table {A} (blank : A) (n : nat) (entry : nat -> program N A) : program N (nat -> A) :=
  match n with
  | O => done (fun _ => blank)
  | S k => t <- table blank k entry; x <- entry k; done (fun j => if j =? k then x else t j)
  end.

Definition vector := table zero.
Definition rows := table (fun _ : nat => zero).

(** f 0 + ... + f (n-1), in n-1 additions. *)
Fixpoint total (n : nat) (f : nat -> N) : program N N :=
  match n with
  | O => done zero
  | S O => done (f 0)
  | S k => s <- total k f; do (plus s (f k))
  end.

(** The inner product of x and y over n entries. *)
Definition inner (n : nat) (x y : nat -> N) : program N N :=
  p <- vector n (fun c => do (times (x c) (y c))); total n p.

(** The entrywise product of two rows of n entries. *)
Definition product (n : nat) (x y : nat -> N) : program N (nat -> N) :=
  vector n (fun c => do (times (x c) (y c))).

(** The two-cache: K and V are the matrices of M rows that it keeps. *)
Definition query_two (M d d_v : nat) (q : nat -> N) (K V : nat -> nat -> N)
  : program N (nat -> N) :=
  w <- vector M (fun t => s <- inner d q (K t); do (exponential s));
  z <- total M w;
  vector d_v (fun c => u <- inner M w (fun t => V t c); do (quotient u z)).

(** The four-cache, products formed first. *)
Definition query_formed (n d d_v : nat) (q : nat -> N) (K1 K2 V1 V2 : nat -> nat -> N)
  : program N (nat -> N) :=
  K <- rows (n * n) (fun t => product d (K1 (t / n)) (K2 (t mod n)));
  V <- rows (n * n) (fun t => product d_v (V1 (t / n)) (V2 (t mod n)));
  query_two (n * n) d d_v q K V.

(** The four-cache, factored: (q∘K_1)·K_2ᵀ, then Σ_j V_1[j]∘(P·V_2)[j]. *)
Definition query_factored (n d d_v : nat) (q : nat -> N) (K1 K2 V1 V2 : nat -> nat -> N)
  : program N (nat -> N) :=
  H <- rows n (fun j => product d q (K1 j));
  w <- vector (n * n) (fun t => s <- inner d (H (t / n)) (K2 (t mod n)); do (exponential s));
  z <- total (n * n) w;
  vector d_v (fun c =>
    U <- vector n (fun j => inner n (fun l => w (j * n + l)) (fun l => V2 l c));
    u <- inner n (fun j => V1 j c) U;
    do (quotient u z)).

(** Appending a token to the two-cache: the new rows of one product of matrices, when each slot
    has n rows with the new one, row n-1. *)
Definition append_product (n d : nat) (A1 A2 : nat -> nat -> N)
  : program N ((nat -> nat -> N) * (nat -> nat -> N)) :=
  old_new <- rows (n - 1) (fun j => product d (A1 j) (A2 (n - 1)));
  new_all <- rows n (fun l => product d (A1 (n - 1)) (A2 l));
  done (old_new, new_all).

Definition append_two (n d d_v : nat) (K1 K2 V1 V2 : nat -> nat -> N) :=
  K <- append_product n d K1 K2; V <- append_product n d_v V1 V2; done (K, V).
End Evaluations.
