#!/bin/sh
# The ZEO server of this host, which serves all storages; part of cluster.sh.
#
# Invariant: `serving` means that the port is in this host's table of listening sockets AND that every Data.fs is locked. The
# table (/proc/net/tcp) needs no other program, adds no connection to ZEO's log, and is right before the cluster's address is
# on this host: ZEO starts before the address. It begins with the sockets that listen, however many others there are.
#
# shellcheck disable=SC2154 # set by the other parts of the library
set -u

listening() {
  listens_in /proc/net/tcp || listens_in /proc/net/tcp6
}

listens_in() {
  {
    read -r _
    while read -r _ socket _ tcp_state _ && [ "$tcp_state" = 0A ]; do
      case $socket in *":$zeo_port_in_table") return 0 ;; esac
    done
  } 2>/dev/null <"$1"
  return 1
}

serving() {
  listening && every held_by_server
}

# Whether ZEO runs on a slave, and no start of ours is behind it: one without syncpozo leaves a note. A person has started it
# with the control script. What it commits nobody else ever gets, no sync can write, and it is no side that serves.
started_by_hand() {
  [ ! -e "$run_dir/unpromoted" ] && any slave_in_zeo
}

slave_in_zeo() {
  is_role slave && held_by_zeo
}

ctl() {
  limit=$1
  shift
  # Heartbeat reads our stdout, so a daemon must not inherit it.
  if [ -n "$zeo_user" ] && [ "$zeo_user" != "$(id -un)" ]; then
    timeout -k 5 "$limit" runuser -u "$zeo_user" -- "$zeo_control" "$@" </dev/null >&2
  else
    timeout -k 5 "$limit" "$zeo_control" "$@" </dev/null >&2
  fi
}

# Our own ZEO may be starting already (a long index scan): its control script knows the process.
own_zeo_holds() {
  who=$(holder)
  [ -n "$who" ] && ctl 20 status 2>&1 | grep -q "pid=$who\$"
}

# FileStorage treats a missing or empty Data.fs as a new, empty database, and would serve that to the site.
data_there() {
  if [ ! -s "$data" ]; then
    say "$data is missing or empty; ZEO would serve an empty database"
    say 'hint: is the disk mounted? The very first start of a new site is made by hand, with zeoctl'
    return 1
  fi
}

control_there() {
  if [ ! -x "$zeo_control" ]; then
    say "$zeo_control is missing or not executable"
    return 1
  fi
}

free_for_zeo() {
  if ! lock_free && ! own_zeo_holds; then
    describe_lock
    say 'not starting ZEO: its data are in use'
    return 1
  fi
}

# Beside the data, where the other host reads it, and a boot leaves it: this side serves as a slave, because syncpozo did not work.
# What it commits from now on belongs to no term, so the note, with its time, is on the disk before ZEO starts.
note_unpromoted() {
  if is_role slave; then
    { echo "$(date): $(stat -c '%s %y' "$data")" >"$data.unpromoted" && sync "$data.unpromoted" "$(dirname "$data")"; } 2>/dev/null || say "cannot write $data.unpromoted"
  elif [ -e "$data.unpromoted" ]; then
    rm -f "$data.unpromoted"
  fi
}

# Whether the note is there, and nothing was written to the data since.
noted_unpromoted() {
  noted=$(cat "$data.unpromoted" 2>/dev/null) && facts=$(stat -c '%s %y' "$data") || return 1
  [ "$noted" != "${noted%" $facts"}" ]
}

# For so many seconds ZEO may leave the data alone, if the other host can serve: one that starts locks them first, and then reads them,
# which may take long. One that hangs before that, or dies at once and is started by zdaemon again and again, never gets there.
UNOPENED_SECONDS=12

# Returns only once ZEO serves: after an earlier return the cluster's address would come up without a server behind it. The control
# script is not waited for: it checks once a second whether its daemon is up.
zeo_start() {
  every free_for_zeo || return 1
  [ ! -e "$run_dir/unpromoted" ] || rm -f "$run_dir/unpromoted"
  if any is_role slave && [ -d "$run_dir" ]; then : >"$run_dir/unpromoted"; fi
  every note_unpromoted
  # Its own limit is longer, so that this one decides.
  ctl $((zeo_start_wait + 30)) start &
  control=$!
  read_clock
  opened=$now looked=$now
  if ! within "$zeo_start_wait" serving_or_failed; then
    [ -z "$control" ] || kill "$control" 2>/dev/null
    say "ZEO does not listen on port $zeo_port after $zeo_start_wait s"
    say "hint: see ZEO's log; without an index a large Data.fs takes minutes to open (cluster.zeo.start-wait)"
    return 1
  fi
  if [ -n "$failure" ]; then
    [ -z "$control" ] || kill "$control" 2>/dev/null
    say "$failure"
    describe_port
    return 1
  fi
  say "serving on port $zeo_port"
}

# Sets `failure` if the control script has failed and ZEO does not serve, or ZEO does not open its data.
serving_or_failed() {
  failure=
  if serving; then return 0; fi
  if [ "${peer_is_alive:-no}" = yes ] && is_unopened && peer_lives_on; then
    failure="ZEO has not opened its data for $UNOPENED_SECONDS s, and $syncpozo_peer can serve. hint: see ZEO's log"
    return 0
  fi
  [ -n "$control" ] && ended "$control" || return 1
  wait "$control"
  status=$?
  control=
  if [ "$status" -eq 0 ]; then return 1; fi
  serving || failure="$zeo_control start ended with exit status $status"
}

# The lock itself must not be probed while ZEO starts.
is_unopened() {
  read_clock
  if [ "$now" -ne "$looked" ]; then
    looked=$now
    if any held_by_zeo; then opened=$now; fi
  fi
  [ $((now - opened)) -ge "$UNOPENED_SECONDS" ]
}

# The other host has answered before the promotion, and may have died since. Then nobody else can serve, and ZEO gets its time.
peer_lives_on() {
  if peer_answers; then return 0; fi
  peer_is_alive=no
  say "$syncpozo_peer does not answer any more, so nothing is left to it"
  return 1
}

# Who has the port, if the data are nobody's: it is not ZEO.
describe_port() {
  if ! listening || any held_by_server; then return 0; fi
  say "port $zeo_port is in use by another program: $(timeout 5 ss -Hltnp "sport = :$zeo_port" 2>/dev/null | sed -n '1s/.*users:((\("[^"]*",pid=[0-9]*\).*/\1/p')"
  say 'hint: end that program, or give ZEO another port, in its zeo.conf and as cluster.zeo.port'
}

zeo_down() {
  ! listening && every free_of_server
}

# Stored before the stop, because FileStorage releases its lock before it writes its index and ends. A sync has the lock for an instant
# before it writes its name, and a watch never ends: it is no server by its command either.
note_server() {
  server=$(holder)
  if holder_is_sync || command_of "$server" | grep -Eq '(^|[/ ])syncpozo( |$)|/cli\.cjs '; then return 0; fi
  servers="$servers $server"
}

end_server() {
  if holder_is_zeo; then
    end_holder holder_is_zeo "$zeo_stop_wait" || :
  fi
}

describe_held() {
  free_of_server || describe_lock
}

# The processes of a control script that is starting ZEO: `ctl`, whose `timeout` has a process group of its own, and outlives a start
# that was ended.
starting() {
  ps -eo pid=,args= | awk -v command="$zeo_control start" '$2 ~ /timeout$/ && index($0, command) { print $1 }'
}

# It would start ZEO behind the stop.
end_starting() {
  for process in $(starting); do
    kill -TERM "$process" 2>/dev/null
  done
  within 6 none_starting || say "$zeo_control start has not ended"
}

none_starting() {
  [ -z "$(starting)" ]
}

# A ZEO that has never had its data open has nothing to write. One that hangs does not get as far as its end either.
UNOPENED_STOP_SECONDS=3

# The control script has ordered zdaemon to end it, so zdaemon does not start it again.
kill_unopened() {
  hanging=$(ctl 5 status 2>&1 | sed -n 's/.*pid=\([0-9][0-9]*\).*/\1/p')
  [ -n "$hanging" ] || return 0
  say "process $hanging has not ended after $UNOPENED_STOP_SECONDS s, and has opened no data: killing it"
  kill -KILL "$hanging" 2>/dev/null
}

zeo_stop() {
  end_starting
  servers=
  every note_server
  case $servers in *[0-9]*) note_handover ;; esac
  if [ -x "$zeo_control" ]; then
    ctl "$zeo_stop_wait" stop &
    stopper=$!
    case $servers in
      *[0-9]*) ;;
      *) if ! within "$UNOPENED_STOP_SECONDS" ended "$stopper" && every free_of_server; then kill_unopened; fi ;;
    esac
    wait "$stopper" || :
  fi
  if ! within 2 zeo_down; then
    every end_server
  fi
  if ! within "$zeo_stop_wait" zeo_down; then
    say "ZEO has not stopped: port $zeo_port listens, or its data are locked"
    every describe_held
    describe_port
    return 1
  fi
  for server in $servers; do
    if ! within "$zeo_stop_wait" ended "$server"; then
      say "process $server has not ended"
      return 1
    fi
  done
  rm -f "$run_dir/unpromoted"
}
