#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What quickstart takes for its own, and what for an installation's.
#
#   node.sh SOURCE
set -u
source_dir=$1
dir=$(mktemp -d /tmp/privlink-node-XXXXXX) || exit 1
pid=
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null; rm -rf "${dir:?}"' EXIT
. "$(dirname "$0")/../tap.sh" || exit 1
for part in processes node takedown walk; do
	# shellcheck disable=SC1090
	. "$source_dir/scripts/$part.sh" || exit 1
done
state=$dir/state run=$dir/run
mine=$state/quickstart notes=$run/quickstart
mark=PRIVLINK_QUICKSTART here=$dir
mkdir -p "$state" "$run"

marked_devices() { echo "pl-1 another 1 1 i-1"; } # an installation's, in this network
note sign "$here"
is "$(our_nodes)" "$(node_name)" "a node that was not noted is another's, also right after the sign"
rm -r "${mine:?}" "${notes:?}"

install() { :; } # what needs root
make_directories
is "$(noted node) $(has_sign && echo sign)" "$(node_name) sign" "the node is noted with the sign"
rm -r "${mine:?}" "${notes:?}"

cp "$(type -P sleep)" "$dir/privlink-agent"
"$dir/privlink-agent" 60 &
pid=$!
disown
until grep -qsx privlink-agent "/proc/$pid/comm"; do :; done
echo "$pid" >"$run/agent.pid"
is_installed
ok $? "an agent that runs, and is none of quickstart's, is an installation"

# What the command line is told.
privlink=echo https=8443
is "$(as admin node list)" "--config /dev/null --endpoint https://127.0.0.1:8443 --region $region node list" \
	"the administrator's calls go by no settings of root's own"

tap_done
