#!/bin/sh
# build.sh IMAGE FOLDER IN-HOSTS REQUIREMENT...: makes FOLDER, a Python environment with a real Plone, as the hosts see it at
# IN-HOSTS. Made by the hosts' own Python, so it runs on the image, which is not changed. Run by environment.ts, as root, in
# namespaces of its own.
#
# Invariant: FOLDER appears complete or not at all; this machine's root is not written.
set -eu
image=$1 folder=$2 in_hosts=$3
shift 3
[ ! -e "$folder" ] || exit 0
building=$folder.building
rm -rf "$building"
mkdir -p "$building/mounts" "$building/environment"
mount --make-rprivate /
mount -t proc proc /proc

# No upper layer: only what is mounted can be written.
mounts=$building/mounts
mount -t tmpfs tmpfs "$mounts"
mkdir -p "$mounts/image" "$mounts/points$in_hosts" "$mounts/root"
mount -o loop,ro "$image" "$mounts/image"
root=$mounts/root
mount -t overlay overlay -o "lowerdir=$mounts/points:$mounts/image/upper:/" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
mount --bind "$building/environment" "$root$in_hosts"

inside() {
  chroot "$root" env -u TMPDIR HOME=/root LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}
inside /usr/bin/python3 -m venv "$in_hosts"
inside "$in_hosts/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-cache-dir "$@"
inside chmod -R a+rX "$in_hosts"

mv "$building/environment" "$folder"
