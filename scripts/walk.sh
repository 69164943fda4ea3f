# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The steps of the walk. Sourced by quickstart, which has the daemons running by then.
#
#   account consumer                          account provider
#   VPC 10.0.0.0/16                           VPC 10.0.0.0/16 (the same range)
#     zone h: instance 10.0.1.10                zone h: nginx 10.0.1.10 ┐ ports 443, 444, 445, each behind a
#             ENIs     10.0.1.100-102 ──────►   zone i: nginx 10.0.2.10 ┘ load balancer of its own, port 443 =
#     zone i: ENIs     10.0.2.100-102                                     pai-dlc, pai-dsw, aiworkspace
#   VPC "other" 10.0.0.0/16: two instances, no endpoint, nothing at .100

region=cn-hangzhou
poor_region=cn-shanghai # which has DLC and DSW, and no AIWorkspace
zones=(cn-hangzhou-h cn-hangzhou-i)
services=(pai-dlc pai-dsw aiworkspace)
short_names=(dlc dsw aiworkspace)
cidr=10.0.0.0/16

fqdn_of() { # SERVICE
	echo "$1-vpc.$region.aliyuncs.com"
}
fqdn=$(fqdn_of pai-dlc)

# ---- calling the API ----

# Runs privlink as one of the accounts, from the files that make_accounts writes; the administrator's key needs none, and root's
# own settings are for another API.
as() { # ACCOUNT ARGUMENT...
	local account=$1
	shift
	if [ "$account" = admin ]; then
		"$privlink" --config /dev/null --endpoint "https://127.0.0.1:$https" --region "$region" "$@"
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
	[[ $result != i-* ]] || note instances "$result"
}

do_as() { # ACCOUNT ARGUMENT...
	local nothing
	make nothing "$@"
}

# One member of the flat JSON objects that privlink prints.
member() { # NAME
	sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" | head -n 1
}

show_inside() { # INSTANCE COMMAND... ; output has what it printed
	printf '    [%s]$ %s\n' "$1" "${*:2}"
	[ -z "$output" ] || printf '%s\n' "$output" | tr -d '\r' | sed '/^$/d; s/^/        /'
}

# Runs a command inside an instance and shows it, its output and how it ended.
inside() { # INSTANCE COMMAND...
	local r
	output=$("$privlink" exec "$1" -- "${@:2}" 2>&1)
	r=$?
	show_inside "$@"
	return $r
}

# Runs a command inside an instance once for each of the values, all at the same time; in the command {1} stands for a value's
# first word and {2} for its second. Fills statuses and outputs in their order.
inside_for_each() { # INSTANCE VALUE... -- COMMAND...
	local instance=$1 dir=$mine/together pids=() commands=() words command i=0
	shift
	while [ "$1" != -- ]; do
		commands+=("$1")
		shift
	done
	shift
	rm -rf "$dir"
	mkdir "$dir" || die "cannot make $dir"
	for i in "${!commands[@]}"; do
		read -ra words <<<"${commands[i]}"
		command=("${@//\{1\}/${words[0]}}")
		command=("${command[@]//\{2\}/${words[1]-}}")
		commands[i]=${command[*]}
		"$privlink" exec "$instance" -- "${command[@]}" >"$dir/$i" 2>&1 &
		pids+=($!)
	done
	statuses=() outputs=()
	for i in "${!commands[@]}"; do
		wait "${pids[i]}"
		statuses+=($?)
		output=$(<"$dir/$i")
		outputs+=("$output")
		show_inside "$instance" "${commands[i]}"
	done
	rm -rf "$dir"
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
	step "[1/9] Region $region; a consumer and a provider, each with an access key"
	make_account consumer
	CONSUMER_UID=$uid CONSUMER_AK=$access_key CONSUMER_SK=$secret_key
	make_account provider
	PROVIDER_UID=$uid PROVIDER_AK=$access_key PROVIDER_SK=$secret_key
}

# ---- 2 ----

make_certificates() {
	local service
	for service in "${services[@]}"; do
		"$privlink" ca issue --name "$service" --san "DNS:$(fqdn_of "$service")" --out "$mine/service" >/dev/null ||
			die "no certificate for $(fqdn_of "$service") could be made"
	done
}

nginx_server() { # SERVICE PORT ZONE
	cat <<-END
		server {
			listen $2 ssl;
			server_name $(fqdn_of "$1");
			ssl_certificate $mine/service/$1.crt;
			ssl_certificate_key $mine/service/$1.key;
			add_header X-Service $1;
			add_header X-Zone $3;
			default_type text/plain;
			location / { return 200 "${1^^}, answered in $3\n"; }
			location = /1G { root $mine/www; limit_rate 20m; }
		}
	END
}

make_nginx() { # INSTANCE ZONE
	local dir=$mine/nginx-$1 i
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
		$(for i in "${!services[@]}"; do nginx_server "${services[i]}" $((443 + i)) "$2"; done)
		}
	END
}

start_nginx() { # INSTANCE
	env -u "$run_mark" "$privlink" exec "$1" -- nginx -e "$mine/nginx-$1/error.log" -c "$mine/nginx-$1/nginx.conf" {told}>&- ||
		die "nginx does not start in $1"
}

stop_nginx() { # INSTANCE
	local pids
	mapfile -t pids < <(ip netns pids "$1")
	stop_processes "${pids[@]}"
}

make_provider() {
	local vpc group i vswitch=() instance=()
	step "[2/9] Provider: nginx in two zones, and a load balancer for each of ${services[*]}"
	make vpc provider vpc create --cidr $cidr --name provider --wait
	make group provider sg create --vpc "$vpc" --name servers
	make_certificates
	for i in 0 1; do
		make "vswitch[$i]" provider vswitch create --vpc "$vpc" --zone "${zones[i]}" --cidr "10.0.$((i + 1)).0/24" --wait
		make "instance[$i]" provider instance run --vswitch "${vswitch[i]}" --security-group "$group" \
			--ip "10.0.$((i + 1)).10" --name "server-${zones[i]}" --wait
		make_nginx "${instance[i]}" "${zones[i]}"
		start_nginx "${instance[i]}"
	done
	backend=("${instance[@]}")
	for i in "${!services[@]}"; do
		make_service "${services[i]}" $((443 + i))
	done
}

# Of make_provider's VPC, vSwitches and instances.
make_service() { # SERVICE PORT
	local balancer servers listener
	make balancer provider nlb create --vpc "$vpc" --zone "${zones[0]},${vswitch[0]}" \
		--zone "${zones[1]},${vswitch[1]}" --name "$1" --wait
	make servers provider nlb group-create --vpc "$vpc" --name "$1" --protocol TCP --health-interval 1 \
		--health-timeout 1 --healthy-threshold 2 --unhealthy-threshold 2 --wait
	do_as provider nlb group-add "$servers" --server "${instance[0]},$2" --server "${instance[1]},$2" --wait
	make listener provider nlb listener-create --nlb "$balancer" --protocol TCP --port 443 --server-group "$servers" --wait
	do_as admin service bind "$1" --nlb "$balancer"
}

# ---- 3 ----

make_consumer() {
	local i group
	step "[3/9] Consumer: VPC with the same CIDR, an instance, a security group for endpoints; and another VPC"
	make vpc consumer vpc create --cidr $cidr --name consumer --wait
	for i in 0 1; do
		make "consumer_vswitch[$i]" consumer vswitch create --vpc "$vpc" --zone "${zones[i]}" \
			--cidr "10.0.$((i + 1)).0/24" --wait
	done
	make group consumer sg create --vpc "$vpc" --name workstation
	make CONSUMER_INSTANCE consumer instance run --vswitch "${consumer_vswitch[0]}" --security-group "$group" \
		--ip 10.0.1.10 --name workstation --wait
	make endpoint_group consumer sg create --vpc "$vpc" --name endpoints
	do_as consumer sg authorize "$endpoint_group" --protocol ICMP --ports -1/-1 --source $cidr
	do_as consumer sg authorize "$endpoint_group" --protocol TCP --ports 443 --source $cidr
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

make_endpoints() {
	local i id
	step "[4/9] CreateVpcEndpoint: one for each service, in two zones"
	endpoints=() enis=()
	for i in "${!services[@]}"; do
		make id consumer endpoint create --vpc "$vpc" --service "${services[i]}" --name "privateLink_${short_names[i]}" \
			--zone "${zones[0]},${consumer_vswitch[0]},10.0.1.$((100 + i))" \
			--zone "${zones[1]},${consumer_vswitch[1]},10.0.2.$((100 + i))" --security-group "$endpoint_group" --wait
		endpoints+=("$id")
	done
	as consumer endpoint list | sed 's/^/    /'
	for id in "${endpoints[@]}"; do
		echo
		say "Zones and ENIs of $id"
		as consumer endpoint zones "$id" | sed 's/^/    /'
		mapfile -t -O ${#enis[@]} enis < <(eni_addresses "$id")
	done
	[ ${#enis[@]} = 6 ] || die "the endpoints should have six ENIs and have ${#enis[@]}"
	ENDPOINT_ID=${endpoints[0]} ENI_1=${enis[0]} ENI_2=${enis[1]}
	DSW_ENDPOINT_ID=${endpoints[1]} DSW_ENI_1=${enis[2]} DSW_ENI_2=${enis[3]}
	AIWORKSPACE_ENDPOINT_ID=${endpoints[2]} AIWORKSPACE_ENI_1=${enis[4]} AIWORKSPACE_ENI_2=${enis[5]}
	write_environment
}

eni_addresses() { # ENDPOINT
	as consumer endpoint zones "$1" --json | sed -n 's/^ *"EniIp": "\(.*\)",\{0,1\}$/\1/p'
}

write_environment() {
	local name
	(
		umask 077
		{
			echo "PRIVLINK_ENDPOINT=127.0.0.1:$https"
			echo "PRIVLINK_HTTP=127.0.0.1:$http"
			echo "PRIVLINK_CA=$state/ca.crt"
			for name in CONSUMER_AK CONSUMER_SK CONSUMER_UID PROVIDER_AK PROVIDER_SK PROVIDER_UID CONSUMER_INSTANCE \
				OTHER_INSTANCE ENDPOINT_ID ENI_1 ENI_2 DSW_ENDPOINT_ID DSW_ENI_1 DSW_ENI_2 AIWORKSPACE_ENDPOINT_ID \
				AIWORKSPACE_ENI_1 AIWORKSPACE_ENI_2; do
				echo "$name=${!name}"
			done
		} >"$state/quickstart.env.new"
	) && mv "$state/quickstart.env.new" "$state/quickstart.env" || die "cannot write $state/quickstart.env"
}

# ---- 5 ----

try_instance() {
	local i service
	step "[5/9] From the instance in the endpoints' VPC"
	inside_for_each "$CONSUMER_INSTANCE" "${enis[@]}" -- ping -c 3 {1}
	for i in "${!enis[@]}"; do
		[ "${statuses[i]}" = 0 ] || die "the ENI ${enis[i]} does not answer ping"
	done
	for service in "${services[@]}"; do
		inside "$CONSUMER_INSTANCE" curl -sI "https://$(fqdn_of "$service")" || die "$service does not answer (curl: $?)"
		[[ $output == HTTP/*"X-Service: $service"* ]] || die "that is not an HTTP answer of $service"
		status_line=${output%%$'\r'*}
	done
}

# ---- 6 ----

most_patience=30 # seconds, for a try of which only matters whether it is answered

# One try at the ENI of a zone, with no more patience than a good answer needs on this machine.
reaches() { # ENI
	"$privlink" exec "$CONSUMER_INSTANCE" -- curl -sI -m "$patience" --connect-timeout "$patience" \
		--resolve "$fqdn:443:$1" -o /dev/null "https://$fqdn"
}

now_ms() {
	date +%s%3N
}

# Also how long a rescue may take: four tries in vain are not held against it.
measure_patience() { # ENI
	local began ms
	patience=$most_patience
	began=$(now_ms)
	reaches "$1" || die "the service does not answer at $1"
	ms=$(($(now_ms) - began))
	patience=$(awk -v ms=$ms 'BEGIN { print (ms > 125 ? ms / 250 : 0.5) }')
	rescue_limit_ms=$((15000 + 16 * ms))
}

# The drop counter tells it from a try that this machine was too busy for.
is_shut() { # ENI POLICY_IN_BEFORE
	! reaches "$1" && [ "$(counter policy_in)" -gt "$2" ]
}

try_security_group() {
	local before after
	measure_patience "$ENI_1"
	step "[6/9] The endpoints' security group closes and opens"
	as consumer sg rules "$endpoint_group" | sed 's/^/    /'
	before=$(counter policy_in)
	do_as consumer sg revoke "$endpoint_group" --protocol TCP --ports 443 --source $cidr
	wait_until 30 is_shut "$ENI_1" "$before" || die "the service still answers without a rule for port 443"
	inside "$CONSUMER_INSTANCE" curl -sSI -m 2 "https://$fqdn"
	[ $? = 28 ] || die "curl should have timed out (28)"
	inside "$CONSUMER_INSTANCE" ping -c 1 "$ENI_1" || die "ping has a rule of its own and should be answered"
	after=$(counter policy_in)
	say "drop counter policy_in: $before before, $after after"
	[ "$after" -gt "$before" ] || die "the drop counter should have risen"
	do_as consumer sg authorize "$endpoint_group" --protocol TCP --ports 443 --source $cidr
	wait_until 30 reaches "$ENI_1" || die "the service does not answer with the rule back"
	inside "$CONSUMER_INSTANCE" curl -sI "https://$fqdn" || die "the service does not answer (curl: $?)"
}

# ---- 7 ----

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

# No name resolves there; the question is answered, so it is not the resolver that fails.
try_other_names() {
	local service names=()
	for service in "${services[@]}"; do
		names+=("$(fqdn_of "$service")")
	done
	inside_for_each "$OTHER_INSTANCE" "${names[@]}" -- "$here/scripts/ask-dns" 100.100.2.136 {1}
	[ "${statuses[*]}" = "0 0 0" ] || die "the control failed: 100.100.2.136 does not answer"
	inside_for_each "$OTHER_INSTANCE" "${names[@]}" -- curl -sS https://{1}
	[ "${statuses[*]}" = "6 6 6" ] || die "curl should have failed to resolve (6), and ended with ${statuses[*]}"
	other_resolve=6
}

try_other_addresses() {
	local i status targets=()
	for i in "${!enis[@]}"; do
		targets+=("$(fqdn_of "${services[i / 2]}") ${enis[i]}")
	done
	inside_for_each "$OTHER_INSTANCE" "${targets[@]}" -- curl -sS -m 4 --resolve {1}:443:{2} https://{1}
	other_connect=$(printf '%s\n' "${statuses[@]}" | sort -u | paste -sd ' ')
	for status in "${statuses[@]}"; do
		[ "$status" = 28 ] || [ "$status" = 7 ] || die "curl should have failed to connect, and ended with $status"
	done
	inside_for_each "$OTHER_INSTANCE" "${enis[@]}" -- ping -c 3 -W 1 {1}
	for i in "${!enis[@]}"; do
		[ "${statuses[i]}" != 0 ] || die "${enis[i]} answers ping in the wrong VPC"
		[[ ${outputs[i]} == *"100% packet loss"* ]] || die "ping should have lost everything"
	done
}

try_other_vpc() {
	local before sent after
	step "[7/9] From an instance in another VPC: control first, then what must fail"
	inside "$OTHER_INSTANCE" ping -c 1 -W 2 10.0.1.11 || die "the control failed: the neighbour does not answer"
	try_other_names
	before=$(counter no_place)
	sent=$(sent_by "$OTHER_INSTANCE")
	try_other_addresses
	sent=$(($(sent_by "$OTHER_INSTANCE") - sent))
	after=$(counter no_place)
	say "packets sent: $sent; drop counter no_place: $before before, $after after"
	[ $((after - before)) = "$sent" ] && [ "$sent" -gt 18 ] || die "the drop counter should have risen by $sent"
	other_dropped=$sent
}

# ---- 8 ----

# Everything that an endpoint there needs is made, so that the region is the only reason.
try_other_region() {
	local there_vpc there_vswitch there_group arguments
	step "[8/9] Region $poor_region, which has no AIWorkspace"
	make there_vpc consumer --region $poor_region vpc create --cidr $cidr --name shanghai --wait
	make there_vswitch consumer --region $poor_region vswitch create --vpc "$there_vpc" --zone $poor_region-b \
		--cidr 10.0.1.0/24 --wait
	make there_group consumer --region $poor_region sg create --vpc "$there_vpc" --name endpoints
	as consumer --region $poor_region service find | sed 's/^/    /'
	arguments=(--region "$poor_region" endpoint create --vpc "$there_vpc" --service aiworkspace --name privateLink_aiworkspace
		--zone "$poor_region-b,$there_vswitch" --security-group "$there_group")
	printf '    %-9s privlink %s\n' consumer "${arguments[*]}"
	output=$(as consumer "${arguments[@]}" 2>&1) && die "an endpoint of a service that the region does not have was made"
	say "          $output"
	[[ $output == UnsupportedRegion:* ]] || die "the refusal should have been UnsupportedRegion"
	refusal=${output% (*}
}

# ---- 9 ----

# Milliseconds until the ENI serves again.
measure_rescue() { # ENI
	local began
	began=$(now_ms)
	until reaches "$1"; do
		[ $(($(now_ms) - began)) -lt "$rescue_limit_ms" ] || die "the other zone does not come to the rescue"
		sleep 0.1
	done
	rescue_ms=$(($(now_ms) - began))
}

# By name, and at the address of the very zone that has no backend any more.
all_work() { # ENI
	local i
	for i in {1..5}; do
		"$privlink" exec "$CONSUMER_INSTANCE" -- curl -sI -m $most_patience -o /dev/null "https://$fqdn" ||
			die "curl by name failed ($?)"
		patience=$most_patience reaches "$1" || die "curl to the zone's own ENI failed ($?)"
	done
	say "5 times by name and 5 times to the zone's own ENI $1: all work"
}

try_failures() {
	step "[9/9] The backend of ${zones[0]} goes: stopped, then blackholed"
	say "nginx in ${zones[0]} is stopped"
	stop_nginx "${backend[0]}"
	measure_rescue "$ENI_1"
	stopped_ms=$rescue_ms
	say "served from the other zone after $stopped_ms ms"
	all_work "$ENI_1"
	start_nginx "${backend[0]}"
	wait_until 60 answered_in "${zones[0]}" "$ENI_1" || die "${zones[0]} does not serve again"
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
	"$privlink" exec "$CONSUMER_INSTANCE" -- curl -s -m 10 --resolve "$fqdn:443:$2" "https://$fqdn" | grep -q "$1"
}

# ---- the end ----

has_console() {
	curl -sf --noproxy '*' -m 5 -o /dev/null "http://127.0.0.1:$http/console/"
}

# Where this machine is reached by ssh: as whoever sits at it did it, if he did.
ssh_target() {
	local from
	read -ra from <<<"${SSH_CONNECTION-}"
	echo "${SUDO_USER:-$(id -un)}@${from[2]-$(uname -n)}"
}

# How to get into the console. A secret is shown to a person, and does not go into a file.
show_console() {
	local secret="CONSUMER_SK in $state/quickstart.env"
	has_console || return 0
	[ ! -t 1 ] || secret=$CONSUMER_SK
	say "console       http://127.0.0.1:$http/console/#/login?key=$CONSUMER_AK"
	say "              access key secret: $secret"
	say "              from elsewhere, first: ssh -L $http:127.0.0.1:$http $(ssh_target)"
}

summary() { # SECONDS
	local i
	step "Done in $1 s"
	for i in "${!services[@]}"; do
		say "$(printf '%-12s  %s (privateLink_%s): %s and %s answer ping' "${services[i]}" "${endpoints[i]}" "${short_names[i]}" \
			"${enis[2 * i]}" "${enis[2 * i + 1]}")"
		say "              https://$(fqdn_of "${services[i]}"): $status_line"
	done
	cat <<-END
		    security      without its rule for port 443 the endpoints' group lets nobody in; with it, again
		    other VPC     the names do not resolve (curl: $other_resolve), the addresses do not connect (curl: $other_connect),
		                  ping loses all; $other_dropped packets sent, $other_dropped dropped as no_place
		    $(printf '%-12s' $poor_region)  $refusal
		    lost backend  stopped: rescued after $stopped_ms ms; blackholed: after $blackholed_ms ms
		    settings      $state/quickstart.env
	END
	show_console
	cat <<-END

		Next, try:
		    export PATH=$(printf %q "$build")/src/cmd:\$PATH PRIVLINK_CONFIG=$mine/consumer.conf
		    privlink exec $CONSUMER_INSTANCE -- curl -s https://$fqdn
		    privlink exec $CONSUMER_INSTANCE -- bash
		    privlink endpoint list
		    privlink endpoint show $ENDPOINT_ID
		    privlink counters
		    privlink sg rules $endpoint_group
		    privlink sg revoke $endpoint_group --protocol TCP --ports 443 --source $cidr
		    privlink exec $CONSUMER_INSTANCE -- curl -sS -m 3 https://$fqdn     # times out
		    privlink sg authorize $endpoint_group --protocol TCP --ports 443 --source $cidr
		    privlink exec $CONSUMER_INSTANCE -- curl -sS -m 3 https://$fqdn     # answers again
		    $(printf %q "$here")/quickstart --down
	END
}
