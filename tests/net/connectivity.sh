#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Connectivity tests as nodes carry them out: what each step says of a good and of a bad way, that the process which looks
# has no right and nothing of the agent's, and how a test ends when the node does not answer.
#
#      c (consumer's VPC)  ──  endpoint, two zones  ──  s (provider's), HTTPS on 443 as $tls/mode says
#      d (the same VPC), o (another VPC of the consumer's)
. "$(dirname "$0")/lib.sh" || exit 1
h=cn-hangzhou-h i=cn-hangzhou-i
tls=$dir/tls
agent_arguments=(--log-level debug)

mkdir -p "$tls" "$dir/state"
as_ca() { "$build/src/cmd/privlink" --state-dir "$dir/state" ca "$@"; }
as_ca init >/dev/null || bail "no CA"
lab_start
account consumer
account provider
cv=$(make_vpc consumer 10.0.0.0/16) ov=$(make_vpc consumer 10.0.0.0/16) pv=$(make_vpc provider 10.0.0.0/16)
ch=$(make_vswitch consumer "$cv" $h 10.0.1.0/24) ci=$(make_vswitch consumer "$cv" $i 10.0.2.0/24)
oh=$(make_vswitch consumer "$ov" $h 10.0.1.0/24)
ph=$(make_vswitch provider "$pv" $h 10.0.1.0/24) pi=$(make_vswitch provider "$pv" $i 10.0.2.0/24)
cg=$(make_group consumer "$cv") og=$(make_group consumer "$ov") pg=$(make_group provider "$pv")
eg=$(make_group consumer "$cv" TCP:443/443:10.0.0.0/16 ICMP:-1/-1:10.0.0.0/16)
c=$(make_instance consumer "$ch" "$cg") d=$(make_instance consumer "$ch" "$cg") o=$(make_instance consumer "$oh" "$og")
s=$(make_instance provider "$ph" "$pg")
nlb=$(make_nlb provider "$pv" $h="$ph" $i="$pi")
make_listener provider "$nlb" TCP 443 "$(make_server_group provider "$pv" TCP 443 "$s")" >/dev/null
as provider call nlb UpdateLoadBalancerAttribute LoadBalancerId="$nlb" CrossZoneEnabled=true >/dev/null
service=$(make_service provider "$nlb" $h $i)
allow provider "$service" "$(uid_of consumer)"
endpoint=$(make_endpoint consumer "$cv" "$service" "$eg" $h="$ch" $i="$ci") || bail "no endpoint"
domain=$(as consumer call privatelink GetVpcEndpointAttribute EndpointId="$endpoint" | jq -r .EndpointDomain)

certificate() { # NAME SAN
	as_ca issue --name "$1" --san "DNS:$2" --out "$tls/$1.d" >/dev/null && cp "$tls/$1.d/$1.crt" "$tls/$1.crt" &&
		cp "$tls/$1.d/$1.key" "$tls/$1.key"
}
certificate good "$domain" && certificate other other.test || bail "no certificate"
{
	printf '[req]\nprompt=no\ndistinguished_name=dn\nx509_extensions=ext\n[dn]\nCN=huge.test\n[ext]\nnsComment="'
	head -c 1000000 /dev/zero | tr '\0' x
	printf '"\n'
} >"$tls/huge.conf"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$tls/huge.key" -out "$tls/huge.crt" -days 3 \
	-config "$tls/huge.conf" 2>/dev/null && [ "$(stat -c %s "$tls/huge.crt")" -gt 1000000 ] || bail "no large certificate"
mode() { echo "$1" >"$tls/mode"; }
mode good
serve "$s" python3 "$source_dir/tests/net/backend.py" "$tls"
answers() { inside "$c" timeout 1 bash -c "exec 3<>/dev/tcp/$(eni_address consumer "$endpoint" $i)/443"; }
wait_for 10 answers || bail "the server does not answer"

test_it() { # INSTANCE [OPTION…]: the answer into $dir/answer
	as consumer endpoint test "$endpoint" --instance "$@" -o json >"$dir/answer" 2>"$dir/error"
}
result() { # KIND [ZONE]: result and code, of the answer
	jq -r --arg k "$1" --arg z "${2-}" \
		'[.Steps[] | select(.Kind == $k and ($z == "" or .ZoneId == $z)) | "\(.Result) \(.Code)"] | unique | join("; ")' \
		"$dir/answer" | sed 's/ $//'
}
verdict() { jq -r '.Verdict // .Status' "$dir/answer"; }
text() { jq -r --arg k "$1" '[.Steps[] | select(.Kind == $k)][0].Text' "$dir/answer"; }

# --- a good way
passes() { grep -c 'pass full=0' "$dir/agent.log"; }
quiet() { local n; n=$(passes) && sleep 1 && [ "$(passes)" = "$n" ]; }
wait_for 10 grep -q ': healthy server=' "$dir/agent.log" # which makes a plan
wait_for 10 quiet
before=$(passes)
test_it "$c"
is $? 0 "the status is 0 where the endpoint is reached"
is "$(verdict)" Reachable "name, both zones, TLS and HEAD are well"
is "$(result Name)|$(result Ping)|$(result Connect)|$(result Tls)|$(result Head)" "Ok|Ok|Ok|Ok|Ok" "each step says so"
is "$(jq '.Steps | length' "$dir/answer")" 9 "one name, and four steps in each of two zones"
is "$(jq -r .Port "$dir/answer")" 443 "the port is the service's listener's"
is "$(text Head)" "HTTP/1.1 204 No Content" "of the answer to HEAD the status line is kept"
text Tls | grep -q "^TLS1.[23], certificate of $domain from 20..-..-.. to 20..-..-..$"
ok $? "of the certificate version, names and dates"
is "$(tr -d '\r' <"$tls/request" | head -n 2 | paste -sd '|')" "HEAD / HTTP/1.1|Host: $domain" "what was asked for is HEAD / of the endpoint's name"
is "$(jq -r '"\(.Path.Verdict) \(.Agree)"' "$dir/answer")" "Reachable true" "the path of that moment says the same"
jq -e 'all(.Steps[]; .LatencyUs > 0)' "$dir/answer" >/dev/null
ok $? "each step tells how long it took"
sleep 0.5
is "$(passes)" "$before" "the node made no plan because of it"
table=$(as consumer endpoint test "$endpoint" --instance "$c")
is "$(tail -n 1 <<<"$table")" Reachable "people get the steps and the verdict"
[ "$(LC_ALL=C.UTF-8 wc -L <<<"$table")" -le 80 ]
ok $? "within 80 columns"
id=$(as consumer endpoint test "$endpoint" --instance "$c" --no-wait)
ended_well() { as consumer call privlink GetConnectivityTest TestId="$id" | jq -e '.Status == "Finished"'; }
check "a test goes on without its caller" wait_for 5 ended_well
is "$(as consumer endpoint tests "$endpoint" -o json | jq '.Tests | length')" 3 "they are listed"

# --- bad ways
test_it "$o"
is $? 1 "the status is 1 where it is not reached"
is "$(verdict)|$(result Name)|$(result Ping)|$(result Connect)|$(result Tls)|$(result Head)" \
	"Unreachable|Failed NameNotFound|Failed Timeout|Failed Timeout|Skipped NoConnection|Skipped NoConnection" "from another VPC nothing is reached"
revoke consumer "$eg" TCP:443/443:10.0.0.0/16
closed() { ! answers; }
wait_for 5 closed
test_it "$c"
is "$(verdict)|$(result Name)|$(result Ping)|$(result Connect)" "Unreachable|Ok|Ok|Failed Timeout" \
	"without the rule for 443 there is an echo and no connection"
is "$(jq -r '"\(.Path.Verdict) \(.Agree) \(.Path.Cause.HopId | sub("/.*"; ""))"' "$dir/answer")" "Unreachable true GroupIn" "and so does the path, which names the group"
authorize consumer "$eg" TCP:443/443:10.0.0.0/16
wait_for 5 answers
test_it "$c" --port 444
is "$(verdict)|$(result Connect | sed 's/ .*//')" "Unreachable|Failed" "a port that the service does not have"
mode other
test_it "$c"
is "$(verdict)|$(result Tls)|$(result Head)" "Partial|Failed CertificateName|Skipped NoTls" "a certificate of another name"
text Tls | grep -q other.test
ok $? "which is told"
mode huge
test_it "$c"
is "$(verdict)|$(result Tls)" "Partial|Failed CertificateTooLarge" "a certificate of 1 MB"
mode plain
test_it "$c"
is "$(result Connect)|$(result Tls)" "Ok|Failed NotTls" "a server that speaks no TLS"
is "$(jq -r '"\(.Path.Verdict) \(.Agree)"' "$dir/answer")" "Reachable false" "of which the path knows nothing: they do not agree"
mode endless
test_it "$c"
is "$(verdict)|$(result Head)" "Reachable|Ok" "headers without end: no more than the first line is read"
mode babble
test_it "$c"
is "$(result Tls)|$(result Head)" "Ok|Failed HeadTooLong" "a status line without end"

# --- what the first broken thing is, and what to do (privlink diagnose)
export PRIVLINK_AGENT_SOCKET=$dir/run/agent.sock
ask() {
	as consumer diagnose "$c" "$endpoint:443" >"$dir/answer" 2>"$dir/error"
	code=$?
}
is_cause() { # NAME CODE ADVICE: code of the cause, and a word of what to do about it
	is "$code|$(sed -n 's/^Cause (\(.*\)): .*/\1/p' "$dir/answer")" "3|$2" "diagnose: $1"
	sed -n '/^Fix: /,$p' "$dir/answer" | paste -sd ' ' | tr -s ' ' | grep -q "$3"
	ok $? "and what to do: $3"
}
diagnosed() { # as is_cause
	ask
	is_cause "$@"
}
mode good
as consumer diagnose "$c" "$domain:443" >"$dir/answer" 2>"$dir/error"
is "$?|$(grep -c '^Cause' "$dir/answer")|$(head -n 1 "$dir/answer")" "0|0|Reachable: TCP 443" "diagnose finds nothing where nothing is broken"
grep -q '^Tried from the instance: Reachable$' "$dir/answer" &&
	grep -qE '^Of the instance its node saw [1-9][0-9]* packets go and [1-9][0-9]* come\.$' "$dir/answer"
ok $? "it has tried, and seen the packets"
as consumer diagnose "$c" "$endpoint" -o json >"$dir/answer"
is "$(jq -r '"\(.Verdict) \(.Probe.Verdict) \(.Seen.Sent > 0) \(.ProbeCause)"' "$dir/answer")" "Reachable Reachable true null" "-o json has all of it"
mode other
diagnosed "a certificate of another name" CertificateName "certificate of the endpoint's name"
mode huge
diagnosed "a certificate of 1 MB" CertificateTooLarge "to be fewer"
mode plain
diagnosed "a server that speaks no TLS" NotTls "another port"
mode babble
diagnosed "a server that speaks no HTTP" HeadTooLong "no server of HTTP"
mode good
gateway=$(inside "$c" ip -j route show default | jq -r '.[0].gateway') mac=$(inside "$c" ip -j link show eth0 | jq -r '.[0].address')
enis="$(eni_address consumer "$endpoint" $h) $(eni_address consumer "$endpoint" $i)"
for kind in unreachable prohibit; do
	for eni in $enis; do inside "$c" ip route add $kind "$eni/32"; done
	[ $kind = unreachable ] && diagnosed "an instance without a route" NoRoute "ip route" ||
		diagnosed "an instance that refuses itself" SocketFailed "firewall"
	for eni in $enis; do inside "$c" ip route del $kind "$eni/32"; done
done
inside "$c" ip route add unreachable 100.100.2.136/32
diagnosed "an instance that does not reach the resolver" NoRoute "ip route"
inside "$c" ip route del unreachable 100.100.2.136/32
for _ in 1 2; do # once a minute the agent mends it
	inside "$c" ip link set eth0 address 02:00:00:00:00:01
	ask
	[ "$(inside "$c" ip -j link show eth0 | jq -r '.[0].address')" = "$mac" ] || break
done
is_cause "an instance with another MAC" bad_mac "ip link"
inside "$c" ip link set eth0 address "$mac"
inside "$c" ip neigh flush dev eth0
for to in "$gateway" $enis; do inside "$c" ip neigh replace "$to" lladdr 02:00:00:00:00:02 dev eth0 nud permanent; done
diagnosed "an instance that has a wrong neighbour" not_gateway "ip neigh"
for to in "$gateway" $enis; do inside "$c" ip neigh del "$to" dev eth0; done
for what in add del; do
	inside "$c" ip addr $what 10.0.1.222/24 dev eth0
	inside "$c" ip route $what 10.0.0.0/8 dev eth0 src 10.0.1.222 metric 1 2>/dev/null
	for eni in $enis; do inside "$c" ip route $what "$eni/32" via "$gateway" src 10.0.1.222 2>/dev/null; done
	[ $what = del ] || diagnosed "an instance with another address" bad_source "ip addr"
done
revoke consumer "$eg" TCP:443/443:10.0.0.0/16
wait_for 5 closed
diagnosed "a rule that is not there" InRefusedByDefault "privlink sg authorize"
authorize consumer "$eg" TCP:443/443:10.0.0.0/16
wait_for 5 answers
mode silent
diagnosed "a server that accepts and says nothing" Timeout "nothing comes back"
mode good
unset PRIVLINK_AGENT_SOCKET

# --- the process that looks, while a server says nothing
mode silent
id=$(as consumer endpoint test "$endpoint" --instance "$c" --no-wait)
child() { cat "/proc/$agent_pid/task/$agent_pid/children"; }
looks() { [ -n "$(child)" ] && [ "$(cat "/proc/$(child | tr -d ' ')/comm")" = privlink-test ] && grep -q '^NoNewPrivs:.1' "/proc/$(child | tr -d ' ')/status"; }
wait_for 10 looks
waits() { inside "$c" ss -Htn state established dport = :443 | grep -q .; } # for what the server says
wait_for 10 waits
pid=$(child | tr -d ' ')
# It has three seconds for that, so what is there of it is written down first, and looked at afterwards.
links() { readlink "/proc/$1/fd/"* | sort -u; }
links "$pid" >"$dir/child.links"
links "$agent_pid" >"$dir/agent.links"
cat "/proc/$pid/status" >"$dir/child.status"
cat "/proc/$pid/limits" >"$dir/child.limits"
network=$(stat -Lc %i "/proc/$pid/ns/net")
namespaces=$(readlink "/proc/$pid/ns/mnt" "/proc/$pid/ns/pid" "/proc/$pid/ns/user")
is "$(as consumer call privlink GetConnectivityTest TestId="$id" | jq -r .Status)" Running "the test is Running meanwhile"
as consumer endpoint test "$endpoint" --instance "$c" >/dev/null 2>"$dir/error"
grep -q QuotaExceeded.ConnectivityTestPerInstance "$dir/error"
ok $? "another one from the instance is refused"
status() { sed -n "s/^$1:\\s*//p" "$dir/child.status" | tr '\t' ' ' | sed 's/ *$//'; }
is "$(status Uid)|$(status Gid)|$(status Groups)" "65534 65534 65534 65534|65534 65534 65534 65534|" "it is nobody, in no group"
is "$(status CapInh)$(status CapPrm)$(status CapEff)$(status CapBnd)$(status CapAmb)" "$(printf '0%.0s' {1..80})" "it has no capability and can get none"
is "$(status NoNewPrivs)" 1 "nor by a program"
is "$network" "$(stat -Lc %i "/run/netns/$c")" "it is in the instance's network"
is "$namespaces" "$(readlink "/proc/$agent_pid/ns/mnt" "/proc/$agent_pid/ns/pid" "/proc/$agent_pid/ns/user")" \
	"and in nothing else of it"
shared=$(comm -12 "$dir/child.links" "$dir/agent.links" | grep -v '^/dev/null$')
grep -qx 'pipe:\[[0-9]*\]' <<<"$shared"
ok $? "of the agent's descriptors it has its pipe and no other" "$shared"
grep -qvE '^(/dev/null|socket:\[[0-9]+\]|pipe:\[[0-9]+\]|/.*/certs/ca-certificates.crt)$' "$dir/child.links"
is $? 1 "what it has open are sockets, the pipe and the authorities that the instance trusts"
is "$(awk '/^Max (cpu time|core file size|processes|file size)/ { print $(NF-2) }' "$dir/child.limits" | sort | paste -sd ' ')" "0 0 0 5" "its time is limited, and it makes no file and no process"
check "a server that never answers ends its step" wait_for 5 ended_well
as consumer call privlink GetConnectivityTest TestId="$id" >"$dir/answer"
is "$(verdict)|$(result Connect)|$(result Tls)|$(result Head)" "Partial|Ok|Failed Timeout|Skipped NoTls" "and says so"

# --- nodes that do not answer
first=$(as consumer endpoint test "$endpoint" --instance "$c" --no-wait)
wait_for 10 looks
pid=$(child | tr -d ' ')
kill -9 "$agent_pid"
gone() { ended "$pid"; }
check "the process ends with the agent" wait_for 2 gone
start_agent
wait_for 10 node_live
is "$(as consumer call privlink GetConnectivityTest TestId="$first" | jq -r .Status)" Running "an agent that is started anew does not begin it again"
mode good
test_it "$d"
is "$(verdict)" Reachable "but tests that come"
kill -STOP "$agent_pid"
second=$(as consumer endpoint test "$endpoint" --instance "$d" --no-wait)
is_expired() { as consumer call privlink GetConnectivityTest TestId="$1" | jq -e --arg n "$node" '.Status == "Expired" and (.StatusInfo | contains($n))'; }
check "the one whose agent was killed has expired, naming the node" wait_for 20 is_expired "$first"
check "one whose node stands still expires, naming the node" wait_for 20 is_expired "$second"
lasted() { # as privlinkd has it: this test may be late itself
	local times
	times=$(as consumer call privlink GetConnectivityTest TestId="$1" | jq -r '.CreateTime, .EndTime')
	echo $(($(date -d "$(tail -n 1 <<<"$times")" +%s) - $(date -d "$(head -n 1 <<<"$times")" +%s)))
}
took=$(lasted "$second")
[ "$took" -ge 13 ] && [ "$took" -le 18 ]
ok $? "after 15 s" "$took s"
as consumer endpoint test "$endpoint" --instance "$o" >/dev/null 2>"$dir/error" --no-wait
kill -CONT "$agent_pid"
test_it "$d"
is "$(verdict)" Reachable "and when it goes on, so do tests"
is "$(as consumer call privlink GetConnectivityTest TestId="$second" | jq -r .Status)" Expired "what has ended stays so"

# --- instances from which there is none
as consumer call ecs StopInstance InstanceId="$d" >/dev/null
stopped() { as consumer call ecs DescribeInstances "InstanceIds=[\"$d\"]" | jq -e '.Instances.Instance[0].Status == "Stopped"'; }
wait_for 10 stopped
test_it "$d"
grep -q IncorrectInstanceStatus "$dir/error"
ok $? "a stopped instance is refused"
tap=$(as_admin call privlink AttachInstance AccountId="$(uid_of consumer)" VSwitchId="$ch" SecurityGroupId="$cg" Kind=tap Device="tap$$" | jq -r .InstanceId)
test_it "$tap"
grep -q 'OperationUnsupported.ConnectivityTest.*virtual machine' "$dir/error"
ok $? "a virtual machine is refused with the reason"
finish
