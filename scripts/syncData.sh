#!/bin/sh
# syncData.sh [MASTER_DIR SLAVE_DIR] [syncpozo options...]
#
# Without the two directories it syncs every storage of the configuration file, /etc/syncpozo.yml.
#
# One round of replication, for cron: sets the environment, writes every line that syncpozo prints to one log
# file and returns its exit status.
#
# Invariants:
#  * Every line of the log starts with a UTC time in ISO 8601: the line's own if it starts with one, otherwise
#    the time at which the line was read. (For a log of pure JSON lines use syncpozo's own --log-file.)
#  * The exit status is syncpozo's, even if the log fails. A log that cannot be written never stops the
#    replication: the lines go to stderr then, and cron mails them.
#  * Nothing is printed after a success. A status other than 0 prints one line to stderr, which cron mails.
#  * A second run during the first is harmless: syncpozo finds the slave's lock taken and ends with 0.
#
# Settings, from the environment or from the file SYNCPOZO_DEFAULTS (default /etc/default/syncpozo, may be
# missing); the file overrides the environment:
#   SYNCPOZO         the command (default: syncpozo, looked up in PATH)
#   SYNCPOZO_BLOBS   the blob directories, MASTER_DIR:SLAVE_DIR, as for --blobs (default: no blobs); --blobs or
#                    --no-blobs among the options overrides it
#   SYNCPOZO_LOG     the log (default: /var/log/syncPozo.log)
#   SYNCPOZO_STATUS  the status file (default: syncpozo's own, /var/run/syncPozo.status)
#   SYNCPOZO_CONFIG  the configuration file (default: syncpozo's own, /etc/syncpozo.yml)
set -u

# cron gives little more than /usr/bin:/bin, and node is often in /usr/local/bin.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin${PATH:+:$PATH}
export PATH

usage() {
  echo 'usage: syncData.sh MASTER_DIR SLAVE_DIR [syncpozo options...]'
  echo '   or: syncData.sh [syncpozo options...]   (every storage of /etc/syncpozo.yml)'
  echo 'example: syncData.sh /mnt/peer/zeo/var /srv/zeo/var'
  echo 'exit status: that of syncpozo sync (0 in step, 1 fault, 2 usage, 3 refused, 4 damaged, 5 slave in use)'
}

complain() {
  printf 'syncData.sh: %s\n' "$*" >&2
}

case ${1-} in
  -h | --help)
    usage
    exit 0
    ;;
esac
misplaced() {
  complain 'the two directories come first, options after them'
  usage >&2
  exit 2
}

case ${1--} in
  -*)
    storages=all
    # An option takes one value, so two words in a row are the directories.
    words=0
    for argument; do
      case $argument in
        -*) words=0 ;;
        *) words=$((words + 1)) ;;
      esac
      [ "$words" -lt 2 ] || misplaced
    done
    ;;
  *)
    storages=
    if [ $# -lt 2 ] || [ -z "$1" ] || [ -z "$2" ]; then
      usage >&2
      exit 2
    fi
    case $2 in
      -*) misplaced ;;
    esac
    ;;
esac

defaults=${SYNCPOZO_DEFAULTS:-/etc/default/syncpozo}
if [ -r "$defaults" ]; then
  # shellcheck source=/dev/null
  . "$defaults"
elif [ -n "${SYNCPOZO_DEFAULTS:-}" ] || [ -e "$defaults" ]; then
  complain "cannot read the settings in $defaults"
  exit 2
fi
SYNCPOZO=${SYNCPOZO:-syncpozo}
SYNCPOZO_BLOBS=${SYNCPOZO_BLOBS:-}
SYNCPOZO_LOG=${SYNCPOZO_LOG:-/var/log/syncPozo.log}
if [ -n "${SYNCPOZO_STATUS:-}" ]; then
  export SYNCPOZO_STATUS
fi
if [ -n "${SYNCPOZO_CONFIG:-}" ]; then
  export SYNCPOZO_CONFIG
fi

stamp() {
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:*) printf '%s\n' "$line" ;;
      *) printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$line" ;;
    esac
  done
}

note() {
  printf 'syncData.sh[%s]: %s\n' "$$" "$*"
}

if [ -n "$storages" ]; then
  what="every storage of ${SYNCPOZO_CONFIG:-/etc/syncpozo.yml}"
  set -- sync --log-format text "$@"
else
  what="master $1, slave $2"
  master=$1
  slave=$2
  shift 2
  # The operator's own options come later, and override this one.
  if [ -n "$SYNCPOZO_BLOBS" ]; then
    set -- --blobs "$SYNCPOZO_BLOBS" "$@"
  fi
  set -- sync --log-format text "$master" "$slave" "$@"
fi

run() {
  note "Script has started synchronization: $what"
  if ! command -v "$SYNCPOZO" >/dev/null 2>&1; then
    note "no such command: $SYNCPOZO"
    note 'hint: set SYNCPOZO in /etc/default/syncpozo, or install syncpozo where cron finds it'
    return 1
  fi
  # Text is better for grep; a --log-format among the operator's own options comes later and overrides this one.
  "$SYNCPOZO" "$@"
}

if (: >>"$SYNCPOZO_LOG") 2>/dev/null; then
  exec 4>>"$SYNCPOZO_LOG"
else
  complain "cannot write the log $SYNCPOZO_LOG; replication goes on, its lines follow"
  exec 4>&2
fi

# POSIX sh has no pipefail: the status bypasses the pipe through descriptor 3.
status=$({
  {
    run "$@" 2>&1 3>&- 4>&-
    echo "$?" >&3
  } | stamp >&4
} 3>&1)
note "ended with exit status $status" | stamp >&4

if [ "$status" -ne 0 ]; then
  complain "exit status $status, see $SYNCPOZO_LOG ($what)"
fi
exit "$status"
