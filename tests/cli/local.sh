#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The command line finds the daemon of its own machine wherever that listens, and root its key: nothing is set.
#
#   local.sh PRIVLINK PRIVLINKD CATALOGUE
set -u
privlink=$(realpath "$1")
privlinkd=$(realpath "$2")
catalogue=$3
. "$(dirname "$0")/../tap.sh" || exit 1

if [ "$(id -u)" != 0 ]; then
	echo "1..0 # SKIP needs root"
	exit 0
fi
# In a network of its own, where all ports are free.
if [ "${PRIVLINK_LOCAL_TEST-}" != inside ]; then
	PRIVLINK_LOCAL_TEST=inside exec unshare --net "$0" "$@"
fi
ip link set lo up
dir=$(mktemp -d) || exit 1
pid=
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null; rm -rf "${dir:?}"' EXIT
chmod 755 "$dir"
state=$dir/state
cp "$privlink" "$dir/privlink" # the clone may be out of others' reach
unset "${!PRIVLINK_@}"
export HOME=$dir/home PRIVLINK_STATE_DIR=$state
"$privlink" ca init >/dev/null && "$privlink" ca issue --name api --api --catalogue "$catalogue" --out "$dir/tls" >/dev/null ||
	{ echo "Bail out! no certificate"; exit 1; }
tls=(--cert "$dir/tls/api.crt" --key "$dir/tls/api.key")

start() { # OPTION...
	"$privlinkd" --state-dir "$state" --run-dir "$dir/run" --catalogue "$catalogue" --user nobody "$@" 2>"$dir/log" &
	pid=$!
}

stop() {
	kill "$pid"
	wait "$pid"
	pid=
}

# Tried until the daemon answers; it may still be at its start.
finds() {
	local i
	for i in {1..600}; do
		"$privlink" account list >"$dir/out" 2>&1 && break
		sleep 0.05
	done
	grep -q administrator "$dir/out"
}

for where in 127.0.0.1:9443 0.0.0.0:9444 '[::1]:9445' '[::]:9446' 127.0.0.1:0; do
	start --https "$where" "${tls[@]}"
	finds
	ok $? "root's plain privlink finds HTTPS at $where, and is the administrator" || sed 's/^/# /' "$dir/out"
	stop
done
start --https 192.0.2.1:9447 "${tls[@]}"
until grep -q 'does not have the address yet listen=192.0.2.1:9447' "$dir/log" || ! kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
ip addr add 192.0.2.1/32 dev lo
for _ in {1..600}; do
	(exec 3<>/dev/tcp/192.0.2.1/9447) 2>/dev/null && break
	sleep 0.05
done
(exec 3<>/dev/tcp/192.0.2.1/9447) 2>/dev/null
ok $? "privlinkd comes up before its address is there, and listens when that comes" || sed 's/^/# /' "$dir/log"
stop
ip addr del 192.0.2.1/32 dev lo
start --http 127.0.0.1:9080
finds
ok $? "and plain HTTP where there is no certificate"
is "$(stat -c '%a %U' "$state/api.env")" "644 root" "where the API is may be read by all and written by root"
cd / && setpriv --reuid=nobody --regid=nogroup --clear-groups "$dir/privlink" account list >"$dir/out" 2>&1
is $? 1 "an ordinary user is nobody to the API without a key"
grep -q 'no access key' "$dir/out"
ok $? "which is what the message says"
PRIVLINK_ENDPOINT=127.0.0.1:9999 "$privlink" account list 2>&1 | grep -q https://127.0.0.1:9999
ok $? "what the environment says comes first"
"$privlink" account list --endpoint http://127.0.0.1:9998 2>&1 | grep -q http://127.0.0.1:9998
ok $? "and an option before all"
stop
"$privlink" account list >"$dir/out" 2>&1
grep -q 'cannot reach the API at http://127.0.0.1:9080' "$dir/out"
ok $? "of a daemon that does not run it says where it was"
rm "$state/api.env"
"$privlink" account list 2>&1 | grep -q https://127.0.0.1:8443
ok $? "without a word of a daemon the usual port is tried"

tap_done
