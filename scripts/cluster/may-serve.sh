#!/bin/sh
# Whether a side that is no slave may serve; part of takeover.sh.
#
# Invariant: a no of one storage is a no for all. A side that is out of reach has not said yes: only a clean stop of this one, with no
# handover (handover.sh), or a person, takes its place.
#
# shellcheck disable=SC2034,SC2154 # set by the library
set -u

# Beside REFUSED: the other side is out of reach, and that decides; or this one was stopped cleanly.
OUT_OF_REACH=9
CLEAN=8

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
        if ! peer_answers; then
          if [ -e "$run_dir/force" ] || ! handed_over; then return 0; fi
          answers="$syncpozo_peer does not answer. It was alive when ZEO was stopped here, at $(cat "$handover_file"), and may have served since
"
          can_wait || break
        elif ! can_wait; then
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
