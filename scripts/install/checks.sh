#!/bin/sh
# What has to be so before anything is changed. Sourced by install.sh.
#
# shellcheck disable=SC2154 # set by the other parts
set -u

check_host() {
  [ -z "$root" ] || return 0
  if [ "$(id -u)" -ne 0 ] && [ -z "$dry_run" ]; then
    refuse 'it writes files of root' 'hint: run it as root; --dry-run shows what it would do'
  fi
  if [ "$(uname -n)" != "$host" ]; then
    if [ -n "$dry_run" ]; then
      echo "note     this is $(uname -n): what would be done on $host is compared with the files of this machine"
    else
      refuse "this host is $(uname -n), not $host" 'hint: run it on both hosts, each time with the name of that host; --dry-run works anywhere'
    fi
  fi
}

# Programs that are missing, and the line that installs them.
check_programs() {
  [ -z "$root" ] || return 0
  each_line program need_program
  if [ -n "$packages" ]; then
    packages=$(printf '%s' "$packages" | sort -u | paste -s -d ' ' -)
    if [ -z "$dry_run" ]; then
      refuse "programs are missing:$missing" "hint: apt-get install $packages"
    fi
    echo "note     programs are missing:$missing"
    echo "note     apt-get install $packages"
  fi
}

# need_program MODE PROGRAM PACKAGE
need_program() {
  command -v "$2" >/dev/null 2>&1 && return
  missing="$missing $2"
  packages="$packages$3
"
}

# Files that somebody has changed since install.sh wrote them, or has written. Nothing is installed beside them without --force.
check_changed() {
  [ -n "$theirs_changed" ] || return 0
  if [ -n "$dry_run" ] || [ -n "$force" ]; then return 0; fi
  printf '%s: not written by this program, or changed since:\n' "$program" >&2
  for each in $theirs_changed; do printf '  %s\n' "$each" >&2; done
  refuse 'nothing was changed' \
    'hint: --dry-run shows the differences; --force replaces these files, and keeps each as FILE.dpkg-old'
}

# note_unfit KIND MODE STAGED TARGET: refuses where no file can be put without harm.
note_unfit() {
  if [ -e "$root$4" ] || [ -L "$root$4" ]; then
    [ -f "$root$4" ] ||
      refuse "$4 is there, and no file: a directory, or a symbolic link to nothing; nothing was changed" 'hint: move it away'
    [ "$1" != block ] || lines_end "$4" || refuse \
      "$4 has the line '$BEGIN_LINES', and after it no line '$END_LINES'; nothing was changed" \
      'hint: remove the lines of syncpozo there, with their first one; this program writes them again'
  fi
}

# note_link TO PATH
note_link() {
  if [ -e "$root$2" ] && [ "$(readlink "$root$2")" != "$1" ]; then theirs_changed="$theirs_changed $2"; fi
}

note_changed() {
  case $1 in block | start) return ;; esac
  if [ "$(state "$4" "$3" "$2")" = changed ]; then theirs_changed="$theirs_changed $4"; fi
}
