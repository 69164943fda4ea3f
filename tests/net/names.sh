#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Names: the service's own name resolves to the ENIs inside the VPC that has an endpoint for it and nowhere else, and never
# goes to the upstream resolver, which would answer it. Every usual client inside an instance finds the VPC's resolver and
# trusts the local CA, whatever the host's own files say or become.
. "$(dirname "$0")/lib.sh"
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
	serve "$s" python3 "$peer" https-server 443 "$dir/web/web.crt" "$dir/web/web.key" "$dir/www"
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

check_not "before there is an endpoint the service's name does not exist" x "$c" getent ahostsv4 $name
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
check_not "in another VPC the service's name does not exist" x "$o" getent ahostsv4 $name
check_not "nor does the endpoint's domain" x "$o" getent ahostsv4 "$domain"
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

finish
