# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The Test Anything Protocol for scripts; sourced. A script ends with tap_done.
tap_n=0 tap_bad=0

ok() { # STATUS NAME…
	local status=$1
	shift
	tap_n=$((tap_n + 1))
	if [ "$status" = 0 ]; then
		echo "ok $tap_n - $*"
	else
		echo "not ok $tap_n - $*"
		tap_bad=$((tap_bad + 1))
	fi
}

is() { # GOT WANT NAME…
	local got=$1 want=$2
	shift 2
	[ "$got" = "$want" ]
	ok $? "$*"
	[ "$got" = "$want" ] || printf '%s\n' "got:  $got" "want: $want" | sed 's/^/# /'
}

skip() { # NAME REASON
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1 # SKIP $2"
}

note() { echo "# $*"; }

tap_done() {
	echo "1..$tap_n"
	[ "$tap_bad" = 0 ]
}
