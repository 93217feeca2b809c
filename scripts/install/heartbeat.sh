#!/bin/sh
# What heartbeat needs beyond the files of the table: its key, and a correction. Sourced by install.sh.
#
# shellcheck disable=SC2154 # set by the other parts
set -u

# The key of heartbeat, the same on both hosts: made on the first one, and copied by a person.
make_authkeys() {
  target=/etc/ha.d/authkeys
  if [ -e "$root$target" ]; then
    if [ "$(stat -c %a "$root$target")" != 600 ]; then run chmod 600 "$target"; fi
    return
  fi
  if [ "$host" != "$first" ]; then
    left "copy heartbeat's key from $first, where install.sh makes it:" "scp -p $first:$target $target"
    return
  fi
  changed=$((changed + 1))
  printf '%-8s %s (root, 600), a new key\n' new "$target"
  left "copy heartbeat's key to $second:" "scp -p $target $second:$target"
  [ -z "$dry_run" ] || return 0
  (
    umask 077
    printf 'auth 1\n1 sha1 %s\n' "$(head -c 32 /dev/urandom | sha256sum | cut -c 1-64)" >"$stage/authkeys"
  )
  put "$target" "$stage/authkeys" 600
}

# heartbeat's scripts send it messages through one pipe. Its own function writes each of them in several pieces, so that two messages at
# once are mixed up; then it waits for ever for an answer, and serves nowhere. In one piece they are not. The file is a conffile of
# resource-agents: dpkg asks before it replaces it. Where that was answered with yes, the guard says so.
correct_messages() {
  target=/etc/ha.d/shellfuncs
  if ! grep -qsF '(echo ">>>"; cat -; echo "<<<")' "$root$target"; then return; fi
  # shellcheck disable=SC2016 # the file expands it
  sed 's/^[[:blank:]]*(echo ">>>"; cat -; echo "<<<").*$/\tha_message=$(cat -); printf ">>>\\n%s\\n<<<\\n" "$ha_message" >>$HA_FIFO/' \
    "$root$target" >"$stage/shellfuncs"
  changed=$((changed + 1))
  mode=$(stat -c %a "$root$target")
  show correct "$target" "$mode" "$stage/shellfuncs"
  [ -n "$dry_run" ] || put "$target" "$stage/shellfuncs" "$mode"
}
