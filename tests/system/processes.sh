#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whether a process runs, asked while it ends: what asks goes on, whichever moment it meets.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=tests/tap.sh
. "$here/../tap.sh" || exit 1

asks_until_they_end() { # TIMES: of so many that end at once. In a shell of its own, which an unset variable would end
	bash -c 'set -u
	. "$1/../../scripts/processes.sh" || exit 1
	for ((i = 0; i < $2; i++)); do
		(exec true) &
		pid=$!
		disown "$pid"
		until ended "$pid"; do :; done
	done
	echo all of them' - "$here" "$1"
}

is "$(asks_until_they_end 3000 2>&1)" "all of them" "processes are asked about until they have ended"
sleep 60 &
sleeper=$!
runs_now() { bash -c '. "$1/../../scripts/processes.sh" && runs "$2"' - "$here" "$1"; }
runs_now $sleeper
ok $? "one that sleeps runs"
kill $sleeper
wait $sleeper 2>/dev/null
! runs_now $sleeper
ok $? "one that was ended does not"
tap_done
