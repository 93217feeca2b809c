#!/bin/sh
# Common part of the master's and the slave's resource script, which source it. Install it in /etc/ha.d, and the
# script itself in /etc/ha.d/resource.d.
#
# Invariants:
#  * `serving` means that the port is in this host's table of listening sockets AND that Data.fs is locked. The
#    table (/proc/net/tcp) needs no other program, adds no connection to ZEO's log, and is right before the
#    cluster's address is on this host: ZEO starts before the address.
#  * The lock is flock() on Data.fs.lock. A probe with flock(1) takes it for an instant, and a ZEO that opens in that
#    instant would fail: so the script probes it only when no ZEO is starting.
#  * No process gets a signal only because a file contains its id: it must have Data.fs.lock open.
#
# shellcheck disable=SC2034 # the resource scripts use what is set here
set -u
umask 022
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin${PATH:+:$PATH}
export PATH

NOT_CONFIGURED=6 # of the LSB
USAGE=2
STOPPED=3

say() {
  printf 'zeo: %s\n' "$*" >&2
  # Heartbeat keeps a script's stderr only when it has a debug log.
  if [ "${ZEO_SYSLOG:-yes}" = yes ]; then
    logger -t zeo -p daemon.notice -- "$*" 2>/dev/null || :
  fi
}

settings() {
  defaults=${SYNCPOZO_DEFAULTS:-/etc/default/syncpozo}
  if [ -r "$defaults" ]; then
    # shellcheck source=/dev/null
    . "$defaults"
  elif [ -n "${SYNCPOZO_DEFAULTS:-}" ] || [ -e "$defaults" ]; then
    say "cannot read the settings in $defaults"
    return "$NOT_CONFIGURED"
  fi
  ZEO_INSTANCE=${ZEO_INSTANCE:-}
  ZEO_CTL=${ZEO_CTL:-$ZEO_INSTANCE/bin/zeoctl}
  ZEO_DATA_FS=${ZEO_DATA_FS:-$ZEO_INSTANCE/var/Data.fs}
  ZEO_PORT=${ZEO_PORT:-8100}
  ZEO_USER=${ZEO_USER:-}
  ZEO_START_WAIT=${ZEO_START_WAIT:-300}
  ZEO_STOP_WAIT=${ZEO_STOP_WAIT:-60}
  SYNC_STOP_WAIT=${SYNC_STOP_WAIT:-1}
  SYNCPOZO=${SYNCPOZO:-syncpozo}
  SYNCPOZO_STATUS=${SYNCPOZO_STATUS:-/var/run/syncPozo.status}
  SYNCPOZO_MASTER=${SYNCPOZO_MASTER:-}
  SYNCPOZO_BLOBS=${SYNCPOZO_BLOBS:-}
  SYNCPOZO_PROMOTE_WAIT=${SYNCPOZO_PROMOTE_WAIT:-20}
  SYNCPOZO_ON_LOSS=${SYNCPOZO_ON_LOSS:-}
  SYNCPOZO_WATCH_STOP=${SYNCPOZO_WATCH_STOP:-}
  SYNCPOZO_WATCH_START=${SYNCPOZO_WATCH_START:-}
  SYNCPOZO_WATCH_WAIT=${SYNCPOZO_WATCH_WAIT:-2}
  LOCK=$ZEO_DATA_FS.lock
  for number in "$ZEO_PORT" "$ZEO_START_WAIT" "$ZEO_STOP_WAIT" "$SYNC_STOP_WAIT" "$SYNCPOZO_PROMOTE_WAIT" \
    "$SYNCPOZO_WATCH_WAIT"; do
    case $number in
      '' | *[!0-9]*)
        say "not a number in the settings: '$number'"
        return "$NOT_CONFIGURED"
        ;;
    esac
  done
  if [ -z "$ZEO_INSTANCE" ]; then
    say "ZEO_INSTANCE is not set"
    say "hint: set it in $defaults"
    return "$NOT_CONFIGURED"
  fi
}

# within SECONDS COMMAND...: runs the command five times a second until it succeeds or the time is over.
within() {
  tries=$(($1 * 5))
  shift
  while ! "$@"; do
    [ "$tries" -gt 0 ] || return 1
    tries=$((tries - 1))
    sleep 0.2
  done
}

listening() {
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
    awk -v port="$(printf ':%04X' "$ZEO_PORT")" '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 }
      END { exit !found }'
}

# A missing lock file is a free lock; flock(1) would create it as root, and ZEO could not write it.
lock_free() {
  [ ! -e "$LOCK" ] || flock -n "$LOCK" true
}

# The process that the lock file names, if it is alive and has the lock file open; otherwise nothing.
holder() {
  pid=$(sed -n '1s/^ *\([0-9][0-9]*\).*/\1/p' "$LOCK" 2>/dev/null)
  if [ -n "$pid" ] && [ -n "$(find -L "/proc/$pid/fd" -maxdepth 1 -samefile "$LOCK" 2>/dev/null)" ]; then
    echo "$pid"
  fi
}

command_of() {
  tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null
}

holder_is_sync() {
  grep -Eq '^ *[0-9]+ syncpozo( |$)' "$LOCK" 2>/dev/null && [ -n "$(holder)" ]
}

holder_is_zeo() {
  ! holder_is_sync && command_of "$(holder)" | grep -qi zeo
}

serving() {
  listening && ! lock_free && ! holder_is_sync
}

ended() {
  [ ! -d "/proc/$1" ] || grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null
}

# end_holder KIND SECONDS: ends the lock's holder if it is of that KIND (holder_is_sync, holder_is_zeo), first
# with TERM and after SECONDS with KILL. Fails if it survives, because it hangs in the kernel.
end_holder() {
  victim=$(holder)
  if [ -z "$victim" ] || ! "$1"; then
    return 0
  fi
  say "ending process $victim: $(command_of "$victim")"
  kill -TERM "$victim" 2>/dev/null
  if within "$2" ended "$victim"; then
    return 0
  fi
  if [ "$(holder)" = "$victim" ] && "$1"; then
    say "process $victim has not ended after $2 s, killing it"
    kill -KILL "$victim" 2>/dev/null
  fi
  within 5 ended "$victim"
}

describe_lock() {
  who=$(holder)
  if [ -n "$who" ]; then
    say "$LOCK is held by process $who: $(command_of "$who")"
  else
    say "$LOCK is held by an unknown process; it names: $(head -c 200 "$LOCK" 2>/dev/null)"
  fi
}

ctl() {
  limit=$1
  shift
  # Heartbeat reads our stdout, so a daemon must not inherit it.
  if [ -n "$ZEO_USER" ] && [ "$ZEO_USER" != "$(id -un)" ]; then
    timeout "$limit" runuser -u "$ZEO_USER" -- "$ZEO_CTL" "$@" </dev/null >&2
  else
    timeout "$limit" "$ZEO_CTL" "$@" </dev/null >&2
  fi
}

# Our own ZEO may be starting already (a long index scan): its control script knows the process.
own_zeo_holds() {
  who=$(holder)
  [ -n "$who" ] && ctl 20 status 2>&1 | grep -q "pid=$who\$"
}

# FileStorage treats a missing or empty Data.fs as a new, empty database, and would serve that to the site.
data_there() {
  if [ ! -s "$ZEO_DATA_FS" ]; then
    say "$ZEO_DATA_FS is missing or empty; ZEO would serve an empty database"
    say 'hint: is the disk mounted? The very first start of a new site is made by hand, with zeoctl'
    return 1
  fi
  if [ ! -x "$ZEO_CTL" ]; then
    say "$ZEO_CTL is missing or not executable"
    return 1
  fi
}

# Returns only once ZEO serves: after an earlier return the cluster's address would come up without a server
# behind it.
zeo_start() {
  data_there || return 1
  if ! lock_free && ! own_zeo_holds; then
    describe_lock
    say 'not starting ZEO: its data are in use'
    return 1
  fi
  ctl "$ZEO_START_WAIT" start
  status=$?
  if [ "$status" -ne 0 ] && ! serving; then
    say "$ZEO_CTL start ended with exit status $status"
    return 1
  fi
  if ! within "$ZEO_START_WAIT" serving; then
    say "ZEO does not listen on port $ZEO_PORT after $ZEO_START_WAIT s"
    say "hint: see ZEO's log; without an index a large Data.fs takes minutes to open (ZEO_START_WAIT)"
    return 1
  fi
  say "serving on port $ZEO_PORT"
}

zeo_down() {
  ! listening && { lock_free || holder_is_sync; }
}

zeo_stop() {
  # Stored now, because FileStorage releases its lock before it writes its index and ends.
  zeo=
  if ! holder_is_sync; then
    zeo=$(holder)
  fi
  if [ -x "$ZEO_CTL" ]; then
    ctl "$ZEO_STOP_WAIT" stop || :
  fi
  if ! within 2 zeo_down && holder_is_zeo; then
    end_holder holder_is_zeo "$ZEO_STOP_WAIT" || :
  fi
  if ! within "$ZEO_STOP_WAIT" zeo_down; then
    say "ZEO has not stopped: port $ZEO_PORT listens or $LOCK is held"
    lock_free || describe_lock
    return 1
  fi
  if [ -n "$zeo" ] && ! within "$ZEO_STOP_WAIT" ended "$zeo"; then
    say "process $zeo has not ended"
    return 1
  fi
}

# Heartbeat reads stdout: the word 'running' or 'OK' in it means that this host has the resource.
zeo_status() {
  if serving; then
    echo running
    return 0
  fi
  echo stopped
  return "$STOPPED"
}

main() {
  verb=${1-}
  case $verb in
    start | stop | status) ;;
    *)
      echo 'usage: zeo start|stop|status' >&2
      return "$USAGE"
      ;;
  esac
  if ! settings; then
    if [ "$verb" = status ]; then
      echo unknown
    fi
    return "$NOT_CONFIGURED"
  fi
  case $verb in
    start) resource_start ;;
    stop) zeo_stop ;;
    status) zeo_status ;;
  esac
}
