#!/bin/sh
# Data.fs.lock of the chosen storage, part of cluster.sh.
#
# Invariants:
#  * The lock is flock() on Data.fs.lock. A probe with flock(1) takes it for an instant, and a ZEO that opens in that instant
#    would fail: so the lock is probed only while no ZEO is starting.
#  * No process gets a signal only because a file contains its id: it must have Data.fs.lock open.
#
# shellcheck disable=SC2154 # `choose` sets what is used here
set -u

# A missing lock file is a free lock; flock(1) would create it as root, and ZEO could not write it.
lock_free() {
  [ ! -e "$lock" ] || flock -n 9 2>/dev/null 9<"$lock"
}

# Sets `named` to the process that the lock file names, and `named_program` to what follows: nothing, but for a sync.
read_lock() {
  named='' named_program=''
  { read -r named named_program; } 2>/dev/null <"$lock" || :
  case $named in *[!0-9]*) named= ;; esac
}

# The process that the lock file names, if it is alive and has the lock file open; otherwise nothing.
holder() {
  read_lock
  if [ -n "$named" ] && [ -n "$(find -L "/proc/$named/fd" -maxdepth 1 -samefile "$lock" 2>/dev/null)" ]; then
    echo "$named"
  fi
}

command_of() {
  tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null
}

holder_is_sync() {
  read_lock
  case $named_program in
    syncpozo | 'syncpozo '*) [ -n "$(holder)" ] ;;
    *) return 1 ;;
  esac
}

holder_is_zeo() {
  ! holder_is_sync && command_of "$(holder)" | grep -qi zeo
}

held_by_zeo() {
  [ -n "$(holder)" ] && holder_is_zeo
}

held_by_server() {
  ! lock_free && ! holder_is_sync
}

free_of_server() {
  lock_free || holder_is_sync
}

ended() {
  { IFS= read -r facts; } 2>/dev/null <"/proc/$1/stat" || return 0
  # Behind the name, which may have blanks and parentheses.
  case ${facts##*) } in Z*) ;; *) return 1 ;; esac
}

# end_holder KIND SECONDS: ends the lock's holder if it is of that KIND (holder_is_sync, holder_is_zeo), first with TERM and
# after SECONDS with KILL. Fails if it survives, because it hangs in the kernel.
end_holder() {
  "$1" || return 0
  victim=$(holder)
  [ -n "$victim" ] || return 0
  say "ending process $victim: $(command_of "$victim")"
  kill -TERM "$victim" 2>/dev/null
  if within "$2" ended "$victim"; then
    return 0
  fi
  if [ "$(holder)" = "$victim" ] && "$1"; then
    say "process $victim has not ended after $2 s, killing it"
    kill -KILL "$victim" 2>/dev/null
  fi
  within 5 ended "$victim"
}

describe_lock() {
  who=$(holder)
  if [ -n "$who" ]; then
    say "$lock is held by process $who: $(command_of "$who")"
  else
    say "$lock is held by an unknown process; it names: $(head -c 200 "$lock" 2>/dev/null)"
  fi
}
