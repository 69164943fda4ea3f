#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./quickstart as a user runs it: killed in the middle, interrupted, run again, run over a running one and beside another
# one, taken down after accidents. The host must be as it was, what is another node's must stay, and what the walk promises
# must be on the screen.
#
#   quickstart.sh SOURCE     a quickstart that runs on this machine is taken down
set -u
source_dir=$1
here=$source_dir/tests/system
state=/var/lib/privlink
dir=$(mktemp -d /tmp/privlink-quickstart-XXXXXX) || exit 1
foreign=t$$x
. "$(dirname "$0")/../tap.sh" || exit 1

shows() { # PATTERN NAME
	grep -qE -- "$1" "$dir/log"
	ok $? "$2"
}

if [ "$(id -u)" != 0 ]; then
	echo "1..0 # SKIP needs root"
	exit 0
fi

walk() { # OPTION...
	"$source_dir/quickstart" --no-install "$@" >"$dir/log" 2>&1 </dev/null
}

down() { "$source_dir/quickstart" --down >"$dir/down.log" 2>&1; }

# Of a walk or a --down that failed: what its daemons have said last.
tell_logs() {
	local log
	for log in "$dir/down.log" "$state"/quickstart/*.log; do
		[ ! -s "$log" ] || { echo "# --- $log" && tail -n 20 "$log" | sed 's/^/# /'; }
	done
}

clean_up() {
	local pid
	for pid in $(cat "$dir"/*.pid 2>/dev/null); do
		kill -9 "$pid" 2>/dev/null # those that have ended are not in the files any more
	done
	down
	remove_foreign
	umount "$state" "$dir/clone/build" 2>/dev/null
	rmdir "$state" 2>/dev/null
	rm -rf "${dir:?}"
}
at_end clean_up
trap 'exit 130' INT TERM HUP

# What must not change. Devices of instances come and go while it runs, and with them lines of their own.
host_state() {
	ip -o address | awk '{ print $2, $3, $4 }' | grep -v '^pl'
	ip route show table all | grep -v 'dev pl'
	ip -6 route show table all | grep -v 'dev pl' | sed -E 's/ expires [0-9]+sec//'
	ip rule
	command -v nft >/dev/null && nft --stateless list ruleset 2>/dev/null
	sha256sum /etc/resolv.conf /etc/nsswitch.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt 2>/dev/null
	sysctl -a 2>/dev/null | grep -E '^(net|kernel\.(bpf|unpriv))' |
		grep -vE '\.pl[0-9a-f]+\.|_count =|random|dev-mdb|\.neigh\.|nf_conntrack|ip_local_port|fib_sync|tcp_mem|udp_mem'
	ls -d /etc/systemd/system/*.wants/nginx.service /etc/rc?.d/S*nginx 2>/dev/null
	ls /usr/sbin/policy-rc.d 2>/dev/null
	ss -Hltn 'sport = 80' | wc -l
}

leftovers() {
	local id
	ls -d "$state" /run/privlink /run/privlink-quickstart /sys/fs/bpf/privlink/quickstart-* 2>/dev/null
	while read -r id; do
		ls -d "/run/netns/$id" "/etc/netns/$id" 2>/dev/null
	done <"$dir/instances"
	ls -d /run/netns/privlink-quickstart-* 2>/dev/null
	ip -o link | grep -oE 'alias privlink/quickstart-.*'
	grep -lsz PRIVLINK_QUICKSTART=1 /proc/[0-9]*/environ
	getent passwd privlink
}

is_all_gone() { # NAME
	is "$(leftovers | grep -vxF "${had_user:-none}")" "" "$1"
}

# All instances that the quickstart has made so far.
note_instances() {
	cat "$state/quickstart/instances" >>"$dir/instances" 2>/dev/null
}

# Things of another node, in a network namespace of its own: pins, names and files are the machine's all the same.
make_foreign() {
	ip netns add "i-$foreign" && ip -n "i-$foreign" link set lo alias "privlink/$foreign"
	mkdir -p "/sys/fs/bpf/privlink/$foreign" "/etc/netns/i-$foreign"
}

foreign_things() {
	ls -d "/run/netns/i-$foreign" "/sys/fs/bpf/privlink/$foreign" "/etc/netns/i-$foreign"
}

remove_foreign() {
	ip netns del "i-$foreign" 2>/dev/null
	rmdir "/sys/fs/bpf/privlink/$foreign" /sys/fs/bpf/privlink "/etc/netns/i-$foreign" /etc/netns 2>/dev/null
}

down
if [ -e "$state" ]; then
	echo "Bail out! there is an installation of privlink on this machine ($state)"
	exit 1
fi
had_user=$(getent passwd privlink)
make_foreign
foreign_before=$(foreign_things)
touch "$dir/instances"
host_state >"$dir/before"

# Until the log shows it, or the process has ended.
wait_for_log() { # PATTERN PID
	until grep -qE "$1" "$dir/log"; do
		grep -q '^State:.*Z' "/proc/$2/status" 2>/dev/null && return 1
		kill -0 "$2" 2>/dev/null || return 1
		sleep 0.1
	done
}

# Under a parent that never asks how its children ended, so that what is killed stays a zombie.
killed_in_the_middle() {
	: >"$dir/log"
	rm -f "$dir/walk.pid"
	"$here/no-reaper" "$dir/walk.pid" "$source_dir/quickstart" --no-install >"$dir/log" 2>&1 </dev/null &
	echo $! >"$dir/reaper.pid"
	until [ -s "$dir/walk.pid" ]; do sleep 0.05; done
	wait_for_log '^\[3/9\]' "$(cat "$dir/walk.pid")" || sed 's/^/# /' "$dir/log"
	shows '^\[3/9\]' "the walk begins"
	kill -9 "$(cat "$dir/walk.pid")" "$(cat /run/privlink/privlinkd.pid)" "$(cat /run/privlink/privlink-agent.pid)"
	note_instances
}

# What a quickstart that did not come far left over, and somebody installed after it.
installed_since() {
	install -d "$state/quickstart" "$state/store"
	echo precious >"$state/store/privlink.db"
	walk
	is $? 1 "an installation is in the way of a quickstart"
	shows 'there is an installation of privlink' "which says so"
	down
	is "$(cat "$state/store/privlink.db")" precious "neither it nor --down takes anything from it"
	rm -rf "${state:?}"
}
installed_since

# Only part of the clone: what does not come as far as a build needs no more.
make_clone() {
	mkdir -p "$dir/clone/build"
	cp -r "$source_dir"/{quickstart,scripts,data} "$dir/clone"
}

# ---- no room ----

fill() { # DIRECTORY
	dd if=/dev/zero of="$1/filler" bs=64k 2>/dev/null
}

no_room() {
	mkdir -p "$state"
	mount -t tmpfs -o size=8m tmpfs "$state"
	walk
	is $? 1 "where the state has no room nothing is begun"
	shows "too little room in $state: [0-9]+ MiB are free" "and it says where, and how little there is"
	down
	mount -o remount,size=40m "$state"
	: >"$dir/log"
	"$source_dir/quickstart" --no-install >"$dir/log" 2>&1 </dev/null &
	echo $! >"$dir/walk.pid"
	wait_for_log '^\[1/9\]' "$(cat "$dir/walk.pid")"
	fill "$state"
	wait "$(cat "$dir/walk.pid")"
	is $? 1 "a disk that fills up meanwhile ends the walk"
	rm -f "$dir/walk.pid"
	shows "^No space is left on the file system of $state\.$" "with the reason"
	shows 'quickstart --down$' "and with how to take away what there is"
	note_instances
	down
	is $? 0 "which works on a full disk, too"
	umount "$state"
	rmdir "$state"
	is_all_gone "and leaves nothing"
	mount -t tmpfs -o size=8m tmpfs "$dir/clone/build"
	"$dir/clone/quickstart" --no-install >"$dir/log" 2>&1 </dev/null
	is $? 1 "where the build has no room nothing is begun"
	shows "too little room in $dir/clone/build" "and it says where"
	umount "$dir/clone/build"
	down
}

# ---- the walk ----

# While it is under way: another clone's wants its turn.
beside_another() {
	"$dir/clone/quickstart" --no-install >"$dir/other.log" 2>&1 </dev/null
	is $? 1 "a quickstart of another clone does not begin while one walks"
	grep -q "another quickstart is at work: $source_dir/quickstart, walking (process $(cat "$dir/walk.pid"))" "$dir/other.log"
	ok $? "and says whose, and which process"
	"$dir/clone/quickstart" --down >"$dir/other.log" 2>&1 </dev/null
	is $? 1 "nor is it taken down meanwhile"
}

seconds() { sed -n 's/^Done in \([0-9]*\) s$/\1/p' "$dir/log"; }

walk_to_the_end() {
	local service status
	python3 -c 'import socket, time
s = [socket.create_server(("127.0.0.1", port)) for port in (8443, 8080)]
time.sleep(1000)' &
	echo $! >"$dir/ports.pid"
	: >"$dir/log"
	(umask 077 && exec "$source_dir/quickstart" --no-install) >"$dir/log" 2>&1 </dev/null &
	echo $! >"$dir/walk.pid"
	wait_for_log '^\[1/9\]' "$(cat "$dir/walk.pid")"
	[ -n "${PRIVLINK_KERNEL_LAYER-}" ] || beside_another
	wait "$(cat "$dir/walk.pid")"
	status=$?
	is $status 0 "the walk comes to its end"
	[ $status = 0 ] || tell_logs
	rm -f "$dir/walk.pid"
	is "$([ -e /run/privlink-quickstart ] || echo none)" none "and leaves the turn to the next"
	for service in dlc:pai-dlc dsw:pai-dsw aiworkspace:aiworkspace; do
		shows "privateLink_${service%:*} .*Active +Connected" "the endpoint of ${service#*:} is Active and Connected"
		shows "\\$ curl -sI https://${service#*:}-vpc\\.cn-hangzhou\\.aliyuncs\\.com$" "its line is run letter for letter"
		shows "^ +X-Service: ${service#*:}$" "and it is the service that answers"
		shows "answers about ${service#*:}-vpc.*NXDOMAIN" "in the other VPC the resolver says that there is no such name"
	done
	shows '^ +cn-hangzhou-h .*10\.0\.1\.100 ' "the first zone's ENI is in the table"
	shows '^ +cn-hangzhou-i .*10\.0\.2\.102 ' "the last endpoint's ENI of the second zone, too"
	is "$(grep -c '3 packets transmitted, 3 received' "$dir/log")" 6 "all ENIs answer ping"
	is "$(grep -c '^ \+HTTP/1\.1 200' "$dir/log")" 4 "each service gives a status line, and DLC again when its group is open again"
	shows '^ +curl: \(28\)' "without its rule the security group lets nobody in"
	shows 'policy_in: [0-9]+ before, [0-9]+ after' "which the drop counter of security groups shows"
	shows '^ +\(implicit\) +ingress' "the implicit rules are shown"
	is "$(grep -c 'curl: (6) Could not resolve' "$dir/log")" 3 "in the other VPC curl resolves none of the names"
	is "$(grep -c '100% packet loss' "$dir/log")" 6 "there ping loses all, to each address"
	shows 'no_place: [0-9]+ before, [0-9]+ after' "the drop counter is named"
	shows '^ +UnsupportedRegion: .*aiworkspace is not offered in cn-shanghai' "a region without AIWorkspace refuses its endpoint"
	is "$(grep -c 'times to the zone.s own ENI .* all work' "$dir/log")" 2 "a stopped and a blackholed backend are rescued"
	grep -q '^Done' "$dir/log" || sed 's/^/# /' "$dir/log" | tail -n 40
	[ -n "${PRIVLINK_KERNEL_LAYER-}" ] || { [ "$(seconds)" -lt 300 ]; ok $? "all of it takes less than five minutes"; }
}

check_settings() {
	local name=pai-dlc-vpc.cn-hangzhou.aliyuncs.com
	if [ ! -r "$state/quickstart.env" ]; then
		ok 1 "there are settings"
		return
	fi
	is "$(stat -c %a "$state/quickstart.env")" 600 "the settings are for root alone"
	is "$(sed 's/=.*//' "$state/quickstart.env" | sort | tr '\n' ' ')" "AIWORKSPACE_ENDPOINT_ID AIWORKSPACE_ENI_1 \
AIWORKSPACE_ENI_2 CONSUMER_AK CONSUMER_INSTANCE CONSUMER_SK CONSUMER_UID DSW_ENDPOINT_ID DSW_ENI_1 DSW_ENI_2 ENDPOINT_ID \
ENI_1 ENI_2 OTHER_INSTANCE PRIVLINK_CA PRIVLINK_ENDPOINT PRIVLINK_HTTP PROVIDER_AK PROVIDER_SK PROVIDER_UID " \
		"they have the promised names"
	shows "$state/quickstart.env" "their path is shown"
	# shellcheck disable=SC1091
	. "$state/quickstart.env"
	curl -s --noproxy '*' --cacert "$PRIVLINK_CA" "https://$PRIVLINK_ENDPOINT/" | grep -q RequestId
	ok $? "the API answers over HTTPS with a certificate of that CA"
	curl -s --noproxy '*' "http://$PRIVLINK_HTTP/" | grep -q RequestId
	ok $? "and over plain HTTP"
	is "$(env -i PATH="$PATH" "$source_dir/build/src/cmd/privlink" node list | grep -c '^quickstart-.* yes ')" 1 \
		"root's plain privlink finds it, though others had the usual ports"
	ip netns exec "$CONSUMER_INSTANCE" curl -sI "https://$name" | grep -q '^HTTP/1.1 200'
	ok $? "plain ip netns exec finds resolver and trust store"
	ip netns exec "$CONSUMER_INSTANCE" setpriv --reuid=nobody --regid=nogroup --clear-groups \
		curl -sI "https://$name" | grep -q '^HTTP/1.1 200'
	ok $? "an ordinary user's, too, whatever the umask of who started it all"
	host_state >"$dir/during"
	is "$(diff "$dir/before" "$dir/during")" "" "the host is as it was while it runs"
}

# The console's address, which has the key in it, and no secret where nobody sits at a terminal.
check_console() {
	local address http=${PRIVLINK_HTTP##*:}
	address=$(grep -oE 'http://127\.0\.0\.1:[0-9]+/console/#\S+' "$dir/log")
	is "$address" "http://127.0.0.1:$http/console/#/login?key=$CONSUMER_AK" "the console's address is shown, with the consumer's key"
	curl -s --noproxy '*' "${address%#*}" | grep -q '<script type="module" src="console.js">'
	ok $? "and the page is there"
	shows "access key secret: CONSUMER_SK in $state/quickstart.env$" "where the secret is, is said"
	is "$(grep -cF -e "$CONSUMER_SK" -e "$PROVIDER_SK" "$dir/log")" 0 "but it goes into no file that the output goes to"
	shows "ssh -L $http:127\.0\.0\.1:$http [^ @]+@[^ ]+$" "and how to get there from elsewhere"
}

# Who sits at a terminal sees it.
on_a_terminal() {
	local secret
	"$here/on-terminal" '^' '' "$source_dir/quickstart" --no-install >"$dir/log" 2>&1
	is $? 0 "the walk comes to its end again, on a terminal"
	sed -i 's/\x1b\[[0-9]*m//g' "$dir/log"
	secret=$(sed -n 's/^CONSUMER_SK=//p' "$state/quickstart.env")
	shows "access key secret: ${secret:-none}$" "and shows the secret there"
}

# ---- once more ----

endpoints() { env -i PATH="$PATH" "$source_dir/build/src/cmd/privlink" --config "$state/quickstart/consumer.conf" endpoint list; }

over_a_running_one() {
	local before
	before=$(endpoints)
	walk
	is $? 1 "a second quickstart does not begin by itself"
	shows 'There is a quickstart on this machine already' "it says what is there"
	shows '^ +consumer +2 VPCs, 3 instances, 3 endpoints' "and what is in it"
	shows 'quickstart --again +does it' "and how it is told to"
	"$here/on-terminal" 'start again\? \[y/N\] ' 'n\n' "$source_dir/quickstart" --no-install >"$dir/log" 2>&1
	is $? 1 "on a terminal it asks, and takes no for an answer"
	"$here/on-terminal" 'start again\? \[y/N\] ' '\x03' "$source_dir/quickstart" --no-install >"$dir/log" 2>&1
	is $? 130 "and Ctrl-C"
	is "$(endpoints)" "$before" "nothing of it is touched"
}

# Ctrl-C when the log shows the pattern; the first time over a running one.
interrupted_at() { # PATTERN KEYS NAME OPTION...
	"$here/on-terminal" "$1" "$2" "$source_dir/quickstart" --no-install "${@:4}" >"$dir/log" 2>&1
	is $? 130 "$3 ends it as an interrupted program ends"
	is "$(tail -n 1 "$dir/log")" "    $source_dir/quickstart --down" "and its last word is how to take it down"
	is "$(grep -lsz PRIVLINK_QUICKSTART_RUN= /proc/[0-9]*/environ)" "" "no part of the walk goes on"
	note_instances
}

interruptions() {
	interrupted_at '\[2/9\]' '\x03' "Ctrl-C while calls are made" --again
	interrupted_at 'building ' SIGINT "a signal for it alone while it builds and starts"
	interrupted_at '\[2/9\]' '\x03' "Ctrl-C while calls are made, after that"
	is "$(readlink "/proc/$(cat /run/privlink/privlink-agent.pid)"/fd/* | grep -c '^/dev/pts/')" 0 \
		"no daemon holds what the quickstart's output goes to"
	rm -rf "${state:?}"
	ip link add "plf$$" type veth peer name eth0 netns "i-$foreign"
	ip link set "plf$$" alias "privlink/$foreign/0/1/i-$foreign"
	is "$(down; echo $?; grep -c 'everything that it made is removed' "$dir/down.log")" "0
1" "--down goes by the kernel's marks when the state directory was deleted by hand"
	ip link del "plf$$"
	ok $? "a device with another node's mark is still there"
	is_all_gone "and leaves nothing"

	interrupted_at '\[5/9\]' '\x03' "Ctrl-C while pings wait"
	kill -9 "$(cat /run/privlink/privlink-agent.pid)" "$(cat /run/privlink/privlinkd.pid)"
	rm -rf "${state:?}" /run/privlink
	unshare --uts sh -c "hostname renamed-since; '$source_dir/quickstart' --down" >"$dir/down.log" 2>&1
	is "$?" 0 "--down works when the host was renamed, with all notes deleted and the daemons killed"
	is_all_gone "and leaves nothing"

	interrupted_at '100\.100\.2\.136 answers' '\x03' "Ctrl-C in the other VPC"
	"$source_dir/quickstart" --down >"$dir/down.log" 2>&1 &
	echo $! >"$dir/walk.pid"
	until ! [ -e "/run/netns/$(tail -n 1 "$dir/instances")" ] || ! kill -0 "$(cat "$dir/walk.pid")" 2>/dev/null; do :; done
	kill -9 "$(cat "$dir/walk.pid")"
	rm -f "$dir/walk.pid"
	down
	is $? 0 "a --down that was killed in the middle is done by the next"
	is_all_gone "which leaves nothing"

	interrupted_at 'nginx in cn-hangzhou-h is back' SIGINT "a signal for it alone while a backend is lost"
	down
	is_all_gone "and all that the walk made can be taken away"
}

# The file system of pins unmounted, in a mount namespace where that concerns nobody else.
without_bpffs() {
	unshare --mount --propagation slave bash -c '
		mount -t bpf bpf /sys/fs/bpf
		"$1/tests/system/on-terminal" "\\[4/9\\]" "\\x03" "$1/quickstart" --no-install >"$2/log" 2>&1
		cat "$3/quickstart/instances" >>"$2/instances"
		umount /sys/fs/bpf
		"$1/quickstart" --down >"$2/down.log" 2>&1' - "$source_dir" "$dir" "$state"
	is $? 0 "--down works when the BPF file system was unmounted"
	is_all_gone "and leaves nothing"
}

# shellcheck source=tests/system/lines.sh
. "$here/lines.sh" || exit 1
make_clone
if [ -n "${PRIVLINK_KERNEL_LAYER-}" ]; then
	# On an emulated processor a walk takes minutes, and there it is about the kernel: one has to do.
	walk_to_the_end
	check_settings
	note_instances
	down
else
	no_room
	killed_in_the_middle
	walk_to_the_end
	kill -9 "$(cat "$dir/reaper.pid")"
	rm -f "$dir/reaper.pid"
	check_settings
	check_console
	over_a_running_one
	note_instances
	interruptions
	without_bpffs
	on_a_terminal
	note_instances
	try_lines
	down
fi
status=$?
is $status 0 "--down succeeds"
[ $status = 0 ] || tell_logs
is_all_gone "it leaves nothing"
host_state >"$dir/after"
is "$(diff "$dir/before" "$dir/after")" "" "the host is as it was"
down
is $? 0 "a second --down is no error"
grep -q 'nothing of it is here' "$dir/down.log"
ok $? "and says that nothing is there"
is "$(foreign_things)" "$foreign_before" "what belongs to other nodes was not touched"

tap_done
