#!/bin/sh
# Fills in the samples: each sample value becomes that of the configuration. Sourced by install.sh.
#
# Invariants:
#  * What was filled in is not replaced again, even where it looks like another sample value: at first every sample value becomes a
#    mark, and then every mark its value.
#  * A sample value is replaced as a word only: 192.168.1.1 does not touch 192.168.1.11, nor m1 another name that begins with it.
#
# shellcheck disable=SC2154 # set by values.sh
set -u

# SAMPLE|VALUE. The longer one first where one is a part of the other.
samples() {
  cat <<END
* * * * * zope|* * * * * $zeo_user
/mnt/peer/zeo/blobs:/srv/zeo/blobs|$peer_root/blobs:$data_root/blobs
/srv/zeo/var /srv/zeo/blobs|$data_dirs
/srv/zeo/bin/zeoctl|$zeo_control
zope@peer:/srv/zeo|$zeo_user@$peer_address:$data_root
peer:/srv/zeo|$peer_address:$data_root
/srv/zeo|$data_root
/mnt/peer/zeo|$peer_root
mnt-peer-zeo|$peer_unit
User=zope|User=$zeo_user
Group=zope|Group=$zeo_group
zope zope|$zeo_user $zeo_group
cidr_netmask=24|cidr_netmask=${cluster_address#*/}
192.168.1.10/24|$cluster_address
192.168.1.10|${cluster_address%/*}
192.168.1.11|$first_address
192.168.1.12|$second_address
10.0.0.11|$first_heartbeat
10.0.0.12|$second_heartbeat
192.168.1.1|$ping_address
@m1|@${first%%.*}
@m2|@${second%%.*}
route=m1|route=${first%%.*}
route=m2|route=${second%%.*}
m1|$first
m2|$second
eth0|$cluster_interface
eth1|$heartbeat_interface
127.0.0.1:9177|$watch_listen
9177|${watch_listen##*:}
-/var/lib/prometheus/node-exporter|-$textfile_directory
/usr/local/bin/syncpozo|$syncpozo_program
8100|$zeo_port
keepalive 500ms|keepalive $((deadtime * 100))ms
warntime 2|warntime $((deadtime * 400))ms
deadtime 5|deadtime $deadtime
initdead 10|initdead $initdead
advert_int 1.25|advert_int $advert
token: 1000|token: $((deadtime > 5 ? deadtime * 200 : 1000))
END
}

# Writes the sed script that does it.
write_sed_script() {
  samples | {
    mark=0
    values=
    while IFS='|' read -r sample value; do
      mark=$((mark + 1))
      pattern=$(printf %s "$sample" | sed 's/[].*/\[^$]/\\&/g')
      text=$(printf %s "$value" | sed 's/[\/&]/\\&/g')
      # Neighbours share the character between them, so it is done again until nothing is left.
      printf ':l%s\ns/\\(^\\|[^A-Za-z0-9_.-]\\)%s\\($\\|[^A-Za-z0-9_-]\\)/\\1\001%s\002\\2/\ntl%s\n' \
        "$mark" "$pattern" "$mark" "$mark"
      values="${values}s/$(printf '\001%s\002' "$mark")/$text/g
"
    done
    printf %s "$values"
  }
}

# fill FILE: prints it with the values. Two hosts on one cable have the same address twice, which heartbeat needs once, and which
# corosync refuses. What is in the home of a user is hidden from a service with ProtectHome=yes.
fill() {
  case "
$own
$theirs
$textfile_directory" in
    *'
/home/'* | *'
/root/'* | *'
/run/user/'*) protect=read-only ;;
    *) protect=yes ;;
  esac
  sed -f "$stage/sed" "$1" | awk -v protect="$protect" '
    /^ProtectHome=/ { $0 = "ProtectHome=" protect }
    /^ucast / && seen[$0]++ { next }
    $1 == "ring0_addr:" { ring = $2 }
    $1 == "ring1_addr:" && $2 == ring { next }
    { print }'
}
