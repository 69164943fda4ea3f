#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Three consumers and two providers with one and the same address range: what is sent in one VPC never arrives in another.
# Every server answers with its owner's mark, and says who asked.
#
#   consumer a, b, c: 10.0.1.10, ENI 10.0.1.100       provider x, y: 10.0.1.20
#   a, b → x    c → y
. "$(dirname "$0")/lib.sh" || exit 1
peer=$(cd "$(dirname "$0")" && pwd)/peer.py
h=cn-hangzhou-h i=cn-hangzhou-i
declare -A vpc vswitch group instance service
eni_address=10.0.1.100

lab_start
for who in a b c x y; do
	account tenant-$who
	vpc[$who]=$(make_vpc tenant-$who 10.0.0.0/16)
	vswitch[$who]=$(make_vswitch tenant-$who "${vpc[$who]}" $h 10.0.1.0/24)
	other=$(make_vswitch tenant-$who "${vpc[$who]}" $i 10.0.2.0/24)
	group[$who]=$(make_group tenant-$who "${vpc[$who]}" TCP:1/65535:10.0.0.0/8 UDP:1/65535:10.0.0.0/8 ICMP:-1/-1:10.0.0.0/8)
	case $who in
	a | b | c)
		instance[$who]=$(make_instance tenant-$who "${vswitch[$who]}" "${group[$who]}" 10.0.1.10)
		serve "${instance[$who]}" python3 "$peer" tcp-server 80 "mark-$who"
		;;
	x | y)
		instance[$who]=$(make_instance tenant-$who "${vswitch[$who]}" "${group[$who]}" 10.0.1.20)
		serve "${instance[$who]}" python3 "$peer" tcp-server 80 "mark-$who"
		serve "${instance[$who]}" python3 "$peer" udp-server 80 "mark-$who"
		listening "${instance[$who]}" tcp 80 && listening "${instance[$who]}" udp 80 || bail "no server of $who"
		nlb=$(make_nlb tenant-$who "${vpc[$who]}" $h="${vswitch[$who]}" $i="$other")
		make_listener tenant-$who "$nlb" TCP 80 \
			"$(make_server_group tenant-$who "${vpc[$who]}" TCP 80 "${instance[$who]}")" >/dev/null
		make_listener tenant-$who "$nlb" UDP 80 \
			"$(make_server_group tenant-$who "${vpc[$who]}" UDP 80 "${instance[$who]}")" >/dev/null
		service[$who]=$(make_service tenant-$who "$nlb" $h)
		;;
	esac
done
connect() { # CONSUMER PROVIDER
	allow "tenant-$2" "${service[$2]}" "$(uid_of "tenant-$1")"
	make_endpoint "tenant-$1" "${vpc[$1]}" "${service[$2]}" "${group[$1]}" "$h=${vswitch[$1]}=$eni_address" >/dev/null ||
		bail "no endpoint from $1 to $2"
}
connect a x
connect b x
connect c y

for who in a b c; do
	want=mark-x
	[ $who = c ] && want=mark-y
	answer=$(inside "${instance[$who]}" python3 "$peer" tcp $eni_address 80)
	is "${answer%% *}" $want "consumer $who reaches its own provider by TCP"
	answer=$(inside "${instance[$who]}" python3 "$peer" udp $eni_address 80 "from-$who")
	is "${answer%% *} ${answer##* }" "$want from-$who" "and by UDP, with its own payload back"
done

# All at once, each with its mark: no answer may carry another's.
wrong=0 total=0
for round in $(seq 15); do
	for who in a b c; do
		inside "${instance[$who]}" python3 "$peer" udp $eni_address 80 "from-$who-$round" >"$dir/answer-$who" &
		eval "wait_$who=\$!"
	done
	for who in a b c; do
		eval "wait \$wait_$who"
		want=mark-x
		[ $who = c ] && want=mark-y
		total=$((total + 1))
		grep -q "^$want .* from-$who-$round\$" "$dir/answer-$who" || wrong=$((wrong + 1))
	done
done
is $wrong 0 "of $total answers asked for at once none is another's"

# What is not an address of this VPC does not exist, whoever else has it.
before=$(counter no_place)
check "an address of another VPC's machine is not reachable" dropped no_place inside "${instance[a]}" ping -c 2 -i 0.2 -W 1 -q 10.0.1.20
is $(($(counter no_place) - before)) 2 "and the node counted just these two packets as no_place"

# The provider cannot reach a consumer, under any address, though something listens there.
for who in a b c; do
	check "consumer $who has a server of its own" wait_for 10 inside "${instance[$who]}" python3 "$peer" tcp 127.0.0.1 80
done
for target in 10.0.1.10 $eni_address; do
	check "the provider cannot reach $target of a consumer, which is no_place" \
		dropped no_place inside "${instance[x]}" python3 "$peer" tcp "$target" 80 1
done

# A spoofed source is dropped and counted.
before=$(counter bad_source)
inside "${instance[a]}" ip addr add 10.0.1.77/32 dev eth0
check "a packet with another source address is dropped" \
	dropped bad_source inside "${instance[a]}" ping -c 2 -i 0.2 -W 1 -q -I 10.0.1.77 $eni_address
is $(($(counter bad_source) - before)) 2 "and counted as bad_source"
inside "${instance[a]}" ip addr del 10.0.1.77/32 dev eth0
mac=$(inside "${instance[a]}" cat /sys/class/net/eth0/address 2>/dev/null || inside "${instance[a]}" ip -br link show eth0 | awk '{print $3}')
inside "${instance[a]}" ip link set eth0 address 02:00:00:00:00:99
check "a frame with another source MAC is dropped, and counted as bad_mac" \
	dropped bad_mac inside "${instance[a]}" ping -c 1 -W 1 -q $eni_address
inside "${instance[a]}" ip link set eth0 address "$mac"

finish
