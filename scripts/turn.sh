# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# One quickstart at a time on a machine, whatever clone it is started from; and an end by a signal that nothing swallows.
# Sourced by quickstart.
#
# Everything of a run carries two marks in its environment: PRIVLINK_QUICKSTART, by which the next run finds what this one
# started, and PRIVLINK_QUICKSTART_RUN, which tells the run itself from what it takes away. Daemons have the first alone.

mark=PRIVLINK_QUICKSTART
run_mark=PRIVLINK_QUICKSTART_RUN
turn=/run/privlink-quickstart

# Starts this script again, now with the marks.
mark_this_run() { # ARGUMENT...
	if [[ ${!run_mark-} == "$$".* ]]; then
		this_run=${!run_mark}
		return
	fi
	export "$mark=1" "$run_mark=$$.${EPOCHREALTIME/[.,]/}"
	exec "$BASH" "$0" "$@"
}

# ---- turns ----

# The record says who is at work; the lock is on the directory, only for as long as the record is looked at.
take_turn() { # WHAT
	local fd pid start who
	exec {fd}<"${turn%/*}" && flock "$fd" || die "cannot lock ${turn%/*}"
	if read -r pid start who 2>/dev/null <"$turn" &&
		{ [ "$(began "$pid")" = "$start" ] || { [ "$start" = - ] && runs "$pid"; }; }; then
		die "another quickstart is at work: $who (process $pid)" \
			"Wait until it is done, or end it (kill $pid); then start this again."
	fi
	echo "$$ $(began $$) $here/quickstart, $1" >"$turn" || die "cannot write $turn"
	exec {fd}<&-
	has_turn=yes
}

end_turn() {
	local fd
	[ -n "${has_turn-}" ] || return 0
	has_turn=
	exec {fd}<"${turn%/*}" && flock "$fd"
	rm -f "$turn"
	exec {fd}<&-
}

# ---- signals ----

# What still runs of this run: subshells at work beside it, and their commands.
end_children() {
	local pid pids
	mapfile -t pids < <(marked_processes "$run_mark=$this_run")
	for pid in "${pids[@]}"; do
		[ "$pid" = $$ ] || kill "$pid" 2>/dev/null
	done
}

# (It may come while a function's output goes elsewhere.)
ended_by() { # SIGNAL NUMBER
	trap '' HUP INT TERM
	exec 2>&"$told"
	end_children
	printf '\nquickstart: ended by SIG%s\n' "$1" >&2
	hint
	exit $((128 + $2))
}

# A signal is acted upon when the command that has the foreground is done with it, whatever the command made of it.
watch_signals() {
	exec {told}>&2 # what lives on after us closes it
	trap 'ended_by HUP 1' HUP
	trap 'ended_by INT 2' INT
	trap 'ended_by TERM 15' TERM
	trap end_turn EXIT
}

# For what takes long: a signal that only we get is not kept waiting for it.
patiently() { # LOG COMMAND...
	"${@:2}" >"$1" 2>&1 &
	wait $!
}
