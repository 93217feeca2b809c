#!/bin/sh
# The restart of this host's ZEO clients without their caches; for scripts that have sourced cluster.sh.
#
# Invariant: a cache is removed before the restart. A running client keeps the file that is removed under it, and starts with
# none.
#
# shellcheck disable=SC2154 # set by the library
set -u

# In seconds. A client that is started with its service waits for its server.
RESTART_LIMIT=300

remove_caches() {
  # Patterns of paths without blanks, as the configuration demands.
  for pattern in $(eval "printf '%s\\n' $clients_caches"); do
    if [ -f "$pattern" ] && rm -f "$pattern"; then say "removed the cache $pattern"; fi
  done
}

# restart_clients WHY
restart_clients() {
  say "restarting the ZEO clients of this host without their caches: $1"
  remove_caches
  eval "set -- $clients_restart"
  timeout -k 5 "$RESTART_LIMIT" "$@" </dev/null >&2
  result=$?
  if [ "$result" -eq 0 ]; then return 0; fi
  say "'$*' has ended with $result: clients may go on with data that are lost; trying again"
  say "hint: restart them by hand, or correct cluster.clients.restart in $configuration and run 'systemctl restart syncpozo-clients'"
  sleep 5
  return 1
}
