# Reads Statements.v, writes Audit.v: each theorem, its statement and its axioms.
BEGIN {
    print "From Coq Require Import Reals List."
    print "From KVFloor Require Import Statements."
    print "Set Printing Width 100."
    print "Open Scope R_scope."
}
/^Theorem / {
    name = $2
    sub(/[^A-Za-z0-9_'].*/, "", name)
    print "Goal True. idtac \"theorem " name "\". Abort."
    print "Check @" name "."
    print "Print Assumptions " name "."
}
