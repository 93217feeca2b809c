#!/bin/sh
# The switch of the chosen storage, the file that `syncpozo on` and `off` write, without node; part of takeover.sh.
#
# shellcheck disable=SC2034,SC2154 # set by the library
set -u

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

# Of a storage whose switch was on when this run began.
switch_on_again() {
  case " $switched_on " in
    *" $storage "*)
      if is_off && ! write_switch 1; then
        say "cannot set SYNCING=1 in $switch: 'syncpozo on' lets the syncs go on"
      fi
      ;;
  esac
}
