#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What an installation of packages leaves behind, also when it is ended in the middle: the machine's own policy-rc.d, and
# no service that was not enabled before. Nothing is installed here: apt is played.
#
#   packages.sh SOURCE
set -u
# shellcheck source=scripts/packages.sh
. "$1/scripts/packages.sh" || exit 1
dir=$(mktemp -d /tmp/privlink-packages-XXXXXX) || exit 1
trap 'rm -rf "${dir:?}"' EXIT
policy=$dir/policy-rc.d policy_saved=$dir/policy-rc.d.before
. "$(dirname "$0")/../tap.sh" || exit 1

# A clang that cannot link a fuzzer, as Debian's without its runtime.
mkdir "$dir/bin"
printf '#!/bin/sh\ncase "$*" in *-fsanitize=*) exit 1 ;; esac\n' >"$dir/bin/clang"
chmod 755 "$dir/bin/clang"
is "$(PATH=$dir/bin:$PATH missing_packages "${needs_check[@]}" | grep clang)" libclang-rt-14-dev \
	"what fuzzers are linked with is a need, though clang is there"
printf '#!/bin/sh\n' >"$dir/bin/clang"
is "$(PATH=$dir/bin:$PATH missing_packages "${needs_check[@]}" | grep clang)" "" "and none where clang can link one"
rm -r "${dir:?}/bin"

# The real one, with an apt that goes on when whoever called it is killed.
(
	apt-get() { exec bash -c "touch $dir/installing; until [ -e $dir/installed ]; do sleep 0.05; done"; }
	packages_lock
	apt_install "$dir/log" nginx &
)
until [ -e "$dir/installing" ]; do sleep 0.05; done
flock -n "$dir" true
is $? 1 "an apt whose run was killed has the lock until it ends"
touch "$dir/installed"
flock -w 30 "$dir" true
ok $? "and gives it back then"

disable_service() { echo "$1" >>"$dir/disabled"; }
is_met() { [ "$1" != command:nginx ] || [ -e "$dir/has-nginx" ]; }
apt_install() { # nothing may start now; nginx comes
	"$policy"
	echo $? >"$dir/asked"
	touch "$dir/has-nginx"
	[ -z "${end_by-}" ] || kill -"$end_by" $BASHPID
}
fresh() {
	rm -f "${dir:?}"/*
	[ -z "${1-}" ] || echo "$1" >"$policy"
}
files_before() { find "$dir" -mindepth 1 -maxdepth 1 -name "*before*" -printf "%f\n"; }
left() { cat "$policy" 2>/dev/null; files_before; cat "$dir/disabled" 2>/dev/null; }

fresh
apt_install_quietly log nginx
is "$(cat "$dir/asked")" 101 "while packages are configured nothing may start"
is "$(left)" nginx "afterwards no policy is left, and nginx is disabled"

is_met() { [ -e "$dir/has-nginx" ]; }
fresh
apt_install_quietly log nginx redis-server
is "$(sort "$dir/disabled" | paste -sd ' ')" "chrony haproxy mariadb nginx postgresql redis-server ssh" "so is every other service that was not there"
is_met() { [ "$1" != command:nginx ] || [ -e "$dir/has-nginx" ]; }

fresh 'echo mine'
touch "$dir/has-nginx"
apt_install_quietly log socat
is "$(left)" 'echo mine' "the machine's own policy is back, and its nginx is left as it was"

fresh 'echo mine'
(end_by=TERM; apt_install_quietly log nginx)
is "$?" 143 "a signal ends it"
is "$(left)" "echo mine
nginx" "and leaves what a whole run leaves"

fresh 'echo mine'
(trap 'echo told >"$dir/disabled.first"; exit 130' INT; end_by=INT; apt_install_quietly log nginx)
is "$? $(cat "$dir/disabled.first")" "130 told" "one that somebody waits for gets there when all is in order"
is "$(left)" "echo mine
nginx" "with nothing left, either"

fresh 'echo mine'
(end_by=KILL; apt_install_quietly log nginx) 2>/dev/null
is "$(files_before | wc -l)" 1 "one that was killed leaves the policy"
packages_recover
is "$(left)" "echo mine
nginx" "the next run puts all in order, also nginx"

fresh
(
	packages_lock
	touch "$dir/locked"
	for _ in {1..400}; do # until the second one says that it waits
		[ ! -s "$dir/said" ] || break
		sleep 0.05
	done
	sleep 0.5
	touch "$dir/done"
) &
until [ -e "$dir/locked" ]; do sleep 0.05; done
packages_recover >"$dir/said"
is "$(cat "$dir/said"; ls "$dir/done")" "    waiting for another run that installs packages
$dir/done" "a second run waits for the first"
wait

# ---- what can be left out ----

mkdir -p "$dir/build/meson-private"
is "$(console_needs "$dir/none" | grep -c =)" ${#needs_console[@]} "what the console is built from is needed"
printf '[options]\nconsole = auto\n' >"$dir/build/meson-private/cmd_line.txt"
is "$(console_needs "$dir/build" | grep -c =)" ${#needs_console[@]} "also in a build directory that leaves it to what is there"
printf '[options]\nconsole = disabled\n' >"$dir/build/meson-private/cmd_line.txt"
is "$(console_needs "$dir/build")" "" "but not in one in which it is switched off"
rm -r "${dir:?}/build"

apt-get() { :; }
apt_update() { return 0; }
is_met() { grep -qsx "${1#*:}" "$dir/there"; }
apt_install() { # LOG [--no-remove] PACKAGE...; `cannot`: those that this machine cannot have
	shift
	echo "$*" >>"$dir/tried"
	[ "$1" != --no-remove ] || shift
	printf '%s\n' "$@" | grep -qxFf "$dir/cannot" && { echo "E: refused" >"$log"; return 1; }
	printf '%s\n' "$@" >>"$dir/there"
}
install_beside() { # CANNOT THERE... ; `needed` and, if it can be had, `extra`
	rm -f "${dir:?}"/*
	echo "${1:-none}" >"$dir/cannot"
	printf '%s\n' "${@:2}" >"$dir/there"
	packages_install command:needed=needed -- command:extra=extra file:more=more >"$dir/said" 2>&1
	echo "$? $(paste -sd ';' "$dir/tried" 2>/dev/null)"
}
is "$(install_beside "")" "0 --no-remove extra more needed" "all is installed at once"
is "$(install_beside extra)" "0 --no-remove extra more needed;needed" "what can be left out and cannot be had keeps nothing else from coming"
is "$(install_beside extra needed)" "0 --no-remove extra more" "nor is it a failure where it is all that is missing"
is "$(install_beside needed)" "1 --no-remove extra more needed;needed" "what is needed and cannot be had is one"
is "$(grep -c '^E: refused' "$dir/said")" 1 "with the reason"
is "$(install_beside "" needed extra more)" "0 " "where all is there nothing is asked for"
is "$(install_beside "" needed more)" "0 --no-remove extra" "and no more than is missing"
is "$(apt_update() { return 1; }; install_beside "" needed)" "0 " "without a network it is left out, too"
is "$(apt_update() { return 1; }; install_beside)" "1 " "and what is needed is then missed"

tap_done
