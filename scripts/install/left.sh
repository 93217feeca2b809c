#!/bin/sh
# What is left for a person: keys that both hosts have to know, and the start. Sourced by install.sh.
#
# shellcheck disable=SC2154 # set by the other parts
set -u

# left TEXT...: a step, with further lines of it.
left() {
  printf '%s\n' "$@" | sed '1s/^/- /; 2,$s/^/    /' >>"$stage/left"
}

# What Pacemaker needs of a person: the key of corosync, and the resources, once on one host.
note_pacemaker() {
  target=/etc/corosync/authkey
  if [ ! -e "$root$target" ]; then
    left "corosync's key, the same on both hosts: on $first" "corosync-keygen && scp -p $target $second:$target"
  fi
  left "the resources, once the cluster runs, on $first; before that fill in /etc/syncpozo/fencing.crm:" \
    'crm configure load update /etc/syncpozo/fencing.crm' 'crm configure load update /etc/syncpozo/cluster.crm'
  [ -z "$ping_address" ] || left 'and the router:' 'crm configure load update /etc/syncpozo/ping.crm'
}

# The key with which this host reads the other one's data.
make_ssh_key() {
  key=/etc/syncpozo/ssh/id_ed25519
  if [ ! -e "$root$key" ]; then
    changed=$((changed + 1))
    printf '%-8s %s (root, 600), a new key\n' new "$key"
    if [ -z "$dry_run" ]; then
      ssh-keygen -q -t ed25519 -N '' -C "syncpozo@$host" -f "$root$key" || fail "cannot make $root$key"
    fi
  fi
  if here mountpoint -q "$peer_root"; then return; fi
  public=$(cat "$root$key.pub" 2>/dev/null || echo "THE LINE OF $key.pub")
  line=$(grep -v '^#' "$here_dir/sshfs/authorized_keys" | sed "s/from=\"peer\"/from=\"$host_address\"/; s|ssh-ed25519 .*|$public|")
  left "let $host read the data of $syncpozo_peer; on $syncpozo_peer, as root:" \
    "install -d -o $zeo_user -g $zeo_group -m 700 ~$zeo_user/.ssh" \
    "echo '$line' >>~$zeo_user/.ssh/authorized_keys"
  if [ ! -e "$root/etc/syncpozo/ssh/known_hosts" ]; then
    left "let $host know $syncpozo_peer; here, as root:" \
      "ssh-keyscan -t ed25519 $peer_address >/etc/syncpozo/ssh/known_hosts" \
      "compare: ssh-keygen -lf /etc/syncpozo/ssh/known_hosts; on $syncpozo_peer: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
  fi
}

# Fencing makes up for it.
note_ping() {
  if [ -n "$ping_address" ] || [ "$cluster_manager" = pacemaker ]; then return; fi
  left "cluster.ping is not set in $configuration: a host whose cable is pulled does not notice it, and a standby takes over then, so that" \
    'both serve until the cable is back. Write the address of a router that answers to ping, on both hosts'
}

# A ZEO client drops its cache before it starts, where that may have lost data in it.
note_prepare() {
  if ! grep -qs 'syncpozo/clients prepare' "$root"/etc/systemd/system/*.service "$root"/etc/systemd/system/*/*.conf; then
    left 'let the units of the ZEO clients drop a cache of lost data before they start, as systemd/zope.service does; systemctl edit zope:' \
      '[Service]' 'ExecStartPre=+-/usr/local/lib/syncpozo/clients prepare'
  fi
}

# Units that do not run, and those that run with what was there before.
note_start() {
  [ "$changed" -gt 0 ] || return 0
  running='' waiting=''
  for unit in $units; do
    if here systemctl is-active --quiet "$unit"; then running="$running $unit"; else waiting="$waiting $unit"; fi
  done
  [ -z "$running" ] || left 'let what runs read the new files:' "systemctl restart$running"
  [ -z "$waiting" ] || left 'with the keys and the data there (docs/cluster.md), start:' "systemctl start$waiting"
  left 'let Apache read its files:' 'apache2ctl configtest && systemctl reload apache2'
}

show_left() {
  [ -s "$stage/left" ] || return 0
  echo
  echo "Left for you, on $host:"
  cat "$stage/left"
}
