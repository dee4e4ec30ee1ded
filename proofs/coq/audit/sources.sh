#!/bin/sh
# Refuses what could make Coq accept a theorem that is not proved. Arguments: the theories.
status=0
refuse() { echo "refused: $1"; status=1; }
theorems() { sed -n 's/^Theorem \([A-Za-z0-9_]*\).*/\1/p' "$@" | sort; }

gaps='Admitted|admit|Admit|give_up|Axioms?|Parameters?|Conjectures?'
switches='Unset|bypass_check|type-in-type|impredicative-set|LoadPath|Declare|Module'
grep -nwE "$gaps|$switches" "$@" && refuse 'a word that could hide a gap, above'
awk '/^ *Section /{depth[FILENAME]++} /^ *End /{depth[FILENAME]--}
     /^ *(Variables?|Hypothes[ie]s|Context)[ (]/ && !depth[FILENAME] {print FILENAME ":" FNR ":" $0; bad = 1}
     END {exit bad}' "$@" || refuse 'an assumption outside of a section, above'
grep -nvE '^(-R \. KVFloor|-arg -w -arg -ambiguous-paths|[A-Za-z0-9/]+\.v)$' _CoqProject &&
    refuse 'a line of _CoqProject, above'
for theory in $(find . -name '*.v' ! -name Audit.v | sed 's,^\./,,'); do
    case " $* " in *" $theory "*) ;; *) refuse "$theory, which is not in _CoqProject" ;; esac
done
claims=$(printf '%s\n' "$@" | grep -vE '^(foundations/|Statements\.v)')
[ "$(theorems Statements.v)" = "$(theorems $claims)" ] ||
    refuse 'Statements.v, which does not state exactly the theorems of the claims'
exit $status
