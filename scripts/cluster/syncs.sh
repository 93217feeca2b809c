#!/bin/sh
# Runs of `syncpozo sync` and `watch` that write to the chosen storage, ended without node; part of takeover.sh.
#
# Invariant: none writes once ZEO serves. Only a process that has Data.fs.lock open gets a signal.
#
# shellcheck disable=SC2034,SC2154 # set by the library
set -u

SYNC_STOP_WAIT=1

stop_sync() {
  for _ in 1 2 3 4 5; do
    if serving || lock_free; then
      return 0
    fi
    if holder_is_sync; then
      if ! end_holder holder_is_sync "$SYNC_STOP_WAIT"; then
        describe_lock
        say "the sync cannot be ended, probably it hangs in a read of the other host's mount; not starting ZEO"
        say 'hint: umount -f -l that mount, then start again'
        return 1
      fi
    else
      # A sync writes its name shortly after it has taken the lock.
      sleep 0.5
    fi
  done
  # free_for_zeo handles any other holder: it may be our own ZEO, which is starting.
  ! holder_is_sync
}

# A sync that read the switch before it was off may take a lock later, and ZEO would fail on it. So this loop watches until
# ZEO serves; it is bounded, so that it does not outlive a start that was killed.
watch_for_syncs() {
  rounds=$((zeo_start_wait * 5))
  while [ "$rounds" -gt 0 ]; do
    every end_holder holder_is_sync "$SYNC_STOP_WAIT"
    rounds=$((rounds - 1))
    sleep 0.2
  done
}
