#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What is larger than a packet, and what a network says of packets that it cannot deliver, with the kernel's own sockets at both
# ends: fragments, refused datagrams, time to live, and a path that is narrower behind a server.
. "$(dirname "$0")/lib.sh" || exit 1
peer=$(cd "$(dirname "$0")" && pwd)/peer.py
h=cn-hangzhou-h

# Whatever datagram comes: its path is narrower than it is, says the server.
narrow='
import socket, struct, sys
udp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
icmp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
print("ready", flush=True)
while True:
    packet = udp.recv(65536)
    message = struct.pack("!BBHHH", 3, 4, 0, 0, int(sys.argv[1])) + packet[:28]
    total = sum(struct.unpack("!18H", message))
    total = (total & 0xffff) + (total >> 16)
    total = ~(total + (total >> 16)) & 0xffff
    icmp.sendto(message[:2] + struct.pack("!H", total) + message[4:], (socket.inet_ntoa(packet[12:16]), 0))
'
# A datagram with a time to live; what the socket hears of it.
short_lived='
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, int(sys.argv[3]))
s.setsockopt(socket.IPPROTO_IP, 11, 1)  # IP_RECVERR
s.settimeout(float(sys.argv[4]))
s.connect((sys.argv[1], int(sys.argv[2])))
s.send(b"hello")
try:
    print("answered", len(s.recv(100)))
except TimeoutError:
    print("timed out")
except OSError as e:
    print(e.strerror)
    _, errors, _, _ = s.recvmsg(100, 512, socket.MSG_ERRQUEUE)
    print("from", socket.inet_ntoa(errors[0][2][20:24]))
'

lab_start
account consumer
account provider
cv=$(make_vpc consumer 10.0.0.0/16) pv=$(make_vpc provider 10.0.0.0/16)
ch=$(make_vswitch consumer "$cv" $h 10.0.1.0/24) ph=$(make_vswitch provider "$pv" $h 10.0.1.0/24)
cg=$(make_group consumer "$cv" UDP:1/65535:10.0.0.0/16 ICMP:-1/-1:10.0.0.0/16) pg=$(make_group provider "$pv")
c=$(make_instance consumer "$ch" "$cg" 10.0.1.10) c2=$(make_instance consumer "$ch" "$cg" 10.0.1.11)
s=$(make_instance provider "$ph" "$pg")
serve "$s" python3 "$peer" udp-server 53 s
server=$served_pid
nlb=$(make_nlb provider "$pv" $h="$ph" cn-hangzhou-i="$(make_vswitch provider "$pv" cn-hangzhou-i 10.0.2.0/24)")
make_listener provider "$nlb" UDP 53 "$(make_server_group provider "$pv" UDP 53 "$s")" >/dev/null
service=$(make_service provider "$nlb" $h)
allow provider "$service" "$(uid_of consumer)"
endpoint=$(make_endpoint consumer "$cv" "$service" "$cg" $h="$ch") || bail "no endpoint"
eni=$(eni_address consumer "$endpoint" $h)

asks() { inside "$c" python3 "$peer" udp "$eni" 53 "$@"; }
letters() { head -c "$1" /dev/zero | tr '\0' x; }
wait_for 10 asks hello 1 || bail "the server does not answer"

for size in 4000 9000; do
	answer=$(asks "$(letters $size)" | wc -c)
	is "$((answer > size))" 1 "a datagram of $size bytes is answered by one: $answer"
done
check "an ENI answers a ping of 4,000 bytes" inside "$c" ping -c 2 -i 0.2 -W 2 -s 4000 -q "$eni"
check "another instance does" inside "$c" ping -c 2 -i 0.2 -W 2 -s 4000 -q 10.0.1.11
serve "$c2" python3 "$peer" udp-server 53 c2
large_between() { [ "$(inside "$c" python3 "$peer" udp 10.0.1.11 53 "$(letters 4000)" 1 | wc -c)" -gt 4000 ]; }
check "a datagram of 4,000 bytes between instances" wait_for 5 large_between

hears() { inside "$c" python3 -c "$short_lived" "$eni" 53 "$1" $((3 * patience)) | tr '\n' ' '; } # TTL
is "$(hears 1)" "No route to host from $eni " "a time to live of 1 ends at the endpoint, and the socket hears of it"
is "$(hears 2 | cut -d ' ' -f 1)" answered "with one of 2 the server answers"

serve "$s" python3 -c "$narrow" 1300
narrows=$served_pid
is_narrow() {
	asks "$(letters 1400)" >/dev/null 2>&1
	inside "$c" ip route get "$eni" | grep -q 'mtu 1300'
}
check "a narrower path behind the server is found" wait_for 5 is_narrow
kill -9 "$narrows"

kill -9 "$server"
refused() { asks hello 1 | grep -qx 'Connection refused'; }
check "a datagram to a server without a socket is refused" wait_for 5 refused
finish
