#!/bin/sh
# Puts one file where it belongs. Sourced by install.sh.
#
# Invariants:
#  * A file that somebody else has written or changed is never lost: without --force nothing at all is installed, with --force it
#    stays as FILE.dpkg-old, or FILE.1.dpkg-old and so on: names that logrotate, cron and the like pass over.
#  * A file is complete or as it was, also after a power cut: it is written beside its place, synced and renamed. What is kept of it is
#    on the disk before that.
#  * The record names a content only once that is on the disk. The other way round a power cut would make it look like somebody else's.
#
# shellcheck disable=SC2154 # set by the other parts
set -u

sum_of() {
  sha256sum <"$1" | cut -d ' ' -f 1
}

# The content that install.sh wrote there last time, as its sum.
recorded() {
  awk -v path="$1" '$2 == path { sum = $1 } END { print sum }' "$root$record" 2>/dev/null
}

# A configuration file of a Debian package that nobody has changed.
is_of_package() {
  command -v dpkg-query >/dev/null || return 1
  sum=$(md5sum <"$root$1" | cut -d ' ' -f 1)
  dpkg-query -W -f '${Conffiles}\n' 2>/dev/null | grep -qxF " $1 $sum"
}

# state TARGET STAGED MODE: new, same, mode (only the mode differs), old (install.sh's own from before), package, or changed.
state() {
  if [ ! -e "$root$1" ] && [ ! -L "$root$1" ]; then
    echo new
  elif cmp -s "$root$1" "$2"; then
    if [ "$(stat -c %a "$root$1")" = "$3" ]; then echo same; else echo mode; fi
  elif [ "$(sum_of "$root$1")" = "$(recorded "$1")" ]; then
    echo old
  elif is_of_package "$1"; then
    echo package
  else
    echo changed
  fi
}

# put TARGET STAGED MODE: writes it, whatever is there.
put() {
  new=$root$1.syncpozo-new
  if ! { mkdir -p "$(dirname "$root$1")" && cp "$2" "$new" && chmod "$3" "$new" && sync "$new" && mv -f "$new" "$root$1"; }; then
    fail "cannot write $root$1"
  fi
  sync "$(dirname "$root$1")"
}

# put_lines TARGET STAGED: the same for a file that is not ours: its mode and its owner stay.
put_lines() {
  new=$root$1.syncpozo-new
  if ! { cp -p "$root$1" "$new" && cat "$2" >"$new" && mv -f "$new" "$root$1"; }; then
    fail "cannot write $root$1"
  fi
}

# remember TARGET STAGED: that this content is install.sh's own.
remember() {
  mkdir -p "$(dirname "$root$record")"
  {
    awk -v path="$1" '$2 != path' "$root$record" 2>/dev/null
    printf '%s %s\n' "$(sum_of "$2")" "$1"
  } >"$stage/record"
  put "$record" "$stage/record" 644
}

# keep TARGET: copies the file that is there, over no earlier copy.
keep() {
  copy=$1.dpkg-old number=0
  while [ -e "$root$copy" ] && ! cmp -s "$root$1" "$root$copy"; do
    number=$((number + 1))
    copy=$1.$number.dpkg-old
  done
  { cp -p "$root$1" "$root$copy" && sync "$root$copy" "$(dirname "$root$copy")"; } || fail "cannot keep $root$1"
  echo "         the file that was there: $copy"
}

# show STATE TARGET MODE STAGED: the line of a file, and with --dry-run what changes in it.
show() {
  owner=root
  [ "$1" != lines ] || owner=$(stat -c %U "$root$2")
  printf '%-8s %s (%s, %s)\n' "$1" "$2" "$owner" "$3"
  if [ -n "$dry_run" ] && [ -e "$root$2" ]; then
    diff -u "$root$2" "$4" | tail -n +3 | sed 's/^/         /'
  fi
}

# place KIND MODE STAGED TARGET
place() {
  found=$(state "$4" "$3" "$2")
  case $1:$found in
    *:same)
      unchanged=$((unchanged + 1))
      return
      ;;
    start:old | start:changed | start:mode)
      offer "$@"
      return
      ;;
    block:new) ;;
    block:*) found=lines ;;
  esac
  changed=$((changed + 1))
  case $found in
    new | mode | lines) verb=$found ;;
    *) verb=replace ;;
  esac
  show "$verb" "$4" "$2" "$3"
  [ -z "$dry_run" ] || return 0
  if [ "$found" = changed ]; then keep "$4"; fi
  if [ "$found" = lines ]; then put_lines "$4" "$3"; else put "$4" "$3" "$2"; fi
  if [ "$1" != block ]; then remember "$4" "$3"; fi
  if [ "$1" = start ]; then left "read $4, and change what is yours; it is not replaced any more"; fi
}

# offer KIND MODE STAGED TARGET: a file that is the operator's own. A sample that is new since then is put beside it.
offer() {
  if [ "$(sum_of "$3")" = "$(recorded "$4")" ]; then
    unchanged=$((unchanged + 1))
    return
  fi
  changed=$((changed + 1))
  show beside "$4.dpkg-dist" "$2" "$3"
  left "compare $4, which is yours, with the new $4.dpkg-dist"
  [ -z "$dry_run" ] || return 0
  put "$4.dpkg-dist" "$3" "$2"
  remember "$4" "$3"
}

BEGIN_LINES='# These lines are written by install.sh of syncpozo'
END_LINES='# End of the lines of syncpozo'

# Whether each first line in the target has its last one: without that, nobody knows which lines are the operator's.
lines_end() {
  awk -v begin="$BEGIN_LINES" -v end="$END_LINES" '$0 == begin { if (open++) exit } $0 == end { open = 0 } END { exit open > 0 }' "$root$1"
}

# lines_in TARGET FILLED: the target with these lines in it, its other lines as they were.
lines_in() {
  if [ -e "$root$1" ]; then
    awk -v begin="$BEGIN_LINES" -v end="$END_LINES" '$0 == begin { inside = 1 } !inside; $0 == end { inside = 0 }' "$root$1"
  fi
  echo "$BEGIN_LINES"
  grep -v '^#' "$2"
  echo "$END_LINES"
}
