# Reads a file of statements, or Programs.v, writes Coq commands that print every definition; every
# theorem and its statement; the axioms of all its theorems together, as Coq walks through all that
# they rest on each time that it is asked. All such files are imported: so names are told apart.
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
    all = "(" all (all ? ", " : "") "@" path name ")"
}
END {
    if (all) {
        print "Definition every_theorem := " all "."
        say("axioms", substr(file, 1, length(file) - 1))
        print "Print Assumptions every_theorem."
    }
}
