# Writes Audit.v: each theorem of the theories given, its statement and its axioms.
BEGIN {
    print "From Coq Require Import Reals List."
    print "Set Printing Width 100."
    print "Open Scope R_scope."
}
FNR == 1 {
    module = FILENAME
    sub(/\.v$/, "", module)
    gsub(/\//, ".", module)
    print "From KVFloor Require Import " module "."
}
FILENAME !~ /^foundations\// && /^Theorem / {
    name = $2
    sub(/[:({].*/, "", name)
    name = "KVFloor." module "." name
    print "Goal True. idtac \"theorem " name "\". Abort."
    print "Check @" name "."
    print "Print Assumptions " name "."
}
