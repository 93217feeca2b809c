#!/bin/sh
# The roles on disk, part of cluster.sh: what Data.fs.role says, without node. Whether its checksum is right, and what the other
# side has, syncpozo decides.
#
# shellcheck disable=SC2034,SC2154 # used, or set, by the other parts of the library
set -u

# Reads the role file on the standard input. Sets `role` to its word, if the file looks complete, otherwise to `unreadable`, and
# `role_term` to the highest term in which a side has served. Starts no process: daemons do this each second.
read_role() {
  role='' role_term=0 first_word=''
  if ! IFS= read -r first_word || [ "$first_word" != 'syncpozo role 1' ]; then
    role=unreadable
    return 0
  fi
  if read -r first_word role _; then [ "$first_word" = role ] || role=; fi
  last_word=
  while read -r first_word number _ _ _ _ _ kind _ || [ -n "$first_word" ]; do
    last_word=$first_word
    case "$first_word $kind $number" in
      "began open "*[!0-9]*) ;;
      'began open '?*) role_term=$number ;;
    esac
  done
  case "$last_word $role" in
    'end slave' | 'end master' | 'end superseded' | 'end rejoining') ;;
    *) role=unreadable ;;
  esac
}

# The same of the chosen storage. Its role may also be plain: syncpozo has never made it a slave.
read_role_here() {
  if [ -e "$data.role" ] || [ -L "$data.role" ]; then
    { read_role; } 2>/dev/null <"$data.role" || role=unreadable role_term=0
  elif [ -e "$data.dat" ] || [ -e "$data.new.dat" ]; then
    role=slave role_term=0
  else
    role=plain role_term=0
  fi
}

role_of() {
  read_role
  echo "$role"
}

term_of() {
  read_role
  echo "$role_term"
}

term_here() {
  read_role_here
  echo "$role_term"
}

# peer_role_file SECONDS: prints the other host's role file, which is read by a process that can be given up.
peer_role_file() {
  timeout -k 1 "$1" cat "$peer_data.role" 2>/dev/null
}

peer_is_slave() {
  [ "$(peer_role_file 3 | role_of)" = slave ]
}

# Whether take_back may have begun: it makes a slave of a superseded side first, which removes the .dat, and then promotes it. A side that
# has given its own promotion up is a slave without a .dat as well, but its last term was not used.
half_taken_back() {
  is_role slave && [ ! -e "$data.dat" ] && awk '$1 == "began" { last = $8 } END { exit last != "open" }' "$data.role" 2>/dev/null
}

to_take_back() {
  is_role superseded || half_taken_back
}

# Whether the other host has given up every term above those of this side: its ZEO has not started, nothing was committed there, and
# it is a slave. A storage that was taken back already, or has never been marked, is one of which the other host has no higher term.
peer_gave_up() {
  theirs=$(peer_role_file 3) || return 1
  [ "$(printf '%s\n' "$theirs" | role_of)" = slave ] && peer_has_no_note || return 1
  read_role_here
  ends_at=$(printf '%s\n' "$theirs" | awk -v own="$role_term" '$1 == "began" && $2 > own { at = $3; if ($8 != "unused") open = 1 }
    END { print at; exit open }') || return 1
  case $role in
    master | plain) return 0 ;;
    superseded) ;;
    # All that the other host has is here: a slave that is behind is not promoted by this. Without a higher term there, that host may be
    # about to take this side's promotion back.
    slave) half_taken_back && [ -n "$ends_at" ] && [ "$(stat -c %s "$data")" -ge "$ends_at" ] || return 1 ;;
    *) return 1 ;;
  esac
  # As that host has found as well, before it gave the term up.
  [ -n "$ends_at" ] && [ "$(timeout -k 1 2 stat -c %s "$peer_data" 2>/dev/null)" = "$ends_at" ]
}

# Whether it is known that the other host has not served as a slave since its role was written.
peer_has_no_note() {
  # shellcheck disable=SC2016 # the child expands it
  timeout -k 1 2 sh -c '[ -e "$1.role" ] && { [ ! -e "$1.unpromoted" ] || [ "$1.role" -nt "$1.unpromoted" ]; }' sh "$peer_data" 2>/dev/null
}

# Whether the other host has served as a slave since its role was written: see note_unpromoted.
peer_served_unpromoted() {
  # shellcheck disable=SC2016 # the child expands it
  timeout -k 1 2 sh -c '[ -e "$1.unpromoted" ] && { [ ! -e "$1.role" ] || [ "$1.unpromoted" -nt "$1.role" ]; }' sh "$peer_data" 2>/dev/null
}

# is_role WORD...: whether the chosen storage has one of these roles.
is_role() {
  read_role_here
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
