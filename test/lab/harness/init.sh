#!/bin/sh
# The first steps of a lab host, already in its own namespaces: its own /proc, /sys, cgroup tree, /etc, /var/lib and /run,
# and its disks where a host has them. Then it is the host's first process. init.sh FOLDER NAME HIERARCHY…
set -e
folder=$1
name=$2
shift 2
hostname "$name"
mount -t proc proc /proc
# A cgroup tree of its own: below the host's cgroup, which is the top here because of the cgroup namespace.
mount -t tmpfs -o mode=755 cgroup "$folder/cgroup"
for hierarchy in "$@"; do
  mkdir "$folder/cgroup/$hierarchy"
  case $hierarchy in
    unified) mount -t cgroup2 cgroup2 "$folder/cgroup/$hierarchy" ;;
    systemd) mount -t cgroup -o none,name=systemd cgroup "$folder/cgroup/$hierarchy" ;;
    *) mount -t cgroup -o "$hierarchy" cgroup "$folder/cgroup/$hierarchy" ;;
  esac
done
umount -l /sys
mount -t sysfs sysfs /sys
mount --move "$folder/cgroup" /sys/fs/cgroup
# What programs write to /etc and /var/lib stays on the host's own disk.
for at in etc var/lib; do
  mkdir -p "$folder/root/$at" "$folder/work/$at"
  mount -t overlay overlay -o "lowerdir=/$at,upperdir=$folder/root/$at,workdir=$folder/work/$at" "/$at"
done
cp "$folder/machine-id" /etc/machine-id
echo "$name" > /etc/hostname
cp "$folder/hosts" /etc/hosts
rm -rf /etc/docker
mkdir -p /etc/docker
for disk in docker containerd styrmann etcd; do
  mkdir -p "/var/lib/$disk"
  mount --bind "$folder/disk/$disk" "/var/lib/$disk"
done
mount -t tmpfs -o mode=755 run /run
mkdir -p /run/lock
echo ready > "$folder/ready"
exec tini -- tail -f /dev/null
