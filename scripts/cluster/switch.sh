#!/bin/sh
# The switch of the chosen storage, the file that `syncpozo on` and `off` write, without node; part of takeover.sh.
#
# Invariant: ZEO starts on a slave that syncpozo could not promote only with the switch off on the disk. Nothing else keeps a sync
# from it after a power cut.
#
# shellcheck disable=SC2034,SC2154 # set by the library
set -u

is_off() {
  { IFS= read -r syncing; } 2>/dev/null <"$switch" && [ "$syncing" = SYNCING=0 ]
}

# write_switch 0|1: like `syncpozo off` and `on`.
write_switch() {
  printf 'SYNCING=%s\n' "$1" | replace "$switch"
}

# No sync writes to a slave that has been promoted, whatever the switch says.
switch_off() {
  if ! is_off; then
    write_switch 0 || :
  fi
  if is_off; then
    # A start that was killed, or a person, may have written it, and it is not on the disk. Then the role has to be.
    is_role master || sync "$switch" "$(dirname "$switch")"
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
