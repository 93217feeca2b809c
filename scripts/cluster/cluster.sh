#!/bin/sh
# The library of the cluster's scripts, which source it: settings, messages, time limits, the storages. It sources its other parts.
# A script outside of this directory sets cluster_lib to it first.
#
# Invariants:
#  * A takeover does not fail because node, or the configuration, is broken: the last good settings are kept.
#  * No function waits without a limit.
#  * What a takeover, or a daemon's loop, passes through starts as few processes as it can: on a busy machine each costs some hundredths
#    of a second, and dozens of them are longer than a takeover may be.
#
# shellcheck disable=SC2034 # the scripts use what is set here
set -u
umask 022

NOT_CONFIGURED=6 # of the LSB
USAGE=2
REFUSED=3
STOPPED=3

cluster_lib=${cluster_lib:-$(dirname "$(readlink -f "$0")")}
program=${0##*/}

say() {
  printf '%s: %s\n' "$program" "$*" >&2
  # Heartbeat keeps a script's stderr only when it has a debug log.
  if [ "${SYNCPOZO_SYSLOG:-yes}" = yes ]; then
    logger -t "$program" -p daemon.notice -- "$*" 2>/dev/null || :
  fi
}

# say_lines PREFIX: says every line of the standard input.
say_lines() {
  lines=
  while IFS= read -r line || [ -n "$line" ]; do
    [ -n "$line" ] || continue
    printf '%s: %s\n' "$program" "$1$line" >&2
    lines="$lines$1$line
"
  done
  if [ "${SYNCPOZO_SYSLOG:-yes}" = yes ] && [ -n "$lines" ]; then
    printf %s "$lines" | logger -t "$program" -p daemon.notice 2>/dev/null || :
  fi
}

# seconds_old FILE: fails where there is none.
seconds_old() {
  written=$(stat -c %Y "$1" 2>/dev/null) || return 1
  echo $(($(date +%s) - written))
}

# within SECONDS COMMAND...: runs the command ten times a second until it succeeds or the time is over.
within() {
  tries=$(($1 * 10))
  shift
  while ! "$@"; do
    [ "$tries" -gt 0 ] || return 1
    tries=$((tries - 1))
    sleep 0.1
  done
}

# Sets `now`: seconds since the boot, which no change of the clock touches.
read_clock() {
  read -r now _ </proc/uptime
  now=${now%.*}
}

# choose NAME: sets data, peer_data, blobs, peer_blobs, switch and lock to those of a storage.
choose() {
  case $1 in
    '' | *[!A-Za-z0-9_-]*)
      say "this is no name of a storage: '$1'"
      return 1
      ;;
  esac
  key=$1
  while [ "$key" != "${key#*-}" ]; do
    key=${key%%-*}_${key#*-}
  done
  eval "data=\${storage_${key}_data:-} peer_data=\${storage_${key}_peer:-}"
  eval "blobs=\${storage_${key}_blobs:-} peer_blobs=\${storage_${key}_peer_blobs:-}"
  eval "switch=\${storage_${key}_status_file:-\$status_file}"
  lock=$data.lock
  [ -n "$data" ]
}

# every COMMAND...: runs the command for each storage, and fails with its status where it fails first. Not to be nested.
every() {
  for storage in $storages; do
    choose "$storage" || return "$NOT_CONFIGURED"
    "$@" || return
  done
}

# any COMMAND...: succeeds at the first storage for which the command succeeds.
any() {
  for storage in $storages; do
    choose "$storage" || return
    if "$@"; then return 0; fi
  done
  return 1
}

# at_once COMMAND...: runs the command for all storages at once, each in a process of its own, so that two hanging mounts take
# the time of one. Sets `statuses` to their exit statuses, in the order of the storages.
at_once() {
  children=
  for storage in $storages; do
    (choose "$storage" && "$@") &
    children="$children $!"
  done
  statuses=
  for child in $children; do
    wait "$child"
    statuses="$statuses $?"
  done
}

# shellcheck source=scripts/cluster/replace.sh
. "$cluster_lib/replace.sh"
# shellcheck source=scripts/cluster/settings.sh
. "$cluster_lib/settings.sh"
# shellcheck source=scripts/cluster/network.sh
. "$cluster_lib/network.sh"
# shellcheck source=scripts/cluster/roles.sh
. "$cluster_lib/roles.sh"
# shellcheck source=scripts/cluster/lock.sh
. "$cluster_lib/lock.sh"
# shellcheck source=scripts/cluster/handover.sh
. "$cluster_lib/handover.sh"
# shellcheck source=scripts/cluster/server.sh
. "$cluster_lib/server.sh"
