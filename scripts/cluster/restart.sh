#!/bin/sh
# The restart of this host's ZEO clients without their caches; for scripts that have sourced cluster.sh.
#
# Invariant: a cache is removed before the restart, and that is on the disk: a power cut does not bring it back beside a note that the
# clients run without it. A running client keeps the file that is removed under it, and starts with none.
#
# shellcheck disable=SC2154 # set by the library
set -u

# In seconds. A client that is started with its service waits for its server.
RESTART_LIMIT=300

# Caches that are named in the log, one by one.
MOST_NAMED=10

# Whether a file that matches lies behind a symbolic link, below the directory in which its pattern begins to have * ? [. Who may
# write there could have root remove any file.
behind_a_link() {
  way=${1%/*}
  while [ "$way" != "$2" ] && [ -n "$way" ]; do
    if [ -L "$way" ]; then return 0; fi
    way=${way%/*}
  done
  return 1
}

# Patterns of paths without blanks, as the configuration demands. No program is started for a file but rm: there may be thousands.
remove_caches() {
  caches_removed=0
  eval "for pattern in $clients_caches; do remove_matching \"\$pattern\"; done"
  [ "$caches_removed" -le "$MOST_NAMED" ] || say "removed $caches_removed caches"
}

# remove_matching PATTERN
remove_matching() {
  fixed=${1%%[\*\?\[]*}
  fixed=${fixed%/*}
  for file in $1; do
    [ -f "$file" ] || continue
    if behind_a_link "$file" "$fixed"; then
      say "not removed: $file, as $way is a symbolic link"
    elif rm -f "$file"; then
      caches_removed=$((caches_removed + 1))
      [ "$caches_removed" -gt "$MOST_NAMED" ] || say "removed the cache $file"
    fi
  done
  # Also what an attempt before has removed, which was ended.
  for directory in ${1%/*}; do
    [ ! -d "$directory" ] || sync "$directory"
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
