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

SYNC_STOP_WAIT=1
# For the mount of a host that is alive: in a planned switchover all that it has is copied. That of a dead one costs the takeover
# no more than it has to.
MOUNT_WAIT=3
DEAD_MOUNT_WAIT=0.4
# The other host may boot at the same time.
PEER_WAIT=15
# Beside REFUSED: the other side is out of reach, and that decides; or this one was stopped cleanly.
OUT_OF_REACH=9
CLEAN=8

# ask VERB OPTION...: runs syncpozo for the chosen storage, by its name; after a mistake in the configuration, by its paths.
# Prints what it prints.
ask() {
  verb=$1
  shift
  as_owner "$verb" "$@" "$storage"
  answer=$?
  if [ "$answer" -ne 2 ]; then
    return "$answer"
  fi
  case $verb in
    may-serve) set -- "$@" --peer "$peer_data" ;;
    promote)
      set -- "$@" --status-file "$switch" --master "$peer_data"
      if [ -n "$blobs" ] && [ -n "$peer_blobs" ]; then
        set -- "$@" --blobs "$peer_blobs:$blobs"
      fi
      ;;
    demote) set -- "$@" --status-file "$switch" ;;
  esac
  as_owner "$verb" "$@" "$data"
}

# Runs syncpozo as the user of ZEO, whose number is the same on both hosts: an NFS server may refuse root. What that user may not
# do (end a sync of root's, write the switch) is tried again.
as_owner() {
  if [ -n "$zeo_user" ] && [ "$zeo_user" != "$(id -un)" ]; then
    bounded runuser -u "$zeo_user" -- "$SYNCPOZO" "$@"
    answer=$?
    if [ "$answer" -ne 1 ]; then
      return "$answer"
    fi
  fi
  bounded "$SYNCPOZO" "$@"
}

bounded() {
  timeout -k 2 "$promote_wait" "$@" </dev/null 2>&1
}

# --- a side that is no slave ---

# Exit 0: yes, or a slave, which is not asked; CLEAN: yes, unless the other side can be asked later; REFUSED, OUT_OF_REACH:
# no. Prints why not.
may_serve() {
  if is_role slave; then return 0; fi
  if [ -e "$run_dir/force" ]; then
    set -- --force
  elif peer_served_unpromoted; then
    printf '%s\n' "$syncpozo_peer has served without a promotion, because syncpozo did not work there: $peer_data is newer than $data" \
      "hint: repair syncpozo on $syncpozo_peer, then there: $cluster_lib/zeo stop; $cluster_lib/zeo start"
    return "$REFUSED"
  fi
  said=$(ask may-serve "$@")
  answer=$?
  case $answer in
    0)
      case $said in
        *': the other side is out of reach, and this one was stopped cleanly ('*) return "$CLEAN" ;;
      esac
      return 0
      ;;
    3)
      printf '%s\n' "$said"
      case $said in
        *': the other side is out of reach ('*) return "$OUT_OF_REACH" ;;
      esac
      return "$REFUSED"
      ;;
  esac
  printf '%s\n' "$said" "'$SYNCPOZO may-serve' has failed with status $answer; comparing the role files without it"
  may_serve_by_role_files
}

# What a shell can do. The other side's file is read by a process that can be given up.
may_serve_by_role_files() {
  if ! theirs=$(peer_role_file 5); then
    echo "$peer_data.role cannot be read, and the other side may serve"
    return "$OUT_OF_REACH"
  fi
  their_role=$(printf '%s\n' "$theirs" | role_of)
  their_term=$(printf '%s\n' "$theirs" | term_of)
  own_term=$(term_here)
  if [ "$their_role" = unreadable ] || [ "$their_term" -gt "$own_term" ] ||
    { [ "$their_role" = master ] && [ "$their_term" -eq "$own_term" ]; }; then
    echo "$data: its term is $own_term; the other side is $their_role, in term $their_term"
    return "$REFUSED"
  fi
}

# all_may_serve SECONDS: asks for all storages, for so long again while only the other side's files are out of reach. A host
# that is alive is waited for also where this side was stopped cleanly: it may have been promoted since. Says a refusal.
all_may_serve() {
  read_clock
  until=$((now + $1))
  while :; do
    answers=$(
      at_once may_serve
      echo "$statuses"
    )
    case " $(printf '%s\n' "$answers" | tail -n 1) " in
      *" $REFUSED "*) break ;;
      *" $OUT_OF_REACH "*) can_wait || break ;;
      *" $CLEAN "*)
        peer_answers || return 0
        if ! can_wait; then
          ! address_elsewhere || break
          say "the other host is alive, but its data cannot be read; nobody else has ${cluster_address%/*}"
          return 0
        fi
        ;;
      *) return 0 ;;
    esac
    sleep 1
  done
  printf '%s\n' "$answers" | sed '$d' | say_lines ''
  refuse 'this host must not serve'
  if ! any is_role superseded; then
    say "hint: if you know that the other host does not serve: touch $run_dir/force"
  fi
  return "$REFUSED"
}

can_wait() {
  read_clock
  [ "$now" -lt "$until" ]
}

# --- a slave ---

# What is in use by our own ZEO already is not promoted again, and a damaged slave is served all the same.
promote() {
  if is_role master; then return 0; fi
  set -- --grace "$SYNC_STOP_WAIT" --max-age "${max_age}s"
  if [ "$peer_is_alive" = yes ]; then
    set -- "$@" --patience "$MOUNT_WAIT"
  else
    set -- "$@" --patience "$DEAD_MOUNT_WAIT"
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

switch_on_again() {
  case " $switched_on " in
    *" $storage "*)
      if is_off && ! write_switch 1; then
        say "cannot set SYNCING=1 in $switch: 'syncpozo on' lets the syncs go on"
      fi
      ;;
  esac
}

# Needs `prober`: the process of peer_answers_at_once, which was started before. Exit 0, or REFUSED; what has failed otherwise does not prevent the takeover.
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
  if [ "$peer_is_alive" != yes ] || ! zeo_stop || ! every nothing_committed; then return 0; fi
  say "giving the promotion up: nothing was committed here, and $syncpozo_peer can serve"
  every demote_again
  every switch_on_again
}

# The file ends where its term has begun.
nothing_committed() {
  case " $slaves " in
    *" $storage "*) [ "$(stat -c %s "$data")" = "$(awk '$1 == "began" { at = $3 } END { print at }' "$data.role")" ] ;;
  esac
}

# This side was superseded by a promotion that the other host has given up.
take_back() {
  if ! is_role superseded; then return 0; fi
  say "$syncpozo_peer has given its promotion up, and has committed nothing: this side is promoted again"
  report=$(ask demote && ask promote)
  printf '%s\n' "$report" | say_lines "promote $storage: "
}

# --- the switch and the syncs, without node ---

is_off() {
  [ "$(cat "$switch" 2>/dev/null)" = SYNCING=0 ]
}

# write_switch 0|1: like `syncpozo off` and `on`.
write_switch() {
  new=$(mktemp "$switch.XXXXXX") || return 1
  if printf 'SYNCING=%s\n' "$1" >"$new" && chmod 644 "$new" && sync "$new" && mv -f "$new" "$switch"; then
    sync "$(dirname "$switch")"
  else
    rm -f "$new"
    return 1
  fi
}

# No sync writes to a slave that has been promoted, whatever the switch says.
switch_off() {
  if ! is_off; then
    write_switch 0 || :
  fi
  if is_off; then
    return 0
  fi
  hint="hint: is that file system full or read-only? 'status-file' in $configuration may name another file"
  if is_role master; then
    say "cannot set SYNCING=0 in $switch; by its role the slave is promoted, so no sync writes to it: starting ZEO"
    say "$hint"
    return 0
  fi
  say "cannot set SYNCING=0 in $switch, and $data is not promoted; not starting ZEO"
  say "$hint"
  return 1
}

stop_sync() {
  for _ in 1 2 3 4 5; do
    if serving || lock_free; then
      return 0
    fi
    if holder_is_sync; then
      if ! end_holder holder_is_sync "$SYNC_STOP_WAIT"; then
        describe_lock
        say "the sync cannot be ended, probably it hangs in a read of the other host's mount; not starting ZEO"
        say 'hint: umount -f -l that mount, then start again'
        return 1
      fi
    else
      # A sync writes its name shortly after it has taken the lock.
      sleep 0.5
    fi
  done
  # free_for_zeo handles any other holder: it may be our own ZEO, which is starting.
  ! holder_is_sync
}

# A sync that read the switch before it was off may take a lock later, and ZEO would fail on it. So this loop watches until
# ZEO serves; it is bounded, so that it does not outlive a start that was killed.
watch_for_syncs() {
  rounds=$((zeo_start_wait * 5))
  while [ "$rounds" -gt 0 ]; do
    every end_holder holder_is_sync "$SYNC_STOP_WAIT"
    rounds=$((rounds - 1))
    sleep 0.2
  done
}
