# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# One node run by hand, without an init system: directories, the unprivileged user, certificates, both daemons with pid
# files. Sourced by quickstart; scripts/takedown.sh takes all of it away again. Names of places are in doc/architecture.md.

state=/var/lib/privlink
run=/run/privlink
mine=$state/quickstart
notes=$run/quickstart # a copy of what --down has to know, should the other be deleted by hand
pins=/sys/fs/bpf/privlink
user_comment='made by the quickstart of privlink'

# ---- what this machine can do ----

kernel_is_at_least() { # MAJOR MINOR
	local release major minor
	release=$(uname -r)
	major=${release%%.*}
	minor=${release#*.}
	minor=${minor%%[!0-9]*}
	[ "$major" -gt "$1" ] || { [ "$major" -eq "$1" ] && [ "$minor" -ge "$2" ]; }
}

# Writes down something that --down has to know.
note() { # FILE TEXT
	mkdir -p "$mine" "$notes" && echo "$2" >>"$mine/$1" && echo "$2" >>"$notes/$1"
}

noted() { # FILE: each line once
	cat "$mine/$1" "$notes/$1" 2>/dev/null | awk '!seen[$0]++'
}

# The file systems that a fresh chroot lacks; remembered, so that they go with the rest.
mount_if_absent() { # TYPE KIND PLACE, KIND as stat names it
	[ "$(stat -f -c %T "$3" 2>/dev/null)" = "$2" ] && return
	mkdir -p "$3" && mount -t "$1" "$1" "$3" && note mounts "$3"
}

mount_file_systems() {
	grep -q ' /run/netns ' /proc/self/mounts 2>/dev/null || note no-netns yes
	mount_if_absent proc proc /proc && mount_if_absent sysfs sysfs /sys && mount_if_absent bpf bpf_fs /sys/fs/bpf
}

# MiB that are free where a file would be.
free_mib() { # PLACE
	local place=$1
	until [ -e "$place" ]; do
		place=$(dirname "$place")
	done
	df -P -k "$place" | awk 'NR == 2 { print int($4 / 1024) }'
}

# The one reason that no program can write into its log.
full_places() {
	local place
	for place in "$state" "$run" "$build" "${TMPDIR:-/tmp}"; do
		[ "$(free_mib "$place")" -gt 0 ] || echo "No space is left on the file system of $place."
	done
}

# ---- processes ----

# Starts a daemon in a session of its own, with its output in a file and its number in another.
start_daemon() { # NAME COMMAND...
	local name=$1
	shift
	env -u "$run_mark" setsid "$@" >>"$mine/$name.log" 2>&1 </dev/null {told}>&- &
	echo $! >"$run/$name.pid"
}

pid_of() { # NAME
	local pid
	pid=$(cat "$run/$1.pid" 2>/dev/null) && [[ $pid =~ ^[1-9][0-9]*$ ]] && echo "$pid"
}

daemon_runs() { # NAME
	local pid
	pid=$(pid_of "$1") && runs "$pid"
}

# ---- the node ----

# Named apart from what an installation is called on this host, so that its marks in the kernel tell it from one.
node_name() {
	local host
	host=$(uname -n | sed 's/[^A-Za-z0-9_-].*//')
	echo "quickstart-${host:-host}" | cut -c 1-30
}

make_user() {
	getent passwd privlink >/dev/null && return
	useradd --system --user-group --no-create-home --home-dir "$state" --shell /usr/sbin/nologin \
		--comment "$user_comment" privlink
}

# A daemon that runs and is none of ours.
foreign_daemon() { # NAME PIDFILE, without .pid
	local pid
	pid=$(pid_of "$2") && runs "$pid" && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ] &&
		! grep -qszxF "$mark=1" "/proc/$pid/environ"
}

# Whether what is in the state directory is ours. It has a sign, made with the first of the things that an installation
# would have, too; before that there is only our own directory. If the signs were deleted by hand, our daemons still tell.
is_ours() {
	has_sign || [ -n "$(our_processes)" ]
}

has_sign() {
	[ -e "$mine/sign" ] || [ -e "$notes/sign" ]
}

is_installed() {
	! is_ours && [ -n "$(find "$state" -mindepth 1 -maxdepth 1 ! -path "$mine" 2>/dev/null)" ] && return
	foreign_daemon privlinkd privlinkd || foreign_daemon privlink-agent agent
}

make_directories() {
	! is_installed && note node "$(node_name)" && note sign "$here" && install -d -m 755 "$state" "$mine" "$run" &&
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
