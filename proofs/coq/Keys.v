(** L5 `keys`: address books with any margin: parabola keys (two coordinates suffice) and binary
    keys (entries -1 and 1, log₂ n coordinates suffice); parabola keys for pairs. *)
From Coq Require Import Reals Lra Lia Arith.
From KVFloor Require Import Sums Attention.
Open Scope R_scope.

(** ** Parabola *)

Lemma rsum_first_two d f :
  (2 <= d)%nat -> (forall c, (2 <= c < d)%nat -> f c = 0) -> rsum d f = f 0%nat + f 1%nat.
Proof.
  induction d; intros Hd Hf; [lia|].
  destruct (Nat.eq_dec d 1) as [->|]; [simpl; ring|].
  simpl. rewrite IHd, (Hf d); [ring|lia|lia|intros; apply Hf; lia].
Qed.

(** Key j = (j, -j^2, 0, ..., 0);  query i = C (2i, 1, 0, ..., 0). *)
Definition parabola_key : matrix := fun j c =>
  match c with 0%nat => INR j | 1%nat => - (INR j * INR j) | _ => 0 end.
Definition parabola_query (C : R) (i : nat) : nat -> R := fun c =>
  match c with 0%nat => C * (2 * INR i) | 1%nat => C | _ => 0 end.

Lemma parabola_logit d C i j :
  (2 <= d)%nat ->
  logit d (parabola_query C i) parabola_key j
    = C * (INR i * INR i) - C * ((INR i - INR j) * (INR i - INR j)).
Proof.
  intros Hd. unfold logit. rewrite rsum_first_two; [simpl; ring|exact Hd|].
  intros c Hc. destruct c as [|[|c]]; [lia|lia|simpl; ring].
Qed.

Lemma INR_gap i j : i <> j -> 1 <= (INR i - INR j) * (INR i - INR j).
Proof.
  intros H. destruct (Nat.lt_total i j) as [L|[L|L]]; [|congruence|].
  - apply le_INR in L. rewrite S_INR in L. nra.
  - apply le_INR in L. rewrite S_INR in L. nra.
Qed.

(** Parabola keys have margin C in two dimensions or more, for any number of tokens. *)
Theorem keys_parabola n d C i :
  (2 <= d)%nat -> 0 <= C ->
  margin n (logit d (parabola_query C i) parabola_key) i C.
Proof.
  intros Hd HC j Hj Hne. rewrite !parabola_logit by exact Hd.
  pose proof (INR_gap i j (not_eq_sym Hne)) as H. nra.
Qed.

(** ** Binary keys *)

(** Key j is the d-digit binary code of j written with -1 and 1;  query i = C key i. *)
Definition binary_key : matrix := fun j c => if Nat.testbit j c then 1 else -1.
Definition binary_query (C : R) (i : nat) : nat -> R := fun c => C * binary_key i c.

(** Entries are -1 or 1. *)
Definition sign_matrix (K : matrix) : Prop := forall j c, K j c = 1 \/ K j c = -1.

Lemma binary_key_sign : sign_matrix binary_key.
Proof. intros j c. unfold binary_key. destruct (Nat.testbit j c); auto. Qed.

Lemma binary_term C i j c :
  0 <= C -> binary_query C i c * binary_key j c <= C.
Proof.
  intros HC. unfold binary_query, binary_key.
  destruct (Nat.testbit i c), (Nat.testbit j c); lra.
Qed.

Lemma binary_logit_self C d i : logit d (binary_query C i) binary_key i = INR d * C.
Proof.
  unfold logit. rewrite <- rsum_const. apply rsum_ext. intros c _.
  unfold binary_query. destruct (binary_key_sign i c) as [-> | ->]; ring.
Qed.

Lemma codes_differ d i j :
  (i < 2 ^ d)%nat -> (j < 2 ^ d)%nat -> i <> j ->
  exists c, (c < d)%nat /\ Nat.testbit i c <> Nat.testbit j c.
Proof.
  revert i j; induction d; intros i j Hi Hj Hne; [simpl in *; lia|].
  destruct (Bool.bool_dec (Nat.odd i) (Nat.odd j)) as [He|He].
  - assert (Hi2 : i = (2 * Nat.div2 i + Nat.b2n (Nat.odd i))%nat) by apply Nat.div2_odd.
    assert (Hj2 : j = (2 * Nat.div2 j + Nat.b2n (Nat.odd j))%nat) by apply Nat.div2_odd.
    rewrite He in Hi2. simpl in Hi, Hj.
    destruct (IHd (Nat.div2 i) (Nat.div2 j)) as (c & Hc & Hd); [lia|lia|congruence|].
    exists (S c). split; [lia|]. exact Hd.
  - exists 0%nat. split; [lia|]. now rewrite !Nat.bit0_odd.
Qed.

(** Binary keys have margin 2C as soon as n <= 2^d. *)
Theorem keys_binary n d C i :
  (n <= 2 ^ d)%nat -> (i < n)%nat -> 0 <= C ->
  margin n (logit d (binary_query C i) binary_key) i (2 * C).
Proof.
  intros Hn Hi HC j Hj Hne. rewrite binary_logit_self.
  destruct (codes_differ d i j) as (c & Hc & Hdiff); [lia|lia|congruence|].
  unfold logit. rewrite (rsum_split d c) by exact Hc.
  assert (Hrest : rsum d (fun k => if Nat.eqb k c then 0
             else binary_query C i k * binary_key j k) <= INR (d - 1) * C).
  { rewrite <- (rsum_const_except d c) by exact Hc. apply rsum_le.
    intros k _. destruct (Nat.eqb k c); [lra|]. now apply binary_term. }
  assert (Hc' : binary_query C i c * binary_key j c = - C).
  { unfold binary_query, binary_key.
    destruct (Nat.testbit i c), (Nat.testbit j c); try congruence; lra. }
  rewrite Hc'. replace (INR d) with (INR (d - 1) + 1); [lra|].
  rewrite <- S_INR. f_equal; lia.
Qed.

(** ** Parabola keys for pairs *)

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

Lemma pair_logit d C i k j l :
  (4 <= d)%nat ->
  logit2 d (pair_query C i k) pair_key1 pair_key2 j l
    = C * (INR i * INR i + INR k * INR k)
      - C * ((INR i - INR j) * (INR i - INR j) + (INR k - INR l) * (INR k - INR l)).
Proof.
  intros Hd. unfold logit2.
  replace d with (4 + (d - 4))%nat by lia. rewrite rsum_app.
  rewrite (rsum_ext (d - 4) _ (fun _ => 0)); [|intros; simpl; ring].
  rewrite rsum_const. simpl rsum. unfold pair_query, pair_key1, pair_key2. ring.
Qed.

(** Every pair (a / n2, a mod n2) has margin C over all other pairs, in four dimensions or more. *)
Theorem keys_parabola_pairs n1 n2 d C a :
  (4 <= d)%nat -> 0 <= C ->
  margin (n1 * n2)
    (fun a' => logit2 d (pair_query C (a / n2) (a mod n2)) pair_key1 pair_key2
                        (a' / n2) (a' mod n2)) a C.
Proof.
  intros Hd HC a' Ha' Hne. rewrite !pair_logit by exact Hd.
  assert (Hn2 : n2 <> 0%nat) by (intros ->; lia).
  assert (Hsq : forall x : R, 0 <= x * x) by (intros; nra).
  assert (Hgap : 1 <= (INR (a / n2) - INR (a' / n2)) * (INR (a / n2) - INR (a' / n2))
               + (INR (a mod n2) - INR (a' mod n2)) * (INR (a mod n2) - INR (a' mod n2))).
  { destruct (Nat.eq_dec (a / n2) (a' / n2)) as [E|E].
    - assert (a mod n2 <> a' mod n2).
      { intros E2. apply Hne. rewrite (Nat.div_mod a n2), (Nat.div_mod a' n2) by exact Hn2.
        congruence. }
      pose proof (INR_gap (a mod n2) (a' mod n2) H).
      pose proof (Hsq (INR (a / n2) - INR (a' / n2))). lra.
    - pose proof (INR_gap _ _ E). pose proof (Hsq (INR (a mod n2) - INR (a' mod n2))). lra. }
  set (D := _ + _) in Hgap |- *. nra.
Qed.
