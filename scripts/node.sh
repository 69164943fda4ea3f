# SPDX-License-Identifier: Apache-2.0
# One node run by hand, without an init system: directories, the unprivileged user, certificates, both daemons with pid
# files, and taking all of it away again. Sourced by quickstart; the names of places are in doc/architecture.md.
#
# Every process that is started here carries PRIVLINK_QUICKSTART in its environment, so that a run that was killed
# before it noted a process's number leaves nothing that the next one does not find.

state=/var/lib/privlink
run=/run/privlink
mine=$state/quickstart
pins=/sys/fs/bpf/privlink
mark=PRIVLINK_QUICKSTART

# ---- what this machine can do ----

kernel_is_at_least() { # MAJOR MINOR
	local release major minor
	release=$(uname -r)
	major=${release%%.*}
	minor=${release#*.}
	minor=${minor%%[!0-9]*}
	[ "$major" -gt "$1" ] || { [ "$major" -eq "$1" ] && [ "$minor" -ge "$2" ]; }
}

# The file systems that a fresh chroot lacks; remembered, so that they go with the rest.
mount_if_absent() { # TYPE KIND PLACE, KIND as stat names it
	[ "$(stat -f -c %T "$3" 2>/dev/null)" = "$2" ] && return
	mkdir -p "$3" && mount -t "$1" "$1" "$3" && echo "$3" >>"$mine/mounts"
}

mount_file_systems() {
	grep -q ' /run/netns ' /proc/self/mounts 2>/dev/null || touch "$mine/no-netns"
	mount_if_absent proc proc /proc && mount_if_absent sysfs sysfs /sys && mount_if_absent bpf bpf_fs /sys/fs/bpf
}

unmount_file_systems() {
	local place
	# `ip netns` makes a mount of the directory of names.
	[ ! -f "$mine/no-netns" ] || [ -n "$(ls -A /run/netns 2>/dev/null)" ] ||
		{ umount /run/netns && rmdir /run/netns; } 2>/dev/null
	[ -f "$mine/mounts" ] || return 0
	while read -r place; do
		umount "$place" 2>/dev/null || umount -l "$place" 2>/dev/null
	done < <(tac "$mine/mounts")
}

# ---- processes ----

# Namespaces of our instances: those at the other end of this node's devices, and those that the walk noted. (Others may
# be there, of a node in a namespace of its own.)
our_instances() {
	{
		ip -o link show type veth 2>/dev/null | awk '$2 ~ /^pl[0-9a-f]+@/' | grep -o 'link-netns i-[a-z0-9]*' | cut -d ' ' -f 2
		cat "$mine/instances" 2>/dev/null
	} | sort -u
}

# Numbers are used again: a process is ours if its environment says so, or if it lives in one of our instances.
is_ours() { # PID
	grep -qzx "$mark=1" "/proc/$1/environ" 2>/dev/null
}

our_processes() {
	local dir pid
	for dir in /proc/[0-9]*; do
		pid=${dir#/proc/}
		[ "$pid" != $$ ] && is_ours "$pid" && echo "$pid"
	done
	our_instances | while read -r dir; do
		[ -e "/run/netns/$dir" ] && ip netns pids "$dir" 2>/dev/null
	done
}

gone() { # PID...
	local pid
	for pid in "$@"; do
		[ ! -d "/proc/$pid" ] || grep -q '^State:.*Z' "/proc/$pid/status" 2>/dev/null || return 1
	done
}

stop_processes() { # PID...
	local i
	[ $# -gt 0 ] || return 0
	kill "$@" 2>/dev/null
	for i in {1..50}; do
		gone "$@" && return
		sleep 0.1
	done
	kill -9 "$@" 2>/dev/null
	sleep 0.2
}

# Starts a daemon in a session of its own, with its output in a file and its number in another.
start_daemon() { # NAME COMMAND...
	local name=$1
	shift
	env "$mark=1" setsid "$@" >>"$mine/$name.log" 2>&1 </dev/null &
	echo $! >"$run/$name.pid"
}

daemon_runs() { # NAME
	local pid
	pid=$(cat "$run/$1.pid" 2>/dev/null) && [ -d "/proc/$pid" ]
}

wait_until() { # SECONDS COMMAND...
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.1
	done
}

# ---- the node ----

make_user() {
	getent passwd privlink >/dev/null && return
	useradd --system --user-group --no-create-home --home-dir "$state" --shell /usr/sbin/nologin privlink &&
		touch "$mine/made-user"
}

# Whether what is in the state directory is somebody else's. Ours has a sign, made with the first of the things that an
# installation would have, too; before that there is only our own directory.
is_installed() {
	local pid
	[ ! -e "$mine/sign" ] && [ -n "$(find "$state" -mindepth 1 -maxdepth 1 ! -path "$mine" 2>/dev/null)" ] && return
	pid=$(cat "$run/privlinkd.pid" 2>/dev/null) && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = privlinkd ] && ! is_ours "$pid"
}

make_directories() {
	! is_installed && touch "$mine/sign" && install -d -m 755 "$state" "$mine" "$run" &&
		install -d -m 700 -o privlink -g privlink "$state/store" &&
		install -d -m 750 -o root -g privlink "$state/tls"
}

port_is_free() { # PORT
	! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

free_port() { # WANTED
	local port=$1
	until port_is_free "$port"; do
		port=$((port + 10000 < 65000 ? port + 10000 : 20000 + RANDOM))
	done
	echo "$port"
}

# ---- away with all ----

# What the agent did not remove, because it is not there any more or was stopped in the middle.
remove_leftovers() { # INSTANCE... ; pins of other nodes on this machine are theirs
	local ns node
	node=$(uname -n | sed 's/[^A-Za-z0-9_-].*//' | cut -c 1-30) # as the agent names itself
	for ns in "$@" "privlink-$node"; do
		[ ! -e "/run/netns/$ns" ] || ip netns del "$ns"
		rm -rf "/etc/netns/${ns:?}"
	done
	rm -rf "${pins:?}/${node:?}" "${run:?}"
	rmdir "$pins" /etc/netns 2>/dev/null
	return 0
}

# One that did not come as far as the sign: nothing runs, and what else is there is not ours.
forget_attempt() {
	unmount_file_systems
	[ ! -f "$mine/made-user" ] || userdel privlink 2>/dev/null
	rm -rf "$mine"
	rmdir "$state" 2>/dev/null
	return 0
}

# Everything that runs or was made here, however far it got.
take_down() { # AGENT
	local agent=$1 pids instances
	[ -d "$mine" ] || return 0
	[ -e "$mine/sign" ] || { forget_attempt; return; }
	mapfile -t instances < <(our_instances)
	mapfile -t pids < <(our_processes | sort -un)
	stop_processes "${pids[@]}"
	[ -x "$agent" ] && "$agent" --remove >>"$mine/remove.log" 2>&1
	remove_leftovers "${instances[@]}"
	unmount_file_systems
	[ ! -f "$mine/made-user" ] || userdel privlink 2>/dev/null
	rm -rf "$state"
}
