#!/bin/sh
# install.sh --host NAME [OPTIONS]: puts the scripts and the files of a cluster on this host, with the values of /etc/syncpozo.yml.
#
# It shows each file and each command before it does it. install/manifest is the table of all of them.
#
# Invariants:
#  * Checks come first. Where one of them fails, nothing is changed.
#  * A second run changes nothing, and says so.
#  * It starts nothing, and stops nothing.
#
# shellcheck disable=SC2034 # its parts use what is set here
set -u
umask 022
export LC_ALL=C

FAILED=1
USAGE=2
REFUSED=3
program=install.sh
here_dir=$(dirname "$(readlink -f "$0")")
record=/var/lib/syncpozo/installed

usage() {
  cat <<'END'
usage: install.sh --host NAME [--dry-run] [--force] [--config FILE] [--manager NAME] [--mount sshfs|nfs|none] [--cron] [--root DIR]

  --host NAME      this host, as `uname -n` prints it and cluster.hosts has it
  --dry-run        show what would be done, with the differences of files that are there, and change nothing
  --force          replace files that somebody has changed; each stays as FILE.dpkg-old
  --config FILE    the configuration (default: /etc/syncpozo.yml); another one is copied there
  --manager NAME   check that cluster.manager is this: heartbeat, keepalived or pacemaker
  --mount WAY      how this host sees the other one's data: sshfs (default), nfs, or none: you mount it yourself
  --cron           sync once a minute by cron in the place of syncpozo-watch.service
  --root DIR       write the files below DIR, and show the commands only

exit status: 0 done, 1 failed, 2 usage or a mistake in the configuration, 3 refused: nothing was changed
END
}

complain() {
  printf '%s\n' "$@" | sed "1s/^/$program: /" >&2
}

fail() {
  complain "$@"
  exit "$FAILED"
}

refuse() {
  complain "$@"
  exit "$REFUSED"
}

misused() {
  complain "$1"
  usage >&2
  exit "$USAGE"
}

host='' dry_run='' force='' configuration=/etc/syncpozo.yml manager='' mount=sshfs watch=watch root=''
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) dry_run=yes ;;
    --force) force=yes ;;
    --cron) watch=cron ;;
    --host | --config | --manager | --mount | --root)
      [ $# -ge 2 ] || misused "$1 needs a value"
      case $1 in
        --host) host=$2 ;;
        --config) configuration=$2 ;;
        --manager) manager=$2 ;;
        --mount) mount=$2 ;;
        --root) root=$(readlink -m "$2") ;;
      esac
      shift
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) misused "unknown: $1" ;;
  esac
  shift
done
[ -n "$host" ] || misused '--host is missing'
case $mount in sshfs | nfs | none) ;; *) misused "--mount $mount" ;; esac

# shellcheck source=scripts/install/values.sh
. "$here_dir/install/values.sh"
# shellcheck source=scripts/install/table.sh
. "$here_dir/install/table.sh"
# shellcheck source=scripts/install/samples.sh
. "$here_dir/install/samples.sh"
# shellcheck source=scripts/install/files.sh
. "$here_dir/install/files.sh"
# shellcheck source=scripts/install/machine.sh
. "$here_dir/install/machine.sh"
# shellcheck source=scripts/install/heartbeat.sh
. "$here_dir/install/heartbeat.sh"
# shellcheck source=scripts/install/checks.sh
. "$here_dir/install/checks.sh"
# shellcheck source=scripts/install/left.sh
. "$here_dir/install/left.sh"

in_link() {
  make_link "$2" "$3"
}

check_link() {
  note_link "$2" "$3"
}

in_apache() {
  shift
  enable_modules "$@"
}

in_site() {
  enable_site "$2"
}

to_enable() {
  shift
  enable_units "$@"
  units="$units $*"
}

to_disable() {
  shift
  disable_units "$@"
}

stage=$(mktemp -d) || exit "$FAILED"
trap 'rm -rf "$stage"' EXIT
trap 'exit 130' INT TERM
files=0 changed=0 unchanged=0 missing='' packages='' theirs_changed='' units=''

read_values
write_sed_script >"$stage/sed"
read_table
check_host
check_programs
stage_files
each_file note_unfit
each_file note_changed
each_line link check_link
check_changed

make_user
each_line dir make_directory
each_file place
each_line link in_link
if [ "$cluster_manager" = heartbeat ]; then
  make_authkeys
  correct_messages
fi
[ "$mount" != sshfs ] || make_ssh_key
if [ "$changed" -gt 0 ] && [ -z "$root$dry_run" ]; then systemctl daemon-reload; fi
each_line module in_apache
each_line site in_site
each_line enable to_enable
each_line disable to_disable
note_prepare
note_ping
if [ "$cluster_manager" = pacemaker ] && [ "$changed" -gt 0 ]; then note_pacemaker; fi
note_start
[ "$changed" -eq 0 ] || make_durable

if [ "$changed" -eq 0 ]; then
  echo "nothing to do: all $unchanged files of $host are as they should be"
elif [ -n "$dry_run" ]; then
  echo "dry run: nothing was changed; $changed steps, $unchanged files are as they should be"
else
  echo "done: $changed steps; $unchanged files were as they should be"
fi
show_left
