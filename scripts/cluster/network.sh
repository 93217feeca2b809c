#!/bin/sh
# The cluster's addresses, and who answers; part of cluster.sh.
#
# shellcheck disable=SC2154 # set by settings.sh
set -u

# Whether the floating address is on this host.
address_here() {
  [ -n "$cluster_address" ] && ip -o address show 2>/dev/null | grep -qF " ${cluster_address%/*}/"
}

# Takes the floating address off this host, whoever has put it there.
drop_address() {
  if address_here; then
    ip address delete "$cluster_address" dev "$cluster_interface" 2>/dev/null || :
  fi
  ! address_here
}

# Whether another host has the floating address: ZEO is up before the address is.
address_elsewhere() {
  [ -n "$cluster_address" ] && ! address_here && answers "${cluster_address%/*}"
}

# Within a second.
answers() {
  [ -n "$1" ] && ping -n -q -c 1 -W 1 "$1" >/dev/null 2>&1
}

# Whether the other host answers, at either of its addresses.
peer_answers() {
  answers "$peer_address" &
  first=$!
  if [ "$peer_heartbeat" != "$peer_address" ] && answers "$peer_heartbeat"; then return 0; fi
  wait "$first"
}

# As peer_answers, for a takeover, which cannot wait: within a third of a second.
peer_answers_at_once() {
  for address in "$peer_address" "$peer_heartbeat"; do
    if [ -n "$address" ] && ping -n -q -c 1 -W 0.3 "$address" >/dev/null 2>&1; then return 0; fi
  done
  return 1
}

# Whether the other host's ZEO may run, because its port does not refuse. It goes on until its host learns of a promotion.
peer_may_serve() {
  curl -s -o /dev/null -m 1 "telnet://$peer_address:$zeo_port" </dev/null >/dev/null 2>&1
  # 7: refused.
  [ $? -ne 7 ]
}

# Whether neither the router of the configuration nor the other host answers. Without a router nobody knows.
isolated() {
  [ -n "$ping_address" ] && ! answers "$ping_address" && ! peer_answers
}
