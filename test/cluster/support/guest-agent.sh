#!/bin/sh
# Runs in a guest (see guest.sh) what guest.ts asks for: for each line N of the serial line the shell text /run/share/N.in; then N.out has
# what it has printed, and the serial line N and its exit status. So it needs no network.
exec </dev/ttyS0 >/dev/ttyS0
stty raw -echo
echo up
while read -r job; do
  {
    setsid --wait sh "/run/share/$job.in" >"/run/share/$job.out" 2>&1 </dev/null
    echo "$job $?"
  } &
done
