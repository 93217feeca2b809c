#!/bin/sh
# The host itself: its user, directories, links, modules of Apache, units of systemd. Sourced by install.sh.
#
# Invariant: each of them is looked up before it is changed, so that a second run changes nothing; and the command is shown before it
# is run.
#
# shellcheck disable=SC2154 # set by the other parts
set -u

# run COMMAND...: shows it, and runs it unless this is a dry run. With --root it is only shown: it is for a host that runs.
run() {
  printf '%-8s %s\n' run "$*"
  if [ -z "$root" ]; then
    changed=$((changed + 1))
    [ -n "$dry_run" ] || "$@" >&2 || fail "this has failed: $*"
  fi
}

# In a directory of its own there is no system to ask.
here() {
  [ -z "$root" ] && "$@" >/dev/null 2>&1
}

make_user() {
  [ -z "$root" ] || return 0
  here id -u "$zeo_user" || run useradd --system --user-group --create-home --shell /usr/sbin/nologin "$zeo_user"
}

# make_directory MODE PATH
make_directory() {
  if [ -d "$root$2" ] && [ "$(stat -c %a "$root$2")" = "$1" ]; then return; fi
  # A directory with something mounted on it is somebody else's.
  if here mountpoint -q "$2"; then return; fi
  changed=$((changed + 1))
  printf '%-8s %s (root, %s)\n' dir "$2" "$1"
  [ -n "$dry_run" ] || { mkdir -p "$root$2" && chmod "$1" "$root$2"; } || fail "cannot make $root$2"
}

# make_link TO PATH
make_link() {
  [ "$(readlink "$root$2")" != "$1" ] || return 0
  changed=$((changed + 1))
  printf '%-8s %s -> %s\n' link "$2" "$1"
  [ -z "$dry_run" ] || return 0
  mkdir -p "$(dirname "$root$2")"
  if [ -e "$root$2" ]; then keep "$2"; fi
  ln -sfn "$1" "$root$2" || fail "cannot make $root$2"
}

enable_modules() {
  for each; do
    here a2query -q -m "$each" || run a2enmod -q "$each"
  done
}

enable_site() {
  here a2query -q -s "$1" || run a2ensite -q "$1"
}

enable_units() {
  for each; do
    here systemctl is-enabled --quiet "$each" || run systemctl enable --quiet "$each"
  done
}

# Those that are there. Which programs of a cluster start with the host is not left to their packages.
disable_units() {
  for each; do
    if here systemctl is-enabled --quiet "$each"; then run systemctl disable --quiet "$each"; fi
  done
}
