#!/bin/sh
# The values of the configuration, and what follows from them. Sourced by install.sh.
#
# Invariant: no value that is written into another program's file has a character that means anything there.
#
# shellcheck disable=SC2034,SC2154 # set by `syncpozo config shell`, or used by the other parts
set -u

# Sets them all for $host; ends the program where the configuration does not fit.
read_values() {
  command -v "${SYNCPOZO:=syncpozo}" >/dev/null || refuse "there is no program $SYNCPOZO" \
    'hint: docs/install.md; SYNCPOZO names it where it is not in PATH'
  text=$("$SYNCPOZO" config shell --config "$configuration" --host "$host") || exit "$USAGE"
  eval "$text"
  if [ -n "$manager" ] && [ "$manager" != "$cluster_manager" ]; then
    refuse "--manager is $manager, and cluster.manager in $configuration is $cluster_manager" \
      "hint: the scripts of the cluster read it there: change it in $configuration"
  fi
  first=${cluster_hosts%% *}
  if [ "$first" = "$syncpozo_host" ]; then
    second=$syncpozo_peer
    first_address=$host_address first_heartbeat=$host_heartbeat
    second_address=$peer_address second_heartbeat=$peer_heartbeat
  else
    second=$syncpozo_host
    first_address=$peer_address first_heartbeat=$peer_heartbeat
    second_address=$host_address second_heartbeat=$host_heartbeat
  fi
  zeo_group=$(id -gn "$zeo_user" 2>/dev/null) || zeo_group=$zeo_user
  advert=$(awk "BEGIN { printf \"%g\", $deadtime / 4 }")
  initdead=$((deadtime * 2))
  [ "$initdead" -ge 10 ] || initdead=10
  read_directories
}

# Of this host: data_dirs, with blanks between, and the root that they have in common. Of the other one, as it is mounted here:
# peer_root.
read_directories() {
  own=$(each_directory data blobs)
  theirs=$(each_directory peer peer_blobs)
  data_dirs=$(printf '%s\n' "$own" | sort -u | paste -s -d ' ' -)
  data_root=$(printf '%s\n' "$own" | common_directory)
  peer_root=$(printf '%s\n' "$theirs" | common_directory)
  textfile_directory=/var/lib/prometheus/node-exporter
  [ -z "$watch_textfile" ] || textfile_directory=$(dirname "$watch_textfile")
  read_program
  for value in "$data_root" "$peer_root" "$status_file" "$own" "$textfile_directory" "$syncpozo_program"; do
    case $value in
      *[!A-Za-z0-9_./+@:'
'-]*) refuse "it cannot write $value into the files of other programs" \
        "hint: for a path in $configuration it takes letters, digits and _ . / + @ : -" ;;
    esac
  done
  if [ "$mount" != none ]; then
    [ "$(printf '%s\n' "$own" | sed "s,^$data_root,$peer_root,")" = "$theirs" ] && [ "${#data_root}" -gt 1 ] ||
      refuse 'the paths of the other host are not below one directory as those of this host are; one mount cannot have them all' \
        'hint: mount them yourself, and say --mount none'
  fi
  peer_unit=$(printf %s "${peer_root#/}" | sed 's/-/\\x2d/g; s,/,-,g')
}

# Where a unit of this host finds syncpozo: npm puts it elsewhere with the Node of a Debian package. --root is for another machine.
read_program() {
  syncpozo_program=/usr/local/bin/syncpozo
  [ -z "$root" ] || return 0
  found=$(command -v "$SYNCPOZO")
  case $found in /*) syncpozo_program=$found ;; esac
}

# each_directory DATA BLOBS: of each storage the directory of its file, and that of its blobs, a line each.
each_directory() {
  for storage in $storages; do
    key=$(printf %s "$storage" | tr - _)
    eval "file=\$storage_${key}_$1 blob_directory=\$storage_${key}_$2"
    dirname "$file"
    [ -z "$blob_directory" ] || printf '%s\n' "$blob_directory"
  done
}

# The longest directory that all lines of the standard input begin with; empty: none but /.
common_directory() {
  awk -F/ '
    NR == 1 { n = NF; for (i = 1; i <= NF; i++) part[i] = $i; next }
    { for (i = 1; i <= n && i <= NF && part[i] == $i; i++) {} n = i - 1 }
    END { for (i = 2; i <= n; i++) path = path "/" part[i]; print path }'
}
