# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Processes of a run, also of one that was killed: found by what their environment says, told from others that have their
# numbers now, and ended. Sourced by quickstart, check and the labs of the tests.

# When a process began, in ticks; fails for one that has ended, also if its parent has not asked yet how.
began() { # PID
	local stat fields
	if [ ! -e /proc/self/stat ]; then # a fresh chroot
		kill -0 "$1" 2>/dev/null && echo -
		return
	fi
	{ stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
	[ -n "$stat" ] || return 1 # it ended between the opening of its file and the reading
	read -ra fields <<<"${stat##*) }"
	[[ ${fields[0]} != [ZXx] ]] && echo "${fields[19]}"
}

runs() { # PID
	began "$1" >/dev/null
}

ended() { # PID
	! runs "$1"
}

# Whose environment says so. (Processes that another container shows us are none of ours.)
marked_processes() { # NAME=VALUE
	local path
	while read -r path; do
		path=${path%/environ}
		[ "$(readlink "$path/ns/pid")" != "$(readlink /proc/self/ns/pid)" ] || echo "${path#/proc/}"
	done < <(grep -lszxF -- "$1" /proc/[0-9]*/environ)
}

wait_until() { # SECONDS COMMAND...
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.1
	done
}

stop_processes() { # PID...
	[ $# -gt 0 ] || return 0
	kill "$@" 2>/dev/null
	wait_until 5 all_ended "$@" && return
	kill -9 "$@" 2>/dev/null
	wait_until 5 all_ended "$@"
}

all_ended() { # PID...
	local pid
	for pid in "$@"; do
		! runs "$pid" || return 1
	done
}
