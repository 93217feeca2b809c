#!/bin/sh
# build-image.sh FILE PACKAGES REQUIREMENTS...: makes FILE, a small ext4 with what the hosts of the cluster have beyond this machine's
# own root: Debian packages, /opt/venv with ZEO, the user zope, one ssh key for all. Run by image.ts, as root, in namespaces of its own.
#
# Invariants: FILE appears complete or not at all; this machine's root is not written. A file rather than a folder: an overlay takes a
# folder below / and / as two layers for a loop, and a checkout may be on a file system that carries no upper layer.
set -eu
file=$1 packages=$2
shift 2
[ ! -e "$file" ] || exit 0
building=$file.building
rm -rf "$building"
mkdir -p "$building/layer" "$building/root"
mount --make-rprivate /
mount -t proc proc /proc

truncate -s 8G "$building/ext4"
mkfs.ext4 -q -F -m 0 -O ^has_journal "$building/ext4"
mount -o loop "$building/ext4" "$building/layer"
mkdir "$building/layer/upper" "$building/layer/work"
root=$building/root
mount -t overlay overlay \
  -o "lowerdir=/,upperdir=$building/layer/upper,workdir=$building/layer/work,redirect_dir=off,index=off,metacopy=off,volatile" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mkdir "$root/run/lock"
cat /etc/resolv.conf >"$root/tmp/resolv.conf"
rm -f "$root/etc/resolv.conf"
cp "$root/tmp/resolv.conf" "$root/etc/resolv.conf"

# No service starts while packages are installed, and none of this machine's own starts in a host.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
rm -rf "$root"/etc/systemd/system/* "$root"/etc/rc?.d/*

inside() {
  chroot "$root" env -u TMPDIR HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}
apt() {
  inside apt-get -o APT::Sandbox::User=root -o Acquire::Retries=3 "$@"
}
install_packages() {
  # shellcheck disable=SC2046 # one word a line
  apt install -y --no-install-recommends -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-unsafe-io $(grep -v '^#' "$packages")
}
# A list of packages that is old, or none, is the usual reason.
install_packages || {
  apt update
  install_packages
}
apt clean

inside /usr/bin/python3 -m venv /opt/venv
cat "$@" >"$root/tmp/requirements.txt"
inside /opt/venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input -r /tmp/requirements.txt
inside chmod -R a+rX /opt/venv

sed -i '/^zope:/d' "$root/etc/passwd" "$root/etc/shadow" "$root/etc/group"
inside useradd --uid 5555 --user-group --create-home --home-dir /home/zope --shell /bin/bash zope

# One key for all hosts: each of them reaches the others as root and as zope.
# shellcheck disable=SC2016 # the shell inside expands it
inside sh -euc '
  rm -rf /root/.ssh /home/zope/.ssh /etc/ssh/ssh_host_*
  ssh-keygen -A
  mkdir -m 700 /root/.ssh
  ssh-keygen -q -t ed25519 -N "" -C cluster -f /root/.ssh/id_ed25519
  cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys
  cp -R /root/.ssh /home/zope/.ssh
  chown -R zope:zope /home/zope
  printf "m1,m2,192.168.1.*,10.0.0.* %s\n" "$(cat /etc/ssh/ssh_host_ed25519_key.pub)" >/etc/ssh/ssh_known_hosts
'

# The managers are off until an administrator turns one of them on. No login service: each ssh would start a manager of a user.
inside systemctl --quiet set-default multi-user.target
inside systemctl --quiet enable apache2 cron networking rsyslog ssh
inside systemctl --quiet disable corosync haproxy heartbeat keepalived logd pacemaker varnish varnishncsa
inside systemctl --quiet mask systemd-logind ifupdown-pre getty.target apt-daily.timer apt-daily-upgrade.timer \
  systemd-modules-load dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount
sed -i '/pam_systemd/d' "$root"/etc/pam.d/common-*
# There is no kernel log in a host.
sed -i '/imklog/d' "$root/etc/rsyslog.conf"
printf '[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\n' >"$root/etc/systemd/journald.conf"
rm -rf "$root/usr/sbin/policy-rc.d" "$root/var/log/journal" "$root/etc/machine-id"
mkdir -p "$root/var/log/journal" "$root/srv/zeo" "$root/etc/network"
: >"$root/etc/machine-id"

umount -R "$root"
umount "$building/layer"
mv "$building/ext4" "$file"
