#!/bin/sh
# In which terms a side has served, and whether their promotions may have lost something; for scripts that have sourced cluster.sh.
#
# Invariants:
#  * No read of the other host's mount is made by the script itself, or waited for longer than two seconds: it may hang, also
#    beyond KILL.
#  * What is not known is not called harmless.
#
# The script sets `copies` to a directory of its own.
#
# shellcheck disable=SC2154 # set by the library
set -u

abandoned=

# copy_of_peer FILE COPY: copies a file of the other host. While a reader that was given up hangs, no other one is started.
copy_of_peer() {
  if [ -n "$abandoned" ] && ! ended "$abandoned"; then return 1; fi
  rm -f "$2"
  (timeout -s KILL 2 cat "$1" >"$2.new" && mv "$2.new" "$2") 2>/dev/null &
  abandoned=$!
  within 3 ended "$abandoned" || return 1
  wait "$abandoned" 2>/dev/null
  [ -e "$2" ]
}

# The term in which the side serves that this host knows of: its own, or that of the side which has superseded it.
serving_term() {
  if ! is_role superseded rejoining; then
    term_here
    return
  fi
  own=$(term_here)
  other=$(sed -n 's/^{"name":"superseded",.*"peerTerm":\([0-9]\{1,9\}\)[,}].*/\1/p' "$data.events" 2>/dev/null | tail -n 1)
  if [ "${other:-0}" -gt "$own" ]; then echo "$other"; else echo $((own + 1)); fi
}

serving_term_line() {
  if serves_unpromoted; then
    echo "$storage $(serving_term) unpromoted"
  else
    echo "$storage $(serving_term)"
  fi
}

# A takeover without syncpozo: no term begins, and nobody knows what is lost.
serves_unpromoted() {
  [ -e "$run_dir/unpromoted" ] && is_role slave
}

# One line a storage: its name, and the term in which it is served.
serving_terms() {
  every serving_term_line
}

# loss_in FILE TERM: what a history of events says of the promotion to this term: none, possible, certain, or nothing.
loss_in() {
  sed -n 's/^{"name":"promoted",.*"facts":{"term":'"$2"',"loss":"\([a-z]*\)".*/\1/p' "$1" 2>/dev/null | tail -n 1
}

# harmless TERMS: whether no promotion from these terms to the current ones has lost anything. 0: so it is. 1: something may be
# lost, or its event cannot be read. 2: the event is not there, and a promotion that has just set its role writes it soon.
harmless() {
  before=$1
  verdict=0
  every harmless_here || return 1
  return "$verdict"
}

harmless_here() {
  if serves_unpromoted; then return 1; fi
  from=$(printf '%s\n' "$before" | sed -n "s/^$storage \([0-9]\{1,9\}\)\$/\1/p")
  to=$(serving_term)
  # A hundred promotions are more than a history of events holds.
  if [ -z "$from" ] || [ $((to - from)) -gt 100 ]; then return 1; fi
  # A promotion that was given up; this side may be promoted again in a moment.
  if [ "$from" -gt "$to" ]; then verdict=2; fi
  copied=
  while [ "$from" -lt "$to" ]; do
    from=$((from + 1))
    loss=$(loss_in "$data.events" "$from")
    if [ -z "$loss" ]; then
      [ -n "$copied" ] || copy_of_peer "$peer_data.events" "$copies/$storage.events" || return 1
      copied=yes
      loss=$(loss_in "$copies/$storage.events" "$from")
    fi
    case $loss in
      none) ;;
      '') verdict=2 ;;
      *) return 1 ;;
    esac
  done
}
