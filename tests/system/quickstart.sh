#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./quickstart as a user runs it: killed in the middle, run again, run over a running one, taken down. The host must be
# as it was, and what the walk promises must be on the screen.
#
#   quickstart.sh SOURCE     a quickstart that runs on this machine is taken down
set -u
source_dir=$1
state=/var/lib/privlink
dir=$(mktemp -d /tmp/privlink-quickstart-XXXXXX)
n=0
bad=0

ok() { # STATUS NAME
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; bad=$((bad + 1)); fi
}

is() { # GOT WANT NAME
	[ "$1" = "$2" ]
	ok $? "$3"
	[ "$1" = "$2" ] || printf '# got  %s\n# want %s\n' "$1" "$2"
}

shows() { # PATTERN NAME
	grep -qE -- "$1" "$dir/log"
	ok $? "$2"
}

if [ "$(id -u)" != 0 ]; then
	echo "1..0 # SKIP needs root"
	exit 0
fi

down() { "$source_dir/quickstart" --down >"$dir/down.log" 2>&1; }

clean_up() {
	[ ! -f "$dir/pid" ] || kill -9 "$(cat "$dir/pid")" 2>/dev/null
	down
	rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# What must not change. Devices of instances come and go while it runs, and with them lines of their own.
host_state() {
	ip -o address | awk '{ print $2, $3, $4 }' | grep -v '^pl'
	ip route show table all | grep -v 'dev pl'
	ip -6 route show table all | grep -v 'dev pl'
	ip rule
	command -v nft >/dev/null && nft list ruleset 2>/dev/null
	sha256sum /etc/resolv.conf /etc/nsswitch.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt 2>/dev/null
	sysctl -a 2>/dev/null | grep -E '^(net|kernel\.(bpf|unpriv))' |
		grep -vE '\.pl[0-9a-f]+\.|_count =|random|dev-mdb|\.neigh\.|nf_conntrack|ip_local_port|fib_sync|tcp_mem|udp_mem'
	ls -d /etc/systemd/system/*.wants/nginx.service /etc/rc?.d/S*nginx 2>/dev/null
	ls /usr/sbin/policy-rc.d 2>/dev/null
	ss -Hltn 'sport = 80' | wc -l
}

leftovers() {
	local id
	ls -d "$state" /run/privlink "/sys/fs/bpf/privlink/$(uname -n | cut -d . -f 1)" 2>/dev/null
	while read -r id; do
		ls -d "/run/netns/$id" "/etc/netns/$id" 2>/dev/null
	done <"$dir/instances"
	ip -o link | grep -oE ': pl[0-9a-f]+@'
	grep -lsz PRIVLINK_QUICKSTART=1 /proc/[0-9]*/environ
	getent passwd privlink
}

start_in_background() {
	"$source_dir/quickstart" --no-install >"$dir/log" 2>&1 </dev/null &
	echo $! >"$dir/pid"
}

down
if [ -e "$state" ]; then
	echo "Bail out! there is an installation of privlink on this machine ($state)"
	exit 1
fi
had_user=$(getent passwd privlink)
host_state >"$dir/before"

killed_in_the_middle() {
	start_in_background
	for _ in {1..600}; do
		grep -q '^\[3/7\]' "$dir/log" && break
		kill -0 "$(cat "$dir/pid")" 2>/dev/null || break
		sleep 0.2
	done
	shows '^\[3/7\]' "the walk begins"
	kill -9 "$(cat "$dir/pid")" || sed 's/^/# /' "$dir/log"
	rm -f "$dir/pid"
}

# What a quickstart that did not come far left over, and somebody installed after it.
installed_since() {
	install -d "$state/quickstart" "$state/store"
	echo precious >"$state/store/privlink.db"
	"$source_dir/quickstart" --no-install >"$dir/log" 2>&1 </dev/null
	is $? 1 "an installation is in the way of a quickstart"
	shows 'there is an installation of privlink' "which says so"
	down
	is "$(cat "$state/store/privlink.db")" precious "neither it nor --down takes anything from it"
	rm -rf "$state"
}
installed_since

# On an emulated processor a walk takes minutes, and there it is about the kernel: one has to do.
[ -n "${PRIVLINK_KERNEL_LAYER-}" ] || killed_in_the_middle

(umask 077 && exec "$source_dir/quickstart" --no-install) >"$dir/log" 2>&1 </dev/null
is $? 0 "the walk comes to its end"
shows 'privateLink_dlc +vpc-.* Active +Connected' "the endpoint is Active and Connected"
shows '^ +cn-hangzhou-h .*10\.0\.1\.100 ' "the first zone's ENI is in the table"
shows '^ +cn-hangzhou-i .*10\.0\.2\.100 ' "the second zone's ENI is in the table"
is "$(grep -c '3 packets transmitted, 3 received' "$dir/log")" 2 "both ENIs answer ping"
shows '\$ curl -sI https://pai-dlc-vpc\.cn-hangzhou\.aliyuncs\.com$' "the mission's line is run letter for letter"
shows '^ +HTTP/1\.1 200' "and gets a status line"
shows 'answers about pai-dlc-vpc.*NXDOMAIN' "in the other VPC the resolver says that there is no such name"
shows 'the name does not resolve \(curl: 6\)' "there curl fails to resolve"
is "$(grep -c '100% packet loss' "$dir/log")" 2 "there ping loses all"
shows 'no_place: [0-9]+ before, [0-9]+ after' "the drop counter is named"
is "$(grep -c 'times to the zone.s own ENI .* all work' "$dir/log")" 2 "a stopped and a blackholed backend are rescued"
grep -q '^Done' "$dir/log" || sed 's/^/# /' "$dir/log" | tail -n 40
seconds() { sed -n 's/^Done in \([0-9]*\) s$/\1/p' "$dir/log"; }
[ -n "${PRIVLINK_KERNEL_LAYER-}" ] || { [ "$(seconds)" -lt 300 ]; ok $? "all of it takes less than five minutes"; }

is "$(stat -c %a "$state/quickstart.env")" 600 "the settings are for root alone"
is "$(sed 's/=.*//' "$state/quickstart.env" | sort | tr '\n' ' ')" \
	"CONSUMER_AK CONSUMER_INSTANCE CONSUMER_SK CONSUMER_UID ENDPOINT_ID ENI_1 ENI_2 OTHER_INSTANCE PRIVLINK_CA PRIVLINK_ENDPOINT PRIVLINK_HTTP PROVIDER_AK PROVIDER_SK PROVIDER_UID " \
	"they have the promised names"
shows "$state/quickstart.env" "their path is shown"
# shellcheck disable=SC1091
. "$state/quickstart.env"
curl -s --noproxy '*' --cacert "$PRIVLINK_CA" "https://$PRIVLINK_ENDPOINT/" | grep -q RequestId
ok $? "the API answers over HTTPS with a certificate of that CA"
curl -s --noproxy '*' "http://$PRIVLINK_HTTP/" | grep -q RequestId
ok $? "and over plain HTTP"
ip netns exec "$CONSUMER_INSTANCE" curl -sI https://pai-dlc-vpc.cn-hangzhou.aliyuncs.com | grep -q '^HTTP/1.1 200'
ok $? "plain ip netns exec finds resolver and trust store"
ip netns exec "$CONSUMER_INSTANCE" setpriv --reuid=nobody --regid=nogroup --clear-groups \
	curl -sI https://pai-dlc-vpc.cn-hangzhou.aliyuncs.com | grep -q '^HTTP/1.1 200'
ok $? "an ordinary user's, too, whatever the umask of who started it all"
host_state >"$dir/during"
is "$(diff "$dir/before" "$dir/during")" "" "the host is as it was while it runs"

if [ -z "${PRIVLINK_KERNEL_LAYER-}" ]; then
	"$source_dir/quickstart" --no-install >"$dir/log" 2>&1 </dev/null
	is $? 0 "a run over a running one walks to the end"
fi
cp "$state/quickstart/instances" "$dir/instances"
down
is $? 0 "--down succeeds"
is "$(leftovers | grep -vxF "${had_user:-none}")" "" "it leaves nothing"
host_state >"$dir/after"
is "$(diff "$dir/before" "$dir/after")" "" "the host is as it was"
down
is $? 0 "a second --down is no error"

echo "1..$n"
[ $bad = 0 ]
