#!/bin/sh
# The watchdog of the host that has the floating address; part of the guard. Heartbeat itself does not watch its resources.
#
#   nobody has the floating address for 5 s, and it is up to this host   heartbeat is asked once more to take it
#   ZEO does not listen for 5 s   zdaemon has had its chance: it is started once more; if that fails, or does not last, all moves
#   the web server does not answer for 5 s (cluster.web)   it is restarted once; after 6 s more without an answer, all moves
#
# Invariant: one move in ten minutes at the most, and only to a host that can take over. An error page is an answer: what a Zope
# client answers is none of the web server's faults, and would not be better on the other host.
#
# shellcheck disable=SC2154 # set by the library
set -u

DOWN_SECONDS=5
WEB_AGAIN_SECONDS=6
WEB_BOOT_SECONDS=30
QUIET_SECONDS=600

# A host that has just taken over gets its time.
begin_watch() {
  nobody_since='' zeo_down_since='' web_down_since='' web_restarted='' held_since=''
}

watchdog() {
  read_clock
  if ! address_here; then
    watch_nobody
    zeo_down_since='' web_down_since='' web_restarted='' held_since=''
    return 0
  fi
  nobody_since=
  held_since=${held_since:-$now}
  # keepalived/check watches ZEO itself.
  if [ "$cluster_manager" != heartbeat ] || watch_zeo; then watch_web; fi
  if [ -e "$run_dir/unpromoted" ] && any is_role slave; then
    complain "$data is served without a promotion, because syncpozo did not work at the takeover. hint: repair it ('syncpozo --version'), then: $cluster_lib/zeo stop; $cluster_lib/zeo start. Until then do not start $syncpozo_peer"
  fi
}

# Whether a time lies some seconds back.
lasts() {
  [ -n "$1" ] && [ $((now - $1)) -ge "$2" ]
}

watch_nobody() {
  # While everything moves to the other host, it starts there.
  if ! manages || noted_within moving "$MOVE_SECONDS" || ! heartbeat_forgets || address_elsewhere; then
    nobody_since=
    return 0
  fi
  nobody_since=${nobody_since:-$now}
  lasts "$nobody_since" "$DOWN_SECONDS" || return 0
  nobody_since=
  say "nobody has ${cluster_address%/*}, and heartbeat does nothing about it: asking it to take everything"
  heartbeat_take
}

# noted_within FILE SECONDS: whether the time that the file notes was less than so long ago. It is in /run, and so of this boot.
noted_within() {
  at=$(cat "$run_dir/$1" 2>/dev/null)
  case $at in '' | *[!0-9]*) return 1 ;; esac
  read_clock
  ! lasts "$at" "$2"
}

recently() {
  noted_within "$1" "$QUIET_SECONDS"
}

# keepalived's check and Pacemaker's agent watch ZEO themselves.
watch_zeo() {
  if ! manages || listening; then
    zeo_down_since=
    return 0
  fi
  zeo_down_since=${zeo_down_since:-$now}
  lasts "$zeo_down_since" "$DOWN_SECONDS" || return 1
  zeo_down_since=
  if ! recently restarted; then
    echo "$now" >"$run_dir/restarted"
    say "ZEO has not listened on port $zeo_port for $DOWN_SECONDS s, and zdaemon has not started it: starting it"
    if timeout -k 5 10 "$cluster_lib/zeo" start; then return 0; fi
  fi
  move "ZEO does not listen on port $zeo_port"
  return 1
}

# With Pacemaker the web server is a resource of its own.
web_answers() {
  [ -z "$web_check" ] || [ "$cluster_manager" = pacemaker ] || curl -s -o /dev/null -m 2 "$web_check"
}

watch_web() {
  if web_answers; then
    web_down_since='' web_restarted=''
    return 0
  fi
  # It may be starting, as the host is.
  lasts "$held_since" "$WEB_BOOT_SECONDS" || return 0
  web_down_since=${web_down_since:-$now}
  if [ -n "$web_restarted" ]; then
    if lasts "$web_restarted" "$WEB_AGAIN_SECONDS"; then
      web_restarted=$now
      move "$web_check does not answer"
    fi
  elif lasts "$web_down_since" "$DOWN_SECONDS"; then
    web_restarted=$now
    say "$web_check has not answered for $DOWN_SECONDS s${web_service:+, restarting $web_service}"
    [ -z "$web_service" ] || timeout 20 systemctl restart --no-block "$web_service"
  fi
}

# Whether the other host can take over: its manager runs, and its role is that of a slave.
peer_can_take() {
  peer_manager_runs && every peer_is_slave
}

# Moves all resources to the other host.
move() {
  if recently moved; then
    complain "$1. Not moving to $syncpozo_peer: there was a move less than $((QUIET_SECONDS / 60)) min ago"
  elif ! peer_can_take; then
    complain "$1. Not moving to $syncpozo_peer: its $cluster_manager does not run, its data cannot be read, or it is no slave"
  else
    echo "$now" >"$run_dir/moved"
    say "$1: MOVING EVERYTHING TO $syncpozo_peer"
    if ! manager_move "$1"; then
      say "$cluster_manager did not take the order"
      rm -f "$run_dir/moved"
    fi
  fi
}

# Loud, but once a minute.
complain() {
  [ -z "${complained:-}" ] || lasts "$complained" 60 || return 0
  complained=$now
  say "A PERSON IS NEEDED: $1"
}
