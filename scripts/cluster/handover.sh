#!/bin/sh
# The note that ZEO was stopped here while the other host was alive; part of cluster.sh.
#
# A clean stop proves nothing then: the other host may have taken over since, may have committed, and may have died. A host that boots
# with this note, and with the other one out of reach, does not know whether its data are the newest.
#
# Invariants:
#  * The note is on the disk before ZEO ends: nobody else is promoted sooner. It survives a cut of the power.
#  * Only a start that serves, or a person, removes it.
#
# shellcheck disable=SC2154 # set by the library
set -u

handover_file=$state_dir/handed-over

# For the stop of a ZEO that runs. Where the other host is dead already, nobody takes over.
note_handover() {
  if any is_role slave superseded rejoining unreadable || ! peer_answers; then return 0; fi
  date 2>/dev/null | replace "$handover_file" 2>/dev/null || say "cannot write $handover_file: is its file system full or read-only?"
}

# For ZEO that serves.
forget_handover() {
  if [ -e "$handover_file" ]; then rm -f "$handover_file"; fi
}

handed_over() {
  [ -e "$handover_file" ]
}
