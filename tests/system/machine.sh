#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs a command on a machine of its own, as far as a machine can be had without one: this machine's files with
# everything that is written kept apart (overlayfs over a tmpfs), and its own mounts, network, host name and processes. So
# /usr, /etc/privlink, /var/lib/privlink and /run are what an installation finds, and when the command ends nothing of it is
# left: no process, no pin, no file. There is no init: `systemctl` starts and stops units by what stands in them (systemctl).
#
#   machine.sh COMMAND [ARGUMENT]...        ends with the command's status; 77: this kernel cannot do it
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_dir=$(cd "$here/../.." && pwd)

if [ "${1-}" != --inside ]; then
	[ "$(id -u)" = 0 ] || { echo "machine.sh: needs root" >&2; exit 77; }
	exec unshare --mount --propagation private --uts --net --ipc --pid --fork --kill-child \
		"${BASH_SOURCE[0]}" --inside "$@"
fi
shift

# The mount point is covered by the tmpfs, which goes with us.
top=/mnt
mount -t tmpfs -o mode=755,size=3g machine $top
root=$top/root
mkdir $root

layer() { # DIRECTORY: this machine's, with a layer of our own above it
	local place=$top/layers/${1//\//_}
	mkdir -p "$place/up" "$place/work" "$root$1"
	mount -t overlay overlay -o "lowerdir=$1/,upperdir=$place/up,workdir=$place/work" "$root$1"
}
layer "" 2>/dev/null || { echo "machine.sh: this kernel has no overlayfs for that" >&2; exit 77; }
mount -t tmpfs -o mode=755 run $root/run
mount -t tmpfs -o mode=1777 tmp $root/tmp
for directory in /usr /etc /var /root /home "$source_dir"; do
	# The tmpfs hides sources that are below /tmp.
	if [ "$(stat -c %d "$directory")" != "$(stat -c %d /)" ] || [ ! -d "$root$directory" ]; then layer "$directory"; fi
done

mount -t proc proc $root/proc
mount -t sysfs sysfs $root/sys
mount -t bpf bpf $root/sys/fs/bpf
mount --rbind /dev $root/dev
mkdir -p $root/run/lock
# What was compiled before need not be compiled again.
cache=${CCACHE_DIR:-$HOME/.cache/ccache}
if [ -d "$cache" ]; then
	mkdir -p "$root$cache"
	mount --bind "$cache" "$root$cache"
fi
install -m 755 "$here/systemctl" $root/usr/local/sbin/systemctl
install -m 755 "$here/systemctl" $root/usr/local/sbin/journalctl
# What other privlinks of this machine keep there comes and goes, and would be seen through the layer.
mkdir -p $root/etc/netns
mount -t tmpfs -o mode=755 lib $root/var/lib
mount -t tmpfs -o mode=755 netns $root/etc/netns
rm -rf "${root:?}/etc/privlink"
mkdir -p $root/mnt/old
cd $root
pivot_root . mnt/old
umount -l /mnt/old
hostname machine
ip link set lo up
cd "$source_dir"
export PATH=/usr/local/sbin:$PATH
# Not exec: the first process of a namespace has no default for signals, and takes up orphans.
"$@"
