(** H1 `heads-and-layers`: floors of layers and key-value heads add up. A query names a layer and a
    head, and query heads that share keys and values add nothing. *)
From Coq Require Import Reals Lra Lia Arith List Bool.
From KVFloor Require Import Sums Attention Guarantee Bits Entropy Tuples Symbols MixedSymbols
  SymbolsRandomized DecodeThreshold Serves GivenValues Parts FourCacheOrder SlidingWindow.
Import ListNotations.
Open Scope R_scope.

(** ** Parts that are not alike *)

(** P parts, part p with n p tokens, order m p, and values of d_v p columns on L p levels. *)
Section Unlike.
Variables (P : nat) (n m d d_v L : nat -> nat) (K : nat -> matrix) (Q : nat -> nat -> nat -> R).
Variables (lev : nat -> nat -> R) (g : nat -> R) (eta alpha : R).

Definition part_outputs (p : nat) : (nat -> R) -> matrix -> nat -> R :=
  order_out 0 (n p) (m p) (d p) (K p).

Definition all_levels (V : nat -> matrix) : Prop := forall p, level_values (L p) (lev p) (V p).

Theorem heads_and_layers_parts :
  0 <= eta < 1 -> 0 <= alpha -> (forall p, (1 <= L p)%nat) ->
  (forall p, (p < P)%nat -> (1 <= m p)%nat) ->
  (forall p i, (p < P)%nat -> (i < n p)%nat -> margin (n p) (logit (d p) (Q p i) (K p)) i (g p)) ->
  (forall p, (p < P)%nat -> leaves_room (n p) (g p) eta alpha (L p) (lev p)) ->
  forall b,
    (exists (state : (nat -> matrix) -> list bool) (answer : nat -> reader),
       (forall V, all_levels V -> length (state V) = b) /\
       (forall V p i c, all_levels V -> (p < P)%nat -> (i < n p)%nat -> (c < d_v p)%nat ->
          accurate eta alpha (answer p (state V) (Q p i) c) (part_outputs p (Q p i) (V p) c)))
    <-> rsum P (fun p => INR (n p * d_v p) * log2 (INR (L p))) <= INR b.
Proof.
  intros Heta Ha HL Hm Hg Hroom b.
  assert (Hin : forall p, In p (seq 0 P) <-> (p < P)%nat) by (intros; rewrite in_seq; lia).
  pose proof (bits_of_entries (seq 0 P) n d_v L HL b) as E. rewrite lsum_seq in E.
  rewrite <- E. split.
  - intros (state & answer & Hb & Hgood). rewrite <- (bitstrings_length b).
    apply (parts_states Nat.eq_dec (seq 0 P) (fun _ => 0%nat) n m d d_v L K lev
      (seq_NoDup _ _) HL Q g eta alpha Heta Ha) with (state := state) (answer := answer); auto.
    + intros p Hp. apply Hm, Hin, Hp.
    + intros p Hp. apply margin_window. intros i Hi. apply Hg; [now apply Hin|exact Hi].
    + intros p Hp. apply Hroom, Hin, Hp.
    + intros V HV. apply in_bitstrings. auto.
    + intros V p i c HV Hp Hi Hc. apply Hgood; auto. now apply Hin.
  - intros Hb. destruct (parts_met Nat.eq_dec (seq 0 P) (fun _ => 0%nat) n m d d_v L K lev b)
      as (state & answer & Hlen & Hans); [intros p Hp; apply Hm, Hin, Hp|exact Hb|].
    exists state, answer. split; [auto|]. intros V p i c HV Hp Hi Hc.
    rewrite Hans by (auto; now apply Hin). now apply accurate_exact.
Qed.

(** With public coins, failure probability at most δ and states of exactly b bits. *)
Theorem heads_and_layers_parts_randomized b T w delta
    (state : nat -> (nat -> matrix) -> list bool) (answer : nat -> nat -> reader) :
  0 <= eta < 1 -> 0 <= alpha -> (forall p, (2 <= L p)%nat) ->
  (forall p, (p < P)%nat -> (1 <= m p)%nat) ->
  (forall p i, (p < P)%nat -> (i < n p)%nat -> margin (n p) (logit (d p) (Q p i) (K p)) i (g p)) ->
  (forall p, (p < P)%nat -> leaves_room (n p) (g p) eta alpha (L p) (lev p)) ->
  distribution T w -> 0 <= delta <= 1 / 2 ->
  (forall u V, all_levels V -> length (state u V) = b) ->
  (forall V p i c, all_levels V -> (p < P)%nat -> (i < n p)%nat -> (c < d_v p)%nat ->
     rsum T (fun u => w u * failure eta alpha (answer u p (state u V) (Q p i) c)
                        (part_outputs p (Q p i) (V p) c)) <= delta) ->
  rsum P (fun p => INR (n p * d_v p)
    * (log2 (INR (L p)) - H2 delta - delta * log2 (INR (L p - 1)))) <= INR b.
Proof.
  intros Heta Ha HL Hm Hg Hroom Hw Hdelta Hb Hfail.
  assert (Hin : forall p, In p (seq 0 P) <-> (p < P)%nat) by (intros; rewrite in_seq; lia).
  pose proof (lsum_seq 0 P (fun p => INR (n p * d_v p) * symbol_share delta (L p))) as E.
  cbn [Nat.add] in E. unfold symbol_share at 2 in E. rewrite <- E, <- (log2_states b).
  apply (parts_randomized Nat.eq_dec (seq 0 P) (fun _ => 0%nat) n m d d_v L K lev
    (seq_NoDup _ _) (fun p => Nat.le_trans _ _ _ (Nat.le_succ_diag_r 1) (HL p))
    Q g eta alpha Heta Ha)
    with (T := T) (w := w) (state := state) (answer := answer); try apply Hdelta; auto.
  - intros p Hp. apply Hm, Hin, Hp.
  - intros p Hp. apply margin_window. intros i Hi. apply Hg; [now apply Hin|exact Hi].
  - intros p Hp. apply Hroom, Hin, Hp.
  - intros p _. split; [apply HL|]. split; [apply Hdelta|].
    apply Rle_trans with (1 / 2); [apply Hdelta|]. now apply half_of_places.
  - intros u V HV. apply in_bitstrings. auto.
  - intros V p i c HV Hp Hi Hc. apply Hfail; auto. now apply Hin.
Qed.
End Unlike.

(** ** Layers and heads, bits *)

(** Each layer l sees n l tokens; its heads have values of d_v columns of bits. A query names a
    layer and a head. *)
Definition serves_layers (layers heads : nat) (n : nat -> nat) (d_v : nat) (eta alpha : R)
    (out : nat -> nat -> outputs) (Q : nat -> nat -> nat -> nat -> R) (b : nat) : Prop :=
  exists (state : (nat -> nat -> matrix) -> list bool) (answer : nat -> nat -> reader),
    (forall V, (forall l h, zero_one (V l h)) -> (length (state V) <= b)%nat) /\
    (forall V l h i c, (forall l h, zero_one (V l h)) ->
       (l < layers)%nat -> (h < heads)%nat -> (i < n l)%nat -> (c < d_v)%nat ->
       accurate eta alpha (answer l h (state V) (Q l h i) c) (out l h (Q l h i) (V l h) c)).

Definition serves_layers_randomized (layers heads : nat) (n : nat -> nat) (d_v : nat)
    (eta alpha delta : R) (out : nat -> nat -> outputs) (Q : nat -> nat -> nat -> nat -> R)
    (b : nat) : Prop :=
  exists T w (state : nat -> (nat -> nat -> matrix) -> list bool)
    (answer : nat -> nat -> nat -> reader),
    distribution T w /\
    (forall r V, (forall l h, zero_one (V l h)) -> length (state r V) = b) /\
    (forall V l h i c, (forall l h, zero_one (V l h)) ->
       (l < layers)%nat -> (h < heads)%nat -> (i < n l)%nat -> (c < d_v)%nat ->
       rsum T (fun r => w r * failure eta alpha (answer r l h (state r V) (Q l h i) c)
                          (out l h (Q l h i) (V l h) c)) <= delta).

Lemma zero_one_levels V : zero_one V <-> level_values 2 INR V.
Proof.
  split; intros H j c; specialize (H j c).
  - destruct H as [E|E]; rewrite E; [exists 0%nat|exists 1%nat]; split; simpl; lia || lra.
  - destruct H as (s & Hs & E). rewrite E.
    assert (s = 0 \/ s = 1)%nat as [->| ->] by lia; simpl; [now left|right; lra].
Qed.

Lemma bits_leave_room n g eta alpha :
  guarantee eta alpha -> leak (n - 1) g < leak_limit eta alpha ->
  leaves_room n g eta alpha 2 INR.
Proof.
  intros Hg HL. rewrite <- leak_of_leak in HL. apply leak_of_limit in HL; [|exact Hg|apply pos_INR].
  change (INR (n - 1) * exp (- g)) with (excess (n - 1) g) in HL. split.
  - intros s Hs. assert (s = 0 \/ s = 1)%nat as [->| ->] by lia; simpl; lra.
  - intros s Hs. assert (s = 0)%nat as -> by lia. simpl. lra.
Qed.

Section Layers.
Variables (layers heads m d d_v : nat) (start n : nat -> nat) (eta alpha : R) (g : nat -> R).
Variables (K : nat -> nat -> matrix) (Q : nat -> nat -> nat -> nat -> R).
Hypothesis Hguarantee : guarantee eta alpha.
Hypothesis Hm : (1 <= m)%nat.

Let out (l h : nat) : outputs := order_out (start l) (n l) m d (K l h).

(** All bits of all layers and heads. *)
Definition total_bits : nat := length (entries (places layers heads) (fun p => n (fst p))
  (fun _ => d_v)).

Lemma total_bits_sum : INR total_bits = INR heads * INR d_v * rsum layers (fun l => INR (n l)).
Proof.
  unfold total_bits. transitivity (lsum (fun _ : nat * nat * (nat * nat) => 1)
    (entries (places layers heads) (fun p => n (fst p)) (fun _ => d_v))).
  - rewrite lsum_const. ring.
  - rewrite (lsum_entries (places layers heads) (fun p => n (fst p)) (fun _ => d_v) (fun _ => 1)).
    unfold places. rewrite lsum_list_prod, lsum_seq, <- rsum_scal. apply rsum_ext. intros l _.
    cbn [fst]. rewrite lsum_const, seq_length, mult_INR. simpl. ring.
Qed.

Section Floor.
Hypothesis Hmargin : forall l h, (l < layers)%nat -> (h < heads)%nat ->
  window_margin (start l) (n l) d (K l h) (Q l h) (g l).
Hypothesis Hleak : forall l, (l < layers)%nat -> leak (n l - 1) (g l) < leak_limit eta alpha.

Lemma layers_need b : serves_layers layers heads n d_v eta alpha out Q b -> (total_bits <= b)%nat.
Proof.
  intros (state & answer & Hb & Hgood).
  assert (H : (2 ^ total_bits <= length (bitstrings_upto b))%nat).
  { unfold total_bits. rewrite <- (kinds_same (kinds_of (fun _ => 2%nat)) 2) by reflexivity.
    destruct Hguarantee as (He & Ha & Hea).
    apply (parts_states place_eq (places layers heads) (fun p => start (fst p)) (fun p => n (fst p))
      (fun _ => m) (fun _ => d) (fun _ => d_v) (fun _ => 2%nat) (fun p => K (fst p) (snd p))
      (fun _ => INR))
      with (Q := fun p => Q (fst p) (snd p)) (g := fun p => g (fst p)) (eta := eta) (alpha := alpha)
            (state := fun V => state (fun l h => V (l, h)))
           (answer := fun p => answer (fst p) (snd p)); auto; try lra.
    - apply NoDup_list_prod; apply seq_NoDup.
    - intros [l h] Hp. apply in_places in Hp as [Hl Hh]. now apply Hmargin.
    - intros [l h] Hp. apply in_places in Hp as [Hl Hh]. apply bits_leave_room; [split; auto|].
      now apply Hleak.
    - intros V HV. apply in_bitstrings_upto, Hb. intros l h. now apply zero_one_levels.
    - intros V [l h] i c HV Hp Hi Hc. apply in_places in Hp as [Hl Hh].
      apply (Hgood (fun l h => V (l, h))); auto. intros l' h'. now apply zero_one_levels. }
  pose proof (bitstrings_upto_length b) as E.
  apply Nat.lt_succ_r. apply (Nat.pow_lt_mono_r_iff 2); lia.
Qed.

Lemma layers_randomized_need delta b : 0 <= delta <= 1 / 2 ->
  serves_layers_randomized layers heads n d_v eta alpha delta out Q b ->
  (1 - H2 delta) * INR total_bits <= INR b.
Proof.
  intros Hdelta (T & w & state & answer & Hw & Hb & Hgood).
  destruct Hguarantee as (He & Ha & Hea).
  pose proof (parts_randomized place_eq (places layers heads) (fun p => start (fst p))
    (fun p => n (fst p)) (fun _ => m) (fun _ => d) (fun _ => d_v) (fun _ => 2%nat)
    (fun p => K (fst p) (snd p)) (fun _ => INR)
    (NoDup_list_prod _ _ (seq_NoDup _ _) (seq_NoDup _ _)) (fun _ => Nat.le_succ_diag_r 1)
    (fun p => Q (fst p) (snd p)) (fun p => g (fst p)) eta alpha ltac:(lra) Ha
    (fun _ _ => Hm)) as H.
  assert (E : (1 - H2 delta) * INR total_bits
    = lsum (fun p => INR (n (fst p) * d_v) * symbol_share delta 2) (places layers heads)).
  { rewrite <- (lsum_entries (places layers heads) (fun p => n (fst p)) (fun _ => d_v)
      (fun _ => symbol_share delta 2)).
    rewrite lsum_const. fold total_bits. unfold symbol_share, log2. simpl (INR (2 - 1)).
    rewrite ln_1. change (INR 2) with 2. pose proof ln2_pos. field. lra. }
  rewrite E, <- (log2_states b).
  apply H with (T := T) (w := w) (state := fun u V => state u (fun l h => V (l, h)))
    (answer := fun u p => answer u (fst p) (snd p)); auto; try apply Hdelta.
  - intros [l h] Hp. apply in_places in Hp as [Hl Hh]. now apply Hmargin.
  - intros [l h] Hp. apply in_places in Hp as [Hl Hh]. apply bits_leave_room; [split; auto|].
    now apply Hleak.
  - intros u V HV. apply in_bitstrings, Hb. intros l h. now apply zero_one_levels.
  - intros V [l h] i c HV Hp Hi Hc. apply in_places in Hp as [Hl Hh].
    apply (Hgood (fun l h => V (l, h))); auto. intros l' h'. now apply zero_one_levels.
Qed.
End Floor.

(** All those bits answer every query, of whatever query head, exactly. *)
Lemma layers_met b : (total_bits <= b)%nat ->
  exists (state : (nat -> nat -> matrix) -> list bool) (answer : nat -> nat -> reader),
    (forall V, length (state V) = b) /\
    (forall V l h q c, (forall l h, zero_one (V l h)) ->
       (l < layers)%nat -> (h < heads)%nat -> (c < d_v)%nat ->
       answer l h (state V) q c = out l h q (V l h) c).
Proof.
  intros Hb.
  destruct (parts_met place_eq (places layers heads) (fun p => start (fst p)) (fun p => n (fst p))
    (fun _ => m) (fun _ => d) (fun _ => d_v) (fun _ => 2%nat) (fun p => K (fst p) (snd p))
    (fun _ => INR) b ltac:(auto)) as (state & answer & Hlen & Hans).
  { rewrite (kinds_same _ 2) by reflexivity. now apply Nat.pow_le_mono_r. }
  exists (fun V => state (fun p => V (fst p) (snd p))), (fun l h => answer (l, h)).
  split; [auto|]. intros V l h q c HV Hl Hh Hc.
  apply (Hans (fun p => V (fst p) (snd p)) (l, h)); [|now apply in_places|exact Hc].
  intros p. now apply zero_one_levels.
Qed.

Lemma layers_serve b : (total_bits <= b)%nat -> serves_layers layers heads n d_v eta alpha out Q b.
Proof.
  intros Hb. destruct (layers_met b Hb) as (state & answer & Hlen & Hans).
  destruct Hguarantee as (He & Ha & Hea). exists state, answer. split.
  - intros V _. now rewrite Hlen.
  - intros V l h i c HV Hl Hh Hi Hc. rewrite Hans by auto. now apply accurate_exact.
Qed.
End Layers.

Lemma total_bits_alike layers heads n d_v :
  total_bits layers heads d_v (fun _ => n) = (layers * heads * (n * d_v))%nat.
Proof. apply INR_eq. rewrite total_bits_sum, rsum_const, !mult_INR. ring. Qed.

Lemma total_bits_windows full windows heads n W d_v :
  total_bits (full + windows) heads d_v (fun l => if l <? full then n else W)
    = (heads * d_v * (full * n + windows * W))%nat.
Proof.
  apply INR_eq. rewrite total_bits_sum, rsum_app.
  rewrite (rsum_ext full _ (fun _ => INR n)), (rsum_ext windows _ (fun _ => INR W)).
  - rewrite !rsum_const, !mult_INR, plus_INR, !mult_INR. ring.
  - intros l _. destruct (Nat.ltb_spec (full + l) full); [lia|reflexivity].
  - intros l Hl. destruct (Nat.ltb_spec l full); [reflexivity|lia].
Qed.

(** Every layer and head with keys and queries of its own, attention of order m to n tokens: the
    least cache that serves them all has exactly Λ G n d_v bits. *)
Theorem heads_and_layers layers heads n m d d_v eta alpha g (K : nat -> nat -> matrix)
    (Q : nat -> nat -> nat -> nat -> R) :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall l h i, (l < layers)%nat -> (h < heads)%nat -> (i < n)%nat ->
     margin n (logit d (Q l h i) (K l h)) i g) ->
  leak (n - 1) g < leak_limit eta alpha ->
  forall b, serves_layers layers heads (fun _ => n) d_v eta alpha
              (fun l h => order_out 0 n m d (K l h)) Q b
            <-> (layers * heads * (n * d_v) <= b)%nat.
Proof.
  intros Hg Hm HK HL b. rewrite <- total_bits_alike. split.
  - apply (layers_need layers heads m d d_v (fun _ => 0%nat) (fun _ => n) eta alpha (fun _ => g));
      auto. intros l h Hl Hh. apply margin_window. auto.
  - now apply (layers_serve layers heads m d d_v (fun _ => 0%nat) (fun _ => n) eta alpha).
Qed.

(** Of layers with a window the last W tokens count. *)
Theorem heads_and_layers_windows full windows heads n W m d d_v eta alpha g
    (K : nat -> nat -> matrix) (Q : nat -> nat -> nat -> nat -> R) :
  let seen l := if l <? full then n else W in
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall l h, (l < full + windows)%nat -> (h < heads)%nat ->
     window_margin (n - seen l) (seen l) d (K l h) (Q l h) g) ->
  (forall l, (l < full + windows)%nat -> leak (seen l - 1) g < leak_limit eta alpha) ->
  forall b, serves_layers (full + windows) heads seen d_v eta alpha
              (fun l h => window_out n (seen l) m d (K l h)) Q b
            <-> (heads * d_v * (full * n + windows * W) <= b)%nat.
Proof.
  intros seen Hg Hm HK HL b. rewrite <- total_bits_windows. fold seen. split.
  - apply (layers_need (full + windows) heads m d d_v (fun l => (n - seen l)%nat) seen eta alpha
      (fun _ => g)); auto.
  - now apply (layers_serve (full + windows) heads m d d_v (fun l => (n - seen l)%nat)
      seen eta alpha).
Qed.

(** With public coins and failure probability at most δ: (1 - H₂(δ)) Λ G n d_v bits. *)
Theorem heads_and_layers_randomized layers heads n m d d_v eta alpha g (K : nat -> nat -> matrix)
    (Q : nat -> nat -> nat -> nat -> R) :
  guarantee eta alpha -> (1 <= m)%nat ->
  (forall l h i, (l < layers)%nat -> (h < heads)%nat -> (i < n)%nat ->
     margin n (logit d (Q l h i) (K l h)) i g) ->
  leak (n - 1) g < leak_limit eta alpha ->
  forall delta b, 0 <= delta <= 1 / 2 ->
    serves_layers_randomized layers heads (fun _ => n) d_v eta alpha delta
      (fun l h => order_out 0 n m d (K l h)) Q b ->
    (1 - H2 delta) * INR (layers * heads * (n * d_v)) <= INR b.
Proof.
  intros Hg Hm HK HL delta b Hdelta. rewrite <- total_bits_alike.
  apply (layers_randomized_need layers heads m d d_v (fun _ => 0%nat) (fun _ => n) eta alpha
    (fun _ => g)); auto. intros l h Hl Hh. apply margin_window. auto.
Qed.

(** Query heads add nothing: that many bits answer every query to every layer and head exactly. *)
Theorem heads_and_layers_met layers heads n m d d_v (K : nat -> nat -> matrix) : (1 <= m)%nat ->
  exists (state : (nat -> nat -> matrix) -> list bool) (answer : nat -> nat -> reader),
    (forall V, length (state V) = (layers * heads * (n * d_v))%nat) /\
    (forall V l h q c, (forall l h, zero_one (V l h)) ->
       (l < layers)%nat -> (h < heads)%nat -> (c < d_v)%nat ->
       answer l h (state V) q c = order_out 0 n m d (K l h) q (V l h) c).
Proof.
  intros Hm.
  destruct (layers_met layers heads m d d_v (fun _ => 0%nat) (fun _ => n) K Hm
    (layers * heads * (n * d_v))) as (state & answer & H); [now rewrite total_bits_alike|].
  now exists state, answer.
Qed.
