#!/bin/bash
# The first process of a node's namespaces: gives them a root directory of their own, then reaps what is orphaned there.
# usage: pid1.sh RUN_DIRECTORY HOST_NAME WRITABLE_DIRECTORY... -- READ_ONLY_DIRECTORY...
# The node sees the host's files read-only and writes only to memory (/run, /tmp), to RUN_DIRECTORY/var (as /var) and to
# the writable directories, all mounted at the path that they have on the host.
set -euo pipefail
run=$1 name=$2
shift 2

root=$run/root
mkdir -p "$root" "$run"/var/{lib,log,tmp}
ln -sfn /run "$run/var/run"
mount -t tmpfs -o mode=755 node "$root"
# Else the copy of the directory above it would hold a copy of it.
mount --make-unbindable "$root"
for entry in /*; do
  if [ -L "$entry" ]; then
    cp -P "$entry" "$root$entry"
  elif [ -d "$entry" ]; then
    mkdir "$root$entry"
    case $entry in
    /proc) mount -t proc proc "$root/proc" ;;
    /run) mount -t tmpfs -o mode=755 run "$root/run" ;;
    /tmp) mount -t tmpfs -o mode=1777 tmp "$root/tmp" ;;
    /var) mount --bind "$run/var" "$root/var" ;;
    /dev | /sys) mount --rbind "$entry" "$root$entry" ;;
    *)
      mount --rbind "$entry" "$root$entry"
      mount -o remount,bind,ro "$root$entry"
      ;;
    esac
  fi
done

options=bind
for directory in "$@"; do
  if [ "$directory" = -- ]; then
    options=bind,ro
    continue
  fi
  mkdir -p "$root$directory"
  mount -o "$options" "$directory" "$root$directory"
done

# kubelet sets these for the whole kernel unless they are already so: it gets files that say they are.
mkdir -p "$run/sysctl"
while read -r key value; do
  echo "$value" >"$run/sysctl/${key//\//.}"
  mount --bind "$run/sysctl/${key//\//.}" "$root/proc/sys/$key"
done <<'SYSCTL'
vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000
SYSCTL

mkdir "$root/.host"
cd "$root"
pivot_root . .host
umount -l /.host
rmdir /.host
mount --make-rshared /
echo "$name" >/proc/sys/kernel/hostname
ip link set lo up
touch "$run/pid1-ready"

# bash reaps every child that it waits beside, also those that it did not start.
while :; do
  sleep infinity &
  wait "$!" || true
done
