# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Which packages the scripts need, and how they are installed: only what is missing, by what it is needed for and not by
# its name (a machine may have its tools from elsewhere); no service is started or enabled; the lock of another apt is
# waited for. Sourced by quickstart and check.
#
# A need is "kind:what=package": a command, a library by its pkg-config name, a header, a file, or a flag that clang can build a
# program with.

# What builds privlink and walks the mission.
needs_quickstart=(
	command:gcc=gcc header:stdio.h=libc6-dev command:meson=meson command:ninja=ninja-build command:clang=clang
	command:bpftool=bpftool command:pkg-config=pkg-config
	library:jansson=libjansson-dev library:sqlite3=libsqlite3-dev library:gnutls=libgnutls28-dev
	library:libcurl=libcurl4-gnutls-dev library:libmnl=libmnl-dev
	library:libbpf=libbpf-dev library:smartcols=libsmartcols-dev header:ldns/ldns.h=libldns-dev
	command:ip=iproute2 command:ping=iputils-ping command:curl=curl command:nginx=nginx
	file:/etc/ssl/certs/ca-certificates.crt=ca-certificates
)

# What the console is built from. Where it cannot be had, all else is built.
needs_console=(
	command:esbuild=esbuild command:node=nodejs file:/usr/share/nodejs/react/package.json=node-react
	file:/usr/share/nodejs/react-dom/package.json=node-react-dom
	file:/usr/share/nodejs/d3-shape/package.json=node-d3-shape
)

# What the tests want on top of it.
# shellcheck disable=SC2054 # the comma belongs to the flag
needs_check=(
	"${needs_quickstart[@]}" "${needs_console[@]}"
	command:npm=npm command:tsc=node-typescript command:chromium=chromium command:python3=python3 command:jq=jq
	command:openssl=openssl command:wget=wget command:nft=nftables command:ethtool=ethtool command:socat=socat
	command:dig=bind9-dnsutils command:clang-format=clang-format command:clang-tidy=clang-tidy command:shellcheck=shellcheck
	command:redis-server=redis-server command:sshd=openssh-server command:chronyd=chrony command:iperf3=iperf3
	file:/usr/lib/postgresql/15/bin/postgres=postgresql-15 command:mariadbd=mariadb-server command:haproxy=haproxy
	command:qemu-system-x86_64=qemu-system-x86 command:busybox=busybox-static command:modprobe=kmod command:cpio=cpio
	flag:-fsanitize=fuzzer,address,undefined=libclang-rt-14-dev
)

# Services that Debian enables when what is in front of "=" comes.
services=(
	command:nginx=nginx command:redis-server=redis-server command:sshd=ssh command:chronyd=chrony
	file:/usr/lib/postgresql/15/bin/postgres=postgresql command:mariadbd=mariadb command:haproxy=haproxy
)

is_met() { # KIND:WHAT
	local what=${1#*:}
	case $1 in
	command:*) [ -n "$(PATH=$PATH:/usr/sbin:/sbin type -P "$what")" ] ;;
	library:*) command -v pkg-config >/dev/null && pkg-config --exists "$what" ;;
	header:*) [ -e "/usr/include/$what" ] || [ -e "/usr/local/include/$what" ] ;;
	file:*) [ -e "$what" ] ;;
	flag:*) clang_takes "$what" ;;
	esac
}

# Only trying tells: clang itself comes without what such programs are linked with.
clang_takes() { # FLAG
	local program r
	program=$(mktemp)
	clang -x c "$1" -o "$program" - >/dev/null 2>&1 <<<'int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return d && n; }'
	r=$?
	rm -f "$program"
	return $r
}

missing_packages() { # NEED... : the packages of those that are not met, each once
	local need
	for need in "$@"; do
		is_met "${need%=*}" || echo "${need##*=}"
	done | sort -u
}

# What the console needs; nothing if it was switched off in a build directory that is there.
console_needs() { # BUILD
	grep -qsx 'console = disabled' "$1/meson-private/cmd_line.txt" || printf '%s\n' "${needs_console[@]}"
}

# While packages are configured nothing may start. A policy-rc.d of the machine's own is put aside for that time. Ours says
# what is to be done when it is over; if we are killed meanwhile, the next run does it.
policy=/usr/sbin/policy-rc.d
policy_saved=/usr/sbin/policy-rc.d.before-privlink
policy_mark='# privlink: nothing starts while packages are installed'
service_mark='# privlink: \(.*\) was not here before, and is not to be enabled'

policy_restore() {
	local service
	while read -r service; do
		disable_service "$service"
	done < <(sed -n "s/^$service_mark\$/\1/p" "$policy" 2>/dev/null)
	if [ -e "$policy_saved" ] || [ -L "$policy_saved" ]; then
		mv -f "$policy_saved" "$policy"
	elif grep -qsxF "$policy_mark" "$policy"; then
		rm -f "$policy"
	fi
}

policy_forbid() {
	local mark=$policy_mark service
	policy_restore
	if [ -e "$policy" ] || [ -L "$policy" ]; then
		mv -f "$policy" "$policy_saved"
	fi
	for service in "${services[@]}"; do
		is_met "${service%=*}" || mark+=$'\n'${service_mark/'\(.*\)'/${service##*=}}
	done
	printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy"
	chmod 755 "$policy"
}

# One run at a time; the lock is on the directory, so that no file is left over.
packages_lock() {
	exec {packages_fd}<"${policy%/*}"
	flock -n "$packages_fd" && return
	echo "    waiting for another run that installs packages"
	flock "$packages_fd"
}

packages_unlock() {
	exec {packages_fd}<&-
}

# After a run that was killed.
packages_recover() {
	packages_lock
	policy_restore
	packages_unlock
}

# Debian enables a service when its package is installed. What this run brought is disabled again.
disable_service() { # NAME
	command -v deb-systemd-helper >/dev/null && deb-systemd-helper disable "$1.service" >/dev/null 2>&1
	command -v update-rc.d >/dev/null && update-rc.d "$1" disable >/dev/null 2>&1
	return 0
}

# apt waits for dpkg's lock by itself; for the lock of the lists it does not.
apt_update() {
	local log tries
	log=$(mktemp)
	for tries in {1..60}; do
		if apt-get -q update >"$log" 2>&1; then
			rm -f "$log"
			return 0
		fi
		grep -q 'Could not get lock\|Unable to lock' "$log" || break
		[ "$tries" = 1 ] && echo "    waiting for another apt"
		sleep 5
	done
	tail -n 5 "$log" >&2
	rm -f "$log"
	return 1
}

# It has the lock, too: should we be killed, the next run waits for it. (apt closes it for what it starts.)
apt_install() { # LOG PACKAGE...
	local log=$1
	shift
	DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -q -y --no-install-recommends \
		-o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
		install "$@" >"$log" 2>&1 </dev/null
}

# With nothing started or enabled; a signal that ends us leaves no policy behind, and is then whoever's it was before.
apt_install_quietly() { # LOG PACKAGE...
	local r signal before
	packages_lock
	before=$(trap -p HUP INT TERM)
	for signal in HUP INT TERM; do
		# shellcheck disable=SC2064
		trap "policy_restore; packages_signals; kill -$signal \$BASHPID" "$signal"
	done
	policy_forbid
	apt_install "$@"
	r=$?
	policy_restore
	packages_signals
	packages_unlock
	return $r
}

# As they were when apt_install_quietly was called.
packages_signals() {
	trap - HUP INT TERM
	eval "$before"
}

# Installs what is missing of the needs, and of those behind "--" if apt can do that without removing anything. Prints what it
# does; fails with the reason if one in front of "--" is not met then.
packages_install() { # NEED... [-- NEED...]
	local needs=() missing all log r=0
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		needs+=("$1")
		shift
	done
	mapfile -t missing < <(missing_packages "${needs[@]}")
	mapfile -t all < <(missing_packages "${needs[@]}" "${@:2}")
	[ ${#all[@]} -gt 0 ] || return 0
	if ! command -v apt-get >/dev/null; then
		[ ${#missing[@]} -gt 0 ] || return 0
		echo "missing, and there is no apt-get to install it: ${missing[*]}" >&2
		return 1
	fi
	echo "    installing ${all[*]}"
	apt_update || return $((${#missing[@]} > 0))
	log=$(mktemp)
	if [ ${#all[@]} = ${#missing[@]} ] || ! apt_install_quietly "$log" --no-remove "${all[@]}"; then
		[ ${#missing[@]} = 0 ] || apt_install_quietly "$log" "${missing[@]}" || r=1
	fi
	[ $r = 0 ] || tail -n 20 "$log" >&2
	rm -f "$log"
	[ $r = 0 ] || return 1
	mapfile -t missing < <(missing_packages "${needs[@]}")
	if [ ${#missing[@]} -gt 0 ]; then
		echo "still missing after the installation: ${missing[*]}" >&2
		return 1
	fi
}
