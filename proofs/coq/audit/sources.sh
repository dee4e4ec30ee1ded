#!/bin/sh
# Refuses what could make Coq accept a theorem that is not proved. Arguments: the theories.
status=0
refuse() { echo "refused: $1"; status=1; }

grep -nwE 'Admitted|admit|Admit|give_up|Axioms?|Parameters?|Conjectures?|Unset|bypass_check|Module|Declare|LoadPath' "$@" &&
    refuse 'a word that could hide a gap, above'
awk '/^ *Section /{depth[FILENAME]++} /^ *End /{depth[FILENAME]--}
     /^ *(Variables?|Hypothes[ie]s|Context)[ (]/ && !depth[FILENAME] {print FILENAME ":" FNR ":" $0; bad = 1}
     END {exit bad}' "$@" || refuse 'an assumption outside of a section, above'
grep -nvE '^(-R \. KVFloor|-arg -w -arg -ambiguous-paths|[A-Za-z0-9/]+\.v)$' _CoqProject &&
    refuse 'a line of _CoqProject, above'
for theory in $(find . -name '*.v' ! -name Audit.v | sed 's,^\./,,'); do
    case " $* " in *" $theory "*) ;; *) refuse "$theory is not in _CoqProject" ;; esac
done
exit $status
