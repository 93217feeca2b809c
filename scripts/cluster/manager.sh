#!/bin/sh
# The cluster manager, as the guard and `switchover` use it; part of those. The guard starts and stops heartbeat; keepalived and
# Pacemaker run always, and ask `zeo may-start` themselves.
#
# shellcheck disable=SC2154 # set by the library
set -u

# shellcheck source=scripts/cluster/aside.sh
. "$cluster_lib/aside.sh"

HEARTBEAT_TOOLS=/usr/share/heartbeat

# --- heartbeat ---

# Any of its processes. After a partition it executes itself again, without systemd's knowledge: the unit is inactive then.
heartbeat_runs() {
  pgrep -x heartbeat >/dev/null || heartbeat_unit_runs
}

heartbeat_unit_runs() {
  case $(timeout 5 systemctl show --value -p ActiveState heartbeat.service 2>/dev/null) in
    active | activating | deactivating | reloading) return 0 ;;
  esac
  return 1
}

# What the last one has left is ended first. One that gave up its resources after a failed start orders a standby 30 s later: the order waits
# in the pipe, and a new heartbeat that gets it accepts no other one for an hour.
heartbeat_start() {
  pkill -KILL -f "^[a-z/]*sh $HEARTBEAT_TOOLS/(ResourceManager|hb_standby) "
  timeout 30 systemctl reset-failed heartbeat.service 2>/dev/null
  timeout 30 systemctl start --no-block heartbeat.service
}

# Does not wait: heartbeat ends when its resources have.
heartbeat_stop() {
  if heartbeat_unit_runs; then
    timeout 30 systemctl stop --no-block heartbeat.service
  else
    signal_heartbeat TERM "$(pgrep -o -x heartbeat)"
  fi
}

heartbeat_kill() {
  # shellcheck disable=SC2046 # numbers
  signal_heartbeat KILL $(pgrep -x heartbeat)
}

signal_heartbeat() {
  signal=$1
  shift
  for process in "$@"; do
    kill "-$signal" "$process" 2>/dev/null
  done
}

heartbeat_responds() {
  timeout -k 1 5 cl_status hbstatus >/dev/null 2>&1
}

# Whether nothing of it is left but the process that waits to execute itself again.
heartbeat_pauses() {
  [ "$(pgrep -x heartbeat | wc -l)" -eq 1 ]
}

# Whether heartbeat takes part here (it waits for the other host first), it is up to this host to serve, and nothing is done about
# it. Heartbeat's scripts send messages through a pipe, in pieces: two at once spoil each other, and a takeover is forgotten.
heartbeat_forgets() {
  [ "$(timeout -k 1 5 cl_status nodestatus "$syncpozo_host" 2>/dev/null)" = active ] || return 1
  if any is_role slave && [ "$(timeout -k 1 5 cl_status nodestatus "$syncpozo_peer" 2>/dev/null)" != dead ]; then return 1; fi
  ! pgrep -f '/ResourceManager ' >/dev/null
}

# Whether the fault that install.sh corrects is there. The file is one of Debian's package resource-agents: an upgrade asks whether to
# replace it, and one without questions may have done so.
messages_spoil() {
  grep -qsF '(echo ">>>"; cat -; echo "<<<")' "${HEARTBEAT_FUNCTIONS:-/etc/ha.d/shellfuncs}"
}

# Sends the forgotten message once more: take the resources of haresources' line.
heartbeat_take() {
  HA_CURHOST=$syncpozo_host HA_NICEFAILBACK=yes timeout 30 "$HEARTBEAT_TOOLS/req_resource" zeo >/dev/null 2>&1
}

# Heartbeat ignores the order while it, or that of the other host, is starting. One that it takes has the address off in no time.
heartbeat_standby() {
  for _ in 1 2 3 4 5 6; do
    timeout 30 "$HEARTBEAT_TOOLS/hb_standby" all >/dev/null 2>&1 || return 1
    if within 4 address_gone; then return 0; fi
  done
  return 1
}

address_gone() {
  ! address_here
}

# --- any manager ---

# Whether the other host's manager takes part.
peer_manager_runs() {
  case $cluster_manager in
    heartbeat) [ "$(timeout -k 1 5 cl_status nodestatus "$syncpozo_peer" 2>/dev/null)" = active ] ;;
    pacemaker) [ "$(timeout 10 crm_attribute --promotion=zeo -N "$syncpozo_peer" -l reboot -G -q 2>/dev/null)" -gt 0 ] 2>/dev/null ;;
    *) peer_answers ;;
  esac
}

# keepalived elects the other host within some seconds, or not at all, because it does not run there, or may not serve. A host that was
# elected keeps the cluster, however long it takes to serve: this one does not preempt it.
ELECTION_SECONDS=20

# manager_move REASON: asks the manager to move all resources to the other host.
manager_move() {
  case $cluster_manager in
    heartbeat)
      read_clock
      echo "$now" 2>/dev/null >"$run_dir/moving"
      heartbeat_standby
      ;;
    keepalived) leave_cluster "$1" "$ELECTION_SECONDS" ;;
    *) leave_cluster "$1" ;;
  esac
}
