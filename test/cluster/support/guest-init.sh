#!/bin/sh
# Process 1 of a guest (see guest.sh) until it becomes systemd. The kernel gives it guest_share, guest_address and guest_name.
#
# Invariant: / is in memory, and can be exported by NFS, which the file system of the files that lie on the machine beneath cannot be;
# so NFS 4 finds the way to /srv/zeo as it does on a disk.
set -eu
# shellcheck disable=SC2154 # the kernel's
share=$guest_share address=$guest_address name=$guest_name
mount -t proc proc /proc
new=/mnt
mount -t tmpfs -o mode=755 root "$new"
for each in /*; do
  case $each in
    /bin | /etc | /home | /lib | /lib64 | /opt | /root | /sbin | /usr | /var) ;;
    *) continue ;;
  esac
  if [ -L "$each" ]; then
    ln -s "$(readlink "$each")" "$new$each"
  else
    mkdir "$new$each"
    mount --bind "$each" "$new$each"
  fi
done
mkdir "$new/dev" "$new/proc" "$new/sys" "$new/run" "$new/tmp" "$new/srv" "$new/mnt"
mount -t proc proc "$new/proc"
mount -t sysfs sysfs "$new/sys"
mount -t devtmpfs dev "$new/dev"
mount -t tmpfs -o mode=755 run "$new/run"
mount -t tmpfs -o mode=1777 tmp "$new/tmp"
mount -t ext4 /dev/ubda "$new/srv"
mkdir "$new/run/share"
mount -t hostfs -o "$share" share "$new/run/share"
cd "$new"
mkdir old
pivot_root . old
umount -l /old
rmdir /old
mount --make-rshared /
hostname "$name"
ip link set lo up
ip address add "$address" dev eth0
ip link set eth0 up
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd "$@"
