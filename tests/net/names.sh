#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Names: the service's own name resolves to the ENIs inside the VPC that has an endpoint for it and nowhere else, and never
# goes to the upstream resolver, which would answer it. Every usual client inside an instance finds the VPC's resolver and
# trusts the local CA, whatever the host's own files say or become. Its own host name and reverse names of private addresses
# are answered, or denied, without anybody outside being asked.
. "$(dirname "$0")/lib.sh" || exit 1
peer=$(cd "$(dirname "$0")" && pwd)/peer.py
h=cn-hangzhou-h i=cn-hangzhou-i
name=pai-dlc-vpc.cn-hangzhou.aliyuncs.com
service=com.aliyuncs.privatelink.cn-hangzhou.pai-dlc
privlink=$build/src/cmd/privlink

mkdir -p "$dir/state" "$dir/web"
"$privlink" ca init --state-dir "$dir/state" >/dev/null || bail "no CA"
"$privlink" ca issue --state-dir "$dir/state" --name web --san "DNS:$name" --out "$dir/web" >/dev/null || bail "no certificate"
lab_start
in_lab ip addr add 127.0.0.53/8 dev lo 2>/dev/null
: >"$dir/upstream"
nsenter --net="/run/netns/$lab" python3 "$peer" dns-upstream 127.0.0.53 "$dir/upstream" 2>>"$dir/serve.log" &
remember pid $!
disown $!
account consumer
account provider
cv=$(make_vpc consumer 10.0.0.0/16) pv=$(make_vpc provider 10.0.0.0/16) ov=$(make_vpc consumer 10.0.0.0/16)
ch=$(make_vswitch consumer "$cv" $h 10.0.1.0/24) ci=$(make_vswitch consumer "$cv" $i 10.0.2.0/24)
oh=$(make_vswitch consumer "$ov" $h 10.0.1.0/24)
ph=$(make_vswitch provider "$pv" $h 10.0.1.0/24) pi=$(make_vswitch provider "$pv" $i 10.0.2.0/24)
cg=$(make_group consumer "$cv" TCP:443/443:10.0.0.0/16 ICMP:-1/-1:10.0.0.0/16) og=$(make_group consumer "$ov")
pg=$(make_group provider "$pv")
c=$(make_instance consumer "$ch" "$cg") o=$(make_instance consumer "$oh" "$og")
s1=$(make_instance provider "$ph" "$pg") s2=$(make_instance provider "$pi" "$pg")
mkdir -p "$dir/www" && echo "it works" >"$dir/www/index.html"
for s in "$s1" "$s2"; do
	serve "$s" python3 "$source_dir/tests/net/https_server.py" 443 "$dir/web/web.crt" "$dir/web/web.key" "$dir/www"
done
nlb=$(make_nlb provider "$pv" $h="$ph" $i="$pi")
make_listener provider "$nlb" TCP 443 "$(make_server_group provider "$pv" TCP 443 "$s1" "$s2")" >/dev/null
as_admin call privlink BindSystemService ServiceName=$service ResourceId="$nlb" >/dev/null || bail "cannot bind"
x() { # INSTANCE COMMAND…: through `privlink exec`
	local id=$1
	shift
	"$privlink" exec --state-dir "$dir/state" "$id" -- "$@"
}
resolves() { x "$1" getent ahostsv4 "$2" | awk '{print $1}' | sort -u; }

check "before there is an endpoint the service's name does not exist" fails 2 "" x "$c" getent ahostsv4 $name
endpoint=$(make_endpoint consumer "$cv" $service "$cg" $h="$ch" $i="$ci") || bail "no endpoint"
eh=$(eni_address consumer "$endpoint" $h) ei=$(eni_address consumer "$endpoint" $i)
want=$(printf '%s\n' "$eh" "$ei" | sort -u)
same() { [ "$(resolves "$c" "$1")" = "$want" ]; }
check "the service's name resolves to both ENIs" wait_for 5 same $name
domain=$(as consumer call privatelink GetVpcEndpointAttribute EndpointId="$endpoint" | jq -r .EndpointDomain)
check "so does the endpoint's domain" same "$domain"
zone_domain=$(as consumer call privatelink ListVpcEndpointZones EndpointId="$endpoint" |
	jq -r --arg z $h '.Zones[] | select(.ZoneId == $z) | .ZoneDomain')
is "$(resolves "$c" "$zone_domain")" "$eh" "a zone's domain resolves to its ENI"
check "in another VPC the service's name does not exist" fails 2 "" x "$o" getent ahostsv4 $name
check "nor does the endpoint's domain" fails 2 "" x "$o" getent ahostsv4 "$domain"
is "$(x "$c" python3 -c "
import socket
try:
    print(socket.getaddrinfo('$name', 443, socket.AF_INET6))
except socket.gaierror as e:
    print(e.errno == socket.EAI_NODATA)
")" True "it has no IPv6 address: that is an answer, and no error"
is "$(resolves "$c" elsewhere.example)" 203.0.113.9 "other names go to the upstream resolver"
check "they do over TCP as well" x "$c" python3 - <<'PY'
import socket, struct
q = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + b"\x09elsewhere\x07example\x00\x00\x01\x00\x01"
s = socket.create_connection(("100.100.2.138", 53), timeout=3)
s.sendall(struct.pack("!H", len(q)) + q)
n = struct.unpack("!H", s.recv(2))[0]
a = s.recv(n)
assert a[:2] == b"\x12\x34" and socket.inet_aton("203.0.113.9") in a, a
PY

wait_for 30 x "$c" curl -sf -o "$dir/first" "https://$name/index.html" # the servers may not listen yet
x "$c" curl -sI "https://$name" >"$dir/curl.out" 2>&1
is $? 0 "curl -sI verifies the certificate and gets an answer"
check "curl" x "$c" curl -sf "https://$name/index.html"
check "wget" x "$c" wget -q -O /dev/null "https://$name/index.html"
tls_verified() { # the server may close without a farewell, which s_client's own status counts as a failure
	x "$c" openssl s_client -connect $name:443 -servername $name -verify_return_error -brief </dev/null 2>&1 |
		grep -q 'Verification: OK'
}
check "openssl s_client verifies" tls_verified
check "Python's ssl" x "$c" python3 -c "import urllib.request as u; assert b'works' in u.urlopen('https://$name/index.html', timeout=5).read()"
check "node" x "$c" node -e "require('https').get('https://$name/index.html', r => process.exit(r.statusCode === 200 ? 0 : 1)).on('error', e => { console.error(e); process.exit(1); })"
check "ip netns exec finds the same files" ip netns exec "$c" curl -sf "https://$name/index.html"

# A host whose own files are different: nsswitch with `resolve`, and a resolv.conf that is renamed into place while a
# process runs. Played in a mount namespace, so that the machine's own files stay as they are.
cat >"$dir/host.sh" <<HOST
set -e
mkdir -p $dir/over/up $dir/over/work
mount -t tmpfs none $dir/over && mkdir -p $dir/over/up $dir/over/work
mount -t overlay overlay -o lowerdir=/etc,upperdir=$dir/over/up,workdir=$dir/over/work /etc
sed -i '/^hosts:/d' /etc/nsswitch.conf
echo 'hosts: resolve [!UNAVAIL=return] files dns' >>/etc/nsswitch.conf
$privlink exec --state-dir $dir/state $c -- python3 -c '
import socket, sys, time
for n in range(4):
    print(sorted({a[4][0] for a in socket.getaddrinfo("$name", 443, socket.AF_INET)}), flush=True)
    time.sleep(0.5)
print(next(l.split()[1] for l in open("/etc/resolv.conf") if l.startswith("nameserver")))
' >$dir/long &
sleep 0.7
echo 'nameserver 192.0.2.1' >/etc/resolv.conf.new
mv /etc/resolv.conf.new /etc/resolv.conf
wait
HOST
unshare -m --propagation private bash "$dir/host.sh" 2>"$dir/host.log"
is "$(sort -u "$dir/long" | grep -c "$eh")" 1 "a long-running process resolves before and after the host changed its files"
is "$(tail -n 1 "$dir/long")" 100.100.2.136 "and still sees the VPC's resolver"
is "$(grep -c -e privatelink -e aliyuncs "$dir/upstream")" 0 "no name of ours ever went to the upstream resolver"
grep -q elsewhere.example "$dir/upstream"
ok $? "which would have answered: it did for others"

# An upstream resolver that is silent: what goes there waits for seconds and fails.
in_lab ip addr add 127.0.0.54/8 dev lo 2>/dev/null
: >"$dir/silent"
nsenter --net="/run/netns/$lab" python3 "$peer" dns-silent 127.0.0.54 "$dir/silent" 2>>"$dir/serve.log" &
remember pid $!
disown $!
echo "nameserver 127.0.0.54" >"$dir/resolv.conf.new" && mv "$dir/resolv.conf.new" "$dir/resolv.conf"
is_silent() { fails 9 "timed out" x "$c" dig +tries=1 +time=1 silence.example A && grep -q silence.example "$dir/silent"; }
check "other names get no answer now" wait_for 20 is_silent

w=$(as consumer call ecs RunInstances VSwitchId="$ch" SecurityGroupId="$cg" ImageId=debian InstanceType=netns \
	HostName=Web-1 | jq -r '.InstanceIdSets.InstanceIdSet[0]')
wait_for 10 instance_running consumer "$w" || bail "no instance with a host name"
address_of() { # ACCOUNT INSTANCE
	as "$1" call ecs DescribeInstances "InstanceIds=[\"$2\"]" |
		jq -r '.Instances.Instance[0].VpcAttributes.PrivateIpAddress.IpAddress[0]'
}
ca=$(address_of consumer "$c") wa=$(address_of consumer "$w")
node_name=$(uname -n)
is "$(x "$w" uname -n)" Web-1 "an instance has its host name"
is "$(x "$c" uname -n)" "$c" "or its id"
# shellcheck disable=SC2016
{
	is "$(x "$w" sh -c 'getent hosts $(hostname)' | awk '{ print $1 }')" "$wa" "which it finds by getent hosts"
	is "$(x "$c" sh -c 'getent hosts $(hostname)' | awk '{ print $1 }')" "$ca" "also if it is the id"
	check "by ping" x "$w" sh -c 'ping -c 1 -W 2 $(hostname)'
	is "$(x "$w" sh -c 'dig +short +tries=1 +time=5 $(hostname)')" "$wa" "by dig"
	is "$(x "$w" sh -c 'dig +short +tries=1 +time=5 $(hostname) AAAA; echo $?')" 0 "which finds no IPv6 address, and says so"
	is "$(ip netns exec "$w" sh -c 'getent hosts $(hostname) && ping -c 1 -W 2 $(hostname) >/dev/null && echo found' |
		awk 'END { print $1 }')" found "ip netns exec leaves the node's host name, which is found as well"
}
is "$(x "$w" python3 -c "
import socket
print(socket.getaddrinfo(socket.gethostname(), None, 0, socket.SOCK_STREAM, 0, socket.AI_CANONNAME)[0][3:])
")" "('Web-1', ('$wa', 0))" "and as sudo and mail servers look for it"
is "$(ip netns exec "$w" getent hosts web-1 | awk '{ print $1 }')" "$wa" "ip netns exec finds the instance's by its files"
x "$w" hostname of-the-instance
is "$(uname -n)" "$node_name" "a host name that is set inside is not the host's"
[ "$(uname -n)" = "$node_name" ] || hostname "$node_name"
is "$(x "$w" uname -n)" Web-1 "nor the next command's"

status() { # INSTANCE dig's arguments…: its status, and how many records are answers
	local id=$1
	shift
	x "$id" dig +tries=1 +time=5 "$@" |
		sed -n 's/.*status: \([A-Z]*\).*/\1/p; s/.*ANSWER: \([0-9]*\),.*/\1/p' | paste -sd' '
}
called() { x "$1" dig +short +tries=1 +time=5 -x "$2"; } # INSTANCE ADDRESS
is "$(called "$c" "$eh")" "$zone_domain." "an ENI's address is called as its zone"
is "$(x "$c" getent hosts "$ei" | awk '{ print $2 }')" "${zone_domain/$h/$i}" "getent finds it"
is "$(called "$c" "$wa")" "$w.cn-hangzhou.ecs.internal." "an instance's is called as the instance"
is "$(x "$c" dig +short +tries=1 +time=5 "$w.cn-hangzhou.ecs.internal")" "$wa" "which is where it is"
is "$(called "$c" 10.0.2.253)" "gateway.$ci.cn-hangzhou.ecs.internal." "a gateway's as its vSwitch's"
is "$(called "$s1" "$(address_of provider "$s2")")" "$s2.cn-hangzhou.ecs.internal." "the same in the provider's VPC"
is "$(status "$o" -x "$eh")" "NXDOMAIN 0" "in another VPC the ENI's address has no name"
is "$(status "$o" "$w.cn-hangzhou.ecs.internal")" "NXDOMAIN 0" "nor has the name an address"
is "$(status "$s1" -x 100.64.0.1)" "NXDOMAIN 0" "a translated source has no name"
for address in 10.9.9.9 172.16.0.1 172.31.255.254 192.168.1.1 169.254.169.254 198.18.0.2 100.100.2.136 192.0.2.1 \
	fd00::1 fe80::1 2001:db8::1; do
	is "$(status "$c" -x $address)" "NXDOMAIN 0" "nor has $address"
done
is "$(status "$c" 10.in-addr.arpa SOA)" "NOERROR 1" "the zone has an SOA"
is "$(status "$c" 0.10.in-addr.arpa PTR)" "NOERROR 0" "what has names below it is no name that does not exist"
is "$(status "$c" +tcp -x 10.9.9.9)" "NXDOMAIN 0" "the same by TCP"
is "$(status "$c" host.invalid)" "NXDOMAIN 0" "a name that is made to be invalid does not exist"
check "a name that other files do not have is not found by getent either" fails 2 "" x "$c" getent hosts 10.9.9.9
is "$(sort -u "$dir/silent")" silence.example "nobody outside was asked for any of these"

finish
