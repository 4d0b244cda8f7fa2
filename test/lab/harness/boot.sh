#!/bin/sh
# Goes into the cgroups and the network of a lab host that is off and becomes the command. boot.sh CGROUP NETNS COMMAND…
cgroup=$1
netns=$2
shift 2
for at in /sys/fs/cgroup/*/"$cgroup"; do echo 0 > "$at/cgroup.procs" || exit 125; done
exec nsenter --net="/run/netns/$netns" -- "$@"
