#!/bin/sh
# The cluster manager as the guard and `switchover` use it; part of those. The guard starts and stops heartbeat alone: keepalived and
# Pacemaker run always, and ask `zeo may-start` themselves.
#
# shellcheck disable=SC2154 # set by the library
set -u

HEARTBEAT_TOOLS=/usr/share/heartbeat

manager_unit() {
  case $cluster_manager in
    heartbeat | keepalived | pacemaker) echo "$cluster_manager.service" ;;
  esac
}

# Starting, running or stopping.
manager_runs() {
  case $(timeout 5 systemctl show --value -p ActiveState "$(manager_unit)" 2>/dev/null) in
    active | activating | deactivating | reloading) return 0 ;;
  esac
  return 1
}

manager_start() {
  timeout 30 systemctl reset-failed "$(manager_unit)" 2>/dev/null
  timeout 30 systemctl start --no-block "$(manager_unit)"
}

# Does not wait: heartbeat ends when its resources have.
manager_stop() {
  timeout 30 systemctl stop --no-block "$(manager_unit)"
}

manager_kill() {
  timeout 30 systemctl kill -s KILL "$(manager_unit)"
}

# Whether a person has stopped it, rather than a crash.
manager_was_stopped() {
  [ "$(timeout 5 systemctl show --value -p Result "$(manager_unit)" 2>/dev/null)" = success ]
}

# Whether the other host's manager takes part.
peer_manager_runs() {
  case $cluster_manager in
    heartbeat) [ "$(timeout 5 cl_status nodestatus "$syncpozo_peer" 2>/dev/null)" = active ] ;;
    pacemaker) timeout 10 crm_node -p 2>/dev/null | tr ' ' '\n' | grep -qx "$syncpozo_peer" ;;
    *) peer_answers ;;
  esac
}

# Whether heartbeat takes part here (it waits for the other host first), believes that it is up to this host to serve, and does
# nothing about it. Its scripts send messages through a pipe, in pieces: two at once spoil each other, and a takeover is forgotten.
heartbeat_forgets() {
  [ "$(timeout 5 cl_status nodestatus "$syncpozo_host" 2>/dev/null)" = active ] || return 1
  if any is_role slave && [ "$(timeout 5 cl_status nodestatus "$syncpozo_peer" 2>/dev/null)" != dead ]; then return 1; fi
  ! pgrep -f '/ResourceManager ' >/dev/null
}

# Sends the forgotten message once more: takes the resources of haresources' line.
heartbeat_take() {
  HA_CURHOST=$syncpozo_host HA_NICEFAILBACK=yes timeout 30 "$HEARTBEAT_TOOLS/req_resource" zeo >/dev/null 2>&1
}

# Asks the manager to move all resources to the other host.
manager_move() {
  case $cluster_manager in
    heartbeat) timeout 30 "$HEARTBEAT_TOOLS/hb_standby" all >/dev/null 2>&1 ;;
    # keepalived/check reads it; it counts for a minute.
    keepalived) printf '%s\n' 'the guard moves everything to the other host' >"$run_dir/aside" ;;
    *) return 1 ;;
  esac
}
