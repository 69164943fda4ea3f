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

# At this script's end, and only there: a subshell that ends by a variable that is not set would clean up, too, and the
# test go on without its files.
at_end() { # FUNCTION
	# shellcheck disable=SC2064
	trap "[ \$BASHPID != $$ ] || $1" EXIT
}

tap_done() {
	echo "1..$tap_n"
	[ "$tap_bad" = 0 ]
}

# What is not to work. Each names the reason: a typing error and a program that is missing are none.

fails() { # STATUS WORDS COMMAND…: ends with that status and says the words; "": says nothing at all
	local fails_status=$1 fails_words=$2 fails_output fails_got
	shift 2
	fails_output=$("$@" 2>&1)
	fails_got=$?
	echo "status $fails_got: $fails_output"
	[ $fails_got = "$fails_status" ] || return 1
	if [ -n "$fails_words" ]; then grep -q -e "$fails_words" <<<"$fails_output"; else [ -z "$fails_output" ]; fi
}

lists_no() { # WORDS COMMAND…: succeeds, and says something, but not the words
	local lists_words=$1 lists_output
	shift
	lists_output=$("$@") || return 1
	echo "$lists_output"
	[ -n "$lists_output" ] && ! grep -q -e "$lists_words" <<<"$lists_output"
}

absent() { # PATH…: none of them is there
	local absent_path
	for absent_path; do
		case $absent_path in /?*) ;; *) return 1 ;; esac
		[ ! -e "$absent_path" ] && [ ! -L "$absent_path" ] || return 1
	done
}
