#!/bin/sh
# boot-systemd.sh DIR PROJECT NODE: boots systemd as process 1 of namespaces of its own, on a copy of this system that nothing
# outside sees. DIR has `files`, which is laid over the root. Run by systemd-boot.test.ts through unshare, as root.
#
# Invariants: every mount is private to these namespaces; /proc/sys and /sys are read-only; what is written goes into a tmpfs.
set -eu
dir=$1 project=$2 node=$3
root=$dir/root

mount --make-rprivate /
mkdir "$dir/upper" "$root"
mount -t tmpfs upper "$dir/upper"
mkdir "$dir/upper/files" "$dir/upper/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$dir/upper/files,workdir=$dir/upper/work" "$root"

mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs run "$root/run"
mount -t tmpfs tmp "$root/tmp"
mount -t tmpfs -o mode=755 dev "$root/dev"
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for device in null zero full random urandom tty; do
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done

# Nothing starts but what the tests start.
rm -rf "$root"/lib/systemd/system-generators/* "$root"/lib/systemd/system/*.wants/* "$root"/etc/systemd/system/*
cp -R "$dir/files/." "$root/"
mkdir -p "$root/opt/project" "$root/usr/local/bin" "$root/srv/zeo/var" "$root/srv/zeo/blobs"
mount --bind "$project" "$root/opt/project"
rm -f "$root/usr/local/bin/node"
: >"$root/usr/local/bin/node"
mount --bind "$node" "$root/usr/local/bin/node"
sed -i '/^zope:/d' "$root/etc/passwd" "$root/etc/group"
echo 'zope:x:5555:5555::/srv/zeo:/bin/sh' >>"$root/etc/passwd"
echo 'zope:x:5555:' >>"$root/etc/group"
chown -R 5555:5555 "$root/srv/zeo/var" "$root/srv/zeo/blobs"

mount --make-rshared "$root"
cd "$root"
exec env -i container=other PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin \
  chroot . /lib/systemd/systemd --unit=tests.target --log-target=console --show-status=no
