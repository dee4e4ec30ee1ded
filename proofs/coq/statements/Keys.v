(** * L5 `keys` *)
From Coq Require Import Reals ZArith List Arith Bool.
From KVFloor Require Import Definitions Families.
From KVFloor Require Keys KeysCodes KeysInner KeysSignTuples KeysTuples.
Import ListNotations.
Open Scope R_scope.

(** Parabola keys have margin C in two dimensions or more, for any number of tokens. *)
Theorem keys_parabola (n d : nat) (C : R) (i : nat) :
  (2 <= d)%nat -> 0 <= C ->
  margin n (logit d (parabola_query C i) parabola_key) i C.
Proof. exact (Keys.keys_parabola n d C i). Qed.

(** Binary keys have margin 2C as soon as n <= 2^d. *)
Theorem keys_binary (n d : nat) (C : R) (i : nat) :
  (n <= 2 ^ d)%nat -> (i < n)%nat -> 0 <= C ->
  margin n (logit d (binary_query C i) binary_key) i (2 * C).
Proof. exact (Keys.keys_binary n d C i). Qed.

(** K1[j] = (j, -j^2, 1, 1, 0, ...) and K2[l] = (1, 1, l, -l^2, 0, ...). *)
Definition pair_key1 : matrix := fun j c =>
  match c with
  | 0%nat => INR j | 1%nat => - (INR j * INR j) | 2%nat | 3%nat => 1 | _ => 0
  end.
Definition pair_key2 : matrix := fun l c =>
  match c with
  | 0%nat | 1%nat => 1 | 2%nat => INR l | 3%nat => - (INR l * INR l) | _ => 0
  end.
Definition pair_query (C : R) (i k : nat) : nat -> R := fun c =>
  match c with
  | 0%nat => C * (2 * INR i) | 1%nat => C | 2%nat => C * (2 * INR k) | 3%nat => C | _ => 0
  end.

(** Every pair (a / n2, a mod n2) has margin C over all other pairs, in four dimensions or more. *)
Theorem keys_parabola_pairs (n1 n2 d : nat) (C : R) (a : nat) :
  (4 <= d)%nat -> 0 <= C ->
  margin (n1 * n2)
    (fun a' => logit2 d (pair_query C (a / n2) (a mod n2)) pair_key1 pair_key2
                        (a' / n2) (a' mod n2)) a C.
Proof. exact (Keys.keys_parabola_pairs n1 n2 d C a). Qed.

(** ** Address books from inner products *)

(** Keys of squared norm s with inner products of at most p: margin C (s - p). *)
Theorem keys_inner_margin (n d : nat) (K : matrix) (C s p : R) (i : nat) :
  0 <= C -> dot d K i i = s ->
  (forall j, (j < n)%nat -> j <> i -> dot d K i j <= p) ->
  margin n (logit d (key_query C K i) K) i (C * (s - p)).
Proof. exact (KeysInner.keys_inner_margin n d K C s p i). Qed.

(** Over a key of zeros too, if p is not negative. *)
Theorem keys_inner (n d : nat) (K : matrix) (C s p : R) :
  0 <= C -> 0 <= p ->
  (forall i, (i < n)%nat -> dot d K i i = s) ->
  (forall i j, (i < n)%nat -> (j < n)%nat -> j <> i -> dot d K i j <= p) ->
  address_book n d K (key_query C K) (C * (s - p)).
Proof. exact (KeysInner.keys_inner n d K C s p). Qed.

(** Unit vectors at pairwise cosines of at most c: queries of norm ρ have margin ρ (1 - c). *)
Theorem keys_spherical (n d : nat) (K : matrix) (rho c : R) :
  0 <= rho ->
  (forall i, (i < n)%nat -> dot d K i i = 1) ->
  (forall i j, (i < n)%nat -> (j < n)%nat -> j <> i -> dot d K i j <= c) ->
  (forall i, (i < n)%nat -> margin n (logit d (key_query rho K i) K) i (rho * (1 - c))) /\
  (forall i, (i < n)%nat ->
     rsum d (fun e => key_query rho K i e * key_query rho K i e) = rho * rho /\
     logit d (key_query rho K i) K i = rho).
Proof. exact (KeysInner.keys_spherical n d K rho c). Qed.

(** n orthonormal keys in n dimensions or more have margin C. *)
Theorem keys_orthonormal (n d : nat) (C : R) :
  (n <= d)%nat -> 0 <= C -> address_book n d unit_key (key_query C unit_key) C.
Proof. exact (KeysInner.keys_orthonormal n d C). Qed.

(** 2d signed axes have margin C. *)
Theorem keys_signed_axes (n d : nat) (C : R) :
  (n <= 2 * d)%nat -> 0 <= C -> address_book n d axis_key (key_query C axis_key) C.
Proof. exact (KeysInner.keys_signed_axes n d C). Qed.

(** 2d(d-1) roots of D_d, of squared norm 2, have margin C. *)
Theorem keys_roots_d (n d : nat) (C : R) :
  (n <= 2 * d * (d - 1))%nat -> 0 <= C ->
  address_book n d (root_key d) (key_query C (root_key d)) C.
Proof. exact (KeysInner.keys_roots_d n d C). Qed.

Theorem keys_parabola_book (n d : nat) (C : R) :
  (2 <= d)%nat -> 0 <= C -> address_book n d parabola_key_1 (parabola_query_1 C) C.
Proof. exact (KeysInner.keys_parabola_book n d C). Qed.

(** Binary keys in two dimensions or more. *)
Theorem keys_binary_book (n d : nat) (C : R) :
  (n <= 2 ^ d)%nat -> (2 <= d)%nat -> 0 <= C ->
  address_book n d binary_key (binary_query C) (2 * C).
Proof. exact (KeysInner.keys_binary_book n d C). Qed.

Fixpoint zdot (v w : list Z) : Z :=
  match v, w with a :: v', b :: w' => (a * b + zdot v' w')%Z | _, _ => 0%Z end.

(** Every word has squared norm s, and any two have an inner product of at most p. *)
Fixpoint code_ok (s p : Z) (l : list (list Z)) : bool :=
  match l with
  | [] => true
  | v :: l' => ((zdot v v =? s) && forallb (fun w => zdot v w <=? p) l' && code_ok s p l')%Z
  end.

(** A code that passes the check is an address book of margin C (s - p). *)
Theorem keys_integer_code (n d : nat) (C : R) (s p : Z) (l : list (list Z)) :
  code_ok s p l = true -> (0 <= p)%Z -> (forall v, In v l -> (length v <= d)%nat) ->
  (n <= length l)%nat -> 0 <= C ->
  address_book n d (code_key l) (key_query C (code_key l)) (C * IZR (s - p)).
Proof. exact (KeysCodes.keys_integer_code n d C s p l). Qed.

(** The 240 roots of E8 in 8 dimensions have margin 4C. *)
Theorem keys_e8 (n d : nat) (C : R) :
  (n <= 240)%nat -> (8 <= d)%nat -> 0 <= C ->
  address_book n d (code_key e8) (key_query C (code_key e8)) (C * 4).
Proof. exact (KeysCodes.keys_e8 n d C). Qed.

(** n points on the circle have margin ρ (1 - cos (2π/n)). *)
Theorem keys_polygon (n d : nat) (rho : R) :
  (2 <= n)%nat -> (2 <= d)%nat -> 0 <= rho ->
  forall i, (i < n)%nat ->
    margin n (logit d (key_query rho (polygon_key n) i) (polygon_key n)) i
      (rho * (1 - cos (2 * PI / INR n))).
Proof. exact (KeysCodes.keys_polygon n d rho). Qed.

(** ** Every tuple an address *)

(** Tuple t has a margin of g over every other of the n^m tuples. *)
Definition tuple_margin (n m d : nat) (Ks : list matrix) (q : nat -> R) (t : list nat) (g : R)
    : Prop :=
  forall t', In t' (tuples (repeat (seq 0 n) m)) -> t' <> t ->
    tuple_logit d q Ks t >= tuple_logit d q Ks t' + g.

(** Slot r has its keys in the columns r d .. r d + d - 1, and ones elsewhere. *)
Definition block_key (d : nat) (K : matrix) (r : nat) : matrix := fun j c =>
  if c / d =? r then K j (c mod d)%nat else 1.

Definition block_keys (d : nat) (K : matrix) (m : nat) : list matrix :=
  map (block_key d K) (seq 0 m).

Definition block_query (d : nat) (Q : nat -> nat -> R) (t : list nat) : nat -> R := fun c =>
  Q (nth (c / d) t 0%nat) (c mod d)%nat.

(** Any address book for one slot, put in blocks, is one for all n^m tuples, of the same margin,
    in m d dimensions. *)
Theorem keys_blocks (n m d : nat) (K : matrix) (Q : nat -> nat -> R) (g : R) (t : list nat) :
  0 <= g -> (forall i, (i < n)%nat -> margin n (logit d (Q i) K) i g) ->
  In t (tuples (repeat (seq 0 n) m)) ->
  tuple_margin n m (m * d) (block_keys d K m) (block_query d Q t) t g.
Proof. exact (KeysTuples.keys_blocks n m d K Q g t). Qed.

(** Binary keys in blocks: m ⌈log₂ n⌉ dimensions are enough for n^m tuples. *)
Theorem keys_binary_blocks (n m d : nat) (C : R) (t : list nat) :
  (n <= 2 ^ d)%nat -> 0 <= C -> In t (tuples (repeat (seq 0 n) m)) ->
  tuple_margin n m (m * d) (block_keys d binary_key m) (block_query d (binary_query C) t) t
    (2 * C).
Proof. exact (KeysTuples.keys_binary_blocks n m d C t). Qed.

(** Parabola keys in blocks: 2m dimensions are enough. *)
Theorem keys_parabola_blocks (n m : nat) (C : R) (t : list nat) :
  0 <= C -> In t (tuples (repeat (seq 0 n) m)) ->
  tuple_margin n m (m * 2) (block_keys 2 parabola_key m) (block_query 2 (parabola_query C) t) t C.
Proof. exact (KeysTuples.keys_parabola_blocks n m C t). Qed.

(** Query of a tuple: C times the product of its rows. *)
Definition product_query (C : R) (Ks : list matrix) (t : list nat) : nat -> R := fun c =>
  C * row_product Ks t c.

(** Inner product of the product rows of two tuples. *)
Definition tuple_dot (d : nat) (Ks : list matrix) (t t' : list nat) : R :=
  rsum d (fun c => row_product Ks t c * row_product Ks t' c).

(** Sign keys in every slot, products of inner products at most μ: margin C (d - μ). *)
Theorem keys_sign_tuples (n m d : nat) (Ks : list matrix) (C mu : R) (t : list nat) :
  0 <= C -> (forall K, In K Ks -> sign_matrix K) ->
  (forall t', In t' (tuples (repeat (seq 0 n) m)) -> t' <> t -> tuple_dot d Ks t t' <= mu) ->
  tuple_margin n m d Ks (product_query C Ks t) t (C * (INR d - mu)).
Proof. exact (KeysTuples.keys_sign_tuples n m d Ks C mu t). Qed.

(** There are m matrices of signs, n rows each, such that the product rows of different tuples
    have inner products of at most ε d. *)
Theorem keys_sign_tuples_exist (n m d : nat) (eps : R) :
  0 <= eps ->
  INR n ^ m * (INR n ^ m - 1) / 2 * exp (- (eps * eps * INR d / 2)) < 1 ->
  exists Ks, length Ks = m /\ (forall K, In K Ks -> sign_matrix K) /\
    forall t t', In t (tuples (repeat (seq 0 n) m)) -> In t' (tuples (repeat (seq 0 n) m)) ->
      t' <> t -> tuple_dot d Ks t t' <= eps * INR d.
Proof. exact (KeysSignTuples.keys_sign_tuples_exist n m d eps). Qed.

(** The same as an inequality on the dimension: d > (2/ε²) ln(N(N-1)/2), N = n^m rows; the margin
    of a tuple is then C (1 - ε) d. *)
Theorem keys_sign_tuples_dimension (n m d : nat) (eps C : R) :
  (2 <= n)%nat -> (1 <= m)%nat -> 0 < eps -> 0 <= C ->
  INR d > 2 / (eps * eps) * ln (INR n ^ m * (INR n ^ m - 1) / 2) ->
  exists Ks, length Ks = m /\ (forall K, In K Ks -> sign_matrix K) /\
    forall t, In t (tuples (repeat (seq 0 n) m)) ->
      tuple_margin n m d Ks (product_query C Ks t) t (C * ((1 - eps) * INR d)).
Proof. exact (KeysSignTuples.keys_sign_tuples_dimension n m d eps C). Qed.

(** Order 1: n rows of signs with inner products of at most ε d, once
    n (n - 1) / 2 exp(-ε² d / 2) < 1. *)
Theorem keys_sign_rows_exist (n d : nat) (eps : R) :
  0 <= eps -> INR n * (INR n - 1) / 2 * exp (- (eps * eps * INR d / 2)) < 1 ->
  exists K, sign_matrix K /\
    forall i j, (i < n)%nat -> (j < n)%nat -> j <> i -> dot d K i j <= eps * INR d.
Proof. exact (KeysSignTuples.keys_sign_rows_exist n d eps). Qed.
