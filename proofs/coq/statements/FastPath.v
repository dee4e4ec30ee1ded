(** * The fast path

    [kvfloor.attention.fast] evaluates attention in float64 and adds a radius. These theorems are
    about its arithmetic, not about a claim: [docs/fast.md] says of each of its lines which of them
    it is. Numbers, rounding and expressions are in [foundations/Binary64.v]. *)
From Coq Require Import Reals ZArith List Arith Bool.
From Flocq Require Import Core BinarySingleNaN.
From KVFloor Require Import Definitions Binary64.
From KVFloor Require FastPathSums FastPathProducts FastPathExact FastPathPairs FastPathQuotients.
From KVFloor Require FastPathUnderflow FastPathExp2 FastPathBounds FastPath FastPathOrderOne.
Import ListNotations.
Open Scope R_scope.

(** ** Rounding (sections 1 to 3) *)

(** The rounding of these theorems is that of Flocq's model of IEEE 754, which has a largest number,
    infinities and a NaN: as long as results are finite. *)
Theorem fast_path_finite (P : Prec_gt_0 53) (E : Prec_lt_emax 53 1024)
    (x y z : binary_float 53 1024) :
  is_finite x = true -> is_finite y = true -> is_finite z = true ->
  float (B2R x)
  /\ (is_finite (Bplus mode_NE x y) = true ->
      B2R (Bplus mode_NE x y) = fl (B2R x + B2R y))
  /\ (is_finite (Bmult mode_NE x y) = true ->
      B2R (Bmult mode_NE x y) = fl (B2R x * B2R y))
  /\ (is_finite (Bfma mode_NE x y z) = true ->
      B2R (Bfma mode_NE x y z) = fl (B2R x * B2R y + B2R z))
  /\ (B2R y <> 0 -> is_finite (Bdiv mode_NE x y) = true ->
      B2R (Bdiv mode_NE x y) = fl (B2R x / B2R y)).
Proof. exact (FastPathUnderflow.fast_path_finite P E x y z). Qed.

(** Multiplied by a power of two before a rounding or after it: the same, without underflow. *)
Theorem fast_path_scaling (x : R) (k : Z) :
  / 2 ^ 1022 <= Rabs x -> / 2 ^ 1022 <= bpow radix2 k * Rabs x ->
  fl (bpow radix2 k * x) = bpow radix2 k * fl x.
Proof. exact (FastPathUnderflow.fast_path_scaling x k). Qed.

(** ** Sums and products in any order, fused or not (sections 1, 5, 7) *)

(** What comes out is off by (1+u)^k - 1 of the sum of absolute values, where no term passes more
    than k roundings, and by what underflow takes. *)
Theorem fast_path_sums (e : expression) : given e ->
  Rabs (computed e - exact e) <= ((1 + roundoff) ^ roundings e - 1) * size e + lost e.
Proof. exact (FastPathSums.fast_path_sums e). Qed.

(** What underflow takes, where no factor of a product exceeds B. *)
Theorem fast_path_lost (B : R) (e : expression) : 1 <= B -> factors_within B e ->
  let bound := INR (product_count e) * (2 * B) ^ depth e * (1 + roundoff) ^ roundings e * underflow in
  bound <= 1 -> lost e <= bound.
Proof. exact (FastPathUnderflow.fast_path_lost B e). Qed.

(** γ_k as it is computed. *)
Definition gamma (k : nat) : R := INR k * roundoff * (1 + / 2 ^ 20).

Theorem fast_path_gamma (k : nat) : (k <= 2 ^ 30)%nat -> (1 + roundoff) ^ k - 1 <= gamma k.
Proof. exact (FastPathSums.fast_path_gamma k). Qed.

(** A sum of n products, of factors that have passed j roundings, is one of j + n roundings. *)
Theorem fast_path_products (e : expression) (l : list (expression * expression)) (j : nat) :
  adds e l ->
  (forall s t, In (s, t) l -> given s /\ given t /\ (roundings s + roundings t <= j)%nat) ->
  given e /\ (roundings e <= j + length l)%nat
  /\ exact e = lsum (fun p => exact (fst p) * exact (snd p)) l
  /\ size e = lsum (fun p => size (fst p) * size (snd p)) l.
Proof. exact (FastPathProducts.fast_path_products e l j). Qed.

(** An inner product of n numbers with n others; what underflow takes is below n 2^-1074 while
    (1 + u)^n < 2. *)
Theorem fast_path_dot (e : expression) (l : list (R * R)) :
  adds e (map numbers l) -> (forall a b, In (a, b) l -> float a /\ float b) ->
  Rabs (computed e - lsum (fun p => fst p * snd p) l)
    <= ((1 + roundoff) ^ length l - 1) * lsum (fun p => Rabs (fst p * snd p)) l
       + INR (length l) * (1 + roundoff) ^ length l * underflow.
Proof. exact (FastPathProducts.fast_path_dot e l). Qed.

(** Where all is a multiple of 2^c and adds up to 53 bits at most, nothing is rounded. *)
Theorem fast_path_sums_unrounded (c : Z) (e : expression) :
  (-1074 <= c)%Z -> on_grid c e -> size e <= bpow radix2 (53 + c) -> computed e = exact e.
Proof. exact (FastPathSums.fast_path_sums_unrounded c e). Qed.

(** ** Slices (section 7) *)

(** [extract]: x rounded to a multiple of 2^e, and the rest, which is a number. *)
Theorem fast_path_extract (x : R) (e : Z) :
  float x -> (-1074 <= e)%Z -> Rabs x <= bpow radix2 (51 + e) ->
  let C := 3 / 2 * 2 ^ 52 * bpow radix2 e in
  let head := fl (fl (x + C) - C) in
  multiple e head /\ Rabs (x - head) <= bpow radix2 e / 2 /\ fl (x - head) = x - head.
Proof. exact (FastPathExact.fast_path_extract x e). Qed.

(** [split]: three slices of a number up to 2^t. *)
Theorem fast_path_split (x : R) (t beta : Z) :
  float x -> (1 <= beta <= 26)%Z -> (-1074 <= t - 2 * beta)%Z -> Rabs x <= bpow radix2 t ->
  let head e y := fl (fl (y + 3 / 2 * 2 ^ 52 * bpow radix2 e) - 3 / 2 * 2 ^ 52 * bpow radix2 e) in
  let x0 := head (t - beta)%Z x in
  let rest := fl (x - x0) in
  let x1 := head (t - 2 * beta)%Z rest in
  let x2 := fl (rest - x1) in
  x0 + x1 + x2 = x
  /\ multiple (t - beta) x0 /\ Rabs x0 <= bpow radix2 t
  /\ multiple (t - 2 * beta) x1 /\ Rabs x1 <= bpow radix2 (t - beta - 1)
  /\ Rabs x2 <= bpow radix2 (t - 2 * beta - 1).
Proof. exact (FastPathExact.fast_path_split x t beta). Qed.

(** Inner products of N slices are exact: x_0 y_0, and x_0 y_1 + x_1 y_0. *)
Theorem fast_path_slices (e : expression) (l : list (R * R)) (N : nat) (beta s : Z) :
  adds e (map numbers l) -> (1 <= beta)%Z -> (-1074 <= s - 3 * beta)%Z ->
  INR N * bpow radix2 (2 * beta) <= 2 ^ 53 ->
  length l = N /\ (forall a b, In (a, b) l ->
      multiple (s - beta) a /\ Rabs a <= bpow radix2 s
      /\ multiple (- beta) b /\ Rabs b <= bpow radix2 0)
  \/ length l = (2 * N)%nat /\ (forall a b, In (a, b) l ->
      (multiple (s - beta) a /\ Rabs a <= bpow radix2 s
       /\ multiple (- 2 * beta) b /\ Rabs b <= bpow radix2 (- beta - 1))
      \/ (multiple (s - 2 * beta) a /\ Rabs a <= bpow radix2 (s - beta - 1)
          /\ multiple (- beta) b /\ Rabs b <= bpow radix2 0)) ->
  computed e = lsum (fun p => fst p * snd p) l.
Proof. exact (FastPathProducts.fast_path_slices e l N beta s). Qed.

(** ** The error of an operation, as a number (section 7) *)

Theorem fast_path_two_sum (a b : R) : float a -> float b ->
  let s := fl (a + b) in
  let t := fl (s - a) in
  let e := fl (fl (a - fl (s - t)) + fl (b - t)) in
  s + e = a + b.
Proof. exact (FastPathExact.fast_path_two_sum a b). Qed.

Theorem fast_path_fast_two_sum (a b : R) : float a -> float b -> Rabs b <= Rabs a ->
  let s := fl (a + b) in
  let e := fl (b - fl (s - a)) in
  s + e = a + b.
Proof. exact (FastPathExact.fast_path_fast_two_sum a b). Qed.

(** Where the error of the product underflows, it is off by 7/2 of the least number. *)
Theorem fast_path_two_product (a b : R) : float a -> float b ->
  let half x := let t := fl ((2 ^ 27 + 1) * x) in fl (t - fl (t - x)) in
  let a1 := half a in let a2 := fl (a - a1) in
  let b1 := half b in let b2 := fl (b - b1) in
  let p := fl (a * b) in
  let e := fl (fl (a2 * b2) - fl (fl (fl (p - fl (a1 * b1)) - fl (a2 * b1)) - fl (a1 * b2))) in
  (a * b = 0 \/ / 2 ^ 969 <= Rabs (a * b) -> p + e = a * b)
  /\ Rabs (a * b - (p + e)) <= 7 / 2 * / 2 ^ 1074.
Proof. exact (FastPathExact.fast_path_two_product a b). Qed.

(** ** Double-doubles (sections 5b, 7, 9) *)

(** Two numbers that stand for their sum. *)
Definition double_double (hi lo : R) : Prop := float hi /\ float lo /\ Rabs lo <= roundoff * Rabs hi.

(** A product that is no less does not suffer from underflow. *)
Definition least_product : R := / 2 ^ 960.

(** [pair_sum]. *)
Theorem fast_path_pair_sum (x0 x1 y0 y1 : R) : double_double x0 x1 -> double_double y0 y1 ->
  let s := fl (x0 + y0) in
  let t := fl (s - x0) in
  let e := fl (fl (x0 - fl (s - t)) + fl (y0 - t)) in
  let c := fl (e + fl (x1 + y1)) in
  let hi := fl (s + c) in
  let t' := fl (hi - s) in
  let lo := fl (fl (s - fl (hi - t')) + fl (c - t')) in
  double_double hi lo
  /\ Rabs (hi + lo - ((x0 + x1) + (y0 + y1)))
     <= 4 * (roundoff * roundoff) * (Rabs (x0 + x1) + Rabs (y0 + y1)).
Proof. exact (FastPathPairs.fast_path_pair_sum x0 x1 y0 y1). Qed.

(** [add_to]: x to a pair. *)
Theorem fast_path_add_to (hi lo x : R) : double_double hi lo -> float x ->
  let s := fl (hi + x) in
  let t := fl (s - hi) in
  let e := fl (fl (hi - fl (s - t)) + fl (x - t)) in
  let c := fl (e + lo) in
  let hi' := fl (s + c) in
  let lo' := fl (c - fl (hi' - s)) in
  double_double hi' lo'
  /\ Rabs (hi' + lo' - (hi + lo + x)) <= 2 * (roundoff * roundoff) * (Rabs hi + Rabs x).
Proof. exact (FastPathPairs.fast_path_add_to hi lo x). Qed.

(** [multiply]: p and e are what [two_product] gives of a0 b0, t1 and t2 the products of a high with a
    low part. *)
Theorem fast_path_multiply (a0 a1 b0 b1 p e t1 t2 : R) :
  double_double a0 a1 -> double_double b0 b1 -> a0 * b0 = 0 \/ least_product <= Rabs (a0 * b0) ->
  p = fl (a0 * b0) -> float e -> p + e = a0 * b0 ->
  contracted (a0 * b1) t1 -> contracted (a1 * b0) t2 ->
  let c := fl (e + fl (t1 + t2)) in
  let hi := fl (p + c) in
  let lo := fl (c - fl (hi - p)) in
  double_double hi lo
  /\ Rabs (hi + lo - (a0 + a1) * (b0 + b1))
     <= 9 * (roundoff * roundoff) * Rabs ((a0 + a1) * (b0 + b1)).
Proof. exact (FastPathPairs.fast_path_multiply a0 a1 b0 b1 p e t1 t2). Qed.

(** [divide]: q is the quotient of the high parts, p and e what [two_product] gives of q b0. *)
Theorem fast_path_divide (a0 a1 b0 b1 q p e g : R) :
  double_double a0 a1 -> double_double b0 b1 ->
  least_product <= Rabs a0 -> least_product <= Rabs b0 -> least_product <= Rabs (a0 / b0) ->
  q = fl (a0 / b0) -> p = fl (q * b0) -> float e -> p + e = q * b0 -> contracted (q * b1) g ->
  let t := fl (fl (fl (fl (a0 - p) - e) + fl (a1 - g)) / b0) in
  let hi := fl (q + t) in
  let lo := fl (t - fl (hi - q)) in
  double_double hi lo
  /\ Rabs (hi + lo - (a0 + a1) / (b0 + b1))
     <= 16 * (roundoff * roundoff) * Rabs ((a0 + a1) / (b0 + b1)).
Proof. exact (FastPathQuotients.fast_path_divide a0 a1 b0 b1 q p e g). Qed.

(** ** 2^x (section 4) *)

(** The coefficients times 2^80, the highest first. *)
Definition exp2_numerators : list Z :=
  [8597617788970267; 123437610704245776; 1597623931775675904; 18439319593754005504;
   186217260989516906496; 1611928283165600514048; 11627604614299055554560;
   67100350059023683289088; 290416026818695091191808; 837963523372008863694848;
   1208925819614629174706176]%Z.

(** Horner's scheme, whose products may be fused with the sums. *)
Fixpoint horner (f a : R) (l : list Z) (y : R) : Prop :=
  match l with
  | [] => y = a
  | c :: l' => exists p, contracted (a * f) p /\ horner f (fl (p + IZR c / 2 ^ 80)) l' y
  end.
Definition exp2_horner (f y : R) : Prop :=
  match exp2_numerators with [] => False | c :: l => horner f (IZR c / 2 ^ 80) l y end.

(** [exp2_single]: 2^k y is 2^x within 5 units roundoff. *)
Theorem fast_path_exp2 (x y : R) :
  float x -> Rabs x <= 2 ^ 21 ->
  let C := 3 / 2 * 2 ^ 52 in
  let n := fl (fl (x + C) - C) in
  exp2_horner (fl (x - n)) y ->
  exists k : Z, n = IZR k
    /\ Rabs (bpow radix2 k * y - Rpower 2 x) <= 5 * roundoff * Rpower 2 x
    /\ 7 / 10 < y < 142 / 100.
Proof. exact (FastPathExp2.fast_path_exp2 x y). Qed.

(** ** Bounds that need no further sums (sections 5, 5a, 7) *)

(** [logit_error] multiplies the norms of a row and of a column. *)
Theorem fast_path_norms (d : nat) (a k : nat -> R) :
  rsum d (fun c => Rabs (a c * k c))
    <= sqrt (rsum d (fun c => a c * a c)) * sqrt (rsum d (fun c => k c * k c)).
Proof. exact (FastPathBounds.fast_path_norms d a k). Qed.

(** Sums over a table of weights, from those of its rows and of its columns. *)
Theorem fast_path_rows_columns (n1 n2 : nat) (E : nat -> nat -> R) (x y : nat -> R) :
  (forall i j, (i < n1)%nat -> (j < n2)%nat -> 0 <= E i j) ->
  let rho i := rsum n2 (fun j => E i j) in
  let kappa j := rsum n1 (fun i => E i j) in
  rsum n1 (fun i => rsum n2 (fun j => E i j * Rabs (x i) * Rabs (y j)))
    <= sqrt (rsum n1 (fun i => rho i * (x i * x i)) * rsum n2 (fun j => kappa j * (y j * y j))).
Proof. exact (FastPathBounds.fast_path_rows_columns n1 n2 E x y). Qed.

(** Weights w are within omega of E, relatively: the output moves as far as values deviate from it. *)
Theorem fast_path_centred (N : nat) (w E omega v : nat -> R) :
  (forall t, (t < N)%nat -> 0 <= w t /\ Rabs (w t - E t) <= w t * omega t) ->
  0 < rsum N w -> rsum N E <> 0 ->
  let c := rsum N (fun t => w t * v t) / rsum N w in
  let out := rsum N (fun t => E t * v t) / rsum N E in
  let variance := rsum N (fun t => w t * (v t * v t)) / rsum N w - c * c in
  let spread := rsum N (fun t => w t * (omega t * omega t)) / rsum N w in
  (c - out) * (c - out) * (1 - spread) <= spread * variance.
Proof. exact (FastPathBounds.fast_path_centred N w E omega v). Qed.

(** [key_rest]: of a_0 K_2 + a_1 (K_1 + K_2) + a_2 K, where a_2 has a low part, too. *)
Theorem fast_path_key_rest (d beta : nat) (unit sums longest : R) (A a0 a1 a2 K K12 K2 : nat -> R) :
  (1 <= beta)%nat -> 0 <= unit ->
  (forall c, (c < d)%nat ->
     Rabs (a0 c) <= Rabs (A c) + unit * / 2 ^ (beta + 1) /\ Rabs (a1 c) <= unit * / 2 ^ (beta + 1)
     /\ Rabs (a2 c) <= 2 * (unit * / 2 ^ (2 * beta + 1))
     /\ Rabs (K12 c) <= / 2 ^ (beta + 1) /\ Rabs (K2 c) <= / 2 ^ (2 * beta + 1)) ->
  rsum d (fun c => Rabs (A c)) <= sums -> rsum d (fun c => Rabs (K c)) <= longest ->
  rsum d (fun c => Rabs (a0 c * K2 c) + Rabs (a1 c * K12 c) + Rabs (a2 c * K c))
    <= (sums + unit * (2 * longest + INR d)) * / 2 ^ (2 * beta + 1).
Proof. exact (FastPathBounds.fast_path_key_rest d beta unit sums longest A a0 a1 a2 K K12 K2). Qed.

(** [value_error]: of p_0 V_2 + p_1 (V_1 + V_2) + p_2 V, over a block of J tuples. *)
Theorem fast_path_value_rest (J beta : nat) (p0 p1 p2 V V12 V2 : nat -> R) :
  (forall j, (j < J)%nat ->
     Rabs (p0 j) <= 1 /\ Rabs (p1 j) <= / 2 ^ (beta + 1)
     /\ Rabs (p2 j) <= 2 * / 2 ^ (2 * beta + 1) /\ Rabs (V j) <= 1
     /\ Rabs (V12 j) <= / 2 ^ (beta + 1) /\ Rabs (V2 j) <= / 2 ^ (2 * beta + 1)) ->
  rsum J (fun j => Rabs (p0 j * V2 j) + Rabs (p1 j * V12 j) + Rabs (p2 j * V j))
    <= INR J * (7 / 2 * / 2 ^ (2 * beta + 1)).
Proof. exact (FastPathBounds.fast_path_value_rest J beta p0 p1 p2 V V12 V2). Qed.

(** ** Level (a) (sections 5 and 6) *)

(** What an expression is off by whose terms pass k roundings. *)
Definition off (k : nat) (e : expression) : R := gamma k * size e + lost e.

(** The relative error of the term of tuple t: r roundings in sums, the weight, the logit's error in
    bits times ln 2, rounded up. *)
Definition term_off (k r : nat) (logits : nat -> expression) (t : nat) : R :=
  gamma r + 5 * roundoff + 6932 / 10000 * off k (logits t).

(** N tuples, in any order of attention. Their logits, in bits, are computed as expressions in which
    no term passes more than k roundings. The weights w, in units of 2^scale, are within 5 units
    roundoff of 2 to the computed logits, or raised by [lift]. Numerator and sum of weights are
    computed from them in at most r roundings of a term; b_n and b_d are no less than what their terms
    are off by. Then output and log-sum-exp are within the radius, with a factor for what is of
    second order and 2^-400 for underflow. *)
Theorem fast_path (N k r : nat) (scale : Z) (logits : nat -> expression) (w lift v : nat -> R)
    (numerator total : expression) (b_n b_d : R) :
  (0 < N)%nat -> (k <= 2 ^ 30)%nat -> (r <= 2 ^ 30)%nat ->
  (forall t, (t < N)%nat ->
     given (logits t) /\ (roundings (logits t) <= k)%nat /\ off k (logits t) <= / 2 ^ 12) ->
  (forall t, (t < N)%nat ->
     0 <= w t /\ 0 <= lift t
     /\ Rabs (bpow radix2 scale * w t - Rpower 2 (computed (logits t)))
         <= 5 * roundoff * Rpower 2 (computed (logits t)) + bpow radix2 scale * lift t) ->
  (given numerator /\ (roundings numerator <= r)%nat
   /\ exact numerator = rsum N (fun t => w t * v t)
   /\ size numerator <= rsum N (fun t => w t * Rabs (v t))) ->
  (given total /\ (roundings total <= r)%nat /\ exact total = rsum N w /\ size total <= rsum N w) ->
  rsum N (fun t => w t * Rabs (v t) * term_off k r logits t) <= b_n ->
  rsum N (fun t => w t * term_off k r logits t) <= b_d ->
  let D := computed total in
  0 < D ->
  lost numerator + rsum N (fun t => 2 * lift t * Rabs (v t)) <= / 2 ^ 400 * D ->
  lost total + rsum N (fun t => 2 * lift t) <= / 2 ^ 400 * D ->
  let e b := (1 + / 2 ^ 11) * b + / 2 ^ 400 * D in
  e b_d < D ->
  let z := fl (computed numerator / D) in
  Rabs (z - output N (fun t => exact (logits t) * ln 2) v)
    <= (1 + / 2 ^ 11) * ((e b_n + Rabs z * e b_d) / (D - e b_d) + 2 * roundoff * Rabs z)
  /\ Rabs (ln (rsum N (fun t => exp (exact (logits t) * ln 2))) - (IZR scale * ln 2 + ln D))
    <= e b_d / (D - e b_d).
Proof. exact (FastPath.fast_path N k r scale logits w lift v numerator total b_n b_d). Qed.

(** Order 1 (section 5a). Weights w are within (1 + 2^-11) omega of the true ones E, relatively, and
    values at most 1. Sums of values, of ones and of squares are computed in at most r roundings of a
    term; W is no less than the root mean square of omega. Then the output follows the deviation of the
    values, computed from these sums. *)
Theorem fast_path_order_one (N r : nat) (w E omega v : nat -> R)
    (numerator total squares : expression) (W : R) :
  (r <= 2 ^ 30)%nat ->
  (forall t, (t < N)%nat ->
     0 <= w t /\ Rabs (w t - E t) <= w t * ((1 + / 2 ^ 11) * omega t) /\ Rabs (v t) <= 1) ->
  rsum N E <> 0 -> 0 <= W <= / 2 ^ 11 ->
  rsum N (fun t => w t * (omega t * omega t)) <= W * W * rsum N w ->
  (given numerator /\ (roundings numerator <= r)%nat
   /\ exact numerator = rsum N (fun t => w t * v t)
   /\ size numerator <= rsum N (fun t => w t * Rabs (v t))) ->
  (given total /\ (roundings total <= r)%nat /\ exact total = rsum N w /\ size total <= rsum N w) ->
  (given squares /\ (roundings squares <= r)%nat
   /\ exact squares = rsum N (fun t => w t * (v t * v t))
   /\ size squares <= rsum N (fun t => w t * (v t * v t))) ->
  let D := computed total in
  0 < D -> 0 <= computed squares ->
  lost numerator <= / 2 ^ 820 * D -> lost total <= / 2 ^ 820 * D -> lost squares <= / 2 ^ 820 * D ->
  let z := fl (computed numerator / D) in
  let s := fl (computed squares / D) in
  let d := fl (s - fl (z * z)) in
  let variance := Rmax d 0 + (6 * gamma r + 10 * roundoff) * s in
  Rabs (z - rsum N (fun t => E t * v t) / rsum N E)
    <= (1 + / 2 ^ 10) * (W * sqrt variance + gamma r * (sqrt s + Rabs z)
                         + 2 * roundoff * Rabs z + / 2 ^ 400).
Proof.
  exact (FastPathOrderOne.fast_path_order_one N r w E omega v numerator total squares W).
Qed.
