#!/bin/sh
# The note by which this host leaves the cluster to the other one for some seconds, under keepalived and Pacemaker; for scripts that have
# sourced cluster.sh. The guard and `switchover` write it; keepalived's check and Pacemaker's agent read it.
#
# Invariant: nobody has to withdraw the note, so nobody can forget to: its second line says for how many seconds it counts.
#
# shellcheck disable=SC2034,SC2154 # set by the library, or used by the scripts
set -u

aside_file=$run_dir/aside
# Longer than the other host needs to take over.
ASIDE_DEFAULT=60

# leave_cluster REASON [SECONDS]
leave_cluster() {
  printf '%s\n' "$1" "${2:-$ASIDE_DEFAULT}" 2>/dev/null >"$aside_file"
}

# Whether the note counts. Sets `aside_reason`. One from the future, before the clock was set back, has no age and does not count.
asked_aside() {
  age=$(seconds_old "$aside_file") || return 1
  seconds=$(sed -n '2s/^[0-9]\{1,4\}$/&/p' "$aside_file" 2>/dev/null)
  if [ "$age" -lt 0 ] || [ "$age" -ge "${seconds:-$ASIDE_DEFAULT}" ]; then return 1; fi
  aside_reason=$(head -n 1 "$aside_file" 2>/dev/null)
}
