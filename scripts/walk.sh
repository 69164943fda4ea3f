# SPDX-License-Identifier: Apache-2.0
# The seven steps of the mission. Sourced by quickstart, which has the daemons running by then.
#
#   account consumer                          account provider
#   VPC 10.0.0.0/16                           VPC 10.0.0.0/16 (the same range)
#     zone h: instance 10.0.1.10                zone h: nginx 10.0.1.10 ┐
#             ENI      10.0.1.100  ─────────►  zone i: nginx 10.0.2.10 ┴ NLB, port 443 = pai-dlc
#     zone i: ENI      10.0.2.100
#   VPC "other" 10.0.0.0/16: two instances, no endpoint, nothing at .100

region=cn-hangzhou
zones=(cn-hangzhou-h cn-hangzhou-i)
fqdn=pai-dlc-vpc.$region.aliyuncs.com
cidr=10.0.0.0/16
eni_address=(10.0.1.100 10.0.2.100)

# ---- calling the API ----

# Runs privlink as one of the accounts, from the files that make_accounts writes; the administrator's key needs none.
as() { # ACCOUNT ARGUMENT...
	local account=$1
	shift
	if [ "$account" = admin ]; then
		"$privlink" --endpoint "https://127.0.0.1:$https" --region "$region" "$@"
	else
		"$privlink" --config "$mine/$account.conf" "$@"
	fi
}

# The same, shown; the first line of what it prints goes to the variable.
make() { # VARIABLE ACCOUNT ARGUMENT...
	local -n result=$1
	local account=$2 error
	shift 2
	error=$mine/last-error
	result=$(as "$account" "$@" 2>"$error") || die "privlink $* failed:" "$(cat "$error")"
	printf '    %-9s privlink %s\n' "$account" "$*"
	[ -z "$result" ] || printf '              %s\n' "${result%%$'\n'*}"
	[[ $result != i-* ]] || echo "$result" >>"$mine/instances"
}

do_as() { # ACCOUNT ARGUMENT...
	local nothing
	make nothing "$@"
}

# One member of the flat JSON objects that privlink prints.
member() { # NAME
	sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" | head -n 1
}

# Runs a command inside an instance and shows it, its output and how it ended.
inside() { # INSTANCE COMMAND...
	local instance=$1 r
	shift
	printf '    [%s]$ %s\n' "$instance" "$*"
	output=$("$privlink" exec "$instance" -- "$@" 2>&1)
	r=$?
	[ -z "$output" ] || printf '%s\n' "$output" | tr -d '\r' | sed '/^$/d; s/^/        /'
	return $r
}

# ---- 1 ----

make_account() { # NAME
	local key
	make uid admin account create --name "$1"
	key=$(as admin account key-create "$uid" --json) || die "no access key for $1"
	access_key=$(member AccessKeyId <<<"$key")
	secret_key=$(member AccessKeySecret <<<"$key")
	say "          access key $access_key"
	(umask 077 && cat >"$mine/$1.conf") <<-END
		# $1 of the quickstart: PRIVLINK_CONFIG=$mine/$1.conf privlink …
		endpoint = https://127.0.0.1:$https
		ca = $state/ca.crt
		region = $region
		access_key_id = $access_key
		access_key_secret = $secret_key
	END
	as "$1" call privatelink OpenPrivateLinkService >/dev/null || die "PrivateLink could not be opened for $1"
}

make_accounts() {
	step "[1/7] Region $region; a consumer and a provider, each with an access key"
	make_account consumer
	CONSUMER_UID=$uid CONSUMER_AK=$access_key CONSUMER_SK=$secret_key
	make_account provider
	PROVIDER_UID=$uid PROVIDER_AK=$access_key PROVIDER_SK=$secret_key
}

# ---- 2 ----

make_nginx() { # INSTANCE ZONE
	local dir=$mine/nginx-$1
	mkdir -p "$dir/tmp" "$mine/www"
	truncate -s 1G "$mine/www/1G"
	cat >"$dir/nginx.conf" <<-END
		user www-data;
		worker_processes 1;
		pid $dir/nginx.pid;
		error_log $dir/error.log;
		events { worker_connections 1024; }
		http {
			access_log $dir/access.log;
			client_body_temp_path $dir/tmp; proxy_temp_path $dir/tmp; fastcgi_temp_path $dir/tmp;
			uwsgi_temp_path $dir/tmp; scgi_temp_path $dir/tmp;
			server {
				listen 443 ssl;
				server_name $fqdn;
				ssl_certificate $mine/service/pai-dlc.crt;
				ssl_certificate_key $mine/service/pai-dlc.key;
				add_header X-Zone $2;
				default_type text/plain;
				location / { return 200 "PAI-DLC, answered in $2\n"; }
				location = /1G { root $mine/www; limit_rate 20m; }
			}
		}
	END
}

start_nginx() { # INSTANCE
	env "$mark=1" "$privlink" exec "$1" -- nginx -e "$mine/nginx-$1/error.log" -c "$mine/nginx-$1/nginx.conf" ||
		die "nginx does not start in $1"
}

stop_nginx() { # INSTANCE
	local pids
	mapfile -t pids < <(ip netns pids "$1")
	stop_processes "${pids[@]}"
}

make_provider() {
	local vpc vswitch group balancer servers listener i instance=()
	step "[2/7] Provider: nginx in two zones behind a load balancer, bound to pai-dlc"
	make vpc provider vpc create --cidr $cidr --name provider --wait
	make group provider sg create --vpc "$vpc" --name servers
	"$privlink" ca issue --name pai-dlc --san "DNS:$fqdn" --out "$mine/service" >/dev/null ||
		die "no certificate for $fqdn could be made"
	for i in 0 1; do
		make "vswitch[$i]" provider vswitch create --vpc "$vpc" --zone "${zones[i]}" --cidr "10.0.$((i + 1)).0/24" --wait
		make "instance[$i]" provider instance run --vswitch "${vswitch[i]}" --security-group "$group" \
			--ip "10.0.$((i + 1)).10" --name "server-${zones[i]}" --wait
		make_nginx "${instance[i]}" "${zones[i]}"
		start_nginx "${instance[i]}"
	done
	backend=("${instance[@]}")
	make balancer provider nlb create --vpc "$vpc" --zone "${zones[0]},${vswitch[0]}" \
		--zone "${zones[1]},${vswitch[1]}" --name pai-dlc --wait
	make servers provider nlb group-create --vpc "$vpc" --name pai-dlc --protocol TCP --health-interval 1 \
		--health-timeout 1 --healthy-threshold 2 --unhealthy-threshold 2 --wait
	do_as provider nlb group-add "$servers" --server "${instance[0]},443" --server "${instance[1]},443" --wait
	make listener provider nlb listener-create --nlb "$balancer" --protocol TCP --port 443 --server-group "$servers" --wait
	do_as admin service bind pai-dlc --nlb "$balancer"
}

# ---- 3 ----

make_consumer() {
	local i
	step "[3/7] Consumer: VPC with the same CIDR, security group, instance; and another VPC"
	make vpc consumer vpc create --cidr $cidr --name consumer --wait
	for i in 0 1; do
		make "consumer_vswitch[$i]" consumer vswitch create --vpc "$vpc" --zone "${zones[i]}" \
			--cidr "10.0.$((i + 1)).0/24" --wait
	done
	make consumer_group consumer sg create --vpc "$vpc" --name endpoint
	do_as consumer sg authorize "$consumer_group" --protocol ICMP --ports -1/-1 --source $cidr
	do_as consumer sg authorize "$consumer_group" --protocol TCP --ports 443 --source $cidr
	make CONSUMER_INSTANCE consumer instance run --vswitch "${consumer_vswitch[0]}" --security-group "$consumer_group" \
		--ip 10.0.1.10 --name workstation --wait
	make_other_vpc
}

make_other_vpc() {
	local vpc vswitch group
	make vpc consumer vpc create --cidr $cidr --name other --wait
	make vswitch consumer vswitch create --vpc "$vpc" --zone "${zones[0]}" --cidr 10.0.1.0/24 --wait
	make group consumer sg create --vpc "$vpc" --name other
	do_as consumer sg authorize "$group" --protocol ICMP --ports -1/-1 --source $cidr
	make OTHER_INSTANCE consumer instance run --vswitch "$vswitch" --security-group "$group" --ip 10.0.1.10 \
		--name other --wait
	make neighbour consumer instance run --vswitch "$vswitch" --security-group "$group" --ip 10.0.1.11 \
		--name neighbour --wait
}

# ---- 4 ----

make_endpoint() {
	local enis
	step "[4/7] CreateVpcEndpoint: privateLink_dlc in two zones"
	make ENDPOINT_ID consumer endpoint create --vpc "$vpc" --service pai-dlc --name privateLink_dlc \
		--zone "${zones[0]},${consumer_vswitch[0]},${eni_address[0]}" \
		--zone "${zones[1]},${consumer_vswitch[1]},${eni_address[1]}" --security-group "$consumer_group" --wait
	as consumer endpoint list | sed 's/^/    /'
	echo
	say "Zones and ENIs"
	as consumer endpoint zones "$ENDPOINT_ID" | sed 's/^/    /'
	mapfile -t enis < <(as consumer endpoint zones "$ENDPOINT_ID" --json | sed -n 's/^ *"EniIp": "\(.*\)",\{0,1\}$/\1/p')
	[ ${#enis[@]} = 2 ] || die "the endpoint should have two ENIs and has ${#enis[@]}"
	ENI_1=${enis[0]} ENI_2=${enis[1]}
	write_environment
}

write_environment() {
	local name
	(
		umask 077
		{
			echo "PRIVLINK_ENDPOINT=127.0.0.1:$https"
			echo "PRIVLINK_HTTP=127.0.0.1:$http"
			echo "PRIVLINK_CA=$state/ca.crt"
			for name in CONSUMER_AK CONSUMER_SK CONSUMER_UID PROVIDER_AK PROVIDER_SK PROVIDER_UID \
				CONSUMER_INSTANCE OTHER_INSTANCE ENDPOINT_ID ENI_1 ENI_2; do
				echo "$name=${!name}"
			done
		} >"$state/quickstart.env.new"
	)
	mv "$state/quickstart.env.new" "$state/quickstart.env"
}

# ---- 5 ----

try_instance() {
	local eni
	step "[5/7] From the instance in the endpoint's VPC"
	for eni in "$ENI_1" "$ENI_2"; do
		inside "$CONSUMER_INSTANCE" ping -c 3 "$eni" || die "the ENI $eni does not answer ping"
	done
	inside "$CONSUMER_INSTANCE" curl -sI "https://$fqdn" || die "the service does not answer (curl: $?)"
	[[ $output == HTTP/* ]] || die "that is not an HTTP answer"
	status_line=${output%%$'\r'*}
}

# ---- 6 ----

counter() { # REASON
	"$privlink" counters "$1" --json | member packets
}

# ICMP messages and TCP segments, retransmitted ones too, that the instance sent so far.
sent_by() { # INSTANCE
	"$privlink" exec "$1" -- cat /proc/net/snmp | awk '
		{ key = $1 }
		!(key in names) { names[key] = $0; next }
		{ n = split(names[key], name, " "); for (i = 2; i <= n; i++) value[key name[i]] = $i }
		END { print value["Icmp:OutMsgs"] + value["Tcp:OutSegs"] + value["Tcp:RetransSegs"] }'
}

try_other_vpc() {
	local before sent after eni
	step "[6/7] From an instance in another VPC: control first, then what must fail"
	inside "$OTHER_INSTANCE" ping -c 1 -W 2 10.0.1.11 || die "the control failed: the neighbour does not answer"
	inside "$OTHER_INSTANCE" "$here/scripts/ask-dns" 100.100.2.136 "$fqdn" ||
		die "the control failed: 100.100.2.136 does not answer"
	inside "$OTHER_INSTANCE" curl -sS "https://$fqdn"
	other_resolve=$?
	[ $other_resolve = 6 ] || die "curl should have failed to resolve (6), and ended with $other_resolve"
	before=$(counter no_place)
	sent=$(sent_by "$OTHER_INSTANCE")
	inside "$OTHER_INSTANCE" curl -sS -m 4 --resolve "$fqdn:443:$ENI_1" "https://$fqdn"
	other_connect=$?
	[ $other_connect = 28 ] || [ $other_connect = 7 ] || die "curl should have failed to connect, and ended with $other_connect"
	for eni in "$ENI_1" "$ENI_2"; do
		inside "$OTHER_INSTANCE" ping -c 3 -W 1 "$eni" && die "$eni answers ping in the wrong VPC"
		[[ $output == *"100% packet loss"* ]] || die "ping should have lost everything"
	done
	sent=$(($(sent_by "$OTHER_INSTANCE") - sent))
	after=$(counter no_place)
	say "packets sent: $sent; drop counter no_place: $before before, $after after"
	[ $((after - before)) = "$sent" ] && [ "$sent" -gt 6 ] || die "the drop counter should have risen by $sent"
	other_dropped=$sent
}

# ---- 7 ----

# One try at the ENI of a zone, with no more patience than a good answer needs on this machine.
reaches() { # ENI
	"$privlink" exec "$CONSUMER_INSTANCE" -- curl -sI -m "$patience" --connect-timeout "$patience" \
		--resolve "$fqdn:443:$1" -o /dev/null "https://$fqdn"
}

now_ms() {
	date +%s%3N
}

measure_patience() { # ENI
	local began
	patience=10
	began=$(now_ms)
	reaches "$1" || die "the service does not answer at $1"
	patience=$(awk -v ms=$(($(now_ms) - began)) 'BEGIN { print (ms > 125 ? ms / 250 : 0.5) }')
}

# Milliseconds until the ENI serves again.
measure_rescue() { # ENI
	local began
	began=$(now_ms)
	until reaches "$1"; do
		[ $(($(now_ms) - began)) -lt 15000 ] || die "the other zone does not come to the rescue"
		sleep 0.1
	done
	rescue_ms=$(($(now_ms) - began))
}

# By name, and at the address of the very zone that has no backend any more.
all_work() { # ENI
	local i
	for i in {1..5}; do
		"$privlink" exec "$CONSUMER_INSTANCE" -- curl -sI -m 10 -o /dev/null "https://$fqdn" ||
			die "curl by name failed ($?)"
		reaches "$1" || die "curl to the zone's own ENI failed ($?)"
	done
	say "5 times by name and 5 times to the zone's own ENI $1: all work"
}

try_failures() {
	step "[7/7] The backend of ${zones[0]} goes: stopped, then blackholed"
	measure_patience "$ENI_1"
	say "nginx in ${zones[0]} is stopped"
	stop_nginx "${backend[0]}"
	measure_rescue "$ENI_1"
	stopped_ms=$rescue_ms
	say "served from the other zone after $stopped_ms ms"
	all_work "$ENI_1"
	start_nginx "${backend[0]}"
	wait_until 15 answered_in "${zones[0]}" "$ENI_1" || die "${zones[0]} does not serve again"
	say "nginx in ${zones[0]} is back and serves; now its instance drops every answer"
	nsenter --net="/run/netns/${backend[0]}" ip route add blackhole 100.64.0.0/10 || die "cannot blackhole ${backend[0]}"
	sleep 0.2
	measure_rescue "$ENI_1"
	blackholed_ms=$rescue_ms
	say "served from the other zone after $blackholed_ms ms"
	all_work "$ENI_1"
	nsenter --net="/run/netns/${backend[0]}" ip route del blackhole 100.64.0.0/10
}

answered_in() { # ZONE ENI
	"$privlink" exec "$CONSUMER_INSTANCE" -- curl -s -m 2 --resolve "$fqdn:443:$2" "https://$fqdn" | grep -q "$1"
}

# ---- the end ----

summary() { # SECONDS
	step "Done in $1 s"
	cat <<-END
		    endpoint      $ENDPOINT_ID (privateLink_dlc): Active, Connected
		    ENIs          $ENI_1 in ${zones[0]}, $ENI_2 in ${zones[1]}; both answer ping
		    service       https://$fqdn: $status_line
		    other VPC     the name does not resolve (curl: $other_resolve), the address does not connect (curl: $other_connect),
		                  ping loses all; $other_dropped packets sent, $other_dropped dropped as no_place
		    lost backend  stopped: rescued after $stopped_ms ms; blackholed: after $blackholed_ms ms
		    settings      $state/quickstart.env

		Next, try:
		    export PATH=$(printf %q "$build")/src/cmd:\$PATH PRIVLINK_CONFIG=$mine/consumer.conf
		    privlink exec $CONSUMER_INSTANCE -- curl -s https://$fqdn
		    privlink exec $CONSUMER_INSTANCE -- bash
		    privlink endpoint list
		    privlink endpoint show $ENDPOINT_ID
		    privlink counters
		    privlink sg revoke $consumer_group --protocol TCP --ports 443 --source $cidr
		    $(printf %q "$here")/quickstart --down
	END
}
