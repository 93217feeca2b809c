#!/bin/sh
# host.sh DIR NAME NODE boot: boots systemd as process 1 of a cluster's host, on the disk DIR/disks/NAME, laid over the image and this
# machine's root. host.sh DIR NAME NODE run TEXT: runs shell text on that disk instead; the host is down. Run by host.ts, as root, in
# namespaces of its own, within those of hold-network.sh. What DIR/shared names is in /opt, read-only.
#
# Invariants: every mount is private to these namespaces; of /proc/sys only net can be written; no trigger of the kernel's is in reach.
set -eu
dir=$1 name=$2 node=$3 what=$4
disk=$dir/disks/$name
root=$dir/roots/$name

mount --make-rprivate /
# After a volatile mount, which leaves out every sync, a work folder is refused: what the host wrote is in this machine's memory at
# least, and survives the host.
rm -rf "$disk/work"
mkdir -p "$disk/upper" "$disk/work" "$root"
mount -t overlay overlay -o "lowerdir=$dir/product:$dir/image/upper:/,upperdir=$disk/upper,workdir=$disk/work,volatile" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 run "$root/run"
mount -t tmpfs tmp "$root/tmp"
mount -t tmpfs -o mode=755 dev "$root/dev"
mkdir "$root/dev/pts" "$root/dev/shm" "$root/run/lock"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for number in 0:stdin 1:stdout 2:stderr; do
  ln -s "/proc/self/fd/${number%:*}" "$root/dev/${number#*:}"
done
for device in null zero full random urandom tty fuse; do
  [ -e "/dev/$device" ] || continue
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done

for folder in "$dir"/shared/*; do
  [ -d "$folder" ] || continue
  point=$root/opt/${folder##*/}
  mkdir -p "$point"
  mount --bind "$folder/" "$point"
  mount -o remount,bind,ro "$point"
done

if [ "$what" = run ]; then
  exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" sh -c "$5"
fi

mount --bind "$root/proc/sys" "$root/proc/sys"
mount --bind "$root/proc/sys/net" "$root/proc/sys/net"
mount -o remount,bind,ro "$root/proc/sys"
# The kernel's is that of this machine, the same in every boot of a host.
cat /proc/sys/kernel/random/uuid >"$root/run/boot_id"
mount --bind "$root/run/boot_id" "$root/proc/sys/kernel/random/boot_id"
for trigger in sysrq-trigger kmsg; do
  [ ! -e "$root/proc/$trigger" ] || mount --bind /dev/null "$root/proc/$trigger"
done
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
[ -e "$root/usr/local/bin/node" ] || : >"$root/usr/local/bin/node"
mount --bind "$node" "$root/usr/local/bin/node"

# host.ts puts the two ends in once it knows this process.
until chroot "$root" ip link show eth0 && chroot "$root" ip link show eth1; do sleep 0.02; done >/dev/null 2>&1

cd "$root"
mkdir -p old
pivot_root . old
umount -l old
rmdir old
mount --make-rshared /
exec env -i container=other PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --show-status=no
