#!/bin/sh
# The table of what is installed, install/manifest, and the content of its files. Sourced by install.sh.
#
# shellcheck disable=SC2154 # set by the other parts
set -u

# Sample values of the table are replaced as well.
read_table() {
  fill "$here_dir/install/manifest" >"$stage/manifest"
}

# each_line KINDS COMMAND: calls it for each line of the manifest of one of these kinds, with its fields.
each_line() {
  kinds=" $1 "
  call=$2
  while read -r for kind fields <&3; do
    case $for in
      all | "$cluster_manager" | "$mount" | "$watch") ;;
      *) continue ;;
    esac
    case $kinds in *" $kind "*) ;; *) continue ;; esac
    # shellcheck disable=SC2086 # the fields are words
    set -f && set -- $fields && set +f
    "$call" "$@"
  done 3<"$stage/manifest"
}

# Makes the content that each file will have, and an index of them: KIND MODE CONTENT PLACE.
stage_files() {
  : >"$stage/index"
  for kind_of_file in copy fill start block; do
    each_line "$kind_of_file" stage_line
  done
}

# stage_line MODE SOURCE TARGET
stage_line() {
  if [ "$2" = @configuration ]; then
    [ "$configuration" -ef "$root$3" ] || stage_file "$1" "$configuration" "$3"
    return
  fi
  for source in "$here_dir"/$2; do
    mode=$1
    if [ "$mode" = x ]; then
      if [ -x "$source" ]; then mode=755; else mode=644; fi
    fi
    case $3 in
      */) stage_file "$mode" "$source" "$3${source##*/}" ;;
      *) stage_file "$mode" "$source" "$3" ;;
    esac
  done
}

# stage_file MODE SOURCE TARGET
stage_file() {
  [ -r "$2" ] || fail "cannot read $2, which install/manifest names"
  files=$((files + 1))
  its_mode=$1
  case $kind_of_file in
    copy) cp "$2" "$stage/$files" ;;
    block)
      fill "$2" >"$stage/lines"
      lines_in "$3" "$stage/lines" >"$stage/$files"
      [ ! -e "$root$3" ] || its_mode=$(stat -c %a "$root$3")
      ;;
    *) fill "$2" >"$stage/$files" ;;
  esac
  printf '%s %s %s %s\n' "$kind_of_file" "$its_mode" "$stage/$files" "$3" >>"$stage/index"
}

# each_file COMMAND: calls it for each file, with its line of the index.
each_file() {
  while read -r kind mode staged target <&3; do
    "$1" "$kind" "$mode" "$staged" "$target"
  done 3<"$stage/index"
}
