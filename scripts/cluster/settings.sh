#!/bin/sh
# The settings, part of cluster.sh: what `syncpozo config shell` prints of /etc/syncpozo.yml, for this host.
#
# Invariants:
#  * The copy in /var/lib/syncpozo/cluster.settings is complete, and those that were used are there after a power cut. Its first line names the content
#    of the configuration that it was made from, and not its time: a file that was copied may be older than the copy.
#  * While that is the same, node is not started. When syncpozo fails, the copy is used, and a message names the reason.
#
# shellcheck disable=SC2034 # the scripts use what is set here
set -u

# A daemon asks for the settings every few seconds: what is added to PATH must not add up.
given_path=${PATH:-}
state_dir=${SYNCPOZO_STATE:-/var/lib/syncpozo}
run_dir=${SYNCPOZO_RUN:-/run/syncpozo}

# Sets all of them; fails with NOT_CONFIGURED. `settings_used`: the copy that has them, if there is one.
settings() {
  PATH=$given_path
  defaults=${SYNCPOZO_DEFAULTS:-/etc/default/syncpozo}
  if [ -r "$defaults" ]; then
    # shellcheck source=/dev/null
    . "$defaults"
  fi
  # Heartbeat and keepalived give a short one.
  PATH=${PATH:+$PATH:}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  export PATH
  SYNCPOZO=${SYNCPOZO:-syncpozo}
  configuration=${SYNCPOZO_CONFIG:-/etc/syncpozo.yml}
  export SYNCPOZO_CONFIG="$configuration"
  unset_settings
  settings_used=
  if [ -n "${SYNCPOZO_SETTINGS:-}" ]; then
    if [ ! -r "$SYNCPOZO_SETTINGS" ]; then
      say "cannot read the settings in $SYNCPOZO_SETTINGS"
      return "$NOT_CONFIGURED"
    fi
    # shellcheck source=/dev/null
    . "$SYNCPOZO_SETTINGS"
  else
    settings_of_configuration || return "$NOT_CONFIGURED"
  fi
  check_settings || return "$NOT_CONFIGURED"
}

unset_settings() {
  syncpozo_host='' syncpozo_peer='' host_address='' peer_address='' host_heartbeat='' peer_heartbeat=''
  cluster_address='' cluster_interface='' heartbeat_interface='' cluster_manager=heartbeat
  deadtime=5 ping_address='' max_age=3600 status_file='' watch_listen='' watch_textfile=''
  zeo_control='' zeo_port=8100 zeo_user='' zeo_start_wait=300 zeo_stop_wait=60 promote_wait=20
  storages='' data_files='' clients_restart='' clients_caches='' clients_after_loss=yes web_check='' web_service=''
}

settings_of_configuration() {
  saved=$state_dir/cluster.settings
  { read -r name; } 2>/dev/null </proc/sys/kernel/hostname || name=$(uname -n)
  stamp="# $(cksum 2>/dev/null <"$configuration") $name"
  if { IFS= read -r first_line; } 2>/dev/null <"$saved" && [ "$first_line" = "$stamp" ]; then
    settings_used=$saved
    # shellcheck source=/dev/null
    . "$saved"
    return 0
  fi
  # Only its standard output is evaluated: node may print warnings.
  text=$(timeout -k 2 20 "$SYNCPOZO" config shell 2>/dev/null)
  answer=$?
  if [ "$answer" -eq 0 ] && eval "$text" && [ -n "$storages" ]; then
    save_settings
    settings_problem=
    return 0
  fi
  case $answer in
    124 | 137) text='it has not ended after 20 s' ;;
    *) text=$(timeout -k 2 20 "$SYNCPOZO" config shell 2>&1 >/dev/null) ;;
  esac
  if [ ! -r "$saved" ]; then
    printf '%s\n' "$text" | say_lines ''
    say "'$SYNCPOZO config shell' has failed, and there are no settings from before"
    say "hint: '$SYNCPOZO config check' reports the mistakes in $configuration"
    return 1
  fi
  # A daemon comes here every few seconds.
  if [ "$text" != "${settings_problem:-}" ]; then
    settings_problem=$text
    say "'$SYNCPOZO config shell' has failed: $(printf '%s\n' "$text" | head -n 1)"
    say "going on with the last good settings, $saved. hint: '$SYNCPOZO config check' reports the mistakes in $configuration"
  fi
  settings_used=$saved
  # shellcheck source=/dev/null
  . "$saved"
}

# A copy that cannot be written is missed only by the day on which syncpozo fails.
save_settings() {
  mkdir -p "$state_dir" 2>/dev/null
  if printf '%s\n%s\n' "$stamp" "$text" | replace "$saved" 2>/dev/null; then settings_used=$saved; fi
}

check_settings() {
  for number in "$zeo_port" "$zeo_start_wait" "$zeo_stop_wait" "$promote_wait" "$deadtime" "$max_age"; do
    case $number in
      '' | *[!0-9]*)
        say "not a number in the settings: '$number'"
        return 1
        ;;
    esac
  done
  zeo_port_in_table=$(printf %04X "$zeo_port")
  if [ -z "$storages" ] || [ -z "$zeo_control" ] || ! every true; then
    say 'the settings name no storage, or no control program of ZEO'
    say "hint: 'cluster' in $configuration: see docs/cluster.md"
    return 1
  fi
}
