# Reads a file of statements, or Programs.v, writes Coq commands that print every definition; each
# theorem, its statement and its axioms. All such files are imported, so that names are told apart.
function word(line) {
    sub(/^[A-Za-z]+ /, "", line)
    sub(/[^A-Za-z0-9_'].*/, "", line)
    return line
}
function say(kind, name) { print "Goal True. idtac \"" kind " " name "\". Abort." }
BEGIN {
    print "From Coq Require Import Reals List."
    print "From KVFloor Require Import " modules "."
    print "Import ListNotations."
    print "Set Printing Width 100."
    print "Open Scope R_scope."
}
FNR == 1 {
    path = "KVFloor/" FILENAME
    sub(/v$/, "", path)
    gsub(/\//, ".", path)
    file = FILENAME
    sub(/.*\//, "", file)
    sub(/v$/, "", file)
}
/^(Definition|Fixpoint|Inductive) / {
    name = word($0)
    say("definition", file name)
    print "Print " path name "."
}
/^Theorem / {
    name = word($0)
    say("theorem", name)
    print "Check @" path name "."
    print "Print Assumptions " path name "."
}
