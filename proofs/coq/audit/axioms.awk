# Reads what Audit.v prints; refuses any axiom but the four of the standard library's reals.
BEGIN {
    allowed["ClassicalDedekindReals.sig_forall_dec"]
    allowed["ClassicalDedekindReals.sig_not_dec"]
    allowed["FunctionalExtensionality.functional_extensionality_dep"]
    allowed["Classical_Prop.classic"]
}
/^definition / { in_axioms = 0; next }
/^theorem / { theorems++; theorem = $2; in_axioms = 0; next }
/^Closed under the global context$/ { answers++; next }
/^Axioms:$/ { answers++; in_axioms = 1; next }
in_axioms && /^[^ ]/ && !($1 in allowed) { print "refused: " theorem " rests on " $0; bad = 1 }
END {
    if (!theorems || answers != theorems) { print "refused: the audit is incomplete"; bad = 1 }
    if (!bad) print "audited: " theorems " theorems, no axiom but the standard reals'"
    exit bad
}
