#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The agent is dead, and new connections go on at a pace that fills the flow table in a minute: none of them is refused, nor has to say
# anything twice. What has ended is cleared away by the data path itself.
#
#   dead.sh [SECONDS [RATE]]     by hand, ten minutes of 2,000 a second: dead.sh 600
. "$(dirname "$0")/lib.sh" || exit 1
. "$(dirname "$0")/world.sh" || exit 1
pace=$source_dir/tests/net/pace.py
seconds=${1:-5} rate=${2:-2000}
least=1 # a busy machine may not keep the pace
[ $# = 0 ] || least=$((rate * seconds * 9 / 10))

lab_start
make_world
serve "$s" python3 "$pace" server 82
balancer=$(as provider call nlb ListLoadBalancers | jq -r '.LoadBalancers[0].LoadBalancerId')
pv=$(as provider call vpc DescribeVpcs | jq -r '.Vpcs.Vpc[0].VpcId')
make_listener provider "$balancer" TCP 82 "$(make_server_group provider "$pv" TCP 82 "$s")" >/dev/null
check "the server answers" wait_for 10 inside "$c" python3 "$pace" client "$eni" 82 4 0.5
answers() { inside "$c" python3 "$pace" client "$eni" 82 100 0.1 | grep -qE '^[1-9][0-9]* connections, 0 failed'; }
wait_for 10 answers || bail "the server does not answer"

refusals=(flow_table_full flow_share account_share flow_rate nat_exhausted flow_table_busy)
refused() { # how often any of them, so far
	local reason count sum=0
	for reason in "${refusals[@]}"; do
		count=$(counter "$reason")
		[[ $count =~ ^[0-9]+$ ]] || return 1
		sum=$((sum + count))
	done
	echo $sum
}
before=$(refused) || bail "the agent does not count"
kill -9 "$agent_pid"
check "the agent is dead" wait_for 5 ended "$agent_pid"
paced() { inside "$c" python3 "$pace" client "$eni" 82 "$rate" "$seconds" >"$dir/paced"; }
paced
echo "# $seconds s of $rate a second: $(cat "$dir/paced")"
check "no new connection is refused, none says anything twice" grep -q ' connections, 0 failed, 0 repeated' "$dir/paced"
check "and there were as many as there should be" awk -v least=$least '{ print; exit $1 < least }' "$dir/paced"
check "the agent is still dead" ended "$agent_pid"
start_agent
wait_for 20 refused || bail "the agent does not come back"
is "$(refused)" "$before" "no packet was counted under any of ${refusals[*]}"
check "a new agent finds all in order" wait_for 10 answers

finish
