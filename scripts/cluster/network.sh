#!/bin/sh
# The cluster's addresses, and who answers; part of cluster.sh.
#
# shellcheck disable=SC2154 # set by settings.sh
set -u

# Whether the floating address is on this host.
address_here() {
  [ -n "$cluster_address" ] && [ -n "$(ip -o address show to "${cluster_address%/*}" 2>/dev/null)" ]
}

# Puts the floating address on this host.
put_address() {
  [ -n "$cluster_address" ] && { address_here || ip address add "$cluster_address" brd + dev "$cluster_interface"; }
}

# Announces to the switches and the other hosts where the address is now.
announce() {
  if command -v arping >/dev/null; then
    arping -q -U -c 3 -I "$cluster_interface" "${cluster_address%/*}" >/dev/null 2>&1
    return 0
  fi
  for send_arp in /usr/libexec/heartbeat/send_arp /usr/lib/heartbeat/send_arp; do
    if [ -x "$send_arp" ]; then
      "$send_arp" -i 500 -r 3 "$cluster_interface" "${cluster_address%/*}" auto not_used not_used >/dev/null 2>&1
      return 0
    fi
  done
  say "arping is missing: hosts on this network may look for ${cluster_address%/*} in the wrong place for minutes"
  say 'hint: apt-get install iputils-arping'
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

# answers ADDRESS [SECONDS]: within a second by default.
answers() {
  [ -n "$1" ] && ping -n -q -c 1 -W "${2:-1}" "$1" >/dev/null 2>&1
}

# peer_answers [SECONDS]: whether the other host answers, at either of its addresses. Both are asked at once.
peer_answers() {
  answers "$peer_address" "${1:-1}" &
  first=$!
  if [ "$peer_heartbeat" != "$peer_address" ] && answers "$peer_heartbeat" "${1:-1}"; then return 0; fi
  wait "$first"
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
