#!/bin/sh
# The roles on disk, part of cluster.sh: what Data.fs.role says, without node. Whether its checksum is right, and what the other
# side has, syncpozo decides.
#
# shellcheck disable=SC2034,SC2154 # used, or set, by the other parts of the library
set -u

# The word in the role file on the standard input, if it looks complete; otherwise `unreadable`.
role_of() {
  awk 'NR == 1 && $0 != "syncpozo role 1" { bad = 1 }
    NR == 2 && $1 == "role" { role = $2 }
    { last = $1 }
    END {
      if (bad || last != "end" || role !~ /^(slave|master|superseded|rejoining)$/) role = "unreadable"
      print role
    }'
}

# The role of the chosen storage: plain (syncpozo has never made it a slave), slave, master, superseded, rejoining, unreadable.
role_here() {
  if [ -e "$data.role" ] || [ -L "$data.role" ]; then
    role_of 2>/dev/null <"$data.role" || echo unreadable
  elif [ -e "$data.dat" ] || [ -e "$data.new.dat" ]; then
    echo slave
  else
    echo plain
  fi
}

# The highest term in which a side has served, by the role file on the standard input.
term_of() {
  awk '$1 == "began" && $8 == "open" { term = $2 } END { print term + 0 }'
}

term_here() {
  term_of 2>/dev/null <"$data.role" || echo 0
}

# peer_role_file SECONDS: prints the other host's role file, which is read by a process that can be given up.
peer_role_file() {
  timeout -k 1 "$1" cat "$peer_data.role" 2>/dev/null
}

peer_is_slave() {
  [ "$(peer_role_file 3 | role_of)" = slave ]
}

# Whether the other host has given up the term by which it has superseded this side: its ZEO has not started, nothing was
# committed there, and it is a slave.
peer_gave_up() {
  theirs=$(peer_role_file 3) || return 1
  [ "$(printf '%s\n' "$theirs" | role_of)" = slave ] &&
    printf '%s\n' "$theirs" | awk -v own="$(term_here)" '$1 == "began" && $2 > own { given_up = $8 == "unused"; if (!given_up) exit }
      END { exit !given_up }'
}

# Whether the other host has served as a slave since its role was written: see note_unpromoted.
peer_served_unpromoted() {
  # shellcheck disable=SC2016 # the child expands it
  timeout -k 1 2 sh -c '[ -e "$1.unpromoted" ] && { [ ! -e "$1.role" ] || [ "$1.unpromoted" -nt "$1.role" ]; }' sh "$peer_data" 2>/dev/null
}

# is_role WORD...: whether the chosen storage has one of these roles.
is_role() {
  role=$(role_here)
  for word in "$@"; do
    [ "$role" != "$word" ] || return 0
  done
  return 1
}

# Whether any storage's role forbids to serve, whatever the other side says; says which.
forbidden_by_role() {
  any is_role superseded rejoining unreadable || return 1
  case $role in
    superseded)
      refuse "$data was superseded: the other host has served since"
      say "hint: 'syncpozo rejoin $storage --yes' makes it a slave, and this host takes part again by itself"
      ;;
    rejoining)
      refuse "the rejoin of $data has not ended"
      say "hint: 'syncpozo rejoin $storage --yes' continues it"
      ;;
    *)
      refuse "$data.role cannot be read: nobody knows whether this host may serve"
      say "hint: 'syncpozo status $storage' reports why; restore that file, or ask the other host"
      ;;
  esac
}

# refuse REASON: says it, and sets `refusal`.
refuse() {
  refusal=$1
  say "refused: $1"
}
