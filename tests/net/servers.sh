#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Real servers behind an endpoint, each asked by its own client: it does its work through the endpoint, and when the rule that
# lets it in is revoked, the client ends with an error of its own at once and not in minutes. (Datagrams cannot be told; there it is
# the client's own patience.)
#
#   servers.sh             all
#   servers.sh NAME…       only these, e.g. mariadb
#
# The servers are no services of the machine. They run as an ordinary user in a namespace of processes of their own, which ends with
# the one that the lab knows, and their files are in the lab's directory.
. "$(dirname "$0")/lib.sh" || exit 1
peer=$source_dir/tests/net/servers.py
h=cn-hangzhou-h i=cn-hangzhou-i
user=www-data # there is one on every Debian, and nobody has a shadow of systemd's that sshd takes for a lock
tcp_servers=(postgres redis mariadb ssh http2 websocket iperf3 iperf3_back)
udp_servers=(dns ntp dtls)
[ $# = 0 ] || mapfile -t tcp_servers < <(printf '%s\n' "$@" | grep -vxE 'dns|ntp|dtls')
[ $# = 0 ] || mapfile -t udp_servers < <(printf '%s\n' "$@" | grep -xE 'dns|ntp|dtls')
PATH=$PATH:/usr/sbin:/sbin

# Its port behind the endpoint; the server's own is 10,000 above. (iperf3 has a server for each way, since it serves one at a time.)
declare -A port=([postgres]=5432 [redis]=6379 [ssh]=22 [http2]=8080 [websocket]=8081 [iperf3]=5201 [iperf3_back]=5202
	[mariadb]=3306 [dns]=53 [ntp]=123 [dtls]=4433)
declare -A talker=()
own_port() { echo $((${port[$1]} + 10000)); }
in_consumer() { inside "$c" timeout 20 "$@"; }
become() { exec nsenter --net="/run/netns/$c" "$@"; } # so that the number of a background function is the client's

# --- starting them

# Ends with its first process, whatever it has forked; that one stays root, so that it dies with who started it.
run_server() { # COMMAND…
	serve "$s" env HOME="$dir/home" unshare --pid --fork --kill-child \
		bash -c 'setpriv --reuid="$0" --regid="$0" --clear-groups "$@" & wait' "$user" "$@"
}
as_user() { setpriv --reuid="$user" --regid="$user" --clear-groups "$@"; }

postgres_programs() { printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1; }
prepare_postgres() {
	as_user "$(postgres_programs)/initdb" -D "$dir/home/postgres" -A trust -U test --no-sync --wal-segsize=1 --no-locale \
		--no-instructions -E UTF8 >"$dir/initdb.log" 2>&1
	echo "host all all all trust" >>"$dir/home/postgres/pg_hba.conf"
}
start_postgres() {
	run_server "$(postgres_programs)/postgres" -D "$dir/home/postgres" -p "$(own_port postgres)" -k "$dir/home" -h '*' -F
}
start_redis() {
	run_server redis-server --port "$(own_port redis)" --bind '*' --protected-mode no --save '' --dir "$dir/home"
}
prepare_ssh() {
	ssh-keygen -q -t ed25519 -N '' -f "$dir/home/ssh-host"
	ssh-keygen -q -t ed25519 -N '' -f "$dir/ssh-client"
	chown $user "$dir/home/ssh-host"
	cp "$dir/ssh-client.pub" "$dir/home/"
	head -c 1000000 /dev/urandom >"$dir/home/file"
	echo "*  $(cut -d ' ' -f 1,2 "$dir/home/ssh-host.pub")" >"$dir/ssh-known"
	cat >"$dir/home/sshd.conf" <<-END
		Port $(own_port ssh)
		HostKey $dir/home/ssh-host
		PidFile none
		UsePAM no
		StrictModes no
		AuthorizedKeysFile $dir/home/ssh-client.pub
		Subsystem sftp internal-sftp
		ForceCommand internal-sftp
	END
}
start_ssh() { run_server "$(type -P sshd)" -D -e -f "$dir/home/sshd.conf"; }
prepare_http2() { # and what stands before the WebSocket server
	local what
	head -c 50000000 /dev/zero >"$dir/home/file-http"
	{
		echo "daemon off; master_process off; pid $dir/home/nginx.pid; error_log $dir/home/nginx.log; events {}"
		echo "http { access_log off;"
		for what in client_body proxy fastcgi uwsgi scgi; do
			echo "${what}_temp_path $dir/home/nginx-$what;"
		done
		echo "server { listen $(own_port http2) http2; root $dir/home; location = /slow { alias $dir/home/file-http; limit_rate 100k; } }"
		# shellcheck disable=SC2016
		echo "server { listen $(own_port websocket); location / { proxy_pass http://127.0.0.1:8082; proxy_http_version 1.1;" \
			'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; } }'
		echo "}"
	} >"$dir/home/nginx.conf"
}
start_http2() { run_server nginx -e "$dir/home/nginx.log" -c "$dir/home/nginx.conf"; }
start_websocket() { run_server /usr/bin/python3 "$dir/home/servers.py" websocket 8082; }
start_iperf3() { run_server iperf3 -s -p "$(own_port iperf3)"; }
start_iperf3_back() { run_server iperf3 -s -p "$(own_port iperf3_back)"; }
start_dns() { run_server /usr/bin/python3 "$dir/home/servers.py" names "$(own_port dns)"; }
prepare_ntp() {
	printf '%s\n' "local stratum 8" "allow all" "port $(own_port ntp)" "cmdport 0" "bindcmdaddress /" "pidfile $dir/home/chrony.pid" \
		>"$dir/home/chrony.conf"
}
start_ntp() { run_server chronyd -d -x -U -f "$dir/home/chrony.conf"; }
prepare_dtls() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$dir/home/dtls.key" -out "$dir/home/dtls.crt" \
		-days 2 -subj /CN=test 2>/dev/null
	chown $user "$dir/home/dtls.key"
}
# It says "tick" to whoever has come, and writes down what it is told.
start_dtls() {
	run_server bash -c 'while sleep 0.1; do echo tick; done | openssl s_server -dtls -quiet -accept "$0" -key "$1" -cert "$2" >"$3"' \
		"$(own_port dtls)" "$dir/home/dtls.key" "$dir/home/dtls.crt" "$dir/home/dtls.told"
}
prepare_mariadb() {
	as_user mariadb-install-db --no-defaults --datadir="$dir/home/mariadb" --auth-root-authentication-method=normal --skip-test-db \
		>"$dir/mariadb-install.log" 2>&1
	printf "%s\n" "create user test;" "grant all on *.* to test;" >"$dir/home/mariadb.sql" # a statement a line
}
start_mariadb() {
	run_server mariadbd --no-defaults --datadir="$dir/home/mariadb" --port="$(own_port mariadb)" --socket="$dir/home/mariadb.sock" \
		--pid-file="$dir/home/mariadb.pid" --init-file="$dir/home/mariadb.sql" --skip-name-resolve
}

# --- what their clients do

psql_client() { in_consumer psql -X -h "$eni" -p "${port[postgres]}" -U test -d postgres -tA "$@"; }
redis_client() { in_consumer redis-cli -h "$eni" -p "${port[redis]}" "$@"; }
ssh_options() {
	echo "-i $dir/ssh-client -o BatchMode=yes -o UserKnownHostsFile=$dir/ssh-known -o ServerAliveInterval=1 -F none"
}
mariadb_client() { in_consumer mariadb --no-defaults -h "$eni" -P "${port[mariadb]}" -u test "$@"; }
dtls_client() { in_consumer openssl s_client -dtls -quiet -connect "$eni:${port[dtls]}"; }

works_postgres() { [ "$(psql_client -c 'select sum(i), length(repeat($$x$$, 1000000)) from generate_series(1, 100000) i')" = "5000050000|1000000" ]; }
works_redis() {
	head -c 1000000 "$dir/home/file" | redis_client -x set key && redis_client --raw get key | head -c 1000000 | cmp - "$dir/home/file"
}
works_ssh() {
	# shellcheck disable=SC2046
	in_consumer sftp -q -b - $(ssh_options) -P "${port[ssh]}" "$user@$eni" <<<"get $dir/home/file $dir/fetched" &&
		cmp "$dir/home/file" "$dir/fetched"
}
works_http2() {
	[ "$(in_consumer curl -sS --http2-prior-knowledge -o "$dir/fetched" -w '%{http_version} %{size_download}' \
		"http://$eni:${port[http2]}/file-http")" = "2 50000000" ]
}
works_websocket() { in_consumer python3 "$peer" chat "ws://$eni:${port[websocket]}" 100; }
works_iperf3() { in_consumer iperf3 -c "$eni" -p "${port[iperf3]}" -n 20M; }
works_iperf3_back() { in_consumer iperf3 -c "$eni" -p "${port[iperf3_back]}" -n 20M -R; }
works_mariadb() { [ "$(mariadb_client -NBe 'select length(repeat("x", 1000000))')" = 1000000 ]; }
works_dns() { # answers in three fragments each
	[ "$(in_consumer python3 "$peer" ask "$eni" "${port[dns]}" 4000)" = "4000 bytes, right" ] &&
		in_consumer dig "@$eni" 4000.test TXT +notcp +ignore +bufsize=4096 +time=2 +tries=1 | grep -q "MSG SIZE  rcvd: 4000"
}
ask_time() { # SECONDS
	in_consumer chronyd -Q -t "$1" -f /dev/null "server $eni port ${port[ntp]} iburst maxsamples 1" \
		"pidfile $dir/chrony-client.pid" "cmdport 0" "bindcmdaddress /"
}
works_ntp() { ask_time 3 2>&1 | grep 'System clock wrong by .* (ignored)'; }
works_dtls() {
	(echo hello && sleep 1) | dtls_client 2>/dev/null | grep -m 1 tick && wait_for 1 grep -q hello "$dir/home/dtls.told"
}

# Clients that have something to say all the time, and what they say when it is over.
talk_postgres() { become psql -X -h "$eni" -p "${port[postgres]}" -U test -d postgres -tA <<<'select 1 \watch 0.1'; }
ends_postgres='server closed the connection unexpectedly|Connection reset by peer'
talk_redis() { become redis-cli -h "$eni" -p "${port[redis]}" -r -1 -i 0.1 ping; }
ends_redis='Connection reset by peer|Server closed the connection'
# shellcheck disable=SC2046
talk_ssh() { become ssh -N $(ssh_options) -p "${port[ssh]}" "$user@$eni"; }
ends_ssh='Connection reset by peer|Broken pipe|Connection to .* closed'
talk_http2() { become curl -sS --http2-prior-knowledge -o /dev/null "http://$eni:${port[http2]}/slow"; }
ends_http2='Connection reset by peer|Recv failure'
talk_websocket() { become python3 "$peer" chat "ws://$eni:${port[websocket]}"; }
ends_websocket='Connection reset by peer|Broken pipe'
talk_iperf3() { become iperf3 -c "$eni" -p "${port[iperf3]}" -t 60 -b 10M; }
ends_iperf3='Connection reset by peer|Broken pipe|control socket has closed|Bad file descriptor'
talk_iperf3_back() { become iperf3 -c "$eni" -p "${port[iperf3_back]}" -t 60 -b 10M -R; }
ends_iperf3_back=$ends_iperf3
talk_mariadb() { become mariadb --no-defaults -h "$eni" -P "${port[mariadb]}" -u test -NB < <(yes 'select sleep(0.1);'); }
ends_mariadb='Lost connection|server has gone away'
talk_dtls() { become openssl s_client -dtls -quiet -connect "$eni:${port[dtls]}" </dev/null; }

# --- the lab

lab_start
mkdir "$dir/home"
cp "$peer" "$dir/home/servers.py" # the clone may be where an ordinary user cannot look
chown $user "$dir/home"
for what in "${tcp_servers[@]}" "${udp_servers[@]}"; do
	if declare -F "prepare_$what" >/dev/null; then
		"prepare_$what" &
		preparing+=($!)
	fi
done
account consumer
account provider
cv=$(make_vpc consumer 10.0.0.0/16) pv=$(make_vpc provider 10.0.0.0/16)
ch=$(make_vswitch consumer "$cv" $h 10.0.1.0/24) ph=$(make_vswitch provider "$pv" $h 10.0.1.0/24)
pi=$(make_vswitch provider "$pv" $i 10.0.2.0/24)
cg=$(make_group consumer "$cv") eg=$(make_group consumer "$cv") pg=$(make_group provider "$pv")
c=$(make_instance consumer "$ch" "$cg") s=$(make_instance provider "$ph" "$pg")
nlb=$(make_nlb provider "$pv" $h="$ph" $i="$pi")
[ -n "$c" ] && [ -n "$s" ] && [ -n "$nlb" ] || bail "no instances"

# No probes: iperf3 and s_server would take one for a client.
listen() { # SERVER PROTOCOL
	local group
	group=$(as provider call nlb CreateServerGroup ServerGroupName="$1" VpcId="$pv" Protocol="$2" \
		HealthCheckConfig.HealthCheckEnabled=false | jq -r .ServerGroupId)
	as provider call nlb AddServersToServerGroup ServerGroupId="$group" Servers.1.ServerId="$s" Servers.1.ServerType=Ecs \
		Servers.1.Port="$(own_port "$1")" >/dev/null
	make_listener provider "$nlb" "$2" "${port[$1]}" "$group" >/dev/null
	authorize consumer "$eg" "$(rule_of "$1" "$2")"
}
rule_of() { echo "$2:${port[$1]}/${port[$1]}:10.0.0.0/16"; } # SERVER PROTOCOL
for what in "${tcp_servers[@]}"; do listen "$what" TCP; done
for what in "${udp_servers[@]}"; do listen "$what" UDP; done
service=$(make_service provider "$nlb" $h)
allow provider "$service" "$(uid_of consumer)"
endpoint=$(make_endpoint consumer "$cv" "$service" "$eg" $h="$ch") || bail "no endpoint"
eni=$(eni_address consumer "$endpoint" $h)
[ ${#preparing[@]} = 0 ] || wait "${preparing[@]}"
for what in "${tcp_servers[@]}" "${udp_servers[@]}"; do "start_$what"; done

# --- each does its work
for what in "${tcp_servers[@]}" "${udp_servers[@]}"; do
	check "$what works behind the endpoint" wait_for 20 "works_$what"
done

# --- and ends when its rule does
for what in "${tcp_servers[@]}"; do
	"talk_$what" >"$dir/talk-$what" 2>&1 &
	talker[$what]=$!
	remember pid $!
	disown $!
done
talks() { # SERVER: both sides have said more than a greeting
	inside "$c" ss -Htni state established "dport = :${port[$1]}" | grep -oE 'bytes_(acked|received):[0-9]+' | cut -d : -f 2 |
		awk '{ sum += $1 } END { exit sum < 200 }'
}
for what in "${tcp_servers[@]}"; do
	check "a client of $what talks" wait_for 10 talks "$what"
done
has_ended() { ended "${talker[$1]}"; }
for what in "${tcp_servers[@]}"; do
	has_ended "$what" && ok 1 "the client of $what has not ended by itself"
	revoke consumer "$eg" "$(rule_of "$what" TCP)"
done
for what in "${tcp_servers[@]}"; do
	check "the client of $what ends when the rule is revoked" wait_for 2 has_ended "$what"
	says=ends_$what
	check "and says why" grep -E "${!says}" "$dir/talk-$what"
done
for what in "${tcp_servers[@]:0:1}"; do
	authorize consumer "$eg" "$(rule_of "$what" TCP)"
	check "with its rule again $what works" wait_for 5 "works_$what"
done

ticks() { wc -l <"$dir/talk-dtls"; }
ticks_on() { # one more comes
	local before
	before=$(ticks)
	sleep 0.3
	[ "$(ticks)" -gt "$before" ]
}
is_silent() { ! ticks_on; }
for what in "${udp_servers[@]}"; do
	if [ "$what" = dtls ]; then
		talk_dtls >"$dir/talk-dtls" 2>/dev/null &
		remember pid $!
		disown $!
		check "a client of dtls is told something all the time" wait_for 3 ticks_on
	fi
	revoke consumer "$eg" "$(rule_of "$what" UDP)"
	case $what in
	dns) check "without its rule dns gives up" wait_for 2 fails 1 'timed out' in_consumer python3 "$peer" ask "$eni" "${port[dns]}" 100 ;;
	ntp) check "without its rule ntp gives up" wait_for 2 fails 1 'Timeout reached' ask_time 1 ;;
	dtls) check "without its rule dtls is silent" wait_for 2 is_silent ;;
	esac
done

finish
