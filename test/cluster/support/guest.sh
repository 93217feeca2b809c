#!/bin/sh
# guest.sh DIR NAME NUMBER NODE boot: boots a guest: Debian with a kernel of its own (User-Mode Linux) and systemd, for what the kernel of
# this machine lacks: NFS. Standard input and output are those of guest-agent.sh in it. guest.sh DIR NAME NUMBER NODE run TEXT: runs shell
# text on its disk instead, without /srv, at the speed of this machine; the guest is down. Run by guest.ts, as root, in namespaces of its
# own, within those of hold-network.sh.
#
# Invariants: /srv is an ext4 of its own, DIR/disks/NAME.ext4, and outlives every end of the guest as a disk does; so do the other files,
# which are those of an overlay. DIR/shares/NAME is /run/share in it.
set -eu
dir=$1 name=$2 number=$3 node=$4 what=$5
disk=$dir/disks/$name
root=$dir/roots/$name
own=$(dirname "$(readlink -f "$0")")

mount --make-rprivate /
rm -rf "$disk/work"
mkdir -p "$disk/upper" "$disk/work" "$root" "$dir/shares/$name"
mount -t overlay overlay -o "lowerdir=$dir/product:$dir/image/upper:/,upperdir=$disk/upper,workdir=$disk/work,volatile" "$root"
[ -e "$root/usr/local/bin/node" ] || : >"$root/usr/local/bin/node"
mount --bind "$node" "$root/usr/local/bin/node"
if [ ! -e "$disk.ext4" ]; then
  truncate -s 2G "$disk.ext4"
  mkfs.ext4 -q "$disk.ext4"
fi

units=$root/etc/systemd/system
if [ ! -e "$root/opt/guest" ]; then
  # What an installer of Debian asks for.
  mkdir "$root/opt/guest"
  echo "$name" >"$root/etc/hostname"
  tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
  printf '%s\n' '127.0.0.1 localhost' '192.168.1.11 m1' '192.168.1.12 m2' >"$root/etc/hosts"
  ln -sfn /usr/lib/uml/modules "$root/lib/modules"
  ln -sf /opt/syncpozo/dist/app/cli.cjs "$root/usr/local/bin/syncpozo"
  : >"$root/etc/fstab"
  rm -rf "$units"/*.wants
fi
for part in init agent; do
  install -m 755 "$own/guest-$part.sh" "$root/opt/guest/$part"
done
# A mark of another kind of guest, which systemd would believe.
rm -f "$root/.dockerenv"
# No device comes or goes, and each program that is not started makes the boot shorter.
for unit in dev-mqueue.mount kmod-static-nodes.service modprobe@.service nfs-blkmap.service proc-sys-fs-binfmt_misc.automount \
  rpc-statd-notify.service sys-fs-fuse-connections.mount sys-kernel-config.mount systemd-binfmt.service systemd-firstboot.service \
  systemd-journal-flush.service systemd-random-seed.service systemd-remount-fs.service systemd-sysusers.service \
  systemd-tmpfiles-setup-dev.service systemd-udev-trigger.service systemd-udevd-control.socket systemd-udevd-kernel.socket \
  systemd-udevd.service systemd-update-utmp.service; do
  ln -sf /dev/null "$units/$unit"
done
cat >"$units/agent.service" <<'END'
[Unit]
DefaultDependencies=no
[Service]
ExecStart=/opt/guest/agent
KillMode=process
END
# What Debian starts for NFS.
cat >"$units/guest.target" <<'END'
[Unit]
Requires=basic.target
Wants=agent.service remote-fs.target nfs-server.service
After=basic.target remote-fs.target nfs-server.service
END

if [ "$what" = run ]; then
  hostname "$name"
  mount -t proc proc "$root/proc"
  for part in dev run tmp; do mount -t tmpfs "$part" "$root/$part"; done
  for device in null urandom; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" sh -c "$6"
fi

# Its memory: a small /dev/shm is not enough.
memory=$dir/memory-$name
mkdir -p "$memory"
mount -t tmpfs -o mode=1777 memory "$memory"
export TMPDIR="$memory" HOME=/root
exec "$root/usr/bin/linux.uml" mem=768M umid="$name" uml_dir="$memory" ubd0="$disk.ext4" \
  root=/dev/root rootfstype=hostfs rootflags="$root" rw "eth0=tuntap,$name-eth0,02:00:00:00:01:1$number" \
  con=null con0=null,fd:2 ssl=null ssl0=fd:0,fd:1 quiet loglevel=4 \
  init=/opt/guest/init "guest_share=$dir/shares/$name" "guest_address=192.168.1.1$number/24" "guest_name=$name" \
  systemd.show_status=1 systemd.unit=guest.target
