#!/bin/sh
# What keepalived's two scripts know of each other, in /run/syncpozo; sourced by both, after cluster.sh.
#
# shellcheck disable=SC2034,SC2154 # cluster.sh sets what is used here, and the scripts use what is set here
set -u

# The pipe that keepalived writes its states to, the last of them, and the process that reads it.
fifo=$run_dir/keepalived.fifo
state_file=$run_dir/keepalived.state
follower_file=$run_dir/keepalived.pid
# The process group that starts ZEO.
starter_file=$run_dir/keepalived.starter
# Why this host leaves the cluster to the other one for HOLD seconds.
held_file=$run_dir/keepalived.held
# Since when ZEO does not listen on the host that serves.
down_file=$run_dir/keepalived.down
# The last answer of `zeo may-start`: its status, then what it says.
answer_file=$run_dir/keepalived.may-start

# Longer than the other host needs to take over.
HOLD=30

# hold_back REASON
hold_back() {
  say "$1; this host holds back for $HOLD s"
  printf '%s\n' "$1" >"$held_file"
}

# The starting process, while it lives.
starter_alive() {
  named_alive "$starter_file" 'notify serve'
}

follower_alive() {
  named_alive "$follower_file" notify
}

# named_alive FILE COMMAND: the process whose id is in FILE, if it lives and has COMMAND on its command line.
named_alive() {
  pid=$(cat "$1" 2>/dev/null) || return 1
  case $pid in '' | *[!0-9]*) return 1 ;; esac
  if ended "$pid"; then return 1; fi
  case "$(command_of "$pid") " in *"$2 "*) echo "$pid" ;; *) return 1 ;; esac
}
