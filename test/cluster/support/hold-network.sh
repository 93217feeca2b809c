#!/bin/sh
# hold-network.sh DIR IMAGE PROJECT PATH...: the router of a cluster, process 1 of namespaces of its own: mounts the image; lays PROJECT's
# PATHs as /opt/syncpozo over it; where DIR can carry no overlay's upper layer, mounts memory for the disks of the hosts; makes the two
# bridges. Ends with its standard input, and
# so with the process of the tests, however that ends; all hosts live within and end with it. Run by network.ts, as root.
set -eu
dir=$1 image=$2 project=$3
shift 3

mount --make-rprivate /
mount -t proc proc /proc
mkdir -p "$dir/image" "$dir/disks" "$dir/product" "$dir/roots" "$dir/router"
mount -o loop,ro "$image" "$dir/image"

# In memory: a folder below / cannot be a layer over / as well.
mount -t tmpfs -o mode=755 product "$dir/product"
product=$dir/product/opt/syncpozo
umask 022
mkdir -p "$product"
tar -C "$project" -chf - "$@" | tar -C "$product" -xf - --no-same-owner
chmod -R a+rX "$product"
layers=$dir/product:$dir/image/upper:/

probe=$dir/disks/probe
mkdir -p "$probe/upper" "$probe/work" "$probe/root"
if mount -t overlay overlay -o "lowerdir=$layers,upperdir=$probe/upper,workdir=$probe/work" "$probe/root" 2>/dev/null &&
  : 2>/dev/null >"$probe/root/etc/syncpozo-probe"; then
  umount "$probe/root"
else
  umount "$probe/root" 2>/dev/null || :
  mount -t tmpfs -o mode=755 disks "$dir/disks"
fi
rm -rf "$dir/disks/probe"

# The tools of the router are those of the image: this machine need not have them.
mount -t overlay overlay -o "ro,lowerdir=$layers" "$dir/router"
mount -t proc proc "$dir/router/proc"
mount --bind /dev "$dir/router/dev"
ip() {
  chroot "$dir/router" ip "$@"
}
ip link set lo up
# A bridge without an address of its own takes one of its ports', and another one when a host boots, whose port is new: what the other host
# sends to the router is lost then, until it asks for the router's address again.
for bridge in br0:192.168.1.1/24 br1:10.0.0.1/24; do
  number=${bridge%%:*}
  ip link add "${bridge%%:*}" address "02:00:00:00:0${number#br}:01" type bridge
  ip addr add "${bridge#*:}" dev "${bridge%%:*}"
  ip link set "${bridge%%:*}" up
done
echo ready
# A child that this shell waits for: it also takes in the processes whose parents have ended.
cat >/dev/null
