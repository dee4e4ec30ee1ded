# Reads what the audit prints; refuses any axiom but the four of the standard library's reals.
function refuse(reason) { print "refused: " reason; bad = 1 }
function answered() { if (asked != given) refuse("the audit of " file " is incomplete") }
BEGIN {
    allowed["ClassicalDedekindReals.sig_forall_dec"]
    allowed["ClassicalDedekindReals.sig_not_dec"]
    allowed["FunctionalExtensionality.functional_extensionality_dep"]
    allowed["Classical_Prop.classic"]
}
/^(definition|theorem|axioms) / { answered(); asked = given = in_axioms = 0 }
/^theorem / { theorems++; open++ }
/^axioms / { file = $2; asked = 1; open = 0 }
/^Closed under the global context$/ { given++ }
/^Axioms:$/ { given++; in_axioms = 1; next }
in_axioms && /^[^ ]/ && !($1 in allowed) { refuse(file " rests on " $0) }
END {
    answered()
    if (open) refuse("the audit has theorems without their axioms")
    if (!theorems) refuse("the audit has no theorem")
    if (!bad) print "audited: " theorems " theorems, no axiom but the standard reals'"
    exit bad
}
