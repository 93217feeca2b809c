#!/bin/sh
# What `zeo start` does before ZEO starts: it asks, or promotes. Sourced by `zeo`.
#
# Invariants:
#  * Nothing is promoted, and nothing started, where any storage is superseded, in a rejoin, or has a role that cannot be read;
#    nor where any storage that is no slave must not be served.
#  * All storages are promoted, or none: after a refusal of one, those that this run has promoted become slaves again.
#  * syncpozo that is missing, broken or hangs does not prevent the takeover by a slave: the switch goes off, and syncs end.
#
# shellcheck disable=SC2034,SC2154 # set by the library
set -u

# For the other host: a takeover cannot wait.
PROBE_WAIT=0.3
# For the mount of a host that is alive: in a planned switchover all that it has is copied. That of a dead one costs the takeover
# no more than it has to.
MOUNT_WAIT=3
DEAD_MOUNT_WAIT=0.4
# Of a host that is dead, whose mount did not answer either while that was found out.
HUNG_MOUNT_WAIT=0.1
# The other host may boot at the same time.
PEER_WAIT=15

# shellcheck source=scripts/cluster/ask.sh
. "$cluster_lib/ask.sh"
# shellcheck source=scripts/cluster/may-serve.sh
. "$cluster_lib/may-serve.sh"
# shellcheck source=scripts/cluster/switch.sh
. "$cluster_lib/switch.sh"
# shellcheck source=scripts/cluster/syncs.sh
. "$cluster_lib/syncs.sh"

# What is in use by our own ZEO already is not promoted again, and a damaged slave is served all the same.
promote() {
  if is_role master; then return 0; fi
  set -- --grace "$SYNC_STOP_WAIT" --max-age "${max_age}s"
  if [ "$peer_is_alive" = yes ]; then
    set -- "$@" --patience "$MOUNT_WAIT"
  elif ended "$mount_prober"; then
    set -- "$@" --patience "$DEAD_MOUNT_WAIT"
  else
    set -- "$@" --patience "$HUNG_MOUNT_WAIT"
  fi
  # Nothing is called safe while the other host's ZEO may commit.
  if [ "$peer_serves" = yes ]; then set -- "$@" --master-serves; fi
  report=$(ask promote "$@")
  answer=$?
  printf '%s\n' "$report" | say_lines "promote $storage: "
  case $answer in
    4) say "$data is damaged at the place named above; it is served all the same, examine it" ;;
    0 | 3 | 5) ;;
    *) say "$SYNCPOZO promote has failed with status $answer, taking over without it" ;;
  esac
  return "$answer"
}

# Of a storage that was a slave when this run began.
demote_again() {
  case " $slaves " in
    *" $storage "*)
      if is_role master; then
        ask demote | say_lines "demote $storage: "
      fi
      ;;
  esac
}

note_slave() {
  if is_role slave; then slaves="$slaves $storage"; fi
  if ! is_off; then switched_on="$switched_on $storage"; fi
}

# Begins to find out whether the other host, and its mount, answer: each in a process, which may hang.
probe_peer() {
  peer_answers "$PROBE_WAIT" &
  prober=$!
  every read_mount >/dev/null 2>&1 &
  mount_prober=$!
}

# A directory cannot be read: the answer is what counts.
read_mount() {
  dd if="${peer_data%/*}" of=/dev/null bs=512 count=1 || :
}

# Needs probe_peer before it. Exit 0, or REFUSED; what has failed otherwise does not prevent the takeover.
promote_all() {
  slaves=
  switched_on=
  every note_slave
  peer_is_alive=no
  if wait "$prober"; then peer_is_alive=yes; fi
  peer_serves=yes
  if [ -z "$peer_address" ] || { [ "$peer_is_alive" = yes ] && ! peer_may_serve; }; then peer_serves=no; fi
  at_once promote
  case " $statuses " in
    *" $REFUSED "*) ;;
    # Another program that has the data open may be our own ZEO; any other one is found before ZEO starts.
    *) return 0 ;;
  esac
  every demote_again
  every switch_on_again
  refuse 'this host cannot take over, see above'
  return "$REFUSED"
}

# ZEO does not start here. Where the other host is alive, and nothing was committed here, that one may serve again: see take_back.
give_up() {
  if [ "$peer_is_alive" != yes ] || ! peer_lives_on || ! zeo_stop || ! every nothing_committed; then return 0; fi
  say "giving the promotion up: nothing was committed here, and $syncpozo_peer can serve"
  every demote_again
  every withdraw_note
  every switch_on_again
}

# After a promotion whose ZEO has not been seen serving, because this host went down: whether it may be given up still.
may_give_up() {
  # The promotion has switched it off.
  slaves=$storages switched_on=$storages peer_is_alive=no
  if every nothing_committed && every waits_for_this && peer_answers; then peer_is_alive=yes; fi
}

# Whether the other host may not serve for the sake of this side's last term, and for no other one.
waits_for_this() {
  is_role master || return 1
  theirs=$(peer_role_file 3) || return 1
  case $(printf '%s\n' "$theirs" | role_of) in master | superseded) ;; *) return 1 ;; esac
  [ "$(awk -v theirs="$(printf '%s\n' "$theirs" | term_of)" '$1 == "began" && $2 > theirs { n++ } END { print n + 0 }' "$data.role")" -eq 1 ]
}

# The file ends where its term has begun; or it was to be served without a promotion, and has not changed since.
nothing_committed() {
  case " $slaves " in *" $storage "*) ;; *) return 0 ;; esac
  if is_role slave; then
    noted_unpromoted
  else
    [ "$(stat -c %s "$data")" = "$(awk '$1 == "began" { at = $3 } END { print at }' "$data.role")" ]
  fi
}

# Otherwise the other host, whose data are as new, would be kept from serving.
withdraw_note() {
  if is_role slave && noted_unpromoted; then rm -f "$data.unpromoted"; fi
}

# This side was superseded by a promotion that the other host has given up. Killed, or failed, at any place, it is called again, and goes on.
take_back() {
  if ! to_take_back; then return 0; fi
  say "$syncpozo_peer has given its promotion up, and has committed nothing: this side is promoted again"
  if is_role superseded; then ask demote | say_lines "demote $storage: "; fi
  if is_role slave; then ask promote | say_lines "promote $storage: "; fi
  if ! is_role master; then
    refuse "$data could not be promoted again, see above; the next start, and the guard, try it again"
    return "$REFUSED"
  fi
}

# All storages, or none: where the other host serves one of them, or may, nothing is changed. Sets `taken_back`.
take_all_back() {
  taken_back=
  if ! any to_take_back || ! every peer_gave_up; then return 0; fi
  every take_back || every take_back || return
  # Why a start was refused before; and nothing moves to the other host any more.
  rm -f "$run_dir/failed" "$run_dir/moving"
  # It may have begun another promotion meanwhile.
  if every peer_gave_up; then taken_back=yes; fi
}
