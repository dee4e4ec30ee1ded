# Reads Programs.v and Statements.v, writes Audit.v: every definition; each theorem, its statement
# and its axioms.
function word(line) {
    sub(/^[A-Za-z]+ /, "", line)
    sub(/[^A-Za-z0-9_'].*/, "", line)
    return line
}
function say(kind, name) { print "Goal True. idtac \"" kind " " name "\". Abort." }
BEGIN {
    print "From Coq Require Import Reals List."
    print "From KVFloor Require Import Programs Statements."
    print "Import ListNotations."
    print "Set Printing Width 100."
    print "Open Scope R_scope."
}
FNR == 1 { file = FILENAME; sub(/.*\//, "", file); sub(/v$/, "", file) }
/^(Definition|Fixpoint|Inductive) / {
    name = file word($0)
    say("definition", name)
    print "Print " name "."
}
/^Theorem / {
    name = word($0)
    say("theorem", name)
    print "Check @" name "."
    print "Print Assumptions " name "."
}
