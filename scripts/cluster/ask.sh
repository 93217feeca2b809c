#!/bin/sh
# Questions and orders to syncpozo for the chosen storage; part of takeover.sh.
#
# Invariant: syncpozo that is missing, broken or hangs ends after promote_wait, and its end is an answer like any other.
#
# shellcheck disable=SC2154 # set by the library
set -u

# ask VERB OPTION...: runs syncpozo for the chosen storage, by its name; after a mistake in the configuration, by its paths.
# Prints what it prints.
ask() {
  verb=$1
  shift
  as_owner "$verb" "$@" "$storage"
  answer=$?
  if [ "$answer" -ne 2 ]; then
    return "$answer"
  fi
  case $verb in
    may-serve) set -- "$@" --peer "$peer_data" ;;
    promote)
      set -- "$@" --status-file "$switch" --master "$peer_data"
      if [ -n "$blobs" ] && [ -n "$peer_blobs" ]; then
        set -- "$@" --blobs "$peer_blobs:$blobs"
      fi
      ;;
    demote) set -- "$@" --status-file "$switch" ;;
  esac
  as_owner "$verb" "$@" "$data"
}

# Runs syncpozo as the user of ZEO, whose number is the same on both hosts: an NFS server may refuse root. What that user may not
# do (end a sync of root's, write the switch) is tried again.
as_owner() {
  if [ -n "$zeo_user" ] && [ "$zeo_user" != "$(id -un)" ]; then
    bounded runuser -u "$zeo_user" -- "$SYNCPOZO" "$@"
    answer=$?
    if [ "$answer" -ne 1 ]; then
      return "$answer"
    fi
  fi
  bounded "$SYNCPOZO" "$@"
}

bounded() {
  timeout -k 2 "$promote_wait" "$@" </dev/null 2>&1
}
