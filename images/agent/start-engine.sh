#!/bin/sh
# Starts this container's own Docker Engine and loads the decoys' images once.
set -eu
log=/var/log/dockerd.log

# Without --privileged these are read-only; the engine writes to them for its own containers.
while read -r _ place type _; do
  case $type in sysfs | cgroup | cgroup2) mount -o remount,bind,rw "$place" 2> /dev/null || : ;; esac
done < /proc/mounts

# On cgroup v2 the root group may hold no processes while it hands controllers down.
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  mkdir -p /sys/fs/cgroup/init
  xargs -rn1 < /sys/fs/cgroup/cgroup.procs > /sys/fs/cgroup/init/cgroup.procs 2>/dev/null || :
  sed 's/ / +/g;s/^/+/' < /sys/fs/cgroup/cgroup.controllers > /sys/fs/cgroup/cgroup.subtree_control 2>/dev/null || :
fi

# A container that was killed leaves its engine's pid files behind.
rm -f /run/docker.pid /var/run/docker.pid /run/docker/containerd/containerd.pid
dockerd --bridge none --iptables=false --ip-forward=false --ip-masq=false >> "$log" 2>&1 &

tries=0
until docker info > /dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -ge 300 ]; then
    echo "the Docker Engine did not start within 60 s:" >&2
    tail -n 15 "$log" >&2
    exit 1
  fi
  sleep 0.2
done

for list in /marshlight/images/*.list; do
  [ -f "$list" ] || continue
  missing=no
  while read -r tag id; do
    [ "$(docker image inspect -f '{{.Id}}' "$tag" 2> /dev/null)" = "$id" ] || missing=yes
  done < "$list"
  [ "$missing" = no ] || docker load -q -i "${list%.list}.tar"
done
