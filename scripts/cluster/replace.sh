#!/bin/sh
# A file that is replaced durably; part of cluster.sh.
#
# Invariants, whenever the power is cut:
#  * The file is the old one or the new one, complete: the content is on the disk before it gets the name.
#  * It is the new one once `replace` has succeeded: then the name is on the disk as well.
set -u

# replace FILE: by the standard input. The temporary name is its own: others may replace the file at the same time.
replace() {
  new=$(mktemp "$1.XXXXXX") || return 1
  if cat >"$new" && chmod 644 "$new" && sync "$new" && mv -fT "$new" "$1"; then
    sync "$(dirname "$1")"
  else
    rm -f "$new"
    return 1
  fi
}
